"""Tables hold what the fit holds, in the library that came in, row by row of the input."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import etamu as em

COLUMNS = {
    "claims": [0.0, 1.0, 3.0, 2.0, 5.0, 4.0, 7.0, 2.0],
    "age": [1.0, 2.0, None, 4.0, 5.0, 6.0, 7.0, 8.0],
    "region": ["a", "b", "a", "b", "a", "b", "a", "b"],
    "years": [1.0, 2.0, 1.5, 1.0, 2.0, 2.0, 3.0, 1.0],
}
LIBRARIES = {
    "pandas": (pd.DataFrame, pd.DataFrame),
    "polars": (pl.DataFrame, pl.DataFrame),
    "pyarrow": (pa.table, pa.Table),
    "dict": (dict, dict),
}


def fitted(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.DroppedRowsWarning)
        return em.glm("claims ~ region + age", data, family="poisson", exposure="years")


@pytest.mark.parametrize("library", LIBRARIES)
def test_tables_answer_in_the_library_that_came_in(library):
    make, kind = LIBRARIES[library]
    fit = fitted(make(COLUMNS))
    for table, column, rows in (
        (fit.tidy(), "estimate", 3),
        (fit.glance(), "family", 1),
        (fit.augment(), "eta", 8),
    ):
        assert isinstance(table, kind)
        assert len(table[column]) == rows
    assert list(np.asarray(fit.tidy()["term"])) == ["Intercept", "region[T.b]", "age"]


FIT = fitted(COLUMNS)


def test_tidy_is_the_coefficient_table():
    table = FIT.tidy(level=0.9)
    assert list(table) == ["term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
    np.testing.assert_array_equal(table["estimate"], FIT.coef)
    np.testing.assert_array_equal(table["std_error"], FIT.se)
    np.testing.assert_array_equal(np.column_stack([table["conf_low"], table["conf_high"]]), FIT.conf_int(0.9))
    assert "conf_low" not in FIT.tidy()


def test_glance_is_one_row_of_what_the_fit_says():
    table = FIT.glance()
    assert all(len(column) == 1 for column in table.values())
    assert table["family"][0] == "poisson"
    assert table["nobs"][0] == 7
    for name in (
        "deviance",
        "null_deviance",
        "loglik",
        "aic",
        "bic",
        "rank",
        "df_resid",
        "converged",
        "passes",
    ):
        assert table[name][0] == getattr(FIT, name)


def test_augment_has_the_rows_of_the_input_and_nan_where_one_was_dropped():
    table = FIT.augment()
    assert all(len(column) == 8 for column in table.values())
    for column in table.values():
        np.testing.assert_array_equal(np.isnan(column), np.arange(8) == 2)


def test_augment_columns_fit_together():
    table = FIT.augment()
    np.testing.assert_allclose(table["fitted"], np.exp(table["eta"]))
    np.testing.assert_allclose(table["residual_response"], table["y"] - table["fitted"])
    np.testing.assert_allclose(np.nansum(table["residual_deviance"] ** 2), FIT.deviance)
    np.testing.assert_allclose(np.nansum(table["residual_pearson"] ** 2), FIT.pearson_chi2)
    np.testing.assert_array_equal(np.delete(table["weight"], 2), 1.0)


def test_trials_give_two_response_columns_and_weights_their_product():
    data = {"dead": [1.0, 4.0, 9.0], "n": [20.0, 20.0, 20.0], "x": [0.0, 1.0, 2.0], "w": [2.0, 1.0, 3.0]}
    table = em.glm("dead ~ x", data, family="binomial", trials="n", variance_weights="w").augment()
    np.testing.assert_array_equal(table["successes"], data["dead"])
    np.testing.assert_array_equal(table["trials"], data["n"])
    np.testing.assert_array_equal(table["weight"], data["w"])
    assert (table["fitted"] < 1.0).all()
