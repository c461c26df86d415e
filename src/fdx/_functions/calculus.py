"""Vector calculus: sums and sets of derivatives of one or more arrays, each in one pass."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, SupportsIndex, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fdx._arguments.arrays import as_array, result_dtype
from fdx._arguments.choices import PERIODIC, check_axes, check_boundary, numbered_errors
from fdx._arguments.coordinates import as_spacing
from fdx._common import outputs, threads
from fdx._common.types import Boundaries, Integers, Number, Scalar, T, Vector
from fdx._core import CONSTANTS, Plan, Recent, new_result
from fdx._functions.kept import MAX_KEPT, MAX_WEIGHTS, NoKeyError, from_key, key_of
from fdx._operators import plans
from fdx._operators.operator import Diff, Operator
from fdx._operators.terms import Term

MAX_OUTPUTS = 64  # of the C core in one pass

LAPLACIAN, HESSIAN = Recent(of_vectors=False), Recent(of_vectors=False)
DIVERGENCE, CURL, JACOBIAN = [Recent(of_vectors=True) for _ in range(3)]

Array = np.ndarray[Any, Any]
Outputs = Sequence[Sequence[tuple[int, Term]]]


class Grid:
    """The axes to differentiate along, with their spacings, accuracy and boundaries."""

    def __init__(
        self,
        ndim: int,
        spacing: Sequence[Any],
        axis: Any,
        accuracy: Any,
        boundary: Any,
        period: Any,
    ) -> None:
        self.axes = check_axes(axis, ndim)
        n = len(self.axes)
        self.several = ["spacing"] if len(spacing) > 1 else []  # arguments with a value per axis
        names = [f"spacing[{k}]" for k in range(len(spacing))] if self.several else ["spacing"]
        given = [
            as_spacing(value, name)
            for value, name in zip(spacing, names[: len(spacing)], strict=True)
        ]
        if len(spacing) == 0:
            self.spacing = [1.0] * n
        elif len(spacing) == 1 and np.ndim(given[0]) == 0:
            self.spacing = given * n
        elif len(spacing) == n:
            self.spacing = given
        else:
            got = f"{len(spacing)} arguments"
            if len(spacing) == 1:
                got = f"one array of shape {np.shape(given[0])}; for {n} axes pass {n} arguments"
            raise TypeError(
                f"spacing: expected no argument, one number, or one number or array of coordinates "
                f"for each of {n} axes, got {got}"
            )
        self.accuracy = accuracy
        check_not_per_axis(boundary, period, n)
        self.boundary = self._per_axis(boundary, "boundary")
        self.period = self._per_axis(period, "period")
        if period is not None and not isinstance(period, list):
            periodic = []
            for k, sides in enumerate(self.boundary):
                with numbered_errors(k, self.several):
                    periodic.append(check_boundary(sides)[0] == PERIODIC)
            if any(periodic):
                self.period = [period if there else None for there in periodic]
        self._diffs: dict[tuple[int, int], Operator] = {}

    def _per_axis(self, value: Any, name: str) -> list[Any]:
        """A list has one value for each axis; anything else is a value for all axes."""
        n = len(self.axes)
        if not isinstance(value, list):
            return [value] * n
        if len(value) != n:
            raise ValueError(f"{name}: expected a list of {n}, one for each axis, got {len(value)}")
        self.several.append(name)
        return value

    def diff(self, k: int, deriv: int = 1) -> Operator:
        found = self._diffs.get((k, deriv))
        if found is None:
            with numbered_errors(k, self.several):
                found = self._diffs[k, deriv] = Diff(
                    self.axes[k],
                    self.spacing[k],
                    deriv=deriv,
                    accuracy=self.accuracy,
                    boundary=self.boundary[k],
                    period=self.period[k],
                )
        return found


def check_not_per_axis(boundary: Any, period: Any, n: int) -> None:
    """Refuse tuples meant as one value per axis: a tuple is a left and a right boundary."""
    if isinstance(period, tuple):
        raise TypeError(
            f"period: expected a number, or a list of one for each axis, got {period!r}"
            + (f"; write period={list(period)!r}" if len(period) == n else "")
        )
    if not isinstance(boundary, tuple) or len(boundary) != n or n == 1:
        return
    expected = f"boundary: expected a list of {n}, one for each axis, got {boundary!r}; write "
    if n > 2 or not all(isinstance(side, str) for side in boundary):
        raise ValueError(f"{expected}{list(boundary)!r}")
    if boundary[0] != boundary[1]:  # else it is the same, whichever was meant
        raise ValueError(
            f"{expected}{list(boundary)!r} if they are those of the first and of the second axis, "
            f"{[boundary, boundary]!r} if they are the left and the right one of both"
        )


def make(what: Callable[..., Outputs], count: int, shape: tuple[int, ...], *grid: Any) -> Plan:
    """The plan of a function's outputs for `count` inputs of a shape."""
    return plans.make_plan(what(Grid(len(shape), *grid), count), shape)


@lru_cache(maxsize=64, typed=True)
def plan_of_constants(
    what: Callable[..., Outputs],
    count: int,
    shape: tuple[int, ...],
    axis: Any,
    accuracy: Any,
    boundary: Any,
    period: Any,
    *spacing: Any,
) -> Plan:
    return make(what, count, shape, spacing, axis, accuracy, boundary, period)


@lru_cache(maxsize=MAX_KEPT)
def plan_of_key(what: Callable[..., Outputs], count: int, shape: tuple[int, ...], key: Any) -> Plan:
    return make(what, count, shape, *from_key(key))


def plan_of(
    what: Callable[..., Outputs],
    count: int,
    shape: tuple[int, ...],
    spacing: tuple[Any, ...],
    axis: Any,
    accuracy: Any,
    boundary: Any,
    period: Any,
) -> Plan:
    """The plan of `make`; a small one is kept for later calls with the same arguments."""
    if CONSTANTS.issuperset(map(type, (axis, accuracy, boundary, period, *spacing))):
        return plan_of_constants(what, count, shape, axis, accuracy, boundary, period, *spacing)
    grid = spacing, axis, accuracy, boundary, period
    if type(accuracy) is int:
        # Each axis may have a derivative for each component, and for each other axis.
        points = sum([h.size for h in spacing if type(h) is np.ndarray])
        if points * (accuracy + 3) * max(count, len(shape)) <= MAX_WEIGHTS:
            with contextlib.suppress(NoKeyError):
                return plan_of_key(what, count, shape, key_of(grid))
    return make(what, count, shape, *grid)


def numbered(source: int, operator: Operator) -> list[tuple[int, Term]]:
    return [(source, term) for term in operator._terms]


def components(F: Any, name: str = "F") -> Any:
    """The components of a vector field: a sequence of arrays, or one array with the components
    along its first axis. All have one shape and result dtype."""
    whole: Array | None = None
    if isinstance(F, (list, tuple)):
        found = [as_array(a, f"{name}[{k}]") for k, a in enumerate(F)]
        if not found:
            raise ValueError(f"{name}: expected at least one component, got none")
    else:
        whole = as_array(F, name)
        if whole.ndim < 2:
            raise ValueError(
                f"{name}: expected a sequence of arrays, or one with the components along its "
                f"first axis, got an array of shape {whole.shape}"
            )
        found = list(whole)
        if not found:
            raise ValueError(f"{name}: expected at least one component, got shape {whole.shape}")
    for k, a in enumerate(found):
        if a.shape != found[0].shape:
            raise ValueError(
                f"{name}[{k}]: expected the shape of {name}[0], {found[0].shape}, got {a.shape}"
            )
        if result_dtype(a).newbyteorder("=") != result_dtype(found[0]).newbyteorder("="):
            raise TypeError(
                f"{name}[{k}]: expected the dtype of {name}[0], {found[0].dtype}, got {a.dtype}"
            )
    # An array is split into components later, when no code of other arguments can resize it.
    return found if whole is None else whole


def stacked_result(like: Array, counts: tuple[int, ...], shape: tuple[int, ...]) -> Array:
    """A new array of shape (*counts, *shape), each component in the memory order of `like`."""
    order = sorted(range(like.ndim), key=lambda d: -abs(like.strides[d]))
    whole = np.empty((*counts, *(shape[d] for d in order)), result_dtype(like))
    back = np.argsort(order)
    n = len(counts)
    return whole.transpose(*range(n), *(n + int(d) for d in back))


def run(
    plan: Plan,
    ins: Any,
    counts: tuple[int, ...],
    out: Array | None,
    workers: SupportsIndex | None,
) -> Array:
    """Apply a plan. Its outputs are, in order, the components of a new array of shape (*counts,
    *plan.out_shape), or of `out`, which is returned; or those of the upper triangle of a matrix,
    which is symmetric."""
    workers = threads.count(workers)  # the last code of an argument; views are taken after it
    result = plan.quick(ins, counts, out, workers)
    if result is not None:
        return result
    ins = list(ins)
    first = ins[0] if ins else None
    if first is None or first.shape != plan.in_shape:
        raise ValueError("f: expected an array that keeps its shape during the call")
    plans.check_single(plan, first, "f")
    first_touch = out is None
    if out is not None:
        outputs.arrays(out, (*counts, *plan.out_shape), 1, result_dtype(first))
    elif counts:
        out = stacked_result(first, counts, plan.out_shape)
    else:
        out = new_result(first, plan.out_shape)
    whole = out[0] if isinstance(out, (tuple, list)) else out
    parts = [whole[index] for index in np.ndindex(*counts)] if counts else [whole]
    if plan.noutputs == len(parts):
        plans.run(plan, ins, parts, first_touch, workers)
        return out
    n = counts[0]
    upper = [parts[i * n + j] for i in range(n) for j in range(i, n)]
    plans.run(plan, ins, upper, first_touch, workers)
    for i in range(n):
        for j in range(i):
            parts[i * n + j][...] = parts[j * n + i]
    return out


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
        The axes to sum over, by default all.
    accuracy : int, optional
        The order of accuracy, even, 2 or more.
    boundary : str or tuple of str, or list of these, optional
        "one-sided", "periodic", "valid", "reflect", "symmetric", "reflect-odd" or "symmetric-odd",
        as `fdx.Diff` explains them, or a pair (left, right), for all axes; or a list with one for
        each axis. For two axes a pair has to be in a list, ``[pair, pair]``, as a pair alone could
        also mean one boundary for each axis. With "valid" the result has the points that all
        derivatives have.
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
    result = LAPLACIAN.call(f, spacing, axis, accuracy, boundary, period, out, workers)
    if result is not None:
        return result
    f = as_array(f)
    plan = plan_of(laplacian_terms, 1, f.shape, spacing, axis, accuracy, boundary, period)
    result = run(plan, [f], (), out, workers)
    LAPLACIAN.remember(spacing, axis, accuracy, boundary, period, plan, ())
    return result


def laplacian_terms(grid: Grid, count: int) -> Outputs:
    return [[pair for k in range(len(grid.axes)) for pair in numbered(0, grid.diff(k, 2))]]


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
    result = DIVERGENCE.call(F, spacing, axis, accuracy, boundary, period, out, workers)
    if result is not None:
        return result
    parts = components(F)
    plan = plan_of(
        divergence_terms, len(parts), parts[0].shape, spacing, axis, accuracy, boundary, period
    )
    result = run(plan, parts, (), out, workers)
    DIVERGENCE.remember(spacing, axis, accuracy, boundary, period, plan, ())
    return result


def divergence_terms(grid: Grid, count: int) -> Outputs:
    check_count(count, grid)
    return [[pair for k in range(count) for pair in numbered(k, grid.diff(k))]]


def check_count(count: int, grid: Grid) -> None:
    if count != len(grid.axes):
        raise ValueError(f"F: expected {len(grid.axes)} components, one for each axis, got {count}")


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
    result = CURL.call(F, spacing, axis, accuracy, boundary, period, out, workers)
    if result is not None:
        return result
    parts = components(F)
    shape, count = parts[0].shape, len(parts)
    plan = plan_of(curl_terms, count, shape, spacing, axis, accuracy, boundary, period)
    counts = () if count == 2 else (3,)
    result = run(plan, parts, counts, out, workers)
    CURL.remember(spacing, axis, accuracy, boundary, period, plan, counts)
    return result


def curl_terms(grid: Grid, count: int) -> Outputs:
    if len(grid.axes) not in (2, 3):
        raise ValueError(f"axis: expected 2 or 3 axes for a curl, got {len(grid.axes)}")
    check_count(count, grid)

    def one(i: int, j: int) -> list[tuple[int, Term]]:
        return numbered(j, grid.diff(i)) + numbered(i, -grid.diff(j))

    return [one(0, 1)] if count == 2 else [one((k + 1) % 3, (k + 2) % 3) for k in range(3)]


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
    result = HESSIAN.call(f, spacing, axis, accuracy, boundary, period, out, workers)
    if result is not None:
        return result
    f = as_array(f)
    plan = plan_of(hessian_terms, 1, f.shape, spacing, axis, accuracy, boundary, period)
    n = math.isqrt(2 * plan.noutputs)  # of n (n + 1) / 2 outputs
    result = run(plan, [f], (n, n), out, workers)
    HESSIAN.remember(spacing, axis, accuracy, boundary, period, plan, (n, n))
    return result


def hessian_terms(grid: Grid, count: int) -> Outputs:
    n = len(grid.axes)
    if n * (n + 1) // 2 > MAX_OUTPUTS:
        raise ValueError(f"axis: expected at most 10 axes for a Hessian, got {n}")
    return [
        numbered(0, grid.diff(i, 2) if i == j else grid.diff(i) @ grid.diff(j))
        for i in range(n)
        for j in range(i, n)
    ]


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
    result = JACOBIAN.call(F, spacing, axis, accuracy, boundary, period, out, workers)
    if result is not None:
        return result
    parts = components(F)
    shape, count = parts[0].shape, len(parts)
    per_pass = max(1, MAX_OUTPUTS // parts[0].ndim)  # components

    def pass_of(number: int) -> Plan:
        return plan_of(jacobian_terms, number, shape, spacing, axis, accuracy, boundary, period)

    if count <= per_pass:
        plan = pass_of(count)
        counts = count, plan.noutputs // count
        result = run(plan, parts, counts, out, workers)
        JACOBIAN.remember(spacing, axis, accuracy, boundary, period, plan, counts)
        return result
    plan = pass_of(1)
    workers = threads.count(workers)
    whole = (count, plan.noutputs, *plan.out_shape)
    if out is None:
        out = stacked_result(parts[0], whole[:2], plan.out_shape)
    (target,) = outputs.arrays(out, whole, 1, result_dtype(parts[0]))
    parts = outputs.apart(parts, [target])
    for at in range(0, count, per_pass):
        some = parts[at : at + per_pass]
        here = target[at : at + per_pass]
        run(pass_of(len(some)), some, (len(some), whole[1]), here, workers)
    return out


def jacobian_terms(grid: Grid, count: int) -> Outputs:
    return [numbered(i, grid.diff(j)) for i in range(count) for j in range(len(grid.axes))]
