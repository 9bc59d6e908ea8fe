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


def test_counts_that_differ_by_powers_of_ten_start_near_their_dispersion():
    y = [4857.0, 4.0, 1.0, 116483.0, 21.0, 22.0, 688.0, 38273.0]
    data = {"y": y, "x": np.arange(8) == 5}
    alone = em.glm("y ~ x", data, family=em.GeneralizedPoisson())
    with pytest.warns(em.ConvergenceWarning, match="the dispersion lies at an edge"):
        fit = em.glm("y ~ x", data, family=em.GeneralizedPoisson(), predictors={"dispersion": "~ x"})
    assert fit.outcome is Outcome.BOUNDARY  # of the one row that has a dispersion to itself
    assert alone.loglik < fit.loglik < alone.loglik + 4.0


def test_a_mean_and_a_shape_that_run_together_end_at_the_logarithmic_law():
    y = np.repeat([1.0, 2.0, 3.0, 40.0], [60, 8, 3, 1])
    with pytest.warns(em.ConvergenceWarning, match="the logarithmic law"):
        fit = em.glm("y ~ 1", {"y": y}, family=em.ZeroTruncatedNegativeBinomial())
    assert fit.outcome is Outcome.BOUNDARY
    p = np.linspace(0.5, 0.999, 100_000)
    best = np.max(y.sum() * np.log(p) - len(y) * np.log(-np.log1p(-p))) - np.log(y).sum()
    assert fit.loglik == pytest.approx(best, abs=1e-5)


def test_an_estimate_that_is_only_uncertain_is_left_alone():
    y = np.random.default_rng(8).poisson(np.exp(1.0 + 0.3 * X)).astype(float)
    fit = em.glm("y ~ x", {"y": y, "x": X}, family=em.GeneralizedPoisson())
    assert fit.converged
    assert not fit.notes


def test_counts_beyond_a_familys_range_end_at_its_edge():
    rng = np.random.default_rng(1)
    spread = rng.negative_binomial(0.3, 0.1, N).astype(float)
    fit = fitted(em.ConwayMaxwellPoisson(), spread, "the geometric law")
    assert fit.coef[-1] == -np.inf
    assert abs(fit.simulate(20, seed=1).mean() - spread.mean()) < 1.0  # draws that end
    geometric = em.glm("y ~ x", {"y": spread, "x": X}, family=em.NegativeBinomial(theta=1.0))
    assert_allclose(fit.loglik, geometric.loglik, rtol=1e-9)
    fitted(em.GeneralizedPoisson(), rng.integers(9, 12, N).astype(float), "an edge of the range")


def test_a_parameter_at_its_end_is_infinite_and_the_rest_is_the_simpler_law(tmp_path):
    fit = fitted(em.NegativeBinomial1(), UNDER, "the Poisson law")
    plain = em.glm("y ~ x", {"y": UNDER, "x": X}, family="poisson")
    assert fit.coef[-1] == -np.inf
    assert np.isnan(fit.se[-1])
    assert fit.existence.outcome == "boundary"
    assert not fit.existence.exists
    assert fit.existence.coefficients == {"dispersion:Intercept": -np.inf}
    assert fit.predict(kind="dispersion")[0] == 0.0
    assert_allclose(fit.predict(se=True).se, plain.predict(se=True).se, rtol=1e-6)
    assert_allclose(fit.conf_int(method="profile")[:2], plain.conf_int(method="profile"), rtol=1e-6)
    assert_allclose(fit.drop1()["statistic"][1:], plain.drop1()["statistic"][1:], rtol=1e-8)
    assert_allclose(fit.effects()["std_error"], plain.effects()["std_error"], rtol=1e-6)
    assert_allclose(fit.with_covariance("expected").se[:2], plain.se, rtol=1e-6)
    with pytest.raises(em.NotAvailableError, match="the Poisson law"):
        fit.test("`dispersion:Intercept` = 0")
    fit.save(tmp_path / "fit.json")
    again = em.load(tmp_path / "fit.json")
    assert str(again) == str(fit)
    assert_allclose(again.predict({"x": [0.5]}, kind="mean"), fit.predict({"x": [0.5]}), rtol=1e-14)


def test_slopes_of_a_parameter_at_its_end_are_worth_nothing():
    fit = fitted(em.NegativeBinomial(), UNDER, "the Poisson law", predictors={"theta": "~ x"})
    assert fit.coef[-2] == np.inf
    assert np.isnan(fit.coef[-1])
    table = fit.drop1()
    assert table.row("theta:x")["statistic"] == 0.0
    assert table.row("theta:x")["df"] == 1.0
    np.testing.assert_array_equal(np.isfinite(fit.anova()["loglik"]), True)
    assert np.all(np.isinf(fit.predict({"x": [-3.0, 40.0]}, kind="theta")))
