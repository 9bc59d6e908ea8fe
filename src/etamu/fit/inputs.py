"""Data keywords: offset, exposure, trials and the three kinds of weights, checked before any work.

May import: everything below `fit`.
Read next: `etamu.fit.assemble`, which puts them into a problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from etamu._base.errors import DataError, OptionError
from etamu._base.facts import dataclass
from etamu._base.flags import are_all
from etamu._base.types import Array, Mask
from etamu.data.column import Column, refuse_rounded
from etamu.data.evaluate import all_finite
from etamu.data.frame import Frame
from etamu.design.chunk import Ids, Weights
from etamu.family.link import Link

FARTHEST = 1e300
"""Largest offset of which sums over rows are numbers."""


class Linked(Protocol):
    """What has a link: a unit, or a parameter of a family of several."""

    @property
    def link(self) -> Link:
        """The map between eta and what it stands for."""


@dataclass(frozen=True, slots=True)
class Keywords:
    """What the data keywords were given: a column name, an array, or nothing.

    Parameters
    ----------
    offset, exposure, trials, frequency_weights, variance_weights, sampling_weights : str, array or None
    """

    offset: Any = None
    exposure: Any = None
    trials: Any = None
    frequency_weights: Any = None
    variance_weights: Any = None
    sampling_weights: Any = None

    def given(self) -> dict[str, Any]:
        """Return the keywords that were given."""
        every = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: value for name, value in every if value is not None}

    def name_of(self, keyword: str) -> str | None:
        """Return the column a keyword names, None for an array or nothing."""
        value = getattr(self, keyword)
        return value if isinstance(value, str) else None

    def arrays(self) -> tuple[str, ...]:
        """Return the keywords that were given as arrays."""
        return tuple(name for name, value in self.given().items() if not isinstance(value, str))


def refuse_response(response: str, keywords: Keywords) -> None:
    """Refuse the response as its own offset, exposure or trials: it would explain itself.

    Raises
    ------
    DataError
    """
    for keyword in ("offset", "exposure", "trials"):
        if keywords.name_of(keyword) == response:
            raise DataError(
                f"{keyword}={response!r} is the response itself, which would be explained by itself: name "
                "another column"
            )


def columns_of(frame: Frame, keywords: Keywords) -> dict[str, Column]:
    """Read the column behind every keyword that was given."""
    return {name: frame.keyword(name, value) for name, value in keywords.given().items()}


def numbers(column: Column, label: str, rows: Ids | None = None) -> Array:
    """Return a column as float64, refusing text and infinite values; missing ones become NaN.

    `rows` are the positions of its entries in the input, where those are not all of them.

    Raises
    ------
    DataError
        Naming the column, the row and the value.
    """
    if column.kind not in {"numeric", "boolean"}:
        where = 0 if column.missing is None else int(np.flatnonzero(~column.missing)[0])
        raise DataError(
            f"{label} must be numbers, but row {where} holds {column.shown(where)}: convert the column first"
        )
    refuse_rounded(column.name or label, column.values)
    values = np.asarray(column.values, dtype=np.float64)
    if column.missing is not None:
        values = np.where(column.missing, np.nan, values)
    if not (column.finite or all_finite(values)):
        refuse(np.isinf(values), values, f"{label} must be finite", "correct or remove it", rows)
    return values


def kept(values: Array, keep: Mask) -> Array:
    """Take the rows in use; the array itself where all are."""
    return values if are_all(keep) else values[keep]


def refuse(wrong: Mask, values: Array, rule: str, remedy: str, rows: Ids | None = None) -> None:
    """Raise a DataError that names the first wrong row and its value, if there is one."""
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        row = first if rows is None else int(rows[first])
        count = int(wrong.sum())
        more = f" ({count} such rows)" if count > 1 else ""
        raise DataError(f"{rule}, but row {row} holds {exactly(values[first])}{more}: {remedy}")


def exactly(value: Any) -> str:
    """Write a number as short as it can be told from its neighbours, 2 and 2.0000000001.

    Examples
    --------
    >>> exactly(2.0), exactly(1e300), exactly(np.nextafter(1.0, 2.0))
    ('2', '1e+300', '1.0000000000000002')
    """
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def _least(values: Array, ends: tuple[float, float] | None) -> float:
    """Return the smallest value, NaN where any is: from the ends where known, else without a mask."""
    if ends is not None:
        return ends[0]
    with np.errstate(invalid="ignore"):
        return float(np.min(values, initial=np.inf))


def _label(keyword: str, column: Column) -> str:
    return keyword if column.name in {"", keyword} else f"{keyword} (column {column.name!r})"


def offset_of(frame: Frame, offset: Any, exposure: Any, unit: Linked) -> Array | None:
    """Add the offset and the log of the exposure, one number per row of the frame; NaN where missing.

    Raises
    ------
    OptionError
        If there is an exposure and the link is not log.
    DataError
        If an exposure is not positive, or a value not finite.
    """
    given = {k: frame.keyword(k, v) for k, v in (("offset", offset), ("exposure", exposure)) if v is not None}
    return offset_from(given, unit)


def offset_from(columns: Mapping[str, Column], unit: Linked) -> Array | None:
    """Add offset and log exposure from their columns."""
    parts: list[Array] = []
    if "offset" in columns:
        label = _label("offset", columns["offset"])
        values = numbers(columns["offset"], label)
        if not max(map(abs, columns["offset"].ends or (np.inf,))) <= FARTHEST:
            with np.errstate(invalid="ignore"):
                far = np.abs(values) > FARTHEST
            refuse(far, values, f"{label} must be within +-{FARTHEST:g}", "correct it, or use other units")
        parts.append(values)
    if "exposure" in columns:
        if unit.link.name != "log":
            raise OptionError(
                f"exposure needs the log link, where its log is an offset; the link is {unit.link.name}. "
                "Use offset= with a column you have computed for this link"
            )
        column = columns["exposure"]
        label = _label("exposure", column)
        values = numbers(column, label)
        if not _least(values, column.ends) > 0:
            refuse(values <= 0, values, f"{label} must be positive", "drop the row or correct its exposure")
        parts.append(np.log(values))
    return sum(parts[1:], start=parts[0]) if parts else None


def trials_of(frame: Frame, trials: Any) -> Array:
    """Return the trials, non-negative whole numbers."""
    return trials_from(frame.keyword("trials", trials))


def trials_from(column: Column) -> Array:
    """Return the trials of each row from their column; NaN where missing."""
    label = _label("trials", column)
    values = numbers(column, label)
    with np.errstate(invalid="ignore"):
        wrong = (values < 0) | (np.abs(values - np.round(values)) > whole_tolerance(values))
    refuse(wrong, values, f"{label} must be whole numbers, 0 or more", "give the number of trials of the row")
    return np.round(values)


def whole_tolerance(values: Array) -> Array:
    """Return how far from a whole number still counts as one: rounding in proportion times trials."""
    return np.asarray(1e-7 * np.maximum(np.abs(values), 1.0))


def weights_from(columns: Mapping[str, Column], complete: Mask) -> Weights:
    """Check the three kinds of weights and normalise sampling weights to add up to their rows.

    Raises
    ------
    DataError
        If a weight is negative, or a frequency not whole, or all are zero.
    """
    found: dict[str, Array] = {}
    for keyword in ("frequency_weights", "variance_weights", "sampling_weights"):
        if keyword not in columns:
            continue
        label = _label(keyword, columns[keyword])
        values = numbers(columns[keyword], label)
        if not _least(values, columns[keyword].ends) >= 0:
            refuse(values < 0, values, f"{label} must not be negative", "correct or drop the row")
        if keyword == "frequency_weights":
            fraction = (values != np.round(values)) & ~np.isnan(values)  # a missing one is a missing row
            refuse(
                fraction,
                values,
                f"{label} count identical rows and must be whole numbers",
                "use variance_weights for known precisions or sampling_weights for a survey",
            )
        used = kept(values, complete)
        if not np.any(used > 0):
            raise DataError(f"{label} are zero in every row that could be used: there is nothing to fit")
        found[keyword.removesuffix("_weights")] = used
    if "sampling" in found:
        # Their sum may be beyond float64; a power of two out of them costs no digit.
        sampling = np.ldexp(found["sampling"], -int(np.frexp(found["sampling"].max())[1]))
        found["sampling"] = sampling * (np.count_nonzero(sampling) / sampling.sum())
    return Weights(**found)
