"""Named laws: tails against sums and closed forms, far tails against mpmath, draws against moments."""

from __future__ import annotations

import math
from statistics import NormalDist

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.family import laws
from etamu.family.laws import Setting


def setting(mu, phi=1.0, trials=1.0, complement=None) -> Setting:
    mu, phi, trials = (np.atleast_1d(np.asarray(each, dtype=float)) for each in (mu, phi, trials))
    rest = 1.0 - mu if complement is None else np.atleast_1d(complement)
    columns = np.broadcast_arrays(mu, rest, phi, trials, np.full(mu.shape, np.inf))
    return Setting(*(np.array(each) for each in columns))


def test_gaussian_tails_are_those_of_the_standard_library() -> None:
    y = np.array([-2.0, 0.5, 1.0, 4.0])
    law, at, exact = laws.gaussian(), setting(np.full(4, 1.0), 2.25), NormalDist(1.0, 1.5)
    assert_allclose(law.cdf(y, at), [exact.cdf(each) for each in y], rtol=1e-12)
    assert_allclose(law.sf(y, at), [exact.cdf(2.0 - each) for each in y], rtol=1e-12)
    assert_allclose(np.exp(law.saturated(y, at)), exact.pdf(1.0), rtol=1e-14)


@pytest.mark.parametrize("mu", [0.1, 0.5, 0.8])
def test_binomial_tails_are_sums_of_probabilities(mu) -> None:
    m = 9
    mass = np.array([math.comb(m, s) * mu**s * (1 - mu) ** (m - s) for s in range(m + 1)])
    y = np.arange(m + 1.0)
    law, at = laws.binomial(), setting(np.full(m + 1, mu), trials=float(m))
    assert_allclose(law.cdf(y, at), np.cumsum(mass), rtol=1e-12)
    assert_allclose(law.sf(y, at), np.append(np.cumsum(mass[::-1])[::-1][1:], 0.0), rtol=1e-12)
    assert_allclose(law.cdf(y + 0.5, at), law.cdf(y, at), rtol=0)


def test_outside_the_support_of_counts_one_tail_is_everything() -> None:
    y = np.array([-1.0, -0.5])
    for law in (laws.bernoulli(), laws.binomial(), laws.poisson(), laws.negative_binomial(2.0)):
        at = setting(np.full(2, 0.4), trials=3.0)
        assert np.array_equal(law.cdf(y, at), np.zeros(2))
        assert np.array_equal(law.sf(y, at), np.ones(2))
    assert laws.binomial().cdf(np.array([7.0]), setting(0.4, trials=3.0))[0] == 1.0


def test_a_probability_that_rounds_to_one_keeps_its_failures() -> None:
    """P(S <= m - 1) = 1 - mu^m is m times the complement, to first order."""
    at = setting(1.0, trials=5.0, complement=1e-20)
    assert_allclose(laws.binomial().cdf(np.array([4.0]), at), 5e-20, rtol=1e-12)


def test_poisson_tails_are_sums_and_keep_the_far_tail() -> None:
    y = np.arange(12.0)
    mass = np.array([math.exp(-3.0) * 3.0**k / math.factorial(k) for k in range(90)])
    law, at = laws.poisson(), setting(np.full(12, 3.0))
    assert_allclose(law.cdf(y, at), np.cumsum(mass)[:12], rtol=1e-12)
    assert_allclose(law.sf(y, at), np.cumsum(mass[::-1])[::-1][1:13], rtol=1e-12)
    far = float(mp.nsum(lambda k: mp.exp(-3) * mp.mpf(3) ** k / mp.factorial(k), [101, mp.inf]))
    assert_allclose(law.sf(np.array([100.0]), setting(3.0)), far, rtol=1e-11)


def test_negative_binomial_tails_are_sums_on_both_sides_of_theta() -> None:
    theta = 1.7
    for mu in (0.4, 6.0):
        q = mu / (mu + theta)
        k = np.arange(400)
        log_mass = np.array([math.lgamma(i + theta) - math.lgamma(theta) - math.lgamma(i + 1) for i in k])
        mass = np.exp(log_mass + k * math.log(q) + theta * math.log1p(-q))
        y, at = np.arange(9.0), setting(np.full(9, mu))
        law = laws.negative_binomial(theta)
        assert_allclose(law.cdf(y, at), np.cumsum(mass)[:9], rtol=1e-11)
        assert_allclose(law.sf(y, at), np.cumsum(mass[::-1])[::-1][1:10], rtol=1e-11)


def test_gamma_tails_of_whole_shapes_are_poisson_sums() -> None:
    """P(Y > y) = P(N < k) with N a Poisson count of mean y / scale, for shape k."""
    y, mu = np.array([0.2, 2.0, 30.0]), 2.0
    x = y * 3.0 / mu
    expected = np.exp(-x) * (1.0 + x + x**2 / 2.0)
    at = setting(np.full(3, mu), 1.0 / 3.0)
    assert_allclose(laws.gamma().sf(y, at), expected, rtol=1e-12)
    assert_allclose(laws.gamma().cdf(y, at), 1.0 - expected, rtol=1e-11)
    assert np.array_equal(laws.gamma().cdf(np.array([-1.0, 0.0]), setting([1.0, 1.0])), [0.0, 0.0])


@pytest.mark.parametrize(("mu", "phi"), [(1.0, 1.0), (2.0, 0.1), (0.5, 40.0)])
def test_inverse_gaussian_tails_are_integrals_of_the_density(mu, phi) -> None:
    def density(t):
        return mp.sqrt(1 / (2 * mp.pi * phi * t**3)) * mp.exp(-((t - mu) ** 2) / (2 * phi * mu**2 * t))

    law = laws.inverse_gaussian()
    for y in (0.3 * mu, 1.5 * mu, 20.0 * mu):
        edges = [mp.mpf(y) * 2**k for k in range(12)] + [mp.inf]
        found = law.sf(np.array([y]), setting(mu, phi))
        with mp.workdps(50):  # quad stops by absolute error, and the tail may be 1e-22
            area = float(mp.quad(density, edges))
        assert_allclose(found, area, rtol=1e-10)
        assert_allclose(found + law.cdf(np.array([y]), setting(mu, phi)), 1.0, rtol=1e-12)
    assert law.sf(np.array([-1.0]), setting(mu, phi))[0] == 1.0


def test_lattice_rounds_only_what_is_whole_but_for_rounding() -> None:
    y = np.array([0.3, 0.7, 0.35, 0.0, 1e9 * 0.1])
    assert_allclose(laws.lattice(y, np.full(5, 0.1))[[0, 1, 3, 4]], [3.0, 7.0, 0.0, 1e9], rtol=0)
    assert laws.lattice(y, np.full(5, 0.1))[2] == pytest.approx(3.5, rel=1e-12)


def test_scaled_poisson_is_a_poisson_count_on_the_multiples_of_phi() -> None:
    phi, k = 0.1, np.arange(8.0)
    law, at = laws.scaled_poisson(), setting(np.full(8, 0.45), phi)
    mass = np.array([math.exp(-4.5) * 4.5**i / math.factorial(i) for i in range(8)])
    assert_allclose(law.cdf(phi * k, at), np.cumsum(mass), rtol=1e-11)
    assert_allclose(law.sf(phi * k, at), 1.0 - np.cumsum(mass), rtol=1e-10)
    assert np.all(law.reachable(phi * k, at))
    assert not np.any(law.reachable(phi * (k + 0.5), at))


@pytest.mark.parametrize("power", [0.0, 1.0, 1.5, 2.0, 2.5, 3.0])
def test_draws_of_every_power_have_the_variance_phi_mu_to_the_power(power) -> None:
    n, mu, phi = 40_000, 1.6, 0.25
    draw = laws.power_law(power).sample(np.random.default_rng(3), setting(np.full(n, mu), phi))
    variance = phi * mu**power
    fourth = np.mean((draw - mu) ** 4)
    assert abs(draw.mean() - mu) < 5.0 * math.sqrt(variance / n)
    assert abs(draw.var() - variance) < 6.0 * math.sqrt(fourth / n)


@pytest.mark.parametrize("power", [1.2, 2.5, 4.0])
def test_below_zero_a_positive_law_has_nothing(power) -> None:
    law, at = laws.power_law(power), setting(1.0, 0.5)
    assert law.cdf(np.array([-1.0]), at)[0] == 0.0
    assert law.sf(np.array([-1.0]), at)[0] == 1.0
    y = np.array([0.5, 1.0, 3.0])
    at = setting(np.full(3, 1.3), 0.5)
    assert_allclose(law.cdf(y, at) + law.sf(y, at), 1.0, rtol=1e-9)


def test_draws_of_counts_have_their_means_and_variances() -> None:
    n, mu = 40_000, 0.7
    rng, at = np.random.default_rng(5), setting(np.full(40_000, mu), trials=6.0)
    expected = {
        laws.binomial: (6 * mu, 6 * mu * (1 - mu)),
        laws.poisson: (mu, mu),
        lambda: laws.negative_binomial(2.0): (mu, mu + mu**2 / 2.0),
    }
    for make, (mean, variance) in expected.items():
        draw = make().sample(rng, at)
        assert np.array_equal(draw, np.floor(draw))
        assert abs(draw.mean() - mean) < 5.0 * math.sqrt(variance / n)
        assert abs(draw.var() / variance - 1.0) < 0.1


def test_gamma_draws_of_a_tiny_shape_are_never_zero() -> None:
    draw = laws.gamma().sample(np.random.default_rng(1), setting(np.full(500, 1.0), 1e4))
    assert draw.min() > 0.0
    assert np.mean(draw < 1e-100) > 0.5
