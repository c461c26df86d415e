"""Programs in C, C++ and Fortran give the bytes that Python gives, for every kind of operator.

All read the same file, which tests/c/apply.c describes, and compile their operators.
"""

import os
import struct
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from building import CC, CSRC, ROOT, STRICT, objects_of, once, run, tool
from stencils import BOUNDARIES

import fdx

TESTS = ROOT / "tests"
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
    period: float = 0.0
    coefficient: object = None

    def boundary_numbers(self):
        both = self.boundary if isinstance(self.boundary, tuple) else (self.boundary,) * 2
        return [BOUNDARIES.index(b) for b in both]

    def bytes(self):
        x = () if self.x is None else self.x
        coefficient = () if self.coefficient is None else np.ravel(self.coefficient)
        text = ints(
            self.axis,
            self.deriv,
            self.accuracy,
            *self.boundary_numbers(),
            len(x),
            self.coefficient is not None,
        ) + doubles(self.scale, self.spacing, self.period, *x)
        return (
            text
            if self.coefficient is None
            else text + ints(len(coefficient)) + doubles(*coefficient)
        )

    def operator(self):
        if self.deriv == 0:
            result = self.scale * fdx.Identity()
        else:
            diff = fdx.Diff(
                self.axis,
                self.spacing if self.x is None else self.x,
                deriv=self.deriv,
                accuracy=self.accuracy,
                boundary=self.boundary,
                period=self.period if self.x is not None and self.period else None,
            )
            result = diff if self.scale == 1 else self.scale * diff
        return result if self.coefficient is None else self.coefficient * result


@dataclass(frozen=True, eq=False)
class Case:
    """An operator and its application. A term is (input, output, factors), the first factor being
    applied first."""

    dtype: str
    shape: tuple
    terms: list
    transposed: bool = False
    box: object = None  # corners
    alpha: object = None
    rng: object = field(default_factory=lambda: np.random.default_rng(1))

    def operator(self, output, source):
        terms = []
        for i, o, factors in self.terms:
            if (i, o) == (source, output):
                term = factors[0].operator()
                for factor in factors[1:]:
                    term = factor.operator() @ term
                terms.append(term)
        total = terms[0] if terms else None
        for term in terms[1:]:
            total = total + term
        return total

    def array(self, shape):
        values = self.rng.normal(size=shape) * 10
        if self.dtype.startswith("c"):
            values = values + 1j * self.rng.normal(size=shape)
        return values.astype(self.dtype)

    def bytes_and_results(self, results=None):
        """The bytes of the file, and of the results: those of Python's operators, or of `results`
        called with the inputs."""
        ninputs = 1 + max(i for i, _, _ in self.terms)
        noutputs = 1 + max(o for _, o, _ in self.terms)
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
                updated[box] = old[box] + result.type(self.alpha) * new[box]
            after.append(updated)
        text = ints(2, DTYPES[self.dtype], len(self.shape), *self.shape, self.transposed)
        text += ints(self.box is not None, *lo, *hi, self.alpha is not None)
        text += doubles(self.alpha or 0.0) + ints(len(self.terms))
        for i, o, factors in self.terms:
            text += ints(i, o, len(factors)) + b"".join(p.bytes() for p in factors)
        text += ints(ninputs, noutputs, *in_shape, *out_shape)
        text += b"".join(map(raw, inputs)) + b"".join(map(raw, before))
        return text, b"".join(map(raw, after))


def gradient_case(dtype, shape, spacing, axes, edge_order, rng):
    """np.gradient of f along axes, whose spacings are numbers or coordinates."""
    f = (rng.normal(size=shape) * 100).astype(dtype)
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
            yield Case(dtype, shape, [(0, 0, [factor])])


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
    yield Case(dtype, shape, laplacian, box=((1, 2, 0), (8, 3, 11))), None
    yield Case(dtype, shape, laplacian, box=((0, 0, 3), (9, 11, 8)), alpha=0.7), None
    yield Case(dtype, shape, several[1], box=((0, 3, 2), (4, 11, 12)), transposed=True), None


def weights():
    rng = np.random.default_rng(14)
    for n, deriv in ((2, 1), (5, 2), (9, 4), (30, 3)):
        x = uneven(n, rng)
        yield ints(3, n, deriv) + doubles(x[0], *x), raw(fdx.weights(x, at=x[0], deriv=deriv))
        x = np.arange(n) - 1.5
        yield ints(3, n, deriv) + doubles(0.0, *x), raw(fdx.weights(x, deriv=deriv))


def all_cases(dtypes, many_types):
    yield from gradients(dtypes)
    yield from weights()
    for dtype in dtypes:
        for case in derivatives(dtype):
            yield case.bytes_and_results()
        for case, results in sums(dtype):
            yield case.bytes_and_results(results)
    for dtype in many_types:
        yield from gradients([dtype])
        for case, results in sums(dtype):
            if case.alpha is None:
                yield case.bytes_and_results(results)


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
    flags = ["-std=f2008", *STRICT, "-J", program.parent]
    sources = [CSRC / "fdx.f90", TESTS / "c" / "apply.f90"]
    run(tool("gfortran"), *flags, *sources, *objects, "-o", program)


@pytest.mark.parametrize("build", [of_c, of_cpp, of_fortran])
def test_the_bytes_of_python(build, tmp_path_factory, tmp_path):
    build(objects(tmp_path_factory), tmp_path / "apply")
    more = [] if build is of_fortran else ["c16", "c8", "i1", "u2", "i8"]
    cases = list(all_cases(["f8", "f4"], more))
    (tmp_path / "cases").write_bytes(b"".join(text for text, _ in cases) + ints(0))
    run("./apply", "cases", "results", cwd=tmp_path)
    got = (tmp_path / "results").read_bytes()
    at = 0
    for number, (_, wanted) in enumerate(cases):
        assert got[at : at + len(wanted)] == wanted, f"case {number} of {len(cases)}"
        at += len(wanted)
    assert at == len(got)
