"""What adding one term would gain a model of several predictors: R's add1, by likelihood ratios.

May import: everything below `vector`.
Read next: `etamu.fit.scope` for what may be added, `etamu.vector.drop` for the other direction.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from etamu._base.errors import EtamuWarning
from etamu.design.chunk import Predictor
from etamu.fit.deviance_table import DevianceTable
from etamu.fit.problem import Sample
from etamu.fit.scope import Wording, encoded_beside, scope_to_add, stated_in
from etamu.infer.tests import chi2_tail
from etamu.vector.drop import TITLES, refuse_without_maximum, table_of
from etamu.vector.problem import VectorProblem

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel, VectorModel


def add1(fit: FittedVectorModel, scope: str | Iterable[str]) -> DevianceTable:
    """Say for every term of a scope what the model with it in its formula is worth, one fit each.

    Raises
    ------
    FormulaError
        If the scope cannot be read, names a column that is not there, or adds nothing.
    DataError
        If a new column has missing values in the rows of the fit.
    NotAvailableError
        If there is no likelihood, its maximum was not verified, or the model was fitted to arrays.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1, 2, 3, 2, 1, 3, 2, 1], "x": [0, 1, 2, 3, 4, 5, 1, 2], "z": [1, 1, 0, 0, 1, 0, 1, 0]}
    >>> em.glm("y ~ x", data, family=em.Cumulative()).add1("~ . + z").row("z")["df"]
    1.0
    """
    refuse_without_maximum(fit, "add1")
    main = next(each for each in fit.problem.predictors if each.parameter.main)
    before = stated_in(fit.problem, main.schema)
    wording, keys = scope_to_add(before, scope)
    own = before.keys()
    rows = [{"loglik": fit.loglik, "aic": fit.aic}]
    rows += [_with(fit, wording.only((*own, key), first=own)) for key in keys]
    labels = ("<none>", *(wording.label(key) for key in keys))
    return table_of(fit, "Single term additions", labels, rows)


def _with(fit: FittedVectorModel, wording: Wording) -> dict[str, float]:
    """Fit the model with other main predictors; NaN where it has no verified maximum."""
    larger = restated(fit, wording)
    if not larger.verified:
        return dict.fromkeys(TITLES, math.nan)
    gain, df = max(2.0 * (larger.loglik - fit.loglik), 0.0), float(larger.rank - fit.rank)
    row = {"df": df, "loglik": larger.loglik, "aic": larger.aic}
    return row | {"statistic": gain, "p_value": chi2_tail(gain, df)} if df else row


def restated(fit: VectorModel, wording: Wording) -> VectorModel:
    """Fit the model with other terms in its main predictors; it warns of nothing."""
    problem = _widened(fit.problem, wording)
    assert fit.fitting is not None  # what has rows was fitted here
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EtamuWarning)  # a table has no room for what each fit would say
        found: VectorModel = fit.fitting(problem)
        return found


def _widened(problem: VectorProblem, wording: Wording) -> VectorProblem:
    """State the problem with another formula for the predictors that have that of the model."""
    chunk = problem.chunk
    found, schema = encoded_beside(wording, chunk)
    text = wording.statement.text
    formula = next(each.formula for each in problem.predictors if each.parameter.main)
    stated, ready = [], []
    seen: dict[int, Predictor] = {}
    for each, own in zip(problem.predictors, chunk.predictors, strict=True):
        if not each.parameter.main or each.formula != formula:
            stated.append(each)
            ready.append(own)
            continue
        right = f"~ {text.partition('~')[2].strip()}"
        stated.append(replace(each, formula=right, layout=found.layout, schema=schema))
        ready.append(seen.setdefault(id(own), Predictor(found.design, own.offset)))
    return replace(
        problem,
        predictors=tuple(stated),
        sample=Sample(replace(chunk, predictors=tuple(ready)), problem.counted, problem.table),
        words=replace(problem.words, formula=text),
        options=replace(problem.options, start=None),
    )
