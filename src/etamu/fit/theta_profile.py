"""The profile of theta: the log-likelihood maximised over the coefficients at each theta.

May import: everything below `fit`.
Read next: `etamu.fit.shape_profile`, which finds the places.
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from etamu._base.errors import EtamuWarning
from etamu._base.types import Array
from etamu.fit.overdispersion import counts_of
from etamu.fit.problem import Problem
from etamu.fit.shape import ShapeProfile
from etamu.fit.shape_profile import fallen, heights, onward, place
from etamu.fit.stage import prepare
from etamu.fit.theta_climb import Climb, Point


def traced(problem: Problem, alpha: float, beta: Array, level: float, *, curve: bool) -> ShapeProfile:
    """Trace the profile of theta from its maximum at alpha = 1/theta, 0 at the Poisson limit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EtamuWarning)
        stage = prepare(problem)
        climb = Climb(problem, stage, counts_of(stage.chunk))
        top = climb.at(alpha, beta)
        roots, at = heights(level, curve=curve)
        sides = [_side(climb, top, roots, sign) for sign in (1.0, -1.0)]
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
    for root in roots.tolist():
        if limit is not None and fallen(top, limit) <= root:
            return [*found, limit]
        guess = _first(climb, top, root, sign) if here is top else onward((top, here), root, sign)
        here = place(climb.near, (top, here), root, sign, guess)
        found.append(here)
    return found


def _first(climb: Climb, top: Point, root: float, sign: float) -> float:
    """Guess a place from the curvature at the maximum, or from the slope at the Poisson limit."""
    if top.alpha > 0.0:
        return top.t + sign * root * (top.step[1] or 1.0)
    fall, bend = max(-top.seen.score, 0.0), max(-top.seen.slope, 0.0)
    # root^2 / 2 = fall alpha + bend alpha^2 / 2
    room = math.sqrt(fall * fall + bend * root * root) + fall
    return math.log(root * root / room) if room > 0.0 else -math.log(climb.typical)
