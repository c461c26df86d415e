"""Compact schemes: weights, orders and spectra; results by rationals and dense matrices."""

import copy
import pickle
import re
from fractions import Fraction
from pathlib import Path

import compact
import numpy as np
import pytest

import fdx

EACH = [(deriv, accuracy) for deriv in (1, 2) for accuracy in (4, 6, 8, 10)]
each = pytest.mark.parametrize(("deriv", "accuracy"), EACH)


def test_table_is_the_derived_one(pytestconfig):
    table = pytestconfig.rootpath / "csrc" / "fdx_compact.inc"
    if not table.exists():
        table = Path(__file__).parents[1] / "csrc" / "fdx_compact.inc"
    assert table.read_text() == compact.table()


# S. K. Lele, J. Comput. Phys. 103 (1992): alpha, beta, a, b, c of equations 2.1 and 2.2, whose
# explicit weights are a / 2, b / 4, c / 6 and a, b / 4, c / 9.
F = Fraction
PUBLISHED = {
    (1, 4): (F(1, 4), 0, F(3, 2), 0, 0),
    (1, 6): (F(1, 3), 0, F(14, 9), F(1, 9), 0),
    (1, 8): (F(3, 8), 0, F(25, 16), F(1, 5), -F(1, 80)),
    (1, 10): (F(1, 2), F(1, 20), F(17, 12), F(101, 150), F(1, 100)),
    (2, 4): (F(1, 10), 0, F(6, 5), 0, 0),
    (2, 6): (F(2, 11), 0, F(12, 11), F(3, 11), 0),
    (2, 8): (F(9, 38), 0, F(147, 152), F(51, 95), -F(23, 760)),
    (2, 10): (F(334, 899), F(43, 1798), F(1065, 1798), F(1038, 899), F(79, 1798)),
}


@each
def test_published_coefficients(deriv, accuracy):
    alpha, beta, *explicit = PUBLISHED[deriv, accuracy]
    row = compact.centred(deriv, accuracy)
    assert [row.implicit.get(k, 0) for k in (1, 2)] == [alpha, beta]
    divisors = (2, 4, 6) if deriv == 1 else (1, 4, 9)
    assert [row.explicit.get(k, 0) for k in (1, 2, 3)] == [
        v / d for v, d in zip(explicit, divisors, strict=True)
    ]
    first = compact.closure(deriv, accuracy)[0]
    assert first.implicit[1] == (2 if deriv == 1 else 11)


@each
def test_rows_are_exact_up_to_their_degree_and_not_above(deriv, accuracy):
    for row, order in [
        (compact.centred(deriv, accuracy), accuracy),
        *zip(compact.closure(deriv, accuracy), (3, 4, 6), strict=False),
    ]:
        for degree in range(order + deriv + 1):
            left = sum(w * compact.of_monomial(deriv, degree, o) for o, w in row.implicit.items())
            right = sum(w * F(o) ** degree for o, w in row.explicit.items())
            assert (left == right) == (degree < order + deriv)


@each
@pytest.mark.parametrize("n", [12, 13, 40, 200])
@pytest.mark.parametrize("boundary", ["one-sided", "periodic"])
def test_dense_solves(deriv, accuracy, n, boundary):
    """Matrices from the derived rows, solved by LAPACK."""
    h = 0.3
    A, B = np.zeros((2, n, n))
    inside, first = compact.centred(deriv, accuracy), compact.closure(deriv, accuracy)
    for i in range(n):
        row = inside
        if boundary == "one-sided":
            rows = dict(enumerate(first))
            rows |= {n - len(first) + k: r for k, r in enumerate(compact.mirrored(deriv, first))}
            row = rows.get(i, inside)
        for matrix, weights in zip((A, B), row, strict=True):
            for o, w in weights.items():
                matrix[i, (i + o) % n] += float(w)
    u = np.random.default_rng(8).normal(size=(n, 6))
    want = np.linalg.solve(A, B @ u) / h**deriv
    D = fdx.Compact(0, h, deriv=deriv, accuracy=accuracy, boundary=boundary)
    assert abs(D(u) - want).max() <= 1e-13 * abs(want).max()
    v = np.random.default_rng(9).normal(size=(n, 6))
    assert np.isclose((D(u) * v).sum(), (u * D.T(v)).sum(), rtol=1e-12)
    transposed = B.T @ np.linalg.solve(A.T, v) / h**deriv
    assert abs(D.T(v) - transposed).max() <= 1e-13 * abs(transposed).max()


def places(boundary, n):
    """Points from 0 to pi, a function that goes with the boundary, and its derivatives."""
    if boundary == "periodic":
        h = 2 * np.pi / n
        x = np.arange(n) * h
    elif boundary in ("symmetric", "antisymmetric"):
        h = np.pi / n
        x = (np.arange(n) + 0.5) * h
    else:
        h = np.pi / (n - 1)
        x = np.arange(n) * h
    if boundary == "one-sided":
        return h, np.exp(x / 3), np.exp(x / 3) / 3, np.exp(x / 3) / 9
    if boundary in ("reflect-odd", "antisymmetric"):
        return h, np.sin(x), np.cos(x), -np.sin(x)
    return h, np.cos(x), -np.sin(x), -np.cos(x)


@each
@pytest.mark.parametrize(
    "boundary",
    ["one-sided", "periodic", "reflect", "symmetric", "reflect-odd", "antisymmetric"],
)
def test_orders(deriv, accuracy, boundary):
    errors = []
    sizes = (16, 32) if accuracy > 6 or boundary != "one-sided" else (40, 80)
    for n in sizes:
        h, f, *derivatives = places(boundary, n)
        D = fdx.Compact(0, h, deriv=deriv, accuracy=accuracy, boundary=boundary)
        errors.append(abs(D(f) - derivatives[deriv - 1]).max())
    want = 3 if boundary == "one-sided" else accuracy
    rounding = 1e-14 / h**deriv
    assert errors[1] < max(errors[0] / 2 ** (want - 0.4), rounding)


@pytest.mark.parametrize("accuracy", [4, 6, 8, 10])
@pytest.mark.parametrize("n", [20, 60, 120, 200])
def test_advection_with_an_inflow_is_stable(accuracy, n):
    """The value at the inflow is given: no eigenvalue grows."""
    M = fdx.Compact(0, accuracy=accuracy)(np.eye(n))
    assert np.linalg.eigvals(-M[1:, 1:]).real.max() < 0


@pytest.mark.parametrize("accuracy", [6, 8])
def test_closures_of_higher_order_are_not(accuracy):
    """Why the one at the end has order 3: with 4, and other rows as they are, modes grow."""
    n = 60
    A = fdx.Compact(0, accuracy=accuracy).implicit.matrix(n).toarray()
    B = fdx.Compact(0, accuracy=accuracy).explicit.matrix(n).toarray()
    last = compact.row(1, (0, 1), range(4))
    for end, step in ((0, 1), (n - 1, -1)):
        A[end], B[end] = 0, 0
        for offset, weight in last.implicit.items():
            A[end, end + step * offset] = float(weight)
        for offset, weight in last.explicit.items():
            B[end, end + step * offset] = step * float(weight)
    assert np.linalg.eigvals(-np.linalg.solve(A, B)[1:, 1:]).real.max() > 1e-3


def test_points_of_a_wave(pytestconfig):
    """The table of docs/steps.md: how many a wave needs for an error of 1 %, 0.1 %, 0.01 %."""

    def points(row, error):
        theta = np.linspace(1e-3, np.pi, 100_000)
        above, below = (
            sum(float(w) * np.exp(1j * o * theta) for o, w in side.items())
            for side in (row.explicit, row.implicit)
        )
        wrong = abs(above.imag / below.real / theta - 1) > error
        return 2 * np.pi / theta[wrong.argmax()]

    page = (pytestconfig.rootpath / "docs" / "steps.md").read_text()
    for accuracy in (4, 6, 8, 10):
        said = re.search(rf"^\| {accuracy} \|(( [\d.]+ \|){{4}})", page, re.MULTILINE)[1]
        explicit = compact.row(1, (0,), range(-accuracy // 2, accuracy // 2 + 1))
        ours = compact.centred(1, accuracy)
        want = [*(points(ours, error) for error in (1e-2, 1e-3, 1e-4)), points(explicit, 1e-3)]
        assert np.allclose([float(v) for v in said.split("|")[:4]], want, atol=0.1, rtol=0.03)


@pytest.mark.parametrize("accuracy", [4, 6, 8, 10])
def test_second_derivatives_decay(accuracy):
    """With values of 0 given at both ends, and with mirrors."""
    M = fdx.Compact(0, deriv=2, accuracy=accuracy)(np.eye(80))
    assert np.linalg.eigvals(M[1:-1, 1:-1]).real.max() < 0
    for boundary in ("periodic", "reflect", "symmetric", "antisymmetric"):
        M = fdx.Compact(0, deriv=2, accuracy=accuracy, boundary=boundary)(np.eye(80))
        assert np.linalg.eigvals(M).real.max() < 1e-12


@each
def test_symbols(deriv, accuracy):
    for h in (0.5, -0.5):
        check_symbol(h, 40, fdx.Compact(0, h, deriv=deriv, accuracy=accuracy, boundary="periodic"))


def check_symbol(h, n, D):
    for m in (0, 1, 5, 13):
        k = 2 * np.pi * m / (n * h)
        wave = np.exp(1j * k * h * np.arange(n))
        assert np.allclose(D(wave), D.symbol(k) * wave, rtol=1e-12, atol=1e-12)
        assert np.allclose(D.T(wave), D.T.symbol(k) * wave, rtol=1e-12, atol=1e-12)
    assert np.isclose(
        D.spectral_radius((n,)), abs(D.symbol(2 * np.pi * np.arange(n) / (n * h))).max()
    )


@each
def test_constants_give_0(deriv, accuracy):
    for boundary in ("one-sided", "periodic", "symmetric"):
        D = fdx.Compact(0, 0.1, deriv=deriv, accuracy=accuracy, boundary=boundary)
        assert not D(np.full((30, 3), 1 / 3)).any()


def test_two_steps():
    D = fdx.Compact(1, 0.25, accuracy=8, boundary="periodic")
    u = np.random.default_rng(10).normal(size=(5, 20))
    assert (D.implicit.solve(D.explicit(u)) == D(u)).all()
    y = np.ones_like(u)
    assert D(u, out=y, alpha=2.0, beta=3.0) is y
    assert (y == 2 * D(u) + 3.0).all()
    assert D(u, out=u) is u


def test_implicit_steps():
    """Crank-Nicolson with the two sides, against the full matrix of the derivative."""
    n, dt = 40, 0.7
    u = np.random.default_rng(11).normal(size=(n, 3))
    for accuracy in (4, 6, 8, 10):
        for boundary in ("one-sided", "periodic", "reflect", "antisymmetric"):
            D = fdx.Compact(0, deriv=2, accuracy=accuracy, boundary=boundary)
            half = 0.5 * dt * D(np.eye(n))
            want = np.linalg.solve(np.eye(n) - half, u + half @ u)
            step = D.implicit - 0.5 * dt * D.explicit
            got = step.solve(D.implicit(u), out=u.copy(), alpha=2, beta=-1)
            np.testing.assert_allclose(got, want, rtol=0, atol=1e-13 * abs(want).max())


@each
def test_multiples(deriv, accuracy):
    D = fdx.Compact(0, 0.3, deriv=deriv, accuracy=accuracy)
    u = np.random.default_rng(12).normal(size=(20, 3))
    for M, number in [
        (-D, -1.0),
        (+D, 1.0),
        (0.1 * D, 0.1),
        (D * np.float32(-0.5), -0.5),
        (D / 3, 1 / 3),
        (np.array(2) * D.T.T, 2.0),
        (0 * D, 0.0),
    ]:
        want = number * D(u)
        np.testing.assert_allclose(M(u), want, rtol=0, atol=1e-14 * abs(D(u)).max())
        np.testing.assert_allclose(M.T(u), number * D.T(u), atol=1e-14 * abs(D.T(u)).max())
        assert (M.implicit.solve(M.explicit(u)) == M(u)).all()
        assert np.isclose(M.symbol(2.0), number * D.symbol(2.0))
        assert np.isclose(M.spectral_radius(20), abs(number) * D.spectral_radius(20))
        assert pickle.loads(pickle.dumps(M.T)) == M.T
        assert eval(repr(M.T), {"Compact": fdx.Compact}) == M.T
        assert (M == D) == (number == 1)
    assert ((-D)(u) == -D(u)).all()
    one, other = 3 * (0.1 * D), (3 * 0.1) * D  # equal ones have the same bits
    assert one == other
    assert len({one, other, D}) == 2
    assert (one(u) == other(u)).all()
    assert repr(one) == f"{3 * 0.1!r} * {D!r}"
    assert repr(-D.T) == f"-{D!r}.T"


C, L, U = fdx.Compact(0), fdx.Diff(0), np.ones(9)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: C + C, TypeError, "sum of a compact derivative and fdx.Compact: .* beta=1"),
        (lambda: C - L, TypeError, "sum of a compact derivative and .*: .* D.explicit for sys"),
        (lambda: L + C, TypeError, "sum of a compact derivative and "),
        (lambda: U - C, TypeError, "sum of a compact derivative and numpy.ndarray"),
        (lambda: C @ L, TypeError, r"product of a compact derivative and .* D\(L\(u\)\)"),
        (lambda: C @ U, TypeError, r"product of a compact derivative and .* write D\(u\)"),
        (lambda: L @ C, TypeError, r"write operator\(array\) to apply it"),
        (lambda: C**2, TypeError, "power of a compact derivative: write fdx.Compact with deriv=2"),
        (lambda: U * C, TypeError, r"expected a number; write array \* D\(u\)"),
        (lambda: C / U, TypeError, r"expected a number; write D\(u\) / array"),
        (lambda: 1j * C, TypeError, "coefficients: expected real numbers"),
        (lambda: np.nan * C, ValueError, "coefficients: expected a finite number"),
        (lambda: 1e200 * (1e200 * C), ValueError, "coefficients: expected finite"),
        (lambda: C / 0, ZeroDivisionError, "compact derivative / 0"),
        (lambda: C.matrix(9), AttributeError, r"no attribute 'matrix'; .* D.implicit.matrix\("),
        (lambda: C.inverse, AttributeError, "no attribute 'inverse'$"),
    ],
)
def test_algebra_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_values():
    D = fdx.Compact(0, 0.5, deriv=2, accuracy=8, boundary=("one-sided", "symmetric"))
    E = fdx.Compact(
        0, np.arange(10) * 0.5, deriv=2, accuracy=8, boundary=("one-sided", "symmetric")
    )
    assert (E(np.arange(10.0)) == D(np.arange(10.0))).all()
    assert E != D
    assert pickle.loads(pickle.dumps(E.T)) == E.T
    assert repr(E).startswith("Compact(0, <10 coordinates>, deriv=2, accuracy=8, boundary=(")
    with pytest.raises(ValueError, match="spacing: expected 11 coordinates for axis 0, got 10"):
        E(np.arange(11.0))
    assert len({D, copy.copy(D), copy.deepcopy(D), D.T.T, D.T}) == 2
    assert pickle.loads(pickle.dumps(D.T)) == D.T
    assert (D == 3) is False
    assert eval(repr(D), {"Compact": fdx.Compact}) == D
    assert repr(fdx.Compact(0).T) == "Compact(0).T"
    u = np.arange(10.0)
    assert (D.as_linear_operator(10) @ u == D(u)).all()
    assert np.isclose(D(np.array([u, u]).T).sum(), 2 * D(u).sum())


def test_period():
    x = np.linspace(0, 1, 10, endpoint=False)
    D = fdx.Compact(0, x, boundary="periodic", period=1.0)
    u = np.sin(x)
    assert (fdx.Compact(0, 0.1, boundary="periodic")(u) == D(u)).all()
    E = fdx.Compact(0, 0.1, boundary="periodic", period=1.0)
    assert repr(E) == "Compact(0, 0.1, boundary='periodic', period=1.0)"
    assert (E(u) == D(u)).all()
    with pytest.raises(ValueError, match=r"period: expected 9 points times a spacing of 0.1"):
        E(u[:9])
    with pytest.raises(ValueError, match="period: expected None with boundary='one-sided'"):
        fdx.Compact(0, x, period=1.0)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (dict(deriv=3), ValueError, "deriv: expected 1 or 2, got 3"),
        (dict(deriv=0), ValueError, "deriv: expected 1 or 2, got 0"),
        (dict(accuracy=5), ValueError, "accuracy: expected 4, 6, 8 or 10, got 5"),
        (dict(accuracy=2), ValueError, "accuracy: expected 4, 6, 8 or 10, got 2"),
        (dict(accuracy=12), ValueError, "accuracy: expected 4, 6, 8 or 10, got 12"),
        (dict(accuracy="6"), TypeError, "accuracy: expected 4, 6, 8 or 10"),
        (dict(boundary="sbp"), ValueError, "for a compact scheme, got 'sbp'"),
        (dict(boundary="valid"), ValueError, "for a compact scheme, got 'valid'"),
        (dict(spacing=[0.0, 1.0, 3.0]), ValueError, "evenly spaced coordinates"),
        (dict(spacing=0.0), ValueError, "spacing"),
        (dict(spacing=1e-200, deriv=2), ValueError, "spacing: expected one for which the weights"),
        (dict(spacing=1e200, deriv=2), ValueError, "spacing: expected one for which the weights"),
        (dict(axis=1.0), TypeError, "axis: expected an integer"),
    ],
)
def test_refusals(arguments, error, says):
    with pytest.raises(error, match=says):
        fdx.Compact(**({"axis": 0} | arguments))


@each
def test_short_axes(deriv, accuracy):
    D = fdx.Compact(-1, deriv=deriv, accuracy=accuracy)
    fewest = 6 if accuracy > 6 else 3 + deriv
    for n in range(1, fewest):
        with pytest.raises(ValueError, match=rf"axis -1: expected at least {fewest} points"):
            D(np.arange(n) * 2.0)
    for n in range(fewest, 14):
        assert np.allclose(D(np.arange(n) ** deriv), deriv)
    for boundary in ("periodic", "reflect", "symmetric", ("one-sided", "symmetric")):
        D = fdx.Compact(0, deriv=deriv, accuracy=accuracy, boundary=boundary)
        for n in range(1, 8):
            try:
                assert not D(np.ones(n)).any()
            except ValueError as error:
                assert str(error).startswith("axis 0: expected at least")  # noqa: PT017
