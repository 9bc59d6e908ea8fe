"""drop1 is R's, to 1e-7, for every reference model; where R counts rows of weight zero, ours does not."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from tests import oracle
from tests.fit.tables_of_r import NUMBER, RAO, assert_as_r, diverged, expected, tables
from tests.fit.test_anova import data

NO_INTERCEPT = {
    "open-insectsprays-poisson-log-noint": "R's drop1 puts an intercept into its regression of the residuals",
    "open-warpbreaks-poisson-nointercept": "the same",
}
"""Score tests of R that are not the score test of the model."""


@pytest.mark.parametrize(("identifier", "test"), tables("drop1"))
def test_drop1_is_rs(identifier: str, test: str) -> None:
    asked, fit = oracle.case(identifier), oracle.answer(identifier).fit
    ours, theirs = fit.drop1(test), expected(identifier, "drop1", test)
    if diverged(identifier, theirs):
        assert np.nanmax(ours["deviance"]) < 1e4
        return
    dropped = set()
    if identifier in NO_INTERCEPT and test == "Rao":
        statistic = theirs["cols"].index("Rao score")
        assert not np.isclose(oracle.numbers(theirs["values"])[1, statistic], ours["statistic"][1], rtol=0.1)
        dropped = {"Rao score", "Pr(>Chi)"}
    if asked["expected"]["n_zero_weights"]:
        # R's n in n log(D / n), and its log(0) and round(w) in AIC: other tests hold what ours is.
        dropped |= {"AIC"} | ({"scaled dev.", "Pr(>Chi)"} if asked["family"] == "gaussian" else set())
    if oracle.difference(asked, "aic") is not None:
        dropped |= {"AIC"}
    floor = 1e-10 * max(1.0, abs(fit.null_deviance) * 1e-2) if np.isfinite(fit.null_deviance) else 1e-10
    assert_as_r(ours, without(theirs, dropped), RAO if test == "Rao" else NUMBER, floor)


def without(theirs: dict, dropped: set[str]) -> dict:
    kept = [place for place, column in enumerate(theirs["cols"]) if column not in dropped]
    values = [[row[place] for place in kept] for row in theirs["values"]]
    return theirs | {"cols": [theirs["cols"][place] for place in kept], "values": values}


def test_rows_of_weight_zero_do_not_count() -> None:
    frame = data().assign(v=np.tile([0.0, 1.0, 2.0], 40))
    all_rows = em.glm("w ~ x + g", frame, variance_weights="v").drop1("LR")
    counted = em.glm("w ~ x + g", frame[frame["v"] > 0], variance_weights="v").drop1("LR")
    for one, two in zip(all_rows.cells, counted.cells, strict=True):
        np.testing.assert_allclose(one.values, two.values, rtol=1e-10)


def test_aic_of_known_phi_is_that_of_the_smaller_fit() -> None:
    frame = data()
    table = em.glm("y ~ x + g", frame, family="poisson").drop1()
    smaller = em.glm("y ~ x", frame, family="poisson")
    assert table.row("g")["aic"] == pytest.approx(smaller.aic, rel=1e-12)
    gaussian = em.glm("w ~ x + g", frame).drop1()
    assert gaussian.row("g")["aic"] == pytest.approx(em.glm("w ~ x", frame).aic, rel=1e-12)


def test_marginality_is_respected() -> None:
    fit = em.glm("y ~ x + z*g", data(), family="poisson")
    assert fit.drop1().rows == ("<none>", "x", "z:g")
    assert fit.drop1(scope=["z"]).row("z")["df"] == 1.0


def test_f_says_its_phi_and_dispersion_chooses() -> None:
    fit = em.glm("w ~ x + g", data(), family="gamma", link="log")
    assert "deviance / df" in str(fit.drop1("F"))
    pearson = fit.drop1("F", dispersion="pearson")
    assert pearson.row("g")["statistic"] == pytest.approx(fit.anova(2, "F").row("g")["f"], rel=1e-12)


def test_unknown_terms_and_tests() -> None:
    fit = em.glm("y ~ x + g", data(), family="poisson")
    with pytest.raises(em.OptionError, match=r"'q', which is no term.*x, g"):
        fit.drop1(scope="q")
    with pytest.raises(em.OptionError, match="test='Wald' is not known"):
        fit.drop1("Wald")
    with pytest.raises(em.OptionError, match="F test needs an estimated phi"):
        fit.drop1("F")
    with pytest.raises(em.NotAvailableError, match="robust covariance HC0"):
        em.glm("y ~ x", data(), family="poisson", covariance="HC0").drop1()


def test_a_quasi_family_has_no_aic() -> None:
    table = em.glm("y ~ x + g", data(), family="quasipoisson").drop1()
    assert table.columns == ("df", "deviance", "statistic", "p_value")
