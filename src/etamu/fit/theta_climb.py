"""One point of the climb over theta: the coefficients fitted at an alpha = 1/theta, and the way from there.

May import: everything below `fit`.
Read next: `etamu.fit.theta`, which climbs, and `etamu.fit.theta_profile`, which climbs down again.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.family.families import NegativeBinomial, Poisson
from etamu.family.unit import Unit
from etamu.fit.estimate import SOLVERS, solved
from etamu.fit.overdispersion import Bend, Counts, bend
from etamu.fit.problem import Problem
from etamu.fit.stage import Stage, likelihood_of
from etamu.solve.oracle import Outcome, Solution

FARTHEST = 3.0
"""The longest step in log alpha."""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """The maximum over the coefficients at one alpha, and the derivatives in alpha there.

    Parameters
    ----------
    alpha : float
    solution : Solution
        Its passes are all that were made so far.
    seen : Bend
    loglik : float
        Without terms that neither alpha nor the coefficients change.
    """

    alpha: float
    solution: Solution
    seen: Bend
    loglik: float

    def after(self, passes: int) -> Point:
        """Return the point with another count of the passes made so far."""
        return replace(self, solution=replace(self.solution, passes=passes))

    @property
    def t(self) -> float:
        """The coordinate of the climb, log alpha."""
        return math.log(self.alpha) if self.alpha > 0.0 else -math.inf

    @property
    def gain(self) -> float:
        """The derivative of the profile in log alpha."""
        return self.alpha * self.seen.score

    @property
    def shift(self) -> Array:
        """How the maximum moves with alpha, H^-1 c; zeros where H is no metric."""
        local = self.solution.local
        matrix = local.observed if local.observed is not None else local.expected
        if matrix is None or self.solution.outcome is not Outcome.CONVERGED:
            return np.zeros_like(self.seen.cross)
        try:
            return np.asarray(np.linalg.solve(np.asarray(matrix), self.seen.cross))
        except np.linalg.LinAlgError:
            return np.zeros_like(self.seen.cross)

    @property
    def step(self) -> tuple[float, float]:
        """The Newton step in log alpha, and its standard error with the means held."""
        slope = self.seen.slope + float(self.seen.cross @ self.shift)
        return newton_step(self.alpha, self.seen, slope)


def newton_step(alpha: float, seen: Bend, slope: float) -> tuple[float, float]:
    """Return the step in log alpha that a slope of the score in alpha suggests, and the standard error."""
    gain = alpha * seen.score
    fall = -(alpha * alpha * slope + gain)
    step = gain / fall if fall > 0.0 else math.copysign(1.0, gain)
    error = 1.0 / math.sqrt(-seen.slope) / alpha if seen.slope < 0.0 else 0.0
    return float(np.clip(step, -FARTHEST, FARTHEST)), error


@dataclass(frozen=True, slots=True, eq=False)
class Climb:
    """The rows, ready for the coefficients to be fitted at any alpha.

    Parameters
    ----------
    problem : Problem
    stage : Stage
    counts : Counts
    """

    problem: Problem
    stage: Stage
    counts: Counts

    @property
    def typical(self) -> float:
        """The mean count, the scale of 1/alpha."""
        return float(self.counts.number @ self.counts.y) / float(self.counts.number.sum())

    def unit(self, alpha: float) -> Unit:
        """Return family and link at one alpha."""
        return unit_at(self.problem, alpha)

    def at(self, alpha: float, beta: Array | None, passes: int = 0, seen: Bend | None = None) -> Point:
        """Fit the coefficients at one alpha, from some start or from the usual one.

        The derivatives in alpha are those given, of a point so near that they serve, or cost a pass.
        """
        problem = replace(self.problem, unit=self.unit(alpha))
        oracle = likelihood_of(problem, self.stage)
        climbed = None if beta is None else SOLVERS[problem.options.solver](oracle, beta)
        if climbed is None or climbed.outcome is Outcome.INFEASIBLE:
            solution = solved(problem, oracle, self.stage)
        else:
            solution = climbed
        passes += solution.passes + (seen is None)
        seen = seen or self.look(alpha, solution.beta)
        saturated = problem.unit.family.saturated((self.counts.y,), np.ones(len(self.counts.y)))
        loglik = solution.local.value + float(self.counts.number @ saturated)
        return Point(alpha, replace(solution, passes=passes), seen, loglik)

    def near(self, t: float, point: Point, seen: Bend | None = None) -> Point:
        """Fit the coefficients at log alpha = t, from where they should be by a point nearby."""
        alpha = math.exp(t)
        moved = point.solution.beta + point.shift * (alpha - point.alpha)
        return self.at(alpha, moved, point.solution.passes, seen)

    def look(self, alpha: float, beta: Array) -> Bend:
        """Sum the derivatives in alpha over the rows."""
        unit, at = self.unit(alpha), (alpha, beta)
        return bend(self.stage.executor, self.stage.coordinates, unit, at, self.counts)


def unit_at(problem: Problem, alpha: float) -> Unit:
    """Return the family at one alpha, Poisson at 0, with the link of a problem."""
    return Unit(NegativeBinomial(1.0 / alpha) if alpha > 0.0 else Poisson(), problem.unit.link)
