"""The Conway-Maxwell-Poisson law by its mean: against its series in arbitrary precision, and at its ends."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.family import conway
from etamu.family.conway import ConwayMaxwellPoisson, moments

FAMILY = ConwayMaxwellPoisson()


def log_probability(y, m, n):
    """log P(Y = y) by summing the series and solving for its rate, in the context's precision."""
    mu, nu = mp.exp(m), mp.exp(n)
    centre = max(mu + (nu - 1) / (2 * nu), mp.mpf("1e-3"))
    width = mp.sqrt(max(centre, 1) / nu) + 1
    terms = range(max(0, int(centre - 15 * width)), int(centre + 25 * width + 40 / nu + 40))
    logs = [mp.loggamma(j + 1) for j in terms]
    a = nu * mp.log(centre) if mu > 1 else mp.log(mu)
    for _ in range(100):
        exponents = [a * j - nu * log for j, log in zip(terms, logs, strict=True)]
        top = max(exponents)
        weights = [mp.exp(each - top) for each in exponents]
        total = mp.fsum(weights)
        mean = mp.fsum(j * w for j, w in zip(terms, weights, strict=True)) / total
        spread = mp.fsum((j - mean) ** 2 * w for j, w in zip(terms, weights, strict=True)) / total
        step = max(min(mp.log(mean / mu) * mean / spread, mp.mpf(2)), mp.mpf(-2))
        if abs(step) < mp.mpf(10) ** (8 - mp.mp.dps):
            break
        a -= step
    return a * y - nu * mp.loggamma(y + 1) - top - mp.log(total)


@pytest.mark.parametrize("n", [-1.2, 0.7, 3.0])
@pytest.mark.parametrize("m", [-37.0, 0.3, 2.5])
def test_value_score_and_information_agree_with_the_series(m, n):
    for y in (0.0, 2.0, 9.0) if m > 0.0 else (0.0, 1.0):
        rows = (np.array([y]),)
        value, score, information = FAMILY.bind(np, "observed")(rows, np.array([[m, n]]))
        got = [value[0] + FAMILY.saturated(rows)[0], *score[0], *information[0].ravel()[[0, 1, 3]]]
        with mp.workdps(40):
            h = mp.mpf(10) ** -8
            at = {(i, j): log_probability(y, m + i * h, n + j * h) for i in (-1, 0, 1) for j in (-1, 0, 1)}
            true = [
                at[0, 0],
                (at[1, 0] - at[-1, 0]) / (2 * h),
                (at[0, 1] - at[0, -1]) / (2 * h),
                -(at[1, 0] + at[-1, 0] - 2 * at[0, 0]) / h**2,
                -(at[1, 1] - at[1, -1] - at[-1, 1] + at[-1, -1]) / (4 * h**2),
                -(at[0, 1] + at[0, -1] - 2 * at[0, 0]) / h**2,
            ]
        assert_allclose(got, [float(each) for each in true], rtol=1e-9, atol=1e-11)


def test_wide_steps_give_what_every_term_gives(monkeypatch):
    m, n = np.log([30.0, 200.0, 500.0, 3000.0]), np.log([8.0, 1.5, 0.5, 0.1])
    wide = moments(np, m, n)
    assert wide.far.all()
    monkeypatch.setattr(conway, "_FAR", 1e9)
    plain = moments(np, m, n)
    assert not plain.far.any()
    for name in ("log_c", "variance", "rest", "third", "second"):
        assert_allclose(getattr(wide, name), getattr(plain, name), rtol=1e-10, err_msg=name)


@pytest.mark.parametrize("mean", [2.77, 2.9, 3.1, 24.9, 26.0])
def test_the_strongest_shapes_are_those_of_the_series(mean):
    """Between two counts the law is nearly a lattice, however large nu times the mean is."""
    m, n = np.log(mean), np.log(49.9)
    rows = (np.array([round(mean)], dtype=float),)
    value, score, information = FAMILY.bind(np, "expected")(rows, np.array([[m, n]]))
    with mp.workdps(60):
        true = float(log_probability(round(mean), mp.mpf(m), mp.mpf(n)))
    assert_allclose(value[0] + FAMILY.saturated(rows)[0], true, rtol=1e-11)
    assert np.all(np.isfinite(score))
    assert np.all(np.isfinite(information))


@pytest.mark.parametrize("m", [-700.0, -37.0, -3.0, 2.0, 5.0, 10.0, 30.0])
def test_shape_one_is_poisson(m):
    y = np.array([0.0, 1.0, 5.0, 1e6])
    with np.errstate(under="ignore"):
        value, score, information = FAMILY.bind(np)((y,), np.column_stack([np.full(4, m), np.zeros(4)]))
        mu = np.exp(m)
    some = np.where(y > 0.0, y, 1.0)
    half = np.where(y > 0.0, y * (np.log(some) - m) + mu - y, mu)
    assert_allclose(value, -half, rtol=1e-9, atol=1e-14)
    assert_allclose(score[:, 0], y - mu, rtol=1e-12)
    assert_allclose(information[:, 0, 0], mu, rtol=1e-9)


def test_rows_that_repeat_and_rows_in_parts_give_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    m, n = rng.normal(1.0, 1.0, 40), rng.normal(0.0, 0.5, 40)
    whole = moments(np, m, n)
    twice = moments(np, np.tile(m, 2), np.tile(n, 2))
    assert_allclose(twice.variance[40:], whole.variance, rtol=1e-13)
    monkeypatch.setattr(conway, "_CELLS", 500)
    assert_allclose(moments(np, m, n).variance, whole.variance, rtol=1e-13)


def test_outside_its_range_the_likelihood_is_zero_and_nothing_is_not_a_number():
    eta = np.array([[0.0, -40.0], [0.0, 4.5], [40.0, 0.0]])
    value, score, information = FAMILY.bind(np, "observed")((np.ones(3),), eta)
    assert np.all(np.isneginf(value))
    assert not score.any()
    assert not information.any()
    assert np.all(np.isnan(FAMILY.variance(np, eta)))


def test_strong_shapes_gather_the_counts_around_the_mean():
    variance = FAMILY.variance(np, np.column_stack([np.log([2.5, 2.3, 50.0]), np.log([45.0, 45.0, 45.0])]))
    assert_allclose(variance[:2], [0.25, 0.21], atol=0.01)  # between two counts
    assert_allclose(variance[2], 50.0 / 45.0, rtol=0.02)


def test_gauss_sums_over_blocks_give_what_every_term_gives(monkeypatch):
    m, n = np.log([5.0, 400.0, 200.0, 500.0]), np.log([0.02, 0.2, 0.4, 0.03])
    blocks = moments(np, m, n)
    monkeypatch.setattr(conway, "_SINGLE", 10**6)
    conway._nodes.cache_clear()
    plain = moments(np, m, n)
    conway._nodes.cache_clear()
    for name in ("log_c", "log_sum", "variance", "mean_t", "rest", "third", "second"):
        assert_allclose(getattr(blocks, name), getattr(plain, name), rtol=1e-11, err_msg=name)


def test_without_any_pull_the_law_is_geometric():
    y, m = np.array([0.0, 1.0, 7.0, 40.0]), np.log(3.0)
    value, score, information = FAMILY.bind(np)((y,), np.column_stack([np.full(4, m), np.full(4, -33.0)]))
    geometric = y * np.log(0.75) + np.log(0.25)
    assert_allclose(value + FAMILY.saturated((y,)), geometric, rtol=1e-12)
    assert_allclose(score[:, 0], (y - 3.0) / 4.0, rtol=1e-11)
    assert_allclose(score[:, 1], 0.0, atol=1e-12)
    assert_allclose(information[:, 0, 0], 0.75, rtol=1e-11)
