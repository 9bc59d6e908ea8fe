"""The compound Poisson-gamma law at mean 1, against the mixture written out in mpmath and its moments."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.family import compound

POWERS = (1.05, 1.3, 1.5, 1.8, 1.95)
PHI = (0.1, 1.0, 4.0)


def parts(phi: float, power: float):
    """Return the Poisson rate, the shape and the scale of each summand, from mean 1 and variance phi."""
    phi, power = mp.mpf(phi), mp.mpf(power)
    rate = 1 / (phi * (2 - power))
    shape = (2 - power) / (power - 1)
    return rate, shape, 1 / (rate * shape)


def mixture(term, phi: float, power: float) -> mp.mpf:
    """Sum Poisson probabilities times a term of the gamma law of n summands."""
    rate, shape, scale = parts(phi, power)
    last = int(rate + 14 * mp.sqrt(rate) + 60)
    return mp.fsum(
        mp.exp(n * mp.log(rate) - rate - mp.loggamma(n + 1)) * term(n * shape, scale) for n in range(1, last)
    )


def gamma_density(y: float):
    y = mp.mpf(y)
    return lambda k, scale: mp.exp((k - 1) * mp.log(y) - y / scale - k * mp.log(scale) - mp.loggamma(k))


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("phi", PHI)
def test_log_density_at_the_mean_is_the_mixture_of_gamma_densities(phi, power) -> None:
    expected = float(mp.log(mixture(gamma_density(1.0), phi, power)))
    assert_allclose(compound.log_density_at_mean(np.array([phi]), power), [expected], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("power", [1.3, 1.7])
def test_both_tails_are_the_mixture_of_gamma_tails(power) -> None:
    for phi, y in ((0.5, 0.2), (0.5, 3.0), (2.0, 1.0)):
        upper = mixture(lambda k, scale, y=y: mp.gammainc(k, y / scale, mp.inf, regularized=True), phi, power)
        column = np.array([y]), np.array([phi])
        assert_allclose(compound.sf(*column, power), [float(upper)], rtol=1e-12)
        assert_allclose(compound.cdf(*column, power), [float(1 - upper)], rtol=1e-12)


def test_mass_at_zero_is_that_of_no_summand() -> None:
    phi = np.array([0.3, 1.0, 5.0])
    expected = np.exp(-1.0 / (phi * 0.4))
    assert_allclose(compound.cdf(np.zeros(3), phi, 1.6), expected, rtol=1e-14)
    assert_allclose(compound.sf(np.zeros(3), phi, 1.6), 1.0 - expected, rtol=1e-13)


@pytest.mark.parametrize("power", POWERS)
def test_tails_are_monotone_and_add_up_to_one(power) -> None:
    y = np.geomspace(1e-3, 30.0, 60)
    phi = np.full_like(y, 0.7)
    lower, upper = compound.cdf(y, phi, power), compound.sf(y, phi, power)
    assert_allclose(lower + upper, 1.0, rtol=1e-13)
    assert np.all(np.diff(lower) >= -1e-15)
    assert np.all(np.diff(upper) <= 1e-15)
    assert upper[-1] < 1e-6


@pytest.mark.parametrize("power", POWERS)
def test_the_upper_tail_integrates_to_the_mean_and_the_second_moment(power) -> None:
    """E Y = integral of P(Y > y) = 1 and E Y^2 = integral of 2 y P(Y > y) = 1 + phi."""
    x, w = np.polynomial.legendre.leggauss(8)
    edges = np.concatenate([[0.0], np.geomspace(1e-12, 80.0, 400)])
    half = np.diff(edges)[:, None] / 2.0
    y = (edges[:-1, None] + half * (1.0 + x)).ravel()
    weight = (half * w).ravel()
    tail = compound.sf(y, np.full_like(y, 0.5), power)
    assert_allclose(np.sum(weight * tail), 1.0, rtol=1e-9)
    assert_allclose(np.sum(weight * 2.0 * y * tail), 1.5, rtol=1e-9)


@pytest.mark.parametrize("power", POWERS)
def test_slope_is_the_derivative_of_the_log_density_in_log_phi(power) -> None:
    for phi in (0.02, 1.0, 3.0):
        with mp.workdps(30):
            slope = mp.diff(
                lambda t: mp.log(mixture(gamma_density(1.0), mp.exp(t), power)),
                mp.log(phi),
                h=mp.mpf(10) ** -9,
            )
        assert_allclose(compound.slope_at_mean(np.array([phi]), power), [float(slope)], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("power", POWERS)
def test_small_dispersion_is_the_normal_law(power) -> None:
    phi = np.array([1e-7, 1e-9])
    assert_allclose(
        compound.log_density_at_mean(phi, power), -0.5 * np.log(2.0 * np.pi * phi), rtol=0, atol=1e-6
    )
    assert_allclose(compound.slope_at_mean(phi, power), -0.5, atol=1e-6)


@pytest.mark.parametrize("power", [1.2, 1.5, 1.9])
def test_a_strided_sum_equals_the_sum_over_every_n(power) -> None:
    """Where the peak is wide both ways are allowed: density, slope and tail may not differ."""
    phi = np.array([1e-3, 3e-4]) * (power - 1.0)
    assert np.all(compound._is_wide(compound._rate(phi, power), power))
    for each in (compound._series_value, compound._series_slope):
        assert_allclose(each(phi, power, strided=True), each(phi, power, strided=False), rtol=1e-9, atol=1e-9)


def test_a_row_does_not_depend_on_its_company() -> None:
    y = np.array([0.3, 1.0, 2.5, 1.1])
    phi = np.array([1.0, 1e-6, 0.2, 1e-4])
    together = compound.cdf(y, phi, 1.5)
    alone = [compound.cdf(y[i : i + 1], phi[i : i + 1], 1.5)[0] for i in range(4)]
    assert_allclose(together, alone, rtol=1e-13)


@pytest.mark.parametrize("power", [1.1, 1.5, 1.9])
def test_draws_have_mean_variance_and_zeros_of_the_law(power) -> None:
    n, phi = 100_000, 0.8
    draw = compound.sample(np.random.default_rng(7), np.full(n, phi), power)
    zeros = np.exp(-1.0 / (phi * (2.0 - power)))
    fourth = np.mean((draw - 1.0) ** 4)
    assert np.all(draw >= 0.0)
    assert abs(draw.mean() - 1.0) < 4.5 * np.sqrt(phi / n)
    assert abs(draw.var() - phi) < 4.5 * np.sqrt((fourth - phi**2) / n)
    assert abs(np.mean(draw == 0.0) - zeros) < 4.5 * np.sqrt(zeros * (1.0 - zeros) / n) + 1e-12


def test_shape_is_one_at_three_halves_and_falls_with_the_power() -> None:
    assert compound.shape(1.5) == pytest.approx(1.0, rel=1e-15)
    assert compound.shape(1.25) == pytest.approx(3.0, rel=1e-15)
    assert compound.shape(1.999) < 0.0011
