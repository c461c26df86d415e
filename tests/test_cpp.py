"""csrc/fdx.hpp compiles as every C++ from 17 on, with and without exceptions, and its results have
the bits of Python's."""

import re
import subprocess

import numpy as np
import pytest
from building import CC, CSRC, ROOT, STRICT, objects_of, once, run, tool

import fdx

N, M = 12, 15
FLAGS = [
    "gnu++17 -O1 -include complex.h",  # which may define a macro I
    "c++17 -O0 -fno-exceptions -fno-rtti",
    "c++20 -O0 -fsanitize=undefined -fsanitize-undefined-trap-on-error",
    "c++2b -O0",
]
COMPILERS = [f"{cc} -std={flags}" for cc in ("g++", "clang++") for flags in FLAGS]


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    def build(folder):
        objects_of(folder, *CC.split(), "-std=c99", "-O0")

    return sorted(once(tmp_path_factory, "for_cpp", build).glob("csrc/*.o"))


def compiled(compiler, source, objects, folder):
    cc, *flags = compiler.split()
    strict = [*STRICT, "-Wconversion", "-Wsign-conversion", "-Wshadow"]
    command = [tool(cc), *flags, *strict, f"-I{CSRC}", source, *objects]
    run(*command, "-o", folder / "program")
    return folder / "program"


def numbers(dtype="f8", count=N * M):
    return (np.arange(count) * 7919 % 101).astype(dtype)


def expected():
    """Name and array of each result, as results.cpp has them."""
    D = fdx.Diff(0, 0.5, accuracy=4)
    E2 = fdx.Diff(1, 0.25, deriv=2, boundary="periodic")
    one, identity = fdx.Diff(0, 0.5), fdx.Identity()
    types = ["f4", "f8", "c8", "c16", "i1", "u2", "i4", "u8", "i8"]
    names = ["float", "double", "complex_float", "complex_double"]
    names += ["int8", "uint16", "int", "unsigned_long", "long_long"]
    for name, dtype in zip(names, types, strict=True):
        yield name, (D + E2)(numbers(dtype).reshape(N, M))

    u = numbers().reshape(N, M)
    v = numbers(count=N)
    flux = fdx.Diff(0, 0.5, position="inner")
    x = np.arange(N) * (np.arange(N) + 3) / 8
    between = x[:-1] + np.diff(x) / 4
    left, right = ("symmetric", "reflect-odd")
    formulas = {
        "difference": 3 * D - E2,
        "number": D - 0.5 * identity,
        "negative": -D,
        "product": one @ (2 * E2) @ one,
        "coefficient": u * D,
        "repeated": v[:, None] * D + E2,
        "upwind": fdx.Upwind(0, u, 0.5, accuracy=1),
        "diffusion": -(flux.T @ (v[:-1, None] * flux)),
        "valid": v[: N - 4, None] * fdx.Diff(0, 0.5, accuracy=4, boundary="valid"),
        "mirrors": fdx.Diff(0, 0.5, accuracy=4, boundary=(left, right)),
        "sbp": fdx.Diff(0, 0.5, accuracy=4, boundary="sbp"),
        "interpolation": fdx.Interp(1, accuracy=4, position="outer"),
        "stencil": fdx.Stencil(0, [-1, 0, 1], [0.25, 0.5, 0.25], left=[[1]], right=[[0.5, 0.5]]),
        "stencil_periodic": fdx.Stencil(1, [-1, 0, 1], [0.25, 0.5, 0.25], boundary="periodic"),
        "coordinates": fdx.Diff(0, x, accuracy=4),
        "period": fdx.Diff(0, x, boundary="periodic", period=32),
        "at": fdx.Diff(0, x, position="inner", at=between),
    }
    for name, operator in formulas.items():
        yield name, operator(u)
    w = u.ravel()[::-1].reshape(N, M)
    first, second = fdx.block([[None, D], [E2, 2 * identity]])(np.stack([u, w]))
    yield "first", first
    yield "second", second
    walls = fdx.Dirichlet(2.0, outside=0.5), "symmetric"
    yield "affine", fdx.Diff(0, 0.5, deriv=2, boundary=walls)(u)

    op, ones = D @ E2 + D, np.ones((N, M))
    yield "alpha_beta", op(u, out=ones.copy(), alpha=0.5, beta=2)
    ones[1:5, 2:] = op(u, out=np.empty_like(u), alpha=2)[1:5, 2:]
    yield "box", ones

    A = fdx.Identity() - 0.3 * fdx.Diff(1, 0.5, deriv=2, boundary="periodic")
    for name, dtype in ("solve", "f8"), ("solve_complex", "c8"):
        b = numbers(dtype).reshape(N, M)
        yield name, A.solve(b, out=np.ones_like(b), alpha=2, beta=0.5)

    yield "compact", fdx.Compact(0, 0.5)(u)
    periodic = fdx.Compact(1, 0.3, deriv=2, accuracy=10, boundary="periodic")
    yield "compact_periodic", periodic(u)
    yield "compact_mirrors", fdx.Compact(1, 0.5, accuracy=4, boundary=(left, right))(u)
    mixed = ("one-sided", "antisymmetric")
    h = 0.0588  # whose square is not that of glibc's pow
    yield "compact_mixed", fdx.Compact(0, h, deriv=2, accuracy=8, boundary=mixed)(u)

    x = np.arange(M) * (np.arange(M) + 3) / 8
    yield from zip(("gradient_0", "gradient_1"), np.gradient(u, 0.3, x, edge_order=2), strict=True)
    h = np.ones((N, M), "f4")
    h[:, :4] += 2 * np.gradient(u.astype("f4"), 0.3, axis=1)[:, :4]
    yield "gradient_single", h


@pytest.mark.parametrize("compiler", COMPILERS, ids=str)
def test_the_bits_of_python(compiler, objects, tmp_path):
    source = ROOT / "tests" / "cpp" / "results.cpp"
    with open(tmp_path / "results", "wb") as file:
        program = compiled(compiler, source, objects, tmp_path)
        subprocess.run([program], stdout=file, check=True)
    data = (tmp_path / "results").read_bytes()
    for name, wanted in expected():
        header = f"{name} {wanted.nbytes}\n".encode()
        assert data.startswith(header), (name, data[:50])
        got, data = data[len(header) :][: wanted.nbytes], data[len(header) + wanted.nbytes :]
        assert got == wanted.tobytes(), name
    assert data == b""


PAGE = """
%s
#include <cstdio>
int main()
{
    const ptrdiff_t n = 9, m = 11;
    const double h = 0.5, nu = 0.25, dt = 0.125;
    std::vector<double> field, next(n * m);
    for (int i = 0; i < n * m; i++)
        field.push_back(i * 7919 %% 101);
    %s
    return std::fwrite(field.data(), sizeof(double), field.size(), stdout) != field.size();
}
"""


def page(folder):
    (code,) = re.findall(r"```cpp\n(.*?)```", (CSRC / "README.md").read_text(), re.DOTALL)
    (folder / "page.cpp").write_text(PAGE % tuple(code.split("\n", 1)))
    return folder / "page.cpp"


@pytest.mark.parametrize("standard", ["c++17", "c++20"])
@pytest.mark.parametrize("cc", ["g++", "clang++"])
def test_the_example_of_its_page(cc, standard, objects, tmp_path):
    program = compiled(f"{cc} -std={standard} -O2", page(tmp_path), objects, tmp_path)
    u = numbers(count=99).reshape(9, 11)
    v = np.empty_like(u)
    across = fdx.Diff(0, 0.5, deriv=2, accuracy=4, boundary="symmetric")
    around = fdx.Diff(1, 0.5, deriv=2, accuracy=4, boundary="periodic")
    diffusion = 0.25 * (across + around)
    diffusion(u, out=v)
    diffusion(u, out=v, alpha=0.125, beta=1)
    v[2:-2, 2:-2] = diffusion(u, out=v.copy(), alpha=0.125, beta=1)[2:-2, 2:-2]
    u = (fdx.Identity() - 0.125 * 0.25 * across).solve(v)
    u = np.gradient(fdx.Compact(0, 0.5)(u), 0.5, axis=1, edge_order=2)
    assert subprocess.run([program], capture_output=True, check=True).stdout == u.tobytes()


USES_STATUS = """
void use(const fdx::array<double, 1> &u, const fdx::array<double, 1> &y)
{
    fdx::compiled op;
    fdx::compact compact;
    (void)op.make(2 * fdx::diff(0), 9);
    (void)op(u, y);
    (void)compact.make(fdx::diff(0), 9);
    (void)compact(u, y);
}
"""


def test_names_are_in_the_namespace(tmp_path):
    """Else copies in one program that differ would share functions."""
    defined = set()
    for name, flag in ("one", "-fexceptions"), ("two", "-fexceptions"), ("two", "-fno-exceptions"):
        (tmp_path / "one.cpp").write_text('#include "fdx.hpp"\n' + USES_STATUS)
        command = [tool("g++"), "-std=c++17", "-O0", flag, f"-DFDX_NAMESPACE={name}", f"-I{CSRC}"]
        run(*command, "-c", tmp_path / "one.cpp", "-o", tmp_path / "one.o")
        text = run("nm", "-C", "--defined-only", tmp_path / "one.o")
        names = set(re.findall(r" [uVvWw] (fdx::.*)", text))
        assert len(names) > 50
        assert names & defined == set()
        defined |= names
