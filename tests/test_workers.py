"""workers=: the same bytes for any number of threads, and threads that behave.

Arrays here are small: the `jobs` fixture splits arrays of any size, and shows that they were.
"""

import asyncio
import contextlib
import contextvars
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cases import LAYOUTS, make_array, make_coordinates
from compare import assert_same_bits, assert_same_outcome, outcome

import fdx
import fdx._common.threads
from fdx._common.fallback import numpy_gradient

MIN_WORKER_NEIGHBOURS = fdx._common.threads.MIN_WORKER_NEIGHBOURS
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def python(code, *, timeout=120, **environment):
    """Run a script in a new interpreter; its output, or an assertion with its messages."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


PRELUDE = """
import threading
import numpy as np
import fdx, fdx._common.threads

fdx._common.threads.MIN_WORKER_NEIGHBOURS = 0
real, mine, counts = fdx._common.threads.enlist, threading.local(), []

def run(job, helpers):
    mine.jobs.append(job)
    return real(job, helpers)

fdx._common.threads.enlist = run
f = np.random.default_rng(0).normal(size=(100, 90))
want = np.gradient(f)

def check(**options):
    mine.jobs = []
    got = fdx.gradient(f, **options)
    assert all(g.tobytes() == w.tobytes() for g, w in zip(got, want))
    for job in mine.jobs:
        assert job.parts_run == job.nparts
        counts.append(job.workers)
"""


def workers_of(jobs):
    """How many share each call since the last time."""
    assert all(job.parts_run == job.nparts for job in jobs)
    counts = {job.workers for job in jobs}
    jobs.clear()
    return counts


# ------------------------------------------------------------------ the same bytes


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("dtype", ["f4", "f8", ">f8", "c8", "c16", "u1", "i8"])
def test_same_bytes(jobs, dtype, edge_order, workers):
    for shape in [(1003,), (40, 33), (9, 10, 11), (3, 500), (500, 3)]:
        f = make_array(dtype, shape, "wide")
        coordinates = [make_coordinates("f8", n) for n in shape]
        for spacing in ((), (0.1,), (np.float64(0.1),), coordinates):
            with np.errstate(all="warn"):
                want = outcome(numpy_gradient, f, *spacing, edge_order=edge_order)
                got = outcome(fdx.gradient, f, *spacing, edge_order=edge_order, workers=workers)
            assert_same_outcome(got, want, f"{shape} {spacing}")
            assert workers_of(jobs) == ({workers} if workers > 1 else set())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("workers", [2, 7])
def test_same_bytes_for_any_layout(jobs, layout, workers):
    f = make_array("f4", (12, 9, 20), layout=layout)
    for axis in (None, 0, 1, 2):
        assert_same_bits(
            fdx.gradient(f, 0.1, axis=axis, workers=workers), numpy_gradient(f, 0.1, axis=axis)
        )
    assert workers_of(jobs) == {workers}


def test_costly_results_are_worth_threads_sooner(jobs, monkeypatch):
    f = make_array("f8", (64, 64, 64))
    monkeypatch.setattr(fdx._common.threads, "MIN_WORKER_NEIGHBOURS", MIN_WORKER_NEIGHBOURS)
    fdx.derivative(f, workers=50)
    fdx.laplacian(f[:32], accuracy=2, workers=50)
    assert workers_of(jobs) == set()
    fdx.laplacian(f, accuracy=8, workers=50)
    assert workers_of(jobs) == {64**3 * 27 >> 21}  # nine neighbours along each axis
    fdx.gradient(f, workers=50)
    fdx.hessian(f, workers=50)
    assert all(job.parts_run == job.nparts > job.workers for job in jobs)


@pytest.mark.parametrize("shape", [(2,), (3,), (4,), (2, 2), (1, 5), (5, 1), (0, 4), (2, 3, 1)])
def test_more_workers_than_work(jobs, shape):
    f = make_array("f8", shape)
    axis = int(np.argmax(shape))
    assert_same_bits(fdx.gradient(f, axis=axis, workers=100), numpy_gradient(f, axis=axis))
    assert all(job.parts_run == job.nparts for job in jobs)


def test_outputs_and_inputs_in_place(jobs):
    f = make_array("f8", (40, 50))
    want = numpy_gradient(f, axis=0)
    assert fdx.gradient(f, axis=0, out=f, workers=3) is f
    assert f.tobytes() == want.tobytes()
    assert workers_of(jobs) == {3}


def test_small_arrays_are_not_split(monkeypatch):
    """Passing work to a thread takes longer than computing a small array."""
    monkeypatch.setattr(fdx._common.threads, "enlist", lambda job, helpers: pytest.fail("split"))
    fdx.gradient(np.arange(100.0), workers=2)


def test_large_arrays_are_split_without_being_forced(monkeypatch):
    jobs = []
    real = fdx._common.threads.enlist

    def spy(job, helpers):
        jobs.append(job)
        return real(job, helpers)

    monkeypatch.setattr(fdx._common.threads, "enlist", spy)
    f = make_array("f4", (2000, 2000))
    assert_same_bits(fdx.gradient(f, workers=2), numpy_gradient(f))
    assert workers_of(jobs) == {2}


# ------------------------------------------------------------------ how many


F = np.arange(9000.0).reshape(100, 90) ** 1.5  # for smaller ones no default is looked up


def test_how_many(jobs):
    fdx.gradient(F)
    assert workers_of(jobs) == set()
    fdx.gradient(F, workers=3)
    assert workers_of(jobs) == {3}
    fdx.gradient(F, workers=np.int64(2))
    assert workers_of(jobs) == {2}
    # SciPy's convention: -1 is every processor this process may use, -CPUS is one.
    fdx.gradient(F, workers=-1)
    assert workers_of(jobs) == ({CPUS} - {1})
    fdx.gradient(F, workers=-CPUS)
    assert workers_of(jobs) == set()


def test_set_workers(jobs):
    with fdx.set_workers(3):
        fdx.gradient(F)
        assert workers_of(jobs) == {3}
        with fdx.set_workers(2):
            fdx.gradient(F, workers=None)
            assert workers_of(jobs) == {2}
            fdx.gradient(F, workers=5)
            assert workers_of(jobs) == {5}
        fdx.gradient(F)
        assert workers_of(jobs) == {3}
        with contextlib.suppress(ZeroDivisionError), fdx.set_workers(1):
            fdx.gradient(F)
            assert workers_of(jobs) == set()
            raise ZeroDivisionError
        fdx.gradient(F)
        assert workers_of(jobs) == {3}
    fdx.gradient(F)
    assert workers_of(jobs) == set()


def test_set_workers_is_a_context_variable(jobs):
    """Threads and tasks do not affect each other's setting."""
    with fdx.set_workers(3):
        inherited = contextvars.copy_context()
    for context, count in [(contextvars.Context(), set()), (inherited, {3})]:
        with fdx.set_workers(2), ThreadPoolExecutor(1) as pool:
            pool.submit(context.run, fdx.gradient, F).result()
        assert workers_of(jobs) == count


def test_set_workers_as_a_statement(jobs):
    def count():
        fdx.gradient(F)
        return max(workers_of(jobs), default=1)

    def as_statements():
        before = count()
        fdx.set_workers(3)
        assert (before, count()) == (1, 3)
        fdx.set_workers(1)
        assert count() == 1
        fdx.set_workers(2)
        with fdx.set_workers(4):
            assert count() == 4
            fdx.set_workers(5)  # until the block ends
            assert count() == 5
        assert count() == 2
        for wrong, got in (
            (0, "or -1 for .* got 0"),
            (1.5, "an integer, got 1.5"),
            (None, "an integer, got None"),
        ):
            with pytest.raises((ValueError, TypeError), match=f"workers: expected .*{got}"):
                fdx.set_workers(wrong)
        assert count() == 2

    contextvars.Context().run(as_statements)
    assert count() == 1


def test_set_workers_again_and_again(jobs):
    def count():
        fdx.gradient(F)
        return max(workers_of(jobs), default=1)

    def again():
        three = fdx.set_workers(3)
        assert count() == 3
        with three:
            assert count() == 3
        assert count() == 1  # what was set before `three`
        with three, fdx.set_workers(2):
            assert count() == 2
            with three, three:
                assert count() == 3
            assert count() == 2
        assert count() == 1

        two, four = fdx.set_workers(2), fdx.set_workers(4)
        two.__enter__()
        four.__enter__()
        two.__exit__(None, None, None)  # not in the order of their beginnings
        four.__exit__(None, None, None)
        assert count() == 4

    contextvars.Context().run(again)


def test_set_workers_of_a_function(jobs):
    def decorated():
        @fdx.set_workers(3)
        def three():
            fdx.gradient(F)
            return workers_of(jobs)

        fdx.gradient(F)
        assert workers_of(jobs) == set()
        assert three() == three() == {3}
        fdx.gradient(F)
        assert workers_of(jobs) == set()

    contextvars.Context().run(decorated)


def test_set_workers_many_times_takes_no_memory():
    def many():
        for _ in range(1000):
            fdx.set_workers(2)
            with fdx.set_workers(1):
                fdx.set_workers(3)
        setting = fdx._common.threads._setting.get()
        assert setting.block is None

    contextvars.Context().run(many)


def test_set_workers_in_tasks(jobs):
    """Each task has a setting; it begins with that of the task that starts it."""

    async def task(number):
        assert fdx._common.threads.count(None) == 2
        with fdx.set_workers(number):
            await asyncio.sleep(0)
            assert fdx._common.threads.count(None) == number
            fdx.set_workers(number + 1)
            await asyncio.sleep(0)
            assert fdx._common.threads.count(None) == number + 1
        assert fdx._common.threads.count(None) == 2
        fdx.set_workers(number)
        await asyncio.sleep(0)
        assert fdx._common.threads.count(None) == number

    async def main():
        fdx.set_workers(2)
        await asyncio.gather(*(task(number) for number in range(3, 20)))
        assert fdx._common.threads.count(None) == 2

    asyncio.run(main())
    assert fdx._common.threads.count(None) == 1


def test_set_workers_in_threads(jobs):
    """One object may be entered by several threads at once."""
    three = fdx.set_workers(3)
    with three:
        pass
    start = threading.Barrier(4)

    def enter(number):
        assert fdx._common.threads.count(None) == 1
        fdx.set_workers(10 + number)
        for _ in range(100):
            with three:
                start.wait()
                assert fdx._common.threads.count(None) == 3
            assert fdx._common.threads.count(None) == 10 + number

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(enter, number) for number in range(4)]:
            done.result()


BAD_WORKERS = [True, 0, -(10**6), -CPUS - 1, 1.5, 2.0, "2", [2], float("nan")]


@pytest.mark.parametrize("workers", BAD_WORKERS, ids=repr)
def test_bad_workers(workers):
    expected = ValueError if type(workers) is int else TypeError
    for dtype in ("f8", "f2"):
        with pytest.raises(expected, match="workers"):
            fdx.gradient((F % 7).astype(dtype), workers=workers)
    with pytest.raises(expected, match="workers"), fdx.set_workers(workers):
        pass


@pytest.mark.parametrize(("value", "count"), [("3", "[3]"), ("1", "[]"), ("", "[]"), ("-1", None)])
def test_environment(value, count):
    said = python("check(); print(counts)", FDX_NUM_THREADS=value).strip()
    assert said == (count or (f"[{CPUS}]" if CPUS > 1 else "[]"))


def test_environment_is_the_weakest():
    code = "check(workers=2)\nwith fdx.set_workers(5): check()\nprint(counts)"
    assert python(code, FDX_NUM_THREADS="3").strip() == "[2, 5]"


@pytest.mark.parametrize("value", ["0", "two", "1.5", "-1000000", "9" * 30])
def test_bad_environment(value):
    """It may have been set for another program: the import works, with a warning."""
    code = "import fdx; fdx.gradient([1, 2, 3]); print(fdx._common.threads.count(None))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "FDX_NUM_THREADS": value},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stdout == "1\n"
    for words in ("RuntimeWarning: FDX_NUM_THREADS: expected", value, "1 is used instead"):
        assert words in done.stderr


def test_processors_this_process_may_use():
    """Not all CPUs of the machine: a container or a scheduler may allow fewer."""
    code = """
import os
import signal
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    check(workers=-1)
    assert counts == []
    try:
        check(workers=-2)
    except ValueError as error:
        assert "workers" in str(error)
    else:
        raise AssertionError
"""
    python(code)


# ------------------------------------------------------------------ warnings


def one_bad_point(at, n=4000):
    """Ordinary numbers, but one difference overflows and, next to it, one is inf - inf."""
    f = np.linspace(0, 1, n) ** 2
    f[at : at + 5] = [1e308, np.inf, -1e308, np.inf, 0]
    return f


@pytest.mark.parametrize("at", [0, 1000, 2000, 3990])
def test_warnings_from_every_part(jobs, at):
    f = one_bad_point(at)
    with np.errstate(all="warn"):
        want = outcome(numpy_gradient, f)
        assert want.warnings
        assert_same_outcome(outcome(fdx.gradient, f, workers=4), want)
    assert workers_of(jobs) == {4}


@pytest.mark.parametrize("at", [0, 1000, 2000, 3990])
def test_errors_from_every_part(jobs, at):
    f = one_bad_point(at)
    for kind in ("over", "invalid"):
        with np.errstate(**{"all": "ignore", kind: "raise"}):
            want = outcome(numpy_gradient, f)
            assert want.error[0] is FloatingPointError
            assert_same_outcome(outcome(fdx.gradient, f, workers=4), want)
    assert workers_of(jobs) == {4}


def test_callbacks_run_in_the_calling_thread(jobs):
    seen = []

    def callback(kind, flag):
        seen.append((kind, threading.get_ident()))

    with np.errstate(all="ignore", invalid="call", over="call", call=callback):
        fdx.gradient(one_bad_point(3000), workers=4)
    assert {kind for kind, _ in seen} == {"overflow", "invalid value"}
    assert {thread for _, thread in seen} == {threading.get_ident()}


def test_a_callback_may_call_again(jobs):
    results = []

    def callback(kind, flag):
        results.append(fdx.gradient(F, workers=3))

    with np.errstate(all="ignore", invalid="call", call=callback):
        fdx.gradient(one_bad_point(3000), workers=3)
    assert_same_bits(results[0], numpy_gradient(F))


def test_flags_do_not_outlive_their_call(jobs):
    """Neither in the pool's threads nor in the calling one."""
    with np.errstate(all="ignore"):
        for at in (0, 1000, 2000, 3990):
            fdx.gradient(one_bad_point(at), workers=4)
    with np.errstate(all="raise"):
        for workers in (1, 4):
            fdx.gradient(F, workers=workers)
    # Nor does a flag raised by something else count as this call's.
    with np.errstate(all="raise"):
        _ = float("1e308") * 10.0
        fdx.gradient(F, workers=4)


# ------------------------------------------------------------------ threads that behave


def test_many_callers_at_once(jobs):
    count = 8
    inputs = [make_array("f8", (50, 40), seed=seed) for seed in range(count)]
    wants = [numpy_gradient(f, 0.1) for f in inputs]
    start = threading.Barrier(count)

    def call(f):
        start.wait()
        return [fdx.gradient(f, 0.1, workers=3) for _ in range(20)]

    with ThreadPoolExecutor(count) as pool:
        for results, want in zip(pool.map(call, inputs), wants, strict=True):
            for got in results:
                assert_same_bits(got, want)
    assert len(jobs) >= count * 20
    assert workers_of(jobs) == {3}


@pytest.mark.thread_unsafe(reason="no other thread may give up the GIL")
def test_the_gil_is_released_on_large_arrays():
    """A thread counts on while the main one is inside a call."""
    f = np.zeros(20_000_000, np.float32)
    out = np.empty_like(f)
    count, stop = [0], threading.Event()

    def counter():
        while not stop.is_set():
            count[0] += 1
            time.sleep(0.0002)

    def counted_during(function, *args, **kwargs):
        before = count[0]
        function(*args, **kwargs)
        return count[0] - before

    interval = sys.getswitchinterval()
    # From here on a thread runs only when the one that has the interpreter gives it up.
    sys.setswitchinterval(1000)
    thread = threading.Thread(target=counter)
    thread.start()
    try:
        # More than one try, as a busy machine may not run the other thread at once.
        released = any(counted_during(fdx.gradient, f, out=out) for _ in range(100))
        held = counted_during(sorted, range(1_000_000, 0, -1))
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        thread.join()
    assert released
    if getattr(sys, "_is_gil_enabled", lambda: True)():
        assert held == 0, "the counter runs anyway, so this test shows nothing"


FORK = """
import os, sys, threading

for _ in range(3):
    check(workers=3)

def forked():
    child = os.fork()
    if child == 0:
        status = 1
        try:
            check(workers=3)
            check(workers=7)
            assert counts[-2:] == [3, 7]
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0

forked()
check(workers=3)

# Also while another thread is inside a call.
stop = threading.Event()

def busy():
    while not stop.is_set():
        check(workers=2)

thread = threading.Thread(target=busy)
thread.start()
try:
    for _ in range(10):
        forked()
finally:
    stop.set()
    thread.join()
check(workers=3)
print("done")
"""


def test_fork():
    if hasattr(os, "fork"):
        assert python(FORK, PYTHONWARNINGS="ignore::DeprecationWarning").endswith("done\n")


INTERRUPT = """
import random, signal, threading, time

rng = random.Random(0)
rows = [np.random.default_rng(k).normal(size=(1500, 1000)) for k in (1, 2)]
out = np.empty((2, 1500, 1000))
main = threading.main_thread().ident

def interrupt(after):
    time.sleep(after)
    signal.pthread_kill(main, signal.SIGINT)

fdx._common.threads.enlist = real
signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background have it ignored
for turn in range(25):
    thread = threading.Thread(target=interrupt, args=(rng.uniform(0, 0.02),))
    caught = False
    try:
        thread.start()
        while True:
            for f in rows:
                fdx.gradient(f, out=out, workers=3)
    except KeyboardInterrupt:
        caught = True
    thread.join()
    assert caught
    # The call is over. Whatever still writes would write over this.
    out.fill(-12345)
    time.sleep(0.01)
    assert (out == -12345).all(), "a part went on writing"

# And nothing is broken.
fdx.gradient(rows[0], out=out, workers=3)
assert out.tobytes() == np.stack(np.gradient(rows[0])).tobytes()
print("done")
"""


def test_interrupts():
    if hasattr(os, "fork"):
        assert python(INTERRUPT).endswith("done\n")


STORM = """
import signal, time

big = np.random.default_rng(1).normal(size=(600, 600))
want_big = np.gradient(big)
out = tuple(np.empty_like(w) for w in want_big)
moments = np.random.default_rng(2)

def alarm(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, alarm)
interrupts = 0
while interrupts < 2000:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.002 * moments.random() + 1e-5)
        while True:
            fdx.gradient(big, out=out, workers=4)
    except KeyboardInterrupt:
        interrupts += 1
signal.setitimer(signal.ITIMER_REAL, 0)
fdx.gradient(big, out=out, workers=4)
assert all(o.tobytes() == w.tobytes() for o, w in zip(out, want_big))
print("done")
"""


def test_a_storm_of_interrupts():
    """Whenever a signal handler raises, the threads serve the next call."""
    if hasattr(signal, "setitimer"):
        assert python("fdx._common.threads.enlist = real" + STORM).endswith("done\n")


def test_a_fork_while_threads_are_enlisted():
    """As in a signal handler: the child finishes the call without the threads of its parent."""
    code = """
import os, time

big = np.random.default_rng(1).normal(size=(1000, 1000))
want_big = np.gradient(big)

def enlist(job, helpers):
    global pid
    real(job, helpers)
    time.sleep(0.001)
    pid = os.fork()

fdx._common.threads.enlist = enlist
got = fdx.gradient(big, workers=2)
assert all(g.tobytes() == w.tobytes() for g, w in zip(got, want_big))
if pid == 0:
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
print("done")
"""
    if hasattr(os, "fork"):
        assert python("import warnings; warnings.simplefilter('ignore')" + code) == "done\n"


@pytest.mark.skipif(os.name == "nt", reason="compiles a library as Unix does")
def test_the_callers_floating_point_environment(tmp_path):
    """Other threads use the rounding mode and the treatment of subnormals of the calling thread,
    for instance after a library built with -ffast-math has switched subnormals off in it."""
    source = tmp_path / "rounding.c"
    source.write_text(
        "#include <fenv.h>\n"
        "void up(void) { fesetround(FE_UPWARD); }\n"
        "void nearest(void) { fesetround(FE_TONEAREST); }\n"
    )
    library = tmp_path / "rounding.so"
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-shared", "-fPIC", source, "-o", library, "-lm"], check=True)
    code = f"""
import ctypes

rounding = ctypes.CDLL({str(library)!r})
big = np.random.default_rng(1).normal(size=(500, 500))
fdx.gradient(big, workers=2)
nearest = fdx.gradient(big, 0.1, axis=0)
rounding.up()
one = fdx.gradient(big, 0.1, axis=0)
same = all(fdx.gradient(big, 0.1, axis=0, workers=3).tobytes() == one.tobytes() for _ in range(20))
rounding.nearest()
assert one.tobytes() != nearest.tobytes()
assert same
print("done")
"""
    assert python("fdx._common.threads.enlist = real" + code) == "done\n"


@pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(),
    reason="NumPy frees shapes that others read if no GIL keeps them from it",
)
def test_a_reshape_in_another_thread():
    """`f.shape = ...` frees the shape and the strides that an array had when the call began."""
    code = """
import warnings

warnings.simplefilter("ignore")
big = np.random.default_rng(1).normal(size=(1000, 600))
want_big = np.gradient(big, axis=0).tobytes()
over = threading.Event()

def flip():
    while not over.is_set():
        big.shape = (2, 1000, 300)
        junk = [np.empty((7,) * ndim) for ndim in (1, 2, 3, 4)]
        big.shape = (1000, 600)

thread = threading.Thread(target=flip)
thread.start()
try:
    for _ in range(300):
        try:
            got = fdx.gradient(big, axis=0)
        except ValueError as error:  # the reshape came while Python code ran
            assert "keeps its shape" in str(error), error
        else:
            assert got.shape != (1000, 600) or got.tobytes() == want_big
finally:
    over.set()
    thread.join()
print("done")
"""
    assert python("fdx._common.threads.enlist = real" + code) == "done\n"


def test_at_exit():
    """No new threads can be started then: the parts run in the calling one."""
    code = """
import atexit

def late():
    check(workers=3)
    check(workers=7)
    print("late", flush=True)

atexit.register(late)
"""
    assert python("check(workers=3)" + code) == "late\n"
    # Also when the pool is first wanted at that time.
    assert python(code) == "late\n"


def test_threads_that_outlive_the_main_one():
    code = """
import threading

def busy():
    threading.main_thread().join()
    for _ in range(50):
        check(workers=3)
    print("done", flush=True)

check(workers=3)
threading.Thread(target=busy).start()
"""
    assert python(code) == "done\n"


def test_idle_threads_do_not_keep_the_process():
    assert python("check(workers=7); print('over')", timeout=60) == "over\n"


# ------------------------------------------------------------------ no threads available


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
def test_no_thread_can_be_started(jobs, monkeypatch, error):
    """The caller computes it alone, and nothing stays in the queue for threads that never start."""

    def start_new_thread(*arguments):
        raise error

    fdx._common.threads._forget_threads()  # existing threads stay, and wait for their queue
    monkeypatch.setattr(fdx._common.threads._thread, "start_new_thread", start_new_thread)
    for _ in range(10):
        assert_same_bits(fdx.gradient(F, workers=3), numpy_gradient(F))
        assert workers_of(jobs) == {3}
    assert fdx._common.threads._jobs.qsize() == 0


def test_only_some_threads_can_be_started(jobs, monkeypatch):
    real, started = fdx._common.threads._thread.start_new_thread, []

    def start_new_thread(*arguments):
        if len(started) == 2:
            raise MemoryError
        started.append(real(*arguments))
        return started[-1]

    fdx._common.threads._forget_threads()
    monkeypatch.setattr(fdx._common.threads._thread, "start_new_thread", start_new_thread)
    for _ in range(10):
        assert_same_bits(fdx.gradient(F, workers=50), numpy_gradient(F))
        assert workers_of(jobs) == {50}
    end = time.monotonic() + 60
    while fdx._common.threads._jobs.qsize() and time.monotonic() < end:
        time.sleep(0.01)
    assert fdx._common.threads._jobs.qsize() == 0
    fdx._common.threads._forget_threads()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs limits of POSIX")
@pytest.mark.parametrize("limit", ["RLIMIT_NPROC", "RLIMIT_AS"])
def test_limits_that_leave_no_thread(limit):
    """A limit of threads, which root does not have; or of address space, less than a stack."""
    code = f"""
import resource
fdx.gradient(f)
if "{limit}" == "RLIMIT_AS":
    threading.stack_size(1 << 29)
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    most = used + (1 << 28)
else:
    most = 1
resource.setrlimit(resource.{limit}, (most, resource.getrlimit(resource.{limit})[1]))
for _ in range(10):
    check(workers=3)
if not fdx._common.threads._started:
    assert fdx._common.threads._jobs.qsize() == 0
    print("none")
"""
    if limit == "RLIMIT_AS" and not os.path.exists("/proc/self/statm"):
        pytest.skip("needs /proc")
    said = python(code)
    assert limit == "RLIMIT_NPROC" or said.strip() == "none"


# ------------------------------------------------------------------ threads with a small stack

STACK = """
import sys, threading
import numpy as np
import fdx

f = np.add.outer(np.linspace(0, 1, 60), np.linspace(1, 2, 60) ** 2)
x, large = np.cumsum(np.linspace(1, 2, 60)), np.ones((1000, 1000))
out, D = np.empty((60, 60)), fdx.Diff(0, x)
long = D
for _ in range(7):
    long = D @ (f * long)

def gradients():
    for a in (f, f[0], f.T, f[:, ::-1], f.astype(">f4"), (100 * f).astype("i2"), f + 1j * f):
        for edge_order in (1, 2):
            fdx.gradient(a, edge_order=edge_order)
            fdx.gradient(a, *[x] * a.ndim, edge_order=edge_order)
    fdx.gradient(f, axis=0, out=out)
    fdx.gradient(np.ones((3,) * 7))
    fdx.gradient(np.ones((100, 3)), np.arange(100.0) ** 2, axis=0)
    fdx.gradient(large, out=(np.empty_like(large), np.empty_like(large)))
    fdx.gradient(large, workers=2)

def others():
    for a in (f, f.T, f[:, ::-1], f.astype(">f4"), (100 * f).astype("i2"), f + 1j * f):
        fdx.derivative(a, x, axis=0, accuracy=6)
        fdx.laplacian(a)
        fdx.hessian(a, x, x)
        fdx.curl([a, a])
        fdx.jacobian([a, a], out=None)
        (D @ fdx.Diff(1))(a)
        (D.T @ (f * D))(a)
        long(a)
    fdx.weights(range(9))
    fdx.weights(x[:20], 0.1, 3)
    fdx.weights(x, 0.1, 30)

call = globals()[sys.argv[1]]
errors = []

def run():
    try:
        call()
    except BaseException as error:
        errors.append(error)

threading.stack_size(int(sys.argv[2]) * 1024)
thread = threading.Thread(target=run)
thread.start()
thread.join()
assert not errors, errors
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="stacks differ, and their limits")
@pytest.mark.parametrize("call", ["gradients", "others"])
def test_threads_of_little_stack(call):
    """A call takes 32 KiB, an empty thread 36; musl's threads have 128. More would crash."""
    command = [sys.executable, "-c", STACK, call, str(32 + 36)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
