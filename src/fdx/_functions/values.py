"""Vector calculus as values: the operators on fields whose calls the functions are."""

from __future__ import annotations

import math
from typing import SupportsIndex

from numpy.typing import ArrayLike

from fdx._arguments.choices import check_axes_alone, check_integer
from fdx._common.types import Boundaries, Integers, Number
from fdx._functions import calculus
from fdx._functions.fields import Outputs
from fdx._operators.block import Block, check_size, of_rows
from fdx._operators.operator import Operator, from_terms

BoundaryOfAxes = Boundaries | list[Boundaries]
PeriodOfAxes = Number | list[Number | None] | None


def rows_of(outputs: Outputs, count: int) -> list[tuple[Operator | None, ...]]:
    """Outputs as functions have them, as rows of operators for `count` inputs."""
    check_size(len(outputs), count)
    rows = []
    for row in outputs:
        entries = [[term for source, term in row if source == j] for j in range(count)]
        rows.append(tuple(from_terms(terms) if terms else None for terms in entries))
    return rows


def counts_of(*numbers: int) -> tuple[int, ...]:
    """A single result, or a single field, has no axis of its own."""
    return () if math.prod(numbers) == 1 else numbers


def Laplacian(
    axis: Integers,
    *spacing: ArrayLike,
    accuracy: SupportsIndex = 2,
    boundary: BoundaryOfAxes = "one-sided",
    period: PeriodOfAxes = None,
) -> Operator:
    """
    The Laplacian along some axes, as an operator.

    Parameters
    ----------
    axis : int or tuple of int
        The axes to sum over, all counted from the first or all from the last one.
    *spacing, accuracy, boundary, period : optional
        As in `fdx.laplacian`, whose calls are calls of this operator.

    Returns
    -------
    Operator
        The sum of the second derivatives.

    Raises
    ------
    ValueError, TypeError
        As `fdx.laplacian`.

    See Also
    --------
    fdx.laplacian : The same of an array.

    Examples
    --------
    >>> import fdx
    >>> fdx.Laplacian((0, 1), 0.5) == fdx.Diff(0, 0.5, deriv=2) + fdx.Diff(1, 0.5, deriv=2)
    True
    """
    check_axes_alone(axis)
    (row,) = calculus.laplacian_terms(1, None, spacing, axis, 2, accuracy, boundary, period)
    return from_terms(term for _, term in row)


def Gradient(
    axis: Integers,
    *spacing: ArrayLike,
    accuracy: SupportsIndex = 2,
    boundary: BoundaryOfAxes = "one-sided",
    period: PeriodOfAxes = None,
) -> Block:
    """
    The first derivatives along some axes, as an operator.

    Parameters
    ----------
    axis : int or tuple of int
        The axes, all counted from the first or all from the last one.
    *spacing, accuracy, boundary, period : optional
        As in `fdx.laplacian`.

    Returns
    -------
    Block
        From a field to its derivatives along the d axes, an array of shape (d, ...); along one axis
        to that derivative itself.

    Raises
    ------
    ValueError, TypeError
        As `fdx.laplacian`.

    See Also
    --------
    fdx.gradient : A function with `numpy.gradient`'s stencils at boundaries, and its bits.

    Examples
    --------
    >>> import numpy as np, fdx
    >>> x, y = np.meshgrid(np.arange(4.0), np.arange(5.0), indexing="ij")
    >>> fdx.Gradient((0, 1))(x * y)[:, 1, 2]
    array([2., 1.])
    """
    n = len(check_axes_alone(axis))
    outputs = calculus.jacobian_terms(1, None, spacing, axis, 1, accuracy, boundary, period)
    return of_rows(rows_of(outputs, 1), (), counts_of(n))


def Divergence(
    axis: Integers,
    *spacing: ArrayLike,
    accuracy: SupportsIndex = 2,
    boundary: BoundaryOfAxes = "one-sided",
    period: PeriodOfAxes = None,
) -> Block:
    """
    The divergence of a vector field, as an operator.

    Parameters
    ----------
    axis : int or tuple of int
        The axes of the components, all counted from the first or all from the last one.
    *spacing, accuracy, boundary, period : optional
        As in `fdx.divergence`, whose calls are calls of this operator.

    Returns
    -------
    Block
        From as many components as axes to one field.

    Raises
    ------
    ValueError, TypeError
        As `fdx.laplacian`.

    See Also
    --------
    fdx.divergence : The same of arrays.

    Examples
    --------
    >>> import fdx
    >>> fdx.Divergence((0, 1))
    block([[Diff(0), Diff(1)]])
    """
    n = len(check_axes_alone(axis))
    outputs = calculus.divergence_terms(n, None, spacing, axis, 1, accuracy, boundary, period)
    return of_rows(rows_of(outputs, n), counts_of(n), ())


def Curl(
    axis: Integers,
    *spacing: ArrayLike,
    accuracy: SupportsIndex = 2,
    boundary: BoundaryOfAxes = "one-sided",
    period: PeriodOfAxes = None,
) -> Block:
    """
    The curl of a vector field in two or three dimensions, as an operator.

    Parameters
    ----------
    axis : tuple of int
        The 2 or 3 axes of the components, all counted from the first or all from the last one.
    *spacing, accuracy, boundary, period : optional
        As in `fdx.curl`, whose calls are calls of this operator.

    Returns
    -------
    Block
        From two components to one field, or from three to three.

    Raises
    ------
    ValueError, TypeError
        As `fdx.curl`.

    See Also
    --------
    fdx.curl : The same of arrays.
    fdx.block : For boundaries that differ from component to component, as at a mirror.

    Examples
    --------
    >>> import fdx
    >>> fdx.Curl((0, 1))
    block([[-Diff(1), Diff(0)]])
    """
    n = len(check_axes_alone(axis))
    outputs = calculus.curl_terms(n, None, spacing, axis, 1, accuracy, boundary, period)
    return of_rows(rows_of(outputs, n), (n,), counts_of(len(outputs)))


def Jacobian(
    axis: Integers,
    *spacing: ArrayLike,
    components: SupportsIndex | None = None,
    accuracy: SupportsIndex = 2,
    boundary: BoundaryOfAxes = "one-sided",
    period: PeriodOfAxes = None,
) -> Block:
    """
    Every component's derivative along every axis, as an operator.

    Parameters
    ----------
    axis : int or tuple of int
        The axes, all counted from the first or all from the last one.
    *spacing : float or array_like, optional
        As in `fdx.jacobian`, whose calls are calls of this operator.
    components : int, optional
        How many there are, by default as many as axes.
    accuracy, boundary, period : optional
        As in `fdx.jacobian`.

    Returns
    -------
    Block
        From m components to an array of shape (m, d, ...), for d axes.

    Raises
    ------
    ValueError, TypeError
        As `fdx.jacobian`; for more than 64 derivatives.

    See Also
    --------
    fdx.jacobian : The same of arrays.

    Examples
    --------
    >>> import numpy as np, fdx
    >>> J = fdx.Jacobian((0, 1), components=3)
    >>> J(np.zeros((3, 4, 5))).shape
    (3, 2, 4, 5)
    """
    n = len(check_axes_alone(axis))
    m = n if components is None else check_integer(components, "components", "an integer from 1", 1)
    check_size(m * n, m)
    outputs = calculus.jacobian_terms(m, None, spacing, axis, 1, accuracy, boundary, period)
    return of_rows(rows_of(outputs, m), (m,), (m, n))


def Hessian(
    axis: Integers,
    *spacing: ArrayLike,
    accuracy: SupportsIndex = 2,
    boundary: BoundaryOfAxes = "one-sided",
    period: PeriodOfAxes = None,
) -> Block:
    """
    All second derivatives along some axes, as an operator.

    Parameters
    ----------
    axis : int or tuple of int
        The axes, all counted from the first or all from the last one.
    *spacing, accuracy, boundary, period : optional
        As in `fdx.hessian`, whose calls are calls of this operator.

    Returns
    -------
    Block
        From a field to an array of shape (d, d, ...), for d axes. Mixed derivatives are computed
        once.

    Raises
    ------
    ValueError, TypeError
        As `fdx.hessian`; for more than 8 axes.

    See Also
    --------
    fdx.hessian : The same of an array.

    Examples
    --------
    >>> import numpy as np, fdx
    >>> x, y = np.meshgrid(np.arange(4.0), np.arange(5.0), indexing="ij")
    >>> fdx.Hessian((0, 1))(x**2 * y)[:, :, 1, 2]
    array([[4., 2.],
           [2., 0.]])
    """
    n = len(check_axes_alone(axis))
    check_size(n * n, 1)
    outputs = calculus.hessian_terms(1, None, spacing, axis, 2, accuracy, boundary, period)
    pairs = [(i, j) for i in range(n) for j in range(i, n)]
    upper = dict(zip(pairs, rows_of(outputs, 1), strict=True))
    rows = [upper[min(i, j), max(i, j)] for i in range(n) for j in range(n)]
    return of_rows(rows, (), (n, n))
