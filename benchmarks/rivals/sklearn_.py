"""scikit-learn: its Newton solver without penalty; tables through sparse one-hot columns.

May import: sklearn, numpy, benchmarks.
Read next: `benchmarks.rivals.rustystats_`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sklearn
from sklearn.compose import make_column_transformer
from sklearn.linear_model import GammaRegressor, LogisticRegression, PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.frames import pandas_frame
from benchmarks.problem import Dense, Problem, Table
from benchmarks.rivals.library import Answer, Runner
from benchmarks.tasks import Task

TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11)
"""Of the gradient; 1e-4 is its default."""


def version() -> str:
    """Return the version."""
    return str(sklearn.__version__)


def _model(task: Task, tolerance: float | None) -> Any:
    if task.family == "bernoulli":
        return LogisticRegression(C=np.inf, solver="newton-cholesky", tol=tolerance)
    kind = PoissonRegressor if task.family == "poisson" else GammaRegressor
    return kind(alpha=0, solver="newton-cholesky", tol=tolerance)


def prepare(task: Task, problem: Problem) -> Runner:
    """Make the fit ready; exposure becomes the weight of a frequency, which has the same maximum."""
    if isinstance(problem, Dense):
        return Runner(lambda tolerance: _model(task, tolerance).fit(problem.X, problem.y), _read)
    data = pandas_frame(problem)[list(problem.terms)]

    def fit(tolerance: float | None) -> Any:
        encoder = make_column_transformer(
            (OneHotEncoder(drop="first", dtype=np.float64), list(problem.coded)),
            (StandardScaler(), list(problem.numeric)),
        )
        pipeline = make_pipeline(encoder, _model(task, tolerance))
        if problem.exposure is None:
            return pipeline.fit(data, problem.y)
        weight = {f"{pipeline.steps[-1][0]}__sample_weight": problem.exposure}
        return pipeline.fit(data, problem.y / problem.exposure, **weight)

    return Runner(fit, lambda pipeline: _unscaled(pipeline, problem))


def _read(model: Any) -> Answer:
    return Answer(np.append(model.intercept_, np.ravel(model.coef_)), int(np.max(model.n_iter_)))


def _unscaled(pipeline: Any, table: Table) -> Answer:
    """Undo the standardisation of the numbers."""
    answer = _read(pipeline[-1])
    if not table.numeric:
        return answer
    scaler = pipeline[0].named_transformers_["standardscaler"]
    coef = answer.coef.copy()
    coef[-len(table.numeric) :] /= scaler.scale_
    coef[0] -= coef[-len(table.numeric) :] @ scaler.mean_
    return Answer(coef, answer.passes)
