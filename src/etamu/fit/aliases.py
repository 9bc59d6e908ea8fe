"""Which columns are linear combinations of earlier ones, decided on the rows that count.

May import: everything below `fit`.
Read next: `etamu.solve.aliases` for the arithmetic, `etamu.fit.estimate` for who asks.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from etamu import sums
from etamu._base.arrow import entries
from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.design.blocks import Dense
from etamu.design.chunk import Chunk
from etamu.design.coordinates import Coordinates
from etamu.design.design import Design
from etamu.design.gram import Gram
from etamu.execute.threads import Threads
from etamu.fit.pilot import FIRST
from etamu.fit.sample import Sampled
from etamu.solve.aliases import Doubts, doubts_of
from etamu.solve.factor import clearly_independent, independent_columns

MANY = 300
"""Columns up to which a triangle of all rows is cheap."""
SHALLOW = 1_000
"""Rows up to which more columns than that are looked at as they are: what follows the last pivot is free."""
SHORT = 1e-11
"""A column is an alias if what earlier ones leave of it is shorter than this share of it."""
AT_ONCE = 128
"""Doubtful columns looked at in one pass over the rows."""

FEW = 2
"""Rows per column that are looked at first, to see that no column is an alias."""


@dataclass(frozen=True, slots=True, eq=False)
class _Left:
    """What is left of some columns: its products with all columns, and its squared lengths."""

    products: Array
    squares: Array

    def __add__(self, other: _Left) -> _Left:
        return _Left(self.products + other.products, self.squares + other.squares)


def shown_by(sampled: Sampled | None, coordinates: Coordinates) -> bool:
    """Tell whether a few rows show every column independent: then they are so in all."""
    if sampled is None or not coordinates.size:
        return not coordinates.size
    least = max(len(sampled.chunk) // (FEW * coordinates.size), 1)
    first = min(least, FIRST)
    # Few enough rows miss rare levels.
    for every in sorted({first, 1} if sampled.chunk.coded else {least, first, 1}, reverse=True):
        if clearly_independent(coordinates.gram(Threads(sampled.part(every).chunk).reduce(plain_gram))):
            return True
    return False


def aliased(executor: Threads, coordinates: Coordinates) -> Mask:
    """Flag columns that earlier ones explain, on X itself over the rows that count."""
    return aliased_or_doubtful(executor, coordinates)[0]


def aliased_or_doubtful(executor: Threads, coordinates: Coordinates) -> tuple[Mask, bool]:
    """Flag columns that earlier ones explain, and tell whether a Gram leaves the others in doubt."""
    if not coordinates.size:
        return np.zeros(0, dtype=bool), False
    parts = executor.reduce(plain_gram)
    gram = coordinates.gram(parts)
    if clearly_independent(gram):
        return np.zeros(coordinates.size, dtype=bool), False
    empty = np.asarray(entries(gram) <= 0.0)
    if empty.any() and clearly_independent(coordinates.without(empty).gram(parts)):
        return empty, False  # levels without a row, however many there are
    flags = _flags(executor, coordinates, np.asarray(gram))
    left = coordinates.without(flags)
    return flags, bool(left.size) and not clearly_independent(left.gram(parts))


def _flags(executor: Threads, coordinates: Coordinates, gram: Array) -> Mask:
    rows = len(executor.whole)
    if rows < coordinates.size and rows <= SHALLOW:
        return ~independent_columns(coordinates.rows(executor.whole.predictors[0].design))
    if coordinates.size > MANY:
        flags = _projected(executor, coordinates, gram)
        if flags is not None:
            return flags
    # A pivot that small may be rounding in a Gram: decide it on X itself, by TSQR.
    triangle = executor.reduce(partial(sums.triangle, coordinates=coordinates, unit=None, beta=None))
    return ~independent_columns(triangle.factor)


def plain_gram(chunk: Chunk) -> Gram:
    """Sum X'X over some rows, without weights."""
    return chunk.predictors[0].design.gram_parts(np.ones(len(chunk)))


def _projected(executor: Threads, coordinates: Coordinates, gram: Array) -> Mask | None:
    """Flag the columns in doubt that vanish when earlier ones are projected out; None if one does not."""
    doubts = doubts_of(gram)
    flags = np.zeros(coordinates.size, dtype=bool)
    flags[doubts.doubtful] = True
    mixed = doubts.combinations() @ _mixtures(doubts.lengths[doubts.doubtful])
    left = executor.reduce(partial(_left, coordinates=coordinates, combinations=mixed))
    if np.all(np.sqrt(left.squares) <= SHORT):
        return flags  # nothing is left of any mixture, so nothing of any column in it
    for start in range(0, len(doubts.doubtful), AT_ONCE):
        some = _some(doubts, slice(start, start + AT_ONCE))
        combinations = some.combinations()
        for _ in range(2):  # twice is enough, as in `independent_columns`
            left = executor.reduce(partial(_left, coordinates=coordinates, combinations=combinations))
            combinations = some.refined(combinations, left.products)
        left = executor.reduce(partial(_left, coordinates=coordinates, combinations=combinations))
        if np.any(np.sqrt(left.squares) > SHORT * doubts.lengths[some.doubtful]):
            return None  # independent by a hair, and later ones may depend on it
    return flags


def _mixtures(lengths: Array) -> Array:
    """Weigh columns so that each counts at least its unit length in each of four sums, (columns, 4).

    The weights have no pattern that a design could share: what is left of two columns cannot cancel in all.
    """
    angles = np.multiply.outer(np.arange(1.0, len(lengths) + 1.0), np.sqrt([2.0, 3.0, 5.0, 7.0]))
    signs = np.where(np.cos(angles) < 0, -1.0, 1.0)
    return np.asarray(signs * (1.0 + np.sin(angles) ** 2) / lengths[:, None])


def _some(doubts: Doubts, which: slice) -> Doubts:
    return Doubts(doubts.clear, doubts.doubtful[which], doubts.upper, doubts.ahead[:, which], doubts.lengths)


def _left(chunk: Chunk, coordinates: Coordinates, combinations: Array) -> _Left:
    """Combine the columns of some rows, and multiply what is left with every column."""
    design = chunk.predictors[0].design
    rows = design.matmat(coordinates.raw(combinations))
    products = design.cross(Design((Dense((rows,)),), len(rows)), np.ones(len(rows)))
    return _Left(coordinates.gathered(products), np.einsum("ij,ij->j", rows, rows))
