"""Rows written out add up to the likelihood; a barrier keeps their maximum inside."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import etamu as em
from etamu._base.types import Want
from etamu.fit.stage import likelihood_of, prepare
from etamu.objective.written import Written, written

DATA = {"y": [0.0, 2.0, 1.0, 4.0], "x": [0.1, 0.5, 0.7, 1.5], "w": [1.0, 2.0, 3.0, 1.0]}


def rows_of(link: str) -> tuple[Written, np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = em.glm("y ~ x", DATA, family="poisson", link=link, frequency_weights="w")
    stage = prepare(fit.problem)
    oracle = likelihood_of(fit.problem, stage)
    rows = written(oracle, fit.problem.unit, stage.chunk)
    assert rows is not None
    return rows, fit.beta


def test_rows_add_up_to_the_likelihood() -> None:
    rows, beta = rows_of("log")
    seen = rows.look(rows.rows @ beta + rows.offset)
    want = Want.VALUE | Want.SCORE | Want.EXPECTED | Want.OBSERVED
    local = rows.oracle.at(beta, want)
    assert seen.value.sum() == pytest.approx(local.value, rel=1e-12)
    assert rows.rows.T @ seen.slope == pytest.approx(local.score, abs=1e-10)
    assert rows.rows.T @ (seen.observed[:, None] * rows.rows) == pytest.approx(np.asarray(local.observed))


def test_a_barrier_pulls_inward_and_bends_down() -> None:
    rows, _ = rows_of("identity")
    barred = Written(rows.oracle, rows.unit, rows.chunk, rows.rows, rows.offset, barrier=2.0)
    eta = np.array([1e-3, 0.5, 1.0, 2.0])
    more, less = barred.look(eta), rows.look(eta)
    assert more.value - less.value == pytest.approx(2.0 * np.log(eta))
    assert more.slope - less.slope == pytest.approx(2.0 / eta)
    assert more.observed - less.observed == pytest.approx(2.0 / eta**2)
