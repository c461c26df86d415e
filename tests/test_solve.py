"""``A.solve(b)`` against exact rationals, SciPy's banded solver, and dense matrices."""

import itertools
import re
from fractions import Fraction

import numpy as np
import pytest
from compact import solved
from scipy.linalg import lapack, solve_banded

import fdx

D, ONE = fdx.Diff, fdx.Identity()
SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 33, 64, 65, 130]


def operators():
    """Functions of an axis, by name."""
    walls = fdx.Dirichlet(0.0, outside=1), fdx.Neumann(0.0, outside=0.5)
    return {
        "heat": lambda k: ONE - 0.5 * D(k, deriv=2, boundary="symmetric"),
        "heat, periodic": lambda k: ONE - 0.5 * D(k, deriv=2, boundary="periodic"),
        "heat, one-sided": lambda k: ONE - 0.01 * D(k, deriv=2),
        "accuracy 6": lambda k: ONE - 0.5 * D(k, deriv=2, accuracy=6, boundary="reflect"),
        "accuracy 8, periodic": lambda k: (
            ONE - 0.5 * D(k, deriv=2, accuracy=8, boundary="periodic")
        ),
        "advection": lambda k: ONE + 3 * D(k, boundary="periodic"),
        "steep advection": lambda k: ONE + 30 * D(k, accuracy=4, boundary="periodic"),
        "Poisson": lambda k: D(k, 0.3, deriv=2, boundary=walls).linear,
        "biharmonic": lambda k: ONE + D(k, deriv=4, boundary="reflect"),
        "product": lambda k: 0.1 * ONE - D(k) @ D(k),
        "transposed": lambda k: (ONE - 0.3 * D(k, accuracy=4, boundary="sbp")).T,
        "upwind": lambda k: ONE + 0.7 * D(k, accuracy=3, side="left", boundary="zero"),
        "identity": lambda k: -4 * ONE + 0 * D(k),
        "shift": lambda k: fdx.Stencil(k, [1], [2.0], boundary="periodic"),
        "interpolation": lambda k: fdx.Interp(k, position="left", boundary="periodic"),
        "pivot of 0": lambda k: fdx.Stencil(
            k, [-1, 0, 1], [1 / 3, 1, 1 / 3], left=[[1, 3]], right=[[3, 1]]
        ),
        "from one end to the other": lambda k: fdx.Stencil(
            k, [-1, 0, 1], [-1, 2.5, -1], left=[[1, 1, 1, 1, 1, 9]], right=[[9, 2, 1, 1, 1, 3]]
        ),
    }


# Diffusion between closed walls, which adds nothing to a constant: elimination ends with a pivot
# that is far larger than the last row's rounding.
CLOSED = D(0, 1 / 200, position="inner").T @ (
    np.where(np.arange(199) < 196, 1e4 / 3, 1 / 3) * D(0, 1 / 200, position="inner")
)
OPERATORS = operators()
each = pytest.mark.parametrize("name", OPERATORS)


def dense(A, n):
    """The matrix, or None if the axis is too short or the matrix is singular."""
    try:
        M = A.matrix(n).toarray()
    except ValueError:
        return None
    return M if np.linalg.cond(M) < 1e12 else None


def exactly(M, b):
    """The solution in rationals, rounded."""
    rows = [[Fraction(v) for v in row] for row in M]
    return np.array([float(v) for v in solved(rows, [Fraction(v) for v in b])])


@each
def test_rationals(name):
    rng = np.random.default_rng(1)
    A, checked = OPERATORS[name](0), 0
    for n in SIZES[:11]:
        M = dense(A, n)
        if M is None:
            continue
        b, checked = rng.normal(size=n), checked + 1
        want, got = exactly(M, b), A.solve(b)
        bound = 4 * np.linalg.cond(M, np.inf) * np.finfo(float).eps
        assert abs(got - want).max() <= bound * abs(want).max()
        # as exact as the matrix says, also where that is nearly singular
        residual = abs(M @ got - b) / (abs(M) @ abs(got) + abs(b))
        assert residual.max() < 64 * np.finfo(float).eps
    assert checked >= 3


@each
@pytest.mark.parametrize("dtype", ["f8", "f4", "c16", "c8", "i2", ">f8"])
def test_dense(name, dtype):
    rng = np.random.default_rng(2)
    single = dtype in ("f4", "c8")
    for n, (before, after) in itertools.product(SIZES[1:], [((), ()), ((3,), ()), ((2,), (3, 5))]):
        A = OPERATORS[name](len(before))
        M = dense(OPERATORS[name](0), n)
        if M is None:
            continue
        b = (rng.normal(size=(*before, n, *after)) * 9).astype(dtype)
        if b.dtype.kind == "c":
            b += (1j * rng.normal(size=b.shape)).astype(dtype)
        got = A.solve(b)
        assert got.dtype == (b.dtype if b.dtype.kind in "fc" else np.float64)
        wide = b.astype("c16" if b.dtype.kind == "c" else "f8")
        lines = np.moveaxis(wide, len(before), 0).reshape(n, -1)
        want = np.linalg.solve(M, lines)
        got = np.moveaxis(got, len(before), 0).reshape(n, -1)
        bound = np.linalg.cond(M) * (3e-6 if single else 3e-15)
        assert abs(got - want).max() <= bound * abs(want).max() + 1e-300


@pytest.mark.parametrize(("lower", "upper"), [(1, 1), (2, 1), (0, 2), (2, 2), (3, 5), (9, 9)])
@pytest.mark.parametrize("dominant", [True, False])
def test_random_bands(lower, upper, dominant):
    """Against SciPy. The matrix is the sum of stencils with random coefficients."""
    rng = np.random.default_rng([lower, upper])
    for n in (12, 40, 333):
        offsets = range(-lower, upper + 1)
        columns = {o: rng.normal(size=n) for o in offsets}
        if dominant:
            columns[0] = sum(abs(columns[o]) for o in offsets) + 0.1
        A = sum(
            columns[o] * fdx.Stencil(0, [o], [1.0], boundary="zero") if o else columns[o] * ONE
            for o in offsets
        )
        M = sum(np.diag(columns[o][max(-o, 0) : n - max(o, 0)], o) for o in offsets)
        assert (A.matrix(n).toarray() == M).all()
        band = np.zeros((lower + upper + 1, n))
        for i, j in itertools.product(range(n), offsets):
            if 0 <= i + j < n:
                band[upper - j, i + j] = M[i, i + j]
        for b in rng.normal(size=(3, n)):
            bound = 1e-14 * np.linalg.cond(M)
            want = solve_banded((lower, upper), band, b)
            assert abs(A.solve(b) - want).max() <= bound * abs(want).max()
            want = np.linalg.solve(M.T, b)
            assert abs(A.T.solve(b) - want).max() <= bound * abs(want).max()


def test_a_pivot_that_is_0_in_a_regular_matrix():
    """Elimination without exchanges divides by 1 - 3 / 3."""
    A = OPERATORS["pivot of 0"](0)
    for n in (4, 6, 30):  # of 5 points it is singular
        M = A.matrix(n).toarray()
        x = np.arange(n) - 2.0
        np.testing.assert_allclose(A.solve(M @ x), x, rtol=0, atol=1e-13 * np.linalg.cond(M))


def test_regular_matrices_that_have_small_pivots():
    n = 1000
    last = np.eye(2) + np.fliplr(np.eye(2)) + np.diag([0, 1e-10])
    A = fdx.Stencil(0, [-1, 0, 1], [0, 1, 0], right=last, left=[[1.0], [0, 1.0]])
    M = A.matrix(n).toarray()
    assert (M[-2:, -2:] == last).all()
    x = np.cos(np.arange(n))
    assert abs(A.solve(M @ x) - x)[:-2].max() < 1e-15
    assert abs(A.solve(M @ x) - x).max() < 1e-5
    scales = 10.0 ** np.random.default_rng(3).uniform(-100, 100, n)  # of rows
    A = scales * OPERATORS["heat"](0)
    want = OPERATORS["heat"](0).solve(x)
    assert abs(A.solve(scales * x) - want).max() < 1e-14


def test_single_precision():
    """What is solved in single precision is right to some digits; what would not be is refused."""
    rng = np.random.default_rng(0)
    grow = 10 ** rng.uniform(-1.5, 1.5, 299)
    inner = D(0, position="inner")
    for n, A in [
        *((n, ONE - c * D(0, deriv=2, boundary="symmetric")) for n in (50, 999) for c in (1, 1e6)),
        (1000, ONE - D(0, 1e-3, deriv=2, boundary="symmetric")),
        (2000, D(0, deriv=2, boundary="zero")),
        (100, D(0, deriv=4, boundary="zero")),
        (300, inner.T @ (grow * inner) + 1e-3 * ONE),
    ]:
        for b in rng.normal(size=n), np.cos(np.pi * np.arange(n)), np.arange(n) == n // 2:
            b = b.astype("f4")
            want = A.solve(b.astype(float))
            assert abs(A.solve(b) - want).max() < 0.01 * abs(want).max()
    A = ONE - 1e8 * D(0, deriv=2, boundary="periodic")
    A.solve(np.ones(50))
    with pytest.raises(ValueError, match="b: expected double precision"):
        A.solve(np.ones(50, "f4"))


def test_singular_matrices_are_numpy_s_errors():
    tiny = 5e-324 * np.ones(9) * D(0, deriv=2, boundary="periodic")
    with np.errstate(all="raise"), pytest.raises(np.linalg.LinAlgError, match="singular"):
        tiny.solve(np.ones(9))
    growing = ONE + (-2 * np.ones(1200)) * fdx.Stencil(0, [-1], [1.0], boundary="zero")
    with pytest.raises(np.linalg.LinAlgError, match="solutions overflow"):
        growing.solve(np.ones(1200))
    with pytest.raises(np.linalg.LinAlgError, match="singular"):
        D(0, boundary="periodic").solve(np.ones(9))


def test_nearly_singular_matrices():
    """With eigenvalues down to the rounding: as small a residual, or an error."""
    for exponent in range(2, 18):
        shift = 10.0**-exponent
        A = shift * ONE - D(0, deriv=2, boundary="symmetric")
        b = np.sin(np.arange(50.0))
        if exponent > 15:
            with pytest.raises(ValueError, match="singular up to rounding"):
                A.solve(b)
            continue
        try:
            x = A.solve(b)
        except ValueError:
            assert exponent > 12
            continue
        M = A.matrix(50).toarray()
        assert abs(M @ x - b).max() <= 1e-14 * abs(M).sum(1).max() * abs(x).max()


@each
def test_layouts_give_the_same_bits(name):
    rng = np.random.default_rng(3)
    for n, rest in itertools.product([5, 33, 130], [(), (1,), (4,), (70,), (3, 41)]):
        A = OPERATORS[name](0)
        if dense(A, n) is None:
            continue
        b = rng.normal(size=(n, *rest))
        want = A.solve(b)
        assert A.solve(b.copy("F")).tobytes() == want.tobytes()
        for axis in range(1, b.ndim):
            moved = np.ascontiguousarray(np.moveaxis(b, 0, axis))
            got = np.moveaxis(OPERATORS[name](axis).solve(moved), axis, 0)
            assert got.tobytes() == want.tobytes()
        strided = np.zeros((2 * n, *rest))[::-2]
        strided[...] = b
        assert A.solve(strided).tobytes() == want.tobytes()
        assert A.solve(b.astype(">f8")).tobytes() == want.astype(">f8").tobytes()
        one_by_one = [A.solve(line) for line in b.reshape(n, -1).T]
        assert np.array(one_by_one).T.reshape(b.shape).tobytes() == want.tobytes()
        assert A.solve(b + 0j).real.copy().tobytes() == want.tobytes()
        got = b.copy()
        assert A.solve(got, out=got) is got
        assert got.tobytes() == want.tobytes()
        out = np.full((3 * n, *rest), np.nan)[1::3]
        A.solve(b, out=out)
        assert out.tobytes() == want.tobytes()
        overlapping = np.zeros((n + 1, *rest))
        overlapping[1:] = b
        A.solve(overlapping[1:], out=overlapping[:-1])
        assert overlapping[:-1].tobytes() == want.tobytes()


@pytest.mark.parametrize("workers", [2, 3, 7])
def test_workers_give_the_same_bits(workers, jobs):
    rng = np.random.default_rng(4)
    for shape, axis in [((40, 300), 0), ((300, 40), 1), ((9, 33, 8), 1), ((5000,), 0)]:
        A, b = OPERATORS["heat, periodic"](axis), rng.normal(size=shape)
        want = A.solve(b, workers=1)
        jobs.clear()
        assert A.solve(b, workers=workers).tobytes() == want.tobytes()
        assert [job.workers for job in jobs] == [workers]


@pytest.mark.parametrize(("alpha", "beta"), [(0.5, 0), (-2.0, 1), (1, -1), (0.3, 0.7)])
@pytest.mark.parametrize("axis", [0, 1])
def test_alpha_and_beta(alpha, beta, axis):
    rng = np.random.default_rng(5)
    b, y = rng.normal(size=(2, 40, 50))
    A = OPERATORS["heat"](axis)
    x = A.solve(b)
    want = alpha * x if beta == 0 else alpha * x + beta * y
    for order in "CF":
        out = y.copy(order)
        A.solve(b, out=out, alpha=alpha, beta=beta)
        assert (out == want).all()
    single = y.astype("f4")
    A.solve(b.astype("f4"), out=single, alpha=alpha, beta=beta)
    np.testing.assert_allclose(single, want, rtol=2e-4, atol=2e-5)


def test_data_of_boundaries_go_to_the_right_hand_side():
    walls = fdx.Dirichlet(np.array([1.0, 2.0, 3.0])), fdx.Neumann(-0.5)
    for accuracy in (2, 4):
        L = ONE - 0.2 * D(0, 0.1, deriv=2, accuracy=accuracy, boundary=walls)
        b = np.random.default_rng(6).normal(size=(20, 3))
        kept = b.copy()
        x = L.solve(b)
        np.testing.assert_allclose(L(x), b, rtol=0, atol=1e-11)
        assert (b == kept).all()


def test_coefficients_are_read_again():
    c = np.linspace(1, 2, 30)
    A = ONE - c * D(0, deriv=2, boundary="symmetric")
    b = 1 + np.arange(30.0)
    np.testing.assert_allclose(A(A.solve(b)), b, atol=1e-11)
    c *= 3
    np.testing.assert_allclose(A(A.solve(b)), b, atol=1e-11)
    before = A.solve(b)
    c /= 3
    assert not np.allclose(A.solve(b), before)
    b = np.ones((30, 4)) + b[:, np.newaxis]
    A = ONE - c[:, np.newaxis] * D(0, deriv=2, boundary="symmetric")
    np.testing.assert_allclose(A(A.solve(b)), b, atol=1e-11)
    faces = np.linspace(1, 2, 29)
    inner = D(0, position="inner")
    A = ONE + inner.T @ (faces[:, np.newaxis] * inner)
    np.testing.assert_allclose(A(A.solve(b)), b, atol=1e-11)


def test_special_values_stay_in_their_line():
    A = OPERATORS["heat"](0)
    b = np.ones((20, 3))
    b[4, 1] = np.nan
    x = A.solve(b)
    assert np.isnan(x[:, 1]).all()
    assert (x[:, [0, 2]] == A.solve(np.ones((20, 2)))).all()
    with pytest.warns(RuntimeWarning, match="invalid value encountered in solve"):
        A.solve(np.array([1.0, np.inf, -np.inf, 1.0]))
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        (1e-3 * ONE).solve(np.full(4, 1e308))


@pytest.mark.parametrize("shape", [(0,), (0, 4), (4, 0), (4, 0, 3)])
def test_nothing_to_solve(shape):
    axis = shape.index(4) if 4 in shape else 0
    A = OPERATORS["heat"](axis)
    if shape[axis] == 0:
        with pytest.raises(ValueError, match="axis"):
            A.solve(np.zeros(shape))
    else:
        assert A.solve(np.zeros(shape)).shape == shape


@pytest.mark.parametrize(
    ("A", "b", "says"),
    [
        (D(0, deriv=2, boundary="symmetric"), np.ones(5), "at point 4 the pivot is 0, in a row"),
        (D(0, deriv=2, boundary="periodic"), np.ones(5), "add a multiple of fdx.Identity()"),
        (D(0), np.ones(5), "singular up to rounding"),
        (D(0, deriv=2, boundary=fdx.Dirichlet(1.0)), np.ones(5), "depends on point 0: if fdx.Diri"),
        (0 * ONE, np.ones(5), "at point 0 the pivot is 0, in a row of size 0"),
        (CLOSED, np.ones(200), "rounding errors grow"),
        (D(0, deriv=4), np.ones(100000), "singular up to rounding"),
        (D(0, deriv=4, boundary="zero"), np.ones(100000), "rounding errors grow"),
        (ONE + D(0) + D(1), np.ones((5, 5)), "along axes 0, 1; solve along one axis after the"),
        (D(0, boundary="valid"), np.ones(5), "boundary=fdx.Dirichlet(values, outside=1)"),
        (D(0, position="inner"), np.ones(5), "as many results as points"),
        (np.ones((5, 5)) * D(0), np.ones((5, 5)), "vary along the operator's axis only, 0"),
        (np.ones((5, 1)) * D(0), np.ones(5), "of shape (n,), got one of shape (5, 1)"),
        (np.ones(5) * D(0), np.ones((5, 3)), "shape (5,); write c.reshape(-1, 1)"),
        (D(0, boundary=fdx.Dirichlet(1.0)) + D(1), np.ones((5, 5)), "(b - A.offset(b.shape))"),
        (np.nan * np.ones(5) * ONE, np.ones(5), "NaN or infinity"),
        (ONE + 1e-50 * D(0), np.ones(5, "f4"), None),
        (1e-45 * (3 * ONE - D(0, deriv=2)), np.ones(5, "f4"), "pass b.astype(float)"),
        (ONE + D(0), np.float64(3), "at least one dimension"),
    ],
)  # fmt: skip
def test_refusals(A, b, says):
    out = np.full(np.shape(b), 7, getattr(b, "dtype", float))
    before = out.copy()
    if says is None:
        A.solve(b, out=out)
        return
    with pytest.raises(ValueError, match=re.escape(says)):
        A.solve(b, out=out)
    assert (out == before).all()


def test_outputs_are_checked():
    A, b = OPERATORS["heat"](0), np.ones((5, 3))
    with pytest.raises(ValueError, match=r"out: expected shape \(5, 3\), got \(3, 5\)"):
        A.solve(b, out=np.empty((3, 5)))
    with pytest.raises(TypeError, match="out: expected dtype float64, got float32"):
        A.solve(b, out=np.empty((5, 3), "f4"))
    with pytest.raises(ValueError, match="out: expected the array that beta"):
        A.solve(b, beta=1.0)
    with pytest.raises(TypeError, match="b: expected"):
        A.solve(np.ma.masked_array([1.0, 2.0], mask=[True, False]))
    with pytest.raises(np.exceptions.AxisError):
        OPERATORS["heat"](1).solve(np.ones(5))


def test_alternating_directions():
    """Peaceman and Rachford: of second order in time, against the exact solution."""
    n = 48
    x = (np.arange(n) + 0.5) * np.pi / n
    mode = np.cos(x)[:, np.newaxis] * np.cos(2 * x)
    h = np.pi / n
    decay = sum(4 / h**2 * np.sin(m * h / 2) ** 2 for m in (1, 2))  # of the grid's Laplacian
    errors = []
    for steps in (10, 20, 40):
        half = 0.5 * 0.5 / steps
        along = [half * D(k, h, deriv=2, boundary="symmetric") for k in range(2)]
        explicit, implicit = [ONE + L for L in along], [ONE - L for L in along]
        u = mode.copy()
        for _ in range(steps):
            u = implicit[0].solve(explicit[1](u))
            u = implicit[1].solve(explicit[0](u))
        errors.append(abs(u - np.exp(-0.5 * decay) * mode).max())
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert (abs(orders - 2) < 0.05).all()


def test_schroedinger():
    """Crank-Nicolson for ``i u' = -u'' + x**2 u`` by real solves: it keeps the norm, and is of
    second order in time, against the packet that swings without spreading (Schroedinger 1926)."""

    def exact(t):
        along = x - 2 * np.cos(2 * t)
        return np.exp(-(along**2) / 2 - 1j * (t + 2 * x * np.sin(2 * t) - np.sin(4 * t)))

    n, end = 256, 1.5
    h = 16 / n
    x = h * (np.arange(n) + 0.5) - 8
    H = x**2 * ONE - D(0, h, deriv=2, accuracy=6, boundary="zero")
    errors = []
    for steps in (100, 200, 400):
        dt = end / steps
        K = ONE + (dt / 2) ** 2 * (H @ H)
        u = exact(0.0)
        for _ in range(steps):
            w = K.solve(u)
            u = 2 * w - 1j * dt * H(w) - u
        assert abs(np.linalg.norm(u) / np.linalg.norm(exact(0.0)) - 1) < 1e-11
        errors.append(abs(u - exact(end)).max())
    assert errors[-1] < 1.1e-3
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert (abs(orders - 2) < 0.05).all()


@pytest.mark.parametrize("boundary", ["symmetric", "reflect", "periodic"])
@pytest.mark.parametrize("accuracy", [2, 4, 6])
def test_one_value_of_closed_walls_is_given(boundary, accuracy):
    """An equation is replaced, which follows from the others."""
    n = 90
    h = np.pi / n
    L = D(1, h, deriv=2, accuracy=accuracy, boundary=boundary)
    b = np.random.default_rng(8).normal(size=(4, n))
    weights = np.ones(n)
    weights[[0, -1]] = 0.5 if boundary == "reflect" else 1.0  # walls are at points or half outside
    b -= np.average(b, axis=1, weights=weights)[:, np.newaxis]
    with pytest.raises(np.linalg.LinAlgError, match="It does not determine a constant"):
        L.solve(b)
    free = np.ones((1, n))
    free[:, 0] = 0
    u = (free * L + (1 - free) * ONE).solve(free * b)
    assert not u[:, 0].any()
    M = D(0, h, deriv=2, accuracy=accuracy, boundary=boundary).matrix(n).toarray()
    want = np.linalg.lstsq(M, b.T)[0].T
    want -= want[:, :1]
    np.testing.assert_allclose(u, want, rtol=0, atol=1e-11 * abs(want).max())
    np.testing.assert_allclose(L(u), b, rtol=0, atol=1e-9)


@pytest.mark.parametrize("accuracy", [2, 4, 6])
def test_slopes_that_are_given_determine_no_value(accuracy):
    """As before; the transpose has the weights of the equations in the one that follows."""
    n = 60
    x = (np.arange(n) + 0.5) / n
    walls = fdx.Neumann(0.5, outside=0.5), fdx.Neumann(-0.7, outside=0.5)
    L = D(0, 1 / n, deriv=2, accuracy=accuracy, boundary=walls)
    free = np.ones(n)
    free[0] = 0
    fixed = free * L + (1 - free) * ONE
    w = (free * L.linear.T + (1 - free) * ONE).solve(1 - free)
    M = L.linear.matrix(n).toarray()
    assert abs(w @ M).max() < 1e-12 * abs(M).max()
    b = L(np.cos(3 * x)) + 9.0
    b -= w @ (b - L.offset(n)) / w.sum()
    u = fixed.solve(free * b)
    assert u[0] == 0
    assert abs(L(u) - b).max() < 1e-10
    assert abs(u - np.cos(3 * x) + np.cos(3 * x[0])).max() < 1e-12


def test_exchanges_are_those_of_a_stable_solver():
    """The growth of LAPACK's solver with partial pivoting, not that of elimination without."""
    rng = np.random.default_rng(7)
    for _ in range(20):
        n = 60
        small = 1e-12 * rng.normal(size=n)  # on the diagonal
        A = small * ONE + fdx.Stencil(0, [-1, 1], [1.0, 2.0], boundary="zero")
        M = A.matrix(n).toarray()
        b = rng.normal(size=n)
        x = A.solve(b)
        *_, reference, _ = lapack.dgesv(M, b)
        ours, theirs = (abs(M @ v - b).max() / abs(v).max() for v in (x, reference))
        assert ours <= 8 * theirs + 1e-15
