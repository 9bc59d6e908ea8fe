"""Analysis of deviance is R's, to 1e-7, for every reference model, and right where R cannot say."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import etamu as em
from tests import oracle
from tests.fit.tables_of_r import NUMBER, RAO, assert_as_r, diverged, expected, tables

TYPES = {"anova_I": 1, "Anova_II": 2, "Anova_III": 3}


def every(block: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("identifier", "test"), tables(block))


def check(identifier: str, block: str, test: str) -> None:
    fit = oracle.answer(identifier).fit
    ours = fit.anova(TYPES[block], test)
    theirs = expected(identifier, block, test)
    if diverged(identifier, theirs):
        assert np.nanmax([cell.values[-1] for cell in ours.cells]) < 1e4
        return
    # A difference of deviances cannot be better than the rounding of the deviances themselves.
    floor = 1e-10 * max(1.0, abs(fit.null_deviance) * 1e-2) if np.isfinite(fit.null_deviance) else 1e-10
    assert_as_r(ours, theirs, RAO if test == "Rao" else NUMBER, floor)


@every("anova_I")
def test_sequential_is_rs(identifier: str, test: str) -> None:
    check(identifier, "anova_I", test)


@every("Anova_II")
def test_type_two_is_cars(identifier: str, test: str) -> None:
    check(identifier, "Anova_II", test)


@every("Anova_III")
def test_type_three_is_cars(identifier: str, test: str) -> None:
    check(identifier, "Anova_III", test)


# --- relations ---


def data(n: int = 120, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n), "g": rng.choice(list("abc"), n)})
    mu = np.exp(0.4 + 0.3 * frame["x"] - 0.2 * frame["z"] + 0.4 * (frame["g"] == "b"))
    return frame.assign(
        y=rng.poisson(mu).astype(float), w=rng.gamma(4.0, mu / 4.0), e=rng.uniform(1.0, 3.0, n)
    )


FORMULA = "y ~ x + z*g"


def test_wald_of_one_coefficient_is_z_squared() -> None:
    fit = em.glm(FORMULA, data(), family="poisson")
    table = fit.anova(3, "Wald")
    for name in ("Intercept", "x", "z"):
        assert table.row(name)["statistic"] == pytest.approx(
            fit.statistic[fit.names.index(name)] ** 2, rel=1e-10
        )


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("test", ["LR", "F", "Rao"])
def test_order_of_rows_does_not_matter(kind: int, test: str) -> None:
    frame = data()
    one = em.glm("w ~ x + z*g", frame, family="gamma", link="log").anova(kind, test)
    turned = frame.sample(frac=1.0, random_state=1)
    other = em.glm("w ~ x + z*g", turned, family="gamma", link="log").anova(kind, test)
    for cell, again in zip(one.cells, other.cells, strict=True):
        np.testing.assert_allclose(cell.values, again.values, rtol=1e-7, atol=1e-12)


def test_types_agree_on_the_last_term() -> None:
    fit = em.glm(FORMULA, data(), family="poisson", exposure="e")
    first, second, third = (fit.anova(kind, "LR") for kind in (1, 2, 3))
    drop = first.row("z:g")["deviance"]
    assert second.row("z:g")["statistic"] == pytest.approx(drop, rel=1e-10)
    assert third.row("z:g")["statistic"] == pytest.approx(drop, rel=1e-10)


def test_sequential_deviances_are_those_of_the_fits() -> None:
    frame, rights = data(), ["x", "x + z", "x + z + g", "x + z*g"]
    table = em.glm(FORMULA, frame, family="poisson", exposure="e").anova()
    fits = [em.glm(f"y ~ {right}", frame, family="poisson", exposure="e") for right in rights]
    np.testing.assert_allclose(table["resid_deviance"][1:], [fit.deviance for fit in fits], rtol=1e-12)
    assert table["resid_df"].tolist()[1:] == [fit.df_resid for fit in fits]


def test_frequency_weights_count_copies() -> None:
    frame = data().assign(k=np.tile([1.0, 2.0, 3.0], 40))
    copies = frame.loc[frame.index.repeat(frame["k"].astype(int))]
    weighted = em.glm("w ~ x + g", frame, family="gamma", link="log", frequency_weights="k")
    copied = em.glm("w ~ x + g", copies, family="gamma", link="log")
    for test in ("F", "Rao"):
        for one, two in zip(weighted.anova(2, test).cells, copied.anova(2, test).cells, strict=True):
            np.testing.assert_allclose(one.values, two.values, rtol=1e-8)


def test_dropping_an_aliased_terms_partner_brings_it_back() -> None:
    frame = data().assign(x2=lambda d: 2 * d["x"] + 1)
    with pytest.warns(em.AliasWarning):
        fit = em.glm("y ~ x + z + x2", frame, family="poisson")
    table = fit.anova(2, "LR")
    # Without x its copy takes its place: nothing is lost, on 0 degrees of freedom.
    assert table["df"].tolist() == [0.0, 1.0, 0.0]
    assert np.isnan(table["statistic"][[0, 2]]).all()
    assert fit.anova(1, "LR")["df"].tolist()[1:] == [1.0, 1.0, 0.0]
    assert "linear combination" in table.notes[0]


def test_no_intercept_starts_from_the_offset() -> None:
    frame = data()
    table = em.glm("y ~ 0 + g + x", frame, family="poisson", exposure="e").anova()
    alone = em.glm("y ~ 0 + g", frame, family="poisson", exposure="e")
    assert table["resid_deviance"][1] == pytest.approx(alone.deviance, rel=1e-12)
    assert table["df"].tolist()[1:] == [3.0, 1.0]
    without = em.glm("y ~ 0 + x", frame, family="poisson", exposure="e")
    assert em.glm("y ~ 0 + g + x", frame, family="poisson", exposure="e").anova(3, "LR").row("g")[
        "statistic"
    ] == pytest.approx(without.deviance - table["resid_deviance"][-1], rel=1e-10)


def test_phi_in_the_heading_is_the_phi_in_the_numbers() -> None:
    fit = em.glm("w ~ x + g", data(), family="gamma", link="log")
    pearson, deviance = fit.anova(), fit.anova(dispersion="deviance")
    ratio = (fit.deviance / fit.df_resid) / fit.dispersion
    np.testing.assert_allclose(pearson["f"][1:], deviance["f"][1:] * ratio, rtol=1e-12)
    assert "Pearson" in str(pearson)
    assert "deviance / df" in str(deviance)
    given = fit.anova(test="LR", dispersion=2.0)
    np.testing.assert_allclose(given["deviance"], fit.anova(test="LR")["deviance"], rtol=1e-12)
    assert "phi = 2 (given)" in str(given)
    assert fit.anova(dispersion="ml")["f"][1] > 0


def test_an_intercept_alone_has_no_term() -> None:
    fit = em.glm("y ~ 1", data(), family="poisson")
    assert fit.anova().rows == ("NULL",)
    assert fit.anova(2, "LR").rows == ()
    assert str(fit.anova(2, "LR"))


def test_matrix_columns_are_terms() -> None:
    frame = data()
    fit = em.GLM(family="poisson").fit(frame[["x", "z"]].to_numpy(), frame["y"].to_numpy(), names=["x", "z"])
    other = em.glm("y ~ x + z", frame, family="poisson")
    np.testing.assert_allclose(fit.anova()["deviance"], other.anova()["deviance"], rtol=1e-10)
    assert isinstance(fit.anova().frame(), dict)


# --- refusals ---


def test_robust_covariance_refuses_all_but_wald() -> None:
    fit = em.glm(FORMULA, data(), family="poisson", covariance="HC1")
    for test in ("LR", "Rao"):
        with pytest.raises(em.NotAvailableError, match=r"robust covariance HC1.*Wald"):
            fit.anova(2, test)
    assert fit.anova(2, "Wald").row("x")["statistic"] == pytest.approx(
        fit.statistic[fit.names.index("x")] ** 2
    )
    assert "HC1" in str(fit.anova(3, "Wald"))


def test_sampling_weights_refuse_all_but_wald() -> None:
    fit = em.glm("y ~ x + g", data(), family="poisson", sampling_weights="e")
    with pytest.raises(em.NotAvailableError, match="sampling weights make none"):
        fit.anova()
    assert fit.anova(3, "Wald")["df"].tolist() == [1.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"type": 4}, "choose one of 1, 2, 3"),
        ({"test": "t"}, "'LR', 'F', 'Wald', 'Rao'"),
        ({"test": "F"}, "poisson family has phi = 1"),
        ({"test": "Wald"}, "type=2 and type=3"),
        ({"dispersion": "mean"}, "dispersion='mean'"),
        ({"dispersion": -1.0}, "dispersion=-1"),
    ],
)
def test_options_nobody_understands(arguments: dict, message: str) -> None:
    with pytest.raises(em.OptionError, match=message):
        em.glm(FORMULA, data(), family="poisson").anova(**arguments)


def test_a_smaller_model_without_a_maximum_is_said() -> None:
    frame = pd.DataFrame({"x": np.arange(24) % 8.0, "z": np.tile([0, 1.0], 12)})
    frame["y"] = (frame["x"] > 3).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.ConvergenceWarning)
        fit = em.glm("y ~ z + x", frame, family="bernoulli")
    with pytest.warns(em.ConvergenceWarning, match="infinite"):
        table = fit.anova(2, "LR")
    assert "without z is infinite" in str(table)


def test_a_fit_without_rows_still_tests_terms(tmp_path) -> None:
    fit = em.glm(FORMULA, data(), family="poisson")
    fit.save(tmp_path / "fit.json")
    loaded = em.load(tmp_path / "fit.json")
    np.testing.assert_allclose(loaded.terms()["statistic"], fit.terms()["statistic"], rtol=1e-10)
    with pytest.raises(em.NotAvailableError, match="carries none"):
        loaded.anova()
