"""A maximum at a wall where the likelihood ends in 0: rows are put on it, and the rest climbs along it.

An end of a parameter's range is such a wall, and two thresholds that meet. A search that sees the likelihood
end stops beside such a maximum, not at it. Here the row nearest to the wall is put on it, then the next if
need be; that every such row pulls outward is the proof (the conditions of Karush, Kuhn and Tucker: Nocedal
and Wright 2006, *Numerical Optimization*, chapter 16).

May import: everything below `vector`.
Read next: `etamu.fit.edge`, the same for one predictor; `etamu.vector.limits`, which says it in words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.family.vector import VectorFamily, Wall
from etamu.objective.likelihood import Likelihood
from etamu.solve.direction import FINAL
from etamu.solve.loop import Callback
from etamu.solve.newton import newton
from etamu.solve.oracle import Oracle, Outcome, Solution, Step
from etamu.solve.restricted import Restricted
from etamu.vector.stack import Stack

NEAR = 0.7
"""Distance from a wall, in logarithms or latent scores, within which it may have stopped a search."""
INSIDE = 1e-9
"""Distance from the edge at which the answer is evaluated: beyond it the likelihood is 0."""
CUT, SHORT = 2, 0.02
"""So many steps of less than this share of Newton's, and a climb is asked what cuts them."""
ROUNDS = 20
"""Climbs, with one row more on the wall after each that it stopped."""
MOST = 10_000_000
"""Cells up to which the rows are written out."""


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """The rows as constraints x'beta + gap >= 0.

    Parameters
    ----------
    rows : array (n, size)
        In the working coordinates of all predictors.
    gap : array (n,)
        Offset less level.
    """

    rows: Array
    gap: Array

    def distance(self, beta: Array) -> Array:
        """Return how far inside each row is."""
        return np.asarray(self.rows @ beta + self.gap)

    def inside(self, flat: Restricted) -> Edge:
        """Return the same in the coordinates of a flat."""
        return Edge(self.rows @ flat.basis, self.distance(flat.origin))


class Jammed(Exception):  # noqa: N818  # it is a finding, and no error
    """Steps are cut short again and again: a wall may be what cuts them."""

    def __init__(self, beta: Array, steps: tuple[Step, ...]) -> None:
        self.beta, self.steps = beta, steps

    def stopped(self, oracle: Oracle, beta: Array | None = None) -> Solution:
        """Return the climb that was ended as one that stalled; `beta` is its end in other coordinates."""
        local, passes = oracle.at(self.beta, FINAL), 2 * len(self.steps) + 1
        end = self.beta if beta is None else beta
        return Solution(end, local, Outcome.STALLED, self.steps, passes)


def jamming(watch: Callback | None) -> Callback:
    """Watch a climb, and end it where `CUT` steps one after the other were shorter than `SHORT`."""
    steps: list[Step] = []

    def look(step: Step, beta: Array) -> None:
        if watch is not None:
            watch(step, beta)
        steps.append(step)
        if len(steps) >= CUT and all(each.length < SHORT for each in steps[-CUT:]):
            raise Jammed(beta, tuple(steps))

    return look


def climbing(
    climb: Callable[..., Solution],
    oracle: Oracle,
    begin: Array,
    edge: Callable[[Solution], Solution] | None,
    watch: Callback | None = None,
) -> Solution:
    """Climb; where there are walls one whose steps are cut short again and again asks about them at once.

    Parameters
    ----------
    climb : callable
        The solver.
    oracle : Oracle
    begin : array (size,)
    edge : callable, optional
        Returns the maximum at a wall near where a climb was stopped, as `on_edge`.
    watch : callable, optional
        Looks at every step.
    """
    try:
        return climb(oracle, begin, callback=watch if edge is None else jamming(watch))
    except Jammed as suspicion:
        assert edge is not None
        stopped = suspicion.stopped(oracle)
        found = edge(stopped)
        if found.outcome is Outcome.BOUNDARY:
            return found
        solution = climb(oracle, suspicion.beta, callback=watch)
        steps, passes = (*stopped.steps, *solution.steps), stopped.passes + solution.passes
        return replace(solution, steps=steps, passes=passes)


def on_edge(
    family: VectorFamily, oracle: Likelihood, chunk: Chunk, stack: Stack, solution: Solution
) -> Solution:
    """Return the maximum at a wall of the family, the solution itself where none is proved."""
    edge = edge_of(family.walls, chunk, stack)
    return solution if edge is None else along(oracle, edge, solution)


def along(oracle: Oracle, edge: Edge, solution: Solution) -> Solution:
    """Return the maximum at a wall, the solution itself where it is none or none is proved."""
    if solution.outcome in {Outcome.CONVERGED, Outcome.BOUNDARY}:
        return solution
    return _along(oracle, edge, solution) or solution


def edge_of(walls: tuple[Wall, ...], chunk: Chunk, stack: Stack) -> Edge | None:
    """Write every wall out for every row; None where there are none, or rows are too many for it."""
    if not walls or len(walls) * len(chunk) * stack.size > MOST:
        return None
    return _edge(walls, chunk, stack)


def _edge(walls: tuple[Wall, ...], chunk: Chunk, stack: Stack) -> Edge:
    """Write every wall out for every row."""
    n = len(chunk)
    rows, gap = np.zeros((len(walls) * n, stack.size)), np.zeros(len(walls) * n)
    for place, wall in enumerate(walls):
        here = slice(place * n, (place + 1) * n)
        gap[here] = -wall.level - INSIDE
        for number, share in wall.shares.items():
            predictor = chunk.predictors[number]
            rows[here, stack.blocks[number]] = share * stack.parts[number].rows(predictor.design)
            gap[here] += 0.0 if predictor.offset is None else share * predictor.offset
    return Edge(rows, gap)


def _along(oracle: Oracle, edge: Edge, solution: Solution) -> Solution | None:
    """Put rows on the wall, one where each climb is stopped, until what is left has a maximum they hold."""
    beta, active, passes = solution.beta, np.zeros(0, dtype=np.intp), solution.passes + 1
    for _ in range(ROUNDS):
        climbed = _climbed(oracle, edge, beta, active)
        if climbed is None:
            return None
        beta, passes = climbed.beta, passes + climbed.passes
        if climbed.outcome is Outcome.CONVERGED:
            local = oracle.at(beta, FINAL)
            assert local.score is not None
            pull = np.linalg.lstsq(edge.rows[active].T, local.score, rcond=None)[0]
            if np.all(pull <= 0.0):
                outcome = Outcome.BOUNDARY if len(active) else Outcome.CONVERGED
                return replace(solution, beta=beta, local=local, outcome=outcome, passes=passes)
            active = active[pull <= 0.0]  # who pulls inward is let go
            continue
        distance = edge.distance(beta)
        distance[active] = np.inf
        nearest = int(np.argmin(distance))
        if distance[nearest] > NEAR or len(active) == edge.rows.shape[1]:
            return None
        active = np.append(active, nearest)
    return None


def _climbed(oracle: Oracle, edge: Edge, beta: Array, active: NDArray[np.intp]) -> Solution | None:
    """Climb on the flat of the active rows, from the point of it nearest to beta; None if that is outside."""
    normals = edge.rows[active]
    onto = np.linalg.lstsq(normals, -edge.distance(beta)[active], rcond=None)[0]
    whole = np.linalg.svd(normals)[2]
    flat = Restricted(oracle, beta + onto, whole[np.linalg.matrix_rank(normals) :].T)
    try:
        climbed = newton(flat, np.zeros(flat.size), callback=jamming(None))
    except Jammed as found:
        return found.stopped(flat, flat.lifted(found.beta))
    return None if climbed.outcome is Outcome.INFEASIBLE else replace(climbed, beta=flat.lifted(climbed.beta))
