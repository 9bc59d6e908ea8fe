"""Steepest ascent with backtracking, for teaching: one sees how slow the gradient alone is.

May import: numpy, etamu._base, and in this room oracle, direction, loop, search, stop.
Read next: `etamu.solve.lbfgs`, which learns curvature from the same gradients.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.solve.direction import Direction, Point
from etamu.solve.loop import Callback, climb
from etamu.solve.oracle import Oracle, Solution
from etamu.solve.search import first_length
from etamu.solve.stop import TOLERANCE


@dataclass(frozen=True, slots=True)
class SteepestAscent:
    """The rule: step = alpha * score, every column measured in its own extent.

    alpha is Barzilai and Borwein's (1988): with s the last change of beta and y the last fall of the
    score, s'y / y'y, one over a mean curvature along s. The first alpha is the best on a grid.
    """

    want: Want = Want.VALUE | Want.SCORE
    memory: int = 2
    demand: float = 1e-4

    def direction(self, oracle: Oracle, trail: tuple[Point, ...]) -> Direction:
        """Return the scaled gradient."""
        here = trail[-1]
        extent = np.where(oracle.extent > 0, oracle.extent, 1.0)
        uphill = here.score / extent**2
        alpha = math.nan
        if len(trail) > 1:
            moved = (here.beta - trail[-2].beta) * extent
            fallen = (trail[-2].score - here.score) / extent
            square = float(fallen @ fallen)
            alpha = float(moved @ fallen) / square if square > 0 else math.nan
        if not (math.isfinite(alpha) and alpha > 0):
            alpha = first_length(oracle, here, uphill)
        step = alpha * uphill
        return Direction(step, float(here.score @ step), want=self.want)


def gradient(
    oracle: Oracle,
    start: Array,
    *,
    limit: int = 20_000,
    tolerance: float = TOLERANCE,
    callback: Callback | None = None,
) -> Solution:
    """Maximise by steepest ascent: beta + t alpha score, with backtracking.

    For teaching, not for use: the number of iterations grows with the condition number. When the
    gradient promises no more than a 1e-8 of the scale, an exact pass looks at the information too, and
    the last steps are Newton's, so that "converged" means the same for every solver.

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
    rule = SteepestAscent()
    return climb(oracle, start, rule, limit=limit, tolerance=tolerance, callback=callback)
