"""Tails of a law on the integers by summing its probabilities, a bounded number of them at a time.

May import: _base, numpy.
Read next: `etamu.family.overdispersed`, whose laws have no closed tails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from etamu._base.errors import NotAvailableError
from etamu._base.types import Array

CELLS = 2**19
"""How many probabilities are held at once."""
LONGEST = 2.0**24
"""How many one row may need."""


def summed(log_p: Callable[[Array, Any], Array], first: Array, last: Array) -> Array:
    """Sum exp(log_p(j, rows)) over j = first, ..., last of each row; 0 where there are none.

    Parameters
    ----------
    log_p
        Takes integers j (r, w) and the numbers of their rows (r, 1), returns log probabilities (r, w).
    first, last
        Ends of the sum, whole numbers, (n,).

    Raises
    ------
    NotAvailableError
        If a row needs more than `LONGEST` terms.

    Examples
    --------
    >>> halves = summed(lambda j, rows: -(j + 1.0) * np.log(2.0), np.array([0.0, 3.0]), np.array([1.0, 50.0]))
    >>> print(halves.round(12))
    [0.75  0.125]
    """
    out = np.zeros(first.shape)
    length = np.maximum(last - first + 1.0, 0.0)
    if np.any(length > LONGEST):
        raise NotAvailableError(
            f"a tail of {length.max():.3g} probabilities is not summed; the law has no closed form for it"
        )
    order = np.argsort(length, kind="stable")
    order = order[length[order] > 0.0]
    while order.size:
        widths = length[order]
        rows = max(1, int(np.searchsorted(widths * np.arange(1, order.size + 1), CELLS)))
        part, order = order[:rows], order[rows:]
        width = int(length[part[-1]])
        for start in range(0, width, CELLS):
            j = first[part, None] + np.arange(start, min(start + CELLS, width), dtype=np.float64)
            inside = j <= last[part, None]
            terms = np.exp(log_p(np.where(inside, j, first[part, None]), part[:, None]))
            out[part] += np.sum(np.where(inside, terms, 0.0), axis=1)
    return out
