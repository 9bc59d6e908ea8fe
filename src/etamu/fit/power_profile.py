"""The profile of a Tweedie power: the log-likelihood maximised over coefficients and phi at each power.

May import: everything below `fit`.
Read next: `etamu.fit.shape_profile`, which finds the places.
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from etamu._base.errors import EtamuWarning
from etamu._base.types import Array
from etamu.fit.power_walk import Spot, Walk, free
from etamu.fit.problem import Problem
from etamu.fit.shape import ShapeProfile
from etamu.fit.shape_profile import fallen, heights, onward, place
from etamu.fit.stage import prepare


def traced(
    problem: Problem, top: Spot, error: float, ends: tuple[float, float], level: float, *, curve: bool
) -> ShapeProfile:
    """Trace the profile of the power from its maximum; the ends of the range end an interval."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EtamuWarning)
        walk = Walk(free(problem), prepare(problem))
        roots, at = heights(level, curve=curve)
        sides = [_side(walk, top, roots, sign, error, ends) for sign in (-1.0, 1.0)]
    points = {spot.t: spot.loglik for spot in (top, *sides[0], *sides[1])}
    ordered = sorted(points)
    return ShapeProfile(
        name="power",
        estimate=top.t,
        level=level,
        interval=np.array([side[min(at, len(side) - 1)].t for side in sides]),
        values=np.array(ordered),
        loglik=np.array([points[power] for power in ordered]),
        highest=top.loglik,
    )


def _side(
    walk: Walk, top: Spot, roots: Array, sign: float, error: float, ends: tuple[float, float]
) -> list[Spot]:
    """Find where the root of twice the fall is each of some heights, up to the end of the range."""
    edge = ends[int(sign > 0.0)]
    if top.t == edge:
        return [top]
    found: list[Spot] = []
    last, here = walk.at(edge, top), top

    def visit(t: float, near: Spot) -> Spot:
        return walk.at(min(max(t, ends[0]), ends[1]), near)

    for root in roots.tolist():
        if fallen(top, last) <= root:
            return [*found, last]
        first = top.t + sign * root * (error if math.isfinite(error) else 0.02)
        guess = first if here is top else onward((top, here), root, sign)
        here = place(visit, (top, here), root, sign, min(max(guess, ends[0]), ends[1]))
        found.append(here)
    return found
