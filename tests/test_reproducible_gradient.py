"""The same bits for any instruction set, any number of threads and any layout of one array.

Run as a script, this file prints a digest of the result of each call of a fixed list; the test does
that under each instruction set and compares what was printed.
"""

import hashlib
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from cases import LAYOUTS, lay_out, make_array, make_coordinates
from compare import canonical_bytes, outcome

import fdx
import fdx._core

# Vector lengths, the core's block lengths, and the lengths next to them.
LENGTHS = [3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 255, 257, 511, 513, 1000]


def calls():
    """Every kind of loop at every length, in a fixed order: (name, f, spacing, options)."""
    dtypes = ["<f4", "<f8", ">f8", "<c8", "<c16", "|i1", "<i8", ">u2"]
    values = ["ordinary", "one special", "special", "wide"]
    for dtype, n, (seed, kind) in itertools.product(dtypes, LENGTHS, enumerate(values)):
        spacings = [1.0, 0.1, 1e-39, np.float64(0.3), np.float32(0.3), np.int8(3)]
        spacings += [make_coordinates(x_dtype, n, seed=n) for x_dtype in ("f8", "f4")]
        for shape, axis in [((n,), 0), ((5, n), 1), ((n, 5), 0), ((3, n), 0)]:
            f = make_array(dtype, shape, kind, seed=seed)
            for i, h in enumerate(spacings):
                if np.ndim(h) and len(h) != shape[axis]:
                    continue
                for edge_order in (1, 2):
                    name = f"{dtype} {shape} {kind} axis {axis} spacing {i} edge_order {edge_order}"
                    yield name, f, (h,), dict(axis=axis, edge_order=edge_order)
    # Larger than the caches, where stores may be non-temporal.
    for dtype, shape in [
        ("f8", (2000, 2100)),
        ("f4", (210, 200, 130)),
        ("f4", (5_000_001,)),
        ("c8", (9, 300_000)),
    ]:
        yield f"{dtype} {shape}", make_array(dtype, shape, "wide"), (0.1,), {}


def digest(result):
    arrays = result if isinstance(result, tuple) else (result,)
    return hashlib.sha256(b"".join(map(canonical_bytes, arrays))).hexdigest()[:16]


def print_digests():
    print(fdx._core.isa())
    with np.errstate(all="warn"):
        for name, f, spacing, options in calls():
            seen = outcome(fdx.gradient, f, *spacing, **options)
            kinds = sorted(kind for _, kind in seen.warnings)
            print(f"{name}: {digest(seen.result)} {kinds}")


def start(isa, *arguments):
    return subprocess.Popen(
        [sys.executable, *(arguments or [__file__])],
        env={**os.environ, "FDX_ISA": isa},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def tables():
    """The instruction sets of the processor according to NumPy, independently of fdx."""
    features = np._core._multiarray_umath.__cpu_features__
    avx2 = (features.get("AVX2") and features.get("FMA3")) or features.get("X86_V3")
    avx512 = features.get("AVX512_ICL")
    return ["base"] + ["avx2"] * bool(avx2) + ["avx512"] * bool(avx2 and avx512)


def test_instruction_sets():
    running = {isa: start(isa) for isa in (*fdx._core.isas(), "auto")}
    said = {isa: process.communicate() for isa, process in running.items()}
    base, errors = said["base"]
    assert running["base"].returncode == 0, errors
    lines = base.splitlines()
    assert lines[0] == "base"
    assert len(lines) > 5000, "the list of calls has shrunk"

    for isa in running:
        out, errors = said[isa]
        if isa not in [*tables(), "auto"]:  # forcing what the processor lacks is an error
            assert running[isa].returncode != 0
            assert "FDX_ISA" in errors.splitlines()[-1]
            continue
        assert running[isa].returncode == 0, errors
        others = out.splitlines()
        assert others[0] == (tables()[-1] if isa == "auto" else isa)
        different = [pair for pair in zip(lines[1:], others[1:], strict=True) if pair[0] != pair[1]]
        assert not different, f"{isa}: {len(different)} calls differ, the first: {different[0]}"


@pytest.mark.parametrize("value", ["sse9", "AVX2 ", "1"])
def test_unknown_instruction_set(value):
    process = start(value, "-c", "import fdx")
    _, errors = process.communicate()
    assert process.returncode != 0
    # The last line names the variable, what it was and what it may be.
    for word in ("FDX_ISA", value, "auto", *fdx._core.isas()):
        assert word in errors.splitlines()[-1]


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "i4"])
@pytest.mark.parametrize("values", ["ordinary", "one special", "wide"])
def test_layouts(dtype, values):
    """One array, stored in every way."""
    rng = np.random.default_rng(0)
    for shape in [(700,), (40, 300), (300, 40), (11, 12, 13)]:
        f = make_array(dtype, shape, values)
        coordinates = [make_coordinates("f8", n) for n in shape]
        for spacing, edge_order in itertools.product([(0.1,), coordinates], [1, 2]):
            with np.errstate(all="ignore"):
                want = digest(fdx.gradient(f, *spacing, edge_order=edge_order))
                for layout in LAYOUTS:
                    if layout == "broadcast":
                        continue
                    for order in "=S":
                        copy = lay_out(f.astype(f.dtype.newbyteorder(order)), layout, rng)
                        got = digest(fdx.gradient(copy, *spacing, edge_order=edge_order))
                        assert got == want, (shape, layout, order)
                        out = np.empty_like(fdx.gradient(f, axis=0))
                        single = fdx.gradient(
                            copy, spacing[0], axis=0, edge_order=edge_order, out=out
                        )
                        same = fdx.gradient(f, spacing[0], axis=0, edge_order=edge_order)
                        assert digest(single) == digest(same), (shape, layout, order)


@pytest.mark.parametrize("layout", ["F", "permuted", "strided", "negative", "offset"])
def test_large_layouts(layout):
    """Large enough for loops that are chosen by size, also with two threads."""
    f = make_array("f4", (150, 160, 170))
    copy = lay_out(f, layout, np.random.default_rng(0))
    want = digest(fdx.gradient(f, 0.1))
    assert digest(fdx.gradient(copy, 0.1)) == want
    assert digest(fdx.gradient(copy, 0.1, workers=2)) == want


def test_broadcast():
    """A repeated row is an array like any other."""
    f = np.broadcast_to(make_array("f8", (1, 300)), (40, 300))
    assert digest(fdx.gradient(f, 0.1)) == digest(fdx.gradient(f.copy(), 0.1))


def test_one_axis_at_a_time():
    """All axes in one call give what one call for each gives."""
    f = make_array("f4", (40, 50, 60), layout="permuted")
    together = fdx.gradient(f, 0.1, 0.2, 0.3)
    apart = tuple(fdx.gradient(f, h, axis=axis) for axis, h in enumerate((0.1, 0.2, 0.3)))
    assert digest(together) == digest(apart)


if __name__ == "__main__":
    print_digests()
