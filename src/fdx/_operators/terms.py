"""Sums of terms: numbers times products of factors, which are derivatives along axes, their
transposes, and arrays of coefficients, which multiply point by point."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from fdx._arguments.choices import (
    BOUNDARIES,
    CENTER,
    INNER,
    LEFT,
    MAX_NODES,
    OUTER,
    POSITIONS,
    SBP,
    VALID,
    check_sbp,
)
from fdx._arguments.coordinates import TWICE, UNIT
from fdx._core import Description
from fdx._operators.coefficients import Coefficient
from fdx._operators.conditions import Condition, Given, given_of

Array = np.ndarray[Any, Any]
Described = tuple[Any, ...]  # a factor, as Plan takes it
Row = tuple[float, ...]


@dataclass(frozen=True)
class Scheme:
    """Weights that are given: of an interior row, whose first neighbour is `offset` points after
    the base point, and of rows at either end."""

    offset: int
    weights: Row
    first: tuple[Row, ...] = ()
    last: tuple[Row, ...] = ()

    def state(self) -> tuple[Any, ...]:
        return self.offset, self.weights, self.first, self.last


@dataclass(frozen=True, eq=False)
class Leaf:
    """A derivative along an axis, an interpolation (deriv 0) or a stencil of given weights (a
    scheme); or its transpose."""

    axis: int
    spacing: float
    coordinates: bytes | None  # uneven ones: the bytes of float64, which can be compared
    points: int | None  # the number of coordinates, if any were given
    deriv: int
    accuracy: int
    left: int
    right: int
    period: float | None
    transposed: bool = False
    closeness: float = 1e-9  # of the period to n times the spacing, relative
    position: int = CENTER
    side: int = 0  # -1: biased to the left, 1: to the right
    scheme: Scheme | None = None
    conditions: tuple[Given | None, Given | None] = (None, None)  # where they are GIVEN
    datum: int = 0  # -1, 1: what the datum of the left, the right end adds
    at: bytes | None = None  # coordinates of results, unless these are midpoints: as `coordinates`

    def key(self) -> tuple[Any, ...]:
        return self.sort_key(), tuple(() if c is None else c.key() for c in self.conditions)

    def sort_key(self) -> tuple[Any, ...]:
        """All that distinguishes it from others but the addresses of arrays: the same in every
        process."""
        return (
            "Leaf",
            self.axis,
            self.deriv,
            self.accuracy,
            self.left,
            self.right,
            self.spacing,
            self.coordinates or b"",
            self.points or 0,
            self.period or 0.0,
            self.closeness,
            self.position,
            self.side,
            () if self.scheme is None else self.scheme.state(),
            tuple(() if c is None else c.sort_key() for c in self.conditions),
            self.datum,
            self.at or b"",
            self.transposed,
        )

    def transpose(self) -> Leaf:
        return replace(self, transposed=not self.transposed)

    @property
    def kind(self) -> str:
        """The class that makes it."""
        return "Stencil" if self.scheme is not None else "Diff" if self.deriv else "Interp"

    @property
    def is_affine(self) -> bool:
        """Do data of boundaries add something to results? (Not if it is what one of them adds.)"""
        return any(c is not None and not c.is_zero for c in self.conditions) and not self.datum

    def linear(self) -> Leaf:
        """The same for data of 0."""
        if not self.is_affine:
            return self
        left, right = (None if c is None else c.with_zero() for c in self.conditions)
        return replace(self, conditions=(left, right))

    @property
    def uniform(self) -> bool:
        return self.coordinates is None

    @property
    def centred(self) -> bool:
        """Is it a derivative by the same number of neighbours on both sides of its point?"""
        return self.position == CENTER and self.side == 0 and self.scheme is None

    @cached_property
    def description(self) -> Description:
        return Description(
            self.deriv,
            self.accuracy,
            self.left,
            self.right,
            self.spacing,
            self.coordinates,
            self.period or 0.0,
            self.position,
            self.side,
            None if self.scheme is None else self.scheme.state(),
            tuple(None if c is None else c.described() for c in self.conditions),
            self.datum,
            self.at,
        )

    @cached_property
    def outline(self) -> tuple[int, int, int, int, int, tuple[int, int]]:
        return self.description.outline()

    @property
    def half_width(self) -> int:
        """The number of neighbours on the side of the result that has more of them."""
        before, after, *_ = self.outline
        return max(before, after, 0)

    @property
    def offsets(self) -> list[float]:
        """Of an interior row's neighbours from its result, in spacings."""
        before, after, _, _, half, _ = self.outline
        return [k - half / 2 for k in range(-before, after + 1)]

    @property
    def lost(self) -> tuple[int, int]:
        """How far from either end of the axis its results begin and end, in half spacings."""
        _, _, begin, more, _, _ = self.outline
        return begin, -2 * more - begin

    def is_alike(self, side: int) -> bool:
        """Do all rows towards an end have the same stencil?"""
        own = () if self.scheme is None else (self.scheme.first, self.scheme.last)[side]
        valid = (self.left, self.right)[side] == VALID
        return self.uniform and self.points is None and valid and not own

    def length(self, columns: int) -> int:
        """The points of the result for an input of that many points."""
        more = self.outline[3]
        return columns - more if self.transposed else columns + more

    def boundary(self) -> Any:
        left, right = (
            BOUNDARIES[end] if c is None else Condition(c)
            for end, c in zip((self.left, self.right), self.conditions, strict=True)
        )
        return left if left == right else (left, right)

    def rows(self, columns: int) -> int:
        """The points of the result for an input of that many points, which are checked."""
        rows = self.length(columns)
        n = rows if self.transposed else columns
        needed = self.description.points_needed()
        if n < needed:
            raise ValueError(
                f"axis {self.axis}: expected at least {needed} points for {self.choices()}, got {n}"
            )
        if self.points not in (None, n):
            raise ValueError(
                f"spacing: expected {n} coordinates for axis {self.axis}, got {self.points}"
            )
        if self.points is None and self.period is not None:
            whole = n * self.spacing
            closeness = min(self.closeness, 0.25 / n)  # so that n - 1 or n + 1 points are not close
            if not math.isclose(whole, self.period, rel_tol=closeness):
                twice = math.isclose(whole - self.spacing, self.period, rel_tol=closeness)
                far = not 0.5 <= abs(whole / self.period) <= 2
                raise ValueError(
                    f"period: expected {n} points times a spacing of {abs(self.spacing)} on axis "
                    f"{self.axis}, {abs(whole)}, got {abs(self.period)}"
                    + (twice * TWICE or far * UNIT)
                )
        return rows

    def choices(self) -> str:
        """What decides how many points it needs, as keywords."""
        if self.scheme is not None:
            ends = " to ".join(f"{o:g}" for o in (self.offsets[0], self.offsets[-1]))
            return f"a stencil with offsets {ends}, boundary={self.boundary()!r}"
        parts = [f"deriv={self.deriv}"] if self.deriv else ["an interpolation"]
        parts += [f"accuracy={self.accuracy}", f"boundary={self.boundary()!r}"]
        return ", ".join(parts + self.places())

    def places(self) -> list[str]:
        """The keywords for where results and neighbours are, unless these are the usual ones."""
        found = []
        if self.position != CENTER:
            found.append(f"position={POSITIONS[self.position]!r}")
        if self.at is not None:
            found.append(f"at=<{len(self.at) // 8} coordinates>")
        if self.side:
            found.append(f"side={'left' if self.side < 0 else 'right'!r}")
        return found

    def places_of_points(self) -> str:
        return "coordinates" if self.coordinates is not None else str(self.spacing)

    def described(self, axis: int, coefficient: Array | None = None, sign: int = 0) -> Described:
        """Its description for the C core."""
        return axis, self.description, (0, 0), self.transposed, coefficient, sign

    def text(self) -> str:
        if self.datum:
            condition = self.conditions[self.datum > 0]
            assert condition is not None
            return f"<what {condition.text()} adds to {replace(self, datum=0).text()}>"
        if self.scheme is not None:
            return self.text_of_scheme() + (".T" if self.transposed else "")
        parts = [str(self.axis)]
        if self.points is not None:
            parts.append(f"<{self.points} coordinates>")
        elif self.spacing != 1:
            parts.append(repr(self.spacing))
        if self.deriv > 1:
            parts.append(f"deriv={self.deriv}")
        if self.accuracy != 2:
            parts.append(f"accuracy={self.accuracy}")
        if self.boundary() != "one-sided":
            parts.append(f"boundary={self.boundary()!r}")
        if self.period is not None:
            parts.append(f"period={self.period!r}")
        return f"{self.kind}({', '.join(parts + self.places())})" + (
            ".T" if self.transposed else ""
        )

    def text_of_scheme(self) -> str:
        scheme = self.scheme
        assert scheme is not None
        ends = self.offsets[0], self.offsets[-1]
        all_of_them = zip(self.offsets, scheme.weights, strict=True)
        some = [(o, w) for o, w in all_of_them if w != 0 or o in ends]
        offsets = [int(o) if o == int(o) else o for o, _ in some]
        parts = [str(self.axis), str(offsets), str([w for _, w in some])]
        if scheme.first or scheme.last:
            rows = (f"{list(map(list, some))}" if some else "()" for some in scheme.state()[2:])
            parts += [f"{name}={one}" for name, one in zip(("left", "right"), rows, strict=True)]
        if self.boundary() != "valid":
            parts.append(f"boundary={self.boundary()!r}")
        return f"Stencil({', '.join(parts + self.places())})"


def leaf_of_scheme(axis: int, left: int, right: int, position: int, scheme: Scheme) -> Leaf:
    return Leaf(
        axis=axis,
        spacing=1.0,
        coordinates=None,
        points=None,
        deriv=0,
        accuracy=2,
        left=left,
        right=right,
        period=None,
        position=position,
        scheme=scheme,
    )


@dataclass(frozen=True, eq=False)
class Crop:
    """Removes points at the ends of an axis; transposed, it adds zeros there."""

    axis: int
    crop: tuple[int, int]
    transposed: bool = False

    def key(self) -> tuple[Any, ...]:
        return ("Crop", self.axis, *self.crop, self.transposed)

    sort_key = key

    @property
    def lost(self) -> tuple[int, int]:
        """How far from either end of the axis its results begin and end, in half spacings."""
        return 2 * self.crop[0], 2 * self.crop[1]

    def length(self, columns: int) -> int:
        """The points of the result for an input of that many points."""
        return columns + sum(self.crop) * (1 if self.transposed else -1)

    def transpose(self) -> Crop:
        return replace(self, transposed=not self.transposed)

    def rows(self, columns: int) -> int:
        """The points of the result for an input of that many points, which are checked."""
        rows = self.length(columns)
        if not self.transposed and rows <= 0:
            raise ValueError(
                f"axis {self.axis}: expected at least {sum(self.crop) + 1} points, got {columns}"
            )
        return rows

    def described(self, axis: int, coefficient: Array | None = None, sign: int = 0) -> Described:
        """Its description for the C core."""
        return axis, None, self.crop, self.transposed, coefficient, sign

    def text(self) -> str:
        left, right = self.crop
        points = f"{left or ''}:{-right or ''}"
        return f"<points {points} of axis {self.axis}>" + (".T" if self.transposed else "")


Along = Leaf | Crop
Factor = Leaf | Crop | Coefficient


@dataclass(frozen=True)
class Term:
    """A number times a product of factors, the last of which is applied first."""

    scale: float
    factors: tuple[Factor, ...]

    def key(self) -> tuple[Any, ...]:
        return tuple(f.key() for f in self.factors)

    def rank(self) -> tuple[Any, ...]:
        """Its sort key in a sum: by axes first. The transpose has the same key, and addresses of
        arrays are not part of it."""

        def structure(term: Term) -> tuple[list[tuple[Any, ...]], ...]:
            keys = [f.sort_key() for f in term.factors]
            return [key for key in keys if key[0] != "Crop"], keys

        axes = sorted({f.axis for f in self.factors if isinstance(f, Leaf)})
        return axes, min(structure(self), structure(self.transposed()))

    def transposed(self) -> Term:
        factors = tuple(
            f if isinstance(f, Coefficient) else f.transpose() for f in reversed(self.factors)
        )
        return Term(self.scale, sorted_by_axis(factors))

    def moved(self, axis: int) -> Term:
        """The same term along another axis, if it is along only one."""
        moved = tuple(
            f if isinstance(f, Coefficient) else replace(f, axis=axis) for f in self.factors
        )
        return Term(self.scale, moved)

    def lost(self) -> dict[int, tuple[int, int]]:
        """How far from the ends of axes its results begin and end, in half spacings: twice the
        points that it removes, or negative."""
        found: dict[int, tuple[int, int]] = {}
        for f in self.factors:
            if not isinstance(f, Coefficient):
                sign = -1 if f.transposed else 1
                left, right = found.get(f.axis, (0, 0))
                found[f.axis] = (left + sign * f.lost[0], right + sign * f.lost[1])
        return {axis: lost for axis, lost in found.items() if lost != (0, 0)}

    def text(self) -> str:
        product = (
            "" if self.factors and not isinstance(self.factors[-1], Coefficient) else "Identity()"
        )
        for f in reversed(self.factors):
            if isinstance(f, Coefficient):
                product = f"{f.text()} * {product}"
            elif isinstance(f, Leaf) and f.datum:  # whatever came before it
                product = f.text()
            else:
                inner = f"({product})" if product.startswith(("<", "max(", "min(")) else product
                product = f"{f.text()} @ {inner}" if inner else f.text()
        if self.scale == 1:
            return product
        product = f"({product})" if product.startswith("<") else product
        return f"-{product}" if self.scale == -1 else f"{self.scale!r} * {product}"


def kind_of(terms: Sequence[Term]) -> str:
    """The class that makes this operator alone, such as Diff; or Operator."""
    if len(terms) == 1 and terms[0].scale == 1:
        match terms[0].factors:
            case ():
                return "Identity"
            case (Leaf(transposed=False) as leaf,):
                return leaf.kind
    return "Operator"


def is_affine(terms: Iterable[Term]) -> bool:
    """Do data of boundaries add something to results?"""
    return any(isinstance(f, Leaf) and (f.is_affine or f.datum) for t in terms for f in t.factors)


def is_source(term: Term) -> bool:
    """Is it what a datum adds, whatever the array is? The factors before the leaf that has the
    datum then only say of which shape its results are."""
    return any(isinstance(f, Leaf) and f.datum for f in term.factors)


def linear_factors(factors: Iterable[Factor]) -> tuple[Factor, ...]:
    return tuple(f.linear() if isinstance(f, Leaf) else f for f in factors)


def linear(terms: Iterable[Term]) -> list[Term]:
    """The terms for data of 0."""
    return [Term(t.scale, linear_factors(t.factors)) for t in terms if not is_source(t)]


def sources(term: Term) -> list[Term]:
    """What the data of a term add, as terms of their own."""
    if is_source(term):
        return [term]
    return [
        Term(
            term.scale,
            (*linear_factors(term.factors[:k]), replace(f, datum=end), *term.factors[k + 1 :]),
        )
        for k, f in enumerate(term.factors)
        if isinstance(f, Leaf)
        for end, c in zip((-1, 1), f.conditions, strict=True)
        if c is not None and not c.is_zero
    ]


def check_conditions(leaf: Leaf) -> None:
    """Does a row contain each datum?"""
    if leaf.conditions == (None, None):
        return
    plain = replace(leaf, left=VALID, right=VALID, conditions=(None, None))
    before, after, *_ = plain.outline
    first = -1 if leaf.position in (OUTER, LEFT) else 0
    beyond = -1 if leaf.position in (INNER, LEFT) else 0
    outside = before - first, after + beyond
    for c, reached, name in zip(leaf.conditions, outside, ("left", "right"), strict=True):
        if c is not None and reached + c.is_value_at_point < 1:
            raise ValueError(
                f"boundary: expected 'one-sided' at the {name} end, where no stencil reaches "
                f"outside, so that a condition has no effect, got {c.text()}"
            )


def check_points(leaf: Leaf) -> None:
    if leaf.left == SBP:
        uniform = leaf.points is None
        check_sbp(leaf.deriv, leaf.accuracy, leaf.position, leaf.side, uniform=uniform)
    plain = replace(leaf, left=VALID, right=VALID, conditions=(None, None))
    described = leaf if leaf.conditions == (None, None) else plain
    if leaf.deriv + leaf.accuracy > MAX_NODES or described.description.points_needed() == 0:
        name = "accuracy" if leaf.deriv + 2 < MAX_NODES + leaf.uniform else "deriv"
        raise ValueError(
            f"{name}: expected a stencil of at most {MAX_NODES} points, "
            f"got deriv={leaf.deriv}, accuracy={leaf.accuracy}"
        )
    check_conditions(leaf)


# ---- sums of terms ----


def finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(f"coefficients: expected finite sums and products, got {number}")
    return number


def merged(terms: Iterable[Term]) -> list[Term]:
    """The terms, with those of equal factors merged into the first of them."""
    found: dict[tuple[Any, ...], Term] = {}
    for term in terms:
        key = term.key()
        known = found.get(key)
        found[key] = (
            term if known is None else Term(finite(known.scale + term.scale), known.factors)
        )
    return list(found.values())


def both_signs(factors: Iterable[Factor]) -> bool:
    """Are axes counted from both ends, so that two of them may be the same?"""
    axes = [f.axis for f in factors if not isinstance(f, Coefficient)]
    return bool(axes) and min(axes) < 0 <= max(axes)


def sorted_by_axis(factors: tuple[Factor, ...]) -> tuple[Factor, ...]:
    """The same product with derivatives sorted by axis: between arrays and data, those along
    different axes commute. (Unchanged if axes are counted from both ends.)"""
    if both_signs(factors):
        return factors
    result: list[Factor] = []
    together: list[Along] = []
    for f in (*factors, None):
        if isinstance(f, Crop) or (isinstance(f, Leaf) and not f.is_affine and not f.datum):
            together.append(f)
            continue
        together.sort(key=lambda one: one.axis)
        result += together
        together = []
        if f is not None:
            result.append(f)
    return tuple(result)


def along(terms: Iterable[Term]) -> list[Along]:
    """All factors but arrays."""
    return [f for t in terms for f in t.factors if not isinstance(f, Coefficient)]


def axes_of(terms: Iterable[Term]) -> tuple[int, ...]:
    return tuple(sorted({f.axis for f in along(terms)}))


def lost_by_any(losses: Sequence[dict[int, tuple[int, int]]]) -> dict[int, tuple[int, int]]:
    """How far from the ends of axes the results begin and end that all of some terms have, in half
    spacings."""

    def most(axis: int, side: int) -> int:
        return max(lost.get(axis, (0, 0))[side] for lost in losses)

    return {axis: (most(axis, 0), most(axis, 1)) for lost in losses for axis in lost}


def check_positions(losses: Sequence[dict[int, tuple[int, int]]]) -> None:
    """The results of all terms must be at points, or half a spacing from them, along each axis.
    (Not checked if axes are counted from both ends, so that two of them may be the same.)"""
    axes = {axis for lost in losses for axis in lost}
    if axes and min(axes) < 0 <= max(axes):
        return
    for axis in axes:
        if len({lost.get(axis, (0, 0))[0] % 2 for lost in losses}) > 1:
            raise ValueError(
                f"a sum along axis {axis}: expected results at the same places, got some at the "
                "points and some half a spacing from them; write fdx.Interp(axis, position=...) @ "
                "term, or term @ fdx.Interp(...), to move one of them"
            )


Lost = dict[int, tuple[int, int]]  # as Term.lost() returns it


def relative(losses: Sequence[Lost], entries: Sequence[Any]) -> list[Lost]:
    """What terms lose, of which each belongs to an entry of a block: the same for those from one
    field to one result. If some fields or results are half a spacing from others, those of one
    index count as one point: each entry's results are where those of its first term are."""
    first: dict[Any, Lost] = {}
    found = []
    for lost, entry in zip(losses, entries, strict=True):
        begin = first.setdefault(entry, lost)
        check_positions([begin, lost])
        place = {a: (-1 if left < 0 else 1) * (left % 2) for a, (left, _) in begin.items()}
        both = {a: lost.get(a, (0, 0)) for a in [*lost, *place]}
        moved = {a: (x - place.get(a, 0), y + place.get(a, 0)) for a, (x, y) in both.items()}
        found.append({a: ends for a, ends in moved.items() if ends != (0, 0)})
    odd = [{a for a, (left, _) in lost.items() if left % 2} for lost in first.values()]
    if any(found) and any(one != odd[0] for one in odd):
        raise ValueError(
            "rows: expected results at the same places, or positions 'left' and 'right' of a "
            "periodic axis, of which there are as many as points; got some at the points and some "
            "half a spacing from them"
        )
    return found


def cropped(terms: Sequence[Term], entries: Sequence[Any] | None = None) -> list[Term]:
    """The terms, cropped to the points that all of them have: with "valid", some have more.
    `entries`: as in `relative`."""
    losses = relative([term.lost() for term in terms], entries or [None] * len(terms))
    if all(lost == losses[0] for lost in losses):
        return list(terms)
    axes = sorted({axis for lost in losses for axis in lost})
    first = max(f.axis for f in along(terms))
    if axes[0] < 0 <= first:
        raise ValueError(
            "a sum with a 'valid' boundary or a position: expected axes that are all counted from "
            "the first, or all from the last, so that it is known which are the same, got "
            f"{first} and {axes[0]}; write {axes[0]} as n - {-axes[0]} for arrays of n dimensions"
        )
    least = lost_by_any(losses)
    found = []
    for term, lost in zip(terms, losses, strict=True):
        more = []
        for axis in axes:
            left, right = lost.get(axis, (0, 0))
            crop = (least[axis][0] - left) // 2, (least[axis][1] - right) // 2
            if crop != (0, 0):
                more.append(Crop(axis, crop))
        found.append(Term(term.scale, (*more, *term.factors)))
    return found


def from_the_first(terms: Iterable[Term], ndim: int) -> list[Term]:
    """The same for arrays of `ndim` dimensions, with axes that are counted from the first."""
    return [
        Term(
            term.scale,
            tuple(
                f if isinstance(f, Coefficient) else replace(f, axis=f.axis % ndim)
                for f in term.factors
            ),
        )
        for term in terms
    ]


def transposed(terms: Sequence[Term]) -> list[Term]:
    return [term.transposed() for term in cropped(terms)]


def order_and_key(terms: Sequence[Term]) -> tuple[list[int], tuple[Any, ...]]:
    """The order in which terms are added, and a key that is equal for equal operators."""
    with contextlib.suppress(ValueError):  # axes counted from both ends: unknown which are the same
        terms = [Term(t.scale, sorted_by_axis(t.factors)) for t in cropped(terms)]
    order = sorted(range(len(terms)), key=lambda k: terms[k].rank())
    signs = [math.copysign(1.0, term.scale) for term in terms]  # as 0.0 == -0.0
    return order, tuple((terms[k].scale, signs[k], terms[k].key()) for k in order)


def state_of(terms: Iterable[Term]) -> tuple[Any, ...]:
    """Terms as constants and arrays, so that pickles name no private module."""

    def of_factor(f: Factor) -> tuple[Any, ...]:
        if isinstance(f, Coefficient):
            return type(f).__name__, *f.state()
        values = [getattr(f, field.name) for field in fields(f)]
        return type(f).__name__, *map(of_value, values)

    def of_value(v: Any) -> Any:
        if isinstance(v, Scheme):
            return v.state()
        if isinstance(v, tuple):  # conditions, but for crops
            return tuple(c.state() if isinstance(c, Given) else c for c in v)
        return v

    return tuple((term.scale, tuple(map(of_factor, term.factors))) for term in terms)


def terms_of(state: Any) -> list[Term]:
    def leaf(*values: Any) -> Leaf:
        names = [field.name for field in fields(Leaf)]
        found: dict[str, Any] = dict(zip(names, values, strict=True))
        if found["scheme"] is not None:
            found["scheme"] = Scheme(*found["scheme"])
        found["conditions"] = tuple(None if c is None else given_of(c) for c in found["conditions"])
        return Leaf(**found)

    kinds: dict[str, Any] = {"Leaf": leaf, "Crop": Crop, "Coefficient": Coefficient}
    return [
        Term(scale, tuple(kinds[kind](*values) for kind, *values in factors))
        for scale, factors in state
    ]
