"""The ghost values beyond the ends of an array, by boundary.

Shows the boundaries of `fdx.derivative` and `fdx.Diff`. All but two use ghost values: those of
`numpy.pad`. "one-sided" shifts its stencils inward instead, and "valid" leaves out the points where
they do not fit.

To see: at the wall a function has a value and a slope, and should continue as its ghost values do.
"reflect" and "symmetric" are correct if the slope at the wall is 0, "reflect-odd" if the value
there is fixed and the curvature is 0, "periodic" if the end joins the beginning. A wrong choice is
a kink, and an error of the derivative that no accuracy compensates.

    python examples/boundaries.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fdx

N, GHOSTS, ACCURACY = 12, 4, 6
PADS = {  # boundary: the arguments of numpy.pad
    "periodic": {"mode": "wrap"},
    "reflect": {"mode": "reflect"},
    "symmetric": {"mode": "symmetric"},
    "reflect-odd": {"mode": "reflect", "reflect_type": "odd"},
    "symmetric-odd": {"mode": "symmetric", "reflect_type": "odd"},
}


def function(x):
    return np.sin(1.1 * x) + 0.2 * x


def is_as_padded(f, boundary):
    """Is the derivative that of the padded array, at the points of the array?"""
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
