"""The likelihood of few rows, written out: what every row has at its eta, before anything is summed.

May import: everything below `objective`.
Read next: `etamu.solve.trust`, which climbs over such rows; `etamu.fit.edge`, which holds some on the edge.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.family.unit import Unit
from etamu.objective.likelihood import Likelihood
from etamu.solve.trust import RowValues, blur

CELLS = 4_000_000
"""Numbers in the rows up to which they are written out."""


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A likelihood with its rows in working coordinates.

    Parameters
    ----------
    oracle : Likelihood
    unit : Unit
        The unit of the oracle.
    chunk : Chunk
        Rows with their columns placed.
    rows : array (n, size)
    offset : array (n,)
    barrier : float
        So many times the logarithm of every distance from an end of the domain is added to the value: then
        its maximum is inside, and nears that of the value itself as the barrier falls.
    """

    oracle: Likelihood
    unit: Unit
    chunk: Chunk
    rows: Array
    offset: Array
    barrier: float = 0.0

    @property
    def ends(self) -> tuple[float, float]:
        """The domain of eta."""
        domain = self.unit.domain
        return domain.lower, domain.upper

    @property
    def inward(self) -> list[tuple[float, float]]:
        """Every finite end, and the direction into the domain there."""
        return [(end, sign) for end, sign in zip(self.ends, (1.0, -1.0), strict=True) if np.isfinite(end)]

    def scale(self, value: float) -> float:
        """Return the unit in which a value is counted."""
        return self.oracle.scale(value)

    def look(self, eta: Array) -> RowValues:
        """Evaluate every row, all its copies together; -inf outside the domain."""
        chunk, unit = self.chunk, self.unit
        with np.errstate(all="ignore"):
            value, score, observed = unit.bind(np, "observed")(chunk.y, eta)
            expected = unit.bind(np, "expected")(chunk.y, eta)[2]
            parts = [np.where(unit.domain.contains(eta), value, -np.inf), score, observed, expected]
            weight = chunk.weights.total()
            if weight is not None:
                parts = [np.where(weight > 0, part * weight, 0.0) for part in parts]
            for end, sign in self.inward if self.barrier else ():
                gap = sign * (eta - end)
                bend = self.barrier / gap**2
                added = (self.barrier * np.log(gap), sign * self.barrier / gap, bend, bend)
                parts = [part + more for part, more in zip(parts, added, strict=True)]
        return RowValues(*parts)


def written(oracle: Likelihood, unit: Unit, chunk: Chunk) -> Written | None:
    """Write the rows of a likelihood out; None where they are too many."""
    if len(chunk) * oracle.size > CELLS:
        return None
    predictor = chunk.predictors[0]
    offset = np.zeros(len(chunk)) if predictor.offset is None else np.asarray(predictor.offset)
    return Written(oracle, unit, chunk, oracle.coordinates.rows(predictor.design), offset)


def unheard(rows: Written, beta: Array) -> float:
    """Return what rounding of eta to float64 may change the value by."""
    lost = blur(rows, beta)
    with np.errstate(all="ignore"):
        seen = rows.look(rows.rows @ beta + rows.offset)
        bend = np.maximum(np.abs(seen.observed), seen.expected)
        found = float(np.sum((np.abs(seen.slope) + bend * lost) * lost))
    return found if math.isfinite(found) else 0.0
