"""A fit of several predictors in words: one sentence per coefficient, on the scale of its own predictor.

May import: everything below `vector`.
Read next: `etamu.fit.interpret`, whose sentences these are; the families say what a predictor is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.family.link import Link
from etamu.fit.interpret import Interpretation
from etamu.fit.meaning import meanings
from etamu.fit.problem import Words
from etamu.fit.sentences import Sentence, Teller, whole_term
from etamu.fit.words import UNKNOWN_DIRECTION, Kind, Scale, percent_of
from etamu.infer.wald import interval

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel


@dataclass(frozen=True, slots=True, eq=False)
class _Stated:
    """What sentences ask of a problem: how columns were made, and how the model is called."""

    schema: Any
    words: Words
    sample: None = None


@dataclass(frozen=True, slots=True, eq=False)
class _One:
    """One predictor of a fit as sentences know a fit: all columns of its formula, NaN where not its own."""

    problem: _Stated
    names: tuple[str, ...]
    coef: Array
    link: Link
    aliased: tuple[str, ...] = ()


def interpret(
    fit: FittedVectorModel, units: Mapping[str, str] | None = None, level: float = 0.95
) -> Interpretation:
    """Say in words what the coefficients of each predictor mean, as `VectorFit.interpret` describes.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"taste": [1, 2, 3, 2, 3, 1, 2, 3], "salt": [1.0, 2.0, 4.0, 3.0, 3.0, 2.0, 1.0, 2.0]}
    >>> fit = em.glm("taste ~ salt", data, family=em.Cumulative())
    >>> print(fit.interpret(units={"salt": "gram"})["salt"].sentence[:62])
    each additional gram of salt multiplies the odds of a higher c
    """
    sentences = tuple(
        sentence
        for number in range(len(fit.problem.predictors))
        for sentence in _told(fit, number, units, level)
    )
    held = (
        "Each sentence holds the other columns as they are; intervals are Wald intervals "
        f"({percent_of(level)} %), those of a ratio taken on the scale of the link."
    )
    notes = [held, *fit.family.explained]
    if any(UNKNOWN_DIRECTION in each.sentence for each in sentences):
        notes.append("Where the data do not tell the direction, the interval includes no change.")
    if not (fit.converged or fit.at_end.any()):
        notes.append(f"NOT CONVERGED ({fit.outcome.value}): the sentences describe an unverified estimate.")
    if runs := [name for name, value in zip(fit.names, fit.coef, strict=True) if np.isinf(value)]:
        notes.append(f"No finite estimate exists of {', '.join(runs)}: see `existence`.")
    heading = f"What the coefficients of {fit.formula or 'the model'} say ({fit.family.name})"
    return Interpretation(heading, sentences, tuple(notes))


def _told(
    fit: FittedVectorModel, number: int, units: Mapping[str, str] | None, level: float
) -> Iterator[Sentence]:
    """Tell the coefficients of one predictor but its intercept; the columns of a basis once per term."""
    stated = fit.problem.predictors[number]
    names = tuple(fit.family.label(stated.parameter, column) for column in stated.layout.names)
    place = {name: j for j, name in enumerate(fit.names)}
    hidden = {t.label for t in stated.layout.terms if t.label in stated.hidden}
    rows = [place.get(name, -1) for name in names]
    coef = np.array([fit.coef[j] if j >= 0 else np.nan for j in rows])
    ends = interval(fit.coef, fit.se, level, fit.reference_df)
    intervals = np.array([ends[j] if j >= 0 else (np.nan, np.nan) for j in rows]).reshape(-1, 2)
    told_by = stated.layout.names if stated.schema is None else names
    one: Any = _One(_Stated(stated.schema, fit.problem.words), told_by, coef, stated.parameter.link)
    wording = fit.family.wording(stated.parameter)
    scale = Scale(
        wording.word, wording.noun, cast("Kind", wording.kind), wording.mean, wording.sign, wording.pronoun
    )
    nothing: Any = None
    teller = Teller(one, scale, level, nothing, intervals)
    columns = told_by if stated.schema is None else stated.schema.columns
    known = {each for each in units or {} if each in columns}
    every = meanings(one, {name: unit for name, unit in (units or {}).items() if name in known})
    said: set[str] = set()
    for meaning in every:
        if meaning.term in hidden or not meaning.changes or np.isinf(coef[meaning.index]):
            continue
        if meaning.aliased or not any(change.whole for change in meaning.changes):
            yield replace(teller.tell(meaning), name=names[meaning.index])
        elif meaning.term not in said:
            said.add(meaning.term)
            mine = [each for each in every if each.term == meaning.term and not each.aliased]
            yield whole_term(meaning.term, len(mine))
