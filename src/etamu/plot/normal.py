"""Quantile residuals in order beside the normal quantiles they should be, with the band of their sampling.

May import: everything below `plot`, in this room style; scipy.special lazily.
Read next: `etamu.plot.qq`, `etamu.plot.worm`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.fit.result import Fit
from etamu.infer.wald import probability
from etamu.plot.style import PENS, QUIET, note, quiet_grid
from etamu.vector.result import VectorFit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KEPT = 2000
"""Most points drawn of the ordered sample."""
TAIL = 200
"""Points of each tail that are drawn however many there are."""


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """An ordered sample beside the normal law.

    Parameters
    ----------
    normal, sample : arrays (points,)
        Normal quantile (of the median of the order statistic) and what was observed.
    low, high : arrays (points,)
        Where the order statistic lies with probability `level` if the law holds, point by point.
    count : int
        Size of the sample, of which the points may be some.
    mean, deviation : float
        Of the whole sample.
    level : float
    """

    normal: Array
    sample: Array
    low: Array
    high: Array
    count: int
    mean: float
    deviation: float
    level: float

    @property
    def thinned(self) -> str:
        """Say so where not every point is drawn."""
        if self.count == len(self.sample):
            return ""
        return f"{len(self.sample):,} of {self.count:,} points, all of those in the tails"


def ordered(fit: Fit | VectorFit, seed: int, level: float) -> Ordered:
    """Order the quantile residuals of a fit.

    Raises
    ------
    NotAvailableError
        If the family states no distribution.
    """
    residuals = np.asarray(fit.residuals("quantile", seed=seed))
    return in_order(residuals[np.isfinite(residuals)], level)


def in_order(sample: Array, level: float) -> Ordered:
    """Put a sample in order beside the normal quantiles.

    Examples
    --------
    >>> found = in_order(np.array([1.0, -1.0, 0.0]), 0.95)
    >>> found.sample, found.normal.round(2)
    (array([-1.,  0.,  1.]), array([-0.82,  0.  ,  0.82]))
    """
    from scipy.special import betaincinv, ndtri

    n = len(sample)
    rank = _kept(n) + 1.0
    # The i-th of n uniform numbers in order has a beta law, whatever the law of the sample.
    tail = (1.0 - probability(level)) / 2.0
    low, normal, high = (
        np.asarray(ndtri(betaincinv(rank, n + 1.0 - rank, share)), dtype=float)
        for share in (tail, 0.5, 1.0 - tail)
    )
    points = np.sort(sample)[rank.astype(np.intp) - 1]
    mean, deviation = (float(np.mean(sample)), float(np.std(sample))) if n else (np.nan, np.nan)
    return Ordered(normal, points, low, high, n, mean, deviation, level)


def band_and_points(axes: Axes, shown: Ordered, less: Array | float, *remarks: str) -> None:
    """Draw band and points less some line, name the normal quantiles, and note what the band is."""
    axes.fill_between(shown.normal, shown.low - less, shown.high - less, color=QUIET, alpha=0.18, lw=0)
    axes.scatter(
        shown.normal,
        shown.sample - less,
        s=22 if shown.count <= 200 else 9,
        facecolor="none",
        edgecolor=PENS[0].colour,
        linewidth=0.9,
        zorder=3,
    )
    axes.set_xlabel("normal quantile")
    quiet_grid(axes)
    note(axes, f"band: {100 * shown.level:g} % of each point if the model holds", *remarks, shown.thinned)


def _kept(n: int) -> Array:
    """Choose places of an ordered sample: all, or both tails and, evenly along the normal law, the middle."""
    from scipy.special import ndtr, ndtri

    if n <= KEPT:
        return np.arange(n, dtype=float)
    end = ndtri(TAIL / n)
    middle = np.floor(n * ndtr(np.linspace(end, -end, KEPT - 2 * TAIL)))
    return np.unique(np.concatenate([np.arange(TAIL), np.clip(middle, 0, n - 1), np.arange(n - TAIL, n)]))
