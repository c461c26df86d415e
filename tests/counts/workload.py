"""Run under callgrind by calls.py: each representative call some times, then twice as many times.

    workload.py MARKS.SO

has callgrind write a profile for each of both, "name of the call / times".
"""

import ctypes
import gc
import sys

import numpy as np

import fdx

WARM_UP = 20  # by then CPython has specialised the loop, and what is looked up once has been

CALLS = {
    "10 points": "fdx.gradient(tiny, 0.137)",
    "10 points, out": "fdx.gradient(tiny, 0.137, out=tiny_out)",
    "1000 points": "fdx.gradient(line, 0.137)",
    "1000 points, float32": "fdx.gradient(single, 0.137)",
    "1000 points, complex128": "fdx.gradient(complex_line, 0.137)",
    "1000 points, uint8": "fdx.gradient(small_integers, 0.137)",
    "1000 points, strided": "fdx.gradient(strided, 0.137)",
    "1000 points, coordinates": "fdx.gradient(line, x)",
    "10000 points, no spacing": "fdx.gradient(long_line)",
    "(1000, 3), axis 0": "fdx.gradient(rows, 0.137, axis=0)",
    "(1000, 3), axis 1": "fdx.gradient(rows, 0.137, axis=1)",
    "(16, 16, 16), out": "fdx.gradient(small_cube, 0.137, out=cube_out)",
    "(32, 32, 32)": "fdx.gradient(cube, 0.137, 0.5, 3.0)",
}
TIMES = 20  # so that what happens now and then, in NumPy's and Python's memory, hardly counts
FEWER = {"(16, 16, 16), out": 8, "(32, 32, 32)": 2}


def operands():
    """What the calls work on; of no special values, so that nothing is computed twice."""
    rng = np.random.default_rng(1)
    line = rng.uniform(1.0, 2.0, 1000)
    return {
        "tiny": line[:10].copy(),
        "tiny_out": np.empty(10),
        "line": line,
        "single": line.astype(np.float32),
        "complex_line": line + 1j * line[::-1],
        "small_integers": (100 * line).astype(np.uint8),
        "strided": rng.uniform(1.0, 2.0, 2000)[::2],
        "x": np.cumsum(line),
        "long_line": rng.uniform(1.0, 2.0, 10000),
        "rows": rng.uniform(1.0, 2.0, (1000, 3)),
        "small_cube": rng.uniform(1.0, 2.0, (16, 16, 16)),
        "cube_out": tuple(np.empty((16, 16, 16)) for _ in range(3)),
        "cube": rng.uniform(1.0, 2.0, (32, 32, 32)),
    }


def main(marks):
    names = {"fdx": fdx, **operands()}
    gc.disable()
    marks.counts_begin()  # looks up the functions
    marks.counts_end(b"")
    for name, call in CALLS.items():
        source = f"def loop(times):\n    for _ in range(times):\n        {call}\n"
        exec(compile(source, name, "exec"), names)
        loop, times = names["loop"], FEWER.get(name, TIMES)
        loop(WARM_UP)
        for n in (times, 2 * times):
            marks.counts_begin()
            loop(n)
            marks.counts_end(f"{name} / {n}".encode())


if __name__ == "__main__":
    main(ctypes.CDLL(sys.argv[1]))
