"""Newton steps that creep, each with e^-1 of the last decrement: what running away looks like.

Then the direction is verified at once, instead of being followed to where numbers overflow.

May import: everything below `fit`.
Read next: `etamu.fit.separation` and `etamu.fit.limit`, whose climbs are watched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from etamu._base.types import Array
from etamu.fit.face import TooWideError
from etamu.solve.direction import FINAL
from etamu.solve.loop import Callback
from etamu.solve.newton import newton
from etamu.solve.oracle import Local, Oracle, Outcome, Solution, Step

CREEPS = 4
"""Newton steps in a row that must creep before running away is suspected."""
BETWEEN = (0.15, 0.7)
"""A decrement that creeps is this share of the last; e^-1 for every tail of an exponential family."""
NEWTONS = frozenset({"observed", "surrogate"})
"""Kinds of steps that are Newton's, or no more than half as long again."""
SMALL = 1e-2
"""Decrement above which nothing is suspected: a start far off creeps too."""

F = TypeVar("F")


class Creeping(Exception):  # noqa: N818  # no error: a search that ends early
    """Raised inside a search to end it; holds where it was."""

    def __init__(self, beta: Array, steps: tuple[Step, ...]) -> None:
        self.beta = beta
        self.steps = steps


def watch() -> Callback:
    """Return what ends a search whose last steps creep."""
    seen: list[Step] = []

    def watch(step: Step, beta: Array) -> None:
        seen.append(step)
        if _creeps(seen):
            raise Creeping(beta, tuple(seen))

    return watch


def _creeps(steps: list[Step]) -> bool:
    last = steps[-CREEPS - 1 :]
    if len(last) <= CREEPS or last[-1].decrement > SMALL:
        return False
    if any(step.information not in NEWTONS or step.length != 1.0 for step in last):
        return False
    ratios = [after.decrement / before.decrement for before, after in pairwise(last) if before.decrement > 0]
    return len(ratios) == CREEPS and all(BETWEEN[0] < ratio < BETWEEN[1] for ratio in ratios)


def caught(
    oracle: Oracle, suspicion: Creeping, verify: Callable[[Local], F | None] | None
) -> tuple[Solution, F | None]:
    """Verify the direction in which steps creep; where it is none, climb on from there."""
    steps, passes = suspicion.steps, len(suspicion.steps) + 1
    if verify is not None:
        local, passes = oracle.at(suspicion.beta, FINAL), passes + 1
        try:
            found = verify(local)
        except TooWideError:  # what is too wide now will be when the climb has ended, and is said then
            found = None
        if found is not None:
            return Solution(suspicion.beta, local, Outcome.INFINITE, steps, passes), found
    climbed = newton(oracle, suspicion.beta)
    return replace(climbed, steps=(*steps, *climbed.steps), passes=climbed.passes + passes), None
