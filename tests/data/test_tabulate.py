"""Few distinct numbers become codes exactly, and many are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from etamu.data.tabulate import MOST, distinct, few_numbers, quantiles

RNG = np.random.default_rng(7)
FEW = {
    "ages": RNG.integers(18, 98, 4_000).astype(np.float64),
    "bytes": RNG.integers(0, 256, 6_000).astype(np.uint8),
    "signed bytes": np.array([-128, 127] * 40, dtype=np.int8),
    "halves": RNG.integers(0, 30, 2_000) / 2.0,
    "far apart": np.array([1e300, -1e300, 5.0] * 40),
    "large whole": np.array([2**40, 2**40 + 3] * 40),
    "one": np.full(50, 0.1),
    "truth": np.array([True, False] * 30),
    "one stray": np.r_[np.zeros(100_000), 0.3, np.ones(10_000)],
}


@pytest.mark.parametrize("name", FEW)
def test_codes_and_levels_give_the_numbers_back(name: str) -> None:
    values = FEW[name]
    found = few_numbers(values)
    assert found is not None
    codes, levels = found
    assert codes.dtype.kind == "i"
    np.testing.assert_array_equal(levels[codes], values.astype(np.float64))
    np.testing.assert_array_equal(levels, np.unique(values).astype(np.float64))


MANY = {
    "all different": np.arange(500.0),
    "too few rows each": np.repeat(np.arange(100.0), 19),
    "more than are worth a table": np.tile(np.arange(MOST + 1.0), 20),
    "many strays": np.r_[np.zeros(100_000), np.arange(10_000) + 0.5],
    "a gap": np.r_[np.zeros(500), np.nan, np.ones(500)],
    "an infinity": np.r_[np.zeros(500), np.inf, np.ones(500)],
    "nothing": np.zeros(0),
}


@pytest.mark.parametrize("name", MANY)
def test_many_numbers_are_left_alone(name: str) -> None:
    found = few_numbers(MANY[name])
    assert found is None or not np.all(np.isfinite(found[1]))


@pytest.mark.parametrize("name", ["ages", "halves", "one", "one stray"])
def test_distinct_numbers_and_quantiles_are_those_of_numpy(name: str) -> None:
    values = FEW[name]
    shares = np.r_[np.linspace(0.0, 1.0, 12), RNG.random(20)]
    np.testing.assert_array_equal(distinct(values), np.unique(values))
    np.testing.assert_array_equal(quantiles(values, shares), np.quantile(values, shares))
