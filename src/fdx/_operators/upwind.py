"""Upwind derivatives: a velocity's positive part times the derivative with more points on the left,
and its negative part times the other, as two terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fdx._arguments.choices import BOUNDARIES
from fdx._operators.coefficients import Coefficient
from fdx._operators.terms import Leaf, Term, cropped, order_and_key

ONE_SIDED = BOUNDARIES.index("one-sided")


def biased(leaf: Leaf, side: int) -> Leaf:
    """The leaf with a side. A condition is for what flows in: at the other end, what flows out is
    not to be pulled towards it."""
    left, right = leaf.conditions
    if side < 0 and right is not None:
        leaf = replace(leaf, right=ONE_SIDED, conditions=(left, None))
    if side > 0 and left is not None:
        leaf = replace(leaf, left=ONE_SIDED, conditions=(None, right))
    return replace(leaf, side=side)


@dataclass(frozen=True)
class Upstream:
    """The arguments of `fdx.Upwind`, checked. The side of the leaf does not matter."""

    velocity: float | Coefficient
    leaf: Leaf

    @property
    def leaves(self) -> list[Leaf]:
        """For a positive velocity, which comes from smaller coordinates, and a negative one."""
        direction = 1 if self.leaf.spacing > 0 else -1
        return [biased(self.leaf, side) for side in (-direction, direction)]

    @property
    def terms(self) -> list[Term]:
        if not isinstance(self.velocity, Coefficient):
            return [Term(self.velocity, (self.leaves[self.velocity < 0],))]
        parts = (Coefficient(self.velocity.array, sign) for sign in (1, -1))
        derivatives = cropped([Term(1.0, (leaf,)) for leaf in self.leaves])  # to common points
        return [Term(1.0, (part, *of.factors)) for part, of in zip(parts, derivatives, strict=True)]

    def text(self) -> str:
        assert isinstance(self.velocity, Coefficient)
        usual = 2 if self.leaf.accuracy == 1 else self.leaf.accuracy  # which is left out
        of_diff = replace(self.leaf, side=0, accuracy=usual).text()
        axis, *rest = of_diff[len("Diff(") : -1].split(", ", 1)
        return f"Upwind({', '.join([axis, self.velocity.text(), *rest])})"


def upstream_of(terms: Sequence[Term]) -> Upstream | None:
    """The upwind derivative that equals these terms, if there is one and it has no conditions."""
    if len(terms) != 2:
        return None
    match terms[0].factors:
        case (Coefficient() as velocity, *_, Leaf(transposed=False) as leaf):
            if velocity.sign == 1 and leaf.side != 0 and leaf.conditions == (None, None):
                found = Upstream(Coefficient(velocity.array), leaf)
                if order_and_key(found.terms)[1] == order_and_key(terms)[1]:
                    return found
    return None
