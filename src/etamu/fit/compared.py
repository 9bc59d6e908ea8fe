"""Which two counterfactuals a contrast compares, and by which measure; of one predictor and of several.

May import: everything below `fit`.
Read next: `etamu.fit.effects`, which averages over the rows put there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import OptionError
from etamu._base.listing import listed
from etamu._base.types import Mask
from etamu.data.column import Column
from etamu.data.frame import Frame
from etamu.fit.averages import Average
from etamu.fit.numerals import short
from etamu.fit.scene import Variable, constant_column

MEASURES = ("difference", "ratio", "lnratio", "oddsratio", "lnoddsratio")
"""How two averages are compared."""

NAMES = {"lnratio": "ln ({})", "lnoddsratio": "ln odds ({})", "oddsratio": "odds ({})"}

Changes = Mapping[str, Column]
Look = tuple[str, Changes]
"""What a counterfactual is called, and the columns that are changed for it."""


def check_measure(measure: str, *, shares: bool) -> None:
    """Refuse a measure that is none, and odds of what is no share.

    Raises
    ------
    OptionError
    """
    check_choice("measure", measure, MEASURES)
    if measure.endswith("oddsratio") and not shares:
        raise OptionError(f"an odds ratio needs means between 0 and 1; use measure='ratio', not {measure!r}")


def pairs_of(frame: Frame, keep: Mask, variable: Variable, compare: Any) -> list[tuple[Look, Look]]:
    """Return the counterfactuals to compare, the second from which and the first to which.

    Parameters
    ----------
    frame : Frame
    keep : mask (rows,)
        The rows in use.
    variable : Variable
    compare : optional
        For levels "reference" (if left out), "pairwise", "sequential", or (from, to). For a number a step (1
        if left out), (from, to), "iqr" or "range".

    Raises
    ------
    OptionError
        If it is not understood.
    """
    return (_levels if variable.levels else _numbers)(frame, keep, variable, compare)


def contrasted(
    pairs: list[tuple[Look, Look]], measure: str, average: Callable[[Changes], Average]
) -> list[tuple[str, Average]]:
    """Compare averages with some columns changed, each computed once; ratios stay logarithms."""
    sign = "-" if measure == "difference" else "/"
    known: dict[str, Average] = {}
    parts = []
    for high, low in pairs:
        for text, changes in (high, low):
            if text not in known:
                known[text] = average(changes)
        text = NAMES.get(measure, "{}").format(f"{high[0]} {sign} {low[0]}")
        parts.append((text, _compared(known[high[0]], known[low[0]], measure)))
    return parts


def _levels(frame: Frame, keep: Mask, variable: Variable, compare: Any) -> list[tuple[Look, Look]]:
    del keep
    count, base = len(variable.levels), variable.base
    looks = [
        (level, {variable.name: constant_column(frame, variable, place)})
        for place, level in enumerate(variable.levels)
    ]
    if compare is None or (isinstance(compare, str) and compare == "reference"):
        return [(looks[place], looks[base]) for place in range(count) if place != base]
    if isinstance(compare, str) and compare == "pairwise":
        return [(looks[j], looks[i]) for i in range(count) for j in range(i + 1, count)]
    if isinstance(compare, str) and compare == "sequential":
        return [(looks[place + 1], looks[place]) for place in range(count - 1)]
    low, high = _pair(variable, compare)
    return [(looks[_place(variable, high)], looks[_place(variable, low)])]


def _pair(variable: Variable, compare: Any) -> tuple[Any, Any]:
    if isinstance(compare, (tuple, list)) and len(compare) == 2:
        return compare[0], compare[1]
    if variable.levels:
        known = "'reference', 'pairwise', 'sequential', or (from, to)"
    else:
        known = "a step such as 10, (from, to), 'iqr' or 'range'"
    raise OptionError(f"compare={compare!r} is not understood for {variable.name!r}; give {known}")


def _place(variable: Variable, level: Any) -> int:
    if variable.numbers is not None and isinstance(level, (int, float)) and level in variable.numbers:
        return variable.numbers.index(level)
    if str(level) in variable.levels:
        return variable.levels.index(str(level))
    raise OptionError(f"{variable.name!r} has no level {level!r}; the levels are {listed(variable.levels)}")


def _numbers(frame: Frame, keep: Mask, variable: Variable, compare: Any) -> list[tuple[Look, Look]]:
    """Read a step, two values, or a word for two values."""
    name = variable.name
    values = np.asarray(frame.column(name).values)[keep].astype(np.float64)
    if compare is None or (isinstance(compare, (int, float)) and not isinstance(compare, bool)):
        step = 1.0 if compare is None else float(compare)
        if not np.isfinite(step) or step == 0.0:
            raise OptionError(f"compare={compare!r} is no step for {name!r}; give a number other than 0")
        moved = np.zeros(len(frame))
        moved[keep] = values + step
        text = f"({name} {'+' if step > 0 else '-'} {abs(step):g})"
        return [((text, {name: Column(name, "numeric", moved)}), (name, {}))]
    if isinstance(compare, str) and compare in {"iqr", "range"}:
        share = (0.25, 0.75) if compare == "iqr" else (0.0, 1.0)
        low, high = (float(each) for each in np.quantile(values, share))
    else:
        ends = _pair(variable, compare)
        try:
            low, high = float(ends[0]), float(ends[1])
        except (TypeError, ValueError):
            raise OptionError(f"compare={compare!r}: {name!r} is numeric; give two numbers") from None

    def at(value: float) -> Look:
        return short(value), {name: constant_column(frame, variable, value)}

    return [(at(high), at(low))]


def _compared(high: Average, low: Average, measure: str) -> Average:
    if measure == "difference":
        return high - low
    odds = measure.endswith("oddsratio")
    return _logarithm(high, odds=odds) - _logarithm(low, odds=odds)


def _logarithm(average: Average, *, odds: bool) -> Average:
    with np.errstate(all="ignore"):
        value = np.log(average.value) - (np.log1p(-average.value) if odds else 0.0)
        slope = 1.0 / (average.value * (1.0 - average.value) if odds else average.value)
    return Average(value, average.gradient * slope[:, None])
