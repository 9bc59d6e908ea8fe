"""Calibration: groups lie on the diagonal of a model that holds, and nowhere outside what is possible."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu import plot
from etamu.plot.groups import by_fitted
from etamu.plot.rows import seen
from etamu.plot.style import PENS
from tests.plot.cases import ANSWERS, COUNTS, HOUSE, MOTHS, colours, inside, said, yes_or_no

pytest.importorskip("matplotlib")


def test_dots_are_means_of_groups():
    (axes,) = plot.calibration(ANSWERS, groups=8).axes
    shown = by_fitted(seen(ANSWERS), 8)
    line = next(one for one in axes.lines if one.get_marker() == "o")
    points = np.column_stack([line.get_xdata(), line.get_ydata()])
    np.testing.assert_allclose(points, np.column_stack([shown.fitted, shown.observed]))
    assert inside(axes, points).all()
    assert axes.get_xlim() == axes.get_ylim()
    assert -0.05 < axes.get_xlim()[0] < axes.get_xlim()[1] < 1.05


def test_groups_of_a_model_that_holds_lie_near_the_diagonal():
    shown = by_fitted(seen(ANSWERS), 8)
    assert np.abs((shown.observed - shown.fitted) / shown.error).max() < 3.0


def test_bars_stay_within_what_is_possible():
    (axes,) = plot.calibration(ANSWERS, groups=40).axes
    for collection in axes.collections:
        for segment in collection.get_segments():
            assert segment[:, 1].min() >= -1e-12
            assert segment[:, 1].max() <= 1.0 + 1e-12


@pytest.mark.parametrize(
    ("fit", "label"),
    [(ANSWERS, "y"), (MOTHS, "dead / moths"), (COUNTS, "y / years")],
    ids=["yes", "moths", "counts"],
)
def test_words_and_palette(fit, label):
    (axes,) = plot.calibration(fit).axes
    assert axes.get_xlabel() == f"fitted mean of {label}"
    assert axes.get_ylabel() == f"observed mean of {label}"
    assert PENS[0].colour in colours(axes) <= HOUSE
    assert "if the model holds" in said(axes).replace("\n", " ")


def test_a_model_without_its_column_is_still_calibrated_but_has_one_group():
    fit = em.glm("y ~ 1", yes_or_no(), family="bernoulli")
    shown = by_fitted(seen(fit), 10)
    assert len(shown.fitted) == 1
    assert plot.calibration(fit).axes
