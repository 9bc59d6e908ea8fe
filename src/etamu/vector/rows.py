"""Per-row quantities of a fit of several predictors, laid out at the length of the input.

May import: everything below `vector`.
Read next: `etamu.vector.predict`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.types import Array
from etamu.design.chunk import Chunk, Predictor
from etamu.execute.threads import Threads
from etamu.fit.placed import visits

if TYPE_CHECKING:
    from etamu.vector.result import VectorFit


def placed_chunk(fit: VectorFit, chunk: Chunk) -> Chunk:
    """Give the columns of every predictor the shift and scale of the estimate; equal predictors once."""
    seen: dict[tuple[int, int], Predictor] = {}
    placed: list[Predictor] = []
    for predictor, part in zip(chunk.predictors, fit.coordinates.parts, strict=True):
        key = id(predictor), id(part)
        if key not in seen:
            seen[key] = Predictor(part.placed(predictor.design), predictor.offset)
        placed.append(seen[key])
    return Chunk(tuple(placed), chunk.y, chunk.weights, chunk.row_ids, chunk.cluster)


def by_row(fit: VectorFit, function: Callable[[Chunk], Array]) -> Array:
    """Compute numbers per row of the input, block by block; NaN where a row was dropped.

    The chunk handed to `function` has columns in the coordinates of `fit.beta`.
    """
    problem = fit.problem
    chunk = placed_chunk(fit, problem.chunk)
    pieces: list[Array] = []
    Threads(chunk, **visits(problem.options)).map(function, pieces.append)
    values = np.concatenate(pieces)
    out = np.full((problem.input_rows, *values.shape[1:]), np.nan)
    out[chunk.row_ids] = values
    return out
