"""The QQ picture: dots at residuals, the line of the model, a band around it."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu import plot
from etamu.plot.style import PENS
from tests.plot.cases import COUNTS, HOUSE, colours, counts, dots, inside, said

pytest.importorskip("matplotlib")


def test_dots_are_the_residuals_in_order():
    (axes,) = plot.qq(COUNTS).axes
    points = dots(axes)
    np.testing.assert_allclose(points[:, 1], np.sort(COUNTS.residuals("quantile")))
    assert inside(axes, points).all()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("normal quantile", "quantile residual")


def test_palette_and_words():
    (axes,) = plot.qq(COUNTS).axes
    assert PENS[0].colour in colours(axes) <= HOUSE
    assert "standard deviation 0.9" in said(axes) or "standard deviation 1.0" in said(axes)
    assert "95 % of each point if the model holds" in said(axes)


def test_another_seed_is_another_picture_of_counts():
    one, other = (dots(plot.qq(COUNTS, seed=seed).axes[0]) for seed in (0, 1))
    assert not np.array_equal(one, other)


def test_a_quasi_family_has_no_law_to_hold_residuals_against():
    fit = em.glm("y ~ x", counts(), family="quasipoisson")
    with pytest.raises(em.NotAvailableError, match="not a distribution"):
        plot.qq(fit)


def test_many_points_are_thinned_and_it_is_said():
    fit = em.glm("y ~ x", counts(5000), family="poisson")
    (axes,) = plot.qq(fit).axes
    assert len(dots(axes)) <= 2000
    assert "of 5,000 points, all of those in the tails" in said(axes).replace("\n", " ")
