"""What a negative binomial count tells of its shape, against Fisher's sum over the counts."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import mp, mpf
from numpy.testing import assert_allclose

from etamu.family.fisher import shape_information


def summed(mu: float, theta: float) -> mpf:
    """theta^2 sum_j P(Y > j) / (theta + j)^2 - theta mu / (mu + theta)."""
    m, t = mpf(mu), mpf(theta)
    p = (t / (t + m)) ** t
    below, total, j = p, mpf(0), 0
    while j <= mu or below < 1 - mpf(10) ** -35:
        total += (1 - below) / (t + j) ** 2
        p = p * (t + j) / (j + 1) * m / (t + m)
        below, j = below + p, j + 1
    return t * t * total - t * m / (t + m)


@pytest.mark.parametrize("mu", [1e-3, 0.4, 6.0])
@pytest.mark.parametrize("theta", [0.1, 0.7, 12.0, 2e3, 1e5])
def test_the_integral_is_the_sum_over_counts(mu: float, theta: float) -> None:
    with mp.workdps(40):
        truth = float(summed(mu, theta))
    assert_allclose(shape_information(np, np.array([mu]), np.array([theta])), [truth], rtol=2e-8)


def test_no_count_and_no_variance_tell_nothing_and_nothing_is_a_nan() -> None:
    mu = np.array([0.0, 1e-300, 1e300, 1e300, 1e-300, 5.0, 5.0])
    theta = np.array([1.0, 1e-300, 1e300, 1e-300, 1e300, 1e-307, 1e307])
    with np.errstate(all="ignore"):
        found = shape_information(np, mu, theta)
    assert np.all((found >= 0.0) & (found < 1e-3) | (mu == 1e300))
    assert found[0] == 0.0
