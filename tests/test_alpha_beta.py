"""``L(u, out=y, alpha=a, beta=b)`` has the bits of ``a * L(u) + b * y``, operation by operation."""

import itertools

import numpy as np
import pytest

import fdx

D = fdx.Diff
SHAPES = [(5,), (40,), (3000,), (20, 30), (200, 300), (17, 18, 19)]
NUMBERS = [
    (1, 1), (0.5, 1), (-0.3, -1), (0, 0.7), (1, -0.0), (2, 0), (-1.0, 0), (np.float32(0.1), 3)
]  # fmt: skip


def operators(shape):
    rng = np.random.default_rng(3)
    n, coefficients = len(shape), rng.random(shape)
    inner = D(0, 0.1, position="inner")
    faces = rng.random((shape[0] - 1, *shape[1:]))
    laplacian = sum(D(k, 0.3, deriv=2) for k in range(n))
    return {
        "first": D(0, 0.1),
        "last": D(-1, 0.1),
        "laplacian": laplacian,
        "accuracy 8": D(0, accuracy=8) if shape[0] > 8 else D(-1),
        "identity": fdx.Identity(),
        "heat": fdx.Identity() + 0.1 * laplacian,
        "leapfrog": 2 * fdx.Identity() + 0.1 * laplacian,
        "periodic": D(-1, 0.1, boundary="periodic"),
        "mixed": D(0) @ D(-1),
        "times": coefficients * D(0),
        "advection": sum(coefficients * D(k) for k in range(n)),
        "diffusion": -(inner.T @ (faces * inner)),
        "valid": D(0, 0.1, boundary="valid"),
        "biased": D(0, 0.1, accuracy=3, side="left"),
    }


def expected(result, y, alpha, beta):
    """By NumPy; of complex numbers part by part."""
    real = result.real.dtype.type
    parts, before = result.view(real), y.view(real)
    product = real(alpha) * parts
    return (product if beta == 0 else real(beta) * before + product).view(result.dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i4"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bits(shape, dtype, jobs):
    rng = np.random.default_rng(1)
    u = (rng.normal(size=shape) * 9).astype(dtype)
    for name, L in operators(shape).items():
        result = L(u)
        for alpha, beta in NUMBERS:
            y = (rng.normal(size=result.shape) * 5).astype(result.dtype)
            want = expected(result, y, alpha, beta)
            if beta == 0:
                y[...] = np.nan  # is not read
            for workers in (1, 3):
                out = y.copy()
                assert L(u, out=out, alpha=alpha, beta=beta, workers=workers) is out
                assert out.tobytes() == want.tobytes(), (name, alpha, beta)


def test_large_results():
    """Those that are written by non-temporal stores."""
    shape = 90, 300, 300
    rng = np.random.default_rng(2)
    u = rng.normal(size=shape)
    others = {
        "valid, along memory": D(2, boundary="valid"),
        "inner": D(2, position="inner", accuracy=4),
        "outer": D(2, position="outer", boundary="reflect"),
        "interpolation": fdx.Interp(2, position="inner"),
        "transposed": D(2, position="inner").T,
    }
    for name, L in (operators(shape) | others).items():
        result = L(u)
        for alpha, beta in ((0.3, 0), (-0.3, 0.9)):
            y = rng.normal(size=result.shape)
            want = expected(result, y, alpha, beta)
            for workers in (1, 2):
                out = y.copy()
                L(u, out=out, alpha=alpha, beta=beta, workers=workers)
                assert out.tobytes() == want.tobytes(), (name, alpha, beta)


@pytest.mark.parametrize("layout", ["F", "strided", "negative", "swapped", "unaligned"])
def test_layouts_of_out(layout):
    rng = np.random.default_rng(4)
    shape = 30, 40
    u, y = rng.normal(size=(2, *shape))
    out = {
        "F": np.empty(shape, order="F"),
        "strided": np.empty((60, 80))[::2, ::2],
        "negative": np.empty(shape)[::-1, ::-1],
        "swapped": np.empty(shape, np.dtype("f8").newbyteorder()),
        "unaligned": np.empty(30 * 40 * 8 + 1, "u1")[1:].view("f8").reshape(shape),
    }[layout]
    u = u.astype(out.dtype) if layout == "swapped" else u
    for name, L in operators(shape).items():
        if name != "valid":
            out[...] = y
            L(u, out=out, alpha=0.3, beta=-0.7)
            want = 0.3 * L(u.astype(float)) + -0.7 * y
            assert out.astype(float).tobytes() == want.tobytes(), name


def test_inputs_that_share_memory_with_out():
    rng = np.random.default_rng(5)
    u, c = rng.normal(size=(2, 50))
    L = D(0, boundary="periodic")
    want = u + 0.1 * L(u)
    assert L(u, out=u, alpha=0.1, beta=1).tobytes() == want.tobytes()
    times = c * L
    want = 0.5 * c + 0.1 * times(u)
    assert times(u, out=c, alpha=0.1, beta=0.5).tobytes() == want.tobytes()


def test_data_of_boundaries():
    """The operator is affine: alpha multiplies what data add, too."""
    rng = np.random.default_rng(6)
    u, y = rng.normal(size=(2, 20, 30))
    values = rng.normal(size=30)
    L = D(0, deriv=2, boundary=(fdx.Dirichlet(values), fdx.Neumann(2.0))) + D(1)
    assert np.any(L.offset(u.shape))
    for alpha, beta in NUMBERS:
        want = alpha * L.linear(u) + alpha * L.offset(u.shape) + beta * y
        for _ in range(2):  # by the plan that is found first, and by the last call's
            out = y.copy()
            np.testing.assert_allclose(L(u, out=out, alpha=alpha, beta=beta), want, atol=1e-13)


def test_without_out():
    u = np.arange(5.0)
    assert D(0)(u, alpha=3).tolist() == [3.0] * 5
    assert D(0)(u, alpha=-1.0, beta=0.0).tolist() == [-1.0] * 5


def test_nothing_is_kept_from_call_to_call():
    """Small arrays take calls that are prepared once: not with these numbers."""
    u, L = np.arange(20.0), D(0)
    for alpha, beta in itertools.product((1, 2, -3.5), (0, 1, 0.5)):
        y = np.ones(20)
        assert L(u, out=y, alpha=alpha, beta=beta).tolist() == [alpha + beta] * 20
        assert L(u).tolist() == [1.0] * 20


def test_errors_and_warnings():
    u, y = np.full(9, 1e200), np.zeros(9)
    with pytest.warns(RuntimeWarning, match="overflow"):
        fdx.Identity()(u, out=y, alpha=1e200, beta=1)
    assert np.isinf(y).all()
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        fdx.Identity()(u, out=y, alpha=1e200)
    L = D(0, deriv=2, boundary=fdx.Dirichlet(1e200, outside=1))
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        L(np.zeros(9), out=y, alpha=1e200)


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"beta": 1}, ValueError, "out: expected the array that beta=1 multiplies, got None"),
        ({"alpha": np.nan}, ValueError, "alpha: expected a finite number, got nan"),
        ({"beta": np.inf}, ValueError, "beta: expected a finite number, got inf"),
        ({"alpha": 1j}, TypeError, "alpha: expected a real number, got 1j"),
        ({"alpha": "1"}, TypeError, "alpha: expected a real number, got '1'"),
        ({"alpha": None}, TypeError, "alpha: expected a real number, got None"),
        ({"beta": True}, TypeError, "beta: expected a real number, got True"),
        ({"alpha": np.ones(3)}, TypeError, "alpha: expected a real number, got an array of shape"),
    ],
    ids=str,
)
def test_bad_numbers(given, error, text):
    y = np.arange(4.0)
    out = None if "out:" in text else y
    with pytest.raises(error) as raised:
        D(0)(np.ones(4), out=out, **given)
    assert text in str(raised.value)
    assert y.tolist() == [0.0, 1.0, 2.0, 3.0]
