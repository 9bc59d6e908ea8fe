"""What dropping one term would cost: R's drop1.

May import: everything below `fit`.
Read next: `etamu.fit.add` for the other direction, `etamu.fit.step` for one after the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu.fit.anova import WORDS, ladder
from etamu.fit.deviance_table import DevianceTable, Kind, columns_of
from etamu.fit.model_terms import ModelTerm, all_terms, droppable, terms_of
from etamu.fit.reference import (
    Yardstick,
    chosen_test,
    refuse_f,
    refuse_score_test,
    refuse_without_likelihood,
    yardstick,
)
from etamu.fit.term_tests import Row, heading
from etamu.infer.tests import chi2_tail, f_tail

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

TESTS = {"lr": "LR", "lrt": "LR", "chisq": "LR", "chi2": "LR", "f": "F", "rao": "Rao", "score": "Rao"}
"""What may be asked for, under the names of R too."""


@dataclass(frozen=True, slots=True)
class Change:
    """A model one term smaller or larger.

    Parameters
    ----------
    label : str
        The term.
    df : int
        Coefficients more or fewer.
    deviance : float
    rao : float
        Rao's statistic at phi = 1, NaN where it was not asked for.
    """

    label: str
    df: int
    deviance: float
    rao: float = math.nan


@dataclass(frozen=True, slots=True)
class Scale:
    """How a deviance becomes -2 log-likelihood up to a constant, as R's extractAIC does for models nearby.

    n log(D / n) for the Gaussian family with unknown phi, D / phi else, phi being that of the larger picture.
    """

    n: float
    phi: float
    profiled: bool

    def of(self, deviance: float) -> float:
        """Return the scaled deviance."""
        if not self.profiled:
            if self.phi > 0.0:
                return deviance / self.phi
            return math.inf if deviance > 0.0 else -math.inf  # a perfect fit: nothing is as good
        return self.n * math.log(deviance / self.n) if deviance > 0 else -math.inf


def scale_of(fit: FittedModel, stick: Yardstick) -> Scale:
    """Choose how deviances are scaled."""
    profiled = fit.family.name == "gaussian" and stick.phi.kind in {"pearson", "deviance"}
    return Scale(float(fit.nobs), stick.value, profiled)


def drop1(
    fit: FittedModel,
    test: str | None = None,
    *,
    scope: str | Iterable[str] | None = None,
    dispersion: str | float | None = None,
) -> DevianceTable:
    """Say for every term what the model without it is worth, as R's drop1.

    Marginality is respected: a term inside an interaction of the model is not dropped.

    Parameters
    ----------
    fit : Fit
    test : "LR", "F" or "Rao", optional
        F where phi is estimated and LR where it is known, if left out.
    scope : labels of terms, optional
        Those to drop; all that marginality allows if left out.
    dispersion : "pearson", "deviance", "ml" or float, optional
        The phi. If left out F divides by deviance / df, as R's drop1, everything else by the phi of the fit.

    Returns
    -------
    DevianceTable
        The column `aic` counts -2 log-likelihood as R's extractAIC: n log(D / n) for the Gaussian family,
        else D / phi with the phi of this fit; it is left out where there is no likelihood.

    Raises
    ------
    OptionError
        If an option is not understood, or a term is not in the model.
    NotAvailableError
        Under a robust covariance or sampling weights.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> print(em.glm("y ~ x", data, family="poisson").drop1())
    Single term deletions
    <BLANKLINE>
    Model: poisson, link: log; response: y
    Likelihood-ratio tests against chi-squared, phi = 1 by definition
    <BLANKLINE>
           Df Deviance    AIC   LRT Pr(>Chi)
    <none>      2.3185 27.058
    x       1  21.4281 44.168 19.11 1.23e-05 ***
    ---
    Signif. codes:  0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1
    """
    if fit.near is not None and fit.near.measure.tabled:
        phi = fit.near.measure.dispersion(dispersion)
        return fit.near.measure.table(drop1(fit.near.fit, test, scope=scope, dispersion=phi))
    estimated = fit.phi.estimated if dispersion is None else isinstance(dispersion, str)
    asked = chosen_test(test, TESTS, estimated=estimated)
    refuse_without_likelihood(fit, "drop1")
    if asked == "Rao":
        refuse_score_test(fit, "drop1(test='Rao')")
    terms = _chosen(fit, scope)
    steps = ladder(fit)
    changes = []
    for term in terms:
        smaller = steps.without([term])
        rao = steps.bench.score_test(smaller, range(len(fit.names))) if asked == "Rao" else math.nan
        changes.append(Change(term.label, fit.rank - smaller.rank, smaller.deviance, rao))
    stick = yardstick(fit, dispersion, steps.bench)
    divisor = f_yardstick(fit, asked, dispersion, stick)
    rows = [_row(fit, change, asked, scale_of(fit, stick), divisor) for change in changes]
    words = ("Single term deletions", heading(fit, *said(asked, stick, divisor)))
    return table_of(fit, words, changes, rows, (asked, stick), steps.notes())


def f_yardstick(fit: FittedModel, test: str, asked: str | float | None, stick: Yardstick) -> Yardstick:
    """Return the phi of an F test: deviance / df unless another was asked for, or stated with the fit."""
    if test != "F":
        return stick
    refuse_f(fit, stick)
    plain = asked is None and fit.phi.kind == "pearson"
    return yardstick(fit, "deviance") if plain else stick


def said(test: str, stick: Yardstick, divisor: Yardstick) -> tuple[str, ...]:
    """Say which test is made, with which phi, and which phi AIC has where that is another."""
    lines = [f"{WORDS[test]}, {divisor.text}"]
    if divisor.phi != stick.phi:
        lines.append(f"AIC with {stick.text}")
    return tuple(lines)


def table_of(
    fit: FittedModel,
    words: tuple[str, tuple[str, ...]],
    changes: list[Change],
    rows: list[Row],
    test: tuple[str, Yardstick],
    notes: tuple[str, ...],
) -> DevianceTable:
    """Set changes of a model in a table below the model itself."""
    asked, stick = test
    known = stick.value == 1.0
    titles: dict[str, tuple[str, Kind]] = {"df": ("Df", "count"), "deviance": ("Deviance", "number")}
    if not math.isnan(fit.aic) and fit.problem.options.method == "ml":
        titles["aic"] = ("AIC", "number")
    statistics = {
        "LR": "LRT" if known else "scaled dev.",
        "F": "F value",
        "Rao": "Rao score" if known else "scaled Rao sc.",
    }
    titles["statistic"] = (statistics[asked], "number")
    titles["p_value"] = ("Pr(>F)" if asked == "F" else "Pr(>Chi)", "p")
    return DevianceTable(
        words[0],
        words[1],
        ("<none>", *(change.label for change in changes)),
        columns_of([{"deviance": fit.deviance, "aic": fit.aic}, *rows], titles),
        notes,
        fit.problem.table,
    )


def _row(fit: FittedModel, change: Change, test: str, scale: Scale, divisor: Yardstick) -> Row:
    rise = scale.of(change.deviance) - scale.of(fit.deviance)
    row: Row = {"df": float(change.df), "deviance": change.deviance}
    row["aic"] = fit.aic + rise - 2.0 * change.df
    if not change.df:  # an aliased term: nothing is lost without it, and nothing is tested
        return row if test == "F" else row | {"statistic": 0.0}
    drop = max(change.deviance - fit.deviance, 0.0)
    return row | statistic(test, max(rise, 0.0), drop, change, divisor)


def statistic(test: str, rise: float, drop: float, change: Change, divisor: Yardstick) -> Row:
    """Return the statistic of a change and its p-value.

    Parameters
    ----------
    test : str
    rise : float
        Difference of scaled deviances.
    drop : float
        Difference of deviances.
    change : Change
    divisor : Yardstick
    """
    if test == "F":
        ratio = divisor.ratio(drop, change.df)
        return {"statistic": ratio, "p_value": f_tail(ratio, change.df, divisor.df)}
    value = rise if test == "LR" else divisor.ratio(change.rao)
    return {"statistic": value, "p_value": chi2_tail(value, change.df)}


def _chosen(fit: FittedModel, scope: str | Iterable[str] | None) -> tuple[ModelTerm, ...]:
    terms = terms_of(fit)
    if scope is None:
        return droppable(terms)
    labels = [scope] if isinstance(scope, str) else list(scope)
    known = {term.label: term for term in terms}
    for label in labels:
        if label not in known:
            listed = ", ".join(term.label for term in all_terms(fit))
            raise OptionError(f"scope names {label!r}, which is no term of the model; its terms are {listed}")
    return tuple(known[label] for label in labels)
