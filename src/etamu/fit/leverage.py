"""Leverage: how much of its own fitted value a row determines, at the estimate, block by block.

May import: everything below `fit`.
Read next: `etamu.fit.influence`, which makes something of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from etamu import sums
from etamu._base.types import Array, Mask, Want
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.execute.threads import Threads
from etamu.fit.rows import raw_beta
from etamu.infer import influence as formulas
from etamu.infer.covariance import Root, condition, root_of_information, root_of_triangle

if TYPE_CHECKING:
    from etamu.fit.result import Fit

SQUARED_CONDITION = 1e3
"""Above this condition number x'(X'WX)^-1 x is a squared length: a multiplied-out inverse loses digits."""


def bread(fit: Fit) -> Root:
    """Factor the inverse of the expected information at phi = 1, whatever covariance the fit reports."""
    phi = fit.phi.value
    if fit.covariance_kind == "model" and 0.0 < phi < math.inf:
        return Root(fit.root.matrix / math.sqrt(phi))
    problem, beta = fit.problem, raw_beta(fit)
    chunk = problem.counting()
    predictor = chunk.predictors[0]
    placed = Predictor(fit.coordinates.placed(predictor.design), predictor.offset)
    executor = Threads(
        Chunk((placed,), chunk.y, chunk.weights, chunk.row_ids), rows=problem.options.block_rows
    )
    total = executor.reduce(
        partial(sums.accumulate, beta=beta, unit=problem.unit, want=Want.EXPECTED)
    ).expected
    if total is None or not np.all(np.isfinite(total)):
        return Root(np.full((fit.rank, fit.rank), np.nan))
    information = fit.coordinates.gram(total)
    try:
        if condition(information) <= SQUARED_CONDITION:
            return root_of_information(information)
        triangle = executor.reduce(
            partial(sums.triangle, coordinates=fit.coordinates, unit=problem.unit, beta=beta)
        )
        return root_of_triangle(triangle.factor)
    except np.linalg.LinAlgError:
        return Root(np.full((fit.rank, fit.rank), np.nan))


def lever(fit: Fit, root: Root) -> Callable[[Chunk, Array], Array]:
    """Return the function (rows, eta) -> h = w W x'(X'WX)^-1 x of a single copy of each row.

    h is NaN where the row does not count. The sum over all copies is the rank.
    """
    unit = fit.problem.unit
    quadratic = _quadratic(fit, root)

    def leverage(chunk: Chunk, eta: Array) -> Array:
        with np.errstate(all="ignore"):
            information = unit.bind(np, "expected")(chunk.y, eta)[2]
            precision = single(chunk.weights)
            weighted = information if precision is None else information * precision
            h = formulas.leverages(weighted, quadratic(chunk))
        return np.where(counts(chunk), h, np.nan)

    return leverage


def single(weights: Weights) -> Array | None:
    """Return what a single copy of each row counts: variance times sampling weight; None where that is 1."""
    return Weights(None, weights.variance, weights.sampling).total()


def counts(chunk: Chunk) -> Mask:
    """Flag the rows of positive weight and, where there are trials, positive trials."""
    total = chunk.weights.total()
    positive = np.ones(len(chunk), dtype=bool) if total is None else total > 0.0
    return np.asarray(positive & (chunk.y[1] > 0.0) if len(chunk.y) > 1 else positive)


def _quadratic(fit: Fit, root: Root) -> Callable[[Chunk], Array]:
    coordinates = fit.coordinates
    covariance = root.covariance()
    if np.all(np.isfinite(covariance)) and condition(covariance) > SQUARED_CONDITION:

        def length(chunk: Chunk) -> Array:
            panel = coordinates.rows(chunk.predictors[0].design) @ root.matrix
            return np.asarray(np.einsum("ij,ij->i", panel, panel))

        return length
    matrix = coordinates.raw_matrix(covariance)
    return lambda chunk: chunk.predictors[0].design.quadratic(matrix)
