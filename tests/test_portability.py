"""csrc/ on other machines: cross-compiled, with its C tests in an emulator."""

import itertools
import os
import platform
import re
import subprocess
import sys

import pytest
from building import CSRC, HEADERS, ROOT, STRICT, objects_of, run, tool

# Compiler, flags, and what runs its programs.
I686 = (["-m32", "-msse2", "-mfpmath=sse", "-static"], "env")
MACHINES = {
    "aarch64-linux": ("aarch64-linux-gnu-gcc", ["-static"], "qemu-aarch64"),
    "x86_64-windows": ("x86_64-w64-mingw32-gcc", ["-static"], "wine"),
    "i686-linux": ("gcc", *I686),
    "i686-linux-cross": ("i686-linux-gnu-gcc", *I686),
}
# About a second each, half of it for the emulator.
CASES = {"bands": 40, "gradient": 150, "make": 80, "operator": 300, "refusals": 1, "weights": 400}


@pytest.mark.parametrize("machine", MACHINES)
def test_another_machine(machine, tmp_path):
    cc, flags, emulator = MACHINES[machine]
    cc, emulator = tool(cc), tool(emulator)
    env = {"WINEPREFIX": str(tmp_path / "wine"), "WINEDEBUG": "-all"}
    if machine.startswith("i686") and not is_served(tmp_path, cc, *flags):
        pytest.skip(f"{cc} makes no programs for {machine} that run here")
    # Without -std, as many compile it, gcc fuses products and sums wherever it is not told not to.
    objects = objects_of(tmp_path, cc, *flags, "-O2", *STRICT)
    if machine.startswith("aarch64"):
        assert fused(objects, cc.removesuffix("gcc") + "objdump") == set()
    for name, cases in CASES.items():
        source, program = ROOT / "tests" / "c" / f"test_{name}.c", tmp_path / f"{name}.exe"
        run(cc, "-O1", *flags, f"-I{CSRC}", source, *objects, "-lm", "-o", program)
        run(emulator, program, cases, env=env)


def is_served(folder, *command):
    """Whether a compiler has what these flags take, and this processor runs its programs."""
    (folder / "none.c").write_text("#include <math.h>\nint main(void) { return 0; }\n")
    made = subprocess.run([*command, "none.c", "-o", "none"], cwd=folder, capture_output=True)
    return made.returncode == 0 and subprocess.run([folder / "none"]).returncode == 0


def test_clang_fuses_nothing_on_aarch64_either(tmp_path):
    clang, objdump = tool("clang"), tool("aarch64-linux-gnu-objdump")
    headers = "/usr/aarch64-linux-gnu/include"
    if not os.path.isdir(headers):
        pytest.skip("the C library's headers for aarch64 are not installed")
    target = ["--target=aarch64-linux-gnu", f"-I{headers}"]
    assert fused(objects_of(tmp_path, clang, *target, "-O1", *STRICT), objdump) == set()


def fused(objects, objdump):
    """Functions with fused multiply-adds."""
    text = run(objdump, "-d", *objects)
    found = re.findall(r"^[0-9a-f]+ <(\w+)>:|\t(fn?m(?:add|sub)|fml[as])\t", text, re.MULTILINE)
    assert ("quotient_f64", "") in found, "objdump printed nothing that was understood"
    return {name for (name, _), (_, fuse) in itertools.pairwise(found) if fuse}


# The macros that identify Microsoft's compiler, with /std:c11 /fp:strict, and its C.
MICROSOFT = "-std=c11 -fms-extensions -fms-compatibility -U__GNUC__ -U__clang__ -D_M_FP_STRICT"


@pytest.mark.parametrize("options", ["-std=c99", MICROSOFT], ids=["clang-cl", "cl"])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_branches_for_microsoft_s_compiler(machine, options, tmp_path):
    """That compiler is not installed, but clang compiles the same lines."""
    clang = tool("clang")
    for name, text in HEADERS.items():
        (tmp_path / name).write_text(text)
    target = [f"--target={machine}-pc-windows-msvc", "-ffreestanding", "-isystem", tmp_path]
    run(clang, *target, "-fsyntax-only", *STRICT, *options.split(), *CSRC.glob("*.c"))


def test_microsoft_s_compiler_is_told_what_it_needs(tmp_path):
    for name, text in HEADERS.items():
        (tmp_path / name).write_text(text)
    options = [*MICROSOFT.split()[:-1], "-ffreestanding", "-isystem", tmp_path, "-fsyntax-only"]
    command = [tool("clang"), "--target=x86_64-pc-windows-msvc", *options, CSRC / "fdx_cpu.c"]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "fdx needs /std:c11" in refused.stderr


BEST_TABLE = """
#include <stdio.h>
#include "fdx_rows.h"
static int yes(void) { return 1; }
#define TABLE(x) const fdx_isa FDX_TABLE(fdx_isa_##x) = {.name = #x, .computes_as_written = yes};
FDX_TABLES(TABLE)
int main(void) { return puts(fdx_isa_name(fdx_isa_find("auto"))) < 0; }
"""


def test_processors(tmp_path):
    """Each gets the best table that it is up to: AVX2 takes FMA too, and a system that saves
    registers."""
    if platform.machine() != "x86_64":
        pytest.skip("of x86-64")
    cc, qemu, program = tool("gcc"), tool("qemu-x86_64"), tmp_path / "best"
    (tmp_path / "best.c").write_text(BEST_TABLE)
    run(cc, "-O3", f"-I{CSRC}", tmp_path / "best.c", CSRC / "fdx_cpu.c", "-static", "-o", program)
    processors = ["Nehalem", "SandyBridge", "Haswell", "Haswell,-fma", "Haswell,-xsave"]
    got = {model: run(qemu, "-cpu", model, program).strip() for model in processors}
    assert got == dict.fromkeys(processors, "base") | {"Haswell": "avx2"}


ROUNDED = """
import ctypes, ctypes.util
import numpy as np
import fdx

libm = ctypes.CDLL(ctypes.util.find_library("m"))
rng = np.random.default_rng(0)
count = 0
for n in (3, 40, 700):
    x = np.cumsum(rng.uniform(1, 2, n))
    for dtype in ("f8", "f4", "c16", "c8", "i4"):
        f = (100 * rng.normal(size=(n, 3)) * (1 + 1j)).astype(dtype)
        for spacing in (0.1, 3.0, np.float64(0.3), np.float32(0.3), x, x.astype("f4")):
            for edge_order in (1, 2):
                for mode in map(int, "MODES".split()):
                    assert libm.fesetround(mode) == 0
                    try:
                        want = np.gradient(f, spacing, axis=0, edge_order=edge_order)
                        got = fdx.gradient(f, spacing, axis=0, edge_order=edge_order)
                    finally:
                        libm.fesetround(0)
                    assert got.tobytes() == want.tobytes(), (n, dtype, spacing, edge_order, mode)
                    count += 1
print(count)
"""


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "aarch64") or not sys.platform.startswith("linux"),
    reason="fesetround's modes are those of its platform",
)
def test_other_rounding_modes():
    """Down, up or toward zero, weights at the edges are rounded by their sign, as in NumPy."""
    modes = "1024 2048 3072" if platform.machine() == "x86_64" else f"{2 << 22} {1 << 22} {3 << 22}"
    code = ROUNDED.replace("MODES", modes)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 540
