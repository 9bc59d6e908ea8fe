"""Mean, spread and range of columns, as things that add.

May import: numpy, `etamu._base`.
Read next: `etamu.design.coordinates`, which chooses shift and scale from them.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array

LEAST = 1e-280
"""A smaller sum of squares has lost digits, or the squares that vanished."""


@dataclass(frozen=True, eq=False)
class Moments:
    """What a pass over the rows learns about each column.

    Parameters
    ----------
    count : int
        Rows seen.
    mean, scatter, low, high : arrays (columns,)
        Mean, sum of squares about it, smallest and largest value.
    """

    count: int
    mean: Array
    scatter: Array
    low: Array
    high: Array

    def __add__(self, other: Moments) -> Moments:
        """Merge two sets of rows (Chan, Golub and LeVeque 1979, eq. 2.1)."""
        count = self.count + other.count
        share = other.count / max(count, 1)
        gap = other.mean - self.mean
        return Moments(
            count,
            self.mean + gap * share,
            self.scatter + other.scatter + gap**2 * self.count * share,
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )

    def repeated(self, times: int) -> Moments:
        """Say the same of several columns."""
        parts = (self.mean, self.scatter, self.low, self.high)
        return Moments(self.count, *(np.repeat(part, times) for part in parts))

    def largest(self, shift: Array | float) -> Array:
        """Return the largest distance of each column from a number."""
        return np.asarray(np.maximum(np.abs(self.low - shift), np.abs(self.high - shift)))

    @property
    def finite(self) -> bool:
        """Whether every number seen is finite, as far as the sums tell: a sum that overflows says no."""
        return all(bool(np.all(np.isfinite(part))) for part in (self.mean, self.low, self.high))

    @cached_property
    def squared(self) -> NDArray[np.bool_]:
        """Where squares of the column neither overflow nor vanish; elsewhere its range describes it."""
        with np.errstate(invalid="ignore"):  # of no rows at all the range is inf - inf
            wide = self.high > self.low
        return np.isfinite(self.scatter) & ((self.scatter > LEAST) | ~wide)

    @property
    def varies(self) -> NDArray[np.bool_]:
        """Which columns are not one number in every row."""
        return (self.scatter > 0) | ~self.squared

    @property
    def centre(self) -> Array:
        """The mean, or the middle of the range."""
        return np.where(self.squared, self.mean, 0.5 * self.low + 0.5 * self.high)

    @cached_property
    def deviation(self) -> Array:
        """Root mean square distance from the mean, or half the range."""
        square = np.sqrt(self.scatter / max(self.count, 1))
        if self.squared.all():
            return square
        return np.where(self.squared, square, 0.5 * self.high - 0.5 * self.low)

    @property
    def root_mean_square(self) -> Array:
        """Root mean square distance from zero."""
        return np.hypot(self.deviation, self.centre)


def moments_of(panel: Array) -> Moments:
    """Describe the columns of a panel, (rows, columns)."""
    if not len(panel):
        zero = np.zeros(panel.shape[1])
        return Moments(0, zero, zero, zero + np.inf, zero - np.inf)
    with np.errstate(invalid="ignore", over="ignore"):  # of what is not finite neither are the moments
        mean = panel.mean(axis=0)
        scatter = ((panel - mean) ** 2).sum(axis=0)
    return Moments(len(panel), mean, scatter, panel.min(axis=0), panel.max(axis=0))


def beside(moments: list[Moments], count: int) -> Moments:
    """Put the descriptions of blocks side by side."""
    fields = ("mean", "scatter", "low", "high")
    columns = ([np.zeros(0), *(getattr(part, field) for part in moments)] for field in fields)
    return Moments(count, *(np.concatenate(column) for column in columns))


def constant(value: float, count: int, times: int = 1) -> Moments:
    """Describe so many columns that have one value in every row."""
    one = np.full(times, value)
    return Moments(count, one, np.zeros(times), one, one)
