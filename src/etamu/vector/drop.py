"""What terms of a model of several predictors are worth: R's drop1 and anova, by likelihood ratios.

May import: everything below `vector`.
Read next: `etamu.fit.drop`, the same for one predictor; `etamu.vector.hypotheses`, which fits without it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.errors import NotAvailableError, OptionError
from etamu.fit.deviance_table import DevianceTable, Kind, columns_of
from etamu.infer.tests import chi2_tail
from etamu.vector.hypotheses import hypothesis_test

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel

TITLES: dict[str, tuple[str, Kind]] = {
    "df": ("Df", "count"),
    "loglik": ("Log-lik.", "number"),
    "aic": ("AIC", "number"),
    "statistic": ("LRT", "number"),
    "p_value": ("Pr(>Chi)", "p"),
}


def drop1(fit: FittedVectorModel, *, scope: str | Iterable[str] | None = None) -> DevianceTable:
    """Say for every term that may be dropped what the model without it is worth.

    A term of the model's formula is dropped from all main predictors at once, and from thresholds that have
    it; a term of another predictor is called "zero:child". A term inside an interaction is not dropped.

    Raises
    ------
    OptionError
        If the scope names no such term.
    NotAvailableError
        If there is no likelihood, or its maximum was not verified.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1, 2, 3, 2, 1, 3, 2, 1], "x": [0, 1, 2, 3, 4, 5, 1, 2], "z": [1, 1, 0, 0, 1, 0, 1, 0]}
    >>> em.glm("y ~ x + z", data, family=em.Cumulative()).drop1().row("z")["df"]
    1.0
    """
    refuse_without_maximum(fit, "drop1")
    known = {label: places for label, places, inside in _terms(fit) if not inside}
    asked = list(known) if scope is None else [scope] if isinstance(scope, str) else list(scope)
    for label in asked:
        if label not in known:
            raise OptionError(f"there is no term {label!r} to drop; there are {', '.join(map(repr, known))}")
    rows = [{"loglik": fit.loglik, "aic": fit.aic}]
    rows += [_without(fit, known[label]) for label in asked]
    return table_of(fit, "Single term deletions", ("<none>", *asked), rows)


def anova(fit: FittedVectorModel) -> DevianceTable:
    """Say for every term what adding it to those before it is worth, as R's anova of one fit.

    Terms of the model's formula come first, in its order, then those of other predictors. The model that a
    term is added to has all constants.

    Raises
    ------
    NotAvailableError
        If there is no likelihood, or its maximum was not verified.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1, 2, 3, 2, 1, 3, 2, 1], "x": [0, 1, 2, 3, 4, 5, 1, 2], "z": [1, 1, 0, 0, 1, 0, 1, 0]}
    >>> table = em.glm("y ~ x + z", data, family=em.Cumulative()).anova()
    >>> table.rows, table["df"][1:].tolist()
    (('NULL', 'x', 'z'), [1.0, 1.0])
    """
    refuse_without_maximum(fit, "anova")
    terms = list(_terms(fit))
    left = [_without(fit, [j for _, places, _ in terms[k:] for j in places]) for k in range(len(terms))]
    models = [*left, {"loglik": fit.loglik, "aic": fit.aic}]
    rows = [{"loglik": models[0]["loglik"], "aic": models[0]["aic"]}]
    for (_, places, _), before, after in zip(terms, models, models[1:], strict=False):
        gain, df = max(2.0 * (after["loglik"] - before["loglik"]), 0.0), float(len(places))
        row = {"df": df, "loglik": after["loglik"], "aic": after["aic"]}
        rows.append(row | {"statistic": gain, "p_value": chi2_tail(gain, df)})
    title, said = "Analysis of Deviance Table", "Terms added sequentially (first to last)"
    return table_of(fit, title, ("NULL", *(label for label, *_ in terms)), rows, said)


def refuse_without_maximum(fit: FittedVectorModel, what: str) -> None:
    """Refuse a table of likelihoods where there is none, nobody knows its maximum, or no rows are left.

    Raises
    ------
    NotAvailableError
    """
    fit.problem.attached()
    if fit.likelihood.reason or not fit.verified:
        why = fit.likelihood.reason or fit.outcome.value
        raise NotAvailableError(f"{what} needs a likelihood and its verified maximum: {why}")


def table_of(
    fit: FittedVectorModel, title: str, labels: tuple[str, ...], rows: list[dict[str, float]], *said: str
) -> DevianceTable:
    """Set models, each tested against another, in a table."""
    heading = (
        f"Model: {fit.family.name}; response: {fit.problem.words.response}",
        *said,
        "Likelihood-ratio tests against chi-squared",
    )
    return DevianceTable(title, heading, labels, columns_of(rows, TITLES), (), fit.problem.table)


def _terms(fit: FittedVectorModel) -> Iterator[tuple[str, list[int], bool]]:
    """Yield every term, the places of its coefficients, none aliased, and whether another contains it."""
    places: dict[str, list[int]] = {}
    parts: dict[str, tuple[str, set[str]]] = {}
    at = {name: j for j, name in enumerate(fit.names)}
    main = {
        term.label for each in fit.problem.predictors if each.parameter.main for term in each.layout.terms
    }
    for stated in sorted(fit.problem.predictors, key=lambda each: not each.parameter.main):
        for term in stated.layout.terms:
            if term.label == "Intercept":
                continue
            shared = stated.parameter.main or (fit.coordinates.anchored is not None and term.label in main)
            group = "" if shared else f"{stated.parameter.name}:"
            label = group + term.label
            own = [fit.family.label(stated.parameter, name) for name in stated.layout.names[term.columns]]
            found = [at[name] for name in own if name in at and name not in fit.aliased]
            places.setdefault(label, []).extend(found)
            parts[label] = group, set(term.label.split(":"))
    for label, found in places.items():
        group, own_parts = parts[label]  # a term is inside another of the same predictor only
        inside = any(group == other and own_parts < some for other, some in parts.values())
        if found:
            yield label, found, inside


def _without(fit: FittedVectorModel, places: list[int]) -> dict[str, float]:
    kept = [j for j in places if not fit.at_end[j]]  # a parameter at its end is there by its constant alone
    matrix = np.zeros((len(kept), len(fit.names)))
    matrix[np.arange(len(kept)), kept] = 1.0
    try:
        statistic = float(hypothesis_test(fit, matrix, "lr").statistic) if kept else 0.0
    except NotAvailableError:  # without the term, or with it, a coefficient runs away
        return dict.fromkeys(TITLES, math.nan)
    loglik, df = fit.loglik - 0.5 * statistic, float(len(places))
    return {
        "df": df,
        "loglik": loglik,
        "aic": -2.0 * loglik + 2.0 * (fit.parameters - df),
        "statistic": statistic,
        "p_value": chi2_tail(statistic, df),
    }
