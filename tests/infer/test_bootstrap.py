"""Formulas of replications on arrays."""

from __future__ import annotations

import numpy as np

from etamu.infer.bootstrap import acceleration, basic, bca, percentile, spread


def test_spread_is_the_sample_covariance() -> None:
    values = np.random.default_rng(0).normal(size=(30, 4))
    assert np.allclose(spread(values).covariance(), np.cov(values.T))
    assert spread(values[:3]).covariance().shape == (4, 4)
    assert np.isnan(spread(values[:1]).covariance()).all()


def test_without_bias_and_acceleration_bca_is_the_percentile_interval() -> None:
    values = np.arange(-50.0, 51.0)[:, None]
    found = bca(values, np.zeros(1), np.zeros(1), 0.9)
    assert np.allclose(found, percentile(values, 0.9))
    assert np.allclose(found, basic(values, np.zeros(1), 0.9))


def test_what_has_no_replicates_has_no_interval() -> None:
    assert np.isnan(percentile(np.zeros((0, 2)), 0.9)).all()
    assert np.isnan(percentile(np.full((5, 1), np.nan), 0.9)).all()
    assert np.isnan(bca(np.ones((5, 1)), np.zeros(1), np.zeros(1), 0.9)).all()
    assert np.isnan(acceleration(np.zeros(1), np.zeros(1))).all()
