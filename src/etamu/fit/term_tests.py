"""Wald tests of a model's terms, and what is said above a table of tests.

May import: everything below `fit`.
Read next: `etamu.fit.anova`, tests that fit smaller models.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from etamu.fit.components import spelled
from etamu.fit.deviance_table import DevianceTable, Kind, columns_of
from etamu.fit.model_terms import ModelTerm, terms_of
from etamu.fit.problem import METHODS
from etamu.fit.reference import MODEL_BASED, one_df, yardstick
from etamu.infer.tests import Statistic, f_tail, wald

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

ORDER = {
    1: "Terms added sequentially (first to last)",
    2: "Type II: each term after all others that do not contain it",
    3: "Type III: each term as if the last; main effects inside interactions depend on the contrasts",
}

Row = dict[str, float]


def heading(fit: FittedModel, *lines: str) -> tuple[str, ...]:
    """Say above a table what the model is."""
    response = fit.problem.words.response or "y"
    model = f"Model: {_called(fit)}, link: {fit.link.name}; response: {response}"
    method = fit.problem.options.method
    return (model, *([] if method == "ml" else [f"Method: {METHODS[method]}"]), *lines)


def _called(fit: FittedModel) -> str:
    """Write the family, a parameter that was estimated in as many digits as are read."""
    estimated = next((shape.estimate for shape in fit.shapes if shape.family), None)
    return spelled(fit.family) if estimated is None else f"{fit.family.name}({estimated:.5g})"


def aliased(rows: list[Row]) -> tuple[str, ...]:
    """Say below a table why a term has no test."""
    if any(row.get("df") == 0 for row in rows):
        return ("a term on 0 degrees of freedom is a linear combination of others: it has no test",)
    return ()


def covariance_said(fit: FittedModel) -> str:
    """Say which covariance a Wald test has, and which phi is in it."""
    if fit.covariance_kind not in MODEL_BASED:
        return f"covariance {fit.covariance_kind}"
    observed = "" if fit.covariance_kind == "model" else f", covariance {fit.covariance_kind}"
    return yardstick(fit, None).text + " in the covariance" + observed


def term_tests(fit: FittedModel) -> DevianceTable:
    """Test every term by Wald, against F where phi is estimated: one p-value per term, from no row at all.

    A term inside an interaction is tested on what is orthogonal to the interaction (type II).

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "g": list("aabbcc")}
    >>> em.glm("y ~ g", data, family="poisson").terms().row("g")["df"]
    2.0
    """
    terms, rows = terms_of(fit), []
    reference = one_df(fit)
    for term in terms:
        found = term_wald(fit, term, [other for other in terms if other.contains(term)])
        row: Row = {"df": float(found.df), "statistic": math.nan}
        if found.df:
            row["statistic"] = found.statistic / (1 if math.isinf(reference) else found.df)
            row["p_value"] = f_tail(found.statistic / found.df, found.df, reference)
        rows.append(row)
    letter = "Chisq" if math.isinf(reference) else "F"
    against = "chi-squared" if math.isinf(reference) else f"F on {reference:g} df"
    titles: dict[str, tuple[str, Kind]] = {
        "df": ("Df", "count"),
        "statistic": (letter, "number"),
        "p_value": (f"Pr(>{letter})", "p"),
    }
    return DevianceTable(
        "Wald tests of the terms",
        heading(fit, ORDER[2], f"Wald tests against {against}, {covariance_said(fit)}"),
        tuple(term.label for term in terms),
        columns_of(rows, titles),
        aliased(rows),
        fit.problem.table,
    )


def term_wald(fit: FittedModel, term: ModelTerm, relatives: Iterable[ModelTerm] = ()) -> Statistic:
    """Test a term's coefficients by Wald, on what is V-orthogonal to those of its relatives."""
    kept = set(fit.coordinates.kept.tolist())
    given = [j for other in relatives for j in other.columns if j in kept]
    own = [j for j in term.columns if j in kept]
    if len(own) == 1 and not given and fit.limit is None:
        alone = float(fit.statistic[own[0]])
        return Statistic(alone * alone, 1)
    rows = np.zeros((len(given) + len(own), len(fit.names)))
    rows[np.arange(len(rows)), [*given, *own]] = 1.0
    working = fit.coordinates.hypothesis(rows)
    if fit.limit is not None and np.any(fit.limit.runs(working) != 0.0):
        return Statistic(math.nan, len(own))  # an infinite coefficient has no Wald test
    return wald(working, working @ fit.beta, fit.root, len(given))
