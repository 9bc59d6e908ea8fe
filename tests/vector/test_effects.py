"""Average effects of several predictors: against differences of predictions, and against one predictor."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import etamu as em


def classes(n=300):
    rng = np.random.default_rng(0)
    x, z = rng.uniform(0.5, 3.0, n), rng.choice(["p", "q", "r"], n)
    score = np.column_stack([0.0 * x, 0.4 * x - 0.3, 0.8 * (z == "q") - 0.2 * x])
    y = np.array(["a", "b", "c"])[np.argmax(score + rng.gumbel(size=(n, 3)), axis=1)]
    return pd.DataFrame({"y": y, "x": x, "z": z, "k": rng.integers(1, 4, n)})


def test_two_classes_are_the_logistic_fit():
    data = classes()
    data["two"] = (data.y == "a").astype(float)
    many = em.glm("two ~ log(x) + z", data, em.Multinomial(), frequency_weights="k").effects()
    one = em.glm("two ~ log(x) + z", data, "bernoulli", frequency_weights="k").effects()
    of = np.array(many["of"]) == "1"
    for column in ("estimate", "std_error", "conf_low", "p_value"):
        np.testing.assert_allclose(many[column][of], one[column], rtol=1e-6)
    assert list(many["variable"][of]) == list(one["variable"])
    assert list(many["contrast"][of]) == list(one["contrast"])


def test_slopes_ask_for_no_value_beyond_those_there_are():
    data = classes()
    data["x"] -= data["x"].min()  # the square root of less than 0 is no number
    data["two"] = (data.y == "a").astype(float)
    many = em.glm("two ~ sqrt(x)", data, em.Multinomial()).effects()
    one = em.glm("two ~ sqrt(x)", data, "bernoulli").effects()
    np.testing.assert_allclose(many["estimate"][np.array(many["of"]) == "1"], one["estimate"], rtol=1e-3)


@pytest.mark.parametrize(
    "family",
    [em.Multinomial(), em.Cumulative(levels=list("abc")), em.ContinuationRatio(levels=list("abc"))],
    ids=["multinomial", "cumulative", "continuation"],
)
def test_effects_are_averages_of_differences_of_predictions(family):
    data = classes()
    fit = em.glm("y ~ x + z", data, family)
    table = fit.effects()
    moved = [fit.predict(data.assign(x=data.x + step)).mean(axis=0) for step in (1e-4, -1e-4)]
    np.testing.assert_allclose(table["estimate"][:3], (moved[0] - moved[1]) / 2e-4, rtol=1e-6)
    at = {level: fit.predict(data.assign(z=level)).mean(axis=0) for level in "pqr"}
    expected = np.concatenate([at["q"] - at["p"], at["r"] - at["p"]])
    np.testing.assert_allclose(table["estimate"][3:], expected, rtol=1e-9)
    sums = np.asarray(table["estimate"]).reshape(-1, 3).sum(axis=1)
    np.testing.assert_allclose(sums, 0.0, atol=1e-10)


def test_standard_errors_are_those_of_draws_of_the_coefficients():
    data = classes()
    fit = em.glm("y ~ x + z", data, em.Multinomial())
    table = fit.effects("x", kind="b")
    rng = np.random.default_rng(1)
    root = np.linalg.cholesky(fit.cov)
    design = np.column_stack([np.ones(len(data)), data.x, data.z == "q", data.z == "r"])

    def effect(coef):
        slopes = np.array([0.0, coef[1], coef[5]])
        eta = np.column_stack([np.zeros(len(data)), design @ coef[:4], design @ coef[4:]])
        p = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)
        return np.mean(p[:, 1] * (slopes[1] - p @ slopes))

    np.testing.assert_allclose(table["estimate"], effect(fit.coef), rtol=1e-7)
    draws = [effect(fit.coef + root @ rng.normal(size=8)) for _ in range(2000)]
    np.testing.assert_allclose(table["std_error"], np.std(draws), rtol=0.06)


def test_effects_on_a_mean_and_on_a_parameter():
    rng = np.random.default_rng(2)
    x, w = rng.normal(size=400), rng.normal(size=400)
    y = np.where(rng.random(400) < 0.3, 0.0, rng.poisson(np.exp(0.8 + 0.3 * x)))
    data = {"y": y, "x": x, "w": w}
    fit = em.glm("y ~ x", data, em.ZeroInflatedPoisson(), predictors={"zero": "~ w"})
    on_mean, on_zero = fit.effects(), fit.effects("w", kind="zero")
    assert list(on_mean["variable"]) == ["x", "w"]
    zero = fit.predict(kind="zero")
    np.testing.assert_allclose(on_zero["estimate"], np.mean(zero * (1 - zero)) * fit.coef[3], rtol=1e-7)
    np.testing.assert_allclose(on_mean["estimate"][0], np.mean(fit.predict()) * fit.coef[1], rtol=1e-7)
    robust = fit.with_covariance("HC1").effects("x")
    assert robust["std_error"][0] != on_mean["std_error"][0]


def test_what_has_no_effect_is_refused():
    data = classes(60)
    fit = em.glm("y ~ x", data, em.Multinomial())
    with pytest.raises(em.OptionError, match=r"no variable 'z'; there are 'x'"):
        fit.effects("z")
    with pytest.raises(em.OptionError, match="kind='odds' is not known"):
        fit.effects(kind="odds")
    with pytest.raises(em.OptionError, match="has a constant only"):
        em.glm("y ~ 1", data, em.Multinomial()).effects()
    with pytest.raises(em.NotAvailableError, match="fitted to a matrix"):
        em.GLM(em.Multinomial()).fit(data[["x"]].to_numpy(), data.y).effects()
