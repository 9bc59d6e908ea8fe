"""Penalised oracles: values, scores and slopes agree, on dense and on coded columns, in any blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import etamu as em
from etamu._base.types import Want
from etamu.fit.penalty import penalised
from etamu.fit.restrict import bench_of, whole

DATA = {
    "y": [3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8],
    "x": [0.1, 0.5, 0.3, 0.9, 0.2, 0.7, 0.4, 0.8, 0.6, 0.35, 0.15, 0.95],
    "g": list("aabbccaabbcc"),
}


def oracle_of(family: str, link: str, method: str, **options: int):
    fit = em.glm("y ~ x + g", DATA, family, link, method=method, dispersion=1.0)
    fit = replace(fit, problem=replace(fit.problem, options=replace(fit.problem.options, **options)))
    bench = bench_of(fit)
    plain = bench.oracle(whole(fit, bench).coordinates)
    return fit, penalised(plain, fit.problem.unit, method, 1.0, fit.beta)


@pytest.mark.parametrize(
    ("family", "link", "method"),
    [
        ("poisson", "log", "firth"),
        ("poisson", "sqrt", "firth"),
        ("poisson", "sqrt", "jeffreys"),
        ("gamma", "log", "firth"),
        ("gamma", "log", "jeffreys"),
        ("gaussian", "log", "jeffreys"),
    ],
)
def test_score_and_slopes_are_those_of_the_value(family: str, link: str, method: str) -> None:
    fit, oracle = oracle_of(family, link, method)
    everything = Want.VALUE | Want.SCORE | Want.EXPECTED | Want.OBSERVED
    beta = fit.beta + 0.05
    here = oracle.at(beta, everything)
    for j, unit in enumerate(np.eye(len(beta))):
        low, high = (oracle.at(beta + step * unit, everything) for step in (-1e-5, 1e-5))
        assert (high.value - low.value) / 2e-5 == pytest.approx(here.score[j], rel=1e-6, abs=1e-6)
        assert (high.score - low.score) / 2e-5 == pytest.approx(-here.observed[j], rel=1e-3, abs=1e-3)
    along = oracle.along(beta, np.full(len(beta), 0.1), np.array([0.0, 0.5]))
    assert along == pytest.approx([here.value, oracle.at(beta + 0.05, Want.VALUE).value], rel=1e-12)


def test_the_value_is_counted_from_the_peak() -> None:
    fit, oracle = oracle_of("poisson", "log", "firth")
    assert -2.0 * oracle.at(fit.beta, Want.VALUE).value == pytest.approx(fit.deviance, rel=1e-12)
    assert np.max(np.abs(oracle.at(fit.beta, Want.SCORE).score)) < 1e-7


def test_blocks_do_not_matter() -> None:
    fit, one = oracle_of("poisson", "log", "firth")
    _, many = oracle_of("poisson", "log", "firth", block_rows=5, threads=2)
    for want in (Want.SCORE, Want.SCORE | Want.OBSERVED):
        assert many.at(fit.beta, want).score == pytest.approx(one.at(fit.beta, want).score, abs=1e-10)


def test_factors_are_as_dense_columns() -> None:
    dense = np.column_stack([DATA["x"], *((np.array(DATA["g"]) == level) * 1.0 for level in "bc")])
    for method in ("firth", "median", "jeffreys"):
        coded = em.glm("y ~ x + g", DATA, "poisson", "sqrt", method=method)
        plain = em.GLM("poisson", "sqrt", method=method).fit(dense, DATA["y"])
        assert coded.coef == pytest.approx(plain.coef, rel=1e-8)
