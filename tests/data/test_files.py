"""A file is read the same way whatever is installed: numbers to the last bit, text as it stands."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import etamu as em
from etamu.data import files, lines
from etamu.data.files import MISSING, column_values, read_file, write_csv, write_file
from etamu.data.frame import Frame

READERS = ["polars", "csv"]


@pytest.fixture(params=READERS)
def reader(request, monkeypatch) -> str:
    """Polars where it is installed, and Python's own csv module."""
    choose(request.param, monkeypatch)
    return request.param


def choose(name: str, monkeypatch: Any) -> None:
    if name == "polars":
        pytest.importorskip("polars")
    else:
        monkeypatch.setattr(files, "first_installed", lambda *_: None)


def read(folder: Path, text: str | bytes) -> Frame:
    (folder / "t.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    return read_file(folder / "t.csv")


def test_kinds_are_told_by_all_values_of_a_column(reader, tmp_path):
    frame = read(
        tmp_path,
        "a,b,c,d,e,f,g,h\n1,1.5,x,TRUE,1,,1_0,2\n2,1e-3,NA,FALSE,NA,,٣, 3\n-3,inf,,TRUE,3,,4,+4\n",
    )
    kinds = {name: frame.column(name).kind for name in frame.names}
    assert kinds == {
        "a": "numeric", "b": "numeric", "c": "text", "d": "boolean", "e": "numeric", "f": "numeric",
        "g": "text", "h": "numeric",
    }  # fmt: skip
    assert [frame.column(name).integer for name in "abeh"] == [True, False, True, True]
    np.testing.assert_array_equal(frame.column("b").values, [1.5, 1e-3, math.inf])
    np.testing.assert_array_equal(frame.column("e").values, [1, math.nan, 3])
    np.testing.assert_array_equal(frame.column("e").missing, [False, True, False])
    np.testing.assert_array_equal(frame.column("h").values, [2, 3, 4])
    assert frame.column("c").missing.tolist() == [False, True, True]
    assert frame.column("f").missing.all()


def test_quotes_separators_line_ends_and_names(reader, tmp_path):
    frame = read(tmp_path, '\ufeff"Solar.R", größe (m) ,"a,b"\r\n"1",x,"he said ""hi"""\r\n2,"y\r\nz",\r\n')
    assert frame.names == ("Solar.R", "größe (m)", "a,b")
    assert frame.column("größe (m)").levels == ("x", "y\r\nz")
    assert frame.column("a,b").levels == ('he said "hi"',)
    for separator in ";\t|":
        frame = read(tmp_path, f"a{separator}b\n1{separator}2,5\n")
        assert frame.names == ("a", "b")
        assert frame.column("b").levels == ("2,5",)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_blank_lines_between_rows_of_several_fields_are_none(reader, end, tmp_path):
    frame = read(tmp_path, 'a,b\n1,2\n\n3,"x\n\ny"\n\n4,5\n\n\n'.replace("\n", end))
    assert column_values(frame, "a") == [1, 3, 4]
    assert frame.column("b").levels == ("2", "5", f"x{end}{end}y")
    assert len(read(tmp_path, "a,b\n")) == 0
    assert read(tmp_path, "a,\n1,2\n").names == ("a", "column_2")


def test_a_blank_line_of_one_column_is_a_missing_value(reader, tmp_path):
    assert column_values(read(tmp_path, "a\n1\n\n4\n"), "a") == [1, None, 4]


def test_lines_are_followed_from_piece_to_piece(monkeypatch, tmp_path):
    rows = [(f"{row}", '"q\n""z"' if row % 7 == 0 else "p" * (row % 5), "") for row in range(60)]
    text = "a,b,c\n" + "".join(",".join(row) + ("\n\n" if int(row[0]) % 11 == 0 else "\n") for row in rows)
    (tmp_path / "t.csv").write_text(text)
    whole = lines.blank_lines(tmp_path / "t.csv", 3, ",")
    assert whole is not None
    assert (len(whole), whole.sum()) == (66, 6)
    for size in range(1, 40):
        monkeypatch.setattr(lines, "BYTES", size)
        np.testing.assert_array_equal(lines.blank_lines(tmp_path / "t.csv", 3, ","), whole)
    monkeypatch.setattr(lines, "LONGEST", 100)
    assert lines.blank_lines(tmp_path / "t.csv", 3, ",") is not None
    (tmp_path / "t.csv").write_text("a\n" + "1" * 200)
    assert lines.blank_lines(tmp_path / "t.csv", 1, ",") is None


@pytest.mark.parametrize("name", ["t.xlsx", "t.json", "t.csv.gz"])
def test_no_table_is_written_under_a_name_of_something_else(name, tmp_path):
    with pytest.raises(em.FileError, match=r"call it .csv or .parquet"):
        write_file(tmp_path / name, {"x": np.ones(2)})


def test_an_address_is_no_file():
    with pytest.raises(em.FileError, match="is an address, not a file"):
        read_file("https://example.org/t.csv")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", em.FileError, "t.csv: is empty"),
        ("\n1,2\n", em.FileError, "line 1 is empty"),
        ("a,b\n1,2\n1,2,3\n", em.FileError, "line 3 has 3 fields and the header 2: put text"),
        ("a,b\n1,2\n\n3\n", em.FileError, "line 4 has 1 field and the header 2: a field that is missing"),
        ('a,b\n1,"2\n3"\n3', em.FileError, "line 4 has 1 field"),
        ("a,b\r1,2\r3\r", em.FileError, "line 3 has 1 field"),
        ('a,b\n1,"2\n', em.FileError, "line 2: unexpected end of data"),
        ("a,a\n1,2\n", em.DataError, "two columns have the same name, 'a'"),
        ("a,b\n1,b\xe4\n".encode("latin1"), em.FileError, "is no UTF-8 text.*iconv"),
        ("a,b\n1,2\n".encode("utf-16"), em.FileError, "is UTF-16: .*iconv -f utf-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), em.FileError, "line 1 holds a NUL byte: .* is UTF-16"),
        ("a,b\n1,2\n1,2\0\n", em.FileError, "line 3 holds a NUL byte: the file is damaged"),
        (
            "a,b\n1,10000000000000000001\n1,10000000000000000002\n",
            em.DataError,
            "too large for double precision",
        ),
        (b"PK\x03\x04rest", em.FileError, "perhaps a spreadsheet: save it as CSV"),
        (b"\x1f\x8brest", em.FileError, "is compressed: give gzip -dc"),
        (b'{"a": 1}', em.FileError, "is JSON, not a table"),
        (b'[{"a": 1}]', em.FileError, "is JSON, not a table"),
        (b"ARROW1\0\0", em.FileError, "save it as Parquet"),
        (b"<html><body>", em.FileError, "is a document"),
        (b"BZh91AY", em.FileError, "expand it first"),
        (b"PAR1nothing", em.FileError, "cannot be read as Parquet"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_cannot_be_read_is_said_by_file_and_line(text, error, message, tmp_path):
    for name in READERS:
        with pytest.MonkeyPatch.context() as patch:
            if text[:4] != b"PAR1":
                choose(name, patch)
            with pytest.raises(error, match=message) as caught:
                read(tmp_path, text).column("b")
            assert "\n" not in str(caught.value)


def test_a_file_called_parquet_that_is_none_is_said(tmp_path):
    (tmp_path / "t.parquet").write_text("a,b\n1,2\n")
    with pytest.raises(em.FileError, match="is no Parquet file"):
        read_file(tmp_path / "t.parquet")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.floats(allow_nan=False), min_size=1, max_size=30))
def test_floats_written_are_floats_read(values, tmp_path):
    for name in READERS:
        with pytest.MonkeyPatch.context() as patch:
            choose(name, patch)
            write_file(tmp_path / "t.csv", {"x": np.array(values)})
            found = read_file(tmp_path / "t.csv").column("x").values
            np.testing.assert_array_equal(found, values)


CELL = st.one_of(
    st.sampled_from(
        ["", "NA", "1", "007", "-2.5e3", "true", "inf", "nan", "x", '"q"', "1_0", " 1", "1 ", "+3"]
    ),
    st.text(alphabet='ab1.,;"\n\t é-', max_size=5),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6))
def test_both_readers_read_the_same(table, tmp_path):
    with (tmp_path / "t.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("first name", "b"), *table])
    found = []
    for name in READERS:
        with pytest.MonkeyPatch.context() as patch:
            choose(name, patch)
            frame = read_file(tmp_path / "t.csv")
            columns = [frame.column(each) for each in frame.names]
            found.append(
                [(one.kind, one.integer, one.levels, column_values(frame, one.name)) for one in columns]
            )
    assert str(found[0]) == str(found[1])
    expected = [None if row[1] in MISSING else row[1] for row in table]
    if found[0][1][0] == "text":
        assert found[0][1][3] == expected


def test_missing_values_are_written_as_nothing(tmp_path):
    with (tmp_path / "t.csv").open("w", newline="") as stream:
        write_csv(stream, {"x": np.array([0.1, math.nan]), "t": ["a,b", None]})
    assert (tmp_path / "t.csv").read_text() == 'x,t\n0.1,"a,b"\n,\n'


def test_parquet_keeps_categories(tmp_path):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"x": [1.5, None], "g": pd.Categorical(["b", "a"], ["b", "a"])})
    frame.to_parquet(tmp_path / "t.parquet")
    found = read_file(tmp_path / "t.parquet")
    assert found.column("g").levels == ("b", "a")
    assert column_values(found, "x") == [1.5, None]


def test_floats_too_large_for_whole_numbers_are_floats(reader, tmp_path):
    frame = read(tmp_path, "a,b,c\n1e300,123456789012345678901234567890,18446744073709551616\n2,1,NA\n")
    assert frame.column("a").values.tolist() == [1e300, 2.0]
    assert frame.column("b").values.tolist() == [1.2345678901234568e29, 1.0]
    assert frame.column("c").values[0] == 2.0**64
