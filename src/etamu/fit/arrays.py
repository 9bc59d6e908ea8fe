"""From arrays to a Problem: matrices, sparse matrices, and tables without a formula.

May import: everything below `fit`.
Read next: `etamu.fit.assemble`, which checks response and keywords.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import DataError, FormulaError, OptionError
from etamu._base.facts import dataclass
from etamu._base.flags import are_all
from etamu._base.types import Array, Mask
from etamu.data.column import Column
from etamu.data.encode import Encoded, missing_rows
from etamu.data.formula import Statement, additive, parse
from etamu.data.frame import Frame, bare_rows, is_table, read
from etamu.data.matrix import Matrix, check_names, read_matrix
from etamu.data.schema import Schema
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.design.coordinates import describe
from etamu.design.design import Design
from etamu.design.moments import Moments
from etamu.execute.threads import Threads, worthwhile
from etamu.family.unit import Unit
from etamu.fit.assemble import Columns, assemble, settled
from etamu.fit.inputs import Keywords
from etamu.fit.problem import Options, Problem

WEIGHT_KINDS = ("variance", "frequency", "sampling")
"""What `sample_weight` may mean."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is said of a matrix besides its numbers.

    Parameters
    ----------
    intercept : bool
        Whether a column of ones comes first; beyond this door it is a column like any other.
    names : sequence of str, optional
        Names of the columns of a matrix.
    """

    intercept: bool = True
    names: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ByTable:
    """The columns of a table side by side, and a response beside it."""

    statement: Statement
    frame: Frame
    y: Column
    formula: str = ""

    def missing(self) -> dict[str, Mask]:
        """Where columns and response have missing values."""
        return _with_response(missing_rows(self.statement, self.frame, response=False), self.y)

    def response(self, keep: Mask) -> tuple[Column, ...]:
        """Return the response over the rows in use."""
        return (_kept(self.y, keep),)

    def encode(self, keep: Mask, exposure: Array | None) -> tuple[Encoded, Schema]:
        """Settle levels on the rows in use and encode them."""
        return settled(self.statement, self.frame, keep, exposure)

    def beside(self, right: str) -> Columns:
        """Return the columns of another right side, of another predictor."""
        right = right.strip().removeprefix("~").strip()
        return ByTable(parse(f"~ {right}", self.frame.names), self.frame, self.y)


@dataclass(frozen=True, slots=True, eq=False)
class ByMatrix:
    """The columns of a matrix, and a response beside it."""

    matrix: Matrix
    intercept: bool
    frame: Frame
    y: Column
    formula: str = ""

    def missing(self) -> dict[str, Mask]:
        """Where columns and response have missing values."""
        return _with_response(self.matrix.missing(), self.y)

    def response(self, keep: Mask) -> tuple[Column, ...]:
        """Return the response over the rows in use."""
        return (_kept(self.y, keep),)

    def encode(self, keep: Mask, exposure: Array | None) -> tuple[Encoded, None]:
        """Take the rows in use as they lie; no levels, nothing to compare by exposure."""
        del exposure
        return self.matrix.encode(keep, intercept=self.intercept), None

    def beside(self, right: str) -> Columns:
        """Return the columns of another right side, of another predictor: the constant alone.

        Raises
        ------
        FormulaError
            If it names a column.
        """
        if right.strip().removeprefix("~").strip() != "1":
            raise FormulaError(
                f"{right!r} names columns, and those of a matrix have no names: give X as a table"
            )
        return replace(self, matrix=self.matrix.none(), intercept=True)


LARGE = 2_000_000
"""From this many numbers on a matrix is not read before the first pass over it, unless that was asked for."""


def from_arrays(
    X: Any,
    y: Any,
    unit: Unit,
    keywords: Keywords,
    missing: str,
    options: Options,
    shape: Shape,
    *,
    read: bool = True,
) -> Problem:
    """State the problem that a matrix or a table, and a response beside it, describe.

    Unless `read`, a large matrix is taken to hold finite numbers, which its fit verifies.

    Raises
    ------
    DataError
        If a shape, a column or a value cannot be used; column, row, value and remedy are named.
    OptionError
        If names are given for a table, which has its own.
    """
    with worthwhile(_numbers(X)):
        columns = columns_of_arrays(X, y, keywords, shape, read=read)
        return assemble(columns, unit, keywords, missing, options)


def columns_of_arrays(
    X: Any, y: Any, keywords: Keywords, shape: Shape, *, read: bool = True
) -> ByTable | ByMatrix:
    """Read a matrix or a table, and the response beside it.

    Raises
    ------
    DataError, OptionError
        As `from_arrays`.
    """
    if shape.intercept not in (True, False):
        raise OptionError(f"intercept={shape.intercept!r} is not understood; give True or False")
    if isinstance(shape.names, str):
        raise OptionError(f"names={shape.names!r} is one text; give a list with one name per column")
    return _by_table(X, y, keywords, shape) if is_table(X) else _by_matrix(X, y, shape, read=read)


def _by_table(X: Any, y: Any, keywords: Keywords, shape: Shape) -> ByTable:
    if shape.names is not None:
        raise OptionError("names= is for a matrix; the columns of a table have names: rename them there")
    frame = read(X)
    if not len(frame):
        raise DataError("X has no rows")
    # A column that a keyword names is offset, trials or weight, and not a predictor as well.
    taken = {keywords.name_of(keyword) for keyword in keywords.given()}
    names = tuple(name for name in frame.names if name not in taken)
    check_names(names)
    _refuse_nothing(len(names), shape)
    return ByTable(additive(names, intercept=shape.intercept), frame, _response(frame, y))


def _by_matrix(X: Any, y: Any, shape: Shape, *, read: bool) -> ByMatrix:
    matrix = read_matrix(X, shape.names, _described, read=read or _numbers(X) < LARGE)
    _refuse_nothing(len(matrix.names), shape)
    frame = bare_rows(len(matrix))
    return ByMatrix(matrix, shape.intercept, frame, _response(frame, y))


def _numbers(X: Any) -> int:
    """Return how many numbers a matrix holds; tensors have a method called `size`, lists have neither."""
    size = getattr(X, "size", None)
    return size if isinstance(size, int) else math.prod(getattr(X, "shape", (0,)))


def _described(design: Design) -> Moments:
    """Describe the columns of a matrix in one pass."""
    rows = Chunk((Predictor(design),), (), Weights(), np.broadcast_to(np.int64(0), design.length))
    return Threads(rows).reduce(lambda block: describe(block.predictors[0].design))


def _refuse_nothing(width: int, shape: Shape) -> None:
    if not width and not shape.intercept:
        raise DataError("X has no columns and intercept=False leaves none: there is nothing to fit")


def _response(frame: Frame, y: Any) -> Column:
    if y is None or isinstance(y, str):
        raise DataError(f"y is {y!r}; give one value per row, or use a formula to name a column of the table")
    column = frame.keyword("y", y)
    name = getattr(y, "name", None)
    if not isinstance(name, str) or not name:
        return column
    return replace(column, name=name)


def _with_response(masks: dict[str, Mask], y: Column) -> dict[str, Mask]:
    if y.missing is None:
        return masks
    # A predictor may bear the name of the response; its gaps are counted apart.
    name = y.name if y.name not in masks else f"{y.name} (response)"
    return {**masks, name: y.missing}


def _kept(column: Column, keep: Mask) -> Column:
    if are_all(keep):
        return column
    return replace(column, values=column.values[keep], missing=None, ends=None)


def keywords_of(kind: str, weights: Any, offset: Any, exposure: Any) -> Keywords:
    """Say which of the three kinds of weights scikit-learn's `sample_weight` is.

    Raises
    ------
    OptionError
        If there is no such kind.
    """
    check_choice("sample_weight_kind", kind, WEIGHT_KINDS)
    return Keywords(offset=offset, exposure=exposure, **{f"{kind}_weights": weights})
