"""The C core against loops written by hand, for ``python -m fdx bench --operators``.

`bench_loops.c`, beside this file, is compiled with the options that a simulation code has, and
linked with the library that is installed with fdx.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import fdx

OPTIONS = ("-O3", "-march=native")
SOURCE = Path(__file__).parent / "bench_loops.c"


@dataclass(frozen=True)
class Loop:
    """A loop on a box with ghost cells: its time by hand, and that of fdx as a multiple of it."""

    name: str
    ratio: float
    hand_seconds: float


def compiler() -> list[str] | None:
    """The C compiler as a command; None if there is none."""
    command = shlex.split(os.environ.get("CC", "cc"))
    return command if command and shutil.which(command[0]) else None


def loops(quick: bool) -> list[Loop]:
    """Compile, run and measure; `OSError` or `subprocess.CalledProcessError` if that fails."""
    command = compiler()
    if command is None:
        raise FileNotFoundError("there is no C compiler")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "loops"
        build = [*command, *OPTIONS, str(SOURCE), f"-I{fdx.get_include()}"]
        build += [f"-L{fdx.get_library_dir()}", "-lfdx", "-lm", "-o", str(program)]
        subprocess.run(build, check=True, capture_output=True, text=True)
        said = subprocess.run(
            [str(program), *(["quick"] if quick else [])],
            check=True,
            capture_output=True,
            text=True,
        )
    rows = [line.split("\t") for line in said.stdout.splitlines()]
    return [Loop(name, float(ratio), float(hand) * 1e-6) for name, ratio, hand in rows]
