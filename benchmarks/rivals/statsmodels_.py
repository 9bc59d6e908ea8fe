"""statsmodels: `GLM` by iterated weighted least squares, tables by formula.

May import: statsmodels, numpy, benchmarks.
Read next: `benchmarks.rivals.sklearn_`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import statsmodels
import statsmodels.api as sm
from statsmodels.formula import api as smf

from benchmarks.frames import pandas_frame
from benchmarks.problem import Dense, Problem
from benchmarks.rivals.library import Answer, Runner
from benchmarks.tasks import Task

TOLERANCES = (1e-8, 1e-10, 1e-12)
"""Of the deviance; 1e-8 is its default."""


def version() -> str:
    """Return the version."""
    return str(statsmodels.__version__)


def _family(task: Task) -> Any:
    families, links = sm.families, sm.families.links
    if task.family == "bernoulli":
        return families.Binomial(links.Logit())
    return (families.Poisson if task.family == "poisson" else families.Gamma)(links.Log())


def prepare(task: Task, problem: Problem) -> Runner:
    """Make the fit ready; the column of ones is there already."""
    if isinstance(problem, Dense):
        X = np.column_stack([np.ones(problem.rows), problem.X])
        return Runner(lambda tolerance: sm.GLM(problem.y, X, _family(task)).fit(tol=tolerance), read)
    data = pandas_frame(problem)

    def fit(tolerance: float | None) -> Any:
        model = smf.glm(problem.formula, data, family=_family(task), exposure=problem.exposure)
        found = model.fit(tol=tolerance)
        if task.summary:
            str(found.summary())
        return found

    return Runner(fit, read)


def read(fit: Any) -> Answer:
    """Read the coefficients of a fit."""
    return Answer(np.asarray(fit.params), int(fit.fit_history["iteration"]))
