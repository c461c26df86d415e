"""``python -m fdx demo``: slope, aspect and hillshade of an elevation model, with both gradients.

Conventions, here and in the picture: row 0 of a raster is its northern edge and column 0 its
western edge, so a positive DY means that rows go south and a positive DX that columns go east.
"""

from __future__ import annotations

import argparse
import io
import os
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import fdx
from fdx._cli.command import CommandError, check_picture, need
from fdx._patch.report import same_bits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Array = np.ndarray[Any, Any]

METRES_PER_DEGREE = 111_200.0  # of latitude, on a spherical Earth
SUN_AZIMUTH, SUN_ALTITUDE = 315.0, 45.0  # degrees; light from the north-west, as maps have it
TIME_BUDGET = 1.0  # seconds for timing all methods
COLOURS = 60  # per panel: four panels and the text fit a palette of 256
MAX_PIXELS = 2000  # per side of a panel; larger rasters are drawn with a stride
GDAL_NODATA_TAG = 42113


@dataclass(frozen=True)
class Raster:
    """An elevation model with its spacing and unit."""

    name: str
    elevation: Array
    spacing: tuple[float, float]  # (DY, DX), signed as in the module's docstring
    spacing_note: str
    unit: str = ""  # of elevation and spacing; empty where unknown
    has_spacing: bool = True


# --- what is computed ---------------------------------------------------------------------------


def slope(gy: Array, gx: Array) -> Array:
    """Steepest descent in degrees: 0 is level, 90 a cliff."""
    return np.degrees(np.arctan(np.hypot(gx, gy)))


def aspect(gy: Array, gx: Array) -> Array:
    """Direction that a slope faces (downhill), in degrees clockwise from north, in [0, 360).

    `gy` grows to the south, so downhill points `gy` to the north and ``-gx`` to the east. Level
    ground faces nowhere: NaN.
    """
    degrees = np.degrees(np.arctan2(-gx, gy)) % 360.0
    degrees[degrees == 360.0] = 0.0  # a tiny negative angle rounds up to a full turn
    degrees[(gx == 0) & (gy == 0)] = np.nan
    return degrees


def hillshade(
    gy: Array, gx: Array, azimuth: float = SUN_AZIMUTH, altitude: float = SUN_ALTITUDE
) -> Array:
    """Brightness of a matt (Lambertian) surface lit by the sun, from 0 (unlit) to 1.

    The cosine of the angle between the sun and the surface's normal, as in Horn (1981), "Hill
    shading and the reflectance map", Proc. IEEE 69(1). Written with slope and aspect it is the
    usual ``cos(zenith) cos(slope) + sin(zenith) sin(slope) cos(azimuth - aspect)``.
    """
    az, alt = np.radians(azimuth), np.radians(altitude)
    # The normal is (-gx, gy, 1) / length, to the east, to the north and up.
    toward_sun = np.cos(alt) * (np.cos(az) * gy - np.sin(az) * gx) + np.sin(alt)
    shade: Array = np.maximum(toward_sun / np.sqrt(1.0 + gx * gx + gy * gy), 0.0)
    return shade


# --- where the elevation comes from -------------------------------------------------------------


def sample_raster() -> Raster:
    """Matplotlib's sample elevation model, on a grid of three arc seconds."""
    from matplotlib.cbook import get_sample_data

    with np.load(get_sample_data("jacksboro_fault_dem.npz", asfileobj=False)) as dem:
        elevation = dem["elevation"]
        latitude = np.radians((float(dem["ymin"]) + float(dem["ymax"])) / 2)
        dy = METRES_PER_DEGREE * float(dem["dy"])
        dx = METRES_PER_DEGREE * float(dem["dx"]) * float(np.cos(latitude))
    return Raster(
        "Jacksboro fault, Tennessee (matplotlib's sample data)",
        elevation,
        (dy, dx),
        f"{dy:.2f} m south, {dx:.2f} m east",
        unit="m",
    )


def read_raster(path: Path, spacing: list[float] | None) -> Raster:
    """Read a two-dimensional raster from .npy, .npz or .tif."""
    readers: dict[str, Callable[[Path], Array]] = {
        ".npy": _read_numpy,
        ".npz": _read_npz,
        ".tif": _read_tiff,
        ".tiff": _read_tiff,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise CommandError(f"{path}: unknown kind of file; expected .npy, .npz or .tif")
    if spacing is not None and not all(np.isfinite(h) and h != 0 for h in spacing):
        raise CommandError("--spacing: DY and DX must be finite and not zero")
    try:
        elevation = reader(path)
    except FileNotFoundError:
        raise CommandError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, SyntaxError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())
        if "allow_pickle" in reason:  # as NumPy says of any file that it does not know
            reason = "it holds Python objects or is not a NumPy file"
        raise CommandError(f"{path}: cannot be read: {reason}") from None

    if elevation.ndim != 2:
        raise CommandError(f"{path}: expected a 2-D raster, got shape {elevation.shape}")
    if min(elevation.shape) < 2:
        raise CommandError(f"{path}: expected 2 rows and 2 columns or more, got {elevation.shape}")
    if elevation.dtype.kind not in "iuf" or elevation.dtype.itemsize > 8:
        kind = elevation.dtype
        raise CommandError(f"{path}: expected integers or float16 to float64, got {kind}")
    dy, dx = spacing or (1.0, 1.0)
    if spacing is None:
        note = "1 south, 1 east (the default; give --spacing DY DX in the elevation's unit)"
    else:
        note = f"{dy:g} south, {dx:g} east"
    name = os.fsencode(path.name).decode(errors="replace")  # for the picture, also in a C locale
    return Raster(name, elevation, (dy, dx), note, has_spacing=spacing is not None)


def _read_numpy(path: Path) -> Array:
    array: Array = np.load(path, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise ValueError("not a .npy file")
    return array


def _read_npz(path: Path) -> Array:
    archive = np.load(path, allow_pickle=False)
    if isinstance(archive, np.ndarray):
        raise ValueError("not a .npz file")
    with archive:
        names = archive.files
        # `elevation` first, then the order of the file.
        for name in sorted(names, key=lambda name: name != "elevation"):
            array: Array = archive[name]
            if name == "elevation" or array.ndim == 2:
                return array
    raise CommandError(f"{path}: no 2-D array among {', '.join(names) or 'no arrays'}")


def _read_tiff(path: Path) -> Array:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # elevation models may well be large
    with Image.open(path) as image:
        array = np.asarray(image)
        nodata = getattr(image, "tag_v2", {}).get(GDAL_NODATA_TAG)
    if nodata is None:
        return array
    try:
        missing = array == float(str(nodata).strip("\0 "))
    except ValueError:
        return array
    if missing.any():
        array = np.where(missing, array.dtype.type(0), array).astype(np.result_type(array, "f4"))
        array[missing] = np.nan
    return array


# --- what is measured ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    seconds: float
    peak_bytes: int
    same_bits: bool


@dataclass(frozen=True)
class Comparison:
    """The table: np.gradient first, then the calls that are compared with it."""

    rows: list[Row]
    rounds: int
    result_bytes: int

    @property
    def same_bits(self) -> bool:
        return all(row.same_bits for row in self.rows)


def measure(elevation: Array, spacing: tuple[float, float]) -> Comparison:
    """Compare np.gradient and fdx.gradient in time, memory and bits."""
    reference = np.gradient(elevation, *spacing)
    out = tuple(np.empty_like(g) for g in reference)
    calls: dict[str, Callable[[], Any]] = {
        "np.gradient": lambda: np.gradient(elevation, *spacing),
        "fdx.gradient": lambda: fdx.gradient(elevation, *spacing),
        "fdx.gradient, out=": lambda: fdx.gradient(elevation, *spacing, out=out),
    }

    same, peak = {}, {}
    for name, call in calls.items():
        tracemalloc.start()
        result = call()
        peak[name] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        same[name] = all(same_bits(g, r) for g, r in zip(result, reference, strict=True))
        del result

    # Alternating, so that other programs disturb all of them equally.
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + TIME_BUDGET
    rounds = 0
    while rounds < 5 or (time.perf_counter() < end and rounds < 1000):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
        rounds += 1
    rows = [Row(name, float(np.median(seconds[name])), peak[name], same[name]) for name in calls]
    return Comparison(rows, rounds, sum(g.nbytes for g in reference))


def table(raster: Raster, comparison: Comparison) -> str:
    """The results as text for the terminal."""
    z = raster.elevation
    finite = z[np.isfinite(z)]
    unit = f" {raster.unit}" if raster.unit else ""
    span = f"{finite.min():g} to {finite.max():g}{unit}" if finite.size else "no finite values"
    lines = [
        f"raster    {raster.name}",
        f"          {z.shape[0]} rows x {z.shape[1]} columns, {z.dtype}, {span}",
        f"spacing   {raster.spacing_note}",
        "",
        f"{'':20}{'time':>12}{'speed':>9}{'peak memory':>14}   same bits",
    ]
    baseline = comparison.rows[0]
    scale, time_unit = (1e3, "ms") if baseline.seconds >= 1e-3 else (1e6, "us")
    for row in comparison.rows:
        lines.append(
            f"{row.name:20}{row.seconds * scale:>9.4g} {time_unit}"
            f"{baseline.seconds / row.seconds:>8.1f}x"
            f"{row.peak_bytes / 1e6:>11.2f} MB"
            f"   {'-' if row is baseline else _yes_no(row.same_bits)}"
        )
    lines += [
        "",
        f"time: both derivatives, median of {comparison.rounds} alternating runs",
        "peak memory: all that a call allocates, including its results "
        f"({comparison.result_bytes / 1e6:.2f} MB); with out= they are preallocated",
        f"same bits: {_yes_no(comparison.same_bits)} ({2 * z.size:,} values, all bytes compared)",
    ]
    return "\n".join(lines)


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"


# --- what is drawn ------------------------------------------------------------------------------


def picture(raster: Raster, gy: Array, gx: Array) -> Figure:
    """Draw elevation, slope, aspect and hillshade, without a display."""
    import matplotlib
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    dy, dx = raster.spacing
    stride = max(1, -(-max(gy.shape) // MAX_PIXELS))
    # North up and west left, whatever the signs of the spacing.
    view = np.s_[:: stride if dy > 0 else -stride, :: stride if dx > 0 else -stride]
    z, gy, gx = raster.elevation[view], gy[view], gx[view]

    relief = LinearSegmentedColormap.from_list(
        "relief", ["#2f6b4f", "#7fa65a", "#e3d59b", "#c19a63", "#8c6a4f", "#f4f1ec"]
    )
    unit = f" ({raster.unit})" if raster.unit else ""
    panels: list[tuple[str, Array, str, dict[str, Any]]] = [
        ("Elevation", z, f"elevation{unit}", {"cmap": relief}),
        ("Slope", slope(gy, gx), "degrees from level", {"cmap": "magma", "vmin": 0}),
        (
            "Aspect (grey: level ground)",
            aspect(gy, gx),
            "downhill, clockwise from north",
            {"cmap": "twilight", "vmin": 0, "vmax": 360},
        ),
        (
            f"Hillshade, sun at azimuth {SUN_AZIMUTH:g}°, altitude {SUN_ALTITUDE:g}°",
            hillshade(gy, gx),
            "brightness",
            {"cmap": "gray"},
        ),
    ]

    rows, columns = raster.elevation.shape
    if raster.unit == "m":
        scale, x_label, y_label = 1e-3, "km east", "km north"
    elif raster.has_spacing:
        scale, x_label, y_label = 1.0, "distance east", "distance north"
    else:
        scale, x_label, y_label = 1.0, "columns", "rows"
    extent = (0.0, columns * abs(dx) * scale, 0.0, rows * abs(dy) * scale)

    # To scale, unless the raster is so long that a panel (3.7 inches wide) would be too thin.
    ratio = extent[3] / extent[1]
    to_scale = 0.5 <= ratio <= 2.0
    height = 3.7 * (ratio if to_scale else 0.7)
    figure = Figure(figsize=(10, 2 * height + 1.45), dpi=150, layout="constrained")
    figure.suptitle(raster.name + ("" if to_scale else " (not to scale)"), fontsize=13)
    axes = figure.subplots(2, 2, sharex=True, sharey=True)
    axes[0, 0].locator_params(nbins=7)
    for ax, (title, values, label, options) in zip(axes.flat, panels, strict=True):
        options["cmap"] = matplotlib.colormaps.get_cmap(options["cmap"]).resampled(COLOURS)
        ax.set_aspect("equal" if to_scale else "auto")
        _panel(figure, ax, title, values, label, extent, options)
    for ax in axes[-1]:
        ax.set_xlabel(x_label)
    for ax in axes[:, 0]:
        ax.set_ylabel(y_label)
    return figure


def _panel(
    figure: Figure,
    ax: Axes,
    title: str,
    values: Array,
    label: str,
    extent: tuple[float, float, float, float],
    options: dict[str, Any],
) -> None:
    image = ax.imshow(
        values, extent=extent, aspect=ax.get_aspect(), interpolation="nearest", **options
    )
    ax.set_facecolor("0.6")  # shown where data is missing, and where level ground has no aspect
    ax.set_title(title, fontsize=11, loc="left")
    bar = figure.colorbar(image, ax=ax, label=label, shrink=0.9, aspect=30, pad=0.015)
    bar.outline.set_visible(False)
    if options.get("vmax") == 360:
        bar.set_ticks(
            [0, 90, 180, 270, 360],
            labels=["0° N", "90° E", "180° S", "270° W", "360° N"],
        )


def save_png(figure: Figure, path: Path) -> None:
    """Save with a palette of 256 colours: it looks the same, with a third of the size."""
    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    image = Image.open(buffer).convert("RGB")
    image = image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    image.save(path, format="PNG", optimize=True)


# --- the command --------------------------------------------------------------------------------


def add_parser(subparsers: Any) -> None:
    """Add the ``demo`` command."""
    parser = subparsers.add_parser(
        "demo",
        help="slope, aspect and hillshade of an elevation model, against np.gradient",
        description=(
            "Compute slope, aspect and hillshade of an elevation model, save them as a picture, "
            "and compare fdx.gradient with np.gradient: time, memory and every bit. Row 0 of the "
            "raster is north and column 0 west. The exit status is 0 if all bits are the same, 1 "
            "if not, 2 if the demo could not run."
        ),
    )
    parser.add_argument(
        "--input",
        type=Path,
        metavar="FILE",
        help="your own 2-D raster: .npy, .npz (its array 'elevation', else its first 2-D array) "
        "or .tif; NaN and a .tif's nodata value stay empty; without --input, matplotlib's sample "
        "elevation model",
    )
    parser.add_argument(
        "--spacing",
        type=float,
        nargs=2,
        metavar=("DY", "DX"),
        help="with --input: distance between rows (positive: rows go south) and between columns "
        "(positive: columns go east), in the elevation's unit (default: 1 1)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("fdx-demo.png"),
        metavar="FILE",
        help="where to save the picture (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the demo and return its exit status."""
    need("matplotlib", "demo")
    check_picture("--output", args.output, (".png",))
    if args.spacing is not None and args.input is None:
        raise CommandError("--spacing needs --input; the sample data has its own")

    raster = read_raster(args.input, args.spacing) if args.input else sample_raster()
    with np.errstate(all="ignore"):  # rasters with inf or NaN are allowed
        comparison = measure(raster.elevation, raster.spacing)
        print(table(raster, comparison))
        gy, gx = fdx.gradient(raster.elevation, *raster.spacing)
        try:
            save_png(picture(raster, gy, gx), args.output)
        except OSError as error:
            raise CommandError(f"--output: {args.output}: {error.strerror or error}") from None
        except ValueError as error:  # matplotlib, of elevations near the ends of float64
            raise CommandError(f"this cannot be drawn: {error}") from None
    print(f"picture: {args.output}")
    return 0 if comparison.same_bits else 1
