"""Operators as SciPy's sparse matrices and linear operators."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fdx._core import Plan

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import LinearOperator

Array = np.ndarray[Any, Any]


def scipy_sparse() -> Any:
    try:
        import scipy.sparse
        import scipy.sparse.linalg
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "scipy is missing, which has sparse matrices and their eigenvalues; "
            "install it: pip install scipy"
        ) from error
    return scipy.sparse


def of_plan(plan: Plan) -> csr_array:
    """The matrix of a plan, for its inputs and outputs one after the other.

    Entries are computed as the plan computes them for unit vectors: a stage's entry times that of
    the stages before, then times the coefficient; terms are added in their order.
    """
    sparse = scipy_sparse()
    blocks: list[list[Any]] = [[None] * plan.ninputs for _ in range(plan.noutputs)]
    for source, target, stages, shift in plan.terms():
        shape = list(plan.in_shape)
        term = None
        for axis, band, coefficient in stages:
            if band is not None:
                rows, columns, values = band.entries()
                one = sparse.csr_array((values, (rows, columns)), shape=band.shape)
                before = sparse.eye_array(int(np.prod(shape[:axis])), format="csr")
                after = sparse.eye_array(int(np.prod(shape[axis + 1 :])), format="csr")
                stage = sparse.kron(before, sparse.kron(one, after, format="csr"), format="csr")
                stage.sort_indices()
                term = stage if term is None else stage @ term
                shape[axis] = band.shape[0]
            if coefficient is not None:
                values = np.ascontiguousarray(coefficient, np.float64).ravel()
                stage = sparse.diags_array(values, format="csr")
                term = stage if term is None else stage @ term
        if term is None:
            term = sparse.eye_array(int(np.prod(shape)), format="csr")
        if tuple(shape) != plan.out_shape:
            kept = tuple(slice(s, s + n) for s, n in zip(shift, plan.out_shape, strict=True))
            numbers = np.arange(int(np.prod(shape))).reshape(shape)[kept].ravel()
            term = sparse.csr_array(term)[numbers]
        total = blocks[target][source]
        blocks[target][source] = term if total is None else total + term
    result = sparse.csr_array(sparse.block_array(blocks))
    result.sort_indices()
    return result


def linear_operator(
    applied: Callable[[Array], Any],
    adjoint: Callable[[Array], Any] | None,
    shape: tuple[int, ...],
    out_shape: tuple[int, ...],
) -> LinearOperator:
    """Functions of arrays, from `shape` to `out_shape` and back, as functions of vectors."""

    def of_vectors(function: Callable[[Array], Any], shape: tuple[int, ...]) -> Any:
        return lambda v: function(np.asarray(v).reshape(shape)).ravel()

    return scipy_sparse().linalg.LinearOperator(
        (math.prod(out_shape), math.prod(shape)),
        matvec=of_vectors(applied, shape),
        rmatvec=None if adjoint is None else of_vectors(adjoint, out_shape),
        dtype=np.float64,
    )
