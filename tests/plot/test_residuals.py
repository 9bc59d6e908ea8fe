"""Residuals against fitted values, terms, and columns that are in no model, with a smooth."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu import plot
from etamu.plot.rows import DRAWN
from etamu.plot.style import PENS
from tests.plot.cases import COUNTS, HOUSE, colours, counts, dots, inside, said

pytest.importorskip("matplotlib")
from matplotlib.figure import Figure

DATA = counts()


def test_there_is_a_panel_for_the_fitted_values_and_each_term():
    figure = plot.residuals(COUNTS)
    assert [axes.get_xlabel() for axes in figure.axes] == ["linear predictor η", "x", "g"]
    assert {axes.get_ylabel() for axes in figure.axes} == {"quantile residual"}
    assert all(colours(axes) <= HOUSE for axes in figure.axes)


def test_dots_are_rows():
    (axes,) = plot.residuals(COUNTS, "fitted").axes
    points = dots(axes)
    np.testing.assert_allclose(points[:, 0], COUNTS.predict(kind="link"))
    np.testing.assert_allclose(points[:, 1], COUNTS.residuals("quantile"))
    assert inside(axes, points).all()
    smooth = axes.lines[-1]
    assert smooth.get_color() == PENS[1].colour
    assert np.abs(smooth.get_ydata()).max() < 0.4


def test_a_column_in_no_model_shows_what_was_forgotten():
    data = DATA | {"y": np.random.default_rng(0).poisson(np.exp(0.5 + DATA["other"]))}
    fit = em.glm("y ~ x", data, family="poisson")
    (axes,) = plot.residuals(fit, "other", kind="pearson").axes
    assert np.ptp(axes.lines[-1].get_ydata()) > 1.0
    assert axes.get_ylabel() == "pearson residual"


def test_levels_are_boxes():
    (axes,) = plot.residuals(COUNTS, "g").axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "b", "c"]
    residual = COUNTS.residuals("quantile")
    heights = [line.get_ydata()[0] for line in axes.lines if line.get_color() == PENS[1].colour]
    np.testing.assert_allclose(heights, [np.median(residual[DATA["g"] == level]) for level in "abc"])
    assert "quartiles" in said(axes)


def test_of_many_rows_some_are_drawn_and_it_is_said():
    fit = em.glm("y ~ x", counts(DRAWN + 1000), family="poisson")
    (axes,) = plot.residuals(fit, "x").axes
    assert len(dots(axes)) == DRAWN
    assert "4,000 of 5,000 rows, chosen at random" in said(axes).replace("\n", " ")


def test_a_quasi_family_has_standardised_residuals():
    fit = em.glm("y ~ x", DATA, family="quasipoisson")
    assert plot.residuals(fit).axes[0].get_ylabel() == "standardised residual"


def test_it_draws_into_axes_given():
    axes = Figure().subplots()
    assert plot.residuals(COUNTS, "x", axes=axes) is axes.figure
    with pytest.raises(em.OptionError, match="one panel"):
        plot.residuals(COUNTS, axes=axes)


def test_a_table_is_no_residual():
    with pytest.raises(em.OptionError, match="effects"):
        plot.residuals(COUNTS, kind="partial")
