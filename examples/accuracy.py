"""How many points a wave needs, by accuracy, and the error of a derivative by number of points.

Shows `symbol`, the factor by which an operator multiplies a wave: for the first derivative it is i
times the modified wavenumber, and exact would be ``1j * k``. Also shows the resulting error for a
function that is not a single wave.

To see: derivatives of waves of many points are accurate, and of waves of two points 0, at any
accuracy. A higher accuracy needs fewer points per wave. With more and more points, rounding errors
dominate: there a higher accuracy does not help, and more points increase the error.

    python examples/accuracy.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fdx

ACCURACIES = (2, 4, 6, 8, 12)
POINTS = 2 ** np.arange(3, 19)
TURN = 2 * np.pi


def points_per_wave(accuracy, error):
    """The fewest points for which the derivative of a wave has no larger relative error."""
    points = np.arange(2.0, 400.0, 0.1)
    k = TURN / points
    wrong = abs(fdx.Diff(0, accuracy=accuracy).symbol(k) / (1j * k) - 1) > error
    return points[wrong].max(initial=2.0) + 0.1


def largest_error(n, accuracy):
    """Of the derivative of exp(sin(x)) on n points, relative to its largest value."""
    x = TURN / n * np.arange(n)
    exact = np.cos(x) * np.exp(np.sin(x))
    found = fdx.derivative(np.exp(np.sin(x)), TURN / n, accuracy=accuracy, boundary="periodic")
    return abs(found - exact).max() / abs(exact).max()


def main(picture=None):
    fitting = {a: POINTS[a < POINTS] for a in ACCURACIES}  # at least the points of a stencil
    errors = {a: [largest_error(n, a) for n in fitting[a]] for a in ACCURACIES}
    print("accuracy    points per wave for errors of      best possible,")
    print("              10 %     1 %   0.1 %  0.01 %     on points")
    for a in ACCURACIES:
        needed = [points_per_wave(a, error) for error in (1e-1, 1e-2, 1e-3, 1e-4)]
        best = int(np.argmin(errors[a]))
        print(
            f"{a:>8}    " + "".join(f"{n:>8.1f}" for n in needed),
            f"   {errors[a][best]:.0e}, {fitting[a][best]}",
        )
    if picture:
        draw(fitting, errors, picture)


def draw(fitting, errors, picture):
    fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained")
    k = np.linspace(0, np.pi, 200)
    left.plot(k, k, color="0.75", linewidth=4, label="exact")
    colours = ("#D55E00", "#CC79A7", "#009E73", "#0072B2", "#000000")
    for a, colour in zip(ACCURACIES, colours, strict=True):
        left.plot(k, fdx.Diff(0, accuracy=a).symbol(k).imag, color=colour, label=f"{a}")
        right.loglog(fitting[a], errors[a], "o-", ms=3, color=colour, label=f"{a}")
    left.set_xticks(TURN / np.array([2, 3, 4, 6, 12]), ["2", "3", "4", "6", "12"])
    left.set(xlabel="points per wave", ylabel="modified wavenumber x spacing")
    left.legend(title="accuracy", frameon=False)
    right.set(xlabel="points around the circle", ylabel="largest relative error")
    right.set(ylim=(1e-15, 3), title="derivative of exp(sin x)")
    left.set_title("symbol of the first derivative")
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(color="0.92")
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
