"""`derivative`: any derivative of one array along one axis."""

from __future__ import annotations

from typing import Any, SupportsIndex, overload

from numpy.typing import ArrayLike, NDArray

from fdx._arguments.choices import check_axis
from fdx._common.types import Number, Scalar, T
from fdx._functions.fields import Outputs, of_scalar
from fdx._operators.conditions import Ends, has_condition
from fdx._operators.schemes import Diff


def terms(
    count: int, ndim: int, spacing: tuple[Any], axis: Any, deriv: Any, accuracy: Any, *ends: Any
) -> Outputs:
    number = check_axis(axis, ndim)
    boundary, period = ends
    D = Diff(number, *spacing, deriv=deriv, accuracy=accuracy, boundary=boundary, period=period)
    return [[(0, term) for term in D._terms]]


DERIVATIVE = of_scalar(terms)


@overload
def derivative(
    f: Scalar[T],
    spacing: ArrayLike = 1.0,
    *,
    axis: SupportsIndex = -1,
    deriv: SupportsIndex = 1,
    accuracy: SupportsIndex = 2,
    boundary: Ends = "one-sided",
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
    boundary: Ends = "one-sided",
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
    boundary: Ends = "one-sided",
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
        The distance between points, or the coordinates of the n points along `axis`, strictly
        increasing or decreasing.
    axis : int, optional
        The axis to differentiate along, by default the last.
    deriv : int, optional
        The order of the derivative, 1 or more.
    accuracy : int, optional
        The order of accuracy, even, 2 or more: halving the spacing divides the error by 2 to
        this power, also at the ends and on uneven grids. A stencil has at most 64 points.
    boundary : str, fdx.Dirichlet, fdx.Neumann, fdx.Robin or a tuple of two of these, optional
        The boundary condition at both ends, or a pair for the left and the right end:
        "one-sided", "periodic", "valid", "reflect", "symmetric", "reflect-odd", "symmetric-odd",
        "zero" or "antisymmetric", as `fdx.Diff` explains them, or a value or slope that is given.
    period : float, optional
        With coordinates and "periodic": the length of the axis, after which x[0] comes again. It
        has to be more than the coordinates span; for evenly spaced ones it is n times their
        spacing, unless there is a gap between the last and the first. More than 8 times the span
        plus the widest distance is an error. With a spacing it may be left out; if given, it has to
        be n times the spacing.
    out : ndarray, optional
        Where to write the result: of its shape and dtype, any strides. It may share memory with
        `f`, which is then copied first.
    workers : int, optional
        Number of threads, as in `fdx.gradient`; the result has the same bits for any number.

    Returns
    -------
    ndarray
        `out`, or a new array: of the shape of `f`, with "valid" shorter along `axis`; of the
        dtype of `f` if that is floating point, else float64. Its unit is that of `f` over that of
        the spacing to the power `deriv`.

    Raises
    ------
    ValueError
        For an axis with fewer points than the stencil takes (the accuracy is never lowered; the
        message says how many points are needed); an odd `accuracy`; stencils of more than 64
        points; a zero spacing; coordinates that are not as many as the points, or not strictly
        increasing or decreasing; an unknown `boundary`; a `period` that does not fit, as
        `fdx.Diff` explains it; an `out` of another shape, read-only, or whose elements overlap;
        weights that over- or underflow, in single precision where that is the dtype of the result.
    TypeError
        For another dtype of `f`; for arguments that are more than arrays and numbers, with masked
        elements, a unit, labels or chunks, such as subclasses of ndarray and arrays of other
        libraries (the message says what to pass instead); an `out` of another dtype; arguments
        that are not integers or real numbers.
    numpy.exceptions.AxisError
        For an axis that `f` does not have.
    FloatingPointError
        If `numpy.errstate` asks for it, after `out` has been written; all other errors are raised
        before, and name the argument, what was expected and what was given.

    Warns
    -----
    RuntimeWarning
        For overflow and invalid values, as `numpy.errstate` asks for.

    See Also
    --------
    fdx.gradient : First derivatives along several axes, with the bits of `numpy.gradient`; at
        the ends less accurate, unless ``edge_order=2``.
    fdx.jacobian : First derivatives along several axes at any accuracy: ``jacobian([f], ...)[0]``.
    fdx.Diff : The same as an operator, which can be applied repeatedly and added to others.
    fdx.weights : The weights of a derivative at a point.

    Notes
    -----
    Weights are those of the polynomial through the points of a stencil [1]_. Interior points have
    the centred stencil of the fewest points: on a uniform grid
    ``2 * ((deriv + 1) // 2 + accuracy // 2) - 1``, on an uneven one
    ``2 * ((deriv + accuracy) // 2) + 1``. With "one-sided", points next to an end use the
    ``deriv + accuracy`` points nearest to the end. Sums are computed in the precision of `f`: in
    float32 for float32 data, in half the time, which adds about half of the error that rounding
    the data to float32 has caused already. They are sums of differences, as in `fdx.Diff`: the
    derivative of a constant is exactly 0, and a constant offset of all values costs no digits.
    Integers are converted to float64 first, as in `numpy.gradient`: the derivative of
    ``2**60 + numpy.arange(4)`` is 0. Coordinates are used at their precision: if a float64 does not
    hold them exactly, as for long doubles, large integers and fractions, the first coordinate is
    subtracted from all.

    Coordinates that are evenly spaced up to rounding, as from `numpy.linspace`, count as a spacing.
    There are two exceptions: with "valid", so that the length of the result does not depend on
    their values, and with a `period` that is not n times their spacing. On uneven grids even
    derivatives use one point more on either side than on uniform ones, and are more accurate than
    `accuracy` where the grid is smooth.

    Time is proportional to the size of `f`. On uneven grids weights are computed, the number of
    points along the axis times the number of points of a stencil. Up to half a MiB of weights is
    kept for each of the last 32 arrays of coordinates, which are compared by value; a `fdx.Diff`
    keeps weights of any size.

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

    Only at points where the stencil fits, as next to ghost cells:

    >>> fdx.derivative([0.0, 1.0, 4.0, 9.0], boundary="valid")
    array([2., 4.])
    """
    if type(boundary) is not str and has_condition(boundary):
        D = Diff(axis, spacing, deriv=deriv, accuracy=accuracy, boundary=boundary, period=period)
        return D(f, out=out, workers=workers)
    return DERIVATIVE.call(f, (spacing,), axis, deriv, accuracy, boundary, period, out, workers)
