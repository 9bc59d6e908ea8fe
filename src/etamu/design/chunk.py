"""Some rows of a problem, everything a pass needs and nothing more.

May import: numpy, `etamu._base`, `etamu.design`.
Read next: `etamu.sums`, which turns a chunk into things that add.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cached_property, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass, replace
from etamu._base.kernel import kernel, portable
from etamu._base.types import Array
from etamu.design.design import Design
from etamu.design.verbs import contiguous, plain, some
from etamu.design.visited import visited

Ids = NDArray[np.int64] | range
"""Positions of rows in the input; a range costs no memory."""


WRITTEN, TALL = 1 << 22, 4
"""Numbers that rows written out hold at most, unless they are not TALL times as many as their columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The three kinds of weights, never one bare vector.

    Parameters
    ----------
    frequency : array (n,), optional
        k: the row stands for k identical rows.
    variance : array (n,), optional
        w: Var(y) = phi V(mu) / w.
    sampling : array (n,), optional
        s: the row represents s members of a population.
    """

    frequency: Array | None = None
    variance: Array | None = None
    sampling: Array | None = None

    def total(self) -> Array | None:
        """Multiply the kinds: what a row counts in the score; None where every row counts 1."""
        return _product(self.frequency, self.variance, self.sampling)

    def precision(self) -> Array | None:
        """Return w s: what a single copy of a row counts; None where every copy counts 1."""
        return _product(self.variance, self.sampling)

    def squared(self) -> Array | None:
        """Return k (w s)^2: what u^2 x x' counts in the middle of a sandwich."""
        precision = self.precision()
        return _product(self.frequency, precision, precision)

    def rows(self, start: int, stop: int) -> Weights:
        """View the rows start, …, stop - 1."""
        return Weights(*(_part(w, start, stop) for w in (self.frequency, self.variance, self.sampling)))

    def take(self, index: NDArray[np.intp]) -> Weights:
        """Copy some rows."""
        return Weights(*(_some(w, index) for w in (self.frequency, self.variance, self.sampling)))


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
    """One linear predictor: eta = X beta + offset."""

    design: Design
    offset: Array | None = None

    def eta(self, beta: Array) -> Array:
        """Compute X beta + offset: the one path on which an offset travels."""
        eta = self.design.matvec(beta)
        return eta if self.offset is None else eta + self.offset

    def rows(self, start: int, stop: int) -> Predictor:
        """View the rows start, …, stop - 1."""
        return Predictor(self.design.rows(start, stop), _part(self.offset, start, stop))

    def take(self, index: NDArray[np.intp]) -> Predictor:
        """Copy some rows."""
        return Predictor(self.design.take(index), _some(self.offset, index))


@dataclass(frozen=True, eq=False)
class Chunk:
    """Rows of a problem.

    Parameters
    ----------
    predictors : tuple of Predictor
        k linear predictors; the classical model has one.
    y : tuple of arrays (n,)
        Response columns, named by the family: one, or successes and trials.
    weights : Weights
    cluster : tuple of integer arrays (n,)
        Cluster codes, one array per way of clustering.
    ids : Ids
        Positions of the rows in the input.
    """

    predictors: tuple[Predictor, ...]
    y: tuple[Array, ...]
    weights: Weights
    ids: Ids
    cluster: tuple[NDArray[Any], ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        return portable(self)

    @cached_property
    def row_ids(self) -> NDArray[np.int64]:
        """Positions of the rows in the input, (n,)."""
        ids = self.ids
        if isinstance(ids, range):
            return np.arange(ids.start, ids.stop, ids.step, dtype=np.int64)
        return np.asarray(ids, dtype=np.int64)

    @cached_property
    def compiled(self) -> Any:
        """These rows as the kernel visits them, None where the NumPy twins have to serve."""
        return compiled_rows(self)

    @cached_property
    def tally(self) -> tuple[Array, tuple[Array, ...]] | None:
        """Weighted numbers of rows by response, and those responses; None where they are not small counts."""
        return tallied(self)

    def visit(self) -> Chunk:
        """Return these rows for one visit: where columns have to be joined, they are forgotten with it."""
        if not any(predictor.design.pieced for predictor in self.predictors):
            return self
        return self.beside(
            _each_once(self.predictors, lambda each: Predictor(each.design.visit(), each.offset))
        )

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def cells(self) -> int:
        """Numbers a pass reads."""
        return len(self) * (len(self.y) + sum(predictor.design.stored for predictor in self.predictors))

    @property
    def coded(self) -> bool:
        """Whether some columns of the first predictor are levels."""
        return not all(block.shiftable for block in self.predictors[0].design.blocks)

    @property
    def summed(self) -> int:
        """Numbers in the tables of an information matrix, at most."""
        return sum(predictor.design.summed for predictor in self.predictors)

    def rows(self, start: int, stop: int) -> Chunk:
        """View the rows start, …, stop - 1."""
        return Chunk(
            _each_once(self.predictors, lambda predictor: predictor.rows(start, stop)),
            tuple(column[start:stop] for column in self.y),
            self.weights.rows(start, stop),
            self.ids[start:stop],
            tuple(codes[start:stop] for codes in self.cluster),
        )

    def pieces(self, columns: int) -> Iterator[Chunk]:
        """Yield these rows in pieces short enough for so many columns of them to be written out.

        Passes add tables of sparse columns and of levels up, and so take many rows at once.
        """
        at_once = max(WRITTEN // max(columns, 1), TALL * columns)
        if len(self) <= at_once:
            yield self
            return
        for start in range(0, len(self), at_once):
            yield self.rows(start, min(start + at_once, len(self)))

    def beside(self, predictors: tuple[Predictor, ...], weights: Weights | None = None) -> Chunk:
        """Return the same responses beside other columns, and weights if given; a tally stays known."""
        weights = weights or self.weights
        out = replace(self, predictors=predictors, weights=weights)
        if "tally" in self.__dict__ and (weights is self.weights or weights.total() is self.weights.total()):
            out.__dict__["tally"] = self.__dict__["tally"]
        return out

    def take(self, index: NDArray[np.intp]) -> Chunk:
        """Copy some rows."""
        return Chunk(
            _each_once(self.predictors, lambda predictor: predictor.take(index)),
            tuple(some(column, index) for column in self.y),
            self.weights.take(index),
            _taken(self.ids, index),
            tuple(codes[index] for codes in self.cluster),
        )


def _taken(ids: Ids, index: NDArray[np.intp]) -> NDArray[np.int64]:
    if isinstance(ids, range):
        return np.asarray(ids.start + ids.step * index, dtype=np.int64)
    return ids[index]


def _each_once(
    predictors: tuple[Predictor, ...], part: Callable[[Predictor], Predictor]
) -> tuple[Predictor, ...]:
    """Take a part of every predictor, of one that stands several times once, so that it stays the same."""
    parts: dict[int, Predictor] = {}
    for predictor in predictors:
        if id(predictor) not in parts:
            parts[id(predictor)] = part(predictor)
    return tuple(parts[id(predictor)] for predictor in predictors)


def _some(values: Array | None, index: NDArray[np.intp]) -> Array | None:
    return None if values is None else some(values, index)


def _part(values: Array | None, start: int, stop: int) -> Array | None:
    return None if values is None else values[start:stop]


def _product(*factors: Array | None) -> Array | None:
    present = [factor for factor in factors if factor is not None]
    if len(present) < 2:
        return present[0] if present else None
    with np.errstate(over="ignore"):  # the square of a weight may be beyond float64
        return reduce(np.multiply, present)


def compiled_rows(chunk: Chunk) -> Any:
    """Return some rows as the compiled passes read them: where they lie, nothing copied.

    None without a kernel, for several linear predictors, and for sparse blocks beside codes.
    """
    if len(chunk.predictors) != 1:
        return None
    (predictor,) = chunk.predictors
    return visited(
        predictor.design.blocks,
        predictor.design.fold,
        predictor.design.length,
        tuple(contiguous(column) for column in (chunk.y[:1] if _one_each(chunk.y) else chunk.y)),
        predictor.offset,
        chunk.weights.total(),
        chunk.weights.squared(),
    )


USUAL = 64
"""Responses are first looked for among so many whole numbers: most counts are smaller."""
SOME = 64
"""Responses of so many rows mostly show that they are no counts."""
FEW = 1 << 16
"""Responses that are counts are tallied if there can be no more than so many different ones."""


def tallied(chunk: Chunk) -> tuple[Array, tuple[Array, ...]] | None:
    """Count the rows of each response, with their weights, where responses are small whole numbers."""
    single = _one_each(chunk.y)
    columns = chunk.y[:1] if single else chunk.y
    if any(not np.array_equal(first, np.floor(first)) for first in (column[:SOME] for column in columns)):
        return None
    shape = (USUAL,) * len(columns)
    counts = _counts(chunk, columns, shape)
    if counts is None:
        sizes = [float(column.max(initial=0.0)) + 1.0 for column in columns]
        if not math.prod(sizes) <= FEW:
            return None
        shape = tuple(int(size) for size in sizes)
        counts = _counts(chunk, columns, shape)
    if counts is None:
        return None
    seen = np.flatnonzero(counts)
    responses = tuple(column.astype(np.float64) for column in np.unravel_index(seen, shape))
    return counts[seen], (*responses, np.ones(len(seen))) if single else responses


def _counts(chunk: Chunk, columns: tuple[Array, ...], shape: tuple[int, ...]) -> Array | None:
    """Count rows by response in a table, None where one is not a whole number that it has."""
    total = chunk.weights.total()
    if kernel is not None and chunk.__dict__.get("compiled", kernel) is not None:
        read = tuple(contiguous(column) for column in columns)
        counts: Array | None = kernel.Rows(len(chunk), 0, [], read, None, plain(total), None).tally(shape)
        return counts
    inside = (np.all((column >= 0) & (column < size)) for column, size in zip(columns, shape, strict=True))
    if not all(inside) or not all(np.array_equal(column, np.floor(column)) for column in columns):
        return None
    cells = np.ravel_multi_index([column.astype(np.int64) for column in columns], shape)
    return np.bincount(cells, weights=total, minlength=math.prod(shape)).astype(np.float64)


def _one_each(y: tuple[Array, ...]) -> bool:
    """Tell whether every row is one trial, by a column that is one number repeated without memory."""
    return len(y) == 2 and y[1].strides == (0,) and len(y[1]) > 0 and y[1][0] == 1.0
