from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu._base.types import Want
from etamu.fit.stage import likelihood_of, prepare
from tests.samples import FORMULA, keywords, sample

UNITS = {name: em.glm("y ~ 1", {"y": y}, name).problem.unit for name, y in [
    ("poisson", [1.0, 2.0, 0.0]), ("gamma", [1.0, 2.0, 0.5]), ("bernoulli", [0.0, 1.0, 1.0])]}  # fmt: skip


@pytest.fixture(params=UNITS)
def oracle(request):
    unit = UNITS[request.param]
    problem = em.glm(FORMULA, sample(unit, 4), **keywords(unit)).problem
    stage = prepare(problem)
    return likelihood_of(problem, stage), stage


def test_score_and_information_are_derivatives_of_the_value(oracle):
    likelihood, stage = oracle
    beta = stage.coordinates.working(
        stage.coordinates.layout.constant * (0.5 if likelihood.restricted else 0.1)
    )
    local = likelihood.at(beta, Want.SCORE | Want.EXPECTED | Want.OBSERVED)
    step = 1e-5 * np.eye(likelihood.size)
    value = [
        likelihood.at(beta + s, Want.VALUE).value - likelihood.at(beta - s, Want.VALUE).value for s in step
    ]
    assert_allclose(local.score, np.array(value) / 2e-5, rtol=1e-5, atol=1e-5)
    score = [
        likelihood.at(beta + s, Want.SCORE).score - likelihood.at(beta - s, Want.SCORE).score for s in step
    ]
    assert_allclose(local.observed, -np.array(score) / 2e-5, rtol=1e-5, atol=1e-4)


def test_along_is_at(oracle):
    likelihood, stage = oracle
    beta = stage.coordinates.working(stage.coordinates.layout.constant * 0.4)
    step = np.full(likelihood.size, 1e-3)
    values = likelihood.along(beta, step, np.array([0.0, 1.0]))
    assert_allclose(values[1], likelihood.at(beta + step, Want.VALUE).value, rtol=1e-13)


def test_scale_is_one_where_phi_is_known_and_deviance_over_df_else(oracle):
    likelihood, _ = oracle
    local = likelihood.at(np.zeros(likelihood.size) + 0.0, Want.VALUE)
    if likelihood.df is None:
        assert local.scale == 1.0
    elif np.isfinite(local.value):
        assert_allclose(local.scale, -2.0 * local.value / likelihood.df)


def test_the_first_pass_learns_how_far_columns_and_rows_reach(oracle):
    likelihood, stage = oracle
    beta = stage.coordinates.working(stage.coordinates.layout.constant * 0.4)
    opened = likelihood.opened(beta, Want.VALUE | Want.SCORE)
    assert opened is not None
    x = stage.coordinates.rows(stage.chunk.predictors[0].design)
    assert np.square(x).sum(axis=1).max() <= opened[1].breadth * (1 + 1e-12)
    assert np.all(np.abs(x).max(axis=0) <= opened[1].extent * (1 + 1e-12))
    assert_allclose(opened[1].girth(), likelihood.girth())


def test_extent_bounds_the_rows(oracle):
    likelihood, stage = oracle
    x = np.abs(stage.coordinates.rows(stage.chunk.predictors[0].design)).max(axis=0)
    assert np.all(x <= likelihood.extent * (1 + 1e-12))
