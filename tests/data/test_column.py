"""Columns: numbers as they lie, codes into levels, what is missing, and what no model can use."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etamu._base.errors import DataError
from etamu.data.column import boolean, coded, ends_of, from_values, is_missing, numeric, refuse_rounded, text


def decoded(column) -> list[str | None]:
    return [None if code < 0 else column.levels[code] for code in column.codes.tolist()]


@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), max_size=12))
def test_text_decodes_to_what_was_coded(values) -> None:
    column = text("x", values)
    assert decoded(column) == values
    assert list(column.levels) == sorted(set(values) - {None})
    absent = [value is None for value in values]
    assert (column.missing is None) == (not any(absent))
    if column.missing is not None:
        assert column.missing.tolist() == absent
    assert len(column) == len(values)


def test_text_sorts_by_code_point_and_keeps_the_empty_string() -> None:
    assert text("x", ["é", "z", "Z", "", "10", "9"]).levels == ("", "10", "9", "Z", "z", "é")


def test_numbers_are_kept_as_they_lie() -> None:
    for dtype in (np.float32, np.float64, np.int8, np.uint16):
        values = np.array([3, 1, 2], dtype=dtype)
        column = from_values("x", values)
        assert column.values is values
        assert column.missing is None
        assert column.integer == (values.dtype.kind in "iu")


def test_nan_and_null_are_missing_and_infinity_is_not() -> None:
    values = np.array([1.0, np.nan, np.inf, -np.inf])
    assert numeric("x", values).missing.tolist() == [False, True, False, False]
    null = np.array([True, False, False, False])
    assert numeric("x", values, null).missing.tolist() == [True, True, False, False]
    whole = np.array([1, 2, 3, 4])
    assert numeric("x", whole, null).missing.tolist() == null.tolist()
    assert numeric("x", whole, np.zeros(4, dtype=bool)).missing is None


@pytest.mark.parametrize("n", [0, 1, 7, 31, 32, 33, 64, 1000])
@pytest.mark.parametrize("step", [1, 2], ids=["in one piece", "every second"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_ends_are_the_least_and_the_largest_and_nan_wherever_one_is(n, step, dtype) -> None:
    values = np.random.default_rng(n).standard_normal(n * step).astype(dtype)[::step]
    assert ends_of(values) == (values.min(initial=np.inf), values.max(initial=-np.inf))
    for place in {0, n // 2, n - 1} if n else ():
        for odd in (np.inf, -np.inf):
            other = values.copy()
            other[place] = odd
            assert ends_of(other) == (other.min(), other.max())
        gap = values.copy()
        gap[place] = np.nan
        assert np.isnan(ends_of(gap)).all()
        assert numeric("x", gap).missing[place]


def test_numbers_are_known_to_be_finite_where_somebody_looked() -> None:
    assert numeric("x", np.array([1.0, 2.0])).finite
    assert numeric("x", np.array([1, 2])).finite
    assert not numeric("x", np.array([1.0, np.inf])).finite
    assert not numeric("x", np.array([1.0, np.nan])).finite
    assert coded("g", np.array([0, 1]), ["a", "b"], ordered=False).finite
    assert not coded("g", np.array([0, -1]), ["a", "b"], ordered=False).finite


def test_truth_values_are_codes_of_false_and_true() -> None:
    column = from_values("b", [True, None, False, np.True_])
    assert (column.kind, column.levels) == ("boolean", ("False", "True"))
    assert decoded(column) == ["True", None, "False", "True"]
    plain = boolean("b", np.array([False, True]), np.array([False, False]))
    assert plain.missing is None
    assert plain.codes.tolist() == [0, 1]


def test_declared_categories_keep_their_order_and_negative_codes_are_missing() -> None:
    codes = np.array([2, -1, 0], dtype=np.int8)
    column = coded("g", codes, ["low", 5, "high"], ordered=True)
    assert column.levels == ("low", "5", "high")
    assert column.ordered
    assert decoded(column) == ["high", None, "low"]
    assert codes.tolist() == [2, -1, 0]
    with pytest.raises(DataError, match="column 'g' has two categories that read the same, '5'; rename"):
        coded("g", codes, ["5", "a", 5], ordered=False)


@pytest.mark.parametrize(
    ("values", "integer", "expected"),
    [
        ([1, 2, 3], True, [1.0, 2.0, 3.0]),
        ([1, None, 3], True, [1.0, np.nan, 3.0]),
        ([1, 2.5], False, [1.0, 2.5]),
        ([Decimal("0.5"), Fraction(1, 4), np.float32(2)], False, [0.5, 0.25, 2.0]),
        ([Decimal("NaN"), 1], True, [np.nan, 1.0]),
        ([None, None], False, [np.nan, np.nan]),
        ([], False, []),
        ([pd.NA, pd.NaT, 4], True, [np.nan, np.nan, 4.0]),
    ],
    ids=["whole", "gap", "mixed", "exact", "decimal nan", "nothing", "empty", "pandas"],
)
def test_python_numbers_become_float64_with_gaps_as_nan(values, integer, expected) -> None:
    column = from_values("x", values)
    assert column.kind == "numeric"
    np.testing.assert_array_equal(column.values, np.array(expected))
    assert column.integer == integer
    gaps = np.isnan(np.array(expected, dtype=float))
    assert (column.missing is None) == (not gaps.any())


@pytest.mark.parametrize(
    ("value", "missing"),
    [
        (None, True),
        (float("nan"), True),
        (np.float32("nan"), True),
        (Decimal("NaN"), True),
        (pd.NaT, True),
        (pd.NA, True),
        (float("inf"), False),
        (0, False),
        ("", False),
        ("nan", False),
        (False, False),
    ],
    ids=["None", "nan", "nan32", "decimal", "NaT", "NA", "infinity", "zero", "empty", "word", "False"],
)
def test_what_stands_for_a_missing_value(value, missing) -> None:
    assert is_missing(value) is missing


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 2, "a"], r"mixes numbers and text: row 2 holds 'a'; make the column all"),
        ([None, "a", True], r"mixes text and truth values: row 2 holds True"),
        ([True, 1], r"mixes truth values and numbers: row 1 holds 1"),
        ([None, dt.date(2020, 1, 2)], r"holds date values, .* in row 1; turn it into a number"),
        ([None, b"a"], r"holds bytes values, b'a' in row 1; decode it to text"),
        ([2j, 1j], r"holds complex values, 2j in row 0; use its real and imaginary part"),
        ([dt.timedelta(3)], "turn it into a number, such as days"),
        ([[1.0], [2.0]], r"holds list values, \[1.0\] in row 0; give one number or text per row"),
        ([{1}], r"holds set values, \{1\} in row 0; use numbers or text"),
        (np.zeros((3, 1)), r"shape \(3, 1\); give one value per row: it is one column, values.ravel\(\)"),
        (np.zeros((3, 2)), r"shape \(3, 2\); .* y=successes with trials=successes \+ failures"),
        (np.array(["2020-01-02"], dtype="M8[D]"), r"turn it into a number \(days since a date\)"),
        (np.array([3], dtype="m8[D]"), "turn it into a number, such as days"),
        (np.array([1j]), "use its real and imaginary part"),
        (np.array([b"a"]), "decode it to text"),
        (np.zeros(1, dtype=[("a", float)]), "use numbers or text"),
        (np.zeros((2, 3)), r"has 2 dimensions, shape \(2, 3\); give one value per row"),
        (np.ma.masked_array([1.0], [True]), "is a masked array; fill it with NaN first"),
        ("abc", "is a single value, 'abc'"),
        (3.0, "is a single value, 3.0"),
    ],
    ids=[
        "late",
        "late-gap",
        "bool",
        "date",
        "bytes",
        "complex",
        "days",
        "nested",
        "set",
        "one-column",
        "two-columns",
        "M",
        "m",
        "c",
        "S",
        "V",
        "matrix",
        "masked",
        "text",
        "scalar",
    ],
)
def test_what_no_model_can_use_is_refused_with_a_remedy(values, words) -> None:
    with pytest.raises(DataError, match=f"column 'x'.*{words}"):
        from_values("x", values)


def test_a_value_is_shown_as_the_user_wrote_it() -> None:
    assert from_values("x", [6, None]).shown(0) == "6"
    assert from_values("x", [6, None]).shown(1) == "missing"
    assert from_values("x", [6.5, 1]).shown(0) == "6.5"
    assert from_values("x", ["b", "a"]).shown(0) == "'b'"
    assert from_values("x", np.array([False])).shown(0) == "'False'"


def test_text_of_every_array_type_reads_as_a_list_does() -> None:
    words = ["b", "a", "b"]
    for array in (np.array(words), np.array(words, dtype=object), np.array(words, dtype="T")):
        column = from_values("x", array)
        assert (column.kind, column.levels, column.codes.tolist()) == ("text", ("a", "b"), [1, 0, 1])


@pytest.mark.parametrize(
    ("values", "row"),
    [([1, 10**400], 1), ([None, 1.5, 10**400], 2), ([Fraction(10**400), 2], 0), ([True + 0, -(10**400)], 1)],
    ids=["whole", "with-a-gap", "fraction", "negative"],
)
def test_a_number_beyond_double_precision_is_refused_by_its_row(values, row) -> None:
    with pytest.raises(DataError, match=rf"'x' holds a number in row {row} that is larger than any double"):
        from_values("x", values)
    with pytest.raises(DataError, match=rf"row {row}"):
        from_values("x", np.array(values, dtype=object))


def test_extended_precision_is_read_in_double_and_too_large_a_number_as_infinite() -> None:
    column = from_values("x", np.array([1.5, 2.0], dtype=np.longdouble) * np.longdouble("1e300"))
    assert column.values.dtype == np.float64
    if np.finfo(np.longdouble).maxexp > 1024:
        far = from_values("x", np.array([1.5, 2.0], dtype=np.longdouble) * np.longdouble("1e400"))
        assert np.all(np.isinf(far.values))


FAR = 2**62
LONG = {
    "a sequence": ([FAR, FAR + 1, FAR + 2], 1),
    "a gap first": ([None, FAR, FAR + 3], 2),
    "beyond 64 bits": ([10**20, 10**20 + 1, 10**20 + 2], 1),
    "below zero": ([-FAR, -FAR - 7, -FAR], 1),
}


@pytest.mark.parametrize("name", LONG)
def test_whole_numbers_that_doubles_would_move_are_refused_where_they_are_used_as_numbers(name) -> None:
    values, row = LONG[name]
    words = rf"'x' holds whole numbers too large for double precision: row {row} holds {values[row]}, which"
    with pytest.raises(DataError, match=words):
        from_values("x", values)
    if None not in values and max(map(abs, values)) < 2**63:
        column = from_values("x", np.array(values))  # as they lie: clusters may be named so
        with pytest.raises(DataError, match=words):
            refuse_rounded("x", column.values)


@pytest.mark.parametrize(
    "values",
    [
        [FAR + 5] * 3,
        [FAR + 4096 * step for step in range(3)],
        [1_700_000_000_000_000_007 + 10**13 * step for step in range(3)],
        [7919 * 2**50 * step + 3 for step in range(1, 4)],
        [2**53, 2**53 - 1],
    ],
    ids=["constant", "doubles", "nanoseconds", "hashes", "the last of all"],
)
def test_whole_numbers_that_doubles_hold_or_hardly_move_are_numbers(values) -> None:
    refuse_rounded("x", np.array(values, dtype=object))
    assert from_values("x", values).kind == "numeric"
