"""Tell of a fit whether its maximum exists, and how that is known: `Fit.existence`.

May import: everything below `fit`; nothing that estimates.
Read next: `etamu.fit.existence`, whose separations it states.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from etamu.family.recession import anyone_may_run, bounded_bend, falls_for_ever, may_run
from etamu.fit.existence import NOWHERE, Existence, State, levels_of, overlapping, rows_of_levels, separation
from etamu.fit.face import Rows, TooWideError
from etamu.fit.placed import placed
from etamu.solve.oracle import Outcome
from etamu.solve.recession import recede

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel


def existence(fit: FittedModel) -> Existence:
    """Tell what is known of the existence of the maximum, as `Fit.existence` describes."""
    if fit.limit is not None:
        return separation(fit.problem, fit.coordinates, fit.limit)
    unit, outcome = fit.problem.unit, fit.outcome
    if outcome is Outcome.BOUNDARY:
        text = (
            f"The maximum lies on the boundary: some eta is at the edge of {unit.domain!r}, where the "
            f"{unit.link.name} link has its last mean; it is finite, and no zero of the score."
        )
        return _plain("boundary", text)
    if outcome is Outcome.PRECISION:
        text = (
            "A maximum was found and verified in twice the precision of float64, which does not hold its "
            "coefficients closely enough for fitted values."
        )
        return _plain("local", text)
    if outcome is Outcome.CONVERGED and fit.method != "ml":
        text = (
            f"The adjusted scores of method={fit.method!r} have a finite root, found here, whether or not "
            "rows are separated; it is not proved to be the only one."
        )
        return _plain("local", text)
    if outcome is Outcome.CONVERGED:
        return _of_interior(fit)
    return _of_nothing(fit)


def _plain(outcome: State, how: str) -> Existence:
    return Existence(outcome, how, {}, {}, (), NOWHERE)


def _of_nothing(fit: FittedModel) -> Existence:
    """Tell what can be told of a search that ended early."""
    said = f"The search ended early ({fit.outcome.value}), and nothing is proved."
    if fit.problem.sample is None:
        return _plain("unknown", said)
    if fit.outcome is Outcome.INFINITE and (levels := levels_of(fit.problem)):
        rows_apart = fit.problem.counting().row_ids[rows_of_levels(fit.problem)]
        how = "Columns are too many, or too different, for the limit: coefficients are unverified."
        return Existence("infinite", how, {}, {}, levels, np.sort(rows_apart), len(rows_apart))
    at = placed(fit.problem, fit.problem.counting(), fit.coordinates, fit.beta)
    rows = Rows(fit.problem.unit, at.executor, fit.coordinates)
    try:
        answer = recede(rows, np.ones(len(rows.ways), dtype=bool))
    except TooWideError:
        return _plain("unknown", said)
    if not (answer.settled and answer.found is None):
        return _plain("unknown", said)
    return _plain("unknown", f"{said} No direction separates the rows, so that is not what went wrong.")


def _of_interior(fit: FittedModel) -> Existence:
    """Tell how a maximum that was found is known to exist, and whether it is the only one."""
    unit = fit.problem.unit
    if (why := _by_the_unit(fit)) is not None:
        return _interior(fit, why)
    if fit.problem.sample is None:
        return _interior(fit, "the maximum was verified when the model was fitted")
    at = placed(fit.problem, fit.problem.counting(), fit.coordinates, fit.beta)
    if overlapping(at):
        return _interior(fit, "the scores at the maximum balance on every side (overlap), which proves it")
    rows = Rows(unit, at.executor, fit.coordinates)
    try:
        answer = recede(rows, np.ones(len(rows.ways), dtype=bool))
    except TooWideError:
        return _plain("unknown", "The search converged; there are too many columns to decide more.")
    if answer.settled and answer.found is None:
        return _interior(fit, "no direction separates the rows")
    return _plain("unknown", "The search converged, but whether rows are separated was not decided.")


def _by_the_unit(fit: FittedModel) -> str | None:
    """Say what the unit and lambda rho prove on their own, None where rows have to be looked at."""
    unit, sample = fit.problem.unit, fit.problem.sample
    lambda_rho = fit.trace[-1].lambda_rho if fit.trace else math.nan
    if not fit.rank:
        return "there is no coefficient, so nothing can run away"
    if bounded_bend(unit) and lambda_rho < 1.0:
        return f"lambda rho = {lambda_rho:.1g} is below 1, which proves it"
    if not anyone_may_run(unit):
        return "eta is bounded, so no coefficient can run away"
    if sample is not None and not np.any(np.abs(may_run(unit, fit.problem.counting().y)) == 1):
        return "the value of every row falls whichever way its eta runs"
    return None


def _interior(fit: FittedModel, why: str) -> Existence:
    unit = fit.problem.unit
    if unit.convex:
        return _plain("interior", f"A finite maximum exists and is the only one: {why}.")
    found = (
        f"A local maximum: with the {unit.link.name} link the likelihood is not concave, and other maxima "
        "are not ruled out"
    )
    sample = fit.problem.sample
    if sample is not None and anyone_may_run(unit) and falls_for_ever(unit, fit.problem.counting().y):
        return _plain("local", f"{found}. That a finite maximum exists is known: {why}.")
    return _plain("local", f"{found}; nor is it proved that the highest is finite.")
