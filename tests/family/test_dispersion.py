"""The maximum likelihood dispersion is where the likelihood is highest, and weights mean what they say."""

import numpy as np
import pytest

from etamu._base.errors import DataError, NotAvailableError
from etamu.family import dispersion, saturated
from etamu.family.borrowed import Tweedie
from etamu.family.dispersion import dispersion_ml
from etamu.family.distribution import distribution


def simulated(power, phi, n=400, seed=0):
    rng = np.random.default_rng(seed)
    mu, weight = np.exp(0.5 * rng.normal(size=n)), rng.choice([0.5, 1.0, 2.0], n)
    y = distribution(Tweedie(power)).sample(rng, mu, phi / weight)
    return y, Tweedie(power).deviance(np, y, mu, 1.0 - mu), weight


CASES = [
    (0.0, 2.0),
    (1.05, 0.3),
    (1.5, 1.0),
    (1.5, 40.0),
    (1.9, 0.01),
    (2.0, 0.4),
    (2.4, 0.7),
    (3.0, 1.0),
    (4.0, 0.1),
]


@pytest.mark.parametrize(("power", "phi"), CASES)
def test_the_likelihood_is_highest_at_the_estimate(power, phi):
    y, deviance, weight = simulated(power, phi)
    estimate = dispersion_ml(y, deviance, weight, power)

    def loglik(log_phi):
        value = np.exp(log_phi)
        return np.sum(saturated.tweedie(y, value / weight, power)) - np.sum(weight * deviance) / (2 * value)

    at, h = np.log(estimate), 1e-3
    left, middle, right = loglik(at - h), loglik(at), loglik(at + h)
    assert middle > max(left, right)
    # The vertex of the parabola through the three points, up to third-order terms.
    assert abs(h * (right - left) / (2 * (2 * middle - left - right))) < 1e-5
    assert estimate == pytest.approx(phi, rel=0.4)


@pytest.mark.parametrize(("power", "phi"), CASES)
def test_a_frequency_is_so_many_copies_and_a_weight_of_zero_is_no_row(power, phi):
    y, deviance, weight = simulated(power, phi, n=60)
    count = np.random.default_rng(1).integers(0, 4, y.size)
    copies = [np.repeat(each, count) for each in (y, deviance, weight)]
    once = dispersion_ml(y, deviance, weight, power, frequency=count)
    assert once == pytest.approx(dispersion_ml(*copies, power), rel=1e-9)
    assert dispersion_ml(y, deviance, weight * (count > 0), power) == pytest.approx(
        dispersion_ml(y[count > 0], deviance[count > 0], weight[count > 0], power), rel=1e-9
    )


@pytest.mark.parametrize("power", [1.5, 2.0, 2.5])
def test_scaling_the_weights_scales_the_dispersion(power):
    y, deviance, weight = simulated(power, 0.8, n=80)
    one, seven = (dispersion_ml(y, deviance, factor * weight, power) for factor in (1.0, 7.0))
    assert seven == pytest.approx(7.0 * one, rel=1e-9)


def test_power_one_and_a_perfect_fit_have_no_estimate():
    with pytest.raises(NotAvailableError, match="lattice"):
        dispersion_ml([1.0], [0.5], 1.0, 1.0)
    with pytest.raises(DataError, match="equals its mean"):
        dispersion_ml([1.0, 2.0], [0.0, 0.0], 1.0, 1.5)
    with pytest.raises(DataError, match="every observation is 0"):
        dispersion_ml([0.0, 0.0], [1.0, 1.0], 1.0, 1.5)


def test_a_phi_near_the_maximum_leads_to_the_same_one() -> None:
    rng = np.random.default_rng(8)
    y = rng.gamma(2.0, 1.0, 300) * rng.poisson(1.0, 300)
    deviance = rng.uniform(0.1, 3.0, 300)
    found = dispersion_ml(y, deviance, 1.0, 1.5)
    for near in (0.9 * found, 1.1 * found, 100.0 * found):
        assert dispersion_ml(y, deviance, 1.0, 1.5, near=near) == pytest.approx(found, rel=1e-10)


@pytest.mark.parametrize("power", [1.2, 1.5, 1.9, 2.0, 2.5, 4.0])
def test_shares_on_a_grid_give_the_root_of_all_rows(power, monkeypatch):
    rng = np.random.default_rng(4)
    y = rng.gamma(2.0, np.exp(rng.normal(size=8000)))
    deviance, weights = rng.gamma(1.0, 1.0, 8000), rng.uniform(0.5, 2.0, 8000)
    quick = dispersion_ml(y, deviance, weights, power)
    monkeypatch.setattr(dispersion, "_WORTH", np.inf)
    np.testing.assert_allclose(quick, dispersion_ml(y, deviance, weights, power), rtol=1e-11)
