"""Tables of a fit of several predictors: in the library of the input, at the length of the input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

import etamu as em
from tests.vector.test_relations import ordinal, sample


def test_tables_come_in_the_library_of_the_input():
    assert isinstance(ordinal().tidy(), pd.DataFrame)
    fit = em.glm(
        "y ~ x + z",
        pl.DataFrame(sample().astype({"y": str})),
        em.Cumulative(levels=["low", "middle", "high"]),
    )
    table = fit.tidy(level=0.9)
    assert isinstance(table, pl.DataFrame)
    assert table.columns == [
        *("predictor", "term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"),
    ]
    assert table["predictor"].to_list() == ["low|middle", "middle|high", "location", "location"]
    assert fit.glance()["nobs"].item() == 240


def test_rows_are_tabulated_at_the_length_of_the_input():
    data = {
        "y": ["a", "b", "a", "c", "b", "c", "a", None],
        "x": [1.0, 2.0, 3.0, 4.0, 2.0, 1.0, 2.0, 3.0],
        "n": [0.0, 1.0, 3.0, 2.0, 0.0, 1.0, 0.0, 4.0],
    }
    with pytest.warns(em.DroppedRowsWarning):
        fit = em.glm("y ~ x", data, family=em.Multinomial())
    table = fit.augment()
    assert [len(column) for column in table.values()] == [8] * 7
    assert np.isnan(table["p_a"][-1])
    assert table["fitted"][-1] is None
    assert table["class"].tolist() == data["y"]
    total = table["p_a"] + table["p_b"] + table["p_c"]
    np.testing.assert_allclose(total[:-1], 1.0)
    counts = em.glm("n ~ x", data, family=em.HurdlePoisson()).augment()
    assert list(counts) == ["y", "fitted", "zero", "residual_quantile", "weight"]
