"""L-BFGS: the two loops are the BFGS matrix, and curvature is learnt."""

from __future__ import annotations

import numpy as np

from etamu._base.types import Array
from etamu.solve.gradient import gradient
from etamu.solve.lbfgs import lbfgs, two_loop
from etamu.solve.oracle import Outcome
from tests.solve.problems import maxima


def dense(pairs: list[tuple[Array, Array]]) -> Array:
    """The inverse BFGS matrix by its definition (Nocedal and Wright 2006, 6.17)."""
    move, fall = pairs[-1]
    matrix = np.eye(len(move)) * (move @ fall) / (fall @ fall)
    for move, fall in pairs:
        left = np.eye(len(move)) - np.outer(move, fall) / (move @ fall)
        matrix = left @ matrix @ left.T + np.outer(move, move) / (move @ fall)
    return matrix


def test_the_two_loops_are_the_matrix() -> None:
    rng = np.random.default_rng(0)
    bend = np.diag([1.0, 4.0, 9.0, 16.0]) + 0.5
    pairs = [(move, bend @ move) for move in rng.normal(size=(3, 4))]
    score = rng.normal(size=4)
    np.testing.assert_allclose(two_loop(score, pairs), dense(pairs) @ score, rtol=1e-10)


def test_the_last_pair_is_reproduced() -> None:
    rng = np.random.default_rng(1)
    pairs = [(move, np.diag([1.0, 2.0, 3.0]) @ move) for move in rng.normal(size=(2, 3))]
    np.testing.assert_allclose(two_loop(pairs[-1][1], pairs), pairs[-1][0], rtol=1e-10)


def test_it_climbs_a_long_valley_that_the_gradient_does_not() -> None:
    fast = lbfgs(*maxima()["nearly collinear"])
    assert fast.outcome is Outcome.CONVERGED
    assert gradient(*maxima()["nearly collinear"], limit=10 * len(fast.steps)).outcome is Outcome.LIMIT


def test_it_climbs_where_the_value_is_not_concave() -> None:
    assert lbfgs(*maxima()["cauchit"]).outcome is Outcome.CONVERGED


def test_no_matrix_is_asked_for_before_the_end() -> None:
    oracle, start = maxima()["logistic"]
    lbfgs(oracle, start)
    assert not any("EXPECTED" in question for question in oracle.asked[:-2])
