"""The examples run, draw, and their numbers are right."""

import importlib.util
import os
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from commands import python
from PIL import Image

pytest.importorskip("matplotlib")

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
NUMBER = r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?"


def load(name):
    if name == "implicit":
        pytest.importorskip("scipy")
    spec = importlib.util.spec_from_file_location(
        f"example_{name}", ROOT / "examples" / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def numbers(text, pattern):
    """The numbers where `pattern` has a #."""
    found = re.search(re.escape(pattern).replace(r"\#", rf"\s*({NUMBER})"), text)
    assert found, f"{pattern!r} in\n{text}"
    return [float(group) for group in found.groups()]


@pytest.fixture(autouse=True)
def no_display(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")


# --- as they are run ----------------------------------------------------------------------------


def check_heat(text):
    temperature, error = numbers(text, "temperature # K, largest error # K")
    assert error < 1e-3 * temperature
    assert numbers(text, "too long, largest temperature # K")[0] > 1e10


def check_advection(text):
    for accuracy in (2, 4, 6, 8):
        error, _, slope = numbers(text, f"accuracy {accuracy}: error # on # points, slope #")
        assert abs(slope - accuracy) < 0.2
        assert error < 0.1 * 20.0 ** (1 - accuracy / 2)


def check_acoustics(text):
    staggered, energy = numbers(text, "staggered: largest error # Pa of 100, energy #")
    collocated, _ = numbers(text, "collocated: largest error # Pa of 100, energy #")
    assert staggered < 10 < 3 * staggered < collocated
    assert abs(energy - 1) < 1e-10
    assert abs(numbers(text, "half of the spacing: errors # times smaller")[0] - 4) < 0.2


def check_maxwell(text):
    error, largest, energy = numbers(text, "largest error # of #, energy #")
    assert error < 0.15 * largest
    assert abs(energy - 1) < 1e-10
    assert abs(numbers(text, "half of the spacing errors # times smaller")[0] - 4) < 0.2
    found, exact = numbers(text, "reflected # % of the energy, by Fresnel's equations #")
    assert 9 < exact < 11
    assert abs(found - exact) < 0.5


def check_gray_scott(text):
    assert numbers(text, "front: largest error #")[0] < 4e-3
    assert abs(numbers(text, "half of the spacing # times smaller")[0] - 4) < 0.1


def check_adi(text):
    found = re.findall(
        rf"({NUMBER}) times the longest explicit one: largest error ({NUMBER})", text
    )
    steps, errors = np.array(found, float).T
    assert steps[0] > 200
    slopes = np.log2(errors[:-1] / errors[1:])
    assert abs(slopes - 2).max() < 0.15
    warmest, heat = numbers(text, "warmer by up to # K; heat #")
    assert errors[0] < 0.003 * warmest
    assert abs(heat - 1) < 1e-10


def check_compact(text):
    errors = {}
    for name in (
        "Diff, accuracy 2",
        "Diff, accuracy 6",
        "Compact, accuracy 6",
        "Compact, accuracy 8",
    ):
        errors[name] = numbers(text, f"{name}: largest error # with 7 points per wave, # with 11")
    assert errors["Diff, accuracy 2"][1] > 0.5
    assert errors["Diff, accuracy 6"][0] > 0.5
    assert errors["Compact, accuracy 8"][0] < 0.04
    assert errors["Compact, accuracy 8"][1] < 2e-3 < errors["Compact, accuracy 6"][1] < 0.02


def check_ground(text):
    low, high, error = numbers(text, "temperatures from # to # K, largest error # K")
    assert error < 0.005 * (high - low)
    assert abs(numbers(text, "half of the spacing and of the step: # times smaller")[0] - 4) < 0.2
    assert numbers(text, "0.3 m deep: warmest at # h, range # K")[0] > 10


def check_schemes(text):
    def points(name):
        return numbers(text, f"{name} # points per wave")[0]

    def zigzag(name):
        return numbers(
            text, f"{name} # points per wave for an error of 1 %, damping of a zigzag #"
        )[1]

    assert abs(points("compact 8") - 3.4) < 0.1
    assert abs(points("centred 2") - 2 * points("staggered 2")) < 0.1
    # theta - sin(theta) is 1 % of theta, and twice the sine of half of it
    theta = 2 * np.pi / points("centred 2")
    assert abs(np.sin(theta) / theta - 0.99) < 1e-4
    assert [zigzag(f"upwind {k}") for k in (1, 3, 5)] == [2.0, 1.33, 1.07]
    assert zigzag("staggered 4") == 0
    assert numbers(text, '"one-sided": largest growth rate #')[0] > 0.19
    assert numbers(text, '"sbp": largest growth rate #')[0] < 0


def check_stable(text):
    error, crossings = numbers(text, '"sbp": largest error # after # crossings')
    assert crossings == 20
    assert error < 2e-3
    error, crossings = numbers(text, '"one-sided": largest error # after # crossings')
    assert error > 1e5
    assert crossings < 5
    assert numbers(text, "half of the spacing: errors # times smaller")[0] > 8


def check_vorticity(text):
    error, relative = numbers(text, "vorticity # 1/s, # of it")
    assert error < 2e-4
    assert relative < 5e-5
    assert abs(numbers(text, "twice the spacing # times")[0] - 16) < 1
    assert numbers(text, "divergence # 1/s")[0] < 2e-5


def check_terrain(text):
    for name in ("mean", "plan", "profile"):
        low, middle, high = numbers(text, f"{name} curvature" + " " * (15 - len(name)) + "###")
        assert low < -0.5
        assert high > 0.5
        assert abs(middle) < 0.1 * high


def check_boundary_layer(text):
    errors = re.findall(rf"errors of shear ({NUMBER}), of second derivative ({NUMBER})", text)
    (shear, second), (shear_uniform, second_uniform) = [map(float, pair) for pair in errors]
    assert shear < 1e-8 < 1e-3 < shear_uniform
    assert second < 2e-6 < 1e-2 < second_uniform


def check_implicit(text):
    assert numbers(text, "largest error # K")[0] < 1e-6
    assert numbers(text, "after 3 years: largest error # K")[0] < 2e-3
    poles, equator = numbers(text, "steady: # C at the poles, # C at the equator")
    assert -15 < poles < 0 < 20 < equator < 35
    assert numbers(text, "a step of a month is # times")[0] > 30


def check_accuracy(text):
    for accuracy, points in ((2, 25.7), (4, 8.4), (8, 4.7)):  # 1 % of a wave
        found = numbers(text, f"{accuracy:>8}    ####")[1]
        assert abs(found - points) < 0.15
    errors = [float(error) for error in re.findall(rf"({NUMBER}), \d+\n", text)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-13


def check_boundaries(text):
    assert text.count("the same as after numpy.pad") == 5
    assert "other than" not in text
    assert numbers(text, "valid # results of # points") == [6, 12]


def check_hillshade(text):
    steepest, middle = numbers(text, "steepest slope # degrees, median # degrees")
    assert 0 < middle < steepest < 90


@pytest.mark.parametrize("name", EXAMPLES)
def test_runs_and_draws(name, tmp_path):
    if name == "implicit":
        pytest.importorskip("scipy")
    done = python(ROOT / "examples" / f"{name}.py", "picture.png", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    globals()[f"check_{name}"](done.stdout)
    assert os.listdir(tmp_path) == ["picture.png"]
    with Image.open(tmp_path / "picture.png") as picture:
        picture.load()
        with Image.open(ROOT / "docs" / "gallery" / f"{name}.png") as kept:
            assert picture.size == kept.size


def test_gallery_has_them_all():
    page = (ROOT / "examples" / "README.md").read_text()
    for name in EXAMPLES:
        assert f"({name}.py)" in page
        assert f"(../docs/gallery/{name}.png)" in page
        assert (ROOT / "docs" / "gallery" / f"{name}.png").stat().st_size < 80_000


# --- as functions -------------------------------------------------------------------------------


def test_heat_takes_no_memory():
    heat = load("heat")
    u = heat.exact(0.0)
    heat.conduct(u, 0.01, 1)
    tracemalloc.start()
    heat.conduct(u, 0.01, 50)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * u.nbytes  # one derivative, made before the loop
    np.testing.assert_allclose(u, heat.exact(51 * 0.01), atol=0.02)


def test_heat_keeps_the_edges():
    heat = load("heat")
    u = heat.exact(0.0) + 20.0
    edges = [u[0].copy(), u[-1].copy(), u[:, 0].copy(), u[:, -1].copy()]
    heat.conduct(u, 0.05, 20)
    for before, now in zip(edges, (u[0], u[-1], u[:, 0], u[:, -1]), strict=True):
        np.testing.assert_allclose(now, before, atol=1e-10)


def test_vorticity_is_of_the_right_sign():
    vorticity = load("vorticity")
    x, y, u, v, exact = vorticity.wake(0.5)
    dv_dx = np.gradient(v, x, axis=1)
    du_dy = np.gradient(u, y, axis=0)
    assert abs(dv_dx - du_dy - exact).max() < 0.05
    assert v[y == 60.0, x == 0.0] < -5.0  # the air sinks between them


@pytest.mark.parametrize("southward", [20.0, -20.0])
def test_curvatures_of_a_sphere(southward):
    curvatures = load("terrain").curvatures
    radius = 1000.0
    y, x = southward * np.arange(-15.0, 16.0)[:, np.newaxis], np.arange(-300.0, 301.0, 20.0)
    r = np.hypot(y, x)
    away = r > 50
    z = np.sqrt(radius**2 - r**2)
    for sense in (1, -1):  # a dome, a bowl
        mean, plan, profile = curvatures(sense * z, southward, 20.0)
        np.testing.assert_allclose(mean * radius, sense, rtol=3e-3)
        np.testing.assert_allclose((plan * r)[away], sense, rtol=3e-3)
        np.testing.assert_allclose(profile[away] * radius, sense, rtol=3e-3)


def test_smoothing_keeps_the_mean_height():
    terrain = load("terrain")
    z = np.zeros((61, 81))
    z[30, 40] = 1.0
    smoothed = terrain.smooth(z, 20.0, 10.0, 50.0)
    assert abs(smoothed.sum() - 1) < 1e-12
    distance = 10.0 * (np.arange(81) - 40)
    assert abs((smoothed.sum(axis=0) * distance**2).sum() - 50.0**2) < 1.0


def test_stretched_grid_keeps_the_order():
    errors = load("boundary_layer").errors
    for kind, low, high in (("uniform", 128, 256), ("stretched", 32, 64)):
        shear = [errors(n, kind)[0] for n in (low, high)]
        second = [errors(n, kind)[1] for n in (low, high)]
        assert np.log2(shear[0] / shear[1]) > 3.5
        assert np.log2(second[0] / second[1]) > 3.5


def test_implicit_steps_are_of_second_order():
    implicit = load("implicit")
    x = implicit.model(61)[0]
    error = [abs(implicit.relax(61, 2.0, dt) - implicit.exact(x, 2.0)).max() for dt in (0.5, 0.25)]
    assert abs(np.log2(error[0] / error[1]) - 2) < 0.3
