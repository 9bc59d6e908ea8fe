"""Counts whose zeros are cut off, stand behind a hurdle, or are too many: built from a count law.

May import: _base, family.counts, family.family, family.link, family.natural, family.saturated,
 family.special, family.vector.
Read next: `etamu.family.excess`, the families made of it.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Interval, Mask, Namespace
from etamu.family import saturated, special
from etamu.family.counts import COUNTS, CountLaw
from etamu.family.family import Support
from etamu.family.link import Link
from etamu.family.natural import (
    LOG,
    LOGIT,
    Kernel,
    Local,
    NaturalFamily,
    Points,
    Ways,
    link_of,
    started,
    ways_of,
)
from etamu.family.proportion import logit
from etamu.family.vector import Parameter, Rows

POISSON = "the Poisson law: the counts are not over-dispersed"
SHAPE = {"shape": ("", POISSON)}
SHAPE_ABOVE = {"shape": ("the logarithmic law of counts above 0, and the mean goes to 0 with it", POISSON)}
"""What a negative binomial count is at the end of its shape's axis."""

POSITIVE = Support(Interval(1.0, np.inf, closed_lower=True), integer=True)


@dataclass(frozen=True, slots=True)
class OfCounts(NaturalFamily):
    """A family made of a count law: its mean stands first and its shape last; abstract."""

    link: str | Link = "log"
    support = COUNTS

    @property
    def mean_modelled(self) -> bool:
        """The parameter is the mean of the law before its zeros are changed."""
        return False

    @property
    def explained(self) -> tuple[str, ...]:
        """Say which mean the sentences speak of."""
        return (
            "The mean is that of the counts before zeros are added or cut off; predict() has those seen.",
        )

    @property
    @abstractmethod
    def count(self) -> CountLaw:
        """Return the law that counts."""

    @property
    def expected_dear(self) -> bool:
        """The expected information costs what the law's does."""
        return self.count.expected_dear

    @property
    def wavering(self) -> tuple[str, ...]:
        """A shape, where the zeros that would tell of it are cut off or have another cause."""
        return () if self.settings.get("shape_link") is None else ("shape",)

    @property
    def limits(self) -> dict[str, tuple[str, str]]:
        """A shape without end is Poisson."""
        return SHAPE

    def saturated(self, y: tuple[Array, ...]) -> Array:
        """Return the log probability of a Poisson count at its own mean."""
        return saturated.poisson(y[0])

    def cdf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return P(Y <= y)."""
        return self._tail(y[0], eta, upper=False)

    def sf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return P(Y > y)."""
        return self._tail(y[0], eta, upper=True)

    @abstractmethod
    def _tail(self, y: Array, eta: Array, *, upper: bool) -> Array: ...

    def positive(self, xp: Namespace, t: Points) -> tuple[AnyArray, AnyArray, AnyArray]:
        """Return 1 - p0, and mean and variance of a count that is not 0."""
        mean, variance = self.count.moments(xp, t)
        decay = -self.count.nothing(xp, t).value
        some, none = -xp.expm1(decay), xp.exp(decay)
        ever = some > 0.0  # else every count that is not 0 is 1
        share = xp.where(ever, some, 1.0)
        above = xp.where(ever, mean / share, 1.0)
        return some, above, xp.where(ever, variance / share - none * above * above, 0.0)

    def positive_tail(self, y: Array, t: tuple[Array, ...], *, upper: bool) -> Array:
        """Return P(Y > y), or P(Y <= y), of a count that is not 0."""
        law, at = self.count.law(t)
        decay = -self.count.nothing(np, t).value
        ever = decay < 0.0  # else every count that is not 0 is 1
        some = np.where(ever, -np.expm1(decay), 1.0)
        beyond = np.where(ever, np.minimum(law.sf(y, at) / some, 1.0), 0.0)
        if upper:
            return np.where(y < 1.0, 1.0, beyond)
        below = np.maximum(law.cdf(y, at) - np.exp(decay), 0.0) / some
        return np.where(y < 1.0, 0.0, np.where(beyond < 0.5, 1.0 - beyond, below))


def shapes_of(family: OfCounts) -> tuple[Parameter, ...]:
    """Return the predictor of a negative binomial's theta, none where the law has no shape."""
    link = family.settings.get("shape_link")
    return () if link is None else (Parameter("shape", link_of(link, LOG, f"{family.name} shape")),)


def mean_of(family: OfCounts) -> Parameter:
    """Return the predictor of the law's mean."""
    return Parameter("mean", link_of(family.link, LOG, f"{family.name} mean"), main=True)


def positive_guess(y: Array, weight: Array) -> tuple[float, float]:
    """Return mean and shape of the law that a positive count's mean and variance come from, roughly."""
    some = (y > 0.0) & (weight > 0.0)
    if not some.any():
        return 0.1, 1.0
    y, weight = y[some], weight[some]
    above = max(float(np.average(y, weights=weight)), 1.0 + 1e-3)
    variance = float(np.average((y - above) ** 2, weights=weight))
    mu = 2.0 * (above - 1.0) if above < 1.5 else above
    for _ in range(50):  # mu / (1 - e^-mu) = above, a contraction
        mu = above * -np.expm1(-mu)
    mu = max(mu, 1e-3)
    excess = max(variance + above * above - above - above * mu, 0.05 * above * mu)  # 0 for a Poisson count
    return mu, float(np.clip(above * mu / excess, 0.1, 50.0))


@dataclass(frozen=True, slots=True)
class ZeroTruncated(OfCounts):
    """A count that is not recorded when it is 0; abstract."""

    support = POSITIVE

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return mean, and shape where the law has one."""
        return (mean_of(self), *shapes_of(self))

    @property
    def scales(self) -> tuple[str, ...]:
        """Return the law's."""
        return self.count.scales

    @property
    def limits(self) -> dict[str, tuple[str, str]]:
        """A mean of 0 leaves ones."""
        return {**SHAPE_ABOVE, "mean": ("every count is 1", "")}

    def rising(self, y: tuple[Array, ...]) -> Ways:
        """Return that a count of 1 stands a mean of 0."""
        one, rest = np.where(y[0] == 1.0, -1, 0), np.zeros((len(self.scales) - 1, len(y[0])))
        return ways_of(one, *rest)

    def kernel(self, xp: Namespace, information: str) -> Kernel:
        """Return the law's kernel given that the count is not 0."""
        return self.count.truncated(xp, information)

    def start(self, y: tuple[Array, ...], weight: Array) -> Array:
        """Return what the mean of positive counts says."""
        mu, shape = positive_guess(y[0], weight)
        return started(self, {"mean": mu, "shape": shape})

    def mean(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return the mean of the counts that are seen."""
        return self.positive(xp, self.natural(xp, eta))[1]

    def variance(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return the variance of the counts that are seen."""
        return self.positive(xp, self.natural(xp, eta))[2]

    def _tail(self, y: Array, eta: Array, *, upper: bool) -> Array:
        return self.positive_tail(y, self.natural(np, eta), upper=upper)

    def sample(self, rng: np.random.Generator, eta: Array, given: tuple[Array, ...] = ()) -> Array:
        """Draw one positive count per row."""
        return self.count.sample_positive(rng, self.natural(np, eta))


@dataclass(frozen=True, slots=True)
class WithZeros(OfCounts):
    """A count law and a probability `zero`: coordinates (log mu, logit zero, rest of the law); abstract."""

    zero_link: str | Link = "logit"

    @property
    def scales(self) -> tuple[str, ...]:
        """Return the law's, with the log odds of `zero` in the second place."""
        first, *rest = self.count.scales
        return (first, LOGIT, *rest)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return mean, zero, and shape where the law has one."""
        zero = Parameter("zero", link_of(self.zero_link, LOGIT, f"{self.name} zero"))
        return (mean_of(self), zero, *shapes_of(self))

    def start(self, y: tuple[Array, ...], weight: Array) -> Array:
        """Return what the positive counts and the share of zeros say."""
        mu, shape = positive_guess(y[0], weight)
        share = float(np.average(y[0] == 0.0, weights=weight)) if float(np.sum(weight)) > 0.0 else 0.5
        none = self.expected_zeros(mu, shape)
        zero = float(np.clip((share - none) / (1.0 - none), 0.02, 0.98))
        return started(self, {"mean": mu, "zero": zero, "shape": shape})

    @abstractmethod
    def expected_zeros(self, mu: float, shape: float) -> float:
        """Return the share of zeros that the law accounts for."""


def parted(t: Points) -> tuple[AnyArray, Points]:
    """Return the log odds of `zero`, and the coordinates of the law."""
    m, z, *rest = t
    return z, (m, *rest)


def placed(at: Local, score: AnyArray, zero: AnyArray, cross: tuple[AnyArray, ...] | None = None) -> Local:
    """Put slope and curvature by `zero` in the second place of a law's; `cross` is with each coordinate."""
    first, *rest = at.score
    move = {0: 0, 1: 2}
    pairs = {(move[i], move[j]): entry for (i, j), entry in at.information.items()}
    pairs[1, 1] = zero
    if cross is not None:
        pairs[0, 1] = cross[0]
        pairs |= dict(zip([(1, 2)], cross[1:], strict=False))
    return Local(at.value, (first, score, *rest), pairs)


@dataclass(frozen=True, slots=True)
class Hurdle(WithZeros):
    """Zero with probability `zero`, else a positive count of the law: two models in one; abstract."""

    @property
    def limits(self) -> dict[str, tuple[str, str]]:
        """Both ends of `zero` are certain."""
        return {**SHAPE_ABOVE, "zero": ("no count is 0", "every count is 0")}

    def told_by(self, y: tuple[Array, ...]) -> dict[str, Mask]:
        """Return that only positive counts say something of the law that counts them."""
        some = y[0] > 0.0
        return {each.name: some for each in self.parameters if each.name != "zero"}

    def expected_zeros(self, mu: float, shape: float) -> float:
        """Return 0: behind the hurdle there are no zeros."""
        return 0.0

    def rising(self, y: tuple[Array, ...]) -> Ways:
        """Return that a 0 stands a certain 0 whatever the law, a count none, a count of 1 a mean of 0."""
        none = y[0] == 0.0
        free = [np.where(none, 2, 0)] * (len(self.scales) - 2)
        return ways_of(np.where(none, 2, np.where(y[0] == 1.0, -1, 0)), np.where(none, 1, -1), *free)

    def kernel(self, xp: Namespace, information: str) -> Kernel:
        """Return the sum of a Bernoulli kernel and, for positive counts, the truncated law's."""
        truncated = self.count.truncated(xp, information)

        def kernel(y: Rows, t: Points) -> Local:
            z, rest = parted(t)
            none = y[0] == 0.0
            at = truncated((xp.where(none, 1.0, y[0]),), rest)
            odds = logit(xp, z)
            weight = odds.complement if information == "expected" else 1.0
            pairs = {
                key: weight * entry if information == "expected" else xp.where(none, 0.0, entry)
                for key, entry in at.information.items()
            }
            held = Local(
                xp.where(none, odds.log_mu, odds.log_complement + at.value),
                tuple(xp.where(none, 0.0, each) for each in at.score),
                pairs,
            )
            return placed(held, xp.where(none, odds.complement, -odds.mu), odds.mu * odds.complement)

        return kernel

    def mean(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return (1 - zero) times the mean of a positive count."""
        z, rest = parted(self.natural(xp, eta))
        return logit(xp, z).complement * self.positive(xp, rest)[1]

    def variance(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return (1 - zero) (v + zero M^2), v and M of a positive count."""
        z, rest = parted(self.natural(xp, eta))
        odds, (_, mean, variance) = logit(xp, z), self.positive(xp, rest)
        return odds.complement * (variance + odds.mu * mean * mean)

    def _tail(self, y: Array, eta: Array, *, upper: bool) -> Array:
        z, rest = parted(self.natural(np, eta))
        odds = logit(np, z)
        part = odds.complement * self.positive_tail(y, rest, upper=upper)
        outside = np.where(y < 0.0, 1.0 if upper else 0.0, part + (0.0 if upper else odds.mu))
        return np.asarray(outside)

    def sample(self, rng: np.random.Generator, eta: Array, given: tuple[Array, ...] = ()) -> Array:
        """Draw one count per row."""
        z, rest = parted(self.natural(np, eta))
        none = rng.random(z.shape) < logit(np, z).mu
        return np.where(none, 0.0, self.count.sample_positive(rng, rest))


@dataclass(frozen=True, slots=True)
class ZeroInflated(WithZeros):
    """Zero for certain with probability `zero`, else a count of the law, which may be zero too; abstract."""

    @property
    def limits(self) -> dict[str, tuple[str, str]]:
        """Both ends of `zero` are certain."""
        none = "the law without inflation: there are no more zeros than it has"
        return {**SHAPE, "zero": (none, "every count is 0")}

    def expected_zeros(self, mu: float, shape: float) -> float:
        """Return the law's probability of 0."""
        t = tuple(np.log(np.array([each])) for each in (mu, shape)[: len(self.count.scales)])
        return float(np.exp(-self.count.nothing(np, t).value[0]))

    def rising(self, y: tuple[Array, ...]) -> Ways:
        """Return that a 0 stands a certain 0 and a mean of 0, a count that no 0 is certain."""
        none = y[0] == 0.0
        rest = np.zeros((len(self.scales) - 2, len(y[0])))
        return ways_of(np.where(none, -1, 0), np.where(none, 1, -1), *rest)

    def kernel(self, xp: Namespace, information: str) -> Kernel:
        """Return the kernel of the mixture; w is the probability that a zero was certain.

        With p0 = e^-A a zero has log probability log((e^z + e^-A) / (1 + e^z)), w = e^z / (e^z + e^-A) and
        w - zero = w (1 - zero) (1 - e^-A), so that nothing cancels where the law has no zeros of its own or
        nothing else.
        """
        law = self.count.kernel(xp, information)

        def kernel(y: Rows, t: Points) -> Local:
            z, rest = parted(t)
            none = y[0] == 0.0
            at, zero = law(y, rest), self.count.nothing(xp, rest)
            a, odds = zero.value, logit(xp, z)
            certain, some = logit(xp, z + a), -xp.expm1(-a)
            w, v = certain.mu, certain.complement
            lost = some * odds.complement
            small = lost < 0.5
            larger = xp.maximum(z, -a) + xp.log1p(xp.exp(-xp.abs(z + a)))
            mixed = larger - special.softplus(xp, z)
            of_zero = xp.where(small, xp.log1p(-xp.where(small, lost, 0.0)), mixed)
            value = xp.where(none, of_zero, odds.log_complement + at.value)
            score = tuple(
                xp.where(none, -v * own, each) for own, each in zip(zero.score, at.score, strict=True)
            )
            rise = w * lost
            by_zero = xp.where(none, rise, -odds.mu)
            if information == "expected":
                pairs = {
                    (i, j): odds.complement * entry - odds.mu * _product(xp, v, zero.score[i], zero.score[j])
                    for (i, j), entry in at.information.items()
                }
                cross = tuple(-odds.mu * (v * own) for own in zero.score)
                return placed(Local(value, score, pairs), by_zero, odds.mu * rise, cross)
            pairs = {
                (i, j): xp.where(
                    none,
                    v * zero.information[i, j] - w * _product(xp, v, zero.score[i], zero.score[j]),
                    entry,
                )
                for (i, j), entry in at.information.items()
            }
            tied = rise * (w - odds.complement)
            spread = xp.where(none, tied, odds.mu * odds.complement)
            cross = tuple(xp.where(none, -w * (v * own), 0.0) for own in zero.score)
            return placed(Local(value, score, pairs), by_zero, spread, cross)

        return kernel

    def mean(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return (1 - zero) mu."""
        z, rest = parted(self.natural(xp, eta))
        return logit(xp, z).complement * self.count.moments(xp, rest)[0]

    def variance(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return (1 - zero) (V + zero mu^2)."""
        z, rest = parted(self.natural(xp, eta))
        odds, (mean, variance) = logit(xp, z), self.count.moments(xp, rest)
        return odds.complement * (variance + odds.mu * mean * mean)

    def _tail(self, y: Array, eta: Array, *, upper: bool) -> Array:
        z, rest = parted(self.natural(np, eta))
        odds, (law, at) = logit(np, z), self.count.law(rest)
        if upper:
            return np.where(y < 0.0, 1.0, odds.complement * law.sf(y, at))
        return np.where(y < 0.0, 0.0, odds.mu + odds.complement * law.cdf(y, at))

    def sample(self, rng: np.random.Generator, eta: Array, given: tuple[Array, ...] = ()) -> Array:
        """Draw one count per row."""
        z, rest = parted(self.natural(np, eta))
        law, at = self.count.law(rest)
        return np.where(rng.random(z.shape) < logit(np, z).mu, 0.0, law.sample(rng, at))


def _product(xp: Namespace, v: AnyArray, one: AnyArray, other: AnyArray) -> AnyArray:
    """Return v * one * other, 0 where v has underflowed and the others may overflow."""
    return xp.where(v > 0.0, (v * one) * xp.where(v > 0.0, other, 0.0), 0.0)
