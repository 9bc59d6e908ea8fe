"""add1 is the refitted larger model for LR and F, and one pass for Rao's test; its scope reads as R's."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from tests.fit.test_anova import data


def test_lr_is_that_of_the_larger_fits() -> None:
    frame = data()
    table = em.glm("y ~ x", frame, family="poisson", exposure="e").add1("~ . + z + g")
    assert table.rows == ("<none>", "z", "g")
    for name in ("z", "g"):
        larger = em.glm(f"y ~ x + {name}", frame, family="poisson", exposure="e")
        assert table.row(name)["deviance"] == pytest.approx(larger.deviance, rel=1e-12)
        assert table.row(name)["aic"] == pytest.approx(larger.aic, rel=1e-12)
        dropped = larger.drop1(scope=name).row(name)
        assert table.row(name)["p_value"] == pytest.approx(dropped["p_value"], rel=1e-9)


@pytest.mark.parametrize("test", ["F", "Rao", "LR"])
def test_what_add1_gains_drop1_loses(test: str) -> None:
    frame = data()
    larger = em.glm("w ~ x + g", frame, family="gamma", link="log")
    smaller = em.glm("w ~ x", frame, family="gamma", link="log")
    gained = smaller.add1("~ x + g", test).row("g")
    lost = larger.drop1(test).row("g")
    phi = 1.0 if test == "F" else smaller.dispersion / larger.dispersion
    assert gained["statistic"] * phi == pytest.approx(lost["statistic"], rel=1e-8)
    assert gained["df"] == lost["df"]


def test_f_with_pearson_is_anovas() -> None:
    frame = data()
    gained = em.glm("w ~ x", frame, family="gamma", link="log").add1("g", "F", dispersion="pearson").row("g")
    table = em.glm("w ~ x + g", frame, family="gamma", link="log").anova(2, "F").row("g")
    assert gained["statistic"] == pytest.approx(table["f"], rel=1e-9)


def test_only_interactions_whose_margins_are_there_are_added() -> None:
    fit = em.glm("y ~ x + z", data(), family="poisson")
    assert fit.add1("~ .^2 + g + g:x").rows == ("<none>", "g", "x:z")
    assert fit.add1(["g", "x:z"]).rows == ("<none>", "g", "x:z")


def test_a_copy_adds_nothing() -> None:
    frame = data().assign(x2=lambda d: 3 * d["x"] - 1)
    table = em.glm("y ~ x", frame, family="poisson").add1("~ . + x2 + z")
    assert table.row("x2")["df"] == 0.0
    assert np.isnan(table.row("x2")["p_value"])
    assert table.row("z")["df"] == 1.0


def test_odd_names_and_offsets_in_formulas() -> None:
    frame = data().rename(columns={"z": "my column"})
    fit = em.glm("y ~ x + offset(log(e))", frame, family="poisson")
    larger = em.glm("y ~ x + `my column` + offset(log(e))", frame, family="poisson")
    assert fit.add1("~ . + `my column`").row("my column")["deviance"] == pytest.approx(
        larger.deviance, rel=1e-12
    )


def test_refusals() -> None:
    frame = data()
    fit = em.glm("y ~ x", frame, family="poisson")
    with pytest.raises(em.FormulaError, match="no column 'q'"):
        fit.add1("~ . + q")
    with pytest.raises(em.FormulaError, match="no term to add"):
        fit.add1("~ .")
    with pytest.raises(em.FormulaError, match="cannot change the offset"):
        fit.add1("~ . + z + offset(e)")
    gap = frame.assign(z=frame["z"].where(frame["z"] > -1))
    with pytest.raises(em.DataError, match=r"'z' has .* missing values in the rows of this fit"):
        em.glm("y ~ x", gap, family="poisson").add1("~ . + z")
    with pytest.raises(em.OptionError, match="F test needs"):
        fit.add1("~ . + z", "F")
    matrix = em.GLM(family="poisson").fit(frame[["x"]].to_numpy(), frame["y"].to_numpy())
    with pytest.raises(em.NotAvailableError, match="needs a formula"):
        matrix.add1("~ . + z")
    with pytest.raises(em.NotAvailableError, match="robust covariance"):
        em.glm("y ~ x", frame, family="poisson", covariance="HC1").add1("~ . + z")
