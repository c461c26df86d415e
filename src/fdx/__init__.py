"""Finite differences on NumPy arrays: `np.gradient`, bit for bit, at the speed of an addition."""

from fdx._core import __version__ as __version__
from fdx._core import gradient
from fdx._threads import set_workers

__all__ = ["gradient", "set_workers"]
