"""The complete log-likelihood: saturated terms minus half the scaled deviance.

May import: everything below `fit`.
Read next: `etamu.infer.criteria`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.fit.phi import Phi, likelihood_phi
from etamu.fit.problem import Problem


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
    """

    value: float
    extra: int
    phi: float
    reason: str = ""


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
    counts = np.ones(len(chunk)) if weights.frequency is None else weights.frequency
    if family.dispersion_known:
        total = counts if weights.variance is None else counts * weights.variance
        saturated = np.sum(total * family.saturated(chunk.y, np.ones(len(chunk))))
        return LogLikelihood(float(saturated - deviance / 2.0), 0, 1.0)
    plugged, extra = _plugged(problem, chunk, raw, deviance, phi)
    if not plugged > 0:
        return LogLikelihood(math.inf, extra, plugged, "the fit is perfect: phi is 0")
    precision = np.ones(len(chunk)) if weights.variance is None else weights.variance
    with np.errstate(over="ignore"):
        saturated = np.sum(counts * family.saturated(chunk.y, plugged / precision))
    return LogLikelihood(float(saturated - deviance / (2.0 * plugged)), extra, plugged)


def _plugged(problem: Problem, chunk: Chunk, raw: Array, deviance: float, phi: Phi) -> tuple[float, int]:
    if phi.kind == "given":
        return phi.value, 0
    if phi.kind == "ml":
        return phi.value, 1
    if problem.unit.family.likelihood_dispersion == "ml":
        return likelihood_phi(problem, chunk, raw), 1
    return deviance / problem.nobs, 1
