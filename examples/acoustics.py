"""Sound in a closed pipe, on a staggered grid: pressure in cells, velocity between them.

Shows ``Diff(..., position="inner")``, the gradient between cells, and minus its transpose, the
divergence in cells: nothing passes the walls at the ends, and with leapfrog steps the energy stays.

To see: the pulse splits, is reflected by both walls and meets again in the middle, on the exact
line. On a grid with pressure and velocity at the same points, differences over two spacings do not
see a zigzag: short waves stay behind.

    python examples/acoustics.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fdx

LENGTH, SOUND, DENSITY = 1.0, 340.0, 1.2  # m, m/s, kg/m3
BULK = DENSITY * SOUND**2  # the bulk modulus, Pa
WIDTH = 0.05  # of the pulse, m
ONCE = 2 * LENGTH / SOUND  # until the pulse is what it was, s


def cells(n):
    """The centres of the cells, and their width."""
    h = LENGTH / n
    return h * (np.arange(n) + 0.5), h


def pulse(x):
    return 100.0 * np.exp(-(((x - LENGTH / 2) / WIDTH) ** 2))


def exact(x, t):
    """The pulse is even about both walls, so that its mirror images travel towards the pipe."""
    images = LENGTH * np.arange(-4, 5)[:, np.newaxis]
    return sum(pulse(x + way * SOUND * t - images).sum(0) for way in (-1, 1)) / 2


def staggered(n):
    """Gradient and divergence: from cells to the faces between them, and back."""
    gradient = fdx.Diff(0, LENGTH / n, position="inner")
    return gradient, -gradient.T


def collocated(n):
    """The same with all values in the cells."""
    h = LENGTH / n
    return fdx.Diff(0, h, boundary="symmetric"), fdx.Diff(0, h, boundary="antisymmetric")


def travel(grid, n, time, courant=0.5):
    """Leapfrog: velocities half a step after pressures. Returns the pressure, and the energy at
    each step as a part of the first."""
    gradient, divergence = grid(n)
    x, h = cells(n)
    steps = round(time / (courant * h / SOUND))
    dt = time / steps
    p = pulse(x)
    v = -dt / 2 / DENSITY * gradient(p)
    energy = []
    for _ in range(steps):
        p += -dt * BULK * divergence(v)
        later = v - dt / DENSITY * gradient(p)
        energy.append((p @ p) / BULK + DENSITY * (v @ later))
        v = later
    return p, np.array(energy) / energy[0]


def main(picture=None, n=100):
    x, _ = cells(n)
    results = {}
    for grid in (staggered, collocated):
        p, energy = travel(grid, n, ONCE)
        results[grid.__name__] = p
        error = abs(p - exact(x, ONCE)).max()
        print(f"{grid.__name__}: largest error {error:.2f} Pa of 100, energy {energy[-1]:.12f}")
    errors = []
    for points in (200, 400):
        fine, _ = cells(points)
        apart = travel(staggered, points, 0.8 * ONCE)[0]  # while the halves are apart
        errors.append(abs(apart - exact(fine, 0.8 * ONCE)).max())
    print(f"staggered, with half of the spacing: errors {errors[0] / errors[1]:.2f} times smaller")
    if picture:
        draw(x, results, picture)


def draw(x, results, picture):
    fig, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True, layout="constrained")
    fine = np.linspace(0, LENGTH, 600)
    for ax, (name, p) in zip(axes, results.items(), strict=True):
        ax.plot(fine, exact(fine, ONCE), color="0.6", linewidth=1, label="exact")
        ax.plot(x, p, ".-", color="tab:blue", linewidth=0.8, ms=4, label="computed")
        ax.set(title=f"{name} grid", xlabel="x (m)", xlim=(0, LENGTH))
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(color="0.92")
    axes[0].set_ylabel("pressure after one period (Pa)")
    axes[0].legend(frameon=False)
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
