"""How many threads a call uses, and the pool that they come from."""

from __future__ import annotations

import contextlib
import contextvars
import operator
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fdx._core import Job

# A part must outweigh handing it to another thread (about 50 us): this many results take 100 us
# or more.
MIN_PART_ELEMENTS = 1 << 18

# Threads are started as they are needed; more than this never run at once.
_MAX_THREADS = 64

_default: contextvars.ContextVar[int | None] = contextvars.ContextVar("fdx_workers", default=None)
_pool: ThreadPoolExecutor | None = None


def _cpus() -> int:
    """The CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check(workers: Any, name: str = "workers") -> int:
    try:
        n = operator.index(workers)
    except TypeError:
        raise TypeError(f"{name}: expected an integer or None, got {workers!r}") from None
    if n < 0:
        n += _cpus() + 1
        if n < 1:
            least = -_cpus()
            raise ValueError(
                f"{name}: expected at least {least}, there are {-least} CPUs, got {workers}"
            )
    if n == 0:
        raise ValueError(f"{name}: expected a positive number, or -1 for all CPUs, got 0")
    return n


def _from_environment() -> int:
    text = os.environ.get("FDX_NUM_THREADS", "1")
    try:
        return _check(int(text), "FDX_NUM_THREADS")
    except ValueError:
        raise ValueError(
            f"FDX_NUM_THREADS: expected a positive integer, or -1 for all CPUs, got {text!r}"
        ) from None


_environment_default = _from_environment()


def count(workers: Any) -> int:
    """The number of threads that `workers` asks for; None asks for the default."""
    if workers is not None:
        return _check(workers)
    return _default.get() or _environment_default


@contextlib.contextmanager
def set_workers(workers: int) -> Iterator[None]:
    """
    Set how many threads calls with ``workers=None`` use, within a ``with`` block.

    Parameters
    ----------
    workers : int
        As `scipy.fft.set_workers` has it: a positive number, or -1 for all CPUs that this process
        may use, -2 for all but one, and so on.

    Notes
    -----
    The value belongs to the current context (`contextvars`): threads and tasks do not disturb
    each other. Outside of any such block the default is the environment variable
    ``FDX_NUM_THREADS`` as it was when fdx was imported, else 1.

    Examples
    --------
    >>> import numpy as np, fdx
    >>> with fdx.set_workers(2):
    ...     fdx.gradient(np.array([0.0, 1.0, 4.0]))
    array([1., 2., 3.])
    """
    token = _default.set(_check(workers))
    try:
        yield
    finally:
        _default.reset(token)


def enlist(job: Job, helpers: int) -> None:
    """Ask `helpers` threads to work on a job. None need come: the caller works it off anyhow."""
    global _pool
    try:
        if _pool is None:
            _pool = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="fdx")
        for _ in range(helpers):
            _pool.submit(job.work)
    except RuntimeError:
        pass  # the interpreter is shutting down, or has no more threads to give


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)  # its threads stayed in the parent
