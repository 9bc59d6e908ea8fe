"""One line for each coefficient in the order of the formula; ratios on a log axis; endless intervals cut."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu import plot
from etamu.plot.coefficients import forest
from etamu.plot.style import PENS
from tests.plot.cases import COUNTS, HOUSE, SHIPS, colours, counts, said

pytest.importorskip("matplotlib")
RUN = {"ratio": False, "intercept": False, "level": 0.95, "method": "wald", "most": 60}


def segments(axes):
    """The ends of every interval, and the middle and face of every marker."""
    lines = [line for line in axes.lines if line.get_color() == PENS[0].colour]
    bars = [line.get_xdata() for line in lines if len(line.get_xdata()) == 2]
    marks = [
        (line.get_xdata()[0], line.get_markerfacecolor()) for line in lines if len(line.get_xdata()) == 1
    ]
    return np.array(bars), marks


def test_lines_are_the_intervals_in_the_order_of_the_formula():
    (axes,) = plot.coefficients(SHIPS).axes
    bars, marks = segments(axes)
    np.testing.assert_allclose(bars, SHIPS.conf_int()[1:])
    np.testing.assert_allclose([middle for middle, _ in marks], SHIPS.coef[1:])
    assert [text.get_text() for text in axes.get_yticklabels()] == list(SHIPS.names[1:])
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    left, right = axes.get_xlim()
    assert left < bars.min()
    assert bars.max() < right
    assert colours(axes) <= HOUSE


def test_hollow_is_what_could_be_nothing():
    _, marks = segments(plot.coefficients(SHIPS).axes[0])
    low, high = SHIPS.conf_int()[1:].T
    assert [face == "white" for _, face in marks] == ((low < 0) & (high > 0)).tolist()


def test_ratios_are_on_a_log_axis_with_ticks_that_people_say():
    (axes,) = plot.coefficients(SHIPS, ratio=True).axes
    bars, _ = segments(axes)
    np.testing.assert_allclose(bars, np.exp(SHIPS.conf_int()[1:]))
    assert (axes.get_xscale(), axes.get_xlabel()) == ("log", "mean ratio")
    ticks = axes.get_xticks()
    assert 1.0 in ticks
    assert 2 <= len(ticks) <= 7
    odds = em.glm("y ~ x", {"y": [0, 1, 0, 1, 1], "x": [1.0, 2, 3, 4, 5]}, family="bernoulli")
    assert plot.coefficients(odds, ratio=True).axes[0].get_xlabel() == "odds ratio"


def test_a_link_without_ratios_refuses_them():
    with pytest.raises(em.OptionError, match="no difference is a ratio"):
        plot.coefficients(em.glm("y ~ x", counts()), ratio=True)


def test_the_intercept_is_drawn_where_asked_or_alone():
    assert forest(COUNTS, **RUN).names == ("x", "g[T.b]", "g[T.c]")
    assert forest(COUNTS, **RUN | {"intercept": True}).names[0] == "Intercept"
    assert forest(em.glm("y ~ 1", counts(), family="poisson"), **RUN).names == ("Intercept",)


def test_of_many_the_clearest_are_drawn_and_the_others_counted():
    found = forest(COUNTS, **RUN | {"most": 2})
    assert found.left_out == 1
    assert "1 further coefficients" in said(plot.coefficients(COUNTS, most=2).axes[0]).replace("\n", " ")
    assert set(found.names) == {"x", "g[T.b]"}


def test_an_interval_without_an_end_reaches_the_edge():
    data = {"y": [0, 0, 0, 1, 1, 1], "x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    with pytest.warns(em.ConvergenceWarning):
        fit = em.glm("y ~ x", data, family="bernoulli")
    (axes,) = plot.coefficients(fit, method="profile").axes
    bars, _ = segments(axes)
    assert np.isfinite(bars).all()
    assert bars[0, 1] == pytest.approx(axes.get_xlim()[1])
    assert "leaves the panel" in said(axes)


def test_a_robust_covariance_is_named():
    assert "HC3 covariance" in said(plot.coefficients(COUNTS.with_covariance("HC3")).axes[0])
