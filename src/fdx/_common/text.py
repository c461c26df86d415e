"""Values in messages."""

from __future__ import annotations


def name_of_type(value: object) -> str:
    kind = type(value)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def shown(value: object) -> str:
    """A value for a message, in one line."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # as for integers of thousands of digits
        text = f"<{name_of_type(value)}>"
    return text if len(text) <= 100 else f"{text[:60]}..."
