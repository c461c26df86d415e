"""Operators: the same bits for any instruction set, number of threads and layout, no memory except
for the result, and arrays of any size.

Run as a script, this file prints a digest of each of a fixed list of results.
"""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from cases import LAYOUTS, lay_out, make_array
from compare import canonical_bytes
from test_reproducible_gradient import digest, start, tables

import fdx

KIB = 1024
Diff = fdx.Diff


def uneven(n):
    return np.arange(n) ** 1.25


def along(axis, n):
    """Operators along one axis of n points, of every kind of row."""
    yield "accuracy 2", Diff(axis, 0.1)
    yield "accuracy 8", Diff(axis, 0.1, accuracy=8)
    yield "second, accuracy 6", Diff(axis, 0.1, deriv=2, accuracy=6)
    yield "accuracy 12", Diff(axis, 0.1, accuracy=12)
    yield "periodic", Diff(axis, 0.1, deriv=2, accuracy=4, boundary="periodic")
    yield "valid", Diff(axis, 0.1, accuracy=4, boundary="valid")
    yield "walls", Diff(axis, 0.1, deriv=2, boundary=("reflect", "symmetric-odd"))
    yield "uneven", Diff(axis, uneven(n))
    yield "uneven, second", Diff(axis, uneven(n), deriv=2, accuracy=4)
    yield "transposed", Diff(axis, 0.1, accuracy=4).T
    yield "uneven, transposed", Diff(axis, uneven(n)).T
    yield "twice", Diff(axis, 0.1) @ Diff(axis, 0.1)
    c = np.linspace(0.5, 2, n)
    c = c.reshape(-1, 1) if axis == 0 else c
    yield "weighed", Diff(axis, 0.1) @ (c * Diff(axis, 0.1))
    yield "compact", fdx.Compact(axis, 0.1)
    yield "compact, periodic", fdx.Compact(axis, 0.1, accuracy=10, boundary="periodic")
    yield "heat", (fdx.Identity() - 0.1 * Diff(axis, deriv=2, boundary="symmetric")).solve
    exchanged = 0.02 * fdx.Identity() + 5 * Diff(axis, boundary="periodic")
    yield "with exchanges", exchanged.solve


def across(shape):
    """Operators along all axes."""
    yield "laplacian", lambda u, **k: fdx.laplacian(u, 0.1, **k)
    yield "laplacian, accuracy 8", lambda u, **k: fdx.laplacian(u, 0.1, accuracy=8, **k)
    yield "hessian", lambda u, **k: fdx.hessian(u, 0.1, accuracy=4, **k)
    yield "curl", lambda u, **k: fdx.curl([u] * u.ndim, 0.1, **k)
    yield "mixed, periodic", Diff(0, 0.1, boundary="periodic") @ Diff(1, uneven(shape[1]))
    yield "solve", (fdx.Identity() - 0.1 * Diff(1, deriv=2, boundary="periodic")).solve


DTYPES = ["<f4", "<f8", ">f8", "<c8", "<c16", "|i1", "<i8"]
SHAPES = [(40, 17), (17, 40), (18, 300), (300, 18), (64, 65), (18, 19, 20)]


def calls():
    for dtype in DTYPES:
        for shape in SHAPES:
            u = make_array(dtype, shape)
            named = [*across(shape)]
            if len(shape) == 2:
                for axis, n in enumerate(shape):
                    named += [(f"{name}, axis {axis}", L) for name, L in along(axis, n)]
            for name, L in named:
                yield f"{dtype} {shape} {name}", u, L
    for n in (18, 100, 257, 1000, 20_000):
        for name, L in along(-1, n):
            yield f"line of {n}, {name}", make_array("f8", (n,)), L


BEYOND = {"f8": (151, 213, 205), "f4": (193, 255, 262)}  # more than 48 MiB


def beyond():
    """Operators whose sums use non-temporal stores, into preallocated memory."""

    def over_all(**options):
        return sum(Diff(k, 0.1 * (k + 1), **options) for k in range(3))

    for accuracy in (2, 4, 6, 8):
        yield f"laplacian, {accuracy}", over_all(deriv=2, accuracy=accuracy)
        for k in range(3):
            yield f"axis {k}, {accuracy}", Diff(k, 0.1, accuracy=accuracy)
    yield "periodic", over_all(accuracy=4, boundary="periodic")
    yield "walls", over_all(deriv=2, accuracy=4, boundary="reflect")
    yield "valid", Diff(0, 0.1, deriv=2) + Diff(2, 0.1, deriv=2, boundary="valid")
    yield "another order", Diff(2, 0.1, deriv=2) + Diff(1, 0.1, deriv=2)
    yield "step", fdx.Identity() + 0.1 * over_all(deriv=2)
    yield "accuracies", Diff(0, 0.1, accuracy=2) + Diff(1, 0.1, accuracy=4) + Diff(2, 0.1)
    yield "transposed", over_all(deriv=2, accuracy=4).T
    yield "mixed", Diff(0, 0.1) @ Diff(1, 0.3)
    yield "mixed, along memory", Diff(2, 0.1) @ Diff(0, 0.3, deriv=2, boundary="periodic")
    yield "mixed, of plain sums", Diff(1, 0.1, deriv=2) @ Diff(2, 0.3)
    yield "curl", lambda u, **k: fdx.curl([u, u[::-1], u[:, ::-1]], 0.1, accuracy=4, **k)
    yield "divergence", lambda u, **k: fdx.divergence([u, u[::-1], u[:, ::-1]], 0.1, **k)
    for accuracy in (2, 4):
        options = dict(axis=(0, 2), accuracy=accuracy)
        yield (
            f"hessian, {accuracy}",
            lambda u, options=options, **k: fdx.hessian(u, 0.1, **options, **k),
        )


def output_in(name, memory):
    """The part of an array of four components that a result fills."""
    if name.startswith("hessian"):
        return memory.reshape(2, 2, *memory.shape[1:])
    return memory[:3] if name == "curl" else memory[0, ..., 1:-1] if name == "valid" else memory[0]


def finite_calls():
    """Calls whose results are finite, but would not be if a term were added twice."""
    pairs = np.where(np.arange(200) % 4 < 2, 0.6e308, -0.6e308)
    yield "a point and its derivative", pairs, fdx.Identity() + Diff(0, 1.0)

    for accuracy, symbol in {2: 4, 4: 16 / 3, 6: 272 / 45, 8: 2048 / 315}.items():
        options = dict(accuracy=accuracy, boundary="reflect")
        for shape in [
            (40, 101),
            (40, 103),
            (40, 203),
            (2500, 2601),
        ]:  # the last by non-temporal stores
            i, j = (0.75e308 / symbol * (-1.0) ** np.arange(n) for n in shape)
            u = i[:, np.newaxis] + j

            def laplacian(u, options=options):
                return fdx.laplacian(u, 1.0, 1.0, out=np.empty_like(u), **options)

            yield f"laplacian, accuracy {accuracy}, {shape}", u, laplacian


def print_digests():
    print(fdx._core.isa())
    for name, u, L in calls():
        print(f"{name}: {digest(L(u))}")
    u = make_array("f8", BEYOND["f8"])
    memory = np.full((4, *u.shape), np.nan)
    for name, L in beyond():
        print(f"beyond the caches, {name}: {digest(L(u, out=output_in(name, memory)))}")
    with np.errstate(all="raise"):
        for name, u, L in finite_calls():
            print(f"{name}: {digest(L(u))}")


def test_instruction_sets():
    names = tables()
    running = [start(isa, __file__) for isa in names]
    said = [process.communicate() for process in running]
    for process, (_, errors) in zip(running, said, strict=True):
        assert process.returncode == 0, errors
    lines = [out.splitlines() for out, _ in said]
    assert [one[0] for one in lines] == names
    assert len(lines[0]) > 1000, "the list of calls has shrunk"
    for other in lines[1:]:
        assert other[1:] == lines[0][1:]


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "i2"])
def test_layouts(dtype):
    rng = np.random.default_rng(0)
    for shape in [(40, 30), (12, 13, 14)]:
        u = make_array(dtype, shape)
        named = [*across(shape)]
        for axis in range(2):
            named += along(axis, shape[axis]) if len(shape) == 2 else []
        for name, L in named:
            result = L(u)
            want = digest(result)
            for layout in LAYOUTS:
                if layout == "broadcast":
                    continue
                for order in "=S":
                    copy = lay_out(u.astype(u.dtype.newbyteorder(order)), layout, rng)
                    assert digest(L(copy)) == want, (name, layout, order)
                out = lay_out(np.zeros_like(result), layout, rng)
                if out.shape == result.shape and out.flags.writeable:
                    L(u, out=out)
                    assert digest(out) == want, (name, layout)


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_workers(jobs, workers):
    for shape in [(40, 300), (18, 19, 20), (300, 18)]:
        u = make_array("f8", shape)
        for name, L in across(shape):
            want = digest(L(u, workers=1))
            jobs.clear()
            assert digest(L(u, workers=workers)) == want, name
            assert all(job.parts_run == job.nparts > workers == job.workers for job in jobs)
            assert len(jobs) == (workers > 1)


@pytest.mark.parametrize("dtype", BEYOND)
def test_beyond_the_caches(dtype):
    """New results do not use non-temporal stores: other loops compute them."""
    u = make_array(dtype, BEYOND[dtype])
    memory = np.empty((4, *u.shape), dtype)
    bits = f"u{u.itemsize}"
    for name, L in beyond():
        new, out = L(u), output_in(name, memory)
        for workers in (1, 2, 3):
            out.fill(np.nan)
            L(u, out=out, workers=workers)
            assert np.array_equal(out.view(bits), new.view(bits)), name


@pytest.mark.parametrize("stride", [2**31 + 5])
def test_far_strides(tmp_path, stride):
    """Rows more than 2^31 elements apart, in sparse files."""
    small = np.arange(108.0).reshape(9, 12) ** 2 % 100

    def far(name):
        holes = np.memmap(tmp_path / name, "f8", "w+", shape=(10 * stride,))
        strides = [8 * stride, 8]
        return np.lib.stride_tricks.as_strided(holes, small.shape, strides, subok=False), holes

    u, holes_in = far("in")
    out, holes_out = far("out")
    u[...] = small
    for name, L in [*across(small.shape)][:2] + [*along(0, 9)][:3] + [*along(1, 12)][:3]:
        if "8" in name:
            continue
        want = L(small)
        L(u, out=out)
        assert canonical_bytes(out) == canonical_bytes(want), name
        L(u[::-1, ::-1], out=out)
        assert canonical_bytes(out) == canonical_bytes(L(small[::-1, ::-1].copy())), name
    del holes_in, holes_out


MEMORY = {
    "laplacian": "lambda u: fdx.laplacian(u, 0.1, accuracy=4)",
    "mixed": "fdx.Diff(0, 0.1) @ fdx.Diff(1, 0.1)",
    "weighed": "fdx.Diff(0, 0.1) @ (np.float64([2, 3] * 125).reshape(-1, 1) * fdx.Diff(0, 0.1))",
    "transposed": "(fdx.Diff(0, 0.1) + fdx.Diff(1, np.arange(250) ** 1.5)).T",
    "hessian": "lambda u: fdx.hessian(u, 0.1, axis=(0, 1))",
}
ARRAYS = {
    "f8": "np.zeros((200, 250, 200))",
    "f4": "np.zeros((200, 250, 200), 'f4')",
    "int16": "np.zeros((200, 250, 200), 'i2')",
    "permuted": "np.zeros((200, 200, 250)).transpose(1, 2, 0)",
    "every other": "np.zeros((200, 250, 400))[..., ::2]",
}
ROWS = {"weighed": "np.zeros((250, 250, 200))"}


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("name", MEMORY)
def test_allocations(name, array):
    L = eval(MEMORY[name])
    u = eval(ROWS.get(name, ARRAYS[array]))
    L(u[:, :, :6])  # what belongs to the operator: weights, plans
    L(u)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        result = L(u)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < result.nbytes + 64 * KIB


RESIDENT = """
import resource, sys
import numpy as np
import fdx

def peak():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

L = {operator}
u = {array}
u[...] = 1
L(u[:, :, :6])
before = peak()
result = L(u)
print(peak() - before - result.nbytes)
"""


@pytest.mark.parametrize("array", ["f8", "int16", "every other"])
@pytest.mark.parametrize("name", MEMORY)
def test_resident_set(name, array):
    pytest.importorskip("resource")
    code = RESIDENT.format(operator=MEMORY[name], array=ROWS.get(name, ARRAYS[array]))
    # A process starts with its parent's peak, which is large here: let a small shell be the parent.
    shell = ["/bin/sh", "-c", '"$0" -c "$1"; exit $?', sys.executable, code]
    done = subprocess.run(shell, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    beyond = int(done.stdout)
    assert beyond > -12 * KIB * KIB, "an earlier peak hides this one"
    assert beyond < 2 * KIB * KIB


if __name__ == "__main__":
    print_digests()


@pytest.mark.parametrize("dtype", BEYOND)
def test_large_products_with_arrays(dtype):
    """By non-temporal stores: what multiplying the derivative gives."""
    u = make_array(dtype, BEYOND[dtype])
    uneven, bits = np.random.default_rng(1).random, f"u{u.itemsize}"
    for axis in range(3):
        D = Diff(axis, 0.1, boundary="valid" if axis == 1 else "one-sided")
        plain = D(u)
        shape = plain.shape
        out = np.empty_like(plain)
        for c in (
            uneven(shape).astype(dtype),
            uneven(shape[1:] + shape[:1]).astype(dtype).transpose(2, 0, 1),
            uneven((shape[1], 1)).astype(dtype),
            np.broadcast_to(
                uneven(shape).astype(dtype)[..., :1], shape
            ),  # a column of such an array
            np.broadcast_to(uneven(()).astype(dtype), shape),
            uneven(shape[2]).astype("f4"),
        ):
            (c * D)(u, out=out)
            want = np.multiply(plain, c.astype(dtype), order="C")
            assert np.array_equal(out.view(bits), want.view(bits)), (axis, c.shape)
