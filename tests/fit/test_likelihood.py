"""The log-likelihood is the sum of complete log densities at the fitted means, whatever the weights."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu.design import chunk as chunks
from etamu.family.distribution import distribution
from etamu.fit import likelihood
from tests.samples import FITTED, FORMULA, keywords, sample

WITH_DENSITY = [u for u in FITTED if u.family.has_density and u.link == u.family.default_link]


@pytest.mark.parametrize("unit", WITH_DENSITY, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_loglik_is_the_sum_of_log_densities(unit, weighted):
    data = sample(unit, 11)
    n = len(data["y"])
    rng = np.random.default_rng(2)
    k = rng.integers(1, 4, n)
    w = rng.uniform(0.5, 2.0, n) if weighted and not unit.family.dispersion_known else np.ones(n)
    fit = em.glm(FORMULA, data, **keywords(unit), frequency_weights=k, variance_weights=w)
    phi = fit.likelihood.phi / w
    trials = {"trials": data["m"]} if "m" in data else {}
    y = data["y"] / data["m"] if "m" in data else data["y"]
    density = distribution(unit.family).logpdf(data["y"] if "m" in data else y, fit.predict(), phi, **trials)
    assert_allclose(fit.loglik, np.sum(k * density), rtol=1e-9)
    assert_allclose(fit.aic, -2 * fit.loglik + 2 * fit.parameters)
    assert_allclose(fit.bic, -2 * fit.loglik + math.log(k.sum()) * fit.parameters)


def test_phi_known_to_be_one_multiplies_variance_weights_as_r_does():
    data = sample(em.Unit(em.Poisson(), em.glm("y~1", {"y": [1, 2]}, "poisson").link), 3)
    w = np.random.default_rng(0).uniform(0.5, 2, len(data["y"]))
    fit = em.glm(FORMULA, data, "poisson", variance_weights=w)
    density = distribution(em.Poisson()).logpdf(data["y"], fit.predict(), 1.0)
    assert_allclose(fit.loglik, np.sum(w * density), rtol=1e-12)
    assert fit.parameters == fit.rank


@pytest.mark.parametrize(
    ("family", "options", "why"),
    [
        ("quasipoisson", {}, "variance, not a density"),
        ("poisson", {"sampling_weights": np.ones(90)}, "sampling weights"),
    ],
)
def test_without_a_likelihood_it_is_nan_and_says_why(family, options, why):
    data = sample(em.Unit(em.Poisson(), em.glm("y~1", {"y": [1, 2]}, "poisson").link), 3)
    fit = em.glm(FORMULA, data, family, **options)
    assert math.isnan(fit.loglik)
    assert math.isnan(fit.aic)
    assert why in fit.likelihood.reason


def test_the_parameters_counted():
    data = {"y": [1.0, 2.0, 4.0, 3.0, 2.0, 5.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    assert em.glm("y ~ x", data).parameters == 3
    assert em.glm("y ~ x", data, dispersion=1.0).parameters == 2
    assert em.glm("y ~ x", data, em.NegativeBinomial(2.0), dispersion="pearson").parameters == 2
    assert em.glm("y ~ x", data, "poisson").parameters == 2


@pytest.mark.parametrize("unit", [u for u in WITH_DENSITY if u.family.dispersion_known], ids=str)
@pytest.mark.parametrize("few", [chunks.FEW, 0])
def test_saturated_terms_are_the_same_by_row_and_by_response(unit, few, monkeypatch):
    data = sample(unit, 12, 300)
    weights = np.random.default_rng(1).integers(1, 4, len(data["y"]))
    chunk = em.glm(FORMULA, data, **keywords(unit), frequency_weights=weights).problem.counting()
    chunk = replace(chunk)  # nothing is tallied yet
    rows = unit.family.saturated(chunk.y, np.ones(len(chunk)))
    monkeypatch.setattr(chunks, "FEW", few)
    assert_allclose(likelihood._saturated(unit.family, chunk), weights @ rows, rtol=1e-12, atol=1e-12)


def test_a_phi_over_w_beyond_float64_leaves_no_likelihood_and_says_so() -> None:
    y = [0.3, -1.2, 0.8, 2.0, -0.4]
    fit = em.glm("y ~ 1", {"y": y}, family="gaussian", variance_weights=[1e-250, 1e250, 1e249, 1e248, 1.0])
    assert math.isnan(fit.loglik)
    assert "phi / w is above" in str(fit)
