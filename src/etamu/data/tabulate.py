"""Few distinct numbers as codes: a spline of age in years is a map on some eighty levels.

May import: numpy, `etamu._base`, `etamu.data`.
Read next: `etamu.design.tabulated`, the columns that are made of it.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.types import Array
from etamu.data.codes import RawArray, levels_seen, relabelled, smallest

MOST = 1_000
"""Most distinct numbers that are worth a table."""
ROWS_EACH = 20
"""Rows per distinct number, at least: else the table is as large as the columns."""
LOOKED_AT = 4_096
"""Rows that are looked at first, evenly spaced: most columns show there that they have too many numbers."""
SPAN = 1 << 14
"""Whole numbers this close together are coded by their distance from the smallest."""


def few_numbers(numbers: RawArray) -> tuple[RawArray, Array] | None:
    """Code an array of numbers by its distinct ones, ascending; None where there are many.

    Examples
    --------
    >>> codes, levels = few_numbers(np.repeat([3.0, 1.5], 40))
    >>> codes[[0, -1]].tolist(), levels.tolist()
    ([1, 0], [1.5, 3.0])
    >>> few_numbers(np.arange(100.0)) is None
    True
    """
    most = min(MOST, len(numbers) // ROWS_EACH)
    seen = np.unique(numbers[:: max(len(numbers) // LOOKED_AT, 1)])
    if not 0 < len(seen) <= most or not np.all(np.isfinite(seen)):
        return None
    values = numbers.astype(np.float64, copy=False)
    found = _whole(values, most)
    return _any(values, seen.astype(np.float64), most) if found is None else found


def _whole(values: Array, most: int) -> tuple[RawArray, Array] | None:
    """Code whole numbers that are close together, without a search; None where they are not, or too many."""
    low, high = float(values.min()), float(values.max())
    if not high - low < SPAN or low != math.floor(low):
        return None
    away = (values - low).astype(np.int16)
    if not np.array_equal(away + low, values):
        return None
    seen = levels_seen(away, int(high - low) + 1)
    if np.count_nonzero(seen) > most:
        return None
    lookup = np.cumsum(seen) - 1
    levels = np.flatnonzero(seen).astype(np.float64) + low
    return relabelled(away, lookup.astype(smallest(most))), levels


def _any(values: Array, levels: Array, most: int) -> tuple[RawArray, Array] | None:
    """Code any numbers by a search among those seen in a few rows, and those that were not."""
    for _ in range(2):
        place = np.minimum(np.searchsorted(levels, values), len(levels) - 1)
        strange = levels[place] != values
        if not strange.any():
            return place.astype(smallest(len(levels))), levels
        levels = np.union1d(levels, values[strange])
        if not len(levels) <= most:
            return None
    return None


def distinct(values: Array) -> Array:
    """Return the distinct numbers, ascending, without sorting all where they are few.

    Examples
    --------
    >>> distinct(np.array([2.0, 1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    found = few_numbers(values)
    return np.unique(values) if found is None else found[1]


def quantiles(values: Array, shares: Array) -> Array:
    """Return quantiles by linear interpolation (type 7), the same as NumPy's, from counts where they do.

    Examples
    --------
    >>> quantiles(np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.75])).tolist()
    [2.0, 3.0]
    """
    found = few_numbers(values)
    if found is None:
        return np.asarray(np.quantile(values, shares))
    codes, levels = found
    upto = np.cumsum(np.bincount(codes, minlength=len(levels)))
    place = shares * (len(values) - 1)
    first = np.floor(place)
    below, above = (
        levels[np.searchsorted(upto, np.minimum(rank, len(values) - 1), side="right")]
        for rank in (first, first + 1)
    )
    share, gap = place - first, above - below
    return np.asarray(np.where(share < 0.5, below + gap * share, above - gap * (1.0 - share)))
