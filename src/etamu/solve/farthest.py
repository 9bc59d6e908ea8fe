"""The farthest point along a functional where the value has fallen by so much and no more.

May import: numpy, etamu._base, and in this room factor, newton, oracle, restricted, search.
Read next: `etamu.fit.profile`, for which these points are ends of intervals.

Maximise side h'beta subject to value(beta) >= peak - root^2 / 2. At the solution the score is lambda h.
Two ways lead there. `_strike` solves for the end and the way to it at once: with V the inverse information
and lambda = h'V g / h'V h, the step across, V g - lambda V h, is a Newton step in the plane h'beta = const,
and along the functional goes a Newton step of r(psi) = sqrt(2 (peak - ridge(psi))), which is nearly straight
(Venzon and Moolgavkar 1988, Appl. Statist. 37, with the exact slope). V stays frozen while it contracts
well. Where that fails - no information at the peak, an edge, a ridge that flattens - `_survey` climbs to
the ridge at one psi after another by Newton's method, and brackets the end.
"""

from __future__ import annotations

import enum
import math
from dataclasses import replace

import numpy as np

from etamu._base.arrow import ArrowFactor
from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.solve.factor import EPS, Factor, cholesky
from etamu.solve.newton import newton
from etamu.solve.oracle import Local, Oracle
from etamu.solve.outcome import Outcome
from etamu.solve.restricted import Restricted, across
from etamu.solve.search import MARGIN, finite

SHORT = Want.VALUE | Want.SCORE
FULL = SHORT | Want.CURVATURE
ERROR = 1e-11
"""Predicted error of an end, relative to its distance from the peak."""
FROZEN = 0.2
"""A step that shrinks by less than this factor asks for a new information matrix."""
STRIKES = 30
DOUBLINGS = 200
SECTIONS = 200
CLOSE = 1e-10
"""Relative width or residual at which the survey ends."""
FLAT = 3
"""Doublings in a row that must all promise a limit above the level before an end is called infinite."""


class Ending(enum.Enum):
    """What a farthest point is."""

    INTERIOR = "interior"
    EDGE = "edge"
    INFINITE = "infinite"
    UNKNOWN = "not found"


@dataclass(frozen=True, slots=True, eq=False)
class Ridge:
    """A peak, and the functional along which one walks away from it, always on the highest ground.

    Parameters
    ----------
    oracle : Oracle
    peak : array (p,)
    local : Local
        What an exact pass saw at the peak.
    functional : array (p,)
        h; psi = h'beta.
    concave : bool
        Whether the value is concave: then a stationary point of a plane is its maximum.
    verified : bool
        Whether the peak is a maximum inside the domain; then, if concave, no ridge is flat for ever.
    phases : tuple of Oracle
        Oracles whose maximum is 0 exactly inside the domain, by a wide margin first; none without an edge.
    """

    oracle: Oracle
    peak: Array
    local: Local
    functional: Array
    concave: bool
    verified: bool
    phases: tuple[Oracle, ...] = ()

    def place(self, beta: Array) -> float:
        """Return psi = h'beta."""
        return float(self.functional @ beta)

    def fallen(self, value: float) -> float:
        """Return r = sqrt(2 (peak - value)), 0 where the value has not fallen."""
        return math.sqrt(2.0 * max(self.local.value - value, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """A farthest point: psi, the root it was asked for, where it is, and the slope dr/dpsi there."""

    place: float
    root: float
    beta: Array
    ending: Ending = Ending.INTERIOR
    metric: Array | None = None
    passed: tuple[tuple[float, float], ...] = ()
    """Pairs (psi, r) of the ridge that a survey climbed to."""

    def times(self, unit: float) -> End:
        """Count psi in another unit."""
        passed = tuple((unit * place, fallen) for place, fallen in self.passed)
        return replace(self, place=unit * self.place, passed=passed)


def farthest(ridge: Ridge, roots: Array, side: int) -> tuple[End, ...]:
    """Find the farthest point for every root, in increasing order, each from the one before.

    Parameters
    ----------
    ridge : Ridge
    roots : array (k,)
        sqrt(2 drop) of each, increasing and positive.
    side : 1 or -1
        Whether psi is to be largest or smallest.
    """
    unit = float(np.exp2(np.frexp(np.abs(ridge.functional).max(initial=0.0))[1]))
    if unit in {0.0, 1.0} or not math.isfinite(unit):
        return _farthest(ridge, roots, side)
    # Squares of h may be beyond float64, and h comes in any unit: the way is the same in one near 1.
    ends = _farthest(replace(ridge, functional=ridge.functional / unit), roots, side)
    return tuple(end.times(unit) for end in ends)


def _farthest(ridge: Ridge, roots: Array, side: int) -> tuple[End, ...]:
    last = End(ridge.place(ridge.peak), 0.0, ridge.peak, metric=ridge.local.observed)
    found: list[End] = []
    for root in roots:
        if last.ending in {Ending.INFINITE, Ending.UNKNOWN}:
            found.append(replace(found[-1], root=float(root), passed=()))
            continue
        end = _strike(ridge, last, float(root), side) if ridge.verified else None
        if end is None:
            # Far out, information overflows; what is not finite is dealt with where it is met.
            with np.errstate(all="ignore"):
                end = _survey(ridge, last, float(root), side)
        found.append(end)
        last = end
    return tuple(found)


def _strike(ridge: Ridge, start: End, root: float, side: int) -> End | None:
    """Iterate from a point on the ridge to the end; None if that does not contract."""
    oracle, h = ridge.oracle, ridge.functional
    metric = oracle.at(start.beta, FULL).observed if start.metric is None else start.metric
    factor = None if metric is None else cholesky(metric)
    if factor is None:
        return None
    tangent = factor.solve(h)
    step = side * (root - start.root) * tangent / math.sqrt(float(h @ tangent))
    beta, size, cuts = start.beta, (root - start.root) / root, 0
    want = SHORT if ridge.concave else FULL
    for _ in range(STRIKES):
        length = _room(oracle, beta, step)
        cuts += length < 1
        beta = beta + length * step
        seen = oracle.at(beta, want)
        if length <= 0 or cuts > STRIKES // 3 or not finite(seen):
            return None
        if seen.observed is not None:
            metric, factor = seen.observed, cholesky(seen.observed)
        move = None if factor is None else _joint(ridge, factor, seen, root, side)
        if move is None or move[1] > 2 * size:
            return None
        contraction = 1.0 if length < 1 else move[1] / size
        step, size = move
        if max(contraction, 0.05) * size**2 <= ERROR:
            beta = beta + step
            return End(ridge.place(beta), root, beta, metric=metric)
        want = SHORT if ridge.concave and contraction <= FROZEN else FULL
    return None


def _joint(
    ridge: Ridge, factor: Factor | ArrowFactor, seen: Local, root: float, side: int
) -> tuple[Array, float] | None:
    """Return the step towards the end, and its length relative to the distance from the peak."""
    h, score = ridge.functional, seen.score
    assert score is not None
    tangent, newton_step = factor.solve(h), factor.solve(score)
    spread = float(h @ tangent)
    multiplier = float(h @ newton_step) / spread
    climb = newton_step - multiplier * tangent
    gain = max(float(climb @ score), 0.0)
    here = ridge.fallen(seen.value + 0.5 * gain)
    if not side * multiplier < 0 or here == 0:
        return None
    move = (root - here) * here / -(side * multiplier)
    step = climb + side * move * tangent / spread
    size = math.sqrt(gain + move**2 / spread) / root
    return (step, size) if math.isfinite(size) else None


def _room(oracle: Oracle, beta: Array, step: Array) -> float:
    """Return how much of a step the domain leaves: all of it, or `MARGIN` of the way to the edge."""
    if not oracle.restricted:
        return 1.0
    reach = oracle.reach(beta, step)
    return 1.0 if reach > 1 else MARGIN * max(reach, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Stop:
    """A place where a survey climbed to the ridge: psi, r (inf outside the domain) and the slope of r."""

    place: float
    fallen: float
    beta: Array
    slope: float
    at_edge: bool = False


def _survey(ridge: Ridge, start: End, root: float, side: int) -> End:
    """Bracket the end by climbing to the ridge at places ever farther away, then close in on it."""
    basis = across(ridge.functional, ridge.oracle.extent)
    inside = _Stop(start.place, start.root, start.beta, math.nan)
    stops = [inside]
    width = _first_width(ridge, start, root)
    for _ in range(DOUBLINGS):
        outside = _climb(ridge, basis, stops[-1], stops[-1].place + side * width)
        if outside.fallen > root:
            return _close_in(ridge, basis, outside, root, tuple(stops))
        stops.append(outside)
        if _flattens(ridge, stops, root) or abs(outside.place) > 1e150:
            return _ended(side * math.inf, root, stops, Ending.INFINITE)
        width *= 2.0
    return _ended(math.nan, root, stops, Ending.UNKNOWN)


def _first_width(ridge: Ridge, start: End, root: float) -> float:
    """Return a first distance: the Wald distance, but none that moves some x'beta by more than 2."""
    h = ridge.functional
    factor = None if start.metric is None else cholesky(start.metric)
    tangent = h / float(h @ h) if factor is None else factor.solve(h)
    tangent = tangent / float(h @ tangent)
    width = 2.0 / max(float(ridge.oracle.extent @ np.abs(tangent)), np.finfo(float).tiny)
    if factor is None:
        return width
    return min(width, (root - start.root) * math.sqrt(float(h @ factor.solve(h))))


def _climb(ridge: Ridge, basis: Array, known: _Stop, place: float, beyond: _Stop | None = None) -> _Stop:
    """Climb to the ridge at a place, from a point on it or between two."""
    origin = _feasible(ridge, basis, _between(ridge, known, beyond, place))
    if origin is None:
        return _Stop(place, math.inf, known.beta, math.nan)
    flat = Restricted(ridge.oracle, origin, basis)
    solution = newton(flat, np.zeros(flat.size))
    beta = flat.lifted(solution.beta)
    seen = ridge.oracle.at(beta, SHORT)
    if not finite(seen) or seen.score is None:
        return _Stop(place, math.inf, known.beta, math.nan)
    h = ridge.functional
    slope = -float(h @ seen.score) / float(h @ h)
    fallen = ridge.fallen(seen.value)
    at_edge = ridge.oracle.restricted and solution.outcome in {Outcome.BOUNDARY, Outcome.STALLED}
    return _Stop(place, fallen, beta, slope / fallen if fallen > 0 else math.nan, at_edge)


def _between(ridge: Ridge, known: _Stop, beyond: _Stop | None, place: float) -> Array:
    """Return a point of the plane psi = place: on the line between two points, or beside one."""
    if beyond is not None and math.isfinite(beyond.fallen):
        share = (place - known.place) / (beyond.place - known.place)
        return np.asarray(known.beta + share * (beyond.beta - known.beta))
    h, extent = ridge.functional, np.where(ridge.oracle.extent > 0, ridge.oracle.extent, 1.0)
    across_least = h / extent**2
    factor = None if ridge.local.observed is None else cholesky(ridge.local.observed)
    tangent = across_least if factor is None else factor.solve(h)
    return np.asarray(known.beta + (place - ridge.place(known.beta)) * tangent / float(h @ tangent))


def _feasible(ridge: Ridge, basis: Array, origin: Array) -> Array | None:
    """Return a point of the same plane inside the domain; None if there is none."""
    if np.isfinite(ridge.oracle.along(origin, origin * 0.0, np.zeros(1))[0]):
        return origin
    for phase in ridge.phases:
        flat = Restricted(phase, origin, basis)
        point = flat.lifted(newton(flat, np.zeros(flat.size)).beta)
        if np.isfinite(ridge.oracle.along(point, point * 0.0, np.zeros(1))[0]):
            return point
    return None


def _flattens(ridge: Ridge, stops: list[_Stop], root: float) -> bool:
    """Tell whether the ridge has a limit above the level: Aitken's limit of its fall, on doubling distances.

    A concave ridge that falls at all falls for ever, so there it is asked only where the peak itself is
    not a maximum; rising ground at infinity then shows as no fall at all.
    """
    if (ridge.concave and ridge.verified) or len(stops) < FLAT + 3:
        return False
    peak = ridge.place(ridge.peak)
    if abs(stops[-1].place - peak) <= 4.0 * abs(peak):
        return False  # a peak that ran away lies on flat ground, and the way back is as long
    falls = [0.5 * stop.fallen**2 for stop in stops]
    floor = 64 * EPS * abs(ridge.local.value) + 1e-9 * root**2
    for end in range(len(falls) - FLAT, len(falls)):
        last, before = falls[end] - falls[end - 1], falls[end - 1] - falls[end - 2]
        if last <= floor and before <= floor:
            limit = falls[end]
        elif last < 0.9 * before:
            limit = falls[end] + last**2 / (before - last)
        else:
            return False
        if limit >= 0.5 * root**2:
            return False
    return True


def _close_in(ridge: Ridge, basis: Array, outside: _Stop, root: float, stops: tuple[_Stop, ...]) -> End:
    """Narrow a bracket by Newton steps of r where they stay inside it, else by halves."""
    inside = newest = stops[-1]
    peak = ridge.place(ridge.peak)
    trail = [*stops, outside]
    for _ in range(SECTIONS):
        width = abs(outside.place - inside.place)
        distance = abs(inside.place - peak) + width
        if width <= 4 * EPS * max(distance, abs(inside.place)):
            break
        guess = newest.place + (root - newest.fallen) / newest.slope if newest.slope else math.nan
        trusted = min(inside.place, outside.place) < guess < max(inside.place, outside.place)
        if trusted and not newest.at_edge and abs(guess - newest.place) <= CLOSE * distance:
            beta = _between(ridge, inside, outside, guess)
            return _ended(guess, root, [*trail, replace(newest, beta=beta)], Ending.INTERIOR)
        middle = 0.5 * (inside.place + outside.place)
        place = guess if trusted and len(trail) % 3 else middle
        newest = _climb(ridge, basis, inside, place, outside)
        trail.append(newest)
        if newest.fallen > root:
            outside = newest
        else:
            inside = newest
    at_edge = inside.at_edge or not math.isfinite(outside.fallen)
    return _ended(inside.place, root, [*trail, inside], Ending.EDGE if at_edge else Ending.INTERIOR)


def _ended(place: float, root: float, stops: list[_Stop], ending: Ending) -> End:
    passed = tuple(sorted((stop.place, stop.fallen) for stop in stops if math.isfinite(stop.fallen)))
    return End(place, root, stops[-1].beta, ending, passed=passed)
