"""Directives that read the source: `room` lists a room's modules, `names` every public name in it.

May import: docutils, sphinx, the script `source` beside this one.
Read next: `docs/house/family.rst`, which uses the first, and `docs/glossary.rst`, which uses the second.
"""

from __future__ import annotations

import ast

from docutils import nodes
from docutils.statemachine import StringList
from source import dotted, first_line, modules, names
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Room(SphinxDirective):
    """List the modules of a room, each with the sentence it opens with."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the list."""
        lines: list[str] = []
        for path in modules(self.arguments[0]):
            self.env.note_dependency(str(path))
            sentence = first_line(ast.parse(path.read_text(encoding="utf-8")))
            lines += [f"``{dotted(path)}``", f"   {sentence}", ""]
        return self.parse_text_to_nodes(StringList(lines, "rooms"))


class Names(SphinxDirective):
    """List every public name of a room."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the list."""
        lines: list[str] = []
        for found in names(self.arguments[0]):
            lines += [f"``{found.name}`` (``{found.module}``)", f"   {found.says}", ""]
        return self.parse_text_to_nodes(StringList(lines, "rooms"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("room", Room)
    app.add_directive("names", Names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
