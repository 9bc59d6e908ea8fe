"""Computes expressions over the rows in use; what is not a number where one belongs is named.

May import: numpy, `etamu._base`, `etamu.data`.
Read next: `etamu.data.schema`, which settles what an expression needs to know about all rows.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from etamu._base.errors import DataError, FormulaError
from etamu._base.facts import dataclass
from etamu._base.flags import are_all
from etamu._base.types import Array, Mask
from etamu.data.basis import STATEFUL, Basis, settle
from etamu.data.codes import RawArray
from etamu.data.column import Column, refuse_rounded
from etamu.data.expression import Call, Expression, Flag, Name, Named, Number, Operation, Text, Vector, walk
from etamu.data.frame import Frame
from etamu.data.functions import FUNCTIONS

States = Mapping[str, Basis]
"""Settled transforms by the text of their call."""

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})

OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": np.divide,
    "**": np.power,
    "//": np.floor_divide,
    "%": np.mod,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "&": np.logical_and,
    "|": np.logical_or,
}
"""Operators of two operands and more."""

UNARY: dict[str, Callable[[Any], Any]] = {"-": operator.neg, "+": operator.pos, "~": np.logical_not}
"""Operators of one operand."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a frame in use.

    Parameters
    ----------
    frame : Frame
    keep : mask, optional
        None for all.
    exposure : array, optional
        What each row in use counts where levels are compared by exposure; None for 1.
    """

    frame: Frame
    keep: Mask | None = None
    exposure: Array | None = None

    def __len__(self) -> int:
        return len(self.frame) if self.keep is None else int(np.count_nonzero(self.keep))

    def select(self, values: RawArray) -> RawArray:
        """Take the rows in use of an array; the array itself where all are."""
        return values if self.keep is None else values[self.keep]

    def position(self, row: int) -> int:
        """Return the position in the input of a row in use."""
        return row if self.keep is None else int(np.flatnonzero(self.keep)[row])

    def present(self, name: str) -> Column:
        """Return a column, all rows of it, having made sure that no row in use is missing.

        Raises
        ------
        DataError
            If a value is missing in a row in use.
        """
        column = self.frame.column(name)
        if column.missing is not None:
            gap = self.select(column.missing)
            if gap.any():
                raise DataError(
                    f"column {name!r} is missing in row {self.position(int(gap.argmax()))};"
                    " fill it in or leave the row out"
                )
        return column


def rows_in_use(frame: Frame, keep: Mask | None, exposure: Array | None = None) -> Rows:
    """Describe rows by a mask, all of them being no mask at all, so that columns are not copied.

    Raises
    ------
    DataError
        If the mask has another length than the table.
    """
    if keep is not None and len(keep) != len(frame):
        raise DataError(f"the mask of rows has {len(keep)} entries and the data have {len(frame)} rows")
    return Rows(frame, None if keep is None or are_all(keep) else keep, exposure)


def names_in(expression: Expression) -> tuple[str, ...]:
    """Return the columns an expression reads, in order of appearance; contrasts are not columns."""
    if isinstance(expression, Call) and expression.function in {"C", "relevel"}:
        return tuple(name for argument in expression.arguments[:1] for name in names_in(argument))
    if isinstance(expression, Name):
        return (expression.name,)
    inner = expression.operands if isinstance(expression, Operation) else ()
    inner = expression.arguments if isinstance(expression, Call) else inner
    return tuple(dict.fromkeys(name for part in inner for name in names_in(part)))


def evaluate(expression: Expression, rows: Rows, states: States) -> Array:
    """Compute a numeric expression over the rows in use.

    Returns
    -------
    (n,) or, for a basis, (n, k), float64.

    Raises
    ------
    DataError
        If a column holds text where numbers belong, or is missing in a row in use.
    FormulaError
        If the expression makes no number.
    """
    with np.errstate(all="ignore"):
        values = np.asarray(_value(expression, rows, states), dtype=np.float64)
    return np.broadcast_to(values, (len(rows),)) if values.ndim == 0 else values


def _value(expression: Expression, rows: Rows, states: States) -> Any:
    if isinstance(expression, Number):
        return np.float64(expression.value)
    if isinstance(expression, Name):
        return numbers_of(expression.name, rows)
    if isinstance(expression, Operation):
        return _operation(expression, rows, states)
    if isinstance(expression, Call):
        return _call(expression, rows, states)
    if isinstance(expression, Flag) and expression.value is not None:
        return np.float64(expression.value)
    raise FormulaError(f"{_shown(expression)} stands where a number belongs")


def _shown(expression: Expression) -> str:
    if isinstance(expression, Text):
        return f"the text {expression.value!r}"
    return f"a {type(expression).__name__.lower()}"


def _written(expression: Expression) -> str:
    if isinstance(expression, (Call, Operation)):
        return expression.text
    return expression.name if isinstance(expression, Name) else _shown(expression)


def numbers_of(name: str, rows: Rows) -> Array:
    """Return a column as float64; truth values as 0 and 1.

    Raises
    ------
    DataError
        If it holds text or categories; the first row in use and its value are named.
    """
    column = rows.present(name)
    if column.kind not in {"numeric", "boolean"}:
        first = rows.position(0) if len(rows) else 0
        value = column.shown(first) if len(column) else "none"
        raise DataError(
            f"column {name!r} holds {'text' if column.kind == 'text' else 'categories'} where numbers belong:"
            f" row {first} is {value}; use it as a factor, C({name}), or convert it to numbers"
        )
    refuse_rounded(name, column.values)
    return rows.select(column.values).astype(np.float64, copy=False)


def _single(expression: Expression, rows: Rows, states: States) -> Any:
    value = _value(expression, rows, states)
    if np.ndim(value) > 1:
        raise FormulaError(f"{_written(expression)} has several columns and can only be a term")
    return value


def _operation(expression: Operation, rows: Rows, states: States) -> Any:
    symbol, operands = expression.symbol, expression.operands
    texts = [operand for operand in operands if isinstance(operand, Text)]
    if symbol in {"==", "!="} and texts:
        return _compared_with_text(expression, texts[0].value, rows)
    values = [_single(operand, rows, states) for operand in operands]
    if symbol in "&|~":
        for operand, value in zip(operands, values, strict=True):
            if not np.isin(value, (0.0, 1.0)).all():
                raise FormulaError(f"{expression.text}: {_written(operand)} is neither true nor false")
    if len(values) == 1:
        return UNARY[symbol](values[0])
    return np.asarray(reduce(OPERATORS[symbol], values), dtype=np.float64)


def _compared_with_text(expression: Operation, value: str, rows: Rows) -> Array:
    names = [operand for operand in expression.operands if isinstance(operand, Name)]
    if len(names) != 1:
        raise FormulaError(f"{expression.text}: only a column can be compared with text")
    column = rows.present(names[0].name)
    if column.kind == "numeric":
        raise DataError(f"{expression.text}: column {names[0].name!r} holds numbers, not text")
    code = column.levels.index(value) if value in column.levels else -1
    equal = np.equal(rows.select(column.codes), code)
    return np.asarray(equal if expression.symbol == "==" else ~equal, dtype=np.float64)


def _call(call: Call, rows: Rows, states: States) -> Any:
    if call.function == "I":
        return _value(_only(call), rows, states)
    if call.function in STATEFUL:
        x = np.broadcast_to(_single(_first(call), rows, states), (len(rows),))
        columns = states[call.text].apply(x)
        return columns if states[call.text].labels else columns[:, 0]
    function = FUNCTIONS.get(call.function)
    if function is None:
        raise FormulaError(f"{call.text} stands where a number belongs; {call.function} makes none")
    given = (*call.arguments, *(value for _, value in call.keywords))
    if not function.least <= len(given) <= function.most:
        takes = (
            f"{function.least}" if function.least == function.most else f"{function.least} to {function.most}"
        )
        raise FormulaError(f"{call.text}: {call.function} takes {takes} arguments, not {len(given)}")
    values = [_single(value, rows, states) for value in given]
    try:
        return function.compute(*values)
    except (TypeError, ValueError, OverflowError) as error:
        raise FormulaError(f"{call.text} cannot be computed: {error}") from None


def _only(call: Call) -> Expression:
    if len(call.arguments) != 1 or call.keywords:
        raise FormulaError(f"{call.text}: {call.function} takes one argument")
    return call.arguments[0]


def _first(call: Call) -> Expression:
    if not call.arguments:
        raise FormulaError(f"{call.text}: {call.function} needs the variable first")
    return call.arguments[0]


def literal(expression: Expression) -> Any:
    """Return the plain value an argument of a transform or contrast stands for."""
    if isinstance(expression, Number):
        return int(expression.value) if expression.whole else expression.value
    if isinstance(expression, (Text, Flag)):
        return expression.value
    if isinstance(expression, Vector):
        return [literal(item) for item in expression.items]
    if isinstance(expression, Named):
        return dict(zip(expression.names, map(literal, expression.items), strict=True))
    raise FormulaError(f"{_written(expression)} must be written out as numbers or text")


def settle_transforms(expression: Expression, frame: Frame, states: dict[str, Basis]) -> None:
    """Settle every transform inside an expression that is not settled yet, innermost first.

    State is taken from every row in which the transform's own columns are present, before rows missing
    elsewhere are dropped, as R does.
    """
    for part in reversed(list(walk(expression))):
        if not isinstance(part, Call) or part.function not in STATEFUL or part.text in states:
            continue
        argument = _first(part)
        present = np.ones(len(frame), dtype=bool)
        for name in names_in(argument):
            missing = frame.column(name).missing
            present &= True if missing is None else ~missing
        rows = rows_in_use(frame, present)
        x = evaluate(argument, rows, states)
        check_finite(x, argument, part.text, rows)
        options = {word: literal(value) for word, value in part.keywords}
        try:
            states[part.text] = settle(part.function, x, tuple(map(literal, part.arguments[1:])), options)
        except (DataError, FormulaError) as error:
            raise type(error)(f"{part.text}: {error}") from None


def all_finite(values: RawArray) -> bool:
    """Tell whether there is neither NaN nor infinity; one sum tells, unless it overflows."""
    if values.dtype.kind != "f":
        return True
    with np.errstate(all="ignore"):
        return bool(np.isfinite(values.sum())) or bool(np.isfinite(values).all())


def check_finite(values: RawArray, expression: Expression, label: str, rows: Rows) -> None:
    """Refuse NaN and infinity.

    Raises
    ------
    DataError
        Naming the column or expression, the value, the row, what the columns hold there, and the remedy.
    """
    if all_finite(values):
        return
    row = int(np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))[0])
    value = values.reshape(len(values), -1)[row]
    value = value[~np.isfinite(value)][0]
    where = rows.position(row)
    if isinstance(expression, Name):
        raise DataError(
            f"column {expression.name!r} is {value} in row {where}; correct the value or leave the row out"
        )
    held = ", ".join(f"{name} = {rows.frame.column(name).shown(where)}" for name in names_in(expression))
    if not held:
        raise DataError(f"{label} is {value} in every row; correct it")
    raise DataError(
        f"{label} is {value} in row {where}, where {held}; correct the value or leave the row out"
    )


def kind_of_number(expression: Expression, frame: Frame) -> str:
    """Tell "boolean", "integer" or "float": how the values of an expression print as levels."""
    if isinstance(expression, Name):
        column = frame.column(expression.name)
        return "boolean" if column.kind == "boolean" else "integer" if column.integer else "float"
    whole = isinstance(expression, Number) and expression.whole
    if isinstance(expression, Operation):
        if expression.symbol in COMPARISONS or expression.symbol in "&|~":
            return "boolean"
        inner = {kind_of_number(operand, frame) for operand in expression.operands}
        whole = "float" not in inner and expression.symbol != "/"
    if isinstance(expression, Call):
        inner = {kind_of_number(argument, frame) for argument in expression.arguments}
        if expression.function == "I" and len(inner) == 1:
            return inner.pop()
        function = FUNCTIONS.get(expression.function)
        whole = function is not None and function.whole and "float" not in inner
    return "integer" if whole else "float"
