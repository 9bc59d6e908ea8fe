"""Influence: what the fit would be without each row, from one pass over the rows.

May import: everything below `fit`.
Read next: `etamu.infer.influence`, the formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.choice import check_choice
from etamu._base.errors import DataError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.fit.leverage import bread, lever
from etamu.fit.residuals import KINDS
from etamu.fit.rows import by_row, raw_beta
from etamu.infer import influence as formulas
from etamu.infer.covariance import Root
from etamu.sums import etas

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

EXTENT: dict[str, Callable[[Array], Array]] = {
    "cooks_distance": np.abs,
    "leverage": np.abs,
    "dffits": np.abs,
    "covariance_ratio": lambda values: np.abs(np.log(values)),
    "loo_deviance": np.abs,
}
"""By what rows can be put in order, and what of it is large."""

DFBETAS_RESIDUALS = ("deviance", "pearson")
"""From which residual the change of a coefficient is computed."""


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """What each row does to the fit; every array has the length of the input.

    NaN where a row was dropped or has weight 0, and, apart from the leverage, where the leverage is 1:
    without such a row a coefficient is undetermined. A frequency weight repeats a row; all of this is about
    leaving a single copy out.

    Parameters
    ----------
    fit : Fit
    leverage : array (n,)
        h = w W x'(X'WX)^-1 x, between 0 and 1; over all copies they add up to the rank.
    cooks_distance : array (n,)
        (p / (1 - h))^2 h / (phi rank), p the Pearson residual: how far all coefficients move together.
    dffits : array (n,)
        d sqrt(h) / (sigma_(i) (1 - h)), d the deviance residual: how far the row's own eta moves, in
        standard errors.
    covariance_ratio : array (n,)
        Generalised variance of the coefficients without the row over that with it.
    loo_deviance : array (n,)
        Unit deviance w d(y, mu_(i)) of the row at the mean predicted without it: eta_(i) by one step of
        scoring (Pregibon 1981), exact for Gaussian with identity link. NaN where that step leaves the domain
        of the link. The sum estimates the deviance on new rows, to be held against `fit.deviance`.
    loo_sigma : array (n,)
        sqrt((D - d^2 / (1 - h)) / (n - rank - 1)).

    Source: R's `influence.measures`; Cook and Weisberg, Residuals and Influence in Regression (1982).

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 2.0], "x": [0.0, 1.0, 2.0, 3.0, 9.0]}
    >>> influence = em.glm("y ~ x", data).influence()
    >>> influence.leverage.round(3)
    array([0.38, 0.28, 0.22, 0.2 , 0.92])
    >>> influence.top(1)["row"]
    array([4])
    """

    fit: FittedModel
    leverage: Array
    cooks_distance: Array
    dffits: Array
    covariance_ratio: Array
    loo_deviance: Array
    loo_sigma: Array

    def top(self, k: int = 10, by: str = "cooks_distance") -> Any:
        """Tabulate the k most influential rows, the most influential first.

        Columns `row` (position in the input), `label` (the index, where the input was a pandas table), and
        the measures. Rows that tie keep their order; rows without a value are left out.

        Parameters
        ----------
        k : int
        by : str
            "cooks_distance", "leverage", "dffits" (its size), "covariance_ratio" (the size of its log), or
            "loo_deviance".

        Returns
        -------
        table in the library of the input, or dict of arrays

        Raises
        ------
        OptionError
            If k is not a positive number or the measure is not known.
        """
        rows = self.most(k, by)
        columns: dict[str, Any] = {"row": rows}
        table = self.fit.problem.table
        labels = None if table is None else table.labels(rows)
        if labels is not None:
            columns["label"] = labels
        columns |= {
            name: getattr(self, name)[rows] for name in (by, *(each for each in EXTENT if each != by))
        }
        return columns if table is None else table.native_table(columns)

    def most(self, k: Any = 10, by: str = "cooks_distance") -> NDArray[np.intp]:
        """Return the positions of the k most influential rows, as `top` orders them."""
        check_choice("by", by, EXTENT)
        if not isinstance(k, (int, np.integer)) or k < 1:
            raise OptionError(f"k={k!r} rows cannot be shown; give a number of 1 or more")
        with np.errstate(all="ignore"):
            extent = EXTENT[by](getattr(self, by))
        known = np.flatnonzero(~np.isnan(extent))
        return known[np.argsort(-extent[known], kind="stable")[:k]]

    def dfbetas(self, residual: str = "deviance", rows: Sequence[int] | NDArray[Any] | None = None) -> Array:
        """Compute by how many standard errors each coefficient falls when a row is left out.

        DFBETAS = (X'WX)^-1 x sqrt(W) r / (1 - h) / (sigma_(i) sqrt(diag (X'WX)^-1)), by R's definition also
        where phi is known. This is the one result with a number for every row and every coefficient.

        Parameters
        ----------
        residual : "deviance" or "pearson"
            R's `dfbetas` of a GLM puts deviance residuals for r; Pearson residuals make it the change by one
            step of scoring.
        rows : positions in the input, optional
            Only these rows, in this order, such as `most(10)`.

        Returns
        -------
        array (n, p), or (len(rows), p)
            Columns in the order of `fit.names`, NaN where one is aliased.

        Raises
        ------
        OptionError
            If the residual is not known.
        DataError
            If a position is not one of the input.
        """
        check_choice("residual", residual, DFBETAS_RESIDUALS)
        return _dfbetas(self, residual, None if rows is None else _positions(self.fit, rows))

    def __repr__(self) -> str:
        size, rank = len(self.leverage), self.fit.rank
        lines = [f"Influence of {size} rows on {rank} coefficients; largest Cook's distances:"]
        for row in self.most(5):
            cook, h = self.cooks_distance[row], self.leverage[row]
            lines.append(f"  row {row:<8d} cooks_distance {cook:<9.3g} leverage {h:.3g}")
        return "\n".join(lines)


def influence(fit: FittedModel) -> Influence:
    """Compute what each row does to the fit, as `Influence` describes."""
    beta, leverage = raw_beta(fit), lever(fit, bread(fit))
    columns = by_row(fit, partial(_row, fit, beta, leverage))
    h, d, p, loo = (np.ascontiguousarray(column) for column in columns.T)
    whole = whole_of(fit)
    sigma = formulas.loo_sigma(d, h, whole)
    return Influence(
        fit,
        leverage=h,
        cooks_distance=formulas.cooks_distance(p, h, whole),
        dffits=formulas.dffits(d, h, sigma),
        covariance_ratio=formulas.covariance_ratio(d, h, sigma, whole),
        loo_deviance=loo,
        loo_sigma=sigma,
    )


def whole_of(fit: FittedModel) -> formulas.Whole:
    """Say what the formulas need to know of the whole fit."""
    return formulas.Whole(fit.deviance, fit.nobs, fit.rank, fit.phi.value)


def _row(fit: FittedModel, beta: Array, lever: Callable[[Chunk, Array], Array], chunk: Chunk) -> Array:
    """Compute leverage, deviance and Pearson residual, and leave-one-out deviance of each row, (n, 4)."""
    unit = fit.problem.unit
    eta = etas(chunk, beta)
    h = lever(chunk, eta)
    with np.errstate(all="ignore"):
        _, score, information = unit.bind(np, "expected")(chunk.y, eta)
        working = np.where(score == 0.0, 0.0, score / information)
        without = eta - formulas.shift(working, h)
        predicted = np.where(unit.domain.contains(without), without, np.nan)
        loo = -2.0 * unit.bind(np, "expected")(chunk.y, predicted)[0]
        precision = chunk.weights.precision()
        loo = loo if precision is None else loo * precision
        # NaN eta gives a deviance of NaN in every family, but a comparison inside may have hidden it.
        loo = np.where(np.isnan(predicted), np.nan, loo)
    return np.stack([h, *(_weighted(fit, kind, chunk, eta) for kind in DFBETAS_RESIDUALS), loo], axis=1)


def _weighted(fit: FittedModel, kind: str, chunk: Chunk, eta: Array) -> Array:
    """Compute a residual that carries the sampling weight too: what leaving the row out takes away."""
    with np.errstate(all="ignore"):
        residual = KINDS[kind](fit.problem.unit, chunk, eta)
    sampling = chunk.weights.sampling
    return residual if sampling is None else residual * np.sqrt(sampling)


def _positions(fit: FittedModel, rows: Sequence[int] | NDArray[Any]) -> NDArray[np.intp]:
    asked = np.asarray(rows)
    n = fit.problem.input_rows
    whole = asked.ndim == 1 and (asked.dtype.kind in "iu" or not asked.size)
    if not whole or np.any((asked < 0) | (asked >= n)):
        raise DataError(f"rows are positions in the input, whole numbers from 0 to {n - 1}; got {rows!r}")
    return asked.astype(np.intp)


def _dfbetas(asked: Influence, residual: str, rows: NDArray[np.intp] | None) -> Array:
    fit, root = asked.fit, bread(asked.fit)
    beta, unit, coordinates = raw_beta(fit), fit.problem.unit, fit.coordinates
    size = Root(coordinates.reported(root.matrix)).errors()

    def block(chunk: Chunk) -> Array:
        eta = etas(chunk, beta)
        with np.errstate(all="ignore"):
            weight = unit.bind(np, "expected")(chunk.y, eta)[2]
            precision = chunk.weights.precision()
            weight = weight if precision is None else weight * precision
            h, sigma = asked.leverage[chunk.row_ids], asked.loo_sigma[chunk.row_ids]
            share = np.sqrt(weight) * _weighted(fit, residual, chunk, eta) / ((1.0 - h) * sigma)
        share = np.where(h < 1.0, share, np.nan)
        panel = coordinates.rows(chunk.predictors[0].design) * share[:, None]
        return coordinates.reported(((panel @ root.matrix) @ root.matrix.T).T).T / size

    return by_row(fit, block, rows)
