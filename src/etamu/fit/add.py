"""What adding one term would gain: R's add1.

May import: everything below `fit`.
Read next: `etamu.fit.scope` for what may be added, `etamu.fit.step`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from etamu import sums
from etamu._base.facts import dataclass
from etamu.fit.anova import WORDS
from etamu.fit.deviance_table import DevianceTable
from etamu.fit.drop import TESTS, Change, scale_of, statistic, table_of
from etamu.fit.model_terms import terms_of_layout
from etamu.fit.phi import Phi
from etamu.fit.reduced import WIDER, refuse_reduced
from etamu.fit.reference import Yardstick, chosen_test, refuse_f, refuse_without_likelihood, yardstick
from etamu.fit.restrict import Bench, Smaller, larger_bench
from etamu.fit.scope import Key, Wording, encoded, scope_to_add, wording_of
from etamu.fit.term_tests import Row, heading
from etamu.infer.dispersion import moment

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel


@dataclass(frozen=True, slots=True, eq=False)
class Addition:
    """One more term: what it changes, and the larger model."""

    change: Change
    model: Smaller


def add1(
    fit: FittedModel,
    scope: str | Iterable[str],
    test: str | None = None,
    *,
    dispersion: str | float | None = None,
) -> DevianceTable:
    """Say for every term of a scope what the model with it is worth, as R's add1.

    The larger design is encoded once. Rao's test needs one pass of it, at (beta-hat, 0); LR and F fit one
    model per term, from beta-hat.

    Parameters
    ----------
    fit : Fit
    scope : str or list of str
        ``"~ . + z + x:z"``, in which `.` is the model as it stands, or labels of terms.
    test : "LR", "F" or "Rao", optional
        F where phi is estimated and LR where it is known, if left out. Rao's table has no deviance:
        nothing is fitted for it.
    dispersion : "pearson", "deviance" or float, optional
        The phi. If left out F divides by deviance / df of the larger model, as R's add1, everything else by
        the phi of the fit.

    Raises
    ------
    FormulaError
        If the scope cannot be read, names a column that is not there, or adds nothing.
    DataError
        If a new column has missing values in the rows of the fit.
    NotAvailableError
        Under a robust covariance or sampling weights, or for a model fitted to arrays.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> table = em.glm("y ~ 1", data, family="poisson").add1("~ x", test="Rao")
    >>> float(table["statistic"][1].round(4))
    18.1371
    """
    if fit.near is not None and fit.near.measure.tabled:
        return fit.near.measure.table(
            add1(fit.near.fit, scope, test, dispersion=fit.near.measure.dispersion(dispersion))
        )
    estimated = fit.phi.estimated if dispersion is None else isinstance(dispersion, str)
    asked = chosen_test(test, TESTS, estimated=estimated)
    refuse_without_likelihood(fit, "add1")
    refuse_reduced(fit, "add1", WIDER)
    wording, keys = scope_to_add(wording_of(fit), scope)
    stick = yardstick(fit, dispersion)
    if asked == "F":
        refuse_f(fit, stick)
    additions = additions_of(fit, wording, keys, refit=asked != "Rao", rao=asked == "Rao")
    rows = [_row(fit, addition, asked, stick, dispersion) for addition in additions]
    changes = [addition.change for addition in additions]
    words = ("Single term additions", heading(fit, *_said(asked, stick, dispersion)))
    return table_of(fit, words, changes, rows, (asked, stick), ())


def additions_of(
    fit: FittedModel, wording: Wording, keys: tuple[Key, ...], *, refit: bool, rao: bool = False
) -> list[Addition]:
    """Fit, or test by the score, the model with each of some terms on one larger design."""
    own = wording_of(fit).keys()
    chosen = wording.only((*own, *keys), first=own)
    problem = encoded(fit, chosen)
    bench = larger_bench(fit, problem.chunk.predictors[0], problem.layout)
    terms = {term.factors: term for term in terms_of_layout(problem.layout, problem.schema)}
    base = tuple(range(len(fit.names)))
    there = bench.over(base)
    start = Smaller(base, bench, there, bench.warm[there.kept], fit.deviance, fit.outcome)
    out = []
    for key in keys:
        columns = (*base, *(terms[key].columns if key in terms else ()))
        model = bench.fit(columns, start) if refit else start
        rank = model.rank if refit else bench.over(columns).size
        score = bench.score_test(start, columns) if rao else math.nan
        deviance = model.deviance if refit else math.nan
        out.append(Addition(Change(wording.label(key), rank - fit.rank, deviance, score), model))
    return out


def _row(fit: FittedModel, addition: Addition, test: str, stick: Yardstick, asked: str | float | None) -> Row:
    change, scale = addition.change, scale_of(fit, stick)
    gain = scale.of(fit.deviance) - scale.of(change.deviance) if test != "Rao" else math.nan
    row: Row = {"df": float(change.df), "deviance": change.deviance}
    row["aic"] = fit.aic - gain + 2.0 * change.df
    if not change.df:
        return row
    drop = max(fit.deviance - change.deviance, 0.0)
    divisor = _larger_phi(fit, addition, stick, asked) if test == "F" else stick
    return row | statistic(test, max(gain, 0.0), drop, change, divisor)


def _larger_phi(
    fit: FittedModel, addition: Addition, stick: Yardstick, asked: str | float | None
) -> Yardstick:
    """Estimate phi in the larger model, as R's add1 does for F."""
    df = float(fit.df_resid - addition.change.df)
    if asked == "pearson":
        return Yardstick(Phi(moment(_pearson(addition.model.bench, addition.model), int(df)), "pearson"), df)
    if asked in {None, "deviance"}:
        return Yardstick(Phi(moment(addition.change.deviance, int(df)), "deviance"), df)
    return stick


def _pearson(bench: Bench, model: Smaller) -> float:
    raw = model.coordinates.raw(model.beta)
    return bench.executor.reduce(partial(sums.pearson, beta=raw, unit=bench.unit))


def _said(test: str, stick: Yardstick, asked: str | float | None) -> tuple[str, ...]:
    if test == "F" and (asked is None or isinstance(asked, str)):
        how = "Pearson" if asked == "pearson" else "deviance / df"
        return (f"F tests, phi of each larger model ({how})", f"AIC with {stick.text}")
    return (f"{WORDS[test]}, {stick.text}",)
