"""The moment estimate of phi: what it estimates, and where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest

import etamu
from etamu.infer.dispersion import moment


def test_sample_variance_is_the_moment_of_an_intercept() -> None:
    y = np.array([2.0, 4.0, 4.0, 5.0, 10.0])
    assert moment(float(np.sum((y - y.mean()) ** 2)), len(y) - 1) == pytest.approx(np.var(y, ddof=1))


@pytest.mark.parametrize("df", [0, -1, 0.0, -0.5, math.nan])
def test_without_degrees_of_freedom_there_is_none(df: float) -> None:
    assert math.isnan(moment(3.0, df))


def test_a_perfect_fit_has_no_dispersion_but_one_without_freedom_is_unknown() -> None:
    assert moment(0.0, 3) == 0.0
    assert math.isnan(moment(0.0, 0))


def test_the_estimate_is_linear_in_the_total() -> None:
    assert moment(7.0, 3) + moment(5.0, 3) == pytest.approx(moment(12.0, 3))


def test_degrees_of_freedom_may_be_a_fraction() -> None:
    assert moment(1.0, 0.25) == 4.0


@pytest.mark.parametrize("total", [math.inf, math.nan])
def test_what_is_not_finite_stays_so(total: float) -> None:
    assert str(moment(total, 4)) == str(total)


def test_it_is_unbiased_for_the_variance_of_a_normal_sample() -> None:
    """Over 4000 samples of 6 rows the mean of RSS / 5 is 9 within four standard errors."""
    y = np.random.default_rng(11).normal(1.0, 3.0, (4000, 6))
    totals = np.sum((y - y.mean(axis=1, keepdims=True)) ** 2, axis=1)
    estimates = [moment(float(total), 5) for total in totals]
    assert abs(np.mean(estimates) - 9.0) < 4 * 9.0 * math.sqrt(2 / 5 / 4000)


def test_a_gaussian_fit_reports_it() -> None:
    """The dispersion of a fit is its residual sum of squares over n - p, from a solution by lstsq."""
    rng = np.random.default_rng(5)
    x = rng.uniform(size=30)
    y = 1.0 + 2.0 * x + rng.normal(0.0, 0.3, 30)
    residual_sum = float(np.linalg.lstsq(np.column_stack([np.ones(30), x]), y, rcond=None)[1][0])
    fit = etamu.glm("y ~ x", {"x": x, "y": y})
    assert fit.dispersion == pytest.approx(moment(residual_sum, 28), rel=1e-10)
