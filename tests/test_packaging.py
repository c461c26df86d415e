"""Every way to build the C core, and to call it from Python: from an empty folder to a program that
computes."""

import ctypes
import json
import re
import shutil
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from building import CC, CSRC, ROOT, once, quick_cc, run, tool
from commands import python

import fdx
from fdx import _core, _embedding

NAMES = sorted(set(re.findall(r"\b(fdx_\w+)\((?=[^)])", (CSRC / "fdx.h").read_text())))

CONSUMER = r"""
#include <fdx.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int right, const char *what)
{
    if (!right) {
        fprintf(stderr, "wrong: %s\n", what);
        exit(1);
    }
}

int main(void)
{
    check(strcmp(fdx_version(), FDX_VERSION) == 0, "the version");

    /* np.gradient of x^2 */
    double square[5], slope[5];
    const ptrdiff_t five[] = {5}, apart[] = {sizeof(double)};
    for (int i = 0; i < 5; i++)
        square[i] = i * i;
    fdx_gradient_axis gradient = {0};
    gradient.out = (fdx_array){slope, apart, FDX_F64, 0};
    check(fdx_gradient_uniform(&gradient, FDX_F64, 1, FDX_WEAK, 2) == FDX_OK, "stencils");
    fdx_gradient call = {0};
    call.ndim = 1;
    call.shape = five;
    call.in = (fdx_array){square, apart, FDX_F64, 0};
    call.naxes = 1;
    call.axes = &gradient;
    call.isa = fdx_isa_find("auto");
    check(fdx_gradient_apply(&call) == FDX_OK, "fdx_gradient_apply");
    for (int i = 0; i < 5; i++)
        check(slope[i] == 2 * i, "a gradient");

    /* the Laplacian of x^2 + 3 y^2 */
    enum { N = 6 };
    double u[N][N], result[N][N];
    const ptrdiff_t shape[] = {N, N}, strides[] = {sizeof u[0], sizeof u[0][0]};
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            u[i][j] = i * i + 3 * j * j;
    fdx_factor factors[2];
    fdx_term terms[2];
    memset(factors, 0, sizeof factors);
    for (int d = 0; d < 2; d++) {
        factors[d].axis = d;
        factors[d].what.deriv = factors[d].what.accuracy = 2;
        factors[d].what.scale = factors[d].what.spacing = 1;
        terms[d] = (fdx_term){0, 0, 1, &factors[d]};
    }
    const fdx_sum sum = {2, shape, 2, terms, call.isa};
    const fdx_operator *laplacian;
    void *memory = malloc(fdx_operator_size(&sum));
    check(memory != NULL, "memory");
    check(fdx_operator_make(memory, &sum, &laplacian) == FDX_OK, "fdx_operator_make");
    const fdx_array in = {u, strides, FDX_F64, 0}, out = {result, strides, FDX_F64, 0};
    fdx_call operation = {0};
    operation.op = laplacian;
    operation.in = &in;
    operation.out = &out;
    const ptrdiff_t bytes = fdx_workspace_size(&operation);
    void *workspace = malloc((size_t)bytes);
    check(workspace != NULL, "a workspace");
    check(fdx_apply(&operation, workspace, bytes) == FDX_OK, "fdx_apply");
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            check(result[i][j] == 8, "a Laplacian");
    free(workspace);
    free(memory);
    puts("right");
    return 0;
}
"""

CMAKE_CONSUMER = """
cmake_minimum_required(VERSION 3.15)
project(consumer C)
{found}
add_executable(consumer consumer.c)
target_link_libraries(consumer PRIVATE fdx::fdx)
"""


def write(folder, **files):
    for name, text in files.items():
        (folder / name.replace("_c", ".c").replace("CMakeLists", "CMakeLists.txt")).write_text(text)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """An environment whose compiler does not optimise."""
    return {"CC": str(quick_cc(tmp_path_factory.mktemp("quick")))}


def check_commands(build, namespace=()):
    """The files and flags of a build: all of csrc/, optimised whatever the build type."""
    commands = json.loads((build / "compile_commands.json").read_text())
    commands = {Path(c["file"]).name: c["command"].split() for c in commands}
    for name in ("consumer.c", "consumer-unity0.c", "unity_0_c.c"):
        commands.pop(name, None)
    assert set(commands) == {path.name for path in CSRC.glob("*.c")}
    wanted = {"-std=c99", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fPIC"}
    wanted |= {"-fvisibility=hidden", *namespace}
    for name, flags in commands.items():
        assert wanted <= set(flags), name
        if "-ffast-math" in flags:
            assert flags.index("-fno-fast-math") > flags.index("-ffast-math")
        assert [f for f in flags if f.startswith("-O")][-1] == "-O3"


# Flags that a project may set for all its targets.
MESON_S = ("--unity=on", "-Dc_args=-ffast-math")
CMAKE_S = ("-DCMAKE_UNITY_BUILD=ON", "-DCMAKE_C_FLAGS=-ffast-math")


def meson_build(source, build, quick, *options):
    meson = tool("meson")
    env = quick | {"NINJA": tool("ninja")}
    run(meson, "setup", build, source, *options, env=env)
    run(meson, "compile", "-C", build, env=env)
    return meson


def cmake_build(source, build, quick, *options):
    cmake = tool("cmake")
    options = ("-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}", *options)
    options += ("-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    run(cmake, "-S", source, "-B", build, *options, env=quick)
    run(cmake, "--build", build, env=quick)
    return cmake


@pytest.fixture(scope="module")
def cmake_prefix(tmp_path_factory, quick):
    """Where CMake has installed csrc/: not the folder that it was configured for."""

    def build(folder):
        cmake = cmake_build(CSRC, folder / "build", quick, "-DCMAKE_INSTALL_PREFIX=/elsewhere")
        check_commands(folder / "build")
        run(cmake, "--install", folder / "build", "--prefix", folder / "prefix")

    return once(tmp_path_factory, "cmake_prefix", build) / "prefix"


def installed_files(prefix):
    return {path.name for path in prefix.rglob("*") if path.is_file()}


def check_pkg_config(prefix, folder):
    """A consumer that finds `prefix` by pkg-config alone."""
    (where,) = prefix.rglob("fdx.pc")
    env = {"PKG_CONFIG_PATH": str(where.parent)}
    pkg_config = tool("pkg-config")
    assert run(pkg_config, "--modversion", "fdx", env=env).strip() == fdx.__version__
    flags = run(pkg_config, "--cflags", "--libs", "fdx", env=env).split()
    write(folder, consumer_c=CONSUMER)
    run(CC, "-std=c99", folder / "consumer.c", *flags, "-o", folder / "consumer")
    assert run(folder / "consumer") == "right\n"
    return flags


def test_meson_subproject(tmp_path, quick):
    subproject = tmp_path / "subprojects" / "fdx"
    shutil.copytree(CSRC, subproject / "csrc")
    for name in ("meson.build", "meson.options"):
        shutil.copy(ROOT / name, subproject)
    write(tmp_path, consumer_c=CONSUMER)
    (tmp_path / "meson.build").write_text(
        "project('consumer', 'c', default_options: ['c_std=c99'])\n"
        "fdx = dependency('fdx', fallback: 'fdx')\n"
        "executable('consumer', 'consumer.c', dependencies: fdx, install: true)\n"
    )
    options = ("--wrap-mode=forcefallback", f"--prefix={tmp_path}/prefix", *MESON_S)
    meson = meson_build(tmp_path, tmp_path / "build", quick, *options)
    check_commands(tmp_path / "build")
    assert run(tmp_path / "build" / "consumer") == "right\n"
    run(meson, "install", "-C", tmp_path / "build")
    assert installed_files(tmp_path / "prefix") == {"consumer"}


def test_meson_install(tmp_path, quick):
    tool("pkg-config")
    options = ("-Dpython=false", "-Dnamespace=mine", f"--prefix={tmp_path}/prefix")
    meson = meson_build(ROOT, tmp_path / "build", quick, *options)
    check_commands(tmp_path / "build", ["-DFDX_NAMESPACE=mine"])
    run(meson, "install", "-C", tmp_path / "build")
    assert installed_files(tmp_path / "prefix") == {
        *("libfdx.a", "fdx.pc", "fdx.h", "fdx.hpp", "fdx_namespace.h", "fdx.f90")
    }
    assert "-DFDX_NAMESPACE=mine" in check_pkg_config(tmp_path / "prefix", tmp_path)


def test_cmake_subdirectory(tmp_path, quick):
    shutil.copytree(CSRC, tmp_path / "csrc")
    write(
        tmp_path,
        consumer_c=CONSUMER,
        CMakeLists=CMAKE_CONSUMER.format(found="add_subdirectory(csrc)"),
    )
    options = ("-DFDX_NAMESPACE=mine", *CMAKE_S)
    cmake = cmake_build(tmp_path, tmp_path / "build", quick, *options)
    check_commands(tmp_path / "build", ["-DFDX_NAMESPACE=mine"])
    assert run(tmp_path / "build" / "consumer") == "right\n"
    run(cmake, "--install", tmp_path / "build", "--prefix", tmp_path / "prefix")
    assert installed_files(tmp_path / "prefix") == set()


def test_cmake_package(tmp_path, quick, cmake_prefix):
    assert installed_files(cmake_prefix) == {
        *("libfdx.a", "fdx.pc", "fdx.h", "fdx.hpp", "fdx_namespace.h", "fdx.f90"),
        *("fdxConfig.cmake", "fdxConfig-debug.cmake", "fdxConfigVersion.cmake"),
    }
    found = f"find_package(fdx {fdx.__version__} CONFIG REQUIRED)"
    write(tmp_path, consumer_c=CONSUMER, CMakeLists=CMAKE_CONSUMER.format(found=found))
    cmake_build(tmp_path, tmp_path / "build", quick, f"-DCMAKE_PREFIX_PATH={cmake_prefix}")
    assert run(tmp_path / "build" / "consumer") == "right\n"


def test_cmake_pkg_config(tmp_path, cmake_prefix):
    check_pkg_config(cmake_prefix, tmp_path)


def from_the_wheel():
    return f"-I{fdx.get_include()}", f"-L{fdx.get_library_dir()}", "-lfdx"


def test_the_wheel_has_header_and_library(tmp_path):
    write(tmp_path, consumer_c=CONSUMER)
    command = (CC, "-std=c99", tmp_path / "consumer.c", *from_the_wheel())
    run(*command, "-o", tmp_path / "consumer")
    assert run(tmp_path / "consumer") == "right\n"
    run(*command, "-fPIC", "-shared", "-o", tmp_path / "shared.so")
    exported = run("nm", "-D", "--defined-only", tmp_path / "shared.so")
    assert " main" in exported
    assert "fdx_" not in exported


def test_a_file_that_is_not_installed():
    with pytest.raises(FileNotFoundError, match=r"^libfdx\.so is not installed with fdx"):
        _embedding._folder_of("lib", "libfdx.so")


def test_cython_extension(tmp_path):
    pytest.importorskip("Cython")
    (tmp_path / "mine.pyx").write_text(
        "from fdx cimport FDX_OK, fdx_version, fdx_weights\n"
        "def weights(double[::1] x, int deriv):\n"
        "    cdef double w[8]\n"
        "    assert fdx_weights(w, NULL, &x[0], <int>x.shape[0], 0, deriv) == FDX_OK\n"
        "    return [w[k] for k in range(x.shape[0])], fdx_version().decode()\n"
    )
    packages = Path(fdx.__file__).parents[1]
    run(sys.executable, "-m", "cython", "-3", f"-I{packages}", tmp_path / "mine.pyx")
    extension = tmp_path / f"mine{sysconfig.get_config_var('EXT_SUFFIX')}"
    flags = ("-shared", "-fPIC", "-w", f"-I{sysconfig.get_path('include')}")
    run(CC, *flags, tmp_path / "mine.c", *from_the_wheel(), "-o", extension)
    code = "import array, mine; print(mine.weights(array.array('d', [-1, 0, 1]), 2))"
    done = python("-c", code, cwd=tmp_path)
    assert done.stdout == f"([1.0, -2.0, 1.0], '{fdx.__version__}')\n", done.stderr


P = ctypes.c_void_p
WEIGHTS = ctypes.CFUNCTYPE(ctypes.c_int, P, P, P, ctypes.c_int, ctypes.c_double, ctypes.c_int)


def test_ctypes():
    function = WEIGHTS(fdx.get_function_address("fdx_weights"))
    x, w = np.array([-1.0, 0.0, 2.0]), np.empty(3)
    assert function(w.ctypes.data, None, x.ctypes.data, 3, 0.5, 1) == 0
    np.testing.assert_array_equal(w, fdx.weights(x, 0.5, 1))


TYPES = {
    **{"int": ctypes.c_int, "double": ctypes.c_double, "size_t": ctypes.c_size_t},
    **{"uint8_t": ctypes.c_uint8, "int8_t": ctypes.c_int8, "ptrdiff_t": ctypes.c_ssize_t},
}


def structs():
    """Those of fdx.h, in its order, declared as another language would."""
    header = re.sub(r"/\*.*?\*/", "", (CSRC / "fdx.h").read_text(), flags=re.DOTALL)
    types = dict(TYPES)
    found = re.findall(r"\bstruct (\w*) ?\{(.*?)\} ?(\w*);", header, re.DOTALL)
    for name, members, other_name in found:
        fields = []
        for text in filter(None, map(str.strip, members.split(";"))):
            kind, names = re.fullmatch(r"(?:const )?(\w+)(?: (?=\w)|(?= \*))(.*)", text).groups()
            for declared in names.split(","):
                pointer, member, count = re.fullmatch(
                    r" ?(\*?(?:const )?\*?)(\w+)(?:\[(\d)\])?", declared
                ).groups()
                of = P if pointer else types[kind]
                fields.append((member, of * int(count) if count else of))
        struct = type(name or other_name, (ctypes.Structure,), {"_fields_": fields})
        types[struct.__name__] = struct
        yield struct


def test_layouts():
    declared = []
    for struct in structs():
        declared.append((struct.__name__, None, 0, ctypes.sizeof(struct)))
        for name, _ in struct._fields_:
            member = getattr(struct, name)
            declared.append((struct.__name__, name, member.offset, member.size))

    class Member(ctypes.Structure):
        _fields_ = (
            *(("of", ctypes.c_char_p), ("name", ctypes.c_char_p)),
            *(("offset", ctypes.c_size_t), ("size", ctypes.c_size_t)),
        )

    members = ctypes.CFUNCTYPE(ctypes.POINTER(Member))(fdx.get_function_address("fdx_members"))()
    listed = []
    while members[len(listed)].of is not None:
        m = members[len(listed)]
        listed.append((m.of.decode(), m.name and m.name.decode(), m.offset, m.size))
    assert len(declared) > 100
    assert listed == declared


def test_numba():
    numba = pytest.importorskip("numba")
    from numba.extending import get_cython_function_address

    address = get_cython_function_address("fdx._core", "fdx_weights")
    assert address == fdx.get_function_address("fdx_weights")
    function = WEIGHTS(address)

    @numba.njit
    def weights(x, at):
        w, rest = np.empty_like(x), np.empty_like(x)
        status = function(w.ctypes.data, rest.ctypes.data, x.ctypes.data, x.size, at, 1)
        return status, w

    x = np.array([-1.0, 0.0, 2.0])
    status, w = weights(x, 0.5)
    assert status == 0
    np.testing.assert_array_equal(w, fdx.weights(x, 0.5, 1))


def test_scipy():
    scipy = pytest.importorskip("scipy")
    function = scipy.LowLevelCallable.from_cython(_core, "fdx_gradient_apply")
    assert function.signature == "fdx_status (fdx_gradient const *)"
    function = scipy.LowLevelCallable.from_cython(_core, "fdx_version")
    assert function.signature == "char const *(void)"


def test_addresses_of_what_there_is_not():
    with pytest.raises(
        ValueError, match=r"^name: expected one of fdx_gradient_apply, .*, got 'fdx_aply'$"
    ):
        fdx.get_function_address("fdx_aply")
    with pytest.raises(TypeError, match=r"^name: expected a string, got 1$"):
        fdx.get_function_address(1)


def test_all_functions_are_everywhere():
    assert "fdx_version" in NAMES
    assert sorted(_core.__pyx_capi__) == NAMES
    declared = re.findall(r"\b(fdx_\w+)\(", (ROOT / "src" / "fdx" / "__init__.pxd").read_text())
    assert sorted(declared) == NAMES


def test_one_version():
    (of_meson,) = re.findall(r"^  version: '(.*)'", (ROOT / "meson.build").read_text(), re.M)
    (of_header,) = re.findall(r'^#define FDX_VERSION "(.*)"', (CSRC / "fdx.h").read_text(), re.M)
    assert of_meson == of_header == fdx.__version__
