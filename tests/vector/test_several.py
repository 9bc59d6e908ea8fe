"""Several starts: a shape with a formula may give a small sample several maxima, and the best is kept."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import etamu as em
from etamu.vector import several


def small(seed):
    """A few positive counts whose shape has a slope."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([25, 40, 80, 200]))
    x = rng.normal(size=n)
    mean = rng.uniform(-0.3, 1.5) + rng.normal() * 0.5 * x
    shape = rng.normal() + rng.normal() * 0.6 * x
    y = em.ZeroTruncatedNegativeBinomial().sample(rng, np.stack([mean, shape], axis=1))
    return {"y": y, "x": x}


def fitted(data, **options):
    family = em.ZeroTruncatedNegativeBinomial()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        return em.glm("y ~ x", data, family, predictors={"shape": "~ x"}, **options)


@pytest.mark.parametrize("seed", [9, 20, 38])
def test_the_highest_of_several_maxima_is_kept(seed, monkeypatch):
    data = small(seed)
    fit = fitted(data)
    monkeypatch.setattr(several, "ROWS", 0)
    first = fitted(data)
    assert fit.converged
    assert fit.loglik > first.loglik + 1e-3
    assert fitted(data, start=fit.coef).loglik == pytest.approx(fit.loglik, rel=1e-12)
