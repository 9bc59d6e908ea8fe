"""Several starts, where a shape with a predictor of its own may give the likelihood several maxima.

The climb is repeated from the first end with the shape's slopes taken out and its constant put elsewhere; the
best end is kept.

May import: everything below `vector`.
Read next: `etamu.fit.several`, the same for one predictor; `etamu.vector.estimate`, which asks for this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.family.vector import VectorFamily
from etamu.fit.several import BETTER
from etamu.objective.likelihood import Likelihood
from etamu.solve.oracle import Outcome, Solution
from etamu.vector.stack import Stack

SHAPES = (0.35, 3.0, 20.0)
"""Shapes to start from."""
ROWS = 2_000
"""Of more rows the likelihood knows its shape better than to have several maxima."""

Climb = Callable[[Array], Solution]


def best_of(
    oracle: Likelihood, family: VectorFamily, chunk: Chunk, stack: Stack, first: Solution, climb: Climb
) -> Solution:
    """Climb again from other shapes and return the best end, with the trace of its own climb."""
    doubtful = [j for j, each in enumerate(family.parameters) if each.name in family.wavering]
    if not doubtful or len(chunk) > ROWS or first.outcome is Outcome.INFEASIBLE:
        return first
    best = first
    for start in _others(family, stack, first.beta, doubtful):
        if not np.isfinite(oracle.along(start, start * 0.0, np.zeros(1))[0]):
            continue
        found = climb(start)
        gain = found.local.value - best.local.value
        if found.outcome is Outcome.CONVERGED and gain > BETTER * max(abs(best.local.value), 1e-300):
            best = found
    return best


def _others(family: VectorFamily, stack: Stack, end: Array, doubtful: list[int]) -> Iterator[Array]:
    """Yield starts with other constants for the doubtful predictors, and no slopes."""
    for shape in SHAPES:
        out = end.copy()
        for j in doubtful:
            part = stack.parts[j]
            if part.layout.constant is None:
                return
            level = float(family.parameters[j].link.link(np, np.float64(shape)))
            out[stack.blocks[j]] = part.working(part.layout.constant * level)
        yield out
