"""Does a derivative cost what an addition costs, for any size, dtype, axis and spacing?

``Time`` has the seconds of both, ``Additions`` their ratio, measured alternately and so the number
to watch on a noisy machine: 1.0 is the promise for uniform spacing. ``Memory`` is what a call
allocates beyond its result.
"""

import functools
import time
import tracemalloc

import numpy as np

import fdx

# Cubes that fit the first-level cache, the second, and neither.
SIDES = [8, 32, 192]
DTYPES = ["float32", "float64", "complex128", "int16"]
AXES = [0, 1, 2]
SPACINGS = ["uniform", "coordinates"]


PAGE, LINE = 4096, 64  # bytes


def placed(a, lines=0):
    """Return a copy of `a`, in its memory order, at an offset of `lines` cache lines in a page.

    The offset of data in a page changes the time of an addition by half. On the heap it differs
    from process to process, so that identical builds would seem to differ.
    """
    memory = np.empty(a.nbytes + 2 * PAGE, np.uint8)
    start = -memory.ctypes.data % PAGE + lines * LINE
    order = np.argsort([-stride for stride in a.strides], kind="stable")
    flat = memory[start : start + a.nbytes].view(a.dtype)
    copy = flat.reshape(a.transpose(order).shape).transpose(np.argsort(order))
    copy[...] = a
    return copy


@functools.lru_cache(maxsize=1)
def data(side, dtype):
    """Return an array, coordinates for it, and outputs for the gradient and the addition."""
    rng = np.random.default_rng(0)
    # Repeated, as each benchmark's process would spend most of its time on random numbers.
    f = placed(np.resize(100 * rng.standard_normal(5003), (side, side, side)).astype(dtype))
    x = np.sort(rng.uniform(0, side, side))
    out = placed(np.zeros(f.shape, f.dtype if f.dtype.kind in "fc" else "f8"), lines=33)
    return f, x, out, placed(np.zeros_like(f), lines=33)


def arguments(side, dtype, spacing):
    f, x, out, _ = data(side, dtype)
    return f, (x if spacing == "coordinates" else 0.1), out


class Time:
    """One derivative into preallocated memory."""

    params = (SIDES, DTYPES, AXES, SPACINGS)
    param_names = ("side", "dtype", "axis", "spacing")

    def time_gradient_out(self, side, dtype, axis, spacing):
        f, h, out = arguments(side, dtype, spacing)
        fdx.gradient(f, h, axis=axis, out=out)


class TimeFresh:
    """One derivative into newly allocated memory, which may cost more than the derivative."""

    params = (SIDES, DTYPES, AXES)
    param_names = ("side", "dtype", "axis")

    def time_gradient(self, side, dtype, axis):
        f, h, _ = arguments(side, dtype, "uniform")
        fdx.gradient(f, h, axis=axis)


class TimeAdd:
    """The yardstick: np.add on the same array."""

    params = (SIDES, DTYPES)
    param_names = ("side", "dtype")

    def time_add(self, side, dtype):
        f, _, _, _ = data(side, dtype)
        np.add(f, f)

    def time_add_out(self, side, dtype):
        f, _, _, out = data(side, dtype)
        np.add(f, f, out=out)


class TimeAllAxes:
    """Every axis at once, as ``gradient(f)`` is mostly called."""

    params = (SIDES, DTYPES)
    param_names = ("side", "dtype")

    def time_gradient(self, side, dtype):
        f, _, _, _ = data(side, dtype)
        fdx.gradient(f, 0.1)

    def time_gradient_edge_order_2(self, side, dtype):
        f, _, _, _ = data(side, dtype)
        fdx.gradient(f, 0.1, edge_order=2)


class Additions:
    """A derivative's cost in additions, both into preallocated memory."""

    params = (SIDES, ["float32", "float64"], AXES, SPACINGS)
    param_names = ("side", "dtype", "axis", "spacing")
    unit = "additions"

    def track_gradient(self, side, dtype, axis, spacing):
        f, h, out = arguments(side, dtype, spacing)
        return ratio(
            lambda: fdx.gradient(f, h, axis=axis, out=out),
            lambda: np.add(f, f, out=out),
        )


def ratio(call, yardstick, seconds=0.2):
    """Shortest time of `call` divided by that of `yardstick`, in alternating rounds.

    If more programs run than there are processors, medians are up to 2.5 times as high: of two
    alternating functions, the same one may be interrupted every time.
    """
    yardstick()  # the first call of a process takes many times as long
    start = time.perf_counter()
    yardstick()
    number = max(1, int(1e-3 / (time.perf_counter() - start)))

    def run(function):
        start = time.perf_counter()
        for _ in range(number):
            function()
        return time.perf_counter() - start

    run(call)
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        times.append((run(call), run(yardstick)))
    shortest = np.min(times, axis=0)
    return float(shortest[0] / shortest[1])


class Memory:
    """Bytes that a call allocates at its peak, beyond the result that it returns."""

    params = (["float32", "float64", "uint8"], SPACINGS)
    param_names = ("dtype", "spacing")
    unit = "bytes"

    def track_scratch(self, dtype, spacing):
        f, h, _ = arguments(100, dtype, spacing)
        tracemalloc.start()
        try:
            result = fdx.gradient(f, h, axis=1)
            return tracemalloc.get_traced_memory()[1] - result.nbytes
        finally:
            tracemalloc.stop()
