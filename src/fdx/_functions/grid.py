"""The axes of a function of fields, and its arguments that may have a value for each axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fdx._arguments.choices import (
    PERIODIC,
    check_axes,
    check_axes_alone,
    check_boundary,
    numbered_errors,
)
from fdx._arguments.coordinates import as_spacing
from fdx._operators.operator import Operator
from fdx._operators.schemes import Diff


class Grid:
    """The axes to differentiate along, with their spacings, accuracy and boundaries. `ndim`: of the
    arrays, or None for arrays that are not known yet."""

    def __init__(
        self,
        ndim: int | None,
        spacing: Sequence[Any],
        axis: Any,
        deriv: int,
        accuracy: Any,
        boundary: Any,
        period: Any,
    ) -> None:
        self.axes = check_axes_alone(axis) if ndim is None else check_axes(axis, ndim)
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
                got += ", for one of them axis="
            each = f"each of {n} axes" if n > 1 else "the axis"
            raise TypeError(
                "spacing: expected no argument, one number, or one number or array of coordinates "
                f"for {each}, got {got}"
            )
        self.deriv, self.accuracy = deriv, accuracy
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

    def diff(self, k: int, deriv: int | None = None) -> Operator:
        deriv = self.deriv if deriv is None else deriv
        found = self._diffs.get((k, deriv))
        if found is None:
            with numbered_errors(k, self.several):
                check_boundary(self.boundary[k])  # no data, which the callers would leave out
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
    if any(hasattr(side, "_given") for side in boundary):
        return  # refused for each axis
    expected = f"boundary: expected a list of {n}, one for each axis, got {boundary!r}; write "
    if n > 2 or not all(isinstance(side, str) for side in boundary):
        raise ValueError(f"{expected}{list(boundary)!r}")
    if boundary[0] != boundary[1]:  # else it is the same, whichever was meant
        raise ValueError(
            f"{expected}{list(boundary)!r} if they are those of the first and of the second axis, "
            f"{[boundary, boundary]!r} if they are the left and the right one of both"
        )
