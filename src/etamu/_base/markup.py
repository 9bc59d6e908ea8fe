"""Text into HTML, without the tables of the standard library's `html`, which take longer to load.

May import: nothing.
Read next: `etamu.fit.summary`, which writes HTML.
"""

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


def escape(text: str) -> str:
    """Write the characters that HTML gives a meaning so that they stand for themselves.

    Examples
    --------
    >>> escape("a < 'b' & c")
    'a &lt; &#x27;b&#x27; &amp; c'
    """
    return text.translate(_ESCAPES)
