"""Both tails and a sampler of each named law, every tail computed as itself and never as one minus the other.

May import: `etamu._base`, `etamu.family.saturated`, `.stable`, `.tilted`, `.tweedie`, numpy; scipy inside
functions. Read next: `etamu.family.distribution`, which picks a law for a family.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.family import saturated, stable, tilted, tweedie

_ON_LATTICE = 1e-9
_CLOSED_FORM_BELOW = 10.0
_CLOSED_FORM_LOSS = 0.05


@dataclass(frozen=True, slots=True)
class Setting:
    """The parameters of each row, all of one shape; trials is 1 where there are none, limit the largest y."""

    mu: Array
    complement: Array
    dispersion: Array
    trials: Array
    limit: Array


Tail = Callable[[Array, Setting], Array]
Sampler = Callable[["np.random.Generator", Setting], Array]  # in quotes: NumPy loads it when asked


def _everywhere(y: Array, at: Setting) -> Mask:  # noqa: ARG001 (a law's signature)
    return np.ones(y.shape, dtype=np.bool_)


class Law(NamedTuple):
    """The log density at mu = y, P(Y <= y), P(Y > y), and one draw per row.

    discrete says whether only a lattice has positive probability, reachable which y of the support lie on it.
    """

    saturated: Tail
    cdf: Tail
    sf: Tail
    sample: Sampler
    discrete: bool = False
    reachable: Callable[[Array, Setting], Mask] = _everywhere


def gaussian() -> Law:
    """State the normal law of mean mu and variance phi."""
    from scipy.special import ndtr

    def standardised(y: Array, at: Setting) -> Array:
        return np.asarray((y - at.mu) / np.sqrt(at.dispersion))

    return Law(
        lambda y, at: saturated.gaussian(y, at.dispersion),
        lambda y, at: ndtr(standardised(y, at)),
        lambda y, at: ndtr(-standardised(y, at)),
        lambda rng, at: at.mu + np.sqrt(at.dispersion) * rng.standard_normal(at.mu.shape),
    )


def bernoulli() -> Law:
    """State the law of one success or failure: the binomial law of one trial."""
    return binomial()._replace(saturated=lambda y, at: saturated.bernoulli(y, at.dispersion))


def binomial() -> Law:
    """State the law of the successes among m trials, each with probability mu.

    P(S > s) is the incomplete beta integral I_mu(s + 1, m - s), taken from whichever of mu and 1 - mu is
    smaller.
    """
    from scipy.special import betainc, betaincc

    def tail(y: Array, at: Setting, *, upper: bool) -> Array:
        s = np.floor(y)
        inside = (s >= 0.0) & (s < at.trials)
        s = np.where(inside, s, 0.0)
        left = np.where(inside, at.trials - s, 1.0)
        small, large = (betainc, betaincc) if upper else (betaincc, betainc)
        value = np.where(at.mu <= 0.5, small(s + 1.0, left, at.mu), large(left, s + 1.0, at.complement))
        return np.where(inside, value, np.where((y < 0.0) == upper, 1.0, 0.0))

    def sample(rng: np.random.Generator, at: Setting) -> Array:
        rare = rng.binomial(at.trials.astype(np.int64), np.minimum(at.mu, at.complement))
        return np.where(at.mu <= 0.5, rare, at.trials - rare)

    return Law(
        lambda y, at: saturated.binomial(y, at.trials),
        lambda y, at: tail(y, at, upper=False),
        lambda y, at: tail(y, at, upper=True),
        sample,
        discrete=True,
    )


COUNTABLE = 9e18
"""What an integer holds."""


def poisson_draws(rng: np.random.Generator, rate: Array) -> Array:
    """Draw Poisson counts; beyond what an integer holds a count is its mean, to nine digits.

    Examples
    --------
    >>> poisson_draws(np.random.default_rng(0), np.array([0.0, 1e30, np.nan]))
    array([0.e+00, 1.e+30,     nan])
    """
    small = rate < COUNTABLE
    return np.where(small, rng.poisson(np.where(small, rate, 0.0)), rate)


def poisson() -> Law:
    """State the Poisson law of mean mu."""
    from scipy.special import gammainc, gammaincc

    def cdf(y: Array, at: Setting) -> Array:
        return np.where(y < 0.0, 0.0, gammaincc(np.floor(np.maximum(y, 0.0)) + 1.0, at.mu))

    def sf(y: Array, at: Setting) -> Array:
        return np.where(y < 0.0, 1.0, gammainc(np.floor(np.maximum(y, 0.0)) + 1.0, at.mu))

    def sample(rng: np.random.Generator, at: Setting) -> Array:
        return poisson_draws(rng, at.mu)

    return Law(lambda y, at: saturated.poisson(y, at.dispersion), cdf, sf, sample, discrete=True)


def scaled_poisson() -> Law:
    """State the law of phi times a Poisson count of mean mu/phi, which lives on the multiples of phi."""
    count = poisson()

    def counts(at: Setting) -> Setting:
        return replace(at, mu=at.mu / at.dispersion)

    def reachable(y: Array, at: Setting) -> Mask:
        multiple = lattice(y, at.dispersion)
        return np.asarray(multiple == np.rint(multiple))

    return Law(
        lambda y, at: saturated.poisson(lattice(y, at.dispersion)),
        lambda y, at: count.cdf(lattice(y, at.dispersion), counts(at)),
        lambda y, at: count.sf(lattice(y, at.dispersion), counts(at)),
        lambda rng, at: at.dispersion * count.sample(rng, counts(at)),
        discrete=True,
        reachable=reachable,
    )


def lattice(y: Array, spacing: Array) -> Array:
    """Divide y by the spacing, exactly a whole number where it is one but for rounding."""
    quotient = y / spacing
    whole = np.rint(quotient)
    return np.where(np.abs(quotient - whole) <= _ON_LATTICE * np.maximum(1.0, np.abs(whole)), whole, quotient)


def negative_binomial(theta: float) -> Law:
    """State the law of a Poisson count whose mean is gamma with shape theta and mean mu.

    P(Y > y) is I_q(y + 1, theta), q = mu/(mu + theta), taken from whichever of q and 1 - q is smaller.
    """
    from scipy.special import betainc, betaincc

    def tail(y: Array, at: Setting, *, upper: bool) -> Array:
        above = np.floor(np.maximum(y, 0.0)) + 1.0
        small, large = (betainc, betaincc) if upper else (betaincc, betainc)
        total = at.mu + theta
        value = np.where(
            at.mu <= theta, small(above, theta, at.mu / total), large(theta, above, theta / total)
        )
        return np.where(y < 0.0, 1.0 if upper else 0.0, value)

    def sample(rng: np.random.Generator, at: Setting) -> Array:
        return poisson_draws(rng, rng.standard_gamma(theta, at.mu.shape) * (at.mu / theta))

    return Law(
        lambda y, at: saturated.negative_binomial(y, at.dispersion, theta),
        lambda y, at: tail(y, at, upper=False),
        lambda y, at: tail(y, at, upper=True),
        sample,
        discrete=True,
    )


def gamma() -> Law:
    """State the gamma law of shape 1/phi and mean mu."""
    from scipy.special import gammainc, gammaincc

    def ratio(y: Array, at: Setting) -> Array:
        return np.asarray(np.maximum(y, 0.0) / (at.mu * at.dispersion))

    def sample(rng: np.random.Generator, at: Setting) -> Array:
        draw = rng.standard_gamma(1.0 / at.dispersion) * (at.mu * at.dispersion)
        # A small shape puts real mass below the smallest float; 0 itself is outside the support.
        return np.maximum(draw, np.finfo(np.float64).tiny)

    return Law(
        lambda y, at: saturated.gamma(y, at.dispersion),
        lambda y, at: gammainc(1.0 / at.dispersion, ratio(y, at)),
        lambda y, at: gammaincc(1.0 / at.dispersion, ratio(y, at)),
        sample,
    )


def inverse_gaussian() -> Law:
    """State the inverse Gaussian law of mean mu and shape 1/phi.

    With z = (y - mu)/(mu sqrt(phi y)) and b = (y + mu)/(mu sqrt(phi y)), b^2 - z^2 = 4/(phi mu) and so
    exp(2/(phi mu)) Phi(-b) = exp(-z^2/2) erfcx(b/sqrt 2)/2: nothing overflows however small phi mu is. Where
    the upper tail would be a difference of two nearly equal terms, the integral of `etamu.family.stable` is
    used.

    Source: G. Giner and G. K. Smyth, statmod: probability calculations for the inverse Gaussian distribution
    (2016).
    """

    def cdf(y: Array, at: Setting) -> Array:
        z, reflected = _inverse_gaussian_terms(y, at)
        return np.where(y > 0.0, np.minimum(_normal_tail(-z) + reflected, 1.0), 0.0)

    def sf(y: Array, at: Setting) -> Array:
        z, reflected = _inverse_gaussian_terms(y, at)
        straight = _normal_tail(z)
        value = np.array(straight - reflected)
        lost = (y > 0.0) & ((y > _CLOSED_FORM_BELOW * at.mu) | (value < _CLOSED_FORM_LOSS * straight))
        value[lost] = stable.sf(y[lost] / at.mu[lost], at.dispersion[lost] * at.mu[lost], 3.0)
        return np.where(y > 0.0, value, 1.0)

    def sample(rng: np.random.Generator, at: Setting) -> Array:
        return at.mu * tilted.sample(rng, at.dispersion * at.mu, 3.0)

    return Law(lambda y, at: saturated.inverse_gaussian(y, at.dispersion), cdf, sf, sample)


def _inverse_gaussian_terms(y: Array, at: Setting) -> tuple[Array, Array]:
    """Compute z and exp(2/(phi mu)) Phi(-b)."""
    from scipy.special import erfcx

    amount = np.where(y > 0.0, y, at.mu)
    root = at.mu * np.sqrt(at.dispersion * amount)
    z, b = (amount - at.mu) / root, (amount + at.mu) / root
    return z, 0.5 * np.exp(-0.5 * z * z) * erfcx(b * math.sqrt(0.5))


def _normal_tail(z: Array) -> Array:
    from scipy.special import ndtr

    return np.asarray(ndtr(-z))


def power_law(power: float) -> Law:
    """State the Tweedie law of one power: 0, 1, (1, 2), 2 and above."""
    named = {0.0: gaussian, 1.0: scaled_poisson, 2.0: gamma, 3.0: inverse_gaussian}
    if power in named:
        return named[power]()

    def inside(tail: Callable[[Array, Array, Array, float], Array], below: float) -> Tail:
        def values(y: Array, at: Setting) -> Array:
            return np.where(y >= 0.0, tail(np.maximum(y, 0.0), at.mu, at.dispersion, power), below)

        return values

    return Law(
        lambda y, at: saturated.tweedie(y, at.dispersion, power),
        inside(tweedie.cdf, 0.0),
        inside(tweedie.sf, 1.0),
        lambda rng, at: tweedie.sample(rng, at.mu, at.dispersion, power),
    )
