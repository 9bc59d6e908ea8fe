from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.solve.aliases import PANEL, doubts_of
from etamu.solve.factor import independent_columns, triangle

RNG = np.random.default_rng(3)


def columns(count, dependent):
    """Columns of which some are combinations of earlier ones, by their place."""
    x = RNG.normal(size=(3 * count, count)) * np.exp2(RNG.integers(-20, 20, count))
    for j in dependent:
        x[:, j] = x[:, :j] @ RNG.normal(size=j)
    return x


@pytest.mark.parametrize("count", [1, 10, PANEL - 1, PANEL, PANEL + 1, 2 * PANEL + 7])
def test_doubtful_columns_are_those_a_triangle_finds(count):
    dependent = sorted({count // 3, count // 2, count - 1} - {0})
    x = columns(count, dependent)
    doubts = doubts_of(x.T @ x)
    assert doubts.doubtful.tolist() == dependent
    assert np.array_equal(np.flatnonzero(independent_columns(triangle(x))), doubts.clear)


def test_a_combination_is_what_earlier_clear_columns_leave():
    x = columns(250, [120, 200])
    doubts = doubts_of(x.T @ x)
    combinations = doubts.combinations()
    for _ in range(2):
        combinations = doubts.refined(combinations, x.T @ (x @ combinations))
    assert np.all(np.linalg.norm(x @ combinations, axis=0) < 1e-12 * doubts.lengths[[120, 200]])
    assert not combinations[121:, 0].any()
    assert combinations[120, 0] == combinations[200, 1] == 1.0


def test_a_column_nearly_dependent_keeps_its_remainder():
    x = columns(40, [])
    x[:, 30] = x[:, 3] + 1e-6 * np.linalg.norm(x[:, 3]) * RNG.normal(size=120) / np.sqrt(120)
    doubts = doubts_of(x.T @ x)
    assert doubts.doubtful.tolist() == [30]
    combinations = doubts.combinations()
    for _ in range(2):
        combinations = doubts.refined(combinations, x.T @ (x @ combinations))
    # The reference has columns of unit length: lstsq drops directions that are small beside the largest.
    unit = x / np.linalg.norm(x, axis=0)
    left = unit[:, 30] - unit[:, :30] @ np.linalg.lstsq(unit[:, :30], unit[:, 30], rcond=None)[0]
    exact = np.linalg.norm(left) * np.linalg.norm(x[:, 30])
    assert_allclose(np.linalg.norm(x @ combinations), exact, rtol=1e-3)


def test_a_column_of_zeros_is_in_doubt():
    x = columns(5, [])
    x[:, 2] = 0.0
    assert doubts_of(x.T @ x).doubtful.tolist() == [2]
