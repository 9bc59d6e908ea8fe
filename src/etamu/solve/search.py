"""How far to go along a direction: the ratio test and Armijo backtracking, many lengths in one pass.

May import: numpy, etamu._base, and in this room oracle, direction, factor.
Read next: `etamu.solve.loop`, which takes the step.
"""

from __future__ import annotations

import numpy as np

from etamu._base.arrow import all_finite, entries
from etamu._base.types import Array, Want
from etamu.solve.direction import Direction, Point
from etamu.solve.factor import EPS
from etamu.solve.oracle import Local, Oracle

MARGIN = 2 / 3
"""Share of the way to the edge of the domain that a step may go.

Up to 2/3 an affine scaling method reaches the best point of the edge; longer steps jam into it
before they have moved along it (Tsuchiya and Muramatsu 1995, SIAM J. Optim. 5).
"""
JAMMED = 1e-5
"""Steps cut by the edge to less than this, in standard errors, lead nowhere."""
BATCH = 8
BATCHES = 4
FARTHEST = 24
"""A step may be lengthened up to 2^24 times."""
SHORTEST = 512
"""And shortened to 2^-512 of itself."""
ROUNDS = 4
"""Passes in which a length is narrowed down."""
MOST, TIMES = 0.9, 10.0
"""A longer step is long enough with this share of the best gain, if it misses the best value by no more than
so many times itself."""


def ceiling(oracle: Oracle, beta: Array, step: Array) -> float:
    """Return the longest length to try: 1, or `MARGIN` of the way to the edge of the domain."""
    if not oracle.restricted:
        return 1.0
    reach = oracle.reach(beta, step)
    return min(1.0, MARGIN * reach) if reach > 0 else 0.0


def rounding(point: Point) -> float:
    """Return the size of change in value that rounding alone can make at a point.

    64 eps |value|, plus what rounding x'beta to float64 does: 256 p eps^2 sum_j H_jj beta_j^2, which
    is all that is left of the value when the fit is perfect.
    """
    local = point.local
    matrix = local.observed if local.observed is not None else local.expected
    floor = 64 * EPS * abs(local.value)
    if matrix is None:
        return floor
    with np.errstate(over="ignore", invalid="ignore"):  # inf times 0 where squares overflow: nothing is known
        lost = float(np.abs(entries(matrix)) @ point.beta**2)
    return floor if np.isnan(lost) else floor + 256 * len(point.beta) * EPS**2 * lost


def sufficient(here: Point, values: Array, ts: Array, slope: float, demand: float) -> Array:
    """Tell which lengths bring at least `demand` of the gain t*slope, rounding forgiven (Armijo)."""
    target = here.local.value + demand * ts * slope - rounding(here)
    return np.asarray(np.isfinite(values) & (values >= target))


def backtrack(oracle: Oracle, here: Point, direction: Direction, top: float, demand: float) -> float | None:
    """Return the longest of top/2, top/4, ... that is sufficient, eight lengths per pass; None if none is.

    Where information has all but vanished a step may be too long by any power: after 2^-32 lengths are looked
    for by decades of it, and must then bring a gain that is no rounding.
    """
    for batch in range(BATCHES):
        ts = top * 0.5 ** np.arange(1 + BATCH * batch, 1 + BATCH * (batch + 1), dtype=np.float64)
        values = oracle.along(here.beta, direction.step, ts)
        good = np.flatnonzero(sufficient(here, values, ts, direction.slope, demand))
        if len(good):
            return float(ts[good[0]])
    ts = top * 0.5 ** np.arange(BATCH * BATCHES, SHORTEST, BATCH, dtype=np.float64)
    values = oracle.along(here.beta, direction.step, ts)
    good = np.flatnonzero(values > here.local.value + rounding(here))
    if not len(good):
        return None
    length, gain = refined(oracle, here, direction, float(ts[good[0]]))
    return length if gain > 0.0 else None


def refined(oracle: Oracle, here: Point, direction: Direction, length: float) -> tuple[float, float]:
    """Look for the best length within a factor of 2^8 of one, and return it and its gain."""
    best, gain, ratio = length, -np.inf, 2.0**BATCH
    for _ in range(ROUNDS):
        ts = best * ratio ** np.linspace(-1.0, 1.0, BATCH + 1)
        values = oracle.along(here.beta, direction.step, ts) - here.local.value
        place = int(np.argmax(np.where(np.isnan(values), -np.inf, values)))
        best, gain = float(ts[place]), float(values[place])
        ratio = ratio ** (2.0 / BATCH)
    return best, gain


def lengthened(oracle: Oracle, here: Point, direction: Direction) -> float | None:
    """Return a length beyond the full step, None if none is needed.

    For a search that has crept for long: where the value is an exponential or a straight line along the
    step, Newton's own length is 1 / t of the way however far that is. Of 1, 2, 4, ... times the step the
    best is looked for; the shortest is taken that brings most of its gain and comes near its value, because
    beyond the best one information may vanish, and no step lead back.
    """
    edge = MARGIN * oracle.reach(here.beta, direction.step) if oracle.restricted else np.inf
    ts = np.minimum(2.0 ** np.arange(FARTHEST, dtype=np.float64), edge)
    best, shorter, length = -np.inf, 1.0, None
    for _ in range(ROUNDS):
        values = oracle.along(here.beta, direction.step, ts)
        values = np.where(np.isnan(values), -np.inf, values)
        best = max(best, float(values.max()))
        if not np.isfinite(best) or best > 0.0:  # above 0 a density grows, perhaps for ever: to be seen
            break
        share = values - here.local.value >= MOST * (best - here.local.value)
        place = int(np.argmax(share & (values >= best - TIMES * abs(best))))
        if not share[place] or (length is None and place == 0):
            break
        shorter, length = float(ts[place - 1]) if place else shorter, float(ts[place])
        ts = np.linspace(shorter, length, BATCH + 1)[1:]
    return length


def advance(
    oracle: Oracle, here: Point, direction: Direction, want: Want, demand: float, *, creeping: bool = False
) -> tuple[Point, float] | None:
    """Move along a direction, the full length first, and look there; None if no length is good enough.

    The full step is tried by asking at its end everything the next iteration needs, so an accepted
    full step costs one pass; a rejected one costs that pass, one `along` and the pass at the length found.
    Of a search that is `creeping` longer steps are tried as well.
    """
    top = ceiling(oracle, here.beta, direction.step)
    unit = np.sqrt(here.local.scale) if here.local.scale > 0 else 1.0
    if top < 1 and top * np.sqrt(direction.slope) <= JAMMED * unit:
        return None
    full = _look(oracle, here, direction, top, want)
    if full is None:
        return None
    if sufficient(here, np.array([full.local.value]), np.array([top]), direction.slope, demand)[0]:
        longer = lengthened(oracle, here, direction) if creeping and top == 1.0 else None
        farther = None if longer is None else _look(oracle, here, direction, longer, want)
        if longer is not None and farther is not None and farther.local.value > full.local.value:
            return farther, longer
        return full, top
    length = backtrack(oracle, here, direction, top, demand)
    shorter = None if length is None else _look(oracle, here, direction, length, want)
    if length is None or shorter is None or not np.isfinite(shorter.local.value):
        return None
    return shorter, length


def _look(oracle: Oracle, here: Point, direction: Direction, length: float, want: Want) -> Point | None:
    """Ask at beta + length * step; None if that is beta itself in float64."""
    beta = here.beta + length * direction.step
    if not np.isfinite(beta).all() or np.array_equal(beta, here.beta):
        return None
    return Point(beta, oracle.at(beta, want))


def finite(local: Local) -> bool:
    """Tell whether everything a pass brought is finite."""
    arrays = (local.score, local.expected, local.observed)
    return bool(np.isfinite(local.value) and all(a is None or all_finite(a) for a in arrays))


def first_length(oracle: Oracle, here: Point, uphill: Array) -> float:
    """Return a good one of seventeen lengths, a decade apart, along a gradient of unknown scale.

    Length 1 of the grid moves no row's x'beta by more than 1; all are tried in one pass. The shortest
    that brings nine tenths of the best gain wins: the best itself may lie where everything is flat.
    """
    unit = float(oracle.extent @ np.abs(uphill))
    if not (np.isfinite(unit) and unit > 0):
        return 1.0
    with np.errstate(over="ignore"):
        ts = np.logspace(-8, 8, 17, dtype=np.float64) / unit
    if oracle.restricted:
        ts = np.minimum(ts, MARGIN * max(oracle.reach(here.beta, uphill), 0.0))
    values = oracle.along(here.beta, uphill, ts)
    gains = values - here.local.value
    return float(ts[int(np.argmax(gains >= 0.9 * gains.max()))])
