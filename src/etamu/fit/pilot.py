"""The pilot: the model fitted to a sample of the rows, so that the passes over all of them start close.

May import: everything below `fit`.
Read next: `etamu.fit.estimate`, which starts from it; `etamu.solve.pilot` for the steps.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from etamu._base.errors import DataError
from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.design.chunk import Chunk
from etamu.family.unit import Unit
from etamu.fit.level import Level, level_of
from etamu.fit.sample import Sampled
from etamu.fit.start import constant_eta, start
from etamu.objective.likelihood import Likelihood
from etamu.solve.factor import Metric, clear
from etamu.solve.newton import STEP, Newton, roughly
from etamu.solve.pilot import Begun, rough

FIRST = 8
"""The sample is fitted from a start that every eighth of its rows gives, if there are enough of those."""
ENOUGH = 10
"""Rows per column without which a sample says too little."""
STEADY = 200
"""Rows per column from which on the information in the sample may stand for that in all rows."""
CLOSE = 0.05
"""A sample is fitted to this share of the squared distance that sampling leaves anyway, p n / m."""


FAR = 1e4
"""Columns, scaled as in the sample, may not reach further in all rows: else the sample has misled."""
SLIGHT = 1 / 30
"""Of at most this share of the rows a sample costs little enough to be asked again during the climb."""
MODEST = 1 / 8
"""The same where columns are levels, whose information costs several times as much as a score."""


@dataclass(frozen=True, slots=True, eq=False)
class Piloted:
    """Where the fit of a sample ended, and what the sample is still good for.

    Parameters
    ----------
    beta : array
    metric : Metric, optional
        The information there, where the sample has rows enough for it to stand for that in all rows.
    part : Likelihood, optional
        Of the sample, where that is so and asking it costs little beside a pass: the climb may ask it what
        the sum over all rows does beyond its second derivative.
    level : Level, optional
        Where the climb may sum exponents, not deviances.
    begun : Begun, optional
        The likelihood of all rows, where its first pass has been taken.
    rough : bool
        Whether that is so far from the maximum that a coarse information will do for its step.
    clear : bool
        Whether the information of the sample shows every column independent of the earlier ones, by far.
    """

    beta: Array
    metric: Metric | None
    part: Likelihood | None
    level: Level | None = None
    begun: Begun | None = None
    rough: bool = False
    clear: bool = False

    def over(self, oracle: Likelihood) -> Likelihood:
        """Return the likelihood of all rows as the climb asks it."""
        return oracle if self.level is None else self.level.over(oracle)

    def opened(self, oracle: Likelihood) -> tuple[Likelihood, Piloted] | None:
        """Take the first pass of the climb over columns of which only a sample was seen.

        It brings their extent, which the likelihood that is returned knows. None where the sample has
        misled: something is not finite, or far larger than in the sample.
        """
        want = STEP if self.part is not None else Newton(self.metric).want
        if self.rough and want & Want.CURVATURE:
            want |= Want.COARSE
        seen = self.over(oracle).opened(self.beta, want)
        if seen is None or not np.all(seen[1].extent <= FAR):
            return None
        local, asked = seen
        known = replace(oracle, extent=asked.extent, breadth=asked.breadth)
        return known, replace(self, begun=Begun(asked, self.beta, want, local))


def size_of(n: int, columns: int, *, coded: bool = False) -> int:
    """Choose how many of n rows to draw: 400 per column, a hundredth at least and a fifth at most.

    Of columns so many that the sample will not be asked again during the climb 200 will do: then it only has
    to give a start, and an information for the first step. Of coded columns a thirty-second, and a quarter at
    most: rows cost little there, and rare levels need them.

    Examples
    --------
    >>> size_of(1_600_000, 30), size_of(200_000, 100), size_of(30_000, 500)
    (16000, 20000, 6000)
    >>> size_of(1_600_000, 30, coded=True)
    50000
    """
    enough = 2 * STEADY * columns
    if coded:
        return min(n // 4, max(n // 32, enough))
    return min(n // 5, max(n // 100, enough if enough <= SLIGHT * n else STEADY * columns))


def pilot(oracle: Likelihood, unit: Unit, chunk: Chunk, sampled: Sampled) -> Piloted | None:
    """Fit a sample roughly; return where it ends and the information there, None where it is no help.

    A small ridge, one row's worth, keeps it finite where the sample separates. It starts from the constant
    alone, where there is one, and never goes down: what it finds is at least better than that.
    """
    if len(sampled.chunk) < ENOUGH * oracle.size:
        return None
    few = _over(oracle, sampled)
    beta: Array | None = None
    if len(sampled.chunk) >= FIRST * ENOUGH * oracle.size:
        part = sampled.part(FIRST)
        first = _fitted(_over(oracle, part), unit, part, None)
        beta = None if first is None else first[0]
    found = _fitted(few, unit, sampled, beta)
    if found is None:
        return None
    steady = len(sampled.chunk) >= STEADY * oracle.size
    slight = steady and sampled.share <= (MODEST if sampled.chunk.coded else SLIGHT)
    level = level_of(oracle.executor, unit, chunk, sampled.chunk, oracle.coordinates.raw(found[0]))
    # Of the part only score and information will be asked, whatever its level is.
    asked = few if level is None else level.over(few)
    rough = not steady and roughly(oracle, found[1])
    return Piloted(
        found[0],
        found[1] if steady else None,
        asked if slight else None,
        level,
        rough=rough,
        clear=clear(found[1]),
    )


def _over(oracle: Likelihood, sampled: Sampled) -> Likelihood:
    return replace(oracle, executor=oracle.executor.over(sampled.chunk), dear=False)


def _fitted(few: Likelihood, unit: Unit, sampled: Sampled, beta: Array | None) -> tuple[Array, Metric] | None:
    constant = few.coordinates.layout.constant
    eta = None if constant is None else constant_eta(unit, sampled.chunk)
    if beta is None and constant is not None and eta is not None:
        beta = few.coordinates.working(constant * eta)
    if beta is None:
        try:
            beta = start(few, unit, sampled.chunk)
        except DataError:
            return None
    strength = np.full(few.size, 1.0 / sampled.share)
    if constant is not None:
        strength[constant[few.coordinates.kept] != 0.0] = 0.0
    return rough(few, beta, strength, CLOSE * few.size / sampled.share)
