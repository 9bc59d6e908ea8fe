from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu.execute.threads import Threads
from etamu.fit import null
from etamu.fit.null import _alone, _beside, _offset
from etamu.fit.start import shifted_eta
from etamu.solve.newton import newton
from tests.samples import FITTED, FORMULA, keywords, sample


@pytest.mark.parametrize("unit", FITTED, ids=[f"{u.family!r}-{u.link!r}" for u in FITTED])
def test_null_deviance_is_the_deviance_of_the_constant(unit):
    data = sample(unit, 6)
    full = (
        em.glm(FORMULA, data, **keywords(unit))
        if not unit.restricted
        else em.glm("y ~ z", data, **keywords(unit))
    )
    constant = em.glm("y ~ 1", data, **keywords(unit))
    assert_allclose(full.null_deviance, constant.deviance, rtol=1e-9)
    assert_allclose(constant.null_deviance, constant.deviance, rtol=1e-9)
    assert full.df_null == constant.df_null == constant.df_resid


@pytest.mark.parametrize("family", ["poisson", "gaussian", "bernoulli", "gamma"])
def test_the_null_model_keeps_offset_and_weights(family):
    unit = em.glm(
        "y ~ 1", {"y": [1.0, 1.0, 0.5 if family in {"gamma", "gaussian"} else 0.0]}, family, None
    ).problem.unit
    link = "log" if family == "gamma" else unit.link
    unit = em.Unit(
        unit.family, em.glm("y~1", {"y": [1.0, 2.0]}, "gamma", "log").link if link == "log" else link
    )
    data = sample(unit, 1)
    options = {"offset": 0.3 * data["z"], "variance_weights": np.linspace(0.5, 2.0, len(data["y"]))}
    full = em.glm(FORMULA, data, **keywords(unit), **options)
    constant = em.glm("y ~ 1", data, **keywords(unit), **options)
    assert_allclose(full.null_deviance, constant.deviance, rtol=1e-9)


@pytest.mark.parametrize("family", ["poisson", "gamma", "inverse_gaussian", "gaussian", "tweedie(1.6)"])
@pytest.mark.parametrize("rows", [40, 9000], ids=["looked at all", "looked at some"])
def test_beside_an_offset_one_look_near_the_constant_gives_the_deviance_at_it(family, rows):
    rng = np.random.default_rng(3)
    offset, weights = rng.normal(2.0, 1.5, rows), rng.uniform(0.5, 2.0, rows)
    y = rng.poisson(np.exp(offset - 1.0)) + (0.0 if family == "poisson" else 0.5)
    stated = em.Tweedie(power=1.6) if family == "tweedie(1.6)" else family
    unit = em.glm("y ~ 1", {"y": y[:5] + 1.0}, stated, "log").problem.unit
    fit = em.glm("y ~ 1", {"y": y}, unit.family, unit.link, offset=offset, variance_weights=weights)
    alone, oracle = _alone(unit, fit.problem.chunk, Threads(fit.problem.chunk))
    assert_allclose(_beside(unit, alone, oracle), fit.deviance, rtol=1e-12)
    assert_allclose(fit.null_deviance, fit.deviance, rtol=1e-12)


def test_without_an_intercept_eta_is_the_offset_even_if_a_factor_spans_the_constant():
    data = {"y": [1.0, 2.0, 3.0, 4.0], "g": ["a", "a", "b", "b"]}
    fit = em.glm("y ~ 0 + g", data)
    assert_allclose(fit.null_deviance, 1 + 4 + 9 + 16)
    assert fit.df_null == 4
    fit = em.glm("y ~ 0 + g", data, "poisson", offset=np.log(data["y"]))
    assert_allclose(fit.null_deviance, 0.0, atol=1e-12)


def test_all_zeros_have_null_deviance_zero():
    with pytest.warns(em.ConvergenceWarning):
        fit = em.glm("y ~ x", {"y": [0.0] * 5, "x": np.arange(5.0)}, "poisson")
    assert fit.null_deviance == 0.0


def positive(family, rng, mu):
    draws = {"poisson": rng.poisson(mu).astype(float), "gamma": mu * rng.gamma(3.0, 1.0 / 3.0, len(mu))}
    return draws.get(family, np.where(rng.random(len(mu)) < 0.3, 0.0, draws["gamma"]))


@pytest.mark.parametrize("weights", [(), ("frequency_weights",), ("variance_weights", "sampling_weights")])
@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("poisson", "poisson"),
        ("poisson", "quasipoisson"),
        ("gamma", "gamma"),
        ("tweedie", em.Tweedie(power=1.5)),
    ],
    ids=["poisson", "quasipoisson", "gamma", "tweedie"],
)
def test_the_closed_form_beside_an_exposure_is_where_newton_ends(name, family, weights):
    rng = np.random.default_rng(8)
    n = 300
    exposure, x = rng.uniform(0.1, 5.0, n), rng.normal(size=n)
    y = positive(name, rng, exposure * np.exp(0.3 * x - 0.2))
    kinds = {
        "frequency_weights": rng.integers(1, 4, n).astype(float),
        "variance_weights": rng.uniform(0.5, 2.0, n),
        "sampling_weights": rng.uniform(0.5, 2.0, n),
    }
    options = {"exposure": exposure} | {kind: kinds[kind] for kind in weights}
    fit = em.glm("y ~ x", {"y": y, "x": x}, family, "log", **options)
    problem = fit.problem
    chunk = problem.counting()
    closed = shifted_eta(problem.unit, Threads(chunk), _offset)
    _, oracle = _alone(problem.unit, chunk, Threads(chunk, threads=1))
    solution = newton(oracle, np.zeros(1))
    assert_allclose(closed, solution.beta[0], atol=1e-9)
    assert_allclose(fit.null_deviance, -2.0 * solution.local.value, rtol=1e-12)
    assert_allclose(
        fit.null_deviance, em.glm("y ~ 1", {"y": y}, family, "log", **options).deviance, rtol=1e-10
    )


@pytest.mark.parametrize(("family", "link"), [("bernoulli", "logit"), ("gamma", "inverse")])
def test_without_a_closed_form_there_is_none(family, link):
    y = np.array([0.0, 1.0, 1.0, 0.0, 1.0]) if family == "bernoulli" else np.arange(1.0, 6.0)
    problem = em.glm("y ~ 1", {"y": y}, family, link).problem
    assert shifted_eta(problem.unit, Threads(problem.counting()), lambda _: np.zeros(5)) is None


def test_a_sum_of_zero_has_no_closed_form():
    problem = em.glm("y ~ 1", {"y": [1.0, 2.0]}, "poisson", exposure=[1.0, 2.0]).problem
    chunk = problem.counting()
    empty = replace(chunk, y=(np.zeros(2),))
    assert shifted_eta(problem.unit, Threads(empty), _offset) is None


def test_rows_are_summed_in_blocks_of_any_number():
    rng = np.random.default_rng(9)
    exposure, y = rng.uniform(0.1, 5.0, 50), rng.gamma(2.0, 1.0, 50)
    fit = em.glm("y ~ 1", {"y": y}, "gamma", "log", exposure=exposure)
    chunk = fit.problem.counting()
    whole, parts = (shifted_eta(fit.problem.unit, Threads(chunk, rows), _offset) for rows in (None, 7))
    assert_allclose(whole, np.log(np.mean(y / exposure)), rtol=1e-12)  # the mean of the rates, for a gamma
    assert_allclose(parts, whole, rtol=1e-12)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_null_model_begun_ahead_has_the_same_bits(threads, monkeypatch):
    rng = np.random.default_rng(5)
    rows = 3000
    data = {"x": rng.normal(size=rows), "e": rng.uniform(0.1, 1.0, rows)}
    data["y"] = rng.poisson(0.3 * data["e"]).astype(float)
    later = em.glm("y ~ x", data, "poisson", exposure="e")
    begun = []

    def ahead(problem, known=null.ahead):
        begun.append(known(problem))
        return begun[-1]

    monkeypatch.setenv("ETAMU_THREADS", threads)
    monkeypatch.setattr(null, "DEAR", 1)
    monkeypatch.setattr("etamu.fit.estimate.null_ahead", ahead)
    monkeypatch.setattr("etamu.execute.threads.ALONE", 1)
    assert em.glm("y ~ x", data, "poisson", exposure="e").null_deviance == later.null_deviance
    assert begun[0] is not None


def test_the_null_model_is_computed_once_and_has_no_value_without_a_constant() -> None:
    data = {"y": [1.0, 3.0, 4.0], "x": [0.0, 1.0, 3.0]}
    fit, bare = (em.glm(formula, data, "poisson") for formula in ("y ~ x", "y ~ 0 + x"))
    executor = Threads(fit.problem.chunk)
    known = null.null_of(fit.problem, fit.problem.chunk, executor)
    assert known() is known()
    assert known() == pytest.approx(fit.null_deviance, rel=1e-14)
    assert null.constant_value(fit.problem, known)() == -0.5 * known()
    assert null.constant_value(bare.problem, known)() == -np.inf
