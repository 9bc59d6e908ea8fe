"""Where a fit starts: always inside the domain, also where no natural start is."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu import sums
from etamu._base.types import LINE, Want
from etamu.fit.assemble import from_formula
from etamu.fit.estimate import estimate
from etamu.fit.inputs import Keywords
from etamu.fit.problem import Options, Problem
from etamu.fit.stage import likelihood_of, prepare
from etamu.fit.start import (
    Guess,
    Inside,
    Normal,
    candidates,
    constant_eta,
    levelled,
    normal_equations,
    start,
)
from etamu.objective.likelihood import Likelihood
from tests.samples import FITTED, FORMULA, keywords, sample


@pytest.mark.parametrize("unit", FITTED, ids=[f"{u.family!r}-{u.link!r}" for u in FITTED])
def test_the_start_lies_inside_the_domain(unit):
    given = Keywords(trials=keywords(unit).get("trials"))
    for formula in ("y ~ 1", FORMULA):
        one = from_formula(formula, sample(unit, 2), unit, given, "drop", Options())
        stage = prepare(one)
        oracle = likelihood_of(one, stage)
        beta = start(oracle, unit, stage.chunk)
        eta = stage.chunk.predictors[0].eta(stage.coordinates.raw(beta))
        assert np.all(unit.domain.contains(eta))


def test_inside_is_zero_exactly_where_eta_keeps_the_margin():
    unit = Inside(lower=0.5, upper=np.inf)
    value, score, information = unit.bind(np)((), np.array([0.0, 0.5, 3.0]))
    assert value.tolist() == [-0.125, 0.0, 0.0]
    assert score.tolist() == [0.5, 0.0, 0.0]
    assert information.tolist() == [1.0, 0.0, 0.0]
    assert unit.domain is LINE


def test_phase_one_finds_a_feasible_point_where_nothing_natural_is():
    # No constant in the span, an offset that makes eta negative unless the slope is large,
    # and responses whose least squares slope is too small.
    x = np.linspace(1.0, 2.0, 30)
    offset = -3.0 * x
    y = np.random.default_rng(1).gamma(5.0, 0.2, 30) * x
    fit = em.glm("y ~ 0 + x", {"y": y, "x": x}, "gamma", "identity", offset=offset)
    assert fit.converged
    assert np.all(fit.predict() > 0)


def test_a_hostile_restricted_fit_starts_and_ends_inside():
    rng = np.random.default_rng(3)
    x = np.r_[np.linspace(-1, 1, 40), 30.0]
    mu = 1.0 + 0.5 * np.r_[x[:-1], 1.0]
    y = rng.poisson(mu).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", em.ConvergenceWarning
        )  # the maximum may be on the edge; the mean may not leave
        fit = em.glm("y ~ x", {"y": y, "x": x}, "poisson", "identity")
    assert np.all(fit.predict() >= 0)


def test_a_constant_eta_is_none_on_the_edge_of_the_support():
    problem = em.glm("y ~ 1", {"y": [1.0, 2.0, 3.0]}, "poisson").problem
    assert constant_eta(problem.unit, problem.chunk) == pytest.approx(np.log(2.0))
    with pytest.warns(em.ConvergenceWarning, match="No finite maximum"):
        zero = em.glm("y ~ 1", {"y": [0.0, 0.0, 0.0]}, "poisson").problem
    assert constant_eta(zero.unit, zero.chunk) is None


def test_where_no_start_is_possible_the_refusal_says_so():
    x = np.array([-1.0, -0.5, 0.5, 1.0])
    with pytest.raises(em.DataError, match=r"identity link.*\(0, inf\).*offset"):
        em.glm("y ~ 0 + x", {"y": [1, 2, 1, 3], "x": x}, "poisson", "identity", offset=np.full(4, -1.0))


@pytest.mark.parametrize("unit", FITTED, ids=[f"{u.family!r}-{u.link!r}" for u in FITTED])
def test_the_normal_equations_are_those_of_the_first_least_squares(unit):
    given = Keywords(trials=keywords(unit).get("trials"))
    one = from_formula(FORMULA, sample(unit, 2), unit, given, "drop", Options())
    stage = prepare(one, begin=True)
    chunk, coordinates = stage.chunk, stage.coordinates
    mean, trials = unit.observed(chunk.y)
    with np.errstate(all="ignore"):
        mu = unit.family.start(mean, np.ones_like(mean) if trials is None else trials)
        eta = unit.link.link(np, mu, 1.0 - mu)
        if unit.steady and unit.domain.whole and not unit.canonical:  # drawn towards the constant
            eta = 0.5 * (eta + constant_eta(unit, chunk))
        _, score, weight = unit.bind(np)(chunk.y, eta)
    usable = np.isfinite(weight * eta + score) & np.isfinite(weight)
    rows = coordinates.rows(chunk.predictors[0].design)[usable]
    found = stage.normal.over(coordinates)
    right = rows.T @ (weight * eta + score)[usable]
    information = rows.T @ (weight[usable, None] * rows)
    size = np.sqrt(np.diag(information))
    np.testing.assert_allclose(
        found.information / size / size[:, None], information / size / size[:, None], rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(
        found.right / size, right / size, rtol=1e-9, atol=1e-9 * np.abs(right / size).max()
    )


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_weights_that_differ_much_do_not_hide_an_alias(scale):
    # W of the first least squares is mu^2: one row outweighs all others, and sees what none of them does.
    rng = np.random.default_rng(4)
    x = rng.normal(size=40)
    other = x + np.r_[np.zeros(39), 1e-14]
    y = np.r_[np.full(39, 1.0), 1e6] * scale
    unit = em.Unit(em.Gaussian(), em.glm("y ~ 1", {"y": y}, "gaussian", "log").link)
    one = from_formula("y ~ x + other", {"y": y, "x": x, "other": other}, unit, Keywords(), "drop", Options())
    with pytest.warns(em.AliasWarning, match="other"):
        assert prepare(one, begin=True).coordinates.aliased == ("other",)


def test_least_squares_show_most_designs_free_of_aliases(monkeypatch):
    monkeypatch.setattr("etamu.fit.stage.aliased_or_doubtful", None)
    rng = np.random.default_rng(8)
    g = np.array(["a", "b", "c"])[rng.integers(0, 3, 200)]
    data = {"y": rng.poisson(3.0, 200), "x": rng.normal(5.0, 0.1, 200), "g": g}
    for family in ("poisson", "gaussian", "bernoulli"):
        data["y"] = np.minimum(data["y"], 1) if family == "bernoulli" else data["y"]
        assert em.glm("y ~ x * g", data, family, frequency_weights=np.arange(200) + 1).converged


@pytest.mark.parametrize("family", ["poisson", "gamma", "inverse_gaussian"])
def test_with_a_log_link_the_constant_starts_where_its_score_is_zero(family):
    rng = np.random.default_rng(6)
    x = rng.normal(size=80)
    y = rng.poisson(4.0, 80) + 0.5 if family != "poisson" else rng.poisson(0.7, 80)
    unit = em.glm("y ~ x", {"y": y, "x": x}, family, "log").problem.unit
    one = from_formula("y ~ x", {"y": y, "x": x}, unit, Keywords(), "drop", Options())
    stage = prepare(one, begin=True)
    oracle = likelihood_of(one, stage)
    first = candidates(oracle, unit, stage.chunk, stage.normal)[0]
    eta = sums.etas(stage.chunk, stage.coordinates.raw(first))
    assert abs(unit.bind(np)(stage.chunk.y, eta)[1].sum()) < 1e-9
    again = normal_equations(oracle.executor, unit, stage.coordinates, stage.chunk).solved()[0]
    assert (
        abs(unit.bind(np)(stage.chunk.y, sums.etas(stage.chunk, stage.coordinates.raw(again)))[1].sum()) > 0.1
    )


def severities(given: dict[str, str]) -> Problem:
    rng = np.random.default_rng(12)
    level = rng.integers(0, 20, 600)
    y = rng.gamma(0.7, np.exp(0.02 * level))
    data = {"g": level.astype(str), "y": y, "w": rng.uniform(0.5, 2.0, 600), "o": 0.01 * level}
    unit = em.glm("y ~ 1", data, "gamma", "log").problem.unit
    return from_formula("y ~ g", data, unit, Keywords(**given), "drop", Options())


@pytest.mark.parametrize("given", [{}, {"variance_weights": "w"}], ids=["plain", "weighted"])
def test_means_that_scatter_more_than_they_differ_are_drawn_together(given: dict[str, str]) -> None:
    problem = severities(given)
    stage = prepare(problem, begin=True)
    oracle, best = likelihood_of(problem, stage), estimate(problem).beta
    alone = stage.executor.reduce(
        partial(sums.accumulate, beta=np.zeros(21), unit=Guess(problem.unit), want=Want.SCORE)
    )
    assert stage.normal is not None
    drawn = stage.normal.solved()[0]
    own = stage.normal.metric.solve(oracle.coordinates.gathered(alone.score))
    near, far = (levelled(oracle, problem.unit, beta, 2.0) - best for beta in (drawn, own))
    assert near @ stage.normal.information @ near < 0.5 * far @ stage.normal.information @ far


def test_beside_an_offset_means_are_not_drawn_together() -> None:
    problem = severities({"offset": "o"})
    stage = prepare(problem, begin=True)
    x = stage.coordinates.rows(stage.chunk.predictors[0].design)
    right = x.T @ (np.log(stage.chunk.y[0]) - stage.chunk.predictors[0].offset)
    assert stage.normal is not None
    np.testing.assert_allclose(stage.normal.right, right, rtol=1e-10)


@pytest.mark.parametrize("weights", [None, "w"], ids=["plain", "weighted"])
@pytest.mark.parametrize(("family", "link"), [("gamma", "log"), ("gaussian", "identity")])
def test_an_information_that_is_the_same_at_every_eta_is_summed_once(
    family: str, link: str, weights: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    data = {
        "x": rng.normal(size=400),
        "g": rng.integers(0, 4, 400).astype(str),
        "w": rng.uniform(0.5, 2.0, 400),
    }
    data["y"] = rng.gamma(2.0, np.exp(0.3 * data["x"]))
    asked: list[Want] = []

    def sums(self: Likelihood, beta: np.ndarray, want: Want, summed=Likelihood.sums) -> Any:
        asked.append(want)
        return summed(self, beta, want)

    monkeypatch.setattr(Likelihood, "sums", sums)
    once = em.glm("y ~ x + g", data, family, link, variance_weights=weights)
    assert not any(want & Want.EXPECTED for want in asked)
    assert any(want & Want.OBSERVED for want in asked) == (family == "gamma")
    monkeypatch.setattr(Normal, "steady", lambda *_: None)
    again = em.glm("y ~ x + g", data, family, link, variance_weights=weights)
    np.testing.assert_allclose(once.coef, again.coef, rtol=1e-10)
    np.testing.assert_allclose(once.cov, again.cov, rtol=1e-10)
    np.testing.assert_allclose(once.pearson_chi2, again.pearson_chi2, rtol=1e-10)
    assert once.passes == again.passes
