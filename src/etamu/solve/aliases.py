"""Aliases among many columns: which are clear on the Gram, which are in doubt, and what earlier ones explain.

May import: numpy, scipy.linalg (inside functions), etamu._base, and in this room factor.
Read next: `etamu.fit.aliases`, which looks at the rows for the columns in doubt.

A triangle of all rows (TSQR) decides aliases with the most digits, but costs n p^2; with thousands of
columns that is hours. Here a Cholesky factorisation in the order of the columns passes over those whose
pivot is in doubt, and only these are projected on the clear ones, on the rows themselves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.solve.factor import DOUBT

PANEL = 96
"""Columns eliminated at a time, so that most of the work is matrix products."""


@dataclass(frozen=True, slots=True, eq=False)
class Doubts:
    """A Gram factorised in column order, over the columns that are clearly independent of earlier ones.

    Parameters
    ----------
    clear, doubtful : integers
        The columns whose pivot is large enough, and the others, each in order.
    upper : array (clear, clear)
        Triangle of the Gram of the clear columns, scaled to unit length.
    ahead : array (clear, doubtful)
        Its continuation to the doubtful columns.
    lengths : array (p,)
        Lengths of all columns.

    Examples
    --------
    >>> x = np.array([[1.0, 1.0, 2.0], [1.0, -1.0, 0.0], [1.0, 0.0, 1.0]])
    >>> doubts = doubts_of(x.T @ x)
    >>> doubts.clear.tolist(), doubts.doubtful.tolist()
    ([0, 1], [2])
    >>> doubts.combinations().round(12).tolist()
    [[-1.0], [-1.0], [1.0]]
    """

    clear: NDArray[np.intp]
    doubtful: NDArray[np.intp]
    upper: Array
    ahead: Array
    lengths: Array

    @property
    def earlier(self) -> Mask:
        """Which clear columns, (clear, doubtful), stand before which doubtful ones."""
        return np.less.outer(self.clear, self.doubtful)

    def combinations(self) -> Array:
        """Return B, (p, doubtful): each doubtful column less its projection on the clear ones before it."""
        out = np.zeros((len(self.lengths), len(self.doubtful)))
        out[self.doubtful, np.arange(len(self.doubtful))] = 1.0
        return self._less(out, self.ahead * self.lengths[self.doubtful])

    def refined(self, combinations: Array, products: Array) -> Array:
        """Project once more: `products` is X'(X B), what rounding left along the clear columns."""
        from scipy import linalg

        scaled = np.where(self.earlier, products[self.clear] / self.lengths[self.clear][:, None], 0.0)
        half = linalg.solve_triangular(self.upper, scaled, trans="T", check_finite=False)
        return self._less(combinations, np.where(self.earlier, half, 0.0))

    def _less(self, combinations: Array, half: Array) -> Array:
        from scipy import linalg

        shares = linalg.solve_triangular(self.upper, half, check_finite=False)
        out = combinations.copy()
        out[self.clear] -= shares / self.lengths[self.clear][:, None]
        return out


def doubts_of(gram: Array) -> Doubts:
    """Factorise a Gram in column order, passing over columns whose pivot is below `DOUBT`."""
    lengths = np.sqrt(np.maximum(np.diag(gram), 0.0))
    size = np.where(lengths > 0, lengths, 1.0)
    left = np.array(gram, dtype=np.float64) / size[:, None] / size
    count = len(size)
    clear = np.zeros(count, dtype=np.bool_)
    for start in range(0, count, PANEL):
        stop = min(start + PANEL, count)
        for j in range(start, stop):
            pivot = left[j, j]
            clear[j] = pivot >= DOUBT
            left[j, j:] = left[j, j:] / np.sqrt(pivot) if clear[j] else 0.0
            left[j + 1 : stop, j + 1 :] -= np.multiply.outer(left[j, j + 1 : stop], left[j, j + 1 :])
        done = left[start:stop, stop:]
        left[stop:, stop:] -= done.T @ done
    kept, doubtful = np.flatnonzero(clear), np.flatnonzero(~clear)
    return Doubts(kept, doubtful, np.triu(left[np.ix_(kept, kept)]), _upper(left, kept, doubtful), size)


def _upper(left: Array, kept: NDArray[np.intp], doubtful: NDArray[np.intp]) -> Array:
    """Take the rows of clear columns at doubtful ones, which matter only where the clear one is earlier."""
    return np.where(np.less.outer(kept, doubtful), left[np.ix_(kept, doubtful)], 0.0)
