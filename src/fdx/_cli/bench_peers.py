"""Other libraries' times for derivatives and operators, for ``python -m fdx bench``.

Each library computes the central difference of a float64 array along one axis, on one thread, with
a newly allocated result. Those with suitable derivatives compute operators, too. What a library
does once for many calls (compiling, computing weights, converting the data to its own arrays) is
not timed.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Generic, TypeVar

import numpy as np

import fdx
from fdx._cli.bench_cases import SPACING, Array, data
from fdx._cli.bench_measure import Statement, alternate, median
from fdx._cli.bench_operators import (
    ADDITION,
    ALONE,
    Code,
    Derivative,
    MakeDerivative,
    Operation,
    applied,
    composed,
)

PATIENCE = 0.3  # seconds, after which no more calls of a slow library are timed


@dataclass(frozen=True)
class Task:
    """A derivative to be computed."""

    shape: tuple[int, ...]
    axis: int

    @property
    def id(self) -> str:
        return f"{'x'.join(map(str, self.shape))}-axis-{self.axis}"

    @property
    def needed_bytes(self) -> int:
        """Memory that measuring takes, by a library that allocates a few temporary arrays."""
        return 8 * math.prod(self.shape) * 6


@dataclass(frozen=True)
class Peer:
    """A library: how it computes a derivative, and how its result differs from NumPy's; and which
    operators it computes, if any, and how."""

    name: str
    module: str
    prepare: Callable[[Array, int], Callable[[], Any]] | None  # None: it has operators only
    note: str
    apply: Callable[[Operation], Code] | None = None
    has: Callable[[Operation], bool] = lambda operation: True

    def applies(self, operation: Operation) -> bool:
        return self.apply is not None and self.has(operation)


Work = TypeVar("Work", Task, Operation)


@dataclass(frozen=True)
class PeerRow(Generic[Work]):
    """A peer's time, also in additions or the other yardstick; or the error that it raised."""

    peer: Peer
    task: Work
    version: str
    ratio: float | None
    seconds: float | None
    yardstick_seconds: float | None
    error: str | None = None


def tasks(side: int) -> list[Task]:
    cube = (side, side, side)
    return [Task((10**6,), 0), Task(cube, 0), Task(cube, 2)]


def _fdx(f: Array, axis: int) -> Callable[[], Any]:
    return lambda: fdx.gradient(f, SPACING, axis=axis)


def _numba(f: Array, axis: int) -> Callable[[], Any]:
    along_first, along_last = _numba_loops()
    first = axis == 0 and f.ndim > 1
    loop = along_first if first else along_last
    rows = f.reshape((f.shape[0], -1) if first else (-1, f.shape[-1]))
    return lambda: loop(rows, SPACING).reshape(f.shape)


@cache
def _numba_loops() -> tuple[Any, Any]:
    """Central differences of a 2-D array along either axis, as plain loops."""
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


def _numba_operator(operation: Operation) -> Code:
    """A loop over all points but those near the edges, with the weights as constants."""
    import numba

    names, ndim, half_width = operation.names(), len(operation.shape), operation.accuracy // 2
    weights = fdx.weights(np.arange(-half_width, half_width + 1), deriv=2) / SPACING**2

    def neighbour(axis: int, offset: int) -> str:
        return f"f[{', '.join(f'i{k} + {offset if k == axis else 0}' for k in range(ndim))}]"

    dtype = operation.dtype
    terms = [
        f"{dtype}({weight!r}) * {neighbour(axis, k - half_width)}"
        for axis in range(ndim)
        for k, weight in enumerate(map(float, weights))
    ]
    total = " + ".join(terms)
    if operation.kind == "step":
        total = f"{neighbour(0, 0)} + {dtype}({names['dt']!r}) * ({total})"
    lines = ["def loop(f, o):"]
    for k in range(ndim):
        indent = "    " * (k + 1)
        lines.append(f"{indent}for i{k} in range({half_width}, f.shape[{k}] - {half_width}):")
    lines.append(f"{'    ' * (ndim + 1)}o[{', '.join(f'i{k}' for k in range(ndim))}] = {total}")
    made: dict[str, Any] = {dtype: getattr(np, dtype)}
    exec("\n".join(lines), made)
    loop, f, o = numba.njit(made["loop"]), names["f"], names["o"]
    loop(f, o)  # compiles it

    def call() -> Array:
        loop(f, o)
        result: Array = o
        return result

    return "call()", {"call": call}


def _copy(operation: Operation) -> Code:
    """What reading and writing the arrays once takes, without arithmetic."""
    return "np.copyto(o, f)", operation.names()


def _is_compiled(operation: Operation) -> bool:
    """Is it an operator that those who compile stencils are compared with?"""
    return operation.kind in ("laplacian", "step")


def _devito_operator(operation: Operation) -> Code:
    """Its own arrays, with ghost cells, and the compiled function without Devito's checks of
    arguments, which take longer than small arrays."""
    import devito

    devito.configuration["log-level"] = "ERROR"
    names, shape = operation.names(), operation.shape
    extent = [SPACING * (n - 1) for n in shape]
    grid = devito.Grid(shape=shape, extent=extent, dtype=np.dtype(operation.dtype).type)
    f, o = (devito.Function(name=n, grid=grid, space_order=operation.accuracy) for n in ("f", "o"))
    f.data[:] = names["f"]
    step = operation.kind == "step"
    total = f + names["dt"] * f.laplace if step else f.laplace
    operator = devito.Operator([devito.Eq(o, total)], language="C")  # not OpenMP: one thread
    given = operator.arguments()
    arguments = [given[parameter.name] for parameter in operator.parameters]
    function = operator.cfunction

    def call() -> Any:
        function(*arguments)
        return o.data

    return "call()", {"call": call}


def _pystencils_operator(operation: Operation) -> Code:
    """A kernel with vector instructions, for all points but those near the edges."""
    import pystencils

    names, ndim, half_width = operation.names(), len(operation.shape), operation.accuracy // 2
    f, o = pystencils.fields(f"f, o: {operation.dtype}[{ndim}D]", layout="c")
    weights = fdx.weights(np.arange(-half_width, half_width + 1), deriv=2) / SPACING**2
    total = sum(
        float(weight) * f[tuple(k - half_width if d == axis else 0 for d in range(ndim))]
        for axis in range(ndim)
        for k, weight in enumerate(weights)
    )
    if operation.kind == "step":
        total = f.center() + names["dt"] * total
    options = pystencils.CreateKernelConfig(
        target=pystencils.Target.CurrentCPU,
        ghost_layers=half_width,
        default_dtype=operation.dtype,
    )
    options.cpu.vectorize.enable = True
    options.cpu.vectorize.assume_inner_stride_one = True
    kernel = pystencils.create_kernel(pystencils.Assignment(o.center(), total), options).compile()

    def call() -> Any:
        kernel(f=names["f"], o=names["o"])
        return names["o"]

    return "call()", {"call": call}


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


def _numpy(axis: int, spacing: Any, deriv: int, accuracy: int) -> Derivative:
    return lambda f, out: np.gradient(f, spacing, axis=axis)


def _composes(operation: Operation) -> bool:
    return operation.kind != "step"


def _numpy_has(operation: Operation) -> bool:
    return operation.kind not in ("laplacian", "step") and operation.accuracy == 2


def _scipy(axis: int, spacing: Any, deriv: int, accuracy: int) -> Derivative:
    from scipy.ndimage import correlate1d

    half_width = (deriv + 1) // 2 + accuracy // 2 - 1
    offsets = np.arange(-half_width, half_width + 1)
    weights = fdx.weights(offsets, deriv=deriv) / spacing**deriv
    return lambda f, out: correlate1d(f, weights, axis=axis, output=out)


def _scipy_has(operation: Operation) -> bool:
    return _composes(operation) and operation.spacing == "uniform"


def _findiff(axis: int, spacing: Any, deriv: int, accuracy: int) -> Derivative:
    import findiff

    if hasattr(findiff, "Diff"):
        operator: Any = findiff.Diff(axis, spacing) ** deriv
        operator.set_accuracy(accuracy)
    else:  # before 0.11
        operator = findiff.FinDiff(axis, spacing, deriv, acc=accuracy)
    return lambda f, out: operator(f)


def _first(make: MakeDerivative) -> Callable[[Array, int], Callable[[], Any]]:
    """Prepares the first derivative, newly allocated, by a library of derivatives."""

    def prepare(f: Array, axis: int) -> Callable[[], Any]:
        derivative = make(axis, SPACING, 1, 2)
        return lambda: derivative(f, None)

    return prepare


FDX = Peer("fdx", "fdx", _fdx, "the bits of np.gradient", applied)
PEERS = (
    FDX,
    Peer("copy", "numpy", None, "np.copyto(o, f), which computes nothing: a bound", _copy),
    Peer(
        "numpy",
        "numpy",
        _first(_numpy),
        "np.gradient",
        partial(composed, _numpy),
        _numpy_has,
    ),
    Peer(
        "numba",
        "numba",
        _numba,
        "a loop under @njit; the bits of NumPy",
        _numba_operator,
        _is_compiled,
    ),
    Peer(
        "devito",
        "devito",
        None,
        "a compiled stencil, of arrays of its own; other rounding",
        _devito_operator,
        _is_compiled,
    ),
    Peer(
        "pystencils",
        "pystencils",
        None,
        "a compiled stencil with vector instructions; other rounding",
        _pystencils_operator,
        _is_compiled,
    ),
    Peer(
        "scipy",
        "scipy",
        _first(_scipy),
        "ndimage.correlate1d; mirrors f at edges",
        partial(composed, _scipy),
        _scipy_has,
    ),
    Peer(
        "findiff",
        "findiff",
        _first(_findiff),
        "Diff, acc=2; edges of second order",
        partial(composed, _findiff),
        _composes,
    ),
    Peer("torch", "torch", _torch, "torch.gradient; the bits of NumPy"),
    Peer("jax", "jax", _jax, "jnp.gradient under jit; other rounding"),
)


def installed() -> list[Peer]:
    """The peers that this Python can find."""
    return [peer for peer in PEERS if find_spec(peer.module) is not None]


def others(operation: Operation) -> list[Peer]:
    """The peers other than fdx that can apply an operator, if its yardstick is an addition: small
    arrays have another one."""
    return [
        peer
        for peer in installed()
        if peer is not FDX
        and peer.applies(operation)
        and operation.yardstick == ADDITION
        and operation.kind not in ALONE
    ]


def measure_peer(peer: Peer, task: Task, seconds: float) -> PeerRow[Task]:
    """Time a peer's derivative and an addition alternately."""

    def statements() -> tuple[Statement, Statement]:
        f = data(task.shape, "float64")
        assert peer.prepare is not None
        call = Statement("call()", {"call": peer.prepare(f, task.axis)})
        return call, Statement("f + f", {"f": f})

    return _attempt(peer, task, statements, seconds, math.inf)


def measure_operation(peer: Peer, operation: Operation, seconds: float) -> PeerRow[Operation]:
    """Time a peer's application of an operator and the operation's yardstick alternately."""

    def statements() -> tuple[Statement, Statement]:
        assert peer.apply is not None
        call = Statement(*peer.apply(operation))
        # Next to a call that is timed only once or twice, a single addition may be disturbed.
        return call, Statement(operation.yardstick, operation.names(), call.latest / 10)

    return _attempt(peer, operation, statements, seconds, PATIENCE)


def _attempt(
    peer: Peer,
    task: Work,
    statements: Callable[[], tuple[Statement, Statement]],
    seconds: float,
    patience: float,
) -> PeerRow[Work]:
    """Time a peer's statement and its yardstick. Its exceptions do not end the benchmark."""
    number = ""
    try:
        # A build that is not installed has no metadata.
        number = fdx.__version__ if peer is FDX else version(peer.module)
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            call, yardstick = statements()
            if call.latest < patience:
                rounds = alternate({"peer": call, "yardstick": yardstick}, {}, seconds, patience)
            else:  # a long time, of which a first call's extra work is a small part
                rounds = [{"peer": call.latest, "yardstick": yardstick.seconds()}]
    except Exception as error:  # of any kind, by another library
        return PeerRow(peer, task, number, None, None, None, type(error).__name__)
    return PeerRow(
        peer,
        task,
        number,
        median(rounds, "peer", over="yardstick"),
        median(rounds, "peer"),
        median(rounds, "yardstick"),
    )
