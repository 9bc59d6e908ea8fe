"""How Sphinx builds these pages: `make docs` runs every example, draws every figure, and builds.

May import: etamu, sphinx, the scripts beside this file.
Read next: `docs/figures/draw.py` and `docs/extensions/`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "extensions"), str(HERE / "figures")]

import draw  # noqa: E402  the path is set above

import etamu  # noqa: E402

project = "etamu"
author = "The etamu developers"
project_copyright = "The etamu developers, BSD-3-Clause"
version = release = etamu.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml", "rooms"]
exclude_patterns: list[str] = []
nitpicky = False

html_theme = "furo"
html_title = "etamu"
html_static_path = ["_static"]
html_css_files = ["etamu.css"]
html_math_renderer = "mathml"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
pygments_style = "tango"

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_class_signature = "mixed"
napoleon_google_docstring = False
napoleon_use_rtype = False
add_module_names = False
trim_doctest_flags = True


def plain(line: str) -> str:
    """Escape what is a formula or a name in our docstrings and markup in reStructuredText: |x| and coef_."""
    if line.lstrip().startswith((">>>", "..", ":")):
        return line
    return re.sub(r"(?<![`\w])(\w+)_(?![\w`])", r"\1\\_", line.replace("|", "\\|"))


def escape(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Escape a docstring, line by line."""
    lines[:] = map(plain, lines)


def setup(app: Sphinx) -> None:
    """Draw the figures before the first page is read."""
    app.connect("builder-inited", lambda _: draw.everything(HERE / "_static" / "figures"))
    app.connect("autodoc-process-docstring", escape)
