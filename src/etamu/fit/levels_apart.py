"""Levels all of whose rows may run the same way: where factors separate, seen before any pass is spent.

May import: everything below `fit`.
Read next: `etamu.fit.separation`, which looks for them ahead; `etamu.fit.limit`, which follows them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.data.codes import levels_seen
from etamu.design.blocks import Coded
from etamu.design.chunk import Chunk
from etamu.family.recession import may_run
from etamu.fit.face import Rows
from etamu.solve.cone import least_sum
from etamu.solve.recession import TOLERANCE, Recession

AT_ONCE = 8
"""Null vectors up to which each is looked at in every row, rather than a Gram of all rows factorised."""


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """Levels all of whose rows may run one way, by the place of their block, whatever the coordinates."""

    levels: list[tuple[int, NDArray[np.intp]]]
    separated: Mask
    ways: NDArray[np.int8]


def levels_apart(rows: Rows, few: Chunk) -> Apart | None:
    """Find levels all of whose rows may run the same way, first among a few rows, which costs little."""
    suspects = one_way(few, may_run(rows.unit, few.y))
    if not any(len(levels) for _, levels in suspects):
        return None
    pairs = zip(suspects, one_way(rows.executor.whole, rows.ways), strict=True)
    levels = [(place, np.intersect1d(seen, every)) for (place, seen), (_, every) in pairs]
    separated = among(rows.executor.whole, levels)
    return Apart(levels, separated, rows.ways) if separated.any() else None


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
    """Flag the rows that have one of some levels."""
    out = np.zeros(len(chunk), dtype=bool)
    for place, some in levels:
        if len(some):
            block: Any = chunk.predictors[0].design.blocks[place]
            flags = np.zeros(block.levels, dtype=bool)
            flags[some] = True
            out |= flags[block.codes]
    return out


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
    others = [np.flatnonzero(ways != way) for way in (-1, 1)]  # rows that may not run down, or not up, alone
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
