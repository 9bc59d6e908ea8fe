"""Intervals are found from a point inside, their ends exact where they are simple; limits are told."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

from etamu._base.types import LINE, Interval
from etamu.family.ends import around, limit, simple, spread, spread_means

POSITIVE = Interval(0.0, math.inf)


def test_ends_are_exact_where_they_are_simple() -> None:
    found = around(lambda x: bool(mp.cos(x) > 0), 0.0)
    assert (found.lower, found.upper) == (-math.pi / 2, math.pi / 2)
    assert around(lambda x: x < 0.75, 0.0) == Interval(-math.inf, 0.75)
    odd = around(lambda x: bool(x * x < 2), 0.0)
    assert odd.upper == pytest.approx(math.sqrt(2.0), rel=1e-15)
    assert around(lambda x: True, 0.0).whole  # noqa: ARG005


@pytest.mark.parametrize(("value", "found"), [(0.5, 0.5), (math.pi / 3, math.pi / 3), (0.123, 0.123)])
def test_a_simple_number_is_itself(value, found) -> None:
    assert simple(mp.mpf(value), 1e-12) == pytest.approx(found, rel=1e-15)


@pytest.mark.parametrize(
    ("function", "interval", "side", "value"),
    [
        (np.exp, LINE, -1.0, 0.0),
        (np.exp, LINE, 1.0, math.inf),
        (np.tanh, LINE, 1.0, 1.0),
        (np.arctan, LINE, -1.0, -math.pi / 2),
        (lambda x: -1.0 / x, Interval(-math.inf, 0.0), 1.0, math.inf),
        (lambda x: -1.0 / x, Interval(-math.inf, 0.0), -1.0, 0.0),
        (np.log, POSITIVE, -1.0, -math.inf),
        (np.log, POSITIVE, 1.0, math.inf),
        (np.tan, Interval(-math.pi / 2, math.pi / 2), 1.0, math.inf),
        (np.sqrt, POSITIVE, -1.0, 0.0),
    ],
)
def test_limits_toward_an_end(function, interval, side, value) -> None:
    assert limit(function, interval, side) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "interval",
    [LINE, POSITIVE, Interval(-math.inf, 0.0), Interval(-1.5, 1.5), Interval(2.0, math.inf)],
    ids=repr,
)
def test_grids_lie_inside_and_look_at_both_tails(interval) -> None:
    points = spread(interval)
    assert np.all(interval.contains(points))
    assert np.all(np.diff(points) > 0.0)
    if interval.whole:
        assert {-700.0, -40.0, -37.0, 37.0, 40.0, 700.0} <= set(points)


@pytest.mark.parametrize("interval", [LINE, POSITIVE, Interval(0.0, 1.0)], ids=repr)
def test_means_are_carried_with_their_complements(interval) -> None:
    mu, complement, exact = spread_means(interval)
    for m, c, e in zip(mu, complement, exact, strict=True):
        assert interval.contains(float(e)) or min(m, c) < 1e-15
        assert abs(float(e) - m) <= 1e-15 * abs(m)
        if interval.upper == 1.0:
            with mp.workdps(80):
                assert abs(float(1 - e) - c) <= 1e-15 * c
