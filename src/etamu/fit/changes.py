"""What one step of a factor is, in words: a unit, a doubling, a level against its reference, a trend.

May import: everything below `fit`.
Read next: `etamu.fit.meaning`, which makes coefficients of these.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.data.basis import STATEFUL
from etamu.data.expression import Call, Expression, Name, Number
from etamu.data.schema import CategoricalFactor, Factor, NumericFactor, inner

DOUBLINGS = {"log": math.log(2.0), "log1p": math.log(2.0), "log2": 1.0, "log10": math.log10(2.0)}
"""How much each logarithm grows when what is inside doubles."""

TRENDS = ("linear", "quadratic", "cubic")
"""Polynomial contrasts that have a name; the others have a degree."""

ENDINGS = {1: "st", 2: "nd", 3: "rd"}


@dataclass(frozen=True, slots=True)
class Change:
    """A step of one factor, and how much its column moves with it.

    Parameters
    ----------
    factor : int
        Number of the factor in the schema; -1 in a model without one.
    about : str
        The variable, as in "the effect of age".
    subject, once : str
        "each additional year of age" and "one more year of age"; "region B" and the same.
    versus : str
        "compared with region A"; empty for numbers.
    step : float
        What the coefficient is multiplied by for this change.
    level : int
        Where the change leads to a level: which; else -1.
    slope : bool
        Whether the change is a unit of a number, of which there is a derivative.
    told : bool
        False where the coefficient has no plain meaning: a column of a basis, a trend, a stated contrast.
    whole : bool
        True where only the whole term has a meaning: a column of a basis.
    """

    factor: int
    about: str
    subject: str
    once: str
    versus: str = ""
    step: float = 1.0
    level: int = -1
    slope: bool = False
    told: bool = True
    whole: bool = False


def text_of(expression: Expression) -> str:
    """Write an expression as the formula does.

    Examples
    --------
    >>> text_of(Name("age"))
    'age'
    """
    expression = inner(expression)
    if isinstance(expression, Name):
        return expression.name
    if isinstance(expression, Number):
        return f"{expression.value:g}"
    return str(getattr(expression, "text", expression))


def variable(factor: Factor) -> str:
    """Name the variable of a factor: `region` for `C(region, contr.sum)`, the label for numbers."""
    if isinstance(factor, CategoricalFactor):
        return text_of(factor.expression)
    return unit_of(factor)[0] or factor.label


def unit_of(factor: NumericFactor) -> tuple[str, str]:
    """Return the variable a number counts and in what: "unit", "deviation", "doubling" or "basis"."""
    call = inner(factor.expression)
    if factor.fields:
        return factor.label, "basis"
    if not isinstance(call, Call):
        return text_of(call), "unit"
    inside = text_of(call.arguments[0]) if call.arguments else factor.label
    if call.function in DOUBLINGS:
        return (f"1 + {inside}" if call.function == "log1p" else inside), "doubling"
    if call.function in STATEFUL and len(call.arguments) == 1 and not call.keywords:
        return inside, "deviation" if call.function == "scale" else "unit"
    return factor.label, "unit"


def number_change(number: int, factor: NumericFactor, units: Mapping[str, str]) -> Change:
    """Say what one step of a numeric factor is.

    Examples
    --------
    >>> number_change(0, NumericFactor("age", Name("age")), {"age": "year"}).subject
    'each additional year of age'
    """
    inside, kind = unit_of(factor)
    if kind == "basis":
        return Change(number, factor.label, factor.label, factor.label, told=False, whole=True)
    if kind == "doubling":
        what = f"doubling of {inside}"
        return Change(number, factor.label, f"each {what}", f"a {what}", step=_doubling(factor))
    word = "standard deviation" if kind == "deviation" else units.get(inside, "unit")
    return _unit(number, inside, word)


def plain_change(name: str, units: Mapping[str, str]) -> Change:
    """Say what one step of a column of an array is."""
    return _unit(-1, name, units.get(name, "unit"))


def _unit(number: int, name: str, word: str) -> Change:
    return Change(number, name, f"each additional {word} of {name}", f"one more {word} of {name}", slope=True)


def _doubling(factor: NumericFactor) -> float:
    call = inner(factor.expression)
    assert isinstance(call, Call), call
    base = call.arguments[1] if len(call.arguments) > 1 else dict(call.keywords).get("base")
    if isinstance(base, Number):
        return math.log(2.0) / math.log(base.value)
    return DOUBLINGS[call.function]


def level_change(number: int, factor: CategoricalFactor, column: int) -> Change:
    """Say what a contrast of levels compares, and no more than that.

    The difference of two (averages of) levels is `step` times the coefficient. Stated for treatment, sum,
    Helmert and successive differences; a polynomial contrast is a trend and a stated matrix is itself.
    """
    contrast, levels, name = factor.contrast, factor.levels, variable(factor)
    field = contrast.fields[column]
    if contrast.prefix == "T.":
        level = column + (column >= contrast.base)
        versus = f"compared with {name} {levels[contrast.base]}"
        return _level(number, f"{name} {field}", name, versus, level)
    if contrast.prefix == "S.":
        versus = f"compared with the average of the levels ({listed(levels)})"
        return _level(number, f"{name} {field}", name, versus, column)
    if contrast.prefix in {"H.", "D."}:
        return _successive(number, factor, column)
    if contrast.always:
        subject = f"contrast {field} of {name}, as its matrix states it,"
        return Change(number, name, subject, subject, told=False)
    ordinal = f"{column + 1}{ENDINGS.get((column + 1) % 10 if (column + 1) // 10 != 1 else 0, 'th')} degree"
    degree = TRENDS[column] if column < len(TRENDS) else ordinal
    subject = f"the {degree} trend across the ordered levels of {name} ({listed(levels, ' < ')})"
    return Change(number, name, subject, subject, told=False)


def _level(number: int, subject: str, name: str, versus: str, level: int, step: float = 1.0) -> Change:
    return Change(number, name, subject, subject, versus, step, level)


def _successive(number: int, factor: CategoricalFactor, column: int) -> Change:
    """Tell a level against the one before it (differences) or the mean of those before it (Helmert)."""
    contrast, levels, name = factor.contrast, factor.levels, variable(factor)
    onward = contrast.fields == levels[1:]
    level = column + 1 if onward else column
    others = levels[:level] if onward else levels[level + 1 :]
    assert contrast.matrix is not None
    if contrast.prefix == "D.":
        versus = f"compared with {name} {others[-1] if onward else others[0]}"
        return _level(number, f"{name} {levels[level]}", name, versus, level)
    side = "before" if onward else "after"
    versus = f"compared with the mean of the levels {side} it ({listed(others)})"
    if len(others) == 1:
        versus = f"compared with {name} {others[0]}"
    other = 0 if onward else len(levels) - 1
    step = contrast.matrix[level][column] - contrast.matrix[other][column]
    return _level(number, f"{name} {levels[level]}", name, versus, level, step)


def listed(words: tuple[str, ...], between: str = ", ") -> str:
    """Join words, at most eight of them.

    Examples
    --------
    >>> listed(("low", "mid", "high"), " < ")
    'low < mid < high'
    """
    shown = words if len(words) <= 8 else (*words[:3], "…", words[-1])
    return between.join(shown)


def level_etas(factor: CategoricalFactor, coefficients: Array) -> Array:
    """Return what every level adds to eta, (levels,)."""
    return factor.contrast.rows(len(factor.levels), reduced=True) @ coefficients
