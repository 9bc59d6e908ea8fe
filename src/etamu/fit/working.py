"""The working response and weights of IRLS at the estimate.

May import: everything below `fit`.
Read next: `etamu.solve.irls`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.fit.rows import by_row, raw_beta
from etamu.sums import etas

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel
    from etamu.fit.reduced import working_shift
else:
    working_shift = later("etamu.fit.reduced", "working_shift")


@dataclass(frozen=True, slots=True, eq=False)
class Working:
    """Working response z = eta - offset + (y - mu) g'(mu) and weight W = w mu'^2 / V.

    One weighted least squares of z on X with weights W gives the coefficients back; for estimates of reduced
    bias z holds the adjustment of the score too. Both have the input's length, NaN where a row was dropped.
    """

    response: Array
    weights: Array


def working(fit: FittedModel) -> Working:
    """Compute the working response and weights at the estimate."""
    unit, beta = fit.problem.unit, raw_beta(fit)
    moved = None if fit.method == "ml" else working_shift(fit)

    def response(chunk: Chunk) -> Array:
        with np.errstate(all="ignore"):
            _, score, information = unit.bind(np, "expected")(chunk.y, etas(chunk, beta))
            plain = etas(chunk, beta, offset=False) + np.where(score == 0.0, 0.0, score / information)
        return plain if moved is None else plain + moved(chunk)

    def weight(chunk: Chunk) -> Array:
        with np.errstate(all="ignore"):
            information = unit.bind(np, "expected")(chunk.y, etas(chunk, beta))[2]
        total = chunk.weights.total()
        return np.asarray(information if total is None else information * total)

    return Working(by_row(fit, response), by_row(fit, weight))
