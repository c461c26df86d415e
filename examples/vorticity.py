"""Vorticity and divergence of the two wake vortices of an airliner, in a sheared crosswind.

Shows `fdx.curl` and `fdx.divergence` on arrays that are indexed ``[y, x]``: with ``axis=(1, 0)``
components and spacings are named in the order x, y, and the curl is the vorticity dv/dx - du/dy.

To see: two cores of opposite vorticity on a background of minus the shear. The error of the
vorticity decreases as the spacing to the power `accuracy`; the divergence, exactly 0 for this wind,
has an error of the same size.

    python examples/vorticity.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fdx

SHEAR = 0.1  # of the crosswind, du/dy, 1/s
CIRCULATION, CORE, HEIGHT = 400.0, 6.0, 60.0  # m2/s, m, m
VORTICES = {-20.0: -1, +20.0: +1}  # x in m: sense of rotation; the air between them sinks


def wake(h):
    """Coordinates, velocity and exact vorticity: Lamb-Oseen vortices in a linear wind."""
    x = np.arange(-60.0, 60.0 + h / 2, h)
    y = np.arange(20.0, 100.0 + h / 2, h)
    dy = (y - HEIGHT)[:, np.newaxis]
    u = SHEAR * dy + 0 * x
    v = np.zeros_like(u)
    vorticity = np.full_like(u, -SHEAR)
    for x0, sense in VORTICES.items():
        r2 = np.maximum((x - x0) ** 2 + dy**2, 1e-20)  # not 0 in the very centre
        angular = -sense * CIRCULATION / (2 * np.pi) * np.expm1(-r2 / CORE**2) / r2  # velocity, 1/s
        u -= angular * dy
        v += angular * (x - x0)
        vorticity += sense * CIRCULATION / (np.pi * CORE**2) * np.exp(-r2 / CORE**2)
    return x, y, u, v, vorticity


def errors(h, accuracy=4):
    """Largest errors of vorticity and divergence, in 1/s."""
    _, _, u, v, exact = wake(h)
    vorticity = fdx.curl([u, v], h, h, axis=(1, 0), accuracy=accuracy)
    divergence = fdx.divergence([u, v], h, h, axis=(1, 0), accuracy=accuracy)
    return abs(vorticity - exact).max(), abs(divergence).max()


def main(picture=None, h=0.5):
    (coarse, _), (fine, divergence) = errors(2 * h), errors(h)
    print(f"largest error of the vorticity {fine:.1e} 1/s, {fine / wake(h)[-1].max():.0e} of it")
    print(f"with twice the spacing {coarse / fine:.1f} times as much")
    print(f"largest divergence {divergence:.1e} 1/s")
    if picture:
        draw(h, picture)


def draw(h, picture):
    x, y, u, v, exact = wake(h)
    vorticity = fdx.curl([u, v], h, h, axis=(1, 0), accuracy=4)
    fig, (left, right) = plt.subplots(
        1, 2, figsize=(8, 3.9), width_ratios=(1.6, 1), layout="constrained"
    )
    image = left.pcolormesh(x, y, vorticity, cmap="RdBu_r", vmin=-4, vmax=4, rasterized=True)
    left.streamplot(x, y, u, v, color="0.3", linewidth=0.6, density=1.1, arrowsize=0.7)
    left.set(
        xlabel="across the flight path (m)", ylabel="height (m)", aspect="equal", ylim=(20, 100)
    )
    fig.colorbar(image, ax=left, label="vorticity (1/s)", location="bottom", shrink=0.8, aspect=40)

    right.plot(x, exact[y == HEIGHT][0], color="0.75", linewidth=4, label="exact")
    for accuracy, style, colour in ((2, "o", "#D55E00"), (6, "^", "#0072B2")):
        x, y, u, v, _ = wake(4.0)
        cut = fdx.curl([u, v], 4.0, 4.0, axis=(1, 0), accuracy=accuracy)[y == HEIGHT][0]
        right.plot(x, cut, style, ms=4, color=colour, label=f"accuracy {accuracy}")
    right.set(xlabel="across the flight path (m)", ylabel="vorticity (1/s)", xlim=(-40, 40))
    right.set_title("from points 4 m apart")
    right.legend(frameon=False, loc="upper left")
    right.spines[["top", "right"]].set_visible(False)
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
