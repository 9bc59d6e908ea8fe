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
from etamu._base.types import Array, Want
from etamu.design.chunk import Chunk, Predictor
from etamu.design.design import Design
from etamu.family.exponent import Exponent, Highest, cancelling
from etamu.family.unit import Unit
from etamu.objective.likelihood import Likelihood

MOST = 64.0
"""Terms so many times as large as half the deviance leave it all but two of its digits."""

SOME = 1024
"""Rows of a sample that show how large they are."""


def level_of(oracle: Likelihood, unit: Unit, few: Likelihood, beta: Array) -> float | None:
    """Sum the largest exponents over all rows; None where a sample sees too many digits cancel, or none is stated.

    Parameters
    ----------
    oracle : Likelihood
        Of all rows.
    unit : Unit
    few : Likelihood
        Of the sample.
    beta : array
        Near the maximum, in working coordinates: there the deviance is smallest.
    """
    if not unit.family.exponent_stated:
        return None
    chunk = few.executor.whole
    chunk = chunk.take(np.arange(0, len(chunk), max(len(chunk) // SOME, 1)))
    eta, total = sums.etas(chunk, few.coordinates.raw(beta)), chunk.weights.total()
    if not cancelling(unit, chunk.y, eta, np.ones_like(eta) if total is None else total) <= MOST:
        return None
    whole = oracle.executor.whole
    responses = without_columns(whole, None)
    look = partial(sums.accumulate, beta=np.zeros(0), unit=Highest(unit), want=Want.VALUE)
    level = oracle.executor.over(responses).reduce(look).value
    return level if math.isfinite(level) else None


def by_exponent(oracle: Likelihood, level: float) -> Likelihood:
    """Return a likelihood that sums exponents, of which the largest ones come to `level`."""
    return replace(oracle, unit=Exponent(oracle.unit), level=level)


def without_columns(chunk: Chunk, offset: Array | None) -> Chunk:
    """Return rows whose eta is an offset."""
    return Chunk((Predictor(Design((), len(chunk)), offset),), chunk.y, chunk.weights, chunk.ids)


def null_at_level(unit: Unit, chunk: Chunk, level: float, otherwise: Callable[[], float]) -> float:
    """Compute the deviance of one mean for all rows: what the largest exponents exceed that of their mean by."""
    y, total = chunk.y[0], chunk.weights.total()
    size = float(len(y)) if total is None else float(total.sum())
    mean = np.asarray(np.average(y, weights=total))
    common = size * float(unit.family.highest(np, mean))
    half = level - common
    return 2.0 * half if abs(level) + abs(common) <= MOST * half else otherwise()
