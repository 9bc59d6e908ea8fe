"""Every solver climbs every problem: what converges is a maximum, and what is none is called so.

May import: pytest, numpy, etamu.solve, the problems beside it.
Read next: `problems.py`.
"""

from __future__ import annotations

import numpy as np
import pytest

from etamu.solve.gradient import gradient
from etamu.solve.irls import irls
from etamu.solve.lbfgs import lbfgs
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome
from tests.solve.problems import maxima, others

SOLVERS = {"newton": newton, "irls": irls, "lbfgs": lbfgs, "gradient": gradient}
# Steepest ascent needs some condition number of steps, and says so.
TOO_SLOW = {("gradient", "nearly collinear")}
# Rounding of the value or of eta, not the tolerance, ends these: how far they may be, in standard errors.
FLOOR = {"huge counts": 1e-6, "huge value": 1e-7, "perfect": np.inf, "perfect gamma": np.inf}
EXPECTED = {
    "separated": {Outcome.INFINITE},
    "quasi-separated": {Outcome.INFINITE},
    "separated, fast tail": {Outcome.INFINITE},
    "separated, slow tail": {Outcome.INFINITE},
    "a group of zeros": {Outcome.INFINITE},
    "all zeros": {Outcome.INFINITE},
    "edge": {Outcome.BOUNDARY, Outcome.STALLED},  # first-order searches jam into edges
    "edge, zeros": {Outcome.BOUNDARY, Outcome.STALLED},
    "edge, all ones": {Outcome.BOUNDARY},  # no information at all, the edge is the answer
    "cut quadratic": {Outcome.BOUNDARY},
    "outside": {Outcome.INFEASIBLE},
    "saddle": {Outcome.STATIONARY},
    "collinear": {Outcome.STATIONARY},
}


@pytest.mark.parametrize("problem", maxima())
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_reaches_a_verified_maximum(solver: str, problem: str) -> None:
    oracle, start = maxima()[problem]
    limit = {"limit": 300} if solver == "gradient" else {}
    solution = SOLVERS[solver](oracle, start, **limit)
    if (solver, problem) in TOO_SLOW:
        assert solution.outcome is Outcome.LIMIT
        return
    assert solution.outcome is Outcome.CONVERGED
    local = solution.local
    assert local.score is not None
    assert local.expected is not None
    assert local.observed is not None
    assert solution.passes == len(oracle.asked)
    if oracle.size and problem not in FLOOR:
        error2 = local.score @ np.linalg.solve(local.observed, local.score) / local.scale
        assert error2 <= 1e-18


@pytest.mark.parametrize("problem", [name for name in maxima() if name != "nearly collinear"])
def test_all_solvers_agree(problem: str) -> None:
    solutions = [solve(*maxima()[problem]) for solve in SOLVERS.values()]
    first = solutions[0]
    if first.beta.size == 0:
        assert all(solution.beta.size == 0 for solution in solutions)
        return
    assert first.local.observed is not None
    unit = np.sqrt(np.diag(np.linalg.inv(first.local.observed)) * max(first.local.scale, 1e-24))
    for solution in solutions[1:]:
        assert np.max(np.abs(solution.beta - first.beta) / unit) <= FLOOR.get(problem, 3e-9)


@pytest.mark.parametrize("problem", ["perfect", "perfect gamma"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_perfect_fit_is_found_to_the_last_digits(solver: str, problem: str) -> None:
    solution = SOLVERS[solver](*maxima()[problem])
    np.testing.assert_allclose(solution.beta, [0.3, -0.5, 0.2], rtol=0, atol=1e-13)


@pytest.mark.parametrize("problem", others())
@pytest.mark.parametrize("solver", SOLVERS)
def test_no_solver_calls_anything_else_converged(solver: str, problem: str) -> None:
    oracle, start = others()[problem]
    solution = SOLVERS[solver](oracle, start)
    allowed = EXPECTED[problem]
    if solver in {"newton", "irls"}:
        allowed = allowed - {Outcome.STALLED}
    assert solution.outcome in allowed
    assert solution.passes == len(oracle.asked)


def test_the_best_point_of_an_edge_is_found() -> None:
    # Reference: Nelder-Mead to 1e-12 on the same rows; the maximum has x = 3.5 at probability one.
    solution = newton(*others()["edge"])
    assert solution.local.value == pytest.approx(-3.16275631, abs=1e-6)
    np.testing.assert_allclose(solution.beta, [-0.9359918, 0.26742623], atol=1e-4)


def test_a_known_maximum_is_found() -> None:
    # One group: the log of the mean, its information n times the mean.
    oracle, start = maxima()["constant"]
    solution = newton(oracle, start)
    assert solution.beta[0] == pytest.approx(np.log(3.0), abs=1e-14)
    assert solution.local.observed is not None
    assert solution.local.observed[0, 0] == pytest.approx(360.0, rel=1e-12)
