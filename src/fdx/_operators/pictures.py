"""Operators as Python code and formulas, and their stencils as pictures."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from fdx._common.text import shown
from fdx._operators.analysis import interior
from fdx._operators.terms import (
    Coefficient,
    Crop,
    Leaf,
    Term,
    along,
    axes_of,
    order_and_key,
    transposed,
)

Array = np.ndarray[Any, Any]

LARGEST_DENOMINATOR = 100_000  # of weights that are shown as fractions


def fraction(weight: float) -> Fraction | None:
    """A weight for spacing 1 as a fraction, if that is short and exact."""
    found = Fraction(weight).limit_denominator(LARGEST_DENOMINATOR)
    return found if float(found) == weight else None


def formula(leaf: Leaf) -> str:
    """The interior stencil as text: (-f[i-1] + f[i+1]) / 2h."""
    if not leaf.uniform:
        return f"{2 * leaf.half_width + 1} points, weights by point"
    _, weights = interior(replace(leaf, spacing=1.0))
    if leaf.transposed:
        weights = weights[::-1]
    fractions = [fraction(w) for w in weights]
    known = [f for f in fractions if f is not None]
    below = math.lcm(*(f.denominator for f in known)) if len(known) == len(weights) else 1
    parts: list[str] = []
    for j, w in enumerate(weights):
        if w == 0:
            continue
        size = abs(known[j] * below) if len(known) == len(weights) else abs(w)
        offset = j - len(weights) // 2
        point = f"f[i{offset:+d}]" if offset else "f[i]"
        sign = "-" if w < 0 else "+" if parts else ""
        number = "" if size == 1 else f"{size} " if isinstance(size, Fraction) else f"{size:.6g} "
        parts.append(f"{sign} {number}{point}" if parts else f"{sign}{number}{point}")
    h = "h" if leaf.deriv == 1 else f"h^{leaf.deriv}"  # ASCII, which every stream can print
    return f"({' '.join(parts)}) / " + (h if below == 1 else f"({below} {h})")


def leaves(terms: Sequence[Term]) -> list[Leaf]:
    """The derivatives in it, each once, in their order."""
    found: dict[Any, Leaf] = {}
    for term in terms:
        for factor in term.factors:
            if isinstance(factor, Leaf):
                found.setdefault(factor.key(), factor)
    return list(found.values())


def written(terms: Sequence[Term]) -> str:
    """The operator as Python code, if there is such code."""

    def plain(some: Sequence[Term]) -> str:
        return " + ".join(term.text() for term in some).replace("+ -", "- ")

    def has_crops(some: Sequence[Term]) -> bool:
        return any(isinstance(f, Crop) for f in along(some))

    if has_crops(terms):
        # Sums crop their terms, so that the code needs no crop, and so do their transposes.
        with contextlib.suppress(ValueError):
            for some, code in ((terms, "{}"), (transposed(terms), "({}).T")):
                less = [
                    Term(
                        term.scale,
                        tuple(f for f in term.factors if not isinstance(f, Crop) or f.transposed),
                    )
                    for term in some
                ]
                if not has_crops(less) and order_and_key(less)[1] == order_and_key(some)[1]:
                    return code.format(plain(less))
    return plain(terms)


def describe(terms: Sequence[Term]) -> str:
    """The operator as Python code, and the stencils of its derivatives."""
    text = written(terms)
    lines = [text]
    seen = leaves(terms)
    single = len(seen) == 1 and len(terms) == 1
    for leaf in seen:
        name = "" if single and text == leaf.text() else f"{leaf.text()}: "
        step = f", h = {leaf.spacing:g}" if leaf.uniform else ""
        lines.append(f"    {name}{formula(leaf)}{step}")
    return "\n".join(lines)


def grid_weights(terms: Sequence[Term]) -> tuple[list[int], Array, list[int]]:
    """The interior stencil as an array: its axes, its weights, and the index of its centre."""
    axes = list(axes_of(terms))
    total: dict[tuple[int, ...], float] = {}
    for term in terms:
        weights: dict[tuple[int, ...], float] = {(0,) * len(axes): term.scale}
        for factor in term.factors:
            if isinstance(factor, Coefficient):
                raise ValueError("an operator with arrays of coefficients has a stencil by point")
            if isinstance(factor, Crop):
                continue
            first, values = interior(factor)
            if factor.transposed:
                values = values[::-1]
            at = axes.index(factor.axis)
            longer: dict[tuple[int, ...], float] = {}
            for offset, w in weights.items():
                for j, value in enumerate(values):
                    moved = (*offset[:at], offset[at] + first + j, *offset[at + 1 :])
                    longer[moved] = longer.get(moved, 0.0) + w * value
            weights = longer
        for offset, w in weights.items():
            total[offset] = total.get(offset, 0.0) + w
    centre = [max(abs(offset[d]) for offset in total) for d in range(len(axes))]
    result = np.zeros([2 * c + 1 for c in centre])
    for offset, w in total.items():
        result[tuple(k + c for k, c in zip(offset, centre, strict=True))] = w
    return axes, result, centre


def plot(terms: Sequence[Term], ax: Any) -> None:
    if not axes_of(terms):
        raise ValueError("an operator without derivatives has no stencil to draw")
    if not all(leaf.uniform for leaf in leaves(terms)):
        raise ValueError("an operator on uneven coordinates has another stencil at each point")
    axes, weights, centre = grid_weights(terms)
    if ax is None:
        print(text_picture(terms, axes, weights, centre))
        return
    if not hasattr(ax, "stem"):
        raise TypeError(f"ax: expected None or matplotlib's Axes, got {shown(ax)}")
    if len(axes) > 2:
        raise ValueError(f"ax: expected an operator along 1 or 2 axes to draw, got axes {axes}")
    if len(axes) == 1:
        offsets = np.arange(-centre[0], centre[0] + 1)
        ax.axhline(0, color="0.7", linewidth=0.8)
        ax.stem(offsets, weights, basefmt=" ")
        ax.set(xlabel=f"point along axis {axes[0]}", ylabel="weight", xticks=offsets)
    else:
        most = abs(weights).max()
        ax.imshow(weights, cmap="RdBu_r", vmin=-most, vmax=most)
        for index, w in np.ndenumerate(weights):
            if w:
                ax.text(index[1], index[0], f"{w:.3g}", ha="center", va="center", fontsize=8)
        for set_ticks, c in ((ax.set_yticks, centre[0]), (ax.set_xticks, centre[1])):
            set_ticks(np.arange(2 * c + 1), [str(j) for j in range(-c, c + 1)])
        ax.set(xlabel=f"point along axis {axes[1]}", ylabel=f"point along axis {axes[0]}")
    ax.set_title("interior stencil")


def text_picture(terms: Sequence[Term], axes: list[int], weights: Array, centre: list[int]) -> str:
    """One axis: a bar for each point. Two: a table. More: a line for each point."""
    lines = [describe(terms), ""]
    if len(axes) == 1:
        most = abs(weights).max() or 1.0
        for j, w in enumerate(weights):
            bar = "#" * round(24 * abs(w) / most)
            left, right = (bar, "") if w < 0 else ("", bar)
            point = f"i{j - centre[0]:+d}" if j != centre[0] else "i"
            lines.append(f"{point:>5} {w:12.5g}  {left:>24}|{right}".rstrip())
    elif len(axes) == 2:
        head = "".join(f"{j:>11d}" for j in range(-centre[1], centre[1] + 1))
        lines.append(f"axis {axes[0]} down, axis {axes[1]} across")
        lines.append("     " + head)
        for i, row in enumerate(weights):
            cells = "".join(f"{w:>11.4g}" if w else f"{'.':>11}" for w in row)
            lines.append(f"{i - centre[0]:>5d}{cells}")
    else:
        lines.append("point along axes " + ", ".join(map(str, axes)))
        for index in zip(*np.nonzero(weights), strict=True):
            offset = ", ".join(f"{int(i) - c:+d}" for i, c in zip(index, centre, strict=True))
            lines.append(f"({offset}) {weights[index]:12.5g}")
    return "\n".join(lines)
