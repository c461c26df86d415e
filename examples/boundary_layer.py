"""Wall shear and curvature of a boundary layer, on a grid that is finest at the wall.

Shows `fdx.Diff` with coordinates instead of a spacing: the same accuracy on an uneven grid, up to
the wall. The flow is the boundary layer along a wall with suction, an exact solution of the
Navier-Stokes equations: u = U (1 - exp(-y / DELTA)).

To see: it matters where the points are. With as many points, a grid that is fine at the wall gives
a second derivative whose error is thousands of times smaller than that of evenly spaced points.

    python examples/boundary_layer.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fdx

NU, RHO = 1.5e-5, 1.2  # air: m2/s, kg/m3
U, SUCTION = 10.0, 0.01  # m/s
DELTA = NU / SUCTION  # 1.5 mm
HEIGHT = 40 * DELTA
GRIDS = ("stretched", "uniform")


def grid(n, kind):
    """Heights of n points from the wall up."""
    s = np.linspace(0.0, 1.0, n)
    if kind == "uniform":
        return HEIGHT * s
    return HEIGHT * (1 + np.tanh(3.5 * (s - 1)) / np.tanh(3.5))


def velocity(y):
    return -U * np.expm1(-y / DELTA)


def differentiate(n, kind):
    """Heights, wall shear in Pa, and second derivative in 1/(m s)."""
    y = grid(n, kind)
    first = fdx.Diff(0, y, accuracy=4)
    u = velocity(y)
    return y, NU * RHO * first(u)[0], (first**2)(u)


def errors(n, kind):
    """The relative error of the wall shear, and the largest one of the second derivative."""
    y, shear, curvature = differentiate(n, kind)
    exact = -U / DELTA**2 * np.exp(-y / DELTA)
    return abs(shear / (NU * RHO * U / DELTA) - 1), abs((curvature - exact) / exact[0]).max()


def main(picture=None, n=64):
    for kind in GRIDS:
        y, shear, _ = differentiate(n, kind)
        print(f"{n} points, {kind}, the first {1000 * y[1]:.3f} mm above the wall:")
        print(f"    wall shear {shear:.6f} Pa (exact {NU * RHO * U / DELTA:.6f} Pa)")
        print("    errors of shear {:.1e}, of second derivative {:.1e}".format(*errors(n, kind)))
    if picture:
        draw(picture)


def draw(picture):
    fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
    points = 2 ** np.arange(4, 10)
    looks = dict(zip(GRIDS, (("o", "#0072B2"), ("s", "#D55E00")), strict=True))
    fine = np.linspace(0, HEIGHT, 1000)
    left.plot(velocity(fine), 1000 * fine, color="0.75", linewidth=4)
    for kind, (mark, colour) in looks.items():
        y = grid(32, kind)
        left.plot(velocity(y), 1000 * y, mark, ms=5, color=colour, label=f"{kind}, 32 points")
        found = [errors(n, kind)[1] for n in points]
        right.loglog(points, found, mark + "-", ms=5, color=colour, label=kind)
    right.loglog(points, 3e3 / points**4.0, "--", color="0.5", label="as the fourth power")
    left.set(xlabel="velocity (m/s)", ylabel="height above the wall (mm)", ylim=(-0.3, 12))
    right.set(xlabel="points", ylabel="relative error of the second derivative")
    right.set_xticks(points, points)
    right.minorticks_off()
    for ax in (left, right):
        ax.legend(frameon=False)
        ax.spines[["top", "right"]].set_visible(False)
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
