"""Time steps on squares, called in a loop: heat conduction, a wave, and Gray and Scott's model of
two fields, whose reaction is the caller's. Also in units of the same steps in NumPy."""

import numpy as np

import fdx

from .gradient import ratio

SIDES = [64, 256, 1024]
FEED, KILL, DIFFUSION = 0.04, 0.06, (0.2, 0.1)
LAPLACIAN = fdx.Laplacian((0, 1), boundary="periodic")
HEAT = fdx.Identity() + 0.2 * LAPLACIAN
WAVE = 2 * fdx.Identity() + 0.2 * LAPLACIAN
OF_U = (1 - FEED) * fdx.Identity() + DIFFUSION[0] * LAPLACIAN
OF_V = (1 - FEED - KILL) * fdx.Identity() + DIFFUSION[1] * LAPLACIAN


def by_shifts(u):
    """The Laplacian by NumPy."""
    neighbours = np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1)
    return neighbours - 4 * u


class Fields:
    def __init__(self, side):
        rng = np.random.default_rng(0)
        self.u, self.v, self.u_next, self.v_next, self.product = rng.random((5, side, side)) / 4

    def heat(self):
        HEAT(self.u, out=self.u_next)

    def heat_by_numpy(self):
        self.u_next[...] = self.u + 0.2 * by_shifts(self.u)

    def wave(self):
        WAVE(self.u, out=self.v_next, beta=-1)

    def wave_by_numpy(self):
        self.v_next[...] = 2 * self.u + 0.2 * by_shifts(self.u) - self.v_next

    def gray_scott(self):
        np.multiply(self.u, self.v, out=self.product)
        np.multiply(self.product, self.v, out=self.v_next)
        np.subtract(FEED, self.v_next, out=self.u_next)
        OF_U(self.u, out=self.u_next, beta=1)
        OF_V(self.v, out=self.v_next, beta=1)

    def gray_scott_by_numpy(self):
        u, v = self.u, self.v
        reaction = u * v * v
        self.u_next[...] = u + DIFFUSION[0] * by_shifts(u) - reaction + FEED * (1 - u)
        self.v_next[...] = v + DIFFUSION[1] * by_shifts(v) + reaction - (FEED + KILL) * v


class Steps:
    params = (["heat", "wave", "gray_scott"], SIDES)
    param_names = ("step", "side")
    unit = "steps"

    def setup(self, step, side):
        self.fields = Fields(side)
        self.step = getattr(self.fields, step)

    def time_step(self, step, side):
        self.step()

    def track_steps_of_numpy(self, step, side):
        return ratio(self.step, getattr(self.fields, f"{step}_by_numpy"))
