"""etamu with a family that a user states: Poisson's formulas of the textbook, unknown to every table inside.

May import: etamu, numpy, scipy, benchmarks.problem, benchmarks.tasks, benchmarks.rivals.
Read next: `etamu.family.families`, whose stanzas look like this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy import special

import etamu as em
from benchmarks.problem import Array, Dense, Problem
from benchmarks.rivals.etamu_ import TOLERANCES, read, version
from benchmarks.rivals.library import Runner, UnsupportedError
from benchmarks.tasks import Task
from etamu.family.families import NON_NEGATIVE, POSITIVE
from etamu.family.family import Family, Support
from etamu.family.links import Log

__all__ = ["TOLERANCES", "Counts", "prepare", "version"]


@final
@dataclass(frozen=True, slots=True)
class Counts(Family):
    """A count, stated by a user."""

    name = "counts"
    support = Support(NON_NEGATIVE, integer=True)
    mean = POSITIVE
    canonical = Log()
    dispersion_known = True

    def natural(self, xp: Any, mu: Any, complement: Any) -> Any:
        """Return log mu."""
        return xp.log(mu)

    def cumulant(self, xp: Any, theta: Any) -> Any:
        """Return exp theta."""
        return xp.exp(theta)

    def variance(self, xp: Any, mu: Any, complement: Any) -> Any:
        """Return mu."""
        return mu

    def dvariance(self, xp: Any, mu: Any, complement: Any) -> Any:
        """Return 1."""
        return xp.ones_like(mu)

    def deviance(self, xp: Any, y: Any, mu: Any, complement: Any) -> Any:
        """Return 2 (y log(y / mu) - (y - mu))."""
        some = y > 0.0
        return 2.0 * (
            xp.where(some, y, 0.0) * xp.log(xp.where(some, y, 1.0) / xp.where(some, mu, 1.0)) - (y - mu)
        )

    def start(self, y: Array, weight: Array) -> Array:
        """Return y, a little above 0."""
        return y + 0.1

    def saturated(self, y: tuple[Array, ...], dispersion: Array) -> Array:
        """Return the log density at mu = y."""
        return np.asarray(special.xlogy(y[0], y[0]) - y[0] - special.gammaln(y[0] + 1.0))


def prepare(task: Task, problem: Problem) -> Runner:
    """Make the fit ready."""
    if not isinstance(problem, Dense) or task.family != "poisson":
        raise UnsupportedError("states counts for dense columns only")
    return Runner(lambda _: em.GLM(Counts(), task.link).fit(problem.X, problem.y), read)
