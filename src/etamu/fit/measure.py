"""Units that float64 can carry: what is far out is fitted near 1, and the fit mapped back.

Whether y is counted in 1e300 or 1e-300 says nothing about the model, but y^2 overflows. Powers of two are
taken out of the response and of variance weights, which is exact, and the common part out of a large
offset; a family with V = mu^p and a power or log link is closed under it. With y' = y / 2^m, w' = w / 2^k
and mu^e = eta

    beta = 2^(m e) beta',  phi = 2^(m (2 - p) + k) phi',  D likewise,  log f(y) = log f(y') - m log 2.

May import: everything below `fit`.
Read next: `etamu.fit.estimate`, which fits in these units.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.data.column import ends_of
from etamu.design.chunk import Chunk
from etamu.fit.deviance_table import DevianceTable
from etamu.fit.problem import Problem, Sample

FAR = 64
"""Responses whose largest is within 2^-64 and 2^64 are fitted as they are."""
LEAST = -1000
"""No response other than 0 may become smaller than 2^-1000."""
LIGHT = -10
"""Weights whose largest is below 2^-10 are brought to 1: the tolerance is counted in standard errors."""
HEAVY = 920
"""Weights above 2^920 are brought there: their sums overflow."""
COMMON = 32.0
"""A common part of the offset larger than this belongs to the intercept."""
FINE = 12
"""Powers taken out of y are multiples of 12, so that of the usual roots they are powers of two as well."""


@dataclass(frozen=True, slots=True)
class Measure:
    """The units of a fit: y is counted in 2^response, weights in 2^weight, the offset from `offset`.

    Parameters
    ----------
    response, weight : int
    offset : float
        What was taken from the offset of every row and belongs to the intercept.
    slope : float
        Coefficients are counted in 2^slope.
    spread : float
        The dispersion and deviances are counted in 2^spread, weights included.
    """

    response: int = 0
    weight: int = 0
    offset: float = 0.0
    slope: float = 0.0
    spread: float = 0.0

    @property
    def tabled(self) -> bool:
        """Whether every hypothesis of 0 is the same in these units: not where the intercept has moved."""
        return not self.offset

    def eta(self, far: Array, exponent: float | None) -> Array:
        """Say the eta of rows in the near units; mu^exponent is eta, of 0 its logarithm."""
        if exponent == 0.0:
            return np.asarray(far - self.response * math.log(2.0))
        return self.error(far)

    def error(self, far: Array) -> Array:
        """Say standard errors of eta in the near units."""
        return scaled(far, -self.slope)

    def weighed(self, phi: float) -> float:
        """Say a near phi for weights as they came."""
        return times(phi, self.weight)

    def mean(self, near: Array) -> Array:
        """Say means and responses in the units of the data."""
        return scaled(near, self.response)

    def dispersion(self, asked: str | float | None) -> str | float | None:
        """Say a phi that was given in the units of the near fit."""
        return times(asked, -self.spread) if isinstance(asked, (int, float)) else asked

    def table(self, near: DevianceTable) -> DevianceTable:
        """Say of a table of deviances in which units they are; tests are the same in all."""
        line = f"Response counted in 2^{self.response} and weights in 2^{self.weight}"
        return replace(near, heading=(*near.heading, line))

    def coefficients(self, near: Array, constant: Array | None) -> Array:
        """Say reported coefficients, in the last axis of an array, in the units of the data.

        `constant` are the coefficients of the column of ones, None where the design has none.
        """
        beta = scaled(near, self.slope)
        return beta if constant is None else beta + constant * self.offset


def measured(problem: Problem) -> tuple[Problem, Measure] | None:
    """Return the problem in units near 1 and what they are, None where it is in such units already."""
    chunk, options = problem.chunk, problem.options
    if len(chunk.predictors) != 1 or options.method != "ml" or options.on_separation in {"drop", "firth"}:
        return None
    response, weight = _response(problem), _weight(chunk)
    centre = _centre(problem)
    if not (response or weight or centre):
        return None
    unit = problem.unit
    power, exponent = unit.family.variance_power, unit.link.exponent
    slope = 0.0 if not response or exponent is None else response * exponent
    spread = weight + (response * (2.0 - power) if response and power is not None else 0.0)
    logarithm = response * math.log(2.0) if response and exponent == 0.0 else 0.0
    measure = Measure(response, weight, centre + logarithm, slope, spread)
    return _rescaled(problem, measure, centre, logarithm), measure


def _response(problem: Problem) -> int:
    """Return the power of two to take out of y."""
    unit, y = problem.unit, problem.chunk.y
    power, exponent = unit.family.variance_power, unit.link.exponent
    if power is None or exponent is None or unit.family.dispersion_known or len(y) != 1:
        return 0
    most = max(float(y[0].max(initial=0.0)), -float(y[0].min(initial=0.0)))
    largest = math.frexp(most)[1]
    if abs(largest) <= FAR or not most > 0.0:
        return 0
    size = np.abs(y[0])
    found = FINE * round(largest / FINE)
    smallest = math.frexp(float(np.min(size, where=size > 0, initial=np.inf)))[1]
    if smallest - found < LEAST or not float(exponent * FINE).is_integer():
        return 0
    beside = exponent == 0.0 and not _has_intercept(problem)
    return 0 if beside else found


def _weight(chunk: Chunk) -> int:
    """Return the even power of two to take out of variance weights."""
    weights = chunk.weights.variance
    if weights is None:
        return 0
    largest = math.frexp(float(weights.max(initial=0.0)))[1]
    if largest < LIGHT and float(weights.max(initial=0.0)) > 0.0:
        return 2 * (largest // 2)
    return 2 * ((largest - HEAVY + 1) // 2) if largest > HEAVY else 0


def _centre(problem: Problem) -> float:
    """Return the common part of the offset, a whole number; 0 where it is small or nothing takes it up.

    Offsets further apart than they are from 0 have none: to take it out would cost a small eta its digits.
    """
    offset = problem.chunk.predictors[0].offset
    if offset is None or not len(offset) or not _has_intercept(problem):
        return 0.0
    # Where the middle is larger than the range every offset is more than half of it.
    if problem.all_count and 2.0 * abs(float(offset[0])) < COMMON - 1.0:
        return 0.0
    lower, upper = ends_of(offset if problem.all_count else offset[problem.counted])
    middle = float(np.round(0.5 * (lower + upper)))
    return -middle if abs(middle) > max(COMMON, upper - lower) else 0.0


def _has_intercept(problem: Problem) -> bool:
    return "Intercept" in problem.layout.names and problem.layout.constant is not None


def _rescaled(problem: Problem, measure: Measure, centre: float, logarithm: float) -> Problem:
    chunk, sample = problem.chunk, problem.attached()
    predictor = chunk.predictors[0]
    offset = predictor.offset
    if offset is not None:
        offset = scaled(np.asarray(offset + centre, dtype=np.float64), -measure.slope)
    weights = chunk.weights
    if measure.weight and weights.variance is not None:
        weights = replace(weights, variance=scaled(weights.variance, -measure.weight))
    y = (scaled(chunk.y[0], -measure.response), *chunk.y[1:]) if measure.response else chunk.y
    moved = Chunk((replace(predictor, offset=offset),), y, weights, chunk.ids, chunk.cluster)
    options = problem.options
    if options.start is not None:
        started = np.asarray(options.start, dtype=np.float64)
        layout = problem.layout
        if len(started) == layout.width:
            if layout.constant is not None:
                started = started - layout.constant * (centre + logarithm)
            options = replace(options, start=scaled(started, -measure.slope))
    if options.dispersion is not None and not isinstance(options.dispersion, str):
        options = replace(options, dispersion=times(float(options.dispersion), -measure.spread))
    return replace(problem, sample=Sample(moved, sample.counted, sample.table), options=options)


def times(value: float, power: float) -> float:
    """Return value 2^power, which may overflow; 0 and inf stay."""
    return float(scaled(np.asarray(value, dtype=np.float64), power))


def scaled(values: Array, power: float) -> Array:
    """Multiply by 2^power, in two steps so that only the result may leave the range."""
    if power == 0.0:
        return np.asarray(values)
    whole = math.floor(power)
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(values * 2.0 ** (power - whole), whole), dtype=np.float64)
