"""The same numbers as independent libraries."""

import numpy as np
import pytest
from stencils import assert_close, half_width, weights_of

import fdx

findiff = pytest.importorskip("findiff")
ndimage = pytest.importorskip("scipy.ndimage")
interpolate = pytest.importorskip("scipy.interpolate")
signal = pytest.importorskip("scipy.signal")

# What the modes of scipy.ndimage are called here.
MODES = {"wrap": "periodic", "mirror": "reflect", "reflect": "symmetric"}
ORDERS = [(deriv, accuracy) for deriv in (1, 2, 3, 4, 5, 6) for accuracy in (2, 4, 6, 8)]


def random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def uneven(n, seed=0):
    return np.cumsum(np.random.default_rng(seed).uniform(0.5, 1, n))


def size_of(u, axis, spacing=1.0, **options):
    """sum |w| |u| at its largest."""
    w = abs(weights_of(u.shape[axis], spacing, **options))
    return w.sum(axis=1).max() * abs(u).max()


# ------------------------------------------------------------------ findiff


@pytest.mark.parametrize(("deriv", "accuracy"), ORDERS)
def test_findiff(deriv, accuracy):
    u = random((40, 33))
    r = half_width(deriv, accuracy)
    for axis, h in ((0, 1.0), (1, 0.3)):
        want = (findiff.Diff(axis, h, acc=accuracy) ** deriv)(u)
        got = fdx.derivative(u, h, axis=axis, deriv=deriv, accuracy=accuracy)
        inside = tuple(slice(r, -r) if d == axis else slice(None) for d in range(2))
        size = size_of(u, axis, h, deriv=deriv, accuracy=accuracy)
        assert_close(got[inside], want[inside], 1e-12 * size)
        ends = [w.take([0, -1], axis) for w in (got, want)]
        # Where as many points are used, the ends agree too; findiff takes one more elsewhere.
        # Its weights lose digits with their number.
        if deriv % 2 and accuracy < 6:
            assert_close(*ends, 1e-8 * size)


@pytest.mark.parametrize(("deriv", "accuracy"), ORDERS)
def test_findiff_periodic_by_its_coefficients(deriv, accuracy):
    u = random(30)
    found = findiff.coefficients(deriv=deriv, acc=accuracy)["center"]
    want = sum(
        c * np.roll(u, -int(k))
        for c, k in zip(found["coefficients"], found["offsets"], strict=True)
    )
    got = fdx.derivative(u, deriv=deriv, accuracy=accuracy, boundary="periodic")
    size = size_of(u, 0, deriv=deriv, accuracy=accuracy, boundary="periodic")
    assert_close(got, want, 1e-10 * size)


def test_findiff_vector_calculus():
    h = [0.1, 0.2, 0.3]
    F = random((3, 14, 15, 16))
    inside = (..., slice(2, -2), slice(2, -2), slice(2, -2))
    for ours, theirs in (
        (fdx.divergence, findiff.Divergence(h=h, acc=4)),
        (fdx.curl, findiff.Curl(h=h, acc=4)),
    ):
        got, want = ours(F, *h, accuracy=4), theirs(F)
        assert_close(got[inside], np.asarray(want)[inside], 1e-11 * abs(got).max())
    got, want = fdx.laplacian(F[0], *h, accuracy=4), findiff.Laplacian(h=h, acc=4)(F[0])
    assert_close(got[inside], want[inside], 1e-11 * abs(got).max())


def test_findiff_matrix():
    shape = (12, 13)
    theirs = findiff.Diff(0, 0.5, acc=2) ** 2 + 3 * findiff.Diff(1, 0.25, acc=2) ** 2
    ours = fdx.Diff(0, 0.5) ** 2 + 3 * fdx.Diff(1, 0.25) ** 2
    want = theirs.matrix(shape).toarray().reshape(12, 13, -1)[1:-1, 1:-1]
    got = ours.matrix(shape).toarray().reshape(12, 13, -1)[1:-1, 1:-1]
    assert_close(got, want, 1e-10)


# ------------------------------------------------------------------ scipy.ndimage


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("deriv", "accuracy"), ORDERS)
def test_correlate1d(deriv, accuracy, mode):
    """With the weights of the interior, which other tests check."""
    u = random((30, 29))
    r = half_width(deriv, accuracy)
    options = dict(deriv=deriv, accuracy=accuracy)
    weights = weights_of(2 * r + 1, boundary="valid", **options)[0]
    for axis in (0, 1):
        want = ndimage.correlate1d(u, weights, axis=axis, mode=mode)
        got = fdx.derivative(u, axis=axis, boundary=MODES[mode], **options)
        assert_close(got, want, 1e-14 * size_of(u, axis, boundary=MODES[mode], **options))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(20,), (12, 13), (8, 9, 10)])
def test_laplace(shape, mode):
    u = random(shape)
    want = ndimage.laplace(u, mode=mode)
    assert_close(fdx.laplacian(u, boundary=MODES[mode]), want, 1e-13)
    operator = sum(
        (fdx.Diff(d, boundary=MODES[mode]) ** 2 for d in range(1, len(shape))),
        fdx.Diff(0, boundary=MODES[mode]) ** 2,
    )
    assert_close(operator(u), want, 1e-13)


# ------------------------------------------------------------------ scipy.signal


@pytest.mark.parametrize(("deriv", "accuracy"), ORDERS)
def test_savgol_filter(deriv, accuracy):
    """With as many points as coefficients, the filter interpolates, so that it is the derivative.
    At the ends it is that of the polynomial through the outermost points."""
    u = random((2, 40))
    points = 2 * half_width(deriv, accuracy) + 1
    r = points // 2
    h = 0.5
    want = signal.savgol_filter(u, points, points - 1, deriv=deriv, delta=h, mode="interp")
    got = fdx.derivative(u, h, deriv=deriv, accuracy=accuracy)
    # It solves a least squares problem, whose rounding is far above ours.
    size = size_of(u, 1, h, deriv=deriv, accuracy=accuracy)
    assert_close(got[:, r:-r], want[:, r:-r], 1e-7 * size)
    if deriv % 2:
        assert points == deriv + accuracy
        assert_close(got, want, 1e-7 * size)


# ------------------------------------------------------------------ scipy.interpolate


@pytest.mark.parametrize(("deriv", "accuracy"), [o for o in ORDERS if sum(o) <= 10])
def test_interpolating_polynomials(deriv, accuracy):
    """On uneven coordinates, at the ends and inside."""
    m, r = deriv + accuracy, half_width(deriv, accuracy, uneven=True)
    n = 2 * r + 6
    x, u = uneven(n, deriv), random(n, accuracy)
    got = fdx.derivative(u, x, deriv=deriv, accuracy=accuracy)
    tolerance = 1e-10 * size_of(u, 0, x, deriv=deriv, accuracy=accuracy)
    for i in range(n):
        first, count = i - r, 2 * r + 1
        if i < r:
            first, count = 0, m
        elif i >= n - r:
            first, count = n - m, m
        nodes = slice(first, first + count)
        polynomial = interpolate.KroghInterpolator(x[nodes] - x[i], u[nodes])
        assert_close(got[i], polynomial.derivative(0.0, der=deriv), tolerance, f"row {i}")


# ------------------------------------------------------------------ NumPy


@pytest.mark.parametrize("dtype", ["f4", "f8", "c16"])
def test_gradient(dtype):
    u = random((15, 16)).astype(dtype)
    tolerance = 1e-5 if dtype == "f4" else 1e-14
    for axis, n in ((0, 15), (1, 16)):
        for spacing in (1.0, 0.3, -0.5, uneven(n), -uneven(n), np.linspace(0, 1, n)):
            want = np.gradient(u, spacing, axis=axis, edge_order=2)
            got = fdx.derivative(u, spacing, axis=axis)
            assert got.dtype == want.dtype
            assert_close(got, want, tolerance * size_of(u, axis, spacing))
            assert_close(got, fdx.gradient(u, spacing, axis=axis, edge_order=2),
                         tolerance * size_of(u, axis, spacing))  # fmt: skip


def test_diff():
    """np.diff is the staggered first difference; twice, the second derivative."""
    u = random(20)
    got = fdx.derivative(u, deriv=2, boundary="valid")
    assert_close(got, np.diff(u, 2), 1e-14)
    assert_close(fdx.derivative(u, deriv=4, boundary="valid"), np.diff(u, 4), 1e-13)
