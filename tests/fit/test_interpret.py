"""Sentences say what the numbers say, and no more than they may."""

from __future__ import annotations

import math
import re
import warnings
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu.family import catalogue
from etamu.family.unit import Unit
from etamu.fit.changes import level_change, level_etas
from etamu.fit.interpret import Interpretation
from etamu.fit.words import Scale, Told, figure, gloss, scale_of, verb_phrase

RATIOS = {
    "log": "the mean",
    "logit": "the odds",
    "cloglog": "the hazard",
    "loglog": "the hazard of the opposite event",
}


def noisy(centre: float) -> list[float]:
    """Numbers whose mean is exactly the centre."""
    return [centre * part for part in (0.9, 0.95, 0.97, 1.03, 1.05, 1.1)]


def grouped(low: float, high: float, family: str, link: str | None = None, **options: Any) -> em.Fit:
    """Fit two groups with these means: the coefficient is the difference on the scale of the link."""
    data = {"y": noisy(low) + noisy(high), "age": [0.0] * 6 + [1.0] * 6}
    return em.glm("y ~ age", data, family, link, **options)


def expit(eta: float) -> float:
    return 1.0 / (1.0 + np.exp(-eta))


# --- golden sentences ---


def test_log_link_multiplies_the_mean_by_1_35_a_35_percent_increase():
    sentence = grouped(2.0, 2.0 * np.exp(0.3), "quasipoisson").interpret()["age"].sentence
    assert re.fullmatch(
        r"each additional unit of age multiplies the mean by 1\.35 "
        r"\(95 % interval 1\.\d+ to 1\.\d+\), a 35 % increase",
        sentence,
    )


@pytest.mark.parametrize(
    ("eta", "words"),
    [
        (0.7, "roughly doubling it"),
        (0.3, "a 35 % increase"),
        (0.4, "a 49 % increase"),
        (-0.3, "a 26 % decrease"),
        (-0.7, "roughly halving it"),
        (np.log(3), "roughly tripling it"),
        (0.1655, "an 18 % increase"),
    ],
)
def test_ratios_have_words(eta, words):
    assert gloss(float(np.exp(eta))) == words


def test_odds_with_units_read_as_in_the_book():
    odds = Scale("odds", "the odds", "ratio", pronoun="them")
    assert verb_phrase(odds, Told(np.exp(0.7), 1.52, 2.66, 0.95)) == (
        "multiplies the odds by 2.01 (95 % interval 1.52 to 2.66), roughly doubling them"
    )
    low, high = expit(-0.9), expit(-0.2)
    sentence = grouped(low, high, "quasibinomial").interpret(units={"age": "year"})["age"].sentence
    assert sentence.startswith("each additional year of age multiplies the odds by 2.01 (95 % interval ")
    assert ", roughly doubling them" in sentence


def test_identity_adds_2_5_to_the_mean():
    sentence = grouped(7.0, 9.5, "gaussian").interpret()["age"].sentence
    assert "adds 2.5 to the mean (95 % interval " in sentence


def test_a_fall_of_the_mean_keeps_its_sign_and_says_so():
    sentence = grouped(9.5, 2.0, "gaussian").interpret()["age"].sentence
    assert "adds -7.5 to the mean (95 % interval " in sentence
    assert sentence.endswith("), lowering it")


def test_probit_shifts_the_latent_score():
    from scipy.special import ndtr

    fit = grouped(float(ndtr(-0.6)), float(ndtr(-0.1)), "quasibinomial", "probit")
    told = fit.interpret()["age"]
    assert "shifts the latent score by 0.5 standard deviations (95 % interval " in told.sentence
    assert told.scale == "latent score"


def test_exposure_makes_the_mean_a_rate():
    data = {"y": [3, 4, 8, 12, 9, 14], "x": [0.0, 1, 2, 3, 4, 5], "t": [1.0, 1, 2, 2, 1, 2]}
    keyword = em.glm("y ~ x", data, "poisson", exposure="t").interpret()
    term = em.glm("y ~ x + offset(log(t))", data, "poisson").interpret()
    assert "multiplies the rate by" in keyword["x"].sentence
    assert keyword["x"].sentence == term["x"].sentence
    assert any("per unit of t" in note for note in keyword.notes)


# --- every family and link ---


def sampled(unit: Unit, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw data whose means every family and link can have."""
    rng = np.random.default_rng(seed)
    n = 240
    x, group = rng.uniform(0.0, 1.0, n), rng.choice(["A", "B"], n)
    bounded = unit.family.mean.upper == 1.0 or unit.link.range.upper == 1.0
    mu = (0.35 + 0.25 * x if bounded else 2.0 + 2.0 * x) + 0.05 * (group == "B")
    trials = rng.integers(3, 9, n).astype(float)
    if len(unit.family.response) > 1:
        successes = rng.binomial(trials.astype(int), mu)
        return {"x": x, "group": group, "y": successes, "m": trials}, {"trials": "m"}
    whole = {"bernoulli": lambda: rng.binomial(1, mu), "poisson": lambda: rng.poisson(mu)}
    whole["negative_binomial"] = whole["quasipoisson"] = whole["poisson"]
    if bounded:
        whole.setdefault(unit.family.name, lambda: rng.beta(4.0 * mu, 4.0 * (1.0 - mu)))
    y = whole.get(unit.family.name, lambda: mu * rng.gamma(20.0, 1 / 20.0, n))()
    return {"x": x, "group": group, "y": y.astype(float)}, {}


@pytest.mark.parametrize("unit", catalogue.pairs(), ids=str)
def test_sentences_contain_the_numbers_they_claim(unit):
    data, options = sampled(unit, seed=len(str(unit)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.ConvergenceWarning)
        fit = em.glm("y ~ x + group", data, unit.family, unit.link, **options)
    said = fit.interpret()
    scale = scale_of(fit)
    for name in ("x", "group[T.B]"):
        beta = float(fit.coef[fit.names.index(name)])
        ends = fit.conf_int()[fit.names.index(name)]
        sentence = said[name]
        sign = -1.0 if unit.link.name == "loglog" else 1.0
        carry = (lambda b, sign=sign: float(np.exp(sign * b))) if unit.link.name in RATIOS else float
        np.testing.assert_allclose(sentence.estimate, carry(beta), rtol=1e-14)
        if np.isfinite(ends).all():
            expected = sorted([carry(ends[0]), carry(ends[1])])
            np.testing.assert_allclose([sentence.low, sentence.high], expected, rtol=1e-12)
            assert sentence.low <= sentence.estimate <= sentence.high
            assert f"interval {figure(sentence.low)} to {figure(sentence.high)})" in sentence.sentence
            crosses = sentence.low <= scale.neutral <= sentence.high
            assert ("the data do not tell the direction" in sentence.sentence) is crosses
        first = float(re.search(r" (?:by|adds) (\S+)", sentence.sentence)[1])
        np.testing.assert_allclose(first, carry(beta), rtol=5.1e-3)
        assert sentence.scale in sentence.sentence
        if unit.link.name in RATIOS:
            noun = RATIOS[unit.link.name].replace("mean", scale.mean)
            assert f"multiplies {noun} by " in sentence.sentence
    assert "compared with group A" in said["group[T.B]"].sentence


# --- levels and contrasts ---


def contrasted(coding: str) -> em.Fit:
    rng = np.random.default_rng(3)
    level = np.repeat(["a", "b", "c", "d"], 20)
    y = rng.normal(size=80) + np.searchsorted(["a", "b", "c", "d"], level) ** 1.5
    return em.glm(f"y ~ C(level{coding})", {"level": level, "y": y})


@pytest.mark.parametrize(
    ("coding", "others"),
    [
        ("", lambda eta, _: eta[0]),
        (", contr.treatment(base='c')", lambda eta, _: eta[2]),
        (", contr.SAS", lambda eta, _: eta[-1]),
        (", contr.sum", lambda eta, _: eta.mean()),
        (", contr.helmert", lambda eta, row: eta[:row].mean()),
        (", contr.helmert(scale=True)", lambda eta, row: eta[:row].mean()),
        (", contr.helmert(reverse=False)", lambda eta, row: eta[row + 1 :].mean()),
        (", contr.diff", lambda eta, row: eta[row - 1]),
        (", contr.diff(backward=False)", lambda eta, row: eta[row + 1]),
    ],
)
def test_what_a_contrast_is_said_to_compare_is_the_difference_of_those_levels(coding, others):
    fit = contrasted(coding)
    factor = fit.problem.schema.categorical(0)
    eta = level_etas(factor, fit.coef[1:])
    said = fit.interpret()
    for column, name in enumerate(fit.names[1:]):
        row = level_change(0, factor, column).level
        np.testing.assert_allclose(said[name].estimate, eta[row] - others(eta, row), atol=1e-12)
        assert said[name].sentence.startswith(f"level {factor.levels[row]} adds ")


def test_contrasts_say_honestly_what_they_compare():
    assert (
        "compared with the average of the levels (a, b, c, d)"
        in contrasted(", contr.sum").interpret()[1].sentence
    )
    helmert = contrasted(", contr.helmert").interpret()
    assert "compared with level a" in helmert[1].sentence
    assert "compared with the mean of the levels before it (a, b, c)" in helmert[3].sentence
    trend = contrasted(", contr.poly").interpret()
    assert trend[1].sentence.startswith(
        "the linear trend across the ordered levels of level (a < b < c < d) is "
    )
    assert "on the scale of mu" in trend[2].sentence
    stated = contrasted(", {'ends': [1, 0, 0, -1]}").interpret()
    assert stated[1].sentence.startswith("contrast ends of level, as its matrix states it, is ")


# --- what a coefficient is about ---


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    rng = np.random.default_rng(11)
    n = 300
    columns = {"x": rng.uniform(1, 3, n), "z": rng.normal(size=n), "g": rng.choice(["A", "B", "C"], n)}
    columns["y"] = rng.poisson(np.exp(0.3 * columns["x"] + 0.2 * (columns["g"] == "B"))) + 0.0
    columns["p"] = rng.gamma(5.0, size=n) / 5.0 * (1.0 + columns["x"])
    return columns


def test_the_intercept_says_where_it_holds(data):
    said = em.glm("y ~ x + g", data, "poisson").interpret()
    assert said["Intercept"].sentence.startswith("where x is 0 and g is A, the mean is ")
    averaged = em.glm("y ~ x + C(g, contr.sum)", data, "poisson").interpret()
    assert averaged["Intercept"].sentence.startswith(
        "where x is 0, averaged over the levels of g, the mean is "
    )


def test_the_intercept_of_a_logit_gives_odds_and_probability():
    said = grouped(0.2, 0.5, "quasibinomial").interpret()["Intercept"]
    assert said.sentence.startswith("where age is 0, the odds are 0.25 (95 % interval ")
    assert said.sentence.endswith(", a mean of 0.2")


def test_an_intercept_outside_the_domain_is_no_mean():
    x = np.linspace(2.0, 4.0, 30)
    fit = em.glm("y ~ x", {"y": 1.0 / (x - 1.0) * np.tile([0.9, 1.1, 1.0], 10), "x": x}, "gamma")
    assert "there is no such mean" in fit.interpret()["Intercept"].sentence


def test_interactions_change_an_effect(data):
    said = em.glm("y ~ x * g + x:z + z", data, "poisson").interpret()
    assert said["x"].sentence.startswith(
        "where z is 0 and g is A, each additional unit of x multiplies the mean by "
    )
    assert re.match(
        r"the effect of each additional unit of x on the mean changes by the factor \S+ "
        r"\(95 % interval \S+ to \S+\) for g B compared with g A",
        said["x:g[T.B]"].sentence,
    )


def test_levels_coded_in_full_are_where_a_slope_holds(data):
    said = em.glm("y ~ g + x:g", data, "gaussian").interpret()
    assert said["x:g[B]"].sentence.startswith("where g is B, each additional unit of x adds ")


@pytest.mark.parametrize(
    ("term", "step"),
    [
        ("log(x)", np.log(2)),
        ("log2(x)", 1.0),
        ("log10(x)", np.log10(2)),
        ("log(x, 3)", np.log(2) / np.log(3)),
    ],
)
def test_a_logarithm_is_told_per_doubling(data, term, step):
    fit = em.glm(f"y ~ {term}", data, "poisson")
    said = fit.interpret()[1]
    assert said.sentence.startswith("each doubling of x multiplies the mean by ")
    np.testing.assert_allclose(said.estimate, np.exp(step * fit.coef[1]))


def test_the_columns_of_a_basis_are_told_once_per_term(data):
    said = em.glm("y ~ bs(x, df=5) + poly(z, 2)", data, "poisson").interpret()
    assert [each.name for each in said] == ["Intercept", "bs(x, df=5)", "poly(z, 2)"]
    assert said[1].sentence.endswith("has no meaning of its own; look at the term as a whole")


def test_a_variable_that_enters_twice_is_said_to(data):
    said = em.glm("y ~ x + I(x ** 2)", data, "poisson").interpret()
    assert "x also enters through I(x ** 2): this is only part of its effect" in said["x"].sentence


def test_aliased_coefficients_are_said_to_be(data):
    with pytest.warns(em.AliasWarning):
        fit = em.glm("y ~ x + I(2 * x)", data, "poisson")
    assert fit.interpret()[2].sentence.endswith("its column is a linear combination of earlier ones")


def test_a_model_without_degrees_of_freedom_has_no_interval():
    fit = em.glm("y ~ x", {"y": [1.0, 3.0], "x": [0.0, 1.0]})
    assert "(no interval: there is no standard error)" in fit.interpret()["x"].sentence


# --- average effects on the mean ---


def test_the_average_effect_of_a_number_is_the_average_slope_times_beta(data):
    fit = em.glm("p ~ x + g", data, "gamma", "inverse")
    h = 1e-6
    moved = [fit.predict({**data, "x": data["x"] + side * h}) for side in (-1, 1)]
    expected = np.mean((moved[1] - moved[0]) / (2 * h))
    said = fit.interpret()["x"]
    np.testing.assert_allclose(said.average, expected, rtol=1e-7)
    assert f"averaged over the rows, this raises the mean by {figure(expected)}" in said.sentence


@pytest.mark.parametrize("weight", ["frequency_weights", "sampling_weights", "variance_weights"])
def test_the_average_effect_of_a_level_is_the_difference_of_two_predictions(data, weight):
    rng = np.random.default_rng(0)
    w = rng.integers(0, 4, 300).astype(float)
    fit = em.glm("p ~ x + g", {**data, "w": w}, "gamma", "sqrt", offset=0.1 * data["x"], **{weight: "w"})
    means = [fit.predict({**data, "g": np.full(300, level)}, offset=0.1 * data["x"]) for level in "BA"]
    units = (w > 0) if weight == "variance_weights" else w
    np.testing.assert_allclose(
        fit.interpret()["g[T.B]"].average, np.average(means[0] - means[1], weights=units), rtol=1e-9
    )


def test_trials_count_as_rows_in_an_average_effect(data):
    rng = np.random.default_rng(5)
    m = rng.integers(1, 6, 300)
    s = rng.binomial(m, 0.3 + 0.1 * data["x"])
    fit = em.glm("s ~ C(g, contr.sum) + x", {**data, "s": s, "m": m}, "binomial", "cauchit", trials="m")
    beta = fit.coef[fit.names.index("C(g, contr.sum)[S.A]")]
    eta = fit.predict({**data, "g": np.full(300, "A")}, kind="link")
    mean = [np.arctan(each) / np.pi + 0.5 for each in (eta, eta - beta)]
    said = fit.interpret()["C(g, contr.sum)[S.A]"]
    np.testing.assert_allclose(said.average, np.average(mean[0] - mean[1], weights=m), rtol=1e-9)


def test_a_doubling_is_the_difference_of_the_means_before_and_after(data):
    fit = em.glm("p ~ log(x)", data, "gamma", "sqrt")
    expected = np.mean(fit.predict({"x": 2 * data["x"]}) - fit.predict())
    np.testing.assert_allclose(fit.interpret()["log(x)"].average, expected, rtol=1e-9)


def test_no_average_effect_is_told_where_a_row_would_have_no_mean(data):
    fit = em.glm("p ~ log(x)", data, "gamma", "inverse_squared")
    shifted = fit.coef[0] + fit.coef[1] * np.log(2 * data["x"])
    said = fit.interpret()["log(x)"]
    assert np.isnan(said.average) == bool((shifted <= 0).any())


def test_a_fit_read_from_a_file_tells_everything_but_average_effects(data, tmp_path):
    fit = em.glm("p ~ x + g", data, "gamma", "inverse")
    fit.save(tmp_path / "model.json")
    read = em.load(tmp_path / "model.json").interpret()
    for before, after in zip(fit.interpret(), read, strict=True):
        np.testing.assert_allclose(after.estimate, before.estimate)
        assert np.isnan(after.average)
    assert "needs the rows" in read["x"].sentence


# --- together ---


def plants() -> em.Fit:
    """Water multiplies the growth by exactly 1.5, fertilizer by exactly 1.2."""
    cells = [(w, f, noisy(1.5**w * 1.2**f)) for w in (0, 1) for f in (0, 1)]
    rows = [(y, w, f) for w, f, column in cells for y in column]
    y, water, fertilizer = map(np.array, zip(*rows, strict=True))
    return em.glm(
        "y ~ water + fertilizer", {"y": y, "water": water, "fertilizer": fertilizer}, "quasipoisson"
    )


def test_water_and_fertilizer_give_1_8_and_not_2_7():
    said = plants().interpret(together=["water", "fertilizer"])
    assert [each.name for each in said] == ["water", "fertilizer", "water + fertilizer"]
    sentence = said[2].sentence
    assert (
        "one more unit of water and one more unit of fertilizer together multiply the mean by 1.8 ("
        in sentence
    )
    assert "×1.5 and ×1.2 give ×1.8, not 2.7" in sentence
    np.testing.assert_allclose(said[2].estimate, said[0].estimate * said[1].estimate)


def test_the_interval_together_comes_from_the_covariance():
    fit = plants()
    step = np.array([0.0, 1.0, 1.0])
    from scipy.special import stdtrit

    half = stdtrit(fit.df_resid, 0.95) * np.sqrt(step @ fit.cov @ step)
    said = fit.interpret(together=["water", "fertilizer"], level=0.9)[2]
    np.testing.assert_allclose([said.low, said.high], np.exp(step @ fit.coef + np.array([-half, half])))


def test_on_the_identity_link_effects_add(data):
    fit = em.glm("p ~ x + g", data)
    said = fit.interpret(together=["x", "g[T.B]"])
    np.testing.assert_allclose(
        said[2].estimate, fit.coef[fit.names.index("x")] + fit.coef[fit.names.index("g[T.B]")]
    )
    assert "effects add on the scale of mu" in said[2].sentence


def test_together_includes_the_interaction_of_what_changes(data):
    fit = em.glm("y ~ x * g", data, "poisson")
    said = fit.interpret(together=["x", "g[T.B]"])[2]
    parts = [fit.coef[fit.names.index(name)] for name in ("x", "g[T.B]", "x:g[T.B]")]
    np.testing.assert_allclose(said.estimate, np.exp(sum(parts)))
    assert said.sentence.startswith("starting where g is A and x is 0, ")
    assert "(x:g[T.B] included)" in said.sentence


@pytest.mark.parametrize(
    ("together", "message"),
    [
        (["x"], "two or more"),
        ("xz", "one name"),
        (["x", "rain"], "'rain', which is no effect"),
        (["x", "g"], r"several coefficients: name one of g\[T.B\], g\[T.C\]"),
        (["g[T.B]", "g[T.C]"], "changes 'g' twice"),
        (["x", "x"], "changes 'x' twice"),
        (["x", "Intercept"], "no effect of one variable"),
    ],
)
def test_what_cannot_happen_together_is_refused(data, together, message):
    with pytest.raises(em.OptionError, match=message):
        em.glm("y ~ x + z + g", data, "poisson").interpret(together=together)


# --- the value ---


def test_an_interpretation_prints_iterates_and_looks_up():
    said = plants().interpret()
    assert isinstance(said, Interpretation)
    assert len(said) == len(list(said)) == 3
    assert said["water"] is said[1]
    assert all(len(line) <= 88 for line in str(said).splitlines())
    assert "<th" in said._repr_html_()
    with pytest.raises(KeyError, match="rain"):
        said["rain"]


def test_html_escapes_names():
    fit = em.glm("y ~ `<b>`", {"y": [1.0, 3.0, 2.0, 5.0], "<b>": [0.0, 1.0, 2.0, 3.0]})
    assert "<b>" not in fit.interpret()._repr_html_()


def test_units_of_no_column_are_refused(data):
    with pytest.raises(em.OptionError, match=r"units has 'age'.*there are x"):
        em.glm("y ~ x", data, "poisson").interpret(units={"age": "year"})


def test_an_unverified_estimate_is_said_to_be():
    with pytest.warns(em.ConvergenceWarning):
        fit = em.glm("y ~ x", {"y": [0.0, 0.0], "x": [0.0, 1.0]}, family="poisson", link="identity")
    assert any("NOT CONVERGED" in note for note in fit.interpret().notes)


def test_a_coefficient_that_runs_away_is_told_so() -> None:
    data = {"y": [0, 0, 0, 0, 1, 0, 1, 1], "g": list("aaaabbbb"), "x": [1.0, 2, 3, 4, 1, 2, 3, 4]}
    with pytest.warns(em.SeparationWarning):
        told = em.glm("y ~ g + x", data, family="bernoulli").interpret()
    assert "as it goes to +Inf (separation)" in told["g[T.b]"].sentence
    assert told["g[T.b]"].estimate == math.inf
    assert "multiplies the odds by" in told["x"].sentence
    assert "every response of g = a is at the same end" in str(told).replace("\n", " ")
    assert "NOT CONVERGED" not in str(told)


def test_a_coefficient_others_can_run_in_place_of_is_not_determined() -> None:
    data = {"y": [0.0, 0.0, 0.0], "x": [0.0, 1.0, 3.0]}
    with pytest.warns(em.SeparationWarning):
        told = em.glm("y ~ x", data, family="poisson").interpret()
    assert "is not determined" in told["x"].sentence
