"""The limit of a fit as plain values for a model file, and back.

May import: everything below `fit`.
Read next: `etamu.fit.store` and `etamu.fit.restore`, which write and read the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from etamu._base.types import Array
from etamu.fit.document import Place
from etamu.fit.limit import Limit
from etamu.solve.oracle import Outcome

MOST = 1_000
"""Positions of separated rows that a file keeps; it keeps their number in any case."""


def limit_to(limit: Limit) -> dict[str, Any]:
    """Write a limit as numbers and texts."""
    return {
        "direction": limit.direction,
        "gone": np.flatnonzero(limit.gone),
        "basis": list(limit.basis.T),
        "cone": list(limit.cone),
        "rows": np.sort(limit.rows)[:MOST],
        "count": limit.count,
        "levels": [list(pair) for pair in limit.levels],
        "beta": limit.beta,
        "outcome": limit.outcome.value,
        "far": limit.far,
        "common": limit.common,
        **({"ends": list(limit.ends)} if limit.ends else {}),
        **({"paid": 1} if limit.paid else {}),
    }


def limit_from(place: Place, size: int) -> Limit:
    """Read a limit.

    Raises
    ------
    FileError
        If something stands where it cannot.
    """
    place.only(
        "direction", "gone", "basis", "cone", "rows", "count", "beta", "outcome", "far", "common",
        "levels", "ends", "paid",
    )  # fmt: skip
    gone = np.zeros(size, dtype=bool)
    columns = [part.count(0, size - 1) for part in place["gone"]]
    gone[columns] = True
    if not columns or int(gone.sum()) != len(columns):
        raise place["gone"].error("the columns are none, or repeated")
    number = len(columns)
    return Limit(
        direction=place["direction"].numbers(size, finite=True),
        basis=_matrix(place["basis"], size, number).T,
        gone=gone,
        cone=_matrix(place["cone"], number),
        rows=np.array([part.count() for part in place["rows"]], dtype=np.int64),
        beta=place["beta"].numbers(size - number, finite=True),
        outcome=Outcome(place["outcome"].word(*(member.value for member in Outcome))),
        far=place["far"].number(),
        common=place["common"].count(-1, 1),
        count=place["count"].count(),
        levels=tuple(_pair(part) for part in place["levels"]),
        ends=() if place.get("ends") is None else place["ends"].texts(),
        paid=place.get("paid") is not None and place["paid"].count(0, 1) == 1,
    )


def _pair(place: Place) -> tuple[str, str]:
    place.parts(2)
    factor, level = place
    return factor.text(), level.text()


def _matrix(place: Place, width: int, rows: int | None = None) -> Array:
    place.parts(rows)
    found = [row.numbers(width, finite=True) for row in place]
    if not found:
        raise place.error("there are no rows")
    return np.array(found, dtype=np.float64)
