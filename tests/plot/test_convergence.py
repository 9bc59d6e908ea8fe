"""The way to the maximum, in standard errors, down to the tolerance."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import etamu as em
from etamu import plot
from etamu.plot.style import PENS
from tests.plot.cases import HOUSE, SHIPS, colours, counts, said

pytest.importorskip("matplotlib")
way = importlib.import_module("etamu.plot.convergence").way


def test_a_newton_way_has_every_step_and_the_last_leads_below_the_tolerance():
    found = way(SHIPS)
    assert len(found.newton) == SHIPS.iterations
    assert found.newton[-1] < 1e-4  # what such a step leaves is its square: it need not be seen
    # Near the maximum the likelihood is a parabola: both distances are one.
    np.testing.assert_allclose(found.gap[2], found.newton[2], rtol=0.05)
    assert found.observed.all()


def test_axes_palette_and_words():
    (axes,) = plot.convergence(SHIPS).axes
    assert (axes.get_xlabel(), axes.get_yscale()) == ("iteration", "log")
    assert axes.get_ylabel() == "distance in standard errors"
    np.testing.assert_array_equal(axes.get_xticks(), np.arange(1, SHIPS.iterations + 1))
    assert {PENS[0].colour, PENS[1].colour} <= colours(axes) <= HOUSE
    assert f"converged after {SHIPS.iterations} steps and {SHIPS.passes} passes" in said(axes)
    assert axes.get_ylim()[0] < way(SHIPS).newton.min()


def test_a_solver_without_curvature_is_hollow():
    fit = em.glm("y ~ x", counts(), family="poisson", solver="gradient")
    (axes,) = plot.convergence(fit).axes
    assert any(line.get_markerfacecolor() == "white" for line in axes.lines) == (~way(fit).observed).any()
    assert len(axes.get_xticks()) <= 13


def test_phi_is_the_unit_where_it_is_estimated():
    fit = em.glm(
        "y ~ x",
        counts() | {"y": counts()["y"] + 1.0},
        family="gamma",
    )
    found = way(fit)
    np.testing.assert_allclose(found.newton[0] ** 2 * fit.solution.local.scale, fit.trace[0].decrement)


def test_no_step_is_no_picture():
    with pytest.raises(em.NotAvailableError, match="no step"):
        plot.convergence(em.glm("y ~ x", {"y": [1.0, 2.0, 3.0, 4.0], "x": [1.0, 2.0, 3.0, 4.0]}))
