"""Wald statistics, p-values and intervals, with tails that do not die at 8 standard errors.

May import: numpy, scipy.special, `etamu._base`.
Read next: `etamu.infer.dispersion` for the phi inside the standard errors.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from etamu._base.errors import OptionError
from etamu._base.kernel import kernel
from etamu._base.types import Array

FRACTION = 10_000.0
"""Most degrees of freedom for which the continued fraction has its twelve digits."""


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
    sizes = np.abs(np.asarray(statistic, dtype=np.float64))
    if sizes.ndim == 1 and isinstance(df, float) and math.isinf(df):
        return np.array(_normal(sizes))
    degrees = np.broadcast_to(np.asarray(df, dtype=np.float64), sizes.shape)
    normal = np.isinf(degrees)
    out = np.empty(sizes.shape)
    out[normal] = _normal(sizes[normal])
    if not normal.all():
        out[~normal] = _student(sizes[~normal], degrees[~normal])
    return out


def _normal(sizes: Array) -> list[float]:
    """Compute P(|Z| > size)."""
    return [math.erfc(size * math.sqrt(0.5)) for size in sizes.tolist()]


def _student(sizes: Array, degrees: Array) -> Array:
    """Compute P(|T| > size); scipy is loaded only where our fraction would lose digits."""
    if kernel is not None and not np.any(degrees > FRACTION):
        out = np.empty(len(sizes))
        kernel.student_tails(sizes, degrees, out)
        return out
    from scipy.special import stdtr

    return np.asarray(2.0 * stdtr(degrees, -sizes))


def probability(level: Any) -> float:
    """Return the level of an interval.

    Raises
    ------
    OptionError
        If it is no number between 0 and 1.

    Examples
    --------
    >>> probability(0.95)
    0.95
    """
    if not isinstance(level, (int, float, np.number)) or not 0.0 < level < 1.0:
        raise OptionError(f"level is {level!r}; it is a probability such as 0.95")
    return float(level)


def critical(level: float, df: float = math.inf) -> float:
    """Return the quantile that leaves (1 - level) / 2 in the upper tail.

    Examples
    --------
    >>> round(critical(0.95), 6)
    1.959964
    """
    from scipy.special import ndtri, stdtrit

    tail = (1.0 - probability(level)) / 2.0
    return float(-ndtri(tail) if math.isinf(df) else -stdtrit(df, tail))


def criticals(level: float, df: Array | float) -> Array:
    """Return `critical` for each of several degrees of freedom; NaN where those are.

    Examples
    --------
    >>> criticals(0.95, np.array([1.0, np.inf])).round(3).tolist()
    [12.706, 1.96]
    """
    from scipy.special import ndtri, stdtrit

    tail, normal = (1.0 - probability(level)) / 2.0, np.isinf(df)
    return np.asarray(-np.where(normal, ndtri(tail), stdtrit(np.where(normal, 1.0, df), tail)))


def interval(estimate: Array, se: Array, level: float, df: Array | float = math.inf) -> Array:
    """Return estimate -/+ critical value times standard error, (n, 2)."""
    half = criticals(level, df) * se
    return np.stack([estimate - half, estimate + half], axis=-1)
