"""Vector calculus: sums and sets of derivatives of one or more arrays, each in one pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, SupportsIndex, overload

from numpy.typing import ArrayLike, NDArray

from fdx._arguments.arrays import fields_of, result_dtype
from fdx._common import outputs, threads
from fdx._common.types import Boundaries, Integers, Number, Scalar, T, Vector
from fdx._core import Plan, Recent
from fdx._functions import fields
from fdx._functions.fields import Outputs, of_scalar, of_vector
from fdx._functions.grid import Grid
from fdx._operators.operator import Operator
from fdx._operators.plans import apply, stacked_result
from fdx._operators.terms import Term

MAX_OUTPUTS = 64  # of the C core in one pass


def numbered(source: int, operator: Operator) -> list[tuple[int, Term]]:
    return [(source, term) for term in operator._terms]


def by_axis(grid: Grid) -> list[int]:
    """The numbers of the axes, in the order of the axes: their derivatives are added in it, as
    those of operators are, whatever the order of `axis`."""
    return sorted(range(len(grid.axes)), key=lambda k: grid.axes[k])


def laplacian_terms(count: int, ndim: int | None, *given: Any) -> Outputs:
    grid = Grid(ndim, *given)
    return [[pair for k in by_axis(grid) for pair in numbered(0, grid.diff(k))]]


LAPLACIAN = of_scalar(laplacian_terms)


@overload
def laplacian(
    f: Scalar[T],
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[T] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[T]: ...
@overload
def laplacian(
    f: ArrayLike,
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]: ...
def laplacian(
    f: ArrayLike,
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]:
    """
    The Laplacian of a scalar field: the sum of its second derivatives, in one pass.

    Parameters
    ----------
    f : array_like
        Values on a grid: integers, float32, float64, complex64 or complex128, in any layout.
    *spacing : float or array_like of shape (n,), optional
        As in `fdx.gradient`: nothing for 1 on each axis; one number for all axes; or for each
        axis of `axis`, in its order, a number or the coordinates of its n points.
    axis : int or tuple of int, optional
        The axes to sum over, by default all. Their order only says which spacing is whose.
    accuracy : int, optional
        The order of accuracy, even, 2 or more.
    boundary : str or tuple of str, or list of these, optional
        "one-sided", "periodic", "valid", "reflect", "symmetric", "reflect-odd", "symmetric-odd",
        "zero" or "antisymmetric", as `fdx.Diff` explains them, or a pair (left, right), for all
        axes; or a list with one for each axis. For two axes a pair has to be in a list, ``[pair,
        pair]``, as a pair alone could also mean one boundary for each axis. With "valid" the result
        has the points that all derivatives have.
    period : float or list of float, optional
        With coordinates and "periodic", as in `fdx.Diff`: a number for all periodic axes, or a
        list with one for each axis, None for axes that are not periodic.
    out : ndarray, optional
        Where to write the result: of its shape and dtype, any strides. Inputs that share memory
        with it are copied first.
    workers : int, optional
        Number of threads, as in `fdx.gradient`.

    Returns
    -------
    ndarray
        Of the shape of `f`, except with "valid"; of its dtype if that is floating point, else
        float64. Its unit is that of `f` over that of the spacing squared.

    Raises
    ------
    ValueError, numpy.exceptions.AxisError, FloatingPointError
        As `fdx.derivative` for each axis; for lists that do not have one value for each axis; for
        no axis at all.
    TypeError
        As `fdx.derivative`; for a number of spacings that is not 0, 1 or the number of axes.

    Warns
    -----
    RuntimeWarning
        For overflow and invalid values, as `numpy.errstate` asks for.

    See Also
    --------
    fdx.Diff : The same as an operator: ``Diff(0, dx)**2 + Diff(1, dy)**2``.
    fdx.hessian : Each of the second derivatives.

    Notes
    -----
    Second derivatives have the centred stencil of ``accuracy + 1`` points on uniform axes, and the
    boundary stencils of `boundary` at the ends, with "one-sided" of the same order.

    Time is proportional to the size of `f`, and grows with `accuracy`. No memory that grows with
    the array is allocated, except for the result, for weights on uneven coordinates, and for copies
    of what shares memory with `out`.

    Examples
    --------
    >>> import numpy as np, fdx
    >>> x, y = np.meshgrid(np.arange(4.0), np.arange(5.0), indexing="ij")
    >>> fdx.laplacian(x**2 + 3 * y**2)[1, 1]
    np.float64(8.0)
    """
    return LAPLACIAN.call(f, spacing, axis, 2, accuracy, boundary, period, out, workers)


def divergence_terms(count: int, ndim: int | None, *given: Any) -> Outputs:
    grid = Grid(ndim, *given)
    check_count(count, grid)
    return [[pair for k in by_axis(grid) for pair in numbered(k, grid.diff(k))]]


DIVERGENCE = of_vector(divergence_terms)


@overload
def divergence(
    F: Vector[T],
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[T] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[T]: ...
@overload
def divergence(
    F: ArrayLike | Sequence[ArrayLike],
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]: ...
def divergence(
    F: ArrayLike | Sequence[ArrayLike],
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]:
    """
    The divergence of a vector field: the sum of dF[k]/dx_k, in one pass.

    Parameters
    ----------
    F : sequence of array_like, or array_like of shape (d, ...)
        The components, all of one shape and one dtype (integers count as float64); F[k] is the
        component along the k-th axis of `axis`.
    *spacing, axis, accuracy, boundary, period, out, workers : optional
        As in `fdx.laplacian`; axes are those of a component.

    Returns
    -------
    ndarray
        Of the shape of a component, except with "valid"; of its dtype if that is floating point,
        else float64. Its unit is that of the components over that of the spacing.

    Raises
    ------
    ValueError, TypeError, numpy.exceptions.AxisError, FloatingPointError
        As `fdx.laplacian`; for components of different shapes (ValueError) or dtypes (TypeError),
        or not as many as axes.

    Warns
    -----
    RuntimeWarning
        For overflow and invalid values, as `numpy.errstate` asks for.

    See Also
    --------
    fdx.curl : The rotation of a vector field.
    fdx.jacobian : Each of the first derivatives.

    Examples
    --------
    >>> import numpy as np, fdx
    >>> x, y = np.meshgrid(np.arange(4.0), np.arange(5.0), indexing="ij")
    >>> fdx.divergence([3 * x, y**2])[1]
    array([ 3.,  5.,  7.,  9., 11.])
    """
    return DIVERGENCE.call(F, spacing, axis, 1, accuracy, boundary, period, out, workers)


def check_count(count: int, grid: Grid) -> None:
    if count != len(grid.axes):
        raise ValueError(f"F: expected {len(grid.axes)} components, one for each axis, got {count}")


def curl_terms(count: int, ndim: int | None, *given: Any) -> Outputs:
    grid = Grid(ndim, *given)
    if len(grid.axes) not in (2, 3):
        raise ValueError(f"axis: expected 2 or 3 axes for a curl, got {len(grid.axes)}")
    check_count(count, grid)

    def one(i: int, j: int) -> list[tuple[int, Term]]:
        return numbered(j, grid.diff(i)) + numbered(i, -grid.diff(j))

    return [one(0, 1)] if count == 2 else [one((k + 1) % 3, (k + 2) % 3) for k in range(3)]


CURL = of_vector(curl_terms, lambda count, noutputs: () if count == 2 else (3,))


@overload
def curl(
    F: Vector[T],
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[T] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[T]: ...
@overload
def curl(
    F: ArrayLike | Sequence[ArrayLike],
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]: ...
def curl(
    F: ArrayLike | Sequence[ArrayLike],
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]:
    """
    The curl of a vector field in two or three dimensions, in one pass.

    Parameters
    ----------
    F : sequence of array_like, or array_like of shape (d, ...)
        The 2 or 3 components, all of one shape and one dtype (integers count as float64); F[k]
        is the component along the k-th axis of `axis`. For a velocity ``u`` along x and ``v``
        along y in arrays indexed ``[y, x]``, the vorticity is ``curl([u, v], dx, dy, axis=(1,
        0))``; ``curl([v, u], dy, dx)``, in the order of the axes (y, x), is its negative.
    *spacing, axis, accuracy, boundary, period, out, workers : optional
        As in `fdx.laplacian`; axes are those of a component, 2 or 3 of them.

    Returns
    -------
    ndarray
        In two dimensions dF[1]/dx_0 - dF[0]/dx_1, of the shape of a component, except with
        "valid"; in three, of shape (3, ...), component k being dF[k+2]/dx_{k+1} -
        dF[k+1]/dx_{k+2} with numbers modulo 3. Dtype and unit are as in `fdx.divergence`.

    Raises
    ------
    ValueError, TypeError, numpy.exceptions.AxisError, FloatingPointError
        As `fdx.divergence`; ValueError for a number of axes other than 2 or 3.

    Warns
    -----
    RuntimeWarning
        For overflow and invalid values, as `numpy.errstate` asks for.

    See Also
    --------
    fdx.divergence : The sum of each component's derivative along its axis.
    fdx.jacobian : Each of the first derivatives.

    Examples
    --------
    The vorticity of a rigid rotation is twice its angular velocity:

    >>> import numpy as np, fdx
    >>> x, y = np.meshgrid(np.arange(4.0), np.arange(5.0), indexing="ij")
    >>> fdx.curl([-y, x])[2]
    array([2., 2., 2., 2., 2.])
    """
    return CURL.call(F, spacing, axis, 1, accuracy, boundary, period, out, workers)


def hessian_terms(count: int, ndim: int | None, *given: Any) -> Outputs:
    grid = Grid(ndim, *given)
    n = len(grid.axes)
    if n * (n + 1) // 2 > MAX_OUTPUTS:
        raise ValueError(f"axis: expected at most 10 axes for a Hessian, got {n}")
    return [
        numbered(0, grid.diff(i) if i == j else grid.diff(i, 1) @ grid.diff(j, 1))
        for i in range(n)
        for j in range(i, n)
    ]


def hessian_counts(count: int, noutputs: int) -> tuple[int, ...]:
    n = math.isqrt(2 * noutputs)  # of n (n + 1) / 2 outputs
    return n, n


HESSIAN = of_scalar(hessian_terms, hessian_counts)


@overload
def hessian(
    f: Scalar[T],
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[T] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[T]: ...
@overload
def hessian(
    f: ArrayLike,
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]: ...
def hessian(
    f: ArrayLike,
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]:
    """
    The Hessian of a scalar field: all of its second derivatives, in one pass.

    Parameters
    ----------
    f : array_like
        Values on a grid: integers, float32, float64, complex64 or complex128, in any layout.
    *spacing, axis, accuracy, boundary, period, out, workers : optional
        As in `fdx.laplacian`.

    Returns
    -------
    ndarray of shape (d, d, ...)
        Element [i, j] is the derivative along axes i and j of the d axes of `axis`. Dtype and unit
        are as in `fdx.laplacian`.

    Raises
    ------
    ValueError, TypeError, numpy.exceptions.AxisError, FloatingPointError
        As `fdx.laplacian`.

    Warns
    -----
    RuntimeWarning
        For overflow and invalid values, as `numpy.errstate` asks for.

    See Also
    --------
    fdx.laplacian : The sum of the second derivatives on the diagonal.
    fdx.jacobian : First derivatives.

    Notes
    -----
    On the diagonal are second derivatives, not first derivatives taken twice, so that the trace is
    `fdx.laplacian` up to rounding. Each mixed derivative is the product of two first derivatives,
    computed once and copied.

    Examples
    --------
    >>> import numpy as np, fdx
    >>> x, y = np.meshgrid(np.arange(4.0), np.arange(5.0), indexing="ij")
    >>> fdx.hessian(x**2 * y)[:, :, 1, 2]
    array([[4., 2.],
           [2., 0.]])
    """
    return HESSIAN.call(f, spacing, axis, 2, accuracy, boundary, period, out, workers)


def jacobian_terms(count: int, ndim: int | None, *given: Any) -> Outputs:
    grid = Grid(ndim, *given)
    return [numbered(i, grid.diff(j)) for i in range(count) for j in range(len(grid.axes))]


def jacobian_counts(count: int, noutputs: int) -> tuple[int, ...]:
    return count, noutputs // count


def prepare_jacobian(
    F: Any, *grid: Any
) -> tuple[
    Any,
    Plan | None,
    tuple[int, ...] | tuple[tuple[int, Plan], ...],
    tuple[Any, ...] | None,
]:
    """As in `fields.of_vector`: the plan, if one pass takes all components; otherwise those of
    several passes, each with the number of its first component."""
    parts = fields_of(F, "F", grid[0])
    count, shape = len(parts), parts[0].shape
    per_pass = max(1, MAX_OUTPUTS // len(shape))  # components

    def plan_of(count: int) -> tuple[Plan, tuple[Any, ...] | None]:
        return fields.plan_of(jacobian_terms, count, shape, *grid)

    if count <= per_pass:
        plan, spacing = plan_of(count)
        return parts, plan, jacobian_counts(count, plan.noutputs), spacing
    firsts = range(0, count, per_pass)
    plans = tuple((at, plan_of(min(per_pass, count - at))[0]) for at in firsts)
    return parts, None, plans, None


def apply_jacobian(plan: Plan | None, parts: Any, counts: Any, out: Any, workers: Any) -> Any:
    if plan is not None:
        return fields.apply(plan, parts, counts, out, workers)
    workers = threads.count(workers)
    first: Plan = counts[0][1]
    whole = (len(parts), first.noutputs // first.ninputs, *first.out_shape)
    if out is None:
        out = stacked_result(parts[0], whole[:2], first.out_shape)
    (target,) = outputs.arrays(out, whole, 1, result_dtype(parts[0]))
    parts = outputs.apart(parts, [target])
    one: Plan
    for at, one in counts:
        here = slice(at, at + one.ninputs)
        some = jacobian_counts(one.ninputs, one.noutputs)
        apply(one, parts[here], some, target[here], workers, "f")
    return out


JACOBIAN = Recent(prepare_jacobian, apply_jacobian, True)


@overload
def jacobian(
    F: Vector[T],
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[T] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[T]: ...
@overload
def jacobian(
    F: ArrayLike | Sequence[ArrayLike],
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]: ...
def jacobian(
    F: ArrayLike | Sequence[ArrayLike],
    *spacing: ArrayLike,
    axis: Integers | None = None,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries | list[Boundaries] = "one-sided",
    period: Number | list[Number | None] | None = None,
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]:
    """
    The Jacobian of a vector field: every component's derivative along every axis, in one pass.

    Parameters
    ----------
    F : sequence of array_like, or array_like of shape (m, ...)
        The components, any number of them, all of one shape and one dtype (integers count as
        float64).
    *spacing, axis, accuracy, boundary, period, out, workers : optional
        As in `fdx.laplacian`; axes are those of a component.

    Returns
    -------
    ndarray of shape (m, d, ...)
        Element [i, j] is dF[i]/dx_j, along the j-th of the d axes of `axis`. Dtype and unit are as
        in `fdx.divergence`.

    Raises
    ------
    ValueError, TypeError, numpy.exceptions.AxisError, FloatingPointError
        As `fdx.laplacian`; for components of different shapes (ValueError) or dtypes (TypeError).

    Warns
    -----
    RuntimeWarning
        For overflow and invalid values, as `numpy.errstate` asks for.

    See Also
    --------
    fdx.gradient : First derivatives of one array, with the bits of `numpy.gradient`.
    fdx.divergence : The trace, for as many components as axes.

    Examples
    --------
    >>> import numpy as np, fdx
    >>> x, y = np.meshgrid(np.arange(4.0), np.arange(5.0), indexing="ij")
    >>> fdx.jacobian([x * y, x + 2 * y])[:, :, 1, 2]
    array([[2., 1.],
           [1., 2.]])

    All first derivatives of one array:

    >>> f_x, f_y = fdx.jacobian([x * y**2])[0]
    >>> f_x[1, 2], f_y[1, 2]
    (np.float64(4.0), np.float64(4.0))
    """
    return JACOBIAN.call(F, spacing, axis, 1, accuracy, boundary, period, out, workers)
