"""What replications of an estimate say: covariance, and percentile, basic and BCa intervals.

May import: numpy, scipy.special, `etamu._base`, `etamu.infer`.
Read next: `etamu.fit.bootstrap`, which replicates.
"""

from __future__ import annotations

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.infer.covariance import Root


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """Replications of an estimate.

    Parameters
    ----------
    scheme : "pairs", "cluster", "parametric" or "fractional"
    asked : int
        How many were asked for.
    seed : int
    beta : array (those with a maximum, size)
        Working coefficients.
    failed : dict of str to int
        How the others ended, and how many did.
    """

    scheme: str
    asked: int
    seed: int
    beta: Array
    failed: dict[str, int]


def spread(replicates: Array) -> Root:
    """Factor the covariance of replicates, (B, p), around their mean.

    Examples
    --------
    >>> spread(np.array([[1.0], [3.0]])).covariance()
    array([[2.]])
    """
    count, size = replicates.shape
    if count < 2:
        return Root(np.full((size, size), np.nan))
    gap = replicates - replicates.mean(axis=0)
    triangle = np.asarray(np.linalg.qr(gap, mode="r"))
    return Root(triangle.T / np.sqrt(count - 1.0))


def percentile(replicates: Array, level: float) -> Array:
    """Return the quantiles of the replicates of each column, (p, 2)."""
    return _quantiles(replicates, np.full((replicates.shape[1], 2), [0.5 - level / 2, 0.5 + level / 2]))


def basic(replicates: Array, estimate: Array, level: float) -> Array:
    """Return 2 estimate - quantiles: the replicates' distances, turned around the estimate."""
    return np.asarray(2.0 * estimate[:, None] - percentile(replicates, level)[:, ::-1])


def bca(replicates: Array, estimate: Array, acceleration: Array, level: float) -> Array:
    """Return bias-corrected and accelerated intervals, (p, 2).

    Quantiles at Phi(z0 + (z0 + z) / (1 - a (z0 + z))), z0 from the share of replicates below the estimate.

    References
    ----------
    Efron (1987), Journal of the American Statistical Association 82.
    """
    from scipy.special import ndtr, ndtri

    below = np.mean((replicates < estimate) + 0.5 * (replicates == estimate), axis=0)
    with np.errstate(all="ignore"):
        shift = np.asarray(ndtri(below))[:, None]
        z = shift + ndtri(np.array([0.5 - level / 2, 0.5 + level / 2]))
        at = ndtr(shift + z / (1.0 - acceleration[:, None] * z))
    return _quantiles(replicates, at)


def acceleration(squares: Array, cubes: Array) -> Array:
    """Return sum U^3 / (6 (sum U^2)^1.5), a sixth of the skewness of the influences U.

    Examples
    --------
    >>> acceleration(np.array([4.0]), np.array([8.0])).round(4)
    array([0.1667])
    """
    with np.errstate(all="ignore"):
        return np.asarray(cubes / (6.0 * squares**1.5))


def _quantiles(replicates: Array, at: Array) -> Array:
    """Return the quantile of each column at each of two probabilities; NaN where there is none."""
    out = np.full(at.shape, np.nan)
    if not len(replicates):
        return out
    for column, probabilities in enumerate(at):
        values = replicates[:, column]
        if np.all(np.isfinite(values)) and np.all(np.isfinite(probabilities)):
            out[column] = np.quantile(values, probabilities)
    return out
