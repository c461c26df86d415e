"""csrc/ stands alone: it builds with nothing but a compiler, whichever, allocates nothing, owns its
names, and passes its own tests."""

import os
import platform
import re
import subprocess

import pytest
from building import CC, CSRC, HEADERS, ROOT, STRICT, copied, objects_of, once, run, tool

# What the objects may ask of the C library; the rest is each other.
ALLOWED = {"memcpy", "memmove", "memset", "strcmp"}


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    def build(folder):
        objects_of(folder, *CC.split(), "-std=c99", "-O3", *STRICT)

    return sorted(once(tmp_path_factory, "vendored", build).glob("csrc/*.o"))


def made_of(objects, folder):
    """A program that prints hashes of results."""
    source = ROOT / "tests" / "c" / "bits.c"
    command = [*CC.split(), "-std=c99", "-O1", *STRICT, f"-I{CSRC}", source, *objects, "-lm"]
    run(*command, "-o", folder / "bits")
    return folder / "bits"


@pytest.fixture(scope="module")
def bits(objects, tmp_path_factory):
    return made_of(objects, tmp_path_factory.mktemp("bits"))


# What compilers tell of, so that it is refused.
REFUSED = [
    *("gcc -ffast-math", "gcc -Ofast", "gcc -funsafe-math-optimizations", "gcc -fno-signed-zeros"),
    *("gcc -freciprocal-math", "gcc -ffinite-math-only", "gcc -mfpmath=387"),
    "gcc -fassociative-math -fno-signed-zeros -fno-trapping-math",
    *("clang -ffast-math", "clang -Ofast", "clang -ffinite-math-only"),
]
# What they do not tell of, or what does no harm. On a busy day only the first ones.
HARMLESS = [
    "gcc -std=gnu99 -fno-math-errno -fno-trapping-math -fcx-limited-range -fexcess-precision=fast",
    "clang -std=c99 -funsafe-math-optimizations -fno-math-errno",
]
if os.environ.get("FDX_ALL_FLAGS"):
    HARMLESS += [f"gcc -std=c99 {flag}" for flag in ("-fno-trapping-math", "-frounding-math")]
    HARMLESS += ["gcc -std=c99 -fassociative-math", "gcc -std=gnu99 -march=native"]
    HARMLESS += [
        f"clang -std=c99 {flag}"
        for flag in (
            *("-fno-signed-zeros", "-freciprocal-math", "-fapprox-func", "-frounding-math"),
            *("-fno-honor-nans", "-fno-honor-infinities", "-ffp-contract=fast"),
            "-fassociative-math -fno-signed-zeros -fno-trapping-math",
            "-ffast-math -fhonor-nans -fhonor-infinities",
            "-ffast-math -fno-finite-math-only -march=native",
        )
    ]


@pytest.mark.parametrize("flags", REFUSED)
def test_fast_arithmetic_is_refused(flags):
    cc, *flags = flags.split()
    command = [tool(cc), "-std=c99", "-O2", "-fsyntax-only", *flags]
    if cc == "gcc" and platform.machine() != "x86_64" and "387" in flags[0]:
        pytest.skip("of x86-64")
    sources = [CSRC / name for name in ("fdx_weights.c", "fdx_gradient.c", "fdx_isa_base.c")]
    for source in sources:
        refused = subprocess.run([*command, source], capture_output=True, text=True)
        assert refused.returncode != 0
        assert re.search("error.*fdx (promises|needs)", refused.stderr)
    if "-mfpmath=387" not in flags:
        own = re.findall(r"'(-f.*?)'", (CSRC / "meson.build").read_text())
        assert "-fno-fast-math" in own
        run(*command, "-O3", *own, *sources)


def test_processors_with_half_precision():
    """For them gcc's own standard has FLT_EVAL_METHOD 16: float and double are as with 0."""
    as_if = [tool("gcc"), "-std=gnu99", "-fsyntax-only", "-U__FLT_EVAL_METHOD__"]
    sources = [CSRC / name for name in ("fdx_weights.c", "fdx_bands.c", "fdx_isa_base.c")]
    run(*as_if, "-D__FLT_EVAL_METHOD__=16", *sources)
    with pytest.raises(AssertionError, match="fdx needs arithmetic in the operands' own precision"):
        run(*as_if, "-D__FLT_EVAL_METHOD__=2", *sources)


@pytest.mark.parametrize("flags", HARMLESS)
def test_other_flags_change_no_bit(flags, bits, tmp_path):
    """Nor an exception. What clang fuses in spite of all is not offered."""
    cc, *flags = flags.split()
    lines = run(bits).splitlines()
    others = run(made_of(objects_of(tmp_path, tool(cc), "-O1", *flags), tmp_path)).splitlines()
    tables = {line.split()[0] for line in others}
    assert others == [line for line in lines if line.split()[0] in tables]
    fused = re.search("contract=fast|-ffast-math", " ".join(flags))
    assert fused or len(others) == len(lines)


MODES = ["1f80", "9fc0", "9f80", "1fc0", "3f80", "5f80", "7f80", "0000"]


def test_weights_in_any_environment(bits):
    """Where subnormal numbers are 0, rounding is another, or exceptions are traps."""
    wanted = [line for line in run(bits).splitlines() if " weights " in line]
    assert wanted
    assert {mode: run(bits, mode).splitlines() for mode in MODES} == dict.fromkeys(MODES, wanted)


@pytest.mark.parametrize(
    "compiler", ["gcc -std=c11", "clang -std=c99", "musl-gcc -std=c99 -static"], ids=str.split
)
def test_other_compilers(compiler, tmp_path):
    cc, *flags = compiler.split()
    flags += ["-O0", *STRICT]
    objects = objects_of(tmp_path, tool(cc), *flags)
    test = ROOT / "tests" / "c" / "test_make.c"
    run(cc, *flags, f"-I{CSRC}", test, *objects, "-lm", "-o", tmp_path / "test")
    run(tmp_path / "test", 500)


def test_fortran_has_the_header_s_numbers():
    header = (CSRC / "fdx.h").read_text()
    wanted = {name: value for name, value in re.findall(r"#define (FDX_\w+) (\S+)", header)}
    for body in re.findall(r"typedef enum \{(.*?)\}", header, re.DOTALL):
        names = re.findall(
            r"(FDX_\w+)(?: = (\d))?", re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
        )
        first = int(names[0][1] or 0)
        wanted |= {name: str(value) for value, (name, _) in enumerate(names, first)}
    module = (CSRC / "fdx.f90").read_text()
    got = dict(re.findall(r"\b(FDX_[A-Z0-9_]+) = ('[^']*'|-?\d+)", module))
    assert got.pop("FDX_E_CONFORM")[0] == got.pop("FDX_E_UNMADE")[0] == "-"  # its own
    assert {name: value.replace("'", '"') for name, value in got.items()} == wanted


@pytest.mark.parametrize(
    "flags",
    [
        "-DNUMBER=real(real32) -O0 -fcheck=all,no-array-temps",
        "-DNUMBER=real(real64) -O0 -fcheck=all,no-array-temps",
        "-DNUMBER=complex(real32) -O0 -fcheck=all,no-array-temps",
        "-DNUMBER=complex(real64) -O0 -fcheck=all,no-array-temps",
        "-DNUMBER=real(real32) -O3",
        "-DNUMBER=real(real64) -O2 -fcheck=recursion -fopenmp",
        "-DNUMBER=complex(real32) -O2 -fcheck=recursion -fopenmp",
        "-DNUMBER=complex(real64) -O3",
    ],
)
def test_fortran_arrays(flags, objects, tmp_path):
    sources = [CSRC / "fdx.f90", ROOT / "tests" / "c" / "arrays.f90"]
    command = [tool("gfortran"), "-std=f2018", *STRICT, "-cpp", *flags.split(), "-J", tmp_path]
    run(*command, *sources, *objects, "-o", tmp_path / "arrays")
    run(tmp_path / "arrays")


USES_BOTH = """
const char *one(const char *name), *two(const char *name);
#ifdef MAIN
int main(void) { return one("base") == 0 || two("base") == 0 || one("none") != 0; }
#else
#include "fdx.h"
const char *HERE(const char *name)
{
    double x[3] = {0, 1, 2}, w[3];
    const fdx_isa *isa = fdx_isa_find(name);
    return isa != 0 && fdx_weights(w, 0, x, 3, 1, 1) == FDX_OK ? fdx_isa_name(isa) : 0;
}
#endif
"""


def test_two_copies_in_one_program(tmp_path):
    (tmp_path / "uses.c").write_text(USES_BOTH)
    both = []
    for name in ("one", "two"):
        compiler = [*CC.split(), "-std=c99", "-O0", *STRICT, f"-DFDX_NAMESPACE={name}"]
        both += objects_of(tmp_path / name, *compiler)
        uses = tmp_path / name / "uses.o"
        run(*compiler, f"-DHERE={name}", f"-I{CSRC}", "-c", tmp_path / "uses.c", "-o", uses)
        both.append(uses)
    exported = symbols(both, "-g", "--defined-only") - {"one", "two"}
    assert len(exported) > 80
    assert {name for name in exported if not name.startswith(("one_fdx_", "two_fdx_"))} == set()
    run(*CC.split(), "-DMAIN", tmp_path / "uses.c", *both, "-o", tmp_path / "both")
    run(tmp_path / "both")


def test_only_tables_have_new_instructions(tmp_path):
    """Every x86-64 processor runs the rest: the assembler says so."""
    if platform.machine() != "x86_64":
        pytest.skip("of x86-64")
    oldest = [tool("gcc"), "-std=c99", "-O3", "-Wa,-march=generic64", "-c"]
    newer = sorted(path.name for path in CSRC.glob("fdx_isa_*.c") if path.stem != "fdx_isa_base")
    rest = [source for source in copied(tmp_path / "csrc") if source not in newer]
    run(*oldest, *rest, cwd=tmp_path / "csrc")
    refused = subprocess.run(
        [*oldest, "-O0", newer[0]], cwd=tmp_path / "csrc", capture_output=True, text=True
    )
    assert "not supported on `generic64'" in refused.stderr


def symbols(objects, *options):
    text = subprocess.run(
        ["nm", *options, *objects], check=True, capture_output=True, text=True
    ).stdout
    lines = [line for line in text.splitlines() if re.match(r"[0-9a-f ]+ [A-Za-z] ", line)]
    return {line.split()[-1] for line in lines}


def test_no_allocator_and_no_python(objects):
    undefined = symbols(objects, "-u")
    assert undefined, "nm printed nothing that was understood"
    own = ("fdx_", "_GLOBAL_OFFSET_TABLE_")
    assert {name for name in undefined if not name.startswith(own)} <= ALLOWED


def test_exported_names_are_prefixed(objects):
    exported = symbols(objects, "-g", "--defined-only")
    assert "fdx_gradient_apply_part" in exported
    assert {name for name in exported if not name.startswith("fdx_")} == set()


def test_no_writable_globals(objects):
    text = subprocess.run(["nm", *objects], check=True, capture_output=True, text=True).stdout
    writable = [line for line in text.splitlines() if re.search(r" [bBcCdDgGsS] ", line)]
    # In position-independent code a const table of addresses is relocated data: "d", read-only.
    assert [
        line for line in writable if not re.search(" [dD] (fdx_isa|fdx_members|compact)_", line)
    ] == []


def test_products_and_sums_are_fused_only_on_purpose(objects):
    text = subprocess.run(["objdump", "-d", *objects], check=True, capture_output=True, text=True)
    assert "<quotient_f64>:" in text.stdout, "objdump printed nothing that was understood"
    fused, errors, function = set(), set(), ""
    for line in text.stdout.splitlines():
        if start := re.match(r"[0-9a-f]+ <(\w+)", line):
            function = start[1]
        elif re.search(r"\tvfmsub", line):
            errors.add(function)
        elif re.search(r"\tvfn?m(add|sub)|\tfn?m(add|sub|la|ls)\b", line):
            fused.add(function)
    purpose = ("correct", "prepare", "stepped", "vector", "put_all", "divided")
    assert {name for name in fused if not name.startswith(purpose)} == set()
    # Double-doubles: the rounding error of a product, a b - product, and nothing else.
    doubled = ("stencils", "three_nodes", "times_difference", "multiply", "add_", "scale_sums")
    assert {name for name in errors if not name.startswith(purpose + doubled)} == set()


BEFORE_README = """
#include <stdlib.h>
static int left = -1; /* calls of malloc, before one that fails */
static void *scarce(size_t bytes)
{
    return left-- == 0 ? NULL : malloc(bytes);
}
#define malloc scarce
"""
USES_README = """
#include <stdio.h>
int main(void)
{
    enum { N = 32 };
    static double u[N * N], y[N * N];
    for (int i = 0; i < N * N; i++)
        u[i] = (double)(i / N) * (i / N) + ((i % N) % 2 == 0); /* 2, and +-16/3 of a wave */
    if (laplacian(u, y, N, N, 1) != FDX_OK)
        return 1;
    for (int i = 0; i < N * N; i++) {
        const double error = y[i] - 2 + ((i % N) % 2 == 0 ? 8. / 3 : -8. / 3);
        if (error > 1e-10 || error < -1e-10)
            return printf("%d: %g\\n", i, y[i]);
    }
    for (int calls = 0; calls < 2; calls++) {
        left = calls;
        if (laplacian(u, y, N, N, 1) != FDX_E_NULL || left != -1)
            return printf("malloc\\n");
    }
    return laplacian(u, y, 3, N, 1) != FDX_E_SIZE;
}
"""


# g++ warns of members that are left out on purpose.
CPP20 = "g++ -std=c++20 -Wno-missing-field-initializers"


@pytest.mark.parametrize("compiler", [f"{CC} -std=c99", CPP20, "clang++ -std=c++20"])
def test_the_example_of_its_page(compiler, objects, tmp_path):
    cc, *flags = compiler.split()
    page = (CSRC / "README.md").read_text()
    code = re.search(r"```c\n(.*?)```", page, re.DOTALL)[1]
    name = "example.cpp" if "++" in cc else "example.c"
    (tmp_path / name).write_text(BEFORE_README + code + USES_README)
    command = [tool(cc), *STRICT, *flags, f"-I{CSRC}", tmp_path / name, *objects]
    run(*command, "-o", tmp_path / "example")
    run(tmp_path / "example")


DIFFUSION = """
#include "fdx.h"
int main(void)
{
    static double memory[999];
    double u[5] = {0, 1, 4, 9, 16}, at_midpoints[4] = {1, 2, 2, 1}, y[5];
    const double h = 0.5, wanted[5] = {4, 20, 16, -12, -28}; /* as docs/schemes.md has them */
    const ptrdiff_t shape[1] = {5}, stride[1] = {sizeof *u};
    const fdx_array k = {.data = at_midpoints, .stride = stride, .dtype = FDX_F64};
    %s
    const fdx_sum sum = {.ndim = 1, .shape = shape, .nterms = 1, .term = &diffusion,
                         .isa = fdx_isa_find("auto")};
    const fdx_operator *op;
    if (fdx_operator_size(&sum) > sizeof memory || fdx_operator_make(memory, &sum, &op) != FDX_OK)
        return 1;
    static double workspace[9999];
    const fdx_array in = {.data = u, .stride = stride, .dtype = FDX_F64};
    const fdx_array out = {.data = y, .stride = stride, .dtype = FDX_F64};
    const fdx_call call = {.op = op, .in = &in, .out = &out};
    if (fdx_apply(&call, workspace, sizeof workspace) != FDX_OK)
        return 2;
    for (int i = 0; i < 5; i++)
        if (y[i] != wanted[i])
            return 3;
    return 0;
}
"""


def test_the_diffusion_of_its_page(objects, tmp_path):
    code = re.findall(r"```c\n(.*?)```", (CSRC / "README.md").read_text(), re.DOTALL)[1]
    (tmp_path / "diffusion.c").write_text(DIFFUSION % code)
    flags = ["-std=c99", *STRICT, f"-I{CSRC}"]
    run(*CC.split(), *flags, tmp_path / "diffusion.c", *objects, "-o", tmp_path / "diffusion")
    run(tmp_path / "diffusion")


USES_DIFFUSE = """
#include <math.h>
int main(void)
{
    enum { N0 = 40, N1 = 7, STEPS = 5 };
    static double u[N0 * N1];
    const double h = 0.1, r = 0.3, theta = 3 * 3.141592653589793 / N0; /* three half waves, ... */
    for (int i = 0; i < N0 * N1; i++)
        u[i] = (i % N1 - 2) * cos(theta * (i / N1 + 0.5));
    if (diffuse(u, N0, N1, h, r, STEPS) != FDX_OK)
        return 1;
    /* ... of which the stencil -1, 16, -30, 16, -1 makes so many, and steps this part of them */
    const double rate = (-30 + 32 * cos(theta) - 2 * cos(2 * theta)) / (12 * h * h);
    const double kept = pow((1 + r * rate) / (1 - r * rate), STEPS);
    for (int i = 0; i < N0 * N1; i++)
        if (!(fabs(u[i] - kept * (i % N1 - 2) * cos(theta * (i / N1 + 0.5))) < 1e-13))
            return printf("%d: %g\\n", i, u[i]);
    for (int calls = 0; calls < 3; calls++) {
        left = calls;
        if (diffuse(u, N0, N1, h, r, 1) != FDX_E_NULL || left != -1)
            return printf("malloc\\n");
    }
    return diffuse(u, N0, N1, 0, r, 1) != FDX_E_NODES;
}
"""


def test_the_implicit_step_of_its_page(objects, tmp_path):
    section = (CSRC / "README.md").read_text().partition("## An implicit step in C\n")[2]
    code = re.search(r"```c\n(.*?)```", section, re.DOTALL)[1]
    includes = '#include <stdio.h>\n#include "fdx.h"\n'
    (tmp_path / "step.c").write_text(BEFORE_README + includes + code + USES_DIFFUSE)
    command = [*CC.split(), "-std=c99", *STRICT, f"-I{CSRC}", tmp_path / "step.c", *objects, "-lm"]
    run(*command, "-o", tmp_path / "step")
    run(tmp_path / "step")


FORGOTTEN = """
#include "fdx.h"
int main(void)
{
    static double memory[999];
    const ptrdiff_t shape[1] = {9};
    const fdx_band *band;
    const fdx_operator *op;
    fdx_factor first = {.what = {.n = 9, .deriv = 1, .accuracy = 2, .scale = 1, .spacing = 1}};
    const fdx_term product = {.nfactors = 1, .factor = &first};
    const fdx_sum sum = {.ndim = 1, .shape = shape, .nterms = 1, .term = &product,
                         .isa = fdx_isa_find("auto")};
    for (int deriv = 0; deriv < 2; deriv++) {
        first.what.deriv = deriv;
        first.what.scale = 1;
        if (fdx_operator_make(memory, &sum, &op) != FDX_OK)
            return 1;
        first.what.scale = 0;
        if (fdx_operator_make(memory, &sum, &op) != FDX_E_NODES)
            return 2;
    }
    if (fdx_band_derivative(memory, &first.what, &band) != FDX_E_NODES)
        return 3;
    first.what.scale = 1;
    first.what.spacing = 0;
    return fdx_operator_make(memory, &sum, &op) != FDX_E_NODES;
}
"""


def test_a_scale_or_spacing_that_was_forgotten_is_refused(objects, tmp_path):
    (tmp_path / "forgotten.c").write_text(FORGOTTEN)
    flags = ["-std=c99", *STRICT, f"-I{CSRC}"]
    run(*CC.split(), *flags, tmp_path / "forgotten.c", *objects, "-o", tmp_path / "forgotten")
    run(tmp_path / "forgotten")


@pytest.mark.parametrize("level", ["-O1", "-Os"])
@pytest.mark.parametrize("target", ["x86_64-linux-gnu", "riscv64-linux-gnu"])
def test_clang_has_nothing_to_say_of_loops_as_they_are(target, level, tmp_path):
    for name, text in HEADERS.items():
        (tmp_path / name).write_text(text)
    command = [tool("clang"), f"--target={target}", "-ffreestanding", "-isystem", tmp_path]
    command += ["-std=c99", level, *STRICT, "-c", CSRC / "fdx_isa_base.c"]
    run(*command, "-o", tmp_path / "base.o")


def test_its_page_names_every_file():
    page = (CSRC / "README.md").read_text()
    missing = [p.name for p in CSRC.iterdir() if f"`{p.name}`" not in page]
    assert missing == ["README.md"]


def test_the_c_tests_pass():
    subprocess.run(["bash", ROOT / "tests" / "c" / "run.sh", "3000"], check=True)
