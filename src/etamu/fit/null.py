"""The null model: the constant alone, with offset and weights, as the yardstick of deviance.

May import: everything below `fit`.
Read next: `etamu.fit.estimate`, which reports its deviance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial

import numpy as np

from etamu import sums
from etamu._base.types import Array, Want
from etamu.design.blocks import Dense
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.design.coordinates import extent, standardised
from etamu.design.design import Design
from etamu.design.layout import plain_layout
from etamu.design.moments import constant
from etamu.execute.threads import DEAR, Threads, aside
from etamu.family.unit import Unit
from etamu.fit.level import null_at_level, without_columns
from etamu.fit.problem import Problem
from etamu.fit.start import constant_eta, grown, shifted_eta, start
from etamu.objective.likelihood import Likelihood
from etamu.solve.newton import newton

WRITTEN = 1 << 15
"""Rows up to which it costs less to write their eta down than to state a design of ones."""
FEW = 4096
"""Rows that say about where the constant is."""
SLIGHT = 1e-8
"""Less than this share of a sum is its rounding."""


def null_deviance(
    unit: Unit, chunk: Chunk, executor: Threads, *, intercept: bool, level: float | None = None
) -> float:
    """Compute the deviance of the null model.

    With an intercept, a one-parameter fit with offset and weights; without, eta = offset, even
    when a full factor spans the constant (as R). `level` is the sum of the largest exponents, where known.
    """
    offset = chunk.predictors[0].offset
    if intercept and offset is None and level is not None:
        return null_at_level(unit, chunk, level, lambda: _of_constant(unit, chunk, executor))
    return _of_constant(unit, chunk, executor) if intercept else _deviance_at_offset(unit, chunk, executor)


def null_of(
    problem: Problem, chunk: Chunk, executor: Threads, level: float | None = None
) -> Callable[[], float]:
    """Return what computes the deviance of the null model when it is first asked, and keeps it."""
    intercept = "Intercept" in problem.layout.names
    return cache(partial(null_deviance, problem.unit, chunk, executor, intercept=intercept, level=level))


def constant_value(problem: Problem, null: Callable[[], float]) -> Callable[[], float]:
    """Return what computes the value of the best constant: -inf where the model has none."""
    return lambda: -0.5 * null() if "Intercept" in problem.layout.names else -math.inf


def _of_constant(unit: Unit, chunk: Chunk, executor: Threads) -> float:
    if chunk.predictors[0].offset is None:
        return _of_mean(unit, _by_response(chunk), executor)
    alone, oracle = _alone(unit, chunk, executor)
    known = _beside(unit, alone, oracle)
    if known is not None:
        return known
    eta = shifted_eta(unit, oracle.executor, _offset)
    if eta is None:
        return -2.0 * newton(oracle, start(oracle, unit, alone)).local.value
    value = oracle.at(np.array([eta]), Want.VALUE).value
    return -2.0 * value if np.isfinite(value) else _deviance_at_mean(unit, chunk.y, chunk.weights.total())


def _by_response(chunk: Chunk) -> Chunk:
    """Return a row of ones per response that occurs, where responses are counts; else one per row."""
    if chunk.tally is None:
        return Chunk((Predictor(_ones(len(chunk))),), chunk.y, chunk.weights, chunk.ids)
    counts, responses = chunk.tally
    n = len(counts)
    single = len(responses) == 2 and chunk.y[1].strides == (0,)
    y = (responses[0], np.broadcast_to(1.0, n)) if single else responses
    return Chunk((Predictor(_ones(n)),), y, Weights(frequency=counts), range(n))


def _of_mean(unit: Unit, alone: Chunk, executor: Threads) -> float:
    """Compute the deviance at the overall mean, in eta where it has one."""
    eta = constant_eta(unit, alone)
    if eta is not None:
        if len(alone) <= WRITTEN:
            value = sums.value_at(alone, np.full(len(alone), eta), unit)
        else:
            look = partial(sums.accumulate, beta=np.array([eta]), unit=unit, want=Want.VALUE)
            value = executor.over(alone).reduce(look).value
        if np.isfinite(value):
            return -2.0 * value
    return _deviance_at_mean(unit, alone.y, alone.weights.total())


def ahead(problem: Problem) -> Callable[[], float] | None:
    """Begin the null model beside what a fit begins with; None where it is not worth a thread.

    It takes a pass of its own where there is an offset, and what a fit of many rows begins with, drawing a
    sample, is done by one thread.
    """
    chunk, options = problem.chunk, problem.options
    if chunk.cells < DEAR or chunk.predictors[0].offset is None or options.threads == 1:
        return None
    if not problem.counted.all():
        return None
    alone = Threads(chunk, options.block_rows, threads=1)
    intercept = "Intercept" in problem.layout.names
    return aside(partial(null_deviance, problem.unit, chunk, alone, intercept=intercept))


def _beside(unit: Unit, alone: Chunk, oracle: Likelihood) -> float | None:
    """Compute the deviance of a constant beside an offset from one look near it; None without a formula.

    With a log link and V = mu^p the score at c + d is a e^((1-p) d) - b e^((2-p) d), where a - b is the score
    at c, and the information there is b + (p-1) (a-b). So it is zero at e^d = a / b, and its integral says by
    how much the value grows.
    """
    few = alone.take(np.arange(0, len(alone), max(len(alone) // FEW, 1)))
    eta, power = shifted_eta(unit, oracle.executor.over(few), _offset), unit.family.variance_power
    if eta is None or power is None:
        return None
    seen = oracle.at(np.array([eta]), Want.VALUE | Want.SCORE | Want.CURVATURE)
    if seen.score is None or seen.observed is None:
        return None
    b = float(seen.observed[0, 0]) - (power - 1.0) * float(seen.score[0])
    a = b + float(seen.score[0])
    if not (np.isfinite(seen.value) and b > 0.0 and SLIGHT * b < a < np.inf):
        return None
    far = math.log(a / b)
    return -2.0 * (seen.value + a * grown(1.0 - power, far) - b * grown(2.0 - power, far))


def _offset(chunk: Chunk) -> Array:
    offset = chunk.predictors[0].offset
    assert offset is not None
    return offset


def _alone(unit: Unit, chunk: Chunk, executor: Threads) -> tuple[Chunk, Likelihood]:
    """State the likelihood of the constant alone; its column is one number seen n times."""
    layout, moments = plain_layout(("Intercept",), intercept=0), constant(1.0, len(chunk))
    placed, coordinates = standardised(_ones(len(chunk)), layout, moments)
    alone = Chunk((Predictor(placed, chunk.predictors[0].offset),), chunk.y, chunk.weights, chunk.ids)
    return alone, Likelihood(executor.over(alone), unit, coordinates, extent(coordinates, moments))


def _ones(n: int) -> Design:
    """Return the design of a constant, which is one number seen n times."""
    return Design((Dense((np.broadcast_to(1.0, n),)),), n)


def _deviance_at_mean(unit: Unit, y: tuple[Array, ...], counts: Array | None) -> float:
    """Compute the deviance at the weighted mean, where the score of a constant model is zero."""
    mean, trials = unit.observed(y)
    weight = np.ones_like(mean) if trials is None else trials
    weight = weight if counts is None else weight * counts
    total = weight.sum()
    mu, rest = weight @ mean / total, weight @ (1.0 - mean) / total
    with np.errstate(all="ignore"):
        rows = unit.family.deviance(np, mean, np.full_like(mean, mu), np.full_like(mean, rest))
    return float(np.sum(weight * rows))


def _deviance_at_offset(unit: Unit, chunk: Chunk, executor: Threads) -> float:
    offset = chunk.predictors[0].offset
    alone = without_columns(chunk, offset)
    nothing: Array = np.zeros(0)
    look = partial(sums.accumulate, beta=nothing, unit=unit, want=Want.VALUE)
    value = executor.over(alone).reduce(look).value
    return -2.0 * value if np.isfinite(value) else _deviance_outside(unit, alone)


def _deviance_outside(unit: Unit, chunk: Chunk) -> float:
    """Put an inadmissible mean, such as 0 under the identity link, into the deviance: Inf, or NaN, as R."""
    mean, trials = unit.observed(chunk.y)
    weight = np.ones_like(mean) if trials is None else trials
    total = chunk.weights.total()
    with np.errstate(all="ignore"):
        at = unit.mean(np, chunk.predictors[0].eta(np.zeros(0)))
        rows = unit.family.deviance(np, mean, at.mu, at.complement)
    return float(np.sum(weight * rows if total is None else weight * total * rows))
