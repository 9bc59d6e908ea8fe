"""Which spelling of an expression keeps its digits: each is compared with many digits, over both tails.

May import: _base, family.ends, family.formula, family.symbolic.
Read next: `etamu.family.facts`, which keeps only such spellings.
"""

from __future__ import annotations

from collections.abc import Callable

from etamu._base.errors import FamilyError
from etamu._base.types import Array, Interval
from etamu.family.ends import spread_means
from etamu.family.formula import Formula
from etamu.family.symbolic import Expression, error, precise, spellings, sympy, written

LOST = 1e-10
"""Largest relative error a formula may have anywhere on the grids; more is refused."""


def kept(
    value: Expression,
    symbol: Expression,
    grid: Array,
    what: str,
    text: str,
    beside: Expression | None = None,
) -> Formula:
    """Return the best spelling of an expression in theta; of one that may vanish, beside another one.

    Raises
    ------
    FamilyError
        If even that loses its digits on the grid.
    """
    formula, loss = best_in_theta(value, symbol, grid, beside)
    if loss > LOST:
        raise FamilyError(
            f"{what} {text!r} keeps no digits in a tail (relative error {loss:.1g}): write it so that "
            "nothing cancels or overflows, or state a smaller theta=(lower, upper)"
        )
    return formula


def best_in_theta(
    value: Expression, theta: Expression, grid: Array, beside: Expression | None = None
) -> tuple[Formula, float]:
    """Return the spelling of an expression in theta that keeps most digits, and its error."""
    exact = precise(value, theta)
    size = None if beside is None else precise(beside, theta)
    return _least(value, theta, None, lambda formula: error(formula, exact, (grid,), grid, size))


def best_in_mean(value: Expression, mu: Expression, mean: Interval) -> tuple[Formula, float]:
    """Return the spelling of an expression in the mean that keeps most digits, and its error."""
    complement = sympy().Symbol("complement", positive=True)
    points, others, exact_points = spread_means(mean)
    at = precise(value, mu)
    return _least(value, mu, complement, lambda formula: error(formula, at, (points, others), exact_points))


def _least(
    value: Expression, symbol: Expression, complement: Expression | None, judged: Callable[[Formula], float]
) -> tuple[Formula, float]:
    best: tuple[Formula, float] | None = None
    for spelling in spellings(value, symbol):
        try:
            formula = written(spelling, (symbol,), complement)
            loss = judged(formula)
        except (KeyError, TypeError, AttributeError):  # a function that no array namespace has
            continue
        if best is None or loss < best[1]:
            best = formula, loss
        if loss < 1e-15:
            break
    if best is None:
        raise FamilyError(f"{value} holds a function that arrays do not have")
    return best
