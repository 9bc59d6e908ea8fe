"""A summary reads like R's: the same numbers in the same format, and what R leaves out.

The golden texts were written from fits whose coefficients the first test compares with R's; renew them with
ETAMU_WRITE_GOLDEN=1 and read the difference.
"""

from __future__ import annotations

import os
import re
import warnings
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import etamu as em
from etamu.fit import numerals
from etamu.solve.oracle import Outcome
from tests import oracle

GOLDEN = Path(__file__).parent / "golden"
WIDTH = 88

CASES = {
    "gaussian": "mtcars-gaussian-identity",
    "gaussian_aliased": "swiss-gaussian-aliased",
    "gaussian_missing": "airquality-gaussian-na",
    "bernoulli": "mtcars-binomial-logit",
    "binomial": "beetle-cloglog",
    "poisson": "ships-poisson-offset",
    "gamma": "clotting1-gamma-inverse",
    "inverse_gaussian": "clotting1-ig-canonical",
    "negative_binomial": "quine-negbin2-sqrt",
    "tweedie": "creditcard-tweedie15",
    "quasipoisson": "ornstein-quasipoisson",
    "quasibinomial": "menarche-quasibinomial-weights",
    "quasi": "polyps-quasi-mu3",
}
every_golden = pytest.mark.parametrize("name", CASES)


def fitted(name):
    return oracle.answer(f"open-{CASES[name]}").fit


@every_golden
def test_the_cells_are_r_s_numbers_in_r_s_format(name):
    expected = oracle.case(f"open-{CASES[name]}")["expected"]
    coef, se, statistic, p = (oracle.numbers(expected[key]) for key in ("coef", "se", "stat", "p_value"))
    numbers = numerals.estimates(np.column_stack([coef, se]), 4)
    wanted = [
        (*pair, test, tail)
        for pair, test, tail in zip(
            numbers, numerals.statistics(statistic, 4), numerals.p_texts(p), strict=True
        )
    ]
    assert [cells[:-1] for _, cells in fitted(name).summary().rows] == wanted


@every_golden
def test_the_text_is_the_golden_one(name):
    text, path = f"{fitted(name)}\n", GOLDEN / f"{name}.txt"
    if os.environ.get("ETAMU_WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@every_golden
def test_no_line_is_wider_than_the_page(name):
    assert max(len(line) for line in str(fitted(name)).splitlines()) <= WIDTH


@every_golden
def test_html_is_balanced_and_holds_every_cell(name):
    summary = fitted(name).summary()
    reader = Reader()
    reader.feed(summary.html)
    assert reader.open == []
    assert {cell.strip() for _, cells in summary.rows for cell in cells} - {""} <= set(reader.texts)
    assert summary.html == fitted(name)._repr_html_()
    assert not re.search(r"src=|href=|<script", summary.html)


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data.strip())


DATA = {
    "y": np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]),
    "x": np.array([0.3, 1.1, 0.9, 2.0, 2.7, 1.6, 0.8, 3.1]),
    "k": np.array([2.0, 1.0, 0.0, 3.0, 1.0, 2.0, 1.0, 1.0]),
}


def logistic(**options):
    return em.glm("y ~ x", DATA, family="bernoulli", **options)


def test_html_escapes_what_the_user_wrote():
    data = {"y": DATA["y"], "a<b": DATA["x"]}
    assert "a&lt;b" in em.glm("y ~ `a<b`", data, family="bernoulli").summary().html


def test_the_call_names_columns_and_arrays():
    text = str(logistic(frequency_weights="k", offset=np.zeros(8)))
    assert 'frequency_weights="k", offset=<array>' in re.sub(r"\s+", " ", text)


def test_rows_say_what_frequency_weights_stand_for_and_which_do_not_count():
    assert "Rows: 7 of 8 rows used, standing for 11 observations, 1 of weight 0" in str(
        logistic(frequency_weights="k")
    )


def test_a_covariance_that_is_not_the_model_s_is_said():
    assert "Covariance:" not in str(logistic())
    assert "Covariance: HC1" in str(logistic(covariance="HC1"))


def test_a_given_dispersion_is_said_to_be_taken():
    assert "Dispersion parameter for bernoulli family taken to be 2.5" in str(logistic(dispersion=2.5))


def test_sampling_weights_say_why_there_is_no_likelihood():
    assert "No log-likelihood, AIC or BIC: sampling weights" in str(
        logistic(sampling_weights=np.arange(1.0, 9.0))
    )


def test_a_search_that_failed_says_so_above_everything_else():
    data = {"y": np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0]), "x": np.arange(6.0)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = em.glm("y ~ x", data, family="bernoulli")
    assert not fit.converged
    assert f"NOT CONVERGED ({fit.outcome.value})" in str(fit)
    assert fit.outcome is not Outcome.CONVERGED


def test_without_a_small_p_value_there_are_neither_stars_nor_legend():
    assert "Signif. codes" not in str(logistic())


def test_a_name_too_long_for_the_page_gets_a_line_of_its_own():
    long = "a_covariate_with_a_name_nobody_would_type_twice_but_some_database_column_has"
    lines = str(em.glm(f"y ~ {long}", {"y": DATA["y"], long: DATA["x"]}, family="bernoulli")).splitlines()
    assert long in lines


FACTOR = DATA | {"g": np.array(list("abcabcab")), "y": np.array([1.0, 3.0, 2.0, 4.0, 2.0, 5.0, 2.0, 6.0])}


def test_terms_of_several_coefficients_are_tested_once_each():
    fit = em.glm("y ~ x + g", FACTOR, family="poisson")
    assert "Terms: Wald tests" in str(fit)
    table = fit.terms()
    assert f"{table.row('g')['statistic']:.5g}" in str(fit)
    assert "Terms:" not in str(fit.summary(terms=False))
    assert "Terms:" not in str(logistic())
    assert "Terms: Wald tests" in str(logistic().summary(terms=True))
    assert "Terms: LR tests" in str(fit.summary(terms="LR"))
    assert f"{fit.anova(2, 'LR').row('g')['statistic']:.5g}" in str(fit.summary(terms="LR"))
    assert "<pre>" in fit.summary().html


def test_tests_of_terms_follow_the_covariance():
    fit = em.glm("y ~ x + g", FACTOR)
    assert "Pr(>F)" in str(fit)
    robust = fit.with_covariance("HC3")
    assert str(robust.terms().body[2]) in str(robust)
    with pytest.raises(em.NotAvailableError, match="robust covariance"):
        robust.summary(terms="LR")
    # Under CR2 the degrees of freedom differ from contrast to contrast, and there is no one test of several.
    clustered = fit.with_covariance("CR2", cluster=np.array([0, 0, 1, 1, 2, 2, 3, 3]))
    assert "Terms:" not in str(clustered)


def test_a_fit_saved_without_covariance_has_no_tests_of_terms(tmp_path):
    fit = em.glm("y ~ x + g", FACTOR, family="poisson")
    fit.save(tmp_path / "fit.json", covariance=False)
    assert "Terms:" not in str(em.load(tmp_path / "fit.json"))
