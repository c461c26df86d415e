"""Arrays for which 32-bit index arithmetic would overflow."""

import numpy as np
import pytest
from compare import canonical_bytes

import fdx
from fdx._common.fallback import numpy_gradient

BEYOND = 2**31


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "i2", ">f8"])
@pytest.mark.parametrize("axis", [0, 1])
def test_far_strides(tmp_path, dtype, axis):
    """Neighbours, rows and outputs more than 2^31 elements apart, in a sparse file.

    Only the pages that hold elements exist, so this takes neither memory nor disk.
    """
    dtype = np.dtype(dtype)
    shape = (4, 9)
    small = (np.arange(36).reshape(shape) ** 2 % 100).astype(dtype)
    if axis:
        small = np.ascontiguousarray(small.T)
    stride = BEYOND + 5

    def far(name, item):
        holes = np.memmap(tmp_path / name, item, "w+", shape=((max(small.shape) + 1) * stride,))
        strides = [item.itemsize * stride, item.itemsize]
        if axis:
            strides.reverse()
        return np.lib.stride_tricks.as_strided(holes, small.shape, strides, subok=False), holes

    want = numpy_gradient(small, 0.1, axis=axis)
    f, holes_in = far("in", dtype)
    out, holes_out = far("out", want.dtype)
    f[...] = small
    for h in (0.1, np.arange(small.shape[axis]) ** 1.5):
        want = numpy_gradient(small, h, axis=axis)
        assert fdx.gradient(f, h, axis=axis, out=out) is out
        assert canonical_bytes(out) == canonical_bytes(want)
        # And from the last element backwards.
        want = numpy_gradient(small[::-1, ::-1], h, axis=axis)
        fdx.gradient(f[::-1, ::-1], h, axis=axis, out=out[::-1, ::-1])
        assert canonical_bytes(out[::-1, ::-1]) == canonical_bytes(want)
    del holes_in, holes_out


@pytest.mark.huge
def test_a_row_longer_than_2_to_31():
    """The input is one number read again and again; the output is real, 8.6 GB of float32."""
    f = np.broadcast_to(np.float32(3), BEYOND + 9)
    out = np.full(f.shape, 7, np.float32)
    fdx.gradient(f, out=out, workers=-1)
    assert not out.view(np.uint32).any()


@pytest.mark.huge
def test_more_elements_than_2_to_31():
    """As above, with values: f[i, j] is base[i + j], so its derivative is base's."""
    shape = (65_537, 32_800)
    assert np.prod(shape) > BEYOND
    base = (np.arange(sum(shape)) ** 2 % 1009).astype(np.float32)
    f = np.lib.stride_tricks.as_strided(base, shape, (4, 4))
    out = np.empty(shape, np.float32)
    fdx.gradient(f, axis=0, out=out, workers=-1)

    rows, columns = shape
    inside = numpy_gradient(base)
    assert out[0].tobytes() == (base[1:] - base[:-1])[:columns].tobytes()
    assert out[-1].tobytes() == (base[1:] - base[:-1])[rows - 2 : rows - 2 + columns].tobytes()
    for i in (1, 2, rows // 2, rows - 3, rows - 2):
        assert out[i].tobytes() == inside[i : i + columns].tobytes()
    # Every row by three of its columns.
    for j in (0, 1, columns - 1):
        assert out[1:-1, j].tobytes() == inside[1 + j : rows - 1 + j].tobytes()
