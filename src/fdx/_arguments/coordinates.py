"""Spacings, coordinates and periods of axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fdx._arguments.arrays import POINTS, as_plain, instead
from fdx._arguments.reals import (
    elementwise,
    exactly,
    first_false,
    holds,
    is_real,
    nearest,
    with_large_integers,
)
from fdx._common.text import shown
from fdx._core import even_spacing

Array = np.ndarray[Any, Any]

TWICE = " (is the first point stored twice?)"
UNIT = " (in another unit?)"

LONGEST_PERIOD = 8  # so that degrees are not taken for radians, nor hours for days

# The largest relative error of a distance between numbers that a float64 does not hold exactly.
ROUNDED = 2.0**-26


def as_spacing(value: Any, name: str) -> Any:
    """A number as it is, or an array, which may be coordinates."""
    a = as_plain(value, name, POINTS)
    return a if a.ndim else value


def check_coordinates(given: Any, plain: Array, name: str = "spacing") -> tuple[Array, float]:
    """Coordinates as read-only float64, strictly increasing or decreasing, and the relative
    rounding error of their dtype; `plain` is `given` as an array.

    Derivatives depend only on differences of coordinates. Where a float64 does not hold them
    exactly, as for long doubles and large integers, the first coordinate is subtracted from all, if
    a float64 then holds their distances.
    """
    a = with_large_integers(plain, given)
    real = a.dtype.kind in "iuf" or (a.dtype == object and all(map(is_real, a.flat)))
    if not real or a.ndim != 1:
        raise TypeError(
            f"{name}: expected a number or 1-D coordinates, real, got an array of dtype {a.dtype} "
            f"and shape {a.shape}" + (instead(a, given, name) if a.ndim == 1 else "")
        )
    if len(a) < 2:
        raise ValueError(f"{name}: expected at least 2 coordinates, got {len(a)}")
    a = a.astype(a.dtype.newbyteorder("="), copy=False)
    x, eps = nearest(a), precision_of(a)
    if not np.isfinite(x).all():
        (i,) = first_false(np.isfinite(x))
        raise ValueError(f"{name}: expected finite coordinates, got {a[i]} at [{i}]")
    if a.dtype == object:
        a = elementwise(exactly, a)
    rising = np.asarray(a[1:] > a[:-1] if a[1] > a[0] else a[1:] < a[:-1], dtype=bool)
    if not rising.all():
        (i,) = first_false(rising)
        raise ValueError(
            f"{name}: expected strictly increasing or decreasing coordinates, "
            f"got {a[i]} and {a[i + 1]} at [{i}] and [{i + 1}]; {why_not_monotonic(x, name)}"
        )
    if not holds(x, a).all():
        offsets = less_the_first(a)
        x, eps = nearest(offsets), float(np.finfo(np.float64).eps)
        apart = nearest(offsets[1:] - offsets[:-1])
        kept = abs(np.diff(x) - apart) <= ROUNDED * abs(apart)
        if not kept.all():
            (i,) = first_false(kept)
            raise ValueError(
                f"{name}: expected coordinates whose distances a float64 holds after the first one "
                f"is subtracted, got {a[i]} and {a[i + 1]} at [{i}] and [{i + 1}], and {a[0]} at "
                "[0]; differentiate shorter parts of the axis"
            )
    x.flags.writeable = False
    return x, eps


def less_the_first(a: Array) -> Array:
    """The first number subtracted from all, in their precision or exactly."""
    if a.dtype.kind == "f":
        return np.asarray(a - a[0])
    if a.dtype != object:
        if abs(float(a[-1]) - float(a[0])) < 2.0**62:
            return np.asarray((a - a[0]).view(np.int64))  # decreasing unsigned ones, modulo 2**64
        a = a.astype(np.object_)
    return np.asarray(a - a[0])


def is_monotonic(x: Array) -> bool:
    steps = np.diff(x)
    return bool((steps > 0).all() or (steps < 0).all())


def why_not_monotonic(x: Array, name: str) -> str:
    """The probable reason why coordinates are not monotonic, and what to write instead."""
    steps = np.diff(x)
    if not steps.any():
        return "if this is the distance between all points, pass this number"
    if (steps >= 0).all() or (steps <= 0).all():
        return "of two points with the same coordinate leave one out, or take their mean"
    span = float(x.max() - x.min())
    for period, text in ((360.0, "360"), (2 * math.pi, "2 * numpy.pi"), (24.0, "24")):
        if span <= period and is_monotonic(np.unwrap(x, period=period)):
            return f"where angles or hours wrap around, pass numpy.unwrap({name}, period={text})"
    turn = int(np.argmin(x))
    if (
        x[turn] >= 0
        and 0 < turn < len(x) - 1
        and all(is_monotonic(part) for part in (x[: turn + 1], x[turn:]))
    ):
        return "is a minus sign missing on one side (south, west, below)?"
    distances = bool((steps != 0).all()) and bool((x > 0).all() or (x < 0).all())
    return (
        f"sort the points, by order = numpy.argsort({name}) for coordinates and values alike"
        + distances * f"; or, if these are distances between points, pass numpy.cumsum({name})"
        + "; or are values and coordinates swapped?"
    )


def precision_of(given: Any) -> float:
    """The relative rounding error of the dtype of a number or array."""
    dtype = np.asarray(given).dtype
    if dtype.kind != "f":
        return 0.0
    return float(np.finfo(dtype if dtype.itemsize < 8 else np.float64).eps)


def rounding_of(x: Array, eps: float) -> float:
    """The largest rounding error that coordinates may have, computed in the precision `eps`."""
    h = float((x[-1] - x[0]) / (len(x) - 1))
    # Twice the error of the usual formulas, such as numpy.deg2rad(numpy.linspace(...)).
    return min(4 * eps * float(max(abs(x[0]), abs(x[-1]))), abs(h) / 1000)


def check_period(x: Array, period: float | None, eps: float, given: Any) -> float:
    """The period, with the sign of the coordinates' direction. It has to be longer than the
    coordinates' span; `given` is the period before rounding to float64, `eps` as in
    `rounding_of`."""
    if period is None:
        raise ValueError(
            "period: expected the length of the axis, as coordinates do not tell the distance "
            "from the last point to the first, got None"
        )
    n, span = len(x), float(x[-1] - x[0])
    signed, h = math.copysign(period, span), span / (n - 1)
    rounding = max(rounding_of(x, eps), min(4 * precision_of(given) * abs(period), abs(h) / 4))
    # A distance across the ends that is negligible, as by rounded sums of distances, counts as 0.
    twice = abs(span - signed) <= max(rounding, float(abs(np.diff(x)).min()) / 1000)
    if twice or not abs(signed) > abs(span):
        far = abs(signed) < abs(span) / 2
        raise ValueError(
            f"period: expected more than the coordinates span, {abs(span)}, got {period}"
            + (twice * TWICE or far * UNIT)
        )
    if n > 2 and abs(signed) > 2 * abs(n * h) and even_spacing(x, math.inf) is not None:
        raise ValueError(
            f"period: expected {abs(n * h)} for {n} coordinates of spacing {abs(h)}, or at most "
            f"twice that, if there is a gap from the last to the first, got {period}" + UNIT
        )
    widest = float(abs(np.diff(x)).max())
    longest = LONGEST_PERIOD * (abs(span) + widest)
    if abs(signed) > longest:
        raise ValueError(
            f"period: expected at most {longest}, {LONGEST_PERIOD} times the coordinates' span "
            f"plus their widest distance, got {period}" + UNIT
        )
    lost = abs(exactly(period) - exactly(np.asarray(given)[()]))
    if lost > ROUNDED * abs(signed - span):
        raise ValueError(
            f"period: expected a number whose difference to what the coordinates span, "
            f"{abs(span)}, a float64 holds, got {shown(given)}"
        )
    return signed
