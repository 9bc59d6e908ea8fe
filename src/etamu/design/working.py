"""A Gram by parts mapped to working coordinates: contrasts, aliases and symmetry, pair of blocks by pair.

May import: numpy, `etamu._base`, `etamu.design`.
Read next: `etamu.design.coordinates`, which knows what is kept.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.arrow import Arrow
from etamu._base.facts import dataclass
from etamu._base.triangles import symmetric
from etamu._base.types import Array
from etamu.design.gram import Cells, Diagonal, Gram, Part, Table
from etamu.design.layout import Layout

Index = NDArray[np.intp]

DOMINANT = 256
"""Levels from which a factor that has at least half of the coefficients is eliminated, not carried along."""


@dataclass(frozen=True, eq=False)
class Spread:
    """How the raw columns of one block reach some working coordinates.

    Parameters
    ----------
    places : integers (m,)
        Working coordinates.
    chosen : integers (m,)
        The raw columns, counted within the block, that they are; empty where they are contrasts.
    contrast : array or sparse array (width, m), optional
        What each raw column contributes to each of them.
    """

    places: Index
    chosen: Index
    contrast: Any = None

    @cached_property
    def place_run(self) -> Index | slice:
        """The working coordinates, as a slice where they have no gap."""
        return _run(self.places)

    @cached_property
    def chosen_run(self) -> Index | slice:
        """The raw columns, as a slice where they have no gap."""
        return _run(self.chosen)

    def plain(self, width: int) -> bool:
        """Tell whether so many working coordinates are so many raw columns in their order."""
        everything = np.arange(width)
        return self.contrast is None and all(
            np.array_equal(index, everything) for index in (self.places, self.chosen)
        )


def spreads(layout: Layout, kept: Index, widths: tuple[int, ...]) -> list[list[Spread]]:
    """Say for every block how its raw columns reach the working coordinates."""
    place = np.full(layout.width, -1, dtype=np.intp)
    place[kept] = np.arange(len(kept))
    out: list[list[Spread]] = []
    start = 0
    for width in widths:
        inside = (layout.dense_raw >= start) & (layout.dense_raw < start + width)
        places = place[layout.dense_reported[inside]]
        some = [_selection(places[places >= 0], (layout.dense_raw[inside] - start)[places >= 0], width)]
        for part in layout.parts:
            if start <= part.raw.start < start + width:
                if part.raw.start != start or part.raw.stop != start + width:
                    raise ValueError("a contrast covers the levels of one whole block")
                places = place[part.reported]
                none = np.zeros(0, dtype=np.intp)
                some.append(Spread(places[places >= 0], none, part.operator[:, places >= 0]))
        out.append([spread for spread in some if len(spread.places)])
        start += width
    return out


def _selection(places: Index, chosen: Index, width: int) -> Spread:
    """Take raw columns as they stand; one that is taken twice needs a matrix, for it meets itself."""
    spread = Spread(places, chosen)
    if len(set(chosen.tolist())) == len(chosen):
        return spread
    return Spread(places, np.zeros(0, dtype=np.intp), _columns(spread, width))


def working_gram(gram: Gram, layout: Layout, kept: Index) -> Array | Arrow:
    """Map X'WX to working coordinates, (kept, kept), exactly symmetric; an arrow where a factor dominates."""
    return spread_gram(gram, spreads(layout, kept, gram.widths), len(kept))


def spread_gram(gram: Gram, ways: list[list[Spread]], size: int) -> Array | Arrow:
    """Do so where it is known how the blocks reach the working coordinates, which are so many."""
    spine = _spine(gram, ways)
    if spine is None or len(ways[spine][0].places) < max(DOMINANT, size / 2):
        return _written_out(gram, ways, size)
    return _arrow(gram, ways, spine, size)


def _spine(gram: Gram, ways: list[list[Spread]]) -> int | None:
    """Find the block of codes, taken as they stand, that has most coefficients."""
    able = [
        i
        for i, way in enumerate(ways)
        if isinstance(gram.parts[i, i], Diagonal) and len(way) == 1 and way[0].contrast is None
    ]
    return max(able, key=lambda i: len(ways[i][0].places), default=None)


def _arrow(gram: Gram, ways: list[list[Spread]], spine: int, size: int) -> Arrow:
    """Take the block of the spine out: its diagonal, its side and the matrix of all others."""
    own = ways[spine][0]
    others = np.delete(np.arange(size), own.places)
    moved = np.full(size, -1, dtype=np.intp)
    moved[others] = np.arange(len(others))
    rest = [
        [] if i == spine else [Spread(moved[spread.places], spread.chosen, spread.contrast) for spread in way]
        for i, way in enumerate(ways)
    ]
    first = Spread(np.arange(len(own.places)), own.chosen)
    side = np.zeros((len(own.places), len(others)))
    for (i, j), part in gram.parts.items():
        if i != j and spine in {i, j}:
            for spread in rest[j if i == spine else i]:
                _place(side, part if i == spine else _transposed(part), first, spread, mirrored=False)
    diagonal = gram.parts[spine, spine]
    assert isinstance(diagonal, Diagonal)
    corner = _written_out(gram, rest, len(others))
    return Arrow(own.places, others, diagonal.values[own.chosen], side, corner)


def _transposed(part: Part) -> Part:
    if isinstance(part, Cells):
        rows, columns = part.places()
        return Cells(columns * part.shape[0] + rows, part.values, (part.shape[1], part.shape[0]))
    return Table(part.dense().T)


def _written_out(gram: Gram, ways: list[list[Spread]], size: int) -> Array:
    alone = gram.parts.get((0, 0))
    if gram.widths == (size,) and isinstance(alone, Table) and len(ways[0]) == 1 and ways[0][0].plain(size):
        return alone.values if symmetric(alone.values) else 0.5 * (alone.values + alone.values.T)
    out = np.zeros((size, size))
    for (i, j), part in gram.parts.items():
        for number, left in enumerate(ways[i]):
            for right in ways[j][number if i == j else 0 :]:
                if left is right:
                    _place_square(out, part, left)
                else:
                    _place(out, part, left, right, mirrored=True)
    return out


def _place(out: Array, part: Part, left: Spread, right: Spread, *, mirrored: bool) -> None:
    """Write one pair of spreads into the matrix, and its mirror image where the two differ."""
    if left.contrast is None and right.contrast is None and not isinstance(part, Diagonal | Cells):
        block = part.dense()[_grid(left.chosen_run, right.chosen_run)]
    elif left.contrast is None and right.contrast is None:
        _place_entries(out, part, left, right, mirrored=mirrored)
        return
    else:
        block = _contrasted(part, left, right)
    out[_grid(left.place_run, right.place_run)] = block
    if mirrored:
        out[_grid(right.place_run, left.place_run)] = block.T


def _place_square(out: Array, part: Part, spread: Spread) -> None:
    """Write the product of a spread with itself, exactly symmetric."""
    if spread.contrast is None and isinstance(part, Diagonal):
        out[spread.places, spread.places] = part.values[spread.chosen]
        return
    grid = _grid(spread.place_run, spread.place_run)
    _place(out, part, spread, spread, mirrored=False)
    square = out[grid]
    if not symmetric(square):
        out[grid] = 0.5 * (square + square.T)


def _place_entries(out: Array, part: Part, left: Spread, right: Spread, *, mirrored: bool) -> None:
    """Write the entries of a diagonal or of a sparse table, level by level."""
    if isinstance(part, Diagonal):
        out[left.places, right.places] = part.values[left.chosen]
        return
    assert isinstance(part, Cells)
    to_left = _places_of(left, part.shape[0])
    to_right = _places_of(right, part.shape[1])
    rows, columns = part.places()
    rows, columns = to_left[rows], to_right[columns]
    here = (rows >= 0) & (columns >= 0)
    out[rows[here], columns[here]] = part.values[here]
    if mirrored:
        out[columns[here], rows[here]] = part.values[here]


def _places_of(spread: Spread, width: int) -> Index:
    """Return the working coordinate of every raw column, -1 where it has none."""
    out = np.full(width, -1, dtype=np.intp)
    out[spread.chosen] = spread.places
    return out


def _contrasted(part: Part, left: Spread, right: Spread) -> Array:
    """Apply contrasts on either side."""
    if isinstance(part, Diagonal):
        columns = _columns(right, len(part.values))
        half = (
            columns.multiply(part.values[:, None]).tocsr()
            if _is_sparse(columns)
            else part.values[:, None] * columns
        )
    else:
        table = part.dense()
        half = table[:, right.chosen] if right.contrast is None else table @ right.contrast
    whole = half[left.chosen] if left.contrast is None else left.contrast.T @ half
    return whole.toarray() if _is_sparse(whole) else np.asarray(whole)


def _is_sparse(matrix: Any) -> bool:
    return hasattr(matrix, "tocsr")


def _columns(spread: Spread, width: int) -> Any:
    """Return the contrast as a matrix, (width, coefficients), perhaps a sparse one."""
    if spread.contrast is not None:
        return spread.contrast
    out = np.zeros((width, len(spread.places)))
    out[spread.chosen, np.arange(len(spread.places))] = 1.0
    return out


def _grid(rows: Index | slice, columns: Index | slice) -> tuple[Index | slice, Index | slice]:
    """Index a submatrix, by slices where the indexes have no gap."""
    if isinstance(rows, slice) or isinstance(columns, slice):
        return rows, columns
    return rows[:, None], columns[None, :]


def _run(index: Index) -> Index | slice:
    if len(index) and index[-1] - index[0] == len(index) - 1 and (index[1:] > index[:-1]).all():
        return slice(int(index[0]), int(index[-1]) + 1)
    return index
