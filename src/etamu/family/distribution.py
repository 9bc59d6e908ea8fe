"""The complete law of a response: density, both tails and draws, for every family that has one.

May import: `etamu._base`, `etamu.family.laws`, `.implied`, the families, numpy.
Read next: `etamu.family.laws`, one function per law.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict, Unpack, final

import numpy as np
from numpy.typing import ArrayLike

from etamu._base.errors import DataError, NotAvailableError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.family import borrowed, families, laws
from etamu.family.derived import Derived
from etamu.family.family import Family
from etamu.family.implied import implied_law
from etamu.family.laws import Law, Setting

_LAWS: dict[type[Family], Callable[[Any], Law | None]] = {
    families.Gaussian: lambda _: laws.gaussian(),
    families.Bernoulli: lambda _: laws.bernoulli(),
    borrowed.Binomial: lambda _: laws.binomial(),
    families.Poisson: lambda _: laws.poisson(),
    families.NegativeBinomial: lambda family: laws.negative_binomial(family.theta),
    families.Gamma: lambda _: laws.gamma(),
    families.InverseGaussian: lambda _: laws.inverse_gaussian(),
    borrowed.Tweedie: lambda family: laws.power_law(float(family.power)),
    Derived: lambda family: None if family.implied is None else implied_law(family.implied),
}

_REMEDY: dict[type[Family], str] = {
    borrowed.QuasiPoisson: "use Tweedie(power=1) for phi times a Poisson count, or NegativeBinomial(theta)",
    borrowed.QuasiBinomial: "use Binomial() for counts of successes among trials",
    borrowed.Quasi: "use Tweedie(power) if the variance is a power of the mean",
}

_WHY: dict[type[Family], Callable[[Any], str]] = {Derived: lambda family: family.lawless}


class Given(TypedDict, total=False):
    """What a mean and a dispersion leave open, by keyword."""

    complement: ArrayLike
    trials: ArrayLike


@final
@dataclass(frozen=True, slots=True)
class Distribution:
    """The law of a response of one family at given means and dispersions; made by `distribution`.

    Every method is elementwise and broadcasts. `mu` is the mean (for Binomial the mean proportion, while y
    and draws count the successes among `trials`). `dispersion` is phi, or phi over the variance weight;
    families that know theirs ignore it. `complement` is 1 - mu, needed by Bernoulli and Binomial where mu
    rounds to 1. Both come last and by keyword.
    """

    family: Family

    @property
    def discrete(self) -> bool:
        """Whether only points of a lattice have positive probability."""
        return _law(self.family).discrete

    def mean(self, mu: ArrayLike, dispersion: ArrayLike = 1.0, **given: Unpack[Given]) -> Array:
        """Return E Y: mu, times the trials."""
        zero, at = _rows(self.family, 0.0, mu, dispersion, given)
        return np.asarray(zero + at.mu * at.trials)

    def variance(self, mu: ArrayLike, dispersion: ArrayLike = 1.0, **given: Unpack[Given]) -> Array:
        """Return Var Y = phi V(mu), times the trials."""
        zero, at = _rows(self.family, 0.0, mu, dispersion, given)
        return np.asarray(zero + at.trials * at.dispersion * self.family.variance(np, at.mu, at.complement))

    def logpdf(
        self, y: ArrayLike, mu: ArrayLike, dispersion: ArrayLike = 1.0, **given: Unpack[Given]
    ) -> Array:
        """Compute saturated(y, phi) - d(y, mu)/(2 phi), a log density or probability; -inf off the support.

        Examples
        --------
        >>> print(distribution(families.Poisson()).logpdf([0, 1, 1.5], 2.0).round(6))
        [-2.       -1.306853      -inf]
        """
        y, at = _rows(self.family, y, mu, dispersion, given)
        law = _law(self.family)
        inside = (
            self.family.support.contains(y)
            & (y <= at.limit)
            & law.reachable(np.where(np.isfinite(y), y, 0.0), at)
        )
        safe = np.where(inside, y, 0.0 if law.discrete else at.mu)
        deviance = self.family.deviance(np, safe / at.trials, at.mu, at.complement)
        value = law.saturated(safe, at) - 0.5 * at.trials * deviance / at.dispersion
        return np.where(inside, value, np.where(np.isnan(y), np.nan, -np.inf))

    def cdf(self, y: ArrayLike, mu: ArrayLike, dispersion: ArrayLike = 1.0, **given: Unpack[Given]) -> Array:
        """Compute P(Y <= y), relatively accurate however small it is.

        Examples
        --------
        >>> print(f"{distribution(families.Gaussian()).cdf(-30.0, 0.0):.6e}")
        4.906714e-198
        """
        y, at = _rows(self.family, y, mu, dispersion, given)
        return _at_ends(y, _law(self.family).cdf(np.where(np.isfinite(y), y, 0.0), at), lower=0.0)

    def sf(self, y: ArrayLike, mu: ArrayLike, dispersion: ArrayLike = 1.0, **given: Unpack[Given]) -> Array:
        """Compute P(Y > y), relatively accurate however small it is.

        Examples
        --------
        >>> print(f"{distribution(families.Gamma()).sf(500.0, 1.0):.6e}")
        7.124576e-218
        """
        y, at = _rows(self.family, y, mu, dispersion, given)
        return _at_ends(y, _law(self.family).sf(np.where(np.isfinite(y), y, 0.0), at), lower=1.0)

    def sample(
        self, rng: np.random.Generator, mu: ArrayLike, dispersion: ArrayLike = 1.0, **given: Unpack[Given]
    ) -> Array:
        """Draw one value for each mean.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> draws = distribution(borrowed.Tweedie(1.5)).sample(rng, np.full(20000, 2.0), 0.5)
        >>> bool(abs(draws.mean() - 2.0) < 0.03), bool(draws.min() == 0.0)
        (True, True)
        """
        zero, at = _rows(self.family, 0.0, mu, dispersion, given)
        return np.asarray(zero + _law(self.family).sample(rng, at))


def distribution(family: Family) -> Distribution:
    """Return the law of a family's response.

    Parameters
    ----------
    family
        A value such as `Poisson()` or `Tweedie(power=1.5)`.

    Raises
    ------
    NotAvailableError
        Where the family states a variance and no law.

    Examples
    --------
    >>> distribution(families.Poisson()).discrete
    True
    """
    if family.unknown:
        raise NotAvailableError(f"{family} has no law until its {family.unknown} is known: give it")
    if _known(family) is None:
        why = _WHY.get(type(family))
        remedy = why(family) if why else _REMEDY.get(type(family), "its law is not known")
        raise NotAvailableError(f"{family} states a variance function and no distribution: {remedy}")
    return Distribution(family)


def _law(family: Family) -> Law:
    law = _known(family)
    assert law is not None
    return law


def _known(family: Family) -> Law | None:
    make = _LAWS.get(type(family.named))
    return None if make is None else make(family.named)


def _rows(
    family: Family, y: ArrayLike, mu: ArrayLike, dispersion: ArrayLike, given: Given
) -> tuple[Array, Setting]:
    """Broadcast everything to float64 rows; y, so every answer, is NaN where a parameter is not finite."""
    counted = len(family.response) > 1
    if counted != ("trials" in given):
        raise DataError(f"the distribution of {family} {'needs' if counted else 'has no'} trials=")
    phi = 1.0 if family.dispersion_known else dispersion
    mean = np.asarray(mu, dtype=np.float64)
    columns = (y, mean, given.get("complement", 1.0 - mean), phi, given.get("trials", 1.0))
    values, *parameters = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in columns))
    known = np.logical_and.reduce([np.isfinite(each) for each in parameters])
    mean, complement, spread, trials = (
        np.where(known, each, harmless)
        for each, harmless in zip(parameters, (0.5, 0.5, 1.0, 1.0), strict=True)
    )
    limit = trials if counted else np.full(values.shape, np.inf)
    return np.where(known, values, np.nan), Setting(mean, complement, spread, trials, limit)


def _at_ends(y: Array, value: Array, *, lower: float) -> Array:
    """Set what no law is asked: NaN stays NaN, and the tails at plus and minus infinity are 0 or 1."""
    ends = np.where(y == np.inf, 1.0 - lower, np.where(y == -np.inf, lower, np.nan))
    return np.where(np.isfinite(y), value, ends)
