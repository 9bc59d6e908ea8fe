"""A fit that starts from a sample is the fit that does not: the pilot saves passes and no more."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu.fit import estimate as estimating
from etamu.fit import pilot as piloting
from etamu.fit import stage as stages
from etamu.fit.pilot import size_of
from etamu.fit.sample import spread
from tests.catalogue import CUBIC, SECANT

N = 6000


def data(seed: int = 0, n: int = N) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    table = {name: rng.normal(size=n) for name in "xyz"}
    table["g"] = np.array(["a", "b", "c", "d"])[rng.integers(0, 4, n)]
    table["time"] = rng.uniform(0.2, 3.0, n)
    table["k"] = rng.integers(1, 4, n).astype(float)
    table["w"] = rng.uniform(0.5, 2.0, n)
    eta = 0.4 * table["x"] - 0.3 * table["z"] + 0.2 * (table["g"] == "b") - 0.5
    mu = np.exp(eta)
    table["count"] = rng.poisson(mu * table["time"]).astype(float)
    table["size"] = mu * rng.gamma(4.0, 0.25, n)
    table["wild"] = rng.poisson(mu * rng.gamma(2.0, 0.5, n)).astype(float)
    table["yes"] = (rng.random(n) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
    table["rare"] = (rng.random(n) < 0.005 * np.exp(0.5 * table["x"])).astype(float)
    table["trials"] = rng.integers(1, 9, n).astype(float)
    table["hits"] = rng.binomial(table["trials"].astype(int), 1.0 / (1.0 + np.exp(-eta))).astype(float)
    table["level"] = eta + rng.normal(size=n)
    return table


def both(formula: str, table: dict[str, Any], *arguments: Any, **options: Any) -> tuple[em.Fit, em.Fit, int]:
    """Fit with the pilot and without it; tell how often it was used."""
    used = []

    def seen(*given: Any) -> Any:
        used.append(estimate_pilot(*given))
        return used[-1]

    estimate_pilot = estimating.pilot
    with patch.object(stages, "DEAR", 1000), patch.object(estimating, "pilot", seen):
        mine = em.glm(formula, table, *arguments, **options)
    with patch.object(stages, "DEAR", np.inf):
        theirs = em.glm(formula, table, *arguments, **options)
    return mine, theirs, sum(found is not None for found in used)


def agree(mine: em.Fit, theirs: em.Fit) -> None:
    assert mine.converged
    assert theirs.converged
    assert mine.aliased == theirs.aliased
    distance = np.abs(mine.coef - theirs.coef) / theirs.se
    assert np.nanmax(distance) < 1e-8
    assert np.array_equal(np.isnan(mine.coef), np.isnan(theirs.coef))
    assert_allclose(mine.se, theirs.se, rtol=1e-7)
    assert_allclose(mine.deviance, theirs.deviance, rtol=1e-10)
    assert_allclose(mine.null_deviance, theirs.null_deviance, rtol=1e-10)
    assert_allclose(mine.loglik, theirs.loglik, rtol=1e-9)
    # Pearson's statistic is that of the last pass, and one step of at most 1e-5 standard errors came after it
    assert_allclose(mine.dispersion, theirs.dispersion, rtol=1e-8)


CASES: dict[str, tuple[Any, ...]] = {
    "logistic": ("yes ~ x + z + g", "bernoulli", {}),
    "logistic, weighted": (
        "yes ~ x + z + g",
        "bernoulli",
        {"frequency_weights": "k", "variance_weights": "w"},
    ),
    "logistic, survey weights": ("yes ~ x + z + g", "bernoulli", {"sampling_weights": "w"}),
    "logistic, irls": ("yes ~ x + z + g", "bernoulli", {"solver": "irls"}),
    "probit": ("yes ~ x + z + g", "bernoulli", {"link": "probit"}),
    "binomial": ("hits ~ x + z + g", "binomial", {"trials": "trials"}),
    "poisson": ("count ~ x + z + g", "poisson", {"exposure": "time"}),
    "poisson without a constant": ("count ~ 0 + x + z", "poisson", {"exposure": "time"}),
    "poisson, levels as they are": ("count ~ 0 + g + x", "poisson", {"exposure": "time"}),
    "gamma": ("size ~ x + z + g", "gamma", {"link": "log", "variance_weights": "w"}),
    "tweedie": ("count ~ x + z", em.Tweedie(power=1.5), {"link": "log", "exposure": "time"}),
    "negative binomial": ("wild ~ x + z + g", em.NegativeBinomial(theta=2.0), {"link": "log"}),
    "gaussian": ("level ~ x + z + g", "gaussian", {}),
    "rare events": ("rare ~ x + z", "bernoulli", {}),
    "interactions": ("yes ~ x * g + z", "bernoulli", {}),
    "hyperbolic secant": ("level ~ x + z + g", SECANT, {"link": "identity"}),
    "hyperbolic secant, weighted": (
        "level ~ x + z + g",
        SECANT,
        {"link": "identity", "frequency_weights": "k", "variance_weights": "w"},
    ),
    "V = mu^2 (1 + mu)": ("size ~ x + z + g", CUBIC, {"link": "log", "variance_weights": "w"}),
    "V = mu^2 (1 + mu), offset": ("size ~ x + z", CUBIC, {"link": "log", "exposure": "time"}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fit_with_the_pilot_is_the_fit_without(name):
    formula, family, options = CASES[name]
    mine, theirs, used = both(formula, data(), family, **options)
    assert used == 1
    agree(mine, theirs)


@pytest.mark.parametrize("name", CASES)
def test_a_fit_whose_steps_the_sample_bends_is_the_fit_without(name):
    formula, family, options = CASES[name]
    with patch.multiple(piloting, SLIGHT=1.0, MODEST=1.0):
        mine, theirs, used = both(formula, data(), family, **options)
    assert used == 1
    agree(mine, theirs)


def test_the_sample_saves_a_pass_by_what_it_knows_beyond_the_information():
    table = data(11, 60_000)
    passes = []
    for share in (0.0, 1.0):
        shares = patch.multiple(piloting, SLIGHT=share, MODEST=share)
        with patch.object(stages, "DEAR", 1000), shares:
            fit = em.glm("yes ~ x + z + g", table, "bernoulli")
        passes.append(fit.passes)
        kinds = {step.information for step in fit.solution.steps}
        assert ("surrogate" in kinds) == (share > 0.0)
    assert passes == [4, 3]


def test_a_likelihood_that_is_not_concave_is_climbed_in_as_few_passes():
    """Without a bound of the third derivative a contraction seen before tells what a step leaves."""
    table = data(12, 60_000)
    shares = patch.multiple(piloting, SLIGHT=1.0, MODEST=1.0)
    with patch.object(stages, "DEAR", 1000), shares:
        fit = em.glm("level ~ x + z + g", table, SECANT, link="identity")
    assert fit.passes == 3
    assert fit.problem.unit.concordance == 0.0
    with patch.object(stages, "DEAR", np.inf):
        plain = em.glm("level ~ x + z + g", table, SECANT, link="identity")
    assert np.max(np.abs(fit.coef - plain.coef) / plain.se) < 1e-9
    assert_allclose(fit.se, plain.se, rtol=1e-8)


@pytest.mark.parametrize("by", ["yes", "x", "g"])
def test_sorted_rows_change_nothing(by):
    table = data(1)
    order = np.argsort(table[by], kind="stable")
    table = {name: column[order] for name, column in table.items()}
    mine, theirs, used = both("yes ~ x + z + g", table, "bernoulli")
    assert used == 1
    agree(mine, theirs)


def test_many_columns_in_float32_end_in_float64():
    table = data(2)
    rng = np.random.default_rng(3)
    more = {f"v{j}": rng.normal(size=N) for j in range(35)}
    formula = "yes ~ x + " + " + ".join(more)
    mine, theirs, used = both(formula, table | more, "bernoulli")
    assert used == 1
    agree(mine, theirs)


def test_a_sample_that_separates_still_serves():
    # A level of which the sample meets ones alone: there its maximum is infinite, and in all rows it is not.
    table = data(4)
    met = spread(N, size_of(N, 3))
    there, elsewhere = met[5::200], np.setdiff1d(np.arange(N), met)[7::800]
    table["level"] = np.zeros(N)
    table["level"][[*there, *elsewhere]] = 1.0
    table["yes"][there] = 1.0
    table["yes"][elsewhere] = np.arange(len(elsewhere)) % 2.0
    mine, theirs, used = both("yes ~ x + level", table, "bernoulli")
    assert used == 1
    agree(mine, theirs)


def test_separated_rows_are_still_said_to_be_so():
    table = data(5)
    table["yes"] = (table["x"] > 0.0).astype(float)
    for dear in (1000, np.inf):
        with patch.object(stages, "DEAR", dear), pytest.warns(em.ConvergenceWarning):
            fit = em.glm("yes ~ x", table, "bernoulli")
        assert not fit.converged


def test_a_column_that_is_an_alias_only_in_the_sample_keeps_its_coefficient():
    table = data(6)
    only = np.zeros(N)
    only[np.setdiff1d(np.arange(N), spread(N, size_of(N, 3)))[::800]] = 1.0  # never 1 in the sample
    table["only"] = only
    mine, theirs, used = both("count ~ x + only", table, "poisson")
    assert used == 1  # the ridge makes a maximum where the sample has none
    assert mine.aliased == ()
    agree(mine, theirs)


def test_a_column_that_is_an_alias_in_all_rows_is_dropped():
    table = data(7)
    table["double"] = 2.0 * table["x"]
    with patch.object(stages, "DEAR", 1000), pytest.warns(em.AliasWarning):
        mine = em.glm("count ~ x + double + z", table, "poisson")
    with patch.object(stages, "DEAR", np.inf), pytest.warns(em.AliasWarning):
        theirs = em.glm("count ~ x + double + z", table, "poisson")
    assert mine.aliased == ("double",)
    agree(mine, theirs)


@pytest.mark.parametrize(
    ("nearly", "kept"), [(None, True), (0.3, True), (0.0, False)], ids=["wide", "near", "alias"]
)
def test_many_columns_are_shown_independent_by_the_fit_of_the_sample(nearly, kept):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(6000, 60))
    if nearly is not None:
        x[:, 50] = x[:, 3] + x[:, 4] + nearly * x[:, 50]
    y = rng.poisson(np.exp(0.2 * x[:, 0])).astype(float)
    asked = []

    def shown(*given: Any) -> bool:
        asked.append(shown_by(*given))
        return asked[-1]

    shown_by = estimating.shown_by
    said = nullcontext() if kept else pytest.warns(em.AliasWarning)
    # So many numbers that they are not described beforehand.
    large = patch.object(stages, "DEAR", 1000), patch("etamu.fit.arrays.LARGE", 1000)
    with large[0], large[1], patch.object(estimating, "shown_by", shown), said:
        mine = em.GLM("poisson").fit(x, y)
    assert asked[:1] == ([] if nearly is None else [kept])  # a Gram is summed only where the fit is in doubt
    assert np.isfinite(mine.coef).all() == kept


def test_the_pilot_saves_passes():
    table = data(8)
    with patch.object(stages, "DEAR", 1000):
        mine = em.glm("rare ~ x + z", table, "bernoulli")
        with patch.object(estimating, "pilot", lambda *_: None):
            theirs = em.glm("rare ~ x + z", table, "bernoulli")
    agree(mine, theirs)
    assert mine.passes < theirs.passes


@pytest.mark.parametrize(
    ("family", "link", "y"), [("poisson", "identity", "count"), ("gamma", "inverse", "size")]
)
def test_restricted_links_get_none(family, link, y):
    table = data(9)
    table["z"] = np.abs(table["z"])
    mine, theirs, used = both(f"{y} ~ g", table, family, link)
    assert used == 0
    agree(mine, theirs)


def test_a_start_that_was_given_is_used():
    given = np.zeros(3)
    mine, theirs, used = both("yes ~ x + z", data(10), "bernoulli", start=given)
    assert used == 0
    agree(mine, theirs)


def test_too_few_rows_for_their_columns_make_no_sample():
    table = data(11, 300)
    columns = {f"v{j}": np.random.default_rng(j).normal(size=300) for j in range(20)}
    mine, theirs, used = both("yes ~ " + " + ".join(columns), table | columns, "bernoulli")
    assert used == 0
    agree(mine, theirs)


@pytest.mark.parametrize("n", [10, 1000, 10**6])
@pytest.mark.parametrize("columns", [1, 30, 500])
@pytest.mark.parametrize("coded", [False, True])
def test_a_sample_is_a_quarter_or_a_fifth_at_most_and_a_share_at_least(n, columns, coded):
    size = size_of(n, columns, coded=coded)
    share, most = (n // 32, n // 4) if coded else (n // 100, n // 5)
    assert share <= size <= most
    assert size in {share, most, 400 * columns, 200 * columns}


def test_a_sample_that_is_asked_again_has_more_rows_per_column():
    assert size_of(500_000, 30) == 12_000  # a fortieth of the rows
    assert size_of(200_000, 100) == 20_000  # a tenth: it only gives a start
