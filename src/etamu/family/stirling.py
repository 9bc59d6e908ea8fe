"""The remainder of Stirling's formula: what is left of log x! once the part that would cancel is gone.

May import: `etamu._base`, numpy; scipy inside functions.
Read next: `etamu.family.saturated`, which is made of it.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from etamu._base.types import Array

HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_SERIES_FROM = 10.0
# B_{2k} / (2k (2k - 1)), k = 7, ..., 1: at x = 10 the first term left out is 3e-17.
_STIRLING = (1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12)


def stirling_remainder(x: ArrayLike) -> Array:
    """Compute what Stirling's formula leaves of log x!, to one unit in the last place of max(1, value).

    log Gamma(x + 1) = (x + 1/2) log x - x + log(2 pi)/2 + remainder(x), and remainder(x) is about 1/(12 x).

    Parameters
    ----------
    x
        Positive numbers of any shape; 0 gives inf.

    Source: C. Loader, Fast and accurate computation of binomial probabilities (2000), `stirlerr`.

    Examples
    --------
    >>> print(f"{stirling_remainder(1.0):.14f}")
    0.08106146679533
    >>> print(f"{12e15 * stirling_remainder(1e15):.12f}")
    1.000000000000
    """
    x = np.asarray(x, dtype=np.float64)
    far = np.maximum(x, _SERIES_FROM)
    squared = (1.0 / far) * (1.0 / far)
    series = np.zeros_like(far)
    for coefficient in _STIRLING:
        series = series * squared + coefficient
    near = np.minimum(x, _SERIES_FROM)
    with np.errstate(invalid="ignore"):
        whole = near.astype(np.intp)
    if np.array_equal(whole, near):  # counts
        direct = _of_counts()[whole]
    else:
        from scipy.special import gamma

        direct = _direct(near, gamma(near + 1.0))
    return np.asarray(np.where(x >= _SERIES_FROM, series / far, direct))


def _direct(x: Array, factorial: Array) -> Array:
    """Compute the remainder from x!: a product of factors near 1 before the one logarithm."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(factorial * np.exp(x) / x**x) - 0.5 * np.log(x) - HALF_LOG_TWO_PI)


@cache
def _of_counts() -> Array:
    """Tabulate the remainders of 0, ..., 10."""
    counts = np.arange(_SERIES_FROM + 1.0)
    return _direct(counts, np.cumprod(np.maximum(counts, 1.0)))
