"""Heat conduction in a steel plate whose edges are kept at one temperature.

Shows a Laplacian as the sum of two `fdx.Diff`, applied in a loop with ``out=``, so that it
allocates no memory; a fixed temperature at the edges (boundary "reflect-odd"); and the largest
stable time step, from the operator's spectral radius.

To see: the pattern decays to its longest wave, each wave at its exact rate. With a step 5 % longer
than the spectral radius allows, the solution diverges.

    python examples/heat.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fdx

KAPPA = 1.2e-5  # diffusivity of steel, m2/s
HEIGHT, WIDTH, H = 0.1, 0.2, 0.002  # of the plate, and between points, m
WAVES = {(1, 1): 60.0, (2, 3): 40.0, (1, 6): 30.0}  # half waves along y and x: amplitude, K

y, x = np.ogrid[0 : HEIGHT + H / 2 : H, 0 : WIDTH + H / 2 : H]
LAPLACIAN = KAPPA * (
    fdx.Diff(0, H, boundary="reflect-odd") ** 2 + fdx.Diff(1, H, boundary="reflect-odd") ** 2
)


def shape_and_rate(m, n):
    """A standing wave with m and n half waves along y and x, and how fast it decays, in 1/s."""
    ky, kx = m * np.pi / HEIGHT, n * np.pi / WIDTH
    return np.sin(ky * y) * np.sin(kx * x), KAPPA * (ky**2 + kx**2)


def exact(t):
    """Temperature above that of the edges: each wave decays independently."""
    waves = ((amplitude, *shape_and_rate(*mn)) for mn, amplitude in WAVES.items())
    return sum(amplitude * np.exp(-rate * t) * shape for amplitude, shape, rate in waves)


def conduct(u, dt, steps):
    """Forward Euler, in place: u + dt * LAPLACIAN(u), again and again."""
    du = np.empty_like(u)
    for _ in range(steps):
        LAPLACIAN(u, out=du)
        du *= dt
        u += du


def main(picture=None, t_end=60.0, parts=20):
    u = exact(0.0)
    limit = 2.0 / LAPLACIAN.spectral_radius(u.shape)
    steps = int(np.ceil(t_end / parts / (0.9 * limit)))
    history = [u.copy()]
    for _ in range(parts):
        conduct(u, t_end / parts / steps, steps)
        history.append(u.copy())
    too_long = exact(0.0)
    conduct(too_long, 1.05 * limit, steps * parts)
    print(f"longest stable step {limit:.4f} s; {steps * parts} steps to {t_end:g} s")
    print(f"largest temperature {u.max():.3f} K, largest error {abs(u - exact(t_end)).max():.4f} K")
    print(f"with a step 5 % too long, largest temperature {abs(too_long).max():.0e} K")
    if picture:
        draw(np.linspace(0, t_end, parts + 1), history, picture)


def draw(times, history, picture):
    fig, axes = plt.subplot_mosaic(
        [["start", "decay"], ["end", "decay"]], figsize=(8, 4), layout="constrained"
    )
    for name, t, u in (("start", times[0], history[0]), ("end", times[-1], history[-1])):
        extent = (0, 100 * WIDTH, 0, 100 * HEIGHT)
        image = axes[name].imshow(u, cmap="inferno", origin="lower", extent=extent)
        axes[name].contour(u, 6, colors="white", linewidths=0.6, extent=extent)
        axes[name].set(ylabel="y (cm)", title=f"after {t:g} s")
        fig.colorbar(image, ax=axes[name], label="above edges (K)")
    axes["end"].set_xlabel("x (cm)")
    for (mn, amplitude), colour in zip(
        WAVES.items(), ("#0072B2", "#D55E00", "#009E73"), strict=True
    ):
        shape, rate = shape_and_rate(*mn)
        found = [(u * shape).sum() / (shape**2).sum() for u in history]
        axes["decay"].semilogy(times, amplitude * np.exp(-rate * times), color=colour)
        axes["decay"].semilogy(times, found, "o", ms=4, color=colour, label="{}, {}".format(*mn))
    axes["decay"].set(xlabel="time (s)", ylabel="amplitude (K)", ylim=(1e-2, 100))
    axes["decay"].set_title("each wave by itself (lines: exact)")
    axes["decay"].legend(title="half waves along y, x", frameon=False)
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
