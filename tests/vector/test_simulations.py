"""Many replications: estimates about the truth, intervals that cover it, REML without bias. Slow."""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest

import etamu as em

pytestmark = pytest.mark.slow
REPLICATIONS = int(os.environ.get("ETAMU_REPLICATIONS", "1000"))
N = 800


def covered(make, truth, names, seeds):
    """Share of 95 % intervals that hold the truth, and the mean error in standard errors, per coefficient."""
    inside, errors = np.zeros(len(names)), []
    for seed in seeds:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fit = make(np.random.default_rng(seed))
        place = [fit.names.index(name) for name in names]
        ends = fit.conf_int()[place]
        inside += (ends[:, 0] < truth) & (truth < ends[:, 1])
        errors.append((fit.coef[place] - truth) / fit.se[place])
    return inside / len(seeds), np.mean(errors, axis=0)


def three_errors(count):
    """Three Monte-Carlo standard errors of a coverage of 95 %."""
    return 3.0 * np.sqrt(0.95 * 0.05 / count)


def check(make, truth, names):
    """Hold coverage to three errors; one in 400 is outside by chance: then four times as many decide."""
    seeds = range(REPLICATIONS)
    coverage, bias = covered(make, np.array(truth), names, seeds)
    print(dict(zip(names, coverage, strict=True)))
    if np.abs(coverage - 0.95).max() > three_errors(len(seeds)):
        seeds = range(REPLICATIONS, 5 * REPLICATIONS)
        coverage, bias = covered(make, np.array(truth), names, seeds)
        print("again", dict(zip(names, coverage, strict=True)))
    np.testing.assert_allclose(coverage, 0.95, atol=three_errors(len(seeds)))
    np.testing.assert_allclose(bias, 0.0, atol=3.0 / np.sqrt(len(seeds)) + 0.1)


def test_multinomial():
    def make(rng):
        x = rng.normal(size=N)
        eta = np.column_stack([np.zeros(N), 0.3 + 0.8 * x, -0.2 - 0.5 * x])
        y = np.argmax(eta + rng.gumbel(size=(N, 3)), axis=1)
        return em.glm("y ~ x", {"y": y, "x": x}, em.Multinomial())

    check(make, [0.3, 0.8, -0.2, -0.5], ["1:Intercept", "1:x", "2:Intercept", "2:x"])


@pytest.mark.parametrize(("link", "noise"), [("logit", "logistic"), ("probit", "normal")])
def test_cumulative(link, noise):
    def make(rng):
        x = rng.normal(size=N)
        latent = 0.7 * x + getattr(rng, noise)(size=N)
        return em.glm("y ~ x", {"y": np.digitize(latent, [-1.0, 0.5]), "x": x}, em.Cumulative(link))

    check(make, [-1.0, 0.5, 0.7], ["0|1", "1|2", "x"])


def test_dispersion_by_reml():
    def make(rng):
        x, z = rng.normal(size=N), rng.normal(size=N)
        y = 1.0 + 0.5 * x + np.exp(0.5 * (-0.4 + 0.6 * z)) * rng.normal(size=N)
        data = {"y": y, "x": x, "z": z}
        return em.glm("y ~ x", data, dispersion="~ z", dispersion_method="reml")

    names = ["mean:Intercept", "mean:x", "dispersion:Intercept", "dispersion:z"]
    check(make, [1.0, 0.5, -0.4, 0.6], names)


LAWS = {
    "beta": (em.Beta(), [[0.3, 0.6], [1.5, 0.7]]),
    "beta-binomial": (em.BetaBinomial(), [[0.3, 0.6], [1.2, 0.4]]),
    "nb1": (em.NegativeBinomial1(), [[1.2, 0.4], [0.3, 0.4]]),
    "nb2": (em.NegativeBinomial2(), [[1.2, 0.4], [0.6, 0.4]]),
    "generalised poisson": (em.GeneralizedPoisson(), [[1.2, 0.4], [0.3, 0.2]]),
    "com-poisson": (em.ConwayMaxwellPoisson(), [[1.2, 0.4], [0.7, 0.3]]),
    "truncated poisson": (em.ZeroTruncatedPoisson(), [[0.5, 0.4]]),
    "truncated nb": (em.ZeroTruncatedNegativeBinomial(), [[1.5, 0.4], [0.9, 0.0]]),
    "hurdle poisson": (em.HurdlePoisson(), [[0.8, 0.4], [-0.4, 0.6]]),
    "hurdle nb": (em.HurdleNegativeBinomial(), [[1.5, 0.4], [-0.4, 0.6], [0.9, 0.0]]),
    "zip": (em.ZeroInflatedPoisson(), [[1.0, 0.4], [-0.4, 0.6]]),
    "zinb": (em.ZeroInflatedNegativeBinomial(), [[2.0, 0.4], [-0.4, 0.6], [1.0, 0.0]]),
}
"""Families of several parameters, each a line in x but shapes, which are constant where their slope is 0."""


@pytest.mark.parametrize("name", LAWS)
def test_every_parameter_of_every_law(name):
    family, lines = LAWS[name]
    pairs = list(zip(family.parameters, lines, strict=True))
    sloped = {each.name: "~ x" for each, line in pairs if line[1] and not each.main}
    names, truth = [], []
    for parameter, (level, slope) in pairs:
        names += [f"{parameter.name}:Intercept", *([f"{parameter.name}:x"] if slope else [])]
        truth += [level, *([slope] if slope else [])]

    def make(rng):
        x = rng.uniform(-1.0, 1.0, N)
        eta = np.column_stack([level + slope * x for level, slope in lines])
        m = rng.integers(4, 20, N).astype(float)
        trials = "trials" in family.response
        y = family.sample(rng, eta, (m,) if trials else ())
        data = {"y": y, "x": x, "m": m}
        return em.glm("y ~ x", data, family, predictors=sloped, **({"trials": "m"} if trials else {}))

    check(make, truth, names)


@pytest.mark.parametrize("family", [em.ContinuationRatio(), em.AdjacentCategory()], ids=str)
def test_steps_and_neighbours(family):
    settled = family.among(("0", "1", "2"))

    def make(rng):
        x = rng.normal(size=N)
        eta = np.column_stack([np.full(N, -0.6), np.full(N, 0.4), 0.5 * x])
        return em.glm("y ~ x", {"y": settled.sample(rng, eta), "x": x}, family)

    check(make, [-0.6, 0.4, 0.5], ["0|1", "1|2", "x"])


def test_the_shapes_of_one_predictor():
    """Theta of glm.nb, the power and phi of a Tweedie: their own intervals, and those of the coefficients."""
    hits = {"theta": 0, "power": 0, "nb": np.zeros(2), "tweedie": np.zeros(2)}
    law = em.NegativeBinomial2()
    for seed in range(REPLICATIONS):
        rng = np.random.default_rng(seed)
        x = rng.uniform(-1.0, 1.0, N)
        eta = np.column_stack([1.2 + 0.4 * x, np.full(N, 0.6)])
        amount = np.exp(0.4 + 0.5 * x)
        counts = rng.poisson(amount**0.5 * 2.0)
        cost = np.where(counts > 0, rng.gamma(np.maximum(counts, 1), 0.5 * amount**0.5), 0.0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            nb = em.glm("y ~ x", {"y": law.sample(rng, eta), "x": x}, em.NegativeBinomial())
            tweedie = em.glm("y ~ x", {"y": cost, "x": x}, em.Tweedie())
        for key, fit, truth in (("theta", nb, np.exp(0.6)), ("power", tweedie, 1.5)):
            low, high = fit.shape.conf_int()
            hits[key] += low < truth < high
        for key, fit, truth in (("nb", nb, [1.2, 0.4]), ("tweedie", tweedie, [0.4, 0.5])):
            ends = fit.conf_int()
            hits[key] += (ends[:, 0] < truth) & (truth < ends[:, 1])
    print({key: each / REPLICATIONS for key, each in hits.items()})
    for each in hits.values():
        np.testing.assert_allclose(each / REPLICATIONS, 0.95, atol=three_errors(REPLICATIONS))
