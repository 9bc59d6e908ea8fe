"""The state of a transform read from a file: every number is checked before any is computed with.

May import: numpy, `etamu._base`, `etamu.data.basis`.
Read next: `etamu.data.saved`, which reads the rest of a schema.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from etamu._base.errors import DataError
from etamu.data.basis import Basis, restore

HIGHEST = 100
"""Highest degree of a polynomial or spline that is read back."""


def restored(state: Any) -> Basis:
    """Make the basis whose `state()` this is, having made sure that it can be evaluated.

    Raises
    ------
    DataError
        If a number is missing, of another kind, or cannot belong to such a basis.

    Examples
    --------
    >>> restored({"kind": "scale", "shift": 3.0, "width": 1.0})
    Scale(shift=3.0, width=1.0)
    >>> restored({"kind": "raw poly", "degree": 10**9})
    Traceback (most recent call last):
        ...
    etamu._base.errors.DataError: a saved basis has the degree 1000000000; it is a whole number from 1 to 100
    """
    if not isinstance(state, Mapping):
        raise DataError("a saved basis is not an object")
    check = _CHECKS.get(state.get("kind", ""))
    if check is not None:
        check(state)
    return restore(state)


def _poly(state: Mapping[str, Any]) -> None:
    _finite(state["centre"], "centre")
    _not_zero(state["spread"], "spread")
    norms = _row(state["norm2"], "norm2")
    if len(_row(state["alpha"], "alpha")) != len(norms) - 1 or len(norms) < 2 or min(norms) <= 0.0:
        raise DataError("a saved basis has norms that do not fit its degree")


def _raw_poly(state: Mapping[str, Any]) -> None:
    _degree(state["degree"])


def _bspline(state: Mapping[str, Any]) -> None:
    degree, width = _degree(state["degree"]), state["width"]
    splines = _knots(state["knots"], degree) - degree - 1
    if type(width) is not int or not 1 <= width <= splines:
        raise DataError(f"a saved basis has the width {width!r}; it is a whole number from 1 to {splines}")


def _natural(state: Mapping[str, Any]) -> None:
    rows = state["weights"]
    splines = _knots(state["knots"], 3) - 4
    if not isinstance(rows, list) or len(rows) != splines:
        raise DataError("a saved basis has weights that do not fit its knots")
    if len({len(_row(row, "weights")) for row in rows}) != 1 or not rows[0]:
        raise DataError("a saved basis has weights of several lengths")


def _scale(state: Mapping[str, Any]) -> None:
    _finite(state["shift"], "shift")
    _not_zero(state["width"], "width")


_CHECKS: dict[Any, Callable[[Mapping[str, Any]], None]] = {
    "poly": _poly,
    "raw poly": _raw_poly,
    "bs": _bspline,
    "ns": _natural,
    "scale": _scale,
}


def _finite(value: Any, name: str) -> float:
    if type(value) not in {int, float} or not math.isfinite(value):
        raise DataError(f"a saved basis has the {name} {value!r}; it is a finite number")
    return float(value)


def _not_zero(value: Any, name: str) -> None:
    if _finite(value, name) == 0.0:
        raise DataError(f"a saved basis has the {name} 0")


def _row(values: Any, name: str) -> list[float]:
    if not isinstance(values, list):
        raise DataError(f"a saved basis has no list of {name}")
    return [_finite(value, name) for value in values]


def _degree(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= HIGHEST:
        raise DataError(f"a saved basis has the degree {value!r}; it is a whole number from 1 to {HIGHEST}")
    return value


def _knots(values: Any, degree: int) -> int:
    """Count augmented knots that rise from one boundary to the other."""
    knots = _row(values, "knots")
    if len(knots) < 2 * degree + 2 or knots != sorted(knots) or not knots[0] < knots[-1]:
        raise DataError("a saved basis has knots that do not rise")
    return len(knots)
