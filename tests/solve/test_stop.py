"""Each part of the rule of convergence, alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from etamu._base.types import Array, Want
from etamu.solve.direction import FINAL, Direction, Point, in_metric
from etamu.solve.factor import cholesky
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome, Step
from etamu.solve.stop import MANY, _exact, bound, examine, final, landed, near, predicted, relative
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


def test_where_the_largest_row_is_known_the_free_bound_is_sharper_and_still_bounds() -> None:
    oracle, _ = maxima()["wide"]
    solution = newton(*maxima()["wide"])
    assert solution.local.observed is not None
    direction = Direction(np.ones(20), 1.0, "observed", cholesky(solution.local.observed))
    free = bound(direction, oracle)
    sharp = bound(direction, replace(oracle, breadth=oracle.girth()))
    longest = math.sqrt(oracle.longest(np.linalg.inv(solution.local.observed)))
    assert longest <= sharp * (1 + 1e-12) < free


def test_the_norm_of_a_direction_bounds_the_largest_eigenvalue() -> None:
    rng = np.random.default_rng(4)
    for size in (1, 3, 40):
        root = rng.normal(size=(size + 5, size))
        norm = Direction(np.ones(size), 1.0, "observed", cholesky(root.T @ root)).norm
        largest = 1.0 / np.linalg.eigvalsh(root.T @ root)[0]
        assert largest <= norm * (1 + 1e-9)
        assert norm <= largest * size ** (1 / 8) * (1 + 1e-9)  # (sum of 8th powers of the eigenvalues)^(1/8)
    assert Direction(np.ones(1), 1.0).norm == math.inf


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


def test_what_a_surrogate_leaves_goes_with_the_square() -> None:
    past = replace(step(1.0), information="surrogate")
    left = predicted([past], direction(1e-4, "surrogate"), 0.0, 0.0)
    assert left == pytest.approx(1e-4 / (1 - 1e-4) * 1e-2)
    after_newton = predicted([step(1.0)], direction(1e-4, "surrogate"), 0.0, 0.0)
    assert after_newton == pytest.approx(1e-2 / 0.99 * 1e-2)


def test_where_passes_are_dear_no_exact_one_is_spent_short_of_the_proof_while_steps_gain() -> None:
    oracle, start = maxima()["logistic"]
    oracle = replace(oracle, dear=True, concordance=1.0, x=oracle.x * 1e3)  # rows that reach far
    here, past = at(oracle, start), [step(1e-6), replace(step(1e-8), information="kept")]
    kept = direction(0.5e-10, "kept")  # small enough for rule 2, predicted to leave a fourteenth
    assert near(replace(oracle, dear=False), here, kept, past, 1e-9)
    assert not near(oracle, here, kept, past, 1e-9)
    slow = direction(0.9e-10, "kept"), [step(1e-6), replace(step(1e-10), information="kept")]
    assert near(oracle, here, *slow, 1e-9)  # nothing is gained any more: that is rounding


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


def errors(oracle: Rows, beta: Array) -> Array:
    local = oracle.at(beta, FINAL)
    assert local.observed is not None
    return np.sqrt(local.scale * np.diag(np.linalg.inv(local.observed)))


def dearly(name: str) -> tuple[Rows, Array]:
    oracle, start = maxima()[name]
    return replace(oracle, dear=True, asked=[]), start


PROVED = [name for name, (oracle, _) in maxima().items() if oracle.concordance > 0 and not oracle.noise]


@pytest.mark.parametrize("name", PROVED)
def test_a_last_step_taken_unseen_ends_at_the_maximum(name: str) -> None:
    exact, start = maxima()[name]
    best = newton(exact, start)
    oracle, start = dearly(name)
    solution = newton(oracle, start)
    assert solution.outcome is best.outcome
    assert solution.passes <= best.passes + 1  # a look too many where what was seen proved nothing
    if not len(start):
        return
    assert np.all(np.abs(solution.beta - best.beta) <= 1e-9 * errors(oracle, best.beta))
    # What is said to be there is there: the value to its rounding, the score as small as it is said to be.
    there = oracle.at(solution.beta, FINAL)
    assert solution.local.value == pytest.approx(there.value, rel=1e-13, abs=1e-12)
    np.testing.assert_allclose(
        solution.local.observed, there.observed, rtol=1e-6, atol=1e-7 * np.abs(there.observed).max()
    )


def test_the_step_taken_unseen_saves_a_pass() -> None:
    saved = [newton(*maxima()[name]).passes - newton(*dearly(name)).passes for name in PROVED]
    assert max(saved) == 1
    assert sum(saved) > 0


def test_only_what_is_proved_is_taken_unseen() -> None:
    oracle, start = maxima()["logistic"]
    best = newton(oracle, start).beta
    error = errors(oracle, best)
    dear = replace(oracle, dear=True)
    short, long = (at(oracle, best + distance * error) for distance in (2e-8, 1e-4))
    taken = examine(dear, short, [], 1e-9, stuck=False)
    assert taken.outcome is Outcome.CONVERGED
    assert taken.polish is not None
    end = landed(short, taken.polish)
    assert np.all(np.abs(end.beta - best) < 1e-9 * error)
    assert end.local.value == pytest.approx(oracle.value(end.beta), rel=1e-14)
    assert np.abs(end.local.score).max() < 1e-8 * np.abs(short.local.score).max()
    # Too far, where passes are not dear, and where nothing bounds the third derivative, it is not.
    assert examine(dear, long, [], 1e-9, stuck=False).outcome is None
    assert examine(oracle, short, [], 1e-9, stuck=False).outcome is None
    assert examine(replace(dear, concordance=0.0), short, [], 1e-9, stuck=False).outcome is None


def treated(rows: int = 400, seed: int = 5) -> tuple[Array, Array]:
    """A constant, a number and two treatment-coded factors; which columns exclude each other."""
    rng = np.random.default_rng(seed)
    first, second = np.eye(6)[rng.integers(0, 6, rows)][:, 1:], np.eye(4)[rng.integers(0, 4, rows)][:, 1:]
    x = np.column_stack([np.ones(rows), rng.normal(size=rows), first, second])
    return x, np.array([0, 1, *[20] * 5, *[30] * 3])


@pytest.mark.parametrize("seed", range(5))
def test_the_bound_by_groups_is_tighter_and_still_a_bound(seed: int) -> None:
    x, groups = treated(seed=seed)
    plain = Rows(x, binary(x, np.zeros(10), seed), logistic, 1.0)
    solution = newton(plain, np.zeros(10))
    assert solution.local.observed is not None
    covariance = np.linalg.inv(solution.local.observed)
    direction = Direction(np.ones(10), 1.0, "observed", cholesky(solution.local.observed))
    exact = plain.longest(covariance)
    grouped = bound(direction, replace(plain, groups=groups)) ** 2  # type: ignore[arg-type]
    assert exact <= grouped < bound(direction, plain) ** 2
    # Order and numbering of the groups are of no consequence.
    shuffled = np.random.default_rng(seed).permutation(10)
    turned = Direction(np.ones(10), 1.0, "observed", cholesky(solution.local.observed[shuffled][:, shuffled]))
    mixed = replace(plain, x=x[:, shuffled], groups=-groups[shuffled])  # type: ignore[arg-type]
    assert bound(turned, mixed) ** 2 == pytest.approx(grouped)


def test_the_bound_by_girth_is_above_the_exact_length() -> None:
    x, _ = treated()
    oracle = Rows(x, binary(x, np.zeros(10)), logistic, 1.0, dear=True)
    best = newton(oracle, np.zeros(10)).beta
    covariance = np.linalg.inv(oracle.at(best, FINAL).observed)  # type: ignore[arg-type]
    near_ = at(oracle, best + 1e-12 * np.sqrt(np.diag(covariance)))
    assert near_.local.metric is not None
    newton_step = in_metric(near_.score, near_.local.metric, "observed", FINAL)
    assert newton_step is not None
    oracle.asked.clear()
    by_girth = _exact(oracle, newton_step)
    assert oracle.asked == ["girth"]  # it decides, and the pass of p^2 per row is saved
    assert math.sqrt(newton_step.slope * oracle.longest(covariance)) <= by_girth * (1 + 1e-9)
    # Where it does not decide, the exact length is asked.
    far = at(oracle, best + np.sqrt(np.diag(covariance)))
    assert far.local.metric is not None
    step_ = in_metric(far.score, far.local.metric, "observed", FINAL)
    assert step_ is not None
    oracle.asked.clear()
    rho = np.sqrt(step_.slope * oracle.longest(np.linalg.inv(far.local.observed)))  # type: ignore[arg-type]
    assert _exact(oracle, step_) == pytest.approx(rho)
    assert oracle.asked == ["longest", "girth", "longest"]


@pytest.mark.parametrize("name", others())
def test_where_passes_are_dear_what_is_no_maximum_is_still_none(name: str) -> None:
    oracle, start = others()[name]
    plain, dear = newton(oracle, start), newton(replace(oracle, dear=True, wide=True), start)
    assert dear.outcome is plain.outcome


def test_a_contraction_that_was_seen_stands_for_a_bound() -> None:
    oracle, start = maxima()["logistic"]
    best = newton(oracle, start).beta
    unbounded = replace(oracle, dear=True, concordance=0.0)
    short = at(unbounded, best + 2e-8 * errors(oracle, best))
    assert short.local.metric is not None
    newton_step = in_metric(short.score, short.local.metric, "observed", FINAL)
    assert newton_step is not None
    swift, slow = (step(newton_step.slope * times**2) for times in (1e6, 1e2))
    taken = examine(unbounded, short, [], 1e-9, stuck=False, steps=[swift])
    assert taken.outcome is Outcome.CONVERGED
    assert taken.polish is not None
    assert np.all(np.abs(landed(short, taken.polish).beta - best) < 1e-9 * errors(oracle, best))
    # Not where the step before was slower, was cut, or had no metric, and not where passes are cheap.
    for last in (slow, replace(swift, length=0.5), replace(swift, information="none")):
        assert examine(unbounded, short, [], 1e-9, stuck=False, steps=[last]).outcome is None
    assert (
        examine(replace(unbounded, dear=False), short, [], 1e-9, stuck=False, steps=[swift]).outcome is None
    )


@pytest.mark.parametrize("name", [name for name, (oracle, _) in maxima().items() if not oracle.noise])
def test_without_a_bound_a_step_taken_unseen_ends_at_the_maximum(name: str) -> None:
    exact, start = maxima()[name]
    if not len(start):
        return
    best = newton(replace(exact, concordance=0.0), start)
    solution = newton(replace(exact, concordance=0.0, dear=True), start)
    assert solution.outcome is best.outcome
    rounding = 1e-15 * np.abs(best.beta)  # of coefficients, where the fit is perfect
    assert np.all(np.abs(solution.beta - best.beta) <= 2e-9 * errors(exact, best.beta) + rounding)


def test_a_bent_step_of_something_unbounded_is_not_yet_followed_by_an_exact_pass() -> None:
    oracle, start = maxima()["logistic"]
    unbounded = replace(oracle, dear=True, concordance=0.0)
    here = at(unbounded, start)
    assert near(unbounded, here, direction(1e2), [], 1e-9)  # perhaps a quadratic
    assert not near(unbounded, here, direction(1e2, "surrogate"), [], 1e-9)
    bent = replace(step(1e2), information="surrogate")
    assert near(unbounded, here, direction(1e-3, "surrogate"), [bent], 1e-9)
    assert not near(unbounded, here, direction(10.0, "surrogate"), [bent], 1e-9)


@pytest.mark.parametrize(
    ("size", "angle", "whole"), [(MANY, 0.0, False), (MANY + 1, 0.0, True), (200, 0.97, False)]
)
def test_an_exact_pass_may_sum_whole_numbers_of_many_columns_at_wide_angles(
    size: int, angle: float, whole: bool
) -> None:
    matrix = np.eye(size)
    matrix[0, 1] = matrix[1, 0] = angle
    direction = in_metric(np.ones(size), cholesky(matrix), "observed", FINAL)
    oracle = Rows(np.ones((1, size)), np.ones(1), logistic)
    assert direction is not None
    assert final(oracle, direction) == (FINAL | Want.WHOLE if whole else FINAL)
    assert final(oracle, Direction(np.ones(size), 1.0)) == FINAL
