"""The bootstrap of several predictors: near the model's covariance, and a function of its seed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em

N = 300
RNG = np.random.default_rng(8)
X = RNG.normal(size=N)
DATA = {
    "y": np.array(["a", "b", "c"])[np.digitize(X + RNG.logistic(size=N), [-1.0, 1.0])],
    "x": X,
    "farm": RNG.integers(0, 30, N),
    "n": RNG.poisson(np.exp(0.5 + 0.3 * X)) * RNG.integers(0, 2, N),
}


@pytest.fixture(scope="module")
def fit():
    return em.glm("y ~ x", DATA, family=em.Multinomial())


@pytest.mark.parametrize("scheme", ["pairs", "parametric", "fractional"])
def test_every_scheme_comes_near_the_covariance_of_a_model_that_is_right(fit, scheme):
    made = fit.with_covariance("bootstrap", scheme=scheme, replications=120, seed=3)
    assert made.covariance_kind == "bootstrap"
    assert_allclose(made.se, fit.se, rtol=0.4)  # 120 replications: the se of an se is 7 %, of four 2.5 times
    again = fit.with_covariance("bootstrap", scheme=scheme, replications=120, seed=3)
    assert np.array_equal(again.cov, made.cov)
    for method in ("percentile", "basic"):
        ends = made.conf_int(method=method)
        assert np.all((ends[:, 0] < fit.coef) & (fit.coef < ends[:, 1]))


def test_clusters_are_resampled_whole(fit):
    made = fit.with_covariance("bootstrap", cluster="farm", replications=40)
    assert made.reference_df == 29.0
    assert "bootstrap" in str(made.summary())


def test_counts_are_drawn_from_their_law():
    fit = em.glm("n ~ x", DATA, family=em.ZeroInflatedPoisson())
    made = fit.with_covariance("bootstrap", scheme="parametric", replications=60, seed=1)
    assert_allclose(made.se, fit.se, rtol=0.6)


def test_what_has_no_replications_or_options_says_so(fit):
    with pytest.raises(em.NotAvailableError, match="needs replications"):
        fit.conf_int(method="percentile")
    with pytest.raises(em.OptionError, match="takes no replications"):
        fit.with_covariance("HC1", replications=10)
    with pytest.raises(em.OptionError, match="not known"):
        fit.conf_int(method="bca")


def test_replications_that_separate_are_left_out_and_said():
    few = {"y": ["a", "b", "a", "b", "c", "c", "a", "b"], "x": [1.0, 2.0, 3.0, 1.5, 2.5, 0.5, 2.0, 3.0]}
    twice = {name: values * 2 for name, values in few.items()}
    fit = em.glm("y ~ x", twice, family=em.Multinomial())
    with pytest.warns(em.EtamuWarning, match="replications have no maximum"):
        fit.with_covariance("bootstrap", replications=200, seed=1)


def test_replications_whose_thresholds_meet_count():
    rng = np.random.default_rng(3)
    x = rng.normal(size=150)
    y = np.digitize(0.8 * x + rng.logistic(size=150), [-0.2, 0.2])
    family = em.Cumulative("probit", nonproportional="~ x")
    fit = em.glm("y ~ x", {"y": y, "x": x}, family=family)
    draws = fit.with_covariance("bootstrap", replications=30, seed=1)
    assert draws.replicates.failed.get("stalled", 0) == 0
    assert np.all(np.isfinite(draws.se))
