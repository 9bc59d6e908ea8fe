"""Changes of coordinates on coefficients: contrasts, shift, scale and aliases, never on n rows.

May import: numpy, `etamu._base`, `etamu.design`.
Read next: `etamu.objective.likelihood`, which solves in working coordinates.
"""

from __future__ import annotations

from functools import cached_property
from itertools import groupby
from typing import cast

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import DataError
from etamu._base.facts import dataclass
from etamu._base.kernel import kernel
from etamu._base.types import Array
from etamu.design.blocks import Coded
from etamu.design.design import Design
from etamu.design.gram import Gram
from etamu.design.layout import Layout
from etamu.design.moments import Moments, beside, constant
from etamu.design.working import Spread, spread_gram, spreads

MINUTE, VAST = 1e-300, 1e307
"""A column that varies by less would have coefficients beyond float64, one by more none that is not 0."""


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The map between raw columns, working coordinates and reported coefficients.

    Working column j is (x_j - shift_j) / scale_j for the kept reported columns j. With the
    constant c (X c = 1) the reported coefficients are

        beta = S beta_w,   S = (I - c shift') diag(1 / scale),

    and the covariance follows as S cov_w S'. S is a selection, a scale and one shift row: it is
    applied, never built.

    Parameters
    ----------
    layout : Layout
    kept : integers
        Reported columns that are not aliased, in order.
    raw_shift, raw_scale : arrays (raw,)
        What is subtracted from each raw column and what divides it.
    """

    layout: Layout
    kept: NDArray[np.intp]
    raw_shift: Array
    raw_scale: Array

    @cached_property
    def shift(self) -> Array:
        """The shift of every reported column."""
        return _reported(self.layout, self.raw_shift, 0.0)

    @cached_property
    def scale(self) -> Array:
        """The scale of every reported column; the levels of a term share one."""
        return _reported(self.layout, self.raw_scale, 1.0)

    @cached_property
    def stretch(self) -> float:
        """A bound of x_w'x_w / x_raw'x_raw over all rows: contrasts may lengthen a row, selections do not."""
        rows = [float(np.square(part.matrix).sum(axis=1).max(initial=0.0)) for part in self.layout.parts]
        return max([1.0, *rows])

    @property
    def size(self) -> int:
        """Number of working coordinates, the rank of the design."""
        return len(self.kept)

    @property
    def aliased(self) -> tuple[str, ...]:
        """Names of the reported columns that have no coefficient of their own."""
        kept = set(self.kept.tolist())
        return tuple(name for j, name in enumerate(self.layout.names) if j not in kept)

    def without(self, aliased: NDArray[np.bool_]) -> Coordinates:
        """Drop some of the kept columns, `aliased` being one flag per working coordinate."""
        return Coordinates(self.layout, self.kept[~aliased], self.raw_shift, self.raw_scale)

    def _embed(self, working: Array) -> Array:
        full = np.zeros((self.layout.width, *working.shape[1:]))
        full[self.kept] = working
        return full

    def raw(self, beta: Array) -> Array:
        """Map working coefficients (size, …) to coefficients of the shifted, scaled raw columns."""
        return self.layout.expand(self._embed(beta))

    def gathered(self, raw: Array) -> Array:
        """Map a score over raw columns, (raw_width, …), to working coordinates."""
        return self.layout.gather(raw)[self.kept]

    @cached_property
    def _ways(self) -> dict[tuple[int, ...], list[list[Spread]]]:
        """How blocks of some widths reach the working coordinates, which every pass asks anew."""
        return {}

    def gram(self, raw: Array | Gram) -> Array:
        """Map X' W X from raw columns, a matrix or its parts, to working coordinates, (size, size)."""
        if isinstance(raw, Gram):
            # An arrow where a factor dominates: NumPy reads it as the matrix it stands for.
            if raw.widths not in self._ways:
                self._ways[raw.widths] = spreads(self.layout, self.kept, raw.widths)
            return cast("Array", spread_gram(raw, self._ways[raw.widths], self.size))
        places = self._chosen
        if places is None:
            return _evened(self.gathered(self.gathered(raw).T))
        if kernel is None:
            return _evened(raw.take(places, axis=0).take(places, axis=1))
        out = np.empty((len(places), len(places)))
        kernel.chosen(np.ascontiguousarray(raw, dtype=np.float64), places, out)
        return out

    @cached_property
    def _chosen(self) -> NDArray[np.int64] | None:
        """The raw column that each working coordinate is, None where some are contrasts of several."""
        layout = self.layout
        raw = np.full(layout.width, -1, dtype=np.int64)
        raw[layout.dense_reported] = layout.dense_raw
        single = len(set(layout.dense_reported.tolist())) == len(layout.dense_reported)
        return raw[self.kept] if single and not layout.parts and np.all(raw[self.kept] >= 0) else None

    def raw_matrix(self, working: Array) -> Array:
        """Map M so that x_w' M x_w = x_raw' (result) x_raw."""
        return self.raw(self.raw(working).T)

    def placed(self, design: Design) -> Design:
        """Give the raw columns of other rows the same shift and scale."""
        return design.scaled(self.raw_shift, self.raw_scale)

    def rows(self, design: Design) -> Array:
        """Write a block of rows out in working coordinates, (rows, size)."""
        return self.gathered(design.dense().T).T

    def reported(self, working: Array) -> Array:
        """Apply S to (size, …); aliased entries are NaN."""
        unscaled = (working.T / self.scale[self.kept]).T
        out = np.full((self.layout.width, *working.shape[1:]), np.nan)
        out[self.kept] = unscaled
        constant = self.layout.constant
        if constant is not None and self.shift.any():
            # Only the few columns that make up the constant change: an aliased NaN stays one.
            rows = np.flatnonzero(constant)
            moved = self.shift[self.kept] @ unscaled
            out[rows] -= np.multiply.outer(constant[rows], moved)
        return out

    def reported_covariance(self, covariance: Array) -> Array:
        """Compute S cov S', (reported, reported), NaN where a column is aliased."""
        return self.reported(self.reported(covariance).T)

    def working(self, beta: Array) -> Array:
        """Map reported coefficients back; aliased entries are ignored."""
        present = np.where(np.isnan(beta), 0.0, beta)
        if self.layout.constant is not None:
            present = present + self.layout.constant * (self.shift @ present)
        return (present * self.scale)[self.kept]

    def hypothesis(self, reported: Array) -> Array:
        """Map rows L of a linear combination L beta, (m, reported), to working coordinates: L S."""
        lifted = reported / self.scale
        if self.layout.constant is not None and (moved := reported @ self.layout.constant).any():
            lifted = (reported - np.multiply.outer(moved, self.shift)) / self.scale
        return lifted[:, self.kept]


def _evened(matrix: Array) -> Array:
    """Average a matrix with its transpose."""
    half = 0.5 * matrix  # first, for the sum of two large numbers may overflow
    return half + half.T


def describe(design: Design) -> Moments:
    """Describe every raw column of some rows; of levels without numbers all columns at once."""
    alike = groupby(design.blocks, lambda block: isinstance(block, Coded) and block.multiplier is None)
    moments: list[Moments] = []
    for levels, blocks in alike:
        if levels:
            moments.append(constant(1.0, design.length, sum(block.width for block in blocks)))
        else:
            moments += [block.moments() for block in blocks]
    return moments[0] if len(moments) == 1 else beside(moments, design.length)


def standardised(
    design: Design, layout: Layout, moments: Moments, *, shifts: bool = True
) -> tuple[Design, Coordinates]:
    """Shift and scale a design, and return the coordinates that undo it.

    A column is shifted by its mean only where the constant is made of columns before it, so that
    earlier columns still decide about aliases, and only where that mean is farther from 0 than most of its
    numbers are from the mean: else a row of 0 in a column of a few large numbers would have to be the
    difference of two of them. Scales are powers of two: dividing by them is exact. Without `shifts` columns
    are only scaled.
    """
    shift, scale = np.zeros(design.width), np.ones(design.width)
    far = np.abs(moments.centre) > moments.deviation
    movable = _movable(design, layout) & moments.varies & far & shifts
    shift[movable] = moments.centre[movable]
    spread = np.where(movable, moments.deviation, moments.root_mean_square)
    usable = np.isfinite(spread) & (spread > 0)
    _refuse_extreme(layout, usable & (spread < MINUTE), "less", MINUTE, "smaller units, multiplied by 1e300")
    _refuse_extreme(layout, usable & (spread > VAST), "more", VAST, "larger units, divided by 1e300")
    scale[usable] = np.exp2(np.round(np.log2(spread[usable])))
    coordinates = Coordinates(layout, np.arange(layout.width), shift, scale)
    return coordinates.placed(design), coordinates


def _refuse_extreme(layout: Layout, extreme: NDArray[np.bool_], side: str, bound: float, remedy: str) -> None:
    """Refuse columns so small or large that their coefficients would be beyond float64."""
    if not extreme.any():
        return
    reported = layout.dense_reported[np.isin(layout.dense_raw, np.flatnonzero(extreme))]
    name = layout.names[int(reported[0])] if len(reported) else "a coded column"
    raise DataError(
        f"column {name!r} varies by {side} than {bound:g}, and its coefficient is beyond what float64 holds: "
        f"count it in {remedy} say"
    )


def extent(coordinates: Coordinates, moments: Moments) -> Array:
    """Bound the largest |x_ij| of every working column, (size,), from the columns as they came."""
    return bound_of(coordinates, moments.largest(coordinates.raw_shift) / coordinates.raw_scale)


def bound_of(coordinates: Coordinates, largest: Array) -> Array:
    """Bound the largest |x_ij| of every working column, (size,), from those of the raw ones as placed."""
    layout = coordinates.layout
    bound = np.zeros(layout.width)
    bound[layout.dense_reported] = largest[layout.dense_raw]
    for part in layout.parts:
        most = largest[part.raw].max(initial=0.0)
        bound[part.reported] = np.abs(part.matrix).max(axis=0, initial=0.0) * most
    return bound[coordinates.kept]


def squared_lengths(coordinates: Coordinates, moments: Moments) -> Array:
    """Sum x_ij^2 of every working column, (size,); for contrasts of levels, a bound of it."""
    layout = coordinates.layout
    size = np.zeros(layout.width)
    dense, raw = layout.dense_reported, layout.dense_raw
    size[dense] = np.hypot(moments.deviation[raw], moments.centre[raw] - coordinates.shift[dense])
    for part in layout.parts:
        largest = np.maximum(np.abs(moments.low), np.abs(moments.high))[part.raw].max(initial=0.0)
        size[part.reported] = largest * np.abs(part.matrix).max(axis=0, initial=0.0)
    return moments.count * np.square(size / coordinates.scale)[coordinates.kept]


def exclusive(design: Design, coordinates: Coordinates) -> NDArray[np.intp]:
    """Give working columns of which at most one is not 0 in any row the same number.

    The levels of a factor share a number where they are reported as they stand; contrasts mix levels.
    """
    layout = coordinates.layout
    groups = np.arange(layout.width)
    starts = [columns.start for columns, block in design.placed()]
    owner = np.searchsorted(starts, layout.dense_raw, side="right") - 1
    coded = np.array([isinstance(block, Coded) for block in design.blocks], dtype=bool)
    levels = coded[owner]
    groups[layout.dense_reported[levels]] = layout.width + owner[levels]
    return groups[coordinates.kept]


def _movable(design: Design, layout: Layout) -> NDArray[np.bool_]:
    """Flag raw columns that may be shifted."""
    movable = np.zeros(design.width, dtype=bool)
    if layout.constant is None or not any(block.shiftable for block in design.blocks):
        return movable
    after = layout.dense_reported > np.flatnonzero(layout.constant).max(initial=-1)
    movable[layout.dense_raw[after]] = True
    for columns, block in design.placed():
        if not block.shiftable:
            movable[columns] = False
    return movable


def _reported(layout: Layout, raw: Array, default: float) -> Array:
    """Carry a number per raw column to the reported columns; the levels of a part share one."""
    out = np.full(layout.width, default)
    out[layout.dense_reported] = raw[layout.dense_raw]
    for part in layout.parts:
        if part.raw.stop > part.raw.start:
            out[part.reported] = raw[part.raw.start]
    return out
