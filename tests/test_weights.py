"""fdx.weights: exact rationals, rounded once, where it promises that, and accurate elsewhere."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from sympy import Rational
from sympy.calculus.finite_diff import finite_diff_weights

import fdx

DERIVATIVES = range(1, 7)
ACCURACIES = range(2, 31, 2)


def rounded(fraction):
    try:
        return float(fraction)  # to nearest, ties to even, also where it is subnormal
    except OverflowError:
        return math.inf if fraction > 0 else -math.inf


def assert_correctly_rounded(nodes, at, deriv):
    expected = [rounded(w) for w in reference.weights(nodes, at, deriv)]
    got = fdx.weights(nodes, at, deriv)
    assert got.tobytes() == np.array(expected).tobytes(), (nodes, at, deriv, got, expected)


def assert_near(nodes, at, deriv):
    """Within half a unit in the last place, plus the error bound in fdx.weights' documentation."""
    exact = reference.weights(nodes, at, deriv)
    with np.errstate(over="ignore"):
        got = fdx.weights(nodes, at, deriv).tolist()
    slack = max(map(abs, exact)) / 2**64
    for w, true in zip(got, exact, strict=True):
        if math.isinf(w):
            assert w == rounded(true)
        else:
            assert abs(Fraction(w) - true) <= Fraction(math.ulp(w)) / 2 + slack, (nodes, at, deriv)


# ------------------------------------------------------------------ the reference implementation


@pytest.mark.parametrize("deriv", DERIVATIVES)
@pytest.mark.parametrize("accuracy", [2, 4, 6, 14, 30])
def test_the_reference_is_sympy(deriv, accuracy):
    m = deriv + accuracy
    nodes = list(range(m))
    for at in (Fraction(0), Fraction(m // 3), Fraction(2 * m - 3, 2)):
        exact = reference.weights(nodes, at, deriv)
        at_of_sympy = Rational(at.numerator, at.denominator)
        expected = finite_diff_weights(deriv, list(map(Rational, nodes)), at_of_sympy)[deriv][-1]
        assert [Rational(w.numerator, w.denominator) for w in exact] == expected


@pytest.mark.parametrize("deriv", range(7))
def test_the_reference_differentiates_polynomials(deriv):
    nodes = np.random.default_rng(deriv).normal(size=9)
    exact = reference.weights(nodes, 0.1, deriv)
    for degree in range(9):
        powers = [(Fraction(x) - Fraction(0.1)) ** degree for x in nodes]
        total = sum(w * power for w, power in zip(exact, powers, strict=True))
        assert total == (math.factorial(deriv) if degree == deriv else 0)


# ------------------------------------------------------------------ correctly rounded


@pytest.mark.parametrize("deriv", DERIVATIVES)
def test_centred(deriv):
    for accuracy in ACCURACIES:
        r = (deriv + 1) // 2 + accuracy // 2 - 1
        assert_correctly_rounded(range(-r, r + 1), 0, deriv)


@pytest.mark.parametrize("deriv", DERIVATIVES)
def test_one_sided(deriv):
    for accuracy in ACCURACIES:
        m = deriv + accuracy
        for at in sorted({0, 1, m // 3, m // 2, m - 1}):
            assert_correctly_rounded(range(m), at, deriv)


@pytest.mark.parametrize("deriv", DERIVATIVES)
def test_half_points(deriv):
    for accuracy in ACCURACIES:
        m = deriv + accuracy
        assert_correctly_rounded(np.arange(m) - (m // 2 - 0.5), 0.0, deriv)
        assert_correctly_rounded(range(m), 0.5, deriv)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 13, 21, 34, 55, 64])
def test_any_integers_of_15_bits_times_a_power_of_two(n):
    rng = np.random.default_rng(n)
    for deriv in sorted({0, 1, 2, 5, n // 2, n - 2, n - 1} & set(range(n))):
        for bits, exponent, shift in [
            (15, 0, 0.0),
            (15, 300, 0.0),
            (8, -40, 0.1),
            (15, -3, -777.5),
        ]:
            whole = rng.choice(np.arange(1 - 2**bits, 2**bits), n, replace=False)
            nodes = np.ldexp(whole.astype(float), exponent) + shift
            if len({*nodes}) == n and all(nodes - shift == np.ldexp(whole, exponent)):
                with np.errstate(over="ignore"):
                    assert_correctly_rounded(nodes, shift, deriv)
    nodes = np.append(32767 - np.arange(n - 1), -32767)  # the widest
    assert_correctly_rounded(nodes, 0, n // 2)


@pytest.mark.parametrize("spacing", [2.0**-1074, 2.0**-1000, 2.0**-400, 2.0**400, 2.0**1000])
@pytest.mark.parametrize("deriv", [0, 1, 2, 3])
def test_at_the_ends_of_the_range(spacing, deriv):
    with np.errstate(over="ignore"):
        assert_correctly_rounded(np.array([-1.0, 0.0, 1.0, 3.0]) * spacing, 0.0, deriv)
        assert_correctly_rounded(np.array([-1.0, 0.0, 1.0, 3.0]) * spacing, 0.5 * spacing, deriv)


def test_overflow_and_underflow_are_reported():
    nodes = np.array([-1.0, 0.0, 1.0])
    with pytest.warns(RuntimeWarning, match="overflow encountered in weights"):
        assert fdx.weights(nodes * 2.0**-600, deriv=2).tolist() == [np.inf, -np.inf, np.inf]
    with np.errstate(under="raise"), pytest.raises(FloatingPointError, match="underflow"):
        fdx.weights(nodes * 2.0**600, deriv=2)
    with np.errstate(under="raise"):  # subnormal, but exact
        assert fdx.weights(nodes * 2.0**530, deriv=2)[0] == 2.0**-1060


# ------------------------------------------------------------------ any nodes

seeds = st.integers(0, 2**32 - 1)


@st.composite
def problems(draw):
    n = draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(seeds))
    kind = draw(
        st.sampled_from(["uneven", "stretched", "clustered", "ends", "nearly even", "equal"])
    )
    if kind == "uneven":
        nodes = np.cumsum(rng.uniform(0.1, 1.0, n))
    elif kind == "stretched":
        nodes = np.cumsum(draw(st.sampled_from([1.1, 2.0, 10.0])) ** rng.permutation(n))
    elif kind == "clustered":
        nodes = rng.integers(-2, 3, n) + 10.0 ** rng.integers(-15, -3) * rng.normal(size=n)
    elif kind == "ends":
        nodes = np.cos(np.pi * np.arange(n) / max(n - 1, 1))
    elif kind == "nearly even":
        nodes = np.arange(n) * 0.1
    else:
        nodes = np.arange(n) * rng.uniform()
    at = draw(st.sampled_from([0.0, nodes[0], nodes[-1], nodes[n // 2], nodes.mean(), 0.3]))
    if draw(st.booleans()):
        far = 10.0 ** draw(st.integers(-3, 12)) * rng.choice([-1, 1])
        nodes, at = nodes + far, at + far
    scale = 10.0 ** draw(st.sampled_from([0, 0, 0, 1, -1, -5, 40, -100, 200, -280, 290]))
    nodes, at = rng.permutation(nodes) * scale, at * scale
    assume(len({*nodes}) == n)
    return nodes, float(at), draw(st.integers(0, min(n - 1, 6)))


@given(problems())
def test_uneven_nodes(problem):
    assert_near(*problem)


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(finite, min_size=1, max_size=8, unique_by=lambda x: x + 0.0)
    | st.lists(st.integers(-(10**5), 10**5).map(float), min_size=1, max_size=8, unique=True),
    finite | st.just(0.0),
    st.integers(0, 6),
)
def test_any_numbers(nodes, at, deriv):
    assert_near(nodes, at, min(deriv, len(nodes) - 1))


@pytest.mark.parametrize("n", [16, 33, 64])
@pytest.mark.parametrize("deriv", [0, 1, 4, 9, 15])
def test_many_nodes(n, deriv):
    rng = np.random.default_rng(n)
    extremes = np.cos(np.pi * np.arange(n) / (n - 1))
    for nodes in (rng.normal(size=n), np.cumsum(rng.uniform(0.5, 1, n)), extremes):
        for at in (nodes[0], nodes.mean(), nodes[n // 3]):
            assert_near(nodes, at, deriv)


@given(problems(), seeds)
def test_the_order_of_nodes_does_not_matter(problem, seed):
    nodes, at, deriv = problem
    order = np.random.default_rng(seed).permutation(len(nodes))
    with np.errstate(over="ignore"):
        expected, got = fdx.weights(nodes, at, deriv)[order], fdx.weights(nodes[order], at, deriv)
    assert got.tobytes() == expected.tobytes()


def test_ordinary_nodes_raise_no_flags():
    rng = np.random.default_rng(0)
    with np.errstate(all="raise"):
        for n in range(2, 20):
            nodes = np.cumsum(rng.uniform(0.1, 1, (100, n)), axis=1)
            for deriv in range(min(n, 6)):
                fdx.weights(nodes, nodes[:, 0], deriv)
                fdx.weights(nodes * 1e-20, nodes[:, -1] * 1e-20, deriv)


# ------------------------------------------------------------------ arrays


@pytest.mark.parametrize(
    ("nodes_shape", "at_shape", "shape"),
    [
        ((4,), (), (4,)),
        ((4,), (3,), (3, 4)),
        ((5, 4), (), (5, 4)),
        ((5, 4), (5,), (5, 4)),
        ((5, 4), (1,), (5, 4)),
        ((1, 4), (5,), (5, 4)),
        ((2, 1, 4), (3,), (2, 3, 4)),
        ((3, 4), (2, 1), (2, 3, 4)),
        ((0, 4), (), (0, 4)),
        ((2, 0, 4), (1,), (2, 0, 4)),
        ((4,), (0,), (0, 4)),
    ],
)
def test_shapes(nodes_shape, at_shape, shape):
    rng = np.random.default_rng(1)
    nodes, at = rng.normal(size=nodes_shape), rng.normal(size=at_shape)
    got = fdx.weights(nodes, at, 2)
    assert got.shape == shape
    assert got.dtype == np.float64
    all_nodes, all_at = np.broadcast_to(nodes, shape), np.broadcast_to(at, shape[:-1])
    for index in np.ndindex(shape[:-1]):
        one = fdx.weights(all_nodes[index], all_at[index], 2)
        assert got[index].tobytes() == one.tobytes()


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">i4", "i8", "u8", "f2", "<f4", ">f8", "g"])
def test_dtypes(dtype):
    nodes = np.array([3, 0, 1], dtype)
    got = fdx.weights(nodes, np.array(1, dtype))
    assert got.dtype == np.float64
    assert got.dtype.isnative
    assert got.tolist() == fdx.weights([float(x) for x in nodes], 1.0).tolist()


def test_layouts():
    nodes = np.random.default_rng(2).normal(size=(3, 4, 5))
    expected = fdx.weights(nodes, 0.1, 2)
    wide = np.empty((6, 4, 10))
    wide[::2, :, ::-2] = nodes
    read_only = nodes.copy()
    read_only.flags.writeable = False
    for same in (
        np.asfortranarray(nodes),
        wide[::2, :, ::-2],
        nodes.astype(">f8"),
        nodes.tolist(),
        read_only,
        np.frombuffer(b"x" + nodes.tobytes(), dtype="f8", offset=1).reshape(nodes.shape),
    ):
        assert fdx.weights(same, 0.1, 2).tobytes() == expected.tobytes()
    assert nodes.tobytes() == read_only.tobytes()


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (
            ([1.0, 2.0, 1.0],),
            ValueError,
            "nodes: expected distinct numbers, got 1.0 twice (nodes[0] and nodes[2])",
        ),
        (
            ([0.0, -0.0],),
            ValueError,
            "nodes: expected distinct numbers, got 0.0 twice (nodes[0] and nodes[1])",
        ),
        (
            ([[0, 1], [2, 2]],),
            ValueError,
            "nodes: expected distinct numbers, got 2.0 twice (nodes[1, 0] and nodes[1, 1])",
        ),
        (
            ([[[0, 1]], [[2, 2]]], [1, 2, 3]),
            ValueError,
            "2.0 twice (nodes[1, 0, 0] and nodes[1, 0, 1])",
        ),
        (([3, 3], [1, 2, 3]), ValueError, "3.0 twice (nodes[0] and nodes[1])"),
        (([1.0, np.nan],), ValueError, "nodes: expected finite numbers, got nodes[1] = nan"),
        (
            ([[1.0, 2.0], [np.inf, 1.0]],),
            ValueError,
            "nodes: expected finite numbers, got nodes[1, 0] = inf",
        ),
        (([1.0, 2.0], np.nan), ValueError, "at: expected finite numbers, got at = nan"),
        (([1.0, 2.0], [1.0, -np.inf]), ValueError, "at: expected finite numbers, got at[1] = -inf"),
        (
            ([2**53 + 1, 0],),
            ValueError,
            "nodes: expected numbers that a float64 holds exactly, got nodes[0] = 9007199254740993",
        ),
        (
            ([0, 1], np.uint64(2**64 - 1)),
            ValueError,
            "at: expected numbers that a float64 holds exactly, got at = 18446744073709551615",
        ),
        (([1, 2], 0, 2), ValueError, "nodes: expected at least 3 for deriv=2, got 2"),
        (([],), ValueError, "nodes: expected at least 2 for deriv=1, got 0"),
        (([1, 2], 0, 2**70), ValueError, "nodes: expected at least 1180591620717411303425 for"),
        ((range(65),), ValueError, "nodes: expected at most 64, got 65"),
        ((1.0,), ValueError, "nodes: expected an array of shape (..., m), got the number 1.0"),
        (
            ([[1, 2], [3]],),
            ValueError,
            "nodes: expected sequences of one length, got different lengths",
        ),
        (([1j, 2],), TypeError, "nodes: expected real numbers, got complex128"),
        ((["1", "2"],), TypeError, "nodes[0]: expected real numbers, got '1'"),
        (([2**70, "1"],), TypeError, "nodes[1]: expected real numbers, got "),
        (([True, 2],), TypeError, "nodes[0]: expected real numbers, got True"),
        (
            (np.array(["2020", "2021"], "M8[Y]"),),
            TypeError,
            "nodes: expected real numbers, got datetime64[Y]",
        ),
        (([1, 2], "x"), TypeError, "at: expected real numbers, got <U1"),
        (
            ([[1, 2], [3, 4]], [1, 2, 3]),
            ValueError,
            "at: expected a shape that can be broadcast against (2,), got (3,)",
        ),
        (([1, 2], 0, -1), ValueError, "deriv: expected an integer from 0 on, got -1"),
        (([1, 2], 0, 1.0), TypeError, "deriv: expected an integer, got 1.0"),
        (([1, 2], 0, None), TypeError, "deriv: expected an integer, got None"),
        (
            (10.0 ** (10 * np.arange(-30, 31)), 0, 20),
            ValueError,
            "nodes: expected distances that differ less, for 61 nodes and deriv=20",
        ),
    ],
)
def test_errors(arguments, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        fdx.weights(*arguments)


def test_integers_that_a_double_holds():
    far = 2**62
    assert fdx.weights([far, far + 2048], far).tolist() == [-1 / 2048, 1 / 2048]
    assert fdx.weights(np.array([2**63, 0], "u8"), 0, 0).tolist() == [0.0, 1.0]
    assert fdx.weights([2**70, 0]).tolist() == [2**-70, -(2**-70)]
