from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import ndtri

import etamu as em
from etamu._base.types import Want
from etamu.fit.profile import profile_intervals
from etamu.objective.likelihood import Likelihood
from tests import oracle
from tests.samples import FITTED, FORMULA, keywords, sample

CRITICAL = float(ndtri(0.975))
PROFILED = [name for name in oracle.identifiers() if "confint_profile_exact" in oracle.case(name)["expected"]]
UNCONFIRMED = {
    # R's own root-finding fails there (its scoring leaves the domain); ours are confirmed by refits below.
    ("open-birthwt-log", "lwt", 0),
    ("open-birthwt-log", "race[T.black]", 1),
    ("open-clotting1-ig-canonical", "Intercept", 0),
    ("open-clotting1-ig-canonical", "Intercept", 1),
    ("open-trees-ig-inverse", "Height", 0),
}


def _reference(identifier):
    """Return the names of a case and R's exact ends, (names, 2)."""
    asked = oracle.case(identifier)
    present = [
        name
        for name, value in zip(oracle.names(asked), asked["expected"]["coef"].values(), strict=True)
        if value is not None
    ]
    return present, oracle.numbers(asked["expected"]["confint_profile_exact"])


@pytest.mark.parametrize("identifier", PROFILED)
def test_ends_are_those_of_the_corpus(identifier):
    fit = oracle.answer(identifier).fit
    names, expected = _reference(identifier)
    index = [fit.names.index(name) for name in names]
    got = fit.conf_int(method="profile", reference="z")[index]
    missing = {(identifier, names[j], side) for j, side in zip(*np.nonzero(np.isnan(expected)), strict=True)}
    assert missing <= UNCONFIRMED
    error = np.abs(got - expected) / fit.se[index][:, None]
    assert np.nanmax(error) < 1e-7
    assert np.all(np.isfinite(got))


@pytest.mark.parametrize(("identifier", "name", "side"), sorted(UNCONFIRMED))
def test_ends_nobody_confirmed_hold_when_the_rest_is_fitted_again(identifier, name, side):
    answer = oracle.answer(identifier)
    fit, asked = answer.fit, answer.question
    end = fit.profile(name, reference="z").interval[side]
    x = _column(fit, asked.data, name)
    data = asked.data.assign(held_=end * x)
    formula = asked.formula + (" - 1" if name == "Intercept" else _without(name))
    options = {key: value for key, value in asked.options.items() if key != "start"}
    others = em.glm(formula, data, **(options | {"offset": "held_"}))
    assert_allclose((others.deviance - fit.deviance) / fit.dispersion, CRITICAL**2, rtol=1e-7)


def _column(fit, data, name):
    if name == "Intercept":
        return np.ones(len(data))
    if name.startswith("race["):
        return (data["race"] == "black").to_numpy(float)
    return data[name].to_numpy(float)


def _without(name):
    # race has three levels: without black, what is left is the indicator of the other.
    return " - race + I(race == 'other')" if name.startswith("race[") else f" - {name}"


@pytest.mark.parametrize("unit", FITTED, ids=[f"{u.family!r}-{u.link!r}" for u in FITTED])
def test_the_deviance_at_each_end_has_risen_by_the_critical_value(unit):
    data = sample(unit, 3)
    fit = em.glm(FORMULA, data, **keywords(unit))
    got = fit.profile("x", 0.9)
    assert got.endings == ("interior", "interior")
    assert got.interval[0] < got.estimate < got.interval[1]
    for end in got.interval:
        held = em.glm("y ~ z + C(g)", data | {"held": end * data["x"]}, **keywords(unit), offset="held")
        rise = (held.deviance - fit.deviance) / fit.dispersion
        assert_allclose(rise, got.critical**2, rtol=1e-6)


@pytest.mark.parametrize("family", ["poisson", "gamma", "gaussian"])
def test_a_combination_is_the_coefficient_of_another_parametrisation(family):
    rng = np.random.default_rng(4)
    x, z = rng.uniform(1.0, 3.0, 60), rng.uniform(1.0, 2.0, 60)
    data = {"x": x, "z": z, "s": x + z, "y": rng.poisson(np.exp(0.5 * x)) + 1.0}
    fit = em.glm("y ~ x + z", data, family, link="log")
    # x b + z c = s c + x (b - c)
    other = em.glm("y ~ x + s", data, family, link="log")
    got, expected = fit.profile([0.0, 1.0, -1.0]), other.profile("x")
    assert_allclose(got.estimate, expected.estimate, rtol=1e-9)
    assert_allclose(got.se, expected.se, rtol=1e-9)
    assert_allclose(got.interval, expected.interval, rtol=1e-8)
    assert_allclose(got.interval, other.conf_int(method="profile")[1], rtol=1e-8)


def test_a_gaussian_profile_is_the_wald_interval():
    data = sample(FITTED[0], 6) | {"y": np.random.default_rng(1).normal(size=90)}
    fit = em.glm(FORMULA, data)
    assert_allclose(fit.conf_int(0.9, method="profile"), fit.conf_int(0.9), rtol=1e-10)
    assert_allclose(fit.conf_int(method="profile", reference="z"), fit.conf_int(reference="z"), rtol=1e-10)
    curve = fit.profile("x")
    assert_allclose(curve.roots * curve.se, curve.values - curve.estimate, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_separated_data_have_one_infinite_end(link):
    data = {"x": np.arange(8.0), "y": np.repeat([0.0, 1.0], 4)}
    with pytest.warns(em.ConvergenceWarning):
        fit = em.glm("y ~ x", data, "bernoulli", link=link)
    got = fit.profile("x")
    assert got.endings == ("interior", "infinite")
    assert got.interval[1] == np.inf
    data["held"] = got.interval[0] * data["x"]
    held = em.glm("y ~ 1", data, "bernoulli", link=link, offset="held")
    assert_allclose(held.deviance - fit.deviance, CRITICAL**2, rtol=1e-6)
    assert fit.conf_int(method="profile")[1, 1] == np.inf


def test_a_group_without_events_has_the_exact_one_sided_end():
    data = {"y": [0.0, 0.0, 0.0, 3.0, 5.0, 2.0], "g": list("aaabbb")}
    with pytest.warns(em.ConvergenceWarning):
        fit = em.glm("y ~ 0 + g", data, "poisson")
    got = fit.conf_int(method="profile")
    # 2 * 3 exp(b) = z^2
    assert_allclose(got[0], [-np.inf, np.log(CRITICAL**2 / 6)], rtol=1e-7)
    alone = em.glm("y ~ 1", {"y": data["y"][3:]}, "poisson").conf_int(method="profile")
    assert_allclose(got[1:], alone, rtol=1e-7)


def test_a_likelihood_that_flattens_has_an_infinite_end_at_a_finite_estimate():
    fit = em.glm("y ~ 1", {"y": [0.1, 0.3, -0.2, 0.2, 0.4, 0.1]}, link="log")
    got = fit.profile("Intercept")
    assert got.endings == ("infinite", "interior")
    assert got.interval[0] == -np.inf
    assert_allclose(got.conf_int("response"), [0.0, np.exp(got.interval[1])], atol=1e-12)


def test_ends_stay_inside_the_domain_of_the_link():
    x = np.linspace(0.0, 1.0, 40)
    y = (x > 0.3).astype(float)
    y[3], y[15] = 1.0, 0.0
    with pytest.warns(em.ConvergenceWarning, match="boundary"):
        fit = em.glm("y ~ x", {"x": x, "y": y}, "bernoulli", link="log")
    got = fit.profile("x")
    # With eta(1) = 0 on the edge, the likelihood is a function of the slope alone.
    for end in got.interval:
        eta = end * (x[:-1] - 1.0)
        value = np.sum(np.where(y[:-1] > 0, eta, np.log(-np.expm1(eta))))
        assert_allclose(2 * (-0.5 * fit.deviance - value), CRITICAL**2, rtol=1e-4)


def test_the_curve_rises_through_the_ends():
    unit = next(u for u in FITTED if u.family.name == "poisson")
    fit = em.glm(FORMULA, sample(unit, 2), **keywords(unit))
    got = fit.profile("x")
    assert np.all(np.diff(got.values) > 0)
    assert np.all(np.diff(got.roots) > 0)
    assert_allclose(np.interp([-got.critical, got.critical], got.roots, got.values), got.interval, rtol=1e-12)
    assert got.estimate in got.values


def test_the_ends_do_not_depend_on_the_units_of_a_column():
    unit = next(u for u in FITTED if u.family.name == "gamma")
    data = sample(unit, 2)
    one = em.glm(FORMULA, data, **keywords(unit)).conf_int(method="profile")
    far = em.glm(FORMULA, data | {"x": 1e6 + 1e-4 * data["x"]}, **keywords(unit)).conf_int(method="profile")
    assert_allclose(far[1], 1e4 * one[1], rtol=1e-6)


def test_scales_are_functions_of_the_ends():
    unit = next(u for u in FITTED if u.family.name == "bernoulli" and u.link.name == "logit")
    fit = em.glm(FORMULA, sample(unit, 2), **keywords(unit))
    ends = fit.conf_int(method="profile")
    assert_allclose(fit.conf_int(method="profile", scale="ratio"), np.exp(ends))
    assert_allclose(fit.conf_int(method="profile", scale="response"), 1 / (1 + np.exp(-ends)))
    assert_allclose(fit.conf_int(scale="ratio"), np.exp(fit.conf_int()))
    assert_allclose(fit.profile("z").conf_int("ratio"), np.exp(ends[2]), rtol=1e-9)


def test_weights_and_aliases_are_those_of_the_fit():
    data = {"y": [1.0, 3.0, 2.0, 6.0], "x": [0.0, 1.0, 2.0, 3.0], "k": [2, 1, 3, 1]}
    counted = em.glm("y ~ x", data, "poisson", frequency_weights="k").conf_int(method="profile")
    rows = {name: np.repeat(data[name], data["k"]) for name in ("y", "x")}
    assert_allclose(counted, em.glm("y ~ x", rows, "poisson").conf_int(method="profile"), rtol=1e-9)
    with pytest.warns(em.AliasWarning):
        fit = em.glm("y ~ x + d", data | {"d": [0.0, 2.0, 4.0, 6.0]}, "poisson")
    assert np.all(np.isnan(fit.conf_int(method="profile")[2]))
    with pytest.raises(em.NotAvailableError, match="d cannot be estimated"):
        fit.profile("d")


def test_the_same_bits_for_any_number_of_threads():
    unit = next(u for u in FITTED if u.family.name == "poisson")
    data = sample(unit, 2)
    fit = em.glm(FORMULA, data, **keywords(unit))
    visits = [replace(fit.problem.options, threads=k, block_rows=20) for k in (1, 3)]
    fits = [replace(fit, problem=replace(fit.problem, options=options)) for options in visits]
    assert np.array_equal(*(each.conf_int(method="profile") for each in fits))
    assert_allclose(fits[0].conf_int(method="profile"), fit.conf_int(method="profile"), rtol=1e-9)


def test_an_interval_costs_three_scores_an_end_and_no_information(monkeypatch):
    """60 fits is the budget of 53 coefficients on 678,013 rows; a score costs a fifteenth of a fit there."""
    rng = np.random.default_rng(12)
    x, z = rng.normal(size=(2, 3000))
    y = rng.poisson(np.exp(0.3 * x - 0.2 * z)).astype(float)
    data = {"x": x, "z": z, "g": np.arange(3000) % 5, "y": y}
    fit = em.glm("y ~ x + z + C(g)", data, "poisson")
    wants = []
    look = Likelihood.at
    monkeypatch.setattr(
        Likelihood, "at", lambda self, beta, want: wants.append(want) or look(self, beta, want)
    )
    few = np.flatnonzero(fit.se < 0.2)
    ends = fit.conf_int(method="profile")
    assert np.all(np.isfinite(ends[few]))
    assert set(wants) == {Want.VALUE | Want.SCORE}
    assert len(wants) <= 3.5 * ends.size


SMALL = {"y": [1.0, 3.0, 4.0, 9.0], "x": [0.0, 1.0, 2.0, 3.0]}


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda fit: fit.profile("X"), em.OptionError, "no coefficient 'X'.*'x'"),
        (lambda fit: fit.profile([1.0]), em.OptionError, "one number per coefficient, 2.*Intercept, x"),
        (lambda fit: fit.profile([0.0, 0.0]), em.OptionError, "not all of them 0"),
        (lambda fit: fit.profile([np.nan, 1.0]), em.OptionError, "finite"),
        (lambda fit: fit.profile("x", 1.5), em.OptionError, "level is 1.5"),
        (lambda fit: fit.profile("x", reference="t"), em.OptionError, "reference='t'"),
        (lambda fit: fit.conf_int(method="score"), em.OptionError, "'score'.*'wald', 'profile'"),
        (lambda fit: fit.conf_int(scale="odds"), em.OptionError, "scale='odds'"),
        (lambda fit: fit.conf_int(scale="ratio"), em.OptionError, "identity link.*ratio"),
    ],
)
def test_bad_questions_are_refused_by_name(ask, error, words):
    with pytest.raises(error, match=words):
        ask(em.glm("y ~ x", SMALL))


def test_fits_without_a_likelihood_or_a_maximum_are_refused():
    robust = em.glm("y ~ x", SMALL, "poisson", covariance="HC0")
    with pytest.raises(em.NotAvailableError, match="HC0"):
        robust.conf_int(method="profile")
    survey = em.glm("y ~ x", SMALL | {"s": [1.0, 2.0, 1.0, 2.0]}, "poisson", sampling_weights="s")
    with pytest.raises(em.NotAvailableError, match="sampling weights"):
        profile_intervals(survey, 0.95, None)
    separated = {"x": np.arange(8.0), "y": np.repeat([0.0, 1.0], 4)}
    with pytest.warns(em.ConvergenceWarning):
        cauchit = em.glm("y ~ x", separated, "bernoulli", link="cauchit")
    with pytest.raises(em.NotAvailableError, match="not concave"):
        cauchit.profile("x")
    full = em.glm("y ~ x", {"y": [1.0, 2.0], "x": [0.0, 1.0]})
    with pytest.raises(em.NotAvailableError, match="no degrees of freedom"):
        full.profile("x")


def test_a_perfect_fit_has_no_profile():
    fit = em.glm("y ~ 1", {"y": [2.0, 2.0, 2.0]}, family="gaussian")
    with pytest.raises(em.NotAvailableError, match="phi is 0"):
        fit.profile("Intercept")
