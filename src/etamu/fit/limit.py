"""The limit of a fit that has no finite maximum: where the value goes as coefficients run away for ever.

May import: everything below `fit`.
Read next: `etamu.fit.existence`, which tells of it; `etamu.fit.estimate`, which asks.

Along a direction d of recession the separated rows reach the end of their value, which none of them can pass,
and the others do not move. So the supremum is the maximum over the rows left, in the coordinates that they
determine, plus those ends; rows left may separate again, and then the same is done once more. What X of the
rows left determines has its estimate, its standard error and its tests as in any fit.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.types import Array, Mask, Want
from etamu.design.chunk import Chunk, Predictor
from etamu.design.coordinates import Coordinates, describe
from etamu.design.design import Design
from etamu.execute.threads import Threads
from etamu.family.unit import Unit
from etamu.fit.creeping import Creeping, caught, watch
from etamu.fit.face import Rows
from etamu.fit.levels_apart import direction_of, levels_apart
from etamu.fit.refine import in_doubt
from etamu.infer.covariance import Root
from etamu.objective.likelihood import Likelihood
from etamu.solve.cone import BLOCK, least_sum, run_of
from etamu.solve.newton import newton
from etamu.solve.oracle import Local, Outcome, Solution
from etamu.solve.recession import TOLERANCE, Answer, Cone, Recession, recede, verified

if TYPE_CHECKING:
    from etamu.fit.problem import Problem
    from etamu.fit.rescue import rescued
else:
    rescued = later("etamu.fit.rescue", "rescued")

FAR = (750.0, 60.0)
"""How far separated rows are put out: where every exponential tail is 0, or where rounding forbids that."""
HEAVY = 1e7
"""The same for tails that fall as a power."""
ROUNDING = 1e-8
"""Largest eta that may be lost to rounding in a row that is not separated."""
END = 1e300
STILL = 1e-9
"""Share of its terms up to which a sum counts as 0."""
MOST_PROGRAMMED = 200_000
"""Numbers in a linear program that only looks for a simpler direction."""


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """What a fit without a finite maximum comes to.

    Parameters
    ----------
    direction : array (size,)
        In working coordinates; the least |x'd| of a separated row is 1.
    basis : array (size, gone)
        The vectors that leave all other rows at rest.
    gone : booleans (size,)
        Working columns that earlier ones explain on the other rows.
    cone : array (r, gone)
        What separated rows demand of a combination c of the basis: cone c >= 0.
    rows : integers
        Positions of the separated rows in the input.
    beta : array (size - gone,)
        The estimate in the coordinates that the other rows determine.
    outcome : Outcome
        How the fit to the other rows ended.
    far : float
        Multiple of the direction that is in the working coefficients of the fit.
    common : int
        1 or -1 where every row runs the same way and the constant is among the columns, else 0: then it is
        the constant that is said to run, whatever else could stand for it.
    count : int
        Number of separated rows; a file keeps only some of their positions.
    levels : tuple of (factor, level)
        Levels all of whose rows may run the same way.
    ends : tuple of str
        Of several predictors, what rows reach: classes whose probability is 0 in some of them.
    paid : bool
        Whether rows run to an end that is not their best, for what others gain by it: then the limit is above
        every finite point that was found, and more is not known.
    """

    direction: Array
    basis: Array
    gone: Mask
    cone: Array
    rows: NDArray[np.int64]
    beta: Array
    outcome: Outcome
    far: float
    common: int = 0
    count: int = 0
    levels: tuple[tuple[str, str], ...] = ()
    ends: tuple[str, ...] = ()
    paid: bool = False

    def inner(self, coordinates: Coordinates) -> Coordinates:
        """Return the coordinates that the rows left determine."""
        return coordinates.without(self.gone)

    @property
    def near(self) -> Array:
        """The estimate in working coordinates, what runs away left out."""
        return embedded(self.beta, self.gone)

    def lifted(self, root: Root) -> Root:
        """Carry a factor of the covariance from the inner coordinates to those of the fit."""
        out = np.zeros((len(self.gone), max(root.matrix.shape[1], 1)))
        out[~self.gone, : root.matrix.shape[1]] = root.matrix
        return Root(out)

    def signs(self, coordinates: Coordinates) -> Array:
        """Tell how each reported coefficient runs: 0 not at all, 1 up, -1 down, NaN if anything will do."""
        moved = np.nan_to_num(coordinates.reported(self.basis))
        kept, size = coordinates.kept, np.zeros_like(moved)
        size[kept] = np.abs(self.basis) / coordinates.scale[kept][:, None]
        if (constant := coordinates.layout.constant) is not None:
            size += np.multiply.outer(np.abs(constant), np.abs(coordinates.shift[kept]) @ size[kept])
        out = run_of(np.where(np.abs(moved) <= TOLERANCE * size, 0.0, moved), self.cone)
        if self.common and constant is not None:
            out = np.where(np.isnan(out) & (constant != 0.0), self.common * np.sign(constant), out)
        return out

    def runs(self, functionals: Array) -> Array:
        """Tell how functionals of the working coefficients, (m, size), run: 0, 1, -1, or NaN."""
        moved = functionals @ self.basis
        size = (np.abs(functionals) @ np.abs(self.basis)).max(axis=1, initial=0.0)
        still = np.abs(moved).max(axis=1, initial=0.0) <= STILL * size
        return run_of(np.where(still[:, None], 0.0, moved), self.cone)

    def runs_of(self, here: Coordinates, design: Design, own: Coordinates | None = None) -> Array:
        """Tell how the eta of each row of a design runs, its columns placed in some coordinates.

        `own` are those of the fit, where they are others.
        """
        basis = self.basis if own is None or own is here else own.reported(self.basis)[own.kept]
        out = np.empty(design.length)
        raw = here.raw(basis)
        for start in range(0, design.length, BLOCK):
            stop = min(start + BLOCK, design.length)
            some = design.rows(start, stop)
            moved, size = some.matmat(raw), np.sqrt(some.quadratic(np.diag(np.square(raw).sum(axis=1))))
            still = np.abs(moved).max(axis=1, initial=0.0) <= STILL * size
            out[start:stop] = run_of(np.where(still[:, None], 0.0, moved), self.cone)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What came of looking for a direction: a limit and the solution that carries it, or nothing.

    `settled` says that without a limit there is no direction for certain.
    """

    limit: Limit | None
    solution: Solution
    settled: bool


def limit_of(rows: Rows, oracle: Likelihood, solution: Solution, recession: Recession | None = None) -> Found:
    """Look for a direction of recession, and where there is one find the limit of the fit.

    Parameters
    ----------
    rows : Rows
    oracle : Likelihood
        Over these rows.
    solution : Solution
        Where the solver ended.
    recession : Recession, optional
        A direction that is known already.
    """
    alive = np.ones(len(rows.ways), dtype=bool)
    answer = Answer(recession, settled=True)
    if recession is None:
        answer = recede(rows, alive, hint_of(solution.local))
    if not answer.settled:  # columns may be too different for that, and a level is a column of its own
        whole = rows.executor.whole
        answer = replace(answer, found=direction_of(levels_apart(rows, whole), rows, whole))
    if answer.found is None:
        return Found(None, solution, answer.settled)
    separated, total = answer.found.separated.copy(), answer.found
    passes = solution.passes
    while True:
        beta = solution.beta - total.basis @ solution.beta[total.gone]
        ended, more = _climbed(oracle, rows, total, beta[~total.gone])
        passes += ended.passes
        if ended.outcome is Outcome.CONVERGED or not (~separated).any():
            break
        if more is None:
            hint = hint_of(ended.local)
            more = recede(rows, ~separated, None if hint is None else embedded(hint, total.gone)).found
        if more is None:
            break
        separated |= more.separated
        joined = added_up(rows, total, more, separated)
        if joined is None:
            break
        total = joined
    return Found(*_concluded(oracle, rows, total, ended, solution, passes), settled=True)


def suspected(rows: Cone, local: Local) -> Recession | None:
    """Verify the direction that steps seem to run in; a few passes, and no linear program."""
    hint = hint_of(local)
    if hint is None:
        return None
    return verified(rows, np.ones(len(rows.ways), dtype=bool), hint)


def hint_of(local: Local) -> Array | None:
    """Return the Newton step, which near a supremum at infinity points there."""
    if local.metric is None or local.score is None:
        return None
    step = local.metric.solve(local.score)
    return step if np.all(np.isfinite(step)) else None


def embedded(inner: Array, gone: Mask) -> Array:
    """Return the coordinates with 0 for those that are gone."""
    out = np.zeros(len(gone))
    out[~gone] = inner
    return out


def _inside(oracle: Likelihood, left: Threads, total: Recession) -> Likelihood:
    """State the likelihood of the rows left, in the coordinates that they determine."""
    kept = ~total.gone
    return replace(
        oracle,
        executor=left,
        coordinates=oracle.coordinates.without(total.gone),
        extent=oracle.extent[kept],
        groups=None if oracle.groups is None else oracle.groups[kept],
    )


def _climbed(
    oracle: Likelihood, rows: Rows, total: Recession, beta: Array
) -> tuple[Solution, Recession | None]:
    """Climb over the rows left, in the coordinates they determine; or find that more of them separate."""
    left = ~total.separated
    if not left.any():
        return Solution(beta, Local(0.0), Outcome.CONVERGED, (), 0), None
    unweighted = _unweighted(rows, left)
    if unweighted is not None and beta.size:
        found, more = _watched(_inside(oracle, unweighted, total), rows, total, beta)
        if more is not None or found.outcome is Outcome.CONVERGED:
            return found, more
    over = rows.over(left)
    inside = _inside(oracle, over, total)
    if not inside.size:
        return Solution(beta, inside.at(beta, Want.VALUE), Outcome.CONVERGED, (), 0), None
    found, more = _watched(inside, rows, total, beta)
    if more is None and in_doubt(inside, over.whole, found):
        return rescued(inside, rows.unit, over.whole, found), None
    return found, more


def _watched(
    inside: Likelihood, rows: Rows, total: Recession, beta: Array
) -> tuple[Solution, Recession | None]:
    """Climb, and verify the direction at once in which steps creep."""

    def beyond(local: Local) -> Recession | None:
        hint = hint_of(local)
        return None if hint is None else verified(rows, ~total.separated, embedded(hint, total.gone))

    watched = watch() if rows.unit.convex and inside.concordance > 0.0 else None
    try:
        return newton(inside, beta, callback=watched), None
    except Creeping as suspicion:
        return caught(inside, suspicion, beyond)


def _unweighted(rows: Rows, left: Mask) -> Threads | None:
    """Return all rows, those that are gone without a weight, where that costs less than to copy others."""
    whole = rows.executor.whole
    if not (rows.mostly(left) and rows.unit.domain.whole):
        return None
    given = whole.weights.sampling
    counted = left.astype(np.float64) if given is None else np.where(left, given, 0.0)
    weights = replace(whole.weights, sampling=counted)
    return rows.executor.over(whole.beside(whole.predictors, weights))


def added_up(rows: Cone, first: Recession, second: Recession, separated: Mask) -> Recession | None:
    """Add up two directions, the first as often as its rows need to stay on their side."""
    gone, basis = rows.null_space(~separated & (rows.ways != 2))
    one, two = rows.margins(first.direction), rows.margins(second.direction)
    with np.errstate(divide="ignore", invalid="ignore"):  # a row the first does not move bends to no end
        bent = -(rows.ways * two)[first.separated] / np.abs(one[first.separated])
    times = 1.0 + max(float(bent.max(initial=0.0)), 0.0)
    direction = basis @ (times * first.direction + second.direction)[gone]
    margins = rows.margins(direction) * rows.ways
    least = float(margins[separated].min())
    if not least > 0.0:
        return None
    return Recession(direction / least, separated, gone, basis)


def _concluded(
    oracle: Likelihood, rows: Rows, total: Recession, ended: Solution, solution: Solution, passes: int
) -> tuple[Limit, Solution]:
    """Put the limit together, and the solution whose working coefficients stand far out on the way to it."""
    separated = total.separated
    place = np.flatnonzero(separated)
    chunk = rows.executor.whole
    cone = rows.demands(total.basis, place)
    common = _common(rows, separated)
    total, moved = _simplest(rows, total, cone, common)
    ways = rows.ways[place].astype(np.float64)
    near = embedded(ended.beta, total.gone)
    away = moved[place] * ways
    known = rows.moved(near[:, None], place)[:, 0]
    if (offset := chunk.predictors[0].offset) is not None:
        known = known + offset[place]
    ends = ways * END
    value = ended.local.value + _value_at(rows.unit, chunk, place, ends)
    moved[place] = 0.0
    rest = max(float(moved.max()), -float(moved.min()))
    far = _far(rows.unit, chunk, place, ways)
    times = max(float(np.max((far - ways * known) / away)), 1.0)
    lost = max(rest, np.finfo(float).eps * float(away.max())) if len(place) < len(moved) else 0.0
    if times * lost > ROUNDING:
        times = max(float(np.max((FAR[-1] - ways * known) / away)), 1.0)
    limit = Limit(
        direction=total.direction,
        basis=total.basis,
        gone=total.gone,
        cone=cone,
        rows=np.sort(chunk.row_ids[place]),
        beta=ended.beta,
        outcome=ended.outcome,
        far=times,
        common=common,
        count=len(place),
    )
    local = replace(ended.local, value=value, scale=oracle.scale(value))
    steps = (*solution.steps, *ended.steps)
    return limit, Solution(near + times * total.direction, local, Outcome.INFINITE, steps, passes)


def _value_at(unit: Unit, chunk: Chunk, place: NDArray[np.intp], eta: Array) -> float:
    """Sum the value of some rows at ends of eta; a value that is no number there is that of a row at rest."""
    part = chunk.take(place)
    with np.errstate(all="ignore"):
        value = np.nan_to_num(unit.bind(np)(part.y, eta)[0], nan=0.0, neginf=0.0)
    total = part.weights.total()
    return float(np.sum(value if total is None else total * value))


def _far(unit: Unit, chunk: Chunk, place: NDArray[np.intp], ways: Array) -> float:
    """Choose how far out the value of separated rows is that of the end."""
    at = [_value_at(unit, chunk, place, ways * far) for far in (FAR[0], END)]
    return FAR[0] if abs(at[0] - at[1]) <= 1e-12 else HEAVY  # a sum of tails that fall as a power


def _common(rows: Rows, separated: Mask) -> int:
    """Return the way that all rows run, if there is one and the constant runs that way; else 0."""
    first = int(rows.ways[0])
    same = bool(separated.all() and np.all(rows.ways == first))
    constant = rows.coordinates.layout.constant
    # Where a column that the constant is made of is aliased, it is made of others, not by these numbers.
    made = constant is not None and np.count_nonzero(constant) == np.count_nonzero(
        constant[rows.coordinates.kept]
    )
    return first if same and made else 0


def _simplest(rows: Rows, total: Recession, cone: Array, common: int) -> tuple[Recession, Array]:
    """Look for a direction along which few reported coefficients run: the least sum of |d_j| times ranges.

    It depends on which rows there are, not on how often, and not on the units of the columns. Beside it is
    returned what it moves each row by.
    """
    coordinates = rows.coordinates
    if common and coordinates.layout.constant is not None:
        total = replace(total, direction=coordinates.working(common * coordinates.layout.constant))
        return total, rows.margins(total.direction)
    found = _least_moved(rows, total, cone)
    if found is not None:
        direction = np.where(np.abs(found) <= TOLERANCE * np.abs(found).max(), 0.0, found)
        moved = rows.margins(direction)
        signed = (moved * rows.ways)[total.separated]
        least = float(signed.min())
        rest = float(np.abs(moved[~total.separated]).max(initial=0.0))
        if least > TOLERANCE * float(signed.max()) and rest <= TOLERANCE * least:
            return replace(total, direction=direction / least), moved / least
    return total, rows.margins(total.direction)


def _least_moved(rows: Rows, total: Recession, cone: Array) -> Array | None:
    """Return the direction whose reported coefficients add up to least; None where it is the only one."""
    moved = np.nan_to_num(rows.coordinates.reported(total.basis))
    dimensions = moved.shape[1]
    if dimensions == 1 or dimensions * max(len(moved), len(cone)) > MOST_PROGRAMMED:
        return None
    found = least_sum(moved * _ranges(rows)[:, None], cone)
    return None if found is None else total.basis @ found


def _ranges(rows: Rows) -> Array:
    """Return the range of the numbers of each reported column, 1 where they do not vary."""
    layout = rows.coordinates.layout
    moments = rows.executor.reduce(lambda block: describe(block.predictors[0].design))
    width = moments.high - moments.low
    out = np.ones(layout.width)
    out[layout.dense_reported] = np.where(width > 0.0, width, 1.0)[layout.dense_raw]
    return out


def moved_chunk(chunk: Chunk, coordinates: Coordinates, limit: Limit) -> Chunk:
    """Carry the part of eta that runs away into the offset: rows as the inner coordinates see them."""
    predictor = chunk.predictors[0]
    away = coordinates.placed(predictor.design).matvec(coordinates.raw(limit.far * limit.direction))
    offset = away if predictor.offset is None else predictor.offset + away
    return replace(chunk, predictors=(Predictor(predictor.design, offset),))


def inside(problem: Problem, coordinates: Coordinates, limit: Limit) -> Problem:
    """State the problem that the inner coordinates see: what runs away is in its offset."""
    sample = problem.attached()
    return replace(problem, sample=replace(sample, chunk=moved_chunk(sample.chunk, coordinates, limit)))


def unbounded(values: Array, runs: Array) -> Array:
    """Put infinities where estimates run away, and NaN where nothing is known of them."""
    with np.errstate(invalid="ignore"):
        return np.where(runs == 0.0, values, runs * math.inf)
