"""Information criteria from a log-likelihood and a count of parameters.

May import: `etamu._base`.
Read next: `etamu.fit.result`, which reports them.
"""

from __future__ import annotations

import math


def aic(loglik: float, parameters: int) -> float:
    """Compute -2 loglik + 2 k (Akaike 1974).

    Examples
    --------
    >>> aic(-10.0, 3)
    26.0
    """
    return -2.0 * loglik + 2.0 * parameters


def bic(loglik: float, parameters: int, nobs: float) -> float:
    """Compute -2 loglik + k log n (Schwarz 1978)."""
    return -2.0 * loglik + parameters * math.log(nobs) if nobs > 0 else math.nan
