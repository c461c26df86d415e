"""NumPy's own tests of gradient, from the installed wheel, run on fdx.gradient.

Each test also counts the calls that were left to np.gradient: those listed here and no others, so
that a call that ought to be compiled cannot quietly fall back.
"""

import numpy as np
import pytest
from numpy.lib.tests import test_function_base

import fdx
import fdx._common.fallback

# The types or dtypes that each test leaves to NumPy. Calls that raise an error are not counted.
LEFT_TO_NUMPY = {
    "test_datetime64": ["datetime64[D]"],
    "test_timedelta64": ["timedelta64[D]"],
    "test_masked": ["MaskedArray", "MaskedArray"],
    "test_inexact_dtypes": ["float16"],
}


class TestGradient(test_function_base.TestGradient):
    @pytest.fixture(autouse=True)
    def run_on_fdx(self, monkeypatch, request):
        calls, left = [], []
        fallback = fdx._common.fallback.gradient

        def counted(*args, **kwargs):
            calls.append(args)
            return fdx.gradient(*args, **kwargs)

        def spy(f, varargs, axis, edge_order, out):
            result = fallback(f, varargs, axis, edge_order, out)
            plain = type(np.asanyarray(f)) is np.ndarray
            left.append(str(np.asarray(f).dtype) if plain else type(f).__name__)
            return result

        monkeypatch.setattr(np, "gradient", counted)
        monkeypatch.setattr(test_function_base, "gradient", counted)
        monkeypatch.setattr(fdx._common.fallback, "gradient", spy)
        yield
        assert calls, "the test never called fdx.gradient"
        assert left == LEFT_TO_NUMPY.get(request.node.originalname, [])


def test_the_suite_is_whole():
    """The tests listed above exist: the entry of a renamed one would have no effect."""
    names = {name for name in dir(TestGradient) if name.startswith("test")}
    assert set(LEFT_TO_NUMPY) < names
    assert len(names) >= 16
