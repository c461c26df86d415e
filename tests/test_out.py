"""out=: results are written to the caller's arrays, of any strides, and nothing else is."""

import contextlib
import re
import threading

import numpy as np
import pytest
from cases import LAYOUTS, lay_out, make_array, make_coordinates
from compare import assert_same_bits, canonical_bytes, outcome
from hypothesis import given
from hypothesis import strategies as st

import fdx
from fdx._common import outputs
from fdx._common.fallback import numpy_gradient

NATIVE = ["f4", "f8", "c8", "c16", "i2", "u8"]
# Computed by np.gradient, then put where the caller wants it.
LEFT_TO_NUMPY = ["f2", "g", "O", "m8[s]", "M8[s]"]
WRITEABLE_LAYOUTS = [name for name in LAYOUTS if name not in ("broadcast", "readonly")]


def guarded(dtype, shape, layout="C", seed=0):
    """An array to write to, and a function that asserts that only its own elements have changed."""
    rng = np.random.default_rng(seed)
    template = np.empty(shape, dtype)
    out = lay_out(template, layout, rng)
    memory = out
    while isinstance(memory.base, np.ndarray):
        memory = memory.base
    memory = np.frombuffer(memory.base, np.uint8)
    memory[...] = 0xA5
    # The bytes that belong to the array: write there, see which changed, put them back.
    out[...] = np.zeros((), dtype)
    marks = memory != 0xA5
    memory[...] = 0xA5

    def check():
        assert (memory[~marks] == 0xA5).all(), "written outside of the output"

    return out, check


def values_equal(got, want):
    assert got.shape == want.shape
    assert canonical_bytes(got) == canonical_bytes(np.asarray(want).astype(got.dtype, copy=False))


# ------------------------------------------------------------------ the three forms


@pytest.mark.parametrize("dtype", NATIVE + LEFT_TO_NUMPY)
def test_one_axis(dtype):
    f = make_array(dtype, (5, 7))
    for options in (dict(axis=0), dict(axis=-1), dict(axis=(1,)), dict(axis=0, edge_order=2)):
        want = numpy_gradient(f, **options)
        out = np.empty_like(want)
        assert fdx.gradient(f, **options, out=out) is out
        values_equal(out, want)


@pytest.mark.parametrize("dtype", NATIVE + LEFT_TO_NUMPY)
@pytest.mark.parametrize("form", [tuple, list, "stacked"])
def test_several_axes(dtype, form):
    f = make_array(dtype, (5, 4, 6))
    for options in ({}, dict(axis=(2, 0)), dict(edge_order=2)):
        want = numpy_gradient(f, **options)
        if form == "stacked":
            out = np.empty((len(want), *f.shape), want[0].dtype)
        else:
            out = form(np.empty_like(w) for w in want)
        assert fdx.gradient(f, **options, out=out) is out
        for o, w in zip(out, want, strict=True):
            values_equal(o, w)


def test_one_axis_in_a_tuple_or_a_stack():
    """One axis of a 1-D array has one form only: an array of its shape."""
    f = make_array("f8", (6,))
    out = np.empty(6)
    assert fdx.gradient(f, out=out) is out
    values_equal(out, numpy_gradient(f))


# ------------------------------------------------------------------ any memory


@pytest.mark.parametrize("layout", WRITEABLE_LAYOUTS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "i2", ">f8", "f2"])
def test_layouts(dtype, layout):
    f = make_array(dtype, (5, 6, 9))
    want = numpy_gradient(f, 0.1)
    outs, checks = zip(
        *(guarded(w.dtype, w.shape, layout, seed) for seed, w in enumerate(want)), strict=True
    )
    fdx.gradient(f, 0.1, out=outs)
    for out, w, check in zip(outs, want, checks, strict=True):
        values_equal(out, w)
        check()


@given(
    dtype=st.sampled_from(["<f4", "<f8", ">f4", ">f8", "<c16", ">c8", "|i1"]),
    shape=st.lists(st.integers(3, 9), min_size=1, max_size=3).map(tuple),
    f_layout=st.sampled_from(LAYOUTS),
    out_layout=st.sampled_from(WRITEABLE_LAYOUTS),
    form=st.sampled_from(["arrays", "stacked"]),
    coordinates=st.booleans(),
    edge_order=st.sampled_from([1, 2]),
    native_order=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_any_layout_into_any_other(
    dtype, shape, f_layout, out_layout, form, coordinates, edge_order, native_order, seed
):
    f = make_array(dtype, shape, layout=f_layout, seed=seed)
    spacing = [make_coordinates("f8", n, seed=seed) for n in shape] if coordinates else [0.1]
    want = numpy_gradient(f, *spacing, edge_order=edge_order)
    want = want if isinstance(want, tuple) else (want,)
    out_dtype = want[0].dtype.newbyteorder("=") if native_order else want[0].dtype
    if form == "stacked" and len(shape) > 1:
        out, check = guarded(out_dtype, (len(shape), *shape), out_layout, seed)
        outs, checks = list(out), [check]
    else:
        made = [guarded(out_dtype, shape, out_layout, seed + i) for i in range(len(shape))]
        outs, checks = zip(*made, strict=True)
        out = outs if len(shape) > 1 else outs[0]
    assert fdx.gradient(f, *spacing, edge_order=edge_order, out=out) is out
    for o, w, check in zip(outs, want, checks * len(shape), strict=False):
        values_equal(o, w)
        check()


@pytest.mark.parametrize("n", [2, 3, 4, 7, 8, 9, 31, 32, 33, 255, 256, 257, 511, 512, 513, 1000])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "i4"])
def test_guard_bytes(n, dtype):
    """At every length near those of vectors and blocks, in one dimension and along both of two."""
    for shape, axis in [((n,), 0), ((3, n), 1), ((3, n), 0), ((n, 3), 0)]:
        f = make_array(dtype, shape)
        want = numpy_gradient(f, axis=axis)
        for layout in ("C", "offset", "strided"):
            out, check = guarded(want.dtype, shape, layout)
            fdx.gradient(f, axis=axis, out=out)
            values_equal(out, want)
            check()


def test_memmap(tmp_path):
    f = make_array("f4", (5, 6))
    out = np.memmap(tmp_path / "out", np.float32, "w+", shape=(2, 5, 6))
    assert fdx.gradient(f, out=out) is out
    values_equal(np.asarray(out), np.stack(numpy_gradient(f)))


@pytest.mark.parametrize("dtype", [">f4", ">f8", ">c8", ">c16"])
def test_native_order_for_swapped_data(dtype):
    f = make_array(dtype, (5, 6))
    for out_dtype in (f.dtype, f.dtype.newbyteorder("=")):
        out = np.empty((2, 5, 6), out_dtype)
        fdx.gradient(f, 0.3, out=out)
        values_equal(out, np.stack(numpy_gradient(f, 0.3)))


@pytest.mark.parametrize("axis", [0, 1])
def test_interleaved_outputs(axis):
    """Outputs that share a buffer and no element, as in an array of vectors."""
    f = make_array("f8", (5, 6))
    field = np.empty((5, 6, 2))
    fdx.gradient(f, out=(field[..., 0], field[..., 1]))
    values_equal(np.moveaxis(field, -1, 0), np.stack(numpy_gradient(f)))
    table = np.empty((10, 12))
    outs = (table[::2, axis::2], table[1::2, axis::2])
    fdx.gradient(f, out=outs)
    for out, want in zip(outs, numpy_gradient(f), strict=True):
        values_equal(out, want)


def test_records():
    f = make_array("f4", (7,))
    table = np.zeros(7, [("name", "S3"), ("slope", "f4")])
    table["name"] = b"abc"
    fdx.gradient(f, out=table["slope"])
    values_equal(table["slope"], numpy_gradient(f))
    assert (table["name"] == b"abc").all()


def test_complex_parts():
    f = make_array("f8", (7, 5))
    z = np.zeros((7, 5), complex)
    fdx.gradient(f, out=(z.real, z.imag))
    values_equal(z, np.ascontiguousarray(numpy_gradient(f)[0] + 1j * numpy_gradient(f)[1]))


# ------------------------------------------------------------------ overlap with the inputs


@pytest.mark.parametrize("dtype", ["f4", "f8", "c16", "f2"])
@pytest.mark.parametrize("edge_order", [1, 2])
def test_in_place(dtype, edge_order):
    for shape in [(9,), (300,), (5, 7), (40, 50)]:
        for axis in range(len(shape)):
            f = make_array(dtype, shape)
            want = numpy_gradient(f, 0.1, axis=axis, edge_order=edge_order)
            assert fdx.gradient(f, 0.1, axis=axis, edge_order=edge_order, out=f) is f
            values_equal(f, want)


@pytest.mark.parametrize("shift", [-3, -1, 1, 2, 5])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_shifted_views(shift, dtype):
    memory = make_array(dtype, (400,))
    low, high = memory[: 400 - abs(shift)], memory[abs(shift) :]
    f, out = (low, high) if shift > 0 else (high, low)
    want = numpy_gradient(f)
    fdx.gradient(f, out=out)
    values_equal(out, want)


@pytest.mark.parametrize("view", ["reversed", "transposed", "bytes apart"])
def test_other_views_of_the_input(view):
    memory = np.frombuffer(bytearray(8 * 401), np.uint8)
    f = memory[:3200].view("f8").reshape(20, 20)
    f[...] = make_array("f8", (20, 20))
    out = {
        "reversed": lambda: f[::-1, ::-1],
        "transposed": lambda: f.T,
        "bytes apart": lambda: memory[3:3203].view("f8").reshape(20, 20),
    }[view]()
    want = numpy_gradient(f, axis=0)
    fdx.gradient(f, axis=0, out=out)
    values_equal(out, want)


def test_one_of_several_outputs_is_the_input():
    for which in (0, 1):
        f = make_array("f8", (20, 30))
        want = numpy_gradient(f)
        outs = [np.empty((20, 30)), np.empty((20, 30))]
        outs[which] = f
        fdx.gradient(f, out=outs)
        for out, w in zip(outs, want, strict=True):
            values_equal(out, w)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_coordinates_overlap_the_output(edge_order):
    f = make_array("f8", (300,))
    x = make_coordinates("f8", 300)
    want = numpy_gradient(f, x, edge_order=edge_order)
    fdx.gradient(f, x, edge_order=edge_order, out=x)
    values_equal(x, want)
    # In one row of an output, with the other axis's result in the rest.
    f = make_array("f8", (4, 300))
    out = np.empty((2, 4, 300))
    for row in [(0, 1), (1, 2)]:
        out[row] = make_coordinates("f8", 300)
        want = numpy_gradient(f, 0.5, out[row].copy(), edge_order=edge_order)
        fdx.gradient(f, 0.5, out[row], edge_order=edge_order, out=out)
        values_equal(out, np.stack(want))


def test_zero_dimensional_spacing_inside_the_output():
    f = make_array("f8", (50,))
    out = np.full(50, 0.1)
    fdx.gradient(f, out[7:8].reshape(()), out=out)
    values_equal(out, numpy_gradient(f, np.array(0.1)))


def test_zero_dimensional_spacing_inside_an_output_that_is_written_twice():
    """Complex products that overflow are computed again by NumPy, after out has been written."""
    f = np.full(50, 1 + 2j)
    f[30] = 1e308
    out = np.full(50, 1e-3 + 0j)
    with np.errstate(all="ignore"):
        fdx.gradient(f, out.real[7:8].reshape(()), edge_order=2, out=out)
        values_equal(out, numpy_gradient(f, np.array(1e-3), edge_order=2))


@pytest.mark.parametrize("axis", [0, 1, 2, None])
@pytest.mark.parametrize("shape", [(70, 66, 3), (5, 130, 90), (64, 64, 64), (40, 2, 200)])
def test_another_memory_order_and_short_axes(shape, axis):
    """Where the rows of f are far apart in out, and where an axis to differentiate is short."""
    f = make_array("f8", shape)
    want = numpy_gradient(f, 0.3, axis=axis)
    wants = want if isinstance(want, tuple) else (want,)
    for x in (f, np.asfortranarray(f), f.transpose(1, 2, 0).copy().transpose(2, 0, 1)):
        for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
            outs = tuple(
                np.empty([shape[k] for k in order]).transpose(np.argsort(order)) for _ in wants
            )
            fdx.gradient(x, 0.3, axis=axis, out=outs)
            for out, w in zip(outs, wants, strict=True):
                values_equal(out, w)


# ------------------------------------------------------------------ errors


def wrong_outputs():
    """name: (axis, out, texts that the error names), for float64 data of shape (4, 5)."""
    full = np.zeros((3, 4, 5))
    readonly = np.zeros((4, 5))
    readonly.flags.writeable = False
    good = np.zeros((4, 5))
    cells = np.zeros((4, 5))
    masked = np.ma.zeros((4, 5))
    overlap = np.zeros((7, 5))
    return {
        "shape": (0, np.zeros((5, 4)), ["(4, 5)", "(5, 4)"]),
        "too few dimensions": (0, np.zeros(20), ["(4, 5)", "(20,)"]),
        "would broadcast": (0, np.zeros((1, 4, 5)), ["(4, 5)", "(1, 4, 5)"]),
        "dtype": (0, np.zeros((4, 5), "f4"), ["float64", "float32"]),
        "wider dtype": (0, np.zeros((4, 5), "c16"), ["float64", "complex128"]),
        "integer": (0, np.zeros((4, 5), int), ["float64", "int64"]),
        "object": (0, np.zeros((4, 5), object), ["float64", "object"]),
        "read-only": (0, readonly, ["read-only"]),
        "masked": (0, masked, ["ndarray", "MaskedArray"]),
        "a subclass": (0, np.zeros((4, 5)).view(np.matrix), ["ndarray", "matrix"]),
        "a list": (0, [[0.0] * 5] * 4, []),
        "a number": (0, 1.0, ["float"]),
        "text": (0, "out", ["str"]),
        "a tuple for one axis": (0, (np.zeros((5, 4)), good), []),
        "one array's shape for two": (None, good, ["(2, 4, 5)", "(4, 5)"]),
        "stack too large": (None, full, ["(2, 4, 5)", "(3, 4, 5)"]),
        "too few arrays": (None, (good,), ["2", "1"]),
        "too many arrays": (None, [good, cells, np.zeros((4, 5))], ["2", "3"]),
        "None among them": (None, (good, None), ["NoneType"]),
        "second shape": (None, (good, np.zeros((5, 4))), ["(4, 5)", "(5, 4)"]),
        "second dtype": (None, (good, np.zeros((4, 5), "f4")), ["float64", "float32"]),
        "second read-only": (None, (good, readonly), ["read-only"]),
        "second masked": (None, (good, masked), ["MaskedArray"]),
        "the same twice": (None, (good, good), ["overlap"]),
        "overlapping": (None, (overlap[:4], overlap[3:7]), ["overlap"]),
        "a view of the other": (None, (good, good[::-1]), ["overlap"]),
        "not an iterable of arrays": (None, {"a": good}, ["dict"]),
    }  # fmt: skip


# The same words whether the core or NumPy does the computing.
@pytest.mark.parametrize("left_to_numpy", [False, True], ids=["native", "left to NumPy"])
@pytest.mark.parametrize("name", wrong_outputs())
def test_wrong_outputs(name, left_to_numpy):
    axis, out, words = wrong_outputs()[name]
    f = make_array("f8", (4, 5)).astype(object if left_to_numpy else "f8")
    arrays = [
        o for o in (out if isinstance(out, (tuple, list)) else [out]) if isinstance(o, np.ndarray)
    ]
    before = [o.tobytes() for o in arrays]
    got = outcome(fdx.gradient, f, axis=axis, out=out)
    assert got.error is not None
    kind, text = got.error
    assert kind in (TypeError, ValueError)
    assert text.startswith("out"), text
    for word in words:
        assert word in text, text
    assert [o.tobytes() for o in arrays] == before


def test_an_output_that_overlaps_itself():
    memory = np.zeros(8)
    out = np.lib.stride_tricks.as_strided(memory, (4, 5), (8, 8))
    with pytest.raises(ValueError, match=r"^out.*overlap"):
        fdx.gradient(make_array("f8", (4, 5)), axis=0, out=out)
    out = np.lib.stride_tricks.as_strided(memory, (2, 4, 5), (0, 0, 8))
    with pytest.raises(ValueError, match=r"^out.*overlap"):
        fdx.gradient(make_array("f8", (4, 5)), out=out)
    assert not memory.any()


def test_swapped_output_for_native_data():
    """Only native order is accepted for another one: native data takes no swapped output."""
    with pytest.raises((TypeError, ValueError), match=r"^out.*float64.*>f8"):
        fdx.gradient(make_array("f8", (5,)), out=np.zeros(5, ">f8"))


def test_other_errors_come_first_and_leave_the_output_alone():
    out = np.full((2, 3, 5), 7.0)
    for args, kwargs in [
        ((1, 2, 3), {}),
        ((), dict(axis=9)),
        (([1, 2], 1), {}),
        ((), dict(edge_order=3)),
    ]:
        f = make_array("f8", (3, 5))
        want = outcome(numpy_gradient, f, *args, **kwargs)
        assert outcome(fdx.gradient, f, *args, **kwargs, out=out).error == want.error
    assert (out == 7).all()


def test_too_small_leaves_every_output_alone():
    """NumPy finds the short axis after computing the first; an output stays untouched."""
    out = np.full((2, 5, 1), 7.0)
    with pytest.raises(ValueError, match=r"^Shape of array too small"):
        fdx.gradient(make_array("f8", (5, 1)), out=out)
    assert (out == 7).all()


@pytest.mark.parametrize("f", [np.array(1.0), np.zeros((4, 5))], ids=["0-d", "axis=()"])
def test_no_axes(f):
    """There is nothing to write; an empty tuple is the right form."""
    assert fdx.gradient(f, axis=(), out=()) == ()
    with pytest.raises((TypeError, ValueError), match=r"^out"):
        fdx.gradient(f, axis=(), out=np.zeros((4, 5)))


def test_empty_arrays():
    f = np.zeros((0, 3))
    out = np.zeros((0, 3))
    assert fdx.gradient(f, axis=1, out=out) is out


def test_errors_of_errstate_come_after_writing():
    f = np.array([1.0, 2.0, 4.0])
    out = np.zeros(3)
    with np.errstate(divide="raise"), contextlib.suppress(FloatingPointError):
        fdx.gradient(f, 0.0, out=out)
    assert np.isinf(out).all()


def test_warnings_are_the_same_with_out():
    f = make_array("f4", (6, 7), "special")
    with np.errstate(all="warn"):
        want = outcome(numpy_gradient, f, 1e-39)
        got = outcome(fdx.gradient, f, 1e-39, out=np.empty((2, 6, 7), "f4"))
    assert got.warnings == want.warnings


def test_message_names_the_argument():
    with pytest.raises((TypeError, ValueError)) as caught:
        fdx.gradient(np.zeros(4), out=np.zeros(5))
    assert re.match(r"out\b", str(caught.value))
    assert_same_bits(fdx.gradient(np.zeros(4), out=None), numpy_gradient(np.zeros(4)))


def test_a_list_comes_back_also_when_numpy_computes_again():
    f = np.full((4, 4), 1e-200 + 1e-200j)
    out = [np.empty_like(f), np.empty_like(f)]
    with np.errstate(all="ignore"):
        assert fdx.gradient(f, 1e200, 1e200, edge_order=2, out=out) is out


def test_a_list_may_be_emptied_meanwhile():
    f = np.ones((2000, 2000))
    for milliseconds in range(10):
        out = [np.ones_like(f), np.ones_like(f)]
        empty = threading.Timer(1e-3 * milliseconds, out.clear)
        empty.start()
        with contextlib.suppress(ValueError):  # it was empty before fdx looked
            fdx.gradient(f, 0.3, out=out)
        empty.join()
        assert out == []


CELL = np.dtype({"names": ["u", "v", "c"], "formats": ["f8", "f8", "f4"], "itemsize": 24})


@pytest.mark.parametrize("shape", [(40,), (12, 30), (7, 9, 11), (300, 300)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_fields_of_a_structured_array_are_not_copied(shape, order, monkeypatch):
    """A result may be written beside the field that is read: elements only alternate."""
    cells = np.zeros(shape, CELL, order)
    cells["u"], cells["c"] = np.random.default_rng(0).random((2, *shape))
    u, kept = cells["u"].copy(), cells["c"].copy()
    copied, real = [], outputs.apart

    def apart(inputs, found):
        result = real(inputs, found)
        copied.extend(a for a, b in zip(inputs, result, strict=True) if a is not b)
        return result

    monkeypatch.setattr(outputs, "apart", apart)
    D2 = fdx.Diff(0, deriv=2, boundary="symmetric")
    laplacian = sum(fdx.Diff(k, deriv=2) for k in range(len(shape)))
    for call in (
        D2,
        laplacian,
        fdx.Diff(-1) @ fdx.Diff(0),
        (fdx.Identity() - D2).solve,
        lambda u, **out: fdx.gradient(u, axis=0, **out),
        lambda u, **out: fdx.derivative(u, axis=-1, accuracy=4, **out),
    ):
        for workers in (1, 2):
            cells["v"] = np.nan
            with fdx.set_workers(workers):
                call(cells["u"], out=cells["v"])
            assert cells["v"].tobytes() == call(u).tobytes()
            assert (cells["u"] == u).all()
            assert (cells["c"] == kept).all()
    assert not copied
    D2(cells["u"], out=cells["u"])  # the same field is copied
    assert len(copied) == 1
    assert (cells["u"] == D2(u)).all()


def test_alternating_elements():
    memory = np.zeros(200, "u1")

    def at(byte, step, dtype, n=5):
        return np.ndarray((n,), dtype, memory, byte, (step,))

    for byte in range(-8, 9):
        for step in (8, 12, 16, 24):
            a, b = at(40, step, "f8"), at(40 + byte, step, "f4")
            free = not any(-4 < byte + step * k < 8 for k in range(-20, 20))
            assert outputs._alternate(a, b) == free == outputs._alternate(b, a)
            assert not (free and np.shares_memory(a, b))
    assert not outputs._alternate(at(0, 16, "f8"), at(8, 24, "f8"))  # no common period
    assert outputs._alternate(at(0, 32, "f8"), at(72, -16, "f8"))
