"""The matrices of derivatives are the exact rational ones, each entry rounded once (to either
neighbour if the exact entry is almost halfway between two doubles)."""

import math
from fractions import Fraction

import numpy as np
import pytest
import stencils
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import band_matrix, bases, reach

import fdx

BOUNDARIES = [b for b in stencils.BOUNDARIES if b != "periodic"]


@st.composite
def specifications(draw):
    position = draw(st.sampled_from(["center", "inner", "outer", "left", "right"]))
    side = draw(st.sampled_from([None, "left", "right"])) if position == "center" else None
    deriv = draw(st.integers(position == "center", 6))
    accuracy = draw(st.sampled_from([2, 4, 6, 8])) - (side is not None)
    ends = st.sampled_from(BOUNDARIES)
    pairs = st.tuples(ends, ends)
    periodic = st.just(("periodic", "periodic"))
    boundary = draw(pairs if position in ("inner", "outer") else st.one_of(periodic, pairs))
    n = deriv + accuracy + 3 + draw(st.integers(0, 8))
    spacing, period, at = draw(st.sampled_from([1.0, 0.1, -0.25, 3.0])), None, None
    if draw(st.booleans()):
        steps = draw(st.lists(st.integers(1, 40), min_size=n, max_size=n))
        anywhere = position != "center" and draw(st.booleans())
        steps = [8] * n if anywhere and draw(st.booleans()) else [steps[0] + 41, *steps[1:]]
        x = np.cumsum(steps) / 16 * draw(st.sampled_from([1, -1]))
        if boundary[0] == "periodic":
            period = float(x[-1] - x[0] + (x[1] - x[0]) * 0.75)
        if anywhere:
            at = draw(places_between(x, position, period))
        spacing = x
    return n, dict(
        deriv=deriv,
        accuracy=accuracy,
        boundary=boundary,
        spacing=spacing,
        period=period,
        position=position,
        side=side,
        at=at,
    )


@st.composite
def places_between(draw, x, position, period):
    """Coordinates of results, each between those of the points next to it."""
    first = x[-1] - period if period is not None else 2 * x[0] - x[1]
    last = x[0] + period if period is not None else 2 * x[-1] - x[-2]
    nodes = [x[i] if 0 <= i < len(x) else first if i < 0 else last for i in range(-1, len(x) + 1)]
    eighths = st.integers(0, 8)
    return [
        nodes[i + 1] + draw(eighths) / 8 * (nodes[i + 2] - nodes[i + 1])
        for i in bases(len(x), position)
    ]


def operator_of(options):
    options = dict(options)
    if options["deriv"] == 0:
        options.pop("deriv")
        options.pop("side")
        return fdx.Interp(0, **options)
    return fdx.Diff(0, **options)


@given(specifications())
@settings(max_examples=max(1, settings().max_examples // 20))
def test_nothing_of_a_derivative_is_zeros(specification):
    n, options = specification
    D = operator_of(options)
    shape = D.output_shape((n,))
    assert (0 * D).matrix((n,)).shape == (*shape, n)
    assert not (0 * D).matrix((n,)).toarray().any()
    np.testing.assert_array_equal((0 * D)(np.arange(float(n))), np.zeros(shape))
    if options["deriv"] > 0 and not {"zero", "antisymmetric"} & set(options["boundary"]):
        np.testing.assert_array_equal((D + 0 * D)(np.ones(n)), np.zeros(shape))


@given(specifications())
@settings(max_examples=max(1, settings().max_examples // 8))
def test_entries_are_rounded_once(specification):
    n, options = specification
    got = operator_of(options).matrix(n).toarray()
    exact = band_matrix(n, **options)
    assert got.shape == (len(exact), n)
    uniform = isinstance(options["spacing"], float)
    before, after = reach(
        options["deriv"],
        options["accuracy"],
        uniform,
        options["position"],
        options["side"],
        midpoints=options["at"] is None,
    )
    left, right = options["boundary"]
    rows = [
        i
        for i in bases(n, options["position"])
        if not (left == "valid" and i < before) and not (right == "valid" and i + after >= n)
    ]
    for i, row, entries in zip(rows, exact, got, strict=True):
        size = sum(map(abs, row))
        touched = np.flatnonzero(entries)
        centre = (
            i % n
            if left == "periodic" or not len(touched)
            else min(max(i, touched[0]), touched[-1])
        )
        for j, entry in enumerate(row):
            if j == centre and options["deriv"] > 0:
                # the sum of the others, as the derivative of a constant is 0
                assert abs(Fraction(entries[j]) - entry) <= size * Fraction(2) ** -50
            else:
                half_ulp = Fraction(math.ulp(entries[j])) / 2
                assert abs(Fraction(entries[j]) - entry) <= half_ulp * (1 + Fraction(2) ** -40)


@pytest.mark.parametrize("deriv", [1, 2, 3, 4])
@pytest.mark.parametrize("accuracy", [2, 4, 12, 20, 30])
def test_constants_vanish_and_the_design_degree_is_exact(deriv, accuracy):
    """In integers small enough that nothing is rounded but the weights."""
    n = 2 * (deriv + accuracy)
    M = fdx.Diff(0, deriv=deriv, accuracy=accuracy).matrix(n).toarray()
    x = np.linspace(-1, 1, n)
    for degree in range(deriv + accuracy):
        f = np.polynomial.chebyshev.Chebyshev.basis(degree)
        want = f.deriv(deriv)(x) * (x[1] - x[0]) ** deriv
        size = abs(M) @ abs(f(x))
        assert (abs(M @ f(x) - want) <= 1e-13 * size + 1e-13).all()
