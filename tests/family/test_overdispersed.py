"""NB1 and the generalised Poisson law: Poisson between, under-dispersion where it is possible."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.family.families import Poisson
from etamu.family.links import Log
from etamu.family.overdispersed import GeneralizedPoisson, NegativeBinomial1
from etamu.family.unit import Unit

FAMILY = GeneralizedPoisson()


def test_dispersion_one_is_poisson():
    y, m = np.array([0.0, 1.0, 6.0, 1e6]), np.array([-3.0, 0.2, 2.0, 13.5])
    value, score, information = FAMILY.bind(np)((y,), np.column_stack([m, np.zeros(4)]))
    plain = Unit(Poisson(), Log()).bind(np)((y,), m)
    assert_allclose(value, plain[0], rtol=1e-12)
    assert_allclose(score[:, 0], plain[1], rtol=1e-12)
    assert_allclose(information[:, 0, 0], plain[2], rtol=1e-12)


@pytest.mark.parametrize(("mu", "phi"), [(8.0, 0.8), (20.0, 0.6), (5.0, 1.0), (3.0, 2.5)])
def test_probabilities_add_to_one_exactly_above_and_nearly_below_poisson(mu, phi):
    y = np.arange(0.0, 2000.0)
    eta = np.tile(np.log([mu, phi]), (len(y), 1))
    p = np.exp(FAMILY.bind(np)((y,), eta)[0] + FAMILY.saturated((y,)))
    assert_allclose(p.sum(), 1.0, rtol=1e-12 if phi >= 1.0 else 0.005)
    assert_allclose((p * y).sum(), mu, rtol=1e-10 if phi >= 1.0 else 0.01)
    assert_allclose((p * (y - mu) ** 2).sum(), phi**2 * mu, rtol=1e-8 if phi >= 1.0 else 0.05)


def test_counts_that_cannot_be_have_likelihood_zero_and_no_slope():
    eta = np.log([[2.0, 0.7], [2.0, 0.4]])
    value, score, information = FAMILY.bind(np)((np.array([7.0, 1.0]),), eta)
    assert np.all(np.isneginf(value))
    assert not score.any()
    assert not information.any()


def test_under_dispersed_draws_have_the_moments_that_are_told():
    eta = np.tile([2.2, -0.3], (4000, 1))
    y = FAMILY.sample(np.random.default_rng(0), eta)
    assert_allclose(y.mean(), np.exp(2.2), rtol=0.02)
    assert_allclose(y.var(), FAMILY.variance(np, eta)[0], rtol=0.1)


def test_nb1_is_nb2_whose_shape_follows_the_mean():
    family, y = NegativeBinomial1(), np.array([0.0, 4.0, 11.0])
    eta = np.column_stack([np.log([1.0, 3.0, 9.0]), np.full(3, np.log(0.5))])
    draws = family.sample(np.random.default_rng(0), np.repeat(eta, 4000, axis=0)).reshape(3, -1)
    assert_allclose(draws.var(axis=1), 1.5 * np.array([1.0, 3.0, 9.0]), rtol=0.12)
    joint = family.bind(np)((y,), eta)[2]
    assert np.all(joint[:, 0, 1] != 0.0)  # mean and dispersion are coupled
