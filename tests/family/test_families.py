"""Every family: its own check confirms it, its support says what it holds, its starts are means."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import etamu as em
from etamu._base.errors import FamilyError
from etamu.family import families as own
from etamu.family import links as every
from etamu.family.borrowed import Binomial, Quasi, QuasiBinomial, QuasiPoisson, Tweedie
from etamu.family.check import check_family
from tests.catalogue import FAMILIES, responses

each_family = pytest.mark.parametrize("family", FAMILIES, ids=str)


@each_family
def test_check_family_confirms_every_identity(family):
    report = check_family(family)
    assert str(family) in repr(report)
    assert len(report.identities) == (8 if family.has_density else 6)


@each_family
def test_starts_are_means(family):
    y = responses(family) if len(family.response) == 1 else np.array([0.0, 0.5, 1.0])
    start = family.start(y, np.ones_like(y))
    assert start.shape == y.shape
    assert np.all(family.mean.contains(start))


@pytest.mark.parametrize(
    ("family", "y", "start"),
    [
        (own.Gaussian(), [-2.0, 3.0], [-2.0, 3.0]),
        (own.Bernoulli(), [0.0, 1.0], [0.25, 0.75]),
        (own.Poisson(), [0.0, 3.0], [0.1, 3.1]),
        (own.Gamma(), [0.5, 3.0], [0.5, 3.0]),
        (own.InverseGaussian(), [0.5, 3.0], [0.5, 3.0]),
        (own.NegativeBinomial(2.0), [0.0, 3.0], [1 / 6, 3.0]),
        (Tweedie(1.5), [0.0, 3.0], [0.1, 3.0]),
        (Quasi("constant"), [-2.0, 3.0], [-2.0, 3.0]),
        (Quasi("mu"), [0.0, 3.0], [0.1, 3.0]),
        (Quasi("mu^2"), [0.5, 3.0], [0.5, 3.0]),
        (Quasi("mu(1-mu)"), [0.0, 0.5, 1.0], [0.001, 0.5, 0.999]),
    ],
    ids=str,
)
def test_starts_are_those_of_r(family, y, start):
    np.testing.assert_allclose(family.start(np.array(y), np.ones(len(y))), start, rtol=1e-15)


@each_family
def test_the_largest_exponent_less_that_of_a_mean_is_half_the_deviance(family):
    lower, upper = max(family.mean.lower, -3.0), min(family.mean.upper, 5.0)
    y, mu = np.meshgrid(*[lower + (upper - lower) * np.array([0.1, 0.3, 0.5, 0.8])] * 2)
    found = family.highest(np, y) - family.exponent(np, y, mu, 1.0 - mu)
    np.testing.assert_allclose(found, 0.5 * family.deviance(np, y, mu, 1.0 - mu), rtol=1e-12, atol=1e-13)


@each_family
def test_families_are_values(family):
    copy = pickle.loads(pickle.dumps(family))
    assert copy == family
    assert hash(copy) == hash(family)
    with pytest.raises((AttributeError, TypeError)):
        family.name = "other"


@each_family
def test_saturated_is_finite_on_the_support_or_nan_for_quasi(family):
    y = responses(family) if len(family.response) == 1 else np.array([0.0, 2.0, 5.0])
    y = y[(y == 0.0) | (np.abs(y) >= 0.25) & (np.abs(y) < 200.0)]
    rows = (y,) if len(family.response) == 1 else (y, np.full_like(y, 5.0))
    value = family.saturated(rows, np.ones_like(y))
    assert value.shape == y.shape
    assert np.all(np.isfinite(value)) if family.has_density else np.all(np.isnan(value))


@pytest.mark.parametrize(
    ("family", "text", "inside", "outside"),
    [
        (own.Gaussian(), "any finite number", [-1e9, 0.0], [np.nan, np.inf]),
        (own.Bernoulli(), "0 or 1", [0.0, 1.0], [0.5, 2.0, -1.0]),
        (Binomial(), "non-negative integers", [0.0, 7.0], [0.5, -1.0, np.nan]),
        (own.Poisson(), "non-negative integers", [0.0, 1e12], [0.5, -1.0, np.inf]),
        (own.Gamma(), "positive numbers", [1e-300, 2.5], [0.0, -1.0, np.inf]),
        (own.InverseGaussian(), "positive numbers", [1e-300, 2.5], [0.0]),
        (QuasiBinomial(), "numbers in [0, 1]", [0.0, 0.3, 1.0], [1.0001, -0.1]),
        (QuasiPoisson(), "non-negative numbers", [0.0, 0.3], [-0.1]),
        (Tweedie(1.5), "non-negative numbers", [0.0, 0.3], [-0.1]),
        (Tweedie(2.5), "positive numbers", [0.3], [0.0]),
        (Quasi("mu(1-mu)"), "numbers in [0, 1]", [0.0, 0.3], [2.0]),
    ],
    ids=str,
)
def test_support_prints_and_decides(family, text, inside, outside):
    assert repr(family.support) == text
    assert np.all(family.support.contains(inside))
    assert not np.any(family.support.contains(outside))


@pytest.mark.parametrize(
    ("family", "canonical", "default"),
    [
        (own.Gaussian(), every.Identity(), every.Identity()),
        (own.Bernoulli(), every.Logit(), every.Logit()),
        (Binomial(), every.Logit(), every.Logit()),
        (own.Poisson(), every.Log(), every.Log()),
        (own.Gamma(), every.Inverse(), every.Inverse()),
        (own.InverseGaussian(), every.InverseSquared(), every.InverseSquared()),
        (own.NegativeBinomial(2.0), every.CanonicalNegativeBinomial(2.0), every.Log()),
        (Tweedie(0.0), every.Identity(), every.Identity()),
        (Tweedie(1.5), every.Power(-0.5), every.Log()),
        (Tweedie(2.0), every.Inverse(), every.Log()),
        (Tweedie(2.5), every.Power(-1.5), every.Log()),
        (QuasiPoisson(), every.Log(), every.Log()),
        (QuasiBinomial(), every.Logit(), every.Logit()),
        (Quasi("mu"), every.Log(), every.Identity()),
    ],
    ids=str,
)
def test_canonical_and_default_links_are_those_of_the_book_and_of_r(family, canonical, default):
    assert family.canonical == canonical
    assert family.default_link == default


@pytest.mark.parametrize("power", [0.5, 0.999, -1.0, np.nan, np.inf])
def test_tweedie_refuses_powers_without_a_model(power):
    with pytest.raises(FamilyError, match="no such model exists"):
        Tweedie(power)


@pytest.mark.parametrize("theta", [0.0, -1.0, np.nan, np.inf])
def test_negative_binomial_needs_a_positive_theta(theta):
    with pytest.raises(FamilyError, match="positive number"):
        own.NegativeBinomial(theta)


@pytest.mark.parametrize(
    ("spelling", "kept"),
    [
        ("1", "constant"),
        ("constant", "constant"),
        (0, "constant"),
        ("mu", "mu"),
        (1, "mu"),
        ("mu**2", "mu^2"),
        ("mu ^ 2", "mu^2"),
        (2.0, "mu^2"),
        (3, "mu^3"),
        ("mu*(1-mu)", "mu(1-mu)"),
        ("mu * (1 - mu)", "mu(1-mu)"),
        ("mu**1.5", "mu^1.5"),
        (1.5, "mu^1.5"),
    ],
)
def test_quasi_reads_every_spelling_of_a_variance(spelling, kept):
    assert Quasi(spelling).statement == kept
    assert repr(Quasi(spelling)) == f"Quasi(variance={kept!r})"


@pytest.mark.parametrize("spelling", ["mu+mu^2", "exp(mu)", "", "nan", np.inf])
def test_quasi_names_what_it_can_read(spelling):
    with pytest.raises(FamilyError, match=r"'mu\^3' or a number"):
        Quasi(spelling)


def test_only_what_is_known_to_be_one_is_known():
    known = {family.name for family in FAMILIES if family.dispersion_known}
    assert known == {"bernoulli", "binomial", "poisson", "negative_binomial"}


def test_a_likelihood_holds_d_over_n_or_its_maximum():
    assert own.Gamma().likelihood_dispersion == "deviance"
    assert Tweedie(1.5).likelihood_dispersion == "ml"
    assert Tweedie(3.0).likelihood_dispersion == "deviance"


def test_negative_binomial_deviance_keeps_its_digits_for_large_counts_and_small_theta():
    # y = 1e12, theta = 1: the difference of two large terms would keep no digit of it
    y, mu = np.array([1e12]), np.array([1.0000001e12])
    u = (1.0000001e12 - 1e12) / 1e12
    np.testing.assert_allclose(own.NegativeBinomial(1.0).deviance(np, y, mu, 1.0 - mu), u**2, rtol=1e-6)


def test_a_negative_binomial_of_huge_theta_is_poisson_to_the_last_digits():
    # Its logarithms of mu / (mu + theta) must not be differences of large ones: theta times a square of their
    # rounding was 1e12 at theta = 1e40.
    y, x = np.array([1.0, 2.0, 3.0, 5.0, 4.0, 2.0, 0.0]), np.arange(7.0)
    poisson = em.glm("y ~ x", {"y": y, "x": x}, family="poisson")
    for theta in (1e17, 1e24, 1e28, 1e36, 1e40, 1e64, 1e116, 1e200):
        fit = em.glm("y ~ x", {"y": y, "x": x}, family=em.NegativeBinomial(theta=theta))
        np.testing.assert_allclose(fit.deviance, poisson.deviance, rtol=1e-12)
        np.testing.assert_allclose(fit.coef, poisson.coef, rtol=1e-10)
        np.testing.assert_allclose(fit.loglik, poisson.loglik, rtol=1e-12)
