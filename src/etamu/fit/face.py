"""The rows of a problem as a cone of directions: what each demands, and the vectors that leave some at rest.

May import: everything below `fit`.
Read next: `etamu.solve.recession`, which asks; `etamu.fit.limit`, what is done with the answer.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from etamu import sums
from etamu._base.arrow import entries
from etamu._base.errors import EtamuError
from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.design.blocks import Dense
from etamu.design.chunk import Chunk, Weights
from etamu.design.coordinates import Coordinates
from etamu.design.design import Design
from etamu.design.gram import Gram
from etamu.execute.threads import Threads
from etamu.family.recession import may_run
from etamu.family.unit import Unit
from etamu.solve.aliases import Doubts, doubts_of
from etamu.solve.cone import demands
from etamu.solve.factor import clearly_independent, independent_columns

EMPTY = 1e-13
"""Size of a column's numbers, in units of its spread over all rows, up to which they are 0."""
SHORT = 1e-10
"""A column is explained by earlier ones if they leave less than this share of it."""
WIDEST = 6_000
"""Columns up to which a Gram is written out; in the 300 MB of one such several have room."""
MOST = 25_000_000
"""Numbers in the null vectors up to which they are written out."""
COPIED = 200_000
"""Numbers in the rows up to which the rows asked for are copied."""
NARROW = 1_000
"""Columns up to which a triangle of all rows may decide what a Gram leaves in doubt."""
TINY = 1e-11
"""Entries of a null vector below this share of its largest are 0."""


class TooWideError(EtamuError):
    """There are more columns than a question about all of them at once has memory for."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that count, placed in working coordinates, as `solve.recession` asks about them.

    Parameters
    ----------
    unit : Unit
    executor : Threads
    coordinates : Coordinates
    given : array of int8 (rows,), optional
        Which way each row is to run, where that is not for the unit to say.
    """

    unit: Unit
    executor: Threads
    coordinates: Coordinates
    given: NDArray[np.int8] | None = None

    @property
    def size(self) -> int:
        """Number of working coordinates."""
        return self.coordinates.size

    @cached_property
    def ways(self) -> NDArray[np.int8]:
        """Which way the eta of each row may run without losing."""
        if self.given is not None:
            return self.given
        pieces: list[NDArray[np.int8]] = []
        self.executor.map(lambda chunk: may_run(self.unit, chunk.y), pieces.append)
        return np.concatenate(pieces)

    def margins(self, direction: Array) -> Array:
        """Compute x'd row by row."""
        raw = self.coordinates.raw(direction)
        pieces: list[Array] = []
        self.executor.map(lambda chunk: sums.etas(chunk, raw, offset=False), pieces.append)
        return np.concatenate(pieces)

    def gathered(self, v: Array) -> Array:
        """Compute X'v."""
        return self.coordinates.gathered(self.executor.whole.predictors[0].design.rmatvec(v))

    def some(self, rows: NDArray[np.intp]) -> Array:
        """Write some rows out."""
        return self.coordinates.rows(self.executor.whole.predictors[0].design.take(rows))

    def moved(self, basis: Array, rows: NDArray[np.intp]) -> Array:
        """Compute what some rows make of several vectors, (rows, vectors)."""
        design = self.executor.whole.predictors[0].design.take(rows)
        return design.matmat(self.coordinates.raw(basis))

    def demands(self, basis: Array, rows: NDArray[np.intp]) -> Array:
        """Collect what rows that run demand of the vectors of a basis, repeated demands once."""
        return demands(rows, lambda some: self.moved(basis, some) * self.ways[some][:, None])

    def over(self, rows: Mask) -> Threads:
        """Return the executor of some of the rows."""
        whole = self.executor.whole
        return self.executor if rows.all() else self.executor.over(whole.take(np.flatnonzero(rows)))

    def mostly(self, rows: Mask) -> bool:
        """Tell whether rows are so many that it costs less to mark them than to copy them."""
        return self.executor.whole.cells > COPIED and 2 * int(np.count_nonzero(rows)) >= len(rows)

    def marked(self, rows: Mask) -> Threads:
        """Return the executor of some of the rows: of all, marked by 0 and 1, where that costs less."""
        marks = Weights(sampling=rows.astype(np.float64)) if self.mostly(rows) else Weights()
        whole = self.executor.whole if self.mostly(rows) else self.over(rows).whole
        return self.executor.over(whole.beside(whole.predictors, marks))

    def null_space(self, rows: Mask) -> tuple[Mask, Array]:
        """Return which columns earlier ones explain on some rows, and the null vectors that say so."""
        if not rows.any():
            return np.ones(self.size, dtype=bool), np.eye(self.size)
        executor = self.marked(rows)
        parts = executor.reduce(lambda block: block.predictors[0].design.gram_parts(_marks(block)))
        empty = entries(self.coordinates.gram(parts)) <= np.count_nonzero(rows) * EMPTY**2
        inner = replace(self, coordinates=self.coordinates.without(empty))
        if clearly_independent(inner.coordinates.gram(parts)):
            return empty, self._empty(empty)
        if self.size > WIDEST:
            raise TooWideError(f"{self.size:,} columns are too many for their null space")
        gone, basis = inner._dependent(executor, rows, parts)  # noqa: SLF001
        if not empty.any():
            return gone, basis
        both = empty.copy()
        both[~empty] = gone
        whole = np.zeros((self.size, int(both.sum())))
        whole[:, empty[both]] = self._empty(empty)
        whole[np.ix_(~empty, ~empty[both])] = basis
        return both, whole

    def _empty(self, empty: Mask) -> Array:
        """Return the null vectors of columns that are 0 in every row left.

        A column is 0 where it is next to nothing beside what it is elsewhere: the squares of a working column
        add up to about the number of rows.
        """
        count = int(empty.sum())
        if self.size * count > MOST:
            raise TooWideError(f"{count:,} of {self.size:,} columns are 0 in every row left")
        basis = np.zeros((self.size, count))
        basis[np.flatnonzero(empty), np.arange(count)] = 1.0
        return basis

    def _dependent(self, executor: Threads, rows: Mask, parts: Gram) -> tuple[Mask, Array]:
        """Find the null space of columns none of which is 0."""
        doubts = doubts_of(np.asarray(self.coordinates.gram(parts)))
        found = self._projected(executor, doubts)
        return self._triangular(self.over(rows)) if found is None else found

    def _projected(self, executor: Threads, doubts: Doubts) -> tuple[Mask, Array] | None:
        """Project the doubtful columns on the others; None where one is independent by a hair."""
        gone = np.zeros(self.size, dtype=bool)
        gone[doubts.doubtful] = True
        if not gone.any():
            return gone, np.zeros((self.size, 0))
        basis = cleaned(doubts.combinations())
        for _ in range(3):  # refined twice is enough, as in `independent_columns`
            left = executor.reduce(partial(_lengths, coordinates=self.coordinates, basis=basis)).values
            if np.all(np.sqrt(left) <= SHORT * doubts.lengths[doubts.doubtful]):
                return gone, basis
            basis = cleaned(
                doubts.refined(basis, executor.reduce(partial(self._products, basis=basis)).values)
            )
        return (gone, basis) if self.size > NARROW else None

    def _products(self, chunk: Chunk, basis: Array) -> _Sum:
        design = chunk.predictors[0].design
        rows = design.matmat(self.coordinates.raw(basis)) * _marks(chunk)[:, None]
        products = design.cross(Design((Dense((rows,)),), len(rows)), np.ones(len(rows)))
        return _Sum(self.coordinates.gathered(products))

    def _triangular(self, executor: Threads) -> tuple[Mask, Array]:
        """Decide on a triangle of the rows, which has not squared the condition number."""
        whole = partial(sums.triangle, coordinates=self.coordinates, unit=None, beta=None)
        triangle = executor.reduce(whole).factor
        gone = ~independent_columns(triangle)
        basis = np.zeros((self.size, int(gone.sum())))
        if gone.any():
            basis[~gone] = -np.linalg.lstsq(triangle[:, ~gone], triangle[:, gone], rcond=None)[0]
            basis[gone] = np.eye(int(gone.sum()))
        return gone, cleaned(basis)


@dataclass(frozen=True, slots=True, eq=False)
class _Sum:
    """An array that adds."""

    values: Array

    def __add__(self, other: _Sum) -> _Sum:
        return _Sum(self.values + other.values)


def _lengths(chunk: Chunk, coordinates: Coordinates, basis: Array) -> _Sum:
    rows = chunk.predictors[0].design.matmat(coordinates.raw(basis)) * _marks(chunk)[:, None]
    return _Sum(np.einsum("ij,ij->j", rows, rows))


def _marks(chunk: Chunk) -> Array:
    """Return the marks of rows, of which all that there are count where none are marked."""
    marks = chunk.weights.sampling
    return np.ones(len(chunk)) if marks is None else marks


def cleaned(basis: Array) -> Array:
    """Return null vectors with entries of 0 where rounding says so."""
    largest = np.abs(basis).max(axis=0, initial=0.0)
    return np.where(np.abs(basis) <= TINY * largest, 0.0, basis)
