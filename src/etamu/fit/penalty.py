"""The penalised likelihood that a method of less bias climbs, where there is one.

May import: everything below `fit`; nothing that takes a fit.
Read next: `etamu.fit.reduced`, which solves adjusted scores with it and without.
"""

from __future__ import annotations

from dataclasses import replace

from etamu._base.errors import NotAvailableError
from etamu._base.types import Array, Want
from etamu.family.bends import Penalty, mean_penalty
from etamu.family.unit import Unit
from etamu.objective.adjusted import Adjusted, Penalised
from etamu.objective.likelihood import Likelihood
from etamu.solve.factor import cholesky

RULES = {"firth": "mean", "mixed": "mean", "median": "median", "jeffreys": "jeffreys"}
"""The adjustment that each method makes to the scores of the coefficients."""


def penalty_of(unit: Unit, method: str) -> Penalty | None:
    """Return the penalty whose gradient the adjustment of beta is at fixed phi, None where there is none.

    Examples
    --------
    >>> from etamu.family.catalogue import unit
    >>> penalty_of(unit("binomial", "probit"), "firth") is None
    True
    >>> penalty_of(unit("binomial", "probit"), "jeffreys")
    Penalty(share=0.5, slopes=False)
    """
    if method == "ml":
        return Penalty(0.0)
    if method == "jeffreys":
        return Penalty(0.5)
    if method == "median":
        plain = unit.link.exponent == 1.0 and unit.family.variance_power == 0.0
        return Penalty(0.0) if plain else None
    return mean_penalty(unit)


def penalised(oracle: Likelihood, unit: Unit, method: str, phi: float, peak: Array) -> Penalised | Likelihood:
    """Put the penalty of a method before a likelihood, counted from its own peak; phi is held.

    Raises
    ------
    NotAvailableError
        If the adjustment is the gradient of no penalty.
    """
    penalty = penalty_of(unit, method)
    if penalty is None:
        raise NotAvailableError(no_penalty(unit, method))
    if penalty.none:
        return oracle
    equations = Adjusted(oracle, unit, RULES[method], lambda *_: phi)
    bare = Penalised(oracle, equations, penalty, phi)
    expected = oracle.at(peak, Want.VALUE | Want.EXPECTED).expected
    factor = None if expected is None else cholesky(expected)
    return bare if factor is None else replace(bare, origin=bare.weight(peak, factor))


def no_penalty(unit: Unit, method: str) -> str:
    """Say why a method climbs no penalised likelihood, and what to ask instead."""
    if method == "median":
        return (
            "Scores adjusted for median bias are the gradient of no penalised likelihood: use a Wald test or "
            "interval, or method='jeffreys'"
        )
    return (
        f"With family {unit.family.name} and link {unit.link.name}, scores adjusted for mean bias are "
        "the gradient of no penalised likelihood (mu' is no power of V): use a Wald test or interval, or "
        "method='jeffreys'"
    )
