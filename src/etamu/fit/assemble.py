"""From columns and keywords to a complete Problem; every refusal happens here, before any work.

May import: everything below `fit`.
Read next: `etamu.fit.arrays` for columns without a formula, then `etamu.fit.estimate`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from etamu._base.errors import (
    DataError,
    DroppedLevelsWarning,
    DroppedRowsWarning,
    EtamuWarning,
    FormulaError,
)
from etamu._base.facts import dataclass
from etamu._base.flags import all_set, are_all
from etamu._base.listing import listed
from etamu._base.types import Array, Mask
from etamu.data.column import Column
from etamu.data.doubts import doubts
from etamu.data.encode import Encoded, encode, missing_rows, response
from etamu.data.formula import Statement, parse
from etamu.data.frame import Frame, read
from etamu.data.schema import Schema, settle
from etamu.design.chunk import Ids, Predictor
from etamu.execute.threads import UNREAD, aside, worthwhile
from etamu.family.unit import Unit
from etamu.fit.caller import user_level
from etamu.fit.inputs import (
    Keywords,
    columns_of,
    kept,
    numbers,
    offset_from,
    refuse_response,
    trials_from,
    weights_from,
)
from etamu.fit.problem import Options, Problem, Sample, Words, tally
from etamu.fit.response import refuse_uncountable, response_columns


class Columns(Protocol):
    """What a model is made of besides its keywords: a table and a statement, or a matrix."""

    @property
    def frame(self) -> Frame:
        """The rows against which keywords are read."""

    @property
    def formula(self) -> str:
        """The formula as it was given, empty where there was none."""

    def missing(self) -> dict[str, Mask]:
        """Where columns have missing values, by name."""

    def response(self, keep: Mask) -> tuple[Column, ...]:
        """Return the response over the rows in use."""

    def encode(self, keep: Mask, exposure: Array | None) -> tuple[Encoded, Schema | None]:
        """Turn the rows in use into a design; the schema is how new data will be read."""


@dataclass(frozen=True, slots=True, eq=False)
class ByFormula:
    """A formula and its table."""

    statement: Statement
    frame: Frame

    @property
    def formula(self) -> str:
        """The formula as it was given."""
        return self.statement.text

    def missing(self) -> dict[str, Mask]:
        """Where the columns of the formula have missing values."""
        return missing_rows(self.statement, self.frame)

    def response(self, keep: Mask) -> tuple[Column, ...]:
        """Evaluate the left side over the rows in use."""
        return response(self.statement, self.frame, keep)

    def encode(self, keep: Mask, exposure: Array | None) -> tuple[Encoded, Schema]:
        """Settle the schema and encode the rows in use."""
        return settled(self.statement, self.frame, keep, exposure)


def settled(statement: Statement, frame: Frame, keep: Mask, exposure: Array | None) -> tuple[Encoded, Schema]:
    """Settle a schema on the rows in use and encode them by it."""
    schema = settle(statement, frame, keep, exposure)
    return encode(schema, frame, keep), schema


def from_formula(
    formula: str, data: Any, unit: Unit, keywords: Keywords, missing: str, options: Options
) -> Problem:
    """State the problem a formula describes.

    Raises
    ------
    FormulaError
        If the formula cannot be read or names a column that is not there.
    DataError
        If a column, a value or a length cannot be used; column, row, value and remedy are named.
    """
    if not isinstance(formula, str):
        raise FormulaError(f"the formula is a {type(formula).__name__}; write one such as 'y ~ x'")
    frame = read(data)
    if not len(frame):
        raise DataError("the data have no rows")
    columns = ByFormula(parse(formula, frame.names), frame)
    with worthwhile(len(frame) * len(frame.names), least=UNREAD):
        return assemble(columns, unit, keywords, missing, options)


def assemble(columns: Columns, unit: Unit, keywords: Keywords, missing: str, options: Options) -> Problem:
    """Put response, design and keywords together over the complete rows.

    Raises
    ------
    DataError
        If a column, a value or a length cannot be used; column, row, value and remedy are named.
    """
    frame = columns.frame
    given = columns_of(frame, keywords)
    offset = aside(partial(offset_from, given, unit))
    masks = missing_in(columns.missing(), given)
    complete = complete_rows(len(frame), masks)
    dropped = {name: int(mask.sum()) for name, mask in masks.items() if mask.any()}
    say_dropped(complete, dropped, missing)
    trials = kept(trials_from(given["trials"]), complete) if "trials" in given else None
    row_ids: Ids = range(len(frame)) if are_all(complete) else np.flatnonzero(complete)
    answer = columns.response(complete)
    refuse_response(answer[0].name, keywords)
    checked = aside(partial(response_columns, unit.family, answer, trials, row_ids))
    weights = weights_from(given, complete)
    exposure = weights.total()
    if "exposure" in given:
        exposure = kept(numbers(given["exposure"], "exposure"), complete)
    encoded, schema = columns.encode(complete, exposure)
    refuse_twins(encoded.layout.names)
    predictor = Predictor(encoded.design, added_offset(encoded, offset(), complete))
    schemas = [] if schema is None else [schema]
    notes = (*notes_on(complete, dropped), *say_levels(schemas, frame))
    answers = checked()
    refuse_uncountable(unit, answer[0].name, answers)
    flags = counted(answers.y, weights.total(), len(row_ids))
    return Problem(
        unit=unit,
        layout=encoded.layout,
        sample=Sample(answers.beside((predictor,), weights), flags, None if schema is None else frame),
        tally=tally(len(frame), flags),
        dropped=dropped,
        schema=schema,
        words=words_of(columns.formula, answer, keywords),
        options=options,
        notes=notes,
    )


def refuse_twins(names: tuple[str, ...]) -> None:
    """Refuse two coefficients of one name."""
    twins = (
        [name for place, name in enumerate(names) if name in names[:place]]
        if len(set(names)) < len(names)
        else []
    )
    if twins:
        raise FormulaError(f"two coefficients would be called {twins[0]!r}; rename the column of that name")


def counted(y: tuple[Array, ...], total: Array | None, n: int) -> Mask:
    """Flag rows of positive weight; a row without trials has none."""
    flags = all_set(n) if total is None else total > 0
    if len(y) == 1 or (y[1].strides == (0,) and n and y[1][0] > 0):
        return flags
    return flags & (y[1] > 0)


def missing_in(masks: dict[str, Mask], columns: dict[str, Column]) -> dict[str, Mask]:
    """Add the missing values of keyword columns to those of the formula."""
    found = dict(masks)
    for keyword, column in columns.items():
        if column.missing is not None:
            found.setdefault(column.name or keyword, column.missing)
    return found


def complete_rows(n: int, masks: dict[str, Mask]) -> Mask:
    """Flag the rows in which nothing is missing."""
    complete = np.ones(n, dtype=bool) if masks else all_set(n)
    for mask in masks.values():
        np.greater(complete, mask, out=complete)  # complete and not missing
    return complete


def say_dropped(complete: Mask, dropped: dict[str, int], missing: str) -> None:
    """Warn of dropped rows, or refuse them where that was asked or none is left."""
    if are_all(complete):
        return
    lost = int((~complete).sum())
    where = listed([f"{name} ({count})" for name, count in dropped.items()])
    if lost == len(complete):
        raise DataError(f"every row has a missing value: {where}; leave such a column out or fill it in")
    if missing == "raise":
        row = int(np.flatnonzero(~complete)[0])
        raise DataError(
            f"{lost} of {len(complete)} rows have missing values, the first is row {row}: {where}; "
            "drop or fill them, or use missing='drop'"
        )
    warnings.warn(_sentence(complete, dropped), DroppedRowsWarning, stacklevel=user_level())


def _sentence(complete: Mask, dropped: dict[str, int]) -> str:
    where = listed([f"{name} ({count})" for name, count in dropped.items()])
    return f"{int((~complete).sum())} of {len(complete)} rows dropped for missing values: {where}"


def notes_on(complete: Mask, dropped: dict[str, int]) -> tuple[str, ...]:
    """Say what rows were dropped, for the summary."""
    return () if are_all(complete) else (_sentence(complete, dropped),)


def say_levels(schemas: Sequence[Schema], frame: Frame) -> tuple[str, ...]:
    """Warn of levels that were dropped, and of text that was probably not meant as levels."""
    gone = {name: levels for schema in schemas for name, levels in schema.dropped_levels}
    each = "; ".join(f"{name}: {listed(levels)}" for name, levels in gone.items())
    notes = [f"declared levels that no row used has were dropped: {each}"] if gone else []
    for note in notes:
        warnings.warn(note, DroppedLevelsWarning, stacklevel=user_level())
    doubtful = dict.fromkeys(sentence for schema in schemas for sentence in doubts(schema, frame))
    for sentence in doubtful:
        warnings.warn(sentence, EtamuWarning, stacklevel=user_level())
    return (*notes, *doubtful)


def added_offset(encoded: Encoded, offset: Array | None, complete: Mask) -> Array | None:
    """Add the offset of the keywords to that of the formula, over the rows in use."""
    if offset is None:
        return encoded.offset
    used = kept(offset, complete)
    return used if encoded.offset is None else used + encoded.offset


def words_of(formula: str, answer: tuple[Column, ...], keywords: Keywords) -> Words:
    """Say how the model is called when it is shown."""
    if not answer:
        raise FormulaError(f"the formula {formula!r} has no response: write 'y ~ ...'")
    kinds = ("frequency_weights", "variance_weights", "sampling_weights")
    weights = ((kind, keywords.name_of(kind)) for kind in kinds)
    return Words(
        response=answer[0].name,
        formula=formula,
        offset=keywords.name_of("offset"),
        exposure=keywords.name_of("exposure"),
        trials=keywords.name_of("trials"),
        given=keywords.arrays(),
        weights=tuple((kind, name) for kind, name in weights if name is not None),
    )
