"""How the Tweedie likelihood moves with its power, 1 < p < 2, the mean and phi held.

May import: `etamu._base`, `etamu.family.tweedie`, numpy.
Read next: `etamu.fit.power`, which finds the maximum.
"""

from __future__ import annotations

import numpy as np

from etamu._base.types import Array
from etamu.family.tweedie import power_slope


def score(y: Array, log_mu: Array, dispersion: Array, power: float) -> Array:
    """Compute d log f / dp of each row.

    The half deviance is y (y^b - mu^b) / b - (y^a - mu^a) / a with a = 2 - p and b = 1 - p, and mu^a / a at
    y = 0. Its derivative is written out as it stands: what cancels where y is near mu is small beside 1.

    Examples
    --------
    >>> y, log_mu, phi = np.array([0.0, 2.0]), np.zeros(2), np.ones(2)
    >>> print(score(y, log_mu, phi, 1.5).round(6))
    [-4.       -0.324174]
    """
    a, b = 2.0 - power, 1.0 - power
    positive = y > 0.0
    log_y = np.log(np.where(positive, y, 1.0))
    large, small = _moved(log_mu, a), _moved(log_mu, b)
    some = y * (_moved(log_y, b) - small) - (_moved(log_y, a) - large)
    return np.asarray(power_slope(y, dispersion, power) - np.where(positive, some, large) / dispersion)


def _moved(log: Array, exponent: float) -> Array:
    """Return d/dp of t^k / k with k falling as p rises: t^k (1/k - log t) / k."""
    return np.asarray(np.exp(exponent * log) * (1.0 / exponent - log) / exponent)
