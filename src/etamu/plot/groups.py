"""Rows in groups: of equal volume along a score, and what was observed and fitted in each.

May import: everything below `plot`, in this room rows.
Read next: `etamu.plot.calibration`, `etamu.plot.levels`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.infer.wald import critical
from etamu.plot.rows import Seen

Codes = NDArray[np.integer[Any]]

GROUPS = 10
"""Groups of about equal volume, unless another number is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Averages of groups of rows, one entry per group.

    Parameters
    ----------
    observed, fitted : arrays
        Means, weighted by volume.
    error : array
        Standard deviation of the observed mean, if the model holds.
    volume : array
    """

    observed: Array
    fitted: Array
    error: Array
    volume: Array

    def half(self, level: float) -> Array:
        """Return how far an observed mean lies from its fitted one with a probability, if the model holds."""
        return critical(level) * self.error


def by_fitted(rows: Seen, groups: int) -> Groups:
    """Group rows by their fitted mean, into groups of about equal volume."""
    codes = equal_groups(rows.fitted, rows.volume, groups)
    return grouped(rows, codes, int(codes.max()) + 1)


def bars(level: float) -> str:
    """Say what the bars of `Groups.half` are."""
    return f"bars: {100 * level:g} % if the model holds"


def grouped(rows: Seen, codes: Codes, count: int) -> Groups:
    """Average rows by group; codes run from 0 to count - 1."""

    def total(values: Array) -> Array:
        return np.asarray(np.bincount(codes, values, minlength=count), dtype=float)

    volume = total(rows.volume)
    with np.errstate(all="ignore"):
        return Groups(
            total(rows.volume * rows.observed) / volume,
            total(rows.volume * rows.fitted) / volume,
            np.sqrt(total(rows.variance)) / volume,
            volume,
        )


def equal_groups(score: Array, volume: Array, most: Any) -> Codes:
    """Cut rows, in order of a score, into groups of about equal volume; rows that tie stay together.

    Raises
    ------
    OptionError
        If `most` is no whole number of 1 or more.

    Examples
    --------
    >>> equal_groups(np.array([3.0, 1.0, 2.0, 2.0]), np.ones(4), 2)
    array([1, 0, 1, 1])
    """
    if not isinstance(most, (int, np.integer)) or most < 1:
        raise OptionError(f"groups is {most!r}; it is a whole number such as {GROUPS}")
    # Scores that differ by rounding only are ties: cells of a table are not split.
    size = float(np.max(np.abs(score), initial=0.0)) or 1.0
    values, place = np.unique(np.round(score / size, 11), return_inverse=True)
    held = np.bincount(place, volume, minlength=len(values))
    middle = (np.cumsum(held) - held / 2.0) / held.sum()
    codes = np.minimum((middle * most).astype(np.intp), most - 1)
    return np.asarray(np.unique(codes, return_inverse=True)[1][place])
