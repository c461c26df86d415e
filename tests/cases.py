"""The arrays and spacings that the tests draw from.

`make_array` makes arrays from a few words and a seed, so that a failing example is printed as a
call that can be pasted, and values, layout and dtype can be drawn independently.
"""

import numpy as np

INTEGERS = [np.dtype(c) for c in "bBhHiIlLqQ"]
FLOATS = [np.dtype(c) for c in "fd"]
COMPLEX = [np.dtype(c) for c in "FD"]
# Both byte orders of everything that has one.
NATIVE_DTYPES = sorted(
    {d for dt in INTEGERS + FLOATS + COMPLEX for d in (dt.str, dt.newbyteorder("S").str)}
)
DECLINED_DTYPES = ["?", "<f2", ">f2", "g", "G", "O", "<M8[s]", "<m8[ms]"]

VALUES = [
    "ordinary",  # normal numbers
    "whole",  # small whole numbers: exact results, many zeros
    "zeros",  # zeros of both signs
    "constant",
    "one special",  # ordinary, with one NaN, inf, -0.0, subnormal or huge number somewhere
    "special",  # all of those mixed
    "huge",  # next to the largest number: differences overflow
    "tiny",  # next to the smallest: quotients underflow
    "wide",  # every magnitude
    "bits",  # any bit pattern, signalling NaNs included
]

LAYOUTS = [
    "C",
    "F",
    "permuted",  # contiguous, with the axes in another order in memory
    "negative",  # every axis backwards
    "one negative",
    "strided",  # every second or third element of each axis
    "one strided",
    "broadcast",  # one axis has stride 0
    "offset",  # one byte past alignment
    "offset strided",
    "odd ones",  # F order, cut: axes of length 1 keep strides that contiguity does not need
    "readonly",
]


def _floats(dtype, count, values, rng):
    info = np.finfo(dtype)
    ordinary = rng.normal(size=count)
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, float(info.smallest_subnormal),
                        float(info.tiny), -float(info.tiny), float(info.max), -float(info.max),
                        float(info.eps), 1.0])  # fmt: skip
    with np.errstate(all="ignore"):
        if values == "bits":
            return np.frombuffer(rng.bytes(count * dtype.itemsize), dtype)
        if values == "whole":
            numbers = rng.integers(-4, 5, count)
        elif values == "zeros":
            numbers = rng.choice([0.0, -0.0], count)
        elif values == "constant":
            numbers = np.full(count, ordinary[:1] if count else 0.0)
        elif values == "one special":
            numbers = ordinary
            if count:
                numbers[rng.integers(count)] = rng.choice(special)
        elif values == "special":
            numbers = rng.choice(special, count)
        elif values == "huge":
            numbers = rng.choice([-1.0, 1.0], count) * rng.uniform(0.2, 1, count) * float(info.max)
        elif values == "tiny":
            numbers = ordinary * float(info.tiny) * 2.0 ** rng.integers(-4, 8, count)
        elif values == "wide":
            numbers = np.ldexp(ordinary, rng.integers(info.minexp - 20, info.maxexp, count))
        else:
            numbers = ordinary
        return np.asarray(numbers).astype(dtype)


def _integers(dtype, count, values, rng):
    info = np.iinfo(dtype)
    if values in ("special", "huge", "one special"):
        edge = [info.min, info.max, info.min + 1, info.max - 1, 0, 1, info.max // 2]
        return np.array(edge, dtype)[rng.integers(len(edge), size=count)]
    if values == "constant":
        return np.full(count, rng.integers(info.max, dtype=dtype))
    if values in ("wide", "bits"):
        return np.frombuffer(rng.bytes(count * dtype.itemsize), dtype)
    low = max(info.min, -100)
    return rng.integers(low, 101, count).astype(dtype)


def make_values(dtype, count, values, rng):
    """1-D and contiguous."""
    dtype = np.dtype(dtype)
    native = dtype.newbyteorder("=")
    if native in COMPLEX:
        parts = _floats(np.empty(0, native).real.dtype, 2 * count, values, rng)
        return (
            parts.view(native).astype(dtype)
            if values != "bits"
            else _swap(parts.view(native), dtype)
        )
    if native in FLOATS or native == np.float16:
        numbers = _floats(native, count, values, rng)
    elif native in INTEGERS:
        numbers = _integers(native, count, values, rng)
    elif native.kind in "gfc":
        numbers = _floats(np.dtype("d"), count, values, rng)
        return numbers.astype(dtype)
    else:
        numbers = rng.integers(0, 100, count)
        return numbers.astype(dtype)
    return _swap(numbers, dtype)


def _swap(numbers, dtype):
    """Convert the byte order, without arithmetic that would quieten a signalling NaN."""
    if numbers.dtype == dtype:
        return numbers
    return numbers.byteswap().view(dtype)


def make_array(dtype, shape, values="ordinary", layout="C", seed=0):
    """An array of exactly this dtype and shape, with a layout in memory."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    ndim = len(shape)
    if layout == "broadcast" and ndim:
        ax = int(rng.integers(ndim))
        one = tuple(min(n, 1) if i == ax else n for i, n in enumerate(shape))
        data = make_values(dtype, int(np.prod(one)), values, rng).reshape(one)
        return np.broadcast_to(data, shape)
    data = make_values(dtype, int(np.prod(shape)), values, rng).reshape(shape)
    return lay_out(data, layout, rng)


def lay_out(data, layout, rng):
    """The same values in the layout."""
    dtype, shape, ndim = data.dtype, data.shape, data.ndim
    order = list(range(ndim))
    if layout in ("F", "odd ones"):
        order.reverse()
    elif layout == "permuted":
        order = list(rng.permutation(ndim))
    step = [1] * ndim
    if ndim:
        one = int(rng.integers(ndim))
        if layout == "negative":
            step = [-1] * ndim
        elif layout == "one negative":
            step[one] = -1
        elif layout in ("strided", "offset strided"):
            step = [int(s) for s in rng.choice([2, 3, -2], ndim)]
        elif layout == "one strided":
            step[one] = 2
        elif layout == "odd ones":
            step[0] = 2

    # A contiguous buffer large enough, then the slices that leave an array of the wanted shape.
    space = [max(1, n) * abs(s) for n, s in zip(shape, step, strict=True)]
    offset = 1 if layout in ("offset", "offset strided") and not dtype.hasobject else 0
    count = int(np.prod(space))
    if dtype.hasobject:
        flat = np.zeros(count, object)
    else:
        flat = np.frombuffer(bytearray(count * dtype.itemsize + offset), dtype, count, offset)
    buffer = flat.reshape([space[i] for i in order]).transpose(np.argsort(order).astype(int))
    # The ellipsis keeps an array with no axes an array.
    array = buffer[(..., *(slice(None, None, s) for s in step))]
    array = array[(..., *(slice(0, n) for n in shape))]
    array[...] = data
    assert (array.shape, array.dtype) == (shape, dtype)
    if layout == "readonly":
        array.flags.writeable = False
    return array


COORDINATES = [
    "uniform",  # exactly: NumPy's test for it succeeds
    "nearly uniform",  # linspace: the test fails for most lengths
    "uneven",
    "decreasing",
    "unsorted",
    "duplicated",
    "all equal",
    "special",  # NaN and infinities among them
    "huge",
    "tiny",
    "wide",
]


def make_coordinates(dtype, count, kind="uneven", layout="C", seed=0):
    """A 1-D array of coordinates, or a list or tuple when the layout says so."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    native = dtype.newbyteorder("=")
    positive = np.sort(rng.uniform(0, 100, count))
    if kind == "uniform":
        x = np.arange(count) * 2.0
    elif kind == "nearly uniform":
        x = np.linspace(0, 1, count)
    elif kind == "decreasing":
        x = positive[::-1]
    elif kind == "unsorted":
        x = rng.permutation(positive)
    elif kind == "duplicated":
        x = np.sort(rng.integers(0, max(2, count // 2), count)).astype(float)
    elif kind == "all equal":
        x = np.full(count, 3.0)
    elif native in FLOATS and kind in ("special", "huge", "tiny", "wide"):
        x = _floats(native, count, kind, rng)
    else:
        x = positive
    if native in INTEGERS:
        wild = kind in ("special", "huge", "wide")
        x = _integers(native, count, kind, rng) if wild else np.clip(np.floor(x), 0, 100)
    with np.errstate(all="ignore"):
        x = x.astype(native)
    if layout == "list":
        return x.tolist()
    if layout == "tuple":
        return tuple(x.tolist())
    return lay_out(x.astype(dtype), layout, rng)
