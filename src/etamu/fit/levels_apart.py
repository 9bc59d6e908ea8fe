"""Levels and columns all of whose rows may run one way: separation that is seen before any pass is spent.

May import: everything below `fit`.
Read next: `etamu.fit.separation`, which looks for them ahead; `etamu.fit.limit`, which follows them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.data.codes import levels_seen
from etamu.design.blocks import Coded, Dense, Sparse
from etamu.design.chunk import Chunk
from etamu.family.recession import may_run
from etamu.fit.face import Rows
from etamu.fit.sample import spread
from etamu.solve.cone import least_sum
from etamu.solve.recession import TOLERANCE, Recession

FIRST = 256
"""Rows that free most columns of numbers from suspicion."""
ROUNDS = 4
"""How often others are looked for among the rows that are left."""
GONE = np.int8(3)
"""In place of the way of a row that is separated already: whatever else moves it, that is no matter."""
FEW = 32
"""Of them as many free all, where no column is of few rows."""
AT_ONCE = 8
"""Null vectors up to which each is looked at in every row, rather than a Gram of all rows factorised."""


Told = dict[int, NDArray[np.intp]]
"""Columns by the place of their block."""


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """Columns all of whose rows may run one way, by the place of their block, whatever the coordinates."""

    levels: list[tuple[int, NDArray[np.intp]]]
    separated: Mask
    ways: NDArray[np.int8]


def levels_apart(rows: Rows, few: Chunk) -> Apart | None:
    """Find columns all of whose rows may run the same way, first among a few rows, which costs little.

    What these separate leaves fewer rows, in which others may separate: then all run together.
    """
    seen = may_run(rows.unit, few.y)
    suspects = _suspects(few, seen)
    if not suspects:  # as in nearly every fit, which has not asked where its rows may run
        return None
    whole, ways = rows.executor.whole, rows.ways
    told: Told = {}
    separated = np.zeros(len(whole), dtype=bool)
    for _ in range(ROUNDS):
        every = dict(one_way(whole, ways)) | dict(columns_one_way(whole, ways, suspects))
        more = {place: np.intersect1d(some, every[place]) for place, some in suspects.items()}
        moved = among(whole, list(more.items())) & ~separated
        if not moved.any():
            break
        separated |= moved
        told = {place: np.union1d(some, told.get(place, some)) for place, some in more.items()}
        seen, ways = np.where(among(few, list(told.items())), GONE, seen), np.where(separated, GONE, ways)
        suspects = _suspects(few, seen)
        if not suspects:
            break
    return Apart(list(told.items()), separated, rows.ways) if separated.any() else None


def _suspects(few: Chunk, ways: NDArray[np.int8]) -> Told:
    """Find columns that run one way in a few rows; nothing where there are none."""
    found = dict(one_way(few, ways)) | dict(columns_one_way(few, ways))
    return found if any(len(levels) for levels in found.values()) else {}


def direction_of(apart: Apart | None, rows: Rows, few: Chunk) -> Recession | None:
    """Return the direction in which levels run away; None where the columns cannot tell them apart."""
    if apart is None:
        return None
    gone, basis = _null_space(rows, few, apart.levels, apart.separated)
    if not gone.any():
        return None
    place = np.flatnonzero(apart.separated)
    start = Recession(basis[:, 0], apart.separated, gone, basis)
    cone = rows.demands(basis, place)
    found = np.sign(cone[:1, 0]) if cone.shape[1] == 1 else least_sum(np.eye(cone.shape[1]), cone)
    if found is None:
        return None
    margins = rows.moved((basis @ found)[:, None], place)[:, 0] * rows.ways[place]
    least = float(margins.min())
    return replace(start, direction=basis @ found / least) if least > 0.0 else None


def among(chunk: Chunk, levels: list[tuple[int, NDArray[np.intp]]]) -> Mask:
    """Flag the rows that have one of some levels, or are not 0 in one of some columns of numbers."""
    out = np.zeros(len(chunk), dtype=bool)
    for place, some in levels:
        if len(some):
            block: Any = chunk.predictors[0].design.blocks[place]
            out |= MEMBERS[type(block)](block, some)
    return out


def _of_levels(block: Coded, levels: NDArray[np.intp]) -> Mask:
    flags = np.zeros(block.levels, dtype=bool)
    flags[levels] = True
    return np.asarray(flags[block.codes])


def _of_columns(block: Dense, columns: NDArray[np.intp]) -> Mask:
    out = np.zeros(block.length, dtype=bool)
    for j in columns:
        out |= block.column(j) != 0.0
    return out


def _of_entries(block: Sparse, columns: NDArray[np.intp]) -> Mask:
    return np.asarray(np.diff(block.matrix[:, columns].tocsr().indptr) > 0)


MEMBERS: dict[type, Callable[[Any, NDArray[np.intp]], Mask]] = {
    Coded: _of_levels,
    Dense: _of_columns,
    Sparse: _of_entries,
}
"""Flags the rows that some columns of a block move."""


def _null_space(
    rows: Rows, few: Chunk, told: list[tuple[int, NDArray[np.intp]]], separated: Mask
) -> tuple[Mask, Array]:
    """Find the null space of the rows left from a few of them, if every row agrees; else from all."""
    sample = Rows(rows.unit, rows.executor.over(few), rows.coordinates)
    gone, basis = sample.null_space(~among(few, told))
    if 0 < basis.shape[1] <= AT_ONCE:
        size = np.abs(basis).max()
        if all(np.abs(rows.margins(v)[~separated]).max(initial=0.0) <= TOLERANCE * size for v in basis.T):
            return gone, basis
    return rows.null_space(~separated)


def one_way(chunk: Chunk, ways: NDArray[np.int8]) -> list[tuple[int, NDArray[np.intp]]]:
    """Name for every block of plain levels, by its place, those all of whose rows may run one way only."""
    found = []
    others = [np.flatnonzero((ways != way) & (ways != GONE)) for way in (-1, 1)]
    for place, block in enumerate(chunk.predictors[0].design.blocks):
        if not isinstance(block, Coded) or block.multiplier is not None:
            continue
        apart = np.zeros(block.levels, dtype=bool)
        for rows in others:
            apart |= ~levels_seen(block.codes.take(rows), block.levels)
        if apart.any():  # a level without a row is no matter
            apart &= levels_seen(block.codes, block.levels)
        found.append((place, np.flatnonzero(apart)))
    return found


def columns_one_way(
    chunk: Chunk, ways: NDArray[np.int8], suspects: dict[int, NDArray[np.intp]] | None = None
) -> list[tuple[int, NDArray[np.intp]]]:
    """Name for every block of numbers, by its place, the columns along which no row runs but as it may.

    Such a column separates on its own. Only the suspects are looked at; where none are given, those that a
    few rows leave.
    """
    if not len(ways) or np.all(ways == ways[0]):  # every column that has one sign, then
        return []
    found = []
    for place, block in enumerate(chunk.predictors[0].design.blocks):
        if isinstance(block, Sparse):
            columns = np.arange(block.width) if suspects is None else suspects[place]
            found.append((place, columns[_sparse_one_way(block, columns, ways)]))
        elif isinstance(block, Dense):
            first = spread(len(ways), FIRST)
            columns = _left(block, first, ways) if suspects is None else suspects[place]
            alike = [j for j in columns if len(_run_alike(block.column(j)[:, None], ways))]
            found.append((place, np.array(alike, dtype=np.intp)))
    return found


def _left(block: Dense, first: NDArray[np.intp], ways: NDArray[np.int8]) -> NDArray[np.intp]:
    """Name the columns that some rows leave under suspicion; hardly any is left by a few of those."""
    few = first[:: max(len(first) // FEW, 1)]
    if not len(_run_alike(Dense(block.take(few).columns).packed, ways[few], still=True)):
        return np.zeros(0, dtype=np.intp)
    return _run_alike(Dense(block.take(first).columns).packed, ways[first])


def _run_alike(values: Array, ways: NDArray[np.int8], *, still: bool = False) -> NDArray[np.intp]:
    """Name the columns all of whose numbers but zeros have the sign of their row's way, or all the other.

    Columns of zeros are named only if `still`.
    """
    signs = np.sign(values)
    run, zero = signs * ways[:, None], (signs == 0.0) | (ways == GONE)[:, None]
    alike = [np.all(zero | (run == way), axis=0) for way in (-1, 1)]
    return np.flatnonzero((alike[0] | alike[1]) & (still | ~np.all(zero, axis=0)))


def _sparse_one_way(block: Sparse, columns: NDArray[np.intp], ways: NDArray[np.int8]) -> Mask:
    matrix = block.matrix.tocsr() if len(columns) == block.width else block.matrix[:, columns].tocsr()
    own = np.repeat(ways, np.diff(matrix.indptr))
    said = own != GONE
    indices, run = matrix.indices[said], own[said] * np.sign(matrix.data[said])
    alike = [np.bincount(indices[run != way], minlength=len(columns)) == 0 for way in (-1, 1)]
    return np.asarray((alike[0] | alike[1]) & (np.bincount(indices, minlength=len(columns)) > 0))
