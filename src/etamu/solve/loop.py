"""The one loop: ask, choose a direction, search, record, verify; every solver is a rule handed to it.

May import: numpy, etamu._base, and in this room oracle, direction, search, stop.
Read next: `etamu.solve.newton`, the rule used unless another is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import field

import numpy as np

from etamu._base.arrow import entries
from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.solve.direction import FINAL, Direction, Point, Rule
from etamu.solve.oracle import Before, Local, Oracle, Outcome, Solution, Step
from etamu.solve.search import advance, finite
from etamu.solve.stop import AWAY, MANY, SEVERAL, Check, bound, examine, final, landed, near, relative

PATIENT = 12
"""Steps after which a search that creeps is helped on; one that converges seldom takes as many."""
CREPT = 4
"""Steps in which the decrement must have fallen to less than `SPEED` of itself."""
SPEED = 1e-2

FAR = 1.0
"""Decrement from which the maximum is far, in the units of the value. Below it creeping tells of a maximum at
infinity, and `stop` has to see it, unless the observed information is no metric there."""

Callback = Callable[[Step, Array], None]
"""Called after every iteration with its record and the new beta (a copy)."""


@dataclass(frozen=True, slots=True)
class Counted(Before):
    """An oracle that keeps count of its passes and turns what is not finite into -inf."""

    oracle: Oracle
    tally: list[str] = field(default_factory=list)
    reached: list[tuple[Array, Array, float]] = field(default_factory=list)

    def at(self, beta: Array, want: Want) -> Local:
        """Look at a point; what is not finite comes back as value -inf."""
        self.tally.append("at")
        local = self.oracle.at(beta, want)
        return local if finite(local) else Local(-math.inf, local.scale)

    def known(self, local: Local | None) -> Local | None:
        """Count a look that was taken before, if it was."""
        self.tally.extend([] if local is None else ["at"])
        return local

    def along(self, beta: Array, step: Array, ts: Array) -> Array:
        """Return values along a step, -inf where not finite."""
        self.tally.append("along")
        values = np.asarray(self.oracle.along(beta, step, ts), dtype=np.float64)
        return np.where(np.isfinite(values), values, -math.inf)

    def reach(self, beta: Array, step: Array) -> float:
        """As the oracle's; a rule and the search along its step ask alike, and the rows are asked once."""
        if not (self.reached and self.reached[-1][0] is beta and self.reached[-1][1] is step):
            self.reached[:] = [(beta, step, self.oracle.reach(beta, step))]
        return self.reached[-1][2]

    def girth(self) -> float:
        """As the oracle's."""
        if not math.isfinite(self.breadth):
            self.tally.append("girth")
        return self.oracle.girth()

    def longest(self, covariance: Array) -> float:
        """As the oracle's."""
        self.tally.append("longest")
        return self.oracle.longest(covariance)


@np.errstate(all="ignore")  # what is not finite far out is no point to go to
def climb(
    oracle: Oracle,
    start: Array,
    rule: Rule,
    *,
    limit: int,
    tolerance: float,
    callback: Callback | None = None,
    seen: Local | None = None,
) -> Solution:
    """Climb from `start` by `rule` until the rule of convergence of `stop` holds, or cannot hold.

    `seen` is what the rule wants to see first, where somebody has looked at the start already.

    Ordinary passes bring what the rule of direction wants. When a step promises to arrive, the pass at
    its end is exact and complete; it verifies, and if need be is followed by its own Newton step and
    another exact pass. Whatever the outcome, `local` is a complete exact pass at `beta`, unless what it
    should hold is not finite there, or carried along a last step of at most `TAKEN` standard errors.
    """
    counted = Counted(oracle)
    beta, exact = _checked(start, oracle.size), oracle.size == 0
    here = Point(beta, counted.known(seen) or counted.at(beta, FINAL if exact else rule.want))
    steps: list[Step] = []
    checks: list[Check] = []

    def end(outcome: Outcome, last: Direction | None = None) -> Solution:
        if last is not None:  # its end is the maximum, and need not be seen
            go(last, checks[-1], 1.0, landed(here, last))
        return Solution(here.beta, here.local, outcome, tuple(steps), len(counted.tally))

    def go(direction: Direction, check: Check, length: float, there: Point) -> None:
        nonlocal here
        steps.append(_record(counted, here, direction, check, length))
        here = there
        (callback or _silent)(steps[-1], here.beta.copy())

    if not math.isfinite(here.local.value):
        return end(Outcome.INFEASIBLE)
    if exact:
        return end(Outcome.CONVERGED)

    trail: tuple[Point, ...] = (here,)
    stuck, patience = False, 0
    while True:
        check, spent = Check(math.nan, math.nan), len(steps) >= limit
        if exact:
            check = examine(counted, here, checks, tolerance, stuck=stuck, steps=steps)
            checks.append(check)
            outcome = check.outcome or (Outcome.LIMIT if spent else None)
            if outcome is not None:
                return end(outcome, check.polish if check.outcome else None)
            patience = len(steps) + 2 ** min(len(checks), 8)
        moved = None
        if not spent:
            direction = check.polish or rule.direction(counted, trail)
            hasty = direction.information == "none" and len(steps) < patience
            promising = not hasty and near(counted, here, direction, steps, tolerance)
            ahead = check.polish is not None or promising
            asked = final(counted, direction) if promising else FINAL if ahead else direction.want
            creeping = _creeps(steps, here, direction)
            moved = advance(counted, here, direction, asked, rule.demand, creeping=creeping)
        if moved is None:  # nowhere to go: look at this point exactly, and judge it
            stuck = not spent
            here = here if exact else Point(here.beta, counted.at(here.beta, FINAL))
            exact = True
            if not math.isfinite(here.local.value):
                return end(Outcome.STALLED)
            trail = (*trail[:-1], here)
            continue
        go(direction, check, moved[1], moved[0])
        exact, stuck = ahead, False
        trail = (*_without_matrices(trail, here), here)[-rule.memory :]


def _without_matrices(trail: tuple[Point, ...], here: Point) -> tuple[Point, ...]:
    """Forget informations that a later point has replaced: rules look at the last, and all fill memory."""
    known = [k for k, point in enumerate((*trail, here)) if point.local.observed is not None]
    last = known[-1] if known else 0
    return tuple(point.bare if k < last else point for k, point in enumerate(trail))


def _creeps(steps: list[Step], here: Point, direction: Direction) -> bool:
    """Tell whether Newton steps far from any maximum converge no faster than a geometric series."""
    if len(steps) < PATIENT or direction.metric is None:
        return False
    bent = here.local.observed is not None and here.local.metric is None
    far = bent or relative(direction.slope, here.local.scale) > FAR
    return far and direction.slope > SPEED * steps[-CREPT].decrement


def _checked(start: Array, size: int) -> Array:
    """Copy the start; refuse one of another length."""
    beta = np.array(start, dtype=np.float64)
    if beta.shape != (size,):
        raise ValueError(f"start has shape {beta.shape}, the oracle wants ({size},)")
    return beta


def _silent(step: Step, beta: Array) -> None:
    """Tell nobody."""


def _record(oracle: Oracle, here: Point, direction: Direction, check: Check, length: float) -> Step:
    """Describe an iteration: where it began, its direction and how far it went.

    Of many coordinates the inverse of H is not worth its time: lambda itself bounds every step / se.
    """
    far = relative(direction.slope, here.local.scale) > AWAY and check.polish is None
    many = oracle.size > (SEVERAL if far else MANY)
    free = math.nan if many else bound(direction, oracle)
    lambda_rho = check.lambda_rho if check.polish is not None else free
    errors = math.sqrt(relative(direction.slope, here.local.scale)) if many else None
    return Step(
        value=float(here.local.value),
        decrement=direction.slope,
        step=length * (_in_errors(direction, here.local.scale) if errors is None else errors),
        lambda_rho=lambda_rho if oracle.concordance > 0 else math.nan,
        length=length,
        information=direction.information,
    )


def _in_errors(direction: Direction, scale: float) -> float:
    """Return the largest |step_j| / se_j, with se = sqrt(scale diag(H^-1)); NaN without a metric."""
    if direction.covariance is None:
        return math.nan
    if not direction.step.any():
        return 0.0
    unit = math.sqrt(scale) if scale >= 0 else 1.0
    largest = float((np.abs(direction.step) / np.sqrt(entries(direction.covariance))).max())
    return largest / unit if unit > 0 else math.inf
