"""Newton's step, bent as a part of the sum says: what a part knows of the third derivative saves a pass.

After a pass at beta with score g and information H a Newton step d solves g - H d = 0; what it leaves is what
the sum does beyond its second derivative. A part of the sum, weighted so that it stands for the whole, tells
that up to the error of drawing it,

    R(d) = g_part(beta + d) - g_part(beta) + H_part(beta) d,

so the step of the surrogate solves g - H d + R(d) = 0. That surrogate, the part corrected so that value, score
and information at beta are those of all rows, is the one of Jordan, Lee and Yang (2019, JASA 114, eqs 2-3)
with the second derivative corrected as well. Of what Newton leaves, |d|^2 say, it leaves the share by which
the part errs. It is only a step to try: the search asks the whole sum, and what converged means is as ever.

May import: numpy, etamu._base, and in this room direction, loop, newton, oracle, stop.
Read next: `etamu.solve.newton`, whose rule it follows; `etamu.solve.pilot`, which fits the part first.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.solve.direction import Direction, Point
from etamu.solve.loop import Callback, climb
from etamu.solve.newton import STEP, Newton
from etamu.solve.oracle import Oracle, Solution
from etamu.solve.stop import TOLERANCE

ROUNDS = 6
"""Most looks at the part for one step."""
SETTLED = 0.02
"""A look that changes the step by less than this share of all that was changed is the last."""
SHARE = 0.5
"""A step further from Newton's than this share of its length, in the metric, is not believed."""
SHORT = 1e-4
"""Newton steps of at most so many standard errors leave nothing that matters."""


@dataclass(frozen=True, slots=True)
class Surrogate:
    """The rule: where Newton's step is that of the observed information, bend it as the part says.

    Parameters
    ----------
    part : Oracle
        Of the same coordinates, weighted so that its sums stand for those of all rows.
    newton : Newton
    """

    part: Oracle
    newton: Newton = Newton()

    @property
    def want(self) -> Want:
        """What the first pass must bring: the information at once, for a step beyond Newton's."""
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
        newton = self.newton.direction(oracle, trail)
        unit = max(trail[-1].local.scale, 0.0)
        if newton.information != "observed" or not newton.slope > SHORT**2 * unit:
            return newton
        step = bent(self.part, trail[-1], newton)
        return newton if step is None else replace(newton, step=step, information="surrogate")


def bent(part: Oracle, here: Point, newton: Direction) -> Array | None:
    """Solve g - H d + R(d) = 0 from Newton's step on, H kept; None where that leads nowhere or too far.

    Within `SHARE` of Newton's step the step goes uphill: its slope is at least 1 - SHARE of Newton's.
    """
    metric, whole = newton.metric, here.local.observed
    begun = part.at(here.beta, STEP)
    if metric is None or whole is None or begun.observed is None or begun.score is None:
        return None
    step, last, most = newton.step, np.inf, SHARE**2 * newton.slope
    for _ in range(ROUNDS):
        there = part.at(here.beta + step, Want.VALUE | Want.SCORE).score
        if there is None or not np.all(np.isfinite(there)):
            return None
        beyond = there - begun.score + begun.observed @ step
        left = here.score - whole @ step + beyond
        more = metric.solve(left)
        step = step + more
        moved, whole_way = float(more @ left), _squared(whole, step - newton.step)
        if not (moved < last / 4 and whole_way <= most):
            return None
        if moved <= SETTLED**2 * whole_way:
            return np.asarray(step, dtype=np.float64)
        last = moved
    return None


def _squared(matrix: Array, vector: Array) -> float:
    """Return v'Mv."""
    return float(vector @ (matrix @ vector))


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
        A part of the sum, weighted so that it stands for the whole; its passes are not counted.
    limit, tolerance, callback
        As those of `newton`.
    """
    return climb(oracle, start, Surrogate(part), limit=limit, tolerance=tolerance, callback=callback)
