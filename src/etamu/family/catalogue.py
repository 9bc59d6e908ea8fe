"""Names to values: `family("poisson")`, `link("log")`.

May import: _base, family.families, family.links.
Read next: `etamu.family.unit`.
"""

from __future__ import annotations

from etamu._base.errors import FamilyError, LinkError
from etamu.family.families import *
from etamu.family.borrowed import *
from etamu.family.families import Bernoulli, Gaussian, Poisson
from etamu.family.family import Family
from etamu.family.link import Link
from etamu.family import links as L
from etamu.family.links import Identity, Log, Logit

_FAMILIES: dict[str, Family] = {one.name: one for one in (Gaussian(), Bernoulli(), Poisson(), Binomial(), Gamma(), InverseGaussian(), QuasiPoisson(), QuasiBinomial())}
_LINKS: dict[str, Link] = {one.name: one for one in (Identity(), Log(), Logit(), L.Probit(), L.Cloglog(), L.Loglog(), L.Cauchit(), L.Inverse(), L.InverseSquared(), L.Sqrt())}


def family(name: str) -> Family:
    """Return the family of that name."""
    if name not in _FAMILIES:
        raise FamilyError(f"unknown family {name!r}; there are {', '.join(_FAMILIES)}")
    return _FAMILIES[name]


def link(name: str) -> Link:
    """Return the link of that name."""
    if name not in _LINKS:
        raise LinkError(f"unknown link {name!r}; there are {', '.join(_LINKS)}")
    return _LINKS[name]
