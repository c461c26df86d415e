"""The operators that ``python -m fdx bench`` measures: sums and products of derivatives.

fdx applies each as one operator. Libraries that have only derivatives compute these one after the
other, and add the results. All write to preallocated memory, if the library can, and are measured
in additions of the same array, `np.add(f, f, out=o)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

import fdx
from fdx._cli.bench_cases import SPACING, Array, coordinates, data

ADDITION = "np.add(f, f, out=o1)"

FUNCTIONS = ("curl", "gradient", "hessian")  # the others are operators
SCHEMES = {  # along an axis, by the code of the operator and its title
    "staggered": 'fdx.Diff({axis}, h, position="left", boundary="periodic")',
    "biased": 'fdx.Diff({axis}, h, accuracy=3, side="left")',
    "diffusion": "-(D.T @ (c * D))",
    "upwind": "fdx.Upwind({axis}, c, h)",
    "solve": 'fdx.Identity() - dt * fdx.Diff({axis}, h, deriv=2, boundary="symmetric"{accuracy})',
    "compact": "fdx.Compact({axis}, h{accuracy})",
}
# Only by fdx.
ALONE = (
    "added",
    "gradient",
    "hessian",
    "leapfrog",
    "multiplied",
    "multiplied-column",
    "transport",
    *SCHEMES,
)
NUMBERS = {"added": "alpha=dt, beta=1", "leapfrog": "beta=-1"}  # of calls that add to `o`
WITH_AXIS = ("derivative", "mixed", *SCHEMES)
BY_HAND = "np.multiply(c, D(f, out=o), out=o)"
TWO_CALLS = "D.T(np.multiply(c, D(f, out=g), out=g), out=o1)"

# Differentiates the first array, and returns the result: the second array, if it can write to it.
Derivative = Callable[[Array, Array | None], Array]
# Returns one for an axis, a spacing or coordinates, the order of the derivative and its accuracy.
MakeDerivative = Callable[[int, Any, int, int], Derivative]


@dataclass(frozen=True)
class Operation:
    """An operator and the array that it is applied to: one row of the table."""

    kind: str  # "derivative", "laplacian", "step", "mixed" or "curl"; or see `ALONE`
    shape: tuple[int, ...]  # of `f`; for a curl the components are along its first axis
    axis: int = 0  # of "derivative"
    accuracy: int = 2
    spacing: str = "uniform"  # or "coordinates"
    dtype: str = "float64"
    yardstick: str = ADDITION

    @property
    def id(self) -> str:
        parts = ["x".join(map(str, self.shape)), self.dtype, self.kind]
        parts += [f"axis-{self.axis}"] if self.kind in WITH_AXIS else []
        parts += [self.spacing] if self.spacing != "uniform" else []
        parts += ["of-two-calls"] if self.yardstick == TWO_CALLS else []
        return "-".join([*parts, f"accuracy-{self.accuracy}"])

    @property
    def operator(self) -> str:
        """The operator as code for fdx, over the names in `names`."""
        if self.kind in FUNCTIONS:
            return f"fdx.{self.kind}"
        if self.kind in SCHEMES:
            accuracy = f", accuracy={self.accuracy}" if self.accuracy != 2 else ""
            return SCHEMES[self.kind].format(axis=self.axis, accuracy=accuracy)
        if self.kind == "transport":
            return " + ".join(f"fdx.Upwind({k}, c, h)" for k in range(len(self.shape)))
        if self.kind == "mixed":
            return f"{self._diff(self.axis)} @ {self._diff(self.axis + 1)}"
        if self.kind in ("multiplied", "multiplied-column"):
            return f"c * {self._diff(self.axis)}"
        laplacian = " + ".join(self._diff(k, "deriv=2") for k in range(len(self.shape)))
        if self.kind in ("step", "leapfrog"):
            number = "2 * " if self.kind == "leapfrog" else ""
            return f"{number}fdx.Identity() + dt * ({laplacian})"
        return laplacian if self.kind in ("laplacian", "added") else self._diff(self.axis)

    def _diff(self, axis: int, *options: str) -> str:
        if self.accuracy != 2:
            options += (f"accuracy={self.accuracy}",)
        return f"fdx.Diff({', '.join([str(axis), self._spacing_name, *options])})"

    @property
    def title(self) -> str:
        """The operator as a short text."""
        if self.kind in ("laplacian", "step", *NUMBERS, *FUNCTIONS):
            accuracy = f", accuracy={self.accuracy}" if self.accuracy != 2 else ""
            name = {
                "laplacian": "Laplacian",
                "step": "Identity() + dt * Laplacian",
                "added": "o += dt * Laplacian",
                "leapfrog": "o = (2 * Identity() + dt * Laplacian) - o",
            }
            return name.get(self.kind, self.kind) + accuracy
        if self.kind == "solve":
            return f"({self.operator.replace('fdx.', '')}).solve"
        more = {
            "multiplied-column": ", c a column",
            "diffusion": f', D = Diff({self.axis}, h, position="inner")',
        }
        calls = ", of two calls" if self.yardstick == TWO_CALLS else ""
        return self.operator.replace("fdx.", "") + more.get(self.kind, "") + calls

    @property
    def call(self) -> str:
        """The call by which fdx applies it."""
        if self.kind in FUNCTIONS:
            return f"fdx.{self.kind}(f, h, out=o)"
        if self.kind == "solve":
            return "L.solve(f, out=o)"
        return f"L(f, out=o, {NUMBERS[self.kind]})" if self.kind in NUMBERS else "L(f, out=o)"

    @property
    def _spacing_name(self) -> str:
        return "x" if self.spacing == "coordinates" else "h"

    @property
    def grid(self) -> tuple[int, ...]:
        """The shape of one component."""
        return self.shape[1:] if self.kind == "curl" else self.shape

    @property
    def needed_bytes(self) -> int:
        """Memory that measuring takes, by a library that allocates a few temporary arrays."""
        results = {"gradient": 3, "hessian": 9}.get(self.kind, 1)
        return np.dtype(self.dtype).itemsize * (
            (1 + results) * math.prod(self.shape) + 6 * math.prod(self.grid)
        )

    @property
    def step(self) -> Any:
        """The spacing, or the coordinates."""
        return coordinates(self.grid[self.axis]) if self.spacing == "coordinates" else SPACING

    def names(self) -> dict[str, Any]:
        """The names in the operator, its call and its yardstick, other than `np` and `fdx`."""
        f = data(self.shape, self.dtype)
        o, w = outputs(self.shape, self.dtype, self.grid)
        names = {"f": f, "o": o, "w": w, "both": (o, w), self._spacing_name: self.step}
        names |= {"o1": o, "dt": 1e-3}
        if self.kind.startswith("multiplied"):
            names["c"] = 2 * f if self.kind == "multiplied" else 2 * f[:, :1, :1]
            names["D"] = fdx.Diff(self.axis, SPACING)
        if self.kind in ("upwind", "transport"):
            names["c"] = f[::-1].copy()
        if self.kind == "diffusion":
            names["D"] = fdx.Diff(self.axis, SPACING, position="inner")
            names["c"] = 2 + np.sin(names["D"](f))
            names["g"] = np.empty_like(names["c"])
        return names

    def result(self) -> Any:
        """Preallocated memory for a result of several arrays; else None."""
        if self.kind not in ("gradient", "hessian"):
            return None
        first = (len(self.shape),) * (2 if self.kind == "hessian" else 1)
        several = np.full((*first, *self.shape), 0, self.dtype)
        return several if self.kind == "hessian" else tuple(several)


def operations(quick: bool = False, more: bool = False) -> Iterator[Operation]:
    """Every row, in the table's order; rows of one array are adjacent, as only one is kept. `more`:
    also of other kinds and sizes."""
    side, uneven_side = (64, 60) if quick else (256, 250)
    for n in (side, uneven_side):  # rows a power of two apart map to the same cache sets
        cube = (n, n, n)
        for accuracy in (2, 4, 8):
            yield Operation("laplacian", cube, accuracy=accuracy)
        for axis in range(3):
            yield Operation("derivative", cube, axis, 8)
        yield Operation("mixed", cube)
        if n == side:
            for axis in (0, 2):
                yield Operation("derivative", cube, axis, spacing="coordinates")
        if more:
            yield Operation("mixed", cube, 1)
            for kind, accuracy in (("step", 2), ("step", 8), ("added", 2), ("leapfrog", 2)):
                yield Operation(kind, cube, accuracy=accuracy)
            for kind in ("multiplied", "multiplied-column"):
                yield Operation(kind, cube, yardstick=BY_HAND)
            for kind in ("staggered", "biased", "upwind"):
                for axis in (0, 2):
                    yield Operation(kind, cube, axis)
            for axis in (0, 2):
                yield Operation("diffusion", cube, axis)
                yield Operation("diffusion", cube, axis, yardstick=TWO_CALLS)
            yield Operation("transport", cube)
            for axis in range(3):
                for kind, accuracy in (("solve", 2), ("solve", 4), ("compact", 8)):
                    yield Operation(kind, cube, axis, accuracy)
            yield Operation("gradient", cube)
            yield Operation("hessian", cube)
            for kind, accuracy in (("laplacian", 2), ("laplacian", 8), ("mixed", 2), ("step", 2)):
                yield Operation(kind, cube, accuracy=accuracy, dtype="float32")
            yield Operation("gradient", cube, dtype="float32")
        if n == side:
            yield Operation("laplacian", cube, accuracy=4, dtype="float32")
        yield Operation("curl", (3, *cube))
    for n in (16, 24, 40) if quick else (32, 64, 128):
        cube = (n, n, n)
        for kind, accuracy in (
            ("laplacian", 2),
            ("laplacian", 4),
            ("laplacian", 8),
            ("step", 2),
            ("added", 2),
            ("leapfrog", 2),
            ("mixed", 2),
            ("gradient", 2),
        ):
            if more:
                yield Operation(kind, cube, accuracy=accuracy)
        if more and n < 128:
            yield Operation("step", cube, dtype="float32")
    for points in (10, 100, 1000):
        if more:
            yield Operation("derivative", (points,))
    for n in (30, 100):
        if more:
            yield Operation("laplacian", (n, n))
    for n in (64, 256, 1024):
        if more:
            yield Operation("step", (n, n))
    # For a small array most of the time is the call's overhead, which gradient has too.
    yield Operation("laplacian", (10, 10), yardstick="fdx.gradient(f, h, out=both)")


@lru_cache(maxsize=1)
def outputs(shape: tuple[int, ...], dtype: str, grid: tuple[int, ...]) -> tuple[Array, Array]:
    """Preallocated memory: for the result, and for a derivative that is added to it."""
    return np.full(shape, 0, dtype), np.full(grid, 0, dtype)  # np.zeros does not touch the memory


# A statement, and the names in it, other than `np` and `fdx`.
Code = tuple[str, dict[str, Any]]


def applied(operation: Operation) -> Code:
    """An operation by fdx: one call."""
    names = operation.names()
    several = operation.result()
    names["o"] = names["o"] if several is None else several
    operator = eval(operation.operator, {"fdx": fdx, **names})
    return operation.call, {"L": operator, **names}


def composed(make: MakeDerivative, operation: Operation) -> Code:
    """An operation by a library of derivatives: one derivative after the other."""
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
        return along[operation.axis](along[operation.axis + 1](f, w), o)

    def curl() -> Array:
        for k in range(3):
            i, j = (k + 1) % 3, (k + 2) % 3
            np.subtract(along[i](f[j], o[k]), along[j](f[i], w), out=o[k])
        result: Array = o
        return result

    calls = {"derivative": derivative, "laplacian": laplacian, "mixed": mixed, "curl": curl}
    return "call()", {"call": calls[operation.kind]}
