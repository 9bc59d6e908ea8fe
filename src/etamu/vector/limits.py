"""Parameters that ran to an end of their axis, where the family is a simpler one: found, and said in words.

May import: everything below `vector`.
Read next: `etamu.vector.ended`, the fit at such an end, and `etamu.vector.estimate`, which asks.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.execute.threads import Threads
from etamu.family.vector import VectorFamily
from etamu.fit.existence import NOWHERE
from etamu.sums import etas
from etamu.vector.limit import says_nothing

FAR = 8.0
"""Distance on the scale of logarithms or log odds from which a parameter can be at its end."""
APART = 20.0
"""Distance from which rows of a search that ended early have run to an end."""
ROUNDED = 60.0
"""Distance from which a response has no digits to tell more, whatever the information seems to be."""
NOTHING = 1e-6
"""Information about it, in all rows together, below which nothing is known of how far it is."""

LAW = "law"
"""The name of what is said of the law itself, and of no parameter."""

CLOSE = 0.02
"""Distance on the scale of logarithms within which a parameter is at an edge."""


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Over rows: the ends of each natural coordinate, the information about it, and rows far out; adds up."""

    lowest: Array
    highest: Array
    information: Array
    beyond: tuple[Array, Array]
    first: tuple[Array, Array]
    doubtful: int = 0

    def __add__(self, other: Spread) -> Spread:
        return Spread(
            np.minimum(self.lowest, other.lowest),
            np.maximum(self.highest, other.highest),
            self.information + other.information,
            (self.beyond[0] + other.beyond[0], self.beyond[1] + other.beyond[1]),
            (np.minimum(self.first[0], other.first[0]), np.minimum(self.first[1], other.first[1])),
            self.doubtful + other.doubtful,
        )


class End(NamedTuple):
    """What is said of a parameter, and to which end it ran in every row: 1 up, -1 down, 0 none by itself."""

    sentence: str
    side: int = 0


def at_limits(
    family: VectorFamily,
    executor: Threads,
    raw: Array,
    *,
    verified: bool,
    apart: NDArray[np.intp] = NOWHERE,
) -> dict[str, End]:
    """Say of each parameter at an end of its axis, by name, what the law is there; and of `LAW` any doubts.

    Parameters
    ----------
    family : VectorFamily
    executor : Threads
        The rows.
    raw : array
        Coefficients of the raw columns of all predictors.
    verified : bool
        Whether the search ended at a verified maximum; if not, ends of some rows alone are told too, which a
        maximum has only where the law has shrunk to a point.
    apart : integers
        Rows that are separated, which is not told here; those that tell nothing any more have no say.
    """
    if not (family.limits or family.walls):
        return {}
    if not family.limits and not family.edges:
        return _doubted(family, executor.reduce(lambda chunk: int(family.doubts(etas(chunk, raw))[0].sum())))
    seen = executor.reduce(lambda chunk: _spread(family, chunk, raw, apart))
    if len(apart) and not np.any(seen.lowest <= seen.highest):  # no row is left: then all have a say
        seen = executor.reduce(lambda chunk: _spread(family, chunk, raw, NOWHERE))
    said = _doubted(family, seen.doubtful)
    for number, parameter in enumerate(family.parameters):
        least, most = family.edges.get(parameter.name, (-np.inf, np.inf))
        if seen.lowest[number] <= least + CLOSE or seen.highest[number] >= most - CLOSE:
            said[parameter.name] = End(
                f"the {parameter.name} lies at an edge of the range the {family.name} family has for it "
                f"({np.exp(least):.3g} to {np.exp(most):.3g}): another family may describe such a response"
            )
            continue
        ends = family.limits.get(parameter.name, ("", ""))
        everywhere = (seen.highest[number] <= -FAR, seen.lowest[number] >= FAR)
        alone = abs(seen.information[number, number]) <= NOTHING
        known = alone or _told_beside(seen.information, number) <= NOTHING
        rounded = (seen.highest[number] <= -ROUNDED, seen.lowest[number] >= ROUNDED)
        for side, word in enumerate(ends):
            where, count = "", int(seen.beyond[side][number])
            every = bool(everywhere[side] and (known or rounded[side]))
            if not every:
                far = (-seen.lowest[number], seen.highest[number])[side] >= ROUNDED and not len(apart)
                if not count or (verified and not (far and parameter.name in family.shrinks)):
                    continue
                where = f" in {count:,} rows (the first is row {int(seen.first[side][number])})"
            if word:
                said[parameter.name] = End(
                    f"the {parameter.name} of {family.name} has no finite estimate{where}: the likelihood "
                    f"rises to its limit, {word}; the other parameters hold there",
                    (2 * side - 1) * (every and bool(alone or rounded[side])),
                )
    return said


def _told_beside(information: Array, number: int) -> float:
    """Return the information about a parameter in all rows together, the others unknown.

    A law may leave two of them free to run together, as that of a truncated count with a shape of 0.
    """
    own, others = information[number], np.delete(information, number, axis=0)
    if not np.all(np.isfinite(information)):
        return math.inf
    shares = np.linalg.lstsq(np.delete(others, number, axis=1), others[:, number], rcond=None)[0]
    return float(abs(own[number] - np.delete(own, number) @ shares))


def _doubted(family: VectorFamily, count: int) -> dict[str, End]:
    """Say what is wrong with the law in so many rows."""
    why = family.doubts(np.zeros((0, len(family.parameters))))[1]
    return {LAW: End(f"in {count:,} rows {why}")} if count else {}


def _spread(family: VectorFamily, chunk: Chunk, raw: Array, apart: NDArray[np.intp]) -> Spread:
    eta = etas(chunk, raw)
    total = chunk.weights.total()
    with np.errstate(all="ignore"):
        t = np.stack(family.natural(np, eta), axis=1)
        information = family.bind(np, "observed")(chunk.y, eta)[2]
    weighted = information if total is None else information * total[:, None, None]
    none = np.zeros(t.shape[1])
    nothing = np.zeros((t.shape[1], t.shape[1]))
    if not len(t):
        return Spread(none + np.inf, none - np.inf, nothing, (none, none), (none + np.inf, none + np.inf))
    away = (t <= -APART, t >= APART)
    heard = ~(np.isin(chunk.row_ids, apart) & says_nothing(family, chunk, raw))[:, None]
    first = tuple(np.where(side, chunk.row_ids[:, None], np.inf).min(axis=0) for side in away)
    return Spread(
        np.where(heard, t, np.inf).min(axis=0),
        np.where(heard, t, -np.inf).max(axis=0),
        weighted.sum(axis=0),
        (away[0].sum(axis=0), away[1].sum(axis=0)),
        (first[0], first[1]),
        int(family.doubts(eta)[0].sum()),
    )
