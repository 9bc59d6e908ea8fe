from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from tests.samples import FITTED, FORMULA, keywords, sample


@pytest.mark.parametrize("unit", FITTED, ids=[f"{u.family!r}-{u.link!r}" for u in FITTED])
def test_null_deviance_is_the_deviance_of_the_constant(unit):
    data = sample(unit, 6)
    full = (
        em.glm(FORMULA, data, **keywords(unit))
        if not unit.restricted
        else em.glm("y ~ z", data, **keywords(unit))
    )
    constant = em.glm("y ~ 1", data, **keywords(unit))
    assert_allclose(full.null_deviance, constant.deviance, rtol=1e-9)
    assert_allclose(constant.null_deviance, constant.deviance, rtol=1e-9)
    assert full.df_null == constant.df_null == constant.df_resid


@pytest.mark.parametrize("family", ["poisson", "gaussian", "bernoulli", "gamma"])
def test_the_null_model_keeps_offset_and_weights(family):
    unit = em.glm(
        "y ~ 1", {"y": [1.0, 1.0, 0.5 if family in {"gamma", "gaussian"} else 0.0]}, family, None
    ).problem.unit
    link = "log" if family == "gamma" else unit.link
    unit = em.Unit(
        unit.family, em.glm("y~1", {"y": [1.0, 2.0]}, "gamma", "log").link if link == "log" else link
    )
    data = sample(unit, 1)
    options = {"offset": 0.3 * data["z"], "variance_weights": np.linspace(0.5, 2.0, len(data["y"]))}
    full = em.glm(FORMULA, data, **keywords(unit), **options)
    constant = em.glm("y ~ 1", data, **keywords(unit), **options)
    assert_allclose(full.null_deviance, constant.deviance, rtol=1e-9)


def test_without_an_intercept_eta_is_the_offset_even_if_a_factor_spans_the_constant():
    data = {"y": [1.0, 2.0, 3.0, 4.0], "g": ["a", "a", "b", "b"]}
    fit = em.glm("y ~ 0 + g", data)
    assert_allclose(fit.null_deviance, 1 + 4 + 9 + 16)
    assert fit.df_null == 4
    fit = em.glm("y ~ 0 + g", data, "poisson", offset=np.log(data["y"]))
    assert_allclose(fit.null_deviance, 0.0, atol=1e-12)


def test_all_zeros_have_null_deviance_zero():
    with pytest.warns(em.ConvergenceWarning):
        fit = em.glm("y ~ x", {"y": [0.0] * 5, "x": np.arange(5.0)}, "poisson")
    assert fit.null_deviance == 0.0
