"""What rows are drawn against: a column of the data, numbers or levels, or what a term adds to eta.

May import: everything below `plot`, in this room rows.
Read next: `etamu.plot.residuals`, `etamu.plot.effects`, `etamu.plot.levels`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from etamu._base.errors import DataError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.data.column import Column
from etamu.data.evaluate import names_in
from etamu.data.schema import CategoricalFactor
from etamu.fit.model_terms import terms_of
from etamu.fit.result import Fit
from etamu.fit.terms import Terms
from etamu.plot.rows import Rows

MISSING = "(missing)"
"""The level of rows that have none."""


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """A column over some rows.

    Parameters
    ----------
    name : str
    values : array (rows,)
        Numbers, NaN where missing; or codes of the levels.
    levels : tuple of str
        Empty for numbers.
    """

    name: str
    values: Array
    levels: tuple[str, ...] = ()


def column_of(fit: Fit, given: str | Any, rows: Rows, *, levelled: bool = False) -> Variable:
    """Read a column of the data, named or given, over some rows of the input.

    With `levelled` numbers become levels too.

    Raises
    ------
    DataError, OptionError
        If there is no such column, or the values given are not one per row of the input.
    """
    if isinstance(given, str):
        if fit.problem.table is None:
            raise OptionError(
                f"the model was fitted to arrays, so there is no column {given!r}: give its values, "
                "one for each row"
            )
        return _levelled(fit.problem.table.column(given), rows, levelled=levelled)
    values = np.asarray(given)
    name = str(getattr(given, "name", None) or "given values")
    if values.shape != (fit.problem.input_rows,):
        raise DataError(
            f"values to draw against need one for each of the {fit.problem.input_rows} rows of the input, "
            f"not shape {values.shape}"
        )
    if values.dtype.kind in "fiu" and not levelled:
        return Variable(name, values[rows].astype(float))
    texts = np.array([MISSING if value is None else f"{value}" for value in values[rows].tolist()])
    levels, codes = np.unique(texts, return_inverse=True)
    return Variable(name, codes.astype(float), tuple(levels.tolist()))


def _levelled(column: Column, rows: Rows, *, levelled: bool) -> Variable:
    values = np.asarray(column.values)[rows]
    if column.kind == "numeric" and not levelled:
        numbers = values.astype(float)
        if column.missing is not None:
            numbers = np.where(column.missing[rows], np.nan, numbers)
        return Variable(column.name, numbers)
    distinct, codes = np.unique(values, return_inverse=True)
    gone = np.zeros(len(values), dtype=bool) if column.missing is None else column.missing[rows]
    if column.kind == "numeric":
        names = [f"{value:g}" for value in distinct.tolist()]
    else:
        names = [column.levels[code] if code >= 0 else MISSING for code in distinct.tolist()]
    if gone.any() and column.kind == "numeric":
        distinct, codes = np.unique(np.where(gone, np.nan, values.astype(float)), return_inverse=True)
        names = [MISSING if np.isnan(value) else f"{value:g}" for value in distinct.tolist()]
    return Variable(column.name, codes.astype(float), tuple(names))


def terms(fit: Fit) -> tuple[str, ...]:
    """Name the terms of a fit, without the constant."""
    return tuple(term.label for term in terms_of(fit))


def columns_in(fit: Fit, term: str) -> dict[str, bool]:
    """Name the columns of the data a term reads; True for those of which it takes levels."""
    schema = fit.problem.schema
    if schema is None:
        return {}
    inside = next((one.factors for one in terms_of(fit) if one.label == term), frozenset())
    read: dict[str, bool] = {}
    for factor in schema.factors:
        if factor.label in inside:
            read |= dict.fromkeys(names_in(factor.expression), isinstance(factor, CategoricalFactor))
    return read


def term_column(fit: Fit, term: str, rows: Rows) -> Variable | None:
    """Return the one column a term is a function of; None where there are several."""
    if fit.problem.schema is not None:
        read = columns_in(fit, term)
        if len(read) != 1:
            return None
        name, levelled = next(iter(read.items()))
        return column_of(fit, name, rows, levelled=levelled)
    chunk, layout = fit.problem.chunk, fit.problem.layout
    place = next(one.columns for one in layout.terms if one.label == term)
    if len(layout.names[place]) != 1:
        return None
    one = layout.expand(np.eye(1, layout.width, place.start)[0])
    out = np.full(fit.problem.input_rows, np.nan)
    out[chunk.row_ids] = chunk.predictors[0].design.matvec(one)
    return Variable(term, out[rows])


def against(fit: Fit, name: str, rows: Rows) -> Variable:
    """Return what a name stands for along an axis: the one column of a term, or a column of the data.

    A term of several columns is drawn against what it adds to eta.

    Raises
    ------
    OptionError
        If there is no term and no column of that name.
    """
    if name in terms(fit):
        found = term_column(fit, name, rows)
        if found is not None:
            return found
        parts = fit.predict(kind="terms")
        assert isinstance(parts, Terms)
        return Variable(f"{name}, what it adds to η", parts[name][rows])
    table = fit.problem.table
    if table is not None and name in table.names:
        return column_of(fit, name, rows)
    known = ", ".join(map(repr, ("fitted", *terms(fit))))
    raise OptionError(f"there is no term or column {name!r} to draw against; choose one of {known}")
