"""The saturated term of each family: its log density where the mean equals the observation.

May import: `etamu._base`, `etamu.family.stirling`, `etamu.family.tweedie`, numpy.
Read next: `etamu.family.distribution`, for log f(y; mu, phi) = saturated(y, phi) - d(y, mu) / (2 phi).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from etamu._base.later import later
from etamu._base.types import Array
from etamu.family.stirling import HALF_LOG_TWO_PI, stirling_remainder

if TYPE_CHECKING:
    from etamu.family.tweedie import saturated as tweedie_saturated
else:
    tweedie_saturated = later("etamu.family.tweedie", "saturated")


def gaussian(y: ArrayLike, dispersion: ArrayLike) -> Array:
    """Return -log(2 pi phi) / 2, shaped like y and phi together.

    Examples
    --------
    >>> print(gaussian([3.0, 4.0], 1.0).round(6))
    [-0.918939 -0.918939]
    """
    y, phi = np.broadcast_arrays(_real(y), _real(dispersion))
    return np.asarray(-HALF_LOG_TWO_PI - 0.5 * np.log(phi))


def bernoulli(y: ArrayLike, dispersion: ArrayLike = 1.0) -> Array:
    """Return zeros: an outcome that is certain has probability 1."""
    return np.zeros(np.broadcast_shapes(np.shape(y), np.shape(dispersion)))


def binomial(successes: ArrayLike, trials: ArrayLike) -> Array:
    """Compute log C(m, s) + s log(s/m) + (m - s) log(1 - s/m) by Stirling remainders; 0 at s = 0 and s = m.

    Examples
    --------
    >>> print(binomial([0, 1, 2], 2).round(6))
    [ 0.       -0.693147  0.      ]
    """
    s, m = np.broadcast_arrays(_real(successes), _real(trials))
    inside = (s > 0.0) & (s < m)
    s, m = np.where(inside, s, 1.0), np.where(inside, m, 2.0)
    failures = m - s
    remainder = stirling_remainder(m) - stirling_remainder(s) - stirling_remainder(failures)
    return np.where(inside, remainder - HALF_LOG_TWO_PI - 0.5 * np.log(s * (failures / m)), 0.0)


def poisson(y: ArrayLike, dispersion: ArrayLike = 1.0) -> Array:
    """Compute y log y - y - log y! = -log(2 pi y)/2 - remainder(y); 0 at y = 0.

    Examples
    --------
    >>> print(poisson([0, 1, 1e15]).round(6))
    [  0.        -1.       -18.188327]
    """
    y, _ = np.broadcast_arrays(_real(y), _real(dispersion))
    positive = np.where(y > 0.0, y, 1.0)
    value = -HALF_LOG_TWO_PI - 0.5 * np.log(positive) - stirling_remainder(positive)
    return np.where(y > 0.0, value, 0.0)


def negative_binomial(y: ArrayLike, dispersion: ArrayLike, theta: ArrayLike) -> Array:
    """Compute the log probability of y under mean y and shape theta; 0 at y = 0.

    It is poisson(y) - log(1 + y/theta)/2 + remainder(y + theta) - remainder(theta), which has no difference
    of large terms at either end: theta = 1e12 gives the Poisson term, theta = 1e-8 stays finite.

    Examples
    --------
    >>> print(negative_binomial([0.0, 3.0], 1.0, 1e12).round(6) - poisson([0, 3]).round(6))
    [0. 0.]
    """
    y, theta, _ = np.broadcast_arrays(_real(y), _real(theta), _real(dispersion))
    shape = stirling_remainder(y + theta) - stirling_remainder(theta) - 0.5 * np.log1p(y / theta)
    return np.where(y > 0.0, poisson(y) + shape, 0.0)


def gamma(y: ArrayLike, dispersion: ArrayLike) -> Array:
    """Compute -log(2 pi phi)/2 - log y - remainder(1/phi): a gamma density of shape 1/phi and mean y, at y.

    Examples
    --------
    >>> print(gamma(2.0, 1.0).round(6))
    -1.693147
    """
    y, phi = np.broadcast_arrays(_real(y), _real(dispersion))
    one = phi.size > 0 and phi.strides == (0,)  # a number for all rows: its remainder once
    return np.asarray((_constant_of(float(phi[0])) if one else _of_dispersion(phi)) - np.log(y))


def _of_dispersion(phi: Array) -> Array:
    """Compute the part of gamma's term that y has no say in."""
    return -HALF_LOG_TWO_PI - 0.5 * np.log(phi) - stirling_remainder(1.0 / phi)


@lru_cache(maxsize=16)
def _constant_of(phi: float) -> float:
    """Compute the same of a number, which many blocks of rows share."""
    return float(_of_dispersion(np.array([phi]))[0])


def inverse_gaussian(y: ArrayLike, dispersion: ArrayLike) -> Array:
    """Compute -log(2 pi phi y^3) / 2.

    Examples
    --------
    >>> print(inverse_gaussian([1.0, 2.0], 1.0).round(6))
    [-0.918939 -1.958659]
    """
    y, phi = np.broadcast_arrays(_real(y), _real(dispersion))
    return np.asarray(-HALF_LOG_TWO_PI - 0.5 * np.log(phi) - 1.5 * np.log(y))


def tweedie(y: ArrayLike, dispersion: ArrayLike, power: float) -> Array:
    """Compute the Tweedie log density at mu = y for any power the family knows: 0, 1, (1, 2), 2 and above.

    Power 1 is phi times a Poisson count, so its term is a log probability on the lattice of phi.

    Examples
    --------
    >>> print(tweedie([0.0, 1.0], 1.0, 1.5).round(6))
    [ 0.       -1.028615]
    """
    if power == 0.0:
        return gaussian(y, dispersion)
    if power == 1.0:
        return poisson(_real(y) / _real(dispersion))
    if power == 2.0:
        return gamma(y, dispersion)
    if power == 3.0:
        return inverse_gaussian(y, dispersion)
    return tweedie_saturated(y, dispersion, power)


def _real(values: ArrayLike) -> Array:
    return np.asarray(values, dtype=np.float64)
