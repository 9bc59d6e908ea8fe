"""From a problem to a Fit: aliases, start, solver, covariance, dispersion, likelihood.

May import: everything below `fit`.
Read next: `etamu.fit.result`, what comes out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.errors import DataError
from etamu._base.facts import replace
from etamu._base.flags import count
from etamu._base.later import later
from etamu._base.types import Array
from etamu.design.chunk import Chunk, Predictor
from etamu.execute.threads import worthwhile
from etamu.family.unit import Unit
from etamu.fit.aliases import shown_by
from etamu.fit.covariance import covariance
from etamu.fit.edge import clear_of_edge, on_edge
from etamu.fit.face import Rows
from etamu.fit.levels_apart import Apart
from etamu.fit.likelihood import log_likelihood
from etamu.fit.limit import Found, inside, moved_chunk
from etamu.fit.measure import measured
from etamu.fit.null import ahead as null_ahead
from etamu.fit.null import constant_value, null_of
from etamu.fit.opening import opened
from etamu.fit.phi import Phi, estimated_phi, pearson_chi2, say_rounding
from etamu.fit.pilot import Piloted, pilot
from etamu.fit.placed import Placed, bread
from etamu.fit.problem import Problem, outside, start_of
from etamu.fit.refine import in_doubt, in_question, polished, refined, uphill
from etamu.fit.remeasured import back
from etamu.fit.result import Fit
from etamu.fit.separation import (
    Ahead,
    Solve,
    answered,
    decided,
    followed,
    foreseen,
    reached,
    rest,
    say_outcome,
    unsettled,
)
from etamu.fit.several import best_of
from etamu.fit.stage import Stage, likelihood_of, prepare
from etamu.fit.start import floored
from etamu.fit.start import start as starting_point
from etamu.fit.unshifted import blurred
from etamu.infer.covariance import Root
from etamu.objective.likelihood import Likelihood
from etamu.solve.loop import Callback
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome, Solution
from etamu.solve.surrogate import surrogate

if TYPE_CHECKING:
    from etamu.fit.beyond import beyond
    from etamu.fit.existence import levels_of
    from etamu.fit.reduced import penalty_value, reduced, refuse_unreduced
    from etamu.fit.rescue import crept, rescued, sharpened
    from etamu.fit.supremum import supremum
    from etamu.infer.autocorrelation import usual_lags
    from etamu.solve.gradient import gradient
    from etamu.solve.irls import irls
    from etamu.solve.lbfgs import lbfgs
else:
    beyond = later("etamu.fit.beyond", "beyond")
    levels_of = later("etamu.fit.existence", "levels_of")
    crept = later("etamu.fit.rescue", "crept")
    rescued = later("etamu.fit.rescue", "rescued")
    sharpened = later("etamu.fit.rescue", "sharpened")
    supremum = later("etamu.fit.supremum", "supremum")
    penalty_value = later("etamu.fit.reduced", "penalty_value")
    reduced = later("etamu.fit.reduced", "reduced")
    refuse_unreduced = later("etamu.fit.reduced", "refuse_unreduced")
    usual_lags = later("etamu.infer.autocorrelation", "usual_lags")
    gradient = later("etamu.solve.gradient", "gradient")
    irls = later("etamu.solve.irls", "irls")
    lbfgs = later("etamu.solve.lbfgs", "lbfgs")

SOLVERS: dict[str, Callable[..., Solution]] = {
    "newton": newton,
    "irls": irls,
    "gradient": gradient,
    "lbfgs": lbfgs,
}

EARLY = 30
"""Iterations after which the edge of a domain is looked at."""


def estimate(problem: Problem) -> Fit:
    """Fit a problem.

    Raises
    ------
    DataError
        If no row counts, or the start given is outside the domain of the link.
    """
    if not count(problem.counted):
        raise DataError("no row has a positive weight: there is nothing to fit; check weights and trials")
    near = measured(problem)
    if near is None:
        return _estimated(problem)
    rescaled, measure = near
    return replace(back(problem, _estimated(rescaled), measure), fitting=estimate)


def _estimated(problem: Problem) -> Fit:
    if problem.options.method != "ml":
        refuse_unreduced(problem)
    # A BLAS whose threads still spin after a small factorisation takes the cores from the next pass.
    with worthwhile(problem.chunk.cells, problem.layout.width):
        if problem.options.method != "ml":  # adjusted scores have a finite root in any case
            stage = prepare(problem)
            oracle = likelihood_of(problem, stage)
            adjusted = reduced(problem, stage.chunk, oracle, _first(problem, oracle, stage))
            return _answered(problem, stage, Found(None, adjusted, settled=True))
        usual = problem.options.solver == "newton" and problem.options.start is None
        null = null_ahead(problem)
        stage, oracle, piloted, ahead = _begun(problem, hasty=usual)
        if usual and piloted is None and ahead is None and stage.normal is not None and not stage.doubtful:
            null = null or null_of(problem, stage.chunk, stage.executor)
            begun = opened(oracle, problem.unit, stage.chunk, stage.normal, constant_value(problem, null))
            stage = replace(stage, opened=begun)
        solve = partial(_climbed, problem, oracle, stage, piloted)
        found = _found(problem, oracle, stage, solve, ahead)
        level = None if piloted is None or piloted.level is None else piloted.level.total
        stage = replace(stage, null=null, level=level)
        return _answered(problem, *_unblurred(problem, stage, found))


def _begun(
    problem: Problem, *, hasty: bool, apart: Apart | None = None
) -> tuple[Stage, Likelihood, Piloted | None, Ahead | None]:
    """Set up a problem and fit its sample, in haste unless levels separate or the sample misleads.

    In haste columns are placed by the sample; what else has to be known of them the climb's first pass tells.
    """
    stage = prepare(problem, hasty=hasty, begin=problem.options.start is None)
    oracle = likelihood_of(problem, stage)
    apart = apart or foreseen(problem, oracle, stage.executor, stage.sampled)
    if stage.hasty and apart is not None:
        return _begun(problem, hasty=False, apart=apart)
    ahead = followed(apart, problem, oracle, stage.executor, stage.sampled)
    piloted = _piloted(problem, oracle, stage)
    if stage.waits and not ((piloted and piloted.clear) or shown_by(stage.sampled, stage.coordinates)):
        return _begun(problem, hasty=False)
    stage = replace(stage, sampled=None)  # its rows are not needed any more, and may be many
    if stage.hasty:
        opened = None if piloted is None else piloted.opened(oracle)
        return _begun(problem, hasty=False) if opened is None else (stage, *opened, None)
    if ahead is not None and piloted is not None:
        ahead = replace(ahead, beta=piloted.beta)
    return stage, oracle, piloted, ahead


def conclude(problem: Problem, stage: Stage, solution: Solution) -> Fit:
    """Make the Fit at a solution that was found beside a parameter of the family."""
    found = _found(problem, likelihood_of(problem, stage), stage, lambda _: solution)
    return _answered(problem, stage, found)


def _found(
    problem: Problem, oracle: Likelihood, stage: Stage, solve: Solve, ahead: Ahead | None = None
) -> Found:
    """Find the estimate to its last digits, or what it comes to where no finite one exists."""
    found = reached(problem, oracle, stage.executor, solve, ahead)
    if found.limit is not None:
        return found
    solution = polished(oracle, stage.chunk, refined(problem, oracle, found.solution))
    if solution is not found.solution:  # the last steps may have led to an edge
        solution = on_edge(oracle, problem.unit, stage.chunk, solution)
    solution = clear_of_edge(oracle, solution)
    if not found.settled:
        # What keeps a direction from being verified may be rows that it nearly leaves at rest: then there is
        # a finite maximum, far away or on an edge.
        again = _helped(problem, oracle, stage, _stalled(solution))
        if again.outcome in {Outcome.CONVERGED, Outcome.BOUNDARY}:
            return Found(None, again, settled=True)
        return replace(found, solution=solution if levels_of(problem) else again)
    # No direction separates the rows: rounding only looked like it.
    solution = _helped(problem, oracle, stage, _stalled(solution))
    if not in_doubt(oracle, stage.chunk, solution):
        return replace(found, solution=solution)
    rows = Rows(problem.unit, stage.executor, oracle.coordinates)
    if found.solution.outcome is Outcome.CONVERGED:  # no direction has been looked for yet
        found = decided(problem, oracle, rows, solution)
        if found.limit is not None or not found.settled:
            return found
    crept_to = crept(oracle, problem.unit, stage.chunk, solution)
    return supremum(rows, oracle, crept_to) or replace(found, solution=crept_to)


def _unblurred(problem: Problem, stage: Stage, found: Found) -> tuple[Stage, Found]:
    """Find the estimate again in columns as they came, where shifted ones cost it digits."""
    solution = found.solution
    lost = found.settled and in_question(solution)
    if found.limit is not None or not (lost or blurred(stage, solution)):
        return stage, found
    plain, solution = (beyond if lost else sharpened)(problem, stage, solution, likelihood_of)
    return plain, replace(found, solution=solution)


def _stalled(solution: Solution) -> Solution:
    """Say of a search that seemed to run away to nowhere that it stalled."""
    infinite = solution.outcome is Outcome.INFINITE
    return replace(solution, outcome=Outcome.STALLED) if infinite else solution


def _helped(problem: Problem, oracle: Likelihood, stage: Stage, solution: Solution) -> Solution:
    """Climb again row by row where it is in doubt whether a climb has arrived."""
    doubtful = in_doubt(oracle, stage.chunk, solution)
    return rescued(oracle, problem.unit, stage.chunk, solution) if doubtful else solution


def _answered(problem: Problem, stage: Stage, found: Found) -> Fit:
    """Say how the search ended, and make the Fit that was asked for where no finite estimate exists."""
    said = problem
    if found.limit is not None:
        said = answered(problem, stage.coordinates, found.limit)
    elif not found.settled:
        said = unsettled(problem, found.solution)
    if said is not problem:
        fit = estimate(said)
        return replace(fit, problem=rest(fit.problem, problem))
    if found.limit is None and found.settled:
        say_outcome(problem, stage, found.solution)
    return _finish(problem, stage, found)


def solved(problem: Problem, oracle: Likelihood, stage: Stage) -> Solution:
    """Climb from the start that was given, from the pilot, or from the usual start."""
    return _climbed(problem, oracle, stage, _piloted(problem, oracle, stage))


def _piloted(problem: Problem, oracle: Likelihood, stage: Stage) -> Piloted | None:
    """Return where the sample's fit ends and the information there; None without a sample, or of no use."""
    usual = problem.options.start is None and problem.options.solver in {"newton", "irls"}
    if not usual or stage.sampled is None:
        return None
    return pilot(oracle, problem.unit, stage.chunk, stage.sampled)


def _climbed(
    problem: Problem,
    oracle: Likelihood,
    stage: Stage,
    piloted: Piloted | None,
    watch: Callback | None = None,
) -> Solution:
    solver = problem.options.solver
    if stage.doubtful and solver in {"newton", "irls"}:
        climbed = uphill(oracle, _first(problem, oracle, stage))
        if climbed is not None:
            return climbed
    if piloted is not None:
        return _onwards(solver, oracle, piloted, watch)
    start = _first(problem, oracle, stage)
    if solver not in {"newton", "irls"}:
        return on_edge(oracle, problem.unit, stage.chunk, SOLVERS[solver](oracle, start, callback=watch))
    solve = SOLVERS[solver] if stage.opened is None else stage.opened.newton
    climb = partial(_to_edge, oracle, problem.unit, stage.chunk, partial(solve, callback=watch))
    ended = climb(start)
    given = problem.options.start is not None
    return ended if given else best_of(oracle, problem.unit, stage.chunk, ended, climb)


def _onwards(solver: str, oracle: Likelihood, piloted: Piloted, watch: Callback | None) -> Solution:
    """Climb from where the fit of the sample ended, with what it is still good for."""
    if solver == "irls":
        return irls(oracle, piloted.beta, callback=watch)
    first, level = piloted.begun or piloted.over(oracle), piloted.level
    if piloted.part is not None:
        found = surrogate(first, piloted.beta, piloted.part, callback=watch)
    else:
        found = newton(first, piloted.beta, metric=piloted.metric, callback=watch)
    if level is None or level.holds(oracle.coordinates.raw(found.beta)):
        return found
    # By deviances, which have digits where exponents lost them.
    again = newton(oracle, found.beta, callback=watch)
    return replace(again, steps=found.steps + again.steps, passes=found.passes + again.passes)


def _to_edge(
    oracle: Likelihood, unit: Unit, chunk: Chunk, solver: Callable[..., Solution], start: Array
) -> Solution:
    """Climb from a start; onto the edge of a domain, if the maximum is there."""
    if not oracle.restricted and oracle.df is None:
        return solver(oracle, start)
    # Beside an edge steps become ever shorter: whether the maximum is on it is asked before they are nothing.
    # And a fit that becomes perfect makes the unit of its own steps ever smaller.
    early = on_edge(oracle, unit, chunk, solver(oracle, start, limit=EARLY))
    if early.outcome is not Outcome.LIMIT:
        return early
    oracle = floored(oracle, unit, chunk)
    later = on_edge(oracle, unit, chunk, solver(oracle, early.beta))
    return replace(later, steps=early.steps + later.steps, passes=early.passes + later.passes)


def _first(problem: Problem, oracle: Likelihood, stage: Stage) -> Array:
    given = problem.options.start
    if given is None:
        if stage.opened is not None:
            return stage.opened.beta
        return starting_point(oracle, problem.unit, stage.chunk, stage.normal)
    beta = stage.coordinates.working(start_of(given, problem.layout.names, stage.coordinates.kept))
    if not np.isfinite(oracle.along(beta, beta * 0.0, np.zeros(1))[0]):
        raise outside(problem.unit)
    return beta


def _finish(problem: Problem, stage: Stage, found: Found) -> Fit:
    solution, limit, coordinates = found.solution, found.limit, stage.coordinates
    local = solution.local
    deviance = abs(2.0 * local.value)  # never -0.0
    chunk, raw = stage.chunk, coordinates.raw(solution.beta)
    if solution.eta is not None:
        chunk, raw = chunk.beside((Predictor(chunk.predictors[0].design, solution.eta),)), 0.0 * raw
    chi2 = pearson_chi2(stage.executor, chunk, raw, problem.unit, local.beside)
    df_resid = problem.nobs - coordinates.size
    say_rounding(problem, chunk, raw)
    phi = estimated_phi(problem, chunk, raw, deviance=deviance, chi2=chi2, df=df_resid)
    at = Placed(problem, stage.executor, coordinates, solution.beta)
    if limit is not None:
        moved = stage.executor.over(moved_chunk(stage.chunk, coordinates, limit))
        stated = inside(problem, coordinates, limit) if problem.options.covariance == "HAC" else problem
        at = Placed(stated, moved, limit.inner(coordinates), limit.beta)
    root, kind, lags = _covariance(at, solution, phi)
    likelihood = log_likelihood(problem, chunk, raw, deviance, phi)
    if problem.options.method != "ml":
        oracle = likelihood_of(problem, stage)
        likelihood = replace(likelihood, penalty=penalty_value(problem, oracle, phi, solution))
    return Fit(
        problem=problem,
        coordinates=coordinates,
        beta=solution.beta,
        factor=root if limit is None else limit.lifted(root),
        covariance_kind=kind,
        phi=phi,
        deviance=deviance,
        null_deviance=(stage.null or null_of(problem, stage.chunk, stage.executor, stage.level))(),
        pearson_chi2=chi2,
        nobs=problem.nobs,
        df_resid=df_resid,
        df_null=problem.nobs - int("Intercept" in problem.layout.names),
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
    lags = usual_lags(len(problem.chunk)) if kind == "HAC" else None
    # The score is not 0 on a boundary, nor where coefficients are rounded: no expansion about it is right.
    if solution.outcome in {Outcome.BOUNDARY, Outcome.PRECISION}:
        return Root(np.full((at.coordinates.size,) * 2, np.nan)), kind, lags
    metric = solution.local.metric if observed else solution.local.fisher
    inverse = bread(at, information, observed=observed, metric=metric)
    return covariance(at, kind, inverse, phi, lags), kind, lags
