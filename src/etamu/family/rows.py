"""Bounded memory for functions that lay out a line of nodes per row, and the sums over those lines.

May import: `etamu._base`, numpy.
Read next: `etamu.family.compound` and `etamu.family.stable`, which use both.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from etamu._base.types import Array

ROWS = 1024


def in_chunks(function: Callable[..., Array], *columns: ArrayLike, where: ArrayLike = True) -> Array:
    """Apply a row-wise function of flat arrays to at most `ROWS` rows at a time, keeping the broadcast shape.

    Parameters
    ----------
    function
        Takes as many (m,) arrays as there are columns and returns (m,).
    columns
        Arrays that broadcast together.
    where
        Rows to compute; the others are NaN.

    Examples
    --------
    >>> in_chunks(np.add, [[1.0], [2.0]], [10.0, 20.0])
    array([[11., 21.],
           [12., 22.]])
    """
    *arrays, mask = np.broadcast_arrays(*(np.asarray(c, dtype=np.float64) for c in columns), where)
    chosen = np.flatnonzero(mask)
    flat = [array.ravel()[chosen] for array in arrays]
    out = np.full(mask.size, np.nan)
    for start in range(0, chosen.size, ROWS):
        part = slice(start, start + ROWS)
        out[chosen[part]] = function(*(array[part] for array in flat))
    return out.reshape(mask.shape)


def log_sum(exponent: Array) -> Array:
    """Compute log sum exp over the last axis.

    Examples
    --------
    >>> log_sum(np.array([[-1000.0, -1000.0]])).round(6)
    array([-999.306853])
    """
    peak = np.max(exponent, axis=-1)
    return np.asarray(peak + np.log(np.sum(np.exp(exponent - peak[..., None]), axis=-1)))
