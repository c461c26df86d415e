"""Integers, shapes, axes and boundaries."""

from __future__ import annotations

import contextlib
import math
import operator
import sys
from collections.abc import Generator, Sequence
from typing import Any, get_args

import numpy as np

from fdx._common.text import shown
from fdx._common.types import Boundary, Position

# In the order of the C core's enumeration.
BOUNDARIES: tuple[Boundary, ...] = get_args(Boundary)
PERIODIC, VALID = BOUNDARIES.index("periodic"), BOUNDARIES.index("valid")
SBP = BOUNDARIES.index("sbp")
GIVEN = len(BOUNDARIES)  # a condition with data
POSITIONS: tuple[Position, ...] = get_args(Position)
CENTER, INNER, OUTER, LEFT, RIGHT = range(5)
SIDES: dict[str | None, int] = {None: 0, "left": -1, "right": 1}

MAX_NODES = 64  # of one stencil


def as_index(value: Any) -> int | None:
    """An integer, or None for anything else, such as booleans and arrays with a mask or a unit."""
    if isinstance(value, (bool, np.bool_)):
        return None
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray:
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def check_integer(value: Any, name: str, expected: str, least: int) -> int:
    number = as_index(value)
    if number is None:
        raise TypeError(f"{name}: expected {expected}, got {shown(value)}")
    if number < least:
        raise ValueError(f"{name}: expected {expected}, got {shown(number)}")
    return number


def check_one_axis(axis: Any) -> int:
    """The axis of arrays that are not known yet."""
    number = check_integer(axis, "axis", "an integer", -(1 << 31))
    if abs(number) >= 64:
        raise ValueError(f"axis: expected an integer from -64 to 63, got {number}")
    return number


def check_accuracy(accuracy: Any, side: int, *, has_side: bool = True) -> int:
    if not side:
        number = check_integer(accuracy, "accuracy", "an even integer from 2 on", 2)
        if number % 2:
            raise ValueError(
                f"accuracy: expected an even integer from 2 on, got {number}"
                + has_side * "; odd ones are for biased stencils, with side='left' or side='right'"
            )
        return number
    expected = "an odd integer from 1 on"
    if has_side:
        expected += f" with side={'left' if side < 0 else 'right'!r}"
    number = check_integer(accuracy, "accuracy", expected, 1)
    if number % 2 == 0:
        raise ValueError(
            f"accuracy: expected {expected}, got {number}; write accuracy={number - 1} or "
            f"accuracy={number + 1}"
        )
    return number


def check_side(side: Any) -> int:
    """-1, 0 or 1."""
    if side is not None and not (isinstance(side, str) and side in SIDES):
        raise ValueError(f"side: expected None, 'left' or 'right', got {shown(side)}")
    return SIDES[side]


def check_position(position: Any, left: int) -> int:
    """The number of a position, for a left boundary."""
    if not (isinstance(position, str) and position in POSITIONS):
        expected = ", ".join(map(repr, POSITIONS))
        raise ValueError(f"position: expected one of {expected}, got {shown(position)}")
    number = POSITIONS.index(position)
    if left == PERIODIC and number in (INNER, OUTER):
        raise ValueError(
            "position: expected 'left', 'right' or 'center' with boundary='periodic', as n points "
            f"on a periodic axis have n midpoints, got {position!r}"
        )
    return number


def check_shape(shape: Any) -> tuple[int, ...]:
    """A shape of which arrays of float64 and complex128 fit the address space."""
    if isinstance(shape, np.ndarray) and shape.ndim > 0:
        raise TypeError(
            f"shape: expected an integer or a tuple of integers, got an array of shape "
            f"{shape.shape}; write its shape, as in L.matrix(u.shape)"
        )
    given = shape if isinstance(shape, (tuple, list)) else (shape,)
    found = tuple(
        check_integer(n, "shape", "an integer or a tuple of integers from 0 on", 0) for n in given
    )
    if math.prod(n or 1 for n in found) > sys.maxsize // 16:
        raise ValueError(
            f"shape: expected an array that fits the address space, got {shown(shape)}"
        )
    return found


def check_axis(axis: Any, ndim: int) -> int:
    number = axis if type(axis) is int else as_index(axis)
    if number is None:
        raise TypeError(f"axis: expected an integer, got {shown(axis)}")
    return in_range(number, ndim)


def in_range(axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return axis % ndim


def check_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes given by an integer, a sequence of integers, or None, which means all."""
    if axis is None:
        return tuple(range(ndim))
    number = as_index(axis)
    if number is not None:
        return (in_range(number, ndim),)
    found: list[int | None] = [None]
    with contextlib.suppress(TypeError):  # where nothing can be iterated over
        found = [as_index(one) for one in axis]
    if None in found:
        raise TypeError(f"axis: expected an integer, or a tuple of them, got {shown(axis)}")
    axes = tuple(in_range(one, ndim) for one in found if one is not None)
    if not axes:
        raise ValueError("axis: expected at least one axis, got ()")
    if len(set(axes)) < len(axes):
        raise ValueError(f"axis: expected different axes, got {shown(axis)}")
    return axes


def check_axes_alone(axis: Any) -> tuple[int, ...]:
    """Axes of arrays that are not known yet: all counted from the first, or all from the last."""
    given = list(axis) if isinstance(axis, (tuple, list, range)) else [axis]
    axes = tuple(check_one_axis(one) for one in given)
    if not axes or len(set(axes)) < len(axes) or min(axes) < 0 <= max(axes):
        raise ValueError(
            "axis: expected different axes, all counted from the first or all from the last one, "
            f"got {shown(axis)}"
        )
    return axes


# Names of boundaries in other libraries: those that mean the same as one here, ...
SAME = {
    "antireflect": "reflect-odd",
    "circular": "periodic",
    "cyclic": "periodic",
    "grid-mirror": "symmetric",
    "grid-wrap": "periodic",
    "interp": "one-sided",
    "mirror": "reflect",
    "onesided": "one-sided",
    "wrap": "periodic",
    "zeros": "zero",
}
# ... and those for which there is advice.
WALL = (
    "where the slope at a wall is fixed, write boundary=fdx.Neumann(slope) into fdx.Diff, or, for "
    "a slope of 0, 'reflect' for a wall at the last point, and 'symmetric' for one half a spacing "
    "outside"
)
FIXED = (
    "where the value at a wall is fixed, write boundary=fdx.Dirichlet(value) into fdx.Diff, or, "
    "without data, 'reflect-odd' for a wall at the last point, which has that value, and "
    "'antisymmetric' for a value of 0 half a spacing outside"
)
FILL = (
    "if the values outside are 0, write 'zero'; else pad f with them, as by numpy.pad(f, r), and "
    "use 'valid', which removes r points"
)
EDGE = (
    "pad f with its last values, by numpy.pad(f, r, mode='edge'), and use 'valid', which removes "
    "r points"
)
ADVICE = {
    "constant": FILL,
    "dirichlet": FIXED,
    "edge": EDGE,
    "extend": EDGE,
    "fill": FILL,
    "grid-constant": FILL,
    "nearest": EDGE,
    "neumann": WALL,
    "no-slip": FIXED,
    "odd": FIXED,
    "replicate": EDGE,
    "wall": f"{WALL}; {FIXED}",
}


WITH_DATA = (
    "; conditions with data are for fdx.derivative, fdx.Diff and fdx.Interp: apply an operator, "
    "such as fdx.Diff(0, dx, deriv=2, boundary=...) + fdx.Diff(1, dy, deriv=2)"
)


def boundary_hint(name: str) -> str:
    usual = name.lower().replace("_", "-").replace(" ", "-")
    if usual in BOUNDARIES:
        return f"; write {usual!r}"
    if usual in SAME:
        return f"; what others call {name!r} is {SAME[usual]!r} here"
    return f"; {ADVICE[usual]}" if usual in ADVICE else ""


def check_boundary(boundary: Any, *, of_derivatives: bool = True) -> tuple[int, int]:
    """Numbers of the left and the right boundary, of derivatives or of other stencils."""
    pair = boundary if isinstance(boundary, tuple) else (boundary, boundary)
    if len(pair) != 2 or not all(isinstance(side, str) and side in BOUNDARIES for side in pair):
        expected = ", ".join(map(repr, BOUNDARIES[: None if of_derivatives else SBP]))
        unknown = [side for side in pair if isinstance(side, str) and side not in BOUNDARIES]
        raise ValueError(
            f"boundary: expected one of {expected}, or a pair of these as a tuple (left, right), "
            f"got {shown(boundary)}"
            + (boundary_hint(unknown[0]) if unknown else "")
            + any(hasattr(side, "_given") for side in pair) * WITH_DATA
            + isinstance(boundary, list) * " (a list is for functions of several axes)"
        )
    left, right = (BOUNDARIES.index(side) for side in pair)
    if (left == PERIODIC) != (right == PERIODIC):
        raise ValueError(
            f"boundary: expected 'periodic' on both sides or on neither, got {boundary!r} as the "
            "left and the right one (for several axes a list has one for each)"
        )
    if SBP in (left, right) and not of_derivatives:
        raise ValueError(
            "boundary: expected another one, as 'sbp' is for fdx.Diff, got 'sbp'; write "
            "boundary='one-sided'"
        )
    if (left == SBP) != (right == SBP):
        raise ValueError(
            f"boundary: expected 'sbp' on both sides or on neither, got {boundary!r}: the norm is "
            "that of a whole axis"
        )
    return left, right


def check_sbp(deriv: int, accuracy: int, position: int, side: int, *, uniform: bool) -> None:
    """Are there closures for summation by parts?"""
    hint = "; for others write boundary='one-sided'"
    if deriv not in (1, 2):
        raise ValueError(f"deriv: expected 1 or 2 with boundary='sbp', got {deriv}{hint}")
    if side:
        raise ValueError(f"side: expected None with boundary='sbp', got an upwind stencil{hint}")
    if accuracy not in (2, 4, 6, 8):
        raise ValueError(
            f"accuracy: expected 2, 4, 6 or 8 with boundary='sbp', got {accuracy}{hint}"
        )
    if position != CENTER:
        raise ValueError(
            f"position: expected 'center' with boundary='sbp', got {POSITIONS[position]!r}{hint}"
        )
    if not uniform:
        raise ValueError(
            "spacing: expected a number with boundary='sbp', whose closures are for a uniform "
            "spacing, got coordinates; write x[1] - x[0] if they are evenly spaced"
        )


@contextlib.contextmanager
def numbered_errors(k: int, names: Sequence[str]) -> Generator[None]:
    """Errors about the k-th of several arguments of one name get its number."""
    try:
        yield
    except (TypeError, ValueError) as error:
        name, _, rest = str(error).partition(":")
        if name not in names or type(error) not in (TypeError, ValueError):
            raise
        raise type(error)(f"{name}[{k}]:{rest}") from None
