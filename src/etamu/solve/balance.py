"""Balancing forces that are the gradient of nothing: damped steps in a metric, made Newton's by differences.

May import: numpy, etamu._base, and in this room factor, oracle, outcome, search.
Read next: `etamu.solve.loop`, for forces that are gradients.

Without a value to climb, a step H^-1 F is judged by what it leaves of the force, in the metric H of the point
where it starts: |F(beta + t step)| <= (1 - t/1000) |F(beta)| (the natural monotonicity test, Deuflhard 2004,
*Newton Methods for Nonlinear Problems*, section 3.3). Forces may fade far out, where less of them is no
better: so a step is no longer than the equations find sensible, and must not end much farther off in its own
metric. Where steps contract slowly, and passes are cheap, the slopes of F are taken by differences, and the
step is Newton's until it contracts badly again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.solve.factor import Metric
from etamu.solve.oracle import Local, Outcome, Solution, Step
from etamu.solve.search import MARGIN

TOLERANCE = 1e-9
"""Largest distance from balance, in standard errors."""
FLOOR = 1e-7
"""Below this a force that shrinks no more is rounding."""
SLOW = 0.2
"""A step in the metric that leaves more than this of the force asks for slopes."""
STALE = 0.05
"""Slopes that leave more than this are taken anew."""
NEAR = 3.0
"""No slopes are taken farther away than this, in standard errors, unless nothing else moves."""
GROWTH = 4.0
"""A step may end this much farther from balance in the metric there: far out the metric itself fades."""
HALVINGS = 14
PATIENCE = 10
"""Steps that together must take some of the force away."""
LITTLE = 0.97
"""What so many steps may leave of it."""
DIFFERENCE = 1e-6
"""Length of a difference, in standard errors at scale 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What was seen at a point: the force, a metric there, the scale, and a value for the trace.

    A force whose squared length in the metric is no more than `floor` is rounding.
    """

    force: Array
    metric: Metric
    scale: float
    value: float
    floor: float = 0.0


class Equations(Protocol):
    """Forces as a function of a vector; attributes are only read."""

    @property
    def size(self) -> int:
        """Length of beta."""

    @property
    def restricted(self) -> bool:
        """Whether there is nothing to see outside an open convex set."""

    def reach(self, beta: Array, step: Array) -> float:
        """Return the largest t with beta + t*step inside the domain, inf if there is none."""

    def room(self, step: Array) -> float:
        """Return the largest t with t*step a sensible distance, inf where any is."""

    def at(self, beta: Array) -> Seen | None:
        """Look at a point; None where nothing finite is there."""


class _Moved(NamedTuple):
    beta: Array
    seen: Seen
    length: float
    left: float


def slopes(force: Callable[[Array], Array | None], beta: Array, here: Array, metric: Metric) -> Array | None:
    """Take the derivative of a force by differences along each coordinate; None where that is not finite.

    Examples
    --------
    >>> from etamu.solve.factor import cholesky
    >>> found = slopes(lambda b: -b**2, np.array([1.0, 2.0]), np.array([-1.0, -4.0]), cholesky(np.eye(2)))
    >>> found.round(4).tolist()
    [[-2.0, 0.0], [0.0, -4.0]]
    """
    lengths = DIFFERENCE * np.sqrt(np.diag(np.asarray(metric.inverse())))
    out = np.empty((len(beta), len(beta)))
    for j, length in enumerate(lengths):
        for signed in (length, -length):
            there = beta.copy()
            there[j] += signed
            seen = force(there)
            if seen is not None:
                out[:, j] = (seen - here) / (there[j] - beta[j])
                break
        else:
            return None
    return out if np.all(np.isfinite(out)) else None


def balance(
    equations: Equations,
    start: Array,
    *,
    differences: bool = True,
    limit: int = 300,
    tolerance: float = TOLERANCE,
) -> Solution:
    """Find where the forces are zero.

    Parameters
    ----------
    equations : Equations
    start : array (size,)
    differences : bool
        Whether slopes may be taken, one pass per coordinate.
    limit : int
        Most steps.
    tolerance : float
        Largest distance from balance of a converged answer, in standard errors.

    Returns
    -------
    Solution
        Its `local` holds value, scale and, as the score, the force.
    """
    counted = _Counted(equations, [])
    beta, here = np.array(start, dtype=np.float64), counted.at(start)
    steps: list[Step] = []
    sizes: list[float] = []
    bend: Array | None = None
    rate = 1.0

    def end(outcome: Outcome) -> Solution:
        seen = Local(-math.inf) if here is None else Local(here.value, here.scale, here.force)
        return Solution(beta, seen, outcome, tuple(steps), len(counted.tally))

    if here is None:
        return end(Outcome.INFEASIBLE)
    while True:
        plain = here.metric.solve(here.force)
        size = _length(here.force, here.metric) / _unit(here)
        sizes.append(size)
        rounded = size <= FLOOR or (size * _unit(here)) ** 2 <= here.floor
        if _arrived(sizes, rate, tolerance):
            return end(Outcome.CONVERGED)
        if len(steps) >= limit:
            return end(Outcome.LIMIT)
        if _stuck(sizes):
            return end(Outcome.CONVERGED if rounded else Outcome.STALLED)
        moved: _Moved | None = None
        newton = differences and (bend is not None or (len(steps) > 0 and rate > SLOW and size <= NEAR))
        if newton:
            if bend is None or rate > STALE:
                bend = _slopes(counted, beta, here)
            ahead = _newton_step(bend, here)
            moved = None if ahead is None else _advance(counted, beta, here, ahead)
            newton = moved is not None
        if moved is None:
            bend = None
            moved = _advance(counted, beta, here, plain)
        if moved is None and differences:
            ahead = _newton_step(_slopes(counted, beta, here), here)
            moved = None if ahead is None else _advance(counted, beta, here, ahead)
        if moved is None:
            return end(Outcome.CONVERGED if rounded else Outcome.STALLED)
        steps.append(_record(here, size, moved.length, newton=newton))
        beta, here, rate = moved.beta, moved.seen, moved.left


@dataclass(frozen=True, slots=True)
class _Counted:
    """Equations that keep count of their looks."""

    equations: Equations
    tally: list[str]

    @property
    def restricted(self) -> bool:
        return self.equations.restricted

    def reach(self, beta: Array, step: Array) -> float:
        return self.equations.reach(beta, step)

    def room(self, step: Array) -> float:
        return self.equations.room(step)

    def at(self, beta: Array) -> Seen | None:
        self.tally.append("at")
        return self.equations.at(beta)


def _arrived(sizes: list[float], rate: float, tolerance: float) -> bool:
    """Tell whether what is left, at the rate of the last step, is within the tolerance."""
    return sizes[-1] == 0.0 or sizes[-1] / max(1.0 - rate, 1e-3) <= tolerance


def _stuck(sizes: list[float]) -> bool:
    """Tell whether the last steps have taken hardly any of the force away."""
    return len(sizes) > PATIENCE and min(sizes[-PATIENCE:]) > LITTLE * min(sizes[:-PATIENCE])


def _advance(equations: _Counted, beta: Array, here: Seen, step: Array) -> _Moved | None:
    """Go the longest of t = top, top/2, ... that leaves less of the force, in the metric of the start."""
    top, before = min(1.0, equations.room(step)), _length(here.force, here.metric)
    if equations.restricted:
        reach = equations.reach(beta, step)
        top = min(top, MARGIN * max(reach, 0.0))
    for halving in range(HALVINGS):
        length = top * 0.5**halving
        there = beta + length * step
        if not np.all(np.isfinite(there)) or np.array_equal(there, beta):
            continue
        seen = equations.at(there)
        after = math.inf if seen is None else _length(seen.force, here.metric)
        if seen is None or after > (1.0 - 1e-3 * length) * before:
            continue
        if _length(seen.force, seen.metric) <= GROWTH * max(before, math.sqrt(max(here.scale, 0.0))):
            return _Moved(there, seen, length, after / before)
    return None


def _slopes(equations: _Counted, beta: Array, here: Seen) -> Array | None:
    def force(there: Array) -> Array | None:
        seen = equations.at(there)
        return None if seen is None else seen.force

    return slopes(force, beta, here.force, here.metric)


def _newton_step(bend: Array | None, here: Seen) -> Array | None:
    if bend is None:
        return None
    try:
        step = np.linalg.solve(-bend, here.force)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(step) if np.all(np.isfinite(step)) else None


def _length(force: Array, metric: Metric) -> float:
    return math.sqrt(max(float(force @ metric.solve(force)), 0.0))


def _unit(here: Seen) -> float:
    return math.sqrt(here.scale) if here.scale > 0.0 else 1.0


def _record(here: Seen, size: float, length: float, *, newton: bool) -> Step:
    decrement = (size * _unit(here)) ** 2
    return Step(here.value, decrement, length * size, math.nan, length, "observed" if newton else "expected")
