"""Dispersions of reduced bias: the roots of their equations, and the bias that is gone."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from etamu.infer.reduced_dispersion import ADDED, _gamma_terms, gamma_like, gaussian_like


@pytest.mark.parametrize("shape", [1e-3, 0.1, 1.0, 7.0, 24.9, 25.0, 300.0, 1e8])
def test_gamma_terms_against_more_digits(shape: float) -> None:
    with mp.workdps(60):
        v = mp.mpf(shape)
        theirs = (
            2 * (mp.log(v) - mp.digamma(v)),
            2 * (mp.psi(1, v) - 1 / v),
            -2 * (mp.psi(2, v) + 1 / v**2),
        )
    for ours, exact in zip(_gamma_terms(np.array([shape])), theirs, strict=True):
        # psi'' + 1/v^2 loses three digits at 25, where it is a thousandth of its parts.
        assert float(ours[0]) == pytest.approx(float(exact), rel=1e-11)


@pytest.mark.parametrize("rule", ADDED)
def test_a_gamma_of_small_dispersion_is_gaussian(rule: str) -> None:
    """A gamma density of large shape is nearly Gaussian, and so is the equation of its phi."""
    gamma = gamma_like(rule, 1e-6, np.ones(1), np.array([30.0]), 3)
    assert gamma == pytest.approx(gaussian_like(rule, 1e-6, 30, 3), rel=1e-6)


def test_nothing_left_is_said() -> None:
    assert np.isnan(gaussian_like("mean", 1.0, 3, 3))
    assert gamma_like("mean", 0.0, np.ones(1), np.array([5.0]), 2) == 0.0


def test_different_precisions_are_counted() -> None:
    together = gamma_like("mean", 2.0, np.array([0.5, 2.0]), np.array([10.0, 20.0]), 2)
    listed = gamma_like("mean", 2.0, np.repeat([0.5, 2.0], [10, 20]), np.ones(30), 2)
    assert together == pytest.approx(listed, rel=1e-12)
