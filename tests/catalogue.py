"""Every family, link and admissible pair, listed once: adding one here adds its tests.

Read next: tests/family/test_unit.py, which runs every property over `UNITS`.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from etamu.family import families as own
from etamu.family import links as every
from etamu.family.beta import Beta, BetaBinomial
from etamu.family.borrowed import Binomial, Quasi, QuasiBinomial, QuasiPoisson, Tweedie
from etamu.family.catalogue import pairs
from etamu.family.conway import ConwayMaxwellPoisson
from etamu.family.derived import CanonicalDerived, Derived
from etamu.family.excess import (
    HurdleNegativeBinomial,
    HurdlePoisson,
    ZeroInflatedNegativeBinomial,
    ZeroInflatedPoisson,
    ZeroTruncatedNegativeBinomial,
    ZeroTruncatedPoisson,
)
from etamu.family.family import Family
from etamu.family.link import Link
from etamu.family.multinomial import Multinomial
from etamu.family.natural import NaturalFamily
from etamu.family.ordinal import AdjacentCategory, ContinuationRatio, Cumulative
from etamu.family.overdispersed import GeneralizedPoisson, NegativeBinomial1, NegativeBinomial2
from etamu.family.statement import Statement
from etamu.family.unit import Unit
from etamu.family.vector import VectorFamily

OWN: tuple[Family, ...] = (
    own.Gaussian(),
    own.Bernoulli(),
    QuasiBinomial(),
    own.Poisson(),
    own.Gamma(),
    own.InverseGaussian(),
    own.NegativeBinomial(theta=2.0),
    own.NegativeBinomial(theta=0.05),
    own.NegativeBinomial(theta=1e6),
    Tweedie(power=1.5),
    Tweedie(power=1.05),
    Tweedie(power=2.5),
    Tweedie(power=4.0),
    Quasi(0.5),
    Quasi(-1.0),
)
"""Families whose formulas differ: one per variance function, parameters at both ends of their range."""

ESTIMATED: tuple[Family, ...] = (own.NegativeBinomial(), Tweedie())
"""Families one parameter of which is estimated with the coefficients; tests/fit/test_shaped.py fits them."""

BORROWED: tuple[tuple[Family, Family], ...] = (
    (Binomial(), QuasiBinomial()),
    (QuasiPoisson(), own.Poisson()),
    (Tweedie(power=0.0), own.Gaussian()),
    (Tweedie(power=1.0), own.Poisson()),
    (Tweedie(power=2.0), own.Gamma()),
    (Tweedie(power=3.0), own.InverseGaussian()),
    (Quasi("constant"), own.Gaussian()),
    (Quasi("mu"), own.Poisson()),
    (Quasi("mu(1-mu)"), QuasiBinomial()),
    (Quasi("mu^2"), own.Gamma()),
    (Quasi("mu^3"), own.InverseGaussian()),
    (Quasi(1.5), Tweedie(power=1.5)),
)
"""(family, the family it must equal row by row)."""

FAMILIES: tuple[Family, ...] = (*OWN, *(family for family, _ in BORROWED))

LINKS: tuple[Link, ...] = (
    every.Identity(),
    every.Log(),
    every.Logit(),
    every.Probit(),
    every.Cloglog(),
    every.Loglog(),
    every.Cauchit(),
    every.Inverse(),
    every.InverseSquared(),
    every.Sqrt(),
    every.Power(1.0 / 3.0),
    every.Power(1.5),
    every.Power(-0.5),
)

UNITS: tuple[Unit, ...] = (
    *pairs(OWN, LINKS),
    *(Unit(family, family.canonical) for family in OWN if isinstance(family, own.NegativeBinomial)),
    Unit(Tweedie(power=2.5), every.Power(-1.5)),
)
"""Every admissible pair whose formulas differ."""

CUBIC = Derived(Statement("variance", "mu**2 * (1 + mu)"))
SECANT = Derived(Statement("cumulant", "-log(cos(theta))"))
SUM = Derived(Statement("cumulant", "exp(theta) + theta**2/2"))
BLEND = Derived(Statement("variance", "mu**1.3 + mu**2"))
STEEP = Derived(Statement("variance", "mu*exp(mu)/(1 + mu)"))
QUARTIC = Derived(Statement("cumulant", "log(cosh(theta)) + theta**4/12"))
BETWEEN = Derived(Statement("variance", "(1 + mu**2)**1.3"))
SHARE = Derived(Statement("variance", "mu*(1 - mu)*exp(mu)"))
SAME: tuple[tuple[Derived, Family], ...] = (
    (Derived(Statement("cumulant", "log(1 + exp(theta))")), own.Bernoulli()),
    (Derived(Statement("cumulant", "exp(theta)")), own.Poisson()),
    (Derived(Statement("cumulant", "-log(-theta)")), own.Gamma()),
    (Derived(Statement("cumulant", "-sqrt(-2*theta)")), own.InverseGaussian()),
    (Derived(Statement("cumulant", "theta**2/2")), own.Gaussian()),
    (Derived(Statement("variance", "mu + mu**2/2")), own.NegativeBinomial(theta=2.0)),
    (Derived(Statement("cumulant", "-log(1 - exp(theta))")), own.NegativeBinomial(theta=1.0)),
)
"""(derived family, the family of the catalogue that it is)."""

SYMPY = find_spec("sympy") is not None
"""Without the extra [derive] nothing is derived, and everything else is tested."""

DERIVED: tuple[Derived, ...] = (
    CUBIC, SECANT, SUM, *(Derived(each.statement, quasi=True) for each, _ in SAME[:4]),
    BLEND, STEEP, QUARTIC, BETWEEN, SHARE,
)[: None if SYMPY else 0]  # fmt: skip
"""Derived families with formulas of their own: shipped nowhere, without closed forms, known ones unaided.

The last five by quadrature and roots: V that is no rational function, V that grows like an exponential, b'
without an inverse, theta between two finite ends, and a proportion.
"""

_OTHER_LINKS = (
    every.Log(), every.Identity(), CUBIC.link, every.Probit(), every.Log(), every.Log(), None,
    every.Log(), None, every.Identity(), None, every.Cloglog(),
)  # fmt: skip
DERIVED_UNITS: tuple[Unit, ...] = (
    *(Unit(family, CanonicalDerived(family.statement)) for family in DERIVED),
    *(Unit(family, link) for family, link in zip(DERIVED, _OTHER_LINKS, strict=False) if link is not None),
)
"""Pairs of derived families, by the kernel of theta and by the general formula."""

BORROWED_UNITS: tuple[tuple[Unit, Unit], ...] = tuple(
    (unit, Unit(kin, unit.link))
    for family, kin in BORROWED
    for unit in pairs([family], LINKS)
    if pairs([kin], [unit.link])
)

CLASSES = ("a", "b", "c", "d")
VECTORS: tuple[VectorFamily, ...] = tuple(
    family.among(CLASSES, counted=counted)
    for family in (
        Multinomial(),
        Multinomial(reference="c"),
        *(Cumulative(link) for link in ("logit", "probit", "cloglog", "loglog", "cauchit")),
        *(ContinuationRatio(link) for link in ("logit", "probit", "cloglog", "loglog", "cauchit")),
        AdjacentCategory(),
    )
    for counted in (False, True)
)
"""Families of several linear predictors, for a class per row and for counts of classes."""

NATURAL: tuple[NaturalFamily, ...] = (
    Beta(),
    Beta(link="probit", precision_link="sqrt"),
    BetaBinomial(),
    BetaBinomial(link="cloglog"),
    NegativeBinomial1(),
    NegativeBinomial2(),
    NegativeBinomial2(link="sqrt"),
    GeneralizedPoisson(),
    ConwayMaxwellPoisson(),
    ZeroTruncatedPoisson(),
    ZeroTruncatedNegativeBinomial(),
    HurdlePoisson(),
    HurdlePoisson(zero_link="cauchit"),
    HurdleNegativeBinomial(),
    ZeroInflatedPoisson(),
    ZeroInflatedPoisson(link="sqrt", zero_link="probit"),
    ZeroInflatedNegativeBinomial(),
)
"""Families of several parameters in natural coordinates, some with other links."""

ETA = (
    *(-700.0, -40.0, -37.0, -5.0, -1.0, -0.2, -1e-8, 0.0, 1e-8),
    *(0.3, 0.6, 0.9, 1.0, 1.0 + 1e-8, 1.5, 5.0, 37.0, 40.0, 700.0),
)
"""Where eta is looked at: the centre, both sides of 0 and 1, the tails."""


def grid(unit: Unit) -> np.ndarray:
    """Return the part of ETA inside the unit's domain."""
    eta = np.array(ETA)
    return eta[unit.domain.contains(eta)]


def responses(family: Family) -> np.ndarray:
    """Return boundary and interior values of the support."""
    values = np.array([-3.0, 0.0, 1e-10, 0.25, 0.5, 1.0, 1.5, 5.0, 148.0, 1e6, 1e12])
    return values[family.support.contains(values) & ((values <= 1.0) | (family.mean.upper > 1.0))]


def columns(unit: Unit, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the response columns of means y: a binomial response gets 8 trials."""
    return (y,) if len(unit.family.response) == 1 else (8.0 * y, np.full_like(y, 8.0))


def crossed(unit: Unit) -> tuple[np.ndarray, np.ndarray]:
    """Return every response paired with every eta, as two flat arrays."""
    y, eta = np.meshgrid(responses(unit.family), grid(unit), indexing="ij")
    return y.ravel(), eta.ravel()
