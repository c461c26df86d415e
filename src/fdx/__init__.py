"""Finite differences on NumPy arrays: `np.gradient`, bit for bit, at the speed of an addition."""

from importlib.metadata import version as _version

from fdx._core import gradient
from fdx._threads import set_workers

__version__ = _version("fdx")
__all__ = ["gradient", "set_workers"]
