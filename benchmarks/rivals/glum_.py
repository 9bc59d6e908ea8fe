"""glum: `GeneralizedLinearRegressor` without penalty; categoricals as such, matrices column-major.

May import: glum, numpy, pandas, benchmarks.
Read next: `benchmarks.rivals.statsmodels_`.
"""

from __future__ import annotations

from typing import Any

import glum
import numpy as np

from benchmarks.frames import pandas_frame
from benchmarks.problem import Dense, Problem
from benchmarks.rivals.library import Answer, Runner
from benchmarks.tasks import Task

TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11)
"""Of the gradient; 1e-4 is its default."""
FAMILIES = {"bernoulli": "binomial", "poisson": "poisson", "gamma": "gamma"}


def version() -> str:
    """Return the version."""
    return str(glum.__version__)


def prepare(task: Task, problem: Problem) -> Runner:
    """Make the fit ready; text becomes categorical within the time, as a user's would."""

    def model(tolerance: float | None) -> Any:
        return glum.GeneralizedLinearRegressor(
            family=FAMILIES[task.family], link=task.link, alpha=0, drop_first=True, gradient_tol=tolerance
        )

    if isinstance(problem, Dense):
        X = np.asfortranarray(problem.X)
        return Runner(lambda tolerance: model(tolerance).fit(X, problem.y), read)
    data = pandas_frame(problem)[list(problem.terms)]
    names = list(problem.coded)

    def fit(tolerance: float | None) -> Any:
        table = data.astype(dict.fromkeys(names, "category")) if problem.text else data
        offset = None if problem.exposure is None else np.log(problem.exposure)
        if not task.summary:
            return model(tolerance).fit(table, problem.y, offset=offset)
        found = model(tolerance).fit(table, problem.y, offset=offset, store_covariance_matrix=True)
        str(found.coef_table())
        return found

    return Runner(fit, read)


def read(fit: Any) -> Answer:
    """Read the coefficients of a fit."""
    return Answer(np.append(fit.intercept_, fit.coef_), int(fit.n_iter_))
