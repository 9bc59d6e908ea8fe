"""The studentized range: the law behind Tukey's comparisons of all pairs.

May import: numpy, scipy.special, `etamu._base`.
Read next: `etamu.fit.pairs`, which compares means by it.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.types import Array

STEP = 0.05
"""Width of the trapezoids in units of the standard normal law, where they are exact to rounding."""
SPAN = 9.0
"""How many standard deviations the law of the largest deviate is followed."""
WIDEST = 110.0
"""A range of standard normal deviates that has no probability float64 could tell from 0."""
REACH = 40.0
"""Logarithm of what may be left out, relative to what is kept."""


def range_tail(q: float, means: int, df: float = math.inf) -> float:
    """Compute P(Q > q), Q the range of normal deviates over an independent chi_df / sqrt(df).

    With w = q s, P(range > w) = k int phi(z) (Phi(z)^(k-1) - (Phi(z) - Phi(z - w))^(k-1)) dz, whose integrand
    is never a difference of near numbers; averaged over the law of s in log s. Both by the trapezoidal rule,
    which is spectrally accurate for them, so that small probabilities keep their digits.

    Parameters
    ----------
    q : float
        The largest difference over the standard error of one mean: sqrt(2) times |t| of a pair.
    means : int
    df : float

    References
    ----------
    Tukey (1953); Copenhaver and Holland (1988); R's `ptukey`.

    Examples
    --------
    >>> round(range_tail(3.5, 3, 20), 8)
    0.05589185
    >>> from etamu.infer.wald import p_values
    >>> bool(abs(range_tail(2.0 * 2**0.5, 2) - p_values(np.array([2.0]))[0]) < 1e-15)
    True
    """
    if math.isnan(q) or not df > 0:
        return math.nan
    if means < 2 or math.isinf(q):
        return 0.0
    if q <= 0.0:
        return 1.0
    if math.isinf(df):
        return min(float(_normal_tail(np.array([q]), means)[0]), 1.0)
    from scipy.special import gammaln

    step = min(0.15 / math.sqrt(2.0 * df), 0.05)
    # With t = e^(2u) - 1 the density is exp(-df (t - log(1 + t)) / 2): as exp(df u) far below.
    low = -max(math.log(q), 0.0) - REACH / df - math.sqrt(REACH / df)
    high = 0.5 * math.log1p(2.0 * REACH / df + 2.0 * math.sqrt(REACH / df))
    u = np.arange(low, high + step, step)
    log_density = df * u - 0.5 * df * np.expm1(2.0 * u)
    constant = math.log(2.0) + 0.5 * df * math.log(0.5 * df) - 0.5 * df - float(gammaln(0.5 * df))
    weight = step * np.exp(log_density + constant)
    return min(float(weight @ _normal_tail(q * np.exp(u), means)), 1.0)


def _normal_tail(width: Array, means: int) -> Array:
    """Compute P(range > width) of standard normal deviates, for each width."""
    from scipy.special import log_ndtr, ndtr

    out = np.empty(len(width))
    for place, w in enumerate(width):
        if w > WIDEST:
            out[place] = 0.0
            continue
        z = np.arange(-SPAN, max(SPAN, 0.5 * w + SPAN) + STEP, STEP)
        below = log_ndtr(z)
        share = np.exp(log_ndtr(z - w) - below)
        with np.errstate(divide="ignore"):
            power = -np.expm1((means - 1) * np.log1p(-np.minimum(share, 1.0)))
        density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        out[place] = means * STEP * float(density @ (ndtr(z) ** (means - 1) * power))
    return out
