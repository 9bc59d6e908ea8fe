"""A maximum on the edge of the domain: found exactly, on the rows that lie there.

The climb ends beside such a maximum, because values are asked strictly inside only. Here the rows nearest to
an end of the domain are put on it, the value of the others is maximised on the flat that this leaves, and the
conditions of Karush, Kuhn and Tucker are checked: every row on the edge must pull outward, else it is let go;
a row that the way meets is taken in (primal active sets: Nocedal and Wright 2006, section 16.5).

May import: everything below `fit`.
Read next: `etamu.fit.estimate`, which asks for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.design.chunk import Chunk
from etamu.family.unit import Unit
from etamu.objective.likelihood import Likelihood
from etamu.objective.written import Written, written
from etamu.solve.direction import FINAL
from etamu.solve.factor import cholesky, lifted
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome, Solution
from etamu.solve.trust import EPS, blur
from etamu.sums import clearance

BESIDE = {Outcome.BOUNDARY, Outcome.STALLED, Outcome.LIMIT, Outcome.STATIONARY}
"""Ends of a search that an edge may have caused."""
NEAR = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10)
"""Rows this near an end, in units of the spread of eta, are first put on it, fewer if so many cannot be."""
PROOF = 1e-8
"""Share of the gradient that the rows on the edge may leave."""
CLEAR = 1e-3
"""A row that keeps this far from an end, as a share of 1 + |eta|, is not on it."""
ON = 1e-9
"""A row this near an end is on it."""
FLAT = 1e-4
"""Share of the expected information that bends a value without curvature of its own."""
MOST = 100
"""Changes of the rows on the edge."""
STEPS = 60
"""Newton steps on one flat."""
JUST = 1e-60
"""Distance from an end at 0 from which a row on it is seen: mu^3 of 1 / eta is still a number."""
ROUNDING = 1e-12
"""Share of its value by which rounding may put a point on the edge below one beside it."""
STEEP = 1e8
"""A row that pulls outward so many times as hard as all others together pulls without end, and stays."""
TINY = 1e-6
"""Share of the terms of an eta that is as good as nothing: 1e-9 of it is what rounding leaves."""
BESIDES = 1e4
"""Times the rounding of an eta beyond which it is not on an edge, but somewhere before it."""
INWARD = 2.0
"""Distance from the edge, in units of the rounding of eta, at which the answer is evaluated, to be inside."""


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """Rows as constraints sign * (x'beta + offset - end) >= 0, one for every finite end of the domain.

    Parameters
    ----------
    written : Written
        The rows, in working coordinates.
    spread : array (n,)
        Spread of eta, in which distances from the edge are counted; less for a row of small terms.
    """

    written: Written
    spread: Array

    @property
    def rows(self) -> Array:
        """The rows x_i, (n, size)."""
        return self.written.rows

    @property
    def offset(self) -> Array:
        """What is added to x_i'beta, (n,)."""
        return self.written.offset

    def slack(self, beta: Array) -> tuple[Array, Array]:
        """Return the distance of every row from its nearer end, and the direction into the domain there."""
        eta = self.rows @ beta + self.offset
        gaps = np.stack([inward * (eta - end) for end, inward in self.written.inward])
        nearer = np.argmin(gaps, axis=0)
        inward = np.array([sign for _, sign in self.written.inward])[nearer]
        return np.take_along_axis(gaps, nearer[None], axis=0)[0], inward

    def per_row(self, beta: Array, on: Mask) -> tuple[Array, ...]:
        """Return value, score, observed and expected information; the edge is seen from just inside."""
        eta = self.rows @ beta + self.offset
        for end, inward in self.written.inward:
            just = inside_of(end, inward)
            closer = inward * (eta - just) < 0
            eta = np.where(closer & on, just, eta)
        seen = self.written.look(eta)
        return seen.value, seen.slope, seen.observed, seen.expected


def inside_of(end: float, inward: float) -> float:
    """Return the place from which a row on an end is seen."""
    return inward * JUST if end == 0.0 else end + inward * abs(end) * 2.0**-52


def on_edge(oracle: Likelihood, unit: Unit, chunk: Chunk, solution: Solution) -> Solution:
    """Put a climb that ended beside the edge of the domain on it.

    As it was, if no point on the edge is proved to be the best, or the rows are too many to write out.
    """
    if not (oracle.restricted and oracle.size and np.isfinite(solution.local.value)):
        return solution
    perfect = solution.local.scale == oracle.least > 0.0
    if not (perfect or solution.outcome in BESIDE or _touches(oracle, solution)):
        return solution
    rows = written(oracle, unit, chunk)
    if rows is None:
        return solution
    edge = edge_of(rows, solution.beta)
    with np.errstate(all="ignore"):  # what is not finite far out is no point to go to
        beta = _best(edge, solution.beta)
        found = None if beta is None else _seen(edge, beta, solution)
    if found is None or found.outcome is Outcome.INFEASIBLE:
        return solution
    higher = found.outcome is Outcome.BOUNDARY or found.local.value >= solution.local.value
    return found if higher else solution


def beside(oracle: Likelihood, chunk: Chunk, solution: Solution) -> bool:
    """Tell whether a search is said to have ended on an edge that no eta is on, which nothing proves."""
    if solution.outcome is not Outcome.BOUNDARY:
        return False
    predictor, domain = chunk.predictors[0], oracle.unit.domain
    rows, offset = oracle.coordinates.rows(predictor.design), predictor.offset
    shift = np.zeros(len(chunk)) if offset is None else offset
    eta, terms = rows @ solution.beta + shift, np.abs(rows) @ np.abs(solution.beta) + np.abs(shift)
    gap = np.minimum(eta - domain.lower, domain.upper - eta)
    return not np.any(gap <= BESIDES * EPS * terms)


def _touches(oracle: Likelihood, solution: Solution) -> bool:
    """Tell whether a search that is said to have converged ended on an edge.

    Where the mean has no slope there every step leaves a share of the way, and soon each is a short one.
    """
    return not oracle.dear and _nearest(oracle, solution) < ON


def _nearest(oracle: Likelihood, solution: Solution) -> float:
    """Return the smallest distance of an eta from an end, as a share of 1 + |eta|."""
    raw = oracle.coordinates.raw(solution.beta)
    return oracle.executor.reduce(partial(clearance, beta=raw, unit=oracle.unit)).value


def edge_of(rows: Written, beta: Array) -> Edge:
    """State the edge of some rows, distances counted in the spread of eta at a point."""
    return Edge(rows, _spread(rows, beta))


def _spread(rows: Written, beta: Array) -> Array:
    """Return the size of an eta: of the largest, of the responses' own, or of 1e-6 of its terms.

    Where all eta are near an end at 0, the largest is no measure of how near; nor is it for a row all of
    whose terms are smaller.
    """
    largest = float(np.abs(rows.rows @ beta + rows.offset).max(initial=0.0))
    terms = np.abs(rows.rows) @ np.abs(beta) + np.abs(rows.offset)
    usual = _usual(rows.unit, rows.chunk)
    most = max(largest, usual, TINY * float(terms.max(initial=0.0)))
    return np.asarray(np.clip(terms, usual, most))


def _usual(unit: Unit, chunk: Chunk) -> float:
    """Return the usual size of the responses' own eta: beside it even the largest may be near an end at 0."""
    with np.errstate(all="ignore"):
        sizes = np.abs(unit.start(chunk.y, np.ones(len(chunk))))
    found = float(np.median(sizes))
    return found if 0.0 < found < np.inf else 1.0


def clear_of_edge(oracle: Likelihood, solution: Solution) -> Solution:
    """Say of a search that was stopped by an edge no eta is near that it stalled, and no more."""
    if solution.outcome is not Outcome.BOUNDARY:
        return solution
    return solution if _nearest(oracle, solution) < CLEAR else replace(solution, outcome=Outcome.STALLED)


def _seen(edge: Edge, beta: Array, solution: Solution) -> Solution | None:
    """Look at a maximum on the edge from as near as it can be seen, and climb on from one that is inside."""
    if not np.any(edge.slack(beta)[0] <= ON * edge.spread):
        return newton(edge.written.oracle, beta)
    # The value may rise to the edge with a slope without end: then what is seen from inside is less.
    best = float(edge.per_row(beta, edge.slack(beta)[0] <= ON * edge.spread)[0].sum())
    if not best >= solution.local.value - ROUNDING * max(abs(solution.local.value), _first_value(edge)):
        return None
    return from_inside(edge, beta, solution)


def from_inside(edge: Edge, beta: Array, solution: Solution) -> Solution | None:
    """Look at a point on the edge from as near as it can be seen; None where there is no way inside."""
    for passes, inside in enumerate(inwards(edge, beta), start=solution.passes + 1):
        seen = edge.written.oracle.at(inside, FINAL)
        if np.isfinite(seen.value):
            return replace(solution, beta=inside, local=seen, outcome=Outcome.BOUNDARY, passes=passes)
    return None


def inwards(edge: Edge, beta: Array) -> Iterator[Array]:
    """Yield points ever farther inside from one on the edge, none where no direction leads inside."""
    into = _into(edge, beta)
    slack, inward = edge.slack(beta)
    on = slack <= 10 * ON * edge.spread
    if into is None or not on.any():
        return
    rate = (inward * (edge.rows @ into))[on]
    # Where all eta are next to nothing the rows lie beyond an end at 0 by more than their own rounding.
    short = np.maximum(np.maximum(blur(edge.written, beta)[on], JUST), -slack[on])
    least = INWARD * float(np.max(short / rate)) if np.all(rate > 0.0) else 0.0
    for digit in range(8):
        yield beta + least * 10.0**digit * into


def _first_value(edge: Edge) -> float:
    """Return the size of the value at the first guesses, beside which less than its rounding is nothing."""
    chunk = edge.written.chunk
    values = edge.written.look(edge.written.unit.start(chunk.y, np.ones(len(chunk)))).value
    return float(np.abs(values[np.isfinite(values)]).sum())


def _into(edge: Edge, beta: Array) -> Array | None:
    """Return a direction that leads every row on the edge inside, the slowest as fast as can be."""
    from scipy.optimize import linprog

    slack, inward = edge.slack(beta)
    on = slack <= 10 * ON * edge.spread
    normals = np.unique(edge.rows[on] * inward[on][:, None], axis=0)
    goal = np.append(np.zeros(beta.size), -1.0)
    bounds = [(-1.0, 1.0)] * beta.size + [(None, 1.0)]
    rules = np.column_stack([-normals, np.ones(len(normals))])
    found = linprog(goal, rules, np.zeros(len(normals)), bounds=bounds)
    x = np.asarray(found.x if found.success else [0.0])
    return x[:-1] if x[-1] > 0 else None


def _best(edge: Edge, beside: Array) -> Array | None:
    """Change the rows held on the edge until all that lie there pull outward; None without a proof."""
    beta, held = _begin(edge, beside)
    met: set[frozenset[int]] = set()
    for _ in range(MOST):
        if frozenset(held) in met:  # going round in circles
            return None
        met.add(frozenset(held))
        beta, blocking = _along(edge, beta, held)
        if blocking is not None and blocking not in held:
            more = _patterns(edge, np.array([*held, blocking]), beta.size)
            if len(more) > len(held):
                held = more
                continue
        judged = _judged(edge, beta)
        if judged is None:
            return None
        proved, pulling = judged
        if proved:
            return beta
        if blocking is None and set(pulling) == set(held):
            return None
        held = pulling
    return None


def _begin(edge: Edge, beside: Array) -> tuple[Array, list[int]]:
    """Put the rows nearest to an end on it: as many as can lie there together, and the others inside."""
    slack, _ = edge.slack(beside)
    for near in NEAR:
        chosen = np.flatnonzero(slack <= near * edge.spread)
        if not len(chosen):
            break
        nearest = np.argsort(slack[chosen] / edge.spread[chosen], kind="stable")
        held = _patterns(edge, chosen[nearest], beside.size)
        beta, _ = _flat(edge, beside, held)
        inside = edge.slack(beta)[0]
        value = edge.per_row(beta, inside <= ON * edge.spread)[0]
        if np.all(inside >= -ON * edge.spread) and np.isfinite(value.sum()):
            return beta, held
    return beside, []


def _patterns(edge: Edge, chosen: NDArray[np.intp], size: int) -> list[int]:
    """Keep of some rows those that are linearly independent of the ones before."""
    held: list[int] = []
    for row in chosen:
        trial = edge.rows[[*held, int(row)]]
        lengths = np.linalg.norm(trial, axis=1)
        values = np.linalg.svd(trial / np.where(lengths > 0, lengths, 1.0)[:, None], compute_uv=False)
        if values[-1] > 1e-8:
            held.append(int(row))
        if len(held) == size:
            break
    return held


def _flat(edge: Edge, beta: Array, held: list[int]) -> tuple[Array, Array]:
    """Move to the flat on which the rows held lie on their ends; return it and its directions."""
    if not held:
        return beta, np.eye(beta.size)
    _, inward = edge.slack(beta)
    ends = {sign: end for end, sign in edge.written.inward}
    matrix = edge.rows[held]
    target = np.array([ends[inward[row]] for row in held]) - edge.offset[held]
    moved = beta + np.linalg.lstsq(matrix, target - matrix @ beta, rcond=None)[0]
    _, _, vectors = np.linalg.svd(matrix)
    return moved, vectors[len(held) :].T


def _along(edge: Edge, beta: Array, held: list[int]) -> tuple[Array, int | None]:
    """Maximise on the flat of the rows held; or stop where another row meets the edge, and name it."""
    beta, basis = _flat(edge, beta, held)
    if not basis.shape[1]:
        return beta, None
    free = edge.rows @ basis
    fixed = np.abs(free).max(axis=1) <= 1e-12 * np.abs(edge.rows).max(axis=1)
    for _ in range(STEPS):
        on = edge.slack(beta)[0] <= ON * edge.spread
        value, score, *information = edge.per_row(beta, on)
        if not np.isfinite(value.sum()):
            return beta, None
        gradient = free.T @ np.where(fixed, 0.0, score)
        observed, expected = (free.T @ (free * np.where(on, 0.0, w)[:, None]) for w in information)
        # Where the value is straight along the flat, the step is long, and the edge ends it.
        factor = cholesky(observed) or cholesky(observed + FLAT * expected) or lifted(expected)
        step = basis @ factor.solve(gradient)
        length, meets = _room(edge, beta, step, ~fixed)
        moved = _advance(edge, beta, length * step, float(value.sum()))
        if moved is None:
            return beta, meets if length == 0.0 else None
        short = moved[1] < 1.0
        gained = float(gradient @ (basis.T @ step))
        beta = moved[0]
        if meets is not None and not short:
            return beta, meets
        if gained <= 1e-26 * max(abs(float(value.sum())), 1e-300):
            return beta, None
    return beta, None


def _advance(edge: Edge, beta: Array, step: Array, here: float) -> tuple[Array, float] | None:
    """Halve a step until the value does not fall; None where it always does."""
    for halving in range(40):
        trial = beta + 0.5**halving * step
        there = float(edge.per_row(trial, edge.slack(trial)[0] <= ON * edge.spread)[0].sum())
        if np.isfinite(there) and there >= here - 1e-15 * abs(here) and not np.array_equal(trial, beta):
            return trial, 0.5**halving
    return None


def _room(edge: Edge, beta: Array, step: Array, moving: Mask) -> tuple[float, int | None]:
    """Return how far a step may go, at most 1, and the row that stops it before."""
    eta, change = edge.rows @ beta + edge.offset, edge.rows @ step
    length, meets = 1.0, None
    least = 1e-14 * float(np.abs(change).max(initial=0.0))
    for end, inward in edge.written.inward:
        toward = (inward * change < -least) & moving
        with np.errstate(all="ignore"):
            reach = np.where(toward, np.maximum((end - eta) / change, 0.0), np.inf)
        # What is on the edge up to rounding, and would leave, leaves at once.
        reach = np.where(toward & (inward * (eta - end) <= ON * edge.spread), 0.0, reach)
        first = int(np.argmin(reach))
        if reach[first] < length:
            length, meets = float(reach[first]), first
    return length, meets


def proved(edge: Edge, beta: Array) -> bool:
    """Tell whether the rows on the edge hold the gradient at a point, as nearly as sums in float64 tell."""
    with np.errstate(all="ignore"):
        judged = _judged(edge, beta)
    return judged is not None and judged[0]


def _judged(edge: Edge, beta: Array) -> tuple[bool, list[int]] | None:
    """Tell whether all rows on the edge can hold the gradient together, and which of them do.

    With g the gradient and c_i the inward normals of the rows there, lambda >= 0 with the least
    |g + sum lambda c| leaves the projection of g on the directions that stay inside: 0 at a maximum.
    """
    from scipy.optimize import nnls

    slack, inward = edge.slack(beta)
    # A row that no coefficient moves stays where its offset is, and holds nothing.
    on = np.flatnonzero((slack <= ON * edge.spread) & edge.rows.any(axis=1))
    mask = np.zeros(len(slack), dtype=bool)
    mask[on] = True
    _, score, *information = edge.per_row(beta, mask)
    if not np.all(np.isfinite(score)):
        return None
    score = _together(edge.rows, inward, score, on)
    size = np.sqrt(np.square(edge.rows).sum(axis=0))
    size = np.where(size > 0, size, 1.0)
    pull = np.abs(score) * np.abs(edge.rows / size).max(axis=1)
    outward = mask & (inward * score < 0.0)
    steep = outward & (pull > STEEP * pull[~outward].sum()) & (pull > 0.0)
    score = np.where(steep, 0.0, score)
    gradient = edge.rows.T @ score / size
    scale = float(np.max(np.abs(edge.rows).T @ np.abs(score) / size))
    if not math.isfinite(scale):
        return None
    # Where the other rows fit perfectly their scores are what rounding of eta leaves of them.
    bend = np.where(mask, 0.0, np.maximum(np.abs(information[0]), information[1]))
    rounded = float(np.linalg.norm(np.abs(edge.rows).T @ (bend * blur(edge.written, beta)) / size))
    allowed = PROOF * scale + rounded
    if not len(on):
        small = np.linalg.norm(gradient) <= allowed and scale > 0.0  # far out all scores vanish
        return bool(small), []
    sides = edge.rows[on] * inward[on][:, None] / size
    normals, first, same = np.unique(sides, axis=0, return_index=True, return_inverse=True)
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    stays = np.isin(np.arange(len(first)), same.ravel()[steep[on]])
    unit = scale or 1.0  # what nnls takes for 0 does not depend on the units of the value
    shares, left = nnls(np.vstack([normals, -normals[stays]]).T, -gradient / unit)
    holds = shares[: len(first)] > 1e-12 * max(float(shares.max(initial=0.0)), 1e-300)
    return bool(left * unit <= allowed), _patterns(edge, on[first[holds | stays]], beta.size)


def _together(rows: Array, inward: Array, score: Array, on: NDArray[np.intp]) -> Array:
    """Let the first of equal rows on the edge pull for all of them: some of them may pull the other way."""
    _, first, of = np.unique(rows[on] * inward[on][:, None], axis=0, return_index=True, return_inverse=True)
    pulls = np.bincount(of.ravel(), weights=inward[on] * score[on], minlength=len(first))
    out = score.copy()
    out[on] = 0.0
    out[on[first]] = inward[on[first]] * pulls
    return out
