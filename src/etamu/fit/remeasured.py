"""A fit that was made in units near 1, said in the units of the data.

May import: everything below `fit`; nothing that estimates.
Read next: `etamu.fit.measure`, which chose the units.
"""

from __future__ import annotations

import math
import sys
import warnings

import numpy as np

from etamu._base.errors import DataError, EtamuWarning
from etamu._base.facts import replace
from etamu._base.listing import listed
from etamu._base.types import Array
from etamu.fit.caller import user_level
from etamu.fit.fitted import FittedModel, Model, Near
from etamu.fit.likelihood import LogLikelihood
from etamu.fit.limit import Limit
from etamu.fit.measure import Measure, scaled, times
from etamu.fit.phi import Phi
from etamu.fit.problem import Problem
from etamu.infer.covariance import Root
from etamu.solve.oracle import Local, Solution

DEEP = 900
"""Coefficients counted in 2^900 and more, or the inverse of that, may be beyond the floats."""


def back(problem: Problem, fit: Model, measure: Measure) -> Model:
    """Say a fit of the problem in other units in its own."""
    known = fit.phi.kind == "known"
    narrow = -0.5 * measure.weight if known and fit.covariance_kind in {"model", "observed"} else 0.0
    phi = fit.phi if known else Phi(times(fit.phi.value, measure.spread), fit.phi.kind)
    _refuse_beyond(fit, measure.slope)
    _say_beyond(fit.phi, phi)
    moved = fit.coordinates.layout.constant
    beta = scaled(fit.beta, measure.slope)
    if moved is not None and measure.offset:
        beta = beta + fit.coordinates.working(moved * measure.offset)
    root = fit.factor
    return replace(
        fit,
        problem=problem,
        beta=beta,
        factor=None if root is None else Root(scaled(root.matrix, measure.slope + narrow)),
        phi=phi,
        deviance=times(fit.deviance, measure.spread),
        null_deviance=times(fit.null_deviance, measure.spread),
        pearson_chi2=times(fit.pearson_chi2, measure.spread),
        likelihood=_likelihood(problem, fit.likelihood, measure, known=known),
        solution=_solution(fit.solution, beta, measure),
        limit=_limit(fit, measure),
        near=Near(fit, measure) if measure.response or measure.weight else None,
    )


def _refuse_beyond(fit: FittedModel, slope: float) -> None:
    """Refuse coefficients that are numbers, but none that float64 holds in the units of the data.

    Raises
    ------
    DataError
        Naming them; no prediction could be made of them.
    """
    if abs(slope) < DEEP:
        return
    told = np.flatnonzero(np.isfinite(fit.coef) & (fit.coef != 0.0))
    place = np.log2(np.abs(fit.coef[told])) + slope
    lost = told[(place < sys.float_info.min_exp) | (place >= sys.float_info.max_exp)]
    if len(lost):
        raise DataError(
            f"coefficients are beyond the numbers of float64 in the units of the response: "
            f"{listed([fit.names[j] for j in lost])}; count the response in units that bring it near 1"
        )


def _say_beyond(near: Phi, far: Phi) -> None:
    """Warn where phi is a number, but none that float64 holds in the units of the data."""
    if 0.0 < near.value < math.inf and not 0.0 < far.value < math.inf:
        side = "below the smallest" if far.value == 0.0 else "above the largest"
        warnings.warn(
            f"phi is {side} number of float64 in the units of the response, and with it deviances and what "
            "they are compared with; coefficients and standard errors are right. Count the response in units "
            "that bring it near 1",
            EtamuWarning,
            stacklevel=user_level(),
        )


def _limit(fit: FittedModel, measure: Measure) -> Limit | None:
    """Say the finite part of the limit of a separated fit in its own units."""
    limit, constant = fit.limit, fit.coordinates.layout.constant
    if limit is None:
        return None
    beta = scaled(limit.beta, measure.slope)
    if constant is not None and measure.offset:
        beta = beta + limit.inner(fit.coordinates).working(constant * measure.offset)
    return replace(limit, beta=beta)


def _likelihood(problem: Problem, found: LogLikelihood, measure: Measure, *, known: bool) -> LogLikelihood:
    """Map the log-likelihood: a density of y in units of 2^m is 2^m times as high."""
    if known:
        return replace(found, value=times(found.value, measure.weight))
    dense = problem.chunk.y[0][problem.counted] != 0.0
    if problem.unit.family.variance_power == 0.0:
        dense = np.ones_like(dense)
    counts = problem.chunk.weights.frequency
    total = float(dense.sum() if counts is None else counts[problem.counted] @ dense)
    value = found.value - total * measure.response * math.log(2.0)
    return replace(found, value=value, phi=times(found.phi, measure.spread))


def _solution(solution: Solution, beta: Array, measure: Measure) -> Solution:
    local, spread, slope = solution.local, measure.spread, measure.slope
    return replace(
        solution,
        beta=beta,
        local=Local(
            times(local.value, spread),
            times(local.scale, spread),
            None if local.score is None else scaled(local.score, spread - slope),
            None if local.expected is None else _matrix(local.expected, spread - 2.0 * slope),
            None if local.observed is None else _matrix(local.observed, spread - 2.0 * slope),
            None if local.beside is None else times(local.beside, spread),
        ),
    )


def _matrix(matrix: Array, power: float) -> Array:
    return matrix if power == 0.0 else scaled(np.asarray(matrix), power)
