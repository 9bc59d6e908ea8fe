"""What a fit of several predictors says of itself: tables, summaries, words, and that it cannot change."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

import etamu as em
from tests.vector.test_relations import multinomial, ordinal, sample


def test_an_order_of_any_library_is_an_order():
    data = sample()
    order = pl.Enum(["low", "middle", "high"])
    frame = pl.DataFrame(data.astype({"y": str})).with_columns(pl.col("y").cast(order))
    arrow = frame.with_columns(pl.col("y").cast(pl.Utf8)).to_arrow()
    import pyarrow as pa

    codes = pa.DictionaryArray.from_arrays(
        pa.array(data["y"].cat.codes.to_numpy(), pa.int8()), pa.array(["low", "middle", "high"]), ordered=True
    )
    arrow = arrow.set_column(arrow.column_names.index("y"), "y", codes)
    numbers = data.assign(y=data["y"].cat.codes.astype(int))
    own = ordinal()
    for table in (frame, arrow, numbers):
        np.testing.assert_allclose(em.glm("y ~ x + z", table, em.Cumulative()).coef, own.coef, rtol=1e-10)


def test_the_predictors_name_their_coefficients():
    assert multinomial().predictors == {
        "middle": ("middle:Intercept", "middle:x", "middle:z[T.q]"),
        "high": ("high:Intercept", "high:x", "high:z[T.q]"),
    }
    assert ordinal().predictors["location"] == ("x", "z[T.q]")


def test_nothing_of_it_changes():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ordinal().coef = None


def test_sampling_weights_make_a_sandwich_and_no_likelihood():
    fit = em.glm("y ~ x", sample(), em.Cumulative(), sampling_weights="w")
    assert fit.covariance_kind == "HC1"
    assert np.isnan(fit.loglik)
    assert "sampling weights" in str(fit.summary())


def test_an_alias_has_no_coefficient():
    data = sample().assign(twice=lambda table: 2.0 * table["x"])
    with pytest.warns(em.AliasWarning, match="twice"):
        fit = em.glm("y ~ x + twice", data, em.Multinomial())
    assert fit.aliased == ("middle:twice", "high:twice")
    plain = em.glm("y ~ x", data, em.Multinomial())
    np.testing.assert_allclose(fit.loglik, plain.loglik, rtol=1e-12)
    np.testing.assert_allclose(fit.predict(), plain.predict(), rtol=1e-9)
    with pytest.raises(em.NotAvailableError, match="no estimate"):
        fit.test("high:twice = 0")
    with pytest.warns(em.AliasWarning):
        assert em.glm("y ~ x + twice", data, em.Cumulative()).aliased == ("twice",)


def test_rows_with_gaps_are_dropped_said_and_predicted_as_gaps():
    data = sample()
    data.loc[3, "x"] = np.nan
    data.loc[5, "y"] = None
    with pytest.warns(em.DroppedRowsWarning, match="2 of 240"):
        fit = em.glm("y ~ x", data, em.Multinomial())
    assert np.isnan(fit.predict()[[3, 5]]).all()
    assert fit.predict(kind="class")[3] is None
    assert np.isnan(fit.residuals()[3])
    assert fit.nobs == 238


def test_rows_of_weight_zero_are_predicted_and_nothing_else():
    data = sample().assign(k=lambda table: table["k"].where(table.index != 0, 0))
    fit = em.glm("y ~ x", data, em.Cumulative(), frequency_weights="k")
    assert np.isfinite(fit.predict()[0]).all()
    rest = em.glm("y ~ x", data[data["k"] > 0], em.Cumulative(), frequency_weights="k")
    np.testing.assert_allclose(fit.coef, rest.coef, rtol=1e-10)


def test_a_start_is_taken_and_found_again():
    fit = ordinal()
    again = em.glm("y ~ x + z", sample(), em.Cumulative(), start=fit.coef)
    assert again.iterations <= 1
    np.testing.assert_allclose(again.coef, fit.coef, rtol=1e-10)
    with pytest.raises(em.OptionError, match="likelihood is 0 at start"):
        em.glm("y ~ x + z", sample(), em.Cumulative(), start=fit.coef[[1, 0, 2, 3]])
