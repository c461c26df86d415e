"""The caller's floating-point environment: subnormal numbers that are read or written as 0, as in a
process that has loaded a library linked with -ffast-math, and other rounding modes. Gradients have
NumPy's bits there too, and weights are the same everywhere."""

import platform

import pytest
from building import CC, run
from commands import python

MODES = {"flush": 0x8040, "flush results": 0x8000, "flush operands": 0x0040, "down": 0x2000}

SET_MODE = """
#include <xmmintrin.h>
void set_mode(unsigned mode) { _mm_setcsr(mode); }
"""

COMPARE = """
import ctypes, itertools, sys
import numpy as np, fdx

library = ctypes.CDLL(sys.argv[1])
mode = 0x1f80 | int(sys.argv[2])

def within(function):
    library.set_mode(mode)
    try:
        return function()
    finally:
        library.set_mode(0x1f80)

assert within(lambda: np.float64(2.0**-1022) / 2 == 0) == bool(mode & 0x8040)

rng = np.random.default_rng(1)
def data(dtype, shape):
    tiny = np.finfo(dtype).tiny
    for scale in 1, 0.3 * tiny, 3 * tiny, 1e3 * tiny:
        yield (rng.normal(size=shape) * scale).astype(dtype)
    mixed = rng.normal(size=shape)
    mixed.flat[::7] = 0.0
    mixed.flat[1::7] = -0.0
    mixed.flat[2::7] = -0.2 * tiny
    yield mixed.astype(dtype)

different = set()
for dtype, shape, edge_order in itertools.product("fdFD", [(40,), (3000,), (30, 50)], (1, 2)):
    coordinates = np.cumsum(rng.uniform(0.5, 1.5, shape[-1]))
    for h in (0.137, -0.137, 0.25, 3.0, coordinates, 1e30):
        # of complex numbers and weights, signs of zeros depend on the processor
        if dtype in "FD" and (edge_order == 2 or h is coordinates):
            continue
        for f in data(dtype, shape):
            options = dict(axis=-1, edge_order=edge_order)
            wanted = within(lambda: np.gradient(f, h, **options))
            got = within(lambda: fdx.gradient(f, h, **options))
            if got.tobytes() != wanted.tobytes():
                different.add((dtype, shape, edge_order, h if h is not coordinates else "x"))
print(*different)

x = np.cumsum(rng.uniform(0.5, 1.5, 40)) * 1e-3

def weights():
    found = [fdx.weights(x[:k], 0.01, deriv).tobytes() for k in (5, 9) for deriv in (0, 1, 4)]
    for deriv, boundary in itertools.product((1, 2, 4), ("one-sided", "reflect")):
        for spacing in (x, 0.1, 1e-20):
            D = fdx.Diff(0, spacing, deriv=deriv, accuracy=4, boundary=boundary)
            found += [A.matrix((40,)).data.tobytes() for A in (D, D @ D, D.T)]
    return found

print([k for k, (a, b) in enumerate(zip(within(weights), weights(), strict=True)) if a != b])
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("of x86-64")
    folder = tmp_path_factory.mktemp("mode")
    (folder / "mode.c").write_text(SET_MODE)
    run(CC, "-shared", "-fPIC", folder / "mode.c", "-o", folder / "mode.so")
    return folder / "mode.so"


@pytest.mark.parametrize(("mode", "isa"), [*((mode, "auto") for mode in MODES), ("flush", "base")])
def test_modes(mode, isa, library, monkeypatch):
    pytest.importorskip("scipy")
    monkeypatch.setenv("FDX_ISA", isa)
    done = python("-c", COMPARE, library, MODES[mode], cwd=library.parent)
    assert done.stdout == "\n[]\n", done.stderr
