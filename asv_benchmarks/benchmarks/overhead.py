"""What is the overhead of a call, and what does the import cost?

Tiny arrays, so that all the time is overhead; module-level data and loops, so that asv's call is
not part of it. Read the timings as microseconds per ``LOOP`` calls.
"""

import numpy as np

import fdx

LOOP = 100  # calls in each timing

LINE = np.linspace(0.0, 1.0, 10) ** 2
X = np.linspace(0.0, 1.0, 10) ** 1.5
OUT = np.empty_like(LINE)
LINE_F4 = LINE.astype("f4")
INTEGERS = np.arange(10)
CUBE = np.arange(27.0).reshape(3, 3, 3)
CUBE_OUT = np.empty((3, 3, 3, 3))
CUBE_OUTS = tuple(np.empty_like(CUBE) for _ in range(3))


def time_line():
    for _ in range(LOOP):
        fdx.gradient(LINE)


def time_line_spacing():
    for _ in range(LOOP):
        fdx.gradient(LINE, 0.1)


def time_line_out():
    for _ in range(LOOP):
        fdx.gradient(LINE, 0.1, out=OUT)


def time_line_coordinates():
    for _ in range(LOOP):
        fdx.gradient(LINE, X)


def time_line_edge_order_2():
    for _ in range(LOOP):
        fdx.gradient(LINE, 0.1, edge_order=2)


def time_float32():
    for _ in range(LOOP):
        fdx.gradient(LINE_F4, 0.1)


def time_integers():
    for _ in range(LOOP):
        fdx.gradient(INTEGERS)


def time_cube():
    for _ in range(LOOP):
        fdx.gradient(CUBE, 0.1, 0.2, 0.3)


def time_cube_out_stacked():
    for _ in range(LOOP):
        fdx.gradient(CUBE, 0.1, 0.2, 0.3, out=CUBE_OUT)


def time_cube_out_tuple():
    for _ in range(LOOP):
        fdx.gradient(CUBE, 0.1, 0.2, 0.3, out=CUBE_OUTS)


def time_numpy_line():
    for _ in range(LOOP):
        np.gradient(LINE)


def time_numpy_add():
    for _ in range(LOOP):
        np.add(LINE, LINE)


def timeraw_import_fdx():
    return "import fdx"


def timeraw_import_numpy():
    """Most of the time of importing fdx is this."""
    return "import numpy"
