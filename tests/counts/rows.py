"""Instructions per point of the C core's loops: builds csrc/ as its users do, and has rows.c count.

Stored are, for each compiler, the figures and beside them what the same loop takes as scalar code:
built without vectorisation, for too few points to reach the loops that are written as vector code.
"""

import math
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from figures import CannotCount, Table, compare, most

HERE = Path(__file__).parent
CSRC = HERE.parents[1] / "csrc"
NO_VECTORS = {
    "gcc": ["-fno-tree-vectorize"],
    "clang": ["-fno-vectorize", "-fno-slp-vectorize", "-DFDX_INDEPENDENT="],
}
FEW_POINTS = ["16", "48"]
HEADING = """Instructions per point of the loops of csrc/, and of the same loops as scalar code.
Checked by `python tests/counts`, written by `python tests/counts --update`."""

# What may be scalar code: results that are apart; transposition, whose tiles of four by four are
# vector code however it is compiled; and what these instruction sets have no vector instructions
# for, as they lack shuffles of bytes, conversions of 64-bit integers, comparisons of doubles into
# integers of their size.
SCALAR = {
    "base": r".*, stepped|.* transposed.*|(gather [iu]32|(gather|scatter) [fc].*), swapped"
    r"|.*\b[iu]64\b.*|x64 uniform",
    "avx2": r".*, stepped|.* transposed.*|.*\b[iu]64\b.*",
    "avx512": r".*, stepped|.* transposed.*",
}
TABLES = list(SCALAR)
# clang loads pairs of doubles whole, and must not vectorise divisions of coordinates.
SCALAR_BY_CLANG = r"(gather|scatter) c128.*|gather c64, every other|x\d+ weights|.* spaced"


def compiler():
    """How to call it, and its name and version."""
    cc = shlex.split(os.environ.get("CC", "cc"))
    try:
        macros = subprocess.run(
            [*cc, "-dM", "-E", "-x", "c", os.devnull], check=True, capture_output=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotCount(f"no C compiler that works: {error}") from None
    name = "clang" if "__clang__" in macros else "gcc" if "__GNUC__" in macros else "unknown"
    version = re.search(r'__VERSION__ ".*?(\d+(\.\d+)+)', macros)
    return cc, name, version[1] if version else "unknown"


def count(cc, options, points=()):
    """{function: {table: instructions per point, None if not counted}} of csrc/ with `options`."""
    with tempfile.TemporaryDirectory() as folder:
        csrc = shutil.copytree(CSRC, Path(folder) / "csrc")
        sources = sorted(path.name for path in csrc.glob("*.c"))
        subprocess.run([*cc, "-O3", *options, "-c", *sources], cwd=csrc, check=True)
        objects = sorted(path.name for path in csrc.glob("*.o"))
        # Calls for few and for many points must differ in nothing else: not in what the compiler
        # makes of them, nor in that the first one of a function has its address looked up.
        same = ["-O0", "-Wl,-z,now"]
        driver = ["-std=c99", *same, "-I.", HERE / "rows.c", *objects, "-o", "rows"]
        subprocess.run([*cc, *driver], cwd=csrc, check=True)
        run = subprocess.run([csrc / "rows", *points], capture_output=True, text=True)
    if run.returncode != 0:
        reason = run.stderr.strip() or f"counting ended with status {run.returncode}"
        raise CannotCount(f"instructions per point: {reason}")
    counts = {}
    for line in run.stdout.splitlines():
        function, table, figure = line.split("\t")
        counts.setdefault(function, {})[table] = None if figure == "not counted" else float(figure)
    return counts


def scalar(table, name):
    """The figures that scalar code would keep to as well, without being known to."""
    known = dict(SCALAR)
    if name == "clang":
        known = {column: f"{pattern}|{SCALAR_BY_CLANG}" for column, pattern in SCALAR.items()}
    return [
        f"{column} {function}"
        for function, row in table.rows.items()
        for column in TABLES
        if row.get(column, 0) > 0
        and most(row, column) >= row.get(f"{column}:scalar", math.inf)  # loops of registers
        and not re.fullmatch(known[column], function)
    ]


def keep_stored(counts, stored):
    """The stored figures of what could not be counted."""
    for function, row in counts.items():
        for table in [table for table, figure in row.items() if figure is None]:
            print(f"not counted, as this processor lacks it: {table} {function}")
            row[table] = stored.get(function, {}).get(table)
            if row[table] is None:
                del row[table]


def main(update):
    """Whether something is not as stored."""
    cc, name, version = compiler()
    path = HERE / f"rows-{name}.txt"
    counts = count(cc, [])
    if path.exists():  # what this processor could not count stays as it is
        keep_stored(counts, Table.read(path).rows)
    found = Table({"compiler": f"{name} {version}"}, list(TABLES), counts)
    if update:
        for function, row in count(cc, NO_VECTORS.get(name, []), FEW_POINTS).items():
            found.rows[function].update(
                {f"{c}:scalar": figure for c, figure in row.items() if figure is not None}
            )
        found.columns = [c for column in TABLES for c in (column, f"{column}:scalar")]
        if path.exists():  # of instruction sets that this processor lacks
            for function, row in Table.read(path).rows.items():
                if function in found.rows:
                    found.rows[function] = row | found.rows[function]
        found.write(path, HEADING)
        print(f"written: {path.name}")
    stored = Table.read(path)
    unvectorised = scalar(stored, name)
    for what in unvectorised:
        print(f"stored figure would let scalar code pass: {what}")
    return compare(stored, found, {c: ["compiler"] for c in TABLES}) or bool(unvectorised)
