"""Power links, mu = eta^a, of power variances and NB2: second derivatives without cancellation.

May import: _base, family.family, family.link.
Read next: `etamu.family.pairs`, which chooses these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from etamu._base.types import AnyArray, Namespace
from etamu.family.family import Family
from etamu.family.link import Link

Results = tuple[AnyArray, AnyArray, AnyArray]
Kernel = Callable[[AnyArray, AnyArray], Results]
Bind = Callable[[Namespace, str], Kernel]


def power_of_power(family: Family, link: Link) -> Bind | None:
    """Return the kernel of V = mu^p with link mu^k; None for a link that is no power.

    With a = 1 / k the derivative of the value is a (y mu^(1 - p) - mu^(2 - p)) / eta. Its own derivative is
    written out, so that where a coefficient is 0 nothing is left of it.
    """
    p = family.variance_power
    if not link.exponent or p is None:
        return None
    a = 1.0 / link.exponent
    pulled, pushed = a * (1.0 - a * (1.0 - p)), a * (1.0 - a * (2.0 - p))

    def bind(xp: Namespace, information: str) -> Kernel:
        def kernel(y: AnyArray, eta: AnyArray) -> Results:
            mu, complement, d1, _ = link.inverse(xp, eta)
            slope = d1 / family.variance(xp, mu, complement)
            value = -0.5 * family.deviance(xp, y, mu, complement)
            score = (y - mu) * slope
            if information == "expected":
                return value, score, d1 * slope
            return value, score, slope / (a * eta) * (pulled * y - pushed * mu)

        return kernel

    return bind


def power_of_negative_binomial(family: Any, link: Link) -> Bind | None:
    """Return the kernel of NB2 with link mu^k; None for a link that is no power.

    With a = 1 / k the observed information is
    a theta (y ((a + 1) mu + theta) - mu (mu - (a - 1) theta)) / ((mu + theta) eta)^2.
    """
    if not link.exponent:
        return None
    a, theta = 1.0 / link.exponent, family.theta

    def bind(xp: Namespace, information: str) -> Kernel:
        def kernel(y: AnyArray, eta: AnyArray) -> Results:
            mu, complement, d1, _ = link.inverse(xp, eta)
            slope = d1 / family.variance(xp, mu, complement)
            value = -0.5 * family.deviance(xp, y, mu, complement)
            if information == "expected":
                return value, (y - mu) * slope, d1 * slope
            root = a / ((mu + theta) * eta)
            bend = y * ((a + 1.0) * mu + theta) - mu * (mu - (a - 1.0) * theta)
            return value, (y - mu) * slope, root * (bend * (theta / a)) * root

        return kernel

    return bind
