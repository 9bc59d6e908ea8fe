"""Rows moved by a margin, or held by a balance: checked against linear programs and made-up cones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from etamu.solve.margin import STEPS, at_rest, margin


def largest_margin(rows):
    """Maximise s over rows c >= s, s <= 1, inside a box."""
    count, size = rows.shape
    answer = linprog(
        np.append(np.zeros(size), -1.0),
        A_ub=np.hstack([-rows, np.ones((count, 1))]),
        b_ub=np.zeros(count),
        bounds=[(-1, 1)] * size + [(None, 1)],
        method="highs",
    )
    return -answer.fun


@pytest.mark.parametrize("seed", range(40))
def test_a_margin_is_found_where_a_linear_program_finds_one(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 7))
    shape = (int(rng.integers(1, 3 * size + 2)), size)
    rows = rng.integers(-1, 2, shape).astype(float) if seed % 2 else rng.normal(size=shape)
    rows = rows[np.abs(rows).max(axis=1) > 0.0]
    direction, held = margin(rows)
    if largest_margin(rows) > 1e-9:
        assert not held.any()
        assert (rows @ direction).min(initial=1.0) >= 0.5 - 1e-12
    else:
        assert held.any()
        # rows that are held are at rest in every direction of the cone
        for side in rows[held]:
            answer = linprog(-side, A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1), method="highs")
            assert -answer.fun == pytest.approx(0.0, abs=1e-9)


def test_more_columns_than_rows_need_one_step(monkeypatch):
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(20, 50))
    monkeypatch.setattr("etamu.solve.margin.STEPS", 2)
    direction, held = margin(rows)
    assert STEPS > 2
    assert not held.any()
    np.testing.assert_allclose(rows @ direction, 1.0)


@pytest.mark.parametrize(("count", "separable"), [(500, True), (700, False)])
def test_hundreds_of_dimensions_take_moments(count, separable):
    # The linear program of the same takes a hundred times as long.
    rows = np.random.default_rng(1).normal(size=(count, 276))
    direction, held = margin(rows)
    assert held.any() != separable
    assert ((rows @ direction).min() > 0.0) == separable


def test_columns_that_depend_on_each_other_or_are_empty_are_no_hindrance():
    rows = np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 0.0], [0.5, 0.5, 0.0]])
    direction, held = margin(rows)
    assert not held.any()
    assert (rows @ direction).min() >= 0.5


def test_vectors_at_rest():
    still = at_rest(np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 0.0]]))
    assert still.shape == (3, 2)
    np.testing.assert_allclose(np.array([1.0, 1.0, 0.0]) @ still, 0.0, atol=1e-15)
    np.testing.assert_allclose(still.T @ still, np.eye(2), atol=1e-15)
    assert at_rest(np.eye(3)).shape == (3, 0)
    assert at_rest(np.array([[1.0, 1.0], [1.0, 1.0 + 3e-9]])) is None
