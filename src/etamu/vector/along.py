"""What a fit of several predictors predicts along one column, the others at typical values.

May import: everything below `vector`.
Read next: `etamu.vector.predict`, which predicts; `etamu.plot.several`, which draws it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.data.column import Column
from etamu.data.evaluate import names_in
from etamu.data.schema import CategoricalFactor
from etamu.vector.predict import VectorPrediction

if TYPE_CHECKING:
    from etamu.vector.result import VectorFit

POINTS = 60
"""Points along a number."""


@dataclass(frozen=True, slots=True, eq=False)
class Along:
    """Predictions along a column.

    Parameters
    ----------
    name : str
    values : array (points,)
        Numbers, or the numbers of levels.
    levels : tuple of str
        Of a categorical column; empty for numbers.
    at : dict
        Where the other columns stand.
    predicted : VectorPrediction
    """

    name: str
    values: Array
    levels: tuple[str, ...]
    at: dict[str, Any]
    predicted: VectorPrediction


def columns_of(fit: VectorFit) -> tuple[str, ...]:
    """Name the columns of the data that predictors are made of, in the order of the formulas.

    Raises
    ------
    NotAvailableError
        If the model was fitted to a matrix.
    """
    schemas = [each.schema for each in fit.problem.predictors]
    if not any(schemas):
        raise NotAvailableError("a matrix has no columns to go along: fit a formula or a table")
    order = sorted(schemas, key=lambda schema: -len(schema.columns) if schema else 0)
    return tuple(dict.fromkeys(name for schema in order if schema for name in schema.columns))


def along(
    fit: VectorFit, column: str | None = None, *, at: Mapping[str, Any] | None = None, level: float = 0.95
) -> Along:
    """Predict probabilities, or the mean, along a column; others stand at their mean or commonest level.

    Parameters
    ----------
    fit : VectorFit
    column : str, optional
        The first column of the formula if left out.
    at : dict, optional
        Other places for other columns.
    level : float
        Of the intervals.

    Raises
    ------
    OptionError
        If there is no such column.
    NotAvailableError
        If the fit was read from a file, or fitted to a matrix.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"way": ["bus", "car", "car", "rail", "bus", "rail"], "km": [1.0, 2.0, 4.0, 3.0, 3.0, 1.0]}
    >>> found = along(em.glm("way ~ km", data, family=em.Multinomial()))
    >>> found.name, found.predicted.columns, found.predicted.estimate.shape
    ('km', ('bus', 'car', 'rail'), (60, 3))
    """
    names = columns_of(fit)
    if not names:
        raise NotAvailableError("the model has constants only: nothing changes along a column")
    chosen = names[0] if column is None else column
    for name in (chosen, *(at or {})):
        if name not in names:
            raise OptionError(f"the model has no column {name!r}; there are {', '.join(map(repr, names))}")
    table, rows = fit.problem.attached().table, fit.problem.counting().row_ids
    known = {name: table.column(name) for name in names}
    coded = _coded(fit)
    main, levels = _places(known[chosen], rows, coded=chosen in coded)
    others = {name: _typical(each, rows, coded=name in coded) for name, each in known.items()} | dict(
        at or {}
    )
    others.pop(chosen, None)
    words = fit.problem.words
    nothing = {"offset": 0.0, "exposure": 1.0}
    data = {chosen: main, **{name: np.repeat(np.array([value]), len(main)) for name, value in others.items()}}
    given: dict[str, Any] = {
        key: np.repeat(value, len(main)) for key, value in nothing.items() if key in words.given
    }
    for keyword, value in nothing.items():
        name = getattr(words, keyword)
        if name is not None and name not in data:
            data[name] = np.repeat(value, len(main))
    predicted = fit.predict(data, interval="confidence", level=level, **given)
    assert isinstance(predicted, VectorPrediction)
    values = np.arange(float(len(main))) if levels else np.asarray(main, dtype=np.float64)
    return Along(chosen, values, levels, others, predicted)


def _coded(fit: VectorFit) -> set[str]:
    """Name the columns that stand for levels, numbers such as the k of C(k) among them."""
    schemas = [each.schema for each in fit.problem.predictors if each.schema is not None]
    factors = [
        factor for schema in schemas for factor in schema.factors if isinstance(factor, CategoricalFactor)
    ]
    return {name for factor in factors for name in names_in(factor.expression)}


def _places(column: Column, rows: NDArray[np.intp], *, coded: bool) -> tuple[Any, tuple[str, ...]]:
    """Return where to predict: a range of numbers, or every level."""
    values = _values(column, rows)
    if column.kind == "numeric":
        distinct = np.unique(values)
        return (distinct if coded else np.linspace(distinct[0], distinct[-1], POINTS)), ()
    seen = set(np.asarray(column.codes)[rows].tolist())
    labels = np.array([False, True] if column.kind == "boolean" else column.levels)[sorted(seen)]
    return labels, tuple(str(label) for label in labels)


def _typical(column: Column, rows: NDArray[np.intp], *, coded: bool) -> Any:
    values = _values(column, rows)
    if column.kind == "numeric" and not coded:
        return float(values.mean())
    distinct, count = np.unique(values, return_counts=True)
    return distinct[int(np.argmax(count))].item()


def _values(column: Column, rows: NDArray[np.intp]) -> Any:
    if column.kind == "numeric":
        return np.asarray(column.values, dtype=np.float64)[rows]
    codes = np.asarray(column.codes)[rows]
    return codes.astype(bool) if column.kind == "boolean" else np.array(column.levels)[codes]
