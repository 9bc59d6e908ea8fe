"""The law a derived family has: found, verified, whole in a fit; and no law where there is none."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import gammainc

import etamu as em
from etamu.family.distribution import distribution
from etamu.family.implied import implied, implied_law
from etamu.family.laws import Setting
from etamu.family.statement import Statement
from tests.catalogue import CUBIC, SECANT

pytest.importorskip("sympy")

ABEL = "mu*(1 + mu)**2"


def setting(mu, phi):
    mu = np.asarray(mu, dtype=np.float64)
    return Setting(mu, 1.0 - mu, np.full_like(mu, phi), np.ones_like(mu), np.full_like(mu, np.inf))


def test_the_hyperbolic_secant_is_itself() -> None:
    y = np.array([0.0, 1.0, -3.0, 8.0])
    own = distribution(SECANT)
    assert_allclose(np.exp(own.logpdf(y, 0.0, 1.0)), 0.5 / np.cosh(0.5 * np.pi * y), rtol=1e-9)
    truth = 2.0 / np.pi * np.arctan(np.exp(0.5 * np.pi * y))
    assert_allclose(own.cdf(y, 0.0, 1.0), truth, rtol=1e-8)
    assert_allclose(own.sf(-y, 0.0, 1.0), truth, rtol=1e-8)


def test_the_tails_of_a_gamma_by_inversion_are_its_own() -> None:
    inversion = implied(Statement("variance", "mu**2")).inversion
    assert inversion is not None
    tails, y = implied_law(inversion), np.array([0.01, 0.4, 1.3, 9.0])
    at = setting(np.full_like(y, 1.2), 0.4)
    assert_allclose(tails.cdf(y, at), gammainc(2.5, y / (1.2 * 0.4)), rtol=1e-8)
    assert_allclose(tails.cdf(y, at) + tails.sf(y, at), 1.0, atol=1e-8)


def test_counts_are_counts() -> None:
    family = em.derive(variance=ABEL)
    assert family.support.integer
    assert family.dispersion_known
    own, y = distribution(family), np.arange(400.0)
    mass = np.exp(own.logpdf(y, 1.5))
    assert_allclose([mass.sum(), mass @ y], [1.0, 1.5], rtol=1e-9)
    assert_allclose(own.cdf(y[:30], 1.5), np.cumsum(mass)[:30], rtol=1e-9)
    assert_allclose(own.sf(y[:30], 1.5), 1.0 - np.cumsum(mass)[:30], atol=1e-9)
    draws = own.sample(np.random.default_rng(0), np.full(4000, 1.5))
    assert abs(draws.mean() - 1.5) < 4.0 * np.sqrt(1.5 * 2.5**2 / 4000)


def test_draws_of_amounts_have_the_law() -> None:
    draws = distribution(CUBIC).sample(np.random.default_rng(0), np.full(200, 1.0), 0.5)
    uniform = np.sort(distribution(CUBIC).cdf(draws, 1.0, 0.5))
    assert np.max(np.abs(uniform - (np.arange(200) + 0.5) / 200)) < 1.6 / np.sqrt(200)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("mu**2*(1 - mu)", "looked for only"), ("2*mu", "no law")],
)
def test_what_belongs_to_no_law_says_so(text, reason) -> None:
    family = em.derive(variance=text)
    assert not family.has_density
    assert reason in family.lawless
    with pytest.raises(em.NotAvailableError, match=reason):
        distribution(family)


def test_quasi_states_a_variance_only() -> None:
    family = em.derive(variance=ABEL, quasi=True)
    assert not family.has_density
    assert not family.dispersion_known
    assert not family.support.integer
    assert "quasi" in family.lawless


def test_a_fit_has_a_likelihood_with_weights() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=60)
    y, weight = rng.gamma(3.0, np.exp(0.2 * x) / 3.0), rng.uniform(0.5, 2.0, 60)
    fit = em.glm("y ~ x", {"x": x, "y": y}, family=CUBIC, link="log", variance_weights=weight)
    law = distribution(CUBIC)
    phi = fit.deviance / 60.0
    assert_allclose(fit.loglik, np.sum(law.logpdf(y, fit.predict(), phi / weight)), rtol=1e-9)
    assert_allclose(fit.aic, 2.0 * 3 - 2.0 * fit.loglik, rtol=1e-12)


@pytest.mark.parametrize("phi", [0.2, 1.0, 3.0])
def test_ressel_and_kendall_have_the_closed_form_of_letac_and_mora(phi) -> None:
    """Of x = y / phi it is l x^(x + l - 1) e^-x / Gamma(x + l + 1), tilted, where l = 1 / phi."""
    own, shape = distribution(em.derive(variance="mu**2 * (1 + mu)")), 1.0 / phi

    def closed(y, mu):
        x, slope, level = y / phi, mp.log((1 + mu) / mp.mpf(mu)) - 1 / mp.mpf(mu), mp.log(mu / mp.mpf(1 + mu))
        base = (x + shape - 1) * mp.log(x) - x - mp.loggamma(x + shape + 1)
        return shape**2 * mp.exp(base + slope * x - shape * level)

    def moment(part, mu):
        pieces = [0, 1e-9, 1e-3, 0.1, 1, 5, 20, 100, 1000, 1e4]
        return float(mp.quad(lambda y: part(y) * closed(y, mu), pieces))

    y = np.array([1e-3, 0.1, 1.0, 4.0, 30.0])
    for mu in (0.5, 2.0):
        truth = [float(mp.log(closed(mp.mpf(each), mu))) for each in y]
        assert_allclose(own.logpdf(y, mu, phi), truth, rtol=1e-10, atol=1e-10)
        spread = moment(lambda y, mu=mu: (y - mu) ** 2, mu)
        assert_allclose([moment(lambda _: 1, mu), moment(lambda y: y, mu)], [1.0, mu], rtol=1e-6)
        assert_allclose(spread, phi * mu**2 * (1.0 + mu), rtol=1e-6)
