"""Products of sums of terms, expanded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fdx._operators.analysis import leaf_symbol
from fdx._operators.coefficients import Coefficient
from fdx._operators.terms import (
    Crop,
    Factor,
    Leaf,
    Term,
    axes_of,
    both_signs,
    cropped,
    finite,
    is_source,
    linear,
    lost_by_any,
    merged,
    sorted_by_axis,
    sources,
)

Array = np.ndarray[Any, Any]

MAX_PRODUCTS = 1 << 18  # of terms of two factors, some seconds
FEW_TERMS = 8  # of a product, which do not cancel but in examples made for it
LOST = 2.0**28  # the ratio of terms to their sum at which half of the digits are lost; and all
ROUNDING = 2.0**45
WAVES = 34  # at which sizes are compared


def product(after: Sequence[Term], first: Sequence[Term]) -> list[Term]:
    """The terms of the product of two sums, expanded."""
    if len(after) * len(first) > MAX_PRODUCTS:
        raise ValueError(
            f"A @ B, or A**n: expected at most {MAX_PRODUCTS} products of their terms, got "
            f"{len(after)} times {len(first)}; apply one after the other: A(B(u))"
        )
    first = cropped(first)
    pairs = [(a, b, a.scale * b.scale) for a in linear(after) for b in first]
    # What data add does not depend on what is applied first, but for its shape: it comes once.
    of_shape = next(term for term in first if not is_source(term))
    pairs += [(a, of_shape, a.scale) for term in after for a in sources(term)]
    terms = without_last_crops(
        merged(
            Term(finite(scale), with_crops_outside(sorted_by_axis(a.factors + b.factors)))
            for a, b, scale in pairs
        )
    )
    check_cancellation(linear(terms), linear(after), linear(first))
    return terms


# ---- crops ----


def may_pass(crop: Crop, side: int, factor: Factor) -> bool:
    """Can a crop at one end be applied after a factor along its axis, instead of before? The rows
    of a uniform derivative are all alike at a "valid" end."""
    if isinstance(factor, Coefficient) or factor.axis != crop.axis:
        return False
    if factor.transposed != crop.transposed:
        return False
    if isinstance(factor, Crop):
        return True
    return factor.is_alike(side)


def with_crops_last(factors: Sequence[Factor], transposed: bool) -> list[Factor]:
    """The factors with crops moved as far to the front as the product stays the same, and merged:
    only those that are transposed, or that are not."""
    result: list[Factor] = []
    for factor in factors:
        if not isinstance(factor, Crop) or factor.transposed != transposed:
            result.append(factor)
            continue
        for side, points in enumerate(factor.crop):
            at = len(result)
            while at > 0 and may_pass(factor, side, result[at - 1]):
                at -= 1
            crop = (points, 0) if side == 0 else (0, points)
            here = result[at] if at < len(result) else None
            if isinstance(here, Crop) and may_pass(factor, side, here):
                result[at] = replace(here, crop=(here.crop[0] + crop[0], here.crop[1] + crop[1]))
            elif points:
                result.insert(at, replace(factor, crop=crop))
    return result


def with_crops_outside(factors: tuple[Factor, ...]) -> tuple[Factor, ...]:
    """The same product with crops applied as late, and their transposes as early as possible.

    Otherwise a power of a sum has twice as many terms as the one before, which differ in where
    points are removed.
    """
    if not any(isinstance(f, Crop) for f in factors) or both_signs(factors):
        return factors
    late = with_crops_last(factors, transposed=False)
    return tuple(reversed(with_crops_last(late[::-1], transposed=True)))


def without_last_crops(terms: list[Term]) -> list[Term]:
    """The terms without crops that are applied last, if other terms lack the points anyway."""

    def region(terms: list[Term]) -> dict[int, tuple[int, int]]:
        return lost_by_any([term.lost() for term in terms])

    def shortened(term: Term) -> Term:
        if both_signs(term.factors):
            return term
        factors: list[Factor] = []
        later: set[int] = set()  # axes of what is applied later
        for k, f in enumerate(term.factors):
            if isinstance(f, Coefficient):
                factors += term.factors[k:]
                break
            if not isinstance(f, Crop) or f.transposed or f.axis in later:
                factors.append(f)
                later.add(f.axis)
        return Term(term.scale, tuple(factors))

    if not any(isinstance(f, Crop) for term in terms for f in term.factors):
        return terms
    fewer = list(map(shortened, terms))
    return merged(fewer) if region(fewer) == region(terms) else terms


# ---- cancellation ----


def check_cancellation(terms: Sequence[Term], after: Sequence[Term], first: Sequence[Term]) -> None:
    """Raise an error if the terms of a product of sums are so much larger than their sum that half
    of the digits are lost, as in ``(I + D2 / 2)**40``: their weights are rounded before they are
    added. Not if a factor itself is 0 between the boundaries, as ``D + D.T``."""
    if len(terms) <= FEW_TERMS:
        return
    lost = size_over_sum(terms)
    if lost > LOST and max(map(size_over_sum, (after, first))) < ROUNDING:
        raise ValueError(
            f"A @ B, or A**n: the {len(terms)} terms of the expanded product are {lost:.0e} times "
            "as large as their sum, which could have few right digits; apply one operator after "
            "the other: A(B(u))"
        )


def size_over_sum(terms: Sequence[Term]) -> float:
    """How many times as large as their sum are the terms, between boundaries and for some waves?

    On uneven coordinates a derivative counts as a uniform one with the least spacing, an array as
    1; terms with other arrays do not cancel.
    """
    axes = axes_of(terms)
    waves = np.random.default_rng(0).uniform(0, np.pi, (len(axes), WAVES))
    waves[:, :2] = 0, np.pi
    phases = dict(zip(axes, waves, strict=True))
    symbols: dict[Any, Array] = {}
    sums: dict[Any, Array] = {}  # for each sequence of arrays
    size = np.zeros(WAVES)
    with np.errstate(all="ignore"):
        for term in terms:
            value = np.full(WAVES, term.scale, complex)
            for f in term.factors:
                if isinstance(f, Leaf):
                    if id(f) not in symbols:
                        symbols[id(f)] = leaf_symbol(least_spaced(f), phases[f.axis])
                    value = value * symbols[id(f)]
            arrays = tuple(f.key() for f in term.factors if isinstance(f, Coefficient))
            sums[arrays] = sums.get(arrays, 0.0) + value
            size += abs(value)
        ratio = size.max() / np.sum(list(map(abs, sums.values())), axis=0).max()
    return float(ratio) if ratio > 1 else 1.0  # (1 if not a number: the weights overflow)


def least_spaced(leaf: Leaf) -> Leaf:
    """The leaf, or for uneven coordinates a uniform one with the least spacing."""
    if leaf.coordinates is None:
        return leaf
    steps = np.diff(np.frombuffer(leaf.coordinates))
    return replace(leaf, spacing=float(steps[abs(steps).argmin()]), coordinates=None, at=None)
