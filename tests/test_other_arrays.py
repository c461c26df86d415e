"""The rule of test_arguments.py with other packages, as far as they are installed; the group
`arrays` in pyproject.toml lists them."""

import operator
import re

import numpy as np
import pytest

import fdx

X = np.array([0.0, 1.0, 2.5, 4.0, 6.0, 7.0, 9.0, 12.0])
D = fdx.Diff(0)
CALLS = {
    "f": lambda a: fdx.derivative(a),
    "u": lambda a: D(a),
    "F[1]": lambda a: fdx.jacobian([X, a]),
    "spacing": lambda a: fdx.derivative(X, a),
    "spacing[0]": lambda a: fdx.laplacian(np.outer(X, X), a, 1.0),
    "nodes": lambda a: fdx.weights(a),
    "at": lambda a: fdx.weights(X, a),
    "k": lambda a: D.symbol(a),
    "coefficients": lambda a: fdx.Identity().__rmul__(a),
}


def xarray():
    xr = pytest.importorskip("xarray")
    yield xr.DataArray(X, dims="x"), "{}.values"
    yield xr.Variable("x", X), "{}.values"


def pandas():
    pd = pytest.importorskip("pandas")
    yield pd.Series(X), "{}.to_numpy()"
    yield pd.Index(X), "{}.to_numpy()"
    yield pd.array(X, dtype="Float64"), "{}.to_numpy(float, na_value=numpy.nan)"


def polars():
    yield pytest.importorskip("polars").Series(X), "{}.to_numpy()"


def dask():
    yield pytest.importorskip("dask.array").from_array(X), "{}.compute()"


def pint():
    yield X * pytest.importorskip("pint").UnitRegistry().km, "{}.m_as('kilometer')"


def astropy():
    yield X * pytest.importorskip("astropy.units").km, "{}.to_value('km')"


def unyt():
    yield X * pytest.importorskip("unyt").km, "{}.to_value('km')"


def torch():
    yield pytest.importorskip("torch").tensor(X), "{}.detach().cpu().numpy()"


def jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    yield jax.numpy.asarray(X), "numpy.asarray({})"


PACKAGES = (xarray, pandas, polars, dask, pint, astropy, unyt, torch, jax)
packages = pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)


def advice(message, name):
    found = re.search(rf"^{re.escape(name)}: expected .*, got .*; pass (.*)$", message)
    assert found, message
    return found[1]


def refused(call, value, name, expected):
    with pytest.raises(TypeError) as caught:
        call(value)
    assert advice(str(caught.value), name) == expected.format(name)


@packages
@pytest.mark.parametrize("name", CALLS)
def test_no_argument_loses_what_it_means_and_the_advice_works(package, name):
    for value, expected in package():
        refused(CALLS[name], value, name, expected)
        plain = eval(expected.format("value"), {"value": value, "numpy": np})
        assert type(plain) is np.ndarray
        assert plain.tolist() == X.tolist()
        CALLS[name](plain)


NUMBERS = {
    "spacing": [lambda h: fdx.derivative(X, h), lambda h: fdx.Diff(0, h)],
    "spacing[0]": [lambda h: fdx.derivative(X, [h, *X[1:]])],
    "spacing[1]": [lambda h: fdx.laplacian(np.outer(X, X), 1.0, h)],
    "period": [lambda h: fdx.Diff(0, X, boundary="periodic", period=h)],
    "coefficients": [lambda h: D * h, lambda h: D / h],
    "at": [lambda h: fdx.weights(X, h)],
    "k": [D.symbol],
}


@pytest.mark.parametrize("package", [pint, astropy, unyt], ids=lambda package: package.__name__)
def test_numbers_with_units(package):
    for value, expected in package():
        for name, calls in NUMBERS.items():
            for call in calls:
                refused(call, value[3], name, expected)


def between(value, op, at_the_left):
    """An error, or the result of an operator and something else."""
    return op(value, D) if at_the_left else op(D, value)


@packages
def test_operators_between(package):
    ours = r"coefficients: expected|got an operator; write|expected an operator"
    for value, _ in package():
        for op in (operator.mul, operator.add, operator.sub, operator.truediv, operator.matmul):
            for at_the_left in (False, True):
                if package is pint and op is operator.mul and at_the_left:
                    # Its number is multiplied, and then has the unit: nothing is lost.
                    assert str(between(value, op, at_the_left).units) == "kilometer"
                    continue
                with pytest.raises((TypeError, ValueError)) as caught:
                    between(value, op, at_the_left)
                if op is operator.mul and package is not polars:
                    assert re.search(ours, str(caught.value))


def test_sparse_matrices():
    sparse = pytest.importorskip("scipy.sparse")
    for kind in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array, sparse.dia_array):
        value = kind(np.eye(8))
        for name, call in CALLS.items():
            refused(call, value, name, "{}.toarray()")
        for op in (operator.mul, operator.matmul, operator.truediv):
            for at_the_left in (False, True):
                ours = r"coefficients: expected|got an operator; write|expected an operator"
                with pytest.raises(TypeError, match=ours):
                    between(value, op, at_the_left)


def test_values_of_a_file(tmp_path):
    netcdf = pytest.importorskip("netCDF4")
    with netcdf.Dataset(tmp_path / "data.nc", "w") as data:
        data.createDimension("x", 8)
        t = data.createVariable("t", "f8", "x")
        x = data.createVariable("x", "f8", "x")
        t[:], x[:] = 25 * X, X
        assert type(t[:]) is np.ma.MaskedArray
        expected = [25.0] * 8
        for f, at in ((t, x), (t[:], x[:]), (t[:], X)):
            np.testing.assert_allclose(fdx.derivative(f, at), expected, rtol=1e-14)
            np.testing.assert_allclose(fdx.Diff(0, at)(f), expected, rtol=1e-14)
            np.testing.assert_allclose(fdx.jacobian([f, f], at)[1, 0], expected, rtol=1e-14)
        t[3] = np.ma.masked
        for f in (t, t[:]):
            for call, name in (
                (fdx.derivative, "f"),
                (D, "u"),
                (lambda f: fdx.jacobian([X, f]), "F[1]"),
                (lambda f: fdx.derivative(X, f), "spacing"),
                (fdx.weights, "nodes"),
                (lambda f: fdx.Identity().__rmul__(f), "coefficients"),
            ):
                with pytest.raises(TypeError) as caught:
                    call(f)
                assert str(caught.value).startswith(f"{name}: expected ")
                assert "a masked array, 1 of 8 masked" in str(caught.value)
        with pytest.raises(TypeError, match=r"pass numpy\.asanyarray\(f\)\.filled\(numpy\.nan\)"):
            fdx.derivative(t)
        assert np.isnan(fdx.derivative(np.asanyarray(t).filled(np.nan))[[2, 4]]).all()


def test_arrays_in_files_are_read(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "data.h5", "w") as data:
        data["x"] = X
        np.testing.assert_allclose(fdx.derivative(data["x"], data["x"]), 1, rtol=1e-15)


def test_what_is_no_array_but_has_some():
    """Data sets have arrays by name, and units are not arrays."""
    xr, units = pytest.importorskip("xarray"), pytest.importorskip("astropy.units")
    data = xr.Dataset({"T": ("x", X)})
    for given in (data, {"T": X}):
        with pytest.raises(TypeError, match=re.escape("pass one of them, as f['T']")):
            fdx.derivative(given)
    with pytest.raises(TypeError, match=r"would lose its labels; pass f\.values"):
        fdx.derivative(data["T"])
    for unit in (units.m, units.m / units.s):
        with pytest.raises(TypeError, match="lose its unit; pass a number"):
            unit * D


def test_missing_values_become_nan():
    pd = pytest.importorskip("pandas")
    given = pd.Series([1, 2, None, 4, 8, 16], dtype="Int64")
    with pytest.raises(TypeError, match=r"missing values; pass f\.to_numpy\(float, na_value="):
        fdx.derivative(given)
    got = fdx.derivative(given.to_numpy(float, na_value=np.nan), boundary="valid")
    np.testing.assert_array_equal(got, [np.nan, 1, np.nan, 6])


def test_times_with_a_zone():
    pd = pytest.importorskip("pandas")
    times = pd.DatetimeIndex(["2026-01-01", "2026-01-02", "2026-01-04"], tz="UTC")
    with pytest.raises(TypeError, match=r"spacing\.to_numpy"):
        fdx.derivative(X[:3], times)
    spacing = times.to_numpy()
    with pytest.raises(TypeError) as error:
        fdx.derivative(X[:3], spacing)
    advice = str(error.value).partition("write ")[2].partition(" for seconds")[0]
    with pytest.warns(UserWarning, match="timezones"):
        seconds = eval(advice, {"numpy": np, "spacing": spacing})
    np.testing.assert_array_equal(seconds, [0, 86400, 3 * 86400])
