"""What other libraries take for a derivative, for ``python -m fdx bench``.

Each is asked for the central difference of a float64 array along one axis, on one thread and with
a fresh result. What it does once for many calls (compiling, copying the data to an array of its
own) is not timed.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np

import fdx
from fdx._bench_cases import SPACING, Array, data
from fdx._bench_measure import Statement, median, take_turns


@dataclass(frozen=True)
class Task:
    """A derivative to be taken."""

    shape: tuple[int, ...]
    axis: int

    @property
    def id(self) -> str:
        return f"{'x'.join(map(str, self.shape))}-axis-{self.axis}"

    @property
    def needed_bytes(self) -> int:
        """Memory while this is measured, by a library that takes a few arrays besides its own."""
        return 8 * math.prod(self.shape) * 6


@dataclass(frozen=True)
class Peer:
    """A library: how it is asked for a derivative, and how its answer differs from NumPy's."""

    name: str
    module: str
    prepare: Callable[[Array, int], Callable[[], Any]]
    note: str


@dataclass(frozen=True)
class PeerRow:
    """What a peer took, in additions, or in a word why that is not known."""

    peer: Peer
    task: Task
    version: str
    ratio: float | None
    error: str | None = None


def tasks(side: int) -> list[Task]:
    cube = (side, side, side)
    return [Task((10**6,), 0), Task(cube, 0), Task(cube, 2)]


def _fdx(f: Array, axis: int) -> Callable[[], Any]:
    return lambda: fdx.gradient(f, SPACING, axis=axis)


def _numpy(f: Array, axis: int) -> Callable[[], Any]:
    return lambda: np.gradient(f, SPACING, axis=axis)


def _numba(f: Array, axis: int) -> Callable[[], Any]:
    along_first, along_last = _numba_loops()
    first = axis == 0 and f.ndim > 1
    loop = along_first if first else along_last
    rows = f.reshape((f.shape[0], -1) if first else (-1, f.shape[-1]))
    return lambda: loop(rows, SPACING).reshape(f.shape)


@cache
def _numba_loops() -> tuple[Any, Any]:
    """Central differences of a 2-D array along either axis, as one would write them."""
    import numba

    def along_first(f: Any, h: float) -> Any:
        g = np.empty_like(f)
        n, m = f.shape
        for j in range(m):
            g[0, j] = (f[1, j] - f[0, j]) / h
            g[n - 1, j] = (f[n - 1, j] - f[n - 2, j]) / h
        for i in range(1, n - 1):
            for j in range(m):
                g[i, j] = (f[i + 1, j] - f[i - 1, j]) / (2.0 * h)
        return g

    def along_last(f: Any, h: float) -> Any:
        g = np.empty_like(f)
        n, m = f.shape
        for i in range(n):
            g[i, 0] = (f[i, 1] - f[i, 0]) / h
            g[i, m - 1] = (f[i, m - 1] - f[i, m - 2]) / h
            for j in range(1, m - 1):
                g[i, j] = (f[i, j + 1] - f[i, j - 1]) / (2.0 * h)
        return g

    return numba.njit(along_first), numba.njit(along_last)


def _scipy(f: Array, axis: int) -> Callable[[], Any]:
    from scipy.ndimage import correlate1d

    weights = np.array([-0.5, 0.0, 0.5]) / SPACING
    return lambda: correlate1d(f, weights, axis=axis)


def _findiff(f: Array, axis: int) -> Callable[[], Any]:
    import findiff

    if hasattr(findiff, "Diff"):
        operator: Any = findiff.Diff(axis, SPACING)
        operator.set_accuracy(2)
    else:  # before 0.11
        operator = findiff.FinDiff(axis, SPACING, acc=2)
    return lambda: operator(f)


def _torch(f: Array, axis: int) -> Callable[[], Any]:
    import torch

    torch.set_num_threads(1)
    tensor = torch.from_numpy(f)
    return lambda: torch.gradient(tensor, spacing=SPACING, dim=axis)


def _jax(f: Array, axis: int) -> Callable[[], Any]:
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")  # one thread
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax

    jax.config.update("jax_enable_x64", True)
    array = jax.numpy.asarray(f)
    gradient = jax.jit(lambda a: jax.numpy.gradient(a, SPACING, axis=axis))
    return lambda: gradient(array).block_until_ready()


PEERS = (
    Peer("fdx", "fdx", _fdx, "the bits of np.gradient"),
    Peer("numpy", "numpy", _numpy, "np.gradient"),
    Peer("numba", "numba", _numba, "a loop under @njit; the bits of NumPy"),
    Peer("scipy", "scipy", _scipy, "ndimage.correlate1d; mirrors f at edges"),
    Peer("findiff", "findiff", _findiff, "Diff, acc=2; edges of second order"),
    Peer("torch", "torch", _torch, "torch.gradient; the bits of NumPy"),
    Peer("jax", "jax", _jax, "jnp.gradient under jit; other rounding"),
)


def installed() -> list[Peer]:
    """The peers that this Python can find."""
    return [peer for peer in PEERS if find_spec(peer.module) is not None]


def measure_peer(peer: Peer, task: Task, seconds: float) -> PeerRow:
    """Time a peer and an addition in turns. Nothing that it raises ends the benchmark."""
    number = ""
    try:
        number = version(peer.module)
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            f = data(task.shape, "float64")
            statements = {
                "peer": Statement("call()", {"call": peer.prepare(f, task.axis)}),
                "yardstick": Statement("f + f", {"f": f}),
            }
            rounds = take_turns(statements, {}, seconds)
    except Exception as error:  # another library's, which can be anything
        return PeerRow(peer, task, number, None, type(error).__name__)
    return PeerRow(peer, task, number, median(rounds, "peer", over="yardstick"))
