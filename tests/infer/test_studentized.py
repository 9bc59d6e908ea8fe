"""The studentized range has the tails that high precision gives, and Student's t for two means."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

from etamu.infer.studentized import range_tail
from etamu.infer.wald import p_values


def truth(q: float, means: int) -> float:
    """Integrate the definition for normal deviates in mpmath."""
    mp.mp.dps = 20

    def density(z: mp.mpf) -> mp.mpf:
        below = mp.ncdf(z)
        return mp.npdf(z) * (below ** (means - 1) - (below - mp.ncdf(z - q)) ** (means - 1))

    return float(means * mp.quad(density, [-10, -3, 0, 3, 10 + q]))


@pytest.mark.parametrize(("q", "means"), [(0.3, 3), (3.0, 3), (12.0, 5)])
def test_tails_of_the_normal_range(q: float, means: int) -> None:
    assert range_tail(q, means) == pytest.approx(truth(q, means), rel=1e-9)


def test_a_mixture_over_the_standard_error() -> None:
    # mpmath, the same integral over the law of chi_133 / sqrt(133), 20 digits; R 4.2.2 agrees.
    assert range_tail(0.13804917153269644 * 2**0.5, 3, 133) == pytest.approx(
        0.98954926061875700137, rel=1e-12
    )


@pytest.mark.parametrize("df", [1.0, 2.5, 7.0, 400.0, math.inf])
@pytest.mark.parametrize("t", [0.05, 1.0, 2.5, 6.0, 12.0])
def test_two_means_are_a_t_test(t: float, df: float) -> None:
    assert range_tail(t * math.sqrt(2.0), 2, df) == pytest.approx(
        float(p_values(np.array([t]), df)[0]), rel=1e-9
    )


def test_ends() -> None:
    assert range_tail(0.0, 3, 10) == 1.0
    assert range_tail(math.inf, 3, 10) == 0.0
    assert range_tail(1.0, 1, 10) == 0.0
    assert math.isnan(range_tail(math.nan, 3, 10))
    assert 0.0 <= range_tail(1e4, 3, math.inf) < 1e-300
