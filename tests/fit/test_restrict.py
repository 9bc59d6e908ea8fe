"""Smaller models on the same blocks are the smaller models, and score tests are the exact ones."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu.fit.restrict import bench_of, whole
from tests import samples
from tests.fit.test_anova import data

REGULAR = [unit for unit in samples.FITTED if not unit.restricted]


@pytest.mark.parametrize("unit", REGULAR, ids=repr)
def test_smaller_models_are_those_fitted_on_their_own(unit) -> None:
    frame, options = samples.sample(unit, 5), samples.keywords(unit)
    fit = em.glm("y ~ x + z + C(g)", frame, **options)
    bench = bench_of(fit)
    for right, columns in (("x + C(g)", (0, 1, 3, 4)), ("C(g)", (0, 3, 4)), ("0 + x + z", (1, 2))):
        if right.startswith("0") and not unit.convex:
            continue
        alone = em.glm(f"y ~ {right}", frame, **options)
        order = [list(fit.names).index(name) for name in alone.names]
        smaller = bench.fit(columns)
        assert smaller.settled
        assert smaller.deviance == pytest.approx(alone.deviance, rel=1e-10)
        reported = smaller.coordinates.reported(smaller.beta)[order]
        np.testing.assert_allclose(reported, alone.coef, rtol=1e-6, atol=1e-8)


def test_warm_starts_save_passes_and_change_nothing() -> None:
    fit = em.glm("y ~ x + z + g", data(), family="poisson")
    bench = bench_of(fit)
    first = bench.fit((0, 1, 2))
    again = bench.fit((0, 1), first)
    assert again.deviance == pytest.approx(bench.fit((0, 1)).deviance, rel=1e-13)


def test_the_whole_model_is_not_fitted_again() -> None:
    fit = em.glm("y ~ x + g", data(), family="poisson")
    full = whole(fit, bench_of(fit))
    assert full.deviance == fit.deviance
    assert full.rank == fit.rank


def test_score_statistic_of_two_groups_is_pearsons_chi_squared() -> None:
    table = np.array([[12.0, 30.0], [25.0, 20.0]])
    rows = {"y": [1.0, 0.0, 1.0, 0.0], "g": ["a", "a", "b", "b"], "k": table.ravel()}
    fit = em.glm("y ~ g", rows, family="bernoulli", frequency_weights="k")
    margins = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    pearson = np.sum((table - margins) ** 2 / margins)
    assert fit.drop1("Rao").row("g")["statistic"] == pytest.approx(pearson, rel=1e-12)
    assert fit.test("g[T.b]", "score").statistic == pytest.approx(pearson, rel=1e-12)


def test_score_statistic_of_a_gaussian_is_the_difference_of_deviances() -> None:
    table = em.glm("w ~ x + z + g", data()).anova(1, "Rao")
    np.testing.assert_allclose(table["rao"][1:], table["deviance"][1:], rtol=1e-10)


def test_score_statistic_is_the_textbooks() -> None:
    frame = data()
    small = em.glm("w ~ x", frame, family="gamma", link="log")
    fit = em.glm("w ~ x + g", frame, family="gamma", link="log")
    X = np.column_stack([np.ones(len(frame)), frame["x"], frame["g"] == "b", frame["g"] == "c"]).astype(float)
    mu = np.asarray(small.predict())
    score = X.T @ (frame["w"].to_numpy() / mu - 1.0)
    exact = score @ np.linalg.solve(X.T @ X, score)
    assert fit.anova(1, "Rao").row("g")["rao"] == pytest.approx(exact, rel=1e-10)
    assert small.add1("~ . + g", "Rao").row("g")["statistic"] == pytest.approx(
        exact / small.dispersion, rel=1e-8
    )
