"""The Tweedie density and tails against high precision references (tests/references/make_tweedie.py)."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.errors import FamilyError
from etamu.family import compound, stable, tweedie
from etamu.family.borrowed import Tweedie
from etamu.family.distribution import distribution

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "references" / "tweedie.json").read_text(encoding="utf-8")
)
DENSITY = np.array(REFERENCE["density"])
TAILS = np.array(REFERENCE["tails"])
POWERS = sorted(set(DENSITY[:, 3]))


@pytest.mark.parametrize("power", POWERS)
def test_density_agrees_with_high_precision_to_1e_10(power):
    y, mu, phi, _, exact = DENSITY[DENSITY[:, 3] == power].T
    value = distribution(Tweedie(power)).logpdf(y, mu, phi)
    # A difference of log densities is a relative difference of densities.
    assert np.max(np.abs(value - exact)) < 1e-10


@pytest.mark.parametrize("case", TAILS, ids=lambda case: "-".join(f"{v:g}" for v in case[:4]))
def test_both_tails_agree_with_high_precision(case):
    y, mu, phi, power, lower, upper = case
    law = distribution(Tweedie(power))
    assert_allclose(law.cdf(y, mu, phi), lower, rtol=1e-11)
    assert_allclose(law.sf(y, mu, phi), upper, rtol=1e-11)


@pytest.mark.parametrize("power", [1.01, 1.3, 1.7, 1.99, 2.01, 2.4, 3.0, 4.0])
def test_small_dispersion_approaches_the_saddlepoint(power):
    phi = np.array([1e-14, 1e-11, 1e-8])
    value = tweedie.log_density_at_mean(phi, power) + 0.5 * np.log(2 * np.pi * phi)
    # What the saddlepoint leaves is a power series in phi without a constant term.
    assert np.max(np.abs(value)) < 1e-6
    assert abs(value[0]) < 1e-12


@pytest.mark.parametrize("power", [1.2, 1.5, 1.8])
def test_summing_every_term_and_striding_over_them_agree(power):
    phi = np.geomspace(0.3, 3.0, 7) / 200.0
    strided = compound._series(phi, power, strided=True)
    each = compound._series(phi, power, strided=False)
    assert_allclose(strided[0], each[0], atol=1e-13)
    assert_allclose(strided[1], each[1], atol=1e-11)


def test_power_three_is_the_inverse_gaussian():
    phi = np.geomspace(1e-12, 1e12, 49)
    assert_allclose(stable.log_density_at_mean(phi, 3.0), -0.5 * np.log(2 * np.pi * phi), atol=1e-13)


@pytest.mark.parametrize("power", [2.0 - 1e-7, 2.0 + 1e-7])
def test_power_two_is_approached_from_both_sides(power):
    y, phi = np.array([0.2, 1.0, 4.0]), np.array([0.01, 0.5, 3.0])
    gamma = distribution(Tweedie(2.0))
    close = distribution(Tweedie(power))
    assert_allclose(close.logpdf(y, 1.5, phi), gamma.logpdf(y, 1.5, phi), atol=1e-5)
    assert_allclose(close.cdf(y, 1.5, phi), gamma.cdf(y, 1.5, phi), rtol=1e-5)


@pytest.mark.parametrize("power", [1.05, 1.5, 1.95, 2.1, 3.5])
def test_a_table_for_many_rows_is_the_direct_computation(power):
    phi = np.geomspace(1e-3, 1e2, 6000)
    some = slice(None, None, 97)
    table, direct = (
        tweedie.log_density_at_mean(phi, power)[some],
        tweedie.log_density_at_mean(phi[some], power),
    )
    assert_allclose(table, direct, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("power", [1.05, 1.5, 1.95, 2.1, 3.5])
def test_slope_is_the_derivative_of_the_density(power):
    phi, h = np.geomspace(1e-3, 1e2, 30), 1e-4
    value = [tweedie.log_density_at_mean(phi * np.exp(k * h), power) for k in (-2, -1, 1, 2)]
    difference = (8 * (value[2] - value[1]) - (value[3] - value[0])) / (12 * h)
    assert_allclose(tweedie.slope_at_mean(phi, power), difference, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("power", [1.5, 2.5])
def test_change_of_unit_changes_the_density_by_its_jacobian(power):
    law = distribution(Tweedie(power))
    y, mu, phi, unit = 0.7, 1.3, 0.4, 1000.0
    changed = law.logpdf(unit * y, unit * mu, unit ** (2 - power) * phi) + np.log(unit)
    assert changed == pytest.approx(float(law.logpdf(y, mu, phi)), abs=1e-12)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0, -1.0, np.inf, np.nan])
def test_a_power_without_series_or_integral_is_refused(power):
    with pytest.raises(FamilyError, match="give a power in"):
        tweedie.saturated([1.0], 1.0, power)
