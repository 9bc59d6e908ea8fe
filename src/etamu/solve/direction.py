"""What a rule of direction is: the last few points in, a step out; nothing is remembered elsewhere.

May import: numpy, etamu._base, and in this room oracle, factor.
Read next: `etamu.solve.newton`, the first rule; `etamu.solve.loop`, which asks it.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from etamu._base.arrow import ArrowInverse, largest_form
from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.solve.factor import Factor, Metric
from etamu.solve.oracle import Local, Oracle

FINAL = Want.VALUE | Want.SCORE | Want.EXPECTED | Want.OBSERVED
"""What a verifying pass asks, and what a `Solution.local` therefore holds."""
SLIGHT = 128
"""Products of matrices of up to so many columns cost nothing beside a pass."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place and what was seen there."""

    beta: Array
    local: Local

    @property
    def score(self) -> Array:
        """The gradient; every pass of every solver asks for it."""
        if self.local.score is None:
            raise TypeError("the oracle was asked for the score and returned None")
        return self.local.score

    @property
    def bare(self) -> Point:
        """The same without its informations, of which some have thousands of columns."""
        seen = self.local
        if seen.observed is None and seen.expected is None:
            return self
        return Point(self.beta, Local(seen.value, seen.scale, seen.score, beside=seen.beside))


@dataclass(frozen=True)
class Direction:
    """A step to try, uphill: `slope` = score'step > 0, which is the decrement when step = H^-1 score.

    Of a step that was found near Newton's, `information` "surrogate", it is Newton's decrement.
    """

    step: Array
    slope: float
    information: str = "none"
    metric: Metric | None = None  # H at scale 1, where one is known
    want: Want = Want.VALUE | Want.SCORE  # what the rule needs at the next point

    @property
    def covariance(self) -> Array | ArrowInverse | None:
        """H^-1 at scale 1, computed when it is first asked for; None without a metric."""
        return None if self.metric is None else self.metric.inverted

    @cached_property
    def norm(self) -> float:
        """Bound the largest eigenvalue of H^-1 by row sums and Frobenius norm; inf where it is no matrix.

        Where products cost nothing it is the Frobenius norm of the fourth power, of which the largest
        eigenvalue is the larger share.
        """
        if not isinstance(self.covariance, np.ndarray):
            return math.inf
        with np.errstate(over="ignore", invalid="ignore"):
            rows = float(np.abs(self.covariance).sum(axis=0).max(initial=0.0))
            size = float(np.linalg.norm(self.covariance))
            if len(self.covariance) > SLIGHT or not 0.0 < size < math.inf:
                return min(rows, size)
            square = (self.covariance / size) @ (self.covariance / size)
            return min(rows, size * math.sqrt(math.sqrt(float(np.linalg.norm(square @ square)))))

    def least_reach(self, extent: Array) -> float:
        """Bound lambda*rho from below, for x' H^-1 x >= x_j^2 / H_jj; inf where H is not at hand."""
        if not isinstance(self.metric, Factor):
            return math.inf
        return math.sqrt(self.slope) * float((extent / self.metric.diagonal).max(initial=0.0))

    def largest_form(self, extent: Array, groups: NDArray[np.intp] | None) -> float:
        """Bound x' H^-1 x over all rows, as `arrow.largest_form` says; the last answer is kept."""
        known = self.__dict__.get("_form")
        if known is None or known[0] is not extent or known[1] is not groups:
            known = (extent, groups, largest_form(self.covariance, extent, groups))
            self.__dict__["_form"] = known
        return float(known[2])


class Rule(Protocol):
    """How a solver chooses where to go; a frozen value, whose state is the trail it is shown."""

    @property
    def want(self) -> Want:
        """What the first pass must bring."""

    @property
    def memory(self) -> int:
        """How many past points the rule looks at."""

    @property
    def demand(self) -> float:
        """Share of the promised gain that a step must bring (Armijo)."""

    def direction(self, oracle: Oracle, trail: tuple[Point, ...]) -> Direction:
        """Choose a step from the last point of the trail; may ask the oracle what that point lacks."""


def in_metric(score: Array, factor: Metric, information: str, want: Want) -> Direction | None:
    """Return the step H^-1 score, or None if it is not finite."""
    step = factor.solve(score)
    with np.errstate(over="ignore", invalid="ignore"):
        slope = float(score @ step)
    if not math.isfinite(slope):  # nor is it where some of the step is not
        return None
    return Direction(step, max(slope, 0.0), information, factor, want)
