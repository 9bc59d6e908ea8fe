"""Directions of recession on small matrices: found, verified, ruled out, and what they leave undetermined."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from etamu.solve import recession
from etamu.solve.cone import least_sum, normal, run_of
from etamu.solve.factor import independent_columns
from etamu.solve.recession import recede, verified


class Matrix:
    """A cone whose rows are written out."""

    def __init__(self, x, ways):
        self.x, self.ways = np.asarray(x, dtype=float), np.asarray(ways, dtype=np.int8)
        self.size = self.x.shape[1]

    def margins(self, direction):
        return self.x @ direction

    def gathered(self, v):
        return self.x.T @ v

    def some(self, rows):
        return self.x[rows]

    def null_space(self, rows):
        if not rows.any():
            return np.ones(self.size, dtype=bool), np.eye(self.size)
        gone = ~independent_columns(self.x[rows])
        basis = np.zeros((self.size, int(gone.sum())))
        basis[~gone] = -np.linalg.lstsq(self.x[rows][:, ~gone], self.x[rows][:, gone], rcond=None)[0]
        basis[gone] = np.eye(int(gone.sum()))
        return gone, np.where(np.abs(basis) < 1e-12, 0.0, basis)


def everyone(cone):
    return np.ones(len(cone.ways), dtype=bool)


def exists(x, ways):
    """Decide by trying every direction of a fine grid, which is enough for small whole numbers."""
    for d in product(range(-6, 7), repeat=x.shape[1]):
        moved = x @ np.array(d, dtype=float)
        obeyed = np.where(ways == 0, moved == 0, moved * ways >= 0)
        if obeyed.all() and moved.any():
            return False
    return True


@pytest.mark.parametrize("seed", range(60))
def test_the_answer_is_that_of_enumeration(seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(-1, 2, (int(rng.integers(3, 9)), int(rng.integers(1, 4)))).astype(float)
    x = x[:, independent_columns(x)]
    ways = rng.choice([-1, 1, 0], len(x), p=[0.4, 0.4, 0.2])
    cone = Matrix(x, ways)
    answer = recede(cone, everyone(cone))
    assert answer.settled
    assert (answer.found is None) == exists(x, ways)
    if answer.found is not None:
        moved = x @ answer.found.direction
        np.testing.assert_array_equal(np.abs(moved) > 1e-9, answer.found.separated)
        assert (moved * ways)[answer.found.separated].min() == pytest.approx(1.0)


def test_a_rough_hint_is_cleaned_to_the_digit():
    x = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.0, 2.0], [1.0, 1.0, 0.0], [1.0, 1.0, 3.0]])
    cone = Matrix(x, [0, 1, -1, -1, -1])
    found = verified(cone, everyone(cone), np.array([1e-6, -1.0, -2e-6]))
    np.testing.assert_array_equal(found.direction, [0.0, -1.0, 0.0])
    np.testing.assert_array_equal(found.separated, [False, False, False, True, True])
    assert verified(cone, everyone(cone), np.array([0.0, 1.0, 0.0])) is None
    assert verified(cone, everyone(cone), np.array([1.0, -1.0, 0.0])) is None
    assert verified(cone, everyone(cone), np.zeros(3)) is None


def test_rows_are_added_to_the_program_where_they_are_broken(monkeypatch):
    monkeypatch.setattr(recession, "MOST", 3)
    rng = np.random.default_rng(5)
    x = np.column_stack([np.ones(400), rng.normal(size=(400, 2))])
    ways = np.where(x @ [0.3, 1.0, -2.0] > 0, 1, -1)
    cone = Matrix(x, ways)
    answer = recede(cone, everyone(cone))
    assert answer.found is not None
    assert answer.found.separated.any()
    ways[:40] = -ways[:40]
    cone = Matrix(x, ways)
    assert recede(cone, everyone(cone)) == recession.Answer(None, settled=True)


def test_what_takes_too_long_is_left_open(monkeypatch):
    monkeypatch.setattr(recession, "SECONDS", 0.0)
    cone = Matrix([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]], [-1, 1, 1])
    assert recede(cone, everyone(cone)) == recession.Answer(None, settled=False)


def test_how_functionals_run_over_cones_that_are_no_simplex():
    rows = np.array([[1.0, 1.0], [1.0, -1.0], [2.0, 1.0]])
    asked = np.array([[1.0, 0.0], [-3.0, 0.5], [0.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
    np.testing.assert_array_equal(run_of(asked, rows), [1.0, -1.0, np.nan, 0.0, 1.0])
    np.testing.assert_array_equal(run_of(np.array([[2.0], [-1.0]]), np.array([[-3.0]])), [-1.0, 1.0])
    np.testing.assert_array_equal(run_of(np.zeros((2, 0)), np.zeros((1, 0))), [0.0, 0.0])
    assert len(normal(np.array([[2.0, 4.0], [1.0, 2.0], [0.0, 0.0]]))) == 1
    np.testing.assert_allclose(least_sum(np.eye(2), rows), [1.0, 0.0], atol=1e-9)
    assert least_sum(np.eye(1), np.array([[1.0], [-1.0]])) is None


@pytest.mark.parametrize("seed", range(8))
def test_a_direction_is_found_among_columns_that_differ_by_many_powers_of_ten(seed):
    """A vertex of the linear program leaves one row at rest, whose null vectors are beyond numbers."""
    rng = np.random.default_rng(seed)
    wild = np.array([1.0, *10.0 ** rng.uniform(-160, -40, 11)])
    x = np.column_stack([wild, np.ones(12), 1.3 * rng.normal(size=12)])
    found = recede(Matrix(x, np.ones(12)), np.ones(12, dtype=bool)).found
    assert found is not None
    assert (x @ found.direction)[found.separated].min() >= 1.0 - 1e-9
    assert np.abs(x @ found.direction)[~found.separated].max(initial=0.0) <= 1e-6


def test_rows_of_nearly_equal_columns_are_at_rest_but_for_rounding():
    """The margin of the one row that moves is 1e-9 of the terms that it is a sum of."""
    rng = np.random.default_rng(4)
    z, other = rng.normal(size=5), rng.normal(size=(5, 3))
    x = np.column_stack([other, z, z * (1.0 + 1e-9 * rng.normal(size=5))])
    cone = Matrix(x, [0, 1, 0, 0, 0])
    found = recede(cone, everyone(cone)).found
    assert found is not None
    assert found.separated.tolist() == [False, True, False, False, False]


def turned(rows, functional):
    """Tell by two linear programs how a functional runs."""
    ends = [-float(recession.program(side * functional, rows, (-1.0, 1.0)).fun) for side in (1.0, -1.0)]
    falls, rises = (end > 1e-8 for end in ends)
    return np.nan if falls and rises else -1.0 if falls else 1.0


@pytest.mark.parametrize("seed", range(30))
def test_functionals_run_as_linear_programs_say(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 7))
    shape = (int(rng.integers(size, 3 * size)), size)
    rows = rng.normal(size=shape) if seed % 2 else rng.integers(-1, 2, shape).astype(float)
    signs = np.sign(rows @ rng.integers(-2, 3, size))
    rows = (rows * signs[:, None])[signs != 0.0]
    if not len(rows):
        rows = np.eye(size)
    asked = rng.integers(-2, 3, (8, size)).astype(float)
    asked = asked[np.abs(asked).max(axis=1) > 0.0]
    np.testing.assert_array_equal(run_of(asked, rows), [turned(normal(rows), each) for each in asked])


def test_most_functionals_of_a_wide_cone_need_no_linear_program(monkeypatch):
    def unasked(*_):
        raise AssertionError("a linear program was asked")

    rng = np.random.default_rng(5)
    rows, asked = rng.normal(size=(30, 25)), rng.normal(size=(40, 25))
    monkeypatch.setattr("etamu.solve.cone.program", unasked)
    assert np.isnan(run_of(asked, rows)).all()


def test_rows_at_rest_are_not_asked_twice():
    asked = []

    class Counted(Matrix):
        def null_space(self, rows):
            asked.append(int(rows.sum()))
            return super().null_space(rows)

    rng = np.random.default_rng(2)
    cone = Counted(rng.normal(size=(30, 20)), np.where(np.arange(30) < 10, 0, rng.choice([-1, 1], 30)))
    assert recede(cone, everyone(cone)).found.separated.sum() == 20
    assert asked == [10]


def test_rows_that_hold_each_other_leave_the_rest_to_move():
    rng = np.random.default_rng(7)
    held = np.array([[1.0, 2.0, 0.0, 0.0], [-1.0, -2.0, 0.0, 0.0]])
    free = np.abs(rng.normal(size=(5, 4)))
    cone = Matrix(np.vstack([held, free]), np.ones(7))
    found = recede(cone, everyone(cone)).found
    np.testing.assert_array_equal(found.separated, [False] * 2 + [True] * 5)
