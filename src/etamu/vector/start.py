"""Where a fit of several predictors starts: the family's guess, row by row or at its constants.

May import: everything below `vector`.
Read next: `etamu.vector.estimate`.
"""

from __future__ import annotations

import numpy as np

from etamu._base.arrow import all_finite
from etamu._base.errors import DataError
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.family.vector import VectorFamily
from etamu.objective.likelihood import Likelihood
from etamu.solve.factor import least_squares
from etamu.vector.stack import Stack


def start(oracle: Likelihood, family: VectorFamily, chunk: Chunk, stack: Stack) -> Array:
    """Choose where to start, in working coordinates: the best of the candidates inside the domain.

    Raises
    ------
    DataError
        If none has a likelihood above 0.
    """
    total = chunk.weights.total()
    weight = np.ones(len(chunk)) if total is None else total
    with np.errstate(all="ignore"):
        guess = family.start(chunk.y, weight)
    rows = np.broadcast_to(guess, (len(chunk), len(stack.parts)))
    if stack.anchored is not None and (offset := chunk.predictors[stack.anchored].offset) is not None:
        # What the anchored predictor has by its offset the others have to exceed.
        own = np.arange(len(stack.parts)) != stack.anchored
        guess = guess + own * float(np.average(offset, weights=weight))
        rows = rows + own * offset[:, None]
    constants = rows[0] if guess.ndim == 1 else np.average(rows, axis=0, weights=weight)
    candidates = [_projected(chunk, stack, rows, weight), _constant(chunk, stack, constants, weight)]
    candidates += [_constant(chunk, stack, constants, None), np.zeros(stack.size)]
    values = [float(oracle.along(each, each * 0.0, np.zeros(1))[0]) for each in candidates]
    best = int(np.argmax([value if np.isfinite(value) else -np.inf for value in values]))
    if not np.isfinite(values[best]):
        raise DataError(
            f"no coefficients were found at which the {family.name} likelihood is above 0: look at the "
            "offset and at values far from all others, or give start="
        )
    return candidates[best]


def _projected(chunk: Chunk, stack: Stack, rows: Array, weight: Array) -> Array:
    """Project the guess of every row, less its offset, on the columns of each predictor."""
    out = np.zeros(stack.size)
    for j, (predictor, part) in enumerate(zip(chunk.predictors, stack.parts, strict=True)):
        wanted = rows[:, j] if predictor.offset is None else rows[:, j] - predictor.offset
        gram = part.gram(predictor.design.gram_parts(weight))
        right = part.gathered(predictor.design.rmatvec(weight * wanted))
        if part.size and all_finite(gram) and np.all(np.isfinite(right)):
            out[stack.blocks[j]] = least_squares(gram, right)
    return out


def _constant(chunk: Chunk, stack: Stack, constants: Array, weight: Array | None) -> Array:
    """Set every predictor to a constant, less its mean offset where weights are given; else 0."""
    out = np.zeros(stack.size)
    for j, (predictor, part) in enumerate(zip(chunk.predictors, stack.parts, strict=True)):
        constant = part.layout.constant
        if constant is None:
            continue
        level = constants[j]
        if predictor.offset is not None and weight is not None:
            level -= float(np.average(predictor.offset, weights=weight))
        out[stack.blocks[j]] = part.working(constant * level)
    return out
