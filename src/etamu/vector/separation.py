"""Does the estimate of several predictors exist? Decided where a search runs away, answered as it was asked.

May import: everything below `vector`.
Read next: `etamu.vector.limit` for the limit of such a fit, and `etamu.fit.separation`, the same for one
predictor.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.errors import OptionError, SeparationError, SeparationWarning
from etamu.design.chunk import Chunk
from etamu.execute.threads import Threads
from etamu.family.vector import VectorFamily
from etamu.fit.caller import user_level
from etamu.fit.creeping import Creeping, caught, watch
from etamu.fit.existence import NOWHERE, Existence, State
from etamu.fit.face import TooWideError
from etamu.fit.limit import Found, Limit, suspected
from etamu.fit.separation import SEARCHED, Solve
from etamu.objective.likelihood import Likelihood
from etamu.solve.oracle import Outcome
from etamu.solve.recession import recede
from etamu.vector.limit import classes_at_end, heavy, limit_of, signs
from etamu.vector.pairs import Pairs
from etamu.vector.problem import VectorProblem
from etamu.vector.rows import placed_chunk, visited
from etamu.vector.stack import Stack

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel

ANSWERS = ("warn", "error")
"""What `on_separation` may ask of several predictors."""

REMEDIES = "merge or leave out the class, level or column that separates, or fit a smaller model"


def refuse_answer(family: VectorFamily, answer: str) -> None:
    """Refuse answers to separation that several predictors have not.

    Raises
    ------
    OptionError
    """
    if answer == "drop":
        raise OptionError(
            f"on_separation='drop' is for models of one linear predictor: of the {family.name} family a "
            "separated row still tells the other classes or parameters apart; choose 'warn' or 'error'"
        )
    if answer not in ANSWERS:
        raise OptionError(
            f"on_separation={answer!r} is for models of one linear predictor, whose scores it adjusts; the "
            f"{family.name} family has several: choose 'warn' or 'error'"
        )


def reached(family: VectorFamily, oracle: Likelihood, executor: Threads, stack: Stack, solve: Solve) -> Found:
    """Solve, and where the solution is in doubt decide whether a finite maximum exists.

    Newton steps that creep are what running away looks like: then the direction is verified at once, instead
    of being followed to where numbers overflow.
    """
    cones = family.cones(executor.whole.y)
    if cones is None:
        return Found(None, solve(None), settled=False)
    try:
        solution = solve(watch())  # a direction in which no row ever falls needs no concavity
    except Creeping as suspicion:
        try:
            pairs = Pairs(cones, executor, stack)
        except TooWideError:
            return Found(None, solve(None), settled=False)
        solution, found = caught(oracle, suspicion, partial(suspected, pairs))
        if found is not None:
            return _named(family, pairs, limit_of(family, pairs, oracle, solution, found))
    if solution.outcome not in SEARCHED | {Outcome.LIMIT} or not oracle.size:
        return Found(None, solution, settled=True)
    try:
        pairs = Pairs(cones, executor, stack)
        return _named(family, pairs, limit_of(family, pairs, oracle, solution))
    except TooWideError:
        return Found(None, solution, settled=False)


def _named(family: VectorFamily, pairs: Pairs, found: Found) -> Found:
    """Add the names of classes that have probability 0."""
    if found.limit is None:
        return found
    ends = classes_at_end(family, pairs, found.solution.beta, heavy=heavy(found.limit))
    return replace(found, limit=replace(found.limit, ends=ends))


def answered(problem: VectorProblem, stack: Stack, limit: Limit) -> None:
    """Warn, or raise, as `on_separation` asks.

    Raises
    ------
    SeparationError
    """
    said, remedies = separation(stack, limit).sentence, f"Remedies: {REMEDIES}"
    if problem.options.on_separation == "error":
        raise SeparationError(f"{said} {remedies}")
    warnings.warn(f"{said} {rest_of(limit)} {remedies}", SeparationWarning, stacklevel=user_level())


def rest_of(limit: Limit) -> str:
    """Say what can be used of a fit that is a limit."""
    if limit.outcome is Outcome.CONVERGED:
        return "The fit is the limit: its log-likelihood, predictions and finite coefficients can be used."
    return f"What is left of the fit is {limit.outcome.value}: {limit.outcome.advice}"


def separation(stack: Stack, limit: Limit) -> Existence:
    """Say in names what a limit says in numbers."""
    run = signs(limit, stack)
    moved = np.nan_to_num(stack.reported(limit.direction))
    size = np.abs(moved).max(initial=0.0)
    moving = np.flatnonzero(run != 0.0)
    along = {stack.names[j]: float(f"{moved[j]:.12g}") for j in moving if abs(moved[j]) > 1e-9 * size}
    ends = {stack.names[j]: float(run[j]) * math.inf for j in moving}
    how = (
        "Verified row by row: along this direction the likelihood of no row falls, and of these rows it "
        f"rises. {rest_of(limit)}"
    )
    return Existence("infinite", how, along, ends, limit.levels, limit.rows, limit.count, limit.ends)


def existence(fit: FittedVectorModel) -> Existence:
    """Tell what is known of the existence of the maximum, as `VectorFit.existence` describes."""
    if fit.outcome is Outcome.BOUNDARY:
        said = "; ".join(fit.notes) or "a parameter is at an end of its range"
        ends = {fit.names[j]: float(fit.coef[j]) for j in np.flatnonzero(fit.at_end)}
        how = f"The maximum lies at an end of a parameter: {said}."
        return Existence("boundary", how, {}, ends, (), NOWHERE)
    if fit.limit is not None:
        return separation(fit.coordinates, fit.limit)
    if fit.outcome is not Outcome.CONVERGED:
        said = f"The search ended early ({fit.outcome.value}), and nothing is proved."
        return _plain("unknown", f"{said} {_apart(fit)}".strip())
    why = _why(fit)
    if fit.family.convex:
        return _plain("interior", f"A finite maximum exists and is the only one: {why}.") if why else _plain(
            "unknown", "The search converged, but whether classes are separated was not decided."
        )  # fmt: skip
    return _plain(
        "local",
        f"A local maximum: the likelihood of the {fit.family.name} family is not concave, and other maxima "
        "are not ruled out" + (f"; {why}." if why else "."),
    )


def _plain(outcome: State, how: str) -> Existence:
    return Existence(outcome, how, {}, {}, (), NOWHERE)


def _why(fit: FittedVectorModel) -> str:
    """Say how it is known that nothing runs away, "" where it is not."""
    if not fit.rank:
        return "there is no coefficient, so nothing can run away"
    family = fit.family
    lambda_rho = fit.trace[-1].lambda_rho if fit.trace else math.nan
    if family.convex and family.canonical and family.concordance > 0.0 and lambda_rho < 1.0:
        return f"lambda rho = {lambda_rho:.1g} is below 1, which proves it"
    if fit.problem.sample is None:
        return "it was verified when the model was fitted"
    return "no direction separates the rows" if _settled(fit) else ""


def _apart(fit: FittedVectorModel) -> str:
    known = fit.problem.sample is not None and _settled(fit)
    return "No direction separates the rows, so that is not what went wrong." if known else ""


def _settled(fit: FittedVectorModel) -> bool:
    """Tell whether it is certain that no direction separates the rows."""
    chunk: Chunk = placed_chunk(fit, fit.problem.counting())
    cones = fit.family.cones(chunk.y)
    if cones is None:
        return False
    try:
        executor = Threads(chunk, **visited(fit.problem.options, len(chunk.predictors)))
        pairs = Pairs(cones, executor, fit.coordinates)
        answer = recede(pairs, np.ones(len(pairs.ways), dtype=bool))
    except TooWideError:
        return False
    return answer.settled and answer.found is None
