"""Which verbs serve coded and sparse blocks: those of the compiled kernel, or their NumPy twins.

May import: numpy, `etamu._base`, `etamu.design.twin`.
Read next: `etamu.design.blocks`, which asks.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.crew import done
from etamu._base.joined import Joined
from etamu._base.kernel import kernel
from etamu._base.types import Array
from etamu.design import twin

LARGE, PARTS = 1 << 20, 8
"""From so many bytes on rows are copied in parts: most of the time is spent waiting for memory."""

MOST_LEVELS = 2**31 - 1
"""The kernel counts levels in 31 bits; beyond, the twins serve."""


def verbs_for(*levels: int) -> Any:
    """Return what has the verbs of blocks of so many levels.

    Examples
    --------
    >>> verbs_for(2**31) is twin
    True
    """
    return twin if kernel is None or max(levels, default=0) > MOST_LEVELS else kernel


def contiguous(numbers: NDArray[Any]) -> Array:
    """Return float64 numbers in row order without gaps, copied only where needed."""
    return np.ascontiguousarray(numbers, dtype=np.float64)


def plain(numbers: Array | None) -> Array | None:
    """Return the same where there are any."""
    return None if numbers is None else contiguous(numbers)


def readable(column: NDArray[Any]) -> NDArray[Any]:
    """Return a column as the kernel reads it: integers, floats of 4 or 8 bytes or truth values, native."""
    column = np.asarray(column)  # one in several pieces is joined
    as_it_is = column.dtype.isnative and (column.dtype.kind in "iub" or column.dtype.char in "fd")
    return column if as_it_is else column.astype(np.float64)


def readable_codes(codes: NDArray[Any]) -> NDArray[Any]:
    """Return codes as the kernel reads them: native integers."""
    return codes if codes.dtype.isnative and codes.dtype.kind in "iu" else codes.astype(np.int64)


def some(values: NDArray[Any] | Joined, index: NDArray[np.intp]) -> NDArray[Any]:
    """Copy some rows; a number that is the same in all of them stays one number.

    `take` is twice as fast as an index, but would first copy an array that is not contiguous as a whole.

    Examples
    --------
    >>> some(np.broadcast_to(2.0, 9), np.array([1, 5])).strides
    (0,)
    """
    if isinstance(values, Joined):
        return values.take(index)
    if values.strides == (0,) and len(values):
        return np.broadcast_to(values[0], (len(index),))
    if not values.flags.c_contiguous:
        return values[index]
    row = values.nbytes // max(len(values), 1)
    if len(index) * row < LARGE or not 0 <= index.min() <= index.max() < len(values):
        return values.take(index, axis=0)
    out = np.empty((len(index), *values.shape[1:]), dtype=values.dtype)
    edges = [len(index) * k // PARTS for k in range(PARTS + 1)]
    # Indexes have been looked at: to clip them does nothing, but needs no copy that errors could undo.
    copies = [
        partial(np.take, values, index[i:j], axis=0, out=out[i:j], mode="clip") for i, j in pairwise(edges)
    ]
    done(copies)
    return out
