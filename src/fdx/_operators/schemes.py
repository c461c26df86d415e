"""The operators that users create: derivatives, interpolations, stencils of one's own, and the
identity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fdx._arguments.arrays import POINTS, as_plain
from fdx._arguments.choices import (
    BOUNDARIES,
    CENTER,
    INNER,
    LEFT,
    OUTER,
    PERIODIC,
    POSITIONS,
    RIGHT,
    SBP,
    VALID,
    check_accuracy,
    check_boundary,
    check_integer,
    check_one_axis,
    check_position,
    check_shape,
    check_side,
)
from fdx._arguments.coordinates import check_coordinates, check_period, precision_of
from fdx._arguments.reals import check_exact, check_number, nearest
from fdx._common.text import shown
from fdx._common.types import Boundaries, Number, Position, Side
from fdx._core import even_spacing, sbp_norm
from fdx._operators.conditions import Ends, check_datum, check_ends
from fdx._operators.filters import MAX_ORDER, Binomial
from fdx._operators.operator import KINDS, Operator
from fdx._operators.terms import Leaf, Row, Scheme, Term, check_points, leaf_of_scheme
from fdx._operators.upwind import Upstream

Array = np.ndarray[Any, Any]

MAX_WEIGHTS = 255  # of a row


def points_along(
    spacing: Any,
    boundary: Any,
    left: int,
    right: int,
    period: Any,
    position: int = CENTER,
    at: Any = None,
) -> dict[str, Any]:
    """The members of a leaf that say where the points of its axis are, and its results."""
    given = period
    if period is not None:
        period = check_number(period, "period")
        if left != PERIODIC:
            raise ValueError(
                f"period: expected None with boundary={boundary!r}, got {period}; "
                "it is for boundary='periodic'"
            )
    x, points, closeness, of_results = None, None, 1e-9, None
    plain = None if type(spacing) is float else as_plain(spacing, "spacing", POINTS)
    if plain is None or plain.ndim == 0:
        h = check_number(spacing, "spacing")
        if period is not None:
            period = math.copysign(period, h)
            closeness = max(closeness, *(4 * precision_of(a) for a in (spacing, given)))
    else:
        with np.errstate(all="ignore"):  # they may span more than a float64 holds
            x, precision = check_coordinates(spacing, plain)
            points = len(x)
            if left == PERIODIC:
                period = check_period(x, period, precision, given)
                even = even_spacing(x, precision, period, precision_of(given))
            else:
                even = even_spacing(x, precision)
            h = x[1] - x[0] if even is None else even
        if at is not None:
            if (x != nearest(plain)).any():
                raise ValueError(
                    "at: expected None with coordinates that a float64 does not hold, got "
                    f"{shown(at)}; subtract the first coordinate from both"
                )
            of_results = check_at(at, x, position, period if left == PERIODIC else None).tobytes()
        elif even is not None and VALID not in (left, right):
            x = None  # with "valid" the result's length must not depend on values
    if at is not None and of_results is None:
        raise ValueError(
            f"at: expected None with a spacing that is a number, got {shown(at)}; pass the "
            "coordinates of the points as spacing"
        )
    return {
        "spacing": float(h),
        "coordinates": None if x is None else (x + 0.0).tobytes(),  # which converts -0 to 0
        "points": points,
        "period": period,
        "closeness": closeness,
        "at": of_results,
    }


def check_at(given: Any, x: Array, position: int, period: float | None) -> Array:
    """Coordinates of results as float64: each between those of the points next to it, in steps
    from the first result on."""
    if position == CENTER:
        raise ValueError(
            "at: expected None with position='center', where results are at the points, got "
            f"{shown(given)}; write position='inner', 'outer', 'left' or 'right'"
        )
    a = check_exact(given, "at")
    before = position in (OUTER, LEFT)  # is there a result before the first point?
    n = len(x) + (position == OUTER) - (position == INNER)
    if a.shape != (n,):
        raise ValueError(
            f"at: expected {n} coordinates with position={POSITIONS[position]!r}, one for each "
            f"result, got an array of shape {a.shape}"
        )
    at = nearest(a)
    outside = -math.inf if x[1] > x[0] else math.inf
    ends = (outside, -outside) if period is None else (x[-1] - period, x[0] + period)
    nodes = np.concatenate((ends[:1] * before, x, ends[1:] * (position in (OUTER, RIGHT))))
    low, high = np.minimum(nodes[:-1], nodes[1:]), np.maximum(nodes[:-1], nodes[1:])
    wrong = ~(np.isfinite(at) & (low <= at) & (at <= high))
    if wrong.any():
        i = int(np.argmax(wrong))
        raise ValueError(
            f"at: expected coordinates between those of the points, got {at[i]} at [{i}], which is "
            f"not between {nodes[i]} and {nodes[i + 1]}"
        )
    return at + 0.0


class Diff(Operator):
    """
    The derivative along one axis, as an operator.

    Parameters
    ----------
    axis : int
        The axis of the arrays that it is applied to; negative ones count from the last.
    spacing : float or array_like of shape (n,), optional
        The distance between points, or the coordinates of the n points, strictly increasing or
        decreasing: real numbers of any type, including fractions and decimals. If a float64 does
        not hold them exactly, the first coordinate is subtracted from all, which keeps their
        distances.
    deriv : int, optional
        The order of the derivative, 1 or more.
    accuracy : int, optional
        The order of accuracy, even, or odd with a `side`: the error decreases as the spacing to
        this power. A stencil has at most 64 points.
    boundary : str, fdx.Dirichlet, fdx.Neumann, fdx.Robin or a tuple of two of these, optional
        The boundary condition at both ends of the axis, or a pair for the left and the right end. A
        value or a slope that is given: `fdx.Dirichlet`, `fdx.Neumann`, `fdx.Robin`. Others:

        - "one-sided": none; the stencils of the outer points are shifted inward, and have the
          same accuracy.
        - "periodic": the axis closes on itself, point n being point 0.
        - "valid": the result has only the points where the centred stencil fits.
        - "reflect", "symmetric": f is even about the last point, or about a wall half a spacing
          outside of it, as `numpy.pad` pads with these modes (a Neumann condition).
        - "reflect-odd": f minus its value at the last point is odd about that point (a Dirichlet
          condition there).
        - "symmetric-odd": as `numpy.pad` pads with ``reflect_type="odd"``, which subtracts the
          value of the last point although the wall is half a spacing outside. Smooth functions
          with a slope at the wall do not have this symmetry, and derivatives there do not converge.
        - "zero": f is 0 outside, as `numpy.pad` pads with constants. With accuracy 2, f is 0 one
          spacing outside of the last point.
        - "antisymmetric": f is odd about a wall half a spacing outside, where it is 0 (a Dirichlet
          condition for values at the centres of cells).
        - "sbp": none, as "one-sided", but summation by parts holds in a norm, `fdx.Diff.norm`:
          advection with an inflow stays stable for all times, where "one-sided" closures have
          growing modes from accuracy 4 on. For the first and the second derivative of accuracy 2,
          4, 6 or 8, at both ends and on a uniform spacing. The closures have half of the accuracy;
          solutions, with a condition at the boundary, one order more than that.
    period : float, optional
        With coordinates and "periodic": the length of the axis, after which x[0] comes again. It
        has to be more than the coordinates span. If evenly spaced coordinates have a period that
        is not n times their spacing, the spacing across the ends is another one, as for 365 days
        in a year of 365.25; more than twice n times the spacing is an error. For uneven ones so
        is more than 8 times their span plus their widest distance. With a spacing it may be left
        out; if given, it has to be n times the spacing.
    position : {"center", "inner", "outer", "left", "right"}, optional
        Where the results are, on a staggered grid:

        - "center": at the n points.
        - "inner": at the n - 1 midpoints between them.
        - "outer": at n + 1 places, between the points and half a spacing outside either end.
        - "left", "right": at n places, half a spacing before or after each point.

        Stencils are symmetric about the result; the first derivative of accuracy 2 is
        ``numpy.diff(f) / h`` for "inner". With "periodic" it is "left" or "right" (or "center").
        Of uneven coordinates the places are the midpoints, and stencils of more than two points
        have up to two more than on even ones.
    at : array_like, optional
        With coordinates and a `position` other than "center": the coordinates of the results, if
        they are not midpoints, such as cell centres between faces. One for each result ("valid"
        removes some of them later), each between the points next to it. Stencils have up to two
        points more than for midpoints.
    side : {"left", "right"}, optional
        Biased stencils, for upwind schemes: one point further to this side than they would be
        around the result, with an odd `accuracy`. At a "one-sided" end stencils are shifted inward,
        so that at an inflow they are downwind ones.

    Raises
    ------
    ValueError
        For a zero spacing; coordinates that are not strictly increasing or decreasing; a `deriv`
        below 1; an `accuracy` that is not even and at least 2, or with a `side` odd; stencils of
        more than 64 points; an unknown `boundary`, `position` or `side`, or "periodic" on one side
        only, or with "inner" or "outer"; a `side` with a position other than "center"; a `period`
        that is missing, not more than the coordinates span, or more than twice n times the spacing
        of evenly spaced ones. An axis that is too short, a `period` that is not n times a spacing,
        and weights that over- or underflow are errors when the operator is applied.
    TypeError
        For arguments that are not integers or real numbers, or are more than these, such as
        masked coordinates and coordinates with a unit.

    See Also
    --------
    fdx.derivative : The same for one array.
    fdx.Interp : Values between the points.
    fdx.Stencil : Weights of one's own.
    fdx.Operator : What operators can do: sums, products, transposes, matrices.
    fdx.weights : The weights of a stencil.

    Notes
    -----
    For points at distances :math:`d_j` from the point whose n-th derivative is computed, Taylor's
    expansion requires weights with :math:`\\sum_j w_j d_j^k / k! = 1` for :math:`k = n`, and 0 for
    the other :math:`k` from 0 to the number of points minus 1. They are those of the polynomial
    through the points (Fornberg 1988 [1]_). With a spacing they are correctly rounded, except for
    the centre weight, which compensates the rounding of the others.

    Sums are of differences. On a uniform spacing, odd derivatives sum ``f[i+j] - f[i-j]`` and even
    ones ``(f[i+j] - f[i]) - (f[i] - f[i-j])``; all others sum ``f[i+j] - f[i]``, where at a
    midpoint `i` is the point before it. So the derivative
    of a constant is exactly 0, except next to ends that are "zero" or "antisymmetric" or have a
    value that is given, and a constant offset of all values, such as the mean of a pressure in
    float32, costs no digits.
    ``D**n`` is the n-th derivative of this accuracy (but for positions other than "center", where
    it is D applied n times). ``D @ D`` is the first derivative taken twice,
    which is 0 for a zigzag, a function whose sign alternates from point to point.

    Coordinates that are evenly spaced up to rounding, as from `numpy.linspace`, count as a spacing,
    except with "valid" and "sbp", and with a `period` that is not n times their spacing. Evenly
    spaced up to rounding means that each is where it should be within four roundings of the largest
    one in the dtype that they have, and within a thousandth of their spacing: float32 coordinates
    may be off by more than the same numbers in float64. To be certain, pass the spacing as a
    number.

    References
    ----------
    .. [1] B. Fornberg, Generation of finite difference formulas on arbitrarily spaced grids,
       Mathematics of Computation 51 (1988) 699-706.

    Examples
    --------
    >>> import numpy as np, fdx
    >>> x = np.linspace(0.0, 1.0, 6)
    >>> D = fdx.Diff(0, 0.2)
    >>> D(x**2).round(12)
    array([0. , 0.4, 0.8, 1.2, 1.6, 2. ])
    >>> (D**2)(x**2).round(12)
    array([2., 2., 2., 2., 2., 2.])

    A sum is computed in one pass; with `out` no memory is allocated:

    >>> dx, dy = 0.1, 0.2
    >>> laplacian = fdx.Diff(0, dx) ** 2 + fdx.Diff(1, dy) ** 2
    >>> u = np.ones((20, 10))
    >>> v = np.empty_like(u)
    >>> laplacian(u, out=v) is v
    True
    >>> v.any()
    np.False_

    Diffusion with a coefficient `c` at the midpoints and walls that nothing passes: fluxes ``c *
    D(u)`` between the points, and what flows in minus what flows out:

    >>> D = fdx.Diff(0, 0.5, position="inner")
    >>> c = np.array([1.0, 2.0, 2.0, 1.0])
    >>> L = -(D.T @ (c * D))
    >>> L([0.0, 1.0, 0.0, 1.0, 0.0])
    array([  4., -12.,  16., -12.,   4.])
    """

    def __init__(
        self,
        axis: SupportsIndex,
        spacing: ArrayLike = 1.0,
        *,
        deriv: SupportsIndex = 1,
        accuracy: SupportsIndex = 2,
        boundary: Ends = "one-sided",
        period: Number | None = None,
        position: Position = "center",
        at: ArrayLike | None = None,
        side: Side | None = None,
    ) -> None:
        axis = check_one_axis(axis)
        deriv = check_integer(deriv, "deriv", "an integer from 1 on", 1)
        toward = check_side(side)
        accuracy = check_accuracy(accuracy, toward)
        left, right, conditions = check_ends(boundary)
        at_position = check_position(position, left)
        if toward and at_position != CENTER:
            raise ValueError(
                f"side: expected None with position={position!r}, whose stencils are symmetric "
                f"about the midpoints, got {side!r}"
            )
        leaf = Leaf(
            axis=axis,
            deriv=deriv,
            accuracy=accuracy,
            left=left,
            right=right,
            position=at_position,
            side=toward,
            conditions=conditions,
            **points_along(spacing, boundary, left, right, period, at_position, at),
        )
        check_points(leaf)
        super().__init__([Term(1.0, (leaf,))])

    def norm(self, n: SupportsIndex) -> NDArray[np.float64]:
        """
        The norm of a derivative with boundary "sbp", for n points: weights of an integral.

        Parameters
        ----------
        n : int
            The number of points along the axis.

        Returns
        -------
        ndarray of shape (n,)
            The diagonal of H, which contains the spacing's magnitude: ``norm(n) @ f`` is the
            integral of f between the first and the last point, with the derivative's accuracy.

        Raises
        ------
        ValueError
            For another boundary, and for fewer points than the derivative needs.
        TypeError
            For anything but an integer.

        See Also
        --------
        dissipation : What damps the shortest waves, in the same norm.

        Notes
        -----
        With ``H = diag(norm(n))`` and D the matrix of the first derivative of a positive spacing,
        ``H @ D + D.T @ H`` is 0 but for -1 in its first element and 1 in its last: summation by
        parts. Let a wave with speed 1 come in at the first point by a penalty there, ``-D(u)``
        minus ``(u[0] - g) / norm(n)[0]``: its energy ``norm(n) @ u**2`` grows by nothing but g.

        Examples
        --------
        >>> import numpy as np, fdx
        >>> x = np.linspace(0, np.pi, 41)
        >>> D = fdx.Diff(0, x[1] - x[0], accuracy=6, boundary="sbp")
        >>> print(f"{D.norm(41) @ np.sin(x):.8f}")
        2.00000000
        """
        leaf = self._sbp_leaf()
        (n,) = check_shape(check_integer(n, "n", "a number of points", 0))
        leaf.rows(n)
        return sbp_norm(leaf.description, n)

    def dissipation(self) -> Stencil:
        """
        The artificial dissipation that goes with a derivative of boundary "sbp".

        Returns
        -------
        Stencil
            For a spacing of 1. It is negative semidefinite in the norm, 0 for polynomials of a
            degree up to half of the accuracy, and maps a zigzag to minus itself but for the ends.

        Raises
        ------
        ValueError
            For another boundary.

        See Also
        --------
        norm : The norm.

        Notes
        -----
        ``-H**-1 @ d.T @ d / 4**m``, where d are the differences of order ``m = accuracy / 2 + 1``
        and H the norm of spacing 1 [1]_; inside, its symbol is ``-sin(theta / 2)**(2 * m)``. Add
        ``0.1 * abs(a / h)`` times it to a rate of change such as ``-a * D``: it damps what the
        derivative cannot move, and keeps the accuracy. It needs ``2 * m`` points or more.

        References
        ----------
        .. [1] K. Mattsson, M. Svard, J. Nordstrom, Stable and accurate artificial dissipation,
           Journal of Scientific Computing 21 (2004) 57-79.

        Examples
        --------
        >>> import numpy as np, fdx
        >>> R = fdx.Diff(0, accuracy=4, boundary="sbp").dissipation()
        >>> zigzag = (-1.0) ** np.arange(20)
        >>> R(zigzag)[8:12]
        array([-1.,  1., -1.,  1.])
        """
        leaf = self._sbp_leaf()
        m = leaf.accuracy // 2 + 1
        d = [(-1) ** (m - k) * math.comb(m, k) for k in range(m + 1)]
        closure = max(leaf.accuracy, m)  # rows, at most
        norm = sbp_norm(replace(leaf, spacing=1.0).description, 4 * closure)

        def row(i: int, columns: range, own: float) -> list[float]:
            """Of d.T @ d: the rows of d that fit into the axis."""
            sums = [
                sum(d[i - k] * d[j - k] for k in range(max(i, j) - m, min(i, j) + 1) if k >= 0)
                for j in columns
            ]
            return [-v / (4.0**m * own) for v in sums]

        inside = row(2 * m, range(m, 3 * m + 1), 1.0)
        first = [row(i, range(i + m + 1), norm[i]) for i in range(closure)]
        return Stencil(leaf.axis, range(-m, m + 1), inside, left=first)

    def _sbp_leaf(self) -> Leaf:
        (leaf,) = self._terms[0].factors
        assert isinstance(leaf, Leaf)
        if leaf.left != SBP:
            raise ValueError(
                "boundary: expected a derivative with boundary='sbp', which alone has a norm, got "
                f"{leaf.text()}"
            )
        return leaf


class Upwind(Operator):
    """
    A velocity times the derivative along one axis, from where the flow comes, as an operator.

    Stencils have more points on that side, so that waves are damped and do not grow.

    Parameters
    ----------
    axis : int
        The axis of the arrays that it is applied to; negative ones count from the last.
    velocity : float or array_like
        Positive towards larger coordinates: towards the end of the axis, unless the spacing is
        negative or coordinates fall. An array broadcasts to the results of the operator:
        one number for each point along axis 0 of two is ``velocity[:, None]``. It is not copied: an
        array of integers, float32 or float64, also of no dimension, may be written to from call to
        call.
    spacing : float or array_like of shape (n,), optional
        As of `fdx.Diff`.
    accuracy : int, optional
        The order of accuracy, odd: 1, 3, 5, and so on. The lower it is, the more waves are damped;
        1 smears out all but long ones.
    boundary : str, fdx.Dirichlet, fdx.Neumann, fdx.Robin or a tuple of two of these, optional
        As of `fdx.Diff`, but for "sbp". A condition is for what flows in at its end; where the flow
        leaves, results are those of "one-sided".
    period : float, optional
        As of `fdx.Diff`.

    Raises
    ------
    ValueError, TypeError
        As `fdx.Diff`, and for an even `accuracy` and a `velocity` that is not real. A velocity that
        does not broadcast is an error when the operator is applied.

    See Also
    --------
    fdx.Diff : Derivatives, with a `side` for a velocity of one sign.
    fdx.Operator : What operators can do: sums, products, transposes, matrices.

    Notes
    -----
    The result is ``max(a, 0) * Diff(side="left") + min(a, 0) * Diff(side="right")``, where a is the
    velocity: the scheme of Courant, Isaacson and Rees [1]_ and, with a higher accuracy, its
    upwind-biased relatives. With ``Identity() - dt * Upwind(...)`` as a forward Euler step and
    accuracy 1, results are bounded by their neighbours if ``dt * abs(velocity) <= h`` (of several
    axes the sum counts), with a "periodic" boundary or values given outside of the last point. A
    higher accuracy needs a Runge-Kutta step.

    This is the advective form: between waves of different velocities sums are not kept, and a shock
    does not move as it should. The flux form, which keeps the sum, is the transpose: with ``w =
    -velocity``, ``-Upwind(axis, w, h).T`` is the rate of change of what the velocity carries.

    Velocities are read at each call, once, and both products are computed in one pass with those of
    the other terms of a sum. A velocity that is NaN gives NaN. The side that the flow goes to is
    multiplied by 0, so that an infinity or NaN there spreads to the result.

    Where the flow enters at a "one-sided" end, the stencil that fits is a downwind one, and errors
    grow: give the value there as a condition.

    References
    ----------
    .. [1] R. Courant, E. Isaacson, M. Rees, On the solution of nonlinear hyperbolic differential
       equations by finite differences, Communications on Pure and Applied Mathematics 5 (1952)
       243-255.

    Examples
    --------
    >>> import numpy as np, fdx
    >>> velocity = np.array([1.0, 1.0, -1.0, -1.0])
    >>> advection = fdx.Upwind(0, velocity, boundary="periodic")
    >>> advection([0.0, 1.0, 3.0, 7.0])
    array([-7.,  1., -4.,  7.])

    The velocity may change from call to call:

    >>> velocity[:] = -velocity
    >>> advection([0.0, 1.0, 3.0, 7.0])
    array([-1., -2.,  2.,  4.])

    A value that flows in, at both ends, wherever the flow enters; it may change, too:

    >>> inflow = np.array(5.0)
    >>> sea = fdx.Dirichlet(inflow, outside=1)
    >>> tide = fdx.Upwind(0, np.array([1.0, 1.0, -1.0, -1.0]), boundary=sea)
    >>> tide([0.0, 1.0, 3.0, 7.0])
    array([-5.,  1., -4.,  2.])

    The flux form of Burgers' equation, whose velocity is u / 2, keeps the sum:

    >>> u = np.array([1.0, 2.0, 1.0, 0.0])
    >>> w = -u / 2
    >>> float((-fdx.Upwind(0, w, boundary="periodic").T)(u).sum())
    0.0

    Along two axes, in one pass:

    >>> u, v = np.ones((2, 5, 5))
    >>> transport = -fdx.Upwind(0, u, 0.1, accuracy=3) - fdx.Upwind(1, v, 0.1, accuracy=3)
    """

    def __init__(
        self,
        axis: SupportsIndex,
        velocity: ArrayLike,
        spacing: ArrayLike = 1.0,
        *,
        accuracy: SupportsIndex = 1,
        boundary: Ends = "one-sided",
        period: Number | None = None,
    ) -> None:
        axis = check_one_axis(axis)
        a = check_datum(velocity, "velocity")
        accuracy = check_accuracy(accuracy, -1, has_side=False)
        left, right, conditions = check_ends(boundary)
        if left == SBP:
            raise ValueError(
                "boundary: expected another than 'sbp', which is for centred derivatives, got "
                "'sbp'; write velocity * fdx.Diff(..., boundary='sbp'), and add its dissipation()"
            )
        leaf = Leaf(
            axis=axis,
            deriv=1,
            accuracy=accuracy,
            left=left,
            right=right,
            side=-1,
            conditions=conditions,
            **points_along(spacing, boundary, left, right, period),
        )
        upstream = Upstream(a, leaf)
        for one in upstream.leaves:
            check_points(one)
        super().__init__(upstream.terms)


class Interp(Operator):
    """
    Values between the points of one axis, as an operator.

    Parameters
    ----------
    axis : int
        The axis of the arrays that it is applied to; negative ones count from the last.
    spacing : float or array_like of shape (n,), optional
        As of `fdx.Diff`: a number, which changes no weights (unless a slope is given at an end),
        only to what wavenumbers a symbol refers; or the coordinates of the n points.
    accuracy : int, optional
        The order of accuracy, even: the error decreases as the spacing to this power. It is also
        the number of points of a stencil, at most 64.
    position : {"inner", "outer", "left", "right"}
        Where the values are, as in `fdx.Diff`: at midpoints, and half a spacing outside of the
        ends.
    at : array_like, optional
        As of `fdx.Diff`: the coordinates of the values, if they are not midpoints.
    boundary : str, fdx.Dirichlet, fdx.Neumann, fdx.Robin or a tuple of two of these, optional
        As of `fdx.Diff`.
    period : float, optional
        As of `fdx.Diff`.

    Raises
    ------
    ValueError, TypeError
        As `fdx.Diff`, and for "center", where the values are known.

    See Also
    --------
    fdx.Diff : Derivatives, also between the points.
    fdx.Operator : What operators can do: sums, products, transposes, matrices.

    Notes
    -----
    The weights are those of the polynomial through the points of the stencil [1]_: of accuracy 2
    the mean of two neighbours, of accuracy 4 ``(-f[i-1] + 9 f[i] + 9 f[i+1] - f[i+2]) / 16``. Rows
    are plain sums, so that a constant stays the same up to rounding.

    References
    ----------
    .. [1] B. Fornberg, Generation of finite difference formulas on arbitrarily spaced grids,
       Mathematics of Computation 51 (1988) 699-706.

    Examples
    --------
    >>> import fdx
    >>> fdx.Interp(0, position="inner")([0.0, 1.0, 4.0, 9.0])
    array([0.5, 2.5, 6.5])
    >>> fdx.Interp(0, accuracy=4, position="inner")([0.0, 1.0, 4.0, 9.0])
    array([0.25, 2.25, 6.25])
    """

    def __init__(
        self,
        axis: SupportsIndex,
        spacing: ArrayLike = 1.0,
        *,
        accuracy: SupportsIndex = 2,
        position: Position,
        at: ArrayLike | None = None,
        boundary: Ends = "one-sided",
        period: Number | None = None,
    ) -> None:
        axis = check_one_axis(axis)
        accuracy = check_accuracy(accuracy, 0, has_side=False)
        left, right, conditions = check_ends(boundary, of_derivatives=False)
        at_position = check_position(position, left)
        if at_position == CENTER:
            raise ValueError(
                "position: expected 'inner', 'outer', 'left' or 'right', got 'center', where the "
                "values are known; write fdx.Identity()"
            )
        leaf = Leaf(
            axis=axis,
            deriv=0,
            accuracy=accuracy,
            left=left,
            right=right,
            position=at_position,
            conditions=conditions,
            **points_along(spacing, boundary, left, right, period, at_position, at),
        )
        check_points(leaf)
        super().__init__([Term(1.0, (leaf,))])


class Filter(Operator):
    """
    A low-pass filter along one axis, as an operator: it removes zigzags.

    Parameters
    ----------
    axis : int
        The axis of the arrays that it is applied to; negative ones count from the last.
    order : {2, 4, 6, 8, 10}, optional
        The order of the filter. Polynomials of a degree below it stay the same; the higher it is,
        the fewer waves are damped. A stencil has one point more.
    boundary : str or tuple of str, optional
        As of `fdx.Diff`, but for "one-sided": there the order decreases to 2 next to the end, by 2
        from point to point, and the end point stays the same.
    strength : float, optional
        Which part of a zigzag is removed: above 0, at most 1.

    Raises
    ------
    ValueError
        For an odd `order`, or one below 2 or above 10; an unknown `boundary`, or "periodic" on one
        side only; a `strength` that is not above 0 and at most 1. An axis that is too short is an
        error when the operator is applied.
    TypeError
        For arguments that are not integers or real numbers.

    See Also
    --------
    fdx.Stencil : Filters of other weights.
    fdx.Diff : Derivatives, with a `side` for upwind schemes, which damp zigzags too.
    fdx.Operator : What operators can do: sums, products, transposes, matrices, symbols.

    Notes
    -----
    With :math:`\\delta^2 f_i = f_{i-1} - 2 f_i + f_{i+1}` the result of order 2p and strength s is
    the binomial filter of Shapiro [1]_

    .. math:: f - s (-1)^p \\delta^{2p} f / 2^{2p}

    A wave whose phase grows by :math:`\\theta` per point is multiplied by :math:`1 - s
    \\sin^{2p}(\\theta/2)`: between 1 for a constant and 1 - s for a zigzag, a function whose sign
    alternates from point to point. Eigenvalues are between 0 and 1 with each `boundary`, so that
    repeated filtering stays bounded. With "periodic" the sum of squares never grows; with
    "one-sided" it can next to an end, whose point pulls its neighbours towards its own value.

    The filter is the operator `fdx.Identity` minus a stencil of differences, so that a constant
    stays the same, without rounding, except next to ends that are "zero" or "antisymmetric".
    Weights are exact. With strength 1 a zigzag gives 0 where the order is not lowered: exactly if
    its amplitude has few digits, else up to one rounding.

    A rate of change with Kreiss-Oliger dissipation has the term [2]_

    .. math:: (-1)^{p+1} \\frac{\\epsilon}{2^{2p} \\Delta t} \\delta^{2p} f

    which is ``eps / dt * (fdx.Filter(axis, 2 * p) - fdx.Identity())``. A forward Euler step of this
    term alone is ``fdx.Filter(axis, 2 * p, strength=eps)``. Some authors divide by the spacing
    instead of the time step.

    References
    ----------
    .. [1] R. Shapiro, Smoothing, filtering, and boundary effects, Reviews of Geophysics and Space
       Physics 8 (1970) 359-387.
    .. [2] H.-O. Kreiss, J. Oliger, Methods for the approximate solution of time dependent problems,
       GARP Publications Series 10, World Meteorological Organization, Geneva (1973).

    Examples
    --------
    >>> import numpy as np, fdx
    >>> zigzag = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    >>> fdx.Filter(0, boundary="periodic")(3 + zigzag)
    array([3., 3., 3., 3., 3., 3.])
    >>> fdx.Filter(0, 4)(np.arange(6.0) ** 3)
    array([  0. ,   2.5,   8. ,  27. ,  70. , 125. ])
    >>> fdx.Filter(0, 6)
    Filter(0, 6)
        (f[i-3] - 6 f[i-2] + 15 f[i-1] + 44 f[i] + 15 f[i+1] - 6 f[i+2] + f[i+3]) / 64

    Along both axes, in one pass:

    >>> both = fdx.Filter(0, 6) @ fdx.Filter(1, 6)

    Advection with Kreiss-Oliger dissipation, and the Euler step of this dissipation:

    >>> eps, dt, one = 0.25, 0.5, fdx.Identity()
    >>> dissipation = eps / dt * (fdx.Filter(0, 4, boundary="periodic") - one)
    >>> rate = -fdx.Diff(0, accuracy=4, boundary="periodic") + dissipation
    >>> one + dt * dissipation == fdx.Filter(0, 4, boundary="periodic", strength=eps)
    True
    """

    def __init__(
        self,
        axis: SupportsIndex,
        order: SupportsIndex = 2,
        *,
        boundary: Boundaries = "one-sided",
        strength: Number = 1.0,
    ) -> None:
        axis = check_one_axis(axis)
        order = check_order(order)
        left, right = check_boundary(boundary, of_derivatives=False)
        super().__init__(Binomial(axis, order, left, right, check_strength(strength)).terms)


def check_order(order: Any) -> int:
    expected = f"an even integer from 2 to {MAX_ORDER}"
    number = check_integer(order, "order", expected, 2)
    if number % 2 or number > MAX_ORDER:
        raise ValueError(f"order: expected {expected}, got {shown(number)}")
    return number


def check_strength(strength: Any) -> float:
    expected = f"strength: expected a number above 0 and at most 1, got {shown(strength)}"
    try:
        number = check_number(strength, "strength")
    except ValueError:  # 0, or not finite
        raise ValueError(expected) from None
    if not 0 < number <= 1:
        raise ValueError(expected)
    return number


class Stencil(Operator):
    """
    A stencil of one's own along one axis, as an operator: any weights, and rows for the ends.

    Parameters
    ----------
    axis : int
        The axis of the arrays that it is applied to; negative ones count from the last.
    offsets : sequence of int or float
        Which neighbours: their offsets from the result, in points. With a `position` other than
        "center", results are between points, and offsets are -0.5, 0.5, 1.5 and so on.
    weights : array_like of shape (len(offsets),)
        Their weights: real numbers of any type, including fractions.
    left, right : sequence of sequences of float, optional
        The boundary closure: rows of weights for the first and the last results, instead of
        `boundary`. A row of `left` has the weights of the first points; one of `right` those of the
        last points; both in the order of the points, and rows in the order of the results. At least
        as many rows as there are results whose stencil reaches outside. If only one is given, the
        other is its mirror image, with the other sign if the weights are antisymmetric;
        ``right=()`` means that there are no such rows.
    boundary : str or tuple of str, optional
        What to do where the stencil reaches outside and there are no rows: "valid", there are no
        results; "periodic" or one of the others that `fdx.Diff` explains, but not "one-sided".
    position : {"center", "inner", "outer", "left", "right"}, optional
        Where the results are, as of `fdx.Diff`.

    Raises
    ------
    ValueError
        For offsets that are equal, not whole (or, between points, not half of an odd number), span
        more than 255 points or are more than 254; as many weights as there are offsets are
        expected, finite, and one of them other than 0; too few or too long rows; rows that cannot
        be mirrored; an unknown `boundary` or `position`. An axis that is too short is an error when
        the operator is applied.
    TypeError
        For weights that are not real numbers.

    See Also
    --------
    fdx.Diff : Derivatives, whose weights need not be given.
    fdx.weights : Weights of a derivative on any nodes.
    fdx.Operator : What operators can do: sums, products, transposes, matrices, symbols.

    Notes
    -----
    Rows whose weights add up to 0, up to the rounding of the weights, sum differences from the
    point of the result (at a midpoint, from the point before it), so that they give exactly 0 for a
    constant; the weight of that point is set to minus the sum of the others. Symmetric and
    antisymmetric ones sum pairs, as `fdx.Diff` does. Other rows are plain sums in the order of the
    points. Offsets between the given ones have the weight 0: an infinity or NaN there still spreads
    to the result.

    Examples
    --------
    The fourth derivative of accuracy 2, where it fits:

    >>> import numpy as np, fdx
    >>> D4 = fdx.Stencil(0, [-2, -1, 0, 1, 2], [1, -4, 6, -4, 1])
    >>> D4(np.arange(7.0) ** 4)
    array([24., 24., 24.])

    A first derivative with a closure, which is mirrored:

    >>> D = fdx.Stencil(0, [-1, 1], [-0.5, 0.5], left=[[-1, 1]])
    >>> D([0.0, 1.0, 4.0, 9.0])
    array([1., 2., 4., 5.])
    >>> D
    Stencil(0, [-1, 1], [-0.5, 0.5], left=[[-1.0, 1.0]], right=[[-1.0, 1.0]])
        (-f[i-1] + f[i+1]) / 2
    """

    def __init__(
        self,
        axis: SupportsIndex,
        offsets: ArrayLike,
        weights: ArrayLike,
        *,
        left: Sequence[ArrayLike] | None = None,
        right: Sequence[ArrayLike] | None = None,
        boundary: Boundaries = "valid",
        position: Position = "center",
    ) -> None:
        axis = check_one_axis(axis)
        at_left, at_right = check_boundary(boundary, of_derivatives=False)
        at = check_position(position, at_left)
        offset, interior = check_stencil(offsets, weights, at)
        first, last = check_rows(left, right, interior, offset, at)
        scheme = Scheme(offset, interior, first, last)
        leaf = leaf_of_scheme(axis, at_left, at_right, at, scheme)
        check_closures(leaf, boundary)
        super().__init__([Term(1.0, (leaf,))])


def check_row(value: Any, name: str) -> Row:
    """A row of weights, rounded to float64; 0 is not -0."""
    a = check_exact(value, name)
    if a.ndim != 1 or not 1 <= len(a) <= MAX_WEIGHTS:
        raise ValueError(
            f"{name}: expected 1 to {MAX_WEIGHTS} weights, got an array of shape {a.shape}"
        )
    row = nearest(a) + 0.0
    if not np.isfinite(row).all():
        raise ValueError(f"{name}: expected weights that a float64 holds, got {shown(value)}")
    return tuple(float(w) for w in row)


def check_stencil(offsets: Any, weights: Any, position: int) -> tuple[int, Row]:
    """The offset of the first neighbour from the base point, and weights without gaps."""
    half = position != CENTER
    given = check_exact(offsets, "offsets")
    places = [2 * float(o) for o in given.flat] if given.ndim == 1 else []
    if not places or any(p % 2 != half for p in places) or len(set(places)) < len(places):
        kind = "halves of odd integers, as -0.5 and 0.5, between points" if half else "integers"
        raise ValueError(f"offsets: expected a sequence of different {kind}, got {shown(offsets)}")
    row = check_row(weights, "weights")
    if len(row) != len(places):
        raise ValueError(f"weights: expected {len(places)}, one for each offset, got {len(row)}")
    if not any(row):
        raise ValueError(f"weights: expected one that is not 0, got {shown(weights)}")
    least, most = min(places), max(places)
    if max(most, -least) > 2 * MAX_WEIGHTS - 2 or (most - least) / 2 >= MAX_WEIGHTS:
        raise ValueError(
            f"offsets: expected at most {MAX_WEIGHTS} points from the first to the last, none "
            f"farther than {MAX_WEIGHTS - 1} from the result, got {shown(offsets)}"
        )
    found = [0.0] * (round((most - least) / 2) + 1)
    for p, w in zip(places, row, strict=True):
        found[round((p - least) / 2)] = w
    return math.floor((least + half) / 2), tuple(found)


def check_end(rows: Any, name: str) -> tuple[Row, ...] | None:
    """The rows at one end."""
    if rows is None:
        return None
    if not isinstance(rows, (list, tuple, np.ndarray)) or any(np.ndim(row) == 0 for row in rows):
        raise TypeError(
            f"{name}: expected a sequence of rows of weights, as [[-1, 1]] for one, "
            f"got {shown(rows)}"
        )
    return tuple(check_row(row, f"{name}[{k}]") for k, row in enumerate(rows))


def check_rows(
    left: Any, right: Any, interior: Row, offset: int, position: int
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """The rows at both ends, the mirror image of the other where only one is given."""
    first, last = check_end(left, "left"), check_end(right, "right")
    for rows, name in ((first or (), "left"), (last or (), "right")):
        if len(rows) > MAX_WEIGHTS:
            raise ValueError(f"{name}: expected at most {MAX_WEIGHTS} rows, got {len(rows)}")
    if first is None and last is None:
        return (), ()
    if first is not None and last is not None:
        return first, last
    given, name, other = (first, "right", "left") if last is None else (last, "left", "right")
    assert given is not None
    if not given:
        return (), ()
    symmetric = interior == interior[::-1]
    around = 2 * offset + len(interior) - 1 == (position != CENTER)
    if (
        not (symmetric or interior == tuple(-w for w in interior[::-1]))
        or not around
        or position not in (CENTER, INNER, OUTER)
    ):
        raise ValueError(
            f"{name}: expected rows, or () for none, as those of {other} cannot be mirrored for "
            "weights that are neither symmetric nor antisymmetric about the result, or for results "
            "that are not, got None"
        )
    sign = 1.0 if symmetric else -1.0
    mirrored = tuple(tuple(sign * w + 0.0 for w in row[::-1]) for row in given[::-1])
    return (given, mirrored) if last is None else (mirrored, given)


def check_closures(leaf: Leaf, boundary: Any) -> None:
    """Have both ends rows for all results whose stencil reaches outside?"""
    scheme = leaf.scheme
    assert scheme is not None
    alone = replace(leaf, left=VALID, right=VALID, scheme=replace(scheme, first=(), last=()))
    _, _, _, _, _, ghosts = alone.outline
    ends = (("left", leaf.left, scheme.first), ("right", leaf.right, scheme.last))
    for (name, at, rows), outside in zip(ends, ghosts, strict=True):
        if rows and at == PERIODIC:
            raise ValueError(
                f"{name}: expected None with boundary='periodic', got {len(rows)} rows"
            )
        if rows and len(rows) < outside:
            raise ValueError(
                f"{name}: expected at least {outside} rows, as so many results have neighbours "
                f"outside, got {len(rows)}"
            )
        if not rows and outside and BOUNDARIES[at] == "one-sided":
            raise ValueError(
                f"boundary: expected {name}=... with rows of weights, or another boundary, as "
                f"one-sided weights do not follow from those of the interior, got {boundary!r}"
            )


class Identity(Operator):
    """
    The operator that changes nothing, to be added to others or multiplied by arrays.

    See Also
    --------
    fdx.Diff : The derivative along one axis.
    fdx.Operator : What operators can do.

    Examples
    --------
    >>> import numpy as np, fdx
    >>> step = fdx.Identity() + 0.1 * fdx.Diff(0, deriv=2, boundary="periodic")
    >>> step([0.0, 1.0, 0.0, 0.0])
    array([0.1, 0.8, 0.1, 0. ])

    ``D @ (c * Identity())`` is the derivative of a product with `c`:

    >>> c = np.array([1.0, 2.0, 3.0])
    >>> (fdx.Diff(0) @ (c * fdx.Identity()))([1.0, 1.0, 1.0])
    array([1., 1., 1.])
    """

    def __init__(self) -> None:
        super().__init__([Term(1.0, ())])


KINDS.update({kind.__name__: kind for kind in (Diff, Upwind, Interp, Filter, Stencil, Identity)})
