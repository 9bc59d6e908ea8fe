"""The first look of a climb: at the first least squares, the constant moved to where its score is zero.

With a log link and V = mu^p the score at eta + c is the sum of a e^((1-p) c) - b e^((2-p) c), where b is
X'mu^(2-p) and a - b the score at eta. With p of 1 or 2 the information there is a multiple of that at eta. So
the pass that tells where the constant belongs is the climb's own first one, and none chooses the start.

May import: everything below `fit`.
Read next: `etamu.fit.start`, for starts that have to be chosen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from etamu._base.facts import dataclass, replace
from etamu._base.types import Array, Want
from etamu.design.chunk import Chunk
from etamu.family.unit import Unit
from etamu.fit.start import Normal, grown, levelled, power_of
from etamu.objective.likelihood import Likelihood
from etamu.solve.factor import Metric
from etamu.solve.newton import Newton, newton
from etamu.solve.oracle import Local, Solution
from etamu.solve.search import finite

CARRIED = 16.0
"""A value so many times as large as the one that is told from it has digits enough for both."""


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """Where Newton's climb begins, what it sees there, and the metric of its first step, if one is known."""

    beta: Array
    local: Local
    metric: Metric | None

    def newton(self, oracle: Likelihood, start: Array, **options: Any) -> Solution:
        """Climb by Newton's method; from here, without another look."""
        if start is not self.beta:
            return newton(oracle, start, **options)
        return newton(oracle, start, metric=self.metric, seen=self.local, **options)


def opened(
    oracle: Likelihood, unit: Unit, chunk: Chunk, normal: Normal, constant: Callable[[], float]
) -> Opened | None:
    """Look at the first least squares as Newton's climb does.

    None where not every eta has a mean, where something is not finite, or where they are no better than
    `constant()`, the value of the best constant. A constant information is the metric of the first step.
    """
    solved = [] if oracle.restricted else normal.over(oracle.coordinates).solved()
    if not solved:
        return None
    steady = None if unit.canonical or oracle.steady is None else oracle.steady.metric
    want = Newton(steady).want
    seen = _seen_levelled(oracle, unit, solved[0], want)
    if seen is None:
        beta = levelled(oracle, unit, solved[0], power_of(unit, chunk))
        seen = beta, oracle.at(beta, want)
    beta, local = seen
    if not (np.isfinite(beta).all() and finite(local) and local.value > constant()):
        return None
    return Opened(beta, local, steady)


def _seen_levelled(oracle: Likelihood, unit: Unit, beta: Array, want: Want) -> tuple[Array, Local] | None:
    """Move the constant to where its score is zero, and tell from a look before what is seen there."""
    power, constant = unit.family.variance_power, oracle.coordinates.layout.constant
    if power not in {1.0, 2.0} or unit.link.exponent != 0.0 or constant is None:
        return None
    ones, local = oracle.coordinates.working(constant), oracle.at(beta, want)
    matrix = local.observed
    if local.score is None or not (finite(local) and isinstance(matrix, np.ndarray | None)):
        return None
    if matrix is not None:
        below = matrix @ ones - (power - 1.0) * local.score
    elif oracle.steady is not None:
        below = np.asarray(oracle.steady.information @ ones)
    else:
        return None
    above = below + local.score
    a, b = float(above @ ones), float(below @ ones)
    if not (0.0 < a < math.inf and 0.0 < b < math.inf):
        return None
    far = math.log(a / b)
    rise, fall = math.exp((1.0 - power) * far), math.exp((2.0 - power) * far)
    value = local.value + a * grown(1.0 - power, far) - b * grown(2.0 - power, far)
    if not abs(local.value) <= CARRIED * abs(value):
        return None
    scaled = None if matrix is None else matrix * (fall if power == 1.0 else rise)
    there = replace(
        local, value=value, scale=oracle.scale(value), score=above * rise - below * fall, observed=scaled
    )
    return beta + far * ones, there
