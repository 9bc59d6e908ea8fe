"""The spread of residuals: level where the variance function is right, rising where it is too flat."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu import plot
from etamu.plot.spread import LEVEL
from etamu.plot.style import PENS
from tests.plot.cases import COUNTS, HOUSE, colours, dots, inside, said

pytest.importorskip("matplotlib")


def test_the_level_is_that_of_normal_residuals():
    z = np.random.default_rng(0).normal(size=200_000)
    assert np.sqrt(np.abs(z)).mean() == pytest.approx(LEVEL, abs=2e-3)


def test_dots_are_roots_of_residuals():
    (axes,) = plot.spread(COUNTS).axes
    points = dots(axes)
    np.testing.assert_allclose(points[:, 1] ** 2, np.abs(COUNTS.residuals("standardised pearson")))
    assert inside(axes, points).all()
    assert PENS[1].colour in colours(axes) <= HOUSE
    assert "flat if V(μ) = μ holds" in said(axes)
    assert axes.get_xlabel() == "linear predictor η"


def test_a_variance_that_grows_faster_is_seen():
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 3, 1500)
    data = {"x": x, "y": rng.negative_binomial(1.0, 1.0 / (1.0 + np.exp(x)))}
    smooth = plot.spread(em.glm("y ~ x", data, family="quasipoisson")).axes[0].lines[-1].get_ydata()
    assert smooth[-1] > 1.15 * smooth[0]
