"""The ratio test and Armijo's rule."""

from __future__ import annotations

import numpy as np
import pytest

from etamu.solve.direction import FINAL, Direction, Point
from etamu.solve.search import MARGIN, advance, backtrack, ceiling, first_length, rounding, sufficient
from tests.solve.problems import Rows, least_squares, maxima, others


def parabola() -> tuple[Rows, Point]:
    """-(beta - 1)^2 / 2, seen from 0."""
    oracle = Rows(np.ones((1, 1)), np.ones(1), least_squares)
    return oracle, Point(np.zeros(1), oracle.at(np.zeros(1), FINAL))


def test_a_step_stops_short_of_the_edge() -> None:
    oracle, start = others()["cut quadratic"]
    step = np.array([2.0, 0.0])  # the edge is at half of it
    assert ceiling(oracle, start, step) == pytest.approx(0.5 * MARGIN)
    assert ceiling(oracle, start, -step) == 1.0
    assert oracle.inside(oracle.x @ (start + ceiling(oracle, start, step) * step))


def test_a_free_oracle_is_not_asked_for_its_reach() -> None:
    oracle, start = maxima()["logistic"]
    assert ceiling(oracle, start, np.full(3, 1e9)) == 1.0


def test_armijo_asks_for_its_share_of_the_promised_gain() -> None:
    _, here = parabola()
    ts = np.array([0.5, 1.0, 1.9999, 2.5])
    values = -0.5 * (ts - 1) ** 2
    good = sufficient(here, values, ts, slope=1.0, demand=1e-4)
    assert good.tolist() == [True, True, False, False]
    assert sufficient(here, np.array([np.nan, -np.inf]), ts[:2], 1.0, 0.0).tolist() == [False, False]


def test_eight_lengths_cost_one_pass() -> None:
    oracle, here = parabola()
    length = backtrack(oracle, here, Direction(np.array([100.0]), 100.0), 1.0, 1e-4)
    assert length == 0.5**6
    assert oracle.asked[1:] == ["along"]


def test_a_direction_downhill_is_given_up() -> None:
    oracle, here = parabola()
    assert backtrack(oracle, here, Direction(np.array([-1.0]), 1.0), 1.0, 1e-4) is None


def test_a_step_that_moves_nothing_costs_no_pass() -> None:
    oracle, here = parabola()
    before = len(oracle.asked)
    assert advance(oracle, here, Direction(np.array([0.0]), 0.0), FINAL, 1e-4) is None
    assert len(oracle.asked) == before


def test_a_step_that_is_not_finite_is_refused() -> None:
    oracle, here = parabola()
    assert advance(oracle, here, Direction(np.array([np.inf]), 1.0), FINAL, 1e-4) is None


def test_rounding_of_a_large_value_is_forgiven() -> None:
    oracle, start = maxima()["huge value"]
    here = Point(start, oracle.at(start, FINAL))
    lower = np.array([here.local.value - 0.9 * rounding(here)])
    assert rounding(here) < 1e-13 * abs(here.local.value)
    assert sufficient(here, lower, np.ones(1), 0.0, 1e-4)[0]
    assert not sufficient(here, 2 * lower, np.ones(1), 0.0, 1e-4)[0]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_first_length_finds_the_scale(scale: float) -> None:
    oracle = Rows(np.ones((1, 1)), np.array([scale]), least_squares)
    here = Point(np.zeros(1), oracle.at(np.zeros(1), FINAL))
    assert here.local.score is not None
    length = first_length(oracle, here, here.local.score)
    assert 0.1 <= length <= 1.0  # the best is 1


def test_the_first_length_does_not_run_where_everything_is_flat() -> None:
    oracle, start = others()["separated"]
    here = Point(start, oracle.at(start, FINAL))
    assert here.local.score is not None
    assert np.abs(first_length(oracle, here, here.local.score) * here.local.score).max() < 100
