"""How many additions does a derivative cost with short rows, other layouts, or mixed precision?

Ratios only, measured as in gradient.py: the yardstick has the same layout, so that a view slows it
down as it does a derivative. All arrays fit the second-level cache, where slow loops show most.
"""

import numpy as np

import fdx

from .gradient import placed, ratio

SIDE = 32
ELEMENTS = 24_576  # divisible by each of POINTS
POINTS = [2, 3, 4, 8, 256]


def numbers(*shape, dtype="float64"):
    rng = np.random.default_rng(0)
    return placed(np.resize(100 * rng.standard_normal(5003), shape).astype(dtype))


def coordinates(points, dtype="float64"):
    return np.cumsum(np.random.default_rng(1).uniform(0.5, 1.5, points)).astype(dtype)


def additions(f, h, axis):
    """The cost of the derivative of `f` in additions, both into preallocated memory."""
    out = placed(np.zeros_like(f), lines=33)
    return ratio(
        lambda: fdx.gradient(f, h, axis=axis, out=out),
        lambda: np.add(f, f, out=out),
    )


class Rows:
    """Many rows, differentiated along themselves: the components of vectors, or short signals."""

    params = (POINTS, ["float32", "float64"], ["uniform", "coordinates"])
    param_names = ("points", "dtype", "spacing")
    unit = "additions"

    def track_gradient(self, points, dtype, spacing):
        f = numbers(ELEMENTS // points, points, dtype=dtype)
        return additions(f, coordinates(points, dtype) if spacing == "coordinates" else 0.1, -1)


class Views:
    """Fortran order, a permutation that is not a reversal, every other element of each axis."""

    params = (["Fortran", "permuted", "every other"], [0, 1, 2])
    param_names = ("layout", "axis")
    unit = "additions"

    def track_gradient(self, layout, axis):
        if layout == "Fortran":
            f = numbers(SIDE, SIDE, SIDE).T
        elif layout == "permuted":
            f = numbers(SIDE, SIDE, SIDE).transpose(1, 2, 0)
        else:
            f = numbers(2 * SIDE, 2 * SIDE, 2 * SIDE)[::2, ::2, ::2]
        return additions(f, 0.1, axis)


class MixedPrecision:
    """float32 with spacing in float64: as in NumPy, divided in float64 and rounded to float32."""

    params = ([0, 2], ["uniform", "coordinates"])
    param_names = ("axis", "spacing")
    unit = "additions"

    def track_gradient(self, axis, spacing):
        f = numbers(SIDE, SIDE, SIDE, dtype="float32")
        h = coordinates(SIDE) if spacing == "coordinates" else np.float64(0.1)
        return additions(f, h, axis)
