"""Test statistics and their tails, against mpmath and by their own laws."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special

from etamu.infer.covariance import Root
from etamu.infer.tests import chi2_tail, f_tail, rao, wald


@pytest.mark.parametrize(("statistic", "df"), [(1e-3, 1), (5.5, 2), (40.0, 7), (715.6, 1), (1234.5, 30)])
def test_chi_squared_tail_is_mpmaths(statistic: float, df: int) -> None:
    exact = mpmath.gammainc(df / 2, statistic / 2, regularized=True)
    assert chi2_tail(statistic, df) == pytest.approx(float(exact), rel=1e-11)


@pytest.mark.parametrize(
    ("statistic", "df", "rest"), [(0.3, 1, 5), (31.2, 1, 28), (1234.3, 1, 29), (7.0, 4, 1e4)]
)
def test_f_tail_is_mpmaths(statistic: float, df: float, rest: float) -> None:
    place = rest / (rest + df * statistic)
    exact = mpmath.betainc(rest / 2, df / 2, 0, place, regularized=True)
    assert f_tail(statistic, df, rest) == pytest.approx(float(exact), rel=1e-9)


def test_tails_without_degrees_of_freedom_are_nan() -> None:
    assert math.isnan(chi2_tail(1.0, 0))
    assert math.isnan(f_tail(1.0, 0, 3))
    assert math.isnan(f_tail(1.0, 1, 0))
    assert f_tail(2.0, 3, math.inf) == chi2_tail(6.0, 3)


def random(seed: int, p: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=p), rng.normal(size=(p, p))


@pytest.mark.parametrize("seed", range(5))
def test_wald_is_the_quadratic_form(seed: int) -> None:
    beta, half = random(seed)
    rows = np.random.default_rng(seed + 100).normal(size=(3, 5))
    cov = half @ half.T
    exact = (rows @ beta) @ np.linalg.solve(rows @ cov @ rows.T, rows @ beta)
    found = wald(rows, rows @ beta, Root(half))
    assert found.df == 3
    assert found.statistic == pytest.approx(exact, rel=1e-8)
    first = wald(rows[:1], rows[:1] @ beta, Root(half))
    beyond = wald(rows, rows @ beta, Root(half), given=1)
    assert first.statistic + beyond.statistic == pytest.approx(found.statistic, rel=1e-8)


def test_wald_does_not_depend_on_how_the_hypothesis_is_written() -> None:
    beta, half = random(9)
    rows = np.eye(5)[:2]
    mixed = np.array([[1.0, 1.0], [1.0, -3.0]]) @ rows
    assert wald(rows, rows @ beta, Root(half)).statistic == pytest.approx(
        wald(mixed, mixed @ beta, Root(half)).statistic, rel=1e-10
    )
    doubled = np.vstack([rows, rows[0] * 7])
    assert wald(doubled, doubled @ beta, Root(half)).df == 2


def test_wald_of_nothing_and_of_a_covariance_that_is_not_there() -> None:
    beta, half = random(2)
    assert wald(np.zeros((0, 5)), np.zeros(0), Root(half)).df == 0
    assert math.isnan(wald(np.zeros((0, 5)), np.zeros(0), Root(half)).statistic)
    assert math.isnan(wald(np.eye(5), beta, Root(half * np.nan)).statistic)


def test_rao_does_not_depend_on_units() -> None:
    score, half = random(4)
    information = half @ half.T
    units = np.array([1e-8, 1.0, 1e6, 3.0, 1e3])
    exact = score @ np.linalg.solve(information, score)
    assert rao(score, information) == pytest.approx(exact, rel=1e-8)
    assert rao(score * units, information * np.outer(units, units)) == pytest.approx(exact, rel=1e-8)
    assert math.isnan(rao(score, np.zeros((5, 5))))
    assert math.isnan(rao(np.ones(2), np.array([[1.0, 2.0], [2.0, 1.0]])))


@pytest.mark.parametrize("df", [0.5, 1, 2, 7, 57, 100, 101])
def test_chi_squared_tails_agree_with_scipy(df):
    for x in (-1.0, 0.0, 0.01, 0.5, 2.0, 20.0, 99.0, 130.0, 700.0, 1399.0, 2000.0, np.inf):
        assert_allclose(chi2_tail(x, df), special.chdtrc(df, max(x, 0.0)), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("df", [1, 2, 3, 11, 40, 99, 101, 2.5])
@pytest.mark.parametrize("df_resid", [1, 2.5, 30, 990, 9_999, 20_000])
def test_f_tails_agree_with_scipy(df, df_resid):
    for f in (-1.0, 0.0, 1e-6, 0.3, 0.9, 1.1, 2.5, 20.0, 100.0, np.inf):
        assert_allclose(
            f_tail(f, df, df_resid), special.fdtrc(df, df_resid, max(f, 0.0)), rtol=1e-11, atol=1e-290
        )
