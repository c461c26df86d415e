"""Random operators, each with its dense matrix.

The matrices are computed by NumPy alone from those of single derivatives along an axis, which other
tests compare with polynomials and np.pad.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from stencils import BOUNDARIES, half_width, points_needed, weights_of

import fdx


@dataclass
class Made:
    """An operator, its matrix, and the size of the terms of its sums."""

    operator: fdx.Operator
    matrix: np.ndarray  # of an array of in_shape, ravelled
    size: np.ndarray  # |weights|, before anything has cancelled
    in_shape: tuple
    offset: tuple  # of the result's first point, in points of the input
    shape: tuple  # of the result
    between: bool = False  # are there arrays between derivatives?
    text: str = ""
    ends: frozenset = frozenset()  # pairs of an axis and whether it is periodic
    cropped: bool = False  # is there a sum that leaves points of a term out?
    width: int = 1  # at most so many points of an axis in a row

    def __repr__(self):
        return self.text


def along(weights, axis, shape):
    """The matrix of an operator along one axis of arrays of a shape."""
    before = np.eye(int(np.prod(shape[:axis])))
    behind = np.eye(int(np.prod(shape[axis + 1 :])))
    return np.kron(before, np.kron(weights, behind))


def with_own(weights, lost):
    """|weights|, and at the centre the sum of the others, as its value is subtracted from each."""
    size = abs(weights)
    rows = np.arange(len(size))
    size[rows, rows + lost] += size.sum(axis=1)
    return size


def uneven(n, seed):
    return np.cumsum(np.random.default_rng(seed).uniform(0.3, 1.0, n))


@st.composite
def diffs(draw, shape, square=False):
    """A derivative that fits arrays of a shape."""
    axis = draw(st.integers(0, len(shape) - 1))
    n = shape[axis]
    coordinates = draw(st.booleans()) and n > 2
    choices = [
        (deriv, accuracy, boundary)
        for deriv in (1, 2, 3)
        for accuracy in (2, 4)
        for boundary in BOUNDARIES
        if points_needed(deriv, accuracy, boundary, coordinates) <= n
        and not (square and boundary == "valid")
    ]
    deriv, accuracy, boundary = draw(st.sampled_from(choices))
    if coordinates:
        seed = draw(st.integers(0, 3))
        x = uneven(n, seed) * draw(st.sampled_from([1, -1]))
        spacing, words = x, f"uneven({n}, {seed})"
    else:
        spacing = draw(st.sampled_from([1.0, 0.5, 0.3, -0.7]))
        words = repr(spacing)
    period = (x[-1] - x[0]) * 1.1 if coordinates and boundary == "periodic" else None
    options = dict(deriv=deriv, accuracy=accuracy, boundary=boundary, period=period)
    weights = weights_of(n, spacing, **options)
    lost = half_width(deriv, accuracy, coordinates) if boundary == "valid" else 0
    out_shape = tuple(len(weights) if d == axis else m for d, m in enumerate(shape))
    return Made(
        fdx.Diff(axis, spacing, **options),
        along(weights, axis, shape),
        along(with_own(weights, lost), axis, shape),
        tuple(shape),
        tuple(lost * (d == axis) for d in range(len(shape))),
        out_shape,
        text=f"Diff({axis}, {words}, {options})",
        ends=frozenset([(axis, boundary == "periodic")]),
        width=2 * half_width(deriv, accuracy, coordinates) + 1,
    )


def region(made, start, stop):
    """Rows of the points between two corners, in points of the input."""
    index = np.arange(int(np.prod(made.shape))).reshape(made.shape)
    kept = tuple(slice(a - o, b - o) for a, b, o in zip(start, stop, made.offset, strict=True))
    return index[kept].ravel()


def added(a, b, sign):
    start = tuple(map(max, a.offset, b.offset))
    ends = [[o + n for o, n in zip(m.offset, m.shape, strict=True)] for m in (a, b)]
    stop = tuple(map(min, *ends))
    rows_a, rows_b = region(a, start, stop), region(b, start, stop)
    return Made(
        a.operator + b.operator if sign > 0 else a.operator - b.operator,
        a.matrix[rows_a] + sign * b.matrix[rows_b],
        a.size[rows_a] + b.size[rows_b],
        a.in_shape,
        start,
        tuple(q - p for p, q in zip(start, stop, strict=True)),
        a.between or b.between,
        f"({a} {'+' if sign > 0 else '-'} {b})",
        a.ends | b.ends,
        a.cropped or b.cropped or a.shape != b.shape or a.offset != b.offset,
        max(a.width, b.width),
    )


def followed(b, a):
    """a @ b, b being first."""
    return Made(
        a.operator @ b.operator,
        a.matrix @ b.matrix,
        a.size @ b.size,
        b.in_shape,
        tuple(map(sum, zip(a.offset, b.offset, strict=True))),
        a.shape,
        a.between or b.between or "array" in f"{a}{b}",
        f"({a} @ {b})",
        a.ends | b.ends,
        a.cropped or b.cropped,
        a.width + b.width - 1,
    )


def scaled(a, number):
    return Made(
        number * a.operator,
        number * a.matrix,
        abs(number) * a.size,
        a.in_shape,
        a.offset,
        a.shape,
        a.between,
        f"{number} * {a}",
        a.ends,
        a.cropped,
        a.width,
    )


def weighed(a, values):
    """Multiplied by an array that broadcasts to the result's shape."""
    every = np.broadcast_to(values, a.shape).ravel()[:, None].astype(float)
    return Made(
        values * a.operator,
        every * a.matrix,
        abs(every) * a.size,
        a.in_shape,
        a.offset,
        a.shape,
        a.between,
        f"array of {values.shape} * {a}",
        a.ends,
        a.cropped,
        a.width,
    )


def transposed(a):
    """Only if the matrix is square: then no points are removed."""
    return Made(
        a.operator.T,
        a.matrix.T,
        a.size.T,
        a.in_shape,
        a.offset,
        a.shape,
        a.between,
        f"{a}.T",
        a.ends,
        a.cropped,
        a.width,
    )


def clash(a, b):
    """Is an axis periodic for only one of the two? Along it the product is not a band."""
    return any((axis, not periodic) in b.ends for axis, periodic in a.ends)


def has_product(a, b):
    """A periodic axis must have the points of a product's stencil."""
    width = a.width + b.width - 1
    fits = all(b.in_shape[axis] >= width for axis, periodic in a.ends | b.ends if periodic)
    return fits and not clash(a, b)


@st.composite
def operators(draw, shape, depth=2, square=False, arrays=True):
    """Sums, products and multiples of derivatives, for arrays of a shape."""
    kinds = ["diff"]
    if depth > 0:
        kinds += ["sum", "product", "number", "transpose"] + ["array"] * arrays
    kind = draw(st.sampled_from(kinds))
    inner = dict(depth=depth - 1, square=square, arrays=arrays)
    if kind == "diff":
        return draw(diffs(shape, square))
    if kind == "sum":
        a, b = (draw(operators(shape, **inner)) for _ in range(2))
        ends = [[o + n for o, n in zip(m.offset, m.shape, strict=True)] for m in (a, b)]
        if clash(a, b) or any(
            p <= q for p, q in zip(map(min, *ends), map(max, a.offset, b.offset), strict=True)
        ):
            return a
        return added(a, b, draw(st.sampled_from([1, -1])))
    if kind == "product":
        b = draw(operators(shape, **inner))
        # Of sums that are cropped there is a test for each thing that may follow.
        if min(b.shape) < 3 or b.cropped:
            return b
        a = draw(operators(b.shape, **inner))
        return followed(b, a) if has_product(a, b) else b
    if kind == "transpose":
        return transposed(draw(operators(shape, **(inner | dict(square=True)))))
    a = draw(operators(shape, **inner))
    if kind == "array" and a.cropped:
        return a
    if kind == "number":
        return scaled(a, draw(st.sampled_from([2, -0.5, 0.1, -3.7, 1e-3])))
    values_shape = tuple(n if draw(st.booleans()) else 1 for n in a.shape)
    values_shape = values_shape[draw(st.integers(0, len(values_shape) - 1)) :]
    seed = draw(st.integers(0, 99))
    return weighed(a, np.random.default_rng(seed).normal(size=values_shape))


shapes = st.sampled_from([(7,), (9,), (14,), (5, 6), (7, 4), (3, 8), (4, 3, 5), (3, 5, 3)])
