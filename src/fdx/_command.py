"""What the commands of ``python -m fdx`` have in common: errors that their users can put right."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from pathlib import Path

INTERRUPTED = 130  # the exit status that shells give to Ctrl-C


class CommandError(Exception):
    """Something the user can put right; its message is shown as one line."""


def need(module: str, extra: str) -> None:
    """Tell before the work, not after it, that a module of one of fdx's extras is missing."""
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise CommandError(f"{module} is missing; install it: pip install 'fdx[{extra}]'") from None


def check_picture(option: str, path: Path, suffixes: Collection[str]) -> None:
    """Tell before the work that a picture could not be saved there."""
    if path.suffix.lower() not in suffixes:
        raise CommandError(f"{option}: {path}: expected a name in {', '.join(suffixes)}")
    if not path.parent.is_dir():
        raise CommandError(f"{option}: {path.parent}: no such directory")
    if path.is_dir():
        raise CommandError(f"{option}: {path}: is a directory")
