"""Pairs stated in eta: which pair uses which table, and that the table states the same family."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.family import families as own
from etamu.family import links as every
from etamu.family.borrowed import Binomial, Quasi, QuasiPoisson, Tweedie
from etamu.family.pairs import SPECIAL, stated_in_eta

Y = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
ETA = np.array([-0.9, -0.5, -0.3, -0.2, -0.7])
LINKS = {type(each): each for each in (every.Log(), every.Logit(), every.Probit(), every.Cloglog(),
                                       every.Loglog(), every.Cauchit(), every.Inverse(),
                                       every.CanonicalNegativeBinomial(2.0))}  # fmt: skip


def family_of(kind):
    if kind is own.NegativeBinomial:
        return kind(2.0)
    return kind(1.5) if kind is own.PowerVariance else kind()


@pytest.mark.parametrize("pair", SPECIAL, ids=lambda pair: f"{pair[0].__name__}-{pair[1].__name__}")
def test_every_special_pair_states_the_general_formulas(pair) -> None:
    """Value -d/2, score (y - mu) mu' / V, expected information mu'^2 / V, from the family and the link."""
    family, link = family_of(pair[0]), LINKS[pair[1]]
    eta = -ETA if isinstance(link, every.Inverse) else ETA
    y = Y if family.mean.upper == 1.0 else Y + 0.5
    mean = link.inverse(np, eta)
    variance = family.variance(np, mean.mu, mean.complement)
    value, score, information = stated_in_eta(family, link)(np, "expected")(y, eta)
    assert_allclose(value, -0.5 * family.deviance(np, y, mean.mu, mean.complement), rtol=1e-11, atol=1e-14)
    assert_allclose(score, (y - mean.mu) * mean.d1 / variance, rtol=1e-11)
    assert_allclose(information, mean.d1**2 / variance, rtol=1e-11)


@pytest.mark.parametrize("pair", SPECIAL, ids=lambda pair: f"{pair[0].__name__}-{pair[1].__name__}")
def test_score_and_observed_information_are_derivatives_of_the_value(pair) -> None:
    family, link = family_of(pair[0]), LINKS[pair[1]]
    eta = -ETA if isinstance(link, every.Inverse) else ETA
    y = Y if family.mean.upper == 1.0 else Y + 0.5
    kernel, step = stated_in_eta(family, link)(np, "observed"), 1e-5
    up, down, (_, score, information) = kernel(y, eta + step), kernel(y, eta - step), kernel(y, eta)
    assert_allclose(score, (up[0] - down[0]) / (2 * step), rtol=1e-7, atol=1e-8)
    assert_allclose(information, -(up[1] - down[1]) / (2 * step), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(
    ("family", "kin"),
    [(Quasi("mu"), own.Poisson()), (QuasiPoisson(), own.Poisson()), (Tweedie(2.0), own.Gamma()),
     (Quasi("mu^3"), own.InverseGaussian())],
    ids=str,
)  # fmt: skip
def test_a_family_that_is_not_listed_uses_the_entry_of_its_kin(family, kin) -> None:
    found = stated_in_eta(family, every.Log())(np, "observed")(Y + 0.5, ETA)
    expected = stated_in_eta(kin, every.Log())(np, "observed")(Y + 0.5, ETA)
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one, other)


def test_proportions_are_stated_for_any_link_and_powers_for_power_links_only() -> None:
    assert stated_in_eta(Binomial(), every.Sqrt()) is not None
    assert stated_in_eta(own.Poisson(), every.Sqrt()) is not None
    assert stated_in_eta(own.Gaussian(), every.Logit()) is None
    assert stated_in_eta(own.NegativeBinomial(2.0), every.Probit()) is None


def test_a_power_pair_has_the_exact_observed_information() -> None:
    """Poisson with the square root: l = 2 y log eta - eta^2, so -l'' = 2 y / eta^2 + 2."""
    eta = -ETA
    _, score, information = stated_in_eta(own.Poisson(), every.Sqrt())(np, "observed")(Y, eta)
    assert_allclose(score, 2.0 * Y / eta - 2.0 * eta, rtol=1e-13)
    assert_allclose(information, 2.0 * Y / eta**2 + 2.0, rtol=1e-13)
