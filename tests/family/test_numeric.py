"""Quadrature and root finding without a branch: right, and recordable."""

from __future__ import annotations

import math

import numpy as np
import pytest

from etamu._base.types import LINE, Interval
from etamu.family.numeric import Line, integral, integral_in_panels, inverted
from etamu.family.trace import Recorder

POSITIVE, UNIT = Interval(0.0, math.inf), Interval(0.0, 1.0)
INTERVALS = (LINE, POSITIVE, Interval(-math.inf, 0.0), UNIT, Interval(-1.5, 2.0), Interval(3.0, math.inf))


def test_six_points_integrate_what_is_smooth() -> None:
    assert integral(lambda s: math.exp(0.25 * s)) == pytest.approx((math.exp(0.25) - 1) / 0.25, rel=1e-15)
    assert integral_in_panels(lambda s: math.exp(-20 * s)) == pytest.approx(
        (1 - math.exp(-20)) / 20, rel=1e-11
    )


@pytest.mark.parametrize("interval", INTERVALS, ids=repr)
def test_a_line_goes_there_and_back(interval) -> None:
    line, w = Line(interval), np.array([-20.0, -1.0, 0.0, 0.5, 20.0])
    place = line.at(np, w)
    rtol = 1e-7 if interval.lower not in {0.0, -math.inf} else 1e-13
    np.testing.assert_allclose(line.place(np, place.x, place.complement), w, rtol=rtol, atol=1e-13)
    step = 1e-6
    rise = (line.at(np, w + step).x - line.at(np, w - step).x) / (2.0 * step)
    np.testing.assert_allclose(place.slope, rise, rtol=1e-4 if rtol > 1e-8 else 1e-5, atol=1e-9)


BELOW = Interval(-math.inf, 0.0)
CASES = {
    "log": (np.log, lambda x: 1 / x, [1e-300, 1e-9, 0.3, 1.0, 50.0, 1e200], (POSITIVE, LINE)),
    "sum": (lambda x: np.exp(x) + x, lambda x: np.exp(x) + 1, [-1e3, -2.0, 1e-6, 600.0], (LINE, LINE)),
    "cube": (lambda x: x**3 + x, lambda x: 3 * x * x + 1, [-1e9, -0.1, 0.0, 1e-9, 5.0, 1e80], (LINE, LINE)),
    "inverse": (lambda x: -1 / x, lambda x: 1 / x**2, [1e-9, 2.0, 1e9], (POSITIVE, BELOW)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_root_is_found_over_the_whole_range(case) -> None:
    function, slope, values, intervals = CASES[case]
    x = np.array(values)
    with np.errstate(all="ignore"):
        found, _ = inverted(np, lambda t, _: function(t), lambda t, _: slope(t), function(x), intervals)
    np.testing.assert_allclose(found, x, rtol=1e-13, atol=1e-16)


def test_both_tails_of_a_proportion_are_found() -> None:
    eta = np.array([-300.0, -40.0, 0.3, 40.0, 300.0])
    mu, complement = inverted(
        np, lambda p, q: np.log(p) - np.log(q), lambda p, q: 1 / (p * q), eta, (UNIT, LINE)
    )
    np.testing.assert_allclose(mu, 1 / (1 + np.exp(-eta)), rtol=1e-12)
    np.testing.assert_allclose(complement, 1 / (1 + np.exp(eta)), rtol=1e-12)


def test_a_search_can_be_recorded() -> None:
    recorder = Recorder()
    found, _ = inverted(
        recorder, lambda x, _: recorder.log(x), lambda x, _: 1.0 / x, recorder.input(), (POSITIVE, LINE)
    )
    assert found.node > 100
