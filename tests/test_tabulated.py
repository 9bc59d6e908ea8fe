"""A spline of a variable with few values is a table of its levels: nothing that a fit says changes by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu.data import encode
from etamu.design.tabulated import Tabulated

FORMULAS = (
    "y ~ bs(age, 6)",
    "y ~ x + bs(age, 5) + g + ns(year, 4)",
    "y ~ 0 + poly(age, 4) + g",
    "y ~ bs(np.log(age), 4) * x + bs(age, 4):g",
    "y ~ 0 + cr(age, 5) + offset(x)",
)


def data(n: int = 2_000) -> dict[str, Any]:
    rng = np.random.default_rng(12)
    age, x = rng.integers(18, 80, n), rng.normal(size=n)
    g = np.array(["a", "b", "c"])[rng.integers(0, 3, n)]
    year = rng.integers(0, 20, n) / 2.0
    mu = np.exp(0.3 * np.sin(age / 12.0) + 0.2 * x + 0.1 * (g == "b"))
    return {"y": rng.poisson(mu), "age": age, "x": x, "g": g, "year": year}


def fitted(formula: str, monkeypatch: pytest.MonkeyPatch, *, tabulated: bool) -> em.Fit:
    with monkeypatch.context() as patch:
        if not tabulated:
            patch.setattr(encode, "TABULATED", 10**9)
        fit = em.glm(formula, data(), family="poisson")
    kinds = {type(block) for block in fit.problem.chunk.predictors[0].design.blocks}
    assert (Tabulated in kinds) is tabulated
    return fit


def new() -> dict[str, Any]:
    """Rows with ages that no row had."""
    return {"age": [18.5, 40.0, 79.0], "x": [0.0, 1.0, -1.0], "g": ["a", "c", "b"], "year": [0.25, 3.0, 9.0]}


QUESTIONS: dict[str, Callable[[em.Fit], Any]] = {
    "coef": lambda fit: fit.coef,
    "se": lambda fit: fit.se,
    "deviance": lambda fit: fit.deviance,
    "null": lambda fit: fit.null_deviance,
    "residuals": lambda fit: fit.residuals("deviance"),
    "predict": lambda fit: fit.predict(),
    "predict new": lambda fit: fit.predict(new()),
    "sandwich": lambda fit: fit.with_covariance("HC3").se,
    "terms": lambda fit: fit.terms()["statistic"],
    "anova": lambda fit: fit.anova()["deviance"],
    "leverage": lambda fit: fit.influence().leverage,
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_fit_says_what_it_says_of_columns_written_out(
    formula: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = fitted(formula, monkeypatch, tabulated=True)
    expected = fitted(formula, monkeypatch, tabulated=False)
    assert found.names == expected.names
    for name, ask in QUESTIONS.items():
        np.testing.assert_allclose(ask(found), ask(expected), rtol=1e-7, atol=1e-9, err_msg=name)


OTHERS = {
    "multinomial": lambda: em.glm("g ~ bs(age, 4) + x", data(), em.Multinomial(reference="a")),
    "tweedie": lambda: em.glm("y ~ bs(age, 4) + x", data(), em.Tweedie(power=1.5)),
    "bias-reduced": lambda: em.glm("y ~ bs(age, 4) + x", data(), "poisson", method="firth"),
    "extended": lambda: em.glm("y ~ bs(age, 4) + x", data(), "gaussian", precision="extended"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_ways_to_fit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = OTHERS[name]()
    monkeypatch.setattr(encode, "TABULATED", 10**9)
    expected = OTHERS[name]()
    np.testing.assert_allclose(found.coef, expected.coef, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found.se, expected.se, rtol=1e-7)


def test_it_is_saved_and_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = fitted(FORMULAS[1], monkeypatch, tabulated=True)
    fit.save(tmp_path / "fit.json")
    again = em.load(tmp_path / "fit.json")
    np.testing.assert_allclose(again.predict(new()), fit.predict(new()), rtol=1e-12)
    np.testing.assert_allclose(again.se, fit.se, rtol=1e-12)


def test_new_rows_are_encoded_alone_or_together(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = fitted(FORMULAS[1], monkeypatch, tabulated=True)
    many = {name: np.tile(values, 200) for name, values in new().items()}
    np.testing.assert_allclose(fit.predict(many)[:3], fit.predict(new()), rtol=1e-13)


def test_aliased_columns_of_a_table_are_found() -> None:
    rows = data()
    rows["twice"] = 2 * rows["age"]
    with pytest.warns(em.AliasWarning):
        fit = em.glm("y ~ poly(age, 3) + poly(twice, 3)", rows, family="poisson")
    assert fit.aliased == tuple(f"poly(twice, 3)[{k}]" for k in (1, 2, 3))
