"""``python -m fdx COMMAND``: fdx from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import NoReturn

import fdx
from fdx._cli import bench, demo, run
from fdx._cli.command import INTERRUPTED, CommandError, quiet_at_closed_pipes

# One module per command. Each has ``add_parser(subparsers)``, which sets ``run`` to the function
# that takes the parsed arguments and returns the exit status, or raises CommandError.
COMMANDS = (demo, bench, run)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line: what is wrong, not the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = Parser(
        prog="python -m fdx",
        description="Finite differences for NumPy: np.gradient's results, bit for bit, faster.",
        epilog="'python -m fdx COMMAND --help' explains a command.",
    )
    parser.add_argument("--version", action="version", version=f"fdx {fdx.__version__}")
    subparsers = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)

    with quiet_at_closed_pipes():
        args = parser.parse_args(run.separated(sys.argv[1:] if argv is None else argv))
        if "run" not in args:
            parser.print_help()
            return 0
    # The program that `run` runs handles its streams and its end itself.
    printing = nullcontext() if args.command == "run" else quiet_at_closed_pipes()
    try:
        with printing:
            status: int = args.run(args)
    except CommandError as error:
        print(f"{parser.prog} {args.command}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if args.command == "run":
            raise
        return INTERRUPTED
    return status


if __name__ == "__main__":
    sys.exit(main())
