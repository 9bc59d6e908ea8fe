"""Twice the precision: sums and products lose nothing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from etamu._base.double import Double, normal, single, total, two_product, two_sum

numbers = st.floats(-1e100, 1e100, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-100)


def exact(part: tuple[np.ndarray, np.ndarray]) -> Fraction:
    return Fraction(float(part[0])) + Fraction(float(part[1]))


@given(numbers, numbers)
def test_a_sum_and_its_error_are_the_sum(a: float, b: float) -> None:
    assert exact(two_sum(np.float64(a), np.float64(b))) == Fraction(a) + Fraction(b)


@given(numbers, numbers)
def test_a_product_and_its_error_are_the_product(a: float, b: float) -> None:
    assert exact(two_product(np.float64(a), np.float64(b))) == Fraction(a) * Fraction(b)


@given(st.lists(st.floats(-1e8, 1e8), min_size=1, max_size=40))
def test_a_total_is_right_to_the_square_of_the_rounding(values: list[float]) -> None:
    found = total(np.array(values), np.zeros(len(values)))
    truth = sum(map(Fraction, values))
    error = abs(Fraction(float(found.hi[0])) + Fraction(float(found.lo[0])) - truth)
    assert error <= sum(abs(Fraction(value)) for value in values) * Fraction(1, 2**98)


def test_nothing_adds_up_to_zero() -> None:
    assert total(np.zeros((0, 2)), np.zeros((0, 2))).hi.tolist() == [0.0, 0.0]


def test_columns_are_added_one_by_one() -> None:
    rows = np.array([[1e16, 1.0], [1.0, 2.0], [-1e16, 3.0]])
    assert total(rows, np.zeros_like(rows)).hi.tolist() == [1.0, 6.0]


def test_addition_keeps_what_float64_drops() -> None:
    small = Double(np.array([1e-25]), np.array([0.0]))
    both = normal(np.array([1.0]), np.array([1e-17])) + small
    assert both.hi.tolist() == [1.0]
    assert both.lo.tolist() == [1e-17 + 1e-25]


@given(numbers, st.floats(1e-20, 1e20))
def test_a_number_times_another_and_back_is_itself(a: float, b: float) -> None:
    there = single(np.array([a])).times(b)
    assert exact((there.hi[0], there.lo[0])) == Fraction(a) * Fraction(b)
