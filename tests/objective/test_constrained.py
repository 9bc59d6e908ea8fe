"""The likelihood on an affine subspace: derivatives follow by the chain rule."""

from __future__ import annotations

import numpy as np

import etamu as em
from etamu._base.types import Want
from etamu.fit.restrict import bench_of, whole
from etamu.objective.constrained import Constrained
from tests.fit.test_anova import data


def test_score_and_information_are_derivatives_of_the_value() -> None:
    fit = em.glm("y ~ x + z + g", data(), family="poisson")
    bench = bench_of(fit)
    oracle = bench.oracle(whole(fit, bench).coordinates)
    basis = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 2)))[0]
    constrained = Constrained(oracle, fit.beta + 0.1, basis)
    gamma, step = np.array([0.05, -0.1]), 1e-5
    local = constrained.at(gamma, Want.VALUE | Want.SCORE | Want.OBSERVED)
    for k in range(2):
        move = step * np.eye(2)[k]
        up, down = (constrained.at(gamma + sign * move, Want.VALUE | Want.SCORE) for sign in (1, -1))
        np.testing.assert_allclose((up.value - down.value) / (2 * step), local.score[k], rtol=1e-6)
        np.testing.assert_allclose(-(up.score - down.score) / (2 * step), local.observed[k], rtol=1e-6)
    along = constrained.along(gamma, np.ones(2), np.array([0.0, 0.3]))
    assert along[0] == local.value
    assert along[1] == constrained.at(gamma + 0.3, Want.VALUE).value
    assert constrained.reach(gamma, np.ones(2)) == np.inf
    rows = bench.full.rows(bench.chunk.predictors[0].design) @ basis
    assert np.all(np.abs(rows).max(axis=0) <= constrained.extent + 1e-12)
    np.testing.assert_allclose(constrained.longest(np.eye(2)), (rows**2).sum(axis=1).max())
