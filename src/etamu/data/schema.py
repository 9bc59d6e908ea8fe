"""The schema: everything a design needs to know besides the rows, settled once on the first data.

May import: numpy, `etamu._base`, `etamu.data`.
Read next: `etamu.data.encode`, which turns rows into a design by it; `etamu.data.saved` for JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from etamu._base.errors import DataError, FormulaError
from etamu._base.facts import dataclass
from etamu._base.listing import listed
from etamu._base.types import Array, Mask
from etamu.data.basis import STATEFUL, Basis, BSpline, RawPoly
from etamu.data.codes import levels_seen
from etamu.data.column import Column
from etamu.data.contrasts import MOST_EXPOSED, Contrast, settle_contrast
from etamu.data.evaluate import (
    Rows,
    check_finite,
    evaluate,
    kind_of_number,
    literal,
    names_in,
    rows_in_use,
    settle_transforms,
)
from etamu.data.expression import Call, Expression, Flag, Name, Parsed, Text, walk
from etamu.data.formula import Statement
from etamu.data.frame import Frame
from etamu.data.scope import Scoped, scope


@dataclass(frozen=True, slots=True)
class NumericFactor:
    """A factor of numbers: one column, or the columns of a basis.

    `spans` says that the columns sum to one, so that reduced coding leaves the first out.
    """

    label: str
    expression: Expression
    fields: tuple[str, ...] = ()
    spans: bool = False

    def names(self, *, reduced: bool) -> tuple[str, ...]:
        """Name the columns."""
        names = tuple(f"{self.label}[{name}]" for name in self.fields) or (self.label,)
        return names[1:] if reduced else names

    def width(self, *, reduced: bool) -> int:
        """Count the columns."""
        return (len(self.fields) or 1) - reduced


@dataclass(frozen=True, slots=True)
class CategoricalFactor:
    """A factor of levels with its contrast; `numbers` are the levels where they are numbers."""

    label: str
    expression: Expression
    levels: tuple[str, ...]
    numbers: tuple[float, ...] | None
    contrast: Contrast

    def names(self, *, reduced: bool) -> tuple[str, ...]:
        """Name the coefficients."""
        if reduced or self.contrast.always:
            before = f"{self.label}[{self.contrast.prefix}"
            return tuple([f"{before}{name}]" for name in self.contrast.fields])
        return tuple([f"{self.label}[{level}]" for level in self.levels])

    def width(self, *, reduced: bool) -> int:
        """Count the coefficients."""
        return len(self.contrast.fields if reduced or self.contrast.always else self.levels)


MOST_COEFFICIENTS = 5_000_000
"""Most coefficients a formula may make."""

Factor = NumericFactor | CategoricalFactor


@dataclass(frozen=True, slots=True)
class PlannedTerm:
    """A term as it enters the design: one or more products of factors, each coded in full or reduced."""

    label: str
    products: tuple[Scoped, ...]
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Schema:
    """How rows become columns, without any row: plain frozen data.

    Parameters
    ----------
    formula : str
        As typed.
    response : str, optional
        The left side, normalised.
    factors : tuple of factors
    terms : tuple of PlannedTerm
    offsets : tuple of Parsed
    states : tuple of (text of the call, basis)
    dropped_levels : tuple of (column, levels)
        Declared levels without a row in use.
    names : tuple of str
        The coefficients.
    """

    formula: str
    response: str | None
    factors: tuple[Factor, ...]
    terms: tuple[PlannedTerm, ...]
    offsets: tuple[Parsed, ...]
    states: tuple[tuple[str, Basis], ...]
    dropped_levels: tuple[tuple[str, tuple[str, ...]], ...]
    names: tuple[str, ...]

    def categorical(self, number: int) -> CategoricalFactor:
        """Return a factor known to have levels."""
        factor = self.factors[number]
        assert isinstance(factor, CategoricalFactor), factor
        return factor

    def numeric(self, number: int) -> NumericFactor:
        """Return a factor known to be of numbers."""
        factor = self.factors[number]
        assert isinstance(factor, NumericFactor), factor
        return factor

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the right side reads, offsets included."""
        used = {number for term in self.terms for scoped in term.products for number, _ in scoped}
        read = [factor.expression for number, factor in enumerate(self.factors) if number in used]
        read += [offset.expression for offset in self.offsets]
        return tuple(dict.fromkeys(name for expression in read for name in names_in(expression)))


def settle(
    statement: Statement, frame: Frame, keep: Mask | None = None, exposure: Array | None = None
) -> Schema:
    """Settle levels, contrasts, transforms and names on data.

    Parameters
    ----------
    statement : Statement
    frame : Frame
    keep : mask (n,), optional
        Rows in use: levels are those seen there. Transforms are settled on every row where their own
        column is present, as R does.
    exposure : array (rows in use,), optional
        Decides which level is "most_exposed"; the number of rows does where there is none.

    Raises
    ------
    FormulaError
        If a column does not exist.
    DataError
        If a factor has one level only, or a column cannot be used as asked.

    Examples
    --------
    >>> from etamu.data.formula import parse
    >>> from etamu.data.frame import read
    >>> frame = read({"age": [1.0, 2.0, 4.0], "region": ["B", "A", "C"]})
    >>> settle(parse("~ age + region"), frame).names
    ('Intercept', 'age', 'region[T.B]', 'region[T.C]')
    """
    rows = rows_in_use(frame, keep, exposure)
    for name in statement.columns:
        frame.column(name)
    for name in statement.named:
        if name not in frame.names:  # to leave out what is not there is a slip of the pen
            frame.column(name)
    states: dict[str, Basis] = {}
    for offset in statement.offsets:
        settle_transforms(offset.expression, frame, states)
    dropped: dict[str, tuple[str, ...]] = {}
    factors = _factors(statement, rows, states, dropped)
    terms = _planned(statement, factors)
    return Schema(
        statement.text,
        None if statement.response is None else statement.response.label,
        factors,
        terms,
        statement.offsets,
        tuple(states.items()),
        tuple(dropped.items()),
        coefficient_names(terms, factors),
    )


def _factors(
    statement: Statement, rows: Rows, states: dict[str, Basis], dropped: dict[str, tuple[str, ...]]
) -> tuple[Factor, ...]:
    """Settle the factors some term uses, renumbered by `_planned`."""
    return tuple(_factor(statement.factors[number], rows, states, dropped) for number in _used(statement))


def _used(statement: Statement) -> list[int]:
    return sorted({number for term in statement.terms for number in term.factors})


def _planned(statement: Statement, factors: tuple[Factor, ...]) -> tuple[PlannedTerm, ...]:
    place = {number: new for new, number in enumerate(_used(statement))}
    numbered = [tuple(place[number] for number in term.factors) for term in statement.terms]
    spanning = frozenset(
        number
        for number, factor in enumerate(factors)
        if isinstance(factor, CategoricalFactor) or factor.spans
    )
    return tuple(
        PlannedTerm(term.label, products, term.scale)
        for term, products in zip(statement.terms, _scoped(tuple(numbered), spanning), strict=True)
    )


@lru_cache(maxsize=64)
def _scoped(terms: tuple[tuple[int, ...], ...], spanning: frozenset[int]) -> tuple[tuple[Scoped, ...], ...]:
    """Scope a formula once, for it is often fitted again."""
    return tuple(map(tuple, scope(terms, spanning)))


def coefficient_names(terms: tuple[PlannedTerm, ...], factors: tuple[Factor, ...]) -> tuple[str, ...]:
    """Name all coefficients in order.

    Raises
    ------
    DataError
        If there are more than any model could hold.
    """
    products = [scoped for term in terms for scoped in term.products]
    count = sum(product_width(scoped, factors) for scoped in products)
    if count > MOST_COEFFICIENTS:
        raise DataError(f"the formula makes {count:,} coefficients; the limit is {MOST_COEFFICIENTS:,}")
    return tuple(name for scoped in products for name in product_names(scoped, factors))


def product_width(scoped: Scoped, factors: tuple[Factor, ...]) -> int:
    """Count the columns of a product of factors."""
    return prod(factors[number].width(reduced=reduced) for number, reduced in scoped)


def product_names(scoped: Scoped, factors: tuple[Factor, ...]) -> tuple[str, ...]:
    """Name the columns of a product of factors; the first factor varies fastest, as in R."""
    if not scoped:
        return ("Intercept",)
    parts = [factors[number].names(reduced=reduced) for number, reduced in scoped]
    if len(parts) == 1:
        return parts[0]
    return tuple(":".join(reversed(names)) for names in product(*reversed(parts)))


def inner(expression: Expression) -> Expression:
    """Look through `I()` around a single name."""
    while isinstance(expression, Call) and expression.function == "I" and len(expression.arguments) == 1:
        if not isinstance(expression.arguments[0], (Name, Call)):
            break
        expression = expression.arguments[0]
    return expression


def _factor(
    parsed: Parsed, rows: Rows, states: dict[str, Basis], dropped: dict[str, tuple[str, ...]]
) -> Factor:
    expression = inner(parsed.expression)
    if isinstance(expression, Call) and expression.function in {"C", "relevel"}:
        return _declared(parsed.label, expression, rows, states, dropped)
    if isinstance(expression, Name) and rows.frame.column(expression.name).kind != "numeric":
        return _categorical(parsed.label, expression, rows, states, dropped)
    return _numeric(parsed, rows, states)


def _numeric(parsed: Parsed, rows: Rows, states: dict[str, Basis]) -> NumericFactor:
    settle_transforms(parsed.expression, rows.frame, states)
    call = inner(parsed.expression)
    if not (isinstance(call, Call) and call.function in STATEFUL):
        return NumericFactor(parsed.label, parsed.expression)
    basis = states[call.text]
    intercept = isinstance(basis, BSpline) and basis.width == len(basis.knots) - basis.degree - 1
    fields = basis.labels
    if intercept or isinstance(basis, RawPoly):  # formulaic counts these from 0
        fields = tuple(str(number) for number in range(len(fields)))
    return NumericFactor(parsed.label, parsed.expression, fields, intercept)


def _declared(
    label: str, call: Call, rows: Rows, states: dict[str, Basis], dropped: dict[str, tuple[str, ...]]
) -> CategoricalFactor:
    """Read `C(x, contrast, levels=…)`, `C(x, reference="b")`, `factor(x)`, `relevel(x, ref="b")`."""
    if not call.arguments:
        raise FormulaError(f"{call.text}: {call.function} needs the variable first")
    options = dict(call.keywords)
    allowed = (
        {"ref"}
        if call.function == "relevel"
        else {"contrasts", "contrast", "levels", "reference", "spans_intercept"}
    )
    for word in options.keys() - allowed:
        raise FormulaError(
            f"{call.text}: {call.function} has no argument {word!r}; it takes {', '.join(sorted(allowed))}"
        )
    if len(call.arguments) > 2 or (
        len(call.arguments) == 2 and {"contrasts", "contrast", "ref"} & options.keys()
    ):
        raise FormulaError(f"{call.text}: {call.function} takes the variable and one contrast")
    second = call.arguments[1] if len(call.arguments) == 2 else None
    if call.function == "relevel":
        reference = options.get("ref", second)
        if reference is None:
            raise FormulaError(f'{call.text}: say which level comes first, relevel(x, ref="b")')
        return _categorical(label, call.arguments[0], rows, states, dropped, first=reference)
    asked = options.get("contrasts", options.get("contrast", second))
    if "reference" in options:
        if asked is not None:
            raise FormulaError(f"{call.text}: give a reference or a contrast, not both")
        asked = Call("contr.treatment", (options["reference"],), (), call.text)
    return _categorical(
        label, call.arguments[0], rows, states, dropped, asked=asked, order=options.get("levels")
    )


def _categorical(
    label: str,
    expression: Expression,
    rows: Rows,
    states: dict[str, Basis],
    dropped: dict[str, tuple[str, ...]],
    asked: Expression | None = None,
    order: Expression | None = None,
    first: Expression | None = None,
) -> CategoricalFactor:
    expression = inner(expression)
    column = rows.frame.column(expression.name) if isinstance(expression, Name) else None
    if column is None or column.kind == "numeric":
        settle_transforms(expression, rows.frame, states)
        labels, numbers = _levels_of_numbers(label, expression, rows, states)
    else:
        labels, numbers = _levels_in_use(column, rows, dropped), None
    if order is not None and not (isinstance(order, Flag) and order.value is None):
        labels, numbers = _reordered(label, labels, numbers, literal(order))
    exposed = None
    if any(part == Text(MOST_EXPOSED) for wish in (asked, first) if wish is not None for part in walk(wish)):
        exposed = _most_exposed(expression, column, labels, numbers, rows, states)
    if first is not None:
        chosen = literal(first)
        if chosen == MOST_EXPOSED and exposed is not None:
            chosen, exposed = labels[exposed], 0
        labels, numbers = _reordered(label, labels, numbers, [chosen], rest=True)
    if len(labels) < 2:
        seen = f"only {labels[0]!r}" if labels else "none"
        raise DataError(
            f"factor {label} has fewer than two levels in the rows used, {seen}; leave it out of the formula"
        )
    return CategoricalFactor(
        label, expression, labels, numbers, settle_contrast(asked, labels, numbers, label, exposed)
    )


def _most_exposed(
    expression: Expression,
    column: Column | None,
    labels: tuple[str, ...],
    numbers: tuple[float, ...] | None,
    rows: Rows,
    states: dict[str, Basis],
) -> int | None:
    """Find the level with the largest exposure, the first of equals; None where it is a level's own name."""
    if MOST_EXPOSED in labels:
        return None
    if numbers is None and column is not None:
        names = np.asarray(column.levels, dtype=object)[rows.select(column.codes)]
        hits = [names == label for label in labels]
    else:
        values = evaluate(expression, rows, states)
        hits = [values == number for number in numbers or ()]
    weight = np.ones(len(rows)) if rows.exposure is None else rows.exposure
    return int(np.argmax([weight[hit].sum() for hit in hits]))


def _levels_in_use(column: Column, rows: Rows, dropped: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    if column.kind == "text" and rows.keep is None:  # levels were found in the rows
        return column.levels
    seen = levels_seen(column.codes, len(column.levels), rows.keep)
    if seen.all():
        return column.levels
    if column.kind == "categorical":
        dropped[column.name] = tuple(
            level for level, used in zip(column.levels, seen, strict=True) if not used
        )
    return tuple(level for level, used in zip(column.levels, seen, strict=True) if used)


def _levels_of_numbers(
    label: str, expression: Expression, rows: Rows, states: dict[str, Basis]
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Sort the distinct numbers and print them as formulaic does: 6 if whole, 6.0 if not, True and False."""
    kind = kind_of_number(expression, rows.frame)
    values = evaluate(expression, rows, states)
    if values.ndim > 1:
        raise FormulaError(f"{label}: a basis has no levels")
    check_finite(values, expression, label, rows)
    distinct = np.unique(values)
    if isinstance(expression, Name):
        distinct = distinct.astype(rows.frame.column(expression.name).values.dtype)
    labels = tuple(str(_PRINTED[kind](value)) for value in distinct)
    return labels, tuple(float(value) for value in distinct)


_PRINTED: dict[str, Callable[[Any], object]] = {"boolean": bool, "integer": int, "float": lambda value: value}


def _reordered(
    label: str,
    labels: tuple[str, ...],
    numbers: tuple[float, ...] | None,
    order: object,
    *,
    rest: bool = False,
) -> tuple[tuple[str, ...], tuple[float, ...] | None]:
    """Put levels in the order asked for; those without a row in use are left out."""
    wanted = order if isinstance(order, list) else [order]
    places = []
    for value in wanted:
        if numbers is not None and isinstance(value, (int, float)) and float(value) in numbers:
            places.append(numbers.index(float(value)))
        elif str(value) in labels:
            places.append(labels.index(str(value)))
        elif rest:
            raise DataError(f"{label}: {value!r} is not a level; the levels in use are {listed(labels)}")
    others = [place for place in range(len(labels)) if place not in places]
    if others and not rest:
        raise DataError(f"{label}: the data hold {labels[others[0]]!r}, which levels= does not list")
    places = list(dict.fromkeys(places + others))
    return tuple(labels[place] for place in places), numbers and tuple(numbers[place] for place in places)
