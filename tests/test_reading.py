"""What a fit reads: columns where they lie, every pass counted, and no thread is begun for a few numbers."""

from __future__ import annotations

import concurrent.futures
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import etamu as em
from etamu._base.kernel import kernel
from etamu.execute.threads import ALONE, Threads

N = 60_000
NAMES = ("a", "b", "c", "d", "e", "f")
FORMULA = "y ~ " + " + ".join(NAMES)


def columns() -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(8)
    numbers: dict[str, np.ndarray[Any, Any]] = {name: rng.normal(size=N) for name in NAMES[:4]}
    numbers["e"] = rng.normal(size=N).astype(np.float32)
    numbers["f"] = rng.integers(-90, 90, N).astype(np.int16)
    return numbers


def matrix() -> np.ndarray[Any, Any]:
    return np.column_stack([*columns().values()])


def table() -> dict[str, np.ndarray[Any, Any]]:
    return columns() | {"y": response()}


def response() -> np.ndarray[Any, Any]:
    return np.random.default_rng(9).poisson(1.0, N).astype(float)


WAYS: dict[str, tuple[Callable[[], Any], bool]] = {
    "row-major": (matrix, False),
    "column-major": (lambda: np.asfortranarray(matrix()), False),
    "part of each row": (lambda: np.repeat(matrix(), 2, axis=1)[:, ::2], False),
    "bytes": (lambda: (matrix() * 20).astype(np.int8), False),
    "floats of four bytes": (lambda: matrix().astype(np.float32), False),
    "a dictionary": (table, True),
    "pandas": (lambda: pd.DataFrame(table()), True),
    "polars": (lambda: pl.DataFrame(table()), True),
    "Arrow": (lambda: pa.table(table()), True),
}


@pytest.mark.skipif(kernel is None, reason="the NumPy twins write a panel of floats")
@pytest.mark.parametrize("way", WAYS)
def test_columns_are_read_where_they_lie(way: str) -> None:
    make, named = WAYS[way]
    data, y = make(), response()

    def fit() -> em.Fit:
        return em.glm(FORMULA, data, family="poisson") if named else em.GLM("poisson").fit(data, y)

    fit()
    tracemalloc.start()
    try:
        fit()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # One copy of one column of eight bytes for each of the sample's few, of a mask, of y: not six columns.
    assert peak < 3 * 8 * N


@pytest.mark.skipif(kernel is None, reason="the NumPy twins describe the columns in a pass of its own")
@pytest.mark.parametrize("family", ["poisson", "binomial"])
def test_every_pass_over_all_rows_of_a_large_fit_is_counted(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400_000, 5))
    y = (rng.random(len(x)) < 0.3).astype(float)
    looks = []
    reduce = Threads.reduce

    def counted(self: Threads, fn: Callable[..., Any]) -> Any:
        if len(self.whole) == len(x):
            looks.append(fn)
        return reduce(self, fn)

    monkeypatch.setattr(Threads, "reduce", counted)
    assert em.GLM(family).fit(x, y).passes == len(looks)


def test_no_thread_is_begun_for_few_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def begun(*_: Any, **__: Any) -> None:
        raise AssertionError("a thread")

    monkeypatch.setattr(concurrent.futures, "ThreadPoolExecutor", begun)
    monkeypatch.setenv("ETAMU_THREADS", "2")
    rng = np.random.default_rng(4)
    n = ALONE // 6
    x, y = rng.normal(size=(n, 4)), rng.poisson(1.0, n).astype(float)
    em.GLM("poisson").fit(x, y)
    em.glm("y ~ a + b", {"a": x[:, 0], "b": x[:, 1], "y": y}, family="poisson").summary()
