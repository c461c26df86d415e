"""A signal that enters a channel, crosses it and leaves, for long: closures that are stable.

Shows ``Diff(..., boundary="sbp")``, its `norm`, and the penalty that sets the value at the inflow,
beside closures that are as accurate as the interior, "one-sided".

To see: with "one-sided" closures of accuracy 6 a growing mode takes over after some crossings, with
whatever time step. With "sbp" the error stays what it was after the first crossing.

    python examples/stable.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import fdx

LENGTH, SPEED = 1.0, 1.0
END = 20.0  # crossings
ACCURACY = 6


def signal(x, t):
    """A wave to the right, the exact solution."""
    return np.sin(12.0 * (x - SPEED * t))


def by_penalty(n, h):
    """The value at the first point is drawn to that of the inflow, in the norm."""
    D = fdx.Diff(0, h, accuracy=ACCURACY, boundary="sbp")
    norm = D.norm(n)

    def rate(u, t):
        du = -SPEED * D(u)
        du[0] -= SPEED * (u[0] - signal(0.0, t)) / norm[0]
        return du

    return D, rate


def by_injection(n, h):
    """The value at the first point is that of the inflow."""
    D = fdx.Diff(0, h, accuracy=ACCURACY)

    def rate(u, t):
        u = u.copy()
        u[0] = signal(0.0, t)
        du = -SPEED * D(u)
        du[0] = -12.0 * SPEED * np.cos(-12.0 * SPEED * t)  # of the inflow
        return du

    return D, rate


def travel(closure, n, until=END):
    """Runge and Kutta's fourth-order method; times, and the largest error at each."""
    x = np.linspace(0.0, LENGTH, n)
    D, rate = closure(n, x[1] - x[0])
    steps = int(np.ceil(until / (0.3 * 2.6 / (SPEED * D.spectral_radius(n)))))
    dt = until / steps
    u = signal(x, 0.0)
    times, errors = [], []
    for k in range(steps):
        t = k * dt
        k1 = rate(u, t)
        k2 = rate(u + dt / 2 * k1, t + dt / 2)
        k3 = rate(u + dt / 2 * k2, t + dt / 2)
        k4 = rate(u + dt * k3, t + dt)
        u = u + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        times.append(t + dt)
        errors.append(abs(u - signal(x, t + dt)).max())
        if not errors[-1] < 1e6:
            break
    return np.array(times), np.array(errors)


def main(picture=None, n=61):
    results = {}
    for name, closure in (("sbp", by_penalty), ("one-sided", by_injection)):
        times, errors = results[name] = travel(closure, n)
        print(f'"{name}": largest error {errors[-1]:.2e} after {times[-1]:.2f} crossings')
    coarse, fine = (travel(by_penalty, points, 2.0)[1][-1] for points in (n, 2 * n - 1))
    print(f'"sbp", with half of the spacing: errors {coarse / fine:.1f} times smaller')
    if picture:
        draw(results, picture)


def draw(results, picture):
    fig, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
    for name, (times, errors) in results.items():
        ax.semilogy(times, errors, linewidth=1, label=f'boundary="{name}"')
    ax.set(xlabel="crossings", ylabel="largest error", xlim=(0, END), ylim=(1e-5, 1e2))
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color="0.92")
    ax.legend(frameon=False)
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
