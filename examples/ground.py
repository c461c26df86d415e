"""The warmth of the day in the ground: a wall through which a given flux passes.

Shows boundaries with data, `fdx.Neumann` and `fdx.Dirichlet`, that change in time; fluxes at the
faces of cells, by ``position="outer"``, and their divergence, by ``position="inner"``, as one
operator; and `linear` and `offset` for an implicit step.

To see: the heat of the sun reaches a few decimetres deep, and arrives there hours later.

    python examples/ground.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse import eye_array
from scipy.sparse.linalg import splu

import fdx

DEPTH = 1.0  # m
CONDUCTIVITY = 1.2  # W / (m K)
CAPACITY = 2.0e6  # J / (m3 K)
FLUX = 100.0  # W / m2, at noon; minus that at midnight
DAY = 86400.0  # s


def surface_flux(t):
    """Into the ground."""
    return FLUX * np.cos(2 * np.pi * t / DAY)


def exact(z, t):
    """The periodic solution whose temperature is 0 at the depth DEPTH."""
    diffusivity = CONDUCTIVITY / CAPACITY
    s = np.sqrt(2j * np.pi / DAY / diffusivity)
    wave = FLUX / (CONDUCTIVITY * s) * np.sinh(s * (DEPTH - z)) / np.cosh(s * DEPTH)
    return (wave * np.exp(2j * np.pi * t / DAY)).real


def heating(n):
    """The rate of change of the temperature of n cells, and the slope at the surface, an array that
    is to be written to before it is applied."""
    h = DEPTH / n
    slope = np.zeros(1)
    ends = fdx.Neumann(slope, outside=0.5), fdx.Dirichlet(0.0, outside=0.5)
    to_faces = fdx.Diff(0, h, position="outer", boundary=ends)
    to_cells = fdx.Diff(0, h, position="inner")
    conductivity = np.full(n + 1, CONDUCTIVITY)  # of the faces; layers of the ground may differ
    return 1 / CAPACITY * (to_cells @ (conductivity * to_faces)), slope


def one_day(n, steps):
    """Steps of the trapezoidal rule; times, depths and temperatures."""
    L, slope = heating(n)
    z = (np.arange(n) + 0.5) * (DEPTH / n)
    dt = DAY / steps
    identity = eye_array(n, format="csc")
    matrix = splu((identity - dt / 2 * L.linear.matrix(n)).tocsc())
    u = exact(z, 0.0)
    results = [u]
    for k in range(steps):
        slope[:] = -surface_flux(k * dt) / CONDUCTIVITY
        half = u + dt / 2 * L(u)
        slope[:] = -surface_flux((k + 1) * dt) / CONDUCTIVITY
        u = matrix.solve(half + dt / 2 * L.offset(n))
        results.append(u)
    return np.linspace(0, DAY, steps + 1), z, np.array(results)


def main(picture=None, n=40, steps=96):
    t, z, u = one_day(n, steps)
    error = abs(u - exact(z, t[:, np.newaxis])).max()
    fine = one_day(2 * n, 2 * steps)
    fine_error = abs(fine[2] - exact(fine[1], fine[0][:, np.newaxis])).max()
    print(f"temperatures from {u.min():.1f} to {u.max():.1f} K, largest error {error:.4f} K")
    print(f"with half of the spacing and of the step: {error / fine_error:.1f} times smaller")
    deep = u[:, int(0.3 / DEPTH * n)]
    for depth, here in ((0.0, u[:, 0]), (0.3, deep)):
        latest = t[here.argmax()] / 3600
        print(f"{depth} m deep: warmest at {latest:.1f} h, range {np.ptp(here):.1f} K")
    if picture:
        draw(t, z, u, picture)


def draw(t, z, u, picture):
    fig, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    image = axes[0].contourf(t / 3600, z, u.T, levels=17, cmap="RdBu_r", vmin=-8, vmax=8)
    axes[0].set(xlabel="hours", ylabel="depth (m)", ylim=(0.6, z[0]), xticks=range(0, 25, 6))
    fig.colorbar(image, ax=axes[0], label="temperature (K)")
    for hour in (0, 6, 12, 18):
        k = int(hour / 24 * (len(t) - 1))
        (line,) = axes[1].plot(u[k], z, ".", markersize=4, label=f"{hour} h")
        fine = np.linspace(0, DEPTH, 200)
        axes[1].plot(exact(fine, t[k]), fine, color=line.get_color(), linewidth=1)
    axes[1].set(xlabel="temperature (K)", ylim=(0.6, 0))
    axes[1].legend(frameon=False, title="points: fdx, lines: exact", fontsize=8, title_fontsize=8)
    axes[1].spines[["top", "right"]].set_visible(False)
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
