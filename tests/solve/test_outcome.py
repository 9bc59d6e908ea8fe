"""Every outcome has its sentence and a problem that provokes it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

import etamu as em
from etamu._base.types import Array, Want
from etamu.solve.lbfgs import lbfgs
from etamu.solve.newton import newton
from etamu.solve.oracle import Local, Outcome, Solution
from tests.solve.problems import Rows, maxima, others


@dataclass(frozen=True)
class Upside(Rows):
    """An oracle whose score points downhill: no step can raise the value."""

    def at(self, beta: Array, want: Want) -> Local:
        local = Rows.at(self, beta, want)
        return local if local.score is None else replace(local, score=-local.score)


def stalled() -> Solution:
    oracle, start = maxima()["logistic"]
    return newton(Upside(oracle.x, oracle.y, oracle.row, 1.0), start)


def beyond_float64() -> Solution:
    """Fit columns whose terms, of 1e22, leave an eta of 1e-12."""
    data = {"y": [1e-10, 8e5, 40.0], "x": [-3e-14, -7e-13, -1e-12], "z": [2017.0, 2008.0, 2015.0]}
    with pytest.warns(em.ConvergenceWarning, match="too few digits"):
        return em.glm("y ~ x + z", data, family="gamma", link="inverse_squared").solution


PROVOKED = {
    Outcome.CONVERGED: lambda: newton(*maxima()["logistic"]),
    Outcome.STATIONARY: lambda: newton(*others()["saddle"]),
    Outcome.INFINITE: lambda: newton(*others()["separated"]),
    Outcome.BOUNDARY: lambda: newton(*others()["edge"]),
    Outcome.INFEASIBLE: lambda: newton(*others()["outside"]),
    Outcome.LIMIT: lambda: newton(*maxima()["logistic"], limit=2),
    Outcome.STALLED: stalled,
    Outcome.PRECISION: beyond_float64,
}


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_can_happen(outcome: Outcome) -> None:
    assert PROVOKED[outcome]().outcome is outcome


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_one_sentence_of_advice(outcome: Outcome) -> None:
    assert outcome.advice.endswith(".")
    assert outcome.advice.count(".") == 1


def test_a_search_cut_short_still_brings_a_complete_exact_pass() -> None:
    for solution in (newton(*maxima()["logistic"], limit=2), lbfgs(*others()["separated"], limit=3)):
        assert solution.outcome is Outcome.LIMIT
        assert solution.local.observed is not None
        assert solution.local.expected is not None


def test_an_exhausted_limit_at_the_maximum_is_no_failure() -> None:
    oracle, start = maxima()["logistic"]
    arrived = newton(oracle, start).beta
    assert newton(oracle, arrived, limit=0).outcome is Outcome.CONVERGED


def test_infinite_is_said_before_the_numbers_overflow() -> None:
    solution = newton(*others()["separated"])
    assert np.all(np.abs(solution.beta) < 100)
    assert len(solution.steps) < 40


def test_the_hidden_saddle_is_left_when_the_start_is_not_exactly_on_it() -> None:
    oracle, start = others()["saddle"]
    solution = newton(oracle, start + 1e-3)
    assert solution.outcome is Outcome.CONVERGED
    assert solution.beta[0] == pytest.approx(1.0, abs=1e-9)
