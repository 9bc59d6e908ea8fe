"""What a figure of a fit shows: rows along one covariate, a line per group, the data beside them.

May import: everything below `plot`.
Read next: `etamu.plot.components`, which draws it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from etamu._base.errors import FormulaError, NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.data.column import Column
from etamu.data.evaluate import names_in
from etamu.data.schema import CategoricalFactor, Schema
from etamu.fit.predict import Prediction
from etamu.fit.result import Fit
from etamu.plot.rows import observed_means, rated

POINTS = 201
"""Points of a line along a number."""

CROWD = 200
"""More rows than this are drawn small and faint."""

GROUPS = 6
"""As many lines as can be told apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line with the band around it."""

    middle: Array
    low: Array
    high: Array


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One group: its line on both scales, and which rows of the data belong to it."""

    label: str
    eta: Line
    mean: Line
    rows: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Lines, data, and the words around them.

    Parameters
    ----------
    covariate, by, response, offset_text, foot : str
        Words for the axes; `foot` says where the other columns stand.
    positions : array (points,)
        Where the lines are drawn along the covariate.
    levels : tuple of str
        What stands at the positions if the covariate is categorical.
    curves : tuple of Curve
    x, y, mean, sizes : arrays (rows used,)
        Covariate, observed mean (a rate where there is an exposure), fitted mean of each row, and
        the area of its marker, which grows with exposure, trials and weight.
    """

    covariate: str
    by: str
    response: str
    offset_text: str
    foot: str
    positions: Array
    levels: tuple[str, ...]
    curves: tuple[Curve, ...]
    x: Array
    y: Array
    mean: Array
    sizes: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Variable:
    """A column of the formula over the rows used: numbers, or codes of levels."""

    column: Column
    values: Array
    levels: tuple[str, ...]

    @property
    def held(self) -> Any:
        """Return the value at which the column stands still: median, or most frequent level."""
        if not self.levels:
            middle = float(np.median(self.values))
            return round(middle) if self.column.integer else middle
        return self.levels[int(np.bincount(self.values.astype(int)).argmax())]


def picture(fit: Fit, covariate: str | None, by: str | None, level: float) -> Picture:
    """Choose covariate and groups, predict along them, and lay the data beside.

    Raises
    ------
    NotAvailableError
        If the fit has no formula or no rows, or its formula has no covariate.
    FormulaError
        If the formula does not use a column named.
    """
    problem = fit.problem
    if problem.schema is None or problem.table is None:
        raise NotAvailableError("this figure needs a model fitted to a formula, with its data attached")
    variables = _variables(fit, problem.schema)
    along = _chosen(variables, covariate)
    groups = _groups(variables, along, by)
    one = variables[along]
    positions = np.arange(len(one.levels), dtype=float)
    if not one.levels:
        positions = np.linspace(one.values.min(), one.values.max(), POINTS)
    others = {name: other.held for name, other in variables.items() if name not in {along, groups}}
    observed, response = observed_means(fit)
    sizes = _sizes(fit)
    return Picture(
        covariate=along,
        by=groups,
        response=response,
        offset_text=_offset_text(fit),
        foot=_foot(fit, others, level, sizes, levelled=bool(one.levels)),
        positions=positions,
        levels=one.levels,
        curves=_curves(
            fit, variables, (along, groups), {along: list(one.levels) or positions} | others, level
        ),
        x=one.values,
        y=observed,
        mean=np.asarray(fit.predict())[problem.chunk.row_ids],
        sizes=sizes,
    )


def _foot(fit: Fit, others: dict[str, Any], level: float, sizes: Array, *, levelled: bool) -> str:
    """Say where other columns stand, what bands cover and what a large marker means."""
    held = ", ".join(f"{name} = {_written(value)}" for name, value in others.items())
    parts = [f"model at {held}"] if held else []
    parts.append("hollow: data")
    if np.ptp(sizes):
        words = fit.problem.words
        named = [words.trials, words.exposure, *(column for _, column in words.weights)]
        parts.append(
            f"area grows with {' × '.join(name for name in named if name) or 'the weight of the row'}"
        )
    parts.append(f"{'bars' if levelled else 'bands'}: {100 * level:g} % confidence, point by point")
    return "; ".join(parts)


def _curves(
    fit: Fit, variables: dict[str, _Variable], chosen: tuple[str, str], columns: dict[str, Any], level: float
) -> tuple[Curve, ...]:
    along, groups = chosen
    n = len(columns[along])
    if not groups:
        return (_curve(fit, columns, n, "", np.ones(len(variables[along].values), dtype=bool), level),)
    by = variables[groups]
    return tuple(
        _curve(fit, columns | {groups: label}, n, label, by.values == code, level)
        for code, label in enumerate(by.levels)
    )


def _variables(fit: Fit, schema: Schema) -> dict[str, _Variable]:
    """Read the columns of the right side over the rows used; those inside a factor have levels."""
    categorical = {
        name
        for factor in schema.factors
        if isinstance(factor, CategoricalFactor)
        for name in names_in(factor.expression)
    }
    return {name: _variable(fit, name, levelled=name in categorical) for name in schema.columns}


def _variable(fit: Fit, name: str, *, levelled: bool) -> _Variable:
    column = fit.problem.table.column(name)
    values = np.asarray(column.values)[fit.problem.chunk.row_ids]
    if column.kind == "numeric":
        if not levelled:
            return _Variable(column, values.astype(float), ())
        distinct, codes = np.unique(values, return_inverse=True)
        return _Variable(column, codes.astype(float), tuple(_written(value) for value in distinct.tolist()))
    seen = np.unique(values)
    codes = np.searchsorted(seen, values)
    return _Variable(column, codes.astype(float), tuple(column.levels[code] for code in seen))


def _chosen(variables: dict[str, _Variable], covariate: str | None) -> str:
    if covariate is not None:
        return _named(variables, covariate)
    if not variables:
        raise NotAvailableError("the formula has no covariate, so there is nothing to draw eta against")
    return next((name for name, one in variables.items() if not one.levels), next(iter(variables)))


def _groups(variables: dict[str, _Variable], along: str, by: str | None) -> str:
    if by:
        count = len(variables[_named(variables, by)].levels)
        if not 1 <= count <= GROUPS:
            what = f"{count} levels" if count else "numbers, not levels"
            message = (
                f"by={by!r} has {what}; choose a column of at most {GROUPS} levels, or by='' for one line"
            )
            raise OptionError(message)
    if by is not None:
        return by
    fitting = (name for name, one in variables.items() if name != along and 1 < len(one.levels) <= GROUPS)
    return next(fitting, "")


def _named(variables: dict[str, _Variable], name: str) -> str:
    if name not in variables:
        raise FormulaError(f"the formula does not use {name!r}; choose one of {', '.join(variables)}")
    return name


def _curve(fit: Fit, columns: dict[str, Any], n: int, label: str, rows: Mask, level: float) -> Curve:
    data = {name: value if np.ndim(value) else [value] * n for name, value in columns.items()}
    words = fit.problem.words
    given = {"exposure": np.ones(n), "trials": np.ones(n), "offset": np.full(n, _resting_offset(fit))}
    again = {word: v for word, v in given.items() if getattr(words, word) or word in words.given}
    lines = []
    for kind in ("link", "mean"):
        prediction = fit.predict(data, kind, interval="confidence", level=level, **again)
        assert isinstance(prediction, Prediction)
        assert prediction.lower is not None
        assert prediction.upper is not None
        lines.append(Line(prediction.estimate, prediction.lower, prediction.upper))
    return Curve(label, lines[0], lines[1], rows)


def _sizes(fit: Fit) -> Array:
    """Let the area of a marker grow with what its row says: trials, exposure, weights."""
    chunk = fit.problem.chunk
    counts = [np.ones(len(chunk)), chunk.weights.total(), fit.problem.unit.observed(chunk.y)[1]]
    if rated(fit):
        counts.append(np.exp(np.asarray(chunk.predictors[0].offset)))
    said = np.prod([count for count in counts if count is not None], axis=0)
    usual = 38.0 if len(chunk) <= CROWD else 14.0
    return usual * np.clip(said / np.mean(said), 0.25, 4.0) if np.ptp(said) else np.full(len(chunk), usual)


def _resting_offset(fit: Fit) -> float:
    """Return the offset of the lines: none where data can be turned into rates, else the mean."""
    offset = fit.problem.chunk.predictors[0].offset
    return 0.0 if offset is None or rated(fit) else float(np.mean(offset))


def _offset_text(fit: Fit) -> str:
    words = fit.problem.words
    if words.exposure or "exposure" in words.given:
        return f", at {words.exposure or 'exposure'} = 1"
    if words.offset or "offset" in words.given:
        return f" + {words.offset or 'offset'}, at offset {_resting_offset(fit):.3g}"
    return ""


def _written(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"
