"""Numbers as R prints them: one format per column, p-values that say `<2e-16`, stars with a legend.

May import: numpy, `etamu._base`.
Read next: `etamu.fit.summary`, which sets them in a table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import sub

import numpy as np

from etamu._base.types import Array

SMALLEST_P = float(np.finfo(float).eps)
"""A p-value below this is printed as a bound, as R does."""

STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"), (0.1, "."))
"""Symbols of significance and the p-values they stand for."""

LEGEND = "Signif. codes:  0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1"


def common(values: Sequence[float] | Array, digits: int) -> list[str]:
    """Format numbers alike, with as few decimals as show each to `digits` significant digits.

    Fixed notation unless the scientific one is narrower, as R's `format` chooses; padded on the left to
    one width.

    Examples
    --------
    >>> common([124.87558, 6.75706], 5)
    ['124.8756', '  6.7571']
    >>> common([1e-10, 1.0], 4)
    ['1e-10', '1e+00']
    """
    numbers = _plain(values)
    form = _form([value for value in numbers if math.isfinite(value)], digits)
    return _justified(
        [format(value, form) if math.isfinite(value) else _infinite(value) for value in numbers]
    )


def _form(values: list[float], digits: int) -> str:
    """Choose between fixed and scientific notation, and how many decimals."""
    if not values:
        return ".0f"
    exponents, further = _scientific(values, digits)
    lowest, mantissa = min(values), max(further)
    negative = lowest < 0
    signed = zip(values, exponents, strict=True) if negative else ()
    left = max(max(exponents) + 1, 1 + negative, *(exponent + 2 for value, exponent in signed if value < 0))
    decimals = max(0, *map(sub, further, exponents))
    wide = max(exponents) >= 100 or min(exponents) <= -100
    fixed_width = left + decimals + (decimals > 0)
    scientific_width = negative + 1 + (mantissa > 0) + mantissa + (5 if wide else 4)
    return f".{decimals}f" if fixed_width <= scientific_width else f".{mantissa}e"


def estimates(columns: Array, digits: int) -> list[list[str]]:
    """Format estimates and standard errors, (rows, 2), alike, so that the smallest keeps `digits` digits."""
    sizes = np.abs(columns[np.isfinite(columns) & (columns != 0.0)])
    if not sizes.size:
        places = digits
    else:
        places = max(1, digits - 1 - math.floor(math.log10(float(sizes.min()))))
    # Rounding first drops the digits that a large neighbour makes meaningless.
    values = columns.ravel().tolist()
    texts = common([_rounded(value, places) for value in values], digits)
    for place, value in enumerate(values):
        if math.isfinite(value) and value != 0.0 and float(texts[place]) == 0.0:
            texts[place] = common([value], digits - 1)[0]
    width = columns.shape[1]
    return [texts[start : start + width] for start in range(0, len(texts), width)]


def statistics(values: Array, digits: int) -> list[str]:
    """Format test statistics: at most three decimals, `digits` significant digits."""
    return common([_rounded(value, digits - 1) for value in _plain(values)], digits)


def p_texts(values: Sequence[float] | Array, digits: int = 3, smallest: float = SMALLEST_P) -> list[str]:
    """Format p-values: those of ordinary size alike, small ones scientifically, tiny ones as a bound.

    Examples
    --------
    >>> p_texts(np.array([0.00198, 1.23e-13, 1e-40]))
    ['0.00198', '1.23e-13', '< 2e-16']
    """
    tails, out = _plain(values), ["NaN"] * len(values)
    tiny = [j for j, p in enumerate(tails) if p < smallest]
    exponents = {j: math.floor(math.log10(p)) for j, p in enumerate(tails) if p >= smallest}
    ordinary = [j for j, exponent in exponents.items() if exponent >= -4]
    small = [j for j, exponent in exponents.items() if exponent < -4]
    for group in (ordinary, small):
        for j, text in zip(group, common([tails[j] for j in group], digits), strict=True):
            out[j] = text
    widest = max((len(out[j]) for j in (*ordinary, *small)), default=0)
    bound = f"<{' ' if widest > 6 else ''}{smallest:.0e}"
    for j in tiny:
        out[j] = bound
    return out


def stars(values: Array) -> list[str]:
    """Return the symbol of significance of each p-value; empty where there is none.

    Examples
    --------
    >>> stars(np.array([0.0004, 0.03, 0.2]))
    ['***', '*', '']
    """
    return [next((symbol for bound, symbol in STARS if p <= bound), "") for p in _plain(values)]


def short(value: float, digits: int = 5) -> str:
    """Format one number on its own."""
    return common([value], digits)[0]


def _scientific(values: list[float], digits: int) -> tuple[list[int], list[int]]:
    """Return the exponents of numbers, and how many of their `digits` significant digits follow the first."""
    form, end = f".{digits - 1}e", digits + (digits > 1)  # where the e stands
    texts = [format(abs(value), form) for value in values]
    return [int(text[end + 1 :]) for text in texts], [len(text[2:end].rstrip("0")) for text in texts]


def _plain(values: Sequence[float] | Array) -> list[float]:
    """List numbers as Python's own, which are faster one by one."""
    return values.tolist() if isinstance(values, np.ndarray) else [float(value) for value in values]


def _rounded(value: float, places: int) -> float:
    return round(value, places) if math.isfinite(value) else value


def _infinite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Inf" if value > 0 else "-Inf"


def _justified(texts: list[str]) -> list[str]:
    width = max(map(len, texts), default=0)
    return [text.rjust(width) for text in texts]
