"""Every library's table is read to the same columns; what cannot be read is named."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from etamu._base.errors import DataError, FormulaError
from etamu.data.column import from_values
from etamu.data.frame import read

COLUMNS: dict[str, list[Any]] = {
    "real": [1.5, None, -2.0, 0.1],
    "whole": [1, 2, None, 3],
    "full": [4, 5, 6, 7],
    "flag": [True, None, False, True],
    "word": ["b", "ä", None, "a"],
    "dot.name": [0.0, 1.0, 2.0, 3.0],
}


def test_columns_are_the_same_in_every_library(make: Any) -> None:
    frame = read(make(COLUMNS))
    assert frame.names == tuple(COLUMNS)
    assert len(frame) == 4
    assert frame.column("real").kind == "numeric"
    np.testing.assert_array_equal(frame.column("real").values, [1.5, np.nan, -2.0, 0.1])
    np.testing.assert_array_equal(frame.column("real").missing, [False, True, False, False])
    np.testing.assert_array_equal(frame.column("whole").missing, [False, False, True, False])
    np.testing.assert_array_equal(frame.column("full").values, [4, 5, 6, 7])
    assert frame.column("full").missing is None
    assert frame.column("full").integer
    assert frame.column("flag").kind == "boolean"
    assert frame.column("flag").levels == ("False", "True")
    np.testing.assert_array_equal(frame.column("flag").codes, [1, -1, 0, 1])
    assert frame.column("word").kind == "text"
    assert frame.column("word").levels == ("a", "b", "ä")
    np.testing.assert_array_equal(frame.column("word").codes, [1, 2, -1, 0])


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int8", "uint16"])
def test_numbers_without_a_gap_are_not_copied(dtype: str) -> None:
    values = np.arange(5).astype(dtype)
    for data in (
        {"x": values},
        pd.DataFrame({"x": values}, copy=False),
        pl.DataFrame({"x": pl.Series(values)}),
        pa.table({"x": pa.array(values)}),
    ):
        column = read(data).column("x")
        assert column.values.dtype == values.dtype
        assert not column.values.flags.owndata or column.values is values


def test_a_column_is_read_once_and_only_when_asked_for() -> None:
    data = {"good": [1.0, 2.0], "bad": [dt.date(2020, 1, 1), None]}
    frame = read(data)
    assert frame.column("good") is frame.column("good")
    with pytest.raises(DataError, match=r"'bad' holds date values.*row 0; turn it into a number"):
        frame.column("bad")


@pytest.mark.parametrize("ordered", [False, True])
def test_declared_order_is_kept(ordered: bool) -> None:
    declared = pd.DataFrame(
        {"g": pd.Categorical(["lo", None, "hi"], categories=["lo", "mid", "hi"], ordered=ordered)}
    )
    tables = [declared, pa.Table.from_pandas(declared), {"g": declared["g"]}]
    tables.append(pl.DataFrame({"g": pl.Series(["lo", None, "hi"], dtype=pl.Enum(["lo", "mid", "hi"]))}))
    for data in tables:
        column = read(data).column("g")
        assert column.kind == "categorical"
        assert column.levels == ("lo", "mid", "hi")
        np.testing.assert_array_equal(column.codes, [0, -1, 2])


def test_bare_categories_are_those_of_a_series_of_them() -> None:
    bare = pd.Categorical(["lo", None, "hi"], categories=["lo", "mid", "hi"], ordered=True)
    arrow = pa.DictionaryArray.from_arrays(
        pa.array([0, None, 2]), pa.array(["lo", "mid", "hi"]), ordered=True
    )
    for values in (bare, pd.Series(bare), pd.CategoricalIndex(bare), arrow):
        column = read({"g": values}).column("g")
        assert (column.kind, column.levels, column.ordered) == ("categorical", ("lo", "mid", "hi"), True)
        np.testing.assert_array_equal(column.codes, [0, -1, 2])


@pytest.mark.parametrize("values", [{"a": 1.0, "b": 2.0}, {1.0, 2.0}], ids=["dict", "set"])
def test_a_column_without_an_order_of_rows_is_refused(values: Any) -> None:
    with pytest.raises(DataError, match=r"'x' is a (dict|set), which has no rows in order"):
        read({"x": values}).column("x")


def test_arrow_chunks_may_have_dictionaries_of_their_own() -> None:
    chunks = [pa.array(["b", "a"]).dictionary_encode(), pa.array(["c", None, "b"]).dictionary_encode()]
    column = read(pa.table({"g": pa.chunked_array(chunks)})).column("g")
    assert [None if code < 0 else column.levels[code] for code in column.codes] == ["b", "a", "c", None, "b"]


def test_polars_categories_have_no_order_of_their_own() -> None:
    pl.Series(["z", "q"], dtype=pl.Categorical)
    column = read(pl.DataFrame({"g": pl.Series(["b", "a", None], dtype=pl.Categorical)})).column("g")
    assert column.levels == ("a", "b")
    np.testing.assert_array_equal(column.codes, [1, 0, -1])


def test_categories_that_read_the_same_are_refused() -> None:
    data = pd.DataFrame({"g": pd.Categorical(["1", 1], categories=["1", 1])})
    with pytest.raises(DataError, match="'g' has two categories that read the same, '1'"):
        read(data).column("g")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", None, 3], r"'x' mixes text and numbers: row 2 holds 3"),
        ([1.0, float("nan"), "b"], r"'x' mixes numbers and text: row 2 holds 'b'"),
        ([True, 2], r"'x' mixes truth values and numbers: row 1 holds 2"),
        ([None, b"a"], r"'x' holds bytes values, b'a' in row 1"),
        ([1j, 2j], r"'x' holds complex values"),
        (np.array([1j]), r"'x' holds complex128 values; use its real"),
        (
            np.array(["2020-01-01"], dtype="datetime64[D]"),
            r"'x' holds datetime64\[D\] values; turn it into a number",
        ),
        (np.zeros((2, 2)), r"'x' has 2 dimensions"),
        (np.ma.masked_array([1.0], [True]), r"'x' is a masked array; fill it"),
        (5, r"'x' is a single value, 5"),
    ],
)
def test_values_no_model_can_use_are_named(values: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_values("x", values)


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table])
def test_times_are_refused_when_used(library: Any) -> None:
    moments = [dt.datetime(2020, 1, 1), dt.datetime(2021, 1, 1)]  # noqa: DTZ001
    frame = read(library({"when": moments, "span": [moment - moments[0] for moment in moments], "x": [1, 2]}))
    assert len(frame.column("x")) == 2
    for name in ("when", "span"):
        with pytest.raises(DataError, match=rf"'{name}' holds .* values; turn it into a number"):
            frame.column(name)


def test_nested_values_are_refused() -> None:
    with pytest.raises(DataError, match=r"'x' holds List\(Int64\) values; use numbers or text"):
        read(pl.DataFrame({"x": [[1], [2]]})).column("x")


def test_columns_of_kinds_unknown_to_narwhals_are_told_by_their_values() -> None:
    x = np.array([0.0, 0.0, 2.5])
    frame = read(
        pd.DataFrame(
            {
                "sparse": pd.arrays.SparseArray(x),
                "month": pd.period_range("2020-01", periods=3, freq="M"),
                "wave": x + 1j,
            }
        )
    )
    np.testing.assert_array_equal(frame.column("sparse").values, x)
    with pytest.raises(DataError, match=r"'month' holds Period values, .* in row 0"):
        frame.column("month")
    with pytest.raises(DataError, match=r"'wave' holds complex128 values; use its real and imaginary part"):
        frame.column("wave")


def test_other_numbers_are_numbers() -> None:
    decimals = [Decimal("1.5"), None, Decimal("NaN")]
    np.testing.assert_array_equal(from_values("x", decimals).values, [1.5, np.nan, np.nan])
    table = pl.DataFrame({"x": pl.Series([1, None], dtype=pl.Decimal(10, 2)), "nothing": [None, None]})
    np.testing.assert_array_equal(read(table).column("x").values, [1.0, np.nan])
    assert read(table).column("nothing").missing.all()
    assert from_values("x", [None, None]).missing.all()
    assert from_values("x", np.array(["b", "a"])).levels == ("a", "b")
    assert from_values("x", np.array([True, False])).kind == "boolean"
    assert from_values("x", [pd.NA, pd.NaT, "a"]).missing.tolist() == [True, True, False]


def test_whole_numbers_of_polars_of_128_bits_are_numbers() -> None:
    series = pl.Series("x", [3, None, -5], dtype=pl.Int128)
    np.testing.assert_array_equal(read(pl.DataFrame({"x": series})).column("x").values, [3.0, np.nan, -5.0])


@pytest.mark.parametrize(
    "make",
    [
        pl.DataFrame,
        pa.table,
        lambda columns: pd.DataFrame({"x": pd.array(columns["x"], dtype="Int64")}),
        lambda columns: pd.DataFrame({"x": pd.array(columns["x"], dtype="int64[pyarrow]")}),
    ],
    ids=["polars", "pyarrow", "pandas", "pandas-arrow"],
)
def test_a_gap_takes_no_digits_of_whole_numbers(make: Any) -> None:
    with pytest.raises(DataError, match=f"row 2 holds {2**62 + 3}, which would become {2**62}"):
        read(make({"x": [2**62, None, 2**62 + 3]})).column("x")


def test_an_unknown_column_is_named_with_what_was_meant() -> None:
    frame = read({"claims": [1], "Region": [2]})
    with pytest.raises(
        FormulaError, match=r"no column 'claim'; did you mean 'claims'\? the columns are claims, Region"
    ):
        frame.column("claim")
    with pytest.raises(FormulaError, match="did you mean 'Region'"):
        frame.column("region")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"x": [1, 2], "y": [1]}, "column 'y' has 1 values and column 'x' has 2"),
        ({"x": 3}, "column 'x' is a single value, 3"),
        ({"x": "abc"}, "column 'x' is a single value, 'abc'"),
        ({1: [1], "1": [2]}, "two columns have the same name"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns have the same name.*'a'"),
        (pd.DataFrame([[1, 2]], columns=["1", 1]), "two columns have the same name, '1'"),
        (pa.table([[1], [2]], names=["a", "a"]), "two columns have the same name.*'a'"),
        ("data.csv", "data is a str; read the file, .* and give a pandas"),
        ([[1.0]], r"data is a list; make a table of it, pandas.DataFrame\(rows\)"),
        (np.zeros((2, 2)), "data is a ndarray; fit a matrix by GLM"),
        (pd.Series([1.0], name="x"), r"data is a Series; make it a table, series.to_frame\(\)"),
        (pa.record_batch([[1.0]], names=["x"]), r"data is a RecordBatch; .*Table.from_batches"),
        (pl.LazyFrame({"x": [1.0]}).select("z"), "the query behind the data fails: .*z"),
        (None, "data is a NoneType"),
    ],
)
def test_what_is_no_table_is_refused(data: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(data)


def test_names_that_are_no_text_are_read_as_text() -> None:
    frame = read(pd.DataFrame([[1, 2]], columns=[0, "a"]))
    assert frame.names == ("0", "a")
    assert frame.column("0").values.tolist() == [1]
    assert read(frame) is frame


def test_a_keyword_takes_a_name_or_an_array_of_the_right_length() -> None:
    frame = read({"x": [1.0, 2.0], "e": [3.0, 4.0]})
    assert frame.keyword("exposure", "e").values.tolist() == [3.0, 4.0]
    for values in ([5, 6], np.array([5, 6]), pd.Series([5, 6], index=[7, 8]), pl.Series([5, 6]), (5, 6)):
        assert frame.keyword("exposure", values).values.tolist() == [5, 6]
    with pytest.raises(DataError, match="exposure has 3 values and the data have 2 rows"):
        frame.keyword("exposure", [1, 2, 3])
    with pytest.raises(FormulaError, match="exposure='ee': there is no such column; did you mean 'e'"):
        frame.keyword("exposure", "ee")
    with pytest.raises(DataError, match=r"'exposure' is a single value, 2\.0"):
        frame.keyword("exposure", 2.0)


def test_tables_are_answered_in_the_library_that_came_in() -> None:
    answer = {"term": ["a", "b"], "estimate": np.array([1.0, 2.0])}
    for data in (pd.DataFrame({"x": [1]}), pl.DataFrame({"x": [1]}), pa.table({"x": [1]}), {"x": [1]}):
        table = read(data).native_table(answer)
        assert type(table) is type(data)
        assert [float(value) for value in np.asarray(table["estimate"])] == [1.0, 2.0]
    assert pl.DataFrame(answer).equals(read(pl.DataFrame({"x": [1]})).native_table(answer))


class Plain:
    """A table of pandas without the door that hands over the array behind a column."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    def __getattr__(self, name: str) -> Any:
        if name == "_get_column_array":
            raise AttributeError(name)
        return getattr(self.table, name)


def test_columns_of_pandas_are_the_same_as_arrays_and_as_series() -> None:
    table = pd.DataFrame(
        {
            "n": [1.0, None, 3.0],
            "i": [1, 2, 3],
            "b": [True, False, True],
            "c": pd.Categorical(["y", None, "x"], ["y", "x"], ordered=True),
            "t": ["u", "v", "u"],
        }
    )
    frame = read(table)
    series = replace(frame, source=replace(frame.source, data=Plain(table)), read_already={})  # type: ignore[type-var]
    for name in frame.names:
        one, other = frame.column(name), series.column(name)
        assert (one.kind, one.levels, one.ordered) == (other.kind, other.levels, other.ordered)
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_array_equal(one.missing, other.missing)


def test_a_name_that_is_missing_is_read_as_its_text() -> None:
    table = pd.DataFrame([[1.0, 2.0]], columns=pd.Index(["x", None], dtype="str"))
    assert read(table).names == ("x", "nan")
