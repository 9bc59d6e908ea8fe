"""What the kernel sums by level, carried to the columns of a table: coefficients in, scores and Grams out.

May import: numpy, `etamu._base`, `etamu.design`.
Read next: `etamu.design.chunk`, which hands rows to the kernel.
"""

from __future__ import annotations

from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.blocks import Block
from etamu.design.gram import Diagonal, Gram, Part, Table
from etamu.design.tabulated import Tabulated, squared
from etamu.design.verbs import contiguous


@dataclass(frozen=True, eq=False)
class Fold:
    """How levels that stand for columns of tables reach those columns.

    Parameters
    ----------
    blocks : tuple of Block
        As the kernel reads them: the codes of a table are a coded block.
    tables : tuple of arrays (levels, columns), or None
        What each level is, block by block; None where raw columns are read as they are.

    Examples
    --------
    >>> fold = fold_of((Tabulated(np.array([0, 1]), np.array([[1.0], [3.0]])),))
    >>> fold.spread(np.array([2.0])).tolist(), fold.gathered(np.array([1.0, 1.0])).tolist()
    ([2.0, 6.0], [4.0])
    """

    blocks: tuple[Block, ...]
    tables: tuple[Array | None, ...]

    @cached_property
    def places(self) -> list[tuple[slice, slice, Array | None]]:
        """The raw columns of each block, the columns the kernel has for them, and its table."""
        widths = [
            block.width if table is None else table.shape[1]
            for block, table in zip(self.blocks, self.tables, strict=True)
        ]
        raw = [slice(*ends) for ends in pairwise([0, *accumulate(widths)])]
        levels = [slice(*ends) for ends in pairwise([0, *accumulate(block.width for block in self.blocks)])]
        return list(zip(raw, levels, self.tables, strict=True))

    def spread(self, beta: Array) -> Array:
        """Map coefficients of raw columns, (raw, …), to those of levels."""
        parts = [beta[raw] if table is None else table @ beta[raw] for raw, _, table in self.places]
        return np.concatenate(parts)

    def spread_matrix(self, matrix: Array) -> Array:
        """Map M so that x_levels' (result) x_levels = x_raw' M x_raw."""
        return self.spread(self.spread(matrix).T)

    def gathered(self, score: Array) -> Array:
        """Map a score over levels, (levels, …), to raw columns."""
        parts = [score[at] if table is None else table.T @ score[at] for _, at, table in self.places]
        return np.concatenate(parts)

    def extent(self, levels: Array) -> Array:
        """Return the largest |x| of every raw column, over all levels; that of rows is not known."""
        parts = [
            levels[at] if table is None else np.abs(table).max(axis=0, initial=0.0)
            for _, at, table in self.places
        ]
        return np.concatenate([*parts, [np.inf]])

    def gram(self, levels: Gram | Array) -> Gram | Array:
        """Map X'WX over levels to raw columns."""
        if not isinstance(levels, Gram):
            whole = self.gathered(self.gathered(levels).T)
            return np.asarray(0.5 * (whole + whole.T))
        tables = self.tables
        parts = {(i, j): _folded(part, tables[i], tables[j]) for (i, j), part in levels.parts.items()}
        widths = (raw.stop - raw.start for raw, _, _ in self.places)
        return Gram(tuple(widths), parts)


def fold_of(blocks: tuple[Block, ...]) -> Fold | None:
    """Return how the blocks are read by the kernel, None where it reads all as they are."""
    if not any(isinstance(block, Tabulated) for block in blocks):
        return None
    return Fold(
        tuple(block.coded if isinstance(block, Tabulated) else block for block in blocks),
        tuple(block.values if isinstance(block, Tabulated) else None for block in blocks),
    )


def _folded(part: Part, left: Array | None, right: Array | None) -> Part:
    """Multiply a product of levels by the tables on either side."""
    if left is None and right is None:
        return part
    if isinstance(part, Diagonal) and left is right and left is not None:
        return Table(squared(left, part.values))
    product = part.dense()
    product = product if left is None else left.T @ product
    return Table(product if right is None else product @ right)


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """Rows as the kernel visits them, asked and answered in raw columns; Grams are left to `Fold.gram`."""

    rows: Any
    fold: Fold

    @property
    def responses(self) -> int:
        """Columns of the response that are read."""
        return int(self.rows.responses)

    def accumulate(
        self, beta: Array, *asked: Any
    ) -> tuple[float, Array | None, Any, float, Array | None] | None:
        """Pass over the rows once."""
        found = self.rows.accumulate(contiguous(self.fold.spread(beta)), *asked)
        if found is None:
            return None
        value, gradient, parts, pearson, extent = found
        score = None if gradient is None else self.fold.gathered(gradient)
        return value, score, parts, pearson, None if extent is None else self.fold.extent(extent)

    def along(self, beta: Array, step: Array, *asked: Any) -> Array:
        """Sum the value at several points of a line."""
        start, direction = contiguous(self.fold.spread(beta)), contiguous(self.fold.spread(step))
        return np.asarray(self.rows.along(start, direction, *asked))

    def etas(self, beta: Array, *asked: bool) -> Array:
        """Compute eta of every row."""
        return np.asarray(self.rows.etas(contiguous(self.fold.spread(beta)), *asked))

    def etas_of(self, betas: Array) -> Array:
        """Compute X beta of every row for several betas, (betas, rows)."""
        return np.asarray(self.rows.etas_of(contiguous(self.fold.spread(betas.T).T)))

    def weighed(self, scores: list[Array], weights: list[Array]) -> tuple[list[Array], list[Any]]:
        """Sum X'u and X' diag(w) X for every u and w."""
        sums, parts = self.rows.weighed(scores, weights)
        return [self.fold.gathered(each) for each in sums], parts

    def quadratic(self, matrix: Array) -> Array:
        """Compute x_i' M x_i of every row."""
        return np.asarray(self.rows.quadratic(contiguous(self.fold.spread_matrix(matrix))))

    def girth(self) -> float:
        """Find the largest x_i'x_i."""
        width = sum(raw.stop - raw.start for raw, _, _ in self.fold.places)
        return float(self.quadratic(np.eye(width)).max(initial=0.0))
