"""Matrices without column names: NumPy and scipy sparse, checked once and never copied whole.

May import: numpy, scipy.sparse (at the first sparse matrix), `etamu._base`, `etamu.design`, `etamu.data`.
Read next: `etamu.data.encode`, the way of tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import DataError
from etamu._base.facts import dataclass
from etamu._base.flags import are_all
from etamu._base.listing import listed
from etamu._base.types import Mask
from etamu.data.column import is_masked, refuse_rounded
from etamu.data.encode import Encoded
from etamu.data.evaluate import all_finite
from etamu.design.blocks import Block, Dense, Sparse
from etamu.design.design import Design
from etamu.design.layout import plain_layout
from etamu.design.moments import Moments, beside, constant

BLOCK = 16_384
"""Rows looked at together, so that no mask is ever as large as the matrix."""

INTERCEPT = "Intercept"
"""The name of the column of ones, which no other column may bear."""


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Numbers in rows and columns, NaN where missing, never infinite.

    Parameters
    ----------
    values : array (n, p) of any real dtype, or scipy CSR array of float64
    names : tuple of str
    sparse : bool
    gaps : tuple of int
        Columns with missing values.
    described : Moments, optional
        Of the columns, where looking for gaps has found them on the way.
    read : bool
        Whether gaps were looked for.
    """

    values: Any
    names: tuple[str, ...]
    sparse: bool
    gaps: tuple[int, ...]
    described: Moments | None = None
    read: bool = True

    def __len__(self) -> int:
        return int(self.values.shape[0])

    def missing(self) -> dict[str, Mask]:
        """Return for every column with missing values where they are."""
        return {self.names[j]: self._absent(j) for j in self.gaps}

    def none(self) -> Matrix:
        """Return the same rows without any column."""
        return Matrix(np.empty((len(self), 0)), (), False, ())

    def _absent(self, column: int) -> Mask:
        if not self.sparse:
            return np.asarray(np.isnan(self.values[:, column]))
        part = self.values[:, [column]].tocoo()
        mask = np.zeros(len(self), dtype=bool)
        mask[part.row[np.isnan(part.data)]] = True
        return mask

    def encode(self, keep: Mask | None, *, intercept: bool) -> Encoded:
        """Make a design of the rows in use, without a copy where all are; the ones come first."""
        values = self.values if keep is None or are_all(keep) else self.values[np.flatnonzero(keep)]
        n = int(values.shape[0])
        # A constant of stride 0 costs eight bytes however many rows there are.
        ones = (np.broadcast_to(np.float64(1.0), (n,)),) if intercept else ()
        blocks: tuple[Block, ...] = (Dense((*ones, values)),)
        if self.sparse:
            blocks = (*((Dense(ones),) if intercept else ()), Sparse(values))
        names = (INTERCEPT, *self.names) if intercept else self.names
        described = None if self.described is None or n < len(self) else self.described
        if described is not None and intercept:
            described = beside([constant(1.0, n), described], n)
        return Encoded(Design(blocks, n, described, self.read), plain_layout(names, 0 if intercept else None))


def read_matrix(
    data: Any,
    names: Sequence[str] | None = None,
    describe: Callable[[Design], Moments] | None = None,
    *,
    read: bool = True,
    least: int = 1,
) -> Matrix:
    """Look at a matrix without copying it.

    Parameters
    ----------
    data : array (n, p), nested lists, or scipy sparse matrix or array of any format
    names : sequence of str, optional
        x0, x1, … if left out.
    describe : callable, optional
        Describes a design in one pass, which tells as well that nothing is missing.
    read : bool
        Whether to look for what is missing or infinite; if not, floating-point numbers are taken as they are.
    least : int
        Rows that there must be: no model is fitted to none, and a prediction of none is empty.

    Raises
    ------
    DataError
        If it does not have two dimensions, has too few rows, holds anything but real numbers, or a value is
        infinite; or if there is not one name per column.

    Examples
    --------
    >>> read_matrix([[1, 2], [3, 4]]).names
    ('x0', 'x1')
    """
    sparse = hasattr(data, "tocsr")
    values = data if sparse else _dense(data)
    _check_shape(values, data)
    if values.shape[0] < least:
        raise DataError(f"X has no rows, shape {values.shape}")
    if values.dtype.kind not in "biuf":
        remedy = _REMEDIES.get(values.dtype.kind, "give numbers")
        raise DataError(f"X holds values of dtype {values.dtype}: {remedy}")
    values = _compressed(values) if sparse else values
    given = _named(int(values.shape[1]), names)
    plain = not sparse and values.dtype.char in "fd" and len(given) > 0
    if plain and not read:
        return Matrix(values, given, sparse, (), read=False)
    if describe is not None and plain:
        described = describe(Design((Dense((values,)),), len(values)))
        if described.finite:
            return Matrix(values, given, sparse, (), described)
    if not sparse and values.dtype.kind in "iu":
        for name, column in zip(given, values.T, strict=True):
            refuse_rounded(name, column)
    return Matrix(values, given, sparse, _gaps(values, given, sparse=sparse))


def read_like(data: Any, names: tuple[str, ...]) -> Matrix:
    """Look at new rows of the columns a model was fitted to.

    Raises
    ------
    DataError
        As `read_matrix`, and if there are more or fewer columns than there were.
    """
    matrix = read_matrix(data, least=0)
    width = len(matrix.names)
    if width != len(names):
        raise DataError(f"X has {width} columns and the model was fitted to {len(names)}: {listed(names)}")
    return Matrix(matrix.values, names, matrix.sparse, matrix.gaps)


def _dense(data: Any) -> np.ndarray[Any, Any]:
    if is_masked(data):
        raise DataError("X is a masked array; fill it with NaN first: X.filled(numpy.nan)")
    try:
        values = np.asarray(data)
    except ValueError as error:
        raise DataError(f"X cannot be read as rows of numbers of one length: {error}") from None
    if values.dtype.kind == "f" and values.itemsize > 8:
        with np.errstate(over="ignore", under="ignore"):  # infinite is what is beyond double precision
            return values.astype(np.float64)
    return values


def _check_shape(values: Any, data: Any) -> None:
    if len(values.shape) == 0:
        raise DataError(
            f"X is of type {type(data).__name__}; give rows by columns: a NumPy array, a scipy sparse "
            "matrix, or a table"
        )
    if values.dtype.names:
        raise DataError(
            f"X is a structured array of the fields {listed(values.dtype.names)}; give a table, "
            "{name: X[name] for name in X.dtype.names}"
        )
    if len(values.shape) == 1:
        raise DataError(
            f"X has one dimension, shape {values.shape}; give rows by columns: X.reshape(-1, 1) if it is one "
            "column, X.reshape(1, -1) if it is one row"
        )
    if len(values.shape) > 2:
        raise DataError(f"X has {len(values.shape)} dimensions, shape {values.shape}; give rows by columns")


def _compressed(data: Any) -> Any:
    """Convert to compressed rows of float64, each entry once; the caller's matrix stays as it is.

    Raises
    ------
    DataError
        If its index arrays contradict each other: scipy would follow them out of its own memory.
    """
    from scipy.sparse import csr_array

    try:
        if hasattr(data, "check_format"):
            data.check_format(full_check=True)
        rows = csr_array(data, dtype=np.float64)
    except (ValueError, IndexError) as error:
        raise DataError(
            f"X is a sparse matrix whose index arrays contradict each other: {error}; build it again from "
            "rows, columns and values, scipy.sparse.coo_array((values, (rows, columns)), shape)"
        ) from None
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    return rows


def _named(width: int, names: Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        return tuple(f"x{j}" for j in range(width))
    given = tuple(str(name) for name in names)
    if len(given) != width:
        raise DataError(f"names has {len(given)} entries and X {width} columns; give one name per column")
    check_names(given)
    return given


def check_names(names: tuple[str, ...]) -> None:
    """Refuse names that could not be told apart.

    Raises
    ------
    DataError
        If a name occurs twice, or is the one of the column of ones.
    """
    if INTERCEPT in names:
        raise DataError(
            f"{INTERCEPT!r} is the name of the column of ones that intercept=True adds; rename or leave out "
            "the column of that name"
        )
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise DataError(f"two columns have the same name, {twice!r}; rename one")


def _gaps(values: Any, names: tuple[str, ...], *, sparse: bool) -> tuple[int, ...]:
    """Find the columns with missing values; refuse an infinite one."""
    found: set[int] = set()
    for rows, columns, odd in _not_finite(values, sparse=sparse):
        infinite = np.flatnonzero(~np.isnan(odd))
        if len(infinite):
            first = infinite[0]
            raise DataError(
                f"column {names[columns[first]]!r} is {odd[first]} in row {rows[first]}; correct the value "
                "or leave the row out"
            )
        found.update(columns.tolist())
    return tuple(sorted(found))


def _not_finite(
    values: Any, *, sparse: bool
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[Any]]]:
    """Yield row, column and value of the entries that are not finite, in the order of rows."""
    if sparse:
        place = np.flatnonzero(~np.isfinite(values.data))
        rows = np.searchsorted(values.indptr, place, side="right") - 1
        yield rows, values.indices[place], values.data[place]
    elif values.dtype.kind == "f":
        for start in range(0, len(values), BLOCK):
            block = values[start : start + BLOCK]
            if all_finite(block):
                continue
            rows, columns = np.nonzero(~np.isfinite(block))
            yield rows + start, columns, block[rows, columns]


_REMEDIES = {
    "O": "convert it, X.astype(float), or give a table, whose text and categories become contrasts",
    "U": "convert it, X.astype(float), or give a table, whose text and categories become contrasts",
    "S": "convert it, X.astype(float), or give a table, whose text and categories become contrasts",
    "c": "use its real and imaginary parts as columns of their own",
    "M": "turn times into numbers, such as days since a date",
    "m": "turn times into numbers, such as days",
}
