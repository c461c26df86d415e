"""Reports of calls of np.gradient while it was patched: how many there were, how long they took,
and which of them NumPy computed, and why."""

import contextlib
import os
import sys
import threading
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np


@dataclass
class Tally:
    """Calls, the elements of their inputs `f`, and the seconds that they took."""

    calls: int = 0
    elements: int = 0
    seconds: float = 0.0

    def add(self, elements: int, seconds: float) -> None:
        """Count a call."""
        self.calls += 1
        self.elements += elements
        self.seconds += seconds


@dataclass(eq=False)
class PatchReport:
    """
    Counts and times of the calls of `numpy.gradient` while it was patched.

    `fdx.patched` and `fdx.patch_numpy` return one, if asked to. ``str(report)`` is what is printed
    at the end, and what a notebook shows.

    Parameters
    ----------
    compare : bool, optional
        Whether each call is computed by NumPy's code as well.

    Attributes
    ----------
    computed : Tally
        What fdx computed: ``computed.calls``, ``computed.elements`` (of the inputs `f`) and
        ``computed.seconds``. Derivatives of one array along several axes are one call, and the
        array's elements count once.
    left_to_numpy : dict of str to Tally
        What NumPy's code computed, by the reason.
    errors : int
        Calls that raised an exception.
    compared : Tally
        What both computed, with the seconds that NumPy took: for arrays of megabytes up to twice
        as many as without fdx, as two results are in memory.
    different : int
        How many of these did not have the same bytes.

    See Also
    --------
    fdx.patched, fdx.patch_numpy : Return one.

    Examples
    --------
    >>> import numpy as np
    >>> import fdx
    >>> with fdx.patched(report=True) as report:
    ...     _ = np.gradient(np.arange(5.0))
    ...     _ = np.gradient(np.arange(5, dtype=np.float16))
    >>> report.computed.calls, report.computed.elements
    (1, 5)
    >>> report.left_to_numpy.keys()
    dict_keys(['f of dtype float16'])
    """

    computed: Tally = field(default_factory=Tally, init=False)
    left_to_numpy: dict[str, Tally] = field(default_factory=dict, init=False)
    errors: int = field(default=0, init=False)
    compare: bool = False
    compared: Tally = field(default_factory=Tally, init=False)
    different: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.renew_lock()
        self._process = os.getpid()
        self._until_now = 0.0  # seconds, until it was last begun
        self._begun: float | None = None

    def begin(self) -> None:
        """Start, or resume, the time of which calls are a part."""
        if self._begun is None:
            self._begun = perf_counter()

    def end(self) -> None:
        """Stop that time."""
        self._until_now = self._elapsed()
        self._begun = None

    def _elapsed(self) -> float:
        return self._until_now + (0.0 if self._begun is None else perf_counter() - self._begun)

    def renew_lock(self) -> None:
        """In a forked process: another thread of the parent may have held the lock."""
        self._lock = threading.RLock()

    def add(self, why: str, elements: int, seconds: float) -> None:
        """Count a call that was left to NumPy for the reason `why`, or computed by fdx if it is
        ""."""
        with self._lock:
            tally = self.left_to_numpy.setdefault(why, Tally()) if why else self.computed
            tally.add(elements, seconds)

    def add_comparison(self, same: bool, elements: int, seconds: float) -> None:
        """Count a call that NumPy computed as well, in so many seconds."""
        with self._lock:
            self.compared.add(elements, seconds)
            self.different += not same

    def add_error(self) -> None:
        """Count a call that raised an exception."""
        with self._lock:
            self.errors += 1

    def __repr__(self) -> str:
        """The report as lines of text, for notebooks too."""
        with self._lock:
            return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        left = sorted(self.left_to_numpy.items(), key=lambda item: -item[1].seconds)
        tallies = [self.computed, *self.left_to_numpy.values()]
        calls = sum(tally.calls for tally in tallies) + self.errors
        seconds = sum(tally.seconds for tally in tallies)
        if calls == 0:
            return ["np.gradient was not called in this process"]
        rows = [("computed by fdx", self.computed)]
        rows += [(f"left to NumPy: {why}", tally) for why, tally in left]
        if self.compared.calls:
            rows.append(("computed by NumPy too", self.compared))
        width = max(len(name) for name, _ in rows)
        lines = [
            f"np.gradient: {calls:,} call{'s' * (calls > 1)}, {seconds:.3g} s "
            f"in {self._elapsed():.3g} s of the program",
            f"{'':{width}}{'calls':>12}{'elements of f':>18}{'seconds':>12}",
        ]
        for name, tally in rows:
            lines.append(
                f"{name:{width}}{tally.calls:12,}{tally.elements:18,}{tally.seconds:12.3g}"
            )
        if self.errors:
            lines.append(f"{'raised an exception':{width}}{self.errors:12,}")
        if self.compared.calls:
            differ = f"{self.different:,} call{'s differ' if self.different > 1 else ' differs'}"
            same = differ if self.different else "the same bytes"
            lines.append(f"fdx and NumPy: {same}")
        return lines

    def show(self) -> None:
        """Print the report to standard error, unless this is a copy in a forked process."""
        if os.getpid() != self._process:
            return
        for stream in (sys.stdout, sys.stderr):
            # A closed stream or a full disk must not disturb the program.
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
                if stream is sys.stderr:
                    print(f"\n{self}", file=stream, flush=True)


def same_bits(a: Any, b: Any) -> bool:
    """Whether two arrays, or tuples of arrays, of real or complex numbers hold the same bytes.

    NaNs count as equal, 0.0 and -0.0 do not.
    """
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(same_bits, a, b))
    if type(a) is not type(b) or a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind == "c":
        return same_bits(a.real, b.real) and same_bits(a.imag, b.imag)
    bits = f"u{a.dtype.itemsize}"
    same = a.view(bits) == b.view(bits)
    return bool(same.all()) or bool((same | (np.isnan(a) & np.isnan(b))).all())
