"""The four basic residuals, every one computed from eta.

May import: everything below `fit`.
Read next: `etamu.fit.residual_kinds`, the further kinds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.family.unit import Unit
from etamu.fit.phi import pearson_size
from etamu.fit.rows import by_row, raw_beta
from etamu.sums import etas

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel


def basic(fit: FittedModel, kind: str) -> Array:
    """Compute residuals of one of the four kinds with the input's length.

    response y - mu; working (y - mu) g'(mu); pearson (y - mu) sqrt(w / V); deviance
    sign(y - mu) sqrt(w d), with w the variance weight times the trials.
    """
    unit, beta, function = fit.problem.unit, raw_beta(fit), KINDS[kind]

    def rows(chunk: Chunk) -> Array:
        with np.errstate(all="ignore"):
            return function(unit, chunk, etas(chunk, beta))

    return by_row(fit, rows)


def response(unit: Unit, chunk: Chunk, eta: Array) -> Array:
    """Compute y - mu, both as proportions where there are trials."""
    mean = unit.mean(np, eta)
    return np.asarray(unit.family.residual(np, unit.observed(chunk.y)[0], mean.mu, mean.complement))


def _working(unit: Unit, chunk: Chunk, eta: Array) -> Array:
    return np.asarray(response(unit, chunk, eta) / unit.mean(np, eta).d1)


def _pearson(unit: Unit, chunk: Chunk, eta: Array) -> Array:
    return _signed(unit, chunk, eta, pearson_size(unit, chunk, eta)) * root_precision(chunk)


def _deviance(unit: Unit, chunk: Chunk, eta: Array) -> Array:
    value = unit.bind(np, "expected")(chunk.y, eta)[0]
    return _signed(unit, chunk, eta, np.sqrt(-2.0 * value)) * root_precision(chunk)


def _signed(unit: Unit, chunk: Chunk, eta: Array, size: Array) -> Array:
    return np.asarray(np.sign(response(unit, chunk, eta)) * size)


def root_precision(chunk: Chunk) -> Array | float:
    """Return the square root of the variance weight, 1 where there is none."""
    # A frequency weight repeats rows; the residual is that of a single copy.
    precision = chunk.weights.variance
    return 1.0 if precision is None else np.sqrt(precision)


KINDS: dict[str, Callable[[Unit, Chunk, Array], Array]] = {
    "response": response,
    "working": _working,
    "pearson": _pearson,
    "deviance": _deviance,
}
"""Basic kinds by name."""
