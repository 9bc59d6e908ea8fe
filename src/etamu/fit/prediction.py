"""Prediction intervals: quantiles of the next response, the estimate's own uncertainty mixed in.

May import: everything below `fit`.
Read next: `etamu.family.quantile`, which inverts the mixture.
"""

from __future__ import annotations

import math
import sys
import warnings

import numpy as np

from etamu._base.errors import EtamuWarning
from etamu._base.types import Array, Mask
from etamu.family.distribution import Distribution, distribution
from etamu.family.quantile import Mixture, Rows, quantile, upper_quantile
from etamu.family.unit import Unit
from etamu.fit.caller import user_level

SPAN = 7.0
"""Nodes reach this many standard errors of eta to each side; beyond lies 3e-12 of a normal law."""
MOST_NODES = 257
VAST = 1e150
"""Means beyond it have no squares."""
DECADES = 70.0
"""Logarithm of a ratio of means, over all nodes, beside which every law of a response is narrow."""
LARGEST = sys.float_info.max
BLOCK = 1 << 19
"""Evaluations of a tail at once, rows times nodes."""


def prediction_interval(
    unit: Unit, eta: Array, se: Array, dispersion: Array, trials: Array | None, tail: Array | float
) -> tuple[Array, Array]:
    """Compute the quantiles that leave a probability in each tail of the next response, two arrays (n,).

    The law of the next response is the mean of f(y; mu(eta), phi) over eta ~ N(eta-hat, se^2). Nodes are
    evenly spaced in eta (the trapezoidal rule, which is spectrally accurate for a normal weight: Trefethen
    and Weideman 2014, SIAM Review 56), as close as the law at one eta is narrow. Nodes outside the domain of
    eta are left out.

    Raises
    ------
    NotAvailableError
        If the family states a variance and no law.
    """
    law = distribution(unit.family)
    lower, upper = np.full(len(eta), np.nan), np.full(len(eta), np.nan)
    usable = np.flatnonzero(np.isfinite(eta) & np.isfinite(se) & unit.domain.contains(eta))
    certain = usable[dispersion[usable] == 0.0]  # a perfect fit: every response is its mean
    lower[certain] = upper[certain] = unit.mean(np, eta[certain]).mu
    usable = usable[dispersion[usable] != 0.0]
    if not len(usable):
        return lower, upper
    vast, wide = _vast(unit, eta[usable], se[usable])
    if vast.any():
        far = usable[vast & wide]
        lower[far], upper[far] = _of_means(
            law, unit, eta[far], se[far], np.broadcast_to(tail, eta.shape)[far]
        )
        _say_vast(int(np.count_nonzero(vast & ~wide)))
        usable = usable[~vast]
    ratio = _ratio(law, unit, eta[usable], se[usable], dispersion[usable])
    # Rows that need as many nodes go together: a few uncertain rows do not make all of them dear.
    for rows in _batches(usable, ratio):
        nodes = _nodes(float(ratio[np.searchsorted(usable, rows)].max()))
        mixture = _mixture(law, unit, eta[rows], se[rows], dispersion[rows], nodes)
        if trials is not None:
            mixture = Mixture(
                law, mixture.mu, mixture.complement, mixture.share, mixture.dispersion, trials[rows]
            )
        probability = np.broadcast_to(tail, eta.shape)[rows]
        lower[rows] = quantile(mixture, probability)
        upper[rows] = upper_quantile(mixture, probability)
    return lower, upper


def _vast(unit: Unit, eta: Array, se: Array) -> tuple[Mask, Mask]:
    """Tell where means within the reach of the nodes have no squares, and where they spread over decades."""
    with np.errstate(all="ignore"):
        ends = [np.abs(unit.mean(np, eta + side * SPAN * se).mu) for side in (-1.0, 1.0)]
        low, high = np.fmin(*ends), np.fmax(*ends)
        spread = np.log(np.minimum(high, LARGEST)) - np.log(low)
    return np.asarray(high > VAST), np.asarray(spread > DECADES)


def _of_means(law: Distribution, unit: Unit, eta: Array, se: Array, tail: Array) -> tuple[Array, Array]:
    """Return the ends of the interval of the mean: the response's, where the law is narrow beside them."""
    from scipy.special import ndtri

    half = -ndtri(tail) * se
    with np.errstate(all="ignore"):
        low, high = (unit.mean(np, eta + side * half).mu for side in (-1.0, 1.0))
    low, high = np.fmin(low, high), np.fmax(low, high)
    return (np.floor(low), np.ceil(high)) if law.discrete else (low, high)


def _say_vast(count: int) -> None:
    if count:
        warnings.warn(
            f"{count} prediction intervals are NaN: the means there are so large that the spread of the "
            "response is beyond float64; look at the new rows, or count the response in larger units",
            EtamuWarning,
            stacklevel=user_level(),
        )


def _ratio(law: Distribution, unit: Unit, eta: Array, se: Array, dispersion: Array) -> Array:
    """Return how many of its own standard deviations the law of one response moves with one of eta's."""
    largest = np.zeros(len(eta))
    for side in (-2.0, 0.0, 2.0):
        with np.errstate(all="ignore"):
            mean = unit.mean(np, eta + side * se)
            moved = np.abs(mean.d1) * se
            ratio = moved / np.sqrt(dispersion * unit.family.variance(np, mean.mu, mean.complement))
        # On a lattice the law is no narrower than its points are apart, however small its variance.
        ratio = np.minimum(ratio, moved) if law.discrete else ratio
        largest = np.fmax(largest, ratio)
    return np.where(np.isfinite(largest), largest, float(MOST_NODES))


def _nodes(ratio: float) -> Array:
    """Return nodes of a standard normal law, so close that their mean is good to about 1e-8."""
    half = min(math.ceil(SPAN * 1.1 * math.hypot(1.0, ratio)), MOST_NODES // 2)
    return np.linspace(-SPAN, SPAN, 2 * half + 1)


def _batches(usable: Rows, ratio: Array) -> list[Rows]:
    """Split rows, ordered by the number of nodes they need, into batches of bounded size."""
    order = np.argsort(ratio, kind="stable")
    batches, start = [], 0
    while start < len(order):
        size = BLOCK // len(_nodes(float(ratio[order[start]])))
        stop = min(start + max(size, 1), len(order))
        # Not beyond rows that need twice as many nodes.
        twice = int(np.searchsorted(ratio[order], 2.0 * ratio[order[start]] + 0.5))
        stop = min(stop, max(start + 1, twice))
        batches.append(np.sort(usable[order[start:stop]]))
        start = stop
    return batches


def _mixture(
    law: Distribution, unit: Unit, eta: Array, se: Array, dispersion: Array, nodes: Array
) -> Mixture:
    places = eta[:, None] + se[:, None] * nodes
    inside = unit.domain.contains(places) & np.isfinite(places)
    with np.errstate(all="ignore"):
        mean = unit.mean(np, np.where(inside, places, eta[:, None]))
    # A mean that has run to an end of its range is as good as the nearest one the family can have.
    inside &= np.isfinite(mean.mu)
    weights = np.where(inside, np.exp(-0.5 * nodes**2), 0.0)
    share = weights / weights.sum(axis=1, keepdims=True)
    return Mixture(law, np.asarray(mean.mu), np.asarray(mean.complement), share, dispersion)
