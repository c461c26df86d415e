"""``python -m fdx bench``: the cost of a derivative on this machine, in additions.

`bench_cases` lists the cases of `fdx.gradient`, `bench_operators` those of operators,
`bench_measure` measures them, `bench_peers` measures other libraries, `bench_from_c` loops in C,
and `bench_plot` draws the picture. This module has the command, its table and its JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import fdx
from fdx._cli import bench_cases as cases
from fdx._cli import bench_from_c as from_c
from fdx._cli import bench_measure as measure
from fdx._cli import bench_operators as operators
from fdx._cli import bench_peers as peers
from fdx._cli.command import INTERRUPTED, CommandError, check_picture, need

SECONDS, QUICK_SECONDS = 44.0, 6.0  # for measuring, in addition to measurements that take longer
OPERATORS_SECONDS = 100.0  # with --operators
FROM_C_BYTES = 5 * 8 * 254**3
LEAST_SECONDS = 0.1  # for a late measurement, as the first rounds differ from the others
LEAST_WIDTH = 80  # columns of the table
PICTURES = (".png", ".svg", ".pdf")

TaskRow = peers.PeerRow[peers.Task]
OperatorRow = peers.PeerRow[operators.Operation]


@dataclass
class Report:
    """The results so far."""

    machine: dict[str, Any]
    rows: list[measure.Row] = field(default_factory=list)
    threads: list[measure.Threads] = field(default_factory=list)
    import_seconds: float | None = None
    peers: list[TaskRow] = field(default_factory=list)
    operators: list[OperatorRow] = field(default_factory=list)
    from_c: list[from_c.Loop] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    complete: bool = False


# --- what is measured, one step after the other -------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One measurement: its title in the progress bar, and the function that does it."""

    title: str
    run: Callable[[float], None]  # takes the seconds that it may use
    group: str = ""
    needed_bytes: int = 0


def steps(
    report: Report, quick: bool, with_peers: bool, only_operators: bool = False
) -> Iterator[Step]:
    """Every measurement; each adds its result to the report."""
    if not only_operators:
        yield from _gradient_steps(report, quick, with_peers)

    # Last the slowest: other libraries' operators.
    asked = [(peers.FDX, operation) for operation in operators.operations(quick, only_operators)]
    if with_peers:
        asked += [(peer, operation) for _, operation in asked for peer in peers.others(operation)]
    for peer, operation in asked:

        def operator_row(
            seconds: float, peer: peers.Peer = peer, operation: operators.Operation = operation
        ) -> None:
            report.operators.append(peers.measure_operation(peer, operation, seconds))

        title = f"{peer.name}-{operation.id}"
        yield Step(title, operator_row, "operators", operation.needed_bytes)

    def from_c_rows(_: float) -> None:
        try:
            report.from_c += from_c.loops(quick)
        except (OSError, subprocess.CalledProcessError) as error:
            why = getattr(error, "stderr", None) or str(error)
            report.notes.append(f"no measurement from C: {why.strip().splitlines()[-1]}")

    if only_operators:
        yield Step("from C", from_c_rows, "from C", FROM_C_BYTES)


def _gradient_steps(report: Report, quick: bool, with_peers: bool) -> Iterator[Step]:
    for case in cases.all_cases(quick):

        def row(seconds: float, case: cases.Case = case) -> None:
            report.rows.append(measure.measure(case, seconds))

        yield Step(case.id, row, case.group, case.needed_bytes)

    if report.machine["cores"] > 1:
        for case in cases.thread_cases(quick):

            def threads(seconds: float, case: cases.Case = case) -> None:
                report.threads.append(measure.measure_threads(case, seconds))

            yield Step(f"threads-{case.id}", threads, "two threads", case.needed_bytes)

    def import_time(_: float) -> None:
        report.import_seconds = measure.import_seconds(3 if quick else 5)

    yield Step("import", import_time)

    if with_peers:
        for task in peers.tasks(64 if quick else 256):
            for peer in peers.installed():
                if peer.prepare is None:
                    continue

                def peer_row(
                    seconds: float, peer: peers.Peer = peer, task: peers.Task = task
                ) -> None:
                    report.peers.append(peers.measure_peer(peer, task, seconds))

                yield Step(f"{peer.name}-{task.id}", peer_row, "other libraries", task.needed_bytes)


def collect(report: Report, quick: bool, with_peers: bool, only_operators: bool = False) -> None:
    """Fill the report, showing progress on stderr where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    seconds = OPERATORS_SECONDS if only_operators else SECONDS
    end = time.perf_counter() + (QUICK_SECONDS if quick else seconds)
    available = measure.available_bytes()
    todo = list(steps(report, quick, with_peers, only_operators))
    left_out = [step for step in todo if step.needed_bytes > available]
    if left_out:
        groups = ", ".join(dict.fromkeys(step.group for step in left_out))
        report.notes.append(
            f"{len(left_out)} measurements left out for want of memory (of: {groups})"
        )
    if report.machine["cores"] == 1:
        report.notes.append("no measurement of threads, as there is one CPU")
    todo = [step for step in todo if step not in left_out]

    measure.warm_up_allocator()
    console = Console(stderr=True)
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(
        *columns,
        console=console,
        transient=True,
        auto_refresh=False,  # that would be another thread, which would disturb the measurements
        disable=not console.is_terminal,
    ) as progress:
        bar = progress.add_task("", total=len(todo))
        for done, step in enumerate(todo):
            progress.update(bar, completed=done, description=step.title, refresh=True)
            share = (end - time.perf_counter()) / (len(todo) - done)
            step.run(max(share, 0.0 if quick else LEAST_SECONDS))
    report.complete = True


# --- the table ----------------------------------------------------------------------------------

# Each column's heading and width: the same in the tables of all groups.
COLUMNS = (
    ("array", 15),
    ("dtype", 7),
    ("axis", 4),
    ("memory", 6),
    ("addition", 8),
    ("fdx", 5),
    ("NumPy", 5),
    ("faster", 6),
    ("GB/s", 5),
    ("of copy", 7),
)
EXPLANATION = {
    "addition": "time of f + f for newly allocated results (fresh), of np.add(f, f, out=o) for "
    "preallocated ones (warm); of f + x with coordinates x along a line, and of f.astype(float) "
    "for integers",
    "fdx": "time of fdx.gradient in additions, measured alternately: 1 is as fast as an addition",
    "NumPy": "time of np.gradient in additions; it allocates its results, also where fdx has warm "
    "memory",
    "faster": "NumPy / fdx",
    "GB/s": "of fdx, if f and the coordinates are read once and each result is written once",
    "of copy": "the same as a share of np.copyto's bandwidth in warm memory with equal traffic; "
    "more than 100% is possible, as large copies may use non-temporal stores",
}


def show(report: Report, seconds: float) -> None:
    """Print the report as tables."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=100)
    elif console.width < LEAST_WIDTH:  # truncated figures are worse than wrapped lines
        console = Console(highlight=False, width=LEAST_WIDTH)
    for name, value in machine_lines(report.machine):
        console.print(Text.assemble((f"{name:<9} ", "dim"), value))
    console.print()

    if report.rows:
        _show_rows(console, report)
    if report.peers:
        console.print()
        console.print(_peer_table(report.peers))
    if report.operators:
        title = "Operators, warm memory, one thread, in additions np.add(f, f, out=o)"
        console.print()
        console.print(Text(title, style="bold"))
        console.print(_operator_table(report.operators))
        for line in _other_yardsticks(report.operators):
            console.print(line)
        console.print(OPERATORS, style="dim")
        if any(row.peer is not peers.FDX for row in report.operators):
            console.print(OTHERS, style="dim")
    if report.from_c:
        console.print()
        console.print(Text("From C, boxes with ghost cells, by hand and by fdx", style="bold"))
        for loop in report.from_c:
            hand, by_fdx = _time(loop.hand_seconds), _time(loop.hand_seconds * loop.ratio)
            console.print(f"{loop.name}: {hand}; {by_fdx}; {_short(loop.ratio)} times")
    for note in report.notes:
        console.print(f"Note: {note}")
    console.print(f"{'Measured' if report.complete else 'Interrupted'} after {seconds:.0f} s")


def _show_rows(console: Any, report: Report) -> None:
    """Print what was measured of `fdx.gradient`."""
    from rich.table import Table
    from rich.text import Text

    table = _table(header=True)
    console.print(table)
    for group, rows in groupby(report.rows, key=lambda row: row.case.group):
        console.print(Text(group, style="bold"))
        table = _table()
        for row in rows:
            table.add_row(*_cells(row))
        console.print(table)
    console.print()
    explanation = Table.grid(padding=(0, 2, 0, 0))
    for name, meaning in EXPLANATION.items():
        explanation.add_row(name, meaning, style="dim")
    console.print(explanation)

    measured = [row.peak_bytes for row in report.rows if row.peak_bytes is not None]
    console.print()
    if measured:
        console.print(
            f"Memory beyond the result: {max(measured):,} bytes at most ({len(measured)} rows)"
        )
    if report.threads:
        figures = "; ".join(
            f"{shape_name(row.case.shape)} {row.speedup_fdx:.2f}, a copy {row.speedup_copy:.2f}"
            for row in report.threads
        )
        console.print(f"Times as fast on two threads as on one, with out=: {figures}")
    if report.import_seconds is not None:
        console.print(f"Import, after NumPy's: {report.import_seconds * 1e3:.1f} ms")


def machine_lines(machine: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The machine in a few lines: (name, description)."""
    caches = ", ".join(f"{name} {_bytes(size)}" for name, size in machine["caches"].items())
    yield "machine", f"{machine['cpu']}, {machine['cores']} cores usable"
    if caches:
        yield "caches", caches
    yield "system", f"{machine['os']}, Python {machine['python']}, NumPy {machine['numpy']}"
    compiler = f", {machine['compiler']}" if "compiler" in machine else ""
    yield "fdx", f"{machine['fdx']}, instructions: {machine['isa']}{compiler}"


def _table(header: bool = False) -> Any:
    from rich.table import Table

    table = Table(box=None, show_header=header, padding=(0, 1, 0, 0), header_style="dim")
    for name, width in COLUMNS:
        left = name in ("array", "dtype", "memory")
        table.add_column(
            name,
            width=width,
            no_wrap=True,
            justify="left" if left else "right",
            style="bold" if name in ("fdx", "faster") else None,
        )
    return table


def _cells(row: measure.Row) -> list[str]:
    case = row.case
    axis = "" if len(case.shape) == 1 else "all" if case.axis is None else str(case.axis)
    return [
        shape_name(case.shape),
        case.dtype,
        axis,
        case.memory,
        _time(row.yardstick_seconds),
        _short(row.ratio_fdx),
        _short(row.ratio_numpy),
        f"{_short(row.speedup)}x",
        _short(row.gbytes_per_second),
        f"{row.roofline_fraction:.0%}",
    ]


def _peer_table(rows: list[TaskRow]) -> Any:
    """A line for each library, a column for each task."""
    from rich.table import Table

    tasks = list(dict.fromkeys(row.task for row in rows))
    table = Table(
        box=None,
        padding=(0, 1, 0, 0),
        header_style="dim",
        title="Other libraries: float64, new results, one thread, in additions",
        title_style="bold",
        title_justify="left",
    )
    table.add_column("library", no_wrap=True)
    for task in tasks:
        axis = f", axis {task.axis}" if len(task.shape) > 1 else ""
        table.add_column(shape_name(task.shape) + axis, justify="right", no_wrap=True)
    table.add_column("description")
    by_peer: dict[peers.Peer, dict[peers.Task, TaskRow]] = {}
    for row in rows:
        by_peer.setdefault(row.peer, {})[row.task] = row
    for peer, of_peer in by_peer.items():
        version = next(iter(of_peer.values())).version
        table.add_row(f"{peer.name} {version}", *map(_figure, map(of_peer.get, tasks)), peer.note)
    return table


def _figure(row: peers.PeerRow[Any] | None) -> str:
    return "" if row is None else row.error or _short(row.ratio or 0.0)


OPERATORS = (
    "h is a spacing, x are uneven coordinates, the Laplacian is a sum of Diff(k, h, deriv=2)"
)
OTHERS = (
    "copy: np.copyto(o, f), a bound; findiff.Diff, np.gradient, ndimage.correlate1d: one "
    "derivative after the other; the first two allocate their results, also where fdx has warm "
    "memory; numba, pystencils, devito: one compiled loop, without the points at the edges; "
    "devito: of arrays of its own, with ghost cells"
)


def _operator_table(rows: list[OperatorRow]) -> Any:
    """A line for each operator measured in additions, a column for each library."""
    from rich.table import Table

    rows = [row for row in rows if row.task.yardstick == operators.ADDITION]
    versions = {row.peer: row.version for row in rows}
    libraries = sorted(versions, key=lambda peer: (peer is not peers.FDX, peer.name))
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    for name in ("operator", "array", "dtype"):
        table.add_column(name, no_wrap=True)
    table.add_column("addition", justify="right", no_wrap=True)
    for peer in libraries:
        heading = f"{peer.name}\n{versions[peer]}"
        style = "bold" if peer is peers.FDX else None
        table.add_column(heading, justify="right", no_wrap=True, style=style)
    by_task: dict[operators.Operation, dict[peers.Peer, Any]] = {}
    for row in rows:
        by_task.setdefault(row.task, {})[row.peer] = row
    for task, of_task in by_task.items():
        seconds = next(iter(of_task.values())).yardstick_seconds
        table.add_row(
            task.title,
            shape_name(task.shape),
            task.dtype,
            "" if seconds is None else _time(seconds),
            *(_figure(of_task.get(peer)) for peer in libraries),
        )
    return table


def _other_yardsticks(rows: list[OperatorRow]) -> Iterator[str]:
    """Operators with a yardstick other than an addition: both times, and their difference."""
    for row in rows:
        if row.task.yardstick == operators.ADDITION:
            continue
        name = f"{row.task.title} of {shape_name(row.task.shape)}"
        if row.seconds is None or row.yardstick_seconds is None:
            yield f"{name}: {row.error}"
            continue
        operator, other = row.seconds * 1e6, row.yardstick_seconds * 1e6
        yield (
            f"{name}: {operator:.2f} us; {row.task.yardstick}: {other:.2f} us; "
            f"{operator - other:+.2f} us"
        )


def shape_name(shape: tuple[int, ...]) -> str:
    """A shape as text: 10^6, 256^3, 3 x 256^3, 1000 x 1000 x 8."""
    parts = []
    for n, equal in groupby(shape):
        times = len(list(equal))
        power = n > 1000 and str(n).strip("0") == "1"
        name = f"10^{len(str(n)) - 1}" if power else str(n)
        parts += [f"{n}^{times}"] if times > 2 else [name] * times
    return " x ".join(parts)


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * scale >= 1:
            return f"{_short(seconds * scale)} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def _bytes(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def _short(value: float) -> str:
    """Two decimals, or fewer for larger numbers."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


# --- JSON ---------------------------------------------------------------------------------------


def as_json(report: Report) -> str:
    """The report as a JSON document."""
    return json.dumps(
        {
            "machine": report.machine,
            "rows": [_row_as_dict(row) for row in report.rows],
            "threads": [
                {
                    "id": row.case.id,
                    "shape": row.case.shape,
                    "speedup_fdx": row.speedup_fdx,
                    "speedup_copy": row.speedup_copy,
                }
                for row in report.threads
            ],
            "import_seconds": report.import_seconds,
            "peers": [
                {
                    "library": row.peer.name,
                    "version": row.version,
                    "shape": row.task.shape,
                    "axis": row.task.axis,
                    "ratio": row.ratio,
                    "error": row.error,
                    "note": row.peer.note,
                }
                for row in report.peers
            ],
            "operators": [_operator_row_as_dict(row) for row in report.operators],
            "from_c": [
                {"name": loop.name, "ratio": loop.ratio, "hand_seconds": loop.hand_seconds}
                for loop in report.from_c
            ],
            "notes": report.notes,
            "complete": report.complete,
        },
        indent=1,
        allow_nan=False,
    )


def _row_as_dict(row: measure.Row) -> dict[str, Any]:
    case = row.case
    return {
        "id": case.id,
        "group": case.group,
        "shape": case.shape,
        "dtype": case.dtype,
        "layout": case.layout,
        "spacing": case.spacing,
        "axis": case.axis,  # null: every axis
        "memory": case.memory,
        "call": case.call,
        "yardstick": case.yardstick,
        "yardstick_seconds": row.yardstick_seconds,
        "ratio_fdx": row.ratio_fdx,
        "ratio_numpy": row.ratio_numpy,
        "gbytes_per_second": row.gbytes_per_second,
        "copy_gbytes_per_second": row.copy_gbytes_per_second,
        "roofline_fraction": row.roofline_fraction,
        "peak_bytes": row.peak_bytes,  # null: not measured
    }


def _operator_row_as_dict(row: OperatorRow) -> dict[str, Any]:
    task = row.task
    return {
        "id": task.id,
        "library": row.peer.name,
        "version": row.version,
        "operator": task.operator,  # as code for fdx
        "call": task.call,
        "shape": task.shape,
        "dtype": task.dtype,
        "spacing": task.spacing,
        "accuracy": task.accuracy,
        "yardstick": task.yardstick,
        "yardstick_seconds": row.yardstick_seconds,
        "seconds": row.seconds,
        "ratio": row.ratio,
        "error": row.error,
    }


# --- the command --------------------------------------------------------------------------------


def add_parser(subparsers: Any) -> None:
    """Add the ``bench`` command."""
    parser = subparsers.add_parser(
        "bench",
        help="the cost of a derivative on this machine, in additions",
        description=(
            "Measure fdx.gradient, and operators, on this machine, in about a minute. Each time is "
            "given as a multiple of that of an addition of the same array, measured alternately "
            "with it, next to the times of np.gradient and other installed libraries. The exit "
            "status is 0, 2 if the benchmark could not run, and 130 if Ctrl-C ended it; then it "
            "shows the results so far."
        ),
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON instead of the table, and nothing else"
    )
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help="draw the speed over np.gradient and the bandwidth: .png, .svg or .pdf",
    )
    parser.add_argument(
        "--quick", action="store_true", help="smaller arrays and fewer rounds: rough figures"
    )
    parser.add_argument("--no-peers", action="store_true", help="leave other libraries out")
    parser.add_argument(
        "--operators", action="store_true", help="only operators, of more kinds and sizes"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the benchmark and return its exit status."""
    need("rich", "bench")
    if args.plot is not None:
        need("matplotlib", "bench")
        check_picture("--plot", args.plot, PICTURES)

    begin = time.perf_counter()
    report = Report(measure.machine())
    try:
        with fdx.set_workers(1):
            collect(report, args.quick, not args.no_peers, args.operators)
    except KeyboardInterrupt:
        report.notes.append("ended by Ctrl-C")
    if args.json:
        print(as_json(report))
    else:
        show(report, time.perf_counter() - begin)
    if not report.complete:
        return INTERRUPTED

    if args.plot is not None:
        from fdx._cli.bench_plot import picture

        if not report.rows:
            raise CommandError("--plot: nothing was measured that could be drawn")
        try:
            picture(report.machine, report.rows).savefig(args.plot)
        except OSError as error:
            raise CommandError(f"--plot: {args.plot}: {error.strerror or error}") from None
        print(f"picture: {args.plot}", file=sys.stderr if args.json else sys.stdout)
    return 0
