from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from tests.samples import FITTED, FORMULA, keywords, sample


@pytest.mark.parametrize("unit", FITTED, ids=[f"{u.family!r}-{u.link!r}" for u in FITTED])
def test_residuals_are_what_the_book_says(unit):
    data = sample(unit, 7)
    formula = FORMULA if not unit.restricted else "y ~ z"
    w = np.random.default_rng(0).uniform(0.5, 2.0, len(data["y"]))
    fit = em.glm(formula, data, **keywords(unit), variance_weights=w)
    mu, eta = fit.predict(), fit.predict(kind="link")
    y = data["y"] / data["m"] if "m" in data else data["y"]
    weight = w * data.get("m", 1.0)
    mean = unit.mean(np, eta)
    assert_allclose(fit.residuals("response"), y - mu, rtol=1e-9, atol=1e-12)
    assert_allclose(fit.residuals("working"), (y - mu) / mean.d1, rtol=1e-8, atol=1e-11)
    pearson = (y - mu) * np.sqrt(weight / unit.variance(np, eta))
    assert_allclose(fit.residuals("pearson"), pearson, rtol=1e-8, atol=1e-11)
    assert_allclose(np.sum(fit.residuals("pearson") ** 2), fit.pearson_chi2, rtol=1e-9)
    deviance = fit.residuals("deviance")
    assert np.all(np.sign(deviance) == np.sign(fit.residuals("response")))
    assert_allclose(np.sum(deviance**2), fit.deviance, rtol=1e-9)


def test_a_frequency_weight_leaves_the_residual_of_a_single_copy():
    data = {"y": [1.0, 0.0, 3.0, 2.0, 5.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0]}
    k = np.array([1, 3, 2, 1, 2])
    one = em.glm("y ~ x", data, "poisson", frequency_weights=k)
    copies = em.glm("y ~ x", {name: np.repeat(column, k) for name, column in data.items()}, "poisson")
    first = np.r_[0, np.cumsum(k)[:-1]]
    for kind in ("response", "working", "pearson", "deviance"):
        assert_allclose(one.residuals(kind), copies.residuals(kind)[first], rtol=1e-8, atol=1e-12)


def test_residuals_align_with_the_input():
    data = {"y": [1.0, np.nan, 3.0, 2.0, 5.0], "x": [0.0, 1.0, 2.0, np.nan, 4.0]}
    with pytest.warns(em.DroppedRowsWarning):
        fit = em.glm("y ~ x", data)
    assert np.isnan(fit.residuals("response")).tolist() == [False, True, False, True, False]
    assert_allclose(
        fit.residuals("response")[[0, 2, 4]], fit.predict()[[0, 2, 4]] * -1 + np.array([1.0, 3.0, 5.0])
    )


def test_tails_keep_their_residuals():
    # At eta = 40 the mean is 1 in float64; the residual of a success is not 0 but e^-40.
    fit = em.glm("y ~ 1", {"y": [0.0, 1.0, 1.0, 1.0]}, "bernoulli", offset=np.array([0.0, 0.0, 0.0, 40.0]))
    eta = fit.predict(kind="link")[3]
    assert_allclose(fit.residuals("response")[3], np.exp(-eta), rtol=1e-12)
    assert_allclose(fit.residuals("deviance")[3], np.sqrt(2 * np.exp(-eta)), rtol=1e-12)


def test_an_unknown_kind_is_refused():
    with pytest.raises(em.OptionError, match=r"'raw'.*deviance"):
        em.glm("y ~ 1", {"y": [1.0, 2.0]}).residuals("raw")
