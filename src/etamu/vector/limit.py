"""The limit of a fit of several predictors without a finite maximum: what is left when some ran away.

Along a direction of recession the demands that are separated reach their end: a class whose score stays
behind has probability 0 in that row, and the row is one among the other classes. So the supremum is the
maximum on the flat of the coordinates that are left, put far out along the direction, where separated demands
contribute nothing any more; demands left may separate again, and then the same is done once more.

May import: everything below `vector`.
Read next: `etamu.fit.limit`, the same for one predictor, and `etamu.vector.separation`, which asks.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from etamu import sums
from etamu._base.arrow import all_finite
from etamu._base.types import Array, Mask, Want
from etamu.design.chunk import Chunk
from etamu.family.vector import VectorFamily
from etamu.fit.limit import FAR, HEAVY, ROUNDING, STILL, Found, Limit, added_up, embedded, hint_of
from etamu.objective.likelihood import Likelihood
from etamu.solve.cone import demands, least_sum, run_of
from etamu.solve.direction import FINAL
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome, Solution
from etamu.solve.recession import TOLERANCE, Answer, Recession, recede
from etamu.solve.restricted import Restricted
from etamu.vector.edges import Edge, along, climbing, edge_of
from etamu.vector.pairs import Pairs
from etamu.vector.stack import Stack

MOST_PROGRAMMED = 200_000
"""Numbers in a linear program that only looks for a simpler direction."""
TRACE, HEAVY_TRACE = 1e-100, 1e-6
"""Probabilities below which a class is at 0, of exponential tails and of those that fall as a power."""
SILENT = 16.0 * float(np.finfo(float).eps)
"""Information of a row that is rounding."""
ROUNDED = 1e-7
"""Change of a value that rounding may make so far out; a tail that falls as a power changes it by 1e-6."""
NEARER = 300.0
"""How far out separated demands are put where a mean would underflow further out."""
AWAY, HEAVY_AWAY = 1e4, 1e8
"""How far out the etas of rows are put that run."""


def limit_of(
    family: VectorFamily,
    pairs: Pairs,
    oracle: Likelihood,
    solution: Solution,
    recession: Recession | None = None,
) -> Found:
    """Look for a direction of recession, and where there is one find the limit of the fit.

    Parameters
    ----------
    family : VectorFamily
    pairs : Pairs
    oracle : Likelihood
        Over these rows.
    solution : Solution
        Where the solver ended.
    recession : Recession, optional
        A direction that is known already.
    """
    alive = np.ones(len(pairs.ways), dtype=bool)
    answer = Answer(recession, settled=True)
    if recession is None:
        answer = recede(pairs, alive, hint_of(solution.local))
    if answer.found is None:
        return Found(None, solution, answer.settled)
    separated, total, passes = answer.found.separated.copy(), answer.found, solution.passes
    edge = edge_of(family.walls, pairs.executor.whole, pairs.stack)
    trace = SILENT * counted(pairs.executor.whole)
    while True:
        near = solution.beta - total.basis @ solution.beta[total.gone]
        ended = _climbed(pairs, oracle, total, separated, near, edge)
        passes += ended.passes
        if ended.outcome in {Outcome.CONVERGED, Outcome.BOUNDARY} or separated.all():
            break
        away = _far(pairs, oracle, total, separated, near) * total.direction
        pairs = _relieved(family, pairs, separated, (away, away + embedded(ended.beta, total.gone)))
        gone, basis = pairs.null_space(_left(pairs, separated))
        if (gone & ~total.gone).any():
            total = replace(total, gone=gone, basis=basis)
            continue
        if (silent := silent_at(oracle, away, total.gone, ended, trace)).any():
            basis = widened(total.gone, total.basis, silent)
            total = replace(total, gone=total.gone | silent, basis=basis)
            continue
        hint = hint_of(ended.local)
        left = _left(pairs, separated)
        more = recede(pairs, left, None if hint is None else embedded(hint, total.gone)).found
        if more is None:
            break
        separated |= more.separated
        both = added_up(pairs, total, _slowed(pairs, more), separated)
        if both is None:
            break
        total = both
    total = replace(total, separated=separated)
    return Found(*_concluded(pairs, oracle, total, ended, replace(solution, passes=passes)), settled=True)


def _climbed(
    pairs: Pairs, oracle: Likelihood, total: Recession, separated: Mask, near: Array, edge: Edge | None
) -> Solution:
    """Maximise on the flat far out along the direction, from the better of two starts."""
    away = _far(pairs, oracle, total, separated, near) * total.direction
    flat = Restricted(oracle, away, np.eye(pairs.size)[:, ~total.gone])
    starts = near[~total.gone], np.zeros(flat.size)
    values = [float(flat.along(each, each * 0.0, np.zeros(1))[0]) for each in starts]
    best = starts[0] if np.isfinite(values[0]) and not values[0] < values[1] else starts[1]
    if not flat.size:
        return Solution(best, flat.at(best, Want.VALUE), Outcome.CONVERGED, (), 1)
    if edge is None:
        return newton(flat, best)
    walled = partial(along, flat, edge.inside(flat))
    return walled(climbing(newton, flat, best, walled))


def _left(pairs: Pairs, separated: Mask) -> Mask:
    """Flag the demands that are neither separated nor moot."""
    return np.asarray(~separated & (pairs.ways == 1))


def _relieved(family: VectorFamily, pairs: Pairs, separated: Mask, places: tuple[Array, ...]) -> Pairs:
    """Call moot what rows demand that separated demands have put at their end.

    A count of 0 whose mean has gone to 0 is certain, whatever else is said of zeros. Such rows say nothing
    more, neither where the search on the flat could begin nor where it ended.
    """
    whole = pairs.executor.whole
    ended = np.zeros(len(whole), dtype=bool)
    ended[pairs.rows[separated]] = True
    for beta in places:
        ended &= says_nothing(family, whole, pairs.stack.raw(beta))
    moot = ended[pairs.rows] & ~separated
    return replace(pairs, moot=moot if pairs.moot is None else moot | pairs.moot)


def says_nothing(family: VectorFamily, chunk: Chunk, raw: Array) -> Mask:
    """Flag rows that tell of no parameter where these coefficients put them."""
    eta = sums.etas(chunk, raw).reshape(len(chunk), -1)
    with np.errstate(all="ignore"):
        _, score, information = family.bind(np, "observed")(chunk.y, eta)
    most = np.maximum(np.abs(score).max(axis=1), np.abs(information).max(axis=(1, 2)))
    return np.asarray(most <= SILENT)


def _slowed(pairs: Pairs, more: Recession) -> Recession:
    """Slow a direction down to the pace of the one before, which keeps rows at their end it would leave."""
    moved = np.abs(pairs.margins(more.direction)[pairs.ways == 2])
    return replace(more, direction=more.direction / max(float(moved.max(initial=0.0)), 1.0))


def silent_at(oracle: Likelihood, away: Array, gone: Mask, ended: Solution, trace: float) -> Mask:
    """Flag coordinates of which no row tells anything far out, such as the theta of counts that are certain.

    Neither where the search on the flat ended, which may be far out by itself, nor where it could begin.
    `trace` is the information about it that rows may have.
    """
    out = np.zeros_like(gone)
    begun = oracle.at(away, FINAL).observed
    if begun is not None and ended.local.observed is not None:
        most = np.maximum(np.abs(np.diagonal(begun))[~gone], np.abs(np.diagonal(ended.local.observed)))
        out[~gone] = most <= trace
    return out


def counted(chunk: Chunk) -> float:
    """Return how many rows there are, each as often as its weight says."""
    total = chunk.weights.total()
    return float(len(chunk) if total is None else np.sum(total))


def widened(gone: Mask, basis: Array, more: Mask) -> Array:
    """Return the vectors of a basis, one per coordinate that is gone, with those of more coordinates."""
    out = np.eye(len(gone))
    out[:, gone] = basis
    return out[:, gone | more]


def _far(pairs: Pairs, oracle: Likelihood, total: Recession, separated: Mask, near: Array) -> float:
    """Return the multiple of the direction at which the separated demands contribute nothing any more."""
    whole = pairs.executor.whole
    known = pairs.of(sums.etas(whole, pairs.stack.raw(near)).reshape(len(whole), -1))[separated]
    moved = pairs.margins(total.direction)
    away, rest = moved[separated], np.abs(moved[_left(pairs, separated)])
    lost = max(float(rest.max()), np.finfo(float).eps * float(away.max())) if rest.size else 0.0
    for far in (HEAVY if _heavy(oracle, near, total.direction) else FAR[0], FAR[0], NEARER):
        times = max(float(np.max((far - known) / away)), 1.0)
        if times * lost <= ROUNDING and _finite(oracle, near + times * total.direction):
            return times
    return max(float(np.max((FAR[-1] - known) / away)), 1.0)


def _finite(oracle: Likelihood, beta: Array) -> bool:
    """Tell whether value and information are numbers: a mean that has underflowed to 0 may have neither."""
    with np.errstate(all="ignore"):
        local = oracle.at(beta, Want.VALUE | Want.OBSERVED)
    return bool(np.isfinite(local.value) and all_finite(local.observed))


def _heavy(oracle: Likelihood, near: Array, direction: Array) -> bool:
    """Tell whether the tails fall as a power: the value still rises where exponential tails are 0."""
    first, second = oracle.along(near, direction, np.array([1e5, 1e7]))
    return bool(np.isfinite(first) and second - first > max(1e-12 * abs(second), ROUNDED))


def _concluded(
    pairs: Pairs, oracle: Likelihood, total: Recession, ended: Solution, solution: Solution
) -> tuple[Limit, Solution]:
    """Put the limit together, and the solution whose working coefficients stand far out on the way to it."""
    place = np.flatnonzero(total.separated)
    cone = demands(place, lambda some: pairs.some(some) @ total.basis)
    total = _simplest(pairs, total, cone)
    near = embedded(ended.beta, total.gone)
    times = _far(pairs, oracle, total, total.separated, near)
    beta = near + times * total.direction
    rows = np.unique(pairs.executor.whole.row_ids[pairs.rows[place]])
    limit = Limit(
        direction=total.direction,
        basis=total.basis,
        gone=total.gone,
        cone=cone,
        rows=rows,
        beta=ended.beta,
        outcome=ended.outcome,
        far=times,
        count=len(rows),
    )
    steps = (*solution.steps, *ended.steps)
    return limit, Solution(beta, ended.local, Outcome.INFINITE, steps, solution.passes)


def classes_at_end(family: VectorFamily, pairs: Pairs, beta: Array, *, heavy: bool) -> tuple[str, ...]:
    """Name the classes whose probability is 0 in some rows."""
    if not family.categorical:
        return ()
    raw, whole = pairs.stack.raw(beta), pairs.executor.whole
    with np.errstate(all="ignore"):
        least = family.mean(np, sums.etas(whole, raw).reshape(len(whole), -1)).min(axis=0)
    levels: tuple[str, ...] = family.settings["levels"]
    return tuple(levels[j] for j in np.flatnonzero(least <= (HEAVY_TRACE if heavy else TRACE)))


def _simplest(pairs: Pairs, total: Recession, cone: Array) -> Recession:
    """Look for a direction along which few reported coefficients run, in columns of the same extent."""
    moved = _clean(pairs.stack, total.basis)
    count, dimensions = moved.shape
    if dimensions == 1 or max(count, len(cone)) * dimensions > MOST_PROGRAMMED:
        return total
    found = least_sum(moved, cone)
    if found is None:
        return total
    direction = total.basis @ found
    margins = pairs.margins(direction)
    least = float(margins[total.separated].min())
    rest = float(np.abs(margins[_left(pairs, total.separated)]).max(initial=0.0))
    if not (least > TOLERANCE * float(margins.max()) and rest <= TOLERANCE * least):
        return total
    return replace(total, direction=direction / least)


def _clean(stack: Stack, basis: Array) -> Array:
    """Return how the reported coefficients move with the vectors of a basis, 0 where rounding says so."""
    moved = np.nan_to_num(stack.reported(basis))
    size = np.abs(np.nan_to_num(stack.reported(np.eye(stack.size)))) @ np.abs(basis)
    return np.where(np.abs(moved) <= TOLERANCE * size, 0.0, moved)


def signs(limit: Limit, stack: Stack) -> Array:
    """Tell how each reported coefficient runs: 0 not at all, 1 up, -1 down, NaN if anything will do."""
    return run_of(_clean(stack, limit.basis), limit.cone)


def heavy(limit: Limit) -> bool:
    """Tell whether a limit was reached by tails that fall as a power."""
    return limit.far >= HEAVY / 2.0


def runs(family: VectorFamily, moved: Array, limit: Limit) -> tuple[Array, Mask]:
    """Tell how rows run whose etas move with the basis of a limit as `moved` says, (n, k, gone).

    Returns
    -------
    (array (n, k), booleans (n,))
        What to add to the etas so that they are at their ends; which rows are not determined.
    """
    categorical: Any = family
    classes = categorical.rising if family.categorical else (np.eye(moved.shape[1]),)
    functionals = np.einsum("cj,njg->ncg", np.vstack(classes), moved)
    size = np.abs(moved).max(axis=(0, 1), initial=0.0)  # a row that a direction leaves is moved by rounding
    functionals = np.where(np.abs(functionals) <= STILL * size, 0.0, functionals)
    n, count, gone = functionals.shape
    known = run_of(functionals.reshape(n * count, gone), limit.cone).reshape(n, count)
    along = limit.direction[limit.gone]
    pace = np.abs(functionals @ along)
    slowest = np.where(np.abs(known) == 1.0, pace, np.inf).min(axis=1)
    times = np.where(np.isfinite(slowest), (HEAVY_AWAY if heavy(limit) else AWAY) / slowest, 0.0)
    return times[:, None] * (moved @ along), _undetermined(known, [len(each) for each in classes])


def _undetermined(known: Array, counts: list[int]) -> Mask:
    """Tell which rows have two classes or more that may be left, and do not say how these run."""
    parts = np.split(known, np.cumsum(counts)[:-1], axis=1)
    left = np.stack([~np.any(part == -1.0, axis=1) for part in parts], axis=1)
    unknown = np.stack([np.isnan(part).any(axis=1) for part in parts], axis=1)
    alone = len(counts) == 1
    return np.asarray(np.any(unknown & (left | alone), axis=1) & (alone | (left.sum(axis=1) > 1)))
