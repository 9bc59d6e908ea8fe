"""Steps bent by a part of the sum save a pass and change no answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from etamu._base.types import Array, Want
from etamu.solve.direction import FINAL, Direction, Point, in_metric
from etamu.solve.newton import STEP, newton
from etamu.solve.oracle import Local, Outcome
from etamu.solve.surrogate import SHARE, Surrogate, bent, surrogate
from tests.solve.problems import Row, Rows, gamma_log, least_squares, logistic, poisson_log

ROWS = {"logistic": logistic, "poisson": poisson_log, "gamma log": gamma_log}


def weighed(row: Row, times: float) -> Row:
    """Let every row count several times."""
    return lambda eta, y: tuple(times * part for part in row(eta, y))  # type: ignore[return-value]


def drawn(name: str = "logistic", n: int = 40_000, every: int = 10, seed: int = 0) -> tuple[Rows, Rows]:
    """Return a sum over many rows, and every tenth of them, weighted to stand for all."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.standard_normal((n, 4))])
    eta = x @ np.array([-0.5, 0.4, -0.3, 0.2, 0.1])
    y = {
        "logistic": lambda: (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float),
        "poisson": lambda: rng.poisson(np.exp(eta)).astype(float),
        "gamma log": lambda: rng.gamma(2.0, 0.5 * np.exp(eta)),
        "gaussian": lambda: eta + rng.standard_normal(n),
    }[name]()
    row = {**ROWS, "gaussian": least_squares}[name]
    whole = Rows(x, y, row, 0.0 if name == "gaussian" else 1.0, dear=True)
    return whole, Rows(x[::every], y[::every], weighed(row, float(every)), whole.concordance)


def nearby(part: Rows) -> Array:
    """Begin where the part has its maximum."""
    return newton(replace(part, asked=[], dear=False), np.zeros(5)).beta


def newton_step(whole: Rows, beta: Array) -> tuple[Point, Direction]:
    here = Point(beta, whole.at(beta, STEP))
    assert here.local.metric is not None
    direction = in_metric(here.score, here.local.metric, "observed", STEP)
    assert direction is not None
    return here, direction


def distance(whole: Rows, beta: Array, best: Array) -> float:
    matrix = whole.at(best, FINAL).observed
    return float(np.sqrt((beta - best) @ (matrix @ (beta - best))))


@pytest.mark.parametrize("name", ROWS)
def test_of_what_newton_leaves_a_part_leaves_the_share_by_which_it_errs(name: str) -> None:
    whole, part = drawn(name)
    best = newton(whole, np.zeros(5)).beta
    beta = nearby(part) + 0.05
    here, direction = newton_step(whole, beta)
    found = bent(part, here, direction)
    assert found is not None
    assert distance(whole, beta + found, best) < 0.25 * distance(whole, beta + direction.step, best)


def test_the_whole_as_its_own_part_leads_to_the_maximum() -> None:
    whole, _ = drawn()
    best = newton(whole, np.zeros(5)).beta
    here, direction = newton_step(whole, best + 0.05)
    found = bent(whole, here, direction)
    assert found is not None  # chords, ended where a tenth of what they changed is left
    left = distance(whole, best + 0.05 + direction.step, best)
    assert distance(whole, best + 0.05 + found, best) < 0.15 * left


def test_the_surrogate_has_value_score_and_information_of_all_rows_where_it_begins() -> None:
    # Its score is g + g_part(beta + d) - g_part(beta) - (H - H_part) d: at d = 0 that of all rows, and so
    # its slope there. `bent` ends where it vanishes.
    whole, part = drawn("poisson")
    beta, width = nearby(part) + 0.05, 1e-6
    all_rows, some = whole.at(beta, FINAL), part.at(beta, FINAL)

    def score(d: Array) -> Array:
        there = part.at(beta + d, Want.SCORE | Want.VALUE).score
        return all_rows.score + there - some.score - (all_rows.observed - some.observed) @ d

    np.testing.assert_allclose(score(np.zeros(5)), all_rows.score)
    slope = np.column_stack([(score(-b) - score(b)) / (2 * width) for b in width * np.eye(5)])
    np.testing.assert_allclose(slope, all_rows.observed, rtol=1e-5, atol=1e-5 * np.abs(slope).max())
    here, direction = newton_step(whole, beta)
    found, metric = bent(part, here, direction), here.local.metric
    assert found is not None
    assert metric is not None
    left, before = (float(s @ metric.solve(s)) for s in (score(found), score(direction.step)))
    assert left < 0.05**2 * before


@pytest.mark.parametrize("name", [*ROWS, "gaussian"])
def test_the_answer_is_newtons_and_takes_no_more_passes(name: str) -> None:
    whole, part = drawn(name)
    start = nearby(part)
    mine = surrogate(replace(whole, asked=[]), start, part)
    theirs = newton(replace(whole, asked=[]), start)
    assert mine.outcome is theirs.outcome is Outcome.CONVERGED
    assert distance(whole, mine.beta, theirs.beta) < 1e-9
    assert mine.passes <= theirs.passes
    exact = whole.at(mine.beta, FINAL)
    assert mine.local.value == pytest.approx(exact.value, rel=1e-12)
    np.testing.assert_allclose(mine.local.observed, exact.observed, rtol=1e-6)


def test_a_pass_is_saved_and_three_are_enough() -> None:
    whole, part = drawn(n=200_000, every=20, seed=1)
    start = nearby(part)
    mine, theirs = surrogate(whole, start, part), newton(whole, start)
    # The second step needs no bending: Newton's own ends where an exact pass proves the maximum.
    assert [step.information for step in mine.steps[:2]] == ["surrogate", "observed"]
    assert (mine.passes, theirs.passes) == (3, 4)


@pytest.mark.parametrize(("far", "want"), [(30.0, STEP), (0.3, Want.VALUE | Want.SCORE)])
def test_a_metric_is_kept_where_one_more_step_in_it_arrives(far: float, want: Want) -> None:
    whole, part = drawn("poisson", n=200_000, every=20)
    beta = newton(whole, np.zeros(5)).beta
    matrix = whole.at(beta, FINAL).observed
    away = beta + far * np.ones(5) * np.sqrt(5.0 / (np.ones(5) @ (matrix @ np.ones(5))))
    here = Point(away, whole.at(away, STEP))
    direction = Surrogate(part).direction(whole, (here,))
    assert direction.information in {"surrogate", "observed"}
    assert direction.want == want


class Wrong(Rows):
    """A part whose score, past where it is first asked, is not that of its sum."""

    def at(self, beta: Array, want: Want) -> Local:
        seen = super().at(beta, want)
        if Want.CURVATURE in want:
            return seen
        return replace(seen, score=seen.score * self.groups_factor)

    @property
    def groups_factor(self) -> float:
        return float("nan") if self.noise else -3.0


@pytest.mark.parametrize("noise", [0.0, 1.0], ids=["astray", "not finite"])
def test_a_part_that_leads_astray_is_not_believed(noise: float) -> None:
    whole, part = drawn()
    wrong = Wrong(part.x, part.y, part.row, part.concordance, noise=noise)
    start = nearby(part)
    here, direction = newton_step(whole, start)
    assert bent(wrong, here, direction) is None
    mine = surrogate(whole, start, wrong)
    assert {step.information for step in mine.steps} <= {"observed", "kept"}
    assert distance(whole, mine.beta, newton(whole, start).beta) < 1e-9


def test_a_step_is_never_further_from_newtons_than_its_share_and_goes_uphill() -> None:
    whole, _ = drawn("poisson", n=2000)
    for far in (0.2, 0.5, 1.0, 2.0):
        here, direction = newton_step(whole, np.full(5, far))
        found = bent(whole, here, direction)
        if found is not None:
            changed = found - direction.step
            assert changed @ here.local.observed @ changed <= SHARE**2 * direction.slope
            assert here.score @ found >= (1 - SHARE) * direction.slope


@pytest.mark.parametrize("far", [3.0, -3.0])
def test_from_a_bad_start_it_arrives_as_newton_does(far: float) -> None:
    whole, part = drawn("poisson", n=4000)
    mine = surrogate(whole, np.full(5, far), part)
    assert mine.outcome is Outcome.CONVERGED
    assert distance(whole, mine.beta, newton(whole, np.zeros(5)).beta) < 1e-9


def test_of_a_quadratic_a_part_sees_nothing_more() -> None:
    whole, part = drawn("gaussian")
    here, direction = newton_step(whole, nearby(part) + 0.05)
    assert Surrogate(part).direction(whole, (here,)).information == direction.information == "observed"
    found = surrogate(replace(whole, asked=[]), nearby(part), part)
    assert found.outcome is Outcome.CONVERGED
    assert found.passes == 2


@pytest.mark.parametrize("name", ROWS)
def test_without_a_bound_of_the_third_derivative_steps_are_bent_as_well(name: str) -> None:
    whole, part = drawn(name)
    bounded = surrogate(whole, nearby(part), part)
    unbounded = replace(whole, concordance=0.0, asked=[])
    found = surrogate(unbounded, nearby(part), replace(part, concordance=0.0))
    assert found.outcome is Outcome.CONVERGED
    assert found.passes <= bounded.passes
    best = newton(replace(whole, dear=False), found.beta).beta
    assert distance(whole, found.beta, best) < 1e-9
