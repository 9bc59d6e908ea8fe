"""A schema as plain JSON data and back, exactly; reading one runs no code.

May import: numpy, `etamu._base`, `etamu.data`.
Read next: `etamu.data.schema`, what is saved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from etamu._base.errors import DataError, FormulaError
from etamu.data.basis import STATEFUL, Basis
from etamu.data.contrasts import Contrast
from etamu.data.evaluate import OPERATORS, UNARY
from etamu.data.expression import (
    Call,
    Expression,
    Flag,
    Name,
    Named,
    Number,
    Operation,
    Parsed,
    Text,
    Vector,
    walk,
)
from etamu.data.functions import canonical
from etamu.data.schema import (
    CategoricalFactor,
    Factor,
    NumericFactor,
    PlannedTerm,
    Schema,
    coefficient_names,
    inner,
)
from etamu.data.scope import Scoped
from etamu.data.states import restored

DEEPEST = 150
"""Deepest nesting of an expression that is read back."""

MOST_ENTRIES = 100_000_000
"""Most entries of the contrasts of one term, levels times coefficients."""

MOST_CHARACTERS = 200_000_000
"""Most characters of the names of the columns of all factors."""

SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""How JSON text writes the numbers JSON does not have."""


def to_dict(schema: Schema) -> dict[str, Any]:
    """Write a schema as dicts, lists, strings and numbers.

    Examples
    --------
    >>> from etamu.data.formula import parse
    >>> from etamu.data.frame import read
    >>> from etamu.data.schema import settle
    >>> schema = settle(parse("~ poly(x, 2)"), read({"x": [1.0, 2.0, 4.0, 7.0]}))
    >>> from_dict(to_dict(schema)) == schema
    True
    """
    return {
        "formula": schema.formula,
        "response": schema.response,
        "factors": [_factor_to(factor) for factor in schema.factors],
        "terms": [
            {
                "label": term.label,
                "scale": term.scale,
                "products": [[[number, reduced] for number, reduced in scoped] for scoped in term.products],
            }
            for term in schema.terms
        ],
        "offsets": [
            {"label": offset.label, "expression": _expression_to(offset.expression)}
            for offset in schema.offsets
        ],
        "states": [[text, basis.state()] for text, basis in schema.states],
        "dropped_levels": [[column, list(levels)] for column, levels in schema.dropped_levels],
    }


def from_dict(saved: Mapping[str, Any], size: tuple[int, int] | None = None) -> Schema:
    """Make the schema that `to_dict` wrote.

    Parameters
    ----------
    saved : dict
    size : (coefficients, raw columns), optional
        How many there must be; a schema of another size is refused before anything of its size is made.

    Raises
    ------
    DataError
        If the data are damaged, or name a function that formulas do not have.
    """
    try:
        return _schema_from(saved, size)
    except (
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        RecursionError,
        ArithmeticError,
    ) as error:
        if isinstance(error, (DataError, FormulaError)):
            raise DataError(f"the saved schema is damaged: {error}") from None
        raise DataError(f"the saved schema is damaged: {type(error).__name__} {error}") from None


def _schema_from(saved: Mapping[str, Any], size: tuple[int, int] | None) -> Schema:
    factors = tuple(_factor_from(factor) for factor in _list(saved["factors"]))
    terms = tuple(_term_from(term, factors) for term in _list(saved["terms"]))
    offsets = tuple(
        Parsed(_str(offset["label"]), _expression_from(offset["expression"]))
        for offset in _list(saved["offsets"])
    )
    states = tuple((_str(text), _basis_from(state)) for text, state in _list(saved["states"]))
    _check_states([part.expression for part in (*factors, *offsets)], dict(states))
    _check_fields(factors, dict(states))
    _check_offsets(offsets, dict(states))
    _check_size(terms, factors, size)
    return Schema(
        _str(saved["formula"]),
        None if saved["response"] is None else _str(saved["response"]),
        factors,
        terms,
        offsets,
        states,
        tuple((_str(column), _strings(levels)) for column, levels in _list(saved["dropped_levels"])),
        coefficient_names(terms, factors),
    )


def _basis_from(saved: Any) -> Basis:
    """Restore a basis and try it on one number, so that a damaged one fails here."""
    basis = restored(saved)
    try:
        with np.errstate(all="ignore"):
            shape = basis.apply(np.zeros(1)).shape
    except ZeroDivisionError:
        raise DataError(f"the state of a {saved['kind']} divides by zero") from None
    if shape != (1, max(1, len(basis.labels))):
        raise DataError(f"the state of a {saved['kind']} does not fit together")
    return basis


def _check_states(expressions: list[Expression], states: Mapping[str, Any]) -> None:
    for expression in expressions:
        for part in walk(expression):
            if isinstance(part, Call) and part.function in STATEFUL and part.text not in states:
                raise DataError(f"the state of {part.text} is missing")


def _check_fields(factors: tuple[Factor, ...], states: Mapping[str, Basis]) -> None:
    for factor in factors:
        if isinstance(factor, NumericFactor):
            call = inner(factor.expression)
            basis = isinstance(call, Call) and call.function in STATEFUL
            width = len(states[call.text].labels) if basis and isinstance(call, Call) else 0
            if len(factor.fields) != width:
                raise DataError(f"{factor.label} has {len(factor.fields)} fields and {width} columns")


def _check_offsets(offsets: tuple[Parsed, ...], states: Mapping[str, Basis]) -> None:
    for offset in offsets:
        call = inner(offset.expression)
        if isinstance(call, Call) and call.function in STATEFUL and states[call.text].labels:
            raise DataError(f"the offset {offset.label} has several columns")


def _check_size(
    terms: tuple[PlannedTerm, ...], factors: tuple[Factor, ...], size: tuple[int, int] | None
) -> None:
    """Count coefficients and raw columns without making any; stop at the first too many."""
    characters = sum((len(factor.label) + 10) * (_width(factor, reduced=False) + 1) for factor in factors)
    if characters > MOST_CHARACTERS:
        raise DataError(f"the names of the columns have {characters:,} characters")
    coefficients = raw = 0
    for term in terms:
        for scoped in term.products:
            width, columns, entries = _extent(scoped, factors)
            if not width:
                raise DataError(f"term {term.label} has no columns")
            if entries > MOST_ENTRIES:
                raise DataError(f"the contrasts of term {term.label} have {entries:,} entries")
            coefficients, raw = coefficients + width, raw + columns
            if size is not None and (coefficients > size[0] or raw > size[1]):
                raise DataError(f"the terms make more than {size[0]} coefficients, {size[1]} raw columns")
    if size is not None and (coefficients, raw) != size:
        raise DataError(
            f"the terms make {coefficients} coefficients, {raw} raw columns, not {size[0]} and {size[1]}"
        )


def _extent(scoped: Scoped, factors: tuple[Factor, ...]) -> tuple[int, int, int]:
    """Count coefficients, raw columns, and entries of the contrasts, of a product of factors."""
    coefficients = columns = contrasts = levels = 1
    for number, reduced in scoped:
        factor = factors[number]
        width = _width(factor, reduced=reduced)
        coefficients *= width
        if isinstance(factor, CategoricalFactor):
            contrasts, levels = contrasts * width, levels * len(factor.levels)
        else:
            columns *= width
    return coefficients, columns * levels, contrasts * levels


def _width(factor: Factor, *, reduced: bool) -> int:
    if isinstance(factor, NumericFactor):
        return max(len(factor.fields), 1) - reduced
    return len(factor.contrast.fields if reduced or factor.contrast.always else factor.levels)


def _term_from(saved: Mapping[str, Any], factors: tuple[Factor, ...]) -> PlannedTerm:
    products = tuple(
        tuple((_index(number, len(factors)), _bool(reduced)) for number, reduced in _list(scoped))
        for scoped in _list(saved["products"])
    )
    scale = _number(saved["scale"])
    if not 0.0 < abs(scale) < np.inf:
        raise DataError(f"the scale {scale} of a term is not a number to multiply by")
    return PlannedTerm(_str(saved["label"]), products, scale)


def _factor_to(factor: Factor) -> dict[str, Any]:
    shared = {"label": factor.label, "expression": _expression_to(factor.expression)}
    if isinstance(factor, NumericFactor):
        return {"kind": "numeric", **shared, "fields": list(factor.fields), "spans": factor.spans}
    contrast = factor.contrast
    return {
        "kind": "categorical",
        **shared,
        "levels": list(factor.levels),
        "numbers": None if factor.numbers is None else list(factor.numbers),
        "contrast": {
            "prefix": contrast.prefix,
            "fields": list(contrast.fields),
            "base": contrast.base,
            "matrix": None if contrast.matrix is None else [list(row) for row in contrast.matrix],
            "always": contrast.always,
        },
    }


def _factor_from(saved: Mapping[str, Any]) -> Factor:
    label, expression = _str(saved["label"]), _expression_from(saved["expression"])
    if saved["kind"] == "numeric":
        return NumericFactor(label, expression, _strings(saved["fields"]), _bool(saved["spans"]))
    if saved["kind"] != "categorical":
        raise DataError(f"factor {label} has the unknown kind {saved['kind']!r}")
    if any(isinstance(part, Call) and part.function in STATEFUL for part in walk(expression)):
        raise DataError(f"factor {label} has levels of a transform")
    levels = _strings(saved["levels"])
    numbers = None if saved["numbers"] is None else tuple(map(_finite, _list(saved["numbers"])))
    if numbers is not None and len(numbers) != len(levels):
        raise DataError(f"factor {label} has {len(levels)} levels and {len(numbers)} numbers")
    return CategoricalFactor(
        label, expression, levels, numbers, _contrast_from(saved["contrast"], label, len(levels))
    )


def _contrast_from(saved: Mapping[str, Any], label: str, levels: int) -> Contrast:
    fields, matrix = _strings(saved["fields"]), saved["matrix"]
    if matrix is None:
        fits = len(fields) == levels - 1
    else:
        matrix = tuple(tuple(map(_finite, _list(row))) for row in _list(matrix))
        fits = len(matrix) == levels and all(len(row) == len(fields) for row in matrix)
    if not fits:
        raise DataError(f"the contrast of factor {label} does not fit its {levels} levels")
    return Contrast(
        _str(saved["prefix"]), fields, _index(saved["base"], levels), matrix, _bool(saved["always"])
    )


def _expression_to(expression: Expression) -> list[Any]:
    out: list[Any]
    match expression:
        case Name(name):
            out = ["name", name]
        case Number(value, whole):
            out = ["number", value, whole]
        case Text(text):
            out = ["text", text]
        case Flag(flag):
            out = ["flag", flag]
        case Vector(items):
            out = ["vector", _written(items)]
        case Named(names, items):
            out = ["named", list(names), _written(items)]
        case Operation(symbol, operands, text):
            out = ["operation", symbol, _written(operands), text]
        case Call(function, arguments, keywords, text):
            given = [[word, _expression_to(value)] for word, value in keywords]
            out = ["call", function, _written(arguments), given, text]
    return out


def _written(expressions: tuple[Expression, ...]) -> list[Any]:
    return [_expression_to(expression) for expression in expressions]


def _expression_from(saved: Any, depth: int = 0) -> Expression:
    if depth > DEEPEST:
        raise DataError("an expression is nested too deeply")
    kind, *rest = _list(saved)
    if _str(kind) not in _READERS:
        raise DataError(f"an expression has the unknown kind {kind!r}")
    return _READERS[kind](depth + 1, *rest)


def _many(saved: Any, depth: int) -> tuple[Expression, ...]:
    return tuple(_expression_from(part, depth) for part in _list(saved))


def _call_from(depth: int, function: Any, arguments: Any, keywords: Any, text: Any) -> Expression:
    if canonical(_str(function)) != function:
        raise DataError(f"{function!r} is not among the functions of formulas")
    given = tuple((_str(word), _expression_from(value, depth)) for word, value in _list(keywords))
    return Call(function, _many(arguments, depth), given, _str(text))


def _operation_from(depth: int, symbol: Any, operands: Any, text: Any) -> Expression:
    if symbol not in OPERATORS and symbol not in UNARY:
        raise DataError(f"{symbol!r} is not among the operators of formulas")
    parts = _many(operands, depth)
    if len(parts) < 2 and (len(parts) != 1 or symbol not in UNARY):
        raise DataError(f"{symbol!r} has {len(parts)} operands")
    return Operation(symbol, parts, _str(text))


_READERS: dict[str, Callable[..., Expression]] = {
    "name": lambda _, name: Name(_str(name)),
    "number": lambda _, value, whole: Number(_number(value), _bool(whole)),
    "text": lambda _, value: Text(_str(value)),
    "flag": lambda _, value: Flag(None if value is None else _bool(value)),
    "vector": lambda depth, items: Vector(_many(items, depth)),
    "named": lambda depth, names, items: Named(_strings(names), _many(items, depth)),
    "operation": _operation_from,
    "call": _call_from,
}


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise DataError(f"{value!r} stands where text belongs")
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise DataError(f"{value!r} stands where true or false belongs")
    return value


def _number(value: Any) -> float:
    if isinstance(value, str) and value in SPECIAL:
        return SPECIAL[value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise DataError(f"{value!r} stands where a number belongs")
    return float(value)


def _finite(value: Any) -> float:
    number = _number(value)
    if not math.isfinite(number):
        raise DataError(f"{value!r} stands where a finite number belongs")
    return number


def _index(value: Any, size: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < size:
        raise DataError(f"{value!r} stands where an index below {size} belongs")
    return value


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise DataError(f"{value!r} stands where a list belongs")
    return value


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(map(_str, _list(value)))
