"""What ``python -m fdx bench`` measures: for each row a call of fdx and an addition as yardstick.

Both are statements over the names in `names`. NumPy's call is that of fdx with another name, and
allocates its result, as np.gradient has no ``out``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

SPACING = 0.137  # not a power of two, by which a division would be a multiplication
COPY_BYTES = 1 << 27  # copied at most: far more than the caches hold, far less than memory does


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    group: str
    shape: tuple[int, ...]
    dtype: str = "float64"
    axis: int | None = None  # None: every axis, in one call
    spacing: str = "uniform"  # or "one", "float64 scalar", "coordinates", "float64 coordinates"
    layout: str = "C"  # or "Fortran", "transposed", "every other"
    memory: str = "fresh"  # newly allocated results; or "warm": preallocated, by `out`

    @property
    def id(self) -> str:
        parts = ["x".join(map(str, self.shape)), self.dtype]
        parts += [self.layout] if self.layout != "C" else []
        parts += [self.spacing] if self.spacing != "uniform" else []
        parts += [f"axis {self.axis}"] if self.axis is not None else []
        return "-".join([*parts, self.memory]).replace(" ", "-").lower()

    @property
    def call(self) -> str:
        axis = "" if self.axis is None else f", axis={self.axis}"
        out = ", out=o" if self.memory == "warm" else ""
        return f"fdx.gradient(f, {self.spacing_name}{axis}{out})"

    @property
    def numpy_call(self) -> str:
        return self.call.replace("fdx.", "np.").replace(", out=o", "")

    @property
    def yardstick(self) -> str:
        """An addition: one pass over the same data."""
        if self.memory == "warm":
            return "np.add(f, f, out=o0)"
        if "int" in self.dtype:
            return "f.astype(float)"
        return "f + x" if self.spacing_name == "x" and len(self.shape) == 1 else "f + f"

    @property
    def spacing_name(self) -> str:
        return "x" if "coordinates" in self.spacing else "h"

    @property
    def results(self) -> int:
        return len(self.shape) if self.axis is None else 1

    @property
    def moved_bytes(self) -> int:
        """The least traffic: `f` and coordinates are read once, each result is written once."""
        size = int(np.prod(self.shape))
        item = np.dtype(self.dtype).itemsize
        moved = size * item + self.results * size * self._result_item
        if self.spacing_name == "x":
            moved += self.shape[self.axis or 0] * self._coordinate_item
        return moved

    @property
    def needed_bytes(self) -> int:
        """Memory that measuring takes: `f`, the output, NumPy's results and temporary arrays."""
        size = int(np.prod(self.shape)) * (4 if self.layout == "every other" else 1)
        return size * 8 * (3 + 3 * self.results) + 2 * COPY_BYTES

    @property
    def _result_item(self) -> int:
        return 4 if self.dtype == "float32" else 8

    @property
    def _coordinate_item(self) -> int:
        return 4 if self.dtype == "float32" and self.spacing == "coordinates" else 8


def all_cases(quick: bool = False) -> Iterator[Case]:
    """Every row, in the table's order; rows of one array are adjacent, as `data` keeps only one."""
    longest, side, uneven_side, rows = (10**6, 64, 60, 100) if quick else (10**7, 256, 250, 1000)
    sizes = [n for n in (10, 100, 10**3, 10**4, 10**5, 10**6, 10**7) if n <= longest]
    cube = (side, side, side)

    for n in sizes:
        for memory in ("fresh", "warm"):
            yield Case("A line", (n,), memory=memory)
    for n in sizes:
        yield Case("A line", (n,), "float32")
    yield Case("A line", (longest,), "float32", memory="warm")
    for n in (10**4, 10**5, 10**6):
        yield Case("A line, with a spacing of 1", (n,), spacing="one")

    for dtype in ("float64", "float32"):
        for axis in range(3):
            for memory in ("fresh", "warm"):
                yield Case("One axis of a cube", cube, dtype, axis, memory=memory)

    group = "All axes, against one addition"
    for n in (side, uneven_side):  # rows a power of two apart map to the same cache sets
        for memory in ("fresh", "warm"):
            yield Case(group, (n, n, n), memory=memory)
    yield Case(group, (32, 32, 32))
    for shape in ((rows * 1000, 3), (rows, rows, 8)):
        yield Case("Short rows, all axes, against one addition", shape)

    for n in sizes[2:]:
        yield Case("Coordinates along a line", (n,), spacing="coordinates")
    for axis in range(3):
        group = "Coordinates along one axis of a cube"
        yield Case(group, cube, axis=axis, spacing="coordinates", memory="warm")
    yield Case("float32, spacing np.float64", (10**6,), "float32", spacing="float64 scalar")
    yield Case("float32, coordinates float64", (10**6,), "float32", spacing="float64 coordinates")

    for dtype in ("uint8", "int16", "int32"):
        yield Case("Integers, against a conversion", (10**6,), dtype)
        yield Case("Integers, against a conversion", (1000, 1000), dtype, 0)

    for axis in range(2):
        yield Case("Views: Fortran order", (1000, 1000), axis=axis, layout="Fortran")
    for axis in range(3):
        yield Case("Views: axes transposed", (100, 100, 100), axis=axis, layout="transposed")
    yield Case("Views: every other element", (10**6,), layout="every other")
    for axis in range(2):
        yield Case("Views: every other element", (1000, 1000), axis=axis, layout="every other")


def thread_cases(quick: bool = False) -> Iterator[Case]:
    """The rows that are measured with one and two threads."""
    longest, side = (10**6, 64) if quick else (10**7, 256)
    yield Case("Threads", (longest,), memory="warm")
    yield Case("Threads", (side, side, side), memory="warm")


@lru_cache(maxsize=1)
def data(shape: tuple[int, ...], dtype: str, layout: str = "C") -> Array:
    """Random numbers in a memory layout."""
    if layout == "Fortran":
        return data.__wrapped__(shape[::-1], dtype).T
    if layout == "transposed":  # a permutation that is not a reversal
        return data.__wrapped__((shape[2], shape[0], shape[1]), dtype).transpose(1, 2, 0)
    if layout == "every other":
        twice = data.__wrapped__(tuple(2 * n for n in shape), dtype)
        return twice[(slice(None, None, 2),) * len(shape)]
    rng = np.random.default_rng(0)
    some = 1000 * rng.random(100_003)  # repeated, as generating more would take too long
    if "int" in dtype:
        some %= np.iinfo(dtype).max
    return np.resize(some.astype(dtype), shape)


def coordinates(points: int) -> Array:
    """Uneven ones."""
    x: Array = np.cumsum(0.1 + np.random.default_rng(1).random(points))
    return x


def names(case: Case) -> dict[str, Any]:
    """The names in the statements of a case, other than `np` and `fdx`."""
    f = data(case.shape, case.dtype, case.layout)
    values: dict[str, Any] = {"f": f}
    if case.spacing_name == "x":
        x = coordinates(case.shape[case.axis or 0])
        values["x"] = x.astype(case.dtype if case.spacing == "coordinates" else "float64")
    else:
        spacings = {"one": 1.0, "float64 scalar": np.float64(SPACING)}
        values["h"] = spacings.get(case.spacing, SPACING)
    if case.memory == "warm":
        out = [np.zeros_like(f) for _ in range(case.results)]
        values |= {"o": tuple(out) if len(out) > 1 else out[0], "o0": out[0]}
    return values
