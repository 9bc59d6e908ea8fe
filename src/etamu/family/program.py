"""A unit as a straight-line program: traced once, its parts shared, its registers allotted.

May import: _base, family.panels, family.trace.
Read next: `src/kernel/program.hpp`, which runs a program tile by tile.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple, final

import numpy as np

from etamu._base.crew import done
from etamu._base.facts import dataclass
from etamu._base.kernel import kernel
from etamu._base.types import Array
from etamu.family.panels import Panels
from etamu.family.trace import NUMPY, Node, Recorder, Symbol

Wanted = tuple[str, ...]
"""Names of results, of `RESULTS`, in any order."""

RESULTS = ("value", "score", "expected", "observed")
"""What a program may give per row."""

PART = 1 << 16
"""Numbers that one thread of several evaluates at once."""

REMEMBERED = 256
"""Programs kept: units are small, but a search over links could make any number of them."""


class Instruction(NamedTuple):
    """One step: operation, slot it writes, slots it reads; a polynomial reads x and its coefficients.

    A reading of panels has the slot of x and the number of the table.
    """

    operation: str
    target: int
    operands: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True)
class Program:
    """A straight-line program over columns.

    Slots are numbered through: the inputs, the constants, the registers, one result per output.

    Parameters
    ----------
    inputs : int
        Columns read: those of the response, then eta.
    constants : tuple of float
    code : tuple of Instruction
    outputs : tuple of int
        The slot of every output.
    registers : int
        Columns of working memory.
    tables : tuple of Panels
    """

    inputs: int
    constants: tuple[float, ...]
    code: tuple[Instruction, ...]
    outputs: tuple[int, ...]
    registers: int
    tables: tuple[Panels, ...] = ()

    def run(self, *columns: Array) -> tuple[Array, ...]:
        """Run whole columns through NumPy, one instruction after the other."""
        first = self.inputs + len(self.constants)
        slots: list[Any] = [None] * (first + self.registers + len(self.outputs))
        slots[: self.inputs] = columns
        slots[self.inputs : first] = [np.float64(each) for each in self.constants]
        with np.errstate(all="ignore"):
            for operation, target, operands in self.code:
                if operation == "panels":
                    slots[target] = self.tables[operands[1]](np, slots[operands[0]])
                    continue
                slots[target] = _REPLAY[operation](*(slots[each] for each in operands))
        shape = np.broadcast_shapes(*(np.shape(column) for column in columns))
        return tuple(
            np.broadcast_to(np.asarray(slots[each], dtype=np.float64), shape) for each in self.outputs
        )

    def __str__(self) -> str:
        def slot(number: int) -> str:
            if number < self.inputs:
                return f"in{number}"
            number -= self.inputs
            if number < len(self.constants):
                return f"{self.constants[number]:.6g}"
            number -= len(self.constants)
            return f"r{number}" if number < self.registers else f"out{number - self.registers}"

        def line(step: Instruction) -> str:
            read = step.operands[:1] if step.operation == "panels" else step.operands
            return f"{slot(step.target)} = {step.operation}({', '.join(map(slot, read))})"

        lines = [line(each) for each in self.code]
        return "\n".join([*lines, f"return {', '.join(map(slot, self.outputs))}"])


def _polynomial(x: Array, *coefficients: Any) -> Array:
    return functools.reduce(lambda total, each: total * x + each, coefficients)


_REPLAY: dict[str, Callable[..., Any]] = {
    **NUMPY,
    "fma": lambda a, b, c: a * b + c,
    "fms": lambda a, b, c: a * b - c,
    "fnma": lambda a, b, c: c - a * b,
    "poly": _polynomial,
}


def traced(unit: Any, columns: int = 1, wanted: Wanted = ("value", "score", "expected")) -> Program | None:
    """Return the program of a unit, None where it cannot be traced: there the NumPy twin serves.

    Parameters
    ----------
    unit : Unit, or anything with `bind(xp, information)`
    columns : int
        Columns of its response.
    wanted : tuple of str
        Of 'value', 'score', 'expected' and 'observed'; what is not wanted costs nothing.

    Examples
    --------
    >>> from etamu.family.families import Poisson
    >>> from etamu.family.links import Log
    >>> from etamu.family.unit import Unit
    >>> print(traced(Unit(Poisson(), Log()), 1, ("score", "expected")))
    out1 = exp(in1)
    out0 = sub(in0, out1)
    return out0, out1
    """
    try:
        return _traced(unit, columns, wanted)
    except TypeError:  # a unit that holds a list has no hash: it is traced every time
        return _traced.__wrapped__(unit, columns, wanted)


def compiled(unit: Any, columns: int = 1, wanted: Wanted = ("value", "score", "expected")) -> Any | None:
    """Return the program of a unit as the kernel runs it, None without a kernel or a trace.

    Its `run(columns)` takes one float64 column per input (one row stands for all) and gives one per output.
    """
    try:
        return _compiled(unit, columns, wanted)
    except TypeError:
        return _compiled.__wrapped__(unit, columns, wanted)


def scores(unit: Any, y: tuple[Array, ...]) -> Callable[[float], Array]:
    """Return the score of every row as a function of one eta for all, by the kernel where it can.

    Examples
    --------
    >>> from etamu.family.families import Poisson
    >>> from etamu.family.links import Log
    >>> from etamu.family.unit import Unit
    >>> scores(Unit(Poisson(), Log()), (np.array([0.0, 3.0]),))(0.0).tolist()
    [-1.0, 2.0]
    """
    columns = [np.ascontiguousarray(each, dtype=np.float64) for each in y]
    program = compiled(unit, len(columns), ("score",))
    if program is not None:
        return lambda eta: np.asarray(program.run([*columns, np.array([eta])])[0])
    bound = unit.bind(np)
    return lambda eta: np.asarray(bound(tuple(columns), np.full(len(columns[0]), eta))[1])


def elementwise(function: Callable[..., Any]) -> Callable[[Array], Array]:
    """Return a function (xp, x) of one column as a function of x, run by the kernel where it can.

    Examples
    --------
    >>> elementwise(lambda xp, x: xp.exp(-x))(np.array([0.0, np.inf])).tolist()
    [1.0, 0.0]
    """
    recorder = Recorder()
    outputs = [recorder.number(function(recorder, recorder.input()))]
    program = None if kernel is None else handed_over(assemble(recorder, outputs))
    if program is None:
        return functools.partial(function, np)

    def run(x: Array) -> Array:
        column = np.ascontiguousarray(x, dtype=np.float64).ravel()
        if column.size < 2 * PART:
            return np.asarray(program.run([column])[0]).reshape(np.shape(x))
        out, parts = np.empty_like(column), range(0, column.size, PART)

        def part(first: int) -> None:
            out[first : first + PART] = program.run([column[first : first + PART]])[0]

        done([functools.partial(part, first) for first in parts])
        return out.reshape(np.shape(x))

    return run


@functools.lru_cache(maxsize=REMEMBERED)
def _traced(unit: Any, columns: int, wanted: Wanted) -> Program | None:
    try:
        recorder, outputs = _record(unit, columns, wanted)
    except Exception:  # whatever a user's formula does to a symbol, it can still be run on arrays
        return None
    return assemble(recorder, outputs)


@functools.lru_cache(maxsize=REMEMBERED)
def _compiled(unit: Any, columns: int, wanted: Wanted) -> Any | None:
    if kernel is None:
        return None
    program = traced(unit, columns, wanted)
    return None if program is None else handed_over(program)


def handed_over(program: Program) -> Any | None:
    """Return the kernel's own form of a program; None if it lacks one of its operations."""
    words: list[int] = []
    for operation, target, operands in program.code:
        number = kernel.OPERATIONS.get(operation)
        if number is None:
            return None
        if operation == "poly":  # its coefficients are consecutive constants
            words += (number, target, operands[0], operands[1], len(operands) - 1)
        else:
            words += (number, target, *operands, *(0,) * (3 - len(operands)))
    tables = [each.flat for each in program.tables]
    return kernel.Program(
        program.inputs, program.constants, words, program.outputs, program.registers, tables
    )


def _record(unit: Any, columns: int, wanted: Wanted) -> tuple[Recorder, list[Node]]:
    """Run a unit on symbols, once per kind of information: what they share is recorded once."""
    recorder = Recorder()
    y = tuple(recorder.input() for _ in range(columns))
    eta = recorder.input()
    found: dict[str, Symbol] = {}
    for information in ("expected", "observed"):
        if information in wanted or (information == "expected" and "observed" not in wanted):
            value, score, found[information] = unit.bind(recorder, information)(y, eta)
            found.update(value=value, score=score)
    return recorder, [recorder.number(found[name]) for name in wanted]


class _Line(NamedTuple):
    """An instruction before its slots are known."""

    operation: str
    operands: tuple[Node, ...]
    coefficients: tuple[float, ...] = ()
    table: Panels | None = None


def assemble(recorder: Recorder, outputs: list[Node]) -> Program:
    """Return the program of what the outputs need, in the order it was recorded."""
    lines = _fused(recorder, outputs)
    inputs = len(recorder.inputs)
    constants: dict[tuple[float, float], int] = {}
    position: dict[Node, int] = {}
    numbers: list[float] = []
    for node in (each for line in lines.values() for each in line.operands):
        if node in recorder.constants:
            position[node] = inputs + _placed(constants, numbers, float(recorder.constants[node]))
    for node in outputs:
        if node in recorder.constants:
            position[node] = inputs + _placed(constants, numbers, float(recorder.constants[node]))
    series: dict[tuple[float, ...], int] = {}
    for line in lines.values():
        if line.coefficients and line.coefficients not in series:
            series[line.coefficients] = inputs + len(numbers)
            numbers += line.coefficients
    position.update({node: number for number, node in enumerate(recorder.inputs)})
    return _allotted(inputs, tuple(numbers), lines, series, position, outputs)


def _placed(constants: dict[tuple[float, float], int], numbers: list[float], value: float) -> int:
    key = (value, math.copysign(1.0, value))
    if key not in constants:
        constants[key] = len(numbers)
        numbers.append(value)
    return constants[key]


def _unguarded(recorder: Recorder, outputs: list[Node]) -> dict[Node, tuple[Node, ...]]:
    """Return the operands of every needed node, without the guards of branches nobody takes.

    Formulas write `where(c, log(where(c, x, 1)), 0)` so that NumPy warns of nothing. Nothing warns here: a
    choice whose result matters only where the same condition was chosen before is made already.
    """
    matters: dict[Node, frozenset[int]] = dict.fromkeys(outputs, frozenset())
    instead: dict[Node, Node] = {}
    needed: list[Node] = []

    def reads(node: Node, where: frozenset[int]) -> None:
        matters[node] = matters[node] & where if node in matters else where

    for node in range(max(outputs), -1, -1):
        where = matters.get(node)
        if where is None:
            continue
        operands = recorder.operands[node]
        if recorder.operations[node] == "where":
            condition, left, right = operands
            if condition + 1 in where or -condition - 1 in where:
                instead[node] = left if condition + 1 in where else right
                reads(instead[node], where)
                continue
            reads(condition, where)
            reads(left, where | {condition + 1})
            reads(right, where | {-condition - 1})
        else:
            for operand in operands:
                reads(operand, where)
        needed.append(node)

    def final(node: Node) -> Node:
        while node in instead:
            node = instead[node]
        return node

    return {node: tuple(map(final, recorder.operands[node])) for node in reversed(needed)}


def _fused(recorder: Recorder, outputs: list[Node]) -> dict[Node, _Line]:
    """Return the needed operations, products joined with the sums that alone read them."""
    needed = _unguarded(recorder, outputs)
    uses = Counter(operand for operands in needed.values() for operand in operands)
    kept = set(outputs)
    lines: dict[Node, _Line] = {}

    def alone(node: Node, operation: str) -> bool:
        return uses[node] == 1 and node not in kept and node in lines and lines[node].operation == operation

    for node, operands in needed.items():
        operation = recorder.operations[node]
        if not operands:
            continue
        line = _Line(operation, operands, table=recorder.tables.get(node))
        if operation in ("add", "sub"):
            for product, other, name in _joins(operation, *operands):
                if alone(product, "mul"):
                    line = _Line(name, (*lines.pop(product).operands, other))
                    break
        if line.operation == "fma":
            line = _as_polynomial(recorder, line, lines, alone)
        lines[node] = line
    return lines


def _joins(operation: str, a: Node, b: Node) -> tuple[tuple[Node, Node, str], ...]:
    """Return (product, other, name) of the ways in which a sum or difference may take a product in."""
    if operation == "add":
        return (a, b, "fma"), (b, a, "fma")
    return (a, b, "fms"), (b, a, "fnma")


def _as_polynomial(recorder: Recorder, line: _Line, lines: dict[Node, _Line], alone: Any) -> _Line:
    """Return p x + c as a longer polynomial where p is one in x, as a first one where p is a constant."""
    a, b, last = line.operands
    if last not in recorder.constants:
        return line
    constant = float(recorder.constants[last])
    for inner, x in ((a, b), (b, a)):
        if x in recorder.constants:
            continue
        if inner in recorder.constants:
            return _Line("poly", (x,), (float(recorder.constants[inner]), constant))
        if alone(inner, "poly") and lines[inner].operands == (x,):
            return _Line("poly", (x,), (*lines.pop(inner).coefficients, constant))
    return line


def _allotted(
    inputs: int,
    constants: tuple[float, ...],
    lines: dict[Node, _Line],
    series: dict[tuple[float, ...], int],
    position: dict[Node, int],
    outputs: list[Node],
) -> Program:
    """Give every value a register until it is read for the last time; results are written in place."""
    last = {operand: node for node, line in lines.items() for operand in line.operands}
    first = inputs + len(constants)
    results = {node: -1 - k for k, node in reversed(list(enumerate(outputs))) if node in lines}
    free: list[int] = []
    registers = 0
    code: list[Instruction] = []
    tables = list(dict.fromkeys(line.table for line in lines.values() if line.table is not None))
    for node, line in lines.items():
        reads = tuple(position[each] for each in line.operands)
        read = [each for each in dict.fromkeys(line.operands) if each in lines and each not in results]
        free += [position[each] for each in read if last[each] == node]
        if node in results:
            target = results[node]
        elif free:
            target = free.pop()
        else:
            target = first + registers
            registers += 1
        position[node] = target
        if line.coefficients:
            start = series[line.coefficients]
            reads += tuple(range(start, start + len(line.coefficients)))
        if line.table is not None:
            reads += (tables.index(line.table),)
        code.append(Instruction(line.operation, target, reads))

    def slot(number: int) -> int:  # results come after the registers, whose number is known only now
        return number if number >= 0 else first + registers - 1 - number

    return Program(
        inputs,
        constants,
        tuple(Instruction(i.operation, slot(i.target), tuple(map(slot, i.operands))) for i in code),
        tuple(slot(position[node]) for node in outputs),
        registers,
        tuple(tables),
    )
