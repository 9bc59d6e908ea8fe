"""The one loop: ask, choose a direction, search, record, verify; every solver is a rule handed to it.

May import: numpy, etamu._base, and in this room oracle, direction, search, stop.
Read next: `etamu.solve.newton`, the rule used unless another is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from etamu._base.types import Array, Want
from etamu.solve.direction import FINAL, Direction, Point, Rule
from etamu.solve.oracle import Local, Oracle, Outcome, Solution, Step
from etamu.solve.search import advance, finite
from etamu.solve.stop import Check, bound, examine, near

Callback = Callable[[Step, Array], None]
"""Called after every iteration with its record and the new beta (a copy)."""


@dataclass(frozen=True, slots=True)
class Counted:
    """An oracle that keeps count of its passes and turns what is not finite into -inf."""

    oracle: Oracle
    tally: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.oracle.size

    @property
    def concordance(self) -> float:
        return self.oracle.concordance

    @property
    def restricted(self) -> bool:
        return self.oracle.restricted

    @property
    def extent(self) -> Array:
        return self.oracle.extent

    def at(self, beta: Array, want: Want) -> Local:
        self.tally.append("at")
        local = self.oracle.at(beta, want)
        return local if finite(local) else Local(-math.inf, local.scale)

    def along(self, beta: Array, step: Array, ts: Array) -> Array:
        self.tally.append("along")
        values = np.asarray(self.oracle.along(beta, step, ts), dtype=np.float64)
        return np.where(np.isfinite(values), values, -math.inf)

    def reach(self, beta: Array, step: Array) -> float:
        return self.oracle.reach(beta, step)

    def longest(self, covariance: Array) -> float:
        self.tally.append("longest")
        return self.oracle.longest(covariance)


def climb(
    oracle: Oracle,
    start: Array,
    rule: Rule,
    *,
    limit: int,
    tolerance: float,
    callback: Callback | None = None,
) -> Solution:
    """Climb from `start` by `rule` until the rule of convergence of `stop` holds, or cannot hold.

    Ordinary passes bring what the rule of direction wants. When a step promises to arrive, the pass at
    its end is exact and complete; it verifies, and if need be is followed by its own Newton step and
    another exact pass. Whatever the outcome, `local` is a complete exact pass at `beta`.
    """
    counted = Counted(oracle)
    beta = np.array(start, dtype=np.float64)
    if beta.shape != (oracle.size,):
        raise ValueError(f"start has shape {beta.shape}, the oracle wants ({oracle.size},)")
    exact = oracle.size == 0
    here = Point(beta, counted.at(beta, FINAL if exact else rule.want))
    steps: list[Step] = []

    def end(outcome: Outcome) -> Solution:
        return Solution(here.beta, here.local, outcome, tuple(steps), len(counted.tally))

    if not math.isfinite(here.local.value):
        return end(Outcome.INFEASIBLE)
    if exact:
        return end(Outcome.CONVERGED)

    checks: list[Check] = []
    trail: tuple[Point, ...] = (here,)
    stuck, patience = False, 0
    while True:
        check = Check(math.nan, math.nan)
        if exact:
            check = examine(counted, here, checks, tolerance, stuck)
            checks.append(check)
            if check.outcome is not None:
                return end(check.outcome)
            patience = len(steps) + 2 ** min(len(checks), 8)
        if len(steps) >= limit:
            if exact:
                return end(Outcome.LIMIT)
            local, exact = counted.at(here.beta, FINAL), True
            if not math.isfinite(local.value):
                return end(Outcome.STALLED)
            here = Point(here.beta, local)
            continue
        direction = check.polish or rule.direction(counted, trail)
        hasty = direction.information == "none" and len(steps) < patience
        ahead = check.polish is not None or (not hasty and near(counted, here, direction, steps, tolerance))
        moved = advance(counted, here, direction, FINAL if ahead else direction.want, rule.demand)
        stuck = moved is None
        if moved is None:
            if not exact:
                local, exact = counted.at(here.beta, FINAL), True
                if not math.isfinite(local.value):
                    return end(Outcome.STALLED)
                here = Point(here.beta, local)
            trail = (*trail[:-1], here)
            continue
        steps.append(_record(counted, here, direction, check, moved[1]))
        here, exact = moved[0], ahead
        trail = (*trail, here)[-rule.memory :]
        if callback is not None:
            callback(steps[-1], here.beta.copy())


def _record(oracle: Oracle, here: Point, direction: Direction, check: Check, length: float) -> Step:
    """Describe an iteration: where it began, its direction and how far it went."""
    lambda_rho = check.lambda_rho if check.polish is not None else bound(direction, oracle.extent)
    return Step(
        value=here.local.value,
        decrement=direction.slope,
        step=length * _in_errors(direction, here.local.scale),
        lambda_rho=lambda_rho if oracle.concordance > 0 else math.nan,
        length=length,
        information=direction.information,
    )


def _in_errors(direction: Direction, scale: float) -> float:
    """Return the largest |step_j| / se_j, with se = sqrt(scale diag(H^-1)); NaN without a metric."""
    if direction.covariance is None:
        return math.nan
    if not np.any(direction.step):
        return 0.0
    unit = math.sqrt(scale) if scale >= 0 else 1.0
    largest = float(np.max(np.abs(direction.step) / np.sqrt(np.diag(direction.covariance))))
    return largest / unit if unit > 0 else math.inf
