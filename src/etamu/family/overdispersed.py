"""Counts of a mean and a second parameter that spreads them: both negative binomials, generalised Poisson.

May import: _base, family.counts, family.laws, family.natural, family.saturated, family.special,
 family.summed, family.vector, family.zeros.
Read next: `etamu.family.conway` for counts of both more and less variance, with a series for a constant.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import final

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Mask, Namespace
from etamu.family import laws, saturated, special
from etamu.family.counts import COUNTS, NegativeBinomialLaw, negative_binomial, odds, setting
from etamu.family.family import Textbook
from etamu.family.link import Link
from etamu.family.natural import LOG, Kernel, Local, NaturalFamily, Points, Ways, link_of, started, ways_of
from etamu.family.summed import summed
from etamu.family.vector import Pairs, Parameter, Rows, VectorFamily, Wording


@dataclass(frozen=True, slots=True)
class Dispersed(NaturalFamily):
    """A count with a mean and a second parameter that stretches its variance; abstract."""

    link: str | Link = "log"
    dispersion_link: str | Link = "log"
    support = COUNTS
    scales = (LOG, LOG)

    @property
    @abstractmethod
    def second(self) -> str:
        """Return the name of the second parameter."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return mean and dispersion."""
        return (
            Parameter("mean", link_of(self.link, LOG, f"{self.name} mean"), main=True),
            Parameter(self.second, link_of(self.dispersion_link, LOG, f"{self.name} {self.second}")),
        )

    def saturated(self, y: tuple[Array, ...]) -> Array:
        """Return the log probability of a Poisson count at its own mean."""
        return saturated.poisson(y[0])

    def start(self, y: tuple[Array, ...], weight: Array) -> Array:
        """Return the mean, and what the ratio of variance and mean says of the dispersion."""
        mean = max(float(np.average(y[0], weights=weight)), 1e-3)
        variance = float(np.average((y[0] - mean) ** 2, weights=weight))
        return started(self, {"mean": mean, self.second: self.guess(y[0], mean, variance / mean)})

    def rising(self, y: tuple[Array, ...]) -> Ways:
        """Return that a count of 0 stands a mean of 0."""
        return ways_of(np.where(y[0] == 0.0, -1, 0), np.zeros(len(y[0])))

    @abstractmethod
    def guess(self, y: Array, mean: float, ratio: float) -> float:
        """Return a first dispersion from the ratio of variance and mean."""

    def mean(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return mu."""
        return special.exp(xp, self.natural(xp, eta)[0])


@dataclass(frozen=True, slots=True)
class GammaMixed(Dispersed):
    """A Poisson count whose mean is gamma, with the tails and draws of a negative binomial; abstract."""

    expected_dear = True

    @abstractmethod
    def _law(self, eta: Array) -> tuple[laws.Law, laws.Setting]:
        """Return the law of every row, and its setting."""

    def cdf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return P(Y <= y)."""
        law, at = self._law(eta)
        return law.cdf(y[0], at)

    def sf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return P(Y > y)."""
        law, at = self._law(eta)
        return law.sf(y[0], at)

    def sample(self, rng: np.random.Generator, eta: Array, given: tuple[Array, ...] = ()) -> Array:
        """Draw one count per row."""
        law, at = self._law(eta)
        return law.sample(rng, at)


@final
@dataclass(frozen=True, slots=True)
class NegativeBinomial1(GammaMixed):
    """A negative binomial count whose variance is mu (1 + alpha): NB1, theta = mu/alpha.

    Parameters
    ----------
    link, dispersion_link : str or Link
        Links of the mean and of alpha > 0; alpha = 0 is Poisson.

    Notes
    -----
    Mean and dispersion are coupled: unlike NB2's their estimates are correlated, and the standard errors come
    from the joint (observed) information.

    References
    ----------
    Cameron and Trivedi (2013), *Regression Analysis of Count Data*, 2nd edition, section 3.3.
    """

    name = "negative_binomial_1"
    textbook = Textbook(
        "mu (1+alpha)", "theta = mu/alpha", ("identity", "sqrt"), "counts that spread in proportion"
    )
    second = "dispersion"

    def kernel(self, xp: Namespace, information: str) -> Kernel:
        """Return NB2's kernel at log theta = log mu - log alpha."""

        def kernel(y: Rows, t: Points) -> Local:
            s = t[0] - t[1]
            value, (by_mean, by_shape), pairs = negative_binomial(xp, y[0], s, odds(xp, t[0], s), information)
            cross = pairs[0, 1] + pairs[1, 1]
            return Local(
                value,
                (by_mean + by_shape, -by_shape),
                {(0, 0): pairs[0, 0] + pairs[0, 1] + cross, (0, 1): -cross, (1, 1): pairs[1, 1]},
            )

        return kernel

    @property
    def limits(self) -> dict[str, tuple[str, str]]:
        """No dispersion is Poisson."""
        return {"dispersion": ("the Poisson law: the counts are not over-dispersed", "")}

    def guess(self, y: Array, mean: float, ratio: float) -> float:
        """Return variance / mean - 1, at least a little."""
        return float(np.clip(ratio - 1.0, 0.05, 50.0))

    def variance(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return mu (1 + alpha)."""
        m, b = self.natural(xp, eta)
        return special.exp(xp, m) * (1.0 + special.exp(xp, b))

    def _law(self, eta: Array) -> tuple[laws.Law, laws.Setting]:
        m, b = self.natural(np, eta)
        return laws.negative_binomial(np.exp(m - b)), setting(np.exp(m))


@final
@dataclass(frozen=True, slots=True)
class NegativeBinomial2(GammaMixed):
    """A negative binomial count whose theta has a linear predictor of its own: variance mu + mu^2/theta, NB2.

    What `NegativeBinomial` is fitted as where theta has a formula: ``em.glm("y ~ x", data,
    family=em.NegativeBinomial(), predictors={"theta": "~ z"})``.

    Parameters
    ----------
    link, dispersion_link : str or Link
        Links of the mean and of theta > 0; theta = inf is Poisson.

    Notes
    -----
    Standard errors come from the joint observed information. The estimates of mean and theta are independent
    in the limit only where the model holds, so that they differ a little from those of MASS's glm.nb, which
    takes the expected information of the mean alone.

    References
    ----------
    Lawless (1987), Negative binomial and mixed Poisson regression, Canadian Journal of Statistics 15.
    """

    name = "negative_binomial_2"
    textbook = Textbook(
        "mu+mu^2/theta", "gamma mixed Poisson", ("identity", "sqrt"), "counts whose spread is modelled"
    )
    second = "theta"

    def kernel(self, xp: Namespace, information: str) -> Kernel:
        """Return the law's kernel: its second coordinate is log theta."""
        return NegativeBinomialLaw().kernel(xp, information)

    @property
    def limits(self) -> dict[str, tuple[str, str]]:
        """An infinite theta is Poisson."""
        return {"theta": ("", "the Poisson law: the counts are not over-dispersed")}

    @property
    def explained(self) -> tuple[str, ...]:
        """Return which way theta works."""
        return ("The variance is mean + mean^2 / theta: counts of a larger theta spread less.",)

    def wording(self, parameter: Parameter) -> Wording:
        """Return how effects on the mean and on theta are told."""
        told = VectorFamily.wording(self, parameter)
        return told._replace(noun=parameter.name) if parameter.name == self.second else told

    def guess(self, y: Array, mean: float, ratio: float) -> float:
        """Return the theta of mean and variance, mean / (ratio - 1)."""
        return float(np.clip(mean / max(ratio - 1.0, 0.05), 0.02, 50.0))

    def variance(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return mu + mu^2/theta."""
        return NegativeBinomialLaw().moments(xp, self.natural(xp, eta))[1]

    def _law(self, eta: Array) -> tuple[laws.Law, laws.Setting]:
        return NegativeBinomialLaw().law(self.natural(np, eta))


@final
@dataclass(frozen=True, slots=True)
class GeneralizedPoisson(Dispersed):
    """Consul's generalised Poisson count: mean mu, variance phi^2 mu.

    P(Y = y) = a (a + c y)^(y - 1) exp(-a - c y) / y! with a = mu/phi and c = 1 - 1/phi. phi = 1 is Poisson.

    Parameters
    ----------
    link, dispersion_link : str or Link
        Links of mu and phi.

    Notes
    -----
    phi > 1: a proper law, the number of all descendants of a Poisson number of ancestors. 1/2 <= phi < 1
    (under-dispersion): probabilities are 0 where mu <= (1 - phi) y, and the others add up to 1 only nearly
    (to better than 0.5 % while at least five counts are possible: Consul and Famoye). phi < 1/2 has
    likelihood 0 here. For strong under-dispersion use `ConwayMaxwellPoisson`.

    References
    ----------
    Consul and Jain (1973), *A generalization of the Poisson distribution*, Technometrics 15.
    Consul and Famoye (1992), *Generalized Poisson regression model*, Communications in Statistics 21.
    """

    name = "generalized_poisson"
    textbook = Textbook(
        "phi^2 mu", "a (a+c y)^(y-1) e^(-a-c y)/y!", ("identity", "sqrt"), "counts that spread more or less"
    )
    second = "dispersion"

    def kernel(self, xp: Namespace, information: str) -> Kernel:
        """Return the kernel in (log mu, log phi), with w = a + c y and d = (y - mu)/phi = y - w."""

        def kernel(y: Rows, t: Points) -> Local:
            count, (m, b) = y[0], t
            a, c, back = special.exp(xp, m - b), -xp.expm1(-b), special.exp(xp, -b)
            w, d = a + c * count, back * count - a
            inside = (w > 0.0) & (b >= LEAST)
            w = xp.where(inside, w, 1.0)
            some = count > 0.0
            size = xp.where(some, count, 1.0)
            off = -d / size
            near = xp.abs(off) < 0.25
            close = size * special.log1pmx(xp, xp.where(near, off, 0.0))
            log_w = xp.log(w)
            bulk = xp.where(near, close, size * (log_w - xp.log(size)) + d)
            value = xp.where(some, bulk + (m - b) - log_w, -a)
            by_mean = (c * count) / w + a * (d / w)
            # y (y - 1)/w - w and y (y - 1)/w - 2 y + w, of differences where w is near y
            close_by = w > 0.5 * count
            pairs_of = count * ((count - 1.0) / w)
            lean = xp.where(close_by, d * ((count + w) / w) - count / w, pairs_of - w)
            by_phi = xp.where(close_by, d * (d / w) - count / w, (pairs_of - 2.0 * count) + w)
            by_phi = xp.where(some, by_phi, a)
            mean = (a / w) * (a + ((1.0 - count) + w) * ((c * count) / w))
            cross, phi = (a / w) * lean, (d / w) * lean
            pairs = {(0, 0): mean, (0, 1): cross, (1, 1): phi}
            if information == "expected":
                pairs = _averaged(xp, (a, c, back), pairs)
            kept = {key: xp.where(inside, each, 0.0) for key, each in pairs.items()}
            score = (xp.where(inside, by_mean, 0.0), xp.where(inside, by_phi, 0.0))
            return Local(xp.where(inside, value, -xp.inf), score, kept)

        return kernel

    @property
    def edges(self) -> dict[str, tuple[float, float]]:
        """Return the range of log phi."""
        return {"dispersion": (LEAST, math.inf)}

    def doubts(self, eta: Array) -> tuple[Mask, str]:
        """Return rows with fewer than five possible counts, which Consul and Famoye exclude."""
        with np.errstate(all="ignore"):
            few = _last(self.natural(np, eta)) < FEWEST - 1.0
        return few, (
            "the generalized Poisson law has fewer than five possible counts, and its probabilities do not "
            "add up to 1: describe counts that spread so little by ConwayMaxwellPoisson()"
        )

    def guess(self, y: Array, mean: float, ratio: float) -> float:
        """Return the root of variance / mean, not below what the largest count allows."""
        least = 1.0 - 0.9 * mean / max(float(np.max(y)), mean)
        return float(max(np.sqrt(ratio), 0.6, least))

    def variance(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return phi^2 mu."""
        m, b = self.natural(xp, eta)
        return special.exp(xp, m + 2.0 * b)

    def cdf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return the sum of the probabilities up to y."""
        count, t = np.floor(y[0]), self.natural(np, eta)
        first = np.maximum(0.0, count - _reach(t))
        return np.minimum(self._summed(t, first, np.minimum(count, _last(t))), 1.0)

    def sf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return the sum of the probabilities above y."""
        first, t = np.maximum(np.floor(y[0]) + 1.0, 0.0), self.natural(np, eta)
        last = np.maximum(first, np.ceil(np.exp(t[0]))) + _reach(t)
        return np.minimum(self._summed(t, first, np.minimum(last, _last(t))), 1.0)

    def _summed(self, t: Points, first: Array, last: Array) -> Array:
        kernel = self.kernel(np, "observed")

        def log_p(j: Array, rows: Array) -> Array:
            m, b = (np.broadcast_to(each[rows], j.shape) for each in t)
            return np.asarray(kernel((j,), (m, b)).value + saturated.poisson(j))

        with np.errstate(all="ignore"):
            return summed(log_p, first, last)

    def sample(self, rng: np.random.Generator, eta: Array, given: tuple[Array, ...] = ()) -> Array:
        """Draw generations of descendants until none is left; for phi < 1 invert the cdf."""
        t = self.natural(np, eta)
        mu, phi = np.exp(t[0]), np.exp(t[1])
        more = np.maximum(1.0 - 1.0 / phi, 0.0)
        generation = laws.poisson_draws(rng, np.where(phi >= 1.0, mu / phi, 0.0))
        total = generation.copy()
        while generation.any():
            generation = laws.poisson_draws(rng, more * generation)
            total += generation
        less = np.flatnonzero(phi < 1.0)
        if less.size:
            total[less] = self._inverted(rng.random(less.size), (t[0][less], t[1][less]))
        return total

    def _inverted(self, u: Array, t: Points) -> Array:
        kernel, last = self.kernel(np, "observed"), _last(t)
        out, left, open_ = np.zeros(u.shape), u.copy(), np.ones(u.shape, dtype=bool)
        j = 0.0
        while open_.any():
            y = np.full(u.shape, j)
            with np.errstate(all="ignore"):
                left = left - np.exp(kernel((y,), t).value + saturated.poisson(y))
            open_ &= left > 0.0
            open_ &= j < last
            j += 1.0
            out[open_] = j
        return out


def _averaged(xp: Namespace, at: tuple[AnyArray, AnyArray, AnyArray], observed: Pairs) -> Pairs:
    """Return the expected information by log mu and log phi, from a, c and 1 - c.

    E[y (y - 1) / w^2] = a / (a + 2 c), for y - 2 is a count of the law with a + 2 c for a; what else is
    needed follows by w = a + c y and by the score's mean of 0 (Consul and Famoye 2006, *Lagrangian
    Probability Distributions*, chapter 9). Where that law is none the observed information stays.
    """
    a, c, back = at
    whole = a + 2.0 * c
    some = whole > 0.0
    whole = xp.where(some, whole, 1.0)
    share = a / whole
    pairs = {(0, 0): share * (a * back + 2.0 * c), (0, 1): -2.0 * share * c, (1, 1): 2.0 * share}
    return {key: xp.where(some, each, observed[key]) for key, each in pairs.items()}


LEAST = float(np.log(0.5)) - 1e-12
"""The smallest log phi: below 1/2 Consul's law is none."""


FEWEST = 5.0
"""Possible counts below which the under-dispersed law is not even nearly one."""


def _last(t: Points) -> Array:
    """Return the largest possible count: infinite for phi >= 1."""
    mu, less = np.exp(t[0]), -np.expm1(np.minimum(t[1], 0.0))
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(less > 0.0, np.ceil(mu / less) - 1.0, np.inf))


def _reach(t: Points) -> Array:
    """Return how far from its centre the law has probabilities worth adding."""
    mu, phi = np.exp(t[0]), np.exp(t[1])
    return np.asarray(np.ceil(40.0 * phi * np.sqrt(mu) + 80.0 * phi * phi + 50.0))
