"""Profiles of the property tests, and what several test files share.

FDX_HYPOTHESIS_PROFILE=quick     some seconds, the same examples every time
FDX_HYPOTHESIS_PROFILE=default   half a minute, the same examples every time
FDX_HYPOTHESIS_PROFILE=ci        a minute, twice as many examples, the same every time
FDX_HYPOTHESIS_PROFILE=long      as many as a night allows, different every time
FDX_HYPOTHESIS_PROFILE=threads   few, for .ci/threads, which runs each test eight times
"""

import os
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import fdx._common.fallback
import fdx._common.threads

if sys.platform != "linux":  # these use its compilers and binutils
    collect_ignore = [
        "test_codes.py",
        "test_csrc.py",
        "test_c_fortran_same_bits.py",
        "test_portability.py",
        "test_packaging.py",
    ]

# Each of the eleven property tests runs this many.
EXAMPLES = {"quick": 200, "default": 1000, "ci": 2000, "long": 25_000, "threads": 10}
for name, count in EXAMPLES.items():
    settings.register_profile(
        name,
        max_examples=count,
        deadline=None,
        derandomize=name != "long",
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
settings.load_profile(os.environ.get("FDX_HYPOTHESIS_PROFILE", "default"))


def pytest_configure(config):
    config.addinivalue_line("markers", "huge: takes 9 GB of memory (deselect with -m 'not huge')")
    # NumPy's own tests, which one file runs, carry these marks.
    config.addinivalue_line("markers", "thread_unsafe(reason): not to be run in several threads")
    config.addinivalue_line("markers", "slow: takes long")
    config.addinivalue_line("markers", "iterations(n): how often pytest-run-parallel runs a test")


def pytest_collection_modifyitems(items):
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        if {"fallbacks", "jobs"} & set(item.fixturenames):  # which count from the test's beginning
            item.add_marker(pytest.mark.iterations(1))
        if {"python", "subprocess"} & set(item.function.__code__.co_names):
            item.add_marker(pytest.mark.thread_unsafe(reason="runs another process"))


@pytest.fixture
def fallbacks(monkeypatch):
    """A list with an entry for each call that is left to NumPy."""
    calls = []
    real = fdx._common.fallback.gradient

    def spy(*args, **kwargs):
        calls.append(args)
        return real(*args, **kwargs)

    monkeypatch.setattr(fdx._common.fallback, "gradient", spy)
    return calls


@pytest.fixture
def jobs(monkeypatch):
    """The jobs that were split into parts; with this fixture, arrays of any size are split."""
    done = []
    real = fdx._common.threads.enlist

    def spy(job, helpers):
        done.append(job)
        return real(job, helpers)

    monkeypatch.setattr(fdx._common.threads, "enlist", spy)
    monkeypatch.setattr(fdx._common.threads, "MIN_WORKER_NEIGHBOURS", 0)
    return done


@pytest.fixture(autouse=True)
def ordinary_errstate():
    """Each test starts from NumPy's default treatment of floating-point errors."""
    with np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"):
        yield
