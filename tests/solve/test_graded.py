"""Rows taken apart: the coordinates give the rows back, and a light row is heard beside alike heavy ones."""

from __future__ import annotations

import numpy as np
import pytest

from etamu.solve.graded import graded, least_squares, times


@pytest.mark.parametrize("decades", [0, 10, 100])
def test_steps_move_rows_as_far_as_they_say(decades: int) -> None:
    rng = np.random.default_rng(1)
    rows, root = rng.normal(size=(12, 4)), 10.0 ** rng.uniform(-decades, decades, 12)
    found = graded(rows, root)
    assert found is not None
    lean = rng.normal(size=4)
    moved = (root * times(rows, found.coefficients(lean)).hi)[found.order]
    assert moved == pytest.approx(found.lean @ lean, rel=1e-9, abs=1e-12)


def test_a_light_row_decides_what_alike_heavy_ones_leave_open() -> None:
    rows = np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 0.0], [1.0, 3.0, 0.0], [1.0, 3.0, 0.0], [1.0, 1.0, 1.0]])
    size = np.array([1e60, 1e60, 1e20, 1e20, 1e-60])
    found = least_squares(rows, size, np.array([4.0, 6.0, 7.0, 7.0, 2.0]))
    assert found.hi == pytest.approx([1.0, 2.0, -1.0], rel=1e-12)


def test_a_column_that_is_a_combination_of_others_has_no_coordinates() -> None:
    rows = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    assert graded(rows, np.ones(3)) is None
    assert np.all(np.isnan(least_squares(rows, np.ones(3), np.ones(3)).hi))


def test_heavy_rows_stay_where_a_light_one_moves_far() -> None:
    rows, root = np.array([[1.0, 1.0 / 3.0], [1.0, 0.7]]), np.array([1e20, 1e-20])
    found = graded(rows, root)
    assert found is not None
    moved = times(rows, found.coefficients(np.array([0.0, 1.0]))).hi
    assert abs(moved[1]) == pytest.approx(1e20, rel=1e-12)
    assert abs(moved[0]) <= 1e-28 * abs(moved[1])
