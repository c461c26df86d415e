"""Heat conduction in a plate by implicit steps along one axis after the other (ADI).

Shows `fdx.Operator.solve` in the method of Peaceman and Rachford (1955): each half of a step is
explicit along one axis and implicit along the other, where all lines have one banded matrix.

To see: the heat of three welds spreads in a plate whose edges nothing passes, in ten steps, each
two hundred times as long as the longest explicit one. Errors are of second order in the step.

    python examples/adi.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fdx

KAPPA = 1.2e-5  # diffusivity of steel, m2/s
HEIGHT, WIDTH, H = 0.1, 0.16, 0.0005  # of the plate, and of its cells, m
START, END = 1.0, 9.0  # s after the welds
WELDS = ((0.07, 0.045, 0.06), (0.035, 0.1, 0.09), (0.06, 0.13, 0.045))  # y and x, m; heat, K m2

y, x = (H * (np.arange(round(length / H)) + 0.5) for length in (HEIGHT, WIDTH))
ALONG_Y, ALONG_X = (
    KAPPA * fdx.Diff(axis, H, deriv=2, accuracy=4, boundary="symmetric") for axis in (0, 1)
)


def spread(x, source, length, t):
    """Heat of a line across the axis, and of its mirror images in both edges."""
    images = np.concatenate([2 * k * length + np.array([source, -source]) for k in range(-3, 4)])
    away = x - images[:, np.newaxis]
    return (np.exp(-(away**2) / (4 * KAPPA * t)) / np.sqrt(4 * np.pi * KAPPA * t)).sum(axis=0)


def exact(t):
    return sum(
        heat * np.outer(spread(y, y0, HEIGHT, t), spread(x, x0, WIDTH, t)) for y0, x0, heat in WELDS
    )


def conduct(u, dt, steps):
    """Implicit along x, then along y. What is explicit needs no pass of its own, nor an array:
    where v solves v - a L v = r, v + a L v is 2 v - r."""
    one = fdx.Identity()
    implicit_y, implicit_x = one - dt / 2 * ALONG_Y, one - dt / 2 * ALONG_X
    r = u + dt / 2 * ALONG_Y(u)
    for _ in range(steps - 1):
        for implicit in (implicit_x, implicit_y):
            implicit.solve(r, out=r, alpha=2, beta=-1)
    implicit_x.solve(r, out=r, alpha=2, beta=-1)
    return implicit_y.solve(r, out=r)


def main(picture=None):
    limit = 2 / (ALONG_Y + ALONG_X).spectral_radius((len(y), len(x)))
    start, end = exact(START), exact(END)
    results, errors = {}, {}
    for steps in (10, 20, 40, 80, 160, 320):
        dt = (END - START) / steps
        results[steps] = u = conduct(start, dt, steps)
        errors[dt / limit] = abs(u - end).max()
        print(f"{steps:3} steps, {dt / limit:5.1f} times the longest explicit one:", end=" ")
        print(f"largest error {errors[dt / limit]:.1e} K")
    print(f"warmer by up to {end.max():.1f} K; heat {u.sum() / start.sum():.12f} of what it was")
    if picture:
        draw(errors, results[10], picture)


def draw(errors, u, picture):
    fig, axes = plt.subplot_mosaic(
        [["start", "error"], ["end", "error"]], figsize=(8, 4), layout="constrained"
    )
    extent = (0, 100 * WIDTH, 0, 100 * HEIGHT)
    for name, t, field in (("start", START, exact(START)), ("end", END, u)):
        image = axes[name].imshow(field, cmap="inferno", origin="lower", extent=extent)
        axes[name].contour(exact(t), 5, colors="white", linewidths=0.8, extent=extent)
        axes[name].set(ylabel="y (cm)", title=f"{t:g} s after welding")
        fig.colorbar(image, ax=axes[name], label="warmer by (K)")
    axes["end"].set(xlabel="x (cm)", title=f"{END:g} s after (lines: exact)")
    steps, found = np.array(list(errors.items())).T
    ax = axes["error"]
    ax.loglog(
        steps, found[-1] * (steps / steps[-1]) ** 2, color="0.6", linewidth=1, label="order 2"
    )
    ax.loglog(steps, found, "o", ms=5, color="#0072B2", label="alternating directions")
    ax.axvspan(0.5, 1, color="#D55E00", alpha=0.15, linewidth=0, label="explicit steps")
    ax.set(xlabel="step / longest explicit step", ylabel="largest error (K)", xlim=(0.5, 400))
    ax.set_title("errors after 8 s")
    ax.legend(frameon=False, loc="upper left")
    ax.grid(color="0.92")
    ax.spines[["top", "right"]].set_visible(False)
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
