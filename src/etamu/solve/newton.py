"""Newton's method: the observed information where it is a metric, the expected one where it is not.

May import: numpy, etamu._base, and in this room oracle, direction, factor, loop, search, stop.
Read next: `etamu.solve.irls`, the textbook's method beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from etamu._base.types import Array, Want
from etamu.solve.direction import Direction, Point, in_metric
from etamu.solve.factor import cholesky, lifted
from etamu.solve.loop import Callback, climb
from etamu.solve.oracle import Oracle, Solution
from etamu.solve.search import JAMMED, ceiling
from etamu.solve.stop import TOLERANCE

CUT = 0.25
"""A step of which the edge leaves less than this is split into parts across and along the edge."""


@dataclass(frozen=True, slots=True)
class Newton:
    """The rule: step = H^-1 score, with H observed, else expected, else observed and lifted.

    Beside the edge of a domain the observed information may know nothing of the edge and point across
    it again and again; the expected one grows towards it. So there the expected one is asked as well,
    and if the edge still cuts its step short, the step is split into a part across and a part along it.
    """

    want: Want = Want.VALUE | Want.SCORE | Want.CURVATURE
    memory: int = 1
    demand: float = 1e-4

    def direction(self, oracle: Oracle, trail: tuple[Point, ...]) -> Direction:
        """Return the step in the best metric at hand; asks one more pass where there is none."""
        here = trail[-1]
        observed = _step(here.score, here.local.observed, "observed", self.want)
        crowded = observed is not None and ceiling(oracle, here.beta, observed.step) < 1
        if observed is not None and not crowded:
            return observed
        want = self.want | Want.EXPECTED
        matrix = here.local.expected
        if matrix is None:
            matrix = oracle.at(here.beta, Want.VALUE | Want.EXPECTED).expected
        direction = _step(here.score, matrix, "expected", want)
        if crowded and direction is not None and matrix is not None:
            return along_edge(oracle, here, direction, matrix)
        direction = direction or observed
        if direction is not None:
            return direction
        curvature = here.local.observed if here.local.observed is not None else matrix
        if curvature is None:
            raise TypeError("newton needs an oracle with information; lbfgs needs only the score")
        direction = in_metric(here.score, lifted(curvature), "observed", want)
        return direction or Direction(here.score, float(here.score @ here.score), want=want)


def _step(score: Array, matrix: Array | None, information: str, want: Want) -> Direction | None:
    """Return the step in a metric, None if the matrix is missing or no metric."""
    factor = None if matrix is None else cholesky(matrix)
    return None if factor is None else in_metric(score, factor, information, want)


def along_edge(oracle: Oracle, here: Point, fisher: Direction, matrix: Array) -> Direction:
    """Return the Fisher step without its stiffest parts, if that promises more before the edge stops it.

    Towards an edge the information grows without end, so its largest eigenvectors are the normals of the
    edges nearby. Of the steps without the k largest, k = 0, 1, ..., the one with the largest gain
    t (1 - t/2) slope is taken, with t the length the edge allows. Each k asks `reach` once.
    """
    if ceiling(oracle, here.beta, fisher.step) > CUT:
        return fisher
    extent = np.where(oracle.extent > 0, oracle.extent, 1.0)
    values, vectors = np.linalg.eigh(matrix / extent[:, None] / extent)
    shares = vectors.T @ (here.score / extent)
    best, most = fisher, JAMMED**2 * max(here.local.scale, 0.0)
    for left in range(len(values), 0, -1):
        if values[0] <= 0:
            break
        parts = shares[:left] / values[:left]
        step = fisher.step if left == len(values) else vectors[:, :left] @ parts / extent
        slope = float(shares[:left] @ parts)
        length = ceiling(oracle, here.beta, step)
        if (gain := length * (1 - length / 2) * slope) > most:
            most = gain
            best = replace(fisher, step=step, slope=float(here.score @ step))
    return best


def newton(
    oracle: Oracle,
    start: Array,
    *,
    limit: int = 100,
    tolerance: float = TOLERANCE,
    callback: Callback | None = None,
) -> Solution:
    """Maximise by Newton's method with a line search: beta + t H^-1 score.

    Parameters
    ----------
    oracle : Oracle
        What is maximised.
    start : Array
        Where to begin, (size,); the value there must be finite.
    limit : int
        Most iterations.
    tolerance : float
        Largest distance from the maximum, in standard errors, of a converged answer.
    callback : callable, optional
        Called with each `Step` and the new beta.

    Returns
    -------
    Solution
        About iterations + 1 passes where every full step is good.
    """
    rule = Newton()
    return climb(oracle, start, rule, limit=limit, tolerance=tolerance, callback=callback)
