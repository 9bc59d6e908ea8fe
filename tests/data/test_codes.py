"""Texts become codes, compiled or not, and codes keep the integers they come in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from etamu._base.kernel import kernel
from etamu.data import codes
from etamu.data.column import from_values
from etamu.data.frame import read

WAYS = [
    pytest.param(None, id="twin"),
    pytest.param(kernel, id="compiled", marks=pytest.mark.skipif(kernel is None, reason="not compiled")),
]


@pytest.fixture(params=WAYS)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "kernel", request.param)


def objects(items: list[Any]) -> np.ndarray[Any, Any]:
    out = np.empty(len(items), dtype=object)
    out[:] = items
    return out


def fresh(text: str) -> str:
    """Make a string object that no other row shares."""
    return f"{text}!"[:-1]


TEXTS = [
    ["b", "a", None, "b", float("nan"), "a"],
    [fresh("level") + str(i % 7) for i in range(500)],
    ["", "é", "e\u0301", "日本", "😀", "\x00", "a\x00b", "a"],
    [],
    [None, None],
    [str(i) for i in range(5_000)],
]


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("items", TEXTS, ids=["gaps", "fresh", "scripts", "empty", "nothing", "many"])
def test_texts_are_numbered_as_they_come(items: list[Any]) -> None:
    found = codes.distinct_texts(objects(items))
    assert found is not None
    numbers, levels = found
    assert levels == list(dict.fromkeys(item for item in items if isinstance(item, str)))
    assert [levels[code] if code >= 0 else None for code in numbers] == [
        item if isinstance(item, str) else None for item in items
    ]


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize(
    "odd", [1, 2.5, pd.NA, b"a", ("a",), ["a"], np.str_("a")], ids=lambda odd: type(odd).__name__
)
def test_anything_else_among_texts_is_left_to_the_reader(odd: Any) -> None:
    assert codes.distinct_texts(objects(["a", None, odd])) is None


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("step", [1, 2, -1])
def test_fixed_width_texts_and_strides(step: int) -> None:
    values = np.array(["bb", "a", "", "bb", "日本", "a"])[::step]
    numbers, levels = codes.distinct_texts(values) or (None, None)
    assert levels == list(dict.fromkeys(values.tolist()))
    assert numbers is not None
    assert_array_equal(np.array(levels)[numbers], values)


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u4"])
def test_codes_of_any_integers_are_renumbered_and_counted(dtype: str) -> None:
    given = np.array([2, 0, 2, 1], dtype=dtype)
    out = codes.relabelled(given, np.array([1, 0, -1], dtype=np.int8))
    assert out.tolist() == [-1, 1, -1, 0]
    assert out.dtype == np.int8
    assert codes.levels_seen(given[:3], 4).tolist() == [True, False, True, False]
    assert codes.levels_seen(given, 4, given == 1).tolist() == [False, True, False, False]
    assert codes.absent(given) is None


@pytest.mark.usefixtures("_way")
def test_missing_stays_missing() -> None:
    given = np.array([0, -1, 1], dtype=np.int16)
    assert codes.relabelled(given, np.array([300, 7], dtype=np.int16)).tolist() == [300, -1, 7]
    assert codes.levels_seen(given, 2).all()
    missing = codes.absent(given)
    assert missing is not None
    assert missing.tolist() == [False, True, False]


@pytest.mark.skipif(kernel is None, reason="not compiled")
def test_codes_beyond_the_levels_are_refused() -> None:
    with pytest.raises(IndexError, match="beyond the levels"):
        codes.relabelled(np.array([5]), np.array([0], dtype=np.int8))
    with pytest.raises(IndexError, match="beyond the levels"):
        codes.levels_seen(np.array([5]), 2)


@pytest.mark.usefixtures("_way")
@given(
    items=st.lists(st.sampled_from(["a", "b", "日", None, float("nan")]) | st.text(max_size=3), max_size=40)
)
def test_levels_are_sorted_by_code_point(items: list[Any]) -> None:
    column = from_values("x", objects([*items, "z"]))
    assert list(column.levels) == sorted({item for item in [*items, "z"] if isinstance(item, str)})
    shown = [column.levels[code] if code >= 0 else None for code in column.codes]
    assert shown == [item if isinstance(item, str) else None for item in [*items, "z"]]


def test_codes_of_a_library_are_not_copied() -> None:
    pandas = pd.Series(pd.Categorical(["b", "a", "b"]))
    column = read(pd.DataFrame({"g": pandas}, copy=False)).column("g")
    assert column.codes.dtype == np.int8
    arrow = pa.array(["b", "a", "b"]).dictionary_encode()
    column = read(pa.table({"g": arrow})).column("g")
    assert np.shares_memory(column.codes, arrow.indices.to_numpy())
    enum = pl.Series("g", ["b", "a", "b"], dtype=pl.Enum(["a", "b"]))
    assert read(pl.DataFrame([enum])).column("g").codes.dtype == np.uint8
    flags = np.array([True, False])
    assert np.shares_memory(from_values("f", flags).codes, flags)


TABLES = {
    "object": lambda items: pd.DataFrame({"g": pd.Series(items, dtype=object)}),
    "str": lambda items: pd.DataFrame({"g": pd.Series(items, dtype="str")}),
    "string[python]": lambda items: pd.DataFrame({"g": pd.Series(items, dtype="string[python]")}),
    "string[pyarrow]": lambda items: pd.DataFrame({"g": pd.Series(items, dtype="string[pyarrow]")}),
    "ArrowDtype": lambda items: pd.DataFrame({"g": pd.Series(items, dtype=pd.ArrowDtype(pa.string()))}),
    "polars": lambda items: pl.DataFrame({"g": items}),
    "polars categorical": lambda items: pl.DataFrame({"g": pl.Series(items, dtype=pl.Categorical)}),
    "arrow": lambda items: pa.table({"g": items}),
    "arrow chunks": lambda items: pa.table({"g": pa.chunked_array([items[:2], items[2:]])}),
    "list": lambda items: {"g": items},
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("items", [["b", None, "a", "b", "ä"], ["z", "y", "y"]], ids=["gaps", "full"])
def test_text_of_every_table_reads_alike(kind: str, items: list[str | None]) -> None:
    column = read(TABLES[kind](items)).column("g")
    assert column.kind == "text"
    assert column.levels == tuple(sorted({item for item in items if item is not None}))
    assert [column.levels[code] if code >= 0 else None for code in column.codes] == items
    assert (column.missing is None) == (None not in items)
    assert column.codes.dtype.itemsize == 1
