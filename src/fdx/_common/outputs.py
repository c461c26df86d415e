"""The `out=` argument: which arrays it means, and whether results may be written to them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx._common.text import name_of_type

Array = np.ndarray[Any, Any]

# A bound on the work of np.shares_memory, which solves a Diophantine equation: far above what
# layouts of real programs need.
MAX_WORK: Any = 100_000


def _overlaps_itself(a: Array) -> bool:
    """Do elements share memory? Also True for some strides that no slicing of an array produces."""
    extent = a.itemsize
    for stride, n in sorted((abs(s), n) for s, n in zip(a.strides, a.shape, strict=True) if n > 1):
        if stride < extent:
            return True
        extent += stride * (n - 1)
    return False


def _overlap(a: Array, b: Array) -> bool:
    try:
        return np.may_share_memory(a, b) and np.shares_memory(a, b, max_work=MAX_WORK)
    except np.exceptions.TooHardError:
        return True


def _check(a: Any, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if type(a) not in (np.ndarray, np.memmap):
        raise TypeError(f"{name}: expected a numpy.ndarray, got {name_of_type(a)}")
    if a.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {a.shape}")
    if a.dtype != dtype and a.dtype != dtype.newbyteorder("="):
        raise TypeError(f"{name}: expected dtype {dtype}, got {a.dtype}")
    if not a.flags.writeable:
        raise ValueError(f"{name}: expected a writeable array, got a read-only one")
    if a.size and _overlaps_itself(a):
        raise ValueError(
            f"{name}: expected elements that do not overlap each other, got strides {a.strides}"
        )


def arrays(out: Any, shape: tuple[int, ...], naxes: int, dtype: np.dtype[Any]) -> list[Array]:
    """
    The arrays that `out` means, one for each axis, checked.

    Parameters
    ----------
    out : ndarray or tuple or list of ndarray
        For one axis an array of `shape` (or a tuple or list of one); for several a tuple or list
        of them, or one array of shape ``(naxes, *shape)``.
    shape : tuple of int
    naxes : int
    dtype : dtype
        Of the results. Native byte order is accepted too.

    Raises
    ------
    TypeError, ValueError
        Naming `out`, what was expected and what was given.
    """
    names = ["out"] if naxes == 1 else [f"out[{k}]" for k in range(naxes)]
    if isinstance(out, (tuple, list)):
        if len(out) != naxes:
            expected = "one array" if naxes == 1 else f"{naxes} arrays, one for each axis"
            raise ValueError(f"out: expected {expected}, got {len(out)}")
        found = list(out)
    elif naxes == 1:
        found = [out]
    elif type(out) in (np.ndarray, np.memmap):
        _check(out, "out", (naxes, *shape), dtype)
        return list(out)
    else:
        raise TypeError(
            f"out: expected a tuple or list of {naxes} arrays, or one of shape {(naxes, *shape)}, "
            f"got {name_of_type(out)}"
        )
    for a, name in zip(found, names, strict=True):
        _check(a, name, shape, dtype)
    for k, a in enumerate(found):
        for j in range(k):
            if _overlap(a, found[j]):
                raise ValueError(
                    f"out: expected disjoint arrays, got {names[j]} and {names[k]} that overlap"
                )
    return found


def _alternate(a: Array, b: Array) -> bool:
    """Do elements only alternate with a common period, as those of fields of a structured array?
    Like fdx_alternate of the C core, which takes such arrays."""
    period = math.gcd(*a.strides, *b.strides)
    if period == 0:
        return False
    after = (b.ctypes.data - a.ctypes.data) % period
    return a.itemsize <= after <= period - b.itemsize


def apart(inputs: Sequence[Any], found: Sequence[Array]) -> list[Any]:
    """The inputs, with copies of the arrays that share memory with an output."""
    return [
        a.copy("K")
        if isinstance(a, np.ndarray)
        and any(np.may_share_memory(a, o) and not _alternate(a, o) for o in found)
        else a
        for a in inputs
    ]


def store(results: Any, out: Any) -> None:
    """Copy what np.gradient returned to `out`, after the same checks."""
    parts = results if isinstance(results, tuple) else (results,)
    for part in parts:
        if not isinstance(part, np.ndarray) or isinstance(part, np.ma.MaskedArray):
            kind = name_of_type(part)
            raise TypeError(f"out: expected None, as an array cannot hold a result of type {kind}")
    if not parts:
        if not isinstance(out, (tuple, list)) or len(out):
            raise ValueError("out: expected an empty tuple or list for no axes")
        return
    targets = arrays(out, parts[0].shape, len(parts), parts[0].dtype)
    for target, part in zip(targets, parts, strict=True):
        target[...] = part
