"""A stepwise search over several predictors goes where drop1 and add1 point, and ends at a fit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em

RNG = np.random.default_rng(0)
N = 200
DATA = {"x": RNG.normal(size=N), "z": RNG.normal(size=N), "g": RNG.integers(0, 2, N)}
DATA["y"] = np.digitize(0.9 * DATA["x"] + RNG.logistic(size=N), [-0.7, 0.8])
DATA["n"] = np.where(RNG.random(N) < 0.3, 0, RNG.poisson(np.exp(0.5 + 0.5 * DATA["x"])))
MODELS = {
    "multinomial": ("y", em.Multinomial(), {}),
    "cumulative": ("y", em.Cumulative(), {}),
    "inflated": ("n", em.ZeroInflatedPoisson(), {"predictors": {"zero": "~ z"}}),
}


def fitted(name, right):
    left, family, keywords = MODELS[name]
    return em.glm(f"{left} ~ {right}", DATA, family=family, **keywords)


@pytest.mark.parametrize("name", MODELS)
def test_a_step_backward_is_what_drop1_says(name):
    fit = fitted(name, "x + z")
    search, table = fit.step(), fit.drop1(scope=["x", "z"])
    own = {f"- {term}": value for term, value in zip(table.rows[1:], table["aic"][1:], strict=True)}
    first = search.candidates[0]
    for label, value in zip(first.rows, first["aic"], strict=True):
        assert_allclose(value, own.get(label, fit.aic), rtol=1e-9)
    assert search.fit.aic == min(search.path["aic"])
    assert search.fit.formula == search.formulas[-1]


def test_both_ways_meet_at_the_same_model():
    backward = fitted("cumulative", "x + z + g").step()
    forward = fitted("cumulative", "1").step(scope="~ x + z + g")
    assert backward.fit.formula == forward.fit.formula
    assert "x" in backward.fit.formula
    assert_allclose(backward.fit.coef, forward.fit.coef, rtol=1e-7)
    held = fitted("cumulative", "x + g").step(scope=("~ g", "~ x + g")).fit.formula
    assert held == "y ~ x + g"
    assert fitted("cumulative", "1").step(scope="~ x + z", criterion="bic").criterion == "BIC"


def test_terms_of_the_thresholds_stay():
    family = em.Cumulative(nonproportional="~ z")
    search = em.glm("y ~ x + z", DATA, family=family).step()
    assert search.fit.formula == "y ~ x + z"


def test_what_is_not_understood_is_refused():
    fit = fitted("multinomial", "x")
    with pytest.raises(em.OptionError, match="direction"):
        fit.step("sideways")
    with pytest.raises(em.OptionError, match="criterion"):
        fit.step(criterion="p")
    X = np.column_stack([DATA["x"], DATA["z"]])
    with pytest.raises(em.NotAvailableError, match="arrays"):
        em.GLM(family=em.Multinomial()).fit(X, DATA["y"].astype(str)).step()
