"""How much do more threads help, and from what size on are they worth it?

Sizes on each side of the threshold below which fdx uses one thread, and one that no cache holds.
`out` separates computing from the first touch of new memory, which threads share as well.
"""

import functools
import os

import numpy as np

import fdx

SIZES = [10_000, 100_000, 1_000_000, 8_000_000]
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
WORKERS = sorted({1, 2, CPUS})


@functools.lru_cache(maxsize=1)
def data(size):
    """Return a square array of about `size` elements and the outputs of its gradient."""
    side = int(size**0.5)
    f = np.random.default_rng(0).standard_normal((side, side))
    return f, (np.zeros_like(f), np.zeros_like(f))


class Workers:
    """Both derivatives of a square array."""

    params = (SIZES, WORKERS)
    param_names = ("size", "workers")

    def time_gradient(self, size, workers):
        f, _ = data(size)
        fdx.gradient(f, 0.1, workers=workers)

    def time_gradient_out(self, size, workers):
        f, out = data(size)
        fdx.gradient(f, 0.1, out=out, workers=workers)
