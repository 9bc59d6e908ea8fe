"""Nested models side by side, tested one against the next.

May import: everything below `fit`.
Read next: `etamu.fit.anova` for the terms of one model.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.listing import listed
from etamu._base.types import Array
from etamu.design.chunk import Chunk, Predictor
from etamu.design.coordinates import Coordinates
from etamu.execute.threads import Threads
from etamu.fit.anova import said
from etamu.fit.components import spelled
from etamu.fit.deviance_table import DevianceTable, Kind, columns_of
from etamu.fit.reduced import WIDER, refuse_reduced
from etamu.fit.reference import Yardstick, chosen_test, refuse_f, refuse_without_likelihood, yardstick
from etamu.fit.restrict import bench_of, whole
from etamu.fit.term_tests import Row, heading
from etamu.infer.tests import chi2_tail, f_tail
from etamu.sums import Sums

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

TESTS = {"lr": "LR", "lrt": "LR", "chisq": "LR", "chi2": "LR", "f": "F"}

APART = 1e-6
"""A column this far, relatively, from the span of the larger model is not in it."""

ROUNDING = 1e-12
"""Offsets that differ by less than this, relatively, are the same."""


def compare(
    *fits: FittedModel, test: str | None = None, dispersion: str | float | None = None
) -> DevianceTable:
    """Compare nested models, each with the one before, as R's anova of several fits.

    Models that estimate a shape, such as theta of `NegativeBinomial()`, are compared by their likelihoods,
    each with its own, as MASS's anova of `glm.nb` fits; `fit.anova()` and `fit.drop1()` hold that of the fit.

    Models are put in order of size. Every model must lie in the next: its columns (and the difference of
    the offsets) must be linear combinations of the columns of the larger one, which is checked on the rows,
    not on the formulas.

    Parameters
    ----------
    *fits : Fit
        Two or more.
    test : "LR" or "F", optional
        F where phi of the largest model is estimated and LR where it is known, if left out.
    dispersion : "pearson", "deviance", "ml" or float, optional
        The phi to divide by; that of the largest model if left out.

    Raises
    ------
    NotAvailableError
        If the models are not nested, do not have the same rows, response, weights, family and link, or have a
        robust covariance or sampling weights.
    OptionError
        If an option is not understood, or fewer than two models are given.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> small, large = (em.glm(f"y ~ {right}", data, family="poisson") for right in ("1", "x"))
    >>> print(em.compare(small, large))
    Analysis of Deviance Table
    <BLANKLINE>
    Model: poisson, link: log; response: y
    Likelihood-ratio tests against chi-squared, phi = 1 by definition
    <BLANKLINE>
          Resid. Df Resid. Dev Df Deviance    AIC Pr(>Chi)
    y ~ 1         5    21.4281              44.168
    y ~ x         4     2.3185  1    19.11 27.058 1.23e-05 ***
    ---
    Signif. codes:  0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1
    """
    if len(fits) < 2:
        raise OptionError(f"compare needs two models or more, and was given {len(fits)}")
    for place, fit in enumerate(fits):
        if not hasattr(fit, "deviance"):
            kind = type(fit).__name__
            raise OptionError(f"compare takes fits, compare(small, large); argument {place + 1} is a {kind}")
    models = sorted(fits, key=lambda fit: fit.rank)
    names = [_called(fit, fits) for fit in models]
    for fit in models:
        refuse_without_likelihood(fit, "compare")
        refuse_reduced(fit, "compare", WIDER)
    for (small, large), (first, second) in zip(pairwise(models), pairwise(names), strict=True):
        refuse_incomparable(small, large, first, second)
        refuse_unnested(small, large, first, second)
    largest = models[-1]
    if any(fit.problem.unknown for fit in models):
        return _by_likelihood(models, names, test, dispersion)
    estimated = largest.phi.estimated if dispersion is None else isinstance(dispersion, str)
    asked = chosen_test(test, TESTS, estimated=estimated)
    stick = yardstick(largest, dispersion, bench_of(largest) if dispersion == "ml" else None)
    if asked == "F":
        refuse_f(largest, stick)
    rows: list[Row] = [_own(models[0])]
    rows += [_own(large) | _tested(small, large, asked, stick) for small, large in pairwise(models)]
    titles: dict[str, tuple[str, Kind]] = {
        "resid_df": ("Resid. Df", "count"),
        "resid_deviance": ("Resid. Dev", "number"),
        "df": ("Df", "count"),
        "deviance": ("Deviance", "number"),
    }
    if not any(math.isnan(fit.aic) for fit in models):
        titles["aic"] = ("AIC", "number")
    if asked == "F":
        titles["f"] = ("F", "number")
    titles["p_value"] = ("Pr(>F)" if asked == "F" else "Pr(>Chi)", "p")
    return DevianceTable(
        "Analysis of Deviance Table",
        heading(largest, said(asked, stick)),
        tuple(names),
        columns_of(rows, titles),
        (),
        largest.problem.table,
    )


def _by_likelihood(
    models: list[FittedModel], names: list[str], test: str | None, dispersion: str | float | None
) -> DevianceTable:
    """Compare models that each estimate a shape of their own: their deviances have different zeros."""
    largest = models[-1]
    word = largest.problem.unknown
    if (test is not None and chosen_test(test, TESTS, estimated=False) != "LR") or dispersion is not None:
        raise OptionError(
            f"each of these models has its own {word}, so they are compared by their likelihoods: leave out "
            f"dispersion= and any test but 'LR', or give {word} to hold it"
        )
    shapes = [next(shape.estimate for shape in fit.shapes if shape.name == word) for fit in models]
    rows: list[Row] = [
        {word: shape, "resid_df": float(fit.df_resid), "twice_loglik": 2.0 * fit.loglik, "aic": fit.aic}
        for fit, shape in zip(models, shapes, strict=True)
    ]
    for row, (small, large) in zip(rows[1:], pairwise(models), strict=True):
        df, rise = float(large.rank - small.rank), 2.0 * max(large.loglik - small.loglik, 0.0)
        row.update({"df": df} | ({"lr": rise, "p_value": chi2_tail(rise, df)} if df else {}))
    titles: dict[str, tuple[str, Kind]] = {
        word: (word, "number"),
        "resid_df": ("Resid. Df", "count"),
        "twice_loglik": ("2 x log-lik.", "number"),
        "df": ("Df", "count"),
        "lr": ("LR stat.", "number"),
        "aic": ("AIC", "number"),
        "p_value": ("Pr(>Chi)", "p"),
    }
    asked = next(shape.family for shape in largest.shapes if shape.family)
    model = f"Model: {asked}, link: {largest.link.name}; response: {largest.problem.words.response or 'y'}"
    how = f"Likelihood-ratio tests against chi-squared, {word} estimated in each model"
    table = largest.problem.table
    return DevianceTable(
        "Likelihood ratio tests", (model, how), tuple(names), columns_of(rows, titles), (), table
    )


def _own(fit: FittedModel) -> Row:
    return {"resid_df": float(fit.df_resid), "resid_deviance": fit.deviance, "aic": fit.aic}


def _tested(small: FittedModel, large: FittedModel, test: str, stick: Yardstick) -> Row:
    df = float(large.rank - small.rank)
    drop = max(small.deviance - large.deviance, 0.0)
    row: Row = {"df": df, "deviance": drop}
    if not df:
        return row
    if test == "F":
        ratio = stick.ratio(drop, df)
        return row | {"f": ratio, "p_value": f_tail(ratio, df, stick.df)}
    return row | {"p_value": chi2_tail(stick.ratio(drop), df)}


def _called(fit: FittedModel, fits: tuple[FittedModel, ...]) -> str:
    """Name a model by its formula, or by its place where that does not tell it from the others."""
    place = next(number for number, other in enumerate(fits, start=1) if other is fit)
    formula = fit.formula
    alone = formula and sum(other.formula == formula for other in fits) == 1
    return formula if alone else f"Model {place}"


def refuse_incomparable(small: FittedModel, large: FittedModel, first: str, second: str) -> None:
    """Refuse models of other rows, responses, weights, families or links.

    Raises
    ------
    NotAvailableError
        Saying what differs and the remedy.
    """
    one, two = small.problem, large.problem
    estimated = one.unknown and one.unknown == two.unknown and one.unit.link == two.unit.link
    if one.unit != two.unit and not estimated:
        words = [f"{spelled(fit.family)} with {fit.link.name} link" for fit in (small, large)]
        raise NotAvailableError(
            f"{first!r} is {words[0]} and {second!r} is {words[1]}: models of another family or link are not "
            "nested; em.compare_links compares links by AIC"
        )
    if one.input_rows != two.input_rows or not np.array_equal(one.chunk.row_ids, two.chunk.row_ids):
        raise NotAvailableError(
            f"{first!r} was fitted to {len(one.chunk)} of {one.input_rows} rows and {second!r} to "
            f"{len(two.chunk)} of {two.input_rows}, not the same ones: fit both to the rows complete for both"
        )
    for ours, theirs in zip(one.chunk.y, two.chunk.y, strict=True):
        if not np.array_equal(ours, theirs):
            row = int(one.chunk.row_ids[int(np.flatnonzero(ours != theirs)[0])])
            raise NotAvailableError(
                f"{first!r} and {second!r} have different responses, {one.words.response} and "
                f"{two.words.response} (row {row}): models are compared on one response in one measure"
            )
    pairs = (
        (one.chunk.weights.frequency, two.chunk.weights.frequency, "frequency_weights"),
        (one.chunk.weights.variance, two.chunk.weights.variance, "variance_weights"),
    )
    for left, right, kind in pairs:
        if (left is None) != (right is None) or not np.array_equal(_or_ones(left), _or_ones(right)):
            raise NotAvailableError(f"{first!r} and {second!r} have different {kind}: give both the same")


def _or_ones(weights: Array | None) -> Array:
    return np.ones(1) if weights is None else weights


def refuse_unnested(small: FittedModel, large: FittedModel, first: str, second: str) -> None:
    """Refuse a smaller model whose etas the larger one cannot make.

    A random combination of its columns, and the difference of the offsets, are projected on the columns of
    the larger model and compared row by row: what is not in their span differs, with probability one.

    Raises
    ------
    NotAvailableError
        Naming coefficients the larger model lacks.
    """
    apart = _apart(small, large)
    if not apart:
        return
    if apart == "offset":
        what = "their offsets differ, and the difference is no combination of the larger model's columns"
    else:
        lacking = [name for name in small.names if name not in large.names and name not in small.aliased]
        what = f"it lacks {listed(lacking)}" if lacking else "columns of the same name differ"
    raise NotAvailableError(
        f"{first!r} is not nested in {second!r}: {what}; a test needs a larger model that holds the smaller "
        "one (compare the AIC of others)"
    )


def _apart(small: FittedModel, large: FittedModel) -> str:
    """Say what of the smaller model lies outside the larger: "offset", "columns", or nothing."""
    bench = bench_of(large)
    coordinates = whole(large, bench).coordinates
    one, two = small.problem.counting().predictors[0], large.problem.counting().predictors[0]
    design = small.coordinates.placed(one.design)
    zero = np.zeros(len(bench.chunk))
    offsets = [zero if predictor.offset is None else predictor.offset for predictor in (one, two)]
    gap = offsets[0] - offsets[1]
    if np.abs(gap).max(initial=0.0) <= ROUNDING * np.abs(offsets).max(initial=0.0):
        gap = zero
    random = np.random.default_rng(0).standard_normal(small.coordinates.size)
    chunk = Chunk(
        (bench.chunk.predictors[0], Predictor(design, gap)),
        bench.chunk.y,
        bench.chunk.weights,
        bench.chunk.row_ids,
    )
    executor = Threads(chunk, bench.executor.rows, bench.executor.threads)
    plain = executor.reduce(lambda block: block.predictors[0].design.gram_parts(np.ones(len(block))))
    gram = coordinates.gram(plain)
    for what, beta in (("offset", None), ("columns", small.coordinates.raw(random))):
        if _distance(executor, coordinates, gram, beta) > APART:
            return what
    return ""


def _distance(executor: Threads, coordinates: Coordinates, gram: Array, beta: Array | None) -> float:
    """Return how far, relatively, a direction of the second predictor is from the span of the first."""
    rest = partial(_residual, beta=beta)
    fitted = np.zeros(coordinates.size)
    start = left = executor.reduce(partial(rest, raw=coordinates.raw(fitted)))
    if not start.value:
        return 0.0
    for _ in range(3):  # two refinements: the Gram has squared the condition number
        assert left.score is not None
        fitted = fitted + np.linalg.lstsq(gram, coordinates.gathered(left.score), rcond=None)[0]
        left = executor.reduce(partial(rest, raw=coordinates.raw(fitted)))
    return math.sqrt(left.value / start.value)


def _residual(block: Chunk, raw: Array, beta: Array | None) -> Sums:
    """Sum r'r and X'r of what X raw leaves of the second predictor's direction; of its offset without one."""
    larger, smaller = block.predictors
    gap = np.zeros(len(block)) if smaller.offset is None else smaller.offset
    rest = (gap if beta is None else smaller.design.matvec(beta)) - larger.design.matvec(raw)
    return Sums(float(rest @ rest), larger.design.rmatvec(rest))
