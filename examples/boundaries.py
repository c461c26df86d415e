"""What a derivative takes to be beyond the ends of an array, by boundary.

Shows the boundaries of `fdx.derivative` and `fdx.Diff`. All but two take values to be there: those
that `numpy.pad` would put there. "one-sided" and "valid" don't: the one moves its stencils inward,
the other leaves out the points where they don't fit.

To see: at the wall a function has a value and a slope, and should go on as it does in the boundary
that is chosen. "reflect" and "symmetric" are right where the slope at the wall is 0, "reflect-odd"
where the value there is fixed and the curvature 0, "periodic" where the end meets the beginning.
A wrong choice is a kink, and an error of the derivative that no accuracy mends.

    python examples/boundaries.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fdx

N, GHOSTS, ACCURACY = 12, 4, 6
PADS = {  # boundary: how numpy.pad does it
    "periodic": {"mode": "wrap"},
    "reflect": {"mode": "reflect"},
    "symmetric": {"mode": "symmetric"},
    "reflect-odd": {"mode": "reflect", "reflect_type": "odd"},
    "symmetric-odd": {"mode": "symmetric", "reflect_type": "odd"},
}


def function(x):
    return np.sin(1.1 * x) + 0.2 * x


def is_as_padded(f, boundary):
    """Is the derivative that of the padded array, cut to where the array is?"""
    padded = np.pad(f, GHOSTS, **PADS[boundary])
    inside = fdx.derivative(padded, accuracy=ACCURACY)[GHOSTS:-GHOSTS]
    return np.allclose(fdx.derivative(f, accuracy=ACCURACY, boundary=boundary), inside)


def main(picture=None):
    f = function(np.arange(N) * 0.4)
    for boundary in PADS:
        same = "the same as" if is_as_padded(f, boundary) else "other than"
        arguments = ", ".join(f"{name}={value!r}" for name, value in PADS[boundary].items())
        print(f"{boundary:<14} {same} after numpy.pad(f, n, {arguments})")
    valid = fdx.derivative(f, accuracy=ACCURACY, boundary="valid")
    print(f"valid          {len(valid)} results of {N} points")
    if picture:
        draw(f, picture)


def draw(f, picture):
    fig, axes = plt.subplots(2, 3, figsize=(8, 4.4), layout="constrained", sharex=True, sharey=True)
    inside, beyond = np.arange(N), np.arange(-GHOSTS, N + GHOSTS)
    for ax, boundary in zip(axes.flat, ["one-sided", *PADS], strict=True):
        if boundary in PADS:
            padded = np.pad(f, GHOSTS, **PADS[boundary])
            ax.plot(beyond, padded, "o-", ms=5, mfc="white", color="#D55E00", linewidth=0.8)
        wall = 0.5 if boundary.startswith("symmetric") else 0.0
        ax.axvspan(-GHOSTS - 0.5, -wall, color="0.93")
        ax.axvspan(N - 1 + wall, N + GHOSTS - 0.5, color="0.93")
        ax.plot(inside, f, "o-", ms=5, color="#0072B2")
        ax.set(title=boundary, xlim=(-GHOSTS - 0.5, N + GHOSTS - 0.5), xticks=(0, N - 1))
        ax.set_xticklabels(["f[0]", "f[-1]"])
        ax.spines[["top", "right"]].set_visible(False)
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
