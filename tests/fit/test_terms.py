"""Eta comes apart into terms that add up to it again, centred on the rows of the fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu.fit.terms import Terms, splitter, terms_of_rows
from tests.samples import FITTED, FORMULA, keywords, sample

RNG = np.random.default_rng(11)
N = 60
DATA: dict[str, Any] = {
    "x": 50.0 + RNG.normal(size=N),
    "z": RNG.normal(size=N),
    "g": np.array(list("abc"))[RNG.integers(0, 3, N)],
    "t": RNG.uniform(1.0, 3.0, N),
    "w": RNG.uniform(0.5, 2.0, N),
}
DATA["y"] = RNG.poisson(2.0, N).astype(float)
FORMULAS = ("y ~ x + z + C(g)", "y ~ x*g", "y ~ 0 + g + x", "y ~ 1", "y ~ poly(z, 2) + g", "y ~ 0 + x")


def design(fit: em.Fit) -> np.ndarray:
    """The columns by the names of their coefficients."""
    out = []
    for name in fit.names:
        column = np.ones(N)
        for part in name.split(":"):
            if part != "Intercept":
                column = column * (DATA["g"] == part[-2] if part.endswith("]") else DATA[part])
        out.append(column)
    return np.column_stack(out)


PLAIN = ("y ~ x + z + C(g)", "y ~ x*g", "y ~ 0 + x", "y ~ 0 + g + x")


@pytest.mark.parametrize("formula", PLAIN)
def test_contributions_and_errors_are_those_of_the_centred_columns(formula) -> None:
    fit = em.glm(formula, DATA, "poisson")
    X = design(fit)
    centred = X - X.mean(axis=0) if "Intercept" in fit.names else X
    terms = terms_of_rows(fit, se=True)
    assert terms.se is not None
    for label in terms.names:
        # Columns of a term: those whose names lead to its label.
        mine = [":".join(part.split("[")[0] for part in name.split(":")) == label for name in fit.names]
        assert any(mine)
        part = np.where(mine, fit.coef, 0.0)
        np.testing.assert_allclose(terms[label], centred @ part, rtol=1e-8, atol=1e-9)
        own = centred * np.array(mine, dtype=float)
        variance = np.einsum("ij,jk,ik->i", own, fit.cov, own)
        np.testing.assert_allclose(terms.se[label], np.sqrt(variance), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_terms_and_the_constant_add_up_to_eta(formula) -> None:
    fit = em.glm(formula, DATA, "poisson")
    np.testing.assert_allclose(
        terms_of_rows(fit, se=False).total + np.zeros(N), fit.predict(kind="link"), rtol=1e-10
    )


@pytest.mark.parametrize("unit", FITTED[:6], ids=str)
def test_the_terms_of_every_family_add_up(unit) -> None:
    fit = em.glm(FORMULA, sample(unit, 5), **keywords(unit))
    terms = terms_of_rows(fit, se=False)
    np.testing.assert_allclose(terms.total, fit.predict(kind="link"), rtol=1e-9, atol=1e-12)
    assert terms.names == ("x", "z", "C(g)")


def test_every_term_has_mean_zero_over_the_rows_without_their_weights() -> None:
    fit = em.glm("y ~ x*g + poly(z, 2)", DATA, "poisson", sampling_weights="w")
    terms = terms_of_rows(fit, se=False)
    for label in terms.names:
        assert terms[label].mean() == pytest.approx(0.0, abs=1e-9)
    assert terms.constant == pytest.approx(fit.predict(kind="link").mean())


def test_without_an_intercept_nothing_is_centred() -> None:
    fit = em.glm("y ~ 0 + x", DATA, "poisson")
    terms = terms_of_rows(fit, se=True)
    assert terms.constant == 0.0
    np.testing.assert_allclose(terms["x"], DATA["x"] * fit.coef[0])
    np.testing.assert_allclose(terms.se["x"], np.abs(DATA["x"]) * fit.se[0])


def test_the_offset_is_in_no_term() -> None:
    fit = em.glm("y ~ x + offset(log(t))", DATA, "poisson")
    terms = terms_of_rows(fit, se=False)
    assert terms.names == ("x",)
    np.testing.assert_allclose(terms.total, fit.predict(kind="link") - np.log(DATA["t"]))


def test_a_model_of_a_constant_has_no_terms() -> None:
    fit = em.glm("y ~ 1", DATA, "poisson")
    terms = terms_of_rows(fit, se=True)
    assert terms.names == ()
    assert dict(terms.se) == {}
    assert terms.constant == pytest.approx(fit.coef[0])


def test_rows_that_were_dropped_are_missing_where_they_stood() -> None:
    z = DATA["z"].copy()
    z[[3, 17]] = np.nan
    with pytest.warns(em.DroppedRowsWarning, match="2 of 60"):
        fit = em.glm("y ~ x + z", DATA | {"z": z}, "poisson")
    terms = terms_of_rows(fit, se=True)
    for column in (terms["x"], terms["z"], terms.se["x"]):
        assert list(np.flatnonzero(np.isnan(column))) == [3, 17]
    assert np.nanmean(terms["x"]) == pytest.approx(0.0, abs=1e-12)


def test_new_rows_are_centred_on_the_rows_of_the_fit() -> None:
    fit = em.glm("y ~ x + g", DATA, "poisson")
    new = {"x": [0.0, 60.0], "g": ["b", "a"]}
    terms = fit.predict(new, kind="terms")
    np.testing.assert_allclose(terms["x"], (np.array(new["x"]) - DATA["x"].mean()) * fit.coef[1])
    np.testing.assert_allclose(terms.total, fit.predict(new, kind="link"))


def test_a_single_factor_with_its_own_mean_has_the_error_of_its_centred_column() -> None:
    fit = em.glm("y ~ x", DATA)
    terms = terms_of_rows(fit, se=True)
    np.testing.assert_allclose(terms.se["x"], np.abs(DATA["x"] - DATA["x"].mean()) * fit.se[1], rtol=1e-8)


def test_the_masks_of_a_splitter_do_not_overlap() -> None:
    fit = em.glm("y ~ x*g + z", DATA, "poisson")
    parts = splitter(fit, fit.coordinates, fit.beta, None)
    assert parts.labels == ("x", "g", "z", "x:g")
    np.testing.assert_array_equal(parts.masks.sum(axis=0), (fit.coordinates.kept != 0).astype(float))


def test_terms_need_the_rows_of_the_fit(tmp_path) -> None:
    em.glm("y ~ x", DATA).save(tmp_path / "m.json")
    fit = em.load(tmp_path / "m.json")
    with pytest.raises(em.NotAvailableError, match="centred on the rows of the fit"):
        splitter(fit, fit.coordinates, fit.beta, None)


def test_a_table_without_a_frame_is_a_dict_of_its_own() -> None:
    columns = {"x": np.arange(3.0)}
    terms = Terms(1.0, columns)
    table = terms.table()
    assert table == columns
    assert table is not columns
    np.testing.assert_array_equal(terms.total, [1.0, 2.0, 3.0])
