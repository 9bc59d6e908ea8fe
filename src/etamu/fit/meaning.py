"""What every coefficient is about: what changes, where the other columns stand, what else reads them.

May import: everything below `fit`.
Read next: `etamu.fit.interpret`, which puts numbers and words together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu.data.evaluate import names_in
from etamu.data.schema import CategoricalFactor, PlannedTerm, Schema
from etamu.data.scope import Scoped
from etamu.fit.changes import Change, level_change, listed, number_change, plain_change, unit_of, variable

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

MANY = 3
"""More conditions than this on numeric columns are said as one."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one coefficient is about.

    Parameters
    ----------
    name : str
        The coefficient.
    index : int
        Its place among the names.
    term : str
        The term of the formula.
    columns : slice
        The coefficients of the product of factors it belongs to.
    changes : tuple of Change
        None for a mean, one for an effect, two or more for an interaction.
    conditions : tuple of str
        Where the other columns stand, as "region is A".
    remark : str
        Through what else its variables enter; empty if through nothing.
    step : float
        What the coefficient is multiplied by for the change that is told.
    aliased : bool
        Whether there is no coefficient.
    """

    name: str
    index: int
    term: str
    columns: slice
    changes: tuple[Change, ...]
    conditions: tuple[str, ...] = ()
    remark: str = ""
    step: float = 1.0
    aliased: bool = False

    @property
    def where(self) -> str:
        """The conditions as the head of a sentence; empty if there are none."""
        return head(self.conditions)


def head(conditions: Iterable[str], opening: str = "where") -> str:
    """Begin a sentence with conditions.

    Examples
    --------
    >>> head(("x is 0", "averaged over the levels of g"))
    'where x is 0, averaged over the levels of g, '
    """
    every = tuple(dict.fromkeys(conditions))
    averages = [text for text in every if text.startswith("averaged")]
    places = [text for text in every if not text.startswith("averaged")]
    return ", ".join([*([f"{opening} {joined(places)}"] if places else []), *averages, ""]) if every else ""


def meanings(fit: FittedModel, units: Mapping[str, str]) -> tuple[Meaning, ...]:
    """Say what every coefficient of a fit is about, in the order of the names.

    Raises
    ------
    OptionError
        If a unit is given for something that is no number in the model.
    """
    schema = fit.problem.schema
    if schema is None:
        _check_units(units, [name for name in fit.names if name != "Intercept"])
        return tuple(_plain(fit, index, units) for index in range(len(fit.names)))
    counted = (factor for factor in schema.factors if not isinstance(factor, CategoricalFactor))
    _check_units(units, [unit_of(factor)[0] for factor in counted])
    return tuple(_of_schema(fit, schema, units))


def _check_units(units: Mapping[str, str], known: list[str]) -> None:
    for name in units:
        if name not in known:
            raise OptionError(
                f"units has {name!r}, which is no numeric column of the model; "
                f"there are {listed(tuple(known)) or 'none'}"
            )


def _plain(fit: FittedModel, index: int, units: Mapping[str, str]) -> Meaning:
    """Read a model fitted to arrays, whose columns are numbers."""
    name = fit.names[index]
    here = slice(index, index + 1)
    if name != "Intercept":
        return Meaning(name, index, name, here, (plain_change(name, units),), aliased=name in fit.aliased)
    numbers = [other for other in fit.names if other != "Intercept"]
    return Meaning(name, index, name, here, (), tuple(_zeros(numbers)))


def _of_schema(fit: FittedModel, schema: Schema, units: Mapping[str, str]) -> Iterator[Meaning]:
    start = 0
    for term in schema.terms:
        for scoped in term.products:
            every = tuple(_of_product(fit, schema, (term, scoped, start), units))
            yield from every
            start += len(every)


def _of_product(
    fit: FittedModel, schema: Schema, place: tuple[PlannedTerm, Scoped, int], units: Mapping[str, str]
) -> Iterator[Meaning]:
    """Say what the coefficients of one product of factors are about."""
    term, scoped, start = place
    widths = [schema.factors[number].width(reduced=reduced) for number, reduced in scoped]
    columns = slice(start, start + prod(widths))
    partners, elsewhere, remark = (
        _superset(schema, scoped),
        _elsewhere(schema, scoped),
        _remark(fit, schema, scoped),
    )
    # The first factor varies fastest, as in the names.
    for index, picked in enumerate(product(*(range(width) for width in reversed(widths))), start):
        changes, conditions = _parts(schema, scoped, picked[::-1], units)
        yield Meaning(
            fit.names[index],
            index,
            term.label,
            columns,
            changes,
            (*conditions, *(partners if changes else elsewhere)),
            remark if changes else "",
            term.scale * prod(change.step for change in changes),
            fit.names[index] in fit.aliased,
        )


def _products(schema: Schema) -> list[Scoped]:
    return [scoped for term in schema.terms for scoped in term.products]


def _parts(
    schema: Schema, scoped: Scoped, columns: tuple[int, ...], units: Mapping[str, str]
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """Split the factors of a product into those that change and the levels the change happens in."""
    changes, conditions = [], []
    for (number, reduced), column in zip(scoped, columns, strict=True):
        factor = schema.factors[number]
        if not isinstance(factor, CategoricalFactor):
            changes.append(number_change(number, factor, units))
        elif reduced or factor.contrast.always:
            changes.append(level_change(number, factor, column))
        else:
            conditions.append(f"{variable(factor)} is {factor.levels[column]}")
    return tuple(changes), tuple(conditions)


def _superset(schema: Schema, scoped: Scoped) -> tuple[str, ...]:
    """Say where the partners of an effect stand: those it meets in products with more factors."""
    every = _products(schema)
    mine = {number for number, _ in scoped}
    partners = {
        number
        for other in every
        if mine < {number for number, _ in other}
        for number, _ in other
        if number not in mine
    }
    return tuple(_standing(schema, sorted(partners)))


def _elsewhere(schema: Schema, scoped: Scoped) -> tuple[str, ...]:
    """Say where all other factors stand for a coefficient that is a mean itself."""
    every = _products(schema)
    mine = {number for number, _ in scoped}
    reduced = {number for other in every for number, small in other if small}
    numbers = {
        number
        for other in every
        for number, _ in other
        if number in reduced or not isinstance(schema.factors[number], CategoricalFactor)
    }
    return tuple(_standing(schema, sorted(numbers - mine)))


def _standing(schema: Schema, numbers: list[int]) -> Iterator[str]:
    counted = [
        factor for number in numbers if not isinstance(factor := schema.factors[number], CategoricalFactor)
    ]
    plain = [factor.label for factor in counted if not factor.fields]
    yield from _zeros(plain + [f"every column of {factor.label}" for factor in counted if factor.fields])
    for number in numbers:
        factor = schema.factors[number]
        if isinstance(factor, CategoricalFactor):
            yield _level_standing(factor)


def _level_standing(factor: CategoricalFactor) -> str:
    name = variable(factor)
    if factor.contrast.matrix is None:
        return f"{name} is {factor.levels[factor.contrast.base]}"
    if factor.contrast.always:
        return f"the contrasts of {name} are 0"
    return f"averaged over the levels of {name}"


def _zeros(labels: list[str]) -> Iterator[str]:
    if len(labels) > MANY:
        yield "every numeric column is 0"
    elif labels:
        yield f"{joined(labels)} {'are' if len(labels) > 1 else 'is'} 0"


def joined(words: list[str]) -> str:
    """Join words with commas and a last "and"."""
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else words[0]


def _remark(fit: FittedModel, schema: Schema, scoped: Scoped) -> str:
    """Name the other factors and offsets that read the same columns: no change leaves them alone."""
    mine = {name for number, _ in scoped for name in names_in(schema.factors[number].expression)}
    numbers = {number for number, _ in scoped}
    others = [
        factor.label
        for number, factor in enumerate(schema.factors)
        if number not in numbers and mine & set(names_in(factor.expression))
    ]
    others += [offset.label for offset in schema.offsets if mine & set(names_in(offset.expression))]
    words = fit.problem.words
    others += [
        f"the {kind} {name}" for kind in ("offset", "exposure") if (name := getattr(words, kind)) in mine
    ]
    return joined(others) if others else ""
