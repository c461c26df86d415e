"""What do operators cost: high accuracies, Laplacians, curls, mixed derivatives, uneven grids?

``Additions`` has their cost in additions of the same array, measured as in gradient.py, ``Time``
the seconds, both into preallocated memory. ``Small`` has the overhead of calls, in loops as in
overhead.py.
"""

import functools

import numpy as np

import fdx

from .gradient import placed, ratio
from .overhead import LOOP

SIDES = [16, 32, 192]  # as in gradient.py, but not 8: the widest stencil has 10 points
SPACING = 0.137


def diff(axis, accuracy):
    return lambda _: fdx.Diff(axis, SPACING, accuracy=accuracy)


def uneven(axis):
    steps = np.random.default_rng(1).uniform(0.1, 1.1, max(SIDES))
    return lambda side: fdx.Diff(axis, np.cumsum(steps)[:side])


def laplacian(accuracy):
    def operator(_):
        first, *others = (fdx.Diff(k, SPACING, deriv=2, accuracy=accuracy) for k in range(3))
        return sum(others, start=first)

    return operator


def mixed(_):
    return fdx.Diff(0, SPACING) @ fdx.Diff(1, SPACING)


def mixed_along_memory(_):
    return fdx.Diff(1, SPACING) @ fdx.Diff(2, SPACING)


def step(side):
    return fdx.Identity() + 1e-3 * laplacian(2)(side)


def multiplied(side):
    return np.linspace(1, 2, side).reshape(-1, 1, 1) * fdx.Diff(0, SPACING)


def staggered(axis):
    """At midpoints: as many results as points."""
    return lambda _: fdx.Diff(axis, SPACING, position="left", boundary="periodic")


def biased(axis):
    return lambda _: fdx.Diff(axis, SPACING, accuracy=3, side="left")


def diffusion(axes):
    """The divergence of a coefficient times the gradient."""

    def operator(side):
        made = []
        for axis in axes:
            D = fdx.Diff(axis, SPACING, position="inner")
            c = np.linspace(1, 2, side**3).reshape(3 * (side,)).take(range(side - 1), axis)
            made.append(-(D.T @ (c * D)))
        return sum(made[1:], start=made[0])

    return operator


def upwind(axes):
    def operator(side):
        velocity = np.random.default_rng(1).normal(size=(side, side, side))
        first, *others = (fdx.Upwind(axis, velocity, SPACING) for axis in axes)
        return sum(others, start=first)

    return operator


def added(side):
    L = laplacian(2)(side)
    return lambda f, out: L(f, out=out, alpha=1e-6, beta=1)


def leapfrog(side):
    L = 2 * fdx.Identity() + 1e-6 * laplacian(2)(side)
    return lambda f, out: L(f, out=out, beta=-1)


def solve(axis, accuracy):
    """An implicit step of heat conduction: three diagonals for accuracy 2, five for 4."""
    D2 = fdx.Diff(axis, deriv=2, accuracy=accuracy, boundary="symmetric")
    return lambda _: (fdx.Identity() - 0.1 * D2).solve


def compact(axis):
    return lambda _: fdx.Compact(axis, SPACING, accuracy=8)


def curl(_):
    return lambda f, out: fdx.curl(f, SPACING, out=out)


def hessian(_):
    return lambda f, out: fdx.hessian(f, SPACING, out=out)


# Functions that return each operator, for cubes of a side.
OPERATORS = {
    "Diff 0, accuracy 8": diff(0, 8),
    "Diff 1, accuracy 8": diff(1, 8),
    "Diff 2, accuracy 8": diff(2, 8),
    "Diff 0, uneven": uneven(0),
    "Diff 2, uneven": uneven(2),
    "mixed": mixed,
    "mixed, along memory": mixed_along_memory,
    "step": step,
    "added": added,
    "leapfrog": leapfrog,
    "multiplied": multiplied,
    "Laplacian, accuracy 2": laplacian(2),
    "Laplacian, accuracy 4": laplacian(4),
    "Laplacian, accuracy 8": laplacian(8),
    "staggered 0": staggered(0),
    "staggered 2": staggered(2),
    "biased 0, accuracy 3": biased(0),
    "biased 2, accuracy 3": biased(2),
    "diffusion 0": diffusion([0]),
    "diffusion, all axes": diffusion([0, 1, 2]),
    "upwind 0": upwind([0]),
    "upwind, all axes": upwind([0, 1, 2]),
    "solve 0": solve(0, 2),
    "solve 2": solve(2, 2),
    "solve 0, accuracy 4": solve(0, 4),
    "solve 2, accuracy 4": solve(2, 4),
    "compact 0": compact(0),
    "compact 2": compact(2),
    "curl": curl,
    "Hessian": hessian,
}


@functools.lru_cache(maxsize=1)
def data(operator, side, dtype):
    """Return an array and one for the result; a curl has three components, a Hessian nine."""
    cube = (side, side, side)
    shape = (3, *cube) if operator == "curl" else cube
    f = np.resize(100 * np.random.default_rng(0).standard_normal(5003), shape).astype(dtype)
    result = np.zeros((3, 3, *cube) if operator == "Hessian" else shape, dtype)
    return placed(f), placed(result, lines=33)


@functools.cache
def cached(operator, side):
    """Return the operator; asv's warm-up compiles it for the shape."""
    return OPERATORS[operator](side)


class Time:
    params = (list(OPERATORS), SIDES)
    param_names = ("operator", "side")

    def time_operator_out(self, operator, side):
        f, out = data(operator, side, "float64")
        cached(operator, side)(f, out=out)


class Additions:
    params = (list(OPERATORS), SIDES, ["float32", "float64"])
    param_names = ("operator", "side", "dtype")
    unit = "additions"

    def track_operator(self, operator, side, dtype):
        f, out = data(operator, side, dtype)
        L = cached(operator, side)
        sum_ = out[0, 0] if operator == "Hessian" else out
        return ratio(lambda: L(f, out=out), lambda: np.add(f, f, out=sum_))


SQUARE = np.random.default_rng(0).random((10, 10))
SQUARE_OUT, SQUARE_OTHER = np.empty_like(SQUARE), np.empty_like(SQUARE)
SQUARE_LAPLACIAN = fdx.Diff(0, SPACING, deriv=2) + fdx.Diff(1, SPACING, deriv=2)
SQUARE_STEP = fdx.Identity() - 0.1 * fdx.Diff(0, deriv=2, boundary="symmetric")


LINES = {n: np.random.default_rng(0).random(n) for n in (10, 1000)}
LINES_OUT = {n: np.empty(n) for n in LINES}
LINE = fdx.Diff(0, SPACING)
LARGER = np.random.default_rng(0).random((100, 100))
LARGER_OUT = np.empty_like(LARGER)


class Small:
    """Microseconds per ``LOOP`` calls on 10 x 10 points, or as many as the name says."""

    def time_line_10_out(self):
        for _ in range(LOOP):
            LINE(LINES[10], out=LINES_OUT[10])

    def time_line_1000_out(self):
        for _ in range(LOOP):
            LINE(LINES[1000], out=LINES_OUT[1000])

    def time_operator_100_100_out(self):
        for _ in range(LOOP):
            SQUARE_LAPLACIAN(LARGER, out=LARGER_OUT)

    def time_operator_out(self):
        for _ in range(LOOP):
            SQUARE_LAPLACIAN(SQUARE, out=SQUARE_OUT)

    def time_solve_out(self):
        for _ in range(LOOP):
            SQUARE_STEP.solve(SQUARE, out=SQUARE_OUT)

    def time_laplacian_out(self):
        for _ in range(LOOP):
            fdx.laplacian(SQUARE, SPACING, out=SQUARE_OUT)

    def time_derivative_out(self):
        for _ in range(LOOP):
            fdx.derivative(SQUARE, SPACING, out=SQUARE_OUT)

    def time_gradient_out(self):
        for _ in range(LOOP):
            fdx.gradient(SQUARE, SPACING, out=(SQUARE_OUT, SQUARE_OTHER))
