"""Families that reuse formulas: what they borrow, what they change, what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.errors import FamilyError
from etamu.family import families as own
from etamu.family.borrowed import Binomial, Quasi, QuasiBinomial, QuasiPoisson, Tweedie
from etamu.family.links import Identity, Log, Logit

MU = np.array([0.1, 0.4, 0.9])
SPELLINGS = {
    "constant": ("constant", " constant ", "1", 0, 0.0, "mu^0"),
    "mu": ("mu", "mu^1", 1, 1.0, "1.0"),
    "mu^2": ("mu^2", "mu**2", "mu ** 2", "2", 2),
    "mu^3": ("mu^3", "mu**3", 3.0),
    "mu(1-mu)": ("mu(1-mu)", "mu * (1 - mu)", "mu*(1-mu)", "mu (1 - mu)"),
    "mu^1.5": (1.5, "1.5", "mu^1.5", "mu**1.5"),
    "mu^-1.0": (-1, "-1", "mu^-1"),
}


@pytest.mark.parametrize(
    ("text", "power"), [("constant", 0.0), ("mu", 1.0), ("mu^2", 2.0), (0.5, 0.5), (-2, -2.0)]
)
def test_quasi_variance_is_the_stated_function(text, power) -> None:
    assert_allclose(Quasi(text).variance(np, MU, 1.0 - MU), MU**power, rtol=1e-14)
    assert Quasi(text).variance_power == power


def test_quasi_of_a_proportion_has_its_variance_and_no_power() -> None:
    family = Quasi("mu(1-mu)")
    assert_allclose(family.variance(np, MU, 1.0 - MU), MU * (1.0 - MU), rtol=1e-15)
    assert family.variance_power is None
    assert (family.mean.lower, family.mean.upper) == (0.0, 1.0)


@pytest.mark.parametrize("statement", SPELLINGS)
def test_spellings_of_one_variance_are_one_family(statement) -> None:
    made = {Quasi(each) for each in SPELLINGS[statement]}
    assert {each.statement for each in made} == {statement}
    assert len(made) == 1
    assert repr(made.pop()) == f"Quasi(variance={statement!r})"


def test_the_text_one_is_a_constant_and_the_number_one_is_a_power() -> None:
    assert str(Quasi("1")) == "quasi(variance=constant)"
    assert str(Quasi(1)) == "quasi(variance=mu)"


@pytest.mark.parametrize(
    "variance", ["mu^", "exp(mu)", "", "mu(1+mu)", "nan", "inf", math.nan, math.inf, None]
)
def test_a_variance_that_cannot_be_read_is_refused(variance) -> None:
    with pytest.raises(FamilyError, match=r"cannot be read; give 'constant', 'mu', .*'mu\^3' or a number p"):
        Quasi(variance)


@pytest.mark.parametrize("power", [0.5, 0.999, -1.0, -0.01, math.inf, -math.inf, math.nan])
def test_powers_without_a_tweedie_model_are_refused(power) -> None:
    with pytest.raises(FamilyError, match=r"no such model exists; power is 0 or at least 1 .*Quasi"):
        Tweedie(power=power)


def test_a_tweedie_deviance_is_the_integral_of_its_definition() -> None:
    """2 times the integral from mu to y of (y - t) / t^p, by 60 Gauss points, at powers near and far."""
    x, w = np.polynomial.legendre.leggauss(60)
    for power in (0.0, 1.0, 1.2, 2.0, 2.7, 3.0, 5.0):
        for y, mu in ((0.6, 1.1), (2.0, 1.3)):
            t = mu + (y - mu) * (x + 1.0) / 2.0
            expected = 2.0 * np.sum(w * (y - t) / t**power) * (y - mu) / 2.0
            found = Tweedie(power).deviance(np, np.float64(y), np.float64(mu), np.float64(1.0 - mu))
            assert_allclose(found, expected, rtol=1e-12, err_msg=f"power {power}")


def test_tweedie_support_default_link_and_density_change_with_the_power() -> None:
    assert [repr(Tweedie(p).support) for p in (0.0, 1.0, 1.5, 2.0, 3.5)] == [
        "any finite number",
        "non-negative numbers",
        "non-negative numbers",
        "positive numbers",
        "positive numbers",
    ]
    assert Tweedie(0.0).default_link == Identity()
    assert {Tweedie(p).default_link for p in (1.0, 1.5, 2.0, 4.0)} == {Log()}
    assert [Tweedie(p).has_density for p in (0.0, 1.0, 1.5, 2.0)] == [True, False, True, True]


def test_tweedie_of_an_integer_power_equals_that_of_the_float() -> None:
    assert Tweedie(2) == Tweedie(2.0)
    assert Tweedie(2).kin == own.Gamma()
    assert Tweedie(2).likelihood_dispersion == own.Gamma().likelihood_dispersion


def test_tweedie_saturated_term_is_the_normal_and_the_gamma_density_at_their_mean() -> None:
    y, phi = np.array([0.5, 3.0]), np.array([0.4, 2.0])
    assert_allclose(Tweedie(0.0).saturated((y,), phi), -0.5 * np.log(2 * math.pi * phi), rtol=1e-14)
    shape = 1.0 / phi
    density = shape * np.log(shape) - shape - np.log(y) - np.array([math.lgamma(a) for a in shape])
    assert_allclose(Tweedie(2.0).saturated((y,), phi), density, rtol=1e-12)


def test_binomial_saturated_term_is_the_log_probability_at_the_observed_proportion() -> None:
    s, m = np.array([0.0, 3.0, 8.0]), np.array([5.0, 7.0, 8.0])
    expected = [math.log(math.comb(int(m_), int(s_)) * (s_ / m_) ** s_ * (1 - s_ / m_) ** (m_ - s_))
                for s_, m_ in zip(s, m, strict=True)]  # fmt: skip
    assert_allclose(Binomial().saturated((s, m), np.ones(3)), expected, atol=1e-13)


@pytest.mark.parametrize("family", [QuasiBinomial(), QuasiPoisson(), Quasi("mu^2")], ids=str)
def test_a_quasi_likelihood_has_no_density_and_its_saturated_term_is_nan(family) -> None:
    assert not family.has_density
    assert not family.dispersion_known
    assert np.all(np.isnan(family.saturated((np.array([0.2, 0.5]),), np.ones(2))))


def test_binomial_has_two_columns_counts_and_a_known_dispersion() -> None:
    family = Binomial()
    assert family.response == ("successes", "trials")
    assert family.dispersion_known
    assert family.default_link == Logit()
    assert np.array_equal(family.support.contains([0.0, 2.0, 2.5, -1.0]), [True, True, False, False])
    assert np.array_equal(QuasiBinomial().support.contains([0.0, 1.0, 0.5, 1.1]), [True, True, True, False])


def test_quasi_starts_inside_its_range_of_means() -> None:
    y = np.array([0.0, 0.4, 1.0])
    weight = np.ones(3)
    assert_allclose(Quasi("mu(1-mu)").start(y, weight), [0.001, 0.4, 0.999], rtol=0)
    assert_allclose(Quasi("mu").start(y, weight), [0.1, 0.4, 1.0], rtol=0)
    assert_allclose(Quasi("constant").start(-y, weight), -y, rtol=0)
