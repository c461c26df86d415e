"""`fdx.Upwind`: a velocity times a derivative by stencils towards where the flow comes from; and
sums of such products, of which one loop adds several."""

import copy
import itertools
import pickle
from fractions import Fraction

import numpy as np
import pytest
from compare import assert_same_elements as same_bits
from reference import band_matrix

import fdx

ACCURACIES = [1, 3, 5, 7]
N = 13
RNG = np.random.default_rng(12)


def parts(a):
    """The positive and the negative part. NaN is a part of both, -0 the 0 of a negative number."""
    positive = np.where(np.signbit(a) & ~np.isnan(a), 0, a)
    return positive, np.where(~np.signbit(a) & ~np.isnan(a), 0, a)


def of_two_arrays(axis, velocity, *args, **kwargs):
    """The same, written with what was there before."""
    left, right = (fdx.Diff(axis, *args, side=side, **kwargs) for side in ("left", "right"))
    positive, negative = parts(velocity)
    return positive * left + negative * right


# ---- values ----


@pytest.mark.parametrize("boundary", ["one-sided", "periodic", "reflect", "valid"])
@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_exact_in_rationals(accuracy, boundary):
    """Each result is the velocity times the row of its sign, whose weights are exact."""
    n, h = 17, 0.25
    u, a = RNG.integers(-50, 50, (2, n)).astype(float)
    rows = {
        side: band_matrix(n, 1, accuracy, boundary, Fraction(1, 4), side=side)
        for side in ("left", "right")
    }
    # With "valid" a sum has the points that both have.
    lost = (accuracy + 1) // 2 if boundary == "valid" else 0
    kept = n - 2 * lost
    own = {"left": rows["left"][:kept], "right": rows["right"][-kept:]}
    velocity = a[lost : n - lost]
    got = fdx.Upwind(0, velocity, h, accuracy=accuracy, boundary=boundary)(u)
    assert got.shape == (kept,)
    for i, (v, result) in enumerate(zip(velocity, got, strict=True)):
        row = own["left" if v > 0 else "right"][i]
        exact = Fraction(v) * sum(w * Fraction(f) for w, f in zip(row, u, strict=True))
        size = abs(Fraction(v)) * sum(abs(w * Fraction(f)) for w, f in zip(row, u, strict=True))
        assert abs(Fraction(result) - exact) <= size / 2**48


def test_a_step_of_one_spacing_moves_by_one_point():
    """First order is exact if what flows crosses one spacing in a step: in either direction."""
    u = RNG.normal(size=20)
    for velocity in (1.0, -1.0, np.ones(20), -np.ones(20)):
        step = fdx.Identity() - fdx.Upwind(0, velocity, boundary="periodic")
        shift = int(np.mean(velocity))
        np.testing.assert_allclose(step(u), np.roll(u, shift), atol=1e-15)


@pytest.mark.parametrize("accuracy", [1, 3, 5])
def test_order_of_convergence(accuracy):
    def error(n):
        x = np.arange(n) / n
        velocity, u = np.cos(2 * np.pi * x + 0.3), np.sin(2 * np.pi * x)
        L = fdx.Upwind(0, velocity, 1 / n, accuracy=accuracy, boundary="periodic")
        return abs(L(u) - velocity * 2 * np.pi * np.cos(2 * np.pi * x)).max()

    order = np.log2(error(64) / error(128))
    assert accuracy - 0.2 < order < accuracy + 0.2


@pytest.mark.parametrize("accuracy", ACCURACIES)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i4", ">f8"])
@pytest.mark.parametrize("of_velocity", ["f8", "f4", "i2", "u1", ">f4"])
def test_the_bits_of_two_arrays(accuracy, dtype, of_velocity):
    u = (100 * RNG.normal(size=(23, 40))).astype(dtype)
    a = (10 * RNG.normal(size=(23, 40))).astype(of_velocity)
    for axis, boundary in itertools.product((0, 1), ("one-sided", "periodic", "zero")):
        made = fdx.Upwind(axis, a, 0.3, accuracy=accuracy, boundary=boundary)
        same_bits(made(u), of_two_arrays(axis, a, 0.3, accuracy=accuracy, boundary=boundary)(u))
        same_bits(made(u[:, ::-1]), made(np.ascontiguousarray(u[:, ::-1])))
        same_bits(made(np.asfortranarray(u)), made(u))


@pytest.mark.parametrize("shape", [(3000,), (41, 70), (70, 41), (18, 19, 33), (5, 6, 8, 40)])
@pytest.mark.parametrize("accuracy", [1, 3])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_axes_together_have_the_bits_of_axes_one_by_one(shape, accuracy, dtype):
    """One loop adds the products of up to three axes; results are those of one after the other."""
    u = RNG.normal(size=shape).astype(dtype)
    velocities = RNG.normal(size=(len(shape), *shape)).astype(dtype)
    for boundary in ("periodic", "one-sided"):
        sides = [
            fdx.Diff(d, 0.3, accuracy=accuracy, side=side, boundary=boundary)
            for d in range(len(shape))
            for side in ("left", "right")
        ]
        # One array for both signs, or two; alone, or added to another term.
        for own, alone in itertools.product((True, False), repeat=2):
            Ls, products = [] if alone else [0.5 * fdx.Identity()], [] if alone else [0.5 * u]
            for d, a in enumerate(velocities):
                both = parts(a)
                if own:
                    Ls.append(fdx.Upwind(d, a, 0.3, accuracy=accuracy, boundary=boundary))
                for part, D in zip(both, sides[2 * d : 2 * d + 2], strict=True):
                    if not own:
                        Ls.append(part * D)
                    products.append(part * D(u))
            L, want = sum(Ls[1:], Ls[0]), sum(products[1:], products[0])
            same_bits(L(u), want)
            same_bits(L(u, workers=2), want)
            out = np.full((*shape, 2), 7, dtype)[..., 0]
            same_bits(L(u, out=out), want)


@pytest.mark.parametrize("shape", [(41, 70), (70, 41), (18, 19, 33), (5, 6, 8, 40)])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("position", ["inner", "center"])
def test_diffusion_along_all_axes_has_the_bits_of_axes_one_by_one(shape, dtype, position):
    u = RNG.normal(size=shape).astype(dtype)
    L, want = None, None
    for d in range(len(shape)):
        D = fdx.Diff(d, 0.3, position=position)
        c = RNG.uniform(1, 2, D.output_shape(shape)).astype(dtype)
        one = -(D.T @ (c * D)) if position == "inner" else D @ (c * D)
        L, want = (one, one(u)) if d == 0 else (L + one, want + one(u))
    same_bits(L(u), want)
    same_bits(L(u, workers=2), want)


# ---- velocities ----


def test_velocities_of_all_kinds():
    u = RNG.normal(size=(6, N))
    a = RNG.normal(size=(6, 1))
    whole = np.broadcast_to(a, u.shape).copy()
    for accuracy in ACCURACIES[:3]:
        same_bits(
            fdx.Upwind(1, a, accuracy=accuracy)(u), fdx.Upwind(1, whole, accuracy=accuracy)(u)
        )
    for number in (0.5, -0.5, 2, np.float32(-2), Fraction(1, 4), 0.0):
        side = "left" if number >= 0 else "right"
        want = float(number) * fdx.Diff(1, accuracy=1, side=side)
        assert fdx.Upwind(1, number) == want
        same_bits(fdx.Upwind(1, number)(u), want(u))
    same_bits(fdx.Upwind(0, [1.0, -1.0, 0.0])([1.0, 2.0, 4.0]), np.array([1.0, -2.0, 0.0]))


def test_velocities_are_read_at_each_call():
    u, a = RNG.normal(size=(2, 5000))
    L = fdx.Upwind(0, a, boundary="periodic")
    before = L(u)
    a *= -1
    same_bits(L(u), fdx.Upwind(0, a.copy(), boundary="periodic")(u))
    a *= -1
    same_bits(L(u), before)
    L(u, out=a)  # the output may be the velocity
    same_bits(a, before)


@pytest.mark.parametrize("n", [5, 5000])
def test_special_velocities(n):
    """No exception but what the products give; NaN stays, for either sign of the NaN."""
    a = np.resize([np.nan, -np.nan, 0.0, -0.0, np.inf, -np.inf, 1e-300, -1e-300, 3.0], n)
    u = np.arange(n) % 7 * 2.5 + 1.0
    with np.errstate(all="raise"):
        got = fdx.Upwind(0, a, boundary="periodic")(u)
    left, right = u - np.roll(u, 1), np.roll(u, -1) - u
    with np.errstate(all="ignore"):
        want = np.where(np.isnan(a), np.nan, parts(a)[0] * left + parts(a)[1] * right)
    np.testing.assert_array_equal(got, want)


def test_what_flows_away_is_multiplied_by_0():
    u = np.array([1.0, 2.0, np.inf, 4.0])
    with np.errstate(invalid="ignore"):
        got = fdx.Upwind(0, np.ones(4))(u)
    np.testing.assert_array_equal(got, [1.0, np.nan, np.nan, np.nan])


# ---- as an operator ----


def test_it_is_an_operator():
    u, a = RNG.normal(size=(2, N))
    L = fdx.Upwind(0, a, 0.2, accuracy=3)
    positive, negative = parts(a)
    left, right = (fdx.Diff(0, 0.2, accuracy=3, side=s) for s in ("left", "right"))
    want = np.diag(positive) @ left.matrix(N).toarray() + np.diag(negative) @ right.matrix(N)
    matrix = L.matrix(N).toarray()
    np.testing.assert_array_equal(matrix, want)
    np.testing.assert_allclose(L(u), matrix @ u, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(L.T(u), matrix.T @ u, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(L.T.matrix(N).toarray(), matrix.T)
    assert L.T.T == L
    c = RNG.normal(size=N)
    D = fdx.Diff(0, 0.2)
    for product, dense in (
        (c * L, np.diag(c) @ matrix),
        (D @ L, D.matrix(N) @ matrix),
        (L @ D, matrix @ D.matrix(N)),
        (-2 * L + D, -2 * matrix + D.matrix(N)),
        (L - L, 0 * matrix),
    ):
        np.testing.assert_allclose(product(u), dense @ u, rtol=1e-11, atol=1e-11)
    assert L.spectral_radius(N) >= abs(np.linalg.eigvals(matrix)).max()
    smaller = fdx.Upwind(0, np.where(a > 0, a, 0), 0.2, accuracy=3)
    assert smaller.spectral_radius(N) <= L.spectral_radius(N)
    with pytest.raises(ValueError, match="arrays of coefficients has no symbol"):
        L.symbol(0.1)


def test_it_is_a_value():
    a, other = RNG.normal(size=(2, N))
    L = fdx.Upwind(0, a, 0.2, accuracy=3)
    assert type(L) is fdx.Upwind
    assert type(-1 * -L) is fdx.Upwind
    assert type(-L) is fdx.Operator
    assert fdx.Upwind(0, a, 0.2, accuracy=3) == L
    assert hash(L) == hash(fdx.Upwind(0, a, 0.2, accuracy=3))
    left, right = (fdx.Diff(0, 0.2, accuracy=3, side=s) for s in ("left", "right"))
    for different in (
        fdx.Upwind(0, other, 0.2, accuracy=3),
        fdx.Upwind(0, a, 0.2),
        fdx.Upwind(0, a, 0.1, accuracy=3),
        fdx.Upwind(1, a, 0.2, accuracy=3),
        a * left + a * right,
        -L,
    ):
        assert different != L
    for same in (copy.copy(L), copy.deepcopy(L), pickle.loads(pickle.dumps(L))):
        assert type(same) is fdx.Upwind
        same_bits(same(other), L(other))
    assert copy.copy(L) == L
    both = copy.deepcopy([a, L])
    both[0][:] = 0
    assert not both[1](other).any()


def test_repr():
    a = np.ones(5)
    assert repr(fdx.Upwind(0, a)).splitlines() == [
        "Upwind(0, <5 array>)",
        "    Diff(0, accuracy=1, side='left'): (-f[i-1] + f[i]) / h, h = 1",
        "    Diff(0, accuracy=1, side='right'): (-f[i] + f[i+1]) / h, h = 1",
    ]
    first = repr(fdx.Upwind(-1, a, 0.5, accuracy=3, boundary="periodic")).splitlines()[0]
    assert first == "Upwind(-1, <5 array>, 0.5, accuracy=3, boundary='periodic')"
    first = repr(-fdx.Upwind(0, a)).splitlines()[0]
    assert first == (
        "-max(<5 array>, 0) * Diff(0, accuracy=1, side='left') "
        "- min(<5 array>, 0) * Diff(0, accuracy=1, side='right')"
    )


# ---- conditions ----


@pytest.mark.parametrize("accuracy", [1, 3])
@pytest.mark.parametrize("outside", [0.5, 1])
def test_inflows_on_both_sides(accuracy, outside):
    """A flow from both ends to the middle brings in what is given there, until it is all."""
    n, dt = 60, 0.4 / 60
    velocity = np.linspace(1, -1, n)
    boundary = (fdx.Dirichlet(2.0, outside=outside), fdx.Dirichlet(5.0, outside=outside))
    L = fdx.Upwind(0, velocity, 1 / n, accuracy=accuracy, boundary=boundary)
    u = np.zeros(n)
    for _ in range(600):
        v = u - dt / 3 * L(u)
        v = u - dt / 2 * L(v)
        u = u - dt * L(v)
    np.testing.assert_allclose(u[: n // 2 - 15], 2.0, atol=1e-3)
    np.testing.assert_allclose(u[n // 2 + 15 :], 5.0, atol=1e-3)
    np.testing.assert_allclose(L(u), L.linear(u) + L.offset(n), rtol=1e-12, atol=1e-12)


def test_conditions_are_for_what_flows_in():
    """Where the flow leaves, results are one-sided ones."""
    a = np.array([1.0, -1.0, 1.0, -1.0])
    L = fdx.Upwind(0, a, boundary=(fdx.Dirichlet(3.0, outside=1), fdx.Dirichlet(4.0, outside=1)))
    u = np.array([1.0, 2.0, 4.0, 8.0])
    np.testing.assert_array_equal(L(u), [-2.0, -2.0, 2.0, 4.0])
    L = fdx.Upwind(0, -a, boundary=(fdx.Dirichlet(3.0, outside=1), "one-sided"))
    np.testing.assert_array_equal(L(u), [-1.0, 1.0, -4.0, 4.0])
    for accuracy, velocity in itertools.product((1, 3, 5), (1.0, -1.0)):
        given = (fdx.Dirichlet(100.0, outside=0.5), "one-sided")
        L, without = (
            fdx.Upwind(0, velocity, accuracy=accuracy, boundary=b)
            for b in (given[:: int(-velocity)], "one-sided")
        )
        assert without == L


@pytest.mark.parametrize(("accuracy", "outside"), [(1, 0.5), (1, 1), (3, 0.5), (3, 1), (5, 0.5)])
def test_no_mode_grows_whatever_the_direction(accuracy, outside):
    """Of data at both ends, as in a tide."""
    for n, velocity in itertools.product((20, 61), (1.0, -1.0)):
        L = fdx.Upwind(
            0,
            np.full(n, velocity),
            accuracy=accuracy,
            boundary=fdx.Dirichlet(1.0, outside=outside),
        )
        assert np.linalg.eigvals(-L.linear.matrix(n).toarray()).real.max() < -0.1


def test_falling_coordinates_and_negative_spacings():
    """The velocity is that of coordinates: the same flow, seen from the other end of the axis."""
    u, a = RNG.normal(size=(2, N))
    x = np.cumsum(1 + np.arange(N) % 3)
    for accuracy, boundary in itertools.product((1, 3), ("one-sided", "reflect")):
        of = dict(accuracy=accuracy, boundary=boundary)
        for falling, rising in ((-0.5, 0.5), (-x[::-1], -x), (x[::-1], x)):
            if np.ndim(rising) and rising[0] > rising[1]:
                continue
            L = fdx.Upwind(0, a, falling, **of)
            assert type(2 * (0.5 * L)) is fdx.Upwind
            back = fdx.Upwind(0, a[::-1].copy(), rising, **of)(u[::-1].copy())[::-1]
            np.testing.assert_allclose(L(u), back, rtol=1e-12, atol=1e-12)
    for spacing in (1.0, -1.0, np.arange(40.0), np.arange(40.0)[::-1], x[:8], x[7::-1]):
        n = 40 if np.ndim(spacing) == 0 else len(spacing)
        for velocity in (1.0, -1.0, np.ones(n), -np.ones(n)):
            M = -fdx.Upwind(0, velocity, spacing, boundary="reflect").matrix(n).toarray()
            assert np.linalg.eigvals(M).real.max() < 1e-7
    sea = fdx.Dirichlet(2.0, outside=1)
    for velocity in (np.ones(40), -np.ones(40)):
        L = fdx.Upwind(0, velocity, -1.0, accuracy=3, boundary=sea)
        np.testing.assert_allclose(L(np.full(40, 2.0)), 0, atol=1e-12)
        assert L(np.zeros(40))[0 if velocity[0] < 0 else -1] != 0
        assert np.linalg.eigvals(-L.linear.matrix(40).toarray()).real.max() < -0.1


def test_velocities_of_no_dimension_may_change():
    a = np.array(1.0)
    L = fdx.Upwind(0, a, boundary="periodic")
    u = RNG.normal(size=8)
    np.testing.assert_allclose(L(u), u - np.roll(u, 1))
    a[...] = -2.0
    np.testing.assert_allclose(L(u), -2 * (np.roll(u, -1) - u))
    assert repr(L).startswith("Upwind(0, <0-d array>, boundary='periodic')")


def test_the_transpose_is_the_flux_form():
    """Burgers' equation, whose shock moves at half of the height."""
    n = 200
    u = np.where(np.arange(n) < n // 4, 1.0, 0.0)
    w = np.empty(n)
    L = -fdx.Upwind(0, w, 1 / n, boundary="periodic").T
    before = u.sum()
    for _ in range(200):
        w[:] = -u / 2
        u = u + 0.5 / n * L(u)
    assert abs(u.sum() - before) < 1e-10
    front = np.flatnonzero(u > 0.5)[-1] / n
    assert abs(front - (0.25 + 0.5 * 0.5)) < 0.02


# ---- bad input ----


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: fdx.Upwind(0, 1.0, accuracy=2),
            "accuracy: expected an odd integer from 1 on, got",
        ),
        (lambda: fdx.Upwind(0, 1.0, accuracy=0), "accuracy: expected an odd integer from 1 on"),
        (lambda: fdx.Upwind(0, 1j), "velocity: expected real numbers"),
        (lambda: fdx.Upwind(0, np.ones(3, complex)), "velocity: expected real numbers"),
        (lambda: fdx.Upwind(0, np.inf), "velocity: expected a finite number"),
        (lambda: fdx.Upwind(0, "x"), "velocity: expected real numbers"),
        (lambda: fdx.Upwind(0, np.ones(3), 0.0), "spacing: expected a finite number other than 0"),
        (
            lambda: fdx.Upwind(0, np.ones(3), boundary="sbp"),
            "boundary: expected another than 'sbp'",
        ),
        (
            lambda: fdx.Upwind(0, np.ones(3))(np.ones(4)),
            r"velocity: expected a shape .* got \(3,\)$",
        ),
        (
            lambda: fdx.Upwind(0, np.ones(9), boundary="valid")(np.ones(9)),
            r"broadcasts to \(7,\), got .* leave out the others' numbers",
        ),
        (lambda: fdx.Upwind(0, np.ones(3), accuracy=3)(np.ones(3)), "expected at least 4 points"),
        (lambda: fdx.Upwind(0, 1.0, accuracy=65), "accuracy: expected a stencil of at most 64"),
        (lambda: fdx.Upwind(0, 1.0, period=1.0), "period: expected None"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
