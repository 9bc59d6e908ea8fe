"""A maximum whose coefficients float64 does not hold closely enough: how it is found, and what is right of it.

Where terms of eta are 1e16 times as large as their sum the last digit of a coefficient moves eta by as much as
eta is, and no climb in coefficients arrives. But the etas of p independent rows say as much as p coefficients,
and they are numbers of ordinary precision: with P such rows, X beta = A theta for theta = X_P beta and
A = X X_P^-1, which is worked out in fractions. There the value is climbed as always (`etamu.solve.trust`), and
coefficients follow from theta in fractions again: they are right to the last digit that float64 has, and so
is what is summed over the rows at their etas, the deviance foremost. Predictions from rounded coefficients
cannot be right, and that is said.

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
from etamu._base.types import Array, Mask
from etamu.fit.edge import NEAR, edge_of, from_inside, inside_of
from etamu.fit.problem import Problem
from etamu.fit.stage import Stage, unshifted
from etamu.fit.start import floored
from etamu.objective.likelihood import Likelihood
from etamu.objective.written import Written, written
from etamu.solve.direction import FINAL
from etamu.solve.graded import graded, least_squares
from etamu.solve.oracle import Local, Outcome, Solution
from etamu.solve.trust import Ended, ascend, at_rest

LARGE = 0.1
"""Share of the largest term of an eta from which a term takes part in what cancels."""
LOST = 1e-6
"""Most of the value, in its unit, that rounding may take from a maximum whose coefficients hold it."""
LEFT = 8.0
"""Times its slope just inside that a value may still rise by, at most, on the way to an end of eta."""
LOWER = 1e-9
"""Share of its value by which rounding may put a maximum below what was in hand."""

Fractions = list[list[Fraction]]


def beyond(
    problem: Problem, stage: Stage, solution: Solution, state: Callable[[Problem, Stage], Likelihood]
) -> tuple[Stage, Solution]:
    """Climb in the etas of some of the rows, columns as they came; all as it was where that proves nothing."""
    plain = unshifted(problem, stage)
    oracle = floored(state(problem, plain), problem.unit, plain.chunk)
    rows = written(oracle, problem.unit, plain.chunk)
    if rows is None:
        return stage, solution
    for start in _starts(rows, stage, solution):
        chosen = _chosen(rows, start)
        found = None if chosen is None else _climbed(chosen, start)
        if chosen is None or found is None:
            continue
        (ended, outcome), value = found, solution.local.value
        if not ended.value < value - LOWER * abs(value) - ended.noise:
            return plain, _found(rows, solution, ended, chosen.coefficients(ended.exact, rows.offset), outcome)
    return stage, solution


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    """Rows whose etas stand for the coefficients, the inverse of these rows, and all rows in terms of them."""

    place: NDArray[np.intp]
    inverse: Fractions
    rows: Written

    def coefficients(self, theta: Double, offset: Array) -> Array:
        """Return the coefficients of etas, less their offsets, rounded once."""
        right = [
            Fraction(hi) + Fraction(lo) - Fraction(o)
            for hi, lo, o in zip(theta.hi.tolist(), theta.lo.tolist(), offset[self.place].tolist(), strict=True)
        ]
        return np.array([_rounded(sum(map(_product, row, right), Fraction())) for row in self.inverse])


def _starts(rows: Written, stage: Stage, solution: Solution) -> Iterator[Array]:
    """Yield etas: those of the responses themselves where they are means, and those in hand."""
    unit, chunk = rows.unit, rows.chunk
    mean, _ = unit.observed(chunk.y)
    with np.errstate(all="ignore"):
        own = np.asarray(unit.link.link(np, mean, 1.0 - mean))
        usual = unit.start(chunk.y, np.ones(len(chunk)))
    yield np.where(np.isfinite(own) & unit.family.mean.contains(mean) & unit.domain.contains(own), own, usual)
    design = stage.chunk.predictors[0].design
    yield stage.coordinates.rows(design) @ solution.beta + rows.offset


def _chosen(rows: Written, eta: Array) -> _Chosen | None:
    """Choose the rows that weigh most and are independent; None where etas are no place to begin."""
    size = _size(rows, eta)
    apart = None if size is None else graded(rows.rows, np.sqrt(size))
    if apart is None:
        return None
    place = apart.order[: rows.rows.shape[1]]
    exact = [[Fraction(each) for each in row] for row in rows.rows.tolist()]
    inverse = _inverse([exact[i] for i in place])
    if inverse is None:
        return None
    terms = [[sum(map(_product, row, column), Fraction()) for column in zip(*inverse, strict=True)] for row in exact]
    shifts = [Fraction(each) for each in rows.offset.tolist()]
    own = [shifts[i] for i in place]
    left = [shift - sum(map(_product, row, own), Fraction()) for shift, row in zip(shifts, terms, strict=True)]
    matrix = np.array([[_rounded(each) for each in row] for row in terms])
    offset = np.array([_rounded(each) for each in left])
    return _Chosen(place, inverse, replace(rows, rows=matrix, offset=offset))


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
    size = _size(chosen.rows, eta)
    if size is None:
        return None
    fitted = least_squares(chosen.rows.rows, size, eta - chosen.rows.offset)
    for start in (fitted, single(eta[chosen.place])):
        if not np.all(np.isfinite(start.hi)):
            continue
        ended = ascend(chosen.rows, start, tolerance=0.0)
        if ended.arrived:
            return ended, Outcome.CONVERGED
        held = _held(chosen.rows, ended) if chosen.rows.inward and len(ended.eta) else None
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
                hi = np.where(held, ends, found.exact.hi)
                noise = found.noise + LEFT * float(gains[held].sum())  # what the rest of the way brings
                return replace(found, exact=Double(hi, np.where(held, 0.0, found.exact.lo)), noise=noise)
            held = held & (gains > 0.0)
    return None


def _along(rows: Written, start: Double, held: Mask, just: Array) -> Ended | None:
    """Climb with some etas held just inside the ends; None where that does not arrive."""
    offset = rows.offset + rows.rows[:, held] @ just[held]
    theta = np.where(held, just, start.hi), np.where(held, 0.0, start.lo)
    if held.all():
        seen = rows.look(offset)
        return Ended(Double(*theta), offset, math.fsum(seen.value), True, ()) if seen.finite else None
    free = replace(rows, rows=rows.rows[:, ~held], offset=offset)
    ended = ascend(free, Double(theta[0][~held], theta[1][~held]), tolerance=0.0)
    if not ended.arrived:
        return None
    for part, found in zip(theta, (ended.exact.hi, ended.exact.lo), strict=True):
        part[~held] = found
    return replace(ended, exact=Double(*theta))


def _gains(rows: Written, eta: Array, step: Array) -> Array:
    """Return by how much the value rises with each of some small steps of the etas of chosen rows."""
    with np.errstate(all="ignore"):
        return np.asarray((rows.rows.T @ rows.look(eta).slope) * step)


def _found(rows: Written, solution: Solution, ended: Ended, beta: Array, outcome: Outcome) -> Solution:
    """Return the maximum in coefficients; with its own etas where coefficients do not hold it."""
    scale = rows.scale(ended.value)
    steps, passes = solution.steps + ended.steps, solution.passes + len(ended.steps) + 1
    begun = replace(solution, steps=steps, passes=passes)
    near: Solution | None = None
    if outcome is Outcome.BOUNDARY:
        near = from_inside(edge_of(rows, beta), beta, begun)
    elif at_rest(rows, beta):
        near = replace(begun, beta=beta, local=rows.oracle.at(beta, FINAL), outcome=Outcome.CONVERGED)
    if near is not None and ended.value - near.local.value <= LOST * scale + ended.noise:
        return near
    seen = rows.look(ended.eta)
    with np.errstate(all="ignore"):
        expected, observed = (
            rows.rows.T @ (each[:, None] * rows.rows) for each in (seen.expected, seen.observed)
        )
        pearson = np.where(seen.slope == 0.0, 0.0, seen.slope * (seen.slope / seen.expected))
        score = rows.rows.T @ seen.slope
    local = Local(ended.value, scale, score, expected, observed, float(pearson.sum()))
    outcome = Outcome.PRECISION if outcome is Outcome.CONVERGED else outcome
    return replace(begun, beta=beta, local=local, outcome=outcome, eta=ended.eta)


def cancelled(stage: Stage, solution: Solution, eta: Array) -> str:
    """Say which terms of eta cancel so far that float64 does not hold what is left."""
    chunk, coordinates = stage.chunk, stage.coordinates
    terms = np.abs(coordinates.rows(chunk.predictors[0].design) * solution.beta)
    with np.errstate(divide="ignore"):
        row = int(np.argmax(terms.max(axis=1) / np.abs(eta)))
    largest = terms[row].max()
    names = listed([coordinates.layout.names[coordinates.kept[j]] for j in np.flatnonzero(terms[row] >= LARGE * largest)])
    return (
        f"In row {chunk.row_ids[row]} terms of {names} as large as {largest:.1e} cancel to an eta of "
        f"{eta[row]:.1e}. Coefficients are right to the last digit that float64 has, and so are the deviance and "
        "the log-likelihood; predictions and residuals are not."
    )


def _product(one: Fraction, other: Fraction) -> Fraction:
    return one * other


def _rounded(number: Fraction) -> float:
    """Round a fraction; one beyond the numbers of float64 is infinite."""
    try:
        return float(number)
    except OverflowError:
        return np.inf if number > 0 else -np.inf


def _inverse(matrix: Fractions) -> Fractions | None:
    """Invert a matrix by Gauss and Jordan; None where it has no inverse."""
    p = len(matrix)
    both = [row + [Fraction(int(i == j)) for j in range(p)] for i, row in enumerate(matrix)]
    for k in range(p):
        pivot = next((i for i in range(k, p) if both[i][k]), None)
        if pivot is None:
            return None
        both[k], both[pivot] = both[pivot], both[k]
        head = both[k][k]
        both[k] = [each / head for each in both[k]]
        for i in range(p):
            if i != k and (share := both[i][k]):
                both[i] = [a - share * b for a, b in zip(both[i], both[k], strict=True)]
    return [row[p:] for row in both]
