"""How many threads a call uses, and the pool of threads."""

from __future__ import annotations

import _thread
import contextlib
import contextvars
import operator
import os
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol, TypeVar

from fdx._common import environment
from fdx._common.text import shown

Function = TypeVar("Function", bound=Callable[..., Any])

# A worker must have more to do than what it takes to pass it a part (about 50 us): to add up this
# many neighbours takes 200 us or more.
MIN_WORKER_NEIGHBOURS = 1 << 21
# Several, which workers take as they come free, so that one late thread does not hold up a call.
PARTS_PER_WORKER = 4


class Job(Protocol):
    """A call in parts, of which any number of threads compute some."""

    def work(self) -> object: ...


class _Setting(NamedTuple):
    """A default number of workers, and the innermost ``with`` block that it was set in."""

    workers: int
    block: _Block | None


class _Block(NamedTuple):
    owner: set_workers
    before: _Setting | None  # restored at its end


def _block_of(setting: _Setting | None) -> _Block | None:
    return None if setting is None else setting.block


_setting: contextvars.ContextVar[_Setting | None] = contextvars.ContextVar(
    "fdx_workers", default=None
)

# Threads are started when they are first needed, and then stay. They are daemons that wait for a
# C-level queue. Those of an executor would not do: an exception raised by a signal handler while
# the executor holds one of its Python-level locks leaves that lock held, and the next call would
# wait for ever.
_MAX_THREADS = 64
MOST_WORKERS = 1 << 16
_jobs: SimpleQueue[Job] = SimpleQueue()
_started: list[int] = []  # appended to, as several threads may do so at once


def _cpus() -> int:
    """The CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check(workers: Any, name: str = "workers", expected: str = "an integer or None") -> int:
    try:
        if isinstance(workers, bool):
            raise TypeError
        n = operator.index(workers)
    except TypeError:
        raise TypeError(f"{name}: expected {expected}, got {shown(workers)}") from None
    cpus = _cpus()
    if not -cpus <= n <= MOST_WORKERS or n == 0:
        fewer = "the one CPU" if cpus == 1 else f"all {cpus} CPUs to {-cpus} for one"
        raise ValueError(f"{name}: expected 1 to {MOST_WORKERS}, or -1 for {fewer}, got {n}")
    return n if n > 0 else n + cpus + 1


_environment_default = environment.number("FDX_NUM_THREADS", 1, "an integer", _check)


def count(workers: Any) -> int:
    """The number of threads that `workers` asks for; None asks for the default."""
    if workers is not None:
        return _check(workers)
    setting = _setting.get()
    return _environment_default if setting is None else setting.workers


class set_workers(contextlib.ContextDecorator):
    """
    Set how many threads calls with ``workers=None`` use, from now on or within a ``with`` block.

    Parameters
    ----------
    workers : int
        As `scipy.fft.set_workers` has it: a positive number, or -1 for all CPUs that this process
        may use, -2 for all but one, and so on.

    Raises
    ------
    ValueError
        For 0, for less than minus the number of those CPUs, or for more than 65536.
    TypeError
        For a value that is not an integer.

    See Also
    --------
    fdx.gradient : Its `workers` sets the number for one call.

    Notes
    -----
    As a statement it sets the default of the current thread or task until it is set again, or until
    the ``with`` block around the statement ends. As a context manager it restores the previous
    value at the end of the block; it can be entered again, and decorate a function.

    The value belongs to the current context (`contextvars`): threads and tasks do not affect each
    other. Tasks of asyncio begin with the value of the task that starts them; new threads begin
    without one. If nothing has been set, the default is the environment variable
    ``FDX_NUM_THREADS`` as it was when fdx was imported, else 1. To set the number for all threads
    of a process, use that variable.

    Examples
    --------
    For the rest of a program:

    >>> import numpy as np, fdx
    >>> _ = fdx.set_workers(2)

    For some calls:

    >>> with fdx.set_workers(4):
    ...     fdx.gradient(np.array([0.0, 1.0, 4.0]))
    array([1., 2., 3.])
    >>> _ = fdx.set_workers(1)
    """

    def __init__(self, workers: int) -> None:
        self._workers = _check(workers, expected="an integer")
        self._before = _setting.get()
        self._set = _Setting(self._workers, _block_of(self._before))
        _setting.set(self._set)

    def __repr__(self) -> str:
        return f"fdx.set_workers({self._workers})"

    def _undone(self) -> _Setting | None:
        """The current setting, or the previous one if the constructor has set the current one."""
        now = _setting.get()
        return self._before if now is self._set else now

    def __call__(self, func: Function) -> Function:
        _setting.set(self._undone())  # as a decorator it applies to calls of `func` only
        return super().__call__(func)

    def __enter__(self) -> None:
        _setting.set(_Setting(self._workers, _Block(self, self._undone())))

    def __exit__(self, *error: object) -> None:
        # Blocks may end in any order, or in another context than they began in.
        block = _block_of(_setting.get())
        while block is not None and block.owner is not self:
            block = _block_of(block.before)
        if block is not None:
            _setting.set(block.before)


def _serve(jobs: SimpleQueue[Job]) -> None:
    while True:
        jobs.get().work()


def enlist(job: Job, helpers: int) -> None:
    """Ask up to `helpers` threads to work on a job. If none does, the caller computes all of it, so
    a lack of threads or memory is not an error."""
    # The interpreter may be shutting down, or unable to start a thread, or out of memory.
    with contextlib.suppress(RuntimeError, MemoryError):
        while len(_started) < min(helpers, _MAX_THREADS):
            _started.append(_thread.start_new_thread(_serve, (_jobs,)))
    # Not more than there are threads: the rest would stay in the queue.
    with contextlib.suppress(MemoryError):
        for _ in range(min(helpers, len(_started))):
            _jobs.put(job)


def _forget_threads() -> None:
    global _jobs, _started
    _jobs, _started = SimpleQueue(), []


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)  # a fork copies only the calling thread
