"""Special functions, each against mpmath, in NumPy and under the strict array API."""

from __future__ import annotations

import array_api_strict
import mpmath as mp
import numpy as np
import pytest

from etamu.family import normal, special

EPS = 2.0**-52
TINY = np.geomspace(1e-300, 0.9, 40)
AROUND_ZERO = np.concatenate([np.linspace(-3.0, 3.0, 61), TINY, -TINY, [50.0, -50.0, 700.0]])
AROUND_ZERO = AROUND_ZERO[AROUND_ZERO != 0.0]
ABOVE_MINUS_ONE = AROUND_ZERO[AROUND_ZERO > -1.0]
LINE = np.concatenate([np.linspace(-38.0, 38.0, 153), [-700.0, -100.0, -1e-8, 1e-8, 100.0, 700.0]])
POSITIVE = np.concatenate([np.linspace(0.0, 37.0, 149), [1e-300, 1e-8, 100.0, 700.0]])


def upper_tail(x):
    return mp.erfc(x / mp.sqrt(2)) / 2


def hazard(x):
    return mp.npdf(x) / upper_tail(x)


CASES = {
    "exp": (special.exp, mp.exp, LINE, 1),
    "expm1mx": (special.expm1mx, lambda x: mp.expm1(x) - x, AROUND_ZERO, 2),
    "expm1mx_ratio": (special.expm1mx_ratio, lambda x: (mp.expm1(x) - x) / x**2, AROUND_ZERO, 2),
    "expm1_ratio": (special.expm1_ratio, lambda x: mp.expm1(x) / x, AROUND_ZERO, 2),
    "log1pmx": (special.log1pmx, lambda x: mp.log1p(x) - x, ABOVE_MINUS_ONE, 4),
    "log_of_part": (
        lambda xp, x: special.log_of_part(xp, x, 1.0 - x),
        mp.log,
        np.linspace(0.01, 0.49, 49),
        2,
    ),
    "log_of_rest": (lambda xp, x: special.log_of_part(xp, 1.0 - x, x), lambda x: mp.log1p(-x), TINY, 2),
    "softplus": (special.softplus, lambda x: mp.log1p(mp.exp(x)), LINE, 2),
    "log_complement": (
        special.log_complement,
        lambda x: mp.log(-mp.expm1(x)),
        -np.concatenate([np.geomspace(1e-300, 1.0, 40), [0.69, 0.71, 2.0, 40.0, 700.0]]),
        3,
    ),
    "cauchy tail": (
        lambda xp, x: special.cauchy_tails(xp, x)[0],
        lambda x: mp.atan2(1, x) / mp.pi,
        POSITIVE,
        3,
    ),
    "normal density": (normal.density, mp.npdf, LINE, 3),
    "normal cdf": (normal.cdf, lambda x: upper_tail(-x), LINE, 3),
    "normal log cdf": (normal.log_cdf, lambda x: mp.log(upper_tail(-x)), LINE, 4),
    "normal hazard": (lambda xp, x: normal.tails(xp, x).hazard, hazard, POSITIVE, 2),
    "normal hazard excess": (lambda _, x: normal.hazard_excess(x), lambda x: hazard(x) - x, POSITIVE, 3),
    "erfcx": (
        normal.erfcx,
        lambda x: mp.exp(x**2) * mp.erfc(x),
        np.append(np.linspace(-26.0, 26.0, 105), 700.0),
        3,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_special_function_is_right_to_a_few_ulp(name):
    function, truth, points, ulp = CASES[name]
    with np.errstate(all="raise", under="ignore"):
        got = function(np, points)
    for number, x in zip(got.tolist(), points.tolist(), strict=True):
        with mp.workdps(700 if abs(x) < 1e-100 else 400 if abs(x) > 10 else 120):
            exact = truth(mp.mpf(x))
            if abs(exact) > 1e-300:
                assert abs(number / exact - 1) <= ulp * EPS, (x, number)
            else:
                assert abs(number) < 1e-299


@pytest.mark.parametrize("name", CASES)
def test_special_function_is_the_same_under_the_strict_array_api(name):
    function, _, points, _ = CASES[name]
    strict = function(array_api_strict, array_api_strict.asarray(points))
    np.testing.assert_allclose(np.asarray(strict), function(np, points), rtol=1e-15)


def test_exp_overflows_to_infinity_without_a_word():
    with np.errstate(all="raise", under="ignore"):
        got = special.exp(np, np.array([710.0, 1e308, -800.0]))
    np.testing.assert_array_equal(got, [np.inf, np.inf, 0.0])


def test_quantile_undoes_the_cdf_in_both_tails():
    x = np.concatenate([np.linspace(-37.0, 37.0, 149), [0.0]])
    at = normal.tails(np, np.abs(x))
    lower, upper = np.where(x < 0, at.tail, at.bulk), np.where(x < 0, at.bulk, at.tail)
    np.testing.assert_allclose(normal.quantile(np, lower, upper), x, rtol=4e-15, atol=1e-15)
    ends = normal.quantile(np, np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    np.testing.assert_array_equal(ends, [-np.inf, np.inf])


@pytest.mark.parametrize("y", [0.0, 1e-10, 1.0, 7.0, 1e6, 1e12])
def test_bd0_keeps_its_digits_near_equality_and_far_from_it(y):
    ratios = np.array([1e-12, 0.3, 0.9, 1.0 - 1e-6, 1.0, 1.0 + 1e-6, 1.2, 5.0, 1e12])
    mu = ratios * (y if y > 0 else 1.0)
    got = special.bd0(np, np.full_like(mu, y), mu)
    for number, mean in zip(got.tolist(), mu.tolist(), strict=True):
        with mp.workdps(60):
            exact = (mp.mpf(y) * mp.log(mp.mpf(y) / mean) if y else 0) + (mp.mpf(mean) - y)
            assert abs(number - exact) <= 5 * EPS * abs(exact)


@pytest.mark.parametrize("power", [-1.0, 0.5, 1.05, 1.5, 1.95, 2.5, 4.0])
def test_power_half_deviance_is_its_integral(power):
    y, u = np.array([0.3, 2.0, 2.0, 50.0, 1.0, 1.0]), np.array([1e-9, -0.4, 0.99, 1.01, -3.0, 20.0])
    got = special.power_half_deviance(np, power, y, u)
    for number, y_, u_ in zip(got.tolist(), y.tolist(), u.tolist(), strict=True):
        with mp.workdps(60):
            p, ratio = mp.mpf(power), mp.exp(mp.mpf(u_))
            lower, upper = 1 - p, 2 - p
            exact = mp.mpf(y_) ** upper * ((1 - ratio**lower) / lower - (1 - ratio**upper) / upper)
            assert abs(number / exact - 1) <= 64 * EPS
