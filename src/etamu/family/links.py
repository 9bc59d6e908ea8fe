"""Every link that comes with the house, one stanza each: the map, its inverse and the derivatives side by side.

May import: _base, family.link, family.special, family.normal.
Read next: `etamu.family.stated` for links a user states.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from etamu._base.types import AnyArray, Interval, Namespace
from etamu.family import special
from etamu.family.link import Link, Mean

POSITIVE = Interval(0.0, math.inf)
UNIT = Interval(0.0, 1.0)


@final
@dataclass(frozen=True, slots=True)
class Identity(Link):
    """eta = mu."""

    name = "identity"
    text = "mu"
    exponent = 1.0

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        """Return mu = eta."""
        return Mean(eta, 1.0 - eta, xp.ones_like(eta), xp.zeros_like(eta))

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        """Return mu."""
        return mu


@final
@dataclass(frozen=True, slots=True)
class Log(Link):
    """eta = log(mu)."""

    name = "log"
    text = "log(mu)"
    range = POSITIVE
    exponent = 0.0
    concordance = 1.0

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        """Return mu = exp(eta); the complement -expm1(eta) serves probabilities."""
        mu = special.exp(xp, eta)
        complement = xp.where(xp.abs(eta) < 1.0, -xp.expm1(xp.clip(eta, -1.0, 1.0)), 1.0 - mu)
        return Mean(mu, complement, mu, mu)

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        """Return log(mu)."""
        return xp.log(mu)


@final
@dataclass(frozen=True, slots=True)
class Logit(Link):
    """eta = log(mu / (1 - mu))."""

    name = "logit"
    text = "log(mu / (1 - mu))"
    range = UNIT
    log_concave = True
    concordance = 1.0

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        """Return mu = 1 / (1 + exp(-eta)), each tail from the exponential that decays."""
        decay = xp.exp(-xp.abs(eta))
        bulk = 1.0 / (1.0 + decay)
        tail = decay * bulk
        mu, complement = xp.where(eta < 0.0, tail, bulk), xp.where(eta < 0.0, bulk, tail)
        slope = tail * bulk
        return Mean(mu, complement, slope, slope * (complement - mu))

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        """Return log(mu) - log(1 - mu)."""
        return xp.log(mu / (1.0 - mu if complement is None else complement))
