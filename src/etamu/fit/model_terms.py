"""The terms of a fitted model: their columns, their factors, and which contains which.

May import: everything below `fit`.
Read next: `etamu.fit.anova`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etamu._base.facts import dataclass
from etamu.data.schema import Schema
from etamu.design.layout import Layout

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel
    from etamu.fit.restrict import Columns

INTERCEPT = "Intercept"


@dataclass(frozen=True, slots=True)
class ModelTerm:
    """A term: its label, its reported columns, and the factors it is a product of.

    Examples
    --------
    >>> age = ModelTerm("age", (1,), frozenset({"age"}))
    >>> ModelTerm("age:sex", (2,), frozenset({"age", "sex"})).contains(age)
    True
    """

    label: str
    columns: Columns
    factors: frozenset[str]

    def contains(self, other: ModelTerm) -> bool:
        """Tell whether another term is marginal to this one: age to age:sex."""
        return other.factors < self.factors


def terms_of_layout(layout: Layout, schema: Schema | None) -> tuple[ModelTerm, ...]:
    """List the terms of a design in order, the intercept among them."""
    out = []
    for place, term in enumerate(layout.terms):
        factors = frozenset() if term.label == INTERCEPT else frozenset({term.label})
        if schema is not None and schema.terms[place].products:
            numbers = {number for scoped in schema.terms[place].products for number, _ in scoped}
            factors = frozenset(schema.factors[number].label for number in numbers)
        out.append(ModelTerm(term.label, tuple(range(*term.columns.indices(layout.width))), factors))
    return tuple(out)


def all_terms(fit: FittedModel) -> tuple[ModelTerm, ...]:
    """List the terms of a fit in order, the intercept among them."""
    return terms_of_layout(fit.problem.layout, fit.problem.schema)


def terms_of(fit: FittedModel) -> tuple[ModelTerm, ...]:
    """List the terms of a fit in order, without the intercept."""
    return tuple(term for term in all_terms(fit) if term.factors)


def droppable(terms: tuple[ModelTerm, ...]) -> tuple[ModelTerm, ...]:
    """Return the terms that no other term contains: those marginality allows to drop."""
    return tuple(term for term in terms if not any(other.contains(term) for other in terms))


def columns_of(terms: tuple[ModelTerm, ...]) -> Columns:
    """Return the columns of some terms, in order."""
    return tuple(sorted(column for term in terms for column in term.columns))
