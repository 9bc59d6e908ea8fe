"""One body, every data-frame library: the same bits in and out, tables in the library that came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import etamu as em

RNG = np.random.default_rng(17)
N = 400
REGION = np.array(["north", "south", "west"])[RNG.integers(0, 3, N)]
AGE = np.where(RNG.random(N) < 0.05, np.nan, RNG.uniform(18.0, 80.0, N))
COLUMNS: dict[str, Any] = {
    "claims": RNG.poisson(0.6, N),
    "region": REGION,
    "age": AGE,
    "kids": RNG.integers(0, 4, N),
    "years": RNG.uniform(0.2, 1.0, N),
    "diesel": RNG.random(N) < 0.4,
}
NEW = {name: column[:7] for name, column in COLUMNS.items()}
FORMULA = "claims ~ region*kids + bs(age, df=4) + diesel"


def nulls(columns: dict[str, Any]) -> dict[str, list[Any]]:
    """Lists in which a missing number is None, as tables with null values hold it."""
    return {
        name: [None if value != value else value for value in np.asarray(column).tolist()]
        for name, column in columns.items()
    }


def nullable(columns: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(columns).convert_dtypes()


def arrow_backed(columns: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: pd.array(values, dtype=pd.ArrowDtype(kind(name))) for name, values in nulls(columns).items()}
    )


def kind(name: str) -> pa.DataType:
    return {"region": pa.string(), "diesel": pa.bool_(), "claims": pa.int64(), "kids": pa.int64()}.get(
        name, pa.float64()
    )


def categorical(columns: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(columns).astype({"region": "category"})


def coded(region: np.ndarray) -> pa.DictionaryArray:
    """A dictionary declares its order: the same as sorting would give, to compare with text."""
    levels, codes = np.unique(region, return_inverse=True)
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(levels))


FRAMES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "dict of arrays": dict,
    "dict of lists": lambda columns: {name: np.asarray(c).tolist() for name, c in columns.items()},
    "pandas": pd.DataFrame,
    "pandas nullable": nullable,
    "pandas Arrow-backed": arrow_backed,
    "pandas categorical": categorical,
    "Polars": lambda columns: pl.DataFrame(nulls(columns)),
    "Polars lazy": lambda columns: pl.DataFrame(nulls(columns)).lazy(),
    "Polars enum": lambda columns: pl.DataFrame(nulls(columns)).with_columns(
        pl.col("region").cast(pl.Enum(["north", "south", "west"]))
    ),
    "PyArrow": lambda columns: pa.table(nulls(columns)),
    "PyArrow dictionary": lambda columns: pa.table(nulls(columns)).set_column(
        1, "region", coded(columns["region"])
    ),
    "PyArrow in chunks": lambda columns: pa.concat_tables(
        [
            pa.table(nulls({n: c[:3] for n, c in columns.items()})),
            pa.table(nulls({n: c[3:] for n, c in columns.items()})),
        ]
    ),
}


def fitted(data: Any) -> em.Fit:
    with pytest.warns(em.DroppedRowsWarning, match=r"rows dropped for missing values: age \("):
        return em.glm(FORMULA, data, "poisson", exposure="years")


@pytest.fixture(scope="module")
def reference() -> em.Fit:
    return fitted(COLUMNS)


@pytest.mark.parametrize("library", FRAMES)
def test_every_library_gives_the_same_bits(library: str, reference: em.Fit) -> None:
    make = FRAMES[library]
    fit = fitted(make(COLUMNS))
    assert fit.names == reference.names
    for name in ("coef", "se", "cov", "p_values"):
        assert np.array_equal(getattr(fit, name), getattr(reference, name)), name
    for name in ("deviance", "null_deviance", "loglik", "aic", "nobs", "pearson_chi2"):
        assert getattr(fit, name) == getattr(reference, name), name
    for kind_of_residual in ("response", "deviance"):
        ours, theirs = fit.residuals(kind_of_residual), reference.residuals(kind_of_residual)
        assert np.array_equal(ours, theirs, equal_nan=True)
    got, expected = (one.predict(make(NEW), interval="confidence") for one in (fit, reference))
    assert np.array_equal(got.estimate, expected.estimate, equal_nan=True)
    assert np.array_equal(got.upper, expected.upper, equal_nan=True)
    # A model fitted in one library predicts rows of another.
    assert np.array_equal(fit.predict(NEW), expected.estimate, equal_nan=True)


@pytest.mark.parametrize(
    ("library", "table"),
    [("dict of arrays", dict), ("pandas", pd.DataFrame), ("Polars", pl.DataFrame), ("PyArrow", pa.Table)],
)
def test_tables_answer_in_the_library_that_came_in(library: str, table: type) -> None:
    fit = fitted(FRAMES[library](COLUMNS))
    for answer in (fit.tidy(), fit.tidy(0.9), fit.glance(), fit.augment()):
        assert isinstance(answer, table)
    augmented = fit.augment()
    assert len(augmented["fitted"]) == N


@pytest.mark.parametrize("library", ["pandas", "Polars", "PyArrow"])
def test_dates_are_refused_with_a_remedy(library: str) -> None:
    days = [np.datetime64("2026-01-01") + np.timedelta64(i, "D") for i in range(4)]
    columns = {"y": [1.0, 2.0, 3.0, 5.0], "day": [day.astype("datetime64[ms]").item() for day in days]}
    make = {"pandas": pd.DataFrame, "Polars": pl.DataFrame, "PyArrow": pa.table}[library]
    with pytest.raises(em.DataError, match=r"'day'.*number"):
        em.glm("y ~ day", make(columns))


def test_a_column_nobody_uses_may_be_anything() -> None:
    table = pd.DataFrame({"y": [1.0, 2.0, 4.0], "x": [0.0, 1.0, 2.0], "odd": [object(), {}, []]})
    assert em.glm("y ~ x", table).converged


def test_a_pandas_index_is_neither_needed_nor_confused() -> None:
    table = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "x": [0.0, 1.0, 2.0, 3.0]}, index=[9, 9, 3, 1])
    weights = pd.Series([1.0, 2.0, 1.0, 1.0], index=[0, 1, 2, 3])
    fit = em.glm("y ~ x", table, variance_weights=weights)
    plain = em.glm(
        "y ~ x", {"y": table["y"].to_numpy(), "x": table["x"].to_numpy()}, variance_weights=[1, 2, 1, 1]
    )
    assert np.array_equal(fit.coef, plain.coef)
