"""Leverage against residual: a dot on a contour has that Cook's distance."""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest

import etamu as em
from etamu import plot
from etamu.plot.rows import DRAWN
from etamu.plot.style import PENS
from tests.plot.cases import COUNTS, HOUSE, SHIPS, colours, counts, dots, inside, said

pytest.importorskip("matplotlib")
module = importlib.import_module("etamu.plot.leverage")


def test_dots_are_leverage_and_standardised_residual():
    (axes,) = plot.leverage(COUNTS).axes
    points = dots(axes)
    np.testing.assert_allclose(points[:, 0], COUNTS.influence().leverage)
    np.testing.assert_allclose(points[:, 1], COUNTS.residuals("standardised pearson"), atol=1e-12)
    assert inside(axes, points).all()
    assert colours(axes) <= HOUSE


def test_a_contour_is_where_cooks_distance_has_its_value():
    (axes,) = plot.leverage(SHIPS).axes
    curves = [line for line in axes.lines if line.get_color() == PENS[5].colour]
    assert curves
    for curve in curves:
        h, r = curve.get_xdata(), curve.get_ydata()
        cook = r**2 * h / ((1.0 - h) * SHIPS.rank)
        assert np.ptp(cook) < 1e-9
        assert cook[0] == pytest.approx(0.5) or cook[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("largest", "levels"),
    [(3.0, (0.5, 1.0)), (0.2, (0.5, 1.0)), (0.1, (0.1, 0.2)), (4e-5, (2e-5, 5e-5)), (0.0, (0.5, 1.0))],
)
def test_contours_are_round_numbers_near_the_largest(largest, levels):
    assert module.levels_of(largest) == pytest.approx(levels)


def test_the_most_influential_rows_are_named():
    text = said(plot.leverage(SHIPS).axes[0]).splitlines()
    for row in SHIPS.influence().most(3):
        assert str(row) in text
    frame = pd.DataFrame(counts(50)).set_index(pd.Index([f"row {k}" for k in range(50)]))
    fit = em.glm("y ~ x", frame, family="poisson")
    (first,) = fit.influence().top(1)["label"]
    assert first in said(plot.leverage(fit, named=1).axes[0])


def test_of_many_rows_the_most_influential_are_drawn():
    fit = em.glm("y ~ x", counts(DRAWN + 2000), family="poisson")
    shown = module.held(fit)
    assert set(fit.influence().most(module.ALWAYS)) <= set(shown.rows)
    assert DRAWN <= len(shown.rows) < DRAWN + module.ALWAYS + 1
    (axes,) = plot.leverage(fit).axes
    assert "of 6,000 rows, those of the largest Cook's distance among them" in said(axes).replace("\n", " ")
    assert len(axes.get_xticks()) <= 8
