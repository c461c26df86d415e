"""The matrices of derivatives are the exact rational ones, each entry rounded once (to either
neighbour if the exact entry is almost halfway between two doubles)."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import band_matrix

import fdx

BOUNDARIES = ["one-sided", "valid", "reflect", "symmetric", "reflect-odd", "symmetric-odd"]


@st.composite
def specifications(draw):
    deriv = draw(st.integers(1, 6))
    accuracy = draw(st.sampled_from([2, 4, 6, 8]))
    ends = st.sampled_from(BOUNDARIES)
    boundary = draw(st.one_of(st.just("periodic"), st.tuples(ends, ends)))
    n = deriv + accuracy + 2 + draw(st.integers(0, 8))
    spacing, period = draw(st.sampled_from([1.0, 0.1, -0.25, 3.0])), None
    if draw(st.booleans()):
        steps = draw(st.lists(st.integers(1, 40), min_size=n, max_size=n))
        steps[0] += 41  # not even
        x = np.cumsum(steps) / 16 * draw(st.sampled_from([1, -1]))
        if boundary == "periodic":
            period = float(x[-1] - x[0] + (x[1] - x[0]) * 0.75)
        spacing = x
    return n, deriv, accuracy, boundary, spacing, period


@given(specifications())
@settings(max_examples=max(1, settings().max_examples // 20))
def test_nothing_of_a_derivative_is_zeros(specification):
    n, deriv, accuracy, boundary, spacing, period = specification
    D = fdx.Diff(0, spacing, deriv=deriv, accuracy=accuracy, boundary=boundary, period=period)
    shape = D.output_shape((n,))
    assert (0 * D).matrix((n,)).shape == (*shape, n)
    assert not (0 * D).matrix((n,)).toarray().any()
    np.testing.assert_array_equal((0 * D)(np.arange(float(n))), np.zeros(shape))
    np.testing.assert_array_equal((D + 0 * D)(np.ones(n)), np.zeros(shape))


@given(specifications())
@settings(max_examples=max(1, settings().max_examples // 8))
def test_entries_are_rounded_once(specification):
    n, deriv, accuracy, boundary, spacing, period = specification
    D = fdx.Diff(0, spacing, deriv=deriv, accuracy=accuracy, boundary=boundary, period=period)
    got = D.matrix(n).toarray()
    exact = band_matrix(n, deriv, accuracy, boundary, spacing, period)
    assert got.shape == (len(exact), n)
    shift = n - len(exact) if isinstance(boundary, tuple) and boundary[0] == "valid" else 0
    if boundary == ("valid", "valid"):
        shift //= 2
    for i, row in enumerate(exact):
        size = sum(map(abs, row))
        for j, entry in enumerate(row):
            if j == i + shift:  # the sum of the others, as the derivative of a constant is 0
                assert abs(Fraction(got[i, j]) - entry) <= size * Fraction(2) ** -50
            else:
                rounded = Fraction(math.ulp(got[i, j])) / 2
                assert abs(Fraction(got[i, j]) - entry) <= rounded * (1 + Fraction(2) ** -40)


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
