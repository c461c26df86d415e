"""Shared by tests of derivatives: matrices, from unit vectors, and bounds on rounding errors."""

import numpy as np

import fdx

BOUNDARIES = [
    "one-sided",
    "periodic",
    "valid",
    "reflect",
    "symmetric",
    "reflect-odd",
    "symmetric-odd",
    "zero",
    "antisymmetric",
]
HALF_OUTSIDE = ("symmetric", "symmetric-odd", "antisymmetric")  # where the mirror is
# Of which the derivative of a constant is 0, also at the ends.
CONSTANT = [b for b in BOUNDARIES if b not in ("zero", "antisymmetric")]


def minus_mirrored(row, widths, axis, options):
    """For np.pad: ghost values that are odd about a wall half a spacing outside."""
    left, right = widths
    n = len(row) - left - right
    f = row[left : left + n].copy()
    row[:left] = -f[:left][::-1]
    row[left + n :] = -f[::-1][:right]


# np.pad's arguments for the ghost values.
PADS = {
    "periodic": dict(mode="wrap"),
    "reflect": dict(mode="reflect"),
    "symmetric": dict(mode="symmetric"),
    "reflect-odd": dict(mode="reflect", reflect_type="odd"),
    "symmetric-odd": dict(mode="symmetric", reflect_type="odd"),
    "zero": dict(mode="constant"),
    "antisymmetric": dict(mode=minus_mirrored),
}


def half_width(deriv, accuracy, uneven=False):
    """The half-width of an interior stencil, by the documentation's formula."""
    if uneven:
        return (deriv + accuracy) // 2
    return (deriv + 1) // 2 + accuracy // 2 - 1


def points_needed(deriv, accuracy, boundary, uneven=False):
    r = half_width(deriv, accuracy, uneven)
    return {
        "one-sided": max(2 * r + 1, deriv + accuracy),
        "periodic": 2 * r + 1,
        "valid": 2 * r + 1,
        "reflect": r + 1,
        "symmetric": max(r, 2),
        "reflect-odd": r + 1,
        "symmetric-odd": max(r, 2),
        "zero": r + 1,
        "antisymmetric": max(r, 2),
    }[boundary]


def weights_of(n, spacing=1.0, **options):
    """The matrix of a derivative on n points, row by row: its results for unit vectors."""
    return fdx.derivative(np.eye(n), spacing, axis=0, **options)


def magnitude(matrix, f, lost=0):
    """For each row the sum of |w| |f|, with the value at the centre counted once for each other
    point; `lost` rows are missing at the left."""
    matrix, f = np.abs(matrix), np.abs(f)
    rows = np.arange(matrix.shape[0]) + lost
    return matrix @ f + matrix.sum(axis=1) * f[rows]


def assert_close(got, want, bound, context=""):
    """|got - want| <= bound for every element."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, f"{context}: {got.shape} is not {want.shape}"
    error = abs(got - want)
    if not (error <= bound).all():
        bound = np.broadcast_to(bound, error.shape)
        k = np.unravel_index(np.argmax(error - bound), error.shape)
        where = tuple(int(i) for i in k)
        raise AssertionError(
            f"{context}: at {where} got {got[k]!r}, want {want[k]!r}, error {error[k]:.3g} "
            f"of at most {bound[k]:.3g}"
        )
