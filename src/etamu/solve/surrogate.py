"""Newton's step, bent as a part of the sum says: what a part knows of the third derivative saves a pass.

After a pass at beta with score g and information H Newton's step d solves g - H d = 0, and what it leaves is
what the sum does beyond its second derivative. A part of the sum, scaled to stand for the whole, tells that
up to the error of drawing it,

    R(d) = g_part(beta + d) - g_part(beta) + H_part(beta) d,

so the step of the surrogate solves g - H d + R(d) = 0. That is the maximum of the part's value, corrected so
that value, score and information at beta are those of all rows: Jordan, Lee and Yang (2019, JASA 114,
eqs 2-3), who correct value and score. Of what Newton leaves, about |d|^2, it leaves the share by which the
part errs. It is only a step to try: the search asks the whole sum about it, and what converged means is as
ever.

May import: numpy, etamu._base, and in this room direction, loop, newton, oracle, stop.
Read next: `etamu.solve.newton`, whose rule it follows; `etamu.solve.pilot`, which fits the part first.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.solve.direction import Direction, Point
from etamu.solve.loop import Callback, climb
from etamu.solve.newton import STEP, Newton
from etamu.solve.oracle import Oracle, Solution
from etamu.solve.stop import CERTAIN, TOLERANCE, bound, relative

ROUNDS = 6
"""Most looks at the part along the way to one step."""
SETTLED = 0.1
"""The way ends where less than this share of what it changed is left: the part errs by as much."""
SHARE = 0.5
"""A step further from Newton's than this share of its length, in the metric, is not believed."""
ERRS = 0.25
"""What the part says of the way beyond Newton's step is seldom wrong by more than this share."""
NEARLY = 10.0
"""A metric is kept for a step that may end so many times as far away as can be proven to be the maximum."""
SHORT = 1e-5
"""Newton steps of at most so many standard errors leave nothing that matters; nor do such shares of one."""


@dataclass(frozen=True, slots=True)
class Surrogate:
    """The rule: Newton's, and where its step is that of the observed information, bent as the part says.

    Parameters
    ----------
    part : Oracle
        Of the same coordinates, scaled so that its sums stand for those of all rows.
    newton : Newton
    """

    part: Oracle
    newton: Newton = Newton()

    @property
    def want(self) -> Want:
        """What the first pass must bring: the information, for a part knows only what is beyond it."""
        return STEP

    @property
    def memory(self) -> int:
        """As Newton's."""
        return self.newton.memory

    @property
    def demand(self) -> float:
        """As Newton's."""
        return self.newton.demand

    def direction(self, oracle: Oracle, trail: tuple[Point, ...]) -> Direction:
        """Return Newton's step, bent where that is believed; `slope` stays Newton's decrement."""
        here, newton = trail[-1], self.newton.direction(oracle, trail)
        if newton.information != "observed" or relative(newton.slope, here.local.scale) <= SHORT**2:
            return newton
        far = oracle.concordance * bound(newton, oracle) if oracle.concordance > 0 else math.inf
        # The share by which the information changes along the step: a round with the old one leaves that.
        left = math.expm1(far) if 0.0 < far < 1.0 else math.inf
        if left * far <= CERTAIN:  # Newton's own step ends where an exact pass proves the maximum
            return newton
        step = bent(self.part, here, newton, left)
        beyond = 0.0 if step is None else _beyond(here, newton, step)
        if step is None or beyond <= SHORT:  # the part sees no more than a quadratic, or nothing at all
            return newton
        # In the metric of this pass a step from the next one leaves of what the part lets stand, `ERRS`, the
        # share by which the metric changes: a score will do there where that arrives.
        arrives = far * (ERRS * beyond) * (2.0 * beyond) <= NEARLY * CERTAIN
        want = Want.VALUE | Want.SCORE if arrives else newton.want & ~Want.COARSE
        return replace(newton, step=step, information="surrogate", want=want)


def _beyond(here: Point, newton: Direction, step: Array) -> float:
    """Return how far a step goes beyond Newton's, as a share of it: half of what the metric changes by."""
    changed, matrix = step - newton.step, here.local.observed
    return 0.0 if matrix is None else math.sqrt(float(changed @ (matrix @ changed)) / newton.slope)


def bent(part: Oracle, here: Point, newton: Direction, left: float = math.inf) -> Array | None:
    """Solve g - H d + R(d) = 0 from Newton's step on, H kept; None where that leads nowhere or too far.

    `left` is a bound of the share of its distance that one round leaves, where one is known. Within `SHARE`
    of Newton's step the step goes uphill: its slope is at least 1 - SHARE of Newton's.
    """
    matrix, metric = here.local.observed, newton.metric
    begun = part.at(here.beta, STEP)
    if matrix is None or metric is None or begun.score is None or begun.observed is None:
        return None
    step, most, last = newton.step, SHARE**2 * newton.slope, math.inf
    for _ in range(ROUNDS):
        there = part.at(here.beta + step, Want.VALUE | Want.SCORE)
        if there.score is None:
            return None
        rest = here.score - matrix @ step + (there.score - begun.score + begun.observed @ step)
        more = metric.solve(rest)
        moved, changed = float(more @ rest), step + more - newton.step
        size = float(changed @ (matrix @ changed))
        if not (moved <= last / 4 and size <= most):  # written so that NaN ends it too
            return None
        step = step + more
        left = left if last == math.inf else min(left, math.sqrt(moved / last))
        if left**2 * moved <= SETTLED**2 * size:
            return np.asarray(step, dtype=np.float64)
        last = moved
    return None


def surrogate(
    oracle: Oracle,
    start: Array,
    part: Oracle,
    *,
    limit: int = 100,
    tolerance: float = TOLERANCE,
    callback: Callback | None = None,
) -> Solution:
    """Maximise as `newton` does, from near the maximum of a part of the sum, with steps bent as it says.

    Parameters
    ----------
    oracle : Oracle
        What is maximised.
    start : Array
        Where to begin, (size,); the value there must be finite.
    part : Oracle
        A part of the sum, scaled to stand for the whole; looks at it are not counted as passes.
    limit, tolerance, callback
        As those of `newton`.
    """
    return climb(oracle, start, Surrogate(part), limit=limit, tolerance=tolerance, callback=callback)
