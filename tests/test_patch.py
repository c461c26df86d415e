"""np.gradient while it is patched: it is the same object, each call has the same outcome, and the
reports and `python -m fdx run` are right."""

import functools
import inspect
import itertools
import os
import pickle
import re
import shutil
import sys
import threading
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from cases import make_array
from commands import python
from compare import assert_same_bits, assert_same_outcome, outcome
from numpy import gradient as imported_before

import fdx
import fdx._common.fallback
import fdx._patch.report

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "hillshade.py"
NUMPYS_CODE = np.gradient.__wrapped__.__code__
F = np.array([1.0, 2.0, 4.0, 7.0, 11.0])
HUGE = np.array([-1.7e308, 1.7e308, 1.7e308])  # whose differences overflow


@pytest.fixture(autouse=True)
def left_as_it_was():
    yield
    assert np.gradient.__wrapped__.__code__ is NUMPYS_CODE


@pytest.fixture
def counted(capsys):
    """A block of `patched`, whose report is not printed."""
    with fdx.patched(report=True) as report:
        yield report
    capsys.readouterr()


def is_patched():
    return np.gradient.__wrapped__.__code__ is not NUMPYS_CODE


class Duck:
    def __array_function__(self, function, types, args, kwargs):
        return function, args, kwargs


class Delegating(np.ndarray):
    """A subclass whose override calls NumPy's functions."""

    def __array_function__(self, function, types, args, kwargs):
        return super().__array_function__(function, types, args, kwargs)


# --- what it is ---------------------------------------------------------------------------------


def test_reached_by_every_name(counted):
    from numpy import gradient as imported_after

    for name in (np.gradient, imported_before, imported_after, np.lib._function_base_impl.gradient):
        name(F)
    assert counted.computed.calls == 4


def test_the_same_object():
    before, signature, text = np.gradient, inspect.signature(np.gradient), np.gradient.__doc__
    with fdx.patched():
        assert np.gradient is before
        assert inspect.signature(np.gradient) == signature
        assert inspect.signature(np.gradient.__wrapped__) == signature
        assert np.gradient.__doc__ == text
        assert np.gradient.__wrapped__.__code__.co_qualname == "gradient"
        assert pickle.loads(pickle.dumps(np.gradient)) is before


def test_idempotent_and_taken_back():
    assert not is_patched()
    fdx.unpatch_numpy()
    fdx.patch_numpy()
    fdx.patch_numpy()
    assert is_patched()
    fdx.unpatch_numpy()
    assert not is_patched()


def test_nested():
    with fdx.patched():
        with fdx.patched():
            fdx.patch_numpy()
            fdx.unpatch_numpy()
            assert is_patched()
        assert is_patched()
        fdx.patch_numpy()
    assert is_patched()
    with fdx.patched():
        fdx.unpatch_numpy()
        assert is_patched()
    assert not is_patched()


def test_an_exception_restores():
    with pytest.raises(ZeroDivisionError), fdx.patched(report=True):
        raise ZeroDivisionError
    assert not is_patched()


def test_as_a_decorator():
    @fdx.patched()
    def patched_here():
        return is_patched()

    assert patched_here()
    assert patched_here()
    assert not is_patched()


def test_replaced_before_fdx_was_imported():
    code = """if 1:
        import numpy as np
        np.gradient = lambda *args: "theirs"
        import fdx
        try:
            fdx.patch_numpy()
        except RuntimeError as error:
            print(error)
        print(np.gradient(1), fdx.gradient([1.0, 3.0]))
    """
    done = python("-c", code, cwd=None)
    assert done.stderr == ""
    assert done.stdout == (
        "numpy.gradient: expected NumPy's function, got __main__.<lambda> (<string>, line 3), "
        "which replaced it before fdx was imported; import fdx before that, or restore "
        "NumPy's function first\ntheirs [2. 2.]\n"
    )


@pytest.mark.parametrize("patch", [fdx.patch_numpy, lambda: fdx.patched().__enter__()])
def test_replaced_after_fdx_was_imported(patch, monkeypatch, capsys):
    own = np.gradient

    @functools.wraps(own)
    def logged(*args):
        return own(*args)

    here = f"got numpy.gradient ({__file__}, line {logged.__code__.co_firstlineno}), which"
    with monkeypatch.context() as replaced:
        for theirs, got in (logged, here), (functools.partial(own), "got functools.partial("):
            replaced.setattr(np, "gradient", theirs)
            with pytest.raises(RuntimeError, match=r"after fdx was .*; patch it before") as caught:
                patch()
            assert got in str(caught.value)
            assert own.__wrapped__.__code__ is NUMPYS_CODE
            fdx.unpatch_numpy()
            assert np.gradient is theirs
    with fdx.patched(report=True) as report:  # before that
        monkeypatch.setattr(np, "gradient", logged)
        np.gradient(F)
    np.gradient(F)
    assert report.computed.calls == 1


def test_gives_its_report():
    code = """if 1:
        import numpy as np, fdx
        assert fdx.patch_numpy() is None
        report = fdx.patch_numpy(report=True)
        assert fdx.patch_numpy(compare=True) is report
        assert fdx.patch_numpy() is None
        np.gradient([1.0, 3.0])
        print(report.computed.calls, report.compared.calls, "computed by fdx" in str(report))
    """
    done = python("-c", code, cwd=None)
    assert done.stdout == "1 1 True\n", done.stderr


def test_imported_again_while_patched():
    code = """if 1:
        import sys
        import numpy as np, fdx
        fdx.patch_numpy()
        for name in [name for name in sys.modules if name.partition(".")[0] == "fdx"]:
            if name != "fdx._core":  # extension modules are loaded once
                del sys.modules[name]
        import fdx
        print(fdx._common.fallback.undispatched(np.arange(3), (), None, 1, ""))
        fdx.patch_numpy()
        print(np.gradient(np.arange(3)))
        fdx.unpatch_numpy()
        print(np.gradient.__wrapped__.__code__.co_filename)
    """
    done = python("-c", code, cwd=None)
    assert done.stderr == ""
    first, second, name = done.stdout.splitlines()
    assert first == second == "[1. 1. 1.]"
    assert name == NUMPYS_CODE.co_filename


# --- what calls do ------------------------------------------------------------------------------

CALLS = {
    "plain": lambda: np.gradient(F, 0.3),
    "axes": lambda: np.gradient(make_array("i2", (5, 6)), 2, 0.1, edge_order=2),
    "one axis": lambda: np.gradient(make_array("f4", (5, 6, 4)), axis=-1),
    "iterator of axes": lambda: np.gradient(make_array("f4", (5, 6, 4)), axis=iter([0, 2])),
    "coordinates": lambda: np.gradient(F, np.cumsum(F)),
    "list": lambda: np.gradient([[1, 2], [3, 5]]),
    "half": lambda: np.gradient(F.astype("f2")),
    "longdouble": lambda: np.gradient(F.astype("g"), 2),
    "object": lambda: np.gradient(F.astype(object)),
    "time": lambda: np.gradient(np.array([0, 3, 7], "M8[D]")),
    "masked": lambda: np.gradient(np.ma.array(F, mask=F == 4)),
    "matrix": lambda: np.gradient(np.arange(9.0).view(Delegating).reshape(3, 3)),
    "delegating spacing": lambda: np.gradient(F, np.arange(5.0).view(Delegating)),
    "small spacing": lambda: np.gradient(F.astype("f4"), np.int8(3)),
    "nothing": lambda: np.gradient(np.zeros(0)),
    "0-d": lambda: np.gradient(np.float64(3)),
    "no axis to differentiate along": lambda: np.gradient(F, axis=()),
    "short": lambda: np.gradient(F[:2], edge_order=2),
    "wrong axis": lambda: np.gradient(F, axis=1),
    "axes twice": lambda: np.gradient(make_array("f4", (5, 6)), axis=(0, 0)),
    "edge order": lambda: np.gradient(F, edge_order=3),
    "spacings": lambda: np.gradient(F, 1, 2),
    "keyword": lambda: np.gradient(F, edge=1),
    "nothing at all": lambda: np.gradient(),
    "length": lambda: np.gradient(F, F[:3]),
    "overflow": lambda: np.gradient(HUGE),
    "division": lambda: np.gradient(F, 0.0),
    "complex": lambda: np.gradient(F * 1e-200 * (1 + 1j), np.cumsum(F), edge_order=2),
    "text": lambda: np.gradient("abc"),
}


@pytest.mark.parametrize("errors", ["warn", "raise", "ignore"])
@pytest.mark.parametrize("name", CALLS)
def test_the_same_outcome(name, errors, capsys):
    with np.errstate(all=errors):
        want = outcome(CALLS[name])
        for options in ({}, {"report": True}, {"compare": True}):
            with fdx.patched(**options) as report:
                got = outcome(CALLS[name])
            assert_same_outcome(got, want)
            assert report is None or report.different == 0


@pytest.mark.parametrize("report", [False, True])
def test_other_libraries_decide_first(report, capsys):
    duck = Duck()
    with fdx.patched(report=report):
        function, args, kwargs = np.gradient(duck, 2.0, axis=0)
        assert function is np.gradient
        assert args == (duck, 2.0)
        assert kwargs == {"axis": 0}
        # fdx.gradient asks them too
        function, args, kwargs = fdx.gradient(duck, 2.0)
        assert function is np.gradient


def test_fdx_gradient_is_not_disturbed():
    half = F.astype("f2")
    want, out = np.gradient(half), np.empty(5, "f2")
    with fdx.patched():
        assert_same_bits(fdx.gradient(half), want)
        assert fdx.gradient(half, out=out) is out
        with np.errstate(all="raise"), pytest.raises(FloatingPointError):
            fdx.gradient(F, 0.0)
    assert_same_bits(out, want)


def test_fdx_gradient_is_not_counted(counted):
    """Neither calls that it computes nor calls that it leaves to NumPy, except for overrides."""
    half, out = F.astype("f2"), np.empty(5, "f2")
    fdx.gradient(F)
    fdx.gradient(half)
    fdx.gradient(half, out=out)
    fdx.gradient(np.ma.array(F))
    with pytest.raises(ValueError, match="edge_order"):
        fdx.gradient(F, edge_order=3)
    assert str(counted) == "np.gradient was not called in this process"
    fdx.gradient(np.arange(5.0).view(Delegating))
    assert counted.left_to_numpy["f of type Delegating"].calls == 1


def test_workers_are_heeded(jobs):
    f = np.zeros((1024, 1024))
    with fdx.patched(), fdx.set_workers(2):
        np.gradient(f)
    assert len(jobs) == 1


# --- threads, signals, processes ----------------------------------------------------------------


def test_threads(capsys):
    """Blocks that overlap: none misses a call, and the last one restores NumPy's function."""
    want, failures = np.gradient(F, 0.3), []

    def work():
        for _ in range(200):
            with fdx.patched(report=True) as report:
                same = (np.gradient(F, 0.3) == want).all()
                if not same or report.computed.calls < 1 or report.left_to_numpy:
                    failures.append(report)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_patched_while_others_call():
    want, failures, stop = np.gradient(F, 0.3), [], threading.Event()

    def call():
        while not stop.is_set():
            if not (np.gradient(F, 0.3) == want).all():
                failures.append(1)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(500):
        with fdx.patched():
            np.gradient(F)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures


def test_all_calls_of_threads_are_counted(counted):
    def work():
        for _ in range(500):
            np.gradient(F)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (counted.computed.calls, counted.computed.elements) == (2000, 10_000)


def test_an_interrupt_leaves_nothing_patched():
    """At every line of `patched` at the beginning of the block."""
    code, interrupted = fdx.patched.__wrapped__.__code__, 0
    for stop in range(20):
        lines, inside = itertools.count(), []

        def trace(frame, event, argument, lines=lines, stop=stop, inside=inside):
            if frame.f_code is code and event == "line" and not inside and next(lines) == stop:
                raise KeyboardInterrupt
            return trace if frame.f_code is code else None

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            with fdx.patched():
                inside.append(is_patched())
        except KeyboardInterrupt:
            interrupted += 1
        finally:
            sys.settrace(before)
        assert not is_patched()
    assert interrupted > 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_while_calls_are_counted():
    code = """if 1:
        import os, threading
        import numpy as np, fdx
        fdx.patch_numpy(report=True)
        held, done = threading.Event(), threading.Event()
        def hold():
            with fdx._patch.patch._report_at_exit._lock:
                held.set()
                done.wait()
        threading.Thread(target=hold).start()
        held.wait()
        child = os.fork()
        if child == 0:
            print(np.gradient([1.0, 3.0]), flush=True)
            fdx.patch_numpy(report=True)  # the child's own
            print(len(fdx._patch.patch._reports), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        done.set()
    """
    done = python("-W", "ignore::DeprecationWarning", "-c", code, cwd=None)
    assert done.stdout == "[2. 2.]\n1\n"
    assert done.stderr == "\nnp.gradient was not called in this process\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_while_the_lock_is_held():
    code = """if 1:
        import os, threading, time
        import numpy as np, fdx, fdx._patch.patch
        held, done = threading.Event(), threading.Event()
        def hold():
            with fdx._patch.patch._lock:
                held.set()
                done.wait()
        threading.Thread(target=hold).start()
        held.wait()
        child = os.fork()
        if child == 0:
            with fdx.patched():
                print(np.gradient([1.0, 3.0]), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        done.set()
    """
    done = python("-W", "ignore::DeprecationWarning", "-c", code, cwd=None)
    assert (done.stdout, done.stderr) == ("[2. 2.]\n", "")


# --- the report ---------------------------------------------------------------------------------


def test_counts_and_reasons(counted):
    np.gradient(make_array("f4", (5, 6)))
    np.gradient(make_array("f4", (5, 6)), axis=0)
    np.gradient(F.astype("f2"))
    np.gradient(np.ma.array(F))
    np.gradient(F.astype("f4"), np.int8(3))
    np.gradient(F, np.cumsum(F).astype("g"))
    np.gradient(np.arange(5.0).view(Delegating))
    with pytest.raises(ValueError, match="edge_order"):
        np.gradient(F, edge_order=3)
    assert (counted.computed.calls, counted.computed.elements) == (2, 60)
    assert counted.computed.seconds > 0
    assert {why: (t.calls, t.elements) for why, t in counted.left_to_numpy.items()} == {
        "f of dtype float16": (1, 5),
        "f of type MaskedArray": (1, 5),
        "f of type Delegating": (1, 5),
        "spacing of dtype int8, f of float32": (1, 5),
        f"spacing of dtype {np.dtype('g')}, f of float64": (1, 5),
    }
    assert counted.errors == 1
    assert counted.compared.calls == 0
    text = str(counted)
    assert text.startswith("np.gradient: 8 calls, ")
    assert re.search(r"^computed by fdx +2 +60 ", text, re.M)
    assert re.search(r"^left to NumPy: f of dtype float16 +1 +5 ", text, re.M)
    assert re.search(r"^raised an exception +1$", text, re.M)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: np.gradient(F, 2**60), "spacing of 2**53 or more"),
        (lambda: np.gradient(F, [np.float16(1)] * 5), "spacing of dtype float16, f of float64"),
        (lambda: np.gradient(F, np.ma.array(F.cumsum())), "spacing of type MaskedArray"),
        (lambda: np.gradient(F * (1 + 1j) * 1e-300, F.cumsum() * 1e200, edge_order=2), "complex"),
        (lambda: np.gradient(F, axis=()), "no axis to differentiate along"),
    ],
)
def test_other_reasons(call, why, counted):
    with np.errstate(all="ignore"):
        call()
    (key,) = counted.left_to_numpy
    assert key.startswith(why)


def test_its_time_is_the_blocks(capsys):
    with fdx.patched(report=True) as report:
        np.gradient(F)
    text = str(report)
    time.sleep(0.02)
    assert str(report) == text


def test_nothing_was_called(capsys):
    with fdx.patched(report=True):
        pass
    assert capsys.readouterr().err == "\nnp.gradient was not called in this process\n"


def test_comparison(capsys):
    with fdx.patched(compare=True) as report:
        np.gradient([np.nan, -np.nan, 1.0, -0.0])
        np.gradient(make_array("c16", (5, 6)), axis=iter([0, 1]))
        np.gradient(F.astype("f2"))
    assert (report.compared.calls, report.compared.elements) == (2, 34)
    assert report.different == 0
    assert re.search(r"^fdx and NumPy: the same bytes$", capsys.readouterr().err, re.M)


def test_a_notebook_shows_the_report(capsys):
    with fdx.patched(report=True) as report:
        np.gradient(F)
    assert repr(report) == str(report)
    assert "computed by fdx" in repr(report)


def test_comparing_ends_with_the_patch():
    done = python(
        "-c",
        "import numpy as np, fdx\n"
        "for asked in dict(compare=True), dict(report=True):\n"
        "    report = fdx.patch_numpy(**asked)\n"
        "    np.gradient([1.0, 2.0])\n"
        "    print(report.computed.calls, report.compared.calls)\n"
        "    fdx.unpatch_numpy()\n",
        cwd=None,
    )
    assert done.stdout == "1 1\n2 1\n"


def test_what_is_compared_is_read_once(capsys):
    class Lazy:
        read = 0

        def __array__(self, dtype=None, copy=None):
            self.read += 1
            return F

    lazy = Lazy()
    with fdx.patched(compare=True) as report:
        assert_same_bits(np.gradient(lazy), np.gradient(F))
    assert (lazy.read, report.compared.calls, report.different) == (1, 2, 0)


def test_a_difference_is_told(monkeypatch, capsys):
    monkeypatch.setattr(fdx._patch.patch, "undispatched", lambda f, *args: f)
    with fdx.patched(compare=True) as report:
        np.gradient(F)
    assert report.different == 1
    assert "fdx and NumPy: 1 call differs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ([0.0, 1.0], [0.0, 1.0], True),
        ([0.0, 1.0], [-0.0, 1.0], False),
        ([np.nan, 1.0], [-np.nan, 1.0], True),
        ([np.nan, 1.0], [1.0, 1.0], False),
        ([1j, complex(0, np.nan)], [1j, complex(0, -np.nan)], True),
        ([1j, 2], [-1j, 2], False),
        ([1.0], [1.0, 1.0], False),
        ([1.0], [1j], False),
    ],
)
def test_same_bits(a, b, same):
    a, b = np.array(a), np.array(b)
    assert fdx._patch.report.same_bits(a, b) is same
    assert fdx._patch.report.same_bits((a, a), (a, b)) is same
    assert fdx._patch.report.same_bits(a[::-1], b[::-1]) is same


def test_report_at_exit():
    code = """if 1:
        import os, sys
        import numpy as np, fdx
        fdx.patch_numpy(report=True)
        fdx.patch_numpy(report=True)
        np.gradient([1.0, 3.0])
        fdx.unpatch_numpy()
        np.gradient([1.0, 3.0])
        fdx.patch_numpy()
        np.gradient([1.0, 3.0])
        fdx.patch_numpy(report=True)
        np.gradient([1.0, 3.0])
        fdx.unpatch_numpy()
        if hasattr(os, "fork"):
            child = os.fork()
            if child == 0:
                sys.exit()
            os.waitpid(child, 0)
    """
    done = python("-c", code, cwd=None)
    assert done.stdout == ""
    assert re.fullmatch(
        r"\nnp.gradient: 2 calls, \S+ s in \S+ s of the program\n +calls +elements of f +seconds\n"
        r"computed by fdx +2 +4 +\S+\n",
        done.stderr,
    )


def test_reports_at_once(capsys):
    """Two reports with the same counts are different."""
    with fdx.patched(report=True) as first, fdx.patched(report=True) as second:
        np.gradient(F)
        with fdx.patched(report=True) as third:
            np.gradient(F)
    assert [r.computed.calls for r in (first, second, third)] == [2, 2, 1]


@pytest.mark.parametrize("report", [False, True])
def test_filters_see_numpys_module(report, capsys):
    with warnings.catch_warnings(record=True) as caught, fdx.patched(report=report):
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", module=r"numpy\.lib")
        np.gradient(HUGE)
        np.gradient(np.array([-6e4, 6e4, 6e4], "f2"))
    assert caught == []


def test_where_warnings_point(capsys):
    """As docs/how.md says."""

    def file_of_warning(call, *arguments):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call(*arguments)
        (file,) = {warning.filename for warning in caught}
        return file

    D = fdx.Diff(0)
    for call in (fdx.gradient, fdx.derivative, fdx.laplacian, D, D):
        assert file_of_warning(call, np.tile(HUGE, 2)) == __file__
    half = np.array([-6e4, 6e4, 6e4], "f2")
    assert file_of_warning(fdx.gradient, half) == NUMPYS_CODE.co_filename
    for report in False, True:
        with fdx.patched(report=report):
            assert file_of_warning(np.gradient, HUGE) == fdx._patch.patch.__file__
            assert file_of_warning(np.gradient, half) == NUMPYS_CODE.co_filename


def test_a_class_that_refuses_what_counting_might_ask(counted):
    class Picky(np.ndarray):
        def __array_function__(self, function, types, args, kwargs):
            if function is np.size:
                return NotImplemented
            return super().__array_function__(function, types, args, kwargs)

    np.gradient(np.arange(5.0).view(Picky))
    assert counted.left_to_numpy["f of type Picky"].elements == 5


def test_numpys_failure_in_a_comparison_is_not_the_programs(monkeypatch, capsys):
    def fails(*args):
        raise MemoryError

    monkeypatch.setattr(fdx._patch.patch, "undispatched", fails)
    with fdx.patched(compare=True) as report:
        np.gradient(F)
    assert report.computed.calls == 1
    assert report.compared.calls == 0


def test_a_report_that_cannot_be_printed():
    code = (
        "import sys, fdx\nimport numpy as np\nsys.stderr.close()\n"
        "try:\n    with fdx.patched(report=True): raise KeyError\n"
        "except KeyError: print('KeyError')\n"
        "fdx.patch_numpy(report=True)\nsys.exit(3)"
    )
    done = python("-c", code, cwd=None)
    assert (done.stdout, done.returncode) == ("KeyError\n", 3)


def test_no_standard_error():
    code = "import sys, fdx; fdx.patch_numpy(report=True); sys.stderr = None"
    done = python("-c", code, cwd=None)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- python -m fdx run --------------------------------------------------------------------------


def run(*args, cwd):
    return python("-m", "fdx", "run", *args, cwd=cwd)


@pytest.fixture
def program(tmp_path):
    (tmp_path / "beside.py").write_text("from numpy import gradient\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text("import program\n")
    path = tmp_path / "program.py"
    path.write_text(
        "import sys, pickle\n"
        "from beside import gradient\n"
        "class C: pass\n"
        "print(__name__, sys.argv, sys.path[0])\n"
        "print(gradient([1.0, 3.0], 2))\n"
        "if __name__ == '__main__': assert type(pickle.loads(pickle.dumps(C()))) is C\n"
        "if 'fail' in sys.argv: 1 / 0\n"
        "if 'exit' in sys.argv: sys.exit(5)\n"
        "if 'interrupt' in sys.argv: raise KeyboardInterrupt\n"
    )
    return path


def test_a_script(program, tmp_path):
    elsewhere = tmp_path / "package"
    done = run(program, "-a", "--", "--no-report", "-m", cwd=elsewhere)
    argv = [str(program), "-a", "--", "--no-report", "-m"]
    assert done.stdout == f"__main__ {argv} {tmp_path}\n[1. 1.]\n"
    assert re.search(r"^computed by fdx +1 +2 ", done.stderr, re.M)
    assert done.returncode == 0
    plain = python(program, *argv[1:], cwd=elsewhere)
    assert (plain.stdout, plain.returncode) == (done.stdout, 0)
    assert run("--", program, *argv[1:], cwd=elsewhere).stdout == done.stdout
    nothing = run("--", cwd=elsewhere)
    assert nothing.returncode != 0
    assert "PROGRAM" in nothing.stderr


def test_a_link_a_directory_and_a_zip_file(program, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link.py").symlink_to(program)
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as packed:
        packed.write(program, "__main__.py")
        packed.write(tmp_path / "beside.py", "beside.py")
    (tmp_path / "directory").mkdir()
    shutil.copy(program, tmp_path / "directory" / "__main__.py")
    shutil.copy(tmp_path / "beside.py", tmp_path / "directory")
    for what in ("elsewhere/link.py", "packed.zip", "directory"):
        plain, done = python(what, cwd=tmp_path), run(what, cwd=tmp_path)
        assert (done.stdout, done.returncode) == (plain.stdout, 0)
        assert "computed by fdx" in done.stderr


def test_until_the_last_thread_and_exit_handler(tmp_path):
    path = tmp_path / "late.py"
    path.write_text(
        "import atexit, pickle, threading, time\n"
        "import numpy as np\n"
        "class C: pass\n"
        "def work():\n"
        "    time.sleep(0.2)\n"
        "    np.gradient([1.0, 3.0])\n"
        "    pickle.loads(pickle.dumps(C()))\n"
        "    print('worked')\n"
        "atexit.register(work)\n"
        "threading.Thread(target=work).start()\n"
    )
    plain, done = python("late.py", cwd=tmp_path), run("late.py", cwd=tmp_path)
    assert (done.stdout, done.returncode) == (plain.stdout, 0)
    assert re.search(r"^computed by fdx +2 +4 ", done.stderr, re.M)


def test_its_globals_are_those_that_python_gives(tmp_path):
    (tmp_path / "names.py").write_text("print(*sorted(globals()))\n")
    shutil.copy(tmp_path / "names.py", tmp_path / "__main__.py")
    for what in (["names.py"], ["."], ["-m", "names"]):
        plain, done = python(*what, cwd=tmp_path), run("--no-report", *what, cwd=tmp_path)
        assert (done.stdout, done.stderr) == (plain.stdout, "")


def test_numpy_alone(program, tmp_path):
    done = run("--numpy", program, cwd=tmp_path)
    assert (done.stdout, done.returncode) == (python(program, cwd=tmp_path).stdout, 0)
    assert re.search(r"^computed by fdx +0 +0 +0$", done.stderr, re.M)
    assert re.search(r"^left to NumPy: as --numpy asks +1 +2 ", done.stderr, re.M)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_numpy_alone_whoever_patches(tmp_path):
    (tmp_path / "program.py").write_text(
        "import os\n"
        "import numpy as np, fdx\n"
        "code = np.gradient.__wrapped__.__code__\n"
        "fdx.patch_numpy()\n"
        "with fdx.patched(): np.gradient([1.0, 3.0])\n"
        "assert np.gradient.__wrapped__.__code__ is code\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    print(np.gradient.__wrapped__.__code__.co_filename, flush=True)\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
    )
    done = run("--numpy", "program.py", cwd=tmp_path)
    assert done.stdout == f"{NUMPYS_CODE.co_filename}\n", done.stderr
    assert re.search(r"^left to NumPy: as --numpy asks +1 +2 ", done.stderr, re.M)


@pytest.mark.parametrize("text", ["1 +", "import nowhere", "def f(): 1 / 0\n\nf()"])
def test_tracebacks_are_the_programs(text, tmp_path):
    (tmp_path / "bad.py").write_text(text)
    plain, done = python("bad.py", cwd=tmp_path), run("--no-report", "bad.py", cwd=tmp_path)
    assert (done.stderr, done.returncode) == (plain.stderr, plain.returncode)


def test_a_module(program, tmp_path):
    done = run("-m", "program", "-x", cwd=tmp_path)
    assert done.stdout == f"__main__ {[str(program), '-x']} {tmp_path}\n[1. 1.]\n"
    assert done.returncode == 0
    done = run("-m", "package", cwd=tmp_path)
    assert "[1. 1.]" in done.stdout, done.stderr


def test_a_module_whose_name_is_glued_on(program, tmp_path):
    for options in ((), ("--no-report",)):
        parted = run(*options, "-m", "program", "-mx", cwd=tmp_path)
        glued = run(*options, "-mprogram", "-mx", cwd=tmp_path)
        assert f"{[str(program), '-mx']}" in parted.stdout
        assert (glued.stdout, glued.returncode) == (parted.stdout, 0)
    assert run(program, "-mx", cwd=tmp_path).stdout == parted.stdout


def test_help_says_where_pythons_options_go(program, tmp_path):
    text = " ".join(run("--help", cwd=tmp_path).stdout.split())
    assert "python -O -W error -m fdx run PROGRAM" in text
    program.write_text("import sys\nprint(__debug__, sys.warnoptions)\n")
    done = python("-O", "-W", "error", "-m", "fdx", "run", "--no-report", program, cwd=tmp_path)
    assert done.stdout == "False ['error']\n"


@pytest.mark.parametrize("how", ["fail", "exit", "interrupt"])
def test_its_end_is_the_programs(program, how, tmp_path):
    plain = python(program, how, cwd=tmp_path)
    for options in ((), ("--no-report",)):
        done = run(*options, program, how, cwd=tmp_path)
        assert done.stdout == plain.stdout
        assert done.returncode == plain.returncode
        assert done.stderr.startswith(plain.stderr)
        assert ("np.gradient: 1 call, " in done.stderr) == (not options)


def test_what_cannot_be_run(tmp_path):
    done = run("nowhere.py", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "python -m fdx run: error: nowhere.py: no such file; a module takes -m\n"
    )
    done = run("-m", "no.such.module", cwd=tmp_path)
    assert done.returncode == 1
    assert "No module named" in done.stderr
    done = run(cwd=tmp_path)
    assert done.returncode == 2
    assert "PROGRAM" in done.stderr
    done = run("--compare", "--no-report", "program.py", cwd=tmp_path)
    assert done.returncode == 2
    done = run("--numpy", "--no-report", "program.py", cwd=tmp_path)
    assert done.returncode == 2
    assert "--no-report cannot be combined with --numpy" in done.stderr
    done = run("--numpy", "--compare", "program.py", cwd=tmp_path)
    assert done.returncode == 2
    assert "--numpy cannot be combined with --compare: run the program twice" in done.stderr


def test_the_example_has_the_same_bytes(tmp_path):
    pytest.importorskip("matplotlib")
    plain = python(EXAMPLE, cwd=tmp_path)
    done = run("--compare", EXAMPLE, cwd=tmp_path)
    assert "SHA-256 " in plain.stdout
    assert (done.returncode, done.stdout) == (0, plain.stdout)
    assert re.search(r"^computed by fdx +2 +277,264 ", done.stderr, re.M)
    assert "fdx and NumPy: the same bytes" in done.stderr
