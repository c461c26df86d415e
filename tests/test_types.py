"""Type annotations: type checkers accept them, and they are true."""

import atexit
import importlib.util
import subprocess
import sys
import types
import typing
from pathlib import Path

import numpy as np
import pytest

PROJECT = Path(__file__).parents[1]
INFERRED = PROJECT / "tests" / "types" / "inferred.py"


def run(module, *arguments):
    pytest.importorskip(module.partition(".")[0], reason="pip install --group lint")
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=PROJECT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_infers_it():
    run("mypy", str(INFERRED))


def test_pyright_infers_it():
    run("pyright", str(INFERRED))


def test_the_stub_is_like_the_module():
    allowed = str(INFERRED.with_name("stubtest.txt"))
    options = ["--mypy-config-file", "pyproject.toml", "--ignore-disjoint-bases"]
    run("mypy.stubtest", "fdx", "--allowlist", allowed, *options)


def holds(value, expected):
    """Is it a value of the type, one of those in inferred.py?"""
    if expected is typing.Any:
        return True
    kind, arguments = typing.get_origin(expected), typing.get_args(expected)
    if hasattr(kind, "__value__"):  # of `type NDArray[...] = ...`, as NumPy 2.5 has it
        return holds(value, kind.__value__[arguments])
    if kind in (types.UnionType, typing.Union):
        return any(holds(value, one) for one in arguments)
    if not isinstance(value, kind or expected):
        return False
    if kind is np.ndarray:
        shape, (scalar,) = typing.get_args(arguments[0]), typing.get_args(arguments[1])
        known = shape and ... not in shape
        right = not known or len(shape) == value.ndim
        return right and (scalar is typing.Any or value.dtype.type is scalar)
    if kind is tuple and ... not in arguments:
        return len(value) == len(arguments) and all(map(holds, value, arguments))
    return kind is None or all(holds(one, arguments[0]) for one in value)


def test_it_is_true(monkeypatch):
    asked = []

    def look(value, expected):
        asked.append(expected)
        assert holds(value, expected), f"{value!r} is no {expected}"
        return value

    monkeypatch.setattr(typing, "assert_type", look)
    monkeypatch.setattr(atexit, "register", lambda function: None)  # no report after the tests'
    spec = importlib.util.spec_from_file_location("inferred", INFERRED)
    inferred = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inferred)
    f = np.random.default_rng(0).uniform(1, 2, (4, 4))
    arrays = {
        "f32": f.astype(np.float32),
        "f64": f,
        "c64": f.astype(np.complex64),
        "i16": f.astype(np.int16),
        "line": f[0],
        "plane": f.astype(np.float32),
        "cube": np.stack([f, f]),
    }
    for name, function in vars(inferred).items():
        if isinstance(function, types.FunctionType) and name not in ("assert_type", "mistakes"):
            wanted = set(function.__annotations__) - {"return"}
            function(**{argument: arrays[argument] for argument in wanted})
    assert len(asked) > 50


def test_it_would_be_noticed():
    a = np.ones((2, 3), np.float32)
    assert holds(a, np.typing.NDArray[np.float32])
    assert holds((a, a), tuple[np.typing.NDArray[np.float32], np.typing.NDArray[np.float32]])
    assert not holds(a, np.typing.NDArray[np.float64])
    assert not holds(a, np.ndarray[tuple[int], np.dtype[np.float32]])
    assert not holds((a,), np.typing.NDArray[np.float32])
    assert not holds([a, 1], list[np.typing.NDArray[np.float32]])
