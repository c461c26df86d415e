"""Binomial filters: the identity minus a multiple of an even difference, as two terms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fdx._arguments.choices import BOUNDARIES, CENTER, VALID
from fdx._operators.terms import Leaf, Row, Scheme, Term, leaf_of_scheme, order_and_key

MAX_ORDER = 10
ONE_SIDED = BOUNDARIES.index("one-sided")


def difference(order: int) -> Row:
    """Weights of the central difference of an even order, scaled so that a zigzag stays the same:
    exact, as they are dyadic rationals. Of order 0: none, so that a filter changes nothing."""
    half = order // 2
    if half == 0:
        # Two weights, as one alone is not summed as a difference, nor are products with its row.
        return 0.0, 0.0
    return tuple((-1) ** (k - half) * math.comb(order, k) / 4**half for k in range(order + 1))


@dataclass(frozen=True)
class Binomial:
    """The arguments of `fdx.Filter`, checked."""

    axis: int
    order: int
    left: int
    right: int
    strength: float

    @property
    def leaf(self) -> Leaf:
        """What is subtracted, but for the strength. Towards a one-sided end its order decreases to
        that of the widest difference that fits."""
        rows = tuple(difference(order) for order in range(0, self.order, 2))
        scheme = Scheme(
            -self.order // 2,
            difference(self.order),
            rows if self.left == ONE_SIDED else (),
            rows[::-1] if self.right == ONE_SIDED else (),
        )
        return leaf_of_scheme(self.axis, self.left, self.right, CENTER, scheme)

    @property
    def terms(self) -> tuple[Term, Term]:
        return Term(1.0, ()), Term(-self.strength, (self.leaf,))

    @property
    def interior(self) -> Leaf:
        """The whole interior stencil as one, to be shown."""
        half = self.order // 2
        row = tuple(
            float(k == half) - self.strength * w for k, w in enumerate(difference(self.order))
        )
        return leaf_of_scheme(self.axis, VALID, VALID, CENTER, Scheme(-half, row))

    def text(self) -> str:
        parts = [str(self.axis)]
        if self.order != 2:
            parts.append(str(self.order))
        boundary = self.leaf.boundary()
        if boundary != "one-sided":
            parts.append(f"boundary={boundary!r}")
        if self.strength != 1:
            parts.append(f"strength={self.strength!r}")
        return f"Filter({', '.join(parts)})"


def binomial_of(terms: Sequence[Term]) -> Binomial | None:
    """The filter that equals these terms, if there is one."""
    if len(terms) != 2:
        return None
    for term in terms:
        match term.factors:
            case (Leaf(transposed=False, scheme=Scheme() as scheme) as leaf,):
                order = len(scheme.weights) - 1
                if order in range(2, MAX_ORDER + 1, 2) and -1 <= term.scale < 0:
                    found = Binomial(leaf.axis, order, leaf.left, leaf.right, -term.scale)
                    if order_and_key(found.terms)[1] == order_and_key(terms)[1]:
                        return found
    return None
