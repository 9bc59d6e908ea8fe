"""Sums over the rows that say how the negative binomial likelihood moves with alpha = 1/theta.

May import: everything below `fit`.
Read next: `etamu.fit.theta`, which climbs by them; `etamu.family.overdispersion` for one row.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.design.coordinates import Coordinates
from etamu.design.verbs import contiguous
from etamu.execute.threads import Threads
from etamu.family.overdispersion import Overdispersion, remainder
from etamu.family.program import compiled
from etamu.family.unit import Unit
from etamu.fit.placed import Placed
from etamu.sums import etas


@dataclass(frozen=True, slots=True, eq=False)
class Bend:
    """The log-likelihood's derivatives in alpha at some coefficients.

    Parameters
    ----------
    score, slope : float
        First and second derivative.
    cross : array
        Mixed derivative with the coefficients.
    """

    score: float
    slope: float
    cross: Array

    def __add__(self, other: Bend) -> Bend:
        return Bend(self.score + other.score, self.slope + other.slope, self.cross + other.cross)


@dataclass(frozen=True, slots=True)
class Counts:
    """The different responses and how many rows, with their weights, have each."""

    y: Array
    number: Array


def counts_of(chunk: Chunk) -> Counts:
    """Tally the responses, of any size."""
    if chunk.tally is not None:
        number, (y,) = chunk.tally
        return Counts(y, number)
    y, where = np.unique(chunk.y[0], return_inverse=True)
    return Counts(y, np.bincount(where, weights=chunk.weights.total(), minlength=len(y)).astype(np.float64))


def bend(
    executor: Threads, coordinates: Coordinates, unit: Unit, at: tuple[float, Array], counts: Counts
) -> Bend:
    """Sum the derivatives in alpha over the rows, in one pass; the coefficients are working ones."""
    alpha, beta = at
    raw = coordinates.raw(beta)
    rows = executor.reduce(partial(_bend, raw=raw, unit=unit, alpha=alpha))
    value, slope = remainder(counts.y, alpha)
    score = rows.score - float(counts.number @ value)
    return Bend(score, rows.slope - float(counts.number @ slope), coordinates.gathered(rows.cross))


def _bend(chunk: Chunk, raw: Array, unit: Unit, alpha: float) -> Bend:
    value, cross, slope = _per_row(chunk, raw, unit, alpha)
    total = chunk.weights.total()
    if total is not None:
        value, slope, cross = value * total, slope * total, cross * total
    return Bend(float(np.sum(value)), float(np.sum(slope)), chunk.predictors[0].design.rmatvec(cross))


def _per_row(chunk: Chunk, raw: Array, unit: Unit, alpha: float) -> tuple[Array, Array, Array]:
    """Compute D of each row and its derivatives in eta and alpha, by the kernel where it can."""
    columns = (chunk.y[0], np.array([alpha]))
    law, eta = Overdispersion(unit.link), etas(chunk, raw)
    program = compiled(law, len(columns), ("value", "score", "expected"))
    if program is None:
        with np.errstate(all="ignore"):
            return law.bind(np)(columns, eta)
    value, cross, slope = program.run([contiguous(column) for column in (*columns, eta)])
    return value, cross, slope


@dataclass(frozen=True, slots=True)
class _Square:
    value: float

    def __add__(self, other: _Square) -> _Square:
        return _Square(self.value + other.value)


def squares(executor: Threads, coordinates: Coordinates, unit: Unit, alpha: float, beta: Array) -> float:
    """Sum the squared scores of alpha over the rows, each as its kind of weight demands."""
    return executor.reduce(partial(_squares, raw=coordinates.raw(beta), unit=unit, alpha=alpha)).value


def _squares(chunk: Chunk, raw: Array, unit: Unit, alpha: float) -> _Square:
    squared = chunk.weights.squared()
    scores = _per_row(chunk, raw, unit, alpha)[0] - remainder(chunk.y[0], alpha)[0]
    return _Square(float(np.sum(scores**2 if squared is None else squared * scores**2)))


def joint_information(at: Placed, information: Array) -> Array:
    """Return the observed information of the coefficients when theta is estimated too: H - c c' / k.

    Its inverse is the coefficients' part of the inverse of the joint information (H, c; c', k).
    """
    chunk, alpha = at.executor.whole, 1.0 / float(at.unit.family.settings["theta"])
    seen = bend(at.executor, at.coordinates, at.unit, (alpha, at.beta), counts_of(chunk))
    return without(information, seen)


def without(information: Array, seen: Bend) -> Array:
    """Take out of the coefficients' information what alpha shares of it."""
    if not (math.isfinite(seen.slope) and seen.slope < 0.0):
        return information
    return information + np.outer(seen.cross, seen.cross) / seen.slope
