"""Sphinx's configuration: `sphinx-build -W --keep-going -b html docs docs/_build/html`."""

import sys
from pathlib import Path

import fdx

sys.path.insert(0, str(Path(__file__).resolve().parent / "_ext"))

project = "fdx"
author = "The fdx developers"
copyright = author
version = release = fdx.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "example_pages",  # these are in _ext/
    "mathml",
    "repository_links",
    "site_pages",
]
exclude_patterns = ["_build", "api/generated/names.rst"]
templates_path = ["_templates"]
myst_heading_anchors = 3

# ---- the API, from docstrings ----

default_role = "autolink"
autosummary_generate = ["api/generated/names.rst"]
autodoc_typehints = "none"  # docstrings say it in words
numpydoc_show_class_members = False
nitpicky = True
# There is no inventory of other projects' documentation.
nitpick_ignore_regex = [(r"py:.*", r"(contextvars|matplotlib|numba|numpy|scipy)(\..*)?")]

# ---- appearance ----

html_theme = "pydata_sphinx_theme"
html_title = "fdx"
html_static_path = ["_static"]
html_css_files = ["fdx.css"]
html_show_sourcelink = False
html_copy_source = False
html_math_renderer = "mathml"
html_theme_options = {
    "header_links_before_dropdown": 8,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {
    page: [] for page in ("index", "adopt", "accuracy", "schemes", "steps", "performance", "api/c")
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
