"""Directions in which a sum never falls however far one goes: found, verified row by row, or ruled out.

May import: numpy, scipy.optimize (inside functions), etamu._base, and in this room margin.
Read next: `etamu.solve.margin`, the least squares; `etamu.solve.cone`, what such directions leave
undetermined; `etamu.fit.face`, which asks.

Each row says on which side of zero x'd must stay: x'd >= 0, x'd <= 0 or x'd = 0. The directions d that obey
every row are a cone. A sum of concave terms has a maximum exactly if every d of the cone has X d = 0
(Rockafellar 1970, section 27); else the rows with x'd != 0 are *separated* by d. A direction is looked for
where the solver's steps ran to, by least squares over few rows that grow by the rows they break, and where
these leave it open by linear programs. None of them is believed. What is believed is the last look: all rows
that are not separated have x'd = 0 with d a vector of their null space, and all separated ones are on their
side.
"""

from __future__ import annotations

import time
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.solve.margin import at_rest, margin

Ways = NDArray[np.int8]
"""1 for x'd >= 0, -1 for x'd <= 0, 0 for x'd = 0, 2 for no demand."""

TOLERANCE = 1e-9
"""Share of the largest |x'd| up to which x'd counts as 0."""
EPS = float(np.finfo(np.float64).eps)
ROUNDED = 16.0
"""An x'd this many times as large as its rounding is 0."""
CLEAR = 1e4
"""A margin this many times as large as that rounding is none."""
THRESHOLDS = (1e-7, 1e-5, 1e-3, 1e-2)
"""Shares of the largest |x'd| that may divide separated rows from the rest, as a first guess."""
MOST = 2_000
"""Rows that one round adds to a linear program."""
NUMBERS = 2_000_000
"""Numbers that those rows may hold."""
ROUNDS = 60
LARGEST = 8_000_000
SECONDS = 60.0
"""How many numbers linear programs may hold, and how long they may take, before a question is left open."""


class Cone(Protocol):
    """The rows and what each demands of a direction."""

    @property
    def size(self) -> int:
        """Length of a direction."""

    @property
    def ways(self) -> Ways:
        """What each row demands."""

    def margins(self, direction: Array) -> Array:
        """Return x'd for every row."""

    def gathered(self, v: Array) -> Array:
        """Return the sum of v_i x_i."""

    def some(self, rows: NDArray[np.intp]) -> Array:
        """Write some rows out, (rows, size)."""

    def null_space(self, rows: Mask) -> tuple[Mask, Array]:
        """Return which columns earlier ones explain on some rows, and the vectors v with x'v = 0 there.

        Vector j, (size, gone), is 1 at the j-th explained column and 0 at the other explained ones.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Recession:
    """A verified direction.

    Parameters
    ----------
    direction : array (size,)
        Its smallest |x'd| over the separated rows is 1.
    separated : booleans (rows,)
    gone : booleans (size,)
        Columns that earlier ones explain on the rows left.
    basis : array (size, gone)
        The null space of the rows left.
    """

    direction: Array
    separated: Mask
    gone: Mask
    basis: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Still:
    """Rows at rest, and their null space as `Cone.null_space` tells it."""

    rows: Mask
    gone: Mask
    basis: Array


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known: a direction; or that there is none (`settled`), or neither."""

    found: Recession | None
    settled: bool


def recede(cone: Cone, alive: Mask, hint: Array | None = None) -> Answer:
    """Look for a direction that every row of some obeys and that moves at least one of them.

    Parameters
    ----------
    cone : Cone
    alive : booleans (rows,)
        The rows that count.
    hint : array (size,), optional
        Where steps ran to.
    """
    open_rows = alive & (np.abs(cone.ways) == 1)
    if not open_rows.any():
        return Answer(None, settled=True)
    if hint is not None and (found := verified(cone, alive, hint)) is not None:
        return Answer(found, settled=True)
    pinned = alive & (cone.ways == 0)
    still = _Still(pinned, *cone.null_space(pinned))
    basis = still.basis
    if not basis.shape[1]:
        return Answer(None, settled=True)
    if basis.shape[1] == 1:
        for side in (1.0, -1.0):
            if (found := verified(cone, alive, side * basis[:, 0], still)) is not None:
                return Answer(found, settled=True)
    answer = _moved(cone, alive, open_rows, still)
    return answer if answer.settled else _programmed(cone, alive, open_rows, basis)


def verified(cone: Cone, alive: Mask, direction: Array, still: _Still | None = None) -> Recession | None:
    """Clean a direction until the rows left are exactly 0 on it, and verify the others; None if it fails."""
    asked = alive & (cone.ways != 2)
    margins = cone.margins(direction)
    largest = float(np.abs(margins[asked]).max(initial=0.0))
    if not (largest > 0.0 and np.isfinite(largest)):
        return None
    signed = margins * cone.ways / largest
    bent = np.where(cone.ways == 0, -np.abs(margins) / largest, signed)
    least = float(bent[asked].min(initial=0.0))
    seen = -1
    for share in THRESHOLDS:
        if -least > share:
            continue
        separated = asked & (cone.ways != 0) & (signed > share)
        if (count := int(separated.sum())) in {0, seen}:
            continue
        seen = count
        if (found := _cleaned(cone, asked, direction, separated, still)) is not None:
            return found
    return None


def _cleaned(
    cone: Cone, asked: Mask, direction: Array, separated: Mask, still: _Still | None
) -> Recession | None:
    """Carry a direction to the null space of the rows it does not separate, and look at every row."""
    others = asked & ~separated
    if still is None or not np.array_equal(others, still.rows):
        still = _Still(others, *cone.null_space(others))
    gone, basis = still.gone, still.basis
    if not gone.any():
        return None
    clean = basis @ direction[gone]
    margins = cone.margins(clean)
    largest = float(np.abs(margins[asked]).max(initial=0.0))
    signed = margins * cone.ways
    least = float(signed[separated].min())
    rest = float(np.abs(margins[others]).max(initial=0.0))
    clear = least > TOLERANCE * largest and rest <= TOLERANCE * largest
    if not (clear or (least > 0.0 and _at_rest(cone, others, clean, margins, least))):
        return None
    return Recession(clean / least, separated, gone, basis)


def _at_rest(cone: Cone, rows: Mask, direction: Array, margins: Array, least: float) -> bool:
    """Tell whether rows are at rest but for the rounding of a sum of large terms, and the others are not.

    Of columns that are nearly dependent any direction has large terms and short margins.
    """
    index = np.flatnonzero(rows)
    if len(index) * cone.size > NUMBERS:
        return False
    rounding = EPS * float((np.abs(cone.some(index)) @ np.abs(direction)).max(initial=0.0))
    still = bool(np.all(np.abs(margins[index]) <= ROUNDED * rounding))
    return still and least >= CLEAR * rounding


# --- least squares ---


def _moved(cone: Cone, alive: Mask, open_rows: Mask, still: _Still) -> Answer:
    """Move every row by a margin but those that others hold at rest; rows are added where they are broken."""
    ways, left, basis = np.where(open_rows, cone.ways, 0), open_rows.copy(), still.basis
    more, deadline = _first(open_rows, basis), time.monotonic() + SECONDS
    rows = np.zeros((0, basis.shape[1]))
    for _ in range(ROUNDS):
        left[more] = False
        rows = np.vstack([rows, _rows_of(cone, more, basis)])
        if rows.size > LARGEST or time.monotonic() > deadline or (freed := _freed(rows)) is None:
            break
        best, inner, rows = freed
        basis = basis @ inner  # what is at rest stays so whatever rows are added
        if not basis.shape[1]:
            return Answer(None, settled=True)
        margins = cone.margins(basis @ best)
        broken = left & (margins * ways < -TOLERANCE * np.abs(margins[alive]).max(initial=0.0))
        if not len(rows):  # those that are left alone say what moves
            broken = left
        if not broken.any():
            found = verified(cone, alive, basis @ best, still)
            return Answer(found, settled=found is not None or not len(rows))
        more = _worst(np.flatnonzero(broken), margins * ways, basis)
    return Answer(None, settled=False)


def _freed(rows: Array) -> tuple[Array, Array, Array] | None:
    """Move by a margin the rows that no others hold; None where it is not clear which these are.

    Returns
    -------
    tuple of array (d,), array (k, d) and array (moved, d)
        How to move them, in the coordinates of vectors that leave the others at rest; what is left of them.
    """
    inner = np.eye(rows.shape[1])
    while (found := margin(rows)) is not None:
        best, held = found
        if not held.any():
            return best, inner, rows
        still = at_rest(rows[held])
        if still is None:
            return None
        inner, rows = inner @ still, _normal(rows @ still, np.ones(len(rows)))
    return None


def _at_once(basis: Array) -> int:
    """Return how many rows a round may add."""
    width: int = basis.shape[1]
    return min(MOST, max(NUMBERS // max(width, 1), 1))


def _first(open_rows: Mask, basis: Array) -> NDArray[np.intp]:
    """Choose rows to begin with, spread evenly."""
    index = np.flatnonzero(open_rows)
    return index[:: max(len(index) // _at_once(basis), 1)]


def _worst(rows: NDArray[np.intp], signed: Array, basis: Array) -> NDArray[np.intp]:
    """Choose the rows that a direction breaks most."""
    return rows[np.argsort(signed[rows])[: _at_once(basis)]]


# --- linear programs ---


def _programmed(cone: Cone, alive: Mask, open_rows: Mask, basis: Array) -> Answer:
    """Maximise the sum of all |x'd| over the cone, by rows that are added where they are broken."""
    ways = np.where(open_rows, cone.ways, 0).astype(np.float64)
    aim = cone.gathered(ways) @ basis
    taken = np.zeros(len(ways), dtype=bool)
    taken[_first(open_rows, basis)] = True
    deadline, rows = time.monotonic() + SECONDS, _rows_of(cone, np.flatnonzero(taken), basis)
    for _ in range(ROUNDS):
        best = _maximised(aim, rows, deadline - time.monotonic())
        if best is None:
            return Answer(None, settled=False)
        if not best.any():
            return Answer(None, settled=True)
        direction = basis @ best
        margins = cone.margins(direction)
        largest = float(np.abs(margins[alive]).max(initial=0.0))
        broken = open_rows & ~taken & (margins * ways < -TOLERANCE * largest)
        if not broken.any():
            found = verified(cone, alive, direction) or _away(cone, alive, open_rows, basis, deadline)
            return Answer(found, settled=found is not None)
        worst = _worst(np.flatnonzero(broken), margins * ways, basis)
        taken[worst] = True
        rows = np.vstack([rows, _rows_of(cone, worst, basis)])
    return Answer(None, settled=False)


def _away(cone: Cone, alive: Mask, open_rows: Mask, basis: Array, deadline: float) -> Recession | None:
    """Look for a direction that moves all rows it can, each by its own length or more.

    A vertex of the linear program before leaves some rows at rest that need not be, and what is at rest is
    judged in units of the fastest row. Where columns differ by many powers of ten those rows decide.
    """
    if int(open_rows.sum()) * (basis.shape[1] + 1) > NUMBERS:
        return None
    rows = _rows_of(cone, np.flatnonzero(open_rows), basis)
    best = _moving_most(rows, deadline - time.monotonic())
    return None if best is None else verified(cone, alive, basis @ best)


def _moving_most(rows: Array, seconds: float) -> Array | None:
    """Maximise the sum of s over rows c >= s and 0 <= s <= 1; None where undecided."""
    from scipy.optimize import linprog

    (count, size), options = rows.shape, {"time_limit": max(seconds, 0.0)}
    goal = np.concatenate([np.zeros(size), -np.ones(count)])
    bounds = [(None, None)] * size + [(0.0, 1.0)] * count
    demand = np.hstack([-rows, np.eye(count)])
    solver: Any = linprog
    answer = solver(goal, A_ub=demand, b_ub=np.zeros(count), bounds=bounds, method="highs", options=options)
    return np.asarray(answer.x[:size], dtype=np.float64) if answer.status == 0 else None


def _rows_of(cone: Cone, index: NDArray[np.intp], basis: Array) -> Array:
    """Write signed rows in the coordinates of a basis, each of largest entry 1, repeated ones once."""
    some = cone.some(index)
    return _normal((some * cone.ways[index][:, None]) @ basis, np.abs(some) @ np.abs(basis).max(axis=1))


def _normal(rows: Array, terms: Array) -> Array:
    """Scale rows to a largest entry of 1, keep one of each, and none that is rounding of its terms."""
    size = np.abs(rows).max(axis=1, initial=0.0)
    kept = size > TOLERANCE * terms
    return np.unique(np.round(rows[kept] / size[kept][:, None], 14), axis=0)


def _maximised(aim: Array, rows: Array, seconds: float) -> Array | None:
    """Maximise aim'c over rows c >= 0 and |c| <= 1; zeros where nothing is gained, None where undecided."""
    if seconds <= 0.0 or rows.size > LARGEST:
        return None
    size = float(np.abs(aim).max(initial=0.0))
    if size == 0.0:
        # The rows add up to nothing: what moves one row one way moves another the other way.
        return np.zeros(len(aim))
    answer: Any = program(-aim / size, rows, (-1.0, 1.0), seconds)
    if answer.status != 0:
        return None
    best = np.asarray(answer.x, dtype=np.float64)
    return best if -float(answer.fun) > TOLERANCE else np.zeros(len(aim))


def program(cost: Array, rows: Array, box: tuple[float, float], seconds: float = SECONDS) -> Any:
    """Minimise cost'c over rows c >= 0 inside a box, by HiGHS."""
    from scipy.optimize import linprog

    options = {
        "primal_feasibility_tolerance": 1e-10,
        "dual_feasibility_tolerance": 1e-10,
        "time_limit": float(seconds),
    }
    solver: Any = linprog
    return solver(cost, A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=box, method="highs", options=options)
