"""Staggered and biased derivatives, interpolation, and stencils of given weights."""

import copy
import pickle
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import row_sum

import fdx

POSITIONS = ["center", "inner", "outer", "left", "right"]
N = 13
F = np.random.default_rng(3).normal(size=N)


def dense(operator, n=N):
    return operator.matrix(n).toarray()


# ---- staggered grids ----


def test_accuracy_2_is_what_numpy_gives():
    h = 0.25
    np.testing.assert_array_equal(fdx.Diff(0, h, position="inner")(F), np.diff(F) / h)
    np.testing.assert_array_equal(fdx.Interp(0, h, position="inner")(F), (F[1:] + F[:-1]) / 2)
    x = np.cumsum(1.0 + np.arange(N) % 3)
    np.testing.assert_allclose(
        fdx.Diff(0, x, position="inner")(F), np.diff(F) / np.diff(x), rtol=1e-15
    )
    np.testing.assert_allclose(fdx.Interp(0, x, position="inner")(F), (F[1:] + F[:-1]) / 2)


@pytest.mark.parametrize("accuracy", [2, 4, 6])
@pytest.mark.parametrize("make", [fdx.Diff, fdx.Interp])
def test_positions_are_parts_of_the_outer_one(make, accuracy):
    """Where stencils are the same, so are results: position says which of the places."""
    outer = make(0, 0.3, accuracy=accuracy, position="outer")(F)
    assert outer.shape == (N + 1,)
    np.testing.assert_array_equal(make(0, 0.3, accuracy=accuracy, position="inner")(F), outer[1:-1])
    np.testing.assert_array_equal(make(0, 0.3, accuracy=accuracy, position="left")(F), outer[:-1])
    np.testing.assert_array_equal(make(0, 0.3, accuracy=accuracy, position="right")(F), outer[1:])


@pytest.mark.parametrize("deriv", [0, 1, 2, 3])
@pytest.mark.parametrize("accuracy", [2, 4])
@pytest.mark.parametrize("boundary", ["periodic", "reflect", "symmetric", "reflect-odd", "zero"])
@pytest.mark.parametrize("position", POSITIONS[1:])
def test_boundaries_are_ghost_values(deriv, accuracy, boundary, position):
    """The same as the interior stencil on values that np.pad adds."""
    if boundary == "periodic" and position in ("inner", "outer"):
        return
    modes = {
        "periodic": dict(mode="wrap"),
        "reflect": dict(mode="reflect"),
        "symmetric": dict(mode="symmetric"),
        "reflect-odd": dict(mode="reflect", reflect_type="odd"),
        "zero": dict(mode="constant"),
    }
    r = 6
    make = fdx.Interp if deriv == 0 else lambda *a, **b: fdx.Diff(*a, deriv=deriv, **b)
    options = dict(accuracy=accuracy, position=position)
    got = make(0, 0.3, boundary=boundary, **options)(F)
    wide = make(0, 0.3, **options)(np.pad(F, r, **modes[boundary]))
    want = wide[r : r + len(got)]
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12 * abs(want).max())


@pytest.mark.parametrize("accuracy", [2, 4, 6])
@pytest.mark.parametrize("kind", ["derivative", "interpolation"])
def test_order_of_convergence(accuracy, kind):
    errors = []
    for n in (40, 80):
        x, h = np.linspace(0, 2, n, retstep=True)
        at = np.concatenate([[x[0] - h / 2], x + h / 2])
        if kind == "derivative":
            got = fdx.Diff(0, h, accuracy=accuracy, position="outer")(np.exp(np.sin(x)))
            want = np.cos(at) * np.exp(np.sin(at))
        else:
            got = fdx.Interp(0, accuracy=accuracy, position="outer")(np.exp(np.sin(x)))
            want = np.exp(np.sin(at))
        errors.append(abs(got - want).max())
    assert np.log2(errors[0] / errors[1]) > accuracy - 0.35


@pytest.mark.parametrize("accuracy", [2, 4])
@pytest.mark.parametrize("position", ["inner", "right"])
def test_conservative_diffusion(accuracy, position):
    """-D.T @ (c D) is symmetric and negative semidefinite, keeps the total, and damps a zigzag."""
    boundary = "periodic" if position == "right" else "one-sided"
    D = fdx.Diff(0, 0.3, accuracy=accuracy, position=position, boundary=boundary)
    c = np.random.default_rng(5).uniform(0.5, 2, D.output_shape(N))
    L = -(D.T @ (c * D))
    matrix = dense(L)
    np.testing.assert_allclose(matrix, matrix.T, rtol=0, atol=1e-15 * abs(matrix).max())
    eigenvalues = np.linalg.eigvalsh(matrix)
    assert eigenvalues.max() < 1e-12
    assert eigenvalues[-2] < -1e-3
    np.testing.assert_array_equal(L(np.ones(N)), np.zeros(N))
    np.testing.assert_allclose(
        matrix.sum(axis=0), 0, atol=1e-12
    )  # what leaves a cell enters another
    zigzag = (-1.0) ** np.arange(N - 1)
    L = -(D.T @ (c[: D.output_shape(N - 1)[0]] * D))
    assert zigzag @ L(zigzag) < -2 * c.sum() / 0.3**2
    centred = fdx.Diff(0, 0.3)
    assert not (centred @ centred)(zigzag)[2:-2].any()  # while this one does not see it


def test_conservative_diffusion_on_uneven_cells():
    faces = np.cumsum(np.random.default_rng(6).uniform(0.5, 1.5, N + 1))
    x, widths = (faces[1:] + faces[:-1]) / 2, np.diff(faces)
    c = np.random.default_rng(5).uniform(0.5, 2, N - 1)
    D = fdx.Diff(0, x, position="inner")
    L = -1 / widths * (D.T @ ((np.diff(x) * c) * D))
    flux = np.concatenate([[0], c * np.diff(F) / np.diff(x), [0]])
    np.testing.assert_allclose(L(F), np.diff(flux) / widths, rtol=1e-12)


def test_products_along_an_axis_are_the_usual_operators():
    D = fdx.Diff(0, 0.5, position="inner")
    second = fdx.Diff(0, 0.5, deriv=2, boundary="valid")
    np.testing.assert_array_equal(dense(D @ D), dense(second))
    assert (D @ D).output_shape(N) == (N - 2,)
    assert D**2 == D @ D
    walls = fdx.Diff(0, 0.5, deriv=2, boundary="symmetric")
    np.testing.assert_array_equal(dense(-(D.T @ D)), dense(walls))
    # Midpoints and back: what results at the points has the points that are left.
    both = D @ fdx.Diff(0, 0.5, position="outer") + fdx.Diff(0, 0.5, deriv=2)
    assert both.output_shape(N) == (N,)
    both = D @ D + fdx.Diff(0, 0.5, deriv=2)
    assert both.output_shape(N) == (N - 2,)
    np.testing.assert_allclose(both(F), 2 * second(F), rtol=1e-12)


def test_sums_of_results_at_other_places_are_refused():
    D = fdx.Diff(0, position="inner")
    for other in (fdx.Identity(), fdx.Diff(0), fdx.Diff(0) @ fdx.Diff(1)):
        with pytest.raises(ValueError, match="axis 0: expected results at the same places"):
            D + other
    same = fdx.Diff(-1, position="inner") + fdx.Diff(1, position="inner")
    assert same.output_shape((3, 5)) == (3, 4)
    late = fdx.Diff(-1, position="inner") + fdx.Diff(0, position="inner")
    assert late.output_shape(N) == (N - 1,)
    with pytest.raises(ValueError, match="expected results at the same places"):
        late(np.stack([F, F]))
    moved = fdx.Interp(0, position="inner") @ fdx.Diff(0) + D
    assert moved.output_shape(N) == (N - 1,)


# ---- results that are not at midpoints ----


@pytest.mark.parametrize("position", POSITIONS[1:])
def test_results_at_given_coordinates(position):
    """Of a polynomial they are exact; at the midpoints they are those without coordinates."""
    x = np.cumsum(1.0 + np.arange(N) % 3) - 9
    steps = np.diff(x)
    places = np.concatenate(
        ([x[0] - 0.3], x[:-1] + steps * np.linspace(0, 1, N - 1), [x[-1] + 0.5])
    )
    own = {"inner": places[1:-1], "outer": places, "left": places[:-1], "right": places[1:]}
    at = own[position]
    f = np.polynomial.Polynomial([1.0, -0.5, 0.25, 0.125])
    for deriv in (0, 1, 2):
        make = partial(fdx.Diff, deriv=deriv) if deriv else fdx.Interp
        D = make(0, x, accuracy=4, position=position, at=at)
        want = f.deriv(deriv)(at) if deriv else f(at)
        np.testing.assert_allclose(D(f(x)), want, rtol=1e-12, atol=1e-12)
        columns = np.stack([f(x), -f(x)], axis=1)
        np.testing.assert_allclose(D(columns), np.stack([want, -want], axis=1), atol=1e-12)
        np.testing.assert_allclose(D.T(want), D.matrix(N).T @ want, rtol=1e-12, atol=1e-12)
        falling = make(0, -x, accuracy=4, position=position, at=-at)
        np.testing.assert_allclose(falling(f(x)), (-1) ** deriv * want, rtol=1e-12, atol=1e-12)
        midpoints = make(0, x, accuracy=4, position="inner", at=(x[1:] + x[:-1]) / 2)
        without = make(0, x, accuracy=4, position="inner")
        np.testing.assert_allclose(midpoints(F), without(F), rtol=1e-12)
        assert midpoints != without
        same = make(0, x, accuracy=4, position=position, at=list(at))
        assert (D, hash(D)) == (same, hash(same))
        assert pickle.loads(pickle.dumps(D)) == D
        other = at.copy()
        other[3] += 0.01
        assert make(0, x, accuracy=4, position=position, at=other) != D
    assert f"position='{position}', at=<{len(at)} coordinates>" in repr(D)


def test_results_at_given_coordinates_of_even_points():
    """Points that are even have no even stencils then; a result may be at a point."""
    x = np.linspace(0.0, 1.0, 6)
    at = [0.0, 0.25, 0.5, 0.8, 0.9]
    np.testing.assert_allclose(
        fdx.Interp(0, x, position="inner", at=at)(3 * x + 1), 3 * np.array(at) + 1
    )
    np.testing.assert_allclose(
        fdx.Diff(0, x, position="inner", at=at)(x**2), 2 * np.array(at), atol=1e-14
    )
    periodic = fdx.Interp(
        0, x[:-1], accuracy=4, position="left", boundary="periodic", period=1.0, at=x[:-1] - 0.05
    )
    wave = np.cos(2 * np.pi * x[:-1])
    shifted = periodic(wave)
    np.testing.assert_allclose(np.roll(shifted, 1), periodic(np.roll(wave, 1)), atol=1e-14)
    valid = fdx.Diff(0, x, accuracy=4, position="inner", at=at, boundary="valid")
    whole = fdx.Diff(0, x, accuracy=4, position="inner", at=at)
    np.testing.assert_array_equal(valid(x**3), whole(x**3)[2:-2])


# ---- biased ----

UPWIND = {1: [-1, 1], 3: [1, -6, 3, 2], 5: [-2, 15, -60, 20, 30, -3]}


@pytest.mark.parametrize("accuracy", UPWIND)
def test_upwind_has_the_published_weights(accuracy):
    """First-, third- and fifth-order upwind: the rationals of any textbook."""
    weights = np.array(UPWIND[accuracy]) / [1, 6, 60][accuracy // 2]
    left = fdx.Diff(0, side="left", accuracy=accuracy, boundary="valid")
    row = dense(left, accuracy + 1)
    np.testing.assert_allclose(row, [weights], rtol=1e-15)
    right = fdx.Diff(0, side="right", accuracy=accuracy, boundary="valid")
    np.testing.assert_allclose(dense(right, accuracy + 1), [-weights[::-1]], rtol=1e-15)


@pytest.mark.parametrize("accuracy", [1, 3, 5, 7])
def test_upwind_damps_and_its_mirror_grows(accuracy):
    waves = np.linspace(0, np.pi, 200)
    left = fdx.Diff(0, side="left", accuracy=accuracy, boundary="periodic")
    right = fdx.Diff(0, side="right", accuracy=accuracy, boundary="periodic")
    symbol = left.symbol(waves)
    assert symbol[0] == 0
    assert (symbol.real[1:] > 0).all()
    np.testing.assert_allclose(right.symbol(waves), -symbol.conj(), rtol=1e-13, atol=1e-15)
    exact = sum(
        w * np.exp(1j * waves * k)
        for k, w in zip(range(-(accuracy + 1) // 2, accuracy), dense_row(left), strict=False)
    )
    np.testing.assert_allclose(symbol, exact, atol=1e-13)
    np.testing.assert_allclose(left.spectral_radius(64), spectrum(left, 64), rtol=1e-12)


def dense_row(operator):
    """Weights of an interior row of a periodic operator, from the first neighbour on."""
    matrix = dense(operator, 40)
    return matrix[20][np.flatnonzero(matrix[20])[0] :]


def spectrum(operator, n):
    return abs(np.linalg.eigvals(dense(operator, n))).max()


def test_upwind_with_a_velocity_in_one_pass():
    rng = np.random.default_rng(7)
    u, c = rng.normal(size=(2, N, 4))
    left, right = (
        fdx.Diff(0, 0.3, accuracy=3, side=s, boundary="periodic") for s in ("left", "right")
    )
    upwind = np.maximum(c, 0) * left + np.minimum(c, 0) * right
    np.testing.assert_allclose(upwind(u), np.where(c > 0, c * left(u), c * right(u)), rtol=1e-13)


# ---- given weights ----


@st.composite
def stencils(draw):
    first, count = draw(st.integers(-5, 4)), draw(st.integers(1, 6))
    weights = draw(st.lists(st.integers(-9, 9), min_size=count, max_size=count).filter(any))
    kind = draw(st.sampled_from(["any", "antisymmetric", "symmetric", "zero sum"]))
    if kind == "antisymmetric":
        weights = [a - b for a, b in zip(weights, weights[::-1], strict=True)]
    if kind == "symmetric":
        weights = [a + b for a, b in zip(weights, weights[::-1], strict=True)]
    if kind == "zero sum":
        weights = [*weights[1:], -sum(weights[1:])]
    position = draw(st.sampled_from(POSITIONS))
    return first, [w / 8 for w in weights], position


@given(stencils(), st.sampled_from(["valid", "zero", "reflect", "symmetric", "antisymmetric"]))
@settings(max_examples=max(1, settings().max_examples // 2))
def test_any_weights(stencil, boundary):
    """Against a loop over the results: entries exactly, as weights and ghost values are dyadic."""
    first, weights, position = stencil
    if not any(weights):
        return
    half = 0.5 * (position != "center")
    n = 12
    offsets = np.arange(first, first + len(weights)) - half
    S = fdx.Stencil(0, offsets, weights, boundary=boundary, position=position)
    begin = -1 if position in ("outer", "left") else 0
    end = n - 1 if position in ("inner", "left") else n
    rows = []
    for i in range(begin, end):
        row, inside = np.zeros(n), True
        for k, w in enumerate(weights, i + first):
            p = k
            inside &= 0 <= p < n
            if not 0 <= p < n:
                mirror = 0 if p < 0 else n - 1
                p = 2 * mirror - p
                if boundary in ("symmetric", "antisymmetric"):
                    p += -1 if k < 0 else 1
                w = {"zero": 0, "antisymmetric": -w}.get(boundary, w)
            row[p] += w
        if inside or boundary != "valid":
            rows.append(row)
    np.testing.assert_array_equal(dense(S, n), rows)
    np.testing.assert_array_equal(dense(S.T, len(rows)), np.transpose(rows))
    if abs(sum(weights)) == 0 and boundary in ("valid", "reflect", "symmetric"):
        assert not S(np.full(n, 0.1)).any()
    waves = np.linspace(-4, 4, 9)
    want = sum(w * np.exp(1j * waves * o) for o, w in zip(offsets, weights, strict=True))
    np.testing.assert_allclose(S.symbol(waves), want, atol=1e-14)
    assert eval(repr(S).splitlines()[0], {"Stencil": fdx.Stencil}) == S
    assert pickle.loads(pickle.dumps(S)) == S == copy.deepcopy(S)
    assert hash(pickle.loads(pickle.dumps(S))) == hash(S)


ORDERS = [
    ([-1.0, 3.0, -3.0, 1.0], "antisymmetric about a midpoint"),
    ([1.0, -2.0, 1.0], "symmetric"),
    ([-1.0, 0.0, 1.0], "antisymmetric"),
    ([1.0, -4.0, 3.0], "differences"),
    ([0.1, 0.2, 0.3], "plain"),
]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("weights", "order"), ORDERS)
@pytest.mark.parametrize("axis", [0, 1])
def test_documented_order_of_summation(weights, order, dtype, axis):
    u = (np.random.default_rng(2).normal(size=(50, 50)) * 1e3).astype(dtype)
    count = len(weights)
    half = count % 2 == 0
    offsets = np.arange(count) - (count - 1) / 2
    S = fdx.Stencil(axis, offsets, weights, position="inner" if half else "center")
    got, u = np.moveaxis(S(u), axis, 0), np.moveaxis(u, axis, 0)
    for i in range(len(got)):
        if order.endswith("midpoint"):
            one = np.dtype(dtype).type
            right = count // 2
            want = one(weights[right]) * (u[i + right] - u[i + right - 1])
            for k in range(right + 1, count):
                want = want + one(weights[k]) * (u[i + k] - u[i + count - 1 - k])
            assert (got[i] == want).all()
            continue
        want = [row_sum(order, weights, u[i : i + count, j], count // 2) for j in range(50)]
        assert (got[i] == want).all()


def test_rows_of_ones_own():
    D = fdx.Stencil(0, [-1, 1], [-0.5, 0.5], left=[[-1.5, 2, -0.5]])
    np.testing.assert_array_equal(dense(D), dense(fdx.Diff(0)))
    assert D.output_shape(N) == (N,)
    assert D.output_shape(3) == (3,)
    L = fdx.Stencil(0, [-1, 0, 1], [1, -2, 1], right=[[1, -1]], left=[[0.0]])
    want = dense(fdx.Diff(0, deriv=2, boundary="symmetric"))
    want[0] = 0
    np.testing.assert_array_equal(dense(L), want)
    more = fdx.Stencil(0, [0], [2.0], left=[[1, 0, 0, 1], [3]], right=())
    np.testing.assert_array_equal(more(np.arange(1.0, 7.0)), [5, 3, 6, 8, 10, 12])
    mirrored = fdx.Stencil(0, [-0.5, 0.5], [0.5, 0.5], left=[[1]], position="outer")
    np.testing.assert_array_equal(mirrored([2.0, 4.0, 8.0]), [2, 3, 6, 8])
    # Weights whose decimals add up to 0 only before they are rounded.
    row = [Fraction(-11, 12), Fraction(17, 24), Fraction(3, 8), Fraction(-5, 24), Fraction(1, 24)]
    four = fdx.Stencil(
        0,
        [-1.5, -0.5, 0.5, 1.5],
        np.array([1, -27, 27, -1]) / 24,
        left=[row],
        position="inner",
    )
    np.testing.assert_allclose(
        dense(four), dense(fdx.Diff(0, accuracy=4, position="inner")), atol=1e-15
    )
    assert not four(np.full(N, 0.1)).any()
    fewest = pytest.raises(
        ValueError, match="expected at least 3 points for a stencil with offsets -1 to 1"
    )
    with fewest:
        D([1.0, 2.0])


def test_extreme_weights_stay():
    """Sums that overflow are not 0."""
    S = fdx.Stencil(0, [0, 1, 2], [1e308, -1e308, 1e308])
    np.testing.assert_array_equal(dense(S, 3), [[1e308, -1e308, 1e308]])
    far = fdx.Stencil(0, [200], [2.0])
    np.testing.assert_array_equal(far(np.arange(202.0)), [400, 402])
    for boundary in ("reflect", "antisymmetric", "zero"):
        ends = fdx.Stencil(0, np.arange(-254, 0), np.ones(254), boundary=boundary)
        assert ends.output_shape(300) == (300,)


def test_weights_of_the_window():
    """The longest stencil: a moving mean of 255 points, against cumulative sums."""
    u = np.random.default_rng(1).normal(size=1000)
    mean = fdx.Stencil(0, np.arange(-127, 128), np.full(255, 1 / 255))
    total = np.concatenate([[0], np.cumsum(u)])
    np.testing.assert_allclose(mean(u), (total[255:] - total[:-255]) / 255, atol=1e-14)
    lines = fdx.Stencil(0, np.arange(-127, 128), np.full(255, 1 / 255), boundary="reflect")
    np.testing.assert_allclose(lines(np.stack([u, u], 1))[127:-127, 1], mean(u), rtol=1e-13)


@pytest.mark.parametrize("rows", [5, [-1, 1], "ab", np.ones(3)])
def test_rows_that_are_none(rows):
    with pytest.raises(TypeError, match=r"left: expected a sequence of rows of weights, as \[\["):
        fdx.Stencil(0, [-1, 1], [1, 1], left=rows)


def test_rows_at_one_end_only_have_a_name():
    S = fdx.Stencil(0, [-1, 1], [1, 1], left=[[1, 2]], right=())
    assert S.output_shape(6) == (5,)
    assert eval(repr(S).splitlines()[0], vars(fdx)) == S


@pytest.mark.parametrize(("accuracy", "n"), [(1, 100), (1, 300), (3, 100), (5, 100)])
def test_time_steps_of_upwind_schemes(accuracy, n):
    """With the largest eigenvalue alone, these grow by 10 and more orders of magnitude."""
    boundary = ("zero", "one-sided")
    L = -fdx.Diff(0, 1 / n, accuracy=accuracy, side="left", boundary=boundary)
    dt, u = 2.6 / L.spectral_radius(n), np.random.default_rng(1).normal(size=n)
    for _ in range(1000):
        k1 = L(u)
        k2 = L(u + dt / 2 * k1)
        k3 = L(u + dt / 2 * k2)
        u = u + dt / 6 * (k1 + 2 * k2 + 2 * k3 + L(u + dt * k3))
    assert abs(u).max() < 1


@pytest.mark.parametrize(
    "operator",
    [
        fdx.Diff(0, position="outer") + fdx.Diff(0, position="left"),
        fdx.Diff(0, position="inner").T + fdx.Diff(0, position="left"),
        fdx.Stencil(0, [1], [1.0]).T + fdx.Identity(),
        fdx.Diff(0, boundary="valid").T + fdx.Identity(),
    ],
)
def test_spectral_radius_of_sums_of_different_lengths(operator):
    assert operator.output_shape(9) == (9,)
    got = operator.spectral_radius(9)
    assert got >= spectrum(operator, 9) * (1 - 1e-3)  # some are defective
    assert got <= 3


def test_names_and_pictures(capsys):
    inner, left = fdx.Diff(1, 0.5, position="inner"), fdx.Diff(0, side="left", accuracy=1)
    assert repr(inner) == "Diff(1, 0.5, position='inner')\n    (-f[i-1/2] + f[i+1/2]) / h, h = 0.5"
    assert repr(left) == "Diff(0, accuracy=1, side='left')\n    (-f[i-1] + f[i]) / h, h = 1"
    assert repr(inner.T).splitlines()[1] == "    (f[i-1/2] - f[i+1/2]) / h, h = 0.5"
    mean = fdx.Interp(0, accuracy=4, position="left", boundary="periodic")
    assert repr(mean).splitlines()[0] == (
        "Interp(0, accuracy=4, boundary='periodic', position='left')"
    )
    for operator in (inner, left, mean, fdx.Stencil(0, [0, 1], [2, 3])):
        code = repr(operator).splitlines()[0]
        assert eval(code, vars(fdx)) == operator
        assert type(pickle.loads(pickle.dumps(operator))) is type(operator)
        assert type(operator.T.T) is type(operator)
        assert type(2 * operator) is fdx.Operator
        operator.plot()
    picture = capsys.readouterr().out
    assert "\ni-1/2           -2 " in picture
    assert "\n    i            2 " in picture


REFUSED = [
    (lambda: fdx.Diff(0, side="up"), "side: expected None, 'left' or 'right', got 'up'"),
    (lambda: fdx.Diff(0, side="left"), "accuracy: expected an odd integer .* write accuracy=1 or"),
    (lambda: fdx.Diff(0, accuracy=3), "odd ones are for biased stencils, with side='left'"),
    (lambda: fdx.Diff(0, position="face"), "position: expected one of 'center', 'inner', .*'face'"),
    (
        lambda: fdx.Diff(0, side="left", accuracy=1, position="inner"),
        "side: expected None with position='inner'",
    ),
    (
        lambda: fdx.Diff(0, position="inner", boundary="periodic"),
        "position: expected 'left', 'right' or 'center' with boundary='periodic'",
    ),
    (
        lambda: fdx.Diff(0, 0.5, position="inner", at=[1.0]),
        "at: expected None with a spacing that is a number, got .* pass the coordinates",
    ),
    (
        lambda: fdx.Diff(0, [0, 1, 3], at=[1.0, 2.0]),
        "at: expected None with position='center', .* write position='inner'",
    ),
    (
        lambda: fdx.Diff(0, [0, 1, 3], position="inner", at=[1.0]),
        r"at: expected 2 coordinates with position='inner', .* got an array of shape \(1,\)",
    ),
    (
        lambda: fdx.Interp(0, [0, 1, 3], position="inner", at=[0.5, 4.0]),
        r"at: expected coordinates between .* got 4.0 at \[1\], which is not between 1.0 and 3.0",
    ),
    (
        lambda: fdx.Interp(0, [0, 1, 3], position="inner", at=[0.5, np.nan]),
        r"at: expected finite numbers, got at\[1\] = nan",
    ),
    (
        lambda: fdx.Interp(
            0, [2**60 + 1, 2**60 + 2, 2**60 + 9], position="inner", at=[2**60 + 1, 2**60 + 5]
        ),
        "at: expected None with coordinates that a float64 does not hold",
    ),
    (lambda: fdx.Interp(0, position="center"), r"position: .* write fdx.Identity\(\)"),
    (lambda: fdx.Interp(0, position="inner", accuracy=3), "even integer from 2 on, got 3$"),
    (
        lambda: fdx.Stencil(0, [0, 1], [-1, 1], left=[[1]]),
        r"right: expected rows, or \(\) for none",
    ),
    (lambda: fdx.Stencil(0, [0.5], [1]), "offsets: expected a sequence of different integers, got"),
    (
        lambda: fdx.Stencil(0, [0, 0], [1, 2]),
        "offsets: expected a sequence of different integers, got",
    ),
    (
        lambda: fdx.Stencil(0, [0], [1], position="inner"),
        "offsets: expected a sequence of different halves of odd",
    ),
    (lambda: fdx.Stencil(0, [], []), "offsets: expected a sequence of different integers, got"),
    (lambda: fdx.Stencil(0, [0, 300], [1, 1]), "offsets: expected at most 255 points"),
    (lambda: fdx.Stencil(0, [256], [1]), "none farther than 254 from the result, got"),
    (
        lambda: fdx.Stencil(0, [-1, 1], [1, 1], left=[[1]] * 256, right=()),
        "left: expected at most 255 rows, got 256",
    ),
    (lambda: fdx.Stencil(0, [0, 1], [1]), "weights: expected 2, one for each offset, got 1"),
    (lambda: fdx.Stencil(0, [0], [np.nan]), r"weights: expected finite numbers, got weights\[0\]"),
    (lambda: fdx.Stencil(0, [0], [0]), "weights: expected one that is not 0"),
    (lambda: fdx.Stencil(0, [0], [10**400]), "weights: expected"),
    (
        lambda: fdx.Stencil(0, [-2, 0], [1, 1], left=[[1]], right=[]),
        "left: expected at least 2 rows",
    ),
    (
        lambda: fdx.Stencil(0, [-1, 1], [1, 2], left=[[1]]),
        r"right: expected rows, or \(\) for none",
    ),
    (lambda: fdx.Stencil(0, [-1, 1], [1, 1], left=[[]]), r"left\[0\]: expected 1 to 255 weights"),
    (
        lambda: fdx.Stencil(0, [-1, 1], [1, 1], left=[[1]], boundary="periodic"),
        "left: expected None with boundary='periodic', got 1 rows",
    ),
    (
        lambda: fdx.Stencil(0, [-1, 1], [1, 1], boundary="one-sided"),
        "boundary: expected left=... with rows of weights, or another boundary",
    ),
    (
        lambda: fdx.Stencil(0, [0], [1e-310])([1.0]),
        "weights: expected some that are normal numbers",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("value", ["1", 1j, None, [None], [[1.0]], {"a": 1}])
def test_weights_of_other_types_are_refused(value):
    with pytest.raises((TypeError, ValueError), match="weights: expected"):
        fdx.Stencil(0, [0], value)
