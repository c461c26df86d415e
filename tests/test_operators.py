"""Operators as values: their algebra against dense matrices, symbols against waves."""

import contextlib
import copy
import functools
import inspect
import pickle
import re
import warnings

import mpmath
import numpy as np
import pytest
import reference
import scipy.sparse
import scipy.sparse.linalg
from compare import canonical_bytes
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from in_threads import in_threads
from operators import diffs, has_product, operators, shapes
from stencils import BOUNDARIES, assert_close, weights_of

import fdx
from fdx._operators import analysis
from fdx._operators.plans import stages_of

EPS = np.finfo(np.float64).eps
some = settings(max_examples=max(1, settings().max_examples // 5))


def same(got, want):
    """Equal numbers, 0 and -0 being the same."""
    assert got.shape == want.shape
    assert (got == want).all(), f"{got}\n{want}"


def same_values(got, want):
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    assert canonical_bytes(got) == canonical_bytes(want)


def random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def drawn(**options):
    return shapes.flatmap(lambda shape: operators(shape, **options))


# ------------------------------------------------------------------ what an operator computes


@given(made=drawn(), seed=st.integers(0, 99))
def test_applied(made, seed):
    u = random(made.in_shape, seed)
    got = made.operator(u)
    assert got.shape == made.shape == made.operator.output_shape(made.in_shape)
    bound = 40 * EPS * (made.size @ abs(u.ravel()))
    assert_close(got.ravel(), made.matrix @ u.ravel(), bound, made.text)


@given(made=drawn())
@some
def test_matrix(made):
    got = made.operator.matrix(made.in_shape)
    assert isinstance(got, scipy.sparse.csr_array)
    assert got.dtype == np.float64
    assert got.has_sorted_indices
    assert_close(got.toarray(), made.matrix, 40 * EPS * made.size, made.text)


@given(made=drawn(depth=3, arrays=False))
@some
def test_matrix_columns_are_what_unit_vectors_give(made):
    matrix = made.operator.matrix(made.in_shape).toarray()
    units = np.eye(matrix.shape[1])
    for column, unit in zip(matrix.T, units, strict=True):
        same(made.operator(unit.reshape(made.in_shape)).ravel(), column)


@given(made=drawn(arrays=False), seed=st.integers(0, 99))
@some
def test_arrays_outside_keep_the_columns(made, seed):
    assume(not made.cropped)  # which has another test
    c = random(made.shape, seed)
    weighed = c * made.operator
    matrix = weighed.matrix(made.in_shape).toarray()
    for column, unit in zip(matrix.T, np.eye(matrix.shape[1]), strict=True):
        same(weighed(unit.reshape(made.in_shape)).ravel(), column)


@given(made=drawn(depth=2))
@some
def test_transpose_with_arrays(made):
    """Exact, but up to rounding for products with arrays of coefficients."""
    matrix = made.operator.matrix(made.in_shape).toarray()
    got = made.operator.T.matrix(made.shape).toarray()
    if made.text.count("array") <= 1 and "@" not in made.text:
        same(got, matrix.T)
    assert (abs(got - matrix.T) <= 8 * np.finfo(float).eps * made.size.T).all()


@pytest.mark.parametrize("seed", range(20))
def test_transpose_is_exact_where_other_terms_have_fewer_points(seed):
    """The product is the same one, whether the sum or its transpose leaves out the points."""
    x = np.cumsum(np.random.default_rng(seed).uniform(0.3, 1.5, 7))
    D, valid = fdx.Diff(0), fdx.Diff(0, deriv=2, accuracy=4, boundary="valid")
    for product in (D.T @ fdx.Diff(0, x), D @ fdx.Diff(0, x).T @ D):
        L = valid + 2.0 * product
        same(L.T.matrix(L.output_shape((7,))).toarray(), L.matrix((7,)).toarray().T)


@pytest.mark.parametrize("seed", range(12))
def test_transpose_is_exact_where_terms_along_other_axes_have_fewer_points(seed):
    x = np.cumsum(np.random.default_rng(seed).uniform(0.3, 1.5, 9))
    D, Dx, D2 = fdx.Diff(0), fdx.Diff(0, x), fdx.Diff(0, x, deriv=2)
    fewer = fdx.Diff(0, accuracy=4, boundary="valid") @ fdx.Diff(1)
    for product in (Dx @ D, D.T @ Dx, 2.0 * D @ Dx.T):
        L = product + 0.1 * D2 + fewer
        same(L.T.matrix(L.output_shape((9, 3))).toarray(), L.matrix((9, 3)).toarray().T)


JITTERED = np.cumsum(np.random.default_rng(2).uniform(0.7, 1.3, 90))


@pytest.mark.parametrize(
    "boundary", ["one-sided", "symmetric", "valid", ("valid", "reflect"), "periodic"]
)
@pytest.mark.parametrize("c", [0.5, 0.25, 0.3])
def test_powers_of_sums_are_right_or_an_error(boundary, c):
    check_powers(c, fdx.Diff(0, deriv=2, boundary=boundary))


@pytest.mark.parametrize("boundary", ["one-sided", "symmetric", "reflect", "periodic"])
@pytest.mark.parametrize("c", [0.25, 0.2])
def test_powers_of_sums_on_coordinates_are_right_or_an_error(boundary, c):
    period = 92.0 if boundary == "periodic" else None
    check_powers(c, fdx.Diff(0, JITTERED, deriv=2, boundary=boundary, period=period))


def check_powers(c, D2):
    step = fdx.Identity() + c * D2
    u, refused = random(90), 0
    result = step(u)
    for k in range(2, 41):
        result = step(result)
        if not refused:
            with contextlib.suppress(ValueError):
                assert abs((step**k)(u) - result).max() <= 1e-7 * abs(result).max()
                continue
        refused += 1
        with pytest.raises(ValueError, match=r"the expanded product are .* times as large"):
            step**k
    assert refused > 5


def test_powers_of_sums_with_fewer_points_have_a_term_for_each_power(monkeypatch):
    """Rows of a "valid" derivative may be left out before or after it."""
    D, one = fdx.Diff(0, boundary="valid"), fdx.Identity()
    assert (one + D) @ (one + D) == one + 2 * D + D @ D
    assert ((one + D) ** 40 @ D).output_shape(100) == (18,)
    left, right = (
        one + fdx.Diff(0, boundary=ends) for ends in (("valid", "reflect"), ("reflect", "valid"))
    )
    assert (left @ right) @ left == left @ (right @ left)
    assert (left + right) ** 4 == (left + right) ** 2 @ (left + right) ** 2
    monkeypatch.setattr("fdx._operators.products.MAX_PRODUCTS", 3 * 63)
    c, e, D = np.ones(30), np.zeros(30), fdx.Diff(0)
    with pytest.raises(ValueError, match="at most 189 products of their terms, got 127 times 3"):
        (one + c * D + e * D) ** 40


def test_products_that_lose_no_digits_are_no_error():
    """Nor do those that are 0 between the boundaries."""
    one, D, D2 = fdx.Identity(), fdx.Diff(0), fdx.Diff(0, deriv=2)
    smooth = one + 0.1 * fdx.Diff(0, deriv=2, boundary="symmetric")
    u, c = random(40), np.linspace(1, 2, 40)
    for A in (D2 - D2.T, D + D.T, D @ D2 - D2 @ D, c * D - c[::-1] * D, c * D - D @ (c * one)):
        for P, Q in ((A, smooth**8), (smooth**8, A)):
            result = Q(u)
            assert_close((P @ Q)(u), P(result), 1e-12 * abs(P(result)).max())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (one + fdx.Diff(0, 1e-14, deriv=2, boundary="periodic")) ** 12


@pytest.mark.parametrize("more", ["outside", "beside"])
def test_arrays_hide_no_cancellation(more):
    one, c = fdx.Identity(), np.linspace(0, 1, 40)
    A = one + 0.5 * fdx.Diff(0, deriv=2, boundary="symmetric")
    first = (c * one) @ A**16 if more == "outside" else A**16 + 1e-3 * c * fdx.Diff(0)
    with pytest.raises(ValueError, match="times as large as their sum"):
        first @ A**16


@pytest.mark.parametrize("seed", range(40))
def test_products_of_sums_with_fewer_points(seed):
    """Operators in turn give what their product gives; and so do their transposes."""
    rng = np.random.default_rng(seed)
    ends = ["valid", "valid", "one-sided", "reflect", "symmetric-odd"]

    def derivative(shape):
        axis = int(rng.integers(len(shape)))
        x = np.cumsum(rng.uniform(0.5, 1.5, shape[axis])) if rng.random() < 0.2 else 0.5
        both = tuple(rng.choice(ends, 2).tolist())
        D = fdx.Diff(axis, x, accuracy=2 * int(rng.integers(1, 3)), boundary=both)
        if rng.random() < 0.2:
            return rng.uniform(0.5, 1.5, D.output_shape(shape)) * D
        return D.T if np.isscalar(x) and rng.random() < 0.2 else D

    shape = (19, 17)[: rng.integers(1, 3)]
    one, u = fdx.Identity(), random(shape, seed)
    product, result, factors = one, u, []
    for _ in range(3):
        A = sum((derivative(result.shape) for _ in range(rng.integers(3))), start=2 * one)
        result, product = A(result), A @ product
        factors.append(A)
    assert_close(product(u), result, 1e-11 * abs(result).max())
    v = v_in_turn = random(result.shape, seed)
    for A in reversed(factors):
        v_in_turn = A.T(v_in_turn)
    assert_close(product.T(v), v_in_turn, 1e-11 * abs(v_in_turn).max())


@pytest.mark.parametrize("seed", range(40))
def test_sums_beside_terms_with_coefficients_that_have_fewer_points(seed):
    """These terms decide which points of the others are left, but are no part of their sum."""
    rng = np.random.default_rng(seed)
    n, x = 24, np.cumsum(rng.uniform(0.5, 1.5, 24))
    sides = [("valid", "valid"), ("valid", "reflect"), ("reflect", "valid")]

    def one_sided_at(ends, accuracy, deriv=1):
        return fdx.Diff(0, deriv=deriv, accuracy=accuracy, boundary=ends)

    first = one_sided_at(sides[rng.integers(3)], 2 * rng.integers(1, 3), rng.integers(1, 4))
    K = first
    for _ in range(rng.integers(1, 4)):
        spacing = x if rng.random() < 0.5 else 0.5
        boundary = str(rng.choice(["reflect", "one-sided", "symmetric"]))
        K = K + fdx.Diff(0, spacing, deriv=rng.integers(1, 3), boundary=boundary)
    K = K.T
    ends = sides[rng.integers(3)]
    W = one_sided_at(ends, 2 * rng.integers(2, 4))
    (rows,), (columns,) = W.output_shape((n,)), first.output_shape((n,))
    c = rng.normal(size=rows)
    lost = n - rows if ends[1] != "valid" else (n - rows) // 2
    lo = lost if ends[0] == "valid" else 0
    k, w = K.matrix((columns,)).toarray(), W.matrix((n,)).toarray()
    got = (K + c * (W @ K)).matrix((columns,)).toarray()
    want = k[lo : lo + rows] + c[:, None] * (w @ k)
    assert abs(got - want).max() <= 1e-12 * abs(want).max()


@pytest.mark.parametrize("shape", [(9, 10), (10, 9), (4, 5, 6)])
def test_spectral_radius_of_numbers_beside_another_axis(shape):
    for axis in range(-1, len(shape)):
        L = fdx.Diff(axis, 0.1, deriv=2, boundary="reflect") - 2 * fdx.Identity()
        exact = abs(np.linalg.eigvals(L.matrix(shape).toarray())).max()
        assert exact * (1 - 1e-9) <= L.spectral_radius(shape) <= exact * 1.01


@given(made=drawn(depth=3, arrays=False))
@some
def test_transpose_is_exact(made):
    transpose = made.operator.T
    assert transpose.output_shape(made.shape) == made.in_shape
    matrix = made.operator.matrix(made.in_shape).toarray()
    same(transpose.matrix(made.shape).toarray(), matrix.T)
    same(transpose.T.matrix(made.in_shape).toarray(), matrix)


@given(made=drawn(), seed=st.integers(0, 99))
@some
def test_inner_products(made, seed):
    u, v = random(made.in_shape, seed), random(made.shape, seed + 1)
    left, right = np.vdot(v, made.operator(u)), np.vdot(made.operator.T(v), u)
    bound = 100 * EPS * (abs(v.ravel()) @ made.size @ abs(u.ravel()))
    assert abs(left - right) <= bound


@given(made=shapes.flatmap(diffs), seed=st.integers(0, 99))
@some
def test_matrix_of_a_derivative_times_a_vector(made, seed):
    u = random(made.in_shape, seed).ravel()
    matrix = made.operator.matrix(made.in_shape)
    got = made.operator(u.reshape(made.in_shape)).ravel()
    bound = 8 * EPS * (abs(matrix) @ abs(u) + made.size.max() * 1e-3)
    assert_close(matrix @ u, got, bound)
    same(matrix.toarray(), made.matrix)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_powers(boundary):
    """The n-th derivative for multiples of a derivative, products for everything else."""
    x = np.cumsum(np.random.default_rng(0).uniform(0.5, 1, 20))
    for spacing in (0.3, x):
        period = 30.0 if boundary == "periodic" and np.ndim(spacing) else None
        options = dict(accuracy=4, boundary=boundary, period=period)
        D = fdx.Diff(0, spacing, **options)
        u = random(20)
        for n in (1, 2, 3):
            want = fdx.derivative(u, spacing, deriv=n, **options)
            same_values((D**n)(u), want)
            same_values(fdx.Diff(0, spacing, deriv=n, **options)(u), want)
        same_values(((D**2) ** 2)(u), fdx.derivative(u, spacing, deriv=4, **options))
    D = fdx.Diff(0, 0.3, boundary=boundary)
    E = 2 * D
    u = random(30)
    assert_close((E**2)(u), 4 * (D**2)(u), 0)
    F = D + fdx.Diff(0, 0.3, deriv=2, boundary=boundary)
    assert_close((F**2)(u), (F @ F)(u), 0)
    if boundary != "valid":
        twice = weights_of(30, 0.3, boundary=boundary)
        assert_close(
            (D @ D)(u), twice @ (twice @ u), 20 * EPS * (abs(twice) @ (abs(twice) @ abs(u)))
        )


@given(shape=shapes, data=st.data())
@some
def test_algebra(shape, data):
    """Distributivity, associativity, transposes of sums and products."""
    a, b, c = (data.draw(operators(shape, depth=1, square=True)) for _ in range(3))
    assume(all(has_product(p, q) for p in (a, b, c) for q in (a, b, c)))
    A, B, C = a.operator, b.operator, c.operator
    u = random(shape)

    def agree(left, right, size):
        bound = 100 * EPS * (size @ abs(u.ravel())).reshape(shape)
        assert_close(left(u), right(u), bound, f"{a} {b} {c}")

    agree(A + B, B + A, a.size + b.size)
    agree((A + B) + C, A + (B + C), a.size + b.size + c.size)
    agree(A @ (B + C), A @ B + A @ C, a.size @ (b.size + c.size))
    agree((A + B) @ C, A @ C + B @ C, (a.size + b.size) @ c.size)
    agree((A @ B) @ C, A @ (B @ C), a.size @ b.size @ c.size)
    agree((A @ B).T, B.T @ A.T, b.size.T @ a.size.T)
    agree((A + B).T, A.T + B.T, (a.size + b.size).T)
    agree(2 * (A - B), 2 * A - 2 * B, 2 * (a.size + b.size))
    agree(A / 4, 0.25 * A, a.size)
    agree(-A, -1 * A, a.size)
    agree(+A, A, a.size)
    agree(A - A, 0 * A, 2 * a.size)
    x = (A @ B)(u)
    bound = 100 * EPS * (a.size @ (b.size @ abs(u.ravel()))).reshape(shape)
    assert_close(x, A(B(u)), bound, f"{a} {b}")


def test_products_along_axes_in_any_order():
    u = random((12, 10, 9))
    D = [fdx.Diff(d, 0.1 * (d + 1), accuracy=4) for d in range(3)]
    want = D[0](D[1](D[2](u)))
    for order in [(0, 1, 2), (2, 1, 0), (1, 2, 0)]:
        got = (D[order[0]] @ D[order[1]] @ D[order[2]])(u)
        assert_close(got, want, 1e-10 * abs(want).max())


def test_negative_axes():
    u = random((6, 7, 8))
    for axis in (-3, -2, -1):
        same_values(fdx.Diff(axis)(u), fdx.Diff(axis + 3)(u))
    laplacian = fdx.Diff(-1) ** 2 + fdx.Diff(-2) ** 2
    want = fdx.derivative(u, axis=2, deriv=2) + fdx.derivative(u, axis=1, deriv=2)
    assert_close(laplacian(u), want, 1e-14)
    assert_close(laplacian(u[0]), want[0], 1e-14)
    with pytest.raises(np.exceptions.AxisError):
        fdx.Diff(3)(u)
    with pytest.raises(np.exceptions.AxisError):
        fdx.Diff(-4)(u)


# ------------------------------------------------------------------ "valid"


def test_sums_of_valid_are_cropped_to_what_all_have():
    u = random((12, 11))
    x, y = fdx.Diff(0, 0.5, accuracy=4, boundary="valid"), fdx.Diff(1, boundary="valid")
    whole = fdx.Diff(1, accuracy=4)
    same_values(x(u), fdx.derivative(u, 0.5, axis=0, accuracy=4, boundary="valid"))
    assert (x + y).output_shape((12, 11)) == (8, 9)
    same_values((x + y)(u), x(u)[:, 1:-1] + y(u)[2:-2])
    same_values((y + x)(u), y(u)[2:-2] + x(u)[:, 1:-1])
    same_values((x + whole)(u), x(u) + whole(u)[2:-2])
    # Of several along one axis the weights are added first.
    rounding = 1e-13
    want = x(u)[:, 1:-1] - y(u)[2:-2] + whole(u)[2:-2, 1:-1]
    assert_close((x - y + whole)(u), want, rounding)
    left = fdx.Diff(0, boundary=("valid", "one-sided"))
    right = fdx.Diff(0, boundary=("one-sided", "valid"))
    assert_close((left + right)(u), left(u)[:-1] + right(u)[1:], rounding)
    second = fdx.Diff(0, deriv=2, boundary="valid")
    assert_close((x + second)(u), x(u) + second(u)[1:-1], rounding)
    for operator in (x + y, x + whole, left + right, x - y + whole, 2 * (x + y)):
        matrix = operator.matrix((12, 11)).toarray()
        out_shape = operator.output_shape((12, 11))
        same(operator.T.matrix(out_shape).toarray(), matrix.T)
        v = random(out_shape, 1)
        assert operator.T(v).shape == (12, 11)
        assert_close(operator.T(v).ravel(), matrix.T @ v.ravel(), 1e-13)


def test_transposes_of_cropped_sums_keep_their_numbers():
    x, y = fdx.Diff(0, boundary="valid"), fdx.Diff(1, boundary="valid")
    wide = fdx.Diff(0, accuracy=4, boundary="valid")
    v = random((6, 5))
    for L in (
        2 * (x + y),
        x - y,
        -x - y,
        0.5 * x + 3 * y,
        2 * x - wide,
        x @ x - 3 * y,
        x - 2 * (x @ y),
    ):
        matrix = L.matrix((6, 5)).toarray()
        same(L.T.matrix(L.output_shape((6, 5))).toarray(), matrix.T)
        v = random(L.output_shape((6, 5)))
        assert_close(L.T(v).ravel(), matrix.T @ v.ravel(), 1e-13)


def test_transposes_of_sums_of_valid_and_periodic():
    L = fdx.Diff(0, boundary="valid") + fdx.Diff(0, deriv=2, boundary="periodic")
    matrix = L.matrix(8).toarray()
    same(L.T.matrix(6).toarray(), matrix.T)


def test_products_of_what_is_not_one_banded_matrix():
    """Periodic and other derivatives, or stencils wider than a periodic axis, are applied one
    after the other."""
    u = random((4, 7))
    wide = fdx.Diff(1, accuracy=4, boundary="periodic")
    for A, B in ((wide, wide), (wide, fdx.Diff(1)), (fdx.Diff(1), wide)):
        L = A @ B
        close = 8 * np.finfo(float).eps * abs(L.matrix(u.shape)) @ abs(u).ravel()
        assert (abs(L(u) - A(B(u))).ravel() <= close).all()
        product = A.matrix(u.shape) @ B.matrix(u.shape)
        assert abs(L.matrix(u.shape) - product).max() < 1e-15
        assert abs(L.T.matrix(u.shape) - product.T).max() < 1e-15


def test_products_of_valid():
    u = random((20, 9))
    D = fdx.Diff(0, 0.5, boundary="valid")
    assert (D @ D).output_shape((20, 9)) == (16, 9)
    assert_close((D @ D)(u), D(D(u)), 1e-13)
    E = fdx.Diff(1, boundary="valid")
    assert_close((D @ E)(u), D(E(u)), 1e-13)
    assert_close((D.T @ D)(u), D.T(D(u)), 1e-13)
    assert_close((D @ D.T)(u), D(D.T(u)), 1e-13)


def test_what_follows_a_cropped_sum_sees_only_what_is_left():
    """A @ B is A applied to B's result, on the common region."""
    u = random((10, 9))
    cropped = fdx.Diff(0, boundary="valid") + fdx.Diff(1, boundary="valid")
    for outer in (fdx.Diff(0), fdx.Diff(1, deriv=2), fdx.Diff(0) + fdx.Diff(1)):
        product = outer @ cropped
        assert product.output_shape((10, 9)) == (8, 7)
        assert_close(product(u), outer(cropped(u)), 1e-13)
    c = random((8, 7))
    assert_close((c * cropped)(u), c * cropped(u), 1e-14)
    periodic = fdx.Diff(0, boundary="periodic")
    assert_close((periodic @ cropped)(u), periodic(cropped(u)), 1e-13)


def test_coordinates_are_those_of_what_a_derivative_is_applied_to():
    u = random(12)
    x = np.cumsum(np.random.default_rng(0).uniform(0.5, 1, 12))
    D = fdx.Diff(0, x, boundary="valid")
    E = fdx.Diff(0, x[1:-1])
    assert_close((E @ D)(u), E(D(u)), 1e-12)
    with pytest.raises(ValueError, match="spacing: expected 10 coordinates for axis 0, got 12"):
        (fdx.Diff(0, x) @ D)(u)


# ------------------------------------------------------------------ symbols


@pytest.mark.parametrize("n", [1, 9, 12, 33])
def test_symbol_is_the_eigenvalue_of_a_wave(n):
    n = max(n, 9)
    for deriv in (1, 2, 3, 4):
        for accuracy in (2, 4, 6):
            if 2 * ((deriv + 1) // 2 + accuracy // 2 - 1) + 1 > n:
                continue
            for h in (1.0, 0.3, -0.5):
                D = fdx.Diff(0, h, deriv=deriv, accuracy=accuracy, boundary="periodic")
                size = abs(weights_of(n, h, deriv=deriv, accuracy=accuracy, boundary="periodic"))
                bound = 10 * EPS * size.sum(axis=1).max()
                x = h * np.arange(n)
                for m in range(-n, n + 1):
                    k = 2 * np.pi * m / (n * h)
                    wave = np.exp(2j * np.pi * (m * np.arange(n) % n) / n)
                    s = D.symbol(k)
                    assert_close(D(wave), s * wave, bound, f"{D} {m}")
                    assert_close(D.T(wave), D.T.symbol(k) * wave, bound, f"{D}.T {m}")
                    assert abs(np.exp(1j * k * x) - wave).max() < 1e-12
                assert D.symbol(0.0) == 0
                assert D.symbol(0) == 0


def test_symbol_of_sums_and_products():
    shape, steps = (12, 9), (0.3, 0.5)
    x = fdx.Diff(0, steps[0], accuracy=4, boundary="periodic")
    y = fdx.Diff(1, steps[1], boundary="periodic")
    for L in (x + y, x**2 + y**2, x @ y, 0.3 * x @ x - 2 * y**2, (x + y) @ (x - y), (x @ y).T - x):
        for m0, m1 in [(0, 0), (1, 0), (0, 2), (3, 4), (6, 1), (-5, 3)]:
            k = [2 * np.pi * m / (n * h) for m, n, h in zip((m0, m1), shape, steps, strict=True)]
            wave = np.exp(1j * k[0] * steps[0] * np.arange(12))[:, None] * np.exp(
                1j * k[1] * steps[1] * np.arange(9)
            )
            assert_close(L(wave), L.symbol(k) * wave, 1e-12, f"{L} {k}")
        assert L.symbol((0, 0)) == 0
    k0, k1 = np.linspace(-3, 3, 7)[:, None], np.linspace(-2, 2, 5)
    got = (x + y).symbol((k0, k1))
    assert got.shape == (7, 5)
    assert got.dtype == complex
    assert got[3, 2] == 0
    assert_close(got, x.symbol(k0) + y.symbol(k1), 1e-15)


def test_symbol_is_near_the_exact_one():
    for deriv in (1, 2, 3):
        for accuracy in (2, 4, 6):
            D = fdx.Diff(0, 0.5, deriv=deriv, accuracy=accuracy)
            k = 0.3
            relative = D.symbol(k) / (1j * k) ** deriv - 1
            assert abs(relative) < max((0.5 * k) ** accuracy, 100 * EPS)
    k = np.linspace(0, 3, 8)
    first = fdx.Diff(0)
    assert_close(first.symbol(k), 1j * np.sin(k), 1e-15)
    assert_close((first**2).symbol(k), 2 * np.cos(k) - 2, 2e-15)
    assert first.symbol(1.0).shape == ()
    assert first.symbol([0.0, 1.0]).shape == (2,)


@pytest.mark.parametrize("accuracy", [2, 4, 8, 20])
@pytest.mark.parametrize("deriv", [*range(1, 9), 19, 20])
def test_symbol_does_not_cancel(deriv, accuracy):
    """Right in all digits that the power of a rounded number has."""
    half_width = (deriv + 1) // 2 + accuracy // 2 - 1
    weights = reference.weights(range(-half_width, half_width + 1), 0, deriv)[half_width:]
    D, E = (fdx.Diff(0, h, deriv=deriv, accuracy=accuracy) for h in (1.0, -0.25))
    with mpmath.workdps(250):
        weights = [mpmath.mpf(w.numerator) / w.denominator for w in weights]
        for k in (1e-8, 1e-4, 0.01, 0.3, 1.0, 2.0, 3.0, 3.14, np.pi):
            wave = mpmath.sin if deriv % 2 else mpmath.cos
            want = 2 * mpmath.fsum(w * wave(mpmath.mpf(k) * j) for j, w in enumerate(weights))
            want -= 0 if deriv % 2 else weights[0]
            want = mpmath.mpc(0, want) if deriv % 2 else mpmath.mpc(want)
            bound = (4 + deriv / 2) * EPS * abs(want)
            assert abs(mpmath.mpc(D.symbol(k)) - want) < bound
            assert D.T.symbol(k) == D.symbol(-k) == D.symbol(k).conjugate()
            assert E.symbol(4 * k) == 4.0**deriv * D.symbol(k)  # as all of these are powers of 2


def test_symbol_of_weights_that_overflow():
    for h in (1e-200, 1e200):
        with pytest.raises(ValueError, match="spacing: expected one for which the weights neither"):
            fdx.Diff(0, h, deriv=2).symbol(1.0)


def test_symbol_errors():
    x = np.cumsum(np.random.default_rng(0).uniform(0.5, 1, 12))
    with pytest.raises(ValueError, match="uneven coordinates has no symbol"):
        fdx.Diff(0, x).symbol(1.0)
    with pytest.raises(ValueError, match="uneven coordinates has another stencil at each"):
        fdx.Diff(0, x).plot()
    assert (10**30 * fdx.Diff(0)).symbol(1.0) == 1e30 * fdx.Diff(0).symbol(1.0)
    with pytest.raises(ValueError, match="arrays of coefficients has no symbol"):
        (np.ones(12) * fdx.Diff(0)).symbol(1.0)
    two = fdx.Diff(0) + fdx.Diff(1)
    for bad in (1.0, (1.0,), (1.0, 2.0, 3.0)):
        with pytest.raises(ValueError, match="k: expected a sequence of 2 wavenumbers"):
            two.symbol(bad)
    with pytest.raises(TypeError, match="k: expected real wavenumbers, got complex"):
        fdx.Diff(0).symbol(1j)
    assert fdx.Diff(0, np.arange(9) * 0.5).symbol(1.0) == fdx.Diff(0, 0.5).symbol(1.0)


# ------------------------------------------------------------------ spectral radius


def radius(operator, shape):
    return abs(np.linalg.eigvals(operator.matrix(shape).toarray())).max()


@pytest.mark.parametrize("boundary", [b for b in BOUNDARIES if b != "valid"])
def test_spectral_radius(boundary):
    """Exact for derivatives and products of them, and for Laplacians."""
    x, y = (fdx.Diff(d, h, boundary=boundary) for d, h in ((0, 0.5), (1, 0.2)))
    firsts = x + y  # a bound: the largest eigenvalues along x and y need not be in one direction
    for L in (x, x**2, -3 * x**2, x @ y, 2 * (x**2) @ y, x @ x, x.T, x**2 + y**2, firsts):
        shape = (9, 8)
        got, want = L.spectral_radius(shape), radius(L, shape)
        assert isinstance(got, float)
        # Eigenvalues of matrices that are not normal are rounded badly.
        assert got >= want * (1 - 1e-6)
        if L is not firsts:
            assert got == pytest.approx(want, rel=1e-6, abs=1e-6), repr(L)
    one = fdx.Diff(0, 0.1, accuracy=4, boundary=boundary)
    assert one.spectral_radius(40) == pytest.approx(radius(one, 40), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("boundary", ["one-sided", "reflect", "symmetric-odd"])
def test_spectral_radius_of_a_long_axis(boundary):
    """At least the largest eigenvalue, and for one kind of derivatives hardly more."""
    n = 280
    one, six = (fdx.Diff(0, 0.1, accuracy=a, boundary=boundary) for a in (2, 6))
    for L in (one, one**2, six @ six):
        want = radius(L, n)
        assert want * (1 - 1e-9) <= L.spectral_radius(n) <= want * 1.002, repr(L)
    assert radius(one**2 + one, n) <= (one**2 + one).spectral_radius(n)
    laplacian = one**2 + fdx.Diff(1, 0.2, boundary=boundary) ** 2
    want = radius(one**2, n) + radius(fdx.Diff(0, 0.2, boundary=boundary) ** 2, 20)
    assert want <= laplacian.spectral_radius((n, 20)) <= want * 1.001


def test_spectral_radius_of_a_heat_equation():
    n, h = 64, 0.1
    L = fdx.Diff(0, h, boundary="periodic") ** 2 + fdx.Diff(1, h, boundary="periodic") ** 2
    assert L.spectral_radius((n, n)) == pytest.approx(8 / h**2)
    advection = fdx.Diff(0, h, boundary="periodic")
    assert advection.spectral_radius(64) == pytest.approx(1 / h)


def largest_symbol(L, shape):
    """Among all wavenumbers of a periodic grid."""
    spacings = {f.axis: f.spacing for term in L._terms for f in term.factors}
    k = [2 * np.pi * np.fft.fftfreq(shape[axis], spacings[axis]) for axis in L.axes]
    return abs(L.symbol(np.ix_(*k) if len(k) > 1 else k[0])).max()


def test_spectral_radius_of_periodic_axes_is_exact(monkeypatch):
    monkeypatch.setattr(analysis, "WAVES", 50)  # so that there are more boxes than are kept at once
    rng = np.random.default_rng(0)
    for _ in range(200):
        ndim = int(rng.integers(1, 4))
        spacings = rng.uniform(0.1, 2, ndim) * rng.choice([-1, 1], ndim)
        L = rng.integers(2) * rng.normal() * fdx.Identity()
        for _ in range(rng.integers(1, 5)):
            term = rng.normal() * fdx.Identity()
            for _ in range(rng.integers(1, 3)):
                axis = int(rng.integers(ndim))
                deriv, accuracy = int(rng.integers(1, 5)), int(rng.choice([2, 4, 8]))
                options = dict(deriv=deriv, accuracy=accuracy, boundary="periodic")
                D = fdx.Diff(axis, spacings[axis], **options)
                term = term @ (D.T if rng.integers(2) else D)
            L = L + term
        shape = tuple(map(int, rng.integers(20, (3000, 120, 36)[ndim - 1], ndim)))
        assert L.spectral_radius(shape) == pytest.approx(largest_symbol(L, shape), rel=1e-14)


def test_spectral_radius_of_short_periodic_axes():
    """With fewer points than the stencil has distinct waves."""
    D = [fdx.Diff(d, 0.3, accuracy=6, boundary="periodic") for d in (0, 1)]
    for L in (D[0], D[0] @ D[0], D[0] ** 2, D[0] ** 2 + D[0], D[0] @ D[1] - D[1] ** 2):
        for n in range(9, 15):
            shape = (n, n + 1)[: len(L.axes)]
            want = largest_symbol(L, shape)
            assert L.spectral_radius(shape) == pytest.approx(want, rel=1e-14)
            assert want == pytest.approx(radius(L, shape), rel=1e-9)


def test_spectral_radius_of_several_spacings_along_an_axis():
    one, two = (fdx.Diff(0, h, boundary="periodic") for h in (0.5, 0.2))
    for L in (
        one + two,
        one @ two,
        one**2 - two**2,
        one**2 + fdx.Diff(-1, 0.2, boundary="periodic"),
    ):
        assert L.spectral_radius(300) == pytest.approx(radius(L, 300), rel=1e-12)


@pytest.mark.parametrize(
    ("terms", "shape", "want"),
    [
        ([(1, 0, 2)], (20_000_000,), 4.0),
        ([(1, 0, 2)], (19_999_999,), 4 * np.cos(np.pi / 2 / 19_999_999) ** 2),
        ([(1, 0, 1)], (20_000_002,), np.cos(np.pi / 2 / 10_000_001)),  # n = 2 mod 4: beside pi / 2
        ([(-0.5, 0, 2), (-0.5, 1, 2), (-0.5, 2, 2)], (400, 400, 400), 6.0),
        ([(1, 0, 2), (-1, 1, 2)], (100_000, 100_000), 4.0),
        ([(1, 0, 1), (1, 1, 1)], (100_000, 100_000), 2.0),
        ([(0.0, 0, 2), (1, 1, 2), (2, 0, 1)], (100_000, 100_000), np.hypot(4, 2)),
        ([(0.5, 0, 2), (1, 0, 1), (1, None, 0)], (20_000_000,), 1.0),  # f[i+1], for every wave
    ],
)
def test_spectral_radius_of_large_periodic_grids(terms, shape, want):
    L = sum(
        c * (fdx.Identity() if axis is None else fdx.Diff(axis, deriv=deriv, boundary="periodic"))
        for c, axis, deriv in terms
    )
    got = L.spectral_radius(shape)
    assert got == pytest.approx(want, rel=1e-14)


def test_spectral_radius_of_one_periodic_axis_of_two():
    x, y = fdx.Diff(0, 0.1, boundary="periodic"), fdx.Diff(1, 0.2)
    got = (x**2 + y**2).spectral_radius((5_000_000, 30))
    assert got == pytest.approx(4 / 0.1**2 + radius(fdx.Diff(0, 0.2) ** 2, 30), rel=1e-12)


def test_spectral_radius_of_large_and_small_periodic_operators():
    D = fdx.Diff(0, 0.3, accuracy=4, boundary="periodic")
    for L in (D, D**2, D + D**2):
        for scale in (1e-290, 1e290):
            got = (scale * L).spectral_radius(1001)
            assert got == pytest.approx(scale * L.spectral_radius(1001), rel=1e-13)
    assert (D - D).spectral_radius(1001) == 0


def test_spectral_radius_of_identities():
    one = fdx.Identity()
    assert one.spectral_radius(10**9) == 1
    assert (one - 3 * one).spectral_radius((10**5, 10**5)) == 2
    D = fdx.Diff(0, 0.1) ** 2
    for n in (30, 280):
        for step in (one + 1e-3 * D, one - 1e-3 * D, 2 * one + 1e-3 * D):
            assert step.spectral_radius(n) == pytest.approx(radius(step, n), rel=1e-3)
    assert (one + 1e-3 * D).spectral_radius(10**8) <= 1.03  # and not 1 + 0.4


def test_a_bound_by_short_axes():
    """Short axes have the row sums and column sums of long ones."""
    rng = np.random.default_rng(0)
    c = rng.normal(size=(400, 1))
    x, y = fdx.Diff(0, 0.1, accuracy=4), fdx.Diff(1, np.cumsum(rng.uniform(1, 2, 300)))
    terms = (x @ (c * x)) + 3 * y**2 @ x.T - c * y
    for term in terms._terms:
        bands = [band for _, band, _ in stages_of(term, (400, 300)) if band is not None]
        want = abs(term.scale) if not bands else 1.0
        for _, band, coefficient in stages_of(term, (400, 300)):
            size = abs(analysis.dense(band))
            want *= np.sqrt(size.sum(axis=0).max() * size.sum(axis=1).max())
            want *= 1.0 if coefficient is None else abs(coefficient).max()
        assert analysis.norm_bound(term, (400, 300)) == pytest.approx(want, rel=1e-12)


@given(made=drawn(square=True), seed=st.integers(0, 9))
@settings(max_examples=max(1, settings().max_examples // 10))
def test_spectral_radius_is_a_bound(made, seed):
    got = made.operator.spectral_radius(made.in_shape)
    want = abs(np.linalg.eigvals(made.matrix)).max()
    norm = np.linalg.norm(made.size, 2)
    # A matrix of this norm in n dimensions has eigenvalues good to (eps norm**(n-1))**(1/n) only.
    assert got >= want - 1e-3 * norm
    assert got <= 3 * norm * len(made.shape) + 1e-12


def test_spectral_radius_with_arrays():
    shape = (50, 44)  # more than is computed all at once
    c = np.random.default_rng(0).uniform(0.5, 2, shape)
    x, y = (fdx.Diff(d, 0.1, boundary="periodic") for d in (0, 1))
    for L in (c * (x**2) + y**2, x @ (c * x), c * x @ y + x**2):
        found = scipy.sparse.linalg.eigs(
            L.matrix(shape),
            k=1,
            which="LM",
            return_eigenvectors=False,
            v0=np.ones(c.size) + c.ravel(),
        )
        want = abs(found).max()
        assert want <= L.spectral_radius(shape) <= 1.06 * want


@pytest.mark.parametrize("accuracy", [2, 4, 8])
@pytest.mark.parametrize("boundary", [b for b in BOUNDARIES if b not in ("valid", "periodic")])
def test_spectral_radius_of_many_points(monkeypatch, boundary, accuracy):
    """At least the largest eigenvalue, and not much more, if that is computed directly."""
    shape = (18, 12)
    c = 10 ** np.random.default_rng(1).uniform(-2, 2, shape)
    options = dict(boundary=boundary, accuracy=accuracy)
    grids = [
        np.cumsum(10 ** np.random.default_rng(d).uniform(-1, 0, n)) for d, n in enumerate(shape)
    ]
    x, y = (fdx.Diff(d, 0.1, **options) for d in (0, 1))
    s, t = (fdx.Diff(d, grid, **options) for d, grid in enumerate(grids))
    laplacian = x**2 + y**2
    mixed = [c * laplacian, x @ (c * x) + y @ (c * y), c * x - 2 * y, c * laplacian @ laplacian]
    mixed += [s**2 + t**2 + s @ t, c * s + t**2, laplacian + c * fdx.Identity()]
    along = [s, s**2, s @ s + s, s**2 + t**2]  # each axis by itself
    wants = [radius(L, shape) for L in mixed + along]
    monkeypatch.setattr(analysis, "MAX_DENSE_ROWS", 10)
    for L, want in zip(mixed + along, wants, strict=True):
        got = L.spectral_radius(shape)
        assert want <= got <= 1.06 * want, repr(L)
        assert got == L.spectral_radius(shape)


@pytest.mark.parametrize("scale", [1e-200, 1e-20, 1e20, 1e200])
def test_spectral_radius_of_large_and_small_operators(monkeypatch, scale):
    c = np.random.default_rng(0).uniform(0.5, 2, 40)
    D = c * fdx.Diff(0) ** 2
    monkeypatch.setattr(analysis, "MAX_DENSE_ROWS", 10)
    assert (scale * D).spectral_radius(40) == pytest.approx(scale * D.spectral_radius(40))


def test_spectral_radius_that_does_not_converge_is_a_bound(monkeypatch):
    D = fdx.Diff(0, boundary="periodic") + fdx.Diff(0, deriv=2, boundary="reflect")
    want = radius(D, 400)
    monkeypatch.setattr(analysis, "MAX_DENSE_ROWS", 10)
    monkeypatch.setattr(analysis, "RESTARTS", 1)
    assert want <= D.spectral_radius(400) <= 2 * want


def test_spectral_radius_of_nothing_and_of_no_number(monkeypatch):
    monkeypatch.setattr(analysis, "MAX_DENSE_ROWS", 10)
    D = fdx.Diff(0)
    for value in (0.0, np.inf, np.nan):
        got = (np.full(40, value) * D).spectral_radius(40)
        assert got == value or np.isnan(value + got)


def test_spectral_radius_errors():
    with pytest.raises(
        ValueError, match=r"shape: expected a result of the same shape.* got \(7,\)"
    ):
        fdx.Diff(0, boundary="valid").spectral_radius(9)


# ------------------------------------------------------------------ SciPy


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_linear_operator(boundary):
    shape = (9, 8)
    c = random((9, 1))
    x, y = (fdx.Diff(d, 0.5, boundary=boundary) for d in (0, 1))
    operators = [x, x**2 + y**2, x @ y]
    if boundary != "valid":
        operators.append(c * x - 2 * y)
    for L in operators:
        A = L.as_linear_operator(shape)
        matrix = L.matrix(shape)
        assert A.shape == matrix.shape
        assert A.dtype == np.float64
        u, v = random(A.shape[1]), random(A.shape[0], 1)
        assert_close(A.matvec(u), matrix @ u, 1e-12)
        assert_close(A.rmatvec(v), matrix.T @ v, 1e-12)
        assert_close(A @ u, matrix @ u, 1e-12)
        assert_close(A.T @ v, matrix.T @ v, 1e-12)
        assert_close(A.H @ v, matrix.T @ v, 1e-12)
        assert_close(A @ np.eye(A.shape[1]), matrix.toarray(), 1e-12)
        assert v @ A.matvec(u) == pytest.approx(A.rmatvec(v) @ u, abs=1e-11)
        assert_close(A.matmat(u.reshape(-1, 1)), (matrix @ u).reshape(-1, 1), 1e-12)


def test_axes_from_both_ends():
    """The shape says which are the same; without it a transpose may not be known."""
    L = fdx.Diff(0) + fdx.Diff(-2, boundary="valid")
    for shape in [(6, 5), (5, 6, 4)]:
        A = L.as_linear_operator(shape)
        matrix = L.matrix(shape)
        v = random(A.shape[0])
        assert_close(A.rmatvec(v), matrix.T @ v, 1e-12)
    with pytest.raises(ValueError, match=r"got 0 and -2; write -2 as n - 2 for arrays of n dim"):
        _ = L.T


def test_eigenvalues_by_scipy():
    n = 40
    L = fdx.Diff(0, boundary="periodic") ** 2
    found = scipy.sparse.linalg.eigsh(
        L.as_linear_operator(n), k=1, which="LM", return_eigenvectors=False, v0=random(n)
    )
    assert_close(found, [-4.0], 1e-10)


def test_a_poisson_equation_by_scipy():
    """-u'' = f on a periodic axis, for f of mean 0."""
    n = 64
    x = np.arange(n) * (2 * np.pi / n)
    L = -(fdx.Diff(0, x[1], accuracy=6, boundary="periodic") ** 2)
    u, info = scipy.sparse.linalg.cg(L.as_linear_operator(n), np.sin(x), rtol=1e-12)
    assert info == 0
    assert_close(u - u.mean(), np.sin(x), 1e-6)


def test_shapes_and_their_errors():
    D = fdx.Diff(0)
    for shape in (9, (9,), [9], np.int64(9), (np.int8(9),)):
        assert D.output_shape(shape) == (9,)
        assert D.matrix(shape).shape == (9, 9)
    with pytest.raises(
        ValueError, match="shape: expected an integer or a tuple of integers from 0 on, got -1"
    ):
        D.matrix((-1,))
    with pytest.raises(
        TypeError, match=r"shape: expected an integer or a tuple of integers from 0 on, got 1.5"
    ):
        D.matrix((1.5,))
    with pytest.raises(ValueError, match="shape: expected at least one dimension"):
        D.matrix(())
    with pytest.raises(TypeError, match="shape: "):
        D.matrix(None)
    with pytest.raises(TypeError, match="shape: "):
        D.matrix(9.0)
    with pytest.raises(ValueError, match=r"axis 0: expected at least 3 points.* got 2"):
        D.matrix(2)


# ------------------------------------------------------------------ use


def test_reuse_for_shapes_and_dtypes():
    """More shapes than are kept, each more than once, and every dtype."""
    L = fdx.Diff(-1, 0.1) ** 2 + fdx.Diff(-2, 0.2) ** 2
    for _ in range(2):
        for n in range(5, 30):
            for dtype in ("f8", "f4", "c8", "c16", "i4", ">f8"):
                u = (
                    random((n, 7)).astype(dtype)
                    if dtype != "i4"
                    else np.arange(7 * n).reshape(n, 7)
                )
                got = L(u)
                assert got.dtype == (u.dtype if u.dtype.kind != "i" else np.float64)
                want = fdx.laplacian(u, 0.2, 0.1)
                tolerance = 1e-3 if got.dtype.char in "fF" else 1e-10
                assert_close(got, want, tolerance * (1 + abs(want)))
    same_values(L(random((3, 6, 7)))[1], L(random((3, 6, 7))[1]))


@given(made=drawn(), seed=st.integers(0, 99), workers=st.sampled_from([None, 2, 3]))
@some
def test_out_and_workers(made, seed, workers):
    u = random(made.in_shape, seed)
    want = made.operator(u)
    out = np.full(made.shape, 7.0)
    assert made.operator(u, out=out, workers=workers) is out
    same_values(out, want)
    strided = np.zeros([2 * n for n in made.shape])[tuple(slice(None, None, 2) for _ in made.shape)]
    assert made.operator(np.asfortranarray(u), out=strided) is strided
    assert (strided == want).all()
    if made.shape == made.in_shape:
        v = u.copy()
        assert made.operator(v, out=v) is v
        same_values(v, want)


def test_split_over_threads(jobs):
    u = random((40, 30))
    c = random((40, 1))
    x, y = fdx.Diff(0, 0.1, accuracy=4), fdx.Diff(1, 0.2, boundary="periodic")
    for L in (x, x + y, x @ y, c * x @ (c * y), x @ x + 2 * y.T, x.T):
        want = L(u, workers=1)
        for workers in (2, 3, 7):
            jobs.clear()
            same_values(L(u, workers=workers), want)
            assert {job.workers for job in jobs} == {workers}


def test_numbers():
    u = random(9)
    D = fdx.Diff(0, 0.5)
    want = 2 * D(u)
    for two in (2, 2.0, np.float64(2), np.float32(2), np.int8(2), np.array(2.0)):
        same_values((two * D)(u), want)
        same_values((D * two)(u), want)
        same_values((D / two)(u), D(u) / 2)
    assert not (0 * D)(u).any()
    same_values((-D)(u), -D(u))
    assert ((D - D)(u) == 0).all()


def test_arrays_of_coefficients_broadcast():
    u = random((6, 7))
    D = fdx.Diff(0, 0.5)
    for c in (random(7), random((6, 1)), random((1, 7)), random((6, 7)), random((6, 14))[:, ::-2],
              np.arange(7), np.arange(6, dtype="f4")[:, None], random((7, 6)).T,
              np.arange(7, dtype=">i2"), random((1, 1))):  # fmt: skip
        assert_close((c * D)(u), c * D(u), 1e-14 + 1e-14 * abs(c * D(u)))
        assert_close((c * D)(u), (c * D).matrix((6, 7)).dot(u.ravel()).reshape(6, 7), 1e-13)
        assert_close((D @ (c * D))(u), D(c * D(u)), 1e-12)
        v = D.T(c * u)
        assert_close((c * D).T(u), v, 1e-13 + abs(v) * 1e-14)
    same_values((u.tolist() * D)(u), (u * D)(u))
    for bad in (random(6), random((7, 1)), random((2, 6, 7)), random((0, 7))):
        expected = f"coefficients: expected a shape that broadcasts to (6, 7), got {bad.shape}"
        with pytest.raises(ValueError, match=re.escape(expected)):
            (bad * D)(u)
    with pytest.raises(ValueError, match=r"write c\[:, None\] for one along axis 0"):
        (random(6) * D)(u)
    with pytest.raises(TypeError, match=r"shape: .* write its shape, as in L.matrix\(u.shape\)"):
        D.matrix(u)


def test_arrays_of_coefficients_count_as_they_are_when_used():
    c, u = random(9), random(9)
    D = fdx.Diff(0)
    L = c * D
    before = L(u)
    c *= 3
    assert_close(L(u), 3 * before, 1e-14)
    assert_close(L.matrix(9) @ u, 3 * before, 1e-13)
    assert_close(L.T(u), D.T(c * u), 1e-14)


def test_out_is_an_array_of_coefficients():
    c, u = random(9), random(9)
    L = c * fdx.Diff(0)
    want = L(u)
    assert L(u, out=c) is c
    same_values(c, want)


def test_float32_with_coefficients():
    c = random((6, 7))
    u = random((6, 7)).astype("f4")
    got = (c * fdx.Diff(0) + fdx.Diff(1) @ (c.astype("f4") * fdx.Diff(0)))(u)
    assert got.dtype == np.float32
    wide = (c * fdx.Diff(0) + fdx.Diff(1) @ (c * fdx.Diff(0)))(u.astype(float))
    assert_close(got, wide, 1e-4)


def test_sums_collect_terms():
    D, E = fdx.Diff(0, 0.1), fdx.Diff(0, 0.2)
    u = random(9)
    same_values((D + D)(u), (2 * D)(u))
    assert_close((D + E)(u), D(u) + E(u), 1e-13)
    c = random(9)
    assert_close((c * D + c * D)(u), 2 * c * D(u), 1e-13)
    x, y = np.arange(9) ** 2.0, np.arange(9) ** 3.0
    assert_close((fdx.Diff(0, x) + fdx.Diff(0, y))(u), fdx.Diff(0, x)(u) + fdx.Diff(0, y)(u), 1e-13)
    T = fdx.Diff(0, x, boundary="valid")
    assert_close((T.T @ T)(u), T.T(T(u)), 1e-12)


def test_coordinates_are_copied():
    x = np.arange(9) ** 2.0
    D = fdx.Diff(0, x)
    want = D(random(9))
    x[...] = np.arange(9)
    same_values(D(random(9)), want)
    same_values(
        (D @ D)(random(9)),
        (fdx.Diff(0, np.arange(9) ** 2.0) @ fdx.Diff(0, np.arange(9) ** 2.0))(random(9)),
    )


# ------------------------------------------------------------------ errors

D = fdx.Diff(0)

ALGEBRA_ERRORS = [
    (lambda: D(D), TypeError, r"u: expected an array, got an operator: A @ B is their product"),
    (lambda: D * D, TypeError, r"A \* B of two operators: write A @ B"),
    (lambda: (2 * D) * (D + D), TypeError, r"A \* B of two operators: write A @ B"),
    (lambda: D @ np.ones(9), TypeError, r"operator @ numpy.ndarray.*operator\(array\) to apply"),
    (lambda: np.ones(9) @ D, TypeError, "numpy.ndarray @ operator"),
    (lambda: D @ 2, TypeError, "operator @ int"),
    (lambda: D * np.ones(9), TypeError, r"write array \* operator"),
    (lambda: D * [1.0, 2.0], TypeError, r"write array \* operator"),
    (lambda: D / np.ones(9), TypeError, "operator / array"),
    (lambda: D / 0, ZeroDivisionError, "operator / 0"),
    (lambda: 1 / D, TypeError, "unsupported operand"),
    (lambda: np.ones(9) / D, TypeError, "operand"),
    (lambda: D + 1, TypeError, r"operator and number: write number \* fdx.Identity\(\)"),
    (lambda: 1 + D, TypeError, "operator and number"),
    (lambda: np.float64(1) - D, TypeError, "operator and number"),
    (lambda: D + np.ones(9), TypeError, r"operator and array: write array \* fdx.Identity\(\)"),
    (lambda: np.ones(9) - D, TypeError, "operator and array"),
    (lambda: D - None, TypeError, "unsupported operand"),
    (lambda: 1j * D, TypeError, "coefficients: expected real numbers.* got complex128"),
    (lambda: D * 1j, TypeError, "coefficients: expected real numbers.* got complex128"),
    (lambda: (np.ones(9) * 1j) * D, TypeError, "coefficients: .* got complex128"),
    (lambda: np.ones(9, "f2") * D, TypeError, "coefficients: .* got float16"),
    (lambda: np.ones(9, "g") * D, TypeError, "coefficients: .* got"),
    (lambda: np.ones(9, bool) * D, TypeError, "coefficients: .* got bool"),
    (lambda: True * D, TypeError, "coefficients: .* got bool"),
    (lambda: "2" * D, TypeError, "coefficients: expected real numbers.* got"),
    (lambda: None * D, TypeError, r"coefficients: expected real numbers \(.*\), got NoneType"),
    (lambda: np.nan * D, ValueError, "coefficients: expected a finite number, got nan"),
    (lambda: -(10**400) * D, ValueError, "coefficients: expected a finite number, got -1000"),
    (lambda: np.inf * D, ValueError, "coefficients: expected a finite number, got inf"),
    (lambda: 10**400 * D, (TypeError, ValueError), "coefficients: "),
    (lambda: D**0, ValueError, "exponent: expected a positive integer, got 0"),
    (lambda: D**-1, ValueError, r"exponent: expected .* got -1; write A.solve\(b\)"),
    (lambda: D**0.5, TypeError, "exponent: expected a positive integer, got 0.5"),
    (lambda: D**100, ValueError, "64 points"),
    (lambda: (2 * D) ** 0, ValueError, "exponent: expected a positive integer, got 0"),
    (lambda: 2**D, TypeError, "unsupported operand"),
    (lambda: np.sin(D), TypeError, "ufunc"),
    (lambda: fdx.Diff(), TypeError, "axis"),
    (lambda: fdx.Diff(0.0), TypeError, "axis: expected an integer, got 0.0"),
    (lambda: fdx.Diff(None), TypeError, "axis: expected an integer, got None"),
    (lambda: fdx.Diff(0, boundary="wrap"), ValueError, "boundary: expected one of .* got 'wrap'"),
    (lambda: D(None), TypeError, "u: expected"),
    (lambda: D(np.ones(9, "f2")), TypeError, "u: expected .* got float16"),
    (lambda: D(1.0), ValueError, "u: expected an array of at least one dimension, got a scalar"),
    (lambda: D(np.ones(9), out=np.ones(8)), ValueError, r"out: expected shape \(9,\), got \(8,\)"),
    (lambda: D(np.ones(9), 2), TypeError, r"u: expected one array, got 2 .* fdx.Diff\(axis, coord"),
    (
        lambda: (D + D)(np.ones(9), np.ones(9), 2),
        TypeError,
        "u: expected one array, got 3 arguments",
    ),
    (lambda: D(), TypeError, "positional argument"),
    (lambda: D(np.ones(9), workers=0), ValueError, "workers: expected"),
    (lambda: D(np.ones(2)), ValueError, "axis 0: expected at least 3 points"),
    (lambda: (1e300 * fdx.Diff(0, 1e-300))(np.ones(9)), ValueError, "1e-?300"),
]


@pytest.mark.parametrize(("call", "kind", "message"), ALGEBRA_ERRORS)
def test_errors(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_coordinates_are_no_place_for_the_result():
    """``D(f, x)`` as in other functions: an error that leaves x as it is."""
    t = np.arange(9.0)
    with pytest.raises(TypeError, match=r"coordinates into fdx.Diff\(axis, coordinates\)"):
        D(t**2, t)
    assert (t == np.arange(9.0)).all()
    parameters = inspect.signature(D.__call__).parameters
    kinds = {name: str(one.kind) for name, one in parameters.items()}
    by_name = dict.fromkeys(("out", "workers", "alpha", "beta"), "KEYWORD_ONLY")
    assert kinds == {"u": "POSITIONAL_OR_KEYWORD", **by_name}


def test_operators_do_not_change():
    x, y = fdx.Diff(0), fdx.Diff(1)
    u = random((6, 7))
    before = x(u)
    total = x
    total += y
    total *= 2
    same_values(x(u), before)
    assert isinstance(total, fdx.Operator)
    assert_close(total(u), 2 * (x(u) + y(u)), 1e-14)


# ------------------------------------------------------------------ words and pictures

UNEVEN = np.array([0.0, 1.0, 3.0, 4.0, 7.0])

TEXTS = [
    (fdx.Diff(0), "Diff(0)\n    (-f[i-1] + f[i+1]) / (2 h), h = 1"),
    (
        fdx.Diff(1, 0.1, accuracy=4, boundary="periodic"),
        "Diff(1, 0.1, accuracy=4, boundary='periodic')\n"
        "    (f[i-2] - 8 f[i-1] + 8 f[i+1] - f[i+2]) / (12 h), h = 0.1",
    ),
    (
        fdx.Diff(0, 0.5) ** 2,
        "Diff(0, 0.5, deriv=2)\n    (f[i-1] - 2 f[i] + f[i+1]) / h^2, h = 0.5",
    ),
    (
        fdx.Diff(0, boundary=("one-sided", "valid")),
        "Diff(0, boundary=('one-sided', 'valid'))\n    (-f[i-1] + f[i+1]) / (2 h), h = 1",
    ),
    (fdx.Diff(0, UNEVEN), "Diff(0, <5 coordinates>)\n    3 points, weights by point"),
    (
        fdx.Diff(0, 0.1) ** 2 - 3 * fdx.Diff(1).T,
        "Diff(0, 0.1, deriv=2) - 3.0 * Diff(1).T\n"
        "    Diff(0, 0.1, deriv=2): (f[i-1] - 2 f[i] + f[i+1]) / h^2, h = 0.1\n"
        "    Diff(1).T: (f[i-1] - f[i+1]) / (2 h), h = 1",
    ),
    (
        np.ones((6, 1)) * fdx.Diff(0) @ fdx.Diff(1),
        "<6x1 array> * Diff(0) @ Diff(1)\n"
        "    Diff(0): (-f[i-1] + f[i+1]) / (2 h), h = 1\n"
        "    Diff(1): (-f[i-1] + f[i+1]) / (2 h), h = 1",
    ),
]


@pytest.mark.parametrize(("operator", "text"), TEXTS)
def test_repr(operator, text):
    assert repr(operator) == text


@given(made=drawn(depth=3))
@settings(max_examples=max(1, settings().max_examples // 10))
def test_repr_of_anything(made):
    assert "Diff(" in repr(made.operator)


PICTURE_1D = """\
Diff(0)
    (-f[i-1] + f[i+1]) / (2 h), h = 1

  i-1         -0.5  ########################|
    i            0                          |
  i+1          0.5                          |########################
"""
PICTURE_2D = """\
Diff(0, deriv=2) + Diff(1, deriv=2)
    Diff(0, deriv=2): (f[i-1] - 2 f[i] + f[i+1]) / h^2, h = 1
    Diff(1, deriv=2): (f[i-1] - 2 f[i] + f[i+1]) / h^2, h = 1

axis 0 down, axis 1 across
              -1          0          1
   -1          .          1          .
    0          1         -4          1
    1          .          1          .
"""


def test_plot_as_text(capsys):
    assert fdx.Diff(0).plot() is None
    assert capsys.readouterr().out == PICTURE_1D
    (fdx.Diff(0) ** 2 + fdx.Diff(1) ** 2).plot()
    assert capsys.readouterr().out == PICTURE_2D
    sum((fdx.Diff(d) ** 2 for d in (1, 2)), fdx.Diff(0) ** 2).plot()
    text = capsys.readouterr().out
    assert "point along axes 0, 1, 2" in text
    assert "(+0, +0, +0)           -6" in text
    assert text.count("\n(") == 7


def test_plot_drawn():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    for operator in (fdx.Diff(0, accuracy=4), fdx.Diff(0) ** 2 + fdx.Diff(1) ** 2):
        figure, axes = pyplot.subplots()
        assert operator.plot(axes) is None
        assert axes.has_data()
        assert axes.get_title() == "interior stencil"
        figure.canvas.draw()
        pyplot.close(figure)
    figure, axes = pyplot.subplots()
    with pytest.raises(ValueError, match="ax: expected an operator along 1 or 2 axes"):
        sum((fdx.Diff(d) for d in (1, 2)), fdx.Diff(0)).plot(axes)
    with pytest.raises(TypeError, match="ax: expected None or matplotlib's Axes, got 3"):
        fdx.Diff(0).plot(3)
    pyplot.close(figure)


def test_plot_errors():
    with pytest.raises(ValueError, match="arrays of coefficients"):
        (np.ones(9) * fdx.Diff(0)).plot()
    with pytest.raises(ValueError, match="uneven coordinates"):
        fdx.Diff(0, UNEVEN).plot()


# ------------------------------------------------------------------ threads and processes


@pytest.mark.parametrize("trailing", [16, 32])
def test_large_results_of_points_with_several_elements(trailing):
    """Beyond a cache, where rows of the closures are as long as segments of lines."""
    shape = 6500000 // (8 * trailing), 8, trailing
    memory = np.full(np.prod(shape) + 512, np.nan)  # around the array
    u = memory[256:-256].reshape(shape)
    u[...] = random(shape)
    kinds = [
        fdx.Diff(1),
        fdx.Diff(1, accuracy=3, side="left"),
        fdx.Diff(1, position="outer"),
        fdx.Interp(1, position="inner", boundary="reflect"),
        fdx.Diff(1, boundary="sbp"),
    ]
    for L in kinds:
        out = np.empty(L.output_shape(shape))
        L(u, out=out)
        for part in (slice(500), slice(-500, None)):
            same(out[part], L(u[part].copy()))


def test_ways_of_calling(monkeypatch):
    D, u = fdx.Diff(0), np.arange(5.0) ** 2
    want, out = D(u), np.empty(5)
    names = {"".join("out"): out, "".join(["work", "ers"]): 1}  # the second is not the same object
    ways = [
        lambda: D(u=u),
        lambda: D(u, workers=None, out=None),
        lambda: D(u, workers=np.int64(1)),
        lambda: D(u, **names),
        lambda: D(*[u], **{}),
        lambda: D.__call__(u),
        lambda: fdx.Operator.__call__(D, u, out=out),
        lambda: functools.partial(D, out=out)(u),
        lambda: next(map(D, [u])),
    ]
    for way in ways:
        same(way(), want)

    class Doubled(fdx.Operator):
        def __call__(self, u, **options):
            return super().__call__(2 * u, **options)

    class Same(fdx.Operator):
        pass

    same(Doubled(D._terms)(u), 2 * want)
    same(Same(D._terms)(u, out=out), want)
    monkeypatch.setattr(fdx.Diff, "__call__", lambda self, u, *, out=None: "replaced")
    assert D(u) == D(u, out=out) == "replaced"
    monkeypatch.undo()
    same(D(u), want)


def test_one_operator_in_many_threads():
    """With more shapes than it keeps plans for, large enough for threads to run in parallel."""
    D = fdx.Diff(0, 0.1, deriv=2)
    lengths = range(9000, 9040)
    want = {n: D(np.arange(n) ** 1.5).tobytes() for n in lengths}
    wrong = []

    def work(seed):
        for n in np.random.default_rng(seed).choice(lengths, 200):
            if D(np.arange(n) ** 1.5).tobytes() != want[n]:
                wrong.append(n)

    in_threads(work, 8)
    assert not wrong


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda L: pickle.loads(pickle.dumps(L))]
)
def test_copies(again):
    c = np.linspace(1, 2, 20)
    L = fdx.Diff(0, c**3) @ (c * fdx.Diff(0, 0.1)) + 2 * fdx.Identity()
    u = random(20)
    want = L(u)
    for other in (again(L), again(again(L).T).T):
        assert (other(u) == want).all()
        assert repr(other) == repr(L)


@pytest.mark.parametrize("operator", [fdx.Diff(0), fdx.Identity(), fdx.Diff(0) @ fdx.Diff(1).T])
def test_names(operator):
    """An editor offers the members that have documentation, and no others."""
    names = {name for name in dir(operator) if not name.startswith("_")}
    own = {"norm", "dissipation"} if isinstance(operator, fdx.Diff) else set()
    assert names == own | {
        *("T", "as_linear_operator", "axes", "linear", "matrix", "offset", "output_shape", "plot"),
        *("solve", "spectral_radius", "symbol"),
    }


def test_long_products():
    """If rows are longer than the core's limit, derivatives are applied one after the other."""
    E = 1.0 * fdx.Diff(0, accuracy=60, boundary="periodic")
    u = random(600)
    want = u
    for _ in range(5):
        want = E(want)
    got = (E @ E @ E @ E @ E)(u)
    assert (abs(got - want) <= 1e-9 * abs(want).max()).all()


def test_products_are_merged():
    laplacian = fdx.Diff(0) ** 2 + fdx.Diff(1) ** 2 + fdx.Diff(2) ** 2
    assert len((laplacian**4)._terms) == 15
    u = random((9, 10, 11))
    assert_close((laplacian**2)(u), laplacian(laplacian(u)), 1e-10)


def test_sum_and_representation():
    L = sum(fdx.Diff(k) for k in range(3))
    assert repr(L).startswith("Diff(0) + Diff(1) + Diff(2)\n")
    with pytest.raises(TypeError):
        1 + L
    c = np.ones(9)
    D = fdx.Diff(0)
    assert repr(D @ (c * D)).startswith("Diff(0) @ (<9 array> * Diff(0))\n")
    assert repr(2 * (D @ (c * fdx.Identity()))).startswith(
        "2.0 * Diff(0) @ (<9 array> * Identity())"
    )


def test_masks_are_not_lost():
    masked = np.ma.masked_array(np.arange(9.0), mask=np.arange(9) == 3)
    D = fdx.Diff(0)
    for name, call in [
        ("u", lambda: D(masked)),
        ("f", lambda: fdx.derivative(masked)),
        ("spacing", lambda: fdx.Diff(0, masked)),
        ("coefficients", lambda: masked * D),
        ("nodes", lambda: fdx.weights(masked)),
        ("at", lambda: fdx.weights([0, 1], masked)),
    ]:
        with pytest.raises(TypeError, match=f"^{name}: expected .* got a masked array"):
            call()


def test_period_of_falling_coordinates():
    x = -(np.arange(9.0) ** 1.5)
    u = random(9)
    for period in (30.0, -30.0):
        got = fdx.derivative(u, x, boundary="periodic", period=period)
        same_values(got, -fdx.derivative(u, -x, boundary="periodic", period=30.0))


def test_spectral_radius_of_a_long_axis_is_quick():
    L = fdx.Diff(0, boundary="periodic") + fdx.Diff(0, deriv=2, boundary="reflect")
    assert 4 < L.spectral_radius(20_000) < 40


@pytest.mark.parametrize("shape", [(1000,), (40, 40)])
def test_alternating_layouts(shape, monkeypatch):
    """Arrays of one shape need workspaces of different sizes: larger ones for converted rows."""
    monkeypatch.setattr("fdx._common.threads.MIN_WORKER_NEIGHBOURS", 0)
    u = np.random.default_rng(1).integers(-99, 99, shape)
    layouts = [u * 0.7, u, u.astype(np.float32), u.astype(">f8"), u * (1 + 2j), np.flip(u * 0.7)]

    def operator():
        return fdx.Diff(0, 0.5, deriv=2) + fdx.Diff(-1)

    alone = [operator()(v).tobytes() for v in layouts]
    for workers in (1, 2):
        for first in layouts:
            L = operator()
            L(first, workers=workers)
            assert [L(v, workers=workers).tobytes() for v in layouts] == alone
