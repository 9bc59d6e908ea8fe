"""Several starts, where the likelihood may have several maxima: the best end is kept.

A unit that is convex in eta has one maximum and is climbed once. With a cauchit link an outlier makes a
maximum of its own, and with a Gaussian or inverse Gaussian response beside a curved link there may be more
than one. Then the climb is repeated from the other natural starts, from the first end with its slopes weaker,
stronger and turned, and from a few directions that are the same in every run.

May import: everything below `fit`.
Read next: `etamu.fit.start`, the natural starts; `etamu.fit.estimate`, which asks for this.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.family.unit import Unit
from etamu.fit.start import candidates
from etamu.objective.likelihood import Likelihood
from etamu.solve.oracle import Outcome, Solution

CELLS = 200_000
"""Numbers in the rows up to which a fit is so cheap that it may be repeated."""
SLOPES = (0.3, 3.0, 10.0, -1.0)
"""The slopes of the first end are multiplied by these."""
STRENGTHS = (1.0, 4.0)
"""And those of the least squares that leaves outliers aside by these."""
DIRECTIONS = 8
SEED = 20261121
"""Of the directions, which are the same in every run."""
HALVINGS = 20
BETTER = 1e-9
"""Gain, as a share of the value, for which another end is preferred: less is the same maximum."""
HOPEFUL = 2
"""An end that is reached again this many times in a row is not likely to be beaten."""
WARY = 4
"""The same for a bounded mean, and one more for each column: there every outlier makes a maximum."""

Climb = Callable[[Array], Solution]
FOUND = (Outcome.CONVERGED, Outcome.BOUNDARY)


def best_of(oracle: Likelihood, unit: Unit, chunk: Chunk, first: Solution, climb: Climb) -> Solution:
    """Climb again from other starts and return the best end, with the trace of its own climb."""
    if unit.convex or chunk.cells > CELLS or first.outcome not in FOUND or oracle.size < 2:
        return first
    best, again = first, 0
    enough = WARY + oracle.size if math.isfinite(unit.family.mean.upper) else HOPEFUL
    for start in _others(oracle, unit, chunk, first.beta):
        found = climb(start)
        gain = found.local.value - best.local.value
        if found.outcome in FOUND and gain > BETTER * max(abs(best.local.value), 1e-300):
            best, again = found, 0
        elif abs(gain) <= BETTER * max(abs(best.local.value), 1e-300):
            again += 1
        if again >= enough:
            break
    return best


def _others(oracle: Likelihood, unit: Unit, chunk: Chunk, end: Array) -> Iterator[Array]:
    """Yield other starts inside the domain."""
    yield from (start for start in candidates(oracle, unit, chunk) if _inside(oracle, start))
    constant = oracle.coordinates.layout.constant
    level = np.zeros_like(end)
    if constant is not None:
        along = oracle.coordinates.working(constant)
        with np.errstate(all="ignore"):
            level = along * float(end @ along) / float(along @ along)
    rows = oracle.coordinates.rows(chunk.predictors[0].design)
    sturdy = _sturdy(unit, chunk, rows)
    for times in STRENGTHS:
        yield from _shortened(oracle, level, times * (sturdy - level))
    for times in SLOPES:
        yield from _shortened(oracle, level, times * (end - level))
    typical = 1.0 if np.isfinite(unit.family.mean.upper) else _spread(rows @ end)
    draws = np.random.default_rng(SEED).normal(size=(DIRECTIONS, len(end)))
    for place, draw in enumerate(draws):
        spread = _spread(rows @ draw)
        if spread > 0:
            yield from _shortened(oracle, level, (1.0 + 3.0 * (place % 2)) * typical / spread * draw)


def _spread(values: Array) -> float:
    """Return the median distance from the median, which no outlier moves."""
    return float(np.median(np.abs(values - np.median(values))))


def _sturdy(unit: Unit, chunk: Chunk, rows: Array) -> Array:
    """Solve the first least squares with rows of high leverage weighed down."""
    mean, trials = unit.observed(chunk.y)
    with np.errstate(all="ignore"):
        mu = unit.family.start(mean, np.ones_like(mean) if trials is None else trials)
        eta = np.asarray(unit.link.link(np, mu, 1.0 - mu), dtype=np.float64)
    offset = chunk.predictors[0].offset
    response = eta if offset is None else eta - offset
    usable = np.isfinite(response)
    basis = np.linalg.qr(rows)[0]
    leverage = np.square(basis).sum(axis=1)
    with np.errstate(over="ignore"):  # beside rows of zeros any other row is an outlier
        weight = usable / (1.0 + np.square(leverage / max(float(np.median(leverage)), 1e-300)))
    return np.asarray(
        np.linalg.lstsq(rows * weight[:, None], np.where(usable, response, 0.0) * weight, rcond=None)[0]
    )


def _shortened(oracle: Likelihood, level: Array, slopes: Array) -> Iterator[Array]:
    """Yield level + slopes, the slopes halved until every eta has a mean; nothing if none has."""
    for halving in range(HALVINGS):
        start = level + 0.5**halving * slopes
        if _inside(oracle, start):
            yield start
            return


def _inside(oracle: Likelihood, start: Array) -> bool:
    return bool(np.isfinite(oracle.along(start, start * 0.0, np.zeros(1))[0]))
