"""What the compiled core declines: NumPy's own np.gradient, and `out=` for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from fdx import _out

# Saved at import: np.gradient may later be replaced by fdx's.
numpy_gradient = np.gradient


def gradient(f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, out: Any) -> Any:
    """np.gradient's result, copied to `out` if there is one."""
    result = numpy_gradient(f, *varargs, axis=axis, edge_order=edge_order)
    if out is None:
        return result
    _out.store(result, out)
    return out
