from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.infer.autocorrelation import series, usual_lags

RNG = np.random.default_rng(5)
SCORES = RNG.normal(size=(23, 2))


def dense(scores: np.ndarray, lags: int) -> np.ndarray:
    place = np.arange(len(scores))
    kernel = np.maximum(1 - np.abs(place[:, None] - place) / (lags + 1), 0)
    return scores.T @ kernel @ scores


@pytest.mark.parametrize("lags", [0, 1, 4, 22, 40])
def test_the_meat_is_that_of_the_dense_kernel(lags):
    assert_allclose(series(SCORES, lags).meat, dense(SCORES, lags), rtol=1e-12)


@pytest.mark.parametrize("lags", [0, 1, 3, 7, 22])
@pytest.mark.parametrize("rows", [1, 2, 5, 20])
def test_stretches_joined_are_the_whole_series(lags, rows):
    parts = [series(SCORES[start : start + rows], lags) for start in range(0, len(SCORES), rows)]
    exact = dense(SCORES, lags)
    assert_allclose(reduce(add, parts).meat, exact, rtol=1e-11)
    # Joining is associative: the tree of an executor joins from the right as well.
    assert_allclose(reduce(lambda right, left: left + right, parts[::-1]).meat, exact, rtol=1e-11)


def test_the_order_of_rows_matters():
    assert not np.allclose(series(SCORES, 3).meat, series(SCORES[::2], 3).meat)
    assert not np.allclose(series(SCORES, 3).meat, series(RNG.permutation(SCORES), 3).meat)


def test_the_meat_is_never_indefinite():
    for lags in range(22):
        assert np.linalg.eigvalsh(series(SCORES, lags).meat)[0] > -1e-12


def test_lags_of_the_rule_of_thumb():
    assert [usual_lags(n) for n in (1, 50, 100, 10_000)] == [1, 3, 4, 11]
