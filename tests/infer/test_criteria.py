"""Information criteria: against densities summed by hand, and against each other."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from etamu.infer.criteria import aic, bic

LOGLIKS = (-1234.5, -1.0, 0.0, 17.25)


def test_aic_of_a_normal_sample_is_its_closed_form() -> None:
    """With mean and variance at their maximum, AIC is n (log(2 pi s^2) + 1) + 4."""
    y = np.array([1.0, 2.5, -0.5, 4.0, 3.0])
    variance = float(np.mean((y - y.mean()) ** 2))
    loglik = float(np.sum(-0.5 * np.log(2 * np.pi * variance) - (y - y.mean()) ** 2 / (2 * variance)))
    assert aic(loglik, 2) == pytest.approx(5 * (math.log(2 * math.pi * variance) + 1) + 4, rel=1e-14)


def test_bic_agrees_with_many_digits() -> None:
    with mpmath.workdps(40):
        expected = float(2 * mpmath.mpf("321.0625") + 7 * mpmath.log(mpmath.mpf(12345)))
    assert bic(-321.0625, 7, 12345) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("loglik", LOGLIKS)
def test_one_more_parameter_costs_two_in_aic_and_log_n_in_bic(loglik: float) -> None:
    assert aic(loglik, 4) - aic(loglik, 3) == pytest.approx(2.0)
    assert bic(loglik, 4, 50) - bic(loglik, 3, 50) == pytest.approx(math.log(50))


@pytest.mark.parametrize("loglik", LOGLIKS)
def test_without_parameters_both_are_minus_twice_the_loglik(loglik: float) -> None:
    assert aic(loglik, 0) == bic(loglik, 0, 99) == -2.0 * loglik


def test_one_row_costs_bic_nothing() -> None:
    assert bic(-3.0, 5, 1) == 6.0


@pytest.mark.parametrize(("nobs", "heavier"), [(7, False), (8, True)])
def test_bic_is_the_heavier_from_eight_rows_on(nobs: int, heavier: bool) -> None:
    """The criteria cross at n = e^2, about 7.39."""
    assert (bic(-10.0, 3, nobs) > aic(-10.0, 3)) is heavier


def test_both_fall_as_the_fit_improves() -> None:
    assert aic(-9.0, 3) < aic(-10.0, 3)
    assert bic(-9.0, 3, 40) < bic(-10.0, 3, 40)


@pytest.mark.parametrize("nobs", [0, 0.0, -1.0])
def test_bic_of_no_rows_is_nan(nobs: float) -> None:
    assert math.isnan(bic(-1.0, 1, nobs))


def test_bic_takes_weights_that_sum_to_a_fraction() -> None:
    assert bic(0.0, 2, 0.5) == pytest.approx(-2.0 * math.log(2.0))


def test_an_impossible_sample_costs_everything_and_an_unknown_one_nothing_known() -> None:
    assert aic(-math.inf, 2) == bic(-math.inf, 2, 10) == math.inf
    assert math.isnan(aic(math.nan, 2))
    assert math.isnan(bic(math.nan, 2, 10))
