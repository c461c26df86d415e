"""What the commands of ``python -m fdx`` share: errors that users can correct, and output to closed
pipes and in any encoding."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Collection, Iterator
from importlib import import_module
from pathlib import Path

INTERRUPTED = 130  # the exit status that shells give to Ctrl-C
CLOSED_PIPE = 1  # the exit status after a write to a closed pipe, as Python's documentation advises


class CommandError(Exception):
    """An error that the user can correct; its message is shown as one line."""


def need(module: str, extra: str) -> None:
    """Raise an error, before the work begins, if a module of one of fdx's extras is missing."""
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise CommandError(f"{module} is missing; install it: pip install 'fdx[{extra}]'") from None


def check_picture(option: str, path: Path, suffixes: Collection[str]) -> None:
    """Raise an error, before the work begins, if a picture cannot be saved there."""
    if path.suffix.lower() not in suffixes:
        raise CommandError(f"{option}: {path}: expected a name in {', '.join(suffixes)}")
    if not path.parent.is_dir():
        raise CommandError(f"{option}: {path.parent}: no such directory")
    if path.is_dir():
        raise CommandError(f"{option}: {path}: is a directory")


@contextlib.contextmanager
def quiet_at_closed_pipes() -> Iterator[None]:
    """Exit without a message if the output pipe is closed, as by ``| head -1``; print names of
    files in any encoding."""
    streams = [stream for stream in (sys.stdout, sys.stderr) if stream is not None]
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            yield
        finally:
            for stream in streams:
                stream.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in streams:
            os.dup2(nowhere, stream.fileno())  # for what is flushed at exit
        raise SystemExit(CLOSED_PIPE) from None
