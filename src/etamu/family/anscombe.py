"""Anscombe residuals: the difference of y and mu on the scale where the response is nearly symmetric.

May import: _base, family.derived, family.families, family.family, family.numeric; scipy inside functions.
Read next: `etamu.fit.residual_kinds`, beside the other kinds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from etamu._base.errors import NotAvailableError
from etamu._base.types import Array
from etamu.family import families
from etamu.family.derived import Derived
from etamu.family.family import Family
from etamu.family.numeric import Line, integral_in_panels


def anscombe(family: Family, y: Array, mu: Array, complement: Array) -> Array:
    """Compute (A(y) - A(mu)) / V(mu)^(1/6) with A the integral of V^(-1/3), all of one row of precision 1.

    A makes the third cumulant vanish to first order, and A'(mu) sqrt(V) = V^(1/6) its variance 1.

    Parameters
    ----------
    family
    y : array
        Observed mean, a proportion where there are trials.
    mu, complement : arrays
        Mean, and one minus the mean.

    Raises
    ------
    NotAvailableError
        If the integral of this family's variance is not stated here.

    Source: F. J. Anscombe, discussion of Hotelling (1953); McCullagh and Nelder (1989), section 2.4.2.

    Examples
    --------
    >>> anscombe(families.Gamma(), np.array([8.0]), np.array([1.0]), np.array([0.0]))
    array([3.])
    """
    power = family.variance_power
    if power is not None:
        return _power(y, mu, power)
    stated: Family = family
    while (type(stated) not in _INTEGRALS or stated.named is not stated) and stated.kin is not stated:
        stated = stated.kin
    if type(stated) not in _INTEGRALS:
        raise NotAvailableError(
            f"Anscombe residuals need the integral of V^(-1/3), which {family} does not state: "
            "use 'deviance' or 'quantile' residuals"
        )
    difference = _INTEGRALS[type(stated)](stated, y, mu, complement)
    return np.asarray(difference / family.variance(np, mu, complement) ** (1.0 / 6.0))


def _power(y: Array, mu: Array, power: float) -> Array:
    """Compute (y^q - mu^q) / (q mu^(p/6)) with q = 1 - p/3, log(y / mu) in its place where q = 0."""
    if power == 0.0:
        return y - mu
    q = 1.0 - power / 3.0
    ratio = y / mu
    near = np.abs(ratio - 1.0) < 0.5
    with np.errstate(divide="ignore"):  # y = 0 is far from every mean, and has a residual
        log_ratio = np.where(near, np.log1p(np.where(near, (y - mu) / mu, 0.0)), np.log(ratio))
    # expm1 keeps the digits that y^q - mu^q loses at y near mu.
    change = log_ratio if q == 0.0 else np.expm1(q * log_ratio) / q
    return np.asarray(mu ** (1.0 - power / 2.0) * change)


def _of_proportion(family: Family, y: Array, mu: Array, complement: Array) -> Array:  # noqa: ARG001
    """Integrate (t (1 - t))^(-1/3): an incomplete beta function, from the end that is nearer."""
    low = mu <= 0.5
    one, other = np.where(low, y, complement), np.where(low, mu, 1.0 - y)
    return _beta(one) - _beta(other)


def _beta(x: Array) -> Array:
    from scipy.special import beta, betainc

    third = 2.0 / 3.0
    return np.asarray(beta(third, third) * betainc(third, third, x))


def _negative_binomial(family: Any, y: Array, mu: Array, complement: Array) -> Array:  # noqa: ARG001
    """Integrate (t + t^2 / theta)^(-1/3).

    With t = theta z / (1 - z) it is theta^(2/3) times the integral of z^(-1/3) (1 - z)^(-4/3), by parts
    3 z^(2/3) (1 - z)^(-1/3) - B_z(2/3, 2/3).
    """

    def integral(t: Array) -> Array:
        x = t / family.theta
        return np.asarray(3.0 * x ** (2.0 / 3.0) * (1.0 + x) ** (-1.0 / 3.0) - _beta(x / (1.0 + x)))

    return np.asarray(family.theta ** (2.0 / 3.0) * (integral(y) - integral(mu)))


def _derived(family: Derived, y: Array, mu: Array, complement: Array) -> Array:
    """Integrate V^(-1/3) on the stretched scale of the means, from mu to y, or far toward an end y is on."""
    line = Line(family.mean)
    with np.errstate(all="ignore"):
        start, end = line.place(np, mu, complement), line.place(np, y, 1.0 - y)
        end = np.clip(end, start - _FAR, start + _FAR)

        def rate(share: float) -> Array:
            place = line.at(np, start + share * (end - start))
            return np.asarray(place.slope * family.variance(np, place.x, place.complement) ** (-1.0 / 3.0))

        return np.asarray((end - start) * integral_in_panels(rate))


_FAR = 90.0
"""What lies farther on the stretched scale is below rounding."""

_INTEGRALS: dict[type[Family], Callable[[Any, Array, Array, Array], Array]] = {
    families.Bernoulli: _of_proportion,
    families.NegativeBinomial: _negative_binomial,
    Derived: _derived,
}
