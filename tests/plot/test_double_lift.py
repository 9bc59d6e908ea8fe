"""Double lift: where two models disagree, the data side with one of them."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu import plot
from etamu.plot.double_lift import compared
from etamu.plot.rows import seen
from etamu.plot.style import PENS
from tests.plot.cases import COUNTS, HOUSE, colours, counts, said

pytest.importorskip("matplotlib")
WITHOUT = em.glm("y ~ x", counts(), family="poisson", exposure="years")


def test_groups_are_in_the_order_of_the_ratio():
    shown = compared(seen(WITHOUT), seen(COUNTS), 10)
    assert (np.diff(shown.apart) > 0).all()
    np.testing.assert_allclose(shown.apart, shown.second / shown.first)
    assert shown.errors[1] < shown.errors[0]


def test_lines_words_and_palette():
    (axes,) = plot.double_lift(WITHOUT, COUNTS).axes
    named = [text.get_text() for text in axes.get_legend().get_texts()]
    assert named == ["observed", "1: y ~ x", "2: y ~ x + g"]
    drawn = [line for line in axes.lines if line.get_marker() != "None"]
    assert len({line.get_color() for line in drawn}) == len({line.get_marker() for line in drawn}) == 3
    assert {PENS[0].colour, PENS[1].colour, PENS[2].colour} <= colours(axes) <= HOUSE
    assert "follow model 2 more closely" in said(axes)
    assert axes.get_xlabel() == "fitted by 2 over fitted by 1, in the group"
    assert [float(text.get_text()) for text in axes.get_xticklabels()] == sorted(
        float(text.get_text()) for text in axes.get_xticklabels()
    )


def test_the_same_model_twice_is_one_group():
    shown = compared(seen(COUNTS), seen(COUNTS), 10)
    np.testing.assert_allclose(shown.apart, [1.0])
    assert plot.double_lift(COUNTS, COUNTS, labels=("a", "b")).axes


def test_means_of_any_sign_are_compared_by_difference():
    one, two = em.glm("other ~ x", counts()), em.glm("other ~ x + years", counts())
    shown = compared(seen(one), seen(two), 5)
    assert not shown.proportional
    np.testing.assert_allclose(shown.apart, shown.second - shown.first)
    assert plot.double_lift(one, two).axes[0].get_xlabel().startswith("fitted by 2 less")


def test_other_rows_or_another_response_are_refused():
    other = em.glm("y ~ x", counts(500), family="poisson", exposure="years")
    with pytest.raises(em.DataError, match="600 rows, the second 500"):
        plot.double_lift(COUNTS, other)
    with pytest.raises(em.DataError, match="responses differ"):
        plot.double_lift(COUNTS, em.glm("y ~ x", counts(), family="poisson"))
