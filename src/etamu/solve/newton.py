"""Newton's method: the observed information where it is a metric, the expected one where it is not.

May import: numpy, etamu._base, and in this room oracle, direction, factor, loop, search, stop.
Read next: `etamu.solve.irls`, the textbook's method beside it.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base.facts import dataclass, replace
from etamu._base.types import Array, Want
from etamu.solve.direction import Direction, Point, in_metric
from etamu.solve.factor import Metric, cholesky, clear, lifted
from etamu.solve.loop import Callback, climb
from etamu.solve.oracle import Local, Oracle, Solution
from etamu.solve.search import JAMMED, ceiling
from etamu.solve.stop import TOLERANCE

STEP = Want.VALUE | Want.SCORE | Want.CURVATURE
STEADY = 0.1
"""An old metric serves again while each step with it leaves less than this of the distance."""
SURE = 0.02
"""The same where an information costs little more than a score: then it has to arrive at the next step."""
BROAD = 48
"""Coordinates from which fewer digits of an information cost less."""
EVEN = 12.0
"""Largest |x| of a column of unit size whose rows have an even say."""
FAR = 0.15
"""Least lambda*rho of a step after which the next one is worth no more than two digits."""
CUT = 0.25
"""A step of which the edge leaves less than this is split into parts across and along the edge."""


@dataclass(frozen=True, slots=True)
class Newton:
    """The rule: step = H^-1 score, with H observed, else expected, else observed and lifted.

    Beside the edge of a domain the observed information may know nothing of the edge and point across
    it again and again; the expected one grows towards it. So there the expected one is asked as well,
    and if the edge still cuts its step short, the step is split into a part across and a part along it.

    Where passes are dear and columns many, a metric that has just proved good is kept for the next step,
    which then asks a gradient only: Shamanskii's (1967) method, Kelley 1995, section 5.4.3. A metric known
    beforehand, from a part of the rows say, serves the first step in the same way.
    """

    metric: Metric | None = None
    memory: int = 8
    demand: float = 1e-4

    @property
    def want(self) -> Want:
        """What the first pass must bring: no curvature where a metric is known."""
        return STEP if self.metric is None else Want.VALUE | Want.SCORE

    def direction(self, oracle: Oracle, trail: tuple[Point, ...]) -> Direction:
        """Return the step in the best metric at hand; asks one more pass where there is none."""
        here = trail[-1]
        kept = None if here.local.observed is not None else self._kept(oracle, trail)
        if kept is not None:
            return kept
        observed = _chosen(oracle, trail)
        crowded = observed is not None and ceiling(oracle, here.beta, observed.step) < 1
        if observed is not None and not crowded:
            return observed
        want = STEP | Want.EXPECTED
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
        with np.errstate(over="ignore"):  # an infinite slope is held to be too steep to be true
            return direction or Direction(here.score, float(here.score @ here.score), want=want)

    def _kept(self, oracle: Oracle, trail: tuple[Point, ...]) -> Direction | None:
        """Return the step in the metric kept for it, None if there is none."""
        seen = (point.local for point in reversed(trail))
        factor = next((local.metric for local in seen if local.observed is not None), self.metric)
        if factor is None:
            return None
        again = len(trail) < self.memory and _contraction(trail, factor) < STEADY
        step = in_metric(trail[-1].score, factor, "kept", Want.VALUE | Want.SCORE if again else STEP)
        return step if again else _far(oracle, step)


def _chosen(oracle: Oracle, trail: tuple[Point, ...]) -> Direction | None:
    """Return the Newton step, None without a metric; a new metric is asked if this will not do again."""
    here = trail[-1]
    factor = here.local.metric
    if factor is None:
        return None
    serves = oracle.dear and _contraction(trail, factor) < (STEADY if oracle.wide else SURE)
    step = in_metric(here.score, factor, "observed", Want.VALUE | Want.SCORE if serves else STEP)
    return step if serves else _far(oracle, step)


def _far(oracle: Oracle, step: Direction | None) -> Direction | None:
    """Ask for a coarse information where not only this step but the next one will leave a share of itself.

    A Newton step leaves at least some tenth of lambda*rho of itself, and the next one the square of that.
    """
    if step is None or not roughly(oracle, step.metric) or step.least_reach(oracle.extent) < FAR:
        return step
    return replace(step, want=step.want | Want.COARSE)


def roughly(oracle: Oracle, metric: Metric | None) -> bool:
    """Tell whether few digits of an information are worth asking for, and harm none of its eigenvalues.

    They do where columns nearly depend on one another, or where a few rows are most of it.
    """
    return broad(oracle) and clear(metric)


def broad(oracle: Oracle) -> bool:
    """Tell whether columns are so many that few digits cost less, and no few rows are most of a sum."""
    return oracle.size >= BROAD and oracle.concordance > 0 and oracle.extent.max(initial=0.0) <= EVEN


def _contraction(trail: tuple[Point, ...], factor: Metric) -> float:
    """Return how much shorter the step has become since the point before, in one metric; inf without one."""
    if len(trail) < 2:
        return math.inf
    before, now = (factor.form(point.score) for point in trail[-2:])
    return math.sqrt(max(now, 0.0) / before) if before > 0 else math.inf


def _step(score: Array, matrix: Array | None, information: str, want: Want) -> Direction | None:
    """Return the step in a metric, None if the matrix is missing or no metric."""
    factor = None if matrix is None else cholesky(matrix)
    return None if factor is None else in_metric(score, factor, information, want)


def along_edge(oracle: Oracle, here: Point, fisher: Direction, matrix: Array) -> Direction:
    """Return the Fisher step without its stiffest parts, if that promises more before the edge stops it.

    Towards an edge the information grows without end, so its largest eigenvectors are the normals of the
    edges nearby. Of the steps without the k largest, k = 0, 1, 2, 4, 8, ..., the one with the largest gain
    t (1 - t/2) slope is taken, with t the length the edge allows. Each k asks `reach` once.
    """
    if ceiling(oracle, here.beta, fisher.step) > CUT:
        return fisher
    extent = np.where(oracle.extent > 0, oracle.extent, 1.0)
    values, vectors = np.linalg.eigh(matrix / extent[:, None] / extent)
    shares = vectors.T @ (here.score / extent)
    best, most = fisher, JAMMED**2 * max(here.local.scale, 0.0)
    fewer = [len(values) - (1 << k) for k in range(len(values).bit_length())]
    for left in (len(values), *filter(None, fewer)):
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
    metric: Metric | None = None,
    limit: int = 100,
    tolerance: float = TOLERANCE,
    callback: Callback | None = None,
    seen: Local | None = None,
) -> Solution:
    """Maximise by Newton's method with a line search: beta + t H^-1 score.

    Parameters
    ----------
    oracle : Oracle
        What is maximised.
    start : Array
        Where to begin, (size,); the value there must be finite.
    metric : Factor, optional
        An approximation of the information at the start, for a first step that asks only a gradient.
    limit : int
        Most iterations.
    tolerance : float
        Largest distance from the maximum, in standard errors, of a converged answer.
    callback : callable, optional
        Called with each `Step` and the new beta.
    seen : Local, optional
        What `Newton(metric).want` asks of the start, if that is known.

    Returns
    -------
    Solution
        About iterations + 1 passes where every full step is good.
    """
    rule = Newton(metric)
    return climb(oracle, start, rule, limit=limit, tolerance=tolerance, callback=callback, seen=seen)
