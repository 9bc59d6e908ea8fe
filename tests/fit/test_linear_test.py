"""Wald, likelihood-ratio and score tests of one hypothesis: what they are, and that they meet."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from tests import samples
from tests.fit.test_anova import data


def test_wald_of_one_coefficient_is_its_own() -> None:
    fit = em.glm("y ~ x + g", data(), family="poisson")
    found = fit.test("x = 0")
    place = fit.names.index("x")
    assert found.statistic == pytest.approx(fit.statistic[place] ** 2)
    assert found.p_value == pytest.approx(fit.p_values[place])
    unknown = em.glm("w ~ x + g", data(), family="gamma", link="log")
    found = unknown.test("x = 0")
    assert (found.reference, found.df_resid) == ("F", unknown.df_resid)
    assert found.p_value == pytest.approx(unknown.p_values[place])
    assert unknown.test("x", reference="chi2").reference == "chi2"


@pytest.mark.parametrize("unit", [unit for unit in samples.FITTED if unit.convex], ids=repr)
def test_lr_and_score_of_a_term_are_anovas(unit) -> None:
    fit = em.glm("y ~ x + z + C(g)", samples.sample(unit, 5), **samples.keywords(unit))
    names = [name for name in fit.names if name.startswith("C(g)")]
    lr, score = (fit.test(names, kind, reference="chi2") for kind in ("lr", "score"))
    assert lr.statistic == pytest.approx(fit.anova(3, "LR").row("C(g)")["statistic"], rel=1e-7)
    assert score.statistic == pytest.approx(fit.drop1("Rao").row("C(g)")["statistic"], rel=1e-7)


def test_a_combination_is_the_coefficient_of_another_coding() -> None:
    frame = data().assign(s=lambda d: d["x"] + d["z"], d=lambda d: d["x"] - d["z"])
    one = em.glm("y ~ x + z + g", frame, family="poisson")
    other = em.glm("y ~ s + d + g", frame, family="poisson")
    for kind in ("wald", "lr", "score"):
        ours, theirs = one.test("x = z + 0.2", kind), other.test("d = 0.1", kind)
        assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-7), kind
    assert one.test("x - z").estimate[0] == pytest.approx(2 * other.coef[other.names.index("d")], rel=1e-9)


def test_constraints_on_the_intercept_and_on_everything() -> None:
    frame = data()
    fit = em.glm("y ~ x", frame, family="poisson")
    without = em.glm("y ~ 0 + x", frame, family="poisson")
    assert fit.test("Intercept", "lr").statistic == pytest.approx(without.deviance - fit.deviance, rel=1e-9)
    fixed = fit.test("Intercept = 0.5, x = 0.3", "lr")
    mu = np.exp(0.5 + 0.3 * frame["x"])
    deviance = 2 * np.sum(np.where(frame["y"] > 0, frame["y"] * np.log(np.maximum(frame["y"], 1) / mu), 0)
                          - (frame["y"] - mu))  # fmt: skip
    assert fixed.statistic == pytest.approx(deviance - fit.deviance, rel=1e-9)
    assert fixed.df == 2


def test_the_three_meet_for_a_small_departure() -> None:
    fit = em.glm("y ~ x + g", data(), family="poisson")
    near = fit.coef[fit.names.index("x")] + 0.01 * fit.se[fit.names.index("x")]
    values = [fit.test(f"x = {near!r}".replace("np.float64(", "").replace(")", ""), kind).statistic
              for kind in ("wald", "lr", "score")]  # fmt: skip
    np.testing.assert_allclose(values, 1e-4, rtol=1e-2)


def test_redundant_hypotheses_count_once_and_contradictions_are_refused() -> None:
    fit = em.glm("y ~ x + g", data(), family="poisson")
    twice, once = fit.test("x = 0, 2*x = 0", "lr"), fit.test("x = 0", "lr")
    assert (twice.df, twice.statistic) == (1, pytest.approx(once.statistic, rel=1e-10))
    assert "1 of them independent" in str(twice)
    with pytest.raises(em.OptionError, match="contradict one another"):
        fit.test("x = 0, x = 1")


def test_robust_covariance_and_sampling_weights_have_wald_only() -> None:
    frame = data()
    robust = em.glm("y ~ x + g", frame, family="poisson", covariance="HC0")
    assert robust.test("x").statistic == pytest.approx(robust.statistic[robust.names.index("x")] ** 2)
    assert "HC0" in str(robust.test("x"))
    for fit in (robust, em.glm("y ~ x + g", frame, family="poisson", sampling_weights="e")):
        for kind in ("lr", "score"):
            with pytest.raises(em.NotAvailableError, match="use a Wald test"):
                fit.test("x", kind)


def test_refusals() -> None:
    frame = data().assign(x2=lambda d: 2 * d["x"])
    with pytest.warns(em.AliasWarning):
        fit = em.glm("y ~ x + x2 + z", frame, family="poisson")
    with pytest.raises(em.NotAvailableError, match="x2, which has no estimate"):
        fit.test("x2 = 0")
    with pytest.raises(em.OptionError, match="did you mean 'z'"):
        fit.test("Z = 0")
    with pytest.raises(em.OptionError, match="kind='rao'"):
        fit.test("z = 0", "rao")
    with pytest.raises(em.OptionError, match="reference='t'"):
        fit.test("z = 0", reference="t")


def test_a_test_prints_and_tabulates() -> None:
    fit = em.glm("w ~ x + g", data(), family="gamma", link="log")
    found = fit.test("g[T.b] = g[T.c], x = 0")
    assert "F = " in str(found)
    assert "g[T.b] - g[T.c] = 0" in str(found)
    assert list(found.frame().columns) == ["hypothesis", "kind", "statistic", "df", "df_resid", "p_value"]
    assert "<li>" in found._repr_html_()
