"""What has an estimate in spite of aliased columns: combinations that no vector of the null space moves.

May import: everything below `fit`.
Read next: `etamu.fit.means` and `etamu.fit.averages`, which ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.coordinates import Coordinates
from etamu.design.design import Design
from etamu.fit.restrict import bench_of

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

TOLERANCE = 1e-8
"""How far a row may leave the row space of X, relatively, before it has no estimate."""


@dataclass(frozen=True, slots=True, eq=False)
class NullSpace:
    """The vectors v with X v = 0 over the rows of a fit, one per aliased column.

    With the kept columns X_k and aliased ones X_a = X_k A they are (A, -1).

    Parameters
    ----------
    coordinates : Coordinates
        Of all reported columns, aliased ones included.
    vectors : array (coefficients, aliased)
        In these coordinates.
    """

    coordinates: Coordinates
    vectors: Array

    def spares(self, rows: Array) -> NDArray[np.bool_]:
        """Tell which rows over the reported coefficients, (m, names), have an estimate."""
        working = self.coordinates.hypothesis(rows)
        distance = np.abs(working @ self.vectors).max(axis=1)
        # A row at the means of shifted columns is 0 there but for rounding: its largest entry counts too.
        size = np.maximum((np.abs(working) @ np.abs(self.vectors)).max(axis=1), np.abs(working).max(axis=1))
        return np.asarray(distance <= TOLERANCE * np.maximum(size, 1e-300))

    def leaves(self, design: Design) -> bool:
        """Tell whether some row of a design, its columns as they came, has no estimate."""
        placed = self.coordinates.placed(design)
        bound = TOLERANCE * (1.0 + float(np.abs(self.vectors).sum()))
        for vector in self.vectors.T:
            moved = placed.matvec(self.coordinates.raw(vector))
            if np.any(np.abs(moved) > bound * (1.0 + np.abs(moved).max())):
                return True
        return False


def null_space(fit: FittedModel) -> NullSpace | None:
    """Find the null space of the columns of a fit, from one triangle; None where nothing is aliased."""
    if not fit.aliased:
        return None
    bench = bench_of(fit)
    kept = fit.coordinates.kept
    gone = np.setdiff1d(np.arange(len(fit.names)), kept)
    triangle = bench.triangle
    vectors = np.zeros((len(fit.names), len(gone)))
    vectors[kept] = np.linalg.lstsq(triangle[:, kept], triangle[:, gone], rcond=None)[0]
    vectors[gone, np.arange(len(gone))] = -1.0
    return NullSpace(bench.full, vectors)
