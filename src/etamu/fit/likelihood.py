"""The complete log-likelihood: saturated terms minus half the scaled deviance.

May import: everything below `fit`.
Read next: `etamu.infer.criteria`.
"""

from __future__ import annotations

import math
import sys

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.family.family import Family
from etamu.fit.phi import Phi, likelihood_phi
from etamu.fit.problem import Problem

LARGEST = sys.float_info.max

BLOCK = 1 << 13
"""Rows whose saturated terms are computed at a time, in cache."""


@dataclass(frozen=True, slots=True)
class LogLikelihood:
    """A log-likelihood, the parameters it counts beyond beta, and why it is NaN if it is.

    Parameters
    ----------
    value : float
    extra : int
        1 where phi was estimated inside the likelihood, else 0.
    phi : float
        The phi plugged in.
    reason : str
        Why there is none; empty where there is one.
    penalty : float
        What a penalised likelihood adds; NaN where the estimate maximises none.
    """

    value: float
    extra: int
    phi: float
    reason: str = ""
    penalty: float = math.nan


def log_likelihood(problem: Problem, chunk: Chunk, raw: Array, deviance: float, phi: Phi) -> LogLikelihood:
    """Compute sum of saturated terms - D / (2 phi), phi plugged in as the conventions say.

    phi = 1 where the family knows it; else D / n for Gaussian, gamma (as R, not ML) and inverse
    Gaussian, and the maximum-likelihood value for Tweedie.
    """
    family, weights = problem.unit.family, chunk.weights
    if not family.has_density:
        return LogLikelihood(math.nan, 0, math.nan, f"{family.name} states a variance, not a density")
    if weights.sampling is not None:
        return LogLikelihood(math.nan, 0, math.nan, "sampling weights make no likelihood of the rows")
    if family.dispersion_known:
        return LogLikelihood(_saturated(family, chunk) - deviance / 2.0, 0, 1.0)
    plugged, extra = _plugged(problem, chunk, raw, deviance, phi)
    if not plugged > 0:
        return LogLikelihood(math.inf, extra, plugged, "the fit is perfect: phi is 0")
    if not plugged <= LARGEST * min(_least(weights.variance), 1.0):
        return LogLikelihood(math.nan, extra, plugged, "phi / w is above the largest number of float64")
    saturated, answers = 0.0, chunk.beside(())
    for start in range(0, len(chunk), BLOCK):
        saturated += _dispersed(family, answers.rows(start, min(start + BLOCK, len(chunk))), plugged)
    return LogLikelihood(saturated - deviance / (2.0 * plugged), extra, plugged)


def _saturated(family: Family, chunk: Chunk) -> float:
    """Sum the saturated terms at phi = 1, one per different response where those are counts."""
    if chunk.tally is not None:
        counts, responses = chunk.tally
        return float(counts @ family.saturated(responses, np.ones(len(counts))))
    total = chunk.weights.total()
    rows = family.saturated(chunk.y, np.ones(len(chunk)))
    return float(np.sum(rows if total is None else total * rows))


def _least(precision: Array | None) -> float:
    return 1.0 if precision is None else float(precision.min())


def _dispersed(family: Family, chunk: Chunk, phi: float) -> float:
    counts, precision = chunk.weights.frequency, chunk.weights.variance
    each = np.broadcast_to(phi, len(chunk)) if precision is None else phi / precision
    with np.errstate(over="ignore"):
        rows = family.saturated(chunk.y, each)
    return float(np.sum(rows if counts is None else counts * rows))


def _plugged(problem: Problem, chunk: Chunk, raw: Array, deviance: float, phi: Phi) -> tuple[float, int]:
    if phi.kind == "given":
        return phi.value, 0
    if phi.kind == "ml":
        return phi.value, 1
    if problem.unit.family.likelihood_dispersion == "ml":
        return likelihood_phi(problem, chunk, raw), 1
    return deviance / problem.nobs, 1
