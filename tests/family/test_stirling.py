"""The remainder of Stirling's formula against mpmath, from the smallest arguments to the largest."""

import mpmath as mp
import numpy as np
import pytest

from etamu.family.stirling import stirling_remainder


def exact(x):
    with mp.workdps(60):
        x = mp.mpf(x)
        return float(mp.loggamma(x + 1) - (x + 0.5) * mp.log(x) + x - mp.log(2 * mp.pi) / 2)


@pytest.mark.parametrize("x", [1e-300, 1e-12, 0.01, 0.5, 1, 2.7, 5, 9.999, 10, 10.5, 15, 40, 1e3, 1e8, 1e15])
def test_remainder_is_accurate_to_an_ulp_or_two(x):
    assert float(stirling_remainder(x)) == pytest.approx(exact(x), rel=3e-15, abs=1e-15)


def test_both_branches_meet_at_ten():
    below, above = stirling_remainder(np.array([np.nextafter(10.0, 0.0), 10.0]))
    assert below == pytest.approx(above, rel=1e-13)
