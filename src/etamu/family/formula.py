"""Formulas of one family as text: read by an allow-list into a tree, printed as LaTeX, run step by step.

May import: _base, family.special.
Read next: `etamu.family.symbolic`, which differentiates and integrates what is read here.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable
from typing import Any, final

from etamu._base.errors import FamilyError
from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Namespace
from etamu.family import special

Tree = tuple[Any, ...]
"""("number", "2"), ("name", "mu"), ("+", left, right), ("-", part), ("exp", part) and so on."""

LONGEST = 500
"""Longest formula of a family, in characters."""

DEEPEST = 40
"""Deepest nesting of a formula of a family."""

STEEPEST = 64.0
"""Largest product of nested exponents: what is higher is no variance, and would never be expanded."""

LARGEST = 1e15
"""Largest number a constant part of a formula may come to; the smallest is its inverse."""

CALLS = (
    *("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh"),
    *("asinh", "atanh"),
)
"""Functions a formula may call."""

_CONSTANTS = {"pi": math.pi, "e": math.e, "E": math.e}
_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**",
}  # fmt: skip
_COMPUTE: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}


def read(text: Any, *names: str) -> Tree:
    """Read a formula in the names given; nothing of it is ever run.

    Parameters
    ----------
    text : str
        With + - * / ** (or ^), numbers, pi, e and the functions of `CALLS`.
    names : str
        The variables it may hold.

    Raises
    ------
    FamilyError
        At the first thing that is not allowed.

    Examples
    --------
    >>> read("log(1 + exp(theta))", "theta")
    ('log', ('+', ('number', '1'), ('exp', ('name', 'theta'))))
    """
    if not isinstance(text, str):
        raise FamilyError(f"a family is derived from a formula as text, not from {text!r}")
    if len(text) > LONGEST:
        raise FamilyError(f"a formula of {len(text)} characters is too long for a family: at most {LONGEST}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            parsed = ast.parse(text.strip().replace("^", "**"), mode="eval").body
    except SyntaxError as error:
        raise FamilyError(f"the formula {text!r} cannot be read: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise FamilyError(f"the formula {text!r} cannot be read") from None
    tree = _tree(parsed, text, names, 0)
    if _towers(tree) > 2:
        raise FamilyError(f"the formula {text!r} nests more than two exponentials")
    if _steepness(tree) > STEEPEST:
        raise FamilyError(f"the formula {text!r} has too high a power; the limit is {STEEPEST:g}")
    return tree


def _tree(  # noqa: PLR0911  (one per kind of node)
    node: ast.expr, text: str, names: tuple[str, ...], depth: int
) -> Tree:
    if depth > DEEPEST:
        raise FamilyError(f"the formula {text!r} is nested too deeply; the limit is {DEEPEST}")

    def below(part: ast.expr) -> Tree:
        return _tree(part, text, names, depth + 1)

    match node:
        case ast.Constant(value=int() | float() as value) if type(value) is not bool:
            if not _reasonable(value):
                raise FamilyError(f"the formula {text!r}: {_unreasonable(f'{value:.4g}')}")
            return ("number", repr(value))
        case ast.Name(id=word) if word in names:
            return ("name", word)
        case ast.Name(id=word) if word in _CONSTANTS:
            return ("constant", word)
        case ast.BinOp(
            left=ast.UnaryOp(op=ast.USub(), operand=left), op=ast.Mult() | ast.Div() as op, right=right
        ):
            return ("-", (_SIGNS[type(op)], below(left), below(right)))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGNS:
            return (_SIGNS[type(op)], below(left), below(right))
        case ast.UnaryOp(op=ast.USub(), operand=part):
            return ("-", below(part))
        case ast.UnaryOp(op=ast.UAdd(), operand=part):
            return below(part)
        case ast.Call(func=ast.Name(id=word), args=[part], keywords=[]) if word in CALLS:
            return (word, below(part))
    used = ast.unparse(node)[:60]
    raise FamilyError(
        f"the formula {text!r} uses {used!r}, which is not allowed: it may use {', '.join(names)}, numbers, "
        f"pi, e, + - * / **, {', '.join(CALLS)}"
    )


def constant(tree: Tree, **names: float) -> float | None:
    """Return the value of a part without a variable, None where there is one that is not given.

    Raises
    ------
    FamilyError
        If the value is no number, or larger than `LARGEST`.
    """
    match tree:
        case ("number", text):
            return float(text)
        case ("constant", word):
            return _CONSTANTS[word]
        case ("name", word):
            return names.get(word)
    parts = [constant(part, **names) for part in tree[1:]]
    if any(part is None for part in parts):
        return None
    numbers = [part for part in parts if part is not None]
    try:
        if len(numbers) == 2:
            value = _COMPUTE[tree[0]](*numbers)
        else:
            value = -numbers[0] if tree[0] == "-" else getattr(math, tree[0])(numbers[0])
    except (ArithmeticError, ValueError):
        value = math.nan
    if isinstance(value, complex) or not _reasonable(value):
        raise FamilyError(_unreasonable(f"{text_of(tree)} in the formula"))
    return float(value)


def _reasonable(value: float) -> bool:
    """Tell whether a number leaves digits in both tails of what is computed with it."""
    return value == 0 or 1.0 / LARGEST <= abs(value) <= LARGEST


def _unreasonable(what: str) -> str:
    return (
        f"{what} is no number of a reasonable size, which is between {1.0 / LARGEST:g} and {LARGEST:g}; a "
        "factor of a variance may be left out, for phi is estimated"
    )


def _towers(tree: Tree) -> int:
    """Return how many exponentials stand upon one another: of three, no number of digits is enough."""
    if tree[0] in ("number", "name", "constant"):
        return 0
    grows = tree[0] in ("exp", "expm1", "sinh", "cosh") or (tree[0] == "**" and constant(tree[2]) is None)
    return max(_towers(part) for part in tree[1:]) + grows


def _steepness(tree: Tree) -> float:
    """Return the highest power an expansion could come to; refuse constants without bound on the way."""
    if constant(tree) is not None:
        return 0.0
    match tree:
        case ("name", _):
            return 1.0
        case ("**", base, power):
            exponent = constant(power)
            return _steepness(base) * max(1.0, abs(exponent)) if exponent is not None else STEEPEST
        case ("*" | "/", left, right):
            return _steepness(left) + _steepness(right)
        case (_, *parts):
            return max(_steepness(part) for part in parts)
    return 0.0


_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}


def text_of(tree: Tree, tight: int = 0) -> str:
    """Print a tree as plain text.

    Examples
    --------
    >>> text_of(read("(mu+1)**2 / mu", "mu"))
    '(mu + 1)**2/mu'
    """
    match tree:
        case ("number" | "name" | "constant", word):
            return str(word)
        case ("-", part):
            return _within(f"-{text_of(part, 2)}", 1, tight)
        case ("+" | "-" | "*" | "/" | "**" as sign, left, right):
            own = _BINDING[sign]
            gap = " " if own == 1 else ""
            lower, upper = (own + 1, own) if sign == "**" else (own, own + (sign in "-/"))
            return _within(f"{text_of(left, lower)}{gap}{sign}{gap}{text_of(right, upper)}", own, tight)
    return f"{tree[0]}({text_of(tree[1])})"


def _within(text: str, own: int, tight: int) -> str:
    return f"({text})" if own < tight else text


_GREEK = {"mu": r"\mu", "theta": r"\theta", "eta": r"\eta", "phi": r"\phi", "pi": r"\pi", "E": "e"}
_NAMES = {
    "log1p": r"\log(1 + {})", "expm1": r"(e^{{{}}} - 1)", "exp": "e^{{{}}}", "sqrt": r"\sqrt{{{}}}",
    "atan": r"\arctan({})", "asinh": r"\operatorname{{arsinh}}({})", "atanh": r"\operatorname{{artanh}}({})",
}  # fmt: skip


def latex_of(tree: Tree, tight: int = 0) -> str:  # noqa: PLR0911  (one per kind of part)
    r"""Print a tree as LaTeX.

    Examples
    --------
    >>> print(latex_of(read("exp(theta) / (1 + exp(theta))", "theta")))
    \frac{e^{\theta}}{1 + e^{\theta}}
    """
    match tree:
        case ("number", word):
            return str(word)
        case ("name" | "constant", word):
            return _GREEK.get(str(word), str(word))
        case ("-", part):
            return _within(f"-{latex_of(part, 2)}", 1, tight)
        case ("/", left, right):
            return rf"\frac{{{latex_of(left)}}}{{{latex_of(right)}}}"
        case ("**", base, power):
            inside = latex_of(base, 5)
            inside = f"({inside})" if base[0] in ("/", "exp") else inside
            return rf"{inside}^{{{latex_of(power)}}}"
        case ("+" | "-" | "*" as sign, left, right):
            own = _BINDING[sign]
            between = r" \, " if sign == "*" else f" {sign} "
            if sign == "*" and right[0] == "number":
                between = r" \cdot "
            right_text = latex_of(right, own + (sign == "-"))
            return _within(f"{latex_of(left, own)}{between}{right_text}", own, tight)
    pattern = _NAMES.get(tree[0], rf"\{tree[0]}({{}})")
    return pattern.format(latex_of(tree[1]))


Step = tuple[Any, ...]
"""(operation, operand, …): an int is the slot of an earlier step or input, a float is a number."""


@final
@dataclass(frozen=True, slots=True)
class Formula:
    """A formula made ready: each part once, in an order that any array namespace runs or records.

    Slots are numbered through, the inputs first.

    Examples
    --------
    >>> import numpy as np
    >>> square = Formula(1, (("*", 0, 0), ("+", 1, 1.0)))
    >>> square(np, np.array([3.0]))
    array([10.])
    """

    inputs: int
    steps: tuple[Step, ...]
    result: int = -1

    def __call__(self, xp: Namespace, *arrays: AnyArray) -> AnyArray:
        """Compute the formula at arrays."""
        slots: list[Any] = list(arrays)
        for operation, *operands in self.steps:
            values = [slots[each] if type(each) is int else each for each in operands]
            slots.append(OPERATIONS[operation](xp, *values))
        return slots[self.result]


def _power(_xp: Namespace, x: Any, k: float) -> Any:
    if k == int(k) and 1.0 <= k <= 8.0:
        total = x
        for _ in range(int(k) - 1):
            total = total * x
        return total
    return x**k


def _polynomial(_xp: Namespace, x: Any, *coefficients: float) -> Any:
    total = coefficients[0]
    for each in coefficients[1:]:
        total = total * x + each if each else total * x
    return total


def _log_cosh(xp: Namespace, x: Any) -> Any:
    size = xp.abs(x)
    return size + (xp.log1p(xp.exp(-2.0 * size)) - math.log(2.0))


def _call(name: str) -> Callable[[Namespace, Any], Any]:
    return lambda xp, x: getattr(xp, name)(x)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "+": lambda _xp, a, b: a + b,
    "-": lambda _xp, a, b: a - b,
    "*": lambda _xp, a, b: a * b,
    "/": lambda _xp, a, b: a / b,
    "negative": lambda _xp, a: -a,
    "power": _power,
    "polynomial": _polynomial,
    "number": lambda xp, x, value: xp.zeros_like(x) + value,
    "rises": lambda xp, x, above, below: xp.where(x > 0.0, xp.zeros_like(x) + above, below),
    "exp": special.exp,
    "softplus": special.softplus,
    "log_complement": special.log_complement,
    "log_cosh": _log_cosh,
    **{name: _call(name) for name in (*CALLS, "abs") if name != "exp"},
}
"""What a step may do."""
