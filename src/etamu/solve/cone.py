"""What a cone of directions says of a functional: that it runs to one end, that it stays, or neither.

May import: numpy, etamu._base, and in this room factor, margin, recession.
Read next: `etamu.solve.recession`, where such cones come from.

Over the null space N of the rows left, the directions are the c with Z c >= 0, Z the signed separated rows.
A functional f over N is 0: it stays. If f = a'Z with a >= 0 it runs up with the rows; if -f is so it runs
down; else rows can reach their ends with f at any value, and nothing is known of it (Farkas). Most that are
not determined show it near the middle of the cone, where one walks from a c with f c > 0 to one with f c < 0.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.types import Array, Mask
from etamu.solve.factor import Metric, cholesky
from etamu.solve.margin import margin
from etamu.solve.recession import program

MOST = 400
"""Functionals for which linear programs are asked; beyond it what no shorter way decides is left open."""
NUMBERS = 400_000
"""Numbers in the rows of all linear programs that may be asked."""
CENTRED = 4
"""Newton steps toward the middle of a cone: near it will do."""
SHORT_OF = 0.95
"""How much of the way to the side of a cone is walked."""
CLEAR = 1e-9
"""Share of its terms from which on a functional has a sign."""
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
    middle = _middle(rows)
    if middle is not None:
        left = left[~_turning(asked[left], rows, middle)]
    deadline = time.monotonic() + SECONDS
    for place in left[: min(MOST, NUMBERS // rows.size)]:
        if time.monotonic() > deadline:
            break
        out[place] = _programmed(asked[place], rows, middle)
    return out


def _middle(rows: Array) -> Array | None:
    """Return a c with rows c > 0 about the middle of them, on the way to the most of sum log(rows c)."""
    found = margin(rows)
    if found is None or found[1].any():
        return None
    point = found[0]
    for _ in range(CENTRED):
        near = rows / (rows @ point)[:, None]
        pull = len(rows) / float(point @ point)  # of log |c|, which keeps it from running away
        factor = _walls(near, pull)
        if factor is None:
            break
        step = factor.solve(near.sum(axis=0) - pull * point)
        point = point + min(1.0, SHORT_OF * float(_reach(near @ step))) * step
    return point


def _walls(near: Array, pull: float = 0.0) -> Metric | None:
    """Factorise the matrix in which the nearest sides of a cone are far (Dikin 1967)."""
    return cholesky(near.T @ near + np.diag(np.full(near.shape[1], pull)))


def _reach(along: Array) -> Array:
    """Return how far margins of 1 that change by this, row by row, stay above 0."""
    return np.asarray(1.0 / np.maximum(-along.min(axis=0), 1e-300))


def _turning(functionals: Array, rows: Array, middle: Array) -> Mask:
    """Tell which functionals are above 0 somewhere in the cone and below it elsewhere, as far as one sees."""
    near = rows / (rows @ middle)[:, None]
    factor, here = _walls(near), functionals @ middle
    if factor is None:
        return np.zeros(len(functionals), dtype=bool)
    steps = -np.where(here > 0.0, 1.0, -1.0) * factor.solve(functionals.T)
    ends = middle[:, None] + SHORT_OF * np.minimum(_reach(near @ steps), 1e100) * steps
    there = np.einsum("ij,ji->i", functionals, ends)
    at_least = CLEAR * np.einsum("ij,ji->i", np.abs(functionals), np.abs(ends))
    clear = np.abs(here) > CLEAR * (np.abs(functionals) @ np.abs(middle))
    return np.asarray(clear & (here * there < 0.0) & (np.abs(there) > at_least))


def _programmed(functional: Array, rows: Array, middle: Array | None) -> float:
    """Look for the largest fall and the largest rise of a functional over the cone, if none is known."""
    known = 0.0 if middle is None else float(functional @ middle)
    if middle is not None and abs(known) <= CLEAR * float(np.abs(functional) @ np.abs(middle)):
        known = 0.0
    moves = []
    for side, seen in ((1.0, known < 0.0), (-1.0, known > 0.0)):
        answer = None if seen else program(side * functional, rows, (-1.0, 1.0))
        if answer is not None and answer.status != 0:
            return np.nan
        moves.append(answer is None or -float(answer.fun) > 1e-8)
    falls, rises = moves
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
