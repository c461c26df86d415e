"""Instructions of representative calls of the fdx that is installed, counted by callgrind.

Three figures for each call, as they depend on different things:

    core     csrc/, for each instruction set: on the C compiler
    binding  _core.pyx: on Cython and the version of Python, too
    outside  what they call, and fdx's Python code: on the builds of Python, NumPy, the C library

A figure is what n more repetitions take, divided by n, so the interpreter's start is no part of it.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from figures import CannotCount, Table, compare
from rows import compiler

HERE = Path(__file__).parent
ISAS = ["base", "avx2"]  # those that valgrind runs
DEPENDS = {
    "core:base": ["compiler"],
    "core:avx2": ["compiler"],
    "binding": ["compiler", "Cython", "Python"],
    "outside": ["compiler", "Cython", "Python", "Python build", "NumPy", "libc"],
}
HEADING = """Instructions of calls of fdx.gradient (tests/counts/workload.py has the calls).
Checked by `python tests/counts`, written by `python tests/counts --update`."""


def python(*arguments, isa, under=()):
    """Run this Python so that it does the same each time."""
    steady = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "FDX_ISA": isa}
    return subprocess.run(
        [*under, sys.executable, *arguments],
        env={k: v for k, v in os.environ.items() if not k.startswith("FDX_")} | steady,
        capture_output=True,
        text=True,
    )


def versions():
    """What the figures depend on besides fdx's source; the first two are read off the binary."""
    import numpy as np

    from fdx import _core

    binary = Path(_core.__file__).read_bytes()
    clang = re.search(rb"clang version ([\d.]+)", binary)
    gcc = re.search(rb"GCC: \([^)]*\) ([\d.]+)", binary)
    cython = re.search(rb"_cython_(\d+_\d+_\d+)", binary)
    named = (b"clang " + clang[1]) if clang else (b"gcc " + gcc[1]) if gcc else b"unknown"
    return {
        "compiler": named.decode(),
        "Cython": cython[1].decode().replace("_", ".") if cython else "unknown",
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "Python build": " ".join(sys.version.split()),
        "NumPy": np.__version__,
        "libc": " ".join(platform.libc_ver()),
    }


def part(binary, function):
    """Of which figure an instruction is, going by where it lies."""
    if not Path(binary).name.startswith("_core."):
        return "outside"
    # Cython's names; and without a name, the jumps to other libraries.
    return "binding" if re.match("__pyx|0x|_init", function, re.I) else "core"


def read_profile(path):
    """What is it of, and {part: instructions}."""
    names, costs = {}, Counter()
    binary = function = what = None
    inclusive = False
    total = 0
    for line in path.read_text().splitlines():
        if line.startswith("desc: Trigger: Client Request: "):
            what = line.removeprefix("desc: Trigger: Client Request: ")
        elif line.startswith("summary: "):
            total = int(line.split()[1])
        elif of := re.match(r"c?(ob|fn)=(\(\d+\))(?: (.*))?$", line):
            key = of[1], of[2]  # a name stands where it comes first, then only its number
            if of[3] is not None:
                names[key] = of[3]
            if line.startswith("ob="):
                binary = names[key]
            elif line.startswith("fn="):
                function = names[key]
        elif line.startswith("calls="):
            inclusive = True  # the next line is the cost of the callee, which has its own lines
        elif re.match(r"[\d+*-]", line):
            if not inclusive:
                costs[part(binary, function)] += int(line.split()[1])
            inclusive = False
    if sum(costs.values()) != total:
        raise CannotCount(f"callgrind's profile has {total} instructions: {costs} were understood")
    return what, costs


def count(isa, folder):
    """{call: {part: instructions of one}}"""
    out = folder / isa
    valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no"]
    run = python(
        HERE / "workload.py",
        folder / "marks.so",
        isa=isa,
        under=[*valgrind, f"--callgrind-out-file={out}"],
    )
    if run.returncode != 0:
        raise CannotCount(f"valgrind ended with status {run.returncode}:\n{run.stderr}")
    by_call = {}
    for path in sorted(folder.glob(f"{isa}.*"), key=lambda path: int(path.suffix[1:])):
        what, costs = read_profile(path)
        if what:
            call, times = what.rsplit(" / ", 1)
            by_call.setdefault(call, []).append((int(times), costs))
    if not by_call:
        raise CannotCount(f"callgrind wrote no profile:\n{run.stderr}")
    return {
        call: {k: (cost_many[k] - cost_few[k]) / (many - few) for k in cost_many}
        for call, [(few, cost_few), (many, cost_many)] in by_call.items()
    }


def main(update):
    """Whether something is not as stored."""
    if shutil.which("valgrind") is None:
        raise CannotCount("valgrind is not installed")
    try:
        made_with = versions()
    except ImportError as error:
        raise CannotCount(f"fdx is not installed for {sys.executable}: {error}") from None
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        marks = [HERE / "marks.c", "-o", Path(folder) / "marks.so"]
        build = subprocess.run([*compiler()[0], "-O2", "-shared", "-fPIC", *marks])
        if build.returncode != 0:
            raise CannotCount("marks.c needs a C compiler, and valgrind's headers")
        for isa in ISAS:
            if python("-c", "import fdx", isa=isa).returncode != 0:
                continue
            for call, costs in count(isa, Path(folder)).items():
                costs[f"core:{isa}"] = costs.pop("core")
                rows.setdefault(call, {}).update(costs)
    if not rows:
        raise CannotCount(
            f"fdx cannot be imported: {python('-c', 'import fdx', isa='base').stderr}"
        )
    found = Table(made_with, list(DEPENDS), rows)
    print(found.text(), end="")
    path = HERE / f"calls-{made_with['compiler'].split()[0]}.txt"
    if update:
        found.write(path, HEADING)
        print(f"written: {path.name}")
    return compare(Table.read(path), found, DEPENDS)
