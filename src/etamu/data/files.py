"""Tables in files: CSV by one rule whatever is installed, Parquet through PyArrow or Polars.

May import: numpy, the standard library, `etamu._base`, `etamu.data`.
Read next: `etamu.data.frame`, what comes out, and what knows the libraries.
"""

from __future__ import annotations

import contextlib
import csv
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import DataError, FileError
from etamu._base.facts import dataclass
from etamu.data.column import Column, boolean, from_values, numeric, text
from etamu.data.frame import Frame, TextTable, first_installed, read_parquet, read_text, write_parquet
from etamu.data.lines import BYTES, blank_lines

MISSING = ("", "NA", "NaN", "nan", "N/A", "null", "NULL")
"""What stands for a missing value in a CSV file."""

TRUTH = ({"true": True, "false": False}, {"True": True, "False": False}, {"TRUE": True, "FALSE": False})
"""Spellings of truth values; a column has one of them."""

ROWS = 65_536
"""Rows of a CSV file taken up at a time, and lines written at a time."""

SEPARATORS = ",;\t|"
"""What may stand between the fields of a CSV file."""

ENDINGS = {
    **dict.fromkeys((".parquet", ".pq"), "Parquet"),
    **dict.fromkeys((".csv", ".txt", ".tsv", ".dat", ""), "CSV"),
}
"""What is written under a name that ends so."""

_SIGNS = {
    b"\xff\xfe": "is UTF-16: convert it, for example with iconv -f utf-16 -t utf-8",
    b"\xfe\xff": "is UTF-16: convert it, for example with iconv -f utf-16 -t utf-8",
    b"PK\x03\x04": "is a zip archive, perhaps a spreadsheet: save it as CSV",
    b"\x1f\x8b": "is compressed: give gzip -dc's output on the standard input, with - as the file",
    **dict.fromkeys((b"{", b"[{", b"[["), "is JSON, not a table"),
    b"\xd0\xcf\x11\xe0": "is a spreadsheet: save it as CSV",
    **dict.fromkeys((b"BZh%d1AY" % level for level in range(1, 10)), "is compressed: expand it first"),
    **dict.fromkeys((b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"), "is compressed: expand it first"),
    **dict.fromkeys((b"ARROW1\0\0", b"\xff\xff\xff\xff"), "is an Arrow file (Feather): save it as Parquet"),
    **dict.fromkeys((b"<stata", b"SQLite f", b"\0\0\0\0"), "is a file of another program: save it as CSV"),
    **dict.fromkeys((b"\x80\x04", b"\x80\x05", b"\x93NUMPY"), "is a Python object: save it as CSV"),
    **dict.fromkeys(
        (b"<", b"%PDF-", b"\x89PNG", b"\x7fELF"), "is a document, a picture or a program, no table"
    ),
}


def read_file(path: str | Path) -> Frame:
    r"""Look at a table in a file, CSV or Parquet, whichever its first bytes say.

    A column of a CSV file is of numbers if every value that is present is one, read to the nearest float; of
    truth values if every one is true or false; and otherwise text, as it stands. A row has as many fields as
    the header, or is refused; a blank line between rows of several fields is none. Polars does the reading if
    it is installed and Python's own csv module if not, with the same result.

    Raises
    ------
    FileError
        If the file cannot be read, or is neither; the line is named.
    DataError
        If two columns have the same name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
    ...     _ = file.write("Solar.R,city\n0.1,Ulm\nNA,Bonn\n")
    ...     file.flush()
    ...     frame = read_file(file.name)
    >>> frame.names, len(frame), frame.column("Solar.R").values
    (('Solar.R', 'city'), 2, array([0.1, nan]))
    """
    try:
        with Path(path).open("rb") as stream:
            start = stream.read(8)
        if start[:4] == b"PAR1":
            return _parquet(str(path))
        _refuse_others(str(path), start)
        return _csv(Path(path))
    except OSError as error:
        if "://" in str(path):
            raise FileError(f"{path}: is an address, not a file: load it down first") from None
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from None


def _refuse_others(path: str, start: bytes) -> None:
    if not start:
        raise FileError(f"{path}: is empty")
    for sign, meaning in _SIGNS.items():
        if start.startswith(sign):
            raise FileError(f"{path}: {meaning}")
    if path.endswith((".parquet", ".pq")):
        raise FileError(f"{path}: is no Parquet file, whatever its name says")


def _parquet(path: str) -> Frame:
    backend = first_installed("pyarrow", "polars")
    if backend is None:
        raise FileError(f"{path}: Parquet needs PyArrow or Polars: pip install etamu[parquet]")
    try:
        return read_parquet(path, backend)
    except OSError:
        raise
    except Exception as error:
        # Each library has errors of its own for a damaged file; all of them mean this.
        raise FileError(f"{path}: cannot be read as Parquet: {' '.join(str(error).split())}") from None


def _csv(path: Path) -> Frame:
    _refuse_nul(path)
    with path.open(newline="", encoding="utf-8-sig") as stream:
        names, separator = _header(stream, path)
    table: TextTable | _Lists | None = None
    if first_installed("polars") is not None:
        # A file Polars refuses, or fills up, is read again below, for an error that names the line.
        blank = blank_lines(path, len(names), separator)
        if blank is not None:
            table = read_text(str(path), names, separator, MISSING, blank if len(names) > 1 else None)
    if table is None:
        table = _read_lists(path, names, separator)
    return Frame(names, len(table), _TextSource(table))


def _refuse_nul(path: Path) -> None:
    """Refuse a file with a NUL, which no text holds: it is damaged, or of two bytes a letter."""
    with path.open("rb") as stream:
        line = 1
        while block := stream.read(BYTES):
            if b"\0" in block:
                line += block[: block.index(b"\0")].count(b"\n")
                raise FileError(
                    f"{path}: line {line} holds a NUL byte: the file is damaged, or is UTF-16: convert it, "
                    "for example with iconv -f utf-16 -t utf-8"
                )
            line += block.count(b"\n")


def _header(stream: TextIO, path: Path) -> tuple[tuple[str, ...], str]:
    """Read the names of the columns and find out what separates them."""
    try:
        first = stream.readline()
        if not first.strip():
            raise FileError(f"{path}: line 1 is empty, where the names of the columns belong")
        separator = max(SEPARATORS, key=lambda letter: len(next(csv.reader([first], delimiter=letter))))
        stream.seek(0)
        fields = next(csv.reader(stream, delimiter=separator))
    except UnicodeDecodeError as error:
        raise _no_text(path, error) from None
    except (csv.Error, StopIteration) as error:
        raise FileError(f"{path}: line 1: {error}") from None
    names = tuple(field.strip() or f"column_{place}" for place, field in enumerate(fields, start=1))
    for place, name in enumerate(names):
        if name in names[:place]:
            raise DataError(f"{path}: two columns have the same name, {name!r}; rename one")
    return names, separator


def _no_text(path: Path, error: UnicodeDecodeError) -> FileError:
    return FileError(
        f"{path}: is no UTF-8 text ({error.reason}); convert it, for example with iconv -f latin1 -t utf-8"
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Lists:
    """Columns of text as Python's csv module reads them, None where missing."""

    columns: Mapping[str, np.ndarray[Any, Any]]
    length: int

    def __len__(self) -> int:
        return self.length

    def texts(self, name: str) -> Sequence[str | None]:
        """Return a column as it stands."""
        return list(self.columns[name])

    def numbers(self, name: str) -> Column | None:
        """Return nothing: no library has converted any."""
        return None


def _read_lists(path: Path, names: tuple[str, ...], separator: str) -> _Lists:
    pieces: dict[str, list[np.ndarray[Any, Any]]] = {name: [] for name in names}
    length = 0
    with path.open(newline="", encoding="utf-8-sig") as stream:
        rows = _rows(csv.reader(stream, delimiter=separator, strict=True), len(names), path)
        while block := list(islice(rows, ROWS)):
            length += len(block)
            for name, values in zip(names, zip(*block, strict=True), strict=True):
                pieces[name].append(np.array(values, dtype=object))
    empty = np.zeros(0, dtype=object)
    return _Lists({name: np.concatenate([empty, *found]) for name, found in pieces.items()}, length)


_LONG = "put text that holds the separator in quotes, and give every column a name in line 1"
_SHORT = "a field that is missing keeps its separator, as in 1,,3; correct the line"


def _rows(reader: Any, width: int, path: Path) -> Iterator[list[str | None]]:
    """Go through the rows below the header, missing values as None, without blank lines."""
    missing = frozenset(MISSING)
    try:
        next(reader)
        for row in reader:
            if width > 1 and len(row) <= 1 and not "".join(row).strip():
                continue
            if len(row) != max(width, 1) and row:
                remedy = _LONG if len(row) > width else _SHORT
                fields = f"{len(row)} field{'s' if len(row) != 1 else ''}"
                raise FileError(
                    f"{path}: line {reader.line_num} has {fields} and the header {width}: {remedy}"
                )
            yield [None if value in missing else value for value in row or [""]]
    except csv.Error as error:
        raise FileError(f"{path}: line {reader.line_num}: {error}") from None
    except UnicodeDecodeError as error:
        raise _no_text(path, error) from None


@dataclass(frozen=True, slots=True, eq=False)
class _TextSource:
    """Columns of text, of which those of numbers become numbers when they are asked for."""

    texts: TextTable | _Lists

    def column(self, name: str) -> Column:
        """Read one column."""
        return self.texts.numbers(name) or from_texts(name, self.texts.texts(name))

    def table(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """Make a table: a dict of arrays."""
        return dict(arrays)

    def labels(self, rows: NDArray[np.intp]) -> None:
        """Say that rows of a file have positions only."""

    @property
    def index(self) -> None:
        """Say the same to those who ask for an index."""


def from_texts(name: str, values: Sequence[str | None]) -> Column:
    """Make a column of texts: numbers if all are, truth values if all are, else text.

    Examples
    --------
    >>> from_texts("x", ["1", None, "3"]).integer, from_texts("x", ["1e3", "inf"]).values
    (True, array([1000.,   inf]))
    >>> from_texts("x", ["007", "1_0"]).kind, from_texts("x", ["TRUE", None]).kind
    ('text', 'boolean')
    """
    null = np.fromiter((value is None for value in values), dtype=bool, count=len(values))
    present = [value for value in values if value is not None]
    found = _numbers(present)
    if found is not None and found.dtype.kind == "O":
        return from_values(name, [None if value is None else int(value) for value in values])
    if found is not None:
        whole = found.dtype.kind == "i"
        if not null.any():
            return numeric(name, found, integer=whole)
        out = np.full(len(values), math.nan)
        out[~null] = found
        return numeric(name, out, null, integer=whole)
    for spelling in TRUTH:
        if present and all(value in spelling for value in present):
            truth = np.fromiter((spelling.get(value or "", False) for value in values), bool, len(values))
            return boolean(name, truth, null)
    return text(name, values)


_WAYS: tuple[Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]], ...] = (
    lambda given: given.astype(np.int64),
    np.frompyfunc(int, 1, 1),
    lambda given: given.astype(np.float64),
)
"""Of 64 bits, as long as they are, and as floats."""


def _numbers(values: list[str]) -> np.ndarray[Any, Any] | None:
    """Read whole numbers, of 64 bits or as Python has them, else floats; None where one is no number."""
    given = np.array(values, dtype=object)
    for read in _WAYS:
        with contextlib.suppress(ValueError, OverflowError):
            out = read(given)
            # Python reads 1_000 and digits of every script; nobody means numbers by them in a table.
            return out if all(value.isascii() and "_" not in value for value in values) else None
    return None


# --- writing ---


def write_file(path: str | Path, columns: Mapping[str, Any]) -> None:
    """Write columns to a file, Parquet if it is called so and CSV if not.

    Raises
    ------
    FileError
        If the file cannot be written, or Parquet has no library to write it.
    """
    try:
        ending = Path(path).suffix.lower()
        if ending not in ENDINGS:
            raise FileError(
                f"{path}: is written as CSV or Parquet, and a name that ends in {ending!r} promises "
                "something else: call it .csv or .parquet"
            )
        if ENDINGS[ending] == "Parquet":
            backend = first_installed("pyarrow", "polars")
            if backend is None:
                raise FileError(f"{path}: Parquet needs PyArrow or Polars: pip install etamu[parquet]")
            write_parquet(columns, os.fspath(path), backend)
            return
        with Path(path).open("w", newline="", encoding="utf-8") as stream:
            write_csv(stream, columns)
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {error.strerror or error}") from None


def write_csv(stream: TextIO, columns: Mapping[str, Any]) -> None:
    """Write columns as CSV: floats by their shortest exact form, missing values empty."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for block in _blocks(list(columns.values())):
        writer.writerows(zip(*block, strict=True))


def _blocks(columns: list[Any]) -> Iterator[list[Iterable[Any]]]:
    length = len(columns[0]) if columns else 0
    for start in range(0, length, ROWS):
        yield [_written(column[start : start + ROWS]) for column in columns]


def _written(values: Any) -> list[Any]:
    plain = values.tolist() if isinstance(values, np.ndarray) else list(values)
    return ["" if value is None or value != value else value for value in plain]  # noqa: PLR0124  NaN


def column_values(frame: Frame, name: str) -> list[Any]:
    """Return a column as plain values, None where missing, to be written again."""
    column = frame.column(name)
    if column.kind == "numeric":
        plain: list[Any] = column.values.tolist()
        if column.integer and column.values.dtype.kind == "f":
            plain = [value if math.isnan(value) else int(value) for value in plain]
    else:
        plain = [column.levels[code] if code >= 0 else None for code in column.values.tolist()]
    if column.missing is None:
        return plain
    return [None if gone else value for value, gone in zip(plain, column.missing.tolist(), strict=True)]
