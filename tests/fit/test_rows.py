"""Per-row quantities lie at the length of the input, whatever the blocks and whichever rows are asked for."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import etamu as em
from etamu.design.chunk import Chunk
from etamu.fit.rows import by_row, raw_beta

N = 23
HOLES = np.array([0, 7, 22])
COMPLETE = np.setdiff1d(np.arange(N), HOLES)


def data() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    x = rng.normal(100.0, 3.0, N)
    x[HOLES] = np.nan
    y = rng.poisson(4.0, N).astype(float)
    return {"y": y, "x": x, "g": np.array(["a", "b"])[np.arange(N) % 2], "w": np.arange(N) % 3 / 2.0}


def fitted(**options: Any) -> em.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.DroppedRowsWarning)
        return em.glm("y ~ x + C(g)", data(), "poisson", **options)


FIT = fitted(variance_weights="w")


def ids(chunk: Chunk) -> np.ndarray:
    return chunk.row_ids.astype(float)


def eta(chunk: Chunk) -> np.ndarray:
    return chunk.predictors[0].eta(raw_beta(FIT))


def test_every_row_gets_its_own_number_and_dropped_rows_get_none() -> None:
    expected = np.arange(float(N))
    expected[HOLES] = np.nan
    assert_array_equal(by_row(FIT, ids), expected)


@pytest.mark.parametrize("rows", [1, 2, 7, 19, 20, 21, 1000])
def test_blocks_partition_the_complete_rows_in_order(rows: int) -> None:
    options = replace(FIT.problem.options, block_rows=rows)
    fit, sizes = replace(FIT, problem=replace(FIT.problem, options=options)), []

    def function(chunk: Chunk) -> np.ndarray:
        sizes.append(len(chunk))
        return ids(chunk)

    assert_array_equal(by_row(fit, function)[COMPLETE], COMPLETE)
    assert sorted(sizes, reverse=True) == [rows] * (20 // rows) + ([20 % rows] if 20 % rows else [])


def test_several_numbers_per_row_keep_their_shape() -> None:
    out = by_row(FIT, lambda chunk: np.stack([ids(chunk), -ids(chunk)], axis=1)[:, :, None])
    assert out.shape == (N, 2, 1)
    assert_array_equal(out[COMPLETE, 0, 0], -out[COMPLETE, 1, 0])
    assert np.isnan(out[HOLES]).all()


@given(st.lists(st.integers(0, N - 1), min_size=1, max_size=40))
def test_asked_rows_are_answered_in_their_order_repetitions_too(asked: list[int]) -> None:
    rows = np.array(asked)
    assert_array_equal(by_row(FIT, ids, rows), by_row(FIT, ids)[rows])
    assert_allclose(by_row(FIT, eta, rows), by_row(FIT, eta)[rows], rtol=1e-13)


def test_asking_for_dropped_rows_alone_answers_nan() -> None:
    assert_array_equal(by_row(FIT, ids, HOLES), np.full(3, np.nan))


def test_only_the_asked_rows_are_visited() -> None:
    seen: list[int] = []

    def function(chunk: Chunk) -> np.ndarray:
        seen.extend(chunk.row_ids.tolist())
        return ids(chunk)

    by_row(FIT, function, np.array([9, 3, 0]))
    assert seen == [9, 3]


def test_raw_coefficients_and_placed_columns_give_the_predictor_by_hand() -> None:
    columns = data()
    X = np.column_stack([np.ones(N), columns["x"], columns["g"] == "b"])
    assert_allclose(by_row(FIT, eta), X @ FIT.coef, rtol=1e-11)


def test_the_chunk_brings_response_and_weights_of_its_rows() -> None:
    columns = data()
    y = by_row(FIT, lambda chunk: chunk.y[0])
    assert_array_equal(y[COMPLETE], columns["y"][COMPLETE])
    weights = by_row(FIT, lambda chunk: chunk.weights.total())
    assert_array_equal(weights[COMPLETE], columns["w"][COMPLETE])


def test_raw_coefficients_of_an_aliased_column_are_zero() -> None:
    columns = data() | {"again": data()["x"] * 2.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        fit = em.glm("y ~ x + again", columns, "poisson")
    assert fit.aliased == ("again",)
    raw = raw_beta(fit)
    assert np.isfinite(raw).all()
    assert np.count_nonzero(raw == 0.0) == 1
    again = by_row(fit, lambda chunk: chunk.predictors[0].eta(raw))
    assert_allclose(again, fit.coef[0] + fit.coef[1] * columns["x"], rtol=1e-11)
