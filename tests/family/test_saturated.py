"""The saturated terms against mpmath: counts up to 1e15, shapes from 1e-8 to 1e12, and y = 0."""

import mpmath as mp
import numpy as np
import pytest

from etamu.family import saturated

COUNTS = [1.0, 2.0, 7.0, 12.0, 150.0, 12345.0, 1e9, 1e15]
PHIS = [1e-6, 1e-2, 0.3, 1.0, 4.0, 1e3]


def close(value, exact):
    assert float(value) == pytest.approx(float(exact), rel=2e-14, abs=2e-14)


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(80):
        yield


@pytest.mark.parametrize("y", COUNTS)
def test_poisson_keeps_every_digit(y):
    n = mp.mpf(y)
    close(saturated.poisson(y), n * mp.log(n) - n - mp.loggamma(n + 1))


@pytest.mark.parametrize("theta", [1e-8, 1e-3, 0.7, 5.0, 1e4, 1e12])
@pytest.mark.parametrize("y", COUNTS)
def test_negative_binomial_keeps_every_digit(y, theta):
    n, t = mp.mpf(y), mp.mpf(theta)
    exact = (
        mp.loggamma(n + t)
        - mp.loggamma(t)
        - mp.loggamma(n + 1)
        + t * mp.log(t / (n + t))
        + n * mp.log(n / (n + t))
    )
    close(saturated.negative_binomial(y, 1.0, theta), exact)


@pytest.mark.parametrize("trials", [1.0, 2.0, 9.0, 1000.0, 1e12, 1e15])
@pytest.mark.parametrize("share", [0.0, 1e-6, 0.3, 0.5, 1.0])
def test_binomial_keeps_every_digit(trials, share):
    s, m = mp.mpf(np.floor(share * trials)), mp.mpf(trials)
    exact = mp.loggamma(m + 1) - mp.loggamma(s + 1) - mp.loggamma(m - s + 1)
    exact += sum(part * mp.log(part / m) for part in (s, m - s) if part > 0)
    close(saturated.binomial(float(s), trials), exact)


@pytest.mark.parametrize("phi", PHIS)
@pytest.mark.parametrize("y", [1e-5, 1.0, 300.0])
def test_gamma_gaussian_and_inverse_gaussian_are_log_densities_at_the_mean(y, phi):
    a, z = 1 / mp.mpf(phi), mp.mpf(y)
    close(saturated.gamma(y, phi), a * mp.log(a) - mp.log(z) - a - mp.loggamma(a))
    close(saturated.gaussian(y, phi), -mp.log(2 * mp.pi * phi) / 2)
    close(saturated.inverse_gaussian(y, phi), -mp.log(2 * mp.pi * phi * z**3) / 2)


def test_a_response_that_is_certain_has_log_probability_zero():
    zero = np.zeros(1)
    for value in (
        saturated.bernoulli([0, 1]),
        saturated.poisson(zero),
        saturated.negative_binomial(zero, 1.0, 3.0),
        saturated.binomial([0, 5], 5),
        saturated.tweedie(zero, 2.0, 1.0),
        saturated.tweedie(zero, 2.0, 1.5),
    ):
        assert np.all(value == 0.0)


@pytest.mark.parametrize(
    ("power", "named"), [(0.0, saturated.gaussian), (2.0, saturated.gamma), (3.0, saturated.inverse_gaussian)]
)
def test_tweedie_of_a_named_power_is_that_family(power, named):
    y = np.array([0.5, 2.0])
    assert np.array_equal(saturated.tweedie(y, 0.3, power), named(y, 0.3))


def test_dispersion_may_differ_by_row():
    y, phi = np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 5.0])
    for term in (saturated.gaussian, saturated.gamma, saturated.inverse_gaussian):
        assert np.array_equal(term(y, phi), [float(term(a, b)) for a, b in zip(y, phi, strict=True)])
