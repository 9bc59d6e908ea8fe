"""L-BFGS: curvature learnt from the last ten gradients, for problems too wide for a p x p matrix.

May import: numpy, etamu._base, and in this room oracle, direction, loop, search, stop.
Read next: `etamu.solve.gradient`, its teacher.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.solve.direction import Direction, Point
from etamu.solve.loop import Callback, climb
from etamu.solve.oracle import Oracle, Solution
from etamu.solve.search import first_length
from etamu.solve.stop import TOLERANCE


@dataclass(frozen=True, slots=True)
class LimitedMemory:
    """The rule: step = B score, with B built from the last pairs of moves and falls of the score."""

    want: Want = Want.VALUE | Want.SCORE
    memory: int = 11
    demand: float = 1e-4

    def direction(self, oracle: Oracle, trail: tuple[Point, ...]) -> Direction:
        """Return the quasi-Newton step, the scaled gradient before anything is learnt."""
        here = trail[-1]
        extent = np.where(oracle.extent > 0, oracle.extent, 1.0)
        pairs = _pairs(trail, extent)
        if not pairs:
            uphill = here.score / extent**2
            step = first_length(oracle, here, uphill) * uphill
        else:
            step = two_loop(here.score / extent, pairs) / extent
        return Direction(step, float(here.score @ step), want=self.want)


def _pairs(trail: tuple[Point, ...], extent: Array) -> list[tuple[Array, Array]]:
    """Return the (move, fall of the score) pairs along which the curvature was positive, oldest first."""
    pairs = []
    for before, after in pairwise(trail):
        move = (after.beta - before.beta) * extent
        fall = (before.score - after.score) / extent
        with np.errstate(over="ignore", invalid="ignore"):  # what has no product or no length tells nothing
            curved = float(move @ fall) > 1e-10 * float(np.linalg.norm(move) * np.linalg.norm(fall))
        if curved:
            pairs.append((move, fall))
    return pairs


def two_loop(score: Array, pairs: list[tuple[Array, Array]]) -> Array:
    """Return B score, with B the BFGS inverse of the pairs (Nocedal and Wright 2006, algorithm 7.4).

    Examples
    --------
    >>> move, fall = np.array([1.0, 0.0]), np.array([4.0, 0.0])
    >>> two_loop(np.array([8.0, 2.0]), [(move, fall)]).tolist()
    [2.0, 0.5]
    """
    step = score.copy()
    shares = []
    for move, fall in reversed(pairs):
        share = float(move @ step) / float(move @ fall)
        step = step - share * fall
        shares.append(share)
    move, fall = pairs[-1]
    size = float(fall @ fall)
    if size > 0.0:  # it may be too small to have a square
        step = step * (float(move @ fall) / size)
    for (move, fall), share in zip(pairs, reversed(shares), strict=True):
        step = step + (share - float(fall @ step) / float(move @ fall)) * move
    return step


def lbfgs(
    oracle: Oracle,
    start: Array,
    *,
    limit: int = 1000,
    tolerance: float = TOLERANCE,
    callback: Callback | None = None,
) -> Solution:
    """Maximise by L-BFGS with backtracking: one pass an iteration, no matrix until the end.

    When its step promises to arrive, an exact pass looks at the information, and the last steps are
    Newton's, so that "converged" means the same for every solver.

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
    rule = LimitedMemory()
    return climb(oracle, start, rule, limit=limit, tolerance=tolerance, callback=callback)
