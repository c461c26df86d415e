"""How ``python -m fdx bench`` measures, and on which machine.

A machine that other programs use too is slow for seconds at a time. So a call and its yardstick are
timed alternately, and a ratio is the median over all rounds of the ratios within a round. Next to
processes that take all memory bandwidth now and then, this median varied by 6 % for a line of 10^7,
and the ratio of the two medians by 37 %, as one of the two may be disturbed more often than the
other. For shorter calls, with their many rounds, both were equally good.
"""

from __future__ import annotations

import contextlib
import math
import os
import platform
import re
import statistics
import subprocess
import sys
import time
import timeit
import tracemalloc
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import fdx
from fdx import _core
from fdx._cli.bench_cases import COPY_BYTES, Array, Case, names
from fdx._common import threads

SHORTEST = 200e-6  # seconds of one timing; shorter calls are repeated
WARM_UP = 1e-3  # seconds of untimed calls before a timing, if something else ran before
LONG = 0.02  # seconds; longer calls need no warm-up, as they replace the contents of every cache
ROUNDS = 3  # at least
SLOW_SHARE = 0.4  # of the time, for slow statements

Round = Mapping[str, float]  # seconds of each statement that was timed in it


# --- time ---------------------------------------------------------------------------------------


class Statement:
    """A statement that can be timed, for SHORTEST or a longer time; freeing what it returns is
    part of it."""

    def __init__(self, statement: str, names: Mapping[str, Any], shortest: float = 0.0) -> None:
        self._timer = timeit.Timer(statement, globals={"np": np, "fdx": fdx, **names})
        self.latest = self._timer.timeit(1)  # including what only the first call does
        self._number = 1
        self._shortest = shortest

    def seconds(self) -> float:
        """Time it: one call, or the mean of several if it is short."""
        shortest = max(SHORTEST, self._shortest)
        while (seconds := self._timer.timeit(self._number)) < shortest:
            self._number *= max(2, min(10, int(shortest / seconds)))
        self.latest = seconds / self._number
        return self.latest

    def warm_up(self) -> None:
        """Bring caches and the memory allocator to the state that a loop of this statement has."""
        if self.latest < LONG:
            self._timer.timeit(max(1, int(WARM_UP / self.latest)))


def alternate(
    fast: Mapping[str, Statement],
    slow: Mapping[str, Statement],
    seconds: float,
    patience: float = math.inf,
) -> list[Round]:
    """Time statements in rounds, for about `seconds`; the slow ones not in every round.

    There are at least ROUNDS rounds, or as many as begin within `patience` seconds.

    The previous call decides what is in the caches, and which memory the allocator can reuse. To
    make that equal for all fast statements, their order alternates, and they are called untimed
    after the slow ones.
    """
    begin = time.perf_counter()
    slow_seconds = 0.0
    rounds: list[Round] = []
    slow_rounds = 0
    order = list(fast)
    while (spent := time.perf_counter() - begin) < seconds or (
        len(rounds) < ROUNDS and spent < patience
    ):
        this = {name: fast[name].seconds() for name in order}
        order.reverse()
        start = time.perf_counter()
        if slow and (slow_rounds < ROUNDS or slow_seconds < SLOW_SHARE * (start - begin)):
            for name, statement in slow.items():
                statement.warm_up()
                this[name] = statement.seconds()
            for statement in fast.values():
                statement.warm_up()
            slow_rounds += 1
            slow_seconds += time.perf_counter() - start
        rounds.append(this)
    return rounds


def median(rounds: list[Round], name: str, over: str | None = None) -> float:
    """The median time of a statement, or of its ratio to another one in the same round."""
    return statistics.median(
        r[name] / (r[over] if over else 1.0)
        for r in rounds
        if name in r and (not over or over in r)
    )


def warm_up_allocator() -> None:
    """Bring the allocator to the state of a program that has used large arrays.

    The C library of Linux reuses freed memory of less than 32 MB, but only once a program has freed
    a block of that size. Without this, the rows before would decide whether the results of a row,
    or of its yardstick, are memory that the system has to clear first.
    """
    np.empty(31 << 20, "u1")


# --- rows ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """The result of a case. Ratios are times in units of the yardstick's time."""

    case: Case
    yardstick_seconds: float
    ratio_fdx: float
    ratio_numpy: float
    gbytes_per_second: float  # least traffic / time of fdx
    copy_gbytes_per_second: float  # of a copy with the same traffic, or with the limit's
    roofline_fraction: float
    peak_bytes: int | None  # beyond the result; None if a call takes too long to be traced as well

    @property
    def speedup(self) -> float:
        return self.ratio_numpy / self.ratio_fdx


def measure(case: Case, seconds: float) -> Row:
    """Measure one row."""
    values = names(case)
    source, target = copy_arrays(case)
    values |= {"source": source, "target": target}
    fast = {
        "fdx": Statement(case.call, values),
        "yardstick": Statement(case.yardstick, values),
    }
    slow = {
        "copy": Statement("np.copyto(target, source)", values),
        "numpy": Statement(case.numpy_call, values),
    }
    rounds = alternate(fast, slow, seconds)

    ratio = median(rounds, "fdx", over="yardstick")
    yardstick = median(rounds, "yardstick")
    copied = source.nbytes + target.nbytes
    return Row(
        case=case,
        yardstick_seconds=yardstick,
        ratio_fdx=ratio,
        ratio_numpy=median(rounds, "numpy", over="yardstick"),
        gbytes_per_second=case.moved_bytes / median(rounds, "fdx") / 1e9,
        copy_gbytes_per_second=copied / median(rounds, "copy") / 1e9,
        roofline_fraction=case.moved_bytes / copied * median(rounds, "copy", over="fdx"),
        peak_bytes=None if ratio * yardstick > LONG else peak_bytes(case, values),
    )


def copy_arrays(case: Case) -> tuple[Array, Array]:
    """Two arrays; copying one to the other has the traffic of the case, up to a limit."""
    size = max(8, min(case.moved_bytes // 2, COPY_BYTES))
    source, target = _copy_memory()
    return source[:size], target[:size]


@cache
def _copy_memory() -> tuple[Array, Array]:
    return np.ones(COPY_BYTES, "u1"), np.ones(COPY_BYTES, "u1")


def peak_bytes(case: Case, values: Mapping[str, Any]) -> int:
    """The peak of the memory that a call of fdx allocates, beyond the arrays that it returns."""
    code = compile(case.call, "bench", "eval")
    eval(code, {"fdx": fdx, **values})
    tracemalloc.start()
    try:
        result = eval(code, {"fdx": fdx, **values})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if case.memory == "fresh":
        peak -= sum(g.nbytes for g in result) if isinstance(result, tuple) else result.nbytes
    return max(0, peak)


# --- threads, import ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Threads:
    """The speedup by a second thread, of fdx and of a copy by two Python threads."""

    case: Case
    speedup_fdx: float
    speedup_copy: float


def measure_threads(case: Case, seconds: float) -> Threads:
    """Measure one and two threads alternately."""
    values = names(case)
    source, target = copy_arrays(case)
    half = len(source) // 2
    with ThreadPoolExecutor(1) as pool:

        def copy_by_two() -> None:
            other = pool.submit(np.copyto, target[half:], source[half:])
            np.copyto(target[:half], source[:half])
            other.result()

        values |= {"source": source, "target": target, "copy_by_two": copy_by_two}
        statements = {
            "1": Statement(case.call.replace(")", ", workers=1)"), values),
            "2": Statement(case.call.replace(")", ", workers=2)"), values),
            "copy 1": Statement("np.copyto(target, source)", values),
            "copy 2": Statement("copy_by_two()", values),
        }
        rounds = alternate(statements, {}, seconds)
    return Threads(case, median(rounds, "1", over="2"), median(rounds, "copy 1", over="copy 2"))


def import_seconds(times: int) -> float:
    """Median time of importing fdx after NumPy, each time in a new interpreter."""
    code = (
        "import time, numpy; start = time.perf_counter(); import fdx;"
        "print(time.perf_counter() - start)"
    )
    command = [sys.executable, "-c", code]
    return statistics.median(
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(times)
    )


# --- the machine --------------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    """The hardware and software on which the figures depend."""
    facts: dict[str, Any] = {
        "cpu": _cpu_model(),
        "cores": threads._cpus(),
        "caches": _caches(),
        "os": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "fdx": fdx.__version__,
        "isa": _core.isa(),
    }
    compiler = getattr(_core, "compiler", None)  # not in every build
    if compiler is not None:
        facts["compiler"] = compiler()
    return facts


def _cpu_model() -> str:
    with contextlib.suppress(OSError):
        model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
        if model:
            return model[1]
    if sys.platform == "darwin":
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(
                command, check=True, capture_output=True, text=True
            ).stdout.strip()
    return platform.processor() or platform.machine() or "unknown"


def _caches() -> dict[str, int]:
    """Bytes of the data caches, as far as Linux knows them: {"L1": 49152, ...}."""
    sizes = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        with contextlib.suppress(OSError, ValueError):
            if (folder / "type").read_text().strip() != "Instruction":
                level = (folder / "level").read_text().strip()
                size = (folder / "size").read_text().strip()
                sizes[f"L{level}"] = int(size.rstrip("K")) * 1024
    return sizes


def available_bytes() -> float:
    """Memory that is available without swapping; infinite if that is not known."""
    limits = [float("inf")]
    with contextlib.suppress(OSError):
        found = re.search(r"^MemAvailable:\s*(\d+) kB$", Path("/proc/meminfo").read_text(), re.M)
        limits += [int(found[1]) * 1024.0] if found else []
    with contextlib.suppress(OSError, ValueError):  # a container's limit
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text())
        limits.append(limit - float((group / "memory.current").read_text()))
    if len(limits) == 1:
        with contextlib.suppress(AttributeError, OSError, ValueError):
            limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2)
    return min(limits)
