"""Laplacian, divergence, curl, Hessian and Jacobian against sums of single derivatives."""

import itertools

import numpy as np
import pytest
from compare import canonical_bytes
from stencils import BOUNDARIES, CONSTANT, assert_close, weights_of

import fdx

EPS = np.finfo(np.float64).eps
SHAPES = [(17,), (13, 14), (12, 13, 14)]
FUNCTIONS = [fdx.laplacian, fdx.hessian, fdx.divergence, fdx.curl, fdx.jacobian]


def random(shape, dtype="f8", seed=0):
    rng = np.random.default_rng(seed)
    u = rng.normal(size=shape)
    if np.dtype(dtype).kind == "c":
        u = u + 1j * rng.normal(size=shape)
    return (100 * u).astype(dtype) if np.dtype(dtype).kind in "iu" else u.astype(dtype)


def same_values(got, want):
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    assert canonical_bytes(np.asarray(got)) == canonical_bytes(np.asarray(want))


def steps(shape):
    return [0.5, 0.25, 0.3][: len(shape)]


def uneven(shape):
    rng = np.random.default_rng(5)
    return [np.cumsum(rng.uniform(0.5, 1, n)) for n in shape]


def cut(parts, shape):
    """The common part of arrays of several shapes that have one centre."""
    least = np.min([p.shape for p in parts], axis=0)
    return [
        p[tuple(slice((n - m) // 2, (n - m) // 2 + m) for n, m in zip(p.shape, least, strict=True))]
        for p in parts
    ]


def total_size(u, grid, deriv, **options):
    """The sum over axes of sum |w| |u|, with the centre counted once for each other point."""
    found = []
    for axis, h in enumerate(grid):
        w = abs(weights_of(u.shape[axis], h, deriv=deriv, **options))
        lost = (w.shape[1] - w.shape[0]) // 2
        w[np.arange(len(w)), np.arange(len(w)) + lost] += w.sum(axis=1)
        found.append(np.moveaxis(np.tensordot(w, abs(u), (1, axis)), 0, axis))
    return sum(cut(found, u.shape))


# ------------------------------------------------------------------ sums of derivatives


@pytest.mark.parametrize("accuracy", [2, 4])
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", SHAPES)
def test_laplacian_and_trace_of_hessian(shape, boundary, accuracy):
    u = random(shape)
    options = dict(accuracy=accuracy, boundary=boundary)
    for grid in (steps(shape), uneven(shape)):
        if boundary == "periodic" and np.ndim(grid[0]):
            options["period"] = [(x[-1] - x[0]) * 1.1 for x in grid]
        periods = options.get("period", [None] * len(shape))
        each = [
            fdx.derivative(u, h, axis=d, deriv=2, accuracy=accuracy, boundary=boundary, period=p)
            for d, (h, p) in enumerate(zip(grid, periods, strict=True))
        ]
        got = fdx.laplacian(u, *grid, **options)
        plain = {k: v for k, v in options.items() if k != "period"}
        if "period" in options:
            size = sum(abs(e).max() for e in each) * 100
        else:
            size = total_size(u, grid, 2, **plain)
        assert_close(got, sum(cut(each, shape)), 8 * EPS * size)
        if boundary != "valid":
            trace = np.trace(fdx.hessian(u, *grid, **options))
            assert_close(trace, got, 8 * EPS * size)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", SHAPES[1:])
def test_divergence_curl_jacobian(shape, boundary):
    ndim = len(shape)
    F = random((ndim, *shape))
    grid = steps(shape)
    options = dict(accuracy=4, boundary=boundary)

    def d(i, j):
        return fdx.derivative(F[i], grid[j], axis=j, **options)

    def near(got, parts):
        parts = cut(parts, shape)
        assert_close(got, sum(parts), 1e-13 * sum(abs(p).max() for p in parts))

    near(fdx.divergence(F, *grid, **options), [d(k, k) for k in range(ndim)])
    curl = fdx.curl(F, *grid, **options)
    if ndim == 2:
        near(curl, [d(1, 0), -d(0, 1)])
    else:
        assert curl.shape[0] == 3
        for k in range(3):
            a, b = (k + 1) % 3, (k + 2) % 3
            if boundary != "valid":
                near(curl[k], [d(b, a), -d(a, b)])
    jacobian = fdx.jacobian(F, *grid, **options)
    assert jacobian.shape[:2] == (ndim, ndim)
    if boundary != "valid":
        for i in range(ndim):
            for j in range(ndim):
                same_values(np.ascontiguousarray(jacobian[i, j]), d(i, j))
    else:  # the points that all have
        r = 2
        inside = tuple(slice(r, -r) for _ in shape)
        for i in range(ndim):
            for j in range(ndim):
                full = fdx.derivative(F[i], grid[j], axis=j, accuracy=4)[inside]
                same_values(np.ascontiguousarray(jacobian[i, j]), np.ascontiguousarray(full))


@pytest.mark.parametrize("boundary", [b for b in BOUNDARIES if b != "valid"])
@pytest.mark.parametrize("shape", SHAPES[1:])
def test_hessian(shape, boundary):
    u = random(shape)
    ndim = len(shape)
    for grid in (steps(shape), uneven(shape)):
        if boundary == "periodic" and np.ndim(grid[0]):
            continue
        options = dict(accuracy=4, boundary=boundary)
        H = fdx.hessian(u, *grid, **options)
        assert H.shape == (ndim, ndim, *shape)
        for i in range(ndim):
            for j in range(ndim):
                assert (H[i, j] == H[j, i]).all()
                if i == j:
                    want = fdx.derivative(u, grid[i], axis=i, deriv=2, **options)
                    same_values(np.ascontiguousarray(H[i, i]), want)
                else:
                    one = fdx.derivative(u, grid[j], axis=j, **options)
                    want = fdx.derivative(one, grid[i], axis=i, **options)
                    assert_close(H[i, j], want, 1e-13 * abs(want).max())


def test_identities():
    """curl(grad) and div(curl) are 0 up to rounding; a rotation of the axes changes only that."""
    for boundary in ("one-sided", "periodic", "reflect", "symmetric-odd"):
        options = dict(accuracy=4, boundary=boundary)
        u = random((12, 13, 14))
        grid = (0.1, 0.2, 0.3)
        gradient = [fdx.derivative(u, h, axis=d, **options) for d, h in enumerate(grid)]
        curl = fdx.curl(gradient, *grid, **options)
        assert abs(curl).max() < 1e-12 * abs(fdx.jacobian(gradient, *grid, **options)).max()
        F = random((3, 12, 13, 14))
        around = fdx.curl(F, *grid, **options)
        size = abs(fdx.jacobian(around, *grid, **options)).max()
        assert abs(fdx.divergence(around, *grid, **options)).max() < 1e-12 * size
        v = random((12, 13))
        gradient = [fdx.derivative(v, h, axis=d, **options) for d, h in enumerate(grid[:2])]
        curl = fdx.curl(gradient, *grid[:2], **options)
        assert abs(curl).max() < 1e-12 * abs(fdx.jacobian(gradient, 0.1, 0.2, **options)).max()


def test_polynomials():
    x, y, z = np.meshgrid(*(np.arange(n) * 0.5 for n in (7, 8, 9)), indexing="ij")
    assert_close(fdx.laplacian(x**2 + 2 * y**2 - z**2 + x * y, 0.5), np.full(x.shape, 4.0), 1e-11)
    F = [y * z, x * z + y**2, x * x]
    assert_close(fdx.divergence(F, 0.5), 2 * y, 1e-11)
    assert_close(fdx.curl(F, 0.5), np.array([-x, y - 2 * x, 0 * x]), 1e-11)
    H = fdx.hessian(x * y + z**2, 0.5)
    want = np.zeros_like(H)
    want[0, 1] = want[1, 0] = 1
    want[2, 2] = 2
    assert_close(H, want, 1e-11)


# ------------------------------------------------------------------ arguments


def test_spacing_as_in_numpy_gradient():
    """A Jacobian of one component is np.gradient, for every kind of spacing."""
    u = random((9, 10, 11))
    x, y, z = uneven(u.shape)
    forms = [(), (0.3,), (np.float32(0.5),), (0.1, 0.2, 0.3), (x, y, z), (0.1, y, 0.3), (x, 2, z)]
    forms += [(x.tolist(), tuple(y), z), (-0.1, y[::-1], 0.3)]
    for form in forms:
        want = np.array(np.gradient(u, *form, edge_order=2))
        got = fdx.jacobian([u], *form)
        assert_close(got[0], want, 1e-12 * abs(want).max())
    for axis, form in [((2, 0), (z, 0.1)), (1, (y,)), (-1, (0.2,)), ((0, -1), (0.5,)), ((1,), ())]:
        want = np.gradient(u, *form, axis=axis, edge_order=2)
        want = np.array(want if isinstance(want, tuple) else (want,))
        got = fdx.jacobian([u], *form, axis=axis)
        assert_close(got[0], want, 1e-12 * abs(want).max())
    got = fdx.laplacian(u, z, 0.1, axis=(2, 0))
    want = fdx.derivative(u, z, axis=2, deriv=2) + fdx.derivative(u, 0.1, axis=0, deriv=2)
    assert_close(got, want, 1e-12 * abs(want).max())


def test_spacing_errors():
    u = random((9, 10))
    x, y = uneven(u.shape)
    for form in [(0.1, 0.2, 0.3), (x,), (x, y, 0.1)]:
        with pytest.raises(TypeError):
            np.gradient(u, *form)
        got = "one array of shape .9,.; for 2 axes pass 2 arguments" if len(form) == 1 else "3 arg"
        with pytest.raises(TypeError, match=f"spacing: expected .* 2 axes, got {got}"):
            fdx.laplacian(u, *form)
    for form, message in [
        ((x, y[:-1]), "spacing: expected 10 coordinates for axis 1, got 9"),
        ((0.0,), "spacing: expected a finite number other than 0"),
        ((0.1, np.nan), r"spacing\[1\]: expected a finite number other than 0"),
        ((x[::2].repeat(2)[:9], y), r"spacing\[0\]: expected strictly increasing or decreasing"),
    ]:
        for function in FUNCTIONS:
            out = np.full(1, 7.0)
            with pytest.raises(ValueError, match=message):
                function(u if function in FUNCTIONS[:2] else [u, u], *form, out=out)
            assert out[0] == 7


def test_boundaries_of_each_axis():
    u = random((9, 10, 11))
    boundaries = ["periodic", ("reflect", "one-sided"), "symmetric"]
    got = fdx.laplacian(u, 0.5, boundary=boundaries)
    parts = [fdx.derivative(u, 0.5, axis=d, deriv=2, boundary=b) for d, b in enumerate(boundaries)]
    assert_close(got, sum(parts), 1e-12)
    for d, part in enumerate(parts):
        same_values(np.ascontiguousarray(fdx.hessian(u, 0.5, boundary=boundaries)[d, d]), part)
    got = fdx.laplacian(u, 0.5, axis=(2, 0), boundary=["symmetric", "periodic"])
    assert_close(got, parts[2] + parts[0], 1e-12)
    x = uneven((9,))[0]
    period = 2 * x[-1]
    boundaries = ["periodic", "one-sided", "valid"]
    got = fdx.laplacian(u, x, 1, 1, boundary=boundaries, period=period)
    same_values(got, fdx.laplacian(u, x, 1, 1, boundary=boundaries, period=[period, None, None]))
    pairs = [("periodic", "periodic"), "one-sided", "valid"]
    same_values(got, fdx.laplacian(u, x, 1, 1, boundary=pairs, period=period))
    with pytest.raises(ValueError, match="period: expected None with boundary='one-sided', got 9"):
        fdx.laplacian(u, x, 1, 1, boundary=["one-sided"] * 3, period=9)
    parts = [
        fdx.derivative(u, x, axis=0, deriv=2, boundary="periodic", period=period),
        fdx.derivative(u, axis=1, deriv=2),
    ]
    last = fdx.derivative(u, axis=2, deriv=2, boundary="valid")
    assert_close(got, parts[0][..., 1:-1] + parts[1][..., 1:-1] + last, 1e-12)
    for bad, message in [
        (["periodic"] * 2, "boundary: expected a list of 3, one for each axis, got 2"),
        (
            ("reflect", "valid", "valid"),
            r"boundary: expected a list of 3.* write \['reflect', 'valid', 'valid'\]$",
        ),
        (("reflect",) * 4, "boundary: expected one of"),
        (["reflect", "nothing", "valid"], r"boundary\[1\]: expected one of .* got 'nothing'"),
        ([], "boundary: expected a list of 3, one for each axis, got 0"),
        ("nothing", "boundary: expected one of .* got 'nothing'"),
    ]:
        with pytest.raises(ValueError, match=message):
            fdx.laplacian(u, boundary=bad)
    with pytest.raises(ValueError, match="period: expected a list of 3"):
        fdx.laplacian(u, boundary="periodic", period=[1.0])


def test_a_pair_of_boundaries_on_two_axes():
    """It could mean the left and the right boundary, or those of the first and second axis."""
    u = random((9, 10, 11))
    pair = ("reflect", "symmetric")
    both = (
        r"boundary: expected a list of 2, one for each axis, got \('reflect', 'symmetric'\); write "
        r"\['reflect', 'symmetric'\] if .*, \[\('reflect', 'symmetric'\), "
        r"\('reflect', 'symmetric'\)\] if they are the left and the right one of both$"
    )
    for function in FUNCTIONS:
        two = [u, u] if function in FUNCTIONS[2:] else u
        for axis in ((0, 1), (2, 0), (-1, 1)):
            with pytest.raises(ValueError, match=both):
                function(two, axis=axis, boundary=pair)
            for name in BOUNDARIES:
                same = function(two, axis=axis, boundary=(name, name))
                same_values(same, function(two, axis=axis, boundary=[name] * 2))
    one = [fdx.derivative(u, axis=d, deriv=2, boundary=pair) for d in (0, 1, 2)]
    assert_close(fdx.laplacian(u, axis=(0, 1), boundary=[pair, pair]), one[0] + one[1], 1e-13)
    assert_close(fdx.laplacian(u, axis=1, boundary=pair), one[1], 1e-13)
    assert_close(fdx.laplacian(u, boundary=pair), sum(one), 1e-13)
    first, second = (fdx.derivative(u, axis=d, deriv=2, boundary=pair[d]) for d in (0, 1))
    assert_close(fdx.laplacian(u, axis=(0, 1), boundary=list(pair)), first + second, 1e-13)
    with pytest.raises(ValueError, match=r"boundary: expected a list of 2.* write \[\('refl"):
        fdx.laplacian(u[0], boundary=(pair, pair))


def test_a_tuple_of_periods():
    u = random((9, 10))
    for function in FUNCTIONS:
        two = [u, u] if function in FUNCTIONS[2:] else u
        with pytest.raises(
            TypeError, match=r"period: expected a number, or a list.* write period="
        ):
            function(two, boundary="periodic", period=(9.0, 10.0))
        same = function(two, boundary="periodic", period=[9.0, 10.0])
        same_values(same, function(two, boundary="periodic"))


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
def test_order_of_axes(axes):
    """Sums are added in the order of the axes, as those of operators are."""
    u, h = random((3, 9, 10, 8)), (0.3, 0.7, 1.1)
    there = tuple(h[k] for k in axes)
    expected = canonical_bytes(fdx.laplacian(u[0], *h))
    assert canonical_bytes(fdx.laplacian(u[0], *there, axis=axes)) == expected
    expected = canonical_bytes(fdx.divergence(u, *h))
    moved = [u[k] for k in axes]
    assert canonical_bytes(fdx.divergence(moved, *there, axis=axes)) == expected


def test_axis_errors():
    u = random((9, 10))
    for function in FUNCTIONS[:2]:
        with pytest.raises(np.exceptions.AxisError):
            function(u, axis=2)
        with pytest.raises(ValueError, match="axis: expected different axes"):
            function(u, axis=(0, -2))
        with pytest.raises(ValueError, match="axis: expected at least one axis"):
            function(u, axis=())
        with pytest.raises(TypeError):
            function(u, axis=0.5)
        with pytest.raises(ValueError, match="f: expected an array of at least one dimension"):
            function(1.0)
        with pytest.raises(ValueError, match=r"axis 0: expected at least 4 points.* got 3"):
            function(u[:3])


def test_component_errors():
    u = random((9, 10))
    for function in (fdx.divergence, fdx.curl):
        for many in ([u], [u] * 3, np.array([u, u, u])):
            with pytest.raises(ValueError, match=f"F: expected 2 components.* got {len(many)}"):
                function(many)
    for function in FUNCTIONS[2:]:
        with pytest.raises(ValueError, match="F: expected at least one component"):
            function([])
        with pytest.raises(ValueError, match="F: expected at least one component"):
            function(np.zeros((0, 9, 10)))
        with pytest.raises(ValueError, match=r"F: expected a sequence of arrays.* shape .9,."):
            function(np.zeros(9))
        with pytest.raises(ValueError, match=r"F\[1\]: expected the shape of F\[0\], \(9, 10\)"):
            function([u, u[:-1]])
        with pytest.raises(TypeError, match=r"F\[1\]: expected the dtype of F\[0\], float64"):
            function([u, u.astype("f4")])
        with pytest.raises(TypeError, match=r"F\[0\]: expected .* got float16"):
            function([u.astype("f2"), u])
        with pytest.raises(TypeError, match=r"F: expected .* got float16"):
            function(np.zeros((2, 9, 10), "f2"))
        with pytest.raises(TypeError, match="F: "):
            function(None)
        with pytest.raises(TypeError, match=r"F: .* all components in one .* write \[u, v\]"):
            function(u, u, 0.5, 0.5)
    with pytest.raises(ValueError, match="axis: expected 2 or 3 axes for a curl, got 1"):
        fdx.curl([u[0]])
    with pytest.raises(ValueError, match="axis: expected 2 or 3 axes for a curl, got 4"):
        fdx.curl(np.zeros((4, 5, 5, 5, 5)))


def test_curl_of_some_axes():
    u, v = random((9, 10)), random((9, 10), seed=1)
    vorticity = fdx.derivative(v, 0.1, axis=1) - fdx.derivative(u, 0.2, axis=0)
    assert_close(fdx.curl([u, v], 0.1, 0.2, axis=(1, 0)), vorticity, 1e-12)
    assert_close(fdx.curl([v, u], 0.2, 0.1), -vorticity, 1e-12)


# ------------------------------------------------------------------ memory


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i2", "u8", ">f8", ">f4"])
def test_dtypes_layouts_and_forms(function, dtype):
    F = random((3, 9, 10, 11), dtype)
    field = F[0] if function in FUNCTIONS[:2] else F
    wide = np.ascontiguousarray(field).astype("c16" if F.dtype.kind == "c" else "f8")
    want = function(wide, 0.5)
    got = function(field, 0.5)
    assert got.dtype.newbyteorder("=") == (
        F.dtype.newbyteorder("=") if F.dtype.kind in "fc" else np.float64
    )
    tolerance = 1e-5 if F.dtype.itemsize < 8 or dtype == "c8" else 1e-13
    assert_close(got, want, tolerance * abs(want).max() if F.dtype.kind != "i" else 0)
    if F.dtype.kind in "iu" or tolerance == 1e-13:
        assert canonical_bytes(np.asarray(got)) == canonical_bytes(np.asarray(want))
    forms = [np.asfortranarray(field), field[..., ::-1].copy()[..., ::-1]]
    if function in FUNCTIONS[2:]:
        forms += [list(F), tuple(F), [np.asfortranarray(f) for f in F], F.transpose(0, 1, 2, 3)]
        forms += [np.moveaxis(np.moveaxis(F, 0, -1).copy(), -1, 0)]
    for form in forms:
        assert canonical_bytes(np.asarray(function(form, 0.5))) == canonical_bytes(np.asarray(got))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("boundary", ["one-sided", "valid", "periodic"])
def test_out(jobs, function, boundary):
    F = random((3, 9, 10, 11))
    field = F[0] if function in FUNCTIONS[:2] else F
    options = dict(accuracy=4, boundary=boundary)
    want = function(field, 0.5, **options)
    for workers in (1, 3):
        same_values(np.asarray(function(field, 0.5, workers=workers, **options)), np.asarray(want))
        out = np.full(want.shape, 7.0)
        assert function(field, 0.5, out=out, workers=workers, **options) is out
        same_values(out, np.ascontiguousarray(want))
        out = np.full(want.shape, 7.0, order="F")
        assert function(field, 0.5, out=out, **options) is out
        assert (out == want).all()
        out = np.full([2 * n for n in want.shape], 7.0)
        view = out[tuple(slice(None, None, 2) for _ in want.shape)]
        assert function(field, 0.5, out=view, **options) is view
        assert (view == want).all()
        assert np.count_nonzero(out == 7) >= out.size - want.size


@pytest.mark.parametrize("function", FUNCTIONS)
def test_out_over_the_input(function):
    F = random((3, 9, 10, 11))
    field = F[0] if function in FUNCTIONS[:2] else F
    want = function(field, 0.5)
    whole = np.zeros(max(want.size, field.size) + 5)
    for shift in (0, 1, 5):
        source = whole[: field.size].reshape(field.shape)
        source[...] = field
        out = whole[shift : shift + want.size].reshape(want.shape)
        assert function(source, 0.5, out=out) is out
        assert (out == want).all()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_out_errors(function):
    F = random((3, 9, 10, 11))
    field = F[0] if function in FUNCTIONS[:2] else F
    shape = function(field).shape
    readonly = np.full(shape, 7.0)
    readonly.flags.writeable = False
    for out, kind, message in [
        (np.full((*shape[:-1], 12), 7.0), ValueError, "out: expected shape"),
        (np.full(shape, 7, "f4"), TypeError, "out: expected dtype float64, got float32"),
        (np.full(shape, 7, "i8"), TypeError, "out: expected dtype float64, got int64"),
        (readonly, ValueError, "out: expected a writeable array"),
        (np.ma.ones(shape), TypeError, "out: expected a numpy.ndarray"),
        (3, TypeError, "out: expected a numpy.ndarray, got int"),
    ]:
        before = canonical_bytes(np.asarray(out))
        with pytest.raises(kind, match=message):
            function(field, out=out)
        assert canonical_bytes(np.asarray(out)) == before


def test_valid_of_all_functions():
    F = random((3, 9, 10, 11))
    inside = (..., slice(1, -1), slice(1, -1), slice(1, -1))
    for function in FUNCTIONS:
        field = F[0] if function in FUNCTIONS[:2] else F
        got = function(field, 0.5, boundary="valid")
        assert_close(got, function(field, 0.5)[inside], 1e-13 * abs(got).max())


def test_constants():
    F = np.full((3, 9, 10, 11), 0.1)
    for function in FUNCTIONS:
        for boundary in CONSTANT:
            got = function(F[0] if function in FUNCTIONS[:2] else F, 0.3, boundary=boundary)
            assert not got.any()


def test_jacobian_of_many_components():
    F = np.random.default_rng(0).normal(size=(70, 6, 7))
    got = fdx.jacobian(F, 0.1)
    assert got.shape == (70, 2, 6, 7)
    for component, rows in zip(F, got, strict=True):
        for axis, row in enumerate(rows):
            assert (row == fdx.derivative(component, 0.1, axis=axis)).all()
    whole = np.zeros((70, 3, 6, 7))
    out = whole[:, 1:]
    assert fdx.jacobian(whole[:, 0] + F, 0.1, out=out) is out
    assert (out == got).all()
