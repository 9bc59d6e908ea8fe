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

from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.fit.existence import NOWHERE
from etamu.fit.limit import Limit, embedded
from etamu.objective.likelihood import Likelihood
from etamu.solve.cone import normal
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome, Solution
from etamu.solve.restricted import Restricted
from etamu.vector.problem import VectorProblem
from etamu.vector.stack import Stack

ROWS = 500
"""Rows that say which coefficients of a parameter at its end are infinite and which may be anything."""
FALLEN = 1e-8
"""Share of the value by which rounding may let it fall at the end."""


def at_end(
    problem: VectorProblem, oracle: Likelihood, chunk: Chunk, solution: Solution, sides: Mapping[str, int]
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
    """
    stack: Stack = oracle.coordinates  # type: ignore[assignment]
    gone, away = np.zeros(stack.size, dtype=bool), np.zeros(stack.size)
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
        if not side * solution.beta[place] * constant[place] > 0.0:
            return None
        block = stack.blocks[number]
        gone[block] = True
        away[place] = solution.beta[place]
        own = np.zeros((min(len(chunk), ROWS), stack.size))
        own[:, block] = side * stack.parts[number].rows(chunk.predictors[number].design.rows(0, len(own)))
        demands.append(own)
    far = float(np.abs(away).max())
    flat = Restricted(oracle, away, np.eye(stack.size)[:, ~gone])
    ended = newton(flat, solution.beta[~gone])
    if ended.local.value < solution.local.value - FALLEN * (1.0 + abs(solution.local.value)):
        return None
    limit = Limit(
        direction=away / far,
        basis=np.eye(stack.size)[:, gone],
        gone=gone,
        cone=normal(np.vstack(demands)[:, gone]),
        rows=NOWHERE,
        beta=ended.beta,
        outcome=ended.outcome,
        far=far,
    )
    steps, passes = (*solution.steps, *ended.steps), solution.passes + ended.passes
    beta = embedded(ended.beta, gone) + away
    return limit, replace(ended, beta=beta, outcome=Outcome.BOUNDARY, steps=steps, passes=passes)
