"""From sums of terms to plans, which the C core compiles for arrays of one shape, and applies:
csrc/fdx_compile.c."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from fdx._arguments.arrays import result_dtype
from fdx._arguments.choices import VALID
from fdx._arguments.reals import check_real
from fdx._common import outputs, threads
from fdx._common.text import shown
from fdx._core import Band, NoWeights, Plan, TooManyStages, empty, new_result
from fdx._operators.coefficients import Coefficient
from fdx._operators.terms import (
    Along,
    Crop,
    Described,
    Leaf,
    Lost,
    Term,
    lost_by_any,
    relative,
)

Array = np.ndarray[Any, Any]
Numbers = tuple[float, float]  # alpha and beta of a call, unless they are 1 and 0

TOO_MANY_STAGES = (
    "operator: expected at most 16 derivatives and arrays one after the other in a term (those "
    "along one axis count as one, if their product has at most 255 weights a point), got "
    "more; multiply arrays by each other first, as in (a * b) * D for a * (b * D), or apply "
    "operators one after the other"
)


def lowered(term: Term, in_shape: Sequence[int]) -> list[Described]:
    """The factors of a term for inputs of one shape, in the order in which they are applied, as
    the C core takes them: each with the array that multiplies its result."""
    shape, found = list(in_shape), []
    identity = Crop(0, (0, 0))
    last: tuple[Along, int] | None = None  # a factor that no array multiplies yet, and its axis
    for factor in reversed(term.factors):
        if not isinstance(factor, Coefficient):
            if last is not None:
                found.append(last[0].described(last[1]))
            axis = normalize_axis_index(factor.axis, len(shape))
            shape[axis] = factor.rows(shape[axis])
            last = factor, axis
            continue
        try:
            array = np.broadcast_to(factor.values, shape)
        except ValueError:
            given, name = factor.values.shape, "velocity" if factor.sign else "coefficients"
            axes = [d for d, n in enumerate(shape) if given == (n,)]
            more = len(given) == len(shape) and all(map(operator.ge, given, shape))
            indices = ", ".join([":", *["None"] * (len(shape) - axes[0] - 1)]) if axes else ""
            raise ValueError(
                f"{name}: expected a shape that broadcasts to {tuple(shape)}, got {given}"
                + (f"; write c[{indices}] for one along axis {axes[0]}" if axes else "")
                + more * "; there are fewer results than points: leave out the others' numbers"
            ) from None
        along, axis = last or (identity, 0)
        found.append(along.described(axis, array, factor.sign))
        last = None
    if last is not None or not found:
        along, axis = last or (identity, 0)
        found.append(along.described(axis))
    return found


def why_no_weights(terms: Iterable[Term], shape: Sequence[int]) -> str:
    """Which derivative, product or sum has weights that over- or underflow."""
    expected = "spacing: expected one for which the weights"
    for term in terms:
        sizes = list(shape)
        for f in reversed(term.factors):
            if isinstance(f, Coefficient):
                continue
            axis = normalize_axis_index(f.axis, len(sizes))
            for scale in (1.0, term.scale):
                try:
                    Plan((sizes[axis],), [(0, 0, scale, (f.described(0),))])
                except NoWeights:
                    assert isinstance(f, Leaf)
                    if not determines(f, sizes[axis], scale):
                        given = " and ".join(c.text() for c in f.conditions if c is not None)
                        return (
                            "boundary: expected a condition that determines the value at its "
                            f"place, got {given} for {f.places_of_points()}, where the "
                            "polynomial's slope cancels it, or weights over- or underflow"
                        )
                    if f.scheme is not None:
                        number = "" if scale == 1 else f" times {scale}"
                        expected = "weights: expected some that are normal numbers"
                        return f"{expected}{number}, got {f.text()}"
                    given = f.places_of_points()
                    return (
                        f"{expected} neither over- nor underflow, got {given} for deriv={f.deriv}"
                    ) + ("" if scale == 1 else f", times {scale}")
            sizes[axis] = f.rows(sizes[axis])
        try:
            Plan(tuple(shape), [(0, 0, term.scale, tuple(lowered(term, shape)))])
        except NoWeights:
            return f"{expected} of a product neither over- nor underflow, got {term.text()}"
    return f"{expected} of a sum do not overflow, got {' + '.join(t.text() for t in terms)}"


def determines(leaf: Leaf, n: int, scale: float) -> bool:
    """Do its conditions determine the values at their places? If not, there are weights without
    them."""
    if leaf.conditions == (None, None):
        return True
    ends = (
        VALID if c is not None else at
        for c, at in zip(leaf.conditions, (leaf.left, leaf.right), strict=True)
    )
    left, right = ends
    without = replace(leaf, left=left, right=right, conditions=(None, None), datum=0)
    try:
        Plan((n,), [(0, 0, scale, (without.described(0),))])
    except NoWeights:
        return True
    return False


def make_plan(outputs: Sequence[Sequence[tuple[int, Term]]], shape: Sequence[int]) -> Plan:
    """Compile sums of terms, each of a numbered input, for inputs of a shape."""
    if len(shape) == 0:
        raise ValueError("shape: expected at least one dimension, got ()")
    described = [
        (source, number, term.scale, tuple(lowered(term, shape)))
        for number, row in enumerate(outputs)
        for source, term in row
    ]
    terms = [((k, j), term) for k, row in enumerate(outputs) for j, term in row]
    check_common_region(terms, shape)
    try:
        return Plan(tuple(shape), described)
    except NoWeights:
        why = why_no_weights([term for row in outputs for _, term in row], shape)
    except TooManyStages:
        why = TOO_MANY_STAGES
    raise ValueError(why)


def check_common_region(terms: Sequence[tuple[Any, Term]], shape: Sequence[int]) -> None:
    """The results of all terms must have points in common; entries are those of `relative`."""

    def lost(term: Term) -> Lost:
        here: Lost = {}
        for axis, (left, right) in term.lost().items():
            d = normalize_axis_index(axis, len(shape))
            more = here.get(d, (0, 0))  # of the same axis, counted from the other end
            here[d] = left + more[0], right + more[1]
        return here

    losses = relative([lost(term) for _, term in terms], [entry for entry, _ in terms])
    for d, lost_along in lost_by_any(losses).items():
        if sum(lost_along) >= 2 * shape[d]:
            raise ValueError(f"axis {d}: too short for the terms to have points in common")


def check_numbers(alpha: Any, beta: Any, out: Any) -> Numbers:
    found = check_real(alpha, "alpha"), check_real(beta, "beta")
    if found[1] != 0 and out is None:
        raise ValueError(
            f"out: expected the array that beta={shown(beta)} multiplies, got None; write "
            f"L(u, out=y, beta={shown(beta)})"
        )
    return found


def write(
    plan: Plan,
    ins: list[Array],
    outs: list[Array | None],
    first_touch: bool,
    workers: Any,
    numbers: Numbers | None,
) -> None:
    """Apply a plan to checked arrays; inputs that share memory with an output are copied first.
    `outs` are as `Plan.apply` takes them. `first_touch`: the outputs are newly allocated."""
    if not first_touch:
        arrays = [o for o in outs if o is not None]
        ins = outputs.apart(ins, arrays)
        if any(np.may_share_memory(c, o) for c in plan.coefficients() for o in arrays):
            results = [None if o is None else o.copy("K") for o in outs]
            plan.apply(tuple(ins), tuple(results), True, workers, numbers)
            for o, result in zip(outs, results, strict=True):
                if o is not None:
                    o[...] = result
            return
    plan.apply(tuple(ins), tuple(outs), first_touch, workers, numbers)


def stacked_result(like: Array, counts: tuple[int, ...], shape: tuple[int, ...]) -> Array:
    """A new array of shape (*counts, *shape), each component in the memory order of `like`."""
    order = sorted(range(like.ndim), key=lambda d: -abs(like.strides[d]))
    whole = empty((*counts, *(shape[d] for d in order)), result_dtype(like))
    back = np.argsort(order)
    n = len(counts)
    return whole.transpose(*range(n), *(n + int(d) for d in back))


def apply(
    plan: Plan,
    ins: Any,
    counts: tuple[int, ...],
    out: Any,
    workers: Any,
    name: str,
    numbers: Numbers | None = None,
    *,
    quick: bool = True,
) -> Any:
    """Apply a plan to inputs, of which the first has this name. Its outputs are, in order, the
    components of a new array of shape (*counts, *plan.out_shape), or of `out`, which is returned;
    or those of the upper triangle of a matrix, which is symmetric. `quick`: the plan's quick path
    has not been tried yet."""
    workers = threads.count(workers)  # the last code of an argument; views are taken after it
    if quick:
        result = plan.quick(ins, counts, out, workers, numbers)
        if result is not None:
            return result
    ins = list(ins)
    first = ins[0] if ins else None
    if first is None or first.shape != plan.in_shape:
        raise ValueError(f"{name}: expected an array that keeps its shape during the call")
    if plan.double_only and result_dtype(first).char in "fF":
        raise ValueError(
            f"{name}: expected double precision, as there are weights that single precision cannot "
            f"hold, got {first.dtype}; pass {name}.astype(float)"
        )
    first_touch = out is None
    parts: list[Array | None]
    if isinstance(out, (tuple, list)) and len(counts) == 1:
        given = outputs.arrays(out, plan.out_shape, counts[0], result_dtype(first))
        write(plan, ins, list(given), False, workers, numbers)
        return out
    if out is not None:
        (whole,) = outputs.arrays(out, (*counts, *plan.out_shape), 1, result_dtype(first))
    elif counts:
        whole = out = stacked_result(first, counts, plan.out_shape)
    else:
        whole = out = new_result(first, plan.out_shape)
    if plan.noutputs == math.prod(counts):
        parts = [whole[index] for index in np.ndindex(*counts)] if counts else [whole]
    else:
        upper = [(i, j) for i in range(counts[0]) for j in range(i, counts[0])]
        parts = [whole[i, j] for i, j in upper]
        parts += [whole[j, i] if i != j else None for i, j in upper]
    write(plan, ins, parts, first_touch, workers, numbers)
    return out


def stages_of(term: Term, shape: Sequence[int]) -> list[tuple[int, Band | None, Array | None]]:
    """What the compiled term applies to arrays of a shape, one after the other."""
    ((_, _, stages, _),) = make_plan([[(0, term)]], shape).terms()
    return stages
