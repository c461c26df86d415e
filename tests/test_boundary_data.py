"""Boundaries with data: fdx.Dirichlet, fdx.Neumann and fdx.Robin."""

import copy
import itertools
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from reference import band_with_data, bases, reach
from scipy.sparse.linalg import spsolve

import fdx

N = 17
UNEVEN = [Fraction(4 * i * (i + 20) + 7 * (-1) ** i, 16) for i in range(N)]
GRIDS = {"spacing": Fraction(3, 8), "rising": UNEVEN, "falling": [-x for x in UNEVEN]}
PLACES = (0, 0.5, 1)
# Signs of Robin's slope with which the condition determines the value, whatever the spacing.
KINDS = {
    "Dirichlet": lambda end, g, at: fdx.Dirichlet(g, outside=at),
    "Neumann": lambda end, g, at: fdx.Neumann(g, outside=at),
    "Robin": lambda end, g, at: fdx.Robin(1.5, (-1, 1)[end] * 0.25, g, outside=at),
}
PAIRS = list(itertools.product(KINDS, KINDS))
NUMBERS = {"Dirichlet": (1, 0), "Neumann": (0, 1), "Robin": (Fraction(3, 2), Fraction(1, 4))}


def numbers_of(kind, end, at, sign=1):
    value, slope = NUMBERS[kind]
    return value, (slope if kind == "Neumann" or end else -slope) * sign, at


def spacing_of(grid):
    return [float(x) for x in grid] if isinstance(grid, list) else float(grid)


def operator(kind, options, boundary, grid):
    if options.get("deriv") == 0:
        options = {key: v for key, v in options.items() if key != "deriv"}
        return fdx.Interp(0, spacing_of(grid), boundary=boundary, **options)
    return fdx.Diff(0, spacing_of(grid), boundary=boundary, **options)


SCHEMES = [
    {"deriv": 1},
    {"deriv": 1, "accuracy": 4},
    {"deriv": 2},
    {"deriv": 2, "accuracy": 4},
    {"deriv": 2, "accuracy": 6},
    {"deriv": 3},
    {"deriv": 1, "accuracy": 1, "side": "left"},
    {"deriv": 1, "accuracy": 3, "side": "right"},
    {"deriv": 1, "position": "outer"},
    {"deriv": 1, "accuracy": 4, "position": "inner"},
    {"deriv": 1, "accuracy": 4, "position": "left"},
    {"deriv": 0, "accuracy": 4, "position": "outer"},
    {"deriv": 0, "position": "right"},
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@pytest.mark.parametrize("name", GRIDS)
def test_rows_are_the_reference_implementations(kind, at, scheme, name):
    grid = GRIDS[name]
    sign = -1 if name == "falling" else 1
    scheme = {"accuracy": 2, **scheme}
    for end in (0, 1):
        condition = KINDS[kind](end, 1.0, at)
        if sign < 0 and kind == "Robin":
            condition = fdx.Robin(1.5, -(-1, 1)[end] * 0.25, 1.0, outside=at)
        pair = [None, None]
        pair[end] = numbers_of(kind, end, Fraction(at), sign if kind == "Robin" else 1)
        boundary = tuple(condition if k == end else "one-sided" for k in (0, 1))
        uniform, place, side = (
            name == "spacing",
            scheme.get("position", "center"),
            scheme.get("side"),
        )
        neighbours = reach(scheme["deriv"], scheme["accuracy"], uniform, place, side)
        results = bases(N, place)
        outside = (neighbours[0] - results[0], results[-1] + neighbours[1] - N + 1)[end]
        if outside + (kind == "Dirichlet" and at == 0) < 1:
            with pytest.raises(ValueError, match="no stencil reaches outside"):
                operator(kind, scheme, boundary, grid)
            continue
        L = operator(kind, scheme, boundary, grid)
        matrix, columns = band_with_data(N, conditions=pair, spacing=grid, **scheme)
        found = L.linear.matrix(N).toarray()
        assert found.shape == (len(matrix), N)
        for row, exact in zip(found, matrix, strict=True):
            wrong = [k for k in range(N) if row[k] != float(exact[k])]
            if sum(exact) == 0:  # the weight that makes the others' rounded sum exactly 0
                assert math.fsum(row) == pytest.approx(0, abs=1e-14 * abs(row).max())
                assert len(wrong) <= 1
            else:
                assert not wrong
            assert row == pytest.approx([float(w) for w in exact], rel=1e-14, abs=1e-14)
        assert L.offset(N).tolist() == [float(w) for w in columns[end]]
        assert any(columns[end])


@pytest.mark.parametrize("kinds", PAIRS)
@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_exact_up_to_the_design_degree_and_not_above(kinds, scheme):
    """In rationals, from the reference implementation that the core's rows equal."""
    scheme = {"accuracy": 2, "position": "center", "side": None, **scheme}
    grid = GRIDS["rising"]
    conditions = [numbers_of(kind, end, Fraction(1, 2)) for end, kind in enumerate(kinds)]
    if scheme["position"] == "inner" and scheme["accuracy"] == 2:
        return
    matrix, columns = band_with_data(N, conditions=conditions, spacing=grid, **scheme)
    degree = scheme["deriv"] + scheme["accuracy"] - 1
    mids = [(a + b) / 2 for a, b in itertools.pairwise(grid)]
    outside = [grid[0] - (grid[1] - grid[0]) / 2, grid[-1] + (grid[-1] - grid[-2]) / 2]
    at = {
        "center": grid,
        "inner": mids,
        "outer": [outside[0], *mids, outside[1]],
        "left": [outside[0], *mids],
        "right": [*mids, outside[1]],
    }[scheme["position"]]

    def power(x, p, m=0):
        return math.perm(p, m) * x ** (p - m) if p >= m else Fraction(0)

    for p in range(degree + 2):
        data = [
            value * power(x, p) + slope * power(x, p, 1)
            for (value, slope, _), x in zip(conditions, outside, strict=True)
        ]
        errors = [
            sum(w * power(x, p) for w, x in zip(row, grid, strict=True))
            + sum(column[k] * g for column, g in zip(columns, data, strict=True))
            - power(at[k], p, scheme["deriv"])
            for k, row in enumerate(matrix)
        ]
        with_data = [e for k, e in enumerate(errors) if columns[0][k] or columns[1][k]]
        if p <= degree:
            assert not any(with_data)
        else:
            # Neumann's rows may be more accurate; a value at its own place is exact.
            assert all(with_data) or "Neumann" in kinds or scheme["deriv"] == 0


# ---- what converges ----


def solution(x, deriv=0):
    """exp(sin(x)), and its derivatives."""
    s, c = np.sin(x), np.cos(x)
    return np.exp(s) * {0: 1, 1: c, 2: c * c - s}[deriv]


def datum(condition, x):
    value, slope = condition
    return value * solution(x) + slope * solution(x, 1)


LEFT, RIGHT = 0.3, 2.9


def grid_and_ends(n, at, uneven):
    """Points whose conditions are at LEFT and RIGHT."""
    if uneven:  # smooth, with even spacings next to the ends
        s = np.linspace(0, 1, n)
        s = s + 0.08 * np.sin(2 * np.pi * s) ** 2 * (1 - np.cos(2 * np.pi * s)) / 2
        first, last = at * (s[1] - s[0]), at * (s[-1] - s[-2])
        return LEFT + (RIGHT - LEFT) * (s + first) / (1 + first + last)
    h = (RIGHT - LEFT) / (n - 1 + 2 * at)
    return LEFT + h * (np.arange(n) + at)


@pytest.mark.parametrize("accuracy", [2, 4, 6])
@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize(
    ("left", "right", "at"),
    [
        ("Dirichlet", "Dirichlet", 0.5),
        ("Dirichlet", "Neumann", 0.5),
        ("Dirichlet", "Robin", 1),
        ("Robin", "Dirichlet", 0.5),
        ("Robin", "Robin", 0),
        ("Neumann", "Robin", 0),
        ("Dirichlet", "Neumann", 1),
    ],
)
def test_poisson_problems_converge_at_the_design_order(left, right, at, accuracy, uneven):
    """u'' = f as a linear system: L.linear.matrix(n) u = f - L.offset(n)."""

    def error(n):
        x = grid_and_ends(n, at, uneven)
        pair = []
        for end, (kind, place) in enumerate(((left, LEFT), (right, RIGHT))):
            value, slope, _ = numbers_of(kind, end, at)
            g = float(value) * solution(place) + float(slope) * solution(place, 1)
            pair.append(KINDS[kind](end, g, at))
        h = x if uneven else x[1] - x[0]
        L = fdx.Diff(0, h, deriv=2, accuracy=accuracy, boundary=tuple(pair))
        u = spsolve(L.linear.matrix(n).tocsc(), solution(x, 2) - L.offset(n))
        return abs(u - solution(x)).max()

    coarse, fine = (20, 40) if accuracy == 6 else (40, 80)
    order = np.log2(error(coarse) / error(fine))
    assert order > accuracy - 0.35


@pytest.mark.parametrize(("accuracy", "at"), [(2, 0.5), (4, 0.5), (2, 1), (4, 1)])
def test_heat_with_data_that_change_in_time(accuracy, at):
    """u' = u'' + f: the data are arrays, to which each stage writes."""

    def error(n):
        x = grid_and_ends(n, at, uneven=False)
        left, right = np.zeros(1), np.zeros(1)
        D2 = fdx.Diff(
            1,
            x[1] - x[0],
            deriv=2,
            accuracy=accuracy,
            boundary=(fdx.Dirichlet(left, outside=at), fdx.Neumann(right, outside=at)),
        )

        def rate(t, u):
            decay = np.exp(-t)
            left[:] = solution(LEFT) * decay
            right[:] = solution(RIGHT, 1) * decay
            return D2(u) - decay * (solution(x) + solution(x, 2))

        u, t = solution(x)[np.newaxis], 0.0
        steps = int(0.3 / (0.25 * (x[1] - x[0]) ** 2))
        dt = 0.3 / steps
        for _ in range(steps):
            k1 = rate(t, u)
            k2 = rate(t + dt / 2, u + dt / 2 * k1)
            k3 = rate(t + dt / 2, u + dt / 2 * k2)
            k4 = rate(t + dt, u + dt * k3)
            u, t = u + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4), t + dt
        return abs(u - solution(x) * np.exp(-t)).max()

    assert np.log2(error(12) / error(24)) > accuracy - 0.35


@pytest.mark.parametrize("kinds", PAIRS)
@pytest.mark.parametrize("accuracy", [2, 4, 6])
@pytest.mark.parametrize("at", PLACES)
def test_second_derivatives_have_no_growing_modes(kinds, accuracy, at):
    if at == 0 and "Dirichlet" in kinds:
        return  # the last point is not used: see Dirichlet's notes
    pair = tuple(KINDS[kind](end, 0.0, at) for end, kind in enumerate(kinds))
    L = fdx.Diff(0, 0.05, deriv=2, accuracy=accuracy, boundary=pair)
    for n in (20, 41):
        found = np.linalg.eigvals(L.matrix(n).toarray())
        assert found.real.max() < 1e-7 * abs(found).max()


@pytest.mark.parametrize(
    ("accuracy", "at"), [(1, 0), (1, 1), (3, 0), (3, 1), (1, 0.5), (3, 0.5), (5, 0.5)]
)
def test_upwind_with_an_inflow_has_no_growing_modes(accuracy, at):
    inflow = fdx.Dirichlet(outside=at), "one-sided"
    D = fdx.Diff(0, accuracy=accuracy, side="left", boundary=inflow)
    for n in (20, 50, 90):
        found = np.linalg.eigvals(-D.matrix(n).toarray())
        assert found.real.max() < 1e-9


# ---- affine operators ----


@pytest.fixture
def random():
    return np.random.default_rng(7)


def repeated(function, u, times=3):
    for _ in range(times):
        u = function(u)
    return u


def operators(random):
    c = random.uniform(1, 2, (9, 7))
    g, k = random.standard_normal(7), random.standard_normal((9, 1))
    DX = fdx.Diff(0, 0.1, accuracy=4, boundary=(fdx.Dirichlet(g), fdx.Neumann(2.0, outside=0.5)))
    DY = fdx.Diff(1, 0.2, deriv=2, boundary=fdx.Robin(1.0, -0.3, k[:, 0], outside=1))
    fluxes = fdx.Diff(
        0,
        0.1,
        position="outer",
        boundary=(fdx.Neumann(g, outside=0.5), fdx.Neumann(1, outside=0.5)),
    )
    inner, valid = fdx.Diff(0, 0.1, position="inner"), fdx.Diff(0, 0.1, boundary="valid")
    c_at_faces = random.uniform(1, 2, (10, 7))
    D, one = fdx.Diff(1, 0.2), fdx.Identity()
    c_inner = random.uniform(1, 2, (8, 7))
    to_points = fdx.Diff(0, 0.1, position="outer", boundary=fdx.Dirichlet(g, outside=1))
    return {
        "one": (DX, lambda u: DX(u)),
        "sum": (DX + 2 * DY - D, lambda u: DX(u) + 2 * DY(u) - D(u)),
        "twice": (DX @ DX, lambda u: DX(DX(u))),
        "one after the other": (DX @ DY, lambda u: DX(DY(u))),
        "the other way round": (DY @ DX, lambda u: DY(DX(u))),
        "with others": (D @ DX @ D, lambda u: D(DX(D(u)))),
        "coefficients": (DX @ (c * DY), lambda u: DX(c * DY(u))),
        "fluxes": (inner @ (c_at_faces * fluxes), lambda u: inner(c_at_faces * fluxes(u))),
        "valid after": (valid @ DX, lambda u: valid(DX(u))),
        "fewer points": (DX + valid, lambda u: DX(u)[1:-1] + valid(u)),
        "after a multiple": (DX @ (-5 * D), lambda u: DX(-5 * D(u))),
        "after a sum": (DX @ (D + 3 * DY), lambda u: DX(D(u) + 3 * DY(u))),
        "a step": (one + 0.001 * DX, lambda u: u + 0.001 * DX(u)),
        "three steps": (
            (one + 0.001 * DY) ** 3,
            lambda u: repeated(lambda v: v + 0.001 * DY(v), u),
        ),
        "steps of both": (
            (one + 0.01 * (DX + DY)) @ (one - 0.01 * DY),
            lambda u: (lambda v: v + 0.01 * (DX(v) + DY(v)))(u - 0.01 * DY(u)),
        ),
        "nothing first": (DX @ (0 * DY), lambda u: DX(0 * DY(u))),
        "from another shape": (
            2 * (to_points @ (c_inner * inner - 2 * inner)),
            lambda u: 2 * to_points(c_inner * inner(u) - 2 * inner(u)),
        ),
        "nested": (
            c * ((D + DX) @ (DY - 2 * one)) @ (one + DX),
            lambda u: c * ((lambda v: D(v) + DX(v))((lambda w: DY(w) - 2 * w)(u + DX(u)))),
        ),
        "data that are removed": (
            fdx.Diff(0, 0.1, boundary=fdx.Dirichlet(g)) + fdx.Diff(0, accuracy=6, boundary="valid"),
            lambda u: (
                fdx.Diff(0, 0.1, boundary=fdx.Dirichlet(g))(u)[3:-3]
                + fdx.Diff(0, accuracy=6, boundary="valid")(u)
            ),
        ),
        "last axis": (
            fdx.Diff(-2, 0.1, boundary=fdx.Dirichlet(g)) @ D,
            lambda u: fdx.Diff(0, 0.1, boundary=fdx.Dirichlet(g))(D(u)),
        ),
    }


NAMES = list(operators(np.random.default_rng(0)))


@pytest.mark.parametrize("name", NAMES)
def test_algebra_of_affine_operators(name, random):
    L, one_by_one = operators(random)[name]
    u = random.standard_normal((9, 7))
    expected = one_by_one(u)
    assert L.output_shape(u.shape) == expected.shape
    size = abs(expected).max()
    assert L(u) == pytest.approx(expected, rel=1e-12, abs=1e-12 * size)
    assert L.linear(u) + L.offset(u.shape) == pytest.approx(expected, rel=1e-12, abs=1e-12 * size)
    assert L(np.zeros(u.shape)) == pytest.approx(L.offset(u.shape), rel=1e-12, abs=1e-11)
    matrix = L.linear.matrix(u.shape)
    found = (matrix @ u.ravel()).reshape(expected.shape) + L.offset(u.shape)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12 * size)
    v = random.standard_normal(expected.shape)
    assert np.vdot(v, L.linear(u)) == pytest.approx(np.vdot(L.linear.T(v), u))


@pytest.mark.parametrize("name", NAMES)
def test_same_bits_for_layouts_workers_and_outputs(name, random):
    L, _ = operators(random)[name]
    u = random.standard_normal((9, 7))
    expected = L(u)
    strided = np.zeros((18, 21))[::-2, ::3]
    strided[...] = u
    swapped = u.astype(u.dtype.newbyteorder())
    out = np.full(expected.shape[::-1], np.nan).T
    for given in (strided, swapped, np.asfortranarray(u), u.tolist()):
        assert L(given).astype(float).tobytes("C") == expected.tobytes("C")
    assert L(u, out=out, workers=2) is out
    assert out.tobytes("C") == expected.tobytes("C")
    if expected.shape == u.shape:
        assert L(u, out=u) is u
        assert u.tobytes() == expected.tobytes()


def test_other_dtypes(random):
    L, _ = operators(random)["sum"]
    u = random.standard_normal((9, 7))
    single = L(u.astype(np.float32))
    assert single.dtype == np.float32
    assert single == pytest.approx(L(u), rel=1e-3, abs=1e-3)
    both = L(u + 1j * u)
    assert both.dtype == np.complex128
    assert (both.real == L(u)).all()
    assert both.imag == pytest.approx(L.linear(u))
    assert L(np.ones((9, 7), int)).dtype == np.float64


def test_data_are_read_when_applied(random):
    g = np.ones(7)
    L = fdx.Diff(0, boundary=fdx.Neumann(g))
    u = random.standard_normal((9, 7))
    assert (L(u)[0] == 1).all()
    g[:] = np.arange(7)
    assert (L(u)[-1] == np.arange(7)).all()
    assert (L.offset(u.shape)[0] == np.arange(7)).all()
    kept = L(u)
    found = L(u, out=u)  # data in the output itself
    assert found.tobytes() == kept.tobytes()
    number = np.array(1.0)
    L = fdx.Diff(0, boundary=fdx.Neumann(number))
    number[...] = 5
    assert L(u[:, 0])[0] == 5
    assert (L(u)[0] == 5).all()
    square = random.standard_normal((7, 7))
    of_itself = fdx.Diff(0, boundary=fdx.Neumann(square[3]))
    expected = of_itself(square.copy())
    assert (of_itself(square, out=square) == expected).all()


def test_data_of_any_real_dtype_that_broadcast():
    u = np.arange(5.0 * 4 * 3).reshape(5, 4, 3)
    expected = fdx.Diff(1, boundary=fdx.Neumann(np.full((5, 3), 2.0)))(u)
    for g in (
        2,
        np.float32(2),
        np.full(3, 2, np.int8),
        np.full((5, 1), 2, np.float32),
        Fraction(2),
    ):
        assert (fdx.Diff(1, boundary=fdx.Neumann(g))(u) == expected).all()
    with pytest.raises(
        ValueError,
        match=r"left end \(Neumann\) that broadcast to \(5, 3\), the array.s shape without axis 1",
    ):
        fdx.Diff(1, boundary=fdx.Neumann(np.ones(4)))(u)
    out = np.full(u.shape, 7.0)
    with pytest.raises(ValueError, match="broadcast to"):
        fdx.Diff(1, boundary=fdx.Neumann(np.ones(4)))(u, out=out)
    assert (out == 7).all()


def test_nan_and_infinity_in_data_stay_near():
    g = np.array([np.nan, 0.0, np.inf])
    u = np.zeros((50, 3))
    D = fdx.Diff(0) @ fdx.Diff(0, boundary=(fdx.Dirichlet(g), "one-sided"))
    with np.errstate(invalid="ignore"):
        r = D(u)
    assert np.isnan(r[0, 0])
    assert not np.isfinite(r[0, 2])
    assert (r[:, 1] == 0).all()
    assert (r[8:] == 0).all()


def test_coefficients_are_read_when_applied():
    c, g = np.ones((6, 3)), np.ones(3)
    for datum in (5.0, g):
        A = fdx.Diff(0, boundary=fdx.Dirichlet(datum, outside=1))
        for L in (c * A, fdx.Diff(0) @ (c * A), fdx.Diff(1) @ (c * A)):
            c[:] = 1
            L(np.zeros((6, 3)))
            c[:] = np.arange(18.0).reshape(6, 3)
            again = pickle.loads(pickle.dumps(L))
            assert (L(np.zeros((6, 3))) == again(np.zeros((6, 3)))).all()
            assert (L.offset((6, 3)) == again.offset((6, 3))).all()


def test_floating_point_errors_come_after_the_results():
    D = fdx.Diff(0, boundary=(fdx.Dirichlet(10.0, outside=1), fdx.Neumann(3.0)))
    u = np.zeros((9, 2))
    u[4:, 1], u[6:, 1] = 1e308, -1e308
    with np.errstate(all="ignore"):
        expected = D(u)
    for given in (u, u.tolist()):
        out = np.zeros((9, 2))
        with np.errstate(all="raise"), pytest.raises(FloatingPointError):
            D(given, out=out)
        assert (out == expected).all()
    huge = fdx.Diff(0, boundary=(fdx.Dirichlet(1e308), fdx.Neumann(3.0)))
    u = np.full(9, -1e308)
    with np.errstate(all="ignore"):
        expected = huge(u)
    out = np.zeros(9)
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        huge(u, out=out)
    assert out.tobytes() == expected.tobytes()


def test_infinite_data_between_rows_without_weights():
    A = fdx.Diff(0, boundary=(fdx.Dirichlet(np.array([np.inf]), outside=1), "one-sided"))
    r = (fdx.Stencil(0, [-3, 0], [1, 1], boundary="zero") @ A)(np.zeros(9))
    assert np.flatnonzero(~np.isfinite(r)).tolist() == [0, 3]


def test_as_values(random):
    g = random.standard_normal(7)
    for L in (
        fdx.Diff(0, 0.5, boundary=(fdx.Dirichlet(2), fdx.Neumann(-1.5, outside=0.5))),
        fdx.Diff(0, 0.5, boundary=fdx.Robin(1, 2, 3, outside=1), accuracy=4),
        fdx.Interp(0, position="outer", boundary=fdx.Dirichlet(1)),
    ):
        again = pickle.loads(pickle.dumps(L))
        assert again == L
        assert hash(again) == hash(L)
        assert type(again) is type(L)
        assert eval(repr(L).split("\n")[0], vars(fdx)) == L
        assert L.linear != L
        assert L.linear.linear == L.linear
    L = fdx.Diff(0, boundary=fdx.Dirichlet(g))
    assert fdx.Diff(0, boundary=fdx.Dirichlet(g)) == L
    assert fdx.Diff(0, boundary=fdx.Dirichlet(g.copy())) != L
    assert L.linear == fdx.Diff(0, boundary=fdx.Dirichlet(0))
    assert fdx.Diff(0, boundary=fdx.Dirichlet(-0.0)).T == fdx.Diff(0, boundary=fdx.Dirichlet()).T
    u = random.standard_normal((9, 7))
    h, c = copy.deepcopy((g, fdx.Dirichlet(g)))
    h[:] = 7
    assert (
        fdx.Diff(0, boundary=c).offset((9, 7))
        == fdx.Diff(0, boundary=fdx.Dirichlet(7)).offset((9, 7))
    ).all()
    for other in (copy.copy(L), copy.deepcopy(L), pickle.loads(pickle.dumps(L))):
        assert other(u).tobytes() == L(u).tobytes()
    assert "<7 array>" in repr(L)
    assert 2 * L != L
    assert 2 * L == L + L
    assert fdx.Robin(1, 0, 2) == fdx.Dirichlet(2)
    assert fdx.Neumann(1) != fdx.Dirichlet(1)
    assert fdx.Neumann(1) != 1
    assert (L**2).linear == fdx.Diff(0, deriv=2, boundary=fdx.Dirichlet(0))


def test_symbols_are_those_of_the_interior():
    L = fdx.Diff(0, 0.1, accuracy=4, boundary=fdx.Dirichlet(3))
    assert L.symbol(1.0) == fdx.Diff(0, 0.1, accuracy=4).symbol(1.0)


def test_functions_with_data():
    f = np.linspace(0, 1, 20).reshape(5, 4) ** 2
    walls = fdx.Neumann(0.5), fdx.Dirichlet(2.0, outside=0.5)
    expected = fdx.Diff(0, 0.5, deriv=2, boundary=walls)(f)
    assert (fdx.derivative(f, 0.5, axis=0, deriv=2, boundary=walls) == expected).all()
    assert (fdx.derivative(f, boundary=walls[0])[:, 0] == 0.5).all()
    for call in (fdx.laplacian, fdx.jacobian, fdx.hessian):
        with pytest.raises(ValueError, match=r"conditions with data are for fdx\.derivative"):
            call(f, boundary=fdx.Dirichlet(1))
    for kind in (
        fdx.Filter,
        lambda axis, boundary: fdx.Stencil(axis, [-1, 1], [-1, 1], boundary=boundary),
    ):
        with pytest.raises(ValueError, match="conditions with data are for"):
            kind(0, boundary=fdx.Dirichlet(1))


@pytest.mark.parametrize("name", ["T", "matrix", "as_linear_operator", "spectral_radius"])
def test_what_is_only_for_linear_operators(name):
    L = fdx.Diff(0, boundary=fdx.Dirichlet(1.0))
    with pytest.raises(
        ValueError, match=rf"{name}: expected an operator without data.*L\.linear\.{name}"
    ):
        getattr(L, name)(5)


@pytest.mark.parametrize(
    ("make", "kind", "match"),
    [
        (
            lambda: fdx.Diff(0, accuracy=100, boundary=fdx.Dirichlet(1)),
            ValueError,
            "at most 64 points",
        ),
        (lambda: fdx.Diff(0, boundary=fdx.Dirichlet(1)) ** 70, ValueError, "at most 64 points"),
        (lambda: fdx.Diff(0, boundary=(fdx.Dirichlet(1), np.array(["a"]))), ValueError, "boundary"),
        (lambda: fdx.Dirichlet(np.nan), ValueError, "value: expected a finite number, got nan"),
        (lambda: fdx.Neumann(np.inf), ValueError, "slope: expected a finite number"),
        (lambda: fdx.Dirichlet(1j), TypeError, "value: expected real numbers"),
        (lambda: fdx.Dirichlet("1"), TypeError, "value: expected real numbers"),
        (lambda: fdx.Dirichlet(np.ma.masked_less([1.0, 2.0], 2)), TypeError, "value"),
        (lambda: fdx.Robin(np.ones(2), 1), TypeError, r"a: expected a real number, got an array"),
        (lambda: fdx.Robin(0, 0, 1), ValueError, "a, b: expected one that is not 0"),
        (lambda: fdx.Dirichlet(1, outside=2), ValueError, r"outside: expected 0 .* got 2"),
        (lambda: fdx.Dirichlet(1, outside="half"), TypeError, "outside"),
        (
            lambda: fdx.Diff(0, position="inner", boundary=fdx.Neumann(1)),
            ValueError,
            r"boundary: expected 'one-sided' at the left end.*no effect, got Neumann\(1\.0\)",
        ),
        (
            lambda: fdx.Diff(0, accuracy=1, side="left", boundary=("one-sided", fdx.Neumann(1))),
            ValueError,
            "at the right end, where no stencil reaches outside",
        ),
        (
            lambda: fdx.Diff(0, boundary=(fdx.Dirichlet(1), "periodic")),
            ValueError,
            "expected 'periodic' on both sides or on neither",
        ),
        (
            lambda: fdx.Diff(0, boundary=("sbp", fdx.Dirichlet(1))),
            ValueError,
            "expected 'sbp' on both sides or on neither",
        ),
        (lambda: fdx.Diff(0, boundary=(fdx.Dirichlet(1), "wall")), ValueError, "got 'wall'"),
        (
            lambda: fdx.Diff(0, boundary=[fdx.Dirichlet(1)] * 2),
            ValueError,
            r"got a list; write \(Dirichlet\(1\.0\), Dirichlet\(1\.0\)\)",
        ),
        (lambda: fdx.Diff(0, boundary=fdx.Dirichlet), TypeError, r"write fdx\.Dirichlet\(\.\.\.\)"),
        (lambda: fdx.Diff(0, boundary=(fdx.Dirichlet(1),) * 3), ValueError, "got 3 in"),
        (
            lambda: fdx.laplacian(np.ones((5, 5)), boundary=(fdx.Dirichlet(1), fdx.Neumann(1))),
            ValueError,
            "apply an operator",
        ),
        (
            lambda: fdx.Diff(0, boundary=fdx.Dirichlet(1))(np.ones(2)),
            ValueError,
            r"axis 0: expected at least 5 points .* boundary=Dirichlet",
        ),
        (
            lambda: fdx.Diff(0, boundary=fdx.Robin(8, 3, 1, outside=0.5))(np.ones(9)),
            ValueError,
            r"boundary: expected a condition that determines the value at its place, got Robin",
        ),
    ],
)
def test_errors(make, kind, match):
    with pytest.raises(kind, match=match):
        make()
