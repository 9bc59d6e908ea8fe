"""Quantile residuals: the draws against the stream itself, the scores against mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy import special

from etamu.infer.quantile import normal_scores, uniforms


def kolmogorov(values: np.ndarray) -> float:
    """Root n times the largest distance from the uniform law; above 1.95 once in a thousand."""
    ordered, n = np.sort(values), len(values)
    steps = np.arange(n + 1) / n
    return float(np.sqrt(n) * max(np.max(steps[1:] - ordered), np.max(ordered - steps[:-1])))


def test_row_r_has_number_r_of_the_stream() -> None:
    """Drawn one after another from the start, with the top 52 bits, centred."""
    raw = np.random.Philox(42).random_raw(60)
    rows = np.array([59, 0, 7, 8, 31])
    expected = [(int(raw[row]) // 2**12 * 2 + 1) / 2**53 for row in rows]
    assert uniforms(42, rows).tolist() == expected


@pytest.mark.parametrize("first", [0, 1, 2, 3, 4, 1_000_003])
def test_a_row_has_its_number_whoever_stands_beside_it(first: int) -> None:
    rows = first + np.array([0, 3, 5, 11])
    alone = [uniforms(9, rows[i : i + 1])[0] for i in range(len(rows))]
    assert uniforms(9, rows).tolist() == alone


def test_order_and_repetition_of_rows_change_nothing() -> None:
    rows = np.array([5, 2, 5, 17])
    drawn = uniforms(1, rows)
    assert drawn[0] == drawn[2]
    np.testing.assert_array_equal(uniforms(1, rows[::-1]), drawn[::-1])


def test_no_rows_have_no_numbers() -> None:
    assert uniforms(0, np.zeros(0, dtype=int)).shape == (0,)


def test_another_seed_is_another_stream() -> None:
    rows = np.arange(100)
    assert not np.any(uniforms(0, rows) == uniforms(1, rows))


def test_the_ends_are_never_reached_by_the_extreme_words(monkeypatch: pytest.MonkeyPatch) -> None:
    class Extreme:
        def __init__(self, seed: int) -> None:
            del seed

        def advance(self, steps: int) -> None:
            assert steps == 0

        def random_raw(self, count: int) -> np.ndarray:
            return np.array([0, 2**64 - 1], dtype=np.uint64)[:count]

    monkeypatch.setattr(np.random, "Philox", Extreme)
    low, high = uniforms(0, np.array([0, 1]))
    assert 0.0 < low < 1e-15
    assert 1.0 > high > 1.0 - 1e-15


def test_the_numbers_are_uniform_and_neighbours_unrelated() -> None:
    u = uniforms(2024, np.arange(20_000))
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
    scores = normal_scores(inner, outer, uniforms(3, np.arange(5000)), below)
    assert kolmogorov(special.ndtr(scores)) < 1.95
