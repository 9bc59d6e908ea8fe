"""Codes of levels: texts become them, and they are renumbered and counted, compiled where that is at hand.

May import: numpy, `etamu._base`.
Read next: `etamu.data.column`, whose categories are coded by it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import NoneType
from typing import Any

import numpy as np

from etamu._base.kernel import kernel
from etamu._base.types import Mask

RawArray = np.ndarray[Any, Any]

FIRST, MORE, MOST = 1024, 8, 1 << 16
"""Rows looked at before it is asked whether all levels have been seen, then so many times as many."""


def smallest(levels: int) -> np.dtype[Any]:
    """Choose the smallest signed integers that hold the codes of so many levels and -1.

    Examples
    --------
    >>> smallest(128), smallest(129)
    (dtype('int8'), dtype('int16'))
    """
    return next(np.dtype(kind) for kind in (np.int8, np.int16, np.int32) if levels - 1 <= np.iinfo(kind).max)


def distinct_texts(values: RawArray) -> tuple[RawArray, list[str]] | None:
    """Code an array by its distinct strings, numbered as they come; -1 where there is None or NaN.

    Parameters
    ----------
    values : array (n,) of objects or of text

    Returns
    -------
    codes (n,) and the strings, or None where the array holds anything else.

    Examples
    --------
    >>> distinct_texts(np.array(["b", None, "a", "b"], dtype=object))
    (array([ 0, -1,  1,  0], dtype=int32), ['b', 'a'])
    """
    if values.dtype.kind == "U":
        return _fixed_texts(values)
    if kernel is None:
        return _texts(values.tolist())
    codes = np.empty(len(values), dtype=np.int32)
    levels = kernel.code_objects(values.astype(object, copy=False), codes)
    return None if levels is None else (codes, levels)


def _fixed_texts(values: RawArray) -> tuple[RawArray, list[str]] | None:
    if kernel is None or not values.itemsize:
        return _texts(values.tolist())
    codes = np.empty(len(values), dtype=np.int32)
    # Characters beyond the end of a text are zero, so that equal texts have equal bytes.
    first = kernel.code_fixed(values.view(f"V{values.itemsize}"), codes)
    return codes, values[first].tolist()


def _texts(items: list[Any]) -> tuple[RawArray, list[str]] | None:
    if not set(map(type, items)) <= {str, float, NoneType}:
        return None
    table = dict.fromkeys(items)
    if any(type(item) is float and not math.isnan(item) for item in table):
        return None
    levels = [item for item in table if type(item) is str]
    place = {level: code for code, level in enumerate(levels)}
    codes = np.fromiter((place.get(item, -1) for item in items), dtype=np.int32, count=len(items))
    return codes, levels


def in_order(codes: RawArray, levels: Sequence[str]) -> tuple[RawArray, tuple[str, ...]]:
    """Renumber codes so that the levels are sorted by code point.

    Examples
    --------
    >>> in_order(np.array([0, -1, 1]), ["b", "a"])
    (array([ 1, -1,  0], dtype=int8), ('a', 'b'))
    """
    order = sorted(range(len(levels)), key=levels.__getitem__)
    lookup = np.empty(len(levels), dtype=smallest(len(levels)))
    lookup[order] = np.arange(len(levels))
    return relabelled(codes, lookup), tuple(levels[place] for place in order)


def relabelled(codes: RawArray, lookup: RawArray) -> RawArray:
    """Replace every code by the entry of a table of signed integers, a negative one by -1."""
    if kernel is None:
        return np.append(lookup, lookup.dtype.type(-1))[codes]
    out = np.empty(len(codes), dtype=lookup.dtype)
    kernel.relabel(codes, lookup, out)
    return out


def levels_seen(codes: RawArray, levels: int, keep: Mask | None = None) -> Mask:
    """Tell for every level whether a row in use has it.

    Examples
    --------
    >>> levels_seen(np.array([0, 2, -1]), 3).tolist()
    [True, False, True]
    """
    codes = codes if keep is None else codes[keep]
    seen = np.zeros(levels, dtype=bool)
    start, rows = 0, FIRST
    while start < len(codes) and not seen.all():
        block = codes[start : start + rows]
        if kernel is not None:
            kernel.levels_seen(block, seen)
        else:
            seen |= np.bincount(block[block >= 0], minlength=levels) > 0
        start, rows = start + rows, min(MORE * rows, MOST)
    return seen


def absent(codes: RawArray) -> Mask | None:
    """Return where codes are negative, None where none is."""
    if codes.dtype.kind == "u" or not len(codes) or codes.min() >= 0:
        return None
    return np.asarray(codes < 0)


def of_dictionary(array: Any) -> tuple[RawArray, list[Any], bool]:
    """Read codes, levels and their order from an Arrow dictionary; a null may stand among its values too."""
    if hasattr(array, "chunks"):
        array = array.unify_dictionaries()
        array = array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
        array = array.chunk(0) if hasattr(array, "chunks") else array
    levels = array.dictionary.to_pylist()
    codes = array.indices
    if codes.null_count:
        codes = codes.cast("int64").fill_null(-1)
    codes = codes.to_numpy(zero_copy_only=False)
    present = [place for place, level in enumerate(levels) if level is not None]
    if len(present) < len(levels):
        lookup = np.full(len(levels), -1, dtype=smallest(len(levels)))
        lookup[present] = np.arange(len(present))
        codes = relabelled(codes, lookup)
    return codes, [levels[place] for place in present], bool(array.type.ordered)
