"""`derivative`: any derivative of one array along one axis."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from typing import Any, SupportsIndex, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fdx._arguments import as_array, check_axis
from fdx._kept import CONSTANTS, FEW, MAX_WEIGHTS, NotKnownAgainError, as_given, fixed
from fdx._operators import Diff
from fdx._types import Boundaries, Number, Scalar, T


@lru_cache(maxsize=128, typed=True)
def diff_of_constants(
    axis: int,
    spacing: Any,
    deriv: Any,
    accuracy: Any,
    boundary: Any,
    period: Any,
) -> Diff:
    return Diff(axis, spacing, deriv=deriv, accuracy=accuracy, boundary=boundary, period=period)


@lru_cache(maxsize=FEW)
def diff_of_coordinates(shape: tuple[int, ...], axis: int, known: Any) -> Diff:
    """It is used for one shape only, so that weights are kept for as many shapes as Diffs are."""
    spacing, deriv, accuracy, boundary, period = as_given(known)
    return Diff(axis, spacing, deriv=deriv, accuracy=accuracy, boundary=boundary, period=period)


def make_diff(
    shape: tuple[int, ...],
    axis: int,
    spacing: Any,
    deriv: Any,
    accuracy: Any,
    boundary: Any,
    period: Any,
) -> Diff:
    """A Diff, the same one for the same arguments: its plans are made once."""
    sides = boundary if type(boundary) is tuple else (boundary,)
    if {type(spacing), type(deriv), type(accuracy), type(period), *map(type, sides)} <= CONSTANTS:
        return diff_of_constants(axis, spacing, deriv, accuracy, boundary, period)
    if type(spacing) is np.ndarray and type(deriv) is type(accuracy) is int:
        weights = spacing.size * (deriv + accuracy + 1)
        with contextlib.suppress(NotKnownAgainError):
            if weights <= MAX_WEIGHTS:
                known = fixed((spacing, deriv, accuracy, boundary, period))
                return diff_of_coordinates(shape, axis, known)
    return Diff(axis, spacing, deriv=deriv, accuracy=accuracy, boundary=boundary, period=period)


@overload
def derivative(
    f: Scalar[T],
    spacing: ArrayLike = 1.0,
    *,
    axis: SupportsIndex = -1,
    deriv: SupportsIndex = 1,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries = "one-sided",
    period: Number | None = None,
    out: NDArray[T] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[T]: ...
@overload
def derivative(
    f: ArrayLike,
    spacing: ArrayLike = 1.0,
    *,
    axis: SupportsIndex = -1,
    deriv: SupportsIndex = 1,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries = "one-sided",
    period: Number | None = None,
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]: ...
def derivative(
    f: ArrayLike,
    spacing: ArrayLike = 1.0,
    *,
    axis: SupportsIndex = -1,
    deriv: SupportsIndex = 1,
    accuracy: SupportsIndex = 2,
    boundary: Boundaries = "one-sided",
    period: Number | None = None,
    out: NDArray[Any] | None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[Any]:
    """
    The derivative of an array along an axis: any derivative, accuracy, boundary and grid.

    Parameters
    ----------
    f : array_like
        Values on a grid: integers, float32, float64, complex64 or complex128, in any layout.
    spacing : float or array_like of shape (n,), optional
        The distance between points, or the coordinates of the n points along `axis`, which have
        to rise or to fall throughout.
    axis : int, optional
        The axis to differentiate along, by default the last.
    deriv : int, optional
        Which derivative, from 1 on.
    accuracy : int, optional
        The order of the error, even, from 2 on: halving the spacing divides the error by 2 to
        this power, also at the ends and on uneven grids. A stencil has at most 64 points.
    boundary : str or tuple of str, optional
        What is at the two ends, or as a pair at the left and at the right one: "one-sided",
        "periodic", "valid", "reflect", "symmetric", "reflect-odd" or "symmetric-odd", as
        `fdx.Diff` explains them.
    period : float, optional
        With coordinates and "periodic": the length of the axis, after which x[0] comes again, so
        more than they span; of even ones n times their distance, unless the last is at another
        one from the first. With a spacing it may be left out; if given, it has to be n times that.
    out : ndarray, optional
        Where to write the result: of its shape and dtype, any strides. It may share memory with
        `f`, which is then copied first.
    workers : int, optional
        How many threads may share the work, as in `fdx.gradient`; no matter for the result's
        bits.

    Returns
    -------
    ndarray
        `out`, or a new array: of the shape of `f`, with "valid" shorter along `axis`; of the
        dtype of `f` if that is floating point, else float64; in the unit of `f` over that of the
        spacing to the power `deriv`.

    Raises
    ------
    ValueError
        For an axis with fewer points than the stencil takes (never a lower accuracy instead; the
        message says how many it needs); an odd `accuracy`; stencils of more than 64 points; a
        zero spacing; coordinates that are not as many as the points, or neither rise nor fall
        throughout; an unknown `boundary`; a `period` that does not fit, as `fdx.Diff`
        explains it; an `out` of another shape, read-only, or whose elements overlap; weights that
        over- or underflow, in single precision where that is the dtype of the result.
    TypeError
        For another dtype of `f`; for arguments that would lose something as arrays and numbers: a
        mask under which there is something, a unit, labels, chunks, as subclasses of ndarray and
        arrays of other libraries have (the message says what to pass instead); an `out` of
        another dtype; arguments that are no integers or real numbers.
    numpy.exceptions.AxisError
        For an axis that `f` does not have.
    FloatingPointError
        If `numpy.errstate` asks for it, after `out` has been written; all others come before, and
        name the argument, what was expected and what came.

    Warns
    -----
    RuntimeWarning
        For overflow and invalid values, as `numpy.errstate` asks for.

    See Also
    --------
    fdx.gradient : First derivatives along several axes, with the bits of `numpy.gradient`; at
        the ends less accurate, unless ``edge_order=2``.
    fdx.jacobian : First derivatives along several axes at any accuracy: ``jacobian([f], ...)[0]``.
    fdx.Diff : The same as an operator, to be applied again and to be added to others.
    fdx.weights : The weights that it has at a point.

    Notes
    -----
    Weights are those of the polynomial through the points of a stencil [1]_. Interior points have
    the centred stencil of the fewest points, on a uniform grid
    ``2 * ((deriv + 1) // 2 + accuracy // 2) - 1``, on an uneven one
    ``2 * ((deriv + accuracy) // 2) + 1``. With "one-sided", the points next to an end take the
    ``deriv + accuracy`` points that are nearest to the end. Sums are made in the precision of `f`:
    in float32 for float32 data, in half the time, which adds about half of the error that
    rounding the data has made already. They are sums of differences, as `fdx.Diff` tells: the
    derivative of a constant is exactly 0, and an offset of all values costs no digit.
    Integers become float64 first, as in `numpy.gradient`: of ``2**60 + numpy.arange(4)`` it is 0.
    Coordinates are used at their precision: what a float64 does not hold, as of long doubles, large
    integers and fractions, is taken less the first coordinate.

    Coordinates that are even but for rounding, as from `numpy.linspace`, count as a spacing,
    except with "valid", so that the length of the result does not depend on their values, and
    except with a `period` that is not n times their distance. On
    uneven grids even derivatives take one point more to either side than on uniform ones, and
    reach a higher accuracy where the grid is smooth.

    Time is proportional to the size of `f`. For uneven grids weights are made, as many as the axis
    has points times those of a stencil. Up to half a MiB of them is kept for each of the last 16
    arrays of coordinates, which are known again by their values; a `fdx.Diff` keeps any.

    References
    ----------
    .. [1] B. Fornberg, Generation of finite difference formulas on arbitrarily spaced grids,
       Mathematics of Computation 51 (1988) 699-706.

    Examples
    --------
    >>> import numpy as np
    >>> import fdx
    >>> x = np.arange(8) * (2 * np.pi / 8)
    >>> fdx.derivative(np.sin(x), x[1], accuracy=6, boundary="periodic").round(3)
    array([ 0.999,  0.706,  0.   , -0.706, -0.999, -0.706, -0.   ,  0.706])
    >>> fdx.derivative(x**3, x[1], deriv=2).round(6)
    array([ 0.      ,  4.712389,  9.424778, 14.137167, 18.849556, 23.561945,
           28.274334, 32.986723])

    Only where the stencil fits, as next to a halo:

    >>> fdx.derivative([0.0, 1.0, 4.0, 9.0], boundary="valid")
    array([2., 4.])
    """
    f = as_array(f)
    axis = check_axis(axis, f.ndim)
    D = make_diff(f.shape, axis, spacing, deriv, accuracy, boundary, period)
    return D._named(f, out, workers, "f")
