"""Hypotheses about several predictors: Wald by the covariance, ratios by fits without the columns."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from tests.vector.test_drop import DATA
from tests.vector.test_relations import multinomial


def test_one_coefficient_is_its_statistic_squared() -> None:
    fit = multinomial()
    for name, z, p in zip(fit.names, fit.statistic, fit.p_values, strict=True):
        test = fit.test(f"`{name}` = 0")
        assert test.statistic == pytest.approx(z**2, rel=1e-9)
        assert test.p_value == pytest.approx(p, rel=1e-7)


def test_several_are_a_quadratic_form() -> None:
    fit = multinomial()
    L = np.array([[0.0, 1.0, 0.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0, 2.0]])
    gap = L @ fit.coef - np.array([0.1, 0.2])
    statistic = gap @ np.linalg.solve(L @ fit.cov @ L.T, gap)
    assert fit.test(L, rhs=[0.1, 0.2]).statistic == pytest.approx(statistic, rel=1e-9)


@pytest.mark.parametrize("family", [em.Multinomial(), em.Cumulative()], ids=str)
def test_a_likelihood_ratio_is_that_of_the_model_without_the_column(family) -> None:
    large, small = (em.glm(f"y ~ {right}", DATA, family=family) for right in ("x + z", "x"))
    own = [f"`{name}` = 0" for name in large.names if name.split(":")[-1] == "z"]
    assert large.test(own, "lr").statistic == pytest.approx(2.0 * (large.loglik - small.loglik), rel=1e-7)


def test_equal_slopes_of_two_classes_are_one_class() -> None:
    fit = multinomial()
    test = fit.test("`middle:x` = `high:x`", "lr")
    assert test.statistic > 0.0
    assert test.df == 1
