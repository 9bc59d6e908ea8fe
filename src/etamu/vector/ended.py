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
from etamu.fit.existence import NOWHERE
from etamu.fit.limit import Limit, embedded
from etamu.objective.likelihood import Likelihood
from etamu.solve.cone import normal
from etamu.solve.direction import FINAL
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome, Solution
from etamu.solve.restricted import Restricted
from etamu.vector.limit import counted, silent_at, widened
from etamu.vector.problem import VectorProblem
from etamu.vector.stack import Stack

ROWS = 500
"""Rows that say which coefficients of a parameter at its end are infinite and which may be anything."""
FALLEN = 1e-8
"""Share of the value by which rounding may let it fall at the end."""
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
    found = _aways(problem, stack, chunk, solution.beta, sides, limit)
    if found is None:
        return None
    gone, away, demands = found
    end = _end(gone, away, demands) if limit is None else _besides(limit, gone, away, demands)
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
    beta: Array,
    sides: Mapping[str, int],
    limit: Limit | None,
) -> tuple[Mask, Array, Array] | None:
    """Return the coordinates of parameters at their ends, how far they are out, and what some rows demand.

    Rows that separate demand something else, and what has run with them is not counted.
    """
    gone, away = np.zeros(stack.size, dtype=bool), np.zeros(stack.size)
    some = chunk.row_ids[:ROWS]
    asked = np.ones(len(some), dtype=bool)
    if limit is not None:
        asked, beta = ~np.isin(some, limit.rows), embedded(limit.beta, limit.gone)
    demands: list[Array] = []
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
        own = np.zeros((len(some), stack.size))
        own[:, block] = side * stack.parts[number].rows(chunk.predictors[number].design.rows(0, len(own)))
        demands.append(own[asked])
    return gone, away, np.vstack(demands)


def _end(gone: Mask, away: Array, demands: Array) -> Limit:
    """Return the limit at the ends of parameters alone: no row is separated."""
    far = float(np.abs(away).max())
    return Limit(
        direction=away / far,
        basis=np.eye(len(gone))[:, gone],
        gone=gone,
        cone=normal(demands[:, gone]),
        rows=NOWHERE,
        beta=np.zeros(0),
        outcome=Outcome.BOUNDARY,
        far=far,
    )


def _besides(limit: Limit, gone: Mask, away: Array, demands: Array) -> Limit | None:
    """Return the limit with parameters at their ends as well; None where rows that separate forbid that."""
    more = gone & ~limit.gone
    both, basis = limit.gone | gone, widened(limit.gone, limit.basis, more)
    direction = limit.direction + away / limit.far
    if not np.all(demands @ direction > 0.0):
        return None
    above = np.zeros((len(limit.cone), len(gone)))
    above[:, limit.gone] = limit.cone
    cone = np.vstack([above[:, both], normal(demands @ basis)])
    return replace(limit, direction=direction, basis=basis, gone=both, cone=cone)
