from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from etamu.design.blocks import Dense
from etamu.design.moments import constant, moments_of


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(0, 40))
def test_moments_of_parts_add_to_moments_of_the_whole(seed, first, second):
    x = np.random.default_rng(seed).normal(1e6, 1.0, (first + second, 2))
    whole, added = moments_of(x), moments_of(x[:first]) + moments_of(x[first:])
    assert added.count == whole.count
    assert_allclose(added.mean, whole.mean, rtol=1e-14)
    # A mean of 1e6 costs 1e-10 of a spread of 1; the shifted sums must not lose more than that.
    assert_allclose(added.scatter, whole.scatter, rtol=1e-8, atol=1e-8)
    assert np.array_equal(added.low, x.min(axis=0))
    assert np.array_equal(added.high, x.max(axis=0))


def test_no_rows_add_nothing():
    x = np.arange(6.0).reshape(3, 2)
    alone, joined = moments_of(x), moments_of(x[:0]) + moments_of(x)
    assert_allclose(joined.mean, alone.mean)
    assert_allclose(joined.deviation, x.std(axis=0))
    assert_allclose(joined.root_mean_square, np.sqrt((x**2).mean(axis=0)))


@pytest.mark.parametrize("value", [1.0, -3.5, 0.0])
def test_a_constant_column_is_described_without_being_looked_at(value):
    mine, seen = constant(value, 7), moments_of(np.full((7, 1), value))
    assert mine.count == seen.count
    for field in ("mean", "scatter", "low", "high"):
        assert np.array_equal(getattr(mine, field), getattr(seen, field))


@pytest.mark.parametrize("wild", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 3, 299])
def test_one_number_that_is_not_finite_is_seen(wild, row):
    x = np.ones((300, 2))
    assert moments_of(x).finite
    x[row, 1] = wild
    with np.errstate(all="ignore"):
        assert not moments_of(x).finite
        assert not Dense((x,)).moments().finite
