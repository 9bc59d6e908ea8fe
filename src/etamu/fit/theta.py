"""The negative binomial with theta estimated: one maximum over the coefficients and alpha = 1/theta.

May import: everything below `fit`.
Read next: `etamu.fit.theta_climb` for one point of the climb, `etamu.fit.theta_profile` for the profile.

Where passes are dear the solver climbs from nearby in the coefficients and log alpha at once
(`etamu.fit.theta_joint`). Else, and where that ends at no maximum, the coefficients are fitted at each alpha;
the profile's derivative in alpha is then that of the likelihood, by the envelope theorem, and its second
derivative l_aa + c' H^-1 c with c the mixed derivative. A Newton step in log alpha takes the coefficients
along, beta + H^-1 c (change of alpha), so that the next fit starts where it ends but for second order. Alpha,
not theta, because the Poisson limit alpha = 0 is a point like any other: there the score is
sum w ((y - mu)^2 - y) / 2, and its sign says on which side the maximum is.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from functools import partial

import numpy as np

from etamu._base.errors import ConvergenceWarning, DataError
from etamu._base.types import Array
from etamu.execute.threads import DEAR, worthwhile
from etamu.fit.caller import user_level
from etamu.fit.estimate import conclude
from etamu.fit.overdispersion import Bend, counts_of, joint_information, squares, without
from etamu.fit.pilot import ENOUGH
from etamu.fit.problem import Problem
from etamu.fit.result import Fit
from etamu.fit.shape import Shape
from etamu.fit.stage import Stage, prepare
from etamu.fit.theta_climb import Climb, Point, newton_step, unit_at
from etamu.fit.theta_joint import together
from etamu.fit.theta_profile import traced
from etamu.solve.oracle import Outcome

FAMILY = "negative_binomial"
"""The family that was asked for, also where the fit ends at its Poisson limit."""
MOST = 60
"""Values of alpha at which the coefficients are fitted, at most."""
SETTLED = 1e-9
"""The step in log alpha, in its standard errors, that is no step any more."""
NEARLY = 1e-4
"""Where passes are dear, a step of so many standard errors is the last one."""
ROUGH = 1e-2
"""The same while the means are held."""
LOOKS = 12
"""So often at most."""
FLOOR = 1e-8
"""Alpha times the mean count below which the sign of the score at 0 decides."""
ELSEWHERE = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Alpha times the mean count where another maximum is looked for, if none is near the Poisson limit."""

POISSON = (
    "theta is infinite: the counts vary no more than Poisson counts with these means would, and the "
    "likelihood rises to its Poisson limit; coefficients, standard errors, log-likelihood and AIC are those "
    "of the Poisson fit"
)


def estimate_theta(problem: Problem) -> Fit:
    """Fit a negative binomial model and its theta by maximum likelihood.

    Raises
    ------
    DataError
        If no row counts, or every count is 0.
    """
    refuse_nothing(problem, "theta")
    # The Poisson unit: it has the same rows, columns and starts as the negative binomial one.
    problem = replace(problem, unit=unit_at(problem, 0.0))
    with worthwhile(problem.chunk.cells, problem.layout.width):
        stage = prepare(problem)
        climb, part = Climb(problem, stage, counts_of(stage.chunk)), _part(problem, stage)
        warm = None if part is None else _pilot(part)
        return _finished(climb, search(climb, warm, part=part))


def refuse_nothing(problem: Problem, name: str) -> None:
    """Refuse rows from which no shape can be estimated.

    Raises
    ------
    DataError
        If no row has a positive weight, or every response among those is 0.
    """
    if not problem.counted.any():
        raise DataError("no row has a positive weight: there is nothing to fit; check weights and trials")
    if not problem.chunk.y[0][problem.counted].any():
        raise DataError(
            f"every response is 0, so nothing tells what {name} is: give it, or check the response"
        )


def _part(problem: Problem, stage: Stage) -> Climb | None:
    """Return a sample of the rows to climb in, where passes over all are dear; None where it is no help."""
    sampled = stage.sampled
    if sampled is None or len(sampled.chunk) < ENOUGH * stage.coordinates.size:
        return None
    few = Stage(sampled.chunk, stage.executor.over(sampled.chunk), stage.coordinates, stage.moments)
    climb = Climb(problem, few, counts_of(few.chunk))
    return climb if climb.counts.y.any() else None


def _pilot(part: Climb) -> Point | None:
    """Find the maximum of a sample of the rows."""
    found = search(part, None, close=ROUGH)
    return found if found.solution.outcome is Outcome.CONVERGED else None


def search(climb: Climb, warm: Point | None, close: float = SETTLED, part: Climb | None = None) -> Point:
    """Find the maximum over coefficients and alpha, from a point nearby or from the Poisson fit."""
    if warm is not None and warm.alpha > 0.0:
        return _climbed(climb, warm.alpha, warm.solution.beta, 0, close, part)
    beta = None if warm is None else warm.solution.beta
    limit = climb.at(0.0, beta)
    beta, passes = limit.solution.beta, limit.solution.passes
    if limit.seen.score > 0.0:
        alpha, looks = _first(climb, beta, limit.seen)
        return _climbed(climb, alpha, beta, passes + looks, close)
    other = _elsewhere(climb, beta)
    passes += len(ELSEWHERE)
    if other is None:
        return limit.after(passes)
    found = _climbed(climb, other, beta, passes, close)
    return found if found.loglik > limit.loglik else limit.after(found.solution.passes)


def _first(climb: Climb, beta: Array, seen: Bend) -> tuple[float, int]:
    """Solve the score equation of alpha at the means of the Poisson fit, roughly; say in how many passes."""
    alpha = min(seen.score / -seen.slope if seen.slope < 0.0 else math.inf, 1.0 / climb.typical)
    low, high, looks = -math.inf, math.inf, 0
    while looks < LOOKS:
        looks += 1
        there = climb.look(alpha, beta)
        step, error = newton_step(alpha, there, there.slope)
        if abs(step) <= ROUGH * max(error, 1.0):
            break
        low, high = (math.log(alpha), high) if there.score > 0.0 else (low, math.log(alpha))
        alpha = math.exp(_inside(math.log(alpha) + step, low, high))
    return alpha, looks


def _elsewhere(climb: Climb, beta: Array) -> float | None:
    """Return an alpha where the score rises again at the Poisson fit's means, None if it nowhere does."""
    tried = [share / climb.typical for share in ELSEWHERE]
    rising = [alpha for alpha in tried if climb.look(alpha, beta).score > 0.0]
    return rising[-1] if rising else None


def _inside(t: float, low: float, high: float) -> float:
    """Return t, or the middle of the bracket that it leaves."""
    if low < t < high:
        return t
    return 0.5 * (low + high)


def _climbed(
    climb: Climb, alpha: float, beta: Array, passes: int, close: float, part: Climb | None = None
) -> Point:
    """Climb from alpha: in everything at once, or one after the other where that is no way up."""
    found = together(climb, alpha, beta, passes, part)
    return found or _alternated(climb, alpha, beta, passes, close)


def _alternated(climb: Climb, alpha: float, beta: Array, passes: int, close: float) -> Point:
    """Alternate fits of the coefficients with Newton steps in log alpha, inside a bracket."""
    low, high, floor = -math.inf, math.inf, math.log(FLOOR / climb.typical)
    point = climb.at(alpha, beta, passes)
    for _ in range(MOST):
        step, error = point.step
        if abs(step) <= close * error:
            return point
        last = climb.stage.chunk.cells >= DEAR and abs(step) <= NEARLY * error
        low, high = (point.t, high) if point.gain > 0.0 else (low, point.t)
        t = _inside(point.t + step, low, high)
        if t in {low, high}:
            return point
        if t < floor and math.isinf(low):
            limit = climb.at(0.0, point.solution.beta, point.solution.passes)
            if limit.seen.score <= 0.0:
                return limit
            floor, point = -math.inf, point.after(limit.solution.passes)
        # What remains after the last step is of the order of its square, and the curvature is known.
        point = climb.near(t, point, point.seen if last else None)
        if last:
            return point
    return replace(point, solution=replace(point.solution, outcome=Outcome.LIMIT))


def _finished(climb: Climb, found: Point) -> Fit:
    """Make the Fit at the maximum, and state theta."""
    alpha, solution = found.alpha, found.solution
    problem = replace(climb.problem, unit=climb.unit(alpha))
    likely = problem.chunk.weights.sampling is None
    trace = partial(traced, problem, alpha, solution.beta) if likely else None
    if alpha == 0.0:
        warnings.warn(POISSON, ConvergenceWarning, stacklevel=user_level())
        problem = replace(problem, notes=(*problem.notes, POISSON))
        shape = Shape("theta", math.inf, math.nan, FAMILY, tracing=trace)
        return replace(conclude(problem, climb.stage, solution), shapes=(shape,))
    observed = problem.options.covariance == "observed"
    if observed and solution.local.observed is not None:
        joint = without(np.asarray(solution.local.observed), found.seen)
        solution = replace(solution, local=replace(solution.local, observed=joint))
    error = _error(climb, found, joint=observed)
    shape = Shape("theta", 1.0 / alpha, error, FAMILY, tracing=trace, joint=joint_information)
    fit = conclude(problem, climb.stage, solution)
    counted = replace(fit.likelihood, extra=fit.likelihood.extra + 1)
    return replace(fit, likelihood=counted, shapes=(shape,))


def _error(climb: Climb, found: Point, *, joint: bool) -> float:
    """Return the standard error of theta: alpha^-2 times that of alpha."""
    alpha, seen = found.alpha, found.seen
    information = -seen.slope - (float(seen.cross @ found.shift) if joint else 0.0)
    if not information > 0.0:
        return math.nan
    if climb.problem.chunk.weights.sampling is None:
        return 1.0 / math.sqrt(information) / alpha**2
    stage, n = climb.stage, climb.problem.nobs
    meat = squares(stage.executor, stage.coordinates, climb.unit(alpha), alpha, found.solution.beta)
    return math.sqrt(meat * n / max(n - 1, 1)) / information / alpha**2
