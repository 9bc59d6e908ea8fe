"""What a rule of direction sees and says: points, steps in a metric, and when there is none."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from etamu._base.types import Want
from etamu.solve.direction import FINAL, Direction, Point, in_metric
from etamu.solve.factor import cholesky
from etamu.solve.gradient import gradient
from etamu.solve.irls import irls
from etamu.solve.lbfgs import lbfgs
from etamu.solve.newton import newton
from etamu.solve.oracle import Local
from tests.solve.problems import maxima

H = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 5.0]])
SCORE = np.array([1.0, -2.0, 0.5])


def metric(score: np.ndarray, matrix: np.ndarray = H) -> Direction | None:
    factor = cholesky(matrix)
    assert factor is not None
    return in_metric(score, factor, "observed", Want.VALUE | Want.EXPECTED)


def certain(score: np.ndarray, matrix: np.ndarray = H) -> Direction:
    found = metric(score, matrix)
    assert found is not None
    return found


def test_the_step_solves_the_system_and_its_slope_is_the_decrement() -> None:
    found = certain(SCORE)
    np.testing.assert_allclose(H @ found.step, SCORE, rtol=1e-13)
    assert found.slope == pytest.approx(float(SCORE @ np.linalg.solve(H, SCORE)), rel=1e-13)
    assert found.slope > 0


def test_the_covariance_is_the_inverse_and_symmetric_to_the_bit() -> None:
    covariance = certain(SCORE).covariance
    assert covariance is not None
    np.testing.assert_allclose(covariance, np.linalg.inv(H), rtol=1e-12)
    np.testing.assert_array_equal(covariance, covariance.T)


def test_the_words_are_handed_on() -> None:
    found = certain(SCORE)
    assert (found.information, found.want) == ("observed", Want.VALUE | Want.EXPECTED)


def test_of_all_steps_of_one_length_in_the_metric_none_climbs_faster() -> None:
    """Cauchy and Schwarz: score's <= sqrt(score'H^-1 score) sqrt(s'Hs)."""
    found = certain(SCORE)
    steps = np.random.default_rng(3).normal(size=(500, 3))
    steps *= np.sqrt(found.slope / np.einsum("ij,jk,ik->i", steps, H, steps))[:, None]
    assert np.all(steps @ SCORE < found.slope)
    assert float(found.step @ H @ found.step) == pytest.approx(found.slope)


def test_units_of_the_columns_change_the_step_as_they_change_beta_and_not_the_slope() -> None:
    units = np.array([1e-6, 1.0, 1e8])
    changed = certain(SCORE * units, H * np.outer(units, units))
    np.testing.assert_allclose(changed.step * units, certain(SCORE).step, rtol=1e-12)
    assert changed.slope == pytest.approx(certain(SCORE).slope, rel=1e-12)


def test_no_score_is_no_step() -> None:
    found = certain(np.zeros(3))
    assert found.slope == 0.0
    assert not found.step.any()


@pytest.mark.parametrize("bad", [math.nan, math.inf], ids=["nan", "inf"])
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_a_step_that_is_not_finite_is_none(bad: float) -> None:
    assert metric(np.array([1.0, bad, 0.0])) is None


def test_a_slope_that_overflows_is_none() -> None:
    """The step, 1e200, is a number; its slope, 1e400, is not."""
    with np.errstate(over="ignore"):
        assert metric(np.array([1e200]), np.eye(1)) is None


def test_a_point_without_score_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="asked for the score and returned None"):
        _ = Point(np.zeros(2), Local(-1.0)).score


def test_a_point_shows_the_score_that_was_seen() -> None:
    assert Point(np.zeros(3), Local(0.0, score=SCORE)).score is SCORE


def test_a_direction_says_no_more_than_is_known() -> None:
    plain = Direction(SCORE, 1.0)
    assert (plain.information, plain.covariance) == ("none", None)
    assert plain.want == Want.VALUE | Want.SCORE


@pytest.mark.parametrize(
    "value", [Point(SCORE, Local(0.0)), Direction(SCORE, 1.0)], ids=["point", "direction"]
)
def test_nothing_is_remembered_in_them(value: Point | Direction) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        setattr(value, dataclasses.fields(value)[0].name, None)


@pytest.mark.parametrize("solver", [newton, irls, gradient, lbfgs], ids=lambda solver: solver.__name__)
def test_a_verifying_pass_asks_for_all_that_a_solution_holds(solver: object) -> None:
    oracle, start = maxima()["logistic"]
    local = solver(oracle, start).local  # type: ignore[operator]
    assert all(isinstance(seen, np.ndarray) for seen in (local.score, local.expected, local.observed))
    wanted = "at:" + "|".join(sorted(str(flag.name) for flag in FINAL))
    assert wanted in oracle.asked
    assert {flag.name for flag in FINAL} == {"VALUE", "SCORE", "EXPECTED", "OBSERVED"}
