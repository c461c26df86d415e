"""What can be told of an operator: its symbol, the size of its eigenvalues, its stencil."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from fdx._arguments import BOUNDARIES, PERIODIC, check_waves
from fdx._core import Band
from fdx._matrix import linear_operator, scipy_sparse
from fdx._operators import Coefficient, Crop, Factor, Leaf, Operator, Term, chain

Array = np.ndarray[Any, Any]

DENSE = 1000  # rows of a matrix whose eigenvalues are computed all at once
LONG = 256  # points of a uniform axis from which on eigenvalues that belong to a boundary stay
WAVES = 4096  # among which the largest is sought at once
EPSILON = float(np.finfo(float).eps)
TOLERANCE = 0.01  # of the largest eigenvalue of a larger one, relative
MARGIN = 1.05  # by which that is enlarged: of hundreds of operators tried none lacked 0.015
RESTARTS = 20  # of Arnoldi's method: all of those that converged took fewer
LARGEST_DENOMINATOR = 100_000  # of weights that are shown as fractions


# ---- symbol ----


def interior(leaf: Leaf) -> tuple[int, list[float]]:
    """The constant interior stencil: offset of its first weight from the point, and the weights."""
    if not leaf.uniform:
        raise ValueError(
            "an operator on uneven coordinates has no symbol, as its stencil differs by point"
        )
    side = BOUNDARIES.index("one-sided")
    open_ended = replace(leaf, left=side, right=side, points=None, period=None, transposed=False)
    needed = Band.points(leaf.deriv, leaf.accuracy, side, side, True) + 2 * leaf.reach
    found = open_ended.band(needed, 1.0).interior()
    assert found is not None
    return found


@functools.cache
def sine_series(deriv: int, count: int) -> list[float]:
    """Coefficients c of ``theta**n == s**n * (c[0] + c[1] * s**2 + ...)`` with ``s = 2 *
    sin(theta / 2)``; of ``theta**n / cos(theta / 2)`` for an odd n. None is negative."""
    n = deriv + deriv % 2
    # The powers of 2 arcsin(s / 2) / s by Euler's recurrence. Halved, as a derivative, theta**n
    # gives the odd power that is one less.
    arcsine = [Fraction(math.comb(2 * j, j), 16**j * (2 * j + 1)) for j in range(count)]
    series = [Fraction(1)]
    for j in range(1, count):
        terms = ((n * i - j + i) * arcsine[i] * series[j - i] for i in range(1, j + 1))
        series.append(sum(terms, Fraction(0)) / j)
    if deriv % 2:
        series = [c * (n + 2 * j) / n for j, c in enumerate(series)]
    return [float(c) for c in series]


def leaf_symbol(leaf: Leaf, phase: Array) -> Array:
    """What it multiplies a wave by that turns by `phase` from point to point.

    A centred stencil is the longest part of the series of theta**n that fits, so there are no
    differences which would cancel: they are exactly 0 at 0, and of full precision beside it.
    """
    odd = leaf.deriv % 2
    sine = 2 * np.sin(phase / 2)
    square, value = sine * sine, np.zeros(np.shape(phase))
    for c in reversed(sine_series(leaf.deriv, leaf.accuracy // 2)):
        value *= square
        value += c
    value *= (sine / leaf.spacing) ** leaf.deriv
    if odd:
        value *= np.cos(phase / 2)
    total: Array = np.zeros(np.shape(phase), complex)
    part = total.imag if odd else total.real
    if (leaf.deriv % 4 > 1) != (leaf.transposed and odd == 1):  # as i**n, or its conjugate
        part -= value
    else:
        part += value
    return total


def symbol(operator: Operator, k: Any) -> Any:
    axes = operator.axes
    if len(axes) == 1:
        waves = {axes[0]: check_waves(k, "k")}
    else:
        if not isinstance(k, (tuple, list, np.ndarray)) or len(k) != len(axes):
            raise ValueError(
                f"k: expected a sequence of {len(axes)} wavenumbers, one for each of axes {axes}"
            )
        waves = {axis: check_waves(k[j], f"k[{j}]") for j, axis in enumerate(axes)}
    total: Any = np.zeros(np.broadcast_shapes(*(one.shape for one in waves.values())), complex)
    for term in operator._terms:
        value: Any = term.scale
        for factor in term.factors:
            if isinstance(factor, Coefficient):
                raise ValueError("an operator with arrays of coefficients has no symbol")
            if isinstance(factor, Leaf):
                interior(factor)  # is an error of what cannot be applied either
                value = value * leaf_symbol(factor, waves[factor.axis] * factor.spacing)
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


def anywhere(term: Term) -> Term:
    """The same for axes of any length, where derivatives are uniform."""

    def freed(f: Factor) -> Factor:
        if isinstance(f, Leaf) and f.uniform:
            return replace(f, points=None, period=None)
        return f

    return Term(term.scale, tuple(map(freed, term.factors)))


def norm_bound(term: Term, shape: Sequence[int]) -> float:
    """A bound on the 2-norm: the geometric mean of the largest sums of a row and of a column.

    Where rows inside are alike, a short axis has the same sums as a long one.
    """
    bound, sizes, ndim = abs(term.scale), list(shape), len(shape)
    for is_array, some in itertools.groupby(
        reversed(term.factors), lambda f: isinstance(f, Coefficient)
    ):
        if is_array:
            for c in some:
                assert isinstance(c, Coefficient)
                most, least = c.values.max(initial=0.0), c.values.min(initial=0.0)
                bound *= float(np.maximum(most, -least))
            continue
        factors = list(some)
        here = list(sizes)
        for f in factors:
            assert not isinstance(f, Coefficient)
            sizes[normalize_axis_index(f.axis, ndim)] -= sum(f.crop) * (-1 if f.transposed else 1)
        for d in range(ndim):
            along = [
                f
                for f in factors
                if isinstance(f, Leaf) and normalize_axis_index(f.axis, ndim) == d
            ]
            if all(leaf.uniform for leaf in along):
                here[d] = min(here[d], LONG + 2 * sum(leaf.reach for leaf in along))
        for _, band, _ in chain(anywhere(Term(1.0, tuple(reversed(factors)))), here).stages:
            assert band is not None
            rows, columns, values = band.entries()
            by_row = np.bincount(rows, abs(values), band.shape[0]).max()
            by_column = np.bincount(columns, abs(values), band.shape[1]).max()
            bound *= math.sqrt(by_row) * math.sqrt(by_column)
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


def wave_factor(terms: Sequence[Term], phases: dict[int, Array], ndim: int) -> Any:
    """What uniform derivatives multiply waves by that turn by `phases` from point to point."""
    total: Any = 0.0
    for term in terms:
        value: Any = term.scale
        for f in term.factors:
            assert isinstance(f, Leaf)
            value = value * leaf_symbol(f, phases[normalize_axis_index(f.axis, ndim)])
        total = total + value
    return total


def reach_along(terms: Sequence[Term], axis: int, ndim: int) -> int:
    """Points to either side in the interior, along one axis."""

    def reach(term: Term) -> int:
        leaves = [f for f in term.factors if isinstance(f, Leaf)]
        return sum(f.reach for f in leaves if normalize_axis_index(f.axis, ndim) == axis)

    return max(map(reach, terms))


def largest_of_waves(terms: Sequence[Term], axis: int, ndim: int) -> float:
    """What terms of derivatives along one axis multiply waves by, of any wavenumber: at most.

    A sum of sines, the fastest of which turns `reach` times as fast as the wave, is at most
    ``1 / cos(reach * step / 2)`` of its largest value at points a `step` apart.
    """
    found = wave_factor(terms, {axis: np.linspace(0, np.pi, WAVES + 1)}, ndim)
    most = reach_along(terms, axis, ndim)
    return float(abs(found).max()) / math.cos(most * np.pi / WAVES / 2)


def search(
    value: Callable[[Sequence[Array]], Array], reach: Sequence[int], sizes: Sequence[int]
) -> float:
    """The largest value of a sum of sines at the wavenumbers of a periodic grid.

    `value` takes phases, an array for each axis, which broadcast; along an axis its fastest sine
    turns `reach` times as fast as the phase. Boxes of wavenumbers are halved, and given up where
    they cannot exceed what is known: between points a `step` apart values are at most the larger
    of both plus ``step**2 / 8`` times a bound on the second derivative, the sum of those of all
    sines.
    """
    ndim = len(sizes)
    counts = [min(n, 2 * r + 1) for n, r in zip(sizes, reach, strict=True)]
    samples = value(np.ix_(*(2 * np.pi / n * np.arange(n) for n in counts)))
    amplitudes = abs(np.fft.fftn(np.broadcast_to(samples, counts))) / math.prod(counts)
    bends = np.full(ndim, np.inf)  # of too few samples: each wavenumber is looked at
    for d, (n, count) in enumerate(zip(sizes, counts, strict=True)):
        if count > 2 * reach[d]:
            turns = np.fft.fftfreq(count, 1 / count)
            bend = np.tensordot(amplitudes, turns**2, (d, 0)).sum()
            bends[d] = bend * (2 * np.pi / n) ** 2 / 8

    def slack(low: Array, high: Array) -> Array:
        """By how much values inside may exceed those at the corners, for each axis."""
        width = high - low
        result = np.zeros(width.shape)
        inside = width > 1
        result[inside] = np.broadcast_to(bends, width.shape)[inside] * np.square(
            width[inside], dtype=float
        )
        return result

    tolerance = EPSILON * amplitudes.max()
    corners = np.array(list(itertools.product((False, True), repeat=ndim)))
    whole = np.array([[n // 2 for n in sizes]])
    stack, found = [(-whole, whole, np.array([np.inf]))], -math.inf
    while stack:
        low, high, bound = stack.pop()
        low, high = low[bound > found], high[bound > found]
        if not len(low):
            continue
        halved = np.arange(len(low)), slack(low, high).argmax(1)
        ends, starts = high.copy(), low.copy()
        ends[halved] = starts[halved] = (low[halved] + high[halved]) // 2
        low, high = np.concatenate([low, starts]), np.concatenate([ends, high])
        points = np.where(corners, high[:, np.newaxis], low[:, np.newaxis])
        phases = [2 * np.pi / n * points[..., d] for d, n in enumerate(sizes)]
        most = value(phases).max(axis=1)
        found = max(found, float(most.max()))
        more = slack(low, high).sum(axis=1)
        bound = most + more
        order = np.argsort(bound)
        order = order[(bound > found)[order] & (more > tolerance)[order]]
        for start in range(0, len(order), WAVES):
            some = order[start : start + WAVES]
            stack.append((low[some], high[some], bound[some]))
    return found


def together(terms: Sequence[Term], ndim: int) -> dict[tuple[int, ...], list[Term]]:
    """Terms by axes, so that those of different ones have no axis in common."""
    groups: dict[tuple[int, ...], list[Term]] = {}
    for term in terms:
        axes = {normalize_axis_index(f.axis, ndim) for f in term.factors if isinstance(f, Leaf)}
        some = [term]
        for known in [known for known in groups if axes & set(known)]:
            axes |= set(known)
            some = groups.pop(known) + some
        groups[tuple(sorted(axes))] = groups.pop((), []) + some if not axes else some
    return groups


def radius_of_waves(terms: Sequence[Term], shape: tuple[int, ...]) -> float:
    """The largest of what uniform periodic derivatives multiply the waves of a grid by."""
    ndim = len(shape)
    size = 0.0
    for term in terms:
        one = abs(term.scale)
        for f in term.factors:
            assert isinstance(f, Leaf)
            one *= math.fsum(map(abs, interior(f)[1]))
        size += one
    if not 0 < size < math.inf:
        return size
    size = (
        2.0 ** math.frexp(size)[1]
    )  # so that dividing by it is exact, and squares do not overflow
    terms = [Term(term.scale / size, term.factors) for term in terms]

    def largest(
        part: Callable[[Any], Array], degree: int, some: list[Term], axes: tuple[int, ...]
    ) -> float:
        return search(
            lambda phases: part(wave_factor(some, dict(zip(axes, phases, strict=True)), ndim)),
            [degree * reach_along(some, axis, ndim) for axis in axes],
            [shape[axis] for axis in axes],
        )

    odd = {sum(f.deriv for f in term.factors if isinstance(f, Leaf)) % 2 for term in terms}
    if len(odd) > 1:
        axes = tuple(sorted({axis for some in together(terms, ndim) for axis in some}))
        return size * math.sqrt(largest(lambda z: z.real**2 + z.imag**2, 2, list(terms), axes))
    # All are real, or all imaginary, and groups that have no axis in common are largest at once.
    least = most = 0.0
    for axes, some in together(terms, ndim).items():
        if not axes:
            number = sum(term.scale for term in some)
            least, most = least + number, most + number
        elif odd == {1}:
            most += largest(lambda z: z.imag, 1, some, axes)
        else:
            most += largest(lambda z: z.real, 1, some, axes)
            least -= largest(lambda z: -z.real, 1, some, axes)
    return size * max(most, -least)


def along_one_axis(terms: Sequence[Term], axis: int, shape: tuple[int, ...]) -> float:
    """The largest eigenvalue of terms of derivatives along one axis, or of all its waves.

    A uniform axis has those of waves inside, which grow with its length towards what a wave is
    multiplied by at most, and those that belong to a boundary, which are the same from some length
    on, as they fade within a few points.
    """
    if all(map(is_circulant, terms)):
        return radius_of_waves(terms, shape)
    terms = list(map(anywhere, terms))
    leaves = [f for term in terms for f in term.factors if isinstance(f, Leaf)]
    n = shape[axis]
    waves = 0.0
    if n > LONG and all(leaf.uniform and leaf.left != PERIODIC for leaf in leaves):
        n, waves = LONG, largest_of_waves(terms, axis, len(shape))
    if n > DENSE:
        return estimate(Operator([term.moved(0) for term in terms]), (n,))
    shorter = (*shape[:axis], n, *shape[axis + 1 :])
    total: Any = 0.0
    for term in terms:
        product: Any = np.eye(n)
        for _, band, _ in chain(term, shorter).stages:
            product = dense(band) @ product if band is not None else product * term.scale
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
    if all(map(is_circulant, terms)):
        return radius_of_waves(terms, shape)
    # What is along one axis commutes with what is along another: eigenvalues add up.
    if all(isinstance(f, Leaf) for term in terms for f in term.factors):
        along = together(terms, ndim)
        numbers = along.pop((), []) if len(along) == 2 else []  # which move what is along one axis
        if all(len(axes) == 1 for axes in along):
            return sum(
                along_one_axis(some + numbers, axes[0], shape) for axes, some in along.items()
            )
    if math.prod(shape) <= DENSE:
        return largest_eigenvalue(operator.matrix(shape).toarray())
    return estimate(operator, shape)


# ---- words and pictures ----


def fraction(weight: float) -> Fraction | None:
    """A weight for spacing 1 as the fraction that it is, if that is short."""
    found = Fraction(weight).limit_denominator(LARGEST_DENOMINATOR)
    return found if float(found) == weight else None


def formula(leaf: Leaf) -> str:
    """The interior stencil in words: (-f[i-1] + f[i+1]) / 2h."""
    if not leaf.uniform:
        return f"{2 * leaf.reach + 1} points, weights by point"
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
    h = "h" if leaf.deriv == 1 else f"h^{leaf.deriv}"  # in characters that every stream can print
    return f"({' '.join(parts)}) / " + (h if below == 1 else f"({below} {h})")


def leaves(operator: Operator) -> list[Leaf]:
    """The derivatives that it is made of, each once, in their order."""
    found: dict[Any, Leaf] = {}
    for term in operator._terms:
        for factor in term.factors:
            if isinstance(factor, Leaf):
                found.setdefault(factor.key(), factor)
    return list(found.values())


def written(operator: Operator) -> str:
    """The operator as it could be written, if that is possible."""

    def plain(terms: Sequence[Term]) -> str:
        return " + ".join(term.text() for term in terms).replace("+ -", "- ")

    def has_crops(some: Operator) -> bool:
        return any(isinstance(f, Crop) for f in some._along())

    if has_crops(operator):
        # Sums crop by themselves, and so do their transposes.
        with contextlib.suppress(ValueError):
            for some, form in ((operator, "{}"), (operator.T, "({}).T")):
                terms = [
                    Term(
                        term.scale,
                        tuple(f for f in term.factors if not isinstance(f, Crop) or f.transposed),
                    )
                    for term in some._terms
                ]
                if not has_crops(Operator(terms)) and Operator(terms) == some:
                    return form.format(plain(terms))
    return plain(operator._terms)


def describe(operator: Operator) -> str:
    """The operator as it could be written, and the stencils of its derivatives."""
    text = written(operator)
    lines = [text]
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
            bar = "#" * round(24 * abs(w) / most)
            left, right = (bar, "") if w < 0 else ("", bar)
            point = f"i{j - reach[0]:+d}" if j != reach[0] else "i"
            lines.append(f"{point:>5} {w:12.5g}  {left:>24}|{right}".rstrip())
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
