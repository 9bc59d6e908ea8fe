from __future__ import annotations

import math

import numpy as np
import pytest

from etamu._base.types import LINE, Interval, Want


def test_an_interval_contains_its_closed_ends_only():
    half = Interval(0.0, 1.0, closed_lower=True)
    assert half.contains(np.array([-0.1, 0.0, 0.5, 1.0, np.nan])).tolist() == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert Interval(0.0, 1.0, closed_upper=True).contains(1.0)


def test_the_line_is_whole_and_contains_every_number_but_nan():
    assert LINE.whole
    assert not Interval(0.0, math.inf).whole
    assert LINE.contains(1e308)
    assert not LINE.contains(math.nan)


@pytest.mark.parametrize(
    ("interval", "text"),
    [(LINE, "(-inf, inf)"), (Interval(0, 1, closed_lower=True, closed_upper=True), "[0, 1]")],
)
def test_an_interval_prints_as_the_book_writes_it(interval, text):
    assert repr(interval) == text


def test_wants_combine():
    both = Want.SCORE | Want.MEAT
    assert both & Want.SCORE
    assert not both & Want.VALUE
