"""What a cone of directions says of a functional: that it runs to one end, that it stays, or neither.

May import: numpy, etamu._base, and in this room recession.
Read next: `etamu.solve.recession`, where such cones come from.

Over the null space N of the rows left, the directions are the c with Z c >= 0, Z the signed separated rows.
A functional f over N is 0: it stays. If f = a'Z with a >= 0 it runs up with the rows; if -f is so it runs
down; else rows can reach their ends with f at any value, and nothing is known of it (Farkas).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.types import Array
from etamu.solve.recession import program

MOST = 400
"""Functionals for which linear programs are asked; beyond it what no shorter way decides is left open."""
NUMBERS = 400_000
"""Numbers in the rows of a linear program that may be asked of every functional."""
SECONDS = 30.0
"""How long all of them together may take."""
DIGITS = 11
BLOCK = 1 << 14
"""Rows written out at a time."""
NOTHING = 1e-12
"""Share of the largest entry up to which one is rounding."""


def run_of(functionals: Array, rows: Array) -> Array:
    """Tell how each functional runs: 0 stays, 1 up, -1 down, NaN where that is not determined.

    Parameters
    ----------
    functionals : array (m, k)
        What is 0 but for rounding is 0 already.
    rows : array (r, k)
        Z, each row signed so that it runs up.

    Examples
    --------
    >>> run_of(np.array([[1.0, 1.0], [0.0, -1.0], [1.0, -1.0], [0.0, 0.0]]), np.eye(2))
    array([ 1., -1., nan,  0.])
    """
    if not functionals.shape[1]:
        return np.zeros(len(functionals))
    size = np.abs(functionals).max(axis=1, initial=0.0)
    out = np.zeros(len(functionals))
    moving = np.flatnonzero(size > 0.0)  # whatever their units: one may be counted in 1e12 of another's
    asked, place = np.unique(
        np.round(functionals[moving] / size[moving][:, None], DIGITS), axis=0, return_inverse=True
    )
    out[moving] = _runs(asked, normal(rows))[place.ravel()]
    return out


def demands(place: NDArray[np.intp], moved: Callable[[NDArray[np.intp]], Array]) -> Array:
    """Collect what rows demand of the vectors of a basis, repeated demands once.

    Parameters
    ----------
    place : integers (r,)
        The rows.
    moved : callable
        What some of them make of the basis, (rows, vectors), signed so that they run up.
    """
    found: list[Array] = []
    for start in range(0, len(place), BLOCK):
        some = moved(place[start : start + BLOCK])
        found.append(normal(np.where(np.abs(some) <= NOTHING * np.abs(some).max(), 0.0, some)))
    return np.unique(np.vstack(found), axis=0)


def normal(rows: Array) -> Array:
    """Scale rows to a largest entry of 1 and keep one of each."""
    size = np.abs(rows).max(axis=1, initial=0.0)
    kept = size > 0.0
    return np.unique(np.round(rows[kept] / size[kept][:, None], DIGITS), axis=0)


def _runs(asked: Array, rows: Array) -> Array:
    """Compare with single rows, invert as many rows as there are dimensions, or solve linear programs."""
    if rows.shape[1] == 1:
        return np.asarray(np.sign(asked[:, 0]) * np.sign(rows[0, 0]))
    out = np.full(len(asked), np.nan)
    known = {row.tobytes() for row in rows + 0.0}
    for place, functional in enumerate(asked):
        if (functional + 0.0).tobytes() in known:
            out[place] = 1.0
        elif (0.0 - functional).tobytes() in known:
            out[place] = -1.0
    left = np.flatnonzero(np.isnan(out))
    if not len(left):
        return out
    if len(rows) == rows.shape[1] and np.linalg.cond(rows) < 1e8:
        shares = np.linalg.solve(rows.T, asked[left].T).T
        slack = 1e-8 * np.abs(shares).max(axis=1)
        up, down = (shares >= -slack[:, None]).all(axis=1), (shares <= slack[:, None]).all(axis=1)
        out[left] = np.where(up, 1.0, np.where(down, -1.0, np.nan))
        return out
    deadline = time.monotonic() + SECONDS
    for place in left[:MOST]:
        if rows.size > NUMBERS or time.monotonic() > deadline:
            break
        out[place] = _programmed(asked[place], rows)
    return out


def _programmed(functional: Array, rows: Array) -> float:
    """Look for the largest fall and the largest rise of a functional over the cone."""
    ends = []
    for side in (1.0, -1.0):
        answer = program(side * functional, rows, (-1.0, 1.0))
        if answer.status != 0:
            return np.nan
        ends.append(-float(answer.fun))
    falls, rises = (end > 1e-8 for end in ends)
    if falls and rises:
        return np.nan
    return -1.0 if falls else 1.0


def least_sum(functionals: Array, rows: Array) -> Array | None:
    """Find the c with rows c >= 1 for which the sum of |functionals c| is least: few of them move at all."""
    from scipy.optimize import linprog

    (count, size), number = functionals.shape, len(rows)
    above = np.hstack([functionals, -np.eye(count)])
    below = np.hstack([-functionals, -np.eye(count)])
    demand = np.hstack([-rows, np.zeros((number, count))])
    bounds = [(None, None)] * size + [(0, None)] * count
    solver: Any = linprog
    answer = solver(
        np.concatenate([np.zeros(size), np.ones(count)]),
        A_ub=np.vstack([above, below, demand]),
        b_ub=np.concatenate([np.zeros(2 * count), -np.ones(number)]),
        bounds=bounds,
        method="highs",
        options={"time_limit": 20.0},
    )
    return np.asarray(answer.x[:size], dtype=np.float64) if answer.status == 0 else None
