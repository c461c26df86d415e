"""The Earth's temperature by latitude: an energy balance model (North 1975), solved implicitly.

    C dT/dt = d/dx (D (1 - x**2) dT/dx) + Q s(x) - A - B T,    x = sin(latitude)

Shows a variable coefficient on a staggered grid, ``divergence @ (c * gradient)``, and the operator
as a SciPy sparse matrix: one solve for the steady state, and Crank-Nicolson steps of a month
towards it, many times as long as explicit steps could be.

To see: from -20 degrees everywhere the tropics warm at once, while the poles first get even colder,
and reach their steady state only after decades. Points are computed values, every sixth of them;
lines are the exact sum of Legendre polynomials.

    python examples/implicit.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from numpy.polynomial import Legendre
from scipy.sparse import eye_array
from scipy.sparse.linalg import factorized, spsolve

import fdx

C, D = 10.0, 0.55  # heat capacity, W year/(m2 K), and diffusivity, W/(m2 K)
A, B = 203.0, 2.09  # heat that is radiated away: A + B T, T in degrees Celsius
Q = 0.7 * 340.0  # sunlight that is absorbed, W/m2
COLD = -20.0  # the initial temperature
# Yearly mean sunlight by latitude, in even Legendre polynomials (Nadeau and McGehee 2017).
TILT = np.cos(np.radians(23.44))
SUN = {n: a * Legendre.basis(n)(TILT) for n, a in ((0, 1), (2, -5 / 8), (4, -9 / 64))}


def exact(x, t):
    """Each polynomial is an eigenfunction of diffusion, and relaxes at its own rate."""
    total = np.zeros_like(x)
    for n, s in SUN.items():
        loss = B + D * n * (n + 1)
        steady = (Q * s - A * (n == 0)) / loss
        start = COLD * (n == 0)
        total += (steady + (start - steady) * np.exp(-loss / C * t)) * Legendre.basis(n)(x)
    return total


def model(n):
    """Points, diffusion, and matrix and right-hand side of C dT/dt = M T + b."""
    faces = np.linspace(-1.0, 1.0, n + 1)  # between zones, and the poles, which nothing passes
    x = (faces[1:] + faces[:-1]) / 2
    h = faces[1] - faces[0]
    gradient = fdx.Diff(0, h, accuracy=4, position="outer")  # from zones to all faces,
    divergence = fdx.Diff(0, h, accuracy=4, position="inner")  # and back
    diffusion = divergence @ (D * (1 - faces**2) * gradient)
    sunlight = Q * sum(s * Legendre.basis(k)(x) for k, s in SUN.items())
    return x, diffusion, diffusion.matrix(n) - B * eye_array(n), sunlight - A


def relax(n, years, dt=1 / 12):
    """Crank-Nicolson: (C/dt - M/2) T_new = (C/dt + M/2) T + b."""
    _, _, matrix, b = model(n)
    one = C / dt * eye_array(n)
    solve = factorized((one - matrix / 2).tocsc())
    temperature = np.full(n, COLD)
    for _ in range(round(years / dt)):
        temperature = solve((one + matrix / 2) @ temperature + b)
    return temperature


def main(picture=None, n=181):
    x, diffusion, matrix, b = model(n)
    steady = spsolve(-matrix.tocsc(), b)
    late = relax(n, years=3)
    limit = 2 * C / (diffusion.spectral_radius(n) + B)
    print(f"steady: {steady[0]:.2f} C at the poles, {steady[n // 2]:.2f} C at the equator")
    print(f"    largest error {abs(steady - exact(x, np.inf)).max():.1e} K")
    print(f"after 3 years: largest error {abs(late - exact(x, 3.0)).max():.1e} K")
    print(f"a step of a month is {1 / 12 / limit:.0f} times the longest explicit one")
    if picture:
        draw(
            x, {0: relax(n, 0), 1: relax(n, 1), 3: late, 10: relax(n, 10), np.inf: steady}, picture
        )


def draw(x, temperatures, picture):
    fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.85, len(temperatures)))
    for (years, temperature), colour in zip(temperatures.items(), colours, strict=True):
        ax.plot(x, exact(x, years), color=colour, linewidth=1)
        ax.plot(x[::6], temperature[::6], "o", ms=4, color=colour)
        label = {0: "start", 1: "1 year", np.inf: "steady"}.get(years, f"{years} years")
        ax.text(0, temperature.max() + 1.2, label, color=colour, ha="center")
    latitudes = np.array([-90, -60, -40, -20, 0, 20, 40, 60, 90])
    names = [f"{abs(d)}\N{DEGREE SIGN}{'S' if d < 0 else 'N' if d else ''}" for d in latitudes]
    ax.set_xticks(np.sin(np.radians(latitudes)), names)
    ax.set(
        xlabel="latitude, to equal areas", ylabel="temperature (\N{DEGREE SIGN}C)", ylim=(-25, 31)
    )
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color="0.92")
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
