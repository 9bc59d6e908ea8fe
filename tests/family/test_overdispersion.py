"""Derivatives of the negative binomial likelihood in alpha = 1/theta against mpmath, from the limit on."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import mp, mpf

from etamu.family.families import NegativeBinomial, Poisson
from etamu.family.links import Log
from etamu.family.overdispersion import Overdispersion, excess, remainder
from etamu.family.program import compiled

ALPHAS = (1e-14, 1e-9, 1e-5, 1e-3, 0.05, 0.0833333, 0.0833334, 0.2, 1.0, 40.0, 1e4, 1e8)
COUNTS = (0.0, 1.0, 2.0, 50.0, 1e6, 1e12)
MEANS = (1e-10, 1e-3, 1.0, 2.0, 49.0, 1e3 * 1.00001, 1e12 * (1.0 + 1e-9))


def true_excess(y: mpf, mu: mpf, alpha: mpf) -> mpf:
    theta = 1 / alpha
    return theta**2 * ((y - mu) / (mu + theta) - mp.log((y + theta) / (mu + theta)))


def true_remainder(y: mpf, alpha: mpf) -> mpf:
    theta = 1 / alpha

    def delta(x: mpf) -> mpf:
        return mp.log(x) - mp.digamma(x)

    return theta**2 * (delta(theta) - delta(theta + y))


def slope(function, alpha: float) -> mpf:
    step = mpf(alpha) * mpf(10) ** -(mp.dps // 4)
    return (function(mpf(alpha) + step) - function(mpf(alpha) - step)) / (2 * step)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_excess_and_remainder_keep_their_digits(alpha: float) -> None:
    with mp.workdps(60 + int(max(0.0, -4.0 * np.log10(alpha)))):
        for y in COUNTS:
            value, bend = (float(each[0]) for each in remainder(np.array([y]), alpha))
            close(value, true_remainder(mpf(y), mpf(alpha)))
            close(bend, slope(lambda a, y=y: true_remainder(mpf(y), a), alpha))
            for mu in MEANS:
                value, bend = (float(each[0]) for each in excess(np, np.array([y]), np.array([mu]), alpha))
                close(value, true_excess(mpf(y), mpf(mu), mpf(alpha)))
                close(bend, slope(lambda a, y=y, mu=mu: true_excess(mpf(y), mpf(mu), a), alpha))


def close(ours: float, truth: mpf) -> None:
    assert abs(ours - truth) <= 1e-11 * abs(truth)


def test_the_limit_is_the_poisson_score_test() -> None:
    y, mu = np.array([0.0, 1.0, 7.0]), np.array([2.0, 0.5, 4.0])
    score = excess(np, y, mu, 0.0)[0] - remainder(y, 0.0)[0]
    np.testing.assert_allclose(score, 0.5 * ((y - mu) ** 2 - y), rtol=1e-14)


@pytest.mark.parametrize("alpha", [1e-3, 0.07, 0.3, 5.0])
def test_their_difference_is_the_derivative_of_the_log_likelihood(alpha: float) -> None:
    y, mu, step = np.array([0.0, 1.0, 3.0, 30.0]), np.array([0.2, 5.0, 3.0, 12.0]), 1e-5 * alpha

    def loglik(at: float) -> np.ndarray:
        family = NegativeBinomial(1.0 / at)
        return family.saturated((y,), np.ones(4)) - 0.5 * family.deviance(np, y, mu, 1.0 - mu)

    numeric = (loglik(alpha + step) - loglik(alpha - step)) / (2.0 * step)
    score = excess(np, y, mu, alpha)[0] - remainder(y, alpha)[0]
    np.testing.assert_allclose(score, numeric, rtol=1e-5, atol=1e-8)


def test_a_large_theta_is_the_poisson_likelihood() -> None:
    y, mu = np.array([0.0, 3.0, 1e6]), np.array([1.0, 5.0, 1e6 + 3.0])
    wide, limit = NegativeBinomial(1e15), Poisson()
    np.testing.assert_allclose(wide.saturated((y,), np.ones(3)), limit.saturated((y,), np.ones(3)), rtol=1e-9)
    np.testing.assert_allclose(wide.deviance(np, y, mu, 1 - mu), limit.deviance(np, y, mu, 1 - mu), rtol=1e-7)


@pytest.mark.parametrize("alpha", [0.0, 1e-9, 0.3, 40.0])
def test_the_kernel_runs_the_same_equation(alpha: float) -> None:
    law = Overdispersion(Log())
    y, eta = (each.ravel() for each in np.meshgrid(COUNTS, np.linspace(-30.0, 30.0, 41)))
    program = compiled(law, 2, ("value", "score", "expected"))
    if program is None:
        pytest.skip("no kernel")
    found = program.run([y, np.array([alpha]), eta])
    for ours, twin in zip(found, law.bind(np)((y, np.array([alpha])), eta), strict=True):
        np.testing.assert_allclose(ours, twin, rtol=1e-11)


def test_the_equation_has_its_own_derivative_in_eta() -> None:
    bound = Overdispersion(Log()).bind(np)
    rows, eta, step = (np.array([0.0, 3.0, 40.0]), np.array([0.4])), np.array([0.3, 1.0, 2.0]), 1e-6
    slope = (bound(rows, eta + step)[0] - bound(rows, eta - step)[0]) / (2.0 * step)
    np.testing.assert_allclose(bound(rows, eta)[1], slope, rtol=1e-8)
