"""The port of the solvers: what the records hold, and that the oracles of the library keep its promises."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from etamu._base.types import Want
from etamu.solve.direction import FINAL
from etamu.solve.newton import newton
from etamu.solve.oracle import Local, Oracle, Outcome, Solution, Step
from etamu.solve.restricted import Restricted, across
from tests.solve.problems import maxima

NAMES = ("logistic", "gamma log", "poisson identity", "log binomial", "cauchit")
RECORDS = {
    "local": Local(-1.0),
    "step": Step(-1.0, 0.5, 0.1, math.nan, 1.0, "none"),
    "solution": Solution(np.zeros(1), Local(-1.0), Outcome.LIMIT, (), 3),
}


def oracles(name: str) -> list[tuple[Oracle, np.ndarray]]:
    """Return an oracle and the same on a flat through its start, each with a place inside."""
    whole, start = maxima()[name]
    flat = Restricted(whole, start, across(np.arange(1.0, whole.size + 1), whole.extent))
    return [(whole, start), (flat, np.zeros(flat.size))]


def test_a_field_nobody_asked_for_is_none() -> None:
    local = Local(-2.5)
    assert (local.score, local.expected, local.observed) == (None, None, None)


def test_the_unit_of_a_value_is_one_unless_said() -> None:
    assert Local(-2.5).scale == 1.0
    assert Local(-2.5, 3.0).scale == 3.0


@pytest.mark.parametrize("name", RECORDS)
def test_records_cannot_be_written_over(name: str) -> None:
    record = RECORDS[name]
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        setattr(record, dataclasses.fields(record)[0].name, 0.0)


def test_the_record_of_a_step_has_no_room_for_more() -> None:
    assert not hasattr(RECORDS["step"], "__dict__")


@pytest.mark.parametrize("name", NAMES)
def test_values_along_a_line_are_values_at_its_points(name: str) -> None:
    for oracle, beta in oracles(name):
        step = np.linspace(0.02, -0.01, oracle.size)
        ts = np.array([0.0, 0.25, 1.0])
        each = [oracle.at(beta + t * step, Want.VALUE).value for t in ts]
        np.testing.assert_allclose(oracle.along(beta, step, ts), each, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_score_is_the_slope_of_the_value(name: str) -> None:
    for oracle, beta in oracles(name):
        local, small = oracle.at(beta, FINAL), 1e-6
        ends = [
            (oracle.at(beta + small * e, Want.VALUE).value - oracle.at(beta - small * e, Want.VALUE).value)
            for e in np.eye(oracle.size)
        ]
        np.testing.assert_allclose(local.score, np.array(ends) / (2 * small), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_observed_information_is_the_fall_of_the_score(name: str) -> None:
    for oracle, beta in oracles(name):
        small = 1e-6
        falls = []
        for e in np.eye(oracle.size):
            ahead, behind = (oracle.at(beta + s * small * e, FINAL).score for s in (1, -1))
            assert ahead is not None
            assert behind is not None
            falls.append((behind - ahead) / (2 * small))
        np.testing.assert_allclose(oracle.at(beta, FINAL).observed, falls, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", ["poisson identity", "log binomial"])
def test_the_reach_is_the_edge_of_the_domain(name: str) -> None:
    for oracle, beta in oracles(name):
        assert oracle.restricted
        edges = [oracle.reach(beta, sign * np.eye(oracle.size)[0]) for sign in (1.0, -1.0)]
        assert min(edges) < math.inf
        for sign, edge in zip((1.0, -1.0), edges, strict=True):
            step = sign * np.eye(oracle.size)[0]
            if edge < math.inf:
                assert math.isfinite(oracle.at(beta + 0.999999 * edge * step, Want.VALUE).value)
                assert oracle.at(beta + 1.000001 * edge * step, Want.VALUE).value == -math.inf


def test_an_oracle_without_edges_reaches_everywhere() -> None:
    for oracle, beta in oracles("logistic"):
        assert not oracle.restricted
        assert oracle.reach(beta, np.ones(oracle.size)) == math.inf


def test_a_solution_holds_what_was_seen_where_it_ends() -> None:
    oracle, start = maxima()["poisson"]
    solution = newton(oracle, start)
    again = oracle.at(solution.beta, FINAL)
    assert solution.outcome is Outcome.CONVERGED
    assert solution.local.value == again.value
    np.testing.assert_array_equal(solution.local.score, again.score)
    assert solution.steps[0].value == oracle.at(start, Want.VALUE).value


def test_a_solution_counts_every_pass() -> None:
    oracle, start = maxima()["cauchit"]
    assert newton(oracle, start).passes == len(oracle.asked)
