"""The covariance of an estimate of several predictors: the model's, and sandwiches for rows and clusters.

May import: everything below `vector`.
Read next: `etamu.vector.result`, whose standard errors these are.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu import sums
from etamu._base.arrow import all_finite
from etamu._base.choice import check_choice
from etamu._base.errors import ConvergenceWarning, NotAvailableError, OptionError
from etamu._base.types import Array, Want
from etamu.design.chunk import Chunk
from etamu.execute.threads import Threads
from etamu.fit.caller import user_level
from etamu.fit.clusters import Clustering, crossed, ways_of
from etamu.fit.refine import WARN_CONDITION
from etamu.infer.clusters import ByCluster
from etamu.infer.covariance import Root, condition, filled, root_of_information
from etamu.vector.rows import eta_of, placed_chunk, unit_of, visited

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel, VectorModel

ALONE = ("model", "observed", "expected", "HC0", "HC1")
"""Covariances that need nothing but the fit."""

CLUSTERED = ("CR0", "CR1")
"""Covariances that need clusters."""


def covariance(fit: FittedVectorModel, executor: Threads, kind: str, ways: tuple[Any, ...] = ()) -> Root:
    """Compute the covariance of the working coefficients, as a root; NaN where the information is no metric.

    "model" and "observed" invert the observed information (as R's `polr`, `clm` and Stata), "expected" its
    expectation; HC0, HC1 = HC0 n / (n - p), CR0 and CR1 = CR0 G / (G - 1) are sandwiches around the former.
    """
    check(kind)
    information = fit.solution.local.observed if kind != "expected" else _expected(fit, executor)
    size = fit.coordinates.size
    if fit.limit is not None and not len(fit.limit.beta):
        return fit.limit.lifted(Root(np.zeros((0, 0))))
    if information is None or not all_finite(information):
        return Root(np.full((size, size), np.nan))
    try:
        bread = root_of_information(information)
    except np.linalg.LinAlgError:
        return Root(np.full((size, size), np.nan))
    cond = condition(information)
    if cond > WARN_CONDITION:
        message = f"the columns are nearly collinear (condition number {cond:.1e}): few digits can be trusted"
        warnings.warn(message, ConvergenceWarning, stacklevel=user_level())
    bread = bread if fit.limit is None else fit.limit.lifted(bread)
    if kind in {"model", "observed", "expected"}:
        return bread
    if kind in CLUSTERED:
        return filled(bread, _clustered(fit, executor, bread, kind, ways))
    return filled(bread, _independent(fit, executor, bread, kind))


def _expected(fit: FittedVectorModel, executor: Threads) -> Any:
    """Return the expected information: of the last pass, or in a pass of its own where it is dear."""
    family, raw = fit.problem.family, fit.coordinates.raw(fit.beta)
    if not family.expected_dear or (fit.limit is not None and fit.limit.count):
        return fit.solution.local.expected
    want = Want.VALUE | Want.EXPECTED
    total = executor.reduce(partial(sums.accumulate, beta=raw, unit=unit_of(family), want=want))
    found = fit.coordinates.gram(total.expected)
    return found if fit.limit is None else found[np.ix_(~fit.limit.gone, ~fit.limit.gone)]


def check(kind: str) -> None:
    """Refuse kinds that models of several predictors have not.

    Raises
    ------
    OptionError
    """
    check_choice("covariance", kind, (*ALONE, *CLUSTERED), " for several predictors")


def with_covariance(fit: VectorModel, kind: str, cluster: Any = None) -> VectorModel:
    """Return the fit with another covariance, as `VectorFit.with_covariance` describes.

    Raises
    ------
    OptionError
        If the kind is not known, or lacks or cannot use `cluster`.
    NotAvailableError
        If the fit was read from a file, which carries no rows.
    """
    kind = {"cluster": "CR1"}.get(kind, kind)
    check(kind)
    if (kind in CLUSTERED) != (cluster is not None):
        needs = "needs clusters: give cluster='column'" if kind in CLUSTERED else "takes no clusters"
        raise OptionError(f"{kind} {needs}")
    problem: Any = fit.problem
    if problem.sample is None and kind != "model":
        raise NotAvailableError("another covariance needs the rows, and a fit read from a file carries none")
    names, ways = ways_of(problem, cluster) if kind in CLUSTERED else ((), ())
    sample = replace(problem.attached(), chunk=replace(problem.chunk, cluster=ways))
    changed = replace(fit, problem=replace(problem, sample=sample))
    whole = placed_chunk(changed, changed.problem.counting())
    executor = Threads(whole, **visited(problem.options, len(whole.predictors)))
    root = covariance(changed, executor, kind, executor.whole.cluster)
    clustering = None
    if ways:
        counts = tuple(int(codes.max()) + 1 for codes in executor.whole.cluster)
        clustering = Clustering(names, counts, float(min(counts) - 1))
    return replace(changed, factor=root, covariance_kind=kind, clustering=clustering)


def _independent(fit: FittedVectorModel, executor: Threads, bread: Root, kind: str) -> Array:
    """Sum the whitened squares of the scores of the rows."""
    raw = fit.coordinates.raw(fit.beta)
    want = Want.VALUE | Want.MEAT
    unit = unit_of(fit.problem.family, climbing=True)
    total = executor.reduce(partial(sums.accumulate, beta=raw, unit=unit, want=want))
    sampling = fit.problem.chunk.weights.sampling is not None
    left = fit.nobs - (1 if sampling else fit.coordinates.size)
    factor = 1.0 if kind != "HC1" else fit.nobs / left if left > 0 else np.nan
    return np.asarray(factor * bread.matrix.T @ fit.coordinates.gram(total.meat) @ bread.matrix)


def _clustered(
    fit: FittedVectorModel, executor: Threads, bread: Root, kind: str, ways: tuple[Any, ...]
) -> Array:
    """Sum the whitened squares of the scores of the clusters, by inclusion and exclusion of several ways."""
    meat = np.zeros((bread.matrix.shape[1],) * 2)
    for sign, codes in crossed(ways):
        count = int(codes.max()) + 1
        whole = replace(executor.whole, cluster=(codes,))
        found = executor.over(whole).reduce(partial(_scores, fit=fit, bread=bread))
        factor = count / (count - 1) if kind == "CR1" else 1.0
        meat += sign * factor * found.scores.T @ found.scores
    return meat


def _scores(chunk: Chunk, fit: FittedVectorModel, bread: Root) -> ByCluster:
    """Add the whitened scores of the rows of each cluster."""
    raw = fit.coordinates.raw(fit.beta)
    with np.errstate(all="ignore"):
        score = fit.problem.family.bind(np, "observed")(chunk.y, eta_of(chunk, raw))[1]
    total = chunk.weights.total()
    score = score if total is None else score * total[:, None]
    parts = [
        part.rows(predictor.design) * score[:, j : j + 1]
        for j, (predictor, part) in enumerate(zip(chunk.predictors, fit.coordinates.parts, strict=True))
    ]
    white = np.concatenate(parts, axis=1) @ bread.matrix
    keys, place = np.unique(chunk.cluster[0], return_inverse=True)
    out = np.zeros((len(keys), white.shape[1]))
    np.add.at(out, place.reshape(-1), white)
    return ByCluster(keys, out)
