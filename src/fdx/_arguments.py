"""Checks and conversions of arguments, for all functions except `gradient`, which follows NumPy's.

One rule holds for all: an array or a number is used as it is, or an error names the argument and
says what to write instead. What an argument means beyond its numbers (a mask, a unit, labels,
chunks, a graph of gradients) is never dropped silently, not even in a list or in what an object's
``__array__`` returns.
"""

from __future__ import annotations

import array
import contextlib
import math
import numbers
import operator
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple, get_args

import numpy as np

from fdx import _out
from fdx._core import Applicable, computes, even_spacing
from fdx._types import Boundary

Array = np.ndarray[Any, Any]

# In the order of the C core's enumeration.
BOUNDARIES: tuple[Boundary, ...] = get_args(Boundary)
PERIODIC, VALID = BOUNDARIES.index("periodic"), BOUNDARIES.index("valid")
TWICE = " (is the first point stored twice?)"
UNIT = " (in another unit?)"

MAX_NODES = 64  # of one stencil

# The largest relative error of a distance between numbers that a float64 does not hold exactly.
ROUNDED = 2.0**-26


# ---- arrays ----


class Role(NamedTuple):
    """What an argument is used as."""

    expected: str
    without: str  # what to do about masked elements


def filled(value: Array, name: str) -> str:
    if value.ndim == 0:
        return "put numpy.nan there, and what depends on it will be NaN"
    real = name if value.dtype.kind in "fc" else f"{name}.astype(float)"
    return f"pass {real}.filled(numpy.nan), and what depends on them will be NaN"


UNKNOWN = "leave those points out, here and in every array with a value for each point"
DATA = Role("a numpy.ndarray", "")
COEFFICIENTS = Role("real numbers", "")
POINTS = Role("a number or coordinates", UNKNOWN)
NUMBER = Role("a real number", "pass the number that it is")
REALS = Role("real numbers", UNKNOWN)

NUMBERS = frozenset(
    {int, float, complex, Fraction, Decimal}
    | {np.dtype(c).type for c in np.typecodes["AllInteger"] + np.typecodes["AllFloat"]}
)
BUFFERS = (str, bytes, bytearray, memoryview, array.array, range)

# Attributes by which a class tells NumPy or other libraries that it overrides their functions.
PROTOCOLS = (
    "__array_function__",
    "__array_ufunc__",
    "__array_namespace__",
    "__torch_function__",
    "__jax_array__",
    "__dataframe__",
)

# What classes of other packages have in addition to numbers, and how to get the numbers.
OTHER_PACKAGES = {
    "astropy": ("its unit", "{name}.to_value({unit!r})"),
    "cupy": ("its device", "cupy.asnumpy({name})"),
    "dask": ("its chunks", "{name}.compute()"),
    "jax": ("its gradients", "numpy.asarray({name})"),
    "jaxlib": ("its gradients", "numpy.asarray({name})"),
    "pandas": ("its labels or missing values", "{name}.to_numpy()"),
    "pint": ("its unit", "{name}.m_as({unit!r})"),
    "polars": ("its name", "{name}.to_numpy()"),
    "scipy.sparse": ("its sparsity", "{name}.toarray()"),
    "sparse": ("its sparsity", "{name}.todense()"),
    "tensorflow": ("its gradients", "{name}.numpy()"),
    "torch": ("its gradients", "{name}.detach().cpu().numpy()"),
    "unyt": ("its unit", "{name}.to_value({unit!r})"),
    "xarray": ("its labels", "{name}.values"),
}


def of_other_package(value: object, name: str) -> tuple[str, str] | None:
    """What a value of a known package would lose as an array, and what to pass instead."""
    for kind in type(value).__mro__:
        parts = str(kind.__module__).split(".")
        found = OTHER_PACKAGES.get(parts[0]) or OTHER_PACKAGES.get(".".join(parts[:2]))
        if found is not None:
            lost, instead = found
            unit = getattr(value, "units", getattr(value, "unit", None))
            if "unit" in instead and unit is None:  # a unit itself
                return lost, "a number"
            dtype = getattr(value, "dtype", None)
            if hasattr(dtype, "na_value") and getattr(dtype, "kind", "") in "iuf":  # of pandas
                instead = "{name}.to_numpy(float, na_value=numpy.nan)"
            return lost, instead.format(name=name, unit=str(unit))
    return None


def reject_meaning(value: Any, name: str, role: Role, written: str) -> None:
    """Raise an error if a value is more than the numbers that its array would have. `written` is
    how the advice names it."""
    if isinstance(value, Applicable):
        raise TypeError(f"{name}: expected an array, got an operator: A @ B is their product")
    if callable(value):
        raise TypeError(
            f"{name}: expected {role.expected}, got a function, {_out.shown(value)}; fdx "
            "differentiates samples: pass its values at the points (scipy.differentiate takes "
            "functions)"
        )
    if isinstance(value, Mapping):
        which = f", as {name}[{_out.shown(next(iter(value)))}]" if len(value) else ""
        raise TypeError(
            f"{name}: expected {role.expected}, got {_out.name_of_type(value)}, which has arrays "
            f"by name; pass one of them{which}"
        )
    known = of_other_package(value, written)
    if known is None:
        if isinstance(value, np.ndarray):
            known = "what its class adds", f"numpy.asarray({written})"
        elif any(hasattr(type(value), protocol) for protocol in PROTOCOLS):
            known = "what its class adds", f"its data as one, as by numpy.asarray({written})"
    if known is not None:
        raise TypeError(
            f"{name}: expected {role.expected}, got {_out.name_of_type(value)}, which as an array "
            f"would lose {known[0]}; pass {known[1]}"
        )


def unmasked(value: Any, name: str, role: Role, written: str) -> Any:
    """The data of a masked array; an error if an element is masked, as such values are not data."""
    mask = np.ma.getmaskarray(value)
    if mask.dtype != bool or mask.any():
        count = np.count_nonzero(mask) if mask.dtype == bool else "some"
        raise TypeError(
            f"{name}: expected {role.expected}, got a masked array, {count} of {mask.size} masked; "
            + (role.without or filled(value, written))
        )
    return np.ma.getdata(value)


def as_plain(value: Any, name: str, role: Role, written: str = "") -> Array:
    """An argument as a numpy.ndarray or memmap, which is not copied if it is one already."""
    kind = type(value)
    if kind is np.ndarray or kind is np.memmap:
        plain: Array = value
        return plain
    if kind in NUMBERS or isinstance(value, np.generic):
        return np.asarray(value)
    if kind is not list and kind is not tuple:  # which are nothing but their elements
        if isinstance(value, np.ma.MaskedArray):
            data = unmasked(value, name, role, written or name)
            if kind is np.ma.MaskedArray:
                return as_plain(data, name, role, f"numpy.ma.getdata({written or name})")
        reject_meaning(value, name, role, written or name)
    if isinstance(value, Sequence) and not isinstance(value, BUFFERS):
        elements = inside(value, name, role)
        try:
            return np.asarray(elements)
        except ValueError:
            raise ValueError(
                f"{name}: expected sequences of one length, got different lengths"
            ) from None
    try:
        found = np.asanyarray(value)
    except ValueError as error:
        raise ValueError(
            f"{name}: expected {role.expected}, got {_out.name_of_type(value)}, which NumPy cannot "
            f"convert to an array: {error}"
        ) from None
    if type(found) is np.ndarray:
        return found
    return as_plain(found, name, role, f"numpy.asanyarray({name})")  # what `__array__` returned


def inside(values: Sequence[Any], name: str, role: Role) -> Sequence[Any]:
    """A sequence to be converted to an array, with its elements that are not numbers converted."""
    if NUMBERS.issuperset(map(type, values)):
        return values
    found: list[Any] = []
    for k, value in enumerate(values):
        if type(value) not in NUMBERS:
            element = as_plain(value, f"{name}[{k}]", role)
            if element.dtype.kind in "bSU":  # NumPy would convert the numbers, or these, silently
                expected = "numbers" if role is DATA else role.expected
                raise TypeError(f"{name}[{k}]: expected {expected}, got {_out.shown(value)}")
            value = element if element.ndim or element.dtype != object else element[()]
        found.append(value)
    return found


def instead(a: Array, given: Any, name: str, real: bool = True) -> str:
    """What to write instead of an argument of a dtype that is not accepted."""
    value = a[()] if a.ndim == 0 else given
    if isinstance(value, timedelta):
        return f"; write {name}.total_seconds()"
    kind = a.dtype.kind
    first = a.flat[0] if kind == "O" and a.ndim and a.size else None
    if isinstance(first, (date, timedelta)):
        kind = "m" if isinstance(first, timedelta) else "M"
        name = f"numpy.asarray({name}, '{kind}8[us]')"
    elif a.ndim and not isinstance(given, np.ndarray) and kind in "mM":
        name = f"numpy.asarray({name})"
    if kind == "m":
        return f"; write {name} / numpy.timedelta64(1, 's') for seconds"
    if kind == "M" or isinstance(value, (date, time)):
        return f"; write ({name} - {name}[0]) / numpy.timedelta64(1, 's') for seconds"
    if isinstance(value, (Iterator, set, frozenset)):
        return f"; pass list({name})"
    wanted = "complex" if a.dtype.kind == "c" else "float"
    if a.ndim > 0 and a.dtype.kind in ("bfO" if real else "bfcO"):
        is_array = isinstance(given, np.ndarray)
        cast = f"{name}.astype({wanted})" if is_array else f"numpy.asarray({name}, {wanted})"
        return f"; pass {cast}" + (", if it holds numbers" if a.dtype == object else "")
    return ""


def got(a: Array, given: Any) -> str:
    is_object = a.dtype == object and a.ndim == 0
    return _out.name_of_type(given) if is_object else f"{a.dtype}"


def as_array(f: Any, name: str = "f") -> Array:
    """An argument as an array of a dtype that the C core computes."""
    a = f if type(f) is np.ndarray else as_plain(f, name, DATA)
    if not computes(a):
        raise TypeError(
            f"{name}: expected integers, float32, float64, complex64 or complex128, "
            f"got {got(a, f)}{instead(a, f, name, real=False)}"
        )
    if a.ndim == 0:
        raise ValueError(f"{name}: expected an array of at least one dimension, got a scalar")
    return a


def result_dtype(f: Array) -> np.dtype[Any]:
    return f.dtype if f.dtype.kind in "fc" else np.dtype(np.float64)


# ---- real numbers ----


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
            f"{name}: expected a real number, got {_out.shown(value)}{instead(a, value, name)}"
        )
    number = as_float(given)
    if not math.isfinite(number) or number == 0:
        rounded = not math.isnan(number) and bool(given != 0 and abs(given) != math.inf)
        raise ValueError(
            f"{name}: expected a finite number other than 0, got {_out.shown(value)}"
            + rounded * ", which a float64 cannot hold"
        )
    return number


def check_coefficients(value: Any) -> float | Array:
    """A number, or an array for multiplication point by point, which is not copied."""
    name = "coefficients"
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
        raise ValueError(f"{name}: expected a finite number, got {_out.shown(value)}")
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


# ---- coordinates ----


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
    lost = abs(exactly(period) - exactly(np.asarray(given)[()]))
    if lost > ROUNDED * abs(signed - span):
        raise ValueError(
            f"period: expected a number whose difference to what the coordinates span, "
            f"{abs(span)}, a float64 holds, got {_out.shown(given)}"
        )
    return signed


# ---- integers and names ----


def as_index(value: Any) -> int | None:
    """An integer, or None for anything else, such as booleans and arrays with a mask or a unit."""
    if isinstance(value, (bool, np.bool_)):
        return None
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray:
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def check_integer(value: Any, name: str, expected: str, least: int) -> int:
    number = as_index(value)
    if number is None:
        raise TypeError(f"{name}: expected {expected}, got {_out.shown(value)}")
    if number < least:
        raise ValueError(f"{name}: expected {expected}, got {_out.shown(number)}")
    return number


def check_shape(shape: Any) -> tuple[int, ...]:
    """A shape of which arrays of float64 and complex128 fit the address space."""
    given = shape if isinstance(shape, (tuple, list)) else (shape,)
    found = tuple(
        check_integer(n, "shape", "an integer or a tuple of integers from 0 on", 0) for n in given
    )
    if math.prod(n or 1 for n in found) > sys.maxsize // 16:
        raise ValueError(
            f"shape: expected an array that fits the address space, got {_out.shown(shape)}"
        )
    return found


def check_axis(axis: Any, ndim: int) -> int:
    number = axis if type(axis) is int else as_index(axis)
    if number is None:
        raise TypeError(f"axis: expected an integer, got {_out.shown(axis)}")
    return in_range(number, ndim)


def in_range(axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return axis % ndim


def check_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes given by an integer, a sequence of integers, or None, which means all."""
    if axis is None:
        return tuple(range(ndim))
    number = as_index(axis)
    if number is not None:
        return (in_range(number, ndim),)
    found: list[int | None] = [None]
    with contextlib.suppress(TypeError):  # where nothing can be iterated over
        found = [as_index(one) for one in axis]
    if None in found:
        raise TypeError(f"axis: expected an integer, or a tuple of them, got {_out.shown(axis)}")
    axes = tuple(in_range(one, ndim) for one in found if one is not None)
    if not axes:
        raise ValueError("axis: expected at least one axis, got ()")
    if len(set(axes)) < len(axes):
        raise ValueError(f"axis: expected different axes, got {_out.shown(axis)}")
    return axes


# Names of boundaries in other libraries: those that mean the same as one here, ...
SAME = {
    "antireflect": "reflect-odd",
    "circular": "periodic",
    "cyclic": "periodic",
    "grid-mirror": "symmetric",
    "grid-wrap": "periodic",
    "interp": "one-sided",
    "mirror": "reflect",
    "onesided": "one-sided",
    "wrap": "periodic",
}
# ... and those for which there is advice.
WALL = (
    "where the slope at a wall is 0, 'reflect' has the wall at the last point, 'symmetric' half a "
    "spacing outside of it"
)
FIXED = (
    "where the value at a wall is fixed, 'reflect-odd' has the wall at the last point, which has "
    "that value; for a wall elsewhere pad f with the values outside, and use 'valid'"
)
FILL = (
    "pad f with the values outside, as by numpy.pad(f, r), and use 'valid', which removes r points"
)
EDGE = (
    "pad f with its last values, by numpy.pad(f, r, mode='edge'), and use 'valid', which removes "
    "r points"
)
ADVICE = {
    "constant": FILL,
    "dirichlet": FIXED,
    "edge": EDGE,
    "extend": EDGE,
    "fill": FILL,
    "grid-constant": FILL,
    "nearest": EDGE,
    "neumann": WALL,
    "replicate": EDGE,
    "zero": FILL,
    "zeros": FILL,
}


def boundary_hint(name: str) -> str:
    usual = name.lower().replace("_", "-").replace(" ", "-")
    if usual in BOUNDARIES:
        return f"; write {usual!r}"
    if usual in SAME:
        return f"; what others call {name!r} is {SAME[usual]!r} here"
    return f"; {ADVICE[usual]}" if usual in ADVICE else ""


def check_boundary(boundary: Any) -> tuple[int, int]:
    """Numbers of the left and the right boundary."""
    pair = boundary if isinstance(boundary, tuple) else (boundary, boundary)
    if len(pair) != 2 or not all(isinstance(side, str) and side in BOUNDARIES for side in pair):
        expected = ", ".join(map(repr, BOUNDARIES))
        unknown = [side for side in pair if isinstance(side, str) and side not in BOUNDARIES]
        raise ValueError(
            f"boundary: expected one of {expected}, or a pair of these as a tuple (left, right), "
            f"got {_out.shown(boundary)}"
            + (boundary_hint(unknown[0]) if unknown else "")
            + isinstance(boundary, list) * " (a list is for functions of several axes)"
        )
    left, right = (BOUNDARIES.index(side) for side in pair)
    if (left == PERIODIC) != (right == PERIODIC):
        raise ValueError(
            f"boundary: expected 'periodic' on both sides or on neither, got {boundary!r} as the "
            "left and the right one (for several axes a list has one for each)"
        )
    return left, right


@contextlib.contextmanager
def numbered_errors(k: int, names: Sequence[str]) -> Generator[None]:
    """Errors about the k-th of several arguments of one name get its number."""
    try:
        yield
    except (TypeError, ValueError) as error:
        name, _, rest = str(error).partition(":")
        if name not in names or type(error) not in (TypeError, ValueError):
            raise
        raise type(error)(f"{name}[{k}]:{rest}") from None
