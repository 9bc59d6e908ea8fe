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
    from etamu.fit.fitted import FittedModel


STEP = 1e-3
"""Width of the stencil of a derivative, in standard deviations of the variable or in sizes of its value."""


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
    fit: FittedModel = scene.fit
    coordinates, beta = coordinates_for(fit, predictors[0].design)
    placed = tuple(Predictor(coordinates.placed(each.design), each.offset) for each in predictors)
    total = np.bincount(scene.codes, weights=scene.units, minlength=len(scene.groups))
    with np.errstate(all="ignore"):
        share = scene.units / total[scene.codes]
    # The columns of the response carry what is known of each row here: its share, and its weights.
    chunk = Chunk(placed, (share, *columns), Weights(), np.flatnonzero(scene.keep), (scene.codes,))
    work = _Work(fit.problem.unit, coordinates.raw(beta), len(scene.groups), kind == "link")
    if scene.null is not None and any(scene.null.leaves(each.design) for each in predictors):
        nothing = np.full((len(scene.groups), coordinates.size), np.nan)
        return Average(nothing[:, 0] if coordinates.size else np.full(len(scene.groups), np.nan), nothing)
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


def derivative_places(values: Array) -> tuple[list[Array], Array]:
    """Return five places by each value and their weights for a derivative there, (5, rows).

    All places lie between the smallest and the largest value, unless those are too near one another: beyond
    them a function or a spline may have no value.

    Examples
    --------
    >>> places, weights = derivative_places(np.array([0.0, 1.0, 4.0]))
    >>> float(np.sum(weights * np.sqrt(places), axis=0)[2].round(9))
    0.25
    """
    low, high = float(values.min()), float(values.max())
    width = np.full(len(values), STEP * (float(values.std()) or abs(low) or 1.0))
    if low > 0.0:  # log and powers bend on the scale of the value itself
        width = np.minimum(width, STEP * values)
    middle = values if high - low <= 4 * width.max() else np.clip(values, low + 2 * width, high - 2 * width)
    return [middle + place * width for place in range(-2, 3)], _stencil((values - middle) / width) / width


def _stencil(u: Array) -> Array:
    """Weigh f at -2, -1, 0, 1, 2 for the derivative at u of the quartic through them, (5, rows)."""
    nodes = np.arange(-2.0, 3.0)
    out = []
    for k, node in enumerate(nodes):
        others = np.delete(nodes, k)
        scale = float(np.prod(node - others))
        derivative = sum(np.prod([u - other for other in np.delete(others, m)], axis=0) for m in range(4))
        out.append(derivative / scale)
    return np.array(out)
