"""Parameters that run to the end of their axis end there, in words, with the simpler law's likelihood."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu.solve.oracle import Outcome

RNG = np.random.default_rng(3)
N = 200
X = RNG.normal(size=N)
UNDER = RNG.binomial(8, 1.0 / (1.0 + np.exp(-X))).astype(float)
TRIALS = RNG.integers(2, 10, N).astype(float)


def fitted(family, y, words, **keywords):
    with pytest.warns(em.ConvergenceWarning, match=words):
        fit = em.glm("y ~ x", {"y": y, "x": X, "m": TRIALS}, family=family, **keywords)
    assert fit.outcome is Outcome.BOUNDARY
    assert words in " ".join(str(fit.summary()).split())
    assert np.all(np.isfinite(fit.coef))
    return fit


@pytest.mark.parametrize("family", [em.NegativeBinomial1(), em.ZeroInflatedNegativeBinomial()], ids=str)
def test_under_dispersed_counts_end_at_the_poisson_law(family):
    fit = fitted(family, UNDER, "the Poisson law: the counts are not over-dispersed")
    plain = em.glm("y ~ x", {"y": UNDER, "x": X}, family="poisson")
    assert_allclose(fit.loglik, plain.loglik, rtol=1e-9)
    assert_allclose(fit.coef[:2], plain.coef, rtol=1e-6)
    assert_allclose(fit.se[:2], plain.se, rtol=1e-5)


def test_a_hurdle_of_under_dispersed_counts_ends_at_the_truncated_poisson_law():
    fit = fitted(em.HurdleNegativeBinomial(), UNDER, "the Poisson law")
    plain = em.glm("y ~ x", {"y": UNDER, "x": X}, family=em.HurdlePoisson())
    assert_allclose(fit.loglik, plain.loglik, rtol=1e-9)
    assert_allclose(fit.coef[:3], plain.coef, rtol=1e-6)


def test_trials_that_go_together_less_than_independent_ones_end_at_the_binomial_law():
    fit = fitted(em.BetaBinomial(), np.round(0.4 * TRIALS), "the binomial law", trials="m")
    plain = em.glm("y ~ x", {"y": np.round(0.4 * TRIALS), "x": X, "m": TRIALS}, family="binomial", trials="m")
    assert_allclose(fit.loglik, plain.loglik, rtol=1e-9)
    assert_allclose(fit.coef[:2], plain.coef, atol=1e-6)


def test_counts_without_zeros_need_no_inflation_and_ones_alone_have_no_mean():
    fitted(em.ZeroInflatedPoisson(), UNDER + 1.0, "the law without inflation")
    fitted(em.HurdlePoisson(), UNDER + 1.0, "no count is 0")
    fitted(em.ZeroTruncatedPoisson(), np.ones(N), "every count is 1")


def test_an_estimate_that_is_only_uncertain_is_left_alone():
    y = np.random.default_rng(8).poisson(np.exp(1.0 + 0.3 * X)).astype(float)
    fit = em.glm("y ~ x", {"y": y, "x": X}, family=em.GeneralizedPoisson())
    assert fit.converged
    assert not fit.notes


def test_counts_beyond_a_familys_range_end_at_its_edge():
    rng = np.random.default_rng(1)
    spread = rng.negative_binomial(0.3, 0.1, N).astype(float)
    fit = fitted(em.ConwayMaxwellPoisson(), spread, "the geometric law")
    geometric = em.glm("y ~ x", {"y": spread, "x": X}, family=em.NegativeBinomial(theta=1.0))
    assert_allclose(fit.loglik, geometric.loglik, rtol=1e-9)
    fitted(em.GeneralizedPoisson(), rng.integers(9, 12, N).astype(float), "an edge of the range")
