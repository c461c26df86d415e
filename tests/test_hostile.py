"""Arguments whose own code changes other arguments while they are converted."""

import copy
import gc
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import fdx
from fdx._arguments.choices import GIVEN
from fdx._core import Applicable, Band, Description, Job, Plan, new_result


class Hook:
    """A value that runs code when it is converted."""

    def __init__(self, value, act):
        self.value, self.act = value, act

    def __array__(self, dtype=None, copy=None):
        self.act()
        return np.asarray(self.value)

    def __index__(self):
        self.act()
        return self.value


def reshaping(array, shape):
    def act():
        array.shape = shape

    return act


CHANGED = "f: expected an array that keeps its shape"


def test_a_spacing_that_reshapes_the_array():
    f = np.arange(24.0).reshape(6, 4)
    with pytest.raises(ValueError, match=CHANGED):
        fdx.gradient(f, Hook(np.arange(6.0), reshaping(f, (4, 6))), 1.0)


def test_an_axis_that_reshapes_the_array():
    f = np.arange(24.0).reshape(2, 3, 4)
    with pytest.raises(ValueError, match=CHANGED):
        fdx.gradient(f, axis=(Hook(2, reshaping(f, (24,))),))


def test_a_spacing_that_changes_the_dtype():
    f = np.arange(24.0).reshape(6, 4)

    def act():
        f.dtype = "i8"

    with pytest.raises(ValueError, match=CHANGED):
        fdx.gradient(f, Hook(np.arange(6.0), act), axis=0)


def test_coordinates_that_reshape_other_coordinates():
    x = np.arange(6.0)
    with pytest.raises(ValueError, match="spacing: expected an array that keeps its shape"):
        fdx.gradient(np.ones((6, 4)), x, Hook(np.arange(4.0), reshaping(x, (2, 3))))


def test_a_spacing_that_moves_the_array_in_memory():
    """If the shape is the same afterwards, the call succeeds: arrays are read after all hooks."""
    f = np.arange(24.0)

    def act():
        f.resize(10**6, refcheck=False)
        f.resize(24, refcheck=False)

    assert fdx.gradient(f, Hook(np.arange(24.0), act)).tolist() == [1.0] * 24


def test_a_spacing_that_empties_the_outputs():
    """The list is read after all arguments are converted."""
    f, out = np.arange(24.0).reshape(6, 4), [np.zeros((6, 4)), np.zeros((6, 4))]
    with pytest.raises(ValueError, match="out: expected 2 arrays"):
        fdx.gradient(f, Hook(np.arange(6.0), out.clear), 1.0, out=out)


class ShortTuple(tuple):
    def __len__(self):
        return 2

    def __getitem__(self, key):
        return np.zeros((6, 4))


def test_a_sequence_of_outputs_of_its_own_class():
    with pytest.raises(ValueError, match="out: expected 2 arrays"):
        fdx.gradient(np.ones((6, 4)), out=ShortTuple([None] * 5))


class AnyOrder(int):
    def __le__(self, other):
        return True

    __ge__ = __le__


def test_an_edge_order_that_compares_as_it_likes():
    with pytest.raises(ValueError, match="edge_order"):
        fdx.gradient(np.arange(30.0), edge_order=AnyOrder(7))


class Workers:
    def __init__(self, act):
        self.act = act

    def __index__(self):
        self.act()
        return 1


@pytest.mark.parametrize(
    ("shape", "later"),
    [((10,), (5, 2)), ((6, 4), (24,)), ((2, 3, 4), (24, 1, 1)), ((3,) * 5, (243,))],
)
@pytest.mark.parametrize("which", ["f", "out"])
def test_workers_that_reshape(shape, later, which):
    """An error, or the result for the array as it is afterwards."""
    for function in (fdx.Diff(0), partial(fdx.derivative, axis=0), fdx.jacobian, fdx.laplacian):
        for _ in range(2):
            f, out = np.arange(float(np.prod(shape))).reshape(shape), np.zeros(shape)
            options = {} if which == "f" else {"out": out}
            act = reshaping(f if which == "f" else out, later)
            argument = [f] if function is fdx.jacobian else f
            try:
                got = function(argument, **options, workers=Workers(act))
            except ValueError:
                continue
            assert which == "f"
            assert np.array_equal(
                got, function([f.copy()] if function is fdx.jacobian else f.copy())
            )


def test_workers_that_protect_the_output():
    out = np.zeros((6, 4))
    with pytest.raises(ValueError, match="out: expected a writeable array"):
        fdx.laplacian(np.ones((6, 4)), out=out, workers=Workers(lambda: out.setflags(write=False)))
    assert not out.any()


def test_nodes_reshaped_by_at():
    nodes = np.arange(6.0)
    with pytest.raises(ValueError, match="expected"):
        fdx.weights(nodes, Hook(0.5, reshaping(nodes, (2, 3))), 4)


# ---- parts of operators, made by hand ----


NONE = (None, None)  # no conditions


def described(
    deriv,
    accuracy,
    left,
    right,
    spacing,
    coordinates,
    position,
    side,
    scheme,
    conditions=NONE,
    datum=0,
    at=None,
):
    places = position, side, scheme, conditions, datum, at
    return Description(deriv, accuracy, left, right, spacing, coordinates, 0.0, *places)


def factor(
    axis=0,
    deriv=0,
    accuracy=2,
    boundaries=(0, 0),
    spacing=1.0,
    coordinates=None,
    crop=(0, 0),
    coefficient=None,
    position=0,
    side=0,
    scheme=None,
    sign=0,
):
    """A factor as Plan takes it."""
    what = None
    if deriv or position or scheme:
        what = described(deriv, accuracy, *boundaries, spacing, coordinates, position, side, scheme)
    return axis, what, crop, False, coefficient, sign


def test_bands_are_parts_of_plans():
    with pytest.raises(TypeError, match="Band: expected"):
        Band()
    nothing = Band.__new__(Band)
    assert nothing.shape == (0, 0)
    assert nothing.interior() == (0, [])
    assert [part.size for part in nothing.entries()] == [0, 0, 0]
    for make in (copy.copy, pickle.dumps):
        with pytest.raises(TypeError):
            make(nothing)
    ((_, _, ((_, band, _),), _),) = Plan((5,), [(0, 0, 1.0, (factor(deriv=1),))]).terms()
    gc.collect()
    assert band.interior() == (-1, [-0.5, 0.0, 0.5])  # it keeps its plan alive


U = np.zeros(3)


@pytest.mark.parametrize(
    ("shape", "terms"),
    [
        ((), []),
        ((3,), []),
        ((3,), [(5, 0, 1.0, (factor(),))]),
        ((3,), [(0, 5, 1.0, (factor(),))]),
        ((3,), [(0, -1, 1.0, (factor(),))]),
        ((3,), [(0, 0, np.nan, (factor(),))]),
        ((3,), [(0, 0, 1.0, ())]),
        ((3,), [(0, 0, 1.0, (factor()[1:],))]),
        ((3,), [(0, 0, 1.0, ("f",))]),
        ((3,), [(0, 0, 1.0, (factor(axis=4),))]),
        ((3,), [(0, 0, 1.0, (factor(deriv=-1),))]),
        ((3,), [(0, 0, 1.0, (factor(deriv=1, position=5),))]),
        ((3,), [(0, 0, 1.0, (factor(deriv=1, side=1),))]),
        ((3,), [(0, 0, 1.0, (factor(scheme=(0, (), (), ())),))]),
        ((3,), [(0, 0, 1.0, (factor(scheme=(0, (1.0,) * 256, (), ())),))]),
        ((3,), [(0, 0, 1.0, (factor(scheme=(-1, (1.0, 2.0), (), ())),))]),  # one-sided
        ((3,), [(0, 0, 1.0, (factor(scheme=(0, (np.nan,), (), ())),))]),
        ((3,), [(0, 0, 1.0, ((0, "d", (0, 0), False, None),))]),
        ((3,), [(0, 0, 1.0, (factor(deriv=9),))]),
        ((3,), [(0, 0, 1.0, (factor(deriv=1, accuracy=3),))]),
        ((3,), [(0, 0, 1.0, (factor(deriv=1, boundaries=(1, 99)),))]),
        ((3,), [(0, 0, 1.0, (factor(deriv=1, spacing=0.0),))]),
        ((3,), [(0, 0, 1.0, (factor(deriv=1, coordinates=bytes(7)),))]),
        ((3,), [(0, 0, 1.0, (factor(deriv=1, coordinates=bytes(24)),))]),
        ((3,), [(0, 0, 1.0, (factor(crop=(2, 2)),))]),
        ((3,), [(0, 0, 1.0, (factor(crop=(-1, 0)),))]),
        ((3,), [(0, 0, 1.0, (factor(crop=()),))]),
        ((3,), [(0, 0, 1.0, (factor(coefficient=np.zeros((3, 3))),))]),
        ((3,), [(0, 0, 1.0, (factor(coefficient="c"),))]),
        ((3,), [(0, 0, 1.0, (factor(coefficient=np.zeros(3), sign=2),))]),
        ((3,), [(0, 0, 1.0, (factor(sign=1),))]),
        ((3,), [(0, 0, 1.0, (factor()[:-1],))]),
        ((-3,), [(0, 0, 1.0, (factor(),))]),
        ((9,), [(0, 0, 1.0, (factor(deriv=1),))]),
    ],
)
def test_plans_made_by_hand(shape, terms):
    with pytest.raises((ValueError, TypeError, SystemError, IndexError)):
        Plan(shape, terms).apply((U,), (np.zeros(3),), True, None)


@pytest.mark.parametrize(
    "scheme",
    [(), (1, 2, 3, 4), (0, [1.0], (), ()), (0, ("a",), (), ()), (0, (1.0,), (2.0,), ()), "abcd"],
)
def test_descriptions_made_by_hand(scheme):
    with pytest.raises((TypeError, ValueError)):
        described(0, 2, 2, 2, 1.0, None, 0, 0, scheme)
    with pytest.raises(TypeError, match="xpected bytes"):
        described(1, 2, 2, 2, 1.0, np.arange(3.0), 0, 0, None)
    known = described(0, 2, 2, 2, 1.0, None, 0, 0, (0, (1.0,), (), ()))
    with pytest.raises(TypeError, match="one call of the constructor"):
        known.__init__(0, 2, 2, 2, 1.0, None, 0.0, 0, 0, (0, (1.0,), (), ()), NONE, 0, None)
    with pytest.raises(ValueError, match="a description"):
        described(-1, 2, 2, 2, 1.0, None, 0, 0, None).outline()
    x = np.arange(5.0).tobytes()
    for at in (b"", x[:-16], 3, "at", [0.5, 1.5, 2.5, 3.5]):  # too few, or no bytes
        with pytest.raises((TypeError, ValueError)):
            described(1, 2, 0, 0, 1.0, x, 1, 0, None, at=at)
    beside = described(1, 2, 0, 0, 1.0, x, 1, 0, None, at=np.full(4, 9.0).tobytes())
    with pytest.raises(ValueError):  # noqa: PT011
        Plan((5,), [(0, 0, 1.0, ((0, beside, (0, 0), False, None, 0),))])
    with pytest.raises(TypeError):
        copy.copy(known)


@pytest.mark.parametrize(
    "conditions", [(), ((1.0,), None), (("a", 0.0, 0), None), 3, ((1.0, 0.0, 9), None)]
)
def test_conditions_made_by_hand(conditions):
    with pytest.raises((TypeError, ValueError, IndexError)):
        described(1, 2, GIVEN, 0, 1.0, None, 0, 0, None, conditions).outline()


@pytest.mark.parametrize(
    ("f", "lo", "hi"),
    [
        (np.zeros(9), (0,), (10,)),
        (np.zeros(9), (-1,), (3,)),
        (np.zeros(9), (3,), (2,)),
        (np.zeros(9), (), ()),
        (np.zeros(9), ("a",), (3,)),
        (np.zeros(8), (0,), (3,)),
        (np.zeros((9, 1)), (0,), (3,)),
        (np.zeros(9, int), (0,), (3,)),
    ],
)
def test_boxes_made_by_hand(f, lo, hi):
    plan = Plan((9,), [(0, 0, 1.0, (factor(deriv=1),))])
    assert plan.box(np.arange(9.0), (2,), (5,)).tolist() == [1, 1, 1]
    with pytest.raises((TypeError, ValueError)):
        plan.box(f, lo, hi)


def test_plans_take_arrays_that_fit():
    plan = Plan((3,), [(0, 0, 1.0, (factor(),))])
    for ins, outs in [
        ((), (U,)),
        ((U,), ()),
        ((U, U), (U,)),
        ((np.zeros(4),), (U,)),
        ((U,), (np.zeros((3, 1)),)),
        ((U,), (np.zeros(3, "f4"),)),
        ((np.zeros(3, bool),), (U,)),
        ((U[::-1],), (np.broadcast_to(0.0, 3),)),
    ]:
        with pytest.raises(ValueError, match="expected"):
            plan.apply(ins, outs, True, None)
    with pytest.raises(ValueError, match="dimensions"):
        new_result(np.zeros((3, 3)), (3,))


def test_jobs_and_operators_made_by_hand():
    Job().work()
    with pytest.raises((TypeError, AttributeError)):
        Applicable()(U)
    with pytest.raises(TypeError):
        Applicable()._remember(None)
    D = fdx.Diff(0)
    D._remember(Plan((3,), [(0, 0, 1.0, (factor(),))]))
    assert D(np.arange(5.0)).tolist() == [1.0] * 5


def test_random_arguments():
    """A second or two of what `.ci/run` does for a minute."""
    script = Path(__file__).with_name("hostile.py")
    done = subprocess.run(
        [sys.executable, str(script), "--rounds", "1000"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split(", ")[1].split()[0]) > 50, "few results were compared"
