"""Wald statistics, p-values and intervals, with tails that do not die at 8 standard errors.

May import: numpy, scipy.special, `etamu._base`.
Read next: `etamu.infer.dispersion` for the phi inside the standard errors.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.types import Array


def p_values(statistic: Array, df: float = math.inf) -> Array:
    """Compute two-sided p-values, 2 P(T > |t|), from the tail itself and never as 1 - cdf.

    Parameters
    ----------
    statistic : array
        Estimate over standard error.
    df : float
        Degrees of freedom of Student's t; infinite for the normal.

    Examples
    --------
    >>> f"{p_values(np.array([-20.0]))[0]:.4g}"
    '5.507e-89'
    """
    from scipy.special import ndtr, stdtr

    tail = -np.abs(statistic)
    return np.asarray(2.0 * (ndtr(tail) if math.isinf(df) else stdtr(df, tail)))


def critical(level: float, df: float = math.inf) -> float:
    """Return the quantile that leaves (1 - level) / 2 in the upper tail.

    Examples
    --------
    >>> round(critical(0.95), 6)
    1.959964
    """
    from scipy.special import ndtri, stdtrit

    tail = (1.0 - level) / 2.0
    return float(-ndtri(tail) if math.isinf(df) else -stdtrit(df, tail))


def interval(estimate: Array, se: Array, level: float, df: float = math.inf) -> Array:
    """Return estimate -/+ critical value times standard error, (n, 2)."""
    half = critical(level, df) * se
    return np.stack([estimate - half, estimate + half], axis=-1)
