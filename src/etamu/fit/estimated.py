"""What an estimate says of itself, of one predictor or of several: criteria, tests, and the way it was found.

May import: everything below `fit`.
Read next: `etamu.fit.result` and `etamu.vector.result`, which are made of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from etamu._base.types import Array
from etamu.fit.likelihood import LogLikelihood
from etamu.infer import criteria
from etamu.infer.covariance import Root
from etamu.infer.wald import p_values
from etamu.solve.oracle import Outcome, Solution, Step


class Estimated(ABC):
    """What follows from coefficients, their covariance, a likelihood and a solution; abstract.

    A fit has these as attributes, and the properties below from them.
    """

    __slots__ = ()

    likelihood: LogLikelihood
    solution: Solution
    nobs: int

    @property
    @abstractmethod
    def coef(self) -> Array:
        """Coefficients."""

    @property
    @abstractmethod
    def se(self) -> Array:
        """Standard errors."""

    @property
    @abstractmethod
    def reported_root(self) -> Root:
        """A factor C of the covariance of the coefficients, cov = C C'."""

    @property
    @abstractmethod
    def reference_df(self) -> Array | float:
        """Degrees of freedom of the reference distribution; infinite for the normal."""

    @property
    @abstractmethod
    def parameters(self) -> int:
        """Parameters the likelihood counts."""

    @property
    def cov(self) -> Array:
        """Covariance of the coefficients, multiplied out when asked; NaN where a column is aliased."""
        return self.reported_root.covariance()

    @property
    def statistic(self) -> Array:
        """Coefficient over standard error: z where phi is known, t where it is estimated."""
        with np.errstate(all="ignore"):
            return self.coef / self.se

    @property
    def p_values(self) -> Array:
        """Two-sided p-values of `statistic`."""
        return p_values(self.statistic, self.reference_df)

    # The criteria

    @property
    def loglik(self) -> float:
        """Complete log-likelihood, NaN where there is none."""
        return self.likelihood.value

    @property
    def aic(self) -> float:
        """Akaike's criterion, -2 loglik + 2 parameters."""
        return criteria.aic(self.loglik, self.parameters)

    @property
    def bic(self) -> float:
        """Schwarz's criterion, -2 loglik + parameters log(nobs)."""
        return criteria.bic(self.loglik, self.parameters, self.nobs)

    # The way there

    @property
    def outcome(self) -> Outcome:
        """How the search for the maximum ended; `outcome.advice` says what to do."""
        return self.solution.outcome

    @property
    def converged(self) -> bool:
        """Whether the maximum was verified."""
        return self.solution.outcome is Outcome.CONVERGED

    @property
    def iterations(self) -> int:
        """Steps the solver took."""
        return len(self.solution.steps)

    @property
    def passes(self) -> int:
        """Passes over the rows the solver made."""
        return self.solution.passes

    @property
    def trace(self) -> tuple[Step, ...]:
        """Value, decrement, step and lambda-rho of each iteration."""
        return self.solution.steps
