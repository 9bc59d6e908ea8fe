"""The actuary's picture: rates by level over bars of exposure, of columns in the model and outside it."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu import plot
from etamu.plot.levels import MOST, levelled
from etamu.plot.rows import seen
from etamu.plot.style import FAINT, PENS
from tests.plot.cases import COUNTS, HOUSE, SHIPS, colours, counts, said

pytest.importorskip("matplotlib")
DATA = counts()


def test_means_are_claims_over_exposure():
    axes, behind = plot.levels(COUNTS, "g").axes
    own = [DATA["g"] == level for level in "abc"]
    observed = [DATA["y"][rows].sum() / DATA["years"][rows].sum() for rows in own]
    lines = {line.get_label(): line for line in axes.lines if line.get_marker() in {"o", "s"}}
    fitted = lines["fitted"].get_ydata()
    np.testing.assert_allclose(fitted, observed)  # a level of the model is fitted exactly
    np.testing.assert_allclose(
        [bar.get_height() for bar in behind.patches], [DATA["years"][r].sum() for r in own]
    )
    assert (axes.get_xlabel(), axes.get_ylabel(), behind.get_ylabel()) == ("g", "y / years", "years")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["observed", "fitted"]


def test_palette_and_room_for_the_bars():
    axes, behind = plot.levels(SHIPS).axes
    assert colours(axes) | colours(behind) <= HOUSE
    assert {PENS[0].colour, PENS[2].colour} <= colours(axes)
    assert colours(behind) == {FAINT} or FAINT in colours(behind)
    assert max(bar.get_height() for bar in behind.patches) < 0.4 * behind.get_ylim()[1]
    assert axes.get_ylim()[0] >= 0.0
    assert axes.get_xlabel() == "type"


def test_numbers_are_cut_into_bands_of_equal_exposure():
    found = levelled(COUNTS, seen(COUNTS), "other", 8)
    assert len(found.labels) == 8
    assert found.groups.volume.max() / found.groups.volume.min() < 1.05
    assert " to " in found.labels[0]
    assert levelled(COUNTS, seen(COUNTS), "w", 8).labels == ("1", "2", "3")


def test_missing_values_are_a_level_of_their_own():
    other = DATA["other"].copy()
    other[:40] = np.nan
    found = levelled(COUNTS, seen(COUNTS), other, 5)
    assert (len(found.labels), found.labels[-1]) == (6, "(missing)")
    np.testing.assert_allclose(found.groups.volume[-1], DATA["years"][:40].sum())


def test_the_smallest_of_many_levels_are_pooled():
    many = np.array([f"level {k}" for k in np.arange(600) % 45])
    found = levelled(COUNTS, seen(COUNTS), many, 5)
    assert len(found.labels) == MOST
    assert (found.labels[-1], found.pooled) == ("(others)", 16)
    np.testing.assert_allclose(found.groups.volume.sum(), DATA["years"].sum())
    assert "16 smallest levels are one" in said(plot.levels(COUNTS, many).axes[0])


def test_a_forgotten_column_shows_as_distance():
    fit = em.glm("y ~ x", DATA, family="poisson", exposure="years")
    found = levelled(fit, seen(fit), "g", 5)
    z = (found.groups.observed - found.groups.fitted) / found.groups.error
    assert z[1] > 3.0


def test_a_model_that_reads_no_column_asks_for_one():
    fit = em.glm("y ~ 1", DATA, family="poisson")
    with pytest.raises(em.NotAvailableError, match="say by which one"):
        plot.levels(fit)
    assert plot.levels(fit, "g").axes
    with pytest.raises(em.FormulaError, match="no column 'h'"):
        plot.levels(fit, "h")
