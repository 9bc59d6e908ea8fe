"""Tables as data frames: what a user of each library would have in hand.

May import: numpy, pandas, polars (lazily), benchmarks.problem.
Read next: `benchmarks.rivals`.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.problem import Coded, Table


def pandas_frame(table: Table) -> pd.DataFrame:
    """Return the table in pandas: categories as categoricals, or as text where the table says so."""
    columns: dict[str, Any] = {table.response: table.y}
    for name, column in table.terms.items():
        if not isinstance(column, Coded):
            columns[name] = column
        elif table.text:
            columns[name] = pd.Series(column.text(), dtype="str")
        else:
            columns[name] = pd.Categorical.from_codes(column.codes, categories=list(column.levels))
    if table.exposure is not None:
        columns["Exposure"] = table.exposure
    return pd.DataFrame(columns)


def polars_frame(table: Table) -> Any:
    """Return the table in polars, categories as text, which is what rustystats reads."""
    import polars as pl

    columns: dict[str, Any] = {table.response: table.y}
    for name, column in table.terms.items():
        columns[name] = column.text() if isinstance(column, Coded) else column
    if table.exposure is not None:
        columns["Exposure"] = table.exposure
    return pl.DataFrame(columns)
