"""Text on a page: wrapped into lines, or into HTML, without the slow tables of the library's `html`.

May import: the standard library.
Read next: `etamu.fit.summary`, which writes HTML.
"""

from __future__ import annotations

import textwrap

WIDTH = 88
"""Columns of a printed page."""

GLUE = "\0"
"""Stands for a space at which no line breaks."""

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


def escape(text: str) -> str:
    """Write the characters that HTML gives a meaning so that they stand for themselves.

    Examples
    --------
    >>> escape("a < 'b' & c")
    'a &lt; &#x27;b&#x27; &amp; c'
    """
    return text.translate(_ESCAPES)


def wrap(text: str, width: int = WIDTH, indent: str = "  ") -> list[str]:
    """Wrap a text at its spaces, never inside a word; GLUE stands for a space that must not break."""
    if 0 < len(text) <= width and text.isascii() and text.isprintable() and text.strip() == text:
        return [text]
    lines = textwrap.wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(GLUE, " ") for line in lines]
