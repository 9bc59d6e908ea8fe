"""A maximum inside or on the edge of the domain, proved row by row: active sets in the etas of some rows.

Where the climb meets an end of the domain, the rows that are there are held: each is a coordinate of its own
(`etamu.fit.chosen`), and the value is climbed in the others, or along the edge. Where that arrives, the
derivative of the value in the eta of a row that is held, other coordinates as they are, is its multiplier: at
a maximum none points inside (Karush, Kuhn and Tucker: Nocedal and Wright 2006, chapters 12 and 16). A row
whose multiplier does is let go, and the climb goes on from a little inside. Columns that nearly depend on
each other, and weights that differ by any power of ten, leave multipliers their digits: fractions make the
coordinates.

May import: everything below `fit`.
Read next: `etamu.fit.beyond`, which asks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from etamu._base.double import Double, single
from etamu._base.rational import exact, independent
from etamu._base.types import Array, Mask
from etamu.fit.chosen import CANCELS, Chosen, chosen, weights
from etamu.fit.edge import edge_of, inside_of
from etamu.objective.written import Written
from etamu.solve.graded import least_squares, times
from etamu.solve.oracle import Outcome
from etamu.solve.trust import EPS, TINIEST, Ended, ascend, blur

MOST = 60
"""Climbs, each with other rows held."""
AGAIN = 3
"""Times that a climb with the same rows held may not arrive."""
CHOICES = 3
"""Times that rows are chosen anew because those of the start say too little of others at the end."""
CANCEL_BESIDE = 1e6
"""The `CANCELS` of a maximum on the edge, of which nobody says that it is right to the last digit."""
NEAREST = 4.0
"""An eta within so many times its own rounding of an end is on it."""
CLOSE = 1e-10
"""So is one this near, in units of the spread of eta, where the climb did not arrive."""
APART = 10.0 ** -np.arange(1.0, 61.0, 2.0)
"""How far inside a row that is let go is looked at, in units of the spread of eta."""
ROUNDED = 8.0
"""A multiplier so many times as large as rounding of slopes makes it points somewhere."""
PROVED = 1e-8
"""Share of the gradient that multipliers may leave, and of its terms that a row may move and be still."""
LEFT = 8.0
"""Times its slope just inside that a value may still rise by, at most, on the way to an end of eta."""

Settled = tuple[Chosen, Ended, Outcome]


def settled(rows: Written, eta: Array) -> Settled | None:
    """Climb from some etas to a maximum with no row held that would leave; None where none is found."""
    held = _outside(rows, eta)
    free: tuple[int, ...] = ()
    met: Counter[frozenset[int]] = Counter()
    choices = 0
    with np.errstate(all="ignore"):  # what is not finite far out is no point to go to
        for _ in range(MOST):
            loose = chosen(rows, eta, (*held, *free))
            if loose is None:
                return None
            there = _tied(loose, eta, len(held))
            ended = _along(there, eta, len(held))
            if not math.isfinite(ended.value):
                return None
            eta = ended.eta
            if not ended.arrived:
                held = _blocking(rows, there, ended, held)
                free = tuple(row for row in free if row not in held)
                met[frozenset(held)] += 1
                if met[frozenset(held)] > AGAIN:
                    return None
                continue
            final = _at_the_end(there, ended, len(held))
            if not there.holds(final, CANCEL_BESIDE if held else CANCELS):
                choices += 1
                if choices >= CHOICES:
                    return None
                continue
            freed = _freed(loose, ended, len(held), _held_along(loose, there))
            if freed is None:
                return there, final, _outcome(held)
            leaving, eta = freed
            free = (*free, *(row for row, leaves in zip(held, leaving, strict=True) if leaves))
            held = tuple(row for row, leaves in zip(held, leaving, strict=True) if not leaves)
    return None


def _outside(rows: Written, eta: Array) -> tuple[int, ...]:
    """Return independent rows that are on an end of the domain, or beyond it, to begin with."""
    lower, upper = rows.ends
    beyond = [int(i) for i in np.flatnonzero((eta <= lower) | (eta >= upper))]
    return tuple(beyond[place] for place in independent([exact(rows.rows[i]) for i in beyond]))


def _outcome(held: Sequence[int]) -> Outcome:
    return Outcome.BOUNDARY if held else Outcome.CONVERGED


def _ends(there: Chosen, theta: Array) -> tuple[Array, Array]:
    """Return the nearer end of some etas and the direction into the domain there."""
    ends = np.array([end for end, _ in there.rows.inward])
    signs = np.array([sign for _, sign in there.rows.inward])
    nearer = np.argmin(np.abs(theta[:, None] - ends), axis=1)
    return ends[nearer], signs[nearer]


def _just(there: Chosen, theta: Array) -> Array:
    """Return the place just inside the nearer end of every chosen eta."""
    return np.array([inside_of(end, sign) for end, sign in zip(*_ends(there, theta), strict=True)])


def _tied(there: Chosen, eta: Array, held: int) -> Chosen:
    """Hold the rows as well whose terms are those of rows that are held, and that are on an end with them."""
    if not held:
        return there
    terms, (ends, _) = there.rows.rows, _ends(there, eta[there.place])
    at = terms[:, :held] @ ends[:held] + there.rows.offset
    size = np.abs(terms[:, :held]) @ np.abs(ends[:held]) + np.abs(there.rows.offset)
    alone = ~terms[:, held:].any(axis=1)
    offset, tied = there.rows.offset.copy(), np.zeros(len(at), dtype=bool)
    for end, sign in there.rows.inward:
        on = alone & (np.abs(at - end) <= NEAREST * EPS * size)
        offset[on], tied[on] = inside_of(end, sign), True
    tied[there.place] = False
    moved = replace(there.rows, rows=np.where(tied[:, None], 0.0, terms))
    moved = replace(moved, offset=np.where(tied, offset, there.rows.offset))
    return replace(there, rows=moved, plain=there.plain | tied)


def _along(there: Chosen, eta: Array, held: int) -> Ended:
    """Climb with the first chosen etas held just inside their ends."""
    theta = eta[there.place]
    if not held:
        return max((ascend(there.rows, start, tolerance=0.0) for start in _starts(there, eta)), key=_rank)
    just = _just(there, theta)[:held]
    offset = there.rows.offset + there.rows.rows[:, :held] @ just
    if held == len(theta):
        seen = there.rows.look(offset)
        return Ended(single(just), offset, math.fsum(seen.value), seen.finite, ())
    free = replace(there.rows, rows=there.rows.rows[:, held:], offset=offset)
    ended = ascend(free, theta[held:], tolerance=0.0)
    hi = np.concatenate([just, ended.exact.hi])
    return replace(ended, exact=Double(hi, np.concatenate([0.0 * just, ended.exact.lo])))


def _rank(ended: Ended) -> tuple[bool, float]:
    return ended.arrived, ended.value


def _starts(there: Chosen, eta: Array) -> Iterator[Double]:
    """Yield the least squares of some etas, and those of the rows chosen themselves."""
    rows = there.rows
    found = least_squares(rows.rows, weights(rows, eta), eta - rows.offset)
    if np.all(np.isfinite(found.hi)):
        yield found
    yield single(eta[there.place])


def _blocking(rows: Written, there: Chosen, ended: Ended, held: tuple[int, ...]) -> tuple[int, ...]:
    """Return the rows to be held where a climb did not arrive: independent ones that are on an end by now."""
    if not rows.inward:
        return held
    beta = there.coefficients(ended.exact, rows.offset)
    gap = np.min([sign * (ended.eta - end) for end, sign in rows.inward], axis=0)
    spread = edge_of(rows, beta).spread
    on = gap <= np.maximum(NEAREST * blur(rows, beta), CLOSE * spread)
    on[list(held)] = False
    order = [*held, *(int(i) for i in np.argsort(gap / spread, kind="stable") if on[i])]
    return tuple(order[place] for place in independent([exact(rows.rows[i]) for i in order]))


def _multipliers(there: Chosen, ended: Ended) -> tuple[Array, Array]:
    """Return the derivative of the value in every chosen eta, and what rounding may make of it."""
    seen, terms = there.rows.look(ended.eta), there.rows.rows
    bend = np.maximum(np.abs(seen.observed), seen.expected) * np.abs(ended.eta)
    bend = np.where(np.isfinite(bend) & ~there.plain, bend, 0.0)  # what is a term itself is not rounded
    return terms.T @ seen.slope, ROUNDED * EPS * (np.abs(terms).T @ (np.abs(seen.slope) + bend))


def _held_along(loose: Chosen, there: Chosen) -> Mask:
    """Tell which rows are held because others are."""
    return np.asarray(loose.rows.rows.any(axis=1) & ~there.rows.rows.any(axis=1))


def _freed(there: Chosen, ended: Ended, held: int, along: Mask) -> tuple[Mask, Array] | None:
    """Return which rows held are best let go, and the etas a little inside; None if none would leave.

    Where a multiplier points inside, by more than rounding, the value has to rise that way: gains are summed
    row by row, for the whole value may have rounding larger than all of them.
    """
    if not held:
        return None
    rows, theta = there.rows, ended.exact
    here, spread = rows.look(ended.eta).value, float(edge_of(rows, theta.hi).spread.max())
    best, highest = None, 0.0
    for way in _ways(there, ended, held, along):
        moved = rows.rows[:, :held] @ way
        still = np.abs(moved) <= PROVED * (np.abs(rows.rows[:, :held]) @ np.abs(way))
        whole = np.concatenate([way, np.zeros(len(theta.hi) - held)])
        for far in APART * spread:
            eta = (times(rows.rows, theta + single(far * whole)) + single(rows.offset)).hi
            eta = np.where(still, ended.eta, eta)
            gains = rows.look(eta).value - here
            gained = math.fsum(gains) if np.all(np.isfinite(gains)) else -math.inf
            if gained > highest:
                best, highest = (way != 0.0, eta), gained
    return best


def _ways(there: Chosen, ended: Ended, held: int, along: Mask) -> Iterator[Array]:
    """Yield directions of the etas held: of each alone whose multiplier points inside, and of all together.

    Where more rows are held than there are coordinates, their normals have to hold the gradient together:
    what the best multipliers leave of it, in units of its components, is the way out (Nocedal and Wright
    2006, section 12.8).
    """
    from scipy.optimize import nnls

    theta = ended.exact.hi
    score, lost = (part[:held] for part in _multipliers(there, ended))
    inward = _ends(there, theta)[1][:held]
    for place in np.flatnonzero(inward * score > lost):
        yield np.where(np.arange(held) == place, inward, 0.0)
    if not along.any():
        return
    unit = np.where(np.abs(score) > lost, np.abs(score), np.fmax(lost, TINIEST))
    signs = _ends(there, ended.eta[along])[1]
    normals = np.vstack([np.diag(inward), signs[:, None] * there.rows.rows[along, :held]]) / unit
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    aim = np.where(np.abs(score) > lost, np.sign(score), 0.0)
    left = aim + normals.T @ nnls(normals.T, -aim)[0]
    way = np.where(np.abs(left) > PROVED, left, 0.0) / unit
    if way.any():
        yield way / np.abs(way).max()


def _at_the_end(there: Chosen, ended: Ended, held: int) -> Ended:
    """Put rows that are held from just inside on their ends; what that brings at most is noise."""
    if not held:
        return ended
    theta = ended.exact
    ends, _ = _ends(there, theta.hi)
    score, _ = _multipliers(there, ended)
    brought = float(np.sum(np.abs(score * (ends - theta.hi))[:held]))
    on = np.arange(len(ends)) < held
    exact_theta = Double(np.where(on, ends, theta.hi), np.where(on, 0.0, theta.lo))
    return replace(ended, exact=exact_theta, noise=ended.noise + LEFT * brought)
