"""The standard normal distribution: tails by mpmath, and the identities its parts must keep together."""

from __future__ import annotations

import math
from statistics import NormalDist

import array_api_strict
import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.family import normal

X = np.concatenate([np.linspace(0.0, 8.0, 81), [12.0, 20.0, 36.0]])
BOTH = np.concatenate([-X[::-1], X])


def exact(function, x) -> list[float]:
    with mp.workdps(40):
        return [float(function(mp.mpf(float(each)))) for each in x]


def upper(x):
    return mp.erfc(x / mp.sqrt(2)) / 2


def test_every_part_of_the_tails_is_exact() -> None:
    found = normal.tails(np, X)
    expected = {
        "density": mp.npdf,
        "tail": upper,
        "bulk": lambda x: 1 - upper(x),
        "log_tail": lambda x: mp.log(upper(x)),
        "log_bulk": lambda x: mp.log1p(-upper(x)),
        "hazard": lambda x: mp.npdf(x) / upper(x),
        "excess": lambda x: mp.npdf(x) / upper(x) - x,
    }
    assert set(expected) == set(found._fields)
    for name, function in expected.items():
        assert_allclose(getattr(found, name), exact(function, X), rtol=2e-15, err_msg=name)


def test_density_is_even_and_integrates_to_one() -> None:
    x = np.linspace(-12.0, 12.0, 481)
    assert_allclose(np.sum(normal.density(np, x)) * 0.05, 1.0, rtol=1e-14)
    assert np.array_equal(normal.density(np, x), normal.density(np, -x))
    assert normal.density(np, np.array([60.0, -1e6])).max() < 1e-300


def test_cdf_agrees_with_the_standard_library_and_reflects() -> None:
    found = normal.cdf(np, BOTH)
    assert_allclose(found, [NormalDist().cdf(x) for x in BOTH], rtol=1e-12, atol=1e-16)
    assert_allclose(found + normal.cdf(np, -BOTH), 1.0, rtol=3e-16)
    assert np.all(np.diff(found) >= 0.0)


def test_log_cdf_is_finite_where_the_cdf_has_underflowed() -> None:
    """Phi(-x) ~ phi(x) / x (1 - 1/x^2 + ...): at -1e4 the logarithm is about -5e7."""
    x = np.array([-50.0, -1e4, -1e8])
    assert np.array_equal(normal.cdf(np, x), np.zeros(3))
    asymptote = -0.5 * x**2 - np.log(-x) - 0.5 * math.log(2 * math.pi) + np.log1p(-1.0 / x**2)
    assert_allclose(normal.log_cdf(np, x), asymptote, rtol=1e-9)


def test_log_cdf_keeps_the_upper_tail() -> None:
    """Above, log Phi(x) is -P(X > x), which log(cdf) would round to 0."""
    x = np.array([9.0, 15.0, 30.0])
    assert_allclose(normal.log_cdf(np, x), [-v for v in exact(upper, x)], rtol=1e-14)


def test_hazard_excess_is_bounded_as_by_sampford_and_birnbaum() -> None:
    """(sqrt(x^2 + 8) - x) / 4 < hazard - x < (sqrt(x^2 + 4) - x) / 2."""
    x = np.geomspace(0.01, 1e3, 200)
    excess = normal.hazard_excess(x)
    assert np.all(excess < 2.0 / (np.sqrt(x**2 + 4.0) + x))
    assert np.all(excess > 2.0 / (np.sqrt(x**2 + 8.0) + x))
    assert np.all(np.diff(excess) < 0.0)
    assert normal.hazard_excess(np.zeros(1))[0] == pytest.approx(math.sqrt(2.0 / math.pi), rel=1e-15)


def test_hazard_solves_its_differential_equation() -> None:
    """h' = h (h - x) = hazard times excess, by a central difference."""
    x, step = np.linspace(0.1, 10.0, 50), 1e-5
    slope = (normal.tails(np, x + step).hazard - normal.tails(np, x - step).hazard) / (2.0 * step)
    both = normal.tails(np, x)
    assert_allclose(both.hazard * both.excess, slope, rtol=1e-8)


def test_erfcx_is_the_scaled_complement_on_both_sides() -> None:
    x = np.concatenate([np.linspace(-25.0, 25.0, 101), [1e3, 1e8]])
    expected = exact(lambda t: mp.exp(t * t) * mp.erfc(t) if t < 100 else 1 / (t * mp.sqrt(mp.pi)), x)
    assert_allclose(normal.erfcx(np, x), expected, rtol=1e-6)
    inside = np.abs(x) < 100
    assert_allclose(normal.erfcx(np, x)[inside], np.array(expected)[inside], rtol=1e-15)


def test_quantile_inverts_both_tails() -> None:
    x = np.concatenate([np.linspace(-8.0, 8.0, 161), [-37.0, -20.0, 20.0, 37.0]])
    lower, above = normal.cdf(np, x), normal.cdf(np, -x)
    assert_allclose(normal.quantile(np, lower, above), x, rtol=1e-14, atol=2e-16)


def test_quantile_agrees_with_the_standard_library_and_is_odd() -> None:
    p = np.array([1e-10, 0.001, 0.025, 0.075, 0.4, 0.5, 0.6, 0.925, 0.99])
    found = normal.quantile(np, p, 1.0 - p)
    assert_allclose(found, [NormalDist().inv_cdf(each) for each in p], rtol=1e-13, atol=1e-16)
    assert np.array_equal(normal.quantile(np, 1.0 - p, p), -found)


def test_quantile_of_nothing_and_of_everything_is_infinite() -> None:
    found = normal.quantile(np, np.array([0.0, 1.0, 0.5]), np.array([1.0, 0.0, 0.5]))
    assert np.array_equal(found, [-np.inf, np.inf, 0.0])


@pytest.mark.parametrize("name", ["density", "cdf", "log_cdf", "erfcx"])
def test_the_strict_array_api_gives_the_same_numbers(name) -> None:
    function = getattr(normal, name)
    x = np.linspace(-6.0, 6.0, 49)
    strict = function(array_api_strict, array_api_strict.asarray(x))
    assert_allclose(np.asarray(strict), function(np, x), rtol=1e-15)
