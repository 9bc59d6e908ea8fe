"""Every family, one stanza each: support, theta(mu), b(theta), V(mu), deviance, start, saturated term.

May import: _base, family.family, family.links, family.special, family.saturated.
Read next: `etamu.family.unit`, which pairs a family with a link.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from etamu._base.types import LINE, AnyArray, Array, Interval, Namespace
from etamu.family import saturated
from etamu.family.family import Family, Support, Textbook
from etamu.family.links import Identity, Log, Logit
from etamu.family.special import bd0

POSITIVE = Interval(0.0, math.inf)
NON_NEGATIVE = Interval(0.0, math.inf, closed_lower=True)
UNIT = Interval(0.0, 1.0)
CLOSED_UNIT = Interval(0.0, 1.0, closed_lower=True, closed_upper=True)


@final
@dataclass(frozen=True, slots=True)
class Gaussian(Family):
    """A measurement with constant variance."""

    name = "gaussian"
    support = Support(LINE)
    mean = LINE
    canonical = Identity()
    power = 0.0
    textbook = Textbook("1", "theta^2 / 2", ("log", "inverse"), "measurements with errors of constant size")

    def theta(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return mu

    def cumulant(self, xp: Namespace, theta: AnyArray) -> AnyArray:
        return 0.5 * theta * theta

    def variance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return xp.ones_like(mu)

    def dvariance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return xp.zeros_like(mu)

    def deviance(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return (y - mu) * (y - mu)

    def start(self, y: Array, weight: Array) -> Array:
        return y

    def saturated(self, y: tuple[Array, ...], dispersion: Array) -> Array:
        return saturated.gaussian(y[0], dispersion)


@final
@dataclass(frozen=True, slots=True)
class Bernoulli(Family):
    """One yes-or-no answer."""

    name = "bernoulli"
    support = Support(CLOSED_UNIT, integer=True)
    mean = UNIT
    canonical = Logit()
    dispersion_known = True
    textbook = Textbook("mu (1 - mu)", "log(1 + exp(theta))", ("probit", "cloglog", "log"), "yes or no, one per row")

    def theta(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return xp.log(mu / complement)

    def cumulant(self, xp: Namespace, theta: AnyArray) -> AnyArray:
        return xp.maximum(theta, 0.0) + xp.log1p(xp.exp(-xp.abs(theta)))

    def variance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return mu * complement

    def dvariance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return complement - mu

    def deviance(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return 2.0 * (bd0(xp, y, mu) + bd0(xp, 1.0 - y, complement))

    def residual(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return y * complement - (1.0 - y) * mu

    def start(self, y: Array, weight: Array) -> Array:
        return np.asarray((weight * y + 0.5) / (weight + 1.0))

    def saturated(self, y: tuple[Array, ...], dispersion: Array) -> Array:
        return saturated.bernoulli(y[0], dispersion)


@final
@dataclass(frozen=True, slots=True)
class Poisson(Family):
    """A count without an upper bound."""

    name = "poisson"
    support = Support(NON_NEGATIVE, integer=True)
    mean = POSITIVE
    canonical = Log()
    dispersion_known = True
    power = 1.0
    textbook = Textbook("mu", "exp(theta)", ("identity", "sqrt"), "counts, and rates with an exposure")

    def theta(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return xp.log(mu)

    def cumulant(self, xp: Namespace, theta: AnyArray) -> AnyArray:
        return xp.exp(theta)

    def variance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return mu

    def dvariance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return xp.ones_like(mu)

    def deviance(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return 2.0 * bd0(xp, y, mu)

    def start(self, y: Array, weight: Array) -> Array:
        return y + 0.1

    def saturated(self, y: tuple[Array, ...], dispersion: Array) -> Array:
        return saturated.poisson(y[0], dispersion)
