"""How does fdx compare with other libraries, on the same derivative?

The central difference of a square float64 array along one axis. The peers differ at the edges and
in memory: np.gradient has the same results as fdx, scipy.ndimage filters reflect at the edges,
findiff's edges are of second order, torch and jax follow np.gradient. A peer that is not installed
is skipped. Libraries that use threads by default are set to one.
"""

import functools
import itertools
import os
from importlib.util import find_spec

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import numpy as np

import fdx

from . import operators

SIDES = [32, 256, 2048]
AXES = [0, 1]
SPACING = 0.1


@functools.cache
def data(side):
    return np.random.default_rng(0).standard_normal((side, side))


def use_fdx(f, axis):
    return lambda: fdx.gradient(f, SPACING, axis=axis)


def use_numpy(f, axis):
    return lambda: np.gradient(f, SPACING, axis=axis)


def use_ndimage(f, axis):
    from scipy.ndimage import correlate1d

    weights = np.array([-0.5, 0.0, 0.5]) / SPACING
    return lambda: correlate1d(f, weights, axis=axis)


def use_findiff(f, axis):
    from findiff import FinDiff

    operator = FinDiff(axis, SPACING, acc=2)
    return lambda: operator(f)


def use_torch(f, axis):
    import torch

    torch.set_num_threads(1)
    tensor = torch.from_numpy(f)
    return lambda: torch.gradient(tensor, spacing=SPACING, dim=axis)


def use_jax(f, axis):
    import jax

    jax.config.update("jax_enable_x64", True)
    array = jax.numpy.asarray(f)
    gradient = jax.jit(lambda a: jax.numpy.gradient(a, SPACING, axis=axis))
    return lambda: gradient(array).block_until_ready()


PEERS = {
    "fdx": use_fdx,
    "numpy": use_numpy,
    "scipy": use_ndimage,
    "findiff": use_findiff,
    "torch": use_torch,
    "jax": use_jax,
}


@functools.cache
def call(name, side, axis):
    """Return the function to time; a library's one-time preparation is not part of it."""
    return PEERS[name](data(side), axis)


class Peers:
    params = (list(PEERS), SIDES, AXES)
    param_names = ("library", "side", "axis")
    # Every row is always listed, so that results of different environments can be compared.
    skip_params = tuple(itertools.product([p for p in PEERS if not find_spec(p)], SIDES, AXES))

    def time_gradient(self, library, side, axis):
        call(library, side, axis)()


# --- operators: three dimensions, from other libraries' derivatives one after the other ----------


def ndimage_derivative(axis, deriv, accuracy):
    from scipy.ndimage import correlate1d

    half_width = accuracy // 2
    offsets = np.arange(-half_width, half_width + 1.0)
    weights = fdx.weights(offsets, deriv=deriv) / operators.SPACING**deriv
    return lambda f: correlate1d(f, weights, axis=axis)


def findiff_derivative(axis, deriv, accuracy):
    from findiff import FinDiff

    return FinDiff(axis, operators.SPACING, deriv, acc=accuracy)


def laplacian(derivative, accuracy):
    along = [derivative(axis, 2, accuracy) for axis in range(3)]
    return lambda f: along[0](f) + along[1](f) + along[2](f)


def curl(derivative):
    along = [derivative(axis, 1, 2) for axis in range(3)]
    pairs = [(1, 2), (2, 0), (0, 1)]
    return lambda f: np.stack([along[i](f[j]) - along[j](f[i]) for i, j in pairs])


# As operators.py names them.
COMPOSED = {
    "Diff 0, accuracy 8": lambda derivative: derivative(0, 1, 8),
    "Diff 2, accuracy 8": lambda derivative: derivative(2, 1, 8),
    "Laplacian, accuracy 2": lambda derivative: laplacian(derivative, 2),
    "Laplacian, accuracy 4": lambda derivative: laplacian(derivative, 4),
    "Laplacian, accuracy 8": lambda derivative: laplacian(derivative, 8),
    "curl": curl,
}
DERIVATIVES = {"scipy": ndimage_derivative, "findiff": findiff_derivative}


@functools.cache
def operator_call(library, operator, side):
    """Return the function to time: fdx's writes to preallocated memory."""
    f, out = operators.data(operator, side, "float64")
    if library == "fdx":
        L = operators.cached(operator, side)
        return lambda: L(f, out=out)
    composed = COMPOSED[operator](DERIVATIVES[library])
    return lambda: composed(f)


class Operators:
    params = (["fdx", *DERIVATIVES], list(COMPOSED), [192])
    param_names = ("library", "operator", "side")
    skip_params = tuple(
        itertools.product([p for p in DERIVATIVES if not find_spec(p)], COMPOSED, [192])
    )

    def time_operator(self, library, operator, side):
        operator_call(library, operator, side)()
