"""R's answers to models of several linear predictors: multinom and clm, and what separation does to them.

Read first: tests/references/README.md.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import etamu as em
from tests.oracle import REFERENCES, numbers, table

CASES = sorted(path.stem for path in (REFERENCES / "classes").glob("*.json"))
PLAIN = [name for name in CASES if "-path-" not in name]


def case(name):
    return json.loads((REFERENCES / "classes" / f"{name}.json").read_text(encoding="utf-8"))


def ordered(data, column, levels):
    return data.assign(**{column: pd.Categorical(data[column], categories=levels, ordered=True)})


def fitted(asked):
    data, left = table(asked["data"]).copy(), asked["formula"].partition("~")[0].strip()
    options = {} if asked["weights"] is None else {"frequency_weights": asked["weights"]}
    if asked["kind"] == "multinom":
        family = em.Multinomial(reference=asked["expected"]["baseline"])
    else:
        family = em.Cumulative(asked["link"])
        data = ordered(data, left, asked["expected"]["levels"])
    formula = f"{left} ~ {asked['formulaic_rhs']}"
    if not data.isna().any(axis=None):
        return em.glm(formula, data, family=family, **options)
    with pytest.warns(em.DroppedRowsWarning):
        return em.glm(formula, data, family=family, **options)


def reference(asked):
    """Coefficients and standard errors by our names, and their covariance."""
    expected, called = asked["expected"], asked["formulaic"]["coef_map"]
    if asked["kind"] == "polr":
        coef = {**expected["thresholds"], **expected["coef"]}
        names = {name: called.get(name, name) for name in coef}
        return {names[n]: (coef[n], expected["se"][n]) for n in coef}
    pairs = zip(numbers(expected["coef"]), numbers(expected["se"]), strict=True)
    return {
        f"{level}:{called[column]}": (coef, se)
        for level, (row, errors) in zip(expected["coef"]["rows"], pairs, strict=True)
        for column, coef, se in zip(expected["coef"]["cols"], row, errors, strict=True)
    }


@pytest.mark.parametrize("name", PLAIN)
def test_coefficients_errors_and_criteria_are_those_of_r(name):
    asked = case(name)
    fit, theirs, expected = fitted(asked), reference(asked), asked["expected"]
    assert fit.converged
    assert set(fit.names) == set(theirs)
    coef, se = np.array([theirs[n] for n in fit.names]).T
    np.testing.assert_array_less(np.abs(fit.coef - coef) / se, 1e-9)
    np.testing.assert_allclose(fit.se, se, rtol=1e-9)
    np.testing.assert_allclose(fit.loglik, expected["loglik"], rtol=1e-12)
    np.testing.assert_allclose(fit.aic, expected["aic"], rtol=1e-12)
    np.testing.assert_allclose(fit.deviance, expected["deviance"], rtol=1e-12)
    assert fit.parameters == expected["edf"]


@pytest.mark.parametrize("name", PLAIN)
def test_probabilities_are_those_of_r(name):
    asked = case(name)
    fit, theirs = fitted(asked), asked["expected"]["fitted_probs"]
    rows = np.array(theirs.get("csv_rows", theirs["rows"])) - 1
    columns = [fit.family.levels.index(level) for level in theirs["cols"]]
    ours = np.asarray(fit.predict())[np.ix_(rows, columns)]
    np.testing.assert_allclose(ours, numbers(theirs), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in PLAIN if "Anova_II_LR" in case(name)["expected"]])
def test_likelihood_ratios_of_terms_are_those_of_car(name):
    asked = case(name)
    theirs = asked["expected"]["Anova_II_LR"]
    if any(":" in term for term in theirs["rows"]):
        pytest.skip("type II tests of terms inside an interaction are of another model")
    fit = fitted(asked)
    for term, (statistic, df, p) in zip(theirs["rows"], numbers(theirs), strict=True):
        own = [name for name in fit.names if name.partition(":")[2].partition("[")[0] == term]
        test = fit.test([f"`{name}` = 0" for name in own], "lr")
        assert test.df == df
        np.testing.assert_allclose(test.statistic, statistic, rtol=1e-9)
        np.testing.assert_allclose(test.p_value, p, rtol=1e-7)


@pytest.mark.parametrize("name", [name for name in PLAIN if "confint_profile_clm" in case(name)["expected"]])
def test_profile_intervals_are_those_of_clm(name):
    """R interpolates its profile, which is good to about 1e-3 standard errors."""
    asked = case(name)
    fit, theirs = fitted(asked), asked["expected"]["confint_profile_clm"]
    ends = dict(zip(fit.names, fit.conf_int(method="profile"), strict=True))
    for term, interval in zip(theirs["rows"], numbers(theirs), strict=True):
        own = asked["formulaic"]["coef_map"][term]
        np.testing.assert_allclose(ends[own], interval, atol=2e-3 * asked["expected"]["se"][term])
    place = fit.names.index(own)
    for end in ends[own]:
        test = fit.test(f"`{own}` = {end:.17g}", "lr")
        np.testing.assert_allclose(test.p_value, 0.05, rtol=1e-6)
    assert fit.conf_int()[place][0] < fit.coef[place]


ORDINAL = (em.Cumulative(), em.Cumulative("probit"), em.ContinuationRatio(), em.AdjacentCategory())


@pytest.mark.parametrize("family", [em.Multinomial(), *ORDINAL], ids=str)
def test_complete_separation_is_called_by_its_name(family):
    data = ordered(table("p_ordsep"), "y", ["lo", "mid", "hi"])
    with pytest.warns(em.ConvergenceWarning, match="No finite maximum"):
        fit = em.glm("y ~ x", data, family=family)
    assert not fit.converged
    assert fit.outcome.value == "infinite"


def test_a_class_without_rows_in_one_group_has_no_finite_contrast():
    asked = case("open-path-bankwages-multinom")
    with pytest.warns(em.ConvergenceWarning, match="No finite maximum"):
        fit = em.glm("job ~ education + gender + minority", table(asked["data"]), family=em.Multinomial())
    assert fit.outcome.value == "infinite"
    theirs = asked["expected"]["r_default"]["result"]["deviance"]
    np.testing.assert_allclose(fit.deviance, theirs, atol=1e-2)
