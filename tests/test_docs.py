"""The documentation is complete, and its examples are true."""

import doctest
import importlib.metadata
import inspect
from pathlib import Path

import pytest

import fdx

CLASSES = [name for name in fdx.__all__ if isinstance(getattr(fdx, name), type)]
MEMBERS = [
    f"{name}.{member}"
    for name in CLASSES
    for member in vars(getattr(fdx, name))
    if not member.startswith("_")
]
PUBLIC = [*fdx.__all__, *MEMBERS, "Operator.__call__"]


def find(name):
    owner, _, member = name.partition(".")
    # From the class's own namespace, where a property is one.
    return inspect.getattr_static(getattr(fdx, owner), member) if member else getattr(fdx, owner)


@pytest.mark.parametrize("name", PUBLIC)
def test_examples(name):
    # One docstring at a time: those of members are found by their own names.
    test = doctest.DocTestParser().get_doctest(inspect.getdoc(find(name)), {}, name, None, 0)
    assert test.examples, "what is public has examples"
    assert doctest.DocTestRunner().run(test).failed == 0


def test_members_are_found():
    assert {"Operator.T", "Operator.symbol", "Operator.matrix"} <= set(MEMBERS)


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
    assert str(inspect.signature(fdx.weights)) == "(nodes, at=0.0, deriv=1)"
    assert str(inspect.signature(fdx.Identity().__call__)) == "(u, out=None, workers=None)"


def test_version_is_that_of_the_package():
    assert fdx.__version__ == importlib.metadata.version("fdx")
