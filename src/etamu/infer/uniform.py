"""Uniform numbers by counter: number (seed, row, draw) is a function of these three and of nothing else.

May import: numpy, `etamu._base`.
Read next: `etamu.fit.simulate`, which turns them into responses.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from etamu._base.types import Array

Words = NDArray[np.uint64]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10


def philox(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> tuple[Words, ...]:
    """Compute Philox4x32-10 of 32-bit counters under a 64-bit key, four 32-bit words each, elementwise.

    Source: J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, Parallel random numbers: as easy as 1, 2, 3
    (SC 2011); passes BigCrush.

    Examples
    --------
    >>> zero = np.zeros((), dtype=np.uint64)
    >>> [f"{int(word):08x}" for word in philox((zero, zero, zero, zero), (0, 0))]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    a, b, c, d = counter
    for step in range(_ROUNDS):
        first = np.uint64((key[0] + step * _WEYL[0]) & 0xFFFFFFFF)
        second = np.uint64((key[1] + step * _WEYL[1]) & 0xFFFFFFFF)
        left, right = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]
        a, b, c, d = (right >> _HALF) ^ b ^ first, right & _LOW, (left >> _HALF) ^ d ^ second, left & _LOW
    return a, b, c, d


def uniform(seed: int, rows: NDArray[np.int64], draws: int) -> Array:
    """Return numbers in (0, 1), (rows, draws), never an end; 53 bits each.

    Parameters
    ----------
    seed : int
        0 to 2^64 - 1.
    rows : integers (n,)
        Positions of the rows in the input.
    draws : int

    Examples
    --------
    >>> few, many = uniform(7, np.array([5]), 2), uniform(7, np.arange(10), 3)
    >>> bool(np.array_equal(few[0], many[5, :2]))
    True
    """
    position = rows.astype(np.uint64)[:, None]
    draw = np.arange(draws, dtype=np.uint64)[None, :]
    low, high, draw = np.broadcast_arrays(position & _LOW, position >> _HALF, draw)
    first, second, _, _ = philox((low, high, draw, np.zeros_like(draw)), (seed & 0xFFFFFFFF, seed >> 32))
    bits = (first >> np.uint64(5)).astype(np.float64) * 2.0**26 + (second >> np.uint64(6)).astype(np.float64)
    return np.asarray((bits + 0.5) * 2.0**-53)
