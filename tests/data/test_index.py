"""Series that belong together by name must lie in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import etamu as em
from etamu._base.errors import DataError
from etamu.data.index import index_of, refuse_other_index

DATA = pd.DataFrame({"x": np.arange(12.0), "y": [1, 3, 2, 4, 6, 5, 8, 7, 9, 8, 12, 11]})
TURNED = pd.Series(np.arange(1.0, 13.0), index=np.arange(12)[::-1])


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda: em.glm("y ~ x", DATA, variance_weights=TURNED), "variance_weights has another index than"),
        (lambda: em.glm("y ~ x", DATA, offset=TURNED), "offset has .*: its row 0 is 11, there it is 0;"),
        (lambda: em.glm("y ~ x", {"x": DATA.x, "y": DATA.y[::-1]}), "column 'y' has another index"),
        (lambda: em.GLM().fit(DATA[["x"]], DATA.y[::-1]), "y has another index than the data"),
    ],
    ids=["weights", "offset", "dict", "response"],
)
def test_rows_of_other_names_are_refused(fit: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit()


def test_the_same_rows_are_taken() -> None:
    some = DATA[::2]
    of_names = em.glm("y ~ x", some, variance_weights=TURNED.loc[some.index])
    by_place = em.glm("y ~ x", some, variance_weights=TURNED.loc[some.index].to_numpy())
    np.testing.assert_array_equal(of_names.coef, by_place.coef)
    em.GLM().fit(some[["x"]], some.y)


def test_only_pandas_has_an_index() -> None:
    for values in ([1, 2], (1, 2), np.ones(2), pl.Series([1, 2]), None):
        assert index_of(values) is None
        refuse_other_index("y", values, "the data", DATA.index)
    refuse_other_index("y", TURNED, "the data", None)


def test_the_same_names_of_another_type_are_the_same() -> None:
    labels = pd.Index([0, 1], dtype=object)
    refuse_other_index("y", pd.Series([1.0, 2.0], index=labels), "x", pd.RangeIndex(2))


def test_places_are_no_names_unless_they_are_the_same_in_another_order() -> None:
    placed = pd.Series([1.0, 2.0, 3.0])
    refuse_other_index("y", placed, "the data", pd.Index([9, 9, 3]))
    refuse_other_index("y", pd.Series([1.0, 2.0, 3.0], index=["a", "b", "c"]), "the data", placed.index)
    with pytest.raises(DataError, match="its row 1 is 1, there it is 2"):
        refuse_other_index("y", placed, "the data", pd.Index([0, 2, 1]))
    with pytest.raises(DataError, match="its row 0 is 'a', there it is 'd'"):
        refuse_other_index("y", pd.Series([1.0], index=["a"]), "the data", pd.Index(["d"]))
