"""Tables of pandas whose columns have one name each: read without loading narwhals' part for pandas.

May import: numpy, `etamu._base`, `etamu.data`.
Read next: `etamu.data.frame`, which reads every other table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu.data.column import Column, boolean, coded, numeric

Otherwise = Callable[[str, Any], Column]
"""Reads a series of a kind that is not read here."""


def plain_pandas(data: Any, otherwise: Otherwise) -> tuple[tuple[str, ...], PlainPandas] | None:
    """Return the names of the columns and where they come from; None of anything else."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(data, pandas.DataFrame) or data.columns.nlevels != 1:
        return None
    places = {str(native): place for place, native in enumerate(_labels(data.columns))}
    if len(places) < data.shape[1]:
        return None
    return tuple(places), PlainPandas(data, places, otherwise)


def own_categories(name: str, known: Any) -> Column:
    """Read the codes of a library that keeps them as pandas does."""
    return coded(name, known.codes.to_numpy(), known.categories.tolist(), ordered=bool(known.ordered))


def _labels(index: Any) -> list[Any]:
    """List an index of pandas; of text kept by Arrow at once, not one by one."""
    if getattr(index.dtype, "storage", "") == "pyarrow" and not index.hasnans:
        return list(index.array.__arrow_array__().to_pylist())
    return list(index)


@dataclass(frozen=True, eq=False)
class PlainPandas:
    """A pandas table: numbers and categories are read as they lie, all else as narwhals reads it."""

    data: Any
    places: Mapping[str, int]
    otherwise: Otherwise

    def column(self, name: str) -> Column:
        """Read one column."""
        values = self._behind(self.places[name])
        kind = values.dtype.kind if isinstance(values, np.ndarray) else ""
        if kind in {"i", "u"} or (kind == "f" and values.dtype.itemsize in {4, 8}):
            return numeric(name, values, integer=kind != "f")
        if kind == "b":
            return boolean(name, values)
        if hasattr(values.dtype, "categories") and hasattr(values.dtype, "ordered"):
            return coded(name, values.codes, _labels(values.categories), ordered=bool(values.ordered))
        return self.otherwise(name, self.data.iloc[:, self.places[name]])

    def _behind(self, place: int) -> Any:
        """Return the array of a column, of which pandas would make a Series first: 30 times as long."""
        array = getattr(self.data, "_get_column_array", None)
        if array is not None:
            return array(place)
        series = self.data.iloc[:, place]
        return series.to_numpy() if isinstance(series.dtype, np.dtype) else series.array

    def table(self, arrays: Mapping[str, Any]) -> Any:
        """Make a table of pandas."""
        return sys.modules["pandas"].DataFrame(dict(arrays))

    def labels(self, rows: NDArray[np.intp]) -> Any:
        """Look up the index of some rows."""
        return np.asarray(self.index[rows])

    @property
    def index(self) -> Any:
        """The index."""
        return self.data.index
