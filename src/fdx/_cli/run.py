"""``python -m fdx run``: run a program unchanged, with np.gradient patched."""

from __future__ import annotations

import argparse
import builtins
import importlib.machinery
import os
import pkgutil
import runpy
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType, TracebackType
from typing import Any

from fdx._cli.command import CommandError
from fdx._patch.patch import count_numpys, patch_numpy


def add_parser(subparsers: Any) -> None:
    """Add the ``run`` command."""
    parser = subparsers.add_parser(
        "run",
        help="run a program with fdx in place of np.gradient, and report its calls",
        usage="python -m fdx run [--no-report | --compare | --numpy] [-m] PROGRAM [ARGS ...]",
        description=(
            "Run a Python program unchanged, with every call of np.gradient computed by fdx: by "
            "whatever name, and in libraries too. At its end a report on standard error says how "
            "many calls and elements fdx computed and in what time, and which calls were left to "
            "NumPy and why. The exit status is the program's."
        ),
        epilog="Options of the interpreter come first: python -O -W error -m fdx run PROGRAM.",
    )
    parser.add_argument("--no-report", action="store_true", help="count nothing, print nothing")
    parser.add_argument(
        "--compare",
        action="store_true",
        help="compute each call by NumPy as well, and report whether all bytes are the same",
    )
    parser.add_argument(
        "--numpy",
        action="store_true",
        help="let NumPy compute every call, and report the time that it takes in the same way",
    )
    parser.add_argument(
        "-m", action="store_true", dest="is_module", help="PROGRAM is a module's name"
    )
    parser.add_argument(
        "program",
        nargs=argparse.PARSER,  # all arguments after the program's name are the program's
        metavar="PROGRAM",
        help="a script, directory or zip file, as for python, and its arguments",
    )
    parser.set_defaults(run=run)


def separated(argv: Sequence[str]) -> list[str]:
    """The arguments, with ``-mNAME`` as ``-m NAME``: argparse would take it for several options."""
    first = next((k for k, a in enumerate(argv) if k and (a == "--" or a[:2] != "--")), 0)
    if argv[:1] != ["run"] or not argv[first].startswith("-m") or argv[first] == "-m":
        return list(argv)
    return [*argv[:first], "-m", argv[first][2:], *argv[first + 1 :]]


def run(args: argparse.Namespace) -> int:
    """Run the program and return 0; exceptions that it raises are passed on."""
    if args.no_report and (args.compare or args.numpy):
        raise CommandError(
            f"--no-report cannot be combined with --{'numpy' if args.numpy else 'compare'}"
        )
    if args.numpy and args.compare:
        raise CommandError("--numpy cannot be combined with --compare: run the program twice")
    if args.program[0] == "--":  # some versions of argparse leave it there
        args.program.pop(0)
    if not args.program:
        raise CommandError("expected a PROGRAM after --, got nothing")
    program = args.program[0]
    if not args.is_module and not os.path.exists(program):
        raise CommandError(f"{program}: no such file; a module takes -m")
    if args.numpy:
        count_numpys()
    else:
        patch_numpy(report=not args.no_report, compare=args.compare)
    sys.argv[:] = args.program
    # A new module, which exists as long as the program's threads and exit handlers run.
    main = ModuleType("__main__")
    main.__dict__["__builtins__"] = builtins
    for name, value in (("__annotations__", {}), ("__cached__", None)):
        if name in sys.modules["__main__"].__dict__:  # as this Python's version has it
            main.__dict__[name] = value
    sys.modules["__main__"] = main
    try:
        _run(program, main, args.is_module)
    except SystemExit:
        raise
    except BaseException:
        # Have Python print an uncaught exception without the lines that led to the program.
        hook = sys.excepthook
        sys.excepthook = lambda kind, error, trace: hook(
            kind, error.with_traceback(_of_program(trace)), error.__traceback__
        )
        raise
    return 0


def _run(program: str, main: ModuleType, is_module: bool) -> None:
    """Run a module, a directory or zip file, or a script, as python does."""
    as_main: Any = runpy._run_module_as_main  # type: ignore[attr-defined]
    path = os.path.abspath(program)
    if is_module:
        sys.argv[0] = "-m"  # while the package is imported
        as_main(program)
    elif pkgutil.get_importer(program) is not None:
        if sys.flags.safe_path:
            sys.path.insert(0, path)
        else:
            sys.path[0] = path
        as_main("__main__", alter_argv=False)
    else:
        if not sys.flags.safe_path:
            sys.path[0] = os.path.dirname(os.path.realpath(program))
        code = _code_of(path)
        main.__file__ = path
        main.__loader__ = importlib.machinery.SourceFileLoader("__main__", path)
        exec(code, main.__dict__)


def _code_of(path: str) -> CodeType:
    with open(path, "rb") as file:
        code: CodeType | None = pkgutil.read_code(file) if path.endswith(".pyc") else None
        return code or compile(file.read(), path, "exec", dont_inherit=True)


def _of_program(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the lines of fdx and runpy that led to the program."""
    ours = {"runpy", "fdx", __name__, "fdx.__main__"}
    while trace and (
        trace.tb_frame.f_globals.get("__name__") in ours
        or trace.tb_frame.f_code.co_filename.endswith(os.path.join("fdx", "__main__.py"))
    ):
        trace = trace.tb_next
    return trace
