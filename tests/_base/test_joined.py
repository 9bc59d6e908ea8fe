"""Columns in several pieces of memory answer as one array would, and slices of one piece are views."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import etamu as em
from etamu._base.joined import Joined

PARTS = [np.arange(3.0), np.zeros(0), np.arange(3.0, 4.0), np.arange(4.0, 10.0)]
WHOLE = np.arange(10.0)


@pytest.mark.parametrize("start", range(11))
def test_every_slice_is_that_of_the_whole(start: int) -> None:
    column = Joined(PARTS)
    for stop in range(11):
        np.testing.assert_array_equal(column[start:stop], WHOLE[start:stop])
        np.testing.assert_array_equal(column[1:9][start:stop], WHOLE[1:9][start:stop])
    assert np.shares_memory(column[5:9], PARTS[3])
    assert np.shares_memory(column[0:3], PARTS[0])
    assert all(
        np.shares_memory(part, whole)
        for part, whole in zip(column[2:5].parts, [PARTS[0], *PARTS[2:]], strict=True)
    )


def test_all_else_is_that_of_the_whole() -> None:
    column, index = Joined(PARTS), np.array([9, 0, 3, -1, 4])
    assert (len(column), column.shape, column.ndim, column.dtype) == (10, (10,), 1, np.float64)
    np.testing.assert_array_equal(column.take(index), WHOLE[index])
    np.testing.assert_array_equal(column[index], WHOLE[index])
    np.testing.assert_array_equal(column[WHOLE > 4], WHOLE[WHOLE > 4])
    np.testing.assert_array_equal(column[::-2], WHOLE[::-2])
    np.testing.assert_array_equal(np.exp(column) + (2 * column - 1), np.exp(WHOLE) + (2 * WHOLE - 1))
    np.testing.assert_array_equal(column < 4, WHOLE < 4)
    assert column.astype(np.int8).dtype == np.int8
    assert (column.min(), np.median(column)) == (0.0, 4.5)
    with pytest.raises(AttributeError):
        column.__array_interface__  # noqa: B018


def chunked(values: dict[str, np.ndarray[Any, Any]], edges: list[int]) -> pa.Table:
    parts = [{name: column[i:j] for name, column in values.items()} for i, j in pairwise(edges)]
    return pa.concat_tables([pa.table(part) for part in parts])


@pytest.mark.parametrize("n", [40, 30_000])
def test_whatever_is_asked_of_a_fit_is_the_same_to_the_last_bit(n: int) -> None:
    rng = np.random.default_rng(n)
    values: dict[str, Any] = {
        "x": rng.normal(size=n),
        "k": rng.integers(0, 9, n),
        "z": rng.normal(size=n).astype(np.float32),
    }
    values |= {
        "y": rng.poisson(1.5, n),
        "w": rng.uniform(1.0, 2.0, n),
        "o": rng.normal(size=n),
        "b": rng.normal(size=n) > 0,
    }
    table = chunked(values, [0, 1, n // 3, n // 2, n])

    def asked(data: Any) -> list[Any]:
        fit = em.glm("y ~ x*b + log(k + 1) + z", data, "poisson", offset="o", variance_weights="w")
        new = fit.predict(data, se=True, interval="confidence")
        found = [fit.coef, fit.cov, fit.deviance, fit.with_covariance("HC3").se, fit.residuals("quantile")]
        found += [fit.influence().cooks_distance, fit.effects()["estimate"], fit.anova(2)["p_value"]]
        return [*found, new.estimate, new.lower]

    for one, other in zip(asked(table), asked(values), strict=True):
        np.testing.assert_array_equal(one, other)


def test_missing_and_infinite_values_in_a_piece_are_found() -> None:
    values = {"y": np.arange(6.0) % 3, "x": np.array([0.0, 1.0, np.nan, 3.0, 4.0, 1.0])}
    with pytest.warns(em.DroppedRowsWarning, match=r"1 of 6 rows dropped .* x \(1\)"):
        em.glm("y ~ x", chunked(values, [0, 2, 6]))
    values["x"][2] = np.inf
    with pytest.raises(em.DataError, match="column 'x' is inf in row 2"):
        em.glm("y ~ x", chunked(values, [0, 2, 6]))


def test_a_table_of_row_groups_is_joined_block_by_block_and_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n, names = 400_000, "abcdef"
    rng = np.random.default_rng(1)
    values: dict[str, Any] = {name: rng.normal(size=n) for name in names}
    values["y"] = rng.poisson(1.0, n).astype(float)
    table, formula = chunked(values, [*range(0, n, 50_000), n]), "y ~ " + " + ".join(names)
    held, joined, plainly = pa.total_allocated_bytes(), [], Joined.__array__

    def noted(column: Joined, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        joined.append(len(column))
        return plainly(column, dtype, copy)

    monkeypatch.setattr(Joined, "__array__", noted)
    fit = em.glm(formula, table, "poisson")
    assert joined.count(n) == 1  # the response, which every pass reads
    assert max(length for length in joined if length < n) <= n // 2
    tracemalloc.start()
    try:
        fit.predict(table)
        assert tracemalloc.get_traced_memory()[0] < 8 * n
    finally:
        tracemalloc.stop()
    assert pa.total_allocated_bytes() == held
