"""fdx.gradient is np.gradient: any call gives the same bits, layout, type, warnings and errors."""

from collections import OrderedDict

import numpy as np
import pytest
from cases import (
    COORDINATES,
    DECLINED_DTYPES,
    LAYOUTS,
    NATIVE_DTYPES,
    VALUES,
    make_array,
    make_coordinates,
)
from compare import assert_same_outcome, outcome
from hypothesis import given
from hypothesis import strategies as st

import fdx
import fdx._common.fallback

pytestmark = pytest.mark.thread_unsafe(reason="records warnings, which are those of all threads")

# ------------------------------------------------------------------ what to draw from

seeds = st.integers(0, 2**16)

# Around the widths of vectors and of the core's internal blocks.
SIZES_1D = sorted(
    {0, 1, 2, 3, 5, 600, 1025, 1300}
    | {n + d for n in (4, 8, 16, 32, 64, 128, 256, 512) for d in (-1, 0, 1)}
)
shapes = st.one_of(
    st.sampled_from(SIZES_1D).map(lambda n: (n,)),
    st.tuples(st.integers(2, 4), st.sampled_from([n for n in SIZES_1D if n >= 2])),
    st.tuples(st.sampled_from([n for n in SIZES_1D if n >= 2]), st.integers(2, 4)),
    st.lists(st.sampled_from([2, 3, 4, 5, 8, 17]), min_size=2, max_size=3).map(tuple),
    st.lists(st.sampled_from([1, 2, 3, 4, 7]), min_size=1, max_size=4).map(tuple),
    st.lists(st.sampled_from([0, 1, 2, 3]), min_size=0, max_size=4).map(tuple),
)
# Large enough along every axis for any edge order.
roomy_shapes = st.one_of(
    st.sampled_from([n for n in SIZES_1D if n >= 3]).map(lambda n: (n,)),
    st.tuples(st.integers(3, 5), st.sampled_from([n for n in SIZES_1D if n >= 3])),
    st.tuples(st.sampled_from([n for n in SIZES_1D if n >= 3]), st.integers(3, 5)),
    st.lists(st.sampled_from([3, 4, 5, 8, 9]), min_size=3, max_size=4).map(tuple),
)
dtypes = st.sampled_from(NATIVE_DTYPES)
# Floating-point data is where the rounding is: draw it more often than the many integer types.
common_dtypes = st.sampled_from(["<f8", "<f4", "<c16", "<c8", ">f8", ">f4", "<i4", "|u1"])


def arrays(shape, dtype=dtypes | common_dtypes, values=None, layout=None):
    return st.builds(
        make_array,
        dtype=dtype,
        shape=shape,
        values=st.sampled_from(VALUES) if values is None else values,
        layout=st.sampled_from(LAYOUTS) if layout is None else layout,
        seed=seeds,
    )


PYTHON_FLOATS = [
    1.0, 0.5, 0.1, 3.0, -0.7, 1 / 3, 0.0, -0.0, 1e300, -1e300, 1e-300, 1e39, 1e-39, 1e-46, 5e-324,
    2.0**-1022, 1e308, 1.7e308, 2.0**64, 2.0**-64, float("inf"), float("-inf"), float("nan"),
]  # fmt: skip
PYTHON_INTS = [
    1,
    2,
    -3,
    0,
    7,
    100,
    300,
    2**24 + 1,
    2**53 - 1,
    -(2**53),
    2**53 + 1,
    2**63,
    10**30,
    10**400,
]
SCALAR_DTYPES = ["<f8", "<f4", "<f2", ">f8", ">f4", "?", *"bBhHiIlLqQ", ">i2"]


def numpy_number(dtype, number, zero_dim):
    """A NumPy scalar, or a 0-d array."""
    with np.errstate(all="ignore"):
        value = np.array(number).astype(dtype)
    return value if zero_dim else value[()]


NUMBERS = [1.0, 2.0, 0.1, 3.0, 0.0, -0.0, -7.0, 100.0, 1e5, 6e4, 6e-8, 1e-46]
NUMBERS += [1e39, 1e-39, 1e300, 1e-300, 1e308, float("inf"), float("nan")]
numpy_numbers = st.builds(
    numpy_number,
    dtype=st.sampled_from(SCALAR_DTYPES),
    number=st.sampled_from(NUMBERS),
    zero_dim=st.booleans(),
)
scalars = st.one_of(
    st.sampled_from(PYTHON_FLOATS),
    st.floats(),
    st.sampled_from(PYTHON_INTS),
    st.booleans(),
    numpy_numbers,
    numpy_numbers,
)


def coordinates(count):
    return st.builds(
        make_coordinates,
        dtype=st.sampled_from(
            ["<f8", "<f8", "<f8", "<f4", "<f4", ">f8", ">f4", *"bBhHiIlLqQ", ">i4"]
        ),
        count=st.just(count),
        kind=st.sampled_from(COORDINATES),
        layout=st.sampled_from(
            ["C", "C", "strided", "negative", "offset", "readonly", "list", "tuple"]
        ),
        seed=seeds,
    )


ERRSTATES = [
    dict(all="warn"),
    dict(all="warn"),
    dict(divide="warn", over="warn", under="ignore", invalid="warn"),
    dict(all="ignore"),
    dict(all="raise"),
    dict(all="warn", divide="raise"),
    dict(all="ignore", over="raise"),
    dict(all="ignore", under="raise"),
    dict(all="warn", invalid="raise"),
]
errstates = st.sampled_from(ERRSTATES)


@st.composite
def correct_axes(draw, ndim):
    """None, an integer or some of the axes in any order."""
    which = draw(st.sampled_from(["all", "one", "some"]))
    if which == "all" or ndim == 0:
        return None
    if which == "one":
        return draw(st.integers(-ndim, ndim - 1))
    axes = draw(st.permutations(range(ndim)))[: draw(st.integers(1, ndim))]
    return tuple(axis - ndim if draw(st.booleans()) else axis for axis in axes)


@st.composite
def correct_spacing(draw, shape, axis):
    """Nothing, one scalar for all, or for each axis a scalar or its coordinates."""
    axes = range(len(shape)) if axis is None else np.atleast_1d(axis)
    form = draw(st.sampled_from(["none", "one", "each", "each", "coordinates"]))
    if form == "none":
        return ()
    if form == "one":
        return (draw(scalars),)
    pick = (
        (lambda n: coordinates(n))
        if form == "coordinates"
        else (lambda n: scalars | coordinates(n))
    )
    return tuple(draw(pick(shape[ax])) for ax in axes)


@st.composite
def calls(draw, shape=roomy_shapes, spacing=True, **kwargs):
    f = draw(arrays(shape, **kwargs))
    axis = draw(correct_axes(f.ndim))
    varargs = draw(correct_spacing(f.shape, axis)) if spacing else ()
    return f, varargs, dict(axis=axis, edge_order=draw(st.sampled_from([1, 2])))


# ------------------------------------------------------------------ what to compare


def check(f, varargs, options, errstate=None):
    """The same call of both; `options` is created for each, as it may hold a generator."""
    kwargs = options() if callable(options) else options
    with np.errstate(**(errstate or dict(all="warn"))):
        want = outcome(fdx._common.fallback.numpy_gradient, f, *varargs, **kwargs)
        kwargs = options() if callable(options) else options
        before = f.tobytes() if isinstance(f, np.ndarray) and not f.dtype.hasobject else None
        got = outcome(fdx.gradient, f, *varargs, **kwargs)
    assert_same_outcome(got, want)
    if before is not None:
        assert f.tobytes() == before, "the input was changed"


# ------------------------------------------------------------------ one test for each idea


@given(calls(layout=st.just("C")), errstates)
def test_values_and_spacings(call, errstate):
    check(*call, errstate)


@given(calls(dtype=common_dtypes, values=st.just("ordinary"), layout=st.just("C")))
def test_ordinary_data_with_any_spacing(call):
    """Without NaN in the data, every difference in the weights shows."""
    check(*call)


@given(calls(spacing=False), errstates)
def test_layouts(call, errstate):
    check(*call, errstate)


@given(calls(shape=shapes), errstates)
def test_everything_at_once(call, errstate):
    """Including arrays that are too small or empty: NumPy's errors, after NumPy's warnings."""
    check(*call, errstate)


@given(
    arrays(roomy_shapes, dtype=st.sampled_from(["<f8", "<f4", "<c16", "<c8"]), layout=st.just("C")),
    st.sampled_from(["real", "imag", "reversed", "transposed", "every other"]),
    scalars,
    st.sampled_from([1, 2]),
)
def test_views(f, view, h, edge_order):
    view = {
        "real": lambda: f.real,
        "imag": lambda: f.imag,
        "reversed": lambda: f[::-1],
        "transposed": lambda: f.T,
        "every other": lambda: np.repeat(f, 2, axis=-1)[..., ::2],
    }[view]()
    check(view, (h,), dict(edge_order=edge_order))


class OddFloat(float):
    """A float that NumPy does not treat as an exact Python float."""


class Array(np.ndarray):
    """A subclass, which is the type of NumPy's result."""


AXES = [
    *(None, 0, 1, -1, -3, 2, 5, -6, np.int64(1), np.uint8(0), np.array(1), True, False, 1.0, "0"),
    *((), (0,), (1, 0), (0, 0), (0, -1), (0, 7), (0, 1.0), ((0, 1),)),
    *([1], [0, 1], np.array([1, 0])),
]
GENERATORS = [lambda: iter([0, 1]), lambda: (i for i in (1,)), lambda: range(2), lambda: {0, 1}]
EDGE_ORDERS = [
    *(1, 2, 3, 0, -5, 7, True, False, 1.0, 2.0, 1.5, 2.5, float("nan"), 1 + 0j, "2", None),
    *(np.int64(2), np.int8(1), np.array(2), np.array([1, 2]), OddFloat(1)),
]
ODD_SPACINGS = [
    *(None, "1", b"12", 1j, 1 + 0j, np.complex64(2), np.longdouble(0.1), OddFloat(0.1)),
    *(np.timedelta64(2, "s"), np.ma.masked, OrderedDict(), {}, [], (), [[1.0]], np.ones((2, 2))),
    *([1.0], [1, 2], np.ones(2), [1, 2, "3"], [1.0, None, 2.0], range(3)),
    *(np.ones(3, bool), np.arange(3).astype("f2"), np.arange(3).astype("g"), np.arange(3) + 0j),
    *(np.arange(3).astype("M8[s]"), np.array([1, "a", None], object)),
    *(np.ma.arange(3), np.ones(3).view(Array)),
]


@given(
    arrays(shapes, dtype=common_dtypes, values=st.just("ordinary")),
    st.lists(scalars | st.sampled_from(ODD_SPACINGS) | coordinates(3), max_size=3),
    st.sampled_from(AXES) | st.sampled_from(GENERATORS),
    st.sampled_from(EDGE_ORDERS) | st.sampled_from([1, 2]),
    st.sampled_from(ERRSTATES[:3]),
)
def test_wrong_and_odd_arguments(f, spacings, axis, edge_order, errstate):
    def options():
        return dict(axis=axis() if callable(axis) else axis, edge_order=edge_order)

    check(f, tuple(spacings), options, errstate)


@given(
    arrays(
        roomy_shapes | shapes, dtype=st.sampled_from(DECLINED_DTYPES), values=st.just("ordinary")
    ),
    st.lists(scalars, max_size=2),
    st.sampled_from([1, 2]),
)
def test_dtypes_left_to_numpy(f, spacings, edge_order):
    check(f, tuple(spacings), dict(edge_order=edge_order))


@given(
    arrays(roomy_shapes, dtype=common_dtypes, layout=st.just("C")),
    st.sampled_from(["list", "tuple", "masked", "matrix", "subclass", "object", "memmap"]),
    st.lists(scalars, max_size=1),
)
def test_other_containers(f, container, spacings):
    with np.errstate(all="ignore"):  # preparing the case may touch a signalling NaN
        if container == "list":
            f = f.tolist()
        elif container == "tuple":
            f = tuple(f.tolist())
        elif container == "masked":
            f = np.ma.masked_array(f, mask=f == 0)
        elif container == "matrix":
            f = f.reshape(f.shape[0], -1).view(np.matrix)
        elif container == "subclass":
            f = f.view(Array)
        elif container == "memmap":
            f = f.view(np.memmap)
        else:
            f = f.reshape(-1)[:20].astype(object)
    check(f, tuple(spacings), {})


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("count", [3, 4, 5, 6, 9])
def test_flags_of_coordinates_that_are_not_finite(dtype, count):
    """A compiler may vectorise the code of three or four weights, and compute too many of them."""
    rng = np.random.default_rng(count)
    special = np.array([-0.0, np.nan, np.inf, -np.inf, 1, 3, 1e38], dtype)
    for _ in range(200):
        x = rng.choice(special, count)
        for edge_order in (1, 2):
            check(np.arange(count) * 1.0, (x,), dict(axis=None, edge_order=edge_order))
