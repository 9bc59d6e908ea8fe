"""From a problem of several predictors to a VectorFit: aliases, start, solver, covariance, likelihood.

May import: everything below `vector`.
Read next: `etamu.vector.result`, what comes out.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from etamu._base.errors import ConvergenceWarning, DataError, OptionError
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.fit.caller import user_level
from etamu.fit.estimate import SOLVERS
from etamu.fit.existence import NOWHERE
from etamu.fit.likelihood import LogLikelihood
from etamu.fit.limit import Limit
from etamu.fit.width import refuse_too_wide
from etamu.objective.likelihood import Likelihood
from etamu.solve.direction import FINAL
from etamu.solve.loop import Callback
from etamu.solve.oracle import Outcome, Solution, Step
from etamu.solve.recession import TOLERANCE
from etamu.vector.covariance import covariance
from etamu.vector.edges import climbing, on_edge
from etamu.vector.ended import at_end
from etamu.vector.limit import signs
from etamu.vector.limits import LAW, End, at_limits
from etamu.vector.pilot import piloted
from etamu.vector.problem import VectorProblem
from etamu.vector.result import VectorFit
from etamu.vector.rows import eta_of
from etamu.vector.separation import answered, reached
from etamu.vector.several import best_of
from etamu.vector.stage import Stage, likelihood_of, prepare
from etamu.vector.start import start


def estimate(problem: VectorProblem) -> VectorFit:
    """Fit a problem of several linear predictors.

    Raises
    ------
    DataError
        If no row counts, or no start is inside the domain.
    OptionError
        If the start given is not one.
    """
    if not problem.counted.any():
        raise DataError("no row has a positive weight: there is nothing to fit; check weights and trials")
    refuse_too_wide([stated.layout for stated in problem.predictors])
    stage = prepare(problem)
    oracle = likelihood_of(problem, stage)
    begin, climb = _first(problem, oracle, stage), SOLVERS[problem.options.solver]
    usual = partial(start, oracle, problem.family, stage.chunk, stage.stack)
    edge = partial(on_edge, problem.family, oracle, stage.chunk, stage.stack)
    solve = partial(_solved, climb, oracle, begin, usual, edge if problem.family.walls else None)
    found = reached(problem.family, oracle, stage.executor, stage.stack, solve)
    solution, limit = found.solution, found.limit
    if limit is None:
        climbed = partial(climb, oracle)
        solution = best_of(oracle, problem.family, stage.chunk, stage.stack, solution, climbed)
        solution = edge(solution)
    verified = solution.outcome in {Outcome.CONVERGED, Outcome.BOUNDARY} or limit is not None
    raw = stage.stack.raw(solution.beta)
    separated, apart = limit is not None, NOWHERE if limit is None else limit.rows
    said = at_limits(problem.family, stage.executor, raw, verified=verified, apart=apart)
    if said:
        sentences = tuple(end.sentence for end in said.values())
        problem = replace(problem, notes=(*problem.notes, *sentences))
        warnings.warn("; ".join(sentences), ConvergenceWarning, stacklevel=user_level())
    sides = {name: end.side for name, end in said.items() if end.side}
    if limit is not None and _all_at_ends(problem, stage, limit, sides):
        # What runs is the parameter at its end, and has been said.
        solution, limit, separated = solve(None), None, False
    if sides and (ended := at_end(problem, oracle, stage.chunk, solution, sides, limit)):
        limit, solution = ended
    if limit is None:
        solution = _concluded(solution, said)
    elif separated:
        answered(problem, stage.stack, limit)
    return finish(problem, stage, solution, limit)


def _concluded(solution: Solution, said: Mapping[str, End]) -> Solution:
    """Say how a search without a limit ended: at the end of a parameter, at a maximum, or somewhere."""
    if said and (set(said) != {LAW} or solution.outcome is not Outcome.CONVERGED):
        return replace(solution, outcome=Outcome.BOUNDARY)
    if solution.outcome is not Outcome.CONVERGED:
        warnings.warn(solution.outcome.advice, ConvergenceWarning, stacklevel=user_level())
    return solution


def _solved(
    climb: Callable[..., Solution],
    oracle: Likelihood,
    begin: Array,
    usual: Callable[[], Array],
    edge: Callable[[Solution], Solution] | None,
    watch: Any,
) -> Solution:
    """Climb; from the usual start where that of a sample is outside the domain of other rows."""
    highest = Highest(begin, watch)
    solution = climbing(climb, oracle, begin, edge, highest)
    if solution.outcome is Outcome.INFEASIBLE:
        begin = usual()
        highest = Highest(begin, watch)
        solution = climb(oracle, begin, callback=highest)
    return highest.kept(oracle, solution)


class Highest:
    """Remembers the highest point of a climb, which where means have no more digits is not its last."""

    def __init__(self, begin: Array, watch: Callback | None = None) -> None:
        self.watch = watch
        self.here = [begin]
        self.best = [(-math.inf, begin)]

    def __call__(self, step: Step, beta: Array) -> None:
        """Look at a step, whose value is that of where it began."""
        if step.value > self.best[0][0]:
            self.best[0] = (step.value, self.here[0])
        self.here[0] = beta
        if self.watch is not None:
            self.watch(step, beta)

    def kept(self, oracle: Likelihood, solution: Solution) -> Solution:
        """Return a solution; at the highest point, where it has come to nothing and stands lower."""
        value, beta = self.best[0]
        arrived = solution.outcome in {Outcome.CONVERGED, Outcome.BOUNDARY}
        if arrived or value <= solution.local.value:
            return solution
        return replace(solution, beta=beta, local=oracle.at(beta, FINAL), passes=solution.passes + 1)


def _all_at_ends(problem: VectorProblem, stage: Stage, limit: Limit, sides: Mapping[str, int]) -> bool:
    """Tell whether all that runs away are parameters, each in every row to the end that was said of it."""
    stack = stage.stack
    names = (stack.names[j] for j in np.flatnonzero(signs(limit, stack) != 0.0))
    numbers = {stack.part_of(name) for name in names}
    eta = eta_of(stage.chunk, stack.raw(limit.direction), offset=False)
    ends = np.array([sides.get(stated.parameter.name, 0) for stated in problem.predictors])
    back = ends * eta < -TOLERANCE * np.abs(eta).max()
    return all(ends[number] and not back[:, number].any() for number in numbers)


def _first(problem: VectorProblem, oracle: Likelihood, stage: Stage) -> Array:
    given = problem.options.start
    if given is None:
        found = piloted(oracle, problem.family, stage.chunk, stage.stack)
        return start(oracle, problem.family, stage.chunk, stage.stack) if found is None else found
    if len(given) != stage.stack.width:
        raise OptionError(
            f"start has {len(given)} numbers and the model {stage.stack.width} coefficients: "
            + ", ".join(stage.stack.names)
        )
    numbers = np.asarray(given, dtype=np.float64)
    for j in np.flatnonzero(stage.stack.free & ~np.isfinite(numbers)):
        raise OptionError(f"start is {numbers[j]} for {stage.stack.names[j]!r}; give a finite number")
    beta = stage.stack.working(numbers)
    if not np.isfinite(oracle.along(beta, beta * 0.0, np.zeros(1))[0]):
        raise OptionError("the likelihood is 0 at start; leave start out or choose one inside")
    return beta


def finish(problem: VectorProblem, stage: Stage, solution: Solution, limit: Limit | None = None) -> VectorFit:
    """Turn a solution, or a limit that stands for it, into a fit: covariance and likelihood."""
    sampling = problem.chunk.weights.sampling is not None
    kind = problem.options.covariance or ("HC1" if sampling else "model")
    likelihood = log_likelihood(problem, stage.chunk, solution.local.value)
    fit = VectorFit(
        problem=problem,
        coordinates=stage.stack,
        beta=solution.beta,
        factor=None,
        covariance_kind=kind,
        likelihood=likelihood,
        nobs=problem.nobs,
        solution=solution,
        limit=limit,
        fitting=estimate,
    )
    return replace(fit, factor=covariance(fit, stage.executor, kind))


def log_likelihood(problem: VectorProblem, chunk: Chunk, value: float) -> LogLikelihood:
    """Add the saturated terms of the rows to the value, each as often as its weight says."""
    if chunk.weights.sampling is not None:
        return LogLikelihood(np.nan, 0, np.nan, "sampling weights make no likelihood of the rows")
    rows = problem.family.saturated(chunk.y)
    total = chunk.weights.total()
    return LogLikelihood(value + float(np.sum(rows if total is None else total * rows)), 0, 1.0)
