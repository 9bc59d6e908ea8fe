"""One point of the profile of a Tweedie power: coefficients and phi at one power, and the score of the power.

May import: everything below `fit`.
Read next: `etamu.fit.power`, which finds the maximum of the profile.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from etamu._base.errors import DataError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.family import power as by_row
from etamu.family.borrowed import Tweedie
from etamu.family.dispersion import dispersion_ml
from etamu.family.unit import Unit
from etamu.fit.estimate import SOLVERS, solved
from etamu.fit.problem import Problem
from etamu.fit.stage import Stage, likelihood_of
from etamu.solve.oracle import Outcome, Solution
from etamu.sums import etas

SMOOTH = 1.2
"""From this power on the likelihood of phi has one maximum."""
PERFECT = {True: 1e-24, False: 1e-8}
"""A deviance this small, relatively, is none; of a search that did not end, one on its way to none."""


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """The maximum over coefficients and phi at one power.

    Parameters
    ----------
    t : float
        The power.
    solution : Solution
        Its passes are all that were made so far.
    phi : float
    loglik : float
    gain : float
        The derivative of the profile in the power.
    """

    t: float
    solution: Solution
    phi: float
    loglik: float
    gain: float


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """The rows, ready for the coefficients and phi to be fitted at any power.

    Parameters
    ----------
    problem : Problem
    stage : Stage
    """

    problem: Problem
    stage: Stage

    def unit(self, power: float) -> Unit:
        """Return family and link at one power."""
        return Unit(Tweedie(power), self.problem.unit.link)

    def at(self, power: float, near: Spot | None = None, *, sloped: bool = True) -> Spot:
        """Fit the coefficients and phi at one power, from a point nearby or from the usual start.

        The derivative is NaN where it is not asked for.
        """
        problem = replace(self.problem, unit=self.unit(power))
        oracle = likelihood_of(problem, self.stage)
        if near is None:
            solution = solved(problem, oracle, self.stage)
        else:
            solution = SOLVERS[problem.options.solver](oracle, near.solution.beta)
            solution = replace(solution, passes=solution.passes + near.solution.passes)
        # Near power 1 the likelihood of phi may have many maxima: there none is taken for being near.
        guess = None if near is None or power < SMOOTH else near.phi
        return self._measured(problem, solution, guess, sloped=sloped)

    def _measured(self, problem: Problem, solution: Solution, guess: float | None, *, sloped: bool) -> Spot:
        """Find phi, and look at the likelihood and its derivative, in one pass."""
        chunk, power = self.stage.chunk, float(problem.unit.family.settings["power"])
        eta = etas(chunk, self.stage.coordinates.raw(solution.beta))
        with np.errstate(all="ignore"):
            value = problem.unit.bind(np, "expected")(chunk.y, eta)[0]
            log_mu = np.log(problem.unit.mean(np, eta).mu)
        y, copies, precision = chunk.y[0], copies_of(chunk), chunk.weights.variance
        precision = np.ones(len(chunk)) if precision is None else precision
        given = problem.options.dispersion
        spread, scale = (float(np.sum(copies * precision * each)) for each in (-value, y ** (2.0 - power)))
        if spread <= PERFECT[solution.outcome is Outcome.CONVERGED] * scale:
            raise DataError(
                "the means reproduce every response, so the likelihood of the power has no maximum: give it, "
                "Tweedie(power=1.5)"
            )
        if given is None:
            phi = dispersion_ml(y, -2.0 * value, precision, power, copies, guess)
        else:
            phi = float(given)
        local = phi / precision
        rows = problem.unit.family.saturated((y,), local) + value / local
        gain = by_row.score(y, log_mu, local, power) if sloped else np.array(np.nan)
        return Spot(
            power,
            replace(solution, passes=solution.passes + 1),
            phi,
            float(np.sum(copies * rows)),
            float(np.sum(copies * gain)),
        )


def copies_of(chunk: Chunk) -> Array:
    """Return how many rows each row stands for: its frequency, and in a sample how rarely it was drawn."""
    copies = np.ones(len(chunk))
    for weights in (chunk.weights.frequency, chunk.weights.sampling):
        copies = copies if weights is None else copies * weights
    return copies


def free(problem: Problem) -> Problem:
    """Return the problem whose phi is maximised over: a number stays, how to estimate one is left out."""
    if isinstance(problem.options.dispersion, str):
        return replace(problem, options=replace(problem.options, dispersion=None))
    return problem
