"""The meat of scores that are correlated with their neighbours in time.

May import: numpy, `etamu._base`.
Read next: `etamu.fit.covariance`, which asks for it block by block.
"""

from __future__ import annotations

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The Newey-West meat of consecutive rows; adding takes the rows of the right to follow the left.

    The meat of rows s_1, ..., s_n is sum over |i - j| <= lags of (1 - |i - j| / (lags + 1)) s_i s_j'. Two
    stretches add because each carries a halo: its first and last `lags` rows.

    Parameters
    ----------
    meat : array (p, p)
    head, tail : arrays (at most lags, p)
        The first and the last rows.
    lags : int
    """

    meat: Array
    head: Array
    tail: Array
    lags: int

    def __add__(self, later: Series) -> Series:
        lags = self.lags
        back, ahead = np.arange(len(self.tail), 0, -1), np.arange(len(later.head))
        distance = back[:, None] + ahead
        between = self.tail.T @ (np.maximum(1.0 - distance / (lags + 1), 0.0) @ later.head)
        head, tail = self.head, later.tail
        if len(head) < lags:
            head = np.concatenate([head, later.head])[:lags]
        if len(tail) < lags:
            tail = np.concatenate([self.tail, tail])[-lags:]
        return Series(self.meat + later.meat + between + between.T, head, tail, lags)


def series(scores: Array, lags: int) -> Series:
    """Sum the scores of consecutive rows, (n, p), with Bartlett's kernel (Newey and West 1987).

    Examples
    --------
    >>> series(np.array([[1.0], [2.0]]), 1).meat
    array([[7.]])
    >>> (series(np.array([[1.0]]), 1) + series(np.array([[2.0]]), 1)).meat
    array([[7.]])
    """
    n = len(scores)
    ahead = np.zeros_like(scores)
    for lag in range(1, min(lags, n - 1) + 1):
        ahead[:-lag] += (1.0 - lag / (lags + 1)) * scores[lag:]
    between = scores.T @ ahead
    return Series(scores.T @ scores + between + between.T, scores[:lags], scores[max(n - lags, 0) :], lags)


def usual_lags(n: int) -> int:
    """Return floor(4 (n / 100)^(2/9)), Newey and West's (1994) rule of thumb.

    Examples
    --------
    >>> usual_lags(100), usual_lags(1000)
    (4, 6)
    """
    return int(4.0 * (n / 100.0) ** (2.0 / 9.0))
