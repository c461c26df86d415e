"""What arguments have to be, for every function but `gradient`, which takes what NumPy's does."""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any, get_args

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from fdx import _out
from fdx._core import Applicable, computes
from fdx._types import Boundary

Array = np.ndarray[Any, Any]

# In the order of the C core's enumeration.
BOUNDARIES: tuple[Boundary, ...] = get_args(Boundary)
PERIODIC, VALID = BOUNDARIES.index("periodic"), BOUNDARIES.index("valid")
ELSEWHERE = {"wrap": "periodic", "circular": "periodic", "mirror": "reflect"}  # as SciPy, PyTorch
TWICE = " (is the first point there twice?)"
UNIT = " (in another unit?)"


def reject_masked(value: Any, name: str) -> None:
    """What is under a mask would be taken for data."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name}: expected a numpy.ndarray, got a masked array; "
            f"pass {name}.filled(...), with NaN where derivatives should be unknown"
        )


def as_array(f: Any, name: str = "f") -> Array:
    """The array that the C core computes from, or an error that says what to pass instead."""
    if not isinstance(f, np.ndarray):
        if not isinstance(f, np.generic) and hasattr(type(f), "__array_function__"):
            raise TypeError(
                f"{name}: expected a numpy.ndarray, got {_out.name_of_type(f)}; "
                f"pass its data as one, as by numpy.asarray({name})"
            )
        if isinstance(f, Applicable):
            raise TypeError(f"{name}: expected an array, got an operator: A @ B is their product")
        f = np.asarray(f)
    reject_masked(f, name)
    if type(f) not in (np.ndarray, np.memmap):
        raise TypeError(
            f"{name}: expected a numpy.ndarray, got {_out.name_of_type(f)}, which would lose what "
            f"it has more than one; pass numpy.asarray({name})"
        )
    if not computes(f):
        raise TypeError(
            f"{name}: expected integers, float32, float64, complex64 or complex128, got {f.dtype}"
        )
    if f.ndim == 0:
        raise ValueError(f"{name}: expected an array of at least one dimension, got a scalar")
    checked: Array = f
    return checked


def result_dtype(f: Array) -> np.dtype[Any]:
    return f.dtype if f.dtype.kind in "fc" else np.dtype(np.float64)


def check_integer(value: Any, name: str, expected: str, least: int) -> int:
    try:
        number = operator.index(value) if not isinstance(value, (bool, np.bool_)) else None
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{name}: expected {expected}, got {value!r}")
    if number < least:
        raise ValueError(f"{name}: expected {expected}, got {number}")
    return number


def check_boundary(boundary: Any) -> tuple[int, int]:
    """Numbers of the left and the right boundary."""
    pair = boundary if isinstance(boundary, tuple) else (boundary, boundary)
    if len(pair) != 2 or not all(isinstance(side, str) and side in BOUNDARIES for side in pair):
        expected = ", ".join(map(repr, BOUNDARIES))
        known = [side for side in pair if isinstance(side, str) and side in ELSEWHERE]
        raise ValueError(
            f"boundary: expected one of {expected}, or a pair of these as a tuple (left, right), "
            f"got {boundary!r}"
            + (f"; what others call {known[0]!r} is {ELSEWHERE[known[0]]!r} here" if known else "")
            + isinstance(boundary, list) * " (a list is for functions of several axes)"
        )
    left, right = (BOUNDARIES.index(side) for side in pair)
    if (left == PERIODIC) != (right == PERIODIC):
        raise ValueError(
            f"boundary: expected 'periodic' on both sides or on neither, got {boundary!r} as the "
            "left and the right one (for several axes a list has one for each)"
        )
    return left, right


def check_number(value: Any, name: str) -> float:
    """A finite real number other than 0."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (bool, np.bool_, np.timedelta64)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: expected a real number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number == 0:
        raise ValueError(f"{name}: expected a finite number other than 0, got {value!r}")
    return number


def check_coordinates(spacing: Any) -> Array:
    """Coordinates as read-only float64, strictly rising or falling."""
    reject_masked(spacing, "spacing")
    given = np.asarray(spacing)
    if given.dtype.kind not in "iuf" or given.ndim != 1:
        raise TypeError(
            "spacing: expected a number or 1-D coordinates, real, "
            f"got an array of dtype {given.dtype} and shape {given.shape}"
        )
    x = np.array(given, np.float64, order="C")
    if given.dtype.kind in "iu" and (abs(x) > 2.0**53).any():
        raise ValueError(
            "spacing: expected integer coordinates up to 2**53, as a float64 holds no larger ones "
            "exactly; subtract the first one"
        )
    if len(x) < 2:
        raise ValueError(f"spacing: expected at least 2 coordinates, got {len(x)}")
    if not np.isfinite(x).all():
        i = int(np.argmin(np.isfinite(x)))
        raise ValueError(f"spacing: expected finite coordinates, got {x[i]} at [{i}]")
    rising = x[1:] > x[:-1] if x[1] > x[0] else x[1:] < x[:-1]
    if not rising.all():
        i = int(np.argmin(rising))
        raise ValueError(
            "spacing: expected coordinates that rise, or fall, throughout (distances between "
            f"points? then np.cumsum), got {x[i]} and {x[i + 1]} at [{i}] and [{i + 1}]"
        )
    x.flags.writeable = False
    return x


def precision_of(given: Any) -> float:
    """The relative rounding of the dtype that a number or array came in."""
    dtype = np.asarray(given).dtype
    if dtype.kind != "f":
        return 0.0
    return float(np.finfo(dtype if dtype.itemsize < 8 else np.float64).eps)


def rounding_of(x: Array, given: Any) -> float:
    """How far coordinates may be from where they should, as they came in."""
    eps = precision_of(given)
    h = float((x[-1] - x[0]) / (len(x) - 1))
    # Twice that of the formulas by which they are made, such as numpy.deg2rad(numpy.linspace(...)).
    return min(4 * eps * float(max(abs(x[0]), abs(x[-1]))), abs(h) / 1000)


def even_spacing(x: Array, rounding: float) -> float | None:
    """The distance between coordinates that are even but for rounding."""
    n = len(x)
    h = float((x[-1] - x[0]) / (n - 1))
    block = 4096  # as uneven ones show it soon, and what is in cache is there sooner
    for start in range(0, n, block):
        here = x[start : start + block]
        expected = h * np.arange(start, start + len(here))
        if not (abs((here - x[0]) - expected) <= rounding).all():
            return None
    return h


def as_finite(value: Any) -> float:
    """A real number, if it is finite."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf if value > 0 else -math.inf
    if not math.isfinite(number):
        raise ValueError(f"coefficients: expected a finite number, got {number}")
    return number


def check_shape(shape: Any) -> tuple[int, ...]:
    given = shape if isinstance(shape, (tuple, list)) else (shape,)
    return tuple(
        check_integer(n, "shape", "an integer or a tuple of integers from 0 on", 0) for n in given
    )


def check_period(x: Array, period: float | None, rounding: float, given: Any) -> tuple[float, bool]:
    """The period in the direction of the coordinates, which it has to be longer than, and whether
    even ones are at the same distance across the ends. `given` is the period as it came in."""
    if period is None:
        raise ValueError(
            "period: expected the length of the axis, as coordinates do not tell the distance "
            "from the last point to the first, got None"
        )
    n, span = len(x), float(x[-1] - x[0])
    signed, h = math.copysign(period, span), span / (n - 1)
    rounding = max(rounding, min(4 * precision_of(given) * abs(period), abs(h) / 4))
    # A seam that is nothing beside the other distances, as of sums of rounded ones, is none.
    twice = abs(span - signed) <= max(rounding, float(abs(np.diff(x)).min()) / 1000)
    if twice or not abs(signed) > abs(span):
        far = abs(signed) < abs(span) / 2
        raise ValueError(
            f"period: expected more than the coordinates span, {abs(span)}, got {period}"
            + (twice * TWICE or far * UNIT)
        )
    if n > 2 and abs(signed) > 2 * abs(n * h) and even_spacing(x, abs(h) / 1000) is not None:
        raise ValueError(
            f"period: expected {abs(n * h)} of {n} coordinates at a distance of {abs(h)}, or at "
            f"most twice that, if there is a gap from the last to the first, got {period}" + UNIT
        )
    return signed, abs(n * h - signed) <= 2 * rounding


def check_axis(axis: Any, ndim: int) -> int:
    if isinstance(axis, (bool, np.bool_)) or not hasattr(axis, "__index__"):
        raise TypeError(f"axis: expected an integer, got {axis!r}")
    return normalize_axis_index(axis.__index__(), ndim)
