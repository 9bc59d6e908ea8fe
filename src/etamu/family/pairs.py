"""The pairs stated in eta where the general formula would lose a tail: one table, each entry a factory.

May import: _base, family.families, family.borrowed, family.links, family.proportion, family.logarithmic.
Read next: `etamu.family.unit`, which looks pairs up here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from etamu._base.types import AnyArray, Namespace
from etamu.family import families as own
from etamu.family import logarithmic, proportion
from etamu.family.borrowed import QuasiBinomial
from etamu.family.family import Family
from etamu.family.link import Link
from etamu.family.links import (
    CanonicalNegativeBinomial,
    Cauchit,
    Cloglog,
    Inverse,
    Log,
    Logit,
    Loglog,
    Probit,
)
from etamu.family.powers import power_of_negative_binomial, power_of_power

Kernel = Callable[[AnyArray, AnyArray], tuple[AnyArray, AnyArray, AnyArray]]
"""(y, eta) -> (value, score, information), all of the shape of eta."""

Bind = Callable[[Namespace, str], Kernel]
"""(namespace, "expected" or "observed") -> kernel."""

Factory = Callable[[Any], Bind]
"""family -> bind."""

SPECIAL: dict[tuple[type, type], Factory] = {
    (own.Bernoulli, Logit): proportion.binary_logit,
    (own.Bernoulli, Probit): proportion.binary(proportion.probit),
    (own.Bernoulli, Cloglog): proportion.binary(proportion.cloglog),
    (own.Bernoulli, Loglog): proportion.binary(proportion.loglog),
    (own.Bernoulli, Cauchit): proportion.binary(proportion.cauchit),
    (own.Bernoulli, Log): proportion.binary(proportion.log),
    (QuasiBinomial, Logit): proportion.fractional(proportion.logit),
    (QuasiBinomial, Probit): proportion.fractional(proportion.probit),
    (QuasiBinomial, Cloglog): proportion.fractional(proportion.cloglog),
    (QuasiBinomial, Loglog): proportion.fractional(proportion.loglog),
    (QuasiBinomial, Cauchit): proportion.fractional(proportion.cauchit),
    (QuasiBinomial, Log): proportion.fractional(proportion.log),
    (own.Gaussian, Log): logarithmic.gaussian,
    (own.Poisson, Log): logarithmic.poisson,
    (own.Gamma, Log): logarithmic.gamma,
    (own.InverseGaussian, Log): logarithmic.inverse_gaussian,
    (own.PowerVariance, Log): logarithmic.power_variance,
    (own.NegativeBinomial, Log): logarithmic.negative_binomial,
    (own.NegativeBinomial, CanonicalNegativeBinomial): logarithmic.canonical_negative_binomial,
    (own.Gamma, Inverse): logarithmic.gamma_inverse,
}
"""(type of family, type of link) -> factory. A family that is not listed uses its kin's entry."""


STRUCTURED: dict[type, Callable[[Any, Link], Bind | None]] = {
    own.Bernoulli: lambda family, link: proportion.binary(proportion.of_link(link))(family),
    QuasiBinomial: lambda family, link: proportion.fractional(proportion.of_link(link))(family),
    own.Gaussian: power_of_power,
    own.Poisson: power_of_power,
    own.Gamma: power_of_power,
    own.InverseGaussian: power_of_power,
    own.PowerVariance: power_of_power,
    own.NegativeBinomial: power_of_negative_binomial,
}
"""type of family -> (family, link) -> what the structure of the family gives, None where it gives nothing."""


def stated_in_eta(family: Family, link: Link) -> Bind | None:
    """Return the kernel of a pair stated in eta, by the tables of the family or its kin; None without one."""
    kinship = [family]
    while kinship[-1].kin is not kinship[-1]:
        kinship.append(kinship[-1].kin)
    for member in kinship:
        factory = SPECIAL.get((type(member), type(link)))
        if factory is not None:
            return factory(member)
    own_kernel = family.kernel_with(link)
    if own_kernel is not None:
        return own_kernel
    for member in kinship:
        if type(member) in STRUCTURED:
            return STRUCTURED[type(member)](member, link)
    return None
