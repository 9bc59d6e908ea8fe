"""The arguments of a stateful transform: bound to its parameters and read as numbers or refused by name.

May import: numpy, etamu._base.
Read next: `etamu.data.basis`, whose transforms take them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from etamu._base.errors import DataError, FormulaError
from etamu._base.types import Array

SPELLINGS = {"Boundary.knots": "boundary_knots", "include_intercept": "intercept"}
"""R's and formulaic's names for parameters of ours."""


def given(
    name: str, parameters: tuple[str, ...], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Bind arguments to parameters."""
    takes = f"{name}(x, {', '.join(parameters)})" if parameters else f"{name}(x)"
    if len(args) > len(parameters):
        raise FormulaError(f"{name}: {args[len(parameters)]!r} is one argument too many; the call is {takes}")
    given = dict(zip(parameters, args, strict=False))
    for spelled, value in kwargs.items():
        word = SPELLINGS.get(spelled, spelled)
        if word not in parameters:
            raise FormulaError(f"{name}: there is no argument {spelled!r}; the call is {takes}")
        if word in given:
            raise FormulaError(f"{name}: {word} is given twice, as {given[word]!r} and {value!r}")
        given[word] = value
    return given


def whole(name: str, word: str, value: Any, least: int) -> int:
    """Read an integer, which may be written 3.0."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not float(value).is_integer() or value < least:
        raise FormulaError(f"{name}: {word}={value!r} must be a whole number of at least {least}")
    return int(value)


def flag(name: str, word: str, value: Any) -> bool:
    """Read a truth value."""
    if not isinstance(value, bool | np.bool_):
        raise FormulaError(f"{name}: {word}={value!r} must be True or False")
    return bool(value)


def amount(name: str, word: str, value: Any, on: float, off: float) -> float:
    """Read what is either a switch between two numbers or a number itself."""
    if isinstance(value, bool | np.bool_):
        return on if value else off
    several = numbers(name, word, value)
    if len(several) != 1:
        raise FormulaError(f"{name}: {word}={value!r} must be True, False or one number")
    return float(several[0])


def numbers(name: str, word: str, value: Any) -> Array:
    """Read one finite number or several."""
    try:
        numbers = np.atleast_1d(np.asarray(value, dtype=np.float64)).ravel()
    except (TypeError, ValueError):
        raise FormulaError(f"{name}: {word}={value!r} must be a number or a list of numbers") from None
    if not np.all(np.isfinite(numbers)):
        raise FormulaError(f"{name}: {word}={value!r} must be finite")
    return numbers


def boundary(name: str, x: Array, boundary_knots: Any) -> tuple[float, float]:
    """Take the boundary knots as given, in either order, or the range of x."""
    if boundary_knots is None:
        low, high = float(x.min()), float(x.max())
        if low == high:
            raise DataError(f"{name}(x): x is constant ({low:g}); leave the term out or give boundary_knots=")
        return low, high
    ends = np.sort(numbers(name, "boundary_knots", boundary_knots))
    if len(ends) != 2 or ends[0] == ends[1]:
        raise FormulaError(f"{name}: boundary_knots={boundary_knots!r} must be two different numbers")
    return float(ends[0]), float(ends[1])
