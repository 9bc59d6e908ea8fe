"""rustystats: `glm_dict` on a polars frame.

May import: rustystats, polars, numpy, benchmarks.
Read next: `benchmarks.rivals.r_`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import rustystats

from benchmarks.frames import polars_frame
from benchmarks.problem import Dense, Problem
from benchmarks.rivals.library import Answer, Runner
from benchmarks.tasks import Task

TOLERANCES = (1e-8, 1e-10, 1e-12)
"""Of the deviance; 1e-8 is its default."""
FAMILIES = {"bernoulli": "binomial", "poisson": "poisson", "gamma": "gamma"}


def version() -> str:
    """Return the version."""
    return str(rustystats.__version__)


def prepare(task: Task, problem: Problem) -> Runner:
    """Make the fit ready."""
    if isinstance(problem, Dense):
        names = [f"x{j}" for j in range(problem.X.shape[1])]
        data = pl.DataFrame({"y": problem.y, **{name: problem.X[:, j] for j, name in enumerate(names)}})
        terms, response, exposure = dict.fromkeys(names, "linear"), "y", None
    else:
        data, response = polars_frame(problem), problem.response
        terms = {name: "categorical" if name in problem.coded else "linear" for name in problem.terms}
        exposure = None if problem.exposure is None else "Exposure"

    def fit(tolerance: float | None) -> Any:
        model = rustystats.glm_dict(
            response=response,
            terms={name: {"type": kind} for name, kind in terms.items()},
            data=data,
            family=FAMILIES[task.family],
            link=task.link,
            exposure=exposure,
        )
        found = model.fit(tol=tolerance)
        if task.summary:
            str(found.summary())
        return found

    return Runner(fit, _read)


def _read(model: Any) -> Answer:
    result = model._result  # noqa: SLF001  the number of iterations has no other door
    return Answer(np.asarray(model.params), int(result.iterations))
