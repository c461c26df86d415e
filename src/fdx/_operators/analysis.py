"""Analysis of operators: symbols and spectral radii."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from fdx._arguments.arrays import as_array
from fdx._arguments.choices import PERIODIC, VALID
from fdx._arguments.reals import check_waves
from fdx._core import Band, Plan
from fdx._operators.coefficients import Coefficient
from fdx._operators.matrix import linear_operator, of_plan, scipy_sparse
from fdx._operators.plans import apply, make_plan, stages_of
from fdx._operators.terms import (
    Factor,
    Leaf,
    Term,
    axes_of,
    order_and_key,
)

Array = np.ndarray[Any, Any]

MAX_DENSE_ROWS = 1000  # of a matrix of which all eigenvalues are computed
LONG_AXIS = 256  # points; on longer uniform axes eigenvalues of the boundaries do not change
WAVES = 4096  # wavenumbers that are searched at once
EPSILON = float(np.finfo(float).eps)
TOLERANCE = 0.01  # of Arnoldi's method, relative
MARGIN = 1.05  # times its result: of hundreds of operators none was more than 0.015 too small
RESTARTS = 20  # of Arnoldi's method: it took fewer whenever it converged


# ---- symbol ----


def interior(leaf: Leaf) -> list[float]:
    """The weights of the constant interior stencil."""
    if not leaf.uniform:
        raise ValueError(
            "an operator on uneven coordinates has no symbol, as its stencil differs by point"
        )
    scheme = None if leaf.scheme is None else replace(leaf.scheme, first=(), last=())
    alone = replace(
        leaf,
        axis=0,
        left=VALID,
        right=VALID,
        points=None,
        period=None,
        transposed=False,
        scheme=scheme,
    )
    ((_, band, _),) = stages_of(Term(1.0, (alone,)), (alone.description.points_needed(),))
    assert band is not None
    found = band.interior()
    assert found is not None
    return found[1]


def offsets_and_weights(leaf: Leaf) -> tuple[list[float], list[float]]:
    """The interior stencil as it is applied, transposed or not: offsets from the result in
    spacings, and weights."""
    offsets, weights = leaf.offsets, interior(leaf)
    if leaf.transposed:
        return [-o for o in reversed(offsets)], weights[::-1]
    return offsets, weights


@functools.cache
def sine_series(deriv: int, count: int) -> list[float]:
    """Coefficients c of ``theta**n == s**n * (c[0] + c[1] * s**2 + ...)`` with ``s = 2 *
    sin(theta / 2)``; for an odd n of ``theta**n / cos(theta / 2)``. No coefficient is negative."""
    n = deriv + deriv % 2
    # The powers of 2 arcsin(s / 2) / s by Euler's recurrence. The series of an odd power is that of
    # the next even one, n, differentiated and divided by n.
    arcsine = [Fraction(math.comb(2 * j, j), 16**j * (2 * j + 1)) for j in range(count)]
    series = [Fraction(1)]
    for j in range(1, count):
        terms = ((n * i - j + i) * arcsine[i] * series[j - i] for i in range(1, j + 1))
        series.append(sum(terms, Fraction(0)) / j)
    if deriv % 2:
        series = [c * (n + 2 * j) / n for j, c in enumerate(series)]
    return [float(c) for c in series]


def leaf_symbol(leaf: Leaf, phase: Array) -> Array:
    """The factor by which it multiplies a wave whose phase grows by `phase` from point to point."""
    return centred_symbol(leaf, phase) if leaf.centred else sum_of_waves(leaf, phase)


def sum_of_waves(leaf: Leaf, phase: Array) -> Array:
    """The symbol of any stencil, relative to the place of the result.

    Of weights that add up to 0, waves minus 1 are added, so that it is exactly 0 at 0. Neighbours
    at the same distance follow each other, so that what cancels is exactly 0.
    """
    offsets, weights = offsets_and_weights(leaf)
    size, rest = math.fsum(map(abs, weights)), abs(math.fsum(weights))
    less = 1.0 if rest <= EPSILON / 2 * size else 0.0  # as for the order of summation
    total: Array = np.zeros(np.shape(phase), complex)
    for o, w in sorted(zip(offsets, weights, strict=True), key=lambda pair: abs(pair[0])):
        half = np.sin(o * phase / 2)
        total.real += w * (-2 * half * half if less else np.cos(o * phase))
        total.imag += w * np.sin(o * phase)
    return total


def centred_symbol(leaf: Leaf, phase: Array) -> Array:
    """The symbol of a centred derivative: a truncated series of theta**n, whose terms have one
    sign, so that nothing cancels. It is exactly 0 at 0, and has full precision near it.
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


def spacings_of(terms: Sequence[Term]) -> dict[int, float]:
    """The spacing of each axis whose derivatives have the same: stencils of given weights, which
    have none, are on their points."""
    found: dict[int, set[float]] = {}
    for term in terms:
        for f in term.factors:
            if isinstance(f, Leaf) and f.scheme is None:
                found.setdefault(f.axis, set()).add(f.spacing)
    return {axis: spacings.pop() for axis, spacings in found.items() if len(spacings) == 1}


def symbol(terms: Sequence[Term], k: Any) -> Any:
    axes = axes_of(terms)
    spacings = spacings_of(terms)
    if len(axes) == 1:
        waves = {axes[0]: check_waves(k, "k")}
    else:
        if not isinstance(k, (tuple, list, np.ndarray)) or len(k) != len(axes):
            raise ValueError(
                f"k: expected a sequence of {len(axes)} wavenumbers, one for each of axes {axes}"
            )
        waves = {axis: check_waves(k[j], f"k[{j}]") for j, axis in enumerate(axes)}
    total: Any = np.zeros(np.broadcast_shapes(*(one.shape for one in waves.values())), complex)
    for term in terms:
        value: Any = term.scale
        for factor in term.factors:
            if isinstance(factor, Coefficient):
                raise ValueError(
                    "an operator with arrays of coefficients has no symbol; take that of one with "
                    "numbers in their place"
                )
            if isinstance(factor, Leaf):
                interior(factor)  # raises the errors of applying it
                given = factor.scheme is None
                h = factor.spacing if given else spacings.get(factor.axis, factor.spacing)
                value = value * leaf_symbol(factor, waves[factor.axis] * h)
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


def of_any_length(term: Term) -> Term:
    """The same term for axes of any length, where derivatives are uniform."""

    def of_any(f: Factor) -> Factor:
        if isinstance(f, Leaf) and f.uniform:
            return replace(f, points=None, period=None)
        return f

    return Term(term.scale, tuple(map(of_any, term.factors)))


def norm_bound(term: Term, shape: Sequence[int]) -> float:
    """A bound on the 2-norm: the geometric mean of the largest row sum and the largest column sum.

    Where all interior rows share a stencil, a short axis has the same sums as a long one.
    """
    bound, sizes, ndim = abs(term.scale), list(shape), len(shape)
    for is_array, some in itertools.groupby(
        reversed(term.factors), lambda f: isinstance(f, Coefficient)
    ):
        if is_array:
            for c in some:
                assert isinstance(c, Coefficient)
                bound *= c.largest()
            continue
        factors = list(some)
        here = list(sizes)
        for f in factors:
            assert not isinstance(f, Coefficient)
            d = normalize_axis_index(f.axis, ndim)
            sizes[d] = f.length(sizes[d])
        for d in range(ndim):
            along = [
                f
                for f in factors
                if isinstance(f, Leaf) and normalize_axis_index(f.axis, ndim) == d
            ]
            if all(leaf.uniform for leaf in along):
                here[d] = min(here[d], LONG_AXIS + 2 * sum(leaf.half_width for leaf in along))
        for _, band, _ in stages_of(of_any_length(Term(1.0, tuple(reversed(factors)))), here):
            assert band is not None
            rows, columns, values = band.entries()
            by_row = np.bincount(rows, abs(values), band.shape[0]).max()
            by_column = np.bincount(columns, abs(values), band.shape[1]).max()
            bound *= math.sqrt(by_row) * math.sqrt(by_column)
    return bound


def estimate(terms: Sequence[Term], shape: tuple[int, ...]) -> float:
    """The largest eigenvalue by Arnoldi's method, which may be slightly too small, times a margin;
    or a bound, if that is less or the method does not converge."""
    bound = sum(norm_bound(term, shape) for term in terms)
    if not np.finfo(float).tiny < bound < math.inf:
        return bound
    linalg = scipy_sparse().linalg
    plan = make_plan([[(0, terms[k]) for k in order_and_key(terms)[0]]], shape)

    def applied(u: Array) -> Any:
        return apply(plan, [as_array(u)], (), None, None, "f")

    try:
        found = linalg.eigs(
            # Scaled, as ARPACK takes values much smaller than 1 for converged.
            linear_operator(applied, None, shape, shape) * (1 / bound),
            k=1,
            v0=np.random.default_rng(0).uniform(-1, 1, math.prod(shape)),
            tol=TOLERANCE,
            maxiter=RESTARTS,
            return_eigenvectors=False,
        )
    except linalg.ArpackError:
        return bound
    return bound * min(1.0, MARGIN * float(abs(found[0])))


def is_circulant(factor: Factor) -> bool:
    """Is it a uniform periodic derivative, whose eigenvectors are waves?"""
    return isinstance(factor, Leaf) and factor.uniform and factor.left == PERIODIC


def symbol_of(terms: Sequence[Term], phases: dict[int, Array], ndim: int) -> Any:
    """The symbol of uniform derivatives, for waves whose phase grows by `phases` per point."""
    total: Any = 0.0
    for term in terms:
        value: Any = term.scale
        for f in term.factors:
            assert isinstance(f, Leaf)
            value = value * leaf_symbol(f, phases[normalize_axis_index(f.axis, ndim)])
        total = total + value
    return total


def half_width_along(terms: Sequence[Term], axis: int, ndim: int) -> int:
    """The half-width of the interior stencil along one axis."""

    def half_width(term: Term) -> int:
        leaves = [f for f in term.factors if isinstance(f, Leaf)]
        return sum(f.half_width for f in leaves if normalize_axis_index(f.axis, ndim) == axis)

    return max(map(half_width, terms))


def largest_symbol(terms: Sequence[Term], axis: int, ndim: int) -> float:
    """An upper bound on the modulus of the symbol, of derivatives along one axis, for all waves.

    A trigonometric polynomial of some degree is at most ``1 / cos(degree * step / 2)`` times its
    largest value at points a `step` apart.
    """
    found = symbol_of(terms, {axis: np.linspace(0, np.pi, WAVES + 1)}, ndim)
    degree = half_width_along(terms, axis, ndim)
    return float(abs(found).max()) / math.cos(degree * np.pi / WAVES / 2)


def search(
    value: Callable[[Sequence[Array]], Array], degrees: Sequence[int], sizes: Sequence[int]
) -> float:
    """The largest value of a trigonometric polynomial at the wavenumbers of a periodic grid.

    `value` takes phases, an array for each axis, which broadcast; `degrees` are its degrees along
    the axes. Boxes of wavenumbers are halved, and discarded where they cannot exceed the largest
    value so far: between points a `step` apart, values are at most the larger of the two plus
    ``step**2 / 8`` times a bound on the second derivative, the sum of those of all waves.
    """
    ndim = len(sizes)
    counts = [min(n, 2 * r + 1) for n, r in zip(sizes, degrees, strict=True)]
    samples = value(np.ix_(*(2 * np.pi / n * np.arange(n) for n in counts)))
    amplitudes = abs(np.fft.fftn(np.broadcast_to(samples, counts))) / math.prod(counts)
    bounds = np.full(ndim, np.inf)  # no bound with too few samples: all wavenumbers are searched
    for d, (n, count) in enumerate(zip(sizes, counts, strict=True)):
        if count > 2 * degrees[d]:
            frequencies = np.fft.fftfreq(count, 1 / count)
            second = np.tensordot(amplitudes, frequencies**2, (d, 0)).sum()
            bounds[d] = second * (2 * np.pi / n) ** 2 / 8

    def slack(low: Array, high: Array) -> Array:
        """By how much values inside may exceed those at the corners, for each axis."""
        width = high - low
        result = np.zeros(width.shape)
        inside = width > 1
        result[inside] = np.broadcast_to(bounds, width.shape)[inside] * np.square(
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
        left_high, right_low = high.copy(), low.copy()
        left_high[halved] = right_low[halved] = (low[halved] + high[halved]) // 2
        low, high = np.concatenate([low, right_low]), np.concatenate([left_high, high])
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


def by_axes(terms: Sequence[Term], ndim: int) -> dict[tuple[int, ...], list[Term]]:
    """Terms in groups, by axes: no two groups have an axis in common."""
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
    """The largest modulus of the symbol of uniform periodic derivatives at the waves of a grid."""
    ndim = len(shape)
    size = 0.0
    for term in terms:
        one = abs(term.scale)
        for f in term.factors:
            assert isinstance(f, Leaf)
            one *= math.fsum(map(abs, interior(f)))
        size += one
    if not 0 < size < math.inf:
        return size
    # A power of 2, so that the division is exact; afterwards squares do not overflow.
    size = 2.0 ** math.frexp(size)[1]
    terms = [Term(term.scale / size, term.factors) for term in terms]

    def largest(
        part: Callable[[Any], Array], degree: int, some: list[Term], axes: tuple[int, ...]
    ) -> float:
        return search(
            lambda phases: part(symbol_of(some, dict(zip(axes, phases, strict=True)), ndim)),
            [degree * half_width_along(some, axis, ndim) for axis in axes],
            [shape[axis] for axis in axes],
        )

    leaves = [f for term in terms for f in term.factors if isinstance(f, Leaf)]
    odd = {sum(f.deriv for f in term.factors if isinstance(f, Leaf)) % 2 for term in terms}
    if len(odd) > 1 or not all(leaf.centred for leaf in leaves):
        axes = tuple(sorted({axis for some in by_axes(terms, ndim) for axis in some}))
        return size * math.sqrt(largest(lambda z: z.real**2 + z.imag**2, 2, list(terms), axes))
    # All symbols are real, or all imaginary: extrema of groups without a common axis add up.
    least = most = 0.0
    for axes, some in by_axes(terms, ndim).items():
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
    """The largest eigenvalue of terms of derivatives along one axis, or an upper bound.

    A uniform axis has eigenvalues of interior waves, which approach the largest symbol as the axis
    gets longer, and eigenvalues of the boundaries, which do not change from some length on, as
    their eigenvectors decay within a few points. Those of biased stencils say little, as waves grow
    before they leave the axis: the symbol counts on a short one, too.
    """
    if all(is_circulant(f) for term in terms for f in term.factors):
        return radius_of_waves(terms, shape)
    terms = list(map(of_any_length, terms))
    leaves = [f for term in terms for f in term.factors if isinstance(f, Leaf)]
    n = shape[axis]
    waves = 0.0
    if all(leaf.uniform and leaf.left != PERIODIC for leaf in leaves):
        biased = any(leaf.side or leaf.scheme is not None for leaf in leaves)
        if n > LONG_AXIS or biased:
            waves = largest_symbol(terms, axis, len(shape))
        n = min(n, LONG_AXIS)
    terms = [term.moved(0) for term in terms]
    if n > MAX_DENSE_ROWS:
        return max(waves, estimate(terms, (n,)))
    plan = make_plan([[(0, term) for term in terms]], (n,))
    total = np.zeros((n, n))
    for _, _, stages, (shift,) in plan.terms():
        product: Any = np.eye(n)
        for _, band, _ in stages:  # a number is a band
            product = dense(band) @ product if band is not None else product
        total += product[shift : shift + n]
    return max(waves, largest_eigenvalue(total))


def spectral_radius(terms: Sequence[Term], plan: Plan) -> float:
    shape = plan.in_shape
    if plan.out_shape != shape:
        raise ValueError(
            f"shape: expected a result of the same shape, as the eigenvalues are those of a square "
            f"matrix, got {plan.out_shape} for {shape}"
        )
    if 0 in shape:
        return 0.0
    ndim = len(shape)
    if all(is_circulant(f) for term in terms for f in term.factors):
        return radius_of_waves(terms, shape)
    # Terms along one axis commute with terms along another: their eigenvalues add up.
    if all(isinstance(f, Leaf) for term in terms for f in term.factors):
        along = by_axes(terms, ndim)
        numbers = along.pop((), []) if len(along) == 2 else []  # which shift those of the one axis
        if all(len(axes) == 1 for axes in along):
            return sum(
                along_one_axis(some + numbers, axes[0], shape) for axes, some in along.items()
            )
    if math.prod(shape) <= MAX_DENSE_ROWS:
        return largest_eigenvalue(of_plan(plan).toarray())
    return estimate(terms, shape)
