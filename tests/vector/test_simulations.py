"""Many replications: estimates about the truth, intervals that cover it, REML without bias. Slow."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import etamu as em

pytestmark = pytest.mark.slow
REPLICATIONS = 400
N = 300


def covered(make, truth, names):
    """Share of 95 % intervals that hold the truth, and the mean error in standard errors, per coefficient."""
    inside, errors = np.zeros(len(names)), []
    for seed in range(REPLICATIONS):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fit = make(np.random.default_rng(seed))
        place = [fit.names.index(name) for name in names]
        ends = fit.conf_int()[place]
        inside += (ends[:, 0] < truth) & (truth < ends[:, 1])
        errors.append((fit.coef[place] - truth) / fit.se[place])
    return inside / REPLICATIONS, np.mean(errors, axis=0)


def check(make, truth, names):
    coverage, bias = covered(make, np.array(truth), names)
    three = 3.0 * np.sqrt(0.95 * 0.05 / REPLICATIONS)
    np.testing.assert_allclose(coverage, 0.95, atol=three + 0.01)  # Wald intervals are right to order 1 / n
    np.testing.assert_allclose(bias, 0.0, atol=3.0 / np.sqrt(REPLICATIONS) + 0.1)


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
