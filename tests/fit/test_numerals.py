"""Numbers are written as R writes them: each expected text was printed by R 4.2."""

from __future__ import annotations

import numpy as np
import pytest

from etamu.fit import numerals


@pytest.mark.parametrize(
    ("values", "digits", "texts"),
    [
        (
            [124.8755848, 6.7570636],
            5,
            ["124.8756", "  6.7571"],
        ),  # print(summary(budworm.lg0)), MASS section 7.2
        ([1.0, 10.0, 100.0], 7, ["  1", " 10", "100"]),
        ([1e-10, 1.0], 4, ["1e-10", "1e+00"]),
        (
            [-0.0165544, 0.0153431, 0.0009275, 0.0004150],
            4,
            ["-0.0165544", " 0.0153431", " 0.0009275", " 0.0004150"],
        ),
        ([1e5], 5, ["1e+05"]),
        ([123456.0], 5, ["123456"]),
        ([1e-300, 1e300], 3, ["1e-300", "1e+300"]),
        ([0.0], 4, ["0"]),
    ],
)
def test_numbers_share_the_format_r_chooses(values, digits, texts):
    assert numerals.common(values, digits) == texts


def test_what_is_not_finite_is_said():
    assert numerals.common([np.nan, 1.5, np.inf, -np.inf], 4) == [" NaN", " 1.5", " Inf", "-Inf"]
    assert numerals.common([], 4) == []


def test_p_values_are_fixed_down_to_four_zeros_then_scientific_then_a_bound():
    # summary(lm(mpg ~ wt + qsec + am, mtcars)) prints these four.
    p = np.array([0.1779151694, 6.952711e-06, 2.161737e-04, 4.671551e-02])
    assert numerals.p_texts(p) == ["0.177915", "6.95e-06", "0.000216", "0.046716"]


@pytest.mark.parametrize(("others", "bound"), [([], "<2e-16"), ([0.012], "<2e-16"), ([0.00222], "< 2e-16")])
def test_the_bound_is_spaced_as_r_spaces_it(others, bound):
    assert numerals.p_texts(np.array([1e-40, *others]))[0] == bound


def test_a_p_value_of_nothing_stays_nothing():
    assert numerals.p_texts(np.array([np.nan, 0.5])) == ["NaN", "0.5"]
    assert numerals.stars(np.array([np.nan, 0.5])) == ["", ""]


def test_a_small_estimate_beside_large_ones_is_not_printed_as_zero():
    texts = numerals.estimates(np.array([[1e6, 2e5], [1e-9, 3.0]]), 4)
    assert all(float(text) != 0.0 for row in texts for text in row)


def test_stars_stand_where_the_legend_says():
    assert numerals.stars(np.array([0.001, 0.01, 0.05, 0.1, 0.11])) == ["***", "**", "*", ".", ""]
