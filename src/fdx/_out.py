"""The `out=` argument: which arrays it stands for, and whether results may be written there."""

from __future__ import annotations

import numpy as np

# np.shares_memory solves a Diophantine equation; this bounds the effort, far above what real layouts need.
MAX_WORK = 100_000


def _describe(value):
    return f"{type(value).__module__}.{type(value).__qualname__}".replace("builtins.", "")


def _overlaps_itself(a):
    """Do two elements of `a` share memory? True also for strides that no slicing of an array produces."""
    reach = a.itemsize
    for stride, n in sorted((abs(s), n) for s, n in zip(a.strides, a.shape) if n > 1):
        if stride < reach:
            return True
        reach = stride * (n - 1) + reach
    return False


def _share_memory(a, b):
    try:
        return np.shares_memory(a, b, max_work=MAX_WORK)
    except np.exceptions.TooHardError:
        return True


def _check(a, name, shape, dtype):
    if type(a) not in (np.ndarray, np.memmap):
        raise TypeError(f"{name}: expected a numpy.ndarray, got {_describe(a)}")
    if a.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {a.shape}")
    if a.dtype != dtype and a.dtype != dtype.newbyteorder("="):
        raise TypeError(f"{name}: expected dtype {dtype}, got {a.dtype}")
    if not a.flags.writeable:
        raise ValueError(f"{name}: expected a writeable array, got a read-only one")
    if a.size and _overlaps_itself(a):
        raise ValueError(f"{name}: expected elements that do not overlap each other, got strides {a.strides}")


def arrays(out, shape, naxes, dtype):
    """
    The arrays that `out` stands for, one for each axis, checked.

    Parameters
    ----------
    out : ndarray or tuple or list of ndarray
        For one axis an array of `shape` (or a tuple or list of one); for several a tuple or list of them, or one array
        of shape ``(naxes, *shape)``.
    shape : tuple of int
    naxes : int
    dtype : dtype
        Of the results. Native byte order is accepted too.

    Raises
    ------
    TypeError, ValueError
        Naming `out`, what was expected and what came.
    """
    if isinstance(out, (tuple, list)):
        if len(out) != naxes:
            raise ValueError(f"out: expected {naxes} arrays, one for each axis, got {len(out)}")
        found = list(out)
        names = ["out"] if naxes == 1 else [f"out[{k}]" for k in range(naxes)]
    elif naxes == 1:
        found, names = [out], ["out"]
    else:
        if type(out) not in (np.ndarray, np.memmap):
            raise TypeError(
                f"out: expected a tuple or list of {naxes} arrays, or one of shape {(naxes, *shape)}, "
                f"got {_describe(out)}"
            )
        _check(out, "out", (naxes, *shape), dtype)
        return list(out)
    for a, name in zip(found, names):
        _check(a, name, shape, dtype)
    for k, a in enumerate(found):
        for j in range(k):
            if np.may_share_memory(a, found[j]) and _share_memory(a, found[j]):
                raise ValueError(f"out: expected arrays that do not overlap, got {names[j]} and {names[k]} that do")
    return found


def store(results, out):
    """Copy what np.gradient returned to `out`, after the same checks."""
    several = isinstance(results, tuple)
    parts = results if several else (results,)
    for part in parts:
        if not isinstance(part, np.ndarray) or isinstance(part, np.ma.MaskedArray):
            raise TypeError(f"out: expected None for results of type {_describe(part)}, which an array cannot hold")
    if not parts:
        if not isinstance(out, (tuple, list)) or len(out):
            raise ValueError("out: expected an empty tuple or list for no axes")
        return
    for target, part in zip(arrays(out, parts[0].shape, len(parts), parts[0].dtype), parts):
        target[...] = part
