"""What cannot be read as a table: what is wrong with it, and what to do first.

May import: `etamu._base`.
Read next: `etamu.data.frame`, which reads the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from etamu._base.errors import DataError

READABLE = "a pandas, Polars or PyArrow table, a dict of arrays, or anything narwhals reads"

_FIRST = {
    **dict.fromkeys(("str", "PosixPath", "WindowsPath"), "read the file, pandas.read_csv(path), and "),
    **dict.fromkeys(("recarray", "ndarray"), "fit a matrix by GLM(...).fit(X, y), or "),
    **dict.fromkeys(("list", "tuple"), "make a table of it, pandas.DataFrame(rows), and "),
    "Series": "make it a table, series.to_frame(), and ",
    "RecordBatch": "make it a table, pyarrow.Table.from_batches([batch]), and ",
    "RecordBatchReader": "read it, reader.read_all(), and ",
    "InMemoryDataset": "read it, dataset.to_table(), and ",
    "FileSystemDataset": "read it, dataset.to_table(), and ",
    "DataFrameGroupBy": "fit each group by itself, or name the groups in the formula, and ",
}
"""What to do first, by the name of the type."""


def no_table(data: Any) -> DataError:
    """Say that something is no table.

    Examples
    --------
    >>> str(no_table("a.csv"))[:60]
    'data is a str; read the file, pandas.read_csv(path), and giv'
    """
    kind = type(data).__name__
    return DataError(f"data is a {kind}; {_FIRST.get(kind, '')}give {READABLE}")


def twice(names: Iterable[Any]) -> DataError:
    """Say which name two columns have.

    Examples
    --------
    >>> str(twice(["x", "y", "x"]))
    "two columns have the same name, 'x'; rename one"
    """
    every = [str(name) for name in names]
    name = next(name for place, name in enumerate(every) if name in every[:place])
    return DataError(f"two columns have the same name, {name!r}; rename one")


def failed(error: Exception) -> DataError:
    """Say in one line why the query behind a table of another library fails."""
    return DataError(f"the query behind the data fails: {' '.join(str(error).split())[:200]}")
