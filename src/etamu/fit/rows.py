"""Per-row quantities of a fit, laid out at the length of the input.

May import: everything below `fit`.
Read next: `etamu.fit.residuals`, `etamu.fit.predict`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.chunk import Chunk, Predictor
from etamu.design.coordinates import Coordinates
from etamu.design.design import Design
from etamu.execute.threads import Threads
from etamu.fit.limit import inside
from etamu.fit.placed import Placed, placed
from etamu.infer.covariance import Root

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel
    from etamu.fit.problem import Problem


def by_row(
    fit: FittedModel, function: Callable[[Chunk], Array], rows: NDArray[np.intp] | None = None
) -> Array:
    """Compute one number, or several, per row of the input, block by block; NaN where a row was dropped.

    The chunk handed to `function` has columns in the coordinates of `fit.beta`. With `rows`, positions in the
    input, only those are visited, and answered in their order.
    """
    problem = fit.problem
    chunk, place, length = problem.chunk, problem.chunk.row_ids, problem.input_rows
    if rows is not None:
        used = np.full(problem.input_rows, -1)
        used[chunk.row_ids] = np.arange(len(chunk))
        place, length = np.flatnonzero(used[rows] >= 0), len(rows)
        chunk = chunk.take(used[rows[place]])
    predictor = chunk.predictors[0]
    placed = Predictor(fit.coordinates.placed(predictor.design), predictor.offset)
    chunk = Chunk((placed,), chunk.y, chunk.weights, chunk.row_ids)
    laid = _Laid(place, length)
    Threads(chunk, rows=problem.options.block_rows).map(function, laid.append)
    return laid.out[0]


def located(fit: FittedModel, problem: Problem | None = None) -> Placed:
    """Place the rows that count in the coordinates that the data determine, with the estimate in them."""
    stated = fit.problem if problem is None else problem
    if fit.limit is None:
        return placed(stated, stated.counting(), fit.coordinates, fit.beta)
    within = inside(stated, fit.coordinates, fit.limit)
    return placed(within, within.counting(), fit.limit.inner(fit.coordinates), fit.limit.beta)


def lifted(fit: FittedModel, root: Root) -> Root:
    """Carry a factor of the covariance from where `located` is to the coordinates of the fit."""
    return root if fit.limit is None else fit.limit.lifted(root)


@dataclass(frozen=True, eq=False)
class _Laid:
    """Numbers per row, each block laid in its place as it comes: nothing of that size is held twice."""

    place: NDArray[np.intp]
    length: int
    out: list[Array] = field(default_factory=list)
    done: list[int] = field(default_factory=list)

    def append(self, block: Array) -> None:
        """Lay the next block; several numbers per row lie column by column."""
        if not self.out:
            self.out.append(np.full((self.length, *block.shape[1:]), np.nan, order="F"))
        start = sum(self.done)
        self.out[0][self.place[start : start + len(block)]] = block
        self.done.append(len(block))


def raw_beta(fit: FittedModel) -> Array:
    """Return the coefficients of the shifted, scaled raw columns."""
    return fit.coordinates.raw(fit.beta)


def coordinates_for(fit: FittedModel, design: Design) -> tuple[Coordinates, Array]:
    """Choose coordinates in which the blocks of other rows can be placed, with the estimate in them.

    Those of the fit, unless it shifted columns that are sparse now: then the columns as they stand.
    """
    own = fit.coordinates
    if not any(own.raw_shift[columns].any() for columns, block in design.placed() if not block.shiftable):
        return own, fit.beta
    return plain_coordinates(fit)


def plain_coordinates(fit: FittedModel) -> tuple[Coordinates, Array]:
    """Return the coordinates in which columns are as they stand, with the estimate in them."""
    own = fit.coordinates
    plain = Coordinates(own.layout, own.kept, own.raw_shift * 0.0, np.ones_like(own.raw_scale))
    return plain, own.reported(fit.beta)[own.kept]


def root_in(fit: FittedModel, coordinates: Coordinates) -> Root:
    """Factor the covariance of the estimate in coordinates that `coordinates_for` chose."""
    own = fit.coordinates
    return fit.root if coordinates is own else Root(own.reported(fit.root.matrix)[own.kept])


def own_rows(fit: FittedModel, coordinates: Coordinates, rows: Array) -> Array:
    """Carry rows over the working coefficients of `coordinates_for` to those of the fit, (m, size)."""
    own = fit.coordinates
    if coordinates is own:
        return rows
    columns = np.zeros((len(rows), own.layout.width))
    columns[:, own.kept] = rows
    return own.hypothesis(columns)


def refuse_others(fit: Any, door: str) -> None:
    """Refuse what is no fit of one linear predictor.

    Raises
    ------
    OptionError
        If it is no fit.
    NotAvailableError
        If it has several linear predictors.
    """
    problem = getattr(fit, "problem", None)
    if problem is None:
        raise OptionError(f"{door} takes a fit, {door}(fit); this is a {type(fit).__name__}")
    if not hasattr(problem, "unit"):
        raise NotAvailableError(f"{door} is for models of one linear predictor; this one has several")
