"""Operators as values: equality, copies and pickles, and their text."""

import copy
import itertools
import operator
import pickle
import random
import re
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from compare import canonical_bytes
from hypothesis import given, settings
from hypothesis import strategies as st
from operators import diffs, operators, shapes
from stencils import BOUNDARIES

import fdx
from fdx import Diff, Filter, Identity

some = settings(max_examples=max(1, settings().max_examples // 5))
X = np.cumsum(np.random.default_rng(0).uniform(0.5, 1, 12))
x, y, z = Diff(0, 0.5), Diff(1, 0.25), Diff(2)


def again_by(L):
    """The same operator by operations that change nothing."""
    yield "copy", copy.copy(L)
    yield "deepcopy", copy.deepcopy(L)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield f"pickle {protocol}", pickle.loads(pickle.dumps(L, protocol))
    yield "+", +L
    yield "**1", L**1
    yield "1 *", 1 * L
    yield "1.0 *", np.float64(1) * L
    yield "* 1", L * 1
    yield "/ 1", L / 1
    yield "-1 *", -1 * (-L)
    yield "halves", (L + L) / 2
    yield "sum", sum([L])
    yield "@ I", L @ Identity()
    yield "I @", Identity() @ L
    yield ".T.T", L.T.T
    yield "quarters", Fraction(1, 4) * (4 * L)


def equal(A, B):
    found = {A: 1}.get(B) == 1
    return operator.eq(A, B) and not operator.ne(A, B) and hash(A) == hash(B) and found


DIFFS = [
    Diff(0),
    Diff(-2, 0.1, deriv=3, accuracy=4),
    Diff(1, X),
    Diff(1, np.linspace(0, 1, 12), boundary=("reflect", "symmetric-odd")),
    Diff(0, X, boundary="valid"),
    Diff(0, 0.5, boundary="valid", accuracy=4),
    Diff(0, X, boundary="periodic", period=20),
    Diff(0, np.float32(0.1), boundary="periodic", period=np.float32(1.2)),
]


FILTERS = [
    Filter(0),
    Filter(-2, 4, boundary=("valid", "one-sided"), strength=0.1),
    Filter(1, 6, boundary="periodic"),
]


@pytest.mark.parametrize("D", [*DIFFS, *FILTERS, Identity()])
def test_types_in_round_trips(D):
    for way, same in again_by(D):
        assert type(same) is type(D), way
        assert equal(same, D), way
        assert repr(same) == repr(D), way
    with pytest.raises(TypeError):
        D < D  # noqa: B015


@pytest.mark.parametrize("D", DIFFS)
def test_types_of_what_is_no_derivative(D):
    others = [D.T, 2 * D, -D, 0 * D, D + Identity(), D @ D, D - D, D + D.T]
    for L in others:
        assert type(L) is fdx.Operator
        assert L != D
        for way, same in again_by(L):
            assert type(same) is fdx.Operator, way
            assert equal(same, L), way
    assert type(D.T @ Identity()) is fdx.Operator
    assert type(2 * Identity()) is fdx.Operator


def test_powers():
    for D in DIFFS:
        for n in (1, 2, 3):
            assert equal((D.T) ** n, (D**n).T)
            assert equal((3 * D) ** n, 3**n * D**n)
            assert equal((-D) ** n, (-1) ** n * D**n)
            assert equal((0.5 * D.T) ** n, 0.5**n * (D**n).T)
            assert type(D**n) is Diff
        assert equal((D**2) ** 2, D**4)
        assert equal((D.T @ D.T), (D @ D).T)
        assert (D @ D) != D**2
        assert not equal(D.T @ D, D @ D.T)
    for n in (1, 2, 5):
        assert equal(Identity() ** n, Identity())
        assert type(Identity() ** n) is Identity
        assert equal((2 * Identity()) ** n, 2**n * Identity())
    for L in (x + y, x @ y, x.T @ y, 2 * x - y.T, x + Identity()):
        for n in (1, 2, 3):
            assert equal((L.T) ** n, (L**n).T)
    c = np.linspace(1, 2, 12)
    for n in (1, 2, 3):
        assert equal(((c * x).T) ** n, ((c * x) ** n).T)
    with pytest.raises(ValueError, match="coefficients: expected finite"):
        (1e200 * x) ** 2
    with pytest.raises(ValueError, match="coefficients: expected finite"):
        1e308 * x + 1e308 * x


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_powers_of_transposes_as_matrices(boundary):
    """Entry by entry, of the multiples too."""
    for spacing, period in ((0.3, None), (X, 2 * X[-1] if boundary == "periodic" else None)):
        D = Diff(0, spacing, accuracy=4, boundary=boundary, period=period)
        for n in (1, 2, 3):
            want = (D**n).matrix(12).toarray()
            m = len(want)
            assert ((D.T**n).matrix(m).toarray() == want.T).all()
            assert ((-2 * D.T) ** n).matrix(m).toarray() == pytest.approx((-2.0) ** n * want.T)


def test_different_operators():
    several = [
        *DIFFS,
        *FILTERS,
        Identity(),
        Diff(0, 0.1),
        Diff(0, 0.1, deriv=2),
        Diff(0, 0.1, accuracy=4),
        Diff(0, 0.1, boundary="reflect"),
        Diff(0, 0.1, boundary=("reflect", "one-sided")),
        Diff(0, 0.1, boundary="periodic"),
        Diff(0, 0.1, boundary="periodic", period=1.0),
        Diff(0, np.linspace(0, 0.9, 10)),
        Diff(1, 0.1),
        Diff(0, 0.1).T,
        2 * Diff(0, 0.1),
        Diff(0, X + 1),
        Diff(0, X[::-1]),
        Diff(0, X[:-1]),
        x + y,
        x - y,
        x @ y,
        np.ones(12) * x,
    ]
    for A, B in itertools.combinations(several, 2):
        assert operator.ne(A, B)
        assert not operator.eq(A, B)
    assert len({*several, *several}) == len(several)
    for other in (None, 1, "Diff(0)", np.ones(3), [1], object()):
        assert operator.ne(x, other)
        assert not operator.eq(x, other)
        assert not operator.eq(other, x)


def test_zeros_of_either_sign():
    """They give other bits."""
    u = np.arange(1.0, 6.0)
    for A in (Identity(), x, x + x @ x, X[:5] * Identity()):
        plus, minus = 0.0 * A, -0.0 * A
        assert plus != minus
        assert minus == -plus
        assert equal(plus, 0 * A)
    assert np.signbit((-0.0 * Identity())(u)).all()
    assert not np.signbit((0.0 * Identity())(u)).any()


def test_equal_arguments():
    assert equal(Diff(0, 1), Diff(np.int8(0), np.float64(1), deriv=np.int64(1)))
    assert equal(Diff(0, boundary="reflect"), Diff(0, boundary=("reflect", "reflect")))
    assert equal(Diff(0, X), Diff(0, X.tolist()))
    assert equal(Diff(0, X), Diff(0, X.astype(">f8")))
    assert equal(Diff(0, np.arange(5) ** 2), Diff(0, [0.0, 1, 4, 9, 16]))
    assert equal(Diff(0, [0.0, 1, 3]), Diff(0, [-0.0, 1, 3]))
    assert equal(
        Diff(0, X, boundary="periodic", period=20), Diff(0, X, boundary="periodic", period=-20.0)
    )
    written = X.copy()
    D = Diff(0, written)
    known = hash(D)
    written += 1
    assert hash(D) == known
    assert equal(D, Diff(0, X))


def test_sums_in_another_order():
    """They are equal, and what they compute is the same bits."""
    u = np.random.default_rng(1).normal(size=(9, 10, 11))
    c, d = np.random.default_rng(2).normal(size=(2, 11))
    terms = [
        x**2,
        y**2,
        0.3 * z**2,
        -Identity(),
        x @ y,
        Diff(1, 0.3),
        c * z,
        d * y,
        (x @ z).T,
        0.1 * x,
    ]
    want = sum(terms)
    for seed in range(10):
        shuffled = random.Random(seed).sample(terms, len(terms))
        got = sum(shuffled)
        assert equal(got, want)
        assert equal(got.T, want.T)
        assert canonical_bytes(got(u)) == canonical_bytes(want(u))
        assert (got.matrix((5, 6, 11)) != want.matrix((5, 6, 11))).nnz == 0
    assert equal(x + y, y + x)
    assert equal(x - y, -y + x)
    assert equal((x + y) + z, z + (y + x))
    assert equal((x + y) @ z, z @ y + z @ x)
    assert equal(x @ y, y @ x)
    assert equal((x @ y).T, x.T @ y.T)
    assert equal((x @ y @ z).T, z.T @ y.T @ x.T)


def test_sums_of_valid():
    a, b = Diff(0, boundary="valid"), Diff(1, boundary="valid", accuracy=4)
    L = a + 2 * b
    assert equal(L.T.T, L)
    assert equal(L.T.T.T, L.T)
    assert equal((L.T) ** 2, (L**2).T)
    assert (L.T.T.matrix((9, 10)) != L.matrix((9, 10))).nnz == 0
    assert equal(2 * b + a, L)
    mixed = Diff(0, boundary="valid") + Diff(-1, boundary="valid")
    assert equal(mixed, Diff(0, boundary="valid") + Diff(-1, boundary="valid"))
    assert mixed(np.ones((5, 6))).shape == (3, 4)


def test_arrays_of_coefficients():
    """As they may be written to, equal arrays of coefficients are the same memory."""
    c = np.linspace(1, 2, 12)
    L = c * x
    known = hash(L)
    assert equal(L, c * x)
    assert equal(L, c[:] * x)
    assert equal(L + y, y + c[:] * x)
    assert equal(c * x + c * x, 2 * (c * x))
    assert c.copy() * x != L
    assert c[::-1] * x != L
    assert c.reshape(12, 1) * x != L
    assert c.view("i8") * x != L
    c[...] = 3
    assert hash(L) == known
    assert equal(L, c * x)
    for other in (copy.copy(L), copy.deepcopy((c, L))[1], pickle.loads(pickle.dumps((c, L)))[1]):
        assert (other.matrix(12) != L.matrix(12)).nnz == 0
    assert equal(copy.copy(L), L)
    assert copy.deepcopy(L) != L
    assert pickle.loads(pickle.dumps(L)) != L
    e, M = copy.deepcopy((c, L))  # what is copied together stays together
    e[...] = 5
    assert equal(M, e * x)
    assert M(X)[0] == 5 * x(X)[0]
    e, M = pickle.loads(pickle.dumps((c, L)))
    assert equal(M, e * x)


def test_an_array_of_coefficients_that_is_given_another_shape():
    c = np.linspace(1, 2, 12)
    L, u = c * x, np.arange(24.0).reshape(12, 2)
    want = (c.copy().reshape(12, 1) * x)(u[:, :1])
    M = c.reshape(12, 1) * x
    c.shape = (3, 4)
    assert L(X).shape == (12,)
    assert (M(u[:, :1]) == want).all()
    assert hash(L) == hash(L)


@given(made=shapes.flatmap(operators))
@some
def test_anything_is_what_it_was_made_of(made):
    L = made.operator
    arrays = "array" in made.text
    for way, other in again_by(L):
        if arrays and ("deepcopy" in way or "pickle" in way):
            assert other != L
        else:
            assert equal(other, L), (way, made)
    matrix = L.matrix(made.in_shape)
    assert (L.T.T.matrix(made.in_shape) != matrix).nnz == 0


@given(shape=shapes, data=st.data())
@some
def test_equal_operators_have_equal_matrices(shape, data):
    made = [data.draw(diffs(shape, square=True)) for _ in range(3)]
    for order in itertools.permutations(made):
        A, B, C = (one.operator for one in order)
        first = made[0].operator + made[1].operator + made[2].operator
        assert equal(A + B + C, first)
        assert ((A + B + C).matrix(shape) != first.matrix(shape)).nnz == 0
        assert ((A + B + C).T.matrix(shape) != first.matrix(shape).T).nnz == 0


def test_products_are_the_same_in_every_process():
    """Addresses in memory decided whether a product or its transpose was computed."""
    code = (
        "import numpy as np, fdx, hashlib; rng = np.random.default_rng(3)\n"
        "waste = [np.empty(k) for k in {waste}]\n"
        "grids = [np.cumsum(rng.uniform(0.3, 1, 40)) for _ in range(8)][::{step}]\n"
        "D = [fdx.Diff(0, x) for x in grids][::{step}]\n"
        "m = [(a @ b).matrix(40).toarray().tobytes() for a in D for b in D]\n"
        "print(hashlib.sha256(b''.join(m)).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code.format(waste=waste, step=step)],
            capture_output=True,
            check=True,
        ).stdout
        for waste, step in (("[]", 1), ("range(50)", -1), ("range(1000)", -1))
    }
    assert len(digests) == 1


@given(made=shapes.flatmap(operators))
@some
def test_pickles_name_nothing_private(made):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        data = pickle.dumps(made.operator, protocol)
        assert b"fdx" in data
        assert b"fdx._" not in data


def test_a_copy_keeps_the_shape_of_an_array():
    c = np.linspace(1, 2, 12)
    L = c * x
    c.shape = (3, 4)
    assert equal(copy.copy(L), L)


def test_a_class_of_ones_own():
    D = Mine(0, 0.5)
    for other in (copy.copy(D), copy.deepcopy(D), pickle.loads(pickle.dumps(D)), +D, D**1):
        assert type(other) is Mine
        assert equal(other, D)
    assert equal(D, Diff(0, 0.5))


class Mine(Diff):
    pass


# ------------------------------------------------------------------ numbers


class Half:
    """A real number of a new class."""

    def __float__(self):
        return 0.5


def test_kinds_of_numbers():
    for number in (Fraction(1, 2), Decimal("0.5"), np.float16(0.5), np.longdouble(0.5), 0.5):
        assert equal(number * x, 0.5 * x)
        assert equal(x * number, 0.5 * x)
        assert equal(x / number, 2 * x)
    assert equal(Fraction(1, 3) * x, 1 / 3 * x)
    sympy = pytest.importorskip("sympy")
    assert equal(sympy.Rational(1, 2) * x, 0.5 * x)
    for bad, kind, message in [
        (Fraction(10) ** 400, ValueError, "coefficients: expected a finite number, got"),
        (-(Fraction(10) ** 400), ValueError, "coefficients: expected a finite number, got"),
        (Half(), TypeError, "coefficients: expected real numbers.* got .*Half"),
        (np.timedelta64(1, "s"), TypeError, "coefficients: expected real numbers"),
        (np.complex64(1), TypeError, "coefficients: expected real numbers"),
        (np.bool_(True), TypeError, "coefficients: expected real numbers"),
        (True, TypeError, "coefficients: expected real numbers"),
    ]:
        for apply, args in (
            (operator.mul, (bad, x)),
            (operator.mul, (x, bad)),
            (operator.truediv, (x, bad)),
        ):
            with pytest.raises(kind, match=message):
                apply(*args)


class Once(float):
    """Another number each time it is converted."""

    def __float__(self):
        self.asked = getattr(self, "asked", 0) + 1
        return float(self.asked)


def test_numbers_are_taken_once():
    for call in (lambda c: c * x, lambda c: x * c, lambda c: x / c):
        assert equal(call(Once()), x)


def test_many_nested_coefficients():
    u, c = np.arange(12.0), np.full(12, 0.5)
    L, want = x, x(u)
    for _ in range(15):
        L, want = c * L, c * want
    assert (L(u) == want).all()
    for _ in range(2):
        L = c * L
    message = r"operator: expected at most 16 .* got more; multiply .*\(a \* b\) \* D for a \* \(b"
    for call in (lambda: L(u), lambda: L.T(u), lambda: L.matrix(12), lambda: L.output_shape(12)):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(ValueError, match="got more"):
        (c * L)(u)
    assert ((c * c) * x)(u) == pytest.approx(0.25 * x(u))


# ------------------------------------------------------------------ words

WRITTEN = [
    "Diff(0) - Diff(1)",
    "-Diff(0)",
    "-Diff(0).T",
    "-Identity()",
    "Identity() - Diff(0)",
    "Diff(0) - 2.0 * Diff(1)",
    "Diff(0, 0.1, deriv=2, accuracy=4, boundary='periodic', period=1.0) - Diff(1, -0.5)",
    "-Diff(0) @ Diff(1)",
    "0.1 * Diff(0).T @ Diff(1) - Diff(0) @ Diff(0)",
    "Diff(0, boundary='valid') + Diff(1, boundary='valid')",
    "(Diff(0, boundary='valid') + Diff(1, boundary='valid')).T",
    "(Diff(0, boundary='valid') - 3.0 * Diff(1)).T",
    "Diff(0, boundary=('valid', 'one-sided')) - Diff(1)",
]


@pytest.mark.parametrize("words", WRITTEN)
def test_written_again(words):
    L = eval(words)
    assert repr(L).splitlines()[0] == words
    assert repr(L.T.T).splitlines()[0] == words


def test_written_with_arrays():
    c = np.ones(9)
    assert repr(-(c * Identity())) == "-(<9 array> * Identity())"
    assert repr(2 * (c * x)).startswith("2.0 * (<9 array> * Diff(0, 0.5))\n")
    assert repr(y - c * x).startswith("Diff(1, 0.25) - (<9 array> * Diff(0, 0.5))\n")


def test_a_cropped_sum_in_words():
    """Points that are removed are shown as a slice."""
    a = Diff(0, boundary=("valid", "one-sided"), accuracy=4) + Diff(1, boundary="valid")
    text = repr(Diff(0) @ (Diff(1) @ a)).splitlines()[0]
    assert "Crop" not in text
    assert "<points 1:-1 of axis 1>" in text
    assert "<points 2: of axis 0>" in text
    text = repr(Diff(0) @ a).splitlines()[0]
    assert "of axis 1" not in text  # as the other term lacks these points, too
    assert "<points 2: of axis 0>" in text
    b = Diff(0, boundary=("one-sided", "valid")) + Diff(1)
    assert "<points :-1 of axis 0>.T" in repr(b.T @ Diff(0))


@given(made=shapes.flatmap(lambda shape: operators(shape, depth=3)))
@some
def test_anything_is_written_again(made):
    text = repr(made.operator).splitlines()[0]
    assert "Crop" not in text
    assert re.search(r"\b1\.0 \*", text) is None
    if "<" not in text:
        assert equal(eval(text), made.operator)
