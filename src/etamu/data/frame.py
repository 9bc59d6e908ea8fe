"""Tables of every library, column by column: pandas, Polars, PyArrow, dicts, whatever narwhals reads.

May import: numpy, narwhals (here alone), `etamu._base`, `etamu.data`.
Read next: `etamu.data.schema`, which asks for the columns a formula names.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import DataError, FormulaError
from etamu._base.facts import dataclass
from etamu._base.joined import Joined
from etamu._base.later import LaterModule
from etamu._base.listing import suggestion
from etamu._base.types import Mask
from etamu.data.codes import RawArray, of_dictionary
from etamu.data.column import (
    SPAN_REMEDY,
    TIME_REMEDY,
    Column,
    beyond_exact,
    boolean,
    coded,
    from_values,
    numeric,
    text,
    texts,
)
from etamu.data.index import index_of, refuse_other_index
from etamu.data.plain import own_categories, plain_pandas
from etamu.data.strangers import failed, no_table, twice

if TYPE_CHECKING:
    import narwhals as nw
else:
    nw = LaterModule("narwhals")  # a third of `import etamu`, and tables of pandas are mostly read without it

Library = Literal["pyarrow", "polars"]
"""Libraries that read files."""


class Source(Protocol):
    """Where columns come from."""

    def column(self, name: str) -> Column:
        """Read one column."""

    def table(self, arrays: Mapping[str, Any]) -> Any:
        """Make a table in the library the columns came in."""

    def labels(self, rows: NDArray[np.intp]) -> Any:
        """Look up what the library calls some rows, None where rows have no names."""

    @property
    def index(self) -> Any:
        """The names of the rows, None where rows have none."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A table whose columns are read when they are asked for, once.

    Parameters
    ----------
    names : tuple of str
    length : int
        Number of rows.
    source : Source
    """

    names: tuple[str, ...]
    length: int
    source: Source
    read_already: dict[str, Column] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return self.length

    def column(self, name: str) -> Column:
        """Return a column.

        Raises
        ------
        FormulaError
            If there is no such column; names the ones there are.
        DataError
            If no model can use its values.
        """
        if name not in self.names:
            raise FormulaError(f"there is no column {name!r}{suggestion(name, self.names)}")
        if name not in self.read_already:
            self.read_already[name] = self.source.column(name)
        return self.read_already[name]

    def keyword(self, keyword: str, value: Any) -> Column:
        """Return what a keyword such as `offset` was given: a column by name, or an array.

        Raises
        ------
        FormulaError
            If there is no such column.
        DataError
            If the array has another length than the table; both are named.
        """
        if isinstance(value, str):
            if value not in self.names:
                raise FormulaError(
                    f"{keyword}={value!r}: there is no such column{suggestion(value, self.names)}"
                )
            return self.column(value)
        column = _any_column(keyword, value)
        if len(column) != self.length:
            raise DataError(
                f"{keyword} has {len(column)} values and the data have {self.length} rows;"
                " give one value per row"
            )
        refuse_other_index(keyword, value, "the data", self.source.index)
        return column

    def native_table(self, arrays: Mapping[str, Any]) -> Any:
        """Make a table of the given columns in the library the data came in."""
        return self.source.table(arrays)

    def labels(self, rows: NDArray[np.intp]) -> Any:
        """Look up what the library calls some rows: the index of a pandas table, None elsewhere."""
        return self.source.labels(rows)


def read(data: Any) -> Frame:
    """Look at a table without copying it.

    Parameters
    ----------
    data : pandas, Polars or PyArrow table, mapping of names to arrays, or anything narwhals reads

    Raises
    ------
    DataError
        If it is no table, two columns have one name, or lengths differ.

    Examples
    --------
    >>> frame = read({"x": [1.0, 2.0], "region": ["b", "a"]})
    >>> frame.names, len(frame), frame.column("region").levels
    (('x', 'region'), 2, ('a', 'b'))
    """
    if isinstance(data, Frame):
        return data
    if isinstance(data, Mapping):
        return _read_mapping(data)
    plain = plain_pandas(data, _native_series)
    if plain is not None:
        return Frame(plain[0], len(data), plain[1])
    try:
        table = nw.from_native(data)
    except TypeError:
        raise no_table(data) from None
    except nw.exceptions.DuplicateError:
        raise twice(getattr(data, "column_names", data.columns)) from None
    if isinstance(table, nw.LazyFrame):
        table = _collected(table)
    natives: dict[str, Any] = {}
    for native in table.columns:
        if str(native) in natives:
            raise twice([*natives, native])
        natives[str(native)] = native
    return Frame(tuple(natives), len(table), _Table(table, natives))


def is_table(data: Any) -> bool:
    """Tell whether `read` would look at data as a table of named columns.

    Examples
    --------
    >>> is_table({"x": [1.0]}), is_table(np.zeros((2, 2)))
    (True, False)
    """
    if isinstance(data, np.ndarray) or hasattr(data, "tocsr"):  # one sparse format of scipy is a dict
        return False
    if isinstance(data, (Frame, Mapping)):
        return True
    try:
        table = nw.from_native(data, pass_through=True)
    except nw.exceptions.DuplicateError:
        return True
    return isinstance(table, (nw.DataFrame, nw.LazyFrame))


def bare_rows(length: int) -> Frame:
    """Make a table of rows without columns, against which arrays given by keyword are measured."""
    return Frame((), length, _Arrays({}))


def _collected(table: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """Let a library run the query that it has put off."""
    try:
        return table.collect()
    except Exception as error:  # of a kind of its own in every library
        raise failed(error) from None


def _read_mapping(data: Mapping[Any, Any]) -> Frame:
    arrays = {str(name): values for name, values in data.items()}
    if len(arrays) < len(data):
        raise DataError("two columns have the same name once read as text; rename one")
    lengths = {name: _length(name, values) for name, values in arrays.items()}
    length = next(iter(lengths.values()), 0)
    named = {name: values for name, values in arrays.items() if index_of(values) is not None}
    for name, other in lengths.items():
        if other != length:
            raise DataError(
                f"column {name!r} has {other} values and column {next(iter(lengths))!r} has {length};"
                " all columns must have one length"
            )
    for name, values in named.items():
        first = next(iter(named))
        refuse_other_index(f"column {name!r}", values, f"column {first!r}", index_of(named[first]))
    return Frame(tuple(arrays), length, _Arrays(arrays))


def _length(name: str, values: Any) -> int:
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__") or getattr(values, "ndim", 1) == 0:
        raise DataError(f"column {name!r} is a single value, {values!r}; give one value per row")
    return len(values)


def _any_column(name: str, values: Any) -> Column:
    """Read an array, a list, or a series of some library."""
    if isinstance(values, (np.ndarray, list, tuple)):
        return from_values(name, values)
    if isinstance(values, (Mapping, AbstractSet)):
        kind = type(values).__name__
        raise DataError(f"column {name!r} is a {kind}, which has no rows in order; give a list or an array")
    if hasattr(values, "codes") and hasattr(values, "categories"):  # a bare pandas.Categorical
        return coded(name, np.asarray(values.codes), values.categories.tolist(), ordered=bool(values.ordered))
    if hasattr(values, "dictionary") and hasattr(values, "indices"):  # a bare Arrow dictionary
        codes, levels, ordered = of_dictionary(values)
        return coded(name, codes, levels, ordered=ordered)
    series = nw.from_native(values, series_only=True, pass_through=True)
    if isinstance(series, nw.Series):
        return _from_series(name, series)
    return from_values(name, values)


@dataclass(frozen=True, eq=False)
class _Arrays:
    """A mapping of names to arrays."""

    arrays: Mapping[str, Any]

    def column(self, name: str) -> Column:
        return _any_column(name, self.arrays[name])

    def table(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        return dict(arrays)

    def labels(self, rows: NDArray[np.intp]) -> Any:
        return None

    @property
    def index(self) -> Any:
        return next((found for found in map(index_of, self.arrays.values()) if found is not None), None)


@dataclass(frozen=True, eq=False)
class _Table:
    """A table narwhals reads; `natives` are the names of its columns in its own terms."""

    data: nw.DataFrame[Any]
    natives: Mapping[str, Any]

    def column(self, name: str) -> Column:
        return _from_series(name, self.data.get_column(self.natives[name]))

    def table(self, arrays: Mapping[str, Any]) -> Any:
        return nw.from_dict(dict(arrays), backend=self.data.implementation).to_native()

    def labels(self, rows: NDArray[np.intp]) -> Any:
        return None if self.index is None else np.asarray(self.index[rows])

    @property
    def index(self) -> Any:
        return nw.maybe_get_index(self.data)


def _native_series(name: str, native: Any) -> Column:
    return _from_series(name, nw.from_native(native, series_only=True))


def _from_series(name: str, series: nw.Series[Any]) -> Column:
    dtype = series.dtype
    if isinstance(dtype, nw.Boolean):
        null = _null(series)
        values = series if null is None else series.fill_null(value=False)
        return boolean(name, values.to_numpy().astype(bool, copy=False), null)
    if dtype.is_numeric():
        return _numbers(name, series, integer=dtype.is_integer())
    if isinstance(dtype, (nw.Categorical, nw.Enum)):
        return _categories(name, series)
    if isinstance(dtype, nw.String):
        return _texts(name, series)
    if isinstance(dtype, (nw.Object, nw.Unknown)):  # sparse numbers, and what its values name best
        return from_values(name, series.to_numpy())
    if dtype.is_temporal():
        remedy = SPAN_REMEDY if isinstance(dtype, nw.Duration) else TIME_REMEDY
        raise DataError(f"column {name!r} holds {dtype} values; {remedy}")
    if series.null_count() == len(series):
        return numeric(name, np.full(len(series), np.nan))
    raise DataError(f"column {name!r} holds {dtype} values; use numbers or text")


def _null(series: nw.Series[Any]) -> Mask | None:
    return series.is_null().to_numpy() if series.null_count() else None


def _numbers(name: str, series: nw.Series[Any], *, integer: bool) -> Column:
    if isinstance(series.dtype, (nw.Int128, nw.UInt128)):  # NumPy has none such
        return from_values(name, series.to_list())
    pieces = _pieces(series)
    values = series.to_numpy() if pieces is None else pieces
    null = None
    if integer and values.dtype.kind == "f" and beyond_exact(values):
        return from_values(name, series.to_list())  # floats were made of it for its nulls
    if values.dtype.kind == "O":  # decimals, and nullable integers of some libraries
        null = _null(series)
        values = np.array([np.nan if value is None else float(value) for value in series.to_list()])
    elif values.dtype.kind != "f":
        null = _null(series)
    return numeric(name, values, null, integer=integer)


def _pieces(series: nw.Series[Any]) -> Any:
    """Return numbers in several pieces of memory as they lie; None of others, and where some are missing."""
    chunks = getattr(series.to_native(), "chunks", [])
    if len(chunks) < 2 or series.null_count():
        return None
    found = [chunk.to_numpy(zero_copy_only=False) for chunk in chunks]
    return Joined(found) if found[0].dtype.kind in "iuf" else None


def _categories(name: str, series: nw.Series[Any]) -> Column:
    """Read codes and declared order from the library that holds them.

    A Polars Categorical has no order of its own (its pool of strings is shared by all columns), so it
    is read as text; its Enum has one.
    """
    native = series.to_native()
    if hasattr(native, "cat") and hasattr(native.cat, "codes"):
        return own_categories(name, native.cat)
    if isinstance(series.dtype, nw.Enum):
        return coded(name, _physical(native), series.dtype.categories, ordered=True)
    if series.implementation.is_polars():
        return _texts(name, series)
    codes, levels, ordered = of_dictionary(native if hasattr(native, "chunks") else series.to_arrow())
    return coded(name, codes, levels, ordered=ordered)


def _physical(native: Any) -> RawArray:
    """Return the codes of a Polars Enum, in the type that holds them and -1 for null."""
    codes = native.to_physical()
    if native.null_count() == 0:
        return np.asarray(codes.to_numpy())
    return np.asarray(codes.cast(int).fill_null(-1).to_numpy())


def _texts(name: str, series: nw.Series[Any]) -> Column:
    """Read strings: coded by the library where it keeps them its own way, by us where they are objects."""
    native = series.to_native()
    if series.implementation.is_polars():
        levels = sorted(level for level in series.unique().to_list() if level is not None)
        return texts(name, _physical(series.cast(nw.Enum(levels)).to_native()), levels)
    dtype = getattr(native, "dtype", None)
    if getattr(dtype, "storage", "") == "pyarrow" or hasattr(dtype, "pyarrow_dtype"):
        native = series.to_arrow()
    if hasattr(native, "dictionary_encode"):
        codes, levels, _ = of_dictionary(native.dictionary_encode())
        return texts(name, codes, levels)
    return text(name, series.to_numpy())


# --- files ---


@dataclass(frozen=True, eq=False)
class TextTable:
    """A table of which every column is text, as a library read it from a file."""

    data: nw.DataFrame[Any]

    def __len__(self) -> int:
        return len(self.data)

    def texts(self, name: str) -> list[str | None]:
        """Return a column as it stands, None where missing."""
        return self.data.get_column(name).to_list()

    def numbers(self, name: str) -> Column | None:
        """Return a column as the library reads numbers, whole ones if all are; None where some are not.

        Floats that may have been longer whole numbers are left to be read again, digit by digit.
        """
        series = self.data.get_column(name)
        for dtype in (nw.Int64(), nw.Float64()):
            # Every library has an error of its own for text that is no number.
            with contextlib.suppress(Exception):
                column = _numbers(name, series.cast(dtype), integer=dtype.is_integer())
                return None if not column.integer and beyond_exact(column.values) else column
        return None


def read_text(
    path: str, names: tuple[str, ...], separator: str, missing: Sequence[str], blank: Mask | None = None
) -> TextTable | None:
    """Read a CSV file with Polars, all columns as text under the names given; None if it refuses the file.

    `blank` marks lines below the header that are no rows.
    """
    try:
        data = nw.read_csv(
            path,
            backend="polars",
            separator=separator,
            infer_schema=False,
            null_values=list(missing),
            new_columns=list(names),
        )
    except Exception:  # whatever it is, the caller reads the file again and says it better
        return None
    if tuple(data.columns) != names or (blank is not None and len(blank) != len(data)):
        return None
    return TextTable(data if blank is None or not blank.any() else data.filter((~blank).tolist()))


def read_parquet(path: str, backend: Library) -> Frame:
    """Read a Parquet file with a library."""
    return read(nw.read_parquet(path, backend=backend).to_native())


def write_parquet(columns: Mapping[str, Any], path: str, backend: Library) -> None:
    """Write columns to a Parquet file with a library."""
    nw.from_dict(dict(columns), backend=backend).write_parquet(path)


def first_installed(*libraries: Library) -> Library | None:
    """Return the first of some libraries that is installed, None if none is."""
    return next((name for name in libraries if importlib.util.find_spec(name) is not None), None)
