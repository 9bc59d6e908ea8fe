"""A maximum whose coefficients float64 does not hold closely enough: how it is found, what is right of it.

Where terms of eta are 1e16 times as large as their sum the last digit of a coefficient moves eta by as much
as eta is, and no climb in coefficients arrives. But the etas of p independent rows say as much as p
coefficients, and they are numbers of ordinary precision: with P such rows, X beta = A theta for theta =
X_P beta and A = X X_P^-1, which is worked out in fractions. There the value is climbed as always
(`etamu.solve.trust`), with the etas of rows that the edge of the domain stops held there, and coefficients
follow from theta in fractions again: they are right to the last digits that float64 has, and so is what is
summed over the rows at their etas, the deviance foremost. Predictions from rounded coefficients cannot be
right, and that is said.

May import: everything below `fit`.
Read next: `etamu.fit.rescue`, the way up that is tried before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from etamu._base.double import Double, single
from etamu._base.facts import dataclass
from etamu._base.listing import listed
from etamu._base.rational import dot, exact, inverse, product, rounded
from etamu._base.types import Array, Mask
from etamu.fit.edge import NEAR, edge_of, from_inside, inside_of
from etamu.fit.problem import Problem
from etamu.fit.refine import no_lower
from etamu.fit.stage import Stage, unshifted
from etamu.fit.start import floored
from etamu.objective.likelihood import Likelihood
from etamu.objective.written import Written, written
from etamu.solve.direction import FINAL
from etamu.solve.graded import graded, least_squares
from etamu.solve.oracle import Local, Outcome, Solution
from etamu.solve.trust import EPS, Ended, ascend, at_rest, blur

CELLS = 2_000
"""Numbers in the rows up to which they are taken apart in fractions."""
CHOICES = 3
"""Times that rows are chosen."""
CANCELS = 64.0
"""Times its distance from an end, or 1, that the terms of an eta may be."""
LARGE = 0.1
"""Share of the largest term of an eta from which a term takes part in what cancels."""
LOST = 1e-12
"""Most of the value, in its unit, that rounding may take from a maximum whose coefficients hold it."""
APART = 1e16
"""Weights whose ratio is above this leave the lightest rows no digit in a sum."""
LEFT = 8.0
"""Times its slope just inside that a value may still rise by, at most, on the way to an end of eta."""

State = Callable[[Problem, Stage], Likelihood]


def beyond(problem: Problem, stage: Stage, solution: Solution, state: State) -> tuple[Stage, Solution]:
    """Climb in the etas of some rows, columns as they came; all as it was where that proves nothing."""
    if stage.chunk.cells > CELLS or not stage.coordinates.size:
        return stage, solution
    plain = unshifted(problem, stage)
    oracle = floored(state(problem, plain), problem.unit, plain.chunk)
    rows = written(oracle, problem.unit, plain.chunk)
    on_edge = solution.outcome is Outcome.BOUNDARY
    if rows is None or (on_edge and _holds_edge(problem, stage, solution, state)):
        return stage, solution
    for start in _starts(rows, stage, solution):
        found = _settled(rows, start)
        if found is None:
            continue
        chosen, ended, outcome = found
        beta = chosen.coefficients(ended.exact, rows.offset)
        if np.all(np.isfinite(beta)) and no_lower(ended.value, solution, ended.noise):
            return plain, _found(rows, solution, ended, beta, outcome)
    return stage, solution


def _holds_edge(problem: Problem, stage: Stage, solution: Solution, state: State) -> bool:
    """Tell whether coefficients hold a maximum on the edge: the rest of the way there changes no value.

    And no weight is so light beside others that the proof has not heard its row.
    """
    rows = written(state(problem, stage), problem.unit, stage.chunk)
    weight = stage.chunk.weights.total()
    if rows is None or (weight is not None and bool(weight.max() > APART * weight.min())):
        return False
    eta = rows.rows @ solution.beta + rows.offset
    gap = np.minimum(eta - rows.ends[0], rows.ends[1] - eta)
    on = gap <= CANCELS * blur(rows, solution.beta)
    with np.errstate(all="ignore"):
        left = np.where(on, np.abs(rows.look(eta).slope * gap), 0.0)
    return bool(left.sum() <= LOST * solution.local.scale)


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    """Rows whose etas stand for the coefficients.

    Parameters
    ----------
    place : integers (p,)
    inverse : fractions (p, p)
        Of these rows.
    rows : Written
        All rows in terms of these.
    """

    place: NDArray[np.intp]
    inverse: list[list[Fraction]]
    rows: Written

    def holds(self, ended: Ended) -> bool:
        """Tell whether no eta is so much less than its terms that their rounding is a share of it."""
        theta, (lower, upper) = ended.exact.hi, self.rows.ends
        gap = np.minimum(ended.eta - lower, upper - ended.eta)
        room = np.where(np.isfinite(gap), gap, np.maximum(np.abs(ended.eta), 1.0))
        return bool(np.all(blur(self.rows, theta) <= CANCELS * EPS * room))

    def coefficients(self, theta: Double, offset: Array) -> Array:
        """Return the coefficients of etas, rounded once."""
        digits = zip(exact(theta.hi), exact(theta.lo), exact(offset[self.place]), strict=True)
        own = [hi + lo - shift for hi, lo, shift in digits]
        return rounded([dot(row, own) for row in self.inverse])


def _starts(rows: Written, stage: Stage, solution: Solution) -> Iterator[Array]:
    """Yield etas: those of the responses themselves where they are means, and those in hand."""
    unit, chunk = rows.unit, rows.chunk
    mean, _ = unit.observed(chunk.y)
    with np.errstate(all="ignore"):
        own = np.asarray(unit.link.link(np, mean, 1.0 - mean))
        usual = unit.start(chunk.y, np.ones(len(chunk)))
        at_mean = np.isfinite(own) & unit.family.mean.contains(mean) & unit.domain.contains(own)
    yield np.where(at_mean, own, usual)
    design = stage.chunk.predictors[0].design
    yield stage.coordinates.rows(design) @ solution.beta + rows.offset


def _settled(rows: Written, eta: Array) -> tuple[_Chosen, Ended, Outcome] | None:
    """Climb, and choose rows anew where those of the start say too little of others at the end."""
    for _ in range(CHOICES):
        chosen = _chosen(rows, eta)
        found = None if chosen is None else _climbed(chosen, eta)
        if chosen is None or found is None:
            return None
        if chosen.holds(found[0]):
            return chosen, *found
        eta = found[0].eta
    return None


def _chosen(rows: Written, eta: Array) -> _Chosen | None:
    """Choose the rows that weigh most and are independent; None where etas are no place to begin."""
    size = _size(rows, eta)
    apart = None if size is None else graded(rows.rows, np.sqrt(size))
    if apart is None:
        return None
    place = apart.order[: rows.rows.shape[1]]
    every, shifts = [exact(row) for row in rows.rows], exact(rows.offset)
    back = inverse([every[i] for i in place])
    if back is None:
        return None
    terms, own = product(every, back), [shifts[i] for i in place]
    offset = rounded([shift - dot(row, own) for shift, row in zip(shifts, terms, strict=True)])
    matrix = np.stack([rounded(row) for row in terms])
    return _Chosen(place, back, replace(rows, rows=matrix, offset=offset))


def _size(rows: Written, eta: Array) -> Array | None:
    """Return how much every row weighs at some etas, None where that is no number."""
    lower, upper = rows.ends
    if not np.all((lower < eta) & (eta < upper) & np.isfinite(eta)):
        return None
    seen = rows.look(eta)
    size = np.maximum(np.abs(seen.observed), seen.expected)
    return size if np.all(np.isfinite(size) & (size > 0.0)) else None


def _climbed(chosen: _Chosen, eta: Array) -> tuple[Ended, Outcome] | None:
    """Climb from the least squares of some etas, or from those of the rows chosen, inside or on the edge."""
    rows, size = chosen.rows, _size(chosen.rows, eta)
    if size is None:
        return None
    for start in (least_squares(rows.rows, size, eta - rows.offset), single(eta[chosen.place])):
        if not np.all(np.isfinite(start.hi)):
            continue
        ended = ascend(rows, start, tolerance=0.0)
        if ended.arrived:
            return ended, Outcome.CONVERGED
        held = _held(rows, ended) if rows.inward else None
        if held is not None:
            return held, Outcome.BOUNDARY
    return None


def _held(rows: Written, ended: Ended) -> Ended | None:
    """Hold the etas of chosen rows that are near an end there, and climb in the others.

    Those that would rather leave are let go. None where no climb in the others arrives.
    """
    theta, tried = ended.exact.hi, set()
    spread = edge_of(rows, theta).spread.max()
    for near in NEAR:
        ends, just = np.full(len(theta), np.nan), np.full(len(theta), np.nan)
        for end, inward in rows.inward:
            close = inward * (theta - end) <= near * spread
            ends[close], just[close] = end, inside_of(end, inward)
        held = np.isfinite(ends)
        while held.any() and held.tobytes() not in tried:
            tried.add(held.tobytes())
            found = _along(rows, ended.exact, held, just)
            if found is None:
                break
            gains = _gains(rows, found.eta, ends - just)
            if np.all(gains[held] > 0.0):
                hi, lo = np.where(held, ends, found.exact.hi), np.where(held, 0.0, found.exact.lo)
                noise = found.noise + LEFT * float(gains[held].sum())  # what the rest of the way brings
                return replace(found, exact=Double(hi, lo), noise=noise)
            held = held & (gains > 0.0)
    return None


def _along(rows: Written, start: Double, held: Mask, just: Array) -> Ended | None:
    """Climb with some etas held just inside the ends; None where that does not arrive."""
    offset = rows.offset + rows.rows[:, held] @ just[held]
    hi, lo = np.where(held, just, start.hi), np.where(held, 0.0, start.lo)
    if held.all():
        seen = rows.look(offset)
        return Ended(Double(hi, lo), offset, math.fsum(seen.value), True, ()) if seen.finite else None
    free = replace(rows, rows=rows.rows[:, ~held], offset=offset)
    ended = ascend(free, Double(hi[~held], lo[~held]), tolerance=0.0)
    if not ended.arrived:
        return None
    hi[~held], lo[~held] = ended.exact.hi, ended.exact.lo
    return replace(ended, exact=Double(hi, lo))


def _gains(rows: Written, eta: Array, step: Array) -> Array:
    """Return by how much the value rises with each of some small steps of the etas of chosen rows."""
    with np.errstate(all="ignore"):
        return np.asarray((rows.rows.T @ rows.look(eta).slope) * step)


def _found(rows: Written, solution: Solution, ended: Ended, beta: Array, outcome: Outcome) -> Solution:
    """Return the maximum in coefficients; with its own etas where coefficients do not hold it."""
    scale = rows.scale(ended.value)
    steps, passes = solution.steps + ended.steps, solution.passes + len(ended.steps) + 1
    begun = replace(solution, beta=beta, outcome=outcome, steps=steps, passes=passes)
    near: Solution | None = None
    if outcome is Outcome.BOUNDARY:
        near = from_inside(edge_of(rows, beta), beta, begun)
    elif at_rest(rows, beta):
        near = replace(begun, local=rows.oracle.at(beta, FINAL))
    if near is not None and ended.value - near.local.value <= LOST * scale + ended.noise:
        return near
    if near is not None:  # from a little inside an edge every row has a mean
        begun = replace(begun, beta=near.beta)
    outcome = Outcome.PRECISION if outcome is Outcome.CONVERGED else outcome
    return replace(begun, local=_summed(rows, ended, scale), outcome=outcome, eta=ended.eta)


def _summed(rows: Written, ended: Ended, scale: float) -> Local:
    """Sum at the etas of a maximum what is summed over rows."""
    seen, x = rows.look(ended.eta), rows.rows
    with np.errstate(all="ignore"):
        expected, observed = (x.T @ (each[:, None] * x) for each in (seen.expected, seen.observed))
        pearson = np.where(seen.slope == 0.0, 0.0, seen.slope * (seen.slope / seen.expected))
        score = x.T @ seen.slope
    return Local(ended.value, scale, score, expected, observed, float(pearson.sum()))


def cancelled(stage: Stage, solution: Solution, eta: Array) -> str:
    """Say which terms of eta cancel so far that float64 does not hold what is left."""
    chunk, coordinates = stage.chunk, stage.coordinates
    terms = np.abs(coordinates.rows(chunk.predictors[0].design) * solution.beta)
    with np.errstate(divide="ignore"):
        row = int(np.argmax(terms.max(axis=1) / np.abs(eta)))
    largest = terms[row].max()
    taking = coordinates.kept[terms[row] >= LARGE * largest]
    names = listed([coordinates.layout.names[j] for j in taking])
    return (
        f"In row {chunk.row_ids[row]} terms of {names} as large as {largest:.1e} cancel to an eta of "
        f"{eta[row]:.1e}. Coefficients are right to the last digits of float64, and so are the deviance and "
        "the log-likelihood; predictions and residuals are not."
    )
