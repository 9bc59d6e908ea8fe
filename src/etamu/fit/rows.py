"""Per-row quantities of a fit, laid out at the length of the input.

May import: everything below `fit`.
Read next: `etamu.fit.residuals`, `etamu.fit.predict`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etamu._base.types import Array
from etamu.design.chunk import Chunk, Predictor
from etamu.execute.threads import Threads

if TYPE_CHECKING:
    from etamu.fit.result import Fit


def by_row(fit: Fit, function: Callable[[Chunk], Array], rows: NDArray[np.intp] | None = None) -> Array:
    """Compute one number, or several, per row of the input, block by block; NaN where a row was dropped.

    The chunk handed to `function` has columns in the coordinates of `fit.beta`. With `rows`, positions in the
    input, only those are visited, and answered in their order.
    """
    problem = fit.problem
    chunk, place, length = problem.chunk, problem.chunk.row_ids, problem.input_rows
    if rows is not None:
        used = np.full(problem.input_rows, -1)
        used[chunk.row_ids] = np.arange(len(chunk))
        place, length = np.flatnonzero(used[rows] >= 0), len(rows)
        chunk = chunk.take(used[rows[place]])
    predictor = chunk.predictors[0]
    placed = Predictor(fit.coordinates.placed(predictor.design), predictor.offset)
    chunk = Chunk((placed,), chunk.y, chunk.weights, chunk.row_ids)
    pieces: list[Array] = []
    Threads(chunk, rows=problem.options.block_rows).map(function, pieces.append)
    values = np.concatenate(pieces)
    out = np.full((length, *values.shape[1:]), np.nan)
    out[place] = values
    return out


def raw_beta(fit: Fit) -> Array:
    """Return the coefficients of the shifted, scaled raw columns."""
    return fit.coordinates.raw(fit.beta)
