"""A problem set up for solving: rows that count, columns of full rank, and the oracle to be maximised.

May import: everything below `fit`; nothing that takes a fit.
Read next: `etamu.fit.estimate`, which solves it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

from etamu._base.errors import AliasWarning
from etamu._base.facts import dataclass
from etamu._base.listing import listed
from etamu.design.chunk import Chunk, Predictor
from etamu.design.coordinates import Coordinates, describe, exclusive, extent, squared_lengths, standardised
from etamu.design.moments import Moments
from etamu.execute.threads import DEAR, Threads
from etamu.fit.aliases import aliased_or_doubtful, shown_by
from etamu.fit.caller import user_level
from etamu.fit.opening import Opened
from etamu.fit.pilot import ENOUGH, size_of
from etamu.fit.placed import visits
from etamu.fit.problem import Problem
from etamu.fit.sample import Sampled, drawn
from etamu.fit.start import Normal, normal_equations
from etamu.objective.likelihood import Likelihood
from etamu.solve.newton import BROAD

LONG = 200_000
"""From this many on a pass costs more than the algebra of a step, and is saved where it may be."""
WIDE = 200
"""From so many numbers per row on an information costs several times as much as a score."""
NARROW = 30
"""Up to so many columns float32 saves nothing."""


class UnreadError(Exception):
    """Raised where numbers that nobody had read are not finite: somebody has to say which."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A problem set up for solving: rows that count, in shifted and scaled columns of full rank."""

    chunk: Chunk
    executor: Threads
    coordinates: Coordinates
    moments: Moments
    sampled: Sampled | None = None
    doubtful: bool = False
    """Whether a Gram does not show the columns independent, though they are."""
    normal: Normal | None = None
    """The equations of the first least squares, where they are known."""
    hasty: bool = False
    """Whether moments are those of the sample."""
    waits: bool = False
    """Whether the fit of the sample has yet to show the columns independent."""
    level: float | None = None
    """The sum of the largest exponents, where it is known."""
    opened: Opened | None = None
    """What the climb sees first, where it was looked at beforehand."""
    null: Callable[[], float] | None = None
    """What waits for the deviance of the null model, where that has begun."""


def prepare(problem: Problem, *, hasty: bool = False, begin: bool = False) -> Stage:
    """Shift and scale the columns that count and drop the aliased ones.

    In haste by what a sample shows of them, if it, or its fit for which the stage then `waits`, shows them
    independent. Where the fit is to `begin` without a sample, it begins by least squares: their equations
    mostly show that no column is an alias, and then need not be summed again.
    """
    chunk = problem.counting()
    predictor = chunk.predictors[0]
    if not (predictor.design.read or problem.all_count):
        raise UnreadError  # rows that do not count are no part of any pass
    sampled = _sample(problem, chunk)
    moments, hasty = _described(problem, chunk, sampled, hasty=hasty)
    placed, coordinates = standardised(predictor.design, problem.layout, moments)
    ready = chunk.beside((Predictor(placed, predictor.offset),))
    executor = Threads(ready, **visits(problem.options))
    sampled = None if sampled is None else sampled.placed(coordinates)
    doubtful, normal = False, None
    if begin and sampled is None and coordinates.size:
        normal = normal_equations(executor, problem.unit, coordinates, ready)
    waits = hasty and sampled is not None and not sampled.chunk.coded and coordinates.size >= BROAD
    if not (waits or _shown(normal, ready, moments) or shown_by(sampled, coordinates)):
        if hasty:
            return prepare(problem, begin=begin)
        gone, doubtful = aliased_or_doubtful(executor, coordinates)
        coordinates = coordinates.without(gone)
    if coordinates.aliased:
        count, names = len(coordinates.aliased), listed(coordinates.aliased)
        message = f"{count} column(s) are linear combinations of earlier ones and have no coefficient (NaN): "
        warnings.warn(message + names, AliasWarning, stacklevel=user_level())
    return Stage(ready, executor, coordinates, moments, sampled, doubtful, normal, hasty, waits)


def _shown(normal: Normal | None, chunk: Chunk, moments: Moments) -> bool:
    """Tell whether the equations of the first least squares show every column independent."""
    if normal is None:
        return False
    total = chunk.weights.total()
    heaviest = 1.0 if total is None else float(total.max())
    return normal.independent(squared_lengths(normal.coordinates, moments), heaviest)


def _described(
    problem: Problem, chunk: Chunk, sampled: Sampled | None, *, hasty: bool
) -> tuple[Moments, bool]:
    """Describe every raw column, and tell whether in haste: by the sample, of rows that the kernel reads."""
    design = chunk.predictors[0].design
    if design.described is not None:
        return design.described, False
    if hasty and sampled is not None and sampled.chunk.compiled is not None:
        return _moments(problem, sampled.outline), True
    moments = _moments(problem, chunk)
    if not (design.read or moments.finite):
        raise UnreadError
    return moments, False


def _moments(problem: Problem, chunk: Chunk) -> Moments:
    """Describe every raw column of some rows, block by block."""
    rows = Threads(chunk, **visits(problem.options))
    return rows.reduce(lambda block: describe(block.predictors[0].design))


def _sample(problem: Problem, chunk: Chunk) -> Sampled | None:
    """Draw the rows of the pilot, where passes are dear and any eta has a mean."""
    if chunk.cells < DEAR or not problem.unit.domain.whole:
        return None
    width = problem.layout.width
    size = size_of(len(chunk), width, coded=chunk.coded)
    return drawn(chunk, size) if size >= ENOUGH * width else None


def likelihood_of(problem: Problem, stage: Stage) -> Likelihood:
    """State the oracle whose maximum is sought."""
    known, df = problem.unit.family.dispersion_known, problem.nobs - stage.coordinates.size
    normal = stage.normal
    return Likelihood(
        stage.executor,
        problem.unit,
        stage.coordinates,
        extent(stage.coordinates, stage.moments),
        None if known else float(df),
        dear=stage.chunk.cells >= LONG,
        single=stage.chunk.cells >= DEAR and stage.coordinates.size >= NARROW,
        wide=stage.chunk.predictors[0].design.stored >= WIDE,
        groups=exclusive(stage.chunk.predictors[0].design, stage.coordinates),
        steady=None if normal is None else normal.steady(problem.unit, stage.chunk, stage.executor),
    )
