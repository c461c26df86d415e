"""Patterns of the Gray-Scott model: a substance v that feeds on u, and both spread.

    du/dt = Du lap u - u v**2 + F (1 - u),    dv/dt = Dv lap v + u v**2 - (F + k) v

Shows `fdx.block`, which takes a step of both fields in one pass, with rates F and k that vary over
the domain; and ``beta``, by which that pass adds what is not linear.

To see: patterns of Pearson's paper (1993) side by side, as F varies upward and k to the right:
holes, stripes, worms, spots that divide, and where F is low waves that never come to rest. On the
right what is known exactly: with k = 0 and Du = Dv, u + v stays 1 and v is a front of Nagumo's
equation, of known shape and speed.

    python examples/gray_scott.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fdx

FEED = np.linspace(0.072, 0.018, 300)[:, np.newaxis]  # F, from the top down
EXCESS = np.linspace(-0.0025, 0.005, 400)  # of k over what the state without patterns survives
KILL = np.sqrt(FEED) / 2 - FEED + EXCESS
END, STEP = 6000.0, 1.0

FRONT_FEED = 0.1
THRESHOLD, BEHIND = 0.5 + np.array([-0.5, 0.5]) * np.sqrt(1 - 4 * FRONT_FEED)  # states of v
SPEED = (BEHIND - 2 * THRESHOLD) / np.sqrt(2)


def evolve(fields, laplacian, diffusion, feed, kill, dt, steps):
    """Forward Euler: all that is linear is one operator, and `other` has the rest before."""
    one = fdx.Identity()
    of_u, of_v = diffusion
    step = fdx.block(
        [
            [one + dt * (of_u * laplacian - feed * one), None],
            [None, one + dt * (of_v * laplacian - (feed + kill) * one)],
        ]
    )
    now, other = fields.copy(), np.empty_like(fields)
    for _ in range(steps):
        np.square(now[1], out=other[1])
        other[1] *= now[0]
        np.subtract(feed, other[1], out=other[0])
        now, other = step(now, out=other, beta=dt), now
    return now


def seeds(shape, count=900):
    """Only u, but for small squares of both."""
    u, v = fields = np.stack([np.ones(shape), np.zeros(shape)])
    rng = np.random.default_rng(7)
    for y, x in zip(*(rng.integers(0, n - 5, count) for n in shape), strict=True):
        u[y : y + 5, x : x + 5] = 0.5
        v[y : y + 5, x : x + 5] = 0.25
    return fields


def patterns():
    laplacian = fdx.Laplacian((0, 1), boundary="symmetric")
    shape = np.broadcast_shapes(FEED.shape, KILL.shape)
    return evolve(seeds(shape), laplacian, (0.16, 0.08), FEED, KILL, STEP, round(END / STEP))[1]


def exact(x, t):
    """The front in v, which travels into v = 0: Nagumo, Yoshizawa and Arimoto (1965)."""
    return BEHIND / (1 + np.exp(BEHIND / np.sqrt(2) * (x - 12 - SPEED * t)))


def front(h, t):
    """The same front computed, with a diffusivity of 1."""
    x = h * (np.arange(round(45 / h)) + 0.5)
    v = exact(x, 0.0)
    laplacian = fdx.Laplacian(0, h, boundary="symmetric")
    steps = round(t / (0.2 * h**2))
    fields = np.stack([1 - v, v])
    return x, evolve(fields, laplacian, (1.0, 1.0), FRONT_FEED, 0.0, t / max(steps, 1), steps)[1]


def main(picture=None):
    errors = []
    for h in (0.5, 0.25):
        x, v = front(h, 40.0)
        errors.append(abs(v - exact(x, 40.0)).max())
    print(f"front: largest error {errors[1]:.1e} on a way of {40 * SPEED:.1f}")
    print(f"with half of the spacing {errors[0] / errors[1]:.2f} times smaller")
    if picture:
        draw(patterns(), picture)


def draw(v, picture):
    fig, (left, right) = plt.subplots(
        1, 2, figsize=(8, 4), width_ratios=(1.9, 1), layout="constrained"
    )
    extent = (1000 * EXCESS[0], 1000 * EXCESS[-1], FEED[-1, 0], FEED[0, 0])
    left.imshow(v, cmap="magma", extent=extent, aspect="auto", interpolation="bicubic")
    left.set(xlabel="k above √F / 2 - F (1/1000)", ylabel="feed rate F")
    left.set_title(f"v at t = {END:g}")
    for t, colour in zip((0.0, 20.0, 40.0), ("#0072B2", "#009E73", "#D55E00"), strict=True):
        x, v = front(0.5, t)
        fine = np.linspace(0, 45, 400)
        right.plot(fine, exact(fine, t), color=colour, linewidth=1)
        right.plot(x[::2], v[::2], "o", ms=3, color=colour, label=f"t = {t:g}")
    right.set(xlabel="x", ylabel="v", ylim=(-0.02, 1.25), xlim=(0, 45))
    right.set_title("a front (lines: exact)")
    right.legend(frameon=False, loc="upper right", ncols=1)
    right.spines[["top", "right"]].set_visible(False)
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
