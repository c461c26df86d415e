"""The slow twin of fdx.gradient: one point at a time, every rounding in sight.

It covers the arrays that the compiled core computes itself (integers, float32, float64 and complex
of both) and assumes correct arguments. It is what the C code must do; test_reference.py holds it
against np.gradient.
"""

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
            result[i] = taps(a, f[i - 1], b, f[i], c, f[i + 1])

    if edge_order == 1:
        result[0] = divide(f[1] - f[0], h if uniform else h[0])
        result[-1] = divide(f[-1] - f[-2], h if uniform else h[-1])
        return result

    if uniform:
        result[0] = taps(-1.5 / h, f[0], 2.0 / h, f[1], -0.5 / h, f[2])
        result[-1] = taps(0.5 / h, f[-3], -2.0 / h, f[-2], 1.5 / h, f[-1])
        return result

    d1, d2 = h[0], h[1]
    a = -(2.0 * d1 + d2) / (d1 * (d1 + d2))
    b = (d1 + d2) / (d1 * d2)
    c = -d1 / (d2 * (d1 + d2))
    result[0] = taps(a, f[0], b, f[1], c, f[2])

    d1, d2 = h[-2], h[-1]
    a = d2 / (d1 * (d1 + d2))
    b = -(d2 + d1) / (d1 * d2)
    c = (2.0 * d2 + d1) / (d2 * (d1 + d2))
    result[-1] = taps(a, f[-3], b, f[-2], c, f[-1])
    return result


def compute_type(value, number):
    """The type an operation of data with a spacing or a weight is done in.

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


def taps(a, x, b, y, c, z):
    return (times(a, x) + times(b, y)) + times(c, z)


def complex_of(re, im, dtype):
    result = np.empty((), dtype)
    result.real, result.imag = re, im
    return result[()]
