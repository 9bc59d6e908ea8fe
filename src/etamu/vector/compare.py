"""Nested models of several predictors side by side, tested one against the next; and the door for both kinds.

May import: everything below `vector`.
Read next: `etamu.fit.compare`, the same for one predictor.
"""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

import numpy as np

from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import LINE, Array, Interval
from etamu.design.chunk import Chunk, Weights
from etamu.fit.compare import APART
from etamu.fit.compare import compare as compare_fits
from etamu.fit.deviance_table import DevianceTable, Kind, columns_of
from etamu.infer.tests import chi2_tail
from etamu.objective.likelihood import Likelihood
from etamu.solve.newton import newton
from etamu.vector.fitted import FittedVectorModel
from etamu.vector.rows import eta_of, placed_chunk
from etamu.vector.stage import prepare

TITLES: dict[str, tuple[str, Kind]] = {
    "parameters": ("Parameters", "count"),
    "loglik": ("Log-lik.", "number"),
    "df": ("Df", "count"),
    "statistic": ("LR", "number"),
    "aic": ("AIC", "number"),
    "p_value": ("Pr(>Chi)", "p"),
}


def compare(*fits: Any, test: str | None = None, dispersion: str | float | None = None) -> DevianceTable:
    """Compare nested models, each with the one before, as R's anova of several fits.

    Models are put in order of size. Every model must lie in the next: what its columns (and the difference of
    the offsets) make must be made by the columns of the larger one, which is checked on the rows, not on the
    formulas.

    Parameters
    ----------
    *fits : Fit, or VectorFit
        Two or more of one kind.
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
    >>> data = {"y": [1, 2, 3, 2, 1, 3, 2, 1], "x": [0, 1, 2, 3, 4, 5, 1, 2], "z": [1, 1, 0, 0, 1, 0, 1, 0]}
    >>> small, large = (em.glm(f"y ~ {right}", data, family=em.Cumulative()) for right in ("x", "x + z"))
    >>> em.compare(small, large).row("y ~ x + z")["df"]
    1.0
    """
    several = [isinstance(fit, FittedVectorModel) for fit in fits]
    if not any(several):
        return compare_fits(*fits, test=test, dispersion=dispersion)
    if not all(several):
        raise NotAvailableError(
            "a model of one linear predictor is not nested in one of several: compare AIC"
        )
    if len(fits) < 2:
        raise OptionError(f"compare needs two models or more, and was given {len(fits)}")
    if dispersion is not None or str(test or "lr").lower() not in {"lr", "lrt", "chi2", "chisq"}:
        raise OptionError(
            "models of several predictors are compared by the likelihood ratio: leave test= out"
        )
    return _compared(tuple(fits))


def _compared(fits: tuple[FittedVectorModel, ...]) -> DevianceTable:
    models = sorted(fits, key=lambda fit: fit.rank)
    names = [_called(fit, fits) for fit in models]
    for fit in models:
        if fit.likelihood.reason or not fit.verified:
            why = fit.likelihood.reason or fit.outcome.value
            raise NotAvailableError(f"compare needs a likelihood and its verified maximum: {why}")
        kind = fit.covariance_kind
        if kind not in {"model", "observed", "expected"}:
            raise NotAvailableError(f"compare believes the model, and the covariance {kind} does not")
    for (small, large), pair in zip(pairwise(models), pairwise(names), strict=True):
        refuse_incomparable(small, large, *pair)
    rows: list[dict[str, float]] = []
    for place, fit in enumerate(models):
        row = {"parameters": float(fit.parameters), "loglik": fit.loglik, "aic": fit.aic}
        if place:
            before = models[place - 1]
            df, statistic = float(fit.rank - before.rank), max(2.0 * (fit.loglik - before.loglik), 0.0)
            row |= {"df": df, "statistic": statistic, "p_value": chi2_tail(statistic, df)}
        rows.append(row)
    largest = models[-1]
    heading = (
        f"Model: {largest.family.name}; response: {largest.problem.words.response}",
        "Likelihood-ratio tests against chi-squared",
    )
    return DevianceTable(
        "Likelihood ratio tests", heading, tuple(names), columns_of(rows, TITLES), (), largest.problem.table
    )


def _called(fit: FittedVectorModel, fits: tuple[FittedVectorModel, ...]) -> str:
    place = next(number for number, other in enumerate(fits, start=1) if other is fit)
    return fit.formula if sum(other.formula == fit.formula for other in fits) == 1 else f"Model {place}"


def refuse_incomparable(small: FittedVectorModel, large: FittedVectorModel, first: str, second: str) -> None:
    """Refuse models of other families, rows, responses or weights, and a smaller one that is not nested.

    Raises
    ------
    NotAvailableError
        Saying what differs.
    """
    one, two = small.problem, large.problem
    both = f"{first!r} and {second!r}"
    if one.family.name != two.family.name or len(one.predictors) != len(two.predictors):
        raise NotAvailableError(f"{both} are of other families: only AIC compares them")
    settings = [_kept(each.family.settings) for each in (one, two)]
    if settings[0] != settings[1]:
        raise NotAvailableError(f"{both} have other links, classes or references: only AIC compares them")
    if one.input_rows != two.input_rows or not np.array_equal(one.chunk.row_ids, two.chunk.row_ids):
        raise NotAvailableError(
            f"{both} were not fitted to the same rows: fit both to those complete for both"
        )
    if len(one.chunk.y) != len(two.chunk.y) or not all(map(np.array_equal, one.chunk.y, two.chunk.y)):
        raise NotAvailableError(f"{both} have different responses")
    weights = (one.chunk.weights.total(), two.chunk.weights.total())
    if not np.array_equal(_or_none(weights[0]), _or_none(weights[1])):
        raise NotAvailableError(f"{both} have different weights: give both the same")
    if _distance(small, large) > APART:
        lacking = ", ".join(name for name in small.names if name not in large.names) or "an offset"
        raise NotAvailableError(
            f"{first!r} is not nested in {second!r}: it lacks {lacking}; a test needs a larger model that "
            "holds the smaller one (compare the AIC of others)"
        )


def _kept(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that two nested models share."""
    return {name: value for name, value in settings.items() if name not in {"nonproportional", "formula"}}


def _or_none(weights: Array | None) -> Array:
    return np.ones(1) if weights is None else weights


@dataclass(frozen=True, slots=True)
class _Nearest:
    """Minus half the squared distance of what eta says, A eta, from targets that stand in the place of y."""

    k: int
    anchored: int | None
    domain: Interval = LINE
    canonical: bool = True
    concordance: float = 0.0

    @property
    def alone(self) -> _Nearest:
        """Itself."""
        return self

    @property
    def matrix(self) -> Array:
        """A: eta itself, or what it exceeds the anchored predictor by."""
        out = np.eye(self.k)
        if self.anchored is None:
            return out
        out[:, self.anchored] -= 1.0
        return np.asarray(np.delete(out, self.anchored, axis=0))

    def bind(self, xp: Any, information: str = "expected") -> Any:
        """Return f(y, eta) -> (value, score, information)."""
        del xp, information
        matrix = self.matrix

        def unit(y: tuple[Array, ...], eta: Array) -> tuple[Array, Array, Array]:
            rest = np.stack(y, axis=1) - eta.reshape(len(eta), self.k) @ matrix.T
            shape = (len(eta), self.k, self.k) if self.k > 1 else (len(eta),)
            curvature = np.broadcast_to((matrix.T @ matrix).reshape(shape[1:]), shape)
            return -0.5 * np.sum(rest * rest, axis=1), (rest @ matrix).reshape(eta.shape), curvature

        return unit


def _distance(small: FittedVectorModel, large: FittedVectorModel) -> float:
    """Return how far, relatively, what a random point of the smaller model says is from the larger one."""
    rng = np.random.default_rng(0)
    beta = small.beta + rng.standard_normal(small.coordinates.size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the fit itself has said
        stage = prepare(large.problem)
    chunk = placed_chunk(small, small.problem.counting())
    unit = _Nearest(len(large.problem.predictors), large.coordinates.anchored)
    target = eta_of(chunk, small.coordinates.raw(beta)) @ unit.matrix.T
    whole = stage.chunk
    rows = Chunk(whole.predictors, tuple(np.ascontiguousarray(target.T)), Weights(), whole.row_ids)
    stack: Any = stage.stack
    oracle = Likelihood(stage.executor.over(rows), unit, stack, stage.extent)
    left = -2.0 * newton(oracle, np.zeros(stage.stack.size)).local.value
    centred = target - target.mean(axis=0)
    return float(np.sqrt(max(left, 0.0) / max(float(np.sum(centred**2)), 1e-300)))
