"""Numerical verification of a density: it sums or integrates to 1, and its mean is mu.

May import: _base, family.family.
Read next: `etamu.family.check`, which calls this last.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.types import Array
from etamu.family.family import Family

_DISPERSION = 0.5
_TRIALS = 7.0


def totals(family: Family, mu: float) -> tuple[float, float]:
    """Return the sum or integral of f(y; mu) and its mean per trial, f from saturated term and deviance.

    Counts are summed far into the tail. Positive amounts are integrated over log y by the trapezoidal rule,
    which converges faster than any power where the integrand vanishes at both ends; a mass at 0 is added.

    Examples
    --------
    >>> from etamu.family.families import Poisson
    >>> total, mean = totals(Poisson(), 3.0)
    >>> round(total, 12), round(mean, 12)
    (1.0, 3.0)
    """
    if family.support.integer:
        y = _counts(family, mu)
        mass = _density(family, y, mu)
        trials = _TRIALS if len(family.response) > 1 else 1.0
        return float(np.sum(mass)), float(np.sum(y * mass) / trials)
    if family.support.interval.whole:
        t = np.linspace(-8.0, 8.0, 4001)
        y = mu + np.sinh(t)
        height = _density(family, y, mu) * np.cosh(t) * 0.004
        return float(np.sum(height)), float(np.sum(y * height))
    step = 0.02
    y = mu * np.exp(np.arange(-300.0, 12.0, step))
    height = _density(family, y, mu) * y * step
    zero = np.zeros(1)
    at_zero = float(_density(family, zero, mu)[0]) if family.support.interval.closed_lower else 0.0
    return float(np.sum(height)) + at_zero, float(np.sum(y * height))


def means(family: Family) -> tuple[float, ...]:
    """Return a few means to check a density at."""
    if family.mean.whole:
        return (-1.0, 0.0, 2.5)
    return (0.5, 2.0, 8.0) if math.isinf(family.mean.upper) else (0.1, 0.5, 0.97)


def _counts(family: Family, mu: float) -> Array:
    if family.mean.upper == 1.0:
        return np.arange(2.0 if len(family.response) == 1 else _TRIALS + 1.0)
    variance = float(family.variance(np, np.float64(mu), np.float64(1.0 - mu)))
    return np.arange(60.0 + 60.0 * mu + 60.0 * variance / mu)


def _density(family: Family, y: Array, mu: float) -> Array:
    """Return exp(saturated - trials d / (2 phi))."""
    phi = np.full_like(y, 1.0 if family.dispersion_known else _DISPERSION)
    several = len(family.response) > 1
    trials = np.full_like(y, _TRIALS if several else 1.0)
    at = np.full_like(y, mu)
    deviance = np.asarray(family.deviance(np, y / trials, at, 1.0 - at))
    saturated = family.saturated((y, trials) if several else (y,), phi)
    return np.asarray(np.exp(saturated - trials * deviance / (2.0 * phi)))
