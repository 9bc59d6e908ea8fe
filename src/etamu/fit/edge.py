"""A maximum on the edge of the domain: found exactly, on the rows that lie there.

The climb ends beside such a maximum, because values are asked strictly inside only. Here the rows nearest to an
end of the domain are put on it, the value of the others is maximised on the flat that this leaves, and the
conditions of Karush, Kuhn and Tucker are checked: every row on the edge must pull outward, else it is let go; a
row that the way meets is taken in (primal active sets: Nocedal and Wright 2006, section 16.5).

May import: everything below `fit`.
Read next: `etamu.fit.estimate`, which asks for it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.objective.likelihood import Likelihood
from etamu.solve.direction import FINAL
from etamu.solve.factor import cholesky, lifted
from etamu.solve.oracle import Outcome, Solution

CELLS = 4_000_000
"""Numbers in the rows up to which they are written out."""
NEAR = 1e-3
"""A row this near an end, in units of the spread of eta, may lie on it."""
ON = 1e-9
"""A row this near an end is on it."""
MOST = 100
"""Changes of the rows on the edge."""
STEPS = 60
"""Newton steps on one flat."""
JUST = 1e-60
"""Distance from an end at 0 from which a row on it is seen: mu^3 of 1 / eta is still a number."""
INWARD = 1e-15
"""Distance from the edge, in units of the spread of eta, at which the answer is evaluated, to be inside."""


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """Rows as constraints sign * (x'beta + offset - end) >= 0, one for every finite end of the domain.

    Parameters
    ----------
    oracle : Likelihood
    rows : array (n, size)
        In working coordinates.
    offset : array (n,)
    spread : float
        Spread of eta, in which distances from the edge are counted.
    """

    oracle: Likelihood
    rows: Array
    offset: Array
    spread: float

    def ends(self) -> list[tuple[float, float]]:
        """Return (end, direction into the domain) of every finite end."""
        domain = self.oracle.unit.domain
        both = ((domain.lower, 1.0), (domain.upper, -1.0))
        return [(end, inward) for end, inward in both if np.isfinite(end)]

    def slack(self, beta: Array) -> tuple[Array, Array]:
        """Return the distance of every row from its nearer end, and the direction into the domain there."""
        eta = self.rows @ beta + self.offset
        gaps = np.stack([inward * (eta - end) for end, inward in self.ends()])
        nearer = np.argmin(gaps, axis=0)
        inward = np.array([sign for _, sign in self.ends()])[nearer]
        return np.take_along_axis(gaps, nearer[None], axis=0)[0], inward

    def per_row(self, beta: Array, on: Mask) -> tuple[Array, Array, Array]:
        """Return value, score and information of every row; those on the edge are seen from just inside."""
        chunk, unit, domain = self.oracle.executor.whole, self.oracle.unit, self.oracle.unit.domain
        eta = self.rows @ beta + self.offset
        for end, inward in self.ends():
            just = inward * JUST if end == 0.0 else end + inward * abs(end) * 2.0**-52
            closer = inward * (eta - just) < 0
            eta = np.where(closer & on, just, eta)
        with np.errstate(all="ignore"):
            value, score, observed = unit.bind(np, "observed")(chunk.y, eta)
            expected = unit.bind(np, "expected")(chunk.y, eta)[2]
        weight = chunk.weights.total()
        value = np.where(domain.contains(eta), value, -np.inf)
        information = np.where(observed > 0, observed, expected)
        if weight is None:
            return value, score, information
        used = weight > 0
        return tuple(np.where(used, part * weight, 0.0) for part in (value, score, information))


def on_edge(oracle: Likelihood, solution: Solution) -> Solution:
    """Put a climb that ended beside the edge of the domain on it; as it was if no point there is proved best."""
    beside = solution.outcome in {Outcome.BOUNDARY, Outcome.STALLED, Outcome.LIMIT}
    if not (oracle.restricted and beside and oracle.size) or not np.isfinite(solution.local.value):
        return solution
    whole = oracle.executor.whole
    if len(whole) * oracle.size > CELLS:
        return solution
    predictor = whole.predictors[0]
    rows = oracle.coordinates.rows(predictor.design)
    offset = np.zeros(len(whole)) if predictor.offset is None else np.asarray(predictor.offset)
    eta = rows @ solution.beta + offset
    edge = Edge(oracle, rows, offset, float(np.abs(eta).max(initial=0.0)) or 1.0)
    found = _best(edge, solution.beta)
    if found is None:
        return solution
    beta, held = found
    _, inward = edge.slack(beta)
    normals = rows[held] * inward[held][:, None]
    into = np.linalg.lstsq(normals, np.ones(len(held)), rcond=None)[0]
    for digit in range(6):
        inside = beta + edge.spread * INWARD * 10.0**digit * into
        seen = oracle.at(inside, FINAL)
        if np.isfinite(seen.value) and seen.value >= solution.local.value:
            return replace(solution, beta=inside, local=seen, outcome=Outcome.BOUNDARY, passes=solution.passes + 1)
    return solution


def _best(edge: Edge, beside: Array) -> tuple[Array, list[int]] | None:
    """Change the rows on the edge one at a time until all of them pull outward; None without a proof."""
    slack, _ = edge.slack(beside)
    chosen = np.flatnonzero(slack <= NEAR * edge.spread)
    if not len(chosen):
        return None
    beta, held = beside, _patterns(edge, beside, chosen)
    for _ in range(MOST):
        beta, blocking = _along(edge, beta, held)
        if blocking is not None:
            if blocking in held or len(held) >= beta.size:
                return None
            held = [*held, blocking]
            continue
        loose = _loose(edge, beta, held)
        if loose is None:
            return None
        if loose < 0:
            return beta, held
        held = [row for place, row in enumerate(held) if place != loose]
        if not held:
            return None
    return None


def _patterns(edge: Edge, beta: Array, chosen: NDArray[np.intp]) -> list[int]:
    """Choose rows that are linearly independent of one another, the nearest to the edge first."""
    slack, _ = edge.slack(beta)
    held: list[int] = []
    for row in chosen[np.argsort(slack[chosen], kind="stable")]:
        trial = edge.rows[[*held, int(row)]]
        sizes = np.linalg.norm(trial, axis=1)
        values = np.linalg.svd(trial / np.where(sizes > 0, sizes, 1.0)[:, None], compute_uv=False)
        if values[-1] > 1e-8:
            held.append(int(row))
        if len(held) == beta.size:
            break
    return held


def _flat(edge: Edge, beta: Array, held: list[int]) -> tuple[Array, Array]:
    """Move to the flat on which the rows held lie on their ends; return it and its directions."""
    _, inward = edge.slack(beta)
    ends = {sign: end for end, sign in edge.ends()}
    matrix = edge.rows[held]
    target = np.array([ends[inward[row]] for row in held]) - edge.offset[held]
    moved = beta + np.linalg.lstsq(matrix, target - matrix @ beta, rcond=None)[0]
    _, _, vectors = np.linalg.svd(matrix)
    return moved, vectors[len(held) :].T


def _along(edge: Edge, beta: Array, held: list[int]) -> tuple[Array, int | None]:
    """Maximise over the rows off the edge on the flat of those held; or stop where another row meets it."""
    beta, basis = _flat(edge, beta, held)
    for _ in range(STEPS):
        slack, _ = edge.slack(beta)
        outside = np.flatnonzero(slack < -ON * edge.spread)
        if len(outside):
            return beta, int(outside[np.argmin(slack[outside])])
        on = slack <= ON * edge.spread
        value, score, information = edge.per_row(beta, on)
        if not basis.shape[1] or not np.isfinite(value.sum()):
            return beta, None
        free = edge.rows @ basis
        inner = np.where(on, 0.0, information)
        gradient = free.T @ np.where(on & (np.abs(free).max(axis=1) < 1e-12), 0.0, score)
        matrix = free.T @ (free * inner[:, None])
        factor = cholesky(matrix) or lifted(matrix)
        step = basis @ factor.solve(gradient)
        length, meets = _room(edge, beta, step, on)
        here, best = float(value.sum()), None
        for halving in range(40):
            trial = beta + length * 0.5**halving * step
            there = float(edge.per_row(trial, edge.slack(trial)[0] <= ON * edge.spread)[0].sum())
            if np.isfinite(there) and there >= here - 1e-15 * abs(here):
                best = trial, halving
                break
        if best is None:
            return beta, None
        if meets is not None and best[1] == 0:
            return best[0], meets
        still = float(gradient @ (basis.T @ step)) <= 1e-24 * max(abs(here), 1e-300)
        beta = best[0]
        if still or np.abs(best[0] - beta).max(initial=0.0) == 0.0 and np.array_equal(step, step * 0):
            return beta, None
    return beta, None


def _room(edge: Edge, beta: Array, step: Array, on: Mask) -> tuple[float, int | None]:
    """Return how far a step may go, at most 1, and the row that stops it before."""
    eta, change = edge.rows @ beta + edge.offset, edge.rows @ step
    length, meets = 1.0, None
    for end, inward in edge.ends():
        toward = (inward * change < 0) & ~on
        with np.errstate(all="ignore"):
            reach = np.where(toward, (end - eta) / change, np.inf)
        first = int(np.argmin(reach))
        if reach[first] < length:
            length, meets = float(max(reach[first], 0.0)), first
    return length, meets


def _loose(edge: Edge, beta: Array, held: list[int]) -> int | None:
    """Return the place of the row held that pulls inward most, -1 if none does; None if this is no optimum."""
    slack, inward = edge.slack(beta)
    on = slack <= ON * edge.spread
    on[held] = True
    _, score, _ = edge.per_row(beta, on)
    if not np.all(np.isfinite(score)):
        return None
    gradient = edge.rows.T @ score
    normals = edge.rows[held] * inward[held][:, None]
    multipliers = np.linalg.lstsq(normals.T, -gradient, rcond=None)[0]
    left = gradient + normals.T @ multipliers
    size = np.abs(edge.rows).T @ np.abs(score)
    if np.any(np.abs(left) > 1e-6 * (size + 1e-300)):
        return None
    worst = int(np.argmin(multipliers))
    return worst if multipliers[worst] < -1e-9 * float(np.abs(score).max()) else -1
