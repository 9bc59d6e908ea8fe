"""Tables of tests print as R's do, escape what they show, and come back as data frames."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import polars as pl
import pytest

import etamu as em
from etamu.fit.deviance_table import DevianceTable, TableColumn
from tests.fit.test_anova import data


def test_missing_numbers_are_blank_and_small_p_values_bounds() -> None:
    column = TableColumn("p_value", "Pr(>F)", np.array([np.nan, 1e-40, 0.04]), "p")
    table = DevianceTable("A", (), ("a <b>", "c", "d"), (column,))
    text = str(table).splitlines()
    assert text[3].strip() == "a <b>"
    assert "<2e-16 ***" in text[4]
    assert "a &lt;b&gt;" in table._repr_html_()


def test_frame_is_of_the_library_that_came_in() -> None:
    frame = data()
    assert isinstance(em.glm("y ~ x", frame, family="poisson").anova().frame(), pd.DataFrame)
    assert isinstance(em.glm("y ~ x", pl.from_pandas(frame), family="poisson").anova().frame(), pl.DataFrame)
    assert isinstance(em.glm("y ~ x", dict(frame), family="poisson").anova().frame(), dict)


def test_columns_by_name_or_title_and_rows_by_name() -> None:
    table = em.glm("y ~ x", data(), family="poisson").anova()
    np.testing.assert_array_equal(table["Resid. Df"], table["resid_df"])
    with pytest.raises(em.OptionError, match="no column 'F'; the columns are df"):
        table["F"]
    with pytest.raises(em.OptionError, match="no row 'q'; the rows are NULL, x"):
        table.row("q")


def test_tables_are_facts() -> None:
    table = em.glm("y ~ x", data(), family="poisson").anova()
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.title = "other"


def test_long_names_stand_on_a_line_of_their_own() -> None:
    name = "x" * 70
    table = em.glm(f"y ~ {name} + z", data().rename(columns={"x": name}), family="poisson").anova()
    lines = str(table).splitlines()
    assert name in lines
    assert max(map(len, lines)) <= 100
