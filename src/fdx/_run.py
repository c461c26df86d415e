"""``python -m fdx run``: a program as it is, with np.gradient patched."""

from __future__ import annotations

import argparse
import os
import runpy
import sys
from types import TracebackType
from typing import Any

from fdx._command import INTERRUPTED, CommandError
from fdx._patch import patched


def add_parser(subparsers: Any) -> None:
    """Add the ``run`` command."""
    parser = subparsers.add_parser(
        "run",
        help="run a program with fdx in np.gradient's place, and report whether it pays",
        usage="python -m fdx run [--no-report] [--compare] [-m] PROGRAM [ARGS ...]",
        description=(
            "Run a Python program as it is, with every call of np.gradient made by fdx: by "
            "whatever name, and in libraries too. At its end a report on standard error says how "
            "many calls and elements fdx computed and in what time, and which calls were left to "
            "NumPy and why. The exit status is the program's."
        ),
    )
    parser.add_argument("--no-report", action="store_true", help="count nothing, print nothing")
    parser.add_argument(
        "--compare",
        action="store_true",
        help="make each call by NumPy as well: whether all bytes are the same, and what it took",
    )
    parser.add_argument(
        "-m", action="store_true", dest="is_module", help="PROGRAM is a module's name"
    )
    parser.add_argument(
        "program",
        nargs=argparse.PARSER,  # what a program's name needs: all that follows is its own
        metavar="PROGRAM",
        help="a script, as python takes it, and its own arguments",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the program and return its exit status."""
    if args.no_report and args.compare:
        raise CommandError("--no-report leaves nothing of --compare")
    program = args.program[0]
    if not args.is_module and not os.path.exists(program):
        raise CommandError(f"{program}: no such file; a module takes -m")
    # What python does before it runs a script or a module.
    sys.argv[:] = args.program
    if not args.is_module and not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.path.dirname(os.path.abspath(program))
    with patched(report=not args.no_report, compare=args.compare):
        try:
            if args.is_module:
                runpy.run_module(program, run_name="__main__", alter_sys=True)
            else:
                runpy.run_path(program, run_name="__main__")
        except (SystemExit, CommandError):
            raise
        except BaseException as error:
            error = error.with_traceback(_of_program(error.__traceback__))
            sys.excepthook(type(error), error, error.__traceback__)
            return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _of_program(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the lines of fdx and runpy that led to the program."""
    shown = trace
    while shown and shown.tb_frame.f_globals.get("__name__") in (__name__, "runpy"):
        shown = shown.tb_next
    return shown or trace
