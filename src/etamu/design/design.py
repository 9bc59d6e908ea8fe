"""Blocks side by side: the design matrix that is never built.

May import: numpy, `etamu._base`, `etamu.design`.
Read next: `etamu.design.chunk`, what a pass over the rows is handed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.kernel import portable
from etamu._base.types import Array
from etamu.design.blocks import Block, Dense, Sparse
from etamu.design.cross import bilinear, cross
from etamu.design.fold import Fold, fold_of
from etamu.design.gram import Gram, gram_of
from etamu.design.moments import Moments
from etamu.design.visited import visited


@dataclass(frozen=True, eq=False)
class Design:
    """Raw columns of one linear predictor over some rows.

    Parameters
    ----------
    blocks : tuple of Block
        Side by side; raw columns are numbered through them in order.
    length : int
        Number of rows, stated because a design may have no column at all.
    described : Moments, optional
        Of every raw column, where they are known already.
    read : bool
        Whether every number is known to be finite; if not, the first pass has to see to it.
    """

    blocks: tuple[Block, ...]
    length: int
    described: Moments | None = None
    read: bool = True

    def __getstate__(self) -> dict[str, Any]:
        return portable(self)

    @cached_property
    def width(self) -> int:
        """Number of raw columns."""
        return sum(block.width for block in self.blocks)

    @cached_property
    def stored(self) -> int:
        """Numbers kept per row: what a pass has to read."""
        return sum(block.stored for block in self.blocks)

    @cached_property
    def summed(self) -> int:
        """Numbers in the tables of X'WX: those of pairs of blocks with a coded or sparse one among them."""
        blocks = self.blocks if self.fold is None else self.fold.blocks
        between = (a.width * b.width for a, b in combinations(blocks, 2) if not (a.shiftable and b.shiftable))
        return sum(between) + sum(block.width**2 for block in blocks if isinstance(block, Sparse))

    @cached_property
    def fold(self) -> Fold | None:
        """How the kernel reads the blocks, None where it reads all as they are."""
        return fold_of(self.blocks)

    @cached_property
    def compiled(self) -> Any:
        """The columns as the kernel visits them, None where the NumPy twins have to serve."""
        return visited(self.blocks, self.fold, self.length)

    @cached_property
    def pieced(self) -> bool:
        """Whether some column lies in several pieces of memory."""
        return any(isinstance(block, Dense) and block.pieced for block in self.blocks)

    def visit(self) -> Design:
        """Return the same columns, of which what is joined to be read is forgotten with it."""
        if not self.pieced:
            return self
        out = replace(self)
        out.__dict__.update(portable(self))
        return out

    def placed(self) -> Iterator[tuple[slice, Block]]:
        """Yield each block with the raw columns it covers."""
        start = 0
        for block in self.blocks:
            yield slice(start, start + block.width), block
            start += block.width

    def matvec(self, beta: Array) -> Array:
        """Compute X beta, (length,)."""
        eta = np.zeros(self.length)
        for columns, block in self.placed():
            eta += block.matvec(beta[columns])
        return eta

    def matmat(self, matrix: Array) -> Array:
        """Compute X B, (length, vectors), for a few vectors at once."""
        out = np.zeros((self.length, matrix.shape[1]))
        for columns, block in self.placed():
            out += block.matmat(matrix[columns])
        return out

    def rmatvec(self, v: Array) -> Array:
        """Compute X'v, (width,)."""
        parts = [block.rmatvec(v) for block in self.blocks]
        return np.concatenate(parts) if parts else np.zeros(0)

    def gram(self, w: Array) -> Array:
        """Compute X' diag(w) X, (width, width), for weights of any sign."""
        return self.gram_parts(w).dense()

    def gram_parts(self, w: Array) -> Gram:
        """Compute X' diag(w) X by pairs of blocks, which add and are never written out as one matrix."""
        return gram_of(self.blocks, w)

    def cross(self, other: Design, w: Array) -> Array:
        """Compute X' diag(w) Z for the design Z of another linear predictor."""
        out = np.zeros((self.width, other.width))
        for left, a in self.placed():
            for right, b in other.placed():
                out[left, right] = cross(a, b, w)
        return out

    def quadratic(self, matrix: Array) -> Array:
        """Compute x_i' M x_i for every row, M symmetric (width, width)."""
        out = np.zeros(self.length)
        for columns, block in self.placed():
            out += block.quadratic(matrix[columns, columns])
        for (left, a), (right, b) in combinations(self.placed(), 2):
            out += 2.0 * bilinear(a, b, matrix[left, right])
        return out

    def dense(self) -> Array:
        """Write a block of rows out, (length, width); for triangular factors and small outputs only."""
        return np.hstack([np.zeros((self.length, 0)), *(block.dense() for block in self.blocks)])

    def extent(self) -> Array:
        """Return the largest |x| of every raw column, one number for the levels of a block."""
        return np.concatenate([np.zeros(0), *(block.extent() for block in self.blocks)])

    def rows(self, start: int, stop: int) -> Design:
        """View the rows start, …, stop - 1."""
        return Design(tuple(block.rows(start, stop) for block in self.blocks), stop - start)

    def take(self, index: NDArray[np.intp]) -> Design:
        """Copy some rows."""
        return Design(tuple(block.take(index) for block in self.blocks), len(index), read=self.read)

    def scaled(self, shift: Array, scale: Array) -> Design:
        """Replace the shift and the scale of every raw column."""
        placed = (block.scaled(shift[columns], scale[columns]) for columns, block in self.placed())
        return Design(tuple(placed), self.length)
