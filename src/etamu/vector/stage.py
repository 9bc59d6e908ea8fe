"""A problem of several predictors set up for solving: rows that count, columns of full rank, its oracle.

May import: everything below `vector`; nothing that takes a fit.
Read next: `etamu.vector.estimate`, which solves it.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from etamu._base.errors import AliasWarning
from etamu._base.facts import dataclass
from etamu._base.listing import listed
from etamu._base.types import Array, Mask
from etamu.design.chunk import Chunk, Predictor
from etamu.design.coordinates import Coordinates, describe, extent, standardised
from etamu.execute.threads import Threads
from etamu.fit.aliases import aliased
from etamu.fit.caller import user_level
from etamu.fit.placed import visits
from etamu.fit.stage import LONG
from etamu.objective.likelihood import Likelihood
from etamu.vector.problem import Predicted, VectorProblem
from etamu.vector.rows import unit_of, visited
from etamu.vector.stack import Stack

SEVERAL = 3
"""So many predictors, and an information costs several times as much as a score."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A problem set up for solving: rows that count, every predictor in columns of full rank."""

    chunk: Chunk
    executor: Threads
    stack: Stack
    extent: Array


def prepare(problem: VectorProblem) -> Stage:
    """Shift and scale the columns of every predictor and drop the aliased ones; equal predictors once."""
    chunk = problem.counting()
    seen: dict[tuple[int, tuple[str, ...], int], tuple[Predictor, Coordinates, Array]] = {}
    placed: list[Predictor] = []
    coordinates: list[Coordinates] = []
    extents: list[Array] = []
    told = problem.family.told_by(chunk.y)
    for predictor, stated in zip(chunk.predictors, problem.predictors, strict=True):
        rows = told.get(stated.parameter.name)
        key = id(predictor), stated.hidden, id(rows)
        if key not in seen:
            seen[key] = _standardised(problem, chunk, predictor, stated, rows)
        ready, own, most = seen[key]
        placed.append(ready)
        coordinates.append(own)
        extents.append(most)
    ready_chunk = Chunk(tuple(placed), chunk.y, chunk.weights, chunk.row_ids, chunk.cluster)
    stack = stacked(problem, tuple(coordinates))
    if stack.aliased:
        silent = " or the ".join(name for name, rows in told.items() if not rows.any())
        why = "are linear combinations of earlier ones"
        if silent:
            why = f"say nothing, for no row tells of the {silent},"
        message = (
            f"{len(stack.aliased)} column(s) {why} and have no coefficient (NaN): {listed(stack.aliased)}"
        )
        warnings.warn(message, AliasWarning, stacklevel=user_level())
    executor = Threads(ready_chunk, **visited(problem.options, len(placed)))
    return Stage(ready_chunk, executor, stack, np.concatenate(extents))


def _standardised(
    problem: VectorProblem, chunk: Chunk, predictor: Predictor, stated: Predicted, told: Mask | None
) -> tuple[Predictor, Coordinates, Array]:
    """Shift and scale one predictor, drop its aliases and the terms that are other predictors'.

    Aliases are decided on the rows that say something of it, where not all do.
    """
    alone = Chunk((predictor,), chunk.y, chunk.weights, chunk.row_ids)
    raw = Threads(alone, **visits(problem.options))
    moments = predictor.design.described or raw.reduce(lambda block: describe(block.predictors[0].design))
    placed, own = standardised(predictor.design, stated.layout, moments)
    ready = Predictor(placed, predictor.offset)
    rows = Chunk((ready,), chunk.y, chunk.weights, chunk.row_ids)
    rows = rows if told is None else rows.take(np.flatnonzero(told))
    own = own.without(aliased(Threads(rows, **visits(problem.options)), own))
    hidden = {
        j for term in stated.layout.terms if term.label in stated.hidden for j in _columns(term.columns)
    }
    own = replace(own, kept=np.array([j for j in own.kept if j not in hidden], dtype=np.intp))
    return ready, own, extent(own, moments)


def _columns(columns: slice) -> range:
    return range(columns.start, columns.stop)


def stacked(problem: VectorProblem, coordinates: tuple[Coordinates, ...]) -> Stack:
    """Put the coordinates of all predictors end to end, and name what is reported of them."""
    names: list[str] = []
    chosen: list[int] = []
    anchored, at = None, 0
    for number, stated in enumerate(problem.predictors):
        if stated.parameter.anchored:
            anchored = number
        hidden = {j for t in stated.layout.terms if t.label in stated.hidden for j in _columns(t.columns)}
        for j, column in enumerate(stated.layout.names):
            if j not in hidden:
                names.append(problem.family.label(stated.parameter, column))
                chosen.append(at + j)
        at += stated.layout.width
    return Stack(coordinates, tuple(names), np.array(chosen, dtype=np.intp), anchored)


def likelihood_of(problem: VectorProblem, stage: Stage) -> Likelihood:
    """State the oracle whose maximum is sought."""
    stack: Any = stage.stack  # what a likelihood asks of coordinates, it has
    # Of k predictors an information has k (k + 1) / 2 Grams and a score k products.
    saved = len(stage.stack.parts) >= SEVERAL and stage.chunk.cells >= LONG
    unit = unit_of(problem.family, climbing=True)
    return Likelihood(stage.executor, unit, stack, stage.extent, dear=saved, wide=saved)
