"""Newton's metric: observed where it is one, expected where it is not, and along edges."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from etamu._base.types import Array, Want
from etamu.solve.direction import FINAL, Point
from etamu.solve.factor import cholesky
from etamu.solve.irls import irls
from etamu.solve.lbfgs import lbfgs
from etamu.solve.newton import Newton, newton
from etamu.solve.oracle import Local, Outcome
from tests.solve.problems import Rows, broad, cauchit, hill, maxima, others


def test_expected_information_is_asked_for_where_the_observed_is_no_metric() -> None:
    oracle = Rows(np.ones((5, 1)), np.array([0.0, 0.0, 1.0, 1.0, 1.0]), cauchit, 1.0)
    solution = newton(oracle, np.array([9.0]))
    assert solution.steps[0].information == "expected"
    assert solution.steps[-1].information == "observed"
    assert solution.outcome is Outcome.CONVERGED
    assert oracle.asked[1] == "at:EXPECTED|VALUE"


@dataclass(frozen=True)
class NoExpectation(Rows):
    """An oracle whose expected information is no metric either."""

    def at(self, beta: Array, want: Want) -> Local:
        local = Rows.at(self, beta, want)
        return local if local.expected is None else replace(local, expected=-local.expected)


def test_with_no_metric_at_all_the_lifted_curvature_still_climbs() -> None:
    solution = newton(NoExpectation(np.ones((3, 1)), np.zeros(3), hill), np.array([0.1]))
    assert solution.outcome is Outcome.CONVERGED
    assert solution.beta[0] == pytest.approx(1.0, abs=1e-9)


def test_beside_an_edge_the_step_goes_along_it() -> None:
    oracle, start = others()["edge"]
    beta = np.array([-0.7, 0.2 - 1e-9])  # a hair from the edge, far from its best point
    here = Point(beta, oracle.at(beta, FINAL))
    direction = Newton().direction(oracle, (here,))
    assert oracle.reach(beta, direction.step) > 0.5
    assert here.local.score is not None
    assert direction.slope == pytest.approx(here.local.score @ direction.step)
    assert direction.slope > 0
    assert np.linalg.norm(direction.step) > 0.01
    assert newton(oracle, beta).local.value == pytest.approx(newton(oracle, start).local.value, abs=1e-4)


def test_an_interior_maximum_behind_an_edge_is_reached() -> None:
    oracle, _ = maxima()["poisson identity"]
    inside = newton(*maxima()["poisson identity"]).beta
    corner = np.array([1e-3, 20.0, 0.0])  # rows with small x are almost at zero
    assert oracle.inside(oracle.x @ corner)
    solution = newton(oracle, corner)
    assert solution.outcome is Outcome.CONVERGED
    np.testing.assert_allclose(solution.beta, inside, rtol=1e-8)


class Scoreless:
    """An oracle that knows neither score nor information."""

    size, concordance, restricted, extent = 1, 0.0, False, np.ones(1)

    def __init__(self, *, score: bool) -> None:
        self.score = np.ones(1) if score else None

    def at(self, beta: Array, want: Want) -> Local:
        return Local(0.0, 1.0, self.score)

    def along(self, beta: Array, step: Array, ts: Array) -> Array:
        return np.zeros(len(ts))

    def reach(self, beta: Array, step: Array) -> float:
        return np.inf

    def longest(self, covariance: Array) -> float:
        return 0.0


def test_too_little_knowledge_is_an_error_that_names_what_is_missing() -> None:
    with pytest.raises(TypeError, match="asked for the score"):
        newton(Scoreless(score=False), np.zeros(1))
    with pytest.raises(TypeError, match="newton needs an oracle with information"):
        newton(Scoreless(score=True), np.zeros(1))
    with pytest.raises(TypeError, match="irls needs an oracle with expected information"):
        irls(Scoreless(score=True), np.zeros(1))
    with pytest.raises(TypeError, match="asked for the information"):
        lbfgs(Scoreless(score=True), np.zeros(1))


def fresh(name: str, **changes: object) -> tuple[Rows, Array]:
    oracle, start = maxima()[name]
    return replace(oracle, asked=[], **changes), start  # type: ignore[arg-type]


CURVED = ("logistic", "gamma log", "poisson identity", "badly scaled", "wide", "far start")


@pytest.mark.parametrize("name", CURVED)
def test_a_metric_known_beforehand_serves_the_first_step_and_the_end_is_the_same(name: str) -> None:
    oracle, start = fresh(name)
    best = newton(oracle, start)
    oracle, start = fresh(name)
    near = best.beta + 1e-2 * np.abs(best.beta)
    half = Rows(oracle.x[::2], oracle.y[::2], oracle.row)  # the information of half of the rows
    matrix = 2.0 * half.at(near, FINAL).observed  # type: ignore[operator]
    solution = newton(oracle, near, metric=cholesky(matrix))
    assert solution.steps[0].information == "kept"
    assert oracle.asked[0] == "at:SCORE|VALUE"
    assert solution.outcome is Outcome.CONVERGED
    assert best.local.observed is not None
    error = np.sqrt(best.local.scale * np.diag(np.linalg.inv(best.local.observed)))
    assert np.abs((solution.beta - best.beta) / error).max() < 2e-9


@pytest.mark.parametrize("name", CURVED)
def test_where_passes_are_dear_and_columns_many_metrics_are_kept_and_the_end_is_the_same(name: str) -> None:
    best = newton(*fresh(name))
    oracle, start = fresh(name, dear=True, wide=True)
    solution = newton(oracle, start)
    assert solution.outcome is Outcome.CONVERGED
    assert best.local.observed is not None
    error = np.sqrt(best.local.scale * np.diag(np.linalg.inv(best.local.observed)))
    assert np.abs((solution.beta - best.beta) / error).max() < 2e-9


def test_a_metric_that_proved_good_is_kept_and_one_that_did_not_is_not() -> None:
    oracle, start = fresh("wide", dear=True, wide=True)
    solution = newton(oracle, start)
    assert "kept" in {step.information for step in solution.steps}
    informations = sum("CURVATURE" in asked or "OBSERVED" in asked for asked in oracle.asked)
    plain, start = fresh("wide")
    newton(plain, start)
    assert informations < sum("CURVATURE" in asked or "OBSERVED" in asked for asked in plain.asked)


def test_a_metric_that_is_no_help_is_replaced() -> None:
    oracle, start = fresh("logistic")
    solution = newton(oracle, start, metric=cholesky(1e4 * np.eye(3)))
    assert solution.steps[0].information == "kept"
    assert solution.steps[-1].information == "observed"
    assert solution.outcome is Outcome.CONVERGED
    np.testing.assert_allclose(solution.beta, newton(*fresh("logistic")).beta, rtol=1e-8)


def test_far_from_the_maximum_a_coarse_information_is_asked_for_and_near_it_not() -> None:
    oracle, start = broad(0.0)
    solution = newton(oracle, start)
    coarse = ["COARSE" in asked for asked in oracle.asked]
    assert coarse[1]
    assert coarse == sorted(coarse[:1]) + sorted(coarse[1:], reverse=True)
    assert not coarse[-2]
    assert solution.outcome is Outcome.CONVERGED
    exact = newton(replace(oracle, coarse=False, asked=[]), start)
    assert solution.passes <= exact.passes + 1
    np.testing.assert_allclose(solution.beta, exact.beta, rtol=0, atol=1e-9)


def uneven() -> tuple[Rows, Array]:
    """Return the same with a row that is most of one column."""
    oracle, start = broad(0.0)
    oracle.x[7, 3] = 20.0
    oracle.y[7] = 1.0
    return oracle, start


@pytest.mark.parametrize(
    "problem", [broad(0.8), fresh("poisson"), uneven()], ids=["nearly dependent", "few", "uneven"]
)
def test_columns_that_depend_on_one_another_uneven_and_few_ones_get_no_coarse_information(
    problem: tuple[Rows, Array],
) -> None:
    newton(*problem)
    assert not any("COARSE" in asked for asked in problem[0].asked)
