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
    return floor + 256 * len(point.beta) * EPS**2 * float(np.abs(entries(matrix)) @ point.beta**2)


def sufficient(here: Point, values: Array, ts: Array, slope: float, demand: float) -> Array:
    """Tell which lengths bring at least `demand` of the gain t*slope, rounding forgiven (Armijo)."""
    target = here.local.value + demand * ts * slope - rounding(here)
    return np.asarray(np.isfinite(values) & (values >= target))


def backtrack(oracle: Oracle, here: Point, direction: Direction, top: float, demand: float) -> float | None:
    """Return the longest of top/2, top/4, ... that is sufficient, eight lengths per pass; None if none is."""
    for batch in range(BATCHES):
        ts = top * 0.5 ** np.arange(1 + BATCH * batch, 1 + BATCH * (batch + 1), dtype=np.float64)
        values = oracle.along(here.beta, direction.step, ts)
        good = np.flatnonzero(sufficient(here, values, ts, direction.slope, demand))
        if len(good):
            return float(ts[good[0]])
    return None


def advance(
    oracle: Oracle, here: Point, direction: Direction, want: Want, demand: float
) -> tuple[Point, float] | None:
    """Move along a direction, the full length first, and look there; None if no length is good enough.

    The full step is tried by asking at its end everything the next iteration needs, so an accepted
    full step costs one pass; a rejected one costs that pass, one `along` and the pass at the length found.
    """
    top = ceiling(oracle, here.beta, direction.step)
    unit = np.sqrt(here.local.scale) if here.local.scale > 0 else 1.0
    if top < 1 and top * np.sqrt(direction.slope) <= JAMMED * unit:
        return None
    full = _look(oracle, here, direction, top, want)
    if full is None:
        return None
    if sufficient(here, np.array([full.local.value]), np.array([top]), direction.slope, demand)[0]:
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
