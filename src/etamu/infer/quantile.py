"""Quantile residuals: from probabilities of a tail to normal scores.

May import: numpy, scipy.special, `etamu._base`.
Read next: `etamu.fit.residual_kinds`, which asks the law of the response for its tails.
"""

from __future__ import annotations

import numpy as np

from etamu._base.types import Array, Mask


def normal_scores(inner: Array, outer: Array, u: Array, below: Mask) -> Array:
    """Compute the standard normal quantile of a uniform point between the tails on both sides of y.

    Parameters
    ----------
    inner, outer : arrays (n,)
        Where `below`: P(Y <= y) and P(Y < y); elsewhere P(Y > y) and P(Y >= y). Equal for a continuous law.
    u : array (n,)
        Where between them, 0 to 1 as the residual rises.
    below : booleans (n,)
        Which tail was given. A tail of 1e-300 has its score; one that is 0 has -inf or inf.

    Examples
    --------
    >>> tail = np.array([0.5, 1e-300])
    >>> abs(normal_scores(tail, tail, np.full(2, 0.5), np.array([True, False])).round(2))
    array([ 0.  , 37.05])
    """
    from scipy.special import ndtri

    tail = np.where(below, outer + u * (inner - outer), inner + (1.0 - u) * (outer - inner))
    return np.asarray(np.where(below, 1.0, -1.0) * ndtri(tail))
