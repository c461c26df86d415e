"""``python -m fdx bench``: it measures every row, as a table and as JSON, and ends on Ctrl-C."""

import json
import math
import os
import sys
from dataclasses import replace

import numpy as np
import pytest
from commands import python
from PIL import Image

import fdx
from fdx.__main__ import main
from fdx._cli import bench, bench_cases, bench_measure, bench_operators, bench_peers

CASES = list(bench_cases.all_cases(quick=True))
FULL_CASES = list(bench_cases.all_cases())
OPERATIONS = list(bench_operators.operations(quick=True, more=True))
FULL_OPERATIONS = list(bench_operators.operations(more=True))
SMALL_OPERATIONS = [
    bench_operators.Operation("derivative", (20, 21, 22), 1, spacing="coordinates"),
    bench_operators.Operation("laplacian", (20, 21, 22), accuracy=8),
    bench_operators.Operation("laplacian", (10, 10), yardstick="fdx.gradient(f, h, out=both)"),
]


def is_positive(value):
    return math.isfinite(value) and value > 0


@pytest.fixture
def hasty(monkeypatch):
    """Few rows, measured in no time: for tests of the output."""
    groups = ("A line", "Coordinates along a line")
    lines = [case for case in CASES if case.group in groups and case.shape[0] <= 1000]
    monkeypatch.setattr(bench.cases, "all_cases", lambda quick: lines)
    monkeypatch.setattr(bench.cases, "thread_cases", lambda quick: [])
    monkeypatch.setattr(bench.operators, "operations", lambda quick, more: SMALL_OPERATIONS)
    monkeypatch.setattr(bench.measure, "import_seconds", lambda times: 0.125)
    monkeypatch.setattr(bench, "QUICK_SECONDS", 0.0)
    monkeypatch.setattr(bench_measure, "SHORTEST", 1e-6)
    monkeypatch.setattr(bench_measure, "COPY_BYTES", 1 << 16)
    return lines


# --- what is measured ---------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_statements_do_what_the_row_says(case):
    if math.prod(case.shape) > 1e5:
        shape = tuple(min(n, 40) for n in case.shape)
        case = bench_cases.Case(**{**vars(case), "shape": shape})
    names = {"np": np, "fdx": fdx, **bench_cases.names(case)}
    assert names["f"].shape == case.shape
    assert names["f"].dtype == case.dtype
    kind = "C" if case.layout == "C" else "Fortran" if case.layout == "Fortran" else "neither"
    flags = names["f"].flags
    assert kind == ("C" if flags.c_contiguous else "Fortran" if flags.f_contiguous else "neither")

    result, expected = eval(case.call, names), eval(case.numpy_call, names)
    if case.results == 1:
        result, expected = [result], [expected]
    assert len(result) == len(expected) == case.results
    for g, e in zip(result, expected, strict=True):
        np.testing.assert_array_equal(g, e, strict=True)
    eval(case.yardstick, names)

    least = names["f"].nbytes + sum(g.nbytes for g in result)
    least += names["x"].nbytes if "x" in names else 0
    assert case.moved_bytes == least
    assert case.needed_bytes >= least


@pytest.mark.parametrize("cases", [CASES, FULL_CASES], ids=["quick", "full"])
def test_rows_are_distinct_and_fit_memory(cases):
    assert len({case.id for case in cases}) == len(cases)
    assert max(case.needed_bytes for case in cases) < 2.5e9


@pytest.mark.parametrize("operations", [OPERATIONS, FULL_OPERATIONS], ids=["quick", "full"])
def test_operations_are_distinct_and_fit_memory(operations):
    assert len({operation.id for operation in operations}) == len(operations)
    assert len({(o.title, o.shape, o.dtype) for o in operations}) == len(operations)
    assert max(operation.needed_bytes for operation in operations) < 2.5e9


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_libraries_apply_the_operator_that_the_row_says(operation):
    small = operation.shape == (10, 10)
    if not small:
        shape = (20, 21) if len(operation.shape) == 2 else (*operation.shape[:-3], 20, 21, 22)
        operation = replace(operation, shape=shape)

    if operation.kind in ("gradient", "hessian"):  # of several results
        call, names = bench_peers.FDX.apply(operation)
        got = np.array(eval(call, {"np": np, "fdx": fdx, **names}))
        assert got.shape[-3:] == operation.shape
        eval(operation.yardstick, {"np": np, "fdx": fdx, **names})
        assert not bench_peers.others(operation)
        return

    def result_of(peer):
        call, names = peer.apply(operation)
        operation.names()["o"][...] = np.nan
        return np.array(eval(call, {"np": np, "fdx": fdx, **names}))

    expected = result_of(bench_peers.FDX)
    np.testing.assert_array_equal(operation.names()["o"], expected, strict=True)
    assert expected.shape == operation.shape
    assert expected.dtype == operation.dtype
    eval(operation.yardstick, {"np": np, "fdx": fdx, **operation.names()})

    others = bench_peers.others(operation)
    assert not (small and others)
    inner = (..., *(slice(4, -4) for _ in operation.grid))  # at the edges libraries differ
    atol = 100 * np.finfo(expected.dtype).eps * np.abs(expected).max()
    for peer in others:
        if peer.name == "copy":  # no operator, but a bound
            call, names = peer.apply(operation)
            eval(call, {"np": np, **names})
            np.testing.assert_array_equal(names["o"], names["f"])
            continue
        digits = 1e-9 * np.abs(expected).max() if peer.name == "devito" else 0.0  # of its weights
        got = result_of(peer)[inner]
        np.testing.assert_allclose(got, expected[inner], rtol=0, atol=max(atol, digits))


def test_ratios_are_those_of_neighbours():
    rounds = [{"a": 2.0, "b": 1.0}, {"a": 20.0, "b": 10.0, "c": 5.0}, {"a": 7.0, "b": 1.0}]
    assert bench_measure.median(rounds, "a") == 7.0
    assert bench_measure.median(rounds, "a", over="b") == 2.0
    assert bench_measure.median(rounds, "c", over="b") == 0.5


def test_rounds():
    statement = bench_measure.Statement("sum(range(100))", {})
    rounds = bench_measure.alternate({"a": statement, "b": statement}, {"c": statement}, 0.0)
    assert len(rounds) == bench_measure.ROUNDS
    assert all(is_positive(r[name]) for r in rounds for name in "abc")


# --- other libraries ----------------------------------------------------------------------------


QUICK_PEERS = [p for p in bench_peers.installed() if p.name in ("fdx", "numpy", "scipy")]


@pytest.mark.parametrize("peer", QUICK_PEERS, ids=lambda peer: peer.name)
def test_peers_differentiate(peer):
    f = np.random.default_rng(0).random((5, 6, 7))
    for axis in (0, 2):
        result = peer.prepare(f, axis)()
        inner = tuple(slice(1, -1) if i == axis else slice(None) for i in range(3))
        expected = np.gradient(f, bench_cases.SPACING, axis=axis)
        np.testing.assert_allclose(result[inner], expected[inner], rtol=1e-12, atol=1e-13)


def test_a_peer_that_fails_has_a_row_that_says_so(monkeypatch, hasty, capsys):
    def fails(f, axis):
        raise ImportError("no such symbol")

    broken = bench_peers.Peer("scipy", "numpy", fails, "broken")
    monkeypatch.setattr(bench_peers, "installed", lambda: [bench_peers.PEERS[0], broken])
    tasks = [bench_peers.Task((50,), 0), bench_peers.Task((5, 6, 7), 2)]
    monkeypatch.setattr(bench_peers, "tasks", lambda side: tasks)
    assert main(["bench", "--quick", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["peers"]
    assert [row["library"] for row in found] == ["fdx", "scipy"] * 2
    assert [row["shape"] for row in found] == [[50], [50], [5, 6, 7], [5, 6, 7]]
    assert all(is_positive(row["ratio"]) for row in found[::2])
    assert all((r["ratio"], r["error"]) == (None, "ImportError") for r in found[1::2])

    assert main(["bench", "--quick"]) == 0
    table = capsys.readouterr().out
    assert "ImportError" in table
    assert "5 x 6 x 7, axis 2" in table


def test_an_operator_that_a_peer_lacks_or_fails_at(monkeypatch, hasty, capsys):
    def fails(operation):
        raise ValueError("no such operator")

    def has(operation):
        return operation.kind == "laplacian"

    broken = replace(bench_peers.FDX, name="numpy", module="numpy", apply=fails, has=has)
    silent = replace(bench_peers.FDX, name="scipy", apply=None)
    monkeypatch.setattr(bench_peers, "installed", lambda: [bench_peers.FDX, broken, silent])
    monkeypatch.setattr(bench_peers, "tasks", lambda side: [])
    assert main(["bench", "--quick", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["operators"]
    assert [row["library"] for row in found] == ["fdx"] * 3 + ["numpy"]
    assert all(is_positive(row["ratio"]) for row in found[:3])
    assert (found[3]["id"], found[3]["error"]) == (SMALL_OPERATIONS[1].id, "ValueError")
    assert found[3]["ratio"] is found[3]["seconds"] is found[3]["yardstick_seconds"] is None

    assert main(["bench", "--quick"]) == 0
    table = capsys.readouterr().out
    (line,) = [line for line in table.splitlines() if "ValueError" in line]
    assert line.startswith("Laplacian, accuracy=8 20 x 21 x 22 float64")
    assert "scipy" not in table


# --- the command --------------------------------------------------------------------------------


def test_json(tmp_path):
    done = python("-m", "fdx", "bench", "--quick", "--no-peers", "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report["complete"]
    machine = report["machine"]
    assert machine["fdx"] == fdx.__version__
    assert machine["isa"] == fdx._core.isa()
    assert machine["numpy"] == np.__version__

    assert [row["id"] for row in report["rows"]] == [case.id for case in CASES]
    for row in report["rows"]:
        for name in (
            "yardstick_seconds",
            "ratio_fdx",
            "ratio_numpy",
            "gbytes_per_second",
            "copy_gbytes_per_second",
            "roofline_fraction",
        ):
            assert is_positive(row[name]), (row["id"], name)
        assert row["peak_bytes"] is None or row["peak_bytes"] >= 0
        assert row["memory"] in ("fresh", "warm")
    if machine["cores"] > 1:
        assert len(report["threads"]) == 2
    for row in report["threads"]:
        assert is_positive(row["speedup_fdx"])
        assert is_positive(row["speedup_copy"])
    assert is_positive(report["import_seconds"])
    assert report["peers"] == []
    few = bench_operators.operations(quick=True)
    assert [row["id"] for row in report["operators"]] == [o.id for o in few]
    for row in report["operators"]:
        assert (row["library"], row["version"], row["error"]) == ("fdx", fdx.__version__, None)
        for name in ("yardstick_seconds", "seconds", "ratio"):
            assert is_positive(row[name]), (row["id"], name)


def test_table(hasty, capsys):
    assert main(["bench", "--quick", "--no-peers"]) == 0
    table, errors = capsys.readouterr()
    assert errors == ""
    assert f"NumPy {np.__version__}" in table
    for text in ("A line\n", "Coordinates along a line\n", "float32", "fresh", "warm"):
        assert text in table
    assert table.count("fresh") >= len([case for case in hasty if case.memory == "fresh"])
    assert "Import, after NumPy's: 125.0 ms" in table
    assert "Other libraries" not in table
    for text in ("\nDiff(1, x) ", "20 x 21 x 22 float64", "\nLaplacian of 10 x 10: "):
        assert text in table
    assert max(map(len, table.splitlines())) <= 100


def test_only_operators(monkeypatch, capsys):
    more = [replace(o, shape=(*o.shape[:-3], 12, 13, 14)) for o in OPERATIONS if len(o.shape) > 2]
    monkeypatch.setattr(bench.operators, "operations", lambda quick, more_: more if more_ else [])
    monkeypatch.setattr(bench, "QUICK_SECONDS", 0.0)
    monkeypatch.setattr(bench_measure, "SHORTEST", 1e-6)
    assert main(["bench", "--quick", "--no-peers", "--operators"]) == 0
    table, errors = capsys.readouterr()
    assert errors == ""
    for text in ("Identity() + dt * Laplacian", "hessian", "Diff(1, h) @ Diff(2, h)", "c * Diff(0"):
        assert f"\n{text}" in table
    for text in ("c * Diff(0, h), c a column of 12 x 13 x 14: ", "y += a Laplacian, 32^3: "):
        assert f"\n{text}" in table
    assert "Error" not in table
    assert "A line" not in table
    assert "Import" not in table


def test_without_a_compiler(monkeypatch, capsys):
    monkeypatch.setattr(bench.operators, "operations", lambda quick, more: [])
    monkeypatch.setenv("CC", "no-such-compiler")
    assert main(["bench", "--quick", "--no-peers", "--operators", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["from_c"] == []
    assert "no measurement from C: there is no C compiler" in report["notes"]


@pytest.mark.parametrize("name", ["bench.png", "bench.svg", "bench.pdf"])
def test_plot(name, hasty, tmp_path, capsys):
    path = tmp_path / name
    assert main(["bench", "--quick", "--no-peers", "--json", "--plot", str(path)]) == 0
    out, errors = capsys.readouterr()
    assert json.loads(out)["complete"]
    assert errors == f"picture: {path}\n"
    if path.suffix == ".png":
        with Image.open(path) as picture:
            picture.load()
            assert picture.size == (1500, 675)
    else:
        start = {".svg": b"<?xml", ".pdf": b"%PDF"}[path.suffix]
        assert path.read_bytes().startswith(start)


def test_short_memory_leaves_rows_out(hasty, monkeypatch, capsys):
    least = min(case.needed_bytes for case in hasty)
    monkeypatch.setattr(bench.measure, "available_bytes", lambda: least + 1)
    assert main(["bench", "--quick", "--no-peers", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert 0 < len(report["rows"]) < len(hasty)
    assert "left out for want of memory (of: A line" in report["notes"][0]


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ((10**7,), "10^7"),
        ((256, 256, 256), "256^3"),
        ((3, 256, 256, 256), "3 x 256^3"),
        ((1000, 1000, 8), "1000 x 1000 x 8"),
        ((10**6, 3), "10^6 x 3"),
    ],
)
def test_shapes_for_people(shape, name):
    assert bench.shape_name(shape) == name


def test_available_memory_is_known():
    assert bench_measure.available_bytes() > 1e6


# --- the end of it ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_ctrl_c_shows_what_there_is(form, hasty, monkeypatch, tmp_path, capsys):
    real, calls = bench_measure.measure, []

    def interrupted(case, seconds):
        calls.append(case)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(case, seconds)

    monkeypatch.setattr(bench.measure, "measure", interrupted)
    plot = tmp_path / "never.png"
    assert main(["bench", "--quick", "--plot", str(plot), *form]) == 130
    out, errors = capsys.readouterr()
    assert errors == ""
    assert not plot.exists()
    if form:
        report = json.loads(out)
        assert [row["id"] for row in report["rows"]] == [case.id for case in hasty[:3]]
        assert not report["complete"]
    else:
        assert "A line" in out
        assert "Interrupted after" in out


@pytest.mark.skipif(os.name == "nt", reason="a signal that is sent ends a process there")
def test_a_real_interrupt(tmp_path):
    code = (
        "import os, signal, sys, threading, time\n"
        "from fdx._cli import bench_measure\n"
        "from fdx.__main__ import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # in case it is ignored
        "real, started = bench_measure.measure, threading.Event()\n"
        "def measure(*args):\n"
        "    row = real(*args)\n"
        "    started.set()\n"
        "    return row\n"
        "bench_measure.measure = measure\n"
        "def later():\n"
        "    started.wait()\n"
        "    time.sleep(0.3)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Thread(target=later, daemon=True).start()\n"
        "sys.exit(main(['bench', '--json']))\n"
    )
    done = python("-c", code, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (130, "")
    report = json.loads(done.stdout)
    assert report["rows"]
    assert not report["complete"]


def test_errors_are_one_line(tmp_path):
    for args, message in {
        "--plot x.jpg": "--plot: x.jpg: expected a name in .png, .svg, .pdf",
        "--plot no/such/x.png": "--plot: no/such: no such directory",
        "--seconds 3": "unrecognized arguments",
    }.items():
        done = python("-m", "fdx", "bench", *args.split(), cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, ""), args
        assert message in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("module", ["rich", "matplotlib"])
def test_missing_libraries_name_the_extra(module, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["bench", "--quick", "--plot", "x.png"]) == 2
    out, errors = capsys.readouterr()
    assert out == ""
    assert errors.count("\n") == 1
    assert f"{module} is missing; install it: pip install 'fdx[bench]'" in errors


def test_help(capsys):
    with pytest.raises(SystemExit) as end:
        main(["bench", "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    for option in ("--json", "--plot", "--quick", "--no-peers"):
        assert option in text


def test_import_is_light(tmp_path):
    code = (
        "import sys, fdx; assert not [m for m in sys.modules if 'bench' in m], 'bench';"
        "import fdx.__main__; assert 'rich' not in sys.modules; assert 'scipy' not in sys.modules"
    )
    done = python("-c", code, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
