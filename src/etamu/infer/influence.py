"""What one row does to a fit, from its leverage and its residuals: one formula per function.

May import: numpy, `etamu._base`.
Read next: `etamu.fit.influence`, which asks the rows for leverages and residuals.
"""

from __future__ import annotations

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array

CERTAIN = 1e-10
"""A leverage this close to 1 is 1: the row determines its own fitted value, and without it nothing does."""


@dataclass(frozen=True, slots=True)
class Whole:
    """What the formulas need to know of the whole fit.

    Parameters
    ----------
    deviance : float
    nobs, rank : int
    dispersion : float
    """

    deviance: float
    nobs: int
    rank: int
    dispersion: float


def leverages(information: Array, quadratic: Array) -> Array:
    """Compute h = W x'(X'WX)^-1 x from W and the quadratic form, exactly 1 where it is 1 but for rounding."""
    h = information * quadratic
    return np.where(h >= 1.0 - CERTAIN, 1.0, h)


def cooks_distance(pearson: Array, h: Array, whole: Whole) -> Array:
    """Compute (p / (1 - h))^2 h / (phi rank) from Pearson residuals p (Cook 1977, in R's form for a GLM)."""
    with np.errstate(all="ignore"):
        return _possible((pearson / (1.0 - h)) ** 2 * h / (whole.dispersion * whole.rank), h)


def loo_sigma(deviance: Array, h: Array, whole: Whole) -> Array:
    """Compute the root of (D - d^2 / (1 - h)) / (n - rank - 1), the sigma without the row.

    As R's `influence(fit)$sigma`: d are deviance residuals; where h = 1 the row takes its residual along,
    which is 0. NaN where no degree of freedom is left over, or a negative deviance, as an approximation may
    have it.
    """
    left = whole.nobs - whole.rank - 1
    with np.errstate(all="ignore"):
        share = np.where(h == 1.0, 0.0, deviance**2 / (1.0 - h))
        return np.asarray(np.sqrt((whole.deviance - share) / (left if left > 0 else np.nan)))


def standardised(residual: Array, h: Array, dispersion: float) -> Array:
    """Compute r / sqrt(phi (1 - h)): R's `rstandard`.

    Examples
    --------
    >>> standardised(np.array([1.0, 1.0]), np.array([0.75, 0.0]), 1.0)
    array([2., 1.])
    """
    with np.errstate(all="ignore"):
        return _possible(residual / np.sqrt(dispersion * (1.0 - h)), h)


def studentised(deviance: Array, pearson: Array, h: Array, sigma: Array | float) -> Array:
    """Compute sign(d) sqrt(d^2 + h p^2 / (1 - h)) / sigma: R's `rstudent` (Williams 1987)."""
    with np.errstate(all="ignore"):
        size = np.sqrt(deviance**2 + h * pearson**2 / (1.0 - h))
        return _possible(np.sign(deviance) * size / sigma, h)


def dffits(deviance: Array, h: Array, sigma: Array) -> Array:
    """Compute d sqrt(h) / (sigma_(i) (1 - h)): R's `dffits`."""
    with np.errstate(all="ignore"):
        return _possible(deviance * np.sqrt(h) / (sigma * (1.0 - h)), h)


def covariance_ratio(deviance: Array, h: Array, sigma: Array, whole: Whole) -> Array:
    """Compute det cov without the row over det cov: R's `covratio`.

    1 / ((1 - h) ((n - rank - 1 + t^2) / (n - rank))^rank), t = d / (sigma_(i) sqrt(1 - h)).
    """
    left = whole.nobs - whole.rank
    with np.errstate(all="ignore"):
        t = deviance / (sigma * np.sqrt(1.0 - h))
        return _possible(1.0 / ((1.0 - h) * ((left - 1 + t**2) / left) ** whole.rank), h)


def shift(working: Array, h: Array) -> Array:
    """Compute how far eta of a row falls when the row is left out: one step, h r / (1 - h) (Pregibon 1981).

    Parameters
    ----------
    working : array
        Score over information, the working residual.
    h : array
    """
    with np.errstate(all="ignore"):
        return _possible(h * working / (1.0 - h), h)


def _possible(values: Array, h: Array) -> Array:
    """Set NaN where leaving the row out leaves something undetermined, or nothing finite is said (as R)."""
    return np.where((h < 1.0) & np.isfinite(values), values, np.nan)
