"""From a problem to a Fit: aliases, start, solver, covariance, dispersion, likelihood.

May import: everything below `fit`.
Read next: `etamu.fit.result`, what comes out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

import numpy as np

from etamu import sums
from etamu._base.arrow import all_finite
from etamu._base.errors import AliasWarning, ConvergenceWarning, DataError, OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.chunk import Chunk, Predictor
from etamu.design.coordinates import Coordinates, describe, exclusive, extent, standardised
from etamu.design.moments import Moments
from etamu.execute.blas import held
from etamu.execute.threads import ALONE, Threads
from etamu.fit.aliases import aliased
from etamu.fit.caller import user_level
from etamu.fit.covariance import covariance
from etamu.fit.likelihood import log_likelihood
from etamu.fit.limit import Found, inside, moved_chunk
from etamu.fit.null import null_deviance
from etamu.fit.phi import Phi, estimated_phi
from etamu.fit.pilot import ENOUGH, pilot, size_of
from etamu.fit.placed import Placed, bread, visits
from etamu.fit.problem import Problem
from etamu.fit.result import Fit
from etamu.fit.sample import Sampled, drawn
from etamu.fit.separation import answered, reached, rest, unsettled
from etamu.fit.start import start
from etamu.infer.autocorrelation import usual_lags
from etamu.infer.covariance import Root, condition
from etamu.objective.likelihood import Likelihood
from etamu.solve.factor import clearly_independent
from etamu.solve.gradient import gradient
from etamu.solve.irls import irls
from etamu.solve.lbfgs import lbfgs
from etamu.solve.loop import Callback
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome, Solution

SOLVERS: dict[str, Callable[..., Solution]] = {
    "newton": newton,
    "irls": irls,
    "gradient": gradient,
    "lbfgs": lbfgs,
}

DEAR = 2_000_000
"""From this many numbers in the rows on a pass costs milliseconds, and is saved where it may be."""

WIDE = 50
"""From so many numbers per row on an information costs several times as much as a score."""
NARROW = 30
"""Up to so many columns float32 saves nothing."""
FEW = 4
"""Rows per column that are looked at first, to see that no column is an alias."""

WIDEST = 12_000
"""Columns whose covariance, with what its making needs, takes some 4 GB."""

WARN_CONDITION = 1e10
"""Above this condition number the estimate is said to be doubtful."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A problem set up for solving: rows that count, in shifted and scaled columns of full rank."""

    chunk: Chunk
    executor: Threads
    coordinates: Coordinates
    moments: Moments
    sampled: Sampled | None = None


def estimate(problem: Problem) -> Fit:
    """Fit a problem.

    Raises
    ------
    DataError
        If no row counts, or the start given is outside the domain of the link.
    """
    if not problem.counted.any():
        raise DataError("no row has a positive weight: there is nothing to fit; check weights and trials")
    _refuse_too_wide(problem)
    # A BLAS whose threads still spin after a small factorisation takes the cores from the next pass.
    with held() if problem.chunk.cells > ALONE else nullcontext():
        stage = prepare(problem)
        oracle = likelihood_of(problem, stage)
        solve = partial(_solved, problem, oracle, stage)
        found = reached(problem, oracle, stage.executor, stage.sampled, solve)
        said = problem
        if found.limit is not None:
            said = answered(problem, stage.coordinates, found.limit)
        elif not found.settled:
            said = unsettled(problem, found.solution)
        if said is not problem:
            fit = estimate(said)
            return replace(fit, problem=rest(fit.problem, problem))
        if found.limit is None and found.settled:
            _say_outcome(found.solution)
        return _finish(problem, stage, found)


def _refuse_too_wide(problem: Problem) -> None:
    """Refuse more columns than their covariance, a square matrix, has memory for."""
    width = problem.layout.width
    if width <= WIDEST:
        return
    widest = max(problem.layout.terms, key=lambda term: term.columns.stop - term.columns.start)
    count = widest.columns.stop - widest.columns.start
    raise DataError(
        f"the model has {width:,} columns, {count:,} of them from {widest.label!r}; their covariance is a "
        f"square matrix, and more than {WIDEST:,} columns are refused before memory runs out. Merge rare "
        f"levels of {widest.label!r}, replace it by what its levels have in common, or compare within levels"
    )


def _solved(problem: Problem, oracle: Likelihood, stage: Stage, watch: Callback | None = None) -> Solution:
    """Climb from the start that was given, from the pilot, or from the usual start."""
    solver = problem.options.solver
    if stage.sampled is not None and problem.options.start is None and solver in {"newton", "irls"}:
        found = pilot(oracle, problem.unit, stage.sampled)
        if found is not None:
            beta, metric = found
            if solver == "newton":
                return newton(oracle, beta, metric=metric, callback=watch)
            return irls(oracle, beta, callback=watch)
    return SOLVERS[solver](oracle, _first(problem, oracle, stage), callback=watch)


def prepare(problem: Problem) -> Stage:
    """Shift and scale the columns that count and drop the aliased ones."""
    chunk = problem.counting()
    predictor = chunk.predictors[0]
    options = problem.options
    raw = Threads(chunk, **visits(options))
    moments = predictor.design.described or raw.reduce(lambda block: describe(block.predictors[0].design))
    placed, coordinates = standardised(predictor.design, problem.layout, moments)
    ready = Chunk(
        (Predictor(placed, predictor.offset),), chunk.y, chunk.weights, chunk.row_ids, chunk.cluster
    )
    executor = Threads(ready, **visits(options))
    sampled = _sample(problem, ready, coordinates)
    if not _independent(sampled, coordinates):
        coordinates = coordinates.without(aliased(executor, coordinates))
    if coordinates.aliased:
        names = ", ".join(coordinates.aliased)
        message = (
            f"{len(coordinates.aliased)} column(s) are linear combinations of earlier ones and have no "
            f"coefficient (NaN): {names}"
        )
        warnings.warn(message, AliasWarning, stacklevel=user_level())
    return Stage(ready, executor, coordinates, moments, sampled)


def _sample(problem: Problem, chunk: Chunk, coordinates: Coordinates) -> Sampled | None:
    """Draw the rows of the pilot, where passes are dear and any eta has a mean."""
    if chunk.cells < DEAR or not problem.unit.domain.whole:
        return None
    coded = not all(block.shiftable for block in chunk.predictors[0].design.blocks)
    size = size_of(len(chunk), coordinates.size, coded=coded)
    return drawn(chunk, size) if size >= ENOUGH * coordinates.size else None


def likelihood_of(problem: Problem, stage: Stage) -> Likelihood:
    """State the oracle whose maximum is sought."""
    df = problem.nobs - stage.coordinates.size
    known = problem.unit.family.dispersion_known
    return Likelihood(
        stage.executor,
        problem.unit,
        stage.coordinates,
        extent(stage.coordinates, stage.moments),
        None if known else float(df),
        dear=stage.chunk.cells >= DEAR,
        single=stage.chunk.cells >= DEAR and stage.coordinates.size >= NARROW,
        wide=stage.chunk.predictors[0].design.stored >= WIDE,
        groups=exclusive(stage.chunk.predictors[0].design, stage.coordinates),
    )


def _independent(sampled: Sampled | None, coordinates: Coordinates) -> bool:
    """Tell whether a few rows show every column independent: then they are so in all."""
    if sampled is None or not coordinates.size:
        return not coordinates.size
    for every in sorted({max(len(sampled.chunk) // (FEW * coordinates.size), 1), 1}, reverse=True):
        few = sampled.part(every).chunk.predictors[0].design
        if clearly_independent(coordinates.gram(few.gram_parts(np.ones(few.length)))):
            return True
    return False


def _first(problem: Problem, oracle: Likelihood, stage: Stage) -> Array:
    given = problem.options.start
    if given is None:
        return start(oracle, problem.unit, stage.chunk)
    if len(given) != problem.layout.width:
        raise OptionError(
            f"start has {len(given)} numbers and the model {problem.layout.width} coefficients: "
            + ", ".join(problem.layout.names)
        )
    numbers = np.asarray(given, dtype=np.float64)
    for j in stage.coordinates.kept[~np.isfinite(numbers[stage.coordinates.kept])]:
        raise OptionError(f"start is {numbers[j]} for {problem.layout.names[j]!r}; give a finite number")
    beta = stage.coordinates.working(numbers)
    if not np.isfinite(oracle.along(beta, beta * 0.0, np.zeros(1))[0]):
        raise OptionError(
            f"start puts some eta outside {problem.unit.domain!r}, where the {problem.unit.link.name} link "
            "has no mean this family can have; leave start out or choose one inside"
        )
    return beta


def _say_outcome(solution: Solution) -> None:
    if solution.outcome is not Outcome.CONVERGED:
        warnings.warn(solution.outcome.advice, ConvergenceWarning, stacklevel=user_level())


def _finish(problem: Problem, stage: Stage, found: Found) -> Fit:
    solution, limit, coordinates = found.solution, found.limit, stage.coordinates
    local = solution.local
    deviance = abs(2.0 * local.value)  # never -0.0
    raw = coordinates.raw(solution.beta)
    chi2 = local.beside
    if chi2 is None:
        chi2 = stage.executor.reduce(partial(sums.pearson, beta=raw, unit=problem.unit))
    df_resid = problem.nobs - coordinates.size
    phi = estimated_phi(problem, stage.chunk, raw, deviance=deviance, chi2=chi2, df=df_resid)
    at = Placed(problem, stage.executor, coordinates, solution.beta)
    if limit is not None:
        moved = stage.executor.over(moved_chunk(stage.chunk, coordinates, limit))
        stated = inside(problem, coordinates, limit) if problem.options.covariance == "HAC" else problem
        at = Placed(stated, moved, limit.inner(coordinates), limit.beta)
    root, kind, lags = _covariance(at, solution, phi)
    likelihood = log_likelihood(problem, stage.chunk, raw, deviance, phi)
    intercept = "Intercept" in problem.layout.names
    null = null_deviance(problem.unit, stage.chunk, stage.executor, intercept=intercept)
    return Fit(
        problem=problem,
        coordinates=coordinates,
        beta=solution.beta,
        factor=root if limit is None else limit.lifted(root),
        covariance_kind=kind,
        phi=phi,
        deviance=deviance,
        null_deviance=null,
        pearson_chi2=chi2,
        nobs=problem.nobs,
        df_resid=df_resid,
        df_null=problem.nobs - int(intercept),
        likelihood=likelihood,
        solution=solution,
        lags=lags,
        fitting=estimate,
        limit=limit,
    )


def _covariance(at: Placed, solution: Solution, phi: Phi) -> tuple[Root, str, int | None]:
    """Choose the covariance that was asked for; return its root, its kind, and lags where it has some."""
    problem = at.problem
    sampling = problem.chunk.weights.sampling is not None
    kind = problem.options.covariance or ("HC1" if sampling else "model")
    observed = kind == "observed"
    information = solution.local.observed if observed else solution.local.expected
    if information is not None and all_finite(information):
        cond = condition(information)
        if cond > WARN_CONDITION:
            message = (
                f"the columns are nearly collinear (condition number {cond:.1e}): few digits can be trusted"
            )
            warnings.warn(message, ConvergenceWarning, stacklevel=user_level())
    lags = usual_lags(len(problem.chunk)) if kind == "HAC" else None
    return covariance(at, kind, bread(at, information, observed=observed), phi, lags), kind, lags
