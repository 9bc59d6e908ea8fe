"""Lines of a CSV file: whether every one has the fields of the header, told from its bytes in one look.

May import: numpy, the standard library, `etamu._base`.
Read next: `etamu.data.files`, which reads the fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BYTES = 1 << 20
"""Bytes of a file looked at together."""

LONGEST = 64 * BYTES
"""Bytes of one line beyond which nobody looks on."""

_QUOTE, _END, _RETURN = b'"'[0], b"\n"[0], b"\r"[0]


def blank_lines(path: Path, width: int, separator: str) -> NDArray[np.bool_] | None:
    r"""Tell for every line below the header whether it is blank; None where one has more or fewer fields.

    Lines that end inside quotes go on; None as well where a line ends as no reader but Python's expects.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
    ...     _ = file.write('a,b\n1,"x,\ny"\n\n3,z')
    ...     file.flush()
    ...     blank_lines(Path(file.name), 2, ","), blank_lines(Path(file.name), 3, ",")
    (array([False,  True, False]), None)
    """
    found: list[NDArray[np.bool_]] = []
    fields = length = inside = 0
    for piece in _whole_lines(path):
        if piece.count(b"\r") != piece.count(b"\r\n") or not piece.endswith(b"\n"):
            return None
        data = np.frombuffer(piece, dtype=np.uint8)
        ends, separators, inside_after = _marks(data, separator, inside)
        marks = np.flatnonzero(ends | separators)
        last = np.flatnonzero(ends[marks])
        if not len(last):
            fields, length, inside = fields + len(marks), length + len(data), inside_after
            continue
        counts, places = np.diff(last, prepend=-1), marks[last]
        lengths = np.diff(places, prepend=-1) - 1
        counts[0] += fields
        lengths[0] += length
        blank = (counts == 1) & ((lengths == 0) | ((lengths == 1) & (data[places - 1] == _RETURN)))
        if np.any((counts != width) & ~blank):
            return None
        found.append(blank)
        fields, length, inside = len(marks) - 1 - int(last[-1]), len(data) - 1 - int(places[-1]), inside_after
    return None if inside or fields or length or not found else np.concatenate(found)[1:]


def _marks(
    data: NDArray[np.uint8], separator: str, inside: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], int]:
    """Find ends of lines and separators outside quotes, and tell whether the bytes end inside some."""
    ends, separators, quotes = data == _END, data == ord(separator), data == _QUOTE
    if not inside and not quotes.any():
        return ends, separators, 0
    parity = (np.cumsum(quotes) + inside) & 1
    outside = parity == 0
    return ends & outside, separators & outside, int(parity[-1])


def _whole_lines(path: Path) -> Iterator[bytes]:
    """Read a file piece by piece, each to the end of a line; the last gets the end it may lack.

    A line that is too long is the last piece, without an end.
    """
    rest = b""
    with path.open("rb") as stream:
        while block := stream.read(BYTES):
            rest += block
            cut = rest.rfind(b"\n") + 1
            if cut:
                yield rest[:cut]
                rest = rest[cut:]
            elif len(rest) > LONGEST:
                yield rest
                return
    if rest:
        yield rest + b"\n"
