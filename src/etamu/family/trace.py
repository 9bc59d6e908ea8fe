"""A namespace that records: it runs a unit once on symbols and keeps what was asked, shared and folded.

May import: family.normal, family.panels, family.special, numpy.
Read next: `etamu.family.program`, which makes a straight-line program of the record.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any, ClassVar, final

import numpy as np

from etamu.family import normal, special
from etamu.family.panels import Panels

Node = int
"""A position in the record."""

WHOLE: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        *(special.expm1mx, special.log1pmx, special.relative_entropy, special.bd0, special.half_deviance),
        *(special.log_of_part, normal.exp_of_square),
    )
}
"""Functions composed of several that are one operation."""

MASKS = frozenset({"lt", "le", "eq", "ne", "both", "either", "invert"})
"""Operations whose result is true or false."""

ONE = ("abs", "sqrt", "floor", "sign", "exp", "expm1", "log", "log1p", "tanh", "sin", "cos", "tan", "atan",
       "sinh", "cosh", "asinh", "atanh")  # fmt: skip
"""Functions of one array that a unit may call."""

NUMPY: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in ONE},
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "lt", "le", "eq", "ne", "neg", "pow")},
    "div": operator.truediv,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "both": np.logical_and,
    "either": np.logical_or,
    "invert": np.logical_not,
    "where": np.where,
    **{name: functools.partial(function, np) for name, function in WHOLE.items()},
}  # fmt: skip
"""What each operation means: constants are folded with these."""

_COMMUTES = frozenset({"add", "mul", "eq", "ne", "both", "either"})
_EXACT_POWERS = (0.0, 1.0, 2.0, 0.5, -1.0)
"""Exponents for which NumPy calls no power function either."""


def _one(name: str) -> Callable[[Recorder, Any], Symbol]:
    def function(self: Recorder, x: Any) -> Symbol:
        return Symbol(self, self.add(name, self.number(x)))

    return function


def _many(name: str) -> Callable[..., Symbol]:
    def function(self: Recorder, *operands: Any) -> Symbol:
        return Symbol(self, self.add(name, *map(self.number, operands)))

    return function


def _operator(name: str, *, swapped: bool = False) -> Callable[[Symbol, Any], Any]:
    def method(self: Symbol, other: Any) -> Any:
        recorder = self.recorder
        left, right = recorder.number(self), recorder.number(other)
        return Symbol(recorder, recorder.add(name, *((right, left) if swapped else (left, right))))

    return method


def _logical(name: str) -> Callable[[Symbol, Any], Symbol]:
    def method(self: Symbol, other: Any) -> Symbol:
        recorder = self.recorder
        left, right = recorder.node(self), recorder.node(other)
        if not (recorder.mask(left) and recorder.mask(right)):
            raise TypeError("& and | join conditions, not numbers")
        return Symbol(recorder, recorder.add(name, left, right))

    return method


@final
class Symbol:
    """One value while recording; refuses to be looked into."""

    __slots__ = ("node", "recorder")
    __array_ufunc__ = None
    """NumPy's scalars give way to the operators below; NumPy's functions refuse."""

    def __init__(self, recorder: Recorder, node: Node) -> None:
        self.recorder, self.node = recorder, node

    def __bool__(self) -> bool:
        raise TypeError("a branch depends on data: it cannot be recorded")

    def __len__(self) -> int:
        raise TypeError("the length is not known while recording")

    def __iter__(self) -> Any:
        raise TypeError("elements are not known while recording")

    def __float__(self) -> float:
        raise TypeError("the value is not known while recording")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("numpy was called on a symbol instead of the namespace")

    def __neg__(self) -> Symbol:
        return Symbol(self.recorder, self.recorder.add("neg", self.recorder.number(self)))

    def __pos__(self) -> Symbol:
        return self

    def __abs__(self) -> Symbol:
        return Symbol(self.recorder, self.recorder.add("abs", self.recorder.number(self)))

    def __invert__(self) -> Symbol:
        if not self.recorder.mask(self.node):
            raise TypeError("~ denies a condition, not a number")
        return Symbol(self.recorder, self.recorder.add("invert", self.node))

    __hash__ = None  # type: ignore[assignment]
    __add__, __radd__ = _operator("add"), _operator("add", swapped=True)
    __sub__, __rsub__ = _operator("sub"), _operator("sub", swapped=True)
    __mul__, __rmul__ = _operator("mul"), _operator("mul", swapped=True)
    __truediv__, __rtruediv__ = _operator("div"), _operator("div", swapped=True)
    __pow__, __rpow__ = _operator("pow"), _operator("pow", swapped=True)
    __lt__, __le__ = _operator("lt"), _operator("le")
    __gt__, __ge__ = _operator("lt", swapped=True), _operator("le", swapped=True)
    __eq__, __ne__ = _operator("eq"), _operator("ne")
    __and__ = __rand__ = _logical("both")
    __or__ = __ror__ = _logical("either")


@final
class Recorder:
    """The namespace: its functions add a node to the record, or find it there, and return its symbol.

    Examples
    --------
    >>> xp = Recorder()
    >>> x = xp.input()
    >>> (2.0 * (x + 0.5)).node == ((x + 0.5) * 2.0).node
    True
    """

    whole: ClassVar[dict[str, Callable[..., Any]]] = {
        **{name: _many(name) for name in WHOLE},
        "exp": _one("exp"),  # nothing warns here: e^x needs no guard
    }
    """What `etamu.family.special` leaves to this namespace."""
    inf = math.inf
    nan = math.nan
    pi = math.pi
    e = math.e

    def __init__(self) -> None:
        self.operations: list[str] = []
        self.operands: list[tuple[Node, ...]] = []
        self.constants: dict[Node, float | bool] = {}
        self.inputs: list[Node] = []
        self.tables: dict[Node, Panels] = {}
        self._known: dict[tuple[Any, ...], Node] = {}

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{name} is not an elementwise function a unit may use")

    def input(self) -> Symbol:
        """Return the symbol of the next input."""
        self.inputs.append(self._append("input", ()))
        return Symbol(self, self.inputs[-1])

    def constant(self, value: float) -> Node:
        """Return the node of a number or of a truth."""
        key = (type(value), "nan" if math.isnan(value) else value, math.copysign(1.0, value))
        node = self._known.get(key)
        if node is None:
            node = self._known[key] = self._append("constant", ())
            self.constants[node] = value
        return node

    def node(self, value: Any) -> Node:
        """Return the node of a symbol or of a single number; refuse anything else."""
        if isinstance(value, Symbol):
            return value.node
        if isinstance(value, bool | np.bool_):
            return self.constant(bool(value))
        if isinstance(value, float | int) or (
            isinstance(value, np.generic | np.ndarray) and np.ndim(value) == 0
        ):
            return self.constant(float(value))
        raise TypeError(f"{type(value).__name__} is neither a symbol nor a number: it cannot be recorded")

    def number(self, value: Any) -> Node:
        """Return the node of an operand of arithmetic: true counts as 1."""
        node = self.node(value)
        return self.add("where", node, self.constant(1.0), self.constant(0.0)) if self.mask(node) else node

    def condition(self, value: Any) -> Node:
        """Return the node of a condition: any number but 0 counts as true."""
        node = self.node(value)
        return node if self.mask(node) else self.add("ne", node, self.constant(0.0))

    def mask(self, node: Node) -> bool:
        """Tell whether a node is true or false rather than a number."""
        return self.operations[node] in MASKS or isinstance(self.constants.get(node), bool)

    def add(self, operation: str, *operands: Node) -> Node:
        """Return the node of an operation: folded, simplified where that changes no bit, shared."""
        if operation in _COMMUTES:
            a, b = operands
            if (a in self.constants, a) > (b in self.constants, b):
                operands = (b, a)
        key = (operation, operands)
        node = self._known.get(key)
        if node is None:
            node = self._folded(operation, operands)
            if node is None:
                rule = _RULES.get(operation)
                node = rule(self, *operands) if rule else None
            if node is None:
                node = self._append(operation, operands)
            self._known[key] = node
        return node

    def _append(self, operation: str, operands: tuple[Node, ...]) -> Node:
        self.operations.append(operation)
        self.operands.append(operands)
        return len(self.operations) - 1

    def _folded(self, operation: str, operands: tuple[Node, ...]) -> Node | None:
        constants = self.constants
        for each in operands:
            if each not in constants:
                return None
        values = [constants[each] for each in operands]
        with np.errstate(all="ignore"):
            result = NUMPY[operation](
                *(each if isinstance(each, bool) else np.float64(each) for each in values)
            )
        return self.constant(bool(result) if operation in MASKS else float(result))

    abs, sqrt, floor, sign = map(_one, ("abs", "sqrt", "floor", "sign"))
    exp, expm1, log, log1p = map(_one, ("exp", "expm1", "log", "log1p"))
    sin, cos, tan, atan = map(_one, ("sin", "cos", "tan", "atan"))
    sinh, cosh, tanh, asinh, atanh = map(_one, ("sinh", "cosh", "tanh", "asinh", "atanh"))
    minimum, maximum = _many("minimum"), _many("maximum")

    def where(self, condition: Any, left: Any, right: Any) -> Symbol:
        """Record where(condition, left, right)."""
        return Symbol(
            self, self.add("where", self.condition(condition), self.number(left), self.number(right))
        )

    def clip(self, x: Any, lower: Any, upper: Any) -> Symbol:
        """Record what keeps x between two ends."""
        return self.minimum(self.maximum(x, lower), upper)

    def ones_like(self, _x: Any) -> Symbol:
        """Return the constant 1."""
        return Symbol(self, self.constant(1.0))

    def zeros_like(self, _x: Any) -> Symbol:
        """Return the constant 0."""
        return Symbol(self, self.constant(0.0))

    def full_like(self, _x: Any, value: Any) -> Symbol:
        """Return a constant."""
        return Symbol(self, self.number(value))

    def panels(self, table: Panels, x: Any) -> Symbol:
        """Record the reading of a table."""
        operand = self.number(x)
        key = ("panels", operand, id(table))
        if key not in self._known:
            self._known[key] = self._append("panels", (operand,))
            self.tables[self._known[key]] = table
        return Symbol(self, self._known[key])

    def isnan(self, x: Any) -> Symbol:
        """Record whether x is not a number."""
        node = self.number(x)
        return Symbol(self, self.add("ne", node, node))

    def isfinite(self, x: Any) -> Symbol:
        """Record whether x is neither infinite nor not a number."""
        return Symbol(self, self.add("lt", self.add("abs", self.number(x)), self.constant(math.inf)))


def _is(recorder: Recorder, node: Node, value: float) -> bool:
    """Tell whether a node is this constant, the sign of a zero included."""
    constant = recorder.constants.get(node)
    return (
        constant is not None
        and constant == value
        and math.copysign(1.0, constant) == math.copysign(1.0, value)
    )


def _negated(recorder: Recorder, node: Node) -> Node | None:
    """Return x where the node is -x."""
    return recorder.operands[node][0] if recorder.operations[node] == "neg" else None


def _add(recorder: Recorder, a: Node, b: Node) -> Node | None:
    if _is(recorder, b, -0.0):  # x + 0.0 is left alone: it makes a positive zero of a negative one
        return a
    if (other := _negated(recorder, b)) is not None:
        return recorder.add("sub", a, other)
    if (other := _negated(recorder, a)) is not None:
        return recorder.add("sub", b, other)
    return None


def _sub(recorder: Recorder, a: Node, b: Node) -> Node | None:
    if _is(recorder, b, 0.0):
        return a
    if _is(recorder, a, -0.0):
        return recorder.add("neg", b)
    other = _negated(recorder, b)
    return None if other is None else recorder.add("add", a, other)


def _mul(recorder: Recorder, a: Node, b: Node) -> Node | None:
    factor = recorder.constants.get(b)
    if factor is None:
        return None
    if factor == 1.0:
        return a
    if factor == -1.0:
        return recorder.add("neg", a)
    inner = recorder.constants.get(recorder.operands[a][1]) if recorder.operations[a] == "mul" else None
    if inner is not None and abs(factor * inner) == 1.0 and abs(math.frexp(factor)[0]) == 0.5:
        # Minus half of twice a number is minus that number, unless its double is infinite: then so is a sum.
        return recorder.add("mul", recorder.operands[a][0], recorder.constant(factor * inner))
    other = _negated(recorder, a)
    return None if other is None else recorder.add("mul", other, recorder.constant(-factor))


def _div(recorder: Recorder, a: Node, b: Node) -> Node | None:
    divisor = recorder.constants.get(b)
    if divisor is None or not math.isfinite(divisor) or divisor == 0.0:
        return None
    # The inverse of a power of two is exact, and so is the product with it wherever the quotient is.
    if abs(math.frexp(divisor)[0]) == 0.5 and 2.0**-1000 < abs(divisor) < 2.0**1000:
        return recorder.add("mul", a, recorder.constant(1.0 / divisor))
    return None


def _neg(recorder: Recorder, a: Node) -> Node | None:
    return _negated(recorder, a)


def _abs(recorder: Recorder, a: Node) -> Node | None:
    if recorder.operations[a] == "abs":
        return a
    other = _negated(recorder, a)
    return None if other is None else recorder.add("abs", other)


def _pow(recorder: Recorder, a: Node, b: Node) -> Node | None:
    exponent = recorder.constants.get(b)
    if exponent not in _EXACT_POWERS:
        return None
    if exponent == 2.0:
        return recorder.add("mul", a, a)
    if exponent == 0.5:
        return recorder.add("sqrt", a)
    if exponent == 0.0:
        return recorder.constant(1.0)
    return a if exponent == 1.0 else recorder.add("div", recorder.constant(1.0), a)


def _minimum(recorder: Recorder, a: Node, b: Node) -> Node | None:
    return a if _is(recorder, b, math.inf) or a == b else None


def _maximum(recorder: Recorder, a: Node, b: Node) -> Node | None:
    return a if _is(recorder, b, -math.inf) or a == b else None


def _both(recorder: Recorder, a: Node, b: Node) -> Node | None:
    if b in recorder.constants:
        return a if recorder.constants[b] else b
    return a if a == b else None


def _either(recorder: Recorder, a: Node, b: Node) -> Node | None:
    if b in recorder.constants:
        return b if recorder.constants[b] else a
    return a if a == b else None


def _invert(recorder: Recorder, a: Node) -> Node | None:
    return recorder.operands[a][0] if recorder.operations[a] == "invert" else None


def _where(recorder: Recorder, condition: Node, left: Node, right: Node) -> Node | None:
    if condition in recorder.constants:
        return left if recorder.constants[condition] else right
    if left == right:
        return left
    if recorder.operations[condition] == "invert":
        return recorder.add("where", recorder.operands[condition][0], right, left)
    # A choice already made is not made again.
    for position, side in ((1, left), (2, right)):
        if recorder.operations[side] == "where" and recorder.operands[side][0] == condition:
            inner = recorder.operands[side][position]
            return recorder.add("where", condition, *((inner, right) if position == 1 else (left, inner)))
    return None


_RULES: dict[str, Callable[..., Node | None]] = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "neg": _neg, "abs": _abs, "pow": _pow,
    "minimum": _minimum, "maximum": _maximum, "both": _both, "either": _either, "invert": _invert,
    "where": _where,
}  # fmt: skip
