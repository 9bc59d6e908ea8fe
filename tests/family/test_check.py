"""The checks find what is wrong: each identity broken on purpose is named in the error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from etamu._base.errors import FamilyError, LinkError
from etamu._base.types import Interval
from etamu.family import families as own
from etamu.family.check import check_family, check_link
from etamu.family.family import Borrowed, Support
from etamu.family.link import Link, Mean


@dataclass(frozen=True, slots=True)
class Wrong(Link):
    """A user's own link with one part wrong."""

    part: str
    name = "wrong"
    text = "log(mu)"
    range = Interval(0.0, np.inf)

    def inverse(self, xp, eta):
        mu = xp.exp(eta)
        right = Mean(mu, 1.0 - mu, mu, mu)
        if self.part == "link":
            return right
        return right._replace(**{self.part: 1.01 * getattr(right, self.part)})

    def link(self, xp, mu, complement=None):
        return xp.log(mu) * (1.01 if self.part == "link" else 1.0)


@pytest.mark.parametrize(
    ("part", "identity"),
    [
        ("mu", "d1 = d mu / d eta|complement"),
        ("complement", "complement = 1 - mu"),
        ("d1", "d1 = d mu / d eta"),
        ("d2", r"d2 = d\^2 mu / d eta\^2"),
        ("link", r"link\(inverse\(eta\)\) = eta"),
    ],
)
def test_check_link_names_the_identity_that_fails(part, identity):
    with pytest.raises(LinkError, match=identity):
        check_link(Wrong(part))


@dataclass(frozen=True, slots=True)
class Broken(Borrowed):
    """A Poisson family with one formula wrong."""

    formula: str
    name = "broken"
    kin = own.Poisson()

    @property
    def has_density(self):
        return self.formula == "saturated"

    def cumulant(self, xp, theta):
        return xp.exp(theta) * (1.01 if self.formula == "cumulant" else 1.0)

    def natural(self, xp, mu, complement):
        return xp.log(mu) * (1.01 if self.formula == "natural" else 1.0)

    def variance(self, xp, mu, complement):
        return mu * (1.01 if self.formula == "variance" else 1.0)

    def dvariance(self, xp, mu, complement):
        return xp.ones_like(mu) * (1.01 if self.formula == "dvariance" else 1.0)

    def deviance(self, xp, y, mu, complement):
        plain = own.Poisson().deviance(xp, y, mu, complement)
        wrong = {"deviance": 1.01 * plain, "zero": plain + 1e-6, "minimum": -plain}
        return wrong.get(self.formula, plain)

    def start(self, y, weight):
        return y if self.formula != "start" else -y

    def saturated(self, y, dispersion):
        return own.Poisson().saturated(y, dispersion) + 0.01


@pytest.mark.parametrize(
    ("formula", "identity"),
    [
        ("cumulant", r"b'\(theta\(mu\)\) = mu"),
        ("natural", r"b'"),
        ("variance", r"V\(mu\)"),
        ("dvariance", "V' = dV / dmu"),
        ("zero", r"d\(y, y\) = 0"),
        ("minimum", r"d\(y, mu\) > 0"),
        ("deviance", "2 int"),
        ("start", "starting mean"),
        ("saturated", r"sum of f\(y\) = 1"),
    ],
)
def test_check_family_names_the_identity_that_fails(formula, identity):
    with pytest.raises(FamilyError, match=identity):
        check_family(Broken(formula))


def test_the_unbroken_family_passes():
    check_family(Broken("none"))


def test_a_support_is_what_it_prints():
    assert repr(Support(Interval(0.0, 1.0))) == "numbers in (0, 1)"
