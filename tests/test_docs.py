"""The examples in the documentation are true."""

import doctest

import pytest

import fdx


@pytest.mark.parametrize("name", fdx.__all__)
def test_examples(name):
    tests = doctest.DocTestFinder().find(getattr(fdx, name), name, globs={})
    runner = doctest.DocTestRunner()
    for test in tests:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
    assert any(test.examples for test in tests), "public functions have examples"
