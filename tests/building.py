"""Compilers and other programs, and builds that all processes of pytest-xdist share."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CSRC = ROOT / "csrc"
CC = os.environ.get("CC", "cc")
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def tool(name):
    """The path of a program; skips the test if it is not installed, or does not run."""
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    found = shutil.which(name, path=path)
    if not found or subprocess.run([found, "--version"], capture_output=True).returncode:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command, cwd=None, env=None):
    """The output of a command; fails the test if the command fails."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def once(tmp_path_factory, name, build):
    """The folder that `build` fills, once for all processes of pytest-xdist."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / name
    with open(base / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            build(folder)
            (folder / "done").touch()
    return folder


def copied(folder):
    """A copy of csrc/ alone in an empty folder, and its sources there."""
    shutil.copytree(CSRC, folder)
    return sorted(path.name for path in folder.glob("*.c"))


def objects_of(folder, *command):
    """Object files of a copy of csrc/, by the command of a compiler."""
    run(*command, "-c", *copied(folder / "csrc"), cwd=folder / "csrc")
    return sorted((folder / "csrc").glob("*.o"))


def quick_cc(folder, level="-O0"):
    """A compiler that optimises little, whatever the flags."""
    cc = folder / "cc"
    cc.write_text(f'#!/bin/sh\nexec {CC} "$@" {level}\n')
    cc.chmod(0o755)
    return cc


# The part of the C library that fdx uses, to compile for systems whose headers are not installed.
HEADERS = {
    "math.h": """
        #define NAN __builtin_nanf("")
        #define INFINITY __builtin_inff()
        #define isnan(v) __builtin_isnan(v)
    """,
    "string.h": """
        #include <stddef.h>
        void *memcpy(void *, const void *, size_t), *memmove(void *, const void *, size_t);
        void *memset(void *, int, size_t);
        int strcmp(const char *, const char *);
    """,
    "fenv.h": """
        enum { FE_INVALID = 1, FE_DIVBYZERO = 2, FE_OVERFLOW = 4, FE_UNDERFLOW = 8 };
        enum { FE_TONEAREST = 0 };
        typedef int fenv_t;
        #define FE_DFL_ENV ((const fenv_t *)-1)
        int fegetenv(fenv_t *), fesetenv(const fenv_t *);
        int fetestexcept(int), feclearexcept(int), feraiseexcept(int), fegetround(void);
    """,
}
