"""Influence is R's to the last digit, exact where theory is, and about leaving one copy of one row out.

Read next: tests/fit/test_residual_kinds.py.
"""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu.data.files import read_file
from tests import oracle
from tests.samples import FITTED, FORMULA, keywords, sample

RELATIVE = 1e-7

ROWS = {
    "hat": lambda fit: fit.influence().leverage,
    "cooks_distance": lambda fit: fit.influence().cooks_distance,
    "loo_sigma": lambda fit: fit.influence().loo_sigma,
    "rstandard_deviance": lambda fit: fit.residuals("standardised"),
    "rstandard_pearson": lambda fit: fit.residuals("standardised pearson"),
    "rstudent": lambda fit: fit.residuals("studentised"),
}
FROM_DEVIANCE = {"rstandard_deviance", "rstudent"}

every_case = pytest.mark.parametrize("identifier", oracle.identifiers())
SATURATED = "open-dobson93-poisson-saturated"


def from_r(identifier: str, column: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return our rows where R shows some, R's, and their tolerance; rows R has altered are left out."""
    asked, fit = oracle.case(identifier), oracle.answer(identifier).fit
    observed = asked["expected"]["obs"]
    ours = np.asarray(ROWS[column](fit))
    assert ours.shape == (asked["expected"]["n_rows_csv"],)
    ours, theirs = ours[np.array(observed["csv_rows"]) - 1], oracle.numbers(observed[column])
    base = "resid_pearson" if column == "rstandard_pearson" else "resid_deviance"
    kept = ~oracle.altered_rows(asked, base) if column.startswith("rst") else np.full(len(theirs), True)
    size = 1.0 if column.startswith("rst") else float(np.nanmax(np.abs(theirs), initial=0.0)) * 1e-3
    return ours[kept], theirs[kept], RELATIVE * (np.abs(theirs[kept]) + size)


@every_case
@pytest.mark.parametrize("column", ROWS)
def test_rows_are_those_of_r(identifier: str, column: str) -> None:
    if identifier == SATURATED:
        return  # R answers NA; what we answer is tested below
    ours, theirs, tolerance = from_r(identifier, column)
    agree = (np.isnan(ours) & np.isnan(theirs)) | (np.abs(ours - theirs) <= tolerance)
    assert agree.all(), (ours[~agree], theirs[~agree])


@every_case
@pytest.mark.parametrize("column", ROWS)
def test_sums_over_all_rows_are_those_of_r(identifier: str, column: str) -> None:
    asked, fit = oracle.case(identifier), oracle.answer(identifier).fit
    summary = asked["expected"]["obs"][column]["summary"]
    if identifier == SATURATED or (
        column.startswith("rst") and oracle.altered_rows(asked, "resid_deviance").any()
    ):
        return
    ours = np.asarray(ROWS[column](fit))
    ours = ours[np.isfinite(ours)]
    square = oracle.number(summary["sum_sq"])
    spread = np.sqrt(len(ours) * square)
    assert_allclose(ours.sum(), summary["sum"], rtol=0.0, atol=RELATIVE * spread)
    assert_allclose((ours**2).sum(), square, rtol=RELATIVE)
    assert_allclose(np.abs(ours).max(), summary["max_abs"], rtol=RELATIVE)


@every_case
def test_dfbetas_are_those_of_r(identifier: str) -> None:
    if identifier == SATURATED:
        return
    asked, fit = oracle.case(identifier), oracle.answer(identifier).fit
    said = asked["expected"]["dfbetas"]
    theirs = oracle.numbers(said)
    order = dict(zip(asked["expected"]["coef"], oracle.names(asked), strict=True))
    columns = [fit.names.index(order[name]) for name in said["cols"]]
    influence = fit.influence()
    ours = influence.dfbetas(rows=np.array(said["csv_rows"]) - 1)[:, columns]
    clamped = np.isin(
        said["csv_rows"],
        np.array(asked["expected"]["obs"]["csv_rows"])[oracle.altered_rows(asked, "resid_deviance")],
    )
    assert_allclose(ours[~clamped], theirs[~clamped], rtol=RELATIVE, atol=RELATIVE * 1e-2)
    sums = np.nansum(np.abs(influence.dfbetas()), axis=0)[columns]
    assert_allclose(sums, oracle.numbers(said["col_sum_abs"]), rtol=RELATIVE)


def test_every_row_of_a_saturated_model_determines_itself() -> None:
    fit = oracle.answer(SATURATED).fit
    influence = fit.influence()
    assert np.all(influence.leverage == 1.0)
    assert np.all(np.isnan(influence.cooks_distance))
    assert np.all(np.isnan(influence.dfbetas()))
    assert np.all(np.isnan(fit.residuals("standardised")))


def in_blocks(fit: em.Fit, rows: int) -> em.Fit:
    """Return the same fit, its rows visited in blocks of this size."""
    return replace(fit, problem=replace(fit.problem, options=replace(fit.problem.options, block_rows=rows)))


# --- against fits without the row ---


def data_of(n: int = 25, seed: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(10.0, 2.0, n)
    return {
        "y": 1.0 + x + rng.normal(size=n),
        "x": x,
        "g": rng.integers(0, 3, n).astype(str),
        "w": rng.uniform(0.5, 2.0, n),
    }


def without(data: dict[str, np.ndarray], row: int) -> dict[str, np.ndarray]:
    return {name: np.delete(column, row) for name, column in data.items()}


def test_gaussian_influence_is_that_of_fits_without_each_row() -> None:
    data = data_of()
    fit = em.glm("y ~ x + C(g)", data, variance_weights="w")
    influence = fit.influence()
    dfbetas, n = influence.dfbetas(), len(data["y"])
    unscaled = np.sqrt(np.diag(fit.cov) / fit.dispersion)
    for row in range(n):
        one = em.glm("y ~ x + C(g)", without(data, row), variance_weights="w")
        sigma = np.sqrt(one.dispersion)
        moved = fit.coef - one.coef
        left = {name: column[row : row + 1] for name, column in data.items()}
        mu, here = one.predict(left)[0], fit.predict(left)[0]
        assert_allclose(influence.loo_sigma[row], sigma, rtol=1e-9)
        assert_allclose(dfbetas[row], moved / (sigma * unscaled), rtol=1e-7, atol=1e-9)
        assert_allclose(influence.loo_deviance[row], data["w"][row] * (data["y"][row] - mu) ** 2, rtol=1e-8)
        cook = moved @ np.linalg.solve(fit.cov, moved) / fit.rank
        assert_allclose(influence.cooks_distance[row], cook, rtol=1e-7)
        se = sigma * np.sqrt(influence.leverage[row] / data["w"][row])
        assert_allclose(influence.dffits[row], (here - mu) / se, rtol=1e-7)
        ratio = np.linalg.det(one.cov) / np.linalg.det(fit.cov)
        assert_allclose(influence.covariance_ratio[row], ratio, rtol=1e-7)
        student = (data["y"][row] - mu) / np.sqrt(
            sigma**2 / data["w"][row] + one.predict(left, se=True).se[0] ** 2
        )
        assert_allclose(fit.residuals("studentised")[row], student, rtol=1e-7)


@pytest.mark.parametrize("family", ["poisson", "gamma", "bernoulli"])
def test_one_step_comes_near_the_fit_without_the_row(family: str) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=300)
    mean = np.exp(1.0 + 0.3 * x)
    y = {
        "poisson": lambda: rng.poisson(mean).astype(float),
        "gamma": lambda: mean * rng.gamma(4.0, 0.25, 300),
        "bernoulli": lambda: (rng.random(300) < mean / (2.0 + mean)).astype(float),
    }[family]()
    data = {"y": y, "x": x}
    link = "logit" if family == "bernoulli" else "log"
    fit = em.glm("y ~ x", data, family, link=link)
    influence = fit.influence()
    rows = influence.most(5)
    moved = influence.dfbetas("pearson", rows=rows)
    unscaled = np.sqrt(np.diag(fit.cov) / fit.dispersion)
    for row, change in zip(rows, moved, strict=True):
        one = em.glm("y ~ x", without(data, row), family, link=link)
        scale = influence.loo_sigma[row] * unscaled
        assert_allclose(change, (fit.coef - one.coef) / scale, rtol=0.15, atol=0.02)
        eta = one.predict({"x": x[row : row + 1]}, kind="link")
        deviance = -2.0 * fit.problem.unit.bind(np)((y[row : row + 1],), eta)[0][0]
        assert_allclose(influence.loo_deviance[row], deviance, rtol=0.05)
    assert influence.loo_deviance.sum() > fit.deviance


# --- weights, aliases, missing rows ---


@pytest.mark.parametrize("unit", FITTED, ids=[f"{u.family!r}-{u.link!r}" for u in FITTED])
def test_leverages_add_up_to_the_rank(unit: Any) -> None:
    data = sample(unit, 7)
    fit = em.glm(FORMULA if not unit.restricted else "y ~ z", data, **keywords(unit))
    influence = fit.influence()
    assert_allclose(np.sum(influence.leverage), fit.rank, rtol=1e-9)
    assert np.all(np.isfinite(influence.cooks_distance))


@pytest.mark.parametrize("family", ["gaussian", "poisson", "gamma"])
def test_a_frequency_weight_is_so_many_copies(family: str) -> None:
    rng = np.random.default_rng(2)
    data = {"x": rng.normal(size=20), "y": rng.integers(1, 9, 20).astype(float)}
    k = rng.integers(1, 4, 20)
    one = em.glm("y ~ x", data, family, link="log", frequency_weights=k)
    copies = em.glm(
        "y ~ x", {name: np.repeat(column, k) for name, column in data.items()}, family, link="log"
    )
    first = np.r_[0, np.cumsum(k)[:-1]]
    mine, theirs = one.influence(), copies.influence()
    for name in ("leverage", "cooks_distance", "dffits", "covariance_ratio", "loo_deviance", "loo_sigma"):
        assert_allclose(getattr(mine, name), getattr(theirs, name)[first], rtol=1e-8, err_msg=name)
    assert_allclose(mine.dfbetas(), theirs.dfbetas()[first], rtol=1e-8, atol=1e-10)
    for kind in ("standardised", "standardised pearson", "studentised", "anscombe"):
        assert_allclose(one.residuals(kind), copies.residuals(kind)[first], rtol=1e-7, atol=1e-10)
    assert_allclose(one.partial_residuals("x"), copies.partial_residuals("x")[first], rtol=1e-7, atol=1e-10)


def test_rows_dropped_and_rows_of_weight_zero_are_nan_and_change_nothing() -> None:
    data = data_of(12)
    data["w"][3] = 0.0
    data["x"] = np.where(np.arange(12) == 5, np.nan, data["x"])
    with pytest.warns(em.DroppedRowsWarning):
        fit = em.glm("y ~ x", data, variance_weights="w")
    keep = np.setdiff1d(np.arange(12), [3, 5])
    other = em.glm("y ~ x", {name: column[keep] for name, column in data.items()}, variance_weights="w")
    mine, theirs = fit.influence(), other.influence()
    for name in ("leverage", "cooks_distance", "dffits", "covariance_ratio", "loo_deviance", "loo_sigma"):
        values = getattr(mine, name)
        assert np.flatnonzero(np.isnan(values)).tolist() == [3, 5]
        assert_allclose(values[keep], getattr(theirs, name), rtol=1e-9)
    assert_allclose(mine.dfbetas()[keep], theirs.dfbetas(), rtol=1e-8, atol=1e-11)
    assert np.isnan(mine.dfbetas(rows=[5, 3])).all()
    assert not {3, 5} & set(mine.most(12).tolist())


def test_an_aliased_coefficient_has_no_dfbetas() -> None:
    data = data_of()
    data["twice"] = 2.0 * data["x"]
    with pytest.warns(em.AliasWarning):
        fit = em.glm("y ~ x + twice", data)
    plain = em.glm("y ~ x", data)
    assert_allclose(fit.influence().leverage, plain.influence().leverage, rtol=1e-9)
    assert_allclose(fit.influence().cooks_distance, plain.influence().cooks_distance, rtol=1e-8)
    ours = fit.influence().dfbetas()
    assert np.isnan(ours[:, 2]).all()
    assert_allclose(ours[:, :2], plain.influence().dfbetas(), rtol=1e-7, atol=1e-10)


def test_a_row_alone_in_its_level_determines_itself() -> None:
    data = data_of()
    data["g"] = np.where(np.arange(25) == 7, "alone", "others")
    fit = em.glm("y ~ x + C(g)", data)
    influence = fit.influence()
    assert influence.leverage[7] == 1.0
    for name in ("cooks_distance", "dffits", "covariance_ratio", "loo_deviance"):
        assert np.flatnonzero(np.isnan(getattr(influence, name))).tolist() == [7]
    assert np.isnan(fit.residuals("standardised")[7])


@pytest.mark.parametrize("covariance", ["observed", "HC0", "HC1"])
def test_the_covariance_that_is_reported_changes_no_influence(covariance: str) -> None:
    data = sample(FITTED[0], 7)
    plain = em.glm("y ~ x + z", data, "gamma", link="log")
    other = em.glm("y ~ x + z", data, "gamma", link="log", covariance=covariance)
    assert_allclose(other.influence().leverage, plain.influence().leverage, rtol=1e-9)
    assert_allclose(other.influence().dfbetas(), plain.influence().dfbetas(), rtol=1e-7, atol=1e-10)


def test_a_sampling_weight_scales_what_leaving_the_row_out_takes_away() -> None:
    data = data_of()
    sampled = em.glm("y ~ x", data, sampling_weights="w").influence()
    weighted = em.glm("y ~ x", data, variance_weights="w").influence()
    for name in ("leverage", "cooks_distance", "dffits", "covariance_ratio"):
        assert_allclose(getattr(sampled, name), getattr(weighted, name), rtol=1e-8)


def test_nearly_collinear_columns_keep_their_leverages() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=60)
    design = np.column_stack([x, x + 1e-6 * rng.normal(size=60)])
    y = rng.poisson(3.0, 60).astype(float)
    fit = em.GLM(family="poisson").fit(design, y)
    weight = np.sqrt(fit.working().weights)[:, None]
    q = np.linalg.qr(weight * np.column_stack([np.ones(60), design]))[0]
    assert_allclose(fit.influence().leverage, (q**2).sum(axis=1), rtol=1e-7)


# --- blocks, order, tables ---


def test_blocks_change_nothing() -> None:
    data = data_of(200)
    whole = em.glm("y ~ x + C(g)", data)
    parts = in_blocks(whole, 17)
    mine, theirs = parts.influence(), whole.influence()
    for name in ("leverage", "cooks_distance", "dffits", "covariance_ratio", "loo_deviance", "loo_sigma"):
        assert_allclose(getattr(mine, name), getattr(theirs, name), rtol=1e-9)
    assert_allclose(mine.dfbetas(), theirs.dfbetas(), rtol=1e-8, atol=1e-11)


def test_some_rows_of_dfbetas_are_those_of_all() -> None:
    data = data_of(50)
    data["x"] = np.where(np.arange(50) == 2, np.nan, data["x"])
    with pytest.warns(em.DroppedRowsWarning):
        influence = em.glm("y ~ x", data).influence()
    asked = [7, 2, 49, 7]
    assert_allclose(influence.dfbetas(rows=asked), influence.dfbetas()[asked], rtol=1e-12)
    assert influence.dfbetas(rows=[]).shape == (0, 2)
    with pytest.raises(em.DataError, match="from 0 to 49"):
        influence.dfbetas(rows=[50])
    with pytest.raises(em.DataError, match="whole numbers"):
        influence.dfbetas(rows=[0.5])
    with pytest.raises(em.OptionError, match="'deviance', 'pearson'"):
        influence.dfbetas("working")


@pytest.mark.parametrize("by", ["cooks_distance", "leverage", "dffits", "covariance_ratio", "loo_deviance"])
def test_the_top_rows_come_in_order(by: str) -> None:
    data = pd.DataFrame(data_of(40), index=[f"case {row}" for row in range(40)])
    influence = em.glm("y ~ x", data).influence()
    table = influence.top(6, by=by)
    extent = np.abs(getattr(influence, by))
    extent = np.abs(np.log(extent)) if by == "covariance_ratio" else extent
    assert table["row"].tolist() == np.argsort(-extent)[:6].tolist()
    assert table["label"].tolist() == [f"case {row}" for row in table["row"]]
    assert table.columns[2] == by
    assert_allclose(table[by], getattr(influence, by)[table["row"]])


def test_the_rows_of_a_file_have_positions_only(tmp_path: Any) -> None:
    pd.DataFrame(data_of()).to_csv(tmp_path / "data.csv", index=False)
    top = em.glm("y ~ x", read_file(tmp_path / "data.csv")).influence().top(3)
    assert len(top["row"]) == 3
    assert "label" not in top


def test_a_dict_has_no_labels_and_a_short_input_few_rows() -> None:
    influence = em.glm("y ~ x", data_of(6)).influence()
    assert "label" not in influence.top()
    assert len(influence.top()["row"]) == 6
    assert repr(influence).startswith("Influence of 6 rows on 2 coefficients")


def test_without_a_degree_of_freedom_left_there_is_no_sigma_without_the_row() -> None:
    influence = em.glm("y ~ x", {"y": [1.0, 2.0, 7.0], "x": [0.0, 1.0, 2.0]}).influence()
    for name in ("loo_sigma", "dffits", "covariance_ratio"):
        assert np.all(np.isnan(getattr(influence, name)))
    assert np.all(np.isfinite(influence.cooks_distance))


def test_what_is_not_understood_is_refused() -> None:
    influence = em.glm("y ~ x", data_of()).influence()
    with pytest.raises(em.OptionError, match="'cooks_distance'"):
        influence.top(by="cook")
    with pytest.raises(em.OptionError, match="k=0"):
        influence.top(0)


def test_a_fit_read_from_a_file_says_that_it_has_no_rows(tmp_path: Any) -> None:
    em.glm("y ~ x", data_of()).save(tmp_path / "fit.json")
    with pytest.raises(em.NotAvailableError, match="rows"):
        em.load(tmp_path / "fit.json").influence()


def test_nothing_holds_a_number_for_every_row_and_coefficient() -> None:
    rng = np.random.default_rng(0)
    n, levels = 200_000, 60
    data = {"x": rng.normal(size=n), "g": rng.integers(0, levels, n), "y": rng.poisson(2.0, n).astype(float)}
    fit = in_blocks(em.glm("y ~ x + C(g)", data, "poisson"), 2048)
    tracemalloc.start()
    influence = fit.influence()
    fit.residuals("studentised")
    fit.residuals("quantile")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert influence.leverage.shape == (n,)
    assert peak < n * levels * 8 / 2
