"""Profile likelihood intervals of the coefficients of several predictors.

May import: everything below `vector`.
Read next: `etamu.fit.profile`, the same for one predictor with its curve; `etamu.solve.restricted`.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.errors import NotAvailableError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.infer.wald import critical
from etamu.solve.newton import newton
from etamu.solve.oracle import Oracle
from etamu.solve.restricted import Restricted, across
from etamu.vector.located import Located, located
from etamu.vector.stage import likelihood_of, prepare

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel

ROUNDS = 40
NEAR = 1e-9
"""Relative distance of the signed root from its target at which an end is found."""
FARTHEST = 1e3
"""An end further than this, in standard errors, does not exist."""


def profile_intervals(fit: FittedVectorModel, level: float) -> Array:
    """Find where twice the loss of log-likelihood reaches the squared critical value, (names, 2).

    An end that does not exist is infinite; an aliased coefficient, and one that runs away, has NaN.

    Raises
    ------
    NotAvailableError
        If there is no likelihood to profile, or its maximum was not verified.
    """
    if fit.likelihood.reason or not fit.verified or fit.covariance_kind not in {"model", "observed"}:
        raise NotAvailableError(
            "a profile needs a likelihood, its verified maximum and a covariance that believes the model; "
            "use method='wald'"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the fit itself has said
        oracle = likelihood_of(fit.problem, prepare(fit.problem))
    out = np.full((len(fit.names), 2), np.nan)
    at = located(fit, oracle)
    for j in np.flatnonzero(np.isfinite(fit.coef)):
        one = _Profile.of(fit, at, int(j))
        out[j] = [one.end(side, critical(level)) for side in (-1.0, 1.0)]
    return out


@dataclass(frozen=True, slots=True, eq=False)
class _Profile:
    """The likelihood along one coefficient, maximised over all others."""

    oracle: Oracle
    beta: Array
    top: float
    functional: Array
    direction: Array
    """How the other coefficients follow, to first order, as this one moves by 1."""
    basis: Array
    estimate: float
    se: float

    @classmethod
    def of(cls, fit: FittedVectorModel, at: Located, j: int) -> _Profile:
        """State the profile of a coefficient of a fit."""
        row = np.zeros((1, len(fit.names)))
        row[0, j] = 1.0
        functional = fit.coordinates.hypothesis(row)[0][at.kept]
        unit = float(np.abs(functional).max(initial=0.0)) or 1.0  # a column's, whose square may be no number
        functional = functional / unit
        half = functional @ at.root.matrix
        direction = at.root.matrix @ (half / float(half @ half)) / unit
        basis = across(functional, at.oracle.extent)
        top = fit.solution.local.value
        return cls(
            at.oracle, at.beta, top, functional, direction, basis, float(fit.coef[j]), float(fit.se[j])
        )

    def root(self, value: float) -> float:
        """Return the root of twice the loss of log-likelihood at a value of the coefficient."""
        origin = self.beta + (value - self.estimate) * self.direction
        flat = Restricted(self.oracle, origin, self.basis)
        nothing = np.zeros(flat.size)
        if not np.isfinite(flat.along(nothing, nothing, np.zeros(1))[0]):
            return math.inf
        return math.sqrt(max(2.0 * (self.top - newton(flat, nothing).local.value), 0.0))

    def end(self, side: float, target: float) -> float:
        """Find an end of the interval by false position on the root, which is nearly linear."""
        inner, below = 0.0, 0.0
        outer, above = math.inf, math.inf
        distance = target
        for _ in range(ROUNDS):
            root = self.root(self.estimate + side * distance * self.se)
            if abs(root - target) <= NEAR * target:
                break
            if root < target:
                inner, below = distance, root
            else:
                outer, above = distance, root
            if math.isinf(outer):
                if distance > FARTHEST:
                    return side * math.inf
                distance = min(distance * target / root if root > 0.0 else 2.0 * distance, 2.0 * distance)
                distance = max(distance, 1.01 * inner)
                continue
            share = (target - below) / (above - below) if math.isfinite(above) else 0.5
            distance = inner + share * (outer - inner)
        return self.estimate + side * distance * self.se
