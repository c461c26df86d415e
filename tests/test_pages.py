"""The pages' Python code runs, prints what they say, and their links lead to files that exist.

A page's blocks of Python run in order, in one namespace, in an empty folder: `python` blocks as
code, `pycon` blocks as doctests. `PRELUDE` has the definitions that a page assumes. A comment
`<!-- needs: MODULE -->` before a block names an optional module: without it, the block and those
after it are skipped.
"""

import doctest
import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

import fdx

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "csrc/*.md", "examples/**/*.md", "docs/*.md", "docs/*/*.md")
    for path in ROOT.glob(pattern)
    if not path.is_relative_to(ROOT / "docs" / "examples")  # made by Sphinx
    and "_build" not in path.parts
)
BLOCK = re.compile(
    r"^(?:<!-- needs: (?P<needs>\S+) -->\n)?```(?P<kind>python|pycon)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\]\((?![a-z]+:)([^)\s]+)\)")
PRELUDE = {
    "README.md": """
import numpy as np
dx, dy, dt, k = 0.5, 0.25, 0.001, 1.0
x = np.linspace(0.0, 1.0, 20)
elevation = u = np.random.default_rng(0).random((20, 20))
du, v = np.zeros_like(u), np.zeros_like(u)
"""
}
DIRECTIVE = re.compile(r"^ *(?:`{3,}|:{3,})\{|\{[a-z:]+\}`", re.MULTILINE)
PLACES = {path: (ROOT / path).read_text(encoding="utf-8") for path in PAGES}


def blocks(page):
    """Number of the first line, what is needed, kind and code of each block."""
    for match in BLOCK.finditer(PLACES[page]):
        line = PLACES[page].count("\n", 0, match.start("code"))
        yield line, match["needs"], match["kind"], match["code"]


def anchors(text):
    """The anchors of a page, as viewers of Markdown name them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_there(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of a package that is not there
        return False


@pytest.fixture
def unpatched():
    """Remove the patches of a page."""
    yield
    fdx.unpatch_numpy()


@pytest.mark.usefixtures("unpatched")
@pytest.mark.parametrize("page", [page for page in PAGES if any(blocks(page))])
def test_code(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    exec(PRELUDE.get(page, ""), names)
    for line, needs, kind, code in blocks(page):
        if needs and not is_there(needs):
            pytest.skip(f"{needs} is not installed")
        if kind == "python":
            # After as many empty lines, errors name the line of the page.
            exec(compile("\n" * line + code, page, "exec"), names)
        else:
            test = doctest.DocTestParser().get_doctest(code, {}, page, page, line)
            test.globs = names
            complaints = []
            doctest.DocTestRunner().run(test, out=complaints.append, clear_globs=False)
            assert not complaints, "".join(complaints)


@pytest.mark.parametrize("page", PAGES)
def test_links(page):
    for target in LINK.findall(PLACES[page]):
        path, _, anchor = target.partition("#")
        file = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_plain_markdown(page):
    """The pages are readable in the repository: they have no directives of Sphinx."""
    assert DIRECTIVE.findall(PLACES[page]) == []


def test_api_has_all_names():
    page = PLACES["docs/api/python.md"]
    listed = re.findall(r"^- `fdx\.(\w+)`: ", page, re.MULTILINE)
    assert sorted(listed) == sorted(fdx.__all__)


def test_the_two_commands():
    """The first installs all that the second needs; .ci/run runs both."""
    section = PLACES["README.md"].partition("## Two commands\n")[2].partition("\n## ")[0]
    commands = re.findall(r"^```sh\n(.*?)\n```$", section, re.MULTILINE | re.DOTALL)
    assert len(commands) == 2
    assert "\n" not in "".join(commands)
    extra = re.fullmatch(r'python -m pip install "\.\[(\w+)\]" && python -m fdx demo', commands[0])
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert set(extras["demo"]) <= set(extras[extra[1]])
    assert any(requirement.startswith("pytest>") for requirement in extras[extra[1]])
    assert commands[1] == "python -m pytest"


def test_the_table_of_functions_is_true():
    """Its examples run, and its names exist."""
    names = {"fdx": fdx}
    exec(PRELUDE["README.md"], names)
    exec("f = c = u; L = fdx.Diff(0, dy) ** 2 + fdx.Diff(1, dx) ** 2", names)
    table = re.search(r"^\| name \|.*\n.*\n((?:\|.*\n)+)", PLACES["README.md"], re.MULTILINE)
    listed = set()
    for row in table[1].splitlines():
        name, _, example = row.strip("| ").split(" | ")
        exec(example.strip("`"), dict(names))
        listed |= set(re.findall(r"`(\w+)`", name))
    assert listed <= set(fdx.__all__)
