"""A pulse carried once around a ring: the effect of higher accuracy.

Shows `fdx.Diff` with ``boundary="periodic"`` and accuracies 2 to 8, with fourth-order Runge-Kutta
steps.

To see: on 32 points, with accuracy 2 the pulse has dispersed into ripples; with accuracy 8 it keeps
its position and shape. Errors decrease as the spacing to the power `accuracy`.

    python examples/advection.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fdx

SPEED, LENGTH = 1.0, 1.0  # m/s, m
ACCURACIES = (2, 4, 6, 8)
POINTS = (24, 32, 48, 64, 96, 128)


def pulse(x):
    return np.exp(-10 * np.sin(np.pi * x / LENGTH) ** 2)


def once_around(n, accuracy):
    """Coordinates, and the pulse after one period, when the exact one is back at its start."""
    h = LENGTH / n
    x = h * np.arange(n)
    rate = -SPEED * fdx.Diff(0, h, accuracy=accuracy, boundary="periodic")
    # Steps proportional to h**2, so that the error of Runge-Kutta is proportional to h**8, too.
    steps = n**2 // 4
    dt = LENGTH / SPEED / steps
    u = pulse(x)
    for _ in range(steps):
        v = u
        for k in (4, 3, 2, 1):  # for a linear equation, this is the whole Runge-Kutta step
            v = u + dt / k * rate(v)
        u = v
    return x, u


def error(n, accuracy):
    x, u = once_around(n, accuracy)
    return abs(u - pulse(x)).max()


def main(picture=None):
    errors = {a: [error(n, a) for n in POINTS] for a in ACCURACIES}
    slopes = {a: np.log(e[-2] / e[-1]) / np.log(POINTS[-1] / POINTS[-2]) for a, e in errors.items()}
    for a, e in errors.items():
        print(f"accuracy {a}: error {e[-1]:.1e} on {POINTS[-1]} points, slope {slopes[a]:.2f}")

    if picture:
        colours = dict(zip(ACCURACIES, ("#D55E00", "#CC79A7", "#009E73", "#0072B2"), strict=True))
        fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
        fine = np.linspace(0, LENGTH, 500)
        left.plot(fine, pulse(fine - 3 / 8 * LENGTH), color="0.75", linewidth=5, label="exact")
        for a in ACCURACIES[::3]:
            x, u = once_around(32, a)
            left.plot(x, np.roll(u, 12), "o-", ms=3, color=colours[a], label=f"accuracy {a}")
        left.set(xlabel="x (m)", ylabel="u", title="32 points, after one turn")
        left.legend(frameon=False, loc="upper right")
        for (a, e), mark in zip(errors.items(), "osD^", strict=True):
            right.loglog(POINTS, e, mark + "-", ms=5, color=colours[a])
            right.annotate(
                f"accuracy {a}\nslope -{slopes[a]:.1f}",
                (POINTS[-1], e[-1]),
                xytext=(8, 0),
                textcoords="offset points",
                color=colours[a],
                va="center",
            )
        right.set(xlabel="points", ylabel="largest error", title="error, by accuracy")
        right.spines[["top", "right"]].set_visible(False)
        left.spines[["top", "right"]].set_visible(False)
        right.set_xticks(POINTS, POINTS)
        right.minorticks_off()
        right.grid(color="0.92")
        fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
