"""A unit: a family paired with a link, everything about one observation as a function of eta.

May import: _base, family.family, family.link, family.pairs.
Read next: `etamu.family.pairs` for the pairs whose tails need their own statement.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import final

import numpy as np

from etamu._base.errors import FamilyError, LinkError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Interval, Namespace
from etamu.family.family import Family
from etamu.family.link import Link, Mean
from etamu.family.pairs import Kernel, stated_in_eta

Rows = tuple[AnyArray, ...]
Bound = Callable[[Rows, AnyArray], tuple[AnyArray, AnyArray, AnyArray]]
"""(response columns, eta) -> (value, score, information)."""


@final
@dataclass(frozen=True)
class Unit:
    """A family and a link that fit together; refuses pairs that do not.

    The value is minus half the unit deviance, the score and the information are its derivatives in eta.

    Raises
    ------
    LinkError
        If no open interval of eta gives means the family can have.
    FamilyError
        If a parameter of the family is still to be estimated.

    Examples
    --------
    >>> import numpy as np
    >>> from etamu.family.families import Poisson
    >>> from etamu.family.links import Log
    >>> unit = Unit(Poisson(), Log())
    >>> value, score, information = unit.bind(np)((np.array([3.0]),), np.array([0.0]))
    >>> float(score[0]), float(information[0])
    (2.0, 1.0)
    """

    family: Family
    link: Link

    def __post_init__(self) -> None:
        if self.family.unknown:
            raise FamilyError(
                f"{self.family.unknown} of family {self.family.name!r} is to be estimated, which em.glm and "
                f"em.GLM do; here give it: {type(self.family).__name__}({self.family.unknown}=...)"
            )
        _refuse_inadmissible(self.family, self.link)

    @cached_property
    def domain(self) -> Interval:
        """Return the interval of eta where the link is defined and the mean is one the family can have."""
        return _domain(self.family, self.link)

    @property
    def restricted(self) -> bool:
        """Tell whether some eta are outside the domain."""
        return not self.domain.whole

    @cached_property
    def canonical(self) -> bool:
        """Tell whether the link is theta up to an affine map: observed and expected information are equal."""
        return _same(self.link, self.family.canonical)

    @property
    def steady(self) -> bool:
        """Tell whether the expected information is the same at every eta, as where a link stabilises V.

        With V = mu^p and eta = mu^q it is proportional to mu^(2 - 2 q - p): of gamma with a log link it is 1.
        """
        power, exponent = self.family.variance_power, self.link.exponent
        return power is not None and exponent is not None and power == 2.0 - 2.0 * exponent

    @property
    def convex(self) -> bool:
        """Tell whether minus the value is convex in eta for every y."""
        return _convex(self)

    @property
    def concordance(self) -> float:
        """Return c with |l'''| <= c |l''|, or 0 where the rule is not applied.

        1 is exact for a logit or log link; for the other links of a proportion it is a scale, not a bound.
        """
        return 0.0 if self.restricted else self.link.concordance

    @property
    def alone(self) -> Unit:
        """Return the unit for rows of one trial each, which reads one response column less."""
        return self if self.family.single is None else Unit(self.family.single, self.link)

    def mean(self, xp: Namespace, eta: AnyArray) -> Mean:
        """Return mean, complement and derivatives at eta."""
        return self.link.inverse(xp, eta)

    def variance(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return V at eta."""
        mean = self.link.inverse(xp, eta)
        return self.family.variance(xp, mean.mu, mean.complement)

    def observed(self, y: tuple[Array, ...]) -> tuple[Array, Array | None]:
        """Return the observed mean of each row, and its trials where the response has them."""
        if len(self.family.response) == 1:
            return y[0], None
        successes, trials = y
        if trials.strides == (0,) and len(trials) and trials[0] == 1.0:
            return successes, trials
        return np.where(trials > 0.0, successes / np.where(trials > 0.0, trials, 1.0), 0.0), trials

    def bind(self, xp: Namespace, information: str = "expected") -> Bound:
        """Return the function (y, eta) -> (value, score, information) in the namespace `xp`.

        `y` is the tuple of the family's response columns; the three results have the shape of eta.
        """
        if information not in ("expected", "observed"):
            raise OptionError(f"information is {information!r}; it is 'expected' or 'observed'")
        asked = "expected" if self.canonical else information
        stated = stated_in_eta(self.family, self.link)
        kernel = stated(xp, asked) if stated else general(self, xp, asked)
        if len(self.family.response) == 1:
            return lambda y, eta: kernel(y[0], eta)
        return _per_trial(xp, kernel)

    def start(self, y: tuple[Array, ...], weight: Array) -> Array:
        """Return a first eta per row: the family's first guess on the scale of the link (NumPy)."""
        ybar, trials = self.observed(y)
        guess = self.family.start(ybar, weight if trials is None else weight * trials)
        lower, upper = _means(self.family, self.link)
        size = float(np.mean(np.abs(ybar))) or 1.0
        margin = 0.01 * min(size, upper - lower)
        mu = np.clip(guess, lower + margin, upper - margin)
        return np.asarray(self.link.link(np, mu, 1.0 - mu), dtype=np.float64)

    def slopes(self, y: tuple[Array, ...]) -> tuple[Array, Array]:
        """Return the limits of the score at the lower and the upper end of the domain, per row (NumPy).

        A slope of 0 is an end toward which the value stops falling: there a maximum may run away.
        For a binomial response the slopes are those of the proportion times the trials.

        Examples
        --------
        >>> import numpy as np
        >>> from etamu.family.families import Poisson
        >>> from etamu.family.links import Log
        >>> minus, plus = Unit(Poisson(), Log()).slopes((np.array([0.0, 3.0]),))
        >>> minus.tolist(), plus.tolist()
        ([0.0, 3.0], [-inf, -inf])
        """
        bound = self.bind(np)
        with np.errstate(all="ignore"):
            minus, plus = (_limit(self, bound, y, inward) for inward in (1.0, -1.0))
        return minus, plus

    def __str__(self) -> str:
        return f"{self.family} with {self.link} link"


def general(unit: Unit, xp: Namespace, information: str = "expected") -> Kernel:
    """Return the kernel every pair has, from the link's inverse and the family's variance and deviance."""
    family, link = unit.family, unit.link
    correct = information == "observed" and not unit.canonical

    def kernel(y: AnyArray, eta: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
        mu, complement, d1, d2 = link.inverse(xp, eta)
        variance = family.variance(xp, mu, complement)
        variance = xp.where(variance > 0.0, variance, 1.0)  # a mean that underflows has no slope either
        residual = family.residual(xp, y, mu, complement)
        slope = d1 / variance
        expected = d1 * slope
        value = -0.5 * family.deviance(xp, y, mu, complement)
        if not correct:
            return value, residual * slope, expected
        square = slope * slope  # where it underflows, V' may overflow: their product is below any number
        steep = xp.where(square > 0.0, square * family.dvariance(xp, mu, complement), 0.0)
        bend = d2 / variance - steep
        return value, residual * slope, expected - residual * bend

    return kernel


def _per_trial(xp: Namespace, kernel: Kernel) -> Bound:
    def bound(y: Rows, eta: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
        successes, trials = y
        some = trials > 0.0
        value, score, information = kernel(successes / xp.where(some, trials, 1.0), eta)
        return (
            xp.where(some, trials * value, 0.0),
            xp.where(some, trials * score, 0.0),
            xp.where(some, trials * information, 0.0),
        )

    return bound


def _limit(unit: Unit, bound: Bound, y: tuple[Array, ...], inward: float) -> Array:
    """Return the limit of the score toward an end, from two points near it: it settles, vanishes or grows."""
    limit = np.full(np.shape(y[0]), math.nan)
    for near, nearer in _approach(unit, inward):
        before, after = (bound(y, np.full(limit.shape, eta))[1] for eta in (near, nearer))
        grows = np.isinf(after) | (np.abs(after) >= 1.5 * np.abs(before))
        settled = np.where(grows & (after != 0.0), np.copysign(math.inf, after), after)
        told = np.where(np.abs(after) <= 0.75 * np.abs(before), 0.0, settled)
        limit = np.where(np.isnan(limit), told, limit)
    return limit


def _approach(unit: Unit, inward: float) -> tuple[tuple[float, float], ...]:
    """Return pairs of eta near an end, the nearest first; the others serve where that one underflows."""
    domain = unit.domain
    end = domain.lower if inward > 0.0 else domain.upper
    if end == 0.0:
        return ((inward * 1e-15, inward * 1e-20),)
    if math.isfinite(end):
        return ((end + inward * abs(end) * 2.0**-26, end + inward * abs(end) * 2.0**-52),)
    if unit.link.exponent:
        return ((-inward * 1e15, -inward * 1e20),)
    return tuple((-inward * far / 2.0, -inward * far) for far in (700.0, 35.0, 8.0, 4.0))


def _same(link: Link, canonical: Link) -> bool:
    return link == canonical or (link.exponent is not None and link.exponent == canonical.exponent)


def _means(family: Family, link: Link) -> tuple[float, float]:
    """Return the ends of the interval of means that the family can have and the link can reach."""
    return max(link.range.lower, family.mean.lower), min(link.range.upper, family.mean.upper)


def _domain(family: Family, link: Link) -> Interval:
    """Return the eta whose means the family can have: the part of the link's range inside, mapped back."""
    lower, upper = _means(family, link)
    if lower == link.range.lower and upper == link.range.upper:
        return link.domain
    with np.errstate(all="ignore"):
        ends = [float(link.link(np, np.float64(end))) for end in (lower, upper)]
    return Interval(max(min(ends), link.domain.lower), min(max(ends), link.domain.upper))


def _refuse_inadmissible(family: Family, link: Link) -> None:
    """Raise a LinkError where family and link do not fit."""
    lower, upper = _means(family, link)
    if not lower < upper:
        raise LinkError(
            f"family {family.name!r} cannot have link {link.name!r}: the link gives means in {link.range!r}, "
            f"the family needs means in {family.mean!r}; its canonical link is {family.canonical.name!r}"
        )
    if family.any_link or not math.isinf(family.mean.upper):
        return
    if not math.isinf(link.range.upper):
        raise LinkError(
            f"family {family.name!r} cannot have link {link.name!r}: the link keeps the mean in "
            f"{link.range!r}, but the mean of this family has no upper bound; use "
            f"{family.default_link.name!r}, or family 'quasi' if such a bounded mean is meant"
        )


def _convex(unit: Unit) -> bool:
    """Decide from the second derivative of the value, which must not be positive for any y of the support."""
    family, link = unit.family, unit.link
    if unit.canonical:
        return True
    if not family.convexity_stated:
        return False
    if not math.isinf(family.mean.upper):
        return link.log_concave or (link.exponent is not None and 0.0 <= link.exponent <= 1.0)
    if family.variance_power is None or link.exponent is None:
        return family.variance_power is None and link.exponent == 0.0
    p = family.variance_power
    if link.exponent == 0.0:
        return 1.0 <= p <= 2.0
    a = 1.0 / link.exponent
    return p > 0.0 and a * (a * (1.0 - p) - 1.0) <= 0.0 and a * (a * (2.0 - p) - 1.0) >= 0.0
