from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special

from etamu.infer import criteria, dispersion
from etamu.infer.wald import critical, criticals, interval, p_values


@pytest.mark.parametrize("z", [0.0, 0.5, -1.96, 8.0, -20.0, 37.0])
def test_normal_tails_are_right_far_out(z):
    expected = float(mpmath.erfc(abs(z) / mpmath.sqrt(2)))
    assert_allclose(p_values(np.array([z]))[0], expected, rtol=1e-12)


@pytest.mark.parametrize(("t", "df"), [(0.3, 1), (2.5, 7), (-40.0, 12), (100.0, 3)])
def test_student_tails_are_right_far_out(t, df):
    with mpmath.workdps(30):
        ratio = mpmath.mpf(df) / (df + mpmath.mpf(t) ** 2)
        expected = float(mpmath.betainc(mpmath.mpf(df) / 2, mpmath.mpf(1) / 2, 0, ratio, regularized=True))
    assert_allclose(p_values(np.array([t]), df)[0], expected, rtol=1e-10)


@pytest.mark.parametrize("df", [3.0, 30.0, math.inf])
def test_the_critical_value_has_its_level_outside(df):
    for level in (0.5, 0.95, 0.999):
        assert_allclose(p_values(np.array([critical(level, df)]), df)[0], 1 - level, rtol=1e-9)


def test_an_interval_is_symmetric_and_nan_where_nothing_is_known():
    got = interval(np.array([1.0, np.nan]), np.array([0.5, np.nan]), 0.95)
    assert_allclose(got[0], 1.0 + 0.5 * 1.959963984540054 * np.array([-1, 1]))
    assert np.isnan(got[1]).all()


def test_criteria_and_moments():
    assert criteria.aic(-10.0, 3) == 26.0
    assert_allclose(criteria.bic(-10.0, 3, 100), 20.0 + 3 * math.log(100))
    assert math.isnan(criteria.bic(-10.0, 3, 0))
    assert math.isnan(dispersion.moment(1.0, 0))


def test_each_statistic_may_have_its_own_degrees_of_freedom():
    statistic, df = np.array([-2.0, 2.0, 2.0, 2.0]), np.array([3.7, 3.7, np.inf, np.nan])
    each = [p_values(statistic[i : i + 1], float(df[i]))[0] for i in range(3)]
    assert_allclose(p_values(statistic, df), [*each, np.nan], rtol=1e-14)
    assert_allclose(criticals(0.9, df), [*(critical(0.9, float(nu)) for nu in df[:3]), np.nan], rtol=1e-14)
    ends = interval(np.zeros(4), np.ones(4), 0.9, df)
    assert_allclose(ends[:, 1], criticals(0.9, df))


@pytest.mark.parametrize("df", [1, 2, 3.5, 10, 41, 100, 987, 9_999, 10_001, 1e6, math.inf])
def test_tails_of_any_degrees_of_freedom_agree_with_scipy(df):
    t = np.array([0.0, 0.1, 0.5, -1.0, 1.2, 1.3, 1.7, 2.5, -4.0, 8.0, 15.0, np.nan, np.inf])
    expected = 2.0 * (special.ndtr(-np.abs(t)) if math.isinf(df) else special.stdtr(df, -np.abs(t)))
    assert_allclose(p_values(t, df), expected, rtol=1e-12, atol=1e-300)
