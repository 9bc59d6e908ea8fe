"""Means of several predictors on a grid, and contrasts of averages: what predict() says, averaged."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em

N = 300
RNG = np.random.default_rng(3)
DATA = {
    "x": RNG.normal(size=N),
    "g": RNG.choice(list("abc"), N),
    "h": RNG.choice(list("uv"), N),
    "e": RNG.uniform(0.5, 2.0, N),
}
DATA["y"] = np.digitize(0.7 * DATA["x"] + (DATA["g"] == "b") + RNG.logistic(size=N), [-1.0, 1.0])
DATA["n"] = RNG.poisson(DATA["e"] * np.exp(0.5 + 0.3 * DATA["x"])) * (RNG.random(N) < 0.7)


@pytest.fixture(scope="module")
def ordinal() -> em.VectorFit:
    return em.glm("y ~ x + g + h", DATA, family=em.Cumulative())


@pytest.fixture(scope="module")
def zeros() -> em.VectorFit:
    return em.glm("n ~ x + g", DATA, em.ZeroInflatedPoisson(), predictors={"zero": "~ h"}, exposure="e")


def test_the_mean_of_one_cell_is_what_is_predicted_there(ordinal: em.VectorFit) -> None:
    means = ordinal.means("g | h", at={"x": 0.4})
    cells = {"x": np.full(6, 0.4), "g": np.array(list("abcabc")), "h": np.array(list("uuuvvv"))}
    there = ordinal.predict(cells, se=True, interval="confidence")
    for name, values in (("estimate", there.estimate), ("std_error", there.se)):
        assert_allclose(means[name], values.ravel(), rtol=1e-9)
    assert_allclose(means["conf_low"], there.lower.ravel(), rtol=1e-9)
    assert_allclose(means["conf_high"], there.upper.ravel(), rtol=1e-9)
    assert means["g"][:4].tolist() == ["a", "a", "a", "b"]
    assert "statistic" not in means.columns


def test_other_factors_are_averaged_over_and_numbers_held_at_their_mean(ordinal: em.VectorFit) -> None:
    cells = {"x": np.full(2, DATA["x"].mean()), "g": np.array(["b", "b"]), "h": np.array(["u", "v"])}
    each = ordinal.predict(cells)
    share = np.mean(DATA["h"] == "u")
    shares = {"equal": np.array([0.5, 0.5]), "proportional": np.array([share, 1.0 - share])}
    for weights, expected in ((how, by @ each) for how, by in shares.items()):
        assert_allclose(ordinal.means("g", weights=weights)["estimate"][3:6], expected, rtol=1e-12)


def test_an_offset_stands_at_its_mean(zeros: em.VectorFit) -> None:
    found = zeros.means("g", at={"h": "u"})
    cells = {"x": np.full(3, DATA["x"].mean()), "g": np.array(list("abc")), "h": np.array(["u"] * 3)}
    cells["e"] = np.full(3, np.exp(np.log(DATA["e"]).mean()))
    there = zeros.predict(cells, se=True)
    assert_allclose(found["estimate"], there.estimate.ravel(), rtol=1e-9)
    assert_allclose(found["std_error"], there.se.ravel(), rtol=1e-6)
    assert "Offset held at its mean" in str(found)
    zero = zeros.predict({**cells, "h": list("uvu")}, "zero")[:2]
    assert_allclose(zeros.means("h", kind="zero")["estimate"], zero)


def test_contrasts_with_the_reference_are_the_average_effects(ordinal: em.VectorFit) -> None:
    one, other = ordinal.contrasts("g"), ordinal.effects("g")
    for name in ("estimate", "std_error", "conf_low", "p_value"):
        assert_allclose(one[name], other[name], rtol=1e-10)
    pairs = ordinal.contrasts("g", "pairwise", kind="2")
    assert pairs["contrast"].tolist() == ["b - a", "c - a", "c - b"]
    assert_allclose(pairs["estimate"][2], pairs["estimate"][1] - pairs["estimate"][0], rtol=1e-10)


def test_ratios_have_the_interval_of_their_logarithm(zeros: em.VectorFit) -> None:
    ratio, log = (zeros.contrasts("g", ("a", "b"), measure) for measure in ("ratio", "lnratio"))
    assert_allclose(np.log(ratio["estimate"]), log["estimate"], rtol=1e-12)
    assert_allclose(np.log(ratio["conf_high"]), log["conf_high"], rtol=1e-12)
    assert_allclose(ratio["p_value"], log["p_value"])
    at = [zeros.predict({**DATA, "g": np.full(N, level)}).mean() for level in "ab"]
    assert_allclose(ratio["estimate"], [at[1] / at[0]], rtol=1e-12)
    step = zeros.contrasts("x", 2.0)
    moved = zeros.predict({**DATA, "x": DATA["x"] + 2.0}).mean() - zeros.predict().mean()
    assert_allclose(step["estimate"], [moved], rtol=1e-10)


def test_what_cannot_be_asked_is_refused_by_name(ordinal: em.VectorFit, zeros: em.VectorFit) -> None:
    for ask, words in (
        (lambda: ordinal.means("x"), "'x' is no factor of the model; its factors are"),
        (lambda: ordinal.means("g", at={"q": 1}), "at= names 'q', which no term reads"),
        (lambda: ordinal.means("g", weights="all"), "weights='all' is not known"),
        (lambda: ordinal.means("g", kind="z"), "kind='z' is not known"),
        (lambda: ordinal.contrasts("q"), "the model has no variable 'q'"),
        (lambda: ordinal.contrasts("g", ("a", "z")), "'g' has no level 'z'"),
        (lambda: ordinal.contrasts("g", measure="ratio", kind="link"), "use measure='difference'"),
        (lambda: zeros.contrasts("g", measure="oddsratio"), "an odds ratio needs means between 0 and 1"),
    ):
        with pytest.raises(em.OptionError, match=words):
            ask()


def test_models_of_matrices_and_saved_ones_have_no_grid(ordinal: em.VectorFit, tmp_path) -> None:
    matrix = em.GLM(family=em.Cumulative()).fit(DATA["x"][:, None], DATA["y"])
    with pytest.raises(em.NotAvailableError, match="fitted to a matrix"):
        matrix.means("g")
    ordinal.save(tmp_path / "m.json")
    with pytest.raises(em.NotAvailableError, match="rows"):
        em.load(tmp_path / "m.json").means("g")


def test_aliased_columns_leave_means_without_an_estimate() -> None:
    with pytest.warns(em.AliasWarning):
        fit = em.glm("y ~ g + k", {**DATA, "k": (DATA["g"] == "b") * 1.0}, family=em.Cumulative())
    with pytest.raises(em.NotAvailableError, match="k have no estimate"):
        fit.means("g")
