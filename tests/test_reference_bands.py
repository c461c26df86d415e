"""The exact matrices of derivatives, checked by polynomials and by np.pad."""

from fractions import Fraction
from math import factorial

import numpy as np
import pytest
from reference import band_matrix, bases, reach

DERIVS = [(1, 2), (1, 4), (2, 2), (2, 4), (3, 2), (4, 2), (5, 6), (6, 4)]
GHOSTS = ["reflect", "symmetric", "reflect-odd", "symmetric-odd", "zero", "antisymmetric"]
N = 16

# Dyadic, so that mirrored coordinates are doubles too.
UNEVEN = [Fraction(4 * i * (i + 20) + 7 * (-1) ** i, 16) for i in range(N)]
COORDINATES = {"spacing": Fraction(3, 8), "rising": UNEVEN, "falling": [-x for x in UNEVEN]}


def points_of(spacing, n=N):
    return spacing if isinstance(spacing, list) else [i * spacing for i in range(n)]


def derivative_of_power(x, power, deriv):
    if power < deriv:
        return 0
    return Fraction(factorial(power), factorial(power - deriv)) * x ** (power - deriv)


def is_exact(row, x, own, power, deriv):
    total = sum(w * at**power for w, at in zip(row, x, strict=True))
    return total == derivative_of_power(own, power, deriv)


@pytest.mark.parametrize(("deriv", "accuracy"), DERIVS)
@pytest.mark.parametrize("spacing", COORDINATES)
@pytest.mark.parametrize(
    "boundary", ["one-sided", "valid", ("one-sided", "valid"), ("valid", "one-sided")]
)
def test_exact_up_to_the_design_degree(deriv, accuracy, spacing, boundary):
    x = points_of(COORDINATES[spacing])
    matrix = band_matrix(N, deriv, accuracy, boundary, COORDINATES[spacing])
    uniform = spacing == "spacing"
    half_width = (deriv + 1) // 2 + accuracy // 2 - 1 if uniform else (deriv + accuracy) // 2
    left, right = (boundary, boundary) if isinstance(boundary, str) else boundary
    skipped = half_width if left == "valid" else 0
    assert len(matrix) == N - skipped - (half_width if right == "valid" else 0)
    for number, row in enumerate(matrix):
        i = number + skipped
        inner = half_width <= i < N - half_width
        # the nodes determine a polynomial; in the middle of them symmetry gives another degree
        nodes = 2 * half_width + 1 if inner else deriv + accuracy
        degree = nodes - 1 + (uniform and inner and deriv % 2 == 0)
        assert degree >= deriv + accuracy - 1
        assert all(is_exact(row, x, x[i], power, deriv) for power in range(degree + 1))
        assert not is_exact(row, x, x[i], degree + 1, deriv)
        assert sum(w != 0 for w in row) <= nodes


@pytest.mark.parametrize(("deriv", "accuracy"), DERIVS)
@pytest.mark.parametrize("left", GHOSTS)
@pytest.mark.parametrize("right", GHOSTS)
@pytest.mark.parametrize("spacing", ["spacing", "rising"])
@pytest.mark.parametrize("spare", [0, 7])
def test_ghosts_are_what_np_pad_gives(deriv, accuracy, left, right, spacing, spare):
    half_width = (deriv + accuracy) // 2
    n = half_width + 1 + spare
    x = UNEVEN[:n] if spacing == "rising" else [Fraction(i) for i in range(n)]
    padded = x
    values = np.identity(n, dtype=object) * 1
    for side, mode in ((0, left), (1, right)):
        values = pad(values, half_width, side, mode)
        # a mirrored coordinate is as far beyond the mirror as its source is inside
        mode = "reflect-odd" if mode.startswith(("reflect", "zero")) else "half"
        padded = pad(padded, half_width, side, mode)
    spacing = x if spacing == "rising" else 1
    wide = band_matrix(n + 2 * half_width, deriv, accuracy, "valid", padded if spacing != 1 else 1)
    # with a spacing, the half-width of even derivatives is one less than with coordinates
    rows = (len(wide) - n) // 2
    expected = np.array(wide[rows : rows + n]) @ values
    assert (np.array(band_matrix(n, deriv, accuracy, (left, right), spacing)) == expected).all()


def pad(values, half_width, side, mode):
    if mode == "half":
        ends = values[:2] if side == 0 else values[:-3:-1]
        mirror = 3 * ends[0] - ends[1]
        inner = values[:half_width] if side == 0 else values[-half_width:]
        ghosts = [mirror - value for value in reversed(inner)]
        return [*ghosts, *values] if side == 0 else [*values, *ghosts]
    if mode == "antisymmetric":
        inner = values[:half_width] if side == 0 else values[-half_width:]
        ghosts = [-np.array(value) for value in reversed(inner)]
        return [*ghosts, *values] if side == 0 else [*values, *ghosts]
    mode, _, odd = mode.replace("zero", "constant").partition("-")
    widths = [(half_width, 0) if side == 0 else (0, half_width)] + [(0, 0)] * (np.ndim(values) - 1)
    odd = {} if mode == "constant" else {"reflect_type": odd or "even"}
    return np.pad(np.array(values), widths, mode, **odd).tolist()


@pytest.mark.parametrize(("deriv", "accuracy"), DERIVS)
def test_periodic_rows_are_rotated(deriv, accuracy):
    matrix = np.array(band_matrix(N, deriv, accuracy, "periodic", Fraction(1, 3)))
    for i in range(N):
        assert (np.roll(matrix[0], i) == matrix[i]).all()
    assert (matrix[5] == band_matrix(N, deriv, accuracy, "one-sided", Fraction(1, 3))[5]).all()


@pytest.mark.parametrize(("deriv", "accuracy"), DERIVS)
@pytest.mark.parametrize("sign", [1, -1])
def test_periodic_coordinates_go_on(deriv, accuracy, sign):
    x = [sign * value for value in UNEVEN]
    period = x[-1] - x[0] + sign * 5
    matrix = np.array(band_matrix(N, deriv, accuracy, "periodic", x, period))
    thrice = [value + turn * period for turn in (-1, 0, 1) for value in x]
    wide = np.array(band_matrix(3 * N, deriv, accuracy, "one-sided", thrice))[N : 2 * N]
    assert (wide[:, :N] + wide[:, N : 2 * N] + wide[:, 2 * N :] == matrix).all()


def test_coordinates_with_one_distance_are_a_spacing():
    x = [Fraction(5 + 3 * i, 4) for i in range(N)]
    for boundary in ["one-sided", *GHOSTS]:
        spaced = band_matrix(N, 2, 2, boundary, Fraction(3, 4))
        assert band_matrix(N, 2, 2, boundary, x) == spaced
    # How long a result is does not depend on the coordinates' values.
    assert len(band_matrix(N, 2, 2, "valid", x)) == len(band_matrix(N, 2, 2, "valid", UNEVEN))
    spaced = band_matrix(N, 2, 2, "periodic", Fraction(3, 4))
    assert band_matrix(N, 2, 2, "periodic", x, N * Fraction(3, 4)) == spaced
    assert band_matrix(N, 2, 2, "periodic", x, N) != spaced


PLACES = [(position, None) for position in ("inner", "outer", "left", "right")]
PLACES += [("center", "left"), ("center", "right")]


@pytest.mark.parametrize(("position", "side"), PLACES)
@pytest.mark.parametrize("deriv", [0, 1, 2, 3])
@pytest.mark.parametrize("accuracy", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("spacing", COORDINATES)
@pytest.mark.parametrize("boundary", ["one-sided", "valid", ("one-sided", "valid")])
def test_other_places_are_exact_up_to_the_design_degree(
    position, side, deriv, accuracy, spacing, boundary
):
    if accuracy % 2 != (side is not None) or (deriv == 0 and side is not None):
        return
    x = points_of(COORDINATES[spacing])
    places = dict(position=position, side=side)
    matrix = band_matrix(N, deriv, accuracy, boundary, COORDINATES[spacing], **places)
    uniform = spacing == "spacing"
    before, after = reach(deriv, accuracy, uniform, **places)
    left, right = (boundary, boundary) if isinstance(boundary, str) else boundary
    rows = [
        i
        for i in bases(N, position)
        if not (left == "valid" and i < before) and not (right == "valid" and i + after >= N)
    ]
    assert len(matrix) == len(rows)
    for i, row in zip(rows, matrix, strict=True):
        inner = before <= i < N - after
        nodes = before + after + 1 if inner else deriv + accuracy
        at = x[i] if 0 <= i < N else None
        if position != "center":
            before_it = 2 * x[0] - x[1] if i < 0 else x[i]
            after_it = 2 * x[-1] - x[-2] if i == N - 1 else x[i + 1]
            at = (before_it + after_it) / 2
        # In the middle of uniform nodes, or of two, symmetry gives another degree.
        first = i - before if inner else 0 if i < before else N - nodes
        symmetric = (uniform or nodes == 2) and x[first] + x[first + nodes - 1] == 2 * at
        degree = nodes - 1 + (symmetric and (nodes - deriv) % 2 == 1)
        assert degree >= deriv + accuracy - 1
        assert all(is_exact(row, x, at, power, deriv) for power in range(degree + 1))
        assert not is_exact(row, x, at, degree + 1, deriv)
