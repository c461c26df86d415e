"""The documentation is complete, and its examples are true."""

import doctest
import inspect
from pathlib import Path

import pytest

import fdx

METHODS = ["__call__", *(name for name in vars(fdx.Operator) if not name.startswith("_"))]
PUBLIC = [*fdx.__all__, *(f"Operator.{name}" for name in METHODS)]


def find(name):
    owner, _, member = name.partition(".")
    return getattr(getattr(fdx, owner), member) if member else getattr(fdx, owner)


@pytest.mark.parametrize("name", PUBLIC)
def test_examples(name):
    test = doctest.DocTestParser().get_doctest(inspect.getdoc(find(name)), {}, name, None, 0)
    assert test.examples, "what is public has examples"
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_are_complete(name):
    validate = pytest.importorskip("numpydoc.validate", reason="pip install --group lint")
    from numpydoc.hooks.validate_docstrings import parse_config

    checks = parse_config(Path(__file__).parents[1])["checks"]
    errors = validate.validate(f"fdx.{name}")["errors"]
    assert [error for error in errors if error[0] in checks] == []


def test_compiled_functions_show_their_signatures():
    arguments = "(f, *varargs, axis=None, edge_order=1, out=None, workers=None)"
    assert str(inspect.signature(fdx.gradient)) == arguments
    assert str(inspect.signature(fdx.Identity().__call__)) == "(u, *, out=None, workers=None)"
