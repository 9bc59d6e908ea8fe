"""A family derived from one formula, its cumulant or its variance function, and its canonical link.

May import: _base, family.computed, family.contour, family.implied, family.facts, family.family, family.link.
Read next: `etamu.family.derive`, the door that makes and verifies one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import final

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Interval, Namespace
from etamu.family.computed import (
    exponent,
    half_deviance,
    half_deviance_in_theta,
    highest,
    in_theta,
    mean_at,
    of_mean,
    reach,
    theta_at,
)
from etamu.family.contour import Inversion
from etamu.family.facts import Facts, facts
from etamu.family.family import Family, Support, Textbook
from etamu.family.implied import candidate, implied, saturated
from etamu.family.link import Link, Mean
from etamu.family.special import positive
from etamu.family.statement import Statement

Kernel = Callable[[AnyArray, AnyArray], tuple[AnyArray, AnyArray, AnyArray]]
"""(y, eta) -> (value, score, information)."""


@final
@dataclass(frozen=True, slots=True)
class CanonicalDerived(Link):
    """The link that is theta itself: mu = b'(eta)."""

    statement: Statement

    @property
    def name(self) -> str:
        """Return the word by which it is printed."""
        return "canonical"

    @property
    def text(self) -> str:
        """Return theta as a function of the mean, or how it is found."""
        return facts(self.statement).texts.natural or "(b')^-1(mu)"

    @property
    def domain(self) -> Interval:
        """Return the interval of theta."""
        return facts(self.statement).natural

    @property
    def range(self) -> Interval:
        """Return the interval of means."""
        return facts(self.statement).mean

    @property
    def concordance(self) -> float:
        """Return the largest |b''' / b''| of a few theta; 0 for a bounded domain."""
        if not self.domain.whole:
            return 0.0
        with np.errstate(all="ignore"):
            mean = self.inverse(np, np.linspace(-8.0, 8.0, 161))
            ratio = np.abs(mean.d2 / mean.d1)
        return float(np.max(ratio, where=np.isfinite(ratio), initial=0.0))

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        """Return b', 1 - b', b'' and b''' at eta."""
        found = facts(self.statement)
        _, first, second, third, other = found.cumulant
        if first is not None and second is not None and third is not None:
            mu = first(xp, eta)
            return Mean(mu, 1.0 - mu if other is None else other(xp, eta), second(xp, eta), third(xp, eta))
        mu, complement = mean_at(xp, found, eta)
        variance = of_mean(found.variance, xp, mu, complement)
        return Mean(mu, complement, variance, variance * of_mean(found.dvariance, xp, mu, complement))

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        """Return theta of a mean, inside its interval though it rounds to an end."""
        theta = theta_at(xp, facts(self.statement), mu, 1.0 - mu if complement is None else complement)
        lower, upper = self.domain.lower, self.domain.upper
        if math.isfinite(lower):
            theta = xp.where(theta <= lower, _inside(lower, 1.0), theta)
        return xp.where(theta >= upper, _inside(upper, -1.0), theta) if math.isfinite(upper) else theta


def _inside(end: float, inward: float) -> float:
    """Return the number next to an end, a normal one."""
    return math.nextafter(end, inward * math.inf) if end else inward * 2.0**-1000


@final
@dataclass(frozen=True, slots=True)
class Derived(Family):
    """A family that follows from its cumulant or its variance function; made by `derive`.

    Where it is a family of the catalogue under another description, it has that family's law, dispersion and
    formulas: a variance function together with its interval of means determines the exponential family.
    """

    statement: Statement
    link: Link | None = None
    quasi: bool = False

    @property
    def found(self) -> Facts:
        """Return what the statement implies."""
        return facts(self.statement)

    @property
    def named(self) -> Family:
        """Return the family of the catalogue that this is; itself if none, or a quasi family is meant."""
        found = facts(self.statement).named
        return self if found is None or self.quasi else found

    def kernel_with(self, link: Link) -> Callable[[Namespace, str], Kernel] | None:
        """Return the kernel with the canonical link, unless the catalogue knows the family."""
        if self.named is not self or link != CanonicalDerived(self.statement):
            return None
        return lambda xp, _information: canonical_kernel(self, xp)

    @property
    def implied(self) -> Inversion | None:
        """Return how the law is inverted from V; None where it is one of the catalogue, or none is known."""
        return None if self.quasi or self.named is not self else implied(self.statement).inversion

    @property
    def counts(self) -> bool:
        """Tell whether the law is one of counts; a law of amounts is not looked for to tell that."""
        likely = None if self.quasi or self.named is not self else candidate(self.statement)
        return likely is not None and likely.integer and self.implied is not None

    @property
    def lawless(self) -> str:
        """Return why there is no density; empty where there is one."""
        if self.has_density:
            return ""
        return "quasi=True was asked for" if self.quasi else implied(self.statement).reason

    @property
    def kin(self) -> Family:
        """Return the family of the catalogue whose formulas serve, itself if none."""
        return self.named

    @property
    def name(self) -> str:
        """Return the word by which it is printed."""
        return "derived"

    @property
    def mean(self) -> Interval:
        """Return the interval of means."""
        return self.found.mean

    @property
    def support(self) -> Support:
        """Return the means, with the ends at which the deviance is finite; a known law's own support.

        Where V grows or falls so steeply that it leaves the floats, responses end where digits do.
        """
        if self.named is not self:
            return self.named.support
        if self.counts:
            return Support(Interval(0.0, math.inf, closed_lower=True), integer=True)
        within, mean = reach(self.found), self.mean
        closed = (value is not None for value in self.found.closed)
        ends = zip((within.lower, within.upper), (mean.lower, mean.upper), closed, strict=True)
        return Support(
            Interval(within.lower, within.upper, *(own and end == last for end, last, own in ends))
        )

    @property
    def canonical(self) -> Link:
        """Return the link that is theta, by its usual name where it has one."""
        known = self.found.named
        return CanonicalDerived(self.statement) if known is None else known.canonical

    @property
    def default_link(self) -> Link:
        """Return the link stated with the family, else the canonical one."""
        return self.canonical if self.link is None else self.link

    @property
    def textbook(self) -> Textbook:
        """Return the row of the textbook's table."""
        texts = self.found.texts
        return Textbook(texts.variance or "by b'' and roots", texts.cumulant or "by roots", (), "derived")

    @property
    def settings(self) -> dict[str, object]:
        """Return the statement."""
        return {self.statement.kind: f"{self.statement.kind}={self.statement.text}"}

    @property
    def formulas(self) -> dict[str, str]:
        """Return the formulas that close, for `derivation`; none where the catalogue has them."""
        if self.statement.kind == "variance" and self.named is not self:
            return {}
        texts = self.found.texts
        own = {
            "b": texts.cumulant,
            "mean": texts.mean,
            "natural": texts.natural,
            "variance": texts.variance,
            "second": texts.second,
            "deviance": texts.deviance,
        }
        return {name: text for name, text in own.items() if text}

    @property
    def dispersion_known(self) -> bool:
        """Tell whether the family is one whose phi is 1: a known one, or one of counts."""
        if self.named is self:
            return self.counts
        return self.named.dispersion_known

    @property
    def has_density(self) -> bool:
        """Tell whether the law is one that is known, or was found and verified."""
        return self.implied is not None if self.named is self else self.named.has_density

    @property
    def likelihood_dispersion(self) -> str:
        """Tell which phi the log-likelihood holds."""
        return "deviance" if self.named is self else self.named.likelihood_dispersion

    @property
    def variance_power(self) -> float | None:
        """Return p where this is the known family with V = mu^p."""
        return None if self.named is self else self.named.variance_power

    @property
    def convexity_stated(self) -> bool:
        """Tell whether the rules for links of the catalogue's families hold: only where it is one of them."""
        return self.named is not self

    def natural(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return theta of a mean."""
        return theta_at(xp, self.found, mu, complement)

    def cumulant(self, xp: Namespace, theta: AnyArray) -> AnyArray:
        """Return b(theta)."""
        stated = self.found.cumulant[0]
        if stated is not None:
            return stated(xp, theta)
        return of_mean(self.found.cumulant_of_mean, xp, *mean_at(xp, self.found, theta))

    def variance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return V(mu); where it does not close, b'' at theta of mu."""
        if self.named is not self:
            return self.named.variance(xp, mu, complement)
        found = self.found
        if found.variance is not None:
            return found.variance(xp, mu, complement)
        return in_theta(found, 2)(xp, theta_at(xp, found, mu, complement))

    def dvariance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return V'(mu) = b''' / b''."""
        if self.named is not self:
            return self.named.dvariance(xp, mu, complement)
        found = self.found
        if found.dvariance is not None:
            return found.dvariance(xp, mu, complement)
        theta = theta_at(xp, found, mu, complement)
        return in_theta(found, 3)(xp, theta) / in_theta(found, 2)(xp, theta)

    def deviance(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return the unit deviance, by the rule that keeps its digits at each pair of y and mu."""
        if self.named is not self:
            return self.named.deviance(xp, y, mu, complement)
        found = self.found
        if found.variance is None:
            theta = theta_at(xp, found, mu, complement)
            return 2.0 * half_deviance_in_theta(xp, found, y, mu, theta)
        return 2.0 * half_deviance(xp, found, y, mu, complement)

    @property
    def exponent_stated(self) -> bool:
        """Tell whether theta and b are formulas of the mean, which cost less than the deviance."""
        found = self.found
        closes = found.theta is not None and found.cumulant_of_mean is not None
        return self.named is self and closes and found.variance is not None and found.integrals is None

    def exponent(
        self,
        xp: Namespace,
        y: AnyArray,
        mu: AnyArray,
        complement: AnyArray,
        theta: AnyArray | None = None,
    ) -> AnyArray:
        """Return y theta - b(theta) at a mean."""
        return exponent(xp, self.found, y, mu, complement, theta)

    def highest(self, xp: Namespace, y: AnyArray) -> AnyArray:
        """Return the maximum over theta of y theta - b(theta)."""
        return highest(xp, self.found, y)

    def residual(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return y - mu, from the complement where means are proportions."""
        if self.named is not self:
            return self.named.residual(xp, y, mu, complement)
        return y * complement - (1.0 - y) * mu if self.mean.upper == 1.0 else y - mu

    def start(self, y: Array, weight: Array) -> Array:
        """Return a first guess: the response, moved inside where it is on an end."""
        if self.named is not self:
            return self.named.start(y, weight)
        if self.mean.upper == 1.0:
            return (weight * y + 0.5) / (weight + 1.0)
        if self.mean.lower == 0.0:
            return positive(y, 0.1)
        return -positive(-y, 0.1) if self.mean.upper == 0.0 else y

    def saturated(self, y: tuple[Array, ...], dispersion: Array) -> Array:
        """Return the log density at mu = y of the known or implied law; NaN without one."""
        if self.named is not self:
            return self.named.saturated(y, dispersion)
        if self.implied is None:
            return np.full(np.shape(y[0]), math.nan)
        return saturated(self.implied, y[0], dispersion)

    def __str__(self) -> str:
        return f"derived({self.statement.kind}={self.statement.text})"

    def __repr__(self) -> str:
        more = "" if self.statement.interval is None else f", interval={self.statement.interval}"
        more += "" if self.link is None else f", link={self.link!r}"
        return f"derive({self.statement.kind}={self.statement.text!r}{more}{', quasi=True' * self.quasi})"


def canonical_kernel(family: Derived, xp: Namespace) -> Kernel:
    """Return the kernel with the canonical link: score y - b'(eta), information b''(eta)."""
    found, link = family.found, CanonicalDerived(family.statement)

    def kernel(y: AnyArray, eta: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
        mu, complement, d1, _ = link.inverse(xp, eta)
        if found.variance is None:
            half = half_deviance_in_theta(xp, found, y, mu, eta)
        else:
            half = half_deviance(xp, found, y, mu, complement, eta)
        return -half, family.residual(xp, y, mu, complement), d1

    return kernel
