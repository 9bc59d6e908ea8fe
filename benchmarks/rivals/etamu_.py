"""etamu: arrays through `em.GLM`, tables through `em.glm`.

May import: etamu, benchmarks.
Read next: `benchmarks.rivals.etamu_stated`.
"""

from __future__ import annotations

from typing import Any

import etamu as em
from benchmarks.frames import pandas_frame
from benchmarks.problem import Dense, Problem
from benchmarks.rivals.library import Answer, Runner
from benchmarks.tasks import Task

TOLERANCES = (None,)
"""Nothing to tighten."""


def version() -> str:
    """Return the version."""
    return em.__version__


def prepare(task: Task, problem: Problem) -> Runner:
    """Make the fit ready."""
    if isinstance(problem, Dense):
        return Runner(lambda _: em.GLM(task.family, task.link).fit(problem.X, problem.y), read)
    data = pandas_frame(problem)
    exposure = None if problem.exposure is None else "Exposure"
    formula = problem.formula

    def fit(_: float | None) -> em.Fit:
        found = em.glm(formula, data, task.family, task.link, exposure=exposure)
        if task.summary:
            str(found.summary())
        return found

    return Runner(fit, read)


def read(fit: Any) -> Answer:
    """Read the coefficients of a fit."""
    return Answer(fit.coef, fit.passes, "" if fit.converged else f"says: {fit.outcome}")
