"""Each further kind of residual is what its definition says, for every family that has it.

Read next: tests/fit/test_influence.py, where standardised and studentised residuals are R's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import kolmogorov, ndtr, ndtri

import etamu as em
from etamu.family.anscombe import anscombe
from etamu.family.distribution import distribution
from etamu.family.family import Family
from etamu.infer.quantile import normal_scores
from etamu.infer.uniform import uniform
from tests.catalogue import FAMILIES, responses
from tests.samples import FITTED, FORMULA, keywords, sample

WITH_LAW: tuple[Family, ...] = tuple(family for family in FAMILIES if family.has_density)
ids = str


def drawn(family: Family, n: int = 1500, seed: int = 11) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw a response of the family around means that depend on x; return data and keywords of the fit."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, n)
    given: dict[str, Any] = {}
    keyword: dict[str, Any] = {"family": family, "link": "log"}
    mu = np.exp(0.5 + 0.6 * x)
    if family.mean.upper == 1.0:
        mu, keyword["link"] = 1.0 / (1.0 + np.exp(-0.5 - 1.5 * x)), "logit"
    if family.mean.whole:
        keyword["link"] = "identity"
    data: dict[str, Any] = {"x": x}
    if len(family.response) > 1:
        data["m"] = given["trials"] = rng.integers(1, 6, n).astype(float)
        keyword["trials"] = "m"
    data["y"] = distribution(family).sample(rng, mu, 0.4, **given)
    return data, keyword


def evenness(probabilities: np.ndarray) -> float:
    """Return the p-value of Kolmogorov's test that the probabilities are uniform (asymptotic)."""
    n, ordered = len(probabilities), np.sort(probabilities)
    ends = np.arange(n + 1) / n
    return float(kolmogorov(np.sqrt(n) * max((ends[1:] - ordered).max(), (ordered - ends[:-1]).max())))


# --- quantile residuals ---


@pytest.mark.parametrize("family", WITH_LAW, ids=ids)
def test_quantile_residuals_are_standard_normal_under_the_model(family: Family) -> None:
    data, keyword = drawn(family)
    fit = em.glm("y ~ x", data, **keyword)
    scores = fit.residuals("quantile", seed=4)
    assert np.all(np.isfinite(scores))
    assert evenness(ndtr(scores)) > 1e-3
    assert evenness(ndtr(scores[data["x"] < 0.0])) > 1e-3


@pytest.mark.parametrize("family", ["poisson", "gamma"])
def test_quantile_residuals_show_a_wrong_model(family: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, 1500)
    mu = np.exp(1.0 + x)
    y = {
        "poisson": lambda: rng.poisson(mu * rng.gamma(1.0, 1.0, 1500)),
        "gamma": lambda: mu * rng.lognormal(0.0, 1.5, 1500),
    }[family]()
    scores = em.glm("y ~ x", {"x": x, "y": y.astype(float)}, family, link="log").residuals("quantile")
    assert evenness(ndtr(scores)) < 1e-6


def test_a_gaussian_quantile_residual_is_the_standard_score() -> None:
    data, _ = drawn(em.Gaussian(), 60)
    data["w"] = np.linspace(0.5, 2.0, 60)
    data["y"][7] += 60.0  # 0 is the tail of a normal law beyond 38 standard deviations
    fit = em.glm("y ~ x", data, variance_weights="w", dispersion=0.5)
    assert_allclose(fit.residuals("quantile"), fit.residuals("pearson") / np.sqrt(0.5), rtol=1e-9)
    assert np.abs(fit.residuals("quantile")[7]) > 40.0


@pytest.mark.parametrize("family", [em.Poisson(), em.Bernoulli(), em.Binomial(), em.NegativeBinomial(1.5)])
def test_the_score_of_a_count_lies_between_its_tails(family: Family) -> None:
    data, keyword = drawn(family, 300)
    fit = em.glm("y ~ x", data, **keyword)
    law, mu = distribution(family), fit.predict()
    given = {"trials": data["m"]} if "m" in data else {}
    low, high = (ndtri(law.cdf(data["y"] - step, mu, **given)) for step in (1.0, 0.0))
    for seed in (0, 1):
        scores = fit.residuals("quantile", seed=seed)
        assert np.all((low < scores + 1e-12) & (scores < high + 1e-12))
    assert np.any(fit.residuals("quantile", seed=0) != fit.residuals("quantile", seed=1))


@pytest.mark.parametrize("family", [em.Poisson(), em.Tweedie(1.5)])
def test_quantile_residuals_belong_to_their_rows(family: Family) -> None:
    data, keyword = drawn(family, 200)
    fit = em.glm("y ~ x", data, **keyword)
    blocks = replace(fit, problem=replace(fit.problem, options=replace(fit.problem.options, block_rows=7)))
    assert np.array_equal(fit.residuals("quantile", seed=2), blocks.residuals("quantile", seed=2))
    missing = dict(data, x=np.where(np.arange(200) % 10 == 3, np.nan, data["x"]))
    with pytest.warns(em.DroppedRowsWarning):
        fewer = em.glm("y ~ x", missing, **keyword)
    theirs = fewer.residuals("quantile", seed=2)
    kept = ~np.isnan(missing["x"])
    assert np.array_equal(np.isnan(theirs), ~kept)
    # The estimates differ a little, the uniform points not at all.
    assert_allclose(theirs[kept], fit.residuals("quantile", seed=2)[kept], atol=0.5)


def test_uniform_points_depend_on_seed_and_row_alone() -> None:
    def uniforms(seed: int, rows: np.ndarray) -> np.ndarray:
        return uniform(seed, rows, 1)[:, 0]

    every = uniforms(5, np.arange(1000))
    assert np.array_equal(uniforms(5, np.arange(333, 871)), every[333:871])
    assert np.array_equal(uniforms(5, np.array([999, 4, 500])), every[[999, 4, 500]])
    assert not np.any(uniforms(6, np.arange(1000)) == every)
    assert evenness(every) > 1e-3
    assert uniforms(5, np.arange(0)).shape == (0,)


def test_scores_keep_both_tails() -> None:
    tail = np.array([1e-300, 1e-20, 0.4])
    u = np.full(3, 0.5)
    below = normal_scores(tail, tail, u, np.full(3, True))
    above = normal_scores(tail, tail, u, np.full(3, False))
    assert_allclose(below, ndtri(tail), rtol=1e-12)
    assert_allclose(above, -below, rtol=1e-15)


@pytest.mark.parametrize("family", [family for family in FAMILIES if not family.has_density], ids=ids)
def test_a_family_without_a_law_has_no_quantile_residuals(family: Family) -> None:
    unit = next(unit for unit in FITTED if unit.family == family)
    fit = em.glm("y ~ z", sample(unit, 7), **keywords(unit))
    with pytest.raises(em.NotAvailableError, match="states a variance, not a distribution"):
        fit.residuals("quantile")


def test_a_row_of_weight_zero_has_no_quantile_residual() -> None:
    data, keyword = drawn(em.Poisson(), 20)
    weights = np.where(np.arange(20) == 4, 0.0, 1.0)
    fit = em.glm("y ~ x", data, variance_weights=weights, **keyword)
    assert np.flatnonzero(np.isnan(fit.residuals("quantile"))).tolist() == [4]


@pytest.mark.parametrize("seed", [-1, 0.5, True, "a"])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    data, keyword = drawn(em.Poisson(), 20)
    with pytest.raises(em.OptionError, match="seed"):
        em.glm("y ~ x", data, **keyword).residuals("quantile", seed=seed)


# --- Anscombe residuals ---


def by_quadrature(family: Family, y: float, mu: float) -> float:
    """Integrate V^(-1/3) from mu to y with mpmath and divide by V(mu)^(1/6)."""
    power, theta = family.variance_power, getattr(family, "theta", None)

    def variance(t: Any) -> Any:
        if power is not None:
            return t ** mpmath.mpf(power)
        return t * (1 + t / mpmath.mpf(theta)) if theta else t * (1 - t)

    with mpmath.workdps(30):
        low, high = sorted((mpmath.mpf(y), mpmath.mpf(mu)))
        inside = [
            low,
            *(mpmath.mpf(10) ** k for k in range(-9, 12) if low < mpmath.mpf(10) ** k < high),
            high,
        ]
        if power == 0.0:
            return y - mu
        area = mpmath.quad(lambda t: variance(t) ** (mpmath.mpf(-1) / 3), inside)
        return float(mpmath.sign(mpmath.mpf(y) - mu) * area / variance(mpmath.mpf(mu)) ** (mpmath.mpf(1) / 6))


@pytest.mark.parametrize("family", FAMILIES, ids=ids)
def test_anscombe_residuals_are_the_integral_that_defines_them(family: Family) -> None:
    values = [float(y) for y in responses(family) if y < 1e9]
    for mu in (0.001, 0.3, 0.9) if family.mean.upper == 1.0 else (0.01, 0.9, 40.0):
        for y in (*values, *((mu * 1.000001,) if not family.support.integer else ())):
            ours = anscombe(family, np.array([y]), np.array([mu]), np.array([1.0 - mu]))[0]
            assert_allclose(ours, by_quadrature(family, y, mu), rtol=1e-7, err_msg=f"y={y} mu={mu}")


@pytest.mark.parametrize("unit", FITTED, ids=[f"{u.family!r}-{u.link!r}" for u in FITTED])
def test_anscombe_residuals_carry_weights_and_trials(unit: Any) -> None:
    data = sample(unit, 7)
    w = np.random.default_rng(0).uniform(0.5, 2.0, len(data["y"]))
    formula = FORMULA if not unit.restricted else "y ~ z"
    fit = em.glm(formula, data, **keywords(unit), variance_weights=w)
    mu, trials = fit.predict(), data.get("m", 1.0)
    plain = anscombe(unit.family, data["y"] / trials, mu, 1.0 - mu)
    assert_allclose(fit.residuals("anscombe"), plain * np.sqrt(w * trials), rtol=1e-7, atol=1e-10)


def test_anscombe_residuals_are_nearly_normal_where_the_mean_is_large() -> None:
    data, keyword = drawn(em.Poisson(), 2000)
    data["y"] = np.random.default_rng(3).poisson(30.0 * np.exp(data["x"])).astype(float)
    residual = em.glm("y ~ x", data, **keyword).residuals("anscombe")
    assert abs(np.mean((residual - residual.mean()) ** 3)) < 0.15
    assert abs(np.std(residual) - 1.0) < 0.05


# --- partial residuals ---


def test_partial_residuals_are_working_residuals_and_centred_contributions() -> None:
    data = pd.DataFrame(sample(FITTED[0], 7))
    data["exposure"] = np.linspace(1.0, 2.0, len(data))
    fit = em.glm("y ~ x + x:z + C(g)", data, "gamma", link="log", exposure="exposure")
    table = fit.residuals("partial")
    assert isinstance(table, pd.DataFrame)
    assert list(table) == [term.label for term in fit.problem.layout.terms][1:]
    coef = dict(zip(fit.names, fit.coef, strict=True))
    effect = data["g"].map({"a": 0.0, "b": coef["C(g)[T.b]"], "c": coef["C(g)[T.c]"]})
    by_hand = {"x": coef["x"] * data["x"], "x:z": coef["x:z"] * data["x"] * data["z"], "C(g)": effect}
    for name, contribution in by_hand.items():
        expected = fit.residuals("working") + contribution - contribution.mean()
        assert_allclose(table[name], expected, rtol=1e-8, atol=1e-10)
        assert_allclose(fit.partial_residuals(name), table[name], rtol=1e-12)


def test_without_an_intercept_contributions_stay_as_they_are() -> None:
    data = sample(FITTED[0], 7)
    fit = em.glm("y ~ 0 + x + z", data, "gamma", link="log")
    expected = fit.residuals("working") + fit.coef[0] * data["x"]
    assert_allclose(fit.partial_residuals("x"), expected, rtol=1e-9, atol=1e-11)
    assert set(fit.residuals("partial")) == {"x", "z"}


def test_the_slope_of_partial_residuals_is_the_coefficient() -> None:
    data = sample(FITTED[0], 7)
    fit = em.glm("y ~ x + z", data, "gamma", link="log")
    slope = np.polyfit(data["x"], fit.partial_residuals("x"), 1, w=np.sqrt(fit.working().weights))[0]
    assert_allclose(slope, fit.coef[1], rtol=1e-8)


def test_a_term_that_is_not_there_is_named_among_those_that_are() -> None:
    fit = em.glm("y ~ x + C(g)", sample(FITTED[0], 7))
    with pytest.raises(em.OptionError, match=r"no term 'z'; the terms are 'x', 'C\(g\)'"):
        fit.partial_residuals("z")
    with pytest.raises(em.NotAvailableError, match="a constant only"):
        em.glm("y ~ 1", sample(FITTED[0], 7)).residuals("partial")


# --- names ---


def test_kinds_have_their_names_in_both_spellings() -> None:
    fit = em.glm("y ~ x", sample(FITTED[0], 7))
    for kind in ("standardised", "standardised deviance", "standardised pearson", "studentised"):
        assert np.array_equal(fit.residuals(kind), fit.residuals(kind.replace("ised", "ized")))
    assert np.array_equal(fit.residuals("standardised"), fit.residuals("standardised deviance"))
    with pytest.raises(em.OptionError, match=r"'anscombe'.*'quantile'"):
        fit.residuals("student")


@pytest.mark.parametrize("dispersion", ["pearson", "deviance", 2.5])
def test_standardised_residuals_hold_the_dispersion_of_the_fit(dispersion: Any) -> None:
    data = sample(FITTED[0], 7)
    fit = em.glm("y ~ x", data, "gamma", link="log", dispersion=dispersion)
    h = fit.influence().leverage
    expected = fit.residuals("deviance") / np.sqrt(fit.dispersion * (1.0 - h))
    assert_allclose(fit.residuals("standardised"), expected, rtol=1e-12)
    d, p = fit.residuals("deviance"), fit.residuals("pearson")
    size = np.sqrt(d**2 + h * p**2 / (1.0 - h))
    sigma = fit.influence().loo_sigma if fit.phi.estimated else np.sqrt(2.5)
    assert_allclose(fit.residuals("studentised"), np.sign(d) * size / sigma, rtol=1e-12)
