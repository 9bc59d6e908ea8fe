"""Every link that comes with the house, one stanza each: map, inverse and derivatives side by side.

May import: _base, family.link, family.special, family.normal.
Read next: `etamu.family.stated` for links a user states.
"""

from __future__ import annotations

import math
from typing import final

from etamu._base.errors import LinkError
from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Interval, Namespace
from etamu.family import normal, special
from etamu.family.link import Link, Mean

_POSITIVE = Interval(0.0, math.inf)
HIGHEST = 100.0
"""Powers beyond it leave no mean but 1 a number."""
_NEGATIVE = Interval(-math.inf, 0.0)
_UNIT = Interval(0.0, 1.0)


@final
@dataclass(frozen=True, slots=True)
class Identity(Link):
    """eta = mu."""

    name = "identity"
    text = "mu"
    exponent = 1.0

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        return Mean(eta, 1.0 - eta, xp.ones_like(eta), xp.zeros_like(eta))

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        return mu


@final
@dataclass(frozen=True, slots=True)
class Log(Link):
    """eta = log(mu): effects multiply the mean."""

    name = "log"
    text = "log(mu)"
    range = _POSITIVE
    exponent = 0.0
    concordance = 1.0

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        mu = special.exp(xp, eta)
        complement = xp.where(eta < 1.0, -xp.expm1(xp.minimum(eta, 1.0)), 1.0 - mu)
        return Mean(mu, complement, mu, mu)

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        return xp.log(mu)


@final
@dataclass(frozen=True, slots=True)
class Logit(Link):
    """eta = log(mu / (1 - mu)): effects multiply the odds."""

    name = "logit"
    text = "log(mu / (1 - mu))"
    range = _UNIT
    log_concave = True
    concordance = 1.0

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        decay = xp.exp(-xp.abs(eta))
        bulk = 1.0 / (1.0 + decay)
        tail = decay * bulk
        mu, complement = xp.where(eta < 0.0, tail, bulk), xp.where(eta < 0.0, bulk, tail)
        slope = tail * bulk
        return Mean(mu, complement, slope, -slope * xp.tanh(0.5 * eta))

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        return xp.log(mu / (1.0 - mu if complement is None else complement))


@final
@dataclass(frozen=True, slots=True)
class Probit(Link):
    """eta = the normal quantile of mu: effects shift a latent normal score."""

    name = "probit"
    text = "Phi^-1(mu)"
    range = _UNIT
    log_concave = True
    concordance = 1.0

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        at = normal.tails(xp, xp.abs(eta))
        mu, complement = xp.where(eta < 0.0, at.tail, at.bulk), xp.where(eta < 0.0, at.bulk, at.tail)
        return Mean(mu, complement, at.density, -eta * at.density)

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        return normal.quantile(xp, mu, 1.0 - mu if complement is None else complement)


@final
@dataclass(frozen=True, slots=True)
class Cloglog(Link):
    """eta = log(-log(1 - mu)): effects multiply a hazard."""

    name = "cloglog"
    text = "log(-log(1 - mu))"
    range = _UNIT
    log_concave = True
    concordance = 1.0

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        hazard = xp.exp(xp.minimum(eta, 7.0))  # beyond 7 the complement is 0 in any case
        complement = xp.exp(-hazard)
        slope = hazard * complement
        return Mean(-xp.expm1(-hazard), complement, slope, slope * (1.0 - hazard))

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        other, low = 1.0 - mu if complement is None else complement, mu < 0.5
        return xp.log(-xp.where(low, xp.log1p(-xp.where(low, mu, 0.0)), xp.log(xp.where(low, 1.0, other))))


@final
@dataclass(frozen=True, slots=True)
class Loglog(Link):
    """eta = -log(-log(mu)): the complementary log-log of the opposite event."""

    name = "loglog"
    text = "-log(-log(mu))"
    range = _UNIT
    log_concave = True
    concordance = 1.0

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        hazard = xp.exp(-xp.maximum(eta, -7.0))
        mu = xp.exp(-hazard)
        slope = hazard * mu
        return Mean(mu, -xp.expm1(-hazard), slope, slope * (hazard - 1.0))

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        other, low = 1.0 - mu if complement is None else complement, mu < 0.5
        return -xp.log(-xp.where(low, xp.log(xp.where(low, mu, 1.0)), xp.log1p(-xp.where(low, 0.0, other))))


@final
@dataclass(frozen=True, slots=True)
class Cauchit(Link):
    """eta = tan(pi (mu - 1/2)): heavy tails, forgiving of surprises."""

    name = "cauchit"
    text = "tan(pi (mu - 1/2))"
    range = _UNIT
    concordance = 1.0

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        tail, bulk = special.cauchy_tails(xp, xp.abs(eta))
        mu, complement = xp.where(eta < 0.0, tail, bulk), xp.where(eta < 0.0, bulk, tail)
        width = 1.0 + eta * eta
        slope = 1.0 / (math.pi * width)
        return Mean(mu, complement, slope, -2.0 * eta * (slope / width))

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        other = 1.0 - mu if complement is None else complement
        tail = xp.minimum(mu, other)
        distance = xp.where(tail > 0.0, 1.0 / xp.tan(math.pi * xp.where(tail > 0.0, tail, 0.5)), xp.inf)
        return xp.where(mu < other, -distance, distance)


@final
@dataclass(frozen=True, slots=True)
class Inverse(Link):
    """eta = 1 / mu, for eta > 0."""

    name = "inverse"
    text = "1 / mu"
    domain = _POSITIVE
    range = _POSITIVE
    exponent = -1.0

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        mu = 1.0 / eta
        return Mean(mu, (eta - 1.0) / eta, -mu * mu, 2.0 * mu * mu * mu)

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        return 1.0 / mu


@final
@dataclass(frozen=True, slots=True)
class InverseSquared(Link):
    """eta = 1 / mu^2, for eta > 0."""

    name = "inverse_squared"
    text = "1 / mu^2"
    domain = _POSITIVE
    range = _POSITIVE
    exponent = -2.0

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        root = xp.sqrt(eta)
        mu = 1.0 / root
        return Mean(mu, (eta - 1.0) / (eta + root), -0.5 * mu / eta, 0.75 * mu / (eta * eta))

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        return 1.0 / (mu * mu)


@final
@dataclass(frozen=True, slots=True)
class Sqrt(Link):
    """eta = sqrt(mu), for eta > 0."""

    name = "sqrt"
    text = "sqrt(mu)"
    domain = _POSITIVE
    range = _POSITIVE
    exponent = 0.5

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        return Mean(eta * eta, (1.0 - eta) * (1.0 + eta), 2.0 * eta, xp.ones_like(eta) * 2.0)

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        return xp.sqrt(mu)


@final
@dataclass(frozen=True, slots=True)
class Power(Link):
    """eta = mu^k, for eta > 0 and any k but 0 (whose place is taken by the logarithm).

    Examples
    --------
    >>> Power(1 / 3).text
    'mu^0.333333'
    """

    k: float
    domain = _POSITIVE
    range = _POSITIVE

    def __post_init__(self) -> None:
        if not abs(self.k) <= HIGHEST or self.k == 0.0:
            raise LinkError(
                f"Power(k={self.k}): k must be between -{HIGHEST:g} and {HIGHEST:g} and not 0; for 0 use the "
                "link 'log'"
            )

    @property
    def name(self) -> str:
        return f"power({float(self.k)!r})"

    @property
    def text(self) -> str:
        return f"mu^{self.k:g}"

    @property
    def exponent(self) -> float:
        return float(self.k)

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        a = 1.0 / self.k
        mu = eta**a
        slope = a * mu / eta
        return Mean(mu, -xp.expm1(a * xp.log(eta)), slope, (a - 1.0) * slope / eta)

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        return mu**self.k


@final
@dataclass(frozen=True, slots=True)
class CanonicalNegativeBinomial(Link):
    """eta = log(mu / (mu + theta)), for eta < 0: canonical for `NegativeBinomial(theta)`, seldom used."""

    theta: float
    text = "log(mu / (mu + theta))"
    domain = _NEGATIVE
    range = _POSITIVE

    @property
    def name(self) -> str:
        return f"nbinom({float(self.theta)!r})"

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        mu = self.theta * (xp.exp(eta) / -xp.expm1(eta))
        slope = mu * (1.0 + mu / self.theta)
        return Mean(mu, 1.0 - mu, slope, slope * (1.0 + 2.0 * mu / self.theta))

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        return -xp.log1p(self.theta / mu)


def power_link(k: float) -> Link:
    """Return the link mu^k by its usual name where it has one; k = 0 is the logarithm.

    Examples
    --------
    >>> power_link(-2.0), power_link(1.5)
    (InverseSquared(), Power(k=1.5))
    """
    named: tuple[Link, ...] = (Identity(), Log(), Inverse(), InverseSquared(), Sqrt())
    return next((link for link in named if link.exponent == k), None) or Power(k)
