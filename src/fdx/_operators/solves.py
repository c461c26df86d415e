"""Solves: operators along one axis as banded matrices, which the C core factorises once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from fdx._arguments.arrays import result_dtype
from fdx._common import outputs, threads
from fdx._core import NotFinite, Plan, Singular, Solver, new_result
from fdx._operators import pictures
from fdx._operators.coefficients import Coefficient
from fdx._operators.plans import Numbers, apply, make_plan
from fdx._operators.terms import Factor, Term, axes_of, is_affine

Array = np.ndarray[Any, Any]
Key = tuple[int, int, int]
Made = tuple[tuple[bytes, ...], Solver]  # of what was in arrays of coefficients


def only_axis(terms: Sequence[Term], ndim: int) -> int:
    """The axis of an operator along one; 0 for a multiple of the identity."""
    axes = {normalize_axis_index(axis, ndim) for axis in axes_of(terms)}
    if len(axes) > 1:
        raise ValueError(
            f"solve: expected an operator along one axis, got {pictures.written(terms)} along axes "
            f"{', '.join(map(str, sorted(axes)))}; solve along one axis after the other (ADI), or "
            f"write {iterative(terms)}"
        )
    return axes.pop() if axes else 0


def iterative(terms: Sequence[Term]) -> str:
    """SciPy's solution of A x = b, as code."""
    if is_affine(terms):
        given = "A.linear.as_linear_operator(b.shape), (b - A.offset(b.shape)).ravel()"
    else:
        given = "A.as_linear_operator(b.shape), b.ravel()"
    return f"scipy.sparse.linalg.bicgstab({given})"


def of_one_dimension(term: Term, axis: int, ndim: int, given: Sequence[Term]) -> Term:
    """The same for arrays of one dimension, along the axis of arrays of `ndim`, with copies of
    coefficients: another thread may write to them meanwhile."""

    def one(factor: Factor) -> Factor:
        if not isinstance(factor, Coefficient):
            return replace(factor, axis=0)
        values = factor.values
        shape = (1,) * (ndim - values.ndim) + values.shape
        if len(shape) > ndim or math.prod(shape) != shape[axis]:
            raise ValueError(
                "solve: expected arrays of coefficients that vary along the operator's axis only, "
                f"{axis}, so that all lines have one matrix: for b of {ndim} dimensions of shape "
                f"{shape_along(axis, ndim, 'n')}, got one of shape {values.shape}; write "
                f"c.reshape{shape_along(axis, ndim, '-1')}, or for others {iterative(given)}"
            )
        return Coefficient(values.reshape(shape[axis]).copy(), factor.sign)

    return Term(term.scale, tuple(map(one, term.factors)))


def shape_along(axis: int, ndim: int, length: str) -> str:
    """The shape of coefficients that vary along an axis, as code."""
    lengths = [length if d == axis else "1" for d in range(ndim)]
    return f"({', '.join(lengths)}{',' * (ndim == 1)})"


def numbers_of(terms: Sequence[Term]) -> tuple[bytes, ...]:
    """What is in arrays of coefficients."""
    factors = (f for term in terms for f in term.factors)
    return tuple(f.values.tobytes() for f in factors if isinstance(f, Coefficient))


def factorise(terms: Sequence[Term], n: int, given: Sequence[Term]) -> Solver:
    """The solver for terms of one dimension, of n points; `given` are those of the operator."""
    plan = make_plan([[(0, term) for term in terms]], (n,))
    if plan.out_shape != plan.in_shape:
        raise ValueError(
            "solve: expected an operator with as many results as points, got "
            f"{pictures.written(given)}, which has {plan.out_shape[0]} for {n} points; if values "
            "next to the array are known, give them by boundary=fdx.Dirichlet(values, outside=1)"
        )
    try:
        return Solver(plan)
    except Singular as error:
        point, pivot, size, condition = error.args
        grow = f"rounding errors grow {condition:.1e} times, and "
        if condition == math.inf:
            grow = "solutions overflow, and " if abs(pivot) > 1e-300 else ""
        raise np.linalg.LinAlgError(
            f"solve: expected an operator with an inverse, got {pictures.written(given)}, whose "
            f"matrix for {n} points is singular up to rounding: {grow}at point {point} the pivot "
            f"is {pivot:.3g}, in a row of size {size:.3g}{advice(plan, point)}"
        ) from None
    except NotFinite:
        raise ValueError(
            "solve: expected an operator of finite numbers, got arrays of coefficients with NaN or "
            "infinity, or products that overflow"
        ) from None


def advice(plan: Plan, point: int) -> str:
    """What there is to say of a singular matrix."""

    def applied(u: Array) -> float:
        with np.errstate(all="ignore"):
            return float(abs(apply(plan, [u], (), None, 1, "u")).max())

    n = plan.in_shape[0]
    any_values = np.random.default_rng(0).normal(size=n)
    if applied(np.eye(1, n, point)[0]) == 0 < applied(any_values):
        return (
            f". No result depends on point {point}: if fdx.Dirichlet gives its value, write "
            "outside=1, and leave it out of the unknowns"
        )
    if applied(np.ones(n)) <= 1e-9 * applied(any_values) != 0:
        return (
            ". It does not determine a constant: give a value at a boundary, or add a multiple of "
            "fdx.Identity(); if there is a solution (see Closed walls in docs/recipes.md), write "
            "(c * A + (1 - c) * fdx.Identity()).solve(c * b) for the one that is 0 at a point, "
            "with c = 0 there and 1 elsewhere, of as many dimensions as b"
        )
    return ""


def solve(
    solver: Solver, b: Array, axis: int, out: Any, workers: Any, numbers: Numbers | None
) -> Array:
    """Solve for checked `b`, and check `out`."""
    workers = threads.count(workers)
    dtype = result_dtype(b)
    if out is None:
        x = out = new_result(b, b.shape)
    else:
        (x,) = outputs.arrays(out, b.shape, 1, dtype)
        same = x.dtype == b.dtype and x.strides == b.strides and x.ctypes.data == b.ctypes.data
        if x is not b and not same:
            (b,) = outputs.apart([b], [x])
    if not solver.solve(b, x, axis, workers, numbers):
        raise ValueError(
            "b: expected double precision, as there are numbers that single precision cannot hold, "
            "or its rounding errors would be as large as the solution, "
            f"got {b.dtype}; pass b.astype(float)"
        )
    result: Array = out
    return result
