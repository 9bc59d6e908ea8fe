"""The score in twice the precision: x - shift, x'beta, the residual and the sum over rows lose nothing.

What is left of the score at an optimum is a difference of large sums. In float64 it is rounding, which
columns nearly dependent magnify by the square of their condition number; here it is the score itself.

May import: everything below `objective`.
Read next: `etamu.fit.refine`, which steps by it.
"""

from __future__ import annotations

import numpy as np

from etamu._base.double import Double, normal, total, two_product, two_sum
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.design.coordinates import Coordinates
from etamu.family.unit import Unit


def score(chunk: Chunk, beta: Array, unit: Unit, coordinates: Coordinates) -> Double:
    """Sum the scores of some rows over the raw columns, shifted and scaled exactly.

    Parameters
    ----------
    chunk : Chunk
        Rows whose columns are as they came, neither shifted nor scaled.
    beta : array (size,)
        Working coefficients.
    unit : Unit
    coordinates : Coordinates
        Their shift and scale; a scale is a power of two, so that dividing by it is exact.
    """
    predictor = chunk.predictors[0]
    columns, error = two_sum(predictor.design.dense(), -coordinates.raw_shift)
    columns, error = columns / coordinates.raw_scale, error / coordinates.raw_scale
    raw = coordinates.raw(beta)
    start = (
        np.zeros(len(chunk)) if predictor.offset is None else np.asarray(predictor.offset, dtype=np.float64)
    )
    eta = Double(start, np.zeros(len(chunk)))
    for j in np.flatnonzero(raw):
        part, lost = two_product(columns[:, j], raw[j])
        eta += Double(part, lost + error[:, j] * raw[j])
    residual = _residual(unit, chunk, eta)
    with np.errstate(all="ignore"):  # what overflows is a score that the caller does not step by
        parts = [_product(columns, error, residual, j) for j in range(columns.shape[1])]
    return Double(np.array([part.hi for part in parts]), np.array([part.lo for part in parts]))


def _product(columns: Array, error: Array, residual: Double, j: int) -> Double:
    """Sum one column times the scores."""
    part, lost = two_product(columns[:, j], residual.hi)
    found = total(part, lost + columns[:, j] * residual.lo + error[:, j] * residual.hi)
    return Double(found.hi.reshape(()), found.lo.reshape(()))


def _residual(unit: Unit, chunk: Chunk, eta: Double) -> Double:
    """Return the weighted score of each row, what eta lost to rounding given back to first order.

    Where the score is y - eta it is exact.
    """
    with np.errstate(all="ignore"):
        _, slope, bend = unit.bind(np, "observed")(chunk.y, eta.hi)
        slope, lost = np.asarray(slope, dtype=np.float64), -bend * eta.lo
        if unit.family.variance_power == 0.0 and unit.link.exponent == 1.0:
            slope, lost = two_sum(chunk.y[0], -eta.hi)
            lost = lost - eta.lo
        found = normal(slope, lost)
        weight = chunk.weights.total()
        if weight is None:
            return found
        hi, lost = two_product(found.hi, weight)
        return Double(hi, lost + found.lo * weight)
