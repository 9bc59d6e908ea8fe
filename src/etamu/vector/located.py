"""Where a fit of several predictors stands: at its maximum, or of a limit far out.

May import: everything below `vector`.
Read next: `etamu.vector.limit`, which finds what runs away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.design.chunk import Chunk
from etamu.infer.covariance import Root
from etamu.objective.likelihood import Likelihood
from etamu.solve.oracle import Oracle
from etamu.solve.restricted import Restricted
from etamu.vector.limit import runs
from etamu.vector.rows import eta_of

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel


class Ended(NamedTuple):
    """Etas (n, k); of a limit also how far they were put out, (n, k), and which rows are not determined."""

    eta: Array
    run: Array | None = None
    unknown: Mask = np.zeros(0, dtype=bool)


def ended(fit: FittedVectorModel, chunk: Chunk) -> Ended:
    """Compute the etas of a chunk placed in the coordinates of a fit, those that run away at their ends."""
    stack, limit = fit.coordinates, fit.limit
    if limit is None:
        return Ended(eta_of(chunk, stack.raw(fit.beta)))
    if not limit.count:  # a parameter at its end is there in every row
        run = eta_of(chunk, stack.raw(limit.far * limit.direction), offset=False)
        return Ended(eta_of(chunk, stack.raw(fit.beta)), run, np.zeros(len(chunk), dtype=bool))
    moved = [eta_of(chunk, stack.raw(vector), offset=False) for vector in limit.basis.T]
    run, unknown = runs(fit.family, np.stack(moved, axis=2), limit)
    return Ended(eta_of(chunk, stack.raw(limit.near)) + run, run, unknown)


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """Where a fit has its maximum: an oracle over the coordinates that have estimates, and the point."""

    oracle: Oracle
    beta: Array
    root: Root
    kept: Mask


def located(fit: FittedVectorModel, oracle: Likelihood) -> Located:
    """Return where a fit is verified: itself, or of a limit the flat far out."""
    limit = fit.limit
    if limit is None:
        return Located(oracle, fit.beta, fit.root, np.ones(fit.rank, dtype=bool))
    kept = ~limit.gone
    flat = Restricted(oracle, limit.far * limit.direction, np.eye(fit.rank)[:, kept])
    return Located(flat, limit.beta, Root(fit.root.matrix[kept]), kept)
