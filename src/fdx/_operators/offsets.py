"""What the data of boundaries add to the results of an operator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from fdx._arguments.choices import PERIODIC
from fdx._operators.coefficients import Coefficient
from fdx._operators.plans import make_plan
from fdx._operators.terms import Crop, Factor, Leaf, Term, cropped, from_the_first, sources

Array = np.ndarray[Any, Any]
SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)


class Part:
    """What one datum adds, in a box next to its end: the results of a linear map of an array that
    has the datum everywhere along the axis.

    If nothing multiplies them, and all that is applied later is along the same axis, these are the
    datum times weights, one for each row."""

    def __init__(
        self, scale: float, later: Sequence[Factor], leaf: Leaf, shape: Sequence[int]
    ) -> None:
        """`leaf` has the datum, which is that of the end `leaf.datum`."""
        end = leaf.datum
        condition = leaf.conditions[end > 0]
        assert condition is not None
        self.axis = normalize_axis_index(leaf.axis, len(shape))
        self.shape = tuple(shape)
        self.datum = condition.datum
        self.name = f"{'left' if end < 0 else 'right'} ({condition.kind()})"
        term = Term(scale, (*later, leaf))
        self.by_row = all(
            not isinstance(f, Coefficient) and normalize_axis_index(f.axis, len(shape)) == self.axis
            for f in later
        )
        if self.by_row:
            self.plan = make_plan([[(0, term.moved(0))]], (shape[self.axis],))
        else:
            self.plan = make_plan([[(0, term)]], shape)
        along = 0 if self.by_row else self.axis
        n = self.plan.out_shape[along]
        rows = min(n, rows_reached(leaf, later, self.axis, len(shape)))
        self.box(along, *((0, rows) if end < 0 else (n - rows, n)))
        if self.by_row:  # all of its weights are known, and most are 0
            nonzero = np.flatnonzero(self.weights(DOUBLE))
            first, last = (nonzero[0], nonzero[-1] + 1) if len(nonzero) else (0, 0)
            self.box(0, self.lo[0] + int(first), self.lo[0] + int(last))
        self.where = (slice(None),) * self.axis + (slice(self.lo[along], self.hi[along]),)
        self.kept: dict[Any, Array] = {}  # weights, or results if the datum is a number
        self.view = self.given()

    def box(self, along: int, begin: int, end: int) -> None:
        """Take the results between these indices along an axis of the plan's."""
        lo, hi = [0] * len(self.plan.out_shape), list(self.plan.out_shape)
        lo[along], hi[along] = begin, end
        self.lo, self.hi = tuple(lo), tuple(hi)

    def given(self) -> Array:
        """The datum, broadcasting to what it is applied to: a view of the data that are given."""
        if not isinstance(self.datum, Coefficient):
            return np.array(self.datum)
        values = self.datum.values
        others = tuple(n for d, n in enumerate(self.shape) if d != self.axis)
        try:
            if not others:  # arrays of one dimension may have an array of one number
                values = values.reshape(())
            return np.expand_dims(np.broadcast_to(values, others), self.axis)
        except ValueError:
            axes = [d for d, n in enumerate(others) if values.shape == (n,)]
            index = ", ".join([":", *["None"] * (len(others) - axes[0] - 1)]) if axes else ""
            raise ValueError(
                f"boundary: expected data of the {self.name} end that broadcast to {others}, the "
                f"array's shape without axis {self.axis}, got {values.shape}"
                + (f"; write data[{index}]" if axes else "")
                + ("; write data.T" if values.shape == others[::-1] else "")
            ) from None

    def results(self, precision: Any) -> Array:
        """What it adds, or something that broadcasts to that."""
        found = self.kept.get(precision)
        if found is None:
            if self.plan.double_only and precision is SINGLE:
                raise ValueError(
                    "u: expected double precision, as there are weights of a datum that single "
                    "precision cannot hold; pass u.astype(float)"
                )
            found = self.computed(precision)
            if self.by_row or not isinstance(self.datum, Coefficient):
                self.kept[precision] = found
        if self.by_row and isinstance(self.datum, Coefficient):
            result: Array = found * self.view.astype(precision, copy=False)
            return result
        return found

    def weights(self, precision: Any) -> Array:
        one = np.broadcast_to(np.array(1, precision), self.plan.in_shape)
        found: Array = self.plan.box(one, self.lo, self.hi)
        return found

    def computed(self, precision: Any) -> Array:
        """The weights of rows, times the datum if it is a number; or all results."""
        datum = self.view.astype(precision)
        if not self.by_row:
            found: Array = self.plan.box(np.broadcast_to(datum, self.shape), self.lo, self.hi)
            return found
        weights = self.weights(precision)
        if not isinstance(self.datum, Coefficient):
            weights = weights * datum
        return weights.reshape(-1, *(1,) * (len(self.shape) - 1 - self.axis))


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


class Parts:
    """What all data of an operator add, for arrays of one shape."""

    def __init__(self, terms: Sequence[Term], shape: Sequence[int]) -> None:
        self.parts = list(parts_of(cropped(from_the_first(terms, len(shape))), shape))

    def results(self, dtype: Any) -> list[tuple[tuple[slice, ...], Array]]:
        """Where to add what to results of a dtype, in this order. Data are rounded to its precision
        first, as the data of all terms of an operator are of one."""
        precision = SINGLE if dtype.char in "fF" else DOUBLE
        return [(part.where, part.results(precision)) for part in self.parts]


def parts_of(terms: Iterable[Term], shape: Sequence[int]) -> Iterable[Part]:
    for source in (source for term in terms for source in sources(term)):
        here = list(shape)
        for k in range(len(source.factors) - 1, -1, -1):
            f = source.factors[k]
            if isinstance(f, Leaf) and f.datum:
                yield Part(source.scale, source.factors[:k], f, here)
                break
            if not isinstance(f, Coefficient):
                axis = normalize_axis_index(f.axis, len(shape))
                here[axis] = f.rows(here[axis])
