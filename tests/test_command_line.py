"""Output in any encoding, and to pipes that are closed early."""

import os

import numpy as np
import pytest
from commands import python

import fdx
from fdx._patch.report import PatchReport

ENCODINGS = [
    {"PYTHONIOENCODING": "cp1252"},
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]


@pytest.fixture(params=ENCODINGS, ids=lambda environment: "-".join(environment.values()))
def encoding(request, monkeypatch):
    for name in ("PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in request.param.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def closed_pipe():
    """A pipe to write to, whose reader is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def test_operators_are_shown_in_ascii(capsys):
    x = np.arange(12.0) ** 1.5
    y = fdx.Diff(1, 0.2, deriv=3, accuracy=6)
    along = [fdx.Diff(0, deriv=deriv) for deriv in (1, 2, 11)]
    for L in (*along, y.T, y @ along[0], along[0] + fdx.Diff(1) + fdx.Diff(2)):
        assert repr(L).isascii()
        L.plot()
    for L in (fdx.Diff(0, x), np.ones(12) * along[0], fdx.Identity()):
        assert repr(L).isascii()
    assert repr(along[2]).endswith("/ (2 h^11), h = 1")
    assert capsys.readouterr().out.isascii()
    assert repr(PatchReport()).isascii()


@pytest.mark.usefixtures("encoding")
def test_operators_can_be_printed(tmp_path):
    code = "import fdx; L = fdx.Diff(0, deriv=4); print(L); L.plot(); (L + fdx.Diff(1)).plot()"
    done = python("-c", code, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "h^4" in done.stdout


@pytest.mark.usefixtures("encoding")
def test_demo_prints_any_name(tmp_path):
    pytest.importorskip("matplotlib")
    with open(tmp_path / "höhe-高.npy", "wb") as file:
        np.save(file, np.random.default_rng(0).random((20, 30)))
    options = ["--input", "höhe-高.npy", "--spacing", "1", "1", "--output", "高.png"]
    done = python("-m", "fdx", "demo", *options, cwd=tmp_path, text=False)
    assert done.returncode == 0, done.stderr
    assert b"picture: " in done.stdout


def test_bench_prints_any_name(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("rich")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    options = ["--quick", "--no-peers", "--plot", "高.png"]
    done = python("-m", "fdx", "bench", *options, cwd=tmp_path, text=False)
    assert done.returncode == 0, done.stderr
    assert b"picture: \\u9ad8.png" in done.stdout


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["--help", "demo --help", "run --help", "--version", "demo"])
def test_closed_pipes(command, unbuffered, closed_pipe, monkeypatch, tmp_path):
    """The readers of both output and errors are closed."""
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    for stderr in ({}, {"stderr": closed_pipe}):
        done = python("-m", "fdx", *command.split(), cwd=tmp_path, stdout=closed_pipe, **stderr)
        # Of help written at once argparse does not see that it fails.
        assert done.returncode == (0 if unbuffered and command != "demo" else 1)
        assert not done.stderr


def test_closed_pipes_of_tables(closed_pipe, tmp_path):
    pytest.importorskip("rich")
    done = python("-m", "fdx", "bench", "--quick", "--no-peers", cwd=tmp_path, stdout=closed_pipe)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)


def test_a_program_meets_its_own_closed_pipe(closed_pipe, monkeypatch, tmp_path):
    """`run` leaves this to the program, as `python` does."""
    # Otherwise Python fails again when it ends, with another code.
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    (tmp_path / "program.py").write_text("print('line', flush=True)")
    for command in ([], ["-m", "fdx", "run"]):
        done = python(*command, "program.py", cwd=tmp_path, stdout=closed_pipe)
        assert "BrokenPipeError" in done.stderr
        assert done.returncode == 1
