"""Parameters that ran to an end of their axis, where the family is a simpler one: said in its words.

May import: everything below `vector`.
Read next: `etamu.vector.estimate`, which asks.
"""

from __future__ import annotations

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.execute.threads import Threads
from etamu.family.vector import VectorFamily
from etamu.sums import etas

FAR = 8.0
"""Distance on the scale of logarithms or log odds from which a parameter can be at its end."""
NOTHING = 1e-6
"""Information about it, in all rows together, below which nothing is known of how far it is."""

CLOSE = 0.02
"""Distance on the scale of logarithms within which a parameter is at an edge."""


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Over rows: the ends of each natural coordinate, and the information about it; adds up."""

    lowest: Array
    highest: Array
    information: Array

    def __add__(self, other: Spread) -> Spread:
        return Spread(
            np.minimum(self.lowest, other.lowest),
            np.maximum(self.highest, other.highest),
            self.information + other.information,
        )


def at_limits(family: VectorFamily, executor: Threads, raw: Array) -> tuple[str, ...]:
    """Say of each parameter that is at an end of its axis what the law is there.

    Parameters
    ----------
    family : VectorFamily
    executor : Threads
        The rows.
    raw : array
        Coefficients of the raw columns of all predictors.
    """
    if not (family.limits or family.edges):
        return ()
    seen = executor.reduce(lambda chunk: _spread(family, chunk, raw))
    said: list[str] = []
    for number, parameter in enumerate(family.parameters):
        least, most = family.edges.get(parameter.name, (-np.inf, np.inf))
        if seen.lowest[number] <= least + CLOSE or seen.highest[number] >= most - CLOSE:
            said.append(
                f"the {parameter.name} lies at an edge of the range the {family.name} family has for it "
                f"({np.exp(least):.3g} to {np.exp(most):.3g}): another family may describe such a response"
            )
            continue
        if parameter.name not in family.limits or not abs(seen.information[number]) <= NOTHING:
            continue
        lower, upper = family.limits[parameter.name]
        low, high = seen.highest[number] <= -FAR, seen.lowest[number] >= FAR
        word = lower if low else upper if high else ""
        if word:
            said.append(
                f"the {parameter.name} of {family.name} has no finite estimate: the likelihood rises to its "
                f"limit, {word}; its number and standard error say no more than that, the others hold there"
            )
    return tuple(said)


def _spread(family: VectorFamily, chunk: Chunk, raw: Array) -> Spread:
    eta = etas(chunk, raw)
    total = chunk.weights.total()
    with np.errstate(all="ignore"):
        t = np.stack(family.natural(np, eta), axis=1)
        information = family.bind(np, "observed")(chunk.y, eta)[2]
    here = np.abs(np.diagonal(information, axis1=1, axis2=2))
    weighted = here if total is None else here * total[:, None]
    if not len(t):
        none = np.zeros(t.shape[1])
        return Spread(none + np.inf, none - np.inf, none)
    return Spread(t.min(axis=0), t.max(axis=0), weighted.sum(axis=0))
