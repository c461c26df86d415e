"""Programs in C, C++ and Fortran give the bytes that Python gives, for every kind of operator.

All read the same file, which tests/c/apply.c describes, and compile their operators.
"""

import itertools
import os
import struct
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from building import CC, CSRC, ROOT, STRICT, objects_of, once, run, tool
from stencils import BOUNDARIES

import fdx
from fdx._arguments.choices import GIVEN
from fdx._operators.plans import lowered
from fdx._operators.terms import Leaf

TESTS = ROOT / "tests"
POSITIONS = ["center", "inner", "outer", "left", "right"]
DTYPES = {"f4": 9, "f8": 10, "c8": 11, "c16": 12, "i1": 1, "u2": 4, "i8": 7}


def ints(*values):
    return struct.pack(f"={len(values)}q", *values)


def doubles(*values):
    return struct.pack(f"={len(values)}d", *values)


def raw(a):
    return np.ascontiguousarray(a).tobytes()


@dataclass(frozen=True, eq=False)
class Factor:
    axis: int
    deriv: int = 1
    accuracy: int = 2
    boundary: object = "one-sided"
    scale: float = 1.0
    spacing: float = 1.0
    x: object = None
    period: float = 0.0  # negative if coordinates fall
    coefficient: object = None  # of the result's shape, or 1 where it is repeated
    sign: int = 0  # 1, -1: the coefficient's positive or negative part
    crop: tuple = (0, 0)  # of the identity, that is, with deriv 0
    transposed: bool = False
    own: int = 0  # in C, build the matrix first, for an axis of so many points
    position: str = "center"
    at: object = None  # coordinates of results
    side: object = None
    stencil: object = (
        None  # offset of the first, weights, rows of one width at the left, at the right
    )

    data: object = (None, None)  # conditions at either end: (value, slope, half spacings outside)
    datum: int = 0  # -1, 1: not the derivative, but what the datum of an end adds

    def boundary_numbers(self):
        both = self.boundary if isinstance(self.boundary, tuple) else (self.boundary,) * 2
        return [
            BOUNDARIES.index(b) if c is None else GIVEN
            for b, c in zip(both, self.data, strict=True)
        ]

    def bytes(self):
        x = () if self.x is None else self.x
        coefficient, eps = self.coefficient, 0.0
        if self.x is not None and self.x.dtype == "f4" and "valid" not in self.boundary:
            eps = np.finfo("f4").eps
        text = ints(
            self.axis,
            self.deriv,
            self.accuracy,
            *self.boundary_numbers(),
            len(x),
            *self.crop,
            self.transposed,
            self.own,
            0 if coefficient is None else DTYPES[coefficient.dtype.str[1:]],
            self.sign,
        )
        offset, weights, first, last = self.stencil or (0, (), (), ())
        width = len((*first, *last, ())[0])
        text += ints(POSITIONS.index(self.position), {None: 0, "left": -1, "right": 1}[self.side])
        text += ints(offset, len(weights), len(first), len(last), width)
        conditions = [c or (0.0, 0.0, 0) for c in self.data]
        text += ints(self.datum, *(c[2] for c in conditions))
        text += doubles(*(v for c in conditions for v in c[:2]))
        text += doubles(self.scale, self.spacing, self.period, eps, *x)
        text += doubles(*weights, *(w for row in (*first, *last) for w in row))
        places = () if self.at is None else self.at
        text += ints(len(places)) + doubles(*places)
        return text if coefficient is None else text + ints(*coefficient.shape) + raw(coefficient)

    def conditions(self, data):
        """The boundary with these data."""
        both = self.boundary if isinstance(self.boundary, tuple) else (self.boundary,) * 2
        return tuple(
            b if c is None else fdx.Robin(c[0], c[1], g, outside=c[2] / 2)
            for b, c, g in zip(both, self.data, data, strict=True)
        )

    def operator(self):
        assert self.crop == (0, 0)  # only sums have it
        places = dict(boundary=self.conditions((0.0, 0.0)), position=self.position)
        grid = dict(
            spacing=self.spacing if self.x is None else self.x,
            accuracy=self.accuracy,
            period=self.x.dtype.type(abs(self.period)) if self.period else None,
        )
        if self.stencil is not None:
            offset, weights, left, right = self.stencil
            half = 0.5 if self.position != "center" else 0
            offsets = np.arange(offset, offset + len(weights)) - half
            result = fdx.Stencil(self.axis, offsets, weights, left=left, right=right, **places)
        elif self.deriv > 0:
            grid.update(at=self.at, side=self.side)
            result = fdx.Diff(self.axis, deriv=self.deriv, **grid, **places)
        elif self.position != "center":
            result = fdx.Interp(self.axis, at=self.at, **grid, **places)
        else:
            result = fdx.Identity()
        result = result.T if self.transposed else result
        result = result if self.scale == 1 else self.scale * result
        if self.coefficient is None:
            return result
        part = {0: np.asarray, 1: lambda c: np.maximum(c, 0), -1: lambda c: np.minimum(c, 0)}
        return part[self.sign](self.coefficient) * result


@dataclass(frozen=True, eq=False)
class Case:
    """An operator and its application. A term is (input, output, factors), the first factor being
    applied first, or that and a number that multiplies it. With one input and one output they are
    listed in any order."""

    dtype: str
    shape: tuple
    terms: list
    transposed: bool = False
    box: object = None  # corners
    alpha: object = None
    beta: float = 1.0
    python: object = None  # the operator, if its terms are not all that makes it
    rng: object = field(default_factory=lambda: np.random.default_rng(1))

    def operator(self, output, source):
        if self.python is not None:
            return self.python
        total = None
        for i, o, factors, *number in self.terms:
            if (i, o) == (source, output):
                term = factors[0].operator()
                for factor in factors[1:]:
                    term = factor.operator() @ term
                for c in number:
                    term = c * term
                total = term if total is None else total + term
        return total

    def sorted_terms(self):
        """The terms in the order in which Python adds them."""
        if {(i, o) for i, o, *_ in self.terms} != {(0, 0)}:
            return self.terms
        order = self.operator(0, 0)._order_and_key[0]
        assert len(order) == len(self.terms)  # none were merged
        return [self.terms[k] for k in order]

    def array(self, shape):
        values = self.rng.normal(size=shape) * 10
        if self.dtype.startswith("c"):
            values = values + 1j * self.rng.normal(size=shape)
        return values.astype(self.dtype)

    def bytes_and_results(self, results=None):
        """The bytes of the file, and of the results: those of Python's operators, or of `results`
        called with the inputs."""
        ninputs = 1 + max(i for i, *_ in self.terms)
        noutputs = 1 + max(o for _, o, *_ in self.terms)
        operators = [[self.operator(o, i) for i in range(ninputs)] for o in range(noutputs)]
        one = next(op for row in operators for op in row if op is not None)
        in_shape, out_shape = self.shape, one.output_shape(self.shape)
        if self.transposed:
            in_shape, out_shape = out_shape, in_shape
            operators = [[op and op.T for op in column] for column in zip(*operators, strict=True)]
            ninputs, noutputs = noutputs, ninputs
        inputs = [self.array(in_shape) for _ in range(ninputs)]
        if results is not None:
            values = list(results(*inputs))
        else:
            values = []
            for row in operators:
                sums = [op(u) for op, u in zip(row, inputs, strict=True) if op is not None]
                total = sums[0]
                for more in sums[1:]:
                    total = total + more
                values.append(total)
        result = values[0].dtype
        before = [self.array(out_shape).astype(result) for _ in range(noutputs)]
        lo, hi = self.box or ((0,) * len(out_shape), out_shape)
        box = tuple(slice(a, b) for a, b in zip(lo, hi, strict=True))
        after = []
        for old, new in zip(before, values, strict=True):
            assert new.shape == out_shape
            updated = old.copy()
            if self.alpha is None:
                updated[box] = new[box]
            else:
                kept = (
                    result.type(self.beta) * old[box] if self.beta else np.negative(0, dtype=result)
                )
                updated[box] = kept + result.type(self.alpha) * new[box]
            after.append(updated)
        text = ints(2, DTYPES[self.dtype], len(self.shape), *self.shape, self.transposed)
        text += ints(self.box is not None, *lo, *hi, self.alpha is not None)
        text += doubles(self.alpha or 0.0, self.beta) + ints(len(self.terms))
        for i, o, factors, *number in self.sorted_terms():
            text += ints(i, o, len(factors)) + doubles(*number or [1.0])
            text += b"".join(p.bytes() for p in factors)
        text += ints(ninputs, noutputs, *in_shape, *out_shape)
        text += b"".join(map(raw, inputs)) + b"".join(map(raw, before))
        return text, b"".join(map(raw, after))


def gradient_case(dtype, shape, spacing, axes, edge_order, rng):
    """np.gradient of f along axes, whose spacings are numbers or coordinates."""
    f = Case(dtype, shape, [], rng=rng).array(shape)
    results = fdx.gradient(f, *spacing, axis=axes, edge_order=edge_order)
    results = [results] if isinstance(results, np.ndarray) else results
    text = ints(1, DTYPES[dtype], len(shape), *shape, edge_order, len(axes))
    for axis, h in zip(axes, spacing, strict=True):
        x = h if isinstance(h, np.ndarray) else ()
        text += ints(axis, len(x)) + doubles(0.0 if len(x) else h, *x)
    return text + raw(f), b"".join(map(raw, results))


def uneven(n, rng):
    return np.cumsum(rng.uniform(0.5, 1.5, n))


def gradients(dtypes):
    rng = np.random.default_rng(11)
    for dtype in dtypes:
        for edge_order in (1, 2):
            x = uneven(23, rng)
            yield gradient_case(dtype, (40,), (0.3,), (0,), edge_order, rng)
            yield gradient_case(dtype, (23,), (x,), (0,), edge_order, rng)
            yield gradient_case(dtype, (17, 23), (0.7, x), (0, 1), edge_order, rng)
            yield gradient_case(dtype, (5, 6, 7), (1.0, 0.3, -2.0), (0, 1, 2), edge_order, rng)


def derivatives(dtype):
    """Every boundary, alone and with every other one at the other end; orders, accuracies, spacing
    and coordinates."""
    rng = np.random.default_rng(12)
    pairs = [
        (a, b) for a in BOUNDARIES for b in BOUNDARIES if (a == "periodic") == (b == "periodic")
    ]
    for k, boundary in enumerate(pairs):
        for uneven_grid in (False, True):
            deriv, accuracy = 1 + k % 4, 2 + 2 * ((k // 4) % 3)
            shape, axis = [((31,), 0), ((31, 6), 0), ((6, 31), 1), ((3, 31, 4), 1)][k % 4]
            x = uneven(31, rng) if uneven_grid else None
            factor = Factor(
                axis,
                deriv,
                accuracy,
                boundary if boundary[0] != boundary[1] else boundary[0],
                1.0 if k % 3 else -0.75,
                0.3,
                x,
                40.0 if uneven_grid and boundary[0] == "periodic" else 0.0,
            )
            case = Case(dtype, shape, [(0, 0, [factor])])
            yield case
            yield replace(case, transposed=True)


def places(dtype):
    """Staggered, biased and given stencils, with every boundary, and their sums and products."""
    rng = np.random.default_rng(14)
    n, h = 21, 0.3
    x = uneven(n, rng)
    for k, boundary in enumerate(BOUNDARIES):
        period = 40.0 if boundary == "periodic" else 0.0
        for position in POSITIONS[1:]:
            if boundary == "periodic" and position in ("inner", "outer"):
                continue
            one = Factor(0, k % 4, 2 + k % 3 * 2, boundary, 1.0, h, position=position)
            two = replace(one, deriv=1, x=x, period=period)
            for factor in (one, two):
                yield Case(dtype, (n, 3), [(0, 0, [factor])])
                yield Case(dtype, (n,), [(0, 0, [factor])], transposed=True)
            yield Case(dtype, (n,), [(0, 0, [one, replace(one, transposed=True, scale=-1.0)])])
        for side in ("left", "right"):
            one = Factor(0, 1 + k % 2, 1 + k % 3 * 2, boundary, 1.0, h, side=side)
            yield Case(dtype, (n,), [(0, 0, [one])])
            yield Case(dtype, (2, n), [(0, 0, [replace(one, axis=1, x=x, period=period)])])
            yield Case(dtype, (n,), [(0, 0, [one]), (0, 0, [replace(one, side=None, accuracy=2)])])
        if boundary != "one-sided":
            given = [(0.5, -2.0, 0.1, 1.4), (1.0, -2.5, 1.5), (0.25, 0.5, 0.25), (-1.5, 0.0, 1.5)]
            for j, weights in enumerate(given):
                stencil = (-1 - j % 2, weights, (), ())
                one = Factor(0, 0, 2, boundary, 2.5 - j, stencil=stencil)
                yield Case(dtype, (n,), [(0, 0, [one])])
                yield Case(dtype, (n,), [(0, 0, [one, Factor(0, 1, 2, boundary, 1.0, h)])])
    rows = ((-1.5, 2.0, -0.5), (0.25, 0.5, 0.5)), ((-1.0, 0.0, 1.0), (0.5, -2.0, 1.5))
    one = Factor(0, 0, 2, "valid", stencil=(-1, (-0.5, 0.0, 0.5), *rows))
    yield Case(dtype, (n,), [(0, 0, [one])])
    yield Case(dtype, (n,), [(0, 0, [one, one])], transposed=True)
    yield Case(dtype, (n, 2), [(0, 0, [replace(one, position="inner")])])
    for position, deriv in itertools.product(("inner", "outer"), (0, 1, 2)):
        nodes = np.concatenate(([2 * x[0] - x[1]], x, [2 * x[-1] - x[-2]]))
        at = 0.75 * nodes[:-1] + 0.25 * nodes[1:]
        at = at[1:-1] if position == "inner" else at
        one = Factor(0, deriv, 2, spacing=1.0, x=x, position=position, at=at)
        yield Case(dtype, (n, 2), [(0, 0, [one])])
    c = rng.uniform(1, 2, (n - 1, 4))
    flux = Factor(0, 1, 4, spacing=h, position="inner", coefficient=c)
    divergence = Factor(0, 1, 4, spacing=h, position="inner", transposed=True, scale=-1.0)
    yield Case(dtype, (n, 4), [(0, 0, [flux, divergence])])
    upwind = [
        Factor(0, 1, 3, "periodic", spacing=h, side=side, coefficient=rng.normal(size=(n, 4)))
        for side in ("left", "right")
    ]
    yield Case(dtype, (n, 4), [(0, 0, [one]) for one in upwind])
    velocity = rng.normal(size=(60, 70)).astype("f4" if dtype in ("f4", "c8") else "f8")
    for accuracy in (1, 3):
        transport = [
            Factor(axis, 1, accuracy, "periodic", -1.0, h, side=side, coefficient=velocity, sign=s)
            for axis in (0, 1)
            for side, s in (("left", 1), ("right", -1))
        ]
        yield Case(dtype, (60, 70), [(0, 0, [one]) for one in transport])


def data(dtype):
    """Boundaries with data, which are a second and a third input in C and Fortran."""
    rng = np.random.default_rng(15)
    n, h = 19, 0.3
    x = uneven(n, rng)
    kinds = [None, (1.0, 0.0), (0.0, 1.0), (1.5, -0.5)]
    for k, (left, right) in enumerate((a, b) for a in kinds for b in kinds if a or b):
        for outside in range(3):
            ends = (left and (*left, outside), right and (right[0], abs(right[1]), outside))
            factor = Factor(
                k % 2,
                1 + k % 3,
                2 + k % 2 * 2,
                ("one-sided", "valid")[k % 4 == 0],
                spacing=h,
                x=x if outside else None,
                data=ends,
                position=("center", "outer", "center", "outer", "center")[k % 5],
            )
            shape = (n, 3) if factor.axis == 0 else (2, n)
            yield data_case(dtype, shape, factor)


def data_case(dtype, shape, factor):
    terms = [(0, 0, [factor])]
    for end in (-1, 1):
        if factor.data[end > 0] is not None:
            terms.append((len(terms), 0, [replace(factor, datum=end)]))

    def results(u, *data):
        ends, given = [0.0, 0.0], list(data)
        for k in (0, 1):
            if factor.data[k] is not None:
                ends[k] = given.pop(0).take(-k, factor.axis).real
        spacing = factor.spacing if factor.x is None else factor.x
        grid = {"deriv": factor.deriv, "accuracy": factor.accuracy, "position": factor.position}
        D = fdx.Diff(factor.axis, spacing, boundary=factor.conditions(ends), **grid)
        return [D(u)]

    return Case(dtype, shape, terms, python=factor.operator()), results


def sums(dtype):
    """The operators of vector calculus, and others of several derivatives."""
    rng = np.random.default_rng(13)
    shape = (9, 11, 12)
    h = (0.5, 0.25, 0.3)

    def d(axis, deriv=1, scale=1.0, boundary="periodic", accuracy=4, **others):
        return Factor(axis, deriv, accuracy, boundary, scale, h[axis], **others)

    grid = {"accuracy": 4, "boundary": "periodic"}
    laplacian = [(0, 0, [d(k, 2)]) for k in range(3)]
    yield Case(dtype, shape, laplacian), lambda f: [fdx.laplacian(f, *h, **grid)]
    divergence = [(k, 0, [d(k)]) for k in range(3)]
    yield Case(dtype, shape, divergence), lambda *F: [fdx.divergence(F, *h, **grid)]
    curl = [
        term
        for k in range(3)
        for term in (
            ((k + 2) % 3, k, [d((k + 1) % 3)]),
            ((k + 1) % 3, k, [d((k + 2) % 3, scale=-1.0)]),
        )
    ]
    yield Case(dtype, shape, curl), lambda *F: list(fdx.curl(F, *h, **grid))
    jacobian = [(i, 3 * i + j, [d(j)]) for i in range(2) for j in range(3)]
    yield (
        Case(dtype, shape, jacobian),
        lambda *F: list(fdx.jacobian(F, *h, **grid).reshape(6, *shape)),
    )
    pairs = [(i, j) for i in range(3) for j in range(i, 3)]
    hessian = [(0, n, [d(i, 2)] if i == j else [d(j), d(i)]) for n, (i, j) in enumerate(pairs)]

    def upper(f):
        H = fdx.hessian(f, *h, **grid)
        return [H[i, j] for i, j in pairs]

    yield Case(dtype, shape, hessian), upper

    conductivity = rng.uniform(1, 2, shape)
    x = uneven(12, rng)
    several = [
        laplacian,
        [(0, 0, [d(0, 2, boundary="one-sided")]), (0, 0, [d(2, 1, boundary="reflect", x=x)])],
        [(0, 0, [d(0, boundary="valid")]), (0, 0, [d(1, 2, -3.0, "valid", 2)])],
        [(0, 0, [d(2, boundary="one-sided"), d(0, boundary="symmetric-odd", scale=2.5)])],
        [(0, 0, [Factor(0, 0)]), (0, 0, [d(1, 2, -0.1)])],
        [(0, 0, [d(1, coefficient=conductivity)]), (0, 0, [Factor(0, 0, scale=3.0)])],
        [(0, 0, [d(2, coefficient=conductivity), d(1)])],
    ]
    for terms in several:
        case = Case(dtype, shape, terms)
        yield case, None
        yield replace(case, transposed=True), None
        yield replace(case, alpha=-0.3), None
        yield replace(case, alpha=0.7, beta=-1.1), None
        yield replace(case, alpha=1.0, beta=0.0), None
    yield Case(dtype, shape, laplacian, box=((1, 2, 0), (8, 3, 11))), None
    yield Case(dtype, shape, laplacian, box=((0, 0, 3), (9, 11, 8)), alpha=0.7), None
    yield Case(dtype, shape, several[1], box=((0, 3, 2), (4, 11, 12)), transposed=True), None


def products():
    """Shapes and factors of products, most of them along one axis, of two and three derivatives."""
    rng = np.random.default_rng(15)
    n = 24
    x, h = uneven(n, rng), 0.3
    for k, (a, b) in enumerate((a, b) for a in BOUNDARIES for b in BOUNDARIES):
        one = Factor(0, 1 + k % 2, 2 + k // 2 % 2 * 2, a, 1.0, h)
        two = Factor(0, 1 + k // 4 % 3, 2, b, -0.75 if k % 5 == 0 else 1.0, -0.7)
        yield (n,), [one, two]
        if k % 3 == 0:
            yield (n, 3), [one, replace(two, transposed=True)]
        if k % 3 == 1:
            yield (n,), [replace(one, transposed=True, scale=2.5), two, one]
        if k % 3 == 2:
            yield (n, 5), [one, Factor(1, 1, 2, b), two]
    for a in BOUNDARIES:
        both = dict(boundary=a, x=x, period=40.0 if a == "periodic" else 0.0)
        one, two = Factor(0, 1, **both), Factor(0, 2, 4, **both, scale=-0.5)
        yield (n,), [one, Factor(0, 1, x=x[1:-1] if a == "valid" else x)]
        yield (n,), [one, replace(one, transposed=True)]
        if a != "valid":
            yield (n, 2), [replace(one, transposed=True), two]
        yield (n,), [two, Factor(0, 1, 2, a, 1.0, h)]
        yield (n,), [Factor(0, 0), one, Factor(0, 0, scale=-3.0), Factor(0, 1, 2, a, 1.0, h)]
    yield (7, n), [Factor(1, 1), Factor(0, 2), Factor(1, 2, scale=0.1), Factor(0, 1)]
    ring = Factor(0, 2, 4, "periodic", 1.0, h)
    yield (11,), [ring, replace(ring, deriv=1), ring]  # wider than the axis: not one band
    own = [Factor(0, 2, 4, "reflect", 1.0, h, own=n), Factor(0, 1, x=x, own=n)]
    yield (n,), own[:1]
    yield (n,), own
    yield (n,), [replace(own[1], transposed=True), own[0], own[1]]


def sums_along_an_axis():
    """Shapes and terms."""
    rng = np.random.default_rng(16)
    n = 24
    x, h = uneven(n, rng), 0.3
    one = Factor(0, 0)
    for k, a in enumerate(BOUNDARIES):
        grid = dict(boundary=a, spacing=h)
        d1, d2, d4 = Factor(0, 1, **grid), Factor(0, 2, **grid), Factor(0, 2, 4, **grid)
        other = Factor(0, 2, boundary=a, x=x, period=40.0 if a == "periodic" else 0.0)
        shape = [(n,), (n, 3), (3, n), (2, n, 2)][k % 4]
        axis = [0, 0, 1, 1][k % 4]
        for terms in (
            [[d1], [d2]],
            [[one], [d4]],
            [[one], [d1], [d2], [d4]],
            [[replace(one, scale=-2.5)], [replace(d2, scale=0.1)]],
            [[d1], [replace(d1, transposed=True)]],
            [[d4], [replace(d2, transposed=True), d1]],
            [[d1], [d1, d1], [d2]],
            [[d2], [other]],
            [[one], [other], [d1, d2]],
            [[d1, d2], [d2, d4], [d1]],
            [[replace(d1, scale=0.5, own=n * (a != "valid"))], [d2]],
        ):
            moved = [[replace(f, axis=axis) for f in factors] for factors in terms]
            yield shape, [(0, 0, factors) for factors in moved]
        for number in (0.0, -0.0, 0.1):
            yield (n,), [(0, 0, [d1], number), (0, 0, [d4])]
            yield (n,), [(0, 0, [one], number), (0, 0, [d4], -3.0)]
            yield (n,), [(0, 0, [d1, d2], number)]
            yield (n,), [(0, 0, [other], number)]
            yield (n,), [(0, 0, [one], number)]
    d1, d2 = Factor(0, 1, 4), Factor(0, 2)
    yield (n, 4), [(0, 0, [d1]), (0, 0, [d2]), (0, 0, [replace(d2, axis=1)])]
    # several inputs and outputs, and terms of one pair that are not neighbours
    yield (n,), [(0, 0, [d1]), (1, 0, [d2]), (0, 0, [d2]), (1, 1, [d1]), (1, 1, [d2, d1])]
    d3 = Factor(1, 3)
    yield (6, n), [(1, 0, [d1]), (0, 0, [d3]), (1, 0, [d2], 0.0), (0, 1, [d1])]


def with_coefficients():
    """Shapes and factors: arrays before, between and after derivatives, and several of them."""
    rng = np.random.default_rng(17)
    n = 24
    x = uneven(n, rng)

    def c(*shape):
        return rng.uniform(0.5, 2, shape)

    def one(values, scale=1.0):
        return Factor(0, 0, scale=scale, coefficient=values)

    for a in BOUNDARIES:
        rest = n - 2 if a == "valid" else n
        d, k = Factor(0, 1, 2, a, 1.0, 0.3), c(rest)
        kd = replace(d, coefficient=k)
        yield (n,), [kd, d]  # D @ (k * D)
        yield (n,), [one(c(n)), d]
        yield (n,), [one(c(n), -0.5), kd]
        yield (n,), [d, replace(d, coefficient=c(n - 4 if a == "valid" else n))]
        yield (n,), [kd, one(c(rest)), Factor(0, 2), replace(d, scale=0.1)]
        yield (n,), [kd, Factor(0, 1), replace(d, transposed=True)]
        coordinates = Factor(0, 1, 2, a, x=x, period=40.0 if a == "periodic" else 0.0)
        yield (n, 3), [replace(coordinates, coefficient=c(n - 2 if a == "valid" else n, 1))]
        yield (4, n), [one(c(4, 1)), replace(d, axis=1, coefficient=c(1, rest).astype("f4"))]
        k, along = c(rest, 4), Factor(1, 2, coefficient=c(n, 4))
        yield (n, 4), [along, replace(d, deriv=2, coefficient=k), Factor(1, 1)]
    yield (n,), [one(c(n)), one(c(n).astype("f4")), one(c(1))]
    yield (n,), [one(c(n), 0.1)]
    yield (n,), [Factor(0, 1), one(c(n), -3.0)]


def even_coordinates():
    """Shapes and factors."""
    n = 25
    for lo, hi in ((0.0, 1.0), (-3.0, 0.7), (2.0, -1.0), (1e3, 1e3 + 1)):
        double = np.linspace(lo, hi, n)
        h = double[1] - double[0]
        for x in (double, double.astype("f4")) if lo < 1e3 else (double,):
            grid = dict(x=x)
            for a in BOUNDARIES:
                grid["period"] = float(x.dtype.type(h * n)) if a == "periodic" else 0.0
                d = Factor(0, 1, 2, a, **grid)
                yield (n,), [replace(d, deriv=2, accuracy=4)]
                if a != "valid":
                    yield (n,), [d, replace(d, transposed=True)]
                    yield (n,), [d, Factor(0, 1, 2, a, 1.0, 0.3)]
            grid["period"] = float(x.dtype.type(1.5 * h * n))
            yield (n,), [Factor(0, 1, 2, "periodic", **grid)]


def crops():
    """Shapes, terms, and the operator of which these are the terms."""
    rng = np.random.default_rng(18)
    n = 24
    grid = dict(boundary="valid", spacing=0.3)
    d, d4, d2 = Factor(0, 1, **grid), Factor(0, 2, 4, **grid), Factor(0, 2)
    side = Factor(0, 3, 2, ("reflect", "valid"), spacing=0.3)
    across = Factor(1, 1, 4, "valid")
    A, A4, A2, S, B = (f.operator() for f in (d, d4, d2, side, across))

    def cut(axis, left, right, **others):
        return Factor(axis, 0, crop=(left, right), **others)

    k = rng.uniform(0.5, 2, n - 4)
    one = fdx.Identity()
    kd4 = replace(d4, coefficient=k)
    yield (n,), [(0, 0, [d, cut(0, 1, 1, coefficient=k)]), (0, 0, [kd4])], k * (A + A4)
    yield (n,), [(0, 0, [d, cut(0, 1, 1), d2]), (0, 0, [d4, d2])], A2 @ (A + A4)
    yield (n,), [(0, 0, [cut(0, 2, 2, coefficient=k)]), (0, 0, [kd4])], k * (one + A4)
    terms = [(0, 0, [cut(0, 2, 2, scale=-0.5), d2]), (0, 0, [d4, d2])]
    yield (n,), terms, A2 @ (A4 - 0.5 * one)
    terms = [(0, 0, [cut(0, 2, 2), d2], 0.0), (0, 0, [d4, d2], 2.5)]
    yield (n,), terms, A2 @ (2.5 * A4 + 0.0 * one)
    k = rng.uniform(0.5, 2, n - 3)
    terms = [
        (0, 0, [d, cut(0, 0, 1, coefficient=k), d2]),
        (0, 0, [side, cut(0, 1, 0, coefficient=k), d2]),
    ]
    yield (n,), terms, A2 @ (k * (A + S))
    k = rng.uniform(0.5, 2, (n - 2, 5))
    terms = [
        (0, 0, [d, cut(1, 2, 2, coefficient=k)]),
        (0, 0, [across, cut(0, 1, 1, coefficient=k)], 0.1),
    ]
    yield (n, 9), terms, k * (A + 0.1 * B)
    back = [replace(f, transposed=True) for f in (d, d4, cut(0, 1, 1))]
    yield (n,), [(0, 0, [back[2], back[0]]), (0, 0, [back[1]])], (A + A4).T
    terms = [(0, 0, [d, cut(0, 1, 1), back[2], back[0]]), (0, 0, [d4, back[2], back[0]])]
    terms += [(0, 0, [d, cut(0, 1, 1), back[1]]), (0, 0, [d4, back[1]])]
    yield (n,), terms, (A + A4).T @ (A + A4)


def described(operator, shape):
    """The terms of an operator, as Python describes them to C."""
    for term in operator._terms:
        factors = []
        leaves = (f for f in reversed(term.factors) if isinstance(f, Leaf))
        for axis, description, crop, transposed, c, sign in lowered(term, shape):
            if c is not None:
                c = c[tuple(slice(None if step else 1) for step in c.strides)]
            of = dict(crop=crop, transposed=transposed, coefficient=c, sign=sign)
            if description is None:
                factors.append(Factor(axis, 0, **of))
                continue
            f = next(leaves)
            x = None if f.coordinates is None else np.frombuffer(f.coordinates)
            boundary = BOUNDARIES[f.left], BOUNDARIES[f.right]
            numbers = (1.0, f.spacing, x, f.period or 0.0)
            of["side"] = {-1: "left", 0: None, 1: "right"}[f.side]
            factors.append(Factor(axis, f.deriv, f.accuracy, boundary, *numbers, **of))
        yield 0, 0, factors, term.scale


def of_python():
    """Shapes and operators."""
    rng = np.random.default_rng(19)
    x = uneven(13, rng)
    one = fdx.Identity()
    D = fdx.Diff(0, 0.3, accuracy=4)
    U = fdx.Diff(0, x)
    V = fdx.Diff(0, x, boundary="valid", deriv=2)
    E = fdx.Diff(1, 0.7, boundary=("valid", "reflect"), deriv=2)
    Z = fdx.Diff(-1, 0.3)
    P = fdx.Diff(1, 0.7, boundary="periodic")
    W = fdx.Diff(0, 0.3, boundary="valid")
    k, row = rng.uniform(0.5, 2, (13, 8)), rng.uniform(0.5, 2, 8)
    inner = k[1:-1]
    for operator in (
        D @ (k * D),
        Z @ (row * Z**2) + 0.1 * Z.T,
        k * (D @ (row * D)) + 0.1 * P,
        (D + U) @ (row * (P + one)),
        (k * U).T @ (k * U) - 0.5 * one,
        inner * (W + D),
        inner * (W + D) @ (k * one) + W @ V.T @ V,
        inner[:, 1:] * (W + E),
        (W + V + E).T @ (0.1 * W + V + E),
        (W + D) @ P - 3 * (W @ (k * P)),
        0.0 * D + P @ P - 0.0 * D.T,
        (D @ U + U @ D + P.T @ P) / 3,
        D**2 @ U**2 + P**3 + one,
        2 * (one - 0.1 * D**2) @ (one - 0.1 * P**2),
        V.T @ (k[:9, :1] * V),
        (W.T @ W + P) @ W.T @ (inner * W),
        fdx.Upwind(0, k - 1.0, x, accuracy=3) - fdx.Upwind(1, row - 1.0, 0.7),
    ):
        yield (13, 8), operator
        yield operator.output_shape((13, 8)), operator.T


def algebra(dtype):
    """Products, sums and multiples of derivatives and arrays, and the transposes of all of them."""
    one_term = (*products(), *with_coefficients(), *even_coordinates())
    cases = [Case(dtype, shape, [(0, 0, factors)]) for shape, factors in one_term]
    cases += [Case(dtype, shape, terms) for shape, terms in sums_along_an_axis()]
    cases += [Case(dtype, shape, terms, python=operator) for shape, terms, operator in crops()]
    for shape, operator in of_python():
        terms = list(described(operator, shape))
        cases.append(Case(dtype, shape, terms, python=operator))
    for case in cases:
        yield case
        yield replace(case, transposed=True)


def weights():
    rng = np.random.default_rng(14)
    for n, deriv in ((2, 1), (5, 2), (9, 4), (30, 3)):
        x = uneven(n, rng)
        yield ints(3, n, deriv) + doubles(x[0], *x), raw(fdx.weights(x, at=x[0], deriv=deriv))
        x = np.arange(n) - 1.5
        yield ints(3, n, deriv) + doubles(0.0, *x), raw(fdx.weights(x, deriv=deriv))


def solve_case(dtype, shape, axis, terms, operator, in_place=False, alpha=None, beta=1.0):
    """Along one axis, by the terms of an operator along axis 0 of one dimension."""
    rng = np.random.default_rng(20)
    case = Case(dtype, shape, terms, rng=rng)
    b = case.array(shape)
    x = operator.solve(b)
    before = case.array(shape).astype(x.dtype)
    text = ints(4, DTYPES[dtype], shape[axis], len(terms))
    for i, o, factors, *number in terms:
        text += ints(i, o, len(factors)) + doubles(*number or [1.0])
        text += b"".join(p.bytes() for p in factors)
    text += ints(len(shape), *shape, axis, in_place, alpha is not None)
    text += doubles(alpha or 0.0, beta) + raw(b)
    if alpha is not None:
        old = b if in_place else before
        kept = x.dtype.type(beta) * old if beta else np.negative(0, dtype=x.dtype)
        x = kept + x.dtype.type(alpha) * x
    return text if in_place else text + raw(before), raw(x)


def solves(dtype):
    """Matrices with and without exchanges of rows, periodic or not, in place or not."""
    n = 24
    c = np.random.default_rng(21).uniform(1, 2, n)
    one, ring = fdx.Identity(), dict(boundary="periodic", spacing=0.3)
    for k, shape in enumerate([(n,), (n, 5), (4, n), (3, n, 7), (2, 70, n)]):
        axis = shape.index(n)
        wide = tuple(n if d == axis else 1 for d in range(len(shape)))
        for of, itself, number in (
            (Factor(0, 2, 2, "symmetric", spacing=0.3), 1.0, -0.1),
            (Factor(0, 2, 4, **ring), 1.0, -0.1),
            (Factor(0, 1, 4, **ring), 1.0, 3.0),
            (Factor(0, 1, 2, **ring), 0.02, 5.0),
            (Factor(0, 2, 2, "reflect", spacing=0.3, coefficient=c), 1.0, -0.1),
        ):
            terms = [(0, 0, [Factor(0, 0)], itself), (0, 0, [of], number)]
            values = None if of.coefficient is None else of.coefficient.reshape(wide)
            there = replace(of, axis=axis, coefficient=values)
            operator = itself * one + number * there.operator()
            yield solve_case(dtype, shape, axis, terms, operator)
            if dtype[0] in "fc":
                yield solve_case(dtype, shape, axis, terms, operator, in_place=True)
                yield solve_case(dtype, shape, axis, terms, operator, True, -0.3, 0.7)
            yield solve_case(dtype, shape, axis, terms, operator, False, 0.7, (-1.1, 0.0)[k % 2])


def compact_schemes(dtype):
    for deriv, accuracy, periodic in itertools.product((1, 2), (4, 6, 8, 10), (False, True)):
        for shape, axis in (((15,), 0), ((15, 4), 0), ((3, 17), 1)):
            f = Case(dtype, shape, []).array(shape)
            boundary = "periodic" if periodic else "one-sided"
            scheme = fdx.Compact(axis, 0.3, deriv=deriv, accuracy=accuracy, boundary=boundary)
            text = ints(5, DTYPES[dtype], deriv, accuracy, periodic, len(shape), *shape, axis)
            yield text + doubles(0.3) + raw(f), raw(scheme(f))


def all_cases(dtypes, many_types):
    yield from gradients(dtypes)
    yield from weights()
    for dtype in (*dtypes, *many_types):
        yield from solves(dtype)
        yield from compact_schemes(dtype)
    for dtype in dtypes:
        for case in (*derivatives(dtype), *places(dtype)):
            yield case.bytes_and_results()
        for case, results in (*sums(dtype), *data(dtype)):
            yield case.bytes_and_results(results)
        for case in algebra(dtype):
            yield case.bytes_and_results()
    for dtype in many_types:
        yield from gradients([dtype])
        for case, results in sums(dtype):
            yield case.bytes_and_results(results)
        for case in algebra(dtype):
            yield case.bytes_and_results()


def objects(tmp_path_factory):
    def build(folder):
        objects_of(folder, *CC.split(), "-std=c99", "-O0")

    return sorted(once(tmp_path_factory, "objects", build).glob("csrc/*.o"))


def of_c(objects, program):
    flags = ["-std=c99", *STRICT, f"-I{CSRC}"]
    run(*CC.split(), *flags, TESTS / "c" / "apply.c", *objects, "-o", program)


def of_cpp(objects, program):
    """The header, and a program that uses it, are C++ as well."""
    flags = ["-std=c++11", *STRICT, f"-I{CSRC}"]
    source = ["-x", "c++", TESTS / "c" / "apply.c", "-x", "none"]
    run(tool(os.environ.get("CXX", "c++")), *flags, *source, *objects, "-o", program)


def of_fortran(objects, program):
    flags = ["-std=f2018", *STRICT, "-J", program.parent]
    sources = [CSRC / "fdx.f90", TESTS / "c" / "apply.f90"]
    run(tool("gfortran"), *flags, *sources, *objects, "-o", program)


@pytest.mark.parametrize("build", [of_c, of_cpp, of_fortran])
def test_the_bytes_of_python(build, tmp_path_factory, tmp_path):
    build(objects(tmp_path_factory), tmp_path / "apply")
    more = ["c16", "c8"] if build is of_fortran else ["c16", "c8", "i1", "u2", "i8"]
    cases = list(all_cases(["f8", "f4"], more))
    (tmp_path / "cases").write_bytes(b"".join(text for text, _ in cases) + ints(0))
    run("./apply", "cases", "results", cwd=tmp_path)
    got = (tmp_path / "results").read_bytes()
    at = 0
    for number, (_, wanted) in enumerate(cases):
        assert got[at : at + len(wanted)] == wanted, f"case {number} of {len(cases)}"
        at += len(wanted)
    assert at == len(got)
