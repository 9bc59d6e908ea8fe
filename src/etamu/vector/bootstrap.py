"""The bootstrap of several predictors: the model fitted again to resampled rows, weights or responses.

May import: everything below `vector`.
Read next: `etamu.fit.bootstrap`, whose schemes and options these are.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.types import Array
from etamu.execute.threads import Threads
from etamu.fit.bootstrap import (
    ALTERED,
    TOLERANCE,
    Resampling,
    Source,
    ending,
    replicated,
    replications,
    resampled,
)
from etamu.infer import bootstrap as formulas
from etamu.infer.bootstrap import Replicates
from etamu.infer.covariance import condition
from etamu.objective.likelihood import Likelihood
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome
from etamu.vector.edges import on_edge
from etamu.vector.residuals import draws
from etamu.vector.rows import placed_chunk, unit_of, visited

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel, VectorModel


def bootstrap(fit: VectorModel, cluster: Any, asked: Resampling) -> VectorModel:
    """Return the fit with the covariance of its replications, which it carries along.

    Raises
    ------
    OptionError
        If an option is not known or does not go with the others.
    NotAvailableError
        If the fit has no verified maximum or carries no rows, or few replications have a maximum.
    """
    made: VectorModel = resampled(fit, cluster, asked, _replicates)
    return made


def _replicates(fit: FittedVectorModel, scheme: str, asked: Resampling) -> Replicates:
    """Fit every replication from the estimate; each depends on the seed and its number alone."""
    problem, stack = fit.problem, fit.coordinates
    chunk = placed_chunk(fit, problem.counting())
    rows = visited(problem.options, len(chunk.predictors))
    altered = ALTERED[scheme](Source(True, partial(draws, fit)), chunk, asked.seed)
    information = fit.solution.local.observed
    usual = 1.0 if information is None else condition(information)
    coordinates: Any = stack

    def one(number: int) -> tuple[str, Array]:
        executor = Threads(altered(number), **{**rows, "threads": 1})
        oracle = Likelihood(
            executor, unit_of(problem.family, climbing=True), coordinates, np.ones(stack.size)
        )
        solution = newton(oracle, fit.beta, tolerance=TOLERANCE)
        solution = on_edge(problem.family, oracle, executor.whole, stack, solution)
        # where thresholds meet, or a parameter is at an edge of its range, a maximum is one all the same
        return "" if solution.outcome is Outcome.BOUNDARY else ending(solution, usual), solution.beta

    return replicated(one, scheme, asked, problem.options.threads, stack.size)


def replicated_intervals(fit: FittedVectorModel, level: float, method: str) -> Array:
    """Compute percentile or basic intervals of the coefficients, (names, 2).

    Raises
    ------
    NotAvailableError
        If the fit carries no replications.
    """
    values = replications(fit.replicates, fit.coordinates, method)
    if method == "percentile":
        return formulas.percentile(values, level)
    return formulas.basic(values, fit.coef, level)
