from __future__ import annotations

import numpy as np
import pytest

from etamu.design.blocks import Coded, Dense
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.design.design import Design

N = 9
ROWS = np.arange(N)


@pytest.fixture
def chunk():
    design = Design((Dense((np.arange(float(N)),)),), N)
    weights = Weights(frequency=np.full(N, 2.0), variance=np.arange(N) + 1.0, sampling=np.full(N, 0.5))
    return Chunk((Predictor(design, -1.0 * ROWS),), (ROWS + 0.5,), weights, ROWS + 100, (ROWS % 3,))


def test_weights_multiply_by_kind():
    k, w, s = np.array([3.0]), np.array([0.5]), np.array([4.0])
    assert Weights().total() is None
    assert Weights(k, w, s).total() == 6.0
    # k copies each with squared score (w s u)^2
    assert Weights(k, w, s).squared() == 3.0 * 2.0**2
    assert Weights(frequency=k).squared() == 3.0
    assert Weights(variance=w).squared() == 0.25


def test_eta_always_carries_the_offset(chunk):
    assert np.array_equal(chunk.predictors[0].eta(np.array([2.0])), 2.0 * ROWS - ROWS)
    assert np.array_equal(Predictor(chunk.predictors[0].design).eta(np.array([2.0])), 2.0 * ROWS)


@pytest.mark.parametrize("how", ["rows", "take"])
def test_a_part_of_a_chunk_is_that_part_of_everything(chunk, how):
    part = chunk.rows(2, 5) if how == "rows" else chunk.take(np.array([2, 3, 4]))
    assert len(part) == 3
    assert part.row_ids.tolist() == [102, 103, 104]
    assert part.y[0].tolist() == [2.5, 3.5, 4.5]
    assert part.cluster[0].tolist() == [2, 0, 1]
    assert part.weights.variance.tolist() == [3.0, 4.0, 5.0]
    assert part.predictors[0].offset.tolist() == [-2.0, -3.0, -4.0]
    assert part.predictors[0].design.matvec(np.ones(1)).tolist() == [2.0, 3.0, 4.0]


def test_what_a_pass_reads_is_every_column_once():
    codes = ROWS % 3
    design = Design((Dense((np.ones((N, 4)),)), Coded(codes, 3), Coded(codes, 5, np.ones(N))), N)
    two = Chunk((Predictor(design),), (ROWS + 0.5, ROWS + 1.0), Weights(), ROWS)
    assert two.cells == N * (2 + 4 + 1 + 2)
    assert two.summed == 4 * 3 + 4 * 5 + 3 * 5  # tables with a coded block; the dense corner is no table


def test_rows_of_one_trial_each_stay_one_number_when_some_are_taken() -> None:
    n = 6
    design = Design((Dense((np.arange(n, dtype=float),)),), n)
    y = (np.array([0.0, 1, 1, 0, 1, 0]), np.broadcast_to(np.float64(1.0), n))
    few = Chunk((Predictor(design),), y, Weights(), np.arange(n)).take(np.array([1, 3, 4]))
    assert few.y[1].strides == (0,)
    assert few.y[1].tolist() == [1.0, 1.0, 1.0]
    assert few.y[0].tolist() == [1.0, 0.0, 1.0]


def test_positions_given_as_a_range_are_those_of_an_array() -> None:
    plain = Chunk((), (np.arange(10.0),), Weights(), np.arange(10))
    lazy = Chunk((), (np.arange(10.0),), Weights(), range(10))
    index = np.array([1, 4, 5])
    assert len(lazy) == 10
    assert np.array_equal(lazy.row_ids, plain.row_ids)
    assert np.array_equal(lazy.rows(3, 7).row_ids, plain.rows(3, 7).row_ids)
    assert np.array_equal(lazy.take(index).row_ids, plain.take(index).row_ids)
    assert np.array_equal(lazy.rows(2, 9).take(index).row_ids, plain.rows(2, 9).take(index).row_ids)
