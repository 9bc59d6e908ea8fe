"""Which terms a search may add: a scope read against the model, encoded once beside it.

May import: everything below `fit`.
Read next: `etamu.fit.add`, `etamu.fit.step`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.errors import DataError, FormulaError, NotAvailableError
from etamu._base.facts import dataclass
from etamu.data.encode import Encoded, encode, missing_rows
from etamu.data.expression import Name, Parsed
from etamu.data.formula import Statement, Term, parse, refuse_own
from etamu.data.frame import Frame
from etamu.data.schema import Schema, settle
from etamu.design.chunk import Chunk, Predictor
from etamu.fit.problem import OfRows, Problem, Sample

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

DOT = re.compile(r"`[^`]*`|\"[^\"]*\"|'[^']*'|(?<![\w.\])])\.(?![\w.])")
"""A dot that stands alone, or something in quotes in which no dot counts."""

Key = frozenset[str]
"""A term as the set of its factors, the same whatever order they were written in."""


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """A model in words that can be changed: its statement, and the table its names stand in.

    Parameters
    ----------
    statement : Statement
    frame : Frame
    """

    statement: Statement
    frame: Frame

    def keys(self) -> tuple[Key, ...]:
        """Return the terms in order, without the intercept."""
        return tuple(self.key(term) for term in self.statement.terms if term.factors)

    def key(self, term: Term) -> Key:
        """Return the factors of a term."""
        return frozenset(self.statement.factors[number].label for number in term.factors)

    def label(self, key: Key) -> str:
        """Return the label of a term of the statement."""
        return next(term.label for term in self.statement.terms if self.key(term) == key)

    def only(self, keys: Iterable[Key], *, first: tuple[Key, ...] = ()) -> Wording:
        """Keep some terms: those that must come first as they stand, the others by number of factors."""
        wanted = set(keys)
        others = [key for key in self.keys() if key in wanted and key not in first]
        order = (*(key for key in first if key in wanted), *sorted(others, key=len))
        constant = tuple(term for term in self.statement.terms if not term.factors)
        by_key = {self.key(term): term for term in self.statement.terms if term.factors}
        return self.saying((*constant, *(by_key[key] for key in order)))

    def saying(self, terms: tuple[Term, ...]) -> Wording:
        """State other terms of the same factors."""
        statement = replace(self.statement, terms=terms)
        return Wording(replace(statement, text=_spelled(statement)), self.frame)


def wording_of(fit: FittedModel) -> Wording:
    """Return the formula of a fit and its table.

    Raises
    ------
    NotAvailableError
        If the model was fitted to arrays, or carries no rows.
    """
    return stated_in(fit.problem, fit.problem.schema)


def stated_in(problem: OfRows, schema: Schema | None) -> Wording:
    """Return the formula of a problem, whose columns have a schema, and its table.

    Raises
    ------
    NotAvailableError
        If the model was fitted to arrays, or carries no rows.
    """
    problem.attached()
    if schema is None or not problem.words.formula or not isinstance(problem.table, Frame):
        raise NotAvailableError(
            "adding and replacing terms needs a formula, and this model was fitted to arrays: fit it with "
            "em.glm"
        )
    return Wording(parse(problem.words.formula, problem.table.names), problem.table)


def widened(wording: Wording, scope: str | Iterable[str]) -> Wording:
    """Add the terms of a scope behind those of the model.

    Parameters
    ----------
    wording : Wording
    scope : str or list of str
        ``"~ . + z + x:z"``, in which `.` is the model as it stands, or labels of terms.

    Raises
    ------
    FormulaError
        If it cannot be read, or names a column that is not there.
    """
    if not isinstance(scope, str):
        scope = "~ . + " + " + ".join(scope)
    right = scope.partition("~")[2] if "~" in scope else scope
    own = _right(wording.statement)
    text = DOT.sub(lambda found: f"({own})" if found.group() == "." else found.group(), right)
    other = parse(f"~ {text}", wording.frame.names)
    if other.offsets and {part.label for part in other.offsets} - {
        part.label for part in wording.statement.offsets
    }:
        raise FormulaError("a scope cannot change the offset: state it in the model")
    for name in other.columns:
        wording.frame.column(name)
    if wording.statement.response is not None:
        refuse_own(wording.statement.response, other.terms, other.factors, scope)
    return _union(wording, other)


def scope_to_add(wording: Wording, scope: str | Iterable[str]) -> tuple[Wording, tuple[Key, ...]]:
    """Read a scope that adds: the wording with all of its terms, and those that may be added one by one.

    Raises
    ------
    FormulaError
        If it cannot be read, names a column that is not there, or adds nothing.
    """
    larger = widened(wording, scope)
    keys = addable(wording.keys(), larger.keys())
    if not keys:
        raise FormulaError(
            f"the scope {scope!r} has no term to add: terms that are there already, and interactions without "
            "their main effects, are left out"
        )
    return larger, keys


def _union(wording: Wording, other: Statement) -> Wording:
    factors = {factor.label: factor for factor in wording.statement.factors}
    factors |= {factor.label: factor for factor in other.factors if factor.label not in factors}
    place = {label: number for number, label in enumerate(factors)}
    known = set(wording.keys())
    terms = list(wording.statement.terms)
    for term in other.terms:
        labels = [other.factors[number].label for number in term.factors]
        if labels and frozenset(labels) not in known:
            terms.append(replace(term, factors=tuple(place[label] for label in labels)))
    statement = replace(wording.statement, factors=tuple(factors.values()), terms=tuple(terms))
    return Wording(replace(statement, text=_spelled(statement)), wording.frame)


def keys_of(wording: Wording, scope: str | Iterable[str]) -> tuple[Key, ...]:
    """Return the terms a scope names, `.` being the model's."""
    bare = wording.saying(tuple(term for term in wording.statement.terms if not term.factors))
    text = scope if isinstance(scope, str) else "~ " + " + ".join(scope)
    own = _right(wording.statement)
    spelled = DOT.sub(lambda found: f"({own})" if found.group() == "." else found.group(), text)
    return widened(bare, spelled).keys()


def addable(present: Iterable[Key], possible: Iterable[Key]) -> tuple[Key, ...]:
    """Return the terms marginality allows to add: all of their possible margins are there already."""
    there, every = set(present), list(possible)
    return tuple(
        key for key in every if key not in there and all(other in there for other in every if other < key)
    )


def deletable(present: Iterable[Key]) -> tuple[Key, ...]:
    """Return the terms marginality allows to drop."""
    there = list(present)
    return tuple(key for key in there if not any(key < other for other in there))


def encoded(fit: FittedModel, wording: Wording) -> Problem:
    """Encode another formula over the rows of a fit; response, weights and offset stay.

    Raises
    ------
    DataError
        If a column that is new has missing values in the rows of the fit, so that the models would not have
        the same rows.
    """
    problem = fit.problem
    chunk = problem.chunk
    found, schema = encoded_beside(wording, chunk)
    predictor = Predictor(found.design, chunk.predictors[0].offset)
    return replace(
        problem,
        layout=found.layout,
        sample=Sample(replace(chunk, predictors=(predictor,)), problem.counted, problem.table),
        schema=schema,
        words=replace(problem.words, formula=wording.statement.text),
        options=replace(problem.options, start=None),
    )


def encoded_beside(wording: Wording, chunk: Chunk) -> tuple[Encoded, Schema]:
    """Encode a formula over the rows of a chunk.

    Raises
    ------
    DataError
        If a column that is new has missing values in them.
    """
    frame = wording.frame
    keep = np.zeros(len(frame), dtype=bool)
    keep[chunk.row_ids] = True
    for name, mask in missing_rows(wording.statement, frame, response=False).items():
        if (mask & keep).any():
            row = int(np.flatnonzero(mask & keep)[0])
            raise DataError(
                f"column {name!r} has {int((mask & keep).sum())} missing values in the rows of this fit, the "
                f"first in row {row}: models with and without it would have different rows; drop them first"
            )
    schema = settle(wording.statement, frame, keep)
    return encode(schema, frame, keep), schema


def _right(statement: Statement) -> str:
    """Write the terms besides the constant, which every scope has as the model has it."""
    return " + ".join(_term(term, statement) for term in statement.terms if term.factors) or "1"


def _spelled(statement: Statement) -> str:
    """Write a statement as a formula that reads back as the same statement."""
    named = [_term(term, statement) for term in statement.terms if term.factors]
    words = [] if statement.intercept else ["0"]
    words += named or (["1"] if statement.intercept else [])
    words += [part.label for part in statement.offsets]
    left = "" if statement.response is None else f"{_factor(statement.response)} "
    return f"{left}~ {' + '.join(words)}"


def _term(term: Term, statement: Statement) -> str:
    text = ":".join(_factor(statement.factors[number]) for number in term.factors)
    return text if term.scale == 1.0 else f"{term.scale:g}:{text}"


def _factor(parsed: Parsed) -> str:
    plain = re.fullmatch(r"[^\W\d][\w.]*", parsed.label)
    return f"`{parsed.label}`" if isinstance(parsed.expression, Name) and not plain else parsed.label
