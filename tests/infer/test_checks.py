"""Statistics of checks against statsmodels, R's definitions written out, and relations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtri

from etamu.infer.checks import (
    cameron_trivedi,
    dean,
    dean_binomial,
    gvif,
    hosmer_lemeshow,
    kolmogorov,
    studentised_variance,
    two_sided,
)

# fmt: off
Y = np.array([
    2, 2, 2, 4, 1, 2, 16, 3, 6, 0, 2, 6, 0, 2, 2, 1, 1, 6, 0, 1, 2, 6, 1, 1, 9, 2, 5, 3, 0, 1, 1, 2, 13, 6, 3,
    3, 3, 1, 4, 0, 2, 3, 10, 4, 4, 1, 1, 2, 5, 2,
], dtype=float)
# fmt: on


def test_overdispersion_is_statsmodels() -> None:
    # statsmodels 0.15: PoissonDiagnostic(Poisson(Y, ones).fit()).test_dispersion(), "CT nb2" and "Dean A".
    mu = np.full(len(Y), Y.mean())
    excess = (Y - mu) ** 2 - Y
    slope = np.mean(excess / mu) / mu[0]
    error = np.std(excess / mu, ddof=1) / math.sqrt(len(Y)) / mu[0]
    found = cameron_trivedi(Y, mu)
    assert found.size == pytest.approx(slope)
    assert found.statistic == pytest.approx(slope / error)
    plain = dean(Y, mu, np.zeros_like(mu))
    assert plain.statistic == pytest.approx(excess.sum() / math.sqrt(2 * np.sum(mu**2)))
    pulled = dean(Y, mu, np.full(len(Y), 1 / len(Y)))
    assert pulled.statistic == pytest.approx(plain.statistic + mu[0] / math.sqrt(2 * np.sum(mu**2)))
    assert found.p_value == pytest.approx(two_sided(found.statistic))


def test_copies_are_rows() -> None:
    k = np.arange(len(Y)) % 3 + 1.0
    mu = np.linspace(1.0, 5.0, len(Y))
    many_y, many_mu = np.repeat(Y, k.astype(int)), np.repeat(mu, k.astype(int))
    for ask in (cameron_trivedi, studentised_variance):
        assert ask(Y, mu, k).statistic == pytest.approx(ask(many_y, many_mu).statistic)
    h = np.zeros_like(mu)
    assert dean(Y, mu, h, k).statistic == pytest.approx(
        dean(many_y, many_mu, np.zeros_like(many_mu)).statistic
    )


def test_statistics_are_standard_normal_under_the_model() -> None:
    rng = np.random.default_rng(4)
    mu, p, m = rng.uniform(1, 6, 200), rng.uniform(0.2, 0.8, 200), np.full(200, 6.0)
    counts = [dean(rng.poisson(mu), mu, np.zeros(200)).statistic for _ in range(400)]
    shares = [dean_binomial(rng.binomial(6, p).astype(float), m, p).statistic for _ in range(400)]
    for z in (counts, shares):
        assert abs(np.mean(z)) < 4 / 20
        assert np.std(z) == pytest.approx(1.0, abs=0.15)


def test_single_trials_have_no_binomial_dispersion() -> None:
    p = np.full(10, 0.4)
    assert math.isnan(dean_binomial(np.ones(10), np.ones(10), p).statistic)


def test_hosmer_lemeshow_by_hand() -> None:
    rng = np.random.default_rng(5)
    p = np.sort(rng.uniform(0.05, 0.95, 200))
    y = (rng.random(200) < p).astype(float)
    observed, expected = y.reshape(10, 20).sum(1), p.reshape(10, 20).sum(1)
    by_hand = np.sum((observed - expected) ** 2 / (expected * (1 - expected / 20)))
    found = hosmer_lemeshow(y, np.ones(200), p)
    assert found.statistic == pytest.approx(by_hand)
    assert found.df == 8
    assert math.isnan(hosmer_lemeshow(y, np.ones(200), np.full(200, 0.5)).statistic)


def test_studentised_variance_is_n_r_squared() -> None:
    rng = np.random.default_rng(6)
    x, e = rng.normal(size=80), rng.normal(size=80)
    correlation = np.corrcoef(x, e**2)[0, 1]
    assert studentised_variance(e**2, x).statistic == pytest.approx(80 * correlation**2)
    assert math.isnan(studentised_variance(e**2, np.ones(80)).statistic)


def test_kolmogorov() -> None:
    scores = ndtri((np.arange(50) + 0.5) / 50) + 0.5
    found = kolmogorov(scores)
    below = (np.vectorize(math.erf)(np.sort(scores) / math.sqrt(2)) + 1) / 2
    steps = np.arange(51) / 50
    assert found.size == pytest.approx(max(np.max(steps[1:] - below), np.max(below - steps[:-1])))
    assert found.p_value < 0.05
    assert math.isnan(kolmogorov(np.zeros(0)).statistic)


def test_inflation_of_a_single_column_is_that_of_its_regression_on_the_others() -> None:
    rng = np.random.default_rng(7)
    X = rng.normal(size=(100, 3)) @ np.array([[1.0, 0.8, 0.0], [0.0, 0.6, 0.3], [0.0, 0.0, 1.0]])
    centred = X - X.mean(0)
    values = gvif(np.linalg.inv(centred.T @ centred), [[0], [1], [2]])
    for j in range(3):
        others = np.delete(centred, j, axis=1)
        rest = centred[:, j] - others @ np.linalg.lstsq(others, centred[:, j], rcond=None)[0]
        assert values[j] == pytest.approx(np.sum(centred[:, j] ** 2) / np.sum(rest**2))
