"""Kinds of rows by the predictors that may run away: looked up or sorted, they are the same."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from etamu.family import cones


@pytest.mark.parametrize("k", [1, 2, 5, 8, 9, 12])
def test_ways_are_numbered_as_sorted_rows_are(k):
    ways = np.random.default_rng(k).integers(-1, 3, (300, k)).astype(np.int8)
    found = cones.of_ways(ways)
    rows, kind = np.unique(ways, axis=0, return_inverse=True)
    assert_array_equal(found.kind, kind.ravel())
    for row, own in zip(rows, found.inequalities, strict=True):
        assert len(own) == sum({0: 2, 1: 1, -1: 1, 2: 0}[int(way)] for way in row)
        assert_array_equal(own.sum(axis=0), np.where(np.abs(row) == 1, row, 0))


@pytest.mark.parametrize("classes", [2, 3, 16, 17])
def test_counts_of_classes_have_the_cones_of_all_they_hold(classes):
    rng = np.random.default_rng(classes)
    counts = tuple(rng.integers(0, 3, 60).astype(float) for _ in range(classes))
    each = cones.highest(np.eye(classes)[:, 1:])
    found = cones.of_classes(counts, each)
    for row in range(60):
        held = np.flatnonzero([column[row] > 0 for column in counts])
        own = np.vstack([np.zeros((0, classes - 1)), *(each[c] for c in held)])
        assert_array_equal(found.inequalities[found.kind[row]], np.unique(own, axis=0))
