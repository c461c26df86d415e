"""np.gradient for calls that the compiled core does not compute, with `out=`."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np

from fdx._common import outputs

# Saved at import: np.gradient may later be replaced by fdx's.
numpy_gradient = np.gradient

# The function that np.gradient calls when no argument's class overrides it.
numpy_function: Any = getattr(np.gradient, "_implementation", np.gradient)
# Its code as NumPy has it, also while another copy of fdx patches it: see _patch.
numpy_code: Any = getattr(numpy_function, "_before_fdx", getattr(numpy_function, "__code__", None))


def _copy_of_numpy_function() -> Any:
    if not isinstance(numpy_function, FunctionType):
        return numpy_function
    copy = FunctionType(
        numpy_code,
        numpy_function.__globals__,
        numpy_function.__name__,
        numpy_function.__defaults__,
        numpy_function.__closure__,
    )
    copy.__kwdefaults__ = numpy_function.__kwdefaults__
    return copy


_numpy_function = _copy_of_numpy_function()  # keeps NumPy's code while np.gradient is patched


def _overrides(a: Any) -> bool:
    """Does NumPy dispatch np.gradient to its class?"""
    plain = np.ndarray.__array_function__
    return getattr(type(a), "__array_function__", plain) is not plain


def gradient(f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, out: Any) -> Any:
    """np.gradient's result, copied to `out` if that is given."""
    # Without dispatch, a patched np.gradient must not count this as another call.
    compute = numpy_gradient if any(map(_overrides, (f, *varargs))) else _numpy_function
    result = compute(f, *varargs, axis=axis, edge_order=edge_order)
    if out is None:
        return result
    outputs.store(result, out)
    return out


def undispatched(f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, why: str) -> Any:
    """The result of NumPy's code, whether np.gradient is patched or not, without dispatch to
    classes: the caller is past that."""
    return _numpy_function(f, *varargs, axis=axis, edge_order=edge_order)
