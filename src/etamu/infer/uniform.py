"""Uniform numbers by counter: number (seed, row, draw) is a function of these three and of nothing else.

May import: numpy, `etamu._base`.
Read next: `etamu.fit.simulate`, which turns them into responses.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.types import Array

LARGEST_SEED = 2**64 - 1

SIMULATED, RESIDUAL, RESAMPLED = 0, 1, 2
"""Streams: one purpose does not repeat the numbers of another with the same seed."""

_PER_STEP = 4
"""Philox gives four words for every value of its counter."""

_GAP = 4096
"""Rows further apart than this are drawn apart; words between nearer rows are drawn and left aside."""


def uniform(seed: int, rows: NDArray[np.integer[Any]], draws: int | range, stream: int = SIMULATED) -> Array:
    """Return numbers in (0, 1), (rows, draws), never an end; 52 bits each.

    Draw k of row r is word r of Philox4x64-10 under the key (seed, k + 2^32 stream), whoever asks for it and
    beside what other rows.

    Source: J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, Parallel random numbers: as easy as 1, 2, 3
    (SC 2011); passes BigCrush.

    Parameters
    ----------
    seed : int
        0 to 2^64 - 1.
    rows : integers (n,)
        Positions of the rows in the input.
    draws : int or range
        How many, or which; below 2^32.
    stream : int
        What the numbers are for.

    Examples
    --------
    >>> few, many = uniform(7, np.array([5]), 2), uniform(7, np.arange(10), 3)
    >>> bool(np.array_equal(few[0], many[5, :2]))
    True
    """
    wanted = range(draws) if isinstance(draws, int) else draws
    out = np.empty((len(rows), len(wanted)))
    if not len(rows):
        return out
    order = np.argsort(rows, kind="stable")
    ordered = rows[order].astype(np.int64)
    ends = np.flatnonzero(np.diff(ordered) > _GAP) + 1
    for part in np.split(np.arange(len(rows)), ends):
        first = int(ordered[part[0]]) // _PER_STEP
        count = int(ordered[part[-1]]) + 1 - _PER_STEP * first
        places = ordered[part] - _PER_STEP * first
        for column, draw in enumerate(wanted):
            words = np.random.Philox(key=np.array([seed, draw + (stream << 32)], dtype=np.uint64))
            words.advance(first)
            # 52 bits and a half: with one bit more the largest would round to 1.
            top = (words.random_raw(count)[places] >> np.uint64(12)).astype(np.float64)
            out[order[part], column] = (top + 0.5) * 2.0**-52
    return out
