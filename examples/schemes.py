"""Which scheme: what a wave of so many points becomes, and what closures do to a channel.

Shows `symbol` for centred, staggered, compact and upwind derivatives and for filters, and `matrix`
for the eigenvalues of advection between an inflow and an outflow.

To see: with as many points, staggered derivatives are good for waves half as long as centred ones.
Compact ones are so at the points themselves, until the shortest waves. Upwind ones damp what they
cannot carry. The closures "one-sided" of accuracy 6 have eigenvalues on the right, whose modes grow
with any time step; those of "sbp" have none.

    python examples/schemes.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fdx

SCHEMES = {
    "centred 2": fdx.Diff(0),
    "centred 4": fdx.Diff(0, accuracy=4),
    "centred 8": fdx.Diff(0, accuracy=8),
    "staggered 2": fdx.Diff(0, position="inner"),
    "staggered 4": fdx.Diff(0, accuracy=4, position="inner"),
    "compact 8": fdx.Compact(0, accuracy=8),
    "upwind 1": fdx.Diff(0, accuracy=1, side="left"),
    "upwind 3": fdx.Diff(0, accuracy=3, side="left"),
    "upwind 5": fdx.Diff(0, accuracy=5, side="left"),
}


def points_of_a_wave(D, error=0.01):
    """How many points a wave needs, for a phase speed with that relative error."""
    theta = np.linspace(1e-3, np.pi, 100_000)
    wrong = abs(D.symbol(theta).imag / theta - 1) > error
    return 2 * np.pi / theta[wrong.argmax()]


def advection(n, boundary):
    """The matrix of the rate of change of n values in a channel of length 1, an inflow of 0 at its
    first point."""
    D = fdx.Diff(0, 1 / (n - 1), accuracy=6, boundary=boundary)
    matrix = -D.matrix(n).toarray()
    if boundary == "sbp":  # by a penalty
        matrix[0, 0] -= 1 / D.norm(n)[0]
        return matrix
    return matrix[1:, 1:]  # by the value itself


def main(picture=None, n=60):
    for name, D in SCHEMES.items():
        damping = D.symbol(np.pi).real
        print(
            f"{name:<12}{points_of_a_wave(D):6.1f} points per wave for an error of 1 %, "
            f"damping of a zigzag {damping:.2f} / h"
        )
    spectra = {}
    for boundary in ("one-sided", "sbp"):
        spectra[boundary] = np.linalg.eigvals(advection(n, boundary)) / (n - 1)
        print(f'"{boundary}": largest growth rate {spectra[boundary].real.max():.1e} / h')
    if picture:
        draw(spectra, picture)


def draw(spectra, picture):
    fig, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
    theta = np.linspace(0, np.pi, 200)
    axes[0].plot(theta / np.pi, theta / np.pi, color="0.6", linewidth=1, label="exact")
    styles = {"centred": "-", "staggered": "--", "compact": "-."}
    for name, D in list(SCHEMES.items())[:6]:
        style = styles[name.split()[0]]
        axes[0].plot(theta / np.pi, D.symbol(theta).imag / np.pi, style, linewidth=1.2, label=name)
    axes[0].set(title="modified wavenumber", xlabel="wavenumber (π/h)", ylabel="(π/h)")
    for name, D in list(SCHEMES.items())[6:]:
        axes[1].plot(theta / np.pi, D.symbol(theta).real, linewidth=1.2, label=name)
    smooth = 1 - fdx.Filter(0, 6).symbol(theta).real
    axes[1].plot(theta / np.pi, smooth, "--", linewidth=1.2, label="1 - filter 6, per use")
    axes[1].set(title="damping", xlabel="wavenumber (π/h)", ylabel="(1/h)")
    for (boundary, values), mark in zip(spectra.items(), "x.", strict=True):
        axes[2].plot(values.real, values.imag, mark, markersize=5, label=f'"{boundary}"')
    axes[2].axvline(0, color="0.6", linewidth=1)
    axes[2].set(title="eigenvalues of advection", xlabel="growth rate (1/h)", ylabel="(1/h)")
    axes[2].set_xlim(-0.6, 0.3)
    for ax in axes:
        ax.legend(frameon=False, fontsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
