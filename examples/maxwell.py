"""A packet of light that meets glass: Maxwell's equations on the grid of Yee (1966).

Shows `fdx.block` on a staggered grid, where each field is half a spacing after another one: how E
changes H, and its transpose, how H changes E; and ``alpha`` and ``beta``, by which half of a
leapfrog step is one pass, without further arrays.

To see: a part of the packet is reflected, the rest is refracted towards the normal and slower, as
Snell's law and Fresnel's equations say for each of its plane waves, of which the exact solution is
the sum. No energy is lost.

    python examples/maxwell.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fdx

HEIGHT, WIDTH = 16.0, 16.0  # in wavelengths, periodic
WALL, INDEX = 8.5, 1.5  # where the glass begins, and its refractive index
ANGLE, START, SIZE = np.radians(45), (3.3, 3.7), 1.6  # of the packet; its centre, y and x
END = 11.0  # periods


class Packet:
    """Its plane waves, and what becomes of each."""

    def __init__(self, y, x):
        dy, dx = y[:, np.newaxis] - START[0], x - START[1]
        phase = 2 * np.pi * (dx * np.cos(ANGLE) + dy * np.sin(ANGLE))
        packet = np.exp(-(dx**2 + dy**2) / SIZE**2 + 1j * phase)
        h = x[1] - x[0]
        self.amplitude = np.fft.fft2(packet) / packet.size
        ky, kx = (2 * np.pi * np.fft.fftfreq(n, h) for n in packet.shape)
        used = (kx > 0) & (kx < 4 * np.pi)
        self.amplitude, kx = self.amplitude[:, used], kx[used]
        self.x, self.ky, self.kx = x, ky[:, np.newaxis], kx
        self.omega = np.hypot(self.ky, kx)

    def in_vacuum(self, t, factor=1, y=0.0, x=0.0):
        """The sum of all waves, each with a factor, at points that are moved by y and x."""
        moved = np.exp(1j * (self.kx * x + self.ky * y - self.omega * t))
        waves = (self.amplitude * factor * moved) @ np.exp(1j * np.outer(self.kx, self.x))
        return np.fft.ifft(waves, axis=0).real * len(waves)

    def exact(self, t):
        """The electric field."""
        kx, in_glass = self.kx, np.sqrt((INDEX * self.omega) ** 2 - self.ky**2 + 0j)
        arriving = self.amplitude * np.exp(1j * (kx * WALL - self.omega * t))
        reflected = (kx - in_glass) / (kx + in_glass)
        x = self.x - WALL
        waves = arriving @ np.exp(1j * np.outer(kx, x)) * (x < 0)
        waves += (arriving * reflected) @ np.exp(-1j * np.outer(kx, x)) * (x < 0)
        glass = x > 0
        for row, k, there in zip(waves, in_glass, arriving * (1 + reflected), strict=True):
            row[glass] = there @ np.exp(1j * np.outer(k, x[glass]))
        return np.fft.ifft(waves, axis=0).real * len(waves)


def travel(h, courant=0.6):
    """Leapfrog; E at the points, H half a spacing and half a step later. Coordinates, E at the end,
    what it is exactly, and the energy as a part of that at the start."""
    y, x = (h * (np.arange(round(length / h)) + 0.5) for length in (HEIGHT, WIDTH))
    steps = round(END / (courant * h))
    dt = END / steps
    after_y, after_x = (fdx.Diff(i, h, position="right", boundary="periodic") for i in (0, 1))
    of_h = fdx.block([[-after_y], [after_x]])  # dHx/dt = -dE/dy, dHy/dt = dE/dx
    permittivity = np.where(x < WALL, 1.0, INDEX**2)
    of_e = -1 / permittivity * of_h.T  # dE/dt = (dHy/dx - dHx/dy) / permittivity
    packet = Packet(y, x)
    e = packet.in_vacuum(0.0)
    h_x = packet.in_vacuum(dt / 2, packet.ky / packet.omega, y=h / 2)
    h_y = packet.in_vacuum(dt / 2, -packet.kx / packet.omega, x=h / 2)
    fields = np.stack([h_x, h_y])

    def energy(later):
        return (permittivity * e * later).sum() + (fields**2).sum()

    first = energy(e + dt * of_e(fields))
    for _ in range(steps):
        of_e(fields, out=e, alpha=dt, beta=1)
        of_h(e, out=fields, alpha=dt, beta=1)
    return y, x, e, packet.exact(END), energy(e + dt * of_e(fields)) / first


def reflected(x, e):
    """The part of the energy that is before the glass; half of it is electric everywhere."""
    before = (e[:, x < WALL] ** 2).sum()
    return before / (before + INDEX**2 * (e[:, x > WALL] ** 2).sum())


def main(picture=None, h=1 / 24):
    errors = []
    for spacing in (2 * h, h):
        y, x, e, exact, energy = travel(spacing)
        errors.append(abs(e - exact).max())
    print(f"largest error {errors[1]:.3f} of {abs(exact).max():.2f}, energy {energy:.12f}")
    print(f"with half of the spacing errors {errors[0] / errors[1]:.2f} times smaller")
    parts = [100 * reflected(x, field) for field in (e, exact)]
    print("reflected {:.2f} % of the energy, by Fresnel's equations {:.2f} %".format(*parts))
    if picture:
        draw(y, x, e, exact, picture)


def draw(y, x, e, exact, picture):
    fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.9), layout="constrained")
    both = e + Packet(y, x).in_vacuum(0.0)
    extent = (0, WIDTH, 0, HEIGHT)
    left.imshow(both, origin="lower", cmap="RdBu_r", extent=extent, vmin=-0.6, vmax=0.6)
    left.axvspan(WALL, WIDTH, color="#56B4E9", alpha=0.2, linewidth=0)
    for text, at in {"start": (6.6, 1.4), f"after {END:g} periods": (3.0, 15.2)}.items():
        left.text(*at, text, ha="center", va="center")
    left.text(WIDTH - 0.4, 0.6, f"glass, n = {INDEX:g}", ha="right", va="center")
    left.set(xlabel="x (wavelengths)", ylabel="y (wavelengths)", title="electric field")
    row = np.unravel_index(abs(exact).argmax(), exact.shape)[0]
    right.axvspan(WALL, WIDTH, color="#56B4E9", alpha=0.2, linewidth=0)
    right.plot(x, exact[row], color="0.6", linewidth=1, label="exact")
    right.plot(x[::2], e[row, ::2], ".", ms=4, color="tab:blue", label="computed")
    right.set(xlabel="x (wavelengths)", ylabel="electric field", xlim=(2, 14))
    right.set_title(f"at the end, y = {y[row]:.1f}")
    right.legend(frameon=False, loc="upper left")
    right.spines[["top", "right"]].set_visible(False)
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
