"""The reference implementation agrees with np.gradient bit for bit: tests may use either."""

import numpy as np
import pytest
import reference
from cases import make_array, make_coordinates
from compare import assert_same_bits

DTYPES = ["f4", "f8", "c8", "c16", ">f8", ">c8", "i1", "u8"]
SCALARS = [
    1.0, 0.3, -7, True, 0.0, 1e300, 1e-300, 1e39, 1e-39, 5e-324,
    np.float64(0.3), np.float32(0.3), np.float16(0.3), np.array(0.3), np.array(0.3, "f4"),
    np.int8(3), np.uint8(3), np.int16(3), np.uint16(3), np.int32(3), np.int64(3), np.uint64(3),
    np.bool_(True), np.float64(0), np.array(7, ">i2"), np.float32(1e-39), np.float64(1e308),
]  # fmt: skip
VALUES = ["ordinary", "whole", "special", "huge", "tiny", "wide", "bits"]


def uses_weights(spacing, options):
    return options.get("edge_order") == 2 or any(np.ndim(h) for h in spacing)


def underflows(f, spacing, options):
    try:
        with np.errstate(all="ignore", under="raise"):
            np.gradient(f, *spacing, **options)
    except FloatingPointError:
        return True
    return False


def check(f, *spacing, **options):
    # NumPy multiplies arrays of complex numbers with fused instructions where the processor has
    # them, and scalars without. In values it shows only in the sign of a product that underflowed
    # to zero.
    if f.dtype.kind == "c" and uses_weights(spacing, options) and underflows(f, spacing, options):
        return
    with np.errstate(all="ignore"):
        context = f"{f!r}\n{spacing!r} {options!r}"
        want = np.gradient(f, *spacing, **options)
        assert_same_bits(reference.gradient(f, *spacing, **options), want, context)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("dtype", DTYPES)
def test_scalar_spacing(dtype, edge_order):
    for seed, values in enumerate(VALUES):
        f = make_array(dtype, (7, 5), values, seed=seed)
        for h in SCALARS:
            zero_divides = type(h) in (float, int) and h == 0 and edge_order == 2
            if not zero_divides:
                check(f, h, edge_order=edge_order)
                check(f[:, 0], h, edge_order=edge_order)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("dtype", DTYPES)
def test_coordinates(dtype, edge_order):
    kinds = [
        "uniform",
        "nearly uniform",
        "uneven",
        "unsorted",
        "duplicated",
        "special",
        "huge",
        "tiny",
    ]
    for seed, values in enumerate(VALUES):
        f = make_array(dtype, (2, 9), values, seed=seed)
        for kind in kinds:
            for x_dtype in ("f8", "f4", ">f8", "i4", "u1"):
                if f.dtype.kind == "c" and kind in ("special", "huge"):
                    # Complex data over steps that are not finite: fdx leaves those to NumPy.
                    continue
                x = make_coordinates(x_dtype, 9, kind, seed=seed)
                check(f, x, axis=1, edge_order=edge_order)
                check(f[0], x, edge_order=edge_order)


def test_several_axes():
    f = make_array("f8", (3, 4, 5), layout="permuted", seed=1)
    x, y = make_coordinates("f8", 4, seed=2), make_coordinates("f4", 5, "nearly uniform", seed=3)
    check(f, 0.1, x, y, edge_order=2)
    check(f, y, 2, axis=(2, 0))
    check(f, axis=-1)
