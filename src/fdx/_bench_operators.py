"""What ``python -m fdx bench`` measures of operators: sums and products of derivatives.

Each is applied by fdx as one operator, and by other libraries as one would with derivatives alone:
one after the other, the results added up. Both write to memory that is there already, where the
library can, and both are measured in additions of the same array, as `np.add(f, f, out=o)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

import fdx
from fdx._bench_cases import SPACING, Array, coordinates, data

ADDITION = "np.add(f, f, out=o)"

# Differentiates the first array, and returns the result: the second array, if it can write there.
Derivative = Callable[[Array, Array | None], Array]
# Makes one from the axis, the spacing or coordinates, the derivative's order and its accuracy.
MakeDerivative = Callable[[int, Any, int, int], Derivative]


@dataclass(frozen=True)
class Operation:
    """An operator and the array that it is applied to: one row of the table."""

    kind: str  # "derivative", "laplacian", "mixed" or "curl"
    shape: tuple[int, ...]  # of `f`; for a curl the components are along its first axis
    axis: int = 0  # of "derivative"
    accuracy: int = 2
    spacing: str = "uniform"  # or "coordinates"
    dtype: str = "float64"
    yardstick: str = ADDITION  # what it is measured in

    @property
    def id(self) -> str:
        parts = ["x".join(map(str, self.shape)), self.dtype, self.kind]
        parts += [f"axis-{self.axis}"] if self.kind == "derivative" else []
        parts += [self.spacing] if self.spacing != "uniform" else []
        return "-".join([*parts, f"accuracy-{self.accuracy}"])

    @property
    def operator(self) -> str:
        """What fdx calls it, over the names of `names`."""
        if self.kind == "curl":
            return "fdx.curl"
        if self.kind == "mixed":
            return f"{self._diff(0)} @ {self._diff(1)}"
        if self.kind == "laplacian":
            return " + ".join(self._diff(k, "deriv=2") for k in range(len(self.shape)))
        return self._diff(self.axis)

    def _diff(self, axis: int, *options: str) -> str:
        if self.accuracy != 2:
            options += (f"accuracy={self.accuracy}",)
        return f"fdx.Diff({', '.join([str(axis), self._spacing_name, *options])})"

    @property
    def title(self) -> str:
        """The same for people: short."""
        if self.kind in ("curl", "laplacian"):
            accuracy = f", accuracy={self.accuracy}" if self.accuracy != 2 else ""
            return f"{'Laplacian' if self.kind == 'laplacian' else 'curl'}{accuracy}"
        return self.operator.replace("fdx.", "")

    @property
    def call(self) -> str:
        """How fdx applies it."""
        return "fdx.curl(f, h, out=o)" if self.kind == "curl" else "L(f, out=o)"

    @property
    def _spacing_name(self) -> str:
        return "x" if self.spacing == "coordinates" else "h"

    @property
    def grid(self) -> tuple[int, ...]:
        """The shape of one component."""
        return self.shape[1:] if self.kind == "curl" else self.shape

    @property
    def needed_bytes(self) -> int:
        """Memory while this is measured by a library that takes a few arrays besides its own."""
        return np.dtype(self.dtype).itemsize * (
            2 * math.prod(self.shape) + 6 * math.prod(self.grid)
        )

    @property
    def step(self) -> Any:
        """The spacing, or the coordinates."""
        return coordinates(self.grid[self.axis]) if self.spacing == "coordinates" else SPACING

    def names(self) -> dict[str, Any]:
        """What the operator, its call and its yardstick refer to, besides `np` and `fdx`."""
        f = data(self.shape, self.dtype)
        o, w = outputs(self.shape, self.dtype, self.grid)
        return {"f": f, "o": o, "w": w, "both": (o, w), self._spacing_name: self.step}


def operations(quick: bool = False) -> Iterator[Operation]:
    """Every row, in the table's order; those of one array lie together, as only one is kept."""
    side, uneven_side = (64, 60) if quick else (256, 250)
    for n in (side, uneven_side):  # rows that begin a power of two apart share their cache lines
        cube = (n, n, n)
        for accuracy in (2, 4, 8):
            yield Operation("laplacian", cube, accuracy=accuracy)
        for axis in range(3):
            yield Operation("derivative", cube, axis, 8)
        yield Operation("mixed", cube)
        if n == side:
            for axis in (0, 2):
                yield Operation("derivative", cube, axis, spacing="coordinates")
            yield Operation("laplacian", cube, accuracy=4, dtype="float32")
        yield Operation("curl", (3, *cube))
    # Of a small array most of the time goes into the call, of which gradient has as much.
    yield Operation("laplacian", (10, 10), yardstick="fdx.gradient(f, h, out=both)")


@lru_cache(maxsize=1)
def outputs(shape: tuple[int, ...], dtype: str, grid: tuple[int, ...]) -> tuple[Array, Array]:
    """Memory that is there already: for the result, and for a derivative that is added to it."""
    return np.full(shape, 0, dtype), np.full(grid, 0, dtype)  # zeros would not be there yet


# A statement, and what it refers to besides `np` and `fdx`.
Code = tuple[str, dict[str, Any]]


def applied(operation: Operation) -> Code:
    """How fdx applies it: in one call."""
    names = operation.names()
    operator = eval(operation.operator, {"fdx": fdx, **names})
    return operation.call, {"L": operator, **names}


def composed(make: MakeDerivative, operation: Operation) -> Code:
    """How a library that has derivatives applies it: one after the other."""
    f, o, w = (operation.names()[name] for name in "fow")
    deriv = 2 if operation.kind == "laplacian" else 1
    axes = [operation.axis] if operation.kind == "derivative" else range(len(operation.grid))
    along = {k: make(k, operation.step, deriv, operation.accuracy) for k in axes}

    def derivative() -> Array:
        return along[operation.axis](f, o)

    def laplacian() -> Array:
        total = along[0](f, o)
        for k in axes[1:]:
            total += along[k](f, w)
        return total

    def mixed() -> Array:
        return along[0](along[1](f, w), o)

    def curl() -> Array:
        for k in range(3):
            i, j = (k + 1) % 3, (k + 2) % 3
            np.subtract(along[i](f[j], o[k]), along[j](f[i], w), out=o[k])
        result: Array = o
        return result

    calls = {"derivative": derivative, "laplacian": laplacian, "mixed": mixed, "curl": curl}
    return "call()", {"call": calls[operation.kind]}
