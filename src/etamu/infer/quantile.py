"""Quantile residuals: from probabilities of a tail to normal scores, with one draw per row.

May import: numpy, scipy.special, `etamu._base`.
Read next: `etamu.fit.residual_kinds`, which asks the law of the response for its tails.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.types import Array, Mask

_PER_STEP = 4
"""Philox gives four numbers for every value of its counter."""


def uniforms(seed: int, rows: NDArray[np.integer[Any]]) -> Array:
    """Draw one number in the open interval (0, 1) for each row, a function of the seed and the row alone.

    Row r has number r of the stream of Philox (Salmon et al. 2011), whoever asks for it and beside what other
    rows.

    Examples
    --------
    >>> bool(uniforms(0, np.arange(90, 100))[3] == uniforms(0, np.array([93]))[0])
    True
    """
    if not len(rows):
        return np.zeros(0)
    bits = np.random.Philox(seed)
    first = int(rows.min()) // _PER_STEP
    bits.advance(first)
    # Dropped rows in between are drawn and left aside: rows lie nearly side by side.
    drawn = bits.random_raw(int(rows.max()) + 1 - _PER_STEP * first)[rows - _PER_STEP * first]
    # 52 bits and a half: neither 0 nor 1 is ever reached.
    return np.asarray(((drawn >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)


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
