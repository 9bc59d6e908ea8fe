"""From formulas and keywords to a complete VectorProblem; every refusal happens here, before any work.

May import: everything below `vector`.
Read next: `etamu.vector.response` for the left side, then `etamu.vector.estimate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import NoneType
from typing import Any

import numpy as np

from etamu._base.errors import DataError, FormulaError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.data.column import Column
from etamu.data.encode import Encoded, counts
from etamu.data.formula import parse
from etamu.data.frame import Frame, read
from etamu.data.schema import Schema
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.family.vector import Parameter, VectorFamily
from etamu.fit.arrays import Shape, columns_of_arrays
from etamu.fit.assemble import (
    ByFormula,
    Columns,
    added_offset,
    complete_rows,
    missing_in,
    notes_on,
    refuse_twins,
    say_dropped,
    say_levels,
    words_of,
)
from etamu.fit.inputs import Keywords, columns_of, kept, numbers, offset_from, trials_from, weights_from
from etamu.fit.problem import Options, Sample, tally
from etamu.vector.covariance import check
from etamu.vector.problem import Predicted, VectorProblem
from etamu.vector.response import Left, answered, trials_of
from etamu.vector.separation import refuse_answer


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """A table, which of its rows are complete, and what the keywords say of each."""

    frame: Frame
    complete: Mask
    offset: Array | None
    exposure: Array | None
    precision: Array | None = None


def from_formulas(
    formula: str,
    predictors: Mapping[str, str],
    data: Any,
    family: VectorFamily,
    keywords: Keywords,
    missing: str,
    options: Options,
) -> VectorProblem:
    """State the problem that a formula, and formulas of further predictors, describe.

    Parameters
    ----------
    formula : str
        Left side, and the right side of the main predictors.
    predictors : mapping of str to str
        Right sides of other predictors by the name of their parameter, "~ x".

    Raises
    ------
    FormulaError
        If a formula cannot be read or names a column that is not there.
    DataError
        If a column, a value or a length cannot be used; column, row, value and remedy are named.
    OptionError
        If `predictors` names no parameter of the family.
    """
    if not isinstance(formula, str):
        raise FormulaError(f"the formula is a {type(formula).__name__}; write one such as 'y ~ x'")
    frame = read(data)
    if not len(frame):
        raise DataError("the data have no rows")
    main = ByFormula(parse(formula, frame.names), frame)
    sides = Sides(
        main,
        formula.partition("~")[2].strip(),
        partial(counts, main.statement, frame),
        lambda text: ByFormula(parse(_with_left(formula, text), frame.names), frame),
    )
    return _assembled(sides, predictors, family, keywords, missing, options)


def from_arrays(
    X: Any,
    y: Any,
    family: VectorFamily,
    keywords: Keywords,
    missing: str,
    options: Options,
    shape: Shape,
    predictors: Mapping[str, str],
) -> VectorProblem:
    """State the problem that a matrix or a table, and a response beside it, describe.

    The columns are those of the main predictors; every other one has its constant, or what the family says.

    Raises
    ------
    DataError
        If a shape, a column or a value cannot be used; column, row, value and remedy are named.
    OptionError
        If names are given for a table, which has its own.
    FormulaError
        If the family has terms of its own and X is a matrix, whose columns no formula can name.
    """
    main = columns_of_arrays(X, y, keywords, shape)
    sides = Sides(main, "", lambda _: None, main.beside)
    return _assembled(sides, predictors, family, keywords, missing, options)


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """What a model is made of: the columns of its main predictors, counts of classes, and other right sides.

    Parameters
    ----------
    main : Columns
    right : str
        Their right side, empty for arrays.
    counts : callable
        The response as counts of classes over the rows in use, None where it is none.
    beside : callable
        The columns of another right side, "~ x".
    """

    main: Columns
    right: str
    counts: Callable[[Mask], tuple[Column, ...] | None]
    beside: Callable[[str], Columns]

    def of(self, text: str) -> Columns:
        """Return the columns of a right side; the main ones for that of the model."""
        return self.main if text == self.right else self.beside(text)


def _assembled(
    sides: Sides,
    predictors: Mapping[str, str],
    family: VectorFamily,
    keywords: Keywords,
    missing: str,
    options: Options,
) -> VectorProblem:
    frame = sides.main.frame
    given = columns_of(frame, keywords)
    masks: dict[str, Mask] = {}
    for columns in (sides.main, *(sides.beside(each) for each in _formulas(family, predictors))):
        masks |= columns.missing()
    masks = missing_in(masks, given)
    complete = complete_rows(len(frame), masks)
    dropped = {name: int(mask.sum()) for name, mask in masks.items() if mask.any()}
    say_dropped(complete, dropped, missing)
    weights, precision = _taken_out(family, weights_from(given, complete))
    trials = kept(trials_from(given["trials"]), complete) if "trials" in given else None
    row_ids = np.arange(len(frame)) if complete.all() else np.flatnonzero(complete)
    total = weights.total()
    flags = np.ones(len(row_ids), dtype=bool) if total is None else total > 0
    left = Left(sides.main.response, sides.counts, complete, row_ids, flags)
    answer = answered(family, left, trials)
    held = trials_of(answer.y, answer.family)
    flags = flags if held is None else flags & (held > 0)
    _refuse_strangers(answer.family, predictors)
    exposure = total
    if "exposure" in given:
        exposure = kept(numbers(given["exposure"], "exposure"), complete)
    rows = _Rows(frame, complete, _offset(answer.family, given), exposure, precision)
    stated_predictors, encoded = _predictors(answer.family, sides, predictors, rows)
    schemas = [each.schema for each in stated_predictors if each.schema is not None]
    notes = (*notes_on(complete, dropped), *say_levels(schemas, frame))
    return VectorProblem(
        family=answer.family,
        predictors=stated_predictors,
        sample=Sample(Chunk(encoded, answer.y, weights, row_ids), flags, frame),
        tally=tally(len(frame), flags),
        dropped=dropped,
        words=replace(words_of(sides.main.formula, answer.columns, keywords), response=answer.name),
        options=options,
        notes=notes,
    )


def _taken_out(family: VectorFamily, weights: Weights) -> tuple[Weights, Array | None]:
    """Take variance weights out where a predictor is the dispersion they divide."""
    if not any(each.weighted for each in family.parameters) or weights.variance is None:
        return weights, None
    if np.any(weights.variance == 0.0):
        raise DataError("variance_weights must be positive where the dispersion is modelled: drop the row")
    return replace(weights, variance=None), weights.variance


def refuse_for_several(family: VectorFamily, options: Options) -> None:
    """Refuse options that a family of several predictors has no use for.

    Raises
    ------
    OptionError
    """
    if options.dispersion is not None:
        raise OptionError(f"the {family.name} family has no dispersion to choose: leave dispersion= out")
    if options.covariance is not None:
        check(options.covariance)
    plain = Options()
    refuse_answer(family, options.on_separation)
    pairs = ", or fit one class against another as a bernoulli model, which has it"
    for word, instead in (("method", pairs if family.categorical else ""), ("precision", "")):
        if getattr(options, word) != getattr(plain, word):
            raise OptionError(
                f"{word}={getattr(options, word)!r} is for models of one linear predictor; the {family.name} "
                f"family has several: leave {word}= out{instead}"
            )


def _with_left(formula: str, right: str) -> str:
    """Put the left side of a formula before another right side, so that `.` means the same in both."""
    left, tilde, _ = formula.partition("~")
    return f"{left}~ {right.strip().removeprefix('~').strip()}" if tilde else right


def _formulas(family: VectorFamily, predictors: Mapping[str, str]) -> list[str]:
    """Return every right side beside the main one, each once."""
    for name, right in predictors.items():
        if not isinstance(right, str):
            raise FormulaError(f"predictors[{name!r}] is a {type(right).__name__}; write one such as '~ x'")
        if right.partition("~")[0].strip() and "~" in right:
            raise FormulaError(f"predictors[{name!r}] is {right!r}; it has no left side, write '~ x'")
    own = [*(each.formula for each in family.parameters), getattr(family, "nonproportional", None)]
    for formula in own:
        if not isinstance(formula, (str, NoneType)):
            raise FormulaError(f"nonproportional={formula!r} is no formula; write one such as '~ x'")
    return [*dict.fromkeys([*predictors.values(), *(right for right in own if right)])]


def _refuse_strangers(family: VectorFamily, predictors: Mapping[str, str]) -> None:
    names = [parameter.name for parameter in family.parameters]
    for name in predictors:
        if name not in names:
            listed = ", ".join(map(repr, names))
            base = family.settings.get("reference")
            why = f"; {name!r} is the class the others are against" if name == base else ""
            raise OptionError(
                f"predictors={{{name!r}: …}} names no parameter of {family.name}; it has {listed}{why}"
            )


def _offset(family: VectorFamily, given: Mapping[str, Any]) -> Array | None:
    """Add offset and log exposure, which belong to the main predictors."""
    main = next((each for each in family.parameters if each.main), family.parameters[0])
    return offset_from(given, main)


def _predictors(
    family: VectorFamily, sides: Sides, predictors: Mapping[str, str], rows: _Rows
) -> tuple[tuple[Predicted, ...], tuple[Predictor, ...]]:
    """Encode every predictor; those of one formula are one."""
    seen: dict[tuple[str, bool], tuple[Encoded, Schema | None, Predictor]] = {}
    stated: list[Predicted] = []
    ready: list[Predictor] = []
    anchors = [each for each in family.parameters if not each.anchored]
    for parameter in family.parameters:
        right = predictors.get(parameter.name)
        of_model = right is None and parameter.main
        text = sides.right if of_model else (right or parameter.formula)
        text = text.strip().removeprefix("~").strip()
        with_offset = parameter.main and rows.offset is not None
        key = (text, with_offset or parameter.weighted)
        if key not in seen:
            encoded, schema = sides.of(text).encode(rows.complete, rows.exposure)
            refuse_twins(encoded.layout.names)
            offset = added_offset(encoded, rows.offset if with_offset else None, rows.complete)
            if parameter.weighted and rows.precision is not None:
                offset = -np.log(rows.precision) if offset is None else offset - np.log(rows.precision)
            seen[key] = encoded, schema, Predictor(encoded.design, offset)
        encoded, schema, predictor = seen[key]
        hidden = _hidden(parameter, anchors, encoded, rows)
        formula = f"~ {text}" if text else ""
        stated.append(Predicted(parameter, formula, encoded.layout, schema, hidden, with_offset))
        ready.append(predictor)
    return tuple(stated), tuple(ready)


def _hidden(parameter: Parameter, anchors: list[Parameter], encoded: Encoded, rows: _Rows) -> tuple[str, ...]:
    """Name the terms of an anchored predictor that are the others': the constant, and terms they have too."""
    if not parameter.anchored:
        return ()
    if "Intercept" not in encoded.layout.names:
        raise FormulaError(
            "the thresholds are the intercepts of an ordinal model: leave 0 + out of the formula"
        )
    others = {term.label for each in anchors for term in parse(f"~ {_right(each)}", rows.frame.names).terms}
    return tuple(term.label for term in encoded.layout.terms if term.label in {"Intercept", *others})


def _right(parameter: Parameter) -> str:
    return parameter.formula.strip().removeprefix("~").strip()
