"""Replace np.gradient by fdx for a whole process, by whatever name it is called.

`numpy.gradient` stays the same object, so that names imported from NumPy before, and libraries that
look functions up by identity (pint, astropy, dask), keep working. What changes is the code of the
function that it wraps, which NumPy calls when no argument's class overrides np.gradient.
"""

from __future__ import annotations

import atexit
import contextlib
import operator
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from time import perf_counter
from types import CodeType, FunctionType
from typing import Any, Literal, overload

import numpy as np

from fdx._common.fallback import numpy_code, numpy_function, numpy_gradient, undispatched
from fdx._core import gradient_for_numpy
from fdx._patch.report import PatchReport, same_bits

_lock = threading.RLock()  # reentrant, as a signal handler may patch too
_everywhere = False  # patch_numpy was called
_blocks: set[object] = set()  # active `patched` blocks
_reports: tuple[PatchReport, ...] = ()
_report_at_exit: PatchReport | None = None


def _with_constants(template: Any, **objects: Any) -> CodeType:
    """The code of `template` for np.gradient's function, with objects in place of "the NAME"s.

    A function's code can be replaced, but not its globals, which are those of NumPy's module. So
    the functions that it calls are constants of the code.
    """
    code: CodeType = template.__code__
    values = {f"the {name}": value for name, value in objects.items()}
    constants = [values.get(c, c) if isinstance(c, str) else c for c in code.co_consts]
    return code.replace(co_consts=tuple(constants), co_name="gradient", co_qualname="gradient")


def _plain(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    compute: Any = "the compute"
    return compute(f, varargs, axis, edge_order)


# Warnings come from the frame that calls `compute`; warning filters see it as one of NumPy.
def _counted(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    compute: Any = "the compute"
    record: Any = "the record"
    call = record(f, varargs, axis, edge_order)
    try:
        result = compute(call.f, varargs, call.axis, edge_order, call.decline)
    except BaseException:
        call.failed()
        raise
    call.returned(result)
    return result


class _Record:
    """A call in progress, for the reports that are active when it begins."""

    def __init__(self, f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any) -> None:
        self.reports = _reports
        self.why = ""
        self.f = f
        self.varargs = varargs
        self.axis = axis
        self.edge_order = edge_order
        self.compare = [report for report in self.reports if report.compare]
        if self.compare:
            self.f = _array_once(f)
            self.axis = _axis_once(axis)
        self.start = perf_counter()

    def decline(
        self, f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, why: str
    ) -> Any:
        self.why = why
        return undispatched(f, varargs, axis, edge_order, why)

    def failed(self) -> None:
        for report in self.reports:
            report.add_error()

    def returned(self, result: Any) -> None:
        seconds = perf_counter() - self.start
        one = result[0] if isinstance(result, (tuple, list)) and result else result
        elements = getattr(one, "size", 0)
        elements = elements if isinstance(elements, int) else 0
        for report in self.reports:
            report.add(self.why, elements, seconds)
        if self.compare and not self.why:
            # The call itself has warned; an error here is not the program's.
            with np.errstate(all="ignore"), contextlib.suppress(Exception):
                start = perf_counter()
                numpys = undispatched(self.f, self.varargs, self.axis, self.edge_order, "")
                of_numpy = perf_counter() - start
                same = same_bits(result, numpys)
                for report in self.compare:
                    report.add_comparison(same, elements, of_numpy)


def _array_once(f: Any) -> Any:
    """`f` as an array, converted once, as that may take long; errors are left to np.gradient."""
    if not hasattr(type(f), "__array_function__"):
        with contextlib.suppress(Exception):
            return np.asanyarray(f)
    return f


def _axis_once(axis: Any) -> Any:
    """`axis` as a value that can be read again, should it be an iterator."""
    with contextlib.suppress(TypeError):
        return operator.index(axis)
    with contextlib.suppress(TypeError):
        return tuple(axis)
    return axis


def _by_numpy(
    f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, decline: Callable[..., Any]
) -> Any:
    return decline(f, varargs, axis, edge_order, "as --numpy asks")


# The code that computes: without reports, and with reports.
_FDX = (
    _with_constants(_plain, compute=gradient_for_numpy),
    _with_constants(_counted, compute=gradient_for_numpy, record=_Record),
)
_NUMPY = (numpy_code, _with_constants(_counted, compute=_by_numpy, record=_Record))
_codes = _FDX


def _update() -> None:
    """Set the code of np.gradient's function."""
    if _everywhere or _blocks:
        numpy_function._before_fdx = numpy_code  # for another copy of fdx in this process
        numpy_function.__code__ = _codes[bool(_reports)]
    else:
        numpy_function.__code__ = numpy_code


def _check() -> None:
    """Is np.gradient still NumPy's function, so that its callers call what is patched?"""
    if not (
        isinstance(numpy_function, FunctionType)
        and numpy_function.__globals__["__name__"].startswith("numpy.")
    ):
        got, when, todo = numpy_gradient, "before fdx was imported", "import fdx before that"
    elif np.gradient is not numpy_gradient:
        got, when, todo = np.gradient, "after fdx was imported", "patch it before that"
    else:
        return
    raise RuntimeError(
        f"numpy.gradient: expected NumPy's function, got {_described(got)}, which "
        f"replaced it {when}; {todo}, or restore NumPy's function first"
    )


def _described(function: Any) -> str:
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return repr(function)
    place = f"{code.co_filename}, line {code.co_firstlineno}"
    return f"{function.__module__}.{function.__qualname__} ({place})"


def count_numpys() -> None:
    """Only report calls, which NumPy computes as before: ``fdx run --numpy``."""
    global _codes
    _codes = _NUMPY
    patch_numpy(report=True)


@overload
def patch_numpy(*, report: Literal[True], compare: bool = False) -> PatchReport: ...
@overload
def patch_numpy(*, report: bool = False, compare: Literal[True]) -> PatchReport: ...
@overload
def patch_numpy(*, report: bool = False, compare: bool = False) -> PatchReport | None: ...
def patch_numpy(*, report: bool = False, compare: bool = False) -> PatchReport | None:
    """
    Let fdx compute every call of `numpy.gradient` in this process.

    That includes calls by names that were imported from NumPy before (``from numpy import
    gradient``), and calls in libraries. Results have the same bits, errors are the same, and what
    fdx does not compute is computed by NumPy's code. Arrays of other libraries (dask, pint, CuPy,
    ...) and subclasses still override `numpy.gradient`, as before.

    Parameters
    ----------
    report : bool, optional
        Print at exit, to standard error, how many calls and elements fdx computed and in what
        time, and which calls were left to NumPy and why. Counting takes some microseconds a
        call.
    compare : bool, optional
        Compute each call by NumPy's code as well, and report whether all bytes were the same. For
        arrays of megabytes, NumPy's times come out up to twice as long, as two results are in
        memory, and so do those of the program.

    Returns
    -------
    PatchReport or None
        The report, if `report` or `compare` is True: the same object in every call. It can be
        read and printed at any time.

    Raises
    ------
    RuntimeError
        If something else replaced `numpy.gradient`. (A function that replaces it later and calls
        the one that it replaced calls fdx.)

    See Also
    --------
    fdx.unpatch_numpy : Undo it.
    fdx.patched : The same within a ``with`` block.

    Notes
    -----
    ``python -m fdx run script.py`` does this for a program without any change to it.
    ``fdx.set_workers`` and ``FDX_NUM_THREADS`` apply. Calling it again changes nothing, except
    that a report begins if one is asked for. Forked processes inherit the patch, and are not in
    the report; new processes (by ``multiprocessing``'s "spawn" and "forkserver", which is the
    default on Linux from Python 3.14 on) do not have it, unless they import a module that patches.

    Warnings of overflow and the like are of the same kinds, appear once per call and kind, and
    say "encountered in gradient".

    Examples
    --------
    >>> import numpy as np
    >>> import fdx
    >>> fdx.patch_numpy()
    >>> np.gradient(np.array([1.0, 2.0, 4.0]))
    array([1. , 1.5, 2. ])
    >>> fdx.unpatch_numpy()
    """
    global _everywhere, _report_at_exit, _reports
    _check()
    with _lock:
        _everywhere = True
        if report or compare:
            if _report_at_exit is None:
                _report_at_exit = PatchReport()
                atexit.register(_report_at_exit.show)
            _report_at_exit.begin()
            if _report_at_exit in _reports:
                _report_at_exit.compare |= compare
            else:
                _report_at_exit.compare = compare
                _reports += (_report_at_exit,)
        _update()
        return _report_at_exit if report or compare else None


def unpatch_numpy() -> None:
    """
    Let NumPy compute `numpy.gradient` again.

    Undoes any number of calls of `fdx.patch_numpy`; without one it does nothing. `fdx.patched`
    blocks that are still active keep the patch. If something else has replaced `numpy.gradient`
    meanwhile, it stays, and calls NumPy's function again if it calls that at all.

    See Also
    --------
    fdx.patch_numpy : What it undoes.

    Examples
    --------
    >>> import fdx
    >>> fdx.unpatch_numpy()
    """
    global _everywhere, _reports
    if not _everywhere:
        return
    with _lock:
        _everywhere = False
        _reports = tuple(report for report in _reports if report is not _report_at_exit)
        if _report_at_exit is not None:
            _report_at_exit.end()
        _update()


@overload
def patched(
    *, report: Literal[True], compare: bool = False
) -> AbstractContextManager[PatchReport]: ...
@overload
def patched(
    *, report: bool = False, compare: Literal[True]
) -> AbstractContextManager[PatchReport]: ...
@overload
def patched(
    *, report: bool = False, compare: bool = False
) -> AbstractContextManager[PatchReport | None]: ...
@contextlib.contextmanager
def patched(*, report: bool = False, compare: bool = False) -> Iterator[Any]:
    """
    Let fdx compute every call of `numpy.gradient` within a ``with`` block.

    Parameters
    ----------
    report, compare : bool, optional
        As in `fdx.patch_numpy`; the report is printed at the end of the block.

    Yields
    ------
    PatchReport or None
        The report, if `report` or `compare` is True.

    Raises
    ------
    RuntimeError
        If something else replaced `numpy.gradient`.

    See Also
    --------
    fdx.patch_numpy : The same for the rest of the process, with notes.

    Notes
    -----
    The patch applies to the whole process: other threads have it too, until the block ends. Blocks
    may be nested, and overlap in threads. At the end of the last one NumPy's function is restored,
    also after an exception.

    Examples
    --------
    >>> import numpy as np
    >>> import fdx
    >>> with fdx.patched():
    ...     np.gradient(np.array([1.0, 2.0, 4.0]))
    array([1. , 1.5, 2. ])
    """
    global _reports
    _check()
    record = PatchReport(compare=compare) if report or compare else None
    block = object()
    try:  # from here on, so that an exception anywhere restores NumPy's function
        with _lock:
            _blocks.add(block)
            if record is not None:
                record.begin()
                _reports += (record,)
            _update()
        yield record
    finally:
        with _lock:
            _blocks.discard(block)
            _reports = tuple(other for other in _reports if other is not record)
            _update()
        if record is not None:
            record.end()
            record.show()


def _begin_child() -> None:
    """After a fork: other threads may have held locks, and the parent's reports count no calls of
    the child."""
    global _lock, _reports, _report_at_exit
    _lock = threading.RLock()
    for report in _reports:
        report.renew_lock()
    _reports, _report_at_exit = (), None
    _update()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_child)
