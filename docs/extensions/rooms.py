"""Directives that read the source: `room` lists a room's modules, `names` every public name in it.

May import: docutils, sphinx; never etamu, whose files are read as text.
Read next: `docs/house/family.rst`, which uses both.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

SOURCE = Path(__file__).parents[2] / "src" / "etamu"


class Name(NamedTuple):
    """A public name: its module, itself, and the first sentence of its docstring."""

    module: str
    name: str
    says: str


def modules(room: str) -> list[Path]:
    """List the modules of a room: the files of a folder, or the one file."""
    folder = SOURCE / room
    if not folder.is_dir():
        return [SOURCE / f"{room}.py"]
    return sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")


def dotted(path: Path) -> str:
    """Write the name by which a file is imported."""
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)


def first_line(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> str:
    """Return the first line of a docstring, safe inside reStructuredText."""
    text = (ast.get_docstring(node) or "").partition("\n")[0]
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("`", "``")


def names(room: str) -> Iterator[Name]:
    """Yield the public classes and functions that a room defines."""
    for path in modules(room):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
                yield Name(dotted(path), node.name, first_line(node))


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
