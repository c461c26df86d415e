"""Memory of freed results is kept for new ones: within bounds, and for nobody else."""

import ctypes
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from in_threads import in_threads
from numpy._core import _multiarray_umath
from numpy._core.multiarray import get_handler_name

import fdx
from fdx import _core
from fdx._functions.result_cache import DEFAULT

U = np.random.default_rng(0).random((40, 41, 42))  # its results are larger than 128 KiB
LAPLACIAN = fdx.Diff(0, 0.1, deriv=2) + fdx.Diff(1, 0.1, deriv=2)
CALLS = {
    "gradient": lambda u: fdx.gradient(u, 0.1, axis=0),
    "derivative": lambda u: fdx.derivative(u, 0.1),
    "laplacian": lambda u: fdx.laplacian(u, 0.1),
    "operator": LAPLACIAN,
    "valid": fdx.Diff(0, 0.1, boundary="valid"),
    "jacobian": lambda u: fdx.jacobian([u, u], 0.1),
    "hessian": lambda u: fdx.hessian(u, 0.1),
}

pytestmark = pytest.mark.thread_unsafe(reason="changes what the process keeps")


@pytest.fixture(autouse=True)
def cleared():
    fdx.set_result_cache(DEFAULT)
    yield
    fdx.set_result_cache(DEFAULT)


def address(a):
    return a.__array_interface__["data"][0]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c16", "i8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_is_used_again(name, dtype, order):
    u = np.asarray(10 * U, dtype, order=order)
    first = CALLS[name](u)
    several = order == "F" and first.ndim > u.ndim  # a view in the memory order of `u`
    assert first.flags.owndata is not several
    assert first.flags.writeable
    assert get_handler_name(first.base if several else first) == "fdx_results"
    assert address(first) % 64 == 0
    want, before = first.copy(order="K"), address(first)
    del first
    again = CALLS[name](u)
    assert address(again) == before
    assert again.tobytes() == want.tobytes()
    assert again.strides == want.strides
    other = CALLS[name](u)
    assert not np.shares_memory(again, other)


def test_all_results_of_a_gradient():
    first = fdx.gradient(U, 0.1)
    before = {address(g) for g in first}
    del first
    assert {address(g) for g in fdx.gradient(U, 0.1)} == before


def test_small_results_and_other_arrays_are_as_they_were():
    assert get_handler_name(fdx.gradient(np.arange(100.0))) == "default_allocator"
    assert get_handler_name(np.empty_like(U)) == "default_allocator"
    assert get_handler_name(fdx.laplacian(U, 0.1) + 1) == "default_allocator"
    out = np.empty_like(U)
    assert get_handler_name(fdx.laplacian(U, 0.1, out=out)) == "default_allocator"


def test_it_can_be_turned_off():
    del_me = fdx.laplacian(U, 0.1)
    del del_me
    fdx.set_result_cache(0)
    assert _core.kept_bytes() == 0
    assert get_handler_name(fdx.laplacian(U, 0.1)) == "default_allocator"


def test_at_most_so_many_bytes_and_blocks():
    n = U.nbytes
    fdx.set_result_cache(3 * n + 100)
    results = [fdx.derivative(U, 0.1) for _ in range(5)]
    assert _core.kept_bytes() == 0
    oldest = address(results[0])
    while results:
        del results[0]
        assert _core.kept_bytes() <= 3 * n
    assert _core.kept_bytes() == 3 * n
    assert oldest not in [address(a) for a in [fdx.derivative(U, 0.1) for _ in range(3)]]
    large = fdx.derivative(np.ones(n), 0.1)  # alone more than may be kept
    del large
    assert _core.kept_bytes() == 3 * n
    fdx.set_result_cache(DEFAULT)
    results = [fdx.derivative(np.ones(1 << 14)) for _ in range(40)]
    del results
    assert _core.kept_bytes() == 16 << 17


def test_arrays_that_are_resized():
    want = fdx.laplacian(U, 0.1)
    for shape in ((60, 41, 42), (20, 41, 42), (3,)):
        got = fdx.laplacian(U, 0.1)
        got.resize(shape, refcheck=False)
        n = min(got.size, want.size)
        assert np.array_equal(got.ravel()[:n], want.ravel()[:n])
        assert not got.ravel()[n:].any()
        del got
    assert np.array_equal(fdx.laplacian(U, 0.1), want)
    fdx.set_result_cache(DEFAULT)
    results = [fdx.laplacian(U, 0.1) for _ in range(20)]
    for k, a in enumerate(results):
        if k:
            a.resize((3,), refcheck=False)
    del a, results
    assert _core.kept_bytes() >= U.nbytes  # small ones take no places


def test_tracemalloc_counts_what_is_in_use():
    del_me = fdx.laplacian(U, 0.1)
    del del_me
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = fdx.laplacian(U, 0.1)
        assert U.nbytes <= tracemalloc.get_traced_memory()[0] - before < U.nbytes + 10_000
        del result
        assert tracemalloc.get_traced_memory()[0] - before < 10_000
    finally:
        tracemalloc.stop()


def test_in_threads():
    want = fdx.laplacian(U, 0.1).tobytes()
    wrong = []

    def work(seed):
        mine = []
        rng = np.random.default_rng(seed)
        for _ in range(60):
            mine.append(fdx.laplacian(U, 0.1))
            if rng.integers(2):
                mine.pop(rng.integers(len(mine)))
            if seed == 0:
                fdx.set_result_cache(int(rng.integers(4)) << 20)
        wrong.extend(a for a in mine if a.tobytes() != want)

    in_threads(work, 4)
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_after_a_fork():
    code = (
        "import os, numpy as np, fdx\n"
        "u = np.ones((50, 50, 50))\n"
        "fdx.laplacian(u)\n"
        "child = os.fork()\n"
        "a = fdx.laplacian(u + 1)\n"
        "b = fdx.laplacian(u)\n"
        "assert not a.any() and not b.any()\n"
        "if child:\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_allocator_of_the_program_is_left_alone():
    """Another capsule for the default allocator counts as one."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    api = ctypes.cast(pointer(_multiarray_umath._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(api[304])
    get_handler = ctypes.PYFUNCTYPE(ctypes.py_object)(api[305])
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    default = get_handler()
    own = new(pointer(default, b"mem_handler"), b"mem_handler", None)
    set_handler(own)
    try:
        assert get_handler_name(fdx.laplacian(U, 0.1)) == "default_allocator"
        assert get_handler() is own
    finally:
        set_handler(default)
    assert get_handler_name(fdx.laplacian(U, 0.1)) == "fdx_results"
    assert get_handler() is default


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (-1, ValueError, r"bytes: expected 0 for nothing, or up to \d+, got -1"),
        (1 << 70, ValueError, "bytes: expected 0"),
        (1.5, TypeError, "bytes: expected an integer, got 1.5"),
        (None, TypeError, "bytes: expected an integer, got None"),
        (True, TypeError, "bytes: expected an integer, got True"),
    ],
)
def test_wrong_numbers(value, error, message):
    with pytest.raises(error, match=message):
        fdx.set_result_cache(value)


@pytest.mark.parametrize(
    ("text", "handler", "warns"),
    [
        ("0", "default_allocator", ""),
        ("  ", "fdx_results", ""),
        ("1000000", "fdx_results", ""),
        ("much", "fdx_results", "FDX_RESULT_CACHE: expected bytes, got 'much'; 67108864 is used"),
        ("-3", "fdx_results", "FDX_RESULT_CACHE: expected 0 for nothing, or up to"),
    ],
)
def test_environment(text, handler, warns):
    code = (
        "import numpy as np, fdx\n"
        "from numpy._core.multiarray import get_handler_name\n"
        "print(get_handler_name(fdx.laplacian(np.ones((50, 50, 50)))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "FDX_RESULT_CACHE": text},
    )
    assert done.stdout.strip() == handler
    assert warns in done.stderr
    assert warns or not done.stderr
