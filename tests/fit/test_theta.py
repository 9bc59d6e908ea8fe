"""The negative binomial with theta estimated: MASS's glm.nb, hostile counts, and what a user asks of it."""

from __future__ import annotations

import io
import json
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etamu as em
from etamu.fit import theta as climbing
from tests import oracle

WHOLE = json.loads((Path(__file__).parents[1] / "references" / "shapes.json").read_text(encoding="utf-8"))
CASES = {case["id"]: case for case in WHOLE["cases"] if case["kind"] == "glm.nb"}
every_case = pytest.mark.parametrize("identifier", CASES)


def fitted(identifier: str, **options: Any) -> tuple[em.Fit, dict[str, Any], list[int]]:
    case = CASES[identifier]
    data = oracle.table(case["data"])
    if case["offset"] is not None:
        options["offset"] = np.log(data["BroodSize"].to_numpy())
    if case["weights"] is not None:
        options["variance_weights"] = case["weights"]
    formula = case["formula"].split("~")[0] + "~" + case["formulaic_rhs"]
    fit = em.glm(formula, data, family="negative_binomial", **options)
    order = [fit.names.index(case["coef_map"][name]) for name in case["expected"]["coef"]]
    return fit, case["expected"], order


@every_case
def test_glm_nb_of_mass(identifier: str) -> None:
    fit, said, order = fitted(identifier)
    errors = oracle.numbers(said["se"])
    np.testing.assert_array_less(np.abs(fit.coef[order] - oracle.numbers(said["coef"])), 1e-8 * errors)
    np.testing.assert_allclose(fit.se[order], errors, rtol=1e-8)
    assert abs(fit.shape.estimate - said["theta"]) < 1e-8 * said["theta_se"]
    np.testing.assert_allclose(fit.shape.se, said["theta_se"], rtol=1e-8)
    np.testing.assert_allclose(fit.shape.inverse, said["alpha"], rtol=1e-8)
    np.testing.assert_allclose(fit.shape.inverse_se, said["alpha_se_delta"], rtol=1e-8)
    np.testing.assert_allclose(2.0 * fit.loglik, said["twologlik"], rtol=1e-12)
    # R's BIC takes the logarithm of all rows, also of those of weight 0.
    names = ("deviance", "null_deviance", "aic", "df_resid", *(() if "weights" in identifier else ("bic",)))
    for name in names:
        np.testing.assert_allclose(getattr(fit, name), said[name], rtol=1e-8)
    assert fit.parameters == said["loglik_df"]
    assert fit.converged


@every_case
def test_the_joint_information_is_that_of_other_software(identifier: str) -> None:
    fit, said, order = fitted(identifier, covariance="observed")
    theirs = oracle.numbers({name: said["joint_se"][name] for name in said["coef"]})
    np.testing.assert_allclose(fit.se[order], theirs, rtol=1e-8)
    np.testing.assert_allclose(fit.shape.se, said["joint_se"]["theta"], rtol=1e-8)
    model = fit.with_covariance("model")
    np.testing.assert_allclose(model.with_covariance("observed").se, fit.se, rtol=1e-8)


@every_case
def test_tables_of_one_fit_hold_theta_as_mass_does(identifier: str) -> None:
    fit, said, _ = fitted(identifier)
    theirs = oracle.numbers(said["anova_I"])
    np.testing.assert_allclose(fit.anova()["resid_deviance"], theirs[:, 3], rtol=1e-8)
    theirs = oracle.numbers(said["drop1"])
    table = fit.drop1()
    np.testing.assert_allclose(table["deviance"], theirs[:, 1], rtol=1e-8)
    # R's AIC there counts no theta; its differences are ours.
    np.testing.assert_allclose(table["aic"] - table["aic"][0], theirs[:, 2] - theirs[0, 2], atol=1e-7)


with_profile = [name for name, case in CASES.items() if "confint_profile_exact" in case["expected"]]


@pytest.mark.parametrize("identifier", with_profile)
def test_profile_intervals_of_coefficients_hold_theta(identifier: str) -> None:
    fit, said, order = fitted(identifier)
    theirs = oracle.numbers(said["confint_profile_exact"])
    np.testing.assert_allclose(fit.conf_int(method="profile")[order], theirs, rtol=1e-6, atol=1e-7)


# --- hostile counts ---


def hostile(name: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(WHOLE["hostile"][name]["csv"]))


def test_nothing_but_zeros_is_refused() -> None:
    with pytest.raises(em.DataError, match="every response is 0, so nothing tells what theta is"):
        em.glm("y ~ x", hostile("allzero-glmnb"), family=em.NegativeBinomial())


def test_underdispersed_counts_end_at_the_poisson_limit() -> None:
    data = hostile("glmnb-underdispersed")
    limit = WHOLE["hostile"]["glmnb-underdispersed"]["expected"]["limit"]
    with pytest.warns(em.ConvergenceWarning, match="theta is infinite"):
        fit = em.glm("y ~ x", data, family=em.NegativeBinomial())
    poisson = em.glm("y ~ x", data, family="poisson")
    np.testing.assert_allclose(fit.coef, list(limit["coef"].values()), rtol=1e-9)
    np.testing.assert_allclose(fit.loglik, limit["loglik"], rtol=1e-12)
    for name in ("coef", "se", "loglik", "aic", "deviance"):
        np.testing.assert_allclose(getattr(fit, name), getattr(poisson, name), rtol=1e-9)
    assert fit.shape.estimate == np.inf
    assert fit.shape.inverse == 0.0
    assert "theta is infinite" in fit.notes[-1]
    assert "theta = Inf" in str(fit)
    low, high = fit.shape.conf_int(method="profile")
    assert 0.0 < low < high == np.inf
    at_low = em.glm("y ~ x", data, family=em.NegativeBinomial(low))
    np.testing.assert_allclose(2.0 * (fit.loglik - at_low.loglik), 3.841458820694124, rtol=1e-8)


def test_a_group_of_zeros_has_an_infinite_coefficient_whatever_theta_is() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = em.glm("y ~ g + x", hostile("pois-zero-group-glmnb"), family=em.NegativeBinomial())
    assert fit.outcome.value == "infinite"
    assert fit.shape.estimate == np.inf
    assert {each.category for each in caught} == {em.ConvergenceWarning, em.SeparationWarning}


def test_counts_of_1e15_that_fit_perfectly() -> None:
    said = WHOLE["hostile"]["big-1e15-negbin"]["expected"]["reference_mp"]["coef"]
    with pytest.warns(em.ConvergenceWarning, match="theta is infinite"):
        fit = em.glm("y15b ~ x", hostile("big-1e15-negbin"), family=em.NegativeBinomial())
    np.testing.assert_allclose(fit.coef, list(said.values()), rtol=1e-12)


def test_huge_dispersed_counts() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=300)
    mean = np.exp(28.0 + 0.3 * x)
    y = rng.negative_binomial(3.0, 3.0 / (3.0 + mean)).astype(float)
    fit = em.glm("y ~ x", {"y": y, "x": x}, family=em.NegativeBinomial())
    assert fit.converged
    assert abs(fit.shape.estimate - 3.0) < 3.0 * fit.shape.se


def test_one_count_among_zeros() -> None:
    y = np.zeros(1000)
    y[3] = 1e6
    fit = em.glm("y ~ 1", {"y": y}, family=em.NegativeBinomial())
    assert fit.converged
    for factor in (0.99, 1.01):
        beside = em.glm("y ~ 1", {"y": y}, family=em.NegativeBinomial(factor * fit.shape.estimate))
        assert beside.loglik < fit.loglik


# --- what a user asks ---

RNG = np.random.default_rng(7)
N = 400
DATA = {
    "x": RNG.normal(size=N),
    "z": RNG.normal(size=N),
    "g": RNG.choice(["a", "b", "c"], N),
    "years": RNG.uniform(0.5, 2.0, N),
    "school": RNG.integers(0, 20, N),
}
MEAN = DATA["years"] * np.exp(1.0 + 0.3 * DATA["x"])
DATA["y"] = RNG.negative_binomial(2.0, 2.0 / (2.0 + MEAN)).astype(float)


@pytest.fixture(scope="module")
def fit() -> em.Fit:
    return em.glm("y ~ x + g", DATA, family=em.NegativeBinomial(), exposure="years")


def test_the_fit_at_its_own_theta_is_the_same(fit: em.Fit) -> None:
    held = em.glm("y ~ x + g", DATA, family=em.NegativeBinomial(fit.shape.estimate), exposure="years")
    np.testing.assert_allclose(held.coef, fit.coef, rtol=1e-9)
    np.testing.assert_allclose(held.cov, fit.cov, rtol=1e-9)
    assert held.loglik == pytest.approx(fit.loglik, rel=1e-13)
    assert fit.aic == pytest.approx(held.aic + 2.0)
    assert fit.family == em.NegativeBinomial(fit.shape.estimate)


def test_the_profile_meets_its_critical_value_at_both_ends(fit: em.Fit) -> None:
    profile = fit.shape.profile(0.9)
    for theta in profile.interval:
        held = em.glm("y ~ x + g", DATA, family=em.NegativeBinomial(theta), exposure="years")
        assert 2.0 * (fit.loglik - held.loglik) == pytest.approx(2.705543454095404, abs=1e-7)
    assert np.all(np.diff(profile.values) > 0)
    assert profile.drop[np.searchsorted(profile.values, fit.shape.estimate)] < 1e-6
    assert profile.drop.max() > 6.6
    wald = fit.shape.conf_int(0.9)
    np.testing.assert_allclose(np.log(wald), np.log(profile.interval), atol=0.1)


def test_it_prints_its_theta_and_how_to_fit_it_again(fit: em.Fit) -> None:
    text = str(fit)
    assert f"theta = {fit.shape.estimate:.4g}"[:12] in text
    assert 'family="negative_binomial"' in text
    assert "alpha = 1/theta" in text
    row = fit.glance()
    assert row["theta"][0] == fit.shape.estimate
    assert row["theta_se"][0] == fit.shape.se


def test_a_saved_fit_knows_its_theta(fit: em.Fit, tmp_path: Path) -> None:
    fit.save(tmp_path / "m.json")
    again = em.load(tmp_path / "m.json")
    assert str(again) == str(fit)
    assert again.shape.estimate == fit.shape.estimate
    np.testing.assert_array_equal(again.shape.conf_int(), fit.shape.conf_int())
    assert again.aic == fit.aic
    with pytest.raises(em.NotAvailableError, match="needs the rows"):
        again.shape.profile()


def test_a_saved_poisson_limit(tmp_path: Path) -> None:
    with pytest.warns(em.ConvergenceWarning):
        fit = em.glm("y ~ x", hostile("glmnb-underdispersed"), family=em.NegativeBinomial())
    fit.save(tmp_path / "m.json")
    again = em.load(tmp_path / "m.json")
    assert str(again) == str(fit)
    assert again.shape.estimate == np.inf


def test_models_are_compared_with_their_own_thetas(fit: em.Fit) -> None:
    small = em.glm("y ~ x", DATA, family=em.NegativeBinomial(), exposure="years")
    table = em.compare(small, fit)
    assert table["lr"][1] == pytest.approx(2.0 * (fit.loglik - small.loglik))
    assert list(table["theta"]) == [small.shape.estimate, fit.shape.estimate]
    with pytest.raises(em.OptionError, match="compared by their likelihoods"):
        em.compare(small, fit, test="F")
    held = em.glm("y ~ x", DATA, family=em.NegativeBinomial(2.0), exposure="years")
    with pytest.raises(em.NotAvailableError, match="another family"):
        em.compare(held, fit)


def test_a_model_without_a_shape_says_so() -> None:
    with pytest.raises(em.NotAvailableError, match="estimates no shape"):
        _ = em.glm("y ~ x", DATA, family="poisson").shape


def test_robust_covariances_leave_theta_alone(fit: em.Fit) -> None:
    for other in (fit.with_covariance("HC3"), fit.with_covariance("CR1", cluster="school")):
        assert other.shape.se == fit.shape.se
        assert not np.allclose(other.se, fit.se)


@pytest.mark.parametrize("solver", ["irls", "lbfgs", "gradient"])
def test_every_solver_finds_the_same_theta(fit: em.Fit, solver: str) -> None:
    other = em.glm("y ~ x + g", DATA, family=em.NegativeBinomial(), exposure="years", solver=solver)
    assert abs(other.shape.estimate - fit.shape.estimate) < 1e-6 * fit.shape.se
    np.testing.assert_array_less(np.abs(other.coef - fit.coef), 1e-6 * fit.se)


@pytest.mark.parametrize("link", ["log", "identity", "sqrt"])
def test_the_maximum_is_one_on_every_link(link: str) -> None:
    data = {"y": DATA["y"], "x": np.abs(DATA["x"])}
    fit = em.glm("y ~ x", data, family=em.NegativeBinomial(), link=link)
    step = 0.01 * fit.shape.se
    below, at, above = (
        em.glm("y ~ x", data, family=em.NegativeBinomial(fit.shape.estimate + k * step), link=link).loglik
        for k in (-1, 0, 1)
    )
    assert at == pytest.approx(fit.loglik, rel=1e-12)
    assert abs(above - below) < 0.01 * (2.0 * at - below - above)


def test_sampling_weights_give_pseudo_likelihood_and_a_sandwich() -> None:
    weights = np.random.default_rng(3).uniform(0.5, 2.0, N)
    fit = em.glm("y ~ x", DATA, family=em.NegativeBinomial(), sampling_weights=weights)
    same = em.glm("y ~ x", DATA, family=em.NegativeBinomial(), sampling_weights=np.full(N, 3.0))
    plain = em.glm("y ~ x", DATA, family=em.NegativeBinomial())
    assert np.isnan(fit.loglik)
    assert same.shape.estimate == pytest.approx(plain.shape.estimate, rel=1e-9)
    assert same.shape.se == pytest.approx(plain.shape.se, rel=0.25)
    with pytest.raises(em.NotAvailableError, match="likelihood"):
        fit.shape.profile()


def test_an_aliased_column_and_a_start() -> None:
    doubled = DATA | {"w": 2.0 * DATA["x"]}
    with pytest.warns(em.AliasWarning):
        fit = em.glm("y ~ x + w", doubled, family=em.NegativeBinomial())
    other = em.glm("y ~ x", DATA, family=em.NegativeBinomial(), start=[1.0, 0.0])
    assert np.isnan(fit.coef[2])
    assert fit.shape.estimate == pytest.approx(other.shape.estimate, rel=1e-9)


def test_step_and_links_estimate_theta_again(fit: em.Fit) -> None:
    assert fit.step().fit.shape.estimate != fit.shape.estimate
    assert "refused: it contains theta" in str(em.compare_links(em.glm("y ~ x", DATA, family="nb")))


def test_many_rows_start_from_a_sample() -> None:
    rng = np.random.default_rng(5)
    n = 400_000
    x = rng.normal(size=(n, 5))
    mean = np.exp(0.3 + 0.2 * x[:, 0])
    y = rng.negative_binomial(1.5, 1.5 / (1.5 + mean)).astype(float)
    fit = em.GLM(family=em.NegativeBinomial()).fit(x, y)
    assert fit.converged
    assert fit.passes <= 8
    held = em.GLM(family=em.NegativeBinomial(fit.shape.estimate)).fit(x, y)
    np.testing.assert_array_less(np.abs(held.coef - fit.coef), 1e-8 * fit.se)
    assert abs(fit.shape.estimate - 1.5) < 4.0 * fit.shape.se


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_everything_at_once_ends_where_one_after_the_other_does(
    weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(11)
    n = 50_000
    x = rng.normal(size=(n, 4))
    mean = np.exp(0.3 + 0.3 * x[:, 0])
    y = rng.negative_binomial(0.8, 0.8 / (0.8 + mean)).astype(float)
    given = {"frequency_weights": rng.integers(0, 3, n), "offset": x[:, 1]} if weighted else {}

    def fitted() -> em.Fit:
        return em.GLM(family=em.NegativeBinomial(), covariance="observed").fit(x, y, **given)

    at_once = fitted()
    monkeypatch.setattr(climbing, "together", lambda *_: None)
    one_by_one = fitted()
    assert at_once.passes < one_by_one.passes
    np.testing.assert_array_less(np.abs(at_once.coef - one_by_one.coef), 1e-8 * one_by_one.se)
    np.testing.assert_allclose(at_once.se, one_by_one.se, rtol=1e-8)
    np.testing.assert_allclose(at_once.shape.estimate, one_by_one.shape.estimate, rtol=1e-10)
    np.testing.assert_allclose(at_once.shape.se, one_by_one.shape.se, rtol=1e-8)
    assert at_once.loglik == pytest.approx(one_by_one.loglik, rel=1e-14)


@pytest.mark.parametrize("theta", [0.0, -1.0, np.inf, np.nan])
def test_a_theta_that_is_none_is_refused(theta: float) -> None:
    with pytest.raises(em.FamilyError, match="theta must be a positive number"):
        em.NegativeBinomial(theta)


def test_options_that_clash_are_refused_before_any_row_is_read() -> None:
    with pytest.raises(em.OptionError, match="estimated theta"):
        em.glm("y ~ x", None, family="negative_binomial", dispersion="ml")
    with pytest.raises(em.LinkError, match="theta of its own"):
        em.glm("y ~ x", None, family="nb", link=em.NegativeBinomial(2.0).canonical)


@pytest.mark.slow
def test_intervals_of_theta_cover() -> None:
    rng = np.random.default_rng(2026)
    n, theta, runs = 200, 2.0, int(os.environ.get("ETAMU_REPLICATIONS", "1000"))
    x = rng.normal(size=n)
    mean = np.exp(1.0 + 0.5 * x)
    covered = np.zeros(2)
    for _ in range(runs):
        y = rng.negative_binomial(theta, theta / (theta + mean)).astype(float)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", em.ConvergenceWarning)
            shape = em.glm("y ~ x", {"y": y, "x": x}, family=em.NegativeBinomial()).shape
        for at, method in enumerate(("wald", "profile")):
            low, high = shape.conf_int(method=method)
            covered[at] += low <= theta <= high
    error = np.sqrt(0.95 * 0.05 / runs)
    assert np.all(np.abs(covered / runs - 0.95) <= 3.0 * error), covered / runs
