"""Profiles: the curve of the fit, the straight line of Wald, the ends where the curve meets its bound."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu import datasets, plot
from etamu.plot.style import PENS
from tests.plot.cases import HOUSE, MOTHS, colours, said

pytest.importorskip("matplotlib")
from matplotlib.figure import Figure


def curve(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def test_the_curve_is_the_profile_and_the_line_wald():
    (axes,) = plot.profile(MOTHS, "log2_dose").axes
    traced = MOTHS.profile("log2_dose")
    np.testing.assert_allclose(curve(axes, "profile").get_ydata(), traced.roots)
    wald = curve(axes, "Wald")
    np.testing.assert_allclose(np.diff(wald.get_ydata()) / np.diff(wald.get_xdata()), 1.0 / traced.se)
    assert (curve(axes, "profile").get_color(), wald.get_color()) == (PENS[0].colour, PENS[1].colour)
    assert axes.get_ylim()[1] > np.abs(traced.roots).max()
    assert colours(axes) <= HOUSE
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("log2_dose", "signed root of the deviance")


def test_ends_are_written_in_the_title_and_drawn():
    (axes,) = plot.profile(MOTHS, "sex[T.male]").axes
    low, high = MOTHS.profile("sex[T.male]").interval
    assert f"95 % profile interval {low:.4g} to {high:.4g}" in said(axes)
    marks = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "|"]
    np.testing.assert_allclose(marks, [low, high])


def test_there_is_a_panel_for_each_coefficient_but_the_intercept():
    figure = plot.profile(MOTHS)
    assert [axes.get_xlabel() for axes in figure.axes] == ["sex[T.male]", "log2_dose"]
    alone = em.glm("dead ~ 1", datasets.budworms().columns, family="binomial", trials="moths")
    assert [axes.get_xlabel() for axes in plot.profile(alone).axes] == ["Intercept"]


def test_an_end_that_does_not_exist_is_said():
    with pytest.warns(em.ConvergenceWarning):
        fit = em.glm("y ~ x", {"y": [0, 0, 0, 1, 1, 1], "x": [1.0, 2, 3, 4, 5, 6]}, family="bernoulli")
    (axes,) = plot.profile(fit, "x").axes
    assert "to ∞" in said(axes)
    assert "no end there" in said(axes).replace("\n", " ")


def test_a_combination_has_a_profile_too():
    assert plot.profile(MOTHS, [1.0, 0.0, 2.5]).axes[0].get_xlabel() == "combination"


def test_axes_hold_one():
    with pytest.raises(em.OptionError, match="name the coefficient"):
        plot.profile(MOTHS, axes=Figure().subplots())
