"""fdx.derivative against polynomials, smooth functions and np.pad, without knowing its weights."""

import itertools
import re
import subprocess
import sys
import warnings
from fractions import Fraction

import numpy as np
import pytest
from cases import COMPLEX, FLOATS, INTEGERS, LAYOUTS, lay_out, make_array, make_values
from compare import assert_same_bits, canonical_bytes
from hypothesis import given, settings
from hypothesis import strategies as st
from stencils import (
    BOUNDARIES,
    CONSTANT,
    HALF_OUTSIDE,
    PADS,
    assert_close,
    half_width,
    magnitude,
    points_needed,
    weights_of,
)

import fdx

EPS = np.finfo(np.float64).eps
DERIVS = [1, 2, 3, 4, 5, 6]
ACCURACIES = [2, 4, 6, 8]
LONG = [(1, 10), (2, 12), (3, 16), (8, 2), (1, 20), (10, 10)]
GHOSTS = list(PADS)[1:]
DTYPES = sorted({dtype.str[1:] for dtype in FLOATS + COMPLEX + INTEGERS})

fewer = settings(max_examples=max(1, settings().max_examples // 5))


def same_values(got, want, context=""):
    """Same shape, dtype and values, with -0.0 different from 0.0; the layout may differ."""
    assert (got.shape, got.dtype) == (want.shape, want.dtype), context
    assert canonical_bytes(got) == canonical_bytes(want), context


def uneven(n, seed=0, least=0.2):
    """Coordinates whose distances are between `least` and 1, at random."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.uniform(least, 1.0, n)) - n / 3


def grids(n, seed=0):
    """Spacings and coordinates to try, none of which asks for a period."""
    x = uneven(n, seed)
    return [1.0, -0.37, x, -x, np.arange(n) * 0.25]


# ------------------------------------------------------------------ polynomials


def exact_derivative(degree, center, x, deriv):
    """Of (x - center)**degree at each x, as fractions."""
    factor = 1
    for k in range(deriv):
        factor *= degree - k
    return [Fraction(factor) * (t - center) ** max(degree - deriv, 0) for t in x]


def polynomial_error(n, spacing, degree, deriv, accuracy, boundary):
    """The error of the derivative of a polynomial, and a bound on its rounding error."""
    if np.ndim(spacing):
        x = [Fraction(float(t)) for t in spacing]
    else:
        x = [i * Fraction(float(spacing)) for i in range(n)]
    center = Fraction(x[n // 3])
    f = np.array([float((t - center) ** degree) for t in x])
    options = dict(deriv=deriv, accuracy=accuracy, boundary=boundary)
    got = fdx.derivative(f, spacing, **options)
    matrix = weights_of(n, spacing, **options)
    left = boundary if isinstance(boundary, str) else boundary[0]
    # With "valid", how many points are lost does not depend on whether coordinates are even.
    lost = half_width(deriv, accuracy, np.ndim(spacing) > 0) if left == "valid" else 0
    want = exact_derivative(degree, center, x, deriv)[lost : lost + len(got)]
    off = [abs(float(Fraction(float(g)) - w)) for g, w in zip(got, want, strict=True)]
    count = 2 + np.count_nonzero(matrix, axis=1).max()
    return np.array(off), count * EPS * magnitude(matrix, f, lost)


@pytest.mark.parametrize("boundary", ["one-sided", "valid", ("valid", "one-sided")])
@pytest.mark.parametrize(("deriv", "accuracy"), [*itertools.product(DERIVS, ACCURACIES), *LONG])
def test_exact_for_polynomials(deriv, accuracy, boundary):
    """Exact up to degree deriv + accuracy - 1, except for rounding."""
    n = 2 * half_width(deriv, accuracy, True) + 4
    for spacing in grids(n, seed=deriv)[: 5 if accuracy < 10 else 3]:
        for degree in {0, 1, deriv - 1, deriv, deriv + accuracy - 2, deriv + accuracy - 1}:
            off, rounding = polynomial_error(n, spacing, degree, deriv, accuracy, boundary)
            assert (off <= rounding).all(), f"{spacing} degree {degree}: {off / rounding}"


@pytest.mark.parametrize(("deriv", "accuracy"), [*itertools.product(DERIVS, ACCURACIES)])
def test_no_more_points_than_the_accuracy_takes(deriv, accuracy):
    """One degree above the promised one there is an error at every point; on uneven grids an even
    derivative has one point more on one side than it needs, and one degree more."""
    n = 2 * half_width(deriv, accuracy, True) + 6
    for spacing in (0.37, uneven(n, seed=accuracy)):
        degree = deriv + accuracy + (np.ndim(spacing) == 1 and deriv % 2 == 0)
        off, rounding = polynomial_error(n, spacing, degree, deriv, accuracy, "valid")
        assert (off > 4 * rounding).all(), f"{spacing}: {off / rounding}"


@pytest.mark.parametrize(("deriv", "accuracy"), [*itertools.product(DERIVS, ACCURACIES)])
def test_even_and_odd_polynomials_at_mirrors(deriv, accuracy):
    """The ghost values of "reflect" and "symmetric" are those of an even polynomial, of
    "reflect-odd" those of an odd one: such polynomials have no error at the mirror either."""
    r = half_width(deriv, accuracy)
    n = 2 * r + 2
    for boundary, wall, parity in [
        ("reflect", 0, 0),
        ("symmetric", -0.5, 0),
        ("reflect-odd", 0, 1),
    ]:
        for degree in range(parity, deriv + accuracy, 2):
            x = np.arange(n) - wall
            f = x**degree + 3.0
            options = dict(deriv=deriv, accuracy=accuracy, boundary=(boundary, "valid"))
            got = fdx.derivative(f, **options)
            want = [float(w) for w in exact_derivative(degree, 0, [Fraction(t) for t in x], deriv)]
            bound = 2 * n * EPS * magnitude(weights_of(n, **options), 2 * f)
            assert_close(got, want[: len(got)], bound, f"{boundary} degree {degree}")


# ------------------------------------------------------------------ order of convergence


def sine_sum(t, deriv):
    """A smooth function of no symmetry and its derivatives."""
    quarter = np.pi / 2 * deriv
    return np.sin(t + 0.4 + quarter) + 2.0**deriv * 0.3 * np.sin(2 * t + 1.3 + quarter)


def even_sum(t, deriv):
    """Even about 0 and pi."""
    quarter = np.pi / 2 * deriv
    return np.cos(t + quarter) + 2.0**deriv * 0.3 * np.cos(2 * t + quarter)


def odd_sum(t, deriv):
    """Odd about 0 and pi, plus a number and a multiple of t."""
    line = [0.2 * t + 0.3, 0.2][deriv] if deriv < 2 else 0.0
    return sines(t, deriv) + line


def sines(t, deriv):
    """Odd about 0 and pi, where it is 0."""
    quarter = np.pi / 2 * deriv
    return np.sin(t + quarter) + 2.0**deriv * 0.3 * np.sin(2 * t + quarter)


def growing(t, deriv):
    return np.exp(2 * t) * 2.0**deriv


def sampled(boundary, n, stretched, deriv):
    """Spacing, period, values and exact derivatives of a function that suits the boundary."""
    if boundary == "periodic":
        s = np.arange(n) * (2 * np.pi / n)
        function, first, last = sine_sum, 0.0, 2 * np.pi
    elif boundary in HALF_OUTSIDE:
        s = (np.arange(n) + 0.5) * (np.pi / n)
        functions = {"symmetric": even_sum, "symmetric-odd": odd_sum, "antisymmetric": sines}
        function = functions[boundary]
    else:
        s = np.linspace(0.0, np.pi, n)
        functions = {"reflect": even_sum, "reflect-odd": odd_sum, "one-sided": growing}
        function = functions.get(boundary, sine_sum)
    # Mirrored about the middle, but for a periodic axis.
    x = s + (0.25 * np.sin(s + 0.7) if boundary == "periodic" else 0.1 * np.sin(2 * s)) * stretched
    if boundary != "periodic":
        # Where the mirrors are.
        out = 0.5 if boundary in HALF_OUTSIDE else 0.0
        first, last = x[0] - out * (x[1] - x[0]), x[-1] + out * (x[-1] - x[-2])
    rate = 2 * np.pi / (last - first) if boundary == "periodic" else np.pi / (last - first)
    t = (x - first) * rate
    spacing = x if stretched else x[1] - x[0]
    period = last - first if boundary == "periodic" and stretched else None
    return spacing, period, function(t, 0), function(t, deriv) * rate**deriv


SIZES = [round(16 * 1.2**k) for k in range(22)]  # to 736


def fitted(found):
    """The slope over the finest grids, or None if rounding dominates on nearly all."""
    fine = found[-4:]
    if len(fine) < 3:
        return None
    sizes, errors = np.log(np.array(fine)).T
    return -np.polyfit(sizes, errors, 1)[0]


def slopes(boundary, deriv, accuracy, stretched):
    """The order of the error in the interior and next to the ends, from the finest grids where
    rounding is far below it."""
    r = half_width(deriv, accuracy, stretched)
    interior, edge = [], []
    rounding = None
    for n in SIZES:
        if n < 4 * r + 4:
            continue
        spacing, period, f, want = sampled(boundary, n, stretched, deriv)
        options = dict(deriv=deriv, accuracy=accuracy, boundary=boundary, period=period)
        if rounding is None:  # of the smallest grid; then it grows as 1 / h**deriv
            rounding = 8 * EPS * np.median(abs(weights_of(n, spacing, **options)).sum(axis=1))
            rounding *= abs(f).max() / n**deriv
        got = fdx.derivative(f, spacing, **options)
        lost = r if boundary == "valid" else 0
        error = abs(got - want[lost : n - lost])
        # Where the error is largest is where the function's higher derivatives are.
        inner = error[r - lost : n - r - lost].max()
        if inner > 4 * rounding * n**deriv:
            interior.append((n, inner))
        if boundary != "valid":
            # On mirrored grids the next terms of the error, one order smaller, differ in sign.
            left, right = error[:r].max(), error[-r:].max()
            if min(left, right) > 4 * rounding * n**deriv:
                edge.append((n, np.sqrt(left * right)))
    return fitted(interior), fitted(edge)


# But for "zero", whose functions do not go on smoothly: its ghosts are compared with np.pad's.
CASES = [
    (boundary, deriv, accuracy, stretched)
    for boundary in BOUNDARIES
    if boundary != "zero"
    for deriv in (1, 2, 3, 4)
    for accuracy in (2, 4, 6, 8)
    for stretched in (False, True)
    if not (accuracy == 8 and deriv > 2)
]


@pytest.mark.parametrize(("boundary", "deriv", "accuracy", "stretched"), CASES)
def test_order_of_convergence(boundary, deriv, accuracy, stretched):
    interior, edge = slopes(boundary, deriv, accuracy, stretched)
    if boundary in ("one-sided", "symmetric-odd", "antisymmetric"):
        # Of another function, as this one is for the ends.
        interior, _ = slopes("valid", deriv, accuracy, stretched)
    # On a grid that is stretched smoothly, the additional points of an even derivative make it
    # converge up to two orders faster than on any grid.
    most = accuracy + 2.35 if stretched and deriv % 2 == 0 else accuracy + 0.35
    assert accuracy - 0.35 < interior < most
    if boundary == "one-sided":
        assert edge == pytest.approx(accuracy, abs=0.35)
    elif boundary == "periodic":
        # An error near some point of a stretched grid may happen to be small.
        assert accuracy - 0.35 < edge < most + stretched
    elif boundary == "symmetric-odd":
        # As in np.pad, the ghost values are odd about the value of the last point, although the
        # wall is half a spacing outside: their error is h times the slope there, so that no
        # derivative converges next to such an end unless the slope vanishes.
        assert edge == pytest.approx(1 - deriv, abs=0.35)
    elif boundary != "valid" and edge is not None:
        # Derivatives of odd order vanish at a mirror: the error may be all rounding, or fall
        # faster.
        assert edge > accuracy - 0.35


@pytest.mark.parametrize("accuracy", [2, 4, 6])
def test_symmetric_odd_is_for_a_slope_of_zero(accuracy):
    """sin(t)**3, which is odd and has no slope at the walls: of order 2 there."""
    errors = []
    for n in (50, 100, 200):
        t = (np.arange(n) + 0.5) * (np.pi / n)
        got = fdx.derivative(
            np.sin(t) ** 3, t[1] - t[0], accuracy=accuracy, boundary="symmetric-odd"
        )
        errors.append(abs(got - 3 * np.sin(t) ** 2 * np.cos(t))[[0, -1]].max())
    assert np.log2(errors[0] / errors[1]) > 1.65
    assert np.log2(errors[1] / errors[2]) > 1.65


# ------------------------------------------------------------------ ghosts are np.pad's


@pytest.mark.parametrize("boundary", GHOSTS)
@pytest.mark.parametrize(("deriv", "accuracy"), [*itertools.product(DERIVS, ACCURACIES), *LONG])
def test_ghosts_are_those_of_pad(deriv, accuracy, boundary):
    r = half_width(deriv, accuracy)
    options = dict(deriv=deriv, accuracy=accuracy)
    for n in (points_needed(deriv, accuracy, boundary), 2 * r, 2 * r + 1, 2 * r + 2, 4 * r + 9):
        n = max(n, points_needed(deriv, accuracy, boundary))
        for seed, h in enumerate((1.0, 0.3, -2.5)):
            f = np.random.default_rng(seed).normal(size=n)
            padded = np.pad(f, r, **PADS[boundary])
            want = fdx.derivative(padded, h, boundary="valid", **options)
            scale = magnitude(weights_of(n + 2 * r, h, boundary="valid", **options), padded, r)
            got = fdx.derivative(f, h, boundary=boundary, **options)
            assert_close(got, want, 4 * EPS * scale, f"{n} points")
            if n > 2 * r:
                same_values(got[r : n - r], want[r : n - r])


@pytest.mark.parametrize("boundary", GHOSTS)
def test_ghosts_of_uneven_coordinates_lie_where_the_mirror_puts_them(boundary):
    for deriv, accuracy in itertools.product((1, 2, 3), (2, 4, 6)):
        r = half_width(deriv, accuracy, uneven=True)
        options = dict(deriv=deriv, accuracy=accuracy)
        least = max(3, points_needed(deriv, accuracy, boundary, uneven=True))
        for n, sign in itertools.product({least, max(least, 2 * r), 3 * r + 4}, (1, -1)):
            x = sign * uneven(n, seed=n)
            f = np.random.default_rng(n).normal(size=n)
            if boundary not in HALF_OUTSIDE:
                ghosts = np.pad(x, r, mode="reflect", reflect_type="odd")
            else:
                left, right = 2 * x[0] - (x[1] - x[0]), 2 * x[-1] + (x[-1] - x[-2])
                ghosts = np.concatenate([(left - x[:r])[::-1], x, (right - x[::-1][:r])])
            padded = np.pad(f, r, **PADS[boundary])
            want = fdx.derivative(padded, ghosts, boundary="valid", **options)
            matrix = weights_of(n + 2 * r, ghosts, boundary="valid", **options)
            got = fdx.derivative(f, x, boundary=boundary, **options)
            # The coordinates of the ghost points are rounded, in both.
            bound = 100 * EPS * magnitude(matrix, padded, r)
            assert_close(got, want, bound, f"{options} {n} points")


@pytest.mark.parametrize(("deriv", "accuracy"), [*itertools.product(DERIVS, ACCURACIES), *LONG])
def test_periodic(deriv, accuracy):
    """To the bit: all points are equivalent, wherever the axis begins."""
    r = half_width(deriv, accuracy)
    options = dict(deriv=deriv, accuracy=accuracy)
    for n in (2 * r + 1, 2 * r + 2, 4 * r + 5, 50):
        f = np.random.default_rng(n).normal(size=n)
        got = fdx.derivative(f, 0.3, boundary="periodic", **options)
        padded = np.pad(f, r, mode="wrap")
        same_values(got, fdx.derivative(padded, 0.3, boundary="valid", **options))
        for shift in (1, r, n - 1):
            rolled = fdx.derivative(np.roll(f, shift), 0.3, boundary="periodic", **options)
            same_values(rolled, np.roll(got, shift))


@pytest.mark.parametrize("sign", [1, -1])
def test_periodic_coordinates(sign):
    for deriv, accuracy in itertools.product((1, 2, 3), (2, 4, 6)):
        r = half_width(deriv, accuracy, uneven=True)
        options = dict(deriv=deriv, accuracy=accuracy)
        for n in (2 * r + 1, 2 * r + 2, 3 * r + 7):
            # Multiples of 1/1024: their sums with the period are exact.
            x = sign * np.round(uneven(n, seed=n) * 1024) / 1024
            period = (x[-1] - x[0]) + sign * 0.625
            f = np.random.default_rng(n).normal(size=n)
            got = fdx.derivative(f, x, boundary="periodic", period=period, **options)
            around = np.concatenate([x[-r:] - period, x, x[:r] + period])
            padded = np.pad(f, r, mode="wrap")
            same_values(got, fdx.derivative(padded, around, boundary="valid", **options))
    n, h = 12, 0.25
    f = np.random.default_rng(0).normal(size=n)
    same_values(
        fdx.derivative(f, sign * np.arange(n) * h, boundary="periodic", period=sign * n * h),
        fdx.derivative(f, sign * h, boundary="periodic"),
    )


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_first_point_twice(sign, dtype):
    """Up to the rounding errors of the coordinates' dtype."""
    for whole, last in (2 * np.pi, 2 * np.pi), (360.0, 360.0), (0.7, np.nextafter(0.7, 0)):
        x = sign * np.linspace(0, last, 30).astype(dtype)
        for grid in x, np.sort(np.append(x[1:], (x[1] + x[2]) / 2))[:: int(sign)] - x[1] + x[0]:
            span = whole if grid is x else float(grid[-1]) - float(grid[0])
            with pytest.raises(
                ValueError, match=r"period: .* \(is the first point stored twice\?\)"
            ):
                fdx.Diff(0, grid, boundary="periodic", period=span)
        fdx.Diff(0, x[:-1], boundary="periodic", period=whole)
    # Distances that were summed: the ends differ by more than a rounding, but by no distance.
    steps = np.full(99, 0.7, dtype) / 99
    for x in np.cumsum(np.append(0, steps)), np.linspace(0, 0.7, 71, dtype=dtype).astype("f8"):
        for period in 0.7, float(x[-1]), np.nextafter(x[-1], 1), np.nextafter(x[-1], 0):
            with pytest.raises(ValueError, match=r"more .* \(is the first point stored twice\?\)"):
                fdx.Diff(0, sign * x, boundary="periodic", period=period)


@pytest.mark.parametrize("period", [0.5, -2, np.nextafter(3.0, 0)])
def test_periods_that_are_none(period):
    with pytest.raises(ValueError, match=r"period: expected more than .* span, 3.0, got "):
        fdx.Diff(0, [0, 1, 2.5, 3], boundary="periodic", period=period)
    if period != -2:  # a length, along the coordinates
        with pytest.raises(ValueError, match=rf"span, 3.0, got {float(period)}"):
            fdx.Diff(0, [3, 2.5, 1, 0], boundary="periodic", period=period)


def test_even_coordinates_and_a_gap():
    days, year = np.arange(365), 365.25
    f = np.sin(2 * np.pi * days / year)
    want = np.cos(2 * np.pi * days / year) * 2 * np.pi / year
    got = fdx.derivative(f, days, accuracy=6, boundary="periodic", period=year)
    assert abs(got - want).max() < 1e-11  # not so if the last day were next to the first
    lon = np.deg2rad(np.arange(0.0, 360.0, 2.5))
    even = fdx.derivative(np.sin(lon), lon, boundary="periodic", period=2 * np.pi)
    same_values(even, fdx.derivative(np.sin(lon), 2 * np.pi / 144, boundary="periodic"))
    with pytest.raises(ValueError, match=r"period: expected 6\.28\d* for 144 .* got 360.0 .*unit"):
        fdx.derivative(np.sin(lon), lon, boundary="periodic", period=360)
    with pytest.raises(ValueError, match=r"period: expected more than .* got 6\.28\d* .*unit"):
        fdx.derivative(np.sin(lon), np.rad2deg(lon), boundary="periodic", period=2 * np.pi)
    for other in lon.astype("f4").astype("f8"), -lon:  # even enough to tell
        with pytest.raises(
            ValueError, match=r"period: expected 6\.28\d* for 144 .* got 360.0 .*unit"
        ):
            fdx.Diff(0, other, boundary="periodic", period=360)
    fdx.Diff(0, [0, 0.01, 1], boundary="periodic", period=15)  # uneven: there may be a gap


def test_even_coordinates_by_any_formula():
    for n in range(7, 400):
        h = 2 * np.pi / n
        grids = [
            np.linspace(-np.pi, np.pi, n, endpoint=False),
            np.deg2rad(np.linspace(-180, 180, n, endpoint=False)),
            -np.pi + (np.arange(n) + 0.5) * h,
            np.arange(n) * h,
        ]
        for x in grids:
            D = fdx.Diff(0, x, accuracy=4, boundary="periodic", period=2 * np.pi)
            assert "h = " in repr(D)  # one formula for all points


@pytest.mark.parametrize("sign", [1, -1])
def test_period_of_a_spacing(sign):
    """The period is a length: its sign does not matter. Single precision is taken into account."""
    f = np.random.default_rng(0).normal(size=10)
    want = fdx.derivative(f, sign * 0.1, boundary="periodic")
    single = fdx.derivative(f, np.float32(sign * 0.1), boundary="periodic")
    for period in (1.0, -1.0):
        options = dict(boundary="periodic", period=period)
        same_values(fdx.derivative(f, sign * 0.1, **options), want)
        same_values(fdx.derivative(f, np.float32(sign * 0.1), **options), single)
        x = sign * 0.1 * np.arange(10)
        assert np.allclose(fdx.derivative(f, x, **options), want, rtol=1e-12, atol=1e-12)
    h = sign * 2 * np.pi / 10
    single = np.float32(2 * np.pi)
    for grid in h, h * np.arange(10):
        same_values(
            fdx.derivative(f, grid, boundary="periodic", period=single),
            fdx.derivative(f, h, boundary="periodic"),
        )
    for x in np.linspace(0, h * 10, 40_000), np.linspace(0, np.float32(h * 10), 40_000):
        with pytest.raises(ValueError, match="twice"):
            fdx.Diff(0, x, boundary="periodic", period=single)
    short, long = np.float16(0.1), float(np.float16(0.1)) * 599
    with pytest.raises(ValueError, match="twice"):
        fdx.derivative(np.ones(600), short, boundary="periodic", period=long)
    with pytest.raises(ValueError, match=r"expected 10 points .*, 1\.0, got 1\.000001$"):
        fdx.derivative(f, sign * 0.1, boundary="periodic", period=1.000001)
    with pytest.raises(ValueError, match=r"got 360.0 \(in another unit\?\)"):
        fdx.derivative(f, h, boundary="periodic", period=360)


@pytest.mark.parametrize("deriv", [1, 2, 3])
def test_weights_that_underflow(deriv):
    """They are refused if digits would be lost, as those that overflow are."""
    f = 1e14 * np.sin(np.arange(40) * 2 * np.pi / 40)
    options = dict(deriv=deriv, accuracy=4, boundary="periodic")
    for exponent in range(10, 45):
        h = 10.0**exponent
        for grid in h, np.arange(40) * h, uneven(40, seed=1) * h:
            x = np.arange(40) * h if np.ndim(grid) == 0 else grid
            period = None if np.ndim(grid) == 0 else abs(x[-1] - x[0]) + h
            want = fdx.derivative(f, grid, period=period, **options)
            try:
                got = fdx.derivative(f.astype("f4"), grid, period=period, **options)
            except ValueError as error:
                assert "double precision" in str(error)  # noqa: PT017
                assert exponent * deriv > 30
                continue
            assert exponent * deriv < 39
            assert abs(got - want).max() <= 1e-4 * abs(want).max() + 1e-43
        got, want = fdx.derivative(f, h, **options) * h**deriv, fdx.derivative(f, **options)
        assert abs(got - want).max() <= 1e-12 * abs(want).max()
    for grid in 1e200, np.arange(40) * 1e200, uneven(40, seed=1) * 1e200:
        period = None if np.ndim(grid) == 0 else grid[-1] - grid[0] + 1e200
        if deriv > 1:
            with pytest.raises(ValueError, match="weights neither over- nor underflow, got "):
                fdx.derivative(f, grid, period=period, **options)
        else:
            assert fdx.derivative(f, grid, period=period, **options).any()
    assert not (0 * fdx.Diff(0, 1e30))(f.astype("f4")).any()
    for exponent in -200, 160, 200:
        D = fdx.Diff(0, 10.0**exponent)
        with pytest.raises(
            ValueError, match=r"product neither over- nor underflow, got Diff\(0, 1e"
        ):
            (D @ D)(f)
    assert not (0 * (D @ D))(f).any()
    D = fdx.Diff(0, 1e20)
    with pytest.raises(ValueError, match="double precision"):
        (D @ D)(f.astype("f4"))


# ------------------------------------------------------------------ constants


@pytest.mark.parametrize(
    "boundary", [*CONSTANT, ("one-sided", "reflect"), ("symmetric-odd", "valid")]
)
@pytest.mark.parametrize("deriv", [1, 2, 3, 4, 6])
def test_constants_have_derivative_zero(deriv, boundary):
    for accuracy in (2, 4, 8):
        n = 2 * half_width(deriv, accuracy, True) + 7
        x = uneven(n, seed=deriv)
        for spacing in (1.0, 0.1, -1e-3, 1e5, x, -x, x * 1e6, np.linspace(0, 1, n)):
            period = None
            if boundary == "periodic" and np.ndim(spacing):
                period = (spacing[-1] - spacing[0]) * (1 + 1.1 / n)
            options = dict(deriv=deriv, accuracy=accuracy, boundary=boundary, period=period)
            for dtype in DTYPES:
                value = 0.1 + 0.7j if dtype[0] == "c" else 0.1 if dtype[0] == "f" else 100
                got = fdx.derivative(np.full(n, value, dtype), spacing, **options)
                assert not got.any(), f"{dtype} {options} {spacing}: {got}"
            for value in (1e300, -1e-300, 5e-324, 1 / 3):
                got = fdx.derivative(np.full(n, value), spacing, **options)
                assert not got.any(), f"{value} {options} {spacing}: {got}"


@pytest.mark.parametrize("boundary", CONSTANT)
def test_float32_of_which_it_cannot_hold_the_weights(boundary):
    """1 / h**2 is 1e40, more than float32 holds: times 0 it would be NaN."""
    f = np.ones(9, np.float32)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"f: expected double precision.*got float32"):
            fdx.derivative(f, 1e-20, deriv=2, boundary=boundary)
    assert not fdx.derivative(f.astype(float), 1e-20, deriv=2, boundary=boundary).any()


# ------------------------------------------------------------------ pairs, signs, short axes


def test_pairs_of_boundaries():
    """Each end is as if both ends had its boundary."""
    for deriv, accuracy in itertools.product((1, 2, 3), (2, 4, 6)):
        r = half_width(deriv, accuracy, True)
        n = 4 * r + 5
        f = np.random.default_rng(0).normal(size=n)
        sides = [b for b in BOUNDARIES if b != "periodic"]
        for spacing in (0.3, uneven(n)):
            whole = {
                b: fdx.derivative(f, spacing, deriv=deriv, accuracy=accuracy, boundary=b)
                for b in sides
            }
            cut = (n - len(whole["valid"])) // 2
            for left, right in itertools.product(sides, repeat=2):
                got = fdx.derivative(
                    f, spacing, deriv=deriv, accuracy=accuracy, boundary=(left, right)
                )
                half = n // 2
                a = whole[left][: half - (cut if left == "valid" else 0)]
                b = whole[right][half - (cut if right == "valid" else 0) :]
                same_values(got, np.concatenate([a, b]), f"{left} {right}")


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_falling_coordinates_and_negative_spacing(boundary):
    """The same values in reverse order have the same derivative, up to rounding."""
    for deriv, accuracy in itertools.product((1, 2, 3, 4), (2, 4, 6)):
        n = 2 * half_width(deriv, accuracy, True) + 5
        f = np.random.default_rng(0).normal(size=n)
        for spacing in (0.3, uneven(n)):
            many = np.ndim(spacing) > 0
            period = (spacing[-1] - spacing[0]) + 0.6 if many and boundary == "periodic" else None
            options = dict(deriv=deriv, accuracy=accuracy, boundary=boundary)
            got = fdx.derivative(
                f[::-1],
                spacing[::-1] if many else -spacing,
                period=None if period is None else -period,
                **options,
            )[::-1]
            want = fdx.derivative(f, spacing, period=period, **options)
            matrix = weights_of(n, spacing, period=period, **options)
            lost = (n - len(want)) // 2
            assert_close(got, want, 20 * EPS * magnitude(matrix, f, lost), f"{options} {spacing}")


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("coordinates", [False, True])
def test_fewest_points(boundary, coordinates):
    for deriv, accuracy in [*itertools.product(DERIVS, ACCURACIES), *LONG]:
        needed = points_needed(deriv, accuracy, boundary, uneven=coordinates)
        options = dict(deriv=deriv, accuracy=accuracy, boundary=boundary)

        def call(n, out=None, options=options):
            x = uneven(n) if coordinates else 0.5
            period = x[-1] - x[0] + 0.5 if coordinates and boundary == "periodic" else None
            return fdx.derivative(np.ones(n), x, period=period, out=out, **options)

        result = call(needed)
        assert len(result) == (1 if boundary == "valid" else needed)
        for n in {needed - 1, 2}:
            if n >= needed or n < (3 if coordinates else 1):
                continue
            out = np.full(n, 7.0)
            with pytest.raises(ValueError, match=f"at least {needed} points.*got {n}"):
                call(n, out=out)
            assert (out == 7).all()


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_two_coordinates_are_a_spacing(boundary):
    for deriv, accuracy in [*itertools.product((1, 2, 3), (2, 4, 6))]:
        options = dict(deriv=deriv, accuracy=accuracy, boundary=boundary)
        f = np.array([1.0, 3.5])
        period = 1.0 if boundary == "periodic" else None
        needed = points_needed(deriv, accuracy, boundary, uneven=boundary == "valid")
        if needed > 2:
            with pytest.raises(ValueError, match=f"axis 0: expected at least {needed} points"):
                fdx.derivative(f, [1.0, 1.5], period=period, **options)
        else:
            got = fdx.derivative(f, [1.0, 1.5], period=period, **options)
            same_values(got, fdx.derivative(f, 0.5, **options))


def test_fewest_points_of_pairs():
    sides = [b for b in BOUNDARIES if b != "periodic"]
    for deriv, accuracy in itertools.product((1, 2, 3), (2, 4, 6)):
        for pair in itertools.product(sides, repeat=2):
            options = dict(deriv=deriv, accuracy=accuracy, boundary=pair)
            with pytest.raises(ValueError, match="at least") as caught:
                fdx.derivative(np.ones(1), **options)
            needed = int(re.search(r"at least (\d+) points", str(caught.value)).group(1))
            assert (
                needed
                >= max(points_needed(deriv, accuracy, side) for side in pair if side != "valid")
                if set(pair) != {"valid"}
                else True
            )
            rng = np.random.default_rng(needed)
            f = rng.normal(size=needed)
            got = fdx.derivative(f, **options)
            # A polynomial's derivative would not do for ghosts: compare with np.pad.
            r = half_width(deriv, accuracy)
            padded, pads = f, [0, 0]
            for k, side in enumerate(pair):
                if side in PADS:
                    pads[k] = r
            if "one-sided" not in pair:
                padded = ghosts_at(f, pair, r)
                want = fdx.derivative(padded, deriv=deriv, accuracy=accuracy, boundary="valid")
                scale = abs(want).max() + 100
                assert_close(got, want, 100 * EPS * scale, f"{options}")
            with pytest.raises(ValueError, match=f"at least {needed} points.*got {needed - 1}"):
                fdx.derivative(np.ones(needed - 1), **options)


def ghosts_at(f, pair, r):
    left = np.pad(f, (r, 0), **PADS[pair[0]])[:r] if pair[0] in PADS else f[:0]
    right = np.pad(f, (0, r), **PADS[pair[1]])[len(f) :] if pair[1] in PADS else f[:0]
    return np.concatenate([left, f, right])


# ------------------------------------------------------------------ errors

X = np.arange(12.0) ** 1.5

ERRORS = [
    (dict(f=np.zeros(12, "f2")), TypeError, "f: expected .*float32.* got float16"),
    (dict(f=np.zeros(12, "g")), TypeError, "f: expected .*float64.* got"),
    (dict(f=np.zeros(12, bool)), TypeError, "f: expected .* got bool"),
    (dict(f=np.zeros(12, object)), TypeError, "f: expected .* got object"),
    (dict(f=np.zeros(12, "m8[s]")), TypeError, "f: expected .* got timedelta64"),
    (dict(f="text"), TypeError, "f: expected .* got <U4"),
    (dict(f=None), TypeError, "f: expected .* got"),
    (dict(f=np.ma.masked_less(X, X[5])), TypeError, "f: expected a numpy.ndarray, got a masked "),
    (dict(f=1.0), ValueError, "f: expected .* one dimension, got a scalar"),
    (dict(f=np.array(1.0)), ValueError, "f: expected .* one dimension, got a scalar"),
    (dict(f=np.float64(1.0)), ValueError, "f: expected .* one dimension, got a scalar"),
    (dict(axis=1), np.exceptions.AxisError, "axis 1 is out of bounds"),
    (dict(axis=-2), np.exceptions.AxisError, "axis -2 is out of bounds"),
    (dict(axis=0.0), TypeError, "axis: expected an integer, got 0.0"),
    (dict(axis=None), TypeError, "axis: expected an integer, got None"),
    (dict(axis=(0,)), TypeError, r"axis: expected an integer, got \(0,\)"),
    (dict(axis=False), TypeError, "axis: expected an integer, got False"),
    (dict(deriv=0), ValueError, "deriv: expected an integer from 1 on, got 0"),
    (dict(deriv=-1), ValueError, "deriv: expected an integer from 1 on, got -1"),
    (dict(deriv=1.0), TypeError, "deriv: expected an integer from 1 on, got 1.0"),
    (dict(deriv=True), TypeError, "deriv: expected an integer from 1 on, got True"),
    (dict(deriv="1"), TypeError, "deriv: expected an integer from 1 on, got '1'"),
    (dict(deriv=None), TypeError, "deriv: expected an integer from 1 on, got None"),
    (dict(deriv=10**30), ValueError, "10{30}"),
    (dict(accuracy=3), ValueError, "accuracy: expected an even integer from 2 on, got 3"),
    (dict(accuracy=0), ValueError, "accuracy: expected an even integer from 2 on, got 0"),
    (dict(accuracy=2.0), TypeError, "accuracy: expected an even integer from 2 on, got 2.0"),
    (dict(accuracy=100), ValueError, "accuracy: expected .*64 points, got .*accuracy=100"),
    (dict(deriv=70), ValueError, "deriv: expected .*64 points, got deriv=70"),
    (dict(deriv=62, accuracy=4), ValueError, "accuracy: expected .*64 points, got deriv=62"),
    (dict(accuracy=10**30), ValueError, "accuracy: expected .* got .*10{30}"),
    (dict(boundary="mirror"), ValueError, "boundary: expected one of 'one-sided', .* got 'mirror'"),
    (dict(boundary=None), ValueError, "boundary: expected one of .* got None"),
    (dict(boundary=3), ValueError, "boundary: expected one of .* got 3"),
    (dict(boundary=["reflect"]), ValueError, r"got \['reflect'\] \(a list is for functions of sev"),
    (dict(boundary="wrap"), ValueError, "one of 'one-sided', .*'wrap' is 'periodic' here$"),
    (dict(boundary=("valid", "mirror")), ValueError, "'mirror' is 'reflect' here$"),
    (dict(boundary="nearest"), ValueError, "boundary: expected one of .* got 'nearest'; pad f"),
    (dict(boundary=()), ValueError, r"boundary: expected one of .* got \(\)"),
    (dict(boundary=("valid",)), ValueError, "boundary: expected one of .* got"),
    (dict(boundary=("valid", "valid", "valid")), ValueError, "boundary: expected one of .* got"),
    (dict(boundary=["valid", "valid"]), ValueError, "boundary: expected one of .* got"),
    (dict(boundary=("valid", ["valid"])), ValueError, "boundary: expected one of .* got"),
    (dict(boundary=("periodic", "valid")), ValueError, "boundary: expected 'periodic' on both"),
    (dict(boundary=("reflect", "periodic")), ValueError, "boundary: expected 'periodic' on both"),
    (dict(spacing=0), ValueError, "spacing: expected a finite number other than 0, got 0"),
    (dict(spacing=0.0), ValueError, "spacing: expected a finite number other than 0, got 0.0"),
    (dict(spacing=np.nan), ValueError, "spacing: expected a finite number other than 0, got nan"),
    (dict(spacing=-np.inf), ValueError, "spacing: expected a finite number .* got -inf"),
    (dict(spacing=1j), TypeError, "spacing: expected a .*number, got 1j"),
    (dict(spacing=np.complex128(1)), TypeError, "spacing: expected a real number, got"),
    (dict(spacing="1"), TypeError, "spacing: expected a real number, got '1'"),
    (dict(spacing=None), TypeError, "spacing: expected a real number, got None"),
    (dict(spacing=True), TypeError, "spacing: expected a real number, got True"),
    (dict(spacing=np.timedelta64(1, "s")), TypeError, "spacing: expected a real number, got"),
    (dict(spacing=10**400), ValueError, "spacing: expected a finite number"),
    (dict(spacing=1e-320), ValueError, "spacing: .*1e-320"),
    (dict(spacing=1e-200, deriv=2), ValueError, "spacing: .*1e-200"),
    (dict(spacing=X[:-1]), ValueError, "spacing: expected 12 coordinates.* got 11"),
    (dict(spacing=[1.0]), ValueError, "spacing: expected at least 2 coordinates, got 1"),
    (dict(spacing=[]), ValueError, "spacing: expected at least 2 coordinates, got 0"),
    (dict(spacing=X.reshape(3, 4)), TypeError, r"spacing: expected .*1-D.* shape \(3, 4\)"),
    (dict(spacing=X * 1j), TypeError, "spacing: expected .*real.* dtype complex128"),
    (dict(spacing=X.astype("m8[s]")), TypeError, "spacing: expected .* dtype timedelta64"),
    (dict(spacing=(X * 1j).astype(object)), TypeError, "spacing: expected .* dtype object"),
    (dict(spacing=np.sin(X)), ValueError, "spacing: expected strictly increasing or decreasing"),
    (dict(spacing=np.ones(12)), ValueError, "spacing: .* increasing .* got 1.0 and 1.0 at .0"),
    (dict(spacing=np.append(X[:-1], X[-2])), ValueError, r"spacing: expected .* at \[10\] and"),
    (dict(spacing=np.append(X[:-1], np.nan)), ValueError, r"spacing: .*finite.* got nan at \[11\]"),
    (dict(spacing=X * 1e-320), ValueError, "spacing: "),
    (dict(period=3.0), ValueError, "period: expected None with boundary='one-sided', got 3.0"),
    (dict(spacing=X, boundary="periodic"), ValueError, "period: expected the length.* got None"),
    (dict(spacing=X, boundary="periodic", period=X[11]), ValueError, "period: expected more than"),
    (
        dict(spacing=X, boundary="periodic", period=-30.0),
        ValueError,
        "period: expected .* got -30.0",
    ),
    (  # degrees for radians
        dict(spacing=np.deg2rad(X), boundary="periodic", period=360.0),
        ValueError,
        "period: expected at most .*, 8 times .* got 360.0 .in another unit.",
    ),
    (dict(spacing=X, boundary="periodic", period=0), ValueError, "period: expected .* got 0"),
    (dict(spacing=X, boundary="periodic", period=np.nan), ValueError, "period: .* got nan"),
    (dict(spacing=X, boundary="periodic", period="1"), TypeError, "period: expected .* got '1'"),
    (dict(boundary="periodic", period=11.0), ValueError, "period: .* got 11.0 .*stored twice?"),
    (
        dict(boundary="periodic", period=360.0),
        ValueError,
        "period: expected 12 .* got 360.0 .*unit",
    ),
    (dict(workers=0), ValueError, "workers: expected .* got 0"),
    (dict(workers=1.5), TypeError, "workers: expected an integer or None, got 1.5"),
    (dict(workers="2"), TypeError, "workers: expected an integer or None, got '2'"),
]


@pytest.mark.parametrize(("change", "kind", "message"), ERRORS)
def test_errors_say_what_was_expected_and_leave_out_alone(change, kind, message):
    out = np.full(12, 7.0)
    arguments = {"f": np.ones(12), "spacing": 1.0, "out": out} | change
    for _ in range(2):  # also when something of the first call was kept
        with pytest.raises(kind, match=message) as caught:
            fdx.derivative(arguments["f"], **{k: v for k, v in arguments.items() if k != "f"})
        assert caught.type is kind
        assert (out == 7).all()


OUT_ERRORS = [
    (np.full(11, 7.0), ValueError, r"out: expected shape \(12,\), got \(11,\)"),
    (np.full((12, 1), 7.0), ValueError, r"out: expected shape \(12,\), got \(12, 1\)"),
    (np.full(12, 7, "f4"), TypeError, "out: expected dtype float64, got float32"),
    (np.full(12, 7, "i8"), TypeError, "out: expected dtype float64, got int64"),
    (np.full(12, 7, "c16"), TypeError, "out: expected dtype float64, got complex128"),
    (np.ma.array(np.full(12, 7.0)), TypeError, "out: expected a numpy.ndarray, got numpy.*Masked"),
    ([7.0] * 12, ValueError, "out: expected one array, got 12"),
    (7.0, TypeError, "out: expected a numpy.ndarray, got float"),
    ("out", TypeError, "out: expected a numpy.ndarray, got str"),
]


@pytest.mark.parametrize(("out", "kind", "message"), OUT_ERRORS)
def test_errors_of_out(out, kind, message):
    with pytest.raises(kind, match=message):
        fdx.derivative(np.arange(12.0), out=out)
    if isinstance(out, np.ndarray):
        assert (out == 7).all()


def test_errors_of_out_that_may_not_be_written():
    out = np.full(12, 7.0)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="out: expected a writeable array, got a read-only one"):
        fdx.derivative(np.arange(12.0), out=out)
    assert (out == 7).all()
    one = np.full(1, 7.0)
    same = np.lib.stride_tricks.as_strided(one, (12,), (0,))
    with pytest.raises(ValueError, match="out: expected elements that do not overlap"):
        fdx.derivative(np.arange(12.0), out=same)
    assert one[0] == 7
    with pytest.raises(ValueError, match=r"out: expected shape \(10,\), got \(12,\)"):
        fdx.derivative(np.arange(12.0), boundary="valid", out=np.empty(12))


def test_foreign_arrays_are_refused():
    class Foreign:
        def __array_function__(self, function, types, args, kwargs):
            raise NotImplementedError

    with pytest.raises(TypeError, match=r"f: expected a numpy.ndarray, got .*Foreign"):
        fdx.derivative(Foreign())


# ------------------------------------------------------------------ dtypes


def options_of_a_derivative(draw, n, uneven_too=True):
    """Arguments that fit an axis of n points."""
    deriv = draw(st.integers(1, 4))
    accuracy = draw(st.sampled_from([2, 4, 6]))
    boundary = draw(st.sampled_from(BOUNDARIES))
    if uneven_too and draw(st.booleans()):
        spacing = uneven(n, seed=deriv) * draw(st.sampled_from([1, -1, 1e-3]))
    else:
        spacing = draw(st.sampled_from([1.0, 0.3, -0.7, 2, 1e4]))
    options = dict(deriv=deriv, accuracy=accuracy, boundary=boundary)
    if np.ndim(spacing) and boundary == "periodic":
        options["period"] = (spacing[-1] - spacing[0]) * 1.1
    return spacing, options


@st.composite
def calls(draw, layouts=("C",)):
    """Shape, layout, axis and the arguments of a derivative along it."""
    shape = draw(st.lists(st.sampled_from([1, 2, 3, 5]), min_size=0, max_size=2))
    axis = draw(st.integers(0, len(shape)))
    n = draw(st.sampled_from([13, 14, 16, 17, 31, 32, 33, 65]))
    shape.insert(axis, n)
    spacing, options = options_of_a_derivative(draw, n)
    layout = draw(st.sampled_from(layouts))
    options["axis"] = draw(st.sampled_from([axis, axis - len(shape)]))
    return tuple(shape), layout, spacing, options


@given(call=calls(), seed=st.integers(0, 99), kind=st.sampled_from(["F", "D"]))
@fewer
def test_complex_is_its_parts(call, seed, kind):
    shape, _, spacing, options = call
    f = make_array(kind, shape, "ordinary", seed=seed)
    got = fdx.derivative(f, spacing, **options)
    assert got.dtype == f.dtype
    same_values(got.real, fdx.derivative(f.real.copy(), spacing, **options))
    same_values(got.imag, fdx.derivative(f.imag.copy(), spacing, **options))


@given(call=calls(), seed=st.integers(0, 99), kind=st.sampled_from("bBhHiIlLqQ"))
@fewer
def test_integers_are_their_float64(call, seed, kind):
    shape, _, spacing, options = call
    f = make_array(kind, shape, "bits", seed=seed)
    got = fdx.derivative(f, spacing, **options)
    same_values(got, fdx.derivative(f.astype(np.float64), spacing, **options))


def test_lists_and_scalars_of_numpy():
    same_values(fdx.derivative([0, 1, 4, 9]), np.array([0.0, 2.0, 4.0, 6.0]))
    f = np.random.default_rng(0).normal(size=9)
    want = fdx.derivative(f, 0.5)
    for h in (np.float64(0.5), np.float32(0.5), np.array(0.5), Fraction(1, 2)):
        same_values(fdx.derivative(f, h), want)
    same_values(fdx.derivative(f, np.int8(2), deriv=np.int64(2), accuracy=np.uint8(4)),
                fdx.derivative(f, 2, deriv=2, accuracy=4))  # fmt: skip
    x = np.arange(9) ** 2
    for same_x in (x.tolist(), tuple(x), x.astype("f4"), x.astype(">i2"), x.astype("u1")[::1]):
        same_values(fdx.derivative(f, same_x), fdx.derivative(f, x.astype(float)))


@given(call=calls(), seed=st.integers(0, 99))
@fewer
def test_float32_is_near_float64(call, seed):
    shape, _, spacing, options = call
    f = make_array("f4", shape, "ordinary", seed=seed)
    got = fdx.derivative(f, spacing, **options)
    assert got.dtype == np.float32
    want = fdx.derivative(f.astype(np.float64), spacing, **options)
    along = np.moveaxis(f, options["axis"], -1).reshape(-1, f.shape[options["axis"]])
    rest = {k: v for k, v in options.items() if k != "axis"}
    matrix = weights_of(along.shape[1], spacing, **rest)
    lost = (along.shape[1] - len(matrix)) // 2
    bound = np.stack([magnitude(matrix, line.astype(np.float64), lost) for line in along])
    moved = [np.moveaxis(a, options["axis"], -1).reshape(bound.shape) for a in (got, want)]
    assert_close(*moved, 8 * np.finfo(np.float32).eps * bound)


# ------------------------------------------------------------------ layouts


@given(
    call=calls(layouts=LAYOUTS),
    dtype=st.sampled_from(["<f8", ">f8", "<f4", ">f4", "<c16", ">c8", "<i4", ">i2", "|u1"]),
    seed=st.integers(0, 99),
)
@fewer
def test_layout_of_the_input(call, dtype, seed):
    shape, layout, spacing, options = call
    f = make_array(dtype, shape, "wide", layout, seed)
    plain = np.array(f, dtype=f.dtype.newbyteorder("="), order="C")
    before = canonical_bytes(f)
    with np.errstate(all="ignore"):
        got = fdx.derivative(f, spacing, **options)
        want = fdx.derivative(plain, spacing, **options)
    assert got.shape == want.shape
    assert got.dtype.newbyteorder("=") == want.dtype
    assert canonical_bytes(got) == canonical_bytes(want)
    assert canonical_bytes(f) == before


def test_fields_of_records_and_memory_maps(tmp_path):
    f = np.random.default_rng(0).normal(size=(20, 6))
    record = np.zeros((20, 6), np.dtype([("flag", "u1"), ("value", "f8"), ("tail", "u2")]))
    record["value"] = f
    mapped = np.memmap(tmp_path / "f", np.float64, "w+", shape=f.shape)
    mapped[...] = f
    for axis, deriv in itertools.product((0, 1), (1, 2)):
        want = fdx.derivative(f, 0.1, axis=axis, deriv=deriv)
        same_values(fdx.derivative(record["value"], 0.1, axis=axis, deriv=deriv), want)
        got = fdx.derivative(mapped, 0.1, axis=axis, deriv=deriv)
        same_values(got, want)
        fdx.derivative(f, 0.1, axis=axis, deriv=deriv, out=record["value"])
        same_values(np.ascontiguousarray(record["value"]), want)
        assert not record["flag"].any()
        assert not record["tail"].any()
        record["value"] = f
        out = np.memmap(tmp_path / "out", np.float64, "w+", shape=f.shape)
        assert fdx.derivative(f, 0.1, axis=axis, deriv=deriv, out=out) is out
        same_values(np.array(out), want)


@given(
    call=calls(layouts=LAYOUTS),
    out_layout=st.sampled_from([name for name in LAYOUTS if name not in ("broadcast", "readonly")]),
    dtype=st.sampled_from(["<f8", ">f8", "<f4", "<c16", ">c8", "<i4"]),
    native=st.booleans(),
    seed=st.integers(0, 99),
)
@fewer
def test_layout_of_out(call, out_layout, dtype, native, seed):
    shape, layout, spacing, options = call
    f = make_array(dtype, shape, "ordinary", layout, seed)
    want = fdx.derivative(f, spacing, **options)
    out_dtype = want.dtype.newbyteorder("=") if native else want.dtype
    out = lay_out(np.full(want.shape, 7, out_dtype), out_layout, np.random.default_rng(seed))
    whole = out
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    assert fdx.derivative(f, spacing, out=out, **options) is out
    assert canonical_bytes(out) == canonical_bytes(want)
    # Nothing between its elements was written to: they were zeros.
    out[...] = 0
    assert not np.frombuffer(whole.base, np.uint8).any()


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dtype", ["f8", "f4", "c16"])
def test_out_that_shares_memory_with_the_input(boundary, dtype):
    for shape, axis, coordinates in [
        ((40,), 0, False),
        ((12, 9), 0, False),
        ((9, 12), 1, False),
        ((12, 9), 0, True),
    ]:
        n = shape[axis]
        x = uneven(n) if coordinates else 0.5
        options = dict(axis=axis, accuracy=4, boundary=boundary)
        if coordinates and boundary == "periodic":
            options["period"] = (x[-1] - x[0]) * 1.2
        f = make_array(dtype, shape)
        want = fdx.derivative(f, x, **options)
        for shift in (-3, -1, 0, 1, 2):
            memory = np.zeros(f.size + 8, dtype)
            source = memory[4 : 4 + f.size].reshape(shape)
            out = memory[4 + shift : 4 + shift + want.size].reshape(want.shape)
            source[...] = f
            assert fdx.derivative(source, x, out=out, **options) is out
            same_values(out, want)
        if want.shape == shape:
            for view in (np.s_[::-1], np.s_[:]):
                memory = f.copy()
                out = memory[view]
                fdx.derivative(memory, x, out=out, **options)
                same_values(out.copy(), want)


def test_out_transposed_over_the_input():
    f = make_array("f8", (9, 9))
    want = fdx.derivative(f, axis=0, deriv=2)
    memory = f.copy()
    fdx.derivative(memory, axis=0, deriv=2, out=memory.T)
    same_values(memory.T.copy(), want)


EMPTY = """
import numpy as np, fdx
for shape, axis in [((0, 5), 1), ((5, 0), 0), ((3, 0, 7), 2), ((3, 4, 0), 1)]:
    for dtype in ("f4", "f8", "c8", "i4"):
        for x in (0.5, np.arange(shape[axis]) ** 2.0):
            got = fdx.derivative(np.zeros(shape, dtype), x, axis=axis)
            assert got.shape == shape
            assert got.dtype == (dtype if dtype != "i4" else "f8")
        fdx.laplacian(np.zeros((*shape, 4), dtype), axis=axis, accuracy=2, boundary="reflect")
"""


def test_empty_arrays():
    """In another process: a division of integers by 0 would end this one."""
    done = subprocess.run([sys.executable, "-c", EMPTY], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    with pytest.raises(ValueError, match=r"axis 0: expected at least 3 points.* got 0"):
        fdx.derivative(np.zeros((0, 5)), axis=0)
    with pytest.raises(ValueError, match=r"axis 0: expected at least 3 points.* got 0"):
        fdx.derivative([])


# ------------------------------------------------------------------ threads


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_same_bits_for_any_number_of_workers(jobs, workers, boundary):
    cases = [
        ((1003,), 0),
        ((40, 33), 0),
        ((40, 33), 1),
        ((9, 12, 11), 1),
        ((3, 200), 1),
        ((200, 3), 0),
    ]
    for (shape, axis), dtype in itertools.product(cases, ["f4", "f8", ">f8", "c8", "i2"]):
        f = make_array(dtype, shape, "ordinary")
        for spacing in (0.3, uneven(shape[axis])):
            options = dict(axis=axis, deriv=2, accuracy=4, boundary=boundary)
            if np.ndim(spacing) and boundary == "periodic":
                options["period"] = (spacing[-1] - spacing[0]) * 1.2
            want = fdx.derivative(f, spacing, workers=1, **options)
            jobs.clear()
            got = fdx.derivative(f, spacing, workers=workers, **options)
            assert_same_bits(got, want, f"{shape} {axis} {dtype}")
            assert {job.workers for job in jobs} == ({workers} if workers > 1 else set())
            out = np.empty_like(want)
            assert_same_bits(fdx.derivative(f, spacing, workers=workers, out=out, **options), want)


def test_more_workers_than_work(jobs):
    for shape in [(3,), (3, 1), (5, 2), (0, 3), (3, 0)]:
        f = make_array("f8", shape)
        axis = int(np.argmax(shape))
        same_values(fdx.derivative(f, axis=axis, workers=100), fdx.derivative(f, axis=axis))


# ------------------------------------------------------------------ floating-point errors


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i4", "i8", "u8"])
def test_ordinary_data_raises_nothing(dtype):
    f = make_array(dtype, (40, 30), "ordinary")
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        for deriv, accuracy, boundary in itertools.product((1, 2, 4), (2, 6), BOUNDARIES):
            for axis, h in itertools.product((0, 1), (1.0, 0.01, 1e-3)):
                fdx.derivative(f, h, axis=axis, deriv=deriv, accuracy=accuracy, boundary=boundary)
            x = uneven(30)
            period = 2 * (x[-1] - x[0]) if boundary == "periodic" else None
            fdx.derivative(f, x, deriv=deriv, accuracy=accuracy, boundary=boundary, period=period)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("workers", [1, 3])
def test_overflow_is_reported_as_asked(jobs, dtype, workers):
    f = np.full((30, 20), 0.0, dtype)
    f[12, 7] = f[14, 7] = np.finfo(dtype).max
    f[14, 7] *= -1
    out = np.full_like(f, 7)
    for axis in (0, 1):
        for deriv in (1, 2):
            options = dict(axis=axis, deriv=deriv, workers=workers)
            with pytest.warns(RuntimeWarning, match="overflow"):
                got = fdx.derivative(f, 1e-3, **options)
            assert not np.isfinite(got).all()
            with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
                fdx.derivative(f, 1e-3, out=out, **options)
            same_values(out, got)
            with np.errstate(over="ignore"):
                same_values(fdx.derivative(f, 1e-3, **options), got)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_underflow_and_subnormals(dtype):
    info = np.finfo(dtype)
    least = info.smallest_subnormal
    f = (np.arange(20) % 7).astype(dtype) * least
    got = fdx.derivative(f, 0.5)  # whole multiples: exact
    same_values(got, fdx.derivative(np.arange(20) % 7 * 1.0, 0.5).astype(dtype) * least)
    with np.errstate(under="raise"), pytest.raises(FloatingPointError, match="underflow"):
        fdx.derivative((np.arange(20) ** 2).astype(dtype) * info.tiny, 4096.7)
    with np.errstate(under="warn"), pytest.warns(RuntimeWarning, match="underflow"):
        fdx.derivative((np.arange(20) ** 2).astype(dtype) * info.tiny, 4096.7)


INFINITE = np.full((6, 7), np.inf)
TWICE = fdx.Diff(0) @ (np.ones((6, 1)) * fdx.Diff(0))
CALLS = {
    "gradient": lambda: fdx.gradient(INFINITE),
    "derivative": lambda: fdx.derivative(INFINITE),
    "derivative, out": lambda: fdx.derivative(INFINITE, out=np.empty((7, 6)).T),
    "derivative, coordinates": lambda: fdx.derivative(INFINITE, [0, 1, 2, 4, 5, 7, 8]),
    "laplacian": lambda: fdx.laplacian(INFINITE),
    "divergence": lambda: fdx.divergence([INFINITE] * 2),
    "curl": lambda: fdx.curl([INFINITE] * 2),
    "hessian": lambda: fdx.hessian(INFINITE),
    "jacobian": lambda: fdx.jacobian([INFINITE] * 2),
    "jacobian, several passes": lambda: fdx.jacobian([INFINITE] * 40),
    "an operator": lambda: TWICE(INFINITE),
    "an operator, out": lambda: TWICE(INFINITE, out=np.empty((7, 6)).T),
    "a linear operator": lambda: TWICE.as_linear_operator((6, 7)).matvec(INFINITE.ravel()),
    "its transpose": lambda: TWICE.as_linear_operator((6, 7)).T @ INFINITE.ravel(),
    "weights": lambda: fdx.weights([0, 1e-310]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_warnings_point_at_the_line_that_called(call):
    for _ in range(2):  # an operator that is compiled, and one that has been
        with pytest.warns(RuntimeWarning, match="encountered in") as seen:
            call()
        assert {(w.filename, w.lineno) for w in seen} == {(__file__, call.__code__.co_firstlineno)}


def test_warnings_and_errors_come_in_the_order_of_numpy():
    f = np.array([1e308, 0, -1e308, np.inf, np.inf, np.inf])
    called = []

    def check(compute):
        with (
            np.errstate(over="warn", invalid="raise"),
            pytest.raises(FloatingPointError, match="invalid value"),
            pytest.warns(RuntimeWarning, match="overflow"),
        ):
            compute()
        with (
            np.errstate(over="call", invalid="warn", call=lambda kind, flag: called.append(kind)),
            pytest.warns(RuntimeWarning, match="invalid value") as seen,
        ):
            compute()
        assert len(seen) == 1

    for compute in (lambda: f[2:] - f[:-2], lambda: fdx.derivative(f, 0.5)):
        check(compute)
    assert called == ["overflow", "overflow"]


IN_A_THREAD = """
import _thread, queue, sys
import numpy as np, fdx
D = fdx.Diff(0)
D(np.zeros(5))
found = queue.SimpleQueue()
sys.unraisablehook = lambda unraisable: found.put(unraisable.exc_value)
for n in (5, 6):  # no Python function is called, or only fdx's own
    _thread.start_new_thread(D, (np.full(n, np.inf),))
    print(repr(found.get(timeout=60)))
"""


def test_warnings_where_no_line_has_called():
    command = [sys.executable, "-W", "error", "-c", IN_A_THREAD]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert found == "RuntimeWarning('invalid value encountered in derivative')\n" * 2


def test_coordinates_further_apart_than_a_float64_holds():
    x = np.array([-1.7e308, 1.5e308, 1.6e308, 1.7e308])
    with np.errstate(all="raise"):
        fdx.Diff(0, x)
        with pytest.raises(ValueError, match="period: expected more than the coordinates span"):
            fdx.Diff(0, x, boundary="periodic", period=1.0)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_specials_touch_only_the_rows_that_see_them(boundary, special):
    for deriv, accuracy in itertools.product((1, 2, 3), (2, 4)):
        n = 24
        for spacing, dtype in itertools.product((0.3, uneven(n)), ("f8", "f4", "c16")):
            options = dict(deriv=deriv, accuracy=accuracy, boundary=boundary)
            if np.ndim(spacing) and boundary == "periodic":
                options["period"] = (spacing[-1] - spacing[0]) * 1.2
            f = make_array(dtype, (n,))
            want = fdx.derivative(f, spacing, **options)
            matrix = weights_of(n, spacing, **options)
            for at in range(n):
                g = f.copy()
                g[at] = special
                with np.errstate(all="ignore"):
                    got = fdx.derivative(g, spacing, **options)
                seen = matrix[:, at] != 0
                assert not np.isfinite(got[seen]).any(), f"{options} {at}"
                columns = [np.flatnonzero(row) for row in matrix]
                if boundary == "periodic":
                    near = np.abs((np.arange(n) - at + n // 2) % n - n // 2)
                    may = near <= half_width(deriv, accuracy, np.ndim(spacing) > 0)
                else:
                    may = np.array([len(c) > 0 and c[0] <= at <= c[-1] for c in columns])
                    lost = (n - len(matrix)) // 2
                    rows = np.arange(len(matrix)) + lost
                    # Weights may be 0, as those of a first derivative at a mirror.
                    may |= abs(rows - at) <= half_width(deriv, accuracy, np.ndim(spacing) > 0)
                same_values(got[~may], want[~may], f"{options} {at}")


def test_values_of_every_kind_are_finite_where_they_can_be():
    """Data from the largest to the smallest numbers: each row is as accurate as its terms allow."""
    rng = np.random.default_rng(0)
    for values in ("special", "wide", "huge", "tiny"):
        f = make_values(np.dtype("f8"), 200, values, rng)
        with np.errstate(all="ignore"):
            got = fdx.derivative(f)
            want = (f[2:] - f[:-2]) * 0.5
        same_values(got[1:-1], want)
