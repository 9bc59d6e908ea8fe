"""Averages over rows of means and of slopes, with their gradients in the coefficients, block by block.

May import: everything below `fit`.
Read next: `etamu.fit.effects`, which compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array, Codes
from etamu.design.blocks import Coded
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.design.design import Design
from etamu.execute.threads import Threads
from etamu.family.unit import Unit
from etamu.fit.placed import visits
from etamu.fit.rows import coordinates_for, own_rows
from etamu.fit.scene import Scene

if TYPE_CHECKING:
    from etamu.fit.result import Fit


@dataclass(frozen=True, slots=True, eq=False)
class Average:
    """One number per group and its derivatives in the coefficients; sums over rows add.

    Parameters
    ----------
    value : array (groups,)
    gradient : array (groups, columns)
    """

    value: Array
    gradient: Array

    def __add__(self, other: Average) -> Average:
        return Average(self.value + other.value, self.gradient + other.gradient)

    def __sub__(self, other: Average) -> Average:
        return Average(self.value - other.value, self.gradient - other.gradient)


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """What a block needs besides its rows; rows carry share, group and weights of a stencil as columns."""

    unit: Unit
    beta: Array
    groups: int
    linear: bool


def average_mean(scene: Scene, predictor: Predictor, kind: str) -> Average:
    """Average the mean (or eta) over the rows of each group.

    The gradient of an average of mu is the average of (dmu / deta) x: X'v, and no matrix of rows.

    Parameters
    ----------
    scene : Scene
    predictor : Predictor
        Rows as `Scene.with_columns` encoded them.
    kind : "mean", "link" or "rate"
    """
    return _reduced(scene, (predictor,), (), kind, _mean_block)


def average_slope(
    scene: Scene, centre: Predictor, points: Sequence[Predictor], weights: Sequence[Array], kind: str
) -> Average:
    """Average the derivative of the mean (or of eta) in a variable over the rows of each group.

    The derivative of eta is a sum of eta at some points times weights, for eta is linear in the columns; that
    of mu is dmu / deta times it, whose gradient is (d2mu / deta2) eta' x + (dmu / deta) x'.

    Parameters
    ----------
    scene : Scene
    centre : Predictor
        The rows as they are.
    points : Predictors
        The rows with the variable moved to each point of a stencil.
    weights : arrays (rows,)
        The weights of these points.
    kind : "mean", "link" or "rate"
    """
    return _reduced(scene, (centre, *points), tuple(weights), kind, _slope_block)


def _reduced(
    scene: Scene,
    predictors: tuple[Predictor, ...],
    columns: tuple[Array, ...],
    kind: str,
    block: Callable[[Chunk, _Work], Average],
) -> Average:
    fit: Fit = scene.fit
    coordinates, beta = coordinates_for(fit, predictors[0].design)
    placed = tuple(Predictor(coordinates.placed(each.design), each.offset) for each in predictors)
    total = np.bincount(scene.codes, weights=scene.units, minlength=len(scene.groups))
    with np.errstate(all="ignore"):
        share = scene.units / total[scene.codes]
    # The columns of the response carry what is known of each row here: its share, and its weights.
    chunk = Chunk(placed, (share, *columns), Weights(), np.flatnonzero(scene.keep), (scene.codes,))
    work = _Work(fit.problem.unit, coordinates.raw(beta), len(scene.groups), kind == "link")
    summed = Threads(chunk, **visits(fit.problem.options)).reduce(lambda part: block(part, work))
    gradient = own_rows(fit, coordinates, coordinates.gathered(summed.gradient.T).T)
    return Average(summed.value, gradient)


def _mean_block(chunk: Chunk, work: _Work) -> Average:
    share, codes = chunk.y[0], chunk.cluster[0]
    eta = chunk.predictors[0].eta(work.beta)
    value, slope, _ = _means(work, eta)
    return Average(
        _grouped(codes, share * value, work.groups),
        _by_group(chunk.predictors[0].design, codes, share * slope, work.groups),
    )


def _slope_block(chunk: Chunk, work: _Work) -> Average:
    (share, *weights), codes = chunk.y, chunk.cluster[0]
    centre, *points = chunk.predictors
    eta = centre.eta(work.beta)
    etas = [point.eta(work.beta) for point in points]
    moved = np.sum([weight * each for weight, each in zip(weights, etas, strict=True)], axis=0)
    _, slope, bend = _means(work, eta)
    gradient = np.zeros((work.groups, centre.design.width))
    for point, weight in zip(points, weights, strict=True):
        gradient += _by_group(point.design, codes, share * slope * weight, work.groups)
    if not work.linear:
        gradient += _by_group(centre.design, codes, share * bend * moved, work.groups)
    return Average(_grouped(codes, share * slope * moved, work.groups), gradient)


def _means(work: _Work, eta: Array) -> tuple[Array, Array, Array]:
    """Return the mean with its two derivatives, or eta with 1 and 0; NaN where eta has left the domain."""
    if work.linear:
        return eta, np.ones_like(eta), np.zeros_like(eta)
    with np.errstate(all="ignore"):
        mean = work.unit.mean(np, eta)
    outside = ~work.unit.domain.contains(eta)
    if outside.any():
        return tuple(np.where(outside, np.nan, each) for each in (mean.mu, mean.d1, mean.d2))  # type: ignore[return-value]
    return mean.mu, mean.d1, mean.d2


def _grouped(codes: Codes, values: Array, groups: int) -> Array:
    return np.bincount(codes, weights=values, minlength=groups).astype(np.float64)


def _by_group(design: Design, codes: Codes, v: Array, groups: int) -> Array:
    """Compute X'v over the rows of each group, (groups, raw columns)."""
    if groups == 1:
        return design.rmatvec(v)[None, :]
    return design.cross(Design((Coded(codes, groups),), design.length), v).T
