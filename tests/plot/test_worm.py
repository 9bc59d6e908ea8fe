"""The worm: flat where the model is right, sloped where responses spread more than it says."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu import plot
from etamu.plot.normal import in_order
from etamu.plot.style import PENS
from etamu.plot.worm import cubic
from tests.plot.cases import COUNTS, HOUSE, colours, counts, dots, inside, said

pytest.importorskip("matplotlib")


def test_dots_are_residuals_less_normal_quantiles():
    (axes,) = plot.worm(COUNTS).axes
    points = dots(axes)
    np.testing.assert_allclose(points.sum(axis=1), np.sort(COUNTS.residuals("quantile")))
    assert inside(axes, points).all()
    assert sum(axes.get_ylim()) == pytest.approx(0.0)


def test_palette_and_words():
    (axes,) = plot.worm(COUNTS).axes
    assert {PENS[0].colour, PENS[1].colour} <= colours(axes) <= HOUSE
    assert "line: cubic" in said(axes)
    assert axes.get_ylabel() == "residual less normal quantile"


def test_the_cubic_shows_what_is_wrong():
    z = np.random.default_rng(0).normal(size=4000)
    wide, skew = (cubic(in_order(sample, 0.95)) for sample in (1.5 * z, z + 0.2 * (z**2 - 1.0)))
    at = in_order(z, 0.95).normal
    np.testing.assert_allclose(np.polyfit(at, wide, 3)[2], 0.5, atol=0.08)
    np.testing.assert_allclose(np.polyfit(at, skew, 3)[1], 0.2, atol=0.05)


def test_few_points_have_no_cubic():
    fit = em.glm("y ~ x", counts(7), family="poisson")
    assert cubic(in_order(fit.residuals("quantile"), 0.95)) is None
    assert len(plot.worm(fit).axes[0].lines) == 1
