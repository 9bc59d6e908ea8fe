"""Identities of the textbook, on random models: what a deviance, a score and a canonical link are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import etamu as em
from etamu.family import catalogue

CLOSE = 1e-10  # relative: a sum of some dozen rows loses a few of 16 digits

seeds = st.integers(0, 2**32 - 1)
CANONICAL = ["gaussian", "bernoulli", "binomial", "poisson", "gamma", "inverse_gaussian"]


def columns(seed: int, n: int = 40) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return {"x": x, "y": 3.0 + 2.0 * x + rng.normal(size=n), "w": rng.uniform(0.5, 3.0, n)}


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_the_gaussian_deviance_is_the_residual_sum_of_squares(seed: int) -> None:
    data = columns(seed)
    fit = em.glm("y ~ x", data, variance_weights="w")
    assert fit.deviance == pytest.approx(np.sum(data["w"] * (data["y"] - fit.predict()) ** 2), rel=CLOSE)


@settings(max_examples=15, deadline=None)
@given(seeds, st.sampled_from(["logit", "probit", "cloglog"]))
def test_the_bernoulli_deviance_is_twice_the_cross_entropy(seed: int, link: str) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=60)
    data = {"x": x, "y": np.append([0, 1, 0, 1], rng.random(56) < 0.5).astype(int)}
    fit = em.glm("y ~ x", data, family="bernoulli", link=link)
    p = np.asarray(fit.predict())
    cross_entropy = -np.sum(data["y"] * np.log(p) + (1 - data["y"]) * np.log1p(-p))
    assert fit.deviance == pytest.approx(2.0 * cross_entropy, rel=CLOSE)
    assert fit.loglik == pytest.approx(-cross_entropy, rel=CLOSE)


@pytest.mark.parametrize("name", CANONICAL)
def test_the_inverse_of_the_canonical_link_is_the_derivative_of_b(name: str) -> None:
    # h = (g o b')^-1 is the identity up to an affine map: theta is affine in eta.
    family = catalogue.family(name)
    mu = np.array([0.15, 0.3, 0.5, 0.7, 0.8])
    eta = np.asarray(family.canonical.link(np, mu, 1.0 - mu))
    theta = np.asarray(family.natural(np, mu, 1.0 - mu))
    slope, constant = np.polyfit(eta, theta, 1)
    np.testing.assert_allclose(slope * eta + constant, theta, rtol=1e-9, atol=1e-12)
    step = 1e-6
    derivative = (family.cumulant(np, theta + step) - family.cumulant(np, theta - step)) / (2.0 * step)
    np.testing.assert_allclose(derivative, mu, rtol=1e-7)  # a central difference of step 1e-6


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_with_a_canonical_link_fitted_and_observed_totals_agree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = {"g": np.repeat(["a", "b", "c"], 15), "x": rng.normal(size=45), "y": rng.poisson(4.0, 45)}
    fit = em.glm("y ~ g + x", data, family="poisson")
    for level in "abc":
        chosen = data["g"] == level
        assert fit.predict()[chosen].sum() == pytest.approx(data["y"][chosen].sum(), rel=1e-8)
