"""What a negative binomial count is expected to tell of its shape: one integral instead of a sum over counts.

With theta = e^s the expected information about s is (Lawless 1987, Canadian Journal of Statistics 15)

    theta^2 (sum over j >= 0 of P(Y > j) / (theta + j)^2) - theta p,   p = mu / (mu + theta).

Since 1/(theta + j)^2 is the integral of t e^{-(theta + j) t}, the sum over j is one of the generating
function G(z) = (1 + (mu/theta) (1 - z))^-theta. With x = theta t, h = x/theta, w = 1 - e^-h and
A = -log G(e^-h) it is

    theta times the integral of e^-x ((h/w - 1) (1 - e^-A) - (e^-A - e^{-mu h})),

in which the term theta p has gone where it belongs: nothing is lost but what the two terms have in common
towards the Poisson limit, and there the series of the integral takes over.

May import: _base, family.special.
Read next: `etamu.family.counts`, which asks.
"""

from __future__ import annotations

import math

from etamu._base.types import AnyArray, Namespace
from etamu.family import special

STEP = 0.16
_STEPS = range(-19, 25)
_NODES = tuple((math.exp(k * STEP - math.exp(-k * STEP)), STEP * (1.0 + math.exp(-k * STEP))) for k in _STEPS)
"""Points and weights dx/x of x = e^(u - e^-u), u = k STEP: trapezoids whose ends do not matter."""
POISSON = 1e-4
"""Where (1 + 2 mu) / theta is less, two terms of the series in 1/theta are the better half."""
_MOST = 1e150


def shape_information(xp: Namespace, mu: AnyArray, theta: AnyArray) -> AnyArray:
    """Return the expected information of a count about log theta.

    Examples
    --------
    >>> import numpy as np
    >>> print(shape_information(np, np.array([3.0]), np.array([2.0])).round(8))
    [0.15378718]
    """
    mu, theta = xp.minimum(mu, _MOST), xp.minimum(theta, _MOST)
    few = (1.0 + 2.0 * mu) / theta
    near = few < POISSON
    ratio = mu / theta
    limit = 0.5 * ratio * ratio * (1.0 - xp.where(near, few, 0.0))
    mu, theta = xp.where(near, 1.0, mu), xp.where(near, 1.0, theta)
    total = xp.zeros_like(mu)
    for x, weight in _NODES:
        total = total + (weight * x * math.exp(-x)) * _inner(xp, x, mu, theta)
    return xp.where(near, limit, xp.maximum(total, 0.0))


def _inner(xp: Namespace, x: float, mu: AnyArray, theta: AnyArray) -> AnyArray:
    """Return theta ((h/w - 1) (1 - e^-A) - (e^-A - e^{-mu h}))."""
    h = xp.minimum(x / theta, _MOST)
    w, ratio = -xp.expm1(-h), xp.minimum(mu / theta, _MOST)
    beyond = xp.where(h < 1.0, special.expm1mx(xp, -xp.minimum(h, 1.0)), h - w)
    a = theta * xp.log1p(ratio * w)
    first = xp.where(h < 1.0, theta * beyond, x - theta * w) / w * -xp.expm1(-a)
    more = mu * beyond - theta * special.log1pmx(xp, ratio * w)  # mu h - A
    return first + theta * (xp.exp(-a) * xp.expm1(-more))
