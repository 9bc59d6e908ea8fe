"""Data keywords: what is read, what is refused and in which words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from etamu._base.errors import DataError, OptionError
from etamu.data.column import Column, boolean, from_values
from etamu.data.frame import read
from etamu.family import families, links
from etamu.family.unit import Unit
from etamu.fit.inputs import (
    Keywords,
    columns_of,
    numbers,
    offset_from,
    offset_of,
    refuse,
    trials_from,
    trials_of,
    weights_from,
    whole_tolerance,
)

LOG = Unit(families.Poisson(), links.Log())
IDENTITY = Unit(families.Gaussian(), links.Identity())
ALL = np.ones(3, dtype=bool)
NAN = float("nan")


def column(*values: Any, name: str = "") -> Column:
    return from_values(name, list(values))


def test_keywords_given_are_those_that_are_not_none_even_if_empty_or_zero() -> None:
    words = Keywords(offset=0, exposure="years", trials=[], sampling_weights=None)
    assert words.given() == {"offset": 0, "exposure": "years", "trials": []}
    assert Keywords().given() == {}


def test_a_keyword_is_a_name_or_an_array_never_both() -> None:
    words = Keywords(offset="o", exposure=[1.0], variance_weights="w", frequency_weights=np.ones(2))
    assert words.arrays() == ("exposure", "frequency_weights")
    named = {name: words.name_of(name) for name in words.given()}
    assert named == {"offset": "o", "exposure": None, "variance_weights": "w", "frequency_weights": None}
    assert words.name_of("trials") is None


def test_columns_are_read_from_the_table_or_the_array() -> None:
    frame = read({"a": [1.0, 2.0, 3.0], "b": ["p", "q", "r"]})
    found = columns_of(frame, Keywords(offset="a", trials=[4, 5, 6]))
    assert set(found) == {"offset", "trials"}
    assert_array_equal(found["offset"].values, [1.0, 2.0, 3.0])
    assert_array_equal(found["trials"].values, [4, 5, 6])


def test_numbers_are_float64_copies_and_missing_is_nan() -> None:
    source = np.array([1.5, NAN, -2.0])
    made = numbers(from_values("x", source), "x")
    made[0] = 9.0
    assert source[0] == 1.5
    assert_array_equal(numbers(column(1, None, 3), "x"), [1.0, NAN, 3.0])
    truth = numbers(boolean("t", np.array([True, False, True]), np.array([False, False, True])), "t")
    assert truth.dtype == np.float64
    assert_array_equal(truth, [1.0, 0.0, NAN])


def test_numbers_refuse_text_and_name_the_first_row_that_holds_any() -> None:
    with pytest.raises(DataError, match=r"offset must be numbers, but row 1 holds 'u': convert the column"):
        numbers(column(None, "u", "v"), "offset")
    with pytest.raises(DataError, match=r"row 0 holds 'u'"):
        numbers(column("u", "v"), "offset")


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_numbers_refuse_infinity_by_the_row_of_the_input(value: float) -> None:
    with pytest.raises(DataError, match=rf"x must be finite, but row 1 holds {value:g}: correct or remove"):
        numbers(column(0.0, value), "x")
    with pytest.raises(DataError, match=r"row 17 holds"):
        numbers(column(0.0, value), "x", np.array([4, 17]))


@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_refuse_raises_exactly_where_something_is_wrong_and_names_the_first(wrong: list[bool]) -> None:
    mask, values = np.array(wrong), np.arange(len(wrong)) + 0.5
    if not any(wrong):
        refuse(mask, values, "rule", "remedy")
        return
    with pytest.raises(DataError) as caught:
        refuse(mask, values, "rule", "remedy", np.arange(len(wrong)) + 100)
    first, count = wrong.index(True), sum(wrong)
    more = f" ({count} such rows)" if count > 1 else ""
    assert str(caught.value) == f"rule, but row {100 + first} holds {first}.5{more}: remedy"


def test_offset_and_log_exposure_add_up() -> None:
    frame = read({"o": [0.5, -1.0, 2.0], "e": [1.0, np.e, 10.0]})
    both = offset_of(frame, "o", "e", LOG)
    assert both is not None
    assert_allclose(both, [0.5, 0.0, 2.0 + 2.302585092994046], rtol=1e-15)
    assert_array_equal(offset_of(frame, "o", None, LOG), [0.5, -1.0, 2.0])
    assert offset_of(frame, None, None, LOG) is None
    assert_array_equal(offset_from({"exposure": column(1.0, None, 1.0)}, LOG), [0.0, NAN, 0.0])


def test_exposure_is_refused_off_the_log_link_and_unless_positive() -> None:
    frame = read({"e": [1.0, 0.0, -2.0]})
    with pytest.raises(OptionError, match=r"exposure needs the log link.*the link is identity.*Use offset="):
        offset_of(frame, None, "e", IDENTITY)
    rule = r"exposure \(column 'e'\) must be positive, but row 1 holds 0 \(2 such rows\): drop the row"
    with pytest.raises(DataError, match=rule):
        offset_of(frame, None, "e", LOG)
    with pytest.raises(DataError, match=r"^exposure must be positive, but row 2 holds -1:"):
        offset_of(frame, None, [1.0, 2.0, -1.0], LOG)


def test_an_offset_may_be_negative_and_of_any_link_but_not_infinite() -> None:
    frame = read({"o": [-1.0, 0.0, 2.0]})
    assert_array_equal(offset_of(frame, "o", None, IDENTITY), [-1.0, 0.0, 2.0])
    with pytest.raises(DataError, match=r"offset must be finite, but row 2 holds inf"):
        offset_of(frame, [0.0, 1.0, np.inf], None, IDENTITY)


def test_trials_are_rounded_to_the_whole_numbers_they_are_within_rounding_of() -> None:
    frame = read({"p": [0.1, 0.2, 0.3]})
    assert_array_equal(trials_of(frame, [3.0, 0.0, 0.1 * 3 * 10]), [3.0, 0.0, 3.0])
    assert_array_equal(trials_from(column(2.0 + 5e-8, None, 1e9 + 50.0)), [2.0, NAN, 1e9 + 50.0])


@pytest.mark.parametrize("value", [-1.0, 0.5, 2.000001, -1e-3])
def test_trials_that_are_no_count_are_refused(value: float) -> None:
    with pytest.raises(DataError, match=rf"trials \(column 'm'\) must be whole.*row 1 holds {value:g}"):
        trials_from(column(1.0, value, name="m"))


@given(st.floats(-1e12, 1e12))
def test_the_tolerance_of_whole_numbers_is_even_grows_with_them_and_never_ends(value: float) -> None:
    tolerance, negated, doubled = whole_tolerance(np.array([value, -value, 2 * value]))
    assert tolerance == negated
    assert 1e-7 <= tolerance <= doubled <= 2 * tolerance
    assert tolerance == pytest.approx(1e-7 * max(abs(value), 1.0))


def test_sampling_weights_add_up_to_the_rows_that_have_any_and_keep_their_ratios() -> None:
    given_ = {"sampling_weights": column(10.0, 0.0, 30.0, 60.0, 999.0)}
    complete = np.array([True, True, True, True, False])
    weights = weights_from(given_, complete)
    assert weights.sampling is not None
    assert_allclose(weights.sampling, [0.3, 0.0, 0.9, 1.8], rtol=1e-15)
    assert weights.frequency is None
    assert weights.variance is None


@pytest.mark.parametrize("size", [1e-308, 1e-200, 2.0, 1e200, 1e308])
def test_the_unit_of_sampling_weights_is_nobodys(size: float) -> None:
    complete = np.ones(3, dtype=bool)
    weights = weights_from({"sampling_weights": column(*(size * np.array([0.5, 1.0, 1.5])))}, complete)
    assert weights.sampling is not None
    assert_allclose(weights.sampling, [0.5, 1.0, 1.5], rtol=1e-12)


def test_other_weights_are_taken_as_they_are_over_the_complete_rows() -> None:
    kinds = {"frequency_weights": column(2, 0, 5), "variance_weights": column(0.25, 4.0, 0.5)}
    weights = weights_from(kinds, np.array([True, False, True]))
    assert_array_equal(weights.frequency, [2.0, 5.0])
    assert_array_equal(weights.variance, [0.25, 0.5])
    assert weights_from({}, ALL).total() is None


@pytest.mark.parametrize("kind", ["frequency_weights", "variance_weights", "sampling_weights"])
def test_every_kind_of_weights_refuses_negative_ones_and_none_but_zeros(kind: str) -> None:
    with pytest.raises(DataError, match=rf"{kind} must not be negative, but row 2 holds -1: correct or drop"):
        weights_from({kind: column(1.0, 0.0, -1.0)}, ALL)
    with pytest.raises(DataError, match=rf"{kind} \(column 'w'\) are zero in every row that could be used"):
        weights_from({kind: column(0.0, 0.0, 3.0, name="w")}, np.array([True, True, False]))


def test_a_missing_frequency_is_a_missing_row() -> None:
    column = from_values("k", [2.0, np.nan, 3.0])
    weights = weights_from({"frequency_weights": column}, np.array([True, False, True]))
    assert_array_equal(weights.frequency, [2.0, 3.0])


def test_frequencies_are_whole_and_other_weights_need_not_be() -> None:
    halves = column(1.0, 0.5, 2.5)
    with pytest.raises(DataError, match=r"count identical rows.*row 1 holds 0.5 \(2 such rows\): use"):
        weights_from({"frequency_weights": halves}, ALL)
    assert_array_equal(weights_from({"variance_weights": halves}, ALL).variance, [1.0, 0.5, 2.5])
