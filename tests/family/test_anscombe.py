"""Anscombe residuals against the integral of V^(-1/3) by mpmath, and by the relations they must keep."""

from __future__ import annotations

from dataclasses import dataclass

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.errors import NotAvailableError
from etamu._base.types import LINE
from etamu.family.anscombe import anscombe
from etamu.family.borrowed import Binomial, Quasi, QuasiBinomial, QuasiPoisson, Tweedie
from etamu.family.families import Bernoulli, Gamma, Gaussian, InverseGaussian, NegativeBinomial, Poisson
from etamu.family.family import Family, Support
from etamu.family.links import Identity

VARIANCES = {
    "poisson": (Poisson(), lambda t: t),
    "gamma": (Gamma(), lambda t: t**2),
    "inverse gaussian": (InverseGaussian(), lambda t: t**3),
    "tweedie 1.5": (Tweedie(1.5), lambda t: t ** mp.mpf(1.5)),
    "tweedie 4": (Tweedie(4.0), lambda t: t**4),
    "quasi -1": (Quasi(-1.0), lambda t: 1 / t),
    "nb 2": (NegativeBinomial(2.0), lambda t: t + t**2 / 2),
    "nb 0.05": (NegativeBinomial(0.05), lambda t: t + t**2 / mp.mpf(0.05)),
}
PROPORTIONS = (Bernoulli(), Binomial(), QuasiBinomial(), Quasi("mu(1-mu)"))


def at(family: Family, y, mu) -> np.ndarray:
    y, mu = np.broadcast_arrays(np.asarray(y, dtype=float), np.asarray(mu, dtype=float))
    return anscombe(family, y, mu, 1.0 - mu)


def integral(variance, y: float, mu: float) -> float:
    y, mu = mp.mpf(y), mp.mpf(mu)
    area = mp.quad(lambda t: variance(t) ** (-mp.mpf(1) / 3), [mu, (mu + y) / 2, y])
    return float(area / variance(mu) ** (mp.mpf(1) / 6))


@pytest.mark.parametrize("name", VARIANCES)
def test_residual_is_the_integral_of_v_to_minus_a_third(name) -> None:
    family, variance = VARIANCES[name]
    pairs = [(0.7, 2.0), (9.0, 2.0), (2.5, 2.4), (0.3, 0.1)]
    expected = [integral(variance, y, mu) for y, mu in pairs]
    assert_allclose(at(family, *zip(*pairs, strict=True)), expected, rtol=1e-11)


@pytest.mark.parametrize("family", PROPORTIONS, ids=str)
def test_proportions_and_their_kin_integrate_mu_times_complement(family) -> None:
    pairs = [(0.25, 0.4), (0.9, 0.4), (0.6, 0.8), (0.1, 0.95)]
    expected = [integral(lambda t: t * (1 - t), y, mu) for y, mu in pairs]
    assert_allclose(at(family, *zip(*pairs, strict=True)), expected, rtol=1e-11)


def test_gaussian_residual_is_the_plain_difference() -> None:
    assert_allclose(at(Gaussian(), [-3.0, 0.0, 5.0], [1.0, -2.0, 0.0]), [-4.0, 2.0, 5.0], rtol=0)


def test_closed_forms_of_the_textbook() -> None:
    """McCullagh and Nelder, 2.4.2: 3/2 (y^(2/3) - mu^(2/3)) / mu^(1/6), and (log y - log mu) / sqrt(mu)."""
    y, mu = np.array([8.0, 1.0]), np.array([1.0, 8.0])
    assert_allclose(at(Poisson(), y, mu), 1.5 * (y ** (2 / 3) - mu ** (2 / 3)) / mu ** (1 / 6), rtol=1e-14)
    assert_allclose(at(InverseGaussian(), y, mu), np.log(y / mu) / np.sqrt(mu), rtol=1e-14)


def test_a_zero_has_a_finite_residual_where_the_integral_converges() -> None:
    assert_allclose(at(Poisson(), 0.0, 8.0), -1.5 * 8.0 ** (0.5), rtol=1e-14)
    assert_allclose(at(QuasiPoisson(), 0.0, 8.0), at(Poisson(), 0.0, 8.0), rtol=0)
    assert at(InverseGaussian(), 0.0, 1.0) == -np.inf


@pytest.mark.parametrize("name", [each for each in VARIANCES if not each.startswith("nb")])
def test_near_the_mean_it_is_the_pearson_residual_to_the_last_digits(name) -> None:
    """To first order the residual is (y - mu) / sqrt(V); at a relative step of 1e-9 nothing may be lost."""
    family, variance = VARIANCES[name]
    mu = 3.0
    y = mu * (1.0 + 1e-9)
    pearson = (y - mu) / float(mp.sqrt(variance(mp.mpf(mu))))
    assert_allclose(at(family, y, mu), pearson, rtol=1e-8)


def test_success_and_failure_mirror_each_other() -> None:
    y, mu = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.2, 0.2, 0.7, 0.5])
    assert_allclose(at(Bernoulli(), y, mu), -at(Bernoulli(), 1.0 - y, 1.0 - mu), rtol=1e-13)


def test_a_tail_beyond_one_is_read_from_the_complement() -> None:
    """At mu that rounds to 1 a success has the small residual 3/2 c^(2/3) / c^(1/6) = 3/2 sqrt(c)."""
    c = np.array([1e-20, 1e-30])
    assert_allclose(anscombe(Bernoulli(), np.ones(2), np.ones(2), c), 1.5 * np.sqrt(c), rtol=1e-10)


def test_a_large_theta_is_poisson() -> None:
    y, mu = np.array([1.0, 4.0, 12.0]), np.array([3.0, 3.0, 9.0])
    assert_allclose(at(NegativeBinomial(1e7), y, mu), at(Poisson(), y, mu), rtol=1e-5)


def test_sign_and_order_follow_y() -> None:
    y = np.linspace(0.05, 6.0, 40)
    for family, _ in VARIANCES.values():
        residual = at(family, y, 2.0)
        assert np.all(np.diff(residual) > 0.0)
        assert np.array_equal(np.sign(residual), np.sign(y - 2.0))


@pytest.mark.parametrize("power", [1.5, 2.0, 3.0, 4.0])
def test_units_of_y_scale_the_residual_by_a_power(power) -> None:
    """V^(1/2) carries the units: with V = mu^p a factor c multiplies the residual by c^(1 - p/2)."""
    y, mu = np.array([0.4, 7.0]), np.array([2.0, 1.5])
    scaled = at(Tweedie(power), 100.0 * y, 100.0 * mu)
    assert_allclose(scaled, 100.0 ** (1.0 - power / 2.0) * at(Tweedie(power), y, mu), rtol=1e-13)


@dataclass(frozen=True, slots=True)
class _Unstated(Family):
    name = "unstated"
    support = Support(LINE)
    mean = LINE
    canonical = Identity()
    natural = cumulant = variance = dvariance = deviance = start = saturated = None


def test_a_family_without_a_stated_integral_is_refused() -> None:
    with pytest.raises(NotAvailableError, match=r"unstated does not state.*'deviance' or 'quantile'"):
        at(_Unstated(), 1.0, 2.0)
