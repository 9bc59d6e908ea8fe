"""Where a fit starts: always inside the domain, also where no natural start is."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import etamu as em
from etamu._base.types import LINE
from etamu.fit.assemble import from_formula
from etamu.fit.estimate import likelihood_of, prepare
from etamu.fit.inputs import Keywords
from etamu.fit.problem import Options
from etamu.fit.start import Inside, constant_eta, start
from tests.samples import FITTED, FORMULA, keywords, sample


@pytest.mark.parametrize("unit", FITTED, ids=[f"{u.family!r}-{u.link!r}" for u in FITTED])
def test_the_start_lies_inside_the_domain(unit):
    given = Keywords(trials=keywords(unit).get("trials"))
    for formula in ("y ~ 1", FORMULA):
        one = from_formula(formula, sample(unit, 2), unit, given, "drop", Options())
        stage = prepare(one)
        oracle = likelihood_of(one, stage)
        beta = start(oracle, unit, stage.chunk)
        eta = stage.chunk.predictors[0].eta(stage.coordinates.raw(beta))
        assert np.all(unit.domain.contains(eta))


def test_inside_is_zero_exactly_where_eta_keeps_the_margin():
    unit = Inside(lower=0.5, upper=np.inf)
    value, score, information = unit.bind(np)((), np.array([0.0, 0.5, 3.0]))
    assert value.tolist() == [-0.125, 0.0, 0.0]
    assert score.tolist() == [0.5, 0.0, 0.0]
    assert information.tolist() == [1.0, 0.0, 0.0]
    assert unit.domain is LINE


def test_phase_one_finds_a_feasible_point_where_nothing_natural_is():
    # No constant in the span, an offset that makes eta negative unless the slope is large,
    # and responses whose least squares slope is too small.
    x = np.linspace(1.0, 2.0, 30)
    offset = -3.0 * x
    y = np.random.default_rng(1).gamma(5.0, 0.2, 30) * x
    fit = em.glm("y ~ 0 + x", {"y": y, "x": x}, "gamma", "identity", offset=offset)
    assert fit.converged
    assert np.all(fit.predict() > 0)


def test_a_hostile_restricted_fit_starts_and_ends_inside():
    rng = np.random.default_rng(3)
    x = np.r_[np.linspace(-1, 1, 40), 30.0]
    mu = 1.0 + 0.5 * np.r_[x[:-1], 1.0]
    y = rng.poisson(mu).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", em.ConvergenceWarning
        )  # the maximum may be on the edge; the mean may not leave
        fit = em.glm("y ~ x", {"y": y, "x": x}, "poisson", "identity")
    assert np.all(fit.predict() >= 0)


def test_a_constant_eta_is_none_on_the_edge_of_the_support():
    problem = em.glm("y ~ 1", {"y": [1.0, 2.0, 3.0]}, "poisson").problem
    assert constant_eta(problem.unit, problem.chunk) == pytest.approx(np.log(2.0))
    with pytest.warns(em.ConvergenceWarning, match="No finite maximum"):
        zero = em.glm("y ~ 1", {"y": [0.0, 0.0, 0.0]}, "poisson").problem
    assert constant_eta(zero.unit, zero.chunk) is None


def test_where_no_start_is_possible_the_refusal_says_so():
    x = np.array([-1.0, -0.5, 0.5, 1.0])
    with pytest.raises(em.DataError, match=r"identity link.*\(0, inf\).*offset"):
        em.glm("y ~ 0 + x", {"y": [1, 2, 1, 3], "x": x}, "poisson", "identity", offset=np.full(4, -1.0))
