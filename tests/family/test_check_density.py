"""The numerical check of a density: exact laws total 1 and mean mu; wrong ones are seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.family import families as own
from etamu.family.borrowed import Binomial, QuasiPoisson, Tweedie
from etamu.family.check_density import _counts, _density, means, totals
from etamu.family.family import Borrowed

EXACT = (
    own.Gaussian(),
    own.Bernoulli(),
    Binomial(),
    own.Poisson(),
    own.Gamma(),
    own.InverseGaussian(),
    own.NegativeBinomial(2.0),
    own.NegativeBinomial(0.3),
    Tweedie(1.5),
    Tweedie(2.5),
)


@dataclass(frozen=True, slots=True)
class Wrong(Borrowed):
    """A Poisson family whose saturated term is off by a constant or a slope in y."""

    shift: float = 0.0
    slope: float = 0.0
    name = "wrong"
    kin = own.Poisson()
    support = own.Poisson().support
    dispersion_known = True

    def saturated(self, y: tuple[np.ndarray, ...], dispersion: np.ndarray) -> np.ndarray:
        return self.kin.saturated(y, dispersion) + self.shift + self.slope * y[0]


@pytest.mark.parametrize("family", EXACT, ids=str)
def test_a_true_density_totals_one_and_has_its_mean(family) -> None:
    for mu in means(family):
        assert_allclose(totals(family, mu), (1.0, mu), rtol=1e-8, atol=1e-8, err_msg=f"mu {mu}")


def test_a_factor_of_the_density_is_the_total() -> None:
    total, mean = totals(Wrong(shift=np.log(1.25)), 2.0)
    assert_allclose((total, mean), (1.25, 2.5), rtol=1e-11)


def test_a_tilted_density_gives_the_totals_of_the_tilted_sums() -> None:
    """The tilt multiplies f(y) by e^(s y); the reference sums exp of log terms by hand."""
    slope, mu = -0.2, 2.0
    y = np.arange(120)
    log_factorial = np.cumsum(np.log(np.maximum(y, 1)))
    mass = np.exp(y * np.log(mu) - mu - log_factorial + slope * y)
    assert_allclose(totals(Wrong(slope=slope), mu), (mass.sum(), (y * mass).sum()), rtol=1e-11)
    assert abs(totals(Wrong(slope=slope), mu)[0] - 1.0) > 0.1


@pytest.mark.parametrize("family", EXACT, ids=str)
def test_the_means_tried_are_possible_means(family) -> None:
    tried = np.array(means(family))
    assert tried.size >= 3
    assert np.all(family.mean.contains(tried))


def test_means_reach_both_signs_and_both_ends_where_there_are_any() -> None:
    assert min(means(own.Gaussian())) < 0.0 < max(means(own.Gaussian()))
    assert min(means(own.Bernoulli())) <= 0.1
    assert max(means(own.Bernoulli())) > 0.9
    assert max(means(own.Gamma())) > 1.0


def test_a_quasi_family_has_nan_for_a_total() -> None:
    assert np.all(np.isnan(totals(QuasiPoisson(), 2.0)))


def test_counts_reach_into_the_tail_and_stop_at_the_trials() -> None:
    assert np.array_equal(_counts(own.Bernoulli(), 0.3), [0.0, 1.0])
    assert np.array_equal(_counts(Binomial(), 0.3), np.arange(8.0))
    for family in (own.Poisson(), own.NegativeBinomial(0.3)):
        y = _counts(family, 8.0)
        assert np.array_equal(y, np.arange(y.size))
        assert _density(family, y, 8.0)[-1] < 1e-13


def test_density_is_the_closed_form_of_each_law() -> None:
    """Half a dispersion where it is free, seven trials where there are trials."""
    y = np.array([0.5, 1.0, 4.0])
    assert_allclose(_density(own.Gaussian(), y, 1.0), np.exp(-((y - 1.0) ** 2)) / np.sqrt(np.pi), rtol=1e-13)
    assert_allclose(_density(own.Gamma(), y, 2.0), y * np.exp(-y), rtol=1e-13)
    ig = np.sqrt(1.0 / (np.pi * y**3)) * np.exp(-((y - 2.0) ** 2) / (4.0 * y))
    assert_allclose(_density(own.InverseGaussian(), y, 2.0), ig, rtol=1e-13)
    s = np.array([0.0, 2.0, 7.0])
    binomial = np.array([0.7**7, 21 * 0.3**2 * 0.7**5, 0.3**7])
    assert_allclose(_density(Binomial(), s, 0.3), binomial, rtol=1e-12)


def test_the_mass_at_zero_of_a_compound_law_is_counted() -> None:
    """P(Y = 0) = exp(-mu^(2 - p) / (phi (2 - p))); without it the total would fall short by as much."""
    mass = np.exp(-(0.5**0.5) / (0.5 * 0.5))
    assert mass > 0.01
    assert_allclose(_density(Tweedie(1.5), np.zeros(1), 0.5), mass, rtol=1e-13)
    assert_allclose(totals(Tweedie(1.5), 0.5)[0], 1.0, rtol=1e-9)
