"""The index of pandas: names of rows, by which series may belong together in another order.

May import: `etamu._base`.
Read next: `etamu.data.frame`, which reads values by place and asks here whether that is meant.
"""

from __future__ import annotations

import sys
from typing import Any

from etamu._base.errors import DataError, OptionError


def index_of(values: Any) -> Any:
    """Return the index of a pandas series or table, None of anything else."""
    pandas = sys.modules.get("pandas")
    named = pandas is not None and isinstance(values, (pandas.Series, pandas.DataFrame))
    return values.index if named else None


def refuse_named_otherwise(values: Any, names: tuple[str, ...]) -> None:
    """Refuse a series of numbers, one for each name, whose index has the names in another order.

    Raises
    ------
    OptionError
        Naming the first of them.
    """
    own = index_of(values)
    labels = () if own is None else tuple(map(str, own))
    if set(labels) & set(names) and labels != names:
        place = next(place for place, pair in enumerate(zip(labels, names, strict=True)) if len({*pair}) > 1)
        raise OptionError(
            f"start has another order than the coefficients: its number {place} is of {labels[place]!r}, "
            f"there it is {names[place]!r}; give start.loc[names], or start.to_numpy() if the order is right"
        )


def refuse_other_index(what: str, values: Any, beside: str, index: Any) -> None:
    """Refuse a series whose rows are named otherwise than those it stands beside.

    The numbers 0 to n - 1 say nothing but the place, unless the other has the same numbers in another order.

    Raises
    ------
    DataError
        Naming the first row in which the names differ.
    """
    own = index_of(values)
    if own is None or index is None or own.equals(index):
        return
    if (_by_place(own) or _by_place(index)) and not own.isin(index).all():
        return
    row = next((row for row, (a, b) in enumerate(zip(own, index, strict=True)) if a != b), None)
    if row is not None:
        raise DataError(
            f"{what} has another index than {beside}: its row {row} is {_shown(own[row])}, there it is "
            f"{_shown(index[row])}; align them first, series.loc[data.index], or give series.to_numpy() "
            "if the order is right"
        )


def _by_place(index: Any) -> bool:
    return index.dtype.kind == "i" and all(place == label for place, label in enumerate(index))


def _shown(label: Any) -> str:
    return repr(label.item() if hasattr(label, "item") else label)
