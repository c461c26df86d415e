"""What can be told of an operator: its symbol, the size of its eigenvalues, its stencil."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from fdx._arguments import BOUNDARIES, PERIODIC
from fdx._core import Band
from fdx._matrix import linear_operator, scipy_sparse
from fdx._operators import Coefficient, Crop, Leaf, Operator, Term, chain

Array = np.ndarray[Any, Any]

DENSE = 1000  # rows of a matrix whose eigenvalues are computed all at once
LONG = 256  # points of a uniform axis from which on eigenvalues that belong to a boundary stay
WAVES = 4096  # of half a turn from point to point at most, among which the largest is sought
TOLERANCE = 0.01  # of the largest eigenvalue of a larger one, relative
MARGIN = 1.05  # by which that is enlarged: of hundreds of operators tried none lacked 0.015
RESTARTS = 20  # of Arnoldi's method: all of those that converged took fewer
LARGEST_DENOMINATOR = 100_000  # of weights that are shown as fractions


# ---- symbol ----


def interior(leaf: Leaf, scale: float = 1.0) -> tuple[int, list[float]]:
    """The constant interior stencil: offset of its first weight from the point, and the weights."""
    if not leaf.uniform:
        raise ValueError(
            "an operator on uneven coordinates has no symbol, as its stencil differs by point"
        )
    left = right = BOUNDARIES.index("one-sided")
    needed = Band.points(leaf.deriv, leaf.accuracy, left, right, True) + 2 * leaf.reach
    band = Band.derivative(
        needed, leaf.deriv, leaf.accuracy, left, right, scale, leaf.spacing, None, 0.0
    )
    found = band.interior()
    assert found is not None
    return found


def leaf_symbol(leaf: Leaf, k: Array) -> Array:
    """Folded: i times a sum of sines, or a sum of squares of them, which are exactly 0 at k = 0."""
    _, weights = interior(leaf)
    reach = len(weights) // 2
    total = np.zeros(np.shape(k), complex)
    for j in range(1, reach + 1):
        w, phase = weights[reach + j], np.asarray(k) * (j * leaf.spacing)
        if leaf.deriv % 2:
            total += 2j * w * np.sin(phase)
        else:
            total -= 4 * w * np.sin(phase / 2) ** 2
    return total.conj() if leaf.transposed else total


def symbol(operator: Operator, k: Any) -> Any:
    axes = operator.axes
    if len(axes) == 1:
        waves = {axes[0]: np.asarray(k)}
    else:
        if not isinstance(k, (tuple, list, np.ndarray)) or len(k) != len(axes):
            raise ValueError(
                f"k: expected a sequence of {len(axes)} wavenumbers, one for each of axes {axes}"
            )
        waves = {axis: np.asarray(one) for axis, one in zip(axes, k, strict=True)}
    for one in waves.values():
        if one.dtype.kind not in "iuf":
            raise TypeError(f"k: expected real wavenumbers, got {one.dtype}")
    total: Any = np.zeros(np.broadcast_shapes(*(one.shape for one in waves.values())), complex)
    for term in operator._terms:
        value: Any = term.scale
        for factor in term.factors:
            if isinstance(factor, Coefficient):
                raise ValueError("an operator with arrays of coefficients has no symbol")
            if isinstance(factor, Leaf):
                value = value * leaf_symbol(factor, waves[factor.axis])
        total = total + value
    return total[()]


# ---- spectral radius ----


def largest_eigenvalue(matrix: Array) -> float:
    symmetric = (matrix == matrix.T).all()
    found = np.linalg.eigvalsh(matrix) if symmetric else np.linalg.eigvals(matrix)
    return float(abs(found).max(initial=0.0))


def dense(band: Band) -> Array:
    result = np.zeros(band.shape)
    rows, columns, values = band.entries()
    result[rows, columns] = values
    return result


def norm_bound(term: Term, shape: Sequence[int]) -> float:
    """A bound on the 2-norm: the geometric mean of the largest sums of a row and of a column."""
    bound = 1.0
    for _, band, factor in chain(term, shape).stages:
        if band is not None:
            rows, columns, values = band.entries()
            by_row = np.bincount(rows, abs(values), band.shape[0]).max()
            by_column = np.bincount(columns, abs(values), band.shape[1]).max()
            bound *= math.sqrt(by_row) * math.sqrt(by_column)
        if factor is not None:
            bound *= float(abs(factor).max(initial=0.0))
    return bound


def estimate(operator: Operator, shape: tuple[int, ...]) -> float:
    """The largest eigenvalue by Arnoldi's method, which may lack a little, times a margin; or a
    bound, where that is less or the method does not converge."""
    bound = sum(norm_bound(term, shape) for term in operator._terms)
    if not np.finfo(float).tiny < bound < math.inf:
        return bound
    linalg = scipy_sparse().linalg
    try:
        found = linalg.eigs(
            # ARPACK takes what is small beside 1 for converged.
            linear_operator(operator, shape) * (1 / bound),
            k=1,
            v0=np.random.default_rng(0).uniform(-1, 1, math.prod(shape)),
            tol=TOLERANCE,
            maxiter=RESTARTS,
            return_eigenvectors=False,
        )
    except linalg.ArpackError:
        return bound
    return bound * min(1.0, MARGIN * float(abs(found[0])))


def is_circulant(term: Term) -> bool:
    """Is it of uniform periodic derivatives only, whose eigenvectors are waves?"""
    return all(isinstance(f, Leaf) and f.uniform and f.left == PERIODIC for f in term.factors)


def largest_of_waves(terms: Sequence[Term]) -> float:
    """What terms of derivatives along one axis multiply waves by, of any wavenumber: at most.

    A sum of sines, the fastest of which turns `reach` times as fast as the wave, is at most
    ``1 / cos(reach * step / 2)`` of its largest value at points a `step` apart.
    """
    phase = np.linspace(0, np.pi, WAVES + 1)
    total, most = np.zeros(len(phase), complex), 0
    for term in terms:
        value, reach = np.full(len(phase), term.scale, complex), 0
        for factor in term.factors:
            assert isinstance(factor, Leaf)
            value *= leaf_symbol(factor, phase / factor.spacing)
            reach += factor.reach
        total += value
        most = max(most, reach)
    return float(abs(total).max()) / math.cos(most * np.pi / WAVES / 2)


def along_one_axis(terms: Sequence[Term], axis: int, shape: tuple[int, ...]) -> float:
    """The largest eigenvalue of terms of derivatives along one axis, or of all its waves.

    A uniform axis has those of waves inside, which grow with its length towards what a wave is
    multiplied by at most, and those that belong to a boundary, which are the same from some length
    on, as they fade within a few points.
    """
    leaves = [f for term in terms for f in term.factors if isinstance(f, Leaf)]
    n = shape[axis]
    waves = 0.0
    if n > LONG and all(leaf.points is None and leaf.left != PERIODIC for leaf in leaves):
        n, waves = LONG, largest_of_waves(terms)
    if n > DENSE:
        return estimate(Operator([term.moved(0) for term in terms]), (n,))
    shorter = (*shape[:axis], n, *shape[axis + 1 :])
    total: Any = 0.0
    for term in terms:
        product: Any = np.eye(n)
        for _, band, _ in chain(term, shorter).stages:
            assert band is not None
            product = dense(band) @ product
        total = total + product
    return max(waves, largest_eigenvalue(total))


def spectral_radius(operator: Operator, shape: tuple[int, ...]) -> float:
    if operator.output_shape(shape) != shape:
        raise ValueError(
            f"shape: expected a result of the same shape, as the eigenvalues are those of a square "
            f"matrix, got {operator.output_shape(shape)} for {shape}"
        )
    if 0 in shape:
        return 0.0
    ndim, terms = len(shape), operator._terms
    spacings = {(normalize_axis_index(f.axis, ndim), f.spacing) for f in leaves(operator)}
    one_each = len(operator.axes) == len(spacings) == len({axis for axis, _ in spacings})
    if spacings and one_each and all(map(is_circulant, terms)):
        waves = []
        for axis in operator.axes:
            at = normalize_axis_index(axis, ndim)
            (h,) = {f.spacing for f in operator._along() if f.axis == axis and isinstance(f, Leaf)}
            k = 2 * np.pi * np.fft.fftfreq(shape[at], h)
            others = (1,) * len(operator.axes[: operator.axes.index(axis)])
            behind = (1,) * (len(operator.axes) - len(others) - 1)
            waves.append(k.reshape(*others, -1, *behind))
        return float(abs(symbol(operator, waves if len(waves) > 1 else waves[0])).max())
    # What is along one axis commutes with what is along another: eigenvalues add up.
    along: dict[int, list[Term]] = {}
    for term in terms:
        axes = {normalize_axis_index(f.axis, ndim) for f in term.factors if isinstance(f, Leaf)}
        if len(axes) != 1 or not all(isinstance(f, Leaf) for f in term.factors):
            break
        along.setdefault(axes.pop(), []).append(term)
    else:
        return sum(along_one_axis(some, axis, shape) for axis, some in along.items())
    if math.prod(shape) <= DENSE:
        return largest_eigenvalue(operator.matrix(shape).toarray())
    return estimate(operator, shape)


# ---- words and pictures ----


def fraction(weight: float) -> Fraction | None:
    """A weight for spacing 1 as the fraction that it is, if that is short."""
    found = Fraction(weight).limit_denominator(LARGEST_DENOMINATOR)
    return found if float(found) == weight else None


def power(unit: str, n: int) -> str:
    return unit if n == 1 else unit + "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(n))


def formula(leaf: Leaf) -> str:
    """The interior stencil in words: (-f[i-1] + f[i+1]) / 2h."""
    if not leaf.uniform:
        return f"{2 * leaf.reach + 1} points, weights by point"
    _, weights = interior(
        Leaf(0, 1.0, None, None, leaf.deriv, leaf.accuracy, leaf.left, leaf.right, None)
    )
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
    h = power("h", leaf.deriv)
    return f"({' '.join(parts)}) / " + (h if below == 1 else f"({below} {h})")


def leaves(operator: Operator) -> list[Leaf]:
    """The derivatives that it is made of, each once, in their order."""
    found: dict[Any, Leaf] = {}
    for term in operator._terms:
        for factor in term.factors:
            if isinstance(factor, Leaf):
                found.setdefault(factor.key(), factor)
    return list(found.values())


def describe(operator: Operator) -> str:
    """The operator as it could be written, and the stencils of its derivatives."""
    text = " + ".join(term.text() for term in operator._terms)
    lines = [text.replace("+ -", "- ")]
    seen = leaves(operator)
    single = len(seen) == 1 and len(operator._terms) == 1
    for leaf in seen:
        name = "" if single and text == leaf.text() else f"{leaf.text()}: "
        step = f", h = {leaf.spacing:g}" if leaf.uniform else ""
        lines.append(f"    {name}{formula(leaf)}{step}")
    return "\n".join(lines)


def grid_weights(operator: Operator) -> tuple[list[int], Array, list[int]]:
    """The interior stencil as an array: its axes, weights, and the index of the point itself."""
    axes = list(operator.axes)
    total: dict[tuple[int, ...], float] = {}
    for term in operator._terms:
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
            for place, w in weights.items():
                for j, value in enumerate(values):
                    moved = (*place[:at], place[at] + first + j, *place[at + 1 :])
                    longer[moved] = longer.get(moved, 0.0) + w * value
            weights = longer
        for place, w in weights.items():
            total[place] = total.get(place, 0.0) + w
    reach = [max(abs(place[d]) for place in total) for d in range(len(axes))]
    result = np.zeros([2 * r + 1 for r in reach])
    for place, w in total.items():
        result[tuple(p + r for p, r in zip(place, reach, strict=True))] = w
    return axes, result, reach


def plot(operator: Operator, ax: Any) -> None:
    if not operator.axes:
        raise ValueError("an operator without derivatives has no stencil to draw")
    if not all(leaf.uniform for leaf in leaves(operator)):
        raise ValueError("an operator on uneven coordinates has a stencil of its own at each point")
    axes, weights, reach = grid_weights(operator)
    if ax is None:
        print(text_picture(operator, axes, weights, reach))
        return
    if len(axes) > 2:
        raise ValueError(f"ax: expected an operator along 1 or 2 axes to draw, got axes {axes}")
    if len(axes) == 1:
        offsets = np.arange(-reach[0], reach[0] + 1)
        ax.axhline(0, color="0.7", linewidth=0.8)
        ax.stem(offsets, weights, basefmt=" ")
        ax.set(xlabel=f"point along axis {axes[0]}", ylabel="weight", xticks=offsets)
    else:
        most = abs(weights).max()
        ax.imshow(weights, cmap="RdBu_r", vmin=-most, vmax=most)
        for index, w in np.ndenumerate(weights):
            if w:
                ax.text(index[1], index[0], f"{w:.3g}", ha="center", va="center", fontsize=8)
        for set_ticks, r in ((ax.set_yticks, reach[0]), (ax.set_xticks, reach[1])):
            set_ticks(np.arange(2 * r + 1), [str(j) for j in range(-r, r + 1)])
        ax.set(xlabel=f"point along axis {axes[1]}", ylabel=f"point along axis {axes[0]}")
    ax.set_title("interior stencil")


def text_picture(operator: Operator, axes: list[int], weights: Array, reach: list[int]) -> str:
    """One axis: a bar for each point. Two: a table. More: a line for each point."""
    lines = [describe(operator), ""]
    if len(axes) == 1:
        most = abs(weights).max() or 1.0
        for j, w in enumerate(weights):
            bar = "█" * round(24 * abs(w) / most)
            left, right = (bar, "") if w < 0 else ("", bar)
            point = f"i{j - reach[0]:+d}" if j != reach[0] else "i"
            lines.append(f"{point:>5} {w:12.5g}  {left:>24}│{right}".rstrip())
    elif len(axes) == 2:
        head = "".join(f"{j:>11d}" for j in range(-reach[1], reach[1] + 1))
        lines.append(f"axis {axes[0]} down, axis {axes[1]} across")
        lines.append("     " + head)
        for i, row in enumerate(weights):
            cells = "".join(f"{w:>11.4g}" if w else f"{'.':>11}" for w in row)
            lines.append(f"{i - reach[0]:>5d}{cells}")
    else:
        lines.append("point along axes " + ", ".join(map(str, axes)))
        for index in zip(*np.nonzero(weights), strict=True):
            place = ", ".join(f"{int(i) - r:+d}" for i, r in zip(index, reach, strict=True))
            lines.append(f"({place}) {weights[index]:12.5g}")
    return "\n".join(lines)
