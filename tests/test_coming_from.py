"""Statements of docs/from/ and docs/accuracy.md about other libraries and fdx are true."""

import itertools
from typing import get_args

import numpy as np
import pytest

import fdx
from fdx._common.types import Boundary

DY, DX, H = 0.25, 0.5, 0.1
INSIDE = np.s_[1:-1, 1:-1]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def differ_at(a, b):
    """The indices at which two one-dimensional arrays differ by more than rounding."""
    return np.nonzero(abs(a - b) > 1e-9)[0].tolist()


# --- NumPy --------------------------------------------------------------------------------------


def test_numpy(rng):
    f, (u, v) = rng.random(30), rng.random((2, 20, 30))
    (u_y, u_x), (v_y, v_x) = np.gradient(u, DY, DX), np.gradient(v, DY, DX)
    curl = fdx.curl([u, v], DX, DY, axis=(1, 0))
    divergence = fdx.divergence([u, v], DX, DY, axis=(1, 0))
    close(curl[INSIDE], (v_x - u_y)[INSIDE])
    close(divergence[INSIDE], (u_x + v_y)[INSIDE])
    exact = [np.gradient(a, d, axis=i, edge_order=2) for a, d, i in ((v, DX, 1), (u, DY, 0))]
    close(curl, exact[0] - exact[1])

    padded = np.gradient(np.pad(f, 1, "wrap"), H)[1:-1]
    close(fdx.derivative(f, H, boundary="periodic"), padded)

    x = H * np.arange(30)
    assert abs(np.gradient(np.gradient(x**2, H), H) - 2)[[0, 1, -2, -1]].min() > 0.4
    close(fdx.derivative(x**2, H, deriv=2), 2)


# --- findiff ------------------------------------------------------------------------------------


def test_findiff_operators(rng):
    findiff = pytest.importorskip("findiff")
    Theirs, Ours = findiff.Diff, fdx.Diff
    f, g, c = rng.random(20), rng.random((8, 9)), rng.random((8, 9))
    x = np.cumsum(rng.uniform(1, 2, 20))
    D, d = Ours(0, H), Theirs(0, H)

    close(d(f), D(f))
    close(Theirs(0, x, acc=4)(f), Ours(0, x, accuracy=4)(f))
    periodic = Theirs(0, H, acc=4, periodic=True)
    close(periodic(f), Ours(0, H, accuracy=4, boundary="periodic")(f))
    close((d**2)(f), (D**2)(f))
    close((d * d)(f), (D**2)(f))
    assert differ_at((d * d)(f), (D @ D)(f))
    close((Theirs(0, DY) * Theirs(1, DX))(g), (Ours(0, DY) @ Ours(1, DX))(g))
    with pytest.raises(TypeError, match="write A @ B"):
        D * D
    close((d * c * d)(g), (D @ (c * D))(g))
    close((d + 2)(f), (D + 2 * fdx.Identity())(f))
    with pytest.raises(TypeError, match="Identity"):
        D + 2
    close(d.matrix((8, 9)).toarray(), D.matrix((8, 9)).toarray())


@pytest.mark.filterwarnings("ignore:FinDiff is deprecated")
def test_findiff_functions(rng):
    findiff = pytest.importorskip("findiff")
    f, g, v = rng.random(20), rng.random((8, 9)), rng.random((3, 6, 7, 8))
    close(findiff.FinDiff(0, H, 2)(f), fdx.Diff(0, H, deriv=2)(f))
    offsets = [-1, 0, 1, 3]
    found = findiff.coefficients(deriv=2, offsets=offsets)["coefficients"]
    close(found, fdx.weights(offsets, deriv=2))
    close(findiff.Laplacian(h=[DY, DX])(g), fdx.laplacian(g, DY, DX))
    close(findiff.Gradient(h=[DY, DX])(g), fdx.jacobian([g], DY, DX)[0])
    close(findiff.Divergence(h=[H, DY, DX])(v), fdx.divergence(v, H, DY, DX))
    close(findiff.Curl(h=[H, DY, DX])(v), fdx.curl(v, H, DY, DX))


def test_findiff_differs(rng):
    findiff = pytest.importorskip("findiff")
    f = np.sin(np.linspace(0.0, 1.0, 12))
    for accuracy, at in ((2, []), (4, [1, 10]), (6, [1, 2, 9, 10])):
        theirs = findiff.Diff(0, H, acc=accuracy)
        assert differ_at(theirs(f), fdx.derivative(f, H, accuracy=accuracy)) == at
        if accuracy > 2:
            with pytest.raises((ValueError, IndexError)):
                theirs(f[: accuracy + 1])
        least = fdx.derivative(f[: accuracy + 1], H, accuracy=accuracy)
        assert len(least) == accuracy + 1
        with pytest.raises(ValueError, match=f"at least {accuracy + 1} points"):
            fdx.derivative(f[:accuracy], H, accuracy=accuracy)
    constant = np.full(20, 1 / 3)
    assert findiff.Diff(0, H, acc=6)(constant).any()
    assert not fdx.derivative(constant, H, accuracy=6).any()


def test_findiff_compact(rng):
    findiff = pytest.importorskip("findiff", minversion="0.15")
    f = rng.random(40)
    for accuracy, left in ((4, 3), (6, 3), (8, 3), (10, 5)):
        theirs = findiff.Diff(0, H, acc=accuracy, compact=left, periodic=True)
        for deriv in (1, 2):
            ours = fdx.Compact(0, H, deriv=deriv, accuracy=accuracy, boundary="periodic")
            close((theirs**deriv)(f), ours(f))
    walled = findiff.Diff(0, H, acc=6, compact=3)
    matrix = np.array([walled(column) for column in np.eye(40)]).T
    assert np.linalg.eigvals(-matrix[1:, 1:]).real.max() > 0.1 / H


# --- MATLAB: what its documentation defines -----------------------------------------------------


def second_differences(f, h, axis):
    """del2's along one axis: the edges are extrapolated linearly from those inside."""
    f = np.moveaxis(f, axis, 0)
    inside = (f[2:] - 2 * f[1:-1] + f[:-2]) / h**2
    first, last = 2 * inside[0] - inside[1], 2 * inside[-1] - inside[-2]
    return np.moveaxis(np.concatenate([[first], inside, [last]]), 0, axis)


def del2(f, *spacing):
    """Spacings in the order x, y, z, ..., x belonging to the second dimension."""
    hx, hy, *others = spacing
    along = enumerate((hy, hx, *others))
    return sum(second_differences(f, h, axis) for axis, h in along) / (2 * f.ndim)


def test_matlab(rng):
    f, g = rng.random((6, 7)), rng.random((4, 5, 6))
    close(4 * del2(f, DX, DY), fdx.laplacian(f, DY, DX))
    close(6 * del2(g, DX, DY, H), fdx.laplacian(g, DY, DX, H))
    close(second_differences(f[0], H, 0), fdx.derivative(f[0], H, deriv=2))
    close(del2(f, 1, 1)[2, 3], (f[1, 3] + f[3, 3] + f[2, 2] + f[2, 4]) / 4 - f[2, 3])

    fx = np.empty_like(f)  # gradient(A): G(:,j) = 0.5*(A(:,j+1) - A(:,j-1)), the edges one-sided
    fx[:, 1:-1] = 0.5 * (f[:, 2:] - f[:, :-2])
    fx[:, 0], fx[:, -1] = f[:, 1] - f[:, 0], f[:, -1] - f[:, -2]
    close(fx / DX, fdx.gradient(f, DY, DX)[1])
    close(fx / DX, fdx.gradient(f, DX, axis=1))


# --- PyTorch ------------------------------------------------------------------------------------


def test_torch(rng):
    torch = pytest.importorskip("torch")
    a = rng.random((12, 15))
    t = torch.from_numpy(a)
    y, x = (torch.from_numpy(np.cumsum(rng.uniform(1, 2, n))) for n in a.shape)
    calls = [
        (torch.gradient(t, spacing=H), fdx.gradient(a, H)),
        (torch.gradient(t, spacing=[DY, DX]), fdx.gradient(a, DY, DX)),
        (torch.gradient(t, spacing=(y, x)), fdx.gradient(a, y.numpy(), x.numpy())),
        (torch.gradient(t, dim=1), [fdx.gradient(a, axis=1)]),
        (torch.gradient(t.float(), spacing=H), fdx.gradient(a.astype("f4"), H)),
        (torch.gradient(t), fdx.gradient(t)),
    ]
    for theirs, ours in calls:
        assert isinstance(theirs, tuple)
        for one, other in zip(theirs, ours, strict=True):
            np.testing.assert_array_equal(one.numpy(), other)
    edges = torch.gradient(t, spacing=H, edge_order=2)
    for one, other in zip(edges, fdx.gradient(a, H, edge_order=2), strict=True):
        close(one.numpy(), other)

    whole = (100 * t).int()
    assert torch.gradient(whole)[0].dtype == torch.float32
    assert fdx.gradient(whole)[0].dtype == np.float64
    with pytest.raises(RuntimeError, match="detach"):
        fdx.gradient(t.clone().requires_grad_())
    with pytest.raises(TypeError, match="BFloat16"):
        fdx.gradient(t.bfloat16())


# --- xarray -------------------------------------------------------------------------------------


def test_xarray(rng, monkeypatch):
    xr = pytest.importorskip("xarray")
    x, y = np.cumsum(rng.uniform(1, 2, (2, 10)), axis=1)
    da = xr.DataArray(rng.random((10, 10)), coords={"y": y, "x": x}, dims=("y", "x"))
    for order in (1, 2):
        ours = fdx.gradient(da.values, da.x.values, axis=1, edge_order=order)
        assert type(ours) is np.ndarray
        np.testing.assert_array_equal(da.differentiate("x", edge_order=order).values, ours)
    with pytest.raises(TypeError, match=r"lose its labels; pass f\.values"):
        fdx.derivative(da)

    time = np.array(["2000-01-01", "2000-01-02", "2000-01-04", "2000-01-05"], "M8[ns]")
    series = xr.DataArray(rng.random(4), coords={"time": time}, dims="time")
    days = (series.time - series.time[0]) / np.timedelta64(1, "D")
    theirs = series.differentiate("time", datetime_unit="D")
    close(theirs.values, fdx.gradient(series.values, days.values))

    called = []
    monkeypatch.setattr(np, "gradient", lambda *args, **kwargs: called.append(args) or args[0])
    da.differentiate("x")
    assert called


# --- docs/accuracy.md ---------------------------------------------------------------------------


def test_what_noise_becomes():
    def noise(accuracy):
        half_width = accuracy // 2
        return np.linalg.norm(fdx.weights(np.arange(-half_width, half_width + 1)))

    assert abs(noise(8) / noise(2) - 1.65) < 0.01


@pytest.mark.parametrize(
    "boundary",
    ["reflect", "symmetric", "reflect-odd", "symmetric-odd", "antisymmetric", "zero"],
)
def test_values_beyond(boundary):
    """The table of boundaries: the ghost values a[-1], a[-2], a[-3]."""
    f = np.random.default_rng(0).random(12)
    beyond = {
        "reflect": f[1:4],
        "symmetric": f[0:3],
        "reflect-odd": 2 * f[0] - f[1:4],
        "symmetric-odd": 2 * f[0] - f[0:3],
        "antisymmetric": -f[0:3],
        "zero": np.zeros(3),
    }[boundary]
    longer = np.concatenate([beyond[::-1], f])
    inside = fdx.derivative(longer, accuracy=6)[3:-3]
    close(fdx.derivative(f, accuracy=6, boundary=(boundary, "one-sided"))[:-3], inside)


def test_an_even_function_keeps_the_order():
    """For functions with slope 0 at a wall that are not even about it, first derivatives are of
    order 2 and second ones of order 1; for odd ones with a fourth derivative, of 3 and 2."""
    cases = [
        ("reflect", lambda x: np.cos(3 * x), None),
        ("reflect", lambda x: x**2 + x**3, 0),
        ("symmetric", lambda x: x**2 + x**3, 0),
        ("reflect-odd", lambda x: np.sin(3 * x), None),
        ("reflect-odd", lambda x: x + x**4, 1),
    ]
    for boundary, f, lost in cases:
        for deriv, accuracy in itertools.product((1, 2), (4, 8)):
            errors = []
            for n in (10, 20) if lost is None else (200, 400):
                x = (np.arange(n) + 0.5 * (boundary == "symmetric")) / n
                options = dict(deriv=deriv, accuracy=accuracy)
                one_sided = fdx.derivative(f(np.arange(-9, n) / n), 1 / n, **options)[9:]
                if boundary == "symmetric":
                    one_sided = {1: 2 * x + 3 * x**2, 2: 2 + 6 * x}[deriv]
                got = fdx.derivative(f(x), 1 / n, boundary=(boundary, "one-sided"), **options)
                errors.append(abs(got - one_sided)[:4].max())
            if lost is None:
                assert max(errors) < 1e-9
            else:
                assert abs(np.log2(errors[0] / errors[1]) - (2 + lost - (deriv - 1))) < 0.1


def test_what_grows():
    """Eigenvalues with a positive real part: first derivatives with an inflow, second ones."""
    for accuracy, want in {2: 0.0, 4: 0.003, 6: 0.196, 8: 0.417}.items():
        n = 100
        D = fdx.Diff(0, accuracy=accuracy)
        grows = np.linalg.eigvals(-D.matrix(n).toarray()[1:, 1:]).real.max()
        assert abs(grows - want) < 0.001
    for boundary, accuracy in itertools.product(get_args(Boundary), (2, 4, 8)):
        if boundary != "valid":
            matrix = fdx.Diff(0, deriv=2, accuracy=accuracy, boundary=boundary).matrix(60).toarray()
            given = np.s_[1:-1, 1:-1] if boundary in ("one-sided", "sbp") else np.s_[:, :]
            assert np.linalg.eigvals(matrix[given]).real.max() < 1e-12


def test_steps_of_runge_kutta():
    """Stable for all eigenvalues without a positive real part up to 2.6 in modulus."""
    z = np.multiply.outer(np.linspace(0, 2.6, 400), np.exp(1j * np.linspace(0.5, 1.5, 400) * np.pi))
    assert abs(1 + z + z**2 / 2 + z**3 / 6 + z**4 / 24).max() < 1 + 1e-12
    z *= 2.65 / 2.6
    assert abs(1 + z + z**2 / 2 + z**3 / 6 + z**4 / 24).max() > 1


def test_a_zigzag():
    """D @ (c * D) is 0 for it; the other operator is not, and conserves the sum. With accuracy 2
    it is the difference of fluxes halfway between points."""
    n = 40
    c, u = np.random.default_rng(0).uniform(1, 2, (2, n))
    zigzag = (-1.0) ** np.arange(n)
    one = fdx.Identity()
    for accuracy in (2, 4, 8):
        D = fdx.Diff(0, 0.5, accuracy=accuracy, boundary="periodic")
        assert abs((D @ (c * D))(zigzag)).max() < 1e-12
        D2 = D**2
        L = (D2 @ (c * one) + c * D2 - D2(c) * one) / 2
        assert abs(L(zigzag)).min() > 1
        assert abs(L(u).sum()) < 1e-12
        assert np.linalg.eigvals(L.matrix(n).toarray()).real.max() < 1e-12
        if accuracy == 2:
            flux = (c + np.roll(c, -1)) / 2 * (np.roll(u, -1) - u) / 0.5
            close(L(u), (flux - np.roll(flux, 1)) / 0.5)
