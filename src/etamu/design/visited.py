"""The columns of a design as the compiled kernel visits them: where they lie, nothing copied.

May import: numpy, `etamu._base`, `etamu.design`.
Read next: `etamu.design.chunk`, which adds a response to them; `etamu.fused`, which asks for sums.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from etamu._base.kernel import kernel
from etamu._base.types import Array
from etamu.design.blocks import Block, Coded, Dense, Sparse
from etamu.design.fold import Fold, Folded
from etamu.design.verbs import MOST_LEVELS, plain, readable, readable_codes


def visited(
    blocks: tuple[Block, ...],
    fold: Fold | None,
    length: int,
    y: tuple[Array, ...] = (),
    offset: Array | None = None,
    weight: Array | None = None,
    squared: Array | None = None,
) -> Any:
    """Return rows as the kernel visits them, with what is given beside the columns; None where it cannot.

    It reads numbers and codes, or numbers and one sparse block.
    """
    read = blocks if fold is None else fold.blocks
    if kernel is None or _mixed(read):
        return None
    starts = [*accumulate((block.width for block in read), initial=0)]
    described = []
    for start, block in zip(starts, read, strict=False):
        told = _told(block)
        if told is None:
            return None
        described.append((start, told))
    rows = kernel.Rows(length, starts[-1], described, y, plain(offset), plain(weight), plain(squared))
    return rows if fold is None else Folded(rows, fold)


def _mixed(blocks: tuple[Block, ...]) -> bool:
    """Tell whether there is a sparse block, and another one or one of codes beside it."""
    tables = [block for block in blocks if not block.shiftable]
    return len(tables) > 1 and any(isinstance(block, Sparse) for block in tables)


def _told(block: Block) -> tuple[Any, ...] | None:
    """Return a block as the kernel is told of it."""
    if isinstance(block, Dense):
        columns = tuple(readable(column) for column in block.columns)
        return columns, plain(block.shift), plain(block.scale), None
    if isinstance(block, Coded) and block.levels <= MOST_LEVELS:
        multiplier = None if block.multiplier is None else readable(block.multiplier)
        return readable_codes(block.codes), block.levels, multiplier, block.scale
    if isinstance(block, Sparse):
        return block.parts, plain(block.scale), None, None
    return None
