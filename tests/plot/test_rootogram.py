"""The rootogram: every row is counted once, and expected as often as the probabilities say."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest

import etamu as em
from etamu import plot
from etamu.plot.style import FAINT, PENS
from tests.plot.cases import ANSWERS, COUNTS, HOUSE, MOTHS, colours, counts, said

pytest.importorskip("matplotlib")

# The function hides the module of its name.
frequencies = importlib.import_module("etamu.plot.rootogram").frequencies
DATA = counts()


def test_expected_frequencies_are_sums_of_probabilities():
    found = frequencies(COUNTS, 40)
    mu = COUNTS.predict()
    for count in (0, 1, 5):
        probability = np.exp(-mu) * mu**count / math.factorial(count)
        assert found.expected[count] == pytest.approx(probability.sum())
        assert found.observed[count] == np.sum(DATA["y"] == count)
    assert found.expected.sum() == pytest.approx(600)
    assert found.observed.sum() == 600


def test_a_far_tail_is_one_bar():
    found = frequencies(COUNTS, 40)
    assert found.tail
    assert found.expected[-1] < 1.0 <= found.expected[-2] + found.expected[-1]
    few = frequencies(COUNTS, 3)
    assert len(few.observed) == 4
    assert few.observed[3] == np.sum(DATA["y"] >= 3)


def test_a_row_stands_for_its_copies():
    found = frequencies(em.glm("y ~ x", DATA, family="poisson", frequency_weights="w"), 40)
    assert found.observed[0] == DATA["w"][DATA["y"] == 0].sum()
    assert found.expected.sum() == pytest.approx(DATA["w"].sum())


def test_trials_bound_the_counts():
    found = frequencies(MOTHS, 40)
    assert found.observed.sum() == 12
    assert found.expected.sum() == pytest.approx(12)
    assert len(frequencies(ANSWERS, 40).observed) == 2


def test_bars_hang_from_the_line_and_all_is_seen():
    (axes,) = plot.rootogram(COUNTS).axes
    found = frequencies(COUNTS, 40)
    for bar, observed, expected in zip(axes.patches, found.observed, found.expected, strict=True):
        assert bar.get_y() + bar.get_height() == pytest.approx(np.sqrt(expected) - np.sqrt(observed))
    low, high = axes.get_ylim()
    assert low < -1.0
    assert high > np.sqrt(found.expected).max()
    assert {PENS[0].colour, FAINT} <= colours(axes) <= HOUSE
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("y", "√frequency")
    assert axes.get_xticklabels()[-1].get_text().endswith("+")
    assert "two standard errors" in said(axes)


@pytest.mark.parametrize(("family", "why"), [("gaussian", "of counts"), ("quasipoisson", "no distribution")])
def test_what_is_no_count_or_has_no_law_is_refused(family, why):
    with pytest.raises(em.NotAvailableError, match=why):
        plot.rootogram(em.glm("y ~ x", DATA, family=family))
