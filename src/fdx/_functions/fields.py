"""Functions of arrays on a grid: the plans that are kept for later calls, and one call."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from fdx._arguments.arrays import as_array, fields_of
from fdx._core import CONSTANTS, Plan, Recent
from fdx._functions.kept import MAX_KEPT, MAX_WEIGHTS, NoKeyError, from_key, key_of
from fdx._operators import plans
from fdx._operators.terms import Term

Outputs = Sequence[Sequence[tuple[int, Term]]]
# Of the number of inputs, their dimensions, and the arguments of `plan_of` from `spacing` on.
Terms = Callable[..., Outputs]
Counts = Callable[[int, int], tuple[int, ...]]  # of results, for so many inputs and outputs
# Checked inputs, their plan, the counts, and the spacings for which it may be tried first.
Prepared = tuple[Any, Plan, tuple[int, ...], tuple[Any, ...] | None]


def make(terms: Terms, count: int, shape: tuple[int, ...], *grid: Any) -> Plan:
    """The plan of a function's outputs for `count` inputs of a shape."""
    return plans.make_plan(terms(count, len(shape), *grid), shape)


@lru_cache(maxsize=1024, typed=True)
def plan_of_constants(terms: Terms, count: int, shape: tuple[int, ...], *given: Any) -> Plan:
    return make(terms, count, shape, given[5:], *given[:5])  # one by one, as types count


@lru_cache(maxsize=MAX_KEPT)
def plan_of_key(terms: Terms, count: int, shape: tuple[int, ...], key: Any) -> Plan:
    """A plan for one shape only: otherwise each that is kept would keep weights for many shapes."""
    return make(terms, count, shape, *from_key(key))


def plan_of(
    terms: Terms,
    count: int,
    shape: tuple[int, ...],
    spacing: tuple[Any, ...],
    axis: Any,
    deriv: Any,
    accuracy: Any,
    boundary: Any,
    period: Any,
) -> tuple[Plan, tuple[Any, ...] | None]:
    """The plan of `make`; a small one is kept for later calls with the same arguments, and is
    returned with its spacings as `Recent` compares them: constants, or coordinates as dtype and
    bytes."""
    options = axis, deriv, accuracy, boundary, period
    sides = boundary if type(boundary) is tuple else (boundary,)  # of strings, which have one type
    if CONSTANTS.issuperset(map(type, (axis, deriv, accuracy, period, *sides, *spacing))):
        return plan_of_constants(terms, count, shape, *options, *spacing), spacing
    if type(accuracy) is type(deriv) is int:
        # Each axis may have a derivative for each component, and for each other axis.
        points = sum([h.size for h in spacing if type(h) is np.ndarray])
        if points * (accuracy + deriv + 1) * max(count, len(shape)) <= MAX_WEIGHTS:
            with contextlib.suppress(NoKeyError):
                key = key_of((spacing, *options))
                return plan_of_key(terms, count, shape, key), comparable(key[1][0][1])
    return make(terms, count, shape, spacing, *options), None


def comparable(keys: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Spacings by their keys, as `plan_of` returns them."""
    if not all(key[0] in CONSTANTS or key[0] is np.ndarray for key in keys):
        return None
    return tuple([(np.dtype(key[1]), key[2]) if len(key) == 3 else key[1] for key in keys])


def one_array(count: int, noutputs: int) -> tuple[int, ...]:
    return ()


def of_scalar(terms: Terms, counts_of: Counts = one_array) -> Recent:
    """A function of one array."""

    def prepare(f: Any, *grid: Any) -> Prepared:
        f = as_array(f)
        plan, spacing = plan_of(terms, 1, f.shape, *grid)
        return f, plan, counts_of(1, plan.noutputs), spacing

    return Recent(prepare, apply, False)


def of_vector(terms: Terms, counts_of: Counts = one_array) -> Recent:
    """A function of the components of a vector field."""

    def prepare(F: Any, *grid: Any) -> Prepared:
        parts = fields_of(F, "F", grid[0])
        count = len(parts)  # before code of other arguments, which may change it for a while
        plan, spacing = plan_of(terms, count, parts[0].shape, *grid)
        return parts, plan, counts_of(count, plan.noutputs), spacing

    return Recent(prepare, apply, True)


def apply(plan: Plan, ins: Any, counts: tuple[int, ...], out: Any, workers: Any) -> Any:
    """What `Recent` does if a plan's quick path is not enough."""
    return plans.apply(plan, ins, counts, out, workers, "f", quick=False)
