"""Additions to pages on the site: menus, included files, the header, and the API's docstrings.

So the repository's Markdown has no directives, and can be read in the repository.
"""

import re
from pathlib import Path

import fdx

DOCS = Path(__file__).resolve().parents[1]
NAMES = Path("api", "generated", "names.rst")  # for autosummary, which reads files

MENUS = {
    "index": """
One line <adopt>
Coming from <from/index>
Accuracy <accuracy>
Schemes <schemes>
Time steps <steps>
Recipes <recipes>
Cost <performance>
Examples <examples>
API <api/python>
C core <c-core>
Promises <how>
""",
    "how": "\nArchitecture <architecture>\n",
    "from/index": """
NumPy <numpy>
findiff <findiff>
MATLAB <matlab>
PyTorch <torch>
xarray <xarray>
""",
    "c-core": "\nSimulation codes <codes>\nfdx.h <api/c>\n",
    "codes": ":glob:\n\nexamples/codes/*\n",
    "examples": ":glob:\n\nexamples/*\n",
}

# Pages that include another file of the repository.
INCLUDED = {
    "c-core": "../csrc/README.md",
    "codes": "../examples/codes/README.md",
    "examples": "../examples/README.md",
}

HEADER = {  # the sections of api/c, and the lines of fdx.h with which they begin
    "Version and statuses": "#define FDX_VERSION",
    "Arrays and instruction sets": "/* ---- arrays and instruction sets",
    "Operators: description": "/* ---- operators: description",
    "Operators: compilation": "/* ---- operators: compilation",
    "Operators: application": "/* ---- operators: application",
    "np.gradient": "/* ---- np.gradient",
    "Weights": "/* ---- weights",
    "Bands": "/* ---- bands",
    "Compiled operators": "/* ---- compiled operators",
}
HEADER_END = "#ifdef __cplusplus"

LISTED = re.compile(r"(?:^- `fdx\.\w+`.*\n(?:  .*\n)*)+", re.MULTILINE)
NAME = re.compile(r"(?<!\[)`(fdx\.\w+)`")


def header():
    """The contract, which is the header's first comment, and its declarations."""
    parts = [
        '```{include} ../../csrc/fdx.h\n:start-after: "N-dimensional arrays."\n:end-before: "*/"\n'
    ]
    for (title, start), end in zip(HEADER.items(), [*HEADER.values(), HEADER_END][1:], strict=True):
        option = "start-after" if start.startswith("/*") else "start-at"
        parts.append(
            f"## {title}\n\n```{{literalinclude}} ../../csrc/fdx.h\n:language: c\n"
            f':{option}: "{start}"\n:end-before: "{end}"\n'
        )
    return "\n\n" + "```\n\n".join(parts) + "```\n"


def summaries(match, toctree="generated"):
    """A list of names as reStructuredText's table of their docstrings' first lines."""
    names = re.findall(r"^- `fdx\.(\w+)`", match[0], re.MULTILINE)
    lines = "".join(f"   {name}\n" for name in names)
    return f".. currentmodule:: fdx\n\n.. autosummary::\n   :toctree: {toctree}\n\n{lines}\n"


def write_names(app):
    page = (DOCS / "api" / "python.md").read_text()
    path = DOCS / NAMES
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(summaries(match, ".") for match in LISTED.finditer(page)))


def on_source_read(app, docname, source):
    text = source[0]
    if docname in INCLUDED:
        text = f"```{{include}} {INCLUDED[docname]}\n```\n"
    elif docname == "api/c":
        text += header()
    elif docname == "api/python":
        text = LISTED.sub(lambda match: f"```{{eval-rst}}\n{summaries(match)}```\n", text)
    elif not docname.startswith("api/"):
        parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
        parts[::2] = [NAME.sub(linked, part) for part in parts[::2]]
        text = "".join(parts)
    if docname in MENUS:
        text += f"\n\n```{{toctree}}\n:hidden:\n{MENUS[docname]}```\n"
    source[0] = text


def linked(match):
    public = match[1].removeprefix("fdx.") in fdx.__all__
    return f"{{py:obj}}`{match[1]}`" if public else match[0]


def setup(app):
    app.connect("builder-inited", write_names, priority=400)  # before autosummary
    app.connect("source-read", on_source_read, priority=400)  # before its links are redirected
    return {"parallel_read_safe": True, "parallel_write_safe": True}
