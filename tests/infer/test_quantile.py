"""Quantile residuals: the draws against the stream itself, the scores against mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy import special

from etamu.infer.quantile import normal_scores
from etamu.infer.uniform import RESIDUAL, uniform


def kolmogorov(values: np.ndarray) -> float:
    """Root n times the largest distance from the uniform law; above 1.95 once in a thousand."""
    ordered, n = np.sort(values), len(values)
    steps = np.arange(n + 1) / n
    return float(np.sqrt(n) * max(np.max(steps[1:] - ordered), np.max(ordered - steps[:-1])))


def test_the_numbers_are_uniform_and_neighbours_unrelated() -> None:
    u = uniform(2024, np.arange(20_000), 1, RESIDUAL)[:, 0]
    assert kolmogorov(u) < 1.95
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 4 / np.sqrt(len(u))


@pytest.mark.parametrize("tail", [0.5, 0.1, 1e-5, 1e-17, 1e-100, 1e-300])
def test_the_normal_probability_of_a_score_is_the_tail(tail: float) -> None:
    given, half = np.array([tail]), np.array([0.3])
    low = normal_scores(given, given, half, np.array([True]))[0]
    high = normal_scores(given, given, half, np.array([False]))[0]
    with mpmath.workdps(40):
        back = float(mpmath.ncdf(mpmath.mpf(float(low))) / mpmath.mpf(tail))
    assert back == pytest.approx(1.0, rel=1e-10)
    assert high == -low


def test_either_tail_tells_the_same_point() -> None:
    """A jump from 0.25 to 0.75 of the distribution function, seen from below and from above."""
    u = np.array([0.1, 0.5, 0.8])
    below = normal_scores(np.full(3, 0.75), np.full(3, 0.25), u, np.ones(3, dtype=bool))
    above = normal_scores(np.full(3, 0.25), np.full(3, 0.75), u, np.zeros(3, dtype=bool))
    np.testing.assert_allclose(below, above, atol=1e-14)
    np.testing.assert_allclose(special.ndtr(below), 0.25 + 0.5 * u, rtol=1e-12)


@pytest.mark.parametrize("below", [True, False])
def test_scores_rise_with_the_draw(below: bool) -> None:
    u = np.linspace(0.01, 0.99, 50)
    near, far = np.full(50, 0.3), np.full(50, 0.1)
    inner, outer = (near, far) if below else (far, near)
    assert np.all(np.diff(normal_scores(inner, outer, u, np.full(50, below))) > 0)


def test_an_empty_tail_has_an_infinite_score() -> None:
    zero = np.zeros(2)
    scores = normal_scores(zero, zero, np.full(2, 0.5), np.array([True, False]))
    assert scores.tolist() == [-np.inf, np.inf]


def test_scores_of_counts_from_their_own_law_are_standard_normal() -> None:
    """Poisson counts of mean 1.5, nearer tail each: without the draws they would have few values."""
    y = np.random.default_rng(8).poisson(1.5, 5000)
    below = y <= 1
    inner = np.where(below, special.pdtr(y, 1.5), special.pdtrc(y, 1.5))
    lower = np.where(y > 0, special.pdtr(np.maximum(y - 1, 0), 1.5), 0.0)
    outer = np.where(below, lower, 1.0 - lower)
    scores = normal_scores(inner, outer, uniform(3, np.arange(5000), 1, RESIDUAL)[:, 0], below)
    assert kolmogorov(special.ndtr(scores)) < 1.95
