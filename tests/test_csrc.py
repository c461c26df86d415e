"""csrc/ stands alone: it builds with nothing but a C compiler, allocates nothing, owns its names,
and passes its own tests."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CC = os.environ.get("CC", "cc")

# What the objects may ask of the C library; the rest is each other and the compiler's own
# (__cpu_model, to ask the processor).
ALLOWED = {"memcpy", "memmove", "memset", "strcmp"}


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vendored") / "csrc"
    shutil.copytree(ROOT / "csrc", folder)
    sources = sorted(path.name for path in folder.glob("*.c"))
    flags = ["-std=c99", "-O3", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    subprocess.run([CC, *flags, "-c", *sources], cwd=folder, check=True)
    return sorted(folder.glob("*.o"))


def symbols(objects, *options):
    text = subprocess.run(
        ["nm", *options, *objects], check=True, capture_output=True, text=True
    ).stdout
    lines = [line for line in text.splitlines() if re.match(r"[0-9a-f ]+ [A-Za-z] ", line)]
    return {line.split()[-1] for line in lines}


def test_no_allocator_and_no_python(objects):
    undefined = symbols(objects, "-u")
    assert undefined, "nm printed nothing that was understood"
    own = ("fdx_", "__cpu", "_GLOBAL_OFFSET_TABLE_")
    assert {name for name in undefined if not name.startswith(own)} <= ALLOWED


def test_exported_names_are_prefixed(objects):
    exported = symbols(objects, "-g", "--defined-only")
    assert "fdx_apply_part" in exported
    assert {name for name in exported if not name.startswith("fdx_")} == set()


def test_no_writable_globals(objects):
    text = subprocess.run(["nm", *objects], check=True, capture_output=True, text=True).stdout
    writable = [line for line in text.splitlines() if re.search(r" [bBcCdDgGsS] ", line)]
    # In position-independent code a const table of functions is relocated data: "d", read-only.
    assert [line for line in writable if "fdx_isa_" not in line] == []


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


def test_the_c_tests_pass():
    subprocess.run(["bash", ROOT / "tests" / "c" / "run.sh", "3000"], check=True)
