"""A formula for the shape or the dispersion of a family of one mean: what it means, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import etamu as em
from etamu.vector.modelled import several_of


def counts(n=400):
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=n), rng.choice(["a", "b"], n)
    theta = np.where(z == "a", 1.0, 4.0)
    y = rng.poisson(np.exp(0.6 + 0.4 * x) * rng.gamma(theta, 1.0 / theta)).astype(float)
    return pd.DataFrame({"y": y, "x": x, "z": z, "p": y + 0.5, "s": (y + 0.5) / (y.max() + 1.0)})


def test_theta_with_an_intercept_is_the_estimated_theta():
    data = counts()
    one = em.glm("y ~ x", data, "negative_binomial", covariance="observed")
    two = em.glm("y ~ x", data, em.NegativeBinomial(), predictors={"theta": "~ 1"})
    np.testing.assert_allclose(two.coef, [*one.coef, np.log(one.shape.estimate)], atol=1e-9)
    np.testing.assert_allclose(two.se, [*one.se, one.shape.se / one.shape.estimate], rtol=1e-9)
    np.testing.assert_allclose([two.loglik, two.aic], [one.loglik, one.aic], rtol=1e-12)


def test_theta_with_a_factor_of_everything_is_a_fit_of_every_level():
    data = counts()
    fit = em.glm("y ~ z*x", data, em.NegativeBinomial(), predictors={"theta": "~ z"})
    for level in "ab":
        alone = em.glm("y ~ x", data[data.z == level], em.NegativeBinomial())
        there = fit.predict({"x": [0.0], "z": [level]}, kind="theta")
        np.testing.assert_allclose(there, alone.shape.estimate, rtol=1e-8)
    assert "multiplies theta by" in str(fit.interpret()["theta:z[T.b]"])


def test_theta_of_counts_that_do_not_spread_is_the_poisson_limit():
    rng = np.random.default_rng(1)
    data = {"y": rng.binomial(6, 0.4, 200).astype(float), "x": rng.normal(size=200)}
    with pytest.warns(em.ConvergenceWarning, match="the Poisson law: the counts are not over-dispersed"):
        fit = em.glm("y ~ x", data, em.NegativeBinomial(), predictors={"theta": "~ x"})
    np.testing.assert_allclose(fit.loglik, em.glm("y ~ x", data, "poisson").loglik, rtol=1e-10)
    assert fit.outcome.value == "boundary"


@pytest.mark.parametrize("power", [1.2, 1.5, 1.9, 2.5])
def test_a_tweedie_dispersion_is_that_of_each_group(power):
    """With everything crossed by z, a double model is the fits of the groups, phi by maximum likelihood."""
    data = counts()
    data["y"] = data.y if power < 2.0 else data.p
    data["y"] = data.y * np.exp(0.1 * data.x)
    double = em.glm("y ~ z*x", data, em.Tweedie(power=power), dispersion="~ z")
    assert double.converged
    total = 0.0
    for level, place in (("a", [4]), ("b", [4, 5])):
        alone = em.glm("y ~ x", data[data.z == level], em.Tweedie(power=power), dispersion="ml")
        np.testing.assert_allclose(double.coef[place].sum(), np.log(alone.dispersion), atol=1e-7)
        total += alone.loglik
    np.testing.assert_allclose(double.loglik, total, rtol=1e-10)


def test_a_formula_reaches_the_dispersion_by_every_door():
    data = counts()
    ways = [
        em.glm("p ~ x", data, "gamma", "log", dispersion="~ z"),
        em.glm("p ~ x", data, "gamma", "log", predictors={"dispersion": "~ z"}),
        em.GLM("gamma", "log", dispersion="~ z").fit(data[["x", "z"]], data.p),
    ]
    np.testing.assert_allclose(ways[0].coef, ways[1].coef, rtol=1e-12)
    assert ways[2].names == (*ways[2].names[:3], *ways[0].names[2:])
    one = em.glm("y ~ x", data, em.NegativeBinomial1(), dispersion="~ z")
    other = em.glm("y ~ x", data, em.NegativeBinomial1(), predictors={"dispersion": "~ z"})
    np.testing.assert_array_equal(one.coef, other.coef)
    theta = em.GLM("nb").fit(data[["x"]].assign(z=data.z), data.y, predictors={"theta": "~ z"})
    assert theta.names[-2:] == ("theta:Intercept", "theta:z[T.b]")


def test_a_saved_theta_and_tweedie_dispersion_predict_alike(tmp_path):
    data = counts()
    for fit in (
        em.glm("y ~ x", data, "nb", predictors={"theta": "~ z"}),
        em.glm("y ~ x", data, em.Tweedie(power=1.5), dispersion="~ z"),
    ):
        fit.save(tmp_path / "fit.json")
        again = em.load(tmp_path / "fit.json")
        np.testing.assert_allclose(again.predict(data[:5]), fit.predict(data[:5]), rtol=1e-14)
        np.testing.assert_array_equal(again.se, fit.se)


@pytest.mark.parametrize(
    ("family", "keywords", "message"),
    [
        (em.Beta(), {"dispersion": "~ z"}, "no dispersion to model; predictors={'precision': '~ z'}"),
        (em.Multinomial(), {"dispersion": "~ z"}, "no dispersion to model: leave dispersion= out"),
        ("poisson", {"dispersion": "~ z"}, "of poisson its dispersion is 1"),
        ("quasipoisson", {"dispersion": "~ z"}, "of quasipoisson its density is not known"),
        ("nb", {"dispersion": "~ z"}, r"predictors=\{'theta': '~ z'\} models it"),
        ("tweedie", {"dispersion": "~ z"}, r"holds the power of tweedie: give it, Tweedie\(power="),
        ("poisson", {"predictors": {"zero": "~ z"}}, "poisson has one, the mean$"),
        ("gamma", {"predictors": {"shape": "~ z"}}, "the mean, and a dispersion to model"),
        ("nb", {"predictors": {"shape": "~ z"}}, "it has 'mean', 'theta'"),
        (em.NegativeBinomial(theta=2), {"predictors": {"theta": "~ z"}}, "leave it out of the family"),
        ("nb", {"predictors": {"theta": "~ z"}, "dispersion_method": "reml"}, "is about a modelled disp"),
        (em.NegativeBinomial1(), {"dispersion": "~ z", "dispersion_method": "reml"}, "not of negative_binom"),
        ("gamma", {"predictors": {"dispersion": "~ z"}, "dispersion": "~ x"}, "two formulas"),
    ],
    ids=str,
)
def test_what_cannot_be_modelled_is_refused_by_name(family, keywords, message):
    left = "y" if family == "nb" else "s"
    with pytest.raises(em.EtamuError, match=message):
        em.glm(f"{left} ~ x", counts(20), family, **keywords)


@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf, "2", None, True])
def test_theta_is_a_positive_number(value):
    with pytest.raises(em.FamilyError, match="theta must be a positive number"):
        em.NegativeBinomial(theta=value)


@pytest.mark.parametrize("value", [0.5, -1, 1e-9, 0.999, np.nan, np.inf, "1.5", None])
def test_no_model_has_a_power_in_between(value):
    with pytest.raises(em.FamilyError, match="power is 0 or at least 1"):
        em.Tweedie(power=value)


def test_the_family_of_a_call_is_told_apart_before_data():
    assert several_of("negative_binomial", "sqrt", {"theta": "~ z"}, None, "ml")[0].settings["link"] == "sqrt"
    assert several_of("gamma", None, {}, "~ z", "reml")[0].settings["adjusted"]
