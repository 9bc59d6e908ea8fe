"""What each term contributes to eta, centred on the rows of the fit.

May import: everything below `fit`.
Read next: `etamu.fit.predict`, whose kind="terms" this is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import NotAvailableError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.data.frame import Frame
from etamu.design.chunk import Chunk
from etamu.design.coordinates import Coordinates
from etamu.design.design import Design
from etamu.execute.threads import Threads
from etamu.fit.rows import plain_coordinates, root_in
from etamu.infer.covariance import Root

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Contributions to eta: constant + sum of the columns = eta without its offset.

    Parameters
    ----------
    constant : float
        The mean of X beta over the rows of the fit; 0 without an intercept, where nothing is centred.
    columns : dict of str to array (n,)
        One per term, its mean over the rows of the fit subtracted; NaN where a row has a missing value.
    se : dict of str to array (n,), optional
        Their standard errors.
    frame : Frame, optional
        Where the rows came from, for `table`.
    """

    constant: float
    columns: Mapping[str, Array]
    se: Mapping[str, Array] | None = None
    frame: Frame | None = None

    def __getitem__(self, term: str) -> Array:
        return self.columns[term]

    @property
    def names(self) -> tuple[str, ...]:
        """The terms, in the order of the formula."""
        return tuple(self.columns)

    @property
    def total(self) -> Array:
        """The constant plus all columns: eta without its offset."""
        return np.asarray(self.constant + sum(self.columns.values()))

    def table(self) -> Any:
        """Return the columns in the data-frame library of the rows; a dict of arrays where there was none."""
        return dict(self.columns) if self.frame is None else self.frame.native_table(self.columns)


@dataclass(frozen=True, slots=True, eq=False)
class Splitter:
    """Takes eta apart, term by term, in the coordinates of one design.

    Parameters
    ----------
    coordinates : Coordinates
    beta : array (size,)
    root : Root, optional
        Of their covariance, where standard errors are asked.
    labels : tuple of str
    masks : boolean array (terms, size)
        Which working coefficients belong to each term.
    means : array (size,)
        Mean of each working column over the rows of the fit; zeros where nothing is centred.
    constant : float
    """

    coordinates: Coordinates
    beta: Array
    root: Root | None
    labels: tuple[str, ...]
    masks: Array
    means: Array
    constant: float

    def contributions(self, design: Design) -> Array:
        """Compute the centred contributions of some rows, (rows, terms)."""
        placed = self.coordinates.placed(design)
        parts = [
            placed.matvec(self.coordinates.raw(self.beta * mask)) - self.means @ (self.beta * mask)
            for mask in self.masks
        ]
        return np.stack(parts, axis=1) if parts else np.zeros((design.length, 0))

    def errors(self, design: Design) -> Array:
        """Compute their standard errors, (rows, terms)."""
        assert self.root is not None
        placed = self.coordinates.placed(design)
        parts = []
        for mask in self.masks:
            own = self.root.matrix * mask[:, None]
            matrix = own @ own.T
            middle = matrix @ self.means
            variance = placed.quadratic(self.coordinates.raw_matrix(matrix))
            variance += self.means @ middle - 2.0 * placed.matvec(self.coordinates.raw(middle))
            parts.append(np.sqrt(np.maximum(variance, 0.0)))
        return np.stack(parts, axis=1) if parts else np.zeros((design.length, 0))


def splitter(fit: FittedModel, coordinates: Coordinates, beta: Array, root: Root | None) -> Splitter:
    """Prepare to take eta apart; the means of the columns come from the rows of the fit.

    Raises
    ------
    NotAvailableError
        If the fit was read from a file, which has no rows.
    """
    layout = fit.problem.layout
    intercept = "Intercept" in layout.names
    if not intercept and coordinates.shift.any():
        # A factor that spans the constant carries what the shifts of other columns take away.
        coordinates, beta = plain_coordinates(fit)
        root = None if root is None else root_in(fit, coordinates)
    index = coordinates.kept
    labels, masks = [], []
    for term in layout.terms:
        inside = (index >= term.columns.start) & (index < term.columns.stop)
        if layout.names[term.columns] != ("Intercept",):
            labels.append(term.label)
            masks.append(inside.astype(np.float64))
    means = np.zeros(coordinates.size)
    if intercept:
        means = _means(fit, coordinates)
    return Splitter(
        coordinates,
        beta,
        root,
        tuple(labels),
        np.array(masks).reshape(len(labels), coordinates.size),
        means,
        float(means @ beta),
    )


def _means(fit: FittedModel, coordinates: Coordinates) -> Array:
    """Average every working column over the rows of the fit, as R: not weighted."""
    if fit.problem.sample is None:
        raise NotAvailableError(
            "terms are centred on the rows of the fit, and a fit read from a file carries none: fit again"
        )
    chunk = fit.problem.chunk
    executor = Threads(chunk, rows=fit.problem.options.block_rows)

    def total(block: Chunk) -> Array:
        placed = coordinates.placed(block.predictors[0].design)
        return coordinates.gathered(placed.rmatvec(np.ones(len(block))))

    return np.asarray(executor.reduce(total) / max(len(chunk), 1))


def terms_of_rows(fit: FittedModel, *, se: bool) -> Terms:
    """Take the eta of the rows of the fit apart, laid out at the length of the input."""
    problem = fit.problem
    parts = splitter(fit, fit.coordinates, fit.beta, fit.root if se else None)
    ids = problem.chunk.row_ids

    def laid_out(function: Callable[[Design], Array]) -> dict[str, Array]:
        out = np.full((problem.input_rows, len(parts.labels)), np.nan)
        pieces: list[Array] = []
        executor = Threads(problem.chunk, rows=problem.options.block_rows)
        executor.map(lambda chunk: function(chunk.predictors[0].design), pieces.append)
        out[ids] = np.concatenate(pieces)
        return dict(zip(parts.labels, out.T, strict=True))

    errors = laid_out(parts.errors) if se else None
    return Terms(parts.constant, laid_out(parts.contributions), errors, problem.table)


def terms_of_new(
    parts: Splitter, design: Design, lay_out: Callable[[Array], Array], frame: Frame | None
) -> Terms:
    """Take the eta of new rows apart; `lay_out` puts values where the rows were in the input."""

    def named(values: Array) -> dict[str, Array]:
        return {label: lay_out(values[:, k]) for k, label in enumerate(parts.labels)}

    errors = None if parts.root is None else named(parts.errors(design))
    return Terms(parts.constant, named(parts.contributions(design)), errors, frame)
