"""What Stirling's formula leaves, against mpmath, in NumPy and under the strict array API."""

from __future__ import annotations

import array_api_strict
import mpmath as mp
import numpy as np
import pytest

from etamu.family import remainders

POINTS = np.concatenate(
    [np.geomspace(1e-300, 1e-3, 12), np.linspace(0.05, 12.0, 60), np.geomspace(12.0, 1e15, 20)]
)
CASES = {
    "log_gamma_rest": lambda x: (
        mp.loggamma(x + 1) - (x + mp.mpf(1) / 2) * mp.log(x) + x - mp.log(2 * mp.pi) / 2
    ),
    "digamma_rest": lambda x: x * (mp.digamma(x) - mp.log(x)) + mp.mpf(1) / 2,
    "trigamma_rest": lambda x: x * x * mp.psi(1, x) - x - mp.mpf(1) / 2,
}


@pytest.mark.parametrize("name", CASES)
def test_remainder_is_right_near_zero_and_to_rounding_far_out(name):
    with np.errstate(all="raise", under="ignore"):
        got = getattr(remainders, name)(np, POINTS)
    with mp.workdps(60):
        for number, x in zip(got.tolist(), POINTS.tolist(), strict=True):
            exact = CASES[name](mp.mpf(x))
            bound = 4e-15 * abs(exact) if x >= 10.0 else 4e-15 + 1e-15 * abs(exact)
            assert abs(number - exact) <= bound, x


@pytest.mark.parametrize("name", CASES)
def test_remainder_is_the_same_under_the_strict_array_api(name):
    function = getattr(remainders, name)
    strict = function(array_api_strict, array_api_strict.asarray(POINTS))
    np.testing.assert_allclose(np.asarray(strict), function(np, POINTS), rtol=1e-15)


@pytest.mark.parametrize("name", CASES)
def test_points_far_out_alone_are_what_they_are_among_others(name):
    far = POINTS[POINTS >= 10.0]
    function = getattr(remainders, name)
    np.testing.assert_array_equal(function(np, far), function(np, POINTS)[POINTS >= 10.0])
