"""The smooth follows lines exactly, curves closely, and no outlier."""

from __future__ import annotations

import numpy as np
import pytest

from etamu.plot.smooth import lowess


def test_a_line_is_followed_exactly():
    x = np.random.default_rng(0).uniform(0, 5, 300)
    places, smooth = lowess(x, 3.0 - 2.0 * x)
    np.testing.assert_allclose(smooth, 3.0 - 2.0 * places, atol=1e-10)
    assert (places[0], places[-1]) == (x.min(), x.max())


def test_a_curve_is_followed_through_noise():
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 2, 3000)
    places, smooth = lowess(x, x**2 + rng.normal(0, 0.5, 3000), 0.2)
    assert np.abs(smooth - places**2).max() < 0.25


def test_outliers_bend_the_robust_smooth_no_more_than_noise_does():
    rng = np.random.default_rng(2)
    x = np.sort(rng.uniform(0, 1, 400))
    y = rng.normal(0, 0.1, 400)
    y[::10] += 30.0
    robust, plain = lowess(x, y)[1], lowess(x, y, rounds=0)[1]
    assert np.abs(robust).max() < 0.2
    assert plain.mean() > 2.0


def test_without_rounds_weights_give_the_weighted_mean():
    x = np.zeros(4)
    y, w = np.array([0.0, 0.0, 0.0, 8.0]), np.array([1.0, 1.0, 1.0, 5.0])
    np.testing.assert_allclose(lowess(x, y, rounds=0, weights=w)[1], 5.0)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0]),
        ([0.0, 0.0, 0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]),
        ([0.0] * 90 + [1.0] * 10, list(np.linspace(0, 1, 100))),
        ([0.0, 1.0, 2.0], [1.0, 1.0, 1.0]),
        (list(range(20)), [0.0] * 19 + [1e9]),
    ],
    ids=["one place", "two places", "most tie", "constant", "one point off"],
)
def test_ties_and_constants_have_a_smooth_within_the_data(x, y):
    places, smooth = lowess(np.array(x, dtype=float), np.array(y))
    assert len(places) == len(np.unique(x))
    assert np.all((smooth >= min(y) - 1e-9) & (smooth <= max(y) + 1e-9))


def test_what_is_missing_is_left_out_and_two_points_have_no_smooth():
    x, y = np.array([0.0, 1.0, 2.0, np.nan, 3.0]), np.array([0.0, 1.0, 2.0, 9.0, np.nan])
    np.testing.assert_allclose(lowess(x, y)[1], lowess(x, y)[0], atol=1e-12)
    assert len(lowess(x[:2], y[:2])[0]) == 0
