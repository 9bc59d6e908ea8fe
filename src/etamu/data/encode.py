"""Rows into a design: numbers as they lie, categories as codes, by the settled schema.

May import: numpy, `etamu._base`, `etamu.design`, `etamu.data`.
Read next: `etamu.design.design`, what comes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from itertools import accumulate, groupby
from math import prod
from operator import mul
from typing import Literal

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import DataError, FormulaError
from etamu._base.facts import dataclass
from etamu._base.listing import listed
from etamu._base.types import Array, Mask
from etamu.data.basis import STATEFUL, Basis
from etamu.data.codes import RawArray, absent, relabelled, smallest
from etamu.data.column import Column, refuse_rounded
from etamu.data.evaluate import (
    Rows,
    States,
    all_finite,
    check_finite,
    evaluate,
    names_in,
    rows_in_use,
    settle_transforms,
)
from etamu.data.expression import Call, Expression, Name
from etamu.data.formula import Statement
from etamu.data.frame import Frame, read
from etamu.data.pieces import Piece, planned
from etamu.data.schema import CategoricalFactor, NumericFactor, Schema, inner
from etamu.data.tabulate import few_numbers
from etamu.design.blocks import Block, Coded, Dense
from etamu.design.design import Design
from etamu.design.layout import Layout
from etamu.design.tabulated import Tabulated

Unseen = Literal["error", "nan", "reference"]

TABULATED = 3
"""Columns from which a basis of a variable with few values is kept as a code per row."""


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A design over the rows in use, and how its columns are reported.

    Parameters
    ----------
    design : Design
    layout : Layout
    offset : array (n,), optional
        The sum of the `offset()` terms.
    invalid : mask (n,), optional
        Rows with a level never seen, where `unseen="nan"`: their predictions must be NaN.
    """

    design: Design
    layout: Layout
    offset: Array | None = None
    invalid: Mask | None = None


def missing_rows(statement: Statement, frame: Frame, *, response: bool = True) -> dict[str, Mask]:
    """Return for every column of a formula that has missing values where they are.

    Examples
    --------
    >>> from etamu.data.formula import parse
    >>> from etamu.data.frame import read
    >>> missing_rows(parse("y ~ x"), read({"y": [1, 2], "x": [None, 0.5]}))
    {'x': array([ True, False])}
    """
    names = statement.columns + (statement.response_columns if response else ())
    columns = {name: frame.column(name).missing for name in names}
    return {name: missing for name, missing in columns.items() if missing is not None}


def response(statement: Statement, frame: Frame, keep: Mask | None = None) -> tuple[Column, ...]:
    """Evaluate the left side over the rows in use.

    Returns
    -------
    One column: numbers, or a factor, text or truth values as they are. For `cbind(successes, failures)`
    two: the successes and the trials, their sum.

    Raises
    ------
    FormulaError
        If there is no left side.
    DataError
        If a value is not finite, or text stands where numbers belong.
    """
    parsed = statement.response
    if parsed is None:
        raise FormulaError(f"the formula {statement.text!r} has no left side; write 'y ~ …'")
    rows = rows_in_use(frame, keep)
    expression = inner(parsed.expression)
    if isinstance(expression, Call) and expression.function == "cbind":
        if len(expression.arguments) != 2 or expression.keywords:
            raise FormulaError(f"{parsed.label}: write cbind(successes, failures)")
        successes, failures = (_response_numbers(parsed.label, part, rows) for part in expression.arguments)
        trials = Column("trials", "numeric", successes.values + failures.values)
        return successes, trials
    if isinstance(expression, Call) and expression.function == "C" and expression.arguments:
        expression = inner(expression.arguments[0])
    if isinstance(expression, Name) and frame.column(expression.name).kind != "numeric":
        column = rows.present(expression.name)
        return (
            Column(parsed.label, column.kind, rows.select(column.codes), None, column.levels, column.ordered),
        )
    return (_response_numbers(parsed.label, expression, rows),)


def counts(statement: Statement, frame: Frame, keep: Mask | None = None) -> tuple[Column, ...] | None:
    """Evaluate a left side `cbind(a, b, …)` of counts of several classes, one column each; None for another.

    Raises
    ------
    DataError
        If a value is not finite, or text stands where numbers belong.
    """
    parsed = statement.response
    expression = None if parsed is None else inner(parsed.expression)
    if parsed is None or not (isinstance(expression, Call) and expression.function == "cbind"):
        return None
    rows = rows_in_use(frame, keep)
    columns = (_response_numbers(parsed.label, part, rows) for part in expression.arguments)
    return tuple(
        Column(
            part.name if isinstance(part, Name) else getattr(part, "text", str(part)), "numeric", one.values
        )
        for part, one in zip(expression.arguments, columns, strict=True)
    )


def _response_numbers(label: str, expression: Expression, rows: Rows) -> Column:
    states: dict[str, Basis] = {}
    settle_transforms(expression, rows.frame, states)
    values = evaluate(expression, rows, states)
    named = _named(expression, rows)
    if named is not None and named.finite:
        return Column(label, "numeric", values, ends=named.ends)
    check_finite(values, expression, label, rows)
    if values.ndim > 1:
        raise FormulaError(f"{label} has several columns and cannot be the response")
    return Column(label, "numeric", values)


def _named(expression: Expression, rows: Rows) -> Column | None:
    """Return the column of numbers that an expression just names, None where rows are left out."""
    if rows.keep is not None or not isinstance(expression, Name):
        return None
    column = rows.frame.column(expression.name)
    return column if column.kind == "numeric" else None


def encode(schema: Schema, frame: Frame, keep: Mask | None = None, unseen: Unseen = "error") -> Encoded:
    """Turn the rows in use into a design, the same for the same row in any table.

    Parameters
    ----------
    schema : Schema
    frame : Frame
        The data the schema was settled on, or new data with the columns the right side names.
    keep : mask (n,), optional
        Rows in use; none of their values may be missing.
    unseen : "error", "nan" or "reference"
        What a level that the schema does not know means.

    Raises
    ------
    DataError
        If a value is missing or not finite, or a level was never seen; names column, value and row.

    Examples
    --------
    >>> from etamu.data.formula import parse
    >>> from etamu.data.frame import read
    >>> from etamu.data.schema import settle
    >>> frame = read({"x": [1.0, 2.0, 4.0], "g": ["b", "a", "b"]})
    >>> encoded = encode(settle(parse("~ x * g"), frame), frame)
    >>> encoded.layout.names
    ('Intercept', 'x', 'g[T.b]', 'x:g[T.b]')
    >>> encoded.layout.gather(encoded.design.dense().T).T.tolist()
    [[1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 0.0, 0.0], [1.0, 4.0, 1.0, 4.0]]
    """
    check_choice("unseen", unseen, ("error", "nan", "reference"))
    bench = _Bench(schema, rows_in_use(frame, keep), dict(schema.states), unseen)
    pieces, layout = planned(schema)
    dense = [piece for piece in pieces if not piece.factors]
    blocks = [_numeric(number, list(some), bench) for number, some in groupby(dense, bench.table_of)]
    blocks += [_coded(piece, bench) for piece in pieces if piece.factors]
    offset = bench.offset()
    invalid = np.logical_or.reduce(bench.unseen_rows) if bench.unseen_rows else None
    return Encoded(Design(tuple(blocks), len(bench.rows)), layout, offset, invalid)


def _numeric(number: int | None, pieces: list[Piece], bench: _Bench) -> Block:
    """Put columns of numbers together, as they are or as a table over the values of one variable."""
    table = None if number is None else bench.table(number)
    if table is None:
        return Dense(tuple(bench.column(piece) for piece in pieces))
    columns = [piece.numbers[0][1] for piece in pieces]
    return Tabulated(table[0], table[1][:, columns] * pieces[0].scale)


def _coded(piece: Piece, bench: _Bench) -> Coded:
    multiplier = bench.column(piece) if piece.numbers or piece.scale != 1.0 else None
    return Coded(bench.combined(piece.factors), piece.width, multiplier)


@dataclass(frozen=True, eq=False)
class _Bench:
    """Where rows are worked on: each expression is evaluated once, each combination of factors coded once."""

    schema: Schema
    rows: Rows
    states: dict[str, Basis]
    unseen: Unseen
    values: dict[int, Sequence[RawArray]] = field(default_factory=dict)
    codes: dict[tuple[int, ...], RawArray] = field(default_factory=dict)
    unseen_rows: list[Mask] = field(default_factory=list)
    tables: dict[int, tuple[RawArray, Array] | None] = field(default_factory=dict)

    def table_of(self, piece: Piece) -> int | None:
        """Return the factor of whose table a piece is a column, None if of none."""
        if len(piece.numbers) != 1 or self.table(piece.numbers[0][0]) is None:
            return None
        return piece.numbers[0][0]

    def table(self, number: int) -> tuple[RawArray, Array] | None:
        """Return a basis of a variable with few values as codes and a table; None where it is none."""
        if number not in self.tables:
            self.tables[number] = self._tabulated(self.schema.numeric(number))
        return self.tables[number]

    def _tabulated(self, factor: NumericFactor) -> tuple[RawArray, Array] | None:
        expression = factor.expression
        if len(factor.fields) < TABULATED or not isinstance(expression, Call):
            return None
        names = names_in(expression)
        if expression.function not in STATEFUL or len(names) != 1:
            return None
        column = self.rows.present(names[0])
        found = few_numbers(self.rows.select(column.values)) if column.kind == "numeric" else None
        if found is None:
            return None
        codes, levels = found
        table = evaluate(expression, Rows(read({names[0]: levels})), self.states)
        return (codes, table) if all_finite(table) else None

    def column(self, piece: Piece) -> RawArray:
        """Multiply the numbers of a piece; a single one is passed on as it is."""
        columns = [self.numbers(number)[column] for number, column in piece.numbers]
        if not columns:
            return np.broadcast_to(np.float64(piece.scale), (len(self.rows),))
        out = columns[0]
        with np.errstate(over="ignore"):
            for other in columns[1:]:
                out = np.multiply(out, other, dtype=np.float64)
        out = out if piece.scale == 1.0 else out * piece.scale
        if len(columns) > 1 and not all_finite(out):
            row = int(np.flatnonzero(~np.isfinite(out))[0])
            label = ":".join(self.schema.factors[number].label for number, _ in piece.numbers)
            raise DataError(f"{label} is {out[row]} in row {self.rows.position(row)}; rescale the columns")
        return out

    def numbers(self, number: int) -> Sequence[RawArray]:
        """Return the columns of a numeric factor; a column of the data itself without a copy."""
        if number not in self.values:
            self.values[number] = self._numbers(self.schema.numeric(number))
        return self.values[number]

    def _numbers(self, factor: NumericFactor) -> Sequence[RawArray]:
        expression = factor.expression
        named = _named(expression, self.rows)
        if named is not None and named.finite:
            refuse_rounded(named.name, named.values)
            return [named.values]
        if isinstance(expression, Name) and self.rows.frame.column(expression.name).kind == "numeric":
            column = self.rows.present(expression.name)
            refuse_rounded(column.name, column.values)
            values = self.rows.select(column.values)
        else:
            values = evaluate(expression, self.rows, self.states)
        check_finite(values, expression, factor.label, self.rows)
        return [values] if values.ndim == 1 else list(values.T)

    def combined(self, factors: tuple[int, ...]) -> RawArray:
        """Code the combinations of the levels of some factors, the first varying fastest."""
        if factors not in self.codes:
            if len(factors) == 1:
                codes, invalid = codes_of(
                    self.schema.categorical(factors[0]), self.rows, self.states, self.unseen
                )
                self.codes[factors] = codes
                if invalid is not None:
                    self.unseen_rows.append(invalid)
            else:
                self.codes[factors] = self._crossed(factors)
        return self.codes[factors]

    def _crossed(self, factors: tuple[int, ...]) -> RawArray:
        sizes = [len(factor.levels) for factor in map(self.schema.categorical, factors)]
        dtype = np.int64 if prod(sizes) > np.iinfo(np.int32).max else np.int32
        out: RawArray = np.zeros(len(self.rows), dtype=dtype)
        for number, stride in zip(factors, accumulate([1, *sizes], mul), strict=False):
            out += self.combined((number,)) * dtype(stride)
        return out

    def offset(self) -> Array | None:
        """Add the offsets up."""
        total: Array | None = None
        for offset in self.schema.offsets:
            values = evaluate(offset.expression, self.rows, self.states)
            check_finite(values, offset.expression, offset.label, self.rows)
            total = values if total is None else total + values
        return total


def codes_of(
    factor: CategoricalFactor, rows: Rows, states: States, unseen: Unseen
) -> tuple[RawArray, Mask | None]:
    """Code the rows in use by the levels a factor was settled on.

    Returns
    -------
    codes (n,), and where a level was never seen if that makes the row invalid.
    """
    expression = factor.expression
    column = rows.present(expression.name) if isinstance(expression, Name) else None
    if column is not None and column.kind != "numeric":
        codes = _match_levels(factor, column, rows)
        if codes is column.codes and column.missing is None:
            return codes, None
    else:
        codes = _match_numbers(factor, rows, states)
    strange = absent(codes)
    if strange is None:
        return codes, None
    if unseen == "error":
        row = int(strange.argmax())
        where = rows.position(row)
        value = str(evaluate(expression, rows, states)[row]) if column is None else column.shown(where)
        raise _never_seen(factor, column, value, where)
    codes = np.where(strange, factor.contrast.base, codes).astype(codes.dtype)
    return codes, strange if unseen == "nan" else None


def _match_levels(factor: CategoricalFactor, column: Column, rows: Rows) -> RawArray:
    codes = rows.select(column.codes)
    if column.levels == factor.levels:
        return codes
    place = {level: code for code, level in enumerate(factor.levels)}
    lookup = [place.get(level, -1) for level in column.levels]
    if factor.numbers is not None:  # settled on numbers, met again as categories that read as numbers
        lookup = [_number_place(factor.numbers, level) for level in column.levels]
    return relabelled(codes, np.array(lookup, dtype=smallest(len(factor.levels))))


def _number_place(numbers: tuple[float, ...], level: str) -> int:
    try:
        return numbers.index(float(level))
    except ValueError:
        return -1


def _match_numbers(factor: CategoricalFactor, rows: Rows, states: States) -> RawArray:
    values = evaluate(factor.expression, rows, states)
    check_finite(values, factor.expression, factor.label, rows)
    numbers = factor.numbers
    if numbers is None:  # settled on text, met again as numbers
        numbers = tuple(_as_number(level) for level in factor.levels)
    order = np.argsort(numbers, kind="stable")
    ranked = np.array(numbers)[order]
    found = np.minimum(np.searchsorted(ranked, values), len(ranked) - 1)
    return np.where(ranked[found] == values, order[found], -1).astype(smallest(len(numbers)))


def _as_number(level: str) -> float:
    try:
        return {"False": 0.0, "True": 1.0}[level] if level in {"False", "True"} else float(level)
    except ValueError:
        return np.inf


def _never_seen(factor: CategoricalFactor, column: Column | None, value: str, where: int) -> DataError:
    levels = listed(factor.levels)
    name = factor.label if column is None else f"column {column.name!r}"
    return DataError(
        f"{name} has the level {value} in row {where}, which was not among the levels fitted ({levels});"
        ' leave the row out, or use unseen="nan" or unseen="reference"'
    )
