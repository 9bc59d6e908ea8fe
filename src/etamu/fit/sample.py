"""A sample of the rows, drawn by response: the part of the data on which the first steps are taken.

May import: everything below `fit`.
Read next: `etamu.fit.pilot`, which fits it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu.design.chunk import Chunk
from etamu.design.coordinates import Coordinates

COMMON = 0.75
"""From this share of rows with the same response on, the other rows are drawn with larger probability."""
ENOUGH = 1000
"""Rows whose median is the response of three quarters of all, if there is such a one."""

OUTLINE = 2_000
"""Rows that say how large numbers are."""
LESS = 4
"""From so many times fewer on they are worth being copied."""
SEED = 0x9E3779B97F4A7C15
"""Multiplier of the counter by which rows are drawn (Steele, Lea and Flood 2014, splitmix64)."""


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """Some rows of a chunk, each weighted by one over the probability with which it was drawn.

    Parameters
    ----------
    chunk : Chunk
    share : float
        Rows drawn over rows there.
    """

    chunk: Chunk
    share: float

    def part(self, every: int) -> Sampled:
        """Keep every so-manieth row, which then counts for that many."""
        index = np.arange(0, len(self.chunk), every)
        weights = self.chunk.weights
        sampling = None if weights.sampling is None else weights.sampling[index] * every
        few = self.chunk.take(index)
        return Sampled(replace(few, weights=replace(few.weights, sampling=sampling)), self.share / every)

    @property
    def outline(self) -> Chunk:
        """Rows enough to choose shifts and scales by: few of numbers alone, where no level is rare."""
        every = len(self.chunk) // OUTLINE
        numbers = all(block.shiftable for block in self.chunk.predictors[0].design.blocks)
        return self.part(every).chunk if numbers and every >= LESS else self.chunk

    def placed(self, coordinates: Coordinates) -> Sampled:
        """Shift and scale the columns."""
        of = self.chunk.predictors[0]
        moved = replace(of, design=coordinates.placed(of.design))
        return replace(self, chunk=replace(self.chunk, predictors=(moved,)))


def drawn(chunk: Chunk, size: int) -> Sampled:
    """Draw about `size` rows, one from every stretch of neighbours, rare responses more often.

    Which row of a stretch is drawn is a function of its number alone, so that neither blocks nor threads
    matter, and sorted data are sampled evenly. Where most rows have the same response (a count of 0, say),
    half of the sample are rows that have not, as far as there are so many.
    """
    y = chunk.y[0]
    index = spread(len(y), size)
    probability = np.full(len(index), len(index) / len(y))
    seen = y.take(index)
    usual = float(np.median(seen[:: max(1, len(seen) // ENOUGH)]))
    common = seen == usual
    if common.mean() >= COMMON:
        rare = np.flatnonzero(y != usual)
        chosen = rare[spread(len(rare), size // 2)] if len(rare) else rare
        left = index[common][:: max(1, int(common.sum()) // max(size // 2, 1))]
        index = np.concatenate([left, chosen])
        probability = np.concatenate(
            [
                np.full(len(left), len(left) / (len(y) - len(rare))),
                np.full(len(chosen), len(chosen) / max(len(rare), 1)),
            ]
        )
        order = np.argsort(index, kind="stable")  # two runs in order are merged
        index, probability = index.take(order), probability.take(order)
    few = chunk.take(index)
    given = few.weights.sampling
    sampling = 1.0 / probability if given is None else given / probability
    return Sampled(replace(few, weights=replace(few.weights, sampling=sampling)), len(index) / len(y))


def spread(n: int, size: int) -> NDArray[np.intp]:
    """Return one position from each of `size` equal stretches of 0, …, n - 1; all where there are no more.

    Examples
    --------
    >>> spread(4, 9)
    array([0, 1, 2, 3])
    >>> where = spread(1000, 10)
    >>> bool(np.all(where // 100 == np.arange(10)))
    True
    """
    if n <= size:
        return np.arange(n)
    edges = np.arange(size + 1, dtype=np.int64) * n // size
    counter = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(SEED)
    counter ^= counter >> np.uint64(31)
    fraction = (counter >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return np.asarray(edges[:-1] + (fraction * np.diff(edges)).astype(np.int64), dtype=np.intp)
