"""One table in every library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

Maker = Callable[[dict[str, Any]], Any]


def _pandas_nullable(columns: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame({name: list(values) for name, values in columns.items()}).convert_dtypes()


def _pandas_arrow(columns: dict[str, Any]) -> pd.DataFrame:
    return _pandas_nullable(columns).convert_dtypes(dtype_backend="pyarrow")


def _pandas_objects(columns: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(list(values), dtype=object) for name, values in columns.items()})


def _plain(columns: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: list(values) for name, values in columns.items()}


def _arrays(columns: dict[str, Any]) -> dict[str, Any]:
    return {name: np.array(list(values), dtype=object) for name, values in columns.items()}


MAKERS: dict[str, Maker] = {
    "pandas": lambda columns: pd.DataFrame(_plain(columns)),
    "pandas nullable": _pandas_nullable,
    "pandas arrow": _pandas_arrow,
    "pandas objects": _pandas_objects,
    "polars": lambda columns: pl.DataFrame(_plain(columns)),
    "polars lazy": lambda columns: pl.LazyFrame(_plain(columns)),
    "pyarrow": lambda columns: pa.table(_plain(columns)),
    "lists": _plain,
    "arrays": _arrays,
}


@pytest.fixture(params=list(MAKERS))
def make(request: pytest.FixtureRequest) -> Maker:
    """Make a table of the library from a dict of lists, None being missing."""
    return MAKERS[request.param]
