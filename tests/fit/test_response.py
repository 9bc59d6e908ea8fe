"""The response: what becomes of a column, and what every family refuses, row, value and remedy named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from etamu._base.errors import DataError
from etamu.data.column import Column, coded, from_values
from etamu.family import families, links
from etamu.family.borrowed import Binomial, QuasiBinomial, QuasiPoisson, Tweedie
from etamu.family.family import Family
from etamu.family.unit import Unit
from etamu.fit.response import refuse_uncountable, response_columns
from tests.catalogue import FAMILIES

ROWS = np.array([3, 5, 8, 13])


def asked(
    family: Family, *columns: Any, trials: Any = None, rows: np.ndarray = ROWS
) -> tuple[np.ndarray, ...]:
    made = tuple(c if isinstance(c, Column) else from_values("y", list(c)) for c in columns)
    given = None if trials is None else np.array(trials, dtype=float)
    return response_columns(family, made, given, ROWS).y


def factor(*levels: str, codes: tuple[int, ...] = (0, 1, 1, 0)) -> Column:
    return coded("y", np.array(codes), levels, ordered=False)


ONE = [family for family in FAMILIES if len(family.response) == 1]


@pytest.mark.parametrize("family", ONE, ids=[repr(family) for family in ONE])
def test_values_of_the_support_come_back_and_all_others_are_refused_by_row(
    family: Family,
) -> None:
    candidates = np.array([-2.0, -0.5, 0.0, 0.25, 1.0, 1.5, 3.0])
    inside = family.support.contains(candidates)
    good = np.resize(candidates[inside], 4)
    (y,) = asked(family, good)
    assert_array_equal(y, good)
    for wrong in candidates[~inside]:
        with pytest.raises(DataError, match=rf"needs .* but the response 'y' is {wrong:g} in row 8\b"):
            asked(family, [good[0], good[1], wrong, good[3]])


@pytest.mark.parametrize(
    ("family", "values", "words"),
    [
        (
            families.Poisson(),
            [1, 2.5, 3, 3.5],
            r"non-negative integers.*is 2.5 in row 5 \(2 such rows\): use q",
        ),
        (families.Poisson(), [1, 2, -3, 1], r"is -3 in row 8: correct the row or choose a family"),
        (
            families.Bernoulli(),
            [0, 1, 0, 0.4],
            r"0 or 1.*is 0.4 in row 13: give counts with trials=",
        ),
        (families.Bernoulli(), [2, 1, 0, 1], r"is 2 in row 3: correct the row"),
        (families.Gamma(), [1, 2, 3, 0], r"gamma family.*is 0 in row 13: use tweedie\(power=1.5\)"),
        (families.InverseGaussian(), [1, 0, 3, 1], r"is 0 in row 5: use tweedie\(power=1.5\)"),
        (families.Gamma(), [1, -2, 3, 1], r"is -2 in row 5: correct the row"),
        (families.Gaussian(), [1, np.inf, 3, 1], r"response 'y' must be finite, but row 5 holds inf"),
    ],
    ids=["half count", "negative count", "proportion", "two", "gamma 0", "IG 0", "gamma -2", "infinite"],
)
def test_the_remedy_suits_family_and_value(family: Family, values: list[float], words: str) -> None:
    with pytest.raises(DataError, match=words):
        asked(family, values)


def test_a_missing_value_that_reaches_a_family_is_refused_with_its_own_remedy() -> None:
    with pytest.raises(DataError, match=r"is nan in row 5: correct or remove the row"):
        asked(families.Gaussian(), [1.0, np.nan, 2.0, 3.0])


@pytest.mark.parametrize("family", [families.Bernoulli(), Binomial(), QuasiBinomial()], ids=repr)
def test_a_factor_of_two_levels_is_one_for_the_second_as_declared(family: Family) -> None:
    assert_array_equal(asked(family, factor("yes", "no"))[0], [0.0, 1.0, 1.0, 0.0])
    assert_array_equal(asked(family, ["yes", "no", "no", "yes"])[0], [1.0, 0.0, 0.0, 1.0])  # sorted: no, yes
    assert_array_equal(asked(family, [True, False, False, True])[0], [1.0, 0.0, 0.0, 1.0])


@pytest.mark.parametrize("family", [families.Bernoulli(), Binomial(), QuasiBinomial()], ids=repr)
def test_a_factor_of_other_than_two_levels_is_refused_by_counting_them(family: Family) -> None:
    with pytest.raises(DataError, match=r"has 3 levels \('a', 'b', 'c'\).*needs two: compare one level"):
        asked(family, factor("a", "b", "c"))
    with pytest.raises(DataError, match=r"has only the level 'a' .* needs two"):
        asked(family, factor("a", codes=(0, 0, 0, 0)))
    with pytest.raises(DataError, match=r"has 7 levels \('1', '2', '3', '4', '5', '6'\)"):
        asked(family, factor(*"1234567"))


@pytest.mark.parametrize("family", [families.Poisson(), families.Gaussian(), Tweedie(power=1.5)], ids=repr)
def test_text_is_refused_by_families_of_numbers(family: Family) -> None:
    words = rf"'y' is text \(row 3 holds 'u'\), but the {family.name} family needs"
    with pytest.raises(DataError, match=words):
        asked(family, ["u", "v", "u", "v"])


def test_binary_values_without_trials_are_single_trials() -> None:
    y, m = asked(Binomial(), [0, 1, 1, 0])
    assert_array_equal(y, [0.0, 1.0, 1.0, 0.0])
    assert_array_equal(m, np.ones(4))


def test_without_trials_counts_and_proportions_are_refused_each_with_its_remedy() -> None:
    with pytest.raises(DataError, match=r"without trials= .*'y' must be 0 or 1, but row 8 holds 3: give"):
        asked(Binomial(), [0, 1, 3, 0])
    with pytest.raises(DataError, match=r"row 5 holds 0.5 \(2 such rows\): for a proportion give the counts"):
        asked(Binomial(), [0, 0.5, 3, 0])


def test_successes_within_rounding_become_whole_and_reach_their_trials() -> None:
    proportion, trials = np.array([0.1, 0.3, 0.7, 1.0]), np.array([30.0, 10.0, 10.0, 7.0])
    y, m = asked(Binomial(), proportion * trials, trials=trials)
    assert_array_equal(y, [3.0, 3.0, 7.0, 7.0])
    assert_array_equal(m, trials)


@pytest.mark.parametrize("way", ["keyword", "cbind"])
def test_successes_outside_their_trials_or_not_whole_are_refused(way: str) -> None:
    def given(y: list[float], m: list[float]) -> tuple[np.ndarray, ...]:
        return asked(Binomial(), y, trials=m) if way == "keyword" else asked(Binomial(), y, m)

    assert_array_equal(given([0, 2, 3, 0], [0, 2, 5, 1]), [[0, 2, 3, 0], [0, 2, 5, 1]])
    with pytest.raises(DataError, match=r"'y' must lie between 0 and its trials, but row 13 holds 2"):
        given([0, 2, 3, 2], [0, 2, 5, 1])
    with pytest.raises(DataError, match=r"between 0 and its trials, but row 3 holds -1"):
        given([-1, 2, 3, 1], [0, 2, 5, 1])
    with pytest.raises(DataError, match=r"counts successes and must be whole, but row 5 holds 1.5: use"):
        given([0, 1.5, 3, 1], [0, 2, 5, 1])


def test_trials_are_stated_once_and_only_to_a_family_that_has_them() -> None:
    with pytest.raises(DataError, match=r"cbind\(successes, failures\) states the trials already: leave"):
        asked(Binomial(), [0, 1, 1, 0], [1, 1, 1, 1], trials=[1, 1, 1, 1])
    with pytest.raises(DataError, match=r"trials belong to the binomial family, not to quasipoisson"):
        asked(QuasiPoisson(), [0, 1, 1, 0], trials=[1, 1, 1, 1])
    with pytest.raises(DataError, match=r"not to poisson: for quasibinomial give the proportion"):
        asked(families.Poisson(), [0, 1, 1, 0], [1, 1, 1, 1])


@pytest.mark.parametrize(
    "unit",
    [
        Unit(families.Poisson(), links.Identity()),
        Unit(families.Poisson(), links.Sqrt()),
        Unit(families.NegativeBinomial(2.0), links.Log()),
    ],
    ids=repr,
)
def test_counts_whose_powers_are_no_numbers_are_refused_by_row(unit: Unit) -> None:
    answers = response_columns(unit.family, (from_values("y", [1.0, 1e59, 3.0, 1e15]),), None, ROWS)
    refuse_uncountable(unit, "y", answers)
    answers = response_columns(unit.family, (from_values("y", [1.0, 1e15, 1e100, 1e300]),), None, ROWS)
    with pytest.raises(DataError, match=r"'y'.* row 8 holds 1e\+100 \(2 such rows\).* quasipoisson"):
        refuse_uncountable(unit, "y", answers)


@pytest.mark.parametrize(
    "unit",
    [
        Unit(families.Poisson(), links.Log()),  # its means and variances are in proportion
        Unit(QuasiPoisson(), links.Identity()),
        Unit(families.Gamma(), links.Identity()),
    ],
    ids=repr,
)
def test_responses_of_which_a_unit_can_be_taken_out_are_of_any_size(unit: Unit) -> None:
    answers = response_columns(unit.family, (from_values("y", [1e300, 1e15, 1e100, 1e300]),), None, ROWS)
    refuse_uncountable(unit, "y", answers)
