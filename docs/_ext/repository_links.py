"""Links between files of the repository become links between pages of the site.

So Markdown files have the links that are right in the repository, where they can be read too.
"""

import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PAGES = {  # which page shows a file
    "README.md": "/index.md",
    "csrc": "/c-core.md",
    "csrc/README.md": "/c-core.md",
    "csrc/fdx.h": "/api/c.md",
    "examples": "/examples.md",
    "examples/README.md": "/examples.md",
    "examples/codes": "/codes.md",
    "examples/codes/README.md": "/codes.md",
}


def page_of(path):
    """The page of the site for a file of the repository: a page, a picture, or the file itself."""
    if path in PAGES:
        return PAGES[path]
    for pattern, page in (
        (r"examples/(\w+)\.py", r"/examples/\1.md"),
        (r"examples/codes/(\w+)\.(c|cpp|f90|py)", r"/examples/codes/\1_\2.md"),
        (r"docs/gallery/(\w+\.png)", r"/examples/\1"),
        (r"docs/(.+)", r"/\1"),
    ):
        if match := re.fullmatch(pattern, path):
            return match.expand(page)
    return posixpath.join("/..", path)


def redirected(text, folder):
    """Markdown in a folder of the repository, with its links changed to pages of the site."""

    def link(match):
        path, hash_, anchor = match[1].partition("#")
        page = page_of(posixpath.normpath(posixpath.join(folder, path)))
        return f"]({page}{hash_}{anchor})"

    return re.sub(r"\]\((?![a-z]+:|#)([^)\s]+)\)", link, text)


def on_source_read(app, docname, source):
    source[0] = redirected(source[0], posixpath.dirname(f"docs/{docname}"))


def on_include_read(app, path, docname, source):
    file = Path(app.srcdir, path).resolve().relative_to(ROOT)
    text = source[0]
    if file.suffix == ".h":  # for its comments
        text = re.sub(r"^ \*(?!/) ?", "", text, flags=re.MULTILINE)
        # The list of terms.
        text = re.sub(r"^(\w+) {2,}(?=\w)", r"- *\1*: ", text, flags=re.MULTILINE)
    source[0] = redirected(text, file.parent.as_posix())


def setup(app):
    app.connect("source-read", on_source_read)
    app.connect("include-read", on_include_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
