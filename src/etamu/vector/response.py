"""The response of a model of several predictors: classes, counts per class, or numbers of the support.

May import: everything below `vector`.
Read next: `etamu.vector.assemble`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import DataError, FormulaError
from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.data.column import Column
from etamu.family.categorical import Categorical
from etamu.family.vector import VectorFamily
from etamu.fit.inputs import numbers, refuse, whole_tolerance

MOST_CLASSES = 200
"""Distinct whole numbers up to which they are read as classes."""

MANY_CLASSES = 1_000
"""Classes of text up to which k x k numbers per row have room."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The response over the rows in use: the family settled on it, its columns, and its name."""

    family: VectorFamily
    y: tuple[Array, ...]
    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """The response, ready to be read: over which rows, which of them weigh something."""

    columns: Callable[[Mask], tuple[Column, ...]]
    counts: Callable[[Mask], tuple[Column, ...] | None]
    keep: Mask
    rows: NDArray[np.intp]
    counted: Mask


def answered(family: VectorFamily, left: Left, trials: Array | None) -> Answer:
    """Read the response as the family needs it.

    Raises
    ------
    DataError
        If a value lies outside the support, classes have no order where one is needed, or a class has no row.
    """
    if family.categorical:
        if trials is not None:
            raise DataError(
                f"trials= belong to binomial counts; for the {family.name} family give the counts of all "
                "classes as cbind(a, b, c)"
            )
        return _classes(cast("Categorical", family), left)
    return _numbers(family, left, trials)


# Numbers


def _numbers(family: VectorFamily, left: Left, trials: Array | None) -> Answer:
    columns = left.columns(left.keep)
    first, name = columns[0], columns[0].name
    called = family.settings.get("family", family).name  # of a modelled dispersion that of the mean
    if first.kind not in {"numeric", "boolean"}:
        raise DataError(
            f"the response {name!r} is {first.kind} (row {left.rows[0]} holds {first.shown(0)}), but the "
            f"{called} family needs {family.support!r}: convert it, or choose a family of classes"
        )
    y = numbers(first, f"response {name!r}", left.rows)
    wrong = ~family.support.contains(y)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"the {called} family needs {family.support!r}, but the response {name!r} is {y[row]:g} in "
            f"row {left.rows[row]}: correct the row or choose a family with this support"
        )
    if "trials" not in family.response:
        if trials is not None or len(columns) > 1:
            raise DataError(f"trials belong to families of counts among trials, not to {family.name}")
        return Answer(family, (y,), name, columns)
    if len(columns) > 1:
        trials = numbers(columns[1], "trials", left.rows)
    if trials is None:
        raise DataError(
            f"the {family.name} family counts successes among trials: give trials='column', or "
            "cbind(successes, failures) on the left side"
        )
    refuse(y > trials, y, f"the response {name!r} must lie between 0 and its trials", "correct it", left.rows)
    if trials[left.counted].max(initial=0.0) == 1.0:
        raise DataError(
            f"every row has one trial, and the {family.name} family says how the trials of a row go "
            "together: use family='binomial', or sum the rows that go together"
        )
    return Answer(family, (y, trials), name, columns)


# Classes


def _classes(family: Categorical, left: Left) -> Answer:
    counted = left.counts(left.keep)
    if counted is not None:
        return _counts(family, counted, left)
    column = left.columns(left.keep)[0]
    found = _whole_numbers(family, column, left) if column.kind == "numeric" else column
    levels = found.levels
    said = family.levels or found.ordered or column.kind in {"numeric", "boolean"} or len(levels) == 1
    if family.ordered and not said:
        listed = ", ".join(map(repr, levels[:5])) + (", …" if len(levels) > 5 else "")
        raise DataError(
            f"the {family.name} family needs classes in an order, and the response {column.name!r} has none: "
            f"make it an ordered categorical, or say the order from low to high, levels=[{listed}]"
        )
    codes = np.asarray(found.codes, dtype=np.intp)
    levels, codes = _settled(family, found, levels, codes, left)
    return Answer(family.among(levels), (codes.astype(np.float64),), column.name, (column,))


def _whole_numbers(family: Categorical, column: Column, left: Left) -> Column:
    """Read a few distinct whole numbers as classes in their order."""
    values = numbers(column, f"response {column.name!r}", left.rows)
    distinct, codes = np.unique(values, return_inverse=True)
    whole = bool(np.all(distinct == np.round(distinct)))
    if whole and len(distinct) > MOST_CLASSES:
        raise DataError(
            f"the {family.name} family needs classes, and the response {column.name!r} holds "
            f"{len(distinct):,} different whole numbers, more than {MOST_CLASSES}: make it a column of "
            "categories, or count it with a family of counts"
        )
    if not whole:
        raise DataError(
            f"the {family.name} family needs classes, and the response {column.name!r} holds numbers "
            f"(row {left.rows[0]} holds {column.shown(0)}): make it a column of categories"
        )
    levels = tuple(str(int(value)) for value in distinct)
    return Column(column.name, "categorical", codes.reshape(-1), None, levels, ordered=True)


def _settled(
    family: Categorical, column: Column, levels: tuple[str, ...], codes: NDArray[np.intp], left: Left
) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Settle the classes: those the family names, those declared, or those found; each must have a row."""
    used = np.bincount(codes[left.counted], minlength=len(levels)) > 0
    if (count := np.count_nonzero(used)) > MANY_CLASSES:
        raise DataError(
            f"the response {column.name!r} has {count:,} classes, each with a predictor of its own, and "
            f"more than {MANY_CLASSES:,} are refused before memory runs out: merge rare classes"
        )
    if family.levels:
        stated = tuple(str(level) for level in family.levels)
        if twice := [level for place, level in enumerate(stated) if level in stated[:place]]:
            raise DataError(f"levels={list(stated)!r} names {twice[0]!r} twice: name each class once")
        place = {level: number for number, level in enumerate(stated)}
        strange = [level for level, seen in zip(levels, used, strict=True) if seen and level not in place]
        if strange:
            raise DataError(
                f"the response {column.name!r} holds {strange[0]!r}, which is not among levels="
                f"{list(stated)!r}"
            )
        codes = np.array([place.get(level, 0) for level in levels], dtype=np.intp)[codes]
        levels, used = stated, np.bincount(codes[left.counted], minlength=len(stated)) > 0
    elif column.kind == "text":
        new = np.cumsum(used) - 1
        return tuple(level for level, seen in zip(levels, used, strict=True) if seen), new[codes]
    if not used.all():
        empty = ", ".join(repr(level) for level, seen in zip(levels, used, strict=True) if not seen)
        raise DataError(
            f"the response {column.name!r} has no row of class {empty}: nothing is known of its probability; "
            "drop the level from the column"
        )
    return levels, codes


def _counts(family: Categorical, columns: tuple[Column, ...], left: Left) -> Answer:
    if len(columns) < 2:
        raise FormulaError("counts of classes are two columns or more: cbind(a, b, c)")
    y: list[Array] = []
    for column in columns:
        values = numbers(column, f"count {column.name!r}", left.rows)
        fraction = np.abs(values - np.round(values)) > whole_tolerance(values)
        rule = f"counts of class {column.name!r} must be whole numbers, 0 or more"
        refuse((values < 0) | fraction, values, rule, "correct the row", left.rows)
        y.append(np.round(values))
    for column, values in zip(columns, y, strict=True):
        if not values[left.counted].any():
            raise DataError(f"class {column.name!r} has no count above 0: leave it out of cbind()")
    names = tuple(column.name for column in columns)
    if family.levels and tuple(family.levels) != names:
        raise DataError(f"levels={list(family.levels)!r} and cbind({', '.join(names)}) name other classes")
    settled = family.among(names, counted=True)
    return Answer(settled, tuple(y), f"cbind({', '.join(names)})", columns)


def trials_of(y: tuple[Array, ...], family: VectorFamily) -> Array | None:
    """Return how many observations a row holds, None where it is one."""
    if family.categorical:
        return np.asarray(np.sum(y, axis=0)) if len(y) > 1 else None
    return y[1] if "trials" in family.response else None
