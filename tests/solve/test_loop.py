"""What a step costs, what the trace holds, and what the loop refuses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest

from etamu._base.types import Array, Want
from etamu.solve.direction import Direction, Point, in_metric
from etamu.solve.factor import cholesky
from etamu.solve.irls import irls
from etamu.solve.lbfgs import lbfgs
from etamu.solve.loop import Counted
from etamu.solve.newton import Newton, newton
from etamu.solve.oracle import Local, Oracle, Outcome, Step
from tests.solve.problems import BETA, Rows, X, binary, logistic, maxima, others


@pytest.mark.parametrize("solve", [newton, irls])
@pytest.mark.parametrize(
    "problem", ["quadratic", "logistic", "poisson", "gamma log", "coarse curvature", "wide"]
)
def test_an_iteration_costs_one_pass_and_the_start_one_more(solve: object, problem: str) -> None:
    oracle, start = maxima()[problem]
    solution = solve(oracle, start)  # type: ignore[operator]
    assert solution.passes == len(solution.steps) + 1
    assert "along" not in oracle.asked


def test_a_quadratic_costs_two_passes() -> None:
    assert newton(*maxima()["quadratic"]).passes == 2


def test_a_typical_logistic_costs_six_passes_and_one_exact_gram() -> None:
    oracle, start = maxima()["logistic"]
    solution = newton(oracle, start)
    assert solution.passes == 6
    assert oracle.asked[:-1] == ["at:CURVATURE|SCORE|VALUE"] * 5
    assert oracle.asked[-1] == "at:EXPECTED|OBSERVED|SCORE|VALUE"


def test_a_quasi_newton_iteration_costs_one_pass_where_no_step_is_refused() -> None:
    solution = lbfgs(*maxima()["quadratic"])
    assert solution.passes <= len(solution.steps) + 3  # the first length, the verifying pass, one spare


def test_a_refused_step_costs_one_pass_for_all_shorter_ones() -> None:
    oracle, _ = maxima()["logistic"]
    newton(oracle, np.array([0.0, 6.0, -6.0]))
    refused = [i for i, question in enumerate(oracle.asked) if question == "along"]
    assert refused
    assert all(oracle.asked[i - 1].startswith("at") and oracle.asked[i + 1].startswith("at") for i in refused)


def test_the_trace_shows_the_climb() -> None:
    solution = newton(*maxima()["poisson"])
    values = [step.value for step in solution.steps] + [solution.local.value]
    assert all(after >= before - 1e-12 for before, after in pairwise(values))
    late = solution.steps[-2:]
    assert late[1].decrement < 1e-3 * late[0].decrement
    assert late[1].lambda_rho < late[0].lambda_rho
    assert {step.information for step in solution.steps} == {"observed"}
    assert all(step.length == 1 for step in solution.steps)


def test_the_step_is_told_in_standard_errors() -> None:
    oracle, start = maxima()["quadratic"]
    solution = newton(oracle, start)
    assert solution.local.observed is not None
    first = oracle.at(start, Want.VALUE)
    error = np.sqrt(first.scale * np.diag(np.linalg.inv(solution.local.observed)))
    assert solution.steps[0].step == pytest.approx(np.max(np.abs(solution.beta - start) / error), rel=1e-9)
    assert np.isnan(solution.steps[0].lambda_rho)


def test_a_callback_hears_every_step() -> None:
    heard: list[tuple[Step, Array]] = []
    solution = newton(*maxima()["logistic"], callback=lambda step, beta: heard.append((step, beta)))
    assert tuple(step for step, _ in heard) == solution.steps
    np.testing.assert_array_equal(heard[-1][1], solution.beta)


def test_the_start_is_not_written_to() -> None:
    oracle, start = maxima()["logistic"]
    start.setflags(write=False)
    newton(oracle, start)
    assert not np.any(start)


def test_a_start_of_the_wrong_length_is_refused() -> None:
    oracle, _ = maxima()["logistic"]
    with pytest.raises(ValueError, match=r"shape \(2,\), the oracle wants \(3,\)"):
        newton(oracle, np.zeros(2))


@dataclass(frozen=True)
class Broken(Rows):
    """An oracle whose information is NaN far out, and whose scale does not exist."""

    def at(self, beta: Array, want: Want) -> Local:
        local = Rows.at(self, beta, want)
        bad = np.abs(beta).max() > 0.5 and local.observed is not None
        return replace(local, scale=float("nan"), observed=np.full((3, 3), np.nan) if bad else local.observed)


def test_what_is_not_finite_is_never_stepped_on() -> None:
    oracle = Broken(X, binary(X, 4 * BETA), logistic, 1.0)
    solution = newton(oracle, np.zeros(3))
    assert np.abs(solution.beta).max() <= 0.5
    assert solution.outcome is not Outcome.CONVERGED


def test_a_scale_that_does_not_exist_counts_as_one() -> None:
    oracle = Broken(X, binary(X, 0 * BETA), logistic, 1.0)
    assert newton(oracle, np.zeros(3)).outcome is Outcome.CONVERGED


def test_the_same_question_gives_the_same_answer() -> None:
    first, second = newton(*others()["edge"]), newton(*others()["edge"])
    np.testing.assert_array_equal(first.beta, second.beta)
    assert first.steps == second.steps or np.isnan(first.steps[0].lambda_rho)


@dataclass(frozen=True)
class Blind(Rows):
    """An oracle that cannot bring its expected information."""

    def at(self, beta: Array, want: Want) -> Local:
        local = Rows.at(self, beta, want)
        return local if local.expected is None else replace(local, expected=np.full((3, 3), np.inf))


def test_a_point_that_cannot_be_verified_is_not_called_a_maximum() -> None:
    oracle, start = maxima()["logistic"]
    solution = newton(Blind(oracle.x, oracle.y, oracle.row, 1.0), start)
    assert solution.outcome is Outcome.STALLED


def test_the_counter_is_an_oracle() -> None:
    oracle, start = maxima()["poisson identity"]
    counted = Counted(oracle)
    assert (counted.size, counted.restricted, counted.concordance) == (3, True, 0.0)
    assert counted.along(start, -start, np.array([0.5, 2.0]))[1] == -np.inf
    assert counted.at(-start, Want.VALUE).value == -np.inf
    assert counted.longest(np.eye(3)) > 1
    assert counted.reach(start, -start) == pytest.approx(1.0)
    assert counted.tally == ["along", "at", "longest"]


def test_a_metric_that_overflows_gives_no_direction() -> None:
    factor = cholesky(np.diag([1e-300, 1.0]))
    assert factor is not None
    with np.errstate(over="ignore", invalid="ignore"):
        assert in_metric(np.array([1e200, 1.0]), factor, "observed", Want.VALUE) is None


def test_a_rule_is_shown_the_last_information_only(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[list[bool]] = []
    direction = Newton.direction

    def watched(self: Newton, oracle: Oracle, trail: tuple[Point, ...]) -> Direction:
        shown.append([point.local.observed is not None for point in trail])
        return direction(self, oracle, trail)

    monkeypatch.setattr(Newton, "direction", watched)
    newton(*maxima()["poisson"])
    assert max(map(len, shown)) > 2
    assert all(sum(known) <= 1 for known in shown)
