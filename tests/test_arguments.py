"""One rule for the arguments of all functions except `gradient`: nothing that an argument means is
lost silently, and errors name the argument and say what to write instead. Stand-ins have the
modules and hooks of other packages' classes; test_other_arrays.py uses the packages."""

import datetime
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import fdx

X = np.array([0.0, 1.0, 2.5, 4.0, 6.0, 7.0, 9.0, 12.0])
F = X**2
D = fdx.Diff(0)
G = np.outer(F, F)

# Every array argument: a call with it, its name, and a right value.
ARGUMENTS = {
    "derivative f": (lambda a: fdx.derivative(a, X), "f", F),
    "derivative spacing": (lambda a: fdx.derivative(F, a), "spacing", X),
    "operator": (lambda a: fdx.Diff(0, X)(a), "u", F),
    "Diff spacing": (lambda a: fdx.Diff(0, a), "spacing", X),
    "coefficients": (lambda a: fdx.Identity().__rmul__(a), "coefficients", F),
    "laplacian f": (lambda a: fdx.laplacian(a), "f", F),
    "laplacian spacing": (lambda a: fdx.laplacian(G, X, a), "spacing[1]", X),
    "divergence component": (lambda a: fdx.divergence([G, a]), "F[1]", G),
    "curl component": (lambda a: fdx.curl([G, a]), "F[1]", G),
    "hessian f": (lambda a: fdx.hessian(a), "f", F),
    "hessian spacing": (lambda a: fdx.hessian(G, a, X), "spacing[0]", X),
    "jacobian components": (lambda a: fdx.jacobian(a, axis=0), "F", G),
    "jacobian spacing": (lambda a: fdx.jacobian([F], a), "spacing", X),
    "weights nodes": (lambda a: fdx.weights(a), "nodes", X),
    "weights at": (lambda a: fdx.weights(X, a), "at", X),
    "symbol k": (lambda a: D.symbol(a), "k", X),
    "symbol k of two": (lambda a: (D + fdx.Diff(1)).symbol([F, a]), "k[1]", X),
}
NUMBERS = {
    "derivative spacing": (lambda h: fdx.derivative(F, h), "spacing"),
    "Diff spacing": (lambda h: fdx.Diff(0, h), "spacing"),
    "laplacian spacing": (lambda h: fdx.laplacian(G, 1.0, h), "spacing[1]"),
    "jacobian spacing for all": (lambda h: fdx.jacobian([G], h), "spacing"),
    "period": (lambda p: fdx.Diff(0, X, boundary="periodic", period=p), "period"),
    "periods": (
        lambda p: fdx.laplacian(G, X, X, boundary=["valid", "periodic"], period=[None, p]),
        "period[1]",
    ),
    "coefficient": (lambda c: fdx.Identity().__rmul__(c), "coefficients"),
    "coefficient at the right": (lambda c: D * c, "coefficients"),
    "divisor": (lambda c: D / c, "coefficients"),
    "weights at": (lambda x: fdx.weights(X, x), "at"),
    "symbol k": (lambda k: D.symbol(k), "k"),
}
arguments = pytest.mark.parametrize("argument", ARGUMENTS)
numbers = pytest.mark.parametrize("argument", NUMBERS)


def same(a, b):
    if isinstance(a, fdx.Operator):
        a, b = a(F), b(F)
    return a.astype(a.dtype.newbyteorder("=")).tobytes() == b.tobytes()


def refused(call, value, name, kind=TypeError):
    with pytest.raises(kind) as caught:
        call(value)
    message = str(caught.value)
    assert message.startswith(f"{name}: expected "), message
    assert ", got " in message
    return message


# ------------------------------------------------------------------ masks


class Variable:
    """Like netCDF4's variables: an object whose array is masked, or has no masked elements."""

    def __init__(self, a):
        self.a = a

    def __array__(self, dtype=None, copy=None):
        return self.a


def masked(a):
    where = np.zeros(a.shape, bool)
    where.flat[3] = True
    hidden = a.copy()
    hidden.flat[3] = 9.96921e36
    return np.ma.array(hidden, mask=where)


@arguments
def test_what_is_under_a_mask_is_no_data(argument):
    call, name, a = ARGUMENTS[argument]
    for value in (masked(a), Variable(masked(a))):
        message = refused(call, value, name)
        assert f"a masked array, 1 of {a.size} masked" in message


@arguments
def test_a_list_hides_no_mask(argument):
    call, name, a = ARGUMENTS[argument]
    rows = list(masked(a))
    refused(call, rows, f"{name}[{0 if a.ndim == 2 else 3}]")


@arguments
def test_what_is_masked_nowhere_is_its_data(argument):
    call, _, a = ARGUMENTS[argument]
    expected = call(a)
    for value in (np.ma.array(a), np.ma.array(a, mask=np.zeros(a.shape, bool)), a):
        assert same(call(value), expected)
        assert same(call(Variable(value)), expected)


@numbers
def test_masked_numbers(argument):
    call, name = NUMBERS[argument]
    refused(call, np.ma.masked, name)
    refused(call, np.ma.array(3.0, mask=True), name)
    refused(call, Variable(np.ma.array(3.0, mask=True)), name)


@pytest.mark.parametrize("dtype", ["i2", "u8", "f4", "f8", "c8", "c16"])
def test_the_advice_for_masked_data_works(dtype):
    f = np.ma.array(np.arange(8).astype(dtype), mask=np.arange(8) == 6)
    for given in (f, Variable(f)):
        message = refused(fdx.derivative, given, "f")
        advice = re.search(r"pass (\S+), ", message)[1]
        got = fdx.derivative(eval(advice, {"numpy": np, "f": given}))
        assert got[:5].tolist() == [1] * 5
        assert np.isnan(got[5])
        assert np.isnan(got[7])


def test_the_advice_for_masked_coordinates_is_to_leave_them_out():
    for argument in ("derivative spacing", "Diff spacing", "weights nodes"):
        call, name, a = ARGUMENTS[argument]
        assert "leave those points out" in refused(call, masked(a), name)


# ------------------------------------------------------------------ what means more


class Quantity(np.ndarray):
    unit = "km"


Quantity.__module__ = "astropy.units.quantity"


class PintQuantity:
    __array_ufunc__ = None
    units = "kilometer"

    def __init__(self, a):
        self.a = a

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.a)

    def __float__(self):
        return float(self.a)


PintQuantity.__module__ = "pint.registry"
MODULES = {
    "cupy": "cupy.asnumpy({})",
    "dask.array.core": "{}.compute()",
    "jaxlib._jax": "numpy.asarray({})",
    "pandas": "{}.to_numpy()",
    "polars.series.series": "{}.to_numpy()",
    "scipy.sparse._csr": "{}.toarray()",
    "tensorflow.python": "{}.numpy()",
    "torch": "{}.detach().cpu().numpy()",
    "xarray.core.dataarray": "{}.values",
    "elsewhere": "numpy.asarray({})",
}


def foreign(module):
    """A class that has an array, and another protocol of those by which arrays are told."""
    hook = "__array_function__" if module == "elsewhere" else "__array_ufunc__"
    kind = type("Foreign", (Variable,), {hook: None})
    kind.__module__ = module
    return kind


@arguments
@pytest.mark.parametrize("module", MODULES)
def test_arrays_of_others_are_refused_everywhere(argument, module):
    call, name, a = ARGUMENTS[argument]
    value = foreign(module)(a)
    assert "__array_function__" in dir(value) or module != "elsewhere"
    message = refused(call, value, name)
    assert f"pass {MODULES[module].format(name)}" in message or (
        module == "elsewhere" and MODULES[module].format(name) in message
    )
    if a.ndim == 1:
        refused(call, [value], f"{name}[0]")


@arguments
def test_units_are_not_dropped(argument):
    call, name, a = ARGUMENTS[argument]
    message = refused(call, a.view(Quantity), name)
    assert message.endswith(f"would lose its unit; pass {name}.to_value('km')")
    message = refused(call, PintQuantity(a), name)
    assert message.endswith(f"would lose its unit; pass {name}.m_as('kilometer')")
    message = refused(call, Variable(a.view(Quantity)), name)
    assert message.endswith(f"its unit; pass numpy.asanyarray({name}).to_value('km')")
    assert "its unit" in refused(call, list(a.view(Quantity)[:, None][..., 0:1]), f"{name}[0]")


@numbers
def test_units_of_numbers_are_not_dropped(argument):
    call, name = NUMBERS[argument]
    assert "to_value('km')" in refused(call, np.array(13.0).view(Quantity), name)
    assert "m_as('kilometer')" in refused(call, PintQuantity(13.0), name)


@arguments
def test_other_subclasses_are_refused_everywhere(argument):
    call, name, a = ARGUMENTS[argument]
    for value in (a.view(type("Labelled", (np.ndarray,), {})), a.view(np.recarray)):
        assert f"pass numpy.asarray({name})" in refused(call, value, name)


@arguments
def test_what_has_only_an_array_is_taken(argument):
    call, _, a = ARGUMENTS[argument]
    for value in (a.tolist(), tuple(a.tolist()), memoryview(a), Variable(a), a.astype(">f8")):
        assert same(call(value), call(a))


@arguments
def test_functions_are_no_samples(argument):
    call, name, _ = ARGUMENTS[argument]
    for value in (np.sin, np.poly1d([1, 2, 3]), lambda x: x, np.polynomial.Polynomial([1, 2])):
        message = refused(call, value, name)
        assert "got a function" in message
        assert "scipy.differentiate" in message


@arguments
def test_truth_values_are_no_numbers(argument):
    call, name, a = ARGUMENTS[argument]
    refused(call, a > 2, name)
    among = a.tolist()
    if a.ndim == 1:
        among[2] = True
        refused(call, among, f"{name}[2]")
        among[2] = np.True_
        refused(call, among, f"{name}[2]")
    else:
        among[1][2] = True
        refused(call, among, f"{name}[1][2]")


@numbers
def test_truth_values_and_others_are_no_number(argument):
    call, name = NUMBERS[argument]
    for value in (True, np.True_, "1", 1j, np.timedelta64(1, "s"), object(), {1: 2}, {3}):
        refused(call, value, name)


@arguments
def test_what_numpy_makes_no_numbers_of(argument):
    call, name, _ = ARGUMENTS[argument]
    for value in ({1: 2}, {1.0}, (x for x in F), None, "text", b"text", object()):
        message = refused(call, value, name)
        assert type(value) is object or "got object" not in message
    name = f"{name}[1]" if argument == "jacobian components" else name
    refused(call, [[1.0, 2.0], [3.0]], name, ValueError)


def test_times_are_told_how_to_become_numbers():
    t = np.array(["2020-01-01", "2020-01-02", "2020-01-04"], "M8[s]")
    f, days = np.array([0.0, 1.0, 3.0]), t - t[0]
    for call, name, value in (
        (lambda v: fdx.derivative(f, v), "spacing", t),
        (lambda v: fdx.derivative(f, v), "spacing", days),
        (lambda v: fdx.derivative(f, v), "spacing", np.timedelta64(1, "D")),
        (lambda v: fdx.derivative(f, v), "spacing", datetime.timedelta(days=1)),
        (lambda v: fdx.derivative(v), "f", t),
        (lambda v: fdx.derivative(v), "f", days),
        (lambda v: v * D, "coefficients", days),
        (fdx.weights, "nodes", t),
        (lambda v: fdx.derivative(f, v), "spacing", list(t)),
        (lambda v: fdx.derivative(f, v), "spacing", t.tolist()),
        (lambda v: fdx.derivative(f, v), "spacing", [day.date() for day in t.tolist()]),
        (lambda v: fdx.derivative(f, v), "spacing", np.array(t.tolist())),
        (fdx.weights, "nodes", days.tolist()),
        (lambda v: fdx.derivative(v), "f", t.tolist()),
    ):
        message = refused(call, value, name)
        advice = message.partition("; write ")[2].removesuffix(" for seconds")
        seconds = eval(advice, {"numpy": np, name: value})
        assert np.asarray(seconds).dtype == np.float64
        call(seconds)
    seconds = (t - t[0]) / np.timedelta64(1, "s")
    assert fdx.derivative(f, seconds).tolist() == pytest.approx([1 / 86400] * 3, rel=1e-14)


def test_dtypes_are_told_how_to_become_others():
    for dtype in ("?", "f2", "g", "G", object):
        f = np.ones(8, dtype)
        message = refused(fdx.derivative, f, "f")
        advice = re.search(r"pass (\S+\))", message)[1]
        assert fdx.derivative(eval(advice, {"f": f, "float": float, "complex": complex})).any() == 0
    assert "numpy.asarray(f, float)" in refused(fdx.derivative, [Fraction(1, 3)] * 4, "f")
    assert "pass list(f)" in refused(fdx.derivative, (x for x in F), "f")


# ------------------------------------------------------------------ operators between arrays


@pytest.mark.parametrize("module", MODULES)
def test_operators_with_arrays_of_others(module):
    value = foreign(module)(F)
    for call in (lambda: value * D, lambda: D * value, lambda: D / value):
        with pytest.raises(TypeError, match=r"coefficients: expected real numbers, got .*Foreign"):
            call()


def test_an_operator_is_no_array():
    for call in (lambda: np.asarray(D), lambda: np.array(D, dtype=float), lambda: np.float64(D)):
        with pytest.raises(TypeError, match=r"got an operator|must be a .*number"):
            call()
    blocks = np.array([[D, 2 * D], [None, D]], dtype=object)
    assert blocks.shape == (2, 2)
    assert blocks[0, 0] is D
    for argument, (call, name, _) in ARGUMENTS.items():
        if argument != "coefficients":
            assert "operator" in refused(call, D, name)


# ------------------------------------------------------------------ precision

LONG = pytest.mark.skipif(np.finfo("g").nmant <= 52, reason="long double is double here")


@LONG
def test_long_double_coordinates_are_used_at_their_precision():
    x = np.longdouble(1.7e9) + np.arange(6) * np.longdouble(1e-6)
    f = (3 * (x - x[0])).astype(float)
    for got in (
        fdx.derivative(f, x),
        fdx.Diff(0, x)(f),
        fdx.jacobian([f], x)[0, 0],
        fdx.derivative(f[::-1], x[::-1]),
        fdx.derivative(f, list(x)),
        fdx.derivative(f, Variable(x)),
        fdx.derivative(f, x, accuracy=4),
    ):
        np.testing.assert_allclose(got, 3, rtol=1e-9)
    second = fdx.derivative(((x - x[0]) ** 2).astype(float), x, deriv=2)
    np.testing.assert_allclose(second, 2, rtol=1e-3)
    period = np.longdouble(x[-1] - x[0]) + np.longdouble(1e-6)
    fdx.Diff(0, x, boundary="periodic", period=period)(f)


@LONG
def test_long_doubles_that_are_doubles_change_nothing():
    x = np.array([0.1, 0.5, 2.0, 2.5])
    f = np.array([1.0, 3.0, -2.0, 0.5])
    assert same(fdx.derivative(f, x.astype("g")), fdx.derivative(f, x))
    x = np.linspace(0, 1, 11, dtype="g")  # even but for rounding
    assert same(fdx.derivative(np.arange(11.0), x), fdx.derivative(np.arange(11.0), 0.1))


@LONG
def test_distances_that_a_double_cannot_hold_are_an_error():
    one = np.longdouble(1)
    tiny = np.finfo("g").eps
    for x in (
        [0, one, one + tiny, 2],
        [0, one, one + 2**40 * tiny * 1.25 / 2**33, 2],
        [0, one, one + 2**20 * tiny / 3, 2],
    ):
        message = refused(
            lambda x: fdx.derivative(np.zeros(4), x), np.array(x, "g"), "spacing", ValueError
        )
        assert "at [1] and [2]" in message
    refused(
        lambda x: fdx.Diff(0, x),
        np.array([0, 1, 2], "g") * np.longdouble("1e4000"),
        "spacing",
        ValueError,
    )


@pytest.mark.parametrize("dtype", ["i8", "u8", ">i8", object])
@pytest.mark.parametrize(
    "first", [0, 2**53 - 1, 2**53 + 1, 2**60 + 1, 2**63 - 9, -(2**63), 2**64 - 9, 2**70]
)
def test_large_integer_coordinates(dtype, first):
    steps = [0, 1, 3, 4, 8]
    x = [first + step for step in steps]
    try:
        given = np.array(x, dtype)
    except OverflowError:
        return
    f = np.array([3.0 * step for step in steps])
    for coordinates in (given, given[::-1]):
        values = f if coordinates is given else f[::-1]
        np.testing.assert_allclose(fdx.derivative(values, coordinates), 3, rtol=1e-15)
    np.testing.assert_allclose(fdx.derivative(f, x), 3, rtol=1e-15)
    small = fdx.Diff(0, np.array(steps), boundary="periodic", period=12)
    assert same(fdx.Diff(0, given, boundary="periodic", period=12)(f), small(f))


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("i8", -(2**63), 2**63 - 1), ("u8", 0, 2**64 - 1)]
)
def test_the_whole_range_of_integers(dtype, low, high):
    x = np.array([low, low + 2**62, high], dtype)
    exact = [int(v) - low for v in x]
    f = np.array([2.0 * v for v in exact])
    np.testing.assert_allclose(fdx.derivative(f, x), 2, rtol=1e-15)
    np.testing.assert_allclose(fdx.derivative(f[::-1], x[::-1]), 2, rtol=1e-15)
    refused(
        lambda x: fdx.derivative(f, x),
        np.array([low, high - 1, high], dtype),
        "spacing",
        ValueError,
    )


def test_mixed_lists_of_large_integers():
    # NumPy makes float64 of a list with integers below and above 2**63.
    x = [2**63 - 2, 2**63 - 1, 2**63 + 1]
    assert fdx.derivative([0.0, 2.0, 6.0], x).tolist() == [2.0, 2.0, 2.0]
    assert fdx.weights(x, 2**63 - 1).tolist() == fdx.weights([-1, 0, 2]).tolist()
    refused(
        lambda x: fdx.derivative(np.zeros(3), x), [0.5, 2**60 + 1, 2**60 + 3], "spacing", ValueError
    )


def test_fractions_and_decimals_are_numbers():
    f = np.array([0.0, 1.0, 4.0, 9.0])
    third = Fraction(1, 3)
    assert same(fdx.derivative(f, third), fdx.derivative(f, 1 / 3))
    assert same(fdx.derivative(f, Decimal("0.1")), fdx.derivative(f, 0.1))
    assert same((third * D)(f), ((1 / 3) * D)(f))
    assert same((D * Decimal("0.1"))(f), (0.1 * D)(f))
    for one in (Fraction, Decimal):
        x = [one(10**20) + one(k) / 4 for k in (0, 1, 3, 4)]
        assert same(fdx.derivative(f, x), fdx.derivative(f, [0.0, 0.25, 0.75, 1.0]))
        assert same(fdx.derivative(f, np.array(x)), fdx.derivative(f, [0.0, 0.25, 0.75, 1.0]))
    assert same(
        fdx.derivative(f, [Fraction(1), Decimal(2), 4, 5.0]), fdx.derivative(f, [1, 2, 4, 5])
    )
    period = Fraction(12)
    by = fdx.Diff(0, [0, 1, 3, 4], boundary="periodic", period=period)
    assert same(by(f), fdx.Diff(0, [0, 1, 3, 4], boundary="periodic", period=12.0)(f))
    for k in (Fraction(1, 2), Decimal("0.5")):
        assert D.symbol(k) == D.symbol(0.5)
    refused(lambda x: fdx.derivative(f, x), [third, True, 2, 3], "spacing[1]")
    refused(lambda x: fdx.derivative(f, x), np.array([third, True, 2, 3]), "spacing")
    refused(lambda x: fdx.derivative(f, x), np.array([third, 1j, 2, 3]), "spacing")


def test_numbers_are_the_nearest_doubles():
    f = np.array([0.0, 1.0, 4.0, 9.0])
    h = np.longdouble(1) / 3
    for one, double in (
        (h, 1 / 3),
        (2**60 + 1, 2.0**60),
        (np.int64(2**60 + 1), 2.0**60),
        (np.float16(3), 3.0),
    ):
        assert same(fdx.derivative(f, one), fdx.derivative(f, double))
        assert same((one * D)(f), (double * D)(f))
        assert D.symbol(one) == D.symbol(double)
    for huge in (10**400, Fraction(10**400), Decimal("1e400"), np.longdouble("1e4000")):
        message = refused(lambda h: fdx.Diff(0, h), huge, "spacing", ValueError)
        if np.finfo("g").nmant > 52 or not isinstance(huge, np.longdouble):
            assert message.endswith("which a float64 cannot hold")
        refused(lambda c: c * D, huge, "coefficients", ValueError)
    refused(lambda h: fdx.Diff(0, h), 10**5000, "spacing", ValueError)
    refused(lambda h: fdx.Diff(0, h), Fraction(1, 10**400), "spacing", ValueError)
    for nan in (np.nan, Decimal("nan"), Decimal("snan")):
        refused(lambda h: fdx.Diff(0, h), nan, "spacing", ValueError)
    refused(lambda c: c * D, np.ones(4, "g"), "coefficients")


def test_periods_that_a_double_does_not_hold():
    x = 2**60 + np.arange(4)
    f = np.array([0.0, 1.0, 5.0, 2.0])
    expected = fdx.Diff(0, np.arange(4), boundary="periodic", period=4)(f)
    assert same(fdx.Diff(0, x, boundary="periodic", period=4)(f), expected)
    uneven = [0, 5, 2**61]
    message = refused(
        lambda p: fdx.Diff(0, uneven, boundary="periodic", period=p),
        2**61 + 2**10 + 1,
        "period",
        ValueError,
    )
    assert "holds" in message
    assert fdx.Diff(0, uneven, boundary="periodic", period=2**61 + 2**10)(f[:3]).shape == (3,)


def test_weights_take_differences_that_a_double_holds():
    for far in (2**60 + 1, 2**70 + 1, Fraction(10**20, 3), -(2**63) + 1):
        assert (
            fdx.weights([far - 1, far, far + 2], far).tolist() == fdx.weights([-1, 0, 2]).tolist()
        )
        several = fdx.weights([[far - 1, far, far + 2], [far, far + 1, far + 2]], [far, far + 1])
        assert several.tolist() == fdx.weights([[-1, 0, 2], [0, 1, 2]], [0, 1]).tolist()
    x = np.longdouble(1.7e9) + np.arange(5) * np.longdouble(1e-6)
    got = fdx.weights(x, x)
    for k in range(5):
        offsets = (x - x[k]).astype(float)
        assert got[k].tolist() == fdx.weights(offsets).tolist()
    decimals = [Decimal("1e20"), Decimal("1e20") + 1]
    assert fdx.weights(decimals, decimals[0]).tolist() == [-1.0, 1.0]
    refused(lambda a: fdx.weights(a), [Fraction(1, 3), 1], "nodes", ValueError)
    refused(lambda a: fdx.weights([0, 1], a), Fraction(1, 3), "at", ValueError)
    refused(lambda a: fdx.weights(a, 2**60 + 1), [2**60 + 1, 2**60 + 1], "nodes", ValueError)


def test_data_are_numbers_of_float64():
    # As in numpy.gradient: integers are converted first.
    f = 2**60 + np.arange(4)
    assert fdx.derivative(f).tolist() == np.gradient(f.astype(float)).tolist() == [0.0] * 4
    assert fdx.derivative(f - f[0]).tolist() == [1.0] * 4


# ------------------------------------------------------------------ coordinates in disorder


@pytest.mark.parametrize(
    ("x", "advice"),
    [
        ([178, 179, -180, -179], "pass numpy.unwrap(spacing, period=360)"),
        ([-178.0, -179.5, 179.0], "pass numpy.unwrap(spacing, period=360)"),
        ([350, 355, 0, 5], "pass numpy.unwrap(spacing, period=360)"),
        ([3.0, 3.1, -3.1, -3.0], "pass numpy.unwrap(spacing, period=2 * numpy.pi)"),
        ([22, 23, 0, 1], "pass numpy.unwrap(spacing, period=24)"),
        ([0, 1, 1, 2], "leave one out, or take their mean"),
        ([3, 2, 2, 0], "leave one out, or take their mean"),
        ([0.1, 0.1, 0.1], "pass this number"),
        ([60, 30, 0, 30, 60], "is a minus sign missing on one side"),
        ([1, 3, 2, 4], "sort the points, by order = numpy.argsort(spacing)"),
        ([1, 3, 2, 4], "pass numpy.cumsum(spacing)"),
        ([1, -3, 2, 4], "are values and coordinates swapped?"),
    ],
)
def test_coordinates_in_disorder(x, advice):
    message = refused(lambda x: fdx.derivative(np.zeros(len(x)), x), x, "spacing", ValueError)
    assert advice in message
    for expected in re.findall(r"pass (numpy.(?:unwrap|cumsum)\(.*?\))", message):
        fdx.derivative(np.zeros(len(x)), eval(expected, {"numpy": np, "spacing": np.array(x)}))
    if "distances" in message:
        assert min(x) > 0
    assert ("cumsum" in message) == ("cumsum" in advice or x == [1, 3, 2, 4])


def test_falling_unsigned_coordinates():
    x = np.array([9, 7, 4, 0], "u1")
    np.testing.assert_allclose(fdx.derivative(x * 2.0, x), 2, rtol=1e-15)


# ------------------------------------------------------------------ axes, shapes, boundaries


@pytest.mark.parametrize(
    "axis", [True, np.True_, 1.0, "1", "01", None, (0, 1.0), (0, True), (0, None), {}, object()]
)
def test_axes_that_are_none(axis):
    f = np.ones((4, 4))
    if axis is not None:
        for call in (fdx.laplacian, fdx.hessian):
            if axis != {}:
                refused(lambda axis, call=call: call(f, axis=axis), axis, "axis")
        for call in (fdx.divergence, fdx.curl, fdx.jacobian):
            if axis != {}:
                refused(lambda axis, call=call: call([f, f], axis=axis), axis, "axis")
    refused(lambda axis: fdx.derivative(f, axis=axis), axis, "axis")
    refused(lambda axis: fdx.Diff(axis), axis, "axis")


def test_integers_have_no_mask_and_no_unit():
    for two in (np.ma.array(2, mask=True), np.ma.array(2), np.array(2).view(Quantity)):
        for call, name in (
            (lambda n: fdx.Diff(n), "axis"),
            (lambda n: fdx.Diff(0, deriv=n), "deriv"),
            (lambda n: fdx.derivative(F, accuracy=n), "accuracy"),
            (lambda n: D**n, "exponent"),
            (lambda n: fdx.weights(X, deriv=n), "deriv"),
            (lambda n: fdx.laplacian(np.ones((4, 4, 4)), axis=n), "axis"),
            (lambda n: fdx.laplacian(np.ones((4, 4, 4)), axis=(0, n)), "axis"),
            (lambda n: D.output_shape((9, n)), "shape"),
        ):
            refused(call, two, name)


def test_axes_that_there_are_not():
    f = np.ones((4, 4))
    for axis in (2, -3, 10**30, -(10**30), (0, 5)):
        with pytest.raises(np.exceptions.AxisError, match=r"axis -?\d+ is out of bounds"):
            fdx.laplacian(f, axis=axis)
    for axis in (2, -3, 10**30):
        with pytest.raises(np.exceptions.AxisError):
            fdx.derivative(f, axis=axis)
    refused(lambda axis: fdx.laplacian(f, axis=axis), (0, 0), "axis", ValueError)
    refused(lambda axis: fdx.laplacian(f, axis=axis), (0, -2), "axis", ValueError)
    refused(lambda axis: fdx.laplacian(f, axis=axis), (), "axis", ValueError)
    for axis in (np.int8(1), np.array(1), (1,), [1], range(1, 2), np.array([1])):
        assert same(fdx.laplacian(f * F[:4], axis=axis), fdx.laplacian(f * F[:4], axis=1))


def test_a_hessian_of_more_axes_than_the_core_has_outputs():
    f = np.ones((3,) * 11, "f4")
    message = refused(fdx.hessian, f, "axis", ValueError)
    assert "at most 10 axes for a Hessian, got 11" in message
    assert fdx.hessian(f[0], boundary="periodic").shape == (10, 10, *(3,) * 10)


def test_shapes_that_no_array_has():
    for shape in (2**63 - 1, 2**63, 2**64, 10**30, (2**40, 2**40), (3, 2**62)):
        for call in (D.output_shape, D.matrix, D.as_linear_operator, D.spectral_radius):
            refused(call, shape, "shape", ValueError)
    assert D.output_shape(2**40) == (2**40,)
    for shape in (True, (3, False), 3.0, "3", None):
        refused(D.output_shape, shape, "shape")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("wrap", "what others call 'wrap' is 'periodic' here"),
        ("grid-wrap", "'periodic' here"),
        ("circular", "'periodic' here"),
        ("mirror", "'reflect' here"),
        ("grid-mirror", "'symmetric' here"),
        ("Neumann", "fdx.Neumann(slope) into fdx.Diff, or, for a slope of 0, 'reflect'"),
        ("dirichlet", "write boundary=fdx.Dirichlet(value) into fdx.Diff"),
        ("no slip", "'reflect-odd' for a wall at the last point"),
        ("wall", "where the value at a wall is fixed, write boundary=fdx.Dirichlet(value)"),
        ("constant", "numpy.pad(f, r), and use 'valid'"),
        ("constant", "if the values outside are 0, write 'zero'"),
        ("zeros", "'zero' here"),
        ("nearest", "numpy.pad(f, r, mode='edge'), and use 'valid'"),
        ("edge", "numpy.pad(f, r, mode='edge'), and use 'valid'"),
        ("replicate", "mode='edge'"),
        ("One_Sided", "write 'one-sided'"),
        ("onesided", "'one-sided' here"),
        ("PERIODIC", "write 'periodic'"),
    ],
)
def test_boundaries_by_names_of_others(name, advice):
    for boundary in (name, (name, "valid"), ("valid", name)):
        message = refused(lambda b: fdx.derivative(F, boundary=b), boundary, "boundary", ValueError)
        assert advice in message
    message = refused(
        lambda b: fdx.laplacian(G, boundary=b), ["valid", name], "boundary[1]", ValueError
    )
    assert advice in message


def test_the_advice_on_boundaries_is_true():
    f = np.random.default_rng(1).normal(size=12)
    ndimage = pytest.importorskip("scipy.ndimage")
    for name, ours in (("wrap", "periodic"), ("mirror", "reflect"), ("grid-mirror", "symmetric")):
        got = fdx.derivative(f, deriv=2, boundary=ours)
        np.testing.assert_allclose(
            got, ndimage.correlate1d(f, [1.0, -2.0, 1.0], mode=name), atol=1e-14
        )
    for name, padded in (("nearest", np.pad(f, 1, mode="edge")), ("constant", np.pad(f, 1))):
        got = fdx.derivative(padded, deriv=2, boundary="valid")
        np.testing.assert_allclose(
            got, ndimage.correlate1d(f, [1.0, -2.0, 1.0], mode=name), atol=1e-14
        )
    x = np.linspace(0, np.pi / 2, 50)  # the last point, where the slope of sin is 0
    h = x[1]
    assert abs(fdx.derivative(np.sin(x), h, boundary=("one-sided", "reflect"))[-1]) < 1e-15
    half = x - h / 2
    assert abs(fdx.derivative(np.sin(half), h, boundary=("one-sided", "symmetric"))[-1]) < h
    held = fdx.derivative(np.cos(x), h, boundary=("one-sided", "reflect-odd"))[-1]  # cos is 0 there
    assert held == pytest.approx(-1, abs=h**2)


def test_errors_name_the_one_of_several():
    f = np.ones((8, 8))
    for spacing, name in (((1.0, 0.0), "spacing[1]"), ((np.ones(8), 1.0), "spacing[0]")):
        refused(lambda s: fdx.laplacian(f, *s), spacing, name, ValueError)
    refused(lambda s: fdx.laplacian(f, s), 0.0, "spacing", ValueError)
    both = ["periodic", "periodic"]
    refused(
        lambda p: fdx.laplacian(f, X, X, boundary=both, period=p),
        [13.0, 5.0],
        "period[1]",
        ValueError,
    )
    with pytest.raises(ValueError, match=r"spacing: expected 8 coordinates for axis 1, got 7"):
        fdx.laplacian(f, 1.0, X[:-1])


def test_an_object_that_makes_no_array():
    class Odd:
        def __array__(self, *args, **kwargs):
            return 3

    with pytest.raises(ValueError, match=r"^f: expected .*Odd, which NumPy cannot convert"):
        fdx.derivative(Odd())
    with pytest.raises(ValueError, match=r"^f: .* of one length, got different lengths"):
        fdx.derivative([[1.0, 2.0], [3.0]])
    with pytest.raises(TypeError, match=r"f\[0\]: expected numbers, got '1'"):
        fdx.derivative(["1", "2"])


def test_messages_of_objects_that_cannot_be_shown():
    class Shy:
        def __repr__(self):
            raise SystemError("shy")

    for options in (dict(workers=Shy()), dict(axis=Shy()), dict(spacing=Shy()), dict(period=Shy())):
        with pytest.raises(TypeError, match=f"{next(iter(options))}: expected .*Shy"):
            fdx.derivative(np.arange(5.0), **options)
