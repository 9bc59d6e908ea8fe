"""Beta and beta-binomial responses: a mean between 0 and 1, and a precision that is estimated too.

May import: _base, family.counts, family.family, family.link, family.natural, family.proportion,
 family.remainders, family.saturated, family.special, family.stirling, family.vector; scipy inside functions.
Read next: `etamu.family.zeros` for counts with a probability of their own for zero.
"""

from __future__ import annotations

from typing import NamedTuple, final

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Interval, Namespace
from etamu.family import saturated, special
from etamu.family.family import Support, Textbook
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
from etamu.family.proportion import Ends, logit
from etamu.family.remainders import digamma_rest, log_gamma_rest, trigamma_rest
from etamu.family.stirling import HALF_LOG_TWO_PI
from etamu.family.summed import summed
from etamu.family.vector import Pairs, Parameter, Rows

BINOMIAL = 690.0
"""The log of a precision at which a beta-binomial law is the binomial, to the last digit."""


@dataclass(frozen=True, slots=True)
class OfBeta(NaturalFamily):
    """A family whose mean is between 0 and 1 and whose precision is positive; abstract."""

    link: str | Link = "logit"
    precision_link: str | Link = "log"
    scales = (LOGIT, LOG)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return mean and precision."""
        return (
            Parameter("mean", link_of(self.link, LOGIT, f"{self.name} mean"), main=True),
            Parameter("precision", link_of(self.precision_link, LOG, f"{self.name} precision")),
        )

    def shapes(self, xp: Namespace, eta: AnyArray) -> tuple[Ends, AnyArray]:
        """Return the mean with its complement, and the precision."""
        t, s = self.natural(xp, eta)
        return logit(xp, t), special.exp(xp, s)

    def begun(self, mean: float, precision: float) -> Array:
        """Return eta (k,) of a first guess."""
        return started(self, {"mean": mean, "precision": precision})


@final
@dataclass(frozen=True, slots=True)
class Beta(OfBeta):
    """A share inside (0, 1): a beta law of mean mu and precision phi, variance mu (1 - mu)/(1 + phi).

    Parameters
    ----------
    link, precision_link : str or Link
        Links of the mean and of phi.

    Notes
    -----
    Shapes a = mu phi and b = (1 - mu) phi. With D = mu log(mu/y) + (1 - mu) log((1 - mu)/(1 - y)) the log
    density is log(phi mu (1 - mu))/2 - phi D and what Stirling's formula leaves of three gamma functions:
    nothing cancels however large phi is. Expected information is closed, with trigamma functions.

    References
    ----------
    Ferrari and Cribari-Neto (2004), *Beta regression for modelling rates and proportions*, J. Applied
    Statistics 31. Smithson and Verkuilen (2006), *A better lemon squeezer?*, Psychological Methods 11.

    Examples
    --------
    >>> y = (np.array([0.3]),)
    >>> value, score, information = Beta().bind(np)(y, np.array([[0.0, np.log(2.0)]]))
    >>> float((value + Beta().saturated(y)).round(12)[0])  # mean 1/2, precision 2: uniform
    0.0
    """

    name = "beta"
    textbook = Textbook(
        "mu (1-mu)/(1+phi)", "beta(mu phi, (1-mu) phi)", ("probit", "cloglog"), "shares inside (0, 1)"
    )
    support = Support(Interval(0.0, 1.0))

    @property
    def limits(self) -> dict[str, tuple[str, str]]:
        """A precision without end leaves no spread: the density of a response at its mean has no bound."""
        return {"precision": ("", "infinity, where every response equals its mean")}

    @property
    def shrinks(self) -> frozenset[str]:
        """Responses that equal their means have no spread."""
        return frozenset({"precision"})

    def kernel(self, xp: Namespace, information: str) -> Kernel:
        """Return the kernel in (logit mu, log phi)."""

        def kernel(y: Rows, t: Points) -> Local:
            at, phi = logit(xp, t[0]), special.exp(xp, t[1])
            mu, nu, share, rest = at.mu, at.complement, y[0], 1.0 - y[0]
            # far out a shape may underflow; its remainders have a limit there
            a, b = (xp.maximum(each * phi, 1e-307) for each in (mu, nu))
            whole = xp.maximum(phi, 1e-307)
            log_share, log_rest = xp.log(share), xp.log1p(-share)
            distance = _divergence(xp, mu, at.log_mu, share, log_share)
            distance = distance + _divergence(xp, nu, at.log_complement, rest, log_rest)
            gammas = log_gamma_rest(xp, whole) - _rest(xp, a, at.log_mu + t[1])
            gammas = gammas - _rest(xp, b, at.log_complement + t[1])
            value = gammas + 0.5 * (t[1] + at.log_mu + at.log_complement) - phi * distance
            d_a, d_b, d = digamma_rest(xp, a), digamma_rest(xp, b), digamma_rest(xp, whole)
            lean = (log_share - log_rest) - t[0]
            by_mean = (phi * mu) * nu * lean + 0.5 * (nu - mu) - nu * d_a + mu * d_b
            by_precision = 0.5 + d - d_a - d_b - phi * distance
            t_a, t_b, t_0 = trigamma_rest(xp, a), trigamma_rest(xp, b), trigamma_rest(xp, whole)
            mean = (phi * mu) * nu + 0.5 * (nu * nu + mu * mu) + nu * nu * t_a + mu * mu * t_b
            cross = 0.5 * (nu - mu) + nu * t_a - mu * t_b
            precision = 0.5 + t_a + t_b - t_0
            if information == "observed":
                mean = mean - by_mean * (nu - mu)
                cross, precision = cross - by_mean, precision - by_precision
            pairs = {(0, 0): mean, (0, 1): cross, (1, 1): precision}
            return Local(value, (by_mean, by_precision), pairs)

        return kernel

    def saturated(self, y: tuple[Array, ...]) -> Array:
        """Return -log(y (1 - y)) - log(2 pi)/2."""
        return np.asarray(-np.log(y[0]) - np.log1p(-y[0]) - HALF_LOG_TWO_PI)

    def start(self, y: tuple[Array, ...], weight: Array) -> Array:
        """Return what mean and variance say: mu (1 - mu)/v - 1 is the precision without predictors."""
        mean = float(np.average(y[0], weights=weight))
        variance = float(np.average((y[0] - mean) ** 2, weights=weight))
        mean = float(np.clip(mean, 1e-8, 1.0 - 1e-8))
        return self.begun(mean, float(np.clip(mean * (1.0 - mean) / max(variance, 1e-300) - 1.0, 0.5, 1e6)))

    def mean(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return mu."""
        return self.shapes(xp, eta)[0].mu

    def variance(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return mu (1 - mu) / (1 + phi)."""
        at, phi = self.shapes(xp, eta)
        return at.mu * at.complement / (1.0 + phi)

    def cdf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return the incomplete beta integral."""
        from scipy.special import betainc

        at, phi = self.shapes(np, eta)
        return np.asarray(betainc(at.mu * phi, at.complement * phi, np.clip(y[0], 0.0, 1.0)))

    def sf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return the complement of the incomplete beta integral, as itself."""
        from scipy.special import betaincc

        at, phi = self.shapes(np, eta)
        return np.asarray(betaincc(at.mu * phi, at.complement * phi, np.clip(y[0], 0.0, 1.0)))

    def sample(self, rng: np.random.Generator, eta: Array, given: tuple[Array, ...] = ()) -> Array:
        """Draw one share per row, inside the open interval as the support is."""
        at, phi = self.shapes(np, eta)
        draw = rng.beta(at.mu * phi, at.complement * phi)
        return np.asarray(np.clip(draw, np.finfo(np.float64).tiny, 1.0 - 2.0**-53))


def _rest(xp: Namespace, a: AnyArray, log_a: AnyArray) -> AnyArray:
    """Return `log_gamma_rest` of a shape, from its logarithm where it underflows: -log(2 pi a)/2."""
    return xp.where(log_a < -690.0, -0.5 * log_a - HALF_LOG_TWO_PI, log_gamma_rest(xp, a))


def _divergence(
    xp: Namespace, mu: AnyArray, log_mu: AnyArray, share: AnyArray, log_share: AnyArray
) -> AnyArray:
    """Return mu log(mu/share) + share - mu, never negative, finite where mu underflows."""
    excess = (share - mu) / share
    near = xp.abs(excess) < 0.25
    close = -special.log1pmx(xp, -xp.where(near, excess, 0.0))  # -log(mu/share) - excess
    far = mu * (log_mu - log_share) + (share - mu)
    ratio = xp.where(near, excess, 0.0)
    # mu log(mu/share) + share - mu = share (-(1 - e) close + e^2), e = excess: mu = share (1 - e)
    return xp.where(near, share * (ratio * ratio - (1.0 - ratio) * close), far)


@final
@dataclass(frozen=True, slots=True)
class BetaBinomial(OfBeta):
    """Successes among trials whose probability varies as a beta law: mean mu, precision phi.

    Trials are data: `em.glm("y ~ x", data, family=em.BetaBinomial(), trials="m")`, y successes of m. The
    correlation of two trials of a row is rho = 1/(1 + phi), and Var y = m mu (1 - mu) (1 + (m - 1) rho);
    phi = inf is the binomial. Means and residuals are of the proportion y/m.

    Parameters
    ----------
    link, precision_link : str or Link
        Links of mu and of phi.

    Notes
    -----
    The expected information is a sum over all outcomes without a closed form; observed information is used.

    References
    ----------
    Williams (1975), *The analysis of binary responses from toxicological experiments*, Biometrics 31.

    Examples
    --------
    >>> y = (np.array([2.0]), np.array([4.0]))
    >>> value, score, information = BetaBinomial().bind(np)(y, np.array([[0.0, np.log(2.0)]]))
    >>> print(np.exp(value + BetaBinomial().saturated(y)).round(12))  # uniform p: every count is as likely
    [0.2]
    """

    name = "beta_binomial"
    textbook = Textbook(
        "mu (1-mu) (1+(m-1) rho)/m",
        "binomial with beta p",
        ("probit", "cloglog"),
        "successes whose trials go together",
    )
    response = ("y", "trials")
    support = Support(Interval(0.0, np.inf, closed_lower=True), integer=True)
    expected_dear = True

    @property
    def limits(self) -> dict[str, tuple[str, str]]:
        """A precision without end is a binomial."""
        return {"precision": ("", "the binomial law: the trials of a row do not go together")}

    def rising(self, y: tuple[Array, ...]) -> Ways:
        """Return that no success stands a mean of 0, all successes a mean of 1, one trial any precision."""
        count, m = y
        ends = np.where(m == 0.0, 2, np.where(count == 0.0, -1, np.where(count == m, 1, 0)))
        return ways_of(ends, np.where(m <= 1.0, 2, np.where(ends != 0, -1, 0)))

    def kernel(self, xp: Namespace, information: str) -> Kernel:
        """Return the kernel in (logit mu, log phi)."""

        def kernel(y: Rows, t: Points) -> Local:
            found = _beta_binomial(xp, y[0], y[1], t)
            return found if information == "observed" else found._replace(information=_averaged(xp, y[1], t))

        return kernel

    def saturated(self, y: tuple[Array, ...]) -> Array:
        """Return the binomial log probability at mu = y/m."""
        return saturated.binomial(y[0], y[1])

    def start(self, y: tuple[Array, ...], weight: Array) -> Array:
        """Return the overall share, and the precision its variance between rows says."""
        m = y[1]
        share = np.where(m > 0.0, y[0] / np.where(m > 0.0, m, 1.0), 0.0)
        w = weight * m
        total = float(np.sum(w))
        if not total > 0.0:
            return self.begun(0.5, 10.0)
        mean = float(np.clip(np.sum(w * share) / total, 1e-6, 1.0 - 1e-6))
        # E (y - m mu)^2 = m mu nu (1 + (m - 1) rho), summed over rows
        squares = float(np.sum(weight * (y[0] - m * mean) ** 2)) / (mean * (1.0 - mean))
        room = float(np.sum(weight * m * np.maximum(m - 1.0, 0.0)))
        rho = (squares - total) / room if room > 0.0 else 0.1
        rho = float(np.clip(rho, 0.005, 0.8))
        return self.begun(mean, 1.0 / rho - 1.0)

    def mean(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return mu, the mean of the proportion."""
        return self.shapes(xp, eta)[0].mu

    def variance(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return the variance of one trial, mu (1 - mu)."""
        at, _ = self.shapes(xp, eta)
        return at.mu * at.complement

    def observed(self, y: tuple[Array, ...]) -> Array:
        """Return y/m; NaN where there are no trials."""
        return np.asarray(np.where(y[1] > 0.0, y[0], np.nan) / np.where(y[1] > 0.0, y[1], 1.0))

    def variance_of(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return mu (1 - mu) (1 + (m - 1) rho) / m."""
        at, phi = self.shapes(np, eta)
        m = np.where(y[1] > 0.0, y[1], 1.0)
        return np.asarray(at.mu * at.complement * ((m + phi) / (1.0 + phi)) / m)

    def cdf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return the sum of the probabilities up to y."""
        count = np.floor(y[0])
        return np.minimum(self._summed(y, eta, np.zeros_like(count), np.minimum(count, y[1])), 1.0)

    def sf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return the sum of the probabilities above y."""
        return np.minimum(self._summed(y, eta, np.maximum(np.floor(y[0]) + 1.0, 0.0), y[1]), 1.0)

    def _summed(self, y: tuple[Array, ...], eta: Array, first: Array, last: Array) -> Array:
        t = self.natural(np, eta)

        def log_p(j: Array, rows: Array) -> Array:
            m = np.broadcast_to(y[1][rows], j.shape)
            value = _beta_binomial(np, j, m, tuple(each[rows] for each in t)).value
            return np.asarray(value + saturated.binomial(j, m))

        with np.errstate(all="ignore"):
            return summed(log_p, first, last)

    def sample(self, rng: np.random.Generator, eta: Array, given: tuple[Array, ...] = ()) -> Array:
        """Draw each row's probability, then its successes among the trials given."""
        at, phi = self.shapes(np, eta)
        m = given[0] if given else np.ones_like(phi)
        p = rng.beta(np.maximum(at.mu * phi, 1e-300), np.maximum(at.complement * phi, 1e-300))
        return rng.binomial(m.astype(np.int64), p).astype(np.float64)


def _beta_binomial(xp: Namespace, y: AnyArray, m: AnyArray, t: Points) -> Local:
    """Return the kernel from y successes of m trials.

    With N = m + phi and d = y - m mu, successes and failures come as A = y + a = N mu (1 + d/(N mu)) and
    B = m - y + b: logarithms of these, never of gamma functions, and what Stirling's formula leaves. As phi
    grows the value becomes minus half the binomial deviance and everything by log phi vanishes.
    """
    at, s = logit(xp, t[0]), xp.minimum(t[1], BINOMIAL)
    phi = xp.maximum(special.exp(xp, s), 1e-307)
    mu, nu, left, n = at.mu, at.complement, m - y, m + phi
    d, q = y * nu - left * mu, phi / n
    one = _side(xp, y, m, d, (mu, at.log_mu), (phi, s), n)
    two = _side(xp, left, m, -d, (nu, at.log_complement), (phi, s), n)
    together = special.softplus(xp, xp.log(xp.where(m > 0.0, m, 1.0)) - s)  # log(1 + m / phi)
    log_gammas = _rest(xp, phi, s) - log_gamma_rest(xp, n) + 0.5 * together
    value = one.value + two.value + log_gammas
    digammas = digamma_rest(xp, phi) - q * digamma_rest(xp, n)
    trigammas = trigamma_rest(xp, phi) - q * q * trigamma_rest(xp, n)
    by_mean = (phi * mu) * nu * (one.log - two.log) + nu * one.slope - mu * two.slope
    by_precision = one.slope + two.slope + digammas - 0.5 * (m / n) - one.entropy - two.entropy
    lean = q * q * d
    cross = (
        (nu * one.entropy - mu * two.entropy)
        - (m / n) * (q * d)
        + (lean * mu * (d / two.whole) - lean * nu * (d / one.whole))
        + nu * one.curve
        - mu * two.curve
    )
    precision = (
        (one.entropy + two.entropy)
        - (q * d / one.whole) * (q * d / two.whole) * n
        + (one.curve + two.curve - digammas - trigammas - 0.5 * (m / n) * q)
    )
    mean = (nu - mu) * cross + mu * nu * (one.bend + two.bend)
    some = m > 0.0
    local = (value, by_mean, by_precision, mean, cross, precision)
    value, by_mean, by_precision, mean, cross, precision = (xp.where(some, each, 0.0) for each in local)
    return Local(value, (by_mean, by_precision), {(0, 0): mean, (0, 1): cross, (1, 1): precision})


def _averaged(xp: Namespace, m: AnyArray, t: Points) -> Pairs:
    """Return the mean of the squared score over the counts 0, ..., m, one probability after the other."""
    at, phi = logit(xp, t[0]), xp.maximum(special.exp(xp, t[1]), 1e-307)
    a, b = xp.maximum(at.mu * phi, 1e-307), xp.maximum(at.complement * phi, 1e-307)
    log_p = _beta_binomial(xp, xp.zeros_like(m), m, t).value
    total = dict.fromkeys(((0, 0), (0, 1), (1, 1)), xp.zeros_like(log_p))
    for j in range(int(xp.max(m)) + 1):
        there = m >= j
        by = _beta_binomial(xp, xp.minimum(0.0 * m + j, m), m, t).score
        p = xp.where(there, xp.exp(log_p), 0.0)
        total = {key: each + p * by[key[0]] * by[key[1]] for key, each in total.items()}
        left = xp.where(m > j, m - j, 1.0)
        log_p = log_p + (xp.log(left / (j + 1.0)) + xp.log((a + j) / (b + left - 1.0)))
    return total


class _Side(NamedTuple):
    """What successes or failures y say: their shape is a = phi mu, `whole` A = y + a, `log` log(A/(N mu))."""

    value: AnyArray
    whole: AnyArray
    log: AnyArray
    entropy: AnyArray
    """a (e - log(1 + e)), e = A/(N mu) - 1: never negative."""
    slope: AnyArray
    """a (digamma(A) - digamma(a) - log(A/a))."""
    bend: AnyArray
    """-a^2 (trigamma(A) - trigamma(a))."""
    curve: AnyArray
    """bend - slope without their common leading term a y / A."""


def _side(
    xp: Namespace,
    y: AnyArray,
    m: AnyArray,
    d: AnyArray,
    mean: tuple[AnyArray, AnyArray],
    precision: tuple[AnyArray, AnyArray],
    n: AnyArray,
) -> _Side:
    (mu, log_mu), (phi, s) = mean, precision
    some = y > 0.0
    count, log_a = xp.where(some, y, 1.0), log_mu + s
    a = xp.maximum(mu * phi, 1e-307)
    whole = y + a
    log_count, part = xp.log(count), (phi / n) * d
    log_whole = xp.where(some, xp.log(xp.where(some, whole, 1.0)), log_a)
    excess = d / (n * xp.maximum(mu, 1e-307))
    near = xp.abs(excess) < 0.25
    close = xp.where(near, excess, 0.0)
    log = xp.where(near, xp.log1p(close), log_whole - xp.log(n) - log_mu)
    entropy = xp.where(near, -a * special.log1pmx(xp, close), part - a * log)
    off = -part / count
    by = some & (xp.abs(off) < 0.25)
    log_off = special.softplus(xp, log_a - log_count) - xp.log1p(phi / xp.where(m > 0.0, m, 1.0))
    events = xp.where(by, -count * special.log1pmx(xp, xp.where(by, off, 0.0)), -part - count * log_off)
    events = xp.where(some, events, -part)
    rests = log_gamma_rest(xp, whole) - _rest(xp, a, log_a) - 0.5 * special.softplus(xp, log_count - log_a)
    back, gone = a / whole, y / whole
    digammas = back * digamma_rest(xp, whole) - digamma_rest(xp, a)
    trigammas = back * back * trigamma_rest(xp, whole) - trigamma_rest(xp, a)
    return _Side(
        xp.where(some, rests, 0.0) - events - entropy,
        whole,
        log,
        entropy,
        digammas + 0.5 * gone,
        (a + 0.5 * (1.0 + back)) * gone - trigammas,
        0.5 * gone * back - digammas - trigammas,
    )
