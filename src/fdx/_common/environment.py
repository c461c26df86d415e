"""Numbers that environment variables set."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable


def number(name: str, default: int, expected: str, check: Callable[[int, str], int]) -> int:
    """The number in a variable, as `check(number, name)` returns it, or the default. A wrong value
    does not make the import fail: it may have been set for another program, and results are the
    same for any number."""
    text = os.environ.get(name, "").strip() or str(default)
    try:
        try:
            given = int(text)
        except ValueError:
            raise ValueError(f"{name}: expected {expected}, got {text!r}") from None
        return check(given, name)
    except ValueError as error:
        warnings.warn(f"{error}; {default} is used instead", RuntimeWarning, stacklevel=3)
        return default
