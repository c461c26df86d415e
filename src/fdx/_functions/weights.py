"""`weights`: the finite-difference weights of a derivative, on any nodes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fdx import _core
from fdx._arguments.choices import MAX_NODES, as_index
from fdx._arguments.reals import (
    as_doubles,
    check_exact,
    element,
    elementwise,
    exactly,
    first_false,
    holds,
    nearest,
)
from fdx._common.text import shown

Array = np.ndarray[Any, Any]


def weights(nodes: ArrayLike, at: ArrayLike = 0.0, deriv: SupportsIndex = 1) -> NDArray[np.float64]:
    """
    The finite-difference weights of a derivative, on any distinct nodes.

    ``sum(w[k] * f(nodes[k]))`` is the derivative at `at` of the polynomial through the
    points ``(nodes[k], f(nodes[k]))`` [1]_. With m nodes it is exact for polynomials of
    degree m - 1; the error for a smooth f is of order m - deriv in the distance between
    nodes, one order more if they are symmetric about `at` and m - deriv is odd.

    Parameters
    ----------
    nodes : array_like of shape (..., m)
        The points of the function's values: real and distinct along the last axis, in any
        order; at least ``deriv + 1``, at most 64. One call takes any number of sets of
        nodes.
    at : array_like, optional
        The point of the derivative, for each set of nodes: it is broadcast against
        ``nodes.shape[:-1]``.
    deriv : int, optional
        The order of the derivative; 0 interpolates.

    Returns
    -------
    ndarray of float64
        The weights, of shape (..., m), where ``...`` is the shape of `at` and
        ``nodes.shape[:-1]`` broadcast together. Their unit is that of the nodes to the
        power ``-deriv``.

    Raises
    ------
    ValueError
        For fewer than ``deriv + 1`` nodes or more than 64; nodes that are equal, or whose
        distances differ too much for the promised accuracy; numbers that are not finite,
        or that a float64 does not hold exactly (some integers, fractions and long
        doubles), unless it does so for all differences of nodes and `at`; shapes that do
        not broadcast; a negative `deriv`.
    TypeError
        For nodes or an `at` that are not real numbers, or have a unit, a mask or labels,
        as in `fdx.derivative`; for a `deriv` that is not an integer.
    FloatingPointError
        If a weight overflows and `numpy.errstate` asks for it.

    Warns
    -----
    RuntimeWarning
        If a weight overflows, under the usual `numpy.errstate`.

    See Also
    --------
    fdx.Diff : The derivative along an axis of arrays, which uses such weights at each point.

    Notes
    -----
    If the differences of nodes and `at` are integers of at most 15 bits times one power of
    two (0.25, -1.5, ...), each weight is the exact rational number correctly rounded.
    Otherwise its error, before it is rounded to float64, is at most :math:`2^{-64}` of the
    largest weight (with several dozen nodes over many orders of magnitude,
    :math:`2^{-54}`). The weights do not depend on the order of the nodes.

    Time is proportional to m squared for each set of nodes, times ``deriv + 1`` if the
    weights are exact: a tenth of a microsecond for 3 nodes, 0.6 for 9.

    References
    ----------
    .. [1] B. Fornberg, Generation of finite difference formulas on arbitrarily spaced grids,
       Mathematics of Computation 51 (1988) 699-706.

    Examples
    --------
    >>> import numpy as np
    >>> import fdx
    >>> fdx.weights([-1, 0, 1])
    array([-0.5,  0. ,  0.5])
    >>> fdx.weights([-1, 0, 1], deriv=2)
    array([ 1., -2.,  1.])

    The first derivative between two points, from four; and at each of three uneven points:

    >>> fdx.weights([0, 1, 2, 3], 1.5) * 24
    array([  1., -27.,  27.,  -1.])
    >>> x = np.array([0.0, 1.0, 4.0])
    >>> fdx.weights(x, x)
    array([[-1.25      ,  1.33333333, -0.08333333],
           [-0.75      ,  0.66666667,  0.08333333],
           [ 0.75      , -1.33333333,  0.58333333]])
    """
    wanted = as_index(deriv)
    if wanted is None:
        raise TypeError(f"deriv: expected an integer, got {shown(deriv)}")
    if wanted < 0:
        raise ValueError(f"deriv: expected an integer from 0 on, got {shown(wanted)}")
    given, points = check_exact(nodes, "nodes"), check_exact(at, "at")
    if given.ndim == 0:
        raise ValueError(
            f"nodes: expected an array of shape (..., m), got the number {shown(nodes)}"
        )
    n = given.shape[-1]
    if n > MAX_NODES:
        raise ValueError(f"nodes: expected at most {MAX_NODES}, got {n}")
    if n <= wanted:
        raise ValueError(f"nodes: expected at least {wanted + 1} for deriv={wanted}, got {n}")
    try:
        shape = np.broadcast_shapes(given.shape[:-1], points.shape)
    except ValueError:
        raise ValueError(
            f"at: expected a shape that can be broadcast against {given.shape[:-1]}, "
            f"got {points.shape}"
        ) from None
    x, centres = as_doubles(given), as_doubles(points)
    if x is None or centres is None:
        x, centres = differences(given, points), np.zeros(())
    else:
        given = x
    if x.ndim > 1:
        x = np.ascontiguousarray(np.broadcast_to(x, (*shape, n)))
    centres = np.ascontiguousarray(np.broadcast_to(centres, shape))
    result, row = _core.weights(x, centres, wanted, shape)
    if row >= 0:
        raise refused(given, np.unravel_index(row, shape) if shape else (), wanted)
    return result


def differences(nodes: Array, at: Array) -> Array:
    """Nodes minus `at`, if a float64 holds these differences exactly, though not the numbers."""
    exact = elementwise(exactly, nodes) - elementwise(exactly, at)[..., np.newaxis]
    rounded = nearest(exact)
    same = holds(rounded, exact)
    if same.all():
        return rounded
    name, a = ("at", at) if holds(nearest(nodes), nodes).all() else ("nodes", nodes)
    index = first_false(holds(nearest(a), a))
    raise ValueError(
        f"{name}: expected numbers that a float64 holds exactly, got {element(name, index)} = "
        f"{a[index]}; nor does it hold nodes - at, {exact[first_false(same)]}"
    )


def refused(nodes: Array, row: Any, deriv: int) -> ValueError:
    """The error for finite nodes that fdx_weights refuses; `row` is their index in the result."""
    used = row[len(row) - nodes.ndim + 1 :]
    row = tuple(k if n > 1 else 0 for k, n in zip(used, nodes.shape[:-1], strict=True))
    values = nodes[row]
    order = np.argsort(values, kind="stable")
    for first, second in pairwise(order):
        if values[first] == values[second]:
            return ValueError(
                f"nodes: expected distinct numbers, got {values[first]} twice "
                f"({element('nodes', (*row, first))} and {element('nodes', (*row, second))})"
            )
    apart = np.diff(values[order])
    return ValueError(
        "nodes: expected distances that differ less, "
        f"for {len(values)} nodes and deriv={deriv}, got {apart.min()} to {apart.max()}"
    )
