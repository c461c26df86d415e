"""What functions keep from earlier calls changes no result: neither for equal arguments of other
types, nor for arrays written to meanwhile, nor for objects whose values change."""

import contextlib
import itertools
import sys
from fractions import Fraction

import numpy as np
import pytest
from compare import canonical_bytes
from in_threads import in_threads

import fdx
from fdx._functions import calculus, derivative, fields, kept
from fdx._operators import analysis

KEEPERS = [
    fields.plan_of_constants,
    fields.plan_of_key,
]
RECENT = [
    calculus.CURL,
    calculus.DIVERGENCE,
    calculus.HESSIAN,
    calculus.JACOBIAN,
    calculus.LAPLACIAN,
    derivative.DERIVATIVE,
]


def forget():
    for keeper in KEEPERS + RECENT:
        keeper.cache_clear()


def outcome(call):
    """The result's dtype, shape and bits, or the error."""
    try:
        result = call()
    except Exception as error:
        return type(error), str(error)
    return result.dtype, result.shape, canonical_bytes(result)


def test_all_keepers_are_known_here():
    commands = "fdx._cli"  # keep what they measure
    modules = [
        module
        for name, module in sys.modules.items()
        if name.startswith("fdx.") and not name.startswith(commands)
    ]
    objects = [o for m in modules for o in vars(m).values() if not isinstance(o, type)]
    found = {id(o) for o in objects if hasattr(o, "cache_clear")}
    of_checked_integers = [analysis.sine_series]
    assert found == {id(o) for o in KEEPERS + RECENT + of_checked_integers}


# Even in double precision, and in single: as the latter's rounding is more, these count as even.
X8 = np.linspace(0, 1, 11).astype("f4").astype("f8")
LINE = np.cos(np.arange(11.0))
FIELD = LINE[:, np.newaxis] * np.ones(11)
NUMBERS = [2, 2.0, np.float64(2), np.float32(2), np.int8(2), np.uint64(2), Fraction(2), True]
TENTHS = [np.float32(0.1), float(np.float32(0.1)), np.float64(np.float32(0.1))]
COORDINATES = [
    X8,
    X8.astype("f4"),
    tuple(X8),
    tuple(X8.astype("f4")),
    X8.tolist(),
    X8.astype(">f8"),
]
COUNTS = [2, np.int8(2), np.int64(2), 2.0, True, np.array(2)]
PERIODIC = dict(boundary="periodic")
CLOSE = 11 * np.float32(0.1).item() * (1 + 1e-8)  # is 11 times a float32 of 0.1, no float64

LIKE_EACH_OTHER = [
    [lambda h=h: fdx.derivative(LINE, h) for h in NUMBERS],
    [lambda x=x: fdx.derivative(LINE, x) for x in COORDINATES],
    [lambda x=x: fdx.derivative(LINE, x, deriv=2) for x in COORDINATES],
    [lambda h=h: fdx.derivative(LINE, h, period=CLOSE, **PERIODIC) for h in TENTHS],
    [
        lambda p=p: fdx.derivative(LINE, 0.1, period=p, **PERIODIC)
        for p in (np.float32(CLOSE), CLOSE)
    ],
    [lambda n=n: fdx.derivative(LINE, deriv=n) for n in COUNTS],
    [lambda n=n: fdx.derivative(LINE, accuracy=n) for n in COUNTS],
    [lambda n=n: fdx.derivative(FIELD, axis=n) for n in (1, 1.0, np.int8(1), True, -1)],
    [lambda h=h: fdx.laplacian(FIELD, h) for h in NUMBERS],
    [lambda h=h: fdx.laplacian(FIELD, h, 1.0) for h in NUMBERS],
    [lambda x=x: fdx.laplacian(LINE, x) for x in COORDINATES],
    [lambda x=x: fdx.laplacian(FIELD, x, 2) for x in COORDINATES],
    [lambda x=x: fdx.hessian(LINE, x) for x in COORDINATES],
    [lambda x=x: fdx.jacobian([LINE], x) for x in COORDINATES],
    [lambda x=x: fdx.divergence([LINE], x) for x in COORDINATES],
    [lambda x=x: fdx.curl([FIELD, FIELD], x, x) for x in COORDINATES],
    [lambda h=h: fdx.laplacian(LINE, h, period=CLOSE, **PERIODIC) for h in TENTHS],
    [
        lambda p=p: fdx.laplacian(LINE, 0.1, period=[p], **PERIODIC)
        for p in (np.float32(CLOSE), CLOSE, np.float64(CLOSE))
    ],
    [lambda n=n: fdx.laplacian(LINE, accuracy=n) for n in COUNTS],
    [
        lambda a=a: fdx.laplacian(FIELD, axis=a)
        for a in (1, True, 1.0, np.int8(1), (1,), [1], (True,))
    ],
    [
        lambda b=b: fdx.laplacian(LINE, boundary=b)
        for b in ("reflect", ["reflect"], ("reflect", "reflect"), np.str_("reflect"))
    ],
    [
        lambda b=b: fdx.laplacian(FIELD, boundary=b)
        for b in (("reflect", "valid"), ["reflect", "valid"], [["reflect", "valid"]] * 2)
    ],
]


@pytest.mark.thread_unsafe(reason="clears what others keep")
@pytest.mark.parametrize("calls", LIKE_EACH_OTHER)
def test_equal_arguments_of_other_types(calls):
    want = []
    for call in calls:
        forget()
        want.append(outcome(call))
    for pair in itertools.permutations(range(len(calls)), 2):
        forget()
        for k in pair:
            assert outcome(calls[k]) == want[k], pair
    for order in (range(len(calls)), reversed(range(len(calls)))):
        forget()
        for k in (*order, *range(len(calls))):
            assert outcome(calls[k]) == want[k]


def test_single_precision_of_coordinates_in_a_tuple():
    """The uneven Laplacian takes 5 points, the even one 4."""
    f = np.cos(np.arange(4.0))
    x = np.linspace(0, 1, 4, dtype="f4")
    want = (f[0] - 2 * f[1] + f[2]) * 9  # by hand, on thirds
    assert fdx.laplacian(f, tuple(x))[1] == pytest.approx(want)
    with pytest.raises(ValueError, match="expected at least 5 points"):
        fdx.laplacian(f, tuple(map(float, x)))


class Changing:
    """An integer, a number and an equal of everything: of other values each time."""

    def __init__(self, *values):
        self.values = list(values)

    def next(self):
        return self.values.pop(0) if len(self.values) > 1 else self.values[0]

    def __index__(self):
        return int(self.next())

    def __float__(self):
        return float(self.next())

    def __eq__(self, other):
        return True

    def __hash__(self):
        return hash(2)


class ChangingFloat(float):
    """Its float() is another number each time, which its equality hides."""

    def __new__(cls, *values):
        self = super().__new__(cls, values[0])
        self.values = list(values)
        return self

    def __float__(self):
        return self.values.pop(0) if len(self.values) > 1 else self.values[0]

    def __eq__(self, other):
        return True

    def __hash__(self):
        return hash(2.0)


class ChangingInt(int):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return hash(2)


class AnyName(str):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return hash("one-sided")


@pytest.mark.thread_unsafe(reason="clears what others keep")
@pytest.mark.parametrize(
    "function", [fdx.derivative, fdx.laplacian, lambda f, *a, **k: fdx.jacobian([f], *a, **k)]
)
def test_objects_that_change(function):
    def right(*args, **options):
        forget()
        return outcome(lambda: function(LINE, *args, **options))

    def check(make, values, **options):
        """`make` gives the arguments of a call for one value; an object takes one after another."""
        want = [right(*make(value)[0], **make(value)[1]) for value in values]
        forget()
        changing = Changing(*values)
        args, options = make(changing)
        got = [outcome(lambda: function(LINE, *args, **options)) for _ in values]
        assert got == want

    forget()
    check(lambda n: ((), {"accuracy": n}), [2, 4, 6])
    if function is fdx.derivative:
        check(lambda n: ((), {"deriv": n}), [2, 1, 3])
    h = ChangingFloat(2.0, 1.0, 0.5)
    want = [right(2.0), right(1.0), right(0.5)]
    forget()
    # A call may convert it more than once; but no result may be that of an earlier call.
    got = [outcome(lambda: function(LINE, h)) for _ in range(3)]
    assert got[-1] == want[-1]
    assert outcome(lambda: function(LINE, 2.0)) == want[0]
    forget()
    assert outcome(lambda: function(LINE, accuracy=4)) == right(accuracy=4)
    assert outcome(lambda: function(LINE, accuracy=ChangingInt(2))) == right(accuracy=2)
    assert outcome(lambda: function(LINE, boundary="reflect")) == right(boundary="reflect")
    outcome(lambda: function(LINE, boundary=AnyName("nothing")))
    assert outcome(lambda: function(LINE)) == right()


def test_a_list_in_itself():
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match=r"boundary\[0\]: expected one of"):
        fdx.laplacian(LINE, boundary=endless)
    with pytest.raises(ValueError, match="boundary: expected one of"):
        fdx.derivative(LINE, np.arange(11.0), boundary=endless)


@pytest.mark.parametrize("dtype", ["f8", "f4", ">f8", "i4", "g"])
def test_coordinates_written_to_in_place(dtype):
    f = np.sin(np.arange(40.0))
    x = (np.arange(40) ** 2 + 1).astype(dtype)
    first = x.copy()
    for function in (fdx.derivative, fdx.laplacian, lambda f, x: fdx.jacobian([f], x)[0, 0]):
        before = function(f, x)
        x[3:] *= 2
        after = function(f, x)
        assert (after == function(f, x.astype("f8"))).all()
        assert (after[4:] != before[4:]).any()
        x[...] = first
        assert (function(f, x) == before).all()


def test_an_array_of_coordinates_that_is_not_kept_after():
    """An operator that was kept does not read the array of coordinates again."""
    f, x = LINE, np.arange(11.0) ** 2
    want = fdx.derivative(f, x).tobytes()
    gone = x.copy()
    x[...] = np.nan
    assert fdx.derivative(f, gone).tobytes() == want
    with pytest.raises(ValueError, match="spacing: expected finite coordinates"):
        fdx.derivative(f, x)


def test_coordinates_are_converted_once():
    def count(what):
        return sum(getattr(keeper.cache_info(), what) for keeper in KEEPERS)

    f, x = LINE, np.arange(11.0) ** 1.5
    calls = (
        lambda: fdx.derivative(f, x),
        lambda: fdx.laplacian(FIELD, x, x),
        lambda: fdx.derivative(f, x, deriv=2, boundary=("reflect", "one-sided")),
        lambda: fdx.derivative(f, x, boundary="periodic", period=50),
    )
    for call in calls:
        call()
        hits, misses = count("hits"), count("misses")
        call()  # like the last one
        assert (count("hits"), count("misses")) == (hits, misses)
    for call in calls:
        call()
    assert count("misses") == misses
    assert count("hits") > hits


@pytest.mark.thread_unsafe(reason="counts what others keep")
def test_few_are_kept_and_no_large_ones():
    forget()
    for k in range(40):
        x = np.arange(50.0) ** 2 + k
        fdx.derivative(np.ones(50), x)
        fdx.laplacian(np.ones((50, 50)), x, x)
    assert fields.plan_of_key.cache_info().currsize == kept.MAX_KEPT
    forget()
    n = kept.MAX_WEIGHTS // 4
    for accuracy in (2, np.int64(2)):
        x = np.arange(n + 1) ** 1.5
        fdx.derivative(np.ones(n + 1), x, accuracy=accuracy)
        fdx.laplacian(np.ones(n + 1), x, accuracy=accuracy)
    assert not any(keeper.cache_info().currsize for keeper in KEEPERS)


def test_in_threads():
    """With more grids than are kept, each written to the same array."""
    f = np.sin(np.arange(60.0))
    grids = [np.arange(60.0) ** (1 + k / 40) for k in range(1, 30)]
    want = [fdx.derivative(f, x).tobytes() for x in grids]
    wrong = []

    def work(seed):
        x = np.empty(60)
        for k in np.random.default_rng(seed).integers(0, len(grids), 300):
            x[...] = grids[k]
            if fdx.derivative(f, x).tobytes() != want[k]:
                wrong.append(k)

    in_threads(work, 4)
    assert not wrong


FIELDS = {
    fdx.derivative: False,
    fdx.laplacian: False,
    fdx.hessian: False,
    fdx.divergence: True,
    fdx.curl: True,
    fdx.jacobian: True,
}
OPTIONS = [
    {},
    {"boundary": "valid"},
    {"boundary": ("reflect", "reflect"), "accuracy": 4},
    {"workers": 2},
    {"workers": 0},
    {"workers": True},
]


def ways_to_pass(dtype, of_vectors):
    """Arrays, and sequences of them, of several layouts and shapes."""
    rng = np.random.default_rng(0)
    for shape in ((9, 9), (9, 1, 9), (9, 7), (100, 100)):
        count = len(shape)
        a = (100 * rng.normal(size=(count, *shape))).astype(dtype)
        several = [a, np.asfortranarray(a), a[..., ::-1], np.stack([a, a], -1)[..., 0], a[:1]]
        several += [
            list(a),
            tuple(a),
            [a[0]] * count,
            [*a[:1], *a[1:].real.astype("f4")],
            a.tolist(),
        ]
        a.flags.writeable = False
        for F in several:
            yield F if of_vectors else F[0]


def makers_of_out(want):
    """Functions that make an `out` of each kind."""
    yield lambda: None
    yield lambda: np.full_like(want, 7, order="C")
    yield lambda: np.full_like(want, 7, order="F")
    yield lambda: np.full((*want.shape, 2), 7, want.dtype)[..., 0]
    yield lambda: np.full_like(want, 7).astype(want.dtype.newbyteorder())
    yield lambda: np.broadcast_to(want[..., :1], want.shape)
    yield lambda: [np.full_like(want, 7, order="C")]
    yield lambda: np.full_like(want, 7, np.float32)
    yield lambda: np.full((2, *want.shape), 7, want.dtype)


@pytest.mark.thread_unsafe(reason="clears what others keep")
@pytest.mark.parametrize("dtype", ["f4", "f8", ">f8", "c8", "c16", "i4", "?"])
@pytest.mark.parametrize("function", FIELDS, ids=lambda function: function.__name__)
def test_a_call_like_the_last_one(function, dtype):
    """It takes a shorter path, to the same result, layout or error, for arrays of any kind."""

    def outcome_of(F, out, options):
        try:
            result = function(F, h, out=out, **options)
        except Exception as error:
            return type(error), str(error)
        given = out is not None and result is out
        result = result[0] if isinstance(result, list) else result
        return given, result.dtype, result.shape, result.strides, canonical_bytes(result)

    h = 0.25
    for options in OPTIONS:
        options = {"accuracy": 2, **options}
        for F in ways_to_pass(dtype, FIELDS[function]):
            forget()
            try:
                like = function(F, h, **{**options, "workers": None})
            except Exception:
                like = np.zeros((9, 9))
            for make in makers_of_out(like):
                forget()
                want = outcome_of(F, make(), options)
                with contextlib.suppress(Exception):  # the last call, without anything special
                    function(np.array(F, np.result_type(*F)), h, **{**options, "workers": None})
                for _ in range(2):
                    assert outcome_of(F, make(), options) == want, (options, want)


@pytest.mark.parametrize("function", FIELDS, ids=lambda function: function.__name__)
def test_a_call_in_place_like_the_last_one(function):
    """Results are written over inputs after these were copied."""
    h, rng = 0.5, np.random.default_rng(0)
    for shape in ((9, 9), (5, 6, 7)):
        memory = rng.normal(size=(4, len(shape), len(shape), *shape))
        whole = memory[1, 0] if FIELDS[function] else memory[1, 0, 0]
        want = function(whole.copy(), h)
        function(whole.copy(), h)
        flat = memory.ravel()
        for start in (0, 1, 17, memory[0].size, memory[0].size + 13, memory[:2].size):
            before = memory.copy()
            out = flat[start : start + want.size].reshape(want.shape)
            assert function(whole, h, out=out) is out
            assert out.tobytes() == want.tobytes()
            memory[...] = before


# ------------------------------------------------------------------ hooks that change arguments


def assert_same(got, want):
    assert got.shape == want.shape
    assert canonical_bytes(got) == canonical_bytes(want)


class Hook:
    """A number whose conversion runs code."""

    def __init__(self, value, run):
        self.value, self.run = value, run

    def __array__(self, dtype=None, copy=None):
        self.run()
        return np.array(self.value)

    def __index__(self):
        self.run()
        return int(self.value)


@pytest.mark.parametrize("n", [4, 30])
def test_a_field_that_changes_its_number_of_components(n):
    """For a while: the result is that of the field that it had at first."""
    F = np.random.default_rng(0).random((3, n, n, n))
    want = fdx.curl(F.copy())

    def change():
        F.shape = (2, -1)

    def change_back():
        F.shape = want.shape

    for _ in range(3):
        got = fdx.curl(F, Hook(1.0, change), workers=Hook(1, change_back))
        assert_same(got, want)


@pytest.mark.parametrize(("axes", "others", "n"), [([0], [0, 1], 36), ([0, 1], [0], 39)])
def test_axes_that_change_in_between(axes, others, n):
    """Of a jacobian whose outputs take several passes."""
    axis, F, calls = list(axes), np.random.default_rng(0).random((n, 20, 20)), []

    def change():
        calls.append(1)
        if len(calls) == 2 * len(axes):
            axis[:] = others

    with contextlib.suppress(IndexError, ValueError, TypeError):
        fdx.jacobian(F, *[Hook(1.0, change)] * len(axes), axis=axis)
    assert_same(fdx.jacobian(F, axis=0), np.stack([fdx.derivative(f, axis=0) for f in F])[:, None])


def test_tuples_with_items_of_their_own():
    class Named(tuple):
        def __getitem__(self, k):
            return (
                np.zeros(3, "f4") if isinstance(k, int) else tuple.__getitem__(self, self.index(k))
            )

    F = tuple(np.random.default_rng(0).random((2, 12, 12)))
    for _ in range(3):
        assert_same(fdx.jacobian(Named(F)), fdx.jacobian(F))
        assert_same(fdx.divergence(Named(F)), fdx.divergence(F))


def test_an_array_that_an_error_handler_reshapes():
    f = np.full((4, 16), 1e308)
    f[:, ::3] *= -1

    def reshape(*_):
        f.shape = (4, 4, 4)

    with np.errstate(over="call", invalid="ignore", call=reshape):
        fdx.derivative(f, axis=-1)
    g = np.random.default_rng(0).random((4, 4, 4))
    assert_same(fdx.derivative(g, axis=-1), fdx.Diff(-1)(g))


def layouts_of(rng, shape, dtype):
    """A view of each kind, all of the same values; and the memory that each is in."""
    values = rng.normal(size=shape).astype(dtype)
    wide = tuple(n + 2 for n in shape)
    for make in (
        lambda: np.zeros(shape, dtype),
        lambda: np.zeros(wide, dtype)[1:-1, 1:-1],
        lambda: np.zeros(shape[::-1], dtype).T,
        lambda: np.zeros(shape, dtype)[::-1, ::-1],
        lambda: np.zeros((2 * shape[0], 3 * shape[1]), dtype)[::2, 1::3],
        lambda: np.zeros((*shape, 2), dtype)[..., 1],
        lambda: np.zeros(values.nbytes + 1, "u1")[1:].view(dtype).reshape(shape),
        lambda: np.zeros(values.size + 1, dtype)[1:].reshape(shape),
    ):
        a = make()
        a[...] = values
        yield a, a if a.base is None else a.base


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_operators_on_views(dtype):
    """Again and again in changing layouts, of which the first ones are kept: the same bits, and
    nothing is written around them."""
    rng = np.random.default_rng(5)
    shape = (9, 70)
    c = rng.uniform(1, 2, shape)
    one, axis = fdx.Identity(), [fdx.Diff(k, deriv=2, boundary="symmetric") for k in range(2)]
    of_one = [one + 0.2 * (axis[0] + axis[1]), c * axis[0], one - 0.5 * axis[0]]
    block = fdx.block([[of_one[0], axis[0]], [None, axis[1]]])
    for u, _ in layouts_of(rng, shape, dtype):
        v = np.ascontiguousarray(u)
        want = [L(v) for L in of_one], of_one[2].solve(v), block((v, v)), of_one[0](v) - v
        for _again in range(2):
            for out, memory in layouts_of(rng, shape, dtype):
                for k, L in enumerate(of_one):
                    assert L(u, out=out) is out
                    assert (out == want[0][k]).all()
                assert (of_one[2].solve(u, out=out) == want[1]).all()
                out[...] = v
                assert (of_one[0](u, out=out, beta=-1) == want[3]).all()
                out[...] = np.nan
                assert memory.dtype != dtype or (memory[~np.isnan(memory)] == 0).all()
                other = np.empty_like(out)
                found = block((u, u), out=(out, other))
                assert (found[0] == want[2][0]).all()
                assert (found[1] == want[2][1]).all()


def test_outputs_that_share_memory_after_calls_of_views():
    """The quick path of calls like the last one takes only outputs that are apart."""
    c = np.ones((8, 8))
    L = fdx.Identity() + c * fdx.Diff(0, deriv=2, boundary="symmetric")
    M = fdx.Identity() - 0.5 * fdx.Diff(1, deriv=2, boundary="symmetric")
    big = np.random.default_rng(0).normal(size=(10, 10))
    u = big[1:-1, 1:-1]
    for A in (L, M):
        A(u, out=np.empty((10, 10))[1:-1, 1:-1])
        want = A(u.copy())
        shifted = big.copy()
        assert (A(shifted[1:-1, 1:-1], out=shifted[:-2, 2:]) == want).all()
        here = big.copy()
        assert (A(here[1:-1, 1:-1], out=here[1:-1, 1:-1]) == want).all()
        with pytest.raises(ValueError, match="overlap each other"):
            A(u, out=np.lib.stride_tricks.as_strided(np.empty(64), (8, 8), (8, 8)))
        with pytest.raises(ValueError, match="overlap each other"):
            A(u, out=np.lib.stride_tricks.as_strided(np.empty(8), (8, 8), (0, 8)))
    want = L(u)
    assert (L(u, out=c) == want).all()  # its own coefficients
    M.solve(u, out=np.empty((10, 10))[1:-1, 1:-1])
    here = big.copy()
    assert (M.solve(here[1:-1, 1:-1], out=here[2:, 2:]) == M.solve(u)).all()
    block = fdx.block([[M, None], [None, M]])
    pair = np.stack([big, big])[:, 1:-1, 1:-1]
    want = block(pair).copy()
    assert (block(pair, out=np.empty((2, 10, 10))[:, 1:-1, 1:-1]) == want).all()
    assert (block(pair, out=pair) == want).all()
    pair = np.stack([big, big])[:, 1:-1, 1:-1]
    with pytest.raises(ValueError, match="disjoint arrays"):
        block(pair, out=(big[1:-1, 1:-1], big[:-2, 1:-1]))
