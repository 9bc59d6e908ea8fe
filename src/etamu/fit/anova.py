"""Analysis of deviance: one test per term, sequential (I), marginal (II) or each as the last (III).

May import: everything below `fit`.
Read next: `etamu.fit.restrict` for the smaller fits, `etamu.fit.drop` for one term at a time.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import field
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import ConvergenceWarning, OptionError, SeparationWarning
from etamu._base.facts import dataclass
from etamu.fit.caller import user_level
from etamu.fit.deviance_table import DevianceTable, Kind, columns_of
from etamu.fit.model_terms import ModelTerm, all_terms, terms_of
from etamu.fit.model_terms import columns_of as term_columns
from etamu.fit.reference import (
    Yardstick,
    chosen_test,
    refuse_f,
    refuse_score_test,
    refuse_without_likelihood,
    yardstick,
)
from etamu.fit.restrict import Bench, Columns, Smaller, bench_of, whole
from etamu.fit.term_tests import ORDER, Row, aliased, covariance_said, heading, term_wald
from etamu.infer.tests import chi2_tail, f_tail

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

TESTS = {"lr": "LR", "lrt": "LR", "chisq": "LR", "chi2": "LR", "f": "F", "wald": "Wald", "rao": "Rao"}
TESTS |= {"score": "Rao"}
"""What may be asked for, under the names of R too."""

TYPES: dict[Any, int] = {1: 1, 2: 2, 3: 3, "I": 1, "II": 2, "III": 3, "1": 1, "2": 2, "3": 3}

WORDS = {
    "LR": "Likelihood-ratio tests against chi-squared",
    "F": "F tests",
    "Rao": "Rao's score tests against chi-squared",
}
"""What each test is called above a table."""

PENALISED = "deviances are of the penalised likelihood, its penalty counted from its value at the fit"


@dataclass(frozen=True, eq=False)
class Ladder:
    """Smaller models of one fit, each fitted once.

    Parameters
    ----------
    fit : Fit
    bench : Bench
    fitted : dict of columns to Smaller
    """

    fit: FittedModel
    bench: Bench
    fitted: dict[Columns, Smaller] = field(default_factory=dict)

    def at(self, columns: Columns, warm: Smaller | None = None) -> Smaller:
        """Fit the model over some columns, or look it up."""
        if columns not in self.fitted:
            self.fitted[columns] = self.bench.fit(columns, warm)
        return self.fitted[columns]

    def without(self, terms: Iterable[ModelTerm]) -> Smaller:
        """Fit the model without some terms."""
        gone = {column for term in terms for column in term.columns}
        return self.at(tuple(j for j in range(self.bench.layout.width) if j not in gone))

    def notes(self) -> tuple[str, ...]:
        """Say, and warn of, smaller models whose maximum was not verified."""
        others = [smaller for columns, smaller in self.fitted.items() if columns != self._whole]
        wrong = self._said([smaller for smaller in others if not smaller.settled])
        endless = self._said([smaller for smaller in others if smaller.limit])
        notes: tuple[str, ...] = () if self.bench.reduction is None else (PENALISED,)
        if wrong:
            notes = (f"{wrong}: its deviance is not that of a verified maximum", *notes)
            warnings.warn(notes[0], ConvergenceWarning, stacklevel=user_level())
        if endless:
            notes = (*notes, f"{endless}: its deviance is that of the limit")
            warnings.warn(notes[-1], SeparationWarning, stacklevel=user_level())
        return notes

    @property
    def _whole(self) -> Columns:
        return tuple(range(self.bench.layout.width))

    def _said(self, models: list[Smaller]) -> str:
        """Name smaller models by the terms they lack, and how their search ended."""
        terms, said = all_terms(self.fit), []
        for smaller in models:
            left = [term.label for term in terms if not set(term.columns) <= set(smaller.columns)]
            said.append(f"the model without {', '.join(left)} is {smaller.outcome.value}")
        return "; ".join(said)


def ladder(fit: FittedModel) -> Ladder:
    """Set the smaller models of a fit up, the fit itself being the largest."""
    bench = bench_of(fit)
    full = whole(fit, bench)
    return Ladder(fit, bench, {full.columns: full})


def anova(
    fit: FittedModel,
    type: Any = 1,  # noqa: A002
    test: str | None = None,
    *,
    dispersion: str | float | None = None,
) -> DevianceTable:
    """Analyse the deviance of a fit term by term, as R's anova.glm (I) and car's Anova (II, III).

    Parameters
    ----------
    fit : Fit
    type : 1, 2 or 3
        Which models a term is tested between: with and without it after the terms before it (1), after all
        terms that do not contain it (2), or after all others (3).
    test : "LR", "F", "Wald" or "Rao", optional
        Difference of deviances over phi against chi-squared; the same over its df against F; the
        coefficients against their covariance (types 2 and 3); the score at the smaller model. If left out F
        where phi is estimated, LR where it is known.
    dispersion : "pearson", "deviance", "ml" or float, optional
        The phi to divide by; that of the fit if left out.

    Raises
    ------
    OptionError
        If an option is not understood, or F is asked where phi is known.
    NotAvailableError
        Under a robust covariance or sampling weights, except for Wald tests.

    References
    ----------
    Fox and Weisberg (2019), *An R Companion to Applied Regression*, section 6.4.

    Examples
    --------
    >>> import etamu as em
    >>> counts = [18, 17, 15, 20, 10, 20, 25, 13, 12]
    >>> data = {"counts": counts, "outcome": list("abcabcabc"), "treatment": list("AAABBBCCC")}
    >>> print(em.glm("counts ~ outcome + treatment", data, family="poisson").anova())
    Analysis of Deviance Table
    <BLANKLINE>
    Model: poisson, link: log; response: counts
    Terms added sequentially (first to last)
    Likelihood-ratio tests against chi-squared, phi = 1 by definition
    <BLANKLINE>
              Df Deviance Resid. Df Resid. Dev Pr(>Chi)
    NULL                          8    10.5814
    outcome    2   5.4523         6     5.1291   0.0655 .
    treatment  2   0.0000         4     5.1291   1.0000
    ---
    Signif. codes:  0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1
    """
    check_choice("type", type, TYPES)
    if fit.near is not None and fit.near.measure.tabled:
        dispersion = fit.near.measure.dispersion(dispersion)
        return fit.near.measure.table(anova(fit.near.fit, type, test, dispersion=dispersion))
    kind = TYPES[type]
    stick_estimated = fit.phi.estimated if dispersion is None else isinstance(dispersion, str)
    asked = chosen_test(test, TESTS, estimated=stick_estimated)
    if asked == "Wald":
        return _wald(fit, kind, dispersion)
    refuse_without_likelihood(fit, f"anova(test={asked!r})")
    if asked == "Rao":
        refuse_score_test(fit, "anova(test='Rao')")
    steps = ladder(fit)
    stick = yardstick(fit, dispersion, steps.bench)
    if asked == "F":
        refuse_f(fit, stick)
    if kind == 1:
        return _sequential(steps, asked, stick)
    return _marginal(steps, kind, asked, stick)


def said(test: str, stick: Yardstick) -> str:
    """Say which test a table makes, and with which phi."""
    return f"{WORDS[test]}, {stick.text}"


# --- type I ---


def _sequential(steps: Ladder, test: str, stick: Yardstick) -> DevianceTable:
    fit = steps.fit
    terms = terms_of(fit)
    base = tuple(sorted(set(range(fit.problem.layout.width)) - set(term_columns(terms))))
    ladder_columns = [tuple(sorted({*base, *term_columns(terms[:k])})) for k in range(len(terms) + 1)]
    first = 0 if test == "Rao" else 1
    models: dict[int, Smaller] = {}
    above: Smaller | None = None
    for k in range(len(terms), first - 1, -1):
        # From the largest down: each starts where the one above it ended.
        above = models[k] = steps.at(ladder_columns[k], above)
    null = fit.null_deviance if steps.bench.reduction is None else steps.at(ladder_columns[0], above).deviance
    rows: list[Row] = [{"resid_df": fit.df_null, "resid_deviance": null}]
    for k, term in enumerate(terms, start=1):
        count, before = _count(fit, term), rows[-1]["resid_deviance"]
        after = models[k].deviance if count else before  # a term that adds nothing leaves the same model
        row: Row = {"df": float(count), "resid_df": rows[-1]["resid_df"] - count}
        row |= {"resid_deviance": after, "deviance": max(before - after, 0.0)}
        value = row["deviance"]
        if test == "Rao":
            value = row["rao"] = steps.bench.score_test(models[k - 1], ladder_columns[k])
        rows.append(row | _tail(test, value, row["df"], stick))
    titles: dict[str, tuple[str, Kind]] = {
        "df": ("Df", "count"),
        "deviance": ("Deviance", "number"),
        "resid_df": ("Resid. Df", "count"),
        "resid_deviance": ("Resid. Dev", "number"),
    }
    if test != "LR":
        titles["rao" if test == "Rao" else "f"] = (test, "number")
    titles |= {"p_value": ("Pr(>F)" if test == "F" else "Pr(>Chi)", "p")}
    return DevianceTable(
        "Analysis of Deviance Table",
        heading(fit, ORDER[1], said(test, stick)),
        ("NULL", *(term.label for term in terms)),
        columns_of(rows, titles),
        (*aliased(rows), *steps.notes()),
        fit.problem.table,
    )


def _count(fit: FittedModel, term: ModelTerm) -> int:
    """Count the columns of a term that earlier ones do not explain: earlier columns win."""
    return int(np.isin(term.columns, fit.coordinates.kept).sum())


def _tail(test: str, value: float, df: float, stick: Yardstick) -> Row:
    if not df > 0:
        return {"f": math.nan, "p_value": math.nan}
    if test == "F":
        ratio = stick.ratio(value, df)
        return {"f": ratio, "p_value": f_tail(ratio, df, stick.df)}
    return {"p_value": chi2_tail(stick.ratio(value), df)}


# --- types II and III ---


def _marginal(steps: Ladder, kind: int, test: str, stick: Yardstick) -> DevianceTable:
    fit, terms, rows = steps.fit, terms_of(steps.fit), []
    for term in terms:
        relatives = [other for other in terms if other.contains(term)] if kind == 2 else []
        larger, smaller = steps.without(relatives), steps.without([term, *relatives])
        df = float(larger.rank - smaller.rank)
        drop = max(smaller.deviance - larger.deviance, 0.0)
        row: Row = {"df": df}
        if test == "F":
            row |= {"deviance": drop} | _tail("F", drop, df, stick)
        elif df > 0:
            value = drop if test == "LR" else steps.bench.score_test(smaller, larger.columns)
            row |= {"statistic": stick.ratio(value)} | _tail("LR", value, df, stick)
        rows.append(row)
    labels = tuple(term.label for term in terms)
    titles: dict[str, tuple[str, Kind]] = {
        "statistic": ("LR Chisq" if test == "LR" else "Rao Chisq", "number"),
        "df": ("Df", "count"),
        "p_value": ("Pr(>Chisq)", "p"),
    }
    if test == "F":
        titles = {
            "deviance": ("Sum Sq", "number"),
            "df": ("Df", "count"),
            "f": ("F value", "number"),
            "p_value": ("Pr(>F)", "p"),
        }
        rows.append({"deviance": stick.value * fit.df_resid, "df": float(fit.df_resid)})
        labels = (*labels, "Residuals")
    return DevianceTable(
        f"Analysis of Deviance Table (Type {'I' * kind} tests)",
        heading(fit, ORDER[kind], said(test, stick)),
        labels,
        columns_of(rows, titles),
        (*aliased(rows), *steps.notes()),
        fit.problem.table,
    )


def _wald(fit: FittedModel, kind: int, dispersion: str | float | None) -> DevianceTable:
    if kind == 1:
        raise OptionError("Wald tests are for type=2 and type=3; for type=1 choose 'LR', 'F' or 'Rao'")
    if dispersion is not None:
        raise OptionError("a Wald test divides by the phi in the covariance: fit with dispersion= instead")
    terms = all_terms(fit) if kind == 3 else terms_of(fit)
    rows: list[Row] = []
    for term in terms:
        relatives = [other for other in terms if other.contains(term)] if kind == 2 else []
        found = term_wald(fit, term, relatives)
        rows.append({"df": float(found.df), "statistic": found.statistic})
        rows[-1]["p_value"] = chi2_tail(found.statistic, found.df)
    titles: dict[str, tuple[str, Kind]] = {
        "df": ("Df", "count"),
        "statistic": ("Chisq", "number"),
        "p_value": ("Pr(>Chisq)", "p"),
    }
    return DevianceTable(
        f"Analysis of Deviance Table (Type {'I' * kind} tests)",
        heading(fit, ORDER[kind], f"Wald tests against chi-squared, {covariance_said(fit)}"),
        tuple(term.label for term in terms),
        columns_of(rows, titles),
        aliased(rows),
        fit.problem.table,
    )
