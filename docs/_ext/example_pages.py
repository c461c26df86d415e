"""A page for each example: its docstring, its output, its picture and its source.

The examples are run for it, each as users run them. (A gallery extension would need them to be
written as cells.)
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
EXAMPLES = DOCS.parent / "examples"


def write(path, *parts):
    text = "\n\n".join(parts)
    if not path.exists() or path.read_text() != text:  # so that unchanged pages are not rebuilt
        path.write_text(text)


def make_pages(app):
    gallery, codes = DOCS / "examples", DOCS / "examples" / "codes"
    codes.mkdir(parents=True, exist_ok=True)
    for script in sorted(EXAMPLES.glob("*.py")):
        picture = f"{script.stem}.png"
        command = [sys.executable, script, gallery / picture]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        module = ast.parse(script.read_text())
        write(
            gallery / f"{script.stem}.md",
            f"# {script.stem.replace('_', ' ').capitalize()}",
            re.sub(r"`(fdx\.\w+)`", r"{py:obj}`\1`", ast.get_docstring(module)),
            f"It prints\n\n```text\n{printed}```\n\nand draws\n\n![]({picture})",
            f"## {script.name}",
            f"```{{literalinclude}} ../../examples/{script.name}\n"
            f":lines: {module.body[1].lineno}-\n```\n",
        )
    for code in sorted((EXAMPLES / "codes").iterdir()):
        if code.suffix in (".c", ".cpp", ".f90", ".py"):
            include = f"```{{literalinclude}} ../../../examples/codes/{code.name}\n```\n"
            write(codes / f"{code.stem}_{code.suffix[1:]}.md", f"# {code.name}", include)


def setup(app):
    app.connect("builder-inited", make_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
