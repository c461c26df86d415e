"""The simulation codes in examples/codes: each agrees with its exact solution, and the one that is
divided among MPI processes gives the same bits for any number of them, and in Python."""

import math
import sys

import numpy as np
import pytest
from building import ROOT, once, quick_cc, run, tool

import fdx

CODES = ROOT / "examples" / "codes"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """All of them, by CMake, which adds csrc/ as a user's project would."""
    cmake, ninja = tool("cmake"), tool("ninja")

    def build(folder):
        options = ("-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}", "-DCMAKE_BUILD_TYPE=Release")
        run(cmake, "-S", CODES, "-B", folder, *options, env={"CC": str(quick_cc(folder, "-O1"))})
        run(cmake, "--build", folder)

    return once(tmp_path_factory, "codes", build)


def code(built, name):
    program = built / name
    if not program.exists():
        pytest.skip(f"CMake found nothing to build {name} with")
    return program


@pytest.mark.parametrize("name", ["heat", "inflow", "wave", "sound", "advection"])
def test_exact_solution(built, name):
    assert "order" in run(code(built, name))


def test_threads_do_not_matter(built):
    heat = code(built, "heat")
    one, three = (run(heat, env={"OMP_NUM_THREADS": n}) for n in ("1", "3"))
    assert one == three


def in_processes(n, *command, cwd):
    """With Open MPI, also as root, and with more processes than processors."""
    allowed = {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
    }
    return run(tool("mpiexec"), "-n", n, *command, cwd=cwd, env=allowed)


def in_one_array():
    """What diffusion.c computes, in one process."""
    n, h = 48, 1 / 48
    dt = 0.1 * h * h / 0.1
    u = np.array([[math.cos(math.pi * (i + 0.5) / n)] for i in range(n)])
    u = u * np.array([math.cos(2 * math.pi * j / n) for j in range(n)])
    L = 0.1 * fdx.Diff(0, h, deriv=2, accuracy=4, boundary="symmetric")
    L += 0.1 * fdx.Diff(1, h, deriv=2, accuracy=4, boundary="periodic")
    for _ in range(400):
        u += dt * L(u)
    return u


def test_any_number_of_processes(built, tmp_path):
    diffusion = code(built, "diffusion")
    for n in (1, 2, 3, 4):
        assert f"{n} processes" in in_processes(n, diffusion, f"c{n}", cwd=tmp_path)
    results = {(tmp_path / f"c{n}").read_bytes() for n in (1, 2, 3, 4)}
    assert results == {in_one_array().tobytes()}


def test_any_number_of_processes_in_python(tmp_path):
    pytest.importorskip("mpi4py")
    for n in (1, 2, 3, 4):
        in_processes(n, sys.executable, CODES / "diffusion.py", f"p{n}", cwd=tmp_path)
        assert (tmp_path / f"p{n}").read_bytes() == in_one_array().tobytes()
