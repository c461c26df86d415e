"""``python -m fdx demo``: it runs, reports its results, and its directions are right."""

import numpy as np
import pytest
from commands import python
from PIL import Image

import fdx
from fdx.__main__ import main
from fdx._cli import demo

COMPASS = {
    "N": (0, 1),
    "NE": (1, 1),
    "E": (1, 0),
    "SE": (1, -1),
    "S": (0, -1),
    "SW": (-1, -1),
    "W": (-1, 0),
    "NW": (-1, 1),
}


def run_demo(*args, cwd):
    return python("-m", "fdx", "demo", *args, cwd=cwd)


def size_of(path):
    with Image.open(path) as picture:
        picture.load()
        assert picture.format == "PNG"
        return picture.size


def hill(dtype="f8"):
    y, x = np.mgrid[0:30, 0:40]
    return (200 * np.exp(-(((x - 15) / 9) ** 2) - ((y - 12) / 7) ** 2)).astype(dtype)


# --- the compass --------------------------------------------------------------------------------


def plane(east, north, dy=1, dx=1):
    """An integer plane that falls by 1 a unit towards each of `east` and `north`."""
    row, column = np.mgrid[0:5, 0:6]
    return -(east * dx * column + north * -dy * row)


@pytest.mark.parametrize("spacing", [(1, 1), (-1, 1), (1, -1), (2, 4)])
@pytest.mark.parametrize("facing", COMPASS)
def test_planes_face_their_direction(facing, spacing):
    east, north = COMPASS[facing]
    gy, gx = fdx.gradient(plane(east, north, *spacing), *spacing)
    expected = 45.0 * list(COMPASS).index(facing)
    assert (demo.aspect(gy, gx) == expected).all()

    tilt = np.arctan(np.hypot(east, north))
    np.testing.assert_allclose(demo.slope(gy, gx), np.degrees(tilt), rtol=1e-15)
    # The textbook formula, in slope and aspect, against the one in derivatives.
    light = np.cos(np.radians(45)) * np.cos(tilt)
    light += np.sin(np.radians(45)) * np.sin(tilt) * np.cos(np.radians(315 - expected))
    np.testing.assert_allclose(demo.hillshade(gy, gx), max(light, 0), rtol=1e-14, atol=1e-15)


def test_light_comes_from_the_north_west():
    # 45 degrees steep and facing the sun, at 45 degrees: fully lit; its back gets none.
    side = np.array([np.sqrt(0.5)])
    np.testing.assert_allclose(demo.hillshade(side, side), 1.0, rtol=1e-15)
    assert demo.hillshade(-side, -side)[0] < 1e-15
    assert demo.hillshade(-3 * side, -3 * side)[0] == 0.0


def test_level_ground_and_full_turns():
    zero = np.zeros(1)
    assert demo.slope(zero, zero)[0] == 0.0
    assert np.isnan(demo.aspect(zero, zero)[0])
    np.testing.assert_allclose(demo.hillshade(zero, zero), np.sqrt(0.5), rtol=1e-15)
    # A hair west of north is not 360 degrees, which is north again.
    assert demo.aspect(np.ones(1), np.array([1e-300]))[0] == 0.0


# --- the comparison -----------------------------------------------------------------------------


def test_same_bits():
    a = np.array([[0.0, np.nan], [1.0, np.inf]])
    b = a.copy()
    b[0, 1] = -np.nan
    assert demo.same_bits(a, b)
    for changed in (-0.0, 5e-324, np.nan):
        c = a.copy()
        c[0, 0] = changed
        assert not demo.same_bits(a, c)
    assert not demo.same_bits(a, a.astype("f4"))
    assert not demo.same_bits(a, a[:1])


def test_different_bits_are_told(monkeypatch, tmp_path, capsys):
    np.save(tmp_path / "hill.npy", hill())

    def wrong(*args, out=None, **kwargs):
        result = np.gradient(*args, **kwargs)
        result[1][3, 4] = np.nextafter(result[1][3, 4], np.inf)
        return result

    monkeypatch.setattr(fdx, "gradient", wrong)
    args = ["demo", "--input", str(tmp_path / "hill.npy"), "--output", str(tmp_path / "o.png")]
    assert main(args) == 1
    assert "same bits: no" in capsys.readouterr().out


# --- the command --------------------------------------------------------------------------------


def test_sample_data(tmp_path):
    done = run_demo(cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "344 rows x 403 columns, int16, 236 to 1076 m" in done.stdout
    assert "92.67 m south" in done.stdout
    assert "same bits: yes" in done.stdout
    for name in ("np.gradient ", "fdx.gradient ", "fdx.gradient, out="):
        assert name in done.stdout
    assert [p.name for p in tmp_path.iterdir()] == ["fdx-demo.png"]
    width, height = size_of(tmp_path / "fdx-demo.png")
    assert width == 1500
    assert 1000 < height < 1600
    assert (tmp_path / "fdx-demo.png").stat().st_size < 600_000


@pytest.mark.parametrize("dtype", ["f8", ">i2", "u1", "f4", "f2"])
def test_own_npy(tmp_path, dtype):
    np.save(tmp_path / "hill.npy", hill(dtype))
    done = run_demo("--input", "hill.npy", "--spacing", 5, -10, "--output", "o.png", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"30 rows x 40 columns, {np.dtype(dtype)}" in done.stdout
    assert "5 south, -10 east" in done.stdout
    assert "same bits: yes" in done.stdout
    assert size_of(tmp_path / "o.png")[0] == 1500


def test_own_npz(tmp_path):
    np.savez(tmp_path / "first.npz", k=np.arange(3), a=hill(), b=hill()[:5])
    done = run_demo("--input", "first.npz", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "30 rows x 40 columns" in done.stdout
    assert "1 south, 1 east (the default" in done.stdout
    assert "same bits: yes" in done.stdout

    np.savez(tmp_path / "named.npz", a=hill(), elevation=hill()[:5])
    raster = demo.read_raster(tmp_path / "named.npz", None)
    assert raster.elevation.shape == (5, 40)


def test_own_tif(tmp_path):
    for dtype in ("u1", "u2", "f4"):
        Image.fromarray(hill(dtype)).save(tmp_path / f"{dtype}.tif")
        np.testing.assert_array_equal(
            demo.read_raster(tmp_path / f"{dtype}.tif", None).elevation, hill(dtype)
        )
    holes = hill("f4")
    holes[2:5, 3:9] = -9999
    Image.fromarray(holes).save(tmp_path / "holes.tif", tiffinfo={42113: "-9999"})
    holes[2:5, 3:9] = np.nan
    np.testing.assert_array_equal(demo.read_raster(tmp_path / "holes.tif", None).elevation, holes)
    done = run_demo("--input", "holes.tif", "--spacing", 10, 10, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "same bits: yes" in done.stdout


@pytest.mark.parametrize("values", ["nan", "inf", "level", "2x2", "long"])
def test_unusual_rasters(tmp_path, values):
    z = {
        "nan": np.full((4, 5), np.nan),
        "inf": np.where(hill() > 100, np.inf, hill()),
        "level": np.full((4, 5), 7),
        "2x2": np.arange(4).reshape(2, 2),
        "long": np.add.outer(np.arange(3.0), np.arange(4500.0) ** 0.5),
    }[values]
    np.save(tmp_path / "z.npy", z)
    done = run_demo("--input", "z.npy", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "same bits: yes" in done.stdout
    assert size_of(tmp_path / "fdx-demo.png")[0] == 1500


def test_errors_are_one_line(tmp_path):
    arrays = {
        "good.npy": hill(),
        "1d.npy": np.arange(9.0),
        "3d.npy": np.ones((2, 3, 4)),
        "small.npy": np.ones((1, 9)),
        "empty.npy": np.ones((0, 9)),
        "bool.npy": np.ones((3, 3), bool),
        "complex.npy": np.ones((3, 3), complex),
        "object.npy": np.array([[1, None], [2, 3]], dtype=object),
    }
    for name, array in arrays.items():
        np.save(tmp_path / name, array)
    np.savez(tmp_path / "none.npz", k=np.arange(3))
    for name in ("junk.npy", "junk.npz", "junk.tif", "junk.asc"):
        (tmp_path / name).write_text("hello")

    (tmp_path / "folder.png").mkdir()
    errors = {
        "missing.npy": "missing.npy: no such file",
        "1d.npy": "expected a 2-D raster, got shape (9,)",
        "3d.npy": "expected a 2-D raster, got shape (2, 3, 4)",
        "small.npy": "expected 2 rows and 2 columns or more, got (1, 9)",
        "empty.npy": "expected 2 rows and 2 columns or more, got (0, 9)",
        "bool.npy": "expected integers or float16 to float64, got bool",
        "complex.npy": "expected integers or float16 to float64, got complex128",
        "object.npy": "cannot be read: it holds Python objects",
        "none.npz": "no 2-D array among k",
        "junk.npy": "junk.npy: cannot be read",
        "junk.npz": "junk.npz: cannot be read",
        "junk.tif": "junk.tif: cannot be read",
        "junk.asc": "unknown kind of file; expected .npy, .npz or .tif",
        "good.npy --spacing 0 1": "--spacing: DY and DX must be finite and not zero",
        "good.npy --spacing nan 1": "--spacing: DY and DX must be finite and not zero",
        "good.npy --spacing one 1": "--spacing: invalid float value: 'one'",
        "good.npy --spacing 1": "--spacing: expected 2 arguments",
        "good.npy --output folder.png": "--output: folder.png: is a directory",
        "good.npy --output no/such/x.png": "no such directory",
        "good.npy --output x.pdf": "--output: x.pdf: expected a name in .png",
    }
    for args, message in errors.items():
        done = run_demo("--input", *args.split(), cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, ""), args
        assert done.stderr.startswith("python -m fdx demo: error: "), args
        assert message in done.stderr, args
        assert done.stderr.count("\n") == 1, args
    done = run_demo("--spacing", 1, 2, cwd=tmp_path)
    assert done.returncode == 2
    assert "--spacing needs --input" in done.stderr
    assert [path.name for path in tmp_path.glob("**/*.png")] == ["folder.png"]


def test_missing_matplotlib_names_the_extra(tmp_path):
    code = (
        "import sys; sys.modules['matplotlib'] = None;"
        "from fdx.__main__ import main; sys.exit(main(['demo']))"
    )
    done = python("-c", code, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "pip install 'fdx[demo]'" in done.stderr


def test_help_and_version(tmp_path):
    for args in ((), ("--help",)):
        done = python("-m", "fdx", *args, cwd=tmp_path)
        assert done.returncode == 0
        assert "demo" in done.stdout
    assert python("-m", "fdx", "--version", cwd=tmp_path).stdout == f"fdx {fdx.__version__}\n"
    done = python("-m", "fdx", "nonsense", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_elevations_that_cannot_be_drawn(tmp_path):
    height = np.full((30, 40), 1e308)
    height[:, ::2] *= -1
    np.save(tmp_path / "huge.npy", height)
    done = run_demo("--input", "huge.npy", cwd=tmp_path)
    assert done.returncode == 2
    assert "same bits: yes" in done.stdout
    assert done.stderr.count("\n") == 1
    assert "cannot be drawn" in done.stderr
