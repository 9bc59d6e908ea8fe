"""Walking down a profile likelihood of one parameter to places of a given height.

May import: everything below `fit`.
Read next: `etamu.fit.theta_profile` and `etamu.fit.power_profile`, which walk.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np

from etamu._base.types import Array
from etamu.infer.wald import criticals

STOPS = 5
"""Heights at which the curve is traced on each side, besides the ends of the interval."""
TRACED = 0.99
"""A curve goes out to the ends of an interval of at least this level."""
CLOSE = 1e-9
"""The signed root at an end of the interval is found to this."""
MOST = 60


class Place(Protocol):
    """A point of a profile: its coordinate, its log-likelihood, and the derivative of that."""

    @property
    def t(self) -> float:
        """The coordinate."""

    @property
    def loglik(self) -> float:
        """The log-likelihood, maximised over everything else."""

    @property
    def gain(self) -> float:
        """Its derivative in t."""


P = TypeVar("P", bound=Place)
Visit = Callable[[float, P], P]
"""(coordinate, a point nearby) -> the point there."""


def heights(level: float, *, curve: bool) -> tuple[Array, int]:
    """Return the heights to look for, rising, and which of them ends the interval."""
    bound = float(criticals(level, math.inf))
    if not curve:
        return np.array([bound]), 0
    outermost = max(bound, float(criticals(TRACED, math.inf)))
    roots = np.union1d(np.linspace(0.0, outermost, STOPS + 1)[1:], [bound])
    return roots, int(np.searchsorted(roots, bound))


def fallen(top: Place, point: Place) -> float:
    """Return the root of twice the fall from the top."""
    return math.sqrt(max(2.0 * (top.loglik - point.loglik), 0.0))


def place(visit: Visit[P], start: tuple[P, P], height: float, sign: float, guess: float) -> P:
    """Find where the root of twice the fall is of one height, by Newton's method inside a bracket.

    Parameters
    ----------
    visit : callable
    start : (top, the last point found on this side)
    height : float
    sign : float
        1 upward, -1 downward.
    guess : float
        Where to look first.
    """
    top, point = start
    inner, outer, t = point.t, sign * math.inf, guess
    for _ in range(MOST):
        point = visit(t, point)
        here = fallen(top, point)
        if abs(here - height) <= CLOSE:
            return point
        inner, outer = (t, outer) if here < height else (inner, t)
        slope = -point.gain / here if here > 0.0 else math.nan
        t = t + (height - here) / slope if slope * sign > 0.0 else math.nan
        low, high = min(inner, outer), max(inner, outer)
        if not low < t < high:
            known = math.isfinite(inner), math.isfinite(outer)
            t = 0.5 * (inner + outer) if all(known) else inner + sign if known[0] else outer - sign
    return point


def onward(start: tuple[P, P], height: float, sign: float) -> float:
    """Guess the place of the next height from the slope of the root at the last point found."""
    top, point = start
    here = fallen(top, point)
    return point.t + sign * min((height - here) * here / abs(point.gain), 1.0)
