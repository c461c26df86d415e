"""A call allocates its result and little else: no memory that grows with the array.

tracemalloc counts what NumPy and Python allocate, to the byte. The peak of the resident set, in a
new process, includes everything else too: C allocations, thread stacks, a stack that grows.
"""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import fdx
from fdx._operators.analysis import norm_bound

N = 10_000_000

# Made without temporaries, so that the peak before the call is what is in use before it.
SETUP = """
import numpy as np

N = 10_000_000

def uneven(dtype):
    # Exact in float32, and NumPy's test for uniform steps reads half of it before it knows.
    x = np.arange(N, dtype=dtype)
    x[N // 2 :] += 1
    return x

def cube(dtype):
    return np.arange(N, dtype=dtype).reshape(200, 250, 200)
"""

# (f, spacing, options), as text for the new process.
CASES = {
    "f8": ("np.arange(N, dtype='f8')", "", ""),
    "f8, edge_order 2": ("np.arange(N, dtype='f8')", "0.1", "edge_order=2"),
    "f8, uneven coordinates": ("np.arange(N, dtype='f8')", "uneven('f8')", ""),
    "f8, uneven coordinates, edge_order 2": (
        "np.arange(N, dtype='f8')",
        "uneven('f8')",
        "edge_order=2",
    ),
    "f8, uniform coordinates": ("np.arange(N, dtype='f8')", "np.arange(N, dtype='f8')", ""),
    "f8, integer coordinates": ("np.arange(N, dtype='f8')", "uneven('i8')", ""),
    "f8, swapped coordinates": ("np.arange(N, dtype='f8')", "uneven('>f8')", ""),
    "f4": ("np.arange(N, dtype='f4')", "0.1", ""),
    "f4, float64 step": ("np.arange(N, dtype='f4')", "np.float64(0.1)", ""),
    "f4, f8 coordinates": ("np.arange(N, dtype='f4')", "uneven('f8')", ""),
    "f4, f4 coordinates": ("np.arange(N, dtype='f4')", "uneven('f4')", ""),
    "c8": ("np.arange(N, dtype='c8')", "0.1", ""),
    "uint8": ("np.ones(N, dtype='u1')", "", ""),
    "int16, uneven coordinates": ("np.ones(N, dtype='i2')", "uneven('f8')", ""),
    "swapped": ("np.ones(N, dtype='>f8')", "0.1", ""),
    "strided": ("np.arange(2 * N, dtype='f4')[::2]", "0.1", ""),
    "unaligned": ("np.ones(8 * N + 1, 'u1')[1:].view('f8')", "0.1", ""),
    "f8, three axes": ("cube('f8')", "0.1, 0.2, 0.3", ""),
    "f4, the first axis": ("cube('f4')", "0.1", "axis=0"),
    "f8, permuted": ("cube('f8').transpose(2, 0, 1)", "", ""),
    "int32, three axes, coordinates": (
        "cube('i4')",
        "np.arange(200) ** 1.5, np.arange(250) ** 1.5, np.arange(200) ** 1.5",
        "",
    ),
}
KIB = 1024
parametrize = pytest.mark.parametrize(("f", "spacing", "options"), CASES.values(), ids=CASES.keys())


@parametrize
@pytest.mark.parametrize("workers", [1, 2])
def test_allocations(f, spacing, options, workers):
    names = {"fdx": fdx}
    exec(SETUP, names)
    exec(
        f"f = {f}\nspacing = ({spacing}{',' if spacing else ''})\noptions = dict({options})", names
    )
    f, spacing, options = names["f"], names["spacing"], names["options"]
    # What a first call allocates for good is not this call's: imports, caches, threads.
    fdx.gradient(np.arange(10), workers=workers)
    fdx.gradient(np.zeros((1500, 1500), "f4"), workers=workers)

    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        result = fdx.gradient(f, *spacing, **options, workers=workers)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    results = result if isinstance(result, tuple) else (result,)
    assert peak - before < sum(r.nbytes for r in results) + 64 * KIB


def periodic(axis, deriv):
    return fdx.Diff(axis, 0.1, deriv=deriv, accuracy=4, boundary="periodic")


LARGE = np.broadcast_to(2.0, (10**7, 10))
QUESTIONS = {
    "radius, one axis": lambda: periodic(0, 2).spectral_radius(20_000_000),
    "radius, product": lambda: (periodic(0, 1) @ periodic(0, 2)).spectral_radius(20_000_001),
    "radius, Laplacian": lambda: sum(periodic(d, 2) for d in range(3)).spectral_radius((400,) * 3),
    "radius, mixed derivatives": lambda: (
        periodic(0, 2) + periodic(0, 1) @ periodic(1, 1) + periodic(1, 1)
    ).spectral_radius((4000, 5000)),
    "radius, one periodic axis": lambda: (periodic(0, 2) + fdx.Diff(1)).spectral_radius((10**7, 9)),
    "radius, one-sided": lambda: (fdx.Identity() + 0.1 * fdx.Diff(0) ** 2).spectral_radius(10**8),
    "radius, identity": lambda: fdx.Identity().spectral_radius(10**8),
    "bound on the norm": lambda: norm_bound(
        (LARGE * fdx.Diff(0, boundary="reflect") ** 2)._terms[0], LARGE.shape
    ),
    "output_shape": lambda: (periodic(0, 1) @ fdx.Diff(1)).output_shape((10**7, 10)),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_questions_about_large_grids(question):
    """They allocate no memory that grows with the grid; a matrix of 256 rows has half a MiB."""
    question()
    tracemalloc.start()
    try:
        question()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000 * KIB


RESIDENT = """
import resource, sys
import fdx

def peak():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

def in_use():
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except FileNotFoundError:
        return peak()

f = {f}
spacing = ({spacing})
fdx.gradient(np.arange(10.0).astype(f.dtype))
fdx.gradient(np.arange(10.0).astype(f.dtype), np.arange(10.0) ** 2)
before = peak()
assert before - in_use() < 1 << 20, "an earlier peak would hide this one"
result = fdx.gradient(f, *spacing{options})
grown = peak() - before
results = result if isinstance(result, tuple) else (result,)
size = sum(r.nbytes for r in results)
assert size <= grown + (1 << 20), "the measure shows nothing"
print(grown - size)
"""


@parametrize
def test_resident_set(f, spacing, options):
    pytest.importorskip("resource")
    code = SETUP + RESIDENT.format(
        f=f,
        spacing=f"{spacing}," if spacing else "",
        options=f", {options}" if options else "",
    )
    # A process starts with its parent's peak, which is large here: let a small shell be the parent.
    shell = ["/bin/sh", "-c", '"$0" -c "$1"; exit $?', sys.executable, code]
    done = subprocess.run(shell, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) < 2 * KIB * KIB
