"""Summation by parts: the tables against their derivation, and what they are for."""

import copy
import math
import pickle
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sbp

import fdx

ACCURACIES = (2, 4, 6, 8)
each = pytest.mark.parametrize("accuracy", ACCURACIES)


def derivative(accuracy, h=1.0, deriv=1):
    return fdx.Diff(0, h, deriv=deriv, accuracy=accuracy, boundary="sbp")


def least_points(accuracy):
    return {2: 3, 4: 8, 6: 12, 8: 16}[accuracy]


def test_derivation_is_exact():
    """In rationals: H D + D^T H, a symmetric and semidefinite A, degrees, published values."""
    sbp.check()


def test_tables_are_the_derived_ones(pytestconfig):
    table = pytestconfig.rootpath / "csrc" / "fdx_sbp.inc"
    if not table.exists():
        table = Path(__file__).parents[1] / "csrc" / "fdx_sbp.inc"
    assert table.read_text() == sbp.c_tables()


@each
@pytest.mark.parametrize("deriv", [1, 2])
@pytest.mark.parametrize("h", [1.0, 0.5, -0.3, 1e-150])
def test_weights(accuracy, deriv, h):
    """Each is the exact one, rounded; but the row's own, which is minus the sum of the others."""
    n = least_points(accuracy) + 3
    exact = sbp.matrix(deriv, accuracy // 2, n, object) / Fraction(h) ** deriv
    got = derivative(accuracy, h, deriv).matrix(n).toarray()
    for i in range(n):
        own = min(max(i, 0), n - 1)
        for j in range(n):
            if j == own:
                assert math.isclose(got[i, j], exact[i, j], rel_tol=1e-13, abs_tol=1e-13 / abs(h))
            else:
                assert got[i, j] == float(exact[i, j])


@each
def test_norm(accuracy):
    n = least_points(accuracy) + 5
    exact = sbp.ends(accuracy // 2, n, object)[0]
    for deriv in (1, 2):
        for h in (1.0, 0.1, -0.1):
            got = derivative(accuracy, h, deriv).norm(n)
            assert got.tolist() == [float(v * Fraction(abs(h))) for v in exact]


@each
def test_summation_by_parts(accuracy):
    """In doubles: up to rounding; and for integers, whose sums are exact with accuracy 2."""
    n = 40
    D = derivative(accuracy, 0.1)
    H = np.diag(D.norm(n))
    B = H @ D.matrix(n).toarray()
    B += B.T
    want = np.zeros((n, n))
    want[0, 0], want[-1, -1] = -1, 1
    assert abs(B - want).max() < 4e-16


@each
def test_second_derivative_is_semidefinite(accuracy):
    n = 50
    D2 = derivative(accuracy, 1.0, 2)
    A = -D2.norm(n)[:, None] * D2.matrix(n).toarray()
    S = sbp.ends(accuracy // 2, n)[1]
    A[0] += S[0]
    A[-1] += S[1]
    assert abs(A - A.T).max() < 1e-14
    assert np.linalg.eigvalsh((A + A.T) / 2).min() > -1e-13


@each
def test_integral(accuracy):
    """The norm integrates as accurately as the derivative differentiates."""
    errors = []
    for n in (41, 81):
        x = np.linspace(0.3, 2.0, n)
        norm = derivative(accuracy, x[1] - x[0]).norm(n)
        errors.append(abs(norm @ np.cos(x) - (math.sin(2.0) - math.sin(0.3))))
    assert errors[1] < 1e-14 or math.log2(errors[0] / errors[1]) > accuracy - 0.3


def with_inflow(D, n):
    """-D with a penalty at the first point."""
    L = -D.matrix(n).toarray()
    L[0, 0] -= 1 / D.norm(n)[0]
    return L


@each
def test_spectra_of_advection(accuracy):
    """No eigenvalue to the right of 0, at any number of points up to 200."""
    least = least_points(accuracy)
    for n in [*range(least, least + 20), 60, 100, 150, 200]:
        values = np.linalg.eigvals(with_inflow(derivative(accuracy), n))
        assert values.real.max() < 1e-9


def test_one_sided_closures_are_not_stable():
    """What the closures are for: with those of "one-sided" there are growing modes."""
    n = 120
    for accuracy, growth in ((4, 1e-3), (6, 0.1), (8, 0.3)):
        D = fdx.Diff(0, accuracy=accuracy).matrix(n).toarray()
        assert np.linalg.eigvals(-D[1:, 1:]).real.max() > growth


def run(D, n, end, fraction):
    """u_t = -u_x on [0, 1] with u(0, t) = sin(-10 t), by Runge and Kutta's method; the largest
    error at the end."""
    x = np.linspace(0, 1, n)
    norm = D.norm(n)
    steps = math.ceil(end * D.spectral_radius(n) / (2.8 * fraction))
    dt = end / steps

    def slope(u, t):
        du = -D(u)
        du[0] -= (u[0] - math.sin(-10 * t)) / norm[0]
        return du

    u = np.sin(10 * x)
    for k in range(steps):
        t = k * dt
        k1 = slope(u, t)
        k2 = slope(u + dt / 2 * k1, t + dt / 2)
        k3 = slope(u + dt / 2 * k2, t + dt / 2)
        k4 = slope(u + dt * k3, t + dt)
        u = u + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return abs(u - np.sin(10 * (x - end))).max()


@each
def test_a_long_run(accuracy):
    """To t = 20, and of the order that half of the accuracy and one more give."""
    errors = [run(derivative(accuracy, 1 / (n - 1)), n, 20.0, 0.1) for n in (41, 81)]
    assert errors[1] < {2: 0.03, 4: 6e-4, 6: 3e-4, 8: 5e-5}[accuracy]
    assert math.log2(errors[0] / errors[1]) > accuracy / 2 + 0.6
    # Long steps cost accuracy, as values at the boundary change within a step, but not stability.
    assert run(derivative(accuracy, 1 / 60), 61, 20.0, 0.9) < 0.1


@each
def test_heat_with_injected_values(accuracy):
    """Poisson's equation with values given at both ends: rows and columns there are left out."""
    errors = []
    for n in (33, 65):
        x = np.linspace(0, 1, n)
        L = derivative(accuracy, x[1] - x[0], 2).matrix(n).toarray()
        values = np.linalg.eigvals(L[1:-1, 1:-1])
        assert values.real.max() < 0
        assert abs(values.imag).max() < 1e-6 * abs(values).max()
        u = np.cos(5 * x)
        right = -25 * u[1:-1] - L[1:-1, [0, -1]] @ u[[0, -1]]
        errors.append(abs(np.linalg.solve(L[1:-1, 1:-1], right) - u[1:-1]).max())
    assert math.log2(errors[0] / errors[1]) > accuracy / 2 + 0.8


@each
def test_dissipation(accuracy):
    n, m = 40, accuracy // 2 + 1
    D = derivative(accuracy, 0.1)
    R = D.dissipation()
    exact = sbp.matrix(0, accuracy // 2, n)
    got = R.matrix(n).toarray()
    assert abs(got - exact).max() < 2e-16
    HR = D.norm(n)[:, None] * got
    assert abs(HR - HR.T).max() < 1e-17
    assert np.linalg.eigvalsh(HR).max() < 1e-16
    x = np.arange(float(n))
    for degree in range(m):
        assert abs(R(x**degree)).max() <= 1e-13 * n**degree
    assert (R(np.ones(n)) == 0).all()
    assert abs(R(x**m)).max() > 0.01
    theta = np.linspace(0.1, 3.1, 7)
    assert np.allclose(R.symbol(theta), -(np.sin(theta / 2) ** (2 * m)), rtol=0, atol=1e-15)
    last = fdx.Diff(-1, accuracy=accuracy, boundary="sbp").dissipation()
    u = np.sin(x)
    assert (last(np.stack([u, u])) == R(u)).all()


def test_symbol_of_stencils_beside_derivatives():
    """They have no spacing of their own: they are on the derivatives' points."""
    h, n = 0.1, 40
    P = fdx.Diff(0, h, accuracy=4, boundary="periodic")
    F = fdx.Filter(0, 4, boundary="periodic")
    k = 2 * np.pi / (n * h) * 10
    wave = np.exp(1j * k * h * np.arange(n))
    for L in (0.5 * (F - fdx.Identity()) - P, F @ P, P @ F):
        assert abs(L.symbol(k) - (L(wave) / wave)[5]) < 1e-12
    assert F.symbol(np.pi) == 0
    D = derivative(4, h)
    assert abs((-D + 0.1 / h * D.dissipation()).symbol(np.pi / h) + 1) < 1e-12


@each
@pytest.mark.parametrize("deriv", [1, 2])
def test_as_an_operator(accuracy, deriv):
    """Constants, transposes, sums, copies, workers and layouts as of any other."""
    D = derivative(accuracy, 0.25, deriv)
    n = 50
    rng = np.random.default_rng(accuracy)
    u = rng.normal(size=(n, 7))
    assert (D(np.full((n, 3), 0.1)) == 0).all()
    M = D.matrix(n).toarray()
    assert (D.T.matrix(n).toarray() == M.T).all()
    assert np.allclose(D(u), M @ u, rtol=1e-13, atol=1e-13 * abs(M).max())
    assert (D(np.asfortranarray(u)) == D(u)).all()
    assert (D(u, workers=2) == D(u)).all()
    for other in (copy.deepcopy(D), pickle.loads(pickle.dumps(D)), 1.0 * D):
        assert other == D
        assert hash(other) == hash(D)
    assert fdx.Diff(0, 0.25, deriv=deriv, accuracy=accuracy) != D
    text = repr(D).partition("\n")[0]
    assert eval(text, {"Diff": fdx.Diff}) == D
    both = D + fdx.Diff(1, 0.5)
    assert np.allclose(both(u), M @ u + fdx.Diff(1, 0.5)(u), rtol=1e-12, atol=1e-12)
    assert (
        fdx.derivative(u, 0.25, axis=0, deriv=deriv, accuracy=accuracy, boundary="sbp") == D(u)
    ).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"deriv": 3}, "deriv: expected 1 or 2 with boundary='sbp', got 3"),
        ({"accuracy": 10}, "accuracy: expected 2, 4, 6 or 8 with boundary='sbp', got 10"),
        ({"accuracy": 3, "side": "left"}, "side: expected None with boundary='sbp'"),
        ({"position": "inner"}, "position: expected 'center' with boundary='sbp', got 'inner'"),
        ({"spacing": [0.0, 1.0, 2.0]}, "spacing: expected a number with boundary='sbp'"),
        ({"boundary": ("sbp", "valid")}, "expected 'sbp' on both sides or on neither"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        fdx.Diff(0, **{"boundary": "sbp", **options})


def test_other_errors():
    D = derivative(4)
    with pytest.raises(ValueError, match="at least 8 points"):
        D(np.zeros(7))
    with pytest.raises(ValueError, match="at least 8 points"):
        D.norm(7)
    with pytest.raises(TypeError, match="n: expected a number of points"):
        D.norm(8.0)
    with pytest.raises(ValueError, match="fits the address space"):
        D.norm(10**30)
    with pytest.raises(ValueError, match="no finite weights"):
        derivative(4, 1.7e308).norm(20)
    for method in (fdx.Diff(0).dissipation, lambda: fdx.Diff(0).norm(9)):
        with pytest.raises(
            ValueError, match=r"expected a derivative with boundary='sbp'.*Diff\(0\)$"
        ):
            method()
    with pytest.raises(ValueError, match="deriv: expected 1 or 2"):
        D**3
    for wrong in (
        lambda: fdx.Interp(0, position="inner", boundary="sbp"),
        lambda: fdx.Stencil(0, [0, 1], [-1.0, 1.0], boundary="sbp"),
    ):
        with pytest.raises(ValueError, match=r"'sbp' is for fdx\.Diff"):
            wrong()
