"""Fisher scoring, also known as IRLS, in its textbook form.

May import: numpy, etamu._base, and in this room oracle, direction, factor, loop, stop.
Read next: `etamu.solve.loop`, which ends it with a verified Newton step.
"""

from __future__ import annotations

from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.solve.direction import Direction, Point, in_metric
from etamu.solve.factor import cholesky, lifted
from etamu.solve.loop import Callback, climb
from etamu.solve.oracle import Oracle, Solution
from etamu.solve.stop import TOLERANCE


@dataclass(frozen=True, slots=True)
class FisherScoring:
    """The rule: step = I^-1 score with the expected information I; full, unless the value gets worse."""

    want: Want = Want.VALUE | Want.SCORE | Want.EXPECTED
    memory: int = 1
    demand: float = 0.0

    def direction(self, oracle: Oracle, trail: tuple[Point, ...]) -> Direction:
        """Return the Fisher step."""
        here = trail[-1]
        expected = here.local.expected
        if expected is None:
            raise TypeError("irls needs an oracle with expected information; lbfgs needs only the score")
        factor = cholesky(expected)
        direction = None if factor is None else in_metric(here.score, factor, "expected", self.want)
        direction = direction or in_metric(here.score, lifted(expected), "expected", self.want)
        return direction or Direction(here.score, float(here.score @ here.score), want=self.want)


def irls(
    oracle: Oracle,
    start: Array,
    *,
    limit: int = 100,
    tolerance: float = TOLERANCE,
    callback: Callback | None = None,
) -> Solution:
    """Maximise by Fisher scoring: beta + I^-1 score, halved only where the value is worse or undefined.

    Each step is one least squares problem whose rows count differently every time, hence the usual
    name. Where expected and observed information differ it converges linearly. When its step promises
    to arrive, an exact pass looks at the observed information too, and the last steps are Newton's.

    Parameters
    ----------
    oracle : Oracle
        What is maximised.
    start : Array
        Where to begin, (size,).
    limit : int
        Most iterations.
    tolerance : float
        Largest distance from the maximum, in standard errors, of a converged answer.
    callback : callable, optional
        Called with each `Step` and the new beta.

    Returns
    -------
    Solution
    """
    rule = FisherScoring()
    return climb(oracle, start, rule, limit=limit, tolerance=tolerance, callback=callback)
