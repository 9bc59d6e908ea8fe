"""How the negative binomial likelihood moves with its shape, from the Poisson limit to the other end.

May import: `etamu._base`, `etamu.family.link`, `.special`, `.unit`, numpy; scipy inside functions.
Read next: `etamu.fit.theta`, which finds the maximum.

In alpha = 1/theta the derivative of the log-likelihood of one row, the mean mu held, is D(y, mu) - R(y):

    D = alpha^-2 (e - log(1 + e)),       e = alpha (y - mu) / (1 + alpha mu)
    R = alpha^-2 (delta(theta) - delta(theta + y)),   delta(x) = log x - digamma(x)

D is never negative, needs mu, and is (y - mu)^2 / 2 at alpha = 0; R is never negative, needs y alone, and is
y / 2 there: the derivative at the Poisson limit is ((y - mu)^2 - y) / 2. In neither does anything cancel.
"""

from __future__ import annotations

from typing import final

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Namespace
from etamu.family.link import Link
from etamu.family.special import horner
from etamu.family.unit import Bound, Rows

_NEAR = 0.05
_TERMS = 14
_VALUE = tuple((-1.0) ** k / (k + 2.0) for k in range(_TERMS, -1, -1))
_SLOPE = tuple(-((-1.0) ** k) * (k + 1.0) / (k + 3.0) for k in range(_TERMS, -1, -1))
"""Series of L(e) = (e - log(1 + e)) / e^2 and of its derivative."""

_SERIES_BELOW = 1.0 / 12.0
# delta(x) = 1/(2x) + 1/(12 x^2) + sum over even m of c_m x^-m; at x = 12 the first term left out is 2e-18.
_DELTA = (
    (4, -1.0 / 120.0), (6, 1.0 / 252.0), (8, -1.0 / 240.0), (10, 1.0 / 132.0), (12, -691.0 / 32760.0),
    (14, 1.0 / 12.0),
)  # fmt: skip


@final
@dataclass(frozen=True, slots=True)
class Overdispersion:
    """D as a function of eta, so that a program can be traced of it as of any unit.

    Its response columns are y and alpha.
    """

    link: Link

    def bind(self, xp: Namespace, information: str = "expected") -> Bound:
        """Return f((y, alpha), eta) -> (D, its derivative in eta, its derivative in alpha)."""
        del information

        def bound(rows: Rows, eta: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
            y, alpha = rows
            mean = self.link.inverse(xp, eta)
            value, slope = excess(xp, y, mean.mu, alpha)
            room = 1.0 + alpha * mean.mu
            return value, -(y - mean.mu) / (room * room) * mean.d1, slope

        return bound


def excess(xp: Namespace, y: AnyArray, mu: AnyArray, alpha: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Compute D and its derivative in alpha, mu held; the part of each row's score that needs the mean.

    Examples
    --------
    >>> value, slope = excess(np, np.array([3.0]), np.array([1.0]), 0.0)
    >>> print(value.round(9), slope.round(9))
    [2.] [-6.66666667]
    """
    room = 1.0 + alpha * mu
    distance = (y - mu) / room
    e = alpha * distance
    near = xp.abs(e) < _NEAR
    small, apart = xp.where(near, e, 0.0), xp.where(near, 1.0, e)
    ratio = xp.where(near, 2.0, (1.0 + alpha * y) / room)
    far = (apart - xp.log(ratio)) / (apart * apart)
    value = xp.where(near, horner(_VALUE, small), far)
    slope = xp.where(near, horner(_SLOPE, small), (1.0 / ratio - 2.0 * far) / apart)
    square = distance * distance
    return value * square, square / room * (slope * distance - 2.0 * value * mu)


def remainder(y: Array, alpha: float) -> tuple[Array, Array]:
    """Compute R and its derivative in alpha; the part of the score that needs the response alone.

    Examples
    --------
    >>> value, slope = remainder(np.array([0.0, 3.0]), 0.0)
    >>> print(value.round(9), slope.round(9))
    [0.  1.5] [ 0. -4.]
    """
    y = np.asarray(y, dtype=np.float64)
    return _by_series(y, alpha) if alpha <= _SERIES_BELOW else _direct(y, 1.0 / alpha)


def _by_series(y: Array, alpha: float) -> tuple[Array, Array]:
    """Sum the series of delta, each difference of powers written as one expm1."""
    log = np.log1p(alpha * y)
    value = 0.5 * y * np.exp(-log) - np.expm1(-2.0 * log) / 12.0
    slope = -0.5 * y * y * np.exp(-2.0 * log) + y * np.exp(-3.0 * log) / 6.0
    for m, coefficient in _DELTA:
        fallen = -np.expm1(-m * log)
        value += coefficient * alpha ** (m - 2) * fallen
        slope += (
            coefficient * alpha ** (m - 3) * ((m - 2) * fallen + alpha * m * y * np.exp(-(m + 1.0) * log))
        )
    return value, slope


def _direct(y: Array, theta: float) -> tuple[Array, Array]:
    from scipy.special import digamma, zeta

    ends = np.array(theta), theta + y
    value = [np.log(x) - digamma(x) for x in ends]
    slope = [1.0 / x - zeta(2.0, x) for x in ends]
    fallen, steeper = value[0] - value[1], slope[0] - slope[1]
    return np.asarray(theta**2 * fallen), np.asarray(-(theta**3) * (2.0 * fallen + theta * steeper))
