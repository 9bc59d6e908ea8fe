"""What a fit does about separation: suspects it early, has it verified, and answers as it was asked.

May import: everything below `fit`.
Read next: `etamu.fit.creeping`, the suspicion; `etamu.fit.limit` for the limit of such a fit,
`etamu.fit.existence` for the words.

Where lambda rho ends below its bound a finite maximum is proved, and nothing here costs anything.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import (
    ConvergenceWarning,
    DataError,
    DroppedRowsWarning,
    SeparationError,
    SeparationWarning,
)
from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.listing import listed
from etamu._base.types import Array, Mask
from etamu.design.coordinates import Coordinates
from etamu.execute.threads import Threads
from etamu.family.recession import anyone_may_run
from etamu.fit.caller import user_level
from etamu.fit.creeping import Creeping, caught, watch
from etamu.fit.face import Rows, TooWideError
from etamu.fit.levels_apart import Apart, direction_of, levels_apart
from etamu.fit.limit import Found, Limit, limit_of, suspected
from etamu.fit.placed import Placed
from etamu.fit.problem import Problem, tally
from etamu.fit.sample import Sampled
from etamu.fit.stage import Stage
from etamu.fit.start import start
from etamu.objective.likelihood import Likelihood
from etamu.solve.loop import Callback
from etamu.solve.oracle import Local, Outcome, Solution
from etamu.solve.recession import Answer, Recession, recede

if TYPE_CHECKING:
    from etamu.fit.beyond import cancelled
    from etamu.fit.existence import Existence, levels_of, overlapping, rows_of_levels, separation
    from etamu.fit.reduced import unsolved
else:
    cancelled = later("etamu.fit.beyond", "cancelled")
    unsolved = later("etamu.fit.reduced", "unsolved")
    levels_of = later("etamu.fit.existence", "levels_of")
    rows_of_levels = later("etamu.fit.existence", "rows_of_levels")
    overlapping = later("etamu.fit.existence", "overlapping")
    separation = later("etamu.fit.existence", "separation")

SHOWN = 5
SEARCHED = frozenset(Outcome) - {Outcome.CONVERGED, Outcome.PRECISION}
"""Ends of a search after which a direction is looked for."""

Answering = Callable[["Problem", "Existence", "Limit"], "Problem"]
Solve = Callable[[Callback | None], Solution]


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """Separation that was seen before the climb, which way rows may run, and where it would have begun."""

    apart: Recession
    ways: NDArray[np.int8]
    beta: Array | None = None


def foreseen(
    problem: Problem, oracle: Likelihood, executor: Threads, sampled: Sampled | None
) -> Apart | None:
    """See whether levels separate in a sample, and verify it on all rows, before any pass is spent."""
    if sampled is None or not oracle.size:
        return None
    return levels_apart(Rows(problem.unit, executor, oracle.coordinates), sampled.chunk)


def followed(
    apart: Apart | None, problem: Problem, oracle: Likelihood, executor: Threads, sampled: Sampled | None
) -> Ahead | None:
    """Say where levels that separate run to; None where their columns do not let them, or are too many."""
    if apart is None or sampled is None:
        return None
    rows = Rows(problem.unit, executor, oracle.coordinates, apart.ways)
    try:
        away = direction_of(apart, rows, sampled.chunk)
    except TooWideError:
        return None
    return None if away is None else Ahead(away, apart.ways)


def reached(
    problem: Problem, oracle: Likelihood, executor: Threads, solve: Solve, ahead: Ahead | None = None
) -> Found:
    """Solve, and where the solution is in doubt decide whether a finite maximum exists.

    Parameters
    ----------
    problem : Problem
    oracle : Likelihood
    executor : Threads
        The rows of the oracle.
    solve : callable
        Climbs, calling what it is handed after each step.
    ahead : Ahead, optional
        Separation that is known already.
    """
    rows = Rows(problem.unit, executor, oracle.coordinates, None if ahead is None else ahead.ways)
    watched = problem.unit.convex and oracle.concordance > 0.0
    if ahead is None and watched and _few(rows):
        answer = _apart(rows)
        ahead, watched = None if answer.found is None else Ahead(answer.found, rows.ways), not answer.settled
    if ahead is not None:
        beta = start(oracle, problem.unit, executor.whole) if ahead.beta is None else ahead.beta
        begun = Solution(beta, Local(np.nan), Outcome.INFINITE, (), 0)
        try:
            return _named(problem, rows, limit_of(rows, oracle, begun, ahead.apart))
        except TooWideError:
            return Found(None, solve(None), settled=False)
    try:
        solution = solve(watch() if watched else None)
    except Creeping as suspicion:
        found, solution = _suspected(oracle, rows, suspicion)
        if found is not None:
            return _named(problem, rows, found)
    return decided(problem, oracle, rows, solution)


def _few(rows: Rows) -> bool:
    """Tell whether separation is likely before anything is climbed: rows are few for so many columns.

    Of n points in general position in d dimensions half of all ways to run separate if n = 2 d (Cover 1965,
    IEEE Transactions on Electronic Computers 14); rows that may not run take a dimension each.
    """
    if len(rows.executor.whole) > 2 * rows.size:
        return False
    may = int(np.count_nonzero(np.abs(rows.ways) == 1))
    return 0 < may <= 2 * (rows.size - int(np.count_nonzero(rows.ways == 0)))


def _apart(rows: Rows) -> Answer:
    """Look for a direction before the climb, as far as memory allows."""
    try:
        return recede(rows, np.ones(len(rows.ways), dtype=bool))
    except TooWideError:
        return Answer(None, settled=False)


def _suspected(oracle: Likelihood, rows: Rows, suspicion: Creeping) -> tuple[Found | None, Solution]:
    """Verify the direction in which steps creep, and find the limit; else climb on from there."""
    ended, found = caught(oracle, suspicion, partial(suspected, rows))
    try:
        return None if found is None else limit_of(rows, oracle, ended, found), ended
    except TooWideError:  # what is too wide now will be when the climb has ended, and is said then
        return None, caught(oracle, suspicion, None)[0]


def decided(problem: Problem, oracle: Likelihood, rows: Rows, solution: Solution) -> Found:
    """Look for a direction where a solution is in doubt."""
    if not oracle.size or not anyone_may_run(problem.unit) or not _doubtful(problem, oracle, rows, solution):
        return Found(None, solution, settled=True)
    try:
        doubted = limit_of(rows, oracle, solution)
    except TooWideError:
        return Found(None, solution, settled=False)
    if doubted.limit is None and doubted.settled and doubted.solution.outcome is Outcome.INFINITE:
        # No direction separates the rows, so nothing runs away: rounding only looked like it.
        doubted = replace(doubted, solution=replace(doubted.solution, outcome=Outcome.STALLED))
    return _named(problem, rows, doubted)


def _named(problem: Problem, rows: Rows, found: Found) -> Found:
    """Add the names of levels that separate."""
    if found.limit is None:
        return found
    return replace(found, limit=replace(found.limit, levels=levels_of(problem, rows.ways)))


def _doubtful(problem: Problem, oracle: Likelihood, rows: Rows, solution: Solution) -> bool:
    """Tell whether a direction has to be looked for: the search failed, or lambda rho is no rule here."""
    if solution.outcome is not Outcome.CONVERGED:
        return solution.outcome in SEARCHED
    if problem.unit.domain.whole:
        return False
    if not np.any(np.abs(rows.ways) == 1):
        return False
    return not overlapping(Placed(problem, rows.executor, oracle.coordinates, solution.beta))


def unsettled(problem: Problem, solution: Solution) -> Problem:
    """Answer where the search ran away and there are too many columns to say where to."""
    levels = levels_of(problem) if solution.outcome is Outcome.INFINITE else ()
    if not levels:
        if solution.outcome is not Outcome.CONVERGED:
            warnings.warn(solution.outcome.advice, ConvergenceWarning, stacklevel=user_level())
        return problem
    named = listed([f"{factor} = {level}" for factor, level in levels], SHOWN)
    text = (
        f"No finite maximum exists (separation): every response of {named} is at the same end of its "
        "range. There are too many columns, or too different ones, for the limit to be worked out, and "
        "coefficients are those where "
        "the search ended. Remedies: merge such levels, leave their rows out, or on_separation='drop'"
    )
    if problem.options.on_separation == "error":
        raise SeparationError(text)
    if problem.options.on_separation == "drop":
        return without(problem, problem.counting().row_ids[rows_of_levels(problem)], text)
    if problem.options.on_separation == "firth":
        return _by_firth(problem, text)
    warnings.warn(text, SeparationWarning, stacklevel=user_level())
    return problem


def say_outcome(problem: Problem, stage: Stage, solution: Solution) -> None:
    """Warn where the maximum was not verified, or cannot be held."""
    outcome, method = solution.outcome, problem.options.method
    if outcome is not Outcome.CONVERGED:
        advice = outcome.advice if method == "ml" else unsolved(outcome, method)
        if solution.eta is not None:
            advice = f"{advice} {cancelled(stage, solution, solution.eta)}"
        warnings.warn(advice, ConvergenceWarning, stacklevel=user_level())


def answered(problem: Problem, coordinates: Coordinates, limit: Limit) -> Problem:
    """Warn, raise, or state the problem without the separated rows, as `on_separation` asks.

    Returns
    -------
    Problem
        The same where the limit is what is wanted.
    """
    return ANSWERS[problem.options.on_separation](problem, separation(problem, coordinates, limit), limit)


def _warn(problem: Problem, what: Existence, limit: Limit) -> Problem:
    remedies = PAID if limit.paid else REMEDIES
    warnings.warn(f"{what.sentence} {remedies}", SeparationWarning, stacklevel=user_level())
    return problem


def _error(problem: Problem, what: Existence, limit: Limit) -> Problem:
    del problem
    raise SeparationError(f"{what.sentence} {PAID if limit.paid else REMEDIES}")


def _drop(problem: Problem, what: Existence, limit: Limit) -> Problem:
    return without(problem, limit.rows, what.sentence)


def without(problem: Problem, rows: NDArray[np.int64], why: str) -> Problem:
    """Leave rows out, as if they had not been given."""
    sample = problem.attached()
    left: Mask = ~np.isin(sample.chunk.row_ids, rows)
    counted = sample.counted & left
    if not counted.any():
        raise DataError(f"every row is separated, so on_separation='drop' leaves none. {why}")
    note = f"{len(rows)} separated rows dropped: {why}"
    warnings.warn(note, DroppedRowsWarning, stacklevel=user_level())
    smaller = replace(sample, chunk=sample.chunk.take(np.flatnonzero(left)), counted=counted[left])
    return replace(
        problem,
        sample=smaller,
        tally=tally(problem.tally.given, smaller.counted),
        notes=(*problem.notes, note),
        options=replace(problem.options, on_separation="warn", start=None),
    )


def _firth(problem: Problem, what: Existence, limit: Limit) -> Problem:
    del limit
    return _by_firth(problem, what.sentence)


def _by_firth(problem: Problem, text: str) -> Problem:
    """Adjust the scores for bias, which has a finite answer where classes separate."""
    note = f"{text} The estimates are Firth's, of reduced mean bias."
    warnings.warn(note, SeparationWarning, stacklevel=user_level())
    options = replace(problem.options, method="firth", on_separation="warn")
    return replace(problem, notes=(*problem.notes, note), options=options)


ANSWERS: dict[str, Answering] = {
    "warn": _warn,
    "error": _error,
    "drop": _drop,
    "firth": _firth,
}
"""What each value of `on_separation` does."""

REMEDIES = (
    "The fit is the limit: its deviance, log-likelihood and finite coefficients can be used, and profile "
    "intervals of the others have one end. Remedies: merge or drop the level or column that separates, "
    "on_separation='drop' to leave the rows out, or method='firth' for finite estimates of reduced bias"
)

PAID = (
    "The fit is the limit, which is above every finite point that was found: its deviance and its finite "
    "coefficients can be used. Remedies: a link whose means reach such responses, start= near a maximum that "
    "is known to be there, or on_separation='drop' to leave the rows out"
)


def rest(said: Problem, asked: Problem) -> Problem:
    """Return the problem that was solved with the options that were given, but for the method it took."""
    return replace(said, options=replace(asked.options, method=said.options.method))
