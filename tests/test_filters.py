"""Binomial filters."""

import copy
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from stencils import BOUNDARIES

import fdx

ORDERS = [2, 4, 6, 8, 10]
ZIGZAG = (-1.0) ** np.arange(12)


def dense(operator, n):
    return operator.matrix(n).toarray()


def exact_rows(order, n, strength=Fraction(1)):
    """The rows of the one-sided filter: differences by convolution, in fractions."""
    differences = [[Fraction(1)]]
    for _ in range(order // 2):
        wider = [Fraction(0)] * (len(differences[-1]) + 2)
        for k, w in enumerate(differences[-1]):
            for j, v in enumerate((Fraction(-1, 4), Fraction(1, 2), Fraction(-1, 4))):
                wider[k + j] += v * w
        differences.append(wider)
    rows = []
    for i in range(n):
        half = min(i, n - 1 - i, order // 2)
        row = [Fraction(i == j) for j in range(n)]
        if half:
            for j, w in enumerate(differences[half], i - half):
                row[j] -= strength * w
        rows.append(row)
    return rows


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("strength", [1, 0.25, Fraction(1, 8)])
def test_weights_are_the_rationals(order, strength):
    for n in range(order, order + 6):
        F = fdx.Filter(0, order, strength=strength)
        want = exact_rows(order, n, Fraction(strength))
        np.testing.assert_array_equal(dense(F, n), np.array(want, float))
        np.testing.assert_array_equal(dense(F.T, n), np.array(want, float).T)
    ring = fdx.Filter(0, order, boundary="periodic", strength=strength)
    middle = np.array(want[n // 2], float)
    for i, row in enumerate(dense(ring, n)):
        np.testing.assert_array_equal(row, np.roll(middle, i - n // 2))


def test_published_weights():
    """Of orders 2, 4 and 6, times 4, 16 and 64."""
    for order, weights in ((2, [1, 2]), (4, [-1, 4, 10]), (6, [1, -6, 15, 44])):
        row = dense(fdx.Filter(0, order, boundary="valid"), order + 1)
        np.testing.assert_array_equal(2**order * row, [weights + weights[-2::-1]])


@pytest.mark.parametrize("order", ORDERS)
def test_polynomials(order):
    """Each row keeps those of a degree below its order, and no others."""
    n = order + 5
    F = fdx.Filter(0, order)
    orders = np.minimum(2 * np.minimum(np.arange(n), np.arange(n)[::-1]), order)
    for degree in range(order + 1):
        u = (np.arange(n) - n // 2.0) ** degree
        kept = (orders > degree) | (orders == 0)
        np.testing.assert_array_equal(F(u)[kept], u[kept])
        first = ~kept & (orders == degree)  # the first degree that a row changes
        change = -((-1) ** (degree // 2)) * math.factorial(degree) / 2**degree
        np.testing.assert_array_equal((F(u) - u)[first], change)
        assert degree % 2 or degree == 0 or first.any()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_constants_stay(order, dtype):
    rng = np.random.default_rng(order)
    kept = [b for b in BOUNDARIES if b not in ("zero", "antisymmetric")]
    for boundary in kept:
        F = fdx.Filter(0, order, boundary=boundary, strength=rng.choice([1, 0.3]))
        both = fdx.Filter(1, order, boundary=boundary) @ F
        for c in [*rng.normal(size=5), 1 / 3, 1e30, 1e-30]:
            u = np.full((40, 41), c if dtype[0] == "f" else c * (1 - 0.7j), dtype)
            for L in (F, F.T.T, both, F @ F, F**3):
                got = L(u)
                assert got.dtype == u.dtype
                assert got.tobytes() == u[: got.shape[0], : got.shape[1]].tobytes()


@pytest.mark.parametrize("order", ORDERS)
def test_zigzags_are_removed(order):
    F = fdx.Filter(0, order, boundary="periodic")
    for dtype in ("f4", "f8"):
        for amplitude in (1, 3, 0.375, 999):  # of few digits, so that nothing is rounded
            assert not F((amplitude * ZIGZAG).astype(dtype)).any()
        for amplitude in (0.1, 1 / 3, *np.random.default_rng(0).normal(size=500)):
            got = F((amplitude * ZIGZAG).astype(dtype))
            assert abs(got).max() <= np.finfo(dtype).eps * abs(amplitude)
    for boundary in ("reflect", "valid"):
        assert not fdx.Filter(0, order, boundary=boundary)(ZIGZAG).any()
    assert not fdx.Filter(0, order)(ZIGZAG)[order // 2 : -order // 2].any()
    half = fdx.Filter(0, order, boundary="periodic", strength=0.25)
    np.testing.assert_array_equal(half(ZIGZAG), 0.75 * ZIGZAG)
    board = np.multiply.outer(ZIGZAG, ZIGZAG)
    both = F @ fdx.Filter(1, order, boundary="periodic")
    assert not both(board).any()
    assert not both(board + ZIGZAG).any()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("strength", [1, 0.3])
def test_symbol(order, strength):
    waves = np.linspace(-np.pi, np.pi, 101)
    for boundary in ("one-sided", "periodic", "valid"):
        F = fdx.Filter(0, order, boundary=boundary, strength=strength)
        got = F.symbol(waves)
        np.testing.assert_allclose(got, 1 - strength * np.sin(waves / 2) ** order, atol=1e-15)
        assert F.symbol(0) == 1
        assert F.symbol(np.pi) == 1 - strength
    n = 16
    found = np.sort(np.linalg.eigvalsh(dense(fdx.Filter(0, order, boundary="periodic"), n)))
    want = np.sort(1 - np.sin(np.pi * np.arange(n) / n) ** order)
    np.testing.assert_allclose(found, want, atol=1e-14)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("boundary", [b for b in BOUNDARIES if b != "valid"])
def test_eigenvalues_are_between_0_and_1(order, boundary):
    F = fdx.Filter(0, order, boundary=boundary)
    lengths = range(order + 1, 61) if boundary == "one-sided" else (order + 2, 31, 60)
    for n in lengths:
        found = np.linalg.eigvals(dense(F, n))
        assert abs(found.imag).max() < 1e-12
        assert found.real.min() > -1e-12
        assert found.real.max() < 1 + 1e-12
        assert F.spectral_radius(n) <= 1 + 1e-5
    # Filters are not normal at walls: what they are applied to 1000 times is bounded.
    assert np.linalg.norm(np.linalg.matrix_power(dense(F, 60), 1000), np.inf) < 4


@pytest.mark.parametrize("order", [2, 6])
def test_ghost_values(order):
    """The same as the interior stencil on values that np.pad adds."""
    u = np.random.default_rng(1).normal(size=13)
    inside = fdx.Filter(0, order, boundary="valid")
    modes = {
        "reflect": dict(mode="reflect"),
        "symmetric": dict(mode="symmetric"),
        "reflect-odd": dict(mode="reflect", reflect_type="odd"),
        "symmetric-odd": dict(mode="symmetric", reflect_type="odd"),
        "zero": dict(mode="constant"),
    }
    for boundary, mode in modes.items():
        got = fdx.Filter(0, order, boundary=boundary)(u)
        np.testing.assert_allclose(got, inside(np.pad(u, order // 2, **mode)), atol=1e-14)
    mixed = fdx.Filter(0, order, boundary=("one-sided", "valid"))
    assert mixed.output_shape(13) == (13 - order // 2,)
    np.testing.assert_array_equal(dense(mixed, 13), dense(fdx.Filter(0, order), 13)[: -order // 2])


@pytest.mark.parametrize("order", ORDERS)
def test_dtypes_and_axes(order):
    u = np.random.default_rng(2).normal(size=(13, 14, 15))
    for axis in (0, 1, 2, -1):
        F = fdx.Filter(axis, order)
        want = np.moveaxis(
            np.tensordot(dense(fdx.Filter(0, order), u.shape[axis]), u, (1, axis)), 0, axis
        )
        got = F(u)
        np.testing.assert_allclose(got, want, atol=1e-14)
        assert F(u.astype("f4")).dtype == np.float32
        np.testing.assert_allclose(F(u.astype("f4")), want, atol=3e-6)
        both = F(u + 1j * u[::-1, ::-1, ::-1])
        np.testing.assert_array_equal(both.real, got)
        np.testing.assert_array_equal(both.imag, F(u[::-1, ::-1, ::-1]))
        assert F.axes == (axis,)
        v = np.random.default_rng(3).normal(size=u.shape)
        np.testing.assert_allclose((v * F(u)).sum(), (F.T(v) * u).sum(), rtol=1e-11)
    both = fdx.Filter(0, order) @ fdx.Filter(2, order)
    np.testing.assert_allclose(both(u), fdx.Filter(0, order)(fdx.Filter(2, order)(u)), atol=1e-14)
    np.testing.assert_array_equal(fdx.Filter(0, order)(np.arange(20)), np.arange(20.0))


SEVERAL = [
    fdx.Filter(0),
    fdx.Filter(1, 10),
    fdx.Filter(-1, 4),
    fdx.Filter(0, 4, boundary="periodic"),
    fdx.Filter(0, 4, boundary="valid"),
    fdx.Filter(0, 4, boundary=("valid", "one-sided")),
    fdx.Filter(0, 4, boundary=("one-sided", "reflect")),
    fdx.Filter(0, 4, strength=0.1),
]


@pytest.mark.parametrize("F", SEVERAL)
def test_names_and_copies(F, capsys):
    code = repr(F).splitlines()[0]
    same = eval(code, vars(fdx))
    others = [pickle.loads(pickle.dumps(F)), copy.deepcopy(F), F.T.T, (F + F) / 2, sum([F])]
    for other in (same, *others):
        assert type(other) is fdx.Filter
        assert other == F
        assert hash(other) == hash(F)
        assert repr(other) == repr(F)
    for other in (F.T, 2 * F, -F, F + F, F + fdx.Identity(), F @ F, fdx.Identity() - F):
        assert type(other) is fdx.Operator
        assert other != F
    assert sum(other == F for other in SEVERAL) == 1
    code = repr(2 * F).splitlines()[0]
    assert eval(code, vars(fdx)) == 2 * F
    F.plot()
    assert capsys.readouterr().out.startswith(repr(F))


def test_text():
    assert repr(fdx.Filter(0, 6)).splitlines() == [
        "Filter(0, 6)",
        "    (f[i-3] - 6 f[i-2] + 15 f[i-1] + 44 f[i] + 15 f[i+1] - 6 f[i+2] + f[i+3]) / 64",
    ]
    weak = fdx.Filter(-2, boundary=("valid", "reflect"), strength=np.float32(0.5))
    assert repr(weak).splitlines() == [
        "Filter(-2, boundary=('valid', 'reflect'), strength=0.5)",
        "    (f[i-1] + 6 f[i] + f[i+1]) / 8",
    ]


def test_equal_sums_are_filters():
    """An operator that equals a filter is one, however it is written."""
    one, ring = fdx.Identity(), fdx.Filter(0, 4, boundary="periodic")
    difference = fdx.Stencil(0, range(-2, 3), np.array([1, -4, 6, -4, 1]) / 16, boundary="periodic")
    for sum_ in (one - difference, -difference + one):
        assert sum_ == ring
        assert type(sum_) is fdx.Filter
        assert repr(sum_) == repr(ring)
    for strength in (0.1, 0.25, 1 / 3):
        assert one - strength * (one - ring) == fdx.Filter(
            0, 4, boundary="periodic", strength=strength
        )
    for other in (one + difference, one - 2 * difference, 2 * one - difference, one - difference.T):
        assert type(other) is fdx.Operator
    wider = fdx.Stencil(0, range(-2, 3), np.array([1, -4, 5, -4, 1]) / 16, boundary="periodic")
    assert type(one - wider) is fdx.Operator
    assert type(one - fdx.Diff(0)) is fdx.Operator
    walls = fdx.Stencil(0, [-1, 0, 1], [-0.25, 0.5, -0.25], left=[[0.5, -0.5]])
    assert type(one - walls) is fdx.Operator


def test_kreiss_oliger_dissipation():
    """(-1)^(p+1) eps / (2^(2p) dt) delta^(2p)"""
    eps, dt, one = 0.2, 0.01, fdx.Identity()
    u = np.random.default_rng(4).normal(size=30)
    for p in range(1, 6):
        rate = eps / dt * (fdx.Filter(0, 2 * p, boundary="valid") - one)
        want = (-1) ** (p + 1) * eps / (4**p * dt) * np.diff(u, 2 * p)
        np.testing.assert_allclose(rate(u), want, rtol=1e-11, atol=1e-12)


def test_filtered_steps_are_stable():
    """Forward Euler steps that grow without a filter, of advection and of the heat equation."""
    rng = np.random.default_rng(5)
    advection = fdx.Identity() - 0.5 * fdx.Diff(0, boundary="periodic")
    heat = fdx.Identity() + 0.6 * fdx.Diff(0, deriv=2, boundary="reflect-odd")
    for step, boundary in ((advection, "periodic"), (heat, "one-sided")):
        F = fdx.Filter(0, 2, boundary=boundary)
        start = rng.normal(size=64)
        u, v = start, start
        for _ in range(300):
            u, v = step(u), F(step(v))
        assert abs(u).max() > 1e6
        assert abs(v).max() <= abs(start).max()


REFUSED = [
    (lambda: fdx.Filter(0, 3), r"^order: expected an even integer from 2 to 10, got 3$"),
    (lambda: fdx.Filter(0, 0), "^order: expected an even integer from 2 to 10, got 0$"),
    (lambda: fdx.Filter(0, 12), "^order: expected an even integer from 2 to 10, got 12$"),
    (lambda: fdx.Filter(64, 2), "axis: expected an integer from -64 to 63, got 64"),
    (lambda: fdx.Filter(0, boundary="wrap"), "boundary: .*'wrap' is 'periodic' here"),
    (lambda: fdx.Filter(0, boundary=("periodic", "zero")), "'periodic' on both sides or on neith"),
    (lambda: fdx.Filter(0, strength=0), "strength: expected a number above 0 and at most 1, got 0"),
    (
        lambda: fdx.Filter(0, strength=np.nan),
        "strength: expected a number above 0 and at most 1, got nan",
    ),
    (
        lambda: fdx.Filter(0, strength=np.inf),
        "strength: expected a number above 0 and at most 1, got inf",
    ),
    (lambda: fdx.Filter(0, strength=-1), "strength: expected a number above 0 and at most 1, got"),
    (lambda: fdx.Filter(0, strength=1.5), "above 0 and at most 1, got 1.5"),
    (lambda: fdx.Filter(0, 4)(np.ones(3)), "axis 0: expected at least 4 points for a stencil"),
    (
        lambda: fdx.Filter(0, 4, boundary="periodic")(np.ones(4)),
        "axis 0: expected at least 5 points for .* offsets -2 to 2, boundary='periodic', got 4",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fdx.Filter(0, 2.0), "order: expected an even integer from 2 to 10, got 2.0"),
        (lambda: fdx.Filter(0, True), "order: expected an even integer from 2 to 10, got True"),
        (lambda: fdx.Filter(0.5), "axis: expected an integer, got 0.5"),
        (lambda: fdx.Filter(0, strength="1"), "strength: expected a real number, got '1'"),
        (lambda: fdx.Filter(0, strength=[0.5]), "strength: expected a real number"),
        (lambda: fdx.Filter(0, strength=1j), "strength: expected a real number"),
    ],
)
def test_types_that_are_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_an_axis_that_is_not_there():
    with pytest.raises(np.exceptions.AxisError):
        fdx.Filter(1, 2)(np.ones(9))
