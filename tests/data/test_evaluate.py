"""Expressions over the rows in use: the numbers Python gives, and a name for whatever is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from etamu._base.errors import DataError, FormulaError
from etamu.data.evaluate import (
    Rows,
    check_finite,
    evaluate,
    kind_of_number,
    literal,
    names_in,
    numbers_of,
    rows_in_use,
    settle_transforms,
)
from etamu.data.expression import Expression, Flag, Number, Text, parse_expression
from etamu.data.frame import read
from etamu.data.functions import canonical

DATA = {
    "x": np.array([1.0, -2.0, 3.5, 0.5]),
    "y": np.array([2.0, 4.0, -1.0, 0.25]),
    "k": np.array([3, 1, 2, 0]),
    "b": np.array([True, False, True, True]),
    "g": ["u", "v", None, "u"],
    "gap": np.array([1.0, np.nan, 3.0, 4.0]),
}


def expression(text: str) -> Expression:
    return parse_expression(text, canonical).expression


def rows(keep: Any = None, data: Any = DATA) -> Rows:
    return rows_in_use(read(data), None if keep is None else np.array(keep, dtype=bool))


def value(text: str, keep: Any = None) -> np.ndarray:
    return evaluate(expression(text), rows(keep), {})


@pytest.mark.parametrize(
    "text",
    [
        "x + y * k",
        "-x ** 2 / y",
        "x // y - k % 2",
        "(x > 0) & ~(y <= 1) | (k == 2)",
        "(x != y) * 1 + (x >= 1) + (x < k)",
        "abs(x) + sqrt(square(y)) - np.exp(x)",
        "where(b, x, y) + clip(k, 1, 2)",
        "b * 2 + True",
        "+k - 3",
    ],
)
def test_numbers_are_those_of_python_on_arrays(text) -> None:
    words = {name: values for name, values in DATA.items() if name not in {"g", "gap"}}
    words |= {
        "np": np,
        "abs": np.abs,
        "sqrt": np.sqrt,
        "square": np.square,
        "where": np.where,
        "clip": np.clip,
    }
    out = value(text)
    assert out.dtype == np.float64
    np.testing.assert_allclose(out, np.asarray(eval(text, {}, words), dtype=float), rtol=1e-15)


def test_rows_out_of_use_are_neither_computed_nor_looked_at() -> None:
    keep = [True, False, True, False]
    np.testing.assert_array_equal(value("gap + x", keep), [2.0, 6.5])
    np.testing.assert_array_equal(value("2", keep), [2.0, 2.0])
    used = rows(keep)
    assert len(used) == 2
    assert [used.position(row) for row in range(2)] == [0, 2]
    with pytest.raises(DataError, match="column 'gap' is missing in row 1; fill it in or leave the row out"):
        value("gap", [False, True, True, True])


def test_a_mask_of_all_rows_is_no_mask_and_copies_nothing() -> None:
    whole = rows([True] * 4)
    assert whole.keep is None
    assert np.shares_memory(numbers_of("x", whole), DATA["x"])
    with pytest.raises(DataError, match="the mask of rows has 2 entries and the data have 4 rows"):
        rows([True, False])


def test_text_is_compared_and_a_level_nobody_has_equals_nothing() -> None:
    keep = [True, True, False, True]
    np.testing.assert_array_equal(value("g == 'u'", keep), [1, 0, 1])
    np.testing.assert_array_equal(value("'u' != g", keep), [0, 1, 0])
    np.testing.assert_array_equal(value("g == 'nobody'", keep), [0, 0, 0])
    np.testing.assert_array_equal(value("g != 'nobody'", keep), [1, 1, 1])
    np.testing.assert_array_equal(value("b == 'True'"), [1, 0, 1, 1])


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("g + 1", DataError, r"column 'g' holds text where numbers belong: row 1 is 'v'; .* C\(g\)"),
        ("c", DataError, r"column 'c' holds categories where numbers belong: row 1 is 'q'"),
        ("x == 'u'", DataError, "column 'x' holds numbers, not text"),
        ("x + 1 == 'u'", FormulaError, "only a column can be compared with text"),
        ("x & b", FormulaError, "x & b: x is neither true nor false"),
        ("~x", FormulaError, "x is neither true nor false"),
        ("log('a')", FormulaError, "the text 'a' stands where a number belongs"),
        ("[1, 2]", FormulaError, "a vector stands where a number belongs"),
        ("None", FormulaError, "a flag stands where a number belongs"),
        ("C(x)", FormulaError, r"C\(x\) stands where a number belongs; C makes none"),
        ("sqrt(x, y)", FormulaError, r"sqrt takes 1 arguments, not 2"),
        ("log(x, 2, 3)", FormulaError, "log takes 1 to 2 arguments, not 3"),
        ("round(x, y)", FormulaError, r"round\(x, y\) cannot be computed"),
        ("I(x, y)", FormulaError, "I takes one argument"),
    ],
)
def test_what_makes_no_number_is_named(text, error, words) -> None:
    data = DATA | {"c": pd.Series(pd.Categorical(["p", "q", "p", "p"]))}
    with pytest.raises(error, match=words):
        evaluate(expression(text), rows([False, True, False, True], data), {})


def test_names_come_once_in_order_and_contrasts_are_no_columns() -> None:
    assert names_in(expression("log(b + a) * b - bs(z, df=3)")) == ("b", "a", "z")
    assert names_in(expression("C(g, contr.sum)")) == ("g",)
    assert names_in(expression("3 + 'x'")) == ()


def test_transforms_settle_innermost_first_on_every_row_where_they_are_present() -> None:
    data = DATA | {"x": np.array([1.0, 5.0, 3.0, 11.0])}
    states: dict[str, Any] = {}
    part = expression("center(gap) + center(scale(x))")
    settle_transforms(part, read(data), states)
    assert sorted(states) == ["center(gap)", "center(scale(x))", "scale(x)"]
    keep = [True, False, False, True]
    out = evaluate(part, rows(keep, data), states)
    x = data["x"]
    expected = DATA["gap"] - np.nanmean(DATA["gap"]) + (x - x.mean()) / x.std(ddof=1)
    np.testing.assert_allclose(out, expected[keep], atol=1e-14)
    before = dict(states)
    settle_transforms(part, read(data | {"x": x * 2}), states)
    assert states == before  # what is settled stays


def test_a_basis_has_columns_and_is_nothing_to_compute_with() -> None:
    states: dict[str, Any] = {}
    settle_transforms(expression("poly(x, 2)"), read(DATA), states)
    columns = evaluate(expression("poly(x, 2)"), rows(), states)
    np.testing.assert_allclose(columns.T @ columns, np.eye(2), atol=1e-13)
    with pytest.raises(FormulaError, match=r"poly\(x, 2\) has several columns and can only be a term"):
        evaluate(expression("poly(x, 2) + 1"), rows(), states)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("poly(b, 2)", DataError, r"poly\(b, 2\): poly\(x, degree=2\): x has 2 distinct values"),
        ("bs(x, df=k)", FormulaError, "k must be written out as numbers or text"),
        ("bs(x, odd=3)", FormulaError, r"bs\(x, odd=3\): bs: there is no argument 'odd'"),
        ("poly()", FormulaError, "poly needs the variable first"),
        ("scale(log(x))", DataError, r"scale\(log\(x\)\) is nan in row 1, where x = -2.0"),
    ],
)
def test_transforms_that_cannot_settle_say_which(text, error, words) -> None:
    with pytest.raises(error, match=words):
        settle_transforms(expression(text), read(DATA), {})


def test_values_that_are_not_finite_are_named_by_row_of_the_input() -> None:
    used = rows([False, True, True, True])
    bad = np.array([[1.0, 2.0], [3.0, np.inf], [np.nan, 0.0]])
    with pytest.raises(
        DataError, match=r"^column 'x' is inf in row 2; correct the value or leave the row out"
    ):
        check_finite(bad, expression("x"), "x", used)
    with pytest.raises(DataError, match=r"^label is inf in row 2, where k = 2, y = -1.0; correct the value"):
        check_finite(bad, expression("k / y"), "label", used)
    with pytest.raises(DataError, match=r"^label is nan in every row; correct it"):
        check_finite(np.full(3, np.nan), Number(1.0), "label", used)
    assert check_finite(bad[:1], expression("x"), "x", used) is None


def test_literals_are_the_plain_values_written() -> None:
    plain = literal(expression("{'a': [1, 2.0, 'u'], 'b': [True, None, -3]}"))
    assert plain == {"a": [1, 2.0, "u"], "b": [True, None, -3]}
    assert [type(item) for item in plain["a"]] == [int, float, str]
    assert (literal(Text("t")), literal(Flag(None))) == ("t", None)
    for text in ("x", "x + 1"):
        with pytest.raises(FormulaError, match="must be written out as numbers or text"):
            literal(expression(text))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *(("k", "integer"), ("x", "float"), ("b", "boolean"), ("k + 1", "integer"), ("k + 1.0", "float")),
        *(("k / 2", "float"), ("k % 2", "integer"), ("x > 1", "boolean"), ("b & b", "boolean")),
        *(("I(k * 2)", "integer"), ("I(x > 2)", "boolean"), ("abs(k)", "integer"), ("abs(x)", "float")),
        *(("floor(k)", "float"), ("maximum(k, 2)", "integer"), ("maximum(k, x)", "float")),
    ],
)
def test_the_kind_of_a_number_is_that_of_what_it_is_made_of(text, kind) -> None:
    assert kind_of_number(expression(text), read(DATA)) == kind
