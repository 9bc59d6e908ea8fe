"""What an estimate says of itself, of one predictor or of several: criteria, tests, and the way it was found.

May import: everything below `fit`.
Read next: `etamu.fit.result` and `etamu.vector.result`, which are made of it.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Protocol

import numpy as np

from etamu._base.errors import EtamuWarning, NotAvailableError
from etamu._base.listing import listed
from etamu._base.types import Array
from etamu.fit.caller import user_level
from etamu.fit.likelihood import LogLikelihood
from etamu.fit.limit import Limit, unbounded
from etamu.infer import criteria
from etamu.infer.covariance import Root
from etamu.infer.wald import p_values
from etamu.solve.oracle import Outcome, Solution, Step


class Reporting(Protocol):
    """The map between working coefficients and reported ones, of one predictor or of several."""

    @property
    def size(self) -> int:
        """Number of working coordinates."""

    @property
    def aliased(self) -> tuple[str, ...]:
        """Names of the reported columns that have no coefficient of their own."""

    def reported(self, working: Array) -> Array:
        """Map working coefficients to reported ones; aliased entries are NaN."""


class Estimated(ABC):
    """What follows from coefficients, their covariance, a likelihood and a solution; abstract.

    A fit has these as attributes, and the properties below from them.
    """

    __slots__ = ()

    likelihood: LogLikelihood
    solution: Solution
    nobs: int

    beta: Array
    factor: Root | None
    limit: Limit | None
    coordinates: Reporting

    @property
    @abstractmethod
    def _runs(self) -> Array:
        """How each coefficient runs: 0 not at all, 1 and -1 to an infinity, NaN anywhere."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients."""

    @property
    @abstractmethod
    def se(self) -> Array:
        """Standard errors."""

    @cached_property
    def coef(self) -> Array:
        """Coefficients: NaN where a column is aliased, infinite where no finite estimate exists.

        Where none exists, a coefficient that could be anything, because others may run away in its place, is
        NaN too; `existence` says which.
        """
        if self.limit is None:
            return self.coordinates.reported(self.beta)
        return unbounded(self.coordinates.reported(self.limit.near), self._runs)

    @property
    def root(self) -> Root:
        """Factor of the covariance of the working coefficients, dispersion included.

        Raises
        ------
        NotAvailableError
            If the fit was saved without it.
        """
        if self.factor is None:
            raise NotAvailableError(
                "this needs the covariance, which was left out when the fit was saved: save it with "
                "covariance=True, or fit again"
            )
        return self.factor

    @cached_property
    def reported_root(self) -> Root:
        """A factor C of the covariance of the reported coefficients, cov = C C'; NaN where one runs away."""
        carried = self.coordinates.reported(self.root.matrix)
        return Root(carried if self.limit is None else np.where(self._runs[:, None] == 0.0, carried, np.nan))

    @property
    def rank(self) -> int:
        """Number of coefficients that are not aliased."""
        return self.coordinates.size

    @property
    def aliased(self) -> tuple[str, ...]:
        """Names of columns that are linear combinations of earlier ones."""
        return self.coordinates.aliased

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
        found, errors = self.reported_root.covariance(), self.reported_root.errors()
        variances = np.diagonal(found)
        lost = np.isfinite(errors) & (errors > 0.0) & ~(np.isfinite(variances) & (variances > 0.0))
        if lost.any():
            names = listed([self.names[j] for j in np.flatnonzero(lost)])
            warnings.warn(
                f"the variance of {names} is beyond the numbers of float64; standard errors (se) and tests "
                "are right: count columns and response in units that bring them near 1",
                EtamuWarning,
                stacklevel=user_level(),
            )
        return found

    @cached_property
    def statistic(self) -> Array:
        """Coefficient over standard error: z where phi is known, t where it is estimated."""
        with np.errstate(all="ignore"):
            return self.coef / self.se

    @cached_property
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
