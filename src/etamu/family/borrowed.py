"""The families that reuse another's formulas: trials, quasi-likelihoods and the Tweedie powers.

May import: _base, family.family, family.families, family.links, family.saturated.
Read next: `etamu.family.unit`, which pairs a family with a link.
"""

from __future__ import annotations

import math
import re
from typing import final

import numpy as np

from etamu._base.errors import FamilyError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.family import families as own
from etamu.family import saturated
from etamu.family.family import Borrowed, Family, Support, Textbook, Unknown, is_number
from etamu.family.link import Link
from etamu.family.links import Identity, Log
from etamu.family.special import positive


@final
@dataclass(frozen=True, slots=True)
class QuasiBinomial(Borrowed):
    """A proportion between 0 and 1 with variance phi mu (1 - mu)."""

    name = "quasibinomial"
    support = Support(own.CLOSED_UNIT)
    has_density = False
    kin = own.Bernoulli()
    textbook = Textbook("mu (1 - mu)", "-", ("probit", "cloglog"), "proportions with free dispersion")


@final
@dataclass(frozen=True, slots=True)
class Binomial(Borrowed):
    """A number of successes among a known number of trials; the mean is the proportion."""

    name = "binomial"
    response = ("successes", "trials")
    support = Support(own.NON_NEGATIVE, integer=True)
    dispersion_known = True
    kin = QuasiBinomial()
    single = own.Bernoulli()
    textbook = Textbook("mu (1 - mu)", "log(1 + exp(theta))", ("probit", "cloglog"), "successes of trials")

    def saturated(self, y: tuple[Array, ...], dispersion: Array) -> Array:
        """Return the log probability of the successes at their own proportion."""
        return saturated.binomial(y[0], y[1])


@final
@dataclass(frozen=True, slots=True)
class QuasiPoisson(Borrowed):
    """A count or rate with variance phi mu."""

    name = "quasipoisson"
    support = Support(own.NON_NEGATIVE)
    has_density = False
    kin = own.Poisson()
    textbook = Textbook("mu", "-", ("identity", "sqrt"), "counts and rates with free dispersion")


def _of_power(power: float) -> Family:
    """Return the family that states the formulas of V = mu^power."""
    named = {0.0: own.Gaussian(), 1.0: QuasiPoisson(), 2.0: own.Gamma(), 3.0: own.InverseGaussian()}
    return named.get(power) or own.PowerVariance(power)


@final
@dataclass(frozen=True, slots=True)
class Tweedie(Borrowed):
    """V = mu^power: Gaussian at 0, Poisson-like at 1, amounts with exact zeros between 1 and 2, gamma at 2.

    Power 1 is phi times a Poisson count of mean mu / phi, that is `QuasiPoisson`. No such model exists for a
    power between 0 and 1; below 0 it has no use. The default link is the log for every power from 1 on.

    Left out, the power is estimated by maximum likelihood with the coefficients, between 1.01 and 1.99.

    Examples
    --------
    >>> Tweedie(power=1.5).support
    non-negative numbers
    """

    power: float = Unknown()
    name = "tweedie"
    textbook = Textbook(
        "mu^p", "((1-p) theta)^((2-p)/(1-p))/(2-p)", ("identity",), "amounts with zeros, p given or estimated"
    )

    def __post_init__(self) -> None:
        if not self.unknown and not (is_number(self.power) and (self.power == 0.0 or self.power >= 1.0)):
            raise FamilyError(
                f"Tweedie(power={self.power!r}): no such model exists; power is 0 or at least 1 "
                "(for a quasi-likelihood with any power use Quasi(variance=power))"
            )
        if not self.unknown and self.power > STEEPEST:
            raise FamilyError(
                f"Tweedie(power={self.power!r}): mu^power leaves the floating-point numbers; no data need a "
                f"power above {STEEPEST:g}, and powers of 1 to 3 describe amounts"
            )

    @property
    def kin(self) -> Family:
        """Return the family that states V = mu^power."""
        return _of_power(float(self.power))

    @property
    def likelihood_dispersion(self) -> str:
        """Tell which phi the log-likelihood holds: that of the kin."""
        return self.kin.likelihood_dispersion

    @property
    def default_link(self) -> Link:
        """Return the log link, but the identity for power 0."""
        return Log() if self.power >= 1.0 else Identity()

    @property
    def has_density(self) -> bool:
        """Tell whether a likelihood exists: not for power 1, which is a quasi-likelihood."""
        return self.power != 1.0

    def saturated(self, y: tuple[Array, ...], dispersion: Array) -> Array:
        """Return the kin's log density at mu = y."""
        return self.kin.saturated(y, dispersion)


STEEPEST = 100.0
"""Largest power of a Tweedie variance: up to it means of a thousand and a thousandth have one in floats."""

_VARIANCES = {"constant": 0.0, "1": 0.0, "mu": 1.0, "mu^2": 2.0, "mu^3": 3.0}
_OF_PROPORTION = "mu(1-mu)"


@final
@dataclass(frozen=True, slots=True, init=False)
class Quasi(Borrowed):
    """A quasi-likelihood that states the variance and nothing else; any link.

    Parameters
    ----------
    variance : "constant", "mu", "mu(1-mu)", "mu^2", "mu^3" or a number
        V as a function of mu; a number p means mu^p. `**` may stand for `^`, "1" for "constant".

    Examples
    --------
    >>> Quasi("mu ** 2")
    Quasi(variance='mu^2')
    >>> Quasi("mu(1-mu)").mean
    (0, 1)
    """

    statement: str
    name = "quasi"
    default_link = Identity()
    any_link = True
    has_density = False
    textbook = Textbook("as stated", "-", ("any",), "a variance is all that is known")

    def __init__(self, variance: str | float = "constant") -> None:
        object.__setattr__(self, "statement", _read_variance(variance))

    @property
    def kin(self) -> Family:
        """Return the family that states this variance."""
        if self.statement == _OF_PROPORTION:
            return QuasiBinomial()
        power = _VARIANCES.get(self.statement)
        return _of_power(float(self.statement.removeprefix("mu^")) if power is None else power)

    def __repr__(self) -> str:
        return f"Quasi(variance={self.statement!r})"

    def __str__(self) -> str:
        return f"quasi(variance={self.statement})"

    def start(self, y: Array, weight: Array) -> Array:
        """Return R's first guess for this variance."""
        if self.statement == _OF_PROPORTION:
            return np.clip(y, 0.001, 0.999)
        return y if self.variance_power == 0.0 else positive(y, 0.1)


def _read_variance(variance: str | float) -> str:
    """Return the variance function in its one spelling; raise FamilyError where it cannot be read."""
    text = re.sub(r"\s", "", str(variance)).replace("**", "^").replace("*(", "(")
    if text in ("constant", "1") and isinstance(variance, str):
        return "constant"
    if text in ("mu", "mu^2", "mu^3", _OF_PROPORTION):
        return text
    try:
        power = float(text.removeprefix("mu^"))
    except ValueError:
        power = math.nan
    if not math.isfinite(power):
        known = ", ".join(repr(each) for each in ("constant", "mu", _OF_PROPORTION, "mu^2", "mu^3"))
        raise FamilyError(f"Quasi(variance={variance!r}) cannot be read; give {known} or a number p for mu^p")
    return {value: key for key, value in _VARIANCES.items() if key != "1"}.get(power, f"mu^{power!r}")
