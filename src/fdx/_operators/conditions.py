"""Boundary conditions with data: a value, a slope, or a sum of both is given at an end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from fdx._arguments.choices import GIVEN, check_boundary
from fdx._arguments.reals import check_real
from fdx._common.text import shown
from fdx._common.types import Boundary, Number
from fdx._operators.coefficients import Coefficient, as_coefficient

OUTSIDE = (0, 0.5, 1)  # spacings from the last point to the place of a condition


@dataclass(frozen=True, eq=False)
class Given:
    """``value * f + slope * f' = datum`` at a place that is some half spacings outside."""

    value: float
    slope: float
    datum: float | Coefficient
    half_spacings: int

    def key(self) -> tuple[Any, ...]:
        datum = self.datum
        return self.sort_key(), datum.key() if isinstance(datum, Coefficient) else ()

    def sort_key(self) -> tuple[Any, ...]:
        """The same in every process."""
        a = self.datum
        datum = (1, 0.0, a.sort_key()) if isinstance(a, Coefficient) else (0, a, ())
        return self.value, self.slope, self.half_spacings, *datum

    @property
    def is_zero(self) -> bool:
        return not isinstance(self.datum, Coefficient) and self.datum == 0

    @property
    def is_value_at_point(self) -> bool:
        """Is the value at the end point given, so that no row takes that point?"""
        return self.slope == 0 and self.half_spacings == 0

    def with_zero(self) -> Given:
        return replace(self, datum=0.0)

    def described(self) -> tuple[float, float, int]:
        """For the C core."""
        return self.value, self.slope, self.half_spacings

    def state(self) -> tuple[Any, ...]:
        datum = self.datum.array if isinstance(self.datum, Coefficient) else self.datum
        return self.value, self.slope, datum, self.half_spacings

    def kind(self) -> str:
        return {(1.0, 0.0): "Dirichlet", (0.0, 1.0): "Neumann"}.get(
            (self.value, self.slope), "Robin"
        )

    def text(self) -> str:
        datum = self.datum.text() if isinstance(self.datum, Coefficient) else repr(self.datum)
        kind = self.kind()
        parts = [repr(self.value), repr(self.slope), datum] if kind == "Robin" else [datum]
        if self.half_spacings:
            parts.append(f"outside={OUTSIDE[self.half_spacings]}")
        return f"{kind}({', '.join(parts)})"


def given_of(state: tuple[Any, ...]) -> Given:
    value, slope, datum, half_spacings = state
    return Given(
        value, slope, datum if isinstance(datum, float) else Coefficient(datum), half_spacings
    )


class Condition:
    """What users create: a value, equal to others of equal numbers or the same array."""

    def __init__(self, given: Given) -> None:
        self._given = given

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Condition):
            return NotImplemented
        return self._given.key() == other._given.key()

    def __hash__(self) -> int:
        return hash(self._given.key())

    def __repr__(self) -> str:
        return self._given.text()


def check_datum(datum: Any, name: str) -> float | Coefficient:
    found = as_coefficient(datum, name)
    if type(datum) is np.ndarray and datum.ndim == 0 and datum.dtype.kind in "iuf":
        return Coefficient(datum)  # which may be written to, as other arrays may
    return found if isinstance(found, Coefficient) else found + 0.0  # which converts -0 to 0


def check_outside(outside: Any) -> int:
    """In half spacings."""
    number = check_real(outside, "outside")
    if number not in OUTSIDE:
        raise ValueError(
            "outside: expected 0 for a condition at the last point, 0.5 or 1 for one half a "
            f"spacing or a spacing outside of it, got {shown(outside)}"
        )
    return OUTSIDE.index(number)


class Dirichlet(Condition):
    """
    The value at one end of an axis, as the boundary of a derivative.

    Parameters
    ----------
    value : float or array_like, optional
        The value: a number, or an array that broadcasts to the shape of the other axes (without
        other axes, of one number). It is not copied: later changes to it take effect.
    outside : {0, 0.5, 1}, optional
        Where: at the end point (the first or the last of the axis), or half a spacing or a spacing
        outside of it; of coordinates, half of or the whole distance of the outermost two. At the
        end point the value takes the place of the array's, which this derivative does not use;
        with 0.5 points are centres of cells; with 1 the array has only the unknown values, as is
        usual for linear systems.

    Raises
    ------
    ValueError
        For a number that is not finite, and another `outside`. An array that does not broadcast is
        an error when the operator is applied.
    TypeError
        For values that are not real.

    See Also
    --------
    fdx.Neumann : The slope is given.
    fdx.Robin : A sum of both is given.
    fdx.Operator.offset : What the data add to a result.

    Notes
    -----
    Where a stencil reaches outside (or to an end point whose value is given), the row has
    ``deriv + accuracy`` numbers: the datum, and the points next to it. The polynomial that has
    these values is differentiated, so that the order of accuracy is that of the interior. Such
    rows are plain sums: there, the derivative of a constant is 0 up to rounding only.

    With a value at the end point the matrix has a column of zeros, so that linear systems are
    singular: take ``outside=1``, or drop the row and the column. Other terms of a sum do use the
    array's value there: write the datum into it before each call.

    Examples
    --------
    The second derivative of a profile between walls of temperature 1 and 0, whose points are the
    centres of cells:

    >>> import numpy as np, fdx
    >>> walls = fdx.Dirichlet(1.0, outside=0.5), fdx.Dirichlet(0.0, outside=0.5)
    >>> D2 = fdx.Diff(0, 0.25, deriv=2, boundary=walls)
    >>> D2(np.array([0.875, 0.625, 0.375, 0.125])).round(12) + 0.0
    array([0., 0., 0., 0.])
    """

    def __init__(self, value: Number | ArrayLike = 0.0, *, outside: float = 0) -> None:
        super().__init__(Given(1.0, 0.0, check_datum(value, "value"), check_outside(outside)))


class Neumann(Condition):
    """
    The slope at one end of an axis, as the boundary of a derivative.

    Parameters
    ----------
    slope : float or array_like, optional
        The derivative along the axis, at both ends alike (not the outward one): a number, or an
        array that broadcasts to the shape of the other axes. It is not copied: later changes to it
        take effect.
    outside : {0, 0.5, 1}, optional
        Where: at the end point, or half a spacing or a spacing outside of it, as for
        `fdx.Dirichlet`.

    Raises
    ------
    ValueError
        For a number that is not finite, and another `outside`. An array that does not broadcast is
        an error when the operator is applied.
    TypeError
        For slopes that are not real.

    See Also
    --------
    fdx.Dirichlet : The value is given.
    fdx.Robin : A sum of both is given.
    fdx.Operator.offset : What the data add to a result.

    Notes
    -----
    Rows are those of `fdx.Dirichlet`, with the slope in place of the value. The first derivative at
    the end point is the datum itself. An outward slope g is ``Neumann(-g)`` at the left end,
    ``Neumann(g)`` at the right one.

    Examples
    --------
    >>> import numpy as np, fdx
    >>> D = fdx.Diff(0, 0.5, boundary=(fdx.Neumann(3.0), "one-sided"))
    >>> D([0.0, 1.0, 4.0, 9.0])
    array([ 3.,  4.,  8., 12.])
    """

    def __init__(self, slope: Number | ArrayLike = 0.0, *, outside: float = 0) -> None:
        super().__init__(Given(0.0, 1.0, check_datum(slope, "slope"), check_outside(outside)))


class Robin(Condition):
    """
    A sum of value and slope at one end of an axis, as the boundary of a derivative.

    Parameters
    ----------
    a, b : float
        The condition is ``a * f + b * f' = g``, with the derivative f' along the axis, at both ends
        alike (not the outward one).
    g : float or array_like, optional
        A number, or an array that broadcasts to the shape of the other axes. It is not copied:
        later changes to it take effect.
    outside : {0, 0.5, 1}, optional
        Where: at the end point, or half a spacing or a spacing outside of it, as for
        `fdx.Dirichlet`.

    Raises
    ------
    ValueError
        For numbers that are not finite, `a` and `b` that are both 0, and another `outside`. An
        array that does not broadcast is an error when the operator is applied, as are `a` and `b`
        for which the condition does not determine the value there.
    TypeError
        For numbers that are not real.

    See Also
    --------
    fdx.Dirichlet, fdx.Neumann : One of them is given.
    fdx.Operator.offset : What the data add to a result.

    Examples
    --------
    A wall at the right end that loses heat in proportion to its temperature, ``-k f' = alpha (f -
    outer)``; at the left end, where ``k f' = alpha (f - outer)``, it is ``Robin(alpha, -k, ...)``:

    >>> import fdx
    >>> k, alpha, outer = 0.5, 2.0, 10.0
    >>> fdx.Robin(alpha, k, alpha * outer)
    Robin(2.0, 0.5, 20.0)
    """

    def __init__(
        self, a: Number, b: Number, g: Number | ArrayLike = 0.0, *, outside: float = 0
    ) -> None:
        value, slope = check_real(a, "a"), check_real(b, "b")
        if value == 0 and slope == 0:
            raise ValueError("a, b: expected one that is not 0, got 0 and 0")
        super().__init__(Given(value, slope, check_datum(g, "g"), check_outside(outside)))


Ends: TypeAlias = Boundary | Condition | tuple[Boundary | Condition, Boundary | Condition]


def has_condition(boundary: Any) -> bool:
    pair = boundary if isinstance(boundary, tuple) else (boundary,)
    return any(isinstance(end, Condition) for end in pair)


def check_ends(
    boundary: Any, *, of_derivatives: bool = True
) -> tuple[int, int, tuple[Given | None, Given | None]]:
    """Numbers of the left and the right boundary, and their conditions if these are given."""
    pair = boundary if isinstance(boundary, tuple) else (boundary, boundary)
    for end in pair if isinstance(boundary, (tuple, list)) else (boundary,):
        if isinstance(end, type) and issubclass(end, Condition):
            raise TypeError(
                f"boundary: expected a condition with its datum, got the class {end.__name__}; "
                f"write fdx.{end.__name__}(...)"
            )
    if isinstance(boundary, list) and has_condition(tuple(boundary)):
        raise ValueError(
            "boundary: expected one condition, or a pair as a tuple (left, right), got a list; "
            f"write ({', '.join(map(repr, boundary))})"
        )
    if not has_condition(pair):
        return *check_boundary(boundary, of_derivatives=of_derivatives), (None, None)
    if len(pair) != 2:
        raise ValueError(
            f"boundary: expected one condition, or a pair as a tuple (left, right), got {len(pair)}"
            f" in {shown(boundary)}"
        )
    others = tuple("one-sided" if isinstance(end, Condition) else end for end in pair)
    for end in others:
        if isinstance(end, str) and end in ("periodic", "sbp"):
            raise ValueError(
                f"boundary: expected {end!r} on both sides or on neither, got {shown(boundary)}"
            )
        check_boundary(end, of_derivatives=of_derivatives)
    left, right = check_boundary(others, of_derivatives=of_derivatives)
    conditions = tuple(end._given if isinstance(end, Condition) else None for end in pair)
    return (
        GIVEN if conditions[0] is not None else left,
        GIVEN if conditions[1] is not None else right,
        (conditions[0], conditions[1]),
    )
