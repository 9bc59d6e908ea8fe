"""A direction that moves every row to its side by a margin, or the balance of rows that forbids one.

May import: numpy, etamu._base, and in this room factor.
Read next: `etamu.solve.recession`, which asks row by row and verifies what is found here.

Minimise |(1 - R c)+|^2 over c. At the least R'a = 0 with a = (1 - R c)+ >= 0. If a = 0, every row moves by 1
or more. Else a is a balance: whoever obeys R d >= 0 has 0 = a'R d, a sum of terms none of which is negative,
so that rows with a > 0 are at rest in every direction there is (Stiemke 1915). A piecewise quadratic has its
least after finitely many Newton steps with exact line searches (Mangasarian 2002, Optimization Methods and
Software 17, 913).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from etamu._base.types import Array, Mask
from etamu.solve.factor import DOUBT, cholesky, clearly_independent, triangle

STEPS = 100
ENOUGH = 0.5
"""A margin from which on a row need not be moved further."""
HELD = 1e-7
"""Share of the largest of a balance from which on a row is part of it."""
BALANCED = 1e-9
"""Share of its terms up to which the sum of a balance is 0."""
NOTHING = 1e-10
"""Share of the largest singular value up to which one is 0; up to DOUBT it is not clear."""
RIDGE = 1e-9
"""Share of their squares that is added to columns that depend on each other."""


def margin(rows: Array) -> tuple[Array, Mask] | None:
    """Move all rows by a margin, or tell which are at rest whatever moves; None where that is not clear.

    Parameters
    ----------
    rows : array (r, k)
        Each signed so that it runs up.

    Returns
    -------
    tuple of array (k,) and booleans (r,)
        A direction with rows c > 0, if no row is held; else the rows of a balance.

    Examples
    --------
    >>> margin(np.array([[1.0, 0.0], [1.0, 1.0]]))[1].tolist()
    [False, False]
    >>> margin(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]))[1].tolist()
    [True, True, False]
    """
    point, moved = np.zeros(rows.shape[1]), np.zeros(len(rows))
    for _ in range(STEPS):
        short = np.maximum(1.0 - moved, 0.0)
        if short.max(initial=0.0) <= ENOUGH:
            return point, np.zeros(len(rows), dtype=bool)
        held = short > HELD * short.max()
        if _balanced(rows[held], short[held]):
            return point, held
        active = short > 0.0
        step = _step(rows[active], short[active])
        if step is None:
            return None
        along = rows @ step
        length = _length(1.0 - moved, along)
        point, moved = point + length * step, moved + length * along
    return None


def at_rest(rows: Array) -> Array | None:
    """Return orthonormal vectors c with rows c = 0, (k, d); None where it is in doubt how many there are."""
    if len(rows) >= rows.shape[1] and clearly_independent(rows.T @ rows):
        return np.zeros((rows.shape[1], 0))
    _, values, turned = np.linalg.svd(triangle(rows))
    share = values / max(float(values.max(initial=0.0)), 1e-300)
    rank = int(np.count_nonzero(share > NOTHING))
    return None if rank and share[rank - 1] < DOUBT else turned[rank:].T


def _balanced(rows: Array, shares: Array) -> bool:
    """Tell whether shares of rows add up to nothing but rounding."""
    left = np.abs(shares @ rows)
    return bool(np.all(left <= BALANCED * (shares @ np.abs(rows))))


def _step(rows: Array, short: Array) -> Array | None:
    """Return the least squares step that makes up for what rows are short of; None where there is none."""
    wide = len(rows) < rows.shape[1]
    gram = rows @ rows.T if wide else rows.T @ rows
    factor = cholesky(gram)
    if factor is None:
        size = np.diag(gram)
        factor = cholesky(gram + np.diag(np.where(size > 0.0, RIDGE * size, 1.0)))
    if factor is None:
        return None
    return rows.T @ factor.solve(short) if wide else factor.solve(short @ rows)


def _length(short: Array, along: Array) -> float:
    """Return the t that minimises |(short - t along)+|^2, by the places where rows join or leave."""
    with np.errstate(divide="ignore", invalid="ignore"):
        places = short / along
    leave = (along > 0.0) & (short > 0.0)
    join = (along < 0.0) & (short <= 0.0)
    begun = (short > 0.0) | (join & (short == 0.0))
    turning = np.flatnonzero(leave | (join & (short < 0.0)))
    order = turning[np.argsort(places[turning])]
    sign = np.where(leave[order], -1.0, 1.0)
    curve = _from(along * along, begun, order, sign)
    slope = _from(along * short, begun, order, sign)
    # Between two places the derivative is curve t - slope, and it never falls.
    reached = np.flatnonzero(curve[:-1] * places[order] >= slope[:-1])
    here = int(reached[0]) if len(reached) else len(order)
    return float(slope[here] / curve[here]) if curve[here] > 0.0 else float(places[order[here - 1]])


def _from(terms: Array, begun: Mask, order: NDArray[np.intp], sign: Array) -> Array:
    """Sum the terms of the rows that a walk begins with, and after each place where one joins or leaves."""
    return float(terms[begun].sum()) + np.concatenate([[0.0], np.cumsum(sign * terms[order])])
