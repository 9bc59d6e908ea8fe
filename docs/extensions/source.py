"""What the source says of itself: the modules of a room, and its public names, each with a sentence.

May import: the standard library; never etamu, whose files are read as text.
Read next: `docs/extensions/rooms.py`, which puts this on a page.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

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
