"""Lift: groups from low to high over the overall mean, and the Gini index of the order."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu import plot
from etamu.plot.lift import gini
from etamu.plot.rows import Seen, seen
from etamu.plot.style import PENS
from tests.plot.cases import COUNTS, HOUSE, colours, counts, said

pytest.importorskip("matplotlib")


def rows(observed, fitted, volume):
    arrays = [np.asarray(each, dtype=float) for each in (observed, fitted, volume)]
    return Seen(np.arange(len(arrays[0])), *arrays, np.zeros(len(arrays[0])), "y", "rows")


def test_means_are_over_the_overall_mean():
    (axes,) = plot.lift(COUNTS).axes
    fitted = next(line for line in axes.lines if line.get_label() == "fitted").get_ydata()
    assert len(fitted) == 10
    assert (np.diff(fitted) > 0).all()
    assert fitted.mean() == pytest.approx(1.0, abs=0.01)
    assert axes.get_ylim()[0] <= 0.0
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["observed", "fitted"]
    assert {PENS[0].colour, PENS[2].colour} <= colours(axes) <= HOUSE
    assert axes.get_ylabel() == "mean of y / years, overall = 1"


@pytest.mark.parametrize(
    ("observed", "fitted", "volume", "expected"),
    [
        ([1, 1, 1, 1], [1, 2, 3, 4], [1, 1, 1, 1], 0.0),
        ([0, 0, 0, 4], [1, 2, 3, 4], [1, 1, 1, 1], 0.75),
        ([4, 0, 0, 0], [1, 2, 3, 4], [1, 1, 1, 1], -0.75),
        ([0, 4], [1, 2], [3, 1], 0.75),
        ([0, 4], [1, 1], [1, 1], 0.0),
    ],
    ids=["equal", "all in the last", "all in the first", "volume", "ties"],
)
def test_gini(observed, fitted, volume, expected):
    assert gini(rows(observed, fitted, volume)) == pytest.approx(expected)


def test_the_title_says_how_much_and_the_note_of_what():
    (axes,) = plot.lift(COUNTS).axes
    assert f"Gini {gini(seen(COUNTS)):.2f}" in said(axes)
    assert "about equal years" in said(axes)


def test_means_of_any_sign_are_drawn_as_they_are():
    fit = em.glm("other ~ x", counts())
    (axes,) = plot.lift(fit).axes
    assert axes.get_ylabel() == "mean of other"


@pytest.mark.parametrize(
    ("options", "words"),
    [({"groups": 0}, "groups is 0"), ({"groups": "ten"}, "groups is 'ten'"), ({"level": 95}, "level is 95")],
    ids=str,
)
def test_groups_and_level_are_checked(options, words):
    with pytest.raises(em.OptionError, match=words):
        plot.lift(COUNTS, **options)
