"""The rough maximum of a sample: a ridge that always leaves one, an end within the decrement asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.types import Want
from etamu.solve.factor import cholesky
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome
from etamu.solve.pilot import Ridged, rough
from tests.solve.problems import BETA, Rows, X, binary, broad, cauchit, logistic, maxima, others

ALL = Want.VALUE | Want.SCORE | Want.EXPECTED | Want.OBSERVED
STRENGTH = np.array([0.0, 2.0, 0.5])


def ridged() -> tuple[Rows, Ridged]:
    plain = Rows(X, binary(X, BETA), logistic, 1.0)
    return plain, Ridged(plain, STRENGTH)


def test_the_ridge_is_taken_from_value_score_and_information():
    plain, less = ridged()
    beta = np.array([0.3, -0.7, 1.1])
    mine, theirs = less.at(beta, ALL), plain.at(beta, ALL)
    assert mine.value == pytest.approx(theirs.value - 0.5 * (2.0 * 0.49 + 0.5 * 1.21))
    assert_allclose(mine.score, theirs.score - [0.0, -1.4, 0.55])
    assert_allclose(mine.observed, theirs.observed + np.diag(STRENGTH))
    assert_allclose(mine.expected, theirs.expected + np.diag(STRENGTH))
    none = less.at(beta, Want.VALUE)
    assert (none.score, none.expected, none.observed) == (None, None, None)


def test_the_ridged_derivatives_are_those_of_the_ridged_value():
    _, less = ridged()
    beta, width = np.array([0.3, -0.7, 1.1]), 1e-5
    bumps = np.eye(3) * width
    local = less.at(beta, ALL)
    slopes = [(less.at(beta + b, ALL).value - less.at(beta - b, ALL).value) / (2 * width) for b in bumps]
    bends = [(less.at(beta - b, ALL).score - less.at(beta + b, ALL).score) / (2 * width) for b in bumps]
    assert_allclose(local.score, slopes, rtol=1e-7)
    assert_allclose(local.observed, bends, rtol=1e-7)
    ts = np.array([0.0, 0.5, 2.0])
    step = np.array([1.0, -1.0, 0.5])
    assert_allclose(less.along(beta, step, ts), [less.at(beta + t * step, ALL).value for t in ts])


def test_what_the_ridge_does_not_touch_is_the_oracles():
    plain, less = ridged()
    names = ("size", "concordance", "restricted", "dear", "wide", "groups")
    assert all(getattr(plain, name) == getattr(less, name) for name in names)
    assert np.array_equal(plain.extent, less.extent)
    assert less.girth() == plain.girth()
    assert less.longest(np.eye(3)) == plain.longest(np.eye(3))
    assert less.reach(np.zeros(3), np.ones(3)) == plain.reach(np.zeros(3), np.ones(3))


@pytest.mark.parametrize("decrement", [1.0, 1e-2, 1e-6])
def test_the_end_is_a_newton_step_beyond_the_decrement(decrement):
    _, less = ridged()
    found = rough(less.oracle, np.zeros(3), STRENGTH, decrement)
    assert found is not None
    beta, metric = found
    there = less.at(beta, ALL)
    left = there.score @ np.linalg.solve(there.observed, there.score)
    assert left < decrement  # Newton squares what was at most the decrement before its step
    best = newton(less, np.zeros(3)).beta
    assert (beta - best) @ there.observed @ (beta - best) < decrement
    # the metric is that of the point before, whose distance from the maximum Newton squared
    exact = cholesky(less.at(best, ALL).observed)
    ratio = metric.solve(there.score + 1.0) / exact.solve(there.score + 1.0)
    assert_allclose(ratio, 1.0, atol=3.0 * decrement**0.25)


def test_what_newtons_rate_promises_need_not_be_seen():
    _, less = ridged()
    beta, looks = np.zeros(3), 1
    while True:
        there = less.at(beta, ALL)
        step = np.linalg.solve(there.observed, there.score)
        if there.score @ step <= 1e-2:
            break
        beta, looks = beta + step, looks + 1
    asked = len(less.oracle.asked)
    rough(less.oracle, np.zeros(3), STRENGTH, 1e-2)
    assert len(less.oracle.asked) - asked == looks - 1


@pytest.mark.parametrize("name", ["separated", "quasi-separated", "separated, fast tail"])
def test_a_separated_sample_ends_where_the_ridge_holds_it(name):
    oracle, start = others()[name]
    strength = np.array([0.0, 1.0])
    assert newton(oracle, start).outcome is Outcome.INFINITE
    found = rough(oracle, start, strength, 1e-3)
    assert found is not None
    beta = found[0]
    local = Ridged(oracle, strength).at(beta, ALL)
    assert np.all(np.isfinite(beta))
    assert np.all(np.abs(beta) < 20.0)
    assert local.score @ np.linalg.solve(local.observed, local.score) < 1e-3


def test_what_is_no_help_is_none():
    oracle, start = others()["outside"]
    assert rough(oracle, start, np.zeros(2), 1e-3) is None  # no value where it begins
    assert rough(*others()["separated"], np.zeros(2), 1e-30) is None  # never arrives: no ridge, and a limit


def test_passes_are_few():
    oracle, start = maxima()["poisson log" if "poisson log" in maxima() else "logistic"]
    rough(oracle, start, np.zeros(oracle.size), 0.05 * oracle.size)
    assert len(oracle.asked) <= 6


def test_without_a_metric_the_search_goes_on_or_gives_up_but_never_runs_wild():
    oracle = Rows(np.ones((5, 1)), np.array([0.0, 0.0, 1.0, 1.0, 1.0]), cauchit, 1.0)
    found = rough(oracle, np.array([9.0]), np.zeros(1), 1e-2)
    best = newton(oracle, np.array([9.0])).beta
    assert found is None or abs(found[0][0] - best[0]) < 0.5


@pytest.mark.parametrize("shared", [0.0, 0.8], ids=["wide angles", "nearly dependent"])
def test_the_start_is_looked_at_with_few_digits_where_those_show_wide_angles(shared: float) -> None:
    oracle, start = broad(shared)
    found = rough(oracle, start, np.ones(60), 1e-3)
    coarse = ["COARSE" in asked for asked in oracle.asked]
    assert coarse[:2] == [True, shared == 0.0 and coarse[1]]
    assert any(coarse[1:]) <= (shared == 0.0)
    best = newton(replace(oracle, asked=[]), start)
    assert found is not None
    assert_allclose(found[0], best.beta, atol=0.05)
