"""The profile of theta: the log-likelihood maximised over the coefficients at each theta.

May import: everything below `fit`.
Read next: `etamu.fit.shape`, what comes out.
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from etamu._base.errors import EtamuWarning
from etamu._base.types import Array
from etamu.fit.estimate import prepare
from etamu.fit.overdispersion import counts_of
from etamu.fit.problem import Problem
from etamu.fit.shape import ShapeProfile
from etamu.fit.theta_climb import Climb, Point
from etamu.infer.wald import criticals

STOPS = 5
"""Heights at which the curve is traced on each side, besides the ends of the interval."""
TRACED = 0.99
"""A curve goes out to the ends of an interval of at least this level."""
CLOSE = 1e-9
"""The signed root at an end of the interval is found to this."""
MOST = 60


def traced(problem: Problem, alpha: float, beta: Array, level: float) -> ShapeProfile:
    """Trace the profile of theta from its maximum at alpha = 1/theta, 0 at the Poisson limit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EtamuWarning)
        stage = prepare(problem)
        climb = Climb(problem, stage, counts_of(stage.chunk))
        top = climb.at(alpha, beta)
        bound = float(criticals(level, math.inf))
        outermost = max(bound, float(criticals(TRACED, math.inf)))
        roots = np.union1d(np.linspace(0.0, outermost, STOPS + 1)[1:], [bound])
        sides = [_side(climb, top, roots, sign) for sign in (1.0, -1.0)]
    at = int(np.searchsorted(roots, bound))
    points = {_theta(point): point.loglik for point in (top, *sides[0], *sides[1])}
    ordered = sorted(points)
    return ShapeProfile(
        name="theta",
        estimate=_theta(top),
        level=level,
        interval=np.array([_theta(side[min(at, len(side) - 1)]) if side else math.inf for side in sides]),
        values=np.array(ordered),
        loglik=np.array([points[theta] for theta in ordered]),
        highest=top.loglik,
    )


def _theta(point: Point) -> float:
    return 1.0 / point.alpha if point.alpha > 0.0 else math.inf


def _side(climb: Climb, top: Point, roots: Array, sign: float) -> list[Point]:
    """Find where the root of twice the fall is each of some heights; the Poisson limit ends a side."""
    found: list[Point] = []
    if sign < 0.0 and top.alpha == 0.0:
        return found
    limit = climb.at(0.0, top.solution.beta) if sign < 0.0 else None
    here = top
    for root in roots:
        if limit is not None and _root(top, limit) <= root:
            return [*found, limit]
        here = _place(climb, (top, here), float(root), sign)
        found.append(here)
    return found


def _root(top: Point, point: Point) -> float:
    return math.sqrt(max(2.0 * (top.loglik - point.loglik), 0.0))


def _place(climb: Climb, start: tuple[Point, Point], root: float, sign: float) -> Point:
    """Find where the root of twice the fall is of one height, by Newton's method inside a bracket."""
    top, point = start
    inner, outer = math.log(point.alpha) if point.alpha > 0.0 else -math.inf, sign * math.inf
    t = _first(climb, start, root, sign)
    for _ in range(MOST):
        moved = point.solution.beta + point.shift * (math.exp(t) - point.alpha)
        point = climb.at(math.exp(t), moved)
        height = _root(top, point)
        if abs(height - root) <= CLOSE:
            return point
        inner, outer = (t, outer) if height < root else (inner, t)
        slope = -point.alpha * point.seen.score / height if height > 0.0 else math.nan
        t = t + (root - height) / slope if slope * sign > 0.0 else math.nan
        low, high = min(inner, outer), max(inner, outer)
        if not low < t < high:
            t = 0.5 * (inner + outer) if math.isfinite(outer) else inner + sign
    return point


def _first(climb: Climb, start: tuple[Point, Point], root: float, sign: float) -> float:
    """Guess a place from the curvature at the maximum, or from the slope at the Poisson limit."""
    top, point = start
    if point is not top:
        gain = sign * (root - _root(top, point)) * _root(top, point)
        return math.log(point.alpha) + sign * min(gain / abs(point.alpha * point.seen.score) * sign, 1.0)
    if top.alpha > 0.0:
        error = top.step[1]
        return math.log(top.alpha) + sign * root * (error or 1.0)
    fall, bend = max(-top.seen.score, 0.0), max(-top.seen.slope, 0.0)
    # root^2 / 2 = fall alpha + bend alpha^2 / 2
    room = math.sqrt(fall * fall + bend * root * root) + fall
    return math.log(root * root / room) if room > 0.0 else -math.log(climb.typical)
