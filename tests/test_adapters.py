"""The model made for marginaleffects predicts and varies as the fit does; the package is played here."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pytest

import etamu as em
from etamu.adapters import for_marginaleffects


@dataclass
class Vault:
    coef: Any = None
    coefnames: Any = None
    formula: Any = None
    modeldata: Any = None
    package: str = ""
    variable_names: Any = None


class Model:
    def __init__(self, model: Any, vault: Vault) -> None:
        self.model = model
        self.vault = vault


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    classes = types.ModuleType("marginaleffects.classes")
    classes.ModelAbstract, classes.ModelVault = Model, Vault  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "marginaleffects", types.ModuleType("marginaleffects"))
    monkeypatch.setitem(sys.modules, "marginaleffects.classes", classes)


def table() -> pl.DataFrame:
    rng = np.random.default_rng(2)
    x, t = rng.uniform(0, 2, 50), rng.uniform(1, 3, 50)
    y = rng.poisson(t * np.exp(0.4 * x)).astype(float)
    return pl.DataFrame({"x": x, "t": t, "g": np.array(list("ba") * 25), "y": y, "twice": 2 * x})


@pytest.mark.usefixtures("package")
@pytest.mark.filterwarnings("ignore::etamu.AliasWarning")
def test_it_predicts_at_any_coefficients_offset_included() -> None:
    data = table()
    fit = em.glm("y ~ log1p(x) + g + x + twice", data, family="poisson", exposure="t")
    model = for_marginaleffects(fit, data)
    assert model.vault.coefnames.tolist() == ["Intercept", "log1p(x)", "g[T.b]", "x"]
    assert model.vault.variable_names == ["y", "x", "g", "twice"]
    assert model.vault.modeldata["g"].dtype == pl.Enum(["a", "b"])
    rows = model.get_exog(data)
    assert np.allclose(model.get_predict(model.vault.coef, rows)["estimate"], fit.predict(), rtol=1e-10)
    moved = model.get_predict(model.vault.coef + np.array([np.log(2.0), 0, 0, 0]), rows)["estimate"]
    assert np.allclose(moved, 2 * fit.predict(), rtol=1e-10)


@pytest.mark.usefixtures("package")
def test_covariances() -> None:
    data = table()
    fit = em.glm("y ~ x + g", data, family="poisson")
    model = for_marginaleffects(fit, data)
    assert np.array_equal(model.get_vcov(), fit.cov)
    assert np.allclose(model.get_vcov("HC3"), fit.with_covariance("HC3").cov)
    assert model.get_vcov(False) is None
    assert np.array_equal(model.get_vcov(np.eye(3)), np.eye(3))
    with pytest.raises(em.OptionError, match="shape"):
        model.get_vcov(np.eye(2))


def test_without_the_package_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "marginaleffects.classes", None)
    fit = em.glm("y ~ x", table())
    with pytest.raises(em.NotAvailableError, match="pip install marginaleffects"):
        for_marginaleffects(fit, table())
