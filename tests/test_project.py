"""Files agree in what they say about the project, and what they name exists."""

import ast
import re
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import fdx

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# The repositories of pre-commit's hooks that are named otherwise than their packages.
PACKAGES = {
    "cookie": "sp-repo-review",
    "mirrors-clang-format": "clang-format",
    "mirrors-mypy": "mypy",
    "ruff-pre-commit": "ruff",
    "zizmor-pre-commit": "zizmor",
}


def find(pattern, name):
    (found,) = re.findall(pattern, (ROOT / name).read_text(), re.MULTILINE)
    return found


def test_versions_are_in_step():
    said = {
        "meson.build": find(r"^  version: '(.*)'", "meson.build"),
        "csrc/fdx.h": find(r'^#define FDX_VERSION "(.*)"', "csrc/fdx.h"),
        "CITATION.cff": find(r"^version: (.*)", "CITATION.cff"),
        "CHANGELOG.md": re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)[0],
        "fdx.__version__": fdx.__version__,
    }
    assert len(set(said.values())) == 1, said


def test_linters_are_of_the_same_versions_everywhere():
    pins = dict(re.findall(r"([\w-]+)(?:\[\w+\])?==([\w.]+)", str(PYPROJECT["dependency-groups"])))
    config = (ROOT / ".pre-commit-config.yaml").read_text()
    hooks = dict(re.findall(r"repo: https://github.com/\S+/(\S+)\n +rev: v?(\S+)", config))
    hooks = {
        PACKAGES.get(name, name): re.sub(r"\.0(?=\d)", ".", version)  # PyPI makes .08 to .8
        for name, version in hooks.items()
    }
    hooks |= dict(re.findall(r"([\w-]+)\[\w+\]==([\w.]+)", config))
    assert hooks.pop("pre-commit-hooks")  # of no use without pre-commit
    assert hooks == pins


def test_developers_have_what_the_tests_need():
    assert (
        PYPROJECT["dependency-groups"]["test"]
        == PYPROJECT["project"]["optional-dependencies"]["test"]
    )


def test_changelog_fragments_are_well_formed():
    types = "|".join(PYPROJECT["tool"]["towncrier"]["fragment"])
    for fragment in (ROOT / "changelog.d").iterdir():
        if fragment.name != "README.md":
            assert re.fullmatch(rf"(\d+|\+[\w-]+)\.({types})\.md", fragment.name)
            assert re.fullmatch(r"[A-Z`].*\.\n", fragment.read_text(), re.DOTALL), fragment.name


# From the lowest on: what is in one imports nothing of those above it.
LAYERS = ["_common", "_core", "_arguments", "_operators", "_functions", "_patch", "_cli"]


def imports():
    """What each module of fdx imports of fdx, also within functions and for type checkers only. The
    compiled module's imports are those of its source."""
    source = ROOT / "src/fdx"
    texts = {path: path.read_text() for path in sorted(source.rglob("*.py"))}
    compiled = [source / "_core.pyx", *sorted((source / "_core").glob("*"))]
    lines = [line for path in compiled for line in path.read_text().splitlines()]
    texts[source / "_core.py"] = "\n".join(line for line in lines if line.startswith("from fdx._"))
    names = {
        path: ".".join(path.relative_to(source.parent).with_suffix("").parts) for path in texts
    }
    names = {path: name.removesuffix(".__init__") for path, name in names.items()}
    found = {}
    for path, text in texts.items():
        found[names[path]] = set()
        for node in ast.walk(ast.parse(text)):
            wanted = []
            if isinstance(node, ast.Import):
                wanted = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: {ast.unparse(node)}"
                submodules = [f"{node.module}.{alias.name}" for alias in node.names]
                wanted = [name if name in names.values() else node.module for name in submodules]
            found[names[path]] |= set(wanted) & set(names.values())
    return found


def test_imports_have_no_circle():
    graph = imports()
    assert graph["fdx._core"], "it is not read as it should be"
    assert list(TopologicalSorter(graph).static_order())  # a CycleError names the circle
    for module, wanted in graph.items():
        package = module.split(".")[1] if "." in module else ""
        if package in LAYERS:
            for other in wanted - {"fdx"} if package == "_cli" else wanted:
                assert LAYERS.index(other.split(".")[1]) <= LAYERS.index(package), (module, other)


def names_in(page, begin, end):
    """Pairs of a file and an identifier in it, or "". Files precede their identifiers."""
    text = (ROOT / page).read_text()
    section = text[text.index(begin) : text.index(end)]
    for item in re.split(r"\n(?=- |\*\*|\d+\. )", section):
        file = "nothing"
        for name in re.findall(r"`([^`\s]+)`", item):
            if "NAME" in name or name.startswith("fdx."):  # a file to be made; what users call it
                continue
            if re.fullmatch(r"\w+", name):
                yield file, name
            else:
                file = name
                yield file, ""


@pytest.mark.parametrize(
    ("page", "begin", "end"),
    [
        ("CONTRIBUTING.md", "## Where things go", "## Releases"),
        ("docs/architecture.md", "1. `src/fdx", "## np.gradient's"),
    ],
)
def test_what_pages_name_is_there(page, begin, end):
    names = list(names_in(page, begin, end))
    assert len(names) > 40, "it is not read as it should be"
    for file, name in names:
        assert (ROOT / file).exists(), f"{file} {name}"
        if name:
            assert re.search(rf"\b{name}\b", (ROOT / file).read_text()), f"{name} in {file}"
