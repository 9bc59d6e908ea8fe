"""The derivative of the Tweedie log density in its power, against differences of the density itself."""

from __future__ import annotations

import numpy as np
import pytest

from etamu.family.borrowed import Tweedie
from etamu.family.distribution import distribution
from etamu.family.power import score
from etamu.family.tweedie import power_slope, saturated

Y = np.array([0.0, 0.3, 1.0, 2.0, 50.0])
MU = np.array([2.0, 0.3001, 3.0, 1.0, 40.0])
PHI = np.array([0.5, 1.0, 2.0, 3.0, 4.0])


def quotient(function, power: float, step: float) -> np.ndarray:
    near, far = (function(power + k * step) - function(power - k * step) for k in (1.0, 2.0))
    return (8.0 * near - far) / (12.0 * step)


@pytest.mark.parametrize("power", [1.1, 1.3, 1.5, 1.9])
def test_the_score_is_the_derivative_of_the_log_density(power: float) -> None:
    numeric = quotient(lambda p: distribution(Tweedie(p)).logpdf(Y, MU, PHI), power, 2e-4)
    np.testing.assert_allclose(score(Y, np.log(MU), PHI, power), numeric, rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("power", [1.02, 1.5, 1.98])
@pytest.mark.parametrize("phi", [0.01, 1.0, 30.0])
def test_the_slope_of_the_saturated_term(power: float, phi: float) -> None:
    numeric = quotient(lambda p: saturated(Y, phi, p), power, 2e-5)
    np.testing.assert_allclose(power_slope(Y, phi, power), numeric, rtol=1e-5, atol=1e-5)


def test_many_rows_by_a_table_are_few_rows_one_by_one() -> None:
    y = np.random.default_rng(1).gamma(1.0, 50.0, 2000)
    whole, part = power_slope(y, 20.0, 1.5), power_slope(y[:500], 20.0, 1.5)
    np.testing.assert_allclose(whole[:500], part, rtol=1e-8, atol=1e-8)
