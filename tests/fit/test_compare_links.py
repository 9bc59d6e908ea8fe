"""Links are compared on the same rows, and what fails says so in its row."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu.datasets import budworms, ships
from etamu.family import catalogue


@pytest.fixture(scope="module")
def moths() -> em.Fit:
    return em.glm("dead ~ sex + log2_dose", budworms().columns, "binomial", trials="moths")


@pytest.fixture(scope="module")
def counts() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 2.0, 300)
    return {"x": x, "y": rng.poisson(np.exp(x)), "half": x > 1.0}


def test_every_link_of_the_family_has_a_row(moths):
    links = {unit.link.name for unit in catalogue.pairs([moths.family])}
    assert {row.link for row in em.compare_links(moths)} == links


def test_rows_equal_the_fits_made_by_hand(moths):
    for link in ("probit", "cloglog"):
        row = em.compare_links(moths)[link]
        fit = em.glm("dead ~ sex + log2_dose", budworms().columns, "binomial", link, trials="moths")
        np.testing.assert_allclose([row.deviance, row.aic], [fit.deviance, fit.aic], rtol=1e-12)


@pytest.mark.parametrize("link", ["log", "sqrt", "identity"])
def test_the_link_test_is_the_wald_test_of_eta_squared(counts, link):
    fit = em.glm("y ~ x", counts, "poisson", link)
    squared = {**counts, "square": fit.predict(kind="link") ** 2}
    by_hand = em.glm("y ~ x + square", squared, "poisson", link)
    np.testing.assert_allclose(em.compare_links(fit, [link])[link].p_value, by_hand.p_values[-1], rtol=1e-6)


def test_a_wrong_link_fails_its_test_and_the_right_one_does_not(counts):
    said = em.compare_links(em.glm("y ~ x", counts, "poisson"))
    assert said.rows[0].link == "log"
    assert said["log"].p_value > 0.1
    assert said["identity"].p_value < 0.01


def test_rows_are_in_order_of_aic_and_unverified_ones_come_last(moths):
    rows = em.compare_links(moths).rows
    verified = [row.aic for row in rows if row.converged]
    assert verified == sorted(verified)
    assert [row.converged for row in rows] == sorted((row.converged for row in rows), reverse=True)


def test_warnings_are_shown_in_the_row_and_not_raised(moths):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = em.compare_links(moths)
    assert "boundary" in said["log"].note
    assert not said["log"].converged


def test_a_quasi_family_is_compared_by_deviance_alone(counts):
    said = em.compare_links(em.glm("y ~ x", counts, "quasipoisson"))
    deviances = [row.deviance for row in said]
    assert all(np.isnan(row.aic) for row in said)
    assert deviances == sorted(deviances)
    assert any("no AIC" in note and "density" in note for note in said.notes)


def test_an_exposure_or_an_offset_keeps_its_link(counts):
    exposed = em.compare_links(em.glm("incidents ~ type", ships().columns, "poisson", exposure="months"))
    assert exposed["log"].converged
    assert "the exposure needs the log link" in exposed["sqrt"].note
    offset = em.compare_links(em.glm("y ~ half + offset(x)", counts, "poisson"))
    assert "the offset is stated on the scale of log(mu), not of sqrt(mu)" in offset["sqrt"].note
    assert np.isnan(offset["sqrt"].deviance)


def test_two_groups_leave_nothing_to_test(counts):
    row = em.compare_links(em.glm("y ~ half", counts, "poisson"))["log"]
    assert np.isnan(row.p_value)
    assert "linear combination" in row.note


def test_aliased_columns_and_weights_of_zero_do_no_harm(counts):
    data = {**counts, "twice": 2 * counts["x"], "w": (counts["x"] > 0.2) * 2}
    with pytest.warns(em.AliasWarning):
        fit = em.glm("y ~ x + twice", data, "poisson", frequency_weights="w")
    plain = em.glm("y ~ x", data, "poisson", frequency_weights="w")
    left, right = (em.compare_links(each, ["log", "sqrt"]) for each in (fit, plain))
    for link in ("log", "sqrt"):
        np.testing.assert_allclose(left[link].p_value, right[link].p_value, rtol=1e-6)


def test_links_can_be_chosen_by_name_or_value(counts):
    fit = em.glm("y ~ x", counts, "poisson")
    assert {row.link for row in em.compare_links(fit, ["sqrt", em.Power(0.25)])} == {
        "log",
        "sqrt",
        "power(0.25)",
    }
    refused = em.compare_links(fit, ["logit"])["logit"]
    assert "cannot have link 'logit'" in refused.note
    with pytest.raises(em.LinkError, match="unknown link"):
        em.compare_links(fit, ["lgo"])


def test_a_comparison_prints_as_text_and_html(moths):
    said = em.compare_links(moths)
    assert "logit *" in str(said)
    assert all(len(line) <= 88 for line in str(said).splitlines())
    assert said._repr_html_().count("<tr>") == len(said) + 1
    with pytest.raises(KeyError, match="'log10' was not compared"):
        said["log10"]
