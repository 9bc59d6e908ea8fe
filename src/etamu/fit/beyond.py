"""A maximum whose coefficients float64 does not hold closely enough: how it is found, what is right of it.

Where terms of eta are 1e16 times as large as their sum the last digit of a coefficient moves eta by as much
as eta is, and no climb in coefficients arrives. But the etas of p independent rows say as much as p
coefficients, and they are numbers of ordinary precision: with P such rows, X beta = A theta for theta =
X_P beta and A = X X_P^-1, which is worked out in fractions (`etamu.fit.chosen`). There the value is climbed
(`etamu.fit.active`), with the etas of rows that the edge of the domain stops held there, and coefficients
follow from theta in fractions again: they are right to the last digits that float64 has, and so is what is
summed over the rows at their etas, the deviance foremost. Predictions from rounded coefficients cannot be
right, and that is said.

May import: everything below `fit`.
Read next: `etamu.fit.rescue`, the way up that is tried before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from etamu._base.double import Double, single
from etamu._base.listing import listed
from etamu._base.types import Array
from etamu.fit.active import NEAREST, settled
from etamu.fit.chosen import CANCELS, Chosen
from etamu.fit.edge import INWARD, JUST, edge_of, from_inside, proved
from etamu.fit.problem import Problem
from etamu.fit.refine import no_lower
from etamu.fit.stage import Stage
from etamu.fit.start import floored, own_etas
from etamu.fit.unshifted import unshifted
from etamu.objective.likelihood import Likelihood
from etamu.objective.written import Written, unheard, written
from etamu.solve.direction import FINAL
from etamu.solve.oracle import Local, Outcome, Solution
from etamu.solve.trust import Ended, at_rest, blur

CELLS = 2_000
"""Numbers in the rows up to which they are taken apart in fractions."""
LARGE = 0.1
"""Share of the largest term of an eta from which a term takes part in what cancels."""
LOST = 1e-12
"""Most of the value, in its unit, that rounding may take from a maximum whose coefficients hold it."""
APART = 1e16
"""Weights whose ratio is above this leave the lightest rows no digit in a sum."""
DIGITS = 8
"""Powers of ten by which rows are put farther inside where rounding has put some outside."""

State = Callable[[Problem, Stage], Likelihood]


def beyond(problem: Problem, stage: Stage, solution: Solution, state: State) -> tuple[Stage, Solution]:
    """Climb in the etas of some rows, columns as they came; all as it was where that proves nothing."""
    if stage.chunk.cells > CELLS or not stage.coordinates.size:
        return stage, solution
    plain = unshifted(problem, stage)
    shifted, rows = (_rows(problem, at, state) for at in (stage, plain))
    if shifted is None or rows is None:
        return stage, solution
    on_edge = solution.outcome is Outcome.BOUNDARY
    if on_edge and _holds_edge(shifted, solution):
        return stage, solution
    lost = unheard(shifted, solution.beta)
    for start in _starts(shifted, rows, solution):
        found = settled(rows, start)
        if found is None:
            continue
        chosen, ended, outcome = found
        beta = chosen.coefficients(ended.exact, rows.offset)
        if np.all(np.isfinite(beta)) and no_lower(ended.value, solution, ended.noise + lost):
            begun = replace(solution, beta=beta, outcome=outcome)
            return plain, _found(rows, begun, chosen, ended)
    return stage, replace(solution, outcome=Outcome.STALLED) if on_edge else solution


def _rows(problem: Problem, stage: Stage, state: State) -> Written | None:
    oracle = floored(state(problem, stage), problem.unit, stage.chunk)
    return written(oracle, problem.unit, stage.chunk)


def _holds_edge(rows: Written, solution: Solution) -> bool:
    """Tell whether coefficients hold a maximum on the edge: it is one, and the rest of the way has no value.

    And no weight is so light beside others that the proof has not heard its row.
    """
    weight = rows.chunk.weights.total()
    if weight is not None and bool(weight.max() > APART * weight.min()):
        return False
    eta = rows.rows @ solution.beta + rows.offset
    gap = np.minimum(eta - rows.ends[0], rows.ends[1] - eta)
    on = gap <= CANCELS * blur(rows, solution.beta)
    with np.errstate(all="ignore"):
        left = np.where(on, np.abs(rows.look(eta).slope * gap), 0.0)
    holds = bool(left.sum() <= LOST * solution.local.scale)
    return holds and proved(edge_of(rows, solution.beta), solution.beta)


def _starts(shifted: Written, rows: Written, solution: Solution) -> Iterator[Array]:
    """Yield etas: those of the responses themselves where they are means, and those in hand."""
    yield own_etas(rows.unit, rows.chunk)
    eta = shifted.rows @ solution.beta + shifted.offset
    for end, _ in shifted.inward:  # what rounding does not tell from an end begins there
        eta = np.where(np.abs(eta - end) <= NEAREST * blur(shifted, solution.beta), end, eta)
    yield eta


def _found(rows: Written, begun: Solution, chosen: Chosen, ended: Ended) -> Solution:
    """Return the maximum in coefficients; with its own etas where coefficients do not hold it."""
    scale, beta, outcome = rows.scale(ended.value), begun.beta, begun.outcome
    begun = replace(begun, steps=begun.steps + ended.steps, passes=begun.passes + len(ended.steps) + 1)
    near: Solution | None = None
    if outcome is Outcome.BOUNDARY:
        near = _inside(rows, begun, chosen, ended.exact) or from_inside(edge_of(rows, beta), beta, begun)
    elif at_rest(rows, beta):
        near = replace(begun, local=rows.oracle.at(beta, FINAL))
    if near is not None and ended.value - near.local.value <= LOST * scale + ended.noise:
        return near
    if near is not None:  # from a little inside an edge every row has a mean
        begun = replace(begun, beta=near.beta)
    outcome = Outcome.PRECISION if outcome is Outcome.CONVERGED else outcome
    return replace(begun, local=_summed(rows, ended, scale), outcome=outcome, eta=ended.eta)


def _inside(rows: Written, begun: Solution, chosen: Chosen, theta: Double) -> Solution | None:
    """Put every row that is held as far inside as its own rounding asks; None where that is not inside."""
    away = np.zeros_like(theta.hi)
    own = np.maximum(blur(rows, begun.beta)[chosen.place], JUST)
    for end, inward in rows.inward:
        away = np.where((theta.hi == end) & (theta.lo == 0.0), INWARD * inward * own, away)
    for digit in range(DIGITS):
        beta = chosen.coefficients(theta + single(10.0**digit * away), rows.offset)
        seen = rows.oracle.at(beta, FINAL)
        if np.isfinite(seen.value):
            return replace(begun, beta=beta, local=seen)
    return None


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
