"""The sample of the pilot: one row per stretch, rare responses more often, weights that undo it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.design.blocks import Coded, Dense
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.design.design import Design
from etamu.execute.threads import Threads
from etamu.fit.sample import LESS, OUTLINE, Sampled, drawn, spread


def rows(y: np.ndarray, sampling: np.ndarray | None = None) -> Chunk:
    n = len(y)
    numbers = np.arange(n, dtype=float)
    design = Design((Dense((numbers,)), Coded(np.arange(n) % 3, 3)), n)
    weights = Weights(frequency=numbers + 1.0, sampling=sampling)
    return Chunk((Predictor(design, 2.0 * numbers),), (y,), weights, np.arange(n))


@pytest.mark.parametrize(("n", "size"), [(1000, 10), (1001, 10), (977, 100), (50, 49), (10_007, 333)])
def test_one_position_is_drawn_from_every_stretch(n, size):
    where = spread(n, size)
    edges = np.arange(size + 1) * n // size
    assert len(where) == size
    assert np.all((edges[:-1] <= where) & (where < edges[1:]))


@pytest.mark.parametrize(("n", "size"), [(0, 3), (4, 9), (9, 9)])
def test_all_positions_are_drawn_where_there_are_no_more(n, size):
    assert np.array_equal(spread(n, size), np.arange(n))


def test_positions_within_their_stretches_are_even():
    # A sample at the same place of every stretch would meet a period of the data; 40 per tenth are expected.
    within = spread(400_000, 400) % 1000
    counts = np.bincount(within // 100, minlength=10)
    assert counts.min() > 15
    assert counts.max() < 75


def test_rows_drawn_are_the_rows_there_with_all_that_belongs_to_them():
    y = np.linspace(0.0, 1.0, 3000)
    sampled = drawn(rows(y, np.full(3000, 0.5)), 300)
    few = sampled.chunk
    at = few.row_ids
    assert sampled.share == pytest.approx(0.1)
    assert np.array_equal(few.y[0], y[at])
    assert np.array_equal(few.predictors[0].offset, 2.0 * at)
    assert np.array_equal(few.weights.frequency, at + 1.0)
    assert np.array_equal(few.predictors[0].design.dense()[:, 0], at)
    assert np.array_equal(np.argmax(few.predictors[0].design.dense()[:, 1:], axis=1), at % 3)
    assert_allclose(few.weights.sampling, 0.5 * 10.0)
    assert np.all(np.diff(at) > 0)


@pytest.mark.parametrize("size", [100, 333, 5000])
def test_weights_add_up_to_the_rows_there(size):
    y = np.random.default_rng(0).poisson(3.0, 20_000).astype(float)
    few = drawn(rows(y), size).chunk
    assert few.weights.sampling.sum() == pytest.approx(20_000)
    assert len(few) == size


@pytest.mark.parametrize("share", [0.005, 0.05, 0.2])
@pytest.mark.parametrize("ordered", [False, True])
def test_rare_responses_are_drawn_more_often_and_count_for_less(share, ordered):
    n, size = 40_000, 2000
    y = (np.random.default_rng(1).random(n) < share).astype(float)
    y = np.sort(y) if ordered else y
    few = drawn(rows(y), size).chunk
    event = few.y[0] == 1.0
    there = int(y.sum())
    assert event.sum() == min(size // 2, there)
    # In expectation every row counts 1: of each kind the weights add up to how many there are.
    assert few.weights.sampling[event].sum() == pytest.approx(there)
    assert few.weights.sampling[~event].sum() == pytest.approx(n - there)
    assert np.ptp(few.weights.sampling[event]) == 0.0
    assert few.weights.sampling[event].max() < few.weights.sampling[~event].min()
    assert abs(len(few) - size) <= size // 2


def test_a_response_that_never_varies_is_sampled_all_the_same():
    few = drawn(rows(np.zeros(5000)), 200).chunk
    assert few.weights.sampling.sum() == pytest.approx(5000)
    assert len(few) >= 100


def test_counts_mostly_zero_are_sampled_by_whether_they_are():
    y = np.random.default_rng(2).poisson(0.05, 30_000).astype(float)
    few = drawn(rows(y), 1000).chunk
    positive = few.y[0] > 0
    assert positive.sum() == 500
    assert few.weights.sampling[positive].sum() == pytest.approx((y > 0).sum())


def test_sums_over_samples_are_unbiased():
    # 200 shuffles of the same rows: the mean of the weighted sums is the sum, to four standard errors.
    rng = np.random.default_rng(3)
    y, x = (rng.random(4000) < 0.05).astype(float), rng.normal(size=4000)
    for values in (y * x, (1.0 - y) * x, x**2):
        sums = []
        for _ in range(200):
            order = rng.permutation(4000)
            few = drawn(rows(y[order]), 200).chunk
            sums.append(few.weights.sampling @ values[order][few.row_ids])
        error = np.std(sums) / np.sqrt(len(sums))
        assert abs(np.mean(sums) - values.sum()) < 4.0 * error


def test_the_draw_is_of_the_rows_not_of_how_they_are_visited():
    y = (np.random.default_rng(4).random(9000) < 0.1).astype(float)
    whole = rows(y)
    first = drawn(whole, 500)
    for block, threads in ((100, 1), (4096, 7)):
        again = drawn(Threads(whole, block, threads).whole, 500)
        assert np.array_equal(first.chunk.row_ids, again.chunk.row_ids)
        assert np.array_equal(first.chunk.weights.sampling, again.chunk.weights.sampling)


@pytest.mark.parametrize("every", [1, 3, 8])
def test_a_part_of_a_sample_is_a_smaller_sample(every):
    y = np.random.default_rng(5).poisson(2.0, 9000).astype(float)
    sampled = drawn(rows(y), 720)
    part = sampled.part(every)
    assert np.array_equal(part.chunk.row_ids, sampled.chunk.row_ids[::every])
    assert part.share == pytest.approx(sampled.share / every)
    assert part.chunk.weights.sampling.sum() == pytest.approx(9000)


@pytest.mark.parametrize("n", [1500, LESS * OUTLINE - 1, 5 * OUTLINE])
def test_two_thousand_rows_outline_columns_of_numbers_and_all_rows_those_of_levels(n):
    whole = rows(np.zeros(n))
    numbers = Design(whole.predictors[0].design.blocks[:1], n)
    alone = Chunk((Predictor(numbers),), whole.y, whole.weights, whole.ids)
    outline = Sampled(alone, 0.1).outline
    assert len(outline) == (n if n < LESS * OUTLINE else OUTLINE)
    assert np.ptp(outline.predictors[0].design.dense()) > 0.9 * n
    assert len(Sampled(whole, 0.1).outline) == n
