"""Real numbers of any type, and float64s that are near or equal to them."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from fdx._arguments.arrays import COEFFICIENTS, NUMBER, REALS, as_plain, got, instead
from fdx._common.text import shown

Array = np.ndarray[Any, Any]


def is_real(value: Any) -> bool:
    """Is it a real number? (Booleans and times are not.)"""
    return isinstance(value, (numbers.Real, Decimal)) and not isinstance(
        value, (bool, np.bool_, np.timedelta64)
    )


def as_float(number: Any) -> float:
    """The float64 nearest to a real number."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
    except ValueError:  # a signaling NaN
        return math.nan


def exactly(number: Any) -> Fraction:
    """A finite real number of any type, as a fraction."""
    if isinstance(number, np.floating):
        return Fraction(*number.as_integer_ratio())
    if isinstance(number, numbers.Integral):
        return Fraction(int(number))
    return Fraction(number)


def elementwise(function: Callable[[Any], Any], a: Array) -> Array:
    return np.asarray(np.frompyfunc(function, 1, 1)(a), dtype=object)


def nearest(a: Array) -> Array:
    """Real numbers as a new array of float64, which may be infinite."""
    with np.errstate(all="ignore"):
        return np.array(a if a.dtype != object else elementwise(as_float, a), np.float64, order="C")


def holds(x: Array, a: Array) -> Array:
    """Which numbers of `a` equal their nearest float64s, which are `x`, exactly."""
    if a.dtype.kind == "f":
        return np.asarray(x == a)
    if a.dtype != object:
        near = np.asarray(abs(x) < 2.0**62)  # a comparison of integers and floats rounds
        if near.all():  # so that both convert to int64
            return np.asarray(x.astype(np.int64) == a.astype(np.int64))
    return np.asarray(x.astype(object) == elementwise(exactly, a), dtype=bool)


def with_large_integers(a: Array, given: Any) -> Array:
    """The array of a list, of dtype object if NumPy may have rounded large integers: it does so if
    there are floats too, or if no integer dtype holds all of them."""
    if isinstance(given, (list, tuple)) and a.dtype == np.float64 and (abs(a) >= 2.0**53).any():
        objects = np.array(given, dtype=object)
        if any(isinstance(number, numbers.Integral) for number in objects.flat):
            return objects
    return a


def check_number(value: Any, name: str) -> float:
    """A finite real number other than 0, rounded to a float64."""
    a = as_plain(value, name, NUMBER)
    if a.ndim:
        raise TypeError(f"{name}: expected a real number, got an array of shape {a.shape}")
    given = a[()]
    if not is_real(given):
        raise TypeError(
            f"{name}: expected a real number, got {shown(value)}{instead(a, value, name)}"
        )
    number = as_float(given)
    if not math.isfinite(number) or number == 0:
        rounded = not math.isnan(number) and bool(given != 0 and abs(given) != math.inf)
        raise ValueError(
            f"{name}: expected a finite number other than 0, got {shown(value)}"
            + rounded * ", which a float64 cannot hold"
        )
    return number


def check_real(value: Any, name: str) -> float:
    """A finite real number, rounded to a float64."""
    a = as_plain(value, name, NUMBER)
    if a.ndim == 0 and not is_real(a[()]):
        raise TypeError(
            f"{name}: expected a real number, got {shown(value)}{instead(a, value, name)}"
        )
    found = check_coefficients(value, name)
    if isinstance(found, np.ndarray):
        raise TypeError(f"{name}: expected a real number, got an array of shape {found.shape}")
    return found


def check_coefficients(value: Any, name: str = "coefficients") -> float | Array:
    """A number, or an array for multiplication point by point, which is not copied."""
    a = as_plain(value, name, COEFFICIENTS)
    real = is_real(a[()]) if a.ndim == 0 else a.dtype.kind in "iuf" and a.dtype.char not in "eg"
    if not real:
        raise TypeError(
            f"{name}: expected real numbers (integers, float32 or float64), "
            f"got {got(a, value)}{instead(a, value, name)}"
        )
    if a.ndim > 0:
        return a
    number = as_float(a[()])
    if not math.isfinite(number):
        raise ValueError(f"{name}: expected a finite number, got {shown(value)}")
    return number


def check_exact(value: Any, name: str) -> Array:
    """Finite real numbers of any type."""
    a = with_large_integers(as_plain(value, name, REALS), value)
    if a.dtype.kind not in "iuf" and not (a.dtype == object and all(map(is_real, a.flat))):
        raise TypeError(
            f"{name}: expected real numbers, got {got(a, value)}{instead(a, value, name)}"
        )
    finite = np.asarray(np.isfinite(a if a.dtype != object else nearest(a)))
    if not finite.all():
        at = first_false(finite)
        raise ValueError(f"{name}: expected finite numbers, got {element(name, at)} = {a[at]}")
    return a


def as_doubles(a: Array) -> Array | None:
    """Finite real numbers as float64, if that is exact; else None."""
    if a.dtype == np.float64 and a.dtype.isnative and a.flags.c_contiguous and a.flags.aligned:
        return a
    x = nearest(a)
    return x if holds(x, a).all() else None


def first_false(where: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(np.argmin(where)), where.shape))


def element(name: str, index: Iterable[int]) -> str:
    where = ", ".join(map(str, index))
    return f"{name}[{where}]" if where else name


def check_waves(value: Any, name: str) -> Array:
    """Wavenumbers."""
    a = as_plain(value, name, COEFFICIENTS)
    if a.ndim == 0 and is_real(a[()]):
        return np.asarray(as_float(a[()]))
    if a.dtype.kind not in "iuf":
        raise TypeError(
            f"{name}: expected real wavenumbers, got {got(a, value)}{instead(a, value, name)}"
        )
    return a.astype(np.float64)
