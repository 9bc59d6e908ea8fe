"""Maxima at an edge of a parameter's range, laws that are only nearly laws, columns that nothing tells of."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import etamu as em
from etamu.vector.stage import likelihood_of, prepare


def calm(n=80, mean=12.0, seed=3):
    """Counts that vary much less than a generalized Poisson law can."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, n)
    y = np.round(mean * np.exp(0.2 * x) + rng.normal(size=n) * np.exp(0.1 + 0.6 * x))
    return {"y": np.maximum(y, 0.0), "x": x}


@pytest.mark.parametrize("predictors", [None, {"dispersion": "~ x"}], ids=["constant", "line"])
def test_a_maximum_at_the_least_dispersion_is_one(predictors):
    data = calm()
    with pytest.warns(em.ConvergenceWarning, match=r"lies at an edge of the range .*\(0.5 to inf\)"):
        fit = em.glm("y ~ x", data, em.GeneralizedPoisson(), predictors=predictors)
    assert fit.outcome.value == "boundary"
    lowest = fit.predict(kind="dispersion").min()
    np.testing.assert_allclose(lowest, 0.5, rtol=1e-6)
    assert np.all(np.isfinite(fit.se[:2]))
    # no point inside the range near by is higher
    oracle = likelihood_of(fit.problem, prepare(fit.problem))
    rng = np.random.default_rng(0)
    for size in (1e-4, 1e-2, 0.3):
        for _ in range(200):
            step = size * rng.normal(size=len(fit.beta))
            assert oracle.along(fit.beta, step, np.ones(1))[0] <= fit.solution.local.value + 1e-7


def test_a_law_of_few_counts_is_doubted():
    rng = np.random.default_rng(5)
    data = {"y": (rng.random(300) < 0.4) * 1.0 + (rng.random(300) < 0.4), "x": rng.normal(size=300)}
    with pytest.warns(em.ConvergenceWarning, match="fewer than five possible counts.*ConwayMaxwellPoisson"):
        fit = em.glm("y ~ x", data, em.GeneralizedPoisson())
    assert "fewer than five" in " ".join(fit.notes)
    assert em.glm("y ~ x", data, em.ConwayMaxwellPoisson()).converged


def test_conway_maxwell_poisson_at_its_largest_shape():
    data = {"y": [4.0, 4, 4, 2, 4, 3, 3, 2], "x": [1.0, 2, 1.5, -2, 1.2, 0, 0.1, -1.5]}
    with pytest.warns(em.ConvergenceWarning, match="edge of the range the conway_maxwell_poisson"):
        fit = em.glm("y ~ x", data, em.ConwayMaxwellPoisson())
    assert fit.outcome.value == "boundary"
    np.testing.assert_allclose(fit.predict(kind="dispersion"), 50.0, rtol=1e-6)


def test_a_column_that_positive_counts_do_not_tell_of_is_an_alias_of_their_mean():
    """z is 1 in no row with a count: the mean behind the hurdle knows nothing of it, the zeros do."""
    data = {"y": [0.0, 0, 3, 5, 2, 0, 0, 1, 4, 0], "z": [1.0, 0, 0, 0, 0, 1, 0, 0, 0, 1]}
    data["x"] = [0.5, 1.0, 2.0, 0.1, 1.3, 0.7, 0.2, 1.1, 1.9, 0.4]
    with pytest.warns(em.EtamuWarning):
        fit = em.glm("y ~ x + z", data, em.HurdlePoisson())
    assert fit.aliased == ("mean:z",)
    positive = {name: np.array(column)[np.array(data["y"]) > 0] for name, column in data.items()}
    count = em.glm("y ~ x", positive, em.ZeroTruncatedPoisson())
    np.testing.assert_allclose(fit.coef[:2], count.coef, rtol=1e-8)


@pytest.mark.parametrize("family", [em.ZeroTruncatedPoisson(), em.HurdlePoisson()], ids=str)
def test_the_limit_of_ones_has_residuals_and_predictions(family):
    data = {"y": [1.0, 1, 1, 1, 3, 2, 4, 1], "z": ["a", "a", "a", "a", "b", "b", "b", "b"]}
    if "zero" in [each.name for each in family.parameters]:
        data = {"y": [*data["y"], 0.0, 0.0], "z": [*data["z"], "a", "b"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = em.glm("y ~ z", data, family)
    assert fit.coef[0] == -np.inf
    assert np.all(np.isfinite(fit.residuals()))
    assert np.all(np.isfinite(fit.simulate(3)))
    assert np.all(np.isfinite(fit.predict()))


def test_counts_beyond_integers_are_drawn():
    family, eta = em.NegativeBinomial1(), np.array([[60.0, 0.5], [1.0, 0.5]])
    drawn = family.sample(np.random.default_rng(0), eta)
    np.testing.assert_allclose(drawn[0], np.exp(60.0), rtol=1e-6)
    assert drawn[1] < 100


def crossing(n=300):
    """Ordered classes whose thresholds, lines in x of their own, would cross where x is large."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=n)
    score = np.column_stack([0.0 * x, 0.9 * x - 1.5, -0.9 * x - 0.3, 0.5 * x])
    return {"y": np.argmax(score + rng.gumbel(size=(n, 4)), axis=1), "x": x}


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_thresholds_that_meet_are_a_maximum_at_that_edge(link):
    data = crossing()
    with pytest.warns(em.ConvergenceWarning, match=r"thresholds meet .* ContinuationRatio\(\)"):
        fit = em.glm("y ~ x", data, em.Cumulative(link, nonproportional="~ x"))
    assert fit.outcome.value == "boundary"
    assert fit.predict().min() < 1e-6
    oracle = likelihood_of(fit.problem, prepare(fit.problem))
    rng = np.random.default_rng(0)
    for size in (1e-5, 1e-3, 0.1):
        for _ in range(200):
            step = size * rng.normal(size=len(fit.beta))
            assert oracle.along(fit.beta, step, np.ones(1))[0] <= fit.solution.local.value + 1e-6
    assert em.glm("y ~ x", data, em.ContinuationRatio(nonproportional="~ x")).converged


def test_a_wall_is_asked_for_as_soon_as_steps_are_cut_short():
    """A level without one of the middle classes: its thresholds meet, and the search does not creep there."""
    rng = np.random.default_rng(0)
    n = 400
    x, g = rng.normal(size=n), rng.choice(list("abc"), n)
    y = np.digitize(0.5 * x + rng.logistic(size=n), [-1.0, 0.0, 1.0])
    y[(g == "c") & (y == 2)] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        fit = em.glm("y ~ g + x", {"y": y, "g": g, "x": x}, em.Cumulative(nonproportional="~ g"))
    assert fit.outcome.value == "boundary"
    assert fit.passes <= 50
