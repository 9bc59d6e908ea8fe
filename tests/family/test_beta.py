"""Beta and beta-binomial: known densities, symmetry, the binomial limit, rows without trials."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose
from scipy.special import betaincinv

from etamu.family.beta import Beta, BetaBinomial
from etamu.family.saturated import binomial


def density(family, y, eta):
    return family.bind(np)(y, eta)[0] + family.saturated(y)


def test_mean_one_half_and_precision_two_is_uniform():
    y = (np.array([1e-9, 0.3, 0.999]),)
    assert_allclose(density(Beta(), y, np.tile([0.0, np.log(2.0)], (3, 1))), 0.0, atol=1e-14)
    m = np.array([4.0, 4.0, 9.0])
    counts = (np.array([0.0, 2.0, 9.0]), m)
    got = density(BetaBinomial(), counts, np.tile([0.0, np.log(2.0)], (3, 1)))
    assert_allclose(got, -np.log(m + 1.0), rtol=1e-13)


def test_shares_and_their_rests_change_places():
    rng = np.random.default_rng(0)
    y, eta = rng.uniform(0.01, 0.99, 20), rng.normal(size=(20, 2))
    for information in ("expected", "observed"):
        one = Beta().bind(np, information)((y,), eta)
        other = Beta().bind(np, information)((1.0 - y,), eta * [-1.0, 1.0])
        assert_allclose(one[0], other[0], rtol=1e-11, atol=1e-12)
        assert_allclose(one[1], other[1] * [-1.0, 1.0], rtol=1e-9, atol=1e-11)
        assert_allclose(one[2], other[2] * [[1.0, -1.0], [-1.0, 1.0]], rtol=1e-9, atol=1e-11)


def test_a_precision_without_end_is_a_binomial_and_one_trial_knows_none():
    y, m, t = np.array([0.0, 3.0, 8.0]), np.array([5.0, 7.0, 8.0]), np.array([-1.0, 0.4, 2.0])
    value, score, information = BetaBinomial().bind(np)((y, m), np.column_stack([t, np.full(3, 700.0)]))
    mu = 1.0 / (1.0 + np.exp(-t))
    log_p = y * np.log(mu) + (m - y) * np.log1p(-mu)
    share = np.clip(y / m, 1e-300, 1.0)
    best = y * np.log(share) + (m - y) * np.log(np.clip(1.0 - y / m, 1e-300, 1.0))
    assert_allclose(value, log_p - best, rtol=1e-12)
    assert_allclose(score[:, 0], y - m * mu, rtol=1e-12)
    assert_allclose(information[:, 0, 0], m * mu * (1.0 - mu), rtol=1e-12)
    assert_allclose(score[:, 1], 0.0, atol=1e-15)
    assert_allclose(BetaBinomial().saturated((y, m)), binomial(y, m))
    one = BetaBinomial().bind(np)((np.ones(1), np.ones(1)), np.array([[0.7, 0.3]]))
    assert_allclose([one[1][0, 1], one[2][0, 1, 1], one[2][0, 0, 1]], 0.0, atol=1e-14)


def test_rows_without_trials_count_for_nothing():
    family, eta = BetaBinomial(), np.array([[0.3, 0.5]])
    for part in family.bind(np)((np.zeros(1), np.zeros(1)), eta):
        assert not part.any()
    assert np.isnan(family.observed((np.zeros(1), np.zeros(1))))[0]


def test_variance_of_a_proportion_grows_with_what_trials_share():
    eta = np.array([[0.0, np.log(3.0)]] * 2)
    got = BetaBinomial().variance_of((np.zeros(2), np.array([1.0, 9.0])), eta)
    assert_allclose(got, [0.25, 0.25 * (1.0 + 8.0 * 0.25) / 9.0])


def test_quantiles_of_the_beta_law_are_undone_by_its_tails():
    eta = np.tile([0.4, 1.1], (5, 1))
    mu, phi = 1.0 / (1.0 + np.exp(-0.4)), np.exp(1.1)
    p = np.array([1e-12, 0.1, 0.5, 0.9, 0.999])
    y = (betaincinv(mu * phi, (1.0 - mu) * phi, p),)
    assert_allclose(Beta().cdf(y, eta), p, rtol=1e-9)
    assert_allclose(Beta().sf(y, eta), 1.0 - p, rtol=1e-9)
