"""Every reference model of R, through the public door, agrees to the last digit that R can be trusted with.

Coefficients are compared in units of their standard errors, so that a coefficient of zero is no special case;
standard errors and row results to 1e-7, sums over rows to 1e-8.
"""

from __future__ import annotations

import re
from typing import Any

import formulaic
import numpy as np
import pandas as pd
import pytest

import etamu as em
from tests import oracle

COEFFICIENT = 1e-8  # of |beta| + SE
ERROR = 1e-7  # relative: the square root of a sum that is good to 1e-8
SUM = 1e-8  # relative: deviances, likelihoods, Pearson's chi-squared
ROW = 1e-7  # of the number and of the natural scale of its column

every_case = pytest.mark.parametrize("identifier", oracle.identifiers())


def assert_close(ours: Any, theirs: Any, tolerance: Any, what: str = "") -> None:
    """Fail naming the worst element; NaN equals NaN."""
    ours, theirs, tolerance = np.broadcast_arrays(np.asarray(ours, float), theirs, tolerance)
    agree = (np.isnan(ours) & np.isnan(theirs)) | (ours == theirs)
    with np.errstate(invalid="ignore"):
        excess = np.where(agree, 0.0, np.abs(ours - theirs) / np.maximum(tolerance, 1e-300))
    excess = np.where(np.isnan(excess), np.inf, excess)
    worst = np.unravel_index(np.argmax(excess), excess.shape)
    at = list(map(int, worst))
    assert excess[worst] <= 1, (
        f"{what}{at}: {ours[worst]!r}, R {theirs[worst]!r}, {excess[worst]:.3g} tolerances"
    )


def within(tolerance: float, theirs: Any) -> Any:
    return tolerance * np.abs(theirs)


def coefficients(identifier: str) -> tuple[Any, dict[str, Any], np.ndarray]:
    """Return the fit, R's expectations and our position of each of R's coefficients."""
    asked = oracle.case(identifier)
    fit = oracle.answer(identifier).fit
    position = {name: index for index, name in enumerate(fit.names)}
    return fit, asked["expected"], np.array([position[name] for name in oracle.names(asked)])


# --- coefficients ---


@every_case
def test_names_are_formulaics(identifier: str) -> None:
    assert sorted(oracle.answer(identifier).fit.names) == sorted(oracle.names(oracle.case(identifier)))


@every_case
def test_order_is_formulaics(identifier: str) -> None:
    asked = oracle.case(identifier)
    if not asked["formulaic"].get("supported"):
        assert "s(" in asked["formula"], "only R's own spline bases have no formulaic spelling"
        return
    formula, data = oracle.right(asked), oracle.table(asked["data"])
    complete = data.iloc[used_rows(asked, data)]
    for name in complete.select_dtypes("category"):
        complete = complete.assign(**{name: complete[name].cat.remove_unused_categories()})
    spelled = formulaic.model_matrix(formula, complete).columns
    assert list(oracle.answer(identifier).fit.names) == list(spelled)


def used_rows(asked: dict[str, Any], data: pd.DataFrame) -> np.ndarray:
    """Find the rows that R kept: those with every variable of the whole formula."""
    word = r"(?<![\w.]){}(?![\w.])"
    variables = [name for name in data if re.search(word.format(re.escape(name)), asked["formula"])]
    kept = np.flatnonzero(data[variables].notna().all(axis=1))
    assert kept.size == asked["expected"]["n_used"]
    return kept


@every_case
def test_coefficients(identifier: str) -> None:
    fit, expected, order = coefficients(identifier)
    theirs, errors = oracle.numbers(expected["coef"]), oracle.numbers(expected["se"])
    assert_close(fit.coef[order], theirs, COEFFICIENT * (np.abs(theirs) + errors), "coef")


@every_case
def test_standard_errors(identifier: str) -> None:
    fit, expected, order = coefficients(identifier)
    theirs = oracle.numbers(expected["se"])
    assert_close(fit.se[order], theirs, within(ERROR, theirs), "se")


@every_case
def test_covariance(identifier: str) -> None:
    fit, expected, order = coefficients(identifier)
    theirs = oracle.numbers(expected["cov"])
    kept = order[~np.isnan(oracle.numbers(expected["coef"]))]
    errors = np.sqrt(np.diag(theirs))
    assert_close(fit.cov[np.ix_(kept, kept)], theirs, ERROR * np.outer(errors, errors), "cov")


@every_case
def test_statistics_and_p_values(identifier: str) -> None:
    fit, expected, order = coefficients(identifier)
    statistic, p = oracle.numbers(expected["stat"]), oracle.numbers(expected["p_value"])
    assert_close(fit.statistic[order], statistic, ERROR * (1 + np.abs(statistic)), "statistic")
    # A tail changes by about z dz relative: far out the last digits of z are worth z^2 times as much.
    assert_close(fit.p_values[order], p, ERROR * (1 + statistic**2) * p, "p")


@every_case
def test_wald_intervals(identifier: str) -> None:
    fit, expected, order = coefficients(identifier)
    estimable = order[~np.isnan(oracle.numbers(expected["coef"]))]
    theirs = oracle.numbers(expected["confint_wald"])
    theirs = theirs[~np.isnan(theirs).all(axis=1)]
    size = np.abs(fit.coef[estimable]) + fit.se[estimable]
    ours = np.asarray(fit.conf_int(0.95, reference="z"))[estimable]
    assert_close(ours, theirs, ERROR * size[:, None], "interval")


@every_case
def test_aliases(identifier: str) -> None:
    asked = oracle.case(identifier)
    translated = dict(zip(asked["expected"]["coef"], oracle.names(asked), strict=True))
    theirs = {translated[name] for name in asked["expected"]["aliased"]}
    assert set(oracle.answer(identifier).fit.aliased) == theirs


# --- scalars ---


@pytest.mark.parametrize(("identifier", "quantity"), oracle.scalars())
def test_scalars(identifier: str, quantity: str) -> None:
    asked = oracle.case(identifier)
    ours = getattr(oracle.answer(identifier).fit, quantity)
    theirs = oracle.number(asked["expected"][quantity])
    differs = oracle.difference(asked, quantity)
    if differs is None:
        assert_close(ours, theirs, scalar_tolerance(asked, quantity, theirs), quantity)
        return
    assert np.isfinite(ours)
    assert not np.isclose(ours, theirs, rtol=SUM, atol=0), f"R agrees after all: {differs.reason}"
    if differs.truth is not None:
        truth = differs.truth(asked, quantity)
        assert_close(ours, truth, within(SUM, truth), f"{quantity}: {differs.reason}")


def scalar_tolerance(asked: dict[str, Any], quantity: str, theirs: float) -> float:
    """Return what R's number is good to.

    A saturated model has a deviance of zero and R's is its rounding: there the null deviance is the scale.
    """
    expected = asked["expected"]
    saturated = quantity in {"deviance", "pearson_chi2"} and expected["df_resid"] == 0
    return SUM * abs(expected["null_deviance"] if saturated else theirs)


@every_case
def test_counts(identifier: str) -> None:
    expected, fit = oracle.case(identifier)["expected"], oracle.answer(identifier).fit
    ours = {name: getattr(fit, name) for name in ("nobs", "rank", "df_resid", "df_null")}
    assert ours == {name: expected[name] for name in ours}


@every_case
def test_converged_and_warned_of_nothing_else(identifier: str) -> None:
    expected, answer = oracle.case(identifier)["expected"], oracle.answer(identifier)
    due = {
        em.DroppedRowsWarning: expected["rows_dropped_na"] > 0,
        em.AliasWarning: bool(expected["aliased"]),
    }
    assert answer.fit.converged
    assert set(answer.warned) == {category for category, said in due.items() if said}


# --- rows ---

ROWS = {
    "mu": lambda fit: fit.predict(),
    "eta": lambda fit: fit.predict(kind="link"),
    "resid_response": lambda fit: fit.residuals("response"),
    "resid_working": lambda fit: fit.residuals("working"),
    "resid_pearson": lambda fit: fit.residuals("pearson"),
    "resid_deviance": lambda fit: fit.residuals("deviance"),
    "working_weights": lambda fit: fit.working().weights,
}


def scale(expected: dict[str, Any], column: str) -> float:
    """Return the natural size of a column of rows: that of the mean, of eta, or of the dispersion."""
    if column in {"resid_pearson", "resid_deviance"}:
        return float(np.sqrt(oracle.number(expected["dispersion"]) or 1.0))
    natural = {"resid_response": "mu", "resid_working": "eta"}.get(column, column)
    summary = expected["obs"][natural]["summary"]
    return float(np.sqrt(oracle.number(summary["sum_sq"]) / expected["n_used"]))


@every_case
@pytest.mark.parametrize("column", ROWS)
def test_rows(identifier: str, column: str) -> None:
    asked, fit = oracle.case(identifier), oracle.answer(identifier).fit
    observed = asked["expected"]["obs"]
    ours = np.asarray(ROWS[column](fit))
    assert ours.shape == (asked["expected"]["n_rows_csv"],), "row results have the input's length"
    ours = ours[np.array(observed["csv_rows"]) - 1]
    theirs = oracle.numbers(observed[column])
    altered = oracle.altered_rows(asked, column)
    assert not altered.any() or (ours != theirs)[altered].any(), "R shows the residuals of the data after all"
    tolerance = ROW * (np.abs(theirs) + scale(asked["expected"], column))
    assert_close(ours[~altered], theirs[~altered], tolerance[~altered], column)


@every_case
@pytest.mark.parametrize("column", ROWS)
def test_sums_over_all_rows(identifier: str, column: str) -> None:
    asked, fit = oracle.case(identifier), oracle.answer(identifier).fit
    if oracle.altered_rows(asked, column).any():
        return  # R's sums contain the rows that it altered
    ours = np.asarray(ROWS[column](fit))
    ours = ours[~np.isnan(ours)]
    summary = asked["expected"]["obs"][column]["summary"]
    square, size = oracle.number(summary["sum_sq"]), scale(asked["expected"], column)
    n = asked["expected"]["n_used"]
    assert ours.size == n, "NaN exactly where a row was dropped"
    spread = np.sqrt(n * square) + n * size
    assert_close(ours.sum(), summary["sum"], ROW * spread, "sum")
    assert_close((ours**2).sum(), square, ROW * (square + n * size**2), "sum of squares")
    assert_close(np.abs(ours).max(), summary["max_abs"], ROW * (summary["max_abs"] + size), "largest")


predicting = [name for name in oracle.identifiers() if "predict" in oracle.case(name)["expected"]]


@pytest.mark.parametrize("identifier", predicting)
@pytest.mark.parametrize(("kind", "theirs"), [("link", "link"), ("mean", "response")])
def test_predictions(identifier: str, kind: str, theirs: str) -> None:
    asked = oracle.case(identifier)
    said = asked["expected"]["predict"]
    values, errors = oracle.predicted(oracle.answer(identifier).fit, asked, kind)
    value, error = oracle.numbers(said[theirs]), oracle.numbers(said[f"{theirs}_se"])
    assert_close(values, value, ROW * (np.abs(value) + error), kind)
    assert_close(errors, error, within(ROW, error), f"{kind} se")


offset = [name for name in oracle.identifiers() if oracle.case(name)["offset"] is not None]


@pytest.mark.parametrize("identifier", offset)
def test_an_offset_is_one_thing_however_it_is_given(identifier: str) -> None:
    asked, answer = oracle.case(identifier), oracle.answer(identifier)
    asking, named = answer.question, answer.fit
    options = {name: value for name, value in asking.options.items() if name != "offset"}
    spelled = asked["offset"]
    others = [
        em.glm(asking.formula, asking.data, offset=asking.data["offset_"].to_numpy(), **options),
        em.glm(f"{asking.formula} + offset({spelled})", asking.data, **options),
    ]
    if exposed := re.fullmatch(r"log\((\w+)\)", spelled):
        others.append(em.glm(asking.formula, asking.data, exposure=exposed[1], **options))
    for fit in others:
        assert fit.names == named.names
        assert_close(fit.coef, named.coef, COEFFICIENT * (np.abs(named.coef) + named.se), "coef")
        for quantity in ("deviance", "null_deviance", "aic"):
            value = getattr(named, quantity)
            assert_close(getattr(fit, quantity), value, within(SUM, value), quantity)


# --- the harness itself ---


@pytest.mark.parametrize("name", oracle.DIFFERENCES)
def test_every_difference_is_met_by_a_case(name: str) -> None:
    applies = oracle.DIFFERENCES[name].applies
    assert any(applies(oracle.case(identifier)) for identifier in oracle.identifiers())


def test_the_known_dispersion_of_a_negative_binomial_is_one() -> None:
    asked = oracle.case("open-quine-negbin2-sqrt")
    asking = oracle.question(asked)
    options = {name: value for name, value in asking.options.items() if name != "dispersion"}
    fit = em.glm(asking.formula, asking.data, **options)
    position = [fit.names.index(name) for name in oracle.names(asked)]
    theirs = oracle.numbers(asked["expected"]["dispersion_1"]["se"])
    assert_close(fit.se[position], theirs, within(ERROR, theirs), "se")
