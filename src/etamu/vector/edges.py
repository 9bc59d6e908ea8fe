"""A maximum at an edge of a parameter's range: the rows there are put on it, and the rest climbs along it.

A search that sees the likelihood end in 0 stops beside such a maximum, not at it. Here the row nearest to the
edge is put on it, then the next if need be; that every such row pulls outward is the proof (the conditions of
Karush, Kuhn and Tucker: Nocedal and Wright 2006, *Numerical Optimization*, chapter 16).

May import: everything below `vector`.
Read next: `etamu.fit.edge`, the same for one predictor; `etamu.vector.limits`, which says it in words.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.family.vector import VectorFamily
from etamu.objective.likelihood import Likelihood
from etamu.solve.direction import FINAL
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome, Solution
from etamu.solve.restricted import Restricted
from etamu.vector.stack import Stack

NEAR = 0.7
"""Distance from an edge, on the scale of logarithms, within which a search may have stopped because of it."""
INSIDE = 1e-9
"""Distance from the edge at which the answer is evaluated: beyond it the likelihood is 0."""
MOST = 10_000_000
"""Cells of a predictor up to which its rows are written out."""


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """The rows of one predictor as constraints side (x'beta + offset - level) >= 0.

    Parameters
    ----------
    rows : array (n, size)
        In all working coordinates, 0 outside the predictor's own.
    gap : array (n,)
        offset - level.
    side : 1 or -1
        1 at a lower edge.
    """

    rows: Array
    gap: Array
    side: float

    def distance(self, beta: Array) -> Array:
        """Return how far inside each row is."""
        return np.asarray(self.side * (self.rows @ beta + self.gap))


def on_edge(
    family: VectorFamily, oracle: Likelihood, chunk: Chunk, stack: Stack, solution: Solution
) -> Solution:
    """Return the maximum on an edge of a parameter's range, the solution itself where none is proved."""
    if solution.outcome is Outcome.CONVERGED or not family.edges:
        return solution
    for number, parameter in enumerate(family.parameters):
        at, predictor = stack.blocks[number], chunk.predictors[number]
        ends = family.edges.get(parameter.name, ())
        if not stack.parts[number].size or len(chunk) * stack.parts[number].size > MOST:
            continue
        for side, end in zip((1.0, -1.0), ends, strict=False):
            if not np.isfinite(end):
                continue
            rows = np.zeros((len(chunk), stack.size))
            rows[:, at] = stack.parts[number].rows(predictor.design)
            level = float(parameter.link.link(np, np.float64(np.exp(end)))) + side * INSIDE
            offset = 0.0 if predictor.offset is None else predictor.offset
            found = _along(oracle, Edge(rows, offset - level + np.zeros(len(chunk)), side), solution)
            if found is not None:
                return found
    return solution


def _along(oracle: Likelihood, edge: Edge, solution: Solution) -> Solution | None:
    """Put rows on the edge one after another until what is left has a maximum that they hold."""
    beta, active = solution.beta, np.zeros(0, dtype=np.intp)
    for _ in range(np.linalg.matrix_rank(edge.rows)):
        distance = edge.distance(beta)
        distance[active] = np.inf
        nearest = int(np.argmin(distance))
        if distance[nearest] > NEAR:
            return None
        active = np.append(active, nearest)
        normals = edge.rows[active]
        onto = np.linalg.lstsq(normals, -edge.side * edge.distance(beta)[active], rcond=None)[0]
        whole = np.linalg.svd(normals)[2]
        flat = Restricted(oracle, beta + onto, whole[len(active) :].T)
        climbed = newton(flat, np.zeros(flat.size))
        if climbed.outcome is Outcome.INFEASIBLE:
            return None
        beta = flat.lifted(climbed.beta)
        if climbed.outcome is Outcome.CONVERGED:
            local = oracle.at(beta, FINAL)
            assert local.score is not None
            pull = edge.side * np.linalg.lstsq(normals.T, local.score, rcond=None)[0]
            if np.all(pull <= 0.0):
                passes = solution.passes + climbed.passes + 1
                return replace(solution, beta=beta, local=local, outcome=Outcome.BOUNDARY, passes=passes)
    return None
