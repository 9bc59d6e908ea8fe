"""The reference grid: every combination of levels, numbers at their means, as rows of X.

May import: everything below `fit`.
Read next: `etamu.fit.means`, which averages over it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.listing import listed
from etamu._base.types import Array
from etamu.data.column import Column
from etamu.data.encode import encode
from etamu.data.evaluate import names_in
from etamu.data.frame import Frame, bare_rows
from etamu.design.chunk import Chunk
from etamu.fit.estimable import null_space
from etamu.fit.inputs import offset_of
from etamu.fit.scene import Variable, schema_of, settled, variables_of

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

MOST_CELLS = 100_000
"""Most combinations a grid may have."""


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """The values one variable takes in a grid.

    Parameters
    ----------
    name : str
    labels : tuple of str
    column : Column
        One entry per value.
    is_factor : bool
        Whether means may be asked for each value: levels, or a number of two values.
    shares : array (values,)
        How often each value occurs.
    """

    name: str
    labels: tuple[str, ...]
    column: Column
    is_factor: bool
    shares: Array


@dataclass(frozen=True, slots=True, eq=False)
class Combinations:
    """All combinations of the values of some variables, the last one varying fastest.

    Parameters
    ----------
    axes : tuple of Axis
    frame : Frame
        A row for each.
    """

    axes: tuple[Axis, ...]
    frame: Frame

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each axis has."""
        return tuple(len(axis.labels) for axis in self.axes)

    @property
    def held(self) -> dict[str, str]:
        """Return the variables that have one value, and which."""
        return {axis.name: axis.labels[0] for axis in self.axes if len(axis.labels) == 1}

    def axis(self, name: str) -> int:
        """Return the number of an axis with levels.

        Raises
        ------
        OptionError
            If there is none of that name.
        """
        known = [axis.name for axis in self.axes if axis.is_factor]
        for number, axis in enumerate(self.axes):
            if axis.name == name and axis.is_factor:
                return number
        listed = ", ".join(known) or "none"
        raise OptionError(
            f"{name!r} is no factor of the model; its factors are {listed}. For a number give the values it "
            f"shall take: at={{{name!r}: [...]}}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """All combinations of the values of some variables, as rows of X.

    Parameters
    ----------
    cells : Combinations
    rows : array (cells, coefficients)
        Rows of X in the order of the reported coefficients.
    offset : array (cells,)
    said : str
        How the offset was chosen, empty without one.
    """

    cells: Combinations
    rows: Array
    offset: Array
    said: str

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of the combinations."""
        return self.cells.axes


def combined(
    variables: Mapping[str, Variable], frame: Frame, chunk: Chunk, at: Mapping[str, Any], around: float = 0.0
) -> Combinations:
    """Combine the values of some variables: every level, numbers at their mean over the rows of a fit.

    Parameters
    ----------
    variables : dict of str to Variable
    frame : Frame
        Where they are read.
    chunk : Chunk
        The rows of the fit.
    at : dict of str to value or list of values
        Where variables are held instead.
    around : float
        Numbers at their mean less and plus this, as two values; at their mean where it is 0.

    Raises
    ------
    OptionError
        If `at` names no variable or no level of one, or there are too many combinations.
    """
    unknown = [name for name in at if name not in variables]
    if unknown:
        listed = ", ".join(variables)
        raise OptionError(f"at= names {unknown[0]!r}, which no term reads; the variables are {listed}")
    weight = copies_of(chunk)
    axes = [
        _axis(variable, frame.column(name), chunk.row_ids, weight, at.get(name), around)
        for name, variable in variables.items()
    ]
    cells = prod(len(axis.labels) for axis in axes)
    if cells > MOST_CELLS:
        sizes = ", ".join(f"{axis.name} ({len(axis.labels)})" for axis in axes if len(axis.labels) > 1)
        raise OptionError(
            f"the grid of all combinations has {cells:,} cells, more than {MOST_CELLS:,}: {sizes}; hold some "
            "variable at one value by at="
        )
    places = np.unravel_index(np.arange(cells), [len(axis.labels) for axis in axes]) if axes else ()
    columns = {axis.name: _taken(axis.column, place) for axis, place in zip(axes, places, strict=True)}
    source = bare_rows(cells)
    return Combinations(tuple(axes), Frame(tuple(columns), cells, source.source, dict(columns)))


def grid_of(
    fit: FittedModel,
    at: Mapping[str, Any] | None = None,
    offset: float | None = None,
    *,
    rate: bool = False,
    around: float = 0.0,
) -> Grid:
    """Lay out the grid of a fit.

    Parameters
    ----------
    fit : Fit
    at : dict of str to value or list of values, optional
        Where variables are held instead.
    offset : float, optional
        What is added to eta instead of the mean offset of the rows.
    rate : bool
        Whether the exposure is left out.
    around : float
        Numbers at their mean less and plus this, as two values; at their mean where it is 0.
    """
    schema = schema_of(fit)
    frame = fit.problem.table
    # Rows of variance weight 0 are among those whose mean is taken, as in emmeans.
    chunk = fit.problem.chunk
    variables = {variable.name: settled(variable, frame) for variable in variables_of(fit)}
    for offset_term in schema.offsets:
        for name in names_in(offset_term.expression):
            variables.setdefault(name, settled(Variable(name), frame))
    cells = combined(variables, frame, chunk, dict(at or {}), around)
    encoded = encode(schema, cells.frame)
    rows = encoded.layout.gather(encoded.design.dense().T).T
    total, said = _offset(fit, chunk, copies_of(chunk), encoded.offset, offset, rate=rate)
    return Grid(cells, rows, np.broadcast_to(total, (len(rows),)), said)


def estimable(fit: FittedModel, rows: Array) -> NDArray[np.bool_]:
    """Tell which linear combinations of the coefficients have an estimate in spite of aliased columns."""
    space = null_space(fit)
    known = np.ones(len(rows), dtype=bool) if space is None else space.spares(rows)
    if fit.limit is not None:
        known &= fit.limit.runs(fit.coordinates.hypothesis(rows)) == 0.0
    return known


def copies_of(chunk: Chunk) -> Array:
    """Return how often a row counts in the mean of a variable: its frequency times its sampling weight."""
    out = np.ones(len(chunk))
    for factor in (chunk.weights.frequency, chunk.weights.sampling):
        out = out if factor is None else out * factor
    return out


def _axis(
    variable: Variable, column: Column, used: NDArray[np.int64], weight: Array, given: Any, around: float
) -> Axis:
    name = variable.name
    values = column.values[used]
    if variable.levels:
        return _factor_axis(variable, column, values, weight, given)
    numbers = values.astype(np.float64)
    distinct = np.unique(numbers)
    if given is not None:
        wanted = np.atleast_1d(np.asarray(given, dtype=np.float64))
        return _number_axis(name, wanted, np.ones(len(wanted)), is_factor=len(wanted) > 1)
    if len(distinct) <= 2:
        shares = np.array([weight[numbers == value].sum() for value in distinct])
        return _number_axis(name, distinct, shares, is_factor=True)
    mean = float(np.average(numbers, weights=weight))
    if around:
        return _number_axis(name, np.array([mean - around, mean + around]), np.ones(2), is_factor=True)
    return _number_axis(name, np.array([mean]), np.ones(1), is_factor=False)


def _number_axis(name: str, values: Array, shares: Array, *, is_factor: bool) -> Axis:
    labels = tuple(f"{value:.6g}" for value in values)
    return Axis(name, labels, Column(name, "numeric", values), is_factor, shares / shares.sum())


def _factor_axis(variable: Variable, column: Column, values: Any, weight: Array, given: Any) -> Axis:
    name, labels = variable.name, variable.levels
    if variable.numbers is not None:
        codes = [values.astype(np.float64) == number for number in variable.numbers]
        whole = Column(name, "numeric", np.array(variable.numbers))
    else:
        place = [column.levels.index(label) for label in labels]
        codes = [values == code for code in place]
        whole = Column(name, column.kind, np.array(place, dtype=np.int32), None, column.levels)
    shares = np.array([weight[hit].sum() for hit in codes])
    chosen = list(range(len(labels)))
    if given is not None:
        several = [given] if isinstance(given, str) or not hasattr(given, "__len__") else list(given)
        unknown = [level for level in several if str(level) not in labels]
        if unknown:
            raise OptionError(
                f"at= puts {name!r} at {unknown[0]!r}, which is no level of it: {listed(labels)}"
            )
        chosen = [labels.index(str(level)) for level in several]
    shares = shares[chosen]
    picked = tuple(labels[j] for j in chosen)
    return Axis(name, picked, _taken(whole, np.array(chosen)), True, shares / max(shares.sum(), 1e-300))


def _taken(column: Column, place: NDArray[np.intp]) -> Column:
    return Column(column.name, column.kind, column.values[place], None, column.levels)


def _offset(
    fit: FittedModel, chunk: Chunk, weight: Array, formula: Array | None, given: float | None, *, rate: bool
) -> tuple[Array, str]:
    """Return the offset of the cells: of the formula at its variables, of the keywords their mean."""
    if given is not None:
        return np.asarray(float(given)), f"offset {float(given):g}"
    total = chunk.predictors[0].offset
    out = np.zeros(1) if formula is None else formula
    if total is None:
        return out, ""
    rest = total
    words, frame = fit.problem.words, fit.problem.table
    if formula is not None:
        keep = np.zeros(fit.problem.input_rows, dtype=bool)
        keep[chunk.row_ids] = True
        own = encode(schema_of(fit), frame, keep).offset
        assert own is not None
        rest = rest - own
    if rate:
        if words.exposure is None:
            raise OptionError("kind='rate' needs a model fitted with exposure='column'")
        exposure = offset_of(frame, None, words.exposure, fit.problem.unit)
        assert exposure is not None
        rest = rest - exposure[chunk.row_ids]
    keyword = words.offset or words.exposure or {"offset", "exposure"} & set(words.given)
    if not keyword:
        return out, "offset of the formula at the values of its variables"
    mean = float(np.average(rest, weights=weight))
    said = "per unit of exposure" if rate else f"offset held at its mean, {mean:.6g}"
    return out + mean, said
