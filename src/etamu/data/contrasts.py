"""Contrasts: how the levels of a factor become coefficients, as R and formulaic define them.

May import: numpy, `etamu._base`, `etamu.data`.
Read next: `etamu.data.schema`, which settles one per factor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from etamu._base.errors import DataError, FormulaError
from etamu._base.facts import dataclass
from etamu._base.listing import listed
from etamu._base.types import Array
from etamu.data.basis import settle
from etamu.data.evaluate import literal
from etamu.data.expression import Call, Expression, Flag, Name, Named, Text, Vector
from etamu.data.functions import CONTRASTS, canonical

MOST_EXPOSED = "most_exposed"
"""The base that stands for the level with the largest exposure, weight or number of rows."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A coding of levels, settled.

    Parameters
    ----------
    prefix : str
        What stands before the field in a name, as "T." in `x[T.b]`.
    fields : tuple of str
        One per coefficient.
    base : int
        The reference level.
    matrix : tuple of rows, optional
        Levels by coefficients; None for treatment, whose matrix is the identity without the base.
    always : bool
        Whether the matrix is used where other contrasts give way to one column per level.
    """

    prefix: str
    fields: tuple[str, ...]
    base: int = 0
    matrix: tuple[tuple[float, ...], ...] | None = None
    always: bool = False

    def rows(self, levels: int, *, reduced: bool) -> Array:
        """Return the matrix, levels by coefficients."""
        if self.selects(reduced=reduced) is not None or self.matrix is None:
            return np.eye(levels)[:, self.selected(levels, reduced=reduced)]
        return np.array(self.matrix, dtype=np.float64).reshape(levels, len(self.fields))

    def selects(self, *, reduced: bool) -> bool | None:
        """Tell whether coefficients are levels as they stand: True, or None where they are contrasts."""
        return True if self.matrix is None or not (reduced or self.always) else None

    def selected(self, levels: int, *, reduced: bool) -> list[int]:
        """Return the levels that have a coefficient, where coefficients are levels."""
        return [level for level in range(levels) if not reduced or level != self.base]


@dataclass(frozen=True, slots=True)
class _Levels:
    """Levels as text and, for a numeric factor, as numbers; the factor's name is for messages."""

    factor: str
    labels: tuple[str, ...]
    numbers: tuple[float, ...] | None
    exposed: int | None = None

    def find(self, value: Any) -> int:
        """Return the place of a level."""
        if value == MOST_EXPOSED and self.exposed is not None:
            return self.exposed
        if self.numbers is not None and isinstance(value, (int, float)) and float(value) in self.numbers:
            return self.numbers.index(float(value))
        if str(value) in self.labels:
            return self.labels.index(str(value))
        raise DataError(
            f"{self.factor}: {value!r} is not a level; the levels in use are {listed(self.labels)}"
        )


def settle_contrast(
    asked: Expression | None,
    labels: tuple[str, ...],
    numbers: tuple[float, ...] | None,
    factor: str,
    exposed: int | None = None,
) -> Contrast:
    """Work out a contrast for the levels in use.

    Parameters
    ----------
    asked : Expression, optional
        As `contr.sum`, `contr.treatment(base="b")`, `Treatment("b")`, a matrix or {"name": column}.
    labels, numbers : the levels
    factor : str
        The factor, for messages.
    exposed : int, optional
        The level a base of "most_exposed" stands for.

    Raises
    ------
    FormulaError
        If there is no such contrast, or an option is unknown.
    DataError
        If a level or a matrix does not fit the levels in use.
    """
    levels = _Levels(factor, labels, numbers, exposed)
    if asked is None or (isinstance(asked, Flag) and asked.value is None):
        return _treatment(levels)
    if isinstance(asked, (Vector, Named)):
        return _custom(levels, literal(asked))
    name, arguments, options = _named(asked, factor)
    try:
        return _CONTRASTS[name](levels, *arguments, **options)
    except TypeError:
        shown = getattr(asked, "text", name)
        raise FormulaError(f"{factor}: {shown} has an argument that contr.{name} does not take") from None


def _named(asked: Expression, factor: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Split a contrast into its name and options."""
    arguments: list[Any] = []
    options: dict[str, Any] = {}
    if isinstance(asked, Call):
        word = asked.function
        arguments = [literal(argument) for argument in asked.arguments]
        options = {name: literal(value) for name, value in asked.keywords}
    else:
        word = asked.name if isinstance(asked, Name) else asked.value if isinstance(asked, Text) else ""
        word = canonical(word) or canonical(f"contr.{word}") or word
    name = word.removeprefix("contr.")
    if name not in CONTRASTS or not word.startswith("contr."):
        known = ", ".join(f"contr.{name}" for name in CONTRASTS)
        raise FormulaError(f"{factor}: {word or asked!r} is not a contrast; there are {known}")
    return name, arguments, options


def _treatment(levels: _Levels, base: Any = None, reference: Any = None) -> Contrast:
    base = reference if base is None else base
    place = 0 if base is None else levels.find(base)
    return Contrast("T.", tuple(label for row, label in enumerate(levels.labels) if row != place), place)


def _sas(levels: _Levels, base: Any = None) -> Contrast:
    return _treatment(levels, levels.labels[-1] if base is None else base)


def _sum(levels: _Levels) -> Contrast:
    n = len(levels.labels)
    matrix = np.eye(n, n - 1)
    matrix[-1] = -1
    return Contrast("S.", levels.labels[:-1], matrix=_plain(matrix))


def _helmert(levels: _Levels, *, reverse: Any = True, scale: Any = False) -> Contrast:
    n = len(levels.labels)
    steps = np.arange(1.0, n)
    matrix = np.vstack([np.triu(-np.ones((n - 1, n - 1))), np.zeros(n - 1)]) + np.eye(n, n - 1, -1) * steps
    divisor = steps + 1
    if not reverse:
        matrix, divisor = matrix[::-1, ::-1], divisor[::-1]
    fields = levels.labels[1:] if reverse else levels.labels[:-1]
    return Contrast("H.", fields, matrix=_plain(matrix / divisor if scale else matrix))


def _diff(levels: _Levels, *, backward: Any = True) -> Contrast:
    n = len(levels.labels)
    matrix = np.tile(np.arange(1.0, n) / n, (n, 1)) - np.triu(np.ones((n, n - 1)))
    fields = levels.labels[1:] if backward else levels.labels[:-1]
    return Contrast("D.", fields, matrix=_plain(matrix if backward else -matrix))


def _poly(levels: _Levels, scores: Any = None) -> Contrast:
    n = len(levels.labels)
    at = np.arange(float(n)) if scores is None else np.asarray(scores, dtype=np.float64)
    if at.shape != (n,):
        raise DataError(f"{levels.factor}: contr.poly has {at.size} scores and the factor {n} levels in use")
    try:
        matrix = settle("poly", at, (n - 1,), {}).apply(at)
    except DataError as error:
        raise DataError(f"{levels.factor}: contr.poly: {error}") from None
    names = {1: ".L", 2: ".Q", 3: ".C"}
    return Contrast(
        "", tuple(names.get(degree, f"^{degree}") for degree in range(1, n)), matrix=_plain(matrix)
    )


def _custom(levels: _Levels, contrasts: Any, names: Any = None) -> Contrast:
    if isinstance(contrasts, Mapping):
        names = list(contrasts) if names is None else names
        contrasts = list(zip(*contrasts.values(), strict=False))
    try:
        matrix = np.array(contrasts, dtype=np.float64)
    except (TypeError, ValueError):
        raise FormulaError(
            f"{levels.factor}: the contrast matrix must be rows of numbers of one length"
        ) from None
    n = len(levels.labels)
    if matrix.ndim != 2 or len(matrix) != n:
        raise DataError(
            f"{levels.factor}: the contrast matrix has shape {matrix.shape} and needs one row for each"
            f" of the {n} levels in use, {listed(levels.labels)}"
        )
    if not np.isfinite(matrix).all():
        raise DataError(f"{levels.factor}: the contrast matrix holds a number that is not finite")
    fields = tuple(map(str, range(1, matrix.shape[1] + 1) if names is None else names))
    if len(fields) != matrix.shape[1]:
        raise FormulaError(f"{levels.factor}: {len(fields)} names for {matrix.shape[1]} contrasts")
    return Contrast("", fields, matrix=_plain(matrix), always=True)


def _plain(matrix: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())


_CONTRASTS: dict[str, Callable[..., Contrast]] = {
    "treatment": _treatment,
    "SAS": _sas,
    "sum": _sum,
    "helmert": _helmert,
    "diff": _diff,
    "poly": _poly,
    "custom": _custom,
}
