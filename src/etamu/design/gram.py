"""X'WX by pairs of blocks, as a thing that adds: what is diagonal or mostly zero is never written out.

May import: numpy, `etamu._base`, `etamu.design`.
Read next: `etamu.design.working`, which maps it to working coordinates.

With a factor of 3,000 levels a dense X'WX of raw columns is 72 MB per row block; its parts are a
diagonal of 3,000 numbers and one table per pair of blocks. A pair of wide factors keeps only the
cells that occur.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.blocks import Block, Coded, Dense
from etamu.design.cross import cross
from etamu.design.verbs import contiguous, verbs_for

DENSE_SHARE = 4
"""A sparse table with more than one cell in DENSE_SHARE is a table."""


@dataclass(frozen=True, slots=True, eq=False)
class Diagonal:
    """The product of a coded block with itself: a number per level.

    Examples
    --------
    >>> (Diagonal(np.array([1.0, 2.0])) + Diagonal(np.array([0.5, 0.0]))).dense().tolist()
    [[1.5, 0.0], [0.0, 2.0]]
    """

    values: Array

    def __add__(self, other: Diagonal) -> Diagonal:
        return Diagonal(self.values + other.values)

    def absorb(self, other: Diagonal) -> Diagonal:
        """Add in place."""
        np.add(self.values, other.values, out=self.values)
        return self

    def dense(self) -> Array:
        """Write the matrix out."""
        return np.diag(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A product of two blocks, written out."""

    values: Array

    def __add__(self, other: Table | Cells) -> Table:
        return Table(self.values + other.values) if isinstance(other, Table) else other.added_to(self)

    def absorb(self, other: Table | Cells) -> Table:
        """Add in place."""
        if not isinstance(other, Table):
            return other.added_to(self)
        np.add(self.values, other.values, out=self.values)
        return self

    def dense(self) -> Array:
        """Return the matrix."""
        return self.values


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A product of two wide factors: only the pairs of levels that occur.

    Parameters
    ----------
    cells : int64 (m,)
        row * columns + column of every cell that is not zero, ascending.
    values : array (m,)
    shape : (rows, columns)

    Examples
    --------
    >>> one = Cells(np.array([1, 4]), np.array([1.0, 2.0]), (2, 3))
    >>> (one + one).dense().tolist()
    [[0.0, 2.0, 0.0], [0.0, 4.0, 0.0]]
    """

    cells: NDArray[np.int64]
    values: Array
    shape: tuple[int, int]

    def __add__(self, other: Table | Cells) -> Table | Cells:
        if isinstance(other, Table):
            return self.added_to(other)
        verbs = verbs_for(*self.shape)
        cells, values = verbs.coded_merge((self.cells, self.values), (other.cells, other.values))
        return kept_sparse(cells, values, self.shape)

    def absorb(self, other: Table | Cells) -> Table | Cells:
        """Add; what is sparse finds no place for new cells."""
        return self + other

    def added_to(self, table: Table) -> Table:
        """Add the cells to a table."""
        total = table.values.copy()
        total.ravel()[self.cells] += self.values
        return Table(total)

    def dense(self) -> Array:
        """Write the matrix out."""
        out = np.zeros(self.shape)
        out.ravel()[self.cells] = self.values
        return out

    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the row and the column of every cell."""
        rows, columns = np.divmod(self.cells, self.shape[1])
        return rows, columns


Part = Diagonal | Table | Cells


def kept_sparse(cells: NDArray[np.int64], values: Array, shape: tuple[int, int]) -> Table | Cells:
    """Keep cells as they are, or as a table once many of them occur."""
    sparse = Cells(cells, values, shape)
    return Table(sparse.dense()) if len(cells) * DENSE_SHARE > shape[0] * shape[1] else sparse


@dataclass(frozen=True, slots=True, eq=False)
class Gram:
    """X'WX of a design, by pairs of blocks; adding two is adding the rows they came from.

    Parameters
    ----------
    widths : tuple of int
        Raw columns of each block.
    parts : mapping of (i, j) to Part
        The product of the blocks i <= j.

    Examples
    --------
    >>> one = Gram((1, 2), {(0, 0): Table(np.array([[3.0]])), (0, 1): Table(np.array([[1.0, 2.0]])),
    ...                     (1, 1): Diagonal(np.array([1.0, 2.0]))})
    >>> (one + one).dense().tolist()
    [[6.0, 2.0, 4.0], [2.0, 2.0, 0.0], [4.0, 0.0, 4.0]]
    """

    widths: tuple[int, ...]
    parts: Mapping[tuple[int, int], Part]

    def __add__(self, other: Gram) -> Gram:
        added: dict[tuple[int, int], Any] = {}
        for pair, part in self.parts.items():
            added[pair] = part + other.parts[pair]  # type: ignore[operator]
        return Gram(self.widths, added)

    def absorb(self, other: Gram) -> Gram:
        """Add, in the memory of this one, which is used up: large tables are allocated once."""
        theirs: Mapping[tuple[int, int], Any] = other.parts
        return Gram(self.widths, {pair: part.absorb(theirs[pair]) for pair, part in self.parts.items()})

    @property
    def starts(self) -> tuple[int, ...]:
        """The first raw column of each block, and one past the last of all."""
        return tuple(accumulate(self.widths, initial=0))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        """Be written out where an array is asked for."""
        del copy
        return np.asarray(self.dense(), dtype=dtype)

    def dense(self) -> Array:
        """Write X'WX out, (raw, raw): for small designs and tests."""
        starts = self.starts
        out = np.zeros((starts[-1], starts[-1]))
        for (i, j), part in self.parts.items():
            left, right = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
            out[left, right] = part.dense()
            if i != j:
                out[right, left] = out[left, right].T
        return out


def gram_of(blocks: tuple[Block, ...], w: Array) -> Gram:
    """Compute X' diag(w) X by pairs of blocks, for weights of any sign."""
    coded = [i for i, block in enumerate(blocks) if isinstance(block, Coded)]
    dense = [i for i, block in enumerate(blocks) if isinstance(block, Dense)]
    parts: dict[tuple[int, int], Part] = {}
    if coded:
        # All pairs of codes, and of codes with the first panel of numbers, in one pass over the rows.
        _coded_parts(blocks, coded, dense[0] if dense else None, contiguous(w), parts)
    for i, a in enumerate(blocks):
        for j in range(i, len(blocks)):
            if (i, j) not in parts:
                parts[i, j] = Table(a.gram(w) if i == j else cross(a, blocks[j], w))
    return Gram(tuple(block.width for block in blocks), parts)


def _coded_parts(
    blocks: tuple[Block, ...], coded: list[int], dense: int | None, w: Array, out: dict[tuple[int, int], Part]
) -> None:
    """Add the products of coded blocks, with one another and with a panel, to the parts."""
    panel = None if dense is None else contiguous(blocks[dense].dense())
    found: list[Coded] = [block for block in blocks if isinstance(block, Coded)]
    verbs = verbs_for(*(block.levels for block in found))
    diagonals, panels, pairs = verbs.coded_gram(tuple(block.parts for block in found), panel, w)
    for a, i in enumerate(coded):
        out[i, i] = Diagonal(diagonals[a])
        if dense is not None and panels:
            out[min(i, dense), max(i, dense)] = Table(panels[a] if i < dense else panels[a].T)
    for (a, b), product in pairs.items():
        i, j = coded[a], coded[b]
        if isinstance(product, tuple):
            cells, values = product
            out[i, j] = kept_sparse(cells, values, (blocks[i].width, blocks[j].width))
        else:
            out[i, j] = Table(product)
