"""Per-row quantities of a fit, laid out at the length of the input.

May import: everything below `fit`.
Read next: `etamu.fit.residuals`, `etamu.fit.predict`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.types import Array
from etamu.design.chunk import Chunk, Predictor
from etamu.execute.threads import ROWS, Threads

if TYPE_CHECKING:
    from etamu.fit.result import Fit


def by_row(fit: Fit, function: Callable[[Chunk], Array]) -> Array:
    """Compute one number per row of the input, block by block; NaN where a row was dropped.

    The chunk handed to `function` has columns in the coordinates of `fit.beta`.
    """
    problem = fit.problem
    predictor = problem.chunk.predictors[0]
    placed = Predictor(fit.coordinates.placed(predictor.design), predictor.offset)
    chunk = Chunk((placed,), problem.chunk.y, problem.chunk.weights, problem.chunk.row_ids)
    options = problem.options
    pieces: list[Array] = []
    Threads(chunk, rows=options.block_rows or ROWS).map(function, pieces.append)
    out = np.full(problem.input_rows, np.nan)
    out[problem.chunk.row_ids] = np.concatenate(pieces)
    return out


def raw_beta(fit: Fit) -> Array:
    """Return the coefficients of the shifted, scaled raw columns."""
    return fit.coordinates.raw(fit.beta)
