"""The documentation is complete, and its examples are true."""

import doctest
import inspect
import pickle
import pydoc
from pathlib import Path

import pytest

import fdx

METHODS = ["__call__", *(name for name in vars(fdx.Operator) if not name.startswith("_"))]
PUBLIC = [*fdx.__all__, *(f"Operator.{name}" for name in METHODS)]
PUBLIC += [f"Block.{name}" for name in vars(fdx.Block) if not name.startswith("_")]


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


@pytest.mark.parametrize("name", fdx.__all__)
def test_what_is_public_says_so(name):
    found = find(name)
    assert found.__module__ == "fdx"
    assert found.__qualname__ == name
    assert pickle.loads(pickle.dumps(found)) is found
    page = pydoc.plain(pydoc.render_doc(found))
    assert " in module fdx\n" in page
    assert inspect.getdoc(found).splitlines()[0] in page
    for function in vars(found).values() if inspect.isclass(found) else [found]:
        if inspect.isfunction(function) and "<" not in function.__code__.co_filename:
            assert f"def {function.__name__}(" in inspect.getsource(function)


def test_compiled_functions_show_their_signatures():
    arguments = "(f, *varargs, axis=None, edge_order=1, out=None, workers=None)"
    assert str(inspect.signature(fdx.gradient)) == arguments
    text = "(u, *, out=None, workers=None, alpha=1, beta=0)"
    assert str(inspect.signature(fdx.Identity().__call__)) == text
