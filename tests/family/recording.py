"""A namespace that records: it runs a unit once on symbols and keeps the straight-line program.

Whatever a unit asks of an array beyond elementwise operations (its truth, its length, an element) is refused:
what can be recorded can be compiled.
Read next: tests/family/test_namespaces.py, which records every pair and replays it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

ELEMENTWISE = (
    *("exp", "expm1", "log", "log1p", "sqrt", "abs", "floor", "sign"),
    *("tan", "atan", "tanh", "sinh", "cosh", "atanh", "asinh", "minimum", "maximum", "where", "clip"),
)
LIKE = ("ones_like", "zeros_like")


class Symbol:
    """One value of the program; refuses to be looked into."""

    def __init__(self, recorder: Recorder, position: int) -> None:
        self.recorder, self.position = recorder, position

    def __bool__(self) -> bool:
        raise TypeError("a branch depends on data: it cannot be recorded")

    def __len__(self) -> int:
        raise TypeError("the length is not known while recording")

    def __iter__(self) -> Any:
        raise TypeError("elements are not known while recording")

    def __float__(self) -> float:
        raise TypeError("the value is not known while recording")

    __index__ = __int__ = __float__
    __hash__ = None

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("numpy was called on a symbol instead of the namespace")


def _binary(function: Callable[..., Any], *, swapped: bool = False) -> Callable[[Symbol, Any], Symbol]:
    def method(self: Symbol, other: Any) -> Symbol:
        return self.recorder.add(function, *((other, self) if swapped else (self, other)))

    return method


for _name in ("add", "sub", "mul", "truediv", "pow"):
    setattr(Symbol, f"__{_name}__", _binary(getattr(operator, _name)))
    setattr(Symbol, f"__r{_name}__", _binary(getattr(operator, _name), swapped=True))
for _name in ("lt", "le", "gt", "ge", "eq", "ne", "and_", "or_"):
    setattr(Symbol, f"__{_name.rstrip('_')}__", _binary(getattr(operator, _name)))
Symbol.__neg__ = lambda self: self.recorder.add(operator.neg, self)
Symbol.__pos__ = lambda self: self
Symbol.__invert__ = lambda self: self.recorder.add(operator.invert, self)


class Recorder:
    """The namespace: its functions append an instruction and return its symbol."""

    inf = float("inf")
    pi = 3.141592653589793
    e = 2.718281828459045

    def __init__(self) -> None:
        self.program: list[tuple[Any, tuple[Any, ...]]] = []
        self.inputs = 0

    def input(self) -> Symbol:
        self.inputs += 1
        return self.add("input")

    def add(self, function: Any, *operands: Any) -> Symbol:
        assert all(isinstance(each, (Symbol, int, float)) for each in operands), operands
        self.program.append((function, operands))
        return Symbol(self, len(self.program) - 1)

    def __getattr__(self, name: str) -> Callable[..., Symbol]:
        if name not in ELEMENTWISE + LIKE:
            raise AttributeError(f"{name} is not an elementwise function a unit may use")
        return lambda *operands: self.add(name, *operands)

    def replay(self, xp: Any, inputs: list[Any], results: tuple[Symbol, ...]) -> list[Any]:
        """Run the recorded program, operation by operation."""
        values: list[Any] = []
        waiting = iter(inputs)
        for function, operands in self.program:
            if function == "input":
                values.append(next(waiting))
                continue
            arguments = [values[each.position] if isinstance(each, Symbol) else each for each in operands]
            values.append((getattr(xp, function) if isinstance(function, str) else function)(*arguments))
        return [values[result.position] for result in results]
