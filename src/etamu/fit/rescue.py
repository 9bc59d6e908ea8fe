"""A second way up, for the few fits whose ordinary climb did not arrive: trust regions, barriers, other starts.

Far from any maximum a Newton step says little, beside an edge it jams, and where weights or variances differ by
many powers of ten a Gram has lost the rows that decide. So over rows written out the climb is repeated within
trust regions (`etamu.solve.trust`): from where it ended, then from the natural starts, then along the maxima
with a falling barrier, from whose end the edge is looked at once more. Fits that arrive at once never come here.

May import: everything below `fit`.
Read next: `etamu.solve.trust`; `etamu.fit.edge`, which proves a maximum on the edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.family.unit import Unit
from etamu.fit.edge import on_edge
from etamu.fit.start import candidates, floored
from etamu.objective.likelihood import Likelihood
from etamu.objective.written import Written, written
from etamu.solve.direction import FINAL
from etamu.solve.oracle import Outcome, Solution
from etamu.solve.trust import Ended, ascend

CELLS = 200_000
"""Numbers in the rows up to which a second attempt is cheap."""
COLUMNS = 200
"""Most coefficients whose curvature is taken apart at every step."""
LOST = (Outcome.STALLED, Outcome.STATIONARY, Outcome.LIMIT, Outcome.INFEASIBLE)
"""Ends of a search that say nothing of the maximum."""
LOWER = 1e-9
"""Share of its value by which an end may lie below the best place seen, and be the maximum nevertheless."""
BARRIERS = 10.0 ** -np.arange(1.0, 15.0)
"""Barriers, one after the other, in units of the value of a row."""


def rescued(oracle: Likelihood, unit: Unit, chunk: Chunk, solution: Solution) -> Solution:
    """Climb again where the climb did not arrive; the solution as it was where this does not either."""
    if solution.outcome not in LOST or not oracle.size or oracle.size > COLUMNS or chunk.cells > CELLS:
        return solution
    oracle = floored(oracle, unit, chunk)
    rows = written(oracle, unit, chunk)
    if rows is None:
        return solution
    best = solution.local.value if np.isfinite(solution.local.value) else -np.inf
    for ended in _climbs(rows, unit, chunk, solution):
        best = max(best, ended.value)
        if ended.arrived and ended.value >= best - LOWER * abs(best):
            found = _solution(oracle, solution, ended)
            if found is not None:
                return found
    if not oracle.restricted:
        return solution
    return _at_an_edge(rows, chunk, solution)


def _starts(oracle: Likelihood, unit: Unit, chunk: Chunk, end: Array) -> Iterator[Array]:
    yield end
    for start in candidates(oracle, unit, chunk):
        if np.isfinite(oracle.along(start, start * 0.0, np.zeros(1))[0]):
            yield start


def _climbs(rows: Written, unit: Unit, chunk: Chunk, solution: Solution) -> Iterator[Ended]:
    for start in _starts(rows.oracle, unit, chunk, solution.beta):
        yield ascend(rows, start)


def _solution(oracle: Likelihood, solution: Solution, ended: Ended) -> Solution | None:
    """Look at an end exactly."""
    local = oracle.at(ended.beta, FINAL)
    if not np.isfinite(local.value):
        return None
    steps, passes = solution.steps + ended.steps, solution.passes + len(ended.steps) + 1
    return Solution(ended.beta, local, Outcome.CONVERGED, steps, passes)


def _at_an_edge(rows: Written, chunk: Chunk, solution: Solution) -> Solution:
    """Follow the maxima with a falling barrier, and look at the edge from where they end."""
    beta = solution.beta
    unit = abs(solution.local.value) / len(chunk) or 1.0
    for barrier in BARRIERS * unit:
        beta = ascend(replace(rows, barrier=float(barrier)), beta, limit=50).beta
    ended = ascend(rows, beta)
    if ended.arrived:
        return _solution(rows.oracle, solution, ended) or solution
    local = rows.oracle.at(ended.beta, FINAL)
    beside = replace(solution, beta=ended.beta, local=local, outcome=Outcome.STALLED)
    return on_edge(rows.oracle, rows.unit, chunk, beside)
