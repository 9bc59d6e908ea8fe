"""A second way up, for the few fits whose climb did not arrive: trust regions, barriers, other starts.

Far from any maximum a Newton step says little, beside an edge it jams, and where weights or variances differ
by many powers of ten a Gram has lost the rows that decide. So over rows written out the climb is repeated
within trust regions (`etamu.solve.trust`): from where it ended, then from the natural starts, then along the
maxima with a falling barrier, from whose end the edge is looked at once more. Fits that arrive at once never
come here.

May import: everything below `fit`.
Read next: `etamu.solve.trust`; `etamu.fit.edge`, which proves a maximum on the edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from etamu._base.double import Double, single
from etamu._base.types import Array, Mask
from etamu.design.chunk import Chunk
from etamu.family.unit import Unit
from etamu.fit.edge import edge_of, from_inside, inwards, on_edge
from etamu.fit.problem import Problem
from etamu.fit.refine import no_lower
from etamu.fit.stage import Stage
from etamu.fit.start import Guess, beyond_offsets, candidates, floored
from etamu.fit.unshifted import sharper, unshifted
from etamu.objective.likelihood import Likelihood
from etamu.objective.written import Written, unheard, written
from etamu.solve.direction import FINAL, Point
from etamu.solve.graded import least_squares, times
from etamu.solve.oracle import Local, Outcome, Solution
from etamu.solve.search import rounding
from etamu.solve.trust import TOLERANCE, Ended, ascend, at_rest, blur

LOWER = 1e-9
"""Share of its value by which an end may lie below the best place seen, and be the maximum nevertheless."""
NEAREST = 4.0
"""An eta within so many times its own rounding of an end is on it."""
DEPENDENT = 1e-12
"""Singular values of rows on the edge below this share of the largest are rounding."""
GUESSES = 3
"""Times that the first least squares is solved, each for what the one before left."""
ROUNDS = 5
"""Times that rows held on the edge may be let go again."""
AT_A_BARRIER = 50
"""Most steps at one barrier."""
CREEPING = (Outcome.STALLED, Outcome.STATIONARY, Outcome.LIMIT)
"""Ends of a search that a tail may have caused in which rows weigh nothing."""
BARRIERS = 10.0 ** -np.arange(1.0, 15.0)
"""Barriers, one after the other, in units of the value of a row."""


def rescued(oracle: Likelihood, unit: Unit, chunk: Chunk, solution: Solution) -> Solution:
    """Climb again where the climb did not arrive; the highest point seen where this does not either.

    One that is said to have been stopped by rounding has arrived only if rounding explains every component of
    the step that is left.
    """
    oracle = floored(oracle, unit, chunk)
    rows = written(oracle, unit, chunk)
    if rows is None:
        return solution
    if solution.outcome is Outcome.CONVERGED:
        if at_rest(rows, solution.beta):
            return solution
        solution = replace(solution, outcome=Outcome.STALLED)
    highest = _stays(rows, solution.beta)
    for start in starts_of(rows, solution.beta):
        ended = _climbed(rows, start)
        if ended.value > highest.value or (ended.arrived and not _lower(ended, highest)):
            highest = ended
        if highest.arrived:
            return arrival(rows, solution, highest) or solution
    if oracle.restricted:
        return _at_an_edge(rows, solution, highest)
    seen = _solution(rows, solution, highest, solution.outcome)
    return seen if seen is not None and seen.local.value > solution.local.value else solution


def crept(oracle: Likelihood, unit: Unit, chunk: Chunk, solution: Solution) -> Solution:
    """Accept a point within the tolerance of its maximum though steps from there still move some eta.

    Rows far out in an exponential tail weigh nothing, and creep by 1 at each of hundreds of steps. Where a
    finite maximum is known to exist, since no direction separates the rows of a concave value, such steps
    are no sign of running away; nor are they where the value is as high as it can be.
    """
    oracle = floored(oracle, unit, chunk)
    rows = written(oracle, unit, chunk) if solution.outcome in CREEPING else None
    if rows is None or not (unit.convex or _perfect(rows, solution)):
        return solution
    resting = at_rest(rows, solution.beta, creeps=True)
    return replace(solution, outcome=Outcome.CONVERGED) if resting else solution


def _perfect(rows: Written, solution: Solution) -> bool:
    """Tell whether what is left to gain, the deviance, is no more than a step within the tolerance gains."""
    return -solution.local.value <= TOLERANCE**2 * rows.scale(solution.local.value)


def sharpened(
    problem: Problem, stage: Stage, solution: Solution, state: Callable[[Problem, Stage], Likelihood]
) -> tuple[Stage, Solution]:
    """Climb on in columns as they came, if their coefficients are rounded less; all as it was where not."""
    plain = unshifted(problem, stage)
    both = [(state(problem, at), at.chunk) for at in (stage, plain)]
    shifted, rows = (written(floored(oracle, problem.unit, c), problem.unit, c) for oracle, c in both)
    if shifted is None or rows is None:
        return stage, solution
    start = sharper(shifted, solution.beta, rows)
    if start is None:
        return stage, solution
    ended = _climbed(rows, start)
    found = arrival(rows, solution, ended) if ended.arrived else None
    if found is None or found.outcome is not solution.outcome:
        return stage, solution
    return plain, found


def _climbed(rows: Written, start: Array | Double) -> Ended:
    """Climb inside the domain, and on along its edge where rows come to it, until none of them leaves."""
    ended = ascend(rows, start)
    for _ in range(ROUNDS if rows.oracle.restricted else 0):
        held = None if ended.arrived or not len(ended.eta) else _held(rows, ended)
        if held is None:
            return ended
        freed = _freed(rows, held)
        if freed is None or not _lower(held, freed):
            return held
        ended = freed
    return ended


def _freed(rows: Written, held: Ended) -> Ended | None:
    """Climb from a little inside the edge, where rows that were held may go where they would."""
    inside = list(inwards(edge_of(rows, held.beta), held.beta))
    return ascend(rows, inside[len(inside) // 2]) if inside else None


def _lower(ended: Ended, highest: Ended) -> bool:
    """Tell whether an end is below the highest place seen by more than rounding."""
    return ended.value < highest.value - LOWER * abs(highest.value) - ended.noise


def starts_of(rows: Written, end: Array) -> Iterator[Array | Double]:
    """Yield where the climb ended, and the natural starts inside the domain."""
    yield end
    natural = candidates(rows.oracle, rows.unit, rows.chunk)
    for start in (*natural, *beyond_offsets(rows.oracle, rows.chunk)):
        if np.isfinite(rows.oracle.along(start, start * 0.0, np.zeros(1))[0]):
            yield start
    guess = _guessed(rows)
    if np.all(np.isfinite(guess.hi)):
        yield guess
    eta = (times(rows.rows, single(end)) + single(rows.offset)).hi
    if rows.inward and not rows.look(eta).finite:  # rounding alone had put it inside
        *_, inside = end, *inwards(edge_of(rows, end), end)
        yield inside


def _guessed(rows: Written) -> Double:
    """Solve the first least squares again, to twice the precision: light rows keep their say."""
    chunk, weight = rows.chunk, rows.chunk.weights.total()
    guess, found = Guess(rows.unit).bind(np), single(np.zeros(rows.rows.shape[1]))
    with np.errstate(all="ignore"):
        for _ in range(GUESSES):
            eta = (times(rows.rows, found) + single(rows.offset)).hi
            _, right, size = guess(chunk.y, eta)
            told = size > 0.0
            target = np.where(told, right / np.where(told, size, 1.0), 0.0)
            found += least_squares(rows.rows, size if weight is None else size * weight, target)
    return found


def arrival(rows: Written, solution: Solution, ended: Ended) -> Solution | None:
    """Return a maximum, inside or on the edge as nearly as rounding tells, which may put it beyond."""
    outcome = Outcome.BOUNDARY if _on_edge(rows, ended).any() else Outcome.CONVERGED
    found = _solution(rows, solution, ended, outcome)
    if found is None and outcome is Outcome.BOUNDARY:
        found = from_inside(edge_of(rows, ended.beta), ended.beta, solution)
        return found if found is not None and _as_high(rows, found.local, solution) else None
    return found


def _on_edge(rows: Written, ended: Ended) -> Mask:
    """Tell which eta are no further from an end than a few times their own rounding."""
    lower, upper = rows.ends
    gap = np.minimum(ended.eta - lower, upper - ended.eta)
    return np.asarray(gap <= NEAREST * blur(rows, ended.beta))


def _solution(rows: Written, solution: Solution, ended: Ended, outcome: Outcome) -> Solution | None:
    """Look at an end exactly; None where that is not finite, or float64 has no coefficients for it."""
    local = rows.oracle.at(ended.beta, FINAL)
    if not (np.isfinite(local.value) and _as_high(rows, local, solution)):
        return None
    steps, passes = solution.steps + ended.steps, solution.passes + len(ended.steps) + 1
    return Solution(ended.beta, local, outcome, steps, passes)


def _as_high(rows: Written, local: Local, before: Solution) -> bool:
    """Tell whether a value is not below that of a solution, but for rounding, which may have raised it."""
    slack = max(rounding(Point(before.beta, before.local)), unheard(rows, before.beta))
    return no_lower(local.value, before, slack)


def _at_an_edge(rows: Written, solution: Solution, highest: Ended) -> Solution:
    """Follow the maxima with a falling barrier, and look at the edge from where they end."""
    exact = highest.exact
    unit = abs(highest.value) / len(rows.chunk) if np.isfinite(highest.value) else 1.0
    for barrier in BARRIERS * (unit or 1.0):
        exact = ascend(replace(rows, barrier=float(barrier)), exact, limit=AT_A_BARRIER).exact
    ended = _climbed(rows, exact)
    if ended.value > highest.value or (ended.arrived and not _lower(ended, highest)):
        highest = ended
    seen = arrival(rows, solution, highest) if len(highest.eta) else None  # none of them may be finite
    if seen is None or highest.arrived:
        return seen or solution
    return on_edge(rows.oracle, rows.unit, rows.chunk, replace(seen, outcome=Outcome.STALLED))


def _held(rows: Written, highest: Ended) -> Ended | None:
    """Hold rows that have come to the edge there, and climb along it; None where that does not arrive.

    The value has risen all the way there; along the edge it must have nowhere else to rise. Rows that come to
    the edge on the way along it are held there as well.
    """
    exact, eta, on = highest.exact, highest.eta, _on_edge(rows, highest)
    held = 0
    while on.sum() > held:
        held = int(on.sum())
        _, values, vectors = np.linalg.svd(rows.rows[on])
        flat = vectors[int(np.count_nonzero(values > DEPENDENT * values[0])) :].T
        if not flat.shape[1]:
            return replace(highest, exact=exact, eta=eta, arrived=True)
        free = np.where(on[:, None], 0.0, rows.rows @ flat)
        ended = ascend(replace(rows, rows=free, offset=eta), np.zeros(flat.shape[1]))
        exact, eta = exact + times(flat, ended.exact), ended.eta
        ended = replace(ended, exact=exact)
        if ended.arrived:
            return ended
        on = on | _on_edge(rows, ended)
    return None


def _stays(rows: Written, beta: Array) -> Ended:
    """Return a point that counts as lower than any other."""
    eta = (times(rows.rows, single(beta)) + single(rows.offset)).hi
    return Ended(single(beta), eta, -np.inf, arrived=False, steps=())
