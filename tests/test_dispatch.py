"""Which calls the compiled core computes, and which are left to np.gradient.

A call that falls back by mistake gives the right result slowly, so no other test would fail.
"""

import array
import decimal
import fractions

import numpy as np
import pytest
from cases import LAYOUTS, NATIVE_DTYPES, make_array, make_coordinates
from compare import assert_same_outcome, outcome

import fdx
import fdx._common.fallback


class Duck:
    """An array of another library."""

    def __array_function__(self, function, types, args, kwargs):
        return "duck"


class Exporter:
    """Not an array, but convertible to one."""

    def __array__(self, dtype=None, copy=None):
        return np.arange(6.0)


class Subclass(np.ndarray):
    pass


class OddFloat(float):
    pass


class OddInt(int):
    pass


def compiled(fallbacks, *args, **kwargs):
    """Make both calls, compare them, and say whether fdx's was compiled."""
    with np.errstate(all="warn"):
        want = outcome(fdx._common.fallback.numpy_gradient, *args, **kwargs)
        assert not fallbacks
        got = outcome(fdx.gradient, *args, **kwargs)
    assert_same_outcome(got, want)
    # Who raises an error does not matter, as long as it is the same one.
    return not fallbacks and want.error is None


# ------------------------------------------------------------------ the array


@pytest.mark.parametrize(("dtype", "h"), [("c16", 0.3e308), ("c8", 6e37)])
def test_no_flags_of_an_interior_that_is_not_there(fallbacks, dtype, h):
    # 1/h is a normal number, 1/(2h) is not.
    assert compiled(fallbacks, make_array(dtype, (2,)), h)
    assert compiled(fallbacks, make_array(dtype, (3,)), h)


@pytest.mark.parametrize("dtype", NATIVE_DTYPES)
@pytest.mark.parametrize("edge_order", [1, 2])
def test_dtypes(fallbacks, dtype, edge_order):
    assert compiled(fallbacks, make_array(dtype, (5, 6)), edge_order=edge_order)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<c8", "<i2"])
def test_layouts(fallbacks, layout, dtype):
    assert compiled(fallbacks, make_array(dtype, (5, 6, 4), layout=layout), 2.0)


def test_memmap(fallbacks, tmp_path):
    f = np.memmap(tmp_path / "f", np.float32, "w+", shape=(4, 5))
    f[...] = make_array("f4", (4, 5))
    assert compiled(fallbacks, f)
    assert type(fdx.gradient(f, axis=0)) is np.memmap


@pytest.mark.parametrize(
    "f",
    [
        [1, 2, 4],
        (1.0, 2.0, 4.0),
        [[1, 2], [3, 5]],
        [1j, 2, 4],
        [np.float32(1), np.float32(3)],
        [np.arange(3), np.arange(3)],
        range(5),
        array.array("f", [1, 2, 4]),
        memoryview(array.array("i", [1, 2, 4])),
        b"not this one: bytes are text to NumPy",
        Exporter(),
    ],
    ids=lambda f: type(f).__name__,
)
def test_what_becomes_an_array(fallbacks, f):
    assert compiled(fallbacks, f) is not isinstance(f, bytes)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 4)])
def test_empty(fallbacks, shape):
    axis = tuple(i for i, n in enumerate(shape) if n)
    assert compiled(fallbacks, np.empty(shape), 2.0, axis=axis)


def test_many_dimensions(fallbacks):
    assert compiled(fallbacks, make_array("f4", (2,) * 12, layout="permuted"), axis=(3, 11))


# ------------------------------------------------------------------ the spacing


SCALARS = [
    1.0,
    0.1,
    -3.0,
    1e300,
    1e-300,
    0.0,
    2,
    -7,
    True,
    False,
    0,
    2**53 - 1,
    float("inf"),
    float("nan"),
]
NUMPY_SCALARS = [np.dtype(code).type(3)[()] for code in ["f8", "f4", *"iIlLqQ"]]
SMALL_SCALARS = [np.dtype(code).type(3)[()] for code in "?bBhH"]


@pytest.mark.parametrize("dtype", ["f4", "f8", "u1"])
@pytest.mark.parametrize("h", SCALARS + NUMPY_SCALARS, ids=repr)
def test_scalar_spacing(fallbacks, dtype, h):
    assert compiled(fallbacks, make_array(dtype, (4, 5)), h)


@pytest.mark.parametrize("dtype", ["f8", "c16", "u1"])
@pytest.mark.parametrize("h", SMALL_SCALARS, ids=repr)
def test_small_scalar_spacing(fallbacks, dtype, h):
    """Single-precision data is left to NumPy: it computes some points in single, some in double."""
    assert compiled(fallbacks, make_array(dtype, (4, 5)), h)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("dtype", ["c8", "c16"])
@pytest.mark.parametrize("h", [0.1, 2, True, *NUMPY_SCALARS], ids=repr)
def test_scalar_spacing_of_complex_data(fallbacks, dtype, h, edge_order):
    assert compiled(fallbacks, make_array(dtype, (4, 5)), h, edge_order=edge_order)


@pytest.mark.parametrize("h", NUMPY_SCALARS, ids=repr)
@pytest.mark.parametrize("order", ["=", "S"])
def test_zero_dimensional_spacing(fallbacks, h, order):
    h = np.array(h)
    assert compiled(
        fallbacks, make_array("f4", (4, 5)), h.astype(h.dtype.newbyteorder(order)), edge_order=2
    )


@pytest.mark.parametrize("x_dtype", ["<f8", ">f8", "<f4", ">f4", *"bBhHiIlLqQ", ">i2"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i2"])
@pytest.mark.parametrize("edge_order", [1, 2])
def test_coordinates(fallbacks, dtype, x_dtype, edge_order):
    f = make_array(dtype, (9, 4))
    for kind in ("uniform", "uneven"):
        x = make_coordinates(x_dtype, 9, kind)
        assert compiled(fallbacks, f, x, axis=0, edge_order=edge_order)


@pytest.mark.parametrize("kind", ["unsorted", "duplicated", "all equal", "special", "huge", "tiny"])
def test_coordinates_that_are_no_grid(fallbacks, kind):
    assert compiled(fallbacks, make_array("f8", (3, 9)), make_coordinates("f8", 9, kind), axis=1)


@pytest.mark.parametrize(
    "layout", ["strided", "negative", "offset", "offset strided", "readonly", "list", "tuple"]
)
def test_layout_of_coordinates(fallbacks, layout):
    f = make_array("f4", (3, 9))
    assert compiled(fallbacks, f, make_coordinates("f8", 9, layout=layout), axis=1)


def test_broadcast_coordinates(fallbacks):
    assert compiled(fallbacks, make_array("f8", (5,)), np.broadcast_to(2.5, 5))


def test_memmap_coordinates(fallbacks, tmp_path):
    x = np.memmap(tmp_path / "x", np.float64, "w+", shape=5)
    x[:] = [0, 1, 3, 4, 9]
    assert compiled(fallbacks, make_array("f8", (5,)), x)


def test_mixtures(fallbacks):
    f = make_array("f4", (5, 6, 7))
    x = make_coordinates("f8", 5)
    assert compiled(fallbacks, f, x, 2, np.float32(0.1), edge_order=2)


# ------------------------------------------------------------------ the other arguments


@pytest.mark.parametrize(
    "axis",
    [
        None,
        0,
        -1,
        True,
        np.int64(1),
        np.array(1),
        (0,),
        (1, 0),
        [0, 1],
        np.array([1, -2]),
        range(2),
        {0, 1},
    ],
    ids=repr,
)
def test_axis(fallbacks, axis):
    assert compiled(fallbacks, make_array("f8", (4, 5)), axis=axis)


def test_a_generator_of_axes_is_read_once(fallbacks):
    f = make_array("f8", (4, 5))
    got = fdx.gradient(f, axis=(i for i in (1, 0)))
    assert (len(got), len(fallbacks)) == (2, 0)
    # And whole when the call is left to NumPy.
    got = fdx.gradient(f.astype("f2"), axis=(i for i in (1, 0)))
    assert (len(got), len(fallbacks)) == (2, 1)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_edge_order(fallbacks, edge_order):
    assert compiled(fallbacks, make_array("f8", (4, 5)), edge_order=edge_order)


# ------------------------------------------------------------------ left to NumPy


F = np.arange(6.0).reshape(2, 3) ** 2
LEFT = {
    "bool data": ([True, False, True],),
    "float16 data": (F.astype("f2"),),
    "longdouble data": (F.astype("g"),),
    "complex longdouble data": (F.astype("G"),),
    "object data": (F.astype(object),),
    "Fraction data": ([fractions.Fraction(1, 3), 1, 2],),
    "datetime data": (F.astype("M8[s]"),),
    "timedelta data": (F.astype("m8[s]"),),
    "text data": (["a", "b"],),
    "masked data": (np.ma.array(F),),
    "matrix": (F.view(np.matrix),),
    "a subclass": (F.view(Subclass),),
    "another library's array": (Duck(),),
    "another library's spacing": (F, Duck()),
    "no dimension": (1.0,),
    "a 0-d array": (np.array(1.0),),
    "no axes": (F, dict(axis=())),
    "axis out of range": (F, dict(axis=2)),
    "repeated axis": (F, dict(axis=(0, 0))),
    "fractional axis": (F, dict(axis=1.0)),
    "edge_order 3": (F, dict(edge_order=3)),
    "edge_order None": (F, dict(edge_order=None)),
    "edge_order as text": (F, dict(edge_order="2")),
    "too small": (F, dict(edge_order=2)),
    "empty axis": (np.empty((0, 3)),),
    "too many spacings": (F, 1, 1, 1),
    "too few spacings": (F, [0, 1]),
    "2-D spacing": (F, F, 1),
    "wrong length": (F, [0, 1, 2], 1),
    "empty with uneven coordinates": (np.empty((3, 0)), [0, 1, 3], dict(axis=0)),
    "zero with edge_order 2": (np.arange(4.0), 0.0, dict(edge_order=2)),
    "integer zero with edge_order 2": (np.arange(4.0), 0, dict(edge_order=2)),
    "a large integer": (F, 2**53 + 1),
    "a huge integer": (F, 10**400),
    "longdouble step": (F, np.longdouble(0.1)),
    "0-d longdouble step": (F, np.array(0.1, "g")),
    "complex step": (F, 1j),
    "NumPy complex step": (F, np.complex64(1)),
    "Fraction step": (F, fractions.Fraction(1, 3)),
    "Decimal step": (F, decimal.Decimal(2)),
    "text step": (F, "1"),
    "no step": (F, None),
    "timedelta step": (F, np.timedelta64(1, "s")),
    "object step": (F, np.array(1.0, object)),
    "float subclass": (F, OddFloat(2)),
    "int subclass": (F, OddInt(2)),
    "masked coordinates": (np.arange(3.0), np.ma.arange(3)),
    "subclass coordinates": (np.arange(3.0), np.arange(3.0).view(Subclass)),
    "float16 step": (np.arange(3.0), np.float16(0.5)),
    "bool step of single data": (np.arange(3, dtype="f4"), np.True_),
    "small integer step of single data": (np.arange(3, dtype="f4"), np.int16(2)),
    "0-d float16 step": (np.arange(3.0), np.array(0.5, "f2")),
    "float16 coordinates": (np.arange(3.0), np.arange(3).astype("f2")),
    "longdouble coordinates": (np.arange(3.0), np.arange(3).astype("g")),
    "bool coordinates": (np.arange(3.0), [False, True, False]),
    "complex coordinates": (np.arange(3.0), np.arange(3) + 0j),
    "object coordinates": (np.arange(3.0), np.arange(3).astype(object)),
    "datetime coordinates": (np.arange(3.0), np.arange(3).astype("M8[s]")),
}


@pytest.mark.parametrize("args", LEFT.values(), ids=LEFT.keys())
def test_left_to_numpy(fallbacks, args):
    kwargs = args[-1] if isinstance(args[-1], dict) else {}
    assert not compiled(fallbacks, *(args[:-1] if kwargs else args), **kwargs)


def test_a_call_without_arguments():
    with np.testing.assert_raises(TypeError):
        fdx.gradient()
