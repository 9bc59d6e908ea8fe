"""One column as etamu sees it: numbers as they lie, or codes into levels, and what is missing.

May import: numpy, `etamu._base`, `etamu.data.codes`.
Read next: `etamu.data.codes` for texts, `etamu.data.frame`, which makes columns from every kind of table.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from decimal import Decimal
from math import isfinite, isnan, log10
from types import NoneType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import DataError
from etamu._base.facts import dataclass
from etamu._base.joined import Joined
from etamu._base.kernel import kernel
from etamu._base.types import Mask
from etamu.data.codes import RawArray, absent, distinct_texts, in_order

Kind = Literal["numeric", "boolean", "categorical", "text"]

NOTHING = frozenset({"NoneType", "NAType", "NaTType"})
"""Types whose values stand for a missing one."""

SPAN_REMEDY = "turn it into a number, such as days"
TIME_REMEDY = "turn it into a number (days since a date) or, for categories, into text"


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column of a table.

    Parameters
    ----------
    name : str
    kind : "numeric", "boolean", "categorical" or "text"
    values : array (n,)
        The numbers, in the dtype they came in; for other kinds the codes, -1 where missing.
    missing : mask (n,), optional
        None where nothing is missing.
    levels : tuple of str
        What the codes stand for: declared order, or sorted by code point; empty for numbers.
    ordered : bool
        Whether the levels were declared to be ordered.
    integer : bool
        Whether the numbers are whole by declaration, so that 6 is printed as 6 and not 6.0.
    ends : (float, float), optional
        The smallest and the largest of numbers that are not whole, where somebody looked; NaN among NaN.
    """

    name: str
    kind: Kind
    values: RawArray
    missing: Mask | None = None
    levels: tuple[str, ...] = ()
    ordered: bool = False
    integer: bool = False
    ends: tuple[float, float] | None = None

    @property
    def finite(self) -> bool:
        """Whether all are known to be finite numbers, or codes of levels, none of them missing."""
        if self.missing is not None:
            return False
        return self.values.dtype.kind in "iub" or (self.ends is not None and all(map(isfinite, self.ends)))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def codes(self) -> RawArray:
        """The codes of a column that is not numeric."""
        return self.values

    def shown(self, row: int) -> str:
        """Print the value in a row as an error message should."""
        if self.missing is not None and self.missing[row]:
            return "missing"
        if self.kind == "numeric":
            return str(int(self.values[row]) if self.integer else self.values[row])
        return repr(self.levels[self.values[row]])


def _mask(missing: NDArray[np.bool_]) -> Mask | None:
    return missing if missing.any() else None


def numeric(name: str, values: RawArray, null: Mask | None = None, *, integer: bool = False) -> Column:
    """Make a column of numbers; NaN is missing, infinity is not."""
    ends = ends_of(values) if values.dtype.kind == "f" else None
    gaps = np.isnan(values) if ends is not None and isnan(ends[0]) else None
    missing = gaps if null is None else null if gaps is None else gaps | null
    missing = None if missing is None else _mask(missing)
    return Column(name, "numeric", values, missing, integer=integer, ends=ends)


EXACT = 2**53
"""Up to here every whole number is a double."""

SAME = 1e-9
"""Part of the spread of a column by which rounding may move its whole numbers."""


def beyond_exact(values: RawArray) -> bool:
    """Tell whether some float is so large that it may have been another whole number."""
    return bool(np.abs(values).max(initial=0.0, where=~np.isnan(values)) > EXACT)


def refuse_rounded(name: str, values: RawArray) -> None:
    """Refuse whole numbers that lie so close together, and so far from 0, that doubles would move them.

    Identifiers and time stamps of 18 digits are no harm where they differ in their first ten; where they
    differ in their last four, every library of floats fits other numbers than those given, or a constant.

    Raises
    ------
    DataError
        Naming the first number that is no double, its row and what it would become.

    Examples
    --------
    >>> refuse_rounded("t", np.array([2**60, 2**60 + 2**50 + 1]))
    >>> refuse_rounded("t", np.array([2**60, 2**60 + 1]))
    Traceback (most recent call last):
        ...
    etamu._base.errors.DataError: column 't' holds whole numbers too large for double precision: row 1 ...
    """
    if not len(values) or values.dtype.kind not in "iuO" or values.dtype.itemsize < 8:
        return
    if values.dtype.kind != "O" and 0 <= int(np.bitwise_or.reduce(values)) <= EXACT:
        return  # none is larger than all their bits together: one look tells
    least, most = int(values.min()), int(values.max())
    largest = max(-least, most)
    if largest <= EXACT or least == most or np.spacing(float(largest)) <= SAME * (most - least):
        return
    odd = ((row, int(value)) for row, value in enumerate(values) if int(float(value)) != int(value))
    row, value = next(odd, (-1, 0))
    if row >= 0:
        raise DataError(
            f"column {name!r} holds whole numbers too large for double precision: row {row} holds {value}, "
            f"which would become {int(float(value))}, and all of them lie within {most - least}; subtract a "
            f"constant from the column first, such as {least}, or make it text if these are names"
        )


def _reals(name: str, values: RawArray) -> Column:
    """Make a column of numbers of any precision; a number beyond double precision is infinite."""
    if values.dtype.itemsize <= 8:
        return numeric(name, values)
    with np.errstate(over="ignore", under="ignore"):
        return numeric(name, values.astype(np.float64))


def ends_of(values: RawArray | Joined) -> tuple[float, float]:
    """Return the smallest and the largest of some floats, NaN twice where one is NaN; one look tells all.

    Examples
    --------
    >>> ends_of(np.array([2.0, -1.0, 3.0])), ends_of(np.array([]))
    ((-1.0, 3.0), (inf, -inf))
    """
    if isinstance(values, Joined):
        ends = np.array([ends_of(part) for part in values.parts])
        return float(ends[:, 0].min()), float(ends[:, 1].max())
    if kernel is not None and values.dtype == np.float64 and values.flags.c_contiguous:
        least, most = kernel.ends(values)
        return least, most
    with np.errstate(invalid="ignore"):
        return float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))


def boolean(name: str, values: RawArray, null: Mask | None = None) -> Column:
    """Make a column of truth values; its levels are False and True."""
    if null is None:
        return Column(name, "boolean", values.view(np.int8), None, ("False", "True"))
    codes = values.astype(np.int8)
    codes[null] = -1
    return Column(name, "boolean", codes, _mask(null), ("False", "True"))


def coded(name: str, codes: RawArray, levels: Sequence[Any], *, ordered: bool) -> Column:
    """Make a column of declared categories from their codes as they lie, -1 where missing."""
    labels = tuple(map(str, levels))
    if len(set(labels)) < len(labels):
        raise DataError(
            f"column {name!r} has two categories that read the same, {_twice(labels)!r}; rename one of them"
        )
    return Column(name, "categorical", codes, absent(codes), labels, ordered)


def _twice(labels: tuple[str, ...]) -> str:
    return next(label for place, label in enumerate(labels) if label in labels[:place])


def text(name: str, values: Sequence[Any] | RawArray) -> Column:
    """Make a column of strings; everything that is not one is missing."""
    found = distinct_texts(_objects(name, values))
    if found is None:
        return text(name, [str(value) if isinstance(value, str) else None for value in values])
    return texts(name, *found)


def texts(name: str, codes: RawArray, levels: Sequence[str]) -> Column:
    """Make a column of strings from codes into their distinct values, negative where missing."""
    ordered, sorted_levels = in_order(codes, levels)
    return Column(name, "text", ordered, absent(ordered), sorted_levels)


def from_values(name: str, values: Any) -> Column:
    """Make a column from a NumPy array, a list, or anything `numpy.asarray` reads.

    Raises
    ------
    DataError
        If the values mix kinds (the first odd row is named), or are of a kind no model can use.

    Examples
    --------
    >>> from_values("x", ["b", "a", None]).levels
    ('a', 'b')
    >>> from_values("x", [1.5, float("nan")]).missing.tolist()
    [False, True]
    """
    array = values if isinstance(values, np.ndarray) else _objects(name, values)
    if is_masked(array):
        raise DataError(
            f"column {name!r} is a masked array; fill it with NaN first: column.filled(numpy.nan)"
        )
    if array.ndim != 1:
        raise DataError(
            f"column {name!r} has {array.ndim} dimensions, shape {array.shape}; give one value per row"
            + _FLATTENED.get(array.shape[1:], "")
        )
    reader = _READERS.get(array.dtype.kind)
    if reader is None:
        remedy = _REMEDIES.get(array.dtype.kind, "use numbers or text")
        raise DataError(f"column {name!r} holds {array.dtype} values; {remedy}")
    return reader(name, array)


def is_masked(values: Any) -> bool:
    """Tell whether an array carries a mask, without loading `numpy.ma`: a small fit takes less."""
    return any(base.__name__ == "MaskedArray" for base in type(values).__mro__)


def _objects(name: str, values: Any) -> RawArray:
    """Keep a list's values as they are: `numpy.asarray` would turn [1, "a"] into text."""
    if hasattr(values, "__array__"):
        return np.asarray(values)
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise DataError(f"column {name!r} is a single value, {values!r}; give one value per row")
    items = list(values)
    out = np.empty(len(items), dtype=object)
    out[:] = items
    return out


def is_missing(value: Any) -> bool:
    """Tell whether a Python value stands for a missing one: None, NaN, NaT, pandas.NA."""
    if type(value).__name__ in NOTHING:
        return True
    if isinstance(value, Decimal):  # of which some have no float
        return value.is_nan()
    return isinstance(value, (float, np.floating)) and bool(np.isnan(float(value)))


def _word(value: Any) -> str:
    """Name the kind of a Python value."""
    if isinstance(value, (bool, np.bool_)):
        return "truth values"
    if isinstance(value, str):
        return "text"
    if isinstance(value, (numbers.Real, Decimal)):
        return "numbers"
    return f"{type(value).__name__} values"


def _from_objects(name: str, values: RawArray) -> Column:
    """Read an array of Python objects, all of one kind."""
    found = distinct_texts(values)
    if found is not None and found[1]:
        return texts(name, *found)
    items = values.tolist()
    words = {kind: _word(sample) for kind, sample in {type(item): item for item in items}.items()}
    null = _missing_items(name, items, words)
    present = range(len(items)) if null is None else np.flatnonzero(~null)
    first = next(iter(present), None)
    if first is None:
        return numeric(name, np.full(len(items), np.nan))
    word = words[type(items[first])]
    if len({other for kind, other in words.items() if kind.__name__ not in NOTHING}) > 1:
        _refuse_mixture(name, items, present, word)
    maker = _MAKERS.get(word)
    if maker is None:
        remedy = _OF_OBJECTS.get(type(items[first]).__name__, "use numbers or text")
        raise DataError(f"column {name!r} holds {word}, {items[first]!r} in row {first}; {remedy}")
    return maker(name, items, null)


def _missing_items(name: str, items: list[Any], words: dict[type, str]) -> Mask | None:
    """Mark what is missing; None where no type among the items can be."""
    if words.keys() <= {int, float, NoneType}:  # told apart without looking at each
        absent = np.isnan(_floats(name, items))
        return absent if absent.any() else None
    if any(issubclass(kind, (float, np.floating, Decimal)) or kind.__name__ in NOTHING for kind in words):
        return np.fromiter(map(is_missing, items), dtype=bool, count=len(items))
    return None


def _refuse_mixture(name: str, items: list[Any], present: Any, word: str) -> None:
    for row in present:
        if _word(items[row]) != word:
            raise DataError(
                f"column {name!r} mixes {word} and {_word(items[row])}: row {row} holds {items[row]!r};"
                " make the column all numbers or all text"
            )


def _object_numbers(name: str, items: list[Any], null: Mask | None) -> Column:
    if {*map(type, items)} <= {int, float, NoneType}:  # NumPy reads these itself, None as NaN
        whole = not any(type(item) is float and not isnan(item) for item in items)
        return _whole_or_not(name, items, whole=whole)
    whole = all(
        isinstance(item, numbers.Integral) for row, item in enumerate(items) if null is None or not null[row]
    )
    if null is not None and null.any():
        items = [float("nan") if absent else item for item, absent in zip(items, null, strict=True)]
    return _whole_or_not(name, items, whole=whole)


def _whole_or_not(name: str, items: list[Any], *, whole: bool) -> Column:
    """Make a column of Python's numbers, which may be whole and of any size."""
    column = numeric(name, _floats(name, items), integer=whole)
    if whole and beyond_exact(column.values):
        present = next(int(item) for item in items if isinstance(item, numbers.Integral))
        # What is missing stands at some other number, so that rows keep their places.
        whole_items = [int(item) if isinstance(item, numbers.Integral) else present for item in items]
        refuse_rounded(name, np.array(whole_items, dtype=object))
    return column


def _floats(name: str, items: list[Any]) -> NDArray[np.float64]:
    """Read numbers, None as NaN, in double precision.

    Raises
    ------
    DataError
        If a whole number or a fraction is larger than the largest double; its row is named.
    """
    try:
        return np.array(items, dtype=np.float64)
    except (OverflowError, TypeError):  # one too large, or numbers NumPy does not read by itself
        out = np.empty(len(items))
    for row, item in enumerate(items):
        try:
            out[row] = np.nan if item is None else float(item)
        except OverflowError:
            raise DataError(
                f"column {name!r} holds a number in row {row} that is larger than any double, about "
                f"10^{_digits(item)}; express the column in a larger unit, or take its logarithm"
            ) from None
    return out


def _digits(item: Any) -> int:
    """Return the exponent of ten of a whole number or a fraction too large for a double."""
    top, bottom = (item.numerator, item.denominator) if isinstance(item, numbers.Rational) else (item, 1)
    return int((int(top).bit_length() - int(bottom).bit_length()) * log10(2.0))


def _object_booleans(name: str, items: list[Any], null: Mask | None) -> Column:
    values = np.array(
        [item is not None and not is_missing(item) and bool(item) for item in items], dtype=bool
    )
    return boolean(name, values, null)


def _strings(name: str, values: RawArray) -> Column:
    found = distinct_texts(values)
    return text(name, values.tolist()) if found is None else texts(name, *found)


_MAKERS: dict[str, Callable[[str, list[Any], Mask | None], Column]] = {
    "numbers": _object_numbers,
    "truth values": _object_booleans,
    "text": lambda name, items, _: text(name, items),
}

_READERS: dict[str, Callable[[str, RawArray], Column]] = {
    "f": _reals,
    "i": lambda name, values: numeric(name, values, integer=True),
    "u": lambda name, values: numeric(name, values, integer=True),
    "b": boolean,
    "U": _strings,
    "T": _strings,
    "O": _from_objects,
}

_FLATTENED = {
    (1,): ": it is one column, values.ravel()",
    (2,): "; make two columns of it; successes and failures are y=successes with trials=successes + failures",
}
"""What may be meant by two dimensions, by what follows the first."""

_PARTS = "use its real and imaginary part as two columns"

_OF_OBJECTS = {
    **dict.fromkeys(("date", "datetime", "Timestamp", "datetime64", "time", "Period"), TIME_REMEDY),
    **dict.fromkeys(("timedelta", "Timedelta", "timedelta64"), SPAN_REMEDY),
    **dict.fromkeys(("complex", "complex128", "complex64"), _PARTS),
    **dict.fromkeys(("bytes", "bytearray"), "decode it to text"),
    **dict.fromkeys(("list", "tuple", "ndarray", "Series"), "give one number or text per row"),
}
"""What to do about values of types no model can use, by the name of the type."""

_REMEDIES = {
    "M": TIME_REMEDY,
    "m": SPAN_REMEDY,
    "c": _PARTS,
    "S": "decode it to text",
}
