"""The response: columns of y as the family needs them, every value checked against its support.

May import: everything below `fit`.
Read next: `etamu.fit.assemble`.
"""

from __future__ import annotations

import numpy as np

from etamu._base.errors import DataError
from etamu._base.types import Array, Mask
from etamu.data.column import Column
from etamu.family.family import Family
from etamu.fit.inputs import numbers, refuse, whole_tolerance

BINARY = ("bernoulli", "binomial", "quasibinomial")
"""Families whose response may be a factor with two levels."""


def response_columns(
    family: Family, columns: tuple[Column, ...], trials: Array | None, complete: Mask
) -> tuple[Array, ...]:
    """Return the family's response columns over the complete rows.

    A factor with two levels is 0 for the first and 1 for the second; `cbind(successes, failures)`
    arrives as two columns.

    Parameters
    ----------
    family : Family
    columns : tuple of Column
        The left side of the formula, over all rows of the input.
    trials : array, optional
        Trials of all rows.
    complete : mask
        Rows in which nothing is missing.

    Raises
    ------
    DataError
        If a value lies outside the support of the family; names the row, the value and the remedy.
    """
    first = columns[0]
    if len(columns) > 1:
        successes = numbers(first, f"response {first.name!r}", complete)
        trials = successes + numbers(columns[1], f"response {columns[1].name!r}", complete)
        negative = np.fmin(successes, trials - successes)
        refuse((negative < 0) & complete, negative, "counts of successes and failures must not be negative", "correct")
    else:
        successes = _numeric(family, first, complete)
    if len(family.response) == 1:
        if len(columns) > 1 or trials is not None:
            successes = _proportion(family, successes, trials, complete)
        return (_supported(family, first.name, successes, complete)[complete],)
    if trials is None:
        _check_binary(first.name, successes, complete)
        return successes[complete], np.ones(int(complete.sum()))
    return _counts(first.name, successes, trials, complete)


def _numeric(family: Family, column: Column, complete: Mask) -> Array:
    if column.kind in {"numeric", "boolean"}:
        return numbers(column, f"response {column.name!r}", complete)
    levels = column.levels
    present = [level for code, level in enumerate(levels) if np.any(column.codes[complete] == code)]
    if family.name not in BINARY:
        row = int(np.flatnonzero(complete)[0]) if complete.any() else 0
        raise DataError(
            f"the response {column.name!r} is {column.kind} (row {row} holds {column.shown(row)}), but the "
            f"{family.name} family needs {family.support!r}"
        )
    if len(levels) != 2:
        raise DataError(
            f"the response {column.name!r} has {len(levels)} levels ({', '.join(map(repr, levels[:6]))}); the "
            f"{family.name} family needs two: compare one level with the rest, or use a multinomial model"
        )
    if len(present) < 2:
        raise DataError(f"the response {column.name!r} is {present[0]!r} in every row used: nothing varies")
    values = np.asarray(column.codes, dtype=np.float64)
    return np.where(values < 0, np.nan, values)


def _proportion(family: Family, successes: Array, trials: Array | None, complete: Mask) -> Array:
    del successes, trials, complete
    raise DataError(
        f"trials belong to the binomial family, not to {family.name}: for quasibinomial give the proportion "
        "as response and the trials as variance_weights"
    )


def _supported(family: Family, name: str, y: Array, complete: Mask) -> Array:
    wrong = complete & ~family.support.contains(np.where(complete, y, np.nan))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        count = int(wrong.sum())
        more = f" ({count} such rows)" if count > 1 else ""
        raise DataError(
            f"the {family.name} family needs {family.support!r}, but the response {name!r} is {y[row]:g} "
            f"in row {row}{more}{_remedy(family, float(y[row]))}"
        )
    return y


def _remedy(family: Family, value: float) -> str:
    if not np.isfinite(value):
        return ": correct or remove the row"
    if family.name == "poisson" and value > 0:
        return ": use quasipoisson if the response is not a count"
    if family.name in {"bernoulli", "binomial"} and 0 < value < 1:
        return ": give counts with trials=, or use quasibinomial for proportions"
    if family.name in {"gamma", "inverse_gaussian"} and value == 0:
        return ": use tweedie(power=1.5) if zeros are real"
    return ": correct the row or choose a family with this support"


def _check_binary(name: str, y: Array, complete: Mask) -> None:
    wrong = complete & ~np.isin(y, (0.0, 1.0))
    if not wrong.any():
        return
    row = int(np.flatnonzero(wrong)[0])
    value = float(y[row])
    if 0 < value < 1:
        remedy = "for a proportion give the counts and trials=, or use quasibinomial"
    else:
        remedy = "give trials= with the number of trials, or code the response as 0 and 1"
    raise DataError(f"without trials= the binomial response {name!r} must be 0 or 1, but row {row} holds {value:g}: {remedy}")


def _counts(name: str, successes: Array, trials: Array, complete: Mask) -> tuple[Array, Array]:
    whole = np.round(successes)
    with np.errstate(invalid="ignore"):
        fraction = complete & (np.abs(successes - whole) > whole_tolerance(successes))
        outside = complete & ((whole < 0) | (whole > trials))
    refuse(fraction, successes, f"with trials= the response {name!r} counts successes and must be whole",
           "use quasibinomial for proportions")
    refuse(outside, successes, f"the response {name!r} must lie between 0 and its trials", "correct the row")
    return whole[complete], trials[complete]
