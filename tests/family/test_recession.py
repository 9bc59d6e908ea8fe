"""Which way rows may run: the recession condition by slopes, for every pair of the catalogue."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu.family.recession import anyone_may_run, bounded_bend, falls_for_ever, may_run
from tests.catalogue import UNITS, responses


@pytest.mark.parametrize("unit", UNITS, ids=str)
def test_a_row_may_run_where_its_slope_is_zero(unit):
    y = responses(unit.family)
    columns = y if isinstance(y, tuple) else (y,)
    ways = may_run(unit, columns)
    assert set(ways.tolist()) <= {-1, 0, 1, 2}
    minus, plus = unit.slopes(columns)
    open_up = (ways == 1) | (ways == 2)
    open_down = (ways == -1) | (ways == 2)
    # A row that may run has slope 0 there; of a concave unit the converse holds as well.
    assert np.all(plus[open_up] == 0.0)
    assert np.all(minus[open_down] == 0.0)
    if unit.convex and not anyone_may_run(unit):
        assert not open_up.any()
        assert not open_down.any()
    if unit.convex and unit.domain.whole:
        np.testing.assert_array_equal(open_up, plus == 0.0)
        np.testing.assert_array_equal(open_down, minus == 0.0)


def test_counts_are_decided_once_per_value():
    unit = em.Unit(em.Poisson(), em.Poisson().canonical)
    y = np.random.default_rng(0).poisson(1.0, 10_000).astype(float)
    np.testing.assert_array_equal(may_run(unit, (y,)), np.where(y == 0.0, -1, 0))
    trials = np.broadcast_to(1.0, 3)
    logit = em.Unit(em.Binomial(), em.Binomial().canonical)
    np.testing.assert_array_equal(may_run(logit, (np.array([0.0, 1.0, 0.0]), trials)), [-1, 1, -1])
    np.testing.assert_array_equal(
        may_run(logit, (np.array([0.0, 2.0, 5.0, 0.0]), np.array([5.0, 5.0, 5.0, 0.0]))), [-1, 0, 1, 2]
    )
    assert may_run(unit, (np.zeros(0),)).tolist() == []


def test_what_overlap_proves():
    data = {"y": [1.0, 2.0, 3.0, 5.0], "x": [0.0, 1.0, 2.0, 3.0]}
    y = (np.array(data["y"]),)
    gaussian_log = em.glm("y ~ x", data, "gaussian", "log").problem.unit
    assert not falls_for_ever(gaussian_log, y)
    cauchit = em.glm("y ~ x", {"y": [0, 1, 0, 1], "x": data["x"]}, "bernoulli", "cauchit").problem.unit
    assert falls_for_ever(cauchit, (np.array([0.0, 1.0]),))
    assert not bounded_bend(cauchit)
    assert not bounded_bend(gaussian_log)
    assert bounded_bend(em.Unit(em.Poisson(), em.Poisson().canonical))
    assert bounded_bend(em.Unit(em.Bernoulli(), em.Bernoulli().canonical))


@pytest.mark.parametrize(
    "family", [em.Gamma(), em.InverseGaussian(), em.Poisson(), em.Tweedie(power=1.5)], ids=str
)
@pytest.mark.parametrize("k", [1e-4, 1e-3, 5e-3, -1e-3])
def test_under_a_steep_link_positive_responses_do_not_run(family, k):
    # mu = eta^1000 is 0 or infinity at nearly every decade of eta, and tells nothing there.
    y = np.array([0.5, 1.0, 2.0, 7.0]) if family.name != "poisson" else np.array([1.0, 2.0, 4.0, 7.0])
    ways = may_run(em.Unit(family, em.Power(k)), (y,))
    assert np.count_nonzero(ways == 1 if k > 0 else ways == -1) == 0
    x = np.array([0.0, 1.0, 3.0, 2.0])
    near = em.glm("y ~ x", {"y": y, "x": x}, family=family, link="log")
    fit = em.glm("y ~ x", {"y": y, "x": x}, family=family, link=em.Power(k))
    assert fit.converged
    np.testing.assert_allclose((fit.coef - [1.0, 0.0]) / k, near.coef, rtol=0.2, atol=0.2)
