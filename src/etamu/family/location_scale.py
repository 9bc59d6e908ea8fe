"""Location and scale: a family of one mean whose dispersion is a second linear predictor, on the log scale.

May import: _base, family.distribution, family.family, family.link, family.links, family.quantile,
 family.remainders, family.stirling, family.tweedie, family.unit, family.vector.
Read next: `etamu.vector.dispersed`, which fits it by REML.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, final

import numpy as np

from etamu._base.errors import FamilyError
from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Interval, Namespace
from etamu.family import families as own
from etamu.family import tweedie
from etamu.family.distribution import distribution
from etamu.family.family import Family, Support
from etamu.family.link import Link
from etamu.family.links import Log
from etamu.family.quantile import Mixture, quantile
from etamu.family.remainders import digamma_rest, log_gamma_rest, trigamma_rest
from etamu.family.stirling import HALF_LOG_TWO_PI
from etamu.family.unit import Unit
from etamu.family.vector import Parameter, Rows, VectorBound, VectorFamily


class Norm(NamedTuple):
    """What of log f, less `base`, depends on t = log phi and not on the mean: value and two derivatives."""

    value: AnyArray
    slope: AnyArray
    bend: AnyArray


def base(power: float, y: Array) -> Array:
    """Return -(log V(y) + log 2 pi) / 2, the saddlepoint's terms of y alone; 0 where y is an exact 0."""
    some = y > 0.0 if power > 0.0 else np.ones(y.shape, dtype=bool)
    return np.where(some, -HALF_LOG_TWO_PI - 0.5 * power * np.log(np.where(some & (y > 0.0), y, 1.0)), 0.0)


def root(xp: Namespace, y: AnyArray, t: AnyArray, power: float) -> Norm:
    """Return -log(phi) / 2, of the Gaussian and the inverse Gaussian family."""
    del y, power
    return Norm(-0.5 * t, -0.5 * xp.ones_like(t), xp.zeros_like(t))


def gamma(xp: Namespace, y: AnyArray, t: AnyArray, power: float) -> Norm:
    """Return a log a - a - log Gamma(a) + log(2 pi) / 2 with a = 1/phi, by what Stirling's formula leaves."""
    del y, power
    a = xp.exp(-t)
    digamma = digamma_rest(xp, a)
    return Norm(-0.5 * t - log_gamma_rest(xp, a), digamma - 0.5, -digamma - trigamma_rest(xp, a))


def series(xp: Namespace, y: AnyArray, t: AnyArray, power: float) -> Norm:
    """Return the same of a Tweedie law, by its density at mu = y; nothing at an exact 0 (NumPy)."""
    del xp
    some = np.asarray(y) > 0.0
    amount, log_phi = np.asarray(y)[some], np.asarray(t)[some]
    value, slope, bend = (np.zeros(some.shape) for _ in range(3))
    value[some] = tweedie.saturated(amount, np.exp(log_phi), power) - base(power, amount)
    slope[some], bend[some] = tweedie.bends(log_phi + (power - 2.0) * np.log(amount), power)
    return Norm(value, slope, bend)


NORMS = {own.Gaussian: root, own.InverseGaussian: root, own.Gamma: gamma, own.PowerVariance: series}
"""Families whose density is known as a function of phi, and what it holds."""


@final
@dataclass(frozen=True, slots=True)
class LocationScale(VectorFamily):
    """Mean and dispersion as two linear predictors: g(mu) = x' beta and log phi = z' gamma.

    Known as double or joint generalized linear model, and for the Gaussian family as heteroscedastic or
    location-scale regression. Var y = phi V(mu) / w, w the variance weight.

    Parameters
    ----------
    family : Family
        Gaussian, gamma, inverse Gaussian or Tweedie, its power given.
    link : Link
        Of the mean.
    formula : str
        Right side of the dispersion, "~ z".
    adjusted : bool
        Whether the response has a second column, the leverage of the row in the fit of the mean: REML.

    References
    ----------
    Smyth (1989), Generalized linear models with varying dispersion, J. R. Stat. Soc. B 51.
    Smyth and Verbyla (1999), Adjusted likelihood methods for modelling dispersion, Environmetrics 10.
    """

    family: Family
    link: Link
    formula: str = "~ 1"
    adjusted: bool = False
    name = "location_scale"

    def __post_init__(self) -> None:
        if self.norm is None:
            known = "its dispersion is 1" if self.family.dispersion_known else "its density is not known"
            raise FamilyError(
                f"dispersion={self.formula!r} models the dispersion of gaussian, gamma, inverse_gaussian and "
                f"tweedie; of {self.family.name} {known}"
            )

    @property
    def norm(self) -> Callable[..., Norm] | None:
        """Return what the density holds of the dispersion, None where it is not known."""
        return NORMS.get(type(self.family.named.kin)) if self.family.has_density else None

    @property
    def unit(self) -> Unit:
        """Return the family of the mean with its link."""
        return Unit(self.family, self.link)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return the mean and the dispersion."""
        scale = Parameter("dispersion", Log(), formula=self.formula, weighted=True)
        return Parameter("mean", self.link, main=True), scale

    @property
    def call(self) -> tuple[str, ...]:
        """Return what of the call makes it."""
        method = ('dispersion_method="reml"',) if self.adjusted else ()
        said = (f'family="{self.family}"', f'link="{self.link.name}"', f'dispersion="{self.formula}"')
        return (*said, *method)

    @property
    def expected_known(self) -> bool:
        """The information of a Tweedie law about its dispersion is an average that has no closed form."""
        return self.norm is not series

    @property
    def response(self) -> tuple[str, ...]:
        """Return ("y",), or with the leverages beside."""
        return ("y", "leverage") if self.adjusted else ("y",)

    @property
    def support(self) -> Support:
        """Return the support of the family."""
        return self.family.support

    def bind(self, xp: Namespace, information: str = "expected") -> VectorBound:
        """Return f(y, eta) -> (value, score, information); expected, mean and dispersion are orthogonal."""
        kernel, norm = self.unit.bind(xp, information), self.norm
        power = self.family.variance_power
        assert norm is not None
        assert power is not None

        def bound(y: Rows, eta: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
            t = eta[:, 1]
            inside = self.unit.domain.contains(eta[:, 0])
            harmless = _inside(self.unit.domain)
            v, u, w = kernel(y[:1], xp.where(inside, eta[:, 0], harmless))
            log_norm, slope, bend = norm(xp, y[0], t, power)
            precision = xp.exp(-t)
            pull = 0.5 * y[1] if len(y) > 1 else 0.0
            value = xp.where(inside, log_norm + v * precision + pull * t, -xp.inf)
            score = xp.stack([u * precision, slope - v * precision + pull], axis=1)
            if information == "expected" and not self.expected_known:
                cross, own_scale = xp.zeros_like(t), (slope - v * precision) ** 2  # unbiased, never negative
            elif information == "expected":
                cross, own_scale = xp.zeros_like(t), -bend - slope - pull
            else:
                cross, own_scale = u * precision, -bend - v * precision
            rows = [xp.stack([w * precision, cross], axis=1), xp.stack([cross, own_scale], axis=1)]
            return value, score, xp.stack(rows, axis=1)

        return bound

    def saturated(self, y: tuple[Array, ...]) -> Array:
        """Return the terms of y alone: -(log V(y) + log 2 pi) / 2."""
        assert self.family.variance_power is not None
        return base(self.family.variance_power, y[0])

    def start(self, y: tuple[Array, ...], weight: Array) -> Array:
        """Return the family's first eta of each row, and one log phi from the spread about the mean."""
        mean = np.average(y[0], weights=weight)
        squares = np.average((y[0] - mean) ** 2, weights=weight)
        phi = squares / float(self.family.variance(np, mean, 1.0 - mean))
        level = math.log(phi) if phi > 0.0 else 0.0
        eta = self.unit.start(y[:1], weight)
        return np.stack([eta, np.full(len(eta), level)], axis=1)

    def mean(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return mu."""
        return self.link.inverse(xp, eta[:, 0]).mu

    def variance(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return phi V(mu)."""
        mean = self.link.inverse(xp, eta[:, 0])
        return xp.exp(eta[:, 1]) * self.family.variance(xp, mean.mu, mean.complement)

    def cdf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return P(Y <= y)."""
        return distribution(self.family).cdf(y[0], self.mean(np, eta), np.exp(eta[:, 1]))

    def sf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return P(Y > y)."""
        return distribution(self.family).sf(y[0], self.mean(np, eta), np.exp(eta[:, 1]))

    def drawn(self, uniform: Array, eta: Array) -> Array:
        """Turn a uniform number per row into a response, by the quantile of the law."""
        mean = self.link.inverse(np, eta[:, 0])
        columns = np.asarray(mean.mu)[:, None], np.asarray(mean.complement)[:, None], np.ones((len(eta), 1))
        return quantile(Mixture(distribution(self.family), *columns, np.exp(eta[:, 1]), None), uniform)

    def sample(self, rng: np.random.Generator, eta: Array, given: tuple[Array, ...] = ()) -> Array:
        """Draw one response for each row."""
        return distribution(self.family).sample(rng, self.mean(np, eta), np.exp(eta[:, 1]))


def _inside(domain: Interval) -> float:
    """Return an eta inside a domain, where rows outside are looked at for nothing."""
    candidates = (0.0, 1.0, -1.0)
    return next(each for each in candidates if domain.contains(each))
