"""Quadrature and root finding as straight-line formulas: what a family without closed forms is computed by.

Every function has a fixed number of steps and no branch, so that any array namespace runs it and the kernel
compiles it like any other formula.

May import: _base.
Read next: `etamu.family.derived`, where these stand in for what does not close.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Interval, Namespace

Pair = tuple[AnyArray, AnyArray]
"""x and 1 - x."""


def _rule(count: int) -> tuple[tuple[float, float], ...]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return tuple(zip((0.5 + 0.5 * nodes).tolist(), (0.5 * weights).tolist(), strict=True))


RULE = _rule(6)
"""Points and weights of Gauss and Legendre on (0, 1)."""

SHORT = _rule(4)
"""The same for an interval a sixteenth as long as its distance from where the function is singular."""

FALLING, SHORT_FALLING = (
    tuple((node, weight * (1.0 - node)) for node, weight in rule) for rule in (RULE, SHORT)
)
"""The same of 1 - s times a function."""

FINE = _rule(12)
"""The same for the last digits of a function half as far from where it is singular."""

PANELS = 16
_BISECTIONS = 11
_NEWTON = 7


def integral(rate: Callable[[float], AnyArray], rule: tuple[tuple[float, float], ...] = RULE) -> AnyArray:
    """Return the integral over (0, 1) of a function smooth there, by six points or a rule of more.

    Examples
    --------
    >>> abs(integral(lambda s: 1.0 / (1.0 + s)) - math.log(2.0)) < 1e-8
    True
    """
    parts = (weight * rate(node) for node, weight in rule)
    return functools.reduce(operator.add, parts)


def integral_in_panels(rate: Callable[[float], AnyArray]) -> AnyArray:
    """Return the integral over (0, 1) of a function that bends, by six points in each of sixteen panels."""
    total: AnyArray = 0.0
    for panel in range(PANELS):
        total = total + integral(_panel(rate, panel))
    return total / PANELS


def _panel(rate: Callable[[float], AnyArray], panel: int) -> Callable[[float], AnyArray]:
    return lambda s: rate((panel + s) / PANELS)


class Place(NamedTuple):
    """A point of an interval by its place w on the line."""

    x: AnyArray
    complement: AnyArray
    slope: AnyArray
    """dx / dw."""


@dataclass(frozen=True, slots=True)
class Line:
    """An open interval stretched over the whole line, so that its tails have room.

    Examples
    --------
    >>> round(float(Line(Interval(0.0, math.inf)).at(np, np.float64(0.0)).x), 12)
    1.0
    """

    interval: Interval

    @property
    def reach(self) -> float:
        """Return how far on the line points are told apart."""
        if self.interval.whole:
            return 340.0
        both = math.isfinite(self.interval.lower) and math.isfinite(self.interval.upper)
        unit = (self.interval.lower, self.interval.upper) == (0.0, 1.0)
        return 36.0 if both and not unit else 690.0

    def place(self, xp: Namespace, x: AnyArray, complement: AnyArray) -> AnyArray:
        """Return w of x."""
        lower, upper = self.interval.lower, self.interval.upper
        if self.interval.whole:
            return xp.asinh(x)
        if math.isinf(upper):
            return xp.log(x - lower)
        if math.isinf(lower):
            return -xp.log(upper - x)
        return xp.log(x - lower) - (xp.log(complement) if upper == 1.0 else xp.log(upper - x))

    def at(self, xp: Namespace, w: AnyArray) -> Place:
        """Return x, 1 - x and dx / dw at w."""
        lower, upper = self.interval.lower, self.interval.upper
        if self.interval.whole:
            x = xp.sinh(w)
            return Place(x, 1.0 - x, xp.cosh(w))
        if math.isinf(upper) or math.isinf(lower):
            size = xp.exp(w if math.isinf(upper) else -w)
            x = lower + size if math.isinf(upper) else upper - size
            return Place(x, 1.0 - x, size)
        width, decay = upper - lower, xp.exp(-xp.abs(w))
        large, small = 1.0 / (1.0 + decay), decay / (1.0 + decay)
        share, rest = xp.where(w > 0.0, large, small), xp.where(w > 0.0, small, large)
        x = lower + width * share
        return Place(x, rest if upper == 1.0 and lower == 0.0 else 1.0 - x, width * large * small)


def inverted(
    xp: Namespace,
    function: Callable[[AnyArray, AnyArray], AnyArray],
    slope: Callable[[AnyArray, AnyArray], AnyArray],
    target: AnyArray,
    intervals: tuple[Interval, Interval],
) -> Pair:
    """Return x and 1 - x with function(x, 1 - x) = target, for an increasing function.

    Parameters
    ----------
    xp
    function, slope : callables of (x, 1 - x)
        The function and its derivative in x.
    target : array
    intervals : (of x, of the target)

    Bisection, then Newton's method inside the bracket, both on stretched scales where the function is nearly
    straight; their number is fixed.
    """
    domain, codomain = (Line(each) for each in intervals)
    goal = codomain.place(xp, target, 1.0 - target)
    zero = xp.zeros_like(target)
    lower, upper = zero - domain.reach, zero + domain.reach
    w = zero
    for step in range(_BISECTIONS + _NEWTON):
        place = domain.at(xp, w)
        value = function(place.x, place.complement)
        gap = codomain.place(xp, value, 1.0 - value) - goal
        short = gap < 0.0
        lower, upper = xp.where(short, w, lower), xp.where(short, upper, w)
        w = 0.5 * (lower + upper)
        if step >= _BISECTIONS:
            bend = slope(place.x, place.complement) / codomain.at(xp, goal + gap).slope * place.slope
            newton = xp.where(short, lower, upper) - gap / bend
            inside = xp.minimum(xp.maximum(newton, lower), upper)
            w = xp.where(newton == newton, inside, w)  # noqa: PLR0124  (a step that is no number is not taken)
    found = domain.at(xp, w)
    return found.x, found.complement
