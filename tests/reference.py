"""Reference implementations of fdx.gradient, one point at a time with every rounding explicit, and
of fdx.weights and fdx.Diff.

gradient covers the arrays that the compiled core computes (integers, float32, float64 and complex
of both) and assumes correct arguments. It defines what the C code must compute; test_reference.py
compares it with np.gradient. weights is exact; test_weights.py compares it with SymPy. band_matrix
is exact too; test_reference_bands.py compares it with polynomials and np.pad. row_sum is the
summation order of operators.
"""

import functools
import math
import operator
from fractions import Fraction
from itertools import pairwise

import numpy as np


def gradient(f, *spacing, axis=None, edge_order=1):
    f = np.asarray(f)
    if f.dtype.kind in "iu":
        f = f.astype(np.float64)
    axes = np.lib.array_utils.normalize_axis_tuple(range(f.ndim) if axis is None else axis, f.ndim)
    if len(spacing) <= 1 and all(np.ndim(h) == 0 for h in spacing):
        spacing = (spacing or (1.0,)) * len(axes)

    results = []
    for ax, given in zip(axes, spacing, strict=True):
        h = steps(given)
        out = np.empty_like(f)
        lines_in, lines_out = np.moveaxis(f, ax, -1), np.moveaxis(out, ax, -1)
        for where in np.ndindex(lines_in.shape[:-1]):
            line = [native(value) for value in lines_in[where]]
            # The assignment rounds to the output's type: float32 results may come as float64.
            lines_out[where] = differentiate(line, h, edge_order)
        results.append(out)
    return results[0] if len(axes) == 1 else tuple(results)


def native(value):
    """A NumPy scalar of native byte order."""
    return value.dtype.newbyteorder("=").type(value)


def steps(spacing):
    """The distances between neighbours: a scalar if they are all the same, else an array."""
    if np.ndim(spacing) == 0:
        return spacing[()] if isinstance(spacing, np.ndarray) else spacing
    x = np.asarray(spacing)
    if x.dtype.kind in "iu":
        x = x.astype(np.float64)
    h = [native(x[i + 1]) - native(x[i]) for i in range(len(x) - 1)]
    return h[0] if all(step == h[0] for step in h) else h


def differentiate(f, h, edge_order):
    """The derivative along one line of scalars; h is one step or the list of them."""
    uniform = not isinstance(h, list)
    result = [None] * len(f)

    for i in range(1, len(f) - 1):
        if uniform:
            result[i] = divide(f[i + 1] - f[i - 1], 2.0 * h)
        else:
            d1, d2 = h[i - 1], h[i]
            a = -d2 / (d1 * (d1 + d2))
            b = (d2 - d1) / (d1 * d2)
            c = d1 / (d2 * (d1 + d2))
            result[i] = weighted_sum(a, f[i - 1], b, f[i], c, f[i + 1])

    if edge_order == 1:
        result[0] = divide(f[1] - f[0], h if uniform else h[0])
        result[-1] = divide(f[-1] - f[-2], h if uniform else h[-1])
        return result

    if uniform:
        result[0] = weighted_sum(-1.5 / h, f[0], 2.0 / h, f[1], -0.5 / h, f[2])
        result[-1] = weighted_sum(0.5 / h, f[-3], -2.0 / h, f[-2], 1.5 / h, f[-1])
        return result

    d1, d2 = h[0], h[1]
    a = -(2.0 * d1 + d2) / (d1 * (d1 + d2))
    b = (d1 + d2) / (d1 * d2)
    c = -d1 / (d2 * (d1 + d2))
    result[0] = weighted_sum(a, f[0], b, f[1], c, f[2])

    d1, d2 = h[-2], h[-1]
    a = d2 / (d1 * (d1 + d2))
    b = -(d2 + d1) / (d1 * d2)
    c = (2.0 * d2 + d1) / (d2 * (d1 + d2))
    result[-1] = weighted_sum(a, f[-3], b, f[-2], c, f[-1])
    return result


def compute_type(value, number):
    """The type in which an operation on data and a spacing or weight is computed.

    An exact Python number takes the data's type; a NumPy number has a say. float32 data over a
    float64 step is therefore subtracted in float32 and divided in float64, and over an int8 step it
    is divided in float64 inside (2.0 * int8 is a float64) and in float32 at the edges.
    """
    return np.result_type(value.dtype, number)


def divide(value, h):
    dtype = compute_type(value, h)
    if dtype.kind != "c":
        return dtype.type(value) / dtype.type(h)
    # Smith's division by h + 0j, as NumPy divides complex numbers.
    real = np.empty(0, dtype).real.dtype.type
    re, im, h = real(value.real), real(value.imag), real(h)
    if h == 0:
        zero = abs(h)
        return dtype.type(complex_of(re / zero, im / zero, dtype))
    ratio = real(0) / h
    scale = real(1) / (h + real(0) * ratio)
    return complex_of((re + im * ratio) * scale, (im - re * ratio) * scale, dtype)


def times(weight, value):
    dtype = compute_type(value, weight)
    if dtype.kind != "c":
        return dtype.type(weight) * dtype.type(value)
    # The weight is the complex number w + 0j; its zero meets infinities and signed zeros.
    real = np.empty(0, dtype).real.dtype.type
    w, zero, re, im = real(weight), real(0), real(value.real), real(value.imag)
    return complex_of(w * re - zero * im, w * im + zero * re, dtype)


def weighted_sum(a, x, b, y, c, z):
    return (times(a, x) + times(b, y)) + times(c, z)


def complex_of(re, im, dtype):
    result = np.empty((), dtype)
    result.real, result.imag = re, im
    return result[()]


def weights(nodes, at, deriv):
    """The weights as Fractions, each from its Lagrange polynomial's Taylor coefficient at `at`."""
    x = [Fraction(node) - Fraction(at) for node in nodes]
    # In multiples of one unit the coefficients are integers, for which Python is faster.
    unit = Fraction(1, math.lcm(*(node.denominator for node in x)))
    x = [int(node / unit) for node in x]
    result = []
    for j, node in enumerate(x):
        numerator, denominator = [1], 1
        for i, other in enumerate(x):
            if i != j:
                numerator = times_t_minus(other, numerator)[: deriv + 1]
                denominator *= node - other
        coefficient = numerator[deriv] if deriv < len(numerator) else 0
        result.append(Fraction(math.factorial(deriv) * coefficient, denominator) / unit**deriv)
    return result


def times_t_minus(root, polynomial):
    """(t - root) times a polynomial in t, given by its coefficients, the lowest first."""
    return [a - root * b for a, b in zip([0, *polynomial], [*polynomial, 0], strict=True)]


HALF_OUTSIDE = ("symmetric", "symmetric-odd", "antisymmetric")  # where the mirror is


def band_matrix(
    n,
    deriv,
    accuracy,
    boundary="one-sided",
    spacing=1,
    period=None,
    position="center",
    side=None,
    at=None,
):
    """The matrix of Diff(..., deriv=deriv, ...), or with deriv 0 of Interp, for n points, as rows
    of Fractions.

    `spacing` is a number or the n coordinates, and all numbers are exact. Two definitions use
    doubles: coordinates are uniform if their differences, rounded to double, are equal (and no
    boundary is "valid"); and if a stencil goes beyond an end, all of its coordinates are rounded to
    double, as distances from that end or, if periodic, from the centre.
    """
    left, right = (boundary, boundary) if isinstance(boundary, str) else boundary
    if isinstance(spacing, (int, float, Fraction)):
        x, h = None, Fraction(spacing)
    else:
        x = [Fraction(value) for value in spacing]
        h = uniform_step(x, period if left == "periodic" else None)
        if "valid" in (left, right) or at is not None:  # its length does not depend on values
            h = None
    unit = 1 if h is None else h
    half = Fraction(position != "center", 2)
    before, after = reach(deriv, accuracy, h is not None, position, side, midpoints=at is None)

    rows = []
    for result, i in enumerate(bases(n, position)):
        nodes = range(i - before, i + after + 1)
        if (left == "valid" and nodes[0] < 0) or (right == "valid" and nodes[-1] >= n):
            continue
        if left == "one-sided" and nodes[0] < 0:
            nodes = range(deriv + accuracy)
        elif right == "one-sided" and nodes[-1] >= n:
            nodes = range(n - deriv - accuracy, n)
        if h is not None:
            place, own = nodes, i + half
        else:
            place = [coordinate(point, x, left, right, period) for point in nodes]
            ends = [
                coordinate(point, x, left, right, period) for point in (i, i + 1)[: 1 + (half > 0)]
            ]
            if at is not None:
                ends = [Fraction(at[result])]
            if nodes[0] < 0 or nodes[-1] >= n:
                last = x[0] if nodes[0] < 0 else x[-1]
                origin = x[min(max(i, 0), n - 1)] if left == "periodic" else last
                place, ends = ([rounded(c - origin) for c in some] for some in (place, ends))
            own = sum(ends) / len(ends)
        row = [Fraction(0)] * n
        for point, w in zip(nodes, weights(place, own, deriv), strict=True):
            for column, times in values(point, n, left, right):
                row[column] += times * w / unit**deriv
        rows.append(row)
    return rows


def reach(deriv, accuracy, uniform, position="center", side=None, midpoints=True):
    """How many neighbours an interior stencil has before and after its base point: by the
    documentation's formulas."""
    if side is not None:
        more = (deriv + accuracy + 1) // 2
        fewer = deriv + accuracy - 1 - more
        return (more, fewer) if side == "left" else (fewer, more)
    if position != "center":
        in_the_middle = midpoints and (uniform or (deriv, accuracy) == (1, 2))
        on_each_side = (deriv + accuracy) // 2 if in_the_middle else (deriv + accuracy + 1) // 2
        return on_each_side - 1, on_each_side
    half_width = (deriv + 1) // 2 + accuracy // 2 - 1 if uniform else (deriv + accuracy) // 2
    return half_width, half_width


def bases(n, position):
    """The base points of all results: these are there, or half a spacing after them."""
    first = -1 if position in ("outer", "left") else 0
    return range(first, n - 1 if position in ("inner", "left") else n)


def uniform_step(x, period):
    """The spacing of the coordinates, if it is constant; else None."""
    steps = {float(b - a) for a, b in pairwise(x)}
    if period is not None:
        steps.add(float(rounded(x[0] + Fraction(period)) - x[-1]))
    return Fraction(steps.pop()) if len(steps) == 1 else None


def rounded(value):
    return Fraction(float(value))


def values(point, n, left, right):
    """A point's value, as columns and their factors; outside the array, as np.pad's,
    or minus their mirrored ones."""
    if 0 <= point < n:
        return [(point, 1)]
    mode, end = (left, 0) if point < 0 else (right, n - 1)
    if mode == "periodic":
        return [(point % n, 1)]
    mirrored = 2 * end - point
    if mode in HALF_OUTSIDE:
        mirrored += -1 if point < 0 else 1
    if mode.endswith("odd"):
        return [(end, 2), (mirrored, -1)]
    return [(mirrored, {"zero": 0, "antisymmetric": -1}.get(mode, 1))]


def coordinate(point, x, left, right, period):
    """A point's coordinate; outside of the array, mirrored or a period away."""
    n = len(x)
    if 0 <= point < n:
        return x[point]
    mode, end, inner = (left, 0, 1) if point < 0 else (right, n - 1, n - 2)
    if mode == "periodic":
        return x[point % n] + (point // n) * Fraction(period)
    mirror = x[end] - (x[inner] - x[end]) / 2 if mode in HALF_OUTSIDE else x[end]
    (source, _) = values(point, n, left, right)[-1]
    return 2 * mirror - x[source]


# ---- boundaries with data ----


def solved(matrix, right):
    """The solution of a linear system of Fractions, by Gauss's elimination."""
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    n = len(rows)
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k] != 0)
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for i in range(n):
            if i != k:
                rows[i] = [a - rows[i][k] * b for a, b in zip(rows[i], rows[k], strict=True)]
    return [row[-1] for row in rows]


def moment(functional, power):
    """A functional, a list of (factor, place, derivative), of ``x**power / power!``."""
    return sum(
        Fraction(factor) * Fraction(place) ** (power - m) / math.factorial(power - m)
        for factor, place, m in functional
        if power >= m
    )


def band_with_data(
    n, deriv, accuracy, conditions, spacing=1, position="center", side=None, other="one-sided"
):
    """The matrix of Diff(..., boundary=conditions, ...) as rows of Fractions, and for each end what
    its datum contributes to each row.

    `conditions` are (value, slope, spacings outside) of both ends, or None where `other` is the
    boundary. A row whose stencil reaches outside, or to a point whose value is given, has so many
    unknown weights as it takes to be exact for polynomials of a degree below deriv + accuracy,
    which determine them: of the datum, and of the points next to it.
    """
    uniform = isinstance(spacing, (int, float, Fraction))
    x = [Fraction(i) * spacing for i in range(n)] if uniform else [Fraction(v) for v in spacing]
    ends = tuple(other if c is None else "one-sided" for c in conditions)
    matrix = band_matrix(n, deriv, accuracy, ends, spacing, None, position, side)
    before, after = reach(deriv, accuracy, uniform, position, side)
    columns = [[Fraction(0)] * len(matrix) for _ in range(2)]
    more = [2 * x[0] - x[1], *x, 2 * x[-1] - x[-2]]
    kept = [
        i
        for i in bases(n, position)
        if not (ends[0] == "valid" and i < before) and not (ends[1] == "valid" and i + after >= n)
    ]
    for number, i in enumerate(kept):
        for end, condition in enumerate(conditions):
            if condition is None:
                continue
            value, slope, outside = condition
            given = slope == 0 and outside == 0
            reached = i + after - (n - 1) if end else before - i
            if reached + given < 1:
                continue
            last, next_one = (n - 1, n - 2) if end else (0, 1)
            place = x[last] + (x[last] - x[next_one]) * Fraction(outside)
            own = (more[i + 1] + more[i + 2]) / 2 if position != "center" else x[i]
            count = before + after if reached == 0 else deriv + accuracy - 1
            first = n - count - given if end else int(given)
            nodes = range(first, first + count)
            functionals = [[(value, place - own, 0), (slope, place - own, 1)]]
            functionals += [[(1, x[k] - own, 0)] for k in nodes]
            powers = range(len(functionals))
            found = solved(
                [[moment(f, p) for f in functionals] for p in powers],
                [moment([(1, 0, deriv)], p) for p in powers],
            )
            columns[end][number] = found[0]
            matrix[number] = [Fraction(0)] * n
            for k, w in zip(nodes, found[1:], strict=True):
                matrix[number][k] = w
    return matrix, columns


def row_sum(summation, w, f, centre):
    """One row's sum of weighted neighbours in the summation order that the C core's header
    defines: every operation is rounded to the precision of `f`, which is real."""
    w = np.asarray(w, f.dtype)
    if summation == "plain":
        terms = [w[k] * f[k] for k in range(len(w))]
    elif summation == "differences":
        terms = [w[k] * (f[k] - f[centre]) for k in range(len(w)) if k != centre]
    else:
        pairs = [(centre - j, centre + j) for j in range(1, centre + 1)]
        if summation == "antisymmetric":
            terms = [w[right] * (f[right] - f[left]) for left, right in pairs]
        elif summation == "symmetric":
            terms = [
                w[right] * ((f[right] - f[centre]) - (f[centre] - f[left])) for left, right in pairs
            ]
    return functools.reduce(operator.add, terms)
