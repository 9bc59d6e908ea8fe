"""The first steps: a rough maximum of a part of a sum, kept from running away by a small ridge.

May import: numpy, etamu._base, and in this room oracle, direction, factor, newton, search.
Read next: `etamu.solve.newton`, which starts from what comes out.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.arrow import plus_diagonal
from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.solve.direction import Point
from etamu.solve.factor import Metric, clear
from etamu.solve.newton import STEP, Newton, broad
from etamu.solve.oracle import Before, Local, Oracle
from etamu.solve.search import advance

LIMIT = 12
"""Most iterations: a pilot that has not arrived by then is not worth more."""


@dataclass(frozen=True, slots=True)
class Ridged(Before):
    """An oracle less strength |beta|^2 / 2 over some coordinates: it always has a maximum.

    Parameters
    ----------
    oracle : Oracle
    strength : array (size,)
        Of the ridge, per coordinate; 0 leaves one free.
    """

    oracle: Oracle
    strength: Array

    def at(self, beta: Array, want: Want) -> Local:
        """Look at a point, the ridge included."""
        seen = self.oracle.at(beta, want)
        return Local(
            seen.value - self._ridge(beta),
            seen.scale,
            None if seen.score is None else seen.score - self.strength * beta,
            None if seen.expected is None else plus_diagonal(seen.expected, self.strength),
            None if seen.observed is None else plus_diagonal(seen.observed, self.strength),
        )

    def along(self, beta: Array, step: Array, ts: Array) -> Array:
        """Return the values at beta + t step, the ridge included."""
        ridges = [self._ridge(beta + t * step) for t in ts]
        return np.asarray(self.oracle.along(beta, step, ts) - ridges)

    def _ridge(self, beta: Array) -> float:
        return 0.5 * float(self.strength @ beta**2)


@dataclass(frozen=True, slots=True)
class Begun(Before):
    """An oracle that has been asked its first question already; the answer is not paid for twice.

    Parameters
    ----------
    oracle : Oracle
    beta : array (size,)
    want : Want
    local : Local
    """

    oracle: Oracle
    beta: Array
    want: Want
    local: Local

    def at(self, beta: Array, want: Want) -> Local:
        """Look at a point, or remember what was seen there, a coarse information being as good as was due."""
        known = want in {self.want, self.want & ~Want.COARSE} and np.array_equal(beta, self.beta)
        return self.local if known else self.oracle.at(beta, want)

    def along(self, beta: Array, step: Array, ts: Array) -> Array:
        """As the oracle's."""
        return self.oracle.along(beta, step, ts)


def rough(oracle: Oracle, start: Array, strength: Array, decrement: float) -> tuple[Array, Metric] | None:
    """Return where a Newton step ends that leaves at most so large a decrement, and the metric it had.

    A step whose own decrement is no larger does, and one that Newton's rate promises to: a decrement that
    fell from a to b = c a^2 falls to c b^2 next. None where the search ends before, or what it meets is not
    finite: then it is no help.
    """
    ridged = Ridged(oracle, strength)
    rule = Newton()
    here, before = Point(start, _begun(ridged, start)), 0.0
    for _ in range(LIMIT):
        if not math.isfinite(here.local.value):
            return None
        direction = rule.direction(ridged, (here,))
        fell = min(1.0, direction.slope / before) if before else 1.0
        if fell**2 * direction.slope <= decrement and here.local.metric is not None:
            return here.beta + direction.step, here.local.metric
        moved = advance(ridged, here, direction, STEP | direction.want & Want.COARSE, rule.demand)
        if moved is None:
            return None
        here, before = moved[0], direction.slope
    return None


def _begun(oracle: Oracle, start: Array) -> Local:
    """Look at the start, which is far from any maximum: with few digits, where they show wide angles."""
    if broad(oracle):
        seen = oracle.at(start, STEP | Want.COARSE)
        if clear(seen.metric):
            return seen
    return oracle.at(start, STEP)
