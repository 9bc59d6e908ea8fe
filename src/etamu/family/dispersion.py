"""The maximum likelihood estimate of a dispersion, the means given.

May import: `etamu._base`, `etamu.family.remainders`, `.saturated`, `.table`, `.tweedie`; scipy in functions.
Read next: `etamu.family.tweedie`, for the saturated term g that is differentiated here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from etamu._base.errors import DataError, NotAvailableError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.family import saturated, tweedie
from etamu.family.remainders import digamma_rest
from etamu.family.table import gathered, tabulate

_SCAN = 33
_REACH = 4.0
_NEAR = 0.25
_MARGIN = 0.3
# Nodes of a grid in each panel of the table, and rows per node from which on the grid is worth while.
_NODES, _WORTH = 64, 4
_FARTHEST = 500.0
_BUDGET = 40000
# The slope is a difference of numbers as large as the count of summands: not smooth to the last digit.
_TOLERANCE = 1e-11


def dispersion_ml(
    y: ArrayLike,
    unit_deviance: ArrayLike,
    weights: ArrayLike,
    power: float,
    frequency: ArrayLike = 1.0,
    near: float | None = None,
) -> float:
    """Maximise sum k [saturated(y, phi/w) - w d/(2 phi)] over phi: the root of its derivative in log phi.

    For powers 0 and 3 that is sum(k w d)/sum(k). For the others the derivative is one function of log phi +
    (p - 2) log y - log w, tabulated once; its maximum is sought first within e^4 of a like ratio, because at
    powers near 1 and integer responses the likelihood of phi has many.

    Parameters
    ----------
    y
        Observations, (n,).
    unit_deviance
        d(y, mu) at the fitted means, (n,).
    weights
        Variance weights w; rows of weight 0 do not count.
    power
        The power of the variance function: 0, (1, 2), 2 and above.
    frequency
        Frequency weights k.
    near
        A phi near which the maximum is looked for first, and taken if there is one.

    Raises
    ------
    NotAvailableError
        At power 1, whose lattice depends on phi.
    DataError
        If no deviance is positive, or no observation where zeros are possible: there is no maximum.

    Examples
    --------
    >>> print(f"{dispersion_ml([1.0, 2.0, 4.0], [0.5, 0.0, 1.0], 1.0, 3.0):.3f}")
    0.500
    >>> print(f"{dispersion_ml([0.0, 2.0, 4.0], [2.0, 0.1, 1.0], 1.0, 1.5):.6f}")
    1.301087
    """
    if power == 1.0:
        raise NotAvailableError(
            "power 1 is phi times a Poisson count, whose lattice moves with phi: use dispersion='pearson'"
        )
    rows = _rows(y, unit_deviance, weights, frequency)
    total = float(np.sum(rows.count * rows.weight * rows.deviance))
    if not total > 0.0:
        raise DataError("every observation equals its mean, so the likelihood has no maximum")
    if power in {0.0, 3.0}:
        return total / float(np.sum(rows.count))
    if not np.any(rows.y > 0.0):
        raise DataError("every observation is 0, so the likelihood grows with the dispersion for ever")
    # A zero says nothing about phi except through its deviance.
    first = total / float(np.sum(rows.count[rows.y > 0.0]))
    score = _score(rows, power, first, total)
    close = None if near is None else _root_near(score, math.log(near / first))
    if close is not None:
        return first * math.exp(close)
    candidates = [first * math.exp(root) for root in _downward_roots(score)]
    return (
        max(candidates, key=lambda phi: _loglik(rows, power, phi, total)) if candidates[1:] else candidates[0]
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    y: Array
    deviance: Array
    weight: Array
    count: Array


def _rows(*columns: ArrayLike) -> _Rows:
    """Flatten the columns and leave out rows of weight zero."""
    arrays = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in columns))
    used = ((arrays[2] > 0.0) & (arrays[3] > 0.0)).ravel()
    return _Rows(*(each.ravel()[used] for each in arrays))


def _loglik(rows: _Rows, power: float, phi: float, total: float) -> float:
    """Compute the log-likelihood of phi."""
    terms = saturated.tweedie(rows.y, phi / rows.weight, power)
    return float(np.sum(rows.count * terms)) - 0.5 * total / phi


def _score(rows: _Rows, power: float, first: float, total: float) -> Callable[[float], float]:
    """Return the derivative of the log-likelihood in t = log(phi/first)."""
    positive = rows.y > 0.0
    shift = (power - 2.0) * np.log(rows.y[positive]) - np.log(rows.weight[positive]) + math.log(first)
    places, inverse = np.unique(shift, return_inverse=True)
    copies = np.asarray(np.bincount(inverse, weights=rows.count[positive]), dtype=np.float64)
    slope = gamma_slope if power == 2.0 else partial(_tweedie_slope, power=power)
    low, high = float(places[0]) - _REACH - _MARGIN, float(places[-1]) + _REACH + _MARGIN
    table = tabulate(slope, low, high, max(_BUDGET, 8 * places.size), _TOLERANCE)
    near: tuple[Array, Array] = (places, copies)
    if table is not None:
        spacing = min(table.narrowest / _NODES, _MARGIN / 3.0)
        if places.size * spacing > _WORTH * (places[-1] - places[0]):
            near = gathered(places, copies, spacing)  # forty sums over all rows would be most of a fit

    def score(t: float) -> float:
        inside = table is not None and abs(t) <= _REACH
        evaluate, (x, shares) = (table, near) if inside else (slope, (places, copies))
        assert evaluate is not None
        return float(np.sum(shares * evaluate(x + t))) + 0.5 * total / first * math.exp(-t)

    return score


def _tweedie_slope(log_phi: Array, power: float) -> Array:
    return tweedie.slope_at_mean(np.exp(log_phi), power)


def gamma_slope(log_phi: Array) -> Array:
    """Compute the derivative of the gamma's saturated term in log phi, -a (log a - digamma(a)), a = 1/phi."""
    return np.asarray(digamma_rest(np, np.exp(-log_phi)) - 0.5)


def _root_near(score: Callable[[float], float], t: float) -> float | None:
    """Find where the score falls through 0 next to a place, None where it does not."""
    from scipy.optimize import brentq

    low, high = t - _NEAR, t + _NEAR
    if not score(low) > 0.0 > score(high):
        return None
    return float(brentq(score, low, high, xtol=1e-14, rtol=1e-13))


def _downward_roots(score: Callable[[float], float]) -> list[float]:
    """Find every t on the scan where the score falls through 0, going farther out until there is one."""
    from scipy.optimize import brentq

    scan = np.linspace(-_REACH, _REACH, _SCAN)
    scores = [score(float(t)) for t in scan]
    left, right = float(scan[0]), float(scan[-1])
    falls = [
        (a, b) for a, b, up, down in zip(scan, scan[1:], scores, scores[1:], strict=False) if up > 0 >= down
    ]
    while not falls and max(-left, right) < _FARTHEST:
        ahead, behind = score(2.0 * right) <= 0.0 < score(right), score(left) <= 0.0 < score(2.0 * left)
        falls = [(right, 2.0 * right)] * ahead + [(2.0 * left, left)] * behind
        left, right = 2.0 * left, 2.0 * right
    if not falls:
        raise DataError("the likelihood of the dispersion has no maximum; use 'pearson' or 'deviance'")
    return [float(brentq(score, a, b, xtol=1e-14, rtol=1e-13)) for a, b in falls]
