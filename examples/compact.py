"""A packet of short waves that travels far: compact schemes beside explicit differences.

Shows `fdx.Compact` in place of `fdx.Diff`, in Runge-Kutta steps on a ring.

To see: 120 wavelengths later, with seven points per wave, accuracy 2 has spread the packet around
the ring, and accuracy 6 has it late. The compact scheme of accuracy 8 has it where it has to be;
its equations have the values of as many points as explicit differences of accuracy 6.

    python examples/compact.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fdx

LENGTH, SPEED = 1.0, 1.0
WAVES = 30  # of the packet, if they were all around the ring
TURNS = 4
POINTS = (5, 7, 9, 11)  # per wave
SCHEMES = {
    "Diff, accuracy 2": lambda h: fdx.Diff(0, h, boundary="periodic"),
    "Diff, accuracy 6": lambda h: fdx.Diff(0, h, accuracy=6, boundary="periodic"),
    "Compact, accuracy 6": lambda h: fdx.Compact(0, h, boundary="periodic"),
    "Compact, accuracy 8": lambda h: fdx.Compact(0, h, accuracy=8, boundary="periodic"),
}
COLOURS = dict(zip(SCHEMES, ("#D55E00", "#E69F00", "#56B4E9", "#0072B2"), strict=True))


def packet(x):
    """The exact solution after each turn."""
    away = x - LENGTH / 2
    return np.exp(-((away / 0.1) ** 2)) * np.cos(2 * np.pi * WAVES / LENGTH * away)


def travel(scheme, n, courant=0.2):
    """Around the ring by Runge-Kutta steps of order 4."""
    h = LENGTH / n
    x = h * np.arange(n)
    D = SCHEMES[scheme](h)
    steps = round(TURNS * n / courant)
    dt = TURNS * LENGTH / SPEED / steps
    u = packet(x)
    stage, other = np.empty_like(u), np.empty_like(u)
    for _ in range(steps):
        stage[...] = u
        for part in (4, 3, 2, 1):
            other[...] = u
            D(stage, out=other, alpha=-SPEED * dt / part, beta=1)
            stage, other = other, stage
        u[...] = stage
    return x, u


def main(picture=None):
    results = {name: [travel(name, WAVES * points) for points in POINTS] for name in SCHEMES}
    errors = {name: [abs(u - packet(x)).max() for x, u in found] for name, found in results.items()}
    for name, (_, error, _, least) in errors.items():
        print(f"{name}: largest error {error:.4f} with 7 points per wave, {least:.4f} with 11")
    if picture:
        draw(results, errors, picture)


def draw(results, errors, picture):
    shown = ["Diff, accuracy 2", "Diff, accuracy 6", "Compact, accuracy 8"]
    fig, axes = plt.subplot_mosaic(
        [[name, "error"] for name in shown],
        figsize=(8, 4),
        width_ratios=(1.7, 1),
        layout="constrained",
    )
    fine = np.linspace(0, LENGTH, 2000)
    for name in shown:
        ax = axes[name]
        x, u = results[name][1]
        ax.plot(fine, packet(fine), color="0.75", linewidth=2.5, label="exact")
        ax.plot(x, u, ".-", ms=3, color=COLOURS[name], linewidth=0.8)
        ax.set(xlim=(0, LENGTH), ylim=(-1.1, 1.1), yticks=(-1, 0, 1))
        ax.set_title(f"{name}, 7 points per wave", fontsize=10)
        ax.tick_params(labelbottom=name == shown[-1])
        ax.spines[["top", "right"]].set_visible(False)
    axes[shown[0]].legend(frameon=False, loc="upper left", borderaxespad=0, handlelength=1.2)
    axes[shown[-1]].set_xlabel("around the ring (turns)")
    ax = axes["error"]
    for name, colour in COLOURS.items():
        ax.loglog(POINTS, errors[name], "o-", ms=4, color=colour, label=name, linewidth=1)
    ax.set_xticks(POINTS, map(str, POINTS))
    ax.set_xticks([], minor=True)
    ax.set(xlabel="points per wave", ylabel="largest error", ylim=(1e-4, 5))
    ax.set_title(f"after {TURNS} turns", fontsize=10)
    ax.legend(frameon=False, fontsize=8, loc="lower left")
    ax.grid(color="0.92")
    ax.spines[["top", "right"]].set_visible(False)
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
