"""Cache keys of arguments, for what functions keep between calls.

A key has only constants, and their types: 1, True and numpy.float32(1) are equal, but give
different results. Objects that define `__float__`, `__index__` or `__eq__` themselves may return
something else the next time: nothing is kept for them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fdx._core import CONSTANTS

MAX_ITEMS = 64  # of a tuple or list
MAX_WEIGHTS = 1 << 16  # of an operator on uneven coordinates that is kept: half a MiB
MAX_KEPT = 32  # plans, by coordinates


class NoKeyError(TypeError):
    pass


def key_of(value: Any, levels: int = 3) -> Any:
    """The key of arguments: constants with their types, coordinates as bytes. Tuples and lists may
    be nested `levels` deep."""
    kind = type(value)
    if kind in CONSTANTS:
        return kind, value
    if kind is np.ndarray and value.ndim == 1 and value.dtype.kind in "iuf":
        return kind, value.dtype.str, value.tobytes()
    if (kind is tuple or kind is list) and len(value) <= MAX_ITEMS and levels:
        return kind, tuple(
            [
                (type(item), item) if type(item) in CONSTANTS else key_of(item, levels - 1)
                for item in value
            ]
        )
    raise NoKeyError


def from_key(key: Any) -> Any:
    """The arguments of a key, as they were then, whatever has been written to arrays since."""
    kind, value = key[:2]
    if kind is np.ndarray:
        return np.frombuffer(key[2], value)
    if kind is tuple or kind is list:
        return kind(map(from_key, value))
    return value
