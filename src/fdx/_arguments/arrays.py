"""Arguments as arrays."""

from __future__ import annotations

import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from fdx._common.text import name_of_type, shown
from fdx._core import Applicable, computes

Array = np.ndarray[Any, Any]


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
            f"{name}: expected {role.expected}, got a function, {shown(value)}; fdx "
            "differentiates samples: pass its values at the points (scipy.differentiate takes "
            "functions)"
        )
    if isinstance(value, Mapping):
        which = f", as {name}[{shown(next(iter(value)))}]" if len(value) else ""
        raise TypeError(
            f"{name}: expected {role.expected}, got {name_of_type(value)}, which has arrays "
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
            f"{name}: expected {role.expected}, got {name_of_type(value)}, which as an array "
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
            f"{name}: expected {role.expected}, got {name_of_type(value)}, which NumPy cannot "
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
                raise TypeError(f"{name}[{k}]: expected {expected}, got {shown(value)}")
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
    return name_of_type(given) if is_object else f"{a.dtype}"


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


def fields_of(F: Any, name: str, spacing: Sequence[Any] = ()) -> Any:
    """The fields of an argument, as the components of a vector: a sequence of arrays, or one array
    with them along its first axis. All have one shape and result dtype. `spacing`: the arguments
    after it, which are no fields."""
    whole: Array | None = None
    if isinstance(F, np.ndarray) and any(isinstance(h, np.ndarray) and h.ndim > 1 for h in spacing):
        raise TypeError(
            f"{name}: expected all components in one argument, got arrays one after the other; "
            "write [u, v] for u, v"
        )
    if isinstance(F, (list, tuple)):
        found = [as_array(a, f"{name}[{k}]") for k, a in enumerate(F)]
        if not found:
            raise ValueError(f"{name}: expected at least one component, got none")
    else:
        whole = as_array(F, name)
        if whole.ndim < 2:
            raise ValueError(
                f"{name}: expected a sequence of arrays, or one with the components along its "
                f"first axis, got an array of shape {whole.shape}"
            )
        found = list(whole)
        if not found:
            raise ValueError(f"{name}: expected at least one component, got shape {whole.shape}")
    for k, a in enumerate(found):
        if a.shape != found[0].shape:
            raise ValueError(
                f"{name}[{k}]: expected the shape of {name}[0], {found[0].shape}, got {a.shape}"
            )
        if result_dtype(a).newbyteorder("=") != result_dtype(found[0]).newbyteorder("="):
            raise TypeError(
                f"{name}[{k}]: expected the dtype of {name}[0], {found[0].dtype}, got {a.dtype}"
            )
    # An array is split into components later, when no code of other arguments can resize it.
    return found if whole is None else whole
