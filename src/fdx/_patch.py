"""np.gradient made fdx's for a whole process, by whatever name it is called.

`numpy.gradient` stays the object that it is: names imported from NumPy before, and libraries that
look functions up by identity (pint, astropy, dask), go on working. What changes is the code of the
function behind it, which NumPy calls when no argument's class overrides it.
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

from fdx._core import gradient_for_numpy
from fdx._fallback import numpy_code, numpy_function, numpy_gradient, undispatched
from fdx._report import PatchReport, same_bits

_lock = threading.RLock()  # a signal's handler may patch as well
_everywhere = False  # patch_numpy was called
_blocks: set[object] = set()  # of `patched` that are being run
_reports: tuple[PatchReport, ...] = ()
_report_at_exit: PatchReport | None = None


def _with_constants(template: Any, **objects: Any) -> CodeType:
    """The code of np.gradient's function as `template` has it, with objects for "the NAME"s.

    A function's code can be replaced, the names that it finds cannot: they are NumPy's. So what
    is called is a constant of the code.
    """
    code: CodeType = template.__code__
    places = {f"the {name}": value for name, value in objects.items()}
    constants = [places.get(c, c) if isinstance(c, str) else c for c in code.co_consts]
    return code.replace(co_consts=tuple(constants), co_name="gradient", co_qualname="gradient")


def _plain(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    compute: Any = "the compute"
    return compute(f, varargs, axis, edge_order)


# Warnings come from the frame that calls `compute`, which is NumPy's to filters, as it should be.
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
    """A call that is being made, for the reports that there are when it begins."""

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
            # What there is to say has been said, and what there is to raise is not the program's.
            with np.errstate(all="ignore"), contextlib.suppress(Exception):
                start = perf_counter()
                numpys = undispatched(self.f, self.varargs, self.axis, self.edge_order, "")
                of_numpy = perf_counter() - start
                same = same_bits(result, numpys)
                for report in self.compare:
                    report.add_comparison(same, elements, of_numpy)


def _array_once(f: Any) -> Any:
    """`f` as NumPy reads it, which may take long; whatever that raises is left to who computes."""
    if not hasattr(type(f), "__array_function__"):
        with contextlib.suppress(Exception):
            return np.asanyarray(f)
    return f


def _axis_once(axis: Any) -> Any:
    """`axis` as something that can be read again."""
    with contextlib.suppress(TypeError):
        return operator.index(axis)
    with contextlib.suppress(TypeError):
        return tuple(axis)
    return axis


def _by_numpy(
    f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, decline: Callable[..., Any]
) -> Any:
    return decline(f, varargs, axis, edge_order, "as --numpy asks")


# What computes: without reports, and with them.
_FDX = (
    _with_constants(_plain, compute=gradient_for_numpy),
    _with_constants(_counted, compute=gradient_for_numpy, record=_Record),
)
_NUMPY = (numpy_code, _with_constants(_counted, compute=_by_numpy, record=_Record))
_codes = _FDX


def _update() -> None:
    """Give np.gradient's function the code that it is to have."""
    if _everywhere or _blocks:
        numpy_function._before_fdx = numpy_code  # for another copy of fdx
        numpy_function.__code__ = _codes[bool(_reports)]
    else:
        numpy_function.__code__ = numpy_code


def _check() -> None:
    """Is np.gradient what NumPy made it, so that who calls it calls what is patched?"""
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
        f"numpy.gradient: expected NumPy's own function, got {_described(got)}, by which "
        f"something replaced it {when}; {todo}, or put NumPy's back first"
    )


def _described(function: Any) -> str:
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return repr(function)
    place = f"{code.co_filename}, line {code.co_firstlineno}"
    return f"{function.__module__}.{function.__qualname__} ({place})"


def count_numpys() -> None:
    """Have the report alone, of calls that NumPy goes on computing: ``fdx run --numpy``."""
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
    Make every call of `numpy.gradient` in this process one of fdx's.

    That goes for calls by names that were imported from NumPy before (``from numpy import
    gradient``), and in libraries. Results have the same bits, errors are the same, and what fdx
    does not compute is computed by NumPy's own code. Arrays of other libraries (dask, pint,
    CuPy, ...) and subclasses get to decide first, as ever.

    Parameters
    ----------
    report : bool, optional
        Print at exit, to standard error, how many calls and elements fdx computed and in what
        time, and which calls were left to NumPy and why. Counting takes some microseconds a
        call.
    compare : bool, optional
        Also make each call by NumPy's own code, and report whether all bytes were the same. Its
        times come out up to twice too long for arrays of megabytes, as two results are in
        memory, and the program's too.

    Returns
    -------
    PatchReport or None
        What is counted, if that was asked for: to be looked at and printed at any time, the same
        one whenever it is asked for.

    Raises
    ------
    RuntimeError
        If something else replaced `numpy.gradient`. (What replaces it later and calls what it
        replaced gets fdx's.)

    See Also
    --------
    fdx.unpatch_numpy : Take it back.
    fdx.patched : The same for the length of a ``with`` block.

    Notes
    -----
    ``python -m fdx run script.py`` does this to a program that is not to be changed at all.
    ``fdx.set_workers`` and ``FDX_NUM_THREADS`` are heeded. Calling it again changes nothing,
    but that a report begins if it is asked for. Processes that are made by fork have the patch,
    and are not in the report; those that are started anew (by ``multiprocessing``'s "spawn" and
    "forkserver", which is the default on Linux from Python 3.14 on) do not have it, unless they
    import a module that patches.

    Warnings of overflow and the like are of the same kinds, come once a call for each, and say
    "encountered in gradient".

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
    Make `numpy.gradient` NumPy's own again.

    Takes back any number of calls of `fdx.patch_numpy`; without one it does nothing. Blocks of
    `fdx.patched` that are still open keep theirs. What else has replaced `numpy.gradient`
    meanwhile stays in its place, and calls NumPy's own function again if it calls that at all.

    See Also
    --------
    fdx.patch_numpy : What it takes back.

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
    Make every call of `numpy.gradient` one of fdx's, within a ``with`` block.

    Parameters
    ----------
    report, compare : bool, optional
        As in `fdx.patch_numpy`; the report is printed at the end of the block.

    Yields
    ------
    PatchReport or None
        What is counted, if that was asked for.

    Raises
    ------
    RuntimeError
        If something else replaced `numpy.gradient`.

    See Also
    --------
    fdx.patch_numpy : The same for the rest of the process, with notes.

    Notes
    -----
    The patch is the process's: other threads have it too, as long as the block lasts. Blocks
    may be nested, and overlap in threads. Also when the block ends by an exception, NumPy's own
    function is restored with the last of them.

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
    try:  # from here on, whatever interrupts
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
    """After a fork: other threads may have held locks; calls are the parent's report's no more."""
    global _lock, _reports, _report_at_exit
    _lock = threading.RLock()
    for report in _reports:
        report.renew_lock()
    _reports, _report_at_exit = (), None
    _update()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_child)
