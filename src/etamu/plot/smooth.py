"""A robust smooth through points: lowess, local lines that distant points cannot bend.

May import: numpy, `etamu._base`.
Read next: `etamu.plot.residuals`.
"""

from __future__ import annotations

import numpy as np

from etamu._base.types import Array

KNOTS = 81
"""Places at which a smooth is computed."""
SPAN = 0.6
"""Share of the points a local line sees."""
ROUNDS = 3
"""Rounds in which points far off the smooth lose their weight."""


def lowess(
    x: Array, y: Array, span: float = SPAN, *, rounds: int = ROUNDS, weights: Array | None = None
) -> tuple[Array, Array]:
    """Compute a robust local linear smooth at places along x (Cleveland 1979).

    Parameters
    ----------
    x, y : arrays (n,)
        Some thousand points at most: the work is n times the places.
    span : float
        Share of the points a local line sees.
    rounds : int
        0 follows the mean, as it must where residuals are skewed by right.
    weights : array (n,), optional

    Returns
    -------
    places, smooth : arrays (places,)

    Examples
    --------
    >>> x = np.arange(20.0)
    >>> y = 2.0 * x
    >>> y[7] = 400.0
    >>> places, smooth = lowess(x, y)
    >>> bool(np.allclose(smooth, 2.0 * places))
    True
    """
    known = np.isfinite(x) & np.isfinite(y)
    own = np.ones(len(x)) if weights is None else weights
    x, y, own = x[known], y[known], own[known]
    if len(x) < 3:
        return np.zeros(0), np.zeros(0)
    places = np.unique(np.quantile(x, np.linspace(0.0, 1.0, KNOTS), method="inverted_cdf"))
    near = _nearness(x, places, span) * own
    smooth = _lines(x, y, places, near)
    for _ in range(rounds):
        off = np.abs(y - np.interp(x, places, smooth))
        scale = 6.0 * float(np.median(off))
        rounding = 1e-9 * float(np.max(np.abs(y), initial=0.0))
        if scale <= rounding:
            # Half of the points lie on the smooth: the others are those to be ignored.
            trust = np.where(off <= rounding, 1.0, 0.0)
            return places, _lines(x, y, places, near * trust)
        trust = (1.0 - np.minimum(off / scale, 1.0) ** 2) ** 2
        smooth = _lines(x, y, places, near * trust)
    return places, smooth


def _nearness(x: Array, places: Array, span: float) -> Array:
    """Weigh the points seen from each place by the tricube of their distance, (places, points)."""
    distance = np.abs(x[None, :] - places[:, None])
    k = min(max(int(np.ceil(span * len(x))), 3), len(x)) - 1
    reach = np.partition(distance, k, axis=1)[:, k] * 1.0001
    # Where so many points tie that the reach is nothing, a local line sees their neighbours too.
    beyond = np.where(distance > 0.0, distance, np.inf).min(axis=1)
    reach = np.where(reach > 0.0, reach, np.where(np.isfinite(beyond), beyond * 1.5, 1.0))
    return np.asarray((1.0 - np.minimum(distance / reach[:, None], 1.0) ** 3) ** 3)


def _lines(x: Array, y: Array, places: Array, weights: Array) -> Array:
    """Fit a weighted line at each place and return its height there."""
    total = weights.sum(axis=1)
    total = np.where(total > 0.0, total, np.nan)
    middle, height = weights @ x / total, weights @ y / total
    apart = x[None, :] - middle[:, None]
    spread = (weights * apart**2).sum(axis=1)
    # No slope can be told where all the weight stands in one place.
    enough = spread > 1e-10 * total * float(np.ptp(x) or 1.0) ** 2
    slope = (weights * apart) @ y / np.where(enough, spread, np.inf)
    smooth = height + slope * (places - middle)
    lost = np.isnan(smooth)
    if lost.all():
        return np.full(len(places), float(np.median(y)))
    return np.interp(places, places[~lost], smooth[~lost])
