"""Laws of a count in natural coordinates: Poisson, and the negative binomial with its shape as a coordinate.

Each says what its probability of zero is, -log p(0) = A with derivatives, and what it becomes when zeros are
cut off; `etamu.family.zeros` makes truncated, hurdle and inflated families of any of them.

May import: _base, family.fisher, family.laws, family.natural, family.remainders, family.saturated,
 family.special.
Read next: `etamu.family.zeros`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple, final

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Interval, Namespace
from etamu.family import laws, special
from etamu.family.family import Support
from etamu.family.fisher import shape_information
from etamu.family.laws import Law, Setting
from etamu.family.natural import LOG, Kernel, Local, Points
from etamu.family.remainders import digamma_rest, log_gamma_rest, trigamma_rest
from etamu.family.vector import Rows

COUNTS = Support(Interval(0.0, np.inf, closed_lower=True), integer=True)
"""The whole numbers from 0."""


@dataclass(frozen=True, slots=True)
class CountLaw(ABC):
    """A law on 0, 1, 2, ... with coordinates t = (log mean, ...); abstract.

    Values are log probabilities less `saturated.poisson(y)`.
    """

    @property
    @abstractmethod
    def scales(self) -> tuple[str, ...]:
        """Return the kind of each coordinate."""

    @property
    def expected_dear(self) -> bool:
        """Tell whether the expected information costs many times as much as the observed one."""
        return False

    @abstractmethod
    def kernel(self, xp: Namespace, information: str) -> Kernel:
        """Return the law's own kernel."""

    @abstractmethod
    def truncated(self, xp: Namespace, information: str) -> Kernel:
        """Return the kernel of the law given that the count is not 0; y >= 1."""

    @abstractmethod
    def nothing(self, xp: Namespace, t: Points) -> Local:
        """Return A = -log p(0), its slopes by t and its second derivatives (with their own sign)."""

    @abstractmethod
    def moments(self, xp: Namespace, t: Points) -> tuple[AnyArray, AnyArray]:
        """Return mean and variance."""

    @abstractmethod
    def law(self, t: tuple[Array, ...]) -> tuple[Law, Setting]:
        """Return both tails and the sampler, and the setting they are asked with (NumPy)."""

    @abstractmethod
    def sample_positive(self, rng: np.random.Generator, t: tuple[Array, ...]) -> Array:
        """Draw counts given that they are not 0."""


@final
@dataclass(frozen=True, slots=True)
class PoissonLaw(CountLaw):
    """A Poisson count; t = (log mu,)."""

    scales = (LOG,)

    def kernel(self, xp: Namespace, information: str) -> Kernel:
        """Return the law's own kernel."""

        def kernel(y: Rows, t: Points) -> Local:
            (count, *_), (m, *_) = y, t
            mu = special.exp(xp, m)
            half = special.half_deviance(xp, count, m - special.log_or_zero(xp, count), mu)
            return Local(-half, (count - mu,), {(0, 0): mu})

        return kernel

    def truncated(self, xp: Namespace, information: str) -> Kernel:
        """Return the kernel of exp(y m) / (y! (e^mu - 1)): score y - M, information M (1 + mu - M)."""

        def kernel(y: Rows, t: Points) -> Local:
            (count, *_), (m, *_) = y, t
            mu = special.exp(xp, m)
            share = special.expm1_ratio(xp, -mu)  # (1 - p0) / mu
            excess = mu * special.expm1mx_ratio(xp, -mu) / share  # M - 1
            rare = mu < 1.0
            low, decay = xp.where(rare, mu, 1.0), xp.exp(-mu)
            spread = xp.where(
                rare,
                decay * low * special.expm1mx_ratio(xp, low) / share,
                (1.0 - decay * (1.0 + xp.minimum(mu, 800.0))) / (1.0 - xp.where(rare, 0.0, decay)),
            )
            log_count = special.log_or_zero(xp, count)
            often = -special.half_deviance(xp, count, m - log_count, mu) - xp.log1p(
                -xp.where(rare, 0.0, decay)
            )
            seldom = (count - 1.0) * m - mu - xp.log(share) - count * (log_count - 1.0)
            value = xp.where(rare, seldom, often)
            return Local(value, ((count - 1.0) - excess,), {(0, 0): (1.0 + excess) * spread})

        return kernel

    def nothing(self, xp: Namespace, t: Points) -> Local:
        """Return -log p(0)."""
        mu = special.exp(xp, t[0])
        return Local(mu, (mu,), {(0, 0): mu})

    def moments(self, xp: Namespace, t: Points) -> tuple[AnyArray, AnyArray]:
        """Return mean and variance."""
        mu = special.exp(xp, t[0])
        return mu, mu

    def law(self, t: tuple[Array, ...]) -> tuple[Law, Setting]:
        """Return tails and sampler, and their setting."""
        return laws.poisson(), setting(np.exp(t[0]))

    def sample_positive(self, rng: np.random.Generator, t: tuple[Array, ...]) -> Array:
        """Draw the time of the first event in a unit of time that has one, then count the rest."""
        mu = np.exp(t[0])
        return 1.0 + laws.poisson_draws(rng, mu - first_event(rng, mu))


def first_event(rng: np.random.Generator, rate: Array) -> Array:
    """Draw rate times the time of the first event of a Poisson process, given one in a unit of time."""
    draw = -np.log1p(rng.random(rate.shape) * np.expm1(-rate))
    return np.minimum(draw, rate)


def setting(mu: Array, trials: Array | None = None) -> Setting:
    """Return the setting of a law with these means."""
    one = np.ones_like(mu)
    m = one if trials is None else trials
    return Setting(mu, one, one, m, one * np.inf if trials is None else m)


class Odds(NamedTuple):
    """What log mu and log theta say together: p = mu/(mu + theta), q = 1 - p, none by subtraction."""

    mu: AnyArray
    theta: AnyArray
    p: AnyArray
    q: AnyArray
    log_p: AnyArray
    log_q: AnyArray
    part: AnyArray
    """theta p = mu q, the variance of the score by log mu."""
    log_total: AnyArray
    """log(mu + theta)."""
    ratio: AnyArray
    """mu / theta where it is below 1, else 1."""


def odds(xp: Namespace, m: AnyArray, s: AnyArray) -> Odds:
    """Return both parts of mu + theta from their logarithms."""
    mu = special.exp(xp, m)
    theta = xp.maximum(xp.exp(xp.minimum(s, 707.0)), 1e-307)  # beyond, the Poisson law and nothing by theta
    delta = m - s
    high, decay = delta > 0.0, xp.exp(-xp.abs(delta))
    bulk = 1.0 / (1.0 + decay)
    tail, log_bulk = decay * bulk, -xp.log1p(decay)
    log_tail = log_bulk - xp.abs(delta)
    return Odds(
        mu,
        theta,
        xp.where(high, bulk, tail),
        xp.where(high, tail, bulk),
        xp.where(high, log_bulk, log_tail),
        xp.where(high, log_tail, log_bulk),
        xp.where(high, theta, mu) * bulk,
        xp.maximum(m, s) - log_bulk,
        xp.where(high, 1.0, decay),
    )


@final
@dataclass(frozen=True, slots=True)
class NegativeBinomialLaw(CountLaw):
    """A Poisson count whose mean is gamma with mean mu and shape theta; t = (log mu, log theta).

    Variance mu + mu^2/theta; theta = inf is Poisson, where value, slopes and curvatures by log theta vanish.
    """

    scales = (LOG, LOG)
    expected_dear = True

    def kernel(self, xp: Namespace, information: str) -> Kernel:
        """Return the law's own kernel."""

        def kernel(y: Rows, t: Points) -> Local:
            return negative_binomial(xp, y[0], t[1], odds(xp, t[0], t[1]), information)

        return kernel

    def truncated(self, xp: Namespace, information: str) -> Kernel:
        """Return the kernel given y >= 1: what the law loses of log(1 - p0), the mean's part as one term."""

        def kernel(y: Rows, t: Points) -> Local:
            at = odds(xp, t[0], t[1])
            plain, zero = negative_binomial(xp, y[0], t[1], at), _nothing(xp, at)
            a, (a_m, a_s), second = zero.value, zero.score, zero.information
            rare = a < 1.0
            low = xp.where(rare, a, 1.0)
            decay = xp.exp(-a)
            some = a * special.expm1_ratio(xp, -a)  # 1 - p0
            # q (mu / (1 - p0) - 1) as a sum of two positive terms: (mu - A) + (A - 1 + e^-A)
            far = at.ratio >= 0.25
            series = -at.theta * special.log1pmx(xp, xp.where(far, 0.0, at.ratio))
            beyond = xp.where(far, at.part - at.q * a, at.q * series)
            clusters = a * special.expm1mx_ratio(xp, -a) / special.expm1_ratio(xp, -a)
            excess = beyond / some + at.q * clusters
            grow = 1.0 / special.expm1_ratio(xp, low)
            slow = (low * special.expm1mx_ratio(xp, low) + a_s / low) * grow
            fast = (1.0 - decay * (1.0 + xp.minimum(a, 800.0) - xp.minimum(a_s, 1e300))) / (
                1.0 - xp.where(rare, 0.0, decay)
            )
            left = at.q * (y[0] - 1.0) - excess
            mean = (at.q + excess) * xp.where(rare, slow, fast)
            g_s = xp.where(rare, a_s / low * grow, a_s * decay / some)
            g_m = xp.where(rare, a_m / low * grow, a_m * decay / some)
            g = xp.where(rare, grow / low, decay / some)
            if information == "expected":  # of a count that is not 0 is that of all counts less that of 0
                bend = (shape_information(xp, at.mu, at.theta) - decay * second[1, 1]) / some
                own = {(0, 1): -decay * second[0, 1] / some, (1, 1): bend}
            else:
                mean, own = at.p * left + mean, plain.information
            shape = own[1, 1] + second[1, 1] * g - g_s * (a_s + g_s)
            cross = own[0, 1] + second[0, 1] * g - g_m * (a_s + g_s)
            value = plain.value - special.log_complement(xp, -a)
            return Local(
                value,
                (left, plain.score[1] - g_s),
                {(0, 0): mean, (0, 1): cross, (1, 1): shape},
            )

        return kernel

    def nothing(self, xp: Namespace, t: Points) -> Local:
        """Return -log p(0)."""
        return _nothing(xp, odds(xp, t[0], t[1]))

    def moments(self, xp: Namespace, t: Points) -> tuple[AnyArray, AnyArray]:
        """Return mean and variance."""
        at = odds(xp, t[0], t[1])
        return at.mu, at.mu / at.q

    def law(self, t: tuple[Array, ...]) -> tuple[Law, Setting]:
        """Return tails and sampler, and their setting."""
        return laws.negative_binomial(np.exp(t[1])), setting(np.exp(t[0]))  # type: ignore[arg-type]

    def sample_positive(self, rng: np.random.Generator, t: tuple[Array, ...]) -> Array:
        """Draw clusters of logarithmic size: a negative binomial is a Poisson number A of them."""
        at, a = odds(np, t[0], t[1]), self.nothing(np, t).value
        left = np.maximum(1.0 - first_event(rng, a) / a, 0.0)
        first = rng.logseries(np.clip(at.p, 1e-300, 1.0 - 1e-16))
        rest = laws.poisson_draws(rng, rng.standard_gamma(at.theta * left) * (at.mu / at.theta))
        return np.asarray(first + rest, dtype=np.float64)


def _nothing(xp: Namespace, at: Odds) -> Local:
    """Return A = theta log(1 + mu/theta); slopes theta p and A - theta p, the latter never negative."""
    some = at.ratio > 0.0
    ratio = xp.where(some, at.ratio, 1.0)
    small = at.ratio < 1.0
    a = xp.where(small, at.mu * xp.where(some, xp.log1p(ratio) / ratio, 1.0), -at.theta * at.log_q)
    far = at.p >= 0.25
    slope = xp.where(far, a - at.part, -at.theta * special.log1pmx(xp, -xp.where(far, 0.0, at.p)))
    bend = at.part * at.p
    return Local(a, (at.part, slope), {(0, 0): at.part * at.q, (0, 1): bend, (1, 1): slope - bend})


def negative_binomial(
    xp: Namespace, y: AnyArray, s: AnyArray, at: Odds, information: str = "observed"
) -> Local:
    """Return the law's kernel from log theta = s and the parts of mu + theta.

    With d = y - mu the slope by log theta is theta (digamma(y + theta) - digamma(theta) - log((mu + theta) /
    theta)) - q d; the logarithms go together as log(1 + d/(mu + theta)) and what is left of the digammas
    vanishes with 1/theta, so that nothing cancels on the way to the Poisson limit.
    """
    theta, some = at.theta, y > 0.0
    count = xp.where(some, y, 1.0)
    log_count = xp.log(count)
    whole = y + theta
    slope = y * at.q - at.part
    total = xp.where(at.log_total < 707.0, at.mu + theta, xp.inf)
    shift = (y - at.mu) / total
    log_whole = xp.where(some, xp.log(xp.where(some, whole, 1.0)), s)
    near = xp.abs(shift) < 0.25
    close_to = -theta * special.log1pmx(xp, xp.where(near, shift, 0.0))
    logs = theta * (log_whole - at.log_total)
    of_shape = xp.where(near, close_to, slope - logs)
    off = -slope / count
    close = some & (xp.abs(off) < 0.25)
    ratio = at.p * (whole / count)  # p (y + theta) / y, unless it overflows
    plain = (ratio > 1e-290) & (ratio < 1e290)
    log_ratio = xp.where(
        plain, xp.log(xp.where(plain, ratio, 1.0)), at.log_p + special.softplus(xp, s - log_count)
    )
    of_events = xp.where(
        close,
        -count * special.log1pmx(xp, xp.where(close, off, 0.0)),
        -slope - count * log_ratio,
    )
    of_events = xp.where(some, of_events, at.part)
    stirling = (
        log_gamma_rest(xp, whole) - log_gamma_rest(xp, theta) - 0.5 * special.softplus(xp, log_count - s)
    )
    value = xp.where(some, stirling, 0.0) - (of_events + of_shape)
    back, gone = theta / whole, y / whole
    digammas = back * digamma_rest(xp, whole) - digamma_rest(xp, theta) + 0.5 * gone
    score = (slope, digammas - of_shape)
    if information == "expected":
        own = {(0, 0): at.part, (0, 1): xp.zeros_like(slope), (1, 1): shape_information(xp, at.mu, theta)}
        return Local(value, score, own)
    trigammas = back * back * trigamma_rest(xp, whole) - trigamma_rest(xp, theta) - 0.5 * gone * (1.0 + back)
    # slope^2/(y + theta) - slope has a closed form, far from the mean where the two are large
    apart = logs - slope * ((theta + y * at.p + at.part) / whole)
    bend = xp.where(near, slope * (slope / whole) - close_to, apart)
    pairs = {
        (0, 0): (y * at.p + at.part) * at.q,
        (0, 1): -at.p * slope,
        (1, 1): -(digammas + trigammas + bend),
    }
    return Local(value, score, pairs)
