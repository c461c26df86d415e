"""How many threads a call uses, and the pool that they come from."""

from __future__ import annotations

import _thread
import contextlib
import contextvars
import operator
import os
from collections.abc import Iterator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fdx._core import Job

# A part must outweigh handing it to another thread (about 50 us): this many results take 100 us
# or more.
MIN_PART_ELEMENTS = 1 << 18

_default: contextvars.ContextVar[int | None] = contextvars.ContextVar("fdx_workers", default=None)

# Threads are started as they are needed, and then stay. They are daemons that wait in a C-level
# queue, rather than those of an executor: an exception raised by a signal handler while an executor
# holds one of its Python-level locks leaves that lock held, and the next call waits for ever.
_MAX_THREADS = 64
MOST_WORKERS = 1 << 16
_jobs: SimpleQueue[Job] = SimpleQueue()
_started: list[int] = []  # appended to, as several threads may do so at once


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
    cpus = _cpus()
    if not -cpus <= n <= MOST_WORKERS or n == 0:
        fewer = "the one CPU" if cpus == 1 else f"all {cpus} CPUs to {-cpus} for one"
        raise ValueError(f"{name}: expected 1 to {MOST_WORKERS}, or -1 for {fewer}, got {n}")
    return n if n > 0 else n + cpus + 1


def _from_environment() -> int:
    text = os.environ.get("FDX_NUM_THREADS", "").strip() or "1"
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"FDX_NUM_THREADS: expected an integer, got {text!r}") from None
    return _check(number, "FDX_NUM_THREADS")


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

    Yields
    ------
    None
        Nothing.

    Raises
    ------
    ValueError
        On entering the block, for 0, for less than minus the number of those CPUs, or for more
        than 65536.
    TypeError
        On entering the block, for what is no integer.

    See Also
    --------
    fdx.gradient : Its `workers` sets the number for one call.

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


def _serve(jobs: SimpleQueue[Job]) -> None:
    while True:
        jobs.get().work()


def enlist(job: Job, helpers: int) -> None:
    """Ask `helpers` threads to work on a job. None need come: the caller works it off anyhow."""
    try:
        while len(_started) < min(helpers, _MAX_THREADS):
            _started.append(_thread.start_new_thread(_serve, (_jobs,)))
    except RuntimeError:
        pass  # the interpreter is shutting down, or has no more threads to give
    for _ in range(helpers):
        _jobs.put(job)


def _forget_threads() -> None:
    global _jobs, _started
    _jobs, _started = SimpleQueue(), []


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)  # they stayed in the parent
