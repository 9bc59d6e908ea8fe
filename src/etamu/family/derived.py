"""A family derived from one formula, its cumulant or its variance function, and its canonical link.

May import: _base, family.facts, family.family, family.link, family.numeric.
Read next: `etamu.family.derive`, the door that makes and verifies one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import final

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Interval, Namespace
from etamu.family.facts import Facts, Statement, facts
from etamu.family.family import Family, Support, Textbook
from etamu.family.formula import Formula
from etamu.family.inverse import Inverse, Problem, tabled
from etamu.family.link import Link, Mean
from etamu.family.numeric import FINE, RULE, Line, Pair, integral, integral_in_panels, inverted
from etamu.family.panels import Panels, paneled, readable

Kernel = Callable[[AnyArray, AnyArray], tuple[AnyArray, AnyArray, AnyArray]]
"""(y, eta) -> (value, score, information)."""

_REMEMBERED = 64
_NEAR = 0.25
"""Quadrature serves where y and mu are closer than this share of their distance to a zero of V."""


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
        variance = _of_mean(found.variance, xp, mu, complement)
        return Mean(mu, complement, variance, variance * _of_mean(found.dvariance, xp, mu, complement))

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        """Return theta of a mean."""
        return theta_at(xp, facts(self.statement), mu, 1.0 - mu if complement is None else complement)


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
        """Return the means, with the ends at which the deviance is finite; a known law's own support."""
        if self.named is not self:
            return self.named.support
        closed = tuple(each is not None for each in self.found.closed)
        return Support(Interval(self.mean.lower, self.mean.upper, *closed))

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
        """Tell whether the family is one whose phi is 1."""
        return self.named is not self and self.named.dispersion_known

    @property
    def has_density(self) -> bool:
        """Tell whether the law is one that is known."""
        return self.named is not self and self.named.has_density

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
        return _of_mean(self.found.cumulant_of_mean, xp, *mean_at(xp, self.found, theta))

    def variance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return V(mu); where it does not close, b'' at theta of mu."""
        if self.named is not self:
            return self.named.variance(xp, mu, complement)
        found = self.found
        if found.variance is not None:
            return found.variance(xp, mu, complement)
        return _in_theta(found, 2)(xp, theta_at(xp, found, mu, complement))

    def dvariance(self, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return V'(mu) = b''' / b''."""
        if self.named is not self:
            return self.named.dvariance(xp, mu, complement)
        found = self.found
        if found.dvariance is not None:
            return found.dvariance(xp, mu, complement)
        theta = theta_at(xp, found, mu, complement)
        return _in_theta(found, 3)(xp, theta) / _in_theta(found, 2)(xp, theta)

    def deviance(self, xp: Namespace, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
        """Return the unit deviance, by the rule that keeps its digits at each pair of y and mu."""
        if self.named is not self:
            return self.named.deviance(xp, y, mu, complement)
        found = self.found
        if found.variance is None:
            theta = theta_at(xp, found, mu, complement)
            return 2.0 * half_deviance_in_theta(xp, found, y, mu, theta)
        return 2.0 * half_deviance(xp, found, y, mu, complement)

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
            return np.asarray((weight * y + 0.5) / (weight + 1.0))
        if self.mean.lower == 0.0:
            return np.where(y > 0.0, y, 0.1)
        return np.where(y < 0.0, y, -0.1) if self.mean.upper == 0.0 else y

    def saturated(self, y: tuple[Array, ...], dispersion: Array) -> Array:
        """Return the log density at mu = y of the known law; NaN without one."""
        if self.named is self:
            return np.full(np.shape(y[0]), math.nan)
        return self.named.saturated(y, dispersion)

    def __str__(self) -> str:
        return f"derived({self.statement.kind}={self.statement.text})"

    def __repr__(self) -> str:
        more = "" if self.statement.interval is None else f", interval={self.statement.interval}"
        more += "" if self.link is None else f", link={self.link!r}"
        return f"derive({self.statement.kind}={self.statement.text!r}{more}{', quasi=True' * self.quasi})"


# --- theta and mu ---


def _of_mean(formula: Formula | None, xp: Namespace, mu: AnyArray, complement: AnyArray) -> AnyArray:
    assert formula is not None
    return formula(xp, mu, complement)


def _in_theta(found: Facts, order: int) -> Formula:
    formula = found.cumulant[order]
    assert formula is not None
    return formula


def theta_at(
    xp: Namespace, found: Facts, mu: AnyArray, complement: AnyArray, *, fine: bool = False
) -> AnyArray:
    """Return theta of a mean: its formula, its tail by quadrature, or the root of b'.

    For the last digits the tail begins where less of the formula has cancelled, and takes twice the points.
    """
    if found.theta is None and found.variance is None:
        first, second = _in_theta(found, 1), _in_theta(found, 2)
        return inverted(
            xp,
            lambda theta, _: first(xp, theta),
            lambda theta, _: second(xp, theta),
            mu,
            (found.natural, found.mean),
        )[0]
    if found.theta is None:
        return _theta_by_panels(xp, found, mu, complement)
    if found.tail is None:
        return found.theta(xp, mu, complement)
    if readable(xp) and not fine and (table := _theta_table(found)) is not None:
        return table(xp, mu)
    start, rate = (0.5 * found.tail[0] if fine else found.tail[0]), found.tail[1]
    far = mu > start
    inner = xp.where(far, start, mu)
    s = 1.0 / xp.where(far, mu, start)
    tail = -s * integral(lambda share: rate(xp, share * s), FINE if fine else RULE)
    return xp.where(far, tail, found.theta(xp, inner, 1.0 - inner))


def _theta_by_panels(xp: Namespace, found: Facts, mu: AnyArray, complement: AnyArray) -> AnyArray:
    """Integrate 1/V from a middle mean, on the stretched scale of the means."""
    line = Line(found.mean)
    w = line.place(xp, mu, complement)
    origin = 0.0

    def rate(share: float) -> AnyArray:
        place = line.at(xp, origin + share * (w - origin))
        return place.slope / _of_mean(found.variance, xp, place.x, place.complement)

    return (w - origin) * integral_in_panels(rate)


@functools.lru_cache(maxsize=_REMEMBERED)
def _theta_table(found: Facts) -> Panels | None:
    """Return theta as a table of the mean, which is positive wherever theta has a tail."""
    return paneled(lambda mu: np.asarray(theta_at(np, found, mu, 1.0 - mu, fine=True)))


def _cumulant_at_mean(xp: Namespace, found: Facts, mu: AnyArray, complement: AnyArray) -> AnyArray:
    if readable(xp) and found.tail is not None and (table := _cumulant_table(found)) is not None:
        return table(xp, mu)
    return _of_mean(found.cumulant_of_mean, xp, mu, complement)


@functools.lru_cache(maxsize=_REMEMBERED)
def _cumulant_table(found: Facts) -> Panels | None:
    return paneled(lambda mu: np.asarray(_of_mean(found.cumulant_of_mean, np, mu, 1.0 - mu)))


def mean_at(xp: Namespace, found: Facts, theta: AnyArray) -> Pair:
    """Return mu and 1 - mu of theta: b', or the root of theta(mu)."""
    first, other = found.cumulant[1], found.cumulant[4]
    if first is not None:
        mu = first(xp, theta)
        return mu, 1.0 - mu if other is None else other(xp, theta)
    table = _mean_table(found) if readable(xp) else None
    return _mean_searched(xp, found, theta) if table is None else table(xp, theta)


def _mean_searched(xp: Namespace, found: Facts, theta: AnyArray) -> Pair:
    return inverted(
        xp,
        lambda mu, complement: theta_at(xp, found, mu, complement),
        lambda mu, complement: 1.0 / _of_mean(found.variance, xp, mu, complement),
        theta,
        (found.mean, found.natural),
    )


@functools.lru_cache(maxsize=_REMEMBERED)
def _mean_table(found: Facts) -> Inverse | None:
    """Return the mean as a table of theta; None where the search for roots has to serve."""
    if found.theta is None:
        return None
    return tabled(
        Problem(
            lambda mu, complement: np.asarray(theta_at(np, found, mu, complement, fine=True)),
            lambda mu, complement: np.asarray(1.0 / _of_mean(found.variance, np, mu, complement)),
            found.mean,
            found.natural,
            lambda theta: _mean_searched(np, found, theta),
        )
    )


# --- the unit deviance ---


def half_deviance(
    xp: Namespace,
    found: Facts,
    y: AnyArray,
    mu: AnyArray,
    complement: AnyArray,
    theta: AnyArray | None = None,
) -> AnyArray:
    """Return the integral from mu to y of (y - t) / V(t) dt.

    Near mu it is (y - mu)^2 times a smooth integral that nothing is subtracted in; apart, theta and b.
    `theta` is that of mu, where it is known.
    """
    proportion = found.mean.upper == 1.0
    gap = y * complement - (1.0 - y) * mu if proportion else y - mu
    other_gap = -gap
    near = _near(xp, found, y, mu, complement, gap)

    def bend(share: float) -> AnyArray:
        t, rest = mu + share * gap, complement + share * other_gap
        variance = _of_mean(found.variance, xp, t, rest)
        return (1.0 - share) * (gap / xp.where(variance > 0.0, variance, 1.0))

    close = gap * integral(bend)
    if found.theta is None:
        apart = _in_panels(xp, found, y, mu, complement)
    else:
        apart = _apart(xp, found, y, mu, complement, theta)
    return xp.where(near, close, xp.maximum(apart, 0.0))


def _near(
    xp: Namespace, found: Facts, y: AnyArray, mu: AnyArray, complement: AnyArray, gap: AnyArray
) -> AnyArray:
    """Tell whether y and mu are close compared with their distance to every zero of V."""
    ends = [(found.mean.lower, found.simple_ends[0]), (found.mean.upper, found.simple_ends[1])]
    points: list[complex] = [complex(end) for end, _ in ends if math.isfinite(end)]
    points += [point for point in found.points or () if point not in points]
    share = _NEAR if found.points is not None else _NEAR / 4.0
    squared = gap * gap
    near = squared >= 0.0
    if found.mean.whole and found.points is None:
        near = squared <= share * share * (1.0 + xp.minimum(y * y, mu * mu))
    for point in dict.fromkeys(points):
        from_mu = complement if point == 1.0 else mu - point.real
        from_y = y - point.real
        distance = xp.minimum(from_mu * from_mu, from_y * from_y) + point.imag * point.imag
        within = squared <= share * share * distance
        if any(end == point and gentle for end, gentle in ends):  # the zero is cancelled by y - t
            within = within | (y == point.real)
        near = near & within
    return near


def _apart(
    xp: Namespace,
    found: Facts,
    y: AnyArray,
    mu: AnyArray,
    complement: AnyArray,
    theta: AnyArray | None,
) -> AnyArray:
    """Return y (theta(y) - theta(mu)) - b(theta(y)) + b(theta(mu)), its limit where y is on an end."""
    closed, ends = found.closed, (found.mean.lower, found.mean.upper)
    inner = y
    for value, end in zip(closed, ends, strict=True):
        if value is not None:
            inner = xp.where(y == end, 0.5 if found.mean.upper == 1.0 else 1.0, inner)
    at_mu = theta_at(xp, found, mu, complement) if theta is None else theta
    other = _cumulant_at_mean(xp, found, mu, complement)
    own = _cumulant_at_mean(xp, found, inner, 1.0 - inner)
    apart = inner * (theta_at(xp, found, inner, 1.0 - inner) - at_mu) - own + other
    for value, end in zip(closed, ends, strict=True):
        if value is not None:
            apart = xp.where(y == end, (value - end * at_mu if end else value) + other, apart)
    return xp.where(apart == apart, apart, xp.inf)  # noqa: PLR0124  (infinite minus infinite: mu is on an end)


def _in_panels(xp: Namespace, found: Facts, y: AnyArray, mu: AnyArray, complement: AnyArray) -> AnyArray:
    """Integrate (y - t) / V(t) on the stretched scale of the means."""
    line = Line(found.mean)
    start, end = line.place(xp, mu, complement), line.place(xp, y, 1.0 - y)

    def rate(share: float) -> AnyArray:
        place = line.at(xp, start + share * (end - start))
        return (y - place.x) * place.slope / _of_mean(found.variance, xp, place.x, place.complement)

    return (end - start) * integral_in_panels(rate)


def half_deviance_in_theta(
    xp: Namespace, found: Facts, y: AnyArray, mu: AnyArray, theta: AnyArray
) -> AnyArray:
    """Return b(theta) - b(theta(y)) - y (theta - theta(y)), by quadrature of b'' where they are near."""
    inner = y
    closed, ends = found.closed, (found.mean.lower, found.mean.upper)
    for value, end in zip(closed, ends, strict=True):
        if value is not None:
            inner = xp.where(y == end, 0.5 if found.mean.upper == 1.0 else 1.0, inner)
    b, second = _in_theta(found, 0), _in_theta(found, 2)
    own = theta_at(xp, found, inner, 1.0 - inner)
    step = theta - own
    room = 1.0 + 0.0 * step
    for end in (found.natural.lower, found.natural.upper):
        if math.isfinite(end):
            room = xp.minimum(room, xp.minimum(xp.abs(theta - end), xp.abs(own - end)))
    near = xp.abs(step) <= _NEAR * room
    short = xp.where(near, step, 0.0)
    # theta(y) has the rounding of a root: the step is taken from y - mu, which has none
    short = xp.where(near, (mu - y) / integral(lambda share: second(xp, theta - share * short)), 0.0)
    close = short * short * integral(lambda share: share * second(xp, theta - share * short))
    apart = b(xp, theta) - b(xp, own) - inner * step
    half = xp.where(near, close, xp.maximum(apart, 0.0))
    for value, end in zip(closed, ends, strict=True):
        if value is not None:
            half = xp.where(y == end, (value - end * theta if end else value) + b(xp, theta), half)
    return half


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
