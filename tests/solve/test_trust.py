"""Trust regions over rows: saddles are left, small rows keep their say, edges are not met."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from etamu.solve.trust import RowValues, ascend, at_rest


@dataclass(frozen=True)
class Rows:
    """Rows whose values are the same function of eta, times a size each."""

    rows: np.ndarray
    size: np.ndarray
    target: np.ndarray
    kind: str = "parabola"
    ends: tuple[float, float] = (-math.inf, math.inf)

    @property
    def offset(self) -> np.ndarray:
        return np.zeros(len(self.rows))

    def scale(self, value: float) -> float:
        return 1.0

    def look(self, eta: np.ndarray) -> RowValues:
        away, one = eta - self.target, np.ones_like(eta)
        safe = np.where(eta > 0, eta, 1.0)
        values = {
            "parabola": (-0.5 * away**2, -away, one, one),
            "well": (-((away**2 - 1) ** 2), -4 * away * (away**2 - 1), 12 * away**2 - 4, 8 * one),
            "logarithm": (
                np.log(safe) - eta,
                1 / safe - 1,
                1 / safe**2,
                1 / safe**2,
            ),
            "fading": (np.exp(-eta) * -1, np.exp(-eta), np.exp(-eta), np.exp(-eta)),
        }[self.kind]
        inside = (eta > self.ends[0]) & (eta < self.ends[1])
        value = np.where(inside, values[0], -np.inf)
        return RowValues(*(self.size * part for part in (value, *values[1:])))


ONE = np.ones((1, 1))


def test_a_saddle_is_left_for_a_maximum() -> None:
    ended = ascend(Rows(ONE, np.ones(1), np.zeros(1), "well"), np.array([1e-9]))
    assert ended.arrived
    assert abs(ended.beta[0]) == pytest.approx(1.0, rel=1e-12)


def test_an_edge_is_neared_and_never_met() -> None:
    ended = ascend(Rows(ONE, np.ones(1), np.zeros(1), "logarithm", (0.0, math.inf)), np.array([1e9]))
    assert ended.arrived
    assert ended.beta[0] == pytest.approx(1.0, rel=1e-12)


def test_small_rows_keep_their_say_beside_large_ones() -> None:
    rows = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    size = np.array([1e6, 1e6, 1e-6])
    ended = ascend(Rows(rows, size, np.array([3.0, 3.0, 1.0])), np.array([10.0, -20.0]))
    assert ended.arrived
    assert ended.beta == pytest.approx([1.0, 2.0], rel=1e-6)


def test_a_value_that_rises_for_ever_has_no_end() -> None:
    ended = ascend(Rows(ONE, np.ones(1), np.zeros(1), "fading"), np.array([0.0]))
    assert not ended.arrived
    assert ended.beta[0] > 20.0


def test_a_step_is_shortened_by_any_power_where_one_row_has_all_the_information() -> None:
    """The light row's slope is 1 and its bend 1e-100: Newton's step is 1e100 of its eta, and 200 is right."""

    @dataclass(frozen=True)
    class Tail(Rows):
        def look(self, eta: np.ndarray) -> RowValues:
            bend = np.exp(np.minimum(eta, 700.0))
            return RowValues(*(self.size * part for part in (eta - bend, 1.0 - bend, bend, bend)))

    tail = Tail(np.eye(2), np.array([1e10, 1.0]), np.zeros(2))
    ended = ascend(tail, np.array([0.0, -230.0]))
    assert ended.arrived
    assert ended.beta == pytest.approx([0.0, 0.0], abs=1e-9)
    assert len(ended.steps) < 20
    ended = ascend(tail, np.array([0.0, 600.0]))  # and from above Newton's own steps are 1 long
    assert ended.arrived
    assert len(ended.steps) < 20


def test_what_cancels_costs_no_digits() -> None:
    """An eta of 1e-12 made of terms of 1e6 has 16 digits of its own."""
    rows = np.array([[1.0, 1e6], [1.0, 1e6 + 1.0]])
    ended = ascend(Rows(rows, np.ones(2), np.array([1e-12, 1.0]), "parabola"), np.zeros(2))
    assert ended.arrived
    assert ended.eta == pytest.approx([1e-12, 1.0], rel=1e-12)


def test_a_place_is_at_rest_only_where_rounding_explains_every_component() -> None:
    rows = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    place = Rows(rows, np.array([1e60, 1e60, 1e-6]), np.array([3.0, 3.0, 1.0]))
    assert at_rest(place, np.array([1.0, 2.0]))
    assert not at_rest(place, np.array([1e4, 3.0 - 1e4]))  # nothing to the heavy rows
