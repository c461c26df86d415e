"""diffusion.c in Python: a square divided among MPI processes, with the same bits for any number of
them, which are also those of the C program.

    mpiexec -n 4 python diffusion.py [FILE]

At sides with ghost cells the boundary is "valid": results are computed only where stencils fit, at
the points inside.
"""

import math
import sys

import numpy as np
from mpi4py import MPI

import fdx

N, STEPS, GHOSTS = 48, 400, 2
NU = 0.1
h = 1 / N
dt = 0.1 * h * h / NU


def begin(k, n):
    """The first of N points in block k of n."""
    return N // n * k + min(k, N % n)


cut = MPI.Compute_dims(MPI.COMM_WORLD.size, 2)
grid = MPI.COMM_WORLD.Create_cart(cut, periods=(False, True))
row, column = (slice(begin(k, n), begin(k + 1, n)) for k, n in zip(grid.coords, cut, strict=True))
below, above = grid.Shift(0, 1)
left, right = grid.Shift(1, 1)
wall_below, wall_above = below == MPI.PROC_NULL, above == MPI.PROC_NULL

# C's cosine, so that the bits are those of the C program; NumPy's may differ in the last bit.
along_y = np.array([[math.cos(math.pi * (i + 0.5) / N)] for i in range(N)])
along_x = np.array([math.cos(2 * math.pi * j / N) for j in range(N)])
start = along_y * along_x
u = start[row, column].copy()

# An array with ghost cells around the block, except outside of walls.
rows = slice(0 if wall_below else GHOSTS, (0 if wall_below else GHOSTS) + len(u))
columns = slice(GHOSTS, GHOSTS + u.shape[1])
padded = np.zeros((rows.stop + (0 if wall_above else GHOSTS), columns.stop + GHOSTS))
inside = padded[rows, columns]

boundary = ("symmetric" if wall_below else "valid", "symmetric" if wall_above else "valid")
L = NU * fdx.Diff(0, h, deriv=2, accuracy=4, boundary=boundary)
L += NU * fdx.Diff(1, h, deriv=2, accuracy=4, boundary="valid")


def send(values, to, ghosts, source):
    """Send a copy of values to one neighbour, and receive ghost values from another."""
    received = np.empty_like(np.ascontiguousarray(ghosts))
    grid.Sendrecv(np.ascontiguousarray(values), to, recvbuf=received, source=source)
    if source != MPI.PROC_NULL:
        ghosts[...] = received


for _ in range(STEPS):
    inside[...] = u
    send(inside[:, :GHOSTS], left, padded[rows, columns.stop :], right)
    send(inside[:, -GHOSTS:], right, padded[rows, :GHOSTS], left)
    send(inside[:GHOSTS], below, padded[rows.stop :, columns], above)
    send(inside[-GHOSTS:], above, padded[: rows.start, columns], below)
    u += dt * L(padded)

blocks = grid.gather((row, column, u))
if grid.rank == 0:
    whole = np.empty((N, N))
    for row, column, block in blocks:
        whole[row, column] = block
    error = abs(whole - start * math.exp(-5 * math.pi**2 * NU * dt * STEPS)).max()
    print(f"{grid.size} processes, {cut[0]} x {cut[1]} blocks: error {error:.2e}")
    assert error < 4e-4  # Euler's error is dt t (5 pi^2 nu)^2 / 2 times the solution: 3.9e-4
    if len(sys.argv) > 1:
        whole.tofile(sys.argv[1])
