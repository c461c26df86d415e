"""Blocks of operators: each result is the sum of what its row's operators make of the fields."""

import copy
import pickle

import numpy as np
import pytest

import fdx

D, ONE = fdx.Diff, fdx.Identity()
PERIODIC = {"boundary": "periodic"}


def applied(rows, fields):
    """The reference: operator by operator."""
    results = []
    for row in rows:
        parts = [A(u) for A, u in zip(row, fields, strict=True) if A is not None]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        results.append(total)
    return results


def blocks():
    A, B = D(0, 0.1), D(1, 0.2, deriv=2, accuracy=4)
    c = np.random.default_rng(7).random((20, 30))
    yield [[A, B], [ONE, None]]
    yield [[A, B]]
    yield [[A], [B], [2 * ONE]]
    yield [[None, A], [B, None]]
    yield [[2 * ONE + 0.1 * (D(0, deriv=2) + D(1, deriv=2)), -ONE]]
    yield [[c * A, 0.5 * ONE]]
    yield [[c * A, c * ONE], [B, A @ B]]


@pytest.mark.parametrize("rows", list(blocks()), ids=lambda rows: f"{len(rows)}x{len(rows[0])}")
@pytest.mark.parametrize("dtype", ["f4", "f8", "c16"])
def test_each_result_is_the_sum_of_its_row(rows, dtype, jobs):
    rng = np.random.default_rng(1)
    M, n, m = fdx.block(rows), len(rows[0]), len(rows)
    u = (rng.normal(size=(n, 20, 30)) * 9).astype(dtype)
    want = np.stack(applied(rows, u))
    want = want if m > 1 else want[0]
    fields = list(u) if n > 1 else u[0]
    for given in (fields, tuple(fields) if n > 1 else fields, u if n > 1 else u[0], fields):
        assert M(given).tobytes() == want.tobytes()
    for workers in (1, 3):
        out = rng.normal(size=want.shape).astype(want.dtype)
        y = out.copy()
        assert M(fields, out=out, workers=workers) is out
        assert out.tobytes() == want.tobytes()
        if want.dtype.kind != "c":
            before, half = y.copy(), want.dtype.type(0.5)
            M(fields, out=y, alpha=0.5, beta=-1, workers=workers)
            assert y.tobytes() == (half * want - before).tobytes()
    if m > 1:
        outs = [np.empty_like(want[0]) for _ in range(m)]
        assert M(fields, out=outs) is outs
        assert np.stack(outs).tobytes() == want.tobytes()


def test_fields_that_share_memory_with_out():
    u = np.random.default_rng(2).normal(size=(2, 20, 30))
    M = fdx.block([[D(0), D(1)], [ONE, D(0)]])
    want = M(u.copy())
    assert M(u, out=u).tobytes() == want.tobytes()


def test_algebra():
    """As dense matrices."""
    rng, shape = np.random.default_rng(3), (5, 6)
    A, B, L = D(0, 0.1, **PERIODIC), D(1, 0.2), D(0, deriv=2) + D(1, deriv=2)
    M, row, column = (
        fdx.block(rows) for rows in ([[A, B], [ONE, None]], [[A, 3 * ONE]], [[B], [-2 * ONE]])
    )
    c = rng.random(shape)

    def dense(one):
        return one.matrix(shape).toarray()

    for made, want in (
        (M.T, dense(M).T),
        (row.T, dense(row).T),
        (M + M.T, dense(M) + dense(M).T),
        (M - 2 * M, -dense(M)),
        (-M / 4, dense(M) / -4),
        (M * 3.0, dense(M) * 3),
        (+M, dense(M)),
        (M @ M, dense(M) @ dense(M)),
        (row @ column, dense(row) @ dense(column)),
        (column @ row, dense(column) @ dense(row)),
        (M @ L, dense(M) @ np.kron(np.eye(2), dense(L))),
        (L @ M, np.kron(np.eye(2), dense(L)) @ dense(M)),
        (c * M, np.diag(np.tile(c.ravel(), 2)) @ dense(M)),
    ):
        np.testing.assert_allclose(dense(made), want, atol=1e-12 * abs(want).max())
    assert type(row @ column) is fdx.Operator
    operator = M.as_linear_operator(shape)
    u, v = rng.normal(size=(2, 60))
    np.testing.assert_allclose(operator @ u, dense(M) @ u)
    np.testing.assert_allclose(v @ (operator @ u), (operator.H @ v) @ u)


def test_blocks_are_values():
    rows = [[D(0, 0.1), None], [D(1), ONE]]
    M = fdx.block(rows)
    assert M == fdx.block(rows) == pickle.loads(pickle.dumps(M)) == copy.copy(M) == copy.deepcopy(M)
    assert hash(M) == hash(fdx.block(rows))
    assert M not in (M.T, 2 * M, fdx.block(rows[::-1]), D(0))
    assert eval(repr(M), vars(fdx)) == M
    assert M.axes == (0, 1)


def test_common_points():
    V = fdx.block([[D(0, boundary="valid")], [D(1, boundary="valid")]])
    u = np.random.default_rng(4).normal(size=(6, 7))
    assert V.output_shape((6, 7)) == (4, 5)
    assert (V(u)[0] == D(0)(u)[1:-1, 1:-1]).all()
    assert V.T.output_shape((4, 5)) == (6, 7)
    np.testing.assert_array_equal(V.matrix((6, 7)).toarray().T, V.T.matrix((4, 5)).toarray())


@pytest.mark.parametrize("n", [3, 4, 17])
def test_staggered_fields(n):
    """Results half a spacing from each other: no point is lost, and each has its own bits."""
    after, before = (D(0, 0.5, position=p, **PERIODIC) for p in ("right", "left"))
    sound = fdx.block([[None, -before], [-after, None]])
    u = np.random.default_rng(5).normal(size=(2, n))
    assert sound(u).tobytes() == np.stack([-before(u[1]), -after(u[0])]).tobytes()
    dense = sound.matrix(n).toarray()
    assert (dense == -dense.T).all()
    assert (sound.T.matrix(n).toarray() == dense.T).all()
    with_transpose = fdx.block([[None, after.T], [-after, None]])
    assert (with_transpose.matrix(n).toarray() == dense).all()
    mean = fdx.block([[fdx.Interp(0, position="right", **PERIODIC)], [ONE]])
    assert mean(u[0]).shape == (2, n)
    inner = D(0, position="inner")
    for rows in ([[ONE], [inner]], [[inner.T, None], [None, ONE]], [[inner, ONE]]):
        with pytest.raises(ValueError, match="rows: expected results at the same places"):
            fdx.block(rows)(np.ones((2, n)) if len(rows[0]) > 1 else np.ones(n))
    step = fdx.block([[ONE, None], [None, ONE]]) + 0.1 * sound
    assert (
        step(u).tobytes()
        == np.stack([u[0] + -0.1 * before(u[1]), u[1] + -0.1 * after(u[0])]).tobytes()
    )


def test_staggered_fields_in_two_dimensions():
    """Velocities half a spacing from the pressure, each along its own axis."""
    (r0, l0), (r1, l1) = (
        [D(axis, 0.5, position=p, **PERIODIC) for p in ("right", "left")] for axis in (0, 1)
    )
    grad, div = fdx.block([[r0], [r1]]), fdx.block([[l0, l1]])
    shape = 5, 6
    rng = np.random.default_rng(12)
    p, flow = rng.normal(size=shape), rng.normal(size=(2, *shape))
    assert (grad(p) == [r0(p), r1(p)]).all()
    assert (div(flow) == l0(flow[0]) + l1(flow[1])).all()
    assert (grad.T.matrix(shape).toarray() == -div.matrix(shape).toarray()).all()
    laplacian = fdx.Laplacian((0, 1), 0.5, **PERIODIC)
    np.testing.assert_allclose((div @ grad)(p), laplacian(p), atol=1e-12)
    curl = fdx.block([[-r1, r0]])  # of the flow, at the corners
    np.testing.assert_allclose(curl(grad(p)), 0, atol=1e-12)


def test_products_with_data_and_cropped_points():
    """As one block after the other."""
    rng = np.random.default_rng(13)
    u = rng.normal(size=(2, 12, 13))
    L = D(0, deriv=2, boundary=fdx.Dirichlet(3.0, outside=0.5))
    valid, periodic = D(0, boundary="valid"), D(0, **PERIODIC)
    blocks = [
        fdx.block(rows)
        for rows in (
            [[L, None], [ONE, L]],
            [[ONE, valid], [periodic, ONE]],
            [[periodic, L], [L, L]],
            [[None, D(1, boundary="valid")], [L, ONE]],
        )
    ]
    for A in blocks:
        for B in blocks:
            np.testing.assert_allclose((A @ B)(u), A(B(u)), atol=1e-11)
            linear = (A @ B).linear.matrix((12, 13)).toarray()
            after = B.output_shape((12, 13))
            want = (A.linear.matrix(after) @ B.linear.matrix((12, 13))).toarray()
            np.testing.assert_allclose(linear, want, atol=1e-11)
        np.testing.assert_allclose((L @ A)(u), [L(one) for one in A(u)], atol=1e-11)
        np.testing.assert_allclose((A @ L)(u), A([L(one) for one in u]), atol=1e-11)


def test_data_of_boundaries():
    rng = np.random.default_rng(6)
    values = rng.normal(size=9)
    L = D(0, deriv=2, boundary=(fdx.Dirichlet(values), fdx.Neumann(2.0)))
    M = fdx.block([[L, D(1)], [None, D(1, boundary=(fdx.Dirichlet(3.0), "one-sided"))]])
    u = rng.normal(size=(2, 8, 9))
    want = np.stack(applied(M._rows, u))
    for _ in range(2):
        np.testing.assert_allclose(M(u), want, atol=1e-12)
        np.testing.assert_allclose(M.linear(u) + M.offset((8, 9)), want, atol=1e-12)
        out = np.ones_like(u)
        np.testing.assert_allclose(M(u, out=out, alpha=-2, beta=3), 3 - 2 * want, atol=1e-11)
    for name in ("T", "matrix", "as_linear_operator"):
        with pytest.raises(ValueError, match=r"M\.linear"):
            getattr(M, name)((8, 9))


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_values_of_vector_calculus(ndim):
    """Functions are calls of them."""
    rng, axes = np.random.default_rng(8), tuple(range(ndim))
    F = rng.normal(size=(ndim, 6, 7, 8)[: ndim + 1])
    h = [0.1, np.cumsum(rng.uniform(1, 2, 7)), 0.3][:ndim]
    options = {"accuracy": 4, "boundary": ["one-sided", "valid", "periodic"][:ndim]}
    pairs = [
        (fdx.Laplacian, fdx.laplacian, F[0]),
        (fdx.Divergence, fdx.divergence, F if ndim > 1 else F[0]),
        (fdx.Hessian, fdx.hessian, F[0]),
        (fdx.Jacobian, fdx.jacobian, F),
    ]
    if ndim > 1:
        pairs.append((fdx.Curl, fdx.curl, F))
    for value, function, given in pairs:
        L = value(axes, *h, **options)
        one_field = function is fdx.divergence and ndim == 1
        want = function([given] if one_field else given, *h, **options)
        for _ in range(2):
            assert L(given).tobytes() == want.tobytes()
        assert value(axes, *h, **options) == L
    J = fdx.jacobian([F[0]], *h, **options)[0]
    G = fdx.Gradient(axes, *h, **options)
    assert G(F[0]).tobytes() == J.tobytes()
    from_the_last = fdx.Gradient(tuple(a - ndim for a in axes), *h, **options)
    assert from_the_last(F[0]).tobytes() == J.tobytes()


def test_data_of_boundaries_in_a_matrix_of_results():
    u = np.random.default_rng(14).normal(size=(2, 6, 7))
    A = D(0, boundary=fdx.Dirichlet(1.5))
    for M, fields in ((fdx.Jacobian((0, 1)) @ A, u), (fdx.Hessian((0, 1)) @ A, u[0])):
        plain = fdx.Jacobian((0, 1)) if fields is u else fdx.Hessian((0, 1))
        want = plain(np.stack([A(one) for one in u]) if fields is u else A(fields))
        np.testing.assert_allclose(M(fields), want, atol=1e-12)
        np.testing.assert_allclose(M(fields, out=np.empty_like(want)), want, atol=1e-12)
        np.testing.assert_allclose(M.linear(fields) + M.offset((6, 7)), want, atol=1e-12)


def test_what_is_accepted_does_not_depend_on_earlier_calls():
    M, w = fdx.Hessian((0, 1)).T, np.ones((2, 2, 6, 7))
    for _ in range(2):
        assert M(w).shape == (6, 7)
        with pytest.raises(ValueError, match=r"expected an array of shape \(2, 2\)"):
            M(list(w.reshape(4, 6, 7)))

    class Resizes:
        def __index__(self):
            w.resize((1,), refcheck=False)
            return 1

    with pytest.raises(ValueError, match="u"):
        M(w, workers=Resizes())


def test_a_transposed_hessian_and_jacobian():
    rng = np.random.default_rng(9)
    for value, shape in ((fdx.Hessian, (5, 6)), (fdx.Jacobian, (2, 5, 6))):
        M = value((0, 1), 0.1)
        u = rng.normal(size=shape)
        v = rng.normal(size=(2, 2, 5, 6))
        np.testing.assert_allclose(np.vdot(v, M(u)), np.vdot(M.T(v), u))
        np.testing.assert_allclose(M.matrix((5, 6)) @ u.ravel(), M(u).ravel(), atol=1e-10)


def test_a_mirror():
    """The vorticity beside mirrors: components across them are odd, others are even. A flow that
    has the mirrors' symmetry goes on beyond them."""
    n = 12
    x, y = np.meshgrid(*[(np.arange(2 * n) + 0.5) * np.pi / n] * 2, indexing="ij")
    u, v = np.sin(x) * np.cos(2 * y), np.cos(3 * x) * np.sin(y)
    odd, even = D(1, boundary="symmetric"), D(0, boundary="symmetric")
    at_mirrors = fdx.block([[-odd, even]])
    everywhere = fdx.Curl((0, 1), boundary="periodic")
    half = (slice(n), slice(n))
    want = everywhere([u, v])[half]
    np.testing.assert_allclose(at_mirrors([u[half], v[half]]), want, atol=1e-14)
    other = fdx.block([[-D(1, boundary="antisymmetric"), even]])
    assert abs(other([u[half], v[half]]) - want).max() > 0.1


A = D(0)


@pytest.mark.parametrize(
    ("rows", "error", "text"),
    [
        (A, TypeError, "rows: expected a list of rows"),
        ([], TypeError, "rows: expected a list of rows"),
        ([A, A], TypeError, r"for row 0; write \[\[A, B\]\] for one row"),
        (
            [[A], [A, A]],
            ValueError,
            "rows of one length, got 1 operators in row 0 and 2",
        ),
        ([[]], ValueError, "got no operator in row 0"),
        ([[A, None], [A, None]], ValueError, "got only None in column 1"),
        ([[A, A], [None, None]], ValueError, "got only None in row 1"),
        ([[A, 2]], TypeError, r"rows\[0\]\[1\]: expected an operator or None, got int; write 2 \*"),
        ([[A, "x"]], TypeError, r"rows\[0\]\[1\]: expected an operator or None, got str"),
        ([[A] * 65], ValueError, "at most 64 rows and columns of operators, got 1 x 65"),
    ],
    ids=str,
)
def test_bad_rows(rows, error, text):
    with pytest.raises(error, match=text):
        fdx.block(rows)


@pytest.mark.parametrize(
    ("u", "error", "text"),
    [
        (np.ones((5, 6)), ValueError, "u: expected 2 fields, one for each column, got 5"),
        ([np.ones(6)], ValueError, "u: expected 2 fields, one for each column, got 1"),
        ([np.ones(6), np.ones(5)], ValueError, r"u\[1\]: expected the shape of u\[0\], \(6,\)"),
        ([np.ones(6), np.ones(6, "f4")], TypeError, r"u\[1\]: expected the dtype of u\[0\]"),
        (3.0, ValueError, "u: expected an array of at least one dimension"),
        (np.ones(2), ValueError, "u: expected a sequence of arrays"),
    ],
    ids=str,
)
def test_bad_fields(u, error, text):
    M, out = fdx.block([[A, A], [A, None]]), np.full((2, 6), 7.0)
    with pytest.raises(error, match=text):
        M(u, out=out)
    assert (out == 7).all()


def test_bad_out():
    M, u = fdx.block([[A, A], [A, None]]), np.ones((2, 6))
    for out, error in (
        (np.ones((3, 6)), ValueError),
        (np.ones((2, 6), "f4"), TypeError),
        ([np.ones(6)], ValueError),
        ([np.ones(6), np.ones(5)], ValueError),
        ([u[0], u[0]], ValueError),
        (7, TypeError),
    ):
        with pytest.raises(error, match="out"):
            M(u, out=out)
    with pytest.raises(ValueError, match=r"out: expected the array that beta=1 multiplies"):
        M(u, beta=1)


def test_other_operands():
    M = fdx.block([[A, A]])
    for wrong in (
        lambda: M + 1,
        lambda: M + A,
        lambda: A + M,
        lambda: M + M.T,
        lambda: M @ M,
        lambda: M @ np.ones((2, 5)),
        lambda: np.ones((2, 5)) @ M,
        lambda: M / 0,
        lambda: M * np.ones(5),
        lambda: np.asarray(M),
        lambda: fdx.Gradient(()),
        lambda: fdx.Gradient((0, -1)),
        lambda: fdx.Gradient((0, 0)),
        lambda: fdx.Gradient(0.5),
        lambda: fdx.Curl((0, 1, 2, 3)),
        lambda: fdx.Jacobian((0, 1), components=0),
        lambda: fdx.Hessian(tuple(range(9))),
    ):
        with pytest.raises((TypeError, ValueError, ZeroDivisionError)):
            wrong()
