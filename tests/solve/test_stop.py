"""Each part of the rule of convergence, alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from etamu._base.types import Array
from etamu.solve.direction import FINAL, Direction, Point
from etamu.solve.factor import cholesky
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome, Step
from etamu.solve.stop import bound, examine, near, predicted, relative
from tests.solve.problems import Rows, X, binary, logistic, maxima, others


def step(decrement: float) -> Step:
    return Step(0.0, decrement, 0.0, math.nan, 1.0, "observed")


def direction(decrement: float, information: str = "observed") -> Direction:
    return Direction(np.ones(1), decrement, information, cholesky(np.eye(3)))


def at(oracle: Rows, beta: Array) -> Point:
    return Point(beta, oracle.at(beta, FINAL))


def test_the_free_bound_bounds() -> None:
    oracle, _ = maxima()["wide"]
    solution = newton(*maxima()["wide"])
    assert solution.local.observed is not None
    covariance = np.linalg.inv(solution.local.observed)
    direction = Direction(np.ones(20), 1.0, "observed", cholesky(solution.local.observed))
    free = bound(direction, oracle) ** 2
    assert (
        oracle.longest(covariance)
        <= free
        <= oracle.extent @ oracle.extent * np.linalg.norm(covariance, np.inf)
    )


def test_the_prediction_with_concordance_is_the_theorem() -> None:
    assert predicted([], direction(1e-6), 1e-4, 1.0) == pytest.approx(1e-3 * math.expm1(1e-4))


def test_the_prediction_without_concordance_is_the_contraction() -> None:
    assert predicted([step(1.0)], direction(0.25), 0.0, 0.0) == pytest.approx(0.5)
    assert predicted([], direction(0.25), 0.0, 0.0) == math.inf
    assert predicted([step(0.25)], direction(1.0), 0.0, 0.0) == math.inf


def test_a_superlinear_contraction_is_extrapolated() -> None:
    linear = predicted([step(1.0), step(1e-2)], direction(1e-4), 0.0, 0.0)
    quadratic = predicted([step(1.0), step(1e-2)], direction(1e-6), 0.0, 0.0)
    assert linear == pytest.approx(1e-3 / 0.9)
    assert quadratic == pytest.approx(1e-3 * 10**-3.8, rel=1e-2)


def test_no_contraction_is_trusted_below_its_floor() -> None:
    assert predicted([step(1.0)], direction(1e-30), 0.0, 0.0) == pytest.approx(1e-8 * 1e-15, rel=1e-6)


def test_zero_is_small_at_any_scale() -> None:
    assert relative(0.0, 0.0) == 0.0
    assert relative(1e-30, 0.0) == math.inf
    assert relative(2.0, math.nan) == 2.0


@pytest.mark.parametrize("distance", [1e-3, 1e-6, 3e-9])
def test_a_point_short_of_the_maximum_is_not_converged(distance: float) -> None:
    oracle, start = maxima()["logistic"]
    beta = newton(oracle, start).beta
    covariance = np.linalg.inv(oracle.at(beta, FINAL).observed)  # type: ignore[arg-type]
    off = beta + distance * np.sqrt(covariance[0, 0]) * np.eye(3)[0]
    check = examine(oracle, at(oracle, off), [], 1e-9, stuck=False)
    assert check.outcome is None
    # A step of lambda moves off by at least its error in the first coefficient.
    assert math.sqrt(check.decrement) >= distance * 0.99


def test_a_tiny_step_where_the_information_is_not_positive_definite_is_no_maximum() -> None:
    oracle, start = others()["saddle"]
    assert examine(oracle, at(oracle, start), [], 1e-9, stuck=False).outcome is Outcome.STATIONARY


def test_the_classic_lie_is_not_told() -> None:
    # Far along a separating direction the step is tiny in standard errors: it is no maximum.
    oracle, _ = others()["separated"]
    here = at(oracle, np.array([0.0, 60.0]))
    first = examine(oracle, here, [], 1e-5, stuck=False)
    assert first.outcome is None
    assert first.lambda_rho > 0.1
    later = examine(oracle, at(oracle, np.array([0.0, 62.0])), [first], 1e-5, stuck=False)
    assert later.outcome is Outcome.INFINITE


def test_the_exact_length_is_asked_only_where_the_free_bound_does_not_decide() -> None:
    oracle, start = maxima()["logistic"]
    newton(oracle, start)
    assert "longest" not in oracle.asked
    oracle, start = others()["separated"]
    newton(oracle, start)
    assert "longest" in oracle.asked


def test_a_small_first_order_slope_is_verified() -> None:
    oracle, start = maxima()["logistic"]
    here = at(oracle, start)
    assert near(oracle, here, direction(1e-9, "none"), [], 1e-9)
    assert not near(oracle, here, direction(1e-7, "none"), [], 1e-9)


def test_an_enormous_step_is_no_overflow() -> None:
    oracle, start = maxima()["logistic"]
    assert not near(oracle, at(oracle, start), direction(1e300), [step(1e302)], 1e-9)


def test_separation_in_random_rows_is_told_from_its_absence() -> None:
    # Reference: a linear program says whether any direction separates.
    from scipy.optimize import linprog

    seen = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = np.column_stack([np.ones(25), rng.normal(size=(25, 3))])
        y = binary(x, np.append(0.0, 2 * rng.normal(size=3)), seed)
        signed = (2 * y - 1)[:, None] * x
        program = linprog(-signed.sum(0), A_ub=-signed, b_ub=np.zeros(25), bounds=[(-1, 1)] * 4)
        separated = -program.fun > 1e-7
        outcome = newton(Rows(x, y, logistic, 1.0), np.zeros(4)).outcome
        assert outcome is (Outcome.INFINITE if separated else Outcome.CONVERGED)
        seen.add(outcome)
    assert seen == {Outcome.INFINITE, Outcome.CONVERGED}


def test_the_last_information_is_a_metric() -> None:
    solution = newton(Rows(X, binary(X, np.ones(3)), logistic, 1.0), np.zeros(3))
    assert solution.local.observed is not None
    assert cholesky(solution.local.observed) is not None


@pytest.mark.parametrize("shift", [10.0, 1e3, 1e4])
def test_separation_is_seen_through_nearly_collinear_columns(shift: float) -> None:
    rng = np.random.default_rng(7)
    group, z = np.repeat([0.0, 1.0], [30, 10]), rng.normal(size=40) + shift
    x = np.column_stack([np.ones(40), z, group, group * z])
    y = np.append(rng.random(30) < 0.5, z[30:] > shift).astype(float)
    assert newton(Rows(x, y, logistic, 1.0), np.zeros(4)).outcome is Outcome.INFINITE


def test_an_edge_is_seen_before_the_search_jams() -> None:
    oracle, _ = others()["edge"]
    end = newton(*others()["edge"]).beta
    beside = at(oracle, end - np.array([1e-13, 0.0]))
    assert examine(oracle, beside, [], 1e-9, stuck=True).outcome is Outcome.BOUNDARY
    assert examine(oracle, at(oracle, np.array([-0.7, 0.1])), [], 1e-9, stuck=False).outcome is None


def test_an_edge_without_observed_information_is_an_edge() -> None:
    oracle, _ = others()["edge, all ones"]
    assert (
        examine(oracle, at(oracle, np.array([-1e-13, 0.0])), [], 1e-9, stuck=False).outcome
        is Outcome.BOUNDARY
    )
