"""The families with formulas of their own, one stanza each, to be checked against the textbook by eye.

May import: _base, family.family, family.links, family.special, family.saturated.
Read next: `etamu.family.borrowed` for the families that reuse these formulas, then `etamu.family.unit`.
"""

from __future__ import annotations

import math
from typing import final

from etamu._base.errors import FamilyError
from etamu._base.facts import dataclass
from etamu._base.types import LINE, AnyArray, Array, Interval, Namespace
from etamu.family import saturated
from etamu.family.family import Family, Support, Textbook, Unknown, is_number
from etamu.family.link import Link
from etamu.family.links import (
    CanonicalNegativeBinomial,
    Identity,
    Inverse,
    InverseSquared,
    Log,
    Logit,
    power_link,
)
from etamu.family.special import bd0, log_complement, positive, power_half_deviance, relative_entropy

POSITIVE = Interval(0.0, math.inf)
SMALLEST_THETA = 1e-100
"""Below it mu^2 / theta is beyond float64 for counts that are not."""
NON_NEGATIVE = Interval(0.0, math.inf, closed_lower=True)
UNIT = Interval(0.0, 1.0)
CLOSED_UNIT = Interval(0.0, 1.0, closed_lower=True, closed_upper=True)


@final
@dataclass(frozen=True, slots=True)
class Gaussian(Family):
    """A measurement whose variance is constant."""

    name = "gaussian"
    support = Support(LINE)
    mean = LINE
    canonical = Identity()
    variance_power = 0.0
    textbook = Textbook("1", "theta^2 / 2", ("log", "inverse"), "measurements with errors of constant size")

    def natural(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
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
    textbook = Textbook("mu (1 - mu)", "log(1 + exp(theta))", ("probit", "cloglog", "log"), "yes or no")

    def natural(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
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
        return (weight * y + 0.5) / (weight + 1.0)

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
    variance_power = 1.0
    textbook = Textbook("mu", "exp(theta)", ("identity", "sqrt"), "counts, and rates with an exposure")

    def natural(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
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


@final
@dataclass(frozen=True, slots=True)
class Gamma(Family):
    """A positive amount with a constant coefficient of variation."""

    name = "gamma"
    support = Support(POSITIVE)
    mean = POSITIVE
    canonical = Inverse()
    variance_power = 2.0
    textbook = Textbook("mu^2", "-log(-theta)", ("log", "identity"), "amounts, error in proportion")

    def natural(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return -1.0 / mu

    def cumulant(self, xp: Namespace, theta: AnyArray) -> AnyArray:
        return -xp.log(-theta)

    def variance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return mu * mu

    def dvariance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return 2.0 * mu

    def deviance(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return 2.0 * relative_entropy(xp, y / mu, (y - mu) / mu)

    def start(self, y: Array, weight: Array) -> Array:
        return y

    def saturated(self, y: tuple[Array, ...], dispersion: Array) -> Array:
        return saturated.gamma(y[0], dispersion)


@final
@dataclass(frozen=True, slots=True)
class InverseGaussian(Family):
    """A positive amount with a long right tail: the first passage of a drifting walk."""

    name = "inverse_gaussian"
    support = Support(POSITIVE)
    mean = POSITIVE
    canonical = InverseSquared()
    variance_power = 3.0
    textbook = Textbook("mu^3", "-sqrt(-2 theta)", ("log", "inverse"), "amounts with a long tail")

    def natural(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return -0.5 / (mu * mu)

    def cumulant(self, xp: Namespace, theta: AnyArray) -> AnyArray:
        return -xp.sqrt(-2.0 * theta)

    def variance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return mu * mu * mu

    def dvariance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return 3.0 * mu * mu

    def deviance(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return ((y - mu) / mu) ** 2 / y

    def start(self, y: Array, weight: Array) -> Array:
        return y

    def saturated(self, y: tuple[Array, ...], dispersion: Array) -> Array:
        return saturated.inverse_gaussian(y[0], dispersion)


@final
@dataclass(frozen=True, slots=True)
class NegativeBinomial(Family):
    """A count that varies more than Poisson: V = mu + mu^2 / theta (R's theta, 1 / alpha elsewhere).

    Left out, theta is estimated by maximum likelihood with the coefficients.
    """

    theta: float = Unknown()
    name = "negative_binomial"
    support = Support(NON_NEGATIVE, integer=True)
    mean = POSITIVE
    default_link = Log()
    dispersion_known = True
    textbook = Textbook(
        "mu + mu^2/k",
        "-k log(1 - exp(theta))",
        ("identity", "sqrt"),
        "counts that spread, k given or estimated",
    )

    def __post_init__(self) -> None:
        if not self.unknown and not (is_number(self.theta) and self.theta >= SMALLEST_THETA):
            raise FamilyError(
                f"NegativeBinomial(theta={self.theta!r}): theta must be a positive number, "
                f"{SMALLEST_THETA:g} or more"
            )

    @property
    def canonical(self) -> Link:
        return CanonicalNegativeBinomial(self.theta)

    def natural(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return -xp.log1p(self.theta / mu)

    def cumulant(self, xp: Namespace, theta: AnyArray) -> AnyArray:
        return -self.theta * log_complement(xp, theta)

    def variance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return mu * (1.0 + mu / self.theta)

    def dvariance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return 1.0 + 2.0 * mu / self.theta

    def deviance(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        total, some = mu + self.theta, y > 0.0
        count = xp.where(some, y, 1.0)
        failures = relative_entropy(xp, (y + self.theta) / total, (y - mu) / total)
        excess = (self.theta / total) * ((mu - count) / count)
        events = count * relative_entropy(xp, (mu / total) * ((count + self.theta) / count), excess)
        return 2.0 * (xp.where(some, events, self.theta * (mu / total)) + self.theta * failures)

    def start(self, y: Array, weight: Array) -> Array:
        return positive(y, 1.0 / 6.0)

    def saturated(self, y: tuple[Array, ...], dispersion: Array) -> Array:
        return saturated.negative_binomial(y[0], dispersion, self.theta)


@final
@dataclass(frozen=True, slots=True)
class PowerVariance(Family):
    """V = mu^p for any p but 0, 1 and 2: the formulas behind `Tweedie` and `Quasi`, not a family to fit."""

    p: float
    name = "power_variance"
    mean = POSITIVE
    likelihood_dispersion = "ml"
    textbook = Textbook("mu^p", "((1 - p) theta)^((2 - p) / (1 - p)) / (2 - p)", ("log",), "see tweedie")

    @property
    def support(self) -> Support:
        return Support(NON_NEGATIVE if self.p < 2.0 else POSITIVE)

    @property
    def canonical(self) -> Link:
        return power_link(1.0 - self.p)

    @property
    def variance_power(self) -> float:
        return self.p

    def natural(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return mu ** (1.0 - self.p) / (1.0 - self.p)

    def cumulant(self, xp: Namespace, theta: AnyArray) -> AnyArray:
        return ((1.0 - self.p) * theta) ** ((2.0 - self.p) / (1.0 - self.p)) / (2.0 - self.p)

    def variance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return mu**self.p

    def dvariance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        return self.p * mu ** (self.p - 1.0)

    def deviance(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        some = y > 0.0
        amount = xp.where(some, y, mu)
        ratio = mu / amount
        near = xp.abs(ratio - 1.0) < 0.5
        u = xp.where(near, xp.log1p(xp.where(near, (mu - amount) / amount, 0.0)), xp.log(ratio))
        nothing = mu ** (2.0 - self.p) / (2.0 - self.p) if self.p < 2.0 else xp.ones_like(mu) * xp.inf
        return 2.0 * xp.where(some, power_half_deviance(xp, self.p, amount, u), nothing)

    def start(self, y: Array, weight: Array) -> Array:
        return positive(y, 0.1)

    def saturated(self, y: tuple[Array, ...], dispersion: Array) -> Array:
        return saturated.tweedie(y[0], dispersion, self.p)
