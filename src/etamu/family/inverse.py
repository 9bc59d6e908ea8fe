"""The inverse of an increasing function as tables: one reading where a root search takes hundreds of steps.

Tables are made once, of roots that Newton's method has polished to the last digits; they cover the whole
domain, both tails. Where the function is exponential toward an end, the exponential is taken out first.

May import: `etamu._base`, `etamu.family.panels`, numpy.
Read next: `etamu.family.derived`, whose canonical links are read from these.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Interval, Namespace
from etamu.family.panels import REACH, Panels, paneled

Pair = tuple[AnyArray, AnyArray]
"""x and 1 - x."""

Function = Callable[[Array, Array], Array]
"""Of x and 1 - x."""

_POLISH = 5
_APART = 2.0**-13

_FAR = (1e-280, 1e-200)
"""Distances from an end at which the function's growth toward it is read off."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One function of the distance d: a table times e^(rate d)."""

    table: Panels
    rate: float

    def __call__(self, xp: Namespace, d: AnyArray) -> AnyArray:
        """Return the function at d."""
        value = self.table(xp, d)
        return value * xp.exp(self.rate * d) if self.rate else value


@dataclass(frozen=True, slots=True)
class Side:
    """x, and 1 - x where it is carried, at a distance d from 0 or from an end."""

    x: Curve
    complement: Curve | None

    def __call__(self, xp: Namespace, d: AnyArray) -> Pair:
        """Return x and 1 - x."""
        x = self.x(xp, d)
        return x, 1.0 - x if self.complement is None else self.complement(xp, d)


@dataclass(frozen=True, slots=True)
class Inverse:
    """x as a function of the target, below and above 0."""

    lower: Side | None
    upper: Side | None

    def __call__(self, xp: Namespace, target: AnyArray) -> Pair:
        """Return x and 1 - x; no numbers outside the codomain."""
        d = xp.abs(target)
        if self.lower is not None and self.upper is not None:
            one, other = self.lower(xp, d), self.upper(xp, d)
            below = target < 0.0
            return xp.where(below, one[0], other[0]), xp.where(below, one[1], other[1])
        side, outside = (self.upper, target < 0.0) if self.lower is None else (self.lower, target > 0.0)
        assert side is not None
        x, rest = side(xp, xp.where(outside, xp.nan, d))
        return x, rest


@dataclass(frozen=True, slots=True)
class Problem:
    """An increasing function of x with its slope, where x and its values live, and a search for roots."""

    function: Function
    slope: Function
    domain: Interval
    codomain: Interval
    root: Callable[[Array], tuple[Array, Array]]
    """From a value to x and 1 - x, good for a start."""


def tabled(problem: Problem) -> Inverse | None:
    """Tabulate the inverse; None where the codomain has an end other than 0, or panels do not follow.

    Examples
    --------
    >>> cube = Problem(
    ...     lambda x, _: x**3,
    ...     lambda x, _: 3.0 * x**2,
    ...     Interval(0.0, math.inf),
    ...     Interval(0.0, math.inf),
    ...     lambda t: (0.9999 * t ** (1 / 3), 1.0 - 0.9999 * t ** (1 / 3)),
    ... )
    >>> table = tabled(cube)
    >>> table(np, np.array([8e-300, 27.0]))[0].round(12).tolist()
    [0.0, 3.0]
    """
    lower, upper = problem.codomain.lower, problem.codomain.upper
    if {lower, upper} - {0.0, -math.inf, math.inf}:
        return None
    with np.errstate(all="ignore"):
        return _both(problem, lower, upper)


def _both(problem: Problem, lower: float, upper: float) -> Inverse | None:
    sides: list[Side | None] = []
    for sign, exists in ((-1.0, lower < 0.0), (1.0, upper > 0.0)):
        side = _side(problem, sign) if exists else None
        if exists and side is None:
            return None
        sides.append(side)
    return Inverse(sides[0], sides[1])


def _side(problem: Problem, sign: float) -> Side | None:
    """Tabulate one side, as a function of the distance."""
    unit = (problem.domain.lower, problem.domain.upper) == (0.0, 1.0)
    rates = _rates(problem, sign, unit=unit)

    octaves = np.ldexp(1.0, np.arange(-REACH - 1, REACH + 2))
    known = _polished(problem, sign * octaves, *problem.root(sign * octaves))
    logs = tuple(np.log(np.abs(each)) - rate * octaves for each, rate in zip(known, rates, strict=True))
    reached = np.abs(problem.function(*known) - sign * octaves) <= 1e-6 * octaves
    inside = np.isfinite(logs[0]) & np.isfinite(logs[1]) & reached
    outward = math.copysign(1.0, problem.domain.upper)

    def solved(d: Array) -> tuple[Array, Array]:
        if problem.domain.whole:
            return _polished(problem, sign * d, *problem.root(sign * d))
        places = np.log(d), np.log(octaves[inside])
        x, rest = (
            np.exp(np.interp(*places, each[inside]) + rate * d)
            for each, rate in zip(logs, rates, strict=True)
        )
        return _polished(problem, sign * d, outward * x, rest if unit else 1.0 - outward * x)

    curves = [_curve(solved, which, rates[which]) for which in range(1 + unit)]
    first, *others = curves
    if first is None or None in others:
        return None
    return Side(first, others[0] if unit else None)


def _curve(solved: Callable[[Array], tuple[Array, Array]], which: int, rate: float) -> Curve | None:
    def values(d: Array) -> Array:
        found = solved(d)[which]
        return np.asarray(found * np.exp(-rate * d) if rate else found)

    table = paneled(values, rate)
    return None if table is None else Curve(table, rate)


def _rates(problem: Problem, sign: float, *, unit: bool) -> tuple[float, float]:
    """Return d log|x| / dd and d log(1 - x) / dd far from 0, 0 where they vanish."""
    end = problem.codomain.upper if sign > 0.0 else problem.codomain.lower
    if math.isfinite(end):
        return 0.0, 0.0
    at = problem.domain.upper if sign > 0.0 else problem.domain.lower
    if unit and at == 1.0:
        return 0.0, -_rate(lambda near: problem.slope(1.0 - near, near) * near)
    if at == 0.0:
        side = -1.0 if problem.domain.upper == 0.0 else 1.0
        return sign * _rate(lambda near: problem.slope(side * near, 1.0 - side * near) * side * near), 0.0
    if math.isinf(at):
        side = math.copysign(1.0, at)
        return sign * _rate(lambda near: problem.slope(side / near, 1.0 - side / near) * side / near), 0.0
    return 0.0, 0.0


def _rate(elasticity: Callable[[Array], Array]) -> float:
    """Return the limit of 1 / (x f'(x)) toward an end; 0 where it vanishes or is none."""
    near, nearer = (1.0 / elasticity(np.array(_FAR))).tolist()
    settled = math.isfinite(near) and abs(near - nearer) <= 1e-12 * abs(near)
    return near if settled else 0.0


def _polished(problem: Problem, target: Array, x: Array, rest: Array) -> tuple[Array, Array]:
    """Return roots whose last digits are those of the function, by Newton's method from near ones.

    It moves log|x|, or log(1 - x) above 1/2: no slope overflows there, and powers are straight lines.
    """
    x, rest = np.asarray(x, dtype=np.float64), np.asarray(rest, dtype=np.float64)
    unit = (problem.domain.lower, problem.domain.upper) == (0.0, 1.0)
    upper = unit & (x > 0.5)

    def moved(by: Array | float) -> tuple[Array, Array]:
        near = np.where(upper, rest, x) * np.exp(by)
        return np.where(upper, 1.0 - near, near), np.where(upper, near, 1.0 - near)

    for _ in range(_POLISH):
        gap = problem.function(x, rest) - target
        rise = (problem.function(*moved(_APART)) - problem.function(*moved(-_APART))) / (2.0 * _APART)
        step = gap / rise
        x, rest = moved(-np.where(np.isfinite(step), np.clip(step, -1.0, 1.0), 0.0))
    return x, rest
