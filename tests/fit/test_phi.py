from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em

RNG = np.random.default_rng(8)
X = RNG.normal(size=200)
DATA = {"x": X, "y": RNG.gamma(4.0, np.exp(0.3 * X) / 4.0), "c": RNG.poisson(np.exp(0.3 * X))}


def test_every_way_to_find_phi_is_what_it_says():
    fits = {
        how: em.glm("y ~ x", DATA, "gamma", "log", dispersion=how)
        for how in (None, "pearson", "deviance", 0.3)
    }
    assert_allclose(fits[None].dispersion, fits["pearson"].pearson_chi2 / 198)
    assert fits["pearson"].dispersion == fits[None].dispersion
    assert_allclose(fits["deviance"].dispersion, fits["deviance"].deviance / 198)
    assert fits[0.3].dispersion == 0.3
    base = fits[None]
    for fit in fits.values():
        assert_allclose(fit.coef, base.coef)
        assert_allclose(fit.se / np.sqrt(fit.dispersion), base.se / np.sqrt(base.dispersion), rtol=1e-12)


def test_estimated_phi_means_t_and_known_phi_means_z():
    assert em.glm("y ~ x", DATA, "gamma", "log").reference_df == 198
    assert em.glm("y ~ x", DATA, "gamma", "log", dispersion=0.3).reference_df == np.inf
    assert em.glm("c ~ x", DATA, "poisson").reference_df == np.inf
    assert em.glm("c ~ x", DATA, "poisson", dispersion="pearson").reference_df == 198
    assert em.glm("c ~ x", DATA, "quasipoisson").reference_df == 198


@pytest.mark.parametrize("family", ["gamma", "gaussian", "inverse_gaussian", em.Tweedie(1.5)], ids=str)
def test_maximum_likelihood_phi_has_no_better_neighbour(family):
    best = em.glm("y ~ x", DATA, family, "log", dispersion="ml")
    for nearby in (0.98, 1.02):
        other = em.glm("y ~ x", DATA, family, "log", dispersion=nearby * best.dispersion)
        assert other.loglik < best.loglik


@pytest.mark.parametrize("family", ["poisson", "bernoulli", "quasipoisson"])
def test_ml_is_refused_where_phi_is_no_parameter_of_a_likelihood(family):
    data = {"y": [0, 1, 1, 0, 1], "x": [1.0, 2.0, 2.5, 3.0, 1.5]}
    with pytest.raises(em.OptionError, match="'ml'"):
        em.glm("y ~ x", data, family, dispersion="ml")


def test_no_degrees_of_freedom_leave_phi_nan():
    fit = em.glm("y ~ x", {"y": [1.0, 2.0], "x": [0.0, 1.0]})
    assert np.isnan(fit.dispersion)
    assert fit.df_resid == 0
    assert np.isnan(fit.se).all()


def test_rounding_of_heavy_rows_that_drowns_light_ones_is_said() -> None:
    rng = np.random.default_rng(5)
    data = {"x": np.arange(20.0), "y": rng.normal(size=20)}
    with pytest.warns(em.EtamuWarning, match="cap the weights"):
        em.glm("y ~ x", data, variance_weights=10.0 ** np.linspace(-250, 250, 20))
    em.glm("y ~ x", data, variance_weights=10.0 ** np.linspace(-100, 100, 20))  # 10 decades apart are told


def test_a_perfect_fit_says_that_phi_is_rounding() -> None:
    x = np.arange(1.0, 21.0)
    fit = em.glm("y ~ x", {"x": x, "y": np.exp(x / 9)}, family="gamma", link="log")
    assert "The fit is perfect: its deviance, phi, standard errors and tests are rounding" in str(fit)
