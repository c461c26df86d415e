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
from fdx._operators.analysis import offsets_and_weights
from fdx._operators.coefficients import Coefficient
from fdx._operators.filters import binomial_of
from fdx._operators.terms import (
    Crop,
    Leaf,
    Term,
    along,
    axes_of,
    order_and_key,
    transposed,
)
from fdx._operators.upwind import upstream_of

Array = np.ndarray[Any, Any]

LARGEST_DENOMINATOR = 100_000  # of weights that are shown as fractions


def fraction(weight: float) -> Fraction | None:
    """A weight for spacing 1 as a fraction, if that is short and exact."""
    found = Fraction(weight).limit_denominator(LARGEST_DENOMINATOR)
    return found if float(found) == weight else None


def formula(leaf: Leaf) -> str:
    """The interior stencil as text: (-f[i-1] + f[i+1]) / 2h."""
    if not leaf.uniform:
        return f"{len(leaf.offsets)} points, weights by point"
    offsets, weights = offsets_and_weights(replace(leaf, spacing=1.0))
    fractions = [fraction(w) for w in weights]
    known = [f for f in fractions if f is not None]
    below = math.lcm(*(f.denominator for f in known)) if len(known) == len(weights) else 1
    parts: list[str] = []
    for j, w in enumerate(weights):
        if w == 0:
            continue
        size = abs(known[j] * below) if len(known) == len(weights) else abs(w)
        point = f"f[{place(offsets[j])}]"
        sign = "-" if w < 0 else "+" if parts else ""
        number = "" if size == 1 else f"{size} " if isinstance(size, Fraction) else f"{size:.6g} "
        parts.append(f"{sign} {number}{point}" if parts else f"{sign}{number}{point}")
    h = "h" if leaf.deriv == 1 else f"h^{leaf.deriv}"  # ASCII, which every stream can print
    if leaf.deriv == 0:
        return " ".join(parts) if below == 1 else f"({' '.join(parts)}) / {below}"
    return f"({' '.join(parts)}) / " + (h if below == 1 else f"({below} {h})")


def place(offset: float) -> str:
    """A point, or a place between two, that is so many spacings from the result, which is i."""
    if offset == 0:
        return "i"
    return f"i{int(offset):+d}" if offset == int(offset) else f"i{int(2 * offset):+d}/2"


def leaves(terms: Sequence[Term]) -> list[Leaf]:
    """The derivatives in it, each once, in their order."""
    found: dict[Any, Leaf] = {}
    for term in terms:
        for factor in term.factors:
            if isinstance(factor, Leaf) and not factor.datum:
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
    binomial = binomial_of(terms)
    if binomial:
        return f"{binomial.text()}\n    {formula(binomial.interior)}"
    upstream = upstream_of(terms)
    text = upstream.text() if upstream else written(terms)
    lines = [text]
    seen = leaves(terms)
    single = len(seen) == 1 and len(terms) == 1
    for leaf in seen:
        name = "" if single and text == leaf.text() else f"{leaf.text()}: "
        step = f", h = {leaf.spacing:g}" if leaf.uniform and leaf.deriv else ""
        lines.append(f"    {name}{formula(leaf)}{step}")
    return "\n".join(lines)


def grid_weights(terms: Sequence[Term]) -> tuple[list[int], Array, list[list[float]]]:
    """The interior stencil as an array: its axes, its weights, and along each axis the offsets
    from the result, in spacings."""
    axes = list(axes_of(terms))
    total: dict[tuple[float, ...], float] = {}
    for term in terms:
        weights: dict[tuple[float, ...], float] = {(0.0,) * len(axes): term.scale}
        for factor in term.factors:
            if isinstance(factor, Coefficient):
                raise ValueError(
                    "an operator with arrays of coefficients has a stencil by point; draw one with "
                    "numbers in their place"
                )
            if isinstance(factor, Crop):
                continue
            at = axes.index(factor.axis)
            longer: dict[tuple[float, ...], float] = {}
            for offset, w in weights.items():
                for o, value in zip(*offsets_and_weights(factor), strict=True):
                    moved = (*offset[:at], offset[at] + o, *offset[at + 1 :])
                    longer[moved] = longer.get(moved, 0.0) + w * value
            weights = longer
        for offset, w in weights.items():
            total[offset] = total.get(offset, 0.0) + w
    least = [min(offset[d] for offset in total) for d in range(len(axes))]
    most = [max(offset[d] for offset in total) for d in range(len(axes))]
    lengths = [round(b - a) + 1 for a, b in zip(least, most, strict=True)]
    result = np.zeros(lengths)
    for offset, w in total.items():
        result[tuple(round(o - a) for o, a in zip(offset, least, strict=True))] = w
    return axes, result, [[a + k for k in range(n)] for a, n in zip(least, lengths, strict=True)]


def plot(terms: Sequence[Term], ax: Any) -> None:
    if not axes_of(terms):
        raise ValueError("an operator without derivatives has no stencil to draw")
    if not all(leaf.uniform for leaf in leaves(terms)):
        raise ValueError("an operator on uneven coordinates has another stencil at each point")
    axes, weights, offsets = grid_weights(terms)
    if ax is None:
        print(text_picture(terms, axes, weights, offsets))
        return
    if not hasattr(ax, "stem"):
        raise TypeError(f"ax: expected None or matplotlib's Axes, got {shown(ax)}")
    if len(axes) > 2:
        raise ValueError(f"ax: expected an operator along 1 or 2 axes to draw, got axes {axes}")
    if len(axes) == 1:
        ax.axhline(0, color="0.7", linewidth=0.8)
        ax.stem(offsets[0], weights, basefmt=" ")
        ax.set(xlabel=f"point along axis {axes[0]}", ylabel="weight", xticks=offsets[0])
    else:
        most = abs(weights).max()
        ax.imshow(weights, cmap="RdBu_r", vmin=-most, vmax=most)
        for index, w in np.ndenumerate(weights):
            if w:
                ax.text(index[1], index[0], f"{w:.3g}", ha="center", va="center", fontsize=8)
        for set_ticks, some in ((ax.set_yticks, offsets[0]), (ax.set_xticks, offsets[1])):
            set_ticks(np.arange(len(some)), [f"{o:g}" for o in some])
        ax.set(xlabel=f"point along axis {axes[1]}", ylabel=f"point along axis {axes[0]}")
    ax.set_title("interior stencil")


def text_picture(
    terms: Sequence[Term], axes: list[int], weights: Array, offsets: list[list[float]]
) -> str:
    """One axis: a bar for each point. Two: a table. More: a line for each point."""
    lines = [describe(terms), ""]
    if len(axes) == 1:
        most = abs(weights).max() or 1.0
        for j, w in enumerate(weights):
            bar = "#" * round(24 * abs(w) / most)
            left, right = (bar, "") if w < 0 else ("", bar)
            lines.append(f"{place(offsets[0][j]):>5} {w:12.5g}  {left:>24}|{right}".rstrip())
    elif len(axes) == 2:
        head = "".join(f"{o:>11g}" for o in offsets[1])
        lines.append(f"axis {axes[0]} down, axis {axes[1]} across")
        lines.append("     " + head)
        for i, row in enumerate(weights):
            cells = "".join(f"{w:>11.4g}" if w else f"{'.':>11}" for w in row)
            lines.append(f"{offsets[0][i]:>5g}{cells}")
    else:
        lines.append("point along axes " + ", ".join(map(str, axes)))
        for index in zip(*np.nonzero(weights), strict=True):
            here = ", ".join(f"{offsets[d][i]:+g}" for d, i in enumerate(index))
            lines.append(f"({here}) {weights[index]:12.5g}")
    return "\n".join(lines)
