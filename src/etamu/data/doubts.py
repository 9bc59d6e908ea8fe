"""Text that was hardly meant as categories: numbers, numbers but for a word, or dates as people write.

May import: numpy, `etamu._base`, `etamu.data`.
Read next: `etamu.data.schema`, whose factors are looked at.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import numpy as np

from etamu.data.column import Column
from etamu.data.expression import Name
from etamu.data.frame import Frame
from etamu.data.schema import CategoricalFactor, Schema

FEWEST = 3
"""Numbers among the levels from which they are no mere labels."""
STRAYS = 3
"""Words among them that may have strayed there; more are levels."""
PLENTY = 10
"""Numbers among the levels from which a level such as 4a or 10+ has strayed there too."""
CASED = 3
"""Letters of levels from which capitals are no difference: alleles A and a are."""
MANY = 20_000
"""Levels beyond which nobody looks."""

_PLAIN = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_DRESSED = re.compile(
    r"\s*[+-]?[$€£¥]?\s*(\d{1,3}([,.' _\u00a0\u202f]\d{3})+|\d+)?([.,]\d+)?([eE][+-]?\d+)?\s*[%$€£¥]?\s*"
)
_SIGNED = re.compile(r"\s*[\u2212\u2013\u2014](\d+\.?\d*|\.\d+)\s*")
"""A number with a typographer's minus."""
_WRITTEN = re.compile(
    r"\s*(0[xX][\da-fA-F]+|\([+-]?[\d.]+\)|[+-]?[\d.]+\s*[*\u2020\u2021]"
    r"|[OolI|]\d[\dOolI|.]*|\d[\d.]*[OolI|][\dOolI|.]*)\s*"
)
"""A number, where others are plain, in another writing: of base 16, in brackets, footnoted, O for 0."""
_NOTHING = frozenset({"", "NA", "N/A", "#N/A", "nan", "NaN", "<NA>", "NaT", "null", "NULL"})
"""How others write that there is no value; None and missing are as often levels."""
_DATE = re.compile(
    r"\s*(\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./-]\d{1,2}[./-](\d{4}|\d{2})|\d{4}/\d{1,2}/\d{1,2})\s*"
)


def doubts(schema: Schema, frame: Frame) -> tuple[str, ...]:
    """Say which columns of text enter as categories and were probably not meant so, and why.

    Who writes `C(x)`, or declares categories, means them and hears nothing.

    Examples
    --------
    >>> from etamu.data.formula import parse
    >>> from etamu.data.frame import read
    >>> from etamu.data.schema import settle
    >>> frame = read({"x": ["1", "2.5", "oops", "4", "7"]})
    >>> doubts(settle(parse("~ x"), frame), frame)[0][:70]
    "column 'x' is text and enters as 5 categories, for row 2 holds 'oops' "
    """
    said = []
    for factor in schema.factors:
        bare = isinstance(factor.expression, Name) and factor.label == factor.expression.name
        if isinstance(factor, CategoricalFactor) and bare and len(factor.levels) <= MANY:
            column = frame.column(factor.label)
            said.append(_doubt(column, factor.levels) if column.kind == "text" else None)
    return tuple(sentence for sentence in said if sentence is not None)


def _doubt(column: Column, levels: tuple[str, ...]) -> str | None:
    why = _fractions(column, levels) or _numbers(column, levels) or _dates(column, levels)
    if why is not None:
        return (
            f"column {column.name!r} is text and enters as {len(levels)} categories, {why}; if categories "
            f"are meant, write C({column.name}) or declare them"
        )
    blank = next((level for level in levels if level.strip() in _NOTHING), None)
    if blank is not None:
        return (
            f"{_first(column, blank)} of column {column.name!r} enters as a level: make it None if it says "
            f"that a value is missing, or write C({column.name}) if it is a level"
        )
    twins = _twins(levels)
    if twins is None:
        return None
    one, other, what = twins
    return (
        f"the levels {one!r} and {other!r} of column {column.name!r} differ in {what} alone and are two: "
        f"make them one, or write C({column.name}) if they are two"
    )


def _fractions(column: Column, levels: tuple[str, ...]) -> str | None:
    """Say why the levels are numbers; whole ones are as often codes as counts, and nothing is said then."""
    if len(levels) < FEWEST or not all(map(_PLAIN.fullmatch, levels)):
        return None
    broken = next((level for level in levels if not level.strip(" +-").isdigit()), None)
    if broken is None:
        return None
    return f"although {_first(column, broken)} reads as a number: turn the text into numbers"


def _numbers(column: Column, levels: tuple[str, ...]) -> str | None:
    """Say why the levels seem to be numbers: all but a word are, or all are in some other notation."""
    odd = [level for level in levels if not _PLAIN.fullmatch(level)]
    if len(levels) < FEWEST or not odd:
        return None
    plenty = len(levels) - len(odd) >= PLENTY
    strays = plenty or all(map(_strayed, odd))
    if len(levels) - len(odd) >= FEWEST and len(odd) <= STRAYS and strays:
        rows = np.isin(column.codes, [column.levels.index(level) for level in odd])
        if 2 * np.count_nonzero(rows) >= len(rows):
            return None
        row = int(rows.argmax())
        return (
            f"for row {row} holds {column.levels[column.codes[row]]!r} where most hold numbers: correct it "
            "(an empty field or NA is a missing value)"
        )
    if all(map(_has_digit, levels)) and all(_DRESSED.fullmatch(x) or _SIGNED.fullmatch(x) for x in levels):
        return f"although {_first(column, odd[0])} reads as a number: write plain ones, such as 1234.5"
    return None


def _dates(column: Column, levels: tuple[str, ...]) -> str | None:
    if len(levels) < FEWEST or not all(map(_DATE.fullmatch, levels)):
        return None
    return (
        f"although {_first(column, levels[0])} reads as a date: turn it into a number, such as days since one"
    )


def _first(column: Column, level: str) -> str:
    return f"{level!r} in row {int((column.codes == column.levels.index(level)).argmax())}"


def _has_digit(level: str) -> bool:
    return any(map(str.isdigit, level))


def _strayed(level: str) -> bool:
    """Tell whether a level is a word, or a number in another writing, and not a label such as 4a."""
    return not _has_digit(level) or bool(_SIGNED.fullmatch(level) or _WRITTEN.fullmatch(level))


def _twins(levels: tuple[str, ...]) -> tuple[str, str, str] | None:
    """Find two levels that read the same, and say in what they differ nevertheless."""
    for what, plainly in _SAME.items():
        seen: dict[str, str] = {}
        for level in levels:
            plain = plainly(level)
            if plain in seen:
                return seen[plain], level, what
            seen[plain] = level
    return None


def _folded(level: str) -> str:
    return level.casefold() if len(level) >= CASED else level


_SAME: dict[str, Callable[[str], str]] = {
    "blanks": lambda level: " ".join(level.split()),
    "how accents and letters are coded": lambda level: unicodedata.normalize("NFKC", level),
    "capitals": _folded,
}
"""In what levels may differ that read the same, and how they read without it."""
