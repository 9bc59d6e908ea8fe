"""Partial effects: the line is what the term adds, the dots are the data around it."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu import plot
from etamu.plot.effects import CROWD, taken_apart
from etamu.plot.style import PENS
from tests.plot.cases import COUNTS, HOUSE, colours, counts, dots, said

pytest.importorskip("matplotlib")
from matplotlib.figure import Figure

FEW = em.glm("y ~ x + g", counts(200), family="poisson")


def test_the_line_is_the_contribution_and_the_dots_partial_residuals():
    (axes,) = plot.effects(FEW, "x").axes
    parts = FEW.predict(kind="terms", se=True)
    line = next(one for one in axes.lines if one.get_color() == PENS[0].colour)
    order = np.argsort(counts(200)["x"])
    np.testing.assert_allclose(line.get_ydata(), parts["x"][order])
    np.testing.assert_allclose(dots(axes)[:, 1], FEW.partial_residuals("x"))
    band = axes.collections[1].get_paths()[0].vertices
    np.testing.assert_allclose(band[:, 1].max(), (parts["x"] + 1.959964 * parts.se["x"]).max(), rtol=1e-6)


def test_a_figure_has_a_panel_for_each_term_on_one_scale():
    figure = plot.effects(COUNTS)
    assert [axes.get_xlabel() for axes in figure.axes] == ["x", "g"]
    assert {axes.get_ylabel() for axes in figure.axes} == {"added to η"}
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    assert all(colours(axes) <= HOUSE for axes in figure.axes)


def test_where_rows_are_many_the_dots_are_means_that_lie_on_a_right_line():
    (found,) = taken_apart(COUNTS, ("x",), 0.95)
    assert found.crowded
    assert len(found.dots) < CROWD
    slope = np.polyfit(*found.dots.T, 1, w=np.sqrt(found.weight))[0]
    assert slope == pytest.approx(COUNTS.coef[1], abs=0.02)
    assert "means of groups of 600 rows" in said(plot.effects(COUNTS, "x").axes[0]).replace("\n", " ")


def test_means_of_levels_are_what_the_model_adds_to_them():
    # The score of a level is 0 at the maximum: its mean working residual is 0.
    (found,) = taken_apart(COUNTS, ("g",), 0.95)
    parts = COUNTS.predict(kind="terms")["g"]
    own = [parts[counts()["g"] == level][0] for level in "abc"]
    np.testing.assert_allclose(found.dots[:, 1], own, atol=1e-7)
    axes = plot.effects(COUNTS, "g").axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "b", "c"]


def test_what_was_left_out_of_the_form_is_seen():
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, 3000)
    fit = em.glm("y ~ x", {"x": x, "y": rng.poisson(np.exp(0.5 * x**2))}, family="poisson")
    smooth = next(line for line in plot.effects(fit, "x").axes[0].lines if line.get_color() == PENS[1].colour)
    y = smooth.get_ydata()
    assert min(y[0], y[-1]) > y[len(y) // 2] + 0.5


def test_refusals():
    with pytest.raises(em.OptionError, match="there is no term 'z'; the terms are 'x', 'g'"):
        plot.effects(COUNTS, "z")
    with pytest.raises(em.OptionError, match="name the term"):
        plot.effects(COUNTS, axes=Figure().subplots())
    with pytest.raises(em.NotAvailableError, match="constant only"):
        plot.effects(em.glm("y ~ 1", counts(), family="poisson"))
