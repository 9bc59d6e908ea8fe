"""Adjusted p-values: R's p.adjust, and the joint normal and t by quadrature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate
from scipy.special import ndtr, stdtr

import etamu as em
from etamu.infer.adjust import max_t

P = [0.001, 0.02, 0.03, 0.04, 0.2]

# R 4.2.2: p.adjust(c(.001, .02, .03, .04, .2), "holm" | "bonferroni" | "BH")
HOLM = [0.005, 0.08, 0.09, 0.09, 0.2]
BONFERRONI = [0.005, 0.1, 0.15, 0.2, 1.0]
BH = [0.005, 0.05, 0.05, 0.05, 0.2]


@pytest.mark.parametrize(("method", "adjusted"), [("holm", HOLM), ("bonferroni", BONFERRONI), ("bh", BH)])
def test_known_answers_in_any_order(method: str, adjusted: list[float]) -> None:
    order = np.random.default_rng(0).permutation(5)
    np.testing.assert_allclose(em.adjust(P, method), adjusted, rtol=1e-12)
    np.testing.assert_allclose(em.adjust(np.array(P)[order], method), np.array(adjusted)[order], rtol=1e-12)


def test_sidak_keeps_small_p_values() -> None:
    assert em.adjust([1e-20, 0.5], "sidak")[0] == pytest.approx(2e-20)
    assert em.adjust([0.1, 0.2], "sidak")[0] == pytest.approx(1 - 0.9**2)
    assert em.adjust([1.0], "sidak")[0] == 1.0


def test_nan_is_no_test() -> None:
    np.testing.assert_allclose(em.adjust([0.01, np.nan, 0.03]), [0.02, np.nan, 0.03])


def test_bad_input() -> None:
    with pytest.raises(em.OptionError, match="method='fdr'"):
        em.adjust(P, "fdr")
    with pytest.raises(em.DataError, match=r"p\[1\] is 1.5"):
        em.adjust([0.5, 1.5])
    with pytest.raises(em.DataError, match="one row"):
        em.adjust(np.ones((2, 2)))


def test_one_statistic_is_not_adjusted() -> None:
    assert max_t(np.array([1.7]), np.eye(1))[0] == pytest.approx(2 * ndtr(-1.7), rel=1e-12)
    assert max_t(np.array([1.7]), np.eye(1), 5.0)[0] == pytest.approx(2 * stdtr(5.0, -1.7), rel=1e-3)


def test_independent_statistics_are_sidaks() -> None:
    t = np.array([0.3, 1.2, 2.4, 3.5])
    np.testing.assert_allclose(max_t(t, np.eye(4)), em.adjust(2 * ndtr(-t), "sidak"), rtol=1e-6)


@pytest.mark.parametrize("rho", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("bound", [0.8, 2.0, 3.0])
def test_equal_correlations_by_quadrature(rho: float, bound: float) -> None:
    m = 5

    def inside(z: float) -> float:
        low, high = ((sign * bound - math.sqrt(rho) * z) / math.sqrt(1 - rho) for sign in (-1, 1))
        return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) * (ndtr(high) - ndtr(low)) ** m

    exact = 1 - integrate.quad(inside, -10, 10)[0]
    matrix = np.full((m, m), rho) + (1 - rho) * np.eye(m)
    assert max_t(np.full(m, bound), matrix)[0] == pytest.approx(exact, abs=1e-4)


def test_multivariate_t_by_quadrature() -> None:
    df, bound = 6.0, 2.3

    def inside(s: float) -> float:  # chi / sqrt(df) at s
        density = 2 * (df / 2) ** (df / 2) / math.gamma(df / 2) * s ** (df - 1) * math.exp(-df * s * s / 2)
        return density * (1 - 2 * ndtr(-bound * s)) ** 3

    exact = 1 - integrate.quad(inside, 0, 8)[0]
    assert max_t(np.full(3, bound), np.eye(3), df)[0] == pytest.approx(exact, abs=1e-4)


def test_perfectly_correlated_statistics_are_one() -> None:
    t = np.array([2.0, -2.0])
    found = max_t(t, np.array([[1.0, -1.0], [-1.0, 1.0]]))
    np.testing.assert_allclose(found, 2 * ndtr(-2.0), rtol=1e-6)


def test_seed_decides() -> None:
    matrix = np.array([[1.0, 0.4, 0.1], [0.4, 1.0, 0.3], [0.1, 0.3, 1.0]])
    t = np.array([1.5, 2.0, 2.5])
    np.testing.assert_array_equal(max_t(t, matrix, seed=3), max_t(t, matrix, seed=3))
    np.testing.assert_allclose(max_t(t, matrix, seed=3), max_t(t, matrix, seed=4), atol=1e-4)
