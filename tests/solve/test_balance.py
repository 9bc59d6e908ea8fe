"""Balancing forces that are the gradient of nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from etamu.solve.balance import Seen, balance
from etamu.solve.factor import cholesky
from etamu.solve.oracle import Outcome


@dataclass(frozen=True)
class Turning:
    """A root at (1, 2) around which the force turns: no potential has it."""

    metric: float = 2.0
    lower: float = -math.inf
    size: int = 2

    @property
    def restricted(self) -> bool:
        return math.isfinite(self.lower)

    def reach(self, beta: np.ndarray, step: np.ndarray) -> float:
        return float((self.lower - beta[0]) / step[0]) if step[0] < 0 else math.inf

    def room(self, step: np.ndarray) -> float:
        return math.inf

    def at(self, beta: np.ndarray) -> Seen | None:
        if beta[0] <= self.lower:
            return None
        gap = beta - [1.0, 2.0]
        force = -gap - 0.8 * np.array([gap[1], -gap[0]]) - 0.1 * gap**3
        return Seen(force, cholesky(self.metric * np.eye(2)), 1.0, 0.0)


@pytest.mark.parametrize("differences", [True, False])
@pytest.mark.parametrize("metric", [1.0, 2.0, 5.0])
def test_a_root_without_a_potential(metric: float, differences: bool) -> None:
    found = balance(Turning(metric), np.array([4.0, -3.0]), differences=differences)
    assert found.outcome is Outcome.CONVERGED
    assert found.beta == pytest.approx([1.0, 2.0], abs=1e-8)


def test_slopes_make_it_fast() -> None:
    slow = balance(Turning(5.0), np.array([4.0, -3.0]), differences=False)
    fast = balance(Turning(5.0), np.array([4.0, -3.0]))
    assert len(fast.steps) < len(slow.steps) / 3


def test_the_edge_of_a_domain_is_not_crossed() -> None:
    found = balance(Turning(0.4, lower=0.9), np.array([6.0, -4.0]))
    assert found.outcome is Outcome.CONVERGED


def test_a_start_outside_and_a_limit() -> None:
    assert balance(Turning(lower=0.9), np.zeros(2)).outcome is Outcome.INFEASIBLE
    assert balance(Turning(5.0), np.array([4.0, -3.0]), differences=False, limit=3).outcome is Outcome.LIMIT


@dataclass(frozen=True)
class Rootless(Turning):
    """A force that is nowhere zero, smallest at the origin."""

    def at(self, beta: np.ndarray) -> Seen | None:
        return Seen(1.0 + beta**2, cholesky(np.eye(2)), 1.0, 0.0)


def test_forces_without_a_root_stall() -> None:
    assert balance(Rootless(), np.array([-0.5, 0.4])).outcome is not Outcome.CONVERGED
