"""Leverage: how much of its own fitted value a row determines, at the estimate, block by block.

May import: everything below `fit`.
Read next: `etamu.fit.influence`, which makes something of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.types import Array, Mask, Want
from etamu.design.chunk import Chunk
from etamu.fit.placed import SQUARED_CONDITION, squared_lengths
from etamu.fit.placed import bread as bread_at
from etamu.fit.rows import lifted, located
from etamu.infer import influence as formulas
from etamu.infer.covariance import Root, ill_conditioned

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel


def bread(fit: FittedModel) -> Root:
    """Factor the inverse of the expected information at phi = 1, whatever covariance the fit reports."""
    phi = fit.phi.value
    if fit.covariance_kind == "model" and 0.0 < phi < math.inf:
        return Root(fit.root.matrix / math.sqrt(phi))
    at = located(fit)
    return lifted(fit, bread_at(at, at.information(Want.EXPECTED)).root)


def lever(fit: FittedModel, root: Root) -> Callable[[Chunk, Array], Array]:
    """Return the function (rows, eta) -> h = w W x'(X'WX)^-1 x of a single copy of each row.

    h is NaN where the row does not count. The sum over all copies is the rank.
    """
    unit = fit.problem.unit
    covariance = root.covariance()
    delicate = bool(np.all(np.isfinite(covariance))) and ill_conditioned(covariance, SQUARED_CONDITION)
    lengths = squared_lengths(fit.coordinates, root, delicate=delicate)

    def leverage(chunk: Chunk, eta: Array) -> Array:
        with np.errstate(all="ignore"):
            information = unit.bind(np, "expected")(chunk.y, eta)[2]
            precision = chunk.weights.precision()
            weighted = information if precision is None else information * precision
            h = formulas.leverages(weighted, lengths(chunk))
        return np.where(counts(chunk), h, np.nan)

    return leverage


def counts(chunk: Chunk) -> Mask:
    """Flag the rows of positive weight and, where there are trials, positive trials."""
    total = chunk.weights.total()
    positive = np.ones(len(chunk), dtype=bool) if total is None else total > 0.0
    return np.asarray(positive & (chunk.y[1] > 0.0) if len(chunk.y) > 1 else positive)
