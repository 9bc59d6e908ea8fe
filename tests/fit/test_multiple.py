"""Simultaneous tests: between the single test and Bonferroni, sharper than Sidak where estimates agree."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from tests.fit.test_anova import data


def test_adjusted_lies_between_single_and_sidak() -> None:
    fit = em.glm("w ~ x + z + g", data(), family="gamma", link="log")
    table, sidak = fit.adjusted(), fit.adjusted(method="sidak")
    assert np.all(table["p_adjusted"] >= table["p_value"] - 1e-4)
    assert np.all(table["p_adjusted"] <= sidak["p_adjusted"] + 1e-4)
    np.testing.assert_allclose(table["p_value"], fit.p_values[1:], rtol=1e-9)
    assert len(table.rows) == len(fit.names) - 1
    assert "joint t(" in str(table)


def test_all_pairs_of_levels() -> None:
    fit = em.glm("y ~ x + g", data(), family="poisson")
    table = fit.adjusted("g[T.b], g[T.c], g[T.b] = g[T.c]")
    single = [fit.test(text).p_value for text in ("g[T.b]", "g[T.c]", "g[T.b] = g[T.c]")]
    np.testing.assert_allclose(table["p_value"], single, rtol=1e-9)
    # Three contrasts of three levels are two-dimensional: the joint law is singular, and still sharper.
    assert np.all(
        table["p_adjusted"] <= fit.adjusted("g[T.b], g[T.c], g[T.b] = g[T.c]", "sidak")["p_adjusted"]
    )


def test_refusals() -> None:
    fit = em.glm("y ~ x", data(), family="poisson")
    with pytest.raises(em.OptionError, match="method='tukey'"):
        fit.adjusted(method="tukey")
    with pytest.raises(em.OptionError, match="no coefficient besides"):
        em.glm("y ~ 1", data(), family="poisson").adjusted()
