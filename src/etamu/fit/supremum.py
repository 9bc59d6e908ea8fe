"""A supremum at infinity that some rows pay for, where a value is not concave and no climb arrives.

A row whose value stops falling far out, as that of a negative response does whose mean a log link keeps
positive, loses no more than a bounded price by going to an end of eta, and others may gain more by it. Then a
climb goes on for ever and no condition on single rows shows why. So the rows that have gone far are taken to
be gone: a direction is found that moves them all to their ends and leaves the others at rest, the others have
their maximum in what they determine, and two things are shown: far out along the direction the value rises
to this limit, and no finite point that was found is above it. That none exists is not shown, and not said.

May import: everything below `fit`.
Read next: `etamu.fit.limit`, where the limit of the rows left is found; `etamu.fit.rescue`, asked before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from etamu._base.types import Array
from etamu.family.recession import anyone_may_run
from etamu.fit.face import Rows
from etamu.fit.limit import Found, Limit, limit_of
from etamu.fit.refine import LOST
from etamu.fit.rescue import arrival, starts_of
from etamu.fit.start import floored, own_etas
from etamu.objective.likelihood import Likelihood
from etamu.objective.written import Written, written
from etamu.solve.cone import least_sum
from etamu.solve.direction import FINAL
from etamu.solve.oracle import Outcome, Solution
from etamu.solve.recession import recede
from etamu.solve.trust import Ended, ascend

END = (1e150, 1e300)
"""Where the value of a row that stops falling is looked at, twice."""
SETTLED = 1e-9
"""Share of itself by which it may still change between them."""
GONE = (1e-2, 1e-4, 1e-8, 1e-16, 1e-32)
"""Shares of the information at its own response that a row has left where it may count as gone."""
ALONG = 2.0 ** np.concatenate([np.arange(0.0, 12.0, 0.125), np.arange(12.0, 900.0, 4.0)])
"""Distances along a direction at which the value is looked at, in units of the slowest row: closely where
tails are exponential, and as far as a light row whose tail is a power may want to come back from."""
HASTE = 2.0
"""How many times as fast as the slowest that gains a row that pays is to go, and more."""
CLIMBS = 12
"""Ends of climbs that are looked beyond."""
TRIED = 20
"""Rows that gain of which one is to be the slowest."""
LOWER = 1e-9
"""Share of its size by which a limit may lie below the highest point found: what is left of a climb to it."""
ROUNDING = 1e-12
"""Share of the value of a row up to which rounding may hide a change of it."""
FADED = 1e-290
"""A slope below this has lost its digits."""
ENDED = (Outcome.CONVERGED, Outcome.BOUNDARY)
"""Ends of the search over the rows left that are a maximum."""


def supremum(rows: Rows, oracle: Likelihood, solution: Solution) -> Found | None:
    """Look for a supremum at infinity where a climb did not arrive; None where none is found.

    Parameters
    ----------
    rows : Rows
    oracle : Likelihood
        Over these rows.
    solution : Solution
        Where the search ended.
    """
    unit, chunk = rows.unit, rows.executor.whole
    if solution.outcome not in LOST or unit.convex or not anyone_may_run(unit):
        return None
    oracle = floored(oracle, unit, chunk)
    whole = written(oracle, unit, chunk)
    ends = None if whole is None else _ends(whole)
    if whole is None or ends is None:
        return None
    waiting = [ascend(whole, start) for start in starts_of(whole, solution.beta)]
    highest = max(waiting, key=_value)
    for _ in range(CLIMBS):
        if highest.arrived and (inside := arrival(whole, solution, highest)) is not None:
            return Found(None, inside, settled=True)
        if not waiting:
            break
        waiting.sort(key=_value)
        found, higher = _beyond(whole, ends, oracle, rows, solution, waiting.pop(), highest)
        if found is not None:
            return found
        if higher is not None:
            waiting.append(higher)
            highest = higher
    return None


def _value(climb: Ended) -> float:
    return climb.value


def _beyond(
    whole: Written,
    ends: tuple[Array, Array],
    oracle: Likelihood,
    rows: Rows,
    solution: Solution,
    climb: Ended,
    highest: Ended,
) -> tuple[Found | None, Ended | None]:
    """Look for a limit beyond where a climb ended; return it, or a higher climb from the way there."""
    for ways in _gone(whole, ends, climb.beta):
        found = _limit(oracle, replace(rows, given=ways), solution, climb)
        if found is None or not _reaches(found, highest):
            continue
        found = _hurried(whole, found)
        above = _above(whole, found)
        if above is None and _rises(whole, found):
            return found, None
        higher = None if above is None else ascend(whole, above)
        if higher is None or np.array_equal(higher.beta, climb.beta):
            continue
        if higher.value >= highest.value:
            return None, higher
    return None, None


def _ends(rows: Written) -> tuple[Array, Array] | None:
    """Return the values of all rows at the lower and the upper end of eta, -inf where they fall for ever."""
    found = []
    for end, sign in zip(rows.ends, (-1.0, 1.0), strict=True):
        near, far = (rows.look(np.full(len(rows.chunk), sign * place)).value for place in END)
        with np.errstate(all="ignore"):
            least = np.minimum(np.abs(far - near), np.abs(far))  # what is next to 0 beside it goes to 0
            settled = np.isfinite(far) & (least <= SETTLED * np.maximum(np.abs(far), np.abs(near)))
        found.append(np.where(settled & np.isinf(end), far, -np.inf))
    lower, upper = found
    return (lower, upper) if np.isfinite([lower, upper]).any() else None


def _gone(rows: Written, ends: tuple[Array, Array], beta: Array) -> Iterator[NDArray[np.int8]]:
    """Yield which rows may have gone to which end, fewer and fewer: how each runs, 0 for those at rest.

    To the end that is on their side, to their best one, or all to the same, as a constant leads them: where
    tails have underflowed offsets leave rows on a side from which they would go on.
    """
    chunk = rows.chunk
    eta = rows.rows @ beta + rows.offset
    usual = rows.look(rows.unit.start(chunk.y, np.ones(len(chunk)))).expected
    with np.errstate(all="ignore"):
        left = rows.look(eta).expected / usual
    up = np.ones(len(eta), dtype=np.int8)
    here, best = np.where(eta < 0.0, -1, 1), np.where(ends[1] > ends[0], 1, -1)
    seen = set()
    for share in GONE:
        for sides in (here, best, up, -up):
            open_end = np.isfinite(np.where(sides < 0, *ends))
            ways = np.where(open_end & (left < share), sides, 0).astype(np.int8)
            if ways.any() and ways.tobytes() not in seen:
                seen.add(ways.tobytes())
                yield ways


def _limit(oracle: Likelihood, rows: Rows, solution: Solution, climb: Ended) -> Found | None:
    """Find the limit where the rows that have gone are gone; None where no direction moves them all away."""
    answer = recede(rows, np.ones(len(rows.ways), dtype=bool), climb.beta)
    local = oracle.at(climb.beta, FINAL)
    if answer.found is None or not np.isfinite(local.value):
        return None
    steps, passes = solution.steps + climb.steps, solution.passes + len(climb.steps)
    there = replace(solution, beta=climb.beta, local=local, steps=steps, passes=passes)
    found = limit_of(rows, oracle, there, answer.found)
    if found.limit is None or found.limit.outcome not in ENDED:
        return None
    return replace(found, limit=replace(found.limit, paid=True))


def _hurried(rows: Written, found: Found) -> Found:
    """Choose a direction along which rows that pay are at their ends before those that gain.

    Far out the slowest rows decide: were one of them to pay, the value would be above the limit before it.
    """
    limit = found.limit
    assert limit is not None
    moved = _moved(rows, limit)
    gone, sides = moved != 0.0, np.sign(moved)
    pays = np.zeros(len(moved), dtype=bool)
    for far in ALONG:
        with np.errstate(invalid="ignore"):  # a row at rest has no side, and a slope there may be none
            gain = rows.look(sides * far).slope * sides
        pays = np.where(np.isfinite(gain) & (gain != 0.0), gain < 0.0, pays)
    if not (pays & gone).any() or limit.basis.shape[1] < 2:
        return found
    signed = rows.rows @ limit.basis * sides[:, None]
    for slowest in np.flatnonzero(gone & ~pays)[:TRIED]:
        demand = np.vstack([signed[gone], signed[gone & pays] - HASTE * signed[slowest]])
        shares = least_sum(np.eye(limit.basis.shape[1]), demand)
        if shares is not None:
            direction, far = limit.basis @ shares, limit.far * max(float(np.abs(moved).max()), 1.0)
            there = replace(found.solution, beta=limit.near + far * direction)
            return replace(found, limit=replace(limit, direction=direction, far=far), solution=there)
    return found


def _moved(rows: Written, limit: Limit) -> Array:
    """Return how far the direction moves each eta; what is left of a row at rest is rounding."""
    return np.where(np.isin(rows.chunk.row_ids, limit.rows), rows.rows @ limit.direction, 0.0)


def _reaches(found: Found, highest: Ended) -> bool:
    """Tell whether a limit is not below the highest point found."""
    value = found.solution.local.value
    return highest.value <= value + LOWER * abs(value)


def _ways(rows: Written, limit: Limit) -> tuple[Array, list[tuple[Array, Array]]]:
    """Return how a direction moves rows, and where two lines along it begin: coefficients and etas.

    Of rows that are equally slow it is their beginning that decides, and that is for nobody to say.
    """
    begun = (limit.near, 0.0 * limit.near)
    return _moved(rows, limit), [(beta, rows.rows @ beta + rows.offset) for beta in begun]


def _above(rows: Written, found: Found) -> Array | None:
    """Return coefficients on the way at which the value is farthest above its limit, None where it never is.

    Or behind its beginning: a row whose tail has underflowed says nothing of what it would come back for, and
    is looked at where it is as its own response has it. There a climb sees it again.
    """
    limit = found.limit
    assert limit is not None
    moved, lines = _ways(rows, limit)
    gone = moved != 0.0
    with np.errstate(invalid="ignore"):
        end = rows.look(np.where(gone, np.sign(moved) * END[-1], lines[0][1])).value[gone]
    best, highest = None, 0.0
    for beta, start in lines:
        for far in (*_own(rows, start, moved), *ALONG):
            eta = start + far * moved
            seen = rows.look(eta)
            if not np.isfinite(seen.value).all():
                continue
            gains = seen.value[gone] - end
            # A light row's gain may be less than the rounding of what heavy ones have, unless they are still.
            hidden = np.abs(seen.slope[gone]) * np.maximum(np.abs(eta[gone]), 1.0)
            hidden = np.minimum(ROUNDING * np.abs(end), hidden)
            gained = math.fsum(gains)
            if gained > math.fsum(hidden) + LOWER * float(np.abs(gains).sum()) and gained > highest:
                best, highest = np.asarray(beta + far * limit.direction), gained
    return best


def _own(rows: Written, start: Array, moved: Array) -> Array:
    """Return the distances at which a row that moves has the eta of its own response."""
    with np.errstate(all="ignore"):
        far = (own_etas(rows.unit, rows.chunk) - start) / moved
    return np.unique(far[np.isfinite(far)])


def _rises(rows: Written, found: Found) -> bool:
    """Tell whether the value rises in the end; far enough out all tails underflow."""
    assert found.limit is not None
    moved, lines = _ways(rows, found.limit)
    for _, start in lines:
        slopes = [float(rows.look(start + far * moved).slope @ moved) for far in ALONG]
        last = [slope for slope in slopes if abs(slope) > FADED]  # not NaN either
        if not (last and last[-1] > 0.0):
            return False
    return True
