"""Where a sum of exponents may stand for the deviance, and what it is off by: one sum over the responses.

May import: everything below `fit`.
Read next: `etamu.fit.pilot`, which asks; `etamu.family.exponent` for what is summed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from etamu import sums
from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.design.chunk import Chunk, Predictor
from etamu.design.design import Design
from etamu.execute.executor import Executor
from etamu.family.exponent import Exponent, Highest, differing
from etamu.family.unit import Unit
from etamu.objective.likelihood import Likelihood

SAME = 1e-13
"""Sums of exponents are taken where they differ from the deviance by no more than this share of it."""

SOME = 1024
"""Rows of a sample that show by how much they do."""

MOST = 64.0
"""Terms so many times as large as half the deviance of a constant leave it all but two of its digits."""


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """What sums of exponents are off by, and the rows that show whether they may be taken.

    Parameters
    ----------
    unit : Unit
    total : float
        The sum of the largest exponents over all rows.
    rows : Chunk
        Some rows.
    """

    unit: Unit
    total: float
    rows: Chunk

    def over(self, oracle: Likelihood) -> Likelihood:
        """Return the likelihood that sums exponents."""
        return replace(oracle, unit=Exponent(self.unit), level=self.total)

    def holds(self, raw: Array) -> bool:
        """Tell whether sums of exponents have the digits of the deviance at a point, in raw coefficients."""
        return _alike(self.unit, self.rows, raw)


def level_of(executor: Executor, unit: Unit, chunk: Chunk, sample: Chunk, raw: Array) -> Level | None:
    """Sum the largest exponents over all rows; None where none is stated, or too many digits cancel.

    Parameters
    ----------
    executor : Executor
    unit : Unit
    chunk : Chunk
        All rows.
    sample : Chunk
        Some of them, which show how much cancels.
    raw : array
        Coefficients of the raw columns where the climb begins.
    """
    if not unit.family.exponent_stated:
        return None
    few = sample.take(np.arange(0, len(sample), max(len(sample) // SOME, 1)))
    if not _alike(unit, few, raw):
        return None
    look = partial(sums.accumulate, beta=np.zeros(0), unit=Highest(unit), want=Want.VALUE)
    total = executor.over(without_columns(chunk, None)).reduce(look).value
    return Level(unit, total, few) if math.isfinite(total) else None


def _alike(unit: Unit, rows: Chunk, raw: Array) -> bool:
    total = rows.weights.total()
    weight = np.ones(len(rows)) if total is None else total
    return differing(unit, rows.y, sums.etas(rows, raw), weight) <= SAME


def without_columns(chunk: Chunk, offset: Array | None) -> Chunk:
    """Return rows whose eta is an offset."""
    return Chunk((Predictor(Design((), len(chunk)), offset),), chunk.y, chunk.weights, chunk.ids)


def null_at_level(unit: Unit, chunk: Chunk, level: float, otherwise: Callable[[], float]) -> float:
    """Compute the deviance of one mean for all rows: what the largest exponents exceed its own by."""
    y, total = chunk.y[0], chunk.weights.total()
    size = float(len(y)) if total is None else float(total.sum())
    mean = np.asarray(np.average(y, weights=total))
    common = size * float(unit.family.highest(np, mean))
    half = level - common
    return 2.0 * half if abs(level) + abs(common) <= MOST * half else otherwise()
