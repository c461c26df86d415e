"""The picture of ``python -m fdx bench --plot``: speed over np.gradient, and bandwidth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fdx._cli.bench_measure import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# From the palette of Okabe and Ito, which is distinguishable with any colour vision.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#555555"
LABEL_GAP = 1.16  # ratio of adjacent labels on a logarithmic scale
SMALLEST = 1000  # elements: for fewer, bandwidth shows the overhead of calls, not memory


def picture(machine: dict[str, Any], rows: list[Row]) -> Figure:
    """Draw the results for lines, without a display."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter

    figure = Figure(figsize=(10, 4.5), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2)
    for ax in (left, right):
        ax.set(xscale="log", yscale="log")
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(color="0.92", linewidth=0.8)
        ax.set_axisbelow(True)
        ax.tick_params(which="minor", length=0)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_minor_formatter(NullFormatter())
    _speedup(left, rows)
    _bandwidth(right, rows, machine["caches"])
    figure.supxlabel(
        f"{machine['cpu']}, one thread, {machine['isa']}; NumPy {machine['numpy']}, "
        f"Python {machine['python']}, fdx {machine['fdx']}",
        fontsize=8,
        color="0.4",
    )
    return figure


def _lines(rows: list[Row], dtype: str, spacing: str, memory: str) -> list[Row]:
    """The results for contiguous one-dimensional arrays of a kind, from short to long."""
    wanted = (1, "C", dtype, spacing, memory)
    return [
        row
        for row in rows
        if (len((c := row.case).shape), c.layout, c.dtype, c.spacing, c.memory) == wanted
    ]


def _speedup(ax: Axes, rows: list[Row]) -> None:
    ends: list[tuple[float, str, str]] = []
    last = 0
    for label, dtype, spacing, colour, marker in (
        ("float32", "float32", "uniform", BLUE, "s"),
        ("float64", "float64", "uniform", ORANGE, "o"),
        ("float64,\ncoordinates", "float64", "coordinates", GREEN, "^"),
    ):
        if not (lines := _lines(rows, dtype, spacing, "fresh")):
            continue
        y = [row.speedup for row in lines]
        ax.plot([row.case.shape[0] for row in lines], y, color=colour, marker=marker, linewidth=1.8)
        ends.append((y[-1], label, colour))
        last = lines[-1].case.shape[0]

    height = 0.0
    for y_end, label, colour in sorted(ends):  # next to the lines' ends, without overlap
        height = max(y_end, height * LABEL_GAP ** (1 + label.count("\n")))
        ax.annotate(
            label,
            (last, height),
            (9, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontweight="bold",
        )
    ax.axhline(1, color=GREY, linewidth=1.4)
    ax.annotate(
        "np.gradient", (10, 1), (0, 5), textcoords="offset points", color=GREY, fontweight="bold"
    )
    low, high = ax.get_ylim()
    ticks = [t for t in (0.5, 1, 2, 5, 10, 20, 50, 100) if low <= t <= high]
    ax.set_yticks(ticks, labels=[f"{t:g}x" for t in ticks])
    ax.set_title("fdx.gradient: times as fast as np.gradient", fontsize=11, loc="left")
    ax.set_xlabel("elements of a line (results newly allocated)")


def _bandwidth(ax: Axes, rows: list[Row], caches: dict[str, int]) -> None:
    from matplotlib.patheffects import withStroke

    lines = [
        row for row in _lines(rows, "float64", "uniform", "warm") if row.case.shape[0] >= SMALLEST
    ]
    x = [row.case.moved_bytes // 2 for row in lines]
    curves = [
        ("np.copyto", GREY, "D", [row.copy_gbytes_per_second for row in lines]),
        (
            "np.add",
            BLUE,
            "s",
            [row.case.moved_bytes / row.yardstick_seconds / 1e9 for row in lines],
        ),
        ("fdx.gradient", ORANGE, "o", [row.gbytes_per_second for row in lines]),
    ]

    # The labels are where the curves are farthest apart: above each, below the lowest.
    def gap(i: int) -> float:
        low, middle, high = sorted(y[i] for *_, y in curves)
        return min(middle / low, high / middle)

    widest = max(range(len(x)), key=gap)
    lowest = min(curves, key=lambda curve: curve[3][widest])
    for curve in curves:
        label, colour, marker, y = curve
        ax.plot(x, y, color=colour, marker=marker, markersize=5, linewidth=1.8)
        ax.annotate(
            label,
            (x[widest], y[widest]),
            (4, -6 if curve is lowest else 5),
            textcoords="offset points",
            va="top" if curve is lowest else "bottom",
            color=colour,
            fontweight="bold",
            path_effects=[withStroke(linewidth=3, foreground="white")],  # over other curves
        )
    for name, size in caches.items():  # into which both arrays fit
        ax.axvline(size / 2, color="0.6", linewidth=1, linestyle=(0, (2, 3)), zorder=0)
        ax.annotate(
            name,
            (size / 2, 0.01),
            (-3, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="right",
            color="0.5",
            fontsize=8,
        )
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * 1.15)
    ticks = [t for t in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if low <= t <= high]
    ax.set_yticks(ticks, labels=[str(t) for t in ticks])
    sizes = [
        n for n in (10**3, 10**4, 10**5, 10**6, 10**7, 10**8) if x[0] <= n * 2 and n <= 2 * x[-1]
    ]
    ax.set_xticks(sizes, labels=[_size(n) for n in sizes])
    ax.set_title("Bandwidth, in GB/s: read f, write the result", fontsize=11, loc="left")
    ax.set_xlabel("bytes of the array (results preallocated)")


def _size(size: int) -> str:
    return f"{size // 10**6} MB" if size >= 10**6 else f"{size // 1000} kB"
