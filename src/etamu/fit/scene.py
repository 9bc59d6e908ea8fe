"""The rows that effects are averaged over, and the same rows with some columns changed.

May import: everything below `fit`.
Read next: `etamu.fit.averages`, which sums over them; `etamu.fit.effects`, which asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.choice import check_choice
from etamu._base.errors import DataError, NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu._base.listing import suggestion
from etamu._base.types import Array, Mask
from etamu.data.codes import RawArray
from etamu.data.column import Column
from etamu.data.encode import encode
from etamu.data.evaluate import names_in
from etamu.data.frame import Frame, read
from etamu.data.schema import CategoricalFactor, Schema
from etamu.design.chunk import Predictor
from etamu.fit.effects_on_mean import units_of
from etamu.fit.estimable import NullSpace, null_space
from etamu.fit.inputs import offset_of, trials_of

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

MOST_GROUPS = 1_000
"""Most groups that averages are formed by."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the model.

    Parameters
    ----------
    name : str
    levels : tuple of str
        Of a categorical one, in the order of the fit; empty for numbers.
    numbers : tuple of float, optional
        The same levels where they are numbers in the data.
    base : int
        The reference level.
    """

    name: str
    levels: tuple[str, ...] = ()
    numbers: tuple[float, ...] | None = None
    base: int = 0


@dataclass(frozen=True, eq=False)
class Scene:
    """Rows, how much each of them counts, and the groups they are averaged in.

    Parameters
    ----------
    fit : Fit
    frame : Frame
        Where the variables are.
    keep : mask (rows of the frame,)
        The rows in use.
    offset : array (rows in use,), optional
        Everything that is added to eta, `offset()` of the formula included.
    units : array (rows in use,)
        How many units each row stands for.
    codes : integers (rows in use,)
        The group of each row.
    groups : tuple of dict of str to str
        What each group is called, one dict of column to level per group.
    null : NullSpace, optional
        What aliased columns leave open.
    """

    fit: FittedModel
    frame: Frame
    keep: Mask
    offset: Array | None
    units: Array
    codes: NDArray[np.int64]
    groups: tuple[Mapping[str, str], ...] = ({},)
    null: NullSpace | None = None
    _formula: dict[str, Array | None] = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        """How rows become columns; raises NotAvailableError for a model fitted to a matrix."""
        return schema_of(self.fit)

    def values(self, name: str) -> RawArray:
        """Return a column over the rows in use: numbers, or codes."""
        return np.asarray(self.frame.column(name).values)[self.keep]

    def with_columns(self, changes: Mapping[str, Column]) -> Predictor:
        """Encode the rows in use with some columns changed; offsets follow where they read such a column."""
        frame = replace(self.frame, read_already={**self.frame.read_already, **changes})
        encoded = encode(self.schema, frame, self.keep)
        offset = self.offset
        if any(set(changes) & set(names_in(each.expression)) for each in self.schema.offsets):
            before = self._offset_of_formula()
            assert before is not None
            assert encoded.offset is not None
            offset = encoded.offset + (0.0 if offset is None else offset - before)
        return Predictor(encoded.design, offset)

    def constant(self, variable: Variable, value: float) -> Column:
        """Make a column that is the same in every row: a number, or a level by its place."""
        return constant_column(self.frame, variable, value)

    def filled(self, variable: Variable, values: Array) -> Column:
        """Make a column of numbers, given over the rows in use."""
        out = np.zeros(len(self.frame))
        out[self.keep] = values
        return Column(variable.name, "numeric", out)

    def _offset_of_formula(self) -> Array | None:
        if "offset" not in self._formula:
            self._formula["offset"] = encode(self.schema, self.frame, self.keep).offset
        return self._formula["offset"]


def constant_column(frame: Frame, variable: Variable, value: float) -> Column:
    """Make a column of a table that is the same in every row: a number, or a level by its place."""
    column, n = frame.column(variable.name), len(frame)
    if column.kind == "numeric":
        number = float(value) if variable.numbers is None else variable.numbers[int(value)]
        return Column(variable.name, "numeric", np.broadcast_to(np.float64(number), (n,)))
    code = column.levels.index(variable.levels[int(value)])
    return Column(variable.name, column.kind, np.full(n, code, dtype=np.int32), None, column.levels)


def schema_of(fit: FittedModel) -> Schema:
    """Return how rows become columns.

    Raises
    ------
    NotAvailableError
        If the model was fitted to a matrix, whose columns are not variables.
    """
    if fit.problem.schema is None:
        raise NotAvailableError(
            "this model was fitted to a matrix, whose columns may depend on one another: fit a formula or a "
            "table, or ask predict() for the rows you mean"
        )
    return fit.problem.schema


def scene_of(fit: FittedModel, kind: str, by: Any, data: Any = None) -> Scene:
    """Set the rows of the fit, or other rows, up.

    Parameters
    ----------
    fit : Fit
    kind : "mean", "link" or "rate"
        A rate leaves the exposure out of the offset.
    by : None, str or list of str
        Columns whose combinations are the groups.
    data : table, optional
        Other rows; each counts 1, or its trials where the data hold them.

    Raises
    ------
    OptionError, DataError, NotAvailableError
        If the kind or a column is not known, or the fit carries no rows and none are given.
    """
    schema = schema_of(fit)
    check_choice("kind", kind, ("mean", "link", "rate"))
    words = fit.problem.words
    if kind == "rate" and words.exposure is None:
        given = "exposure" in words.given
        raise OptionError(
            "kind='rate' needs the exposure as a column of the data: fit with exposure='column'"
            if given
            else "kind='rate' is the mean per exposure, and this model was fitted without exposure="
        )
    if data is None:
        chunk = fit.problem.counting()
        frame = fit.problem.table
        keep = np.zeros(fit.problem.input_rows, dtype=bool)
        keep[chunk.row_ids] = True
        offset, units = chunk.predictors[0].offset, units_of(chunk)
    else:
        frame = read(data)
        keep = _complete(fit, schema, frame)
        offset, units = _offset_of_new(fit, schema, frame, keep), _units_of_new(fit, frame, keep)
    if kind == "rate":
        exposure = offset_of(frame, None, words.exposure, fit.problem.unit)
        assert exposure is not None
        assert offset is not None
        offset = offset - exposure[keep]
    codes, groups = _groups(frame, keep, by)
    # Without the rows of the fit nobody can say what its aliased columns leave open.
    null = None if fit.problem.sample is None else null_space(fit)
    return Scene(fit, frame, keep, offset, units, codes, groups, null)


def _complete(fit: FittedModel, schema: Schema, frame: Frame) -> Mask:
    names = [*schema.columns]
    words = fit.problem.words
    for keyword in ("offset", "exposure", "trials"):
        column = getattr(words, keyword)
        if column is not None and column in frame.names:
            names.append(column)
    keep = np.ones(len(frame), dtype=bool)
    for name in names:
        missing = frame.column(name).missing
        if missing is not None:
            keep &= ~missing
    if not keep.any():
        raise DataError("data has no complete row: every row lacks a value the model needs")
    return keep


def _offset_of_new(fit: FittedModel, schema: Schema, frame: Frame, keep: Mask) -> Array | None:
    words = fit.problem.words
    for keyword in ("offset", "exposure"):
        if keyword in words.given:
            raise DataError(
                f"{keyword} was given as an array when the model was fitted, so that new rows have none: fit "
                f"with {keyword}='column'"
            )
    extra = offset_of(frame, words.offset, words.exposure, fit.problem.unit)
    formula = encode(schema, frame, keep).offset if schema.offsets else None
    if extra is None:
        return formula
    return extra[keep] if formula is None else extra[keep] + formula


def _units_of_new(fit: FittedModel, frame: Frame, keep: Mask) -> Array:
    trials = fit.problem.words.trials
    if trials is None or trials not in frame.names:
        return np.ones(int(keep.sum()))
    return trials_of(frame, trials)[keep]


def _groups(frame: Frame, keep: Mask, by: Any) -> tuple[NDArray[np.int64], tuple[Mapping[str, str], ...]]:
    names = names_of(by)
    codes = np.zeros(int(keep.sum()), dtype=np.int64)
    if not names:
        return codes, ({},)
    columns = []
    for name in names:
        column = frame.column(name)
        if column.missing is not None and column.missing[keep].any():
            raise DataError(f"by={name!r} is missing in rows that are used: fill it in")
        found, place = np.unique(column.values[keep], return_inverse=True)
        texts = [_shown(column, value) for value in found]
        columns.append((name, texts))
        codes = codes * len(found) + place
    present, codes = np.unique(codes, return_inverse=True)
    if len(present) > MOST_GROUPS:
        raise OptionError(f"by= makes {len(present):,} groups; at most {MOST_GROUPS:,} are averaged")
    groups = []
    for cell in present.tolist():
        labels: dict[str, str] = {}
        rest = cell
        for name, texts in reversed(columns):
            rest, place = divmod(rest, len(texts))
            labels[name] = texts[place]
        groups.append(dict(reversed(labels.items())))
    return codes.astype(np.int64), tuple(groups)


def _shown(column: Column, value: Any) -> str:
    if column.kind != "numeric":
        return column.levels[int(value)]
    return str(int(value)) if column.integer else f"{float(value):g}"


def names_of(given: Any) -> tuple[str, ...]:
    """Read None, one name, or several.

    Examples
    --------
    >>> names_of("a"), names_of(["a", "b"]), names_of(None)
    (('a',), ('a', 'b'), ())
    """
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,)
    names = tuple(given)
    if not all(isinstance(name, str) for name in names):
        raise OptionError(f"{given!r} is not understood; give the name of a column, or a list of names")
    return names


def variables_of(fit: FittedModel) -> tuple[Variable, ...]:
    """List the variables that terms of the model read, in order of appearance.

    A variable is categorical where some term takes its levels, numeric elsewhere.
    """
    return variables_in(schema_of(fit))


def variables_in(schema: Schema) -> tuple[Variable, ...]:
    """List the variables that terms of a schema read, in order of appearance."""
    used = {number for term in schema.terms for scoped in term.products for number, _ in scoped}
    found: dict[str, Variable] = {}
    for number, factor in enumerate(schema.factors):
        if number not in used:
            continue
        for name in names_in(factor.expression):
            if isinstance(factor, CategoricalFactor) and len(names_in(factor.expression)) == 1:
                base = factor.contrast.base if factor.contrast.matrix is None else 0
                plain = names_in(factor.expression) == (getattr(factor.expression, "name", None),)
                if plain:
                    found[name] = Variable(name, factor.levels, factor.numbers, base)
                    continue
            found.setdefault(name, Variable(name))
    return tuple(found.values())


def variable_of(fit: FittedModel, name: str) -> Variable:
    """Find a variable by name.

    Raises
    ------
    OptionError
        If no term reads it; those there are are named.
    """
    known = variables_of(fit)
    for variable in known:
        if variable.name == name:
            return variable
    names = tuple(variable.name for variable in known)
    near = suggestion(name, names, "variables")
    raise OptionError(f"no term of the model reads a variable {name!r}{near}")


def settled(variable: Variable, frame: Frame) -> Variable:
    """Give a variable of text or truth values that no term takes as a factor its levels."""
    column = frame.column(variable.name)
    if variable.levels or column.kind == "numeric":
        return variable
    return replace(variable, levels=column.levels)
