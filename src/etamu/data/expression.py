"""Expressions of a formula: read into a small tree of allowed things, never handed to an interpreter.

May import: numpy, `etamu._base`.
Read next: `etamu.data.evaluate`, which computes them.
"""

from __future__ import annotations

import ast
import keyword
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from etamu._base.errors import FormulaError
from etamu._base.facts import dataclass

LONGEST = 100_000
"""Longest expression read, in characters."""


@dataclass(frozen=True, slots=True)
class Name:
    """A column, or a word a function understands, such as `contr.sum`."""

    name: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number; `whole` if written without a point."""

    value: float
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A string in quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Flag:
    """True, False (TRUE, FALSE), or None."""

    value: bool | None


@dataclass(frozen=True, slots=True)
class Vector:
    """A list, as [1, 2] or c(1, 2)."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """Named things, as {"low": [1, 0, -1]}."""

    names: tuple[str, ...]
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator and its operands; `text` is how it is written."""

    symbol: str
    operands: tuple[Expression, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function by its canonical name, with what it is given; `text` is how it is written."""

    function: str
    arguments: tuple[Expression, ...]
    keywords: tuple[tuple[str, Expression], ...]
    text: str


Expression = Name | Number | Text | Flag | Vector | Named | Operation | Call


@dataclass(frozen=True, slots=True)
class Parsed:
    """An expression and its normalised text, the name its column will bear."""

    label: str
    expression: Expression


BINARY: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.FloorDiv: "//", ast.Mod: "%",
    ast.BitAnd: "&", ast.BitOr: "|", ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">",
    ast.GtE: ">=", ast.And: "&", ast.Or: "|", ast.UAdd: "+", ast.USub: "-", ast.Not: "~", ast.Invert: "~",
}  # fmt: skip
"""Operators an expression may use."""

REFUSED: dict[type[ast.AST], str] = {
    ast.Attribute: "an attribute", ast.Subscript: "a subscript", ast.Lambda: "a lambda",
    ast.JoinedStr: "a format string", ast.Slice: "a slice", ast.BitXor: "an exclusive or",
    ast.ListComp: "a comprehension", ast.SetComp: "a comprehension", ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension", ast.IfExp: "a conditional; use where(condition, a, b)",
    ast.NamedExpr: "an assignment", ast.Starred: "a star", ast.Await: "await", ast.Yield: "yield",
    ast.Set: "a set", ast.MatMult: "a matrix product", ast.LShift: "a shift", ast.RShift: "a shift",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip
"""What is refused, in words."""

WORDS: dict[str, bool | None] = {"TRUE": True, "FALSE": False, "NULL": None}
"""R's constants."""

_TOKEN = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"|`(?P<quoted>[^`]*)`"
    r"|(?P<dotted>(?<![\w.)\]\"'])[^\W\d]\w*(?:\.\w*)+)"
    r"|(?P<whole>(?<![\w.])\d+)L\b"
    r"|(?P<power>\^)"
    r"|(?P<word>(?<![\w.])[^\W\d]\w*)",
    re.DOTALL,
)
_PLACEHOLDER = "name_{}_of_formula"


@dataclass(frozen=True, slots=True)
class _Reader:
    """What is known while one text is read: names behind placeholders, functions allowed."""

    source: str
    aliases: dict[str, str]
    canonical: Callable[[str], str | None]
    caret: bool


def parse_expression(text: str, canonical: Callable[[str], str | None]) -> Parsed:
    """Read an expression.

    Parameters
    ----------
    text : str
        As a user typed it, in Python's spelling or R's: `x^2`, `TRUE`, `c(1, 2)`, `Solar.R`, backquotes.
    canonical : function
        Maps the name of a function to its canonical name, None if it is not allowed.

    Raises
    ------
    FormulaError
        If the text is no expression or uses anything that is not allowed.

    Examples
    --------
    >>> parse_expression("log( Solar.R+1 )", {"log": "log"}.get).label
    'log(Solar.R + 1)'
    """
    if len(text) > LONGEST:
        raise FormulaError(f"an expression of {len(text)} characters is too long; the limit is {LONGEST}")
    aliases: dict[str, str] = {}
    python = _TOKEN.sub(lambda match: _respell(match, text, aliases), text)
    caret = "^" in _TOKEN.sub(lambda match: "^" if match["power"] else " ", text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(python.strip(), mode="eval").body
        reader = _Reader(text.strip(), aliases, canonical, caret)
        return Parsed(_written(tree, reader), _build(tree, reader))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, FormulaError):
            raise
        raise FormulaError(f"cannot read the expression {_short(text)!r}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    if isinstance(error, (RecursionError, MemoryError)):
        return "it is nested too deeply"
    return str(getattr(error, "msg", error))


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "…"


def _respell(match: re.Match[str], text: str, aliases: dict[str, str]) -> str:
    """Write a name Python would not read as a placeholder, and R's spellings as Python's."""
    if match["power"] is not None:
        return "**"
    quoted, dotted = match["quoted"], match["dotted"]
    if quoted is None and dotted is None:
        return match["whole"] or match[0]
    name = dotted if quoted is None else quoted
    if name.isidentifier() and not keyword.iskeyword(name):
        return f" {name} "
    return f" {_alias(name, text, aliases)} "


def _alias(name: str, text: str, aliases: dict[str, str]) -> str:
    """Return the placeholder of a name, a new one if it has none."""
    for alias, other in aliases.items():
        if other == name:
            return alias
    serial = len(aliases)
    while _PLACEHOLDER.format(serial) in text:
        serial += 1
    aliases[_PLACEHOLDER.format(serial)] = name
    return _PLACEHOLDER.format(serial)


def _written(tree: ast.AST, reader: _Reader) -> str:
    """Print a tree as formulaic does: Python's own spacing, names it could not read in backquotes."""
    text = ast.unparse(tree).replace("\n", " ")
    if reader.caret:
        text = text.replace(" ** ", " ^ ")
    for alias, name in reader.aliases.items():
        dotted = all(part.isidentifier() or part.isalnum() for part in name.split("."))
        text = text.replace(alias, name if dotted else f"`{name}`")
    return text


def _build(tree: ast.AST, reader: _Reader) -> Expression:
    builder = _BUILDERS.get(type(tree))
    if builder is None:
        raise _refusal(tree, reader)
    return builder(tree, reader)


def _refusal(tree: ast.AST, reader: _Reader) -> FormulaError:
    what = REFUSED.get(type(tree), type(tree).__name__)
    return FormulaError(f"{_short(reader.source)!r} uses {what}, which formulas do not allow")


def _all(trees: list[Any], reader: _Reader) -> tuple[Expression, ...]:
    return tuple(_build(tree, reader) for tree in trees)


def _name(tree: ast.Name, reader: _Reader) -> Expression:
    if tree.id in WORDS:
        return Flag(WORDS[tree.id])
    return Name(reader.aliases.get(tree.id, tree.id))


def _constant(tree: ast.Constant, reader: _Reader) -> Expression:
    value = tree.value
    if value is None or isinstance(value, bool):
        return Flag(value)
    if isinstance(value, str):
        return Text(value)
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        raise FormulaError(f"{_short(reader.source)!r} holds a number too large for a float")
    if isinstance(value, (int, float)):
        return Number(float(value), isinstance(value, int))
    raise FormulaError(f"{_short(reader.source)!r} holds {value!r}, which is neither a real number nor text")


def _operator(node: ast.AST, reader: _Reader) -> str:
    if type(node) not in BINARY:
        raise _refusal(node, reader)
    return BINARY[type(node)]


def _binary(tree: ast.BinOp, reader: _Reader) -> Expression:
    symbol = _operator(tree.op, reader)
    operands = _all([tree.left, tree.right], reader)
    if symbol in "&|" and any(isinstance(operand, Number) for operand in operands):
        raise FormulaError(
            f"{_short(reader.source)!r}: {symbol} binds more tightly than comparisons;"
            f" write (a > 1) {symbol} (b < 2)"
        )
    return Operation(symbol, operands, _written(tree, reader))


def _unary(tree: ast.UnaryOp, reader: _Reader) -> Expression:
    operand = _build(tree.operand, reader)
    if isinstance(operand, Number) and isinstance(tree.op, ast.USub):
        return Number(-operand.value, operand.whole)
    return Operation(_operator(tree.op, reader), (operand,), _written(tree, reader))


def _logical(tree: ast.BoolOp, reader: _Reader) -> Expression:
    return Operation(_operator(tree.op, reader), _all(tree.values, reader), _written(tree, reader))


def _compare(tree: ast.Compare, reader: _Reader) -> Expression:
    sides = _all([tree.left, *tree.comparators], reader)
    written = _written(tree, reader)
    steps = tuple(
        Operation(_operator(op, reader), pair, written)
        for op, pair in zip(tree.ops, pairwise(sides), strict=True)
    )
    return steps[0] if len(steps) == 1 else Operation("&", steps, written)


def _call(tree: ast.Call, reader: _Reader) -> Expression:
    if not isinstance(tree.func, ast.Name):
        raise FormulaError(f"{_short(reader.source)!r} calls something that is not a function's name")
    name = reader.aliases.get(tree.func.id, tree.func.id)
    function = reader.canonical(name)
    if function is None:
        raise FormulaError(
            f"{_short(reader.source)!r} uses {name}(), which is not among the functions of formulas"
        )
    keywords = []
    for given in tree.keywords:
        if given.arg is None:
            raise FormulaError(f"{_short(reader.source)!r} uses **, which formulas do not allow in a call")
        keywords.append((reader.aliases.get(given.arg, given.arg), _build(given.value, reader)))
    arguments = _all(tree.args, reader)
    if function == "c":
        return Vector(arguments)
    return Call(function, arguments, tuple(keywords), _written(tree, reader))


def _list(tree: ast.List | ast.Tuple, reader: _Reader) -> Expression:
    return Vector(_all(tree.elts, reader))


def _dict(tree: ast.Dict, reader: _Reader) -> Expression:
    names = []
    for key in tree.keys:
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            raise FormulaError(f"{_short(reader.source)!r}: the names in braces must be text in quotes")
        names.append(key.value)
    return Named(tuple(names), _all(tree.values, reader))


_BUILDERS: dict[type[ast.AST], Callable[[Any, _Reader], Expression]] = {
    ast.Name: _name,
    ast.Constant: _constant,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _logical,
    ast.Compare: _compare,
    ast.Call: _call,
    ast.List: _list,
    ast.Tuple: _list,
    ast.Dict: _dict,
}


def parts(expression: Expression) -> tuple[Expression, ...]:
    """Return what an expression is made of, one level down."""
    if isinstance(expression, Operation):
        return expression.operands
    if isinstance(expression, Call):
        return expression.arguments + tuple(value for _, value in expression.keywords)
    if isinstance(expression, (Vector, Named)):
        return expression.items
    return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield an expression and everything inside it, outermost first."""
    yield expression
    for part in parts(expression):
        yield from walk(part)
