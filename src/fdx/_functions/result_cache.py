"""How much memory of freed results is kept for new ones: src/fdx/_core/results.pxi."""

from __future__ import annotations

import operator
import os
import sys
import time
from typing import SupportsIndex

from fdx._common import environment
from fdx._common.text import shown
from fdx._core import after_fork, keep_results

DEFAULT = 64 << 20  # bytes
MOST = sys.maxsize // 2


def set_result_cache(bytes: SupportsIndex) -> None:
    """
    Set how much memory of freed results is kept for new ones, for the whole process.

    Parameters
    ----------
    bytes : int
        The most that is kept, for all threads together; 0 keeps nothing. 64 MiB unless the
        environment variable ``FDX_RESULT_CACHE`` has said otherwise when fdx was imported.

    Raises
    ------
    ValueError
        For a negative number, or more than an array can have.
    TypeError
        For a value that is not an integer.

    See Also
    --------
    fdx.gradient : Its `out` takes a result's memory for another one.

    Notes
    -----
    A loop that makes a new result each time, without `out`, would otherwise get new memory from
    the system and give it back each time, which takes several times as long as a derivative. So
    memory of freed results of 128 KiB and more is kept for the next results of as many bytes:
    only of arrays that functions of fdx return, and not if `numpy` has been given another
    allocator (NEP 49). For ``tracemalloc`` an array lives from when it is returned until it is
    freed.

    A call frees what is kept at that time.

    Examples
    --------
    >>> import fdx
    >>> fdx.set_result_cache(256 << 20)  # results of up to 256 MiB
    >>> fdx.set_result_cache(0)  # nothing
    >>> fdx.set_result_cache(64 << 20)
    """
    most = _check(bytes, "bytes")
    while not keep_results(most):  # another thread takes a block
        time.sleep(0)


def _check(value: SupportsIndex, name: str) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        most = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer, got {shown(value)}") from None
    if not 0 <= most <= MOST:
        raise ValueError(f"{name}: expected 0 for nothing, or up to {MOST}, got {most}")
    return most


set_result_cache(environment.number("FDX_RESULT_CACHE", DEFAULT, "bytes", _check))
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=after_fork)
