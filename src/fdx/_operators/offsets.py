"""What the data of boundaries add to the results of an operator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from fdx._arguments.choices import PERIODIC
from fdx._operators.coefficients import Coefficient
from fdx._operators.conditions import Given
from fdx._operators.plans import make_plan
from fdx._operators.terms import Crop, Factor, Leaf, Term, cropped, from_the_first, sources

Array = np.ndarray[Any, Any]
Added = list[tuple[tuple[slice, ...], Array]]  # where to add what
SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)


class Part:
    """What one datum adds, next to its end: the results of a linear map of an array that has the
    datum everywhere along the axis."""

    def __init__(
        self, scale: float, later: Sequence[Factor], leaf: Leaf, shape: Sequence[int]
    ) -> None:
        """`leaf` has the datum, which is that of the end `leaf.datum`."""
        condition = leaf.conditions[leaf.datum > 0]
        assert condition is not None
        self.axis = normalize_axis_index(leaf.axis, len(shape))
        self.datum = condition.datum
        self.given = given(condition, self.axis, leaf.datum, shape)
        self.is_number = not isinstance(self.datum, Coefficient)
        self.kept: dict[Any, Added] = {}

    def results(self, precision: Any) -> Added:
        """Where it adds what, or something that broadcasts to that."""
        found = self.kept.get(precision)
        if found is None:
            if self.double_only and precision is SINGLE:
                raise ValueError(
                    "u: expected double precision, as there are weights of a datum that single "
                    "precision cannot hold; pass u.astype(float)"
                )
            found = self.computed(precision)
            if self.is_kept:
                self.kept[precision] = found
        return found

    def values(self, precision: Any) -> Array:
        """The datum in that precision, in which it may overflow as other data may."""
        if self.given.dtype == precision:
            return self.given
        with np.errstate(over="ignore"):
            return self.given.astype(precision)

    double_only: bool
    is_kept: bool

    def computed(self, precision: Any) -> Added:
        raise NotImplementedError


class ByRow(Part):
    """Nothing multiplies its results, and all that is applied later is along the same axis: the
    datum times weights, one for each row, most of which are 0."""

    def __init__(
        self, scale: float, later: Sequence[Factor], leaf: Leaf, shape: Sequence[int]
    ) -> None:
        super().__init__(scale, later, leaf, shape)
        term = Term(scale, (*later, leaf))
        plan = make_plan([[(0, term.moved(0))]], (shape[self.axis],))
        (n,) = plan.out_shape
        self.double_only, self.is_kept = plan.double_only, self.is_number
        rows = min(n, rows_reached(leaf, later, self.axis, len(shape)))
        begin = 0 if leaf.datum < 0 else n - rows
        weights = plan.box(np.broadcast_to(1.0, plan.in_shape), (begin,), (begin + rows,))
        nonzero = np.flatnonzero(weights)
        runs = np.split(nonzero, np.flatnonzero(np.diff(nonzero) > 1) + 1)
        across = (1,) * (len(shape) - 1 - self.axis)
        self.runs = [  # no product of 0 and an infinite datum is added to other rows
            (
                (slice(None),) * self.axis + (slice(begin + int(r[0]), begin + int(r[-1]) + 1),),
                weights[r].reshape(-1, *across),
            )
            for r in runs
            if len(r)
        ]

    def computed(self, precision: Any) -> Added:
        values = self.values(precision)
        return [(where, w.astype(precision, copy=False) * values) for where, w in self.runs]


class InBox(Part):
    """Any other: in a box that has all of its results."""

    def __init__(
        self, scale: float, later: Sequence[Factor], leaf: Leaf, shape: Sequence[int]
    ) -> None:
        super().__init__(scale, later, leaf, shape)
        self.plan = make_plan([[(0, Term(scale, (*later, leaf)))]], shape)
        self.double_only = self.plan.double_only
        # Arrays of coefficients may be written to, too.
        self.is_kept = self.is_number and not any(isinstance(f, Coefficient) for f in later)
        out_shape = self.plan.out_shape
        n = out_shape[self.axis]
        rows = min(n, rows_reached(leaf, later, self.axis, len(shape)))
        lo, hi = [0] * len(out_shape), list(out_shape)
        if leaf.datum < 0:
            hi[self.axis] = rows
        else:
            lo[self.axis] = n - rows
        self.lo, self.hi = tuple(lo), tuple(hi)
        self.where = tuple(map(slice, lo, hi))

    def computed(self, precision: Any) -> Added:
        whole = np.broadcast_to(self.values(precision), self.plan.in_shape)
        return [(self.where, self.plan.box(whole, self.lo, self.hi))]


def given(condition: Given, axis: int, end: int, shape: Sequence[int]) -> Array:
    """The datum, broadcasting to what it is applied to: a view of the data that are given."""
    if not isinstance(condition.datum, Coefficient):
        return np.array(condition.datum)
    values = condition.datum.values
    others = tuple(n for d, n in enumerate(shape) if d != axis)
    try:
        if not others:  # arrays of one dimension may have an array of one number
            values = values.reshape(())
        return np.expand_dims(np.broadcast_to(values, others), axis)
    except ValueError:
        axes = [d for d, n in enumerate(others) if values.shape == (n,)]
        index = ", ".join([":", *["None"] * (len(others) - axes[0] - 1)]) if axes else ""
        raise ValueError(
            f"boundary: expected data of the {'left' if end < 0 else 'right'} end "
            f"({condition.kind()}) that broadcast to {others}, the array's shape without axis "
            f"{axis}, got {values.shape}"
            + (f"; write data[{index}]" if axes else "")
            + ("; write data.T" if values.shape == others[::-1] else "")
        ) from None


def rows_reached(leaf: Leaf, later: Sequence[Factor], axis: int, ndim: int) -> int:
    """How many results from an end a datum reaches, at most."""
    rows = leaf.description.points_needed()
    for f in later:
        if isinstance(f, Coefficient) or normalize_axis_index(f.axis, ndim) != axis:
            continue
        if isinstance(f, Crop):
            rows += sum(f.crop)  # of a transpose, which adds points
        elif f.left == PERIODIC:
            return np.iinfo(np.intp).max
        else:
            rows += f.description.points_needed() + 1
    return rows


def is_along(factors: Sequence[Factor], axis: int, ndim: int) -> bool:
    """Are all of them along one axis, and none an array?"""
    same = normalize_axis_index(axis, ndim)
    return all(
        not isinstance(f, Coefficient) and normalize_axis_index(f.axis, ndim) == same
        for f in factors
    )


class Parts:
    """What all data of an operator add, for arrays of one shape."""

    def __init__(self, terms: Sequence[Term], shape: Sequence[int]) -> None:
        self.parts = list(parts_of(cropped(from_the_first(terms, len(shape))), shape))

    def results(self, dtype: Any) -> Added:
        """Where to add what to results of a dtype, in this order. Data are rounded to its precision
        first, as the data of all terms of an operator are of one."""
        precision = SINGLE if dtype.char in "fF" else DOUBLE
        return [one for part in self.parts for one in part.results(precision)]


def parts_of(terms: Iterable[Term], shape: Sequence[int]) -> Iterable[Part]:
    for source in (source for term in terms for source in sources(term)):
        here = list(shape)
        for k in range(len(source.factors) - 1, -1, -1):
            f = source.factors[k]
            if isinstance(f, Leaf) and f.datum:
                later, axis = source.factors[:k], f.axis
                kind = ByRow if is_along(later, axis, len(shape)) else InBox
                yield kind(source.scale, later, f, here)
                break
            if not isinstance(f, Coefficient):
                axis = normalize_axis_index(f.axis, len(shape))
                here[axis] = f.rows(here[axis])
