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
from etamu.family.panels import REACH, Curve, paneled

Pair = tuple[AnyArray, AnyArray]
"""x and 1 - x."""

Function = Callable[[Array, Array], Array]
"""Of x and 1 - x."""

_POLISH = 5
FAINT = 1e-250
"""A distance from an end of theta at which an exponential variance leaves few digits."""

_POLISHED = 1e-9
"""A relative step after which another one moves nothing."""

_APART = 2.0**-13

_FAR = (1e-280, 1e-200)
"""Distances from an end at which the function's growth toward it is read off."""


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
class Ends:
    """Two finite ends of the target, the place between them where x changes sides, and the scales of each."""

    lower: float
    middle: float
    upper: float

    @property
    def scales(self) -> tuple[float, float]:
        """Return what makes a side as long as 1, where an octave ends."""
        return 1.0 / (self.middle - self.lower), 1.0 / (self.upper - self.middle)


@dataclass(frozen=True, slots=True)
class Inverse:
    """x as a function of the target, below and above 0; or of its distances from two finite ends."""

    lower: Side | None
    upper: Side | None
    ends: Ends | None = None

    def __call__(self, xp: Namespace, target: AnyArray, complement: AnyArray | None = None) -> Pair:
        """Return x and 1 - x; no numbers outside the codomain. `complement` is 1 - target of a proportion."""
        if self.ends is not None:
            return self._between(xp, target, self.ends, complement)
        d = xp.abs(target)
        if self.lower is not None and self.upper is not None:
            one, other = self.lower(xp, d), self.upper(xp, d)
            below = target < 0.0
            return xp.where(below, one[0], other[0]), xp.where(below, one[1], other[1])
        side, outside = (self.upper, target < 0.0) if self.lower is None else (self.lower, target > 0.0)
        assert side is not None
        x, rest = side(xp, xp.where(outside, xp.nan, d))
        return x, rest

    def _between(self, xp: Namespace, target: AnyArray, ends: Ends, complement: AnyArray | None) -> Pair:
        assert self.lower is not None
        assert self.upper is not None
        left = ends.upper - target if complement is None or ends.upper != 1.0 else complement
        first, second = (target - ends.lower) * ends.scales[0], left * ends.scales[1]
        one = self.lower(xp, xp.where(first < 0.0, xp.nan, first))
        other = self.upper(xp, xp.where(second < 0.0, xp.nan, second))
        below = target < ends.middle
        return xp.where(below, one[0], other[0]), xp.where(below, one[1], other[1])


@dataclass(frozen=True, slots=True)
class Problem:
    """An increasing function of x with its slope, where x and its values live, and a search for roots."""

    function: Function
    slope: Function
    domain: Interval
    codomain: Interval
    root: Callable[[Array], tuple[Array, Array]]
    """From a value to x and 1 - x, good for a start."""
    distance: Callable[[float, Array, Array], Array] | None = None
    """From the lower (-1) or upper (1) end of the codomain where both are finite, digits kept."""
    faintest: float = 0.0
    """The smallest target at which the function has digits."""


def tabled(problem: Problem) -> Inverse | None:
    """Tabulate the inverse; None where panels do not follow, or nothing tells the distance from a finite end.

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
    with np.errstate(all="ignore"):
        if {lower, upper} - {0.0, -math.inf, math.inf}:
            return None if problem.distance is None else _between_ends(problem, problem.distance)
        return _both(problem, lower, upper)


def _both(problem: Problem, lower: float, upper: float) -> Inverse | None:
    sides: list[Side | None] = []
    for sign, exists in ((-1.0, lower < 0.0), (1.0, upper > 0.0)):
        side = _side(problem, sign) if exists else None
        if exists and side is None:
            return None
        sides.append(side)
    return Inverse(sides[0], sides[1])


_GRID = np.ldexp(np.exp2(np.arange(16.0) / 16.0), np.arange(-1000, 1000)[:, None]).ravel()
"""Sixteen sizes to an octave."""


def _between_ends(problem: Problem, distance: Callable[[float, Array, Array], Array]) -> Inverse | None:
    """Tabulate both sides of a middle, each as a function of the distance from its end."""
    domain = problem.domain
    unit = (domain.lower, domain.upper) == (0.0, 1.0)
    middle = 0.5 if unit else 0.0 if domain.whole else math.copysign(1.0, domain.lower + domain.upper)
    at = np.array([middle])
    reach = [float(distance(side, at, 1.0 - at)[0]) for side in (-1.0, 1.0)]
    ends = Ends(problem.codomain.lower, problem.codomain.lower + reach[0], problem.codomain.upper)
    sides = [
        _side_from_end(problem, distance, side, length)
        for side, length in zip((-1.0, 1.0), reach, strict=True)
    ]
    return None if None in sides else Inverse(sides[0], sides[1], ends)


def _side_from_end(
    problem: Problem, distance: Callable[[float, Array, Array], Array], side: float, length: float
) -> Side | None:
    """Tabulate one side as a function of the share d of its length that is left to its end."""
    domain = problem.domain
    unit, end = (domain.lower, domain.upper) == (0.0, 1.0), domain.lower if side < 0.0 else domain.upper
    sign = side if domain.whole else math.copysign(1.0, domain.lower + domain.upper)

    def mean(size: Array) -> tuple[Array, Array]:
        """Return x and 1 - x by the size of x, or of 1 - x above 1/2."""
        if unit and side > 0.0:
            return 1.0 - size, size
        return sign * size, 1.0 - sign * size

    most = 0.5 if unit else 1.0 if end == 0.0 else math.inf
    sizes = _GRID[(most >= _GRID) & (domain.whole | (end == 0.0) | unit | (_GRID >= 1.0))]
    shares = distance(side, *mean(sizes)) / length
    known = np.isfinite(shares) & (shares > FAINT)
    places = np.log(shares[known]), np.log(sizes[known])
    order = np.argsort(places[0], kind="stable")

    def solved(d: Array) -> tuple[Array, Array]:
        goal = np.minimum(d, 1.0)
        size = np.exp(np.interp(np.log(goal), places[0][order], places[1][order]))
        for _ in range(_POLISH):
            now = distance(side, *mean(size)) / length
            rise = size * problem.slope(*mean(size)) / (length * now)
            step = np.log(now / goal) / (rise if end == 0.0 or unit else -rise)
            step = np.where(np.isfinite(step), np.clip(step, -1.0, 1.0), 0.0)
            size = size * np.exp(-step)
            if np.max(np.abs(step), initial=0.0) < _POLISHED:
                break
        return mean(size)

    curves = [_curve(solved, which, 0.0, FAINT) for which in range(1 + unit)]
    return None if curves[0] is None or curves[-1] is None else Side(curves[0], curves[1] if unit else None)


def _side(problem: Problem, sign: float) -> Side | None:
    """Tabulate one side, as a function of the distance."""
    unit = (problem.domain.lower, problem.domain.upper) == (0.0, 1.0)
    rates = _rates(problem, sign, unit=unit)

    octaves = np.ldexp(1.0, np.arange(-REACH - 1, REACH + 2))
    known = _polished(problem, sign * octaves, *problem.root(sign * octaves))
    logs = tuple(np.log(np.abs(each)) - rate * octaves for each, rate in zip(known, rates, strict=True))
    reached = np.abs(problem.function(*known) - sign * octaves) <= 1e-6 * octaves
    inside = np.isfinite(logs[0]) & np.isfinite(logs[1]) & reached
    if not np.any(inside):
        return None
    outward = 1.0 if problem.domain.lower >= 0.0 else -1.0

    def solved(d: Array) -> tuple[Array, Array]:
        if problem.domain.lower < 0.0 < problem.domain.upper:
            return _polished(problem, sign * d, *problem.root(sign * d))
        places = np.log(d), np.log(octaves[inside])
        x, rest = (
            np.exp(np.interp(*places, each[inside], right=math.nan) + rate * d)
            for each, rate in zip(logs, rates, strict=True)
        )
        return _polished(problem, sign * d, outward * x, rest if unit else 1.0 - outward * x)

    curves = [_curve(solved, which, rates[which], problem.faintest) for which in range(1 + unit)]
    first, *others = curves
    if first is None or None in others:
        return None
    return Side(first, others[0] if unit else None)


def _curve(
    solved: Callable[[Array], tuple[Array, Array]], which: int, rate: float, faintest: float
) -> Curve | None:
    def values(d: Array) -> Array:
        found = solved(np.where(d < faintest, math.nan, d))[which]
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
        step = np.where(np.isfinite(step), np.clip(step, -1.0, 1.0), 0.0)
        x, rest = moved(-step)
        if np.max(np.abs(step), initial=0.0) < _POLISHED:
            break
    return x, rest
