"""Arguments by which it is known whether what was made of them can be used again.

They are known by what cannot change, and by its type: 1, True and numpy.float32(1) are equal, but
results of them differ. Objects that say themselves which number they are, or what they are equal
to, may say something else the next time: nothing is kept for them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

CONSTANTS = frozenset(
    (int, float, str, type(None), *(np.dtype(code).type for code in "bBhHiIlLqQfd"))
)
MAX_ITEMS = 64  # of a tuple or list, which is in another, or in one of these, but no deeper
MAX_WEIGHTS = 1 << 16  # on uneven coordinates, of what is kept: half a MiB
FEW = 16  # results are kept, of each function that keeps them by coordinates


class NotKnownAgainError(TypeError):
    pass


def fixed(value: Any, levels: int = 3) -> Any:
    """What arguments are known by: constants with their types, coordinates as bytes."""
    kind = type(value)
    if kind in CONSTANTS:
        return kind, value
    if kind is np.ndarray and value.ndim == 1 and value.dtype.kind in "iuf":
        return kind, value.dtype.str, value.tobytes()
    if (kind is tuple or kind is list) and len(value) <= MAX_ITEMS and levels:
        return kind, tuple([fixed(item, levels - 1) for item in value])
    raise NotKnownAgainError


def as_given(known: Any) -> Any:
    """What `fixed` was made of: as it was then, whatever has been written to arrays since."""
    kind, value = known[:2]
    if kind is np.ndarray:
        return np.frombuffer(known[2], value)
    if kind is tuple or kind is list:
        return kind(map(as_given, value))
    return value
