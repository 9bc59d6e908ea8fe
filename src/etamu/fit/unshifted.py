"""A problem in columns as they came, where shifted columns cost digits.

Subtracting its mean from a column makes numbers of the size of its coefficient in every row. Where a row's
own eta is 1e-10 of that, what is left of it is rounding: a level of one row with a mean of 1e6 takes the
digits of all other means. Then the same coefficients of the columns as they came hold more.

May import: everything below `fit`.
Read next: `etamu.fit.stage`, which shifts them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from etamu._base.arrow import entries
from etamu._base.double import Double
from etamu._base.types import Array
from etamu.design.chunk import Predictor
from etamu.design.coordinates import standardised
from etamu.execute.threads import Threads
from etamu.fit.placed import visits
from etamu.fit.problem import Problem
from etamu.fit.stage import Stage
from etamu.objective.written import Written
from etamu.solve.graded import least_squares
from etamu.solve.oracle import Solution
from etamu.solve.stop import TOLERANCE
from etamu.solve.trust import EPS, blur

CELLS = 200_000
"""Numbers in the rows up to which it is asked whether the shifts cost digits."""
LESS = 0.1
"""Share of the rounding of shifted columns from which those as they came are better."""


def blurred(stage: Stage, solution: Solution) -> bool:
    """Tell whether rounding of shifted coefficients may move the solution noticeably, in its standard errors.

    A bound that costs nothing: rounding moves eta by eps |x||beta|, and the value by the square of it.
    """
    information = solution.local.observed
    if information is None or stage.chunk.cells > CELLS or not stage.coordinates.raw_shift.any():
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        lost = EPS**2 * float(np.abs(entries(information)) @ solution.beta**2)
    return lost > TOLERANCE**2 * max(solution.local.scale, 0.0)


def unshifted(problem: Problem, stage: Stage) -> Stage:
    """Return the same columns, neither shifted nor chosen anew."""
    chunk = problem.counting()
    predictor = chunk.predictors[0]
    placed, coordinates = standardised(predictor.design, problem.layout, stage.moments, shifts=False)
    ready = chunk.beside((Predictor(placed, predictor.offset),))
    executor = Threads(ready, **visits(problem.options))
    coordinates = replace(coordinates, kept=stage.coordinates.kept)
    return Stage(ready, executor, coordinates, stage.moments, doubtful=stage.doubtful)


def sharper(shifted: Written, beta: Array, plain: Written) -> Double | None:
    """Return the coefficients of columns as they came; None where rounding moves their eta as much."""
    eta = shifted.rows @ beta + shifted.offset
    seen = shifted.look(eta)
    if not seen.finite:
        return None
    size = np.maximum(np.abs(seen.observed), seen.expected)
    found = least_squares(plain.rows, size, eta - plain.offset)
    with np.errstate(over="ignore", invalid="ignore"):
        now, then = (size @ blur(rows, at) ** 2 for rows, at in ((shifted, beta), (plain, found.hi)))
    return found if then < LESS**2 * now else None
