"""Sums are of differences, in one documented order: a constant offset costs no digits."""

import itertools

import numpy as np
import pytest
from compare import assert_same_elements
from reference import row_sum
from stencils import CONSTANT, half_width

import fdx

DERIVS = [1, 2, 3, 4, 5, 6, 8]
ACCURACIES = [2, 4, 6, 8, 12]


def uneven(n):
    """Unevenly spaced coordinates, all integers."""
    return np.cumsum(1 + np.arange(n) % 3).astype(float)


def values(n, dtype, seed=0):
    rng = np.random.default_rng(seed)
    f = rng.normal(size=n) * 10.0 ** rng.uniform(-3, 3, n)
    return (f + 1j * rng.normal(size=n) if dtype[0] == "c" else f).astype(dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize(("deriv", "accuracy"), list(itertools.product(DERIVS, ACCURACIES)))
def test_every_row_is_summed_in_the_documented_order(deriv, accuracy, dtype):
    for even in (True, False):
        r = half_width(deriv, accuracy, not even)
        n = 2 * r + 150
        f = values(n, dtype, seed=deriv)
        D = fdx.Diff(0, 0.3 if even else uneven(n), deriv=deriv, accuracy=accuracy)
        matrix = D.matrix(n).toarray()
        got = D(f)
        for i in range(n):
            inside = r <= i < n - r
            columns = np.arange(i - r, i + r + 1) if inside else matrix[i].nonzero()[0]
            columns = np.union1d(columns, i)
            pairs = "antisymmetric" if deriv % 2 else "symmetric"
            summation = pairs if inside and even else "differences"
            centre = int(np.searchsorted(columns, i))
            for part in (np.real, np.imag) if dtype[0] == "c" else (np.asarray,):
                want = row_sum(summation, matrix[i, columns], part(f)[columns], centre)
                assert_same_elements(
                    part(got)[i : i + 1], want.reshape(1), f"row {i} of {n}, even {even}"
                )


@pytest.mark.parametrize("boundary", ["zero", "antisymmetric"])
@pytest.mark.parametrize(("deriv", "accuracy"), list(itertools.product(DERIVS, ACCURACIES)))
def test_rows_that_do_not_keep_constants_sum_products(deriv, accuracy, boundary):
    for even, dtype in itertools.product((True, False), ("f4", "f8")):
        r = half_width(deriv, accuracy, not even)
        n = 2 * r + 5
        f = values(n, dtype, seed=deriv)
        D = fdx.Diff(
            0, 0.3 if even else uneven(n), deriv=deriv, accuracy=accuracy, boundary=boundary
        )
        matrix, got = D.matrix(n).toarray(), D(f)
        for i in [*range(r), *range(n - r, n)]:
            there = slice(max(0, i - r), i + r + 1)
            want = row_sum("plain", matrix[i, there], f[there], None)
            assert_same_elements(got[i : i + 1], want.reshape(1), f"row {i} of {n}, even {even}")


@pytest.mark.parametrize("boundary", CONSTANT)
@pytest.mark.parametrize("deriv", DERIVS)
def test_an_offset_changes_no_bit(deriv, boundary):
    """If f + c is exact, its differences are those of f: in float32 too, and at the ends."""
    for accuracy, even in itertools.product(ACCURACIES, (True, False)):
        n = 2 * half_width(deriv, accuracy, not even) + 70
        x = 0.3 if even else uneven(n)
        period = None if even or boundary != "periodic" else float(x[-1] - x[0] + 2)
        options = dict(deriv=deriv, accuracy=accuracy, boundary=boundary, period=period)
        f = np.random.default_rng(deriv).integers(0, 1000, n)
        for dtype, offset in (("f4", 101_325 * 64), ("f8", 2**52), ("c8", 2**23), ("i8", 2**40)):
            want = fdx.derivative(f.astype(dtype), x, **options)
            got = fdx.derivative((f + offset).astype(dtype), x, **options)
            assert_same_elements(got, want, f"{dtype} {options} even {even}")


@pytest.mark.parametrize("accuracy", [2, 4, 8])
@pytest.mark.parametrize("call", [fdx.laplacian, fdx.hessian])
def test_an_offset_changes_no_bit_of_sums_over_axes(call, accuracy):
    """For sizes with results in the caches, and for sizes with non-temporal stores."""
    for shape in ((20, 30), (600, 900), (20, 21, 130)):
        f = np.random.default_rng(0).integers(0, 1000, shape)
        for spacing in ([0.3], [uneven(n) for n in shape]):
            want = call(f.astype("f4"), *spacing, accuracy=accuracy)
            got = call((f + 101_325 * 64).astype("f4"), *spacing, accuracy=accuracy)
            assert_same_elements(got, want, f"{shape}")


def test_the_second_difference_of_near_values_is_that_of_numpy():
    f = np.float32([101325, 101325.0078125, 101325.0234375])
    got = fdx.derivative(f, deriv=2, boundary="valid")
    assert_same_elements(got, np.diff(f, 2))
    assert got == np.float32(0.0078125)


def test_the_laplacian_of_a_pressure_in_single_precision():
    """Waves of 3 hPa on 1013.25 hPa: the Laplacian of the float32 values is exact, as all their
    differences are multiples of 1/128 and small."""
    x = np.linspace(0, 2 * np.pi, 256, endpoint=False)
    p = (101325 + 300 * np.sin(x)[:, None] * np.cos(x)).astype("f4")
    exact = fdx.laplacian(p.astype(float), boundary="periodic")
    got = fdx.laplacian(p, boundary="periodic")
    assert_same_elements(got.astype(float), exact)
    rolled = sum(np.roll(p.astype(float), s, a) for s in (1, -1) for a in (0, 1))
    assert_same_elements(exact, rolled - 4 * p.astype(float))


@pytest.mark.parametrize("deriv", DERIVS)
def test_constants_near_the_largest_number_have_derivative_zero(deriv):
    for accuracy, dtype in itertools.product(ACCURACIES, ("f4", "f8", "c16")):
        for largest in (np.finfo(dtype).max, np.finfo(dtype).max * np.finfo(dtype).dtype.type(0.6)):
            n = 2 * half_width(deriv, accuracy, True) + 40
            for spacing in (1.0, uneven(n)):
                for boundary in CONSTANT:
                    if boundary == "periodic" and np.ndim(spacing):
                        continue
                    with np.errstate(all="raise"):
                        got = fdx.derivative(
                            np.full(n, largest, dtype),
                            spacing,
                            deriv=deriv,
                            accuracy=accuracy,
                            boundary=boundary,
                        )
                    assert not got.any()
