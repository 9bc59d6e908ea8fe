"""Checks are silent where the model holds and speak where it was broken on purpose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu.fit.check_rows import check_rows, projected

N = 1500


def world(seed: int = 8) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x, g = rng.normal(size=N), rng.integers(0, 3, N)
    return {"x": x, "g": np.array(list("abc"))[g], "eta": 0.5 + 0.4 * x - 0.3 * (g == 1)}


def fitted(y: Any, family: Any, formula: str = "y ~ x + g", **options: Any) -> Any:
    return em.glm(formula, world() | {"y": np.asarray(y, dtype=float)}, family=family, **options)


def rng() -> np.random.Generator:
    return np.random.default_rng(9)


MU = np.exp(world()["eta"])
P = 1.0 / (1.0 + np.exp(-world()["eta"]))
TRIALS = np.random.default_rng(1).integers(1, 9, N).astype(float)

TRUE = {
    "poisson": lambda: fitted(rng().poisson(MU), "poisson"),
    "bernoulli": lambda: fitted(rng().random(N) < P, "bernoulli"),
    "binomial": lambda: fitted(rng().binomial(TRIALS.astype(int), P), "binomial", trials=TRIALS),
    "gamma": lambda: fitted(rng().gamma(3.0, MU / 3.0), "gamma", link="log"),
    "gaussian": lambda: fitted(rng().normal(world()["eta"]), "gaussian"),
    "negative binomial": lambda: fitted(
        rng().poisson(MU * np.random.default_rng(2).gamma(2.0, 0.5, N)), em.NegativeBinomial(2.0)
    ),
}


@pytest.mark.parametrize("family", TRUE)
def test_a_true_model_passes(family: str) -> None:
    found = TRUE[family]().check()
    assert {each.verdict for each in found.findings} <= {"fine", "not asked", "look"}
    assert sum(each.verdict == "look" for each in found.findings) <= 2  # one in twenty, each
    assert all(not each.advice for each in found.findings if each.verdict == "fine")


BROKEN = {
    "too much variance": (
        lambda: fitted(rng().poisson(MU * np.random.default_rng(2).gamma(2.0, 0.5, N)), "poisson"),
        {"dispersion", "Cameron-Trivedi", "Dean", "zeros", "uniformity"},
    ),
    "too many zeros": (
        lambda: fitted(rng().poisson(MU) * (np.random.default_rng(3).random(N) < 0.7), "poisson"),
        {"zeros", "dispersion"},
    ),
    "trials that go together": (
        lambda: fitted(
            rng().binomial(TRIALS.astype(int), np.random.default_rng(4).beta(3 * P, 3 * (1 - P))),
            "binomial",
            trials=TRIALS,
        ),
        {"dispersion", "Dean", "uniformity"},
    ),
    "a curve left out": (
        lambda: fitted(rng().random(N) < 1 / (1 + np.exp(-world()["eta"] - world()["x"] ** 2)), "bernoulli"),
        {"calibration", "link"},
    ),
    "the wrong variance": (lambda: fitted(rng().normal(MU, 0.3 * MU), "gaussian", link="log"), {"variance"}),
    "one mistyped number": (
        lambda: fitted(np.r_[rng().poisson(MU)[:-1], 90.0], "poisson"),
        {"outliers"},
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_model_is_told(what: str) -> None:
    make, expected = BROKEN[what]
    found = make().check()
    for name in expected:
        assert found[name].verdict == "act", found[name]
        assert found[name].advice


@pytest.mark.parametrize("family", ["poisson", "binomial", "negative binomial"])
def test_the_variance_of_pearsons_chi_squared(family: str) -> None:
    fit = TRUE[family]()
    draws = fit.simulate(150, seed=5)
    found = []
    for k in range(150):
        options = {"trials": TRIALS} if family == "binomial" else {}
        found.append(fitted(draws[:, k], fit.family, **options).pearson_chi2)
    from etamu.fit.check import _pearson_variance

    expected = _pearson_variance(fit, check_rows(fit, 0))
    assert np.var(found) == pytest.approx(expected, rel=0.4)  # 3.5 standard errors of a variance
    assert np.mean(found) == pytest.approx(fit.df_resid, abs=4 * np.sqrt(expected / 150))


def test_the_variance_of_the_number_of_zeros() -> None:
    fit = TRUE["poisson"]()
    draws = fit.simulate(150, seed=6)
    z = [fitted(draws[:, k], "poisson").check()["zeros"].statistic for k in range(60)]
    assert np.std(z) == pytest.approx(1.0, abs=0.3)
    assert abs(np.mean(z)) < 0.5


def test_the_link_test_is_the_score_test_of_the_squared_predictor() -> None:
    for make in (TRUE["poisson"], TRUE["gamma"]):
        fit = make()
        eta = fit.predict(kind="link")
        data = world() | {"y": fit.augment()["y"], "square": (eta - eta.mean()) ** 2}
        larger = em.glm("y ~ x + g + square", data, family=fit.family, link=fit.link)
        added = fit.check()["link"].statistic ** 2
        frame = em.glm("y ~ x + g", data, family=fit.family, link=fit.link)
        rao = frame.add1("square", test="Rao")
        name = next(each for each in rao.columns if each in {"rao", "statistic"})
        assert added == pytest.approx(rao.row("square")[name], rel=0.05 if fit.phi.estimated else 1e-6)
        assert larger.converged


def test_collinearity_is_the_inflation_of_standard_errors() -> None:
    data = world()
    data["near"] = data["x"] + 0.05 * rng().normal(size=N)
    data["y"] = rng().normal(data["eta"])
    fit = em.glm("y ~ x + near + g", data)
    found = fit.check()
    assert found["collinearity"].verdict == "act"
    X = np.stack([data["near"], data["g"] == "b", data["g"] == "c", np.ones(N)], axis=1).astype(float)
    rest = data["x"] - X @ np.linalg.lstsq(X, data["x"], rcond=None)[0]
    by_hand = np.sqrt(np.sum((data["x"] - data["x"].mean()) ** 2) / np.sum(rest**2))
    assert found.inflation["x"] == pytest.approx(by_hand, rel=1e-6)


def test_copies_are_rows() -> None:
    k = np.random.default_rng(3).integers(1, 4, N)
    data = world() | {"y": rng().poisson(MU).astype(float), "k": k}
    weighted = em.glm("y ~ x + g", data, family="poisson", frequency_weights="k").check()
    copies = {name: np.repeat(values, k) for name, values in data.items()}
    repeated = em.glm("y ~ x + g", copies, family="poisson").check()
    for name in ("dispersion", "Cameron-Trivedi", "Dean", "zeros", "link", "variance"):
        assert weighted[name].statistic == pytest.approx(repeated[name].statistic, rel=1e-6)
        assert weighted[name].p_value == pytest.approx(repeated[name].p_value, rel=1e-5, abs=1e-12)


def test_blocks_do_not_matter() -> None:
    fit = TRUE["poisson"]()
    options = replace(fit.problem.options, block_rows=100, threads=2)
    blocks = replace(fit, problem=replace(fit.problem, options=options))
    for one, other in zip(fit.check().findings, blocks.check().findings, strict=True):
        assert one.name == other.name
        assert one.statistic == pytest.approx(other.statistic, rel=1e-8, nan_ok=True)
    values = np.linspace(-1, 1, N)
    assert np.allclose(projected(fit, values), projected(blocks, values), rtol=1e-10, atol=1e-10)


def test_it_is_a_table() -> None:
    found = TRUE["poisson"]().check()
    text = str(found)
    assert len(text.splitlines()) == 6 + len(found.findings)
    assert all(name in text for name in found.names)
    assert "<table>" in found._repr_html_()
    assert set(found.frame()) >= {"name", "verdict", "words", "advice", "p_value"}
    with pytest.raises(em.OptionError, match="there is no check 'normality'"):
        found["normality"]


def test_what_cannot_be_asked_is_said() -> None:
    quasi = fitted(rng().poisson(MU), "quasipoisson").check()
    assert quasi["uniformity"].verdict == "not asked"
    assert "studentised" in quasi["outliers"].words
    constant = fitted(rng().poisson(3.0, N), "poisson", "y ~ 1").check()
    assert constant["link"].verdict == "not asked"
    assert constant["variance"].verdict == "not asked"
    assert constant["collinearity"].verdict == "not asked"
    weights = fitted(rng().poisson(MU), "poisson", variance_weights=TRIALS).check()
    assert "zeros" not in weights.names
    survey = fitted(rng().poisson(MU), "poisson", sampling_weights=TRIALS).check()
    assert "rough guide" in str(survey)


def test_a_loaded_fit_has_no_rows_to_check(tmp_path: Any) -> None:
    fit = TRUE["poisson"]()
    fit.save(tmp_path / "fit.json")
    with pytest.raises(em.NotAvailableError):
        em.load(tmp_path / "fit.json").check()


def test_separation_is_the_first_finding() -> None:
    data = {"y": [0, 0, 0, 0, 1, 0, 1, 1], "g": list("aaaabbbb"), "x": [1.0, 2, 3, 4, 1, 2, 3, 4]}
    with pytest.warns(em.SeparationWarning):
        fit = em.glm("y ~ g + x", data, family="bernoulli")
    found = fit.check()
    assert found.names[0] == "existence"
    assert found["existence"].verdict == "act"
    assert "g[T.b] -> +Inf" in str(found["existence"])
    assert "method='firth'" in found["existence"].advice
    assert "NaN" not in str(found["collinearity"])


def test_a_boundary_is_a_finding_and_an_interior_maximum_none() -> None:
    data = {"y": [0.0, 0.0, 0.0], "x": [0.0, 1.0, 2.0]}
    with pytest.warns(em.ConvergenceWarning):
        fit = em.glm("y ~ x", data, family="poisson", link="identity")
    assert "boundary" in fit.check()["existence"].words
    assert "existence" not in em.glm("y ~ x", {**data, "y": [1.0, 3.0, 2.0]}, family="poisson").check().names


@pytest.mark.parametrize("family", ["poisson", em.Tweedie(1.5)], ids=str)
def test_rows_whose_mean_is_zero_are_checked_without_a_number_that_is_none(family: Any) -> None:
    data = {"y": [1, 2, 3, 0, 0, 0, 2, 5, 3], "g": list("aaabbbccc")}
    with pytest.warns(em.SeparationWarning):
        fit = em.glm("y ~ g", data, family=family, link="log")
    assert fit.check()["existence"].verdict == "act"
