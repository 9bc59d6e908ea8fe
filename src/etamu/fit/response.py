"""The response: columns of y as the family needs them, every value checked against its support.

May import: everything below `fit`.
Read next: `etamu.fit.assemble`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from etamu._base.errors import DataError
from etamu._base.types import Array
from etamu.data.column import Column
from etamu.design.chunk import Chunk, Ids, Weights
from etamu.family.family import Family
from etamu.family.unit import Unit
from etamu.fit.inputs import exactly, numbers, refuse, whole_tolerance

BINARY = ("bernoulli", "binomial", "quasibinomial")
"""Families whose response may be a factor with two levels."""

COUNTED = 1e60
"""Counts up to which every power that a fit needs is a number."""

BLOCK = 16_384
"""Rows checked at once, so that what a check needs stays in the cache."""


def response_columns(family: Family, columns: tuple[Column, ...], trials: Array | None, rows: Ids) -> Chunk:
    """Return the family's response columns over the rows in use, as rows without predictors.

    A factor with two levels is 0 for the first and 1 for the second; `cbind(successes, failures)`
    arrives as two columns, the successes and the trials.

    Parameters
    ----------
    family : Family
    columns : tuple of Column
        The left side of the formula.
    trials : array, optional
        Trials given by keyword.
    rows : Ids
        Positions of the rows in use in the input, for messages.

    Raises
    ------
    DataError
        If a value lies outside the support of the family; names the row, the value and the remedy.
    """
    first = columns[0]
    if len(columns) > 1:
        if trials is not None:
            raise DataError("cbind(successes, failures) states the trials already: leave trials= out")
        trials = numbers(columns[1], "trials", rows)
    if len(family.response) == 1:
        if trials is not None:
            raise DataError(
                f"trials belong to the binomial family, not to {family.name}: for quasibinomial give the "
                "proportion as response and the trials as variance_weights"
            )
        answers = Chunk((), (_numeric(family, first, rows),), Weights(), rows)
        if not _within(family, first):
            _check_support(family, first.name, answers)
        return answers
    successes = _numeric(family, first, rows)
    if trials is not None:
        return Chunk((), _counts(first.name, successes, trials, rows), Weights(), rows)
    one_each = np.broadcast_to(np.float64(1.0), len(rows))  # costs eight bytes
    answers = Chunk((), (successes, one_each), Weights(), rows)
    _check_binary(first.name, answers)
    return answers


def _numeric(family: Family, column: Column, rows: Ids) -> Array:
    if column.kind in {"numeric", "boolean"}:
        return numbers(column, f"response {column.name!r}", rows)
    if family.name not in BINARY:
        raise DataError(
            f"the response {column.name!r} is {column.kind} (row {rows[0]} holds {column.shown(0)}), but the "
            f"{family.name} family needs {family.support!r}: convert it, or choose a family of classes"
        )
    levels = column.levels
    if len(levels) == 1:
        raise DataError(
            f"the response {column.name!r} has only the level {levels[0]!r} and the {family.name} family "
            "needs two: there is nothing to explain, or the other was lost in filtering"
        )
    if len(levels) != 2:
        raise DataError(
            f"the response {column.name!r} has {len(levels)} levels ({', '.join(map(repr, levels[:6]))}); "
            f"the {family.name} family needs two: compare one level with the rest, or use a multinomial model"
        )
    return np.asarray(column.codes, dtype=np.float64)


def _within(family: Family, column: Column) -> bool:
    """Tell from the ends of a column alone whether all lie in the support, if that is an interval."""
    if family.support.integer or column.missing is not None or column.ends is None:
        return False
    return all(map(family.support.contains, column.ends))


def _check_support(family: Family, name: str, answers: Chunk) -> None:
    if _holds(answers, family.support.contains):
        return
    y = answers.y[0]
    wrong = ~family.support.contains(y)
    first = int(np.flatnonzero(wrong)[0])
    count = int(wrong.sum())
    more = f" ({count} such rows)" if count > 1 else ""
    raise DataError(
        f"the {family.name} family needs {family.support!r}, but the response {name!r} is "
        f"{exactly(y[first])} in row {answers.ids[first]}{more}{_remedy(family, float(y[first]))}"
    )


def refuse_uncountable(unit: Unit, name: str, answers: Chunk) -> None:
    """Refuse counts whose powers float64 does not hold, where units cannot be taken out of them.

    A count has no unit; with the log link a mean and its variance are in proportion, and one may.

    Raises
    ------
    DataError
        Naming the largest count, its row, and families that know units.
    """
    family = unit.family
    proportional = family.variance_power == 1.0 and unit.link.exponent == 0.0
    if (
        not family.support.integer
        or len(answers.y) > 1
        or proportional
        or _holds(answers, lambda part: part <= COUNTED)
    ):
        return
    refuse(
        answers.y[0] > COUNTED,
        answers.y[0],
        f"the {family.name} family with the {unit.link.name} link counts up to {COUNTED:g}, whose cube is a "
        f"number in float64, in the response {name!r}",
        "of such numbers a gamma or quasipoisson model says the same, in any unit",
        answers.ids,
    )


def _remedy(family: Family, value: float) -> str:
    if not np.isfinite(value):
        return ": correct or remove the row"
    if family.name == "poisson" and value > 0:
        return ": use quasipoisson if the response is not a count"
    if family.name == "bernoulli" and 0 < value < 1:
        return ": give counts with trials=, or use quasibinomial for proportions"
    if family.name in {"gamma", "inverse_gaussian"} and value == 0:
        return ": use tweedie(power=1.5) if zeros are real"
    return ": correct the row or choose a family with this support"


def _check_binary(name: str, answers: Chunk) -> None:
    if _holds(answers, lambda part: np.logical_or(part == 0.0, part == 1.0)):
        return
    y = answers.y[0]
    wrong = (y != 0.0) & (y != 1.0)
    first = int(np.flatnonzero(wrong)[0])
    remedy = "give trials= with the number of trials, or code the response as 0 and 1"
    if 0 < y[first] < 1:
        remedy = "for a proportion give the counts and trials=, or use quasibinomial"
    refuse(wrong, y, f"without trials= the binomial response {name!r} must be 0 or 1", remedy, answers.ids)


def _holds(answers: Chunk, true: Callable[[Array], Any]) -> bool:
    """Tell whether something is true of every response; of small counts each different one is asked once."""
    y = answers.y[0]
    if len(y) > BLOCK and answers.tally is not None:
        return bool(np.all(true(answers.tally[1][0])))
    return all(bool(np.all(true(y[start : start + BLOCK]))) for start in range(0, len(y), BLOCK))


def _counts(name: str, successes: Array, trials: Array, rows: Ids) -> tuple[Array, Array]:
    whole = np.round(successes)
    fraction = np.abs(successes - whole) > whole_tolerance(successes)
    rule = f"with trials= the response {name!r} counts successes and must be whole"
    refuse(fraction, successes, rule, "use quasibinomial for proportions", rows)
    outside = (whole < 0) | (whole > trials)
    rule = f"the response {name!r} must lie between 0 and its trials"
    if outside.any():
        of = trials[int(np.flatnonzero(outside)[0])]
        refuse(outside, successes, rule, f"correct the row, which has {of:g} trials", rows)
    return whole, trials
