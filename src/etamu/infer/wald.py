"""Wald statistics, p-values and intervals, with tails that do not die at 8 standard errors.

May import: numpy, scipy.special, `etamu._base`.
Read next: `etamu.infer.dispersion` for the phi inside the standard errors.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.types import Array


def p_values(statistic: Array, df: Array | float = math.inf) -> Array:
    """Compute two-sided p-values, 2 P(T > |t|), from the tail itself and never as 1 - cdf.

    Parameters
    ----------
    statistic : array
        Estimate over standard error.
    df : float or array
        Degrees of freedom of Student's t, of all or of each; infinite for the normal.

    Examples
    --------
    >>> f"{p_values(np.array([-20.0]))[0]:.4g}"
    '5.507e-89'
    """
    from scipy.special import ndtr, stdtr

    tail = -np.abs(statistic)
    normal = np.isinf(df)
    return np.asarray(2.0 * np.where(normal, ndtr(tail), stdtr(np.where(normal, 1.0, df), tail)))


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


def criticals(level: float, df: Array | float) -> Array:
    """Return `critical` for each of several degrees of freedom; NaN where those are.

    Examples
    --------
    >>> criticals(0.95, np.array([1.0, np.inf])).round(3).tolist()
    [12.706, 1.96]
    """
    from scipy.special import ndtri, stdtrit

    tail, normal = (1.0 - level) / 2.0, np.isinf(df)
    return np.asarray(-np.where(normal, ndtri(tail), stdtrit(np.where(normal, 1.0, df), tail)))


def interval(estimate: Array, se: Array, level: float, df: Array | float = math.inf) -> Array:
    """Return estimate -/+ critical value times standard error, (n, 2)."""
    half = criticals(level, df) * se
    return np.stack([estimate - half, estimate + half], axis=-1)
