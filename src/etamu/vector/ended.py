"""A fit with parameters at an end of their axis: they are infinite, and the others those of the simpler law.

Where counts spread no more than Poisson counts the theta of a negative binomial has no finite estimate: the
likelihood rises to that of the Poisson law. Then every coefficient of that parameter is gone, and the rest
is estimated, with its covariance, on the flat where it stands at its end: as in the limit of a separated fit,
but that no row is separated.

May import: everything below `vector`.
Read next: `etamu.vector.limits`, which finds such parameters; `etamu.vector.limit`, for rows that separate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from etamu._base.types import Array, Mask
from etamu.design.chunk import Chunk
from etamu.execute.threads import Threads
from etamu.fit.existence import NOWHERE
from etamu.fit.limit import Limit, embedded
from etamu.objective.likelihood import Likelihood
from etamu.solve.cone import demands, normal
from etamu.solve.direction import FINAL
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome, Solution
from etamu.solve.restricted import Restricted
from etamu.vector.limit import counted, says_nothing, silent_at, widened
from etamu.vector.pairs import Pairs
from etamu.vector.problem import VectorProblem
from etamu.vector.stack import Stack

ROWS = 500
"""Rows that say which coefficients of a parameter at its end are infinite and which may be anything."""
FALLEN = 1e-8
"""Share of the value by which rounding may let it fall at the end."""
HALF = 0.5
"""A direction moves what it separates by 1 or more, and other demands by rounding."""
FARTHEST = 100.0
"""Distance on the scale of logarithms at which a parameter is at its end to the last digit."""
SHRUNK = 25.0
"""The same for a law that shrinks to a point: further out means have no digits to tell it from beside it."""


def at_end(
    problem: VectorProblem,
    oracle: Likelihood,
    chunk: Chunk,
    solution: Solution,
    sides: Mapping[str, int],
    limit: Limit | None = None,
) -> tuple[Limit, Solution] | None:
    """Put parameters at their ends and estimate the others there; None where one has no constant to run.

    Parameters
    ----------
    problem : VectorProblem
    oracle : Likelihood
        Whose coordinates are a stack.
    chunk : Chunk
        Its rows, their columns placed.
    solution : Solution
        Where the search ended, far out.
    sides : mapping of str to int
        By the name of a parameter, 1 where it ran up and -1 where it ran down.
    limit : Limit, optional
        Of rows that separate besides.
    """
    stack: Stack = oracle.coordinates  # type: ignore[assignment]
    found = _aways(problem, stack, chunk, solution, sides, limit)
    if found is None:
        return None
    gone, away, asked = found
    end: Limit | None
    alone = end = _end(gone, away, np.vstack(asked))
    if limit is not None:
        heard = ~_at_an_end(problem, stack, chunk, solution, limit)
        every, some = np.vstack(asked), np.vstack([own[heard] for own in asked])
        end = _besides(problem, oracle, limit, alone, every) or _besides(problem, oracle, limit, alone, some)
    if end is None:
        return None
    ended = _climbed(oracle, end, solution)
    trace = counted(chunk) * float(np.exp(-np.abs(away[gone]).max()))
    silent = silent_at(oracle, end.far * end.direction, end.gone, ended, trace)
    if silent.any() and ended.outcome is not Outcome.CONVERGED:
        end = _quiet(end, silent)
        ended = _climbed(oracle, end, solution)
    unbounded = problem.family.shrinks & set(sides)
    fallen = solution.local.value - FALLEN * (1.0 + abs(solution.local.value))
    lower = ended.local.value < fallen and not unbounded
    worse = limit is not None and limit.outcome is Outcome.CONVERGED is not ended.outcome
    if lower or worse:
        return None
    steps, passes = (*solution.steps, *ended.steps), solution.passes + ended.passes
    near = embedded(ended.beta, end.gone) + end.far * end.direction
    local = replace(ended.local, value=np.inf) if unbounded else ended.local
    outcome = Outcome.BOUNDARY if limit is None else Outcome.INFINITE
    at = replace(ended, beta=near, local=local, outcome=outcome, steps=steps, passes=passes)
    return replace(end, beta=ended.beta, outcome=ended.outcome), at


def _climbed(oracle: Likelihood, end: Limit, solution: Solution) -> Solution:
    """Maximise over the coordinates that are left."""
    flat = Restricted(oracle, end.far * end.direction, np.eye(len(end.gone))[:, ~end.gone])
    begin = (solution.beta - end.far * end.direction)[~end.gone]
    if not flat.size:
        return Solution(begin, flat.at(begin, FINAL), Outcome.CONVERGED, (), 1)
    return newton(flat, begin)


def _quiet(end: Limit, silent: Mask) -> Limit:
    """Return a limit at which some more coordinates may be anything."""
    both, cone = end.gone | silent, np.zeros((len(end.cone), len(silent)))
    cone[:, end.gone] = end.cone
    return replace(end, gone=both, basis=widened(end.gone, end.basis, silent), cone=cone[:, both])


def _aways(
    problem: VectorProblem,
    stack: Stack,
    chunk: Chunk,
    solution: Solution,
    sides: Mapping[str, int],
    limit: Limit | None,
) -> tuple[Mask, Array, list[Array]] | None:
    """Return the coordinates of parameters at their ends, how far they are out, and what some rows demand.

    What has run with rows that separate is not counted, but where nothing else is left of a parameter.
    """
    gone, away = np.zeros(stack.size, dtype=bool), np.zeros(stack.size)
    beta = solution.beta
    if limit is not None:
        beta = np.where(limit.gone, beta, embedded(limit.beta, limit.gone))
    asked: list[Array] = []
    for number, stated in enumerate(problem.predictors):
        side = sides.get(stated.parameter.name, 0)
        name = problem.family.label(stated.parameter, "Intercept")
        if not side:
            continue
        if name not in stack.names or name in stack.aliased:
            return None
        constant = stack.working(np.array([float(name == each) for each in stack.names]))
        place = int(np.argmax(np.abs(constant)))
        if not side * beta[place] * constant[place] > 0.0:
            return None
        block = stack.blocks[number]
        gone[block] = True
        farthest = SHRUNK if stated.parameter.name in problem.family.shrinks else FARTHEST
        away[place] = np.clip(beta[place], -farthest, farthest)
        own = np.zeros((min(len(chunk), ROWS), stack.size))
        own[:, block] = side * stack.parts[number].rows(chunk.predictors[number].design.rows(0, len(own)))
        asked.append(own)
    return gone, away, asked


def _at_an_end(problem: VectorProblem, stack: Stack, chunk: Chunk, solution: Solution, limit: Limit) -> Mask:
    """Flag which of the first rows separation has put where they say nothing of any parameter."""
    some = chunk.take(np.arange(min(len(chunk), ROWS)))
    silent = says_nothing(problem.family, some, stack.raw(solution.beta))
    return np.asarray(np.isin(some.row_ids, limit.rows) & silent)


def _end(gone: Mask, away: Array, asked: Array) -> Limit:
    """Return the limit at the ends of parameters alone: no row is separated."""
    far = float(np.abs(away).max())
    return Limit(
        direction=away / far,
        basis=np.eye(len(gone))[:, gone],
        gone=gone,
        cone=normal(asked[:, gone]),
        rows=NOWHERE,
        beta=np.zeros(0),
        outcome=Outcome.BOUNDARY,
        far=far,
    )


def _besides(
    problem: VectorProblem, oracle: Likelihood, limit: Limit, end: Limit, asked: Array
) -> Limit | None:
    """Return the limit with parameters at their ends as well; None where rows that separate forbid that."""
    stack: Stack = oracle.coordinates  # type: ignore[assignment]
    executor: Threads = oracle.executor  # type: ignore[assignment]
    cones = problem.family.cones(executor.whole.y)
    assert cones is not None  # by which rows were found to separate
    pairs = Pairs(cones, executor, stack)
    separated = pairs.margins(limit.direction) > HALF
    both, basis = limit.gone | end.gone, widened(limit.gone, limit.basis, end.gone & ~limit.gone)
    direction = limit.direction + end.far / limit.far * end.direction
    if not (np.all(asked @ direction > 0.0) and np.all(pairs.margins(direction)[separated] > 0.0)):
        return None
    own = demands(np.flatnonzero(separated), lambda some: pairs.some(some) @ basis)
    cone = np.vstack([own, normal(asked @ basis)])
    return replace(limit, direction=direction, basis=basis, gone=both, cone=cone)
